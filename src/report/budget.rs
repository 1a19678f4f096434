//! Where the time of a connection went, for people: the parts, what held it back, and what would cure it.
//!
//! The parts and their rules are `tcp::budget`'s; here they get words. Printed shares add up to 100.0 %.

use std::cmp::Reverse;
use std::io;
use std::io::Write;

use crate::finding::Code;
use crate::flow::EndedConnection;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::several;
use crate::report::worst::Worst;
use crate::tcp::EndpointView;
use crate::tcp::Side;
use crate::tcp::budget::Part;
use crate::tcp::budget::TimeBudget;
use crate::tcp::verdict::Number;

/// The connections of a capture that were held back most.
#[derive(Debug)]
pub(super) struct Budgets {
    rows: Worst<(u64, Reverse<u64>), Row>,
}

impl Budgets {
    /// At most `rows` of them.
    pub(super) fn new(rows: usize) -> Self {
        Self { rows: Worst::new(rows) }
    }

    /// Takes a connection that is over.
    pub(super) fn add(&mut self, ended: &EndedConnection<'_>) {
        if let Some(row) = Row::of(ended).filter(Row::is_worth_telling) {
            self.rows.add((row.budget.held_back(), Reverse(row.stream)), row);
        }
    }

    /// Writes them, the most held back first.
    ///
    /// # Errors
    /// Those of the writer.
    pub(super) fn write(self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let (seen, left_out) = (self.rows.seen(), self.rows.left_out());
        if seen == 0 {
            return Ok(());
        }
        let head = if seen > 1 { "where the time went, the most held back first" } else { "where the time went" };
        writeln!(out)?;
        writeln!(out, "{}", style.bold(head))?;
        for row in self.rows.sorted() {
            row.write(out, style)?;
        }
        if left_out > 0 {
            let (told, all) = (text::count(seen - left_out), text::count(seen));
            writeln!(out, "{INDENT}… {told} of {all} that were held back; --stream N tells any connection's")?;
        }
        Ok(())
    }
}

/// What is told of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    stream: u64,
    client: Endpoint,
    server: Endpoint,
    octets: u64,
    /// Octets, each counted once.
    unique: u64,
    budget: TimeBudget,
    rtt: Option<Span>,
    /// Window and segment size where the one was smaller than the other.
    small: Option<(u64, u64)>,
    answers: u32,
    longest: Span,
}

impl Row {
    /// Of a connection that is over; nothing where its time was not kept.
    pub(super) fn of(ended: &EndedConnection<'_>) -> Option<Self> {
        let connection = ended.connection;
        let budget = connection.time_budget()?;
        let small = connection.counts().iter().find(|count| count.code == Code::WindowUnderSegment);
        let input = |name| match small?.first.input(name)? {
            Number::Count(count) => Some(count),
            Number::Seq(_) | Number::PeerSeq(_) | Number::Span(_) | Number::Word(_) => None,
        };
        let sum = |octets: fn(&EndpointView) -> u64| {
            [Side::Client, Side::Server]
                .map(|side| octets(connection.side(side)))
                .into_iter()
                .fold(0, u64::saturating_add)
        };
        Some(Self {
            stream: ended.stream,
            client: ended.client,
            server: ended.server,
            octets: sum(|view| view.bytes),
            unique: sum(|view| view.unique_bytes),
            budget,
            rtt: connection.handshake.rtt(),
            small: input("window").zip(input("mss")),
            answers: connection.turns.answers,
            longest: connection.turns.longest,
        })
    }

    /// A tenth of its life, and more than people notice.
    pub(super) fn is_worth_telling(&self) -> bool {
        let held = self.budget.held_back();
        held >= NOTICED && held >= self.budget.total() / 10
    }

