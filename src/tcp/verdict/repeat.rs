//! Octets sent again, or out of order: which of the possible causes is it?
//!
//! Candidates are tried in order and each answers for itself: it is this (`Broken`, the numbers show it), it is not
//! (`Holds`, the numbers rule it out), or the capture does not show what would decide (`CannotTell`). The first that fits
//! names the cause; the others are the alternatives that were considered.

use crate::finding::Code;
use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::overlap;
use crate::tcp::verdict::rtt::FIRST_RTO;
use crate::tcp::verdict::rtt::MIN_RTO;
use crate::tcp::verdict::sent::Sent;
use crate::tcp::verdict::tcb::Recovery;
use crate::tcp::verdict::tcb::Tcb;

/// Duplicate acknowledgments that ask for a segment (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;

/// Judges a segment that takes sequence numbers.
pub(super) fn check(segment: &Segment<'_>, own: &mut Tcb, peer: &Tcb, said: &mut Said<'_>) {
    let (seq, end) = (segment.tcp.seq, segment.tcp.end());
    let Some(max) = segment.before.sender.snd_max else { return };
    if segment.tcp.flags.has(TcpFlags::SYN) {
        if !own.answers_crossing_syn(segment.tcp.flags) {
            opening_again(segment, own, said);
        }
        return;
    }
    if max.at_or_before(seq) {
        if max.before(seq) {
            // What was on its way when the capture began is missing in it, and nowhere else.
            let lost = segment.lost_since(own.previous.map(|previous| previous.mark.frame));
            let gap = match (segment.before.sender.packets, lost) {
                (0, _) => Judgement::cannot_tell(Code::LostSegment, Gap::NoHandshake),
                (_, Some(lost)) => Judgement::cannot_tell(Code::LostSegment, lost),
                (_, None) => Judgement::broken(Code::LostSegment),
            };
            said.say(gap.seq("seq", seq).seq("snd_nxt", max).count("missing", max.offset_to(seq)));
        } else {
            said.rule(Code::LostSegment, false, |judged| judged.seq("seq", seq).seq("snd_nxt", max));
        }
        return;
    }
    let known = own.covering(seq).copied();
    overlap::check(segment, known.as_ref(), said);
    if known.is_none() && segment.before.sender.snd_una.is_none_or(|una| una.at_or_before(seq)) {
        reordered_or_resent(segment, own, said);
        return;
    }
    let case = Case { segment, own, peer, known, seq, end, max };
    if let Some(recovery) = name_the_cause(&case, said) {
        // A recovery that goes on ends where it was going to end when it began.
        let goes_on = own.trouble().recovery.filter(|(known, _)| *known == recovery);
        let until = goes_on.map_or(max, |(_, until)| until);
        let trouble = own.trouble_mut();
        if goes_on.is_none() {
            trouble.recovering_since = Some(segment.mark.at);
        }
        trouble.recovery = Some((recovery, until));
    }
}

/// FINs crossed: until it is acknowledged, BSD and Windows put the FIN on whatever they send, here on the
/// acknowledgment of the peer's FIN.
fn fin_on_ack(case: &Case<'_>) -> Judgement {
    let (segment, code) = (case.segment, Code::FinOnAck);
    let tcp = segment.tcp;
    let bare = tcp.len == 0 && tcp.flags.has(TcpFlags::FIN.with(TcpFlags::ACK));
    let news = segment.before.receiver.snd_una.is_some_and(|una| una.before(tcp.ack));
    let judged = case.judged(Judgement::of(code, bare && news)).peer_seq("ack", tcp.ack);
    if bare && !news { judged.why("it acknowledges nothing new") } else { judged }
}

type Candidate = fn(&Case<'_>) -> Judgement;

/// In the order in which they are tried, with the recovery that each begins.
const CANDIDATES: [(Candidate, Option<Recovery>); 4] =
    [(fin_on_ack, None), (fast, Some(Recovery::Fast)), (tail_loss_probe, None), (timeout, Some(Recovery::Timeout))];

struct Case<'a> {
    segment: &'a Segment<'a>,
    own: &'a Tcb,
    peer: &'a Tcb,
    known: Option<Sent>,
    seq: SeqNumber,
    end: SeqNumber,
    max: SeqNumber,
}

