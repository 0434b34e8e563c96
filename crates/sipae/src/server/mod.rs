//! The reference server: a registrar that authenticates with NTLM, Kerberos and TLS-DSK ([MS-SIPAE] 3.3), as a state
//! machine.
//!
//! It forwards what it authenticates to the endpoints of its users and relays what they answer, signed anew for each.
//! Everything that a client can make it remember is bounded.

mod account;
mod application;
mod checks;
mod config;
mod focus;
mod handshake;
mod identity;
mod kerberos;
mod location;
mod misreadings;
mod negotiation;
mod ntlm;
mod proxy;
mod relay;
mod response;
mod signed;
mod table;
mod tls_dsk;
mod transactions;

pub use account::{Account, Accounts};
pub use config::{ServerConfig, TlsDskService};
pub use focus::Conference;

use std::collections::BTreeMap;

use crate::auth::{AuthHeader, AuthParam, ChallengeKind};
use crate::clock::{Entropy, Time};
use crate::defects::Defect;
use crate::endpoint::EndpointId;
use crate::kerberos::ReplayCache;
use crate::message::{HeaderName, Limits, Message, MessageError, MessageStream};
use crate::sa::Parameters;
use crate::violation::{Breach, Violation};

use location::Flow;
use negotiation::Negotiations;
use table::{Association, Associations};
use transactions::Transactions;

/// A connection, named by whoever owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happens to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A client has connected.
    Connected(ConnectionId),
    /// Octets have arrived.
    Received(ConnectionId, &'a [u8]),
    /// A connection has ended.
    Disconnected(ConnectionId),
    /// Time has passed.
    Tick,
}

/// What a server wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message.
    Send(ConnectionId, Vec<u8>),
    /// Close a connection whose octets cannot be understood any more.
    Close(ConnectionId),
    /// Nothing to do: for logs and tests.
    Event(ServerEvent),
}

/// What a server has noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// A security association has been established.
    Established {
        /// The account.
        user: String,
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// A client broke a rule; the message was refused or discarded.
    Refused {
        /// The connection it came from.
        connection: ConnectionId,
        /// The rule.
        violation: Violation,
    },
    /// An anonymous client has joined a conference.
    Joined {
        /// Its anonymous address and its endpoint.
        caller: String,
        /// GRUU of the conference.
        conference: String,
    },
    /// Security associations have ended by time.
    Expired {
        /// How many.
        count: usize,
    },
}

/// A connection as the server sees it.
#[derive(Debug)]
struct Link {
    /// Tells it from others that have had its number.
    serial: u64,
    stream: MessageStream,
    since: Time,
    /// Whether a message on it has verified: a stranger's connection is closed after a while.
    is_authenticated: bool,
    /// Bare requests so far: only a defective server counts them.
    bare: u32,
}

/// The reference server.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    /// What its challenges say: a line for each scheme.
    offers: Vec<Parameters>,
    connections: BTreeMap<ConnectionId, Link>,
    /// Connections so far.
    connected: u64,
    negotiations: Negotiations,
    associations: Associations,
    transactions: Transactions,
    /// AP-REQs that have been accepted.
    replays: ReplayCache,
    focus: focus::Focus,
}

/// What the handling of one message needs besides the server.
struct Scene<'s> {
    flow: Flow,
    now: Time,
    entropy: &'s mut dyn Entropy,
    outputs: &'s mut Vec<Output>,
    /// Whether a message of this input has verified.
    has_authenticated: bool,
}

impl Scene<'_> {
    fn send(&mut self, octets: Vec<u8>) {
        self.send_to(self.flow, octets);
    }

    fn send_to(&mut self, flow: Flow, octets: Vec<u8>) {
        self.outputs.push(Output::Send(flow.connection, octets));
    }

    fn refused(&mut self, breach: impl Into<Breach>) {
        let violation = Violation::client(breach);
        let connection = self.flow.connection;
        self.outputs.push(Output::Event(ServerEvent::Refused { connection, violation }));
    }
}

