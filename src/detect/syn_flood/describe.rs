//! Gathers everything known of an incident, for judging it and for telling it.

use crate::detect::syn_flood::HARDLY_ANY;
use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::detail::Detail;
use crate::detect::syn_flood::group::Group;
use crate::detect::syn_flood::group::Level;
use crate::detect::syn_flood::incident::Incident;
use crate::detect::syn_flood::incident::Phase;
use crate::detect::syn_flood::incident::Share;
use crate::detect::syn_flood::incident::Victim;
use crate::detect::syn_flood::incident::covering;
use crate::detect::syn_flood::kinds;
use crate::detect::syn_flood::kinds::Class;
use crate::detect::syn_flood::kinds::Confidence;
use crate::detect::syn_flood::kinds::Judgement;
use crate::detect::syn_flood::kinds::Kind;
use crate::detect::syn_flood::kinds::Picture;
use crate::detect::syn_flood::open::Open;
use crate::detect::syn_flood::reading::innocent_reading;
use crate::detect::syn_flood::scan::Scanner;
use crate::detect::syn_flood::scan::Sweep;
use crate::detect::syn_flood::settings::Setting;
use crate::detect::syn_flood::sketch::Counted;
use crate::detect::syn_flood::sketch::Top;
use crate::detect::syn_flood::sums::Rule;
use crate::flow::doorway::Outcome;

/// Shares listed per alert.
const LISTED: usize = 5;
/// A port that has this share of a prefix's bad attempts is named with it.
const ONE_PORT: f64 = 0.8;
/// Ports of one host, so fast and hardly any twice, that only a scanner tries, whatever came back.
const SURELY_SCANNED: f64 = 512.0;

/// Thresholds by the rule that rests on them; those of no rule are everybody's.
const NEEDED_BY: &[(&str, &str)] = &[
    ("outcomes", "port-limit"),
    ("outcomes", "wide-limit"),
    ("outcomes", "background"),
    ("outcomes", "wide-background"),
    ("outcomes", "tolerated"),
    ("outcomes", "fast-pending"),
    ("outcomes", "fast-ratio"),
    ("resets", "reset-limit"),
    ("resets", "reset-background"),
    ("resets", "reset-tolerated"),
    ("resent-half-open", "resent-limit"),
    ("retried", "resent-limit"),
    ("retried", "tolerated"),
    ("refused-ports", "refused-limit"),
    ("refused-ports", "refused-background"),
    ("refused-ports", "refused-ports"),
    ("refused-ports", "refused-sources"),
    ("port-closed", "refused-limit"),
    ("port-closed", "refused-background"),
    ("unsolicited-syn-acks-sent", "port-limit"),
    ("unsolicited-syn-acks-received", "reflected-limit"),
    ("unsolicited-syn-acks-received", "reflected-background"),
    ("unsolicited-syn-acks-received", "reflected-peers"),
    ("failed-targets", "scan-ports"),
    ("failed-targets", "scan-hosts"),
    ("failed-targets", "scan-failed"),
    ("failed-targets", "scan-tries"),
    ("pace", "surge-factor"),
    ("pace", "surge-completed"),
    ("pace", "surge-floor"),
    ("", "half-open-after"),
    ("", "unanswered-after"),
    ("", "quiet"),
];

/// What an incident is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Subject {
    /// A place under a rule.
    Place(u32, Rule),
    /// A source that scans.
    Scanner(u32),
}

impl SynFlood {
    /// The numbers of a place whose sum has reached its limit.
    pub(super) fn picture(&self, at: u32, rule: Rule) -> Picture {
        let group = self.groups.get(at);
        let lasted = self.clock.now().saturating_sub(group.sums.sum(rule).start);
        self.picture_over(group, self.details.get(at, rule), rule, lasted)
    }

    /// The numbers of an open incident.
    pub(super) fn picture_of(&self, open: &Open, at: u32, rule: Rule) -> Picture {
        let lasted = open.end.saturating_sub(open.start);
        self.picture_over(self.groups.get(at), self.details.get(at, rule), rule, lasted)
    }

