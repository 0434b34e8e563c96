//! Events for the tests of the reports.

use serde_json::json;
use sipae_events::{
    BufferField, CaseFinished, CaseId, Cause, Direction, Event, Exchanged, ExitCode, Finding, GateFinished,
    GateOutcome, RunFinished, RunStarted, SignatureSeen, Subject, Tally, Verdict,
};
use sipae_spec::{Level, Role, Weight};

/// A known MUST of the catalogue.
pub(crate) const MUST: &str = "SIPAE-3.3.5.1-03";
pub(crate) const FAIL: Verdict = Verdict::Fail(Cause::Reaction);

pub(crate) fn finding(requirement: &str, got: &str) -> Finding {
    Finding {
        requirement: requirement.to_owned(),
        level: Level::Must,
        reconstructed: false,
        expected: "ack: drop".to_owned(),
        got: got.to_owned(),
        weight: Weight::Fail,
    }
}

/// A case that found nothing.
pub(crate) fn case(version: u32, verdict: Verdict) -> CaseFinished {
    CaseFinished {
        case: CaseId::new("3.3.5.1/bare-ack").unwrap(),
        subject: Subject::new("NTLM", version),
        title: "a bare ACK is dropped".to_owned(),
        requirements: vec![MUST.to_owned()],
        verdict,
        findings: Vec::new(),
        reason: None,
        exchange: vec![Exchanged::new(Direction::Sent, 1, "ACK", b"ACK sip:a@x SIP/2.0\r\nVia: x\r\n")],
        exchange_left_out: 0,
        signatures: Vec::new(),
        generated: 0,
        fault: String::new(),
        script: None,
    }
}

/// An open gate.
pub(crate) fn gate(version: u32) -> GateFinished {
    GateFinished {
        subject: Subject::new("NTLM", version),
        outcome: GateOutcome::Open,
        offered: vec!["NTLM".to_owned()],
        reason: None,
        notes: Vec::new(),
        exchange: Vec::new(),
    }
}

/// A signature buffer with an empty field.
pub(crate) fn signature() -> SignatureSeen {
    let fields = [
        ("protocol", "NTLM"),
        ("Call-ID", "f81d4fae"),
        ("From URI", "sip:alice@contoso.com"),
        ("To tag", ""),
    ];
    let field = |(name, value): (&str, &str)| BufferField { name: name.to_owned(), value: value.to_owned() };
    SignatureSeen {
        message: "invite".to_owned(),
        signer: "server".to_owned(),
        version: 4,
        fields: fields.map(field).to_vec(),
        outcome: "does not verify".to_owned(),
    }
}

/// Two parties, two findings of one row and one of another, a signature that does not verify, a script.
pub(crate) fn whole_case() -> CaseFinished {
    let message = |direction, party: &str, connection, text: &str| {
        Exchanged::new(direction, connection, "first try", text.as_bytes()).of(party)
    };
    let (sent, received) = (Direction::Sent, Direction::Received);
    let other = Finding { requirement: "SIPAE-3.3.5.1-01".to_owned(), ..finding(MUST, "200\r\n") };
    CaseFinished {
        findings: vec![finding(MUST, "401"), finding(MUST, "200 with a signature"), other],
        reason: Some("it came twice".to_owned()),
        exchange: vec![
            message(sent, "alice", 1, "INVITE sip:bob@contoso.com SIP/2.0\r\nVia: x\r\n\r\n"),
            message(received, "bob", 2, "INVITE sip:bob@192.0.2.1 SIP/2.0\r\nVia: x\n\r\n"),
            message(sent, "bob", 2, "SIP/2.0 200 OK\r\n\r\n"),
            Exchanged::new(received, 1, "", b"SIP/2.0 200 O\xff\r\n\r\n").of("alice"),
        ],
        exchange_left_out: 2,
        signatures: vec![signature()],
        script: Some(json!({ "case": "3.3.5.1/bare-ack", "steps": [{ "send": "ACK" }], "checks": [1, 2] })),
        ..case(4, FAIL)
    }
}

/// The beginning of a run.
pub(crate) fn started() -> RunStarted {
    RunStarted {
        program: "sipae".to_owned(),
        version: "0.1.0".to_owned(),
        seed: 7,
        target: "tcp://127.0.0.1:5060".to_owned(),
        profile: Some("p.toml".to_owned()),
        script: None,
        arguments: vec!["--strict".to_owned()],
        role: Role::Server,
        notes: vec!["timers run at 1:450 of the specification's durations".to_owned()],
    }
}

/// A whole run with these events in its middle.
pub(crate) fn run(middle: Vec<Event>) -> Vec<Event> {
    let mut events = vec![Event::RunStarted(started())];
    events.extend(middle);
    let tally: Tally = events.iter().collect();
    events.push(Event::RunFinished(RunFinished {
        totals: tally.totals(),
        exit: ExitCode::from_events(&events),
    }));
    events
}
