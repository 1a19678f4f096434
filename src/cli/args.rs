//! What may be typed, and what `--help` says of it. Single values are checked here, what they mean together in the
//! commands. Long because every option of every command stands here, once, with its words for people.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as Group;
use clap::Parser;
use clap::Subcommand;

use crate::cli::choices::Colour;
use crate::cli::choices::CsvTable;
use crate::cli::choices::Dialect;
use crate::cli::choices::FailOn;
use crate::cli::choices::Format;
use crate::cli::choices::Order;
use crate::cli::choices::Outcome;
use crate::cli::choices::Shape;
use crate::cli::examples::ANALYZE;
use crate::cli::examples::CRAFT;
use crate::cli::examples::CUT;
use crate::cli::examples::DEMO;
use crate::cli::examples::EXAMPLES;
use crate::cli::examples::EXPLAIN;
use crate::cli::examples::FLOOD;
use crate::cli::examples::FOUND;
use crate::cli::examples::HEADERS;
use crate::cli::examples::INTERFACES;
use crate::cli::examples::LADDER;
use crate::cli::examples::MSS;
use crate::cli::examples::RAN;
use crate::cli::examples::TRACE;
use crate::cli::examples::told;
use crate::cli::thresholds::ThresholdArgs;
use crate::cli::values::Frames;
use crate::cli::values::Host;
use crate::cli::values::Length;
use crate::cli::values::Moment;
use crate::cli::values::Period;
use crate::cli::values::code;
use crate::cli::values::connections;
use crate::cli::values::frames;
use crate::cli::values::length;
use crate::cli::values::metrics_at;
use crate::cli::values::moment;
use crate::cli::values::number;
use crate::cli::values::worst;
use crate::finding::Code;
use crate::tcp::framing::Framing;
use crate::tcp::mss::link::Tunnel;

/// What happened on this connection, and why? Explains TCP and UDP traffic, from a capture file or live.
#[derive(Debug, Parser)]
#[command(name = "synscope", version, max_term_width = 100, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(super) struct Args {
    /// When to use colour; NO_COLOR switches it off as well.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", hide_possible_values = false)]
    pub(super) color: Colour,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One line per event, live from an interface or from a capture file.
    #[command(after_help = told(TRACE, RAN), allow_negative_numbers = true)]
    Trace(TraceArgs),
    /// Every connection of a capture, and what is wrong with it.
    #[command(after_help = told(ANALYZE, FOUND), allow_negative_numbers = true)]
    Analyze(AnalyzeArgs),
    /// Flood or popularity? What became of every connection attempt, live or from files.
    #[command(after_help = told(FLOOD, FOUND), allow_negative_numbers = true)]
    Flood(Box<FloodArgs>),
    /// Every header field of every frame, raw and in words.
    #[command(after_help = told(HEADERS, RAN), allow_negative_numbers = true)]
    Headers(HeadersArgs),
    /// Why a packet was sent, what else it could have been, what follows; or what a code means.
    #[command(after_help = told(EXPLAIN, RAN), allow_negative_numbers = true)]
    Explain(ExplainArgs),
    /// One conversation as arrows between two sides.
    #[command(after_help = told(LADDER, RAN), allow_negative_numbers = true)]
    Ladder(LadderArgs),
    /// Writes what was chosen of captures into another, with all that belongs to it.
    #[command(after_help = told(CUT, RAN), allow_negative_numbers = true)]
    Cut(CutArgs),
    /// How large a segment may be, and why: a calculator, and what a capture shows.
    #[command(after_help = told(MSS, RAN), allow_negative_numbers = true)]
    Mss(MssArgs),
    /// This machine's interfaces: state, addresses, MTU and MSS.
    #[command(after_help = told(INTERFACES, RAN))]
    Interfaces(InterfacesArgs),
    /// Plays a script, one line of text per packet, into a capture file.
    #[command(after_help = told(CRAFT, RAN))]
    Craft(CraftArgs),
    /// Traces a small TCP and UDP service of its own on the loopback interface.
    #[command(after_help = told(DEMO, RAN))]
    Demo,
}

