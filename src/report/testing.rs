//! Plays a script through decoder and analyzer into a screen, as the program does.

use crate::craft::play;
use crate::decode::decode;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::pipeline::Analyzer;
use crate::pipeline::Seen;
use crate::pipeline::Sink;

/// Passes finished things to two closures.
pub(super) struct Screen<'s> {
    pub(super) connection: &'s mut dyn FnMut(&EndedConnection<'_>),
    pub(super) exchange: &'s mut dyn FnMut(&EndedExchange<'_>),
}

impl Sink for Screen<'_> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        (self.connection)(ended);
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        (self.exchange)(ended);
    }

    fn finding(&mut self, _finding: Finding) {}
}

/// Shows every packet of a script, then what ended.
pub(super) fn watch(
    script: &str,
    mut packet: impl FnMut(&Packet<'_>, &Seen<'_>),
    mut connection: impl FnMut(&EndedConnection<'_>),
    mut exchange: impl FnMut(&EndedExchange<'_>),
) {
    let trace = play(script).unwrap_or_else(|error| panic!("{error}"));
    let mut analyzer = Analyzer::default();
    let mut screen = Screen { connection: &mut connection, exchange: &mut exchange };
    for frame in trace.frames() {
        let decoded = decode(&frame);
        let seen = analyzer.observe(&decoded, &mut screen);
        packet(&decoded, &seen);
    }
    analyzer.finish(&mut screen);
}

/// Text without its escape sequences.
pub(super) fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('\x1b') {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("an escape sequence ends");
        rest = &rest[start + end + 1..];
    }
    plain + rest
}

/// Every line fits into `width` columns.
pub(super) fn assert_fits(text: &str, width: usize) {
    for line in text.lines() {
        let columns = line.chars().count();
        assert!(columns <= width, "{columns} columns, {width} wanted: {line}");
    }
}
