#![cfg(test)]
//! Blindness never accuses.

use super::*;

const LIFE: &str = "
    +0.010 C > S P. 101:201(100) ack 901 win 10000 <ts 1030 7000>
    +0.010 S > C .  901:901(0)   ack 201 win 10000 <ts 7030 1030>
    +0.010 S > C P. 901:1901(1000) ack 201 win 10000 <ts 7040 1030>
    +0.010 C > S .  201:201(0)   ack 1901 win 10000 <ts 1060 7040>
    +0.010 C > S P. 201:301(100) ack 1901 win 10000 <ts 1070 7040>
    +0.400 C > S P. 201:301(100) ack 1901 win 10000 <ts 1470 7040>
    +0.010 S > C .  1901:1901(0) ack 301 win 10000 <ts 7500 1470>
    +0.010 C > S F. 301:301(0)   ack 1901 win 10000 <ts 1500 7500>
    +0.010 S > C F. 1901:1901(0) ack 302 win 10000 <ts 7520 1500>
    +0.010 C > S .  302:302(0)   ack 1902 win 10000 <ts 1520 7520>
";

/// Rules whose breaking accuses a host; causes are no accusations.
const ACCUSING: &[Code] = &[
    Code::SegmentAcceptable,
    Code::AckRange,
    Code::WindowShrunk,
    Code::BeyondWindow,
    Code::ResetValid,
    Code::Paws,
    Code::SackSane,
    Code::OverlapDiffers,
];

#[test]
fn dropping_the_first_packets_never_turns_holds_into_broken() {
    let script = format!("{OPEN_TS}{LIFE}");
    let whole = judge_from(&script, 0);
    for skip in 1..13 {
        let later = judge_from(&script, skip);
        for (frame, judgement) in &later.all {
            if ACCUSING.contains(&judgement.code) && judgement.verdict == BROKEN {
                assert_eq!(
                    whole.verdict(*frame, judgement.code),
                    Some(BROKEN),
                    "packet {frame} without the first {skip}"
                );
            }
        }
    }
}
