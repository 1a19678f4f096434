//! Packets per second of each stage beside a bare loop over the records: read the ratios, not the absolutes.
//!
//! `track` follows connections without judging, judging, and with the dialect beside, and says what each keeps.
//! The capture is made here: 200 connections of 40 packets, interleaved, small and large segments, timestamps.

#![allow(clippy::print_stdout, reason = "a bench reports there")]

use std::hint::black_box;

use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use synscope::craft;
use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::Frame;
use synscope::packet::Packet;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Sink;
use synscope::source::FileSource;
use synscope::source::Flow;
use synscope::source::Poll;
use synscope::source::Source;
use synscope::tcp::dialect::Dialect;
use synscope::tcp::verdict::Judge;

struct Nobody;

impl Sink for Nobody {
    fn connection(&mut self, _: &EndedConnection<'_>) {}
    fn exchange(&mut self, _: &EndedExchange<'_>) {}
    fn finding(&mut self, _: Finding) {}
}

fn script() -> String {
    let mut script = String::new();
    for n in 0..200 {
        script.push_str(&format!("C{n} = 10.0.{}.{}:{}\n", n / 100, n % 100 + 1, 40_000 + n));
    }
    script.push_str("S = 10.9.9.9:80\n");
    let mut line = |text: String| script.push_str(&(text + "\n"));
    for n in 0..200 {
        line(format!("+0.0001 C{n} > S S 1000:1000(0) win 65535 <mss 1460, sackOK, ts 1 0, wscale 7>"));
        line(format!("+0.0001 S > C{n} S. 5000:5000(0) ack 1001 win 65535 <mss 1460, sackOK, ts 9 1, wscale 7>"));
        line(format!("+0.0001 C{n} > S . 1001:1001(0) ack 5001 win 502 <ts 2 9>"));
    }
    for round in 0..17 {
        let (asked, answered) = (1001 + round * 20, 5001 + round * 500);
        for n in 0..200 {
            line(format!("+0.0001 C{n} > S P. {asked}:{}(20) ack {answered} win 502 <ts 3 9>", asked + 20));
            line(format!("+0.0001 S > C{n} P. {answered}:{}(500) ack {} win 502 <ts 3 9>", answered + 500, asked + 20));
        }
    }
    for n in 0..200 {
        line(format!("+0.0001 C{n} > S F. 1341:1341(0) ack 13501 win 502 <ts 3 9>"));
        line(format!("+0.0001 S > C{n} F. 13501:13501(0) ack 1342 win 502 <ts 3 9>"));
        line(format!("+0.0001 C{n} > S . 1342:1342(0) ack 13502 win 502 <ts 3 9>"));
    }
    script
}

fn every_frame(file: &[u8], mut take: impl FnMut(&Frame<'_>)) {
    let mut source = FileSource::from_bytes("bench", file.to_vec()).expect("a capture");
    while let Ok(Poll::More) = source.poll(&mut |frame| {
        take(frame);
        Flow::Continue
    }) {}
}

fn stages(criterion: &mut Criterion) {
    let trace = craft::play(&script()).expect("a script");
    let file = trace.to_pcap();
    let packets: Vec<Packet<'_>> = trace.frames().map(|frame| decode(&frame)).collect();
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Elements(packets.len() as u64));
    group.bench_function("bare loop over the records", |bench| {
        bench.iter(|| {
            every_frame(&file, |frame| {
                black_box(frame.bytes.len());
            })
        });
    });
    group.bench_function("decode", |bench| {
        bench.iter(|| {
            for frame in trace.frames() {
                black_box(decode(&frame).layers.len());
            }
        });
    });
    group.bench_function("whole file", |bench| {
        bench.iter(|| {
            let mut analyzer = Analyzer::default();
            every_frame(&file, |frame| {
                analyzer.observe(&decode(frame), &mut Nobody);
            });
            analyzer.finish(&mut Nobody);
        });
    });
    group.finish();
    track(criterion, &packets);
}

/// Following connections without judging, judging, and with Wireshark's dialect beside; what each costs in state.
fn track(criterion: &mut Criterion, packets: &[Packet<'_>]) {
    let [connection, _] = Analyzer::state_sizes();
    println!("state per connection: {connection} octets; judging: {} more while it is open", size_of::<Judge>());
    let mut group = criterion.benchmark_group("track");
    group.throughput(Throughput::Elements(packets.len() as u64));
    for (name, judging, with_dialect) in [
        ("without judging", Judging::Off, false),
        ("judging", Judging::Broken, false),
        ("judging + dialect", Judging::Broken, true),
    ] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let (mut analyzer, mut dialect) = (Analyzer::default().judging(judging), Dialect::new());
                for packet in packets {
                    black_box(analyzer.observe(packet, &mut Nobody));
                    if with_dialect {
                        black_box(dialect.observe(packet));
                    }
                }
                analyzer.finish(&mut Nobody);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
