#![cfg(test)]
//! Pages as people see them, whole.

use super::*;
use crate::pipeline::Judging;
use crate::report::explain::stream::StreamExplainer;
use crate::report::style::Numbers;
use crate::report::testing::CONVERSATION;
use crate::report::testing::LOSS;
use crate::report::testing::MID_STREAM;
use crate::report::testing::REFUSED;
use crate::report::testing::UDP;
use crate::report::testing::assert_fits;
use crate::report::testing::watch_judging;
use crate::report::testing::without_escapes;
use crate::tcp::dialect::Dialect;

fn explained(script: &str, frame: u64, state: bool, style: Style) -> String {
    let mut explainer = Explainer::new(style, frame, state);
    let mut dialect = Dialect::new();
    watch_judging(
        Judging::Everything,
        script,
        |packet, seen| explainer.packet(packet, seen, dialect.observe(packet).as_ref()),
        |_| {},
        |_| {},
    );
    let mut out = Vec::new();
    assert!(explainer.finish(&mut out).expect("a vector takes everything"), "frame {frame} is there");
    String::from_utf8(out).expect("text")
}

fn plain(script: &str, frame: u64) -> String {
    explained(script, frame, false, Style::plain(80))
}

/// J = 1000, K = 5000, 10 ms to the server.
const OPEN: &str = "
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK>
    +0.010  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460, sackOK>
    +0.000  C > S  .   1001:1001(0)  ack 5001  win 65535
    +0.001  C > S  P.  1001:1101(100) ack 5001 win 65535
    +0.010  S > C  .   5001:5001(0)  ack 1101  win 65535
";

fn open_then(rest: &str) -> String {
    format!("{OPEN}{rest}")
}

#[test]
fn a_tail_loss_probe_that_a_duplicate_sack_proves_unnecessary() {
    let script = open_then(
        "+0.001 C > S P. 1101:1201(100) ack 5001 win 65535
         +0.025 C > S P. 1101:1201(100) ack 5001 win 65535
         +0.001 S > C .  5001:5001(0) ack 1201 win 65535
         +0.010 S > C .  5001:5001(0) ack 1201 win 65535 <sack 1101:1201>",
    );
    assert_eq!(
        plain(&script, 7),
        r#"packet 7  10.0.0.1:40000 → 10.0.0.2:80  100 B  (C→S #0 +0.047000 s)
  cause      tail loss probe · proved unnecessary
  does       "jklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc"… · seq 101..201
             retransmission: all 100 B seen before
             in flight 100 of 65535 B offered, room for 65435 more
  because    repeats octets 101..201 of packet 6, 25.0 ms later
             nothing moved for 25.0 ms: two round trips 20.0 ms passed, a timer
             of at most 246 ms not
             The last segment again after about two round trips, long before a
             timeout, to make the receiver say what it has.
  and        packet 9: the retransmission was not needed
             octets 101..201 had arrived: D-SACK 101..201
  rules      no beyond-window · ✓ segment-acceptable · ✓ ack-range
             no window-shrunk · no overlap-differs
  instead?   the same packet captured twice: no, its sender numbered it anew
             fast retransmission: no, nobody asked: no duplicate ACK and no SACK
             duplicate ACKs 0 · after 25.0 ms
  capture    capture-position: client-side
             10.0 ms to the server and back, 0 ns to the client
             0 routers towards the client, 0 towards the server
             the capture itself cannot know: capture-drops, it is not told
  wireshark  4.0: [TCP Retransmission]
             differs: Wireshark has no word for probes: it was sent long before
             the timer, to make the receiver answer
  next       packet 8 acknowledges all of it, 1.00 ms later
             packet 8 S→C ACK · ack 201 · all 100 B acknowledged, 0 in flight
             packet 9 S→C ACK · ack 201 · D-SACK 101..201: came twice
             window 65535
  source     RFC 8985 §7 · RFC 2883 §4 · RFC 3522 §3
"#
    );
}

