//! What each fuzz target does with its octets: one body for libFuzzer, for `tests/fuzz.rs` and for `examples/hostile.rs`.
//!
//! Panics are failures, and so are the claims in here: frames in order and no longer than what is there, headers one
//! behind the other, fields that cover their header, tables within their caps.

use std::collections::HashMap;
use std::io;
use std::io::Read;
use std::io::Write;

use synscope::decode;
use synscope::decode::DefragLimits;
use synscope::decode::fields;
use synscope::decode::options;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::ChecksumState;
use synscope::packet::Frame;
use synscope::packet::FrameMeta;
use synscope::packet::LayerKind;
use synscope::packet::LinkType;
use synscope::packet::Packet;
use synscope::packet::Span;
use synscope::packet::TcpOption;
use synscope::packet::Timestamp;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Seen;
use synscope::pipeline::Sink;
use synscope::report::headers;
use synscope::report::headers::Layout;
use synscope::report::json;
use synscope::report::json_headers;
use synscope::report::style::Style;
use synscope::report::trace::TraceWriter;
use synscope::source::FileSource;
use synscope::source::Flow;
use synscope::source::Poll;
use synscope::source::Source;
use synscope::tcp::dialect::Dialect;
use synscope::tcp::dialect::FirstPass;

/// A target takes any octets.
pub(crate) type Target = fn(&[u8]);

/// Every target by name.
pub(crate) const TARGETS: [(&str, Target); 5] = [
    ("container", container),
    ("decode", decode),
    ("options", options),
    ("reassembly", reassembly),
    ("analyzer", analyzer),
];

/// A capture file: read from memory and from a stream in odd pieces, with the same frames.
pub(crate) fn container(octets: &[u8]) {
    let held = FileSource::from_bytes("fuzz", octets.to_vec()).map(|source| frames_of(source, octets.len()));
    let pieces = Pieces { octets: octets.to_vec(), at: 0, next: 1 };
    let streamed = FileSource::from_reader("fuzz", pieces).map(|source| frames_of(source, octets.len()));
    match (held, streamed) {
        (Ok(held), Ok(streamed)) => {
            assert!(held == streamed, "{} frames held, {} streamed", held.len(), streamed.len())
        }
        // A damaged packed file may be given up before or behind its first octets.
        (Err(held), Err(streamed)) => {
            assert!(held.to_string() == streamed.to_string() || is_packed(octets), "{held} / {streamed}");
        }
        (held, streamed) => panic!("held: {:?}, streamed: {:?}", held.err(), streamed.err()),
    }
}

/// gzip, zstd, lz4.
fn is_packed(octets: &[u8]) -> bool {
    let magics: [&[u8]; 3] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0x04, 0x22, 0x4d, 0x18]];
    magics.iter().any(|magic| octets.starts_with(magic))
}

/// Number, time, lengths and a sum of the octets of each frame.
fn frames_of(mut source: FileSource, file: usize) -> Vec<(u64, Timestamp, u32, u32, u64)> {
    let mut frames: Vec<(u64, Timestamp, u32, u32, u64)> = Vec::new();
    let mut total = 0;
    let is_packed = source.info().compression.is_some();
    let mut ended = false;
    while !ended && total < UNPACKED_MOST {
        let poll = source.poll(&mut |frame| {
            let meta = frame.meta;
            assert_eq!(meta.number, frames.len() as u64 + 1, "frames are counted from 1");
            assert_eq!(meta.caplen as usize, frame.bytes.len(), "what was captured is what is there");
            let sum = frame.bytes.iter().fold(0_u64, |sum, &octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
            frames.push((meta.number, meta.at, meta.caplen, meta.origlen, sum));
            total += frame.bytes.len().max(16);
            if total < UNPACKED_MOST { Flow::Continue } else { Flow::Stop }
        });
        ended = poll.expect("octets in memory do not fail") == Poll::End;
    }
    let octets: usize = frames.iter().map(|frame| frame.2 as usize).sum();
    assert!(is_packed || octets <= file, "no frame holds what the file does not");
    if let Some(problem) = source.info().problem.as_ref().filter(|_| ended) {
        assert!(!problem.text.contains('\n') && problem.frames == frames.len() as u64, "{problem:?}");
    }
    frames
}

/// Octets in pieces of 1, 2, 3, … octets.
struct Pieces {
    octets: Vec<u8>,
    at: usize,
    next: usize,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.octets[self.at..];
        let count = rest.len().min(into.len()).min(self.next);
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        self.next = self.next * 2 % 8191;
        Ok(count)
    }
}

/// A frame: two octets of link type, one for how much the capture cut off, then its octets.
pub(crate) fn decode(octets: &[u8]) {
    let [high, low, cut, bytes @ ..] = octets else { return };
    let link_type = LinkType(u16::from_be_bytes([*high, *low]));
    let frame = frame(1, link_type, bytes, u32::from(*cut) * 16);
    let packet = decode::decode(&frame);
    check_packet(&packet);
    show(&packet, &Seen::Other, true);
}