/// Says every candidate until one fits; what recovery that begins or goes on.
fn name_the_cause(case: &Case<'_>, said: &mut Said<'_>) -> Option<Recovery> {
    if case.known.is_none() {
        // Wholly acknowledged already: whoever sent it had not heard of that.
        let una = case.segment.before.sender.snd_una.unwrap_or(case.seq);
        let needless = Judgement::broken(Code::RetransmissionOfAcknowledged);
        said.say(needless.seq("seq", case.seq).seq("end", case.end).seq("snd_una", una));
        return None;
    }
    let bare_fin = case.segment.tcp.len == 0;
    for (candidate, recovery) in CANDIDATES.into_iter().skip(usize::from(!bare_fin)) {
        let judgement = candidate(case);
        let fits = judgement.verdict == Verdict::Broken(());
        said.say(judgement);
        if fits {
            return recovery.or(case.own.trouble().recovery.map(|(recovery, _)| recovery));
        }
    }
    let unknown = Judgement::broken(Code::RetransmissionUnexplained).seq("seq", case.seq).seq("end", case.end);
    let since = case.known.map_or(Span::ZERO, |sent| case.segment.mark.at.since(sent.last.at));
    let unknown = unknown.span("since", since).count("duplicate_acks", case.own.duplicate_acks);
    said.say(unknown.span("rto", case.rto()).on(case.original()));
    None
}

impl Case<'_> {
    fn since(&self) -> Span {
        self.known.map_or(Span::ZERO, |sent| self.segment.mark.at.since(sent.last.at))
    }

    fn rto(&self) -> Span {
        Span(self.own.rtt.rto().0.saturating_add(self.half().0))
    }

    fn half(&self) -> Span {
        self.segment.before.sender_half.unwrap_or(Span::ZERO)
    }

    fn original(&self) -> u64 {
        self.known.map_or(self.segment.mark.frame, |sent| sent.last.frame)
    }

    fn judged(&self, judgement: Judgement) -> Judgement {
        judgement.seq("seq", self.seq).seq("end", self.end).span("since", self.since()).on(self.original())
    }
}

/// The receiver asked for it: three duplicates, or SACK for as much above (RFC 5681 §3.2, RFC 6675 §5, RFC 8985 §6.2).
fn fast(case: &Case<'_>) -> Judgement {
    let sacked = case.own.sacked_above(case.seq);
    let segment_size = case.segment.before.effective_mss().unwrap_or(case.segment.tcp.len).max(1);
    let enough_above = sacked >= DUPLICATES * segment_size;
    let asked = case.own.duplicate_acks >= DUPLICATES || enough_above;
    // RACK: something sent later arrived, and a round trip has passed since.
    let later = case.arrived_later();
    let rack = later > Span::ZERO && case.own.rtt.least.is_some_and(|rtt| case.since() >= rtt);
    let goes_on = matches!(case.own.trouble().recovery, Some((Recovery::Fast, until)) if case.seq.before(until));
    // Each recovery repeats a segment once when it is asked; only RACK sees that the repetition was lost as well.
    let fits = match case.repeated_in_this_recovery() {
        true => rack,
        false => (asked && (case.lowest() || sacked > 0) || rack || goes_on) && !case.is_of_a_timeout(),
    };
    // Who asked may not have been captured.
    let judgement = match case.unheard().filter(|_| !fits && !asked) {
        Some(gap) => case.judged(Judgement::cannot_tell(Code::FastRetransmission, gap)),
        None => case.judged(Judgement::of(Code::FastRetransmission, fits)),
    };
    let judgement = judgement.count("duplicate_acks", case.own.duplicate_acks).count("sacked_above", sacked);
    let judgement = judgement.span("later", later);
    if !judgement.verdict.holds() {
        return judgement;
    }
    judgement.why(match asked {
        _ if case.repeated_in_this_recovery() => "it was asked for once, and sent, in this recovery already",
        _ if case.is_of_a_timeout() => "a timeout had given it up before anybody asked",
        true => "what was asked for is another segment",
        false if case.own.duplicate_acks == 0 && sacked == 0 => "nobody asked: no duplicate ACK and no SACK",
        false => "too few duplicate ACKs and too little SACK to ask for it",
    })
}

