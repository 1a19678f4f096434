//! The adder over real sockets on loopback: every I/O mode, both protocols, both families, and the program itself.

// What was skipped, and in which mode a test stood when it failed, is said on the test's own stdout.
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::ops::ControlFlow;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use synscope::adder::client;
use synscope::adder::client::Call;
use synscope::adder::client::CallError;
use synscope::adder::client::Loss;
use synscope::adder::client::Outcome;
use synscope::adder::client::Round;
use synscope::adder::client::Summary;
use synscope::adder::client::Transport;
use synscope::adder::server::Config;
use synscope::adder::server::IoMode;
use synscope::adder::server::ServeError;
use synscope::adder::server::Server;

// ---- over TCP, in every mode ----

#[test]
fn every_mode_answers_both_protocols_on_both_families() {
    for io in IoMode::ALL {
        for host in families() {
            let addr = || Some(format!("{host}:0"));
            let server = start(Config { tcp: addr(), udp: addr(), io, ..Config::default() });
            let mut tcp = Tcp::to(&server);
            assert_eq!(tcp.ask("{\"A\":7,\"B\":4}"), "{\"Sum\":11}\n", "{io} {host}");
            assert_eq!(Udp::to(&server).ask(b"{\"A\":7,\"B\":4}"), "{\"Sum\":11}", "{io} {host}");
            let totals = server.stop();
            assert_eq!((totals.clients, totals.tcp_sums, totals.udp_sums, totals.errors), (1, 1, 1, 0), "{io} {host}");
        }
    }
}

#[test]
fn a_half_message_waits_for_its_other_half() {
    for_every_mode(|server| {
        let mut half = Tcp::to(server);
        half.send("{\"A\":7,\"B");
        // Another client's round trip in between: the half one was not answered, and held nobody up.
        assert_eq!(Tcp::to(server).ask("{\"A\":1}"), "{\"Sum\":1}\n");
        assert_eq!(half.ask("\":4}"), "{\"Sum\":11}\n");
    });
}

#[test]
fn three_messages_in_one_write_are_answered_in_order() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        tcp.send("{\"A\":1,\"B\":1}{\"A\":2,\"B\":2} {\"A\":3,\"B\":3}");
        assert_eq!([tcp.line(), tcp.line(), tcp.line()], ["{\"Sum\":2}\n", "{\"Sum\":4}\n", "{\"Sum\":6}\n"]);
    });
}

#[test]
fn a_message_sent_octet_by_octet_is_answered_once() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        for octet in b"{\"A\": -7, \"B\": 4}" {
            tcp.stream().write_all(&[*octet]).expect("the server reads");
        }
        assert_eq!(tcp.line(), "{\"Sum\":-3}\n");
        tcp.end();
        assert_eq!(tcp.line(), "");
    });
}

#[test]
fn what_a_go_encoder_writes_is_understood() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        assert_eq!(tcp.ask("{\"A\":7,\"B\":4}\n"), "{\"Sum\":11}\n");
        assert_eq!(tcp.ask("{\"a\":7,\"b\":4,\"Note\":null}\n"), "{\"Sum\":11}\n");
        assert_eq!(tcp.ask("{\n\t\"A\": 7\n}\n"), "{\"Sum\":7}\n");
    });
}

#[test]
fn a_connection_survives_every_error_after_which_framing_is_still_known() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        for (sent, error) in [
            ("[7,4]".to_owned(), "array where an object belongs"),
            ("{\"A\":7.0}".to_owned(), "A: number with point or exponent where an integer belongs"),
            ("{\"A\":\"7\"}".to_owned(), "A: string where an integer belongs"),
            ("{\"A\":9223372036854775808}".to_owned(), "A: number overflows 64 bits"),
            ("{\"A\":9223372036854775807,\"B\":1}".to_owned(), "9223372036854775807 + 1 overflows 64 bits"),
            ("GET / HTTP/1.1\n".to_owned(), "syntax error at octet 1: 'G' where a value belongs"),
            (format!("{{\"A\":\"{}\"}}", "x".repeat(5000)), "message over 4096 octets"),
        ] {
            assert_eq!(tcp.ask(&sent), format!("{{\"Error\":\"{error}\"}}\n"));
            assert_eq!(tcp.ask("{\"A\":7,\"B\":4}"), "{\"Sum\":11}\n", "after {error}");
        }
    });
}

