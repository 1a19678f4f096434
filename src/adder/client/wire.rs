//! The one socket of a call, stream or datagrams, behind the same few verbs.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::time::Duration;

use socket2::SockRef;

use crate::adder::client::Transport;

/// A connected socket. Every verb takes `&self`: workers and the reader share it.
#[derive(Debug)]
pub(super) enum Wire {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Wire {
    /// Connects. A datagram socket always does; whether somebody is there, the first request will show.
    pub(super) fn connect(transport: Transport, addr: SocketAddr, timeout: Duration) -> io::Result<Self> {
        match transport {
            Transport::Tcp => open_tcp(addr, timeout),
            Transport::Udp => open_udp(addr),
        }
    }

    pub(super) fn transport(&self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::Udp(_) => Transport::Udp,
        }
    }

    /// Sends one request: octets of the stream, or one datagram.
    pub(super) fn send(&self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write_all(octets),
            Self::Udp(socket) => socket.send(octets).map(drop),
        }
    }

    /// Waits for octets. 0 is the end of a stream, or an empty or shut-down datagram socket.
    pub(super) fn receive(&self, octets: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).read(octets),
            Self::Udp(socket) => socket.recv(octets),
        }
    }

    /// Says that no more requests come: a FIN, which the server answers with its own. Datagrams have no end.
    pub(super) fn end_sending(&self) {
        match self {
            // Fails when the server was first, which is as good.
            Self::Tcp(stream) => drop(stream.shutdown(Shutdown::Write)),
            Self::Udp(_) => self.end(),
        }
    }

    /// Ends both directions, which wakes the reader.
    pub(super) fn end(&self) {
        let _ = match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Both),
            Self::Udp(socket) => SockRef::from(socket).shutdown(Shutdown::Both),
        };
    }
}

fn open_tcp(addr: SocketAddr, timeout: Duration) -> io::Result<Wire> {
    let stream = TcpStream::connect_timeout(&addr, timeout)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(Wire::Tcp(stream))
}

fn open_udp(addr: SocketAddr) -> io::Result<Wire> {
    let any: SocketAddr =
        if addr.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any)?;
    // Connected, the kernel filters strangers out and tells us of an ICMP port unreachable (RFC 1122 §4.1.3.3).
    socket.connect(addr)?;
    Ok(Wire::Udp(socket))
}
