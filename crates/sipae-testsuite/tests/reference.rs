//! The reference client and the reference server against each other, in memory, with a set clock.

use std::time::Duration;

use rstest::rstest;
use sipae::auth::ChallengeKind;
use sipae::client::{self, Client, ClientConfig, ClientEvent};
use sipae::clock::{Entropy, Time};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message};
use sipae::ntlm::NegotiateFlags;
use sipae::server::{self, Account, Accounts, ConnectionId, Server, ServerConfig, ServerEvent};
use sipae::version::Version;
use sipae::violation::Breach;

const START: Time = Time(1_201_737_716_000);
const CONNECTION: ConnectionId = ConnectionId(1);

fn accounts() -> Accounts {
    let account = |user: &str, password: &str| Account {
        user: user.to_owned(),
        domain: "CONTOSO".to_owned(),
        password: password.to_owned(),
        address: format!("{user}@contoso.com"),
        tel: None,
    };
    Accounts::new(vec![account("alice", "alice-secret"), account("bob", "bob-secret")])
}

/// Counts up: repeatable, and no two values are equal.
fn counting() -> impl Entropy {
    let mut next = 0u64;
    move |octets: &mut [u8]| {
        for chunk in octets.chunks_mut(8) {
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for (octet, value) in chunk.iter_mut().zip(next.to_be_bytes()) {
                *octet = value;
            }
        }
    }
}

/// A client, a server, and the wire between them.
struct Pair {
    client: Client,
    server: Server,
    now: Time,
    entropy: Box<dyn Entropy>,
    events: Vec<ClientEvent>,
    server_events: Vec<ServerEvent>,
    /// Everything that went over the wire, in order.
    wire: Vec<Vec<u8>>,
}

impl Pair {
    fn new(config: ServerConfig, client: ClientConfig) -> Self {
        let mut entropy: Box<dyn Entropy> = Box::new(counting());
        let client = Client::new(client, entropy.as_mut());
        let mut server = Server::new(config);
        server.handle(server::Input::Connected(CONNECTION), START, entropy.as_mut());
        Self { client, server, now: START, entropy, events: vec![], server_events: vec![], wire: vec![] }
    }

    fn alice(version: Version) -> Self {
        Self::new(ServerConfig::new("server.contoso.com", version, accounts()), alice())
    }

    fn client(&mut self, input: client::Input<'_>) {
        for output in self.client.handle(input, self.now, self.entropy.as_mut()) {
            match output {
                client::Output::Send(octets) => self.server(&octets),
                client::Output::Event(event) => self.events.push(event),
                client::Output::Close => panic!("the client closes the connection"),
            }
        }
    }

    fn server(&mut self, octets: &[u8]) {
        self.wire.push(octets.to_vec());
        let input = server::Input::Received(CONNECTION, octets);
        for output in self.server.handle(input, self.now, self.entropy.as_mut()) {
            match output {
                server::Output::Send(_, octets) => {
                    self.wire.push(octets.clone());
                    self.client(client::Input::Received(&octets));
                }
                server::Output::Event(event) => self.server_events.push(event),
                server::Output::Close(_) => panic!("the server closes the connection"),
            }
        }
    }

    fn advance(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }

    fn statuses(&self) -> Vec<u16> {
        let status = |octets: &Vec<u8>| Message::parse(octets, &Limits::DEFAULT).ok()?.status();
        self.wire.iter().filter_map(status).collect()
    }
}

fn alice() -> ClientConfig {
    ClientConfig::new("alice", "CONTOSO", "alice-secret", "alice@contoso.com")
}

fn message_to(user: &str) -> Draft {
    Draft::request("MESSAGE", &format!("sip:{user}@contoso.com"))
        .with(HeaderName::Via, "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKmessage")
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=another;epid=01010101")
        .with(HeaderName::To, format!("<sip:{user}@contoso.com>"))
        .with(HeaderName::CallId, "message")
        .with(HeaderName::CSeq, "1 MESSAGE")
        .with_body("text/plain", b"hello")
}

