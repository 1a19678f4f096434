//! 802.11 data frames that are not encrypted, and the radio headers in front of them.
//!
//! IEEE 802.11-2020 §9.2.4 and §9.3.2 (data frames, A-MSDU); radiotap.org; the Prism and AVS headers of older drivers.

use crate::decode::ether;
use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// What the radio header says about the frame behind it.
#[derive(Clone, Copy, Default)]
pub(super) struct Radio {
    /// Four octets of check sequence end the frame.
    pub(super) has_fcs: bool,
    /// The header is padded to whole words.
    pub(super) is_padded: bool,
}

/// Reads an 802.11 frame. Management and control frames carry no packet, encrypted ones none that we could read.
pub(super) fn frame(packet: &mut Packet<'_>, extent: Extent, radio: Radio) {
    let Some(bytes) = require(packet, LayerKind::Wlan, extent, 2) else { return };
    let (control, flags) = (bytes[0], bytes[1]);
    let is_data = control & 0x0f == DATA;
    let is_qos = is_data && control & QOS != 0;
    let mut len = match (is_data, flags & (TO_DS | FROM_DS) == TO_DS | FROM_DS) {
        (true, true) => 30,
        (true, false) => 24,
        (false, _) => 10.min(bytes.len()),
    };
    let qos_at = len;
    if is_qos {
        len += if flags & ORDER != 0 { 6 } else { 2 };
    }
    let padded = if radio.is_padded { len.next_multiple_of(4) } else { len };
    let Some(bytes) = require(packet, LayerKind::Wlan, extent, padded) else { return };
    let is_amsdu = is_qos && bytes[qos_at] & AMSDU != 0;
    if !push(packet, LayerKind::Wlan, extent.at, padded) || !is_data || control & NO_DATA != 0 || flags & PROTECTED != 0
    {
        return;
    }
    let body = extent.behind(padded);
    let body = if radio.has_fcs { body.first(body.len().saturating_sub(4)) } else { body };
    if is_amsdu {
        amsdu(packet, body);
    } else {
        ether::llc(packet, body);
    }
}

/// The first of the frames that are sent as one; the others are not looked at.
fn amsdu(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Amsdu, extent, AMSDU_LEN) else { return };
    let length = usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
    if push(packet, LayerKind::Amsdu, extent.at, AMSDU_LEN) {
        ether::llc(packet, extent.behind(AMSDU_LEN).first(length));
    }
}

/// Reads a radiotap header as far as its flags field.
pub(super) fn radiotap(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Radiotap, extent, RADIOTAP_LEN) else { return };
    let len = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
    let Some(bytes) = require(packet, LayerKind::Radiotap, extent, len.max(RADIOTAP_LEN)) else { return };
    let len = len.max(RADIOTAP_LEN);
    let flags = radiotap_flags(&bytes[..len]).unwrap_or(0);
    if push(packet, LayerKind::Radiotap, extent.at, len) {
        let radio = Radio { has_fcs: flags & 0x10 != 0, is_padded: flags & 0x20 != 0 };
        frame(packet, extent.behind(len), radio);
    }
}

/// The flags stand behind the words that tell which fields are present, and behind the eight aligned octets of the
/// clock where that is present.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    let present = u32::from_le_bytes(*header.get(4..)?.first_chunk()?);
    let more = |word: &[u8]| word[3] & 0x80 != 0;
    let words = 1 + header[4..].chunks_exact(4).take_while(|word| more(word)).count();
    let at = 4 + 4 * words;
    let at = if present & 1 == 0 { at } else { at.next_multiple_of(8) + 8 };
    if present & 2 == 0 { None } else { header.get(at).copied() }
}

/// Both old headers tell their length in octets 4 to 8: Prism in the host's order, AVS in network order.
pub(super) fn prism(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Prism, extent, 8) else { return };
    let field = [bytes[4], bytes[5], bytes[6], bytes[7]];
    let len = u32::from_be_bytes(field).min(u32::from_le_bytes(field)) as usize;
    let len = len.max(8);
    if require(packet, LayerKind::Prism, extent, len).is_some() && push(packet, LayerKind::Prism, extent.at, len) {
        frame(packet, extent.behind(len), Radio::default());
    }
}

/// Protocol version 0, type 2, the subtype apart.
const DATA: u8 = 0x08;
/// Subtype bits: no frame body, quality of service.
const NO_DATA: u8 = 0x40;
const QOS: u8 = 0x80;
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const PROTECTED: u8 = 0x40;
/// In a QoS frame: four octets of HT control follow.
const ORDER: u8 = 0x80;
/// In the QoS control field.
const AMSDU: u8 = 0x80;
const AMSDU_LEN: usize = 14;
const RADIOTAP_LEN: usize = 8;
