//! The reference client with the reference server, in memory, with each scheme.

use std::time::Duration;

use rstest::rstest;
use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::client::{self, Client, ClientConfig, ClientEvent};
use sipae::draft::Draft;
use sipae::encoding::{decode_base64, encode_base64};
use sipae::kerberos::{Initiate, Principal};
use sipae::message::{HeaderName, Limits, Message};
use sipae::sa::{Context, Parameters, SecurityAssociation};
use sipae::server::{self, Server, ServerConfig};
use sipae::side::Side;
use sipae::version::Version;
use sipae_net::Authority;
use sipae_testsuite::conversation::{Counted, NOW};

use crate::pair::{CONNECTION, DAY, HOST, Pair, alice, certificate, server, ticket, with_all};

impl Pair {
    fn registered(client: ClientConfig, server: ServerConfig) -> Self {
        let mut pair = Self::new(client, server);
        pair.tell(client::Input::Register);
        pair
    }

    /// The scheme of the last credential that the client has sent.
    fn scheme(&self) -> Option<Scheme> {
        let mut credentials = self.requests.iter().filter_map(|octets| {
            let message = Message::parse(octets, &Limits::DEFAULT).ok()?;
            AuthHeader::read(message.first(HeaderName::Authorization)?).scheme()
        });
        credentials.next_back()
    }
}

/// Bare, token or flights, signed: as many requests as [MS-SIPAE] 3.1 says, and signed traffic behind them.
#[rstest]
#[case(Scheme::Ntlm, 3)]
#[case(Scheme::Kerberos, 2)]
#[case(Scheme::TlsDsk, 4)]
fn a_login_takes_as_many_requests_as_the_scheme_has_steps(
    #[case] scheme: Scheme,
    #[case] requests: usize,
    #[values(Version::V2, Version::V3, Version::V4)] version: Version,
) {
    let mut pair = Pair::registered(with_all(), server(version, &[scheme]));
    assert!(pair.client.is_established(), "{:?}", pair.events);
    assert_eq!((pair.requests.len(), pair.scheme()), (requests, Some(scheme)));
    assert_eq!(pair.events, [ClientEvent::Established { status: 200 }]);
    pair.events.clear();
    let options = Draft::request("OPTIONS", "sip:contoso.com")
        .with(HeaderName::Via, "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=01010101")
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "1")
        .with(HeaderName::CSeq, "1 OPTIONS")
        .close();
    pair.tell(client::Input::Send(&options));
    assert!(matches!(pair.events[..], [ClientEvent::Verified(_)]), "{:?}", pair.events);
    pair.tell(client::Input::Unregister);
    assert_eq!(pair.server.established(), 0);
}

/// TLS-DSK, Kerberos, NTLM: whatever the order of the lines (SIPAE-3.2.5.1-02).
#[rstest]
fn the_best_scheme_that_there_are_credentials_for_is_chosen(
    #[values(
        [Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk],
        [Scheme::Ntlm, Scheme::TlsDsk, Scheme::Kerberos],
        [Scheme::Kerberos, Scheme::Ntlm, Scheme::TlsDsk],
        [Scheme::Kerberos, Scheme::TlsDsk, Scheme::Ntlm],
        [Scheme::TlsDsk, Scheme::Ntlm, Scheme::Kerberos],
        [Scheme::TlsDsk, Scheme::Kerberos, Scheme::Ntlm]
    )]
    order: [Scheme; 3],
) {
    let all = Pair::registered(with_all(), server(Version::V4, &order));
    assert_eq!(all.scheme(), Some(Scheme::TlsDsk));
    let without_certificate = ClientConfig { tls_dsk: None, ..with_all() };
    let pair = Pair::registered(without_certificate, server(Version::V4, &order));
    assert_eq!(pair.scheme(), Some(Scheme::Kerberos));
    assert_eq!(Pair::registered(alice(), server(Version::V4, &order)).scheme(), Some(Scheme::Ntlm));
}

/// A ticket that the service cannot read, a certificate of nobody: the next scheme is tried, and none twice
/// (SIPAE-3.2.5.1-13, -21).
#[test]
fn a_scheme_that_fails_gives_way_to_the_next_one() {
    let mut spoilt = ticket(DAY);
    if let Some(last) = spoilt.ticket.last_mut() {
        *last ^= 1;
    }
    let stranger = Authority::stranger().expect("an authority");
    let config =
        ClientConfig { ticket: Some(spoilt), tls_dsk: Some(certificate(&stranger, DAY)), ..with_all() };
    let pair = Pair::registered(config.clone(), server(Version::V4, &Scheme::SIGNING));
    assert!(pair.client.is_established(), "{:?}", pair.events);
    assert_eq!(pair.scheme(), Some(Scheme::Ntlm));
    let without_ntlm = Pair::registered(config, server(Version::V4, &[Scheme::Kerberos, Scheme::TlsDsk]));
    assert!(!without_ntlm.client.is_established());
    assert!(matches!(without_ntlm.events.last(), Some(ClientEvent::Failed(_))), "{:?}", without_ntlm.events);
    assert!(without_ntlm.requests.len() < 10, "{} requests", without_ntlm.requests.len());
}

/// A ticket for another service is no ticket (SIPAE-3.2.5.1-11).
#[test]
fn a_ticket_for_another_service_is_not_shown() {
    let mut other = ticket(DAY);
    other.service = Principal::service("sip", "another.contoso.com", "CONTOSO.COM");
    let config = ClientConfig { ticket: Some(other), ..alice() };
    let pair = Pair::registered(config, server(Version::V4, &[Scheme::Kerberos]));
    assert_eq!((pair.requests.len(), pair.scheme()), (1, None));
}

