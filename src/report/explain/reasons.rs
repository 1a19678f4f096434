//! Where Wireshark 4.0 and we name one frame differently, and the rule of Wireshark's that makes the difference.

use crate::finding::Code;
use crate::tcp::dialect::Verdicts;

/// How a flag of Wireshark's and a code of ours relate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// Two words for one thing.
    Same,
    /// Not the same, and why.
    Differs(&'static str),
}

use Reason::Differs;
use Reason::Same;

/// What Wireshark 4.0 looks at before it sets a flag.
pub(super) fn rule(flag: Verdicts) -> &'static str {
    RULES.iter().find(|(of, _)| *of == flag).map_or("", |(_, rule)| *rule)
}

const RULES: [(Verdicts, &str); 15] = [
    (Verdicts::RETRANSMISSION, "numbers below the next one expected, and no better word found"),
    (Verdicts::FAST_RETRANSMISSION, "two duplicate ACKs or more, the last less than 20 ms ago, ask for this number"),
    (Verdicts::SPURIOUS_RETRANSMISSION, "the capture holds an acknowledgment of these octets already"),
    (Verdicts::OUT_OF_ORDER, "below the next number, and less than a round trip after what came before it"),
    (Verdicts::LOST_SEGMENT, "the number is beyond the next one expected"),
    (Verdicts::ACK_LOST_SEGMENT, "acknowledges octets that the capture does not hold"),
    (Verdicts::DUPLICATE_ACK, "no octets, and number, acknowledgment and window as in the packet before"),
    (Verdicts::WINDOW_UPDATE, "as the packet before it, with another window"),
    (Verdicts::WINDOW_FULL, "the segment ends exactly at the edge of the window that the peer offered"),
    (Verdicts::ZERO_WINDOW, "the window field is 0, in each packet anew"),
    (Verdicts::ZERO_WINDOW_PROBE, "one octet at the next number while the peer's window is 0"),
    (Verdicts::ZERO_WINDOW_PROBE_ACK, "repeats the acknowledgment with window 0 after a probe of one octet"),
    (Verdicts::KEEP_ALIVE, "one octet or none, one below the next number"),
    (Verdicts::KEEP_ALIVE_ACK, "repeats the acknowledgment after a keep-alive"),
    (Verdicts::REUSED_PORTS, "a SYN on known ports with another first number"),
];

