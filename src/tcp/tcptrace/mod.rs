//! What tcptrace's long report (`-l -r -W`) would say about a connection, direction by direction.
//!
//! A machine apart, with tcptrace's own counters and mistakes; none of them enters our own judgement. Fed every segment
//! in capture order, it keeps 1,104 octets per connection and the segments that are not acknowledged yet: 32 octets
//! each, at most 1,024 per quarter of each direction's sequence space (`segments`). Where that is not enough, what
//! would rest on the parts that were joined is absent, never wrong.
//!
//! Learned by asking the program, beyond the documented rules:
//! - Times are whole microseconds, and no span is below zero.
//! - A segment that was sent before in part is recorded for what is new; of the segments that it touches, only the
//!   first is dated anew and counted as resent, and not even that if it was acknowledged.
//! - The last window of a side is 0 until a packet with ACK or SYN says otherwise, and again after one that has neither.
//!   RSTs leave it alone. Data sent against a window of 0 counts as a probe, so a lone data packet behind a RST is one.
//! - The mean window is that of the scaled packets only where both sides sent some.
//! - The sum of what was under way must not be zero for a duplicate to count. An unacknowledged sender has its payload
//!   under way, another one what lies from the octet before the latest acknowledgment on; SYN, RST, repeated and
//!   out-of-order packets do not add to it. A SYN, even a repeated one, takes the acknowledgments back to itself.
//! - The round trip of the handshake is the latest sample at *any* ACK of exactly the SYN, and zero where the latest exact
//!   ACK gave none.
//! - The stream ends at the latest FIN, or, once its sender has sent a RST, at whatever it sent last.
//! - Unique octets leave out the first SYN and the first FIN; later ones with other numbers count.
//! - URG counts on data only. A window scale of 255 is none; larger than 14 is believed.
//! - A file's frames end at its snap length, even where it holds more of them (so does libpcap, which tcptrace reads with).
//!
//! tcptrace would begin another connection at some SYNs and after 4 min of silence; here a connection is what Wireshark
//! calls a stream.

mod direction;
mod samples;
mod segments;
mod sheet;
mod windows;

#[cfg(test)]
mod tests;

pub use sheet::Report;
pub use sheet::Sheet;

use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::event::Side;
use crate::tcp::tcptrace::direction::Direction;
use crate::tcp::tcptrace::direction::Sent;

/// The part-machine: segments in capture order in, a report out.
#[derive(Clone, Debug)]
pub struct Tcptrace {
    directions: [Direction; 2],
    a: Side,
    times: Option<(Timestamp, Timestamp)>,
}

impl Tcptrace {
    /// A connection whose first segment is about to be observed, sent by `by`.
    pub fn new(by: Side) -> Self {
        Self { directions: [Direction::default(), Direction::default()], a: by, times: None }
    }

    /// Feeds one segment, in capture order; of its payload, `captured` octets are there.
    pub fn observe(&mut self, at: Timestamp, by: Side, tcp: &TcpHeader<'_>, captured: u32) {
        if !tcp.sound {
            return;
        }
        let at = Timestamp::from_nanos(at.nanos().div_euclid(NANOS_PER_MICRO) * NANOS_PER_MICRO);
        self.times = Some((self.times.map_or(at, |(first, _)| first), at));
        let [a, b] = &mut self.directions;
        let (this, other) = if by == self.a { (a, b) } else { (b, a) };
        let has = |flag| tcp.flags.has(flag);
        if has(TcpFlags::SYN) {
            other.last_ack = Some(tcp.seq);
        }
        let window = scaled_window(this, other, tcp);
        this.count(at, tcp, captured);
        let scales = agree_on_scale(this, other, tcp.flags);
        let sent = this.send(other, at, tcp);
        this.fly(other.last_ack, sent, tcp);
        if has(TcpFlags::ACK) {
            let may_repeat =
                tcp.len == 0 && this.windows.last == window && this.last_ack == Some(tcp.ack) && other.under_way != 0;
            other.is_acknowledged(at, tcp, may_repeat);
            if !has(TcpFlags::RST) {
                this.last_ack = Some(tcp.ack);
            }
        }
        this.windows.pass(tcp.flags, window, scales);
        if tcp.len > 0 && !this.data_acked && sent != Sent::Again && !has(TcpFlags::RST) {
            this.initial_bytes += u64::from(tcp.len);
            this.initial_packets += 1;
        }
    }

    /// The report as it stands. `until` is the time of the capture's last frame, where that is known.
    pub fn report(&self, until: Option<Timestamp>) -> Report<'_> {
        let [a, b] = &self.directions;
        let reset = a.resets + b.resets > 0;
        let whole = [a, b].iter().all(|side| side.syns > 0 && side.fins > 0);
        let complete = match (reset, whole) {
            (true, _) => "reset",
            (false, true) => "yes",
            (false, false) => "no",
        };
        let lasted = self.times.map_or(Span::ZERO, |(first, last)| last.since(first));
        let is_open = !reset && [a, b].iter().any(|side| side.fins == 0);
        let both_scale = [a, b].iter().all(|side| side.windows.is_scaled());
        let sheet = |of| Sheet { of, lasted, both_scale, open_until: is_open.then_some(until) };
        Report { a: self.a, complete, directions: [sheet(a), sheet(b)] }
    }
}

/// The window by what was agreed on before this packet; that of a SYN is never scaled (RFC 7323 §2.2).
fn scaled_window(this: &Direction, other: &Direction, tcp: &TcpHeader<'_>) -> u64 {
    let scaled = this.offers_scale && other.offers_scale && !tcp.flags.has(TcpFlags::SYN);
    let window = u64::from(tcp.window);
    // A shift of 64 and more goes round, as on the processor.
    if scaled { window.wrapping_shl(this.scale.into()) } else { window }
}

/// Without both offers, the shift of either is forgotten at the first packet that is no SYN. True where the window of
/// this packet is scaled.
fn agree_on_scale(this: &mut Direction, other: &mut Direction, flags: TcpFlags) -> bool {
    if flags.has(TcpFlags::SYN) {
        return false;
    }
    let agreed = this.offers_scale && other.offers_scale;
    if !agreed {
        this.scale = 0;
        other.scale = 0;
    }
    agreed
}

const NANOS_PER_MICRO: i64 = 1_000;
