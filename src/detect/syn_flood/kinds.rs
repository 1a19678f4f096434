//! From the numbers of one place to a word: which kind, how sure, and what else it could be.
//!
//! A pure function of a [`Picture`], so that every verdict can be redone by hand from the alert that shows the picture.

use crate::detect::syn_flood::group::Level;
use crate::detect::syn_flood::sums::Rule;
use crate::detect::syn_flood::thresholds::Thresholds;
use crate::flow::doorway::Outcome;

/// What an incident is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// An attack by half-open connections.
    Flood,
    /// Somebody looks for open ports.
    Scan,
    /// A server that cannot keep up, or answers that get lost.
    Overload,
    /// A host that is dead, or a port that refuses.
    Unanswered,
    /// It looks like one of them, and the capture cannot tell.
    Undetermined,
    /// A crowd that is served.
    Surge,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Flood, Self::Scan, Self::Overload, Self::Unanswered, Self::Undetermined, Self::Surge];

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Scan => "scan",
            Self::Overload => "overload",
            Self::Unanswered => "unanswered",
            Self::Undetermined => "undetermined",
            Self::Surge => "surge",
        }
    }
}

/// Which one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Hardly any source twice: the addresses are forged.
    Spoofed,
    /// One source, or the one that it forges.
    SingleSource,
    /// Several sources, each many times: real hosts.
    Distributed,
    /// Between the two.
    OriginUnclear,
    /// SYN,ACKs from many servers to a host that asked none of them.
    SynAckReflection,
    /// Many ports of few hosts.
    ScanVertical,
    /// Few ports of many hosts.
    ScanHorizontal,
    /// Slow or lost answers, and clients that get through in the end.
    Overload,
    /// No answer, and clients that keep trying.
    Unreachable,
    /// Refusals, and clients that keep trying.
    Refused,
    /// Far more clients than usual, and they get through.
    Surge,
}

impl Kind {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spoofed => "flood-spoofed",
            Self::SingleSource => "flood-single-source",
            Self::Distributed => "flood-distributed",
            Self::OriginUnclear => "flood-origin-unclear",
            Self::SynAckReflection => "synack-reflection",
            Self::ScanVertical => "scan-vertical",
            Self::ScanHorizontal => "scan-horizontal",
            Self::Overload => "overload",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Surge => "surge",
        }
    }
}

/// How sure.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Confidence {
    /// Table or capture lost much of it.
    Low,
    /// One kind of evidence.
    Medium,
    /// Both directions seen, and several kinds of evidence agree.
    High,
}

impl Confidence {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The numbers of one place under one rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) rule: Rule,
    pub(super) level: Level,
    /// Outcomes since the rise began, and before it.
    pub(super) during: [u32; Outcome::COUNT],
    pub(super) before: [u32; Outcome::COUNT],
    pub(super) taken_back: u32,
    /// The sum, in multiples of its limit.
    pub(super) strength: f32,
    /// Seconds from the first to the last bad SYN.
    pub(super) lasted: f64,
    /// Attempts in the detail: those that this rule counts.
    pub(super) counted: u64,
    pub(super) sources: f64,
    pub(super) top_share: f64,
    pub(super) bare_share: f64,
    pub(super) ttl_share: f64,
    pub(super) octets: u32,
    /// Share of them during which nobody, or hardly anyone, completed.
    pub(super) outage_share: f64,
    /// Share of them at whose verdict hardly anybody completed.
    pub(super) unserved_share: f64,
    /// Share of them with three SYNs and more.
    pub(super) insistent_share: f64,
    /// Completions per second before.
    pub(super) usual: f64,
    /// Attempts in all since the place is known, and how many of them had to repeat their SYN.
    pub(super) attempts: u64,
    pub(super) resent: u32,
    pub(super) syn_acks_resent: u32,
    /// The victim ever answered.
    pub(super) answered: bool,
    /// Completions of which no SYN,ACK was seen, since the place is known.
    pub(super) blind_completions: u32,
    /// The capture holds next to no segment without SYN, FIN and RST.
    pub(super) only_syns: bool,
    /// One in 2^n flows is followed.
    pub(super) sampling: u32,
}

