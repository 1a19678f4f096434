//! The control bits of a TCP header (RFC 9293 §3.1, RFC 3168 §6.1, RFC 9768 §3) as a set.

use std::fmt;

/// The twelve bits beside the data offset: three reserved, AE, CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TcpFlags(u16);

impl TcpFlags {
    /// No more octets from the sender.
    pub const FIN: Self = Self(0x001);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// Reset the connection.
    pub const RST: Self = Self(0x004);
    /// Push: hand what is buffered to the application.
    pub const PSH: Self = Self(0x008);
    /// The acknowledgment field is significant.
    pub const ACK: Self = Self(0x010);
    /// The urgent pointer is significant.
    pub const URG: Self = Self(0x020);
    /// ECN echo (RFC 3168).
    pub const ECE: Self = Self(0x040);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x080);
    /// Accurate ECN (RFC 9768; once the nonce sum of RFC 3540).
    pub const AE: Self = Self(0x100);

    /// Every named flag with its name, highest bit first, as the header shows them.
    pub const NAMED: [(Self, &'static str); 9] = [
        (Self::AE, "AE"),
        (Self::CWR, "CWR"),
        (Self::ECE, "ECE"),
        (Self::URG, "URG"),
        (Self::ACK, "ACK"),
        (Self::PSH, "PSH"),
        (Self::RST, "RST"),
        (Self::SYN, "SYN"),
        (Self::FIN, "FIN"),
    ];

    /// From the wire: the low twelve bits of octets 12 and 13.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x0fff)
    }

    /// As on the wire, reserved bits included.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Every flag of `wanted` is set.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// At least one flag of `wanted` is set.
    pub const fn any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Both sets together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// A SYN without ACK, FIN or RST: somebody opens. ECN bits do not matter.
    pub const fn is_pure_syn(self) -> bool {
        self.has(Self::SYN) && !self.any(Self(Self::ACK.0 | Self::FIN.0 | Self::RST.0))
    }

    /// The part that can move a connection's state.
    pub const fn control(self) -> Control {
        // RST outranks all (RFC 9293 §3.10.7.4 checks it before SYN); SYN outranks FIN.
        if self.has(Self::RST) {
            Control::Rst
        } else if self.has(Self::SYN) {
            if self.has(Self::ACK) { Control::SynAck } else { Control::Syn }
        } else if self.has(Self::FIN) {
            Control::Fin
        } else {
            Control::None
        }
    }
}

/// Names joined by commas, in the order people say them: `SYN,ACK`. Empty set: `-`.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SPOKEN: [(TcpFlags, &str); 9] = [
            (TcpFlags::SYN, "SYN"),
            (TcpFlags::FIN, "FIN"),
            (TcpFlags::RST, "RST"),
            (TcpFlags::PSH, "PSH"),
            (TcpFlags::ACK, "ACK"),
            (TcpFlags::URG, "URG"),
            (TcpFlags::ECE, "ECE"),
            (TcpFlags::CWR, "CWR"),
            (TcpFlags::AE, "AE"),
        ];
        let mut first = true;
        for (flag, name) in SPOKEN {
            if self.has(flag) {
                if !first {
                    f.write_str(",")?;
                }
                f.write_str(name)?;
                first = false;
            }
        }
        if first { f.write_str("-") } else { Ok(()) }
    }
}

/// What of a segment can move a state. Data and plain acknowledgments are [`Control::None`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Control {
    /// No SYN, FIN or RST.
    None,
    /// SYN without ACK.
    Syn,
    /// SYN with ACK.
    SynAck,
    /// FIN, with or without ACK.
    Fin,
    /// RST, whatever else is set.
    Rst,
}

impl Control {
    /// As people say it; data and plain acknowledgments are a `segment`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "segment",
            Self::Syn => "SYN",
            Self::SynAck => "SYN,ACK",
            Self::Fin => "FIN",
            Self::Rst => "RST",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_outranks_every_other_control() {
        assert_eq!(TcpFlags::from_bits(0x07).control(), Control::Rst);
        assert_eq!(TcpFlags::from_bits(0x03).control(), Control::Syn);
        assert_eq!(TcpFlags::from_bits(0x12).control(), Control::SynAck);
        assert_eq!(TcpFlags::from_bits(0x18).control(), Control::None);
    }

    #[test]
    fn ecn_bits_do_not_hide_an_opening() {
        assert!(TcpFlags::from_bits(0x0c2).is_pure_syn());
        assert!(!TcpFlags::from_bits(0x012).is_pure_syn());
    }

    #[test]
    fn flags_are_said_in_the_order_people_say_them() {
        assert_eq!(TcpFlags::from_bits(0x012).to_string(), "SYN,ACK");
        assert_eq!(TcpFlags::from_bits(0x000).to_string(), "-");
    }
}
