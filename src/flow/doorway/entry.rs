//! An attempt as the doorway keeps it: 68 octets, with all that its connection can be followed on from.

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

/// See the module. Public parts are changed in place; the others are packed. Of alignment 4, so that none of it is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Keyed hash of the tuple; 0 where the attempt has left.
    key: [u32; 2],
    /// Trace time (low 40 bits), and nanoseconds that the clock of the first SYN lay behind (24, all ones for too many).
    times: [u32; 2],
    /// From first SYN to first SYN,ACK: nanoseconds (32 bits) and frames (20), all ones where there was none; then the
    /// server's TTL (8), whether the SYN,ACK is timed (1), and who offered ECN (2).
    answered: [u32; 2],
    /// The IPv4 addresses of client and server, or the place of others among the [`Wide`](super::wide::Wide) ones.
    pub(super) ends: [u32; 2],
    ports: [u16; 2],
    frame: u32,
    /// Low half of the stream number.
    stream: u32,
    client_isn: SeqNumber,
    pub(crate) server_isn: SeqNumber,
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

/// Attempts that are held at once begin in less than this time: so their low bits tell when.
pub(super) const REACH: Span = Span(1 << (TIME_BITS - 1));

const TIME_BITS: u32 = 40;
const TIME: u64 = (1 << TIME_BITS) - 1;
const TOO_LATE: u64 = (1 << (u64::BITS - TIME_BITS)) - 1;
/// Most that 32 and 20 bits hold; all ones is kept for "none".
const MOST_NANOS: i64 = (1 << 32) - 2;
const MOST_FRAMES: u64 = (1 << 20) - 2;
/// Above the server's TTL and four bits more.
const UNANSWERED: u64 = u64::MAX << 12;
const TIMED: u64 = 1 << 3;
/// The client's; the server's stands above.
const ECN: u64 = 1 << 1;
const NO_VERDICT: u8 = 15;
const NO_SCALE: u8 = 15;
const SACK: u8 = 1 << 6;
const TIMESTAMPS: u8 = 1 << 7;

