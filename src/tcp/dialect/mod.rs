//! The Wireshark 4.0 dialect: for every TCP and UDP frame, what tshark 4.0 would print.
//!
//! It has its own stream table, its own state and its own mistakes, and shares none of them with our judgement: what
//! it says is a translation, for people who know Wireshark's words and for comparison frame by frame.
//!
//! `tshark -2` reads a capture twice. Each frame is judged once, in the first pass, with what was known until then;
//! the second pass prints those verdicts beside what the whole capture has taught: final completeness, window scales,
//! bases of relative numbers, round trip time of the handshake. So [`FirstPass`] makes [`Finals`], and a [`Dialect`]
//! that was given them prints as `-2` does. Without them, on a pipe or a live link, it prints the values so far, as
//! one-pass tshark does.
//!
//! Learned from its output, beyond the documented rules:
//! - A second pass begins with the final bases, but each SYN+ACK resets its side's base again, so a side with several
//!   SYN+ACKs is shown relative to the latest one before the frame.
//! - A short segment (data offset past its end) is not judged and sets no base, but moves completeness and the times
//!   of the handshake. Its numbers and its window are shown raw.
//! - A header of which sixteen octets are there takes part: see `stump`. Options that are cut off or too short for
//!   their kind: see `hearing`.
//! - A SYN that begins another connection on known ports sets completeness to 1 even if it carries data.
//! - With a data offset below five words, Wireshark judges the segment yet shows only length, sequence number, header
//!   length and completeness, to which it adds nothing.
//! - Without ACK, the acknowledgment number is shown raw.
//! - A duration of exactly zero is not shown; with it goes `rto_frame`, but not `acks_frame`. A negative one is.
//! - `initial_rtt` needs a record, but an empty one will do: an ACK of something not captured whose verdict was given
//!   before leaves one, and so do a SYN that names the known base and a segment whose flight came out absurd.
//! - Octets since the last PSH are always counted, but shown only beside bytes in flight.
//! - A record that claims more than 2^31 − 1 octets is one of 2^31 − 1.
//! - Duplicate ACKs are named also where the MPTCP options change from one to the next.

mod bystander;
mod course;
mod finals;
mod hearing;
mod judge;
mod stream;
mod stump;
mod table;
mod tags;
mod unacked;
mod verdict;

#[cfg(test)]
mod tests;

pub use course::Course;
pub use finals::Finals;
pub use finals::MAX_FINALS;
pub use stream::Final;
pub use tags::Label;
pub use tags::Scale;
pub use tags::Shape;
pub use tags::Tags;
pub use tags::Value;
pub use verdict::Verdicts;

use crate::packet::flags::TcpFlags;
use crate::packet::headers::Icmp;
use crate::packet::headers::LayerKind;
use crate::packet::headers::Packet;
use crate::packet::headers::TcpHeader;
use crate::packet::headers::Transport;
use crate::packet::headers::UdpHeader;
use crate::packet::seq::SeqNumber;
use crate::packet::tuple::Dir;
use crate::packet::tuple::Protocol;
use crate::packet::tuple::Tuple;
use crate::tcp::dialect::hearing::Heard;
use crate::tcp::dialect::judge::Judgement;
use crate::tcp::dialect::judge::Segment;
use crate::tcp::dialect::stream::Stream;
use crate::tcp::dialect::table::Table;

/// The first of two passes: learns what the second one will show.
#[derive(Debug)]
pub struct FirstPass(Dialect);

/// What had to be left out because a table was full. All zero unless traffic is extreme.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Losses {
    /// Conversations forgotten to make room; should one speak again, it gets a new number, which Wireshark would not
    /// give it.
    pub evicted: u64,
    /// Segments not noted as unacknowledged for want of memory.
    pub unnoted: u64,
}

/// The part-machine: packets in capture order in, Wireshark's fields out.
///
/// Bounded: conversations by a limit (about 400 octets each, the one idle for longest makes room), unacknowledged
/// segments by 10,000 per direction, as in Wireshark, and 2^23 in all.
#[derive(Debug)]
pub struct Dialect {
    tcp: Table<Stream>,
    udp: Table<u32>,
    next_tcp: u32,
    next_udp: u32,
    /// What an earlier pass has learned.
    known: Option<Finals>,
    /// What this pass learns.
    learned: Option<Finals>,
    /// Entries that all lists of unacknowledged segments have memory for.
    room: usize,
    unnoted: u64,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for FirstPass {
    fn default() -> Self {
        Self::new()
    }
}

impl FirstPass {
    /// For a capture that will be read a second time.
    pub fn new() -> Self {
        Self::with_limit(MAX_CONVERSATIONS)
    }

