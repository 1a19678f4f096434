//! One connection as an observer sees it. Calls the parts in order and decides nothing itself.

use crate::packet::ChecksumState;
use crate::packet::Control;
use crate::packet::IpHeader;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::blind::Blemishes;
use crate::tcp::blind::Blind;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::handshake::Handshake;
use crate::tcp::handshake::Outcome;
use crate::tcp::handshake::Sides;
use crate::tcp::life::Life;
use crate::tcp::mss;
use crate::tcp::notable::Notable;
use crate::tcp::path::PathView;
use crate::tcp::state::Cause;
use crate::tcp::state::State;
use crate::tcp::state::Step;
use crate::tcp::teardown::CloseKind;
use crate::tcp::teardown::ResetKind;
use crate::tcp::teardown::Teardown;
use crate::tcp::turns::Turns;
use crate::tcp::verdict::Judge;

/// Silence before a FIN that is worth a word: shorter ones are ordinary thinking time.
const IDLE_WORTH_TELLING: Span = Span::from_secs(5);

/// One TCP connection. Fixed size; a box on the heap while its segments are judged, another where something notable
/// happened. `docs/architecture.md` states the octets.
#[derive(Clone, Debug)]
pub struct Connection {
    /// First packet.
    pub first: Mark,
    /// Latest packet.
    pub last: Mark,
    /// The opening.
    pub handshake: Handshake,
    /// The closing.
    pub teardown: Teardown,
    /// Who spoke and who answered.
    pub turns: Turns,
    /// IPv6.
    pub ipv6: bool,
    /// A SYN or SYN,ACK told who is client; otherwise the sender of the first packet is taken for it.
    pub oriented: bool,
    /// Octets of IP options or extension headers, largest seen.
    pub ip_options: u32,
    /// Both ends are one socket.
    pub to_itself: bool,
    /// What the capture missed or garbled of it.
    pub blemishes: Blemishes,
    pub(super) sides: [EndpointView; 2],
    pub(super) paths: [PathView; 2],
    /// Most connections have nothing to remember; the others pay for it once.
    pub(super) notable: Option<Box<Notable>>,
    /// In a box of its own, so that a slot of the table is small: many connections are closed or mere attempts.
    pub(super) judge: Option<Box<Judge>>,
    /// Its course, where somebody asked for it.
    pub(super) life: Option<Box<Life>>,
}

impl Connection {
    /// A connection whose first packet is about to be observed.
    pub fn new(first: Mark, ipv6: bool, oriented: bool) -> Self {
        Self {
            first,
            last: first,
            handshake: Handshake::default(),
            teardown: Teardown::default(),
            turns: Turns::default(),
            notable: None,
            judge: None,
            life: None,
            ipv6,
            oriented,
            ip_options: 0,
            to_itself: false,
            blemishes: Blemishes::default(),
            sides: [EndpointView::default(), EndpointView::default()],
            paths: [PathView::default(), PathView::default()],
        }
    }

    /// One side.
    pub const fn side(&self, side: Side) -> &EndpointView {
        &self.sides[side.index()]
    }

    /// Both SYNs offered timestamps, so every segment owes them (RFC 7323 §3.2).
    pub fn timestamps_agreed(&self) -> bool {
        self.sides.iter().all(|side| side.offer.timestamps)
    }

    /// Both SYNs permitted SACK.
    pub fn sack_agreed(&self) -> bool {
        self.sides.iter().all(|side| side.offer.sack)
    }

    /// Shift of `side`'s windows: 0 where scaling was not agreed on, `None` where a SYN is missing.
    pub fn window_scale(&self, side: Side) -> Option<u8> {
        let offers = [self.sides[0].offer, self.sides[1].offer];
        if !offers.iter().all(|offer| offer.seen) {
            return None;
        }
        // RFC 7323 §2.2: in use only if both sides sent it.
        Some(match (offers[0].wscale, offers[1].wscale) {
            (Some(_), Some(_)) => offers[side.index()].wscale.unwrap_or(0),
            _ => 0,
        })
    }

    /// What findings at its end rest on.
    pub fn notable(&self) -> &Notable {
        const NOTHING: &Notable = &Notable::NOTHING;
        self.notable.as_deref().unwrap_or(NOTHING)
    }

