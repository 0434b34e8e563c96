//! A run against a codec.

use std::time::Duration;

use sipae_events::{
    CaseFinished, Cause, Direction, Event, Exchanged, GateFinished, GateOutcome, Subject, Verdict,
};
use sipae_vectors::protocol::Greeting;
use sipae_vectors::{Operation, Refusal, Vector};

use super::asked::{Answered, Asked, OpenError};
use super::case::{Check, CodecCase, cases};
use super::judge::{Judge, Seen};
use super::property::{Property, Trials};
use crate::run::{RunOptions, Teller};

/// Vectors that are asked at once: enough to keep a pipe full, few enough to tell how far a run has come.
const BATCH: usize = 128;

/// How long the standard error of a codec is waited for, once in a run, at its first failure.
const READ: Duration = Duration::from_millis(20);

/// The cases of a run.
pub(crate) fn selected(options: &RunOptions) -> impl Iterator<Item = &'static CodecCase> {
    let filter = options.filter.clone();
    cases().iter().filter(move |case| {
        filter.selects_of(&[case.id(), case.operation()], case.requirements(), case.role())
            && filter.selects_scheme(case.scheme())
    })
}

/// Puts every selected case to a codec that has been reached, or not.
pub(crate) fn run(options: &RunOptions, opened: Result<Box<dyn Asked>, OpenError>, teller: &mut Teller<'_>) {
    let chosen: Vec<&'static CodecCase> = selected(options).collect();
    let (reason, offered, notes) = match &opened {
        Err(error) => (Some(format!("the codec {error}")), Vec::new(), Vec::new()),
        Ok(codec) => {
            let greeting = codec.greeting();
            (None, greeting.operations.clone().unwrap_or_default(), notes(greeting))
        }
    };
    let exchange = complaints(&opened).into_iter().collect();
    teller.tell(&Event::GateFinished(GateFinished { offered, notes, exchange, ..gate(reason.clone()) }));
    match opened {
        Err(_) => {
            for case in chosen {
                teller.case(judge(options, case).verdict(Verdict::Blocked, reason.clone()));
            }
        }
        Ok(mut codec) => cases_of(options, &chosen, codec.as_mut(), teller),
    }
}

/// The gate of a codec: open, or closed for a reason.
fn gate(reason: Option<String>) -> GateFinished {
    let outcome = if reason.is_none() { GateOutcome::Open } else { GateOutcome::Failed };
    let (offered, notes, exchange) = (Vec::new(), Vec::new(), Vec::new());
    GateFinished { subject: Subject::of_codec("codec"), outcome, offered, reason, notes, exchange }
}

/// What a codec that cannot be asked has written to its standard error.
fn complaints(opened: &Result<Box<dyn Asked>, OpenError>) -> Option<Exchanged> {
    let name = Exchanged::STANDARD_ERROR;
    match opened {
        Err(OpenError::Program { complaints, .. }) if !complaints.is_empty() => Some(
            Exchanged::new(Direction::Received, 1, "before its greeting", complaints.as_bytes()).of(name),
        ),
        _ => None,
    }
}

/// What a reader has to know of a codec. A name that is not known may be one of a newer version, or misspelled.
fn notes(greeting: &Greeting) -> Vec<String> {
    let unknown: Vec<&str> = greeting.unknown().collect();
    let unknown =
        (!unknown.is_empty()).then(|| format!("operations that are not known: {}", unknown.join(", ")));
    greeting.program.clone().into_iter().chain(unknown).collect()
}

fn judge<'c>(options: &RunOptions, case: &'c CodecCase) -> Judge<'c> {
    let claimed = options.profile.operations.as_ref();
    let is_claimed = claimed.is_some_and(|claimed| claimed.iter().any(|op| op == case.operation()));
    Judge { case, strict: options.strict, is_claimed }
}

/// A codec, and what it has complained about so far: each complaint is told once, with the next failure.
struct Heard<'c> {
    codec: &'c mut dyn Asked,
    told: String,
    has_failed: bool,
    is_lost: bool,
}

impl Heard<'_> {
    /// A codec that is lost closes the gate behind which the others stand, once.
    fn lost(&mut self, answered: &Answered, teller: &mut Teller<'_>) {
        if let Answered::NotAsked(reason) = answered
            && !std::mem::replace(&mut self.is_lost, true)
        {
            teller.tell(&Event::GateFinished(gate(Some(reason.clone()))));
        }
    }

    fn with_complaints(&mut self, mut case: CaseFinished) -> CaseFinished {
        let is_answered = matches!(case.verdict, Verdict::Fail(Cause::Reaction) | Verdict::Loose);
        if !is_answered {
            return case;
        }
        if !std::mem::replace(&mut self.has_failed, true) {
            // What was written before an answer is read in another thread.
            std::thread::sleep(READ);
        }
        let complaints = self.codec.complaints();
        if !complaints.is_empty() && complaints != self.told {
            let name = Exchanged::STANDARD_ERROR;
            case.push(Exchanged::new(Direction::Received, 1, "until then", complaints.as_bytes()).of(name));
            self.told = complaints;
        }
        case
    }
}

fn cases_of(
    options: &RunOptions,
    chosen: &[&'static CodecCase],
    codec: &mut dyn Asked,
    teller: &mut Teller<'_>,
) {
    let codec = &mut Heard { codec, told: String::new(), has_failed: false, is_lost: false };
    for batch in chosen.chunks(BATCH) {
        vectors(options, batch, codec, teller);
        for case in batch {
            if let Check::Generated(property) = case.check() {
                let seen = generated(options, case, property, codec.codec);
                codec.lost(&seen.answered, teller);
                teller.case(codec.with_complaints(judge(options, case).finished(&seen)));
            }
        }
    }
}

/// The vectors of a batch, asked all at once.
fn vectors(
    options: &RunOptions,
    batch: &[&'static CodecCase],
    heard: &mut Heard<'_>,
    teller: &mut Teller<'_>,
) {
    let codec = &mut *heard.codec;
    let vectors: Vec<(&CodecCase, &Vector)> = batch
        .iter()
        .filter_map(|case| match case.check() {
            Check::Vector(vector) => Some((*case, vector)),
            Check::Generated(_) => None,
        })
        .collect();
    let asked: Vec<&Operation> = vectors
        .iter()
        .map(|(_, vector)| &vector.operation)
        .filter(|operation| codec.greeting().offers(operation.name()))
        .collect();
    let mut answers = codec.ask(&asked).into_iter();
    for (case, vector) in vectors {
        let judge = judge(options, case);
        let answered = if heard.codec.greeting().offers(vector.operation.name()) {
            answers.next().unwrap_or_else(|| Answered::NotAsked("there was no answer".to_owned()))
        } else {
            not_offered(&vector.operation)
        };
        let outcome = match &answered {
            Answered::Replied(result) => Some(vector.judge(result)),
            _ => None,
        };
        let request = serde_json::to_string(&vector.operation).unwrap_or_default();
        heard.lost(&answered, teller);
        let finished = judge.finished(&Seen { request, answered, outcome });
        teller.case(heard.with_complaints(finished));
    }
}

/// What a codec would say of an operation that its greeting leaves out.
fn not_offered(operation: &Operation) -> Answered {
    let reason = format!("{} is not among the operations of the greeting", operation.name());
    Answered::Replied(Err(Refusal::Unsupported(reason)))
}

fn generated(options: &RunOptions, case: &CodecCase, property: &Property, codec: &mut dyn Asked) -> Seen {
    let trials = Trials { seed: options.seed_of_case(case.id()), budget: property.budget };
    trials.run(property, codec)
}
