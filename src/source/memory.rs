//! A source over frames that were made up in memory: for tests and demonstrations.

use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::LinkType;
use crate::packet::Timestamp;
use crate::source::CaptureInfo;
use crate::source::Flow;
use crate::source::Format;
use crate::source::InterfaceInfo;
use crate::source::Poll;
use crate::source::Resolution;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Stats;

/// Hands over its frames in the order given, all in one poll.
#[derive(Clone, Debug)]
pub struct MemorySource {
    info: CaptureInfo,
    frames: Vec<(Timestamp, Vec<u8>)>,
    stats: Stats,
}

impl MemorySource {
    /// A capture of whole frames on one interface, stamped as by a kernel's file.
    pub fn new(link_type: LinkType, frames: Vec<(Timestamp, Vec<u8>)>) -> Self {
        let mut info = CaptureInfo::new("memory", Format::Memory);
        info.sections = 1;
        info.interfaces.push(InterfaceInfo {
            name: None,
            description: None,
            link_type,
            snaplen: 0,
            mtu: None,
            resolution: Resolution::NANOS,
        });
        Self { info, frames, stats: Stats::default() }
    }
}

impl Source for MemorySource {
    fn poll(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError> {
        let next = self.stats.frames as usize;
        for (at, bytes) in &self.frames[next..] {
            self.stats.frames += 1;
            self.stats.bytes += bytes.len() as u64;
            let link_type = self.info.interfaces[0].link_type;
            let meta = FrameMeta::whole(self.stats.frames, *at, link_type, bytes.len() as u32);
            if take(&Frame { meta, bytes }) == Flow::Stop {
                return Ok(Poll::More);
            }
        }
        Ok(Poll::End)
    }

    fn stats(&mut self) -> Stats {
        self.stats
    }

    fn info(&self) -> &CaptureInfo {
        &self.info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_stop_the_next_frame_is_the_next_one() {
        let frames = (1..=3u8).map(|n| (Timestamp::from_nanos(i64::from(n)), vec![n; usize::from(n)])).collect();
        let mut source = MemorySource::new(LinkType::RAW, frames);
        let mut seen = Vec::new();
        let first = source.poll(&mut |frame| {
            seen.push((frame.meta.number, frame.bytes[0], frame.meta.link_type));
            Flow::Stop
        });
        assert_eq!(first.expect("memory does not fail"), Poll::More);
        let rest = source.poll(&mut |frame| {
            seen.push((frame.meta.number, frame.bytes[0], frame.meta.link_type));
            Flow::Continue
        });
        assert_eq!(rest.expect("memory does not fail"), Poll::End);
        assert_eq!(seen, [1, 2, 3].map(|n| (u64::from(n), n, LinkType::RAW)));
        assert_eq!(source.stats(), Stats { frames: 3, bytes: 6, dropped: None });
        assert_eq!(
            source.poll(&mut |_| Flow::Continue).expect("memory does not fail"),
            Poll::End,
            "and the end stays the end"
        );
    }
}
