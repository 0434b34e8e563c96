//! The reference server against clients that do what they should not, message by message.

use std::time::Duration;

use rstest::rstest;
use sipae::auth::{AuthHeader, AuthParam, AuthWriter, Scheme, Style};
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::clock::{Entropy, Time};
use sipae::draft::Draft;
use sipae::encoding::{encode_base16, encode_base64};
use sipae::message::{HeaderName, Limits, Message, Value};
use sipae::ntlm::{Answer, Authenticate, Challenge, NegotiateFlags, ResponseKind, SessionKeys};
use sipae::sa::{Context, Parameters, SecurityAssociation, SignOptions};
use sipae::server::{Account, Accounts, ConnectionId, Input, Output, Server, ServerConfig, ServerEvent};
use sipae::side::Side;
use sipae::version::Version;
use sipae::violation::Breach;

const FIRST: ConnectionId = ConnectionId(1);
const SECOND: ConnectionId = ConnectionId(2);

fn account(user: &str) -> Account {
    let (domain, password) = ("CONTOSO".to_owned(), format!("{user}-secret"));
    Account { user: user.to_owned(), domain, password, address: format!("{user}@contoso.com"), tel: None }
}

fn config(version: Version) -> ServerConfig {
    ServerConfig::new("server.contoso.com", version, Accounts::new(vec![account("alice"), account("bob")]))
}

/// A server, a clock, and a tester who writes every message by hand.
struct Bench {
    server: Server,
    now: Time,
    entropy: Box<dyn Entropy>,
    events: Vec<ServerEvent>,
    closed: Vec<ConnectionId>,
    cseq: u32,
}

impl Bench {
    fn new(config: ServerConfig) -> Self {
        let mut state = 1u64;
        let entropy = move |octets: &mut [u8]| {
            for octet in octets {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                [*octet, ..] = state.to_be_bytes();
            }
        };
        Self::with_entropy(config, Box::new(entropy))
    }

    fn with_entropy(config: ServerConfig, entropy: Box<dyn Entropy>) -> Self {
        let (events, closed) = (vec![], vec![]);
        let mut bench =
            Self { server: Server::new(config), now: Time(1_000_000), entropy, events, closed, cseq: 0 };
        bench.handle(Input::Connected(FIRST));
        bench.handle(Input::Connected(SECOND));
        bench
    }

    fn handle(&mut self, input: Input<'_>) -> Vec<Vec<u8>> {
        let outputs = self.server.handle(input, self.now, self.entropy.as_mut());
        outputs
            .into_iter()
            .filter_map(|output| match output {
                Output::Send(_, octets) => Some(octets),
                Output::Event(event) => {
                    self.events.push(event);
                    None
                }
                Output::Close(connection) => {
                    self.closed.push(connection);
                    None
                }
            })
            .collect()
    }

    /// The answer to one message, if there is one.
    fn send_on(&mut self, connection: ConnectionId, draft: &Draft) -> Option<Vec<u8>> {
        self.handle(Input::Received(connection, &draft.to_octets())).pop()
    }

    fn send(&mut self, draft: &Draft) -> Option<Vec<u8>> {
        self.send_on(FIRST, draft)
    }

    fn status(&mut self, draft: &Draft) -> Option<u16> {
        self.send(draft).map(|octets| status(&octets))
    }

