//! A checksum added up before the reader's eyes: the words of the pseudo-header, of the header and of the payload, their
//! sum, folded and complemented (RFC 1071 §1), so that each step can be redone by hand.

use std::net::IpAddr;

use crate::decode::fields::Obstacle;
use crate::decode::fields::PseudoHeader;
use crate::decode::fields::Summed;
use crate::packet::ChecksumState;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::report::headers::page;
use crate::report::style::Style;

/// Writes the sum of `layer`'s checksum below its fields, or why there is none.
pub(super) fn checksum(page: &mut String, bytes: &[u8], layer: &Layer, summed: &Summed, style: &Style) {
    let mut say = |name: &str, text: &str| page::sum(page, name, text, style);
    let pseudo = summed.pseudo.map(words_of).unwrap_or_default();
    let pseudo_sum: u64 = total(&pseudo);
    match (summed.state, summed.obstacle) {
        (ChecksumState::None, _) | (ChecksumState::Absent | ChecksumState::Illegal, Some(_)) => return,
        (ChecksumState::Unverifiable, obstacle) => {
            if let Some(obstacle) = obstacle {
                say("not summed", &why_not(obstacle));
            }
            return;
        }
        // What it would have been can be told all the same.
        (ChecksumState::Absent | ChecksumState::Illegal, None) => {}
        (ChecksumState::Good | ChecksumState::Partial | ChecksumState::Bad { .. }, _) => {}
    }
    let is_missing = matches!(summed.state, ChecksumState::Absent | ChecksumState::Illegal);
    let Some(octets) = bytes.get(summed.covered.clone()) else { return };
    let (header, payload) = octets.split_at(octets.len().min(layer.len as usize));
    let header = words(header, Some((summed.field_at - summed.covered.start) / 2));
    let payload_words = words(payload, None);
    let mut terms = Vec::new();
    if !pseudo.is_empty() {
        say("pseudo-header", &spelled(&pseudo, None));
        terms.push(pseudo_sum);
    }
    say("header", &spelled(&header, Some((summed.field_at - summed.covered.start) / 2)));
    terms.push(total(&header));
    if !payload.is_empty() {
        let padded = if payload.len() % 2 == 1 { ", the last octet with 00 behind it" } else { "" };
        let text = match payload_words.len() {
            1..=LISTED => format!("{}{padded}", spelled(&payload_words, None)),
            count => format!("{count} words{padded}: {:x}", total(&payload_words)),
        };
        say("payload", &text);
        terms.push(total(&payload_words));
    }
    say(if is_missing { "sum, not sent" } else { "sum" }, &folded(&terms, layer.kind));
    if summed.state == ChecksumState::Partial && !pseudo.is_empty() {
        let text = format!("{}; the field holds {:04x}", fold_steps(pseudo_sum).0, summed.field);
        say("pseudo-header alone", &text);
    }
}

/// `fe30 + 3caf1 = 4c921; folded 4 + c921 = c925; complemented 36da`.
fn folded(terms: &[u64], kind: LayerKind) -> String {
    let sum: u64 = terms.iter().sum();
    let mut text = terms.iter().map(|term| format!("{term:x}")).collect::<Vec<_>>().join(" + ");
    if terms.len() > 1 {
        text += &format!(" = {sum:x}");
    }
    let (steps, fold) = fold_steps(sum);
    if sum > 0xffff {
        text += &format!("; {steps}");
    }
    let complement = !fold;
    text += &format!("; complemented {complement:04x}");
    if complement == 0 && kind == LayerKind::Udp {
        text += ", sent as ffff: 0 would say that there is none";
    }
    text
}

/// The carries added to the low sixteen bits until there are none: in words, and what comes out.
fn fold_steps(sum: u64) -> (String, u16) {
    let mut text = String::from("folded");
    let mut rest = sum;
    while rest > 0xffff {
        let (carries, low) = (rest >> 16, rest & 0xffff);
        rest = carries + low;
        text += &format!(" {carries:x} + {low:04x} = {rest:04x}{}", if rest > 0xffff { "," } else { "" });
    }
    if sum <= 0xffff {
        text = format!("{sum:04x}");
    }
    (text, rest as u16)
}

fn why_not(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Cut { captured, covered } => {
            format!("it covers {covered} octets, of which {captured} were captured")
        }
        Obstacle::Fragment => "it covers the whole datagram, of which this is a fragment".to_owned(),
        Obstacle::NeverSent => "the length field promises more octets than the frame ever held".to_owned(),
        Obstacle::Route => "the routing header hides the final destination, which is summed".to_owned(),
    }
}

/// RFC 9293 §3.1, RFC 8200 §8.1: there, length and next header take two words each.
fn words_of(pseudo: PseudoHeader) -> Vec<u16> {
    let mut words = Vec::new();
    for addr in [pseudo.src, pseudo.dst] {
        match addr {
            IpAddr::V4(addr) => words.extend(self::words(&addr.octets(), None)),
            IpAddr::V6(addr) => words.extend(addr.segments()),
        }
    }
    let [high, low] = [(pseudo.len >> 16) as u16, pseudo.len as u16];
    match pseudo.src {
        IpAddr::V4(_) => words.extend([u16::from(pseudo.protocol), low]),
        IpAddr::V6(_) => words.extend([high, low, 0, u16::from(pseudo.protocol)]),
    }
    words
}

/// Octets in pairs, the last one filled up with zero; the word at `without` taken for zero.
fn words(octets: &[u8], without: Option<usize>) -> Vec<u16> {
    let pairs = octets.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    pairs.enumerate().map(|(index, word)| if Some(index) == without { 0 } else { word }).collect()
}

fn total(words: &[u16]) -> u64 {
    words.iter().map(|&word| u64::from(word)).sum()
}

/// `7f00 + 0001 + (0000) = 7f01`: the field itself stands in brackets.
fn spelled(words: &[u16], field: Option<usize>) -> String {
    let term = |(index, word): (usize, &u16)| match Some(index) == field {
        true => format!("({word:04x})"),
        false => format!("{word:04x}"),
    };
    let terms: Vec<_> = words.iter().enumerate().map(term).collect();
    format!("{} = {:x}", terms.join(" + "), total(words))
}

/// Words of a payload that are written out; more of them are counted and summed.
const LISTED: usize = 16;
