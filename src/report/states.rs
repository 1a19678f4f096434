//! The states of both ends beside the packets (RFC 9293 §3.3.2, figure 5): client left, server right.
//!
//! A state stands where its endpoint entered it, a line below as long as it stays. Written packet by packet; of packets in a
//! row that move nobody a few are shown, and the others counted.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::report::findings::wrapped;
use crate::report::line::columns;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::datagram;
use crate::report::words::several;
use crate::report::words::side_name;
use crate::tcp::Event;
use crate::tcp::Side;
use crate::tcp::State;

/// Writes the states of one stream.
#[derive(Debug)]
pub struct States {
    style: Style,
    stream: u64,
    start: Option<Timestamp>,
    packets: u64,
    /// Packets since somebody moved.
    unmoved: u64,
    folded: u64,
    lines: String,
}

impl States {
    /// Writes those of the TCP connection of this number.
    pub const fn new(style: Style, stream: u64) -> Self {
        Self { style, stream, start: None, packets: 0, unmoved: 0, folded: 0, lines: String::new() }
    }

    /// Packets of the stream so far.
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Takes one packet, if it belongs to the stream.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn packet(&mut self, out: &mut dyn Write, packet: &Packet<'_>, seen: &Seen<'_>) -> io::Result<()> {
        match (seen, packet.tcp()) {
            (Seen::Tcp(seen), Some(tcp)) if seen.stream == self.stream => self.segment(packet, tcp, seen),
            (&Seen::Unreachable { protocol: Protocol::Tcp, stream, .. }, _) if stream == self.stream => {
                self.fold_ends();
                let words = format!("ICMP {}", datagram::icmp_words(packet));
                self.row(packet, ["", ""], &words);
            }
            _ => return Ok(()),
        }
        self.packets += 1;
        self.flush(out)
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.fold_ends();
        self.flush(out)
    }

    fn segment(&mut self, packet: &Packet<'_>, tcp: &TcpHeader<'_>, seen: &TcpSeen<'_>) {
        let first = self.packets == 0;
        if first {
            self.title(packet, seen);
        }
        let moves = |wanted: Side| {
            let entered = seen.events.iter().filter_map(move |event| match *event {
                Event::Moved { side, to, .. } if side == wanted => Some(to.name()),
                _ => None,
            });
            let nothing_yet = first && seen.connection.side(wanted).state == State::NotSeen;
            entered.chain(nothing_yet.then_some(State::NotSeen.name())).collect::<Vec<_>>()
        };
        let entered = [Side::Client, Side::Server].map(moves);
        let unexpected = seen.events.iter().find_map(|event| match *event {
            Event::Unexpected { state, .. } => Some(state),
            _ => None,
        });
        let moved = entered.iter().any(|states| !states.is_empty()) || unexpected.is_some();
        self.unmoved = if moved { 0 } else { self.unmoved + 1 };
        if self.unmoved > SHOWN {
            self.folded += 1;
            return;
        }
        self.fold_ends();
        let state = |side: usize, at: usize| entered[side].get(at).copied().unwrap_or("");
        let style = self.style;
        let words = words(&Segment { packet, tcp, seen, style: &style });
        let arrow = if seen.side == Side::Client { "→" } else { "←" };
        self.row(packet, [state(0, 0), state(1, 0)], &format!("{arrow} {words}"));
        // Two steps at once: a FIN that answers a FIN closes what its acknowledgment has half closed.
        for at in 1..entered[0].len().max(entered[1].len()) {
            self.cells("", "", [state(0, at), state(1, at)], "");
        }
        if let Some(state) = unexpected {
            let who = side_name(seen.connection, seen.side);
            self.cells("", "", ["", ""], &format!("! unexpected: {who} in {}", state.name()));
        }
    }

    fn title(&mut self, packet: &Packet<'_>, seen: &TcpSeen<'_>) {
        let [left, right] = [Side::Client, Side::Server].map(|side| side_name(seen.connection, side));
        let title = format!("#{} tcp from {}", self.stream, text::utc(packet.meta.at));
        let ends = format!("{left} {} · {right} {}", seen.client, seen.server);
        let _ = writeln!(self.lines, "{}", self.style.bold(title));
        let _ = writeln!(self.lines, "{}", wrapped(&ends, 0, 0, self.style.width));
        self.cells("frame", "time", [left, right], "packet");
    }

    fn row(&mut self, packet: &Packet<'_>, states: [&str; 2], words: &str) {
        let since = packet.meta.at.since(*self.start.get_or_insert(packet.meta.at));
        let (frame, time) = (packet.meta.number.to_string(), text::seconds(since));
        self.cells(&frame, &time, states, words);
    }

    fn cells(&mut self, frame: &str, time: &str, states: [&str; 2], words: &str) {
        let [client, server] = states.map(|state| if state.is_empty() { STAYS } else { state });
        let room = self.style.width.saturating_sub(BESIDE).max(LEAST);
        let words = cut(words, room);
        let pad = room - columns(&words);
        let _ = writeln!(self.lines, "{frame:>FRAME$}  {time:>TIME$}  {client:<STATE$}  {words}{:pad$}  {server}", "");
    }

