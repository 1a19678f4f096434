//! Input made to hurt: each case is told in the expected words, in bounded time and memory, without panic.

/// Limits on memory and processor time are the system's; others have none that hold.
#[cfg(target_os = "linux")]
mod program;

use std::io::Cursor;
use std::io::Read;

use flate2::Compress;
use flate2::Compression;
use flate2::FlushCompress;
use synscope::craft;
use synscope::decode::Decoder;
use synscope::decode::decode;
use synscope::packet::Frame;
use synscope::packet::FrameMeta;
use synscope::packet::LinkType;
use synscope::packet::Packet;
use synscope::packet::Timestamp;
use synscope::packet::headers::MAX_LAYERS;
use synscope::source::FileSource;
use synscope::source::Flow;
use synscope::source::Poll;
use synscope::source::Source;

/// Number of frames and of their octets until the end, and what went wrong.
fn read(source: &mut FileSource) -> (u64, u64, Option<String>) {
    while source.poll(&mut |_| Flow::Continue).expect("files do not fail once open") != Poll::End {}
    let stats = source.stats();
    (stats.frames, stats.bytes, source.info().problem.as_ref().map(|problem| problem.text.clone()))
}

fn frame(link_type: LinkType, bytes: &[u8]) -> Frame<'_> {
    Frame { meta: FrameMeta::whole(1, Timestamp::EPOCH, link_type, bytes.len() as u32), bytes }
}

fn defects(packet: &Packet<'_>) -> Vec<String> {
    packet.defects.iter().map(|defect| format!("{}: {defect}", defect.code.code())).collect()
}

/// A little-endian pcap header of Ethernet, microseconds.
fn pcap() -> Vec<u8> {
    let words = [0xa1b2_c3d4_u32, 2 | 4 << 16, 0, 0, 262_144, 1];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn record(caplen: u32) -> Vec<u8> {
    [0, 0, caplen, caplen].iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

/// A pcapng section with one interface, whose options are these, and behind it `more`.
fn pcapng(options: &[u8], more: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut words = |words: &[u32]| file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
    let len = 20 + options.len() as u32;
    words(&[1, len, 1, 0]);
    file.extend(options);
    file.extend(len.to_le_bytes());
    file.extend(more);
    file
}

/// A gzip stream of `first` and then mebibytes of `filler`, made as it is read: a mebibyte is packed once, and sent
/// again as often as it is asked for.
fn bomb(first: &[u8], filler: &[u8], times: usize) -> impl Read + Send + 'static {
    let mut deflate = Compress::new(Compression::fast(), false);
    let mut packed = |octets: &[u8]| {
        let mut into = Vec::with_capacity(octets.len() + 1024);
        // A full flush ends at an octet and forgets what was before: the piece can stand anywhere.
        deflate.compress_vec(octets, &mut into, FlushCompress::Full).expect("memory takes all");
        into
    };
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let (first, piece) = (packed(first), packed(filler));
    let length = (piece.len() * times) as u64;
    let pieces = Repeat { piece, at: 0 }.take(length);
    Cursor::new([&header[..], &first].concat()).chain(pieces)
}

struct Repeat {
    piece: Vec<u8>,
    at: usize,
}

impl Read for Repeat {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.piece[self.at..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at = (self.at + count) % self.piece.len();
        Ok(count)
    }
}

#[test]
fn a_gibibyte_of_packed_zeros_is_refused_after_the_first_of_them() {
    let error = FileSource::from_reader("zeros.gz", bomb(&[], &[0; 1 << 20], 1024)).err().expect("no capture");
    assert!(
        error.to_string().starts_with("zeros.gz is no capture file: it begins with the octets 00 00 00"),
        "{error}"
    );
}

#[test]
fn a_block_of_four_gibibytes_is_not_believed() {
    for claim in [0xffff_fffc_u32, 0x8000_0000, (64 << 20) + 4] {
        let block = [6, claim, 0, 0, 0].iter().flat_map(|word: &u32| word.to_le_bytes()).collect::<Vec<_>>();
        let mut source = FileSource::from_bytes("x", pcapng(&[], &block)).expect("a capture");
        let (frames, _, problem) = read(&mut source);
        assert_eq!(frames, 0);
        let expected =
            format!("after frame 0, the block at octet 48 claims a length of {claim} octets, which no block has");
        assert_eq!(problem, Some(expected));
    }
}

#[test]
fn a_record_of_all_the_octets_there_could_be_is_not_believed() {
    let mut source = FileSource::from_bytes("x", [pcap(), record(u32::MAX)].concat()).expect("a capture");
    let (frames, _, problem) = read(&mut source);
    let problem = problem.expect("a bad end");
    assert_eq!(frames, 0);
    assert!(problem.starts_with("after frame 0, the record at octet 24 claims 429496"), "{problem}");
    assert!(problem.ends_with("and no frame is that long"), "{problem}");
}

#[test]
fn the_finest_clock_that_can_be_written_stands_still() {
    for resolution in [127, 255] {
        let options = [9, 0, 1, 0, resolution, 0, 0, 0, 0, 0, 0, 0];
        let packet = [6, 36, 0, u32::MAX, u32::MAX, 1, 1, 7, 36].iter().flat_map(|word: &u32| word.to_le_bytes());
        let mut source = FileSource::from_bytes("x", pcapng(&options, &packet.collect::<Vec<_>>())).expect("a capture");
        let mut times = Vec::new();
        let poll = source.poll(&mut |frame| {
            times.push(frame.meta.at);
            Flow::Continue
        });
        assert_eq!((poll.expect("readable"), times), (Poll::End, vec![Timestamp::EPOCH]), "{resolution}");
    }
}

#[test]
fn a_thousand_tags_end_where_layers_end() {
    let bytes = [&[0; 12][..], &[0x81, 0, 0, 1].repeat(1000), &[8, 0]].concat();
    let packet = decode(&frame(LinkType::ETHERNET, &bytes));
    assert_eq!(
        (packet.layers.len(), defects(&packet)),
        (MAX_LAYERS, vec!["layer-depth: more than 16 layers".to_owned()])
    );
}

#[test]
fn a_thousand_labels_end_where_stacks_end() {
    let bytes = [&[0; 12][..], &[0x88, 0x47], &[0, 1, 0, 64].repeat(1000)].concat();
    let packet = decode(&frame(LinkType::ETHERNET, &bytes));
    assert_eq!(defects(&packet), ["layer-depth: more than 32 layers"]);
}

/// IPv4 header of `protocol` around `payload`.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    let header = [0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    [&header[..], payload].concat()
}