    fn picture_over(&self, group: &Group, detail: Option<&Detail>, rule: Rule, lasted: i64) -> Picture {
        let sum = group.sums.sum(rule);
        let during = group.since_base();
        let counted = detail.map_or_else(|| counted_by(rule, &during, sum.s), |detail| detail.attempts);
        let share = |part: u64| part as f64 / counted.max(1) as f64;
        Picture {
            rule,
            level: group.place.level,
            during,
            before: group.base,
            taken_back: group.taken_back,
            strength: sum.s / group.limit(rule, &self.th),
            lasted: lasted as f64 * 1e-9,
            counted,
            sources: detail.map_or(0.0, |detail| detail.sources.estimate()),
            top_share: detail.and_then(|detail| detail.top.leader()).map_or(0.0, |(_, share)| share),
            bare_share: detail.map_or(0.0, |detail| share(detail.bare)),
            ttl_share: detail.and_then(|detail| detail.ttls.leader()).map_or(0.0, |(_, share)| share),
            outage_share: detail.map_or(0.0, |detail| share(detail.in_outage)),
            unserved_share: detail.map_or(0.0, |detail| share(detail.unserved)),
            insistent_share: detail.map_or(0.0, |detail| share(detail.insistent)),
            usual: group.usual.into(),
            octets: detail.map_or(0, |detail| detail.octets.bits()),
            attempts: group.counts.iter().map(|&count| u64::from(count)).sum(),
            resent: group.resent,
            syn_acks_resent: group.syn_acks_resent,
            answered: group.answered,
            blind_completions: group.blind_completions,
            only_syns: self.plain < HARDLY_ANY,
            sampling: self.attempts.sampling(),
        }
    }

    /// A scan, unless the capture cannot show what the source's tries came to.
    pub(super) fn judge_scan(&self, scanner: u32) -> Judgement {
        let known = self.scans.get(scanner);
        let kind = match sweep_of(known) {
            Sweep::Vertical => Kind::ScanVertical,
            Sweep::Horizontal => Kind::ScanHorizontal,
        };
        let lasted = (known.last.saturating_sub(known.start) as f64 * 1e-9).max(0.05);
        let ports = known.ports.estimate();
        let surely = kind == Kind::ScanVertical && ports >= SURELY_SCANNED && ports / lasted >= 100.0;
        // Refusals are answers: where they are seen, so would completions be.
        let answers_seen = self.plain >= HARDLY_ANY || known.refused * 2 >= known.unanswered.max(1);
        if !answers_seen && !surely {
            let reasons = vec!["the capture holds no plain acknowledgments: every try looks as if it had failed"];
            return Judgement { class: Class::Undetermined, kind, confidence: Confidence::Low, reasons };
        }
        let reasons = if known.refused >= known.unanswered {
            vec!["nearly all tries were refused", "hardly any target twice"]
        } else {
            vec!["nearly all tries were left unanswered", "hardly any target twice"]
        };
        let confidence = if known.refused >= known.unanswered { Confidence::High } else { Confidence::Medium };
        Judgement { class: Class::Scan, kind, confidence, reasons }
    }

    /// An incident as it is told.
    pub(super) fn describe(&self, open: &Open, phase: Phase, goes_on: bool) -> Incident {
        let mut incident = match open.subject {
            Subject::Place(at, rule) => self.describe_place(open, at, rule, phase),
            Subject::Scanner(scanner) => self.describe_scan(scanner),
        };
        incident.id = open.id;
        incident.phase = phase;
        incident.start = self.clock.stamp(open.start);
        incident.first_frame = open.frame;
        incident.flagged_at = self.clock.stamp(open.flagged);
        incident.end = (phase == Phase::End && !goes_on).then(|| self.clock.stamp(open.end));
        incident
    }

