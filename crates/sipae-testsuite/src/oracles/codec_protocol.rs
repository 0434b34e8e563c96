//! Lines of the codec protocol: [`Greeting`], [`Reply`], [`request`] and [`serve`].

use serde_json::Value;
use sipae_vectors::protocol::{Greeting, Reply, ServeError, request, serve};
use sipae_vectors::{Answer, Codec, Operation, Refusal};

/// Octets are no line of the protocol, or an object that is read back as it is written; every request has one answer,
/// and reaches the codec as it was asked.
pub fn codec_protocol(data: &[u8]) {
    greeting(data);
    for line in data.split(|octet| *octet == b'\n') {
        reply(line);
        operation(line);
    }
    requests(data);
}

/// What stands in members that are passed over may be more than a value can hold.
fn is_object(line: &[u8]) -> bool {
    let text = std::str::from_utf8(line).unwrap_or_default().trim_ascii();
    text.starts_with('{') && text.ends_with('}')
}

fn is_line(octets: &[u8]) -> bool {
    octets.ends_with(b"\n") && octets.iter().filter(|octet| **octet == b'\n').count() == 1
}

fn greeting(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    match Greeting::read(line) {
        Ok(greeting) => {
            assert!(is_object(data), "{line:?}");
            let written = serde_json::to_string(&greeting).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(Greeting::read(&written), Ok(greeting.clone()), "{written}");
            assert!(greeting.unknown().all(|name| greeting.offers(name)));
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
    }
}

fn reply(line: &[u8]) {
    match Reply::read(line) {
        Ok(reply) => {
            assert!(is_object(line), "{line:?}");
            let mut written = Vec::new();
            reply.clone().write(&mut written).unwrap_or_else(|error| panic!("{error}"));
            assert!(is_line(&written));
            assert_eq!(Reply::read(&written), Ok(reply));
        }
        Err(problem) => assert!(!problem.is_empty() && !problem.contains(char::is_control), "{problem}"),
    }
}

/// An operation that is read in one pass is the one that is read by way of a value.
fn operation(line: &[u8]) {
    let Ok(Value::Object(members)) = serde_json::from_slice(line) else { return };
    let (Some(Value::String(op)), Some(inputs)) = (members.get("op"), members.get("inputs")) else { return };
    if let (Ok(operation), Some(asked)) = (Operation::from_parts(op, inputs), asked(line).0.first()) {
        assert_eq!(*asked, operation);
    }
}

/// Remembers what it is asked, and answers in every way that there is.
#[derive(Default)]
struct Listener(Vec<Operation>);

impl Codec for Listener {
    fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
        self.0.push(operation.clone());
        match self.0.len() % 3 {
            0 => Err(Refusal::Unsupported(operation.name().to_owned())),
            1 => Ok(Answer::new().text("op", operation.name())),
            _ => Err(Refusal::Malformed("nothing can be computed".to_owned())),
        }
    }
}

/// What the codec hears, and what whoever asks hears from it.
fn asked(data: &[u8]) -> (Vec<Operation>, Vec<u8>, Result<(), ServeError>) {
    let (mut listener, mut out) = (Listener::default(), Vec::new());
    let result = serve(&mut listener, &Greeting::new("fuzz", None), data, &mut out);
    (listener.0, out, result)
}

fn requests(data: &[u8]) {
    let (operations, out, result) = asked(data);
    let mut lines = out.split_inclusive(|octet| *octet == b'\n');
    let greeting = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    assert_eq!(Greeting::read(greeting), Ok(Greeting::new("fuzz", None)));
    let replies: Vec<_> =
        lines.map(|line| Reply::read(line).unwrap_or_else(|error| panic!("{error}"))).collect();
    let asked_for = data.split(|octet| *octet == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let (most, answered) = (asked_for.count(), replies.len());
    match result {
        Ok(()) => assert_eq!(answered, most),
        Err(ServeError::Request { line, problem }) => {
            assert!(!problem.is_empty() && !problem.contains(char::is_control), "{problem}");
            assert!(answered < most && u64::try_from(answered).is_ok_and(|answered| answered < line));
        }
        Err(other) => panic!("{other}"),
    }
    assert!(operations.len() <= answered);
    asked_again(&operations);
}

fn asked_again(operations: &[Operation]) {
    let mut lines = Vec::new();
    for (id, operation) in (0..).zip(operations) {
        let mut line = Vec::new();
        request(id, operation, &mut line).unwrap_or_else(|error| panic!("{error}"));
        assert!(is_line(&line), "{line:?}");
        lines.extend(line);
    }
    let (again, _, result) = asked(&lines);
    assert!(result.is_ok() && again == operations, "{again:?} {operations:?}");
}
