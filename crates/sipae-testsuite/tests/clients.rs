//! Clients under test: what properties find, how conversations are played again, how many clients are started, and what
//! clients cost that are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use sipae::auth::Scheme;
use sipae::client::{ClientConfig, Standing, Stimulus};
use sipae::clock::Time;
use sipae::defects::{Defect, Defects};
use sipae::server::ConnectionId;
use sipae::version::Version;
use sipae_conformance::Effort;
use sipae_conformance::client::{ClientObjects, ServiceFile};
use sipae_conformance::filter::Filter;
use sipae_conformance::replay::File;
use sipae_conformance::run::RunOptions;
use sipae_conformance::target::{Mode, Setting, Target};
use sipae_events::{CaseFinished, Cause, Event, ExitCode, GateOutcome, Verdict};
use sipae_net::{AgentObject, ClientAct, ClientObject};

use crate::red::{collect, finished};

const NEWEST: Setting = Setting { mode: Mode { scheme: Scheme::Ntlm, version: Version::V4 }, kind: None };

fn options(target: Target, ids: &[&str]) -> RunOptions {
    let filter = Filter { ids: ids.iter().map(ToString::to_string).collect(), ..Filter::default() };
    RunOptions { target, filter, settings: Some(vec![NEWEST]), ..RunOptions::reference(1) }
}

fn defective(defect: Defect, id: &str) -> Vec<CaseFinished> {
    let target = Target::ReferenceClient { defects: Defects::only(defect) };
    let options = RunOptions { effort: Effort { cases: 100, ..Effort::default() }, ..options(target, &[id]) };
    finished(&collect(&options).0).cloned().collect()
}

const SEQUENCES: &str = "3.1.1/generated-sequences";
const HISTORIES: &str = "3.1.1/generated-histories";
const TIMES: &str = "3.1.1/generated-times";
const RETURNS: &str = "3.1.1/generated-returns";
const REQUESTS: &str = "3.2.5.2/generated-requests";

/// The bugs that a property finds, and of how many messages what is told of each is.
#[rstest]
#[case(Defect::BelievesReplay, SEQUENCES, 2)]
#[case(Defect::BelievesOldNumbers, SEQUENCES, 2)]
#[case(Defect::RefusesServerGaps, SEQUENCES, 1)]
#[case(Defect::RefusesLowerNumbers, SEQUENCES, 2)]
#[case(Defect::WindowOfClientStays, SEQUENCES, 1)]
#[case(Defect::NarrowWindow, SEQUENCES, 2)]
#[case(Defect::ForgeryMovesClient, SEQUENCES, 2)]
#[case(Defect::BelievesForgery, SEQUENCES, 1)]
#[case(Defect::AnswersUnsignedRequest, SEQUENCES, 1)]
#[case(Defect::FormerAssociationGood, HISTORIES, 2)]
#[case(Defect::WindowOutlivesAssociation, HISTORIES, 2)]
#[case(Defect::WindowOutlivesReturn, RETURNS, 2)]
#[case(Defect::WindowFadesInTime, TIMES, 2)]
#[case(Defect::BelievesForgery, REQUESTS, 1)]
#[case(Defect::BelievesIncomplete, REQUESTS, 1)]
#[case(Defect::BelievesUnreadable, REQUESTS, 1)]
#[case(Defect::IgnoresRealm, REQUESTS, 1)]
#[case(Defect::IgnoresTargetname, REQUESTS, 1)]
#[case(Defect::TakesDisplayName, REQUESTS, 1)]
#[case(Defect::CutsUriParameters, REQUESTS, 1)]
#[case(Defect::ZeroIsNothing, REQUESTS, 1)]
#[case(Defect::RefusesAsserted, REQUESTS, 1)]
#[case(Defect::CoversOnBehalf, REQUESTS, 1)]
fn a_property_finds_the_bug_and_tells_the_smallest_conversation(
    #[case] defect: Defect,
    #[case] property: &str,
    #[case] messages: usize,
) {
    let found = defective(defect, property);
    let [case] = found.as_slice() else { panic!("{found:#?}") };
    assert!(case.verdict.is_fail() || case.verdict == Verdict::Loose, "{case:#?}");
    let script = case.script.as_ref().expect("a script").to_string();
    let file = ServiceFile::read(&script).expect("a conversation with a client");
    assert!(file.foreseen.len() <= messages, "{defect}: {:#?}", file.foreseen);
}

