//! The messages that were found in a stream of octets: beside each segment, as a table, as objects.
//!
//! A half stands for a part: `2½` is two whole messages and the beginning of a third, `½+1` the end of one and a whole
//! one behind it (RFC 9293 §2.2: TCP keeps no boundaries).

mod objects;
mod table;

use crate::flow::EndedConnection;
use crate::pipeline::TcpSeen;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::arrow;
use crate::report::words::several;
use crate::report::words::side_name;
use crate::tcp::Side;
use crate::tcp::framing::Direction;
use crate::tcp::framing::Message;
use crate::tcp::framing::Share;
use crate::tcp::framing::Told;
use crate::tcp::framing::Unknown;

pub(super) use crate::report::messages::objects::BothWays;
pub use crate::report::messages::objects::objects;
pub use crate::report::messages::objects::unfinished;
pub use crate::report::messages::table::MessageTable;

/// What a segment made known of messages, in words behind its other facts.
pub(super) fn say(seen: &TcpSeen<'_>, frame: u64, facts: &mut Facts) {
    for (side, told) in seen.told {
        let of = |text: String| match *side == seen.side {
            true => text,
            false => format!("{}: {text}", side_name(seen.connection, *side)),
        };
        match told {
            Told::Share(share) if share.by.frame == frame => facts.plain(of(share_in_words(share, seen.told))),
            Told::Share(share) => {
                let words = share_in_words(share, seen.told);
                facts.plain(of(format!("frame {}, which had to wait: {words}", share.by.frame)));
            }
            Told::Message(message) if message.ended => {}
            Told::Message(message) => {
                facts.say(Ink::Warn, of(format!("where message {} ends cannot be told", message.number)));
            }
            Told::Missing { octets, why } => {
                facts.say(Ink::Warn, of(format!("{octets} B missing: {}", why.words())));
            }
            Told::Unknown(why) => facts.say(Ink::Warn, of(unknown(*why).to_owned())),
            Told::FoundAgain => facts.plain(of("messages found again behind a line feed".to_owned())),
            Told::Differs { .. } => {
                facts.say(Ink::Warn, of("other octets than before under the same numbers".to_owned()));
            }
        }
    }
}

/// What was found in each direction of a connection that is over.
pub(super) fn ended<'a>(ended: &EndedConnection<'a>) -> impl Iterator<Item = Facts> + use<'a> {
    let (connection, messages) = (ended.connection, ended.messages);
    [Side::Client, Side::Server].into_iter().filter_map(move |side| {
        let direction = messages?.direction(side);
        (direction.framer.counts.segments > 0).then(|| totals(arrow(connection, side), direction))
    })
}

fn totals(arrow: &str, direction: &Direction) -> Facts {
    let Direction { reassembly, framer } = direction;
    let counts = framer.counts;
    let mut facts = Facts::default();
    let (messages, segments) = (several(counts.messages, "message"), several(counts.segments, "segment"));
    facts.plain(format!("{arrow} {messages} in {segments}"));
    if counts.most_in_segment > 1 {
        facts.plain(format!("up to {} ended in one segment", counts.most_in_segment));
    }
    if counts.most_segments > 1 {
        facts.plain(format!("up to {} segments for one", counts.most_segments));
    }
    let mut warn = |count: u64, text: String| {
        if count > 0 {
            facts.say(Ink::Warn, text);
        }
    };
    if let Some(open) = framer.open() {
        let wants = framer.wants().map(|wants| format!(", {wants} B short")).unwrap_or_default();
        warn(1, format!("message {} has not ended: {} B{wants}", open.number, open.octets));
    }
    warn(counts.broken, format!("{} whose end cannot be told", several(counts.broken, "message")));
    warn(counts.unseen, format!("{} more among missing octets", counts.unseen));
    warn(counts.missing, format!("{} missing", text::octets(counts.missing)));
    warn(counts.unframed, format!("{} outside any message", text::octets(counts.unframed)));
    if let Some((octets, hole)) = reassembly.waiting() {
        warn(octets, format!("{} wait behind a hole of {hole} B", text::octets(octets)));
    }
    warn(reassembly.given_up, format!("{} given up for want of memory", text::octets(reassembly.given_up)));
    let differing = u64::from(reassembly.differing);
    warn(differing, format!("{} with other octets under numbers used before", several(differing, "segment")));
    if let Some(why) = framer.unknown() {
        warn(1, unknown(why).to_owned());
    }
    facts
}

/// `message 3 in 1 segment`, `ends message 3: 1 message / 2 segments (frames 4, 6)`, `messages 1–2 and part of 3: 2½
/// messages in 1 segment`.
fn share_in_words(share: &Share, told: &[(Side, Told)]) -> String {
    let Share { number, ends, whole, begins, inside, .. } = *share;
    let next = number + u64::from(whole) + u64::from(ends);
    let range = |from: u64, count: u32| match count {
        1 => from.to_string(),
        _ => format!("{from}–{}", from + u64::from(count) - 1),
    };
    if inside {
        return format!("goes on with message {number}");
    }
    match (ends, whole, begins) {
        (false, 0, _) => format!("begins message {number}"),
        (false, 1, false) => format!("message {number} in 1 segment"),
        (false, _, false) => format!("messages {}: {whole} messages in 1 segment", range(number, whole)),
        (false, _, true) => format!(
            "message{} {} and part of {next}: {whole}½ messages in 1 segment",
            if whole == 1 { "" } else { "s" },
            range(number, whole)
        ),
        (true, 0, false) => format!("ends message {number}: {}", split(number, told)),
        (true, _, _) => {
            let middle = if whole > 0 { format!("+{whole}") } else { String::new() };
            let last = if begins { "+½" } else { "" };
            let mut words = format!("ends message {number} ({})", split(number, told));
            if whole > 0 {
                words.push_str(&format!(", {} whole", range(number + 1, whole)));
            }
            if begins {
                words.push_str(&format!(", begins {next}"));
            }
            format!("{words}: ½{middle}{last} messages in 1 segment")
        }
    }
}

/// `1 message / 2 segments (frames 4, 6)`.
fn split(number: u64, told: &[(Side, Told)]) -> String {
    let ended = told.iter().find_map(|(_, told)| match told {
        Told::Message(message) if message.number == number => Some(message),
        _ => None,
    });
    match ended {
        Some(message) => {
            format!("1 message / {} segments ({})", message.segments, frames_in_words(message))
        }
        None => "its beginning was told before".to_owned(),
    }
}

pub(super) fn frames_in_words(message: &Message) -> String {
    let frames: Vec<_> = message.frames.iter().map(u64::to_string).collect();
    let more = if (message.frames.len() as u64) < u64::from(message.segments) { ", …" } else { "" };
    format!("frame{} {}{more}", if frames.len() == 1 { "" } else { "s" }, frames.join(", "))
}

pub(super) const fn unknown(why: Unknown) -> &'static str {
    match why {
        Unknown::BeganBefore => "where its messages begin cannot be told: the stream began before the capture",
        Unknown::Missing => "where the next message begins cannot be told: octets are missing",
        Unknown::Wrong => "no message can begin here by this rule",
    }
}

#[cfg(test)]
mod tests;