/// Which packets to show. All of a capture is analysed, so that stream numbers stay those of the whole file.
#[derive(Clone, Debug, Default, Group)]
pub(super) struct Only {
    /// Only conversations with this port at either end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// Only conversations with this address at either end.
    #[arg(long, value_name = "ADDR")]
    pub(super) host: Option<Host>,
    /// Only packets that pass this filter of the tcpdump language, and their conversations.
    #[arg(long, value_name = "EXPR")]
    pub(super) filter: Option<String>,
    /// Only from this time on: 2026-11-26T18:55:00Z, 1700000000.5, or +90s after the first frame.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<Moment>,
    /// Only before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) until: Option<Moment>,
}

impl Only {
    /// Between which moments.
    pub(super) const fn period(&self) -> Period {
        Period { since: self.since, until: self.until }
    }
}

/// How files are read.
#[derive(Clone, Copy, Debug, Default, Group)]
pub(super) struct Reading {
    /// Several files as one capture, in time order, instead of one after the other.
    #[arg(long)]
    pub(super) merge: bool,
    /// Keep reading while the file grows, through rotation, until Ctrl-C.
    #[arg(long, conflicts_with = "merge")]
    pub(super) follow: bool,
}

/// What must have been judged of what is shown.
#[derive(Clone, Debug, Default, Group)]
pub(super) struct Fields {
    /// Only what has this code, as explain --code lists them; may be given several times.
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub(super) code: Vec<Code>,
    /// Only what was judged so (found counts as broken, ruled out as holds).
    #[arg(long, value_enum, value_name = "OUTCOME")]
    pub(super) verdict: Option<Outcome>,
}

/// Where an application's messages end.
#[derive(Clone, Copy, Debug, Default, Group)]
pub(super) struct Messages {
    /// Find messages that end by this rule: line, json, len16, len32, fixed:N.
    #[arg(long, value_name = "RULE")]
    pub(super) framing: Option<Framing>,
}

#[derive(Debug, Group)]
pub(super) struct TraceArgs {
    /// An interface, capture files (pcap, pcapng), or - for a capture on standard input.
    #[arg(value_name = "IFACE|FILE|-", required = true)]
    pub(super) inputs: Vec<String>,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) only: Only,
    /// Only this TCP stream of a file, by Wireshark's number.
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) stream: Option<u64>,
    /// Stop after so many packets shown.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Stop after so long, as in 10s, 500ms, 2m (of a file: so much of it).
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(super) duration: Option<Length>,
    #[command(flatten)]
    pub(super) messages: Messages,
    /// Sequence numbers as on the wire instead of relative ones.
    #[arg(long)]
    pub(super) absolute: bool,
    /// Answer for Prometheus here, as in 9500 (on 127.0.0.1) or 192.0.2.7:9500.
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = metrics_at)]
    pub(super) metrics: Option<SocketAddr>,
    /// Lines for people, or an object per conversation and finding as they end.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Group)]