    /// With another limit on conversations; the second pass must be given the same.
    pub fn with_limit(conversations: usize) -> Self {
        Self(Dialect { learned: Some(Finals::default()), ..Dialect::with_limit(conversations) })
    }

    /// Takes one packet, in capture order.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        self.0.observe(packet);
    }

    /// What the capture has taught.
    pub fn finish(mut self) -> Finals {
        let mut learned = self.0.learned.take().unwrap_or_default();
        for stream in self.0.tcp.values() {
            learned.keep(stream.number, stream.so_far());
        }
        learned
    }
}

impl Dialect {
    /// For one pass: shows the values so far.
    pub fn new() -> Self {
        Self::with_limit(MAX_CONVERSATIONS)
    }

    /// For the second pass over the capture that `finals` were learned from.
    pub fn second_pass(finals: Finals) -> Self {
        Self { known: Some(finals), ..Self::new() }
    }

    /// With another limit on conversations of each protocol.
    pub fn with_limit(conversations: usize) -> Self {
        Self {
            tcp: Table::with_limit(conversations),
            udp: Table::with_limit(conversations),
            next_tcp: 0,
            next_udp: 0,
            known: None,
            learned: None,
            room: 0,
            unnoted: 0,
        }
    }

    /// The same, told what an earlier pass has learned.
    #[must_use]
    pub fn knowing(self, finals: Finals) -> Self {
        Self { known: Some(finals), ..self }
    }

    /// Takes one packet, in capture order, and says what tshark prints for it; `None` where it prints none of the
    /// fields that we compare. A header quoted in an ICMP error is no packet, but takes its stream number.
    pub fn observe(&mut self, packet: &Packet<'_>) -> Option<Tags> {
        // Wireshark takes Ethernet right behind an MPLS label for data it cannot read (RFC 4448 §4.6 makes the control
        // word optional, and nothing tells).
        if bystander::is_bare_pseudowire(packet) {
            return None;
        }
        for tuple in bystander::outer_udp(packet) {
            self.udp_number(tuple);
        }
        match &packet.transport {
            Transport::Tcp(tcp) => self.tcp(packet, tcp),
            Transport::Udp(udp) => self.udp(packet, udp),
            Transport::Icmp(icmp) => {
                self.quote(packet, icmp);
                None
            }
            Transport::Other => self.stump(packet),
            Transport::LaterFragment | Transport::None => None,
        }
    }

    /// What is known of the TCP stream `tuple` now.
    pub fn stream(&mut self, tuple: &Tuple) -> Option<(u32, Final)> {
        let place = self.tcp.find(tuple)?;
        let stream = self.tcp.at(place);
        Some((stream.number, stream.so_far()))
    }

    /// What had to be left out.
    pub fn losses(&self) -> Losses {
        Losses { evicted: self.tcp.evicted() + self.udp.evicted(), unnoted: self.unnoted }
    }

    fn udp(&mut self, packet: &Packet<'_>, udp: &UdpHeader<'_>) -> Option<Tags> {
        let (tuple, _) = packet.tuple()?;
        // RFC 768: the length counts its own header. 0 is a jumbogram over IPv6 (RFC 2675 §4) and wrong elsewhere.
        let is_jumbo = udp.length_field == 0 && packet.ip.is_some_and(|ip| ip.version == 6);
        if udp.length_field < 8 && !is_jumbo {
            return None;
        }
        Some(Tags::numbered(Protocol::Udp, self.udp_number(tuple)))
    }

    fn udp_number(&mut self, tuple: Tuple) -> u32 {
        if let Some(place) = self.udp.find(&tuple) {
            return *self.udp.at(place);
        }
        let number = take_number(&mut self.next_udp);
        self.udp.add(tuple, number);
        number
    }

    fn quote(&mut self, packet: &Packet<'_>, icmp: &Icmp) {
        let Some(quoted) = icmp.quoted else { return };
        let (tuple, dir) = Tuple::of(quoted.protocol, quoted.src, quoted.dst);
        match (quoted.protocol, quoted.seq, quoted.flags) {
            (Protocol::Udp, _, _) => {
                self.udp_number(tuple);
            }
            // Wireshark reads up to the window before it counts the stream; the classic quote has eight octets.
            (Protocol::Tcp, Some(seq), Some(flags)) if quoted.octets >= 16 => {
                let at = stamp(packet);
                let (place, _) = self.find_stream(tuple, dir, flags, seq);
                self.tcp.at(place).note_phase(dir, at, flags, bystander::quoted_len(packet, &quoted));
            }
            (Protocol::Tcp, _, _) => {}
        }
    }