impl Case<'_> {
    /// How much later than these octets something was sent that is known to have arrived.
    fn arrived_later(&self) -> Span {
        match (self.known, self.own.delivered) {
            (Some(sent), Some(delivered)) => delivered.since(sent.last.at).max(Span::ZERO),
            _ => Span::ZERO,
        }
    }

    /// A timeout gave up all that was on its way (RFC 6298 §5.4, RFC 5681 §3.1): what of it goes out again does so because
    /// of that, whoever asks meanwhile.
    fn is_of_a_timeout(&self) -> bool {
        let runs = matches!(self.own.trouble().recovery, Some((Recovery::Timeout, until)) if self.seq.before(until));
        runs && !self.repeated_in_this_recovery()
    }

    /// Why the receiver's words since the last try cannot be trusted to be all there.
    fn unheard(&self) -> Option<Gap> {
        match self.peer.previous {
            None => Some(Gap::OneSided),
            Some(_) => self.segment.lost_since(self.known.map(|sent| sent.last.frame)),
        }
    }

    /// Why the time since the last try cannot be trusted.
    fn untimed(&self) -> Option<Gap> {
        self.known.and_then(|sent| self.segment.stepped_since(sent.last.frame))
    }

    fn repeated_in_this_recovery(&self) -> bool {
        let since = self.own.trouble().recovery.and(self.own.trouble().recovering_since);
        self.known.is_some_and(|sent| sent.times > 1 && since.is_some_and(|since| since <= sent.last.at))
    }

    /// The timer that would run now: from the latest transmission, or from the acknowledgment that started it over.
    fn timer_ran(&self) -> Span {
        let since_moved = self.own.moved_on.map(|moved_on| self.segment.mark.at.since(moved_on));
        since_moved.map_or(self.since(), |since_moved| since_moved.min(self.since()))
    }

    /// Both SYNs permitted SACK; unknown where one was not seen.
    fn sack_agreed(&self) -> Option<bool> {
        let (own, peer) = (self.segment.before.sender.offer, self.segment.before.receiver.offer);
        (own.seen && peer.seen).then_some(own.sack && peer.sack)
    }

    /// Time from the first try to the last, where it has waited at least as long again since.
    fn backs_off(&self) -> Option<Span> {
        let sent = self.known.filter(|sent| sent.times > 1)?;
        let tries = sent.last.at.since(sent.first.at);
        (tries >= MIN_RTO && self.since() >= tries && self.lowest()).then_some(tries)
    }

    /// It is the oldest that is owed.
    fn lowest(&self) -> bool {
        self.segment.before.sender.snd_una.is_none_or(|una| self.seq.at_or_before(una))
    }
}

/// The youngest segment again, before any timeout, with nobody asking; only where SACK was agreed on (RFC 8985 §3, §7).
fn tail_loss_probe(case: &Case<'_>) -> Judgement {
    let code = Code::TailLossProbe;
    let ran = case.timer_ran();
    let first_repeat = case.known.is_some_and(|sent| sent.times == 1);
    // Alone on its way it waits for a delayed acknowledgment too, but never longer than the timer would: what the timer would
    // send is sent as a probe then (RFC 8985 §7.2). With others on their way the timer would send the oldest.
    let latest = Span(case.own.rtt.latest_rto().0.saturating_add(case.half().0));
    let tail = case.end == case.max && case.own.duplicate_acks == 0 && case.own.trouble().sacked.is_empty();
    let judged = |judgement: Judgement| case.judged(judgement).span("ran", ran).span("rto", latest);
    let why = match () {
        () if case.end != case.max => Some("it is not the youngest segment"),
        () if !tail => Some("duplicate ACKs or SACK had come already"),
        () if !first_repeat => Some("it was repeated before"),
        () if case.lowest() && ran > latest => Some("by then the timer had run out"),
        () if case.own.trouble().recovery.is_some() => Some("a recovery was going on"),
        () if case.sack_agreed() == Some(false) => Some("only hosts with SACK send probes, and it was not agreed on"),
        () => None,
    };
    if let Some(why) = why {
        return judged(Judgement::holds(code)).why(why);
    }
    match case.own.full_rtt(case.segment.before.sender_half) {
        Some(rtt) => {
            let least = Span(rtt.0.saturating_mul(2) - rtt.0 / 4);
            let unsure = case.untimed().or(case.unheard());
            let judgement = match (case.sack_agreed(), unsure) {
                (Some(_), Some(gap)) => Judgement::cannot_tell(code, gap),
                (Some(_), None) => Judgement::of(code, ran >= least),
                (None, _) if ran >= least => Judgement::cannot_tell(code, case.segment.before.why_unknown()),
                (None, _) => Judgement::holds(code),
            };
            let probe = judged(judgement).span("two_rtt", Span(rtt.0.saturating_mul(2)));
            if !probe.verdict.holds() { probe } else { probe.why("too early: two round trips had not passed") }
        }
        None => judged(Judgement::cannot_tell(code, Gap::NoRoundTrip)),
    }
}

