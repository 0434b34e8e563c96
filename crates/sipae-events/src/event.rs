//! The stream of events of a run.

use serde::{Deserialize, Serialize};
use sipae_spec::{Level, Role, Weight};

use crate::case::{CaseId, Subject};
use crate::exit::ExitCode;
use crate::tally::Totals;
use crate::text;
use crate::verdict::Verdict;

/// One event of a run, in the order in which they are emitted.
///
/// As JSON an event is one object whose `event` names it. Readers ignore fields that they do not know; a change
/// of meaning gets a new name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins; always the first event.
    RunStarted(RunStarted),
    /// The good exchange of one scheme and version is over; the cases that depend on it come after.
    GateFinished(GateFinished),
    /// A case begins.
    CaseStarted(CaseStarted),
    /// A case has its verdict.
    CaseFinished(CaseFinished),
    /// The run is over; always the last event.
    RunFinished(RunFinished),
}

/// What is needed to repeat the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Name of the program that runs the cases.
    pub program: String,
    /// Its version.
    pub version: String,
    /// The seed of the run, from which that of each case follows; text, since JSON readers round large numbers.
    #[serde(with = "text")]
    pub seed: u64,
    /// The target as it was named on the command line.
    pub target: String,
    /// The profile as it was named on the command line, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The script file that is played in place of cases, as it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Other arguments that change what a run does, as they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The role in which the target is tested.
    #[serde(with = "text")]
    pub role: Role,
    /// What a reader has to know about the run as a whole, a phrase each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether the ordinary exchange of one scheme and version works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateFinished {
    /// Scheme and version.
    #[serde(flatten)]
    pub subject: Subject,
    /// What came out.
    pub outcome: GateOutcome,
    /// The schemes that the target offered, in its order and spelling.
    pub offered: Vec<String>,
    /// Why the gate is not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the gate measured and a reader has to know, a phrase each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What went over the wires; at most [`CaseFinished::MAX_EXCHANGE`] messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchange: Vec<Exchanged>,
}

/// What came out of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateOutcome {
    /// The exchange worked; dependent cases run.
    Open,
    /// It did not, although the target claims it; dependent cases are blocked.
    Failed,
    /// The target does not offer this scheme and version; dependent cases are unsupported.
    Unsupported,
    /// The profile leaves this scheme or version out, or has no credentials for it: nothing was sent, and dependent
    /// cases are unsupported.
    Untested,
}

impl GateOutcome {
    /// Whether there is nothing to test behind the gate, through nobody's fault.
    #[must_use]
    pub const fn is_absent(self) -> bool {
        matches!(self, Self::Unsupported | Self::Untested)
    }
}

/// The case that a runner works on from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseStarted {
    /// The case.
    pub case: CaseId,
    /// Scheme and version.
    #[serde(flatten)]
    pub subject: Subject,
}

/// Everything that a report can say about a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFinished {
    /// The case.
    pub case: CaseId,
    /// Scheme and version.
    #[serde(flatten)]
    pub subject: Subject,
    /// What the case shows, as a statement.
    pub title: String,
    /// Ids of the requirements that it tests.
    pub requirements: Vec<String>,
    /// What came out.
    pub verdict: Verdict,
    /// The rows that were broken, or what is recorded about them.
    pub findings: Vec<Finding>,
    /// Why nothing was decided, or what broke down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What went over the wires, for ladders; at most [`MAX_EXCHANGE`](Self::MAX_EXCHANGE) messages.
    pub exchange: Vec<Exchanged>,
    /// How many messages came after those in `exchange`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exchange_left_out: u64,
    /// The signature buffers of messages whose signature does not verify.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<SignatureSeen>,
    /// How many conversations were generated for it; none for one that is written down.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generated: u64,
    /// The name of the fault in what was sent to fail it, where it has one; a generated case has several to choose from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fault: String,
    /// The conversation that shows what failed, as the object of a script file (docs/scripts.md): of a generated one the
    /// smallest that was found. Absent where nothing failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<serde_json::Value>,
}

impl CaseFinished {
    /// A case with its verdict, and nothing seen.
    #[must_use]
    pub fn new(case: CaseId, subject: Subject, title: &str, requirements: &[&str], verdict: Verdict) -> Self {
        Self {
            case,
            subject,
            title: title.to_owned(),
            requirements: requirements.iter().map(ToString::to_string).collect(),
            verdict,
            findings: Vec::new(),
            reason: None,
            exchange: Vec::new(),
            exchange_left_out: 0,
            signatures: Vec::new(),
            generated: 0,
            fault: String::new(),
            script: None,
        }
    }

