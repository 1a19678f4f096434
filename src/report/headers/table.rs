//! One packet, layer by layer: a table of its fields, the sums below, then the payload in hexadecimal.
//!
//! Where a table is wider than the screen its cells are wrapped here, between words or octets: a table that cuts
//! would cut numbers.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use tabled::builder::Builder;
use tabled::settings::Padding;
use tabled::settings::style::HorizontalLine;

use crate::decode::fields;
use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::packet::Clock;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::report::line::Facts;
use crate::report::line::columns;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::letter;
use crate::report::words::side_name;
use crate::tcp::Side;
use crate::tcp::dialect::Tags;

/// Writes a packet's headers as tables: field, bits, what stands there, what it means. Below each table its sums,
/// below all of them the defects and the first 64 octets of payload. `seen` adds what the connection knows of the
/// numbers, [`Seen::Other`] where nothing is followed; `wireshark` what Wireshark 4.0 would call the segment.
///
/// Fits into `style.width` columns from 60 on.
///
/// # Errors
/// Those of the writer.
pub fn table(
    out: &mut dyn Write,
    packet: &Packet<'_>,
    seen: &Seen<'_>,
    style: &Style,
    wireshark: Option<&Tags>,
) -> io::Result<()> {
    let mut page = String::new();
    heading(&mut page, packet, style);
    for layer in &packet.layers {
        let fields = fields::describe(packet, layer);
        title(&mut page, layer, style);
        if fields.is_empty() {
            continue;
        }
        grid(&mut page, &fields, style);
        for field in fields.iter().filter(|field| is_sum(field)) {
            sum(&mut page, field.name, &field.meaning, style);
        }
        if let (LayerKind::Tcp, Seen::Tcp(seen), Some(tcp)) = (layer.kind, seen, packet.tcp()) {
            in_its_connection(&mut page, tcp, seen, style);
            if let Some(tags) = wireshark {
                let label = tags.label().to_string();
                sum(&mut page, "wireshark 4.0", if label.is_empty() { "no flags" } else { &label }, style);
            }
        }
    }
    defects(&mut page, packet, style);
    payload(&mut page, packet, style);
    page.push('\n');
    out.write_all(page.as_bytes())
}

fn heading(page: &mut String, packet: &Packet<'_>, style: &Style) {
    let meta = packet.meta;
    let mut facts = Facts::default();
    facts.say(Ink::Bold, format!("frame {}", meta.number));
    facts.plain(text::utc(meta.at));
    if meta.is_snapped() {
        facts.say(Ink::Warn, format!("{} of {} octets captured", meta.caplen, meta.origlen));
    } else {
        facts.plain(format!("{} octets", meta.caplen));
    }
    facts.plain(format!("link type {}", meta.link_type));
    facts.plain(format!("interface {}", meta.interface));
    match meta.clock {
        Clock::File => {}
        Clock::Kernel => facts.plain("stamped by the kernel"),
        Clock::Program => facts.plain("stamped when it was read"),
    }
    facts.write(page, 0, "", INDENT, style);
}

fn title(page: &mut String, layer: &Layer, style: &Style) {
    let place = format!("octets {}..{}", layer.offset, layer.offset + layer.len);
    let _ = writeln!(page, "\n{}  {}", style.bold(layer.kind.name()), style.dim(place));
}

/// A meaning that is a sum, or tells how a checksum came out, has a line of its own below the table.
fn is_sum(field: &Field) -> bool {
    field.meaning.contains(" = ") || field.name.ends_with("checksum")
}

fn cell(field: &Field) -> String {
    if !is_sum(field) {
        return field.meaning.clone();
    }
    match field.raw {
        _ if field.name.ends_with("checksum") => field.meaning.split([':', ';']).next().unwrap_or_default().to_owned(),
        Raw::Number(number) => number.to_string(),
        Raw::Bytes(_) => String::new(),
    }
}

fn grid(page: &mut String, fields: &[Field], style: &Style) {
    let names = fields.iter().map(|field| columns(field.name)).max().unwrap_or(0);
    let bits: Vec<_> = fields.iter().map(bits).collect();
    let bits_wide = bits.iter().map(|bits| columns(bits)).max().unwrap_or(0).max(HEADER[1].len());
    let taken = INDENT + names + bits_wide + RAW + GAP * 3;
    let meaning = style.width.saturating_sub(taken).max(MEANING_LEAST);
    let mut builder = Builder::default();
    builder.push_record(HEADER);
    for (field, bits) in fields.iter().zip(bits) {
        builder.push_record([
            field.name.to_owned(),
            bits,
            raw(&field.raw, field.bits.1),
            wrapped(&cell(field), meaning),
        ]);
    }
    let mut table = builder.build();
    let lines = [(1, HorizontalLine::new('─'))];
    table.with(tabled::settings::Style::empty().horizontals(lines)).with(Padding::new(0, GAP, 0, 0));
    for line in table.to_string().lines() {
        let line = line.trim_end();
        // The line under the header is as wide as the table, padding included.
        let line: String = line.chars().take(style.width.saturating_sub(INDENT).max(1)).collect();
        let _ = writeln!(page, "{:INDENT$}{line}", "");
    }
}

/// `96..100`: first bit and the one behind the last, counted from the header's start.
fn bits(field: &Field) -> String {
    let (from, width) = field.bits;
    if width == 1 { from.to_string() } else { format!("{from}..{}", from + width) }
}

