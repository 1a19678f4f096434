//! One endpoint: where it stands, what its numbers are, what was told of it.

use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::seq::seq_len;
use crate::tcp::zeek::delivery::Delivery;
use crate::tcp::zeek::history::Once;
use crate::tcp::zeek::history::Rare;
use crate::tcp::zeek::numbers::Numbers;
use crate::tcp::zeek::numbers::Relative;
use crate::tcp::zeek::state::Standing;
use crate::tcp::zeek::state::State;

/// One endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    pub(super) standing: Standing,
    pub(super) numbers: Numbers,
    /// It sent something already.
    pub(super) seen: bool,
    pub(super) packets: u64,
    pub(super) once: Once,
    /// Numbers of the latest SYN, FIN and RST.
    pub(super) last_syn: Relative,
    pub(super) last_fin: Relative,
    pub(super) last_rst: Relative,
    pub(super) bad_checksums: Rare,
    pub(super) repeats: Rare,
    pub(super) zero_windows: Rare,
    pub(super) gaps: Rare,
    /// First number behind the FIN.
    pub(super) fin_edge: Option<Relative>,
    pub(super) sent: Delivery,
    /// All it sent was delivered, to the FIN or RST.
    pub(super) at_end: bool,
    /// Its end was taken note of.
    pub(super) closed: bool,
}

impl End {
    /// Begins the numbers of this side, if the segment is one to begin with.
    pub(super) fn begin_numbers(&mut self, tcp: &TcpHeader<'_>) {
        let has_syn = tcp.flags.has(TcpFlags::SYN);
        let end = tcp.seq.plus(segment_len(tcp));
        match self.standing.now {
            State::Inactive if !has_syn => self.numbers.begin_in_the_middle(tcp.seq),
            State::Inactive => self.numbers.begin_with_syn(tcp.seq, end),
            State::SynSent | State::SynAckSent if has_syn && tcp.seq != self.numbers.start() => {
                self.numbers.begin_with_syn(tcp.seq, end);
            }
            // Perhaps the connection was none, and this SYN opens it.
            State::Established | State::Partial if has_syn => self.numbers.begin_with_syn(tcp.seq, end),
            // Its numbers rest on a RST, which may have been forged.
            State::Reset if has_syn && self.standing.before == State::Inactive => {
                self.numbers.begin_with_syn(tcp.seq, end);
            }
            State::SynSent | State::SynAckSent | State::Partial | State::Established | State::Closed | State::Reset => {
            }
        }
    }

    /// Octets that it sent, going by numbers.
    pub(super) fn size(&self, peer: &Self) -> u64 {
        let Standing { now, before } = self.standing;
        // It broke off an attempt that nobody had answered: it never had the chance to send anything.
        let half_open = before == State::SynSent && now == State::Reset && peer.standing.now == State::Inactive;
        if half_open && !self.numbers.none_acked() {
            return 0;
        }
        self.numbers.size(self.fin_edge.is_some())
    }
}

/// Octets of sequence space; the payload of a RST is not part of it.
pub(super) fn segment_len(tcp: &TcpHeader<'_>) -> u32 {
    let payload = if tcp.flags.has(TcpFlags::RST) { 0 } else { tcp.len };
    seq_len(payload, tcp.flags)
}
