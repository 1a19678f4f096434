//! Judges one opening exchange: did each side acknowledge the other's SYN, and nothing more?
//!
//! RFC 9293 §3.5 (three-way handshake), §3.10.7.3–4 (what an acceptable ACK is), RFC 7413 (data on a SYN).
//! Says only what the capture shows; who is at fault is for `detect`, how it looks for `report`.

use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::Control;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
pub use crate::tcp::opening::FastOpen;

/// How the opening ended, in the words of the machine contract.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// SYN, SYN,ACK, ACK.
    Established,
    /// The third segment was not seen, a later one shows that it had been sent.
    EstablishedAckLost,
    /// SYN and SYN,ACK, no acceptable ACK.
    HalfOpen,
    /// RST in answer to the SYN.
    Refused,
    /// ICMP said that nobody can be reached.
    Unreachable,
    /// SYN, and nothing back.
    NoAnswer,
    /// SYNs crossed.
    Simultaneous,
    /// Data on the SYN was accepted (RFC 7413).
    FastOpen,
    /// The connection was open when the capture began.
    NotSeen,
    /// Some of the three segments are missing in the capture.
    Partial,
}

impl Outcome {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::EstablishedAckLost => "established-ack-lost",
            Self::HalfOpen => "half-open",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::NoAnswer => "no-answer",
            Self::Simultaneous => "simultaneous",
            Self::FastOpen => "fast-open",
            Self::NotSeen => "not-seen",
            Self::Partial => "partial",
        }
    }

    /// Both sides may send data.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Established | Self::EstablishedAckLost | Self::Simultaneous | Self::FastOpen)
    }
}

/// What is wrong with an acknowledgment of the opening exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AckFault {
    /// Acknowledges octets that the peer has not sent.
    AboveSent {
        /// The acknowledgment.
        ack: SeqNumber,
        /// First number that the peer has not sent.
        snd_nxt: SeqNumber,
        /// Octets between them.
        over_by: u32,
    },
    /// Does not cover the peer's SYN.
    BelowSyn {
        /// The acknowledgment.
        ack: SeqNumber,
        /// The SYN's number.
        isn: SeqNumber,
    },
}

impl AckFault {
    /// The acknowledgment at fault.
    pub const fn ack(&self) -> SeqNumber {
        match self {
            Self::AboveSent { ack, .. } | Self::BelowSyn { ack, .. } => *ack,
        }
    }

    /// Judges `ack` against a SYN numbered `isn` and everything sent up to `snd_nxt`.
    pub fn check(ack: SeqNumber, isn: SeqNumber, snd_nxt: SeqNumber) -> Verdict<Self> {
        if snd_nxt.before(ack) {
            Verdict::Broken(Self::AboveSent { ack, snd_nxt, over_by: snd_nxt.offset_to(ack) })
        } else if isn.before(ack) {
            Verdict::Holds
        } else {
            Verdict::Broken(Self::BelowSyn { ack, isn })
        }
    }
}

/// The opening exchange of one connection.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// First SYN.
    pub syn: Option<Mark>,
    /// First SYN,ACK.
    pub syn_ack: Option<Mark>,
    /// The segment that completed it.
    pub ack: Option<Mark>,
    /// SYNs after the first, same ISN.
    pub syn_retries: u16,
    /// SYN,ACKs after the first, same ISN.
    pub syn_ack_retries: u16,
    /// SYN to SYN,ACK at the capture point: the way to the server and back. Absent when a retry makes it ambiguous.
    pub server_rtt: Option<Span>,
    /// SYN,ACK to ACK: the way to the client and back.
    pub client_rtt: Option<Span>,
    /// The SYN,ACK's acknowledgment; `None` before one came.
    pub syn_ack_check: Option<Verdict<AckFault>>,
    /// The third segment's acknowledgment; `None` before one came.
    pub ack_check: Option<Verdict<AckFault>>,
    /// What became of Fast Open; `None` where nobody asked for it.
    pub fast_open: Option<FastOpen>,
    /// The server acknowledged the SYN without a SYN of its own.
    acknowledged_alone: bool,
    /// Its SYN came apart.
    split: bool,
    latest_syn: Option<Mark>,
    pub(super) syn_data: u32,
    end: Ending,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Ending {
    #[default]
    Pending,
    Complete(Outcome),
}