    /// `HELD BACK BY A SMALL WINDOW 96.3 %`; its parts, the longest first; what held it back, and what would cure it.
    pub(super) fn lines(&self) -> Vec<Facts> {
        let line = |ink, text: String| {
            let mut facts = Facts::default();
            facts.say(ink, text);
            facts
        };
        let Some(permille) = self.budget.permille() else { return vec![line(Ink::Dim, "no time passed".to_owned())] };
        let held = |part: &Part| permille[*part as usize] >= 100 && self.budget.nanos(*part) >= NOTICED;
        let worst = self.budget.worst().filter(held);
        let longest = Part::ALL.into_iter().rev().max_by_key(|part| self.budget.nanos(*part)).unwrap_or(Part::Idle);
        let named = worst.unwrap_or(longest);
        let ink = if worst.is_some() { Ink::Warn } else { Ink::Plain };
        let head = line(ink, format!("{} {}", headline(named), percent(permille[named as usize])));
        let mut lines = vec![head, self.parts(&permille)];
        if let Some((reason, cure)) = worst.map(|part| self.reason(part)) {
            lines.extend([line(Ink::Plain, reason), line(Ink::Plain, format!("Cure: {cure}"))]);
        }
        lines
    }

    fn write(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let total = Span(i64::try_from(self.budget.total()).unwrap_or(i64::MAX));
        let mut head = Facts::default();
        head.say(Ink::Bold, format!("#{} {} → {}", self.stream, self.client, self.server));
        head.plain(text::octets(self.octets));
        head.plain(text::span(total));
        let mut lines = self.lines().into_iter();
        head.append(lines.next().unwrap_or_default());
        let mut told = String::new();
        head.write(&mut told, 0, "", INDENT.len(), style);
        for line in lines {
            told.push_str(INDENT);
            line.write(&mut told, INDENT.len(), "", INDENT.len(), style);
        }
        out.write_all(told.as_bytes())
    }

    /// `window under one segment 99.1 % (351 waits) · zero window 0.8 % (352 waits) · rest 0.1 %`.
    fn parts(&self, permille: &[u32; Part::ALL.len()]) -> Facts {
        let mut parts: Vec<Part> = Part::ALL.into_iter().filter(|part| self.budget.nanos(*part) > 0).collect();
        parts.sort_by_key(|part| Reverse(self.budget.nanos(*part)));
        let mut told = Facts::default();
        for &part in parts.iter().filter(|part| permille[**part as usize] > 0) {
            let waits = match part.holds_back() {
                true => format!(" ({})", several(self.budget.waits(part).into(), "wait")),
                false => String::new(),
            };
            told.plain(format!("{} {}{waits}", name(part), percent(permille[part as usize])));
        }
        if parts.iter().any(|part| permille[*part as usize] == 0) {
            told.plain("rest 0.0 %");
        }
        told
    }

    /// What held it back, with its sum, and what would cure it.
    fn reason(&self, part: Part) -> (String, String) {
        let waits = u64::from(self.budget.waits(part)).max(1);
        let mean = Span(self.budget.span(part).0 / waits as i64);
        let (times, each) = (several(waits, "time"), text::span(mean));
        match part {
            Part::SmallWindow => self.small_window(mean),
            Part::ZeroWindow => (
                format!(
                    "the receiver had no room {times}, {each} on average: its program did not read (RFC 9293 §3.8.6.1)"
                ),
                "a receiving program that reads sooner or faster; no link and no buffer makes up for it".to_owned(),
            ),
            Part::FullWindow => self.full_window(),
            Part::FastRecovery => (
                format!(
                    "segments were lost and asked for again; {times} it waited for that, {each} on average (RFC 5681 §3.2)"
                ),
                "the link or queue that loses them: compare a capture at the other end".to_owned(),
            ),
            Part::TimeoutRecovery => (
                format!(
                    "{times} it waited for a retransmission timer or for what it mended, {each} on average (RFC 6298 §5)"
                ),
                "the link that loses them; timers run out where nothing behind a loss can ask for it".to_owned(),
            ),
            Part::ProbeRecovery => (
                format!(
                    "the last segment before a pause had to be sent again, {times}, {each} on average (RFC 8985 §7)"
                ),
                "the link that loses them, or an acknowledgment that comes too late for the sender".to_owned(),
            ),
            Part::OtherRecovery => (
                format!("segments were sent again, {times}, {each} on average, and the capture does not show why"),
                "not known: capture at the sender, from the SYN on".to_owned(),
            ),
            Part::ServerThinking => (
                format!(
                    "{times} the server took its time, {each} on average, the way there and back not counted; the longest of {} came after {}",
                    several(self.answers.into(), "answer"),
                    text::span(self.longest)
                ),
                "in the server's program, or what it waits for; not in the network".to_owned(),
            ),
            Part::SenderLimited => (
                format!("{times} the sender paused, {each} on average, with room to send and nothing missing"),
                "in the sending program: write earlier or in larger pieces; the network waited for it".to_owned(),
            ),
            Part::Handshake | Part::ClientThinking | Part::Transfer | Part::Idle | Part::Close => {
                debug_assert!(false, "these hold nothing back");
                (String::new(), String::new())
            }
        }
    }

