//! Which frames belong to the conversations that a cut is to keep: their packets, the fragments of those, and the ICMP
//! errors about them.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;

use crate::cli::args::Fields;
use crate::cli::bits::Bits;
use crate::cli::bits::PerProtocol;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::select::Selection;
use crate::cli::select::stream_of;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::IpHeader;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::pipeline::Sink;
use crate::source::Flow;
use crate::source::Source;

/// What is looked for in a pass over the capture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pass {
    /// Conversations of which a code is told: that may come after their last frame.
    Codes,
    /// The frames of the conversations.
    Frames,
}

/// What is wanted, and what was found of it.
pub(super) struct Wanted<'a> {
    selection: &'a Selection,
    udp_streams: &'a [u64],
    fields: &'a Fields,
    /// Conversations with a code that is wanted.
    coded: Coded,
    frames: Bits,
    fragments: Fragments,
    /// How many conversations there are.
    tcp: u64,
    udp: u64,
}

/// Collects conversations and frames of which a code is told.
#[derive(Default)]
struct Coded {
    fields: Fields,
    streams: PerProtocol,
    frames: Bits,
    held: Vec<Finding>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(selection: &'a Selection, udp_streams: &'a [u64], fields: &'a Fields) -> Self {
        Self {
            selection,
            udp_streams,
            fields,
            coded: Coded { fields: fields.clone(), ..Coded::default() },
            frames: Bits::default(),
            fragments: Fragments::default(),
            tcp: 0,
            udp: 0,
        }
    }

    /// What must be gone through, in this order.
    pub(super) fn passes(&self) -> Vec<Pass> {
        if self.fields.code.is_empty() { vec![Pass::Frames] } else { vec![Pass::Codes, Pass::Frames] }
    }

    /// The frames; an error where a stream that was asked for by number is not there.
    pub(super) fn frames(self, file: &str) -> Result<Bits, Failure> {
        let missing = |protocol, asked: &[u64], streams| {
            let wanted = *asked.iter().find(|&&stream| stream >= streams)?;
            Some(Failure::NoStream { file: file.to_owned(), protocol, streams, wanted })
        };
        let failure = missing(Protocol::Tcp, self.selection.streams(), self.tcp)
            .or_else(|| missing(Protocol::Udp, self.udp_streams, self.udp));
        failure.map_or(Ok(self.frames), Err)
    }

    fn wants(&self, packet: &Packet<'_>, conversation: Option<(Protocol, u64)>) -> bool {
        let by_number = match conversation {
            _ if self.selection.streams().is_empty() && self.udp_streams.is_empty() => true,
            Some((Protocol::Tcp, stream)) => self.selection.streams().contains(&stream),
            Some((Protocol::Udp, stream)) => self.udp_streams.contains(&stream),
            None => false,
        };
        let coded = self.fields.code.is_empty()
            || self.coded.frames.has(packet.meta.number)
            || conversation.is_some_and(|(protocol, stream)| self.coded.streams.has(protocol, stream));
        by_number && coded && self.selection.wants_addresses(packet)
    }
}

/// Goes through a capture once.
pub(super) fn follow(
    source: &mut dyn Source,
    until: &Until,
    wanted: &mut Wanted<'_>,
    pass: Pass,
) -> Result<(), Failure> {
    let judging = if pass == Pass::Codes { Judging::Everything } else { Judging::Off };
    let mut walk = Walk { analyzer: Analyzer::default().patient().judging(judging), wanted, pass };
    drive(source, until, &mut walk)?;
    let Walk { mut analyzer, wanted, .. } = walk;
    if pass == Pass::Codes {
        analyzer.finish(&mut wanted.coded);
        wanted.coded.settle();
    }
    Ok(())
}

struct Walk<'a, 'b> {
    analyzer: Analyzer,
    wanted: &'a mut Wanted<'b>,
    pass: Pass,
}

impl Taker for Walk<'_, '_> {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let Self { analyzer, wanted, pass } = self;
        if *pass == Pass::Codes {
            let seen = analyzer.observe(packet, &mut wanted.coded);
            if let Some((protocol, stream)) = stream_of(&seen)
                && wanted.fields.match_packet(&seen)
            {
                wanted.coded.streams.set(protocol, stream);
            }
            wanted.coded.settle();
            return Ok(Flow::Continue);
        }
        let conversation = stream_of(&analyzer.observe(packet, &mut crate::cli::sinks::Nobody));
        match conversation {
            Some((Protocol::Tcp, stream)) => wanted.tcp = wanted.tcp.max(stream + 1),
            Some((Protocol::Udp, stream)) => wanted.udp = wanted.udp.max(stream + 1),
            None => {}
        }
        let others = wanted.fragments.others(packet);
        if wanted.wants(packet, conversation) {
            wanted.frames.set(packet.meta.number);
            for frame in others {
                wanted.frames.set(frame);
            }
        }
        Ok(Flow::Continue)
    }
}

impl Coded {
    fn take(&mut self, finding: &Finding) {
        for &frame in &finding.frames {
            self.frames.set(frame);
        }
    }

    /// Findings that are about no conversation's end.
    fn settle(&mut self) {
        for finding in mem::take(&mut self.held) {
            self.take(&finding);
            for &stream in &finding.streams {
                self.streams.set(Protocol::Tcp, stream);
            }
        }
    }

    fn over(&mut self, protocol: Protocol, stream: u64) {
        for finding in mem::take(&mut self.held) {
            self.take(&finding);
            self.streams.set(protocol, stream);
        }
    }
}

impl Sink for Coded {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.over(Protocol::Tcp, ended.stream);
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.over(Protocol::Udp, ended.stream);
    }

    fn finding(&mut self, finding: Finding) {
        if self.fields.has_code(finding.code) {
            self.held.push(finding);
        }
    }
}

/// Frames of datagrams that are not whole yet.
#[derive(Debug, Default)]
struct Fragments {
    waiting: HashMap<(IpAddr, IpAddr, Option<u32>), Vec<u64>>,
    /// Frames in there.
    count: usize,
}

impl Fragments {
    /// The other frames of the datagram that a packet completes; a fragment is kept for later.
    fn others(&mut self, packet: &Packet<'_>) -> Vec<u64> {
        if let Some(whole) = packet.reassembled {
            let key = self.waiting.iter().find(|(_, frames)| frames.first() == Some(&whole.first_frame));
            let Some(key) = key.map(|(key, _)| *key) else { return Vec::new() };
            let frames = self.waiting.remove(&key).unwrap_or_default();
            self.count -= frames.len();
            return frames;
        }
        if let Some(ip) = packet.ip.as_ref().filter(|ip| IpHeader::is_fragment(ip)) {
            if self.count == MOST_FRAGMENTS {
                // A flood of datagrams that never become whole: none of them belongs to a conversation.
                self.waiting.clear();
                self.count = 0;
            }
            self.waiting.entry((ip.src, ip.dst, ip.id)).or_default().push(packet.meta.number);
            self.count += 1;
        }
        Vec::new()
    }
}

/// Frames kept of datagrams that are not whole.
const MOST_FRAGMENTS: usize = 1 << 16;
