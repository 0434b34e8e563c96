//! The reference client with the reference server, in memory, with credentials of every scheme.

use std::sync::Arc;
use std::time::Duration;

use sipae::auth::Scheme;
use sipae::client::{self, Client, ClientConfig, ClientEvent, TlsDskCredentials};
use sipae::clock::Time;
use sipae::kerberos::{Acceptor, Key, Mint, Principal, ServiceKey, ServiceTicket};
use sipae::server::{self, Account, Accounts, ConnectionId, Server, ServerConfig, ServerEvent};
use sipae::side::Side;
use sipae::version::Version;
use sipae_conformance::profile::reference_keys;
use sipae_net::{Authority, TlsDskEngine, TlsDskProvider, TlsDskSettings, Validity};
use sipae_testsuite::conversation::{Counted, NOW};

pub(crate) const HOST: &str = "server.contoso.com";
pub(crate) const CONNECTION: ConnectionId = ConnectionId(1);

/// A client and a server, and what has gone between them.
pub(crate) struct Pair {
    pub(crate) client: Client,
    pub(crate) server: Server,
    pub(crate) entropy: Counted,
    pub(crate) now: Time,
    /// What the client has sent.
    pub(crate) requests: Vec<Vec<u8>>,
    /// What the server has sent.
    pub(crate) answers: Vec<Vec<u8>>,
    pub(crate) events: Vec<ClientEvent>,
    /// How often the server has refused or discarded a message, and told so.
    pub(crate) refusals: usize,
    /// What becomes of a message on its way to this side.
    pub(crate) tamper: Option<Tamper>,
}

/// Changes a message that is on its way to one side, where it has something to change.
pub(crate) type Tamper = Box<dyn FnMut(Side, Vec<u8>) -> Vec<u8>>;

pub(crate) fn alice() -> ClientConfig {
    ClientConfig::new("alice", "CONTOSO", "alice-secret", "alice@contoso.com")
}

pub(crate) fn server(version: Version, schemes: &[Scheme]) -> ServerConfig {
    let account = Account {
        user: "alice".to_owned(),
        domain: "CONTOSO".to_owned(),
        password: "alice-secret".to_owned(),
        address: "alice@contoso.com".to_owned(),
        tel: None,
    };
    ServerConfig {
        schemes: schemes.to_vec(),
        kerberos: Some(Acceptor::new(reference_keys(HOST))),
        tls_dsk: Authority::test().and_then(|authority| authority.service(HOST, TlsDskEngine::Rustls)).ok(),
        ..ServerConfig::new(HOST, version, Accounts::new(vec![account]))
    }
}

pub(crate) fn service_key() -> ServiceKey {
    reference_keys(HOST).remove(0)
}

pub(crate) fn ticket(lifetime: Duration) -> ServiceTicket {
    let key = service_key();
    let session_key = Key::random(key.key.etype(), &mut Counted(7));
    let client = Principal::user("alice", "CONTOSO.COM");
    let mut mint = Mint::new(client, key.principal.clone(), session_key, NOW);
    mint.end = NOW.plus(lifetime);
    mint.mint(&key.key, &mut Counted(9)).expect("a ticket")
}

pub(crate) fn certificate(authority: &Authority, lifetime: Duration) -> TlsDskCredentials {
    let not_after = NOW.plus(lifetime);
    let validity = Validity { not_before: Time(0), not_after };
    let identity =
        authority.user("alice@contoso.com", validity, sipae_net::TestKey::P256).expect("a certificate");
    let trusted = Authority::test().expect("an authority").certificate().to_owned();
    let settings = TlsDskSettings::new(TlsDskEngine::Rustls, Some(identity), &trusted);
    TlsDskCredentials { provider: Arc::new(TlsDskProvider::new(&settings).expect("settings")), not_after }
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A client with credentials of every kind.
pub(crate) fn with_all() -> ClientConfig {
    let authority = Authority::test().expect("an authority");
    ClientConfig { ticket: Some(ticket(DAY)), tls_dsk: Some(certificate(&authority, DAY)), ..alice() }
}

impl Pair {
    pub(crate) fn new(client: ClientConfig, server: ServerConfig) -> Self {
        let mut entropy = Counted(0);
        let mut pair = Self {
            client: Client::new(client, &mut entropy),
            server: Server::new(server),
            entropy,
            now: NOW,
            requests: Vec::new(),
            answers: Vec::new(),
            events: Vec::new(),
            refusals: 0,
            tamper: None,
        };
        pair.serve(server::Input::Connected(CONNECTION));
        pair
    }

    pub(crate) fn tell(&mut self, input: client::Input<'_>) {
        for output in self.client.handle(input, self.now, &mut self.entropy) {
            match output {
                client::Output::Send(octets) => {
                    let octets = self.on_the_way(Side::Server, octets);
                    self.requests.push(octets.clone());
                    self.serve(server::Input::Received(CONNECTION, &octets));
                }
                client::Output::Event(event) => self.events.push(event),
                client::Output::Close => {}
            }
        }
    }

    pub(crate) fn serve(&mut self, input: server::Input<'_>) {
        for output in self.server.handle(input, self.now, &mut self.entropy) {
            match output {
                server::Output::Send(_, octets) => {
                    let octets = self.on_the_way(Side::Client, octets);
                    self.answers.push(octets.clone());
                    self.tell(client::Input::Received(&octets));
                }
                server::Output::Event(ServerEvent::Refused { .. }) => self.refusals += 1,
                _ => {}
            }
        }
    }

    fn on_the_way(&mut self, to: Side, octets: Vec<u8>) -> Vec<u8> {
        match &mut self.tamper {
            Some(tamper) => tamper(to, octets),
            None => octets,
        }
    }
}
