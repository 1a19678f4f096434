//! Presentation over any writer: what was found is worded here, and decided below.
//!
//! Nothing in here asks for the terminal, the time or the arguments: width, colour and numbering come in a [`Style`](style::Style).
//! [`trace`] tells a conversation line by line while it happens, [`ladder`] draws it, [`states`] puts both ends' states
//! beside it, [`headers`] takes single packets
//! apart, [`json_headers`] does the same for machines. [`summary`] shows a whole capture in tables, [`connection`] one
//! connection whole, [`json`] an object per conversation; [`explain`] says why a single packet was sent; [`servers`] gathers UDP by server, [`messages`] which messages
//! the segments carry; [`mss`] and [`interfaces`] are about segment
//! sizes.

pub mod capture;
pub mod completeness;
pub mod connection;
pub mod csv;
pub mod explain;
pub mod flood;
pub mod headers;
pub mod interfaces;
pub mod json;
pub mod json_attempts;
pub mod json_headers;
pub mod json_order;
pub mod ladder;
pub mod messages;
pub mod mss;
pub mod order;
pub mod ranking;
pub mod servers;
pub mod states;
pub mod style;
pub mod summary;
pub mod text;
pub mod trace;

mod budget;
mod findings;
mod grid;
mod json_capture;
mod json_connection;
mod json_ledger;
mod json_life;
mod line;
mod markdown;
mod page;
mod round_trips;
mod silence;
#[cfg(test)]
mod testing;
mod trial;
pub mod verdicts;
mod view;
mod words;
mod worst;
