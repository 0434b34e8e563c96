//! The reference client with a server that is played by hand, so that it can do what no server should.

use std::time::Duration;

use rstest::rstest;
use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, AuthParam, AuthWriter, Scheme, Style};
use sipae::client::{Client, ClientConfig, ClientEvent, Input, NotSent, Output};
use sipae::clock::Time;
use sipae::draft::Draft;
use sipae::encoding::encode_base64;
use sipae::message::{HeaderName, Limits, Message, Value};
use sipae::ntlm::{Authenticate, Challenge, NegotiateFlags, NtlmError};
use sipae::sa::{Context, Parameters, SecurityAssociation, SignOptions};
use sipae::side::Side;
use sipae::version::Version;
use sipae::violation::Breach;
use sipae_testsuite::conversation::{Counted, NOW, message};

const OPAQUE: &str = "357E6F72";

/// A client, and a server with the keys that follow from the client's AUTHENTICATE.
struct Bench {
    client: Client,
    entropy: Counted,
    now: Time,
    events: Vec<ClientEvent>,
    /// How many messages the client has sent.
    sent: usize,
    /// The last of them.
    request: Vec<u8>,
    kind: ChallengeKind,
    parameters: Parameters,
    challenge: Challenge,
    association: Option<SecurityAssociation>,
}

fn alice() -> ClientConfig {
    ClientConfig::new("alice", "CONTOSO", "alice-secret", "alice@contoso.com")
}

fn parameters(version: Version) -> Parameters {
    Parameters {
        scheme: Scheme::Ntlm,
        realm: b"SIP Communications Service".to_vec(),
        targetname: b"server.contoso.com".to_vec(),
        version,
    }
}

fn read<T>(octets: &[u8], read: impl FnOnce(&Message<'_>) -> T) -> T {
    read(&Message::parse(octets, &Limits::DEFAULT).expect("a message"))
}

fn header(octets: &[u8], name: HeaderName) -> Option<String> {
    read(octets, |message| message.first(name).map(Value::to_text))
}

impl Bench {
    fn new(config: ClientConfig, version: Version) -> Self {
        let mut entropy = Counted(0);
        Self {
            client: Client::new(config, &mut entropy),
            entropy,
            now: NOW,
            events: vec![],
            sent: 0,
            request: vec![],
            kind: ChallengeKind::Www,
            parameters: parameters(version),
            challenge: Challenge::default(),
            association: None,
        }
    }

    /// A client that has registered for 7200 seconds.
    fn established() -> Self {
        Self::granted(alice(), Some(7200))
    }

    fn granted(config: ClientConfig, expires: Option<u32>) -> Self {
        let mut bench = Self::new(config, Version::V4);
        bench.register(expires);
        bench
    }

    fn register(&mut self, expires: Option<u32>) {
        self.completing();
        let answer = self.ok(expires);
        self.receive_signed(answer);
        assert!(self.client.is_established(), "{:?}", self.events);
        self.events.clear();
    }

    /// Up to the AUTHENTICATE.
    fn completing(&mut self) {
        self.client(Input::Register);
        self.continue_to_completing();
    }

    fn continue_to_completing(&mut self) {
        self.receive(&self.fresh());
        let continuation = self.continuation(&self.parameters, OPAQUE);
        self.receive(&continuation);
        self.take_keys();
    }

    /// How many messages the client sends.
    fn client(&mut self, input: Input<'_>) -> usize {
        let before = self.sent;
        for output in self.client.handle(input, self.now, &mut self.entropy) {
            match output {
                Output::Send(octets) => {
                    self.sent += 1;
                    self.request = octets;
                }
                Output::Event(event) => self.events.push(event),
                Output::Close => {}
            }
        }
        self.sent - before
    }

    fn receive(&mut self, draft: &Draft) -> usize {
        self.client(Input::Received(&draft.clone().close().to_octets()))
    }

    fn receive_signed(&mut self, draft: Draft) -> usize {
        let signed = self.signed(draft);
        self.receive(&signed)
    }

    fn tick_after(&mut self, duration: Duration) -> usize {
        self.now = self.now.plus(duration);
        self.client(Input::Tick)
    }

    fn answer(&self, status: u16) -> Draft {
        read(&self.request, |request| Draft::response_to(request, status, "E7B5C3A1"))
    }

    fn ok(&self, expires: Option<u32>) -> Draft {
        let mut answer = self.answer(200);
        if let Some(expires) = expires {
            answer.push(HeaderName::Expires, expires.to_string());
        }
        answer
    }

    /// A challenge that begins a handshake.
    fn fresh(&self) -> Draft {
        let line = line(&self.parameters).write(&Style::CANONICAL);
        self.answer(self.kind.status()).with(self.kind.challenge(), line)
    }

    fn continuation(&self, parameters: &Parameters, opaque: &str) -> Draft {
        self.answer(self.kind.status()).with(self.kind.challenge(), self.token_line(parameters, opaque))
    }

    fn token_line(&self, parameters: &Parameters, opaque: &str) -> Vec<u8> {
        let token = encode_base64(&self.challenge.write(&Challenge::PAYLOAD));
        let line = line(parameters).param(AuthParam::Opaque, opaque).param(AuthParam::GssapiData, token);
        line.write(&Style::CANONICAL)
    }

    fn take_keys(&mut self) {
        let token = read(&self.request, |request| {
            let credential = request.first(self.kind.credential()).expect("a credential");
            AuthHeader::read(credential).token().ok().flatten().expect("a token")
        });
        let authenticate = Authenticate::read(&token).expect("an AUTHENTICATE");
        let keys = authenticate.verify(&self.challenge, "alice-secret").expect("the right password");
        let context = Context::ntlm(&keys).expect("a context that signs");
        let (parameters, opaque) = (self.parameters.clone(), OPAQUE.as_bytes().to_vec());
        self.association = Some(SecurityAssociation::new(parameters, opaque, Side::Server, context));
    }

    fn signed(&mut self, draft: Draft) -> Draft {
        self.signed_with(draft, None)
    }

    fn signed_with(&mut self, mut draft: Draft, number: Option<u32>) -> Draft {
        let mut options = SignOptions::new(self.kind.signature());
        options.number = number;
        let association = self.association.as_mut().expect("an association");
        association.sign(&mut draft, [0x1B, 0x6D, 0x47, 0xA1], &options).expect("a message fit for signing");
        draft
    }

    fn verified(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, ClientEvent::Verified(_))).count()
    }

    fn last_breach(&self) -> Option<&Breach> {
        match self.events.last()? {
            ClientEvent::Discarded(violation) | ClientEvent::Failed(violation) => Some(&violation.breach),
            _ => None,
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self.events.last(), Some(ClientEvent::Failed(_))) && !self.client.is_established()
    }

    /// Whether the last request begins a new authentication.
    fn is_bare_register(&self) -> bool {
        self.request.starts_with(b"REGISTER") && header(&self.request, self.kind.credential()).is_none()
    }
}

