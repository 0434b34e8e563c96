//! The reference client: registers, signs, verifies ([MS-SIPAE] 3.2), as a state machine for one connection.
//!
//! It chooses the best of the schemes that it has credentials for, tries the next one where that fails, authenticates anew before the association ends or when the server has lost it,
//! and answers the requests that reach it. Before there is an association it sends nothing but REGISTER; afterwards it
//! believes nothing but what is signed.

mod agent;
mod anonymous;
mod careless;
mod challenge;
mod edge;
mod handshake;
mod kerberos;
mod outgoing;
mod pending;
mod registration;
mod stimulus;
mod tls_dsk;
mod verify;

pub use agent::{AgentInput, UserAgent};
pub use anonymous::{
    AnonymousClient, AnonymousConfig, AnonymousEvent, AnonymousInput, AnonymousName, AnonymousOutput,
    JoinError,
};

pub use edge::ProxyAccount;
pub use stimulus::{Standing, Stimulus};

use std::sync::Arc;

use crate::auth::{ChallengeKind, Scheme, Style};
use crate::clock::{Entropy, Time};
use crate::defects::Defects;
use crate::draft::Draft;
use crate::kerberos::ServiceTicket;
use crate::message::{Limits, Message, MessageStream};
use crate::ntlm::NegotiateFlags;
use crate::sa::{Durations, Parameters, SecurityAssociation};
use crate::tlsdsk::{TlsHandshake, TlsProvider};
use crate::version::Version;
use crate::violation::{Breach, Violation};

use pending::Pending;

/// Who the client is and how it behaves.
#[derive(Clone)]
pub struct ClientConfig {
    /// Account name.
    pub user: String,
    /// Domain; empty for a user@domain account name.
    pub domain: String,
    /// Password.
    pub password: String,
    /// Address-of-record without scheme, such as `alice@contoso.com`.
    pub address: String,
    /// epid of this endpoint.
    pub epid: String,
    /// Host and port of Via and Contact.
    pub host: String,
    /// Transport of Via: `TCP` or `TLS`.
    pub transport: String,
    /// Seconds asked for in REGISTER; `None` for no Expires header field, as many products do.
    pub expires: Option<u32>,
    /// A service ticket, which came from a KDC or was minted; without one Kerberos is skipped (SIPAE-3.2.5.1-13).
    pub ticket: Option<ServiceTicket>,
    /// What TLS-DSK needs; without it that scheme is skipped.
    pub tls_dsk: Option<TlsDskCredentials>,
    /// The account at a proxy before the server, which asks for Digest; without one such a proxy is not answered.
    pub proxy: Option<ProxyAccount>,
    /// The weakest version that is answered (SIPAE-3.2.5.1-31).
    pub weakest: Version,
    /// What of the server's flags is answered.
    pub flags: NegotiateFlags,
    /// Order and quoting of credentials.
    pub style: Style,
    /// Timers.
    pub durations: Durations,
    /// The last cnum before a new association is due: 2^32-1 (SIPAE-3.1.1-11). Only those who test lower it.
    pub last_number: u32,
    /// Bounds for messages.
    pub limits: Limits,
    /// The planted bug, if any.
    pub defects: Defects,
    /// Whom a [`UserAgent`] writes to and calls: an address-of-record without scheme.
    pub peer: String,
    /// Whom it refers its peer to.
    pub refer_to: String,
}

impl ClientConfig {
    /// A Communicator-like client.
    #[must_use]
    pub fn new(user: &str, domain: &str, password: &str, address: &str) -> Self {
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            password: password.to_owned(),
            address: address.to_owned(),
            epid: "01010101".to_owned(),
            host: "127.0.0.1:5060".to_owned(),
            transport: "TCP".to_owned(),
            expires: None,
            ticket: None,
            tls_dsk: None,
            proxy: None,
            weakest: Version::V2,
            flags: NegotiateFlags::CLIENT,
            style: Style::COMMUNICATOR,
            durations: Durations::default(),
            last_number: u32::MAX,
            limits: Limits::DEFAULT,
            defects: Defects::NONE,
            peer: "bob@contoso.com".to_owned(),
            refer_to: "carol@contoso.com".to_owned(),
        }
    }
}

