//! TCP options, one field each, spelled out: kind, length, what it says.

use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::mptcp;
use crate::decode::fields::octets;
use crate::decode::options;
use crate::packet::TcpOption;

/// Adds every option behind the first `fixed` octets. With `whole` false the capture ends within them.
pub(super) fn list(sheet: &mut Sheet<'_>, fixed: usize, whole: bool) {
    let bytes = sheet.bytes.get(fixed..).unwrap_or(&[]);
    let mut walk = options::walk(bytes);
    loop {
        let from = walk.at();
        let Some(option) = walk.next() else { break };
        add(sheet, fixed, &bytes[from..walk.at()], from, meaning(&option, whole), name(&option));
    }
    let padding = walk.rest();
    if !padding.is_empty() {
        let meaning = match padding.iter().filter(|&&octet| octet != 0).count() {
            0 => format!("{} of zeros", octets(padding.len() as u64)),
            strangers => format!("{} behind the end, {strangers} of them not zero", octets(padding.len() as u64)),
        };
        add(sheet, fixed, padding, walk.at(), meaning, "option: padding");
    }
}

fn add(sheet: &mut Sheet<'_>, fixed: usize, raw: &[u8], from: usize, meaning: String, name: &'static str) {
    let bits = ((fixed + from) as u32 * 8, raw.len() as u32 * 8);
    sheet.fields.push(Field { name, bits, raw: Raw::Bytes(raw.to_vec()), meaning, item: None });
}