fn line(parameters: &Parameters) -> AuthWriter {
    AuthWriter::new(parameters.scheme)
        .param(AuthParam::Realm, &parameters.realm)
        .param(AuthParam::Targetname, &parameters.targetname)
        .optional(AuthParam::Version, parameters.version.param())
}

/// The client's MESSAGE in a call of its own.
fn message_in(call_id: &str) -> Draft {
    let mut draft = message();
    draft.set(HeaderName::CallId, call_id);
    draft
}

/// A MESSAGE of the server to the client.
fn request(call_id: &str) -> Draft {
    Draft::request("MESSAGE", "sip:127.0.0.1:5060;transport=tcp")
        .with(HeaderName::Via, "SIP/2.0/TCP server.contoso.com;branch=z9hG4bKserver")
        .with(HeaderName::From, "<sip:bob@contoso.com>;tag=bob;epid=02020202")
        .with(HeaderName::To, "<sip:alice@contoso.com>;epid=01010101")
        .with(HeaderName::CallId, call_id)
        .with(HeaderName::CSeq, "1 MESSAGE")
        .close()
}

#[rstest]
fn a_client_completes_the_handshake_of_a_server_played_by_hand(
    #[values(Version::V2, Version::V3, Version::V4)] version: Version,
    #[values(ChallengeKind::Www, ChallengeKind::Proxy)] kind: ChallengeKind,
) {
    let mut bench = Bench::new(alice(), version);
    bench.kind = kind;
    bench.register(Some(7200));
    assert_eq!(bench.sent, 3);
}

mod challenges {
    use super::*;

    /// SIPAE-3.2.5.1-20.
    #[rstest]
    #[case::realm(|parameters: &mut Parameters| parameters.realm.make_ascii_lowercase())]
    #[case::targetname(|parameters: &mut Parameters| parameters.targetname = b"other.contoso.com".to_vec())]
    #[case::version(|parameters: &mut Parameters| parameters.version = Version::V3)]
    #[case::scheme(|parameters: &mut Parameters| parameters.scheme = Scheme::Kerberos)]
    fn a_continuation_with_other_parameters_is_not_answered(#[case] change: fn(&mut Parameters)) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.client(Input::Register);
        bench.receive(&bench.fresh());
        let mut other = bench.parameters.clone();
        change(&mut other);
        let continuation = bench.continuation(&other, OPAQUE);
        assert_eq!(bench.receive(&continuation), 0);
        assert_eq!(bench.last_breach(), Some(&Breach::NoUsableChallenge));
        assert!(bench.has_failed());
    }