    fn request(&mut self, method: &str, user: &str, epid: &str) -> Draft {
        self.cseq += 1;
        Draft::request(method, "sip:contoso.com")
            .with(HeaderName::Via, format!("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK{}", self.cseq))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, format!("<sip:{user}@contoso.com>;tag=1;epid={epid}"))
            .with(HeaderName::To, format!("<sip:{user}@contoso.com>"))
            .with(HeaderName::CallId, format!("call-{epid}"))
            .with(HeaderName::CSeq, format!("{} {method}", self.cseq))
            .with(HeaderName::ContentLength, "0")
    }

    /// The first token: opaque and CHALLENGE.
    fn begin(&mut self, connection: ConnectionId, user: &str, epid: &str) -> Begun {
        let credential = self.writer().param(AuthParam::GssapiData, "");
        let draft =
            self.request("REGISTER", user, epid).with(HeaderName::Authorization, self.write(credential));
        let octets = self.send_on(connection, &draft).expect("a continuation");
        let answer = Message::parse(&octets, &Limits::DEFAULT).expect("a message");
        let line = AuthHeader::read(answer.first(HeaderName::WwwAuthenticate).expect("a line"));
        let token = line.token().expect("Base64").expect("a token");
        let opaque = line.get(AuthParam::Opaque).expect("opaque").raw().to_vec();
        Begun { opaque, challenge: Challenge::read(&token).expect("a CHALLENGE"), token }
    }

    fn writer(&self) -> AuthWriter {
        self.parameters().writer()
    }

    fn write(&self, credential: AuthWriter) -> Vec<u8> {
        credential.optional(AuthParam::Version, self.parameters().version.param()).write(&Style::CANONICAL)
    }

    fn parameters(&self) -> Parameters {
        self.server.config().parameters(Scheme::Ntlm)
    }

    /// The completing REGISTER with this token, signed with these keys where the version asks for it.
    fn completing(
        &mut self,
        begun: &Begun,
        user: &str,
        epid: &str,
        token: &[u8],
        keys: &SessionKeys,
    ) -> (Draft, SecurityAssociation) {
        let context = Context::ntlm(keys).expect("signs");
        let parameters = self.parameters();
        let signs = parameters.version.signs_completing_request();
        let mut sa = SecurityAssociation::new(parameters, begun.opaque.clone(), Side::Client, context);
        let mut draft = self.request("REGISTER", user, epid);
        if signs {
            let mut options = SignOptions::new(HeaderName::Authorization);
            (options.token, options.with_version) = (Some(encode_base64(token)), true);
            sa.sign(&mut draft, [1; 4], &options).expect("signable");
        } else {
            let credential = self
                .writer()
                .param(AuthParam::Opaque, &begun.opaque)
                .param(AuthParam::GssapiData, encode_base64(token));
            draft.push(HeaderName::Authorization, self.write(credential));
        }
        (draft, sa)
    }

    /// A whole good handshake.
    fn establish(&mut self, user: &str, epid: &str) -> SecurityAssociation {
        let begun = self.begin(FIRST, user, epid);
        let (token, keys) = begun.answer(&answer(user));
        let (draft, sa) = self.completing(&begun, user, epid, &token, &keys);
        assert_eq!(self.status(&draft), Some(200));
        sa
    }

    fn signed(&mut self, sa: &mut SecurityAssociation, method: &str, user: &str, epid: &str) -> Draft {
        let mut draft = self.request(method, user, epid);
        sa.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization)).expect("signable");
        draft
    }

    fn last_breach(&self) -> Option<&Breach> {
        self.events.iter().rev().find_map(|event| match event {
            ServerEvent::Refused { violation, .. } => Some(&violation.breach),
            _ => None,
        })
    }
}

struct Begun {
    opaque: Vec<u8>,
    challenge: Challenge,
    token: Vec<u8>,
}

impl Begun {
    fn answer(&self, answer: &Answer<'_>) -> (Vec<u8>, SessionKeys) {
        let (authenticate, keys) = Authenticate::answer(&self.challenge, answer).expect("an answer");
        (authenticate.write(&Authenticate::PAYLOAD), keys)
    }
}

fn answer(user: &str) -> Answer<'_> {
    let password = if user == "bob" { "bob-secret" } else { "alice-secret" };
    Answer {
        user,
        domain: "CONTOSO",
        password,
        workstation: "PC",
        flags: NegotiateFlags::CLIENT,
        client_challenge: [3; 8],
        random_session_key: [4; 16],
        time: [5; 8],
        response: ResponseKind::NtlmV2,
        with_mic: false,
    }
}

fn status(octets: &[u8]) -> u16 {
    Message::parse(octets, &Limits::DEFAULT).expect("a message").status().expect("a response")
}

