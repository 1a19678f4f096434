//! What one segment did, as facts. Judging them is for `detect`, wording them for `report`.

use crate::finding::Verdict;
use crate::packet::Control;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::handshake::AckFault;
use crate::tcp::handshake::Outcome;
use crate::tcp::state::State;
use crate::tcp::teardown::CloseKind;
use crate::tcp::teardown::ResetKind;

/// One of the two ends. The client sent the first SYN; where none was seen, it is the sender of the first packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// Opened the connection, as far as we know.
    Client,
    /// Was called.
    Server,
}

impl Side {
    /// The other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// Index for pairs stored client first.
    pub const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// A packet by number and time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    /// Frame number in the capture.
    pub frame: u64,
    /// When it passed.
    pub at: Timestamp,
}

/// One fact about one segment. A segment may cause several, in this order: opening, numbers, data, closing, states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// First packet of a connection whose opening the capture does not hold.
    MidStream,
    /// SYN; `retry` counts repetitions of the same ISN, 0 for the first.
    Syn {
        /// Earlier SYNs with this ISN.
        retry: u16,
    },
    /// SYN and ACK together.
    SynAck {
        /// Earlier SYN,ACKs with this ISN.
        retry: u16,
        /// Does it acknowledge J + 1 (plus data that the SYN carried)?
        check: Verdict<AckFault>,
        /// Time since the SYN, where only one SYN can be meant.
        server_side: Option<Span>,
    },
    /// A second SYN,ACK with another ISN: two responders, or a forged one.
    SynAckChanged {
        /// The ISN known before.
        before: SeqNumber,
    },
    /// The server sent a SYN of its own after a plain acknowledgment of the client's: both halves of a SYN,ACK, apart.
    SplitHandshake,
    /// Instead of a SYN,ACK came a plain acknowledgment of something else: its sender has an older connection on these ports
    /// (RFC 5961 §4, RFC 9293 §3.5.1).
    StrayAck {
        /// What it acknowledges.
        ack: SeqNumber,
    },
    /// SYNs crossed: both ends open (RFC 9293 §3.5, figure 7).
    SimultaneousOpen,
    /// The opening is complete.
    Established {
        /// In which way.
        outcome: Outcome,
        /// Time since the SYN,ACK, where only one can be meant.
        client_side: Option<Span>,
        /// SYN to this segment, where unambiguous.
        rtt: Option<Span>,
    },
    /// The client's answer to the SYN,ACK does not acknowledge K + 1.
    WrongAck(AckFault),
    /// RST in answer to the SYN.
    Refused {
        /// Time since the latest SYN.
        after: Span,
    },
    /// Payload.
    Data {
        /// Octets never seen before.
        new: u32,
        /// Octets seen before, or behind what the peer acknowledged.
        repeated: u32,
    },
    /// Octets before this segment are missing: lost, late, or not captured.
    Gap {
        /// How many.
        octets: u32,
    },
    /// Octets that an earlier [`Event::Gap`] missed.
    FillsGap {
        /// How many.
        octets: u32,
    },
    /// The first octets in answer to the peer's latest ones.
    Answer {
        /// The peer's latest data packet.
        to: Mark,
        /// Time since then.
        thought: Span,
    },
    /// Acknowledges octets for the first time.
    Acked {
        /// How many sequence numbers more than before, SYN and FIN counted.
        octets: u32,
        /// The peer's octets still on their way.
        in_flight: u32,
    },
    /// Acknowledges octets that the capture has not seen sent.
    AckedUnseen {
        /// How many.
        octets: u32,
    },
    /// Zero or one octet below the next expected number on an idle connection (RFC 9293 §3.8.4).
    KeepAlive,
    /// The sender has no room left.
    ZeroWindow,
    /// The sender has room again.
    WindowOpened {
        /// Octets it now offers.
        window: u32,
    },
    /// Ends beyond the highest window edge that the peer ever offered (RFC 9293 §3.8.6).
    BeyondWindow {
        /// By how many octets.
        over_by: u32,
    },
    /// FIN; `retry` tells a repetition.
    Fin {
        /// The same FIN was seen before.
        retry: bool,
        /// Silence before it where no octet passed for a while and nothing was owed: a read deadline's pattern.
        idle: Option<Span>,
    },
    /// Acknowledges the peer's FIN: the ack is FIN's number plus one.
    FinAcked,
    /// RST.
    Reset(ResetKind),
    /// RST with a number that its receiver must not obey (RFC 5961 §3.2, RFC 9293 §3.10.7.3): it ends nothing.
    ResetIgnored {
        /// Its number.
        seq: SeqNumber,
    },
    /// Nothing more is to come.
    Closed {
        /// In which way.
        kind: CloseKind,
        /// Whose FIN or RST came first.
        first_by: Side,
    },
    /// An endpoint moved.
    Moved {
        /// Which.
        side: Side,
        /// Where it stood.
        from: State,
        /// Where it stands.
        to: State,
    },
    /// An endpoint sent what its state has no place for.
    Unexpected {
        /// Where it stood.
        state: State,
        /// What it sent.
        control: Control,
    },
}
