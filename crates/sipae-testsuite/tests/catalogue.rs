//! Cases against the catalogue: no case without a requirement, no requirement without a case or a written reason.

use std::collections::BTreeSet;

use sipae::auth::Scheme;
use sipae::defects::Defect;
use sipae::side::Side;
use sipae::version::Version;
use sipae_conformance::case::Case;
use sipae_conformance::cases;
use sipae_conformance::client;
use sipae_conformance::target::Mode;
use sipae_spec::{Coverage, Diagnostic, Requirement, Role, coverage, requirements};

#[test]
fn every_case_has_an_id_of_its_own_and_rows_of_the_catalogue() {
    let mut ids = BTreeSet::new();
    for case in cases::all() {
        assert!(ids.insert(case.id()), "{}", case.id());
        assert!(!case.requirements().is_empty(), "{}", case.id());
        for id in case.requirements() {
            let row = Requirement::get(id).unwrap_or_else(|| panic!("{}: no row {id}", case.id()));
            assert_ne!(row.role, Role::Client, "{}: {id} is a row of clients", case.id());
        }
    }
    assert!(12 <= ids.len());
}

#[test]
fn every_case_of_clients_has_an_id_of_its_own_and_rows_of_the_catalogue() {
    let mut ids: BTreeSet<&str> = cases::all().map(Case::id).collect();
    for case in client::cases::all() {
        assert!(ids.insert(case.id()), "{}", case.id());
        assert!(!case.requirements().is_empty(), "{}", case.id());
        for id in case.requirements() {
            assert!(Requirement::get(id).is_some(), "{}: no row {id}", case.id());
        }
    }
}

/// What stands in braces like a reference, and is none, was meant to be one.
#[test]
fn no_script_for_clients_has_a_reference_that_stands_for_nothing() {
    for case in client::cases::all() {
        for scheme in Scheme::ALL {
            let service = case.service(Mode { scheme, version: Version::V4 });
            let written = serde_json::to_string(&service).expect("a script");
            assert!(!written.contains("\"literal\""), "{}: {written}", case.id());
        }
    }
}

/// The file of a case is its section's, and its id begins with it.
#[test]
fn the_id_of_a_case_begins_with_the_section_of_one_of_its_rows() {
    for case in cases::all() {
        let section = case.id().split('/').next().expect("a section");
        let rows = case.requirements().iter().filter_map(|id| Requirement::get(id));
        assert!(rows.map(Requirement::section_number).any(|number| number == section), "{}", case.id());
    }
}

#[test]
fn every_requirement_has_a_case_or_a_written_reason() {
    for row in requirements() {
        let judging = cases::all().filter(|case| case.requirements().contains(&row.id)).map(Case::id);
        assert!(!matches!(coverage(row, judging), Coverage::Open), "{}", row.id);
    }
}

#[test]
fn every_defect_names_a_row_that_some_case_judges() {
    for defect in Defect::ALL {
        let row = defect.requirement();
        let judged = match defect.side() {
            Side::Server => cases::all().any(|case| case.requirements().contains(&row)),
            Side::Client => client::cases::all().iter().any(|case| case.requirements().contains(&row)),
        };
        assert!(judged, "{}: {}", defect.id(), defect.requirement());
    }
}

#[test]
fn every_diagnostic_that_names_a_row_names_one_that_exists() {
    for diagnostic in Diagnostic::ALL.iter().filter(|diagnostic| diagnostic.rule().starts_with("SIPAE-")) {
        assert!(Requirement::get(diagnostic.rule()).is_some(), "{}", diagnostic.id());
    }
}

/// A gate report is what a run shows first, so its reasons fit one line.
#[test]
fn an_open_gate_has_no_reason() {
    let gates = crate::red::REFERENCE.0.iter().filter_map(|event| match event {
        sipae_events::Event::GateFinished(gate) => Some(gate),
        _ => None,
    });
    for gate in gates {
        assert_eq!((gate.reason.as_deref(), gate.offered.contains(&gate.subject.scheme)), (None, true));
    }
}
