//! Puts the octets of one direction back in order, so that messages can be found in them (RFC 9293 §3.4, §3.10.7.4).
//!
//! Octets come out once, in order, with the segment that brought them first; a repetition adds nothing. What the
//! capture does not hold comes out as a marker of its length, never as octets that we made up. Memory is bounded:
//! at most [`HELD_OCTETS`] in [`HELD_SEGMENTS`] segments wait behind a hole; when more do, the hole is given up and
//! counted. Not needed to judge segments, so nobody pays for it who does not look for messages.

use std::collections::VecDeque;

use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::event::Mark;

/// Octets per direction that wait for earlier ones; beyond this the hole before them is given up.
pub const HELD_OCTETS: usize = 65_536;
/// Segments per direction that wait for earlier ones.
pub const HELD_SEGMENTS: usize = 128;
/// Octets per direction kept behind the place reached, to tell whether a repetition carries the same.
pub const RECENT_OCTETS: usize = 16_384;

/// What comes out, in the order of the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Piece<'a> {
    /// Octets, by the segment that brought them first.
    Octets {
        /// That segment.
        by: Mark,
        /// Never empty.
        octets: &'a [u8],
    },
    /// Octets that passed and are not there.
    Missing {
        /// How many, at least one.
        octets: u32,
        /// Why not.
        why: Missing,
    },
}

/// Why octets of the stream are not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// The peer acknowledged them and the capture does not hold them.
    NotCaptured,
    /// The snap length cut them off.
    Snapped,
    /// They had not come when too much waited behind them: [`HELD_OCTETS`], [`HELD_SEGMENTS`].
    GivenUp,
}

impl Missing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotCaptured => "not captured",
            Self::Snapped => "cut off by the snap length",
            Self::GivenUp => "not come when memory for what waits behind them was full",
        }
    }

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotCaptured => "not-captured",
            Self::Snapped => "snapped",
            Self::GivenUp => "given-up",
        }
    }
}

/// The octets of one direction.
#[derive(Clone, Debug, Default)]
pub struct Reassembly {
    next: Option<SeqNumber>,
    acked: Option<SeqNumber>,
    /// In the order of the stream, all of them behind `next`.
    held: Vec<Held>,
    recent: VecDeque<u8>,
    /// Octets given up because too much waited behind them.
    pub given_up: u64,
    /// Segments that carried other octets than came before under the same numbers.
    pub differing: u32,
    /// The first of them.
    pub first_differing: Option<u64>,
    /// Most octets that waited at once.
    pub held_most: usize,
}

#[derive(Clone, Debug)]
struct Held {
    seq: SeqNumber,
    len: u32,
    by: Mark,
    octets: Vec<u8>,
}

impl Held {
    fn end(&self) -> SeqNumber {
        self.seq.plus(self.len)
    }
}

impl Reassembly {
    /// This segment brings the first octets, and it is not known whether they are the stream's first.
    pub const fn would_start_in_the_middle(&self, tcp: &TcpHeader<'_>) -> bool {
        self.next.is_none() && tcp.len > 0 && !tcp.flags.has(TcpFlags::SYN)
    }

    /// Octets that wait behind a hole, and the octets that the hole lacks.
    pub fn waiting(&self) -> Option<(u64, u32)> {
        let first = self.held.first()?;
        let hole = self.next?.offset_to(first.seq);
        Some((self.held.iter().map(|held| u64::from(held.len)).sum(), hole))
    }

