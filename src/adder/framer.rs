//! Cuts a stream of octets into JSON values, and says what is between them when there is none.
//!
//! Values follow each other with or without white space; a half one waits. The same octets give the same
//! values and faults, however reads split them.
//!
//! **After an error.** A complete value of the wrong shape is not this room's business: framing goes on.
//! A message over [`MESSAGE_LIMIT`] octets is reported at once and skipped to its end. After a syntax error the
//! end is unknown: reading goes on behind the next newline, because a Go encoder ends every value with one.
//! When [`SKIP_LIMIT`] octets were skipped in vain the stream is lost and wants closing.

use crate::adder::protocol::DATAGRAM_LIMIT;
use crate::adder::protocol::Fault;
use crate::adder::protocol::MESSAGE_LIMIT;
use crate::adder::protocol::Value;
use crate::adder::scan;
use crate::adder::scan::Scanner;
use crate::adder::scan::Step;

/// Most octets skipped after an error on a stream before it counts as lost.
pub const SKIP_LIMIT: usize = 65_536;

/// The place in one stream: octets in, values and faults out.
#[derive(Debug, Default)]
pub struct Framer {
    message: Vec<u8>,
    scanner: Scanner,
    mode: Mode,
    /// `message` was handed out and is cleared before the next octet.
    handed_out: bool,
}

impl Framer {
    /// The next value or fault in `input`, which moves forward past the octets used. `None` when all are used
    /// up: a half message waits for the next read.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<Value<'_>, Fault>> {
        if self.handed_out {
            self.begin();
        }
        while let Some((&octet, rest)) = input.split_first() {
            let taken = self.take(octet);
            if !matches!(taken, Taken::EndedBefore | Taken::SkippedBefore) {
                *input = rest;
            }
            match taken {
                Taken::Goes | Taken::SkippedBefore => {}
                Taken::Failed(fault) => return Some(Err(fault)),
                Taken::Ended | Taken::EndedBefore => {
                    self.handed_out = true;
                    return Some(Ok(Value(&self.message)));
                }
            }
        }
        None
    }

    /// What the end of the stream leaves: nothing, a bare number that it completes, or a message cut short.
    pub fn finish(&mut self) -> Option<Result<Value<'_>, Fault>> {
        if self.handed_out {
            self.begin();
        }
        if self.mode != Mode::Reading || self.message.is_empty() {
            return None;
        }
        self.handed_out = true;
        if self.scanner.ends_here() {
            return Some(Ok(Value(&self.message)));
        }
        Some(Err(Fault::CutShort { octets: self.message.len() }))
    }

    /// Whether [`SKIP_LIMIT`] octets were skipped without finding a new beginning: close the stream.
    pub fn is_lost(&self) -> bool {
        matches!(self.mode, Mode::Lost)
    }

    fn begin(&mut self) {
        self.message.clear();
        self.scanner.reset();
        self.mode = Mode::Reading;
        self.handed_out = false;
    }

    fn take(&mut self, octet: u8) -> Taken {
        match self.mode {
            Mode::Reading => self.read(octet),
            Mode::SkippingValue { skipped } => self.skip_value(octet, skipped + 1),
            Mode::SkippingLine { skipped } => {
                self.skip_line(octet, skipped + 1);
                Taken::Goes
            }
            Mode::Lost => Taken::Goes,
        }
    }

    fn read(&mut self, octet: u8) -> Taken {
        if self.message.is_empty() && scan::is_space(octet) {
            return Taken::Goes;
        }
        let step = self.scanner.step(octet);
        let full = self.message.len() == MESSAGE_LIMIT;
        match step {
            Step::Before => return Taken::EndedBefore,
            Step::Wrong(expected) => {
                let at = self.message.len() + 1;
                self.skip_line(octet, 0);
                return Taken::Failed(Fault::Syntax { at, octet, expected });
            }
            Step::More if full => self.mode = Mode::SkippingValue { skipped: 0 },
            Step::Last if full => self.begin(),
            Step::More | Step::Last => {
                self.message.push(octet);
                return if step == Step::Last { Taken::Ended } else { Taken::Goes };
            }
        }
        Taken::Failed(Fault::TooLong)
    }

    fn skip_value(&mut self, octet: u8, skipped: usize) -> Taken {
        match self.scanner.step(octet) {
            Step::More if skipped >= SKIP_LIMIT => self.mode = Mode::Lost,
            Step::More => self.mode = Mode::SkippingValue { skipped },
            Step::Last => self.begin(),
            Step::Before => {
                self.begin();
                return Taken::SkippedBefore;
            }
            Step::Wrong(_) => self.skip_line(octet, skipped),
        }
        Taken::Goes
    }

    fn skip_line(&mut self, octet: u8, skipped: usize) {
        if octet == b'\n' {
            self.begin();
        } else if skipped >= SKIP_LIMIT {
            self.mode = Mode::Lost;
        } else {
            self.mode = Mode::SkippingLine { skipped };
        }
    }
}

