//! What Wireshark's `tcp.completeness` rests on, and no more: for who keeps it beside a connection and asks for nothing
//! else in Wireshark's words. The same rules as the whole part-machine's, which [`stream`](super::stream) holds.

use crate::packet::flags::TcpFlags;
use crate::packet::headers::Packet;
use crate::packet::headers::Quoted;
use crate::packet::headers::TcpHeader;
use crate::packet::seq::SeqNumber;
use crate::packet::tuple::Dir;
use crate::tcp::dialect::bystander;
use crate::tcp::dialect::shape;
use crate::tcp::dialect::stream::first_bits;
use crate::tcp::dialect::stream::index;
use crate::tcp::dialect::stream::is_pure_syn;
use crate::tcp::dialect::stream::phase_bits;
use crate::tcp::dialect::tags::Shape;

/// The course of one stream as Wireshark cuts streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    /// Wireshark's number; `None` before its first packet.
    number: Option<u32>,
    base: [Option<SeqNumber>; 2],
    completeness: u8,
    begun: bool,
}

impl Course {
    /// A stream that goes on under the number that it had.
    pub fn numbered(number: u64) -> Self {
        Self { number: u32::try_from(number).ok(), ..Self::default() }
    }

    /// Its completeness now, if Wireshark numbers it so too.
    pub fn completeness(&self, number: u64) -> Option<u8> {
        (self.number.map(u64::from) == Some(number)).then_some(self.completeness)
    }

    /// Takes a segment. `streams` have begun so far in the capture, by Wireshark's count.
    pub fn observe(&mut self, packet: &Packet<'_>, dir: Dir, tcp: &TcpHeader<'_>, streams: &mut u32) {
        if bystander::is_bare_pseudowire(packet) {
            return;
        }
        let shape = shape(packet, tcp);
        self.begin(dir, tcp.flags, tcp.seq, streams);
        if matches!(shape, Shape::Whole | Shape::Bogus) {
            self.settle(dir, tcp);
        }
        self.note(tcp.flags, if shape == Shape::Short { 0 } else { tcp.len });
    }

    /// Takes a segment of a connection that is followed on from its opening.
    pub fn replay(&mut self, dir: Dir, tcp: &TcpHeader<'_>) {
        self.settle(dir, tcp);
        self.note(tcp.flags, tcp.len);
    }

    /// Takes a segment that an ICMP error quotes. Wireshark reads up to the window before it counts the stream.
    pub fn quoted(&mut self, packet: &Packet<'_>, dir: Dir, quoted: &Quoted, streams: &mut u32) {
        let (Some(seq), Some(flags)) = (quoted.seq, quoted.flags) else { return };
        if quoted.octets < 16 || bystander::is_bare_pseudowire(packet) {
            return;
        }
        self.begin(dir, flags, seq, streams);
        self.note(flags, bystander::quoted_len(packet, quoted));
    }

    fn begin(&mut self, dir: Dir, flags: TcpFlags, seq: SeqNumber, streams: &mut u32) {
        let ends = is_pure_syn(flags) && self.base[index(dir)].is_some_and(|base| base != seq);
        if self.number.is_none() || ends {
            *self = Self { number: Some(*streams), ..Self::default() };
            *streams = streams.wrapping_add(1);
        }
    }

    fn settle(&mut self, dir: Dir, tcp: &TcpHeader<'_>) {
        let (syn, ack) = (tcp.flags.has(TcpFlags::SYN), tcp.flags.has(TcpFlags::ACK));
        let own = &mut self.base[index(dir)];
        if own.is_none() || syn && ack && *own != Some(tcp.seq) {
            *own = Some(if syn { tcp.seq } else { tcp.seq.minus(1) });
        }
        if ack {
            self.base[index(dir.reverse())].get_or_insert(tcp.ack.minus(1));
        }
    }

    fn note(&mut self, flags: TcpFlags, len: u32) {
        let first = !std::mem::replace(&mut self.begun, true);
        self.completeness |= if first { first_bits(flags, len) } else { phase_bits(flags, len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::tcp::dialect::Dialect;

    /// The same packets to both: numbers and completeness agree after each.
    fn same_as_the_whole(script: &str) {
        let (mut whole, mut course, mut streams) = (Dialect::new(), Course::default(), 0);
        for frame in craft::play(script).expect("a script that reads").frames() {
            let packet = decode(&frame);
            whole.observe(&packet);
            let (tuple, dir) = packet.tuple().expect("a segment");
            course.observe(&packet, dir, packet.tcp().expect("a segment"), &mut streams);
            let (number, last) = whole.stream(&tuple).expect("a stream");
            assert_eq!(course.completeness(number.into()), Some(last.completeness()), "{frame:?}");
        }
    }

    #[test]
    fn a_whole_connection_runs_through_the_same_values() {
        same_as_the_whole(
            "+0.0 C > S  S   1000:1000(0)           win 500 <mss 1460>
             +0.1 S > C  S.  5000:5000(0) ack 1001  win 500 <mss 1460>
             +0.1 C > S  .   1001:1001(0) ack 5001  win 500
             +0.1 C > S  P.  1001:1011(10) ack 5001 win 500
             +0.1 C > S  F.  1011:1011(0) ack 5001  win 500
             +0.1 S > C  R.  5001:5001(0) ack 1012  win 500",
        );
    }

    #[test]
    fn ports_used_again_and_captures_that_begin_in_the_middle_do_too() {
        same_as_the_whole(
            "+0.0 C > S  P.  1001:1011(10) ack 5001 win 500
             +0.1 S > C  .   5001:5001(0) ack 1011  win 500
             +0.1 C > S  S   9000:9000(0)           win 500
             +0.1 C > S  S   9000:9000(0)           win 500
             +0.1 S > C  S.  7000:7000(0) ack 9001  win 500
             +0.1 S > C  S.  8000:8000(0) ack 9001  win 500
             +0.1 S > C  S   6000:6000(0)           win 500
             +0.1 C > S  R   9001:9001(0)           win 0",
        );
    }
}
