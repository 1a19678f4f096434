//! What is known of the capture itself: how much, when, from which links, and what it cannot show.

use std::ops::Index;

use arrayvec::ArrayVec;

use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::LinkType;
use crate::packet::Packet;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::packet::Transport;

/// Link types told apart; a capture with more counts the rest as frames only.
const MAX_LINKS: usize = 16;

/// Queues of one card hand their packets over in turns: stamps that lie this little back were taken by a sound clock.
const REAL_STEP: Span = Span::from_millis(1);

/// Counters over all frames. Fixed size.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Frames.
    pub frames: u64,
    /// Octets on the wire.
    pub bytes: u64,
    /// Octets captured.
    pub captured_bytes: u64,
    /// Earliest and latest time stamp.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Link types in order of appearance, with frames.
    pub links: ArrayVec<(LinkType, u64), MAX_LINKS>,
    /// TCP segments.
    pub tcp: u64,
    /// UDP datagrams.
    pub udp: u64,
    /// ICMP messages of both versions.
    pub icmp: u64,
    /// IP packets that carry something else, and fragments other than the first.
    pub other_ip: u64,
    /// Frames without IP.
    pub not_ip: u64,
    /// Fragments of IP datagrams.
    pub fragments: u64,
    /// Frames that the snap length cut.
    pub snapped: u64,
    /// Octets kept of the longest of them: the snap length, as far as it shows.
    pub longest_cut: u32,
    /// Transport checksums by state.
    pub checksums: Checksums,
    /// Frames with at least one defect.
    pub defective: u64,
    /// Defects by code.
    pub defects: Defects,
    /// Link types that no reader knows, with frames; within another one, too.
    pub unread_links: ArrayVec<(LinkType, u64), MAX_LINKS>,
    /// Times that the clock stepped back, and the widest step.
    pub clock_steps: u64,
    /// Widest step back.
    pub widest_step: Span,
    /// The latest frame behind a step too wide to come from two queues of one clock; 0 for none.
    pub stepped_at: u64,
    latest: Option<Timestamp>,
}

fn count_link(links: &mut ArrayVec<(LinkType, u64), MAX_LINKS>, link: LinkType) {
    match links.iter_mut().find(|(known, _)| *known == link) {
        Some((_, frames)) => *frames += 1,
        None => {
            let _ = links.try_push((link, 1));
        }
    }
}

/// Defects, counted by code.
#[derive(Clone, Copy, Debug)]
pub struct Defects([u64; DefectCode::ALL.len()]);

impl Defects {
    /// The codes that were met, each with how often.
    pub fn met(&self) -> impl Iterator<Item = (DefectCode, u64)> {
        DefectCode::ALL.iter().map(|&code| (code, self[code])).filter(|(_, count)| *count > 0)
    }
}

impl Default for Defects {
    fn default() -> Self {
        Self([0; DefectCode::ALL.len()])
    }
}

impl Index<DefectCode> for Defects {
    type Output = u64;

    fn index(&self, code: DefectCode) -> &u64 {
        &self.0[code as usize]
    }
}

/// Transport checksums by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Checksums {
    /// Correct.
    pub good: u64,
    /// Left for the network card.
    pub partial: u64,
    /// Wrong.
    pub bad: u64,
    /// None computed, or none allowed to be missing.
    pub absent: u64,
    /// Not enough captured to tell.
    pub unverifiable: u64,
}

impl Facts {
    /// Counts one packet.
    pub fn count(&mut self, packet: &Packet<'_>) {
        let meta = packet.meta;
        self.frames += 1;
        self.bytes += u64::from(meta.origlen);
        self.captured_bytes += u64::from(meta.caplen);
        if meta.is_snapped() {
            self.snapped += 1;
            self.longest_cut = self.longest_cut.max(meta.caplen);
        }
        self.count_time(meta.at, meta.number);
        count_link(&mut self.links, meta.link_type);
        self.count_transport(packet);
        if !packet.defects.is_empty() {
            self.defective += 1;
            for defect in &packet.defects {
                self.defects.0[defect.code as usize] += 1;
                if defect.code == DefectCode::UnknownLink {
                    count_link(&mut self.unread_links, LinkType(defect.found as u16));
                }
            }
        }
    }

    /// Time from the earliest to the latest stamp.
    pub fn duration(&self) -> Span {
        self.times.map_or(Span::ZERO, |(first, last)| last.since(first))
    }

    fn count_time(&mut self, at: Timestamp, frame: u64) {
        self.times = Some(self.times.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        if let Some(latest) = self.latest.replace(at)
            && at < latest
        {
            self.clock_steps += 1;
            let step = latest.since(at);
            self.widest_step = self.widest_step.max(step);
            if step >= REAL_STEP {
                self.stepped_at = frame;
            }
        }
    }

    fn count_transport(&mut self, packet: &Packet<'_>) {
        self.fragments += u64::from(packet.ip.is_some_and(|ip| ip.is_fragment()));
        let checksum = match &packet.transport {
            Transport::Tcp(tcp) => {
                self.tcp += 1;
                tcp.checksum
            }
            Transport::Udp(udp) => {
                self.udp += 1;
                udp.checksum
            }
            Transport::Icmp(icmp) => {
                self.icmp += 1;
                icmp.checksum
            }
            Transport::LaterFragment | Transport::Other => {
                self.other_ip += 1;
                return;
            }
            Transport::None => {
                self.not_ip += 1;
                return;
            }
        };
        let counter = match checksum {
            ChecksumState::Good => &mut self.checksums.good,
            ChecksumState::Partial => &mut self.checksums.partial,
            ChecksumState::Bad { .. } => &mut self.checksums.bad,
            ChecksumState::Absent | ChecksumState::Illegal => &mut self.checksums.absent,
            ChecksumState::Unverifiable | ChecksumState::None => &mut self.checksums.unverifiable,
        };
        *counter += 1;
    }
}