    fn small_window(&self, mean: Span) -> (String, String) {
        let Some((window, mss)) = self.small else {
            let reason = "the receiver offered less than a segment, and the sender waited (RFC 9293 §3.8.6.2.1)";
            return (reason.to_owned(), "a receive buffer of at least two segments".to_owned());
        };
        let reason = format!(
            "the receiver offers {window} B, a segment holds {mss}: the sender waits for its override timer, {} each time (RFC 9293 §3.8.6.2.1). {window} B / {} = {}, seen {}",
            text::span(mean),
            text::span(mean),
            rate(window, mean),
            self.seen(),
        );
        let cure = format!("a receive buffer of at least 2 segments ({} B), not a better link", 2 * mss);
        (reason, cure)
    }

    /// New octets per second of its whole life, both directions together.
    fn seen(&self) -> String {
        rate(self.unique, Span(i64::try_from(self.budget.total()).unwrap_or(i64::MAX)))
    }

    fn full_window(&self) -> (String, String) {
        let window = u64::from(self.budget.filled_window());
        let cure = "a larger receive buffer, or fewer round trips: the window is less than the path holds".to_owned();
        let reason = match self.rtt.filter(|rtt| *rtt > Span::ZERO) {
            Some(rtt) => format!(
                "all that the receiver offers ({window} B) was on its way: {window} B / round trip {} = {} at most, seen {} (RFC 9293 §3.8.6)",
                text::span(rtt),
                rate(window, rtt),
                self.seen()
            ),
            None => format!("all that the receiver offers ({window} B) was on its way (RFC 9293 §3.8.6)"),
        };
        (reason, cure)
    }
}

const fn headline(part: Part) -> &'static str {
    match part {
        Part::SmallWindow => "HELD BACK BY A SMALL WINDOW",
        Part::ZeroWindow => "HELD BACK BY A RECEIVER WITHOUT ROOM",
        Part::FullWindow => "HELD BACK BY THE OFFERED WINDOW",
        Part::FastRecovery => "HELD BACK BY LOSS",
        Part::TimeoutRecovery => "HELD BACK BY TIMEOUTS",
        Part::ProbeRecovery => "HELD BACK BY LOSS OF LAST SEGMENTS",
        Part::OtherRecovery => "HELD BACK BY REPETITIONS",
        Part::ServerThinking => "WAITED FOR THE SERVER",
        Part::SenderLimited => "THE SENDER HELD BACK",
        Part::Handshake => "mostly opening",
        Part::ClientThinking => "mostly waiting for the client",
        Part::Transfer => "mostly transfer",
        Part::Idle => "mostly idle",
        Part::Close => "mostly closing",
    }
}

const fn name(part: Part) -> &'static str {
    match part {
        Part::Handshake => "handshake",
        Part::ClientThinking => "client thinking",
        Part::ServerThinking => "server thinking",
        Part::Transfer => "transfer",
        Part::SenderLimited => "sender paused",
        Part::ZeroWindow => "zero window",
        Part::FullWindow => "full window",
        Part::SmallWindow => "window under one segment",
        Part::FastRecovery => "fast recovery",
        Part::TimeoutRecovery => "timeout recovery",
        Part::ProbeRecovery => "tail loss probe",
        Part::OtherRecovery => "repetition unexplained",
        Part::Idle => "idle",
        Part::Close => "close",
    }
}

fn percent(permille: u32) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

/// Octets in a length of time, as octets per second.
fn rate(octets: u64, span: Span) -> String {
    let nanos = u128::from(span.0.max(1).unsigned_abs());
    let per_second = u128::from(octets) * 1_000_000_000 / nanos;
    match per_second {
        0..1_000 => format!("{per_second} B/s"),
        1_000..100_000 => format!("{:.1} kB/s", per_second as f64 / 1e3),
        _ => format!("{}/s", text::octets(u64::try_from(per_second).unwrap_or(u64::MAX))),
    }
}

const INDENT: &str = "    ";
/// Ten milliseconds, in nanoseconds.
const NOTICED: u64 = 10_000_000;