#[test]
fn a_stream_without_end_reads_its_error_and_a_fin_although_octets_are_still_under_way() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        let flood = vec![b'x'; 200_000];
        let mut writer = tcp.stream().try_clone().expect("a descriptor is free");
        // The write may end early: the server closes.
        let writing = thread::spawn(move || drop(writer.write_all(&flood)));
        assert_eq!(tcp.line(), "{\"Error\":\"syntax error at octet 1: 'x' where a value belongs\"}\n");
        assert_eq!(tcp.line(), "", "closed, with a FIN");
        tcp.end();
        writing.join().expect("the writer ends");
    });
}

#[test]
fn a_message_cut_short_by_the_clients_fin_is_an_error_and_a_whole_one_before_it_is_not() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        tcp.send("{\"A\":1}{\"A\":");
        tcp.end();
        assert_eq!(tcp.line(), "{\"Sum\":1}\n");
        assert_eq!(tcp.line(), "{\"Error\":\"message cut short after 5 octets\"}\n");
        assert_eq!(tcp.line(), "");
    });
}

#[test]
fn ten_thousand_requests_without_a_pause_are_answered_in_order() {
    for_every_mode(|server| {
        let mut tcp = Tcp::to(server);
        let mut writer = tcp.stream().try_clone().expect("a descriptor is free");
        let all: String = (0..10_000).map(|a| format!("{{\"A\":{a},\"B\":1}}")).collect();
        let writing = thread::spawn(move || writer.write_all(all.as_bytes()));
        for a in 0..10_000 {
            assert_eq!(tcp.line(), format!("{{\"Sum\":{}}}\n", a + 1));
        }
        writing.join().expect("the writer ends").expect("the server reads");
    });
}

#[test]
fn a_silent_client_is_closed_with_a_fin_and_an_active_one_is_not() {
    for io in IoMode::ALL {
        let server = start(Config { idle_timeout: Duration::from_millis(300), ..local(io) });
        let (mut silent, mut active) = (Tcp::to(&server), Tcp::to(&server));
        silent.send("{\"A\":");
        let mut closing = thread::spawn(move || silent.line());
        while !closing.is_finished() {
            assert_eq!(active.ask("{}"), "{\"Sum\":0}\n", "{io}");
        }
        closing = thread::spawn(move || active.line());
        assert_eq!(closing.join().expect("a FIN, not a RST"), "", "{io}");
        assert_eq!(server.stop().idle, 2, "{io}");
    }
}

#[test]
fn fifty_clients_are_served_at_once() {
    for_every_mode(|server| {
        let connected = Barrier::new(50);
        thread::scope(|scope| {
            for client in 0..50 {
                let connected = &connected;
                scope.spawn(move || {
                    let mut tcp = Tcp::to(server);
                    assert_eq!(tcp.ask("{}"), "{\"Sum\":0}\n");
                    connected.wait();
                    for round in 0..20 {
                        let sum = client + round;
                        assert_eq!(
                            tcp.ask(&format!("{{\"A\":{client},\"B\":{round}}}")),
                            format!("{{\"Sum\":{sum}}}\n")
                        );
                    }
                });
            }
        });
        assert_eq!(server.totals().clients, 50);
    });
}

#[test]
fn a_client_too_many_is_told_so_and_the_seat_of_one_that_left_is_free_again() {
    for io in IoMode::ALL {
        let server = start(Config { max_clients: 2, ..local(io) });
        let (mut first, mut second) = (Tcp::to(&server), Tcp::to(&server));
        assert_eq!((first.ask("{}"), second.ask("{}")), ("{\"Sum\":0}\n".into(), "{\"Sum\":0}\n".into()));
        let mut third = Tcp::to(&server);
        third.send("{\"A\":1}");
        assert_eq!(third.line(), "{\"Error\":\"limit of 2 clients reached, come back later\"}\n", "{io}");
        assert_eq!(third.line(), "", "{io}");
        second.end();
        assert_eq!(second.line(), "", "{io}");
        // The server may see the next connection before it has cleared the seat: ask until it has.
        within(|| Tcp::to(&server).ask("{\"A\":1}") == "{\"Sum\":1}\n");
        assert_eq!(first.ask("{}"), "{\"Sum\":0}\n", "{io}");
        assert!(server.stop().refused >= 1, "{io}");
    }
}

