//! Where its time went, how long its round trips took (RFC 6298 §3, RFC 7323 §3), and how long it kept silent.

use crate::report::budget::Row;
use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::round_trips;
use crate::report::silence;

/// The parts of its life, and the sentence about them.
#[derive(Debug)]
pub(super) struct Time;

impl Section for Time {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        if let Some(row) = Row::of(told.ended) {
            page.sections("time", &row.lines());
        }
    }
}

/// Samples by direction and way of measuring.
#[derive(Debug)]
pub(super) struct RoundTrips;

impl Section for RoundTrips {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        let Some(round_trips) = told.ended.connection.round_trips() else { return };
        let Some(grid) = round_trips::grid(round_trips) else { return };
        let mut facts = Facts::default();
        facts.plain("from where the capture was made to a side and back");
        page.section("round trip", &facts);
        page.grid(grid);
        if let Some(histogram) = round_trips::histogram(round_trips) {
            page.grid(histogram);
        }
    }
}

/// Its longest gaps and its keep-alives (RFC 9293 §3.8.4), where there is something to tell.
#[derive(Debug)]
pub(super) struct Silence;

impl Section for Silence {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        if let Some(silences) = told.ended.connection.silences() {
            page.sections("silence", &silence::lines(silences));
        }
    }
}
