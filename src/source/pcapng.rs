//! Walks the blocks of a pcapng file over a slice, without copying and without allocating per packet.
//!
//! Follows draft-ietf-opsawg-pcapng. `pcap_file` frames the blocks; what a packet block says is read here, because
//! its typed layer allocates, and so are section and interface blocks, because it refuses some that libpcap
//! accepts: resolutions below 2^-29 s, names that are not UTF-8, reserved fields that are not 0.
//!
//! Long because one loop reads all blocks that carry packets or describe them.

use std::borrow::Cow;

use pcap_file::pcapng::PcapNgParser;

use crate::packet::Clock;
use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::LinkType;
use crate::packet::Timestamp;
use crate::source::CaptureInfo;
use crate::source::Flow;
use crate::source::InterfaceInfo;
use crate::source::Resolution;
use crate::source::Stats;
use crate::source::capture::MAX_INTERFACES;
use crate::source::order::Order;
use crate::source::pcap::Halt;
use crate::source::pcap::MAX_RECORD;
use crate::source::pcap::Walked;
use crate::source::piece::Take;
use crate::source::remarks::Margin;
use crate::source::unit::Unit;

/// A pcapng file, somewhere between two blocks.
#[derive(Debug)]
pub(super) struct Pcapng {
    /// Frames blocks in the byte order of the section.
    parser: PcapNgParser,
    order: Order,
    /// Position of the section's first interface in `CaptureInfo::interfaces`.
    base: u32,
    /// The section's interfaces.
    ports: Vec<Port>,
    /// Drops told of so far, by all sections; as sums over interfaces, of which a file can describe very many.
    dropped: Option<u128>,
    /// Where notes on packets go, if somebody wants them.
    pub(super) margin: Option<Margin>,
    /// Frames handed over when drops were last told of: the packet behind them has been counted.
    told_at: Option<u64>,
}

/// What packets need to know of their interface.
#[derive(Clone, Copy, Debug)]
struct Port {
    link_type: LinkType,
    snaplen: u32,
    unit: Unit,
    /// `if_tsoffset`, in seconds.
    offset: i64,
    /// `isb_ifdrop` and `isb_osdrop`, as last told.
    dropped: Option<u64>,
    /// Drops that packets told of, `epb_dropcount`, summed.
    dropped_between: Option<u64>,
}

/// What a packet block says.
struct Packet<'a> {
    interface: u32,
    ticks: Option<u64>,
    origlen: u32,
    bytes: &'a [u8],
    /// Packets lost between this one and the one before it, where that is told.
    dropped: Option<u64>,
    /// Behind the octets: a list of options, or nothing.
    options: &'a [u8],
}

impl Pcapng {
    /// Before the first section header.
    pub(super) fn new() -> Self {
        Self {
            parser: framing(Order::LITTLE),
            order: Order::LITTLE,
            base: 0,
            ports: Vec::new(),
            dropped: None,
            margin: None,
            told_at: None,
        }
    }