/// The certificate of a user, which was obtained out of band (SIPAE-3.1-05).
#[derive(Clone, Debug)]
pub struct TlsDskCredentials {
    /// Makes the engines of handshakes: they know the certificate, and whose certificates are trusted.
    pub provider: Arc<dyn TlsProvider>,
    /// The end of its validity.
    pub not_after: Time,
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientConfig({}, epid {})", self.address, self.epid)
    }
}

/// What happens to a client.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Register.
    Register,
    /// End the registration. A client that has not yet authenticated gives up.
    Unregister,
    /// Send a request: Via, From, To tag, Call-ID and CSeq are the caller's, the signature is added. Without association
    /// nothing is sent, see [`ClientEvent::NotSent`].
    Send(&'a Draft),
    /// Octets have arrived. They are ignored after [`Output::Close`], until [`Input::Reconnected`].
    Received(&'a [u8]),
    /// There is a new connection to the server. What remained of the old one's octets is dropped, and a handshake that
    /// was under way is given up. An association outlives its connection.
    Reconnected,
    /// Time has passed.
    Tick,
}

/// What a client wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message.
    Send(Vec<u8>),
    /// Close the connection: its octets cannot be understood any more. The client does nothing until
    /// [`Input::Reconnected`].
    Close,
    /// Nothing to do: for the application.
    Event(ClientEvent),
}

/// What a client has noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// A signed final answer has proven the server; the status of the REGISTER.
    Established {
        /// The status code.
        status: u16,
    },
    /// A message whose signature is good, for the application.
    Verified(Vec<u8>),
    /// The server broke a rule; the message was discarded.
    Discarded(Violation),
    /// Authentication has failed and is not tried again.
    Failed(Violation),
    /// The server does not know the association any more: what is out under it is not answered. The client registers
    /// anew, unless it is unregistering.
    Lost,
    /// A message was not sent.
    NotSent(NotSent),
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// The connection is closed.
    #[error("connection is closed")]
    Closed,
    /// There is nothing to sign with: no association yet, or none any more (SIPAE-3.2.4.1-01).
    #[error("no security association is established")]
    NotEstablished,
    /// The association has no number left; the client authenticates anew (SIPAE-3.1.1-11).
    #[error("sequence numbers of the security association are used up")]
    NumbersUsedUp,
    /// The message is unfit for signing.
    #[error(transparent)]
    Unfit(#[from] Breach),
}

/// Where the client is with its server.
#[derive(Debug)]
enum State {
    /// Nothing is under way.
    Idle,
    /// A bare REGISTER is out.
    Bare,
    /// A token is out that the server continues from.
    Started { parameters: Parameters, kind: ChallengeKind, negotiation: Negotiation },
    /// The last request of the handshake is out; the association is established by a signed answer.
    Completing { association: Box<SecurityAssociation>, kind: ChallengeKind, end: Option<Time> },
    /// Signed traffic.
    Established(Box<Established>),
}

/// What the continuation goes to.
#[derive(Debug)]
enum Negotiation {
    /// The empty token is out.
    Ntlm,
    /// A flight is out.
    TlsDsk(Box<TlsHandshake>),
}

#[derive(Debug)]
struct Established {
    association: SecurityAssociation,
    kind: ChallengeKind,
    reauthenticate: Time,
    /// When a REGISTER is due; `None` while one is out, or when no Expires was granted.
    refresh: Option<Time>,
    registered_until: Option<Time>,
}

/// The reference client.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    /// `None` when the connection is closed.
    stream: Option<MessageStream>,
    state: State,
    /// Schemes that have failed since the client began: none is tried twice (SIPAE-3.2.5.1-21).
    failed: Vec<Scheme>,
    call_id: String,
    from_tag: String,
    cseq: u32,
    /// Whether the REGISTER with that CSeq has no final answer yet.
    register_is_out: bool,
    /// Other requests without one.
    pending: Pending,
    /// The proxy that has asked for Digest.
    edge: Option<edge::Edge>,
    /// The association that was lost last, which a right client has no use for.
    former: Option<Box<SecurityAssociation>>,
    /// When the server's last request came, which a right client has no use for.
    asked_at: Option<Time>,
    /// The wish to leave: it stands until the client is idle or told to register.
    unregistering: bool,
}