/// The options of a TCP header.
pub(crate) fn options(octets: &[u8]) {
    let octets = &octets[..octets.len().min(40)];
    let mut walk = options::walk(octets);
    let (mut at, mut count, mut stopped) = (0, 0, false);
    while let Some(option) = walk.next() {
        assert!(!stopped, "nothing follows what ends the walk");
        assert!(walk.at() > at && walk.at() <= octets.len(), "each option takes octets that are there");
        at = walk.at();
        count += 1;
        match option {
            TcpOption::EndOfList => stopped = true,
            TcpOption::Sack(blocks) => assert!((1..=4).contains(&options::sack_blocks(blocks).count())),
            TcpOption::Malformed { declared: None | Some(0 | 1), .. } => stopped = true,
            _ => {}
        }
    }
    assert!(count <= octets.len() && walk.rest().len() == octets.len() - at);
    // The same octets in a segment, padded as a sender would.
    let mut header = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x12, 1, 0, 0, 0, 0, 0];
    header.extend(octets);
    header.resize(header.len().next_multiple_of(4), 1);
    header[12] = (header.len() / 4) as u8 * 16;
    let bytes = ipv4(6, 0, 0x4000, &header);
    let packet = decode::decode(&frame(1, LinkType::RAW, &bytes, 0));
    check_packet(&packet);
    let tcp = packet.tcp().expect("a header of sound length");
    let said = options::summarize(&header[20..]);
    assert!(tcp.said.sack.len() <= 4 && (tcp.said.mss, tcp.said.timestamps) == (said.mss, said.timestamps));
    show(&packet, &Seen::Other, true);
}

/// Fragments, six octets each: datagram and kind, offset, length, more, step of the clock, filling.
pub(crate) fn reassembly(octets: &[u8]) {
    let limits = DefragLimits { datagrams: 8, octets: 8 << 10, timeout: Span(30_000_000_000) };
    let mut decoder = decode::Decoder::new(limits);
    // Whatever a datagram is made of must have been sent for that place of it.
    let mut sent: HashMap<(u16, u32), Vec<u8>> = HashMap::new();
    let mut at = 0_i64;
    for (number, step) in (1..).zip(octets.chunks_exact(6)) {
        let &[which, offset, len, more, clock, fill] = step else { continue };
        at += i64::from(clock) * 100_000_000;
        let (id, offset) = (u16::from(which & 0x0f), u32::from(offset) * 8);
        let payload: Vec<u8> = (0..len).map(|index| fill.wrapping_add(index)).collect();
        for (place, &octet) in (offset..).zip(&payload) {
            sent.entry((id, place)).or_default().push(octet);
        }
        let field = (offset / 8) as u16 | if more & 1 == 1 { 0x2000 } else { 0 };
        let bytes = ipv4(if which & 0x10 == 0 { 17 } else { 253 }, id, field, &payload);
        let mut frame = frame(number, LinkType::RAW, &bytes, 0);
        frame.meta.at = Timestamp::from_nanos(at);
        let packet = decoder.decode(&frame);
        check_packet(&packet);
        if let (Some(whole), Some(ip)) = (packet.reassembled, packet.ip) {
            assert_eq!(whole.octets, ip.payload_len, "the payload is the whole datagram");
            let from = ip.header_len as usize;
            for (place, octet) in (0..).zip(&packet.bytes[from..from + whole.octets as usize]) {
                assert!(sent[&(id, place)].contains(octet), "octet {place} of datagram {id} was never sent");
            }
        }
        let stats = decoder.stats();
        assert!(stats.waiting <= limits.datagrams, "{stats:?}");
        let gone = stats.reassembled + stats.expired + stats.evicted;
        assert!(gone + stats.waiting as u64 <= stats.fragments, "{stats:?}");
    }
}

/// A capture file through everything that the program does with one: decoding, tracking, judging, other programs'
/// words, and each of the reports, written nowhere.
pub(crate) fn analyzer(octets: &[u8]) {
    let mut first = FirstPass::new();
    let Some(frames) = each_packet(octets, |packet| first.observe(packet)) else { return };
    let mut dialect = Dialect::second_pass(first.finish());
    let mut analyzer = Analyzer::default().judging(Judging::Everything).keeping_ledger(Some(65_535));
    let mut sink = Reports { lines: TraceWriter::new(Style::plain(80)), ended: 0 };
    let mut shown = 0;
    each_packet(octets, |packet| {
        check_packet(packet);
        let tags = dialect.observe(packet);
        let seen = analyzer.observe(packet, &mut sink);
        // Pages are long, and alike.
        show(packet, &seen, shown < PAGES_MOST);
        shown += 1;
        json_headers::frame(&mut io::sink(), "fuzz", packet, &seen, tags.as_ref()).expect("nowhere takes everything");
    });
    analyzer.finish(&mut sink);
    assert_eq!(analyzer.facts().frames, frames, "every frame is counted");
    let opened = analyzer.pressure().tables.iter().map(|table| table.opened + table.resumed).sum::<u64>();
    assert_eq!(sink.ended, opened, "every conversation ends once, or is told of early and ends again");
}

