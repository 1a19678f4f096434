#![cfg(test)]

use super::*;
use crate::craft;
use crate::decode::decode;

const SYN: &str = "+0 C > S S 1000:1000(0)\n+0 S > C S. 5000:5000(0) ack 1001\n";

/// Feeds a script; `C` is the client.
fn play(framing: Framing, script: &str) -> (Messages, Vec<(Side, Told)>) {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}"));
    let (mut messages, mut told) = (Messages::new(framing), Vec::new());
    for frame in trace.frames() {
        let packet = decode(&frame);
        let tcp = packet.tcp().expect("a segment");
        let side = if tcp.src_port == 40_000 { Side::Client } else { Side::Server };
        messages.observe(Mark { frame: packet.meta.number, at: packet.meta.at }, side, tcp, &mut told);
    }
    (messages, told)
}

/// Everything that a script tells, a word each: `2:½+1+½` for a share, `#1(4/2,3)` for a message of four octets in
/// frames 2 and 3, with `!` where its end is not known and `-2` for two octets that it lacks.
fn words(framing: Framing, script: &str) -> String {
    let word = |told: &Told| match told {
        Told::Share(share) => {
            let parts = [
                share.ends.then(|| "½".to_owned()),
                (share.whole > 0).then(|| share.whole.to_string()),
                share.begins.then(|| "½".to_owned()),
                share.inside.then(|| "·".to_owned()),
            ];
            format!("{}:{}", share.by.frame, parts.into_iter().flatten().collect::<Vec<_>>().join("+"))
        }
        Told::Message(message) => {
            let frames: Vec<_> = message.frames.iter().map(u64::to_string).collect();
            let lacks = if message.lacks > 0 { format!("-{}", message.lacks) } else { String::new() };
            let open = if message.ended { "" } else { "!" };
            format!("#{}({}{lacks}/{}){open}", message.number, message.octets, frames.join(","))
        }
        Told::Missing { octets, why } => format!("[{octets} {}]", why.name()),
        Told::Unknown(why) => format!("?{why:?}"),
        Told::FoundAgain => "found".to_owned(),
        Told::Differs { frame } => format!("differs:{frame}"),
    };
    let (_, told) = play(framing, script);
    told.iter().map(|(_, told)| word(told)).collect::<Vec<_>>().join(" ")
}

fn after_syn(framing: Framing, script: &str) -> String {
    words(framing, &format!("{SYN}{script}"))
}

#[test]
fn two_messages_and_a_half_in_one_segment_and_then_the_rest() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1001:1010(9) ack 5001 "1 2\n3 4\n5"
        +0 C > S P. 1010:1013(3) ack 5001 " 6\n"
    "#,
    );
    assert_eq!(said, "#1(4/3) #2(4/3) 3:2+½ #3(4/3,4) 4:½");
}

#[test]
fn one_message_in_three_segments_names_them_all() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1001:1003(2) ack 5001 "ab"
        +0 C > S P. 1003:1005(2) ack 5001 "cd"
        +0 C > S P. 1005:1007(2) ack 5001 "e\n"
    "#,
    );
    assert_eq!(said, "3:½ 4:· #1(6/3,4,5) 5:½");
}

#[test]
fn a_repetition_does_not_repeat_its_message() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1001:1005(4) ack 5001 "1 2\n"
        +1 C > S P. 1001:1005(4) ack 5001 "1 2\n"
        +1 C > S P. 1001:1009(8) ack 5001 "1 2\n3 4\n"
    "#,
    );
    assert_eq!(said, "#1(4/3) 3:1 #2(4/5) 5:1");
}

#[test]
fn a_segment_that_came_too_early_keeps_its_share_until_the_hole_is_filled() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1005:1009(4) ack 5001 "3 4\n"
        +0 C > S P. 1001:1005(4) ack 5001 "1 2\n"
    "#,
    );
    assert_eq!(said, "#1(4/4) 4:1 #2(4/3) 3:1");
}

