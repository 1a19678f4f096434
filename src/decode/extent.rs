//! Where a header may read: from its first octet to the end that the layer around it declares.
//!
//! Both ends can lie past what was captured. Keeping the declared end apart from the captured one is what tells a
//! header that the snap length cut from one that its sender never finished.

use crate::packet::Defect;
use crate::packet::DefectCode;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::headers::MAX_LAYERS;

/// A stretch of the frame by declared lengths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// First octet, counted from the frame's start.
    pub(super) at: usize,
    /// First octet behind it.
    pub(super) end: usize,
}

impl Extent {
    /// The whole frame as it was on the wire.
    pub(super) fn of_frame(packet: &Packet<'_>) -> Self {
        Self { at: 0, end: wire_len(packet) }
    }

    /// Octets declared.
    pub(super) const fn len(self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// The part that was captured.
    pub(super) fn captured(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.at..self.end.min(bytes.len())).unwrap_or(&[])
    }

    /// The first `octets` of it, or all where there are fewer.
    pub(super) fn first(self, octets: usize) -> Self {
        Self { at: self.at, end: self.end.min(self.at.saturating_add(octets)) }
    }

    /// What is left behind the first `octets`.
    pub(super) const fn behind(self, octets: usize) -> Self {
        Self { at: self.at.saturating_add(octets), end: self.end }
    }
}

/// Octets of the frame on the wire. A file that claims fewer than it holds is not believed.
pub(super) fn wire_len(packet: &Packet<'_>) -> usize {
    packet.bytes.len().max(packet.meta.origlen as usize)
}

/// The captured octets from `extent.at` on, `need` of them at least; else notes why not and says `None`.
///
/// What there is of the header is kept as a layer, for display.
pub(super) fn require<'a>(packet: &mut Packet<'a>, kind: LayerKind, extent: Extent, need: usize) -> Option<&'a [u8]> {
    let bytes = extent.captured(packet.bytes);
    if bytes.len() >= need {
        return Some(bytes);
    }
    note_missing(packet, kind, extent, need);
    if !bytes.is_empty() {
        push(packet, kind, extent.at, bytes.len());
    }
    None
}

/// Notes that a header of `need` octets is not all there: cut by the capture, or short on the wire already.
pub(super) fn note_missing(packet: &mut Packet<'_>, kind: LayerKind, extent: Extent, need: usize) {
    let sent = extent.end.min(wire_len(packet)).saturating_sub(extent.at);
    let (code, found) = if sent < need {
        (DefectCode::HeaderShort, sent)
    } else {
        (DefectCode::HeaderCut, extent.captured(packet.bytes).len())
    };
    note(packet, code, kind, extent.at, found as u32, need as u32);
}

/// Adds a layer; `false` (and a defect) once there are too many to keep.
pub(super) fn push(packet: &mut Packet<'_>, kind: LayerKind, at: usize, len: usize) -> bool {
    let layer = Layer { kind, offset: at as u32, len: len as u32 };
    let fits = packet.layers.try_push(layer).is_ok();
    if !fits {
        note(packet, DefectCode::LayerDepth, kind, at, MAX_LAYERS as u32 + 1, MAX_LAYERS as u32);
    }
    fits
}

/// Notes a defect of the header that begins at, or shows its fault at, octet `at`.
pub(super) fn note(packet: &mut Packet<'_>, code: DefectCode, layer: LayerKind, at: usize, found: u32, expected: u32) {
    packet.note(Defect { code, layer, offset: at as u32, found, expected });
}