#[test]
fn a_timeout_and_the_candidates_that_it_is_not() {
    let script = open_then(
        "+0.001 C > S P. 1101:1201(100) ack 5001 win 65535
         +0.300 C > S P. 1101:1201(100) ack 5001 win 65535
         +0.010 S > C .  5001:5001(0) ack 1201 win 65535",
    );
    assert_eq!(
        plain(&script, 7),
        r#"packet 7  10.0.0.1:40000 → 10.0.0.2:80  100 B  (C→S #0 +0.322000 s)
  cause      retransmission by timeout · timeout-retransmission
  does       "jklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc"… · seq 101..201
             retransmission: all 100 B seen before
             in flight 100 of 65535 B offered, room for 65435 more
  because    repeats octets 101..201 of packet 6, 300 ms later
             300 ms since the last try · RTO 200 ms · tries before this one: 1
             The timer ran out and the sender starts over slowly: each costs at
             least a fifth of a second, and speed after it.
  and        packet 8: acknowledges it; whether it was needed cannot be told:
             neither IP id nor timestamp tells one packet from another
  rules      no beyond-window · ✓ segment-acceptable · ✓ ack-range
             no window-shrunk · no overlap-differs
  instead?   the same packet captured twice: no, its sender numbered it anew
             fast retransmission: no, nobody asked: no duplicate ACK and no SACK
             duplicate ACKs 0 · after 300 ms
             tail loss probe: no, by then the timer had run out · after 300 ms
             RTO 246 ms
  capture    capture-position: client-side
             10.0 ms to the server and back, 0 ns to the client
             0 routers towards the client, 0 towards the server
             the capture itself cannot know: capture-drops, it is not told
  wireshark  4.0: [TCP Retransmission]
  next       packet 8 acknowledges all of it, 10.0 ms later
             packet 8 S→C ACK · ack 201 · all 100 B acknowledged, 0 in flight
  source     RFC 6298 §5
"#
    );
}

#[test]
fn a_fast_retransmission_that_three_duplicates_asked_for() {
    assert_eq!(
        plain(&asked_for(), 13),
        r#"packet 13  10.0.0.1:40000 → 10.0.0.2:80  100 B  (C→S #0 +0.036000 s)
  cause      fast retransmission
  does       "jklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc"… · seq 101..201
             retransmission: all 100 B seen before
  because    repeats octets 101..201 of packet 6, 14.0 ms later
             3 duplicate ACKs (3 ask), 300 octets above are held
             what was sent 3.00 ms later arrived
             The receiver asked for it, by three duplicate acknowledgments or by
             SACK for what came later.
  and        packet 14: acknowledges it; whether it was needed cannot be told:
             neither IP id nor timestamp tells one packet from another
  rules      no beyond-window · ✓ segment-acceptable · ✓ ack-range
             no window-shrunk · no overlap-differs
  capture    capture-position: client-side
             10.0 ms to the server and back, 0 ns to the client
             0 routers towards the client, 0 towards the server
             the capture itself cannot know: capture-drops, it is not told
  wireshark  4.0: [TCP Fast Retransmission]
  next       packet 14 acknowledges all of it, 10.0 ms later
             packet 14 S→C ACK · ack 501 · all 400 B acknowledged, 0 in flight
  source     RFC 5681 §3.2 · RFC 6675 §5 · RFC 8985 §6
"#
    );
}

