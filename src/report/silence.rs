//! The silences of one connection, for people and for programs.

use serde::Serialize;

use crate::packet::Span;
use crate::report::json::Text;
use crate::report::line::Facts;
use crate::report::text;
use crate::report::words::several;
use crate::tcp::Side;
use crate::tcp::silence::Gap;
use crate::tcp::silence::Silences;

/// Shorter gaps are ordinary waiting: the time budget tells of those.
const WORTH_TELLING: Span = Span::from_secs(1);

/// The longest gaps, where one is worth telling, and the keep-alives of either side.
pub(super) fn lines(silences: &Silences) -> Vec<Facts> {
    let mut lines = Vec::new();
    if let Some(longest) = silences.of_both().filter(|gap| gap.span >= WORTH_TELLING) {
        let mut facts = Facts::default();
        facts.plain(format!("longest {}", between(longest)));
        for side in [Side::Client, Side::Server] {
            if let Some(gap) = silences.of(side).filter(|gap| *gap != longest && gap.span >= WORTH_TELLING) {
                facts.plain(format!("of the {} {}", side.name(), between(gap)));
            }
        }
        lines.push(facts);
    }
    for side in [Side::Client, Side::Server] {
        let asked = silences.keep_alives(side);
        if asked.count == 0 {
            continue;
        }
        let mut facts = Facts::default();
        facts.plain(format!("{} of the {}", several(asked.count.into(), "keep-alive"), side.name()));
        if let Some((least, most)) = asked.apart {
            facts.plain(match least == most {
                true => format!("{} apart", text::span(least)),
                false => format!("{} to {} apart", text::span(least), text::span(most)),
            });
        }
        lines.push(facts);
    }
    lines
}

fn between(gap: Gap) -> String {
    format!("{} (frames {} to {})", text::span(gap.span), gap.from, gap.to)
}

/// Object `silence`: absent where fewer than two packets passed.
#[derive(Serialize)]
pub(super) struct Silence {
    longest: Longest,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Longest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Longest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_keep_alives: Option<KeepAlives>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_keep_alives: Option<KeepAlives>,
}

#[derive(Serialize)]
struct Longest {
    span: Text<Span>,
    from_frame: u64,
    to_frame: u64,
}

#[derive(Serialize)]
struct KeepAlives {
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    apart_min: Option<Text<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apart_max: Option<Text<Span>>,
}

impl Silence {
    /// Nothing where nothing is known.
    pub(super) fn of(silences: &Silences) -> Option<Self> {
        let longest = |gap: Gap| Longest { span: Text(gap.span), from_frame: gap.from, to_frame: gap.to };
        let keep_alives = |side| {
            let asked = silences.keep_alives(side);
            (asked.count > 0).then(|| KeepAlives {
                count: asked.count,
                apart_min: asked.apart.map(|(least, _)| Text(least)),
                apart_max: asked.apart.map(|(_, most)| Text(most)),
            })
        };
        Some(Self {
            longest: longest(silences.of_both()?),
            client: silences.of(Side::Client).map(longest),
            server: silences.of(Side::Server).map(longest),
            client_keep_alives: keep_alives(Side::Client),
            server_keep_alives: keep_alives(Side::Server),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::pipeline::Analyzer;
    use crate::pipeline::Judging;
    use crate::report::testing::Screen;
    use crate::tcp::life::Course;

    /// The lines, and the object, of a connection that was asked so often, 75 s apart, whether it is still there.
    fn told(keep_alives: u32, wait: &str) -> (Vec<String>, serde_json::Value) {
        let mut script = format!(
            "
            +0.0  C > S  S   1000:1000(0)          win 500
            +0.1  S > C  S.  5000:5000(0) ack 1001 win 500
            +0.1  C > S  .   1001:1001(0) ack 5001 win 500
            +{wait} C > S P. 1001:1011(10) ack 5001 win 500
            +0.1  S > C  .   5001:5001(0) ack 1011 win 500
        "
        );
        for _ in 0..keep_alives {
            script += "+74.9 C > S . 1010:1010(0) ack 5001 win 500\n+0.1 S > C . 5001:5001(0) ack 1011 win 500\n";
        }
        let mut analyzer = Analyzer::default().patient().judging(Judging::Broken).keeping_life(Course::RoundTrips);
        let mut told = (Vec::new(), serde_json::Value::Null);
        let mut screen = Screen {
            connection: &mut |ended| {
                let silences = ended.connection.silences().expect("they are kept");
                told.0 = lines(silences).iter().map(Facts::in_words).collect();
                told.1 = serde_json::to_value(Silence::of(silences)).expect("plain data");
            },
            exchange: &mut |_| {},
        };
        for frame in craft::play(&script).expect("a script that reads").frames() {
            analyzer.observe(&decode(&frame), &mut screen);
        }
        analyzer.finish(&mut screen);
        told
    }

    #[test]
    fn a_long_gap_is_told_with_its_frames_and_a_short_one_is_not() {
        assert_eq!(told(0, "30.0").0, ["longest 30.0 s (frames 3 to 4) · of the server 30.2 s (frames 2 to 5)"]);
        assert_eq!(told(0, "0.9").0, Vec::<String>::new());
    }

    #[test]
    fn keep_alives_are_told_with_the_time_between_them() {
        let (lines, object) = told(3, "0.1");
        assert_eq!(lines[1..], ["3 keep-alives of the client · 75.0 s apart"]);
        assert_eq!(object["client_keep_alives"]["count"], 3);
        assert_eq!(object["client_keep_alives"]["apart_max"], "75.000000000");
        assert_eq!(object["longest"]["span"], "74.900000000");
        assert_eq!(object.get("server_keep_alives"), None);
    }
}
