//! Traces for the dialect, one segment a line: `dt dir flags seq ack len`, then what is out of the ordinary.
//!
//! `dt` is milliseconds since the line before, `>` is sent by the client, `<` by the server; flags are `S A F R P U` or
//! `.` for none; a missing number is 0. `w` sets the window (else 1000), `ws` adds a window scale option, `hlen` sets
//! the data offset in octets, `id` the IP identification, `ts` both timestamps, `mss` and `sackok` what a SYN offers. `HS` stands for a handshake of 20 ms without options.

mod both;
mod broken;
mod properties;
mod streams;
mod vectors;

use std::net::IpAddr;

use arrayvec::ArrayVec;

use crate::packet::flags::TcpFlags;
use crate::packet::frame::FrameMeta;
use crate::packet::headers::ChecksumState;
use crate::packet::headers::IpHeader;
use crate::packet::headers::Packet;
use crate::packet::headers::TcpHeader;
use crate::packet::headers::Transport;
use crate::packet::link::LinkType;
use crate::packet::option::OptionSummary;
use crate::packet::option::SackBlock;
use crate::packet::seq::SeqNumber;
use crate::packet::time::Timestamp;
use crate::tcp::dialect::Dialect;
use crate::tcp::dialect::FirstPass;
use crate::tcp::dialect::Tags;
use crate::tcp::dialect::Value;

const HANDSHAKE: &str = "0> S 100\n10< SA 900 101\n10> A 101 901";
/// What every segment carries.
const ZEROS: &[u8] = &[0; 65_536];
const CLIENT: (&str, u16) = ("10.0.0.9", 40000);
const SERVER: (&str, u16) = ("10.0.0.2", 80);

/// Both passes over a trace: what `tshark -2` shows of each segment.
fn play(script: &str) -> Vec<Tags> {
    replay(&trace(script))
}

fn replay(packets: &[Packet<'_>]) -> Vec<Tags> {
    let mut first = FirstPass::new();
    packets.iter().for_each(|packet| first.observe(packet));
    show(Dialect::second_pass(first.finish()), packets)
}

/// One pass: the values so far.
fn play_once(script: &str) -> Vec<Tags> {
    show(Dialect::new(), &trace(script))
}

fn show(mut dialect: Dialect, packets: &[Packet<'_>]) -> Vec<Tags> {
    packets.iter().map(|packet| dialect.observe(packet).expect("TCP always has tags")).collect()
}

/// The verdicts of each segment, by name.
fn verdicts(tags: &[Tags]) -> Vec<String> {
    tags.iter().map(|tags| tags.verdicts.to_string()).collect()
}

/// The verdicts of the last `n` segments of a trace.
fn last(n: usize, script: &str) -> Vec<String> {
    let all = verdicts(&play(script));
    all[all.len() - n..].to_vec()
}

fn field(tags: &Tags, name: &str) -> Option<Value> {
    tags.fields().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn trace(script: &str) -> Vec<Packet<'static>> {
    let script = script.replace("HS", HANDSHAKE);
    let mut at = 1_700_000_000_000_000_000;
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(index, line)| segment(index as u64 + 1, &mut at, line)).collect()
}

fn segment(number: u64, at: &mut i64, line: &str) -> Packet<'static> {
    let mut words = line.split_whitespace();
    let when = words.next().expect("a direction");
    let from_client = when.ends_with('>');
    let millis: f64 = when[..when.len() - 1].parse().unwrap_or(0.0);
    *at += (millis * 1e6) as i64;
    let flags = words.next().expect("flags").chars().fold(TcpFlags::default(), |set, letter| match letter {
        'S' => set.with(TcpFlags::SYN),
        'A' => set.with(TcpFlags::ACK),
        'F' => set.with(TcpFlags::FIN),
        'R' => set.with(TcpFlags::RST),
        'P' => set.with(TcpFlags::PSH),
        'U' => set.with(TcpFlags::URG),
        '.' => set,
        other => panic!("no flag {other} in {line:?}"),
    });
    let mut numbers = [0u32; 3];
    let (mut window, mut hlen, mut place) = (1000, 20, 0);
    let mut said = OptionSummary::default();
    let mut id = None;
    for word in words {
        if let Ok(number) = word.parse() {
            numbers[place] = number;
            place += 1;
        } else if let Some(shift) = word.strip_prefix("ws") {
            said.window_scale = Some(shift.parse().expect("a shift"));
        } else if let Some(value) = word.strip_prefix("id") {
            id = Some(value.parse().expect("an identification"));
        } else if let Some(value) = word.strip_prefix("mss") {
            said.mss = Some(value.parse().expect("a segment size"));
        } else if word == "sackok" {
            said.sack_permitted = true;
        } else if let Some((value, echo)) = word.strip_prefix("ts").and_then(|stamps| stamps.split_once('-')) {
            said.timestamps = Some((value.parse().expect("a stamp"), echo.parse().expect("an echo")));
        } else if let Some(value) = word.strip_prefix('w') {
            window = value.parse().expect("a window");
        } else if let Some(value) = word.strip_prefix("hlen") {
            hlen = value.parse().expect("a header length");
        } else if let Some((left, right)) = word.strip_prefix("sack").and_then(|block| block.split_once('-')) {
            let [left, right] = [left, right].map(|edge| SeqNumber(edge.parse().expect("an edge")));
            said.sack.push(SackBlock { left, right });
        } else {
            panic!("{word:?} in {line:?}");
        }
    }
    let [seq, ack, len] = numbers;
    let tcp = TcpHeader {
        src_port: 0,
        dst_port: 0,
        seq: SeqNumber(seq),
        ack: SeqNumber(ack),
        header_len: hlen,
        flags,
        window,
        checksum_field: 0,
        checksum: ChecksumState::Good,
        urgent: 0,
        options: &[],
        said,
        len,
        payload: &ZEROS[..(len as usize).min(ZEROS.len())],
        sound: hlen >= 20,
    };
    let (src, dst) = if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let transport = Transport::Tcp(TcpHeader { src_port: src.1, dst_port: dst.1, ..tcp });
    let mut packet = packet(number, *at, src.0, dst.0, transport);
    packet.ip = packet.ip.map(|ip| IpHeader { id, ..ip });
    packet
}

fn packet<'a>(number: u64, at: i64, src: &str, dst: &str, transport: Transport<'a>) -> Packet<'a> {
    let [src, dst]: [IpAddr; 2] = [src, dst].map(|addr| addr.parse().expect("an address"));
    let at = Timestamp::from_nanos(at);
    Packet {
        meta: FrameMeta::whole(number, at, LinkType::ETHERNET, 0),
        bytes: &[],
        layers: ArrayVec::new(),
        ip: Some(IpHeader {
            version: 4,
            src,
            dst,
            ttl: 64,
            traffic_class: 0,
            id: None,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            header_len: 20,
            payload_len: 0,
            protocol: 6,
            checksum: ChecksumState::Good,
        }),
        transport,
        outer: ArrayVec::new(),
        reassembled: None,
        defects: ArrayVec::new(),
    }
}