fn name(option: &TcpOption<'_>) -> &'static str {
    match option {
        TcpOption::EndOfList => "option: end of list",
        TcpOption::NoOp => "option: no-operation",
        TcpOption::Mss(_) => "option: MSS",
        TcpOption::WindowScale(_) => "option: window scale",
        TcpOption::SackPermitted => "option: SACK permitted",
        TcpOption::Sack(_) => "option: SACK",
        TcpOption::Timestamps { .. } => "option: timestamps",
        TcpOption::FastOpen(_) => "option: Fast Open",
        TcpOption::Mptcp(_) => "option: MPTCP",
        TcpOption::Md5(_) => "option: MD5",
        TcpOption::Ao(_) => "option: TCP-AO",
        TcpOption::UserTimeout(_) => "option: user timeout",
        TcpOption::AccEcn { .. } => "option: AccECN",
        TcpOption::Experiment { .. } => "option: experiment",
        TcpOption::Unknown { .. } => "option: unknown",
        TcpOption::Malformed { .. } => "option: malformed",
    }
}

fn meaning(option: &TcpOption<'_>, whole: bool) -> String {
    let sized = |kind: u8, data: usize, text: String| format!("kind {kind}, length {}: {text}", data + 2);
    match *option {
        TcpOption::EndOfList => "kind 0: the rest is padding".to_owned(),
        TcpOption::NoOp => "kind 1: padding".to_owned(),
        TcpOption::Mss(mss) => sized(2, 2, format!("{} at most in a segment", octets(mss))),
        // RFC 7323 §2.3: a shift above 14 is used as 14.
        TcpOption::WindowScale(shift @ 15..) => sized(3, 1, format!("shift {shift}, above 14: used as 14")),
        TcpOption::WindowScale(shift) => sized(3, 1, format!("shift {shift}, times {}", 1u32 << shift)),
        TcpOption::SackPermitted => sized(4, 0, "selective acknowledgments welcome".to_owned()),
        TcpOption::Sack(blocks) => {
            let list: Vec<_> =
                options::sack_blocks(blocks).map(|block| format!("{}–{}", block.left, block.right)).collect();
            sized(5, blocks.len(), format!("holds {}", list.join(", ")))
        }
        TcpOption::Timestamps { value, echo } => sized(8, 8, format!("TSval {value}, TSecr {echo}")),
        TcpOption::FastOpen([]) => sized(34, 0, "asks for a cookie".to_owned()),
        TcpOption::FastOpen(cookie) => sized(34, cookie.len(), format!("cookie {}", hex(cookie))),
        TcpOption::Mptcp(data) => sized(30, data.len(), mptcp_words(data)),
        TcpOption::Md5(digest) => sized(19, digest.len(), format!("digest {}", hex(digest))),
        TcpOption::Ao(data) => {
            sized(29, data.len(), format!("key {}, next key {}, MAC {}", data[0], data[1], hex(&data[2..])))
        }
        TcpOption::UserTimeout(field) => {
            let unit = if field & 0x8000 == 0 { "s" } else { "min" };
            sized(28, 2, format!("{} {unit}", field & 0x7fff))
        }
        TcpOption::AccEcn { kind, data } => {
            let counters = acc_ecn_counters(kind, data).map(|(name, octets)| format!("{name} {octets}"));
            let list: Vec<_> = counters.collect();
            sized(kind, data.len(), if list.is_empty() { "no counters".to_owned() } else { list.join(", ") })
        }
        TcpOption::Experiment { kind, data } => {
            let text = match experiment(data) {
                Some((id, Some(name), [])) => format!("{name} ({id:#06x})"),
                Some((id, Some(name), data)) => format!("{name} ({id:#06x}), {}", hex(data)),
                Some((id, None, data)) => format!("experiment {id:#06x} {}", hex(data)),
                None => hex(data),
            };
            sized(kind, data.len(), text.trim_end().to_owned())
        }
        TcpOption::Unknown { kind, data } => match kind_name(kind) {
            Some(name) => sized(kind, data.len(), format!("{name} {}", hex(data)).trim_end().to_owned()),
            None => sized(kind, data.len(), hex(data)),
        },
        TcpOption::Malformed { kind, declared: None, .. } if whole => {
            format!("kind {kind}: the header ends before its length")
        }
        TcpOption::Malformed { kind, declared: Some(len), data } if whole || usize::from(len) <= data.len() + 2 => {
            format!("kind {kind}, length {len}: malformed, {} there", octets(data.len() as u64 + 2))
        }
        TcpOption::Malformed { kind, .. } => format!("kind {kind}: cut by the capture"),
    }
}

fn mptcp_words(data: &[u8]) -> String {
    let Some(option) = mptcp(data) else { return String::new() };
    let words = option.fields.iter().map(|(name, said)| format!("{name} {said}"));
    let fields = words.collect::<Vec<_>>().join(", ");
    let fault = if option.is_sound { "" } else { ", not a length it has" };
    format!("{} (subtype {}){fault}: {fields}", option.name, option.subtype)
}

/// The counters of an AccECN option, 24 bits each, by their names in RFC 9768 §3.2.3: octets that arrived with CE, with
/// ECT(0) and with ECT(1). The second order begins with the last of them.
pub fn acc_ecn_counters(kind: u8, data: &[u8]) -> impl Iterator<Item = (&'static str, u32)> {
    let names = if kind == 172 { ["EE0B", "ECEB", "EE1B"] } else { ["EE1B", "ECEB", "EE0B"] };
    let counters = data.chunks_exact(3).map(|octets| u32::from_be_bytes([0, octets[0], octets[1], octets[2]]));
    names.into_iter().zip(counters)
}

/// The identifier of an experiment, its name where we know one, and what follows (RFC 6994 §3).
pub fn experiment(data: &[u8]) -> Option<(u32, Option<&'static str>, &[u8])> {
    match *data {
        [0xe2, 0xd4, 0xc3, 0xd9, ref rest @ ..] => Some((0xe2d4_c3d9, Some("SMC-R"), rest)),
        [high, low, ref rest @ ..] => {
            let id = u16::from_be_bytes([high, low]);
            let name = match id {
                0x00ac => Some("ACK rate request"),
                0x0348 => Some("host id"),
                0x0ca0 => Some("capability"),
                0x0ed0 => Some("extended data offset"),
                0x454e => Some("TCP-ENO"),
                0x5323 => Some("service number"),
                0x75ec => Some("timestamp interval"),
                0xacc0 | 0xacc1 | 0xacce => Some("AccECN"),
                0xf990 => Some("low latency"),
                0xf989 => Some("Fast Open"),
                _ => None,
            };
            Some((u32::from(id), name, rest))
        }
        _ => None,
    }
}

/// What the registry calls a kind whose content we leave as octets.
pub const fn kind_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        6 => "echo (obsolete)",
        7 => "echo reply (obsolete)",
        9 => "partial order permitted (obsolete)",
        10 => "partial order profile (obsolete)",
        11 => "connection count (obsolete)",
        12 => "new connection count (obsolete)",
        13 => "connection count echo (obsolete)",
        14 => "alternate checksum request (obsolete)",
        15 => "alternate checksum data (obsolete)",
        16 => "Skeeter",
        17 => "Bubba",
        18 => "trailer checksum",
        20 => "SCPS capabilities",
        21 => "selective negative acknowledgments",
        22 => "record boundaries",
        23 => "corruption experienced",
        24 => "SNAP",
        26 => "compression filter",
        27 => "Quick-Start response",
        69 => "encryption negotiation (TCP-ENO)",
        _ => return None,
    })
}