/// Both sides as they stood before the segment that is judged.
pub(super) struct Sides<'a> {
    pub(super) client: &'a EndpointView,
    pub(super) server: &'a EndpointView,
}

impl Handshake {
    /// How the opening stands, or how it ended.
    pub fn outcome(&self) -> Outcome {
        match (self.end, self.syn, self.syn_ack) {
            (Ending::Complete(outcome), _, _) => outcome,
            (Ending::Pending, Some(_), Some(_)) => Outcome::HalfOpen,
            (Ending::Pending, Some(_), None) => Outcome::NoAnswer,
            (Ending::Pending, None, Some(_)) => Outcome::Partial,
            (Ending::Pending, None, None) => Outcome::NotSeen,
        }
    }

    /// Nothing more will change its outcome.
    pub fn is_settled(&self) -> bool {
        self.end != Ending::Pending
    }

    /// SYN to the completing segment, where all three are known and none was repeated.
    pub fn rtt(&self) -> Option<Span> {
        Some(Span(self.server_rtt?.0.saturating_add(self.client_rtt?.0)))
    }

    /// The SYN was acknowledged, and no SYN came back with it.
    pub const fn is_acknowledged_alone(&self) -> bool {
        self.acknowledged_alone && matches!(self.end, Ending::Pending)
    }

    /// Octets of data that the first SYN carried.
    pub const fn syn_data(&self) -> u32 {
        self.syn_data
    }

    /// An ICMP error quoted the SYN.
    pub(super) fn unreachable(&mut self) -> bool {
        let pending = self.end == Ending::Pending && self.syn_ack.is_none();
        if pending {
            self.end = Ending::Complete(Outcome::Unreachable);
        }
        pending
    }

    /// Looks at one segment; the views are from before it.
    pub(super) fn observe(
        &mut self,
        mark: Mark,
        side: Side,
        tcp: &TcpHeader<'_>,
        sides: &Sides<'_>,
        events: &mut Vec<Event>,
    ) {
        match (tcp.flags.control(), side) {
            (Control::Syn, Side::Client) => self.client_syn(mark, tcp, events),
            (Control::Syn, Side::Server) => self.server_syn(mark, sides, events),
            (Control::SynAck, Side::Server) => self.syn_ack(mark, tcp, sides, events),
            (Control::SynAck, Side::Client) => self.crossed_syn_ack(mark, tcp, sides, events),
            (Control::Rst, Side::Server) => self.server_reset(mark, tcp, sides, events),
            (Control::Rst, Side::Client) => {}
            (Control::None | Control::Fin, Side::Client) => self.third(mark, tcp, sides, events),
            (Control::None | Control::Fin, Side::Server) => self.server_speaks(mark, tcp, sides, events),
        }
    }

    /// A SYN of a socket that is connected to itself, or its own SYN,ACK.
    pub(super) fn crosses_itself(&mut self, mark: Mark, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        if !tcp.flags.has(TcpFlags::ACK) {
            self.client_syn(mark, tcp, events);
        } else if !self.is_settled() {
            self.syn_ack = Some(mark);
            self.complete(mark, Outcome::Simultaneous, events);
        }
    }