    /// How it was closed; not at all where no connection had come to be.
    pub fn close_kind(&self) -> CloseKind {
        match (self.teardown.kind(), self.outcome()) {
            (CloseKind::Open, Outcome::NoAnswer | Outcome::Refused | Outcome::Unreachable) => CloseKind::NotSeen,
            (kind, _) => kind,
        }
    }

    /// How the opening stands.
    pub fn outcome(&self) -> Outcome {
        self.handshake.outcome()
    }

    /// A SYN of the client with another ISN: the tuple is used for a new connection (RFC 9293 §3.4.2 lets it).
    pub fn is_reused_by(&self, side: Side, tcp: &TcpHeader<'_>) -> bool {
        let known = self.side(side);
        // Resets alone leave no numbers behind, and still belonged to a connection before.
        tcp.flags.is_pure_syn() && known.relative(tcp.seq).map_or(known.packets > 0, |distance| distance != 0)
    }

    /// Takes note of what the capture missed up to a segment; to be called before [`observe`](Self::observe) sees it.
    pub fn beware(&mut self, mark: Mark, blind: &Blind, tcp: &TcpHeader<'_>) {
        // A SYN may be the first of all; anything else had something before it that may have been lost.
        let since = match self.first.frame == mark.frame {
            true if tcp.flags.has(TcpFlags::SYN) => mark.frame,
            true => 0,
            false => self.last.frame,
        };
        self.blemishes.note(blind, since, tcp);
    }

    /// Feeds one segment, in capture order. No clock, no socket, no printing in here.
    pub fn observe(&mut self, mark: Mark, side: Side, ip: &IpHeader, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        let before = events.len();
        self.keeps_silence(mark);
        self.last = mark;
        self.ip_options = self.ip_options.max(ip_options(ip));
        let sender = &mut self.sides[side.index()];
        sender.partial_checksums += u32::from(tcp.checksum == ChecksumState::Partial);
        if sender.packets == 0 {
            sender.ttl = ip.ttl;
        }
        if let ChecksumState::Bad { .. } = tcp.checksum {
            // The receiver drops it unread (RFC 9293 §3.10.7): it moves nothing.
            self.sides[side.index()].packets += 1;
            self.sides[side.index()].bad_checksums += 1;
            return;
        }
        if self.to_itself {
            self.observe_alone(mark, tcp, events);
            return;
        }
        let moves = TcpFlags::ACK.with(TcpFlags::SYN).with(TcpFlags::RST);
        if self.handshake.is_settled() && !tcp.flags.any(moves) {
            // RFC 9293 §3.10.7.4, fifth: without ACK it is dropped, whatever else it carries.
            self.sides[side.index()].packets += 1;
            return;
        }
        if self.handshake.is_stray(side, tcp, self.side(Side::Client)) {
            // It belongs to another connection: its numbers are none of this one's.
            self.sides[side.index()].packets += 1;
            events.push(Event::StrayAck { ack: tcp.ack });
            Notable::remember(&mut self.notable, mark, side, &events[before..]);
            return;
        }
        self.goes_on_after_reset(mark, side, tcp);
        self.compare_offers(mark, side, tcp);
        self.open(mark, side, tcp, events);
        if tcp.flags.has(TcpFlags::RST) && !self.obeys_reset(side, tcp) {
            self.sides[side.index()].packets += 1;
            if !self.answers_old_duplicate(mark, tcp) {
                events.push(Event::ResetIgnored { seq: tcp.seq });
            }
        } else {
            let idle = self.idle_before(mark);
            self.number(mark, side, tcp, events);
            self.acknowledge(side, tcp, events);
            self.probe_path(mark, side, tcp);
            self.window(side, tcp, events);
            self.close(mark, side, tcp, idle, events);
            self.move_states(side, tcp, events);
        }
        self.teardown.tell_if_over(events);
        Notable::remember(&mut self.notable, mark, side, &events[before..]);
    }

    /// An ICMP error quoted a segment of `side`. True where it ends the attempt.
    pub fn unreachable(&mut self, mark: Mark, side: Side, seq: Option<SeqNumber>) -> bool {
        self.last = mark;
        let ours = seq.is_none_or(|seq| self.side(side).isn == Some(seq));
        ours && side == Side::Client && self.handshake.unreachable()
    }

