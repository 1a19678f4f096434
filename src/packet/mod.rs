//! Ground floor: what was on the wire. Types only; nothing here parses, judges or prints a verdict.
//!
//! Everything above speaks in these nouns. They are plain data, sized for the hot path: a [`Packet`]
//! borrows the frame's bytes and allocates nothing.

pub mod defect;
pub mod flags;
pub mod frame;
pub mod headers;
pub mod layer;
pub mod link;
pub mod option;
pub mod seq;
pub mod time;
pub mod tuple;

pub use defect::{Defect, DefectCode};
pub use flags::{Control, TcpFlags};
pub use frame::{Frame, FrameMeta};
pub use headers::{ChecksumState, Icmp, IpHeader, OuterTransport, Packet, Quoted, Reassembled};
pub use headers::{TcpHeader, Transport, UdpHeader};
pub use layer::{Layer, LayerKind};
pub use link::{EtherType, LinkType, MacAddr};
pub use option::{OptionSummary, SackBlock, TcpOption};
pub use seq::SeqNumber;
pub use time::{Clock, Span, Timestamp};
pub use tuple::{Dir, Endpoint, Protocol, Tuple};