    fn tcp(&mut self, packet: &Packet<'_>, tcp: &TcpHeader<'_>) -> Option<Tags> {
        let (tuple, dir) = packet.tuple()?;
        let shape = shape(packet, tcp);
        let segment = Segment {
            frame: packet.meta.number,
            at: stamp(packet),
            seq: tcp.seq,
            ack: tcp.ack,
            flags: tcp.flags,
            window: tcp.window,
            len: if shape == Shape::Short { 0 } else { tcp.len.min(longest(packet, tcp)) },
            heard: if shape == Shape::Short { heard_of_short(packet, tcp) } else { heard(tcp) },
        };
        Some(self.segment(tuple, dir, shape, tcp.header_len, &segment))
    }

    /// A header that is not all there.
    fn stump(&mut self, packet: &Packet<'_>) -> Option<Tags> {
        let stump = stump::stump(packet)?;
        let shape = match stump.segment.checked_sub(MIN_HEADER.max(stump.header_len).into()) {
            Some(_) if stump.header_len < MIN_HEADER => Shape::Bogus,
            Some(_) => Shape::Cut,
            None => Shape::Short,
        };
        let segment = Segment {
            frame: packet.meta.number,
            at: stamp(packet),
            seq: stump.seq,
            ack: stump.ack,
            flags: stump.flags,
            window: stump.window,
            len: if shape == Shape::Short { 0 } else { stump.segment - u32::from(stump.header_len) },
            heard: Heard { gave_up: true, ..Heard::default() },
        };
        Some(self.segment(stump.tuple, stump.dir, shape, stump.header_len, &segment))
    }

    fn segment(&mut self, tuple: Tuple, dir: Dir, shape: Shape, hdr_len: u8, segment: &Segment) -> Tags {
        let is_judged = matches!(shape, Shape::Whole | Shape::Cut | Shape::Bogus);
        let (place, reused) = self.find_stream(tuple, dir, segment.flags, segment.seq);
        let has_room = self.room < MAX_NOTED;
        let stream = self.tcp.at(place);
        let room_before = stream.room();
        let mut found = Judgement::default();
        if is_judged {
            found = stream.judge(dir, has_room, segment);
        } else {
            stream.hear_syn(dir, segment);
        }
        let shown = stream.shown(dir);
        if shape == Shape::Bogus {
            stream.skip_phase();
        } else {
            stream.note_phase(dir, segment.at, segment.flags, segment.len);
            stream.hear_options(dir, segment);
        }
        if reused {
            found.verdicts.add(Verdicts::REUSED_PORTS);
            found.is_recorded = true;
        }
        let number = stream.number;
        let initial_rtt = stream.initial_rtt().filter(|_| found.is_recorded);
        self.room = self.room + stream.room() - room_before;
        self.unnoted += u64::from(is_judged && !has_room && segment.takes_space());
        Tags {
            shape,
            len: segment.len,
            seq: segment.seq,
            ack: segment.ack,
            relative_seq: if is_judged { shown.seq_base.offset_to(segment.seq) } else { segment.seq.0 },
            relative_ack: match is_judged && segment.flags.has(TcpFlags::ACK) {
                true => shown.ack_base.offset_to(segment.ack),
                false => segment.ack.0,
            },
            hdr_len,
            flags: segment.flags,
            window: segment.window,
            scale: shown.scale,
            completeness: shown.completeness,
            verdicts: found.verdicts,
            duplicate_ack: found.duplicate_ack,
            acks: found.acks,
            rto: found.rto,
            initial_rtt,
            bytes_in_flight: found.bytes_in_flight,
            push_bytes_sent: found.push_bytes_sent,
            ..Tags::numbered(Protocol::Tcp, number)
        }
    }

    /// Where the stream of a header is. Newly numbered if its ports were never seen, or if a SYN begins another
    /// connection on them (then true).
    fn find_stream(&mut self, tuple: Tuple, dir: Dir, flags: TcpFlags, seq: SeqNumber) -> (usize, bool) {
        let Some(place) = self.tcp.find(&tuple) else {
            let stream = self.new_stream();
            let (place, gone) = self.tcp.add(tuple, stream);
            if let Some(gone) = gone {
                self.forget(&gone);
            }
            return (place, false);
        };
        if !self.tcp.at(place).is_ended_by(dir, flags, seq) {
            return (place, false);
        }
        let stream = self.new_stream().reusing_ports();
        let gone = std::mem::replace(self.tcp.at(place), stream);
        self.forget(&gone);
        (place, true)
    }

