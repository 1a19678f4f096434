use std::cell::RefCell;

use super::*;
use crate::report::testing::assert_fits;
use crate::report::testing::watch;
use crate::report::testing::without_escapes;

/// What the program would show of a script, its line ends and all.
fn told(script: &str, style: Style) -> String {
    let screen = RefCell::new((TraceWriter::new(style), Vec::new()));
    let show = |write: &dyn Fn(&mut TraceWriter, &mut Vec<u8>) -> io::Result<()>| {
        let (writer, out) = &mut *screen.borrow_mut();
        write(writer, out).expect("a vector takes everything");
    };
    watch(
        script,
        |packet, seen| show(&|writer, out| writer.packet(out, packet, seen)),
        |ended| show(&|writer, out| writer.connection(out, ended)),
        |ended| show(&|writer, out| writer.exchange(out, ended)),
    );
    String::from_utf8(screen.into_inner().1).expect("text")
}

#[test]
fn dbg_all() {
    for script in [WHOLE, REFUSED, MID, IDLE, UDP, V6, FOUR, LOSS] {
        let text = told(script, Style::plain(80));
        eprintln!("{text}");
        assert_fits(&text, 80);
    }
    panic!();
}

pub(in crate::report) const WHOLE: &str = r#"
    C = 127.0.0.1:45876
    S = 127.0.0.1:47011
    +0.000000  C > S  S   2557618400:2557618400(0)                  win 65495  <mss 65495, sackOK, ts 100 0, wscale 10>
    +0.000010  S > C  S.  1609717634:1609717634(0)  ack 2557618401  win 65483  <mss 65495, sackOK, ts 200 100, wscale 10>
    +0.000012  C > S  .   2557618401:2557618401(0)  ack 1609717635  win 64  <ts 101 200>
    +0.000033  C > S  P.  2557618401:2557618407(6)  ack 1609717635  win 64  <ts 101 200> "1 2 3\n"
    +0.000005  S > C  .   1609717635:1609717635(0)  ack 2557618407  win 64  <ts 201 101>
    +0.002651  S > C  P.  1609717635:1609717637(2)  ack 2557618407  win 64  <ts 201 101> "6\n"
    +0.000020  C > S  .   2557618407:2557618407(0)  ack 1609717637  win 64  <ts 101 200>
    +0.000031  C > S  F.  2557618407:2557618407(0)  ack 1609717637  win 64  <ts 101 200>
    +0.000016  S > C  F.  1609717637:1609717637(0)  ack 2557618408  win 64  <ts 201 101>
    +0.000012  C > S  .   2557618408:2557618408(0)  ack 1609717638  win 64  <ts 101 200>
"#;

pub(in crate::report) const REFUSED: &str = "
    C = 127.0.0.1:45876
    S = 127.0.0.1:5656
    +0.000000  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +0.000012  S > C  R.  0:0(0)  ack 1001 win 0
    C = 127.0.0.1:45877
    +0.000000  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +1.0  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +2.0  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +0.5  S > C  icmp port-unreachable
";

pub(in crate::report) const MID: &str = r#"
    +0.000000  C > S  P.   1000:1004(4) ack 2000  "ping"
    +0.000012  S > C  P.  2000:2004(4)  ack 1004 "pong"
    +0.000012  C > S  .  1004:1004(0)  ack 2004
    +0.000012  C > S  F.  1004:1004(0)  ack 2004
    +0.000012  S > C  .  2004:2004(0)  ack 1005
    +0.000012  S > C  R.  2004:2004(0)  ack 1005
"#;

pub(in crate::report) const IDLE: &str = r#"
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    +30.0  S > C  F.   5001:5001(0)  ack 1001  win 502
    +0.001  C > S  R   1001:1001(0)  win 502
"#;

pub(in crate::report) const UDP: &str = r#"
    C = 127.0.0.1:40000
    S = 127.0.0.1:5656
    +0.000  C > S  udp "{\"A\":7,\"B\":4}"
    +0.000095  S > C  udp "{\"sum\":11}"
    S = 127.0.0.1:5657
    +0.000  C > S  udp "{\"A\":7,\"B\":4}"
    +0.000095  S > C  icmp port-unreachable
"#;

pub(in crate::report) const V6: &str = r#"
    C = [2001:db8::1]:40000
    S = [2001:db8:1234:5678:9abc:def0:1234:5678]:5656
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1440, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1005  win 65535  <mss 1400, sackOK, wscale 8>
"#;

pub(in crate::report) const FOUR: &str = r#"
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
    +0.001  C > S  .   1001:1001(0)  ack 5003  win 502
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    +0.001  C > S  F.   1001:1001(0)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 1002  win 502
    +0.001  S > C  F.   5001:5001(0)  ack 1002  win 502
    +0.001  C > S  .   1002:1002(0)  ack 5002  win 502
"#;

pub(in crate::report) const LOSS: &str = r#"
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460, sackOK, wscale 8>
    +0.020  C > S  .   1001:1001(0)  ack 5001  win 502
    +0.001  C > S  P.   1001:2461(1460)  ack 5001  win 502
    +0.001  C > S  P.   3921:5381(1460)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 2461  win 502 <sack 3921:5381>
    +0.001  C > S  P.   2461:3921(1460)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 5381  win 0
    +0.001  C > S  P.   2461:3921(1460)  ack 5001  win 502 checksum bad
    +0.001  C > S  P.   2461:3921(1460)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 5381  win 502 <sack 2461:3921>
    +0.001  C > S  .   5380:5380(0)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 5381  win 502
"#;
