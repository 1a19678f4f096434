//! Finds where one JSON value ends, an octet at a time (RFC 8259 §2–7).
//!
//! A stream has no datagrams, so the grammar itself must say where a message stops. The scanner holds its
//! place between reads and never looks at an octet twice; what the value means is for `protocol`.
//! Like Go's `encoding/json` it does not insist on UTF-8 inside strings.

/// What one more octet did to the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// It belongs to the value, which goes on.
    More,
    /// It is the last octet of the value.
    Last,
    /// The value, a bare number, ended before it; the octet was not used.
    Before,
    /// It cannot stand here; the text says what could.
    Wrong(&'static str),
}

/// The place inside one value. Memory grows with nesting only, which the caller's size limit bounds.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    open: Vec<Container>,
    in_key: bool,
}

impl Scanner {
    /// Forgets everything and expects a new value.
    pub(super) fn reset(&mut self) {
        self.state = State::Value;
        self.open.clear();
        self.in_key = false;
    }

    /// Takes one octet. After `Last`, `Before` or `Wrong` the scanner wants a [`Scanner::reset`].
    pub(super) fn step(&mut self, octet: u8) -> Step {
        match self.state {
            State::Value | State::ItemOrEnd | State::KeyOrEnd | State::Key | State::Colon | State::CommaOrEnd => {
                self.between_tokens(octet)
            }
            State::InString | State::Escape | State::Hex(_) => self.in_string(octet),
            State::Word(rest) => self.in_word(octet, rest),
            _ => self.in_number(octet),
        }
    }

    /// Whether the end of the input completes the value: true only for a bare number.
    pub(super) fn ends_here(&self) -> bool {
        self.open.is_empty() && self.state.ends_number()
    }

    fn between_tokens(&mut self, octet: u8) -> Step {
        if is_space(octet) {
            return Step::More;
        }
        match (self.state, octet) {
            (State::ItemOrEnd, b']') | (State::KeyOrEnd, b'}') => self.close(),
            (State::KeyOrEnd | State::Key, b'"') => {
                self.in_key = true;
                self.go(State::InString)
            }
            (State::KeyOrEnd | State::Key, _) => Step::Wrong("a quoted name belongs"),
            (State::Colon, b':') => self.go(State::Value),
            (State::Colon, _) => Step::Wrong("a colon belongs"),
            (State::CommaOrEnd, _) => self.after_member(octet),
            _ => self.begin(octet),
        }
    }

    fn after_member(&mut self, octet: u8) -> Step {
        match (self.open.last(), octet) {
            (Some(Container::Object), b',') => self.go(State::Key),
            (Some(Container::Array), b',') => self.go(State::Value),
            (Some(Container::Object), b'}') | (Some(Container::Array), b']') => self.close(),
            _ => Step::Wrong("a comma or the end belongs"),
        }
    }

    fn begin(&mut self, octet: u8) -> Step {
        match octet {
            b'{' => self.open(Container::Object, State::KeyOrEnd),
            b'[' => self.open(Container::Array, State::ItemOrEnd),
            b'"' => self.go(State::InString),
            b'-' => self.go(State::Minus),
            b'0' => self.go(State::Zero),
            b'1'..=b'9' => self.go(State::Digits),
            b't' => self.go(State::Word(b"rue")),
            b'f' => self.go(State::Word(b"alse")),
            b'n' => self.go(State::Word(b"ull")),
            _ => Step::Wrong("a value belongs"),
        }
    }

