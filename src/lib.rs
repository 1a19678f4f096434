//! **synscope** answers one question about TCP and UDP traffic: *what happened on this connection, and why?*
//!
//! The folder list is the data flow. A frame only ever travels upwards, an import only ever points down:
//!
//! ```text
//!  wire ─▶ source ─▶ decode ─▶ flow ( tcp │ udp ) ─▶ detect ─▶ report ─▶ you
//!          Frame     Packet    Event                 Finding   text, JSON, ladder
//! ```
//!
//! | floor | modules | what they know |
//! |---|---|---|
//! | 0 | [`packet`], [`adder`] | nouns of the wire; the adder stands apart |
//! | 1 | [`finding`] | what may be said about traffic, and in which words |
//! | 2 | [`source`], [`decode`], [`craft`], [`tcp`], [`udp`] | bytes in, headers out, one connection each |
//! | 3 | [`flow`] | which packet belongs to whom, and for how long |
//! | 4 | [`detect`] | facts to findings: policy and thresholds |
//! | 5 | [`pipeline`] | the wiring |
//! | 6 | [`report`] | presentation over any writer |
//! | 7 | [`cli`] | arguments, exit codes |
//!
//! `tests/layering.rs` holds the code to this table.

pub mod packet;

pub mod finding;

pub mod craft;
pub mod decode;
pub mod source;
pub mod tcp;
pub mod udp;

pub mod flow;

pub mod detect;

pub mod pipeline;

pub mod report;

pub mod cli;

pub mod adder;
