//! The demonstration's scene: an adder on a free port, a client that asks it, and a capture of both.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::ops::ControlFlow;
use std::thread;

use crate::adder::client;
use crate::adder::client::Call;
use crate::adder::client::Transport;
use crate::adder::server::Config;
use crate::adder::server::ServeError;
use crate::adder::server::Server;
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::packet::LinkType;
use crate::packet::Timestamp;
use crate::source::Flow;
use crate::source::LiveConfig;
use crate::source::LiveSource;
use crate::source::MemorySource;
use crate::source::Poll;
use crate::source::Source;
use crate::source::SourceError;

/// How the scene could be captured.
pub(super) enum Scene {
    /// What passed on the loopback interface.
    Live(MemorySource),
    /// Not at all, and why.
    NotAllowed(SourceError),
}

/// Plays the scene, well under a second long.
pub(super) fn play() -> Result<Scene, Failure> {
    let (server, addr) = serve()?;
    let all = input::interfaces();
    let loopback = all.iter().find(|interface| interface.loopback).map_or(LOOPBACK, |interface| &interface.name);
    let config = LiveConfig { port: Some(addr.port()), ..LiveConfig::new(loopback) };
    let mut source = match LiveSource::open(&config) {
        Ok(source) => source,
        Err(error) => return Ok(Scene::NotAllowed(error)),
    };
    let client = thread::spawn(move || ask(addr));
    let mut frames = Vec::new();
    while !client.is_finished() {
        collect(&mut source, &mut frames)?;
    }
    let asked = client.join().map_err(|_| Failure::Demo { what: "lost its client" })?;
    server.stop();
    source.finish();
    while collect(&mut source, &mut frames)? != Poll::End {}
    if !asked? {
        return Err(Failure::Demo { what: "got wrong sums" });
    }
    let link_type = source.info().interfaces.first().map_or(LinkType::ETHERNET, |interface| interface.link_type);
    Ok(Scene::Live(MemorySource::new(link_type, frames)))
}

/// Starts the adder on a port that is free for both protocols, so that one filter sees all.
fn serve() -> Result<(Server, SocketAddr), Failure> {
    for _ in 0..TRIES {
        let Some(addr) = free_for_both() else { continue };
        let config = Config { tcp: Some(addr.to_string()), udp: Some(addr.to_string()), ..Config::default() };
        match Server::start(config) {
            Ok(server) => return Ok((server, addr)),
            // Somebody else was quicker.
            Err(ServeError::Listen { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::Demo { what: "found no free port" })
}

fn free_for_both() -> Option<SocketAddr> {
    let tcp = TcpListener::bind("127.0.0.1:0").ok()?;
    let addr = tcp.local_addr().ok()?;
    UdpSocket::bind(addr).ok().map(|_| addr)
}

/// Three questions over TCP, three over UDP; whether all sums were right.
fn ask(addr: SocketAddr) -> Result<bool, Failure> {
    let mut all_right = true;
    for transport in [Transport::Tcp, Transport::Udp] {
        let call = Call { addr: addr.to_string(), transport, a: 7, b: 4, rounds: 3, ..Call::default() };
        let summary = client::call(&call, &mut |_| ControlFlow::Continue(()))?;
        all_right &= summary.all_right();
    }
    Ok(all_right)
}

fn collect(source: &mut LiveSource, frames: &mut Vec<(Timestamp, Vec<u8>)>) -> Result<Poll, Failure> {
    Ok(source.poll(&mut |frame| {
        frames.push((frame.meta.at, frame.bytes.to_vec()));
        Flow::Continue
    })?)
}

/// What the loopback interface is called where nobody tells.
const LOOPBACK: &str = "lo";
/// Ports tried before giving up.
const TRIES: usize = 20;
