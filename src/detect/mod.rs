//! Facts to findings: policy and thresholds live here, and nowhere else.
//!
//! [`connection`], [`life`], [`segments`] and [`exchange`] judge a conversation at its end, [`path`] its paths,
//! [`syn_flood`] watches openings while they happen, `fragments` what contradicts itself.

pub mod connection;
pub mod exchange;
pub mod life;
pub mod path;
pub mod segments;
pub mod syn_flood;

mod fragments;
mod reset;
mod weaken;

use crate::detect::fragments::Fragments;
use crate::detect::syn_flood::Incident;
use crate::detect::syn_flood::Phase;
use crate::detect::syn_flood::Segment;
use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Thresholds;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::flow::doorway::Kept;
use crate::packet::Packet;
use crate::packet::Quoted;
use crate::packet::Timestamp;

/// All detectors of one analysis.
#[derive(Debug, Default)]
pub struct Detectors {
    syn_flood: SynFlood,
    fragments: Fragments,
}

/// Takes what is to be said.
pub type Say<'a> = &'a mut dyn FnMut(Finding);

impl Detectors {
    /// Detectors with these thresholds for floods and scans.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { syn_flood: SynFlood::new(thresholds), ..Self::default() }
    }

    /// The first packet of a capture.
    pub fn begins_with(&mut self, packet: &Packet<'_>) {
        self.syn_flood.begins_with(packet);
    }

    /// A segment passed.
    pub fn on_segment(&mut self, segment: &Segment<'_>, say: Say<'_>) {
        self.syn_flood.on_segment(segment, &mut |incident| when_over(&incident, say));
    }

    /// A packet passed that has defects.
    pub fn on_defects(&mut self, packet: &Packet<'_>) {
        self.fragments.on_defects(packet);
    }

    /// An ICMP message said that the TCP segment it quotes cannot be delivered.
    pub fn on_unreachable(&mut self, at: Timestamp, key: u64, quoted: &Quoted, say: Say<'_>) {
        self.syn_flood.on_unreachable(at, key, quoted, &mut |incident| when_over(&incident, say));
    }

    /// A connection left.
    pub fn on_connection(&mut self, ended: &EndedConnection<'_>, say: Say<'_>) {
        connection::judge(ended, say);
        life::judge(ended, say);
        segments::judge(ended, say);
        path::judge(ended, say);
    }

    /// A UDP conversation left.
    pub fn on_exchange(&mut self, ended: &EndedExchange<'_>, say: Say<'_>) {
        exchange::judge(ended, say);
    }

    /// The capture is over.
    pub fn finish(&mut self, say: Say<'_>) {
        self.syn_flood.finish(&mut |incident| when_over(&incident, say));
        self.fragments.finish(say);
    }

    /// A connection whose attempt waits in the doorway is let go. `false` where it cannot be brought back.
    pub fn let_go(&mut self, key: u64, kept: &Kept) -> bool {
        self.syn_flood.let_go(key, kept)
    }

    /// The flood detector, to ask it for those that were let go.
    pub const fn syn_flood_mut(&mut self) -> &mut SynFlood {
        &mut self.syn_flood
    }

    /// The flood detector with its counters.
    pub const fn syn_flood(&self) -> &SynFlood {
        &self.syn_flood
    }
}

/// One finding per incident, when everything about it is known. What a wider incident goes on for is told with that.
fn when_over(incident: &Incident, say: Say<'_>) {
    if incident.phase == Phase::End && incident.merged_into.is_none() {
        say(incident.to_finding());
    }
}
