//! One TCP connection that moves octets in a chosen rhythm: traffic whose retransmissions can be counted.
//!
//! ```text
//! bulk sink ADDR --octets N [--buffer N] [--pause MS]          takes one connection; reads N, answers one octet
//!      [--stutter N MS] [--shrink N]                           sleeps MS after every N octets; leaves N octets of
//!                                                              buffer once the connection is there
//! bulk push ADDR --octets N [--burst N MS] [--linger MS]       sends N octets, waits for the answer, lingers, closes
//!      [--keep-alive S] [--control NAME]                      NAME: congestion control, as in cubic
//! ```
//! `sink` says `listening` and `push` says `answered`, each on a line of its own, so that a script knows when to look.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use socket2::Domain;
use socket2::SockRef;
use socket2::Socket;
use socket2::TcpKeepalive;
use socket2::Type;

/// Nobody waits longer than this for the other.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bulk: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let mode: String = next(&mut words)?;
    let addr = next(&mut words)?;
    let mut wishes = Wishes::default();
    while let Some(option) = words.next() {
        wishes.take(&option, &mut words)?;
    }
    match mode.as_str() {
        "sink" => sink(addr, &wishes),
        "push" => push(addr, &wishes),
        _ => Err("bulk sink ADDR … or bulk push ADDR …".into()),
    }
}

#[derive(Default)]
struct Wishes {
    octets: usize,
    buffer: Option<usize>,
    shrink: Option<usize>,
    pause: Duration,
    stutter: Option<(usize, Duration)>,
    burst: Option<(usize, Duration)>,
    linger: Duration,
    keep_alive: Option<Duration>,
    control: Option<String>,
}

impl Wishes {
    fn take(&mut self, option: &str, words: &mut impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
        match option {
            "--octets" => self.octets = next(words)?,
            "--buffer" => self.buffer = Some(next(words)?),
            "--shrink" => self.shrink = Some(next(words)?),
            "--pause" => self.pause = millis(words)?,
            "--stutter" => self.stutter = Some((next(words)?, millis(words)?)),
            "--burst" => self.burst = Some((next(words)?, millis(words)?)),
            "--linger" => self.linger = millis(words)?,
            "--keep-alive" => self.keep_alive = Some(Duration::from_secs(next(words)?)),
            "--control" => self.control = Some(next(words)?),
            other => return Err(format!("what is {other}?").into()),
        }
        Ok(())
    }
}

fn sink(addr: SocketAddr, wishes: &Wishes) -> Result<(), Box<dyn Error>> {
    let listener = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    // Accepted sockets inherit the buffer, and the window scale is chosen from it.
    if let Some(octets) = wishes.buffer {
        listener.set_recv_buffer_size(octets)?;
    }
    listener.set_reuse_address(true)?;
    listener.bind(&addr.into())?;
    listener.listen(1)?;
    println!("listening");
    let mut stream = TcpStream::from(listener.accept()?.0);
    stream.set_read_timeout(Some(PATIENCE))?;
    // The window that the handshake promised is never reached again: so does a program that sets its buffer too late.
    if let Some(octets) = wishes.shrink {
        SockRef::from(&stream).set_recv_buffer_size(octets)?;
    }
    thread::sleep(wishes.pause);
    let mut room = vec![0; 16_384];
    let (mut left, mut since) = (wishes.octets, 0);
    while left > 0 {
        let most = wishes.stutter.map_or(room.len(), |(every, _)| (every - since).min(room.len()));
        let count = stream.read(&mut room[..most])?;
        if count == 0 {
            return Err(format!("the stream ended {left} octets early").into());
        }
        left = left.saturating_sub(count);
        since += count;
        if let Some((every, pause)) = wishes.stutter.filter(|(every, _)| since >= *every) {
            since -= every;
            thread::sleep(pause);
        }
    }
    stream.write_all(b".")?;
    while stream.read(&mut room)? > 0 {}
    Ok(())
}

fn push(addr: SocketAddr, wishes: &Wishes) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    if let Some(name) = &wishes.control {
        SockRef::from(&stream).set_tcp_congestion(name.as_bytes())?;
    }
    if let Some(idle) = wishes.keep_alive {
        let often = TcpKeepalive::new().with_time(idle).with_interval(idle);
        SockRef::from(&stream).set_tcp_keepalive(&often)?;
    }
    let octets: Vec<u8> = (0..wishes.octets).map(|at| at as u8).collect();
    let (size, gap) = wishes.burst.unwrap_or((octets.len().max(1), Duration::ZERO));
    for burst in octets.chunks(size) {
        stream.write_all(burst)?;
        thread::sleep(gap);
    }
    stream.read_exact(&mut [0])?;
    println!("answered");
    thread::sleep(wishes.linger);
    Ok(())
}

fn next<T: FromStr>(words: &mut impl Iterator<Item = String>) -> Result<T, Box<dyn Error>> {
    let word = words.next().ok_or("one word more, please")?;
    word.parse().map_err(|_| format!("{word} does not fit here").into())
}

fn millis(words: &mut impl Iterator<Item = String>) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::from_millis(next(words)?))
}