/// The one value in a datagram, with white space around it.
///
/// # Errors
/// [`Fault`] when the datagram is too long, empty, not JSON, cut short, or holds more than the value.
pub fn sole_value(datagram: &[u8]) -> Result<Value<'_>, Fault> {
    if datagram.len() > DATAGRAM_LIMIT {
        return Err(Fault::DatagramTooLong { octets: datagram.len() });
    }
    let text = scan::trim_start(datagram);
    if text.is_empty() {
        return Err(Fault::EmptyDatagram);
    }
    let mut rest = text;
    let mut framer = Framer::default();
    match framer.next(&mut rest) {
        Some(Err(fault)) => return Err(fault),
        Some(Ok(_)) => {}
        None => {
            if let Some(Err(fault)) = framer.finish() {
                return Err(fault);
            }
        }
    }
    if !scan::trim_start(rest).is_empty() {
        return Err(Fault::Trailing { octets: rest.len() });
    }
    Ok(Value(&text[..text.len() - rest.len()]))
}

/// What the framer does with octets, and how many it has skipped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Mode {
    #[default]
    Reading,
    SkippingValue {
        skipped: usize,
    },
    SkippingLine {
        skipped: usize,
    },
    Lost,
}

/// What one octet led to.
enum Taken {
    /// Nothing yet.
    Goes,
    /// It ended a value.
    Ended,
    /// The value ended before it: take it again.
    EndedBefore,
    /// A skipped value ended before it: take it again.
    SkippedBefore,
    /// It ended the hope for this value.
    Failed(Fault),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::adder::protocol::Answer;

    use super::*;

    /// What the server would say to a stream that comes in these pieces, then ends.
    fn answers<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Answer> {
        let mut framer = Framer::default();
        let mut said = Vec::new();
        for mut piece in pieces {
            while let Some(framed) = framer.next(&mut piece) {
                said.push(Answer::to(framed));
            }
        }
        said.extend(framer.finish().map(Answer::to));
        said
    }

    fn sums(text: &str) -> Vec<Answer> {
        answers([text.as_bytes()])
    }

    fn error(answer: &Answer) -> &str {
        match answer {
            Answer::Error(text) => text,
            Answer::Sum(sum) => panic!("sum {sum} where an error was due"),
        }
    }

    #[test]
    fn several_in_one_read_are_answered_in_order_with_or_without_space() {
        let wanted = [Answer::Sum(3), Answer::Sum(7), Answer::Sum(11)];
        assert_eq!(sums("{\"A\":1,\"B\":2}{\"A\":3,\"B\":4} \r\n\t{\"A\":5,\"B\":6}\n"), wanted);
    }

    #[test]
    fn a_half_message_waits() {
        let mut framer = Framer::default();
        let mut half: &[u8] = b"{\"A\":7,\"B";
        assert_eq!(framer.next(&mut half), None);
        let mut rest: &[u8] = b"\":4}";
        assert_eq!(framer.next(&mut rest), Some(Ok(Value(b"{\"A\":7,\"B\":4}"))));
    }

    const STREAM: &str = concat!(
        "{\"A\":7,\"B\":4}{\"a\":-1}\n [1,2] 12 null \"}{\" {\"A\":\"\\\"}\"}",
        "{\"A\":1,}{\"A\":9}\n{\"B\":5}\r\n{\"A\":7.0}nope {}\n{\"\\u0041\":6}true{\"x\":{\"y\":[1,{}]},\"B\":2}17"
    );