/// The timer ran out for the oldest segment, or the run that such a timeout began goes on (RFC 6298 §5).
fn timeout(case: &Case<'_>) -> Judgement {
    let code = Code::TimeoutRetransmission;
    let rto = case.rto();
    let since = case.since();
    let goes_on = matches!(case.own.trouble().recovery, Some((Recovery::Timeout, until)) if case.seq.before(until));
    let due = since >= rto;
    let judged = |judgement: Judgement| case.judged(judgement).span("rto", rto).count("times", times(case));
    if let Some(gap) = case.untimed() {
        return judged(Judgement::cannot_tell(code, gap));
    }
    // RFC 6298 §5.5: only a timer that backs off waits as long again as all tries before took together.
    if let Some(tries) = case.backs_off() {
        return judged(Judgement::broken(code)).span("tries", tries);
    }
    // Everything of the peer that might have moved the timer was seen, unless one direction is missing. Of the youngest
    // segment nobody can have asked, though, and a probe comes before the timer.
    if case.peer.previous.is_none() && !(case.end == case.max && since >= FIRST_RTO) {
        return judged(Judgement::cannot_tell(code, Gap::OneSided));
    }
    // An acknowledgment that asked for it, or that started the timer over, may have been lost in the capture.
    if let Some(gap) = case.unheard().filter(|gap| *gap == Gap::KernelDrops) {
        return judged(Judgement::cannot_tell(code, gap));
    }
    if goes_on && !case.repeated_in_this_recovery() || due && case.lowest() {
        return judged(Judgement::broken(code));
    }
    // Before the first sample the host may know a better round trip than we do: between the two bounds nothing decides.
    if case.own.rtt.srtt.is_none() && since >= MIN_RTO && since < FIRST_RTO && case.lowest() {
        return judged(Judgement::cannot_tell(code, Gap::NoRoundTrip));
    }
    judged(Judgement::holds(code)).why(match due {
        true => "it is not the oldest that is owed",
        false => "too early: the timer had not run out",
    })
}

fn times(case: &Case<'_>) -> u32 {
    case.known.map_or(0, |sent| u32::from(sent.times))
}

/// A SYN, or SYN,ACK, again.
fn opening_again(segment: &Segment<'_>, own: &Tcb, said: &mut Said<'_>) {
    let Some(sent) = own.covering(segment.tcp.seq) else { return };
    let since = segment.mark.at.since(sent.last.at);
    let again = Judgement::broken(Code::SynRetransmission).seq("seq", segment.tcp.seq).span("since", since);
    said.say(again.count("times", sent.times).on(sent.first.frame));
}

/// Octets that were jumped over: overtaken on the way, or lost before the capture point and sent again?
fn reordered_or_resent(segment: &Segment<'_>, own: &Tcb, said: &mut Said<'_>) {
    let seq = segment.tcp.seq;
    let asked = own.duplicate_acks >= DUPLICATES || own.sacked_above(seq) > 0;
    let previous = own.previous;
    let older_id = match (previous.and_then(|previous| previous.ip_id), segment.ip.id) {
        (Some(before), Some(now)) if before != 0 && now != 0 => {
            Some((before as u16).wrapping_sub(now as u16) as i16 > 0)
        }
        _ => None,
    };
    let older_stamp = match (previous.and_then(|previous| previous.ts), segment.tcp.said.timestamps) {
        (Some((before, _)), Some((now, _))) if before != now => Some((before.wrapping_sub(now) as i32) > 0),
        _ => None,
    };
    let judged = |judgement: Judgement| {
        let judgement =
            judgement.seq("seq", seq).seq("end", segment.tcp.end()).count("duplicate_acks", own.duplicate_acks);
        previous.map_or(judgement.clone(), |previous| judgement.on(previous.mark.frame))
    };
    match older_stamp.or(older_id) {
        Some(true) => said.say(judged(Judgement::broken(Code::Reordering))),
        Some(false) => {
            said.say(judged(Judgement::holds(Code::Reordering)).why("it was sent after its predecessors"));
            let code = if asked { Code::FastRetransmission } else { Code::RetransmissionUnexplained };
            said.say(with_scoreboard(judged(Judgement::broken(code)), own, seq));
        }
        None if asked => said.say(with_scoreboard(judged(Judgement::broken(Code::FastRetransmission)), own, seq)),
        None => said.say(judged(Judgement::cannot_tell(Code::Reordering, Gap::NoIdentity))),
    }
}

/// What the rule of a fast retransmission takes beyond duplicates; when the octets went out first was not captured.
fn with_scoreboard(judgement: Judgement, own: &Tcb, seq: SeqNumber) -> Judgement {
    judgement.count("sacked_above", own.sacked_above(seq)).span("later", Span::ZERO)
}