/// What is told of a failure can be played again, to the same client and to a right one.
#[rstest]
#[case(Defect::BelievesForgery, "3.2.5.2/flipped-signature")]
#[case(Defect::RegistersUnsigned, "3.2.5.2/success-unsigned")]
#[case(Defect::AnswersBasic, "3.2.5.1/only-unknown-schemes")]
#[case(Defect::RefusesLowerNumbers, SEQUENCES)]
fn a_stored_conversation_is_judged_as_it_was(#[case] defect: Defect, #[case] id: &str) {
    let found = defective(defect, id);
    let case = found.iter().find(|case| case.case.as_str() == id).expect("the case");
    let file = File::read(&case.script.as_ref().expect("a script").to_string()).expect("a file");
    let again = |defects| {
        let options = RunOptions { target: Target::ReferenceClient { defects }, ..RunOptions::reference(1) };
        let mut verdicts = Vec::new();
        file.run(&options, &mut |event| {
            if let Event::CaseFinished(case) = event {
                verdicts.push(case.verdict);
            }
        });
        verdicts
    };
    assert_eq!(again(Defects::only(defect)), [case.verdict]);
    assert_eq!(again(Defects::NONE), [Verdict::Pass]);
}

/// Among the methods that the client answers well, which is found out again.
#[test]
fn a_method_that_a_stored_conversation_chooses_is_chosen_again() {
    let found = defective(Defect::BelievesForgery, SEQUENCES);
    let script = found.iter().find_map(|case| case.script.as_ref()).expect("a script").to_string();
    let other = script.replace("\"*0\"", "\"*1\"");
    assert_ne!(other, script);
    let target = Target::ReferenceClient { defects: Defects::only(Defect::BelievesForgery) };
    let mut sent = Vec::new();
    File::read(&other).expect("a file").run(
        &RunOptions { target, ..RunOptions::reference(1) },
        &mut |event| {
            if let Event::CaseFinished(case) = event {
                sent.extend(case.exchange.iter().map(|message| message.label.clone()));
            }
        },
    );
    assert!(sent.contains(&"MESSAGE".to_owned()), "{sent:?}");
}

#[rstest]
#[case(r#"{"service":{"turns":[]}}"#)]
#[case(r#"{"service":1}"#)]
#[case(r#"{"program":"x","case":"3.1/a","title":"t","requirements":["SIPAE-0"],"scheme":"NTLM","version":4,"seed":"1","service":{"turns":[]}}"#)]
#[case(r#"{"program":"x","case":"3.1/a","title":"t","requirements":[],"scheme":"NTLM","version":4,"seed":"1","service":{"turns":[]}}"#)]
#[case(r#"{"program":"x","case":"3.1/a","title":"t","requirements":[],"scheme":"NTLM","version":4,"seed":"x","service":{"turns":[]}}"#)]
fn what_is_no_conversation_with_a_client_says_why_in_one_line(#[case] text: &str) {
    let error = File::read(text).expect_err("no file").to_string();
    assert!(!error.is_empty() && !error.contains('\n'), "{error}");
}

/// A client that is a program is started for each conversation: real ones take their time for that.
#[rstest]
fn no_more_than_sixty_clients_are_started_for_a_scheme_and_version(
    #[values(Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk)] scheme: Scheme,
    #[values(Version::V2, Version::V4)] version: Version,
) {
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let objects = ClientObjects::new("counted", move |mode| {
        count.fetch_add(1, Ordering::Relaxed);
        reference(mode)
    });
    let setting = Setting { mode: Mode { scheme, version }, kind: None };
    let options = RunOptions { settings: Some(vec![setting]), ..options(Target::Client(objects), &[]) };
    let (events, exit) = collect(&options);
    assert_eq!(exit, ExitCode::Passed, "{:#?}", finished(&events).find(|case| case.verdict.is_fail()));
    let started = started.load(Ordering::Relaxed);
    // Over a network four workers share what one shares here.
    assert!(started <= 60 - 3, "{started} clients");
}

