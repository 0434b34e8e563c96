//! The anonymous client against the focus, and the focus against whoever writes requests by hand.

use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::client::{
    AnonymousClient, AnonymousConfig, AnonymousEvent, AnonymousInput, AnonymousName, AnonymousOutput,
    JoinError,
};
use crate::clock::Entropy;
use crate::digest::{DigestChallenge, Login};
use crate::draft::Draft;
use crate::message::{Limits, Value};
use crate::server::{Accounts, ConnectionId, Input, Output, ServerConfig, ServerEvent};
use crate::version::Version;

const NOW: Time = Time(1_267_138_429_000);
const CONNECTION: ConnectionId = ConnectionId(1);
const CONFERENCE: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:854T0R7G";
const OTHER: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:OTHER";
const KEY: &str = "123456";

/// Octets that never repeat.
struct Counted(u64);

impl Entropy for Counted {
    fn fill(&mut self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            chunk.iter_mut().zip(self.0.to_be_bytes()).for_each(|(octet, value)| *octet = value);
        }
    }
}

fn conference() -> Conference {
    Conference::new("bob@contoso.com", "854T0R7G", KEY)
}

fn config(conferences: Vec<Conference>) -> ServerConfig {
    ServerConfig { conferences, ..ServerConfig::new("server.contoso.com", Version::V4, Accounts::default()) }
}

/// A server and what is said to it.
struct Bench {
    server: Server,
    now: Time,
    entropy: Counted,
    cseq: u32,
    events: Vec<ServerEvent>,
    /// Every message of the client, every answer of the server.
    said: Vec<(String, Vec<String>)>,
}

impl Bench {
    fn new(config: ServerConfig) -> Self {
        let mut entropy = Counted(7);
        let mut server = Server::new(config);
        server.handle(Input::Connected(CONNECTION), NOW, &mut entropy);
        Self { server, now: NOW, entropy, cseq: 0, events: Vec::new(), said: Vec::new() }
    }

    fn with(conferences: Vec<Conference>) -> Self {
        Self::new(config(conferences))
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    fn hear(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        for output in self.server.handle(Input::Received(CONNECTION, octets), self.now, &mut self.entropy) {
            match output {
                Output::Send(_, octets) => answers.push(octets),
                Output::Event(event) => self.events.push(event),
                Output::Close(_) => panic!("closed"),
            }
        }
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        self.said.push((text(octets), answers.iter().map(|answer| text(answer)).collect()));
        answers
    }

    /// Both sides talk until the client has nothing to say; what it has noticed.
    fn talk(&mut self, client: &mut AnonymousClient, input: AnonymousInput<'_>) -> Vec<AnonymousEvent> {
        let mut events = Vec::new();
        for output in client.handle(input, &mut self.entropy) {
            match output {
                AnonymousOutput::Send(octets) => {
                    for answer in self.hear(&octets) {
                        events.extend(self.talk(client, AnonymousInput::Received(&answer)));
                    }
                }
                AnonymousOutput::Event(event) => events.push(event),
                AnonymousOutput::Close => panic!("closed"),
            }
        }
        events
    }

    fn client(&mut self, key: &str) -> AnonymousClient {
        AnonymousClient::new(AnonymousConfig::new(CONFERENCE, key), &mut self.entropy).expect("a conference")
    }

    fn joined(&mut self) -> AnonymousClient {
        let mut client = self.client(KEY);
        assert_eq!(self.talk(&mut client, AnonymousInput::Join), [AnonymousEvent::Joined]);
        client
    }

    /// A request by hand.
    fn request(&mut self, method: &str, uri: &str, user: &str) -> Draft {
        self.cseq += 1;
        Draft::request(method, uri)
            .with(HeaderName::Via, format!("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{}", self.cseq))
            .with(HeaderName::From, format!("<sip:{user}@anonymous.invalid>;tag=1;epid=a1"))
            .with(HeaderName::To, format!("<{uri}>"))
            .with(HeaderName::CallId, "by-hand")
            .with(HeaderName::CSeq, format!("{} {method}", self.cseq))
            .close()
    }

    fn send(&mut self, draft: &Draft) -> Option<Answer> {
        let answers = self.hear(&draft.to_octets());
        assert!(answers.len() <= 1);
        answers.first().map(|octets| Answer::of(octets))
    }

    fn challenge(&mut self, uri: &str) -> DigestChallenge {
        let bare = self.request("INVITE", uri, "mallory");
        self.send(&bare).and_then(|answer| answer.digest).expect("a Digest challenge")
    }

    /// An INVITE of this user has been accepted under this challenge.
    fn opened(&mut self, user: &str) -> DigestChallenge {
        let challenge = self.challenge(CONFERENCE);
        let invite = self.request("INVITE", CONFERENCE, user);
        let answer = self.send(&with(invite, &answer(&challenge, "INVITE", CONFERENCE, 1)));
        assert_eq!(answer.map(|answer| answer.status), Some(200));
        challenge
    }

    fn breaches(&self) -> impl Iterator<Item = &Breach> {
        self.events.iter().filter_map(|event| match event {
            ServerEvent::Refused { violation, .. } => Some(&violation.breach),
            _ => None,
        })
    }

    fn last_breach(&self) -> Option<&Breach> {
        self.breaches().last()
    }

    /// The nonce counts that the client has sent, by method.
    fn counts(&self) -> Vec<(String, Option<u32>)> {
        let count = |text: &String| {
            let message = Message::parse(text.as_bytes(), &Limits::NONE).expect("a message");
            let method = String::from_utf8_lossy(message.method().expect("a request")).into_owned();
            let credential = message.first(HeaderName::Authorization).map(DigestCredential::read);
            let count = credential.and_then(|read| read.expect("a credential").count().expect("a count"));
            (method, count)
        };
        self.said.iter().map(|(request, _)| count(request)).collect()
    }
}

/// What of an answer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    schemes: Vec<String>,
    digest: Option<DigestChallenge>,
    is_signed: bool,
    has_date: bool,
}