/// What the numbers amount to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judgement {
    pub(super) class: Class,
    pub(super) kind: Kind,
    pub(super) confidence: Confidence,
    pub(super) reasons: Vec<&'static str>,
}

/// SYN,ACK repetitions worth a word.
const REPEATED_SYN_ACKS: u32 = 20;
/// A dead target that few clients keep asking is asked slower than this per second.
const MONITORED: f64 = 50.0;

impl Picture {
    pub(super) const fn of(&self, outcome: Outcome) -> u32 {
        self.during[outcome.index()]
    }

    pub(super) fn bad(&self) -> u32 {
        self.of(Outcome::HalfOpen) + self.of(Outcome::Unanswered) + self.of(Outcome::Forged)
    }

    /// Bad attempts per distinct source.
    pub(super) fn per_source(&self) -> f64 {
        self.counted as f64 / self.sources.max(1.0)
    }

    /// Counted attempts per second.
    pub(super) fn rate(&self) -> f64 {
        self.counted as f64 / self.lasted.max(0.05)
    }

    /// Share of completed attempts while it lasts.
    pub(super) fn completion(&self) -> Option<f64> {
        share_completed(&self.during)
    }

    /// The same before.
    pub(super) fn completion_before(&self) -> Option<f64> {
        share_completed(&self.before)
    }

    /// Share of completed handshakes whose SYN,ACK is missing: what the capture lost of the server's side.
    pub(super) fn capture_loss(&self) -> Option<f64> {
        let completed = self.completed_ever();
        (self.answered && completed >= 20).then(|| f64::from(self.blind_completions) / f64::from(completed))
    }

    /// Where the capture lost that share of the answers, it lost so many refusals, give or take.
    fn refusals_lost(&self) -> f64 {
        let loss = self.capture_loss().unwrap_or(0.0).clamp(0.0, 0.9);
        2.0 * f64::from(self.of(Outcome::Refused)) * loss / (1.0 - loss)
    }

    fn resent_share(&self) -> f64 {
        f64::from(self.resent) / self.attempts.max(1) as f64
    }

    fn completed_ever(&self) -> u32 {
        self.before[Outcome::Completed.index()] + self.of(Outcome::Completed)
    }

    /// SYNs that no operating system sends: without options, or one machine behind a world of addresses.
    fn made_by_a_tool(&self) -> bool {
        let bare = self.counted >= 100 && self.bare_share >= 0.9;
        let one_machine = self.counted >= 500
            && self.per_source() <= 1.2
            && self.octets >= 96
            && self.ttl_share >= 0.9
            && self.rate() >= 200.0;
        (bare || one_machine) && self.resent_share() < 0.05
    }
}

/// Share of completed attempts among those whose outcome is known.
fn share_completed(outcomes: &[u32; Outcome::COUNT]) -> Option<f64> {
    let all: u64 = outcomes.iter().map(|&count| u64::from(count)).sum();
    (all > 0).then(|| f64::from(outcomes[Outcome::Completed.index()]) / all as f64)
}

/// Judges while it goes on.
pub(super) fn judge(picture: &Picture, th: &Thresholds) -> Judgement {
    match picture.rule {
        Rule::Retried | Rule::PortClosed => trouble(picture),
        Rule::Orphaned => {
            let reasons = vec!["only the server's side is in the capture: whether clients acknowledge cannot be seen"];
            undetermined(origin(picture, th), reasons)
        }
        Rule::Reflected => reflection(picture),
        Rule::Open | Rule::Reset | Rule::Resent | Rule::Refused => attack(picture, th),
    }
}

