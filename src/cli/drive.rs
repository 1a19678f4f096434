//! The loop of every command: frames from a source, decoded, handed to a taker, until somebody says enough.

use std::time::Instant;

use crate::cli::failure::Failure;
use crate::cli::stop::Stop;
use crate::decode::Decoder;
use crate::packet::Frame;
use crate::packet::Packet;
use crate::source::Flow;
use crate::source::Poll;
use crate::source::Source;

/// Takes packets in capture order.
pub(super) trait Taker {
    /// A frame as it was captured; its packet follows.
    fn frame(&mut self, _frame: &Frame<'_>) {}

    /// One packet; [`Flow::Stop`] when no more are wanted.
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure>;

    /// The capturing side has lost this many frames so far; what it lost lies before the next packet.
    fn lost(&mut self, _total: u64) {}

    /// Nothing more is there for the moment.
    fn pause(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Nothing has come for a while.
    fn idle(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// What ends a run before its source does.
#[derive(Clone, Debug, Default)]
pub(super) struct Until {
    pub(super) stop: Stop,
    pub(super) deadline: Option<Instant>,
}

impl Until {
    fn is_over(&self) -> bool {
        self.stop.is_asked() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Hands every packet to `taker`. When the time is over, what has arrived by then is still handed on.
pub(super) fn drive(source: &mut dyn Source, until: &Until, taker: &mut dyn Taker) -> Result<(), Failure> {
    let mut ending = false;
    let mut decoder = Decoder::default();
    loop {
        if !ending && until.is_over() {
            source.finish();
            ending = true;
        }
        let mut taken = Ok(Flow::Continue);
        let poll = source.poll(&mut |frame| {
            taker.frame(frame);
            taken = decoder.hand(frame, |packet| taker.packet(packet));
            match taken {
                Ok(Flow::Continue) => Flow::Continue,
                Ok(Flow::Stop) | Err(_) => Flow::Stop,
            }
        })?;
        match poll {
            Poll::Idle => taker.idle()?,
            Poll::More | Poll::End => {}
        }
        if let Some(total) = source.stats().dropped {
            taker.lost(total);
        }
        taker.pause()?;
        if taken? == Flow::Stop || poll == Poll::End {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::packet::LinkType;
    use crate::packet::Timestamp;
    use crate::source::MemorySource;

    struct Counts {
        packets: u64,
        enough: u64,
    }

    impl Taker for Counts {
        fn packet(&mut self, _packet: &Packet<'_>) -> Result<Flow, Failure> {
            self.packets += 1;
            Ok(if self.packets == self.enough { Flow::Stop } else { Flow::Continue })
        }
    }

    fn five_frames() -> MemorySource {
        MemorySource::new(LinkType::RAW, vec![(Timestamp::EPOCH, vec![0x45]); 5])
    }

    #[test]
    fn every_packet_is_taken_until_the_end() {
        let mut counts = Counts { packets: 0, enough: 0 };
        drive(&mut five_frames(), &Until::default(), &mut counts).unwrap();
        assert_eq!(counts.packets, 5);
    }

    #[test]
    fn a_taker_that_has_enough_is_given_no_more() {
        let mut counts = Counts { packets: 0, enough: 2 };
        drive(&mut five_frames(), &Until::default(), &mut counts).unwrap();
        assert_eq!(counts.packets, 2);
    }

    #[test]
    fn what_has_arrived_before_the_deadline_is_not_lost() {
        let mut counts = Counts { packets: 0, enough: 0 };
        let past =
            Instant::now().checked_sub(Duration::from_millis(1)).expect("the machine runs for over a millisecond");
        drive(&mut five_frames(), &Until { deadline: Some(past), ..Until::default() }, &mut counts).unwrap();
        assert_eq!(counts.packets, 5);
    }
}
