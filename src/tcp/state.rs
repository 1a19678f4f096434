//! The state of one endpoint, as somebody beside the wire sees it (RFC 9293 §3.3.2, figure 5).
//!
//! An endpoint moves by what it *sends*. What was sent to it counts once the capture shows the acknowledgment:
//! of its SYN, of its FIN by the peer, of the peer's FIN by itself.

use crate::packet::Control;

use Cause::AcksPeerFin;
use Cause::FinIsAcked;
use Cause::Sends;
use Cause::SynIsAcked;
use State::CloseWait;
use State::Closed;
use State::Closing;
use State::Established;
use State::FinWait1;
use State::FinWait2;
use State::LastAck;
use State::NotSeen;
use State::SynReceived;
use State::SynSent;
use State::TimeWait;
use Step::Stay;
use Step::To;
use Step::Unexpected;

/// RFC 9293's states, and *not seen* for an endpoint that the capture has not shown. LISTEN sends nothing, so no
/// capture can show it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum State {
    /// Nothing that tells a state was captured from it.
    #[default]
    NotSeen,
    /// Sent SYN.
    SynSent,
    /// Sent SYN in answer to a SYN.
    SynReceived,
    /// Open.
    Established,
    /// Sent FIN, not acknowledged yet.
    FinWait1,
    /// Its FIN is acknowledged, the peer's has not come.
    FinWait2,
    /// Acknowledged the peer's FIN, may still send.
    CloseWait,
    /// FINs crossed; its own is not acknowledged yet.
    Closing,
    /// Sent its FIN after the peer's.
    LastAck,
    /// Waits 2·MSL so that old segments die out.
    TimeWait,
    /// Gone: acknowledged, or reset.
    Closed,
}

impl State {
    /// RFC spelling.
    pub const fn name(self) -> &'static str {
        match self {
            NotSeen => "not seen",
            SynSent => "SYN-SENT",
            SynReceived => "SYN-RECEIVED",
            Established => "ESTABLISHED",
            FinWait1 => "FIN-WAIT-1",
            FinWait2 => "FIN-WAIT-2",
            CloseWait => "CLOSE-WAIT",
            Closing => "CLOSING",
            LastAck => "LAST-ACK",
            TimeWait => "TIME-WAIT",
            Closed => "CLOSED",
        }
    }
}

/// Why an endpoint may move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// It sent a segment with this control.
    Sends(Control),
    /// The peer acknowledged its SYN.
    SynIsAcked,
    /// The peer acknowledged its FIN.
    FinIsAcked,
    /// It acknowledged the peer's FIN.
    AcksPeerFin,
}

/// What becomes of the state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A new state.
    To(State),
    /// Nothing to do with the state.
    Stay,
    /// Hosts in this state do not do that.
    Unexpected,
}

impl State {
    /// Where an endpoint stands after `cause`.
    ///
    /// Every pair is named. Without a `_` arm, a state added later does not compile until it was thought through.
    pub const fn after(self, cause: Cause) -> Step {
        match cause {
            Sends(control) => self.after_sending(control),
            SynIsAcked => self.after_its_syn_is_acked(),
            FinIsAcked => self.after_its_fin_is_acked(),
            AcksPeerFin => self.after_acking_the_peers_fin(),
        }
    }