#[test]
fn sixty_four_tunnels_in_each_other_end_where_layers_end() {
    let udp = |payload: Vec<u8>| {
        let [high, low] = (8 + payload.len() as u16).to_be_bytes();
        [&[0xc3, 0x50, 0x12, 0xb5, high, low, 0, 0][..], &payload].concat()
    };
    let vxlan = |inner: Vec<u8>| {
        let frame = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &[0; 12], &[8, 0], &inner].concat();
        ipv4(17, &udp(frame))
    };
    let gre = |inner: Vec<u8>| ipv4(47, &[&[0, 0, 8, 0][..], &inner].concat());
    let kinds: [&dyn Fn(Vec<u8>) -> Vec<u8>; 3] = [&|inner| ipv4(4, &inner), &gre, &vxlan];
    for around in kinds {
        let bytes = (0..64).fold(ipv4(17, &udp(vec![1; 8])), |inner, _| around(inner));
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.layers.len(), MAX_LAYERS);
        assert_eq!(defects(&packet), ["layer-depth: more than 16 layers"]);
        assert!(packet.outer.len() <= 4);
    }
}

/// A datagram from port 1 to port 2 behind two hundred extension headers.
fn chain() -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0, 0, 0, 60, 64];
    bytes.extend([0x20; 32]);
    bytes.extend([60, 0, 1, 4, 0, 0, 0, 0].repeat(199));
    bytes.extend([17, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0, 2, 0, 8, 0, 1]);
    let length = (bytes.len() - 40) as u16;
    bytes[4..6].copy_from_slice(&length.to_be_bytes());
    bytes
}

#[test]
fn two_hundred_extension_headers_are_named_too_many_and_the_datagram_behind_them_is_read() {
    let bytes = chain();
    let packet = decode(&frame(LinkType::RAW, &bytes));
    assert_eq!(defects(&packet)[0], "extension-chain: more than 8 extension headers");
    assert_eq!((packet.udp().expect("a datagram").dst_port, packet.layers.len()), (2, 11));
}

#[test]
fn teardrop_is_told_and_nothing_more() {
    let mut trace = craft::play("0 C > S udp (40) fragment at 24").expect("a script");
    // The second fragment begins inside the first, and ends there too.
    let (meta, bytes) = &mut trace.frames[1];
    bytes[14 + 7] = 1;
    bytes.truncate(14 + 20 + 8);
    bytes[14 + 3] = 28;
    meta.caplen = bytes.len() as u32;
    meta.origlen = meta.caplen;
    let mut decoder = Decoder::default();
    let told: Vec<_> = trace.frames().map(|frame| defects(&decoder.decode(&frame))).collect();
    assert_eq!(told[0], [""; 0]);
    assert!(
        told[1].contains(&"fragment-beyond: fragment reaches to octet 24, its datagram ends at 16".to_owned()),
        "{told:?}"
    );
    assert_eq!(decoder.stats().waiting, 1);
}

#[test]
fn a_flood_of_first_fragments_stays_within_its_limits() {
    let trace = craft::play("link raw\n0 C > S udp (1400) mf").expect("a script");
    let (meta, bytes) = &trace.frames[0];
    let (mut decoder, mut bytes) = (Decoder::default(), bytes.clone());
    for number in 0..100_000_u32 {
        bytes[4..6].copy_from_slice(&(number as u16).to_be_bytes());
        bytes[12..16].copy_from_slice(&number.to_be_bytes());
        decoder.decode(&Frame { meta: *meta, bytes: &bytes });
    }
    let stats = decoder.stats();
    assert!(stats.waiting <= 4096, "{stats:?}");
    assert_eq!(stats.evicted + stats.waiting as u64, 100_000);
}
