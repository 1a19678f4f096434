//! When Zeek closes its books on a connection, so that the next packet begins another line of its log.
//!
//! After 5 s for an opening that nobody answered and for a connection that is over, after 1 min of silence during an
//! opening and 5 min later on, and at a SYN that cannot belong to it. All of it by trace time.

use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::zeek::end::End;
use crate::tcp::zeek::state::State;

/// An opening without answer, and a connection that is over, live so much longer.
const GRACE: Span = Span::from_secs(5);
/// Silence while it is being opened.
const OPENING_SILENCE: Span = Span::from_secs(60);
/// Silence later on.
const SILENCE: Span = Span::from_secs(300);

/// The times of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    first: Timestamp,
    /// Latest packet, as long as one end was not closed.
    last: Timestamp,
    attempt: Option<Timestamp>,
    /// An end closed while data of it was missing or unacknowledged.
    closing: bool,
    over: Option<Timestamp>,
}

impl Lifetime {
    /// Begins with the first packet.
    pub(super) const fn new(first: Timestamp) -> Self {
        Self { first, last: first, attempt: None, closing: false, over: None }
    }

    /// The books are closed by `at`.
    pub(super) fn has_ended(&self, at: Timestamp, originator: &End, responder: &End) -> bool {
        let (o, r) = (originator.standing.now, responder.standing.now);
        let unanswered = matches!(o, State::SynSent | State::SynAckSent) && r == State::Inactive;
        let silence = if o.is_opening() && r.is_opening() { OPENING_SILENCE } else { SILENCE };
        self.attempt.is_some_and(|begun| unanswered && at.since(begun) >= GRACE)
            || self.over.is_some_and(|over| at.since(over) >= GRACE)
            || at.since(self.last) >= silence
    }

    /// A packet that belongs to it.
    pub(super) fn sees(&mut self, at: Timestamp, both_closed: bool) {
        if !both_closed {
            self.last = at;
        }
    }

    /// The originator's SYN was seen.
    pub(super) fn attempts(&mut self, at: Timestamp) {
        self.attempt = self.attempt.or(Some(at));
    }

    /// An end sent its FIN or RST.
    pub(super) fn closes(&mut self, end: &mut End, peer: &End) {
        self.closing = is_pending(end, peer);
        if self.closing || end.closed {
            return;
        }
        end.closed = true;
        if end.standing.now == State::Reset || peer.closed || peer.standing.now == State::Inactive {
            self.over = Some(self.last);
        }
    }

    /// Data of `end` arrived or was acknowledged: perhaps nothing is missing any more.
    pub(super) fn check_end(&mut self, end: &mut End, peer: &End) {
        let ends = end.fin_edge.is_some() || matches!(end.standing.now, State::Closed | State::Reset);
        if end.at_end || !ends || is_pending(end, peer) {
            return;
        }
        end.at_end = true;
        if self.closing {
            self.closes(end, peer);
            self.closing = false;
        }
    }

    /// From the first packet to the last one that counts.
    pub(super) const fn lasted(&self) -> Span {
        self.last.since(self.first)
    }
}

/// A SYN that opens another connection between the same ends.
///
/// Zeek compares it with the originator's, whoever sent it: so a simultaneous open makes two lines.
pub(super) fn is_reuse(tcp: &TcpHeader<'_>, originator: &End, responder: &End) -> bool {
    let answers = tcp.flags.has(TcpFlags::ACK);
    let o = originator.standing.now;
    if !tcp.flags.has(TcpFlags::SYN) || answers && o != State::Inactive {
        return false;
    }
    if originator.closed && responder.closed {
        return true;
    }
    let known = if answers { responder } else { originator };
    let is_early_answer = !answers
        && o == State::SynAckSent
        && responder.standing.now == State::Inactive
        && tcp.seq == responder.numbers.start();
    tcp.seq != known.numbers.start() && !is_early_answer
}

/// Octets of `end` are missing, or some of its peer's wait for their acknowledgment.
fn is_pending(end: &End, peer: &End) -> bool {
    if end.sent.is_abandoned() {
        return false;
    }
    let left = end.numbers.last().wrapping_sub(end.sent.next) as i64;
    // A FIN takes one number that nobody waits for; a negative rest rests on a RST with wild numbers.
    left > 1 || left >= 0 && end.standing.now != State::Reset && peer.sent.holds_any()
}
