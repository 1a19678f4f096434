//! One TCP connection, seen from beside the wire.
//!
//! Sans-IO: time comes in with each packet, facts go out as [`Event`]s. No clock, no socket, no printing: a file
//! replayed in a second and a link watched for a day give the same events. What the facts *mean* is for `detect`.
//!
//! [`Connection`] is the centre and only calls the parts in order: [`endpoint`] (numbers and windows of one side),
//! [`state`] (RFC 9293 states), [`handshake`], [`teardown`], [`turns`] (who asked, who answered), [`mss`],
//! [`path`] (what size gets through), [`blind`] (what the capture itself missed of it). Where it was asked for, [`life`] keeps its course: [`budget`] says where
//! the time went, [`rtt`] gathers round trips, [`silence`] the gaps.
//! [`reassembly`] puts octets in order for [`framing`], which finds messages in them; both only where that is asked for.
//! [`verdict`] judges each segment by rule and cause. [`dialect`] is a machine apart: it says what Wireshark says, quirks included;
//! [`ledger`] holds what [`zeek`] and [`tcptrace`] would have written down, machines apart as well.

pub mod blind;
pub mod budget;
pub mod connection;
pub mod dialect;
pub mod dormant;
pub mod endpoint;
pub mod event;
pub mod framing;
pub mod handshake;
pub mod ledger;
pub mod life;
pub mod mss;
pub mod notable;
pub mod opening;
pub mod path;
pub mod predecessor;
pub mod reassembly;
pub mod reset;
pub mod rtt;
pub mod silence;
pub mod state;
pub mod tcptrace;
pub mod teardown;
pub mod turns;
pub mod verdict;
pub mod zeek;

mod alone;
mod judging;

pub use blind::Blemishes;
pub use blind::Blind;
pub use blind::Hearing;
pub use connection::Connection;
pub use dormant::Opening;
pub use endpoint::EndpointView;
pub use event::Event;
pub use event::Mark;
pub use event::Side;
pub use handshake::Handshake;
pub use handshake::Outcome;
pub use ledger::Ledger;
pub use state::State;
pub use teardown::CloseKind;
pub use teardown::Teardown;

#[cfg(test)]
mod tests;
