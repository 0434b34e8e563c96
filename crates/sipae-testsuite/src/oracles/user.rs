//! A user at an endpoint: the reference client, and requests for it to send.

use sipae::client::{Client, ClientConfig, Input, Output};
use sipae::clock::Time;
use sipae::draft::Draft;
use sipae::message::HeaderName;
use sipae::server::{Account, Accounts, ConnectionId, ServerConfig};
use sipae::version::Version;

use super::octets::Choices;
use crate::conversation::Counted;

/// A user at an endpoint.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) epid: &'static str,
    pub(super) at: ConnectionId,
    pub(super) client: Client,
    entropy: Counted,
}

impl User {
    /// Whose password is `password-of-` and that name; randomness is that of the connection.
    pub(super) fn new(name: &'static str, epid: &'static str, password: &str, at: ConnectionId) -> Self {
        let address = format!("{name}@contoso.com");
        let mut config = ClientConfig::new(name, "CONTOSO", &format!("{password}-secret"), &address);
        config.epid = epid.to_owned();
        config.host = format!("{epid}.invalid:5060");
        let mut entropy = Counted(at.0 << 32);
        Self { name, epid, at, client: Client::new(config, &mut entropy), entropy }
    }

    /// Something happens to the client.
    pub(super) fn handle(&mut self, input: Input<'_>, now: Time) -> Vec<Output> {
        self.client.handle(input, now, &mut self.entropy)
    }

    /// Any request of that user; those of one call belong together.
    pub(super) fn request(&self, choices: &mut Choices<'_>) -> Draft {
        let method = choices.among(METHODS).unwrap_or("OPTIONS");
        let to = choices.among(CALLEES).unwrap_or("contoso.com");
        let call = choices.number() % 4;
        let draft = self.plain(method, to, call);
        match choices.number() % 4 {
            0 => draft,
            1 => draft.with(HeaderName::PPreferredIdentity, format!("<sip:{}@contoso.com>", self.name)),
            2 => draft.with(HeaderName::PAssertedIdentity, "<sip:bob@contoso.com>, <tel:+1>"),
            _ => draft.with_body("text/plain", b"hello"),
        }
    }

    /// A request that every server answers or forwards.
    pub(super) fn plain(&self, method: &str, to: &str, call: usize) -> Draft {
        let Self { name, epid, .. } = self;
        Draft::request(method, &format!("sip:{to}"))
            .with(HeaderName::Via, format!("SIP/2.0/TCP {epid}.invalid;branch=z9hG4bK{epid}-{call}"))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, format!("<sip:{name}@contoso.com>;tag={epid};epid={epid}"))
            .with(HeaderName::To, format!("<sip:{to}>"))
            .with(HeaderName::CallId, format!("{epid}-{call}"))
            .with(HeaderName::CSeq, format!("1 {method}"))
            .with(HeaderName::ContentLength, "0")
    }
}

const METHODS: &[&str] =
    &["OPTIONS", "MESSAGE", "INVITE", "ACK", "CANCEL", "BYE", "SUBSCRIBE", "NOTIFY", "REGISTER", "SERVICE"];

const CALLEES: &[&str] =
    &["contoso.com", "alice@contoso.com", "bob@contoso.com", "carol@contoso.com", "nobody@contoso.com"];

/// A server that knows alice, bob and carol, and holds so little that every bound is met.
pub(super) fn small_server(version: Version) -> ServerConfig {
    let account = |user: &str| Account {
        user: user.to_owned(),
        domain: "CONTOSO".to_owned(),
        password: format!("{user}-secret"),
        address: format!("{user}@contoso.com"),
        tel: (user == "alice").then(|| "+14255550100".to_owned()),
    };
    let accounts = Accounts::new(vec![account("alice"), account("bob"), account("carol")]);
    let mut config = ServerConfig::new("server.contoso.com", version, accounts);
    config.negotiations = NEGOTIATIONS;
    config.associations = ASSOCIATIONS;
    config.transactions = TRANSACTIONS;
    config
}

/// Unfinished handshakes of that server.
pub(super) const NEGOTIATIONS: usize = 4;
/// Its associations.
pub(super) const ASSOCIATIONS: usize = 3;
/// Its forwarded requests.
pub(super) const TRANSACTIONS: usize = 4;