    /// SIPAE-3.2.5.1-19.
    #[rstest]
    fn a_continuation_is_found_among_the_lines_of_other_targets(#[values(false, true)] own_first: bool) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.client(Input::Register);
        bench.receive(&bench.fresh());
        let mut other = bench.parameters.clone();
        other.targetname = b"other.contoso.com".to_vec();
        let mut lines = [bench.token_line(&other, "FFFFFFFF"), bench.token_line(&bench.parameters, OPAQUE)];
        if own_first {
            lines.reverse();
        }
        let [first, second] = lines;
        let challenge = bench.answer(401).with(HeaderName::WwwAuthenticate, first);
        assert_eq!(bench.receive(&challenge.with(HeaderName::WwwAuthenticate, second)), 1);
        let credential = header(&bench.request, HeaderName::Authorization).expect("a credential");
        assert!(credential.contains("targetname=\"server.contoso.com\""), "{credential}");
        assert!(credential.contains("opaque=\"357E6F72\""), "{credential}");
    }

    /// SIPAE-3.2.5.1-31.
    #[rstest]
    fn a_version_weaker_than_the_client_may_use_is_not_answered(
        #[values(Version::V2, Version::V3, Version::V4)] offered: Version,
        #[values(Version::V2, Version::V3, Version::V4)] weakest: Version,
    ) {
        let mut config = alice();
        config.weakest = weakest;
        let mut bench = Bench::new(config, offered);
        bench.client(Input::Register);
        let answered = bench.receive(&bench.fresh());
        assert_eq!(answered == 1, weakest <= offered);
        assert_eq!(bench.has_failed(), offered < weakest);
    }

    /// SIPAE-3.2.5.1-10: abort, no reply with rubbish.
    #[rstest]
    #[case("DATAGRAM")]
    #[case("KEY_EXCH")]
    #[case("SIGN")]
    fn a_challenge_that_cannot_make_a_connectionless_context_is_not_answered(#[case] flag: &'static str) {
        let mut bench = Bench::new(alice(), Version::V4);
        let missing = NegotiateFlags::from_name(flag).expect("a flag");
        bench.challenge.flags = NegotiateFlags::SERVER.without(missing);
        bench.client(Input::Register);
        bench.receive(&bench.fresh());
        let continuation = bench.continuation(&bench.parameters, OPAQUE);
        assert_eq!(bench.receive(&continuation), 0);
        assert_eq!(bench.last_breach(), Some(&Breach::Ntlm(NtlmError::FlagClear { flag })));
        assert!(bench.has_failed());
    }

    /// SIPAE-3.2.5.1-21, -29: no more requests than the handshake has.
    #[rstest]
    #[case::fresh_ones(|_: usize| false, 2)]
    #[case::continuations(|_: usize| true, 1)]
    #[case::a_fresh_one_and_continuations(|round: usize| round != 0, 3)]
    #[case::fresh_ones_after_the_last_step(|round: usize| round == 1, 3)]
    fn challenges_without_end_end_the_handshake(
        #[case] is_continuation: fn(usize) -> bool,
        #[case] sent: usize,
    ) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.client(Input::Register);
        for round in 0..20 {
            let continuation = bench.continuation(&bench.parameters, OPAQUE);
            let challenge = if is_continuation(round) { continuation } else { bench.fresh() };
            bench.receive(&challenge);
        }
        assert_eq!(bench.sent, sent);
        assert!(!bench.client.is_established());
        let failed = bench.events.iter().filter(|event| matches!(event, ClientEvent::Failed(_)));
        assert_eq!(failed.count(), 1, "{:?}", bench.events);
    }

    #[rstest]
    #[case::of_another_call(HeaderName::CallId, "another")]
    #[case::of_another_cseq(HeaderName::CSeq, "9 REGISTER")]
    #[case::of_another_method(HeaderName::CSeq, "1 MESSAGE")]
    fn a_challenge_is_discarded_when_it_is(#[case] name: HeaderName, #[case] value: &str) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.client(Input::Register);
        let mut challenge = bench.fresh();
        challenge.set(name, value);
        assert_eq!(bench.receive(&challenge), 0);
        assert_eq!(bench.last_breach(), Some(&Breach::NoAssociation));
        assert_eq!(bench.receive(&bench.fresh()), 1);
    }
}

mod signatures {
    use super::*;

    type Edit = fn(&mut Bench, Draft) -> Draft;