impl Answer {
    fn of(octets: &[u8]) -> Self {
        let message = Message::parse(octets, &Limits::NONE).expect("a message");
        let challenges: Vec<AuthHeader<'_>> =
            message.all(HeaderName::WwwAuthenticate).map(AuthHeader::read).collect();
        let scheme = |header: &AuthHeader<'_>| String::from_utf8_lossy(header.scheme_text()).into_owned();
        Self {
            status: message.status().expect("a response"),
            schemes: challenges.iter().map(scheme).collect(),
            digest: challenges.iter().find_map(|header| DigestChallenge::of(header).ok()),
            is_signed: message.count(HeaderName::AuthenticationInfo) != 0,
            has_date: message.count(HeaderName::Date) != 0,
        }
    }
}

fn answer(challenge: &DigestChallenge, method: &str, uri: &str, nc: u32) -> DigestCredential {
    let login = Login { username: b"854T0R7G", password: KEY.as_bytes() };
    challenge.answer(login, method.as_bytes(), uri.as_bytes(), b"0a4f113b", nc).expect("qop is auth")
}

fn with(draft: Draft, credential: &DigestCredential) -> Draft {
    draft.with(HeaderName::Authorization, credential.write())
}

#[test]
fn an_anonymous_client_joins_and_leaves_and_counts_every_request() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.joined();
    let info = AnonymousEvent::Answered { method: "INFO".to_owned(), status: 200 };
    let content = Some(("text/plain", b"hello".as_slice()));
    assert_eq!(bench.talk(&mut client, AnonymousInput::Request("INFO", content)), [info]);
    assert_eq!(bench.talk(&mut client, AnonymousInput::Leave), [AnonymousEvent::Left]);
    let expected = [
        ("INVITE", None),
        ("ACK", None),
        ("INVITE", Some(1)),
        ("ACK", Some(2)),
        ("INFO", Some(3)),
        ("BYE", Some(4)),
    ];
    assert_eq!(bench.counts(), expected.map(|(method, count)| (method.to_owned(), count)));
    assert!(bench.events.iter().any(|event| matches!(event, ServerEvent::Joined { .. })));
}

/// SIPAE-3.3.5.4-01, -02, -03 and [MS-SIPAE] 4.5, message 2.
#[test]
fn the_challenge_is_that_of_the_example() {
    let mut bench = Bench::with(vec![conference()]);
    let bare = bench.request("INVITE", CONFERENCE, "mallory");
    let answer = bench.send(&bare).expect("an answer");
    let digest = answer.digest.expect("a Digest challenge");
    assert_eq!((answer.status, answer.schemes, answer.has_date), (401, vec!["Digest".to_owned()], true));
    assert_eq!(digest.realm, b"bob@contoso.com");
    assert_eq!(digest.algorithm, Some(Algorithm::Md5Sess));
    assert_eq!(digest.qop, Some(vec![crate::digest::Qop::Auth]));
    assert!(!digest.stale);
}

/// The To of the example is an address without brackets.
#[test]
fn the_request_of_the_example_is_challenged() {
    let mut bench = Bench::with(vec![conference()]);
    let mut bare = bench.request("INVITE", CONFERENCE, "6551156d569c4b7d945f310ff10943c5");
    bare.set(HeaderName::To, CONFERENCE);
    assert!(bench.send(&bare).is_some_and(|answer| answer.digest.is_some()));
}

#[test]
fn twenty_challenges_have_twenty_nonces() {
    let mut bench = Bench::with(vec![conference()]);
    let nonces: std::collections::BTreeSet<_> = (0..20).map(|_| bench.challenge(CONFERENCE).nonce).collect();
    assert_eq!(nonces.len(), 20);
}

/// Digest has no key for a signature.
#[test]
fn answers_to_anonymous_clients_are_not_signed() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.joined();
    bench.talk(&mut client, AnonymousInput::Leave);
    let answers = bench.said.iter().flat_map(|(_, answers)| answers);
    assert!(answers.clone().count() > 2);
    assert!(answers.map(|answer| Answer::of(answer.as_bytes())).all(|answer| !answer.is_signed));
}

