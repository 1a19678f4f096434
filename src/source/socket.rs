#![allow(unsafe_code)]
//! The packet socket, prepared so that nothing is lost, doubled, cut or left without time.
//!
//! `pnet` would open one of its own; that one shows every loopback frame twice, has no time stamps, a small buffer
//! and no count of drops. It accepts ours instead. See packet(7), socket(7). Every `unsafe` here is one
//! system call with arguments that live on the stack for its duration.

use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::fd::FromRawFd;
use std::os::fd::OwnedFd;

use crate::source::batch;
use crate::source::machine::Instruction;

/// What is asked of a socket.
pub(super) struct Wishes<'a> {
    /// Octets of receive buffer.
    pub(super) buffer: usize,
    /// The interface loops back: of the two copies of each frame only the incoming one is wanted.
    pub(super) loopback: bool,
    /// Program that the kernel asks about each frame.
    pub(super) filter: Option<&'a [Instruction]>,
}

/// A step that the kernel refused.
pub(super) struct Refused {
    pub(super) step: &'static str,
    pub(super) source: io::Error,
}

/// Opens a packet socket that receives nothing until it is bound to an interface.
pub(super) fn prepare(wishes: &Wishes<'_>) -> Result<OwnedFd, Refused> {
    let step = |step| move |source| Refused { step, source };
    // Protocol 0: no frame of any interface enters between here and the binding.
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd == -1 {
        return Err(step("opening a packet socket")(io::Error::last_os_error()));
    }
    // SAFETY: just opened, and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    enlarge(&socket, wishes.buffer).map_err(step("sizing the socket buffer"))?;
    if wishes.loopback {
        set(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32)
            .map_err(step("leaving out outgoing copies (Linux 4.20 is needed)"))?;
    }
    if let Some(filter) = wishes.filter {
        attach(&socket, filter).map_err(step("attaching the filter"))?;
    }
    // Where the kernel is too old to tell the time so, ours will do.
    let _ = arm(&socket);
    Ok(socket)
}

/// Asks for the kernel's time beside each frame.
pub(super) fn arm(socket: &OwnedFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, batch::TIMESTAMPS, &1_i32)
}

/// Frames that did not fit the buffer since this was last asked.
pub(super) fn drops(socket: &OwnedFd) -> io::Result<u64> {
    // SAFETY: plain integers; all zeros is a valid value.
    let mut counts: libc::tpacket_stats = unsafe { mem::zeroed() };
    get(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut counts)?;
    Ok(u64::from(counts.tp_drops))
}

/// Octets that the kernel granted for the receive buffer.
pub(super) fn granted_buffer(socket: &OwnedFd) -> io::Result<usize> {
    let mut octets: libc::c_int = 0;
    get(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, &mut octets)?;
    Ok(usize::try_from(octets).unwrap_or(0))
}

/// Waits up to `millis` for a frame or an error. A signal ends the wait early.
pub(super) fn wait(socket: &OwnedFd, millis: i32) -> io::Result<bool> {
    let mut wish = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid pollfd, borrowed for the call.
    match unsafe { libc::poll(&mut wish, 1, millis) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        ready => Ok(ready > 0),
    }
}

/// The largest packet that an interface takes, in octets.
pub(super) fn mtu(interface: &str) -> io::Result<u32> {
    let request = ask(interface, libc::SIOCGIFMTU as _)?;
    // SAFETY: SIOCGIFMTU fills this member.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    u32::try_from(mtu).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

/// The ARPHRD number of an interface.
pub(super) fn hardware_type(interface: &str) -> io::Result<u16> {
    let request = ask(interface, libc::SIOCGIFHWADDR as _)?;
    // SAFETY: SIOCGIFHWADDR fills this member.
    Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
}

/// With privilege beyond the system's limit, else as far as that goes.
fn enlarge(socket: &OwnedFd, octets: usize) -> io::Result<()> {
    // The kernel doubles the number, so half the range is the most it takes.
    let octets = libc::c_int::try_from(octets).unwrap_or(libc::c_int::MAX).min(libc::c_int::MAX / 2);
    set(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &octets)
        .or_else(|_| set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, &octets))
}

fn attach(socket: &OwnedFd, program: &[Instruction]) -> io::Result<()> {
    let mut code: Vec<libc::sock_filter> =
        program.iter().map(|i| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k }).collect();
    let len = u16::try_from(code.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // The kernel copies the program during the call; `code` outlives it.
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &libc::sock_fprog { len, filter: code.as_mut_ptr() })
}

fn set<T>(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: `value` is readable for its size during the call.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            std::ptr::from_ref(value).cast(),
            mem::size_of::<T>() as libc::socklen_t,
        )
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `T` must be a plain structure of integers: the kernel may fill any part of it.
fn get<T: Copy>(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, value: &mut T) -> io::Result<()> {
    let mut len = mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is writable for `len` octets, and the kernel writes no more than that.
    let answer =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, std::ptr::from_mut(value).cast(), &mut len) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Asks the kernel about an interface. Any socket will do to ask.
fn ask(interface: &str, question: libc::c_ulong) -> io::Result<libc::ifreq> {
    // SAFETY: plain integers and arrays; all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    // The last octet stays 0 and ends the name.
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    for (octet, &from) in request.ifr_name.iter_mut().zip(interface.as_bytes()) {
        *octet = from as libc::c_char;
    }
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: both questions asked here fill an `ifreq`.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), question as _, &mut request) };
    if answer == 0 { Ok(request) } else { Err(io::Error::last_os_error()) }
}
