//! What Wireshark would print for one frame: its field names with their values, and the words of its info column.
//!
//! The rules of presence live here (a duration of zero is not shown, a short segment has no length, only packets with
//! an analysis record carry `initial_rtt`), so that whoever writes them out needs to know none.

use std::fmt;

use serde::Serialize;
use serde::Serializer;

use crate::packet::flags::TcpFlags;
use crate::packet::seq::SeqNumber;
use crate::packet::time::Span;
use crate::packet::tuple::Protocol;
use crate::tcp::dialect::verdict::Verdicts;

/// How much of the header Wireshark shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Only the stream number: UDP.
    Numbered,
    /// The data offset points past the segment, or the segment is the first fragment of a datagram that was not put
    /// together: header fields as they stand there, no length, no analysis.
    Short,
    /// The data offset is below five words: Wireshark judges the segment but stops showing it.
    Bogus,
    /// The capture ends within the header, behind the window: Wireshark judges the segment and stops showing it there.
    Cut,
    /// A sound segment.
    Whole,
}

/// A window scale as Wireshark knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scale {
    /// No SYN of this side was seen.
    Unknown,
    /// A SYN came without the option.
    Unused,
    /// The shift, at most 14.
    Shift(u8),
}

impl Scale {
    /// The number in `tcp.window_size_scalefactor`.
    pub const fn factor(self) -> i32 {
        match self {
            Self::Unknown => -1,
            Self::Unused => -2,
            Self::Shift(shift) => 1 << shift,
        }
    }
}

/// Everything that tshark 4.0 prints for one frame under the field names of the machine contract.
#[derive(Clone, Copy, Debug)]
pub struct Tags {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// `tcp.stream` or `udp.stream`.
    pub stream: u32,
    /// How much below is shown.
    pub shape: Shape,
    /// Payload octets.
    pub len: u32,
    /// Sequence number as on the wire.
    pub seq: SeqNumber,
    /// Acknowledgment number as on the wire.
    pub ack: SeqNumber,
    /// Relative to the sender's base; raw in a short segment.
    pub relative_seq: u32,
    /// Relative to the receiver's base; raw without ACK and in a short segment.
    pub relative_ack: u32,
    /// Header length in octets, as the data offset has it.
    pub hdr_len: u8,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window as on the wire.
    pub window: u16,
    /// The sender's window scale; not shown with SYN.
    pub scale: Scale,
    /// `tcp.completeness`: bits SYN 1, SYN+ACK 2, ACK 4, data 8, FIN 16, RST 32.
    pub completeness: u8,
    /// The verdicts, a fast or spurious retransmission without the plain one.
    pub verdicts: Verdicts,
    /// Which duplicate this is, and the frame it duplicates.
    pub duplicate_ack: Option<(i32, u64)>,
    /// The frame that this one acknowledges, and the time since.
    pub acks: Option<(u64, Span)>,
    /// The frame that went unacknowledged, and the time since.
    pub rto: Option<(u64, Span)>,
    /// Time from SYN to the ACK that completes the handshake, where Wireshark keeps a record of this frame: one with a
    /// verdict, one that acknowledges a frame exactly, or one that was asked for its bytes in flight.
    pub initial_rtt: Option<Span>,
    /// Octets that the sender has outstanding.
    pub bytes_in_flight: Option<u32>,
    /// Octets since the last PSH.
    pub push_bytes_sent: Option<u32>,
}

/// A value under one of Wireshark's field names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Value {
    /// A flag; absent is its other value.
    True,
    /// An integer.
    Number(i64),
    /// Seconds, written as a string with nine decimals.
    Seconds(Span),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::True => serializer.serialize_bool(true),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Seconds(span) => serializer.collect_str(span),
        }
    }
}

/// The object `wireshark` of the machine contract.
impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields())
    }
}

impl Tags {
    /// A frame of which only the stream number is shown.
    pub(super) fn numbered(protocol: Protocol, stream: u32) -> Self {
        Self {
            protocol,
            stream,
            shape: Shape::Numbered,
            len: 0,
            seq: SeqNumber::default(),
            ack: SeqNumber::default(),
            relative_seq: 0,
            relative_ack: 0,
            hdr_len: 0,
            flags: TcpFlags::default(),
            window: 0,
            scale: Scale::Unknown,
            completeness: 0,
            verdicts: Verdicts::NONE,
            duplicate_ack: None,
            acks: None,
            rto: None,
            initial_rtt: None,
            bytes_in_flight: None,
            push_bytes_sent: None,
        }
    }