fn is_signed(octets: &[u8]) -> bool {
    Message::parse(octets, &Limits::DEFAULT).expect("a message").count(HeaderName::AuthenticationInfo) == 1
}

/// SIPAE-3.3.5.3-20.
#[test]
fn a_register_for_another_users_address_is_refused_with_a_signed_403() {
    let mut bench = Bench::new(config(Version::V2));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.request("REGISTER", "alice", "a1");
    draft.set(HeaderName::To, "<sip:bob@contoso.com>");
    alice.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization)).expect("signable");
    let octets = bench.send(&draft).expect("an answer");
    assert_eq!((status(&octets), is_signed(&octets)), (403, true));
}

/// SIPAE-3.3.5.2-22, SIPAE-3.3.5.3-21: there is no downgrade.
#[rstest]
#[case(Some("3"))]
#[case(Some("7"))]
#[case(None)]
fn a_handshake_at_another_version_than_the_offered_one_is_refused(#[case] version: Option<&str>) {
    let mut bench = Bench::new(config(Version::V4));
    let credential = bench
        .writer()
        .param(AuthParam::GssapiData, "")
        .optional(AuthParam::Version, version)
        .write(&Style::CANONICAL);
    let draft = bench.request("REGISTER", "alice", "a1").with(HeaderName::Authorization, credential);
    let octets = bench.send(&draft).expect("an answer");
    assert!(!String::from_utf8_lossy(&octets).contains("gssapi-data"));
    assert!(matches!(bench.last_breach(), Some(Breach::Version { .. })));
}

/// SIPAE-3.3.5.3-07: epid is not covered by the signature.
#[test]
fn a_signature_under_another_epid_is_refused() {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    draft.set(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=a2");
    assert_eq!(bench.status(&draft), Some(401));
    assert_eq!(bench.last_breach(), Some(&Breach::NoAssociation));
}

/// SIPAE-3.3.5.3-07: what the endpoint wrote before makes no other one of it, neither does what another one writes.
#[rstest]
#[case::epid(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=a2")]
#[case::instance(
    HeaderName::Contact,
    "<sip:x>;+sip.instance=\"<urn:uuid:4b49c6cb-8268-5873-8b88-a916a6c7ce18>\""
)]
#[case::gruu(HeaderName::Contact, "<sip:alice@contoso.com;opaque=user:epid:y8ZJS2iCc1iLiKkWpsfOGAAA;gruu>")]
fn a_known_endpoint_is_not_believed_under_other_identifiers(#[case] name: HeaderName, #[case] value: &str) {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    for change in [None, None, Some(value), None, Some(value)] {
        let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
        draft.set(HeaderName::Contact, "<sip:127.0.0.1>");
        if let Some(value) = change {
            draft.set(name, value);
        }
        let expected = if change.is_some() { 401 } else { 200 };
        assert_eq!(bench.status(&draft), Some(expected));
    }
}

