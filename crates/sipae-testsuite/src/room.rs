//! The reference server, a clock, and phones of its users, each of which writes its messages by hand.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tester stops where the server gives no usable answer"
)]

use std::collections::BTreeMap;

use sipae::auth::{AuthHeader, AuthParam, AuthWriter, Scheme, Style};
use sipae::clock::Time;
use sipae::draft::Draft;
use sipae::encoding::encode_base64;
use sipae::endpoint::InstanceId;
use sipae::message::{HeaderName, Limits, Message, Value};
use sipae::ntlm::{Answer, Authenticate, Challenge, NegotiateFlags, ResponseKind, SessionKeys};
use sipae::sa::{Context, SecurityAssociation, SignOptions};
use sipae::server::{Account, Accounts, ConnectionId, Input, Output, Server, ServerConfig};
use sipae::side::Side;
use sipae::version::Version;

use crate::conversation::{Counted, NOW};

/// Connections that every room begins with.
pub const CONNECTIONS: [ConnectionId; 4] =
    [ConnectionId(1), ConnectionId(2), ConnectionId(3), ConnectionId(4)];

/// A server and what it has sent.
#[derive(Debug)]
pub struct Room {
    /// The server.
    pub server: Server,
    /// The clock.
    pub now: Time,
    entropy: Counted,
    inboxes: BTreeMap<ConnectionId, Vec<Vec<u8>>>,
}

/// A server that knows alice, who has a telephone number, bob and carol.
pub fn config(version: Version) -> ServerConfig {
    let account = |user: &str, tel: Option<&str>| Account {
        user: user.to_owned(),
        domain: "CONTOSO".to_owned(),
        password: format!("{user}-secret"),
        address: format!("{user}@contoso.com"),
        tel: tel.map(str::to_owned),
    };
    let accounts = vec![account("alice", Some("+14255550100")), account("bob", None), account("carol", None)];
    ServerConfig::new("server.contoso.com", version, Accounts::new(accounts))
}

impl Room {
    /// A room with that server.
    pub fn new(config: ServerConfig) -> Self {
        let server = Server::new(config);
        let mut room = Self { server, now: NOW, entropy: Counted(1), inboxes: BTreeMap::new() };
        for connection in CONNECTIONS {
            room.handle(Input::Connected(connection));
        }
        room
    }

    /// A room at that version.
    pub fn at(version: Version) -> Self {
        Self::new(config(version))
    }

    /// alice at the first connection and bob at the second.
    pub fn with_alice_and_bob(&mut self) -> (Phone, Phone) {
        (self.register("alice", "a1", CONNECTIONS[0]), self.register("bob", "b1", CONNECTIONS[1]))
    }

    /// Something happens to the server.
    pub fn handle(&mut self, input: Input<'_>) {
        for output in self.server.handle(input, self.now, &mut self.entropy) {
            if let Output::Send(connection, octets) = output {
                self.inboxes.entry(connection).or_default().push(octets);
            }
        }
    }

    /// A phone says something.
    pub fn send(&mut self, from: &Phone, draft: &Draft) {
        self.handle(Input::Received(from.at, &draft.to_octets()));
    }

    /// What has arrived at a phone since it was last looked at.
    pub fn take(&mut self, at: &Phone) -> Vec<Vec<u8>> {
        self.take_at(at.at)
    }

    /// What has arrived at a connection since it was last looked at.
    pub fn take_at(&mut self, connection: ConnectionId) -> Vec<Vec<u8>> {
        self.inboxes.remove(&connection).unwrap_or_default()
    }

    /// The one message that has arrived, under a good signature of the server.
    pub fn signed(&mut self, at: &mut Phone) -> Vec<u8> {
        let mut arrived = self.take(at);
        assert_eq!(arrived.len(), 1, "{:?}", arrived.iter().map(|octets| shown(octets)).collect::<Vec<_>>());
        at.verify(&arrived[0]).expect("a good signature");
        arrived.remove(0)
    }