    fn in_string(&mut self, octet: u8) -> Step {
        match (self.state, octet) {
            (State::InString, b'"') if self.in_key => {
                self.in_key = false;
                self.go(State::Colon)
            }
            (State::InString, b'"') => self.value_done(),
            (State::InString, b'\\') => self.go(State::Escape),
            (State::InString, 0..0x20) => Step::Wrong("a string goes on"),
            (State::InString, _) => Step::More,
            (State::Escape, b'u') => self.go(State::Hex(4)),
            (State::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.go(State::InString),
            (State::Hex(1), _) if octet.is_ascii_hexdigit() => self.go(State::InString),
            (State::Hex(left), _) if octet.is_ascii_hexdigit() => self.go(State::Hex(left - 1)),
            _ => Step::Wrong("an escape goes on"),
        }
    }

    fn in_word(&mut self, octet: u8, rest: &'static [u8]) -> Step {
        match rest {
            [next, tail @ ..] if *next == octet => {
                if tail.is_empty() {
                    self.value_done()
                } else {
                    self.go(State::Word(tail))
                }
            }
            _ => Step::Wrong("true, false or null goes on"),
        }
    }

    fn in_number(&mut self, octet: u8) -> Step {
        let digit = octet.is_ascii_digit();
        match (self.state, octet) {
            (State::Minus, b'0') => self.go(State::Zero),
            (State::Minus, _) if digit => self.go(State::Digits),
            (State::Digits | State::Fraction | State::ExponentDigits, _) if digit => Step::More,
            (State::Zero | State::Digits, b'.') => self.go(State::Point),
            (State::Zero | State::Digits | State::Fraction, b'e' | b'E') => self.go(State::Exponent),
            (State::Point, _) if digit => self.go(State::Fraction),
            (State::Exponent, b'+' | b'-') => self.go(State::ExponentSign),
            (State::Exponent | State::ExponentSign, _) if digit => self.go(State::ExponentDigits),
            (state, _) if !state.ends_number() => Step::Wrong("a digit belongs"),
            _ if self.open.is_empty() => Step::Before,
            _ => {
                self.state = State::CommaOrEnd;
                self.between_tokens(octet)
            }
        }
    }

    fn go(&mut self, state: State) -> Step {
        self.state = state;
        Step::More
    }

    fn open(&mut self, container: Container, state: State) -> Step {
        self.open.push(container);
        self.go(state)
    }

    fn close(&mut self) -> Step {
        self.open.pop();
        self.value_done()
    }

    fn value_done(&mut self) -> Step {
        if self.open.is_empty() { Step::Last } else { self.go(State::CommaOrEnd) }
    }
}

/// Octets of the value that `text` begins with, leading space included; `None` when none is complete.
pub(super) fn value_len(text: &[u8]) -> Option<usize> {
    let mut scanner = Scanner::default();
    for (at, octet) in text.iter().enumerate() {
        match scanner.step(*octet) {
            Step::More => {}
            Step::Last => return Some(at + 1),
            Step::Before => return Some(at),
            Step::Wrong(_) => return None,
        }
    }
    scanner.ends_here().then_some(text.len())
}

/// The four octets that JSON calls white space (RFC 8259 §2).
pub(super) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// `text` without the white space before it.
pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|octet| !is_space(*octet)).unwrap_or(text.len());
    &text[start..]
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Value,
    ItemOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    InString,
    Escape,
    Hex(u8),
    Word(&'static [u8]),
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl State {
    /// Whether a number may end here (RFC 8259 §6).
    fn ends_number(self) -> bool {
        matches!(self, Self::Zero | Self::Digits | Self::Fraction | Self::ExponentDigits)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Container {
    Object,
    Array,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_grammar_says() {
        for (text, len) in [
            (r#"{"A":7,"B":4}{"A"#, 13),
            ("{}x", 2),
            ("[[],[{}]] ", 9),
            ("nullnull", 4),
            ("12 ", 2),
            ("-0.5e+10,", 8),
            ("12", 2),
            ("  7{", 3),
            (r#""a\"b\u00e9\\"x"#, 14),
            ("{\"k\":[1 , 2.5]}", 15),
        ] {
            assert_eq!(value_len(text.as_bytes()), Some(len), "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_malformed_has_no_end() {
        for text in [
            "",
            " ",
            "{",
            r#"{"A""#,
            r#"{"A":}"#,
            r#"{"A":1,}"#,
            "[1,]",
            "[1}",
            "01x[",
            "-",
            "-x",
            "1.",
            "1.e",
            "1e",
            "1e+",
            "tru",
            "trux",
            r#""a"#,
            r#""\x""#,
            r#""\u12g4""#,
            "\"\n\"",
            "{1:2}",
            r#"{"A"=1}"#,
            "+1",
            ".5",
            "NaN",
            "\u{feff}{}",
        ] {
            let len = value_len(text.as_bytes());
            let whole = len.is_some_and(|len| len == text.len());
            assert!(!whole, "{text:?} passed as a value");
        }
    }

    #[test]
    fn any_octets_scan_without_panic_in_every_state() {
        let seeds: [&[u8]; 6] = [b"", b"{\"a", b"[1,", b"\"\\u1", b"-1.2e", b"{\"a\":{\"b\":["];
        for seed in seeds {
            for octet in 0..=255_u8 {
                let text = [seed, &[octet, octet]].concat();
                assert!(value_len(&text).is_none_or(|len| len <= text.len()));
            }
        }
    }
}
