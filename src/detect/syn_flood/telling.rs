//! An incident in the words and keys of the machine contract.

use crate::detect::syn_flood::incident::Incident;
use crate::detect::syn_flood::incident::Share;
use crate::detect::syn_flood::kinds::Class;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::doorway::Outcome;

impl Incident {
    /// The code of what it is.
    pub const fn code(&self) -> Code {
        match self.class {
            Class::Flood => Code::SynFlood,
            Class::Scan => Code::SynScan,
            Class::Overload => Code::SynOverload,
            Class::Unanswered => Code::SynUnanswered,
            Class::Undetermined => Code::SynFloodUndetermined,
            Class::Surge => Code::SynSurge,
        }
    }

    /// As a finding. Shares are ratios, times seconds since the epoch in text.
    pub fn to_finding(&self) -> Finding {
        let code = self.code();
        Finding {
            code,
            severity: code.severity(),
            at: self.flagged_at,
            streams: Vec::new(),
            frames: if self.first_frame == 0 { Vec::new() } else { vec![self.first_frame.into()] },
            text: self.text(),
            evidence: self.evidence(),
        }
    }

    /// One sentence for whoever is on call.
    pub fn text(&self) -> String {
        let end = match self.end {
            Some(end) => format!("until {end}"),
            None => "and goes on".to_owned(),
        };
        let outcomes = self.outcomes_in_words();
        let what = self.kind.name();
        if let Some(scanner) = self.scanner {
            return format!(
                "{what}: {scanner} tried {}, {:.0} tries per second from {} {end}: {outcomes}. Confidence {}: {}",
                self.victim,
                self.rate,
                self.start,
                self.confidence.name(),
                self.reasons.join("; ")
            );
        }
        if let Some(usual) = self.usual_rate {
            return format!(
                "{what} at {} from {} {end}: {:.0} attempts per second, {usual:.1} usual, from about {:.0} sources; {} of \
                 {} completed. Confidence {}: {}",
                self.victim,
                self.start,
                self.rate,
                self.distinct_sources,
                self.outcomes[Outcome::Completed.index()],
                self.attempts,
                self.confidence.name(),
                self.reasons.join("; ")
            );
        }
        let completion = self.completion.map_or_else(|| "?".to_owned(), percent);
        let before = self.completion_before.map_or_else(|| "?".to_owned(), percent);
        let sources = match self.distinct_sources {
            known if known > 0.0 => format!(" from about {known:.0} sources"),
            _ => String::new(),
        };
        format!(
            "{what} at {} from {} {end}: {:.0} such attempts per second (peak {} SYN/s){sources}; {outcomes}; {completion} \
             complete, {before} before. Confidence {}: {}. Innocent reading: {}",
            self.victim,
            self.start,
            self.rate,
            self.peak_syn_rate,
            self.confidence.name(),
            self.reasons.join("; "),
            self.innocent_reading
        )
    }

    /// Every outcome that there was, with its count.
    pub fn outcomes_in_words(&self) -> String {
        let seen = Outcome::NAMED.iter().filter(|(outcome, _)| self.outcomes[outcome.index()] > 0);
        let words: Vec<String> = seen
            .map(|(outcome, name)| format!("{} {}", self.outcomes[outcome.index()], name.replace('_', " ")))
            .collect();
        words.join(", ")
    }

