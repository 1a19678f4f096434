//! What the capture cannot know of this connection: found, open, or ruled out.

use crate::pipeline::trial::of_connection;
use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::page::INDENT;
use crate::report::page::Page;
use crate::report::trial;

/// Keeps nothing: the connection knows.
#[derive(Debug)]
pub(super) struct Trial;

impl Section for Trial {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        let items = of_connection(told.ended.connection, &told.ended.blind);
        page.text.push_str(&trial::section(&items, INDENT, page.style));
    }
}
