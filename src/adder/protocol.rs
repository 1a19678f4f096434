//! Octets to requests and answers, and back: the wire format without a socket.
//!
//! A request is `{"A":7,"B":4}`, its answer `{"Sum":11}` or `{"Error":"…"}`. Both follow Go's `encoding/json`
//! for a struct of `int` fields, so that a Go program may sit at either end:
//! - names match whatever their case, unknown names are ignored, a missing name or `null` leaves 0 (a bare
//!   `null` leaves both), of several equal names the last one wins;
//! - numbers are 64-bit integers without point or exponent: `7.0` and `1e2` are refused, `-0` is 0;
//! - values follow each other with or without white space; an answer over TCP ends with a newline.
//!
//! Go would wrap round when a sum leaves 64 bits; we answer an error.

use serde::Serialize;
use thiserror::Error;

use crate::adder::scan;

/// Longest message read from a stream, in octets.
pub const MESSAGE_LIMIT: usize = 4096;
/// Longest request read from a datagram, in octets.
pub const DATAGRAM_LIMIT: usize = 256;

/// Why octets were no request, or a request had no sum. The text is what the peer reads after `Error`.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Fault {
    /// Not JSON.
    #[error("syntax error at octet {at}: {} where {expected}", shown(*.octet))]
    Syntax {
        /// Position in the message, from 1.
        at: usize,
        /// The octet that cannot stand there.
        octet: u8,
        /// What could, as a half sentence.
        expected: &'static str,
    },
    /// More than [`MESSAGE_LIMIT`] octets without an end.
    #[error("message over {MESSAGE_LIMIT} octets")]
    TooLong,
    /// The input ended inside a message.
    #[error("message cut short after {octets} octets")]
    CutShort {
        /// Octets of it that came.
        octets: usize,
    },
    /// A datagram longer than [`DATAGRAM_LIMIT`].
    #[error("datagram of {octets} octets, {DATAGRAM_LIMIT} are read")]
    DatagramTooLong {
        /// Its length.
        octets: usize,
    },
    /// A datagram that holds no value.
    #[error("empty datagram")]
    EmptyDatagram,
    /// A datagram that holds more than one value.
    #[error("{octets} octets after the request, a datagram holds one")]
    Trailing {
        /// How many there are too many.
        octets: usize,
    },
    /// A value that is no object.
    #[error("{found} where an object belongs")]
    NotAnObject {
        /// The kind of value that came.
        found: &'static str,
    },
    /// A member that is no integer.
    #[error("{name}: {found} where an integer belongs")]
    NotAnInteger {
        /// The member's name.
        name: &'static str,
        /// The kind of value that came.
        found: &'static str,
    },
    /// An `Error` member that is no string.
    #[error("{name}: {found} where a string belongs")]
    NotAString {
        /// The member's name.
        name: &'static str,
        /// The kind of value that came.
        found: &'static str,
    },
    /// An integer that leaves 64 bits.
    #[error("{name}: number overflows 64 bits")]
    NumberOverflow {
        /// The member's name.
        name: &'static str,
    },
    /// A sum that leaves 64 bits.
    #[error("{a} + {b} overflows 64 bits")]
    SumOverflow {
        /// First summand.
        a: i64,
        /// Second summand.
        b: i64,
    },
}

/// The text of one complete JSON value: only framing makes it, so reading it cannot meet a syntax error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Value<'a>(pub(super) &'a [u8]);

