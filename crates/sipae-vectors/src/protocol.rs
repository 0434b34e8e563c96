//! The codec protocol: JSON lines between whoever asks and whoever computes (`docs/codec-protocol.md`).
//!
//! [`serve`] is the whole of a program that answers; [`Greeting`], [`request`] and [`Reply`] are for whoever asks.

mod serve;

use serde::de::Error;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::check::Refusal;
use crate::error::one_line;
use crate::operation::Operation;

pub use serve::{ServeError, serve};

/// What `protocol` in a greeting is.
pub const NAME: &str = "sipae-codec";
/// The version that this crate speaks.
pub const VERSION: u32 = 1;
/// Longest line in either direction, in octets.
pub const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// The first line of a codec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// [`NAME`].
    pub protocol: String,
    /// Version of the protocol that the codec speaks.
    pub version: u32,
    /// Name and version of the program, for reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The operations that it can do; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
}

/// Why a first line is no greeting. Texts fit behind "the codec".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreetingError {
    /// It is something else.
    #[error("greets with {line:?}: {problem}")]
    Unreadable {
        /// The line, cut.
        line: String,
        /// What JSON says of it.
        problem: String,
    },
    /// It is another protocol.
    #[error("speaks {0:?}, not {NAME:?}")]
    Protocol(String),
    /// It is another version.
    #[error("speaks version {0} of the codec protocol, not {VERSION}")]
    Version(u32),
}

impl Greeting {
    /// The greeting of this version.
    #[must_use]
    pub fn new(program: &str, operations: Option<&[&str]>) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            protocol: NAME.to_owned(),
            version: VERSION,
            program: Some(program.to_owned()),
            operations: operations.map(owned),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is none, or of another protocol or version.
    pub fn read(line: &str) -> Result<Self, GreetingError> {
        let greeting: Self = object(line.as_bytes()).map_err(|error| GreetingError::Unreadable {
            line: one_line(line),
            problem: one_line(&error.to_string()),
        })?;
        if greeting.protocol != NAME {
            return Err(GreetingError::Protocol(one_line(&greeting.protocol)));
        }
        if greeting.version == VERSION { Ok(greeting) } else { Err(GreetingError::Version(greeting.version)) }
    }

    /// Names in the greeting that are no operations of this version.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let is_known = |name: &str| Operation::NAMES.contains(&name);
        self.operations.iter().flatten().map(String::as_str).filter(move |name| !is_known(name))
    }

    /// Whether the codec says that it can do an operation.
    #[must_use]
    pub fn offers(&self, op: &str) -> bool {
        self.operations.as_ref().is_none_or(|operations| operations.iter().any(|name| name == op))
    }
}

/// Reads a line that is UTF-8 and an object: a derived struct would take an array as well, and members that are passed
/// over are not looked at.
fn object<'de, T: Deserialize<'de>>(line: &'de [u8]) -> serde_json::Result<T> {
    let text = std::str::from_utf8(line).map_err(Error::custom)?;
    let read = serde_json::from_str(text)?;
    if text.trim_ascii_start().starts_with('{') { Ok(read) } else { Err(Error::custom("expected an object")) }
}

/// Writes a request as one line, its end included.
///
/// # Errors
/// When the operation is no JSON, which no operation of this crate is.
pub fn request(id: u64, operation: &Operation, out: &mut Vec<u8>) -> serde_json::Result<()> {
    #[derive(Serialize)]
    struct Request<'a> {
        id: u64,
        #[serde(flatten)]
        operation: &'a Operation,
    }
    serde_json::to_writer(&mut *out, &Request { id, operation })?;
    out.push(b'\n');
    Ok(())
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The id of the request.
    pub id: u64,
    /// What the codec answers.
    pub result: Result<Answer, Refusal>,
}

#[derive(Serialize, Deserialize)]
struct ReplyLine {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsupported: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    malformed: Option<String>,
}

