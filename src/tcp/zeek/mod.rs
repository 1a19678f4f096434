//! What Zeek's conn.log would say about a connection: state, history, octets, packets, missed octets.
//!
//! A machine apart, with Zeek's own idea of who opened, which state each end is in and which octets count; none of it
//! enters our own judgement. Fed every segment in capture order, it keeps 424 octets per connection, its letters, and a list
//! of at most 128 stretches (`delivery`) per direction while octets lie behind a hole.
//!
//! Learned beyond the documented rules:
//! - The letter of a SYN is added again when its number differs from the last SYN's; but a SYN that begins the numbering
//!   anew is number 0 once more, so it adds none.
//! - An ACK of an endpoint that nothing was seen of begins that endpoint's numbers. The sender's own begin one below its
//!   first segment, and that segment never counts as a repetition of itself.
//! - What was acknowledged before it came is not missing any less for coming late.
//! - Octets and duration are told only where the connection took any time at all. The duration ends with the packet that
//!   closes the second side, or that delivers what had been missing then.
//! - Octets that rest on wild numbers are wild themselves; they are told as Zeek tells them.
//! - The addresses of an anonymised capture fit no checksum: see `is_refused`.
//!
//! A connection here is what Wireshark calls a stream. Where Zeek would make several lines of it, this is the first.

mod conn_log;
mod delivery;
mod end;
mod history;
mod lifetime;
mod numbers;
mod ports;
mod state;

#[cfg(test)]
mod tests;

pub use conn_log::ConnLog;

use crate::packet::ChecksumState;
use crate::packet::IpHeader;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::event::Side;
use crate::tcp::zeek::end::End;
use crate::tcp::zeek::end::segment_len;
use crate::tcp::zeek::history::History;
use crate::tcp::zeek::history::Once;
use crate::tcp::zeek::lifetime::Lifetime;
use crate::tcp::zeek::numbers::Advance;
use crate::tcp::zeek::numbers::Relative;
use crate::tcp::zeek::state::Move;
use crate::tcp::zeek::state::Standing;
use crate::tcp::zeek::state::State;

/// The part-machine: segments in capture order in, a line of conn.log out.
#[derive(Clone, Debug)]
pub struct Zeek {
    ends: [End; 2],
    originator: Side,
    history: History,
    /// No proper opening was seen, so that first numbers are guesses.
    partial: bool,
    missed: u64,
    lifetime: Lifetime,
    /// Zeek has closed its books: what follows stands in another line.
    ended: bool,
    begun: bool,
}

/// A segment on its way through the parts.
struct Passing<'a, 'b> {
    at: Timestamp,
    tcp: &'a TcpHeader<'b>,
    by: Side,
    /// Relative number of its first octet.
    seq: Relative,
    /// It lies before the SYN.
    before_syn: bool,
    /// It has the number that the peer's SYN,ACK had acknowledged before.
    is_acked_syn: bool,
    /// Octets of payload captured.
    captured: u32,
}

impl Zeek {
    /// A connection whose first segment is `tcp`, sent by `by`. It is still to be observed.
    pub fn new(at: Timestamp, by: Side, tcp: &TcpHeader<'_>) -> Self {
        let (has_syn, has_ack) = (tcp.flags.has(TcpFlags::SYN), tcp.flags.has(TcpFlags::ACK));
        let flips = ports::flips(tcp.src_port, tcp.dst_port, has_syn, has_ack);
        let mut zeek = Self {
            ends: [End::default(), End::default()],
            originator: if flips { by.peer() } else { by },
            history: History::default(),
            partial: false,
            missed: 0,
            lifetime: Lifetime::new(at),
            ended: false,
            begun: false,
        };
        if flips {
            zeek.history.flip();
        }
        zeek
    }

    /// Feeds one segment, in capture order; of its payload, `captured` octets are there. A segment whose header is cut or
    /// makes no sense is passed over, as in Zeek.
    pub fn observe(&mut self, at: Timestamp, by: Side, ip: &IpHeader, tcp: &TcpHeader<'_>, captured: u32) {
        if self.has_ended(at, tcp) || !tcp.sound || tcp.options.len() + 20 < usize::from(tcp.header_len) {
            return;
        }
        if is_refused(ip, tcp) {
            let due = self.end(by).bad_checksums.happens();
            self.add_if(due, 'C', by);
            return;
        }
        self.begun = true;
        self.end(by).packets += 1;
        self.judge_partial(by, tcp.flags);
        let is_acked_syn = tcp.seq == self.end(by).numbers.start();
        self.end(by).begin_numbers(tcp);
        let (seq, before_syn) = self.end(by).numbers.of_sent(tcp.seq);
        let passing = Passing { at, tcp, by, seq, before_syn, is_acked_syn, captured };
        self.tell(&passing);
        self.look_at_window(&passing);
        let both_closed = self.ends.iter().all(|end| end.closed);
        self.lifetime.sees(at, both_closed);
        if tcp.flags.has(TcpFlags::FIN) {
            self.end(by).fin_edge = Some(seq.wrapping_add(segment_len(tcp).into()));
        }
        let acknowledges = self.take_ack(&passing);
        self.advance(&passing);
        let closes = self.move_states(&passing);
        if let Some(edge) = acknowledges {
            self.acknowledge(by.peer(), edge);
        }
        self.ends[by.index()].seen = true;
        self.deliver(&passing);
        self.close(by, closes, acknowledges.is_some());
    }

