//! What may be said about traffic: verdicts with their evidence, findings with their code.
//!
//! Plain data. Who says it is `tcp` and `detect`, how it looks is `report`.

pub mod catalog;

use std::fmt;

use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;

pub use catalog::Code;
pub use catalog::Kind;

/// The outcome of one check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict<Fault> {
    /// Checked, and it is so.
    Holds,
    /// Checked, and it is not so; the fault carries what shows it.
    Broken(Fault),
    /// The capture does not hold what the check needs.
    CannotTell(Gap),
}

impl<Fault> Verdict<Fault> {
    /// Checked, and so.
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Holds)
    }

    /// The fault, if there is one.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Broken(fault) => Some(fault),
            _ => None,
        }
    }

    /// One word, as the machine contract writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Broken(_) => "broken",
            Self::CannotTell(_) => "cannot-tell",
        }
    }
}

/// What a capture lacks, so that a check cannot be made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Gap {
    /// The connection began before the capture did.
    NoHandshake,
    /// Only one direction was captured.
    OneSided,
    /// The snap length cut what was needed.
    Snapped,
    /// The peer acknowledged octets that the capture does not hold.
    NotCaptured,
    /// The datagram came in fragments that were not put together.
    Fragmented,
    /// The capture ended before it could show.
    CaptureEnded,
    /// A bad checksum: the receiver will have dropped it, so it proves nothing.
    BadChecksum,
    /// No round-trip time is known yet, so no timer can be judged.
    NoRoundTrip,
    /// Neither IP id nor timestamp tells one packet from another.
    NoIdentity,
    /// Which of two packets reached the receiver first cannot be seen from here.
    OrderAtReceiver,
    /// Idle for so long that a timestamp clock may have come round (RFC 7323 §5.5).
    ClockMayHaveWrapped,
    /// The capturing side lost frames meanwhile.
    KernelDrops,
    /// The capture's clock was set back meanwhile.
    ClockStepped,
    /// The way is so short that the hosts' own time outweighs it.
    TooClose,
    /// Signs that should agree contradict each other.
    SignsDisagree,
    /// The capture has no room to say it, or did not.
    NotTold,
    /// Nothing passed that could have shown it.
    NothingSeen,
    /// No segment was sent that is as large as allowed.
    NoFullSegment,
    /// The SYN was seen at one place only, and nothing later contradicts it.
    OnePlace,
}

impl Gap {
    /// Every gap there is.
    pub const ALL: [Self; 17] = [
        Self::NoHandshake,
        Self::OneSided,
        Self::Snapped,
        Self::NotCaptured,
        Self::Fragmented,
        Self::CaptureEnded,
        Self::BadChecksum,
        Self::NoRoundTrip,
        Self::NoIdentity,
        Self::OrderAtReceiver,
        Self::ClockMayHaveWrapped,
        Self::KernelDrops,
        Self::ClockStepped,
        Self::TooClose,
        Self::SignsDisagree,
        Self::NotTold,
        Self::NothingSeen,
    ];

    /// Stable, kebab-case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoHandshake => "no-handshake",
            Self::OneSided => "one-sided",
            Self::Snapped => "snapped",
            Self::NotCaptured => "not-captured",
            Self::Fragmented => "fragmented",
            Self::CaptureEnded => "capture-ended",
            Self::BadChecksum => "bad-checksum",
            Self::NoRoundTrip => "no-round-trip",
            Self::NoIdentity => "no-identity",
            Self::OrderAtReceiver => "order-at-receiver",
            Self::ClockMayHaveWrapped => "clock-may-have-wrapped",
            Self::KernelDrops => "kernel-drops",
            Self::ClockStepped => "clock-stepped",
            Self::TooClose => "too-close",
            Self::SignsDisagree => "signs-disagree",
            Self::NotTold => "not-told",
            Self::NothingSeen => "nothing-seen",
            Self::NoFullSegment => "no-full-segment",
            Self::OnePlace => "one-place",
        }
    }
}

impl Gap {
    /// What would have to be there for the check to be made.
    pub const fn decided_by(self) -> &'static str {
        match self {
            Self::NoHandshake => "a capture that begins before the SYN",
            Self::OneSided => "a capture of both directions",
            Self::Snapped => "a capture of whole packets",
            Self::NotCaptured => "a capture without losses",
            Self::Fragmented => "the datagram in one piece",
            Self::CaptureEnded => "a capture that goes on longer",
            Self::BadChecksum => "a capture at the receiver",
            Self::NoRoundTrip => "an earlier acknowledgment, for a round-trip time",
            Self::NoIdentity => "timestamps, or IP ids that count",
            Self::OrderAtReceiver => "a capture at the receiver",
            Self::ClockMayHaveWrapped => "the sender's clock",
            Self::KernelDrops => "a capture without drops",
            Self::ClockStepped => "a steady clock",
            Self::TooClose => "a capture point farther from both hosts",
            Self::SignsDisagree => "another capture point",
            Self::NotTold => "the word of whoever captured it",
            Self::NothingSeen => "more traffic",
            Self::NoFullSegment => "a transfer of more than one segment",
            Self::OnePlace => "a capture at the sender's interface, or at two places",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHandshake => "the connection began before the capture",
            Self::OneSided => "only one direction was captured",
            Self::Snapped => "the snap length cut it off",
            Self::NotCaptured => "octets are missing in the capture",
            Self::Fragmented => "the datagram came in fragments",
            Self::CaptureEnded => "the capture ended first",
            Self::BadChecksum => "its checksum is bad",
            Self::NoRoundTrip => "no round-trip time is known yet",
            Self::NoIdentity => "neither IP id nor timestamp tells one packet from another",
            Self::OrderAtReceiver => "which packet reached the receiver first cannot be seen from here",
            Self::ClockMayHaveWrapped => "the timestamp clock may have come round",
            Self::KernelDrops => "frames were lost while capturing around then",
            Self::ClockStepped => "the capture's clock was set back meanwhile",
            Self::TooClose => "the way is too short to tell it from the time that hosts take",
            Self::SignsDisagree => "the signs contradict each other",
            Self::NotTold => "it is not told",
            Self::NothingSeen => "nothing passed that would show it",
            Self::NoFullSegment => "no segment was as large as allowed",
            Self::OnePlace => "the SYN was seen at one place only",
        })
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing, nothing is wrong.
    Note,
    /// Something did not go as it should, and went on.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing said about the traffic, so that it can be redone by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What, by stable name; title, meaning and RFC section stand in the catalogue.
    pub code: Code,
    /// How much it matters here.
    pub severity: Severity,
    /// When it became known.
    pub at: Timestamp,
    /// Streams it is about.
    pub streams: Vec<u64>,
    /// Frames that it rests on.
    pub frames: Vec<u64>,
    /// The sentence with its sum.
    pub text: String,
    /// The numbers put into the rule.
    pub evidence: Vec<(&'static str, Value)>,
}

/// A number or word of evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count, octets, a sequence number.
    Number(u64),
    /// A ratio.
    Ratio(f64),
    /// A length of time.
    Span(Span),
    /// A word, an address.
    Text(String),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<SeqNumber> for Value {
    fn from(seq: SeqNumber) -> Self {
        Self::Number(seq.0.into())
    }
}

impl From<Span> for Value {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
