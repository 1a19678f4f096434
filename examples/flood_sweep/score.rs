//! What the detector says of a run, held against the truth: as somebody scores it who has labels and no mercy.

use synscope::craft::traffic::EPOCH;
use synscope::decode::Decoder;
use synscope::detect::syn_flood::Incident;
use synscope::detect::syn_flood::Phase;
use synscope::detect::syn_flood::Thresholds;
use synscope::packet::Frame;
use synscope::packet::FrameMeta;
use synscope::pipeline::Watch;

use crate::case::Attack;
use crate::case::Run;

/// An alarm up to so many seconds after the attack's end is in time.
const GRACE: f64 = 8.0;
/// An end is right up to so many seconds off.
const END: f64 = 1.5;
/// From so many SYNs a second an attack is a fast one.
const FAST: f64 = 10_000.0;

/// Counts over some runs.
#[derive(Default)]
pub(crate) struct Score {
    runs: usize,
    attacks: usize,
    found: usize,
    single: usize,
    delays: Vec<f64>,
    fast_delays: Vec<f64>,
    starts: Vec<f64>,
    wrong_ends: usize,
    besides: Vec<String>,
}

impl Score {
    /// One run more; with a `name`, what went wrong in it is told.
    pub(crate) fn add(&mut self, seed: u64, run: Run, name: Option<&str>) {
        let attacks = run.attacks.clone();
        let told = told(run);
        let hits = |attack: &Attack| told.iter().filter(|incident| is_right(incident, attack)).collect::<Vec<_>>();
        let mut wrong = false;
        for attack in &attacks {
            let hits = hits(attack);
            self.attacks += 1;
            self.found += usize::from(!hits.is_empty());
            self.single += usize::from(hits.len() == 1);
            wrong |= hits.len() != 1;
            if let Some(hit) = hits.first() {
                let delay = flagged(hit) - attack.from;
                self.delays.push(delay);
                if attack.rate >= FAST {
                    self.fast_delays.push(delay);
                }
                let off = hit.start.since(EPOCH).as_secs_f64() - attack.from;
                self.starts.push(off.abs());
                let ended = hit.end.map(|end| end.since(EPOCH).as_secs_f64());
                let end_off = ended.is_some_and(|end| (end - attack.to).abs() > END) || ended.is_none() && !attack.cut;
                self.wrong_ends += usize::from(end_off);
                wrong |= off.abs() > 0.05 || end_off;
            }
        }
        self.runs += 1;
        for other in told.iter().filter(|incident| is_alarm(incident)) {
            if !attacks.iter().any(|attack| is_right(other, attack)) {
                self.besides.push(format!("{} {}", other.kind.name(), other.victim));
                wrong = true;
            }
        }
        if let Some(name) = name.filter(|_| wrong) {
            let all: Vec<String> = told
                .iter()
                .map(|i| {
                    let start = i.start.since(EPOCH).as_secs_f64();
                    format!(
                        "{} {} {} from {start:.3} at {:.2}: {}",
                        i.code(),
                        i.kind.name(),
                        i.victim,
                        flagged(i),
                        i.text()
                    )
                })
                .collect();
            eprintln!("{name}, seed {seed}: {attacks:?}\n  {}", all.join("\n  "));
        }
    }

    /// Attacks missed, alarms too many.
    pub(crate) fn wrong(&self) -> usize {
        self.attacks - self.found + self.besides.len()
    }

    /// Takes in another one.
    pub(crate) fn join(&mut self, other: Self) {
        self.runs += other.runs;
        self.attacks += other.attacks;
        self.found += other.found;
        self.single += other.single;
        self.delays.extend(other.delays);
        self.fast_delays.extend(other.fast_delays);
        self.starts.extend(other.starts);
        self.wrong_ends += other.wrong_ends;
        self.besides.extend(other.besides);
    }

    /// A row of the table.
    pub(crate) fn cells(&self) -> String {
        let times = if self.delays.is_empty() {
            "– | –".to_owned()
        } else {
            let (delay, start) = (&self.delays, &self.starts);
            format!(
                "{:.1} s, {:.1} s | {:.0} ms, {:.0} ms",
                median(delay),
                most(delay),
                median(start) * 1e3,
                most(start) * 1e3
            )
        };
        let mut besides = self.besides.clone();
        besides.sort();
        besides.dedup();
        let said = match self.besides.len() {
            0 => "–".to_owned(),
            n => format!("{n}: {}", besides[..besides.len().min(3)].join(", ")),
        };
        let found = if self.attacks == 0 { "–".to_owned() } else { format!("{} of {}", self.found, self.attacks) };
        let single = if self.attacks == 0 { "–".to_owned() } else { self.single.to_string() };
        format!("{found} | {single} | {times} | {said}")
    }

    /// What the whole comes to, in sentences.
    pub(crate) fn sum(&self) -> String {
        let within = |limit: f64| self.starts.iter().filter(|&&off| off <= limit).count();
        format!(
            "{} runs. {} of {} attacks found, {} of them as one incident; {} alarms that should not be.\n\
             Delay: median {:.2} s, most {:.1} s; at {FAST:.0} SYN/s and more ({} attacks): median {:.2} s, most {:.2} s.\n\
             Start: median {:.0} ms off, most {:.0} ms; within 50 ms in {} of {}. End: more than {END} s off in {}.",
            self.runs,
            self.found,
            self.attacks,
            self.single,
            self.besides.len(),
            median(&self.delays),
            most(&self.delays),
            self.fast_delays.len(),
            median(&self.fast_delays),
            most(&self.fast_delays),
            median(&self.starts) * 1e3,
            most(&self.starts) * 1e3,
            within(0.05),
            self.starts.len(),
            self.wrong_ends,
        )
    }
}

fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

fn most(of: &[f64]) -> f64 {
    of.iter().copied().fold(0.0, f64::max)
}

fn flagged(incident: &Incident) -> f64 {
    incident.flagged_at.since(EPOCH).as_secs_f64()
}

fn is_alarm(incident: &Incident) -> bool {
    ["syn-flood", "syn-scan"].contains(&incident.code().as_str())
}

fn is_right(incident: &Incident, attack: &Attack) -> bool {
    incident.code().as_str() == attack.code
        && attack.place.is(&incident.victim.to_string())
        && (attack.from..=attack.to + GRACE).contains(&flagged(incident))
}

/// What is said when it is over.
fn told(run: Run) -> Vec<Incident> {
    let mut watch = Watch::new(Thresholds::default());
    let mut decoder = Decoder::default();
    let mut told = Vec::new();
    let mut tell = |incident: Incident| {
        if incident.phase == Phase::End && incident.merged_into.is_none() {
            told.push(incident);
        }
    };
    for (number, segment) in (1..).zip(run.segments) {
        let (bytes, origlen) = run.written.frame(&segment, number);
        let whole = FrameMeta::whole(number, segment.time(), run.written.link_type(), bytes.len() as u32);
        let frame = Frame { meta: FrameMeta { origlen, ..whole }, bytes: &bytes };
        watch.observe(&decoder.decode(&frame), &mut tell);
    }
    watch.finish(&mut tell);
    told
}