    /// How many messages an event holds, so that a flood cannot fill a report.
    pub const MAX_EXCHANGE: usize = 256;

    /// Appends a message to the exchange, or counts it once the exchange is full.
    pub fn push(&mut self, message: Exchanged) {
        if self.exchange.len() < Self::MAX_EXCHANGE {
            self.exchange.push(message);
        } else {
            self.exchange_left_out += 1;
        }
    }
}

/// One requirement and how the target did not keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the requirement.
    pub requirement: String,
    /// Its level.
    #[serde(with = "text")]
    pub level: Level,
    /// Whether the row is a reconstruction.
    pub reconstructed: bool,
    /// What is legal.
    pub expected: String,
    /// What the target did.
    pub got: String,
    /// What it means for the target.
    #[serde(with = "text")]
    pub weight: Weight,
}

/// The signature buffer of a message, field by field, and what verifying it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureSeen {
    /// The message, as the case calls it.
    pub message: String,
    /// Who signed it: `client` or `server`.
    pub signer: String,
    /// The version whose layout the buffer has.
    pub version: u32,
    /// The fields, in the order in which they are signed.
    pub fields: Vec<BufferField>,
    /// What verifying came to.
    pub outcome: String,
}

/// One field of a signature buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferField {
    /// What the field is, such as `Call-ID`.
    pub name: String,
    /// The text between its brackets; empty for one that the message does not have.
    pub value: String,
}

/// One message on a wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// Who of the suite's side sent or received it, such as `alice`; empty when that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub party: String,
    /// Which way it went.
    pub direction: Direction,
    /// The connection, numbered from 1 in the order in which the case opened them.
    pub connection: u32,
    /// What a ladder writes on the arrow.
    pub label: String,
    /// The octets as text, with U+FFFD for what is not UTF-8; at most [`MAX_OCTETS`](Self::MAX_OCTETS) of them.
    pub octets: String,
    /// How many octets came after those in `octets`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub octets_left_out: u64,
    /// The same octets as hexadecimal digits, where they are no UTF-8 and `octets` has lost something.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub exact: String,
}

impl Exchanged {
    /// How many octets of a message an event holds.
    pub const MAX_OCTETS: usize = 16 * 1024;

    /// A message, cut at the bound.
    #[must_use]
    pub fn new(direction: Direction, connection: u32, label: impl Into<String>, octets: &[u8]) -> Self {
        let (kept, left_out) = octets.split_at(octets.len().min(Self::MAX_OCTETS));
        let hex = || kept.iter().map(|octet| format!("{octet:02x}")).collect();
        Self {
            party: String::new(),
            direction,
            connection,
            label: label.into(),
            octets: String::from_utf8_lossy(kept).into_owned(),
            octets_left_out: left_out.len().try_into().unwrap_or(u64::MAX),
            exact: if std::str::from_utf8(kept).is_ok() { String::new() } else { hex() },
        }
    }

    /// The octets as they were, as far as they are kept.
    #[must_use]
    pub fn exact_octets(&self) -> Vec<u8> {
        let digit = |digits: &[u8]| {
            let text = std::str::from_utf8(digits).unwrap_or_default();
            u8::from_str_radix(text, 16).unwrap_or_default()
        };
        if self.exact.is_empty() {
            self.octets.clone().into_bytes()
        } else {
            self.exact.as_bytes().chunks(2).map(digit).collect()
        }
    }

    /// What a program that is the target has written to its standard error.
    pub const STANDARD_ERROR: &'static str = "standard error";

    /// Whether it is a request to a codec, or its answer: lines of JSON, to be read and copied as they are.
    #[must_use]
    pub fn is_line(&self) -> bool {
        self.party == "codec"
    }

    /// The same message with who of the suite's side sent or received it.
    #[must_use]
    pub fn of(self, party: impl Into<String>) -> Self {
        Self { party: party.into(), ..self }
    }
}

/// Which way a message went, seen from the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the suite to the target.
    Sent,
    /// From the target to the suite.
    Received,
}