    const fn after_sending(self, control: Control) -> Step {
        use Control::Fin;
        use Control::None;
        use Control::Rst;
        use Control::Syn;
        use Control::SynAck;
        match (self, control) {
            // Active open (RFC 9293 §3.5, figure 6, line 2).
            (NotSeen, Syn) => To(SynSent),
            // Its peer's SYN may lie before the capture began: believe the answer.
            (NotSeen, SynAck) => To(SynReceived),
            // The capture began in mid-stream.
            (NotSeen, None) => To(Established),
            (NotSeen, Fin) => To(FinWait1),
            // The same offer, made again.
            (SynSent, Syn) | (SynReceived, SynAck) => Stay,
            // Simultaneous open (figure 7): rare, legal, no anomaly.
            (SynSent, SynAck) => To(SynReceived),
            // The peer's SYN,ACK arrived, since an endpoint in SYN-SENT has nothing to acknowledge before.
            (SynSent, None) => To(Established),
            // Established and at once half-closed (§3.6).
            (SynSent | SynReceived | Established, Fin) => To(FinWait1),
            // It sends without SYN, so the third segment reached it.
            (SynReceived, None) => To(Established),
            // A SYN,ACK that crossed the third segment, or a repeated one: the same answer again.
            (Established, SynAck) => Stay,
            // Split handshake: the answer came as ACK first, its SYN apart.
            (SynReceived, Syn) => Stay,
            (Established | CloseWait | FinWait1 | FinWait2 | TimeWait | Closing | LastAck | Closed, None) => Stay,
            // Passive close, second half (§3.6, figure 12, line 4).
            (CloseWait, Fin) => To(LastAck),
            // The same FIN again.
            (FinWait1 | FinWait2 | Closing | LastAck | TimeWait | Closed, Fin) => Stay,
            // A reset ends it from every state (§3.10.7).
            (
                NotSeen | SynSent | SynReceived | Established | FinWait1 | FinWait2 | CloseWait | Closing | LastAck
                | TimeWait | Closed,
                Rst,
            ) => To(Closed),
            // An open endpoint does not open.
            (Established | FinWait1 | FinWait2 | CloseWait | Closing | LastAck | TimeWait | Closed, Syn) => Unexpected,
            (FinWait1 | FinWait2 | CloseWait | Closing | LastAck | TimeWait | Closed, SynAck) => Unexpected,
        }
    }

    const fn after_its_syn_is_acked(self) -> Step {
        match self {
            // Whether the third segment arrived shows in what the endpoint sends next.
            SynReceived => Stay,
            // Acknowledged without a SYN of the peer: half of a split handshake.
            SynSent => Stay,
            NotSeen | Established | FinWait1 | FinWait2 | CloseWait | Closing | LastAck | TimeWait | Closed => Stay,
        }
    }

    const fn after_its_fin_is_acked(self) -> Step {
        match self {
            FinWait1 => To(FinWait2),
            // Both FINs crossed and both are acknowledged now (§3.6, figure 13).
            Closing => To(TimeWait),
            LastAck => To(Closed),
            NotSeen | SynSent | SynReceived | Established | FinWait2 | CloseWait | TimeWait | Closed => Stay,
        }
    }

    const fn after_acking_the_peers_fin(self) -> Step {
        match self {
            // Its SYN was answered and the answer's sender has closed at once.
            SynSent | SynReceived | Established | NotSeen => To(CloseWait),
            FinWait1 => To(Closing),
            FinWait2 => To(TimeWait),
            CloseWait | Closing | LastAck | TimeWait | Closed => Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(start: State, causes: &[Cause]) -> State {
        causes.iter().fold(start, |state, &cause| match state.after(cause) {
            To(next) => next,
            Stay => state,
            Unexpected => panic!("{} does not {cause:?}", state.name()),
        })
    }

    #[test]
    fn the_side_that_closes_first_ends_in_time_wait() {
        use Control::*;
        let end = walk(NotSeen, &[Sends(Syn), Sends(None), Sends(Fin), FinIsAcked, Sends(None), AcksPeerFin]);
        assert_eq!(end, TimeWait);
    }

    #[test]
    fn the_side_that_closes_second_ends_closed() {
        use Control::*;
        let end = walk(NotSeen, &[Sends(SynAck), Sends(None), AcksPeerFin, Sends(Fin), FinIsAcked]);
        assert_eq!(end, Closed);
    }

    #[test]
    fn crossing_fins_leave_both_in_time_wait() {
        let end = walk(Established, &[Sends(Control::Fin), Sends(Control::None), AcksPeerFin, FinIsAcked]);
        assert_eq!(end, TimeWait);
    }

    #[test]
    fn a_syn_from_an_open_endpoint_is_unexpected() {
        assert_eq!(Established.after(Sends(Control::Syn)), Unexpected);
        assert_eq!(SynSent.after(Sends(Control::Syn)), Stay);
    }
}