    fn edited(draft: &Draft, from: &str, to: &str) -> Draft {
        let mut edited = draft.clone();
        let value = String::from_utf8(draft.get(HeaderName::AuthenticationInfo).expect("signed").to_vec());
        let value = value.expect("text");
        assert!(value.contains(from), "{value}");
        edited.set(HeaderName::AuthenticationInfo, value.replacen(from, to, 1));
        edited
    }

    fn unsigned(_: &mut Bench, draft: Draft) -> Draft {
        draft
    }

    fn forged(bench: &mut Bench, draft: Draft) -> Draft {
        edited(&bench.signed(draft), "rspauth=\"0100", "rspauth=\"0000")
    }

    fn without_signature(bench: &mut Bench, draft: Draft) -> Draft {
        edited(&bench.signed(draft), "rspauth", "other")
    }

    fn altered(bench: &mut Bench, draft: Draft) -> Draft {
        let mut signed = bench.signed(draft);
        signed.set(HeaderName::Expires, "1");
        signed
    }

    fn of_another_realm(bench: &mut Bench, draft: Draft) -> Draft {
        signed_as(bench, draft, |parameters| parameters.realm = b"another".to_vec())
    }

    fn of_another_target(bench: &mut Bench, draft: Draft) -> Draft {
        signed_as(bench, draft, |parameters| parameters.targetname = b"other.contoso.com".to_vec())
    }

    fn of_another_scheme(bench: &mut Bench, draft: Draft) -> Draft {
        signed_as(bench, draft, |parameters| parameters.scheme = Scheme::Kerberos)
    }

    /// With the right key, so that the signature itself is good.
    fn signed_as(bench: &mut Bench, draft: Draft, change: fn(&mut Parameters)) -> Draft {
        let right = bench.association.clone().expect("an association");
        let association = bench.association.as_mut().expect("an association");
        change(&mut association.parameters);
        let signed = bench.signed(draft);
        bench.association = Some(right);
        signed
    }

    fn by_the_client(bench: &mut Bench, draft: Draft) -> Draft {
        let right = bench.association.clone().expect("an association");
        let association = bench.association.as_mut().expect("an association");
        let Context::Ntlm { client, .. } = association.context.clone() else { return draft };
        association.context = Context::Ntlm { client: client.clone(), server: client };
        let signed = bench.signed(draft);
        bench.association = Some(right);
        signed
    }

    fn replayed(bench: &mut Bench, draft: Draft) -> Draft {
        bench.signed_with(draft, Some(1))
    }

    /// SIPAE-3.2.5.2-02, -08, -11, -18, -21: a bad one changes nothing, and the good one after it counts.
    #[rstest]
    #[case::unsigned(unsigned, Breach::Unsigned)]
    #[case::forged(forged, Breach::Signature)]
    #[case::without_signature(without_signature, Breach::ParamMissing { param: AuthParam::Rspauth })]
    #[case::altered(altered, Breach::Signature)]
    #[case::of_another_realm(of_another_realm, Breach::Unsigned)]
    #[case::of_another_target(of_another_target, Breach::Unsigned)]
    #[case::of_another_scheme(of_another_scheme, Breach::Unsigned)]
    #[case::by_the_client(by_the_client, Breach::Signature)]
    fn a_final_answer_establishes_nothing_when_it_is(#[case] edit: Edit, #[case] breach: Breach) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.completing();
        let answer = bench.ok(Some(7200));
        let bad = edit(&mut bench, answer.clone());
        assert_eq!(bench.receive(&bad), 0);
        assert_eq!(bench.last_breach(), Some(&breach));
        assert!(!bench.client.is_established());
        bench.receive_signed(answer);
        assert!(bench.client.is_established());
    }

    #[rstest]
    #[case::unsigned(unsigned, Breach::Unsigned)]
    #[case::forged(forged, Breach::Signature)]
    #[case::without_signature(without_signature, Breach::ParamMissing { param: AuthParam::Rspauth })]
    #[case::altered(altered, Breach::Signature)]
    #[case::of_another_realm(of_another_realm, Breach::Unsigned)]
    #[case::of_another_target(of_another_target, Breach::Unsigned)]
    #[case::of_another_scheme(of_another_scheme, Breach::Unsigned)]
    #[case::by_the_client(by_the_client, Breach::Signature)]
    #[case::replayed(replayed, Breach::Replayed { number: 1 })]
    fn a_response_or_request_is_not_passed_on_when_it_is(
        #[case] edit: Edit,
        #[case] breach: Breach,
        #[values(false, true)] is_request: bool,
    ) {
        let mut bench = Bench::established();
        bench.client(Input::Send(&message()));
        let draft = if is_request { request("to-alice") } else { bench.answer(200) };
        let bad = edit(&mut bench, draft.clone());
        assert_eq!(bench.receive(&bad), 0);
        assert_eq!((bench.last_breach(), bench.verified()), (Some(&breach), 0));
        assert_eq!(bench.receive_signed(draft), usize::from(is_request));
        assert_eq!(bench.verified(), 1);
    }

