//! The wiring: packets in, conversations and findings out.
//!
//! [`Analyzer::observe`] takes one packet and says what it was; what ends on the way goes to a [`Sink`], so that a
//! report over millions of connections streams instead of collecting. [`Facts`] is what is known of the capture itself.

pub mod analyzer;
pub mod facts;
pub mod options;
pub mod seen;
pub mod trial;
pub mod watch;

mod books;
mod court;
mod datagrams;
mod framed;
mod icmp;
mod sides;
mod waiting;

pub use analyzer::Analyzer;
pub use facts::Facts;
pub use framed::FRAMED_ATTEMPTS;
pub use framed::MAX_FRAMED;
pub use options::Framed;
pub use options::Judging;
pub use options::Limits;
pub use options::Pressure;
pub use seen::Seen;
pub use seen::Sink;
pub use seen::TcpSeen;
pub use seen::UdpSeen;
pub use trial::Trial;
pub use watch::Watch;
