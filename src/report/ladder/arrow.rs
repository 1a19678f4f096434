//! Lifelines and the arrows between them, by columns.

use crate::report::line::columns;

/// `  │ ── SYN ─▶ │` between two lifelines `inner` columns apart: single lines, or double ones for data.
pub(super) fn arrow(to_right: bool, double: bool, words: &str, inner: usize) -> String {
    let stroke = if double { '═' } else { '─' };
    let run = |len: usize| std::iter::repeat_n(stroke, len).collect::<String>();
    let words = if words.is_empty() { String::new() } else { format!(" {words} ") };
    // The stroke in front of the words is short, so that they stand near their sender.
    let body = inner.saturating_sub(3);
    let short = if words.is_empty() { 0 } else { 2 };
    let long = body.saturating_sub(short + columns(&words));
    if to_right {
        format!(" {}{words}{}▶ ", run(short), run(long))
    } else {
        format!(" ◀{}{words}{} ", run(long), run(short))
    }
}

/// Columns of an arrow that its words cannot have: a blank at each end, the point, two of stroke and a blank before
/// the words, a blank and one of stroke after them.
pub(super) const ARROW: usize = 8;

/// `  │text   │`.
pub(super) fn between(lifeline: char, text: &str, inner: usize) -> String {
    format!("  {lifeline}{text:<inner$}{lifeline}")
}

/// Words too long for an arrow, on lines of their own above it.
pub(super) fn wrapped(words: &str, inner: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in words.split(' ') {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > inner {
            lines.push_str(&between('│', &line, inner));
            lines.push('\n');
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&between('│', &line, inner));
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_is_as_long_as_its_room_whatever_it_carries() {
        for words in ["", "SYN", "6 B seq 1..7"] {
            for (to_right, double) in [(true, false), (false, true)] {
                assert_eq!(columns(&arrow(to_right, double, words, 30)), 30, "{words}");
            }
        }
        assert_eq!(arrow(true, false, "SYN", 16), " ── SYN ──────▶ ");
        assert_eq!(arrow(false, true, "SYN", 16), " ◀══════ SYN ══ ");
    }

    #[test]
    fn words_that_fill_their_room_keep_one_stroke() {
        let words = "x".repeat(20);
        assert_eq!(arrow(true, false, &words, 20 + ARROW), format!(" ── {words} ─▶ "));
    }

    #[test]
    fn long_words_stand_above_the_arrow_within_the_lifelines() {
        assert_eq!(wrapped("one two three", 10), "  │ one two  │\n  │ three    │\n");
    }
}