    /// What there is to say of a crowd; nothing is known of a rest that is not bad.
    fn crowd(&self, add: &mut impl FnMut(&'static str, Value)) {
        add("peak_syn_rate", self.peak_syn_rate.into());
        add("attempts", self.attempts.into());
        add("completed", self.outcomes[Outcome::Completed.index()].into());
        if let Some(share) = self.completion {
            add("completion", Value::Ratio(round(share)));
        }
        add("distinct_sources", (self.distinct_sources.round() as u64).into());
        add("distinct_sources_error", Value::Ratio(0.03));
        add("attempts_per_source", Value::Ratio(round(self.per_source)));
        add("direction", self.direction.into());
        add("sampling", u64::from(1_u32 << self.sampling).into());
        add("confidence", self.confidence.name().into());
        add("reasons", self.reasons.join("; ").into());
        add("innocent_reading", self.innocent_reading.as_str().into());
        add("thresholds", self.thresholds.as_str().into());
    }

    fn evidence(&self) -> Vec<(&'static str, Value)> {
        let mut evidence: Vec<(&'static str, Value)> = vec![
            ("incident", self.id.into()),
            ("state", self.phase.name().into()),
            ("kind", self.kind.name().into()),
            ("victim", self.victim.to_string().into()),
            ("rule", self.rule.into()),
            ("start", self.start.to_string().into()),
            ("flagged_at", self.flagged_at.to_string().into()),
        ];
        let mut add = |key, value: Value| evidence.push((key, value));
        if let Some(other) = self.merged_into {
            add("merged_into", other.into());
        }
        if let Some(end) = self.end {
            add("end", end.to_string().into());
        }
        if let Some(scanner) = self.scanner {
            add("source", scanner.to_string().into());
        }
        add("rate", Value::Ratio(round(self.rate)));
        if let Some(usual) = self.usual_rate {
            add("usual_rate", Value::Ratio(round(usual)));
            self.crowd(&mut add);
            return evidence;
        }
        add("peak_syn_rate", self.peak_syn_rate.into());
        add("attempts", self.attempts.into());
        for (outcome, name) in Outcome::NAMED {
            add(name, self.outcomes[outcome.index()].into());
        }
        add("taken_back", self.taken_back.into());
        if let Some(share) = self.completion_before {
            add("completion_before", Value::Ratio(round(share)));
        }
        if let Some(share) = self.completion {
            add("completion", Value::Ratio(round(share)));
        }
        add("half_open_now", self.half_open.into());
        add("half_open_peak", self.half_open_peak.into());
        add("syn_acks_resent", self.syn_acks_resent.into());
        add("syns_resent", self.syns_resent.into());
        add("clients_late", self.clients_late.into());
        if let Some(lost) = self.clients_lost {
            add("clients_lost", lost.into());
        }
        add("answered", self.answered.into());
        add("answered_once", self.answered_once.into());
        // Of an ordinary trouble nobody counts who is behind it.
        if self.distinct_sources > 0.0 {
            add("distinct_sources", (self.distinct_sources.round() as u64).into());
            add("distinct_sources_error", Value::Ratio(0.03));
            add("attempts_per_source", Value::Ratio(round(self.per_source)));
            add("first_octets", self.first_octets.into());
        }
        add("top_sources", listed(&self.top_sources).into());
        add("top_prefixes", listed(&self.top_prefixes).into());
        for (mark, share) in &self.fingerprint {
            add(mark, listed(std::slice::from_ref(share)).into());
        }
        add("syns_without_options", Value::Ratio(round(self.bare_share)));
        add("direction", self.direction.into());
        if let Some(loss) = self.capture_loss {
            add("capture_loss", Value::Ratio(round(loss)));
        }
        let table = self.attempts_table;
        add("attempts_evicted", (table.evicted_judged + table.evicted_unjudged).into());
        add("attempts_sampled_out", table.sampled_out.into());
        add("sampling", u64::from(1_u32 << self.sampling).into());
        add("confidence", self.confidence.name().into());
        add("reasons", self.reasons.join("; ").into());
        add("innocent_reading", self.innocent_reading.as_str().into());
        add("thresholds", self.thresholds.as_str().into());
        evidence
    }
}

fn listed(shares: &[Share]) -> String {
    let words: Vec<String> = shares
        .iter()
        .map(|share| match share.error {
            error if error >= 0.001 => {
                format!("{} {} (at most {} less)", share.value, percent(share.share), percent(error))
            }
            _ => format!("{} {}", share.value, percent(share.share)),
        })
        .collect();
    words.join(", ")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
