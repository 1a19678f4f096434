//! What a capture file remarks on a frame.

use std::io;
use std::io::Write;

use crate::report::findings::wrapped;
use crate::report::style::Style;
use crate::report::text;
use crate::report::text::harmless;
use crate::source::Notes;

/// Writes a line for each remark, nothing where there is none.
///
/// # Errors
/// Those of the writer.
pub fn notes(out: &mut dyn Write, notes: &Notes, style: &Style) -> io::Result<()> {
    let mut line = |what: String| writeln!(out, "  {}", wrapped(&what, 2, 4, style.width));
    for comment in &notes.comments {
        line(format!("comment: {}", harmless(comment)))?;
    }
    if let Some(direction) = notes.direction {
        line(format!("direction: {direction}"))?;
    }
    if let Some(dropped) = notes.dropped.filter(|&dropped| dropped > 0) {
        line(format!("the capture lost {} frames before this one", text::count(dropped)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remark_has_its_line_and_cannot_reach_the_terminal() {
        let mut out = Vec::new();
        let comments = vec!["look\u{1b}[2J here".to_owned()];
        let remarked = Notes { comments, direction: Some("outbound"), dropped: Some(3) };
        notes(&mut out, &remarked, &Style::default()).expect("a vector");
        notes(&mut out, &Notes::default(), &Style::default()).expect("a vector");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("  comment: look") && !text.contains('\u{1b}'), "{text}");
        assert!(text.ends_with("  direction: outbound\n  the capture lost 3 frames before this one\n"), "{text}");
    }
}
