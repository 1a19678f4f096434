//! Counters of one direction.

use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::tcptrace::samples::Samples;
use crate::tcp::tcptrace::segments::Segments;
use crate::tcp::tcptrace::windows::Windows;

/// What one side sent, and what its peer made of it. The names are those of the report where it has one.
#[derive(Clone, Debug, Default)]
pub(super) struct Direction {
    pub(super) packets: u64,
    pub(super) acks: u64,
    pub(super) pure_acks: u64,
    pub(super) sacks: u64,
    pub(super) sack_packets: u64,
    pub(super) dsack_packets: u64,
    pub(super) most_sack_blocks: u64,
    pub(super) unique_bytes: u64,
    pub(super) data_packets: u64,
    pub(super) data_bytes: u64,
    pub(super) repeated_packets: u64,
    pub(super) repeated_bytes: u64,
    pub(super) probes: u64,
    pub(super) probe_bytes: u64,
    pub(super) out_of_order: u64,
    pub(super) pushed: u64,
    pub(super) urgent_packets: u64,
    pub(super) urgent_bytes: u64,
    pub(super) syns: u64,
    pub(super) fins: u64,
    pub(super) resets: u64,
    /// Number of the latest SYN.
    pub(super) syn: SeqNumber,
    /// Where the stream ends.
    pub(super) fin: SeqNumber,
    pub(super) offers_scale: bool,
    pub(super) offers_timestamps: bool,
    pub(super) offers_sack: bool,
    pub(super) scale: u8,
    pub(super) mss: u16,
    pub(super) largest: u32,
    pub(super) smallest: u32,
    pub(super) windows: Windows,
    pub(super) initial_bytes: u64,
    pub(super) initial_packets: u64,
    /// More than the SYN was acknowledged: the initial window is over.
    pub(super) data_acked: bool,
    pub(super) cut_bytes: u64,
    pub(super) cut_packets: u64,
    pub(super) data_times: Option<(Timestamp, Timestamp)>,
    pub(super) last: Option<Timestamp>,
    pub(super) longest_silence: Span,
    /// The latest acknowledgment that this side sent.
    pub(super) last_ack: Option<SeqNumber>,
    pub(super) rtt: Samples,
    latest_rtt: Span,
    pub(super) handshake_rtt: Span,
    pub(super) post_loss: u64,
    pub(super) cumulative: u64,
    pub(super) duplicates: u64,
    pub(super) triples: u64,
    /// Octets under way, summed up over the packets; may go below zero.
    pub(super) under_way: i64,
    pub(super) segments: Segments,
}

/// How a segment stands to those before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sent {
    /// It takes no number, all of them are new, or it is a window probe and not looked at.
    New,
    /// It begins before one that came earlier.
    OutOfOrder,
    /// Part of it was sent before.
    Again,
}

