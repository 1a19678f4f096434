//! One TCP stream of the dialect: its number, what kind of opening and closing it has shown, and how its numbers are
//! shown.
//!
//! `tshark -2` judges each frame once, in the first pass, but prints with what the whole capture has taught it: final
//! completeness, final window scales, final bases, final round trip time. [`Final`] is that memory.

use crate::packet::flags::TcpFlags;
use crate::packet::seq::SeqNumber;
use crate::packet::time::Span;
use crate::packet::tuple::Dir;
use crate::tcp::dialect::judge::Judgement;
use crate::tcp::dialect::judge::SCALE_UNKNOWN;
use crate::tcp::dialect::judge::SCALE_UNUSED;
use crate::tcp::dialect::judge::Segment;
use crate::tcp::dialect::judge::Side;
use crate::tcp::dialect::judge::judge;
use crate::tcp::dialect::tags::Scale;
use crate::tcp::dialect::verdict::Verdicts;

/// What a whole capture says of one stream; what a second pass shows on each of its frames.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Final {
    first_rtt: i64,
    base: [Option<SeqNumber>; 2],
    scale: [i8; 2],
    completeness: u8,
    /// Bits that the first packet would have set had it not been the first.
    belated: u8,
}

impl Final {
    /// Completeness bits: SYN 1, SYN+ACK 2, ACK 4, data 8, FIN 16, RST 32.
    pub const fn completeness(&self) -> u8 {
        self.completeness
    }

    /// The base of the side that sends `dir`: relative number 0.
    pub const fn base(&self, dir: Dir) -> Option<SeqNumber> {
        self.base[index(dir)]
    }

    /// Window scale of the side that sends `dir`.
    pub const fn scale(&self, dir: Dir) -> Scale {
        scale(self.scale[index(dir)])
    }

    /// Time from SYN to the handshake's last ACK.
    pub const fn initial_rtt(&self) -> Option<Span> {
        if self.first_rtt == 0 { None } else { Some(Span(self.first_rtt)) }
    }
}

/// What a SYN says about its side's base.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Base {
    /// Nothing: it is the first to name one, or there is no SYN.
    New,
    /// A SYN without ACK names the known one.
    Repeated,
    /// A SYN+ACK names another one.
    Changed,
}

/// How the numbers of a frame are to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) seq_base: SeqNumber,
    pub(super) ack_base: SeqNumber,
    pub(super) scale: Scale,
    pub(super) completeness: u8,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) number: u32,
    sides: [Side; 2],
    /// Time of the latest pure SYN; 0 is none.
    syn_at: i64,
    /// 0 is none.
    first_rtt: i64,
    completeness: u8,
    belated: u8,
    is_new: bool,
    /// Bases of a second pass: they begin at their last value and follow each SYN+ACK anew.
    shown_base: [Option<SeqNumber>; 2],
    known: Option<Final>,
}

impl Stream {
    pub(super) fn new(number: u32, known: Option<Final>) -> Self {
        Self {
            number,
            sides: Default::default(),
            syn_at: 0,
            first_rtt: 0,
            completeness: 0,
            belated: 0,
            is_new: true,
            shown_base: known.map_or([None; 2], |known| known.base),
            known,
        }
    }

    /// The same, begun by a SYN on ports that another connection had: its completeness is 1 whatever the SYN carries.
    pub(super) fn reusing_ports(self) -> Self {
        Self { completeness: SEEN_SYN, is_new: false, ..self }
    }

    /// A header that Wireshark gives up on before it notes the phase: what follows is no longer the first packet.
    pub(super) fn skip_phase(&mut self) {
        self.is_new = false;
    }

    /// What is known of it now.
    pub(super) fn so_far(&self) -> Final {
        let [low, high] = &self.sides;
        Final {
            first_rtt: self.first_rtt,
            base: [low.base, high.base],
            scale: [low.scale, high.scale],
            completeness: self.completeness,
            belated: self.belated,
        }
    }

    /// Memory taken by notes on segments, in entries.
    pub(super) fn room(&self) -> usize {
        self.sides.iter().map(|side| side.unacked.room()).sum()
    }

    /// A SYN without ACK that begins another connection on the same ports: the base is known and another. A base that
    /// was only guessed from a capture's middle counts too.
    pub(super) fn is_ended_by(&self, dir: Dir, flags: TcpFlags, seq: SeqNumber) -> bool {
        is_pure_syn(flags) && self.sides[index(dir)].base.is_some_and(|base| base != seq)
    }

    /// What a SYN finds where the base is known already. Wireshark does this before it looks at lengths, so also for a
    /// short segment. True where only the second pass takes the number for a change: a later one had replaced it.
    pub(super) fn hear_syn(&mut self, dir: Dir, segment: &Segment) -> (Base, bool) {
        if !segment.flags.has(TcpFlags::SYN) {
            return (Base::New, false);
        }
        let f = &mut self.sides[index(dir)];
        let has_ack = segment.flags.has(TcpFlags::ACK);
        let mut found = Base::New;
        match f.base {
            Some(base) if has_ack && base != segment.seq => {
                f.base = Some(segment.seq);
                found = Base::Changed;
            }
            Some(base) if !has_ack && base == segment.seq => {
                f.reopen();
                found = Base::Repeated;
            }
            _ => {}
        }
        let shown = self.shown_base[index(dir)].as_mut().filter(|_| has_ack);
        let before = shown.map(|shown| std::mem::replace(shown, segment.seq));
        (found, before.is_some_and(|before| before != segment.seq))
    }

