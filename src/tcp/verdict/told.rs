//! What the events of a segment say, in the form of judgements: sums of the opening and the closing, and facts that
//! need no weighing. Together with what was judged this is one list of everything that is to be said of a segment.
//!
//! RFC 9293 §3.5 (opening), §3.6 (closing), §3.10.7.4 (resets).

use crate::finding::Code;
use crate::finding::Verdict;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Event;
use crate::tcp::event::Side;
use crate::tcp::handshake::AckFault;
use crate::tcp::teardown::CloseKind;
use crate::tcp::teardown::ResetKind;
use crate::tcp::verdict::Judgement;

/// One segment after its connection has observed it.
pub(in crate::tcp) struct After<'a> {
    pub(in crate::tcp) connection: &'a Connection,
    pub(in crate::tcp) side: Side,
    pub(in crate::tcp) tcp: &'a TcpHeader<'a>,
    /// Sums that hold are told as well.
    pub(in crate::tcp) thorough: bool,
}

impl After<'_> {
    /// What one event says; `None` for those that the judge has weighed, and those that say nothing out of the ordinary.
    pub(in crate::tcp) fn told(&self, event: &Event) -> Option<Judgement> {
        let tcp = self.tcp;
        Some(match *event {
            Event::MidStream => Judgement::broken(Code::MidStream),
            Event::SynAck { check, .. } => {
                self.wants(check.fault().is_some())?;
                self.opening(Code::SynAckAck, check)
            }
            Event::Established { outcome, .. } => {
                let check = self.connection.handshake.ack_check?;
                self.wants(check.fault().is_some())?;
                self.opening(Code::HandshakeAck, check).word("outcome", outcome.name())
            }
            // RFC 9293 §3.10.7.3: in SYN-SENT a reset must acknowledge the SYN.
            Event::WrongAck(fault) if tcp.flags.has(TcpFlags::RST) => {
                self.opening(Code::ResetValid, Verdict::Broken(fault))
            }
            Event::WrongAck(fault) => self.opening(Code::HandshakeAck, Verdict::Broken(fault)),
            Event::SynAckChanged { before } => {
                Judgement::broken(Code::SynAckChanged).seq("isn", tcp.seq).seq("isn_before", before)
            }
            Event::SimultaneousOpen => {
                let crossed = Judgement::broken(Code::SimultaneousOpen).seq("isn", tcp.seq);
                self.peer().isn.map_or(crossed.clone(), |isn| crossed.peer_seq("peer_isn", isn))
            }
            Event::Refused { after } => {
                let refused = Judgement::broken(Code::Refused).span("after", after).peer_seq("ack", tcp.ack);
                let refused = self.covering(refused, "isn", self.peer().isn);
                self.connection.handshake.syn.map_or(refused.clone(), |syn| refused.on(syn.frame))
            }
            Event::ZeroWindow => Judgement::broken(Code::ZeroWindow).peer_seq("ack", tcp.ack),
            Event::WindowOpened { window } => {
                Judgement::broken(Code::WindowOpened).peer_seq("ack", tcp.ack).count("window", window)
            }
            Event::Fin { idle: Some(idle), .. } => Judgement::broken(Code::IdleClose).span("idle", idle),
            Event::FinAcked => self.fin_ack()?,
            Event::Reset(ResetKind::RefusesSyn) => return None,
            Event::Reset(kind) => {
                let after_fin = self.connection.close_kind() == CloseKind::ResetAfterFin;
                let code = if after_fin { Code::ResetAfterFin } else { Code::Reset };
                Judgement::broken(code).seq("seq", tcp.seq).word("meaning", kind.name())
            }
            Event::ResetIgnored { seq } => {
                let ignored = Judgement::broken(Code::ResetIgnored).seq("seq", seq);
                self.own().snd_max.map_or(ignored.clone(), |max| ignored.seq("snd_max", max))
            }
            Event::Unexpected { state, control } => {
                Judgement::broken(Code::StateUnexpected).word("control", control.name()).word("state", state.name())
            }
            Event::StrayAck { ack } => Judgement::broken(Code::ChallengeAck).peer_seq("ack", ack),
            Event::SplitHandshake
            | Event::Syn { .. }
            | Event::Data { .. }
            | Event::Gap { .. }
            | Event::FillsGap { .. }
            | Event::Answer { .. }
            | Event::Acked { .. }
            | Event::AckedUnseen { .. }
            | Event::KeepAlive
            | Event::BeyondWindow { .. }
            | Event::Fin { .. }
            | Event::Closed { .. }
            | Event::Moved { .. } => return None,
        })
    }

    /// What is not broken interests only those who asked for everything.
    fn wants(&self, broken: bool) -> Option<()> {
        (broken || self.thorough).then_some(())
    }

    fn own(&self) -> &EndpointView {
        self.connection.side(self.side)
    }

    fn peer(&self) -> &EndpointView {
        self.connection.side(self.side.peer())
    }

    /// `ack = isn + covers`, and how it came out.
    fn opening(&self, code: Code, check: Verdict<AckFault>) -> Judgement {
        let (verdict, isn) = match check {
            Verdict::Holds => (Verdict::Holds, self.peer().isn),
            Verdict::Broken(AckFault::BelowSyn { isn, .. }) => (Verdict::Broken(()), Some(isn)),
            Verdict::Broken(AckFault::AboveSent { .. }) => (Verdict::Broken(()), self.peer().isn),
            Verdict::CannotTell(gap) => (Verdict::CannotTell(gap), None),
        };
        let judged = Judgement::new(code, verdict).peer_seq("ack", self.tcp.ack);
        let judged = self.covering(judged, "isn", isn);
        let judged = match check.fault() {
            Some(&AckFault::AboveSent { snd_nxt, over_by, .. }) => {
                judged.peer_seq("snd_nxt", snd_nxt).count("over_by", over_by)
            }
            Some(AckFault::BelowSyn { .. }) | None => judged,
        };
        let handshake = &self.connection.handshake;
        let answers_syn = matches!(code, Code::SynAckAck | Code::ResetValid);
        let answered = if answers_syn { handshake.syn } else { handshake.syn_ack };
        answered.map_or(judged.clone(), |mark| judged.on(mark.frame))
    }

    /// An acknowledgment of a FIN is the FIN's number plus one, and nothing more.
    fn fin_ack(&self) -> Option<Judgement> {
        let fin = self.peer().fin?;
        let holds = fin.plus(1) == self.tcp.ack;
        self.wants(!holds)?;
        let judged = Judgement::of(Code::FinAck, !holds).peer_seq("ack", self.tcp.ack);
        let judged = self.covering(judged, "fin", Some(fin));
        let mark = self.connection.teardown.fin[self.side.peer().index()];
        Some(mark.map_or(judged.clone(), |mark| judged.on(mark.frame)))
    }

    /// The number that is acknowledged, and how many from it on.
    fn covering(&self, judged: Judgement, name: &'static str, from: Option<SeqNumber>) -> Judgement {
        match from {
            Some(from) => judged.peer_seq(name, from).count("covers", from.offset_to(self.tcp.ack)),
            None => judged,
        }
    }
}
