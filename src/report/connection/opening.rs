//! How it opened: the packets with their sums, the outcome, what both sides agreed on (RFC 9293 §3.5, RFC 7323 §2, §3).

use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::Span;
use crate::report::connection::MAX_LINES;
use crate::report::connection::PAYLOAD;
use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::tcp::Connection;
use crate::tcp::Outcome;
use crate::tcp::Side;

/// The packets that opened it.
#[derive(Debug, Default)]
pub(super) struct Opening {
    lines: Vec<Facts>,
    more: u64,
}

impl Section for Opening {
    fn packet(&mut self, segment: &Segment<'_>) {
        if !segment.opens() {
            return;
        }
        if self.lines.len() < MAX_LINES {
            self.lines.push(segment.line(PAYLOAD));
        } else {
            self.more += 1;
        }
    }

    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        let connection = told.ended.connection;
        page.sections("opening", &self.lines);
        let mut more = Facts::default();
        if self.more > 0 {
            more.say(Ink::Dim, format!("… and {} more", text::count(self.more)));
        }
        page.section("", &more);
        page.section(if self.lines.is_empty() { "opening" } else { "" }, &outcome(connection));
        page.section("agreed", &agreed(connection));
    }
}

fn outcome(connection: &Connection) -> Facts {
    let mut facts = Facts::default();
    let outcome = connection.outcome();
    let ink = match outcome {
        Outcome::Established | Outcome::EstablishedAckLost | Outcome::Simultaneous | Outcome::FastOpen => Ink::Good,
        Outcome::HalfOpen | Outcome::Refused | Outcome::Unreachable | Outcome::NoAnswer => Ink::Bad,
        Outcome::NotSeen | Outcome::Partial => Ink::Warn,
    };
    facts.say(ink, outcome.name());
    let handshake = &connection.handshake;
    match (handshake.server_rtt, handshake.client_rtt) {
        (Some(server), Some(client)) => {
            let sum = Span(server.0.saturating_add(client.0));
            let told = [sum, server, client].map(text::span);
            facts.plain(format!("rtt {} = {} server side + {} client side", told[0], told[1], told[2]));
        }
        (Some(server), None) => facts.plain(format!("server side {}, client side not seen", text::span(server))),
        (None, Some(client)) => facts.plain(format!("client side {}, server side not seen", text::span(client))),
        (None, None) => {}
    }
    let unknown = [handshake.syn_ack_check, handshake.ack_check].into_iter().flatten().find_map(|check| match check {
        Verdict::CannotTell(gap) => Some(gap),
        Verdict::Holds | Verdict::Broken(_) => None,
    });
    let unknown = unknown.or((outcome == Outcome::NotSeen).then_some(Gap::NoHandshake));
    if let Some(gap) = unknown {
        facts.say(Ink::Dim, format!("cannot tell: {gap}"));
    }
    facts
}

/// What both SYNs offered holds; what one of them did not is off (RFC 7323 §2.2, §3.2; RFC 2018 §2).
fn agreed(connection: &Connection) -> Facts {
    let mut facts = Facts::default();
    let sides = [Side::Client, Side::Server];
    if !sides.iter().all(|&side| connection.side(side).offer.seen) {
        return facts;
    }
    let yes = |agreed: bool| if agreed { "on" } else { "off" };
    let scales = sides.map(|side| connection.side(side).offer.wscale);
    if scales.iter().all(Option::is_some) {
        for side in sides {
            let shift = connection.window_scale(side).unwrap_or(0);
            let way = arrow(connection, side);
            facts.plain(format!("{way} windows × 2^{shift} = {}", 1_u32 << shift.min(14)));
        }
    } else {
        facts.plain("window scale off");
    }
    facts.plain(format!("SACK {}", yes(connection.sack_agreed())));
    facts.plain(format!("timestamps {}", yes(connection.timestamps_agreed())));
    facts
}
