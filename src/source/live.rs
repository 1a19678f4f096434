//! Frames straight from an interface: `pnet` binds a socket that [`socket`] prepared, [`batch`] reads from it.
//!
//! Each frame once, uncut, with the kernel's time, and the kernel's count of what it had to drop. What is not asked of the
//! kernel is lost: VLAN tags that the card took off, and whether a frame came or went.
//!
//! [`batch`]: crate::source::batch

use std::env;
use std::io;
use std::os::fd::IntoRawFd;
use std::os::fd::OwnedFd;
use std::time::SystemTime;

use pnet::datalink;
use pnet::datalink::Channel;

use crate::packet::Clock;
use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::LinkType;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::source::CaptureInfo;
use crate::source::Flow;
use crate::source::Format;
use crate::source::Interface;
use crate::source::InterfaceInfo;
use crate::source::LiveConfig;
use crate::source::Poll;
use crate::source::Problem;
use crate::source::ProblemKind;
use crate::source::Resolution;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Stats;
use crate::source::batch::Batch;
use crate::source::bpf::PortFilter;
use crate::source::error::shown;
use crate::source::filter;
use crate::source::interfaces::described;
use crate::source::socket;
use crate::source::socket::Refused;
use crate::source::socket::Wishes;

/// A live capture on one interface.
pub struct LiveSource {
    /// The socket that `pnet` bound. It stays bound, and promiscuous, though `pnet`'s channel is closed.
    socket: OwnedFd,
    batch: Batch,
    link_type: LinkType,
    snaplen: usize,
    info: CaptureInfo,
    stats: Stats,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Capturing,
    /// Only what passed before this time is still handed over, and no more frames than fit the buffer: traffic that
    /// goes on, or a clock that is set back, cannot keep the capture open.
    Draining {
        until: Timestamp,
        left: u64,
    },
    Over,
}

impl LiveSource {
    /// Begins to capture. Frames are kept by the kernel from here on.
    ///
    /// # Errors
    /// When the interface does not exist, is down or of an unknown kind, or the privilege is missing.
    pub fn open(config: &LiveConfig) -> Result<Self, SourceError> {
        let name = &config.interface;
        let all = datalink::interfaces();
        let Some(device) = all.iter().find(|device| device.name == *name) else {
            return Err(unknown(name, all.iter().map(|device| device.name.as_str())));
        };
        let interface = described(device);
        if !interface.up {
            return Err(SourceError::InterfaceDown { interface: shown(name) });
        }
        let Some(link_type) = interface.link_type else {
            let reason = "it is neither Ethernet, nor loopback, nor plain IP; tcpdump -w FILE may know it".to_owned();
            return Err(SourceError::UnsupportedInterface { interface: shown(name), reason });
        };
        let filter = match &config.filter {
            Some(expression) => Some(filter::for_kernel(expression, link_type)?),
            None => config.port.and_then(|port| PortFilter(port).program(link_type)),
        };
        let wishes = Wishes { buffer: config.buffer, loopback: interface.loopback, filter: filter.as_deref() };
        let prepared = socket::prepare(&wishes).map_err(|refused| failed(name, refused))?;
        let step = |step| move |source| failed(name, Refused { step, source });
        let socket = prepared.try_clone().map_err(step("sharing the packet socket"))?;
        let channel_config = datalink::Config {
            promiscuous: config.promiscuous,
            // The channel closes it, even when it cannot be set up.
            socket_fd: Some(prepared.into_raw_fd()),
            ..datalink::Config::default()
        };
        let channel = datalink::channel(device, channel_config).map_err(step("binding the packet socket"))?;
        let Channel::Ethernet(..) = channel else {
            return Err(step("binding the packet socket")(io::Error::from(io::ErrorKind::Unsupported)));
        };
        Ok(Self {
            socket,
            batch: Batch::new(),
            link_type,
            snaplen: if config.snaplen == 0 { usize::MAX } else { config.snaplen as usize },
            info: info_of(interface, link_type, config.snaplen),
            stats: Stats { dropped: Some(0), ..Stats::default() },
            state: State::Capturing,
        })
    }