#[rstest]
#[case(vec![Algorithm::Md5Sess], Algorithm::Md5Sess)]
#[case(vec![Algorithm::Md5], Algorithm::Md5)]
#[case(vec![Algorithm::Sha256], Algorithm::Sha256)]
#[case(vec![Algorithm::Sha256Sess], Algorithm::Sha256Sess)]
#[case(vec![Algorithm::Md5Sess, Algorithm::Sha256Sess, Algorithm::Md5], Algorithm::Sha256Sess)]
fn the_strongest_algorithm_that_is_offered_is_used(
    #[case] algorithms: Vec<Algorithm>,
    #[case] used: Algorithm,
) {
    let mut bench = Bench::with(vec![Conference { algorithms, ..conference() }]);
    bench.joined();
    let sent = bench.said.iter().any(|(request, _)| request.contains(&format!("algorithm={used}, ")));
    assert!(sent, "{:?}", bench.said);
}

#[rstest]
#[case(AnonymousName::Conference)]
#[case(AnonymousName::User)]
#[case(AnonymousName::Address)]
fn each_form_of_a_user_name_is_accepted(#[case] name: AnonymousName) {
    let mut bench = Bench::with(vec![conference()]);
    let config = AnonymousConfig { name, ..AnonymousConfig::new(CONFERENCE, KEY) };
    let mut client = AnonymousClient::new(config, &mut bench.entropy).expect("a conference");
    assert_eq!(bench.talk(&mut client, AnonymousInput::Join), [AnonymousEvent::Joined]);
}

#[test]
fn another_user_name_is_refused() {
    let mut bench = Bench::with(vec![conference()]);
    let challenge = bench.challenge(CONFERENCE);
    let login = Login { username: b"bob", password: KEY.as_bytes() };
    let credential = challenge.answer(login, b"INVITE", CONFERENCE.as_bytes(), b"c", 1).expect("qop is auth");
    let invite = with(bench.request("INVITE", CONFERENCE, "a"), &credential);
    assert_eq!(bench.send(&invite).map(|answer| answer.status), Some(401));
    assert_eq!(bench.last_breach(), Some(&Breach::Digest(DigestError::Username)));
}

/// SIPAE-3.2.5.5-06: it does not loop.
#[test]
fn a_wrong_key_is_tried_once() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.client("123457");
    assert_eq!(bench.talk(&mut client, AnonymousInput::Join), [AnonymousEvent::Refused]);
    let invites = bench.counts().iter().filter(|(method, _)| method == "INVITE").count();
    assert_eq!(invites, 2);
    assert!(bench.breaches().any(|breach| *breach == Breach::Digest(DigestError::Response)));
    assert!(!client.is_joined());
}

/// SIPAE-3.3.5.4-05: nobody learns which conferences there are.
#[test]
fn a_conference_that_does_not_exist_looks_like_a_wrong_key() {
    let answers = [CONFERENCE, OTHER].map(|uri| {
        let mut bench = Bench::with(vec![conference()]);
        let challenge = bench.challenge(uri);
        let login = Login { username: uri.rsplit(':').next().expect("an id").as_bytes(), password: b"wrong" };
        let credential = challenge.answer(login, b"INVITE", uri.as_bytes(), b"c", 1).expect("qop is auth");
        let invite = with(bench.request("INVITE", uri, "a"), &credential);
        let mut again = bench.send(&invite).expect("an answer");
        assert_ne!(again.digest.as_ref().map(|digest| &digest.nonce), Some(&challenge.nonce));
        again.digest.iter_mut().for_each(|digest| (digest.nonce, digest.opaque) = (Vec::new(), None));
        again
    });
    let [known, unknown] = answers;
    assert_eq!((known.status, &known), (401, &unknown));
    assert!(known.digest.is_some_and(|digest| !digest.stale));
}

/// SIPAE-3.2.5.6-02, SIPAE-3.3.5.4-04.
#[test]
fn a_nonce_that_has_expired_costs_one_silent_repeat() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.joined();
    bench.later(800);
    bench.talk(&mut client, AnonymousInput::Request("INFO", None));
    bench.later(200);
    let before = bench.said.len();
    let info = AnonymousEvent::Answered { method: "INFO".to_owned(), status: 200 };
    assert_eq!(bench.talk(&mut client, AnonymousInput::Request("INFO", None)), [info]);
    assert_eq!(bench.said.len() - before, 2);
    assert!(bench.said[before].1[0].contains("stale=true"));
    assert!(bench.said[before + 1].0.contains("nc=00000001"));
}

#[test]
fn a_wrong_key_under_an_expired_nonce_is_not_called_stale() {
    let mut bench = Bench::with(vec![conference()]);
    let challenge = bench.challenge(CONFERENCE);
    bench.later(10_000);
    bench.server.handle(Input::Connected(CONNECTION), bench.now, &mut bench.entropy);
    for (key, is_stale) in [("wrong", false), (KEY, true)] {
        let login = Login { username: b"854T0R7G", password: key.as_bytes() };
        let credential = challenge.answer(login, b"INVITE", CONFERENCE.as_bytes(), b"c", 1).expect("qop");
        let invite = with(bench.request("INVITE", CONFERENCE, "a"), &credential);
        let digest = bench.send(&invite).and_then(|answer| answer.digest).expect("a challenge");
        assert_eq!(digest.stale, is_stale);
    }
}

