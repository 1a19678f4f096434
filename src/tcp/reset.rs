//! Which resets count, and what may have caused one: an observer's forensics.
//!
//! RFC 9293 §3.10.7.3 (in SYN-SENT it must acknowledge the SYN), RFC 5961 §3.2 (otherwise it must carry the exact next
//! number), RFC 9293 §3.5, figure 9 (an old SYN,ACK is answered by one), §3.10.7.1 (who answers what with which numbers).

use crate::packet::IpHeader;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::handshake::Outcome;
use crate::tcp::teardown::ResetKind;

/// A silence worth remembering: state on the path begins to be forgotten after less than a minute.
const LONG_SILENCE: Span = Span::from_secs(30);
/// A reset that comes later than this after the segment that ended a silence has other reasons.
const SOON: Span = Span::from_secs(3);
/// Routes change a hop now and then; more is another sender.
const HOPS: u8 = 2;

/// What a reset looked like, beside what its sender had sent before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ResetForm {
    /// Who is said to have sent it.
    pub by: Side,
    /// Its TTL, and that of its sender's packet before.
    pub ttl: (u8, Option<u8>),
    /// Timestamps are owed on everything but answers to strangers, and it acknowledges without one (RFC 7323 §3.2).
    pub timestamp_missing: bool,
    /// With ACK.
    pub acknowledges: bool,
    /// Its number is what the peer's latest segment acknowledges: the form of an answer (RFC 9293 §3.10.7.1).
    pub answers: bool,
    /// The peer's octets were the latest new ones.
    pub peer_spoke_last: bool,
    /// Its sender had sent FIN.
    pub after_fin: bool,
    /// The silence that ended right before it.
    pub silence: Option<Span>,
}

/// What a reset most likely came from. The wire does not show programs, so more than one reading may fit: the first that
/// the evidence speaks for is taken, and the text of a finding names the others.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ResetCause {
    /// Nobody listens.
    Refused,
    /// Sent by somebody else in its name: another distance or form, or its sender went on as if nothing had been.
    Injected,
    /// A host or middlebox had forgotten the connection during a long silence.
    IdlePath,
    /// Its sender had closed, and more octets came that nobody could read any more.
    WriteAfterClose,
    /// Its sender had closed and gave up waiting.
    AfterFin,
    /// It answers a segment for which there was no connection: the host or its state is gone.
    NoConnection,
    /// Closed with octets of the peer unread, or a hard end of the process.
    UnreadData,
    /// Closed hard on purpose (linger 0): nothing of the peer was waiting to be read, as far as the turns tell.
    Linger,
}

impl ResetCause {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Injected => "injected",
            Self::IdlePath => "idle-path",
            Self::WriteAfterClose => "write-after-close",
            Self::AfterFin => "after-fin",
            Self::NoConnection => "no-connection",
            Self::UnreadData => "unread-data",
            Self::Linger => "linger",
        }
    }
}

impl Connection {
    /// Would the receiver of this reset obey it, as far as the capture tells (RFC 5961 §3.2)?
    pub(super) fn obeys_reset(&self, side: Side, tcp: &TcpHeader<'_>) -> bool {
        if side == Side::Server && self.handshake.syn.is_some() && self.handshake.syn_ack.is_none() {
            return self.outcome() == Outcome::Refused;
        }
        let sender = self.side(side);
        let (Some(low), Some(high)) = (sender.snd_una.or(sender.isn), sender.snd_max) else { return true };
        // The exact next number is between what was acknowledged and what was sent; octets that the capture missed may
        // put it anywhere up to the edge of the window.
        let edge = self.side(side.peer()).right_edge.map_or(high, |edge| high.max(edge));
        low.at_or_before(tcp.seq) && tcp.seq.at_or_before(edge)
    }

