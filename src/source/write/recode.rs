//! Blocks of several files written anew into one section: one byte order, interfaces numbered through.
//!
//! Numbers are turned where the format says that they are numbers; text, addresses and frames stay as they are. What
//! nobody documented can be copied only where the byte order stays the same.

use crate::source::Piece;
use crate::source::order::Order;
use crate::source::write::Lost;
use crate::source::write::block::Block;
use crate::source::write::block::COMMENT;
use crate::source::write::block::CUSTOM;
use crate::source::write::block::DECRYPTION_SECRETS;
use crate::source::write::block::ENHANCED_PACKET;
use crate::source::write::block::INTERFACE_DESCRIPTION;
use crate::source::write::block::INTERFACE_STATISTICS;
use crate::source::write::block::JOURNAL_EXPORT;
use crate::source::write::block::NAME_RESOLUTION;
use crate::source::write::block::OBSOLETE_PACKET;
use crate::source::write::block::SECTION_HEADER;
use crate::source::write::block::SIMPLE_PACKET;

/// Which interface of which file became which.
#[derive(Debug, Default)]
pub(super) struct Recoder {
    files: Vec<File>,
    interfaces: u32,
}

/// One file, as far as it has come.
#[derive(Clone, Debug, Default)]
struct File {
    /// New numbers of the interfaces of its section, in their order.
    ports: Vec<u32>,
    /// Nanoseconds in a unit of a pcap file's times.
    unit: i64,
    /// Comments on its section, which its first interface is to carry.
    comments: Vec<Vec<u8>>,
}

impl Recoder {
    fn file(&mut self, file: usize) -> &mut File {
        if self.files.len() <= file {
            self.files.resize(file + 1, File::default());
        }
        &mut self.files[file]
    }

    fn next(&mut self) -> u32 {
        self.interfaces += 1;
        self.interfaces - 1
    }

    /// A section of a file begins.
    pub(super) fn section(&mut self, file: usize) {
        self.file(file).ports.clear();
    }

    /// A pcap file's header became an interface.
    pub(super) fn pcap(&mut self, file: usize, unit: i64) {
        let new = self.next();
        let file = self.file(file);
        file.ports.push(new);
        file.unit = unit;
    }

    /// The interface of a pcap file's frames, and the nanoseconds in a unit of its times.
    pub(super) fn pcap_interface(&mut self, file: usize) -> (u32, i64) {
        let file = self.file(file);
        (file.ports.last().copied().unwrap_or(0), file.unit)
    }

    /// A block in the order `to`; `None` where nothing is to be written.
    pub(super) fn block(&mut self, piece: &Piece<'_>, from: Order, to: Order, lost: &mut Lost) -> Option<Vec<u8>> {
        let kind = from.u32(piece.raw, 0);
        let body = Body { order: from, octets: &piece.raw[8..piece.raw.len() - 4] };
        if kind == SECTION_HEADER {
            self.section_behind_others(piece.file, body, lost);
            return None;
        }
        if kind == INTERFACE_DESCRIPTION {
            return Some(self.interface(piece.file, body, to));
        }
        let ports = &self.file(piece.file).ports;
        let port = |id: u32| ports.get(id as usize).copied();
        let done = match kind {
            ENHANCED_PACKET => enhanced(body, to, port),
            OBSOLETE_PACKET => obsolete(body, to, port),
            SIMPLE_PACKET => port(0).map(|port| simple(body, port, piece, to)),
            NAME_RESOLUTION => names(body, to),
            INTERFACE_STATISTICS => statistics(body, to, port),
            DECRYPTION_SECRETS => secrets(body, to),
            CUSTOM => custom(body, to),
            JOURNAL_EXPORT => Some(Block::new(to, kind).raw(body.octets).finish()),
            _ if from == to => Some(piece.raw.to_vec()),
            _ => None,
        };
        if done.is_none() {
            lost.note("blocks of an unknown kind or form");
        }
        done
    }

    /// A section that begins in the middle of ours: its comments go to its first interface.
    fn section_behind_others(&mut self, file: usize, body: Body<'_>, lost: &mut Lost) {
        let file = self.file(file);
        file.ports.clear();
        for (code, value) in body.options(16) {
            match code {
                COMMENT => file.comments.push(value.to_vec()),
                _ => lost.note("names of capturing machines and programs"),
            }
        }
    }