/// What the handling of one input needs besides the client.
struct Scene<'s> {
    now: Time,
    entropy: &'s mut dyn Entropy,
    outputs: &'s mut Vec<Output>,
}

impl Scene<'_> {
    fn event(&mut self, event: ClientEvent) {
        self.outputs.push(Output::Event(event));
    }

    fn discard(&mut self, breach: impl Into<Breach>) {
        self.event(ClientEvent::Discarded(Violation::server(breach)));
    }
}

impl Client {
    /// A client that has sent nothing yet. `entropy` gives it its Call-ID and tag.
    #[must_use]
    pub fn new(config: ClientConfig, entropy: &mut dyn Entropy) -> Self {
        let hex = crate::encoding::encode_base16;
        let (call_id, from_tag) = (hex(&entropy.octets::<16>()), hex(&entropy.octets::<5>()));
        Self {
            stream: Some(MessageStream::new(config.limits)),
            config,
            state: State::Idle,
            failed: Vec::new(),
            call_id,
            from_tag,
            cseq: 0,
            register_is_out: false,
            pending: Pending::default(),
            edge: None,
            former: None,
            asked_at: None,
            unregistering: false,
        }
    }

    /// Whether signed traffic is possible.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        matches!(self.state, State::Established(_))
    }

    /// Takes one input at a time `now`, which must not go back.
    pub fn handle(&mut self, input: Input<'_>, now: Time, entropy: &mut dyn Entropy) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut scene = Scene { now, entropy, outputs: &mut outputs };
        match input {
            Input::Reconnected => self.reconnected(now),
            Input::Received(octets) => self.receive(&mut scene, octets),
            Input::Tick if self.stream.is_none() => {}
            _ if self.stream.is_none() => scene.event(ClientEvent::NotSent(NotSent::Closed)),
            Input::Register => {
                self.unregistering = false;
                self.failed.clear();
                self.register(&mut scene);
            }
            Input::Unregister => self.unregister(&mut scene),
            Input::Send(draft) => self.send(&mut scene, draft.clone()),
            Input::Tick => self.tick(&mut scene),
        }
        outputs
    }

    fn reconnected(&mut self, now: Time) {
        self.stream = Some(MessageStream::new(self.config.limits));
        let State::Established(established) = &mut self.state else { return self.forget() };
        if std::mem::take(&mut self.register_is_out) {
            // The answer went down with the connection: the next tick registers again.
            established.refresh = Some(now);
        }
    }

    /// After an error the next message cannot be found any more, so that the stream is not kept.
    fn receive(&mut self, scene: &mut Scene<'_>, octets: &[u8]) {
        let Some(mut stream) = self.stream.take() else { return };
        stream.push(octets);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => self.message(scene, &message),
                Ok(None) => break,
                Err(error) => {
                    scene.discard(error);
                    return scene.outputs.push(Output::Close);
                }
            }
        }
        self.stream = Some(stream);
    }

    fn message(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        if careless::overlooks(self.config.defects, message) {
            return;
        }
        let Some(status) = message.status() else { return self.request(scene, message) };
        match ChallengeKind::from_status(status) {
            Some(kind) if !self.is_signed(message) => self.challenged(scene, message, kind),
            _ => self.response(scene, message, status),
        }
    }

    /// Whether a message names the established association as its signer. A challenge that does tells of no loss: it
    /// is verified like any other response (SIPAE-3.2.5.2-14).
    fn is_signed(&self, message: &Message<'_>) -> bool {
        let State::Established(established) = &self.state else { return false };
        verify::signature(&established.association, message).is_some()
    }

    /// Whether a response answers the client's last REGISTER, and is the first final one to do so.
    fn is_own_register(&self, message: &Message<'_>) -> bool {
        let defects = self.config.defects;
        let same_call = message.call_id().is_ok_and(|call_id| call_id.raw() == self.call_id.as_bytes());
        let same_cseq = message.cseq().is_ok_and(|cseq| {
            let is_method = careless::is_method(defects, cseq.method, b"REGISTER");
            cseq.value() == Some(self.cseq) && is_method
        });
        self.register_is_out && same_call && same_cseq
    }
}
