//! Generated cases: which property finds which planted bug, how soon, and how small what it tells is.
//!
//! The tests look at a part of it, and `cargo xtask properties` prints all.

use std::time::{Duration, Instant};

use sipae::defects::{Defect, Defects};
use sipae_conformance::Effort;
use sipae_conformance::cases;
use sipae_conformance::filter::Filter;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{Setting, Target};
use sipae_events::{CaseFinished, Event, Verdict};
use sipae_gen::ScriptFile;

/// What a property told of a defect.
pub(crate) struct Told {
    pub(crate) property: String,
    /// Its own steps: those of the ground, and what proves silence, not counted.
    pub(crate) steps: usize,
    pub(crate) generated: u64,
    pub(crate) took: Duration,
    pub(crate) rows: Vec<String>,
    /// What was expected and what came, and the conversation.
    pub(crate) text: String,
}

/// The generated cases.
pub(crate) fn properties() -> impl Iterator<Item = &'static str> {
    cases::all().filter(|case| case.is_generated()).map(|case| case.id())
}

/// What one property, or all of them, tell of a defect at these settings.
pub(crate) fn told(defect: Option<Defect>, property: &str, cases: u64, settings: &[Setting]) -> Vec<Told> {
    let shows =
        |setting: &Setting| defect.is_none_or(|defect| defect.schemes().contains(&setting.mode.scheme));
    let settings: Vec<Setting> = settings.iter().copied().filter(shows).collect();
    let defects = defect.map_or(Defects::NONE, Defects::only);
    let options = RunOptions {
        target: Target::Reference { defects },
        filter: Filter { ids: vec![property.to_owned()], ..Filter::default() },
        settings: Some(settings),
        effort: Effort { cases, ..Effort::default() },
        ..RunOptions::reference(1)
    };
    let (mut told, mut last) = (Vec::new(), Instant::now());
    run(&options, &mut |event| {
        if let Event::CaseFinished(case) = event {
            let is_open = defect.is_none() && case.verdict == Verdict::Inconclusive;
            if is_red(case) || is_open {
                told.push(found(case, last.elapsed()));
            }
            last = Instant::now();
        }
    });
    told
}

fn is_red(case: &CaseFinished) -> bool {
    case.verdict.is_fail() || case.verdict == Verdict::Loose
}

fn found(case: &CaseFinished, took: Duration) -> Told {
    let script = case.script.clone().map(|script| ScriptFile::from_value(script).expect("a script"));
    let steps = script.map_or(0, |file| file.script.steps.len());
    let rows = case.findings.iter().map(|finding| finding.requirement.clone());
    let script = case.script.clone().map(|script| ScriptFile::from_value(script).expect("a script"));
    let findings = case.findings.iter().map(|finding| format!("{} but {}", finding.expected, finding.got));
    let findings: Vec<String> = findings.collect();
    let text = format!(
        "{} {:?} {:?}\n{}",
        case.subject,
        case.reason,
        findings,
        script.map(|file| file.script.to_string()).unwrap_or_default()
    );
    Told {
        property: case.case.to_string(),
        steps,
        generated: case.generated,
        took,
        rows: rows.collect(),
        text,
    }
}