    /// Hands the packets of whole blocks of `bytes` to `take`, at most `batch`.
    pub(super) fn walk<T: Take>(
        &mut self,
        bytes: &[u8],
        batch: u64,
        info: &mut CaptureInfo,
        stats: &mut Stats,
        take: &mut T,
    ) -> Walked {
        let last = stats.frames + batch;
        let mut rest = bytes;
        let halt = loop {
            if stats.frames == last {
                break Halt::Batch;
            }
            let known = stats.dropped;
            let (behind, packet) = match self.block(rest, info, stats) {
                Ok(read) => read,
                Err(halt) => break halt,
            };
            let raw = &rest[..rest.len() - behind.len()];
            let Some(packet) = packet else {
                rest = behind;
                let flow = take.other(raw, self.order.is_big());
                // Statistics that tell of drops end the batch: the packets behind them are behind the loss.
                match flow {
                    Flow::Continue if stats.dropped != known => break Halt::Batch,
                    Flow::Continue => continue,
                    Flow::Stop => break Halt::Stopped,
                }
            };
            let Some(port) = self.ports.get(packet.interface as usize) else {
                let (id, known) = (packet.interface, self.ports.len());
                break Halt::Corrupt(format!("belongs to interface {id}, but the section describes {known}"));
            };
            let port = *port;
            if let Some(count) = packet.dropped.filter(|_| self.told_at != Some(stats.frames)) {
                let port = &mut self.ports[packet.interface as usize];
                let known = port.drops();
                port.dropped_between = Some(port.dropped_between.unwrap_or(0).saturating_add(count));
                let now = port.drops();
                self.count_drops(known, now);
                self.told_at = Some(stats.frames);
                // The batch ends before the packet: who asks for the count now knows where the loss was.
                if std::mem::replace(&mut stats.dropped, self.drops()) != stats.dropped {
                    break Halt::Batch;
                }
            }
            if let Some(margin) = &self.margin {
                margin.read(self.order, packet.options, packet.dropped);
            }
            rest = behind;
            stats.frames += 1;
            stats.bytes += packet.bytes.len() as u64;
            let meta = FrameMeta {
                number: stats.frames,
                at: packet.ticks.map_or(Timestamp::EPOCH, |ticks| port.time(ticks)),
                clock: Clock::File,
                link_type: port.link_type,
                interface: self.base + packet.interface,
                carried_seconds: 0,
                caplen: packet.bytes.len() as u32,
                origlen: packet.origlen,
            };
            if take.frame(&Frame { meta, bytes: packet.bytes }, raw, self.order.is_big()) == Flow::Stop {
                break Halt::Stopped;
            }
        };
        Walked { consumed: bytes.len() - rest.len(), halt }
    }