    /// SIPAE-3.2.5.2-09.
    #[test]
    fn a_message_is_passed_on_once() {
        let mut bench = Bench::established();
        let signed = bench.signed(request("to-alice"));
        assert_eq!([bench.receive(&signed), bench.receive(&signed)], [1, 0]);
        assert_eq!(bench.verified(), 1);
    }

    /// SIPAE-3.2.5.2-24: the start line is not covered.
    #[test]
    fn a_request_whose_method_is_not_that_of_its_cseq_is_not_processed() {
        let mut bench = Bench::established();
        let signed = bench.signed(request("to-alice"));
        let mut altered = signed.clone();
        altered.start_line = b"INVITE sip:127.0.0.1:5060 SIP/2.0".to_vec();
        assert_eq!((bench.receive(&altered), bench.verified()), (0, 0));
        assert_eq!(bench.receive(&signed), 1);
    }

    /// SIPAE-3.2.1-04: even a good signature counts only on the answer that completes the handshake.
    #[rstest]
    #[case::of_another_call(HeaderName::CallId, "another")]
    #[case::of_another_cseq(HeaderName::CSeq, "2 REGISTER")]
    #[case::of_another_method(HeaderName::CSeq, "3 MESSAGE")]
    fn a_signed_answer_establishes_nothing_when_it_is(#[case] name: HeaderName, #[case] value: &str) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.completing();
        let mut other = bench.ok(Some(7200));
        other.set(name, value);
        bench.receive_signed(other);
        assert!(!bench.client.is_established());
        let answer = bench.ok(Some(7200));
        bench.receive_signed(answer);
        assert!(bench.client.is_established());
    }

    /// SIPAE-3.2.5.2-12.
    #[rstest]
    fn a_provisional_answer_neither_establishes_nor_disturbs(
        #[values(100, 183)] status: u16,
        #[values(false, true)] is_signed: bool,
    ) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.completing();
        let provisional = bench.answer(status);
        let provisional = if is_signed { bench.signed(provisional) } else { provisional };
        bench.receive(&provisional);
        assert!(!bench.client.is_established());
        let answer = bench.ok(None);
        bench.receive_signed(answer);
        assert_eq!(bench.events, [ClientEvent::Established { status: 200 }]);
    }

    #[test]
    fn an_unsigned_trying_is_no_breach() {
        let mut bench = Bench::established();
        bench.client(Input::Send(&message()));
        bench.receive(&bench.answer(100));
        assert_eq!(bench.events, []);
    }

    /// SIPAE-3.2.5.1-30.
    #[test]
    fn a_signed_refusal_establishes_too() {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.completing();
        let refusal = bench.answer(403);
        bench.receive_signed(refusal);
        assert_eq!(bench.events, [ClientEvent::Established { status: 403 }]);
    }
}

mod losses {
    use super::*;

