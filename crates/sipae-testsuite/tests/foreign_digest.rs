//! Digest against another implementation of the server: Kamailio, where it is installed.
//!
//! Without it these tests have nothing to ask, and pass; where peers are required ([`REQUIRED`]) that is a failure.

#[path = "foreign/kamailio.rs"]
mod kamailio;

use std::sync::Arc;

use rstest::rstest;
use sipae::client::{AnonymousClient, AnonymousConfig, AnonymousEvent, AnonymousInput, AnonymousOutput};
use sipae::digest::{Algorithm, DigestChallenge, DigestCredential, Login};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message};
use sipae_conformance::profile::{DigestPlace, Profile, ProfileUser};
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::Target;
use sipae_events::{Event, ExitCode, GateOutcome, Verdict};
use sipae_net::OsEntropy;

use kamailio::{Connection, Kamailio, PASSWORD, REALM};

/// Set to 1 where the other implementations must be there.
const REQUIRED: &str = "SIPAE_REQUIRE_PEERS";

const CONFERENCE: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:854T0R7G";

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

#[rstest]
#[case(Algorithm::Md5)]
#[case(Algorithm::Sha256)]
fn kamailio_accepts_right_credentials_and_no_others(#[case] algorithm: Algorithm) {
    let Some(kamailio) = Kamailio::start(algorithm) else { return };
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

#[rstest]
#[case(Algorithm::Md5)]
#[case(Algorithm::Sha256)]
fn the_anonymous_client_joins_and_leaves_at_kamailio(#[case] algorithm: Algorithm) {
    let Some(kamailio) = Kamailio::start(algorithm) else { return };
    let mut connection = kamailio.connect().expect("a connection");
    let config = AnonymousConfig::new(CONFERENCE, PASSWORD);
    let mut client = AnonymousClient::new(config, &mut OsEntropy).expect("a conference");
    assert_eq!(talk(&mut client, &mut connection, AnonymousInput::Join), [AnonymousEvent::Joined]);
    assert_eq!(talk(&mut client, &mut connection, AnonymousInput::Leave), [AnonymousEvent::Left]);
}

#[test]
fn the_anonymous_client_tries_a_wrong_key_once_at_kamailio() {
    let Some(kamailio) = Kamailio::start(Algorithm::Md5) else { return };
    let mut connection = kamailio.connect().expect("a connection");
    let config = AnonymousConfig::new(CONFERENCE, "123457");
    let mut client = AnonymousClient::new(config, &mut OsEntropy).expect("a conference");
    assert_eq!(talk(&mut client, &mut connection, AnonymousInput::Join), [AnonymousEvent::Refused]);
}

/// The suite itself, at an ordinary registrar of Digest.
fn options(kamailio: &Kamailio, password: &str) -> RunOptions {
    let profile = Profile {
        user: ProfileUser::new("bob", "", password, "bob@contoso.com"),
        sacrificial: None,
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

/// Starts Kamailio, or says in one line that it could not be asked.
fn peer(algorithm: Algorithm) -> Option<Kamailio> {
    let kamailio = Kamailio::start(algorithm);
    if kamailio.is_none() {
        let is_required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
        assert!(!is_required, "Kamailio is not installed, and {REQUIRED} is 1");
        println!("Digest ({algorithm}) was not confirmed: Kamailio is not installed");
    }
    kamailio
}

#[rstest]
#[case(Algorithm::Md5)]
#[case(Algorithm::Sha256)]
fn the_suite_finds_no_fault_in_kamailio(#[case] algorithm: Algorithm) {
    let Some(kamailio) = peer(algorithm) else { return };
    let (events, exit) = told(&options(&kamailio, PASSWORD));
    let mut judged = 0;
    for event in &events {
        let Event::CaseFinished(case) = event else { continue };
        if case.subject.scheme == "Digest" && case.verdict != Verdict::Unsupported {
            assert!(matches!(case.verdict, Verdict::Pass | Verdict::Loose), "{case:#?}");
            judged += 1;
        }
    }
    assert!(6 <= judged, "only {judged} cases were judged: {events:#?}");
    assert_eq!(exit, ExitCode::Passed);
}

#[test]
fn a_wrong_password_closes_the_gate_with_one_line() {
    let Some(kamailio) = peer(Algorithm::Md5) else { return };
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