#[test]
fn a_stop_answers_what_has_arrived_and_closes_every_client() {
    for io in IoMode::ALL {
        let server = start(local(io));
        let addr = tcp_addr(&server);
        let (mut busy, mut half) = (Tcp::to(&server), Tcp::to(&server));
        assert_eq!((busy.ask("{}"), half.ask("{}")), ("{\"Sum\":0}\n".into(), "{\"Sum\":0}\n".into()));
        busy.send(&"{\"A\":2}".repeat(100));
        half.send("{\"A\":");
        let totals = server.stop();
        let mut rest = String::new();
        busy.0.read_to_string(&mut rest).expect("a FIN, not a RST");
        assert_eq!(rest, "{\"Sum\":2}\n".repeat(100), "{io}");
        assert_eq!(half.line(), "", "{io}: a half message is nobody's mistake when we stop");
        assert_eq!((totals.clients, totals.tcp_sums, totals.errors), (2, 102, 0), "{io}");
        assert!(TcpStream::connect(addr).is_err(), "{io}");
    }
}

#[test]
fn a_stop_does_not_wait_for_a_client_that_takes_no_answers() {
    for io in IoMode::ALL {
        let server = start(local(io));
        let mut tcp = Tcp::to(&server);
        assert_eq!(tcp.ask("{}"), "{\"Sum\":0}\n");
        tcp.stream().set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout over zero");
        // Until no buffer on the way has room: the server is stuck in its answers.
        while tcp.stream().write_all(&b"{}".repeat(4096)).is_ok() {}
        let began = Instant::now();
        server.stop();
        assert!(began.elapsed() < Duration::from_secs(5), "{io}: {:?}", began.elapsed());
    }
}

#[test]
fn a_client_that_takes_no_answers_is_closed_after_the_idle_timeout() {
    for io in IoMode::ALL {
        let server = start(Config { idle_timeout: Duration::from_millis(300), ..local(io) });
        let mut tcp = Tcp::to(&server);
        tcp.stream().set_write_timeout(Some(PATIENCE)).expect("a timeout over zero");
        // Ends with an error when the server has closed.
        while tcp.stream().write_all(&b"{}".repeat(4096)).is_ok() {}
        within(|| server.totals().idle == 1);
    }
}

// ---- over UDP, in every mode ----

#[test]
fn a_datagram_holds_one_request_and_every_mistake_is_named() {
    for_every_mode(|server| {
        let udp = Udp::to(server);
        assert_eq!(udp.ask(b" {\"b\":4,\"A\":7}\n"), "{\"Sum\":11}");
        for (sent, error) in [
            (&b"{\"A\":1}{\"A\":2}"[..], "7 octets after the request, a datagram holds one"),
            (b"{\"A\":1} x", "2 octets after the request, a datagram holds one"),
            (b"{\"A\":", "message cut short after 5 octets"),
            (b"", "empty datagram"),
            (b"7", "number where an object belongs"),
            (b"hello", "syntax error at octet 1: 'h' where a value belongs"),
            (b"{\"A\":1e2}", "A: number with point or exponent where an integer belongs"),
            (b"{\"A\":-9223372036854775808,\"B\":-1}", "-9223372036854775808 + -1 overflows 64 bits"),
        ] {
            assert_eq!(udp.ask(sent), format!("{{\"Error\":\"{error}\"}}"));
        }
    });
}

#[test]
fn a_datagram_that_256_octets_would_cut_is_named_with_its_length() {
    for_every_mode(|server| {
        let udp = Udp::to(server);
        let mut datagram = b"{\"A\":7,\"B\":4}".to_vec();
        datagram.resize(256, b' ');
        assert_eq!(udp.ask(&datagram), "{\"Sum\":11}");
        for octets in [257, 300, 65_507] {
            datagram.resize(octets, b' ');
            assert_eq!(udp.ask(&datagram), format!("{{\"Error\":\"datagram of {octets} octets, 256 are read\"}}"));
        }
    });
}

