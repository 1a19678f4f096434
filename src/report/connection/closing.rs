//! How it closed: the packets with their sums, who closed first and how, who waits (RFC 9293 §3.6).

use crate::report::connection::MAX_LINES;
use crate::report::connection::PAYLOAD;
use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::closing;

/// The packets that closed it.
#[derive(Debug, Default)]
pub(super) struct Closing {
    lines: Vec<Facts>,
    more: u64,
}

impl Section for Closing {
    fn packet(&mut self, segment: &Segment<'_>) {
        if !segment.closes() || segment.opens() {
            return;
        }
        if self.lines.len() < MAX_LINES {
            self.lines.push(segment.line(PAYLOAD));
        } else {
            self.more += 1;
        }
    }

    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        page.sections("closing", &self.lines);
        let mut more = Facts::default();
        if self.more > 0 {
            more.say(Ink::Dim, format!("… and {} more", text::count(self.more)));
        }
        page.section("", &more);
        page.section(if self.lines.is_empty() { "closing" } else { "" }, &closing::end_of(told.ended));
    }
}