#[test]
fn a_session_that_is_not_used_ends() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.joined();
    bench.later(901);
    bench.server.handle(Input::Connected(CONNECTION), bench.now, &mut bench.entropy);
    let forbidden = AnonymousEvent::Answered { method: "INFO".to_owned(), status: 403 };
    assert_eq!(bench.talk(&mut client, AnonymousInput::Request("INFO", None)), [forbidden]);
}

/// SIPAE-3.3.5.4-07, SIPAE-3.3.5.1-14: Digest for an INVITE to a conference alone, and success for nobody.
#[rstest]
#[case("REGISTER", CONFERENCE, Some(403))]
#[case("MESSAGE", CONFERENCE, Some(403))]
#[case("SUBSCRIBE", CONFERENCE, Some(403))]
#[case("BYE", CONFERENCE, Some(403))]
#[case("INVITE", "sip:bob@contoso.com", Some(401))]
#[case("REGISTER", "sip:contoso.com", Some(401))]
#[case("ACK", CONFERENCE, None)]
#[case("CANCEL", CONFERENCE, None)]
fn what_opens_no_session_gets_no_digest(
    #[case] method: &str,
    #[case] uri: &str,
    #[case] status: Option<u16>,
) {
    let mut bench = Bench::with(vec![conference()]);
    let bare = bench.request(method, uri, "a");
    let answer = bench.send(&bare);
    assert_eq!(answer.as_ref().map(|answer| answer.status), status);
    assert!(answer.is_none_or(|answer| answer.digest.is_none()));
}

#[test]
fn an_address_of_a_user_gets_no_digest() {
    let mut bench = Bench::with(vec![conference()]);
    let mut bare = bench.request("INVITE", CONFERENCE, "a");
    bare.set(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=a1");
    assert_eq!(bench.send(&bare).map(|answer| answer.schemes), Some(vec!["NTLM".to_owned()]));
}

#[test]
fn a_server_without_conferences_knows_no_digest() {
    let mut bench = Bench::with(Vec::new());
    let bare = bench.request("INVITE", CONFERENCE, "a");
    assert_eq!(bench.send(&bare).map(|answer| answer.schemes), Some(vec!["NTLM".to_owned()]));
}

/// SIPAE-3.3.5.4-06, SIPAE-3.3.5.7-05.
#[test]
fn closed_conferences_and_delegates_are_forbidden() {
    let closed = Conference { admits_anonymous: false, ..conference() };
    let open = Conference::new("bob@contoso.com", "OTHER", KEY);
    let mut bench = Bench::with(vec![closed, open]);
    let bare = bench.request("INVITE", CONFERENCE, "a");
    assert_eq!(bench.send(&bare).map(|answer| answer.status), Some(403));
    let delegate =
        bench.request("INVITE", OTHER, "a").with(HeaderName::PSessionOnBehalfOf, "<sip:bob@contoso.com>");
    assert_eq!(bench.send(&delegate).map(|answer| answer.status), Some(403));
}

/// SIPAE-3.3.5.5-01, -02, -03: each misuse of a good session, and what it is called.
#[rstest]
#[case::replayed("INFO", "INFO", CONFERENCE, 1, "a", DigestError::Replayed { count: 1 })]
#[case::other_method("BYE", "INFO", CONFERENCE, 2, "a", DigestError::Response)]
#[case::other_uri("INFO", "INFO", OTHER, 2, "a", DigestError::Uri)]
#[case::other_address("INVITE", "INVITE", CONFERENCE, 2, "b", DigestError::Holder)]
fn a_session_is_good_for_its_own_requests(
    #[case] method: &str,
    #[case] hashed: &str,
    #[case] uri: &str,
    #[case] nc: u32,
    #[case] user: &str,
    #[case] reason: DigestError,
) {
    let mut bench = Bench::with(vec![conference()]);
    let challenge = bench.opened("a");
    let request = with(bench.request(method, CONFERENCE, user), &answer(&challenge, hashed, uri, nc));
    let refused = bench.send(&request).expect("an answer");
    assert_eq!((refused.status, refused.schemes), (401, vec!["Digest".to_owned()]));
    assert!(refused.digest.is_some_and(|digest| !digest.stale));
    assert_eq!(bench.last_breach(), Some(&Breach::Digest(reason)));
    let good = with(bench.request("INFO", CONFERENCE, "a"), &answer(&challenge, "INFO", CONFERENCE, 2));
    assert_eq!(bench.send(&good).map(|answer| answer.status), Some(200), "the session goes on");
}

/// SIPAE-3.3.5.4-08.
#[test]
fn a_session_is_good_for_its_own_conference() {
    let other = Conference::new("bob@contoso.com", "OTHER", KEY);
    let mut bench = Bench::with(vec![conference(), other]);
    let challenge = bench.opened("a");
    let login = Login { username: b"OTHER", password: KEY.as_bytes() };
    let credential = challenge.answer(login, b"INVITE", OTHER.as_bytes(), b"c", 2).expect("qop is auth");
    let request = with(bench.request("INVITE", OTHER, "a"), &credential);
    assert_eq!(bench.send(&request).map(|answer| answer.status), Some(401));
    assert_eq!(bench.last_breach(), Some(&Breach::Digest(DigestError::Holder)));
}

#[test]
fn gaps_in_the_count_are_legal() {
    let mut bench = Bench::with(vec![conference()]);
    let challenge = bench.opened("a");
    for (nc, status) in [(5, 200), (4, 401), (1000, 200)] {
        let request =
            with(bench.request("OPTIONS", CONFERENCE, "a"), &answer(&challenge, "OPTIONS", CONFERENCE, nc));
        assert_eq!(bench.send(&request).map(|answer| answer.status), Some(status), "{nc}");
    }
}

/// SIPAE-3.3.5.5-03: a wrong credential does not make it answer, and does not end the session.
#[test]
fn a_wrong_ack_is_dropped() {
    let mut bench = Bench::with(vec![conference()]);
    let challenge = bench.opened("a");
    let forged = with(bench.request("ACK", CONFERENCE, "a"), &answer(&challenge, "INVITE", CONFERENCE, 2));
    assert_eq!(bench.send(&forged), None);
    let good = with(bench.request("INFO", CONFERENCE, "a"), &answer(&challenge, "INFO", CONFERENCE, 2));
    assert_eq!(bench.send(&good).map(|answer| answer.status), Some(200));
}

#[test]
fn a_bye_outside_of_the_dialog_ends_nothing() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.joined();
    let challenge = {
        let answer = &bench.said[0].1[0];
        Answer::of(answer.as_bytes()).digest.expect("a challenge")
    };
    let user = client.address().split('@').next().expect("a user").to_owned();
    let mut bye = bench.request("BYE", CONFERENCE, &user);
    bye.set(HeaderName::From, format!("<sip:{user}@anonymous.invalid>;tag=1;epid=01010101"));
    bye.set(HeaderName::To, format!("<{CONFERENCE}>;tag=another"));
    let bye = with(bye, &answer(&challenge, "BYE", CONFERENCE, 3));
    assert_eq!(bench.send(&bye).map(|answer| answer.status), Some(481));
    // Its own count is behind now: the nonce is new once.
    assert_eq!(bench.talk(&mut client, AnonymousInput::Leave), [AnonymousEvent::Left]);
}

