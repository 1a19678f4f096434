//! What a live capture is asked for.

/// How to capture from an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LiveConfig {
    /// Its name: `lo`, `eth0`.
    pub interface: String,
    /// Let the kernel drop TCP and UDP of other ports. Never drops what matches, but lets some through that does
    /// not: the caller filters again.
    pub port: Option<u16>,
    /// Let the kernel hand over only what this expression of the tcpdump language passes.
    pub filter: Option<String>,
    /// Also frames that are addressed to other hosts.
    pub promiscuous: bool,
    /// Octets of socket buffer to ask for; without privilege to exceed it, the system's limit rules.
    pub buffer: usize,
    /// Octets of each frame to hand up; 0 for all.
    pub snaplen: u32,
}

impl LiveConfig {
    /// Everything that passes `interface`, uncut, with a buffer for bursts.
    pub fn new(interface: impl Into<String>) -> Self {
        Self { interface: interface.into(), port: None, filter: None, promiscuous: false, buffer: BUFFER, snaplen: 0 }
    }
}

/// The kernel accounts about 800 octets even for a small frame: room for some 80 000 of them.
const BUFFER: usize = 64 << 20;
