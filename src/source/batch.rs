#![allow(unsafe_code)]
//! Frames by the handful: one system call fetches what waits in the socket, each with the kernel's time.
//!
//! A call for each frame, one more for its time and one to wait cost more than looking at it, and what a flood leaves unread
//! the kernel drops. See recvmmsg(2), packet(7), socket(7). Every `unsafe` is one system call, or walks what it wrote.

use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::ptr;

use crate::packet::Timestamp;

/// Frames per call. Most of what a call costs is shared by so many; more of them would take more room.
const FRAMES: usize = 8;
/// Longer than any frame: Linux BIG TCP ends at 512 KiB. Octets beyond are cut. Pages that no frame reaches take no memory.
const LARGEST: usize = 640 << 10;
/// Room for control messages of a frame, in words: its time takes four.
const CONTROL: usize = 8;
/// Time stamps of nanoseconds as two 64-bit numbers (SO_TIMESTAMPNS_NEW of asm-generic/socket.h, Linux 5.1); not in `libc`.
pub(super) const TIMESTAMPS: libc::c_int = 64;

/// Frames that were fetched and not handed over yet.
pub(super) struct Batch {
    room: Vec<u8>,
    fetched: [Fetched; FRAMES],
    next: usize,
    end: usize,
}

#[derive(Clone, Copy, Default)]
struct Fetched {
    len: usize,
    at: Option<Timestamp>,
}

/// One frame, and when it passed the kernel, if it said so.
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// Octets on the wire; more than there are bytes where even this room was too small.
    pub(super) len: usize,
    pub(super) at: Option<Timestamp>,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { room: vec![0; FRAMES * LARGEST], fetched: [Fetched::default(); FRAMES], next: 0, end: 0 }
    }

    /// All of them were handed over.
    pub(super) const fn is_empty(&self) -> bool {
        self.next == self.end
    }

    pub(super) fn next(&mut self) -> Option<Piece<'_>> {
        if self.is_empty() {
            return None;
        }
        let (slot, Fetched { len, at }) = (self.next, self.fetched[self.next]);
        self.next += 1;
        let from = slot * LARGEST;
        Some(Piece { bytes: &self.room[from..from + len.min(LARGEST)], len, at })
    }

    /// Fetches what waits, without waiting; those of the last time are gone.
    ///
    /// # Errors
    /// Those of the socket; `WouldBlock` where nothing waits.
    pub(super) fn fetch(&mut self, socket: &OwnedFd) -> io::Result<()> {
        (self.next, self.end) = (0, 0);
        let mut control = [[0_u64; CONTROL]; FRAMES];
        // SAFETY: plain integers and pointers; all zeros is a valid value of both.
        let (mut parts, mut headers): ([libc::iovec; FRAMES], [libc::mmsghdr; FRAMES]) = unsafe { mem::zeroed() };
        let rooms = self.room.chunks_exact_mut(LARGEST);
        for (((header, part), control), room) in headers.iter_mut().zip(&mut parts).zip(&mut control).zip(rooms) {
            *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = mem::size_of_val(control) as _;
        }
        // With MSG_TRUNC the kernel tells the whole length of what it cut.
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: each header points to a part of our room and to control words that live until this function returns;
        // the kernel writes no further than the lengths given with them.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), FRAMES as _, flags as _, ptr::null_mut())
        };
        let Ok(count) = usize::try_from(count) else { return Err(io::Error::last_os_error()) };
        for (fetched, header) in self.fetched.iter_mut().zip(&headers).take(count) {
            // SAFETY: the kernel filled this header, and its control words are still there.
            let at = unsafe { stamp(&header.msg_hdr) };
            *fetched = Fetched { len: header.msg_len as usize, at };
        }
        self.end = count;
        Ok(())
    }
}

/// The time among the control messages of a header.
///
/// # Safety
/// The kernel must have filled the header, and what its `msg_control` points to must be alive.
unsafe fn stamp(header: &libc::msghdr) -> Option<Timestamp> {
    // SAFETY: as the caller promises; CMSG_FIRSTHDR and CMSG_NXTHDR stay within `msg_controllen`.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = message.as_ref() {
            let long_enough = control.cmsg_len >= libc::CMSG_LEN(mem::size_of::<[i64; 2]>() as _) as _;
            if control.cmsg_level == libc::SOL_SOCKET && control.cmsg_type == TIMESTAMPS && long_enough {
                let [secs, nanos] = ptr::read_unaligned(libc::CMSG_DATA(message).cast::<[i64; 2]>());
                return Some(Timestamp::from_parts(secs, nanos));
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn what_waits_is_fetched_in_order_and_nothing_is_fetched_twice() {
        let (from, to) = UnixDatagram::pair().expect("two sockets");
        let to = to.as_fd().try_clone_to_owned().expect("another handle");
        (0..FRAMES + 3).for_each(|n| assert_eq!(from.send(&vec![n as u8; n + 1]).expect("sent"), n + 1));
        let mut batch = Batch::new();
        let mut lens = Vec::new();
        for fetched in [FRAMES, 3] {
            batch.fetch(&to).expect("frames wait");
            let before = lens.len();
            while let Some(piece) = batch.next() {
                assert!(piece.bytes.iter().all(|&octet| usize::from(octet) + 1 == piece.len));
                lens.push(piece.bytes.len());
            }
            assert_eq!(lens.len() - before, fetched);
        }
        assert_eq!(lens, (1..=FRAMES + 3).collect::<Vec<_>>());
        let nothing = batch.fetch(&to).expect_err("all were fetched");
        assert_eq!((nothing.kind(), batch.is_empty()), (io::ErrorKind::WouldBlock, true));
    }

    #[test]
    fn frames_come_with_the_time_at_which_the_kernel_had_them() {
        let receiver = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let to = receiver.as_fd().try_clone_to_owned().expect("another handle");
        crate::source::socket::arm(&to).expect("time stamps");
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        sender.send_to(b"now", receiver.local_addr().expect("bound")).expect("sent");
        let before = std::time::SystemTime::now();
        crate::source::socket::wait(&to, 1_000).expect("a socket to wait on");
        let mut batch = Batch::new();
        batch.fetch(&to).expect("a datagram waits");
        let at = batch.next().and_then(|piece| piece.at).expect("a time");
        let since = before.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs() as i64;
        assert!((at.nanos() / 1_000_000_000 - since).abs() < 10, "{at}");
    }
}
