//! What was judged of single segments, gathered per connection: how often, where first, what it cost.
//!
//! Only what a person should look at: the numbers of rules and causes stand in the catalogue. What
//! [`connection`](crate::detect::connection) already tells of is left to it.

use crate::detect::Say;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::EndedConnection;
use crate::packet::Span;
use crate::tcp::verdict::Count;
use crate::tcp::verdict::Number;

/// Says what single segments of a connection that is over have shown.
pub fn judge(ended: &EndedConnection<'_>, say: Say<'_>) {
    // A wrong acknowledgment of the opening has its own finding.
    let told = |code| code == Code::AckRange && ended.connection.notable().wrong_ack.is_some();
    for count in ended.connection.counts().iter().filter(|count| TOLD.contains(&count.code) && !told(count.code)) {
        say(finding(ended, count));
    }
}

fn finding(ended: &EndedConnection<'_>, count: &Count) -> Finding {
    let first = count.frames.first().copied().unwrap_or(ended.connection.first.frame);
    let (client, server) = (ended.client, ended.server);
    let times = if count.count == 1 { "once".to_owned() } else { format!("{} times", count.count) };
    let waited = count.waited.human();
    let text = match count.code {
        Code::TimeoutRetransmission => {
            format!(
                "between {client} and {server} a retransmission timer ran out {times}, first in frame {first}: {waited} of waiting"
            )
        }
        Code::WindowUnderSegment => {
            let window = number(count, "window");
            format!(
                "between {client} and {server} data waited {times} for a window smaller than a segment ({window} octets in frame {first}): {waited} in all"
            )
        }
        Code::OverlapDiffers => {
            format!(
                "between {client} and {server} the same numbers carried other octets {times}, first in frame {first}"
            )
        }
        Code::SelfConnect => format!("{client} is connected to itself, since frame {first}: one socket, both ends"),
        Code::Paws => format!("between {client} and {server} timestamps ran back {times}, first in frame {first}"),
        Code::SackSane => {
            format!(
                "between {client} and {server} SACK blocks lay outside what was sent {times}, first in frame {first}"
            )
        }
        Code::WindowScaleLimit => {
            let shift = number(count, "shift");
            format!(
                "a window scale of {shift} was offered in frame {first} between {client} and {server}: hosts use 14"
            )
        }
        _ => {
            let over_by = number(count, "over_by");
            format!(
                "between {client} and {server} an acknowledgment in frame {first} covers {over_by} octets too many, or is too old ({times})"
            )
        }
    };
    Finding {
        code: count.code,
        severity: count.code.severity(),
        at: ended.connection.last.at,
        streams: vec![ended.stream],
        frames: count.frames.to_vec(),
        text,
        evidence: evidence(count),
    }
}

fn evidence(count: &Count) -> Vec<(&'static str, Value)> {
    let mut evidence = vec![("count", count.count.into())];
    if count.waited > Span::ZERO {
        evidence.push(("waited", count.waited.into()));
    }
    evidence
}

/// A number of the first case; 0 where it has none of that name.
fn number(count: &Count, name: &str) -> u64 {
    match count.first.input(name) {
        Some(Number::Count(number)) => number,
        _ => 0,
    }
}

/// In the catalogue's order.
const TOLD: &[Code] = &[
    Code::SelfConnect,
    Code::AckRange,
    Code::Paws,
    Code::WindowScaleLimit,
    Code::SackSane,
    Code::WindowUnderSegment,
    Code::OverlapDiffers,
    Code::TimeoutRetransmission,
];
