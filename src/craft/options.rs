//! TCP options from their text to their octets: `mss 1460, sackOK, wscale 7, ts 100 0`.

use crate::craft::error::Fault;
use crate::craft::words::hex;
use crate::craft::words::not_a;
use crate::craft::words::number;

/// The octets of the options between angle brackets, filled up to whole words of the header.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, Fault> {
    let mut octets = Vec::new();
    let mut filler = NO_OP;
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let mut words = item.split_whitespace();
        let name = words.next().unwrap_or_default();
        option(name, &mut words, &mut octets)?;
        if let Some(surplus) = words.next() {
            return Err(not_a("the end of an option", surplus));
        }
        filler = if name == "eol" { END_OF_LIST } else { NO_OP };
    }
    octets.resize(octets.len().next_multiple_of(4), filler);
    if octets.len() > MAX_LEN {
        return Err(Fault::TooManyOptions { octets: octets.len() });
    }
    Ok(octets)
}

fn option<'a>(name: &str, words: &mut impl Iterator<Item = &'a str>, octets: &mut Vec<u8>) -> Result<(), Fault> {
    let mut word = |what| words.next().ok_or(Fault::Missing { what });
    match name {
        "eol" => octets.push(END_OF_LIST),
        "nop" => octets.push(NO_OP),
        "mss" => push(octets, 2, &number::<u16>(word("the MSS")?, "an MSS")?.to_be_bytes()),
        "wscale" => push(octets, 3, &[number(word("the shift")?, "a window shift")?]),
        "sackOK" => push(octets, 4, &[]),
        "sack" => {
            let mut blocks = Vec::new();
            for block in words {
                let (left, right) = block.split_once(':').ok_or_else(|| not_a("a block left:right", block))?;
                blocks.extend(number::<u32>(left, "a sequence number")?.to_be_bytes());
                blocks.extend(number::<u32>(right, "a sequence number")?.to_be_bytes());
            }
            push(octets, 5, &blocks);
        }
        "ts" => {
            let value: u32 = number(word("TSval")?, "a timestamp")?;
            let echo: u32 = number(word("TSecr")?, "a timestamp")?;
            push(octets, 8, &[value.to_be_bytes(), echo.to_be_bytes()].concat());
        }
        "tfo" => push(octets, 34, &words.next().map_or(Ok(Vec::new()), |cookie| hex(cookie, "a cookie in hex"))?),
        "opt" => {
            let kind = number(word("the kind")?, "an option kind")?;
            push(octets, kind, &words.next().map_or(Ok(Vec::new()), |data| hex(data, "octets in hex"))?);
        }
        // Octets as they are, for options that lie about their length.
        "raw" => octets.extend(hex(word("the octets")?, "octets in hex")?),
        other => return Err(not_a("a TCP option", other)),
    }
    Ok(())
}

fn push(octets: &mut Vec<u8>, kind: u8, data: &[u8]) {
    octets.extend([kind, u8::try_from(data.len() + 2).unwrap_or(u8::MAX)]);
    octets.extend(data);
}

const END_OF_LIST: u8 = 0;
const NO_OP: u8 = 1;
/// Fifteen words of header less the five that are always there (RFC 9293 §3.1).
const MAX_LEN: usize = 40;