#[test]
fn an_answer_sent_to_the_server_is_not_answered() {
    for io in IoMode::ALL {
        let server = start(local(io));
        let udp = Udp::to(&server);
        for answer in ["{\"Sum\":0}", "{\"Error\":\"x\"}"] {
            udp.0.send(answer.as_bytes()).expect("the server is there");
        }
        assert_eq!(udp.ask(b"{\"A\":5}"), "{\"Sum\":5}", "{io}: the first answer is to the first request");
        within(|| server.totals().unanswered == 2);
        assert_eq!(server.stop().udp_sums, 1, "{io}");
    }
}

// ---- the server's start ----

#[test]
fn a_port_in_use_is_named_with_its_cure() {
    let server = start(local(IoMode::Blocking));
    let taken = tcp_addr(&server).to_string();
    let error = Server::start(Config { tcp: Some(taken.clone()), udp: None, ..Config::default() });
    let error = error.expect_err("the port is taken").to_string();
    assert!(error.contains(&format!("cannot listen on tcp {taken}")) && error.contains("--tcp"), "{error}");
}

#[test]
fn a_server_with_nothing_to_serve_does_not_start() {
    let none = Config { tcp: None, udp: None, ..Config::default() };
    assert!(matches!(Server::start(none), Err(ServeError::Config(_))));
    let impatient = Config { idle_timeout: Duration::ZERO, ..local(IoMode::Epoll) };
    assert!(matches!(Server::start(impatient), Err(ServeError::Config(_))));
}

#[test]
fn only_the_protocol_asked_for_is_served() {
    for io in IoMode::ALL {
        let tcp_only = start(Config { udp: None, ..local(io) });
        assert_eq!((tcp_only.udp_addr(), Tcp::to(&tcp_only).ask("{\"A\":1}")), (None, "{\"Sum\":1}\n".into()));
        let udp_only = start(Config { tcp: None, ..local(io) });
        assert_eq!((udp_only.tcp_addr(), Udp::to(&udp_only).ask(b"{\"A\":1}")), (None, "{\"Sum\":1}".into()));
    }
}

// ---- the client, against servers good and bad ----

#[test]
fn rounds_and_workers_share_one_connection() {
    for_every_mode(|server| {
        for (transport, workers) in [(Transport::Tcp, 1), (Transport::Tcp, 10), (Transport::Udp, 10)] {
            let addr = if transport == Transport::Tcp { server.tcp_addr() } else { server.udp_addr() };
            let addr = addr.expect("both are served").to_string();
            let (rounds, summary) = call(&Call { addr, transport, a: 7, b: 4, rounds: 5, workers, ..quick() });
            let summary = summary.expect("the server is there");
            assert!(summary.all_right(), "{transport}: {summary:?}");
            let numbers: BTreeSet<u64> = rounds.iter().map(|round| round.number).collect();
            assert_eq!(numbers, (1..=5 * u64::from(workers)).collect());
            let asked: BTreeSet<i64> = rounds.iter().map(|round| round.a).collect();
            assert_eq!(asked, (7..7 + i64::from(workers)).collect());
        }
        assert_eq!(server.totals().clients, 2);
    });
}

#[test]
fn the_addresses_of_a_name_are_tried_in_turn() {
    let server = start(local(IoMode::Blocking));
    // localhost may resolve to ::1 first, where nobody listens.
    let addr = format!("localhost:{}", tcp_addr(&server).port());
    let (_, summary) = call(&Call { addr, a: 1, b: 2, ..quick() });
    assert!(summary.expect("the IPv4 address is tried too").all_right());
    let addr = format!("localhost:{}", server.udp_addr().expect("UDP is served").port());
    let (rounds, summary) = call(&Call { addr, transport: Transport::Udp, a: 1, b: 2, workers: 3, ..quick() });
    assert!(summary.expect("the IPv4 address is tried too").all_right());
    assert_eq!(rounds.len(), 3, "what failed on another address is not told");
}

