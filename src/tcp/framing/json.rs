//! Finds the end of a JSON value without reading it: depth, strings and escapes are enough (RFC 8259 §2).
//!
//! It does not check what stands inside: a value whose brackets close is a message, however wrong it may be within.
//! Numbers and literals end before the first octet that cannot go on with them.

/// The place within a value. Fixed size: depth is counted, not kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scanner {
    state: State,
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// Between two values.
    #[default]
    Between,
    /// In a bare number or literal.
    Scalar,
    /// In an array or object, outside strings.
    Nested,
    /// In a string.
    Text,
    /// Behind a backslash in a string.
    Escape,
}

/// What one octet did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// White space outside a value.
    Between,
    /// First octet of a value.
    Begins,
    /// Within a value.
    More,
    /// Last octet of a value.
    Ends,
    /// A bare number or literal ended before this octet, which was not used.
    EndedBefore,
    /// Begins no value.
    Wrong,
}

impl Scanner {
    /// Takes one octet.
    pub fn step(&mut self, octet: u8) -> Step {
        match (self.state, octet) {
            (State::Between, b' ' | b'\t' | b'\r' | b'\n') => Step::Between,
            (State::Between, b'{' | b'[') => {
                *self = Self { state: State::Nested, depth: 1 };
                Step::Begins
            }
            (State::Between, b'"') => self.to(State::Text, Step::Begins),
            (State::Between, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.to(State::Scalar, Step::Begins),
            (State::Between, _) => Step::Wrong,
            (State::Scalar, b'0'..=b'9' | b'.' | b'+' | b'-' | b'A'..=b'Z' | b'a'..=b'z') => Step::More,
            (State::Scalar, _) => self.to(State::Between, Step::EndedBefore),
            (State::Nested, b'{' | b'[') => {
                self.depth = self.depth.saturating_add(1);
                Step::More
            }
            (State::Nested, b'}' | b']') => {
                self.depth -= 1;
                if self.depth > 0 { Step::More } else { self.to(State::Between, Step::Ends) }
            }
            (State::Nested, b'"') => self.to(State::Text, Step::More),
            (State::Nested, _) => Step::More,
            (State::Text, b'\\') => self.to(State::Escape, Step::More),
            (State::Text, b'"') if self.depth > 0 => self.to(State::Nested, Step::More),
            (State::Text, b'"') => self.to(State::Between, Step::Ends),
            (State::Text, _) => Step::More,
            (State::Escape, _) => self.to(State::Text, Step::More),
        }
    }

    fn to(&mut self, state: State, step: Step) -> Step {
        self.state = state;
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a text, as the scanner cuts it; `!` where no value can begin.
    fn values(text: &str) -> Vec<String> {
        let (mut scanner, mut all, mut value) = (Scanner::default(), Vec::new(), String::new());
        for octet in text.bytes() {
            loop {
                let step = scanner.step(octet);
                match step {
                    Step::Between => {}
                    Step::Begins | Step::More | Step::Ends => value.push(octet.into()),
                    Step::EndedBefore => {}
                    Step::Wrong => value.push('!'),
                }
                if matches!(step, Step::Ends | Step::EndedBefore | Step::Wrong) {
                    all.push(std::mem::take(&mut value));
                }
                if step != Step::EndedBefore {
                    break;
                }
            }
        }
        if !value.is_empty() {
            all.push(value + "…");
        }
        all
    }

    #[test]
    fn values_end_where_their_brackets_close_and_strings_may_hold_brackets() {
        assert_eq!(
            values(r#"{"A":7}{"B":[1,{"x":"}]\"{"}]} "a\\" []"#),
            [r#"{"A":7}"#, r#"{"B":[1,{"x":"}]\"{"}]}"#, r#""a\\""#, "[]"]
        );
    }

    #[test]
    fn numbers_and_literals_end_before_what_cannot_belong_to_them() {
        assert_eq!(values("12 -3.5e+2[true]null\n7"), ["12", "-3.5e+2", "[true]", "null", "7…"]);
    }

    #[test]
    fn what_begins_no_value_is_told() {
        assert_eq!(values("{} }"), ["{}", "!"]);
    }
}