/// Hexadecimal, in lines of [`RAW`] columns.
fn raw(raw: &Raw, width: u32) -> String {
    match raw {
        Raw::Number(number) if width < 4 => number.to_string(),
        Raw::Number(number) => {
            let digits = format!("{number:0width$x}", width = (width as usize).div_ceil(4));
            let lines: Vec<_> = digits.as_bytes().chunks(RAW - 2).map(String::from_utf8_lossy).collect();
            format!("0x{}", lines.join("\n  "))
        }
        Raw::Bytes(octets) => {
            let line = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ");
            octets.chunks(RAW_OCTETS).map(line).collect::<Vec<_>>().join("\n")
        }
    }
}

/// A text in lines of at most `width` columns, broken between words; a word that is longer is broken where it must.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let len = columns(word);
        if column > 0 && column + 1 + len <= width {
            lines.push(' ');
            column += 1;
        } else if column > 0 {
            lines.push('\n');
            column = 0;
        }
        for c in word.chars() {
            if column == width {
                lines.push('\n');
                column = 0;
            }
            lines.push(c);
            column += 1;
        }
    }
    lines
}

fn sum(page: &mut String, name: &str, text: &str, style: &Style) {
    let mut facts = Facts::default();
    facts.plain(text);
    let _ = write!(page, "{:INDENT$}{} ", "", style.dim(format_args!("{name}:")));
    let column = INDENT + columns(name) + 2;
    facts.write(page, column, "", INDENT * 2, style);
}

/// What only the connection can tell: relative numbers, the scaled window.
fn in_its_connection(page: &mut String, tcp: &TcpHeader<'_>, seen: &TcpSeen<'_>, style: &Style) {
    let (connection, side) = (seen.connection, seen.side);
    let relative = |side: Side, seq| connection.side(side).relative(seq);
    let (from, to) = (side_name(connection, side), side_name(connection, side.peer()));
    sum(page, "stream", &format!("#{}, from {from} to {to}", seen.stream), style);
    let first = |side: Side| match connection.side(side).isn {
        Some(isn) => format!("{} = {isn}", letter(side)),
        None => "first number seen".to_owned(),
    };
    if let Some(seq) = relative(side, tcp.seq) {
        let end = seq.wrapping_add(tcp.seq_len());
        sum(page, "relative seq", &format!("{seq}..{end}, counted from {}", first(side)), style);
    }
    if let Some(ack) = relative(side.peer(), tcp.ack).filter(|_| tcp.flags.has(TcpFlags::ACK)) {
        sum(page, "relative ack", &format!("{ack}, counted from {}", first(side.peer())), style);
    }
    if tcp.flags.any(TcpFlags::SYN.with(TcpFlags::RST)) {
        return;
    }
    if let Some(shift) = connection.window_scale(side) {
        let window = u32::from(tcp.window) << shift;
        sum(page, "scaled window", &format!("{} × 2^{shift} = {window} octets", tcp.window), style);
    }
}

fn defects(page: &mut String, packet: &Packet<'_>, style: &Style) {
    if packet.defects.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n{}", style.bold("defects"));
    for defect in &packet.defects {
        let mut facts = Facts::default();
        facts.say(Ink::Bad, defect.code.code());
        facts.plain(format!("{} at octet {}", defect.layer.name(), defect.offset));
        facts.plain(defect.to_string());
        let _ = write!(page, "{:INDENT$}", "");
        facts.write(page, INDENT, "", INDENT * 2, style);
    }
}

fn payload(page: &mut String, packet: &Packet<'_>, style: &Style) {
    let octets = match (packet.tcp(), packet.udp()) {
        (Some(tcp), _) => tcp.payload,
        (_, Some(udp)) => udp.payload,
        _ => behind_the_last_layer(packet),
    };
    if octets.is_empty() {
        return;
    }
    let shown = &octets[..octets.len().min(PAYLOAD_SHOWN)];
    let count = if shown.len() < octets.len() {
        format!("{} octets, the first {} of them", octets.len(), shown.len())
    } else {
        format!("{} octets", octets.len())
    };
    let _ = writeln!(page, "\n{}  {}", style.bold(LayerKind::Payload.name()), style.dim(count));
    // Offset, three columns per octet, one for its character.
    let per_line = if style.width >= INDENT + 4 + 2 + 16 * 4 { 16 } else { 8 };
    for (index, line) in shown.chunks(per_line).enumerate() {
        let hex: String = line.iter().map(|octet| format!("{octet:02x} ")).collect();
        let ascii: String =
            line.iter().map(|&octet| if (b' '..=b'~').contains(&octet) { octet as char } else { '.' }).collect();
        let _ = writeln!(page, "{:INDENT$}{:04x}  {hex:<width$} {ascii}", "", index * per_line, width = per_line * 3);
    }
}

fn behind_the_last_layer<'a>(packet: &Packet<'a>) -> &'a [u8] {
    let from = packet.layers.last().map_or(0, |layer| (layer.offset + layer.len) as usize);
    packet.bytes.get(from..).unwrap_or(&[])
}

const HEADER: [&str; 4] = ["field", "bits", "raw", "meaning"];
const INDENT: usize = 2;
/// Blanks between columns.
const GAP: usize = 2;
/// `0x` and twelve digits, a MAC address.
const RAW: usize = 14;
/// Octets written apart that fit into [`RAW`].
const RAW_OCTETS: usize = 5;
const MEANING_LEAST: usize = 8;
const PAYLOAD_SHOWN: usize = 64;
