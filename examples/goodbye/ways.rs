//! The ways in which two programs can part, each played by two sockets of this process over 127.0.0.1.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// Longer than the kernel holds an acknowledgment back (40 ms on Linux), so that it goes alone.
const PAUSE: Duration = Duration::from_millis(120);
/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a connection is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// The client shuts down, the server follows at once.
    Together,
    /// The client shuts down, the server follows after a pause.
    Apart,
    /// The client shuts down, the server sends more before it closes.
    HalfClose,
    /// Both shut down at one moment.
    Simultaneous,
    /// The client closes with linger 0, having spoken last.
    Linger,
    /// The client closes and leaves what the server sent unread.
    Unread,
    /// The client has closed, and the server writes.
    WriteAfterClose,
}

/// The ports of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The client's.
    pub(crate) client: u16,
    /// The server's.
    pub(crate) server: u16,
}

/// Opens a connection to this listener and closes it in this way.
///
/// # Errors
/// Those of the sockets.
pub(crate) fn part_at(listener: &TcpListener, way: Way) -> io::Result<Ports> {
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let mut server = listener.accept()?.0;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
    }
    let ports = Ports { client: client.local_addr()?.port(), server: server.local_addr()?.port() };
    // A question that both have seen, so that nothing of the opening is under way.
    client.write_all(b"question")?;
    server.read_exact(&mut [0; 8])?;
    thread::sleep(PAUSE);
    match way {
        Way::Together | Way::Apart | Way::HalfClose => {
            client.shutdown(Shutdown::Write)?;
            server.read_to_end(&mut Vec::new())?;
            if way != Way::Together {
                thread::sleep(PAUSE);
            }
            if way == Way::HalfClose {
                server.write_all(b"more")?;
                thread::sleep(PAUSE);
            }
            drop(server);
            client.read_to_end(&mut Vec::new())?;
        }
        Way::Simultaneous => {
            // Loopback delivers within microseconds: only who spins for the other closes at the same moment.
            let there = AtomicUsize::new(0);
            let close = |stream: &TcpStream| {
                there.fetch_add(1, Ordering::SeqCst);
                while there.load(Ordering::SeqCst) < 2 {
                    std::hint::spin_loop();
                }
                stream.shutdown(Shutdown::Write)
            };
            thread::scope(|scope| {
                let other = scope.spawn(|| close(&server));
                close(&client)?;
                other.join().expect("closing does not panic")
            })?;
            server.read_to_end(&mut Vec::new())?;
            client.read_to_end(&mut Vec::new())?;
        }
        Way::Linger => {
            SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
            drop(client);
            // It ends with an error, and that is the point.
            let _ = server.read_to_end(&mut Vec::new());
        }
        Way::Unread => {
            server.write_all(b"never read")?;
            thread::sleep(PAUSE);
            drop(client);
            let _ = server.read_to_end(&mut Vec::new());
        }
        Way::WriteAfterClose => {
            drop(client);
            server.read_to_end(&mut Vec::new())?;
            thread::sleep(PAUSE);
            server.write_all(b"too late")?;
            let _ = server.read_to_end(&mut Vec::new());
        }
    }
    thread::sleep(PAUSE);
    Ok(ports)
}
