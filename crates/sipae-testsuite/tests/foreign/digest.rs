//! Digest: Kamailio against the reference client, and the suite against Kamailio as an ordinary registrar.

use std::sync::Arc;

use sipae::client::{AnonymousClient, AnonymousConfig, AnonymousEvent, AnonymousInput, AnonymousOutput};
use sipae::digest::{Algorithm, DigestChallenge, DigestCredential, Login};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message};
use sipae_conformance::profile::{DigestPlace, Profile, ProfileUser};
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::Target;
use sipae_events::{Event, ExitCode, GateOutcome, Verdict};
use sipae_net::OsEntropy;

use super::kamailio::{Connection, Kamailio, Nonces, PASSWORD, REALM};
use super::part::{Part, Rig};

const CONFERENCE: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:854T0R7G";

type Run = fn(Algorithm);

const TABLE: &[(&str, Run)] = &[
    ("it_accepts_right_credentials_and_no_others", accepts_right_credentials),
    ("our_anonymous_client_joins_and_leaves", client_joins),
    ("our_anonymous_client_tries_a_wrong_key_once", client_tries_once),
    ("the_suite_finds_no_fault_in_it", |algorithm| no_fault(algorithm, Nonces::Counted)),
    ("the_suite_finds_no_fault_in_nonces_of_the_time", |algorithm| no_fault(algorithm, Nonces::OfTime)),
    ("the_suite_finds_no_fault_in_nonces_that_serve_once", |algorithm| no_fault(algorithm, Nonces::Once)),
    ("without_a_profile_it_closes_one_gate_and_fails_no_case", supposed),
    ("a_wrong_password_closes_the_gate_with_one_line", wrong_password),
];

pub(crate) fn parts() -> Vec<Part> {
    let algorithms = [Algorithm::Md5, Algorithm::Sha256];
    let rows = TABLE.iter().flat_map(|row| algorithms.map(|algorithm| (row, algorithm)));
    rows.map(|((name, run), algorithm)| {
        Part::new(format!("digest::{name}/{}", algorithm.name()), Rig::Kamailio, move |_| run(algorithm))
    })
    .collect()
}

/// A connection, its requests counted.
struct Bench {
    connection: Connection,
    cseq: u32,
}

impl Bench {
    fn new(kamailio: &Kamailio) -> Self {
        Self { connection: kamailio.connect().expect("a connection"), cseq: 0 }
    }

    /// The answer to a request of this method.
    fn ask(&mut self, method: &str, credential: Option<&DigestCredential>) -> (u16, Option<DigestChallenge>) {
        self.cseq += 1;
        let mut draft = Draft::request(method, CONFERENCE)
            .with(HeaderName::Via, format!("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{}", self.cseq))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, "<sip:guest@anonymous.invalid>;tag=1")
            .with(HeaderName::To, format!("<{CONFERENCE}>"))
            .with(HeaderName::CallId, "foreign")
            .with(HeaderName::CSeq, format!("{} {method}", self.cseq))
            .close();
        if let Some(credential) = credential {
            draft.push(HeaderName::Authorization, credential.write());
        }
        let octets = self.connection.ask(&draft.to_octets()).expect("an answer");
        let message = Message::parse(&octets, &Limits::DEFAULT).expect("a message");
        let challenge = message.first(HeaderName::WwwAuthenticate).map(DigestChallenge::read);
        (message.status().expect("a response"), challenge.map(|read| read.expect("a challenge")))
    }
}

fn answer(challenge: &DigestChallenge, password: &str, method: &str, nc: u32) -> DigestCredential {
    let login = Login { username: b"854T0R7G", password: password.as_bytes() };
    challenge.answer(login, method.as_bytes(), CONFERENCE.as_bytes(), b"0a4f113b", nc).expect("qop is auth")
}

fn accepts_right_credentials(algorithm: Algorithm) {
    let kamailio = Kamailio::start(algorithm, Nonces::Counted);
    for method in ["INVITE", "REGISTER"] {
        let mut bench = Bench::new(&kamailio);
        let (status, challenge) = bench.ask(method, None);
        let challenge = challenge.expect("a challenge");
        assert_eq!(
            (status, challenge.algorithm, challenge.realm.as_slice()),
            (401, Some(algorithm), REALM.as_bytes())
        );
        // Kamailio takes note of a count before it looks at the response.
        let wrong = answer(&challenge, "123457", method, 1);
        assert_eq!(bench.ask(method, Some(&wrong)).0, 401, "another password");
        let right = answer(&challenge, PASSWORD, method, 2);
        assert_eq!(bench.ask(method, Some(&right)).0, 200);
        assert_eq!(bench.ask(method, Some(&right)).0, 401, "the same count again");
        let other = answer(&challenge, PASSWORD, "BYE", 3);
        assert_eq!(bench.ask(method, Some(&other)).0, 401, "the response of another method");
        let next = answer(&challenge, PASSWORD, method, 4);
        assert_eq!(bench.ask(method, Some(&next)).0, 200, "a later count");
    }
}

/// What a client notices when it asks Kamailio, and every method that it sends.
fn talk(
    client: &mut AnonymousClient,
    connection: &mut Connection,
    input: AnonymousInput<'_>,
) -> Vec<AnonymousEvent> {
    let mut events = Vec::new();
    for output in client.handle(input, &mut OsEntropy) {
        match output {
            // Nobody answers an ACK.
            AnonymousOutput::Send(octets) if octets.starts_with(b"ACK ") => {
                connection.say(&octets).expect("a connection");
            }
            AnonymousOutput::Send(octets) => {
                let answer = connection.ask(&octets).expect("an answer");
                events.extend(talk(client, connection, AnonymousInput::Received(&answer)));
            }
            AnonymousOutput::Event(event) => events.push(event),
            AnonymousOutput::Close => panic!("an answer that cannot be read"),
        }
    }
    events
}

