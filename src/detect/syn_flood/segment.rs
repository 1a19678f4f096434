//! What one segment says about an attempt.

use std::hash::BuildHasher;

use crate::detect::syn_flood::Segment;
use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Tell;
use crate::detect::syn_flood::group::Level;
use crate::flow::doorway::Address;
use crate::flow::doorway::Attempt;
use crate::flow::doorway::Marks;
use crate::flow::doorway::Outcome;
use crate::flow::doorway::Tries;
use crate::packet::Dir;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;

/// Farthest that an acknowledgment of the third segment may lie beyond the server's SYN.
const ACK_REACH: u32 = 1 << 24;
/// Farthest that a segment of a client that has completed may lie beyond its SYN.
const SEQ_REACH: u32 = 1 << 16;
impl SynFlood {
    pub(super) fn syn(&mut self, key: u64, segment: &Segment<'_>, now: i64, tell: Tell<'_>) {
        let (tcp, ip) = (segment.tcp, segment.ip);
        let group = self.groups.port(Address::of(ip.dst), tcp.dst_port, now);
        self.above(group, |group| group.count_syn(now));
        self.totals.syns += 1;
        if !self.attempts.keeps(key) {
            return;
        }
        self.called(group, Address::of(ip.src), segment.frame as u32, now, tell);
        let attempt = Attempt {
            key,
            source: Address::of(ip.src),
            server: Address::of(ip.dst),
            ports: [tcp.src_port, tcp.dst_port],
            at: now,
            late: self.late(segment, now),
            frame: segment.frame as u32,
            group,
            client_isn: tcp.seq,
            server_isn: SeqNumber(0),
            window: tcp.window,
            ttl: ip.ttl,
            // As the header says: of a capture that is cut short, some or all of them are missing.
            options: tcp.header_len.saturating_sub(20),
            tries: Tries::new(1, 0),
            member: self.member(group, Address::of(ip.dst), tcp.dst_port),
            verdict: None,
            marks: Marks::new(if segment.dir == Dir::LowToHigh { Marks::CLIENT_IS_LOW } else { 0 }),
        };
        self.put(attempt, now, tell);
    }

    /// A server answers what the capture has not seen asked.
    pub(super) fn orphan(&mut self, key: u64, segment: &Segment<'_>, now: i64, tell: Tell<'_>) {
        let (tcp, ip) = (segment.tcp, segment.ip);
        if !self.attempts.keeps(key) || !self.attempts.takes_orphan(Address::of(ip.dst)) {
            return;
        }
        let group = self.groups.port(Address::of(ip.src), tcp.src_port, now);
        let client_is_low = if segment.dir == Dir::HighToLow { Marks::CLIENT_IS_LOW } else { 0 };
        let attempt = Attempt {
            key,
            source: Address::of(ip.dst),
            server: Address::of(ip.src),
            ports: [tcp.dst_port, tcp.src_port],
            at: now,
            late: self.late(segment, now),
            frame: segment.frame as u32,
            group,
            client_isn: tcp.ack.minus(1),
            server_isn: tcp.seq,
            window: tcp.window,
            ttl: ip.ttl,
            // As the header says: of a capture that is cut short, some or all of them are missing.
            options: tcp.header_len.saturating_sub(20),
            tries: Tries::new(1, 1),
            member: self.member(group, Address::of(ip.src), tcp.src_port),
            verdict: None,
            marks: Marks::new(client_is_low | Marks::ORPHAN),
        };
        self.put(attempt, now, tell);
        self.opens(group);
    }

    pub(super) fn syn_again(&mut self, slot: u32, segment: &Segment<'_>, now: i64, tell: Tell<'_>) {
        let attempt = self.attempts.get(slot);
        if !from_client(&attempt, segment.dir) {
            // SYNs crossed (RFC 9293 §3.5, figure 7): somebody lives there.
            self.above(attempt.group, |group| group.answered = true);
            return;
        }
        if attempt.client_isn != segment.tcp.seq {
            self.supersede(slot, now, tell);
            self.syn(attempt.key, segment, now, tell);
            return;
        }
        self.above(attempt.group, |group| group.count_syn(now));
        self.totals.syns += 1;
        if attempt.is_orphan() {
            // Its SYN after all: late in the capture, or repeated.
            self.attempts.get_mut(slot).marks.set(Marks::ORPHAN, false);
        }
        if attempt.age(now) < self.th.resend_after {
            return;
        }
        self.attempts.get_mut(slot).tries.add_syn();
        if !attempt.is_resent() {
            self.unage(slot);
            self.above(attempt.group, |group| group.resent = group.resent.saturating_add(1));
            if matches!(attempt.verdict, Some(Outcome::HalfOpen | Outcome::Unanswered)) {
                let now_as = self.attempts.get(slot).left_as();
                self.judge_anew(slot, now_as, now, tell);
            }
        }
    }