    fn new_stream(&mut self) -> Stream {
        let number = take_number(&mut self.next_tcp);
        Stream::new(number, self.known.as_ref().and_then(|known| known.stream(number)).copied())
    }

    fn forget(&mut self, stream: &Stream) {
        self.room -= stream.room();
        if let Some(learned) = &mut self.learned {
            learned.keep(stream.number, stream.so_far());
        }
    }
}

/// Nanoseconds since the epoch as Wireshark reads them: it keeps a stamp's fraction in 32 bits, with a sign, where a
/// spoilt capture may have written more.
fn stamp(packet: &Packet<'_>) -> i64 {
    let (at, carried) = (packet.meta.at.nanos(), i64::from(packet.meta.carried_seconds));
    if carried == 0 {
        return at;
    }
    let fraction = carried * NANOS + at.rem_euclid(NANOS);
    at - fraction + i64::from(fraction as u32 as i32)
}

/// What Wireshark hears of the options: all that they say, unless something is wrong with them.
fn heard(tcp: &TcpHeader<'_>) -> Heard {
    let declared = usize::from(tcp.header_len.saturating_sub(MIN_HEADER));
    if tcp.said.malformed || tcp.options.len() < declared {
        return hearing::hear(tcp.options, declared);
    }
    let blocks = tcp.said.sack.iter().take(hearing::SACK_BLOCKS);
    let sacked = blocks.map(|block| block.left.offset_to(block.right)).fold(0, u32::wrapping_add);
    Heard { window_scale: tcp.said.window_scale, sacked, gave_up: false }
}

/// The same of a segment that ends within its header, or of a first fragment: as far as its octets go.
fn heard_of_short(packet: &Packet<'_>, tcp: &TcpHeader<'_>) -> Heard {
    if tcp.sound {
        return heard(tcp);
    }
    let (Some(layer), Some(ip)) = (packet.layers.last(), packet.ip) else { return Heard::default() };
    let behind_fixed = layer.offset as usize + usize::from(MIN_HEADER);
    let captured = packet.bytes.get(behind_fixed..).unwrap_or_default();
    let sent = (ip.payload_len as usize).saturating_sub(usize::from(MIN_HEADER));
    hearing::hear(&captured[..sent.min(captured.len())], usize::from(tcp.header_len.saturating_sub(MIN_HEADER)))
}

/// How much of the header Wireshark shows. A TCP header in a later fragment is that of a datagram put together.
fn shape(packet: &Packet<'_>, tcp: &TcpHeader<'_>) -> Shape {
    let is_first_fragment = packet.ip.is_some_and(|ip| ip.more_fragments && ip.fragment_offset == 0);
    if is_first_fragment {
        Shape::Short
    } else if tcp.sound {
        Shape::Whole
    } else if tcp.header_len < MIN_HEADER {
        Shape::Bogus
    } else {
        Shape::Short
    }
}

/// Payload of the longest frame there is for Wireshark: it takes lengths above 2^31 − 1 for that.
fn longest(packet: &Packet<'_>, tcp: &TcpHeader<'_>) -> u32 {
    let header = packet.layers.iter().rev().find(|layer| layer.kind == LayerKind::Tcp);
    let before = header.map_or(0, |layer| layer.offset) + u32::from(tcp.header_len);
    (i32::MAX as u32).saturating_sub(before)
}

fn take_number(next: &mut u32) -> u32 {
    let number = *next;
    *next = next.wrapping_add(1);
    number
}

/// `a` lies strictly behind `b`, by Wireshark's arithmetic: of two points exactly half a circle apart, each lies behind
/// the other.
const fn before(a: SeqNumber, b: SeqNumber) -> bool {
    b.distance_to(a) < 0
}

/// Conversations of each protocol that are remembered.
pub const MAX_CONVERSATIONS: usize = 1 << 20;
/// Unacknowledged segments that all lists together have memory for.
const MAX_NOTED: usize = 1 << 23;
/// Nanoseconds in a second.
const NANOS: i64 = 1_000_000_000;
/// Octets of a TCP header without options (RFC 9293 §3.1).
const MIN_HEADER: u8 = 20;
