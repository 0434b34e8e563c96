//! The user agent: what a phone is above authentication.
//!
//! It does what it is asked for, one [`Stimulus`] at a time, and keeps what it would tell its user. Everything that it
//! sends goes through its [`Client`], and it believes what that has verified: an unsigned challenge makes it repeat a
//! request once, signed anew, and nothing else.
//!
//! Not here: calls that others make, which [`Client`] answers with 486; redirects, which are an outcome like any other;
//! timers of transactions, since the transport is reliable.

mod call;
mod request;

use super::{Client, ClientConfig, ClientEvent, Input, Output, Scene, Standing, Stimulus};
use crate::auth::ChallengeKind;
use crate::clock::{Entropy, Time};
use crate::defects::Defect;
use crate::message::{HeaderName, Message, MessageStream};

use call::Dialog;
use request::Request;

/// Requests without a final answer that are remembered; the oldest gives way, and has no outcome then.
const CAPACITY: usize = 64;

/// What happens to a user agent.
#[derive(Clone, Copy, Debug)]
pub enum AgentInput<'a> {
    /// It is started: it registers, and nobody asks how that ends.
    Start,
    /// It is asked for something; the number is new each time.
    Asked(u64, Stimulus),
    /// Octets have arrived. They are ignored after [`Output::Close`], until [`AgentInput::Reconnected`].
    Received(&'a [u8]),
    /// There is a new connection to the server: who wants to be registered tells it so.
    Reconnected,
    /// Time has passed.
    Tick,
}

/// A phone of one user, at one server.
#[derive(Debug)]
pub struct UserAgent {
    client: Client,
    stream: MessageStream,
    standing: Standing,
    /// Whether its user wants it to be registered.
    wants_registration: bool,
    /// What of registering and unregistering has no outcome yet: the last wish counts.
    awaited: Option<(u64, Stimulus)>,
    /// Requests that have no final answer yet, oldest first.
    requests: Vec<Request>,
    /// The last call that was answered.
    dialog: Option<Dialog>,
}

/// What came of an input to the client.
struct Told {
    /// Nothing was held back.
    is_sent: bool,
    /// The message in it was verified.
    is_verified: bool,
}

const fn is_success(status: u16) -> bool {
    200 <= status && status < 300
}

impl UserAgent {
    /// A user agent that has sent nothing yet.
    #[must_use]
    pub fn new(config: ClientConfig, entropy: &mut dyn Entropy) -> Self {
        Self {
            stream: MessageStream::new(config.limits),
            client: Client::new(config, entropy),
            standing: Standing::default(),
            wants_registration: false,
            awaited: None,
            requests: Vec::new(),
            dialog: None,
        }
    }

    /// What it would tell its user. A registration that fails has no outcome, since no answer to it was believed.
    #[must_use]
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Takes one input at a time `now`, which must not go back.
    pub fn handle(&mut self, input: AgentInput<'_>, now: Time, entropy: &mut dyn Entropy) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut scene = Scene { now, entropy, outputs: &mut outputs };
        match input {
            AgentInput::Start => self.register(&mut scene),
            AgentInput::Asked(number, stimulus) => self.act(&mut scene, number, stimulus),
            AgentInput::Received(octets) => self.receive(&mut scene, octets),
            AgentInput::Reconnected => self.reconnected(&mut scene),
            AgentInput::Tick => {
                self.tell(&mut scene, Input::Tick);
            }
        }
        outputs
    }

    fn act(&mut self, scene: &mut Scene<'_>, number: u64, stimulus: Stimulus) {
        match stimulus {
            Stimulus::Register => {
                self.awaited = Some((number, stimulus));
                self.register(scene);
            }
            Stimulus::Unregister => self.unregister(scene, number),
            Stimulus::Message | Stimulus::Options | Stimulus::Subscribe | Stimulus::Invite => {
                let draft = self.out_of_dialog(scene, stimulus);
                self.send(scene, Request::new(number, stimulus, 1, draft));
            }
            Stimulus::Cancel => self.cancel(scene, number),
            Stimulus::Bye | Stimulus::Refer => self.in_dialog(scene, number, stimulus),
        }
    }

    fn register(&mut self, scene: &mut Scene<'_>) {
        self.standing.failed = false;
        self.wants_registration = true;
        self.tell(scene, Input::Register);
    }

