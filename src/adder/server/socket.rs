//! Binds the server's sockets and prepares those of its clients.

use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::time::Duration;

use socket2::Domain;
use socket2::SockRef;
use socket2::Socket;
use socket2::TcpKeepalive;
use socket2::Type;

use crate::adder::address::resolve;
use crate::adder::server::ServeError;

/// Listens on the first address behind `addr` that can be bound.
pub(super) fn listen(addr: &str) -> Result<TcpListener, ServeError> {
    let socket = bind(addr, |addr| {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        // A server that restarts must not wait for old connections in TIME-WAIT (RFC 9293 §3.6.1).
        socket.set_reuse_address(true)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    });
    let socket = socket.map_err(|source| ServeError::Listen { protocol: "tcp", addr: addr.to_owned(), source })?;
    Ok(socket.into())
}

/// Receives datagrams on the first address behind `addr` that can be bound.
pub(super) fn receive(addr: &str) -> Result<UdpSocket, ServeError> {
    let socket = bind(addr, |addr| {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, None)?;
        socket.bind(&addr.into())?;
        Ok(socket)
    });
    let socket = socket.map_err(|source| ServeError::Listen { protocol: "udp", addr: addr.to_owned(), source })?;
    Ok(socket.into())
}

/// What every client's socket gets: keep-alives (RFC 9293 §3.8.4), so that a host that vanished is noticed, and
/// no delay of small answers (§3.7.4).
pub(super) fn prepare(client: SockRef<'_>) -> io::Result<()> {
    client.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
    client.set_tcp_nodelay(true)
}

fn bind(addr: &str, open: impl Fn(SocketAddr) -> io::Result<Socket>) -> io::Result<Socket> {
    let mut last = None;
    for addr in resolve(addr)? {
        match open(addr) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

/// Connections the kernel completes before we accept them; it cuts this to its own limit.
const BACKLOG: i32 = 1024;
/// Silence before the first keep-alive, and between them.
const KEEPALIVE: Duration = Duration::from_secs(15);
