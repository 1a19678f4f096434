//! One packet, layer by layer: its fields as a table, a bit ruler or octets, the sums below, then the payload.
//!
//! Where a line is wider than the screen it is wrapped, between words or octets: a page that cuts would cut numbers.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crate::decode::decode;
use crate::decode::fields;
use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::decode::quoted_frame;
use crate::packet::Clock;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::report::headers::hex;
use crate::report::headers::ruler;
use crate::report::headers::sums;
use crate::report::headers::table;
use crate::report::line::Facts;
use crate::report::line::columns;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::letter;
use crate::report::words::side_name;
use crate::tcp::Side;
use crate::tcp::dialect::Tags;

/// How the fields of a header are laid out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// A table: field, bits, what stands there, what it means.
    #[default]
    Table,
    /// The RFC's picture: 32 bits a row, fields and values in place. 67 columns wide.
    Ruler,
    /// Octets, and beside them which field they are and what it means; the payload whole.
    Hex,
}

/// Writes a packet's headers. Below each of them its sums, below all of them the defects and the payload (but for
/// [`Layout::Hex`] its first 64 octets). `seen` adds what the connection knows of the numbers, [`Seen::Other`] where
/// nothing is followed; `wireshark` what Wireshark 4.0 would call the segment.
///
/// Fits into `style.width` columns from 60 on, a ruler from 67 on.
///
/// # Errors
/// Those of the writer.
pub fn page(
    out: &mut dyn Write,
    packet: &Packet<'_>,
    seen: &Seen<'_>,
    style: &Style,
    wireshark: Option<&Tags>,
    layout: Layout,
) -> io::Result<()> {
    let mut page = String::new();
    heading(&mut page, packet, style);
    for layer in &packet.layers {
        header(&mut page, packet, layer, ("", 0), style, layout);
        if let (LayerKind::Tcp, Seen::Tcp(seen), Some(tcp)) = (layer.kind, seen, packet.tcp()) {
            in_its_connection(&mut page, tcp, seen, style);
            if let Some(tags) = wireshark {
                let label = tags.label().to_string();
                sum(&mut page, "wireshark 4.0", if label.is_empty() { "no flags" } else { &label }, style);
            }
        }
    }
    if let Some(quote) = quoted_frame(packet) {
        let at = packet.layers.last().map_or(0, |message| message.offset + message.len);
        let quoted = decode(&quote);
        for layer in &quoted.layers {
            header(&mut page, &quoted, layer, ("quoted ", at), style, layout);
        }
    }
    if let Some(found) = fields::extensions(packet) {
        let place = format!("octets {}..{}", found.at, found.at + found.len);
        let _ = writeln!(page, "\n{}  {}", style.bold("icmp extensions"), style.dim(place));
        laid_out(&mut page, &found.fields, (found.at, found.len), style, layout);
    }
    defects(&mut page, packet, style);
    out.write_all(page.as_bytes())?;
    payload(out, packet, style, layout)?;
    if layout == Layout::Hex {
        trailer(out, packet, style)?;
    }
    writeln!(out)
}

/// One header. One that is quoted has a word before its name, and begins so many octets further on.
fn header(
    page: &mut String,
    packet: &Packet<'_>,
    layer: &Layer,
    (word, shift): (&str, u32),
    style: &Style,
    layout: Layout,
) {
    let fields = fields::describe(packet, layer);
    let from = layer.offset + shift;
    let place = format!("octets {from}..{}", from + layer.len);
    let _ = writeln!(page, "\n{}  {}", style.bold(format_args!("{word}{}", layer.kind.name())), style.dim(place));
    if fields.is_empty() {
        return;
    }
    laid_out(page, &fields, (from as usize, layer.len as usize), style, layout);
    if let Some(summed) = fields::checksum_of(packet, layer) {
        sums::checksum(page, packet.bytes, layer, &summed, style);
    }
}