/// The sum of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The counts.
    pub totals: Totals,
    /// The code that the program ends with, as far as the engine knows.
    pub exit: ExitCode,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::verdict::Cause;

    fn ntlm() -> Subject {
        Subject::new("NTLM", 4)
    }

    fn bare_ack() -> CaseFinished {
        CaseFinished {
            case: CaseId::new("3.3.5.1/bare-ack").unwrap(),
            subject: ntlm(),
            title: "a bare ACK is dropped".into(),
            requirements: vec!["SIPAE-3.3.5.1-03".into()],
            verdict: Verdict::Fail(Cause::Reaction),
            findings: vec![Finding {
                requirement: "SIPAE-3.3.5.1-03".into(),
                level: Level::MustNot,
                reconstructed: false,
                expected: "drop".into(),
                got: "challenge-401".into(),
                weight: Weight::Fail,
            }],
            exchange: vec![Exchanged::new(Direction::Sent, 1, "ACK", b"ACK sip:a@x SIP/2.0\r\n").of("alice")],
            reason: None,
            exchange_left_out: 0,
            signatures: vec![SignatureSeen {
                message: "last".into(),
                signer: "server".into(),
                version: 4,
                fields: vec![BufferField { name: "protocol".into(), value: "NTLM".into() }],
                outcome: "the signature does not verify".into(),
            }],
            generated: 0,
            fault: String::new(),
            script: None,
        }
    }

    fn stream() -> Vec<Event> {
        let mut events = vec![
            Event::RunStarted(RunStarted {
                program: "sipae".into(),
                version: "0.1.0".into(),
                seed: u64::MAX,
                target: "ref".into(),
                profile: None,
                script: None,
                arguments: Vec::new(),
                role: Role::Server,
                notes: vec!["timers run at 1:450 of the specification's durations".into()],
            }),
            Event::GateFinished(GateFinished {
                subject: ntlm().with_kind(407),
                outcome: GateOutcome::Open,
                offered: vec!["NTLM".into()],
                reason: None,
                notes: vec!["answers out of order".into()],
                exchange: Vec::new(),
            }),
            Event::CaseStarted(CaseStarted { case: bare_ack().case, subject: ntlm() }),
            Event::CaseFinished(bare_ack()),
        ];
        let totals = Totals::from_events(&events);
        let exit = ExitCode::from_events(&events);
        events.push(Event::RunFinished(RunFinished { totals, exit }));
        events
    }

    #[test]
    fn a_stream_is_read_back_as_written() {
        for event in stream() {
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
        }
    }

    #[test]
    fn an_event_is_one_object_named_by_its_event_field() {
        let written: Vec<Value> = stream().iter().map(|event| serde_json::to_value(event).unwrap()).collect();
        assert_eq!(
            written[1],
            json!({
                "event": "gate-finished", "scheme": "NTLM", "version": 4, "kind": 407, "outcome": "open",
                "offered": ["NTLM"], "notes": ["answers out of order"],
            })
        );
        assert_eq!(written[0]["seed"], "18446744073709551615");
        assert_eq!(written[3]["verdict"], json!({ "fail": "reaction" }));
        assert_eq!(written[3]["findings"][0]["level"], "MUST NOT");
        assert_eq!(written[4]["exit"], 1);
        assert_eq!(written[4]["totals"]["failed-requirements"]["must-not"], 1);
    }

    /// Streams are kept; one of version 0.1.0, before there were parties, kinds, notes and signatures.
    #[test]
    fn a_stream_of_an_earlier_program_is_read() {
        let text = include_str!("../tests/data/events-0.1.0.jsonl");
        let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let Some(Event::CaseFinished(case)) = events.get(3) else { panic!("{events:?}") };
        assert_eq!((case.subject.kind, case.signatures.len()), (None, 0));
        assert_eq!(case.exchange[0].party, "");
        assert_eq!(ExitCode::from_events(&events), ExitCode::Failed);
        for (event, line) in events.iter().zip(text.lines()) {
            assert_eq!(serde_json::to_string(event).unwrap(), line);
        }
    }

    #[test]
    fn a_long_message_is_cut_and_the_rest_counted() {
        let octets = vec![0xFF; Exchanged::MAX_OCTETS + 3];
        let message = Exchanged::new(Direction::Received, 1, "?", &octets);
        assert_eq!(message.octets.chars().count(), Exchanged::MAX_OCTETS);
        assert_eq!(message.octets_left_out, 3);
    }

    #[test]
    fn octets_that_are_no_text_are_kept_exactly() {
        let exact = |octets: &[u8]| Exchanged::new(Direction::Sent, 1, "?", octets).exact_octets();
        for octets in [&b"\xFF\x00A"[..], b"text", b""] {
            assert_eq!(exact(octets), octets);
        }
    }

    #[test]
    fn a_long_exchange_is_cut_and_the_rest_counted() {
        let mut case = bare_ack();
        for _ in 0..CaseFinished::MAX_EXCHANGE {
            case.push(Exchanged::new(Direction::Received, 1, "200", b""));
        }
        assert_eq!(case.exchange.len(), CaseFinished::MAX_EXCHANGE);
        assert_eq!(case.exchange_left_out, 1);
    }
}
