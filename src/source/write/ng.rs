//! Pieces into a pcapng file.

use std::io::Write;

use crate::packet::Frame;
use crate::source::Format;
use crate::source::Piece;
use crate::source::order::Order;
use crate::source::write::Lost;
use crate::source::write::WriteError;
use crate::source::write::block::BYTE_ORDER_MAGIC;
use crate::source::write::block::Block;
use crate::source::write::block::CUSTOM_NOT_COPIED;
use crate::source::write::block::ENHANCED_PACKET;
use crate::source::write::block::INTERFACE_DESCRIPTION;
use crate::source::write::block::SECTION_HEADER;
use crate::source::write::recode::Recoder;

/// A pcapng file so far.
pub(super) struct Ng {
    merged: bool,
    recoder: Recoder,
    /// The byte order of the section that all files share, once it has begun.
    shared: Option<Order>,
    /// The pcap file whose section is open.
    pcap: Option<Pcap>,
}

/// A pcap file that becomes a section.
#[derive(Clone, Copy)]
struct Pcap {
    file: usize,
    /// The interface of its latest header.
    interface: u32,
    /// Nanoseconds in a unit of its times.
    unit: i64,
}

impl Ng {
    pub(super) fn new(merged: bool) -> Self {
        Self { merged, recoder: Recoder::default(), shared: None, pcap: None }
    }

    pub(super) fn piece(
        &mut self,
        out: &mut dyn Write,
        piece: &Piece<'_>,
        selective: bool,
        lost: &mut Lost,
    ) -> Result<(), WriteError> {
        let order = Order::of(piece.big_endian);
        if piece.format == Format::Pcapng && (selective || self.merged) && order.u32(piece.raw, 0) == CUSTOM_NOT_COPIED
        {
            lost.note("custom blocks that forbid copying");
            return Ok(());
        }
        if self.merged {
            return self.mixed(out, piece, order, lost);
        }
        match (piece.format, piece.frame) {
            (Format::Pcapng, _) => copy(out, piece.raw, order, selective)?,
            (_, None) => {
                let interface = match self.pcap {
                    Some(open) if open.file == piece.file => open.interface + 1,
                    _ => {
                        out.write_all(&section(order).finish())?;
                        0
                    }
                };
                let (block, unit) = interface_of(piece.raw, order, order);
                self.pcap = Some(Pcap { file: piece.file, interface, unit });
                out.write_all(&block)?;
            }
            (_, Some(frame)) => {
                let Some(open) = self.pcap else { unreachable!("a file header comes before its records") };
                out.write_all(&packet_of(&frame, open.interface, open.unit, order))?;
            }
        }
        Ok(())
    }

    /// A piece into the section that all files share.
    fn mixed(
        &mut self,
        out: &mut dyn Write,
        piece: &Piece<'_>,
        order: Order,
        lost: &mut Lost,
    ) -> Result<(), WriteError> {
        let to = match self.shared {
            Some(to) => to,
            None => {
                self.shared = Some(order);
                let is_section = piece.format == Format::Pcapng && piece.raw[..4] == SECTION_HEADER.to_be_bytes();
                if is_section {
                    self.recoder.section(piece.file);
                    copy(out, piece.raw, order, true)?;
                    return Ok(());
                }
                out.write_all(&section(order).finish())?;
                order
            }
        };
        let block = match (piece.format, &piece.frame) {
            (Format::Pcapng, _) => self.recoder.block(piece, order, to, lost),
            (_, None) => {
                let (block, unit) = interface_of(piece.raw, order, to);
                self.recoder.pcap(piece.file, unit);
                Some(block)
            }
            (_, Some(frame)) => {
                let (interface, unit) = self.recoder.pcap_interface(piece.file);
                Some(packet_of(frame, interface, unit, to))
            }
        };
        if let Some(block) = block {
            out.write_all(&block)?;
        }
        Ok(())
    }
}

/// A block as it stands, but for a section's length, which says nothing true once frames are left out.
fn copy(out: &mut dyn Write, raw: &[u8], order: Order, selective: bool) -> Result<(), WriteError> {
    let is_section = raw[..4] == SECTION_HEADER.to_be_bytes();
    match raw.split_at_checked(24) {
        Some((head, behind)) if is_section && selective => {
            out.write_all(&head[..16])?;
            out.write_all(&order.octets_of_64(u64::MAX))?;
            out.write_all(behind)?;
        }
        _ => out.write_all(raw)?,
    }
    Ok(())
}

/// A section of unknown length.
fn section(order: Order) -> Block {
    Block::new(order, SECTION_HEADER).u32(BYTE_ORDER_MAGIC).u16(1).u16(0).u64(u64::MAX)
}

/// The interface that a pcap file header describes, and the nanoseconds in a unit of its times.
fn interface_of(header: &[u8], from: Order, to: Order) -> (Vec<u8>, i64) {
    let is_nanos = from.u32(header, 0) == NANOS;
    let (snaplen, network) = (from.u32(header, 16), from.u32(header, 20));
    let mut block = Block::new(to, INTERFACE_DESCRIPTION).u16(network as u16).u16(0).u32(snaplen);
    if is_nanos {
        block = block.option(IF_TSRESOL, &[9]);
    }
    if network & HAS_FCS_LEN != 0 {
        // Counted there in units of two octets.
        block = block.option(IF_FCSLEN, &[2 * (network >> 28) as u8]);
    }
    if is_nanos || network & HAS_FCS_LEN != 0 {
        block = block.u32(0);
    }
    (block.finish(), if is_nanos { 1 } else { 1000 })
}

/// A frame of a pcap file, whose times are all after 1970.
fn packet_of(frame: &Frame<'_>, interface: u32, unit: i64, order: Order) -> Vec<u8> {
    let ticks = (frame.meta.at.nanos() / unit) as u64;
    let block = Block::new(order, ENHANCED_PACKET).u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
    block.u32(frame.meta.caplen).u32(frame.meta.origlen).raw(frame.bytes).finish()
}

const NANOS: u32 = 0xa1b2_3c4d;
const HAS_FCS_LEN: u32 = 0x0400_0000;
const IF_TSRESOL: u16 = 9;
const IF_FCSLEN: u16 = 13;