impl<'a> Value<'a> {
    /// Its octets as they came.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// In words, for errors.
    fn kind(self) -> &'static str {
        match self.0.first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ if self.0.iter().any(|octet| matches!(octet, b'.' | b'e' | b'E')) => "number with point or exponent",
            _ => "number",
        }
    }

    fn is_null(self) -> bool {
        self.0 == b"null"
    }

    /// The members of an object, in order; none for `null`, as Go has it.
    fn members(self) -> Result<Members<'a>, Fault> {
        match self.0.first() {
            Some(b'{') => Ok(Members { rest: &self.0[1..] }),
            Some(b'n') => Ok(Members { rest: &[] }),
            _ => Err(Fault::NotAnObject { found: self.kind() }),
        }
    }

    /// Puts an integer in `slot`; `null` leaves what is there.
    fn read_integer(self, name: &'static str, slot: &mut i64) -> Result<(), Fault> {
        if self.is_null() {
            return Ok(());
        }
        let kind = self.kind();
        if kind != "number" {
            return Err(Fault::NotAnInteger { name, found: kind });
        }
        let digits = std::str::from_utf8(self.0).unwrap_or_default();
        *slot = digits.parse().map_err(|_| Fault::NumberOverflow { name })?;
        Ok(())
    }

    /// The string's content; octets that are no text become U+FFFD, as Go has it.
    fn text(self) -> String {
        let inner = self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or_default();
        serde_json::from_slice(self.0).unwrap_or_else(|_| String::from_utf8_lossy(inner).into_owned())
    }

    /// Whether this quoted name is `name`, whatever the case.
    fn names(self, name: &str) -> bool {
        // Go folds the long s (U+017F) onto s; no other rune beyond ASCII folds onto a letter of our names.
        let folded = |c: char| if c == 'ſ' { 's' } else { c.to_ascii_lowercase() };
        self.text().chars().map(folded).eq(name.chars().map(|c| c.to_ascii_lowercase()))
    }
}

/// One question: what is `a` and `b` together?
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Request {
    /// First summand.
    #[serde(rename = "A")]
    pub a: i64,
    /// Second summand.
    #[serde(rename = "B")]
    pub b: i64,
}

impl Request {
    /// Reads a request out of a framed value.
    ///
    /// # Errors
    /// [`Fault`] when the value is no object, or A or B no 64-bit integer.
    pub fn read(value: Value<'_>) -> Result<Self, Fault> {
        let mut request = Self::default();
        for (name, member) in value.members()? {
            if name.names("A") {
                member.read_integer("A", &mut request.a)?;
            } else if name.names("B") {
                member.read_integer("B", &mut request.b)?;
            }
        }
        Ok(request)
    }

    /// `a + b`.
    ///
    /// # Errors
    /// [`Fault::SumOverflow`] when it leaves 64 bits.
    pub fn sum(self) -> Result<i64, Fault> {
        self.a.checked_add(self.b).ok_or(Fault::SumOverflow { a: self.a, b: self.b })
    }

    /// Appends the request as JSON, without a newline.
    pub fn write(self, out: &mut Vec<u8>) {
        write_json(&self, out);
    }
}

/// What the server said.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub enum Answer {
    /// The sum.
    Sum(i64),
    /// Why there is none.
    Error(String),
}

impl Answer {
    /// The answer to a framed request, or to what was none.
    pub fn to(request: Result<Value<'_>, Fault>) -> Self {
        match request.and_then(Request::read).and_then(Request::sum) {
            Ok(sum) => Self::Sum(sum),
            Err(fault) => Self::Error(fault.to_string()),
        }
    }

    /// Reads an answer out of a framed value. A non-empty `Error` outweighs any `Sum`.
    ///
    /// # Errors
    /// [`Fault`] when the value is no object, `Sum` no 64-bit integer or `Error` no string.
    pub fn read(value: Value<'_>) -> Result<Self, Fault> {
        let mut sum = 0;
        let mut error = String::new();
        for (name, member) in value.members()? {
            if name.names("Sum") {
                member.read_integer("Sum", &mut sum)?;
            } else if name.names("Error") && !member.is_null() {
                if member.kind() != "string" {
                    return Err(Fault::NotAString { name: "Error", found: member.kind() });
                }
                error = member.text();
            }
        }
        Ok(if error.is_empty() { Self::Sum(sum) } else { Self::Error(error) })
    }

    /// Appends the answer as JSON, without a newline.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json(self, out);
    }
}

