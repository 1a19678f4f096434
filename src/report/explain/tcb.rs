//! Both ends as an observer knows them after one frame: RFC names, numbers relative and as on the wire, and where each
//! comes from, so that a person can redo any sum (RFC 9293 §3.3.1, RFC 6298, RFC 2018).

use crate::packet::SeqNumber;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::style::Numbers;
use crate::report::text;
use crate::report::words;
use crate::report::words::Segment;
use crate::report::words::side_name;
use crate::tcp::Side;

/// The table, heading included.
pub(super) fn table(segment: &Segment<'_>) -> String {
    let names = [Side::Client, Side::Server].map(|side| side_name(segment.connection(), side));
    let heads: [&'static str; 2] = if names[0] == "A" { ["A", "B"] } else { ["client", "server"] };
    let columns = [
        Column::text("variable"),
        Column::number(heads[0]),
        Column::number("raw"),
        Column::number(heads[1]),
        Column::number("raw "),
    ];
    let mut grid = Grid::new(&columns);
    let mut legend = Facts::default();
    for (name, cell, source) in ROWS {
        let sides = [Side::Client, Side::Server].map(|side| cell(segment, side));
        if sides.iter().all(|cell| matches!(cell, Cell::None)) {
            continue;
        }
        let mut row = vec![(*name).to_owned()];
        for (side, cell) in [Side::Client, Side::Server].into_iter().zip(sides) {
            row.extend(cell.written(segment, side));
        }
        grid.row(row);
        legend.say(Ink::Dim, format!("{name}: {source}"));
    }
    let title = format!("\nstate after packet {}\n", segment.packet.meta.number);
    let mut out = title.into_bytes();
    if grid.write(&mut out, segment.style.width).is_err() {
        // A vector takes everything.
        out.clear();
    }
    scoreboard(segment, &mut out);
    let mut text = String::from_utf8(out).unwrap_or_default();
    text.push('\n');
    legend.write(&mut text, 0, "", INDENT, segment.style);
    text
}

enum Cell {
    None,
    Seq(SeqNumber),
    /// A number of the other side's stream.
    PeerSeq(SeqNumber),
    Text(String),
}

impl Cell {
    fn seq(seq: Option<SeqNumber>) -> Self {
        seq.map_or(Self::None, Self::Seq)
    }

    fn text<T: ToString>(value: Option<T>) -> Self {
        value.map_or(Self::None, |value| Self::Text(value.to_string()))
    }

    fn written(&self, segment: &Segment<'_>, side: Side) -> [String; 2] {
        match self {
            Self::None => ["-".to_owned(), String::new()],
            Self::Seq(seq) => [words::number(segment.connection(), side, *seq, Numbers::Relative), seq.to_string()],
            Self::PeerSeq(seq) => {
                [words::number(segment.connection(), side.peer(), *seq, Numbers::Relative), seq.to_string()]
            }
            Self::Text(text) => [text.clone(), String::new()],
        }
    }
}

/// Blocks that the other side holds beyond a hole, in the sender's numbers.
fn scoreboard(segment: &Segment<'_>, out: &mut Vec<u8>) {
    for side in [Side::Client, Side::Server] {
        let Some(tcb) = segment.connection().judged(side).filter(|tcb| !tcb.trouble().sacked.is_empty()) else {
            continue;
        };
        let blocks: Vec<_> = tcb
            .trouble()
            .sacked
            .iter()
            .map(|block| format!("{}..{}", segment.number(side, block.left), segment.number(side, block.right)))
            .collect();
        let name = side_name(segment.connection(), side);
        out.extend(format!("SACK scoreboard of the {name}: {}\n", blocks.join(", ")).bytes());
    }
}

type Row = (&'static str, fn(&Segment<'_>, Side) -> Cell, &'static str);

const ROWS: &[Row] = &[
    ("state", |s, side| Cell::Text(s.connection().side(side).state.name().to_owned()), "what it sent"),
    ("ISS", |s, side| Cell::seq(s.connection().side(side).isn), "its SYN"),
    ("snd_una", |s, side| Cell::seq(s.connection().side(side).snd_una), "highest ACK of the peer"),
    ("snd_nxt", snd_nxt, "end of its latest packet"),
    ("snd_max", |s, side| Cell::seq(s.connection().side(side).snd_max), "highest end so far"),
    ("in flight", |s, side| Cell::Text(s.connection().side(side).in_flight().to_string()), "snd_max − snd_una"),
    ("rcv_nxt", |s, side| peer_seq(s.connection().side(side.peer()).snd_una), "its highest ACK, peer's numbers"),
    ("rcv_wnd", |s, side| Cell::text(s.connection().side(side).rcv_wnd), "window × 2^scale"),
    ("right edge", |s, side| peer_seq(s.connection().side(side).right_edge), "ack + window, peer's numbers"),
    ("largest window", |s, side| largest_window(s, side), "of all it offered"),
    ("FIN", |s, side| Cell::seq(s.connection().side(side).fin), "its number"),
    ("wscale", |s, side| Cell::text(s.connection().window_scale(side)), "both SYNs"),
    ("effective MSS", |s, side| Cell::text(s.connection().effective_mss(side).map(|sum| sum.value)), "SYN options"),
    ("TS.Recent", |s, side| ts_recent(s, side), "its latest TSval"),
    (
        "duplicate ACKs",
        |s, side| Cell::text(s.connection().judged(side).map(|tcb| tcb.duplicate_acks)),
        "received since snd_una moved",
    ),
    ("recovery", |s, side| recovery(s, side), "and where it ends"),
    (
        "SRTT",
        |s, side| Cell::text(s.connection().judged(side).and_then(|tcb| tcb.rtt.srtt).map(text::span)),
        "RFC 6298, from the capture point",
    ),
    ("RTTVAR", |s, side| rtt_var(s, side), "RFC 6298"),
    (
        "RTO",
        |s, side| Cell::text(s.connection().judged(side).map(|tcb| text::span(tcb.rtt.rto()))),
        "SRTT + 4·RTTVAR, at least 200 ms; 1 s before a sample",
    ),
    (
        "RTT samples",
        |s, side| Cell::text(s.connection().judged(side).map(|tcb| tcb.rtt.samples)),
        "nothing of it sent twice (Karn)",
    ),
];

/// An old number without octets asks for an answer and moves nothing.
fn snd_nxt(segment: &Segment<'_>, side: Side) -> Cell {
    let max = segment.connection().side(side).snd_max;
    let next = segment.connection().judged(side).and_then(|tcb| tcb.snd_nxt());
    Cell::seq(if next.map(|next| next.plus(1)) == max { max } else { next })
}

fn peer_seq(seq: Option<SeqNumber>) -> Cell {
    seq.map_or(Cell::None, Cell::PeerSeq)
}

fn largest_window(segment: &Segment<'_>, side: Side) -> Cell {
    let known = segment.connection().window_scale(side).and_then(|_| segment.connection().judged(side));
    Cell::text(known.map(|tcb| tcb.largest_window))
}

fn ts_recent(segment: &Segment<'_>, side: Side) -> Cell {
    Cell::text(segment.connection().judged(side).and_then(|tcb| tcb.ts_recent).map(|(value, _)| value))
}

fn rtt_var(segment: &Segment<'_>, side: Side) -> Cell {
    let tcb = segment.connection().judged(side).filter(|tcb| tcb.rtt.srtt.is_some());
    Cell::text(tcb.map(|tcb| text::span(tcb.rtt.rttvar)))
}

fn recovery(segment: &Segment<'_>, side: Side) -> Cell {
    let recovery = segment.connection().judged(side).and_then(|tcb| tcb.trouble().recovery);
    Cell::text(recovery.map(|(kind, until)| format!("{} to {}", kind.name(), segment.number(side, until))))
}

/// Of the legend's second line on.
const INDENT: usize = 2;