/// [MS-SIPAE] 3.1: three requests, a signed final answer, then signed traffic, with every version, both kinds of
/// challenge, and both forms of signature.
#[rstest]
fn a_client_registers_and_sends_signed_requests(
    #[values(Version::V2, Version::V3, Version::V4)] version: Version,
    #[values(ChallengeKind::Www, ChallengeKind::Proxy)] kind: ChallengeKind,
    #[values(NegotiateFlags::SERVER, NegotiateFlags::SERVER.without(NegotiateFlags::EXTENDED_SESSIONSECURITY))]
    flags: NegotiateFlags,
) {
    let mut config = ServerConfig::new("server.contoso.com", version, accounts());
    (config.kind, config.flags) = (kind, flags);
    let mut pair = Pair::new(config, alice());
    pair.client(client::Input::Register);
    assert_eq!(pair.statuses(), [kind.status(), kind.status(), 200]);
    assert_eq!(pair.events, [ClientEvent::Established { status: 200 }]);
    pair.client(client::Input::Send(&message_to("bob")));
    pair.client(client::Input::Send(&message_to("nobody")));
    assert_eq!(pair.statuses()[3..], [480, 404]);
    assert!(
        matches!(pair.events[..], [_, ClientEvent::Verified(_), ClientEvent::Verified(_)]),
        "{:?}",
        pair.events
    );
}

#[test]
fn a_wrong_password_gives_a_fresh_challenge_and_the_client_gives_up() {
    let mut wrong = alice();
    wrong.password = "guess".to_owned();
    let config = ServerConfig::new("server.contoso.com", Version::V4, accounts());
    let mut pair = Pair::new(config, wrong);
    pair.client(client::Input::Register);
    assert_eq!(pair.statuses(), [401, 401, 401]);
    let [ClientEvent::Failed(violation)] = &pair.events[..] else { panic!("{:?}", pair.events) };
    assert_eq!(violation.breach, Breach::Credentials);
    assert_eq!(pair.server.established(), 0);
}

/// SIPAE-3.3.5.2-17: a user who proves the own password does not become another.
#[test]
fn credentials_of_one_user_do_not_register_another() {
    let mut thief = alice();
    thief.address = "bob@contoso.com".to_owned();
    let config = ServerConfig::new("server.contoso.com", Version::V4, accounts());
    let mut pair = Pair::new(config, thief);
    pair.client(client::Input::Register);
    assert_eq!(pair.statuses(), [401, 401, 403]);
    assert_eq!(pair.server.established(), 0);
}

/// SIPAE-3.1.1-05 and -09 with octets as they were on the wire.
#[test]
fn a_replayed_or_altered_request_is_discarded_and_the_association_survives() {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    pair.client(client::Input::Send(&message_to("bob")));
    let sent = pair.wire[pair.wire.len() - 2].clone();
    let answers = pair.statuses().len();
    pair.server(&sent);
    let altered = String::from_utf8(sent).expect("text").replace("<sip:bob@", "<sip:rob@");
    pair.server(altered.as_bytes());
    assert_eq!(pair.statuses().len(), answers);
    let breaches: Vec<_> = pair.server_events.iter().filter_map(refused).collect();
    assert!(matches!(breaches[..], [.., Breach::Replayed { number: 2 }, Breach::Signature]), "{breaches:?}");
    pair.client(client::Input::Send(&message_to("bob")));
    assert_eq!(pair.statuses().len(), answers + 1);
}

fn refused(event: &ServerEvent) -> Option<&Breach> {
    match event {
        ServerEvent::Refused { violation, .. } => Some(&violation.breach),
        _ => None,
    }
}

/// SIPAE-3.3.2-01, -03, SIPAE-3.3.6-01: an association that has ended is answered with a challenge.
#[rstest]
#[case::before_the_registration_ends(7200 + 29, 480)]
#[case::after_it_and_its_margin(7200 + 30, 401)]
fn an_association_lives_as_long_as_its_registration(#[case] seconds: u64, #[case] status: u16) {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    pair.advance(Duration::from_secs(seconds));
    pair.client(client::Input::Send(&message_to("bob")));
    assert_eq!(pair.statuses()[3], status);
}