    fn describe_place(&self, open: &Open, at: u32, rule: Rule, phase: Phase) -> Incident {
        let group = self.groups.get(at);
        let detail = self.details.get(at, rule);
        let picture = self.picture_of(open, at, rule);
        let judged = match phase {
            Phase::End => kinds::judge_finally(&picture, &self.th),
            Phase::Start | Phase::Update => kinds::judge(&picture, &self.th),
        };
        let mut incident = self.blank(&judged, rule.name(), victim(group, detail));
        incident.outcomes = picture.during;
        incident.attempts = picture.during.iter().map(|&count| u64::from(count)).sum();
        incident.taken_back = picture.taken_back;
        incident.rate = picture.rate();
        incident.peak_syn_rate = group.peak_syns;
        incident.completion_before = picture.completion_before();
        incident.completion = picture.completion();
        incident.half_open = group.unacknowledged;
        incident.half_open_peak = group.unacknowledged_peak;
        incident.syn_acks_resent = group.syn_acks_resent;
        incident.syns_resent = group.resent;
        incident.clients_late = group.late_since_base();
        let lost = picture.of(Outcome::ResentUnanswered) + picture.of(Outcome::ResentHalfOpen);
        incident.clients_lost = (rule != Rule::Resent).then_some(lost);
        incident.distinct_sources = picture.sources;
        incident.per_source = picture.per_source();
        incident.first_octets = picture.octets;
        incident.bare_share = picture.bare_share;
        if let Some(detail) = detail {
            incident.top_sources = shares(&detail.top, LISTED, |addr| addr.ip().to_string());
            incident.top_prefixes = shares(&detail.prefixes, LISTED, |addr| {
                format!("{}/{}", addr.ip(), if addr.is_v4() { 16 } else { 48 })
            });
            incident.fingerprint = fingerprint(detail);
            (incident.answered, incident.answered_once) = (detail.answered, detail.answered_once);
        }
        incident.direction = match (group.answered, rule == Rule::Orphaned) {
            (_, true) => "outbound",
            (true, false) => "both",
            (false, false) => "inbound",
        };
        incident.capture_loss = picture.capture_loss();
        incident.innocent_reading = innocent_reading(&judged, &picture);
        incident
    }

    fn describe_scan(&self, scanner: u32) -> Incident {
        let known = self.scans.get(scanner);
        let judged = self.judge_scan(scanner);
        let mut incident = self.blank(&judged, "failed-targets", scanned(known));
        incident.scanner = Some(known.source.ip());
        incident.outcomes[Outcome::Refused.index()] = known.refused;
        incident.outcomes[Outcome::Unanswered.index()] = known.unanswered;
        incident.outcomes[Outcome::Completed.index()] = known.completed;
        incident.attempts = incident.outcomes.iter().map(|&count| u64::from(count)).sum();
        let lasted = (known.last.saturating_sub(known.start) as f64 * 1e-9).max(0.05);
        incident.rate = f64::from(known.tries) / lasted;
        incident.peak_syn_rate = incident.rate as u32;
        incident.completion = Some(f64::from(known.completed) / f64::from(known.tries.max(1)));
        incident.distinct_sources = 1.0;
        incident.per_source = known.tries.into();
        incident.top_sources = vec![Share { value: known.source.ip().to_string(), share: 1.0, error: 0.0 }];
        incident.direction = if self.plain < HARDLY_ANY { "unknown" } else { "both" };
        incident.innocent_reading = match judged.class {
            Class::Undetermined => format!("cannot be ruled out: {}", judged.reasons.join("; ")),
            _ => format!(
                "monitoring or a load balancer: ruled out, those insist on few targets and get through to most; here {} of \
                 {} tries failed, at {} of {}",
                known.refused + known.unanswered,
                known.tries,
                some(known.ports.estimate(), "port"),
                some(known.hosts.estimate(), "host")
            ),
        };
        incident
    }

    /// The thresholds that a rule rests on, and those that somebody changed.
    fn in_force(&self, rule: &str) -> String {
        let mut words: Vec<String> = NEEDED_BY
            .iter()
            .filter(|(needs, _)| needs.is_empty() || *needs == rule)
            .filter_map(|(_, name)| Setting::named(name).ok())
            .map(|setting| format!("{} {} {}", setting.name, setting.value(&self.th), setting.unit))
            .collect();
        let changed = self.th.changed();
        if !changed.is_empty() {
            words.push(format!("not as usual: {}", changed.join(", ")));
        }
        words.join("; ")
    }

    pub(super) fn blank(&self, judged: &Judgement, rule: &'static str, victim: Victim) -> Incident {
        let epoch = self.clock.stamp(0);
        Incident {
            id: 0,
            phase: Phase::Start,
            merged_into: None,
            class: judged.class,
            kind: judged.kind,
            rule,
            victim,
            scanner: None,
            start: epoch,
            first_frame: 0,
            flagged_at: epoch,
            end: None,
            outcomes: [0; Outcome::COUNT],
            attempts: 0,
            taken_back: 0,
            rate: 0.0,
            usual_rate: None,
            peak_syn_rate: 0,
            completion_before: None,
            completion: None,
            half_open: 0,
            half_open_peak: 0,
            syn_acks_resent: 0,
            syns_resent: 0,
            clients_late: 0,
            clients_lost: None,
            answered: 0,
            answered_once: 0,
            distinct_sources: 0.0,
            per_source: 0.0,
            first_octets: 0,
            top_sources: Vec::new(),
            top_prefixes: Vec::new(),
            fingerprint: Vec::new(),
            bare_share: 0.0,
            direction: "both",
            capture_loss: None,
            attempts_table: self.attempts.stats(),
            sampling: self.attempts.sampling(),
            confidence: judged.confidence,
            reasons: judged.reasons.clone(),
            innocent_reading: String::new(),
            thresholds: self.in_force(rule),
        }
    }
}

