//! Every threshold by name, with unit, bounds and meaning: what options, help pages and alerts are made of.

use crate::detect::syn_flood::thresholds::Thresholds;
use crate::packet::Span;

/// One threshold that somebody may want to change.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Stable name, kebab-case.
    pub name: &'static str,
    /// What its number counts.
    pub unit: &'static str,
    /// What it decides.
    pub means: &'static str,
    /// Smallest value that makes sense.
    pub least: f64,
    /// Largest.
    pub most: f64,
    read: fn(&Thresholds) -> f64,
    write: fn(&mut Thresholds, f64),
}

/// Why thresholds cannot be as asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadSetting {
    /// No such name.
    #[error("there is no threshold {name}: synscope flood --help lists them")]
    Unknown {
        /// As given.
        name: String,
    },
    /// Not NAME=NUMBER.
    #[error("{text} is not NAME=NUMBER, as in port-limit=64")]
    NoPair {
        /// As given.
        text: String,
    },
    /// Out of bounds.
    #[error("{name} is {least} to {most} {unit}, not {value}")]
    OutOfBounds {
        /// The threshold.
        name: &'static str,
        /// Its unit.
        unit: &'static str,
        /// Smallest.
        least: f64,
        /// Largest.
        most: f64,
        /// As given.
        value: f64,
    },
    /// Ages that must grow do not.
    #[error(
        "resend-after, aged-after, half-open-after, unanswered-after and forget-after must grow in this order: they are \
         {0}"
    )]
    Order(String),
}

macro_rules! settings {
    ($($kind:ident $($field:ident).+, $name:literal, $unit:literal, $least:literal to $most:literal, $means:literal;)*) => {
        &[$(Setting {
            name: $name,
            unit: $unit,
            means: $means,
            least: $least as f64,
            most: $most as f64,
            read: |th| settings!(@read $kind th.$($field).+),
            write: |th, value| settings!(@write $kind th.$($field).+, value),
        }),*]
    };
    (@read f32 $place:expr) => { (f64::from($place) * 1e6).round() / 1e6 };
    (@write f32 $place:expr, $value:ident) => { $place = $value as f32 };
    (@read f64 $place:expr) => { $place };
    (@write f64 $place:expr, $value:ident) => { $place = $value };
    (@read u32 $place:expr) => { f64::from($place) };
    (@write u32 $place:expr, $value:ident) => { $place = $value as u32 };
    (@read usize $place:expr) => { $place as f64 };
    (@write usize $place:expr, $value:ident) => { $place = $value as usize };
    (@read span $place:expr) => { $place.as_secs_f64() };
    (@write span $place:expr, $value:ident) => { $place = Span(($value * 1e9).round() as i64) };
}