fn client_joins(algorithm: Algorithm) {
    let kamailio = Kamailio::start(algorithm, Nonces::Counted);
    let mut connection = kamailio.connect().expect("a connection");
    let config = AnonymousConfig::new(CONFERENCE, PASSWORD);
    let mut client = AnonymousClient::new(config, &mut OsEntropy).expect("a conference");
    assert_eq!(talk(&mut client, &mut connection, AnonymousInput::Join), [AnonymousEvent::Joined]);
    assert_eq!(talk(&mut client, &mut connection, AnonymousInput::Leave), [AnonymousEvent::Left]);
}

fn client_tries_once(algorithm: Algorithm) {
    let kamailio = Kamailio::start(algorithm, Nonces::Counted);
    let mut connection = kamailio.connect().expect("a connection");
    let config = AnonymousConfig::new(CONFERENCE, "123457");
    let mut client = AnonymousClient::new(config, &mut OsEntropy).expect("a conference");
    assert_eq!(talk(&mut client, &mut connection, AnonymousInput::Join), [AnonymousEvent::Refused]);
}

/// The suite itself, at an ordinary registrar of Digest.
fn options(kamailio: &Kamailio, password: &str) -> RunOptions {
    let profile = Profile {
        user: ProfileUser::new("bob", "", password, "bob@contoso.com"),
        sacrificial: Some(ProfileUser::new("carol", "", password, "carol@contoso.com")),
        peers: Vec::new(),
        tickets: None,
        certificates: None,
        digest: Some(DigestPlace::Registrar),
        ..Profile::of_reference()
    };
    let target = Target::Tcp { address: kamailio.address().to_string() };
    RunOptions { target, profile: Arc::new(profile), ..RunOptions::reference(1) }
}

fn told(options: &RunOptions) -> (Vec<Event>, ExitCode) {
    let mut events = Vec::new();
    let exit = run(options, &mut |event| events.push(event.clone()));
    (events, exit)
}

fn no_fault(algorithm: Algorithm, nonces: Nonces) {
    let kamailio = Kamailio::start(algorithm, nonces);
    let (events, exit) = told(&options(&kamailio, PASSWORD));
    let mut judged = 0;
    for event in &events {
        let Event::CaseFinished(case) = event else { continue };
        if case.subject.scheme == "Digest" {
            assert!(!matches!(case.verdict, Verdict::Fail(_)), "{case:#?}");
            judged += usize::from(matches!(case.verdict, Verdict::Pass | Verdict::Loose));
        }
    }
    // Without a count there is less to judge.
    let least = if nonces == Nonces::Counted { 6 } else { 4 };
    assert!(least <= judged, "only {judged} cases were judged: {events:#?}");
    assert_eq!(exit, ExitCode::Passed);
}

fn wrong_password(algorithm: Algorithm) {
    let kamailio = Kamailio::start(algorithm, Nonces::Counted);
    let (events, exit) = told(&options(&kamailio, "123457"));
    let gates = events.iter().filter_map(|event| match event {
        Event::GateFinished(gate) if gate.subject.scheme == "Digest" => Some(gate),
        _ => None,
    });
    let [gate] = gates.collect::<Vec<_>>()[..] else { panic!("one gate") };
    let reason = gate.reason.as_deref().unwrap_or_default();
    assert_eq!(gate.outcome, GateOutcome::Failed);
    assert!(reason.starts_with("the server does not accept the password of bob: 401"), "{reason}");
    assert!(!reason.contains('\n') && !reason.contains("123457"), "{reason}");
    assert_eq!(exit, ExitCode::Blocked);
}

/// A server that knows nothing of [MS-SIPAE]: the gate says in one line what it offers, what holds with any scheme is
/// judged, and nobody has said that there is a conference.
fn supposed(algorithm: Algorithm) {
    let kamailio = Kamailio::start(algorithm, Nonces::OfTime);
    let target = Target::Tcp { address: kamailio.address().to_string() };
    let (events, exit) = told(&RunOptions { target, ..RunOptions::reference(1) });
    let gate = |scheme: &str| {
        let gate = events.iter().find_map(|event| match event {
            Event::GateFinished(gate) if gate.subject.scheme == scheme => Some(gate),
            _ => None,
        });
        gate.map(|gate| (gate.outcome, gate.reason.clone().unwrap_or_default()))
    };
    let offered = "the server offers Digest and no NTLM".to_owned();
    assert_eq!(gate("NTLM"), Some((GateOutcome::Failed, offered)));
    assert_eq!(gate("Digest").map(|(outcome, _)| outcome), Some(GateOutcome::Untested));
    let verdicts = || {
        events.iter().filter_map(|event| match event {
            Event::CaseFinished(case) => Some(case.verdict),
            _ => None,
        })
    };
    assert!(!verdicts().any(|verdict| matches!(verdict, Verdict::Fail(_))), "{events:#?}");
    assert!(verdicts().any(|verdict| verdict == Verdict::Pass));
    assert!(verdicts().any(|verdict| verdict == Verdict::Blocked));
    assert_eq!(exit, ExitCode::Blocked);
}