    fn open(&mut self, mark: Mark, side: Side, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        if self.first.frame == mark.frame && !tcp.flags.has(TcpFlags::SYN) {
            events.push(Event::MidStream);
        }
        let [client, server] = &self.sides;
        self.handshake.observe(mark, side, tcp, &Sides { client, server }, events);
        match tcp.flags.control() {
            Control::Syn | Control::SynAck if self.may_open(side, tcp) => {
                self.sides[side.index()].opens(tcp);
                if tcp.flags.has(TcpFlags::ACK) {
                    self.sides[side.peer().index()].assume_isn(tcp.ack.minus(1));
                }
            }
            Control::Syn | Control::SynAck | Control::Fin | Control::Rst | Control::None => {}
        }
    }

    /// A first SYN, or the same again; an acceptable SYN,ACK of the server. Others change no numbers.
    fn may_open(&self, side: Side, tcp: &TcpHeader<'_>) -> bool {
        let known = self.side(side).isn;
        let wrong_ack = tcp.flags.has(TcpFlags::ACK)
            && side == Side::Server
            && self.handshake.syn_ack_check.is_some_and(|check| check.fault().is_some());
        known.is_none_or(|isn| isn == tcp.seq) && !wrong_ack
    }

    fn number(&mut self, mark: Mark, side: Side, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        let edge = self.sides[side.peer().index()].right_edge;
        let placed = self.sides[side.index()].sends(tcp);
        if placed.keep_alive {
            events.push(Event::KeepAlive);
            return;
        }
        if placed.gap > 0 {
            events.push(Event::Gap { octets: placed.gap });
        }
        if placed.fills > 0 {
            events.push(Event::FillsGap { octets: placed.fills });
        }
        if tcp.len > 0 && !tcp.flags.has(TcpFlags::RST) {
            events.push(Event::Data { new: placed.new, repeated: placed.repeated });
            // One octet beyond a closed window is a probe (RFC 9293 §3.8.6.1).
            if let Some(edge) = edge.filter(|edge| edge.before(tcp.seq.plus(tcp.len)) && tcp.len > 1) {
                events.push(Event::BeyondWindow { over_by: edge.offset_to(tcp.seq.plus(tcp.len)) });
            }
        }
        if placed.new > 0
            && let Some(answered) = self.turns.speaks(mark, side)
        {
            events.push(Event::Answer { to: answered.to, thought: answered.thought });
        }
    }

    fn acknowledge(&mut self, side: Side, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        if !tcp.flags.has(TcpFlags::ACK) || tcp.flags.has(TcpFlags::RST) || self.opening_is_wrong(tcp) {
            return;
        }
        let peer = &mut self.sides[side.peer().index()];
        let acknowledged = peer.is_acknowledged(tcp.ack);
        if acknowledged.unseen > 0 {
            events.push(Event::AckedUnseen { octets: acknowledged.unseen });
        }
        if acknowledged.octets > 0 {
            events.push(Event::Acked { octets: acknowledged.octets, in_flight: peer.in_flight() });
        }
    }

    /// An acknowledgment that the handshake has refused acknowledges nothing.
    fn opening_is_wrong(&self, tcp: &TcpHeader<'_>) -> bool {
        if self.handshake.is_settled() {
            return false;
        }
        let check = if tcp.flags.has(TcpFlags::SYN) { self.handshake.syn_ack_check } else { self.handshake.ack_check };
        check.is_some_and(|check| check.fault().is_some())
    }

    fn window(&mut self, side: Side, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        if tcp.flags.has(TcpFlags::RST) || !tcp.flags.has(TcpFlags::ACK) && !tcp.flags.has(TcpFlags::SYN) {
            return;
        }
        // RFC 7323 §2.2: the window of a SYN is never scaled.
        let scale = if tcp.flags.has(TcpFlags::SYN) { Some(0) } else { self.window_scale(side) };
        let was_closed = self.sides[side.index()].window_closed;
        let known_ack = if tcp.flags.has(TcpFlags::ACK) { Some(tcp.ack) } else { None };
        let view = &mut self.sides[side.index()];
        if let Some(ack) = known_ack {
            view.offers(ack, tcp.window, scale);
        }
        if view.window_closed && !was_closed && !tcp.flags.any(TcpFlags::SYN.with(TcpFlags::FIN)) {
            view.zero_windows = view.zero_windows.saturating_add(1);
            events.push(Event::ZeroWindow);
        } else if was_closed && !view.window_closed {
            events.push(Event::WindowOpened { window: view.rcv_wnd.unwrap_or(tcp.window.into()) });
        }
    }

