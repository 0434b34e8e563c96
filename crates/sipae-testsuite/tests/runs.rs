//! Runs against the reference server: right, defective, in another process.

use std::collections::BTreeSet;

use sipae::defects::{Defect, Defects};
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

#[test]
fn the_reference_passes_every_case_at_every_version() {
    let (events, exit) = collect(&RunOptions::reference(1));
    for case in finished(&events) {
        let is_right = match case.verdict {
            Verdict::Pass => true,
            Verdict::Unsupported => {
                case.case.as_str() == "3.3.5.2/completion-must-be-signed" && case.subject.version != 4
            }
            _ => false,
        };
        assert!(is_right, "{case:#?}");
    }
    assert_eq!(exit, ExitCode::Passed);
}

#[test]
fn the_event_stream_of_one_seed_is_always_the_same() {
    assert_eq!(collect(&RunOptions::reference(7)), collect(&RunOptions::reference(7)));
    assert_ne!(collect(&RunOptions::reference(7)), collect(&RunOptions::reference(8)));
}

/// Each defect turns a case of its own requirement red, at one version at least.
#[test]
fn every_defect_is_found_by_its_own_requirement() {
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let target = Target::Reference { defects: Defects::only(*defect) };
        let (events, exit) = collect(&RunOptions { target, ..RunOptions::reference(1) });
        let found = finished(&events)
            .flat_map(|case| &case.findings)
            .any(|finding| finding.requirement == defect.requirement());
        if !found || exit == ExitCode::Passed && !is_loose(*defect) {
            missed.push((defect.id(), exit, events.len()));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// Whether the row of a defect fails nobody, so that its case turns loose and not red.
fn is_loose(defect: Defect) -> bool {
    let row = sipae_spec::Requirement::get(defect.requirement()).expect("a row");
    row.weight_when_broken() != sipae_spec::Weight::Fail
}

/// A case that has never been seen red is not a case, and a row that has never been broken is not judged.
#[test]
fn every_row_of_every_case_has_been_seen_red() {
    let mut red = BTreeSet::new();
    for defect in Defect::ALL {
        let target = Target::Reference { defects: Defects::only(*defect) };
        let (events, _) = collect(&RunOptions { target, ..RunOptions::reference(1) });
        for case in finished(&events) {
            let rows = case.findings.iter().map(|finding| finding.requirement.clone());
            red.extend(rows.map(|row| (case.case.to_string(), row)));
        }
    }
    let rows = sipae_conformance::cases::all()
        .flat_map(|case| case.requirements().iter().map(|row| (case.id().to_owned(), (*row).to_owned())));
    let never: Vec<_> = rows.filter(|row| !red.contains(row)).collect();
    assert!(never.is_empty(), "{never:?}");
}

/// A number that comes again is one breach, of one row: the signature over it is right.
#[test]
fn a_repeated_number_is_not_taken_for_a_wrong_signature() {
    let target = Target::Reference { defects: Defects::only(Defect::SnumRepeats) };
    let (events, _) = collect(&RunOptions { target, ..RunOptions::reference(1) });
    let rows: BTreeSet<String> = finished(&events)
        .flat_map(|case| &case.findings)
        .map(|finding| finding.requirement.clone())
        .collect();
    assert_eq!(rows, BTreeSet::from(["SIPAE-3.3.4.1-05".to_owned()]));
}