impl Direction {
    /// Counts what the header alone tells.
    pub(super) fn count(&mut self, at: Timestamp, tcp: &TcpHeader<'_>, captured: u32) {
        let has = |flag| tcp.flags.has(flag);
        self.packets += 1;
        if let Some(last) = self.last.replace(at) {
            self.longest_silence = self.longest_silence.max(at.since(last));
        }
        let controls = tcp.flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST));
        self.acks += u64::from(has(TcpFlags::ACK));
        self.pure_acks += u64::from(has(TcpFlags::ACK) && tcp.len == 0 && !controls);
        self.syns += u64::from(has(TcpFlags::SYN));
        self.fins += u64::from(has(TcpFlags::FIN));
        self.resets += u64::from(has(TcpFlags::RST));
        if has(TcpFlags::SYN) {
            self.syn = tcp.seq;
        }
        if has(TcpFlags::FIN) || self.resets > 0 {
            self.fin = tcp.seq.plus(tcp.len);
        }
        self.take_options(tcp);
        self.count_sack(tcp);
        if tcp.len > 0 {
            self.count_data(at, tcp, captured);
        }
    }

    fn take_options(&mut self, tcp: &TcpHeader<'_>) {
        let said = &tcp.said;
        // 255 is how tcptrace writes "none".
        let scale = said.window_scale.filter(|&shift| shift != u8::MAX);
        self.offers_scale |= scale.is_some();
        self.offers_timestamps |= said.timestamps.is_some();
        self.offers_sack |= said.sack_permitted;
        self.scale = scale.unwrap_or(self.scale);
        self.mss = said.mss.unwrap_or(self.mss);
    }

    fn count_sack(&mut self, tcp: &TcpHeader<'_>) {
        let blocks = &tcp.said.sack;
        let Some(first) = blocks.first() else { return };
        self.sacks += 1;
        if !tcp.flags.has(TcpFlags::ACK) || tcp.flags.has(TcpFlags::RST) {
            return;
        }
        self.sack_packets += 1;
        self.most_sack_blocks = self.most_sack_blocks.max(blocks.len() as u64);
        // RFC 2883 §4: what was acknowledged already, or is part of the next block.
        // tcptrace compares plain numbers, wraps or not.
        let below = first.right.0 <= tcp.ack.0;
        let overlaps = blocks.get(1).is_some_and(|next| first.left.0 < next.right.0 && next.left.0 < first.right.0);
        self.dsack_packets += u64::from(below || overlaps);
    }

    fn count_data(&mut self, at: Timestamp, tcp: &TcpHeader<'_>, captured: u32) {
        self.data_packets += 1;
        self.data_bytes += u64::from(tcp.len);
        if tcp.flags.has(TcpFlags::URG) {
            self.urgent_packets += 1;
            self.urgent_bytes += u64::from(tcp.urgent);
        }
        self.pushed += u64::from(tcp.flags.has(TcpFlags::PSH));
        self.largest = self.largest.max(tcp.len);
        self.smallest = if self.smallest == 0 { tcp.len } else { self.smallest.min(tcp.len) };
        self.data_times = Some((self.data_times.map_or(at, |(first, _)| first), at));
        let cut = tcp.len.saturating_sub(captured);
        self.cut_bytes += u64::from(cut);
        self.cut_packets += u64::from(cut > 0);
    }

    /// Takes note of the numbers that a segment occupies.
    pub(super) fn send(&mut self, peer: &Self, at: Timestamp, tcp: &TcpHeader<'_>) -> Sent {
        // More than a quarter of the circle is a length that lies.
        let len = tcp.seq_len().min(1 << 30);
        if len == 0 {
            return Sent::New;
        }
        if peer.packets > 0 && peer.windows.last == 0 && !tcp.flags.has(TcpFlags::SYN) {
            self.probes += 1;
            self.probe_bytes += u64::from(tcp.len);
            return Sent::New;
        }
        let placed = self.segments.send(tcp.seq.0, len, at);
        self.out_of_order += u64::from(placed.out_of_order);
        let mut new = len - placed.repeated;
        for (flag, count) in [(TcpFlags::SYN, self.syns), (TcpFlags::FIN, self.fins)] {
            new = new.saturating_sub(u32::from(tcp.flags.has(flag) && count == 1));
        }
        self.unique_bytes += u64::from(new);
        if placed.repeated > 0 {
            self.repeated_packets += 1;
            self.repeated_bytes += u64::from(placed.repeated);
            return Sent::Again;
        }
        if placed.out_of_order { Sent::OutOfOrder } else { Sent::New }
    }

    /// Adds up what is under way. `acked` is what the peer acknowledged last.
    pub(super) fn fly(&mut self, acked: Option<SeqNumber>, sent: Sent, tcp: &TcpHeader<'_>) {
        if sent == Sent::New && !tcp.flags.any(TcpFlags::SYN.with(TcpFlags::RST)) {
            // An acknowledgment of 0 is how tcptrace writes "none".
            self.under_way += match acked.filter(|ack| ack.0 != 0) {
                Some(ack) => ack.minus(1).distance_to(tcp.seq.plus(tcp.len)).into(),
                None => i64::from(tcp.len),
            };
        }
    }

    /// The peer acknowledges; `may_repeat` as in [`Segments::acknowledge`].
    pub(super) fn is_acknowledged(&mut self, at: Timestamp, tcp: &TcpHeader<'_>, may_repeat: bool) {
        let only_syn = tcp.ack == self.syn.plus(1);
        self.data_acked |= !only_syn && !tcp.flags.has(TcpFlags::RST);
        let acked = self.segments.acknowledge(tcp.ack.0, at, may_repeat);
        self.post_loss += u64::from(acked.post_loss);
        self.cumulative += u64::from(acked.cumulative);
        self.duplicates += u64::from(acked.duplicate);
        self.triples += u64::from(acked.triple);
        if let Some(sample) = acked.sample {
            let sample = sample.max(Span::ZERO);
            self.rtt.add(sample);
            self.latest_rtt = sample;
        } else if acked.unclear {
            self.latest_rtt = Span::ZERO;
        }
        if only_syn && self.syns == 1 {
            self.handshake_rtt = self.latest_rtt;
        }
    }
}