/// SIPAE-3.3.5.2-09, -27: the opaque of another endpoint neither helps nor harms.
#[test]
fn an_authenticate_under_the_opaque_of_another_endpoint_is_refused_and_ends_nothing() {
    let mut bench = Bench::new(config(Version::V4));
    let alice = bench.begin(FIRST, "alice", "a1");
    let (token, keys) = alice.answer(&answer("bob"));
    let (draft, _) = bench.completing(&alice, "bob", "b1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(401));
    let (token, keys) = alice.answer(&answer("alice"));
    let (draft, _) = bench.completing(&alice, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(200));
}

#[rstest]
#[case(Some("auth"), 200)]
#[case(None, 200)]
#[case(Some("auth-int"), 401)]
#[case(Some(""), 401)]
fn a_qop_is_auth_or_absent(#[case] qop: Option<&str>, #[case] expected: u16) {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    let written =
        String::from_utf8(draft.get(HeaderName::Authorization).expect("signed").to_vec()).expect("text");
    let replaced = match qop {
        Some(qop) => written.replace("qop=\"auth\"", &format!("qop=\"{qop}\"")),
        None => written.replace("qop=\"auth\", ", ""),
    };
    draft.set(HeaderName::Authorization, replaced);
    assert_eq!(bench.status(&draft), Some(expected));
}

/// SIPAE-3.3.5.2-29, with a completing signature under the public key.
#[test]
fn an_anonymous_authenticate_gives_no_association() {
    let mut bench = Bench::new(config(Version::V4));
    let begun = bench.begin(FIRST, "alice", "a1");
    let flags = NegotiateFlags::CLIENT | NegotiateFlags::ANONYMOUS;
    let anonymous = Authenticate { flags, session_key: vec![0; 16], ..Authenticate::default() };
    let keys = SessionKeys::new(flags, [0; 16], 0);
    let token = anonymous.write(&Authenticate::PAYLOAD);
    let (draft, _) = bench.completing(&begun, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(401));
    assert_eq!(bench.server.established(), 0);
}

/// rules.md B.3: key exchange is compulsory; what was not offered is not negotiated.
#[rstest]
#[case::no_key_exchange(NegotiateFlags::CLIENT.without(NegotiateFlags::KEY_EXCH), ResponseKind::NtlmV2)]
#[case::no_datagram(NegotiateFlags::CLIENT.without(NegotiateFlags::DATAGRAM), ResponseKind::NtlmV2)]
#[case::lm_key(NegotiateFlags::CLIENT | NegotiateFlags::LM_KEY, ResponseKind::NtlmV2)]
#[case::non_nt_key(NegotiateFlags::CLIENT | NegotiateFlags::REQUEST_NON_NT_SESSION_KEY, ResponseKind::NtlmV2)]
#[case::version_1(NegotiateFlags::CLIENT, ResponseKind::NtlmV1)]
fn an_authenticate_that_weakens_the_context_is_refused(
    #[case] flags: NegotiateFlags,
    #[case] response: ResponseKind,
) {
    let mut config = config(Version::V3);
    config.flags = config.flags.without(NegotiateFlags::LM_KEY);
    let mut bench = Bench::new(config);
    let begun = bench.begin(FIRST, "alice", "a1");
    let (token, keys) = begun.answer(&Answer { flags, response, ..answer("alice") });
    let (draft, _) = bench.completing(&begun, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(401));
    assert_eq!(bench.server.established(), 0);
}

#[test]
fn ntlm_v1_is_accepted_where_the_configuration_says_so() {
    let mut bench = Bench::new(ServerConfig { accept_ntlm_v1: true, ..config(Version::V4) });
    let begun = bench.begin(FIRST, "alice", "a1");
    let (token, keys) = begun.answer(&Answer { response: ResponseKind::NtlmV1, ..answer("alice") });
    let (draft, _) = bench.completing(&begun, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(200));
}

/// What is done to a MIC that the response announces.
#[rstest]
#[case::kept(|_: &mut Vec<u8>| {}, 200)]
#[case::altered(|token: &mut Vec<u8>| token[72] ^= 1, 401)]
#[case::dropped(drop_mic, 401)]
fn an_announced_mic_is_checked(#[case] change: fn(&mut Vec<u8>), #[case] expected: u16) {
    let mut bench = Bench::new(config(Version::V3));
    let begun = bench.begin(FIRST, "alice", "a1");
    let with_mic = Answer { with_mic: true, ..answer("alice") };
    let (mut authenticate, keys) = Authenticate::answer(&begun.challenge, &with_mic).expect("an answer");
    authenticate.set_mic(&keys.exported, &[&begun.token], &Authenticate::PAYLOAD);
    let mut token = authenticate.write(&Authenticate::PAYLOAD);
    change(&mut token);
    let (draft, _) = bench.completing(&begun, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(expected));
}

/// The same message, laid out as if there were no MIC.
fn drop_mic(token: &mut Vec<u8>) {
    let read = Authenticate::read(token).expect("a token");
    *token = Authenticate { mic: None, ..read }.write(&Authenticate::PAYLOAD);
}

/// SIPAE-3.3.5.3-10: only a verified message restarts the idle timer.
#[rstest]
#[case::verified(true, 200)]
#[case::forged(false, 401)]
fn only_a_verified_message_restarts_the_idle_timer(#[case] is_good: bool, #[case] expected: u16) {
    let mut bench = Bench::new(ServerConfig { expires: 60, ..config(Version::V4) });
    let mut alice = bench.establish("alice", "a1");
    bench.now = bench.now.plus(Duration::from_secs(80));
    let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    if !is_good {
        draft.set(HeaderName::CallId, "altered");
    }
    bench.send(&draft);
    bench.now = bench.now.plus(Duration::from_secs(20));
    let draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    assert_eq!(bench.status(&draft), Some(expected));
}

/// SIPAE-3.3.2-07.
#[rstest]
#[case(899, 200)]
#[case(900, 401)]
fn an_unfinished_handshake_ends_after_15_minutes(#[case] seconds: u64, #[case] expected: u16) {
    let mut config = config(Version::V4);
    config.durations.connection = Duration::from_secs(3600);
    let mut bench = Bench::new(config);
    let begun = bench.begin(FIRST, "alice", "a1");
    bench.now = bench.now.plus(Duration::from_secs(seconds));
    let (token, keys) = begun.answer(&answer("alice"));
    let (draft, _) = bench.completing(&begun, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(expected));
}

/// SIPAE-3.3.5.2-30: the flood meets its own bound first, and ACK makes no state at all.
#[rstest]
#[case("REGISTER")]
#[case("ACK")]
fn a_flood_of_first_tokens_locks_nobody_out(#[case] method: &str) {
    let mut bench = Bench::new(ServerConfig { negotiations: 64, ..config(Version::V4) });
    let begun = bench.begin(FIRST, "alice", "a1");
    for number in 0..200 {
        let credential = bench.writer().param(AuthParam::GssapiData, "");
        let draft = bench.request(method, "bob", &format!("b{number}"));
        let draft = draft.with(HeaderName::Authorization, bench.write(credential));
        bench.send_on(SECOND, &draft);
    }
    let (token, keys) = begun.answer(&answer("alice"));
    let (draft, _) = bench.completing(&begun, "alice", "a1", &token, &keys);
    assert_eq!(bench.status(&draft), Some(200));
}

#[test]
fn one_user_with_many_endpoints_pushes_out_own_ones_only() {
    let mut bench = Bench::new(config(Version::V3));
    let mut alice = bench.establish("alice", "a1");
    for number in 0..100 {
        bench.establish("bob", &format!("b{number}"));
    }
    assert_eq!(bench.server.established(), 65);
    let draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    assert_eq!(bench.status(&draft), Some(200));
}

#[test]
fn a_full_table_replaces_the_endpoint_that_comes_back_and_no_other() {
    let mut bench = Bench::new(ServerConfig { associations: 2, ..config(Version::V3) });
    let mut alice = bench.establish("alice", "a1");
    bench.establish("bob", "b1");
    let mut bob = bench.establish("bob", "b1");
    for (sa, user, epid) in [(&mut alice, "alice", "a1"), (&mut bob, "bob", "b1")] {
        let draft = bench.signed(sa, "OPTIONS", user, epid);
        assert_eq!(bench.status(&draft), Some(200), "{user}");
    }
}

/// SIPAE-3.3.5.3-12, SIPAE-3.2.5.2-01: realm, target and scheme, wherever it stands.
#[test]
fn credentials_for_others_are_left_alone() {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    let own = draft.headers.pop().expect("the credential");
    let alien = |scheme: &str| {
        let fields = bench.parameters();
        AuthWriter::with_scheme(scheme)
            .param(AuthParam::Realm, fields.realm)
            .param(AuthParam::Targetname, fields.targetname)
    };
    let (foo, kerberos) = (alien("Foo").write(&Style::CANONICAL), alien("Kerberos").write(&Style::CANONICAL));
    draft.push(HeaderName::Authorization, foo);
    draft.push(HeaderName::ProxyAuthorization, kerberos);
    draft.headers.push(own);
    assert_eq!(bench.status(&draft), Some(200));
}

#[test]
fn a_signature_under_another_scheme_name_names_no_association() {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    let written =
        String::from_utf8(draft.get(HeaderName::Authorization).expect("signed").to_vec()).expect("text");
    draft.set(HeaderName::Authorization, written.replacen(Scheme::Ntlm.name(), Scheme::Kerberos.name(), 1));
    assert_eq!(bench.status(&draft), Some(401));
}

/// SIPAE-2.2-27: signed by hand, since the signer refuses it too.
#[test]
fn a_value_that_makes_the_buffer_ambiguous_is_refused_by_signer_and_verifier() {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.request("OPTIONS", "alice", "a1");
    draft.set(HeaderName::CallId, "a><1><INVITE");
    let refused = alice.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization));
    assert!(matches!(refused, Err(Breach::Ambiguous { .. })));
    let parameters = alice.parameters.clone();
    let params = SignatureParams {
        protocol: b"NTLM",
        rand: Value(b"02020202"),
        number: Value(b"9"),
        realm: Value(&parameters.realm),
        targetname: Value(&parameters.targetname),
    };
    let buffer = draft
        .read(|message| Ok(SignatureBuffer::new(message, &params, Version::V4)?.to_vec()))
        .expect("a buffer");
    let credential = bench
        .writer()
        .param(AuthParam::Opaque, &alice.opaque)
        .param(AuthParam::Crand, "02020202")
        .param(AuthParam::Cnum, "9")
        .param(AuthParam::Response, encode_base16(&alice.context.sign(Side::Client, &buffer)));
    draft.push(HeaderName::Authorization, credential.write(&Style::CANONICAL));
    assert_eq!(bench.status(&draft), None);
    assert!(matches!(bench.last_breach(), Some(Breach::Ambiguous { .. })));
}