/// Judges when it is over, and everything that late evidence took back is known.
pub(super) fn judge_finally(picture: &Picture, th: &Thresholds) -> Judgement {
    let judged = judge(picture, th);
    let withdrawn = picture.rule == Rule::Open && picture.taken_back > picture.bad();
    if judged.class == Class::Flood && withdrawn { trouble(picture) } else { judged }
}

fn attack(picture: &Picture, th: &Thresholds) -> Judgement {
    let kind = origin(picture, th);
    let tool = picture.made_by_a_tool();
    if !tool {
        if picture.only_syns {
            return undetermined(
                kind,
                vec![
                    "the capture holds no plain acknowledgments: a filter on SYN makes every client look silent, and a full \
                      accept queue repeats SYN,ACKs as a flood does",
                ],
            );
        }
        if !picture.answered && picture.completed_ever() == 0 && picture.resent_share() < 0.05 {
            return undetermined(
                kind,
                vec!["the server's side is not in the capture, and nobody is seen to complete or to try again"],
            );
        }
        let no_surge = kind != Kind::Spoofed || picture.rate() < 3.0 * picture.usual;
        if !picture.answered && picture.outage_share >= 0.5 && no_surge {
            return undetermined(
                kind,
                vec!["nobody completes meanwhile, and the server's side is not in the capture: it may just refuse"],
            );
        }
        if picture.rule == Rule::Resent && (picture.of(Outcome::Completed) == 0 || picture.unserved_share >= 0.5) {
            return undetermined(
                kind,
                vec!["hardly anybody completes meanwhile: the way back to all clients may be broken"],
            );
        }
        if picture.rule == Rule::Resent && kind != Kind::Spoofed && picture.insistent_share >= 0.5 {
            let reasons = vec!["the same clients try and try again, as live ones do whose answers are lost"];
            return Judgement { class: Class::Overload, kind: Kind::Overload, confidence: Confidence::Medium, reasons };
        }
        if picture.rule == Rule::Open && picture.refusals_lost() >= f64::from(picture.bad().max(1)) {
            let reasons = vec!["the port refuses, and the capture lost so many answers that refusals are among them"];
            return Judgement {
                class: Class::Unanswered,
                kind: Kind::Refused,
                confidence: Confidence::Medium,
                reasons,
            };
        }
        if is_dead_target(picture, th) {
            let reasons = vec!["few sources ask a host that never answered, slowly: monitoring of a dead target"];
            return Judgement {
                class: Class::Unanswered,
                kind: Kind::Unreachable,
                confidence: Confidence::Medium,
                reasons,
            };
        }
    }
    let (confidence, reasons) = confidence(picture, tool);
    Judgement { class: Class::Flood, kind, confidence, reasons }
}

fn undetermined(kind: Kind, reasons: Vec<&'static str>) -> Judgement {
    Judgement { class: Class::Undetermined, kind, confidence: Confidence::Low, reasons }
}

/// A host that answered nobody, asked by few, each again and again at leisure.
fn is_dead_target(picture: &Picture, th: &Thresholds) -> bool {
    picture.rule == Rule::Open
        && !picture.answered
        && picture.completed_ever() == 0
        && picture.per_source() >= th.per_source_real
        && picture.rate() < MONITORED
}

fn trouble(picture: &Picture) -> Judgement {
    let (class, kind, reason) = if picture.rule == Rule::PortClosed {
        (Class::Unanswered, Kind::Refused, "the port refuses, and clients try again")
    } else if picture.completion().unwrap_or(0.0) >= 0.2 {
        (Class::Overload, Kind::Overload, "clients repeat their SYN and many get through")
    } else {
        (Class::Unanswered, Kind::Unreachable, "clients repeat their SYN and hardly anyone gets through")
    };
    Judgement { class, kind, confidence: Confidence::High, reasons: vec![reason] }
}