    /// Hands over one frame; `None` where it no longer counts.
    fn hand_over(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Option<Flow>, io::Error> {
        if self.batch.is_empty() {
            self.batch.fetch(&self.socket)?;
        }
        let Some(piece) = self.batch.next() else { return Err(io::ErrorKind::WouldBlock.into()) };
        let (at, clock) = match piece.at {
            Some(at) => (at, Clock::Kernel),
            None => (now(), Clock::Program),
        };
        if let State::Draining { until, left } = &mut self.state {
            if *left == 0 || at > *until {
                return Ok(None);
            }
            *left -= 1;
        }
        let bytes = &piece.bytes[..piece.bytes.len().min(self.snaplen)];
        self.stats.frames += 1;
        self.stats.bytes += bytes.len() as u64;
        let meta = FrameMeta {
            number: self.stats.frames,
            at,
            clock,
            link_type: self.link_type,
            interface: 0,
            carried_seconds: 0,
            caplen: bytes.len() as u32,
            origlen: piece.len as u32,
        };
        Ok(Some(take(&Frame { meta, bytes })))
    }

    /// Nothing more is in the socket for now.
    fn emptied(&mut self, handed_over: bool) -> Poll {
        match self.state {
            _ if handed_over => Poll::More,
            State::Capturing => Poll::Idle,
            // A busy kernel may still hold frames that were sent before we were asked to stop.
            State::Draining { .. } if socket::wait(&self.socket, LINGER).unwrap_or(false) => Poll::More,
            State::Draining { .. } | State::Over => self.end(),
        }
    }

    fn end(&mut self) -> Poll {
        self.count_drops();
        self.state = State::Over;
        Poll::End
    }

    /// Notes that the interface went away; what is still in the socket is drained.
    fn gone(&mut self, error: &io::Error) -> Poll {
        let name = shown(&self.info.name);
        let frames = self.stats.frames;
        let text = match error.raw_os_error() {
            Some(libc::ENETDOWN | libc::ENODEV | libc::ENXIO) => {
                format!("interface {name} went down or away after frame {frames}")
            }
            _ => format!("capturing on {name} failed after frame {frames}: {error}"),
        };
        if self.info.problem.is_some() {
            // Even draining fails.
            return self.end();
        }
        self.info.problem = Some(Problem { kind: ProblemKind::InterfaceGone, offset: 0, frames, text });
        self.finish();
        Poll::More
    }

    fn count_drops(&mut self) {
        if let Ok(more) = socket::drops(&self.socket) {
            self.stats.dropped = Some(self.stats.dropped.unwrap_or(0) + more);
        }
    }
}

impl Source for LiveSource {
    fn poll(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError> {
        match self.state {
            State::Over => return Ok(Poll::End),
            State::Draining { .. } => {}
            State::Capturing if !self.batch.is_empty() => {}
            State::Capturing => match socket::wait(&self.socket, PATIENCE) {
                Ok(true) => {}
                Ok(false) => return Ok(Poll::Idle),
                Err(source) => {
                    self.end();
                    return Err(failed(&self.info.name, Refused { step: "waiting for frames", source }));
                }
            },
        }
        for count in 0..BATCH {
            match self.hand_over(take) {
                Ok(Some(Flow::Continue)) => {}
                Ok(Some(Flow::Stop)) => return Ok(Poll::More),
                Ok(None) => return Ok(self.end()),
                Err(error) => {
                    return Ok(match error.kind() {
                        io::ErrorKind::WouldBlock => self.emptied(count > 0),
                        io::ErrorKind::Interrupted => Poll::More,
                        _ => self.gone(&error),
                    });
                }
            }
        }
        Ok(Poll::More)
    }

    fn stats(&mut self) -> Stats {
        self.count_drops();
        self.stats
    }

    fn info(&self) -> &CaptureInfo {
        &self.info
    }

    fn finish(&mut self) {
        if self.state == State::Capturing {
            let buffer = socket::granted_buffer(&self.socket).unwrap_or(0);
            let left = (buffer / SMALLEST_CHARGE) as u64;
            self.state = State::Draining { until: now().plus(Span::from_millis(i64::from(LINGER))), left };
        }
    }
}

fn info_of(interface: Interface, link_type: LinkType, snaplen: u32) -> CaptureInfo {
    let mut info = CaptureInfo::new(&interface.name, Format::Live);
    info.sections = 1;
    info.interfaces.push(InterfaceInfo {
        name: Some(interface.name),
        description: None,
        link_type,
        snaplen,
        mtu: interface.mtu,
        resolution: Resolution::NANOS,
    });
    info
}

fn unknown<'a>(name: &str, exist: impl Iterator<Item = &'a str>) -> SourceError {
    if name == "any" {
        let reason = "\"any\" is several at once; name one of them (synscope interfaces lists them)".to_owned();
        return SourceError::UnsupportedInterface { interface: shown(name), reason };
    }
    let exist = exist.collect::<Vec<_>>().join(", ");
    SourceError::NoInterface { interface: shown(name), exist }
}

fn failed(interface: &str, refused: Refused) -> SourceError {
    let interface = shown(interface);
    if refused.source.kind() == io::ErrorKind::PermissionDenied {
        let program = env::current_exe().map_or_else(|_| "synscope".into(), |path| path.display().to_string());
        return SourceError::NoPrivilege { interface, program };
    }
    SourceError::Socket { interface, step: refused.step, source: refused.source }
}

fn now() -> Timestamp {
    // A clock before 1970 is nobody's capture; 0 will do.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}

/// Milliseconds that a poll waits for a frame: a stop flag is looked at so often.
const PATIENCE: i32 = 50;
/// Frames handed over in one poll at most.
const BATCH: u64 = 1024;
/// What the kernel charges to the buffer for the smallest frame, in octets, estimated low.
const SMALLEST_CHARGE: usize = 512;
/// Milliseconds that a frame may take from its sender to our socket: on a loaded machine the kernel moves it in a
/// thread of its own, and a burst sent just before the stop would lose its end.
const LINGER: i32 = 50;
