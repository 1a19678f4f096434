//! Which resets count: one that its receiver would not obey ends nothing.
//!
//! RFC 9293 §3.10.7.3 (in SYN-SENT it must acknowledge the SYN), RFC 5961 §3.2 (otherwise it must carry the exact next
//! number), RFC 9293 §3.5, figure 9 (an old SYN,ACK is answered by one).

use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::event::Side;
use crate::tcp::handshake::Outcome;

impl Connection {
    /// Would the receiver of this reset obey it, as far as the capture tells (RFC 5961 §3.2)?
    pub(super) fn obeys_reset(&self, side: Side, tcp: &TcpHeader<'_>) -> bool {
        if side == Side::Server && self.handshake.syn.is_some() && self.handshake.syn_ack.is_none() {
            return self.outcome() == Outcome::Refused;
        }
        let sender = self.side(side);
        let (Some(low), Some(high)) = (sender.snd_una.or(sender.isn), sender.snd_max) else { return true };
        // The exact next number is between what was acknowledged and what was sent; octets that the capture missed may
        // put it anywhere up to the edge of the window.
        let edge = self.side(side.peer()).right_edge.map_or(high, |edge| high.max(edge));
        low.at_or_before(tcp.seq) && tcp.seq.at_or_before(edge)
    }

    /// A SYN,ACK that acknowledged something else is answered so (RFC 9293 §3.5, figure 9): due, and not for this opening.
    pub(super) fn answers_old_duplicate(&self, tcp: &TcpHeader<'_>) -> bool {
        !self.handshake.is_settled() && self.notable().wrong_ack.is_some_and(|(_, _, fault)| fault.ack() == tcp.seq)
    }
}