    /// Sets the bases, unless known.
    fn name_bases(&mut self, dir: Dir, segment: &Segment) {
        let (f, r) = self.pair(dir);
        let has_syn = segment.flags.has(TcpFlags::SYN);
        f.base.get_or_insert(if has_syn { segment.seq } else { segment.seq.minus(1) });
        if segment.flags.has(TcpFlags::ACK) {
            r.base.get_or_insert(segment.ack.minus(1));
        }
    }

    /// Runs the verdicts.
    pub(super) fn judge(&mut self, dir: Dir, has_room: bool, segment: &Segment) -> Judgement {
        let (base, is_renumbered) = self.hear_syn(dir, segment);
        self.name_bases(dir, segment);
        let first_rtt = self.first_rtt;
        let (f, r) = self.pair(dir);
        let mut found = judge(f, r, first_rtt, has_room, segment);
        found.is_recorded |= base != Base::New || is_renumbered;
        if base == Base::Changed {
            found.verdicts.add(Verdicts::REUSED_PORTS);
        }
        found
    }

    /// Step 18: completeness, and the times of the handshake. `len` is 0 where it cannot be told.
    pub(super) fn note_phase(&mut self, dir: Dir, at: i64, flags: TcpFlags, len: u32) {
        let bits = phase_bits(flags, len);
        if std::mem::take(&mut self.is_new) {
            self.belated = bits;
            if is_pure_syn(flags) {
                self.completeness = SEEN_SYN | if len > 0 { SEEN_DATA } else { 0 };
            }
        } else {
            self.completeness |= bits;
        }
        let f = &mut self.sides[index(dir)];
        if flags.has(TcpFlags::SYN) {
            f.awaits_first_ack = true;
            if !flags.has(TcpFlags::ACK) {
                self.syn_at = at;
            }
        } else if flags.has(TcpFlags::ACK) {
            if self.syn_at != 0 && self.first_rtt == 0 {
                self.first_rtt = at.saturating_sub(self.syn_at);
            }
            f.awaits_first_ack = false;
        }
    }

    /// Step 19: the options, heard only after the verdicts.
    pub(super) fn hear_options(&mut self, dir: Dir, segment: &Segment) {
        let (f, r) = self.pair(dir);
        f.hear_options(segment);
        if segment.flags.has(TcpFlags::SYN) && !segment.heard.gave_up {
            // RFC 7323 §2.2: scaling is used only if both SYNs offer it.
            if f.scale == SCALE_UNKNOWN {
                f.scale = SCALE_UNUSED;
                r.scale = SCALE_UNUSED;
            } else if segment.flags.has(TcpFlags::ACK) && r.scale == SCALE_UNUSED {
                f.scale = SCALE_UNUSED;
            }
        }
    }

    /// What this frame shows, to be asked before [`note_phase`](Self::note_phase) of the same frame: in one pass,
    /// Wireshark prints completeness as it was before the frame.
    pub(super) fn shown(&self, dir: Dir) -> Shown {
        let (near, far) = (index(dir), index(dir.reverse()));
        match self.known {
            Some(known) => Shown {
                seq_base: self.shown_base[near].unwrap_or_default(),
                ack_base: self.shown_base[far].unwrap_or_default(),
                scale: known.scale(dir),
                // The first frame shows the bits collected; from then on its own have been added a second time round.
                completeness: known.completeness | if self.is_new { 0 } else { known.belated },
            },
            None => Shown {
                seq_base: self.sides[near].base.unwrap_or_default(),
                ack_base: self.sides[far].base.unwrap_or_default(),
                scale: scale(self.sides[near].scale),
                completeness: self.completeness,
            },
        }
    }

    /// The round trip time that this frame shows, to be asked after its own phase was noted.
    pub(super) fn initial_rtt(&self) -> Option<Span> {
        self.known.unwrap_or_else(|| self.so_far()).initial_rtt()
    }

    fn pair(&mut self, dir: Dir) -> (&mut Side, &mut Side) {
        let [low, high] = &mut self.sides;
        match dir {
            Dir::LowToHigh => (low, high),
            Dir::HighToLow => (high, low),
        }
    }
}

/// Bits that any packet but a connection's first sets. FIN needs ACK; RST+ACK and an empty FIN+ACK count as an ACK.
const fn phase_bits(flags: TcpFlags, len: u32) -> u8 {
    let has_ack = flags.has(TcpFlags::ACK);
    let mut bits = 0;
    if has_ack {
        bits |= match (flags.has(TcpFlags::SYN), len > 0) {
            (true, _) => SEEN_SYN_ACK,
            (false, true) => SEEN_DATA,
            (false, false) => SEEN_ACK,
        };
    }
    if has_ack && flags.has(TcpFlags::FIN) {
        bits |= SEEN_FIN;
    }
    if flags.has(TcpFlags::RST) {
        bits |= SEEN_RST;
    }
    bits
}

/// SYN without ACK, whatever else is set: Wireshark asks no more.
const fn is_pure_syn(flags: TcpFlags) -> bool {
    flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK)
}

const fn index(dir: Dir) -> usize {
    match dir {
        Dir::LowToHigh => 0,
        Dir::HighToLow => 1,
    }
}

const fn scale(scale: i8) -> Scale {
    match scale {
        SCALE_UNKNOWN => Scale::Unknown,
        0.. => Scale::Shift(scale as u8),
        _ => Scale::Unused,
    }
}

const SEEN_SYN: u8 = 1;
const SEEN_SYN_ACK: u8 = 2;
const SEEN_ACK: u8 = 4;
const SEEN_DATA: u8 = 8;
const SEEN_FIN: u8 = 16;
const SEEN_RST: u8 = 32;
