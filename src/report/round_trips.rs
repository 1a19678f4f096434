//! The round trips of one connection, for people: how many were measured, how they lie, and a histogram.

use crate::packet::Span;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::text;
use crate::tcp::Side;
use crate::tcp::rtt::How;
use crate::tcp::rtt::RoundTrips;
use crate::tcp::rtt::Samples;

/// A row per direction and way of measuring; nothing where nothing was measured.
pub(super) fn grid(round_trips: &RoundTrips) -> Option<Grid> {
    let mut grid = Grid::new(&[
        Column::text("to the"),
        Column::text("measured by").spared(2),
        Column::number("samples"),
        Column::number("min"),
        Column::number("median"),
        Column::number("p95"),
        Column::number("max").spared(1),
    ]);
    let mut any = false;
    for sender in [Side::Client, Side::Server] {
        for how in How::ALL {
            let Some(samples) = round_trips.of(sender, how) else { continue };
            let about = if samples.is_exact() { "" } else { "~" };
            let cell = |span: Option<Span>| span.map(text::span).unwrap_or_default();
            grid.row(vec![
                sender.peer().name().to_owned(),
                name(how).to_owned(),
                text::count(samples.count()),
                cell(samples.least()),
                format!("{about}{}", cell(samples.quantile(50))),
                format!("{about}{}", cell(samples.quantile(95))),
                cell(samples.most()),
            ]);
            any = true;
        }
    }
    any.then_some(grid)
}

/// How the acknowledgments' samples lie, a bar per doubling, where there are many.
pub(super) fn histogram(round_trips: &RoundTrips) -> Option<Grid> {
    let mut grid = Grid::new(&[
        Column::text("to the"),
        Column::number("from"),
        Column::number("to"),
        Column::number("samples"),
        Column::text("").spared(1),
    ]);
    let mut any = false;
    for sender in [Side::Client, Side::Server] {
        let Some(samples) = round_trips.of(sender, How::Karn).filter(|samples| !samples.is_exact()) else { continue };
        let doublings = doublings(samples);
        let most = doublings.iter().map(|(_, _, count)| *count).max().unwrap_or(1);
        for (from, to, count) in doublings {
            let bar = "#".repeat((count * BAR).div_ceil(most) as usize);
            let peer = sender.peer().name().to_owned();
            grid.row(vec![peer, text::span(from), text::span(to), text::count(count), bar]);
            any = true;
        }
    }
    any.then_some(grid)
}

/// Buckets of one doubling put together.
fn doublings(samples: &Samples) -> Vec<(Span, Span, u64)> {
    let doubling = |span: Span| span.0.max(1).ilog2();
    let mut doublings: Vec<(Span, Span, u64)> = Vec::new();
    for (from, to, count) in samples.histogram() {
        match doublings.last_mut() {
            Some(last) if doubling(last.0) == doubling(from) => {
                last.1 = to;
                last.2 += u64::from(count);
            }
            Some(_) | None => doublings.push((from, to, count.into())),
        }
    }
    doublings
}

const fn name(how: How) -> &'static str {
    match how {
        How::Karn => "acknowledgment",
        How::Echo => "timestamp echo",
    }
}

/// Columns of the longest bar.
const BAR: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::play;
    use crate::decode::decode;
    use crate::pipeline::Analyzer;
    use crate::pipeline::Judging;
    use crate::report::testing::Screen;
    use crate::tcp::life::Course;

    /// Both tables of a connection whose client asked so often, one millisecond slower each time.
    fn tables(count: u64) -> String {
        let mut script = "
            +0.000  C > S  S   100:100(0)            win 10000  <mss 1000>
            +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 1000>
            +0.002  C > S  .   101:101(0)   ack 901  win 10000
        "
        .to_owned();
        for at in 0..count {
            let (from, to) = (101 + at * 10, 111 + at * 10);
            let away = 12 + at;
            script += &format!("+0.001 C > S P. {from}:{to}(10) ack 901 win 10000\n");
            script += &format!("+0.0{away:02} S > C . 901:901(0) ack {to} win 10000\n");
        }
        let mut analyzer = Analyzer::default().judging(Judging::Broken).keeping_life(Course::RoundTrips);
        let mut told = String::new();
        let mut screen = Screen {
            connection: &mut |ended| {
                let round_trips = ended.connection.round_trips().expect("they are kept");
                for grid in [grid(round_trips), histogram(round_trips)].into_iter().flatten() {
                    told += &grid.lines(76).join("\n");
                    told.push('\n');
                }
            },
            exchange: &mut |_| {},
        };
        for frame in play(&script).expect("a script that reads").frames() {
            analyzer.observe(&decode(&frame), &mut screen);
        }
        analyzer.finish(&mut screen);
        told
    }

    #[test]
    fn few_round_trips_are_exact_and_many_are_drawn_by_doublings() {
        let few = tables(3);
        assert!(few.contains("server  acknowledgment        4  10.0 ms  12.0 ms  14.0 ms  14.0 ms"), "{few}");
        assert!(!few.contains('~') && !few.contains('#'), "{few}");
        let many = tables(40);
        assert!(many.contains("acknowledgment       41  10.0 ms  ~"), "{many}");
        // 10 ms for the SYN, then 12 to 51 ms: 2 to the 24 nanoseconds are 16.8 ms.
        let bars: Vec<_> = many.lines().filter(|line| line.contains('#')).map(str::trim_end).collect();
        assert_eq!(
            bars,
            [
                "server  9.44 ms  16.8 ms        6  ###########",
                "server  16.8 ms  33.6 ms       17  ###############################",
                "server  33.6 ms  54.5 ms       18  ################################",
            ],
            "{many}"
        );
    }
}
