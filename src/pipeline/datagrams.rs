//! UDP's part of the pass: datagrams find their conversation, tunnels count in theirs.

use crate::flow::EndedExchange;
use crate::flow::Leaves;
use crate::flow::Lookup;
use crate::flow::Stage;
use crate::packet::Dir;
use crate::packet::IpHeader;
use crate::packet::OuterTransport;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Tuple;
use crate::packet::UdpHeader;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::court::Court;
use crate::pipeline::seen::Seen;
use crate::pipeline::seen::Sink;
use crate::pipeline::seen::UdpSeen;
use crate::pipeline::sides::ends;
use crate::udp::Exchange;
use crate::udp::Sent;

/// A conversation and who began it.
#[derive(Debug)]
pub(super) struct UdpFlow {
    pub(super) stream: u64,
    pub(super) a_is_low: bool,
    pub(super) exchange: Exchange,
}

impl Analyzer {
    pub(super) fn observe_udp(
        &mut self,
        packet: &Packet<'_>,
        ip: &IpHeader,
        header: &UdpHeader<'_>,
        sink: &mut dyn Sink,
    ) -> Seen<'_> {
        let Some((tuple, dir)) = packet.tuple() else { return Seen::Other };
        let sent = Sent { frame: packet.meta.number, at: packet.meta.at };
        let key = self.udp.key(&tuple);
        let known = self.udp.find(key, &tuple);
        let found = known.unwrap_or_else(|| self.new_udp((key, tuple), dir, sent, sink));
        self.udp.touch(found, sent.at, Stage::Datagrams);
        let flow = self.udp.get_mut(found);
        let by_a = (dir == Dir::LowToHigh) == flow.a_is_low;
        let event = flow.exchange.observe(sent, by_a, ip, header);
        let flow = self.udp.get(found);
        let (a, b) = ends(&tuple, flow.a_is_low);
        Seen::Udp(UdpSeen {
            stream: flow.stream,
            is_first: known.is_none(),
            by_a,
            a,
            b,
            exchange: &flow.exchange,
            event,
        })
    }

    /// A tunnel's own UDP header takes part in its conversation, as Wireshark counts it too; what it carries is judged
    /// for itself.
    pub(super) fn observe_tunnel(&mut self, packet: &Packet<'_>, outer: &OuterTransport, sink: &mut dyn Sink) {
        if outer.protocol != Protocol::Udp {
            return;
        }
        let (tuple, dir) = Tuple::of(outer.protocol, outer.src, outer.dst);
        let sent = Sent { frame: packet.meta.number, at: packet.meta.at };
        let key = self.udp.key(&tuple);
        let found = self.udp.find(key, &tuple).unwrap_or_else(|| self.new_udp((key, tuple), dir, sent, sink));
        self.udp.touch(found, sent.at, Stage::Datagrams);
        let flow = self.udp.get_mut(found);
        let by_a = (dir == Dir::LowToHigh) == flow.a_is_low;
        flow.exchange.carries(sent, by_a);
    }

    fn new_udp(&mut self, (key, tuple): (u64, Tuple), dir: Dir, sent: Sent, sink: &mut dyn Sink) -> Lookup {
        if let Some((tuple, flow, why)) = self.udp.pop_for_room() {
            end_udp(&mut self.court, sink, &tuple, &flow, why);
        }
        let flow = UdpFlow {
            stream: self.next_udp,
            a_is_low: dir == Dir::LowToHigh,
            exchange: Exchange::new(sent).reading(self.read_size),
        };
        self.next_udp += 1;
        self.udp.insert(key, tuple, sent.at, Stage::Datagrams, flow)
    }
}

/// Hands on a conversation that left the table.
pub(super) fn end_udp(court: &mut Court, sink: &mut dyn Sink, tuple: &Tuple, flow: &UdpFlow, why: Leaves) {
    let (a, b) = ends(tuple, flow.a_is_low);
    court.exchange(&EndedExchange { stream: flow.stream, a, b, exchange: &flow.exchange, why }, sink);
}
