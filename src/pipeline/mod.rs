//! The wiring: packets in, conversations and findings out.
//!
//! [`Analyzer::observe`] takes one packet and says what it was; what ends on the way goes to a [`Sink`], so that a
//! report over millions of connections streams instead of collecting. [`Facts`] is what is known of the capture itself.

pub mod analyzer;
pub mod facts;

pub use analyzer::Analyzer;
pub use analyzer::Judging;
pub use analyzer::Limits;
pub use analyzer::Seen;
pub use analyzer::Sink;
pub use analyzer::TcpSeen;
pub use analyzer::UdpSeen;
pub use facts::Facts;
