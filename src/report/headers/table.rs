//! The fields of a header as a table: name, bits, what stands there, what it means.

use std::fmt::Write as _;

use tabled::builder::Builder;
use tabled::settings::Padding;
use tabled::settings::style::HorizontalLine;

use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::report::headers::page::GAP;
use crate::report::headers::page::INDENT;
use crate::report::headers::page::MEANING_LEAST;
use crate::report::headers::page::cell;
use crate::report::headers::page::wrapped;
use crate::report::line::columns;
use crate::report::style::Style;

/// Writes the fields of one header.
pub(super) fn write(page: &mut String, fields: &[Field], style: &Style) {
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

const HEADER: [&str; 4] = ["field", "bits", "raw", "meaning"];
/// `0x` and twelve digits, a MAC address.
const RAW: usize = 14;
/// Octets written apart that fit into [`RAW`].
const RAW_OCTETS: usize = 5;
