//! What the path between two hosts carries, as one direction's segments show it (RFC 1191, RFC 8201, RFC 2923 §2.1).
//!
//! The largest segment that was acknowledged passed: that much the path carries. One that goes out again and again
//! while smaller ones pass, and of which no router says a word, met a black hole. An ICMP "too big" counts where it
//! quotes octets that were outstanding; whoever does not see the connection cannot know those (RFC 5927 §7.2).
//! Twenty-four octets a direction; a box where something went wrong.

use arrayvec::ArrayVec;

use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::mss;

/// Different MTUs kept that ICMP told of one direction; further ones are counted.
pub const MAX_TOLD: usize = 2;
/// Repetitions of a full segment from which a black hole is suspected.
pub const SUSPECT_AFTER: u16 = 2;

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct PathView {
    /// Payload of the largest segment that was acknowledged, as it went over the wire; 0 where none was.
    pub carried: u32,
    /// A segment larger than any that was acknowledged so far: its number and payload; 0 where none is on its way.
    watched: (SeqNumber, u32),
    /// It was sent again in smaller pieces.
    cut: bool,
    /// The sender filled segments up to what the *peer* will take, and that is more than its own MSS option says.
    pub(super) fills_peers_limit: bool,
    /// What is rare.
    pub trouble: Option<Box<Trouble>>,
}

/// What went wrong in one direction.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The full segment that did not get through.
    pub stuck: Option<Stuck>,
    /// What ICMP said about octets that were outstanding.
    pub told: ArrayVec<TooBig, MAX_TOLD>,
    /// How often it did.
    pub told_count: u32,
    /// The first ICMP that quotes octets that were not outstanding, and how many did.
    pub forged: Option<TooBig>,
    /// How many.
    pub forged_count: u32,
    /// ICMP that cannot be checked.
    pub unchecked: Option<TooBig>,
    /// The same SYN was seen with another MSS: before, after, and in which frame.
    pub clamped: Option<(Option<u16>, Option<u16>, u64)>,
}

/// A segment that was sent again and not acknowledged in one piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stuck {
    /// When it was first sent again.
    pub first: Mark,
    /// When last.
    pub last: Mark,
    /// Its payload.
    pub octets: u32,
    /// How often it was sent again in full.
    pub again: u16,
    /// Payload of the pieces that its octets were sent in later.
    pub cut_to: Option<u32>,
    /// They were acknowledged in those pieces, first in this frame.
    pub passed_cut: Option<u64>,
    /// First frame in which the peer answered something else after a repetition: it is alive, and so is the way back.
    pub answered: Option<u64>,
    /// It passed in the end, in full.
    pub passed: bool,
}

impl Stuck {
    /// From the first repetition to the last.
    pub fn lasted(&self) -> Span {
        self.last.at.since(self.first.at)
    }
}

/// One ICMP "fragmentation needed" or "packet too big".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooBig {
    /// Its frame.
    pub frame: u64,
    /// The next hop's MTU as it says; 0 from routers older than RFC 1191.
    pub mtu: u32,
    /// The number that it quotes.
    pub seq: Option<SeqNumber>,
}

/// Why a path is called a black hole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BlackHole {
    /// What got stuck.
    pub stuck: Stuck,
    /// Payload of the largest segment that passed.
    pub carried: u32,
}

/// Is the segment that ICMP quotes one of ours?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checked {
    /// It quotes octets that were outstanding.
    Matches,
    /// It does not.
    Forged,
    /// The quote or the capture is too short.
    CannotTell,
}

impl PathView {
    /// Feeds a segment with data of this side. `full` is what fits into one segment, where known.
    fn sends(&mut self, mark: Mark, tcp: &TcpHeader<'_>, full: Option<u32>) {
        // What is larger is cut by the card; each piece has this size (offload).
        let octets = full.map_or(tcp.len, |full| tcp.len.min(full.max(1)));
        let (seq, watched) = self.watched;
        if watched == 0 {
            if octets > self.carried {
                (self.watched, self.cut) = ((tcp.seq, octets), false);
            }
            return;
        }
        if seq != tcp.seq {
            return;
        }
        let stuck = self.trouble.get_or_insert_default().stuck.get_or_insert(Stuck {
            first: mark,
            last: mark,
            octets: watched,
            again: 0,
            cut_to: None,
            passed_cut: None,
            answered: None,
            passed: false,
        });
        if octets >= watched && !self.cut {
            stuck.again = stuck.again.saturating_add(1);
            stuck.last = mark;
        } else if octets < watched {
            self.cut = true;
            stuck.cut_to = Some(octets);
        }
    }