    /// Feeds a segment of this direction. What can go on in order is handed to `take`.
    pub fn sends(&mut self, by: Mark, tcp: &TcpHeader<'_>, take: &mut dyn FnMut(Piece<'_>)) {
        let syn = tcp.flags.has(TcpFlags::SYN);
        let mut seq = tcp.seq.plus(u32::from(syn));
        if syn && self.next.is_none() {
            self.next = Some(seq);
        }
        if tcp.len == 0 {
            return;
        }
        let next = *self.next.get_or_insert(seq);
        if seq.distance_to(next).unsigned_abs() > FARTHEST {
            return;
        }
        let (mut octets, mut len) = (tcp.payload, tcp.len);
        self.compare(by, seq, octets, len);
        if seq.before(next) {
            let known = seq.offset_to(next);
            if known >= len {
                return;
            }
            octets = octets.get(known as usize..).unwrap_or_default();
            len -= known;
            seq = next;
        }
        if seq == next {
            self.deliver(by, octets, len, take);
        } else {
            self.hold(Held { seq, len, by, octets: octets.to_vec() });
        }
        self.go_on(take);
    }

    /// The peer acknowledged up to `ack`: what is missing below it will not come any more.
    pub fn is_acknowledged(&mut self, ack: SeqNumber, take: &mut dyn FnMut(Piece<'_>)) {
        let Some(next) = self.next else { return };
        if next.distance_to(ack).unsigned_abs() > FARTHEST {
            return;
        }
        self.acked = Some(self.acked.map_or(ack, |known| known.max(ack)));
        if !self.held.is_empty() {
            self.go_on(take);
        }
    }

    /// Delivers what waits, as far as no hole lies before it that may still be filled.
    fn go_on(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        while let (Some(next), Some(first)) = (self.next, self.held.first()) {
            if next.before(first.seq) {
                let acknowledged = self.acked.is_some_and(|acked| first.seq.at_or_before(acked));
                let why = match (acknowledged, self.is_over_full()) {
                    (true, _) => Missing::NotCaptured,
                    (false, true) => Missing::GivenUp,
                    (false, false) => return,
                };
                self.miss(next.offset_to(first.seq), why, take);
                continue;
            }
            let held = self.held.remove(0);
            let known = held.seq.offset_to(next);
            if known < held.len {
                let octets = held.octets.get(known as usize..).unwrap_or_default();
                self.deliver(held.by, octets, held.len - known, take);
            }
        }
    }

    fn deliver(&mut self, by: Mark, octets: &[u8], len: u32, take: &mut dyn FnMut(Piece<'_>)) {
        let octets = &octets[..octets.len().min(len as usize)];
        if !octets.is_empty() {
            take(Piece::Octets { by, octets });
            self.remember(octets);
            self.advance(octets.len() as u32);
        }
        let cut = len - octets.len() as u32;
        if cut > 0 {
            self.miss(cut, Missing::Snapped, take);
        }
    }

    fn miss(&mut self, octets: u32, why: Missing, take: &mut dyn FnMut(Piece<'_>)) {
        if why == Missing::GivenUp {
            self.given_up += u64::from(octets);
        }
        self.recent.clear();
        self.advance(octets);
        take(Piece::Missing { octets, why });
    }

    fn advance(&mut self, octets: u32) {
        self.next = self.next.map(|next| next.plus(octets));
    }

    fn hold(&mut self, segment: Held) {
        let at = self.held.partition_point(|held| held.seq.at_or_before(segment.seq));
        // The same again, or a part of what waits: it adds nothing.
        if at > 0 && segment.end().at_or_before(self.held[at - 1].end()) {
            return;
        }
        self.held.insert(at, segment);
        self.held_most = self.held_most.max(self.held_octets());
    }

    fn held_octets(&self) -> usize {
        self.held.iter().map(|held| held.octets.len()).sum()
    }

    fn is_over_full(&self) -> bool {
        self.held.len() > HELD_SEGMENTS || self.held_octets() > HELD_OCTETS
    }

    fn remember(&mut self, octets: &[u8]) {
        let newest = &octets[octets.len().saturating_sub(RECENT_OCTETS)..];
        let over = (self.recent.len() + newest.len()).saturating_sub(RECENT_OCTETS);
        self.recent.drain(..over);
        self.recent.extend(newest);
    }

    /// Counts a segment that carries other octets than those that came before under the same numbers.
    fn compare(&mut self, by: Mark, seq: SeqNumber, octets: &[u8], len: u32) {
        // A keep-alive's octet is garbage by habit (RFC 9293 §3.8.4).
        if len <= 1 && self.next == Some(seq.plus(1)) {
            return;
        }
        let before = self.next.is_some_and(|next| self.recent_differs(next, seq, octets));
        let behind = self.held.iter().any(|held| differ((held.seq, &held.octets), (seq, octets)));
        if before || behind {
            self.differing = self.differing.saturating_add(1);
            self.first_differing.get_or_insert(by.frame);
        }
    }

    fn recent_differs(&self, next: SeqNumber, seq: SeqNumber, octets: &[u8]) -> bool {
        if !seq.before(next) || self.recent.is_empty() {
            return false;
        }
        let (back, kept) = (seq.offset_to(next) as usize, self.recent.len());
        // Older octets are forgotten; what cannot be compared is not called different.
        let (skip, from) = (back.saturating_sub(kept), kept.saturating_sub(back));
        let again = octets.iter().skip(skip);
        again.zip(self.recent.iter().skip(from)).any(|(now, then)| now != then)
    }
}

/// Octets of two stretches where both have some, compared.
fn differ((seq, octets): (SeqNumber, &[u8]), (other_seq, other): (SeqNumber, &[u8])) -> bool {
    let (first, second) = match seq.distance_to(other_seq) {
        ahead @ 0.. => (octets.get(ahead as usize..), Some(other)),
        behind => (Some(octets), other.get(behind.unsigned_abs() as usize..)),
    };
    first.zip(second).is_some_and(|(first, second)| first.iter().zip(second).any(|(one, two)| one != two))
}

/// No window is larger (RFC 7323 §2.3): what lies farther away belongs to another life of the connection.
const FARTHEST: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;

    /// What comes out of the octets that C sends to S, and the part itself.
    fn play(script: &str) -> (Reassembly, String) {
        let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}"));
        let mut reassembly = Reassembly::default();
        let mut out = String::new();
        for frame in trace.frames() {
            let packet = decode(&frame);
            let tcp = packet.tcp().expect("a segment");
            let by = Mark { frame: packet.meta.number, at: packet.meta.at };
            let mut take = |piece: Piece<'_>| match piece {
                Piece::Octets { by, octets } => {
                    out.push_str(&format!("{}:{} ", by.frame, String::from_utf8_lossy(octets)));
                }
                Piece::Missing { octets, why } => out.push_str(&format!("[{octets} {}] ", why.name())),
            };
            if tcp.src_port == 40_000 {
                reassembly.sends(by, tcp, &mut take);
            } else {
                reassembly.is_acknowledged(tcp.ack, &mut take);
            }
        }
        (reassembly, out.trim_end().to_owned())
    }

    #[test]
    fn octets_come_out_once_and_in_order_whatever_came_twice_or_late() {
        let (_, out) = play(
            "
            +0 C > S S  1000:1000(0)
            +0 C > S P. 1001:1004(3) ack 1 \"abc\"
            +0 C > S P. 1007:1010(3) ack 1 \"ghi\"
            +0 C > S P. 1001:1007(6) ack 1 \"abcdef\"
            +0 C > S P. 1010:1011(1) ack 1 \"j\"
        ",
        );
        assert_eq!(out, "2:abc 4:def 3:ghi 5:j");
    }

    #[test]
    fn numbers_may_wrap_within_the_stream() {
        let (_, out) = play(
            "
            +0 C > S S  4294967293:4294967293(0)
            +0 C > S P. 0:3(3) ack 1 \"cde\"
            +0 C > S P. 4294967294:0(2) ack 1 \"ab\"
        ",
        );
        assert_eq!(out, "3:ab 2:cde");
    }

    #[test]
    fn a_hole_stays_open_until_the_peer_acknowledged_what_the_capture_lacks() {
        let open = "
            +0 C > S S  1000:1000(0)
            +0 C > S P. 1001:1004(3) ack 1 \"abc\"
            +0 C > S P. 1007:1010(3) ack 1 \"ghi\"
            +0 S > C .  1:1(0) ack 1004
        ";
        let (waiting, out) = play(open);
        assert_eq!(out, "2:abc");
        assert_eq!(waiting.waiting(), Some((3, 3)));
        let (_, out) = play(&format!("{open}\n+0 S > C . 1:1(0) ack 1010"));
        assert_eq!(out, "2:abc [3 not-captured] 3:ghi");
    }

    #[test]
    fn an_acknowledgment_that_overtook_its_data_in_the_capture_makes_no_hole() {
        let (_, out) = play(
            "
            +0 C > S S  1000:1000(0)
            +0 S > C .  1:1(0) ack 1004
            +0 C > S P. 1001:1004(3) ack 1 \"abc\"
        ",
        );
        assert_eq!(out, "3:abc");
    }

    #[test]
    fn what_the_snap_length_cut_is_marked_by_its_length() {
        let (_, out) = play(
            "
            +0 C > S S  1000:1000(0)
            +0 C > S P. 1001:1007(6) ack 1 \"abcdef\" snaplen 57
            +0 C > S P. 1007:1008(1) ack 1 \"g\"
        ",
        );
        assert_eq!(out, "2:abc [3 snapped] 3:g");
    }

    #[test]
    fn other_octets_under_the_same_numbers_are_counted_and_the_first_ones_stay() {
        let (reassembly, out) = play(
            "
            +0 C > S S  1000:1000(0)
            +0 C > S P. 1001:1004(3) ack 1 \"abc\"
            +0 C > S P. 1002:1005(3) ack 1 \"bXd\"
            +0 C > S P. 1006:1009(3) ack 1 \"fgh\"
            +0 C > S P. 1007:1010(3) ack 1 \"ghi\"
            +0 C > S P. 1008:1011(3) ack 1 \"YYY\"
        ",
        );
        assert_eq!(out, "2:abc 3:d");
        assert_eq!((reassembly.differing, reassembly.first_differing), (2, Some(3)));
    }

    #[test]
    fn the_same_octets_again_and_a_keep_alives_garbage_differ_from_nothing() {
        let (reassembly, out) = play(
            "
            +0 C > S S  1000:1000(0)
            +0 C > S P. 1001:1004(3) ack 1 \"abc\"
            +0 C > S P. 1002:1005(3) ack 1 \"bcd\"
            +0 C > S .  1004:1005(1) ack 1 \"?\"
        ",
        );
        assert_eq!((out.as_str(), reassembly.differing), ("2:abc 3:d", 0));
    }

    #[test]
    fn a_stream_that_began_before_the_capture_starts_with_what_comes_first() {
        assert_eq!(play("+0 C > S P. 1001:1004(3) ack 1 \"abc\"").1, "1:abc");
    }

    #[test]
    fn behind_a_hole_wait_no_more_octets_than_the_cap_and_then_the_hole_is_given_up_and_counted() {
        let mut script = String::from("+0 C > S S 1000:1000(0)\n");
        let mut seq = 1101;
        for _ in 0..=HELD_OCTETS / 1000 {
            script.push_str(&format!("+0 C > S . {seq}:{}(1000) ack 1\n", seq + 1000));
            seq += 1000;
        }
        let (reassembly, out) = play(&script);
        assert!(out.starts_with("[100 given-up] 2:"), "{}", &out[..40]);
        assert_eq!(reassembly.given_up, 100);
        assert_eq!(reassembly.waiting(), None);
        assert!(reassembly.held_most <= HELD_OCTETS + 1000, "{}", reassembly.held_most);
    }

    #[test]
    fn numbers_from_another_life_of_the_connection_are_passed_over() {
        let (reassembly, out) = play("+0 C > S S 1000:1000(0)\n+0 C > S P. 2000000000:2000000003(3) ack 1 \"abc\"");
        assert_eq!((out.as_str(), reassembly.waiting()), ("", None));
    }
}
