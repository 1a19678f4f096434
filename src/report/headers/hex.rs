//! Octets beside their meaning: where they stand, what they are as characters, which fields they make.

use std::fmt::Write as _;
use std::io;

use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::report::headers::page::INDENT;
use crate::report::headers::page::MEANING_LEAST;
use crate::report::headers::page::cell;
use crate::report::headers::page::wrapped;
use crate::report::style::Style;

/// Writes the fields of a header whose first octet is the frame's octet `from`. Fields that share octets share a line.
pub(super) fn fields(page: &mut String, fields: &[Field], from: usize, style: &Style) {
    let mut rest = fields;
    while let Some(first) = rest.first() {
        let mut end = first.bits.0 + first.bits.1;
        let mut count = 1;
        // Up to where the last field ends with an octet.
        while let Some(next) = rest.get(count).filter(|next| !end.is_multiple_of(8) && next.bits.0 == end) {
            end += next.bits.1;
            count += 1;
        }
        let (group, behind) = rest.split_at(count);
        rest = behind;
        let width = style.width.saturating_sub(INDENT + PLACE + GAP + PER_LINE * 4 + 1 + GAP).max(MEANING_LEAST);
        let meaning = wrapped(&words(group), width);
        let octets = octets(group);
        let mut lines = octets.chunks(PER_LINE);
        let mut meanings = meaning.lines();
        let mut at = from + first.bits.0 as usize / 8;
        loop {
            match (lines.next(), meanings.next()) {
                (None, None) => break,
                (octets, meaning) => {
                    let octets = octets.unwrap_or(&[]);
                    line(page, (!octets.is_empty()).then_some(at), octets, PER_LINE, meaning.unwrap_or(""), style);
                    at += octets.len();
                }
            }
        }
    }
}

/// Writes octets that are no header, the first of them at `from`; sixteen a line where there is room. A few lines at a
/// time: a frame may be long, and a dump is five times as long.
pub(super) fn dump(out: &mut dyn io::Write, octets: &[u8], from: usize, style: &Style) -> io::Result<()> {
    let per_line = if style.width > INDENT + PLACE + GAP + 16 * 4 { 16 } else { 8 };
    let mut lines = String::new();
    for (index, octets) in octets.chunks(per_line).enumerate() {
        line(&mut lines, Some(from + index * per_line), octets, per_line, "", style);
        if lines.len() > AT_ONCE {
            out.write_all(lines.as_bytes())?;
            lines.clear();
        }
    }
    out.write_all(lines.as_bytes())
}

fn line(page: &mut String, at: Option<usize>, octets: &[u8], per_line: usize, meaning: &str, style: &Style) {
    let hex: String = octets.iter().map(|octet| format!("{octet:02x} ")).collect();
    let printable = |&octet: &u8| if (b' '..=b'~').contains(&octet) { octet as char } else { '.' };
    let ascii: String = octets.iter().map(printable).collect();
    let place = at.map_or_else(String::new, |at| format!("{at:04x}"));
    let mut text = format!("{:INDENT$}{}  ", "", style.dim(format_args!("{place:PLACE$}")));
    let _ = write!(text, "{hex:<width$} {ascii:<per_line$}  {meaning}", width = per_line * 3);
    page.push_str(text.trim_end());
    page.push('\n');
}

/// The octets of fields that follow each other and end with an octet.
fn octets(group: &[Field]) -> Vec<u8> {
    let mut octets = Vec::new();
    // Bits that do not fill an octet yet; fields of octets begin with one.
    let (mut bits, mut count) = (0_u8, 0);
    for field in group {
        match &field.raw {
            Raw::Bytes(bytes) => octets.extend(bytes),
            Raw::Number(number) => {
                for bit in (0..field.bits.1).rev() {
                    bits = bits << 1 | (number >> bit & 1) as u8;
                    count += 1;
                    if count == 8 {
                        octets.push(bits);
                        (bits, count) = (0, 0);
                    }
                }
            }
        }
    }
    if count > 0 {
        octets.push(bits << (8 - count));
    }
    octets
}

/// `data_offset 10, reserved 0, set: syn, not set: ae cwr …`.
fn words(group: &[Field]) -> String {
    let is_flag = |field: &&Field| field.bits.1 == 1 && matches!(&*field.meaning, "set" | "not set");
    let mut parts: Vec<String> = group
        .iter()
        .filter(|field| !is_flag(field))
        .map(|field| match field.raw {
            Raw::Number(_) | Raw::Bytes(_) if group.len() > 1 => format!("{} {}", field.name, cell(field)),
            Raw::Number(_) | Raw::Bytes(_) => format!("{}  {}", field.name, cell(field)),
        })
        .collect();
    for state in ["set", "not set"] {
        let names: Vec<_> = group.iter().filter(is_flag).filter(|field| field.meaning == state).collect();
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|field| field.name).collect();
            parts.push(format!("{state}: {}", names.join(" ")));
        }
    }
    parts.join(", ")
}

/// Octets beside their meaning.
const PER_LINE: usize = 8;
/// Columns of an offset.
const PLACE: usize = 4;
const GAP: usize = 2;
/// Octets of a dump that are held before they are written.
const AT_ONCE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_of_a_long_frame_is_written_piece_by_piece() {
        struct Longest(usize, usize);
        impl io::Write for Longest {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                (self.0, self.1) = (self.0.max(octets.len()), self.1 + octets.len());
                Ok(octets.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Longest(0, 0);
        dump(&mut out, &[b'x'; 1 << 17], 0, &Style::plain(80)).expect("it takes everything");
        let Longest(longest, all) = out;
        assert!(all > 1 << 19 && longest < 2 * AT_ONCE, "{longest} of {all} octets at once");
    }
}