    /// The peer acknowledged up to `ack` in `frame`.
    fn is_acknowledged(&mut self, frame: u64, ack: SeqNumber) {
        let (seq, octets) = self.watched;
        if octets == 0 {
            return;
        }
        let stuck = self.trouble.as_mut().and_then(|trouble| trouble.stuck.as_mut());
        if !seq.before(ack) {
            if let Some(stuck) = stuck.filter(|stuck| stuck.again > 0) {
                stuck.answered.get_or_insert(frame);
            }
            return;
        }
        if self.cut {
            let Some(stuck) = stuck else { return };
            stuck.passed_cut.get_or_insert(frame);
            self.carried = self.carried.max(stuck.cut_to.unwrap_or(0));
        } else if seq.plus(octets).at_or_before(ack) {
            self.carried = octets;
            if let Some(stuck) = stuck.filter(|stuck| stuck.octets <= octets) {
                stuck.passed = true;
            }
        }
        self.watched.1 = 0;
    }

    /// Takes note of an ICMP "too big" about a segment of this side.
    fn too_big(&mut self, told: TooBig, checked: Checked) {
        let trouble = self.trouble.get_or_insert_default();
        match checked {
            Checked::Matches => {
                trouble.told_count = trouble.told_count.saturating_add(1);
                if trouble.told.iter().all(|known| known.mtu != told.mtu) {
                    let _ = trouble.told.try_push(told);
                }
            }
            Checked::Forged => {
                trouble.forged_count = trouble.forged_count.saturating_add(1);
                trouble.forged.get_or_insert(told);
            }
            Checked::CannotTell => {
                trouble.unchecked.get_or_insert(told);
            }
        }
    }

    /// The smallest MTU that a router told of, checked against the numbers.
    pub fn told_mtu(&self) -> Option<u32> {
        let told = self.trouble.as_ref()?.told.iter().map(|told| told.mtu);
        told.filter(|&mtu| mtu > 0).min()
    }
}

impl Connection {
    /// The side that sends the octets flowing towards `side`'s peer has this much room per segment, term by term
    /// (RFC 9293 §3.7.1). Assumes RFC defaults where no SYN of the receiver was seen only if one was: otherwise `None`.
    pub fn effective_mss(&self, sender: Side) -> Option<mss::Sum> {
        self.known_of_mss(sender).map(mss::effective)
    }

    /// The same as a number, before any router on the way said that it takes less.
    pub fn full_segment(&self, sender: Side) -> Option<u32> {
        self.known_of_mss(sender).map(|known| mss::effective_octets(mss::Known { path_mtu: None, ..known }))
    }

    pub(super) fn known_of_mss(&self, sender: Side) -> Option<mss::Known> {
        let (own, peer) = (&self.side(sender).offer, &self.side(sender.peer()).offer);
        peer.seen.then(|| mss::Known {
            peer_option: peer.mss,
            // Where it was clamped on the way, it does not tell the sender's own link.
            own_option: own.mss.filter(|_| !self.path(sender).fills_peers_limit),
            ipv6: self.ipv6,
            timestamps: self.timestamps_agreed(),
            ip_options: self.ip_options,
            path_mtu: self.path_mtu(sender),
        })
    }

    /// The path that `side`'s segments take.
    pub const fn path(&self, side: Side) -> &PathView {
        &self.paths[side.index()]
    }

    /// The MTU of the path that `sender`'s segments take, where a router told it and quoted what was outstanding. Hosts
    /// go below none of the least MTUs (RFC 791 §3.2: 68, RFC 8201 §4: 1280).
    pub fn path_mtu(&self, sender: Side) -> Option<u32> {
        let least = if self.ipv6 { 1280 } else { 68 };
        self.path(sender).told_mtu().map(|mtu| mtu.max(least))
    }

    /// An ICMP error quoted a segment of `side`: "fragmentation needed" or "packet too big" where it has an MTU.
    pub fn too_big(&mut self, frame: u64, side: Side, mtu: Option<u32>, seq: Option<SeqNumber>) {
        let Some(mtu) = mtu else { return };
        let checked = quotes_outstanding(self.side(side), seq);
        self.paths[side.index()].too_big(TooBig { frame, mtu, seq }, checked);
    }

