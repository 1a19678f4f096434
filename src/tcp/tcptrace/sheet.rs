//! The lines of the long report by their names.

use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::event::Side;
use crate::tcp::ledger::Cell;
use crate::tcp::tcptrace::direction::Direction;

/// A connection's page.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Sender of the first packet, tcptrace's "a".
    pub a: Side,
    /// `yes`, `no` or `reset`.
    pub complete: &'static str,
    /// From a to b and back.
    pub directions: [Sheet<'a>; 2],
}

/// One direction's column.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    pub(super) of: &'a Direction,
    pub(super) lasted: Span,
    pub(super) both_scale: bool,
    /// Of a connection that was not closed: the capture's end, where that is known.
    pub(super) open_until: Option<Option<Timestamp>>,
}

type Line = (&'static str, Cell<'static>);

impl Sheet<'_> {
    /// Nothing went this way, and nothing tells of anything that did: all such columns read the same.
    pub const fn is_silent(&self) -> bool {
        let Direction { packets, ref rtt, ref segments, cumulative, .. } = *self.of;
        let heard_of = cumulative > 0 || rtt.count > 0 || segments.blurred.octets || segments.blurred.segments;
        packets == 0 && !heard_of
    }

    /// The lines in the order of the report. What is not known is absent.
    pub fn pairs(&self) -> impl Iterator<Item = Line> {
        self.counts()
            .into_iter()
            .chain(self.opening())
            .chain(self.sizes_and_windows())
            .chain(self.stream())
            .chain(self.round_trips().into_iter().flatten())
    }

    fn counts(&self) -> impl IntoIterator<Item = Line> {
        let of = self.of;
        let octets_known = !of.segments.blurred.octets;
        [
            ("total_packets", Some(of.packets)),
            ("ack_pkts_sent", Some(of.acks)),
            ("pure_acks_sent", Some(of.pure_acks)),
            ("sack_pkts_sent", Some(of.sack_packets)),
            ("dsack_pkts_sent", Some(of.dsack_packets)),
            ("max_sack_blks_ack", Some(of.most_sack_blocks)),
            ("unique_bytes_sent", octets_known.then_some(of.unique_bytes)),
            ("actual_data_pkts", Some(of.data_packets)),
            ("actual_data_bytes", Some(of.data_bytes)),
            ("rexmt_data_pkts", octets_known.then_some(of.repeated_packets)),
            ("rexmt_data_bytes", octets_known.then_some(of.repeated_bytes)),
            ("zwnd_probe_pkts", Some(of.probes)),
            ("zwnd_probe_bytes", Some(of.probe_bytes)),
            ("outoforder_pkts", octets_known.then_some(of.out_of_order)),
            ("pushed_data_pkts", Some(of.pushed)),
            ("syn_pkts", Some(of.syns)),
            ("fin_pkts", Some(of.fins)),
        ]
        .into_iter()
        .filter_map(|(name, count)| count.map(|count| (name, Cell::Number(count))))
    }

    fn opening(&self) -> [Line; 8] {
        let of = self.of;
        [
            ("req_1323_ws", Cell::Yes(of.offers_scale)),
            ("req_1323_ts", Cell::Yes(of.offers_timestamps)),
            ("adv_wind_scale", Cell::Number(of.scale.into())),
            ("req_sack", Cell::Yes(of.offers_sack)),
            ("sacks_sent", Cell::Number(of.sacks)),
            ("urgent_data_pkts", Cell::Number(of.urgent_packets)),
            ("urgent_data_bytes", Cell::Number(of.urgent_bytes)),
            ("mss_requested", Cell::Number(of.mss.into())),
        ]
    }

    fn sizes_and_windows(&self) -> impl IntoIterator<Item = Line> {
        let of = self.of;
        // tcptrace keeps clear of a division by zero by adding a thousandth, so 6 octets in 1 packet are 5 on average.
        let mean = (of.data_bytes as f64 / (of.data_packets as f64 + 0.001)) as u64;
        let octets_known = !of.segments.blurred.octets;
        [
            ("max_segm_size", Some(of.largest.into())),
            ("min_segm_size", Some(of.smallest.into())),
            ("avg_segm_size", Some(mean)),
            ("max_win_adv", Some(of.windows.most)),
            ("min_win_adv", Some(of.windows.least)),
            ("zero_win_adv", Some(of.windows.zeros)),
            ("avg_win_adv", Some(of.windows.mean(of.packets, self.both_scale))),
            ("initial_window_bytes", octets_known.then_some(of.initial_bytes)),
            ("initial_window_pkts", octets_known.then_some(of.initial_packets)),
        ]
        .into_iter()
        .filter_map(|(name, count)| count.map(|count| (name, Cell::Number(count))))
    }

    fn stream(&self) -> impl IntoIterator<Item = Line> {
        let of = self.of;
        let octets_known = !of.segments.blurred.octets;
        let length = (of.syns > 0 && of.fins > 0).then(|| u64::from(of.syn.offset_to(of.fin).wrapping_sub(1)));
        let missed = length.map(|length| Cell::Signed(length as i64 - of.unique_bytes as i64));
        let sending = of.data_times.map_or(Span::ZERO, |(first, last)| last.since(first).max(Span::ZERO));
        [
            ("ttl_stream_length", length.map(Cell::Number)),
            ("missed_data", missed.filter(|_| octets_known)),
            ("truncated_data", Some(Cell::Number(of.cut_bytes))),
            ("truncated_packets", Some(Cell::Number(of.cut_packets))),
            ("data_xmit_time", Some(Cell::Time(sending))),
            ("idletime_max", self.longest_silence().map(Cell::Time)),
            ("throughput", octets_known.then(|| Cell::Number(self.throughput()))),
        ]
        .into_iter()
        .filter_map(|(name, cell)| cell.map(|cell| (name, cell)))
    }

    fn round_trips(&self) -> Option<[Line; 11]> {
        let of = self.of;
        (!of.segments.blurred.segments).then(|| {
            [
                ("rtt_samples", Cell::Number(of.rtt.count)),
                ("rtt_min", Cell::Time(of.rtt.least)),
                ("rtt_max", Cell::Time(of.rtt.most)),
                ("rtt_avg", Cell::Time(of.rtt.mean())),
                ("rtt_stdev", Cell::Time(of.rtt.deviation())),
                ("rtt_from_3whs", Cell::Time(of.handshake_rtt)),
                ("post_loss_acks", Cell::Number(of.post_loss)),
                ("segs_cum_acked", Cell::Number(of.cumulative)),
                ("duplicate_acks", Cell::Number(of.duplicates)),
                ("triple_dupacks", Cell::Number(of.triples)),
                ("max_retrans", Cell::Number(of.segments.most_resent.into())),
            ]
        })
    }

    /// For a connection still open, the silence until the capture's end counts too.
    fn longest_silence(&self) -> Option<Span> {
        let last = self.of.last?;
        match self.open_until {
            None => Some(self.of.longest_silence),
            Some(until) => Some(self.of.longest_silence.max(until?.since(last))),
        }
    }

    /// Unique octets per second of the whole connection.
    fn throughput(&self) -> u64 {
        let secs = self.lasted.as_secs_f64();
        if secs > 0.0 { (self.of.unique_bytes as f64 / secs).round() as u64 } else { 0 }
    }
}
