//! What a run has told of a planted bug, played again from its script alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use rstest::rstest;
use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::{Defect, Defects};
use sipae::version::Version;
use sipae_conformance::Effort;
use sipae_conformance::filter::Filter;
use sipae_conformance::profile::Profile;
use sipae_conformance::replay::File;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{Mode, Setting, Target};
use sipae_events::{CaseFinished, Event, Verdict};
use sipae_gen::ScriptFile;

const NEWEST: Setting =
    Setting { mode: Mode { scheme: Scheme::Ntlm, version: Version::V4 }, kind: Some(ChallengeKind::Www) };

fn defective(defect: Defect) -> RunOptions {
    let target = Target::Reference { defects: Defects::only(defect) };
    RunOptions { target, settings: Some(vec![NEWEST]), ..RunOptions::reference(1) }
}

/// The cases that do not pass, with their scripts.
fn told(options: &RunOptions, ids: &[&str]) -> Vec<CaseFinished> {
    let ids = ids.iter().map(ToString::to_string).collect();
    let options = RunOptions { filter: Filter { ids, ..Filter::default() }, ..options.clone() };
    let mut told = Vec::new();
    run(&options, &mut |event| told.extend(finished(event).filter(|case| case.script.is_some()).cloned()));
    told
}

fn finished(event: &Event) -> Option<&CaseFinished> {
    match event {
        Event::CaseFinished(case) => Some(case),
        _ => None,
    }
}

/// The same case from its file.
fn again(file: &File, options: &RunOptions) -> CaseFinished {
    let mut told = None;
    file.run(options, &mut |event| told = finished(event).cloned().or_else(|| told.take()));
    told.expect("a case")
}

fn rows(case: &CaseFinished) -> BTreeSet<&str> {
    case.findings.iter().map(|finding| finding.requirement.as_str()).collect()
}

/// Faults, harm that is done to what comes later, readings, numbers, deliveries, and a case that is written down.
#[test]
fn a_stored_failure_fails_again_and_passes_at_a_right_target() {
    let defects = [
        (Defect::AcceptsForgedSignature, "3.3.5.3/any-"),
        (Defect::ForgeryEndsAssociation, "3.3.5.3/any-"),
        (Defect::ComparesSignatureText, "2.2/any-"),
        (Defect::AcceptsReplay, "3.1.1/any-"),
        (Defect::DeliversReplay, "3.3.5.3/any-"),
        (Defect::ChallengesAck, "3.3.5.1/"),
    ];
    for (defect, ids) in defects {
        fails_again_and_passes_at_a_right_target(defect, &defective(defect), ids);
    }
}

fn fails_again_and_passes_at_a_right_target(defect: Defect, options: &RunOptions, ids: &str) {
    let cases = told(options, &[ids]);
    assert!(!cases.is_empty(), "{defect}: nothing was found");
    for case in cases {
        let script = ScriptFile::from_value(case.script.clone().expect("a script")).expect("a script");
        let text = script.write();
        let file = File::read(&text).expect("a file");
        let replayed = again(&file, options);
        assert_eq!(
            (replayed.verdict.is_fail(), rows(&replayed)),
            (case.verdict.is_fail(), rows(&case)),
            "{defect}, {}: {:?}\n{text}",
            case.case,
            replayed.reason
        );
        let profile = Arc::new(Profile::of_reference());
        let right = file.check(&Target::REFERENCE, &profile);
        assert!(right.is_ok(), "{defect}, {}: {right:?}\n{text}", case.case);
    }
}

/// A model has judged it; its checks say the same without one.
#[rstest]
fn a_stored_sequence_fails_again_by_the_rows_that_the_run_has_told(
    #[values(
        Defect::DeliversReplay,
        Defect::OneWindowForAll,
        Defect::BareUnregisters,
        Defect::BareEndsAssociation,
        Defect::FirstTokenEndsAssociation,
        Defect::AcceptsUnknownOpaque,
        Defect::AcceptsUnsignedInAssociation,
        Defect::DeliversToUnregistered,
        Defect::FindsByEndpoint,
        Defect::KeepsFirstAssociation,
        Defect::KeysOnOpaque,
        Defect::RenegotiatesAssociation,
        Defect::ServesAnyEndpoint
    )]
    defect: Defect,
) {
    let effort = Effort { cases: 500, ..Effort::default() };
    let options = RunOptions { effort, ..defective(defect) };
    fails_again_and_passes_at_a_right_target(defect, &options, "3.3.1/any-sequence");
}

/// It was written by version 0.1.0: whatever comes later reads it, and judges it so.
#[test]
fn a_file_of_an_earlier_version_is_judged_as_it_was() {
    let file = File::read(include_str!("data/forged-signature.json")).expect("a file");
    let replayed = again(&file, &defective(Defect::AcceptsForgedSignature));
    assert!(replayed.verdict.is_fail(), "{replayed:?}");
    assert_eq!(rows(&replayed), BTreeSet::from(["SIPAE-3.3.5.3-04"]));
    assert_eq!(again(&file, &RunOptions::reference(1)).verdict, Verdict::Pass);
}
