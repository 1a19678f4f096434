//! What stands inside a field: the parts of an option, an object, an entry of a list, for words and for programs alike.

use std::fmt;
use std::net::IpAddr;

/// A value inside a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Said {
    /// A number that counts.
    Number(u64),
    /// Yes or no: one bit.
    Flag(bool),
    /// Words.
    Text(String),
    /// The letters of the flags that are set.
    Flags(String),
    /// Keys, tokens and digests, in hexadecimal.
    Octets(String),
    /// An address.
    Address(IpAddr),
    /// Several of a kind.
    List(Vec<Self>),
    /// Named parts, in wire order.
    Group(Parts),
}

/// Named values in wire order. A name may come again: several addresses can be removed at once.
pub type Parts = Vec<(&'static str, Said)>;

impl Said {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn octets(octets: &[u8]) -> Self {
        Self::Octets(octets.iter().map(|octet| format!("{octet:02x}")).collect())
    }

    pub(super) fn number(number: impl Into<u64>) -> Self {
        Self::Number(number.into())
    }

    /// An address of either family by the number of its octets; other octets as they are.
    pub(super) fn address(octets: &[u8]) -> Self {
        match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
            (Ok(octets), _) => Self::Address(IpAddr::from(octets)),
            (_, Ok(octets)) => Self::Address(IpAddr::from(octets)),
            (Err(_), Err(_)) => Self::octets(octets),
        }
    }

    /// The addresses of `width` octets each, as many as there are whole ones.
    pub(super) fn addresses(octets: &[u8], width: usize) -> Self {
        Self::List(octets.chunks_exact(width).map(Self::address).collect())
    }
}

/// In words: parts with their names between commas, a list between blanks.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Flag(set) => f.write_str(if *set { "set" } else { "not set" }),
            Self::Flags(letters) if letters.is_empty() => f.write_str("none"),
            Self::Octets(text) if text.is_empty() => f.write_str("none"),
            Self::Octets(text) if text.len() > DIGITS_SHOWN => write!(f, "{}…", &text[..DIGITS_SHOWN]),
            Self::Text(text) | Self::Flags(text) | Self::Octets(text) => f.write_str(text),
            Self::Address(addr) => addr.fmt(f),
            Self::List(list) if list.is_empty() => f.write_str("none"),
            Self::List(list) => {
                for (index, said) in list.iter().enumerate() {
                    let gap = if index > 0 { " " } else { "" };
                    match said {
                        Self::Group(_) => write!(f, "{gap}({said})")?,
                        said => write!(f, "{gap}{said}")?,
                    }
                }
                Ok(())
            }
            Self::Group(parts) => f.write_str(&words(parts)),
        }
    }
}

/// `sender rank 256, flags O`: each part with its name.
pub(super) fn words(parts: &[(&'static str, Said)]) -> String {
    let part = |(name, said): &(&str, Said)| format!("{} {said}", name.replace('_', " "));
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// The letters of the bits that are set, most significant first; `·` is a bit without a letter.
pub(super) fn letters(bits: u8, letters: &str) -> Said {
    let set = (0..8).zip(letters.chars()).filter(|(bit, _)| bits & (0x80 >> bit) != 0);
    Said::Flags(set.map(|(_, letter)| letter).filter(|letter| *letter != '·').collect())
}

/// A number of at most eight octets, most significant first.
pub(super) fn number(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |number, &octet| number << 8 | u64::from(octet))
}

/// Of longer octets only the beginning is shown in words.
const DIGITS_SHOWN: usize = 80;