fn reflection(picture: &Picture) -> Judgement {
    let kind = Kind::SynAckReflection;
    let refused = picture.of(Outcome::Reset) + picture.syn_acks_resent;
    if u64::from(refused) * 2 < picture.counted {
        let reason = "the SYNs may have left another way: hardly any of the SYN,ACKs was repeated or reset";
        return undetermined(kind, vec![reason]);
    }
    let reasons = vec!["SYN,ACKs for connections that nobody here asked for, repeated or reset"];
    Judgement { class: Class::Flood, kind, confidence: Confidence::Medium, reasons }
}

/// Which kind, by how often each source appears.
fn origin(picture: &Picture, th: &Thresholds) -> Kind {
    if picture.top_share >= th.single_source {
        Kind::SingleSource
    } else if picture.per_source() >= th.per_source_real {
        Kind::Distributed
    } else if picture.per_source() <= th.per_source_forged {
        Kind::Spoofed
    } else {
        Kind::OriginUnclear
    }
}

fn confidence(picture: &Picture, tool: bool) -> (Confidence, Vec<&'static str>) {
    let mut reasons = Vec::new();
    let answered_bad = picture.of(Outcome::HalfOpen) + picture.of(Outcome::Forged);
    let answered = answered_bad * 2 >= picture.bad().max(1);
    if answered {
        reasons.push("most were answered and never acknowledged");
    } else if picture.rule == Rule::Open {
        reasons.push("most got no answer and were not tried again, as a live client would within three seconds");
    }
    if picture.of(Outcome::Forged) > 0 {
        reasons.push("acknowledgments with numbers that the server never sent");
    }
    if picture.syn_acks_resent >= REPEATED_SYN_ACKS {
        reasons.push("the server repeats its SYN,ACKs");
    }
    if tool {
        reasons.push("the SYNs look like no operating system's");
    }
    if picture.of(Outcome::Completed) > 0 {
        reasons.push("other clients complete meanwhile");
    }
    let both = picture.answered && picture.blind_completions <= picture.completed_ever() / 2;
    let supported = picture.of(Outcome::Completed) > 0 || picture.syn_acks_resent >= REPEATED_SYN_ACKS;
    let confidence = if picture.sampling > 0 {
        Confidence::Low
    } else if both && answered && supported && picture.strength >= 4.0 && picture.rule != Rule::Resent {
        Confidence::High
    } else {
        Confidence::Medium
    };
    (confidence, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flood of 2,000 forged addresses at a server that answers them and serves others.
    fn flood() -> Picture {
        let mut during = [0; Outcome::COUNT];
        during[Outcome::HalfOpen.index()] = 2_000;
        during[Outcome::Completed.index()] = 100;
        let mut before = [0; Outcome::COUNT];
        before[Outcome::Completed.index()] = 100;
        Picture {
            rule: Rule::Open,
            level: Level::Port,
            during,
            before,
            taken_back: 0,
            strength: 8.0,
            lasted: 10.0,
            counted: 2_000,
            sources: 1_990.0,
            top_share: 0.001,
            bare_share: 0.0,
            ttl_share: 0.3,
            octets: 200,
            outage_share: 0.0,
            unserved_share: 0.0,
            insistent_share: 0.0,
            usual: 10.0,
            attempts: 2_200,
            resent: 5,
            syn_acks_resent: 900,
            answered: true,
            blind_completions: 0,
            only_syns: false,
            sampling: 0,
        }
    }

    fn said(picture: &Picture) -> (Class, Kind, Confidence) {
        let judged = judge(picture, &Thresholds::default());
        (judged.class, judged.kind, judged.confidence)
    }

    #[test]
    fn two_thousand_sources_once_each_are_forged() {
        assert_eq!(said(&flood()), (Class::Flood, Kind::Spoofed, Confidence::High));
    }

    #[test]
    fn twenty_sources_a_hundred_times_each_are_real() {
        assert_eq!(said(&Picture { sources: 20.0, ..flood() }).1, Kind::Distributed);
        assert_eq!(said(&Picture { sources: 1_000.0, ..flood() }).1, Kind::OriginUnclear);
        assert_eq!(said(&Picture { sources: 20.0, top_share: 0.6, ..flood() }).1, Kind::SingleSource);
    }

    #[test]
    fn a_capture_of_syns_only_cannot_tell() {
        assert_eq!(said(&Picture { only_syns: true, ..flood() }).0, Class::Undetermined);
        assert_eq!(said(&Picture { only_syns: true, bare_share: 1.0, ..flood() }).0, Class::Flood);
    }

    #[test]
    fn a_server_never_seen_cannot_be_judged_unless_its_clients_complete_or_a_tool_shows() {
        let mut blind = Picture { answered: false, resent: 0, before: [0; Outcome::COUNT], ..flood() };
        assert_eq!(said(&blind).0, Class::Flood, "a hundred clients complete");
        blind.during[Outcome::Completed.index()] = 0;
        assert_eq!(said(&blind).0, Class::Undetermined);
        assert_eq!(said(&Picture { bare_share: 1.0, ..blind }).0, Class::Flood);
        assert_eq!(said(&Picture { ttl_share: 1.0, ..blind }).0, Class::Flood);
    }

    #[test]
    fn clients_of_a_service_that_is_down_look_silent_where_its_refusals_are_not_captured() {
        let down = Picture { answered: false, outage_share: 0.9, sources: 500.0, ..flood() };
        assert_eq!(said(&down).0, Class::Undetermined);
        assert_eq!(said(&Picture { outage_share: 0.1, ..down }).0, Class::Flood);
        let single = Picture { sources: 1_990.0, ..down };
        assert_eq!(said(&single).0, Class::Flood, "200 per second where 10 completed");
        assert_eq!(said(&Picture { usual: 150.0, ..single }).0, Class::Undetermined);
    }

    #[test]
    fn a_capture_that_loses_half_of_the_answers_loses_half_of_the_refusals() {
        let mut lossy = Picture { blind_completions: 100, ..flood() };
        lossy.during[Outcome::HalfOpen.index()] = 0;
        lossy.during[Outcome::Unanswered.index()] = 2_000;
        assert_eq!(said(&lossy).0, Class::Flood);
        lossy.during[Outcome::Refused.index()] = 1_900;
        assert_eq!(said(&lossy).0, Class::Unanswered);
        assert_eq!(said(&Picture { blind_completions: 4, ..lossy }).0, Class::Flood);
    }

    #[test]
    fn clients_that_insist_are_live_unless_every_one_is_another() {
        let resent = Picture { rule: Rule::Resent, sources: 900.0, insistent_share: 0.8, ..flood() };
        assert_eq!(said(&resent).0, Class::Overload);
        assert_eq!(said(&Picture { insistent_share: 0.1, ..resent }).0, Class::Flood);
        assert_eq!(said(&Picture { sources: 1_990.0, ..resent }).0, Class::Flood);
    }

    #[test]
    fn three_monitors_of_a_dead_host_are_no_flood() {
        let mut dead = Picture { answered: false, sources: 3.0, resent: 200, lasted: 100.0, ..flood() };
        dead.during[Outcome::Completed.index()] = 0;
        dead.before = [0; Outcome::COUNT];
        assert_eq!(said(&dead).0, Class::Unanswered);
        assert_eq!(said(&Picture { lasted: 1.0, ..dead }).0, Class::Flood);
    }

    #[test]
    fn what_late_evidence_took_back_was_no_flood() {
        let th = Thresholds::default();
        assert_eq!(judge_finally(&Picture { taken_back: 3_000, ..flood() }, &th).class, Class::Unanswered);
        assert_eq!(judge_finally(&Picture { taken_back: 300, ..flood() }, &th).class, Class::Flood);
    }
}