    fn client_syn(&mut self, mark: Mark, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        let retry = if self.syn.is_some() { self.syn_retries.saturating_add(1) } else { 0 };
        if self.syn.is_none() {
            self.syn = Some(mark);
            self.syn_data = tcp.len;
            self.fast_open = match tcp.said.fast_open {
                Some(0) => Some(FastOpen::CookieAsked),
                Some(_) => Some(FastOpen::Offered),
                None => (tcp.len > 0).then_some(FastOpen::Offered),
            };
        }
        self.syn_retries = retry;
        self.latest_syn = Some(mark);
        events.push(Event::Syn { retry });
    }

    fn server_syn(&mut self, mark: Mark, sides: &Sides<'_>, events: &mut Vec<Event>) {
        if self.is_settled() {
            return;
        }
        events.push(Event::Syn { retry: u16::from(sides.server.isn.is_some()) });
        if self.acknowledged_alone && sides.server.isn.is_none() {
            self.split = true;
            events.push(Event::SplitHandshake);
            return;
        }
        if self.syn.is_some() && self.syn_ack.is_none() && sides.server.isn.is_none() {
            events.push(Event::SimultaneousOpen);
            self.latest_syn = Some(mark);
        }
    }

    fn syn_ack(&mut self, mark: Mark, tcp: &TcpHeader<'_>, sides: &Sides<'_>, events: &mut Vec<Event>) {
        if let (Some(_), Some(before)) = (self.syn_ack, sides.server.isn)
            && before != tcp.seq
        {
            events.push(Event::SynAckChanged { before });
            return;
        }
        let check = match (sides.client.isn, sides.client.snd_max) {
            (Some(isn), Some(snd_nxt)) if self.syn.is_some() => AckFault::check(tcp.ack, isn, snd_nxt),
            _ => Verdict::CannotTell(Gap::NoHandshake),
        };
        let repeated = self.syn_ack.is_some();
        self.syn_ack_retries = if repeated { self.syn_ack_retries.saturating_add(1) } else { 0 };
        if !repeated {
            self.syn_ack_check = Some(check);
            if check.fault().is_none() {
                self.syn_ack = Some(mark);
                self.answers_fast_open(tcp, sides.client);
                self.server_rtt = self.latest_syn.filter(|_| self.syn_retries == 0).map(|syn| mark.at.since(syn.at));
            }
        }
        let server_side = self.server_rtt.filter(|_| !repeated);
        events.push(Event::SynAck { retry: self.syn_ack_retries, check, server_side });
        let crossed = sides.server.isn == Some(tcp.seq) && !repeated && self.syn.is_some();
        if crossed {
            self.complete(mark, Outcome::Simultaneous, events);
        }
    }

    /// A client that sends SYN,ACK answers a SYN of its own peer: simultaneous open.
    fn crossed_syn_ack(&mut self, mark: Mark, tcp: &TcpHeader<'_>, sides: &Sides<'_>, events: &mut Vec<Event>) {
        if self.is_settled() {
            return;
        }
        let check = match (sides.server.isn, sides.server.snd_max) {
            (Some(isn), Some(snd_nxt)) => AckFault::check(tcp.ack, isn, snd_nxt),
            _ => Verdict::CannotTell(Gap::NoHandshake),
        };
        self.ack_check = Some(check);
        events.push(Event::SynAck { retry: 0, check, server_side: None });
        if self.split && check.holds() {
            self.complete(mark, Outcome::Established, events);
        } else if self.syn.is_some() && check.holds() && self.syn_ack.is_some() {
            self.complete(mark, Outcome::Simultaneous, events);
        }
    }

    fn server_reset(&mut self, mark: Mark, tcp: &TcpHeader<'_>, sides: &Sides<'_>, events: &mut Vec<Event>) {
        let (Some(syn), Some(isn), Some(snd_nxt)) = (self.latest_syn, sides.client.isn, sides.client.snd_max) else {
            return;
        };
        // RFC 9293 §3.10.7.3: in SYN-SENT a reset counts only if it acknowledges the SYN.
        if self.is_settled() || self.syn_ack.is_some() || !tcp.flags.has(TcpFlags::ACK) {
            return;
        }
        match AckFault::check(tcp.ack, isn, snd_nxt) {
            Verdict::Broken(fault) => events.push(Event::WrongAck(fault)),
            Verdict::Holds | Verdict::CannotTell(_) => {
                self.end = Ending::Complete(Outcome::Refused);
                events.push(Event::Refused { after: mark.at.since(syn.at) });
            }
        }
    }