    fn interface(&mut self, file: usize, body: Body<'_>, to: Order) -> Vec<u8> {
        let new = self.next();
        let file = self.file(file);
        file.ports.push(new);
        // The walker has read these.
        let mut block =
            Block::new(to, INTERFACE_DESCRIPTION).u16(body.u16(0).unwrap_or(0)).u16(body.u16(2).unwrap_or(0));
        block = block.u32(body.u32(4).unwrap_or(0));
        let comments = std::mem::take(&mut file.comments);
        let any = !comments.is_empty() || body.options(8).next().is_some();
        for comment in comments {
            block = block.option(COMMENT, &comment);
        }
        block = options(block, body, 8, |code| match code {
            IF_SPEED | IF_TSOFFSET | IF_TXSPEED | IF_RXSPEED => Shape::Longs,
            IF_TZONE => Shape::Words,
            _ => Shape::Octets,
        });
        if any { block.u32(0).finish() } else { block.finish() }
    }
}

/// A block without its head and its tail.
#[derive(Clone, Copy)]
struct Body<'a> {
    order: Order,
    octets: &'a [u8],
}

impl<'a> Body<'a> {
    fn u16(self, at: usize) -> Option<u16> {
        (self.octets.len() >= at + 2).then(|| self.order.u16(self.octets, at))
    }

    fn u32(self, at: usize) -> Option<u32> {
        (self.octets.len() >= at + 4).then(|| self.order.u32(self.octets, at))
    }

    fn from(self, at: usize) -> &'a [u8] {
        self.octets.get(at..).unwrap_or_default()
    }

    /// Options from there on, up to their end mark or where they make no sense.
    fn options(self, at: usize) -> impl Iterator<Item = (u16, &'a [u8])> {
        crate::source::pcapng::options(self.order, self.from(at))
    }
}

/// How the value of an option is made up.
enum Shape {
    Octets,
    Words,
    Longs,
    /// A word, then octets: a custom option's private enterprise number and what it is for.
    WordThenOctets,
}

fn options(mut block: Block, body: Body<'_>, at: usize, shape: impl Fn(u16) -> Shape) -> Block {
    let (from, to) = (body.order, block.order);
    for (code, value) in body.options(at) {
        let shape = if CUSTOM_OPTIONS.contains(&code) { Shape::WordThenOctets } else { shape(code) };
        let turned: Vec<u8> = match shape {
            Shape::Words if value.len().is_multiple_of(4) => {
                value.chunks_exact(4).flat_map(|word| to.octets(from.u32(word, 0))).collect()
            }
            Shape::Longs if value.len().is_multiple_of(8) => {
                value.chunks_exact(8).flat_map(|long| to.octets_of_64(from.u64(long, 0))).collect()
            }
            Shape::WordThenOctets if value.len() >= 4 => [&to.octets(from.u32(value, 0))[..], &value[4..]].concat(),
            Shape::Octets | Shape::Words | Shape::Longs | Shape::WordThenOctets => value.to_vec(),
        };
        block = block.option(code, &turned);
    }
    block
}

/// Options and their end mark; nothing where there are none.
fn closed_options(block: Block, body: Body<'_>, at: usize, shape: impl Fn(u16) -> Shape) -> Vec<u8> {
    let any = body.options(at).next().is_some();
    let block = options(block, body, at, shape);
    if any { block.u32(0).finish() } else { block.finish() }
}

fn enhanced(body: Body<'_>, to: Order, port: impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let (caplen, data) = (body.u32(12)?, body.octets.get(20..)?);
    let bytes = data.get(..caplen as usize)?;
    let block = Block::new(to, ENHANCED_PACKET).u32(port(body.u32(0)?)?).u32(body.u32(4)?).u32(body.u32(8)?);
    let block = block.u32(caplen).u32(body.u32(16)?).raw(bytes);
    Some(closed_options(block, body, 20 + bytes.len().next_multiple_of(4), |code| match code {
        EPB_FLAGS | EPB_QUEUE => Shape::Words,
        EPB_DROPCOUNT | EPB_PACKETID => Shape::Longs,
        _ => Shape::Octets,
    }))
}

