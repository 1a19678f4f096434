//! Judging a connection's segments, beside following them: what the parts of [`verdict`](crate::tcp::verdict) need to
//! know of the connection, and what their judgements add up to.

use crate::finding::Code;
use crate::packet::ChecksumState;
use crate::packet::IpHeader;
use crate::packet::TcpHeader;
use crate::tcp::blind::Hearing;
use crate::tcp::connection::Connection;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::rtt::How;
use crate::tcp::verdict::Before;
use crate::tcp::verdict::Count;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::tcb::Tcb;
use crate::tcp::verdict::told::After;

impl Connection {
    /// Judges one segment; to be called before [`observe`](Self::observe) sees it. The first call makes room for what
    /// judging needs to remember.
    pub fn judge(
        &mut self,
        mark: Mark,
        side: Side,
        ip: &IpHeader,
        tcp: &TcpHeader<'_>,
        hearing: Hearing,
        out: &mut Vec<Judgement>,
    ) {
        if let ChecksumState::Bad { expected } = tcp.checksum {
            out.push(Judgement::bad_checksum(tcp.checksum_field, expected));
            return;
        }
        if self.to_itself {
            if mark.frame == self.first.frame {
                out.push(Judgement::broken(Code::SelfConnect).count("port", tcp.src_port));
            }
            return;
        }
        self.looks_at_reset(mark, side, ip, tcp);
        let before = Before {
            sender: &self.sides[side.index()],
            receiver: &self.sides[side.peer().index()],
            sender_scale: self.window_scale(side),
            timestamps: self.timestamps_agreed(),
            mss: self.known_of_mss(side),
            sender_half: match side {
                Side::Client => self.handshake.client_rtt,
                Side::Server => self.handshake.server_rtt,
            },
            open: self.handshake.ack.is_some() || !self.oriented,
            syns: u8::from(self.handshake.syn.is_some()) + u8::from(self.handshake.syn_ack.is_some()),
        };
        let judge = self.judge.get_or_insert_default();
        if let Some(round_trips) = Self::round_trips_mut(&mut self.life) {
            round_trips.echo(mark.at, side.peer(), judge.side(side.peer()), tcp);
        }
        let segment = Segment { mark, ip, tcp, before, blind: hearing.blind };
        let sample = judge.observe(side, &segment, hearing.thorough, out);
        if let (Some(round_trips), Some(sample)) = (Self::round_trips_mut(&mut self.life), sample) {
            round_trips.take(side.peer(), How::Karn, sample);
        }
    }

    /// Adds what the `events` of a segment say to what was judged of it, counts both, and puts its time to where it went;
    /// to be called after [`observe`](Self::observe). `thorough` as in [`Hearing`].
    pub fn tell(
        &mut self,
        mark: Mark,
        side: Side,
        tcp: &TcpHeader<'_>,
        events: &[Event],
        thorough: bool,
        out: &mut Vec<Judgement>,
    ) {
        let after = After { connection: self, side, tcp, thorough };
        for event in events.iter().filter(|_| !self.to_itself) {
            let Some(told) = after.told(event) else { continue };
            // The rule says the same with its numbers.
            let told_as_rule = |judgement: &Judgement| judgement.code == Code::ResetValid && judgement.is_broken();
            if told.code != Code::ResetIgnored || !out.iter().any(told_as_rule) {
                out.push(told);
            }
        }
        if out.iter().any(Judgement::is_broken) {
            self.notable.get_or_insert_default().counts.add(mark.frame, out);
        }
        self.lives(mark, side, tcp, events, out);
        // What comes behind the close is a straggler or a repetition: the numbers of the two sides suffice to tell.
        if !thorough && events.iter().any(|event| matches!(event, Event::Closed { .. })) {
            self.judge = None;
        }
    }

    /// How often what was found or broken on single segments, if judging was asked for.
    pub fn counts(&self) -> &[Count] {
        self.notable().counts.all()
    }

    /// What judging has kept about one side, if it was asked for.
    pub fn judged(&self, side: Side) -> Option<&Tcb> {
        self.judge.as_deref().map(|judge| judge.side(side))
    }
}