impl Reply {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let read: ReplyLine = object(line).map_err(|error| one_line(&error.to_string()))?;
        let result = match (read.answer, read.unsupported, read.malformed) {
            (Some(answer), None, None) => Ok(answer),
            (None, Some(reason), None) => Err(Refusal::Unsupported(one_line(&reason))),
            (None, None, Some(reason)) => Err(Refusal::Malformed(one_line(&reason))),
            (None, None, None) => {
                return Err("it has none of answer (an object), unsupported and malformed".to_owned());
            }
            _ => return Err("it has more than one of answer, unsupported and malformed".to_owned()),
        };
        Ok(Self { id: read.id, result })
    }

    /// Writes the line, its end included.
    ///
    /// # Errors
    /// When an answer is no JSON, which none is.
    pub fn write(self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut line = ReplyLine { id: self.id, answer: None, unsupported: None, malformed: None };
        match self.result {
            Ok(answer) => line.answer = Some(answer),
            Err(Refusal::Unsupported(reason)) => line.unsupported = Some(reason),
            Err(Refusal::Malformed(reason)) => line.malformed = Some(reason),
        }
        serde_json::to_writer(&mut *out, &line)?;
        out.push(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_greeting_is_read_back_and_members_that_are_not_known_are_skipped() {
        let greeting = Greeting::new("my stack 1.2", Some(&["base16"]));
        let text = serde_json::to_string(&greeting).expect("JSON");
        assert_eq!(Greeting::read(&text), Ok(greeting));
        let short =
            Greeting::read(r#"{"version":1,"protocol":"sipae-codec","newer":true}"#).expect("a greeting");
        assert!(short.offers("base16") && short.program.is_none());
    }

    #[test]
    fn what_is_no_greeting_says_what_it_is() {
        let told = |line: &str| Greeting::read(line).expect_err("no greeting").to_string();
        assert!(told(r#"["sipae-codec",1]"#).ends_with("expected an object"));
        assert!(told("hello").starts_with("greets with \"hello\": expected value"));
        assert_eq!(told(r#"{"protocol":"x","version":1}"#), "speaks \"x\", not \"sipae-codec\"");
        assert_eq!(
            told(r#"{"protocol":"sipae-codec","version":2}"#),
            "speaks version 2 of the codec protocol, not 1"
        );
    }

    #[test]
    fn a_request_is_one_line() {
        let operation = Operation::from_parts("base16", &json!({"text": "a\nb"})).expect("an operation");
        let mut line = Vec::new();
        request(7, &operation, &mut line).expect("JSON");
        assert_eq!(line, b"{\"id\":7,\"op\":\"base16\",\"inputs\":{\"text\":\"a\\nb\"}}\n");
    }

    #[test]
    fn a_reply_is_read_back_as_written() {
        for result in [
            Ok(Answer::new().flag("valid", true)),
            Err(Refusal::Unsupported("mac".into())),
            Err(Refusal::Malformed("seal_key: 3 octets".into())),
        ] {
            let (reply, mut line) = (Reply { id: 3, result }, Vec::new());
            reply.clone().write(&mut line).expect("JSON");
            assert_eq!(Reply::read(&line), Ok(reply));
        }
    }

    #[test]
    fn a_fraction_of_many_digits_is_read_back_as_written() {
        let line = b"{\"id\":1,\"answer\":{\"value\":7.370437700706685e+208}}\n";
        let (reply, mut written) = (Reply::read(line).expect("a reply"), Vec::new());
        reply.write(&mut written).expect("JSON");
        assert_eq!(written, line);
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for line in [
            "",
            "{}",
            "null",
            r#"{"id":1}"#,
            r#"{"id":-1,"answer":{}}"#,
            r#"{"id":1,"answer":[]}"#,
            r#"[1,{}]"#,
            r#"{"id":1,"answer":{},"unsupported":"x"}"#,
        ] {
            Reply::read(line.as_bytes()).expect_err(line);
        }
        let problem = Reply::read(b"{\"id\":1,\"answer\":{},\"newer\":\"\xFF\"}").expect_err("no UTF-8");
        assert!(problem.starts_with("invalid utf-8"), "{problem}");
    }
}
