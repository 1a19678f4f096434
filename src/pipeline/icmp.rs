//! ICMP errors: what they quote belongs to a conversation that we may know.

use crate::flow::Stage;
use crate::packet::Dir;
use crate::packet::Icmp;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Quoted;
use crate::packet::Tuple;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::books::Books;
use crate::pipeline::seen::Seen;
use crate::pipeline::seen::Sink;
use crate::pipeline::sides::side_of;
use crate::tcp::Mark;
use crate::udp::Sent;

/// Octets of a quoted TCP header from which Wireshark gives the quote a stream number of its own.
const QUOTE_TAKES_NUMBER: u32 = 16;

impl Analyzer {
    pub(super) fn observe_icmp(&mut self, packet: &Packet<'_>, icmp: &Icmp, sink: &mut dyn Sink) -> Seen<'_> {
        let Some(quoted) = icmp.quoted else { return Seen::Other };
        let (tuple, dir) = Tuple::of(quoted.protocol, quoted.src, quoted.dst);
        let refuses = icmp.is_unreachable();
        let key = self.tcp.key(&tuple);
        let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
        if quoted.protocol == Protocol::Tcp
            && self.tcp.find(key, &tuple).is_none()
            && let Some(flow) = self.bring_back(key, mark, None)
        {
            self.tcp.insert(key, tuple, mark.at, Stage::Attempt, flow);
        }
        if refuses && quoted.protocol == Protocol::Tcp {
            self.court.detectors.on_unreachable(mark.at, key, &quoted, &mut |finding| sink.finding(finding));
            self.tell_leaving(mark, sink);
        }
        match quoted.protocol {
            Protocol::Tcp => {
                let Some(found) = self.tcp.find(key, &tuple) else { return self.quote_of_nobody(&quoted) };
                let flow = self.tcp.get_mut(found);
                let side = side_of(dir, flow.client_is_low);
                flow.connection.too_big(mark.frame, side, icmp.mtu, quoted.seq);
                let ends = refuses && flow.connection.unreachable(mark, side, quoted.seq);
                if let Some(books) = &mut self.books {
                    books.keep_quote(&mut flow.course, packet, dir, &quoted);
                }
                Seen::Unreachable { protocol: Protocol::Tcp, stream: flow.stream, ends }
            }
            Protocol::Udp => {
                let Some(found) = self.udp.find(self.udp.key(&tuple), &tuple) else {
                    return self.quote_of_nobody(&quoted);
                };
                let flow = self.udp.get_mut(found);
                let ends = refuses && (dir == Dir::LowToHigh) == flow.a_is_low;
                if ends {
                    flow.exchange.port_closed(Sent { frame: packet.meta.number, at: packet.meta.at });
                }
                Seen::Unreachable { protocol: Protocol::Udp, stream: flow.stream, ends }
            }
        }
    }

    /// Wireshark numbers a conversation that it only knows from a quote; ours keep step with its numbers.
    fn quote_of_nobody(&mut self, quoted: &Quoted) -> Seen<'static> {
        match quoted.protocol {
            Protocol::Tcp if quoted.octets >= QUOTE_TAKES_NUMBER => {
                self.next_tcp += 1;
                self.books.iter_mut().for_each(Books::skip_stream);
            }
            Protocol::Tcp => {}
            Protocol::Udp => self.next_udp += 1,
        }
        Seen::Other
    }
}