#[test]
fn the_third_duplicate_acknowledgment_says_what_is_still_due() {
    assert_eq!(
        plain(&asked_for(), 12),
        r#"packet 12  10.0.0.2:80 → 10.0.0.1:40000  ACK  (S→C #0 +0.035000 s)
  does       duplicate acknowledgment number 3: 101 is still what is due
             ack 101 · sack 201..501 · window 65535
  rules      ✓ segment-acceptable · ✓ ack-range · no window-shrunk · ✓ sack-sane
  wireshark  4.0: [TCP Dup ACK 5#3]
  next       packet 13 C→S 100 B · "jklmnopqrstuvwxyzabcdefg"… · seq 101..201
             retransmission: all 100 B seen before
             packet 14 S→C ACK · ack 501 · all 400 B acknowledged, 0 in flight
  source     RFC 5681 §2
"#
    );
}

fn asked_for() -> String {
    open_then(
        "+0.001 C > S . 1101:1201(100) ack 5001 win 65535
         +0.001 C > S . 1201:1301(100) ack 5001 win 65535
         +0.001 C > S . 1301:1401(100) ack 5001 win 65535
         +0.001 C > S . 1401:1501(100) ack 5001 win 65535
         +0.008 S > C . 5001:5001(0)   ack 1101 win 65535 <sack 1201:1301>
         +0.001 S > C . 5001:5001(0)   ack 1101 win 65535 <sack 1201:1401>
         +0.001 S > C . 5001:5001(0)   ack 1101 win 65535 <sack 1201:1501>
         +0.001 C > S . 1101:1201(100) ack 5001 win 65535
         +0.010 S > C . 5001:5001(0)   ack 1501 win 65535",
    )
}

#[test]
fn a_linux_probe_of_a_closed_window_is_no_keep_alive() {
    let script = open_then(
        "+0.001 S > C .  5001:5001(0) ack 1101 win 0
         +1.000 C > S .  1100:1100(0) ack 5001 win 65535
         +0.010 S > C .  5001:5001(0) ack 1101 win 0",
    );
    assert_eq!(
        plain(&script, 7),
        r#"packet 7  10.0.0.1:40000 → 10.0.0.2:80  ACK  (C→S #0 +1.022000 s)
  cause      zero-window probe · zero-window-probe
  does       acknowledges nothing new, and carries nothing · ack 1
             zero-window probe: seq 100 is one below the next, and the peer has
             no room
  because    window 0 · seq 100, snd_nxt 101, 0 octets
             The peer's window is closed; the sender asks whether it still is.
             BSD sends the next octet, Linux an old number and none.
  and        packet 8: answer to a zero-window probe · ack 101, window 0
  rules      ✓ segment-acceptable · ✓ ack-range · no window-shrunk
  wireshark  4.0: [TCP Keep-Alive]
             differs: Wireshark looks at the number alone. The peer's window is
             0, so this asks whether it still is: Linux probes with an old
             number and no octet, BSD with the next octet
  next       packet 8 S→C ACK · ack 101 · window 0
  source     RFC 9293 §3.8.6.1
"#
    );
}

#[test]
fn a_step_of_the_handshake_has_its_sum_and_no_cause() {
    assert_eq!(
        plain(CONVERSATION, 2),
        r#"packet 2  127.0.0.1:47011 → 127.0.0.1:45876  SYN,ACK  (S→C #0 +0.000010 s)
  does       handshake, step 2 of 3: agrees, and opens its own direction
             K=1609717634 · ack 2557618401 = J+1 ✓ · server side 10 µs
             mss 65495 (65535−40, loopback) · wscale 10 · sack · ts
  sum        ✓ syn-ack-ack: ack 2557618401 = J 2557618400 + 1 · see packet 1
  and        packet 3: the third segment acknowledges the SYN,ACK
             ack 1609717635 = K 1609717634 + 1
  rules      ✓ window-scale-limit · ✓ ack-range
  wireshark  4.0: no flags
  next       packet 3 acknowledges all of it, 12 µs later
             packet 3 C→S ACK · seq J+1 ✓ · ack 1609717635 = K+1 ✓
             client side 12 µs · ESTABLISHED, rtt 22 µs
             packet 4 C→S 6 B · "1 2 3\n" · seq 1..7
             packet 5 S→C ACK · ack 7 · all 6 B acknowledged, 0 in flight
  source     RFC 9293 §3.5 · RFC 9293 §3.10.7.3 · RFC 9293 §3.10.7.4
"#
    );
}

#[test]
fn a_pure_acknowledgment_says_what_it_acknowledges() {
    assert_eq!(
        plain(CONVERSATION, 5),
        r#"packet 5  127.0.0.1:47011 → 127.0.0.1:45876  ACK  (S→C #0 +0.000060 s)
  does       acknowledges, and carries nothing · ack 7
             all 6 B acknowledged, 0 in flight
  rules      ✓ paws · ✓ segment-acceptable · ✓ ack-range · no window-shrunk
  wireshark  4.0: no flags
  next       packet 6 S→C 2 B · "6\n" · seq 1..3
             answer to frame 4, server thought 2.66 ms
             packet 7 C→S ACK · ack 3 · all 2 B acknowledged, 0 in flight
             packet 8 C→S FIN · seq 7
  source     RFC 9293 §3.4, §3.8
"#
    );
}

#[test]
fn a_refused_connection_is_explained_at_its_reset() {
    assert_eq!(
        plain(REFUSED, 2),
        r#"packet 2  127.0.0.1:5656 → 127.0.0.1:45876  RST,ACK  (S→C #0 +0.000012 s)
  cause      connection refused · refused
  does       refuses: the SYN is answered by a reset
             REFUSED after 12 µs: RST,ACK acknowledges J+1 — the host is up,
             nobody listens on port 5656
  because    RST,ACK 12 µs after the SYN: ack 1001 = J 1000 + 1 · see packet 1
             The host answered the SYN with RST+ACK: it is up, and nobody
             listens on that port. Start the service, or mend the port.
  wireshark  4.0: no flags
  next       nothing: it is the last packet of its stream
  source     RFC 9293 §3.10.7.1
"#
    );
}

#[test]
fn a_datagram_is_explained_with_its_answer_and_an_icmp_error_with_what_it_ends() {
    assert_eq!(
        plain(UDP, 1),
        r#"packet 1  127.0.0.1:40000 → 127.0.0.1:5656  13 B  (#u0 +0.000000 s)
  does       asks: the first side of this conversation sends
             "{\"A\":7,\"B\":4}" · request
  and        answered by packet 2
  next       packet 2 B→A 10 B, 95 µs later · "{\"sum\":11}"
             answer to frame 1, 95 µs
  source     RFC 768
"#
    );
    assert_eq!(
        plain(UDP, 4),
        r#"packet 4  2023-11-14 22:13:20.000190 UTC
  cause      udp port closed
  does       port unreachable from 127.0.0.1
             about 127.0.0.1:40000 > 127.0.0.1:5657
             nobody listens on port 5657 · about udp stream 1
  because    The host answered with ICMP "port unreachable": it is up, and
             nobody has a socket on that port.
  source     RFC 1122 §3.2.2.1
"#
    );
}

#[test]
fn the_state_shows_both_ends_in_numbers_that_a_person_can_redo_sums_with() {
    let text = explained(&asked_for(), 12, true, Style::plain(80));
    let state = text.split("state after").nth(1).expect("the table follows");
    assert_eq!(
        state,
        r#" packet 12
variable             client    raw       server   raw
state           ESTABLISHED         ESTABLISHED
ISS                       0   1000            0   5000
snd_una                 101   1101            1   5001
snd_nxt                 501   1501            1   5001
snd_max                 501   1501            1   5001
in flight               400                   0
rcv_nxt                   1   5001          101   1101
rcv_wnd               65535               65535
right edge            65536  70536        65636  66636
largest window        65535               65535
wscale                    0                   0
effective MSS          1460                1460
duplicate ACKs            3                   0
SRTT                10.0 ms                0 ns
RTTVAR              3.75 ms                0 ns
RTO                  200 ms              200 ms
RTT samples               2                   1
SACK scoreboard of the client: 201..501

state: what it sent · ISS: its SYN · snd_una: highest ACK of the peer
  snd_nxt: end of its latest packet · snd_max: highest end so far
  in flight: snd_max − snd_una · rcv_nxt: its highest ACK, peer's numbers
  rcv_wnd: window × 2^scale · right edge: ack + window, peer's numbers
  largest window: of all it offered · wscale: both SYNs
  effective MSS: SYN options · duplicate ACKs: received since snd_una moved
  SRTT: RFC 6298, from the capture point · RTTVAR: RFC 6298
  RTO: SRTT + 4·RTTVAR, at least 200 ms; 1 s before a sample
  RTT samples: nothing of it sent twice (Karn)
"#
    );
}

#[test]
fn a_stream_is_told_by_its_noteworthy_packets() {
    let mut explainer = StreamExplainer::new(Style::plain(80), 0);
    let trace = crate::craft::play(&asked_for()).expect("the script is sound");
    let mut analyzer = crate::pipeline::Analyzer::default().judging(Judging::Everything);
    for frame in trace.frames() {
        let packet = crate::decode::decode(&frame);
        let seen = analyzer.observe(&packet, &mut explainer);
        explainer.packet(&packet, &seen);
    }
    analyzer.finish(&mut explainer);
    let mut out = Vec::new();
    assert!(explainer.finish(&mut out).expect("a vector takes everything"));
    assert_eq!(
        String::from_utf8(out).expect("text"),
        r#"stream 0  10.0.0.1:40000 → 10.0.0.2:80
  opening    packet 1 C→S SYN · J=1000 · mss 1460 (MTU 1500 −20 −20) · sack
             packet 2 S→C SYN,ACK · K=5000 · ack 1001 = J+1 ✓
             server side 10.0 ms · mss 1460 (MTU 1500 −20 −20) · sack
             packet 3 C→S ACK · seq J+1 ✓ · ack 5001 = K+1 ✓ · client side 0 ns
             ESTABLISHED, rtt 10.0 ms
  13         C→S 100 B +36.0 ms · fast retransmission (fast-retransmission)
             3 duplicate ACKs (3 ask), 300 octets above are held; what was sent
             3.00 ms later arrived · see packet 6
  counts     1 × fast-retransmission
  end        handshake established · 500 B there, 0 B back · still open
             the capture ended · 1 segment retransmitted
"#
    );
}

#[test]
fn every_frame_of_every_script_fits_the_screen_and_fills_in_every_number() {
    for script in [CONVERSATION, LOSS, MID_STREAM, REFUSED, UDP, &asked_for()] {
        let frames = crate::craft::play(script).expect("the script is sound").frames.len() as u64;
        for frame in 1..=frames {
            let text = explained(script, frame, true, Style::plain(80));
            assert_fits(&text, 80);
            assert!(!text.contains(['{', '}']) || text.contains("\"{"), "{text}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
            let coloured = explained(script, frame, true, Style { colour: true, ..Style::plain(80) });
            assert_eq!(without_escapes(&coloured), text);
        }
    }
}

#[test]
fn absolute_numbers_are_those_of_the_wire() {
    let style = Style { numbers: Numbers::Absolute, ..Style::plain(80) };
    let text = explained(&asked_for(), 13, false, style);
    assert!(text.contains("repeats octets 1101..1201 of packet 6"), "{text}");
}

#[test]
fn a_frame_that_never_came_is_not_explained() {
    let explainer = Explainer::new(Style::plain(80), 9, false);
    assert!(!explainer.finish(&mut Vec::new()).expect("a vector takes everything"));
}

#[test]
fn the_object_says_what_the_page_says_with_every_verdict_and_number() {
    let mut explainer = Explainer::new(Style::plain(80), 13, true);
    let mut dialect = Dialect::new();
    watch_judging(
        Judging::Everything,
        &asked_for(),
        |packet, seen| explainer.packet(packet, seen, dialect.observe(packet).as_ref()),
        |_| {},
        |_| {},
    );
    let mut out = Vec::new();
    assert!(explainer.finish_object(&mut out, "a.pcap").expect("a vector takes everything"));
    let text = String::from_utf8(out).expect("text");
    assert_eq!(text.lines().count(), 1);
    let object: Value = serde_json::from_str(&text).expect("an object");
    assert_eq!((&object["type"], &object["frame"]), (&"explanation".into(), &13.into()));
    assert_eq!(object["cause"]["code"], "fast-retransmission");
    assert_eq!(object["next"][0], "packet 14 acknowledges all of it, 10.0 ms later");
    let verdicts = object["verdicts"].as_array().expect("a list");
    let fast = verdicts.iter().find(|verdict| verdict["code"] == "fast-retransmission").expect("the cause");
    assert_eq!((&fast["verdict"], &fast["duplicate_acks"]), (&"found".into(), &3.into()));
    assert!(object["trial"].as_array().is_some_and(|items| items.len() == 10), "{}", object["trial"]);
    // Word by word: what stands on the page stands in the object.
    let page = plain(&asked_for(), 13);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" · ", " ");
    let page = words(&page);
    for key in ["because", "rules", "capture", "wireshark", "next", "source"] {
        for line in object[key].as_array().expect(key) {
            assert!(page.contains(&words(line.as_str().expect("text"))), "{key}: {line}");
        }
    }
}
