//! The lines of the control channel (docs/control-channel.md), for both of its sides.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sipae::client::Standing;

use crate::profile::TimerDurations;

/// The version of the protocol that is described here.
pub const PROTOCOL: u32 = 1;

/// What the suite asks, with the number that comes back in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Counts up.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// Who are you? Always the first line.
    Hello {
        /// The version that the suite speaks.
        protocol: u32,
    },
    /// Let time pass at once.
    Advance {
        /// How much, in milliseconds.
        ms: u64,
    },
    /// Forget every association, handshake and registration.
    Reset {},
    /// Do something, as a user makes a client do it.
    Do {
        /// The name of it: one of `stimuli` of the hello.
        what: String,
        /// New each time: the outcome is known by it.
        number: u64,
    },
    /// What would you tell your user?
    Standing {},
}

/// What the target answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// That of the request; `None` where the request could not be read.
    pub id: Option<u64>,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// To `hello`.
    Hello(Hello),
    /// Done.
    Ok(bool),
    /// To `standing`.
    Standing(Told),
    /// Not done, and why.
    Error(String),
}

/// What a client would tell its user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether it takes itself for registered.
    pub registered: bool,
    /// Whether it has given up.
    pub failed: bool,
    /// The status of the final answer to what it was asked for, by number: keys of JSON are text.
    #[serde(default)]
    pub outcomes: BTreeMap<String, u16>,
}

impl From<Standing> for Told {
    fn from(standing: Standing) -> Self {
        let Standing { registered, failed, outcomes } = standing;
        let outcomes = outcomes.into_iter().map(|(number, status)| (number.to_string(), status));
        Self { registered, failed, outcomes: outcomes.collect() }
    }
}

impl From<Told> for Standing {
    fn from(told: Told) -> Self {
        let Told { registered, failed, outcomes } = told;
        // What is no number was not asked for.
        let outcomes = outcomes.into_iter().filter_map(|(key, status)| Some((key.parse().ok()?, status)));
        Self { registered, failed, outcomes: outcomes.collect() }
    }
}

/// What a target says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version that it speaks.
    pub protocol: u32,
    /// The names of what it can be asked besides `hello`. It cannot be left out, so that a program that says back what
    /// it is told is no target.
    pub can: Vec<String>,
    /// Where it listens, as an IP address and a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How long its timers are, as far as it says so.
    #[serde(default)]
    pub durations: HelloDurations,
    /// What a client can be asked to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stimuli: Vec<String>,
}

/// Timers of a target in milliseconds, with the keys of the table of the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HelloDurations {
    /// From the establishment of an association to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_ms: Option<u64>,
    /// Without a verified message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// From a CHALLENGE to the end of the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_ms: Option<u64>,
    /// Until a connection that has not authenticated is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_ms: Option<u64>,
}

impl From<TimerDurations> for HelloDurations {
    fn from(durations: TimerDurations) -> Self {
        let ms = |timer: Option<Duration>| timer.and_then(|time| u64::try_from(time.as_millis()).ok());
        Self {
            expiry_ms: ms(durations.expiry),
            idle_ms: ms(durations.idle),
            handshake_ms: ms(durations.handshake),
            connection_ms: ms(durations.connection),
        }
    }
}

/// A timer of no length is none that could be tested.
impl From<HelloDurations> for TimerDurations {
    fn from(durations: HelloDurations) -> Self {
        let time = |ms: Option<u64>| ms.filter(|ms| *ms != 0).map(Duration::from_millis);
        Self {
            expiry: time(durations.expiry_ms),
            idle: time(durations.idle_ms),
            handshake: time(durations.handshake_ms),
            connection: time(durations.connection_ms),
        }
    }
}

/// A line that is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its number, if it has one.
    pub id: Option<u64>,
    /// What is wrong with it.
    pub problem: String,
}

impl From<Unread> for Reply {
    fn from(unread: Unread) -> Self {
        Self { id: unread.id, answer: Answer::Error(format!("no request: {}", unread.problem)) }
    }
}

/// Reads a line of the suite, as a target does.
///
/// # Errors
/// When it is no request; what is wrong is the answer to it.
pub fn read_request(line: &str) -> Result<Request, Unread> {
    serde_json::from_str(line).map_err(|error| {
        let value: Option<serde_json::Value> = serde_json::from_str(line).ok();
        let id = value.and_then(|value| value.get("id").and_then(serde_json::Value::as_u64));
        Unread { id, problem: error.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The lines of docs/control-channel.md.
    #[rstest]
    #[case(1, Ask::Hello { protocol: 1 }, r#"{"id":1,"hello":{"protocol":1}}"#)]
    #[case(2, Ask::Advance { ms: 900_000 }, r#"{"id":2,"advance":{"ms":900000}}"#)]
    #[case(3, Ask::Reset {}, r#"{"id":3,"reset":{}}"#)]
    #[case(4, Ask::Do { what: "message".to_owned(), number: 1 }, r#"{"id":4,"do":{"what":"message","number":1}}"#)]
    #[case(5, Ask::Standing {}, r#"{"id":5,"standing":{}}"#)]
    fn a_request_is_written_and_read(#[case] id: u64, #[case] ask: Ask, #[case] line: &str) {
        let request = Request { id, ask };
        assert_eq!(serde_json::to_string(&request).expect("JSON"), line);
        assert_eq!(read_request(line), Ok(request));
    }

    #[rstest]
    #[case(r#"{"id":3,"fly":{}}"#, Some(3))]
    #[case(r#"{"id":4,"advance":{"ms":-1}}"#, Some(4))]
    #[case(r#"{"advance":{"ms":1}}"#, None)]
    #[case(r#"{"id":"5","reset":{}}"#, None)]
    #[case("garbage", None)]
    #[case("", None)]
    fn what_is_no_request_is_answered_with_an_error(#[case] line: &str, #[case] id: Option<u64>) {
        let reply = Reply::from(read_request(line).expect_err("no request"));
        assert!(reply.id == id && matches!(reply.answer, Answer::Error(_)), "{reply:?}");
    }

    /// The answer of docs/control-channel.md.
    #[test]
    fn a_standing_is_written_and_read() {
        let line = r#"{"id":5,"standing":{"registered":true,"failed":false,"outcomes":{"1":200}}}"#;
        let standing = Standing { registered: true, failed: false, outcomes: BTreeMap::from([(1, 200)]) };
        let reply = Reply { id: Some(5), answer: Answer::Standing(standing.clone().into()) };
        assert_eq!(serde_json::to_string(&reply).expect("JSON"), line);
        assert_eq!(serde_json::from_str::<Reply>(line).expect("a reply"), reply);
        let Answer::Standing(told) = reply.answer else { panic!("a standing") };
        assert_eq!(Standing::from(told), standing);
    }

    /// A later version of the protocol may say more.
    #[test]
    fn what_is_not_known_in_an_answer_is_left_alone() {
        let line = r#"{"id":1,"hello":{"protocol":1,"can":["fly"],"wings":2},"more":[]}"#;
        let reply: Reply = serde_json::from_str(line).expect("a reply");
        let hello = Hello { protocol: 1, can: vec!["fly".to_owned()], ..Hello::default() };
        assert_eq!(reply, Reply { id: Some(1), answer: Answer::Hello(hello) });
    }
}
