//! One entry per stable code: title, meaning, RFC section. The documentation is made from it.
//!
//! Long because it is the one list of everything that is ever said: an entry added here shows in `docs/findings.md`, in
//! `synscope explain --code`, and may then be used.

use std::fmt;

use crate::finding::Gap;
use crate::finding::Severity;

macro_rules! catalog {
    ($($name:ident = $code:literal, $severity:ident, $rfc:literal, $title:literal, $meaning:literal
        $(, $sum:literal)? => [$($gap:ident),*];)*) => {
        /// A stable, kebab-case name for one kind of finding. Its text may change, the code may not.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every code there is, in the catalogue's order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it usually matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Where the rule stands.
            pub const fn rfc(self) -> &'static str {
                match self { $(Self::$name => $rfc,)* }
            }

            /// A headline.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do about it.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// The rule as a sum, its numbers named in braces; empty for codes that judge no single segment.
            pub const fn sum(self) -> &'static str {
                match self { $(Self::$name => concat!($($sum)?),)* }
            }

            /// What a capture may lack so that this cannot be told. Nothing else may be given as the reason.
            pub const fn gaps(self) -> &'static [Gap] {
                match self { $(Self::$name => &[$(Gap::$gap),*],)* }
            }

            /// The code of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == name)
            }
        }
    };
}

/// What a code says something about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A rule that a segment keeps or breaks. The title says what keeping it means.
    Rule,
    /// What one segment is, or what caused it. The title says so.
    Segment,
    /// A conversation, a host, or the capture as a whole.
    Whole,
}

impl Code {
    /// The gap that a capture has where this is found in it.
    pub const fn opens(self) -> Option<Gap> {
        match self {
            Self::CaptureOneSided => Some(Gap::OneSided),
            Self::MidStream => Some(Gap::NoHandshake),
            Self::CaptureSnapped => Some(Gap::Snapped),
            Self::CaptureDrops => Some(Gap::KernelDrops),
            Self::CaptureTruncated => Some(Gap::CaptureEnded),
            Self::CaptureGap => Some(Gap::NotCaptured),
            Self::CaptureDuplicate => Some(Gap::NoIdentity),
            Self::ClockSteps => Some(Gap::ClockStepped),
            _ => None,
        }
    }

    /// What it says something about.
    pub const fn kind(self) -> Kind {
        match self {
            Self::SynAckAck
            | Self::HandshakeAck
            | Self::FinAck
            | Self::SegmentAcceptable
            | Self::AckRange
            | Self::ResetValid
            | Self::Paws
            | Self::WindowScaleLimit
            | Self::SackSane => Kind::Rule,
            Self::CaptureOneSided
            | Self::CaptureSnapped
            | Self::CaptureTruncated
            | Self::CaptureDrops
            | Self::CaptureGap
            | Self::ClockSteps
            | Self::SuperSegments
            | Self::PartialChecksums
            | Self::CapturePosition => Kind::Whole,
            _ if self.sum().is_empty() => Kind::Whole,
            _ => Kind::Segment,
        }
    }
}