impl Server {
    /// A server that knows nobody yet.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        let offers = config.offers();
        let negotiations = Negotiations::new(config.negotiations);
        let associations = Associations::new(config.associations);
        let transactions = Transactions::new(config.transactions);
        let replays = ReplayCache::default();
        let focus = focus::Focus::new(&config.durations);
        let connections = BTreeMap::new();
        Self {
            config,
            offers,
            connections,
            connected: 0,
            negotiations,
            associations,
            transactions,
            focus,
            replays,
        }
    }

    /// How it is configured.
    #[must_use]
    pub const fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Established security associations.
    #[must_use]
    pub fn established(&self) -> usize {
        self.associations.len()
    }

    /// Handshakes that are under way.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        self.negotiations.len()
    }

    /// Forwarded requests that wait for an answer, and calls that ended a moment ago.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.transactions.len()
    }

    /// Takes one input at a time `now`, which must not go back.
    pub fn handle(&mut self, input: Input<'_>, now: Time, entropy: &mut dyn Entropy) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.expire(now, entropy, &mut outputs);
        match input {
            Input::Connected(connection) => self.connect(connection, now),
            Input::Disconnected(connection) => {
                self.connections.remove(&connection);
            }
            Input::Received(connection, octets) => {
                if let Some(link) = self.connections.get(&connection) {
                    let (outputs, flow) = (&mut outputs, Flow { connection, serial: link.serial });
                    let mut scene = Scene { flow, now, entropy, outputs, has_authenticated: false };
                    self.receive(&mut scene, octets);
                }
            }
            Input::Tick => {}
        }
        outputs
    }

    fn connect(&mut self, connection: ConnectionId, now: Time) {
        self.connected += 1;
        let stream = MessageStream::new(self.config.limits);
        let link = Link { serial: self.connected, stream, since: now, is_authenticated: false, bare: 0 };
        self.connections.insert(connection, link);
    }

    /// Timers of associations send nothing ([MS-SIPAE] SIPAE-3.3.6-04): what has ended is forgotten, and strangers are
    /// cut off. Who waits for an answer is told that there will be none.
    fn expire(&mut self, now: Time, entropy: &mut dyn Entropy, outputs: &mut Vec<Output>) {
        self.negotiations.expire(now);
        self.focus.expire(now);
        if self.config.defects.has(Defect::TellsOfExpiry) {
            self.tell_of_expiry(now, entropy, outputs);
        }
        let keeps = self.config.defects.has(Defect::DeliversToExpired);
        let count = self.associations.expire(if keeps { Time::default() } else { now });
        if count != 0 {
            outputs.push(Output::Event(ServerEvent::Expired { count }));
        }
        self.cut_off_strangers(now, outputs);
        for transaction in self.transactions.expire(now) {
            let mut scene = Scene { flow: transaction.flow, now, entropy, outputs, has_authenticated: false };
            self.end(&mut scene, transaction, 408);
        }
    }

    fn cut_off_strangers(&mut self, now: Time, outputs: &mut Vec<Output>) {
        let patience = self.config.durations.connection;
        let is_any = self.config.defects.has(Defect::ClosesAuthenticated);
        let is_over = |link: &Link| (is_any || !link.is_authenticated) && patience <= now.since(link.since);
        let over: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, link)| is_over(link))
            .map(|(connection, _)| *connection)
            .collect();
        for connection in over {
            self.connections.remove(&connection);
            outputs.push(Output::Close(connection));
        }
    }

    /// The stream is taken out of the connection, which is there meanwhile: a message may be for its own sender.
    fn receive(&mut self, scene: &mut Scene<'_>, octets: &[u8]) {
        let connection = scene.flow.connection;
        if 32 * 1024 < octets.len() && self.config.defects.has(Defect::LeavesLongUnanswered) {
            return;
        }
        if octets.starts_with(b"\r\n") && self.config.defects.has(Defect::ClosesOnEmptyLines) {
            return self.give_up(scene, MessageError::Incomplete { length: octets.len() });
        }
        let Some(link) = self.connections.get_mut(&connection) else { return };
        let mut stream = std::mem::replace(&mut link.stream, MessageStream::new(self.config.limits));
        stream.push(octets);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => self.message(scene, &message),
                Ok(None) => break,
                Err(error) => return self.give_up(scene, error),
            }
        }
        if let Some(link) = self.connections.get_mut(&connection) {
            link.stream = stream;
            link.is_authenticated |= scene.has_authenticated;
        }
    }

    /// The next message cannot be found any more.
    fn give_up(&mut self, scene: &mut Scene<'_>, error: MessageError) {
        let is_limit = matches!(error, MessageError::Limit { .. });
        scene.refused(error);
        let ends_all =
            if is_limit { Defect::OversizeEndsAssociations } else { Defect::BrokenEndsAssociations };
        if self.config.defects.has(ends_all) {
            self.associations.clear();
        }
        self.connections.remove(&scene.flow.connection);
        scene.outputs.push(Output::Close(scene.flow.connection));
    }

    fn message(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        if !message.is_request() {
            return self.client_response(scene, message);
        }
        match self.misread(message).as_deref().map(|octets| Message::parse(octets, &Limits::NONE)) {
            Some(Ok(misread)) => self.request(scene, &misread),
            _ => self.request(scene, message),
        }
    }

    fn request(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        if let Err(breach) = check_request(message) {
            if self.config.defects.has(Defect::ForwardsLastFrom) {
                self.forward_last_from(scene, message);
            }
            return self.bad_request(scene, message, breach);
        }
        if self.is_for_focus(message) {
            return self.focus(scene, message);
        }
        match self.credential(message) {
            Some(credential) if self.misunderstands(message, &credential) => self.challenge(scene, message),
            Some(credential) if credential.malformed().is_some() => {
                self.malformed(scene, message, &credential);
            }
            Some(credential) if self.is_handshake(&credential) => {
                self.handshake(scene, message, &credential);
            }
            Some(credential) => self.signed(scene, message, &credential),
            None => self.unauthenticated(scene, message),
        }
    }

    /// gssapi-data makes a handshake message, whatever stands beside it (SIPAE-3.3.5.2-01).
    fn is_handshake(&self, credential: &AuthHeader<'_>) -> bool {
        let is_signed =
            credential.get(AuthParam::Response).is_some() && !self.config.version.signs_completing_request();
        let has_token = credential.get(AuthParam::GssapiData).is_some();
        has_token && !(is_signed && self.config.defects.has(Defect::TokenBesideSignatureIsSigned))
    }

    /// The offer that a credential takes up: it names the scheme, realm and targetname of one.
    fn offer(&self, credential: &AuthHeader<'_>) -> Option<&Parameters> {
        let defects = self.config.defects;
        let is_same_realm = |offer: &Parameters| {
            let realm = credential.get(AuthParam::Realm).unwrap_or_default();
            realm.raw().eq_ignore_ascii_case(&offer.realm)
        };
        let is_meant = |offer: &&Parameters| {
            let is_forgiven = defects.has(Defect::TakesAnyRealm)
                || defects.has(Defect::IgnoresRealmCase) && is_same_realm(offer);
            offer.fit(credential) || is_forgiven && credential.scheme() == Some(offer.scheme)
        };
        self.offers.iter().find(is_meant)
    }

    /// The credential that takes up an offer of this server, in either header field; the rest is for others (SIPAE-3.3.5.3-12, -13).
    fn credential<'m>(&self, message: &Message<'m>) -> Option<AuthHeader<'m>> {
        let defects = self.config.defects;
        let is_read = |name: &HeaderName| {
            *name == self.config.kind.credential() || !defects.has(Defect::ReadsOwnFieldOnly)
        };
        let names = HeaderName::CREDENTIALS.into_iter().filter(is_read);
        let most = if defects.has(Defect::ReadsFirstCredential) { 1 } else { usize::MAX };
        let mut credentials = names.flat_map(|name| message.all(name)).map(AuthHeader::read).take(most);
        let is_exact = defects.has(Defect::SchemeCaseMatters);
        credentials.find(|credential| {
            let is_written =
                |offer: &Parameters| !is_exact || credential.scheme_text() == offer.scheme.name().as_bytes();
            self.offer(credential).is_some_and(is_written)
        })
    }

    fn is_one_too_many(&mut self, scene: &Scene<'_>) -> bool {
        const MOST: u32 = 50;
        let Some(link) = self.connections.get_mut(&scene.flow.connection) else { return false };
        link.bare += 1;
        MOST < link.bare
    }

    fn unauthenticated(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        scene.refused(Breach::Unsigned);
        if self.config.defects.has(Defect::ClosesAfterManyBare) && self.is_one_too_many(scene) {
            self.connections.remove(&scene.flow.connection);
            return scene.outputs.push(Output::Close(scene.flow.connection));
        }
        if self.config.defects.has(Defect::AcceptsBareRequest) {
            return self.answer_unsigned(scene, message, 200);
        }
        if self.config.defects.has(Defect::AcceptsUnsignedInAssociation) && self.knows_endpoint(message) {
            return self.answer_unsigned(scene, message, 200);
        }
        let is_options = message.method() == Some(b"OPTIONS");
        if is_options
            && self.config.defects.has(Defect::AcceptsUnsignedOptions)
            && self.knows_endpoint(message)
        {
            return self.answer_unsigned(scene, message, 200);
        }
        if self.config.defects.has(Defect::BareEndsAssociation) {
            self.end_association_of(message);
        }
        if self.config.defects.has(Defect::ForwardsBareRequest)
            && let Ok(endpoint) = endpoint_of(message)
        {
            self.pass_on(scene, message, &endpoint.address);
        }
        self.act_on_bare(scene, message);
        self.challenge(scene, message);
    }

    /// What a defective registrar does for anybody before it asks who it is.
    fn act_on_bare(&mut self, scene: &Scene<'_>, message: &Message<'_>) {
        let defects = self.config.defects;
        let Ok(endpoint) = endpoint_of(message) else { return };
        let found = self.associations.by_endpoint(&endpoint).map(|found| found.sa.opaque.clone());
        let Some(opaque) = found.filter(|_| message.method() == Some(b"REGISTER")) else { return };
        let is_end = message.expires().ok().flatten().is_some_and(|value| value.raw() == b"0");
        if is_end && defects.has(Defect::BareUnregisters) {
            self.associations.remove(&opaque);
        } else if defects.has(Defect::BareMovesBinding)
            && let Some(association) = self.associations.get_mut(&opaque)
        {
            association.flow = scene.flow;
        }
    }

    fn knows_endpoint(&self, message: &Message<'_>) -> bool {
        endpoint_of(message).is_ok_and(|endpoint| self.associations.by_endpoint(&endpoint).is_some())
    }

    /// What no right server does for a stranger.
    fn end_association_of(&mut self, message: &Message<'_>) {
        if let Ok(endpoint) = endpoint_of(message) {
            self.associations.remove_endpoint(&endpoint);
        }
    }

    fn malformed(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, credential: &AuthHeader<'_>) {
        if let Some(diagnostic) = credential.malformed() {
            scene.refused(Breach::Header { header: self.config.kind.credential(), diagnostic });
        }
        if self.config.defects.has(Defect::AcceptsMalformedCredential) {
            return self.answer_unsigned(scene, message, 200);
        }
        self.challenge(scene, message);
    }
}

/// What every request must have before anything else is looked at.
fn check_request(message: &Message<'_>) -> Result<(), Breach> {
    message.from()?;
    message.to()?;
    message.call_id()?;
    message.expires()?;
    let cseq = message.cseq()?;
    if Some(cseq.method) != message.method() {
        let diagnostic = sipae_spec::Diagnostic::CSeqMethodMismatch;
        return Err(Breach::Header { header: HeaderName::CSeq, diagnostic });
    }
    Ok(())
}

/// The endpoint behind From and Contact.
fn endpoint_of(message: &Message<'_>) -> Result<EndpointId, Breach> {
    let (from, contact) = (message.from()?, message.contact()?);
    Ok(EndpointId::of(&from, contact.as_ref())?)
}

/// ACK and CANCEL are never answered with a challenge (SIPAE-3.3.5.1-03).
fn is_silent(method: &[u8]) -> bool {
    matches!(method, b"ACK" | b"CANCEL")
}