#[test]
fn the_client_refreshes_with_a_signed_register_and_authenticates_anew_before_eight_hours() {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    pair.advance(Duration::from_secs(7200 - 30));
    pair.client(client::Input::Tick);
    assert_eq!(pair.statuses(), [401, 401, 200, 200]);
    for _ in 0..3 {
        pair.advance(Duration::from_secs(7200 - 30));
        pair.client(client::Input::Tick);
    }
    assert_eq!(pair.statuses(), [401, 401, 200, 200, 200, 200, 401, 401, 200]);
}

#[test]
fn the_end_of_a_registration_ends_the_association() {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    assert_eq!(pair.server.established(), 1);
    pair.client(client::Input::Unregister);
    assert_eq!(pair.statuses(), [401, 401, 200, 200]);
    assert_eq!(pair.server.established(), 0);
}

/// SIPAE-3.3.1-07: the address-of-record is part of the key.
#[test]
fn two_users_with_one_epid_keep_their_own_associations() {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    let mut bob = ClientConfig::new("bob", "", "bob-secret", "bob@contoso.com");
    bob.epid = "01010101".to_owned();
    let alice = std::mem::replace(&mut pair.client, Client::new(bob, pair.entropy.as_mut()));
    pair.client(client::Input::Register);
    pair.client = alice;
    pair.client(client::Input::Send(&message_to("nobody")));
    assert_eq!(pair.statuses(), [401, 401, 200, 401, 401, 200, 404]);
    assert_eq!(pair.server.established(), 2);
}

/// A first token with the From and epid of somebody else ends nothing (SIPAE-3.3.5.2-28).
#[test]
fn a_failed_handshake_leaves_an_established_association_alone() {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    let mut wrong = alice();
    wrong.password = "guess".to_owned();
    let alice = std::mem::replace(&mut pair.client, Client::new(wrong, pair.entropy.as_mut()));
    pair.client(client::Input::Register);
    pair.client = alice;
    pair.client(client::Input::Send(&message_to("bob")));
    assert_eq!(pair.statuses(), [401, 401, 200, 401, 401, 401, 480]);
}

/// Real clients do not reset cnum, and take a new From tag for each REGISTER: neither is the server's business.
#[test]
fn a_new_association_may_begin_with_any_number_and_any_from_tag() {
    let mut pair = Pair::alice(Version::V3);
    let mut sent: Vec<Vec<u8>> = Vec::new();
    pair.client(client::Input::Register);
    pair.client(client::Input::Send(&message_to("bob")));
    pair.client(client::Input::Send(&message_to("bob")));
    sent.extend(pair.wire.iter().rev().take(4).filter(|octets| octets.starts_with(b"MESSAGE")).cloned());
    assert_eq!(pair.statuses()[3..], [480, 480]);
    // The same handshake again, from the same randomness: the association is the same, and number 2 comes first.
    let [second, _] = &sent[..] else { panic!("two requests") };
    let mut again = Pair::alice(Version::V3);
    again.client(client::Input::Register);
    again.server(second);
    assert_eq!(again.statuses(), [401, 401, 200, 480]);
}

/// A refresh whose answer went down with the connection is sent again over the next one.
#[test]
fn a_refresh_that_was_lost_with_its_connection_is_sent_again() {
    let mut pair = Pair::alice(Version::V4);
    pair.client(client::Input::Register);
    pair.advance(Duration::from_secs(7170));
    let lost = pair.client.handle(client::Input::Tick, pair.now, pair.entropy.as_mut());
    assert!(matches!(lost[..], [client::Output::Send(_)]));
    pair.client(client::Input::Reconnected);
    pair.client(client::Input::Tick);
    assert_eq!(pair.statuses(), [401, 401, 200, 200]);
}