/// Whether a value is an answer: it has `Sum` or `Error`, and neither `A` nor `B`.
///
/// Two servers whose datagrams meet, by a forged source address, would answer each other for ever
/// (every object is a request to Go). Over UDP such values are dropped in silence.
pub fn looks_like_answer(value: Value<'_>) -> bool {
    let Ok(members) = value.members() else { return false };
    let mut answer = false;
    for (name, _) in members {
        if name.names("A") || name.names("B") {
            return false;
        }
        answer |= name.names("Sum") || name.names("Error");
    }
    answer
}

/// Walks the members of an object that framing has found well-formed.
struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    fn value(&mut self) -> Option<Value<'a>> {
        self.rest = scan::trim_start(self.rest);
        let (value, rest) = self.rest.split_at(scan::value_len(self.rest)?);
        self.rest = scan::trim_start(rest);
        Some(Value(value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.value()?;
        self.rest = self.rest.strip_prefix(b":")?;
        let member = self.value()?;
        self.rest = self.rest.strip_prefix(b",").unwrap_or(self.rest);
        Some((name, member))
    }
}

fn write_json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("integers and strings always serialize into memory");
}

fn shown(octet: u8) -> String {
    if octet.is_ascii_graphic() { format!("'{}'", char::from(octet)) } else { format!("octet 0x{octet:02x}") }
}

#[cfg(test)]
mod tests {
    use crate::adder::framer::sole_value;

    use super::*;

    fn request(text: &[u8]) -> Result<(i64, i64), String> {
        sole_value(text)
            .and_then(Request::read)
            .map(|request| (request.a, request.b))
            .map_err(|fault| fault.to_string())
    }

