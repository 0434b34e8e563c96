//! Events for the tests of the reports.

use sipae_events::{
    CaseFinished, CaseId, Cause, Direction, Event, Exchanged, ExitCode, Finding, GateFinished, GateOutcome,
    RunFinished, RunStarted, Subject, Tally, Verdict,
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

/// A whole run with these events in its middle.
pub(crate) fn run(middle: Vec<Event>) -> Vec<Event> {
    let mut events = vec![Event::RunStarted(RunStarted {
        program: "sipae".to_owned(),
        version: "0.1.0".to_owned(),
        seed: 7,
        target: "tcp://127.0.0.1:5060".to_owned(),
        profile: Some("p.toml".to_owned()),
        arguments: vec!["--strict".to_owned()],
        role: Role::Server,
        notes: vec!["timers run at 1:450 of the specification's durations".to_owned()],
    })];
    events.extend(middle);
    let tally: Tally = events.iter().collect();
    events.push(Event::RunFinished(RunFinished {
        totals: tally.totals(),
        exit: ExitCode::from_events(&events),
    }));
    events
}