    /// The status codes of what has arrived.
    pub fn statuses(&mut self, at: &Phone) -> Vec<u16> {
        self.take(at).iter().filter_map(|octets| read(octets).status()).collect()
    }

    /// A handshake that ends in a registration.
    pub fn register(&mut self, user: &'static str, epid: &'static str, at: ConnectionId) -> Phone {
        let mut phone = self.establish(user, epid, at);
        let draft = phone.request("REGISTER", user);
        let draft = phone.sign(draft);
        self.send(&phone, &draft);
        assert_eq!(self.statuses(&phone), [200]);
        phone
    }

    /// A handshake alone: its REGISTER has no Contact.
    pub fn establish(&mut self, user: &'static str, epid: &'static str, at: ConnectionId) -> Phone {
        let config = self.server.config();
        let (parameters, credential) = (config.parameters(Scheme::Ntlm), config.kind.credential());
        let (challenge, write) =
            (config.kind.challenge(), |credential: AuthWriter| credential.write(&Style::CANONICAL));
        let version = parameters.version.param();
        let context = |keys: &SessionKeys| Context::ntlm(keys).expect("signs");
        let sa = |opaque, keys: &SessionKeys| {
            SecurityAssociation::new(parameters.clone(), opaque, Side::Client, context(keys))
        };
        let no_keys = SessionKeys::new(NegotiateFlags::CLIENT, [0; 16], 0);
        let mut phone = Phone { user, epid, at, credential, sent: 0, sa: sa(Vec::new(), &no_keys) };
        let first =
            parameters.writer().param(AuthParam::GssapiData, "").optional(AuthParam::Version, version);
        let mut draft = phone.request("REGISTER", user);
        draft.remove(HeaderName::Contact);
        self.send(&phone, &draft.clone().with(credential, write(first)));
        let answer = self.take(&phone).pop().expect("a continuation");
        let line = AuthHeader::read(read(&answer).first(challenge).expect("a line"));
        let token = line.token().expect("Base64").expect("a token");
        let opaque = line.get(AuthParam::Opaque).expect("opaque").raw().to_vec();
        let (token, keys) = answer_to(&token, user, epid);
        phone.sa = sa(opaque.clone(), &keys);
        draft.set(HeaderName::CSeq, "2 REGISTER");
        if parameters.version.signs_completing_request() {
            let mut options = SignOptions::new(credential);
            (options.token, options.with_version) = (Some(token), true);
            phone.sa.sign(&mut draft, [1; 4], &options).expect("signable");
        } else {
            let last = parameters
                .writer()
                .param(AuthParam::Opaque, opaque)
                .param(AuthParam::GssapiData, token)
                .optional(AuthParam::Version, version);
            draft.push(credential, write(last));
        }
        self.send(&phone, &draft);
        let answer = self.signed(&mut phone);
        assert_eq!(read(&answer).status(), Some(200));
        phone
    }
}

/// Each endpoint has a key of its own.
fn answer_to(challenge: &[u8], user: &str, epid: &str) -> (String, SessionKeys) {
    let challenge = Challenge::read(challenge).expect("a CHALLENGE");
    let password = format!("{user}-secret");
    let mut key = [0; 16];
    key.iter_mut().zip(user.bytes().chain(epid.bytes())).for_each(|(octet, byte)| *octet = byte);
    let answer = Answer {
        user,
        domain: "CONTOSO",
        password: &password,
        workstation: "PC",
        flags: NegotiateFlags::CLIENT,
        client_challenge: [3; 8],
        random_session_key: key,
        time: [5; 8],
        response: ResponseKind::NtlmV2,
        with_mic: false,
    };
    let (authenticate, keys) = Authenticate::answer(&challenge, &answer).expect("an answer");
    (encode_base64(&authenticate.write(&Authenticate::PAYLOAD)), keys)
}

