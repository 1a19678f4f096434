//! How large its segments may be, each way, with the sum (RFC 9293 §3.7.1).

use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::line::Facts;
use crate::report::mss::Direction;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::words::arrow;
use crate::tcp::Side;

/// Keeps nothing: the connection knows.
#[derive(Debug)]
pub(super) struct SegmentSizes;

impl Section for SegmentSizes {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        let connection = told.ended.connection;
        let lines = [Side::Client, Side::Server].map(|sender| {
            let direction = Direction::of(told.ended, sender, None);
            let way = arrow(connection, sender);
            let mut facts = Facts::default();
            match &direction.effective {
                Some(sum) => facts.plain(format!("{way} {}", sum.one_line())),
                None => facts.say(Ink::Dim, format!("{way} cannot tell: the receiver's SYN was not captured")),
            }
            facts.plain(format!("largest seen {}", direction.largest_in_words()));
            facts.plain(format!("path {}", direction.path_in_words()));
            facts
        });
        page.sections("mss", &lines);
    }
}