    /// A SYN,ACK went out from there.
    fn opens(&mut self, group: u32) {
        self.above(group, |group| {
            group.answered = true;
            group.opens();
        });
        self.totals.opens(self.groups.get(group).unacknowledged);
    }

    pub(super) fn syn_ack(&mut self, slot: u32, segment: &Segment<'_>, now: i64) {
        let attempt = self.attempts.get(slot);
        let covers = attempt.client_isn.offset_to(segment.tcp.ack);
        if from_client(&attempt, segment.dir) || covers == 0 || covers > SEQ_REACH {
            return;
        }
        let known = self.attempts.get_mut(slot);
        if !attempt.is_answered() {
            known.server_isn = segment.tcp.seq;
            known.tries.add_syn_ack();
            self.opens(attempt.group);
        } else if known.server_isn != segment.tcp.seq {
            // A cookie made anew: the latest one counts (RFC 4987 §3.6).
            known.server_isn = segment.tcp.seq;
        } else if attempt.age(now) >= self.th.resend_after {
            known.tries.add_syn_ack();
            self.above(attempt.group, |group| group.syn_acks_resent = group.syn_acks_resent.saturating_add(1));
        }
    }

    pub(super) fn reset(&mut self, slot: u32, segment: &Segment<'_>, now: i64, tell: Tell<'_>) {
        let attempt = self.attempts.get(slot);
        if from_client(&attempt, segment.dir) {
            let sent = attempt.client_isn.offset_to(segment.tcp.seq);
            match sent {
                0 | 1 => self.finish_as(slot, Outcome::Reset, now, tell),
                // It had sent octets before, so it had completed; the capture missed it.
                2..=SEQ_REACH => self.finish_as(slot, Outcome::Completed, now, tell),
                _ => {}
            }
            return;
        }
        self.above(attempt.group, |group| group.answered = true);
        let covers = attempt.client_isn.offset_to(segment.tcp.ack);
        // RFC 9293 §3.10.7.3: in SYN-SENT a reset counts only if it acknowledges the SYN.
        let counts = segment.tcp.flags.has(TcpFlags::ACK) && (1..=SEQ_REACH).contains(&covers);
        if !attempt.is_answered() && counts {
            self.finish_as(slot, Outcome::Refused, now, tell);
        }
    }

    pub(super) fn plain(&mut self, slot: u32, segment: &Segment<'_>, now: i64, tell: Tell<'_>) {
        let attempt = self.attempts.get(slot);
        let tcp = segment.tcp;
        let acks = tcp.flags.has(TcpFlags::ACK);
        if !from_client(&attempt, segment.dir) {
            let speaks = tcp.len > 0 || tcp.flags.has(TcpFlags::FIN);
            let covers = attempt.client_isn.offset_to(tcp.ack);
            if speaks || (acks && (2..=SEQ_REACH).contains(&covers)) {
                self.above(attempt.group, |group| group.answered = true);
                self.finish_as(slot, Outcome::Completed, now, tell);
            }
            return;
        }
        let sent = attempt.client_isn.offset_to(tcp.seq);
        if !acks || sent == 0 || sent > SEQ_REACH {
            return;
        }
        let acked = attempt.server_isn.offset_to(tcp.ack);
        if !attempt.is_answered() || (1..=ACK_REACH).contains(&acked) {
            self.finish_as(slot, Outcome::Completed, now, tell);
        } else if attempt.verdict.is_none_or(|verdict| verdict != Outcome::Forged) {
            self.unage(slot);
            self.judge_anew(slot, Outcome::Forged, now, tell);
        }
    }

    /// How far the clock of a segment lies behind trace time.
    fn late(&self, segment: &Segment<'_>, now: i64) -> Span {
        self.clock.stamp(now).since(segment.at)
    }

    /// Six bits of what the place of an attempt does not tell.
    fn member(&self, group: u32, addr: Address, port: u16) -> u8 {
        let hash = match self.groups.get(group).place.level {
            Level::Port => 0,
            Level::Host => self.marks.hash_one(port),
            Level::Prefix | Level::Wide => self.marks.hash_one(addr),
            Level::Rest => self.marks.hash_one(addr.wide_prefix()),
        };
        (hash & 63) as u8
    }
}

/// The segment went from the client to the server.
pub(super) fn from_client(attempt: &Attempt, dir: Dir) -> bool {
    (dir == Dir::LowToHigh) == attempt.marks.has(Marks::CLIENT_IS_LOW)
}