    /// A client that has not authenticated has nothing to end: it falls silent, and there is no outcome.
    fn unregister(&mut self, scene: &mut Scene<'_>, number: u64) {
        self.wants_registration = false;
        self.awaited = Some((number, Stimulus::Unregister));
        self.tell(scene, Input::Unregister);
        if !self.client.unregistering {
            self.forget();
        }
    }

    /// The server finds a phone where it spoke last.
    fn reconnected(&mut self, scene: &mut Scene<'_>) {
        self.stream = MessageStream::new(self.client.config.limits);
        self.tell(scene, Input::Reconnected);
        if self.wants_registration {
            self.tell(scene, Input::Register);
        }
    }

    /// Nothing that was asked for will have an outcome any more.
    fn forget(&mut self) {
        self.awaited = None;
        self.requests.clear();
        self.dialog = None;
    }

    /// Hands an input to the client, and takes note of what it says.
    fn tell(&mut self, scene: &mut Scene<'_>, input: Input<'_>) -> Told {
        let mut told = Told { is_sent: true, is_verified: false };
        for output in self.client.handle(input, scene.now, scene.entropy) {
            match &output {
                Output::Event(ClientEvent::NotSent(_)) => told.is_sent = false,
                Output::Event(ClientEvent::Verified(_)) => told.is_verified = true,
                Output::Event(event) => self.note(event),
                Output::Send(_) | Output::Close => {}
            }
            scene.outputs.push(output);
        }
        // Whoever authenticates anew has lost what the association was good for.
        self.standing.registered &= self.client.is_established();
        told
    }

    fn note(&mut self, event: &ClientEvent) {
        match event {
            ClientEvent::Established { status } => {
                let defects = self.client.config.defects;
                let registers = is_success(*status) || defects.has(Defect::RefusalRegisters);
                self.standing.registered = registers && !defects.has(Defect::DoubtsSuccess);
                if matches!(self.awaited, Some((_, Stimulus::Register))) {
                    self.registration_ends(*status);
                }
            }
            ClientEvent::Failed(_) => {
                self.standing.failed = true;
                self.wants_registration = false;
                self.forget();
            }
            ClientEvent::Lost if self.client.config.defects.has(Defect::LosesDialogs) => self.dialog = None,
            _ => {}
        }
    }

    fn registration_ends(&mut self, status: u16) {
        if let Some((number, _)) = self.awaited.take() {
            self.standing.outcomes.insert(number, status);
        }
    }

    /// Cuts messages out itself, since it has to see what its client consumes; that gets them one by one.
    fn receive(&mut self, scene: &mut Scene<'_>, octets: &[u8]) {
        if octets.starts_with(b"\r\n") && self.client.config.defects.has(Defect::KeepAlivesBreak) {
            self.client.stream = None;
            return scene.outputs.push(Output::Close);
        }
        let mut stream = std::mem::take(&mut self.stream);
        stream.push(octets);
        while self.client.stream.is_some() {
            match stream.next_message() {
                Ok(Some(message)) => self.message(scene, &message),
                Ok(None) => break,
                Err(error) => {
                    self.client.stream = None;
                    scene.discard(error);
                    scene.outputs.push(Output::Close);
                }
            }
        }
        self.stream = stream;
    }

    fn message(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let is_own_register = self.client.is_own_register(message);
        let is_half_built = is_own_register && self.takes_half_built(message);
        self.call_forged(scene, message);
        self.rings(message);
        self.challenged(scene, message);
        let told = self.tell(scene, Input::Received(message.octets()));
        match message.status() {
            _ if !told.is_verified => {}
            None => self.requested(message),
            Some(100..=199) => {}
            Some(status) if is_own_register => self.registered(status),
            Some(status) => self.answered(scene, message, status),
        }
        self.repeat(scene);
        self.standing.registered |= is_half_built;
    }

    /// A success inside a handshake, with a signature that nobody can verify.
    fn takes_half_built(&self, message: &Message<'_>) -> bool {
        let is_signed = HeaderName::SIGNATURES.into_iter().any(|name| message.first(name).is_some());
        let is_started = matches!(self.client.state, super::State::Started { .. });
        let takes = is_started && is_signed && message.status().is_some_and(is_success);
        takes && self.client.config.defects.has(Defect::VerifiesHalfBuilt)
    }

