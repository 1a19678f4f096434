//! A header as its RFC draws it: 32 bits a row under a ruler, names and values in place, and below what finds no room
//! there. TCP's options are a strip of the forty octets that there can be.

use std::fmt::Write as _;

use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::report::headers::page::GAP;
use crate::report::headers::page::INDENT;
use crate::report::headers::page::MEANING_LEAST;
use crate::report::headers::page::cell;
use crate::report::headers::page::is_sum;
use crate::report::headers::page::wrapped;
use crate::report::line::columns;
use crate::report::style::Style;

/// Writes the fields that stand in the first `bits` bits, then what they mean.
pub(super) fn write(page: &mut String, fields: &[Field], bits: u32, style: &Style) {
    let is_option = |field: &&Field| field.name.starts_with(OPTION);
    let drawn: Vec<&Field> = fields.iter().filter(|field| !is_option(field) && field.bits.0 < bits).collect();
    let options: Vec<&Field> = fields.iter().filter(is_option).collect();
    let end = drawn.last().map_or(0, |field| field.bits.0 + field.bits.1);
    let tens: String = (0..ROW).map(|bit| if bit % 10 == 0 { format!("{} ", bit / 10) } else { "  ".into() }).collect();
    let ones: String = (0..ROW).map(|bit| format!("{} ", bit % 10)).collect();
    for line in [tens, ones] {
        let _ = writeln!(page, "{:INDENT$} {}", "", style.dim(line.trim_end()));
    }
    let picture = Picture { fields: &drawn, end };
    let mut explained = Vec::new();
    let rows = end.div_ceil(ROW);
    let mut left_out = 0;
    for row in 0..rows {
        if picture.is_inside(row) && row + 1 < rows && picture.is_inside(row + 1) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            let text = format!("{} octets more", left_out * 4);
            let _ = writeln!(page, "{:INDENT$}~{text:^width$}~", "", width = ROW as usize * 2 - 1);
            left_out = 0;
        } else {
            push(page, &picture.border(row));
        }
        for line in picture.row(row, &mut explained) {
            push(page, &line);
        }
    }
    push(page, &picture.border(rows));
    if !options.is_empty() {
        // IHL and data offset leave forty octets (RFC 791 §3.1, RFC 9293 §3.1), an extension header's length many.
        let has_limit = fields.iter().any(|field| matches!(field.name, "ihl" | "data_offset"));
        strip(page, &options, has_limit.then_some(OPTIONS_MOST), style);
    }
    legend(page, fields, &explained, style);
}

fn push(page: &mut String, line: &str) {
    let _ = writeln!(page, "{:INDENT$}{}", "", line.trim_end());
}

/// The fields of a header, drawn.
struct Picture<'f> {
    fields: &'f [&'f Field],
    /// Bits.
    end: u32,
}

/// The part of a field that stands in one row.
struct Piece<'f> {
    field: &'f Field,
    /// First bit of the header, and the one behind the last.
    from: u32,
    to: u32,
}

impl<'f> Picture<'f> {
    fn at(&self, bit: u32) -> Option<usize> {
        self.fields.iter().position(|field| (field.bits.0..field.bits.0 + field.bits.1).contains(&bit))
    }

    /// Nothing but the middle of a long field of octets: it began before the row above.
    fn is_inside(&self, row: u32) -> bool {
        let (from, to) = (row * ROW, (row + 1) * ROW);
        self.fields.iter().any(|field| {
            let (begin, width) = field.bits;
            matches!(field.raw, Raw::Bytes(_)) && begin + ROW < from && begin + width >= to
        })
    }

    /// The line above a row, open where a field goes on below.
    fn border(&self, row: u32) -> String {
        let is_drawn = |bit: u32| {
            let above = row.checked_sub(1).and_then(|above| self.at(above * ROW + bit));
            let below = self.at(row * ROW + bit);
            (above.is_some() || below.is_some()) && above != below
        };
        let exists = |bit: u32| row * ROW + bit < self.end || row > 0 && (row - 1) * ROW + bit < self.end;
        let mut line = String::new();
        for bit in 0..=ROW {
            let (left, right) = (bit > 0 && is_drawn(bit - 1), bit < ROW && is_drawn(bit));
            let edge = (bit == 0 && exists(0)) || (bit == ROW && exists(ROW - 1));
            line.push(if left || right || edge { '+' } else { ' ' });
            if bit < ROW {
                line.push(if right { '-' } else { ' ' });
            }
        }
        line
    }

