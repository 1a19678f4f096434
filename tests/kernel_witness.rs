//! What a sending Linux counted in itself is what its packets show: recordings of `scripts/kernel-witness.sh`, judged.
//!
//! The numbers of each case are the kernel's own, as the script told them when it recorded. `docs/accuracy.md` has the
//! whole table.

use std::collections::BTreeMap;
use std::path::Path;

use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::finding::Verdict;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::Frame;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Seen;
use synscope::pipeline::Sink;
use synscope::source::FileSource;
use synscope::source::Flow;
use synscope::source::Poll;
use synscope::source::Source;

#[test]
fn two_fast_retransmissions_and_nothing_else_went_again() {
    // TcpRetransSegs 2, TCPFastRetrans 2.
    let judged = judged("witness-fast-retransmission.pcap");
    assert_eq!(judged, counts(&[("fast-retransmission", 2)]));
}

#[test]
fn three_probes_of_a_tail_are_told_to_have_been_needless() {
    // TcpRetransSegs 3, TCPLossProbes 3, TCPDSACKRecv 3.
    let judged = judged("witness-tail-loss-probe.pcap");
    assert_eq!(judged, counts(&[("spurious-retransmission", 3), ("tail-loss-probe", 3)]));
}

#[test]
fn three_probes_of_a_closed_window_are_no_retransmissions() {
    // TcpRetransSegs 0, TCPWinProbe 3.
    let judged = judged("witness-zero-window.pcap");
    assert_eq!(judged, counts(&[("zero-window-probe", 3)]));
}

/// Everything that names or proves a repetition or a probe, with its number.
fn judged(name: &str) -> BTreeMap<&'static str, u64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap").join(name);
    let mut source = FileSource::open(&path).expect("the fixture is there");
    let mut analyzer = Analyzer::default().judging(Judging::Broken);
    let mut counted = BTreeMap::new();
    let mut take = |frame: &Frame<'_>| {
        if let Seen::Tcp(seen) = analyzer.observe(&decode(frame), &mut Nowhere) {
            for judgement in seen.judgements.iter().filter(|judgement| judgement.verdict == Verdict::Broken(())) {
                let code = judgement.code.as_str();
                if code.contains("retransmission") || code.ends_with("-probe") {
                    *counted.entry(code).or_default() += 1;
                }
            }
        }
        Flow::Continue
    };
    while source.poll(&mut take).expect("the fixture is whole") != Poll::End {}
    counted
}

fn counts(pairs: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
    pairs.iter().copied().collect()
}

/// Takes what the analysis hands on; here only judgements count.
struct Nowhere;

impl Sink for Nowhere {
    fn connection(&mut self, _: &EndedConnection<'_>) {}

    fn exchange(&mut self, _: &EndedExchange<'_>) {}

    fn finding(&mut self, _: Finding) {}
}
