//! One packet explained: its cause, the sum behind it, what else was considered and what would decide, what follows,
//! Wireshark's flags and why ours differ where they do.
//!
//! Sees every packet in order and keeps what it needs of the wanted one, and a few lines of what comes later.
//! Decides nothing: verdicts come from [`tcp::verdict`](crate::tcp::verdict), facts from the screens' common words.
//! [`catalogue`] prints the codes themselves, [`stream`] tells what is noteworthy on a whole connection.

pub mod catalogue;
pub mod stream;

mod after;
mod because;
mod datagram;
mod does;
mod object;
mod reasons;
mod sum;
mod tcb;
mod wireshark;

use std::io;
use std::io::Write;

use serde_json::Value;

use crate::finding::Code;
use crate::packet::Packet;
use crate::packet::TcpHeader;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::pipeline::trial::of_connection;
use crate::report::explain::after::After;
use crate::report::explain::because::Reading;
use crate::report::explain::object::Explanation;
use crate::report::json;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::trial;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::tcp::Side;
use crate::tcp::dialect::Tags;

/// Explains one frame of a capture.
#[derive(Debug)]
pub struct Explainer {
    style: Style,
    wanted: u64,
    state: bool,
    subject: Option<Subject>,
}

/// The wanted frame, with everything about it that can be said at once.
#[derive(Debug)]
struct Subject {
    head: String,
    cause: Option<Cause>,
    does: Facts,
    because: Vec<Facts>,
    rules: Vec<Facts>,
    instead: Vec<Facts>,
    /// What the capture itself cannot know.
    capture: Vec<Facts>,
    wireshark: Vec<Facts>,
    sources: Vec<&'static str>,
    state: String,
    after: After,
    /// Every judgement, and every item of the capture's trial, for programs.
    verdicts: Vec<Value>,
    trial: Vec<Value>,
}

/// The headline.
#[derive(Debug)]
struct Cause {
    title: String,
    code: Code,
    ink: Ink,
    /// Nothing else fits, or something could not be told.
    sure: bool,
}

impl Explainer {
    /// Explains the frame of this number; with `state` also what is known of both ends after it.
    pub const fn new(style: Style, frame: u64, state: bool) -> Self {
        Self { style, wanted: frame, state, subject: None }
    }

    /// Takes one packet, in capture order. `tags` are what Wireshark would say of it.
    pub fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>, tags: Option<&Tags>) {
        if packet.meta.number == self.wanted {
            self.subject = Some(self.explain(packet, seen, tags));
        } else if let Some(subject) = &mut self.subject {
            subject.after.packet(packet, seen, &self.style);
        }
    }

    /// Nothing that comes later can add to what is known; further packets need not be shown.
    pub fn has_enough(&self) -> bool {
        self.subject.as_ref().is_some_and(|subject| subject.after.has_enough())
    }

    /// Writes the explanation. `false` where the frame never came.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<bool> {
        let Some(subject) = self.subject else { return Ok(false) };
        out.write_all(subject.written(&self.style).as_bytes())?;
        Ok(true)
    }

    /// Writes the same as an object, one line. `false` where the frame never came.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish_object(self, out: &mut dyn Write, file: &str) -> io::Result<bool> {
        let Some(subject) = self.subject else { return Ok(false) };
        json::line(out, &Explanation::of(file, self.wanted, &subject))?;
        Ok(true)
    }

    fn explain(&self, packet: &Packet<'_>, seen: &Seen<'_>, tags: Option<&Tags>) -> Subject {
        match (seen, packet.tcp()) {
            (Seen::Tcp(seen), Some(tcp)) => self.segment(packet, tcp, seen, tags),
            _ => datagram::subject(packet, seen, &self.style),
        }
    }

    fn segment(&self, packet: &Packet<'_>, tcp: &TcpHeader<'_>, seen: &TcpSeen<'_>, tags: Option<&Tags>) -> Subject {
        let segment = Segment { packet, tcp, seen, style: &self.style };
        let reading = Reading::of(&segment);
        let mut sources = reading.sources();
        if sources.is_empty() {
            sources = does::sources(&segment);
        }
        let cause = reading.cause();
        let items = of_connection(seen.connection, &seen.blind);
        // Alternatives there are only where there is a cause.
        let capture = if cause.is_some() { trial::beside(&items, seen.judgements) } else { Vec::new() };
        Subject {
            head: head(&segment),
            cause,
            does: does::facts(&segment),
            because: reading.because(),
            rules: reading.rules(),
            instead: reading.instead(),
            capture,
            wireshark: tags.map(|tags| wireshark::facts(tags, &segment)).unwrap_or_default(),
            sources,
            state: if self.state { tcb::table(&segment) } else { String::new() },
            after: After::of(&segment),
            verdicts: trial::objects(seen.judgements),
            trial: trial::objects(&items),
        }
    }
}

impl Subject {
    /// Where the rules stand, those of what follows behind.
    fn all_sources(&self) -> Vec<&'static str> {
        let mut sources = self.sources.clone();
        sources.extend(self.after.sources());
        sources.dedup();
        sources
    }

    fn written(self, style: &Style) -> String {
        let mut page = Page::new(style);
        page.head(&self.head);
        let proof = self.after.proof();
        if let Some(cause) = &self.cause {
            let mut facts = Facts::default();
            facts.say(cause.ink, cause.title.as_str());
            if let Some(proof) = proof {
                facts.say(cause.ink, proof);
            }
            if cause.title != cause.code.as_str().replace('-', " ") {
                facts.say(Ink::Dim, cause.code.as_str());
            }
            if !cause.sure && proof.is_none() {
                facts.plain("likely, not certain");
            }
            page.section("cause", &facts);
        }
        page.section("does", &self.does);
        page.sections(if self.cause.is_some() { "because" } else { "sum" }, &self.because);
        page.sections("and", &self.after.proofs());
        page.sections("rules", &self.rules);
        page.sections("instead?", &self.instead);
        page.sections("capture", &self.capture);
        page.sections("wireshark", &self.wireshark);
        page.sections("next", &self.after.next());
        let mut source = Facts::default();
        for rfc in unique(&self.all_sources()) {
            source.say(Ink::Dim, rfc);
        }
        page.section("source", &source);
        page.text + &self.state
    }
}

/// `packet 8  10.0.0.1:57948 → 10.0.0.2:47023  14875 B  (C→S #0 +0.012300 s)`.
fn head(segment: &Segment<'_>) -> String {
    let (seen, meta) = (segment.seen, segment.packet.meta);
    let (from, to) = if seen.side == Side::Client { (seen.client, seen.server) } else { (seen.server, seen.client) };
    let since = text::seconds(meta.at.since(seen.connection.first.at));
    let way = arrow(seen.connection, seen.side);
    format!("packet {}  {from} → {to}  {}  ({way} #{} +{since} s)", meta.number, segment.verb(), seen.stream)
}

/// RFC sections without repetitions: `RFC 9293 §3.4`, each once.
fn unique(sources: &[&'static str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut document = "";
    for section in sources.iter().flat_map(|source| source.split("; ")) {
        // "§3.10.7.3" alone goes on with the document before it.
        let whole = if section.starts_with('§') { format!("{document} {section}") } else { section.to_owned() };
        if !section.starts_with('§') {
            document = section.split(" §").next().unwrap_or(section);
        }
        if !all.contains(&whole) {
            all.push(whole);
        }
    }
    all
}

#[cfg(test)]
mod tests;
