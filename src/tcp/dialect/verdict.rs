//! The fifteen words that Wireshark 4.0 has for a segment, as a set.

use std::fmt;

/// A set of Wireshark's `tcp.analysis.*` flags.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Verdicts(u16);

macro_rules! verdicts {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $key:literal;)*) => {
        impl Verdicts {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            /// Every verdict with Wireshark's field name behind `tcp.analysis.`, in the order of the machine contract.
            pub const NAMED: [(Self, &'static str); 15] = [$((Self::$name, $key),)*];
        }
    };
}

verdicts! {
    /// Sent again, and nothing better was found to call it.
    RETRANSMISSION = 0, "retransmission";
    /// Sent again soon after at least two duplicate ACKs asked for it.
    FAST_RETRANSMISSION = 1, "fast_retransmission";
    /// Sent again although the peer had acknowledged it.
    SPURIOUS_RETRANSMISSION = 2, "spurious_retransmission";
    /// Behind the highest octet seen, but too soon after it to be a retransmission.
    OUT_OF_ORDER = 3, "out_of_order";
    /// Octets before this segment were not captured.
    LOST_SEGMENT = 4, "lost_segment";
    /// Acknowledges octets that were not captured.
    ACK_LOST_SEGMENT = 5, "ack_lost_segment";
    /// Repeats the acknowledgment before it and nothing else.
    DUPLICATE_ACK = 6, "duplicate_ack";
    /// Repeats the acknowledgment before it with another window.
    WINDOW_UPDATE = 7, "window_update";
    /// Fills the peer's window to the last octet.
    WINDOW_FULL = 8, "window_full";
    /// Offers no window.
    ZERO_WINDOW = 9, "zero_window";
    /// One octet sent into a window of zero.
    ZERO_WINDOW_PROBE = 10, "zero_window_probe";
    /// Answers such a probe, still without a window.
    ZERO_WINDOW_PROBE_ACK = 11, "zero_window_probe_ack";
    /// One octet or none, just before the next one due.
    KEEP_ALIVE = 12, "keep_alive";
    /// Answers a keep-alive.
    KEEP_ALIVE_ACK = 13, "keep_alive_ack";
    /// A SYN on ports that were in use with another initial sequence number.
    REUSED_PORTS = 14, "reused_ports";
}

impl Verdicts {
    /// No verdict.
    pub const NONE: Self = Self(0);

    /// Every verdict of `wanted` was given.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// No verdict was given.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds those of `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Both sets together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set as Wireshark's fields show it: a fast or spurious retransmission shares the expert note of the plain
    /// one, and with it the field `tcp.analysis.retransmission`.
    pub const fn as_fields(self) -> Self {
        let shares_note = Self::FAST_RETRANSMISSION.0 | Self::SPURIOUS_RETRANSMISSION.0;
        if self.0 & shares_note == 0 { self } else { self.with(Self::RETRANSMISSION) }
    }
}

/// Field names joined by commas; the empty set is `-`.
impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        let mut comma = "";
        for (_, name) in Self::NAMED.iter().filter(|(verdict, _)| self.has(*verdict)) {
            write!(f, "{comma}{name}")?;
            comma = ",";
        }
        Ok(())
    }
}