    /// SIPAE-3.2.5.1-22.
    #[rstest]
    fn a_challenge_to_a_signed_request_begins_one_new_authentication(
        #[values(ChallengeKind::Www, ChallengeKind::Proxy)] kind: ChallengeKind,
    ) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.kind = kind;
        bench.register(Some(7200));
        bench.client(Input::Send(&message_in("first")));
        let first = bench.fresh();
        bench.client(Input::Send(&message_in("second")));
        let second = bench.fresh();
        assert_eq!(bench.receive(&first), 1);
        assert_eq!(bench.events, [ClientEvent::Lost]);
        assert!(bench.is_bare_register() && !bench.client.is_established());
        assert_eq!(bench.receive(&second), 0);
        bench.continue_to_completing();
        let answer = bench.ok(Some(7200));
        bench.receive_signed(answer);
        assert!(bench.client.is_established());
        assert_eq!(bench.receive(&first) + bench.receive(&second), 0);
        assert!(bench.client.is_established());
    }

    #[test]
    fn a_challenge_to_a_refresh_begins_a_new_authentication() {
        let mut bench = Bench::established();
        assert_eq!(bench.tick_after(Duration::from_secs(7170)), 1);
        assert_eq!(bench.receive(&bench.answer(401)), 1);
        assert!(bench.is_bare_register() && !bench.client.is_established());
    }

    /// What is not asked, or answered already, cannot be challenged.
    #[rstest]
    #[case::to_nothing_that_was_sent(|bench: &mut Bench| message_answer(bench, "never-sent"))]
    #[case::after_a_signed_answer(|bench: &mut Bench| {
        bench.client(Input::Send(&message()));
        let answer = bench.answer(200);
        bench.receive_signed(answer);
        bench.fresh()
    })]
    #[case::to_a_cancel(|bench: &mut Bench| {
        let mut cancel = message();
        cancel.start_line = b"CANCEL sip:bob@contoso.com SIP/2.0".to_vec();
        cancel.set(HeaderName::CSeq, "1 CANCEL");
        bench.client(Input::Send(&cancel));
        bench.fresh()
    })]
    #[case::to_a_register_that_is_answered(|bench: &mut Bench| bench.fresh())]
    #[case::to_a_register_that_is_answered_and_empty(|bench: &mut Bench| bench.answer(401))]
    #[case::to_the_response_of_the_client(|bench: &mut Bench| {
        bench.receive_signed(request("to-alice"));
        message_answer(bench, "to-alice")
    })]
    #[case::to_a_response_of_the_application(|bench: &mut Bench| {
        let asked = request("to-alice").to_octets();
        bench.client(Input::Send(&read(&asked, |asked| Draft::response_to(asked, 200, "a")).close()));
        message_answer(bench, "to-alice")
    })]
    fn an_association_survives_a_challenge(#[case] challenge: fn(&mut Bench) -> Draft) {
        let mut bench = Bench::established();
        let challenge = challenge(&mut bench);
        assert_eq!(bench.receive(&challenge), 0);
        assert_eq!(bench.last_breach(), Some(&Breach::NoAssociation));
        assert!(bench.client.is_established());
    }

    fn message_answer(bench: &Bench, call_id: &str) -> Draft {
        let mut challenge = bench.fresh();
        challenge.set(HeaderName::CallId, call_id);
        challenge.set(HeaderName::CSeq, "1 MESSAGE");
        challenge
    }

    /// SIPAE-3.2.5.2-14: a server that signs has not lost the association.
    #[test]
    fn a_signed_challenge_tells_of_no_loss() {
        let mut bench = Bench::established();
        bench.client(Input::Send(&message()));
        let digest = "Digest realm=\"edge\", nonce=\"1\"";
        let challenge = bench.answer(407).with(HeaderName::ProxyAuthenticate, digest);
        assert_eq!(bench.receive_signed(challenge), 0);
        assert!(bench.client.is_established());
        assert_eq!(bench.verified(), 1);
    }

    #[test]
    fn the_requests_that_are_remembered_are_bounded_and_the_newest_stay() {
        let mut bench = Bench::established();
        let mut first = Draft::response(401);
        for number in 0..1000 {
            bench.client(Input::Send(&message_in(&number.to_string())));
            if number == 0 {
                first = bench.fresh();
            }
        }
        assert_eq!(bench.receive(&first), 0);
        assert_eq!(bench.receive(&bench.fresh()), 1);
        assert_eq!(bench.events.last(), Some(&ClientEvent::Lost));
    }

    /// SIPAE-3.1.1-11.
    #[rstest]
    #[case::signed_completion(Version::V4, 2)]
    #[case::unsigned_completion(Version::V3, 1)]
    fn a_new_association_is_due_when_the_numbers_are_used_up(
        #[case] version: Version,
        #[case] last_number: u32,
    ) {
        let mut config = alice();
        config.last_number = last_number;
        let mut bench = Bench::new(config, version);
        bench.register(Some(7200));
        bench.client(Input::Send(&message_in("last")));
        assert!(bench.request.starts_with(b"MESSAGE"));
        assert_eq!(bench.client(Input::Send(&message_in("too-many"))), 1);
        assert_eq!(bench.events, [ClientEvent::NotSent(NotSent::NumbersUsedUp)]);
        assert!(bench.is_bare_register() && !bench.client.is_established());
    }
}

mod leaving {
    use super::*;

    fn expires(bench: &Bench) -> Option<String> {
        header(&bench.request, HeaderName::Expires)
    }

    fn lost_while_leaving() -> Bench {
        let mut bench = Bench::established();
        assert_eq!(bench.client(Input::Unregister), 1);
        assert_eq!(expires(&bench).as_deref(), Some("0"));
        assert_eq!(bench.receive(&bench.fresh()), 0);
        bench
    }

    /// SIPAE-3.2.5.1-23.
    #[test]
    fn a_challenge_to_the_last_register_begins_nothing() {
        let mut bench = lost_while_leaving();
        assert!(!bench.client.is_established());
        assert_eq!(bench.tick_after(Duration::from_secs(28_800)), 0);
    }

    #[test]
    fn a_client_that_left_may_register_again() {
        let mut bench = lost_while_leaving();
        bench.register(Some(7200));
        assert_eq!(expires(&bench), None);
    }

