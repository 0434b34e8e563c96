//! Codecs under test: the reference passes, and wrong codecs are found by the rows that they break.

mod wrong;

use std::collections::BTreeSet;

use sipae_conformance::codec::{ReferenceCodec, cases};
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{CodecObjects, Target};
use sipae_events::{CaseFinished, Event, ExitCode, Verdict};
use sipae_spec::{Requirement, Role, requirements};
use sipae_vectors::{Codec, Operation};

fn events(codec: impl Fn() -> Box<dyn Codec + Send> + Send + Sync + 'static) -> (Vec<Event>, ExitCode) {
    let target = Target::CodecObject(CodecObjects::new("a codec", codec));
    let options = RunOptions { target, ..RunOptions::reference(1) };
    let mut events = Vec::new();
    let exit = run(&options, &mut |event| events.push(event.clone()));
    (events, exit)
}

fn finished(events: &[Event]) -> impl Iterator<Item = &CaseFinished> {
    events.iter().filter_map(|event| match event {
        Event::CaseFinished(case) => Some(case),
        _ => None,
    })
}

#[test]
fn the_reference_passes_every_case_of_what_is_built() {
    let (events, exit) = events(|| Box::new(ReferenceCodec));
    assert_eq!(exit, ExitCode::Passed);
    let not_built: BTreeSet<&str> =
        Operation::TABLE.iter().filter(|(_, scheme)| scheme.is_some()).map(|(op, _)| *op).collect();
    for (finished, case) in finished(&events).zip(cases()) {
        let expected =
            if not_built.contains(case.operation()) { Verdict::Unsupported } else { Verdict::Pass };
        assert_eq!(finished.verdict, expected, "{}: {:?}", case.id(), finished.findings);
    }
}

#[test]
fn a_run_with_the_same_seed_is_the_same_run() {
    let first = events(|| Box::new(wrong::codec("tag in a URI")));
    assert_eq!(first, events(|| Box::new(wrong::codec("tag in a URI"))));
}

/// A wrong codec is found by its row, and by rows that say the same from another side; no other row is blamed.
#[test]
fn each_wrong_codec_is_found_by_the_row_that_it_breaks() {
    let mut problems = Vec::new();
    for wrong in wrong::CODECS {
        let (events, _) = events(|| Box::new(wrong::codec(wrong.name)));
        let found: BTreeSet<String> = finished(&events)
            .flat_map(|case| &case.findings)
            .map(|finding| finding.requirement.trim_start_matches("SIPAE-").to_owned())
            .collect();
        let allowed: BTreeSet<String> =
            [wrong.row].iter().chain(wrong.beside).map(|row| (*row).to_owned()).collect();
        if !found.contains(wrong.row) || !found.is_subset(&allowed) {
            problems.push(format!("{}: {} is broken, found {found:?}", wrong.name, wrong.row));
        }
    }
    assert!(15 <= wrong::CODECS.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A counterexample says what differs, and was made small.
#[test]
fn a_generated_counterexample_is_small_and_shown_side_by_side() {
    let (events, exit) = events(|| Box::new(wrong::codec("tag in a URI")));
    assert_eq!(exit, ExitCode::Passed, "the row is reconstructed: loose");
    let case = finished(&events).find(|case| case.case.as_str() == "2.2/generated/buffer-tags").expect("ran");
    assert_eq!(case.verdict, Verdict::Loose);
    let finding = case.findings.first().expect("a finding");
    assert!(finding.expected.contains("buffers.4: ") && finding.got.contains("buffers.4: "), "{finding:?}");
    let request = &case.exchange.first().expect("the request").octets;
    assert_eq!(request.matches(";tag=inside").count(), 1, "{request}");
    assert!(!request.contains("\\\"Alice"), "{request}");
}

#[test]
fn every_row_of_codecs_has_a_case_of_codecs_or_a_written_reason() {
    let tested: BTreeSet<&str> = cases().iter().flat_map(|case| case.requirements().to_vec()).collect();
    for row in requirements().iter().filter(|row| row.role == Role::Codec) {
        assert!(tested.contains(row.id) || row.reason().is_some(), "{}", row.id);
    }
}

#[test]
fn a_reason_stands_for_few_rows_of_codecs() {
    let tested: BTreeSet<&str> = cases().iter().flat_map(|case| case.requirements().to_vec()).collect();
    let open = |row: &&Requirement| {
        row.role == Role::Codec && row.id.starts_with("SIPAE-") && !tested.contains(row.id)
    };
    let open: Vec<&str> = requirements().iter().filter(open).map(|row| row.id).collect();
    assert_eq!(open, ["SIPAE-2.2-26"]);
}
