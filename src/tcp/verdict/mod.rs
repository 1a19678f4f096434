//! Our own judgement of each segment: which rules it keeps, and what caused it where it is no plain new data.
//!
//! RFC 9293 §3.4, §3.8, §3.10.7.4, RFC 5961, RFC 7323, RFC 2018, RFC 2883, RFC 6298, RFC 8985. Stands beside
//! [`dialect`](crate::tcp::dialect), which repeats what Wireshark says; here a cause is only named when the capture
//! shows it. One file per part: [`rules`] (numbers and windows), [`repeat`] (octets sent again), [`probe`] (segments
//! that carry nothing new on purpose), [`tcb`] (what is kept per side), [`rtt`]; what needs no weighing is taken over from
//! the connection's events.

pub mod probe;
pub mod repeat;
pub mod rtt;
pub mod rules;
pub mod sent;
pub mod tcb;

mod copy;
mod counts;
mod overlap;
mod proof;
pub(super) mod told;

pub use counts::Count;
pub(in crate::tcp) use counts::Counts;

use arrayvec::ArrayVec;

use crate::finding::Code;
use crate::finding::Gap;
use crate::finding::Kind;
use crate::finding::Verdict;
use crate::packet::IpHeader;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::blind::Blind;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::mss;
use crate::tcp::verdict::tcb::Tcb;

/// Frames that one judgement rests on.
const MAX_FRAMES: usize = 4;
/// Numbers that one rule takes.
const MAX_INPUTS: usize = 7;

/// One check of one segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Which rule, or which cause.
    pub code: Code,
    /// How it came out. For a cause: `Broken` where it is this, `Holds` where it was ruled out.
    pub verdict: Verdict<()>,
    /// Earlier frames that it rests on.
    pub rests_on: ArrayVec<u64, MAX_FRAMES>,
    /// The numbers put into the rule, under the names that the rule's sentence uses.
    pub inputs: ArrayVec<(&'static str, Number), MAX_INPUTS>,
}

/// A number of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A sequence number of the segment's sender; shown relative or raw.
    Seq(SeqNumber),
    /// A sequence number of the other side.
    PeerSeq(SeqNumber),
    /// Octets, times, a shift.
    Count(u64),
    /// A length of time.
    Span(Span),
    /// A name: of a state, a kind, a reason.
    Word(&'static str),
}

impl Judgement {
    /// Without frames and numbers so far.
    pub fn new(code: Code, verdict: Verdict<()>) -> Self {
        Self { code, verdict, rests_on: ArrayVec::new(), inputs: ArrayVec::new() }
    }

    /// The rule is broken; it is this.
    pub fn broken(code: Code) -> Self {
        Self::new(code, Verdict::Broken(()))
    }

    /// A checksum that does not match: the receiver drops the segment unread, so nothing else is judged.
    pub(super) fn bad_checksum(field: u16, expected: u16) -> Self {
        Self::broken(Code::BadChecksum).count("field", field).count("expected", expected)
    }

    /// The rule is kept; this is ruled out.
    pub fn holds(code: Code) -> Self {
        Self::new(code, Verdict::Holds)
    }

    /// Nobody can tell from this capture. The catalogue lists which gaps a code may have.
    pub fn cannot_tell(code: Code, gap: Gap) -> Self {
        debug_assert!(code.gaps().contains(&gap), "the catalogue does not list {gap:?} for {code}");
        Self::new(code, Verdict::CannotTell(gap))
    }

    /// `Broken` if `wrong`, else `Holds`.
    pub fn of(code: Code, wrong: bool) -> Self {
        if wrong { Self::broken(code) } else { Self::holds(code) }
    }

    fn on(mut self, frame: u64) -> Self {
        if !self.rests_on.contains(&frame) {
            let _ = self.rests_on.try_push(frame);
        }
        self
    }

    fn seq(self, name: &'static str, seq: SeqNumber) -> Self {
        self.with(name, Number::Seq(seq))
    }

    fn peer_seq(self, name: &'static str, seq: SeqNumber) -> Self {
        self.with(name, Number::PeerSeq(seq))
    }

    /// With a number.
    #[must_use]
    pub fn count(self, name: &'static str, count: impl Into<u64>) -> Self {
        self.with(name, Number::Count(count.into()))
    }

    /// With a length of time.
    #[must_use]
    pub fn span(self, name: &'static str, span: Span) -> Self {
        self.with(name, Number::Span(span))
    }

    /// With a word.
    #[must_use]
    pub fn word(self, name: &'static str, word: &'static str) -> Self {
        self.with(name, Number::Word(word))
    }

    /// Why a candidate was ruled out, in a clause.
    fn why(self, clause: &'static str) -> Self {
        self.word("why", clause)
    }

    /// The number of this name.
    pub fn input(&self, name: &str) -> Option<Number> {
        self.inputs.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }

    /// How it came out, as the machine contract writes it: a rule `holds` or is `broken`, anything else is `found` or
    /// `ruled-out`; either may be `cannot-tell`.
    pub const fn outcome(&self) -> &'static str {
        match (self.verdict, self.code.kind()) {
            (Verdict::CannotTell(_), _) => "cannot-tell",
            (Verdict::Holds, Kind::Rule) => "holds",
            (Verdict::Broken(()), Kind::Rule) => "broken",
            (Verdict::Holds, Kind::Segment | Kind::Whole) => "ruled-out",
            (Verdict::Broken(()), Kind::Segment | Kind::Whole) => "found",
        }
    }

    /// Something to tell without being asked: a broken rule, or what was found.
    pub const fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Broken(()))
    }

    fn with(mut self, name: &'static str, number: Number) -> Self {
        debug_assert!(!self.inputs.is_full(), "a rule takes at most {MAX_INPUTS} numbers");
        let _ = self.inputs.try_push((name, number));
        self
    }
}