    #[rstest]
    #[case::has_just_begun(false)]
    #[case::has_a_token_out(true)]
    fn a_handshake_is_given_up_that(#[case] is_started: bool) {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.client(Input::Register);
        if is_started {
            bench.receive(&bench.fresh());
        }
        assert_eq!(bench.client(Input::Unregister), 0);
        let continuation = bench.continuation(&bench.parameters, OPAQUE);
        assert_eq!(bench.receive(&bench.fresh()) + bench.receive(&continuation), 0);
    }

    /// The server has registered the client by then.
    #[test]
    fn a_handshake_that_is_nearly_complete_is_followed_by_the_last_register() {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.completing();
        assert_eq!(bench.client(Input::Unregister), 0);
        let answer = bench.ok(Some(7200));
        assert_eq!(bench.receive_signed(answer), 1);
        assert_eq!(expires(&bench).as_deref(), Some("0"));
        let answer = bench.ok(Some(0));
        bench.receive_signed(answer);
        assert!(!bench.client.is_established());
    }

    #[test]
    fn a_handshake_that_fails_meanwhile_is_not_begun_again() {
        let mut bench = Bench::new(alice(), Version::V4);
        bench.completing();
        bench.client(Input::Unregister);
        assert_eq!(bench.receive(&bench.fresh()), 0);
        assert_eq!(bench.last_breach(), Some(&Breach::Credentials));
        assert!(bench.has_failed());
    }

    #[test]
    fn a_client_that_was_not_let_go_may_stay() {
        let mut bench = Bench::established();
        bench.client(Input::Unregister);
        let refusal = bench.answer(503);
        bench.receive_signed(refusal);
        assert_eq!(bench.client(Input::Register), 1);
        assert_eq!(expires(&bench), None);
    }

    #[test]
    fn a_refused_last_register_is_not_followed_by_refreshes() {
        let mut bench = Bench::established();
        bench.client(Input::Unregister);
        let refusal = bench.answer(503);
        bench.receive_signed(refusal);
        assert_eq!(bench.tick_after(Duration::from_secs(7200)), 0);
        assert_eq!(bench.tick_after(Duration::from_secs(28_800)), 0);
        assert!(!bench.client.is_established());
    }
}

mod timers {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Once, and not before.
    fn fires_once_after(bench: &mut Bench, seconds: u64) {
        assert_eq!(bench.tick_after(Duration::from_secs(seconds) - MILLISECOND), 0);
        assert_eq!(bench.tick_after(MILLISECOND), 1);
        for _ in 0..50 {
            assert_eq!(bench.client(Input::Tick), 0);
        }
    }

    /// SIPAE-3.2.2-06.
    #[rstest]
    #[case(7200, 7170)]
    #[case(120, 90)]
    #[case(31, 1)]
    #[case(30, 15)]
    #[case(1, 1)]
    #[case(0, 1)]
    fn a_registration_is_refreshed_once_before_it_ends(#[case] granted: u32, #[case] seconds: u64) {
        let mut bench = Bench::granted(alice(), Some(granted));
        fires_once_after(&mut bench, seconds);
        assert!(bench.request.starts_with(b"REGISTER") && !bench.is_bare_register());
        let answer = bench.ok(Some(granted));
        bench.receive_signed(answer);
        fires_once_after(&mut bench, seconds);
    }

    /// SIPAE-3.2.2-04, -05.
    #[rstest]
    #[case(28_800, 28_500)]
    #[case(600, 300)]
    #[case(300, 150)]
    #[case(200, 100)]
    #[case(0, 1)]
    fn an_association_is_replaced_once_before_it_ends(#[case] lifetime: u64, #[case] seconds: u64) {
        let mut config = alice();
        config.durations.expiry = Duration::from_secs(lifetime);
        let mut bench = Bench::granted(config, None);
        fires_once_after(&mut bench, seconds);
        assert!(bench.is_bare_register() && !bench.client.is_established());
    }

    #[test]
    fn a_register_of_the_application_replaces_the_refresh() {
        let mut bench = Bench::established();
        assert_eq!(bench.tick_after(Duration::from_secs(7000)), 0);
        assert_eq!(bench.client(Input::Register), 1);
        assert_eq!(bench.tick_after(Duration::from_secs(170)), 0);
    }

    #[test]
    fn a_refused_refresh_is_tried_again_ever_sooner_until_the_registration_ends() {
        let mut bench = Bench::established();
        assert_eq!(bench.tick_after(Duration::from_secs(7170)), 1);
        for milliseconds in [15_000, 7500, 3750, 1875, 1000] {
            let refusal = bench.answer(503);
            assert_eq!(bench.receive_signed(refusal), 0);
            assert_eq!(bench.tick_after(Duration::from_millis(milliseconds) - MILLISECOND), 0);
            assert_eq!(bench.tick_after(MILLISECOND), 1);
            assert!(!bench.is_bare_register());
        }
        bench.now = bench.now.plus(Duration::from_secs(1));
        let refusal = bench.answer(503);
        assert_eq!(bench.receive_signed(refusal), 1);
        assert!(bench.is_bare_register() && !bench.client.is_established());
    }