/// SIPAE-3.3.5.3-11: the client that answers is in To.
#[rstest]
#[case::signed(true, None)]
#[case::altered(false, Some(Breach::Signature))]
fn a_response_of_a_client_is_verified_by_the_endpoint_in_to(
    #[case] is_good: bool,
    #[case] expected: Option<Breach>,
) {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    bench.events.clear();
    let mut draft = Draft::response(200)
        .with(HeaderName::Via, "SIP/2.0/TCP server.contoso.com;branch=z9hG4bKserver")
        .with(HeaderName::From, "<sip:bob@contoso.com>;tag=2")
        .with(HeaderName::To, "<sip:alice@contoso.com>;tag=3;epid=a1")
        .with(HeaderName::CallId, "invite")
        .with(HeaderName::CSeq, "1 INVITE")
        .with(HeaderName::ContentLength, "0");
    alice.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization)).expect("signable");
    if !is_good {
        draft.start_line = b"SIP/2.0 486 Busy Here".to_vec();
    }
    assert_eq!(bench.status(&draft), None);
    assert_eq!(bench.last_breach(), expected.as_ref());
}

/// What the answer repeats may be as long as a request may be; it is signed all the same (SIPAE-3.3.4.1-01).
#[test]
fn a_long_header_field_does_not_get_an_unsigned_answer() {
    let mut config = config(Version::V4);
    config.limits.header_field = 4096;
    let mut bench = Bench::new(config);
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.request("OPTIONS", "alice", "a1");
    let limit = bench.server.config().limits.header_field;
    let filler = "x".repeat(limit - "To: \"\" <sip:alice@contoso.com>\r\n".len());
    draft.set(HeaderName::To, format!("\"{filler}\" <sip:alice@contoso.com>"));
    alice.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization)).expect("signable");
    let octets = bench.send(&draft).expect("an answer");
    let unlimited = Message::parse(&octets, &Limits::NONE).expect("a message");
    assert_eq!((unlimited.status(), unlimited.count(HeaderName::AuthenticationInfo)), (Some(200), 1));
}

