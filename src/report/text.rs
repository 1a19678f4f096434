//! Numbers, times and octets as people read them, and payload made harmless.
//!
//! Payload comes from strangers: nothing of it reaches a terminal that could move the cursor, turn the writing
//! direction round or take more columns than it is counted for.

use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::packet::Span;
use crate::packet::Timestamp;

/// `10 µs`, `2.65 ms`, `30.0 s`, `2 h 4 min`: [`Span::human`].
pub fn span(span: Span) -> String {
    span.human()
}

/// `14875 B`; from a hundred thousand on `3.0 MB`, by powers of ten.
pub fn octets(octets: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (1_000, "kB"),
        (1_000_000, "MB"),
        (1_000_000_000, "GB"),
        (1_000_000_000_000, "TB"),
        (1_000_000_000_000_000, "PB"),
    ];
    if octets < 100_000 {
        return format!("{octets} B");
    }
    // Half a tenth below the next unit rounds up to it.
    let (unit, name) =
        UNITS.into_iter().rfind(|(unit, _)| octets.saturating_add(unit / 20_000) >= *unit).unwrap_or(UNITS[0]);
    format!("{:.1} {name}", octets as f64 / unit as f64)
}

/// A total with its thousands apart: `1,500,000`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The clauses of a rule's sum with its numbers filled in; a clause whose numbers are not there is left out.
pub fn filled(sum: &str, number: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let clause = |clause: &str| {
        let (mut filled, mut rest) = (String::new(), clause);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&number(name)?);
            rest = behind;
        }
        Some(filled + rest)
    };
    sum.split("; ").filter(|text| !text.is_empty()).filter_map(clause).collect()
}

/// `2023-11-14 22:13:20.123456 UTC`; nine decimals where the stamp has them.
pub fn utc(at: Timestamp) -> String {
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())) else {
        return format!("{at} s");
    };
    let stamp = stamp.to_zoned(TimeZone::UTC);
    let format = if at.nanos() % 1_000 == 0 { "%Y-%m-%d %H:%M:%S%.6f UTC" } else { "%Y-%m-%d %H:%M:%S%.9f UTC" };
    stamp.strftime(format).to_string()
}

/// Seconds with six decimals, cut and not rounded, as `tcpdump` does: `0.000010`, `-1.500000`.
pub fn seconds(span: Span) -> String {
    let sign = if span.0 < 0 { "-" } else { "" };
    let micros = span.0.unsigned_abs() / MICRO;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Payload between quotation marks, escaped: `"{\"A\":7}\n"`; octets that are mostly no text as `binary 00 ff 1b`.
///
/// `max` limits the columns between the quotation marks, or those of the hexadecimal digits; `…` stands where
/// something was left out. Each character of the result is one column wide.
pub fn preview(payload: &[u8], max: usize) -> String {
    let sample = &payload[..payload.len().min(SAMPLE)];
    let strange = sample.utf8_chunks().fold(0, |strange, chunk| {
        strange + chunk.invalid().len() + chunk.valid().chars().filter(|&c| !is_text(c)).count()
    });
    if strange * 3 > sample.len() { binary(payload, max) } else { quoted(payload, max) }
}

/// Text with everything taken out that could do something to a terminal: controls become `\x1b`, and so on.
pub fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c) || is_report_sign(c) {
            safe.push(c);
        } else {
            escape(&mut safe, c);
        }
    }
    safe
}

fn quoted(payload: &[u8], max: usize) -> String {
    // No character has more than four octets, so nothing behind these fits in.
    let looked_at = &payload[..payload.len().min(max.saturating_add(1).saturating_mul(4))];
    let mut text = String::from('"');
    let mut room = max;
    let whole = looked_at.utf8_chunks().all(|chunk| {
        chunk.valid().chars().all(|c| push_if_it_fits(&mut text, &mut room, |piece| push_char(piece, c)))
            && chunk.invalid().iter().all(|octet| {
                push_if_it_fits(&mut text, &mut room, |piece| {
                    let _ = write!(piece, "\\x{octet:02x}");
                })
            })
    });
    text.push('"');
    if !whole || looked_at.len() < payload.len() {
        text.push('…');
    }
    text
}

fn push_if_it_fits(text: &mut String, room: &mut usize, push: impl FnOnce(&mut String)) -> bool {
    let before = text.len();
    push(text);
    match room.checked_sub(text[before..].chars().count()) {
        Some(left) => {
            *room = left;
            true
        }
        None => {
            text.truncate(before);
            false
        }
    }
}

fn push_char(text: &mut String, c: char) {
    match c {
        '"' | '\\' => text.extend(['\\', c]),
        c if is_shown(c) => text.push(c),
        c => escape(text, c),
    }
}