/// An endpoint of a user.
#[derive(Debug)]
pub struct Phone {
    /// Name of the account.
    pub user: &'static str,
    /// The endpoint.
    pub epid: &'static str,
    /// Where it is connected.
    pub at: ConnectionId,
    /// What it signs and verifies with.
    pub sa: SecurityAssociation,
    credential: HeaderName,
    sent: u32,
}

impl Phone {
    /// A request to a user, outside a dialog, not signed yet.
    pub fn request(&mut self, method: &str, to: &str) -> Draft {
        self.sent += 1;
        let Self { user, epid, sent, .. } = self;
        let uri =
            if method == "REGISTER" { "sip:contoso.com".to_owned() } else { format!("sip:{to}@contoso.com") };
        Draft::request(method, &uri)
            .with(HeaderName::Via, format!("SIP/2.0/TCP {epid}.invalid;branch=z9hG4bK{epid}-{sent}"))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, format!("<sip:{user}@contoso.com>;tag={epid};epid={epid}"))
            .with(HeaderName::To, format!("<sip:{to}@contoso.com>"))
            .with(HeaderName::CallId, format!("call-{epid}-{sent}"))
            .with(HeaderName::CSeq, format!("{sent} {method}"))
            .with(HeaderName::Contact, format!("<{}>", self.contact()))
            .with(HeaderName::ContentLength, "0")
    }

    /// The URI that it registers.
    pub fn contact(&self) -> String {
        format!("sip:{}@{}.invalid", self.user, self.epid)
    }

    /// The GRUU that the server gives it.
    pub fn gruu(&self) -> String {
        InstanceId::from_epid(self.epid.as_bytes()).gruu(&format!("{}@contoso.com", self.user))
    }

    /// Signs a message.
    ///
    /// # Panics
    /// When it is unfit for signing.
    pub fn sign(&mut self, draft: Draft) -> Draft {
        self.try_sign(draft).expect("signable")
    }

    /// Signs a message that is fit for it.
    pub fn try_sign(&mut self, mut draft: Draft) -> Option<Draft> {
        let signed = self.sa.sign(&mut draft, [2; 4], &SignOptions::new(self.credential));
        signed.ok().map(|()| draft)
    }

    /// A signed request to a user.
    pub fn signed_request(&mut self, method: &str, to: &str) -> Draft {
        let draft = self.request(method, to);
        self.sign(draft)
    }

    /// An answer to a request that has arrived, not signed yet.
    pub fn answer(&self, request: &[u8], status: u16) -> Draft {
        Draft::response_to(&read(request), status, &format!("tag-{}", self.epid))
            .with(HeaderName::Contact, format!("<{}>", self.contact()))
            .close()
    }

    /// A signed answer to a request that has arrived.
    pub fn signed_answer(&mut self, request: &[u8], status: u16) -> Draft {
        let draft = self.answer(request, status);
        self.sign(draft)
    }

    /// Verifies a signature of the server for this phone.
    ///
    /// # Errors
    /// Tells why it is not good.
    pub fn verify(&mut self, octets: &[u8]) -> Result<u32, String> {
        let message = read(octets);
        let lines = HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name));
        // Others may have something to say there, too.
        let mut own = lines.map(AuthHeader::read).filter(|line| self.sa.parameters.fit(line));
        let line = own.next().ok_or("not signed")?;
        if line.get(AuthParam::Opaque).is_none_or(|opaque| opaque.raw() != self.sa.opaque) {
            return Err("signed with another association".to_owned());
        }
        self.sa.verify(&message, &line).map_err(|violation| violation.to_string())
    }
}

/// A message that has arrived.
pub fn read(octets: &[u8]) -> Message<'_> {
    Message::parse(octets, &Limits::NONE).expect("a message")
}

/// The first field of that name.
pub fn field(octets: &[u8], name: HeaderName) -> Option<String> {
    read(octets).first(name).map(Value::to_text)
}

/// Octets for whoever reads a failure.
pub fn shown(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
