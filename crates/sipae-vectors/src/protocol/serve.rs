//! The loop of a codec.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Write};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Greeting, LONGEST_LINE, Reply, object};
use crate::answer::Answer;
use crate::check::{Codec, Refusal};
use crate::error::one_line;
use crate::operation::Operation;

/// Octets that are read at once: many requests.
const CHUNK: usize = 64 * 1024;

/// Why a codec stops answering before the end of its input.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nothing can be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line that is no request: there is no id to answer to.
    #[error("line {line} is no request: {problem}")]
    Request {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A line without end.
    #[error("line {0} is longer than {LONGEST_LINE} octets")]
    TooLong(u64),
}

#[derive(Deserialize)]
struct Request<'a> {
    id: u64,
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
}

impl Request<'_> {
    /// An operation that this crate does not know is not supported; inputs that it does not take are malformed.
    fn answer(&self, codec: &mut dyn Codec) -> Result<Answer, Refusal> {
        if !Operation::NAMES.contains(&self.op.as_ref()) {
            return Err(Refusal::Unsupported(one_line(&self.op)));
        }
        let operation = match self.inputs {
            Some(inputs) => Operation::from_text(&self.op, inputs),
            None => Operation::from_parts(&self.op, &Value::Null),
        };
        codec.answer(&operation.map_err(|error| Refusal::Malformed(error.to_string()))?)
    }
}

/// Greets, and answers every line of `input` on `output` until its end: `main` of a codec calls this with its standard
/// input and output. Answers are flushed when no further request has arrived, and before an error is told.
///
/// # Errors
/// When a line is no request, or nothing can be read or written.
pub fn serve(
    codec: &mut dyn Codec,
    greeting: &Greeting,
    input: impl Read,
    mut output: impl Write,
) -> Result<(), ServeError> {
    let mut out = serde_json::to_vec(greeting).map_err(io::Error::from)?;
    out.push(b'\n');
    let ended = answer_all(codec, input, &mut output, &mut out);
    output.write_all(&out)?;
    output.flush()?;
    ended
}

/// `out` has what is not written yet.
fn answer_all(
    codec: &mut dyn Codec,
    input: impl Read,
    output: &mut impl Write,
    out: &mut Vec<u8>,
) -> Result<(), ServeError> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let mut line = Vec::new();
    for number in 1.. {
        if CHUNK <= out.len() || !input.buffer().contains(&b'\n') {
            output.write_all(out)?;
            output.flush()?;
            out.clear();
        }
        line.clear();
        let bound = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        if input.by_ref().take(bound + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if LONGEST_LINE < line.len() {
            return Err(ServeError::TooLong(number));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let wrong = |error: serde_json::Error| one_line(&error.to_string());
        let request: Request =
            object(&line).map_err(|error| ServeError::Request { line: number, problem: wrong(error) })?;
        let reply = Reply { id: request.id, result: request.answer(codec) };
        reply.write(out).map_err(io::Error::from)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says how long the text is.
    struct Length;

    impl Codec for Length {
        fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
            match operation {
                Operation::Base16(inputs) => Ok(Answer::new().number("length", inputs.text.len() as u64)),
                other => Err(Refusal::Unsupported(other.name().to_owned())),
            }
        }
    }

    fn served(input: &str) -> (Vec<String>, Result<(), ServeError>) {
        let (mut out, greeting) = (Vec::new(), Greeting::new("length", None));
        let result = serve(&mut Length, &greeting, input.as_bytes(), &mut out);
        let text = String::from_utf8(out).expect("text");
        (text.lines().skip(1).map(str::to_owned).collect(), result)
    }

    #[test]
    fn every_request_has_its_answer() {
        let (lines, result) = served(concat!(
            r#"{"id":2,"op":"base16","inputs":{"text":"abc"}}"#,
            "\r\n\n",
            r#"{"op":"base64","inputs":{"text":""},"id":1,"newer":0}"#,
            "\n",
            r#"{"id":3,"op":"of_tomorrow","inputs":{}}"#,
            "\n",
            r#"{"id":4,"op":"base16","inputs":{"txt":""}}"#,
            "\n",
            r#"{"id":5,"op":"base16","inputs":["abc"]}"#,
        ));
        result.expect("the end of the input");
        assert_eq!(lines[0], r#"{"id":2,"answer":{"length":3}}"#);
        assert_eq!(lines[1], r#"{"id":1,"unsupported":"base64"}"#);
        assert_eq!(lines[2], r#"{"id":3,"unsupported":"of_tomorrow"}"#);
        assert!(lines[3].starts_with(r#"{"id":4,"malformed":"inputs: unknown field `txt`"#), "{}", lines[3]);
        assert!(lines[4].starts_with(r#"{"id":5,"malformed":"inputs: expected an object"#), "{}", lines[4]);
    }

    #[test]
    fn a_line_that_is_no_request_ends_it_and_is_named() {
        let (_, result) = served("\n{\"op\":\"base16\"}\n");
        let error = result.expect_err("no id").to_string();
        assert!(error.starts_with("line 2 is no request: missing field `id`"), "{error}");
        assert!(served("[1,\"base16\"]").1.is_err());
    }

    #[test]
    fn what_was_asked_before_such_a_line_has_its_answer() {
        let (lines, result) = served("{\"id\":1,\"op\":\"of_tomorrow\"}\n{}\n");
        assert_eq!(lines, [r#"{"id":1,"unsupported":"of_tomorrow"}"#]);
        result.expect_err("no request");
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let (_, result) = served(&"x".repeat(LONGEST_LINE + 1));
        assert!(matches!(result, Err(ServeError::TooLong(1))));
    }

    /// A reader that would wait for ever once the first request is taken.
    struct OneLine(bool);

    impl Read for OneLine {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            }
            let line = b"{\"id\":1,\"op\":\"base64\",\"inputs\":{\"text\":\"\"}}\n";
            buffer[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }

    #[test]
    fn answers_are_written_before_anybody_waits() {
        let mut out = Vec::new();
        serve(&mut Length, &Greeting::new("length", None), OneLine(false), &mut out).expect_err("blocked");
        assert_eq!(out.iter().filter(|octet| **octet == b'\n').count(), 2);
    }
}