/// Decodes a capture as the program does; the number of frames, `None` where it is no capture.
fn each_packet(octets: &[u8], mut take: impl FnMut(&Packet<'_>)) -> Option<u64> {
    let mut source = FileSource::from_bytes("fuzz", octets.to_vec()).ok()?;
    let mut decoder = decode::Decoder::default();
    let mut total = 0;
    loop {
        let poll = source.poll(&mut |frame| {
            take(&decoder.decode(frame));
            total += frame.bytes.len().max(16);
            if total < UNPACKED_MOST { Flow::Continue } else { Flow::Stop }
        });
        if poll.expect("octets in memory do not fail") == Poll::End || total >= UNPACKED_MOST {
            return Some(source.stats().frames);
        }
    }
}

struct Reports {
    lines: TraceWriter,
    ended: u64,
}

impl Sink for Reports {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.ended += 1;
        json::connection(&mut io::sink(), "fuzz", ended).expect("nowhere takes everything");
        self.lines.connection(&mut io::sink(), ended).expect("nowhere takes everything");
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.ended += 1;
        json::exchange(&mut io::sink(), "fuzz", ended).expect("nowhere takes everything");
        self.lines.exchange(&mut io::sink(), ended).expect("nowhere takes everything");
    }

    fn finding(&mut self, finding: Finding) {
        json::finding(&mut io::sink(), "fuzz", &finding).expect("nowhere takes everything");
        self.lines.finding(&mut io::sink(), &finding).expect("nowhere takes everything");
    }
}

/// Each page that shows a single packet, none wider than its screen.
fn show(packet: &Packet<'_>, seen: &Seen<'_>, pages: bool) {
    let style = Style::plain(80);
    let mut page = Vec::new();
    headers::brief(&mut io::sink(), packet, seen, &style, Timestamp::EPOCH, None).expect("nowhere takes everything");
    if pages {
        for layout in [Layout::Table, Layout::Ruler, Layout::Hex] {
            page.clear();
            headers::page(&mut page, packet, seen, &style, None, layout).expect("a vector takes everything");
            let text = std::str::from_utf8(&page).expect("pages are text");
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert!(wide.is_none(), "{layout:?}: {wide:?}");
        }
        json_headers::frame::<()>(&mut page, "fuzz", packet, seen, None).expect("a vector takes everything");
    }
    TraceWriter::new(style).packet(&mut io::sink() as &mut dyn Write, packet, seen).expect("nowhere takes everything");
}

/// What holds of every packet, whatever its octets.
fn check_packet(packet: &Packet<'_>) {
    let mut end = 0;
    for (index, layer) in packet.layers.iter().enumerate() {
        assert!(index == 0 || layer.offset == end, "headers follow each other: {:?}", packet.layers);
        end = layer.offset + layer.len;
        assert!(end as usize <= packet.bytes.len(), "headers lie within the frame: {:?}", packet.layers);
        let mut bit = 0;
        for field in fields::describe(packet, layer) {
            assert!(field.bits.0 >= bit, "fields stand in wire order: {} of {:?}", field.name, layer.kind);
            bit = field.bits.0 + field.bits.1;
        }
        if let Some(summed) = fields::checksum_of(packet, layer) {
            assert!(summed.covered.contains(&summed.field_at), "a checksum covers its field: {summed:?}");
            let has_pseudo = matches!(layer.kind, LayerKind::Tcp | LayerKind::Udp | LayerKind::Icmpv6);
            let is_summed = matches!(summed.state, ChecksumState::Good | ChecksumState::Bad { .. });
            assert!(summed.pseudo.is_some() || !has_pseudo || !is_summed, "a sum is shown whole: {summed:?}");
        }
    }
    if let Some(tcp) = packet.tcp() {
        assert!(tcp.payload.len() <= tcp.len as usize && (tcp.sound || tcp.options.is_empty()));
    }
    if let Some(udp) = packet.udp() {
        assert!(udp.payload.len() <= udp.len as usize);
    }
    if let Some(quote) = decode::quoted_frame(packet) {
        assert!(quote.bytes.len() <= packet.bytes.len());
        decode::decode(&quote);
    }
}

fn frame(number: u64, link_type: LinkType, bytes: &[u8], cut: u32) -> Frame<'_> {
    let whole = FrameMeta::whole(number, Timestamp::EPOCH, link_type, bytes.len() as u32);
    Frame { meta: FrameMeta { origlen: whole.caplen + cut, ..whole }, bytes }
}

/// An IPv4 packet; its header sum is left for the card.
fn ipv4(protocol: u8, id: u16, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    let ([i, j], [f, g]) = (id.to_be_bytes(), fragment.to_be_bytes());
    let header = [0x45, 0, high, low, i, j, f, g, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    [&header[..], payload].concat()
}

/// Octets of frames after which a packed file has shown enough: a bomb must not cost minutes here.
const UNPACKED_MOST: usize = 16 << 20;
/// Packets of a capture that are shown in every layout.
const PAGES_MOST: usize = 8;