    /// Reads one block: what is behind it, and the packet if it held one.
    #[inline]
    fn block<'a>(
        &mut self,
        rest: &'a [u8],
        info: &mut CaptureInfo,
        stats: &mut Stats,
    ) -> Result<(&'a [u8], Option<Packet<'a>>), Halt> {
        if rest.len() < SMALLEST_BLOCK {
            return Err(Halt::Starved(SMALLEST_BLOCK));
        }
        let is_section = rest[..4] == SECTION_HEADER.to_be_bytes();
        let order = if is_section { order_of_section(&rest[8..12])? } else { self.order };
        let len = order.u32(rest, 4) as usize;
        if len < SMALLEST_BLOCK || !len.is_multiple_of(4) || len > MAX_RECORD {
            return Err(Halt::Corrupt(format!("claims a length of {len} octets, which no block has")));
        }
        if rest.len() < len {
            return Err(Halt::Starved(len));
        }
        if is_section {
            // `pcap_file` begins anew in the order of the section; its state of the old one is of no use.
            self.parser = framing(order);
            self.order = order;
            check_trailer(order, &rest[..len])?;
            self.section(&rest[8..len - 4], info)?;
            return Ok((&rest[len..], None));
        }
        let kind = order.u32(rest, 0);
        if kind == INTERFACE_DESCRIPTION {
            check_trailer(order, &rest[..len])?;
            self.interface(&rest[8..len - 4], info)?;
            return Ok((&rest[len..], None));
        }
        let (behind, block) = self.parser.next_raw_block(rest).map_err(|error| Halt::Corrupt(in_one_line(&error)))?;
        let Cow::Borrowed(body) = block.body else { unreachable!("a parser over a slice borrows from it") };
        let packet = match block.type_ {
            ENHANCED_PACKET => Some(enhanced(order, body)?),
            SIMPLE_PACKET => Some(self.simple(body)?),
            OBSOLETE_PACKET => Some(obsolete(order, body)?),
            INTERFACE_STATISTICS => {
                self.statistics(body);
                stats.dropped = self.drops();
                None
            }
            NAME_RESOLUTION => {
                info.remarks.names(order, body);
                None
            }
            // Secrets, journals, whatever comes: none of our business.
            _ => {
                info.remarks.passed_over += 1;
                None
            }
        };
        Ok((behind, packet))
    }

    fn section(&mut self, body: &[u8], info: &mut CaptureInfo) -> Result<(), Halt> {
        if body.len() < 16 {
            return Err(too_short("a section header"));
        }
        let version = (self.order.u16(body, 4), self.order.u16(body, 6));
        if version.0 != 1 {
            return Err(Halt::Corrupt(format!(
                "begins a section of version {}.{}, only 1.x is known",
                version.0, version.1
            )));
        }
        self.ports.clear();
        self.base = info.interfaces.len() as u32;
        info.remarks.section(self.order, &body[16..]);
        info.version = version;
        info.big_endian = self.order.is_big();
        info.sections += 1;
        Ok(())
    }

    fn interface(&mut self, body: &[u8], info: &mut CaptureInfo) -> Result<(), Halt> {
        if body.len() < 8 {
            return Err(too_short("an interface description"));
        }
        if info.is_full() {
            return Err(Halt::Corrupt(format!("describes one interface more than {MAX_INTERFACES}")));
        }
        let link_type = LinkType(self.order.u16(body, 0));
        let snaplen = self.order.u32(body, 4);
        let (mut name, mut description) = (None, None);
        let (mut resolution, mut offset) = (Resolution::MICROS, 0);
        let text = |value: &[u8]| {
            let shown = &value[..value.len().min(MAX_NAME)];
            String::from_utf8_lossy(shown).trim_end_matches('\0').to_owned()
        };
        for (code, value) in options(self.order, &body[8..]) {
            match (code, value) {
                (IF_NAME, value) => name = Some(text(value)),
                (IF_DESCRIPTION, value) => description = Some(text(value)),
                (COMMENT, value) => info.remarks.comment(value),
                (IF_TSRESOL, [power, ..]) if power & 0x80 != 0 => resolution = Resolution::Binary(power & 0x7f),
                (IF_TSRESOL, [power, ..]) => resolution = Resolution::Decimal(*power),
                (IF_TSOFFSET, value) if value.len() == 8 => offset = self.order.u64(value, 0) as i64,
                _ => {}
            }
        }
        self.ports.push(Port {
            link_type,
            snaplen,
            unit: Unit::of(resolution),
            offset,
            dropped: None,
            dropped_between: None,
        });
        info.interfaces.push(InterfaceInfo { name, description, link_type, snaplen, mtu: None, resolution });
        Ok(())
    }

    /// A simple packet has no time and no captured length; it belongs to the section's first interface.
    fn simple<'a>(&self, body: &'a [u8]) -> Result<Packet<'a>, Halt> {
        let Some((head, data)) = body.split_at_checked(4) else { return Err(too_short("a simple packet")) };
        let origlen = self.order.u32(head, 0);
        let limit = match self.ports.first() {
            Some(port) if port.snaplen != 0 => port.snaplen.min(origlen),
            _ => origlen,
        };
        let bytes = &data[..data.len().min(limit as usize)];
        Ok(Packet { interface: 0, ticks: None, origlen, bytes, dropped: None, options: &[] })
    }

    /// Takes note of drops; counters in these blocks run from the beginning of the capture.
    fn statistics(&mut self, body: &[u8]) {
        if body.len() < 12 {
            return;
        }
        let Some(port) = self.ports.get_mut(self.order.u32(body, 0) as usize) else { return };
        let drops = options(self.order, &body[12..])
            .filter(|(code, value)| matches!(*code, ISB_IFDROP | ISB_OSDROP) && value.len() == 8)
            .map(|(_, value)| self.order.u64(value, 0));
        // The card's drops and the system's are different packets; a later block replaces an earlier.
        let known = port.drops();
        port.dropped = drops.reduce(u64::saturating_add).or(port.dropped);
        let now = port.drops();
        self.count_drops(known, now);
    }

    /// Takes note that an interface tells of `now` drops, where it told of `known`.
    fn count_drops(&mut self, known: Option<u64>, now: Option<u64>) {
        if let Some(now) = now {
            let others = self.dropped.unwrap_or(0) - u128::from(known.unwrap_or(0));
            self.dropped = Some(others + u128::from(now));
        }
    }

    fn drops(&self) -> Option<u64> {
        self.dropped.map(|drops| u64::try_from(drops).unwrap_or(u64::MAX))
    }
}

impl Port {
    /// Statistics count everything; without them, what the packets told is all there is.
    fn drops(&self) -> Option<u64> {
        self.dropped.or(self.dropped_between)
    }

    fn time(&self, ticks: u64) -> Timestamp {
        Timestamp::from_parts(self.offset, self.unit.nanos(ticks))
    }
}