    /// A row for the packets that were not shown.
    fn fold_ends(&mut self) {
        let folded = std::mem::take(&mut self.folded);
        if folded > 0 {
            self.cells("", "", ["", ""], &format!("… {} more", several(folded, "packet")));
        }
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let written = out.write_all(self.lines.as_bytes());
        self.lines.clear();
        written
    }
}

/// `SYN 0`, `6 B 1..7`, `ACK 7`, `FIN 7 ack 3`.
fn words(segment: &Segment<'_>) -> String {
    let tcp = segment.tcp;
    let flags = tcp.flags;
    let mut words = segment.verb();
    let controls = TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST);
    if tcp.len > 0 {
        let (from, to) = (segment.own_number(tcp.seq), segment.own_number(tcp.seq.plus(tcp.len)));
        let _ = write!(words, " {from}..{to}");
    } else if flags.any(controls) {
        let _ = write!(words, " {}", segment.own_number(tcp.seq));
    }
    match (flags.has(TcpFlags::ACK), flags.any(controls), tcp.len) {
        (true, true, _) => {
            let _ = write!(words, " ack {}", segment.peer_number(tcp.ack));
        }
        (true, false, 0) => {
            let _ = write!(words, " {}", segment.peer_number(tcp.ack));
        }
        _ => {}
    }
    words
}

fn cut(words: &str, room: usize) -> String {
    if columns(words) <= room {
        return words.to_owned();
    }
    words.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// Where an endpoint stays in its state.
const STAYS: &str = "│";
/// Packets in a row that are shown though they move nobody.
const SHOWN: u64 = 4;
const FRAME: usize = 7;
const TIME: usize = 11;
/// The longest name of a state.
const STATE: usize = 12;
/// All columns but the packet's, with two blanks between each.
const BESIDE: usize = FRAME + 2 + TIME + 2 + STATE + 2 + 2 + STATE;
/// Narrower than this no packet can be told; lines are then wider than the screen.
const LEAST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::CONVERSATION;
    use crate::report::testing::IDLE_CLOSE;
    use crate::report::testing::MID_STREAM;
    use crate::report::testing::V6_WRONG_ACK;
    use crate::report::testing::assert_fits;
    use crate::report::testing::watch;

    fn written(script: &str, width: usize) -> String {
        let mut out = Vec::new();
        let mut states = States::new(Style::plain(width), 0);
        watch(script, |packet, seen| states.packet(&mut out, packet, seen).expect("a vector"), |_| {}, |_| {});
        states.finish(&mut out).expect("a vector");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_state_stands_where_it_was_entered() {
        let told = written(CONVERSATION, 80);
        assert_eq!(
            told,
            "\
#0 tcp from 2023-11-14 22:13:20.000000 UTC
client 127.0.0.1:45876 · server 127.0.0.1:47011
  frame         time  client        packet                          server
      1     0.000000  SYN-SENT      → SYN 0                         not seen
      2     0.000010  │             ← SYN,ACK 0 ack 1               SYN-RECEIVED
      3     0.000022  ESTABLISHED   → ACK 1                         │
      4     0.000055  │             → 6 B 1..7                      │
      5     0.000060  │             ← ACK 7                         ESTABLISHED
      6     0.002711  │             ← 2 B 1..3                      │
      7     0.002731  │             → ACK 3                         │
      8     0.002762  FIN-WAIT-1    → FIN 7 ack 3                   │
      9     0.002778  FIN-WAIT-2    ← FIN,ACK 3 ack 8               CLOSE-WAIT
                      │                                             LAST-ACK
     10     0.002790  TIME-WAIT     → ACK 4                         CLOSED
"
        );
    }

    #[test]
    fn packets_that_move_nobody_are_counted_after_the_first_few() {
        let mut script = CONVERSATION.lines().take(6).collect::<Vec<_>>().join("\n");
        for packet in 0..30 {
            let (from, to) = (2_557_618_401_u32 + packet, 2_557_618_402_u32 + packet);
            script.push_str(&format!("\n+0.001 C > S . {from}:{to}(1) ack 1609717635 win 64"));
        }
        script.push_str("\n+1 S > C R. 1609717635:1609717635(0) ack 2557618431 win 0");
        let told = written(&script, 80);
        assert!(told.contains("│             … 26 packets more"), "{told}");
        assert!(told.contains("CLOSED        ← RST,ACK 1 ack 31              CLOSED"), "{told}");
    }

    #[test]
    fn a_side_that_was_not_captured_is_not_seen_and_a_late_capture_knows_no_opening() {
        let told = written("0 C > S S 100:100(0) win 500\n+1 C > S S 100:100(0) win 500", 80);
        assert!(told.contains("SYN-SENT      → SYN 0                         not seen"), "{told}");
        let told = written(MID_STREAM, 80);
        assert!(told.contains("ESTABLISHED   → 4 B"), "{told}");
        assert!(!told.contains("SYN"), "{told}");
    }

    #[test]
    fn lines_fit_whatever_the_addresses_are() {
        for script in [CONVERSATION, MID_STREAM, V6_WRONG_ACK, IDLE_CLOSE] {
            for width in [64, 80, 200] {
                assert_fits(&written(script, width), width);
            }
        }
    }
}
