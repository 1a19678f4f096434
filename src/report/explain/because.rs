//! What was judged of a segment, read as an explanation: the cause, its sum, the rules, the alternatives.

use crate::finding::Code;
use crate::finding::Kind;
use crate::finding::Severity;
use crate::finding::Verdict;
use crate::report::explain::Cause;
use crate::report::explain::sum::Numbering;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;

/// The judgements of one segment.
pub(super) struct Reading<'a> {
    segment: &'a Segment<'a>,
    numbering: Numbering<'a>,
    main: Option<&'a Judgement>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(segment: &'a Segment<'a>) -> Self {
        let judgements = segment.seen.judgements;
        let numbering =
            Numbering { connection: segment.seen.connection, side: segment.seen.side, style: segment.style };
        Self { segment, numbering, main: main_of(judgements) }
    }

    /// The headline: what was found, or the rule that is broken.
    pub(super) fn cause(&self) -> Option<Cause> {
        let main = self.main?;
        let title = match main.code.kind() {
            Kind::Rule => format!("broken rule: {}", lower_first(main.code.title())),
            Kind::Segment | Kind::Whole => lower_first(main.code.title()),
        };
        let ink = match main.code.severity() {
            Severity::Note => Ink::Bold,
            Severity::Warning => Ink::Warn,
            Severity::Error => Ink::Bad,
        };
        // Of "the capture does not show why" nothing is uncertain.
        let sure = main.code == Code::RetransmissionUnexplained || !self.open_candidates();
        Some(Cause { title, code: main.code, ink, sure })
    }

    /// The sum of the cause, then those of everything else that was found or broken.
    pub(super) fn because(&self) -> Vec<Facts> {
        let main = self.main.into_iter();
        let others = self.segment.seen.judgements.iter().filter(|other| self.is_beside(other));
        main.clone().chain(others).map(|judgement| self.sum_line(judgement)).chain(self.main.map(meaning)).collect()
    }

    /// Rules that are kept, by name; those that are broken are told with their sums.
    pub(super) fn rules(&self) -> Vec<Facts> {
        let (mut kept, mut open) = (Facts::default(), Vec::new());
        for judgement in self.segment.seen.judgements.iter().filter(|judgement| !is_candidate(judgement.code)) {
            match judgement.verdict {
                // Told with its numbers.
                Verdict::Holds if is_sum(judgement.code) => {}
                Verdict::Holds if judgement.code.kind() == Kind::Rule => {
                    kept.say(Ink::Good, format!("✓ {}", judgement.code))
                }
                Verdict::Holds => kept.plain(format!("no {}", judgement.code)),
                Verdict::CannotTell(gap) => open.push((judgement.code, gap)),
                Verdict::Broken(()) => {}
            }
        }
        let mut lines = Vec::new();
        if !kept.is_empty() {
            lines.push(kept);
        }
        for (index, &(_, gap)) in open.iter().enumerate() {
            if open[..index].iter().any(|(_, before)| *before == gap) {
                continue;
            }
            let codes: Vec<_> = open.iter().filter(|(_, of)| *of == gap).map(|(code, _)| code.as_str()).collect();
            let mut facts = Facts::default();
            facts.plain(format!("? {}", codes.join(", ")));
            facts.say(Ink::Dim, format!("cannot tell: {gap}"));
            facts.say(Ink::Dim, format!("would decide: {}", gap.decided_by()));
            lines.push(facts);
        }
        lines
    }

    /// The other causes that were considered: ruled out by what, or left open for lack of what.
    pub(super) fn instead(&self) -> Vec<Facts> {
        let candidates = self.segment.seen.judgements.iter().filter(|judgement| is_candidate(judgement.code));
        candidates.filter(|judgement| !judgement.is_broken()).map(|judgement| self.alternative(judgement)).collect()
    }

    /// Where the rules stand.
    pub(super) fn sources(&self) -> Vec<&'static str> {
        let main = self.main.map(|judgement| judgement.code.rfc());
        let others = self.segment.seen.judgements.iter().filter(|other| self.is_beside(other));
        main.into_iter().chain(others.map(|judgement| judgement.code.rfc())).collect()
    }

    fn is_beside(&self, other: &Judgement) -> bool {
        let told = other.is_broken() || is_sum(other.code) && other.verdict.holds();
        told && self.main.is_none_or(|main| main != other)
    }

    fn open_candidates(&self) -> bool {
        let open = |judgement: &Judgement| matches!(judgement.verdict, Verdict::CannotTell(_));
        self.segment.seen.judgements.iter().any(|judgement| is_candidate(judgement.code) && open(judgement))
    }

    fn sum_line(&self, judgement: &Judgement) -> Facts {
        let mut facts = Facts::default();
        if self.main != Some(judgement) {
            let (sign, ink) = match (judgement.code.kind(), judgement.verdict) {
                (Kind::Rule, Verdict::Holds) => ("✓ ", Ink::Good),
                (Kind::Rule, _) => ("✗ ", Ink::Bad),
                (Kind::Segment | Kind::Whole, _) => ("", Ink::Warn),
            };
            facts.say(ink, format!("{sign}{}: {}", judgement.code, self.numbering.sum(judgement)));
        } else {
            if let Some(repeats) = self.repeats(judgement) {
                facts.plain(repeats);
            }
            for clause in self.numbering.sum(judgement).split("; ").filter(|clause| !clause.is_empty()) {
                facts.plain(clause);
            }
        }
        let told_above = self.main == Some(judgement) && self.repeats(judgement).is_some();
        if !judgement.rests_on.is_empty() && !told_above {
            let frames: Vec<_> = judgement.rests_on.iter().map(u64::to_string).collect();
            let plural = if frames.len() == 1 { "" } else { "s" };
            facts.say(Ink::Dim, format!("see packet{plural} {}", frames.join(", ")));
        }
        facts
    }

    /// `repeats octets 65483..127974 of packet 7, 10.3 ms later`, for a cause of a repetition.
    fn repeats(&self, judgement: &Judgement) -> Option<String> {
        if !REPETITIONS.contains(&judgement.code) {
            return None;
        }
        let (Some(Number::Seq(seq)), Some(Number::Seq(end))) = (judgement.input("seq"), judgement.input("end")) else {
            return None;
        };
        let (from, to) = (self.segment.own_number(seq), self.segment.own_number(end));
        let what = if seq.plus(1) == end && self.segment.tcp.len == 0 {
            format!("the FIN {from}")
        } else {
            format!("octets {from}..{to}")
        };
        match (judgement.rests_on.first(), judgement.input("since")) {
            (Some(frame), Some(Number::Span(since))) => {
                Some(format!("repeats {what} of packet {frame}, {} later", text::span(since)))
            }
            _ => Some(format!("brings {what}")),
        }
    }

    fn alternative(&self, judgement: &Judgement) -> Facts {
        let mut facts = Facts::default();
        let name = lower_first(judgement.code.title());
        match judgement.verdict {
            Verdict::CannotTell(gap) => {
                facts.say(Ink::Warn, format!("{name}: cannot tell, {gap}"));
                facts.plain(format!("would decide: {}", gap.decided_by()));
            }
            Verdict::Holds | Verdict::Broken(()) => {
                facts.plain(match judgement.input("why") {
                    Some(Number::Word(why)) => format!("{name}: no, {why}"),
                    _ => format!("{name}: no"),
                });
                for (name, number) in NUMBERS_OF_ALTERNATIVES {
                    if let Some(value) = judgement.input(name) {
                        facts.say(Ink::Dim, format!("{number} {}", self.numbering.number(judgement.code, value)));
                    }
                }
            }
        }
        facts
    }
}