    /// Field names and values that Wireshark shows for this frame, always in the same order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        FIELDS.iter().filter_map(|(name, value)| value(self).map(|value| (*name, value)))
    }

    /// The window in octets as Wireshark computes it: a SYN's own window is never scaled (RFC 7323 §2.2), nor is that of
    /// a short segment.
    pub fn window_size(&self) -> u32 {
        match self.scale {
            Scale::Shift(shift) if !self.flags.has(TcpFlags::SYN) && self.shape != Shape::Short => {
                u32::from(self.window) << shift
            }
            _ => u32::from(self.window),
        }
    }

    /// The words that Wireshark puts before the info column, in its order: the one found last stands first.
    /// Empty when there is no verdict.
    pub fn label(&self) -> Label<'_> {
        Label(self)
    }

    fn shows_header(&self) -> bool {
        matches!(self.shape, Shape::Whole | Shape::Cut | Shape::Short)
    }

    fn given(&self, verdict: Verdicts) -> Option<Value> {
        (self.shape == Shape::Whole && self.verdicts.as_fields().has(verdict)).then_some(Value::True)
    }

    fn analysed<T: Copy>(&self, found: Option<T>) -> Option<T> {
        if self.shape == Shape::Whole { found } else { None }
    }
}

/// See [`Tags::label`].
#[derive(Clone, Copy, Debug)]
pub struct Label<'a>(&'a Tags);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (_, words) in SPOKEN.iter().filter(|(verdict, _)| self.0.verdicts.has(*verdict)) {
            match (*words, self.0.duplicate_ack) {
                ("Dup ACK", Some((number, frame))) => write!(f, "{space}[TCP Dup ACK {frame}#{number}]")?,
                _ => write!(f, "{space}[TCP {words}]")?,
            }
            space = " ";
        }
        Ok(())
    }
}

fn seconds(span: Span) -> Option<Value> {
    (span != Span::ZERO).then_some(Value::Seconds(span))
}

