use crate::craft::play;
use crate::decode::decode;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::report::connection::Details;
use crate::report::style::Style;
use crate::report::testing;
use crate::report::testing::assert_fits;

/// The pages of every connection of a script, with findings and ledger.
fn told(script: &str, width: usize) -> String {
    let trace = play(script).unwrap_or_else(|error| panic!("{error}"));
    let mut analyzer = Analyzer::default().judging(Judging::Broken).keeping_ledger(None);
    let mut details = Details::new(Style::plain(width));
    for frame in trace.frames() {
        let packet = decode(&frame);
        let seen = analyzer.observe(&packet, &mut details);
        details.packet(&packet, &seen);
        details.passed(&packet);
    }
    analyzer.finish(&mut details);
    let mut out = Vec::new();
    details.write(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

/// The lines below a label, up to the next one.
fn below<'a>(page: &'a str, label: &str) -> Vec<&'a str> {
    let mut lines = page.lines().skip_while(|line| !line.starts_with(&format!("  {label:<11}")));
    let first = lines.next().unwrap_or_else(|| panic!("no {label} in\n{page}"));
    std::iter::once(&first[13..]).chain(lines.take_while(|line| line.starts_with("   ")).map(str::trim)).collect()
}

#[test]
fn a_page_reads_from_the_opening_to_what_others_say() {
    let page = told(testing::CONVERSATION, 80);
    let labels: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let order = [
        "when",
        "passed",
        "opening",
        "agreed",
        "closing",
        "findings",
        "mss",
        "numbers",
        "zeek",
        "tcptrace",
        "wireshark",
        "capture:",
    ];
    assert_eq!(labels, order, "{page}");
    assert!(page.starts_with("\nstream 0  127.0.0.1:45876 → 127.0.0.1:47011\n"), "{page}");
}

#[test]
fn the_opening_is_told_with_its_sums_and_what_was_agreed() {
    let page = told(testing::CONVERSATION, 80);
    let opening = below(&page, "opening").join("\n");
    assert!(opening.contains("K=1609717634 · ack 2557618401 = J+1 ✓"), "{opening}");
    assert!(opening.contains("rtt 22 µs = 10 µs server side + 12 µs client side"), "{opening}");
    let agreed = below(&page, "agreed").join(" ");
    assert!(agreed.contains("C→S windows × 2^10 = 1024") && agreed.contains("timestamps on"), "{agreed}");
}

#[test]
fn the_numbers_stand_in_two_columns_and_those_of_nothing_are_only_counted() {
    let page = told(testing::CONVERSATION, 80);
    let numbers = below(&page, "numbers");
    assert!(numbers[1].starts_with("per direction") && numbers[1].ends_with("S→C"), "{page}");
    assert!(numbers.iter().any(|line| line.split_whitespace().eq(["total", "packets", "6", "4"])), "{page}");
    let nothing = numbers[0].split_whitespace().find_map(|word| word.parse::<usize>().ok());
    let lines = numbers.len() - 2;
    assert_eq!(nothing.map(|nothing| nothing + lines), Some(17 + 8 + 9 + 7 + 11), "the groups of the sheet: {page}");
}

#[test]
fn other_observers_speak_in_their_own_words() {
    let page = told(testing::CONVERSATION, 80);
    assert!(below(&page, "zeek")[0].starts_with("conn_state SF · history ShADadFf"), "{page}");
    assert_eq!(below(&page, "wireshark"), ["completeness 31 = 1 SYN + 2 SYN,ACK + 4 ACK + 8 data + 16 FIN"]);
}

#[test]
fn findings_stand_with_their_sentence_and_a_clean_connection_has_none() {
    assert_eq!(below(&told(testing::CONVERSATION, 80), "findings"), ["none"]);
    let page = told(testing::REFUSED, 80);
    assert!(below(&page, "findings")[0].starts_with("error refused"), "{page}");
}

#[test]
fn what_the_capture_does_not_show_is_said_and_not_guessed() {
    let page = told(testing::MID_STREAM, 80);
    assert_eq!(below(&page, "opening"), ["not-seen · cannot tell: the connection began before the capture"]);
    assert_eq!(
        below(&page, "mss")[..2],
        ["A→B cannot tell: the receiver's SYN was not captured", "largest seen 4 · path ≥ 44"]
    );
    assert!(!page.contains("agreed"), "{page}");
}

#[test]
fn what_the_capture_cannot_know_stands_at_the_end() {
    let page = told(testing::MID_STREAM, 80);
    let capture = page.lines().position(|line| line.starts_with("  capture: ")).unwrap_or_else(|| panic!("{page}"));
    assert!(page.lines().nth(capture).is_some_and(|line| line.contains("found mid-stream")), "{page}");
    assert!(capture > page.lines().position(|line| line.starts_with("  wireshark")).unwrap_or(usize::MAX), "{page}");
}

#[test]
fn every_page_fits_narrow_and_wide_screens() {
    let scripts = [
        testing::CONVERSATION,
        testing::REFUSED,
        testing::MID_STREAM,
        testing::IDLE_CLOSE,
        testing::V6_WRONG_ACK,
        testing::WRONG_ACK_THEN_FOUR_WAY,
        testing::LOSS,
    ];
    for script in scripts {
        for width in [60, 80, 120, 200] {
            assert_fits(&told(script, width), width);
        }
    }
}