    /// A provisional answer that is taken for more.
    fn rings(&mut self, message: &Message<'_>) {
        if message.status() != Some(180) || !self.client.config.defects.has(Defect::RingingIsAnAnswer) {
            return;
        }
        if let Some(place) = self.requests.iter().position(|request| request.is_answered_by(message)) {
            let request = self.requests.remove(place);
            self.standing.outcomes.insert(request.number, 180);
        }
    }

    /// A call goes where an answer says, whoever signed it.
    fn call_forged(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let is_success = message.status().is_some_and(is_success);
        if !is_success || !self.client.config.defects.has(Defect::CallsForgedContact) {
            return;
        }
        let invite = self
            .requests
            .iter()
            .find(|request| request.stimulus == Stimulus::Invite && request.is_answered_by(message));
        if let Some(invite) = invite.cloned() {
            self.acknowledge(scene, &Dialog::new(invite, message));
        }
    }

    /// A verified final answer to a REGISTER under an association.
    fn registered(&mut self, status: u16) {
        self.standing.registered |= is_success(status) && self.client.is_established();
        self.registration_ends(status);
        if !self.client.is_established() {
            self.forget();
        }
    }

    /// A challenge to a request that is out: nobody can verify it, and all that it does is that the request is sent once
    /// more. One that names the association is a response like others (SIPAE-3.2.5.2-14), and one to a CANCEL is not
    /// for anybody (SIPAE-3.2.5.1-26).
    fn challenged(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let is_challenge = message.status().and_then(ChallengeKind::from_status).is_some();
        if !is_challenge || self.client.is_signed(message) {
            return;
        }
        let mut open = self.requests.iter_mut();
        let challenged = open.find(|request| request.can_be_challenged() && request.is_answered_by(message));
        let defects = self.client.config.defects;
        let Some(request) = challenged else { return self.repeat_cancel(scene, message) };
        request.is_lost = true;
        if request.stimulus == Stimulus::Invite && !defects.has(Defect::LeavesChallengedInvite) {
            // It ends here, and there is nothing to sign it with (SIPAE-3.2.5.1-27).
            scene.outputs.push(Output::Send(request.ack_of_failure(message).to_octets()));
        }
        self.requests.retain(|request| !request.is_lost || request.may_be_repeated);
    }

    fn repeat_cancel(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        if !self.client.config.defects.has(Defect::RepeatsCancel) {
            return;
        }
        let cancel = self
            .requests
            .iter()
            .find(|request| request.stimulus == Stimulus::Cancel && request.is_answered_by(message));
        if let Some(cancel) = cancel.cloned() {
            self.tell(scene, Input::Send(&cancel.draft));
        }
    }

    /// What was lost goes out under the new association, once (SIPAE-3.2.5.1-22).
    fn repeat(&mut self, scene: &mut Scene<'_>) {
        if !self.standing.registered || self.client.unregistering {
            return;
        }
        let lost: Vec<Request> = self.requests.extract_if(.., |request| request.is_lost).collect();
        for request in lost {
            let via = self.client.config.via(scene.entropy);
            let again = request.again(&via);
            if let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.is_of(&again.draft)) {
                dialog.cseq = dialog.cseq.max(again.cseq);
            }
            self.send(scene, again);
        }
    }

    /// Sends a request through the client and remembers it, if it has gone out.
    fn send(&mut self, scene: &mut Scene<'_>, request: Request) -> bool {
        let told = self.tell(scene, Input::Send(&request.draft));
        if told.is_sent {
            if CAPACITY <= self.requests.len() {
                self.requests.remove(0);
            }
            self.requests.push(request);
        }
        told.is_sent
    }

    /// A verified final answer.
    fn answered(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        let is_answered = |request: &Request| !request.is_lost && request.is_answered_by(message);
        let Some(place) = self.requests.iter().position(is_answered) else {
            return self.answered_again(scene, message, status);
        };
        let request = self.requests.remove(place);
        self.standing.outcomes.insert(request.number, status);
        if request.stimulus == Stimulus::Invite {
            self.invite_answered(scene, request, message, status);
        }
    }
}