#[expect(clippy::panic, reason = "without a client there is no test")]
fn reference(_: Mode) -> Box<dyn ClientObject> {
    let config = sipae_conformance::client::reference_client(Defects::NONE, 1);
    Box::new(AgentObject::new(config.unwrap_or_else(|error| panic!("{error}")), 1))
}

/// A client with a habit.
struct Odd<F> {
    client: AgentObject,
    habit: F,
}

impl<F: FnMut(&[u8], Vec<ClientAct>) -> Vec<ClientAct> + Send> ClientObject for Odd<F> {
    fn start(&mut self, now: Time) -> Vec<ClientAct> {
        let acts = self.client.start(now);
        (self.habit)(b"", acts)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<ClientAct> {
        let acts = self.client.receive(connection, octets, now);
        (self.habit)(octets, acts)
    }

    fn stimuli(&self) -> &[Stimulus] {
        self.client.stimuli()
    }

    fn act(&mut self, number: u64, stimulus: Stimulus, now: Time) -> Vec<ClientAct> {
        self.client.act(number, stimulus, now)
    }

    fn standing(&self) -> Option<Standing> {
        self.client.standing()
    }
}

fn alice() -> AgentObject {
    let config = ClientConfig::new("alice", "CONTOSO", "test-password-of-alice", "alice@contoso.com");
    AgentObject::new(config, 1)
}

fn run_odd(
    habit: impl Fn(&[u8], Vec<ClientAct>) -> Vec<ClientAct> + Send + Sync + Copy + 'static,
    ids: &[&str],
) -> (Vec<Event>, ExitCode) {
    let make = move |_: Mode| -> Box<dyn ClientObject> { Box::new(Odd { client: alice(), habit }) };
    collect(&options(Target::Client(ClientObjects::new("odd", make)), ids))
}

#[expect(clippy::panic, reason = "without a gate there is no test")]
fn gate(events: &[Event]) -> (GateOutcome, String) {
    let gate = events.iter().find_map(|event| match event {
        Event::GateFinished(gate) => Some((gate.outcome, gate.reason.clone().unwrap_or_default())),
        _ => None,
    });
    gate.unwrap_or_else(|| panic!("no gate"))
}

#[test]
fn a_client_that_crashes_costs_one_verdict_and_the_message_is_named() {
    let habit = |octets: &[u8], acts: Vec<ClientAct>| {
        assert!(
            !octets
                .windows(9)
                .any(|part| part == b"rspauth=\"" && octets.windows(10).any(|part| part == b"rspauth=\"\"")),
            "as it was told"
        );
        acts
    };
    let (events, exit) =
        run_odd(habit, &["3.2.5.2/empty-rspauth", "3.2.5.2/odd-rspauth", "3.2.5.2/zero-signature"]);
    let verdicts: Vec<(&str, Verdict)> =
        finished(&events).map(|case| (case.case.as_str(), case.verdict)).collect();
    let crash = Verdict::Fail(Cause::Crash);
    assert_eq!(
        verdicts,
        [
            ("3.2.5.2/zero-signature", Verdict::Pass),
            ("3.2.5.2/empty-rspauth", crash),
            ("3.2.5.2/odd-rspauth", Verdict::Pass),
        ]
    );
    let reason = finished(&events).find_map(|case| case.reason.clone()).expect("a reason");
    assert!(reason.contains("as it was told") && reason.ends_with("after bad"), "{reason}");
    assert_eq!(exit, ExitCode::Crash);
}

#[test]
fn a_client_that_never_connects_is_started_once_in_a_run() {
    let started = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&started);
    let objects = ClientObjects::new("silent", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::new(Odd { client: alice(), habit: |_: &[u8], _| Vec::new() })
    });
    let every =
        RunOptions { settings: None, ..options(Target::Client(objects), &["3.2.5.2/zero-signature"]) };
    let (events, exit) = collect(&every);
    let (outcome, reason) = gate(&events);
    assert_eq!(outcome, GateOutcome::Failed);
    assert!(reason.contains("did not connect"), "{reason}");
    assert_eq!(exit, ExitCode::Blocked);
    assert_eq!(started.load(Ordering::Relaxed), 1);
}

