#![cfg(test)]
//! What the capture itself missed is nobody's fault: each verdict that rests on it, with the twin where nothing was missed.

use super::*;
use Code::*;

/// Frames were lost right before packet `frame`.
fn lost(frame: u64) -> [(u64, Blind); 1] {
    [(frame, Blind { lost_before: frame, losses_told: true, ..Blind::default() })]
}

/// The clock was set back right before packet `frame`.
fn stepped(frame: u64) -> [(u64, Blind); 1] {
    [(frame, Blind { stepped_at: frame, ..Blind::default() })]
}

fn knowing(rest: &str, known: &[(u64, Blind)]) -> Judged {
    judge_knowing(&format!("{OPEN}{rest}"), 0, known)
}

#[test]
fn a_hole_where_the_kernel_dropped_frames_is_not_called_loss() {
    let jump = "+0.010 C > S . 101:201(100) ack 901 win 10000
         +0.010 C > S . 301:401(100) ack 901 win 10000
         +0.010 C > S . 501:601(100) ack 901 win 10000";
    assert_eq!(knowing(jump, &[]).verdict(5, LostSegment), Some(BROKEN));
    let dropped = knowing(jump, &lost(5));
    assert_eq!(dropped.verdict(5, LostSegment), cannot_tell(Gap::KernelDrops));
    assert_eq!(dropped.verdict(6, LostSegment), Some(BROKEN), "nothing was lost between packets 5 and 6");
    assert_eq!(knowing(jump, &lost(4)).verdict(5, LostSegment), Some(BROKEN), "lost before both");
}

#[test]
fn an_edge_that_may_have_moved_in_what_was_lost_accuses_nobody() {
    let over = "+0.010 C > S P. 8642:10102(1460) ack 901 win 10000
         +0.010 C > S P. 20202:20212(10) ack 901 win 10000";
    let sound = knowing(over, &[]);
    assert_eq!((sound.verdict(4, BeyondWindow), sound.verdict(5, SegmentAcceptable)), (Some(BROKEN), Some(BROKEN)));
    let dropped = knowing(over, &lost(4));
    assert_eq!(dropped.verdict(4, BeyondWindow), cannot_tell(Gap::KernelDrops));
    assert_eq!(dropped.verdict(5, SegmentAcceptable), cannot_tell(Gap::KernelDrops));
    // Old octets are old whatever was lost.
    let old = "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C . 901:901(0) ack 111 win 10000
         +0.500 C > S P. 101:111(10) ack 901 win 10000";
    assert_eq!(knowing(old, &lost(6)).verdict(6, SegmentAcceptable), Some(BROKEN));
}

#[test]
fn an_acknowledgment_of_what_was_lost_is_no_fault() {
    let third = "+0.000  C > S  S   100:100(0)            win 10000
         +0.010  S > C  S.  900:900(0)   ack 101  win 10000
         +0.010  C > S  .   101:101(0)   ack 911  win 10000";
    assert_eq!(judge_knowing(third, 0, &[]).verdict(3, AckRange), Some(BROKEN));
    assert_eq!(judge_knowing(third, 0, &lost(3)).verdict(3, AckRange), cannot_tell(Gap::KernelDrops));
    let sack = "+0.010 C > S . 101:201(100) ack 901 win 10000
         +0.010 S > C . 901:901(0) ack 101 win 10000 <sack 301:401>";
    assert_eq!(knowing(sack, &[]).verdict(5, SackSane), cannot_tell(Gap::NotCaptured));
    assert_eq!(knowing(sack, &lost(5)).verdict(5, SackSane), cannot_tell(Gap::KernelDrops));
}

#[test]
fn a_reset_behind_what_was_lost_may_carry_the_next_number() {
    let ahead = "+0.010 C > S R. 5101:5101(0) ack 901 win 0";
    assert_eq!(knowing(ahead, &[]).verdict(4, ResetValid), Some(BROKEN));
    assert_eq!(knowing(ahead, &lost(4)).verdict(4, ResetValid), cannot_tell(Gap::KernelDrops));
    let below = "+0.010 C > S R. 51:51(0) ack 901 win 0";
    assert_eq!(knowing(below, &lost(4)).verdict(4, ResetValid), Some(BROKEN), "nothing that was lost lies below");
}

const RESENT: &str = "+0.001 C > S . 101:201(100) ack 901 win 10000
     +0.010 S > C .  901:901(0)   ack 201 win 10000
     +0.001 C > S .  201:301(100) ack 901 win 10000
     +0.001 C > S .  301:401(100) ack 901 win 10000\n";

#[test]
fn who_asked_for_it_may_have_been_lost() {
    let again = format!("{RESENT}+0.400 C > S . 201:301(100) ack 901 win 10000");
    let sound = knowing(&again, &[]);
    assert_eq!(sound.verdict(8, FastRetransmission), HOLDS);
    assert_eq!(sound.broken(8), [TimeoutRetransmission]);
    let dropped = knowing(&again, &lost(8));
    assert_eq!(dropped.verdict(8, FastRetransmission), cannot_tell(Gap::KernelDrops));
    assert_eq!(dropped.verdict(8, TimeoutRetransmission), cannot_tell(Gap::KernelDrops));
    assert_eq!(dropped.broken(8), [RetransmissionUnexplained]);
    let before = knowing(&again, &lost(6));
    assert_eq!(before.broken(8), [TimeoutRetransmission], "lost before the original was sent");
}

#[test]
fn a_probe_is_not_told_where_acknowledgments_may_have_been_lost() {
    let tail = format!("{RESENT}+0.045 C > S . 301:401(100) ack 901 win 10000");
    assert_eq!(knowing(&tail, &[]).broken(8), [TailLossProbe]);
    assert_eq!(knowing(&tail, &lost(8)).verdict(8, TailLossProbe), cannot_tell(Gap::KernelDrops));
}

