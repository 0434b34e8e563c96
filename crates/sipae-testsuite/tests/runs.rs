//! Runs against the reference server: right, defective, in another process.

use std::collections::BTreeSet;
use std::sync::Arc;

use sipae::defects::Defect;
use sipae_conformance::Effort;
use sipae_conformance::cases;
use sipae_conformance::client;
use sipae_conformance::filter::Filter;
use sipae_conformance::profile::{DigestPlace, Profile};
use sipae_conformance::run::RunOptions;
use sipae_conformance::target::Target;
use sipae_events::{CaseFinished, Event, ExitCode, Verdict};

use crate::red::{DIGEST_SETTING, FAINT, FOUND, REFERENCE, collect, finished, looked_for, never_red};

/// A case is left out only where its version has no meaning for it.
#[test]
fn the_reference_passes_every_case_at_every_version() {
    let (events, exit) = &*REFERENCE;
    for case in finished(events) {
        let is_right = match case.verdict {
            Verdict::Pass => true,
            Verdict::Unsupported => !has_meaning(case),
            _ => false,
        };
        assert!(is_right, "{case:#?}");
    }
    assert_eq!(*exit, ExitCode::Passed);
}

/// The same of the client, whoever is its server.
#[test]
fn the_reference_client_passes_every_case_at_every_version() {
    let options = RunOptions { target: Target::REFERENCE_CLIENT, jobs: 2, ..RunOptions::reference(1) };
    let (events, exit) = collect(&options);
    for finished in finished(&events) {
        let case = client::cases::all().iter().find(|case| case.id() == finished.case.as_str());
        let versions = case.map(|case| case.needs().versions.as_slice()).unwrap_or_default();
        let has_meaning = versions.iter().any(|version| version.number() == finished.subject.version);
        let is_right = match finished.verdict {
            Verdict::Pass => true,
            Verdict::Unsupported => !has_meaning,
            _ => false,
        };
        assert!(is_right, "{finished:#?}");
    }
    assert_eq!(exit, ExitCode::Passed);
}

fn has_meaning(finished: &CaseFinished) -> bool {
    let case = cases::all().find(|case| case.id() == finished.case.as_str());
    let versions = case.map(|case| case.needs().versions.as_slice()).unwrap_or_default();
    versions.iter().any(|version| version.number() == finished.subject.version)
}

#[test]
fn the_event_stream_of_one_seed_is_always_the_same_whatever_runs_side_by_side() {
    // A TLS library draws its own randomness.
    let schemes = ["NTLM", "Kerberos", "Digest"].map(str::to_owned).to_vec();
    let filter = Filter { schemes, ..Filter::default() };
    // A client to which every scheme is offered takes TLS-DSK.
    let without_offers = ["3.1", "3.2.4", "3.2.5.2", "3.2.6"].map(str::to_owned).to_vec();
    let of_client = Filter { sections: without_offers, ..filter.clone() };
    for (target, filter) in [(Target::REFERENCE, filter), (Target::REFERENCE_CLIENT, of_client)] {
        let with = |seed, jobs| {
            let (target, filter) = (target.clone(), filter.clone());
            let effort = Effort { cases: 10, ..Effort::default() };
            collect(&RunOptions { target, jobs, filter, effort, ..RunOptions::reference(seed) })
        };
        let alone = with(7, 1);
        assert_eq!(alone, with(7, 3));
        assert_ne!(alone, with(8, 1));
    }
}

/// The key is tried once, and what came of it is told in one line.
#[test]
fn a_wrong_conference_key_closes_the_gate_of_digest() {
    let mut profile = Profile::of_reference();
    let Some(DigestPlace::Conference(conference)) = &mut profile.digest else { panic!("no conference") };
    conference.key = "guess".to_owned();
    let options = RunOptions::reference(1);
    let options = RunOptions { profile: Arc::new(profile), settings: Some(vec![DIGEST_SETTING]), ..options };
    let (events, exit) = collect(&options);
    let gates = events.iter().filter_map(|event| match event {
        Event::GateFinished(gate) => Some((gate.subject.to_string(), gate.reason.as_deref())),
        _ => None,
    });
    let conference = "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:TEST0001";
    let reason = format!(
        "the server does not accept the key of {conference}: 401 with a fresh Digest challenge and no reason"
    );
    assert_eq!(gates.collect::<Vec<_>>(), [("Digest".to_owned(), Some(reason.as_str()))]);
    assert!(finished(&events).all(|case| case.verdict != Verdict::Fail(sipae_events::Cause::Reaction)));
    assert_eq!(exit, ExitCode::Blocked);
}

/// Each defect turns a case of its own requirement red, at one version at least.
#[test]
fn every_defect_is_found_by_its_own_requirement() {
    let missed: Vec<_> = FOUND
        .iter()
        .filter(|found| !found.is_found())
        .map(|found| (found.defect.id(), found.defect.requirement(), found.exit, &found.red))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// A case that has never been seen red is not a case, and a row that has never been broken is not judged.
#[test]
fn every_row_of_every_case_has_been_seen_red() {
    let never = never_red();
    assert!(never.is_empty(), "{never:#?}");
}

/// What is listed as saying less and says all would hide that it says less one day.
#[test]
fn what_says_less_than_its_row_is_listed_only_where_it_does() {
    let red: BTreeSet<(&str, &str)> =
        FOUND.iter().flat_map(|found| &found.red).map(|(case, row)| (case.as_str(), row.as_str())).collect();
    let stale: Vec<_> = FAINT.iter().filter(|listed| red.contains(listed)).collect();
    assert!(stale.is_empty(), "{stale:#?}");
}

/// A number that comes again is one breach, of one row: the signature over it is right.
#[test]
fn a_repeated_number_is_not_taken_for_a_wrong_signature() {
    let rows: BTreeSet<String> =
        looked_for(Defect::SnumRepeats, &None).red.into_iter().map(|(_, row)| row).collect();
    assert_eq!(rows, BTreeSet::from(["SIPAE-3.3.4.1-05".to_owned()]));
}
