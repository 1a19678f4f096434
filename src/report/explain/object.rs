//! The explanation as an object, one line: the same content as the page, for programs.
//!
//! | key | meaning |
//! |---|---|
//! | `type` | `explanation` of a frame, `stream` of a connection |
//! | `schema` | number of the schema |
//! | `file`, `frame`, `title` | which frame, and the page's first line |
//! | `cause` | `{code, title, certain}`; absent where the frame only does what it should |
//! | `proof` | what a later packet proved about it |
//! | `does` | facts, in order |
//! | `because`, `proofs`, `rules`, `instead`, `capture`, `wireshark`, `next` | lines of the page's sections, whole |
//! | `source` | documents and sections |
//! | `verdicts` | every judgement of the segment, with its numbers: `{code, verdict, gap, frames, …}` |
//! | `trial` | what the capture itself cannot know of the connection, every item in the same form |
//! | `state` | with `--state`: the table's lines |
//! | `stream`, `opening`, `packets`, `left_out`, `closing`, `counts`, `end` | of `stream`: the page's sections; `packets` are `{frame, text}` |
//!
//! A key without content is absent. Lines are in words and may change; codes and numbers are those of `verdicts`.

use serde::Serialize;
use serde_json::Value;

use crate::report::explain::Subject;
use crate::report::explain::unique;
use crate::report::json::SCHEMA;
use crate::report::line::Facts;

/// One frame.
#[derive(Serialize)]
pub(super) struct Explanation<'a> {
    r#type: &'static str,
    schema: u32,
    file: &'a str,
    frame: u64,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    does: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proofs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    instead: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capture: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wireshark: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    source: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verdicts: &'a Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trial: &'a Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    state: Vec<&'a str>,
}

#[derive(Serialize)]
struct Cause<'a> {
    code: &'static str,
    title: &'a str,
    certain: bool,
}

impl<'a> Explanation<'a> {
    pub(super) fn of(file: &'a str, frame: u64, subject: &'a Subject) -> Self {
        let proof = subject.after.proof();
        let cause = subject.cause.as_ref().map(|cause| Cause {
            code: cause.code.as_str(),
            title: &cause.title,
            certain: cause.sure || proof.is_some(),
        });
        Self {
            r#type: "explanation",
            schema: SCHEMA,
            file,
            frame,
            title: &subject.head,
            cause,
            proof,
            does: subject.does.each(),
            because: lines(&subject.because),
            proofs: lines(&subject.after.proofs()),
            rules: lines(&subject.rules),
            instead: lines(&subject.instead),
            capture: lines(&subject.capture),
            wireshark: lines(&subject.wireshark),
            next: lines(&subject.after.next()),
            source: unique(&subject.all_sources()),
            verdicts: &subject.verdicts,
            trial: &subject.trial,
            state: subject.state.lines().filter(|line| !line.is_empty()).collect(),
        }
    }
}

/// One connection.
#[derive(Serialize)]
pub(super) struct Stream<'a> {
    pub(super) r#type: &'static str,
    pub(super) schema: u32,
    pub(super) file: &'a str,
    pub(super) stream: u64,
    pub(super) title: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) opening: Vec<String>,
    pub(super) packets: Vec<Noteworthy>,
    pub(super) left_out: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) closing: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) counts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) end: Vec<String>,
}

/// A packet of it that is worth a word.
#[derive(Serialize)]
pub(super) struct Noteworthy {
    pub(super) frame: u64,
    pub(super) text: String,
}

/// Each line whole.
pub(super) fn lines(lines: &[Facts]) -> Vec<String> {
    lines.iter().map(Facts::in_words).collect()
}