/// SIPAE-3.3.2-06.
#[test]
fn a_stranger_is_cut_off_and_an_authenticated_client_is_not() {
    let mut bench = Bench::new(config(Version::V4));
    bench.establish("alice", "a1");
    bench.now = bench.now.plus(Duration::from_secs(59));
    bench.handle(Input::Tick);
    assert!(bench.closed.is_empty());
    bench.now = bench.now.plus(Duration::from_secs(1));
    bench.handle(Input::Tick);
    assert_eq!(bench.closed, [SECOND]);
}

/// Randomness that repeats itself must not stop a server.
#[test]
fn a_server_without_fresh_randomness_answers_500_and_goes_on() {
    let mut bench = Bench::with_entropy(config(Version::V4), Box::new(|octets: &mut [u8]| octets.fill(7)));
    bench.begin(FIRST, "alice", "a1");
    let credential = bench.writer().param(AuthParam::GssapiData, "");
    let draft =
        bench.request("REGISTER", "alice", "a2").with(HeaderName::Authorization, bench.write(credential));
    assert_eq!(bench.status(&draft), Some(500));
}

/// SIPAE-2.2-21, -26, SIPAE-3.3.5.3-19: what could be read in two ways is not read at all.
#[rstest]
#[case(|draft: &mut Draft| draft.push_text("f", "<sip:bob@contoso.com>;tag=9;epid=b1"))]
#[case(|draft: &mut Draft| draft.push_text("CALL-ID", "other"))]
#[case(|draft: &mut Draft| draft.set(HeaderName::From, "<sip:alice@contoso.com> <sip:bob@contoso.com>;tag=1;epid=a1"))]
#[case(|draft: &mut Draft| draft.set(HeaderName::CSeq, "9 INVITE"))]
#[case(|draft: &mut Draft| draft.set(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=a1;tag=2"))]
fn an_ambiguous_request_is_answered_400_unsigned(#[case] change: fn(&mut Draft)) {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    change(&mut draft);
    let octets = bench.send(&draft).expect("an answer");
    assert_eq!((status(&octets), is_signed(&octets)), (400, false));
}

