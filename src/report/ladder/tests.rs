use std::cell::RefCell;

use super::*;
use crate::report::testing::assert_fits;
use crate::report::testing::watch;
use crate::report::testing::without_escapes;

fn drawn(script: &str, ladder: Ladder) -> String {
    let mut ladder = ladder;
    let mut out = Vec::new();
    watch(
        script,
        |packet, seen| ladder.packet(&mut out, packet, seen).expect("a vector takes everything"),
        |_| {},
        |_| {},
    );
    ladder.finish(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn dbg_all() {
    use crate::report::trace::tests as t;
    for script in [t::WHOLE, t::REFUSED, t::MID, t::IDLE, t::V6, t::FOUR, t::LOSS] {
        let text = drawn(script, Ladder::new(Style::plain(80), 0));
        eprintln!("{text}");
        assert_fits(&text, 80);
    }
    eprintln!("{}", drawn(t::UDP, Ladder::udp(Style::plain(80), 1)));
    let l = Ladder { fold_after: 4, ..Ladder::new(Style::plain(100), 0) };
    eprintln!("{}", drawn(t::WHOLE, l));
    panic!();
}
