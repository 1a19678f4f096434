//! Judges one TCP connection at its end: what its opening, its data and its closing have to say.
//!
//! Each rule is a function from the ended connection to at most one finding, whose text can be redone by hand.

use crate::detect::Say;
use crate::detect::reset;
use crate::detect::weaken;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::finding::Value;
use crate::flow::EndedConnection;
use crate::flow::Leaves;
use crate::tcp::Outcome;
use crate::tcp::Side;
use crate::tcp::handshake::AckFault;
use crate::tcp::notable::Tally;

/// Says everything that is to be said about a connection that is over.
pub fn judge(ended: &EndedConnection<'_>, say: Say<'_>) {
    for rule in RULES {
        if let Some(finding) = rule(ended) {
            say(weaken::weakened(ended, finding));
        }
    }
}

type Rule = fn(&EndedConnection<'_>) -> Option<Finding>;

const RULES: &[Rule] = &[
    opening,
    retried,
    wrong_ack,
    syn_ack_changed,
    simultaneous,
    mid_stream,
    reset::judge,
    half_closed,
    idle_close,
    request_unanswered,
    data_unacknowledged,
    retransmission,
    capture_gap,
    lost_segment,
    beyond_window,
    zero_window,
    bad_checksum,
    state_unexpected,
    reset_ignored,
];

pub(super) fn finding(ended: &EndedConnection<'_>, code: Code, frames: Vec<u64>, text: String) -> Finding {
    Finding {
        code,
        severity: code.severity(),
        at: ended.connection.last.at,
        streams: vec![ended.stream],
        frames,
        text,
        evidence: Vec::new(),
    }
}

pub(super) fn with(mut finding: Finding, key: &'static str, value: impl Into<Value>) -> Finding {
    finding.evidence.push((key, value.into()));
    finding
}

fn opening(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    let handshake = &connection.handshake;
    let syn = handshake.syn?;
    let (client, server) = (ended.client, ended.server);
    let tries = u64::from(handshake.syn_retries) + 1;
    match connection.outcome() {
        Outcome::Refused => {
            let (_, reset, _) = connection.teardown.reset?;
            let text = format!(
                "{server} refused {client}: RST,ACK in frame {} answers the SYN of frame {} after {}",
                reset.frame,
                syn.frame,
                reset.at.since(syn.at).human()
            );
            let refused = finding(ended, Code::Refused, vec![syn.frame, reset.frame], text);
            Some(with(refused, "after", reset.at.since(syn.at)))
        }
        Outcome::Unreachable => {
            let text =
                format!("{server} is unreachable for {client}: an ICMP error quotes the SYN of frame {}", syn.frame);
            Some(finding(ended, Code::Unreachable, vec![syn.frame, connection.last.frame], text))
        }
        // Half of an answer came; the other half began a stream of its own.
        Outcome::NoAnswer if handshake.is_acknowledged_alone() && ended.why == Leaves::Reused => None,
        Outcome::NoAnswer => {
            let waited = connection.last.at.since(syn.at).human();
            let text = match ended.why {
                Leaves::CaptureEnd => {
                    format!(
                        "{server} did not answer {client} before the capture ended: {tries} SYN, the first in frame {}",
                        syn.frame
                    )
                }
                _ => format!(
                    "{server} never answered {client}: {tries} SYN over {waited}, the first in frame {}",
                    syn.frame
                ),
            };
            Some(with(finding(ended, Code::NoAnswer, vec![syn.frame], text), "syns", tries))
        }
        Outcome::HalfOpen => {
            let syn_ack = handshake.syn_ack?;
            let text = format!(
                "{client} never acknowledged the SYN,ACK of {server} (frame {}, sent {} times)",
                syn_ack.frame,
                u32::from(handshake.syn_ack_retries) + 1
            );
            Some(finding(ended, Code::HalfOpen, vec![syn.frame, syn_ack.frame], text))
        }
        Outcome::Established
        | Outcome::EstablishedAckLost
        | Outcome::Simultaneous
        | Outcome::FastOpen
        | Outcome::NotSeen
        | Outcome::Partial => None,
    }
}

fn retried(ended: &EndedConnection<'_>) -> Option<Finding> {
    let handshake = &ended.connection.handshake;
    let (syns, syn_acks) = (handshake.syn_retries, handshake.syn_ack_retries);
    if syns == 0 && syn_acks == 0 || !ended.connection.outcome().is_open() {
        return None;
    }
    let frames = [handshake.syn, handshake.syn_ack].into_iter().flatten().map(|mark| mark.frame).collect();
    let text =
        format!("{} to {} opened only after {syns} more SYN and {syn_acks} more SYN,ACK", ended.client, ended.server);
    let retried = with(finding(ended, Code::SynRetried, frames, text), "syn_retries", u32::from(syns));
    Some(with(retried, "syn_ack_retries", u32::from(syn_acks)))
}

fn wrong_ack(ended: &EndedConnection<'_>) -> Option<Finding> {
    let (mark, side, fault) = ended.connection.notable().wrong_ack?;
    let (sender, peer) = (ended.endpoint(side), ended.endpoint(side.peer()));
    let (text, ack, bound) = match fault {
        AckFault::AboveSent { ack, snd_nxt, over_by } => (
            format!(
                "packet {}: ack {ack} of {sender} covers {over_by} octets that {peer} never sent (snd_nxt {snd_nxt})",
                mark.frame
            ),
            ack,
            snd_nxt,
        ),
        AckFault::BelowSyn { ack, isn } => (
            format!(
                "packet {}: ack {ack} of {sender} does not cover the SYN of {peer} (ISN {isn}, so {} is due)",
                mark.frame,
                isn.plus(1)
            ),
            ack,
            isn,
        ),
    };
    let wrong = finding(ended, Code::HandshakeWrongAck, vec![mark.frame], text);
    Some(with(with(wrong, "ack", ack), "bound", bound))
}

fn syn_ack_changed(ended: &EndedConnection<'_>) -> Option<Finding> {
    let (mark, before) = ended.connection.notable().syn_ack_changed?;
    let text = format!("frame {}: another SYN,ACK of {} with a new ISN, {before} before", mark.frame, ended.server);
    Some(finding(ended, Code::SynAckChanged, vec![mark.frame], text))
}

fn simultaneous(ended: &EndedConnection<'_>) -> Option<Finding> {
    if !ended.connection.notable().simultaneous {
        return None;
    }
    let frames = ended.connection.handshake.syn.iter().map(|mark| mark.frame).collect();
    let text = format!("SYNs of {} and {} crossed", ended.client, ended.server);
    Some(finding(ended, Code::SimultaneousOpen, frames, text))
}

fn mid_stream(ended: &EndedConnection<'_>) -> Option<Finding> {
    if ended.connection.oriented {
        return None;
    }
    let text = format!(
        "{} and {} were already connected at frame {}; who opened is not known",
        ended.client, ended.server, ended.connection.first.frame
    );
    Some(finding(ended, Code::MidStream, vec![ended.connection.first.frame], text))
}

fn reset_ignored(ended: &EndedConnection<'_>) -> Option<Finding> {
    let tally = ended.connection.notable().resets_ignored;
    tallied(ended, Code::ResetIgnored, tally, |frame, side| {
        format!(
            "{} resets of {} carry numbers that {} must not obey, first in frame {frame}",
            tally.count,
            ended.endpoint(side),
            ended.endpoint(side.peer())
        )
    })
}

fn half_closed(ended: &EndedConnection<'_>) -> Option<Finding> {
    let teardown = &ended.connection.teardown;
    // A side that was never captured may have closed long ago.
    if [Side::Client, Side::Server].iter().any(|&side| ended.connection.side(side).packets == 0) {
        return None;
    }
    let side = match (teardown.fin[0], teardown.fin[1], teardown.reset) {
        (Some(_), None, None) => Side::Client,
        (None, Some(_), None) => Side::Server,
        _ => return None,
    };
    let fin = teardown.fin[side.index()]?;
    let text = format!(
        "{} closed in frame {}, {} had not when the capture ended",
        ended.endpoint(side),
        fin.frame,
        ended.endpoint(side.peer())
    );
    Some(finding(ended, Code::HalfClosed, vec![fin.frame], text))
}

fn idle_close(ended: &EndedConnection<'_>) -> Option<Finding> {
    let (mark, side, idle) = ended.connection.notable().idle_close?;
    let text = format!(
        "{} ({}) closed in frame {} after {} of silence",
        ended.endpoint(side),
        side.name(),
        mark.frame,
        idle.human()
    );
    Some(with(with(finding(ended, Code::IdleClose, vec![mark.frame], text), "idle", idle), "by", side.name()))
}

/// Only where the connection was seen to end, and the two sides had been talking in turns before.
fn request_unanswered(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    let asked = connection.turns.unanswered()?;
    // Who asks and who answers is only known where the opening was seen.
    if !connection.oriented || !connection.teardown.is_over() || connection.turns.answers == 0 {
        return None;
    }
    let text = format!(
        "{} got no octet back for its data of frame {}, after {} answers before",
        ended.client, asked.frame, connection.turns.answers
    );
    Some(finding(ended, Code::RequestUnanswered, vec![asked.frame], text))
}

fn data_unacknowledged(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    let (side, octets) = [Side::Client, Side::Server]
        .map(|side| (side, connection.side(side).in_flight()))
        .into_iter()
        .max_by_key(|(_, octets)| *octets)?;
    let one_sided = connection.side(side.peer()).packets == 0;
    if octets == 0 || one_sided || connection.side(side).unique_bytes == 0 || ended.why == Leaves::CaptureEnd {
        return None;
    }
    let text = format!(
        "{octets} octets of {} were never acknowledged by {}",
        ended.endpoint(side),
        ended.endpoint(side.peer())
    );
    Some(with(finding(ended, Code::DataUnacknowledged, vec![connection.last.frame], text), "octets", octets))
}

fn tallied(
    ended: &EndedConnection<'_>,
    code: Code,
    tally: Tally,
    text: impl FnOnce(u64, Side) -> String,
) -> Option<Finding> {
    let (frame, side) = tally.first?;
    Some(with(finding(ended, code, vec![frame], text(frame, side)), "count", tally.count))
}

fn retransmission(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    let octets = connection.side(Side::Client).repeated_bytes + connection.side(Side::Server).repeated_bytes;
    let tally = connection.notable().repeated;
    if weaken::only_copies(connection) {
        return None;
    }
    tallied(ended, Code::Retransmission, tally, |frame, side| {
        format!(
            "{octets} octets in {} segments were sent again, first by {} in frame {frame}",
            tally.count,
            ended.endpoint(side)
        )
    })
}

fn capture_gap(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    // A side that was never captured leaves gaps by nature: one-sidedness is the capture's, and said once there.
    if [Side::Client, Side::Server].iter().any(|&side| connection.side(side).packets == 0) {
        return None;
    }
    let octets = connection.side(Side::Client).unseen_bytes + connection.side(Side::Server).unseen_bytes;
    tallied(ended, Code::CaptureGap, connection.notable().unseen, |frame, side| {
        format!(
            "{} acknowledged in frame {frame} what the capture does not hold: {octets} octets in all",
            ended.endpoint(side)
        )
    })
}

fn lost_segment(ended: &EndedConnection<'_>) -> Option<Finding> {
    let notable = &ended.connection.notable();
    tallied(ended, Code::LostSegment, notable.gaps, |frame, side| {
        format!(
            "the numbers of {} jump ahead {} times, first in frame {frame}; {} times late octets filled the hole",
            ended.endpoint(side),
            notable.gaps.count,
            notable.fills.count
        )
    })
}

fn beyond_window(ended: &EndedConnection<'_>) -> Option<Finding> {
    let notable = &ended.connection.notable();
    tallied(ended, Code::BeyondWindow, notable.beyond_window, |frame, side| {
        format!(
            "{} sent up to {} octets beyond the window of {}, first in frame {frame}",
            ended.endpoint(side),
            notable.beyond_by,
            ended.endpoint(side.peer())
        )
    })
}

fn zero_window(ended: &EndedConnection<'_>) -> Option<Finding> {
    let tally = ended.connection.notable().zero_window;
    tallied(ended, Code::ZeroWindow, tally, |frame, side| {
        format!("{} had no room {} times, first in frame {frame}", ended.endpoint(side), tally.count)
    })
}

fn bad_checksum(ended: &EndedConnection<'_>) -> Option<Finding> {
    let bad = [Side::Client, Side::Server].map(|side| ended.connection.side(side).bad_checksums);
    let total = bad[0] + bad[1];
    if total == 0 {
        return None;
    }
    let text = format!("{total} segments between {} and {} have a wrong checksum", ended.client, ended.server);
    Some(with(finding(ended, Code::BadChecksum, vec![ended.connection.first.frame], text), "count", total))
}

fn state_unexpected(ended: &EndedConnection<'_>) -> Option<Finding> {
    let tally = ended.connection.notable().unexpected;
    let mut unexpected = tallied(ended, Code::StateUnexpected, tally, |frame, side| {
        format!("{} sent in frame {frame} what has no place in its state", ended.endpoint(side))
    })?;
    if ended.connection.teardown.is_over() {
        // A SYN after the close is most often the tuple's next use, seen late.
        unexpected.severity = Severity::Note;
    }
    Some(unexpected)
}