#[test]
fn a_caller_may_break_off() {
    let server = start(local(IoMode::Epoll));
    let asked = Call { addr: tcp_addr(&server).to_string(), rounds: u32::MAX, workers: 3, ..quick() };
    let mut heard = 0;
    let summary = client::call(&asked, &mut |_| {
        heard += 1;
        if heard == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((heard, summary.expect("the server is there").right), (5, 5));
}

#[test]
fn answers_with_and_without_newline_or_cut_anywhere_are_read() {
    let addr = fake_tcp(|mut stream| {
        for piece in ["{\"Sum\":3}{\"S", "um\":3}", " {\"sum\":3,\"Error\":\"\"}\n"] {
            await_request(&mut stream);
            stream.write_all(piece.as_bytes()).expect("the client reads");
        }
        drain(stream);
    });
    let (_, summary) = call(&Call { addr, a: 1, b: 2, rounds: 3, ..quick() });
    assert!(summary.expect("the server is there").all_right());
}

#[test]
fn an_answer_that_nobody_asked_for_over_tcp_is_wrong() {
    let addr = fake_tcp(|mut stream| {
        await_request(&mut stream);
        stream.write_all(b"{\"Sum\":3}{\"Sum\":3}").expect("the client reads");
        drain(stream);
    });
    let (_, summary) = call(&Call { addr, a: 1, b: 2, ..quick() });
    let summary = summary.expect("the server is there");
    assert_eq!((summary.right, summary.wrong, summary.all_right()), (1, 1, false));
}

#[test]
fn wrong_missing_and_unreadable_answers_are_told_apart() {
    let outcome = |answer: &'static str| {
        let addr = fake_tcp(move |mut stream| {
            await_request(&mut stream);
            stream.write_all(answer.as_bytes()).expect("the client reads");
            stream.shutdown(Shutdown::Write).expect("the client is there");
            drain(stream);
        });
        let (rounds, summary) = call(&Call { addr, a: 7, b: 4, ..quick() });
        assert!(!summary.expect("the server is there").all_right());
        rounds[0].outcome.clone()
    };
    assert_eq!(outcome("{\"Sum\":12}\n"), Outcome::Wrong(12));
    assert_eq!(outcome("{\"Error\":\"no\"}\n"), Outcome::Refused("no".to_owned()));
    assert_eq!(
        outcome("{\"Sum\":11.0}"),
        Outcome::Unreadable("Sum: number with point or exponent where an integer belongs".to_owned())
    );
    assert!(matches!(outcome("eleven\n"), Outcome::Unreadable(_)));
    assert!(matches!(outcome("{\"Sum\":1"), Outcome::Unreadable(_)));
    assert_eq!(outcome(""), Outcome::Missing(Loss::Closed));
}

#[test]
fn over_tcp_a_swapped_pair_of_answers_is_two_wrong_ones() {
    let addr = fake_tcp(|mut stream| {
        let mut asked = String::new();
        let mut reader = BufReader::new(&stream);
        while asked.lines().count() < 2 {
            reader.read_line(&mut asked).expect("the client asks twice");
        }
        let first =
            if asked.starts_with("{\"A\":7,") { "{\"Sum\":12}{\"Sum\":11}" } else { "{\"Sum\":11}{\"Sum\":12}" };
        stream.write_all(first.as_bytes()).expect("the client reads");
        drain(stream);
    });
    let (_, summary) = call(&Call { addr, a: 7, b: 4, workers: 2, ..quick() });
    assert_eq!(summary.expect("the server is there").wrong, 2);
}

#[test]
fn over_udp_swapped_answers_are_right_a_copy_is_a_stray_and_a_wrong_one_is_wrong() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let addr = server.local_addr().expect("it is bound").to_string();
    let answering = thread::spawn(move || {
        let mut octets = [0; 256];
        let mut peer = None;
        for _ in 0..3 {
            peer = Some(server.recv_from(&mut octets).expect("the client asks three times").1);
        }
        for answer in ["{\"Sum\":13}", "{\"Sum\":13}", "{\"Sum\":11}", "{\"Sum\":99}"] {
            server.send_to(answer.as_bytes(), peer.expect("it asked")).expect("the client is there");
        }
    });
    let (rounds, summary) = call(&Call { addr, transport: Transport::Udp, a: 7, b: 4, workers: 3, ..quick() });
    answering.join().expect("the fake server ends");
    let summary = summary.expect("the server is there");
    assert_eq!((summary.right, summary.wrong, summary.missing, summary.strays), (2, 1, 0, 1));
    let wrong = rounds.iter().find(|round| !round.is_right()).expect("one is wrong");
    assert_eq!((wrong.a, &wrong.outcome), (8, &Outcome::Wrong(99)));
}