impl Setting {
    /// All of them, in the order in which they are explained.
    pub const ALL: &'static [Self] = settings! {
        f32 port_limit, "port-limit", "attempts", 1 to 1e6, "Alarm when so many attempts at one port lack a good explanation";
        f32 wide_limit, "wide-limit", "attempts", 1 to 1e6, "The same at a whole host or prefix";
        f32 background, "background", "attempts/s", 0 to 1e6, "Unexplained attempts at one port that are ordinary";
        f32 wide_background, "wide-background", "attempts/s", 0 to 1e6, "The same at a host or prefix";
        f32 tolerated, "tolerated", "of completions", 0 to 1, "Share of good traffic that may fail without a word";
        f32 reset_limit, "reset-limit", "attempts", 1 to 1e6, "Alarm when clients reset so many of their own attempts";
        f32 reset_background, "reset-background", "attempts/s", 0 to 1e6, "Such resets that are ordinary: health checks";
        f32 reset_tolerated, "reset-tolerated", "of completions", 0 to 10, "Resets or refusals that good traffic has by habit";
        f32 resent_limit, "resent-limit", "attempts", 1 to 1e6, "Alarm when so many stay half-open though the SYN came again";
        f32 refused_limit, "refused-limit", "attempts", 1 to 1e6, "Alarm when closed ports of a host refuse so many";
        f32 refused_background, "refused-background", "attempts/s", 0 to 1e6, "Refusals at a host that are ordinary";
        u32 refused_ports, "refused-ports", "ports", 1 to 65535, "Different ports that must be among them";
        f64 refused_sources, "refused-sources", "sources per refusal", 0 to 1, "Different sources needed: one alone is a scan";
        f32 reflected_limit, "reflected-limit", "SYN,ACKs", 1 to 1e6, "Alarm when a host gets so many that it never asked for";
        f32 reflected_background, "reflected-background", "SYN,ACKs/s", 0 to 1e6, "Such SYN,ACKs that are ordinary";
        f64 reflected_peers, "reflected-peers", "servers", 1 to 1e6, "Different servers that must send them";
        u32 many_ports, "many-ports", "of 64 groups", 1 to 64, "Ports of a host that must be hit before it is the host's alarm";
        u32 carpet_hosts, "carpet-hosts", "of 64 groups", 1 to 64, "Hosts of a prefix that must be hit before it is the prefix's";
        f64 carpet_sources, "carpet-sources", "sources", 1 to 1e6, "Different sources needed for that";
        f64 carpet_top, "carpet-top", "of attempts", 0 to 1, "One source or host with this share is no attack on the prefix";
        u32 fast_pending, "fast-pending", "attempts", 1 to 1e9, "Waiting attempts that suffice by their number alone";
        f32 fast_ratio, "fast-ratio", "times", 0 to 1e6, "How often the latest completions they must be";
        span resend_after, "resend-after", "s", 0 to 3600, "A SYN repeated sooner was captured twice";
        span aged_after, "aged-after", "s", 0.001 to 3600, "Age from which a waiting attempt counts for fast-pending";
        span half_open_after, "half-open-after", "s", 0.001 to 3600, "Age at which an answered attempt counts as half-open";
        span unanswered_after, "unanswered-after", "s", 0.001 to 3600, "Age at which an attempt without answer counts as such";
        span forget_after, "forget-after", "s", 0.001 to 540, "Age at which an attempt is forgotten";
        f64 single_source, "single-source", "of attempts", 0 to 1, "Share from which one source did it alone";
        f64 per_source_forged, "per-source-forged", "attempts per source", 1 to 1e6, "Up to so many, the sources are forged";
        f64 per_source_real, "per-source-real", "attempts per source", 1 to 1e6, "From so many on, the sources are real";
        f64 scan_ports, "scan-ports", "ports", 2 to 65535, "Ports of few hosts that one source tries in vain: a scan";
        f64 scan_hosts, "scan-hosts", "hosts", 2 to 1e6, "Hosts that one source tries in vain on few ports: a scan";
        f64 scan_failed, "scan-failed", "of tries", 0 to 1, "Share of a scanner's tries that fail";
        f64 scan_tries, "scan-tries", "tries per target", 1 to 1e6, "Beyond, it is a client that insists";
        f64 surge_factor, "surge-factor", "times", 1 to 1e6, "So many times its mean at a port are a crowd, if they complete: a note";
        f64 surge_completed, "surge-completed", "of attempts", 0 to 1, "Share of them that must complete";
        f64 surge_floor, "surge-floor", "attempts/s", 1 to 1e9, "Fewer are never a crowd";
        span quiet, "quiet", "s", 0.1 to 86400, "An incident ends after so long without a bad attempt";
        span update_every, "update-every", "s", 0.1 to 86400, "An incident that goes on is told again so often";
        usize caps.attempts, "max-attempts", "attempts", 64 to 1e9, "Held at once, 64 octets each; the oldest leave first";
        usize caps.ports, "max-ports", "ports", 16 to 1e7, "Called ports held at once; beyond, counted by host";
        usize caps.hosts, "max-hosts", "hosts", 16 to 1e7, "Called hosts held at once; beyond, counted by prefix";
        usize caps.prefixes, "max-prefixes", "prefixes", 16 to 1e7, "/24 and /64 held at once; beyond, counted by /16 or /48";
        usize caps.wide, "max-wide", "prefixes", 4 to 1e6, "/16 and /48 held at once; beyond, counted together";
        usize caps.details, "max-details", "places", 4 to 1e6, "Places whose sources are kept; beyond, counted without";
        usize caps.scanners, "max-scanners", "sources", 4 to 1e6, "Sources watched for scans; the longest silent leave first";
        usize caps.incidents, "max-incidents", "incidents", 1 to 1e6, "Open at once; beyond, counted as neglected";
        usize caps.surges, "max-surges", "ports", 1 to 1e6, "Rises followed at once; beyond, counted as neglected";
    };

    /// The threshold of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Self, BadSetting> {
        let known = Self::ALL.iter().find(|setting| setting.name == name);
        known.ok_or_else(|| BadSetting::Unknown { name: name.to_owned() })
    }

    /// Its value in `th`.
    pub fn value(&self, th: &Thresholds) -> f64 {
        (self.read)(th)
    }

    /// Changes it in `th`.
    ///
    /// # Errors
    /// The value lies out of its bounds.
    pub fn put(&self, th: &mut Thresholds, value: f64) -> Result<(), BadSetting> {
        if !(self.least..=self.most).contains(&value) {
            let Self { name, unit, least, most, .. } = *self;
            return Err(BadSetting::OutOfBounds { name, unit, least, most, value });
        }
        (self.write)(th, value);
        Ok(())
    }
}