type Field = (&'static str, fn(&Tags) -> Option<Value>);

fn number(is_shown: bool, value: impl Into<i64>) -> Option<Value> {
    is_shown.then(|| Value::Number(value.into()))
}

fn frame(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// In the order of the machine contract.
const FIELDS: [Field; 37] = [
    ("tcp.stream", |t| number(t.protocol == Protocol::Tcp, t.stream)),
    ("udp.stream", |t| number(t.protocol == Protocol::Udp, t.stream)),
    ("tcp.len", |t| number(matches!(t.shape, Shape::Whole | Shape::Cut | Shape::Bogus), t.len)),
    ("tcp.seq", |t| number(t.shape != Shape::Numbered, t.relative_seq)),
    ("tcp.ack", |t| number(t.shows_header(), t.relative_ack)),
    ("tcp.seq_raw", |t| number(t.shape != Shape::Numbered, t.seq.0)),
    ("tcp.ack_raw", |t| number(t.shows_header(), t.ack.0)),
    ("tcp.hdr_len", |t| number(t.shape != Shape::Numbered, t.hdr_len)),
    ("tcp.flags", |t| number(t.shows_header(), t.flags.bits())),
    ("tcp.window_size_value", |t| number(t.shows_header(), t.window)),
    ("tcp.window_size", |t| number(t.shows_header(), t.window_size())),
    ("tcp.window_size_scalefactor", |t| number(t.shows_header() && !t.flags.has(TcpFlags::SYN), t.scale.factor())),
    ("tcp.completeness", |t| number(t.shape != Shape::Numbered, t.completeness)),
    ("tcp.analysis.retransmission", |t| t.given(Verdicts::RETRANSMISSION)),
    ("tcp.analysis.fast_retransmission", |t| t.given(Verdicts::FAST_RETRANSMISSION)),
    ("tcp.analysis.spurious_retransmission", |t| t.given(Verdicts::SPURIOUS_RETRANSMISSION)),
    ("tcp.analysis.out_of_order", |t| t.given(Verdicts::OUT_OF_ORDER)),
    ("tcp.analysis.lost_segment", |t| t.given(Verdicts::LOST_SEGMENT)),
    ("tcp.analysis.ack_lost_segment", |t| t.given(Verdicts::ACK_LOST_SEGMENT)),
    ("tcp.analysis.duplicate_ack", |t| t.given(Verdicts::DUPLICATE_ACK)),
    ("tcp.analysis.window_update", |t| t.given(Verdicts::WINDOW_UPDATE)),
    ("tcp.analysis.window_full", |t| t.given(Verdicts::WINDOW_FULL)),
    ("tcp.analysis.zero_window", |t| t.given(Verdicts::ZERO_WINDOW)),
    ("tcp.analysis.zero_window_probe", |t| t.given(Verdicts::ZERO_WINDOW_PROBE)),
    ("tcp.analysis.zero_window_probe_ack", |t| t.given(Verdicts::ZERO_WINDOW_PROBE_ACK)),
    ("tcp.analysis.keep_alive", |t| t.given(Verdicts::KEEP_ALIVE)),
    ("tcp.analysis.keep_alive_ack", |t| t.given(Verdicts::KEEP_ALIVE_ACK)),
    ("tcp.analysis.reused_ports", |t| t.given(Verdicts::REUSED_PORTS)),
    ("tcp.analysis.duplicate_ack_num", |t| t.analysed(t.duplicate_ack).map(|(n, _)| Value::Number(i64::from(n)))),
    ("tcp.analysis.duplicate_ack_frame", |t| t.analysed(t.duplicate_ack).map(|(_, number)| frame(number))),
    ("tcp.analysis.acks_frame", |t| t.analysed(t.acks).map(|(number, _)| frame(number))),
    ("tcp.analysis.rto_frame", |t| {
        t.analysed(t.rto).filter(|(_, since)| *since != Span::ZERO).map(|(number, _)| frame(number))
    }),
    ("tcp.analysis.bytes_in_flight", |t| {
        t.analysed(t.bytes_in_flight).filter(|n| *n > 0).map(|n| Value::Number(n.into()))
    }),
    ("tcp.analysis.push_bytes_sent", |t| {
        t.analysed(t.push_bytes_sent).filter(|n| *n > 0).map(|n| Value::Number(n.into()))
    }),
    ("tcp.analysis.ack_rtt", |t| t.analysed(t.acks).and_then(|(_, since)| seconds(since))),
    ("tcp.analysis.rto", |t| t.analysed(t.rto).and_then(|(_, since)| seconds(since))),
    ("tcp.analysis.initial_rtt", |t| t.analysed(t.initial_rtt).and_then(seconds)),
];

/// Wireshark prepends each word to those before it, so this list runs from the last one found to the first.
const SPOKEN: [(Verdicts, &str); 15] = [
    (Verdicts::ZERO_WINDOW_PROBE_ACK, "ZeroWindowProbeAck"),
    (Verdicts::ZERO_WINDOW, "ZeroWindow"),
    (Verdicts::ZERO_WINDOW_PROBE, "ZeroWindowProbe"),
    (Verdicts::DUPLICATE_ACK, "Dup ACK"),
    (Verdicts::KEEP_ALIVE_ACK, "Keep-Alive ACK"),
    (Verdicts::KEEP_ALIVE, "Keep-Alive"),
    (Verdicts::WINDOW_FULL, "Window Full"),
    (Verdicts::WINDOW_UPDATE, "Window Update"),
    (Verdicts::ACK_LOST_SEGMENT, "ACKed unseen segment"),
    (Verdicts::LOST_SEGMENT, "Previous segment not captured"),
    (Verdicts::OUT_OF_ORDER, "Out-Of-Order"),
    (Verdicts::SPURIOUS_RETRANSMISSION, "Spurious Retransmission"),
    (Verdicts::FAST_RETRANSMISSION, "Fast Retransmission"),
    (Verdicts::RETRANSMISSION, "Retransmission"),
    (Verdicts::REUSED_PORTS, "Port numbers reused"),
];