fn enhanced(order: Order, body: &[u8]) -> Result<Packet<'_>, Halt> {
    let Some((head, data)) = body.split_at_checked(20) else { return Err(too_short("an enhanced packet")) };
    let ticks = u64::from(order.u32(head, 4)) << 32 | u64::from(order.u32(head, 8));
    let bytes = captured(order.u32(head, 12), data)?;
    let behind = data.get(bytes.len().next_multiple_of(4)..).unwrap_or_default();
    let dropped = if behind.is_empty() { None } else { dropcount(order, behind) };
    let (interface, origlen) = (order.u32(head, 0), order.u32(head, 16));
    Ok(Packet { interface, ticks: Some(ticks), origlen, bytes, dropped, options: behind })
}

/// Of the options behind a packet, the one that counts drops; flags, hashes and comments are for other readers.
#[cold]
fn dropcount(order: Order, list: &[u8]) -> Option<u64> {
    let mut counts = options(order, list).filter(|(code, value)| *code == EPB_DROPCOUNT && value.len() == 8);
    counts.next().map(|(_, value)| order.u64(value, 0))
}

/// The packet block of the first drafts: like the enhanced one, but for a count of drops, all ones where unknown.
fn obsolete(order: Order, body: &[u8]) -> Result<Packet<'_>, Halt> {
    let packet = enhanced(order, body)?;
    let dropped = Some(order.u16(body, 2)).filter(|&count| !matches!(count, 0 | u16::MAX)).map(u64::from);
    Ok(Packet { interface: u32::from(order.u16(body, 0)), dropped: dropped.or(packet.dropped), ..packet })
}

fn captured(caplen: u32, data: &[u8]) -> Result<&[u8], Halt> {
    data.get(..caplen as usize)
        .ok_or_else(|| Halt::Corrupt(format!("claims {caplen} captured octets, but holds {}", data.len())))
}

/// Code and value of each option; ends quietly at the end mark or where the list stops making sense.
pub(super) fn options(order: Order, mut list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, behind) = list.split_at_checked(4)?;
        let (code, len) = (order.u16(head, 0), usize::from(order.u16(head, 2)));
        let value = behind.get(..len).filter(|_| code != 0)?;
        list = behind.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}

fn check_trailer(order: Order, block: &[u8]) -> Result<(), Halt> {
    let (head, tail) = (order.u32(block, 4), order.u32(block, block.len() - 4));
    if head == tail {
        return Ok(());
    }
    Err(Halt::Corrupt(format!("gives its length as {head} octets in front and {tail} at the end")))
}

fn too_short(what: &str) -> Halt {
    Halt::Corrupt(format!("is too short for {what}"))
}

