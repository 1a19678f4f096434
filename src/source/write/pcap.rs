//! Pieces into a pcap file: frames of one link type, their times and lengths; nothing else has room there.

use std::io::Write;

use crate::packet::Frame;
use crate::packet::LinkType;
use crate::source::Format;
use crate::source::Piece;
use crate::source::order::Order;
use crate::source::write::Lost;
use crate::source::write::WriteError;
use crate::source::write::block::COMMENT;
use crate::source::write::block::DECRYPTION_SECRETS;
use crate::source::write::block::ENHANCED_PACKET;
use crate::source::write::block::INTERFACE_DESCRIPTION;
use crate::source::write::block::INTERFACE_STATISTICS;
use crate::source::write::block::NAME_RESOLUTION;
use crate::source::write::block::SECTION_HEADER;

/// A pcap file so far.
#[derive(Default)]
pub(super) struct Classic {
    /// What the first frame, or the first file header, decided.
    begun: Option<Begun>,
    /// Interfaces that pcapng files described.
    interfaces: u64,
}

#[derive(Clone, Copy)]
struct Begun {
    order: Order,
    /// Nanoseconds in a unit of the fraction.
    unit: i64,
    link_type: LinkType,
}

impl Classic {
    pub(super) fn piece(&mut self, out: &mut dyn Write, piece: &Piece<'_>, lost: &mut Lost) -> Result<(), WriteError> {
        let order = Order::of(piece.big_endian);
        if piece.format == Format::Pcapng {
            self.note_losses(piece, order, lost);
        }
        let Some(frame) = &piece.frame else {
            if piece.format == Format::Pcap
                && let Some(header) = piece.raw.first_chunk::<24>()
            {
                // A capture without frames is a capture.
                if self.begun.is_none() {
                    self.begin_as(out, header, order)?;
                }
            }
            return Ok(());
        };
        let begun = match self.begun {
            Some(begun) => begun,
            None => self.begin(out, frame.meta.link_type)?,
        };
        if begun.link_type != frame.meta.link_type {
            let name = |link_type: LinkType| link_type.name().map_or_else(|| link_type.0.to_string(), str::to_owned);
            return Err(WriteError::LinkTypes { one: name(begun.link_type), other: name(frame.meta.link_type) });
        }
        record(out, begun, frame, lost)
    }

    /// With the header of a pcap file, made an ordinary one where it was written by old habits.
    fn begin_as(&mut self, out: &mut dyn Write, header: &[u8; 24], order: Order) -> Result<(), WriteError> {
        let mut header = *header;
        let nanos = order.u32(&header, 0) == NANOS;
        header[..4].copy_from_slice(&order.octets(if nanos { NANOS } else { MICROS }));
        header[4..6].copy_from_slice(&order.octets_of_16(2));
        header[6..8].copy_from_slice(&order.octets_of_16(4));
        out.write_all(&header)?;
        let link_type = LinkType(order.u32(&header, 20) as u16);
        self.begun = Some(Begun { order, unit: if nanos { 1 } else { 1_000 }, link_type });
        Ok(())
    }

    /// With a header of our own, for frames of a pcapng file: nanoseconds hold whatever a frame's time can say.
    fn begin(&mut self, out: &mut dyn Write, link_type: LinkType) -> Result<Begun, WriteError> {
        let order = Order::LITTLE;
        for word in [NANOS, 2 | 4 << 16, 0, 0, SNAPLEN, u32::from(link_type.0)] {
            out.write_all(&order.octets(word))?;
        }
        let begun = Begun { order, unit: 1, link_type };
        self.begun = Some(begun);
        Ok(begun)
    }

    fn note_losses(&mut self, piece: &Piece<'_>, order: Order, lost: &mut Lost) {
        let Some(body) = piece.raw.get(8..piece.raw.len() - 4) else { return };
        let options = |at: usize| crate::source::pcapng::options(order, body.get(at..).unwrap_or_default());
        let comments = |at: usize, lost: &mut Lost| {
            for (code, _) in options(at) {
                lost.note(if code == COMMENT { COMMENTS } else { OTHER_OPTIONS });
            }
        };
        match order.u32(piece.raw, 0) {
            SECTION_HEADER => comments(16, lost),
            INTERFACE_DESCRIPTION => {
                self.interfaces += 1;
                if self.interfaces > 1 {
                    lost.note("interfaces kept apart");
                }
                for (code, value) in options(8) {
                    match code {
                        COMMENT => lost.note(COMMENTS),
                        IF_NAME => lost.note("interface names"),
                        IF_TSRESOL if !matches!(value.first(), Some(0..=9)) => {
                            lost.note("resolutions below a nanosecond")
                        }
                        IF_TSRESOL | IF_TSOFFSET => {}
                        _ => lost.note(OTHER_OPTIONS),
                    }
                }
            }
            ENHANCED_PACKET => {
                let captured = if body.len() >= 20 { order.u32(body, 12) as usize } else { 0 };
                comments(20 + captured.next_multiple_of(4), lost);
            }
            NAME_RESOLUTION => lost.note("blocks of names"),
            INTERFACE_STATISTICS => lost.note("blocks of statistics"),
            DECRYPTION_SECRETS => lost.note("blocks of secrets"),
            _ if piece.frame.is_some() => {}
            _ => lost.note("other blocks"),
        }
    }
}

fn record(out: &mut dyn Write, begun: Begun, frame: &Frame<'_>, lost: &mut Lost) -> Result<(), WriteError> {
    let nanos = frame.meta.at.nanos();
    let (secs, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let secs = u32::try_from(secs).map_err(|_| WriteError::Time { frame: frame.meta.number })?;
    if rest % begun.unit != 0 {
        lost.note("times below a microsecond");
    }
    // Under a second, in units of a nanosecond or more.
    let fraction = (rest / begun.unit) as u32;
    for word in [secs, fraction, frame.meta.caplen, frame.meta.origlen] {
        out.write_all(&begun.order.octets(word))?;
    }
    Ok(out.write_all(frame.bytes)?)
}

const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
/// What tcpdump writes where nothing was cut.
const SNAPLEN: u32 = 262_144;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const COMMENTS: &str = "comments";
const OTHER_OPTIONS: &str = "options (flags, drop counts, hardware and the like)";