#[test]
fn a_lost_datagram_is_missing_and_the_rounds_after_it_go_on() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let addr = server.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        let mut octets = [0; 256];
        for round in 0..3 {
            let (_, peer) = server.recv_from(&mut octets).expect("the client asks");
            if round != 1 {
                server.send_to(b"{\"Sum\":11}", peer).expect("the client is there");
            }
        }
    });
    let timeout = Duration::from_millis(300);
    let (rounds, summary) = call(&Call { addr, transport: Transport::Udp, a: 7, b: 4, rounds: 3, timeout, ..quick() });
    assert_eq!(summary.expect("the server is there").missing, 1);
    assert_eq!(rounds[1].outcome, Outcome::Missing(Loss::TimedOut));
    assert!(rounds[2].is_right());
}

// ---- the program ----

#[test]
fn the_program_prints_five_sums_for_five_rounds() {
    for_every_mode(|server| {
        let addr = tcp_addr(server).to_string();
        let output = adder(&["call", "--addr", &addr, "--rounds", "5", "7", "4"]);
        let sums: String = (1..=5).map(|number| format!("{number}: 7 + 4 = 11\n")).collect();
        assert_ended(&output, 0, &sums, &[]);
    });
}

#[test]
fn the_program_takes_negative_numbers_with_and_without_dashes_before() {
    let server = start(local(IoMode::Blocking));
    let (tcp, udp) = (tcp_addr(&server).to_string(), server.udp_addr().expect("it is served").to_string());
    assert_ended(&adder(&["call", "--addr", &tcp, "-3", "4"]), 0, "1: -3 + 4 = 1\n", &[]);
    assert_ended(&adder(&["call", "--addr", &tcp, "--", "-3", "-4"]), 0, "1: -3 + -4 = -7\n", &[]);
    assert_ended(&adder(&["call", "--udp", "--addr", &udp, "4", "-3"]), 0, "1: 4 + -3 = 1\n", &[]);
}

#[test]
fn the_program_ends_with_2_when_nobody_listens() {
    // A port that was just free: bound and released.
    let tcp = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free");
    let output = adder(&["call", "--addr", &tcp.to_string(), "7", "4"]);
    assert_ended(&output, 2, "", &["cannot connect to tcp", "is `adder serve` running?"]);
    let udp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free");
    let output = adder(&["call", "--udp", "--addr", &udp.to_string(), "7", "4"]);
    assert_ended(&output, 2, "", &["cannot connect to udp", "is `adder serve` running?"]);
}

#[test]
fn the_program_ends_with_2_and_one_line_on_wrong_use() {
    for (arguments, said) in [
        (&["call", "7"][..], "required"),
        (&["call", "7", "x"], "invalid value 'x'"),
        (&["call", "7", "9223372036854775808"], "too large"),
        (&["call", "--rounds", "0", "7", "4"], "--rounds"),
        (&["call", "--interval", "2 weeks", "7", "4"], "500ms, 2s or 1m"),
        (&["call", "--timeout", "0s", "7", "4"], "over zero"),
        (&["call", "--addr", "5656", "7", "4"], "HOST:PORT"),
        (&["serve", "--io", "magic"], "blocking, nonblocking and epoll"),
        (&["serve", "--tcp", "here"], "HOST:PORT"),
        (&["frobnicate"], "frobnicate"),
        (&[], "--help"),
    ] {
        assert_ended(&adder(arguments), 2, "", &[said]);
    }
}