/// An error and what lies behind it.
fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut line = format!("cannot be read: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

/// A parser in the byte order asked for, from the smallest section that has it.
fn framing(order: Order) -> PcapNgParser {
    let mut header = [0; 28];
    for (at, word) in [(0, SECTION_HEADER), (4, 28), (8, BYTE_ORDER_MAGIC), (16, u32::MAX), (20, u32::MAX), (24, 28)] {
        header[at..at + 4].copy_from_slice(&order.octets(word));
    }
    header[if order.is_big() { 13 } else { 12 }] = 1;
    let (_, parser) = PcapNgParser::new(&header).expect("the smallest section header is a valid one");
    parser
}

/// The byte order that a section header's magic shows.
fn order_of_section(magic: &[u8]) -> Result<Order, Halt> {
    match magic {
        [0x1a, 0x2b, 0x3c, 0x4d] => Ok(Order::BIG),
        [0x4d, 0x3c, 0x2b, 0x1a] => Ok(Order::LITTLE),
        _ => Err(Halt::Corrupt("begins a section without its byte order".to_owned())),
    }
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

const EPB_DROPCOUNT: u16 = 4;
const COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

/// Type, length, length again.
const SMALLEST_BLOCK: usize = 12;
/// Octets of an interface's name and of its description that are kept.
const MAX_NAME: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Poll;
    use crate::source::Problem;
    use crate::source::ProblemKind;
    use crate::source::Source;
    use crate::source::handmade::Ink;
    use crate::source::handmade::drain;
    use crate::source::handmade::times;

    fn begin(big: bool) -> Ink {
        Ink::new(big).section(big)
    }

    fn problem_of(file: Ink) -> (usize, Problem) {
        let mut source = file.open();
        let frames = drain(&mut source).len();
        (frames, source.info().problem.clone().expect("it ends badly"))
    }

    #[test]
    fn every_resolution_is_exact_to_the_nanosecond_in_both_byte_orders() {
        let secs = 1_700_000_000_u64;
        type Options = &'static [(u16, &'static [u8])];
        let cases: [(Options, u64, i64); 8] = [
            (&[], secs * 1_000_000 + 5, 1_700_000_000_000_005_000),
            (&[(9, &[6])], secs * 1_000_000 + 5, 1_700_000_000_000_005_000),
            (&[(9, &[9])], secs * 1_000_000_000 + 5, 1_700_000_000_000_000_005),
            (&[(9, &[0])], secs, 1_700_000_000_000_000_000),
            (&[(9, &[10])], secs * 10_000_000_000 + 57, 1_700_000_000_000_000_005),
            (&[(9, &[0x80 | 10])], secs * 1024 + 512, 1_700_000_000_500_000_000),
            (&[(9, &[0x80 | 30])], (secs << 30) + (1 << 29), 1_700_000_000_500_000_000),
            (&[(9, &[100])], u64::MAX, 0),
        ];
        for big in [false, true] {
            for (options, ticks, expected) in &cases {
                let file = begin(big).interface(1, 0, options).enhanced(0, *ticks, 4, b"abcd");
                assert_eq!(times(&mut file.open()), [*expected], "options {options:?}, big endian {big}");
            }
        }
    }

    #[test]
    fn a_time_offset_moves_every_stamp_of_its_interface_and_extremes_saturate() {
        let file = Ink::new(true)
            .section(true)
            .interface(1, 0, &[(14, &1_000_i64.to_be_bytes())])
            .interface(1, 0, &[(14, &(-1_i64).to_be_bytes())])
            .interface(1, 0, &[(14, &i64::MAX.to_be_bytes())])
            .enhanced(0, 5, 0, &[])
            .enhanced(1, 5, 0, &[])
            .enhanced(2, u64::MAX, 0, &[]);
        assert_eq!(times(&mut file.open()), [1_000_000_005_000, -999_995_000, i64::MAX]);
    }

    #[test]
    fn frames_of_several_interfaces_carry_their_own_link_type_and_unit() {
        let mut source = begin(false)
            .interface(1, 96, &[(2, b"eth0"), (9, &[9])])
            .enhanced(0, 1, 1500, &[1; 96])
            .interface(101, 0, &[(2, b"\xe9t\xe9")])
            .enhanced(1, 1, 2, &[2; 2])
            .open();
        let metas: Vec<_> = drain(&mut source).into_iter().map(|(meta, _)| meta).collect();
        assert_eq!(metas.iter().map(|m| m.link_type).collect::<Vec<_>>(), [LinkType::ETHERNET, LinkType::RAW]);
        assert_eq!(metas.iter().map(|m| m.at.nanos()).collect::<Vec<_>>(), [1, 1000]);
        assert_eq!(
            metas.iter().map(|m| (m.interface, m.caplen, m.origlen)).collect::<Vec<_>>(),
            [(0, 96, 1500), (1, 2, 2)]
        );
        let info = source.info();
        let names: Vec<_> = info.interfaces.iter().map(|i| i.name.as_deref()).collect();
        assert_eq!(names, [Some("eth0"), Some("\u{fffd}t\u{fffd}")], "Latin-1 does not end the file");
        assert_eq!(info.interfaces[0].resolution, Resolution::NANOS);
        assert_eq!((info.interfaces[0].snaplen, info.sections, info.problem.clone()), (96, 1, None));
    }

    #[test]
    fn sections_of_different_byte_orders_follow_each_other_and_number_their_interfaces_on() {
        let mut source = begin(false)
            .interface(1, 0, &[])
            .enhanced(0, 1, 1, &[1])
            .section(true)
            .interface(101, 0, &[])
            .interface(113, 0, &[])
            .enhanced(1, 2, 1, &[2])
            .section(false)
            .interface(1, 0, &[])
            .enhanced(0, 3, 1, &[3])
            .open();
        let seen: Vec<_> = drain(&mut source)
            .into_iter()
            .map(|(m, bytes)| (m.number, m.interface, m.link_type.0, m.at.nanos(), bytes[0]))
            .collect();
        assert_eq!(seen, [(1, 0, 1, 1000, 1), (2, 2, 113, 2000, 2), (3, 3, 1, 3000, 3)]);
        assert_eq!((source.info().sections, source.info().interfaces.len()), (3, 4));
        assert_eq!(source.info().problem, None);
    }

    #[test]
    fn simple_packets_are_as_long_as_the_snap_length_allows_and_have_no_time() {
        for big in [false, true] {
            let file = begin(big)
                .interface(1, 6, &[])
                .block(3, |body| body.u32(5).raw(b"abcde"))
                .block(3, |body| body.u32(100).raw(b"abcdef"));
            let seen: Vec<_> = drain(&mut file.open())
                .into_iter()
                .map(|(m, bytes)| (m.at.nanos(), m.origlen, String::from_utf8(bytes).expect("text")))
                .collect();
            assert_eq!(seen, [(0, 5, "abcde".to_owned()), (0, 100, "abcdef".to_owned())]);
        }
    }

    #[test]
    fn obsolete_packet_blocks_are_read_and_their_drop_count_is_not_taken_for_an_interface() {
        let file = begin(true)
            .interface(1, 0, &[])
            .interface(101, 0, &[])
            .block(2, |body| body.u16(1).u16(77).u32(0).u32(9).u32(3).u32(40).raw(b"abc"));
        let frames = drain(&mut file.open());
        let (meta, bytes) = &frames[0];
        assert_eq!((meta.interface, meta.link_type, meta.at.nanos()), (1, LinkType::RAW, 9000));
        assert_eq!((meta.origlen, &bytes[..]), (40, &b"abc"[..]));
    }

    #[test]
    fn unknown_blocks_and_options_behind_a_packet_are_stepped_over() {
        let file = begin(false)
            .block(0x0bad, |body| body.u32(1).raw(b"anything"))
            .interface(1, 0, &[(0x8000, b"custom"), (9, &[9])])
            .block(4, |body| body.u32(0))
            .block(6, |body| body.u32(0).u32(0).u32(7).u32(1).u32(1).raw(b"x").pad().options(&[(1, b"\xe9")]))
            .block(0x8000_0001, |body| body.raw(&[0xff; 40]))
            .enhanced(0, 8, 1, b"y");
        assert_eq!(times(&mut file.open()), [7, 8]);
    }

    #[test]
    fn drops_told_by_statistics_blocks_are_summed_over_interfaces_and_a_later_block_replaces_an_earlier() {
        let statistics = |ink: Ink, interface, drops: &[(u16, u64)]| {
            ink.block(5, |body| {
                drops.iter().fold(body.u32(interface).u64(0), |ink, (code, n)| ink.u16(*code).u16(8).u64(*n))
            })
        };
        let mut file = begin(true).interface(1, 0, &[]).interface(1, 0, &[]);
        file = statistics(file, 0, &[(5, 10), (7, 1)]);
        file = statistics(file, 0, &[(5, 20), (7, 2)]);
        file = statistics(file, 1, &[(4, 999), (5, 100)]);
        let mut source = file.section(true).open();
        drain(&mut source);
        assert_eq!(source.stats().dropped, Some(122));
        let mut silent = begin(true).interface(1, 0, &[]).open();
        drain(&mut silent);
        assert_eq!(silent.stats().dropped, None, "not told is not zero");
    }

    #[test]
    fn drops_told_by_packets_are_summed_until_statistics_say_it_better() {
        let packet = |ink: Ink, count: u64| {
            ink.block(6, |body| {
                let body = body.u32(0).u64(0).u32(1).u32(1).raw(b"x").pad().u16(2).u16(4).u32(1);
                body.u16(4).u16(8).u64(count).u32(0)
            })
        };
        let two = packet(packet(begin(true).interface(1, 0, &[]), 3), 4);
        let old = two.clone().block(2, |body| body.u16(0).u16(5).u64(0).u32(1).u32(1).raw(b"o"));
        let unknown = two.clone().block(2, |body| body.u16(0).u16(u16::MAX).u64(0).u32(1).u32(1).raw(b"o"));
        let told = two.clone().block(5, |body| body.u32(0).u64(0).u16(5).u16(8).u64(9));
        for (file, expected) in [(two, 7), (old, 12), (unknown, 7), (told, 9)] {
            let mut source = file.open();
            drain(&mut source);
            assert_eq!(source.stats().dropped, Some(expected));
        }
    }

    #[test]
    fn whoever_asks_after_each_poll_hears_of_a_loss_before_the_packet_behind_it() {
        let told = |ink: Ink, count: u64| {
            ink.block(6, |body| {
                let body = body.u32(0).u64(0).u32(1).u32(1).raw(b"x").pad();
                body.u16(4).u16(8).u64(count).u32(0)
            })
        };
        let file = told(begin(true).interface(1, 0, &[]).enhanced(0, 1, 1, b"a"), 3).enhanced(0, 2, 1, b"b");
        let file = file.block(5, |body| body.u32(0).u64(0).u16(5).u16(8).u64(9)).enhanced(0, 3, 1, b"c");
        let mut source = file.open();
        let mut heard = Vec::new();
        loop {
            let mut frames = 0;
            let poll = source.poll(&mut |_| {
                frames += 1;
                Flow::Continue
            });
            heard.push((frames, source.stats().dropped));
            if poll.expect("a file in memory") == Poll::End {
                break;
            }
        }
        heard.retain(|(frames, _)| *frames > 0);
        assert_eq!(heard, [(1, Some(3)), (2, Some(9)), (1, Some(9))], "3 before the second, 6 more before the fourth");
    }

    #[test]
    fn the_finest_and_the_oddest_resolutions_are_exact_or_nothing() {
        let cases: [(u8, u64, i64); 6] = [
            (0x80 | 63, 3 << 62, 1_500_000_000),
            (0x80 | 63, u64::MAX, 1_999_999_999),
            (0x80 | 127, u64::MAX, 0),
            (19, u64::MAX, 1_844_674_407),
            (28, 10_u64.pow(19), 1),
            (127, u64::MAX, 0),
        ];
        for (resolution, ticks, expected) in cases {
            let file = begin(false).interface(1, 0, &[(9, &[resolution])]).enhanced(0, ticks, 1, b"x");
            assert_eq!(times(&mut file.open()), [expected], "if_tsresol {resolution:#x}");
        }
        let coarse = begin(false).interface(1, 0, &[(9, &[0x80])]).enhanced(0, u64::MAX, 1, b"x");
        assert_eq!(times(&mut coarse.open()), [i64::MAX], "seconds beyond all years saturate");
    }

    #[test]
    fn a_block_that_contradicts_itself_ends_the_file_with_a_reason() {
        let good = begin(false).interface(1, 0, &[]).enhanced(0, 1, 1, b"x");
        let at = good.octets.len() as u64;
        let cases: [(Ink, &str); 7] = [
            (good.clone().enhanced(3, 1, 1, b"x"), "belongs to interface 3, but the section describes 1"),
            (good.clone().block(6, |b| b.u32(0).u64(0).u32(9).u32(9).u32(0)), "claims 9 captured octets, but holds 4"),
            (good.clone().block(6, |b| b.u32(0)), "is too short for an enhanced packet"),
            (good.clone().u32(6).u32(8).u32(8), "claims a length of 8 octets, which no block has"),
            (good.clone().u32(6).u32(33).raw(&[0; 40]), "claims a length of 33 octets, which no block has"),
            (good.clone().u32(6).u32(0xffff_fffc).u32(0), "claims a length of 4294967292 octets"),
            (good.clone().u32(77).u32(12).u32(16), "12"),
        ];
        for (file, reason) in cases {
            let (frames, problem) = problem_of(file);
            assert_eq!((frames, problem.kind, problem.offset), (1, ProblemKind::Corrupt, at), "{reason}");
            assert!(problem.text.contains(reason), "{problem} should say {reason}");
            assert!(problem.text.starts_with(&format!("after frame 1, the block at octet {at} ")), "{problem}");
            assert!(!problem.text.contains('\n'), "{problem}");
        }
    }

    #[test]
    fn a_file_of_interfaces_alone_stops_being_believed() {
        let mut file = begin(false);
        for _ in 0..=MAX_INTERFACES {
            file = file.interface(1, 0, &[]);
        }
        let (frames, problem) = problem_of(file);
        assert_eq!((frames, problem.kind), (0, ProblemKind::Corrupt));
    }
}