/// Fields of `len` octets, the first of them octet `from` of the frame, and their sums.
fn laid_out(page: &mut String, fields: &[Field], (from, len): (usize, usize), style: &Style, layout: Layout) {
    match layout {
        Layout::Table => table::write(page, fields, style),
        Layout::Ruler => ruler::write(page, fields, len as u32 * 8, style),
        Layout::Hex => hex::fields(page, fields, from, style),
    }
    for field in fields.iter().filter(|field| is_sum(field)) {
        sum(page, field.name, &field.meaning, style);
    }
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

/// A meaning that is a sum, or tells how a checksum came out, has a line of its own below the table.
pub(super) fn is_sum(field: &Field) -> bool {
    field.meaning.contains(" = ") || field.name.ends_with("checksum")
}

/// A field's meaning where its sum stands elsewhere.
pub(super) fn cell(field: &Field) -> String {
    if !is_sum(field) {
        return field.meaning.clone();
    }
    match field.raw {
        _ if field.name.ends_with("checksum") => field.meaning.split([':', ';']).next().unwrap_or_default().to_owned(),
        Raw::Number(number) => number.to_string(),
        Raw::Bytes(_) => String::new(),
    }
}

/// A text in lines of at most `width` columns, broken between words; a word that is longer is broken where it must.
pub(super) fn wrapped(text: &str, width: usize) -> String {
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

/// A line below a header: what it is about, and the sum.
pub(super) fn sum(page: &mut String, name: &str, text: &str, style: &Style) {
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

fn payload(out: &mut dyn Write, packet: &Packet<'_>, style: &Style, layout: Layout) -> io::Result<()> {
    let octets = match (packet.tcp(), packet.udp()) {
        (Some(tcp), _) => tcp.payload,
        (_, Some(udp)) => udp.payload,
        _ => behind_the_last_layer(packet),
    };
    if octets.is_empty() {
        return Ok(());
    }
    // Behind its headers.
    let at = packet.layers.last().map_or(0, |layer| (layer.offset + layer.len) as usize);
    let (most, from) = match layout {
        Layout::Table | Layout::Ruler => (PAYLOAD_SHOWN, 0),
        Layout::Hex => (usize::MAX, at),
    };
    let shown = &octets[..octets.len().min(most)];
    let count = if shown.len() < octets.len() {
        format!("{} octets, the first {} of them", octets.len(), shown.len())
    } else {
        format!("{} octets", octets.len())
    };
    writeln!(out, "\n{}  {}", style.bold(LayerKind::Payload.name()), style.dim(count))?;
    hex::dump(out, shown, from, style)
}

/// What a frame holds behind its packet: padding, mostly.
fn trailer(out: &mut dyn Write, packet: &Packet<'_>, style: &Style) -> io::Result<()> {
    let Some(ip) = packet.ip else { return Ok(()) };
    let is_ip = |layer: &&Layer| matches!(layer.kind, LayerKind::Ipv4 | LayerKind::Ipv6);
    let Some(layer) = packet.layers.iter().rfind(is_ip) else { return Ok(()) };
    let end = layer.offset as usize + ip.total_len() as usize;
    let octets = packet.bytes.get(end..).unwrap_or(&[]);
    if !octets.is_empty() {
        let count = format!("{} octets behind the packet", octets.len());
        writeln!(out, "\n{}  {}", style.bold("trailer"), style.dim(count))?;
        hex::dump(out, octets, end, style)?;
    }
    Ok(())
}

fn behind_the_last_layer<'a>(packet: &Packet<'a>) -> &'a [u8] {
    let from = packet.layers.last().map_or(0, |layer| (layer.offset + layer.len) as usize);
    packet.bytes.get(from..).unwrap_or(&[])
}

pub(super) const INDENT: usize = 2;
/// Blanks between columns.
pub(super) const GAP: usize = 2;
pub(super) const MEANING_LEAST: usize = 8;
const PAYLOAD_SHOWN: usize = 64;
