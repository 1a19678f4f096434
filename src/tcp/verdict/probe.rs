//! Segments that carry nothing new on purpose: keep-alives, zero-window probes, late acknowledgments; and their answers.
//!
//! RFC 9293 §3.8.4 (keep-alive), §3.8.6.1 (probing a closed window), §3.8.6.2.1 (silly window avoidance by the sender).

use crate::finding::Code;
use crate::finding::Gap;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::tcb::Owed;
use crate::tcp::verdict::tcb::Tcb;

/// Waits at least this long before it sends less than a segment into an open window (RFC 9293 §3.8.6.2.1: 0.1–1 s).
const OVERRIDE_AT_LEAST: Span = Span::from_millis(100);

/// Judges probes; `true` where the segment is one and its octet is none of the stream's new ones.
pub(super) fn check(segment: &Segment<'_>, own: &mut Tcb, peer: &mut Tcb, said: &mut Said<'_>) -> bool {
    answers(segment, own, said);
    small_window(segment, peer, said);
    let Some(max) = segment.before.sender.snd_max else { return false };
    let tcp = segment.tcp;
    if tcp.len > 1 || tcp.flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST)) {
        return false;
    }
    let below = tcp.seq.plus(1) == max;
    let beyond = tcp.seq == max && tcp.len == 1;
    let judged = |judgement: Judgement| judgement.seq("seq", tcp.seq).seq("snd_nxt", max).count("len", tcp.len);
    if segment.before.receiver.window_closed && (below || beyond) {
        // Linux probes with an old number and no octet, BSD with the next octet: both ask for an acknowledgment.
        peer.owe(Owed::ZeroWindowProbe, segment.mark.frame);
        said.say(judged(Judgement::broken(Code::ZeroWindowProbe)));
        return below;
    }
    below && old_number(segment, own, peer, max, said)
}

/// The number right below the next one, or an octet there, into a window that is not closed as far as the capture tells.
fn old_number(segment: &Segment<'_>, own: &Tcb, peer: &mut Tcb, max: SeqNumber, said: &mut Said<'_>) -> bool {
    let (tcp, before) = (segment.tcp, &segment.before);
    let judged = |judgement: Judgement| judgement.seq("seq", tcp.seq).seq("snd_nxt", max).count("len", tcp.len);
    if before.receiver.packets == 0 {
        // The other side's window, its FIN's and its data's acknowledgments are all unknown.
        for code in [Code::ZeroWindowProbe, Code::KeepAlive, Code::LateAck] {
            said.open(code, Gap::OneSided, judged);
        }
        return true;
    }
    said.rule(Code::ZeroWindowProbe, false, |rule| judged(rule).why("the window is open"));
    if before.sender.fin == Some(tcp.seq) && tcp.len == 0 {
        said.say(Judgement::broken(Code::LateAck).seq("seq", tcp.seq).seq("fin", tcp.seq));
        return true;
    }
    if before.syns == 0 && own.previous.is_none() && tcp.len == 0 {
        // The first that is seen of this side: its FIN may lie before the capture.
        said.open(Code::KeepAlive, Gap::NoHandshake, judged);
        said.open(Code::LateAck, Gap::NoHandshake, judged);
        return true;
    }
    let idle = before.sender.all_acknowledged() && before.open;
    if tcp.len == 0 {
        said.rule(Code::LateAck, false, |rule| rule.seq("seq", tcp.seq).why("no FIN has that number"));
    }
    if idle {
        peer.owe(Owed::KeepAlive, segment.mark.frame);
        said.say(judged(Judgement::broken(Code::KeepAlive)));
    } else if tcp.len == 0 {
        let why = "octets are outstanding, or the connection is not open";
        said.rule(Code::KeepAlive, false, |rule| judged(rule).why(why));
    }
    idle
}

fn answers(segment: &Segment<'_>, own: &mut Tcb, said: &mut Said<'_>) {
    let Some((owed, frame)) = own.trouble().owes else { return };
    let code = match owed {
        Owed::KeepAlive => Code::KeepAliveAnswer,
        Owed::ZeroWindowProbe => Code::ZeroWindowProbeAnswer,
        Owed::Challenge => return,
    };
    own.trouble_mut().owes = None;
    if segment.is_pure_ack() {
        let answer = Judgement::broken(code).peer_seq("ack", segment.tcp.ack).count("window", segment.tcp.window);
        said.say(answer.on(frame));
    }
}

/// Data waited although the window was open: it was open by less than a segment, and less than half its best.
fn small_window(segment: &Segment<'_>, peer: &Tcb, said: &mut Said<'_>) {
    let tcp = segment.tcp;
    let receiver = segment.before.receiver;
    if tcp.len == 0 || receiver.window_closed || !segment.before.sender.all_acknowledged() {
        return;
    }
    let (Some(window), Some(mss)) = (receiver.rcv_wnd, segment.before.effective_mss()) else {
        said.open(Code::WindowUnderSegment, segment.before.why_unknown(), |judged| judged);
        return;
    };
    let Some(offered) = peer.offered else { return };
    // A window over half of its best is not the small one that is looked for.
    let half = window < peer.largest_window / 2;
    if !(half || said.thorough) {
        return;
    }
    let small = window < mss && half;
    let waited = segment.mark.at.since(offered.at);
    // It filled what it could once the timer overrode the wait: that is what tells pending data from idleness.
    let filled = tcp.len >= window;
    let held_back = small && filled && waited >= OVERRIDE_AT_LEAST;
    let stepped = segment.stepped_since(offered.frame);
    said.rule_unless(stepped, Code::WindowUnderSegment, held_back, |judged| {
        let judged = judged.count("window", window).count("mss", mss);
        judged.count("half_of_best", peer.largest_window / 2).span("waited", waited).on(offered.frame)
    });
}