#[test]
fn the_program_ends_with_1_on_a_wrong_answer() {
    let addr = fake_tcp(|mut stream| {
        await_request(&mut stream);
        stream.write_all(b"{\"Sum\":12}").expect("the client reads");
        drain(stream);
    });
    let output = adder(&["call", "--addr", &addr, "--timeout", "500ms", "7", "4"]);
    assert_ended(&output, 1, "", &["1 wrong", "is that an adder at --addr?"]);
}

#[test]
fn the_program_ends_with_1_when_a_silent_server_lets_it_wait() {
    let tcp = fake_tcp(drain);
    let output = adder(&["call", "--addr", &tcp, "--timeout", "200ms", "--rounds", "3", "7", "4"]);
    assert_ended(&output, 1, "", &["of 3 answers 3 missing", "no answer in time", "--timeout"]);
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let addr = silent.local_addr().expect("it is bound").to_string();
    let output = adder(&["call", "--udp", "--addr", &addr, "--timeout", "200ms", "7", "4"]);
    assert_ended(&output, 1, "", &["of 1 answers 1 missing", "no answer in time", "--timeout"]);
}

#[test]
fn the_program_says_what_the_server_said() {
    let server = start(local(IoMode::Epoll));
    let output = adder(&["call", "--addr", &tcp_addr(&server).to_string(), "9223372036854775807", "1"]);
    assert_ended(&output, 1, "", &["9223372036854775807 + 1 overflows 64 bits"]);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let server = start(local(IoMode::Blocking));
    let mut child = Command::new(env!("CARGO_BIN_EXE_adder"))
        .args(["call", "--addr", &tcp_addr(&server).to_string(), "--rounds", "100000", "7", "4"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn the_program_serves_until_a_signal_and_then_tells_its_totals() {
    for (io, signal) in [("blocking", "-TERM"), ("nonblocking", "-INT"), ("epoll", "-TERM")] {
        let mut serving = Serving::start(&["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--io", io]);
        let (tcp, udp) = (serving.addr("tcp", io), serving.addr("udp", io));
        assert_ended(&adder(&["call", "--addr", &tcp, "7", "4"]), 0, "1: 7 + 4 = 11\n", &[]);
        assert_ended(&adder(&["call", "--udp", "--addr", &udp, "7", "4"]), 0, "1: 7 + 4 = 11\n", &[]);
        let pid = serving.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill(1) is there").success());
        let totals = "stopped: 1 client (0 refused, 0 idle), sums 1 tcp 1 udp, 0 errors, 0 datagrams unanswered\n";
        assert_eq!(serving.line(), totals, "{io}");
        assert_eq!(serving.child.wait().expect("it ends").code(), Some(0), "{io}");
    }
}

#[test]
fn the_program_serves_only_the_protocol_it_is_given() {
    let mut serving = Serving::start(&["--udp", "127.0.0.1:0", "--idle-timeout", "1m"]);
    let udp = serving.addr("udp", "blocking");
    let output = adder(&["call", "--addr", &udp, "--timeout", "1s", "7", "4"]);
    assert_ended(&output, 2, "", &["is `adder serve` running?"]);
}

#[test]
fn the_program_closes_a_silent_client_after_the_idle_timeout_it_is_given() {
    let mut serving = Serving::start(&["--tcp", "127.0.0.1:0", "--idle-timeout", "200ms"]);
    let addr = serving.addr("tcp", "blocking");
    let output = adder(&["call", "--addr", &addr, "--rounds", "2", "--interval", "1m", "7", "4"]);
    assert_ended(&output, 1, "1: 7 + 4 = 11\n", &["1 missing", "the server closed", "--idle-timeout"]);
}

// ---- helpers ----

/// A TCP client that fails a test instead of hanging it.
struct Tcp(BufReader<TcpStream>);

impl Tcp {
    fn to(server: &Server) -> Self {
        let stream = TcpStream::connect(tcp_addr(server)).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout over zero");
        stream.set_nodelay(true).expect("a TCP socket");
        Self(BufReader::new(stream))
    }

    fn stream(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    fn send(&mut self, text: &str) {
        self.stream().write_all(text.as_bytes()).expect("the server reads");
    }

    /// The next line; empty after a FIN.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer or a FIN, in time");
        line
    }

    fn ask(&mut self, text: &str) -> String {
        // A refused client may find its connection closed already; its answer is still there to read.
        let _ = self.stream().write_all(text.as_bytes());
        self.line()
    }

    fn end(&mut self) {
        self.stream().shutdown(Shutdown::Write).expect("the connection is open");
    }
}

/// A UDP client that fails a test instead of hanging it.
struct Udp(UdpSocket);

impl Udp {
    fn to(server: &Server) -> Self {
        let addr = server.udp_addr().expect("UDP is served");
        let any = if addr.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(any).expect("a port is free");
        socket.connect(addr).expect("loopback is up");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout over zero");
        Self(socket)
    }

    fn ask(&self, datagram: &[u8]) -> String {
        self.0.send(datagram).expect("the server is there");
        let mut octets = [0; 1024];
        let read = self.0.recv(&mut octets).expect("an answer, in time");
        String::from_utf8_lossy(&octets[..read]).into_owned()
    }
}

/// The program, serving; killed when the test ends early.
struct Serving {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_adder"))
            .arg("serve")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("the program prints text");
        line
    }

    /// The address in the next line, which must be about this protocol and mode.
    fn addr(&mut self, protocol: &str, io: &str) -> String {
        let line = self.line();
        let addr = line.strip_prefix(&format!("{protocol} ")).and_then(|line| line.strip_suffix(&format!(" ({io})\n")));
        addr.unwrap_or_else(|| panic!("`{line}` where `{protocol} ADDR ({io})` was due")).to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn local(io: IoMode) -> Config {
    let addr = || Some("127.0.0.1:0".to_owned());
    Config { tcp: addr(), udp: addr(), io, ..Config::default() }
}

fn start(config: Config) -> Server {
    Server::start(config).expect("loopback is up and a port is free")
}

fn for_every_mode(check: impl Fn(&Server)) {
    for io in IoMode::ALL {
        let server = start(local(io));
        println!("{io}");
        check(&server);
    }
}

/// Hosts to test on: IPv4, and IPv6 where this machine has it.
fn families() -> Vec<&'static str> {
    match UdpSocket::bind("[::1]:0") {
        Ok(_) => vec!["127.0.0.1", "[::1]"],
        Err(error) => {
            println!("SKIPPED on IPv6: ::1 is not available here ({error})");
            vec!["127.0.0.1"]
        }
    }
}

fn tcp_addr(server: &Server) -> SocketAddr {
    server.tcp_addr().expect("TCP is served")
}

/// A server for one client, with manners of its own.
fn fake_tcp(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || serve(listener.accept().expect("the client connects").0));
    addr
}

/// Reads one request: the client ends each with a newline.
fn await_request(stream: &mut TcpStream) {
    let mut octet = [0];
    while octet != *b"\n" {
        stream.read_exact(&mut octet).expect("the client asks");
    }
}

/// Reads until the client closes, so that no RST disturbs what was sent.
fn drain(mut stream: TcpStream) {
    let mut octets = [0; 1024];
    while stream.read(&mut octets).is_ok_and(|read| read > 0) {}
}

fn quick() -> Call {
    Call { timeout: PATIENCE, ..Call::default() }
}

fn call(call: &Call) -> (Vec<Round>, Result<Summary, CallError>) {
    let mut rounds = Vec::new();
    let summary = client::call(call, &mut |round| {
        rounds.push(round.clone());
        ControlFlow::Continue(())
    });
    (rounds, summary)
}

fn adder(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_adder")).args(arguments).output().expect("the program starts")
}

/// Exit code, stdout as a whole, and one line on stderr that holds every text, or none at all.
fn assert_ended(output: &Output, code: i32, out: &str, complaints: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), out, "{told}");
    assert_eq!(told.lines().count(), usize::from(!complaints.is_empty()), "{told}");
    assert!(complaints.iter().all(|text| told.contains(text)), "{told}");
}

/// Asks until it is so, for as long as [`PATIENCE`].
fn within(mut claim: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !claim() {
        assert!(Instant::now() < until, "not within {PATIENCE:?}");
        thread::yield_now();
    }
}

/// Longest wait for anything that should come at once.
const PATIENCE: Duration = Duration::from_secs(10);
