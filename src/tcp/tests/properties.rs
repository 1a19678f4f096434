#![cfg(test)]
//! What must hold for every trace: blindness never accuses, and numbers are relative.

use proptest::prelude::*;

use super::OPEN;
use super::play_from;
use crate::finding::Verdict;
use crate::tcp::Event;
use crate::tcp::Side;

const LIFE: &str = "
    +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 1011  win 502
    +0.050  S > C  P.  5001:5301(300) ack 1011 win 502
    +0.001  C > S  .   1011:1011(0)  ack 5301  win 502
    +0.300  S > C  P.  5001:5301(300) ack 1011 win 502
    +0.001  C > S  P.  1011:1021(10) ack 5301  win 502
    +0.100  C > S  F.  1021:1021(0)  ack 5301  win 502
    +0.001  S > C  F.  5301:5301(0)  ack 1022  win 502
    +0.001  C > S  .   1022:1022(0)  ack 5302  win 502
";

fn accuses(event: &Event) -> bool {
    match event {
        Event::WrongAck(_) | Event::BeyondWindow { .. } | Event::Unexpected { .. } | Event::SynAckChanged { .. } => {
            true
        }
        Event::SynAck { check, .. } => matches!(check, Verdict::Broken(_)),
        _ => false,
    }
}

#[test]
fn a_capture_that_begins_later_never_turns_holds_into_broken() {
    let script = format!("{OPEN}{LIFE}");
    for skip in 0..12 {
        let seen = play_from(&script, skip);
        let accused: Vec<_> = seen.events.iter().filter(|(_, event)| accuses(event)).collect();
        assert!(accused.is_empty(), "without the first {skip} packets: {accused:?}");
    }
}

/// [`OPEN`] and [`LIFE`] with every number of the client moved by `client`, of the server by `server`.
fn shifted(client: u32, server: u32) -> String {
    let mut script = String::new();
    for line in format!("{OPEN}{LIFE}").lines().filter(|line| !line.trim().is_empty()) {
        let (own, peer) = if line.contains("C > S") { (client, server) } else { (server, client) };
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut after_ack = false;
        let moved: Vec<String> = words
            .iter()
            .map(|word| {
                let number = |text: &str, by: u32| text.parse::<u32>().expect("a number").wrapping_add(by).to_string();
                if std::mem::replace(&mut after_ack, word == "ack") {
                    return number(word, peer);
                }
                match word.split_once(':') {
                    Some((from, rest)) => {
                        let (to, len) = rest.split_once('(').expect("a length");
                        format!("{}:{}({len}", number(from, own), number(to, own))
                    }
                    None => word.clone(),
                }
            })
            .collect();
        script.push_str(&moved.join(" "));
        script.push('\n');
    }
    script
}

/// Events without the raw numbers that some of them carry.
fn facts(script: &str) -> Vec<String> {
    play_from(script, 0).events.iter().map(|(frame, event)| format!("{frame} {event:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn moving_all_numbers_of_a_side_changes_nothing(client: u32, server: u32) {
        prop_assert_eq!(facts(&shifted(client, server)), facts(&shifted(0, 0)));
    }

    #[test]
    fn any_order_and_any_flags_are_taken_without_panic(packets in proptest::collection::vec((any::<bool>(), 0u8..64, any::<u32>(), any::<u32>(), 0u16..2000, any::<u16>()), 1..40)) {
        let mut script = String::new();
        for (from_client, flags, seq, ack, len, window) in packets {
            let letters: String = "FSRP.U".chars().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, letter)| letter).collect();
            let (from, to) = if from_client { ("C", "S") } else { ("S", "C") };
            let end = seq.wrapping_add(u32::from(len));
            let letters = if letters.is_empty() { "none".to_owned() } else { letters };
            script.push_str(&format!("+0.001 {from} > {to} {letters} {seq}:{end}({len}) ack {ack} win {window}\n"));
        }
        let sent = script.lines().count() as u64;
        let seen = play_from(&script, 0);
        let sides = [seen.connection.side(Side::Client), seen.connection.side(Side::Server)];
        prop_assert_eq!(sides[0].packets + sides[1].packets, sent);
        for side in sides {
            prop_assert!(side.unique_bytes + side.repeated_bytes <= side.bytes);
        }
    }
}
