//! Finds the messages in a stream of octets, and the segments that carried each.
//!
//! TCP keeps no boundaries (RFC 9293 §2.2: "a reliable, in-order, byte-stream service"): what was written at once may
//! travel in two segments, and two messages in one. Where messages end only the application's rule says; it is given
//! from outside, never guessed. PSH is a hint of the sender and no boundary (RFC 9293 §3.9.1.2).
//!
//! [`rule`] finds boundaries, [`Framer`] follows one direction, [`Messages`] both of a connection, over
//! [`Reassembly`]. Of a message's octets the first [`HEAD`] are kept, of its segments the first [`SEGMENTS`]; the rest
//! are counted.

mod framer;
pub mod json;
pub mod rule;

use crate::packet::ChecksumState;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::reassembly::Reassembly;

pub use crate::tcp::framing::framer::Counts;
pub use crate::tcp::framing::framer::Framer;
pub use crate::tcp::framing::framer::HEAD;
pub use crate::tcp::framing::framer::Message;
pub use crate::tcp::framing::framer::SEGMENTS;
pub use crate::tcp::framing::framer::Share;
pub use crate::tcp::framing::framer::Told;
pub use crate::tcp::framing::framer::Unknown;
pub use crate::tcp::framing::rule::Framing;

/// The messages of one connection, both ways.
#[derive(Clone, Debug)]
pub struct Messages {
    framing: Framing,
    directions: [Direction; 2],
}

/// One direction.
#[derive(Clone, Debug)]
pub struct Direction {
    /// Puts octets in order.
    pub reassembly: Reassembly,
    /// Cuts them into messages.
    pub framer: Framer,
}

impl Messages {
    /// Nothing seen yet.
    pub fn new(framing: Framing) -> Self {
        let direction = Direction { reassembly: Reassembly::default(), framer: Framer::new(framing) };
        Self { framing, directions: [direction.clone(), direction] }
    }

    /// By which rule messages are found.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// What `side` sent.
    pub const fn direction(&self, side: Side) -> &Direction {
        &self.directions[side.index()]
    }

    /// Feeds one segment of `side`, in capture order. What it made known is added to `told`.
    pub fn observe(&mut self, by: Mark, side: Side, tcp: &TcpHeader<'_>, told: &mut Vec<(Side, Told)>) {
        // The receiver drops the one unread and takes no data from the other (RFC 9293 §3.10.7).
        if matches!(tcp.checksum, ChecksumState::Bad { .. }) || tcp.flags.has(TcpFlags::RST) {
            return;
        }
        if tcp.flags.has(TcpFlags::ACK) {
            let Direction { reassembly, framer } = &mut self.directions[side.peer().index()];
            reassembly.is_acknowledged(tcp.ack, &mut |piece| {
                framer.take(piece, &mut |what| told.push((side.peer(), what)));
            });
        }
        let Direction { reassembly, framer } = &mut self.directions[side.index()];
        let before = reassembly.differing;
        if reassembly.would_start_in_the_middle(tcp) {
            framer.starts_in_the_middle(&mut |what| told.push((side, what)));
        }
        reassembly.sends(by, tcp, &mut |piece| {
            framer.take(piece, &mut |what| told.push((side, what)));
        });
        if reassembly.differing > before {
            told.push((side, Told::Differs { frame: by.frame }));
        }
    }
}

#[cfg(test)]
mod tests;