impl Entry {
    /// `ends` as they are to be kept.
    pub(super) fn new(attempt: &Attempt, ends: [u32; 2]) -> Self {
        debug_assert!(attempt.key != 0, "0 is the key of nobody");
        let late = u64::try_from(attempt.late.0).unwrap_or(TOO_LATE).min(TOO_LATE);
        let mut entry = Self {
            key: halves(attempt.key),
            times: halves(late << TIME_BITS | attempt.at as u64 & TIME),
            answered: halves(UNANSWERED),
            ends,
            ports: attempt.ports,
            frame: attempt.frame,
            stream: 0,
            client_isn: attempt.client_isn,
            server_isn: attempt.server_isn,
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

    /// Keyed hash of the tuple; 0 where the attempt has left.
    pub(super) const fn key(&self) -> u64 {
        whole(self.key)
    }

    /// The attempt has left, its place has not.
    pub(super) const fn leave(&mut self) {
        self.key = halves(GONE);
    }

    pub(super) const fn has_left(&self) -> bool {
        self.key() == GONE
    }

    /// Trace time of the first SYN: the first one from `base` on, which lies at most [`REACH`] before it.
    pub(super) const fn at(&self, base: i64) -> i64 {
        base.saturating_add((whole(self.times).wrapping_sub(base as u64) & TIME) as i64)
    }

    const fn late(&self) -> u64 {
        whole(self.times) >> TIME_BITS
    }

    /// Everything but the addresses, which the caller knows how to read; `base` as for [`at`](Self::at).
    pub(super) fn attempt(&self, base: i64) -> Attempt {
        Attempt {
            key: self.key(),
            source: Address::default(),
            server: Address::default(),
            ports: self.ports,
            at: self.at(base),
            late: Span(self.late() as i64),
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
            && self.late() != TOO_LATE
            && first.at == stamp.plus(Span(-(self.late() as i64)))
            && opening.retries == self.retries()
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
        let ecn = |side: usize| u64::from(opening.offers[side].ecn) * (ECN << side);
        let timed = u64::from(opening.timed) * TIMED;
        self.answered = halves(between | u64::from(opening.ttls[1]) << 4 | timed | ecn(0) | ecn(1));
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

    /// Repetitions of SYN and SYN,ACK as the tries tell them.
    const fn retries(&self) -> [u16; 2] {
        [self.tries.syns().saturating_sub(1) as u16, self.tries.syn_acks().saturating_sub(1) as u16]
    }

    /// What was taken, at a time when frames and streams have come to `now`.
    pub(crate) fn kept(&self, stamp: Timestamp, now: Mark, streams: u64) -> Option<Kept> {
        if !self.marks.has(Marks::LET_GO) {
            return None;
        }
        let first = Mark { frame: latest(self.frame, now.frame), at: stamp.plus(Span(-(self.late() as i64))) };
        let bits = whole(self.answered);
        let answered = (bits | !UNANSWERED != u64::MAX).then(|| Mark {
            frame: first.frame + (bits >> 12 & (MOST_FRAMES + 1)),
            at: first.at.plus(Span((bits >> 32) as i64)),
        });
        let orphan = self.marks.has(Marks::ORPHAN);
        let (syn, syn_ack) = if orphan { (None, Some(first)) } else { (Some(first), answered) };
        let offer = |side: usize, seen: bool, sack: bool, timestamps: bool| Offer {
            seen,
            mss: (self.mss[side] > 0).then_some(self.mss[side]),
            wscale: Some(self.wscales >> (4 * side) & 15).filter(|&scale| scale != NO_SCALE),
            sack,
            timestamps,
            ecn: bits & ECN << side != 0,
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
                    false => [self.ttl, (bits >> 4) as u8],
                },
                retries: self.retries(),
                timed: bits & TIMED != 0,
            },
        })
    }
}

const GONE: u64 = 0;

const fn halves(whole: u64) -> [u32; 2] {
    [whole as u32, (whole >> 32) as u32]
}

const fn whole([low, high]: [u32; 2]) -> u64 {
    low as u64 | (high as u64) << 32
}

/// The latest number up to `now` with these low 32 bits.
fn latest(low: u32, now: u64) -> u64 {
    now.wrapping_sub(u64::from((now as u32).wrapping_sub(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

    fn attempt(answered: bool) -> Attempt {
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
            tries: Tries::new(8, if answered { 8 } else { 0 }),
            member: 63,
            verdict: None,
            marks: Marks::new(Marks::CLIENT_IS_LOW | Marks::OUTAGE),
        }
    }

    fn offer(seen: bool) -> Offer {
        Offer { seen, mss: seen.then_some(1_460), wscale: seen.then_some(14), sack: seen, timestamps: seen, ecn: seen }
    }

    fn kept(syn_ack: Option<(i64, u64)>) -> Kept {
        let first = Mark { frame: 4_000_000_000, at: STAMP.plus(Span(-77)) };
        let after = |(nanos, frames): (i64, u64)| Mark { frame: first.frame + frames, at: first.at.plus(Span(nanos)) };
        let server_isn = SeqNumber(if syn_ack.is_some() { u32::MAX } else { 0 });
        let (windows, retries) =
            ([65_535, if syn_ack.is_some() { 7 } else { 0 }], [7, if syn_ack.is_some() { 7 } else { 0 }]);
        let offers = [offer(true), offer(syn_ack.is_some())];
        let (syn, syn_ack) = (Some(first), syn_ack.map(after));
        let isn = [SeqNumber(1), server_isn];
        let (ttls, timed) = ([255, if syn_ack.is_some() { 64 } else { 0 }], syn_ack.is_some());
        Kept { stream: 9, opening: Opening { syn, syn_ack, isn, offers, windows, ttls, retries, timed } }
    }

    #[test]
    fn an_entry_takes_what_the_documentation_says() {
        assert_eq!(size_of::<Entry>(), 68);
    }

    #[test]
    fn an_attempt_comes_back_as_it_went_in_under_every_verdict() {
        let verdicts = Outcome::NAMED.map(|(outcome, _)| Some(outcome)).into_iter().chain([None]);
        for verdict in verdicts {
            let attempt = Attempt { verdict, tries: Tries::new(15, 15), ..attempt(true) };
            assert_eq!(Entry::new(&attempt, [0; 2]).attempt(0), attempt);
        }
    }

    #[test]
    fn a_time_is_told_from_any_that_lies_before_it_and_not_too_far() {
        for at in [0, 5, REACH.0, i64::MAX / 2 - 1] {
            let entry = Entry::new(&Attempt { at, ..attempt(true) }, [0; 2]);
            for before in [0, 1, 1 << 20, REACH.0] {
                assert_eq!(entry.at((at - before).max(0)), at, "{before} ns before {at}");
            }
        }
    }

    #[test]
    fn what_a_connection_is_followed_on_from_comes_back_too() {
        let now = Mark { frame: 4_300_000_000, at: STAMP };
        for syn_ack in [None, Some((0, 1)), Some((1_000_000, 2)), Some((MOST_NANOS, MOST_FRAMES))] {
            let attempt = attempt(syn_ack.is_some());
            let mut entry = Entry::new(&attempt, [0; 2]);
            assert_eq!(entry.kept(STAMP, now, 10), None, "nothing was let go");
            assert!(entry.keep(&kept(syn_ack), STAMP));
            assert_eq!(entry.kept(STAMP, now, 10), Some(kept(syn_ack)));
            let mut marks = entry.attempt(0).marks;
            for bit in [Marks::CLIENT_SACK, Marks::CLIENT_TIMESTAMPS, Marks::LET_GO] {
                marks.set(bit, false);
            }
            assert_eq!(Attempt { marks, ..entry.attempt(0) }, attempt);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_kept() {
        for syn_ack in [(MOST_NANOS + 1, 1), (1, MOST_FRAMES + 1), (-1, 1)] {
            assert!(!Entry::new(&attempt(true), [0; 2]).keep(&kept(Some(syn_ack)), STAMP), "{syn_ack:?}");
        }
        let late = Attempt { late: Span(1 << 24), ..attempt(false) };
        assert!(!Entry::new(&late, [0; 2]).keep(&kept(None), STAMP));
        assert!(!Entry::new(&attempt(false), [0; 2]).keep(&kept(None), STAMP.plus(Span(1))), "another clock");
        assert!(!Entry::new(&attempt(true), [0; 2]).keep(&kept(None), STAMP), "repetitions that nobody tells of");
    }

    #[test]
    fn numbers_are_made_whole_from_their_low_half() {
        assert_eq!(latest(4_000_000_000, 4_300_000_000), 4_000_000_000);
        assert_eq!(latest(u32::MAX, 1 << 32), (1 << 32) - 1);
        assert_eq!(latest(5, 5), 5);
    }
}