pub(super) struct AnalyzeArgs {
    /// Capture files (pcap, pcapng); - is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<String>,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) only: Only,
    /// One TCP stream told whole, by Wireshark's number; may be given several times.
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) stream: Vec<u64>,
    /// With --stream: the states of both ends beside the packets; in objects, the list of their steps.
    #[arg(long)]
    pub(super) states: bool,
    #[command(flatten)]
    pub(super) messages: Messages,
    #[command(flatten)]
    pub(super) fields: Fields,
    /// What would UDP readers lose that take N octets with one read?
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) read_size: Option<u32>,
    /// Exit with 1 when a finding is at least so grave.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub(super) fail_on: FailOn,
    /// Tables for people, an object per conversation and finding, one table of values, or a page to paste.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Shape,
    /// Which table; with --format csv.
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) table: Option<CsvTable>,
    /// Only the worst N connections, each with what is wrong with it in sentences.
    #[arg(long, value_name = "N", value_parser = worst, conflicts_with_all = ["sort", "limit", "stream", "all_findings"])]
    pub(super) worst: Option<usize>,
    /// What stands first.
    #[arg(long, value_enum, value_name = "BY")]
    pub(super) sort: Option<Order>,
    /// Conversations at most; 0 for all. Otherwise 50 for people, all for programs, 10000 when those are sorted.
    #[arg(long, value_name = "N", value_parser = number::<usize>)]
    pub(super) limit: Option<usize>,
    /// Every finding in words, not the first few of each kind.
    #[arg(long)]
    pub(super) all_findings: bool,
    /// Connections held at once at most; the ones that can best be spared are told early.
    #[arg(long, value_name = "N", value_parser = connections)]
    pub(super) max_connections: Option<usize>,
    /// Attempts to open a connection that may wait at once at most; beyond, the oldest are given up [default: 524288].
    #[arg(long, value_name = "N", value_parser = connections)]
    pub(super) max_attempts: Option<usize>,
    /// Change a threshold of the flood detector, as in port-limit=32; synscope flood --help lists them.
    #[arg(long, value_name = "NAME=N")]
    pub(super) flood: Vec<String>,
}

#[derive(Debug, Group)]
pub(super) struct FloodArgs {
    /// An interface, or capture files (pcap, pcapng); - is standard input.
    #[arg(value_name = "IFACE|FILE...", required = true)]
    pub(super) inputs: Vec<String>,
    /// Only segments with this port at either end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// Stop after so long, as in 10s, 2m, 1h (of a file: so much of it).
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(super) duration: Option<Length>,
    /// Exit with 1 when an incident is at least so grave: a flood is an error, a scan or an outage a warning.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub(super) fail_on: FailOn,
    /// Words for whoever is on call, or an object per change of an incident.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Also append these objects, one per line, to a file.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Run this by sh for each change of an incident, with its object on standard input; 10 s at most each, 64 changes
    /// wait at most, the capture never waits.
    #[arg(long, value_name = "COMMAND")]
    pub(super) exec: Option<String>,
    /// Answer for Prometheus here, as in 9500 (on 127.0.0.1) or 192.0.2.7:9500.
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = metrics_at)]
    pub(super) metrics: Option<SocketAddr>,
    #[command(flatten)]
    pub(super) thresholds: ThresholdArgs,
}

#[derive(Debug, Group)]
pub(super) struct CraftArgs {
    /// The script; - is standard input.
    #[arg(value_name = "SCRIPT")]
    pub(super) script: PathBuf,
    /// The capture to write; - is standard output.
    #[arg(value_name = "OUT.pcap")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Group)]
pub(super) struct HeadersArgs {
    /// Capture files; a frame number or a range as in 3-7 may stand last.
    #[arg(value_name = "FILE... [FRAME|FROM-TO]", required = true)]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) only: Only,
    /// Only this TCP stream, by Wireshark's number; may be given several times.
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) stream: Vec<u64>,
    #[command(flatten)]
    pub(super) fields: Fields,
    /// One line per packet.
    #[arg(long)]
    pub(super) brief: bool,
    /// Headers as the RFCs draw them, 32 bits a row, values in place.
    #[arg(long)]
    pub(super) ruler: bool,
    /// Octets beside the fields that they make, and the whole payload.
    #[arg(long)]
    pub(super) hex: bool,
    /// Sequence numbers as on the wire instead of relative ones.
    #[arg(long)]
    pub(super) absolute: bool,
    /// Tables for people, or an object per frame.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Also what Wireshark 4.0 would call each frame.
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) dialect: Option<Dialect>,
}

