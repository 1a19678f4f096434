//! What is wrong with it, or worth knowing: each finding with its sum, then how often what was seen on its segments.

use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words;

/// Keeps nothing: the findings come with the end.
#[derive(Debug)]
pub(super) struct Findings;

impl Section for Findings {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        if told.findings.is_empty() {
            let mut none = Facts::default();
            none.say(Ink::Good, "none");
            page.section("findings", &none);
        }
        for (index, finding) in told.findings.iter().enumerate() {
            page.section(if index == 0 { "findings" } else { "" }, &words::finding(finding));
        }
        let mut more = Facts::default();
        if told.more_findings > 0 {
            more.say(Ink::Dim, format!("… and {} more", text::count(told.more_findings)));
        }
        page.section("", &more);
        let mut counts = Facts::default();
        for count in told.ended.connection.counts() {
            counts.plain(format!("{} × {}", text::count(count.count.into()), count.code));
        }
        page.section("segments", &counts);
    }
}