/// What a connection knew before the segment that is judged.
pub(super) struct Before<'a> {
    /// The segment's sender.
    pub(super) sender: &'a EndpointView,
    /// Its receiver.
    pub(super) receiver: &'a EndpointView,
    /// Shift of the sender's windows, where both SYNs were seen.
    pub(super) sender_scale: Option<u8>,
    /// Both SYNs offered timestamps.
    pub(super) timestamps: bool,
    /// What the sender's segment size rests on, where the receiver's SYN was seen.
    pub(super) mss: Option<mss::Known>,
    /// Time between the capture point and the sender and back, from the handshake.
    pub(super) sender_half: Option<Span>,
    /// The opening is complete.
    pub(super) open: bool,
    /// SYN and SYN,ACK, or how many of them, were seen, whatever of them was captured.
    pub(super) syns: u8,
}

impl Before<'_> {
    /// Why what the SYNs agreed on, or the edge of the receiver's window, is not known.
    fn why_unknown(&self) -> Gap {
        match (self.syns, self.receiver.packets) {
            (2.., _) => Gap::Snapped,
            (1, 0) => Gap::OneSided,
            (0 | 1, _) => Gap::NoHandshake,
        }
    }

    /// Octets per segment that the sender may use.
    fn effective_mss(&self) -> Option<u32> {
        self.mss.map(mss::effective_octets)
    }
}

/// One segment with everything that the parts look at.
pub(super) struct Segment<'a> {
    pub(super) mark: Mark,
    pub(super) ip: &'a IpHeader,
    pub(super) tcp: &'a TcpHeader<'a>,
    pub(super) before: Before<'a>,
    pub(super) blind: Blind,
}

impl Segment<'_> {
    /// ACK, no payload, no SYN, FIN or RST.
    fn is_pure_ack(&self) -> bool {
        let moves = TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST);
        self.tcp.len == 0 && self.tcp.flags.has(TcpFlags::ACK) && !self.tcp.flags.any(moves)
    }

    /// Why the packets between that of `frame` and this one cannot be trusted to be all there.
    fn lost_since(&self, frame: Option<u64>) -> Option<Gap> {
        self.blind.lost_since(frame?).then_some(Gap::KernelDrops)
    }

    /// Why times of `frame` and this one cannot be compared.
    fn stepped_since(&self, frame: u64) -> Option<Gap> {
        self.blind.stepped_since(frame).then_some(Gap::ClockStepped)
    }

    /// Takes sequence numbers, a reset aside.
    fn carries(&self) -> bool {
        self.tcp.seq_len() > 0 && !self.tcp.flags.has(TcpFlags::RST)
    }
}

/// Judges the segments of one connection, in capture order.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    sides: [Tcb; 2],
}

impl Judge {
    /// What is kept about one side.
    pub const fn side(&self, side: Side) -> &Tcb {
        &self.sides[side.index()]
    }

    /// Judges one segment; `thorough` also tells what holds and what cannot be told. The round trip that it ends, if it gives
    /// a sample of one (RFC 6298 §3).
    pub(super) fn observe(
        &mut self,
        side: Side,
        segment: &Segment<'_>,
        thorough: bool,
        out: &mut Vec<Judgement>,
    ) -> Option<Span> {
        let mut said = Said { out, thorough };
        let [client, server] = &mut self.sides;
        let (own, peer) = if side == Side::Client { (client, server) } else { (server, client) };
        // A copy moves nothing.
        if copy::is_one(segment, own, &mut said) {
            return None;
        }
        rules::check(segment, own, peer, &mut said);
        let probe = probe::check(segment, own, peer, &mut said);
        if segment.carries() && !probe {
            repeat::check(segment, own, peer, &mut said);
        }
        let mut sample = None;
        if segment.tcp.flags.has(TcpFlags::ACK) {
            proof::check(segment, peer, &mut said);
            sample = peer.is_acknowledged(segment);
        }
        own.sends(segment, probe);
        sample
    }
}

/// Where judgements go.
struct Said<'a> {
    out: &'a mut Vec<Judgement>,
    thorough: bool,
}

impl Said<'_> {
    /// Says how a rule came out. What nobody wants to hear is not even put together: most segments keep every rule.
    fn rule(&mut self, code: Code, wrong: bool, with: impl FnOnce(Judgement) -> Judgement) {
        if wrong || self.thorough {
            self.out.push(with(Judgement::of(code, wrong)));
        }
    }

    /// The same, unless a gap of the capture takes away the grounds on which it would be called wrong.
    fn rule_unless(&mut self, gap: Option<Gap>, code: Code, wrong: bool, with: impl FnOnce(Judgement) -> Judgement) {
        match gap.filter(|_| wrong) {
            Some(gap) => self.open(code, gap, with),
            None => self.rule(code, wrong, with),
        }
    }

    /// Says that a check cannot be made.
    fn open(&mut self, code: Code, gap: Gap, with: impl FnOnce(Judgement) -> Judgement) {
        if self.thorough {
            self.out.push(with(Judgement::cannot_tell(code, gap)));
        }
    }

    fn say(&mut self, judgement: Judgement) {
        if self.thorough || matches!(judgement.verdict, Verdict::Broken(())) {
            self.out.push(judgement);
        }
    }
}

#[cfg(test)]
mod tests;