impl Thresholds {
    /// Changes one threshold by `NAME=NUMBER`.
    ///
    /// # Errors
    /// No such name, no number, or out of bounds.
    pub fn set(&mut self, text: &str) -> Result<(), BadSetting> {
        let pair = text.split_once('=').and_then(|(name, value)| Some((name, value.parse().ok()?)));
        let (name, value) = pair.ok_or_else(|| BadSetting::NoPair { text: text.to_owned() })?;
        Setting::named(name)?.put(self, value)
    }

    /// What single bounds cannot say: verdicts come in the order of age.
    ///
    /// # Errors
    /// They would not.
    pub fn check(&self) -> Result<(), BadSetting> {
        let ages = [self.resend_after, self.aged_after, self.half_open_after, self.unanswered_after, self.forget_after];
        if ages.windows(2).all(|pair| pair[0] < pair[1]) {
            return Ok(());
        }
        let words: Vec<String> = ages.iter().map(|age| format!("{} s", age.as_secs_f64())).collect();
        Err(BadSetting::Order(words.join(", ")))
    }

    /// Those that somebody changed, as `name value (default)`.
    pub fn changed(&self) -> Vec<String> {
        let usual = Self::default();
        let differs = |setting: &&Setting| setting.value(self) != setting.value(&usual);
        let words = |setting: &Setting| format!("{} {} ({})", setting.name, setting.value(self), setting.value(&usual));
        Setting::ALL.iter().filter(differs).map(words).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_threshold_has_one_name_and_keeps_what_is_put_into_it() {
        let names: HashSet<&str> = Setting::ALL.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), Setting::ALL.len());
        for setting in Setting::ALL {
            let mut th = Thresholds::default();
            let usual = setting.value(&th);
            assert!((setting.least..=setting.most).contains(&usual), "{}: {usual}", setting.name);
            setting.put(&mut th, setting.most).expect("within its bounds");
            assert_eq!(setting.value(&th), setting.most, "{}", setting.name);
            assert_eq!(th.changed().len(), usize::from(usual != setting.most), "{}: {:?}", setting.name, th.changed());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        let mut th = Thresholds::default();
        assert_eq!(th.set("port-limit=32"), Ok(()));
        assert_eq!(th.port_limit, 32.0);
        for text in ["port-limit", "port-limit=many", "no-such=1", "port-limit=0", "tolerated=1.5", "quiet=-1"] {
            assert!(th.set(text).is_err(), "{text}");
        }
        assert_eq!(th.check(), Ok(()));
        th.set("half-open-after=5").expect("for itself it may be");
        assert!(th.check().is_err());
    }
}