    fn third(&mut self, mark: Mark, tcp: &TcpHeader<'_>, sides: &Sides<'_>, events: &mut Vec<Event>) {
        if self.is_settled() || !tcp.flags.has(TcpFlags::ACK) {
            return;
        }
        let answered = self.syn_ack.is_some() || self.split;
        let (true, Some(isn), Some(snd_nxt)) = (answered, sides.server.isn, sides.server.snd_max) else {
            if self.syn.is_some() && sides.server.packets == 0 {
                // It answers a SYN,ACK that we never saw: the server's direction is missing.
                self.ack_check = Some(Verdict::CannotTell(Gap::OneSided));
                self.complete(mark, Outcome::Partial, events);
            }
            return;
        };
        let check = AckFault::check(tcp.ack, isn, snd_nxt);
        self.ack_check = Some(check);
        if let Verdict::Broken(fault) = check {
            events.push(Event::WrongAck(fault));
            return;
        }
        if self.syn_ack_retries == 0 {
            self.client_rtt = self.syn_ack.map(|syn_ack| mark.at.since(syn_ack.at));
        }
        let first_ack_lost = sides.client.snd_max.is_some_and(|expected| expected.before(tcp.seq));
        let fast_open = self.accepted_syn_data(sides.client);
        let outcome = match (self.syn.is_some(), fast_open, first_ack_lost) {
            (false, _, _) => Outcome::Partial,
            (true, true, _) => Outcome::FastOpen,
            (true, false, true) => Outcome::EstablishedAckLost,
            (true, false, false) => Outcome::Established,
        };
        if outcome == Outcome::EstablishedAckLost {
            self.client_rtt = None;
        }
        self.complete(mark, outcome, events);
    }

    /// Data or FIN of the server shows that the third segment reached it, though the capture does not hold it.
    fn server_speaks(&mut self, mark: Mark, tcp: &TcpHeader<'_>, sides: &Sides<'_>, events: &mut Vec<Event>) {
        // Strays have gone another way: this one acknowledges the SYN.
        self.acknowledged_alone |= self.syn.is_some() && self.syn_ack.is_none() && tcp.seq_len() == 0;
        if self.is_settled() || self.syn_ack.is_none() || tcp.seq_len() == 0 {
            return;
        }
        // RFC 9293 §3.10.2: in SYN-RECEIVED a host queues what it is given to send. RFC 7413 lets it send at once.
        let (gap, outcome) = match (sides.client.packets, self.accepted_syn_data(sides.client)) {
            (0, _) => (Gap::OneSided, Outcome::Partial),
            (_, true) => (Gap::NotCaptured, Outcome::FastOpen),
            (_, false) => (Gap::NotCaptured, Outcome::EstablishedAckLost),
        };
        self.ack_check = Some(Verdict::CannotTell(gap));
        self.complete(mark, outcome, events);
    }

    /// The SYN carried data, and the SYN,ACK acknowledged some of it (RFC 7413 §4.1).
    fn accepted_syn_data(&self, client: &EndpointView) -> bool {
        let beyond_syn = |isn: SeqNumber| client.snd_una.is_some_and(|una| isn.plus(1).before(una));
        self.syn_data > 0 && client.isn.is_some_and(beyond_syn)
    }

    fn complete(&mut self, mark: Mark, outcome: Outcome, events: &mut Vec<Event>) {
        self.ack = Some(mark);
        self.end = Ending::Complete(outcome);
        events.push(Event::Established { outcome, client_side: self.client_rtt, rtt: self.rtt() });
    }
}
