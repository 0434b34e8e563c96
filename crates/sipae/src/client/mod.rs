//! The reference client: registers, signs, verifies ([MS-SIPAE] 3.2), as a state machine for one connection.
//!
//! It chooses NTLM among the challenges, authenticates anew before the association ends, and answers the requests
//! that reach it.

mod challenge;
mod handshake;
mod outgoing;
mod verify;

use std::time::Duration;

use crate::auth::{AuthHeader, Style};
use crate::clock::{Entropy, Time};
use crate::draft::Draft;
use crate::message::{HeaderName, Limits, Message, MessageStream};
use crate::ntlm::NegotiateFlags;
use crate::sa::{Durations, Parameters, SecurityAssociation};
use crate::server::ChallengeKind;
use crate::version::Version;
use crate::violation::{Breach, Violation};

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
    /// The weakest version that is answered (SIPAE-3.2.5.1-31).
    pub weakest: Version,
    /// What of the server's flags is answered.
    pub flags: NegotiateFlags,
    /// Order and quoting of credentials.
    pub style: Style,
    /// Timers.
    pub durations: Durations,
    /// Bounds for messages.
    pub limits: Limits,
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
            weakest: Version::V2,
            flags: NegotiateFlags::CLIENT,
            style: Style::COMMUNICATOR,
            durations: Durations::default(),
            limits: Limits::DEFAULT,
        }
    }
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
    /// End the registration.
    Unregister,
    /// Send a request: Via, From, To tag, Call-ID and CSeq are the caller's, the signature is added.
    Send(&'a Draft),
    /// Octets have arrived.
    Received(&'a [u8]),
    /// Time has passed.
    Tick,
}

/// What a client wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message.
    Send(Vec<u8>),
    /// Close the connection: its octets cannot be understood any more.
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
}

/// Where the client is with its server.
#[derive(Debug)]
enum State {
    /// Nothing is under way.
    Idle,
    /// A bare REGISTER is out.
    Bare,
    /// The empty token is out.
    Started { parameters: Parameters, kind: ChallengeKind },
    /// The AUTHENTICATE is out; the association is established by a signed answer.
    Completing { association: Box<SecurityAssociation>, kind: ChallengeKind },
    /// Signed traffic.
    Established(Box<Established>),
}

#[derive(Debug)]
struct Established {
    association: SecurityAssociation,
    kind: ChallengeKind,
    reauthenticate: Time,
    refresh: Option<Time>,
}

/// The reference client.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    stream: MessageStream,
    state: State,
    call_id: String,
    from_tag: String,
    cseq: u32,
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
        let stream = MessageStream::new(config.limits);
        let hex = crate::encoding::encode_base16;
        let (call_id, from_tag) = (hex(&entropy.octets::<16>()), hex(&entropy.octets::<5>()));
        Self { config, stream, state: State::Idle, call_id, from_tag, cseq: 0, unregistering: false }
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
            Input::Register => self.register(&mut scene),
            Input::Unregister => self.unregister(&mut scene),
            Input::Send(draft) => self.send(&mut scene, draft.clone()),
            Input::Received(octets) => self.receive(&mut scene, octets),
            Input::Tick => self.tick(&mut scene),
        }
        outputs
    }

    fn receive(&mut self, scene: &mut Scene<'_>, octets: &[u8]) {
        let mut stream = std::mem::take(&mut self.stream);
        stream.push(octets);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => self.message(scene, &message),
                Ok(None) => break,
                Err(error) => {
                    scene.discard(error);
                    scene.outputs.push(Output::Close);
                    break;
                }
            }
        }
        self.stream = stream;
    }

    fn message(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        match message.status().map(|status| (status, ChallengeKind::from_status(status))) {
            Some((_, Some(kind))) => self.challenged(scene, message, kind),
            Some((status, None)) => self.response(scene, message, status),
            None => self.request(scene, message),
        }
    }

    /// Whether a response answers the client's last REGISTER.
    fn is_own_register(&self, message: &Message<'_>) -> bool {
        let same_call = message.call_id().is_ok_and(|call_id| call_id.raw() == self.call_id.as_bytes());
        let same_cseq =
            message.cseq().is_ok_and(|cseq| cseq.value() == Some(self.cseq) && cseq.method == b"REGISTER");
        same_call && same_cseq
    }

    /// The registration is refreshed 30 seconds before it ends, the association renewed 5 minutes before.
    fn tick(&mut self, scene: &mut Scene<'_>) {
        let State::Established(established) = &mut self.state else { return };
        if established.reauthenticate <= scene.now {
            self.state = State::Idle;
            return self.register(scene);
        }
        if established.refresh.is_some_and(|refresh| refresh <= scene.now) {
            established.refresh = None;
            self.register(scene);
        }
    }

    fn response(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        if status == 100 {
            return;
        }
        let header = self.verified_header(message);
        let ours = self.is_own_register(message);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Completing { mut association, kind } => {
                match verify::verify(&mut association, message, header) {
                    Ok(()) if ours && 200 <= status => {
                        self.establish(scene, message, *association, kind);
                        scene.event(ClientEvent::Established { status });
                    }
                    Ok(()) => self.state = State::Completing { association, kind },
                    Err(violation) => {
                        self.state = State::Completing { association, kind };
                        scene.event(ClientEvent::Discarded(violation));
                    }
                }
            }
            State::Established(mut established) => {
                let verified = verify::verify(&mut established.association, message, header);
                self.state = State::Established(established);
                self.after_response(scene, message, verified, ours, status);
            }
            state => {
                self.state = state;
                scene.discard(Breach::Unsigned);
            }
        }
    }

    fn after_response(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        verified: Result<(), Violation>,
        ours: bool,
        status: u16,
    ) {
        if let Err(violation) = verified {
            return scene.event(ClientEvent::Discarded(violation));
        }
        scene.event(ClientEvent::Verified(message.octets().to_vec()));
        if ours && (200..300).contains(&status) {
            if std::mem::take(&mut self.unregistering) {
                self.state = State::Idle;
            } else {
                self.schedule_refresh(message, scene.now);
            }
        }
    }

    fn establish(
        &mut self,
        scene: &Scene<'_>,
        message: &Message<'_>,
        association: SecurityAssociation,
        kind: ChallengeKind,
    ) {
        let durations = &self.config.durations;
        let lifetime = durations.expiry.saturating_sub(durations.client_margin);
        let reauthenticate = scene.now.plus(lifetime);
        self.state =
            State::Established(Box::new(Established { association, kind, reauthenticate, refresh: None }));
        self.schedule_refresh(message, scene.now);
    }

    fn schedule_refresh(&mut self, message: &Message<'_>, now: Time) {
        let granted =
            message.expires().ok().flatten().and_then(|value| crate::octets::decimal::<u32>(value.raw()));
        let margin = self.config.durations.register_margin;
        if let (State::Established(established), Some(granted)) = (&mut self.state, granted) {
            let wait = Duration::from_secs(u64::from(granted)).saturating_sub(margin);
            established.refresh = Some(now.plus(wait));
        }
    }

    /// The signature header field that names the association at hand, in either field (SIPAE-3.2.5.2-14, -16).
    fn verified_header<'m>(&self, message: &Message<'m>) -> Option<AuthHeader<'m>> {
        let parameters = match &self.state {
            State::Completing { association, .. } => &association.parameters,
            State::Established(established) => &established.association.parameters,
            _ => return None,
        };
        let mut headers =
            HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
        headers.find(|header| header.scheme() == Some(parameters.scheme) && parameters.fit(header))
    }
}
