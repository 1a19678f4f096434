//! Per-packet work allocates nothing: a counting allocator watches decode and track.

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;

use synscope::craft;
use synscope::decode::Decoder;
use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Sink;
use synscope::tcp::life::Course;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[allow(unsafe_code)]
// SAFETY: every call is handed on unchanged to the system's allocator; counting touches a thread-local cell only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

struct Nobody;

impl Sink for Nobody {
    fn connection(&mut self, _: &EndedConnection<'_>) {}
    fn exchange(&mut self, _: &EndedExchange<'_>) {}
    fn finding(&mut self, _: Finding) {}
}

const OPEN: &str = "
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, ts 1 0, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460, sackOK, ts 9 1, wscale 7>
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502    <ts 2 9>
    +0.001  C > S  udp \"question\"
";

const TALK: &str = "
    +0.001  C > S  P.  1001:1501(500)  ack 5001  win 502  <ts 3 9>
    +0.001  S > C  .   5001:5001(0)    ack 1501  win 502  <ts 10 3>
    +0.001  S > C  P.  5001:6461(1460) ack 1501  win 502
    +0.001  C > S  .   1501:1501(0)    ack 6461  win 502
    +0.001  S > C  P.  5001:6461(1460) ack 1501  win 502
    +0.001  S > C  P.  7921:9381(1460) ack 1501  win 502
    +0.001  S > C  P.  6461:7921(1460) ack 1501  win 502
    +0.001  C > S  .   1501:1501(0)    ack 9381  win 0
    +0.001  C > S  udp \"question\"
    +0.001  S > C  udp \"answer\"
";

#[test]
fn packets_of_known_conversations_allocate_nothing() {
    let trace = craft::play(&format!("{OPEN}{TALK}")).expect("a script");
    let opening = OPEN.trim().lines().count();
    let mut analyzer = Analyzer::default();
    let mut packets = 0;
    let mut before = 0;
    // The first turn opens the conversations; the rest is what a long capture mostly is.
    for turn in 0..100 {
        let skip = if turn == 0 { 0 } else { opening };
        for frame in trace.frames().skip(skip) {
            analyzer.observe(&decode(&frame), &mut Nobody);
            packets += 1;
        }
        if turn == 0 {
            before = allocations();
        }
    }
    assert_eq!(allocations() - before, 0, "over {packets} packets");
    assert!(before > 0, "the counter counts");
}

/// A connection that goes on for two hundred rounds in order, with segments on their way in both directions.
fn in_order() -> String {
    let mut script = OPEN.to_owned();
    for round in 0..200 {
        let (asked, answered) = (1001 + round * 20, 5001 + round * 1000);
        let rest = format!("win 502 <ts {} {}>", 3 + round, 9 + round);
        script.push_str(&format!("+0.001 C > S P. {asked}:{}(20) ack {answered} {rest}\n", asked + 20));
        for part in 0..2 {
            let from = answered + part * 500;
            script.push_str(&format!("+0.001 S > C P. {from}:{}(500) ack {} {rest}\n", from + 500, asked + 20));
        }
        script.push_str(&format!("+0.001 C > S . {0}:{0}(0) ack {1} {rest}\n", asked + 20, answered + 1000));
    }
    script
}

#[test]
fn judging_segments_in_order_allocates_nothing_after_the_first_rounds() {
    let trace = craft::play(&in_order()).expect("a script");
    let mut analyzer = Analyzer::default().judging(Judging::Broken);
    let mut before = 0;
    for (index, frame) in trace.frames().enumerate() {
        if index == 40 {
            before = allocations();
        }
        analyzer.observe(&decode(&frame), &mut Nobody);
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn keeping_where_the_time_went_allocates_nothing_once_the_round_trips_have_their_buckets() {
    let trace = craft::play(&in_order()).expect("a script");
    let mut analyzer = Analyzer::default().judging(Judging::Broken).keeping_life(Course::RoundTrips);
    let mut before = 0;
    for (index, frame) in trace.frames().enumerate() {
        if index == 120 {
            before = allocations();
        }
        analyzer.observe(&decode(&frame), &mut Nobody);
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn a_decoder_with_memory_allocates_for_fragments_alone() {
    let whole = craft::play(TALK).expect("a script");
    let cut = craft::play("0 C > S udp (3000) fragment at 1000").expect("a script");
    let mut decoder = Decoder::default();
    let before = allocations();
    for frame in whole.frames() {
        assert!(decoder.decode(&frame).endpoints().is_some());
    }
    assert_eq!(allocations() - before, 0);
    for frame in cut.frames() {
        decoder.decode(&frame);
    }
    assert!(allocations() > before, "fragments have to be kept somewhere");
}