#[test]
fn a_flood_of_strangers_ends_no_session() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.joined();
    for _ in 0..2 * Focus::CAPACITY {
        bench.challenge(CONFERENCE);
        bench.said.clear();
    }
    assert!(bench.server.focus.nonces.len() <= Focus::CAPACITY + 1);
    assert_eq!(bench.talk(&mut client, AnonymousInput::Leave), [AnonymousEvent::Left]);
    assert_eq!(bench.said.len(), 1);
}

/// SIPAE-3.2.4.3-01.
#[test]
fn only_conferences_are_joined_and_only_by_those_who_have_not_registered() {
    let mut entropy = Counted(1);
    let user = AnonymousConfig::new("sip:bob@contoso.com", KEY);
    assert_eq!(AnonymousClient::new(user, &mut entropy).err(), Some(JoinError::NoConference));
    let registered = AnonymousConfig { is_registered: true, ..AnonymousConfig::new(CONFERENCE, KEY) };
    assert_eq!(AnonymousClient::new(registered, &mut entropy).err(), Some(JoinError::Registered));
}

/// SIPAE-3.2.4.3-02, -03, -04.
#[test]
fn each_join_has_an_address_of_its_own() {
    let mut bench = Bench::with(vec![conference()]);
    let (first, second) = (bench.joined().address(), bench.joined().address());
    assert_ne!(first, second);
    let user = first.strip_suffix("@anonymous.invalid").expect("an anonymous address");
    assert!(user.len() == 32 && user.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f')));
    let contact = format!("Contact: <sip:{first}>;proxy=replace;+sip.instance=\"<urn:uuid:");
    assert!(bench.said[0].0.contains(&contact) && bench.said[0].0.contains(";epid=01010101"));
}

/// A client whose INVITE is out, and that INVITE.
fn inviting(entropy: &mut Counted) -> (AnonymousClient, Vec<u8>) {
    let mut client =
        AnonymousClient::new(AnonymousConfig::new(CONFERENCE, KEY), entropy).expect("a conference");
    let invite = sent(&client.handle(AnonymousInput::Join, entropy)).remove(0);
    (client, invite)
}

fn sent(outputs: &[AnonymousOutput]) -> Vec<Vec<u8>> {
    let octets = outputs.iter().filter_map(|output| match output {
        AnonymousOutput::Send(octets) => Some(octets.clone()),
        _ => None,
    });
    octets.collect()
}

fn response(request: &[u8], status: u16, challenges: &[&str]) -> Vec<u8> {
    let request = Message::parse(request, &Limits::NONE).expect("a message");
    let mut draft = Draft::response_to(&request, status, "f");
    for challenge in challenges {
        draft.push(HeaderName::WwwAuthenticate, *challenge);
    }
    draft.close().to_octets()
}

/// The credential of the request that follows a challenge.
fn answered(challenges: &[&str]) -> Option<DigestCredential> {
    let mut entropy = Counted(3);
    let (mut client, invite) = inviting(&mut entropy);
    let challenge = response(&invite, 401, challenges);
    let messages = sent(&client.handle(AnonymousInput::Received(&challenge), &mut entropy));
    let credential = messages.iter().find_map(|octets| {
        let message = Message::parse(octets, &Limits::NONE).expect("a message");
        message
            .first(HeaderName::Authorization)
            .map(|value| DigestCredential::read(value).expect("a credential"))
    });
    assert!(credential.is_some() || messages.len() == 1, "the ACK alone");
    credential
}

const OWN: &str =
    "Digest realm=\"bob@contoso.com\", nonce=\"n\", opaque=\"0C1D4536\", algorithm=MD5-sess, qop=\"auth\"";
const STRONG: &str = "Digest realm=\"bob@contoso.com\", nonce=\"s\", algorithm=SHA-256-sess, qop=\"auth\"";
const UNKNOWN: &str = "Digest realm=\"bob@contoso.com\", nonce=\"u\", algorithm=SHA3, qop=\"auth\"";
const FOREIGN: &str = "Digest realm=\"mallory@contoso.com\", nonce=\"n\", algorithm=MD5-sess, qop=\"auth\"";
const NTLM: &str = "NTLM realm=\"SIP Communications Service\", targetname=\"server.contoso.com\", version=4";

/// SIPAE-3.2.5.5-01, -03, -05.
#[rstest]
#[case(&[OWN], Some("n"))]
#[case(&[NTLM, OWN], Some("n"))]
#[case(&[OWN, STRONG], Some("s"))]
#[case(&[UNKNOWN, OWN], Some("n"))]
#[case(&[FOREIGN, OWN], Some("n"))]
#[case(&[FOREIGN], None)]
#[case(&[UNKNOWN], None)]
#[case(&[NTLM], None)]
#[case(&[], None)]
fn the_strongest_usable_challenge_is_answered(#[case] challenges: &[&str], #[case] nonce: Option<&str>) {
    let credential = answered(challenges);
    assert_eq!(credential.as_ref().map(|own| own.nonce.as_slice()), nonce.map(str::as_bytes));
    if let Some(own) = credential.filter(|own| own.nonce == b"n") {
        assert_eq!(own.opaque.as_deref(), Some(&b"0C1D4536"[..]));
        assert_eq!(own.uri, CONFERENCE.as_bytes());
    }
}

/// What the client has noticed at the end, and how many requests with a credential it has sent, when each of them is
/// answered with the next challenge.
fn challenged(challenges: &[&str]) -> (Vec<AnonymousEvent>, usize) {
    let mut entropy = Counted(3);
    let (mut client, mut request) = inviting(&mut entropy);
    let (mut events, mut credentials) = (Vec::new(), 0);
    for challenge in challenges {
        let octets = response(&request, 401, &[challenge]);
        let outputs = client.handle(AnonymousInput::Received(&octets), &mut entropy);
        events.extend(outputs.iter().filter_map(|output| match output {
            AnonymousOutput::Event(event) => Some(event.clone()),
            _ => None,
        }));
        if let Some(next) = sent(&outputs).into_iter().find(|octets| octets.starts_with(b"INVITE")) {
            credentials += 1;
            request = next;
        }
    }
    (events, credentials)
}

#[rstest]
#[case::refused(&["nonce=\"1\"", "nonce=\"2\""], 1)]
#[case::stale(&["nonce=\"1\"", "nonce=\"2\", stale=true", "nonce=\"3\""], 2)]
#[case::stale_twice(&["nonce=\"1\"", "nonce=\"2\", stale=true", "nonce=\"3\", stale=true"], 2)]
#[case::stale_with_the_same_nonce(&["nonce=\"1\"", "nonce=\"1\", stale=true"], 1)]
fn a_client_gives_up_after_one_refusal(#[case] rest: &[&str], #[case] credentials: usize) {
    let challenges: Vec<String> =
        rest.iter().map(|rest| format!("Digest realm=\"bob@contoso.com\", qop=\"auth\", {rest}")).collect();
    let challenges: Vec<&str> = challenges.iter().map(String::as_str).collect();
    assert_eq!(challenged(&challenges), (vec![AnonymousEvent::Refused], credentials));
}

#[rstest]
#[case(HeaderName::CallId, "another")]
#[case(HeaderName::CSeq, "2 INVITE")]
#[case(HeaderName::CSeq, "1 BYE")]
#[case(HeaderName::Via, "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKanother")]
fn an_answer_to_something_else_is_discarded(#[case] name: HeaderName, #[case] value: &str) {
    let mut entropy = Counted(3);
    let (mut client, invite) = inviting(&mut entropy);
    let octets = response(&invite, 200, &[]);
    let mut draft = Draft::from_message(&Message::parse(&octets, &Limits::NONE).expect("a message"));
    draft.set(name, value);
    let outputs = client.handle(AnonymousInput::Received(&draft.to_octets()), &mut entropy);
    assert!(matches!(&outputs[..], [AnonymousOutput::Event(AnonymousEvent::Discarded(_))]), "{outputs:?}");
    assert!(!client.is_joined());
}

#[test]
fn nothing_is_sent_outside_of_a_dialog_and_no_join_within_one() {
    let mut bench = Bench::with(vec![conference()]);
    let mut client = bench.client(KEY);
    assert_eq!(bench.talk(&mut client, AnonymousInput::Leave), [AnonymousEvent::NotSent]);
    assert_eq!(bench.talk(&mut client, AnonymousInput::Request("INFO", None)), [AnonymousEvent::NotSent]);
    let mut client = bench.joined();
    assert_eq!(bench.talk(&mut client, AnonymousInput::Join), [AnonymousEvent::NotSent]);
}

#[test]
fn a_key_is_never_shown() {
    let shown = format!("{:?} {:?}", conference(), AnonymousConfig::new(CONFERENCE, KEY));
    assert!(shown.contains("854T0R7G") && !shown.contains(KEY), "{shown}");
}

proptest! {
    #[test]
    fn no_credential_makes_the_server_panic_or_open(octets in proptest::collection::vec(any::<u8>(), 0..120)) {
        prop_assume!(!octets.contains(&b'\n'));
        let mut bench = Bench::with(vec![conference()]);
        let value = [b"Digest realm=\"bob@contoso.com\", ".as_slice(), &octets].concat();
        let invite = bench.request("INVITE", CONFERENCE, "a").with(HeaderName::Authorization, value);
        let answer = bench.send(&invite);
        prop_assert!(answer.is_some_and(|answer| answer.status != 200));
    }

    #[test]
    fn no_challenge_makes_the_client_panic(octets in proptest::collection::vec(any::<u8>(), 0..120)) {
        prop_assume!(!octets.contains(&b'\n'));
        let mut entropy = Counted(3);
        let (mut client, invite) = inviting(&mut entropy);
        let request = Message::parse(&invite, &Limits::NONE).expect("a message");
        let value = [b"Digest realm=\"bob@contoso.com\", nonce=\"n\", ".as_slice(), &octets].concat();
        let draft = Draft::response_to(&request, 401, "f").with(HeaderName::WwwAuthenticate, value.as_slice()).close();
        let is_usable = DigestChallenge::read(Value(&value)).is_ok();
        let outputs = client.handle(AnonymousInput::Received(&draft.to_octets()), &mut entropy);
        prop_assert!(is_usable || sent(&outputs).len() <= 1);
    }
}

/// What each planted bug lets through; the right server answers otherwise.
#[cfg(feature = "defects")]
mod planted {
    use super::*;
    use crate::defects::Defects;

    fn bench(defect: Option<Defect>, conferences: Vec<Conference>) -> Bench {
        let defects = defect.map_or(Defects::NONE, Defects::only);
        Bench::new(ServerConfig { defects, ..config(conferences) })
    }

    fn digest(bench: &mut Bench) -> (DigestChallenge, bool) {
        let bare = bench.request("INVITE", CONFERENCE, "a");
        let answer = bench.send(&bare).expect("an answer");
        (answer.digest.expect("a challenge"), answer.has_date)
    }

    #[rstest]
    #[case(Defect::DigestRealmOfServer, |(digest, _): (DigestChallenge, bool)| digest.realm == b"bob@contoso.com")]
    #[case(Defect::DigestWithoutQop, |(digest, _): (DigestChallenge, bool)| digest.qop.is_some())]
    #[case(Defect::DigestWithoutDate, |(_, has_date): (DigestChallenge, bool)| has_date)]
    #[case(Defect::OffersPlainMd5, |(digest, _): (DigestChallenge, bool)| digest.algorithm == Some(Algorithm::Md5Sess))]
    fn a_challenge_is_wrong(#[case] defect: Defect, #[case] is_right: fn((DigestChallenge, bool)) -> bool) {
        assert!(is_right(digest(&mut bench(None, vec![conference()]))));
        assert!(!is_right(digest(&mut bench(Some(defect), vec![conference()]))));
    }

    #[test]
    fn a_nonce_comes_again() {
        let mut bench = bench(Some(Defect::NonceRepeats), vec![conference()]);
        assert_eq!(digest(&mut bench).0.nonce, digest(&mut bench).0.nonce);
    }

    #[test]
    fn a_wrong_key_is_called_stale() {
        let mut bench = bench(Some(Defect::WrongPinIsStale), vec![conference()]);
        let mut client = bench.client("wrong");
        assert_eq!(bench.talk(&mut client, AnonymousInput::Join), [AnonymousEvent::Refused]);
        assert!(
            bench.said.iter().any(|(_, answers)| answers.iter().any(|answer| answer.contains("stale=true")))
        );
    }

    /// The status of one request of a kind that the right server refuses.
    fn misuse(
        defect: Option<Defect>,
        method: &str,
        user: &str,
        change: fn(&DigestChallenge) -> DigestCredential,
    ) -> u16 {
        let mut bench = bench(defect, vec![conference()]);
        let challenge = bench.opened("a");
        let request = with(bench.request(method, CONFERENCE, user), &change(&challenge));
        bench.send(&request).map_or(0, |answer| answer.status)
    }

    #[rstest]
    #[case(Defect::AcceptsWrongDigest, "INFO", "a", |challenge: &DigestChallenge| {
        DigestCredential { response: b"0".to_vec(), ..answer(challenge, "INFO", CONFERENCE, 2) }
    })]
    #[case(Defect::AcceptsAnyDigestRealm, "INFO", "a", |challenge: &DigestChallenge| {
        let other = DigestChallenge { realm: b"another".to_vec(), ..challenge.clone() };
        answer(&other, "INFO", CONFERENCE, 2)
    })]
    #[case(Defect::AcceptsReplayedCount, "INFO", "a", |challenge: &DigestChallenge| answer(challenge, "INFO", CONFERENCE, 1))]
    #[case(Defect::IgnoresDigestUri, "INFO", "a", |challenge: &DigestChallenge| answer(challenge, "INFO", OTHER, 2))]
    #[case(Defect::IgnoresDigestMethod, "INFO", "a", |challenge: &DigestChallenge| answer(challenge, "INVITE", CONFERENCE, 2))]
    #[case(Defect::NonceForEverybody, "INVITE", "b", |challenge: &DigestChallenge| answer(challenge, "INVITE", CONFERENCE, 2))]
    fn a_credential_is_accepted(
        #[case] defect: Defect,
        #[case] method: &str,
        #[case] user: &str,
        #[case] change: fn(&DigestChallenge) -> DigestCredential,
    ) {
        assert_eq!(misuse(None, method, user, change), 401);
        assert_eq!(misuse(Some(defect), method, user, change), 200);
    }

    #[rstest]
    #[case(None, 401)]
    #[case(Some(Defect::NonceNeverExpires), 200)]
    fn a_nonce_is_accepted_after_its_end(#[case] defect: Option<Defect>, #[case] status: u16) {
        let mut bench = bench(defect, vec![conference()]);
        let challenge = bench.challenge(CONFERENCE);
        bench.later(1000);
        bench.server.handle(Input::Connected(CONNECTION), bench.now, &mut bench.entropy);
        let invite =
            with(bench.request("INVITE", CONFERENCE, "a"), &answer(&challenge, "INVITE", CONFERENCE, 1));
        assert_eq!(bench.send(&invite).map(|answer| answer.status), Some(status));
    }

    #[rstest]
    #[case(None, Some(403))]
    #[case(Some(Defect::AdmitsToClosedConference), Some(401))]
    fn a_closed_conference_is_joined(#[case] defect: Option<Defect>, #[case] status: Option<u16>) {
        let mut bench = bench(defect, vec![Conference { admits_anonymous: false, ..conference() }]);
        let bare = bench.request("INVITE", CONFERENCE, "a");
        assert_eq!(bench.send(&bare).map(|answer| answer.status), status);
    }

    #[rstest]
    #[case(None, Some(403))]
    #[case(Some(Defect::AnyMethodJoins), Some(401))]
    fn a_message_opens_a_session(#[case] defect: Option<Defect>, #[case] status: Option<u16>) {
        let mut bench = bench(defect, vec![conference()]);
        let bare = bench.request("MESSAGE", CONFERENCE, "a");
        assert_eq!(bench.send(&bare).map(|answer| answer.status), status);
    }

    #[rstest]
    #[case(None, Some(401))]
    #[case(Some(Defect::SessionForEveryConference), Some(200))]
    fn a_session_opens_other_conferences(#[case] defect: Option<Defect>, #[case] status: Option<u16>) {
        let mut bench =
            bench(defect, vec![conference(), Conference::new("bob@contoso.com", "OTHER", "another")]);
        bench.opened("a");
        let bare = bench.request("INVITE", OTHER, "a");
        assert_eq!(bench.send(&bare).map(|answer| answer.status), status);
    }

    #[rstest]
    #[case(None, None)]
    #[case(Some(Defect::ChallengesAnonymousAck), Some(401))]
    fn an_ack_is_challenged(#[case] defect: Option<Defect>, #[case] status: Option<u16>) {
        let mut bench = bench(defect, vec![conference()]);
        let bare = bench.request("ACK", CONFERENCE, "a");
        assert_eq!(bench.send(&bare).map(|answer| answer.status), status);
    }
}
