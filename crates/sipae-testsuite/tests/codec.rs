//! Codecs under test: the reference passes, and wrong codecs are found by the rows that they break.

mod wrong;

use std::collections::BTreeSet;

use sipae_conformance::codec::{ReferenceCodec, cases};
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{CodecObjects, Target};
use sipae_events::{CaseFinished, Event, ExitCode, Verdict};
use sipae_spec::{Role, requirements};
use sipae_vectors::protocol::{Greeting, Reply, request};
use sipae_vectors::{Codec, golden};

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
fn the_reference_passes_every_case() {
    let (events, exit) = events(|| Box::new(ReferenceCodec));
    assert_eq!(exit, ExitCode::Passed);
    for (finished, case) in finished(&events).zip(cases()) {
        assert_eq!(finished.verdict, Verdict::Pass, "{}: {:?}", case.id(), finished.findings);
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
fn every_published_row_of_codecs_has_a_case_of_codecs() {
    let tested: BTreeSet<&str> = cases().iter().flat_map(|case| case.requirements().to_vec()).collect();
    for row in requirements().iter().filter(|row| row.role == Role::Codec) {
        let is_published = row.id.starts_with("SIPAE-");
        assert!(tested.contains(row.id) || !is_published, "{}", row.id);
    }
}

/// `docs/codec-protocol.schema.json` says what the lines of a codec and those of the suite are, and no others.
#[test]
fn the_schema_of_the_protocol_takes_its_lines_and_no_others() {
    let text = include_str!("../../../docs/codec-protocol.schema.json");
    let schema = serde_json::from_str(text).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let is_taken = |line: &[u8]| schema.is_valid(&serde_json::from_slice(line).expect("JSON"));
    let greeting = Greeting::new("a codec", Some(&["base16"]));
    assert!(is_taken(&serde_json::to_vec(&greeting).expect("JSON")));
    for vector in golden().iter().flat_map(|file| &file.vectors) {
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        request(7, &vector.operation, &mut asked).expect("JSON");
        let reply = Reply { id: 7, result: ReferenceCodec.answer(&vector.operation) };
        reply.write(&mut answered).expect("JSON");
        assert!(is_taken(&asked) && is_taken(&answered), "{}", vector.id);
    }
    for other in [
        r#"{"protocol":"another","version":1}"#,
        r#"{"protocol":"sipae-codec","version":2}"#,
        r#"{"id":1}"#,
        r#"{"id":"1","answer":{}}"#,
        r#"{"id":-1,"answer":{}}"#,
        r#"{"id":1,"answer":[]}"#,
        r#"{"id":1,"answer":{},"unsupported":"x"}"#,
        "{}",
    ] {
        assert!(!is_taken(other.as_bytes()), "{other}");
    }
}
