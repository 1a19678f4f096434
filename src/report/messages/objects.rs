//! Messages as the machine contract writes them.

use std::io;
use std::io::Write;

use serde::Serialize;

use crate::flow::EndedConnection;
use crate::packet::Timestamp;
use crate::pipeline::Seen;
use crate::report::json::Text;
use crate::report::json::line;
use crate::report::messages::unknown;
use crate::tcp::Side;
use crate::tcp::framing::Direction;
use crate::tcp::framing::Message;
use crate::tcp::framing::Told;

/// Objects for the messages that a packet ended.
///
/// # Errors
/// Those of the writer.
pub fn objects(out: &mut dyn Write, file: &str, seen: &Seen<'_>) -> io::Result<()> {
    let Seen::Tcp(seen) = seen else { return Ok(()) };
    seen.told.iter().try_for_each(|(side, told)| match told {
        Told::Message(message) => object(out, file, seen.stream, *side, message),
        Told::Share(_) | Told::Missing { .. } | Told::Unknown(_) | Told::FoundAgain | Told::Differs { .. } => Ok(()),
    })
}

/// Objects for the messages that a connection leaves unfinished.
///
/// # Errors
/// Those of the writer.
pub fn unfinished(out: &mut dyn Write, file: &str, over: &EndedConnection<'_>) -> io::Result<()> {
    let Some(messages) = over.messages else { return Ok(()) };
    [Side::Client, Side::Server].into_iter().try_for_each(|side| match messages.direction(side).framer.open() {
        Some(open) => object(out, file, over.stream, side, open),
        None => Ok(()),
    })
}

fn object(out: &mut dyn Write, file: &str, stream: u64, from: Side, message: &Message) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        r#type: &'static str,
        file: &'a str,
        stream: u64,
        from: &'static str,
        number: u64,
        complete: bool,
        offset: u64,
        octets: u64,
        missing: u64,
        segments: u32,
        frames: &'a [u64],
        #[serde(skip_serializing_if = "Option::is_none")]
        start: Option<Text<Timestamp>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        end: Option<Text<Timestamp>>,
        text: &'a str,
    }
    line(
        out,
        &Line {
            r#type: "message",
            file,
            stream,
            from: from.name(),
            number: message.number,
            complete: message.ended,
            offset: message.offset,
            octets: message.octets,
            missing: message.lacks,
            segments: message.segments,
            frames: &message.frames,
            start: message.first.map(|mark| Text(mark.at)),
            end: message.last.filter(|_| message.ended).map(|mark| Text(mark.at)),
            text: &String::from_utf8_lossy(&message.head),
        },
    )
}

/// Key `messages` of a connection.
#[derive(Serialize)]
pub(in crate::report) struct BothWays {
    framing: String,
    client_to_server: Totals,
    server_to_client: Totals,
}

#[derive(Serialize)]
struct Totals {
    messages: u64,
    unfinished: u64,
    unseen: u64,
    segments: u64,
    most_in_one_segment: u32,
    most_segments_of_one: u32,
    missing_octets: u64,
    unframed_octets: u64,
    waiting_octets: u64,
    given_up_octets: u64,
    differing_segments: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    cannot_tell: Option<&'static str>,
}

impl BothWays {
    pub(in crate::report) fn of(ended: &EndedConnection<'_>) -> Option<Self> {
        let messages = ended.messages?;
        let of = |side| {
            let Direction { reassembly, framer } = messages.direction(side);
            let counts = framer.counts;
            Totals {
                messages: counts.messages,
                unfinished: counts.broken + u64::from(framer.open().is_some()),
                unseen: counts.unseen,
                segments: counts.segments,
                most_in_one_segment: counts.most_in_segment,
                most_segments_of_one: counts.most_segments,
                missing_octets: counts.missing,
                unframed_octets: counts.unframed,
                waiting_octets: reassembly.waiting().map_or(0, |(octets, _)| octets),
                given_up_octets: reassembly.given_up,
                differing_segments: reassembly.differing,
                cannot_tell: framer.unknown().map(unknown),
            }
        };
        Some(Self {
            framing: messages.framing().to_string(),
            client_to_server: of(Side::Client),
            server_to_client: of(Side::Server),
        })
    }
}