    fn pieces(&self, row: u32) -> Vec<Piece<'f>> {
        let (from, to) = (row * ROW, (row + 1) * ROW);
        let here = self.fields.iter().map(|field| Piece {
            field,
            from: field.bits.0.max(from),
            to: (field.bits.0 + field.bits.1).min(to),
        });
        here.filter(|piece| piece.from < piece.to).collect()
    }

    /// The lines of a row: names, then values. Fields whose meaning found room are added to `explained`.
    fn row(&self, row: u32, explained: &mut Vec<&'static str>) -> Vec<String> {
        let pieces = self.pieces(row);
        let names: Vec<Vec<String>> = pieces.iter().map(Piece::name).collect();
        let height = names.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines = vec![String::from("|"); height + 1];
        for (piece, name) in pieces.iter().zip(names) {
            let width = piece.columns();
            let above = (height - name.len()) / 2;
            for (index, line) in lines[..height].iter_mut().enumerate() {
                let text = index.checked_sub(above).and_then(|index| name.get(index)).map_or("", String::as_str);
                let _ = write!(line, "{text:^width$}|");
            }
            let (value, tells_all) = piece.value();
            let _ = write!(lines[height], "{value:^width$}|");
            if tells_all {
                explained.push(piece.field.name);
            }
        }
        lines
    }
}

impl Piece<'_> {
    fn columns(&self) -> usize {
        (self.to - self.from) as usize * 2 - 1
    }

    /// The name in as many lines as it needs; nothing where the field goes on from the row above.
    fn name(&self) -> Vec<String> {
        if self.from != self.field.bits.0 {
            return Vec::new();
        }
        let (name, width) = (self.field.name, self.columns());
        if width == 1 {
            return letters(name).chars().map(String::from).collect();
        }
        if name.len() <= width {
            return vec![name.to_owned()];
        }
        let words: Vec<&str> = name.split('_').collect();
        if words.iter().all(|word| word.len() <= width) {
            return words.into_iter().map(str::to_owned).collect();
        }
        let short = if name == "reserved" { "rsvd".to_owned() } else { letters(name).to_lowercase() };
        vec![if short.len() > 1 && short.len() <= width { short } else { name.chars().take(width).collect() }]
    }

    /// What stands there, with its meaning where there is room; then true.
    fn value(&self) -> (String, bool) {
        let (bits, width) = (self.to - self.from, self.columns());
        let number = match &self.field.raw {
            Raw::Bytes(octets) => {
                let begin = (self.from - self.field.bits.0) as usize / 8;
                let end = (self.to - self.field.bits.0).div_ceil(8) as usize;
                let octets = octets.get(begin..end.min(octets.len())).unwrap_or(&[]);
                return (octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" "), false);
            }
            Raw::Number(number) => number,
        };
        let behind = self.field.bits.0 + self.field.bits.1 - self.to;
        let mask = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
        let part = number >> behind & mask;
        if bits == 1 {
            // A bit whose name is written out needs no words.
            let plain = matches!(&*self.field.meaning, "set" | "not set");
            return (part.to_string(), plain && letters(self.field.name).eq_ignore_ascii_case(self.field.name));
        }
        let hex = format!("0x{part:0digits$x}", digits = bits.div_ceil(4) as usize);
        if bits < self.field.bits.1 {
            return (hex, false);
        }
        let meaning = cell(self.field);
        let says_it_all = !is_sum(self.field) || self.field.name.ends_with("checksum");
        if meaning == hex || meaning == number.to_string() && number < &10 && says_it_all {
            return (hex, true);
        }
        for (text, tells_all) in [
            (format!("{hex} = {meaning}"), true),
            (format!("{hex} = {number}"), meaning == number.to_string()),
            (format!("{hex}={number}"), meaning == number.to_string()),
            (hex, false),
        ] {
            if columns(&text) <= width {
                return (text, tells_all);
            }
        }
        (format!("{part:x}").chars().take(width).collect(), false)
    }
}

/// A name for one column: itself where it is an abbreviation, else its first letters.
fn letters(name: &str) -> String {
    let words: Vec<&str> = name.split('_').collect();
    match words[..] {
        [short] if short.len() <= 3 => short.to_uppercase(),
        _ => words.iter().filter_map(|word| word.chars().next()).map(|letter| letter.to_ascii_uppercase()).collect(),
    }
}

