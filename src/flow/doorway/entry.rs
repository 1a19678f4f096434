//! An attempt as the doorway keeps it: 72 octets, with all that its connection can be followed on from.

use crate::flow::doorway::address::Address;
use crate::flow::doorway::attempt::Attempt;
use crate::flow::doorway::attempt::Marks;
use crate::flow::doorway::attempt::Outcome;
use crate::flow::doorway::attempt::Tries;
use crate::packet::Endpoint;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::Mark;
use crate::tcp::dormant::Opening;
use crate::tcp::endpoint::Offer;

/// What is known of a connection that was told of and let go, beside the attempt itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Its stream number.
    pub stream: u64,
    /// Its two segments.
    pub opening: Opening,
}

impl Kept {
    /// Nothing but its two segments has passed, so all of it is kept, and it need not be told of before it leaves.
    pub fn is_whole(&self) -> bool {
        self.opening.retries == [0; 2]
    }
}

/// A connection of which only its entry is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LetGo {
    /// What it is followed on from.
    pub kept: Kept,
    /// Who opened it.
    pub client: Endpoint,
    /// Who was called.
    pub server: Endpoint,
}

impl LetGo {
    pub(crate) fn of(attempt: &Attempt, kept: Kept) -> Self {
        let [client, server] = attempt.ports;
        Self {
            kept,
            client: Endpoint { addr: attempt.source.ip(), port: client },
            server: Endpoint { addr: attempt.server.ip(), port: server },
        }
    }
}

/// See the module. Public parts are changed in place; the others are packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Keyed hash of the tuple; 0 where the attempt has left.
    pub(super) key: u64,
    pub(super) at: i64,
    /// From first SYN to first SYN,ACK: nanoseconds (32 bits) and frames (20), all ones where there was none; then the
    /// server's TTL (8), whether the SYN,ACK is timed (1) and SYNs repeated (3).
    answered: u64,
    /// The IPv4 addresses of client and server, or the place of others among the [`Wide`](super::wide::Wide) ones.
    pub(super) ends: [u32; 2],
    ports: [u16; 2],
    frame: u32,
    /// Low half of the stream number.
    stream: u32,
    client_isn: SeqNumber,
    pub(crate) server_isn: SeqNumber,
    /// Nanoseconds that the clock of the first SYN lay behind (28 bits, all ones for too many), SYN,ACKs repeated (4).
    late: u32,
    group: u16,
    window: u16,
    server_window: u16,
    /// 0 where there was no such option.
    mss: [u16; 2],
    /// Window scales, the client's in the low half, 15 for none.
    wscales: u8,
    ttl: u8,
    pub(crate) tries: Tries,
    pub(crate) marks: Marks,
    /// Verdict in the low half, 15 for none; words of options above.
    judged: u8,
    /// Six bits of the member; what the server offered above.
    member: u8,
}

/// Most that 32, 20 and 28 bits hold; all ones is kept for "none".
const MOST_NANOS: i64 = (1 << 32) - 2;
const MOST_FRAMES: u64 = (1 << 20) - 2;
const TOO_LATE: u32 = (1 << 28) - 1;
const UNANSWERED: u64 = u64::MAX << 12;
const NO_VERDICT: u8 = 15;
const NO_SCALE: u8 = 15;
const SACK: u8 = 1 << 6;
const TIMESTAMPS: u8 = 1 << 7;

impl Entry {
    /// `ends` as they are to be kept.
    pub(super) fn new(attempt: &Attempt, ends: [u32; 2]) -> Self {
        debug_assert!(attempt.key != 0, "0 is the key of nobody");
        let late = u32::try_from(attempt.late.0).unwrap_or(TOO_LATE).min(TOO_LATE);
        let mut entry = Self {
            key: attempt.key,
            at: attempt.at,
            answered: UNANSWERED,
            ends,
            ports: attempt.ports,
            frame: attempt.frame,
            stream: 0,
            client_isn: attempt.client_isn,
            server_isn: attempt.server_isn,
            late: late << 4,
            group: attempt.group as u16,
            window: attempt.window,
            server_window: 0,
            mss: [0; 2],
            wscales: NO_SCALE | NO_SCALE << 4,
            ttl: attempt.ttl,
            tries: attempt.tries,
            marks: attempt.marks,
            judged: attempt.options.div_ceil(4) << 4,
            member: attempt.member & 63,
        };
        entry.judge(attempt.verdict);
        entry
    }

