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
//!
//! A capture in a few lines: a script is played into frames, each frame decoded and observed.
//!
//! ```
//! use synscope::decode::decode;
//! use synscope::pipeline::{Analyzer, Seen};
//! # use synscope::{finding::Finding, flow::EndedConnection, flow::EndedExchange, pipeline::Sink};
//! # struct Nobody;
//! # impl Sink for Nobody {
//! #     fn connection(&mut self, _: &EndedConnection<'_>) {}
//! #     fn exchange(&mut self, _: &EndedExchange<'_>) {}
//! #     fn finding(&mut self, _: Finding) {}
//! # }
//! let trace = synscope::craft::play("
//!     +0.000  C > S  S   1000:1000(0)            win 65535
//!     +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
//!     +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
//! ")?;
//! let mut analyzer = Analyzer::default();
//! for frame in trace.frames() {
//!     if let Seen::Tcp(seen) = analyzer.observe(&decode(&frame), &mut Nobody) {
//!         println!("{:?}: {}", seen.side, seen.connection.outcome().name());
//!     }
//! }
//! # Ok::<(), synscope::craft::ScriptError>(())
//! ```

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
