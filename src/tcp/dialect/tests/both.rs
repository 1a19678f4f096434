//! The test vectors as one table: each segment with what tshark 4.0.17 says of it and, beside, what we say.
//!
//! A line is `segment | Wireshark's verdicts | our codes`. `-` is nothing; a code that ends in `?` cannot be told there.
//! Codes stand in the order in which they are said; what the start in mid-stream leaves open is not repeated on each line.

use super::*;
use crate::finding::Gap;
use crate::finding::Verdict;
use crate::tcp::Connection;
use crate::tcp::Hearing;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;

/// What we say of each segment, everything that was found, broken, or cannot be told.
fn ours(packets: &[Packet<'_>]) -> Vec<String> {
    let mut open: Option<(Connection, IpAddr)> = None;
    packets.iter().map(|packet| our_word(&mut open, packet)).collect()
}

fn our_word(open: &mut Option<(Connection, IpAddr)>, packet: &Packet<'_>) -> String {
    let (ip, tcp) = (packet.ip.as_ref().expect("IP"), packet.tcp().expect("TCP"));
    if !tcp.sound {
        return "defect".to_owned();
    }
    let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
    let side_of = |client: &IpAddr| if ip.src == *client { Side::Client } else { Side::Server };
    if open.as_ref().is_some_and(|(known, client)| known.is_reused_by(side_of(client), tcp)) {
        *open = None;
    }
    let answers = tcp.flags.has(TcpFlags::SYN.with(TcpFlags::ACK));
    let (connection, client) = open.get_or_insert_with(|| {
        let opened = Connection::new(mark, false, tcp.flags.has(TcpFlags::SYN));
        (opened, if answers { ip.dst } else { ip.src })
    });
    let side = side_of(client);
    let (mut said, mut events) = (Vec::new(), Vec::new());
    connection.judge(mark, side, ip, tcp, Hearing { thorough: true, ..Hearing::default() }, &mut said);
    connection.observe(mark, side, ip, tcp, &mut events);
    connection.tell(mark, side, tcp, &events, true, &mut said);
    let words: Vec<_> = said.iter().filter_map(word).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

fn word(judgement: &Judgement) -> Option<String> {
    match judgement.verdict {
        Verdict::Broken(()) => Some(judgement.code.to_string()),
        Verdict::Holds | Verdict::CannotTell(Gap::NoHandshake) => None,
        Verdict::CannotTell(_) => Some(format!("{}?", judgement.code)),
    }
}

/// The rows as they come out, in the form of the table.
fn as_it_is(table: &str) -> String {
    let mut written = String::new();
    for row in table.trim().split("\n\n") {
        let (name, lines) = row.trim().split_once('\n').expect("a name and segments");
        let segments: Vec<&str> = lines.lines().map(|line| line.split('|').next().unwrap_or_default().trim()).collect();
        let script = segments.join("\n");
        let (theirs, packets) = (verdicts(&play(&script)), trace(&script));
        let ours = ours(&packets);
        let skipped = packets.len() - segments.len();
        written += &format!("{name}\n");
        // HS stands for three segments: its verdicts are those of the third.
        let mut at = 0;
        for segment in segments {
            at += if segment == "HS" { skipped } else { 0 };
            written += &format!("    {segment:<34}| {:<38}| {}\n", theirs[at], ours[at]);
            at += 1;
        }
        written.push('\n');
    }
    written
}

#[test]
fn each_segment_of_the_vectors_has_wiresharks_word_and_ours() {
    let squeezed = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let seen = as_it_is(TABLE);
    assert_eq!(squeezed(TABLE), squeezed(&seen), "as it is now:\n{seen}");
}

const TABLE: &str = include_str!("both.txt");