#[derive(Debug, Group)]
pub(super) struct ExplainArgs {
    /// A capture file (pcap, pcapng), or - for standard input.
    #[arg(value_name = "FILE")]
    pub(super) file: Option<String>,
    /// The frame to explain, counted from 1.
    #[arg(value_name = "FRAME")]
    pub(super) frame: Option<String>,
    /// Explain what is noteworthy on this TCP stream, by Wireshark's number.
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) stream: Option<u64>,
    /// Also what is known of both ends after the frame: numbers, windows, timers.
    #[arg(long)]
    pub(super) state: bool,
    /// Sequence numbers as on the wire instead of relative ones.
    #[arg(long)]
    pub(super) absolute: bool,
    /// Explain a code that some command printed; all for every code there is.
    #[arg(long, value_name = "CODE")]
    pub(super) code: Option<String>,
    /// Every code with its meaning and its sum, as docs/findings.md has them.
    #[arg(long)]
    pub(super) catalogue: bool,
    /// A page for people, or the same as one object.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Group)]
pub(super) struct LadderArgs {
    /// A capture file (pcap, pcapng), or - for standard input.
    pub(super) file: String,
    /// The conversation, by Wireshark's number (synscope analyze FILE lists them).
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) stream: u64,
    /// Count UDP conversations instead of TCP connections.
    #[arg(long)]
    pub(super) udp: bool,
    /// Only packets that pass this filter of the tcpdump language.
    #[arg(long, value_name = "EXPR")]
    pub(super) filter: Option<String>,
    /// Every packet, also those of a long transfer that only move data.
    #[arg(long)]
    pub(super) full: bool,
    /// Sequence numbers as on the wire instead of relative ones.
    #[arg(long)]
    pub(super) absolute: bool,
}

#[derive(Debug, Group)]
pub(super) struct CutArgs {
    /// Capture files (pcap, pcapng); - is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<String>,
    /// The capture to write: pcap where it ends in .pcap or .cap, else pcapng; packed where .gz, .zst or .lz4 stands
    /// behind; - is standard output.
    #[arg(short, long, value_name = "OUT")]
    pub(super) out: String,
    /// Several files in time order instead of one after the other.
    #[arg(long)]
    pub(super) merge: bool,
    /// This TCP stream, by Wireshark's number; may be given several times.
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) stream: Vec<u64>,
    /// This UDP conversation, by Wireshark's number; may be given several times.
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    pub(super) udp_stream: Vec<u64>,
    /// Whole conversations of which this code is told; may be given several times.
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub(super) code: Vec<Code>,
    #[command(flatten)]
    pub(super) only: Only,
    /// Frames by their numbers, as in 3-7.
    #[arg(long, value_name = "A-B", value_parser = frames)]
    pub(super) frames: Option<Frames>,
}

#[derive(Debug, Group)]
pub(super) struct MssArgs {
    /// A capture file, - for standard input, or an interface.
    #[arg(value_name = "FILE|IFACE")]
    pub(super) input: Option<String>,
    /// Compute for a link with this MTU, in octets.
    #[arg(long, value_name = "N", value_parser = number::<u32>)]
    pub(super) mtu: Option<u32>,
    /// IPv6 instead of IPv4; with --mtu.
    #[arg(long)]
    pub(super) ipv6: bool,
    /// Both sides agreed on timestamps; with --mtu.
    #[arg(long)]
    pub(super) timestamps: bool,
    /// A tunnel in between, outermost first, as in vxlan, gre, pppoe, wireguard6; with --mtu.
    #[arg(long, value_name = "KIND")]
    pub(super) tunnel: Vec<Tunnel>,
    /// Octets of options in each IPv4 header, a multiple of 4 up to 40; with --mtu.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = number::<u32>)]
    pub(super) ip_options: u32,
    /// Octets of extension headers in each IPv6 packet, a multiple of 8; with --mtu --ipv6.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = number::<u32>)]
    pub(super) ext_headers: u32,
    /// Watch connections on the interface for so long and compare them with its MTU.
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(super) duration: Option<Length>,
    /// Only connections with this port, on an interface.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// Rows at most; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = number::<usize>)]
    pub(super) limit: usize,
    /// Tables for people, or an object per connection.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Group)]
pub(super) struct InterfacesArgs {
    /// A table for people, or an object per interface.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}