#[test]
fn duplicates_that_were_seen_ask_whatever_was_lost() {
    let asked = "+0.001 C > S . 101:201(100) ack 901 win 10000
         +0.001 C > S .  201:301(100) ack 901 win 10000
         +0.010 S > C .  901:901(0)   ack 101 win 10000
         +0.001 S > C .  901:901(0)   ack 101 win 10000
         +0.001 S > C .  901:901(0)   ack 101 win 10000
         +0.001 C > S .  101:201(100) ack 901 win 10000";
    assert_eq!(knowing(asked, &lost(9)).broken(9), [FastRetransmission]);
}

#[test]
fn a_clock_that_was_set_back_times_nothing() {
    let again = format!("{RESENT}+0.400 C > S . 201:301(100) ack 901 win 10000");
    let behind = knowing(&again, &stepped(8));
    assert_eq!(behind.verdict(8, TimeoutRetransmission), cannot_tell(Gap::ClockStepped));
    assert_eq!(knowing(&again, &stepped(5)).broken(8), [TimeoutRetransmission], "stepped before the original");
    let tail = format!("{RESENT}+0.045 C > S . 301:401(100) ack 901 win 10000");
    assert_eq!(knowing(&tail, &stepped(8)).verdict(8, TailLossProbe), cannot_tell(Gap::ClockStepped));
    let older = |known: &[(u64, Blind)]| {
        let script = format!(
            "{OPEN_TS}+0.010 S > C . 901:901(0) ack 101 win 10000 <ts 7040 1020>
             +2.000 S > C . 901:901(0) ack 101 win 10001 <ts 7039 1020>"
        );
        judge_knowing(&script, 0, known).verdict(5, Paws)
    };
    assert_eq!((older(&[]), older(&stepped(5))), (Some(BROKEN), cannot_tell(Gap::ClockStepped)));
}

#[test]
fn a_copy_that_bears_an_earlier_time_cannot_be_told_from_a_repetition() {
    let copy = |apart| {
        knowing(
            &format!(
                "+0.010 C > S P. 101:111(10) ack 901 win 10000 id 7
                 {apart} C > S P. 101:111(10) ack 901 win 10000 id 7"
            ),
            &[],
        )
        .verdict(5, CaptureDuplicate)
    };
    assert_eq!(copy("+0.0001"), Some(BROKEN));
    assert_eq!(copy("-0.0001"), cannot_tell(Gap::ClockStepped));
    assert_eq!(copy("+1.000"), None);
}

const SMALL: &str = "
    +0.000  C > S  S   100:100(0)            win 65535  <mss 1460>
    +0.010  S > C  S.  900:900(0)   ack 101  win 8192   <mss 1460>
    +0.010  C > S  .   101:101(0)   ack 901  win 65535
    +0.010  C > S  P.  101:1561(1460) ack 901 win 65535
    +0.001  S > C  .   901:901(0) ack 1561 win 1000
    +0.210  C > S  P.  1561:2561(1000) ack 901 win 65535
";

#[test]
fn a_wait_for_a_small_window_is_told_only_with_a_handshake_and_a_steady_clock() {
    assert_eq!(judge_knowing(SMALL, 0, &[]).verdict(6, WindowUnderSegment), Some(BROKEN));
    assert_eq!(judge_knowing(SMALL, 0, &stepped(6)).verdict(6, WindowUnderSegment), cannot_tell(Gap::ClockStepped));
    assert_eq!(judge_knowing(SMALL, 2, &[]).verdict(6, WindowUnderSegment), cannot_tell(Gap::NoHandshake));
}

#[test]
fn a_handshake_whose_options_were_cut_is_not_called_a_start_in_mid_stream() {
    let cut = judge_from(&format!("snaplen 54\n{OPEN}+0.010 S > C P. 901:911(10) ack 101 win 10000"), 0);
    assert_eq!(cut.verdict(4, SegmentAcceptable), cannot_tell(Gap::Snapped));
    assert_eq!(cut.verdict(3, WindowShrunk), cannot_tell(Gap::Snapped));
    let whole = open_then("+0.010 S > C P. 901:911(10) ack 101 win 10000");
    assert_eq!(whole.verdict(4, SegmentAcceptable), HOLDS);
}

#[test]
fn one_direction_alone_says_nothing_of_windows_requests_and_acknowledgments() {
    let one_sided = judge_from(
        "+0.000 C > S  S  100:100(0)   win 10000 <mss 1460>
         +0.020 C > S  .  101:101(0)   ack 901 win 10000
         +0.010 C > S  P. 101:111(10)  ack 901 win 10000
         +0.400 C > S  P. 101:111(10)  ack 901 win 10000",
        0,
    );
    assert_eq!(one_sided.verdict(3, SegmentAcceptable), cannot_tell(Gap::OneSided));
    assert_eq!(one_sided.verdict(3, BeyondWindow), cannot_tell(Gap::OneSided));
    assert_eq!(one_sided.verdict(4, FastRetransmission), cannot_tell(Gap::OneSided));
    assert_eq!(one_sided.verdict(4, TimeoutRetransmission), cannot_tell(Gap::OneSided));
}

#[test]
fn timestamps_that_were_not_agreed_on_are_not_looked_at() {
    let seen = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 <ts 1030 7000>
         +0.010 S > C .  901:901(0)  ack 111 win 10000
         +0.010 C > S P. 111:121(10) ack 901 win 10000 <ts 500 7000>",
    );
    assert_eq!(seen.verdict(6, Paws), None);
}
