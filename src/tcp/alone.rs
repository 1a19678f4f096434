//! A socket connected to itself: its SYN comes back, crosses itself, and from then on it hears what it says.
//!
//! RFC 9293 §3.5, figure 7, with both ends one. There is one row of numbers, and every acknowledgment is of the own octets;
//! no side can be told from the other, so everything counts for the client and no rule that compares two sides is asked.

use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::teardown::ResetKind;

impl Connection {
    /// Feeds one segment of a connection whose ends are one.
    pub(super) fn observe_alone(&mut self, mark: Mark, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        let own = &mut self.sides[Side::Client.index()];
        if tcp.flags.has(TcpFlags::SYN) {
            own.opens(tcp);
            self.handshake.crosses_itself(mark, tcp, events);
        }
        let placed = own.sends(tcp);
        if tcp.flags.has(TcpFlags::RST) {
            self.teardown.resets(mark, Side::Client, ResetKind::Abort, events);
            return;
        }
        if placed.new + placed.repeated > 0 {
            events.push(Event::Data { new: placed.new, repeated: placed.repeated });
        }
        if tcp.flags.has(TcpFlags::ACK) {
            let acknowledged = own.is_acknowledged(tcp.ack);
            if acknowledged.octets > 0 {
                events.push(Event::Acked { octets: acknowledged.octets, in_flight: own.in_flight() });
            }
        }
        let [own, nobody] = &self.sides;
        self.teardown.observe(mark, Side::Client, tcp, own, nobody, events);
    }
}