fn obsolete(body: Body<'_>, to: Order, port: impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let (caplen, data) = (body.u32(12)?, body.octets.get(20..)?);
    let bytes = data.get(..caplen as usize)?;
    let interface = u16::try_from(port(u32::from(body.u16(0)?))?).ok()?;
    let block = Block::new(to, OBSOLETE_PACKET).u16(interface).u16(body.u16(2)?).u32(body.u32(4)?).u32(body.u32(8)?);
    let block = block.u32(caplen).u32(body.u32(16)?).raw(bytes);
    Some(closed_options(block, body, 20 + bytes.len().next_multiple_of(4), |code| match code {
        EPB_FLAGS => Shape::Words,
        _ => Shape::Octets,
    }))
}

/// A simple packet can only be of interface 0; of another it becomes an enhanced one, stamped with the epoch.
fn simple(body: Body<'_>, port: u32, piece: &Piece<'_>, to: Order) -> Vec<u8> {
    let origlen = body.u32(0).unwrap_or(0);
    let bytes = piece.frame.map(|frame| frame.bytes).unwrap_or_default();
    match port {
        0 => Block::new(to, SIMPLE_PACKET).u32(origlen).raw(bytes).finish(),
        port => {
            let block = Block::new(to, ENHANCED_PACKET).u32(port).u64(0).u32(bytes.len() as u32);
            block.u32(origlen).raw(bytes).finish()
        }
    }
}

/// Records of (kind, length, value) up to one of kind 0, then options.
fn names(body: Body<'_>, to: Order) -> Option<Vec<u8>> {
    let mut block = Block::new(to, NAME_RESOLUTION);
    let mut at = 0;
    loop {
        let (kind, len) = (body.u16(at)?, usize::from(body.u16(at + 2)?));
        at += 4;
        if kind == 0 {
            break;
        }
        block = block.u16(kind).u16(len as u16).raw(body.octets.get(at..at + len)?);
        at += len.next_multiple_of(4);
    }
    Some(closed_options(block.u32(0), body, at, |_| Shape::Octets))
}

/// Counters of an interface; its times are two words, the higher one first.
fn statistics(body: Body<'_>, to: Order, port: impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let block = Block::new(to, INTERFACE_STATISTICS).u32(port(body.u32(0)?)?).u32(body.u32(4)?).u32(body.u32(8)?);
    Some(closed_options(block, body, 12, |code| match code {
        ISB_STARTTIME | ISB_ENDTIME => Shape::Words,
        ISB_IFRECV..=ISB_USRDELIV => Shape::Longs,
        _ => Shape::Octets,
    }))
}

fn secrets(body: Body<'_>, to: Order) -> Option<Vec<u8>> {
    let len = body.u32(4)?;
    let bytes = body.octets.get(8..)?.get(..len as usize)?;
    let block = Block::new(to, DECRYPTION_SECRETS).u32(body.u32(0)?).u32(len).raw(bytes);
    Some(closed_options(block, body, 8 + bytes.len().next_multiple_of(4), |_| Shape::Octets))
}

/// Whose it is, and octets that only they understand.
fn custom(body: Body<'_>, to: Order) -> Option<Vec<u8>> {
    Some(Block::new(to, CUSTOM).u32(body.u32(0)?).raw(body.from(4)).finish())
}

const IF_SPEED: u16 = 8;
const IF_TZONE: u16 = 10;
const IF_TSOFFSET: u16 = 14;
const IF_TXSPEED: u16 = 16;
const IF_RXSPEED: u16 = 17;
const EPB_FLAGS: u16 = 2;
const EPB_DROPCOUNT: u16 = 4;
const EPB_PACKETID: u16 = 5;
const EPB_QUEUE: u16 = 6;
const ISB_STARTTIME: u16 = 2;
const ISB_ENDTIME: u16 = 3;
const ISB_IFRECV: u16 = 4;
const ISB_USRDELIV: u16 = 8;
const CUSTOM_OPTIONS: [u16; 4] = [2988, 2989, 19372, 19373];