    /// Is the path that `sender`'s segments take free of a black hole? It is where a full segment was acknowledged, and
    /// where a router said what is too big. Broken where a full segment went again at least [`SUSPECT_AFTER`] times in
    /// vain, without a word of any router, while smaller ones passed or the peer was heard (RFC 2923 §2.1).
    pub fn black_hole(&self, sender: Side) -> Verdict<BlackHole> {
        let path = self.path(sender);
        let Some(full) = self.effective_mss(sender).map(|sum| sum.value) else {
            return Verdict::CannotTell(Gap::NoHandshake);
        };
        let trouble = path.trouble.as_deref();
        if path.carried >= full || trouble.is_some_and(|trouble| !trouble.told.is_empty()) {
            return Verdict::Holds;
        }
        let stuck = trouble.and_then(|trouble| trouble.stuck).filter(|stuck| !stuck.passed && stuck.octets >= full);
        match stuck {
            // A host that is gone takes nothing either: somebody must be there, and take what is smaller.
            Some(stuck) if stuck.again >= SUSPECT_AFTER && (stuck.passed_cut.is_some() || stuck.answered.is_some()) => {
                Verdict::Broken(BlackHole { stuck, carried: path.carried })
            }
            Some(_) => Verdict::CannotTell(Gap::NothingSeen),
            None => Verdict::CannotTell(Gap::NoFullSegment),
        }
    }

    /// Was the MSS option of `side` changed on its way, or set below what its own link takes?
    pub fn clamped(&self, side: Side) -> Verdict<Clamped> {
        let path = self.path(side);
        let Some(own) = self.side(side).offer.mss else { return Verdict::CannotTell(Gap::NoHandshake) };
        if let Some((before, after, frame)) = path.trouble.as_ref().and_then(|trouble| trouble.clamped) {
            return Verdict::Broken(Clamped::Changed { before, after, frame });
        }
        if path.fills_peers_limit {
            let peer = self.side(side.peer()).offer.mss.unwrap_or(own);
            return Verdict::Broken(Clamped::SendsMore { own, peer });
        }
        Verdict::CannotTell(Gap::OnePlace)
    }

    /// What a segment shows of the path; after the numbers took note of it.
    pub(super) fn probe_path(&mut self, mark: Mark, side: Side, tcp: &TcpHeader<'_>) {
        if tcp.len > 0 && !tcp.flags.any(TcpFlags::SYN.with(TcpFlags::RST)) {
            let (own, peer) = (self.side(side).offer.mss, self.side(side.peer()).offer.mss);
            if own.zip(peer).is_some_and(|(own, peer)| own < peer) && self.peers_limit(side) == Some(tcp.len) {
                self.paths[side.index()].fills_peers_limit = true;
            }
            let full = self.known_of_mss(side).map(mss::effective_octets);
            self.paths[side.index()].sends(mark, tcp, full);
        }
        if tcp.flags.has(TcpFlags::ACK) && !tcp.flags.has(TcpFlags::RST) {
            self.paths[side.peer().index()].is_acknowledged(mark.frame, tcp.ack);
        }
    }

    /// Octets that `side` may put into a segment as far as its peer is concerned, whatever its own link takes.
    fn peers_limit(&self, side: Side) -> Option<u32> {
        let known = self.known_of_mss(side)?;
        Some(mss::effective_octets(mss::Known { own_option: None, path_mtu: None, ..known }))
    }

    /// One SYN, seen twice: behind a box that clamps, its MSS is another. Before the numbers take note of it.
    pub(super) fn compare_offers(&mut self, mark: Mark, side: Side, tcp: &TcpHeader<'_>) {
        if !tcp.flags.has(TcpFlags::SYN) {
            return;
        }
        let known = self.side(side);
        let again = known.isn == Some(tcp.seq) && known.offer.seen;
        let (before, after) = (known.offer.mss, tcp.said.mss);
        if again && before != after {
            let trouble = self.paths[side.index()].trouble.get_or_insert_default();
            trouble.clamped.get_or_insert((before, after, mark.frame));
        }
    }
}

/// What shows that an MSS option does not tell the sender's own link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clamped {
    /// The same SYN was seen with two values.
    Changed {
        /// First.
        before: Option<u16>,
        /// Then.
        after: Option<u16>,
        /// In this frame.
        frame: u64,
    },
    /// Its sender fills segments beyond it, up to what the peer takes.
    SendsMore {
        /// Its option.
        own: u16,
        /// The peer's.
        peer: u16,
    },
}

/// The next of the usual link sizes below `octets` (RFC 1191 §7.1): the guess that is left where a router says no number.
pub fn plateau_below(octets: u32) -> u32 {
    PLATEAUS.into_iter().find(|&plateau| plateau < octets).unwrap_or(68)
}

/// RFC 1191 §7.1, table 7-1.
const PLATEAUS: [u32; 11] = [65_535, 32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296, 68];

/// RFC 5927 §7.2: the quoted number must lie within what was sent and not acknowledged.
fn quotes_outstanding(side: &EndpointView, seq: Option<SeqNumber>) -> Checked {
    let (Some(seq), Some(max)) = (seq, side.snd_max) else { return Checked::CannotTell };
    let Some(una) = side.snd_una.or(side.isn) else { return Checked::CannotTell };
    if una.at_or_before(seq) && seq.before(max) { Checked::Matches } else { Checked::Forged }
}