    /// The line of the log as it stands.
    pub fn conn_log(&self) -> ConnLog<'_> {
        let (o, r) = (&self.ends[self.originator.index()], &self.ends[self.originator.peer().index()]);
        let sizes = [o.size(r), r.size(o)];
        let history = self.history.so_far();
        let lasted = self.lifetime.lasted();
        let known = [o, r].iter().all(|end| end.sent.is_exact());
        ConnLog {
            originator: self.originator,
            conn_state: state::conn_state(o.standing.now, r.standing.now, sizes == [0, 0], history),
            history: self.history.told().filter(|_| known),
            bytes: (lasted > Span::ZERO).then_some(sizes),
            duration: (lasted > Span::ZERO).then_some(lasted),
            packets: [o.packets, r.packets],
            missed_bytes: known.then_some(self.missed),
            goes_on: self.ended,
        }
    }

    fn has_ended(&mut self, at: Timestamp, tcp: &TcpHeader<'_>) -> bool {
        let (o, r) = (&self.ends[self.originator.index()], &self.ends[self.originator.peer().index()]);
        let ends = self.begun && (self.lifetime.has_ended(at, o, r) || lifetime::is_reuse(tcp, o, r));
        self.ended |= ends;
        self.ended
    }

    /// Takes note of the end of one side, or of what it had been waiting for.
    fn close(&mut self, by: Side, closes: bool, acknowledges: bool) {
        let [client, server] = &mut self.ends;
        let (sender, peer) = if by == Side::Client { (client, server) } else { (server, client) };
        if acknowledges {
            self.lifetime.check_end(peer, sender);
        }
        self.lifetime.check_end(sender, peer);
        if closes {
            self.lifetime.closes(sender, peer);
        }
    }

    fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side.index()]
    }

    fn standing(&self, side: Side) -> Standing {
        self.ends[side.index()].standing
    }

    fn add_if(&mut self, due: bool, letter: char, by: Side) {
        if due {
            self.history.add(letter, by == self.originator);
        }
    }

    fn judge_partial(&mut self, by: Side, flags: TcpFlags) {
        if self.ends[by.index()].seen {
            return;
        }
        if by == self.originator {
            self.partial = !flags.has(TcpFlags::SYN) || flags.has(TcpFlags::ACK);
        } else if !self.partial {
            self.partial = !flags.has(TcpFlags::SYN);
        }
    }

    /// Writes the letter of the segment's flags.
    fn tell(&mut self, passing: &Passing<'_, '_>) {
        let Passing { tcp, by, seq, .. } = *passing;
        let flags = tcp.flags;
        let has = |flag| flags.has(flag);
        let controls = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST].into_iter().filter(|&flag| has(flag)).count();
        let (letter, slot, number) = match controls {
            0 if tcp.len > 0 => ('D', Once::DATA, None),
            0 if has(TcpFlags::ACK) => ('A', Once::ACK, None),
            0 => return,
            1 if has(TcpFlags::SYN) => (if has(TcpFlags::ACK) { 'H' } else { 'S' }, Once::SYN, Some(seq)),
            1 if has(TcpFlags::FIN) => ('F', Once::FIN, Some(seq.wrapping_add(tcp.len.into()))),
            1 => ('R', Once::RST, Some(seq)),
            _ if has(TcpFlags::FIN) && has(TcpFlags::RST) => ('I', Once::FIN_RST, None),
            _ => ('Q', Once::MANY, None),
        };
        if controls == 0 && self.history.is_lone_syn_ack() {
            // No scanner sends data or an ACK behind its SYN,ACK: that was the responder's.
            self.history.flip_lone_syn_ack();
            self.flip();
            self.ends.iter_mut().for_each(|end| end.seen = true);
        }
        let sender = self.end(by);
        let first = sender.once.take(slot);
        let last = match slot {
            Once::SYN => &mut sender.last_syn,
            Once::FIN => &mut sender.last_fin,
            _ => &mut sender.last_rst,
        };
        let another = number.is_some_and(|number| std::mem::replace(last, number) != number);
        self.add_if(first || another, letter, by);
    }

    fn flip(&mut self) {
        self.originator = self.originator.peer();
        self.partial = false;
    }

    fn look_at_window(&mut self, passing: &Passing<'_, '_>) {
        let Passing { tcp, by, .. } = *passing;
        let told = tcp.window == 0
            && !tcp.flags.has(TcpFlags::RST)
            && self.standing(by).now != State::Reset
            && self.standing(by.peer()).now != State::Closed;
        let due = told && self.end(by).zero_windows.happens();
        self.add_if(due, 'W', by);
    }

    /// Takes note of the acknowledgment: the relative number up to which it goes, 0 for one before the SYN.
    fn take_ack(&mut self, passing: &Passing<'_, '_>) -> Option<Relative> {
        let Passing { tcp, by, .. } = *passing;
        if !tcp.flags.has(TcpFlags::ACK) {
            return None;
        }
        let peer = self.end(by.peer());
        if peer.standing.now == State::Inactive {
            peer.numbers.begin_by_ack(tcp.ack);
            return Some(1);
        }
        let (ack, before_syn) = peer.numbers.of_ack(tcp.ack);
        if before_syn {
            return Some(0);
        }
        if !tcp.flags.has(TcpFlags::RST) {
            peer.numbers.is_acknowledged(tcp.ack);
        }
        Some(ack)
    }

    fn advance(&mut self, passing: &Passing<'_, '_>) {
        let Passing { tcp, by, .. } = *passing;
        let end = tcp.seq.plus(segment_len(tcp));
        let sender = self.end(by);
        let was_reset = sender.standing.now == State::Reset;
        let repeats = sender.numbers.advance(end, tcp.flags, tcp.len > 0, was_reset) == Advance::Repeats;
        let due = repeats && sender.repeats.happens();
        self.add_if(due, 'T', by);
    }

    /// Moves both ends; true where the sender closed or reset.
    fn move_states(&mut self, passing: &Passing<'_, '_>) -> bool {
        let Passing { at, tcp, by, .. } = *passing;
        let seen = Move {
            flags: tcp.flags,
            by_originator: by == self.originator,
            has_payload: tcp.len > 0,
            answers_early_syn_ack: passing.is_acked_syn,
        };
        let [a, b] = &mut self.ends;
        let (sender, peer) = if by == Side::Client { (a, b) } else { (b, a) };
        let moved = state::step(&mut sender.standing, &mut peer.standing, seen);
        if moved.flips {
            self.history.flip();
            self.flip();
            self.ends.iter_mut().for_each(|end| end.seen = true);
        }
        if moved.makes_whole {
            self.partial = false;
            self.end(by).seen = true;
        }
        if by == self.originator && matches!(self.standing(by).now, State::SynSent | State::SynAckSent) {
            self.lifetime.attempts(at);
        }
        moved.closes
    }

    /// The peer of `side` acknowledged what `side` sent, up to `edge`.
    fn acknowledge(&mut self, side: Side, edge: Relative) {
        let is_clean = self.standing(side).is_clean() && self.standing(side.peer()).is_clean();
        let partial = self.partial;
        let end = &mut self.ends[side.index()];
        // The FIN's number carries no octet.
        let edge = end.fin_edge.map_or(edge, |fin| if edge >= fin { fin.wrapping_sub(1) } else { edge });
        let (mut missed, mut due) = (0u64, 0);
        let gaps = &mut end.gaps;
        end.sent.acknowledged(edge, partial, |octets| {
            if is_clean {
                missed = missed.saturating_add(octets);
                due += u32::from(gaps.happens());
            }
        });
        self.missed = self.missed.saturating_add(missed);
        for _ in 0..due {
            self.add_if(true, 'G', side);
        }
    }

    fn deliver(&mut self, passing: &Passing<'_, '_>) {
        let Passing { tcp, by, seq, before_syn, captured, .. } = *passing;
        // What the snap length cut cannot be handed on; what a RST carries is no part of the stream.
        let cut = captured < tcp.len;
        if tcp.len == 0 || cut || before_syn || tcp.flags.has(TcpFlags::RST) {
            return;
        }
        let from = seq + u64::from(tcp.flags.has(TcpFlags::SYN));
        let sender = self.end(by);
        let (acked, none_acked) = (sender.numbers.acked(), sender.numbers.none_acked());
        sender.sent.sent(from..from + u64::from(tcp.len), acked, none_acked);
    }
}

/// A wrong checksum keeps a segment out. Where IP's own is wrong too, somebody changed the addresses after the capture:
/// Zeek then says nothing at all, unless told to believe every sum, so whoever has its log has told it to.
fn is_refused(ip: &IpHeader, tcp: &TcpHeader<'_>) -> bool {
    let is_bad = |sum| matches!(sum, ChecksumState::Bad { .. });
    is_bad(tcp.checksum) && !is_bad(ip.checksum)
}