#[test]
fn both_directions_count_for_themselves() {
    let (messages, _) = play(
        Framing::Json,
        &format!(
            r#"{SYN}
        +0 C > S P. 1001:1015(14) ack 5001 "{{\"A\":7,\"B\":4}}\n"
        +0 S > C P. 5001:5012(11) ack 1015 "{{\"Sum\":11}}\n"
    "#
        ),
    );
    for side in [Side::Client, Side::Server] {
        let framer = &messages.direction(side).framer;
        assert_eq!((framer.counts.messages, framer.open(), framer.unknown()), (1, None, None), "{side:?}");
    }
}

#[test]
fn values_without_line_feeds_between_them_are_found_too() {
    let said = after_syn(
        Framing::Json,
        r#"
        +0 C > S P. 1001:1009(8) ack 5001 "{}[1]{\"a"
        +0 C > S P. 1009:1017(8) ack 5001 "}\":{}} 7"
        +0 C > S P. 1017:1019(2) ack 5001 "8 "
    "#,
    );
    assert_eq!(said, "#1(2/3) #2(3/3) 3:2+½ #3(9/3,4) 4:½+½ #4(2/4,5) 5:½");
}

#[test]
fn a_gap_in_a_line_breaks_its_message_and_the_next_line_feed_finds_the_next() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1001:1003(2) ack 5001 "ab"
        +0 C > S P. 1006:1013(7) ack 5001 "xy\ncd\ne"
        +0 S > C .  5001:5001(0) ack 1013
    "#,
    );
    assert_eq!(said, "3:½ [3 not-captured] #1(2/3)! ?Missing found #2(3/4) 4:1+½");
}

#[test]
fn without_the_gap_the_same_line_holds() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1001:1003(2) ack 5001 "ab"
        +0 C > S P. 1003:1006(3) ack 5001 "c d"
        +0 C > S P. 1006:1013(7) ack 5001 "xy\ncd\ne"
    "#,
    );
    assert_eq!(said, "3:½ 4:· #1(8/3,4,5) #2(3/5) 5:½+1+½");
}

#[test]
fn a_gap_within_a_body_of_known_length_loses_no_boundary() {
    let said = after_syn(
        Framing::Len16,
        r#"
        +0 C > S P. 1001:1004(3) ack 5001 "\x00\x08\x6b"
        +0 C > S P. 1010:1014(4) ack 5001 "\x7a\x00\x01\x79"
        +0 S > C .  5001:5001(0) ack 1014
    "#,
    );
    assert_eq!(said, "3:½ [6 not-captured] #1(10-6/3,4) #2(3/4) 4:½+1");
}

#[test]
fn a_gap_over_a_length_leaves_nothing_to_be_told() {
    let said = after_syn(
        Framing::Len16,
        r#"
        +0 C > S P. 1001:1004(3) ack 5001 "\x00\x01\x6b"
        +0 C > S P. 1005:1009(4) ack 5001 "\x01\x7a\x7b\x7c"
        +0 S > C .  5001:5001(0) ack 1009
    "#,
    );
    assert_eq!(said, "#1(3/3) 3:1 [1 not-captured] ?Missing");
}

#[test]
fn fixed_lengths_survive_every_gap() {
    let (messages, told) = play(
        Framing::Fixed(4),
        &format!(
            r#"{SYN}
        +0 C > S P. 1001:1003(2) ack 5001 "ab"
        +0 C > S P. 1014:1018(4) ack 5001 "bcde"
        +0 S > C .  5001:5001(0) ack 1018
    "#
        ),
    );
    let counts = messages.direction(Side::Client).framer.counts;
    assert_eq!((counts.messages, counts.unseen, counts.missing), (2, 2, 11));
    assert!(told.iter().any(|(_, told)| matches!(told, Told::Message(last) if last.number == 4 && last.lacks == 1)));
    assert_eq!(messages.direction(Side::Client).framer.open().map(|open| (open.number, open.offset)), Some((5, 16)));
}