catalog! {
    Refused = "refused", Error, "RFC 9293 §3.10.7.1",
        "Connection refused",
        "The host answered the SYN with RST+ACK: it is up, and nobody listens on that port. Start the service, or mend the port.",
        "RST,ACK {after} after the SYN: ack {ack} = J {isn} + {covers}"
        => [OneSided];
    Unreachable = "unreachable", Error, "RFC 792; RFC 4443 §3.1",
        "Destination unreachable",
        "A router or the host said by ICMP that the packet cannot be delivered. The quoted header names the connection."
        => [];
    NoAnswer = "no-answer", Error, "RFC 9293 §3.5",
        "SYN without any answer",
        "Nothing came back: the host is down, the packet or its answer is filtered, or the accept queue is full."
        => [OneSided, KernelDrops, CaptureEnded];
    HalfOpen = "half-open", Warning, "RFC 9293 §3.5",
        "Handshake never completed",
        "SYN and SYN,ACK were seen, the client's acknowledgment of K+1 was not: it left, its ACK was lost, or its address is forged."
        => [OneSided, KernelDrops, CaptureEnded];
    HandshakeWrongAck = "handshake-wrong-ack", Error, "RFC 9293 §3.10.7.3",
        "An acknowledgment of the opening fits no SYN",
        "It must cover the peer's SYN and nothing that was never sent. An old duplicate, a broken middlebox, or a forged segment."
        => [];
    SynAckChanged = "syn-ack-changed", Warning, "RFC 9293 §3.5",
        "A second SYN,ACK with another ISN",
        "Two hosts answer for one address, or a stateless responder was restarted, or one of the answers is forged.",
        "ISN {isn}, {isn_before} before"
        => [];
    SplitHandshake = "split-handshake", Warning, "RFC 9293 §3.5",
        "The server's SYN came apart from its acknowledgment",
        "First a plain acknowledgment, then a SYN of its own: legal by the letter, sent by hardly any stack, and known as a way past filters that look for SYN,ACK."
        => [];
    SynRescue = "syn-rescue", Note, "RFC 9293 §3.5.1, figure 10; RFC 5961 §4",
        "A SYN met an older connection on its ports",
        "The server still held one and said where it stood; the client reset that one and opened a new one. A client that crashed, or ports that were used again too soon."
        => [];
    HalfOpenProbe = "half-open-probe", Note, "RFC 9293 §3.5",
        "SYN, SYN,ACK, and at once a bare reset",
        "The way a SYN scan learns that a port is open: the kernel resets what a scanner's own packet began. A client that changed its mind sends the same."
        => [OneSided];
    FastOpenIgnored = "fast-open-ignored", Note, "RFC 7413 §4.1",
        "Data on the SYN was not taken",
        "The SYN,ACK acknowledges the SYN alone, so the data goes again after the handshake: no round trip was saved. An old cookie, or a server or path without Fast Open."
        => [];
    SynCookiesSuspected = "syn-cookies-suspected", Note, "RFC 4987 §3.6",
        "The server may be answering with SYN cookies",
        "It grants none of the options that the client offered and repeats no SYN,ACK, as a server does that keeps no state for attempts. An old stack, or one with these options off, looks the same."
        => [];
    TimeWaitReuse = "time-wait-reuse", Note, "RFC 9293 §3.6.1; RFC 6191 §2",
        "The ports were used again while TIME-WAIT should last",
        "Fine where the new number lies above the last one used, or the timestamp is younger. Otherwise old segments may be taken for new ones, and a host in TIME-WAIT answers with a challenge ACK."
        => [ClockStepped];
    SynRetried = "syn-retried", Warning, "RFC 6298 §5.7",
        "SYN or SYN,ACK had to be repeated",
        "The first one or its answer was lost, or the listener's queue was full for a while. Each repetition costs a second or more."
        => [];
    SimultaneousOpen = "simultaneous-open", Note, "RFC 9293 §3.5, figure 7",
        "Both sides opened at once",
        "Legal and rare; typical of hole punching through NATs.",
        "SYN with ISN {isn} against a SYN with ISN {peer_isn}"
        => [];
    MidStream = "mid-stream", Note, "RFC 9293 §3.5",
        "The capture began inside the connection",
        "Without the SYNs, window scale, MSS and the first numbers are not known; checks that rest on them say that they cannot tell.",
        "the first packet of these ports, and no SYN; {begun} of {connections} connections had begun before"
        => [KernelDrops, NothingSeen];
    SynAckAck = "syn-ack-ack", Error, "RFC 9293 §3.5; §3.10.7.3",
        "The SYN,ACK acknowledges the SYN",
        "A SYN takes one number, so J + 1 is due, plus the data that the SYN carried and the server took (Fast Open). Anything else is reset.",
        "ack {ack} = J {isn} + {covers}"
        => [NoHandshake];
    HandshakeAck = "handshake-ack", Error, "RFC 9293 §3.5; §3.10.7.4",
        "The third segment acknowledges the SYN,ACK",
        "K + 1 is due. Anything else completes nothing: an old duplicate, a broken middlebox, or a forged segment.",
        "ack {ack} = K {isn} + {covers}"
        => [NoHandshake, OneSided, NotCaptured];
    FinAck = "fin-ack", Error, "RFC 9293 §3.6",
        "The FIN is acknowledged, and nothing beyond it",
        "A FIN takes one number, so its number plus one is due; behind it nothing can have been sent.",
        "ack {ack} = FIN {fin} + {covers}"
        => [];
    Reset = "reset", Warning, "RFC 9293 §3.5.2",
        "Ended by reset",
        "With ACK and no FIN: the process closed with data unread, with linger 0, or died. Without ACK: a segment found no connection there.",
        "{meaning}: seq {seq}"
        => [];
    ResetAfterFin = "reset-after-fin", Warning, "RFC 9293 §3.6.1",
        "Reset after a FIN",
        "One side had closed and the other still sent data, which nobody could read any more; or the closing side ran out of patience.",
        "{meaning}: seq {seq}, a FIN came before"
        => [];
    ResetIgnored = "reset-ignored", Note, "RFC 5961 §3.2; RFC 9293 §3.10.7.3",
        "A reset that ends nothing",
        "Its number is not the one that the receiver expects next: a guess from off the path, a straggler, or the answer to an old duplicate.",
        "seq {seq}, expected {snd_max}"
        => [KernelDrops];
    HalfClosed = "half-closed", Note, "RFC 9293 §3.6",
        "One side closed, the other has not",
        "The capture ends with one direction closed. The other side may hold its socket in CLOSE-WAIT: look whether the program ever closes it."
        => [OneSided, KernelDrops];
    IdleClose = "idle-close", Note, "RFC 9293 §3.9.1",
        "Closed after a long silence",
        "Nothing was owed and nothing passed, then came a FIN: the pattern of a read deadline or an idle timeout of the side that closed.",
        "no octet for {idle} before the FIN, none owed"
        => [OneSided, KernelDrops, ClockStepped];
    RequestUnanswered = "request-unanswered", Warning, "RFC 9293 §3.6",
        "The connection ended with the client's last data unanswered",
        "The client sent something and got no octet back before the end: it gave up, was ended, or the server closed on it."
        => [NoHandshake, OneSided, KernelDrops];
    DataUnacknowledged = "data-unacknowledged", Warning, "RFC 9293 §3.4",
        "Octets were never acknowledged",
        "They were sent and the connection or the capture ended without an acknowledgment: whether they arrived cannot be told."
        => [OneSided, KernelDrops, CaptureEnded];
    Retransmission = "retransmission", Note, "RFC 9293 §3.8.1",
        "Octets were sent again",
        "Lost on the way, or believed to be. Cause and cost depend on when and how often."
        => [NoIdentity];
    CaptureGap = "capture-gap", Warning, "RFC 9293 §3.4",
        "The capture misses octets that arrived",
        "The receiver acknowledged octets that the capture does not hold: the capture lost them, not the network.",
        "{octets} octets were acknowledged that it does not hold; on {gapped} of {connections} connections"
        => [OneSided, NothingSeen];
    LostSegment = "lost-segment", Note, "RFC 9293 §3.4",
        "A segment is missing before this one",
        "The sender's numbers jump ahead: a segment was lost before the capture point, took another path, or comes late.",
        "seq {seq} − snd_nxt {snd_nxt} = {missing} octets missing"
        => [NoHandshake, KernelDrops];
    BeyondWindow = "beyond-window", Warning, "RFC 9293 §3.8.6",
        "Sent beyond the offered window",
        "A segment ends past the highest edge that the receiver ever offered. A sender must not; a lost window update in the capture looks the same.",
        "seq {seq} + length = {end} > right edge {edge}, by {over_by} octets"
        => [NoHandshake, OneSided, Snapped, KernelDrops];
    ZeroWindow = "zero-window", Note, "RFC 9293 §3.8.6.1",
        "The receiver had no room",
        "Its buffer was full: the application did not read fast enough. The network is not at fault.",
        "ack {ack}, window 0"
        => [];
    WindowOpened = "window-opened", Note, "RFC 9293 §3.8.6.1",
        "Room again after a closed window",
        "The application has read; the sender may go on. How long it stood still is the time since the window closed.",
        "ack {ack}, window {window}"
        => [];
    BadChecksum = "bad-checksum", Warning, "RFC 9293 §3.1; RFC 768",
        "Checksum does not match",
        "The receiver drops such a packet. If these are packets that the capturing host itself sent, its network card fills the checksum in later.",
        "the field says {field}, the sum over the segment {expected}"
        => [Snapped, Fragmented];
    StateUnexpected = "state-unexpected", Warning, "RFC 9293 §3.10",
        "A segment that has no place in its sender's state",
        "For example a SYN inside an open connection: a forgotten connection, a scan, or a forgery.",
        "{control} in state {state}"
        => [NoHandshake, KernelDrops];
    SegmentAcceptable = "segment-acceptable", Note, "RFC 9293 §3.10.7.4",
        "The segment lies where the receiver takes octets",
        "Otherwise the receiver drops it and acknowledges. Old octets again, or numbers from nowhere.",
        "octets {seq}..{end} within rcv_nxt {rcv_nxt} .. right edge {edge}"
        => [NoHandshake, OneSided, Snapped, OrderAtReceiver, KernelDrops];
    AckRange = "ack-range", Error, "RFC 9293 §3.10.7.4; RFC 5961 §5",
        "The acknowledgment covers what was sent, and is not too old",
        "Above: octets that the peer never sent, or that the capture missed. Far below: an old duplicate or a forgery; a challenge ACK is due.",
        "snd_una {snd_una} − window ≤ ack {ack} ≤ snd_max {snd_max}"
        => [NoHandshake, OneSided, NotCaptured, KernelDrops];
    WindowShrunk = "window-shrunk", Warning, "RFC 9293 §3.8.6",
        "The right edge of the window moved left",
        "A receiver should not take back room that it offered: octets on their way into it will be dropped.",
        "ack + window = {edge}, {edge_before} before: back by {back_by}, and one unit of the scale is {unit}"
        => [NoHandshake, OneSided, Snapped];
    ResetValid = "reset-valid", Note, "RFC 5961 §3.2; RFC 9293 §3.10.7.4",
        "The reset carries the exact next number",
        "Only then it ends the connection. Elsewhere in the window it earns a challenge ACK, outside it is dropped. Below: it answers a segment that was sent earlier, or is a guess from off the path.",
        "seq {seq} within rcv_nxt {rcv_nxt} .. {snd_max}; window up to {edge}; in answer to a SYN: ack {ack} = J {isn} + {covers}"
        => [NoHandshake, OneSided, Snapped, KernelDrops];
    Paws = "paws", Warning, "RFC 7323 §5.3",
        "Timestamps do not run back",
        "The receiver drops such a segment as an old duplicate and acknowledges.",
        "TSval {ts_value}, TS.Recent {ts_recent}"
        => [NoHandshake, OneSided, Snapped, OrderAtReceiver, ClockMayHaveWrapped, ClockStepped];
    WindowScaleLimit = "window-scale-limit", Warning, "RFC 7323 §2.3",
        "The window scale is at most 14",
        "Hosts use 14 where more is offered, and log it.",
        "shift {shift} ≤ 14"
        => [];
    MssOutsideSyn = "mss-outside-syn", Note, "RFC 9293 §3.2",
        "MSS stands in SYNs only",
        "Hosts ignore it elsewhere; something on the path or an odd stack put it there.",
        "mss {mss} in a segment without SYN"
        => [];
    OptionOutsideSyn = "option-outside-syn", Note, "RFC 7323 §2.2; RFC 2018 §2",
        "Window scale and SACK-permitted stand in SYNs only",
        "Hosts ignore them elsewhere, so nothing changes; Wireshark obeys a window scale wherever it stands.",
        "{option} in a segment without SYN"
        => [];
    SelfConnect = "self-connect", Note, "RFC 9293 §3.5, figure 7",
        "A socket connected to itself",
        "Source and destination are one: a simultaneous open with one socket, which hears what it says. It happens on loopback where a client asks for a port from which it has just been given. No side can be told from the other, so nothing else is judged.",
        "both ends are port {port}"
        => [];
    SackSane = "sack-sane", Warning, "RFC 2018 §3; RFC 2883 §4",
        "SACK blocks lie within what was sent",
        "Left before right, above the acknowledgment, not beyond what was sent. Middleboxes that rewrite numbers but not SACK break this.",
        "block {left}..{right}, ack {ack}"
        => [OneSided, NotCaptured, KernelDrops];
    ChallengeAck = "challenge-ack", Note, "RFC 5961 §3–5; RFC 9293 §3.10.7.4",
        "An acknowledgment in answer to a segment out of place",
        "The receiver says where it stands. Seen after old duplicates, wrong resets and unexpected SYNs.",
        "repeats ack {ack}"
        => [];
    KeepAlive = "keep-alive", Note, "RFC 9293 §3.8.4",
        "Keep-alive",
        "A number that was acknowledged long ago, on an idle connection, only to be answered.",
        "seq {seq} = snd_nxt {snd_nxt} − 1, everything acknowledged"
        => [NoHandshake, OneSided];
    KeepAliveAnswer = "keep-alive-answer", Note, "RFC 9293 §3.8.4",
        "Answer to a keep-alive",
        "The peer is alive and says where it stands.",
        "ack {ack}, window {window}"
        => [];
    ZeroWindowProbe = "zero-window-probe", Note, "RFC 9293 §3.8.6.1",
        "Zero-window probe",
        "The peer's window is closed; the sender asks whether it still is. BSD sends the next octet, Linux an old number and none.",
        "window 0; seq {seq}, snd_nxt {snd_nxt}, {len} octets"
        => [OneSided];
    ZeroWindowProbeAnswer = "zero-window-probe-answer", Note, "RFC 9293 §3.8.6.1",
        "Answer to a zero-window probe",
        "Tells the window as it is now.",
        "ack {ack}, window {window}"
        => [];
    LateAck = "late-ack", Note, "RFC 9293 §3.6",
        "Acknowledgment sent before the FIN, seen after it",
        "A plain acknowledgment that carries the number of its sender's FIN: it was overtaken, or answers late data. No keep-alive.",
        "seq {seq} = number of the FIN {fin}"
        => [NoHandshake, OneSided];
    WindowUnderSegment = "window-under-segment", Warning, "RFC 9293 §3.8.6.2.1",
        "Held back by a window smaller than a segment",
        "The window is open, but by less than a segment and less than half its best: the sender waits for its override timer each time. Cure: a receive buffer of two segments or more.",
        "window {window} < segment {mss} and < half of the best {half_of_best}; waited {waited}"
        => [NoHandshake, OneSided, Snapped, ClockStepped];
    CaptureDuplicate = "capture-duplicate", Note, "RFC 9293 §3.4",
        "The same packet captured twice",
        "Two taps or interfaces saw one packet; the network carried it once. Not a retransmission.",
        "equal in every field, {apart} apart (limit {limit}), TTL {ttl}; {copies} copies among {packets} packets"
        => [NoIdentity, ClockStepped, NotTold, NothingSeen];
    NotCaptured = "not-captured", Note, "RFC 9293 §3.4",
        "Acknowledged, and not in the capture",
        "The receiver has octets that the capture does not hold and never asked for them: the capture lost them, not the network.",
        "ack {ack} − snd_max {snd_max} = {octets} octets"
        => [OneSided];
    OverlapDiffers = "overlap-differs", Error, "RFC 9293 §3.10.7.4",
        "The same numbers carry other octets",
        "A retransmission repeats its octets. Where it does not, somebody injects, or a middlebox rewrites.",
        "octets {seq}..{end}, the first 64 compared"
        => [Snapped];
    SynRetransmission = "syn-retransmission", Note, "RFC 6298 §5",
        "SYN sent again",
        "The first one or its answer was lost, or the listener had no room.",
        "ISN {seq} again, {since} after the one before, number {times}"
        => [];
    FastRetransmission = "fast-retransmission", Note, "RFC 5681 §3.2; RFC 6675 §5; RFC 8985 §6",
        "Fast retransmission",
        "The receiver asked for it, by three duplicate acknowledgments or by SACK for what came later.",
        "{duplicate_acks} duplicate ACKs (3 ask), {sacked_above} octets above are held; what was sent {later} later arrived"
        => [OneSided, KernelDrops];
    TailLossProbe = "tail-loss-probe", Note, "RFC 8985 §7",
        "Tail loss probe",
        "The last segment again after about two round trips, long before a timeout, to make the receiver say what it has.",
        "nothing moved for {ran}: two round trips {two_rtt} passed, a timer of at most {rto} not"
        => [NoHandshake, OneSided, Snapped, NoRoundTrip, KernelDrops, ClockStepped];
    TimeoutRetransmission = "timeout-retransmission", Warning, "RFC 6298 §5",
        "Retransmission by timeout",
        "The timer ran out and the sender starts over slowly: each costs at least a fifth of a second, and speed after it.",
        "{since} since the last try; RTO {rto}; tries before this one: {times}; the tries before it took {tries} in all: the timer backs off"
        => [OneSided, NoRoundTrip, KernelDrops, ClockStepped];
    FinOnAck = "fin-on-ack", Note, "RFC 9293 §3.6, figure 13",
        "FIN again on an acknowledgment",
        "The FINs crossed. Until its own FIN is acknowledged a host may put it on everything it sends, here on the acknowledgment of the peer's FIN. Nothing was lost.",
        "the FIN of {since} before; ack {ack} is new"
        => [];
    RetransmissionOfAcknowledged = "retransmission-of-acknowledged", Note, "RFC 9293 §3.4",
        "Sent again although acknowledged",
        "The acknowledgment was seen here before: it was lost on the way to the sender, or crossed the repetition.",
        "their end {end} ≤ snd_una {snd_una}"
        => [];
    RetransmissionUnexplained = "retransmission-unexplained", Note, "RFC 9293 §3.8.1",
        "Sent again, and the capture does not show why",
        "None of the causes that leave a trace fits, or the capture does not show what would decide. Events beyond the capture point may explain it.",
        "{since} since the last try; RTO {rto}; {duplicate_acks} duplicate ACKs (3 ask)"
        => [];
    SpuriousRetransmission = "spurious-retransmission", Note, "RFC 2883 §4; RFC 3522 §3",
        "The retransmission was not needed",
        "Proved by the receiver: it reports the octets as duplicates, or its timestamp echo is older than the repetition. The path was slow, not lossy.",
        "octets {seq}..{end} had arrived: D-SACK {left}..{right}; echo {ts_echo} is older than the repetition's {ts_value}"
        => [Snapped, NoIdentity];
    Reordering = "reordering", Note, "RFC 4737",
        "Overtaken on the way",
        "It was sent before its predecessors in the capture, as its IP id or timestamp shows. No loss.",
        "older IP id or timestamp than packets before it; {duplicate_acks} duplicate ACKs asked for it"
        => [NoIdentity];
    UdpPortClosed = "udp-port-closed", Error, "RFC 1122 §3.2.2.1",
        "UDP port closed",
        "The host answered with ICMP \"port unreachable\": it is up, and nobody has a socket on that port."
        => [];
    UdpUnanswered = "udp-unanswered", Note, "RFC 768",
        "Datagrams without answer",
        "Lost, refused without a word, or never meant to be answered: UDP does not say."
        => [];
    FragmentOverlap = "fragment-overlap", Warning, "RFC 791 §3.2; RFC 5722 §4; RFC 1858 §4",
        "Fragments contradict each other",
        "Octets came twice and differ, or lie past the datagram's end: teardrop, or somebody who hides from a filter. Which octets the host used cannot be seen here."
        => [];
    UdpDuplicate = "udp-duplicate", Note, "RFC 768; RFC 1122 §4.1.3",
        "Datagrams came twice",
        "Same IP id, same octets, within a second: doubled on the way, or captured at two places. UDP hands both to the reader, who must bear it."
        => [];
    UdpReordered = "udp-reordered", Note, "RFC 768",
        "Datagrams overtook each other",
        "The sender's IP ids count up, and one came after a later one. UDP keeps no order: the reader gets them as they come."
        => [];
    UdpReadShort = "udp-read-short", Warning, "RFC 768; recv(2)",
        "Datagrams larger than the reader's buffer",
        "One read takes one datagram; what does not fit into its buffer is lost without an error. Read with a larger one, or send smaller."
        => [];
    UdpPortZero = "udp-port-zero", Warning, "RFC 768; RFC 6335 §6",
        "Sent to port 0",
        "Nobody can listen there. As a source it means that no answer is wanted; as a destination it is a mistake or a probe."
        => [];
    PathMtu = "path-mtu", Note, "RFC 1191 §3; RFC 8201 §4",
        "The path takes smaller packets than the ends",
        "A router said by ICMP how large a packet it forwards, and quoted octets that were outstanding. The sender cuts smaller from then on: each new path costs it one lost segment."
        => [];
    PathMtuForged = "path-mtu-forged", Warning, "RFC 5927 §7.2",
        "ICMP about the path MTU that fits no segment on its way",
        "It quotes a number that was not outstanding: forged to slow the connection down, or so late that its segment was acknowledged meanwhile. A careful host ignores it."
        => [Snapped];
    PathMtuBlackHole = "path-mtu-black-hole", Error, "RFC 2923 §2.1; RFC 4821 §1",
        "Full segments vanish without a word",
        "They go again and again and are never acknowledged, smaller ones pass, and no ICMP says why: a link on the way takes less, and its ICMP is filtered. Let ICMP type 3 code 4 (IPv6: type 2) through, clamp the MSS there, or turn MTU probing on."
        => [NoHandshake, NoFullSegment, NothingSeen, KernelDrops];
    MssClamped = "mss-clamped", Note, "RFC 9293 §3.7.1",
        "An MSS option does not tell its sender's link",
        "A router on the way lowered it, or it was set by hand (TCP_MAXSEG, advmss). Usual before tunnels and PPPoE, where it spares the ICMP."
        => [NoHandshake, OnePlace];
    CaptureTruncated = "capture-truncated", Warning, "pcap, pcapng",
        "The capture file ends in the middle",
        "Everything before the cut was analysed. The capturing program was stopped hard, the disk was full, or the copy is incomplete.",
        "the end: {end}; {open} of {connections} connections were open then"
        => [];
    CaptureDrops = "capture-drops", Warning, "packet(7)",
        "The kernel dropped packets of the capture",
        "They passed and were not captured. Conclusions about missing packets are weakened; use a filter or a larger buffer.",
        "{dropped} frames lost beside {frames} captured; {here}"
        => [NotTold];
    ClockSteps = "clock-steps", Note, "RFC 9293 §3.8.1",
        "The capture's clock stepped back",
        "Times across such a step cannot be compared: durations and round-trip times there may be wrong.",
        "{steps} steps back among {frames} frames, the widest by {widest}; {here}"
        => [NothingSeen];
    CaptureOneSided = "capture-one-sided", Warning, "RFC 9293 §3.4",
        "Only one direction was captured",
        "One side acknowledges what the other never sent here: its packets took another way, or a filter left them out. What it was told, and when, cannot be known.",
        "{one_sided} of {connections} connections show one side only; {two_sided} show both; {packets} packets of the {side}, none of its peer"
        => [NothingSeen];
    CaptureSnapped = "capture-snapped", Note, "pcap, pcapng",
        "Frames were cut by the snap length",
        "Lengths and numbers are known, the octets behind the cut are not: no checksum, no comparison of payloads, maybe no options.",
        "{snapped} of {frames} frames cut to {snaplen} octets or less; {octets} of {bytes} octets are not there; {here}"
        => [NothingSeen];
    SuperSegments = "super-segments", Note, "RFC 9293 §3.7.1",
        "Segments larger than the path takes",
        "Offload: captured before the sender's card cut them, or after the receiver's had merged them. Counts of segments and of duplicate acknowledgments are coarse; octets and numbers are exact.",
        "on {by_client} of {connections} connections from the client; on {by_server} of {connections} from the server; largest {largest} octets = {times} × {mss} from the {side}; {merged}"
        => [NoHandshake, NothingSeen];
    PartialChecksums = "partial-checksums", Note, "RFC 9293 §3.1",
        "Checksums left for the network card",
        "Captured before the card filled them in: on the sending host, or on a link inside one machine. Whether such a packet left sound cannot be known.",
        "{partial} of {checked} checksums hold only the pseudo-header's sum; {by_client} from the client; {by_server} from the server"
        => [Snapped, NothingSeen];
    CapturePosition = "capture-position", Note, "RFC 9293 §3.5",
        "Where on the path the capture was made",
        "By the handshake: SYN to SYN,ACK is the way to the server and back, SYN,ACK to ACK the way to the client. What was lost before this point shows as a hole, what was lost behind it only by what is sent again.",
        "{at}; {server_rtt} to the server and back, {client_rtt} to the client; {client_hops} routers towards the client, {server_hops} towards the server; {near_client} of {connections} connections at the client; {between} of {connections} in between; {near_server} of {connections} at the server; of {untold} it cannot be told"
        => [NoHandshake, TooClose, SignsDisagree, NothingSeen];
    SynFlood = "syn-flood", Error, "RFC 4987 §2",
        "SYN flood",
        "Far more connection attempts end without a good explanation than background and loss allow. The alert says from where, how sure, and what else it could be."
        => [OneSided];
    SynScan = "syn-scan", Warning, "RFC 9293 §3.10.7.1",
        "A source tries many ports or hosts in vain",
        "Nearly all of its attempts are refused or ignored, hardly any target twice. Somebody looks for open ports."
        => [OneSided];
    SynOverload = "syn-overload", Warning, "RFC 4987 §2; RFC 6298 §5.7",
        "Clients have to repeat their SYN, many get through",
        "A full accept queue, a server that is too slow, or loss on the way. These are live clients, not an attack."
        => [];
    SynUnanswered = "syn-unanswered", Warning, "RFC 9293 §3.5",
        "Clients keep asking a host or port that does not serve them",
        "A dead host, a filter, a broken way back, or a service that is not started. They try again as live clients do."
        => [OneSided];
    SynFloodUndetermined = "syn-flood-undetermined", Warning, "RFC 4987 §2",
        "It looks like a SYN flood or a scan, and the capture cannot tell",
        "One direction is missing, or a filter kept only SYNs: then every client looks silent. Capture both directions without a flag filter."
        => [];
    SynSurge = "syn-surge", Note, "RFC 4987 §2",
        "A crowd: far more connection attempts than usual, nearly all complete",
        "Popularity, a test of load, or clients that come back all at once. No alarm: the server answers and the clients acknowledge."
        => [];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_kebab_case_and_each_stands_once() {
        let mut seen = HashSet::new();
        for &code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
            assert!(!code.title().is_empty() && !code.meaning().is_empty() && !code.rfc().is_empty(), "{name}");
        }
    }
}
