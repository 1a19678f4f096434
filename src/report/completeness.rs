//! Wireshark's `tcp.completeness` of a connection, for reports that say what other observers think.
//!
//! Runs Wireshark's own numbering along beside ours, and speaks only where both mean the same connection.

use crate::flow::EndedConnection;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Tuple;
use crate::tcp::dialect::Dialect;

/// Follows one capture.
#[derive(Debug, Default)]
pub struct Completeness {
    dialect: Dialect,
}

impl Completeness {
    /// Any packet, in capture order, after what ended before it was asked for.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        self.dialect.observe(packet);
    }

    /// The sum of the bits that a connection has earned; `None` where Wireshark's numbering does not agree with ours.
    pub fn of(&mut self, ended: &EndedConnection<'_>) -> Option<u8> {
        let (tuple, _) = Tuple::of(Protocol::Tcp, ended.client, ended.server);
        let (number, last) = self.dialect.stream(&tuple)?;
        (u64::from(number) == ended.stream).then(|| last.completeness())
    }
}

/// What each bit stands for, least first.
pub const BITS: [(u8, &str); 6] = [(1, "SYN"), (2, "SYN,ACK"), (4, "ACK"), (8, "data"), (16, "FIN"), (32, "RST")];
