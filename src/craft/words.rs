//! A line cut into words: plain ones, `"literals"` and `<options>`. `//` and `#` begin a comment.

use std::str::FromStr;

use crate::craft::error::Fault;

/// One word of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Word<'a> {
    /// Anything between blanks.
    Plain(&'a str),
    /// The octets between quotation marks.
    Literal(Vec<u8>),
    /// The text between angle brackets.
    Bracketed(&'a str),
}

/// The rest of a line.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) const fn of(line: &'a str) -> Self {
        Self { rest: line }
    }

    /// The next word, `None` at the line's end.
    pub(super) fn next(&mut self) -> Result<Option<Word<'a>>, Fault> {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() || self.rest.starts_with('#') || self.rest.starts_with("//") {
            self.rest = "";
            return Ok(None);
        }
        if let Some(behind) = self.rest.strip_prefix('"') {
            return self.literal(behind).map(|octets| Some(Word::Literal(octets)));
        }
        // A lone `>` points from sender to receiver; only `<` opens options.
        if let Some(behind) = self.rest.strip_prefix('<') {
            let (inside, rest) = behind.split_once('>').ok_or(Fault::Unclosed { open: '<' })?;
            self.rest = rest;
            return Ok(Some(Word::Bracketed(inside)));
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || c == '<' || c == '"').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Some(Word::Plain(word)))
    }

    /// The next word, which has to be a plain one.
    pub(super) fn plain(&mut self, what: &'static str) -> Result<&'a str, Fault> {
        match self.next()? {
            Some(Word::Plain(word)) => Ok(word),
            Some(Word::Bracketed(word)) => Err(Fault::NotA { what, word: format!("<{word}>") }),
            Some(Word::Literal(octets)) => Err(Fault::NotA { what, word: String::from_utf8_lossy(&octets).into() }),
            None => Err(Fault::Missing { what }),
        }
    }

    /// The next word as a number, decimal or `0x…`.
    pub(super) fn number<N: TryFrom<u64>>(&mut self, what: &'static str) -> Result<N, Fault> {
        number(self.plain(what)?, what)
    }

    fn literal(&mut self, behind: &'a str) -> Result<Vec<u8>, Fault> {
        let mut octets = Vec::new();
        let mut chars = behind.chars();
        loop {
            match chars.next().ok_or(Fault::Unclosed { open: '"' })? {
                '"' => break,
                '\\' => octets.push(escaped(&mut chars)?),
                other => octets.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        self.rest = chars.as_str();
        Ok(octets)
    }
}

/// A word as a number, decimal or `0x…`.
pub(super) fn number<N: TryFrom<u64>>(word: &str, what: &'static str) -> Result<N, Fault> {
    let value = match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => u64::from_str(word).ok(),
    };
    value.and_then(|value| N::try_from(value).ok()).ok_or_else(|| not_a(what, word))
}

/// A word as octets written in hexadecimal, `0x` in front or not.
pub(super) fn hex(word: &str, what: &'static str) -> Result<Vec<u8>, Fault> {
    let digits = word.strip_prefix("0x").unwrap_or(word).as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(not_a(what, word));
    }
    let octet = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    digits.chunks_exact(2).map(octet).collect::<Option<_>>().ok_or_else(|| not_a(what, word))
}

/// The fault of a word that reads as something else.
pub(super) fn not_a(what: &'static str, word: &str) -> Fault {
    Fault::NotA { what, word: word.to_owned() }
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Result<u8, Fault> {
    Ok(match chars.next().ok_or(Fault::Unclosed { open: '"' })? {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '0' => 0,
        '"' => b'"',
        '\\' => b'\\',
        'x' => {
            let digits = chars.as_str().get(..2).ok_or(Fault::Escape { escape: 'x' })?;
            let octet = u8::from_str_radix(digits, 16).map_err(|_| Fault::Escape { escape: 'x' })?;
            *chars = chars.as_str()[2..].chars();
            octet
        }
        escape => return Err(Fault::Escape { escape }),
    })
}
