//! Why a source cannot be opened or go on: one line each, naming what is wrong and the cure.

use std::io;

/// We cannot go on. A capture that merely ends badly is no error: see [`Problem`](crate::source::Problem).
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No file of that name.
    #[error("{name}: no such file")]
    NotFound {
        /// As it was asked for.
        name: String,
    },
    /// A directory.
    #[error("{name} is a directory: name a capture file in it")]
    IsDirectory {
        /// As it was asked for.
        name: String,
    },
    /// The file may not be read.
    #[error("{name}: permission denied: ask its owner, or use sudo")]
    Denied {
        /// As it was asked for.
        name: String,
    },
    /// Not one octet.
    #[error("{name} is empty: 0 octets; is the capture still running?")]
    Empty {
        /// As it was asked for.
        name: String,
    },
    /// Packed by one of the usual packers.
    #[error("{name} is compressed with {packer}: unpack it first ({command} | synscope ... -)")]
    Compressed {
        /// As it was asked for.
        name: String,
        /// `gzip`, `zstd` …
        packer: &'static str,
        /// What writes the unpacked octets to standard output.
        command: String,
    },
    /// Packed, where a growing file was to be followed.
    #[error("{name} is packed with {packer}, and what is packed is not followed: leave --follow out")]
    FollowPacked {
        /// As it was asked for.
        name: String,
        /// `gzip`, `zstd` …
        packer: &'static str,
    },
    /// Packed, and packed again.
    #[error("{name} is compressed with {inner} inside {outer}: unpack it first, once at least")]
    CompressedTwice {
        /// As it was asked for.
        name: String,
        /// What was found unpacking.
        inner: &'static str,
        /// What the file itself is.
        outer: &'static str,
    },
    /// A capture, but of another format.
    #[error("{name} is a {format} file: convert it first ({command})")]
    OtherFormat {
        /// As it was asked for.
        name: String,
        /// `Solaris snoop` …
        format: &'static str,
        /// What converts it.
        command: String,
    },
    /// Nothing that we know.
    #[error("{name} is no capture file: it begins with {first}; tcpdump -w FILE writes one that can be read")]
    NotACapture {
        /// As it was asked for.
        name: String,
        /// Its first octets, in words.
        first: String,
    },
    /// Ends within the file header.
    #[error("{name} is cut off within its file header: {have} of {need} octets; capture or copy it again")]
    TruncatedHeader {
        /// As it was asked for.
        name: String,
        /// Octets there.
        have: usize,
        /// Octets that a header has.
        need: usize,
    },
    /// A pcap version nobody documented.
    #[error("{name}: pcap version {major}.{minor} is not known, only 2.x: rewrite it ({command})")]
    Version {
        /// As it was asked for.
        name: String,
        /// Major number.
        major: u16,
        /// Minor number.
        minor: u16,
        /// What rewrites it.
        command: String,
    },
    /// The system refused to read.
    #[error("{name}: cannot be read: {source}")]
    Read {
        /// As it was asked for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// No CAP_NET_RAW.
    #[error(
        "capturing on {interface} needs CAP_NET_RAW: run with sudo, or once: sudo setcap cap_net_raw,cap_net_admin=eip {program}"
    )]
    NoPrivilege {
        /// The interface asked for.
        interface: String,
        /// Path of the running program.
        program: String,
    },
    /// No interface of that name.
    #[error("no interface {interface}; there are: {exist} (synscope interfaces lists them)")]
    NoInterface {
        /// The interface asked for.
        interface: String,
        /// Those that exist, with commas between.
        exist: String,
    },
    /// Not up.
    #[error("interface {interface} is down: sudo ip link set {interface} up")]
    InterfaceDown {
        /// The interface asked for.
        interface: String,
    },
    /// Frames of a kind that we cannot place.
    #[error("interface {interface} cannot be captured yet: {reason}")]
    UnsupportedInterface {
        /// The interface asked for.
        interface: String,
        /// Why, and what to do instead.
        reason: String,
    },
    /// Built without.
    #[error(
        "this build has no live capture (Linux and the feature \"live\" are needed): capture with tcpdump -w FILE and read the file"
    )]
    NoLive,
    /// A filter that cannot be compiled.
    #[error("the filter '{expression}' cannot be used: {reason} (says {by}; man pcap-filter tells the language)")]
    Filter {
        /// As it was asked for.
        expression: String,
        /// What the compiler said.
        reason: String,
        /// The compiler and its version.
        by: String,
    },
    /// A filter beyond the common words, and no libpcap.
    #[error(
        "the filter '{expression}' needs libpcap, and there is none ({reason}): install libpcap0.8 or libpcap ({names} or {variable}), or use host, net, port, portrange, src, dst, ip, ip6, arp, tcp, udp, icmp, icmp6, and, or, not"
    )]
    NoLibpcap {
        /// As it was asked for.
        expression: String,
        /// The word that is not understood without it.
        reason: String,
        /// Files that were looked for.
        names: String,
        /// The variable that may name another.
        variable: &'static str,
    },
    /// The kernel refused a step of preparing or reading the socket.
    #[error("capturing on {interface}: {step}: {source}")]
    Socket {
        /// The interface asked for.
        interface: String,
        /// What was tried.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl SourceError {
    /// The error for a file that could not be opened or read.
    pub(super) fn reading(name: &str, source: io::Error) -> Self {
        let name = shown(name);
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { name },
            io::ErrorKind::PermissionDenied => Self::Denied { name },
            io::ErrorKind::IsADirectory => Self::IsDirectory { name },
            _ => Self::Read { name, source },
        }
    }
}

/// The command that turns any capture into one that we read.
pub(super) fn conversion(name: &str) -> String {
    let file = if name == "-" { "-".to_owned() } else { shown(name) };
    format!("editcap -F pcap {file} out.pcap")
}

/// A file's name as it may stand in a message of one line.
pub(super) fn shown(name: &str) -> String {
    if name == "-" {
        return "standard input".to_owned();
    }
    name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_control_characters_cannot_break_the_line_or_reach_the_terminal() {
        let error = SourceError::reading("a\n\u{1b}[2Jb", io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(error.to_string(), "a\u{fffd}\u{fffd}[2Jb: no such file");
    }

    #[test]
    fn a_missing_privilege_names_both_cures() {
        let error = SourceError::NoPrivilege { interface: "lo".into(), program: "/usr/bin/synscope".into() };
        assert_eq!(
            error.to_string(),
            "capturing on lo needs CAP_NET_RAW: run with sudo, or once: sudo setcap cap_net_raw,cap_net_admin=eip /usr/bin/synscope"
        );
    }
}