    /// Text, and what `json.Unmarshal` of Go leaves in a zero `struct { A, B int }`.
    #[test]
    fn requests_read_as_go_reads_them() {
        for (text, a, b) in [
            (r#"{"A":7,"B":4}"#, 7, 4),
            (r#"{"B":4,"A":7}"#, 7, 4),
            (r#"{"a":7,"b":4}"#, 7, 4),
            (r#" { "A" : 7 , "B" : 4 } "#, 7, 4),
            (r#"{"A":7}"#, 7, 0),
            (r#"{}"#, 0, 0),
            (r#"null"#, 0, 0),
            (r#"{"A":null,"B":4}"#, 0, 4),
            (r#"{"A":1,"A":2}"#, 2, 0),
            (r#"{"A":1,"a":2}"#, 2, 0),
            (r#"{"a":1,"A":2}"#, 2, 0),
            (r#"{"A":1,"A":null}"#, 1, 0),
            (r#"{"A":7,"C":{"A":1,"deep":[1e999,"\ud800"]},"B":4}"#, 7, 4),
            (r#"{"\u0041":7,"AA":9,"":1,"A ":3}"#, 7, 0),
            (r#"{"A":-0}"#, 0, 0),
            (r#"{"A":9223372036854775807,"B":-9223372036854775808}"#, i64::MAX, i64::MIN),
        ] {
            assert_eq!(request(text.as_bytes()), Ok((a, b)), "{text}");
        }
        assert_eq!(request(b"{\"\xff\":1,\"A\xff\":3,\"B\":2}"), Ok((0, 2)), "octets that are no UTF-8");
    }

    /// Text that `json.Unmarshal` of Go refuses for the same struct.
    #[test]
    fn requests_fail_where_go_fails() {
        for (text, error) in [
            (r#"{"A":7.0}"#, "A: number with point or exponent where an integer belongs"),
            (r#"{"A":1e2}"#, "A: number with point or exponent where an integer belongs"),
            (r#"{"B":-0.0}"#, "B: number with point or exponent where an integer belongs"),
            (r#"{"A":"7"}"#, "A: string where an integer belongs"),
            (r#"{"A":true}"#, "A: boolean where an integer belongs"),
            (r#"{"A":[7]}"#, "A: array where an integer belongs"),
            (r#"{"b":{}}"#, "B: object where an integer belongs"),
            (r#"{"A":9223372036854775808}"#, "A: number overflows 64 bits"),
            (r#"{"A":-9223372036854775809}"#, "A: number overflows 64 bits"),
            (r#"{"A":"x","A":1}"#, "A: string where an integer belongs"),
            (r#"[7,4]"#, "array where an object belongs"),
            (r#""7""#, "string where an object belongs"),
            (r#"7"#, "number where an object belongs"),
            (r#"false"#, "boolean where an object belongs"),
            (r#"{"A":07}"#, "syntax error at octet 7: '7' where a comma or the end belongs"),
            (r#"{"A":+7}"#, "syntax error at octet 6: '+' where a value belongs"),
            (r#"{'A':7}"#, "syntax error at octet 2: ''' where a quoted name belongs"),
            (r#"{"A":7,}"#, "syntax error at octet 8: '}' where a quoted name belongs"),
            (r#"{"A":0x7}"#, "syntax error at octet 7: 'x' where a comma or the end belongs"),
            (r#"{"A":NaN}"#, "syntax error at octet 6: 'N' where a value belongs"),
        ] {
            assert_eq!(request(text.as_bytes()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_sum_that_leaves_64_bits_is_an_error_and_the_last_that_does_not_is_a_sum() {
        let sum = |a, b| Request { a, b }.sum();
        assert_eq!(sum(i64::MAX, 1), Err(Fault::SumOverflow { a: i64::MAX, b: 1 }));
        assert_eq!(sum(i64::MIN, -1), Err(Fault::SumOverflow { a: i64::MIN, b: -1 }));
        assert_eq!(sum(i64::MAX - 1, 1), Ok(i64::MAX));
        assert_eq!(sum(i64::MAX, i64::MIN), Ok(-1));
    }

    #[test]
    fn requests_and_answers_are_written_as_go_writes_them() {
        let mut out = Vec::new();
        Request { a: 7, b: -4 }.write(&mut out);
        Answer::Sum(3).write(&mut out);
        Answer::Error("'\"' \u{e9}".to_owned()).write(&mut out);
        assert_eq!(String::from_utf8(out).expect("JSON is text"), r#"{"A":7,"B":-4}{"Sum":3}{"Error":"'\"' é"}"#);
    }

    #[test]
    fn answers_read_as_go_reads_them() {
        let answer = |text: &str| sole_value(text.as_bytes()).and_then(Answer::read);
        let error = |text: &str| Ok(Answer::Error(text.to_owned()));
        assert_eq!(answer(r#"{"Sum":11}"#), Ok(Answer::Sum(11)));
        assert_eq!(answer(r#"{"sum":11,"Error":""}"#), Ok(Answer::Sum(11)));
        assert_eq!(answer(r#"{"ſUM":11,"error":null}"#), Ok(Answer::Sum(11)));
        assert_eq!(answer(r#"{"Sum":0,"Error":"no \u00e9"}"#), error("no é"));
        assert_eq!(answer(r#"{"Error":"\ud800"}"#), error("\\ud800"));
        assert_eq!(answer("{}"), Ok(Answer::Sum(0)));
        assert_eq!(answer(r#"{"Error":5}"#), Err(Fault::NotAString { name: "Error", found: "number" }));
        assert!(answer(r#"{"Sum":1.5}"#).is_err());
    }

    #[test]
    fn only_a_value_with_an_answers_names_and_no_requests_looks_like_an_answer() {
        let looks = |text: &str| looks_like_answer(sole_value(text.as_bytes()).expect("valid JSON"));
        assert!(looks(r#"{"Sum":0}"#) && looks(r#"{"Error":"x"}"#) && looks(r#"{"sum":1,"x":2}"#));
        assert!(!looks("{}") && !looks(r#"{"Sum":1,"A":2}"#) && !looks(r#"{"x":1}"#) && !looks("5"));
    }
}
