//! Runs against the reference server: right, defective, in another process.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sipae::defects::{Defect, Defects};
use sipae_conformance::cases;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::Target;
use sipae_events::{CaseFinished, Event, ExitCode, Verdict};

/// Runs and collects what was told.
pub(crate) fn collect(options: &RunOptions) -> (Vec<Event>, ExitCode) {
    let mut events = Vec::new();
    let exit = run(options, &mut |event| events.push(event.clone()));
    (events, exit)
}

pub(crate) fn finished(events: &[Event]) -> impl Iterator<Item = &CaseFinished> {
    events.iter().filter_map(|event| match event {
        Event::CaseFinished(case) => Some(case),
        _ => None,
    })
}

/// A case is left out only where its version has no meaning for it.
#[test]
fn the_reference_passes_every_case_at_every_version() {
    let (events, exit) = collect(&RunOptions::reference(1));
    for case in finished(&events) {
        let is_right = match case.verdict {
            Verdict::Pass => true,
            Verdict::Unsupported => !has_meaning(case),
            _ => false,
        };
        assert!(is_right, "{case:#?}");
    }
    assert_eq!(exit, ExitCode::Passed);
}

fn has_meaning(finished: &CaseFinished) -> bool {
    let case = cases::all().find(|case| case.id() == finished.case.as_str()).expect("a case");
    case.needs().versions.iter().any(|version| version.number() == finished.subject.version)
}

#[test]
fn the_event_stream_of_one_seed_is_always_the_same_whatever_runs_side_by_side() {
    let with = |seed, jobs| collect(&RunOptions { jobs, ..RunOptions::reference(seed) });
    assert_eq!(with(7, 1), with(7, 3));
    assert_ne!(with(7, 1), with(8, 1));
}

/// What a run against the reference with one defect came to.
struct Found {
    defect: Defect,
    exit: ExitCode,
    /// Case and row of every finding that the right reference does not have: what is written down of it as well is not
    /// red.
    red: BTreeSet<(String, String)>,
}

/// Every finding about the right reference: what rows ask to write down.
static RIGHT: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let (events, _) = collect(&RunOptions::reference(1));
    finished(&events).flat_map(told).map(|(text, ..)| text).collect()
});

/// Each finding of a case as a text, with case and row.
fn told(case: &CaseFinished) -> impl Iterator<Item = (String, String, String)> {
    case.findings.iter().map(|finding| {
        let (id, row) = (case.case.to_string(), finding.requirement.clone());
        (format!("{} {id} {row} {}", case.subject, finding.got), id, row)
    })
}

/// A run against each defect. Computed once: most of the time of these tests is here.
static FOUND: LazyLock<Vec<Found>> = LazyLock::new(|| {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(defect) = Defect::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push(found_of(*defect));
        }
        found
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    })
});

fn found_of(defect: Defect) -> Found {
    let target = Target::Reference { defects: Defects::only(defect) };
    let (events, exit) = collect(&RunOptions { target, ..RunOptions::reference(1) });
    let red = finished(&events).flat_map(told).filter(|(text, ..)| !RIGHT.contains(text));
    let red = red.map(|(_, case, row)| (case, row)).collect();
    Found { defect, exit, red }
}

/// Each defect turns a case of its own requirement red, at one version at least.
#[test]
fn every_defect_is_found_by_its_own_requirement() {
    let is_found = |found: &&Found| {
        let own = found.defect.requirement();
        let is_named = found.red.iter().any(|(_, row)| row == own);
        is_named && (found.exit != ExitCode::Passed || is_loose(found.defect))
    };
    let missed: Vec<_> = FOUND
        .iter()
        .filter(|found| !is_found(found))
        .map(|found| (found.defect.id(), found.defect.requirement(), found.exit, &found.red))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Whether the row of a defect fails nobody, so that its case turns loose and not red.
fn is_loose(defect: Defect) -> bool {
    let row = sipae_spec::Requirement::get(defect.requirement()).expect("a row");
    row.weight_when_broken() != sipae_spec::Weight::Fail || WEAK.contains(&defect.id())
}

/// Defects whose rows do not hold for every server, as their notes say: their cases are loose at most.
const WEAK: [&str; 2] = ["continuation-with-others", "negotiation-needs-epid"];

/// A case that has never been seen red is not a case, and a row that has never been broken is not judged.
#[test]
fn every_row_of_every_case_has_been_seen_red() {
    let red: BTreeSet<_> = FOUND.iter().flat_map(|found| found.red.iter().cloned()).collect();
    let rows = cases::all()
        .flat_map(|case| case.requirements().iter().map(|row| (case.id().to_owned(), (*row).to_owned())));
    let never: Vec<_> = rows.filter(|row| !red.contains(row)).collect();
    assert!(never.is_empty(), "{never:#?}");
}

/// A number that comes again is one breach, of one row: the signature over it is right.
#[test]
fn a_repeated_number_is_not_taken_for_a_wrong_signature() {
    let rows: BTreeSet<String> = found_of(Defect::SnumRepeats).red.into_iter().map(|(_, row)| row).collect();
    assert_eq!(rows, BTreeSet::from(["SIPAE-3.3.4.1-05".to_owned()]));
}
