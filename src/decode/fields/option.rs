//! TCP options, one field each, spelled out: kind, length, what it says.

use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
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
    sheet.fields.push(Field { name, bits, raw: Raw::Bytes(raw.to_vec()), meaning });
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
        TcpOption::Mptcp(data) => sized(30, data.len(), format!("subtype {} {}", data[0] >> 4, hex(data))),
        TcpOption::Md5(digest) => sized(19, digest.len(), format!("digest {}", hex(digest))),
        TcpOption::Ao(data) => {
            sized(29, data.len(), format!("key {}, next key {}, MAC {}", data[0], data[1], hex(&data[2..])))
        }
        TcpOption::UserTimeout(field) => {
            let unit = if field & 0x8000 == 0 { "s" } else { "min" };
            sized(28, 2, format!("{} {unit}", field & 0x7fff))
        }
        TcpOption::AccEcn { kind, data } => sized(kind, data.len(), format!("counters {}", hex(data))),
        TcpOption::Experiment { kind, data: [0xf9, 0x89, cookie @ ..] } => {
            sized(kind, cookie.len() + 2, format!("Fast Open (0xf989), cookie {}", hex(cookie)))
        }
        TcpOption::Experiment { kind, data } => sized(kind, data.len(), hex(data)),
        TcpOption::Unknown { kind, data } => sized(kind, data.len(), hex(data)),
        TcpOption::Malformed { kind, declared: None, .. } if whole => {
            format!("kind {kind}: the header ends before its length")
        }
        TcpOption::Malformed { kind, declared: Some(len), data } if whole || usize::from(len) <= data.len() + 2 => {
            format!("kind {kind}, length {len}: malformed, {} there", octets(data.len() as u64 + 2))
        }
        TcpOption::Malformed { kind, .. } => format!("kind {kind}: cut by the capture"),
    }
}