fn binary(payload: &[u8], max: usize) -> String {
    let shown = payload.len().min(max.div_ceil(3).max(1));
    let mut text = String::from("binary");
    for octet in &payload[..shown] {
        let _ = write!(text, " {octet:02x}");
    }
    if shown < payload.len() {
        text.push_str(" …");
    }
    text
}

fn escape(out: &mut String, c: char) {
    let _ = match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        c if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c)),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
}

/// Printable, one column wide in every font, written from left to right.
fn is_shown(c: char) -> bool {
    match c {
        ' '..='~' => true,
        // Latin, Greek and Cyrillic letters; combining marks and soft hyphens are none.
        '\u{a1}'..='\u{24f}' | '\u{370}'..='\u{52f}' => c.is_alphanumeric(),
        _ => false,
    }
}

/// Signs that reports write themselves.
fn is_report_sign(c: char) -> bool {
    "→←↔✓✗·…µ−×–—§≥≤≠▶◀".contains(c)
}

/// Counts as text when payload is judged: shown, or a line's usual white space.
fn is_text(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t') || c == ' ' || is_shown(c) || (!c.is_control() && c.is_alphabetic())
}

const MICRO: u64 = 1_000;
/// Octets looked at to tell text from binary.
const SAMPLE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_three_digits_and_the_unit_that_fits() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (10_000, "10 µs"),
            (9_500, "9.5 µs"),
            (85_000, "85 µs"),
            (999_700, "1.00 ms"),
            (2_651_000, "2.65 ms"),
            (9_996_000, "10.0 ms"),
            (213_400_000, "213 ms"),
            (30_000_000_000, "30.0 s"),
            (119_000_000_000, "119 s"),
            (125_000_000_000, "2 min 5 s"),
            (7_440_000_000_000, "2 h 4 min"),
            (360_000_000_000_000, "4 d 4 h"),
            (-5_000, "−5 µs"),
        ];
        for (nanos, text) in cases {
            assert_eq!(span(Span(nanos)), text, "{nanos} ns");
        }
        assert_eq!(span(Span(i64::MIN)), "−106751 d 23 h");
    }

    #[test]
    fn octets_are_exact_while_short_and_counts_are_grouped() {
        assert_eq!(octets(14_875), "14875 B");
        assert_eq!(octets(113_099), "113.1 kB");
        assert_eq!(octets(999_960), "1.0 MB");
        assert_eq!(octets(3_000_000), "3.0 MB");
        assert_eq!(octets(u64::MAX), "18446.7 PB");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_500_000), "1,500,000");
        assert_eq!(count(12_345), "12,345");
    }

    #[test]
    fn times_are_written_in_utc_with_as_many_decimals_as_the_stamp_has() {
        let at = Timestamp::from_parts(1_700_000_000, 123_456_000);
        assert_eq!(utc(at), "2023-11-14 22:13:20.123456 UTC");
        assert_eq!(utc(at.plus(Span(7))), "2023-11-14 22:13:20.123456007 UTC");
        assert_eq!(utc(Timestamp::from_nanos(-1)), "1969-12-31 23:59:59.999999999 UTC");
        assert_eq!(seconds(Span(-1_500_000_999)), "-1.500000");
    }

    #[test]
    fn payload_is_quoted_and_escaped_and_cut_where_the_room_ends() {
        assert_eq!(preview(b"{\"A\":7}\n", 40), r#""{\"A\":7}\n""#);
        assert_eq!(preview(b"hello world", 5), "\"hello\"…");
        assert_eq!(preview(b"12345\n", 6), "\"12345\"…");
        assert_eq!(preview("größe".as_bytes(), 40), "\"größe\"");
        assert_eq!(preview(b"", 40), "\"\"");
    }

    #[test]
    fn binary_payload_is_shown_in_hexadecimal() {
        assert_eq!(preview(&[0, 0xff, 0x1b], 40), "binary 00 ff 1b");
        assert_eq!(preview(&[0; 100], 6), "binary 00 00 …");
    }

    #[test]
    fn no_payload_can_move_the_cursor_or_turn_the_direction_of_writing() {
        let nasty = "ok \x1b[2J\x07\u{202e}\u{200b}\u{9b}\u{301}\u{4e2d} text that is long enough to be text";
        for shown in [preview(nasty.as_bytes(), 200), harmless(nasty)] {
            assert!(shown.chars().all(|c| is_shown(c) || c == '…'), "{shown}");
            assert!(shown.contains("\\x1b[2J\\x07\\u{202e}\\u{200b}\\u{9b}\\u{301}\\u{4e2d} text"), "{shown}");
        }
    }

    #[test]
    fn every_single_octet_is_harmless_in_a_preview() {
        for octet in 0..=u8::MAX {
            for payload in [vec![octet], [b"text in front of ", &[octet][..]].concat()] {
                let shown = preview(&payload, 40);
                assert!(shown.chars().all(|c| is_shown(c) || c == '…'), "{octet:#04x}: {shown}");
            }
        }
    }
}