    /// Everything but the addresses, which the caller knows how to read.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt {
            key: self.key,
            source: Address::default(),
            server: Address::default(),
            ports: self.ports,
            at: self.at,
            late: Span((self.late >> 4).into()),
            frame: self.frame,
            group: self.group.into(),
            client_isn: self.client_isn,
            server_isn: self.server_isn,
            window: self.window,
            ttl: self.ttl,
            options: (self.judged >> 4) * 4,
            tries: self.tries,
            member: self.member & 63,
            verdict: Outcome::NAMED.get(usize::from(self.judged & 15)).map(|(outcome, _)| *outcome),
            marks: self.marks,
        }
    }

    /// Changes the verdict.
    pub(crate) fn judge(&mut self, verdict: Option<Outcome>) {
        let index = verdict.map_or(NO_VERDICT, |outcome| outcome.index() as u8);
        self.judged = self.judged & 0xf0 | index;
    }

    /// Takes what the connection can be followed on from. `stamp` is the time of its first segment as trace time has
    /// it. `false` where that does not fit in here: then there is nothing to be brought back.
    pub(super) fn keep(&mut self, kept: &Kept, stamp: Timestamp) -> bool {
        let Kept { stream, opening } = kept;
        let orphan = self.marks.has(Marks::ORPHAN);
        let Some(first) = opening.syn.or(opening.syn_ack) else { return false };
        let same = first.frame as u32 == self.frame
            && self.late >> 4 != TOO_LATE
            && first.at == stamp.plus(Span(-i64::from(self.late >> 4)))
            && orphan == opening.syn.is_none()
            && opening.isn[0] == self.client_isn
            && opening.ttls[usize::from(orphan)] == self.ttl
            && (opening.syn_ack.is_none() || opening.isn[1] == self.server_isn);
        let after = opening.syn_ack.map(|mark| (mark.at.since(first.at).0, mark.frame.wrapping_sub(first.frame)));
        let fits = after.is_none_or(|(nanos, frames)| (0..=MOST_NANOS).contains(&nanos) && frames <= MOST_FRAMES);
        if !same || !fits {
            return false;
        }
        let between = after.map_or(UNANSWERED, |(nanos, frames)| (nanos as u64) << 32 | frames << 12);
        let [syns, syn_acks] = opening.retries;
        self.answered = between | u64::from(opening.ttls[1]) << 4 | u64::from(opening.timed) << 3 | u64::from(syns) & 7;
        self.late = self.late & !15 | u32::from(syn_acks) & 15;
        self.stream = *stream as u32;
        self.server_window = opening.windows[1];
        self.mss = opening.offers.map(|offer| offer.mss.unwrap_or(0));
        let scale = |offer: &Offer| offer.wscale.unwrap_or(NO_SCALE) & 15;
        self.wscales = scale(&opening.offers[0]) | scale(&opening.offers[1]) << 4;
        let [client, server] = opening.offers;
        self.marks.set(Marks::CLIENT_SACK, client.sack);
        self.marks.set(Marks::CLIENT_TIMESTAMPS, client.timestamps);
        self.member = (self.member & 63) | (u8::from(server.sack) * SACK) | (u8::from(server.timestamps) * TIMESTAMPS);
        self.marks.set(Marks::LET_GO, true);
        true
    }

    /// What was taken, at a time when frames and streams have come to `now`.
    pub(crate) fn kept(&self, stamp: Timestamp, now: Mark, streams: u64) -> Option<Kept> {
        if !self.marks.has(Marks::LET_GO) {
            return None;
        }
        let first = Mark { frame: latest(self.frame, now.frame), at: stamp.plus(Span(-i64::from(self.late >> 4))) };
        let answered = (self.answered | 0xfff != u64::MAX).then(|| Mark {
            frame: first.frame + (self.answered >> 12 & (MOST_FRAMES + 1)),
            at: first.at.plus(Span((self.answered >> 32) as i64)),
        });
        let orphan = self.marks.has(Marks::ORPHAN);
        let (syn, syn_ack) = if orphan { (None, Some(first)) } else { (Some(first), answered) };
        let offer = |side: usize, seen: bool, sack: bool, timestamps: bool| Offer {
            seen,
            mss: (self.mss[side] > 0).then_some(self.mss[side]),
            wscale: Some(self.wscales >> (4 * side) & 15).filter(|&scale| scale != NO_SCALE),
            sack,
            timestamps,
            ecn: false,
        };
        let (sack, timestamps) = (self.marks.has(Marks::CLIENT_SACK), self.marks.has(Marks::CLIENT_TIMESTAMPS));
        Some(Kept {
            stream: latest(self.stream, streams),
            opening: Opening {
                syn,
                syn_ack,
                isn: [self.client_isn, if syn_ack.is_some() { self.server_isn } else { SeqNumber(0) }],
                offers: [
                    offer(0, syn.is_some(), sack, timestamps),
                    offer(1, syn_ack.is_some(), self.member & SACK != 0, self.member & TIMESTAMPS != 0),
                ],
                windows: [if orphan { 0 } else { self.window }, self.server_window],
                ttls: match orphan {
                    true => [0, self.ttl],
                    false => [self.ttl, (self.answered >> 4) as u8],
                },
                retries: [(self.answered & 7) as u16, (self.late & 15) as u16],
                timed: self.answered & 8 != 0,
            },
        })
    }
}