    /// A SYN,ACK that acknowledged something else is answered so (RFC 9293 §3.5, figure 9), and so is a plain acknowledgment
    /// from an older connection (figure 10): due, and not for this opening.
    pub(super) fn answers_old_duplicate(&mut self, mark: Mark, tcp: &TcpHeader<'_>) -> bool {
        if self.handshake.is_settled() {
            return false;
        }
        if self.notable().stray_ack.is_some_and(|(_, ack)| ack == tcp.seq) {
            self.notable.get_or_insert_default().stray_reset.get_or_insert(mark);
            return true;
        }
        self.notable().wrong_ack.is_some_and(|(_, _, fault)| fault.ack() == tcp.seq)
    }

    /// Takes note of the form of a first reset; to be called before it is observed.
    pub(super) fn looks_at_reset(&mut self, mark: Mark, side: Side, ip: &IpHeader, tcp: &TcpHeader<'_>) {
        if !tcp.flags.has(TcpFlags::RST) || self.notable().reset_form.is_some() || self.teardown.is_over() {
            return;
        }
        let previous = |side| self.judged(side).and_then(|tcb| tcb.previous);
        let silence = self.notable().silence.filter(|(ended, _)| mark.at.since(ended.at) <= SOON);
        let form = ResetForm {
            by: side,
            ttl: (ip.ttl, previous(side).map(|previous| previous.ttl)),
            timestamp_missing: self.timestamps_agreed()
                && tcp.flags.has(TcpFlags::ACK)
                && tcp.said.timestamps.is_none()
                && self.outcome().is_open(),
            acknowledges: tcp.flags.has(TcpFlags::ACK),
            answers: previous(side.peer()).is_some_and(|previous| previous.ack == tcp.seq),
            peer_spoke_last: self.turns.last.is_some_and(|(speaker, _)| speaker == side.peer()),
            after_fin: self.teardown.fin[side.index()].is_some(),
            silence: silence.map(|(_, span)| span),
        };
        self.notable.get_or_insert_default().reset_form = Some(form);
    }

    /// What its reset most likely came from; nothing where it had none, or its form was not kept (it is where segments are judged).
    pub fn reset_cause(&self) -> Option<ResetCause> {
        let (side, _, kind) = self.teardown.reset?;
        if kind == ResetKind::RefusesSyn {
            return Some(ResetCause::Refused);
        }
        let notable = self.notable();
        let form = notable.reset_form.filter(|form| form.by == side)?;
        let other_distance = form.ttl.1.is_some_and(|before| before.abs_diff(form.ttl.0) > HOPS);
        let goes_on = notable.after_reset.first.is_some_and(|(_, by)| by == side);
        Some(match form {
            _ if goes_on || other_distance || form.timestamp_missing => ResetCause::Injected,
            ResetForm { silence: Some(_), .. } => ResetCause::IdlePath,
            ResetForm { after_fin: true, peer_spoke_last: true, .. } => ResetCause::WriteAfterClose,
            ResetForm { after_fin: true, .. } => ResetCause::AfterFin,
            ResetForm { acknowledges: false, .. } => ResetCause::NoConnection,
            ResetForm { peer_spoke_last: true, .. } => ResetCause::UnreadData,
            ResetForm { .. } => ResetCause::Linger,
        })
    }

    /// Remembers how long nothing had passed, where that is long.
    pub(super) fn keeps_silence(&mut self, mark: Mark) {
        let silence = mark.at.since(self.last.at);
        if silence >= LONG_SILENCE {
            self.notable.get_or_insert_default().silence = Some((mark, silence));
        }
    }

    /// A host that reset a connection sends nothing more on it but resets.
    pub(super) fn goes_on_after_reset(&mut self, mark: Mark, side: Side, tcp: &TcpHeader<'_>) {
        let reset_by = self.teardown.reset.map(|(by, _, _)| by);
        let opens = tcp.flags.any(TcpFlags::RST.with(TcpFlags::SYN));
        if reset_by == Some(side) && !opens && self.outcome().is_open() {
            self.notable.get_or_insert_default().after_reset.add(mark, side);
        }
    }
}