/// RFC 3261 10.3: the asterisk removes, it does not register.
#[rstest]
#[case("300", 400)]
#[case("0", 200)]
fn a_contact_of_an_asterisk_removes_only(#[case] expires: &str, #[case] expected: u16) {
    let mut bench = Bench::new(config(Version::V4));
    let mut alice = bench.establish("alice", "a1");
    let mut draft = bench.request("REGISTER", "alice", "a1").with(HeaderName::Contact, "*");
    draft.push(HeaderName::Expires, expires);
    alice.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization)).expect("signable");
    let octets = bench.send(&draft).expect("an answer");
    assert_eq!((status(&octets), is_signed(&octets)), (expected, true));
}

/// SIPAE-3.3.5.3-10: a response is a message too.
#[test]
fn a_verified_response_restarts_the_idle_timer() {
    let mut bench = Bench::new(ServerConfig { expires: 60, ..config(Version::V4) });
    let mut alice = bench.establish("alice", "a1");
    bench.now = bench.now.plus(Duration::from_secs(80));
    let mut draft = Draft::response(200)
        .with(HeaderName::From, "<sip:bob@contoso.com>;tag=2")
        .with(HeaderName::To, "<sip:alice@contoso.com>;tag=3;epid=a1")
        .with(HeaderName::CallId, "invite")
        .with(HeaderName::CSeq, "1 INVITE")
        .with(HeaderName::ContentLength, "0");
    alice.sign(&mut draft, [2; 4], &SignOptions::new(HeaderName::Authorization)).expect("signable");
    bench.send(&draft);
    bench.now = bench.now.plus(Duration::from_secs(20));
    let draft = bench.signed(&mut alice, "OPTIONS", "alice", "a1");
    assert_eq!(bench.status(&draft), Some(200));
}