/// The Finished of the server is verified before anything is signed (SIPAE-3.2.5.1-16).
#[test]
fn a_changed_finished_of_the_server_ends_the_handshake() {
    let config = ClientConfig { user: String::new(), ticket: None, ..with_all() };
    let mut entropy = Counted(0);
    let mut client = Client::new(config, &mut entropy);
    let mut server = Server::new(server(Version::V4, &[Scheme::TlsDsk]));
    server.handle(server::Input::Connected(CONNECTION), NOW, &mut entropy);
    let mut outputs = client.handle(client::Input::Register, NOW, &mut entropy);
    let mut requests = 0;
    while let Some(client::Output::Send(request)) =
        outputs.iter().find(|output| matches!(output, client::Output::Send(_)))
    {
        requests += 1;
        let answers = server.handle(server::Input::Received(CONNECTION, request), NOW, &mut entropy);
        let Some(server::Output::Send(_, answer)) =
            answers.iter().find(|output| matches!(output, server::Output::Send(..)))
        else {
            panic!("{answers:?}");
        };
        let answer = if requests == 3 { with_changed_token(answer) } else { answer.clone() };
        outputs = client.handle(client::Input::Received(&answer), NOW, &mut entropy);
    }
    assert_eq!(requests, 3, "nothing is signed");
    assert!(!client.is_established());
    assert!(
        outputs.iter().any(|output| matches!(output, client::Output::Event(ClientEvent::Failed(_)))),
        "{outputs:?}"
    );
}

/// The same answer with another last octet in its `gssapi-data`.
fn with_changed_token(answer: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(answer.to_vec()).expect("text");
    let (before, rest) = text.split_once("gssapi-data=\"").expect("a token");
    let (token, after) = rest.split_once('"').expect("its end");
    let mut octets = decode_base64(token.as_bytes()).expect("Base64");
    *octets.last_mut().expect("an octet") ^= 1;
    format!("{before}gssapi-data=\"{}\"{after}", encode_base64(&octets)).into_bytes()
}

/// Five minutes before the ticket or the certificate ends (SIPAE-3.2.2-02, -03).
#[rstest]
#[case(Scheme::Kerberos, 60)]
#[case(Scheme::TlsDsk, 30)]
fn a_client_authenticates_anew_before_its_credentials_end(#[case] scheme: Scheme, #[case] minutes: u64) {
    let lifetime = Duration::from_secs(60 * minutes);
    let authority = Authority::test().expect("an authority");
    let config = ClientConfig {
        ticket: Some(ticket(lifetime)),
        tls_dsk: Some(certificate(&authority, lifetime)),
        expires: Some(7200),
        ..alice()
    };
    let mut pair = Pair::registered(config, server(Version::V4, &[scheme]));
    assert!(pair.client.is_established(), "{:?}", pair.events);
    let before = pair.requests.len();
    pair.now = NOW.plus(Duration::from_secs(60 * (minutes - 5) - 1));
    pair.tell(client::Input::Tick);
    assert_eq!(pair.requests.len(), before);
    pair.now = NOW.plus(Duration::from_secs(60 * (minutes - 5)));
    pair.tell(client::Input::Tick);
    assert!(before < pair.requests.len(), "a whole new authentication");
}

/// Who asks for mutual authentication gets an AP-REP beside the signature of the answer, which its key has made.
#[test]
fn mutual_authentication_is_answered_with_an_ap_rep() {
    let mut server = Server::new(server(Version::V4, &[Scheme::Kerberos]));
    let mut entropy = Counted(0);
    server.handle(server::Input::Connected(CONNECTION), NOW, &mut entropy);
    let initiate = Initiate { mutual: true, ..Initiate::new(NOW) };
    let initiated = initiate.token(&ticket(DAY), &mut entropy).expect("an AP-REQ");
    let parameters = Parameters {
        scheme: Scheme::Kerberos,
        realm: b"SIP Communications Service".to_vec(),
        targetname: format!("sip/{HOST}").into_bytes(),
        version: Version::V4,
    };
    let credential = parameters
        .writer()
        .param(AuthParam::GssapiData, encode_base64(&initiated.token))
        .param(AuthParam::Version, "4")
        .write(&sipae::auth::Style::CANONICAL);
    let register = Draft::request("REGISTER", "sip:contoso.com")
        .with(HeaderName::Via, "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=01010101")
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "1")
        .with(HeaderName::CSeq, "1 REGISTER")
        .with(HeaderName::Authorization, credential)
        .close()
        .to_octets();
    let outputs = server.handle(server::Input::Received(CONNECTION, &register), NOW, &mut entropy);
    let answer = outputs.iter().find_map(|output| match output {
        server::Output::Send(_, octets) => Some(octets.clone()),
        _ => None,
    });
    let answer = answer.expect("an answer");
    let message = Message::parse(&answer, &Limits::DEFAULT).expect("a message");
    let header = AuthHeader::read(message.first(HeaderName::AuthenticationInfo).expect("a signature"));
    let reply = header.token().expect("Base64").expect("an AP-REP");
    let mac = initiated.complete(&reply).expect("its own AP-REP");
    let opaque = header.get(AuthParam::Opaque).expect("an opaque").raw().to_vec();
    let mut sa = SecurityAssociation::new(parameters, opaque, Side::Client, Context::Kerberos(mac));
    assert_eq!(sa.verify(&message, &header), Ok(1));
}
