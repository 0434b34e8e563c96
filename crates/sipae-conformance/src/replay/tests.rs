use rstest::rstest;
use sipae::auth::Scheme;
use sipae::version::Version;
use sipae_gen::{Check, Expect, Handshake, Party, Script};

use super::*;

const NTLM: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };
const ROW: &str = "SIPAE-3.3.5.1-01";

/// A REGISTER without credentials, and what has to become of it.
fn bare(expect: Expect) -> ScriptFile {
    ScriptFile {
        program: String::new(),
        case: String::new(),
        title: "a bare request is challenged".to_owned(),
        requirements: Vec::new(),
        mode: NTLM,
        kind: Some(407),
        seed: 7,
        script: cases::bare(Script::connected()),
        checks: vec![Check::new("bare", ROW, expect)],
        got: Vec::new(),
    }
}

fn told(file: ScriptFile, options: &RunOptions) -> (Vec<Event>, ExitCode) {
    let mut events = Vec::new();
    let exit = File::try_from(file).unwrap().run(options, &mut |event| events.push(event.clone()));
    (events, exit)
}

fn case(events: &[Event]) -> &CaseFinished {
    let finished = events.iter().find_map(|event| match event {
        Event::CaseFinished(case) => Some(case),
        _ => None,
    });
    finished.unwrap()
}

#[rstest]
#[case(Expect::Challenged, Verdict::Pass, ExitCode::Passed)]
#[case(Expect::Processed, Verdict::Fail(sipae_events::Cause::Reaction), ExitCode::Failed)]
fn the_checks_of_a_file_judge_it(#[case] expect: Expect, #[case] verdict: Verdict, #[case] exit: ExitCode) {
    let (events, ended) = told(bare(expect), &RunOptions::reference(1));
    assert_eq!((case(&events).verdict, ended), (verdict, exit));
}

#[test]
fn no_row_is_tested_that_no_check_is_of() {
    let requirements = [ROW, "SIPAE-3.3.5.3-04"].map(str::to_owned).to_vec();
    let file = ScriptFile { requirements, ..bare(Expect::Challenged) };
    let (events, _) = told(file, &RunOptions::reference(1));
    assert_eq!(case(&events).requirements, [ROW]);
}

#[test]
fn a_replay_is_told_as_a_run_of_one_case() {
    let file = File::try_from(bare(Expect::Processed)).unwrap().named("script.json");
    let mut events = Vec::new();
    file.run(&RunOptions::reference(1), &mut |event| events.push(event.clone()));
    let [Event::RunStarted(run), Event::CaseStarted(_), Event::CaseFinished(case), Event::RunFinished(_)] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((run.script.as_deref(), run.seed), (Some("script.json"), 7));
    assert_eq!(run.notes.first().map(String::as_str), Some("one script is played, without a gate"));
    assert_eq!(case.subject, Subject::new("NTLM", 4).with_kind(407));
    assert_eq!(case.exchange.len(), 2);
}

/// What a failed replay tells is what it has read.
#[test]
fn the_script_of_a_failed_replay_is_the_file() {
    let file = ScriptFile { case: "3.3.5.1/mine".to_owned(), ..bare(Expect::Processed) };
    let (events, _) = told(file.clone(), &RunOptions::reference(1));
    let again = ScriptFile::from_value(case(&events).script.clone().unwrap()).unwrap();
    let expected = ScriptFile {
        program: again.program.clone(),
        requirements: vec![ROW.to_owned()],
        got: again.got.clone(),
        ..file
    };
    assert_eq!(again, expected);
}

#[test]
fn a_file_without_checks_is_judged_by_its_case() {
    let written = written("3.3.5.1/bare-ack").unwrap();
    let file = ScriptFile {
        case: written.id().to_owned(),
        script: written.script(NTLM),
        checks: Vec::new(),
        ..bare(Expect::Legal)
    };
    let (events, exit) = told(file, &RunOptions::reference(1));
    assert_eq!(exit, ExitCode::Passed);
    assert_eq!(case(&events).requirements, written.requirements());
}

#[rstest]
#[case::no_json("REGISTER", "expected value at line 1 column 1")]
#[case::another_format(r#"{"format": "sipae-script/9"}"#, r#"unknown format "sipae-script/9""#)]
#[case::row(
    r#"{"format": "sipae-script/1", "mode": {"scheme": "NTLM", "version": 4}, "steps": [], "requirements": ["X-1"]}"#,
    r#"the catalogue has no row "X-1""#
)]
#[case::case(
    r#"{"format": "sipae-script/1", "mode": {"scheme": "NTLM", "version": 4}, "steps": [], "case": "a b"}"#,
    r#""a b" is no name of a case"#
)]
#[case::generated(
    r#"{"format": "sipae-script/1", "mode": {"scheme": "NTLM", "version": 4}, "steps": [], "case": "2.2/any-crand"}"#,
    r#"it has no checks, and no written case "2.2/any-crand" is known that could judge it"#
)]
fn what_cannot_be_judged_is_refused_in_one_line(#[case] text: &str, #[case] expected: &str) {
    let error = File::read(text).unwrap_err().to_string();
    assert!(error.starts_with(expected) && !error.contains('\n'), "{error}");
}

/// The second user logs in, and the profile has none.
#[test]
fn what_the_profile_lacks_is_the_reason_why_nothing_is_decided() {
    let script = Script::connected().connect(Party::PEER.connection());
    let script = Handshake::of(Party::PEER, "peer").play(script, NTLM);
    let file = ScriptFile {
        script,
        checks: vec![Check::new("bare peer", ROW, Expect::Challenged)],
        ..bare(Expect::Legal)
    };
    let profile = Arc::new(Profile { peers: Vec::new(), ..Profile::of_reference() });
    let options = RunOptions { profile: Arc::clone(&profile), ..RunOptions::reference(1) };
    let (events, exit) = told(file.clone(), &options);
    assert_eq!((case(&events).verdict, exit), (Verdict::Inconclusive, ExitCode::NothingRan));
    let reason = case(&events).reason.clone().unwrap();
    assert!(reason.contains("the profile has no account for peer"), "{reason}");
    let error = File::try_from(file).unwrap().check(&Target::REFERENCE, &profile).unwrap_err();
    assert!(format!("{error:?}").contains(&reason), "{error}");
}

/// Nobody is blamed who is not there.
#[test]
fn a_target_that_is_not_there_closes_the_gate() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::Tcp { address: listener.local_addr().unwrap().to_string() };
    drop(listener);
    let options = RunOptions { target, ..RunOptions::reference(1) };
    let (events, exit) = told(bare(Expect::Challenged), &options);
    assert_eq!((case(&events).verdict, exit), (Verdict::Blocked, ExitCode::Blocked));
    assert!(matches!(&events[1], Event::GateFinished(gate) if gate.outcome == GateOutcome::Failed));
}