#[test]
fn what_the_snap_length_cut_is_a_gap_as_well() {
    let said = after_syn(Framing::Line, "+0 C > S P. 1001:1009(8) ack 5001 \"1 2\\n3 4\\n\" snaplen 59");
    assert_eq!(said, "#1(4/3) 3:1+½ [3 snapped] #2(1/3)! ?Missing");
}

#[test]
fn where_the_stream_began_before_the_capture_the_first_line_feed_shows_a_beginning() {
    let script = "+0 C > S P. 1001:1009(8) ack 5001 \"2\\n3 4\\n5 \"";
    assert_eq!(words(Framing::Line, script), "?BeganBefore found #1(4/1) 1:1+½");
    assert_eq!(words(Framing::Len16, script), "?BeganBefore");
}

#[test]
fn an_octet_that_begins_no_value_is_told_and_the_next_line_tried() {
    let said = after_syn(Framing::Json, "+0 C > S P. 1001:1012(11) ack 5001 \"{}hello\\n{}\\n\"");
    assert_eq!(said, "#1(2/3) ?Wrong found #2(2/3) 3:2");
}

#[test]
fn what_the_receiver_drops_unread_carries_no_message() {
    let dropped = r#"+0 C > S P. 1001:1005(4) ack 5001 "1 2\n""#;
    assert_eq!(after_syn(Framing::Line, &format!("{dropped} checksum bad")), "");
    assert_eq!(after_syn(Framing::Line, &dropped.replace("P.", "R.")), "");
}

#[test]
fn other_octets_under_the_same_numbers_are_told() {
    let said = after_syn(
        Framing::Line,
        r#"
        +0 C > S P. 1001:1005(4) ack 5001 "1 2\n"
        +0 C > S P. 1001:1005(4) ack 5001 "9 9\n"
    "#,
    );
    assert_eq!(said, "#1(4/3) 3:1 differs:4");
}

#[test]
fn what_nobody_sent_is_not_missing() {
    let (messages, told) = play(Framing::Line, &format!("{SYN}+0 C > S P. 1011:1015(4) ack 5001 \"3 4\\n\""));
    assert_eq!(told, []);
    assert_eq!(messages.direction(Side::Client).reassembly.waiting(), Some((4, 10)));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// The client's octets, cut at the given places and sent twice here and there, in one script.
    fn script(octets: &[u8], cuts: &[usize], again: &[usize]) -> String {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % octets.len()).chain([octets.len()]).collect();
        ends.sort_unstable();
        ends.dedup();
        let (mut script, mut from) = (SYN.to_owned(), 0);
        for (at, &to) in ends.iter().enumerate().filter(|(_, to)| **to > 0) {
            let hex: String = octets[from..to].iter().map(|octet| format!("\\x{octet:02x}")).collect();
            let line = format!("+0 C > S P. {}:{}({}) ack 5001 \"{hex}\"\n", 1001 + from, 1001 + to, to - from);
            script.push_str(&line);
            if again.contains(&at) {
                script.push_str(&line);
            }
            from = to;
        }
        script
    }

    fn lengths(framing: Framing, script: &str) -> Vec<u64> {
        let (_, told) = play(framing, script);
        let ended = told.iter().filter_map(|(_, told)| match told {
            Told::Message(message) if message.ended => Some(message.octets),
            _ => None,
        });
        ended.collect()
    }

    proptest! {
        #[test]
        fn how_the_stream_was_cut_into_segments_changes_no_message(
            octets in prop::collection::vec(prop::sample::select(b"{}[]\"\\ \n1a\0\x02".to_vec()), 1..80),
            cuts in prop::collection::vec(any::<usize>(), 0..8),
            again in prop::collection::vec(0usize..8, 0..3),
        ) {
            for framing in [Framing::Line, Framing::Json, Framing::Len16, Framing::Fixed(3)] {
                let whole = lengths(framing, &script(&octets, &[], &[]));
                prop_assert_eq!(&lengths(framing, &script(&octets, &cuts, &again)), &whole, "{}", framing);
            }
        }
    }
}