/// The first that fits counts; `NONE` stands for a frame that Wireshark gives no flag to.
pub(super) const REASONS: &[(Verdicts, Code, Reason)] = &[
    // One thing, two words.
    (Verdicts::RETRANSMISSION, Code::TimeoutRetransmission, Same),
    (Verdicts::RETRANSMISSION, Code::SynRetransmission, Same),
    (Verdicts::RETRANSMISSION, Code::RetransmissionUnexplained, Same),
    (Verdicts::FAST_RETRANSMISSION, Code::FastRetransmission, Same),
    (Verdicts::SPURIOUS_RETRANSMISSION, Code::RetransmissionOfAcknowledged, Same),
    (Verdicts::OUT_OF_ORDER, Code::Reordering, Same),
    (Verdicts::LOST_SEGMENT, Code::LostSegment, Same),
    (Verdicts::ACK_LOST_SEGMENT, Code::NotCaptured, Same),
    (Verdicts::ZERO_WINDOW, Code::ZeroWindow, Same),
    (Verdicts::WINDOW_UPDATE, Code::WindowOpened, Same),
    (Verdicts::ZERO_WINDOW_PROBE, Code::ZeroWindowProbe, Same),
    (Verdicts::ZERO_WINDOW_PROBE_ACK, Code::ZeroWindowProbeAnswer, Same),
    (Verdicts::KEEP_ALIVE, Code::KeepAlive, Same),
    (Verdicts::KEEP_ALIVE_ACK, Code::KeepAliveAnswer, Same),
    // Retransmission.
    (
        Verdicts::RETRANSMISSION,
        Code::CaptureDuplicate,
        Differs("Wireshark compares numbers only; equal IP ids this close show one packet that was captured twice"),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::TailLossProbe,
        Differs("Wireshark has no word for probes: it was sent long before the timer, to make the receiver answer"),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::FastRetransmission,
        Differs(
            "Wireshark asks for two duplicate ACKs within 20 ms before it; SACK and recoveries that go on are not looked at",
        ),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::RetransmissionOfAcknowledged,
        Differs("the capture holds an acknowledgment of these octets already"),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::Reordering,
        Differs(
            "IP id or timestamp show that it was sent before its predecessors; Wireshark goes by the time between them",
        ),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::SimultaneousOpen,
        Differs("SYNs that crossed are repeated with an ACK (RFC 9293 §3.5, figure 7): nothing was lost"),
    ),
    (Verdicts::RETRANSMISSION, Code::SynAckAck, Differs("it is the answer that a SYN is owed")),
    (
        Verdicts::RETRANSMISSION,
        Code::ZeroWindowProbe,
        Differs("the peer's window is closed: an octet that is sent into it anew is a probe"),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::BadChecksum,
        Differs("its checksum is bad: whatever it repeats, the receiver drops it"),
    ),
    (
        Verdicts::RETRANSMISSION,
        Code::FinOnAck,
        Differs("the FINs crossed, and this one carries the acknowledgment of the other: nothing was lost"),
    ),
    (
        Verdicts::ACK_LOST_SEGMENT,
        Code::FinOnAck,
        Differs("what it acknowledges is the peer's FIN, which comes later in the capture"),
    ),
    // Fast retransmission.
    (
        Verdicts::FAST_RETRANSMISSION,
        Code::TimeoutRetransmission,
        Differs(
            "Wireshark counts two duplicate ACKs as asking; three are needed, and by the time it was sent the timer had run out",
        ),
    ),
    (
        Verdicts::FAST_RETRANSMISSION,
        Code::TailLossProbe,
        Differs("Wireshark counts two duplicate ACKs as asking; three are needed"),
    ),
    (
        Verdicts::FAST_RETRANSMISSION,
        Code::RetransmissionUnexplained,
        Differs("Wireshark counts two duplicate ACKs as asking; RFC 5681 §3.2 wants three"),
    ),
    (
        Verdicts::FAST_RETRANSMISSION,
        Code::CaptureDuplicate,
        Differs("equal IP ids this close show one packet captured twice"),
    ),
    (
        Verdicts::FAST_RETRANSMISSION,
        Code::Reordering,
        Differs("the receiver asked, but IP id or timestamp show that it had been sent before"),
    ),
    // Spurious retransmission.
    (
        Verdicts::SPURIOUS_RETRANSMISSION,
        Code::CaptureDuplicate,
        Differs("equal IP ids this close show one packet captured twice"),
    ),
    (
        Verdicts::SPURIOUS_RETRANSMISSION,
        Code::KeepAlive,
        Differs("an old octet on an idle connection only asks for an answer"),
    ),
    (
        Verdicts::SPURIOUS_RETRANSMISSION,
        Code::ZeroWindowProbe,
        Differs("an old octet while the window is closed is a probe"),
    ),
    (Verdicts::SPURIOUS_RETRANSMISSION, Code::TimeoutRetransmission, Differs("part of it is still owed")),
    (Verdicts::SPURIOUS_RETRANSMISSION, Code::FastRetransmission, Differs("part of it is still owed")),
    // Out of order.
    (
        Verdicts::OUT_OF_ORDER,
        Code::FastRetransmission,
        Differs(
            "Wireshark goes by time alone: less than a round trip after its successors. But it was sent before, or asked for",
        ),
    ),
    (
        Verdicts::OUT_OF_ORDER,
        Code::TimeoutRetransmission,
        Differs("Wireshark goes by time alone: less than a round trip after its successors. But it was sent before"),
    ),
    (Verdicts::OUT_OF_ORDER, Code::TailLossProbe, Differs("Wireshark goes by time alone, and it was sent before")),
    (
        Verdicts::OUT_OF_ORDER,
        Code::RetransmissionUnexplained,
        Differs("Wireshark goes by time alone; nothing else in the packet shows that it was overtaken"),
    ),
    (
        Verdicts::OUT_OF_ORDER,
        Code::RetransmissionOfAcknowledged,
        Differs("the octets were acknowledged already, so they had arrived"),
    ),
    (Verdicts::OUT_OF_ORDER, Code::CaptureDuplicate, Differs("equal IP ids this close show one packet captured twice")),
    (
        Verdicts::LOST_SEGMENT,
        Code::NotCaptured,
        Differs("the receiver acknowledged the octets, so the capture lost them, not the network"),
    ),
    // Acknowledgments.
    (
        Verdicts::ACK_LOST_SEGMENT,
        Code::ZeroWindowProbeAnswer,
        Differs("Wireshark does not count the octet of a probe as sent; the receiver took it"),
    ),
    (
        Verdicts::ACK_LOST_SEGMENT,
        Code::SynAckAck,
        Differs("in the opening that is an acknowledgment of what was never sent"),
    ),
    (
        Verdicts::ACK_LOST_SEGMENT,
        Code::HandshakeAck,
        Differs("in the opening that is an acknowledgment of what was never sent"),
    ),
    (Verdicts::DUPLICATE_ACK, Code::KeepAliveAnswer, Differs("it answers a keep-alive, nothing is asked for")),
    (Verdicts::DUPLICATE_ACK, Code::ZeroWindowProbeAnswer, Differs("it answers a probe, nothing is asked for")),
    (Verdicts::DUPLICATE_ACK, Code::ChallengeAck, Differs("it answers a segment out of place; it asks for nothing")),
    (
        Verdicts::DUPLICATE_ACK,
        Code::CaptureDuplicate,
        Differs("equal IP ids this close show one packet captured twice"),
    ),
    (
        Verdicts::DUPLICATE_ACK,
        Code::SpuriousRetransmission,
        Differs("it reports octets that came twice; it asks for nothing"),
    ),
    // Windows.
    (
        Verdicts::KEEP_ALIVE,
        Code::ZeroWindowProbe,
        Differs(
            "Wireshark looks at the number alone. The peer's window is 0, so this asks whether it still is: Linux probes with an old number and no octet, BSD with the next octet",
        ),
    ),
    (
        Verdicts::KEEP_ALIVE,
        Code::LateAck,
        Differs(
            "the number is that of the sender's own FIN: a plain acknowledgment, sent before the FIN or in answer to late data",
        ),
    ),
    (Verdicts::KEEP_ALIVE, Code::CaptureDuplicate, Differs("equal IP ids this close show one packet captured twice")),
    (
        Verdicts::KEEP_ALIVE,
        Code::TimeoutRetransmission,
        Differs("the octet is still owed: it is sent again, not asked for"),
    ),
    (Verdicts::KEEP_ALIVE, Code::RetransmissionUnexplained, Differs("the octet is still owed: it is sent again")),
    (Verdicts::KEEP_ALIVE, Code::FastRetransmission, Differs("the octet is still owed: it is sent again")),
    (Verdicts::KEEP_ALIVE, Code::TailLossProbe, Differs("the octet is still owed: it is sent again")),
    (
        Verdicts::KEEP_ALIVE_ACK,
        Code::ZeroWindowProbeAnswer,
        Differs("what it answers is a probe of a closed window, not a keep-alive"),
    ),
    (
        Verdicts::ZERO_WINDOW,
        Code::ZeroWindowProbeAnswer,
        Differs("it answers a probe; Wireshark knows such answers only behind probes that carry an octet"),
    ),
    (Verdicts::WINDOW_UPDATE, Code::ZeroWindowProbeAnswer, Differs("it answers a probe of the closed window")),
    (Verdicts::WINDOW_UPDATE, Code::KeepAliveAnswer, Differs("it answers a keep-alive")),
    // Wireshark is silent.
    (Verdicts::NONE, Code::CaptureDuplicate, Differs("Wireshark does not look for packets that were captured twice")),
    (
        Verdicts::NONE,
        Code::WindowUnderSegment,
        Differs("Wireshark has no flag for a sender that waits before a window too small for a segment"),
    ),
    (Verdicts::NONE, Code::WindowShrunk, Differs("Wireshark does not follow the right edge of the window")),
    (
        Verdicts::NONE,
        Code::BeyondWindow,
        Differs("Wireshark flags a window that is exactly full, not one that is passed"),
    ),
    (Verdicts::NONE, Code::ResetValid, Differs("Wireshark does not check whether a reset can be obeyed")),
    (Verdicts::NONE, Code::ResetIgnored, Differs("Wireshark does not check whether a reset can be obeyed")),
    (Verdicts::NONE, Code::Paws, Differs("Wireshark does not compare timestamps")),
    (Verdicts::NONE, Code::SackSane, Differs("Wireshark shows SACK blocks without checking them")),
    (
        Verdicts::NONE,
        Code::OverlapDiffers,
        Differs("Wireshark tells of other octets only where it reassembles the stream"),
    ),
    (
        Verdicts::NONE,
        Code::SpuriousRetransmission,
        Differs(
            "Wireshark calls spurious what was acknowledged before it was sent; proof that comes later is not used",
        ),
    ),
    (
        Verdicts::NONE,
        Code::NotCaptured,
        Differs("Wireshark tells of an acknowledgment beyond the capture once, and not again"),
    ),
    (Verdicts::NONE, Code::BadChecksum, Differs("Wireshark does not verify TCP checksums unless asked to")),
    (Verdicts::NONE, Code::Reordering, Differs("Wireshark goes by the highest number so far")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_its_rule_and_no_pair_two_reasons() {
        for (flag, name) in Verdicts::NAMED {
            assert!(!rule(flag).is_empty(), "{name}");
        }
        for (index, (flag, code, _)) in REASONS.iter().enumerate() {
            assert!(!REASONS[..index].iter().any(|(f, c, _)| (f, c) == (flag, code)), "{flag}, {code} twice");
        }
    }
}