/// The latest number up to `now` with these low 32 bits.
fn latest(low: u32, now: u64) -> u64 {
    now.wrapping_sub(u64::from((now as u32).wrapping_sub(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

    fn attempt() -> Attempt {
        Attempt {
            key: u64::MAX,
            source: Address::default(),
            server: Address::default(),
            ports: [65_535, 1],
            at: 5,
            late: Span(77),
            frame: 4_000_000_000,
            group: 65_535,
            client_isn: SeqNumber(1),
            server_isn: SeqNumber(u32::MAX),
            window: 65_535,
            ttl: 255,
            options: 40,
            tries: Tries::new(15, 15),
            member: 63,
            verdict: None,
            marks: Marks::new(Marks::CLIENT_IS_LOW | Marks::OUTAGE),
        }
    }

    fn offer(seen: bool) -> Offer {
        Offer { seen, mss: seen.then_some(1_460), wscale: seen.then_some(14), sack: seen, timestamps: seen, ecn: false }
    }

    fn kept(syn_ack: Option<(i64, u64)>) -> Kept {
        let first = Mark { frame: 4_000_000_000, at: STAMP.plus(Span(-77)) };
        let after = |(nanos, frames): (i64, u64)| Mark { frame: first.frame + frames, at: first.at.plus(Span(nanos)) };
        let server_isn = SeqNumber(if syn_ack.is_some() { u32::MAX } else { 0 });
        let (windows, retries) = ([65_535, if syn_ack.is_some() { 7 } else { 0 }], [7, 7]);
        let offers = [offer(true), offer(syn_ack.is_some())];
        let (syn, syn_ack) = (Some(first), syn_ack.map(after));
        let isn = [SeqNumber(1), server_isn];
        let (ttls, timed) = ([255, if syn_ack.is_some() { 64 } else { 0 }], syn_ack.is_some());
        Kept { stream: 9, opening: Opening { syn, syn_ack, isn, offers, windows, ttls, retries, timed } }
    }

    #[test]
    fn an_entry_takes_what_the_documentation_says() {
        assert_eq!(size_of::<Entry>(), 72);
    }

    #[test]
    fn an_attempt_comes_back_as_it_went_in_under_every_verdict() {
        let verdicts = Outcome::NAMED.map(|(outcome, _)| Some(outcome)).into_iter().chain([None]);
        for verdict in verdicts {
            let attempt = Attempt { verdict, ..attempt() };
            assert_eq!(Entry::new(&attempt, [0; 2]).attempt(), attempt);
        }
    }

    #[test]
    fn what_a_connection_is_followed_on_from_comes_back_too() {
        let now = Mark { frame: 4_300_000_000, at: STAMP };
        for syn_ack in [None, Some((0, 1)), Some((1_000_000, 2)), Some((MOST_NANOS, MOST_FRAMES))] {
            let mut entry = Entry::new(&attempt(), [0; 2]);
            assert_eq!(entry.kept(STAMP, now, 10), None, "nothing was let go");
            assert!(entry.keep(&kept(syn_ack), STAMP));
            assert_eq!(entry.kept(STAMP, now, 10), Some(kept(syn_ack)));
            let mut marks = entry.attempt().marks;
            for bit in [Marks::CLIENT_SACK, Marks::CLIENT_TIMESTAMPS, Marks::LET_GO] {
                marks.set(bit, false);
            }
            assert_eq!(Attempt { marks, ..entry.attempt() }, attempt());
        }
    }

    #[test]
    fn what_does_not_fit_is_not_kept() {
        for syn_ack in [(MOST_NANOS + 1, 1), (1, MOST_FRAMES + 1), (-1, 1)] {
            assert!(!Entry::new(&attempt(), [0; 2]).keep(&kept(Some(syn_ack)), STAMP), "{syn_ack:?}");
        }
        let late = Attempt { late: Span(1 << 40), ..attempt() };
        assert!(!Entry::new(&late, [0; 2]).keep(&kept(None), STAMP));
        assert!(!Entry::new(&attempt(), [0; 2]).keep(&kept(None), STAMP.plus(Span(1))), "another clock");
    }

    #[test]
    fn numbers_are_made_whole_from_their_low_half() {
        assert_eq!(latest(4_000_000_000, 4_300_000_000), 4_000_000_000);
        assert_eq!(latest(u32::MAX, 1 << 32), (1 << 32) - 1);
        assert_eq!(latest(5, 5), 5);
    }
}