    #[test]
    fn every_split_into_three_gives_the_same_answers() {
        let stream = STREAM.as_bytes();
        let whole = answers([stream]);
        assert_eq!(whole.len(), 15);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(answers(pieces), whole, "split at {first} and {second}");
            }
        }
        assert_eq!(answers(stream.chunks(1)), whole);
    }

    #[test]
    fn a_wrong_shape_costs_one_error_and_framing_goes_on_at_the_next_octet() {
        let said = sums("[1]{\"A\":\"x\"}{\"A\":1,\"B\":1}");
        assert_eq!(error(&said[0]), "array where an object belongs");
        assert_eq!(error(&said[1]), "A: string where an integer belongs");
        assert_eq!(said[2], Answer::Sum(2));
    }

    #[test]
    fn after_a_syntax_error_reading_goes_on_behind_the_next_newline() {
        let said = sums("{\"A\":1,}{\"A\":2}\n{\"A\":3}");
        assert_eq!(error(&said[0]), "syntax error at octet 8: '}' where a quoted name belongs");
        assert_eq!(said[1..], [Answer::Sum(3)]);
    }

    #[test]
    fn a_newline_that_is_itself_the_error_is_the_new_beginning() {
        let said = sums("{\"A\n{\"A\":3}");
        assert_eq!(error(&said[0]), "syntax error at octet 4: octet 0x0a where a string goes on");
        assert_eq!(said[1..], [Answer::Sum(3)]);
    }

    #[test]
    fn a_message_at_the_limit_is_read_and_one_octet_more_is_skipped_to_its_end() {
        let message = |octets: usize| format!("{{\"A\":7,\"x\":\"{}\"}}", "y".repeat(octets - 14));
        assert_eq!(message(MESSAGE_LIMIT).len(), MESSAGE_LIMIT);
        assert_eq!(sums(&message(MESSAGE_LIMIT)), [Answer::Sum(7)]);
        for octets in [MESSAGE_LIMIT + 1, MESSAGE_LIMIT + 2, 3 * MESSAGE_LIMIT] {
            let said = sums(&(message(octets) + "{\"B\":1}"));
            assert_eq!(said, [Answer::Error("message over 4096 octets".into()), Answer::Sum(1)], "{octets}");
        }
    }

    #[test]
    fn the_error_for_a_message_too_long_does_not_wait_for_its_end() {
        let mut framer = Framer::default();
        let flood = vec![b'['; MESSAGE_LIMIT + 1];
        assert_eq!(framer.next(&mut flood.as_slice()), Some(Err(Fault::TooLong)));
        assert!(!framer.is_lost());
    }

    #[test]
    fn a_stream_without_a_new_beginning_is_lost_at_the_skip_limit() {
        for (first, filler) in [(&b"x"[..], b'x'), (b"[", b'[')] {
            let mut framer = Framer::default();
            let mut read = 0;
            while !framer.is_lost() {
                let octets = if read == 0 { first.to_vec() } else { vec![filler; 1000] };
                read += octets.len();
                let mut octets = octets.as_slice();
                while framer.next(&mut octets).is_some() {}
                assert!(read <= MESSAGE_LIMIT + SKIP_LIMIT + 1000);
            }
            assert!(read >= SKIP_LIMIT);
            assert_eq!(framer.next(&mut &b"\n{}"[..]), None, "lost is lost");
        }
    }

    #[test]
    fn the_end_of_the_stream_completes_a_bare_number_and_cuts_anything_else_short() {
        assert_eq!(error(&sums("12")[0]), "number where an object belongs");
        assert_eq!(error(&sums("{\"A\":1")[0]), "message cut short after 6 octets");
        assert_eq!(sums(" \n"), []);
        assert_eq!(sums("x").len(), 1, "an error that was told is not told again");
    }

    #[test]
    fn a_datagram_holds_exactly_one_value() {
        assert_eq!(sole_value(b" {\"A\":1}\n"), Ok(Value(b"{\"A\":1}")));
        assert_eq!(sole_value(b"17"), Ok(Value(b"17")));
        assert_eq!(sole_value(b""), Err(Fault::EmptyDatagram));
        assert_eq!(sole_value(b" \n"), Err(Fault::EmptyDatagram));
        assert_eq!(sole_value(b"{}{}"), Err(Fault::Trailing { octets: 2 }));
        assert_eq!(sole_value(b"{\"A\":"), Err(Fault::CutShort { octets: 5 }));
        assert!(matches!(sole_value(b"hello"), Err(Fault::Syntax { at: 1, octet: b'h', .. })));
    }

    #[test]
    fn a_datagram_of_256_octets_is_read_and_one_of_257_is_not() {
        let mut datagram = b"{\"A\":7}".to_vec();
        datagram.resize(DATAGRAM_LIMIT, b' ');
        assert!(sole_value(&datagram).is_ok());
        datagram.push(b' ');
        assert_eq!(sole_value(&datagram), Err(Fault::DatagramTooLong { octets: 257 }));
    }

    proptest! {
        #[test]
        fn any_octets_in_any_pieces_give_the_answers_of_the_whole(
            stream in proptest::collection::vec(
                prop_oneof![proptest::sample::select(&b"{}[]\",:\\nulAB10-.e \n"[..]), any::<u8>()], 0..200),
            size in 1_usize..20,
        ) {
            prop_assert_eq!(answers(stream.chunks(size)), answers([stream.as_slice()]));
        }
    }
}