    /// Neither a late answer nor one to something else moves the timer.
    #[rstest]
    #[case::repeated(|bench: &mut Bench| bench.ok(Some(60)))]
    #[case::refused(|bench: &mut Bench| bench.answer(503))]
    #[case::repeated_to_a_refresh(|bench: &mut Bench| {
        bench.client(Input::Register);
        let answer = bench.ok(Some(7200));
        bench.receive_signed(answer);
        bench.ok(Some(60))
    })]
    #[case::of_another_call(|bench: &mut Bench| {
        bench.client(Input::Register);
        let mut answer = bench.ok(Some(60));
        answer.set(HeaderName::CallId, "another");
        answer
    })]
    #[case::to_a_message(|bench: &mut Bench| {
        bench.client(Input::Send(&message()));
        bench.ok(Some(60))
    })]
    fn the_refresh_is_not_moved_by_an_answer(#[case] answer: fn(&mut Bench) -> Draft) {
        let mut bench = Bench::established();
        let answer = answer(&mut bench);
        bench.receive_signed(answer);
        assert!(matches!(bench.events.last(), Some(ClientEvent::Verified(_))), "{:?}", bench.events);
        assert_eq!(bench.tick_after(Duration::from_secs(60)), 0);
        assert_eq!(bench.tick_after(Duration::from_secs(3600)), 0);
    }
}

mod connections {
    use super::*;

    fn in_state(steps: usize) -> Bench {
        let mut bench = Bench::new(alice(), Version::V4);
        if 0 < steps {
            bench.client(Input::Register);
        }
        if 1 < steps {
            bench.receive(&bench.fresh());
        }
        if 2 < steps {
            let continuation = bench.continuation(&bench.parameters, OPAQUE);
            bench.receive(&continuation);
        }
        assert_eq!(bench.sent, steps);
        bench
    }

    /// SIPAE-3.2.4.1-01.
    #[rstest]
    fn a_request_is_not_sent_without_association(#[values(0, 1, 2, 3)] steps: usize) {
        let mut bench = in_state(steps);
        assert_eq!(bench.client(Input::Send(&message())), 0);
        assert_eq!(bench.events, [ClientEvent::NotSent(NotSent::NotEstablished)]);
    }

    #[test]
    fn a_request_is_not_sent_when_it_cannot_be_signed() {
        let mut bench = Bench::established();
        let mut draft = message();
        draft.push(HeaderName::CallId, "a second one");
        assert_eq!(bench.client(Input::Send(&draft)), 0);
        assert!(matches!(bench.events[..], [ClientEvent::NotSent(NotSent::Unfit(_))]), "{:?}", bench.events);
        assert!(bench.client.is_established());
    }

    fn closed() -> Bench {
        let mut bench = Bench::established();
        let outputs =
            bench.client.handle(Input::Received(b"not SIP\r\n\r\nrest"), bench.now, &mut bench.entropy);
        assert_eq!(outputs.last(), Some(&Output::Close));
        bench
    }

    #[test]
    fn nothing_is_read_or_sent_after_the_connection_is_closed() {
        let mut bench = closed();
        assert_eq!(bench.receive_signed(request("to-alice")), 0);
        assert_eq!(bench.tick_after(Duration::from_secs(28_800)), 0);
        assert!(bench.events.is_empty(), "{:?}", bench.events);
        for input in [Input::Send(&message()), Input::Register, Input::Unregister] {
            assert_eq!(bench.client(input), 0);
            assert_eq!(bench.events.pop(), Some(ClientEvent::NotSent(NotSent::Closed)));
        }
    }

    #[test]
    fn an_association_outlives_its_connection_and_the_octets_that_remained_do_not() {
        let mut bench = closed();
        bench.client(Input::Reconnected);
        assert_eq!(bench.receive_signed(request("to-alice")), 1);
        bench.client(Input::Received(b"OPTIONS sip:alice@con"));
        bench.client(Input::Reconnected);
        assert_eq!(bench.receive_signed(request("again")), 1);
    }

    #[test]
    fn a_handshake_ends_with_its_connection() {
        let mut bench = in_state(2);
        let continuation = bench.continuation(&bench.parameters, OPAQUE);
        bench.client(Input::Reconnected);
        assert_eq!(bench.receive(&continuation), 0);
        assert_eq!(bench.client(Input::Register), 1);
        assert!(bench.is_bare_register());
    }
}