/// `1 port`, `about 30 ports`.
fn some(estimate: f64, what: &str) -> String {
    if estimate < 1.5 { format!("1 {what}") } else { format!("about {estimate:.0} {what}s") }
}

/// Attempts that a rule counts, where no detail does: ordinary troubles have none.
fn counted_by(rule: Rule, during: &[u32; Outcome::COUNT], sum: f32) -> u64 {
    let of = |outcome: Outcome| u64::from(during[outcome.index()]);
    match rule {
        Rule::Retried => of(Outcome::ResentUnanswered) + of(Outcome::ResentHalfOpen),
        Rule::PortClosed => of(Outcome::Refused),
        Rule::Open | Rule::Reset | Rule::Resent | Rule::Refused | Rule::Orphaned | Rule::Reflected => sum as u64,
    }
}

fn victim(group: &Group, detail: Option<&Detail>) -> Victim {
    let place = group.place;
    let addr = place.addr.ip();
    let v4 = place.addr.is_v4();
    match place.level {
        Level::Port => Victim::Port(addr, place.port),
        Level::Host => Victim::Host(addr),
        Level::Prefix => Victim::Prefix(addr, if v4 { 24 } else { 64 }, one_port(detail)),
        Level::Wide => match detail.and_then(|detail| detail.hit) {
            // As wide as what was hit, which may be a few neighbours only.
            Some((from, to)) => {
                let (addr, len) = covering(from, to);
                Victim::Prefix(addr, len, one_port(detail))
            }
            None => Victim::Prefix(addr, if v4 { 16 } else { 48 }, None),
        },
        Level::Rest => {
            let (from, to) = detail.and_then(|detail| detail.hit).unwrap_or((place.addr, place.addr));
            let (addr, len) = covering(from, to);
            Victim::Prefix(addr, len.min(if from.is_v4() { 16 } else { 48 }), None)
        }
    }
}

fn one_port(detail: Option<&Detail>) -> Option<u16> {
    let (port, share) = detail?.top_port.leader()?;
    (share >= ONE_PORT).then_some(port)
}

fn sweep_of(scanner: &Scanner) -> Sweep {
    if scanner.ports.estimate() >= scanner.hosts.estimate() { Sweep::Vertical } else { Sweep::Horizontal }
}

fn scanned(scanner: &Scanner) -> Victim {
    let host = scanner.top_host.leader().filter(|&(_, share)| share >= ONE_PORT);
    if let (Sweep::Vertical, Some((host, _))) = (sweep_of(scanner), host) {
        return Victim::Host(host.ip());
    }
    let (addr, len) = covering(scanner.hosts_from, scanner.hosts_to);
    let port = scanner.top_port.leader().filter(|&(_, share)| share >= ONE_PORT).map(|(port, _)| port);
    Victim::Prefix(addr, len, port)
}

fn shares<T: Copy + Default + Eq, const N: usize>(
    top: &Top<T, N>,
    most: usize,
    text: impl Fn(T) -> String,
) -> Vec<Share> {
    let total = top.total().max(1) as f64;
    let share = |counted: &Counted<T>| Share {
        value: text(counted.value),
        share: f64::from(counted.count) / total,
        error: f64::from(counted.error) / total,
    };
    // What may be all error says nothing, nor does what surely came but once.
    let telling = |counted: &&Counted<T>| counted.error * 2 <= counted.count && counted.count - counted.error > 1;
    top.sorted().iter().filter(telling).take(most).map(share).collect()
}

fn fingerprint(detail: &Detail) -> Vec<(&'static str, Share)> {
    let mut marks = Vec::new();
    let first = |shares: Vec<Share>, name| shares.into_iter().next().map(|share| (name, share));
    marks.extend(first(shares(&detail.ttls, 1, |ttl| ttl.to_string()), "ttl"));
    marks.extend(first(shares(&detail.windows, 1, |window| window.to_string()), "window"));
    marks.extend(first(shares(&detail.options, 1, |octets| octets.to_string()), "option_octets"));
    marks
}