#[test]
fn a_client_that_speaks_another_encoding_is_told_so() {
    let habit = |_: &[u8], acts: Vec<ClientAct>| {
        let wide = |octets: Vec<u8>| octets.into_iter().flat_map(|octet| [octet, 0]).collect();
        let widen = |act| match act {
            ClientAct::Send(connection, octets) => ClientAct::Send(connection, wide(octets)),
            other => other,
        };
        acts.into_iter().map(widen).collect()
    };
    let (events, exit) = run_odd(habit, &["3.2.5.2/zero-signature"]);
    let (outcome, reason) = gate(&events);
    assert_eq!(outcome, GateOutcome::Failed);
    assert!(reason.contains("cannot be read"), "{reason}");
    assert_eq!(exit, ExitCode::Blocked);
}

/// More than a conversation has of each.
#[rstest]
#[case::requests(|act| match act {
    ClientAct::Send(..) => vec![act; 3000],
    other => vec![other],
})]
#[case::connections(|act| match act {
    ClientAct::Connect(_) => (100..200).map(|number| ClientAct::Connect(ConnectionId(number))).collect(),
    _ => Vec::new(),
})]
fn a_client_that_floods_is_not_listened_to_for_ever(#[case] more: fn(ClientAct) -> Vec<ClientAct>) {
    let habit = move |_: &[u8], acts: Vec<ClientAct>| acts.into_iter().flat_map(more).collect();
    let (events, exit) = run_odd(habit, &["3.2.5.2/zero-signature"]);
    let (outcome, reason) = gate(&events);
    assert_eq!(outcome, GateOutcome::Failed);
    assert!(reason.contains("floods"), "{reason}");
    assert_eq!(exit, ExitCode::Blocked);
}

/// A handshake of TLS begins with the same octets, but only where a connection begins.
#[test]
fn a_body_in_a_piece_of_its_own_is_not_taken_for_tls() {
    let habit = |octets: &[u8], mut acts: Vec<ClientAct>| {
        if octets.is_empty()
            && let Some(ClientAct::Send(connection, _)) = acts.last().cloned()
        {
            let head = b"OPTIONS sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n\
                From: <sip:alice@contoso.com>;tag=1;epid=1\r\nTo: <sip:contoso.com>\r\nCall-ID: 1\r\n\
                CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 2\r\n\r\n";
            acts.push(ClientAct::Send(connection, head.to_vec()));
            acts.push(ClientAct::Send(connection, vec![22, 3]));
        }
        acts
    };
    let (events, exit) = run_odd(habit, &["3.2.5.2/zero-signature"]);
    assert_eq!(gate(&events).0, GateOutcome::Open, "{:?}", gate(&events));
    assert_eq!(exit, ExitCode::Passed);
}

#[test]
fn a_client_that_connects_twice_is_served() {
    let habit = |octets: &[u8], mut acts: Vec<ClientAct>| {
        if octets.is_empty() {
            acts.insert(0, ClientAct::Connect(ConnectionId(100)));
        }
        acts
    };
    let (events, exit) = run_odd(habit, &["3.2.5.2/zero-signature", "3.2.5.2/unsigned-request"]);
    assert_eq!(gate(&events).0, GateOutcome::Open, "{:?}", gate(&events));
    assert_eq!(exit, ExitCode::Passed);
}