/// The octets of options, twenty a line, each option under a name of its own; of those that fit, what is not used is
/// dotted.
fn strip(page: &mut String, options: &[&Field], most: Option<usize>, style: &Style) {
    let mut octets: Vec<Option<u8>> = Vec::new();
    // The place behind each option, and what stands below its octets.
    let mut ends = Vec::new();
    for option in options {
        if let Raw::Bytes(bytes) = &option.raw {
            octets.extend(bytes.iter().map(|&octet| Some(octet)));
            ends.push((octets.len(), abbreviation(option)));
        }
    }
    let used = octets.len();
    octets.resize(used.max(most.unwrap_or(0)), None);
    let title = match most {
        Some(most) => format!("options: {used} octets of {most} that fit"),
        None => format!("options: {used} octets"),
    };
    let _ = writeln!(page, "{:INDENT$}{}", "", style.dim(title));
    for from in (0..octets.len()).step_by(STRIP) {
        let to = (from + STRIP).min(octets.len());
        let mut line = format!("{from:>3} ");
        for (at, octet) in (from..).zip(&octets[from..to]) {
            let octet = octet.map_or_else(|| "··".to_owned(), |octet| format!("{octet:02x}"));
            let is_end = ends.iter().any(|&(end, _)| end == at + 1);
            let _ = write!(line, "{octet}{}", if is_end { '|' } else { ' ' });
        }
        push(page, line.trim_end());
        let mut below = String::from("    ");
        let mut begin = 0;
        for (end, name) in &ends {
            let (here, there) = (begin.max(from), (*end).min(to));
            if here < there {
                let width = (there - here) * 3 - 1;
                let text: String = if begin < from { "…".to_owned() } else { name.chars().take(width).collect() };
                let _ = write!(below, "{text:<width$}{}", if *end <= to { '|' } else { ' ' });
            }
            begin = *end;
        }
        if !below.trim().is_empty() {
            push(page, &below);
        }
    }
}

/// Two letters and more, as an octet or two have room for.
fn abbreviation(option: &Field) -> &'static str {
    match option.name {
        "option: end of list" => "EL",
        "option: no-operation" => "NO",
        "option: MSS" => "MSS",
        "option: window scale" => "WScale",
        "option: SACK permitted" => "SackP",
        "option: SACK" => "SACK",
        "option: timestamps" => "timestamps",
        "option: Fast Open" => "FOpen",
        "option: MPTCP" => "MPTCP",
        "option: MD5" => "MD5",
        "option: TCP-AO" => "TCP-AO",
        "option: user timeout" => "user timeout",
        "option: AccECN" => "AccECN",
        "option: experiment" => "experiment",
        "option: padding" => "padding",
        "option: malformed" => "bad",
        "option: unknown" => "?",
        "option: router alert" => "alert",
        "option: record route" => "record route",
        _ => short_name(option),
    }
}

/// What found no room in the picture, a field a line.
fn legend(page: &mut String, fields: &[Field], explained: &[&str], style: &Style) {
    let told = |field: &&Field| explained.contains(&field.name);
    // Sums stand below in full.
    let is_elsewhere = |field: &&Field| is_sum(field) && !field.name.starts_with(OPTION);
    let left: Vec<&Field> = fields.iter().filter(|field| !told(field) && !is_elsewhere(field)).collect();
    let names = left.iter().map(|field| columns(short_name(field))).max().unwrap_or(0);
    let room = style.width.saturating_sub(INDENT + names + GAP).max(MEANING_LEAST);
    for field in left {
        let text = wrapped(&field.meaning, room);
        for (index, line) in text.lines().enumerate() {
            let name = if index == 0 { short_name(field) } else { "" };
            let _ = writeln!(page, "{:INDENT$}{}  {line}", "", style.dim(format_args!("{name:<names$}")));
        }
    }
}

fn short_name(field: &Field) -> &'static str {
    field.name.strip_prefix(OPTION).unwrap_or(field.name)
}

const OPTION: &str = "option: ";
/// Bits of a row.
const ROW: u32 = 32;
/// Octets of options in a line.
const STRIP: usize = 20;
/// What a data offset or an IHL of 15 leaves.
const OPTIONS_MOST: usize = 40;