    fn close(&mut self, mark: Mark, side: Side, tcp: &TcpHeader<'_>, idle: Option<Span>, events: &mut Vec<Event>) {
        let retry = self.teardown.fin[side.index()].is_some();
        let [client, server] = &self.sides;
        let (sender, peer) = if side == Side::Client { (client, server) } else { (server, client) };
        self.teardown.observe(mark, side, tcp, sender, peer, events);
        if tcp.flags.has(TcpFlags::RST) {
            let refused = self.handshake.outcome() == Outcome::Refused;
            let kind = match (refused && side == Side::Server, tcp.flags.has(TcpFlags::ACK)) {
                (true, _) => ResetKind::RefusesSyn,
                (false, true) => ResetKind::Abort,
                (false, false) => ResetKind::NoConnection,
            };
            self.teardown.resets(mark, side, kind, events);
        } else if tcp.flags.has(TcpFlags::FIN) && !tcp.flags.has(TcpFlags::SYN) {
            let first_of_all = self.teardown.fin[side.peer().index()].is_none() && !retry;
            events.push(Event::Fin { retry, idle: idle.filter(|_| first_of_all) });
        }
    }

    /// How long nobody had sent anything new before `mark`, where that is long and nothing was owed.
    fn idle_before(&self, mark: Mark) -> Option<Span> {
        let since = self.turns.last.map(|(_, mark)| mark).or(self.handshake.ack)?;
        let idle = mark.at.since(since.at);
        (idle >= IDLE_WORTH_TELLING && self.sides.iter().all(|side| side.in_flight() == 0)).then_some(idle)
    }

    fn move_states(&mut self, side: Side, tcp: &TcpHeader<'_>, events: &mut Vec<Event>) {
        let control = tcp.flags.control();
        if control == Control::Rst {
            self.step(side, Cause::Sends(control), control, events);
            self.step(side.peer(), Cause::Sends(control), control, events);
            return;
        }
        let acks = |number: Option<SeqNumber>| {
            tcp.flags.has(TcpFlags::ACK) && number.is_some_and(|number| number.before(tcp.ack))
        };
        let peer = self.side(side.peer());
        let (covers_syn, covers_fin) = (acks(peer.isn), acks(peer.fin));
        // A plain acknowledgment in answer to a SYN tells of no state yet: a SYN of its own is still to come.
        let half_an_answer = side == Side::Server && self.handshake.syn.is_some() && !self.handshake.is_settled();
        if half_an_answer && control == Control::None && self.side(side).state == State::NotSeen {
            return;
        }
        // What it acknowledges it received before it sent this: a FIN that answers a FIN closes second.
        if covers_fin {
            self.step(side, Cause::AcksPeerFin, control, events);
        }
        self.step(side, Cause::Sends(control), control, events);
        if covers_syn {
            self.step(side.peer(), Cause::SynIsAcked, control, events);
        }
        if covers_fin {
            self.step(side.peer(), Cause::FinIsAcked, control, events);
        }
    }

    fn step(&mut self, side: Side, cause: Cause, control: Control, events: &mut Vec<Event>) {
        let from = self.side(side).state;
        match from.after(cause) {
            Step::To(to) if to != from => {
                self.sides[side.index()].state = to;
                events.push(Event::Moved { side, from, to });
            }
            Step::To(_) | Step::Stay => {}
            Step::Unexpected => events.push(Event::Unexpected { state: from, control }),
        }
    }
}

/// Octets of an IP header beyond the fixed part.
fn ip_options(ip: &IpHeader) -> u32 {
    let fixed = if ip.version == 6 { mss::IPV6_HEADER } else { mss::IPV4_HEADER };
    ip.header_len.saturating_sub(fixed)
}