/// The judgement that explains a segment best: of what was found the gravest, a repetition's cause before its proof.
pub(super) fn main_of(judgements: &[Judgement]) -> Option<&Judgement> {
    let broken = judgements.iter().filter(|judgement| judgement.is_broken());
    broken.min_by_key(|judgement| ORDER.iter().position(|code| *code == judgement.code).unwrap_or(ORDER.len()))
}

fn meaning(judgement: &Judgement) -> Facts {
    let mut facts = Facts::default();
    facts.say(Ink::Dim, judgement.code.meaning());
    facts
}

/// A sum of the opening or the closing, worth telling also where it holds.
pub(super) const fn is_sum(code: Code) -> bool {
    matches!(code, Code::SynAckAck | Code::HandshakeAck | Code::FinAck)
}

/// A cause among several that were tried in turn.
const fn is_candidate(code: Code) -> bool {
    matches!(
        code,
        Code::CaptureDuplicate
            | Code::FinOnAck
            | Code::FastRetransmission
            | Code::TailLossProbe
            | Code::TimeoutRetransmission
            | Code::RetransmissionOfAcknowledged
            | Code::RetransmissionUnexplained
            | Code::Reordering
            | Code::KeepAlive
            | Code::SpuriousRetransmission
    )
}

/// `TCP` stays, `The` does not.
pub(super) fn lower_first(title: &str) -> String {
    let mut chars = title.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain([second]).chain(chars).collect()
        }
        _ => title.to_owned(),
    }
}

/// What explains a segment, the best explanation first; codes that are not named come last.
const ORDER: &[Code] = &[
    Code::BadChecksum,
    Code::CaptureDuplicate,
    Code::Refused,
    Code::SynAckAck,
    Code::HandshakeAck,
    Code::SynAckChanged,
    Code::SimultaneousOpen,
    Code::SynRetransmission,
    Code::ResetValid,
    Code::ResetIgnored,
    Code::Reset,
    Code::ResetAfterFin,
    Code::OverlapDiffers,
    Code::FinOnAck,
    Code::FastRetransmission,
    Code::TailLossProbe,
    Code::TimeoutRetransmission,
    Code::Reordering,
    Code::RetransmissionOfAcknowledged,
    Code::RetransmissionUnexplained,
    Code::ZeroWindowProbe,
    Code::KeepAlive,
    Code::LateAck,
    Code::ZeroWindowProbeAnswer,
    Code::KeepAliveAnswer,
    Code::ChallengeAck,
    Code::BeyondWindow,
    Code::AckRange,
    Code::Paws,
    Code::StateUnexpected,
    Code::NotCaptured,
    Code::LostSegment,
    Code::SpuriousRetransmission,
    Code::ZeroWindow,
    Code::WindowOpened,
    Code::WindowUnderSegment,
    Code::WindowShrunk,
    Code::SackSane,
    Code::FinAck,
    Code::IdleClose,
    Code::SegmentAcceptable,
];

/// Causes of octets that come again, or late.
const REPETITIONS: &[Code] = &[
    Code::FinOnAck,
    Code::FastRetransmission,
    Code::TailLossProbe,
    Code::TimeoutRetransmission,
    Code::Reordering,
    Code::RetransmissionOfAcknowledged,
    Code::RetransmissionUnexplained,
];

/// Numbers told of a cause that was ruled out.
const NUMBERS_OF_ALTERNATIVES: [(&str, &str); 4] =
    [("duplicate_acks", "duplicate ACKs"), ("two_rtt", "two round trips"), ("since", "after"), ("rto", "RTO")];
