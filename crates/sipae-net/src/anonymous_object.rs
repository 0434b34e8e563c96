//! The reference client for anonymous joins as a client of this process.

use std::collections::BTreeMap;
use std::fmt;

use sipae::client::{
    AnonymousClient, AnonymousConfig, AnonymousEvent, AnonymousInput, AnonymousOutput, JoinError, Standing,
    Stimulus,
};
use sipae::clock::{Entropy, Time};
use sipae::server::ConnectionId;

use crate::{ClientAct, ClientObject, SeededEntropy};

/// What it can be made to do: join anew, ask for something in the conference, and leave it.
const STIMULI: [Stimulus; 3] = [Stimulus::Register, Stimulus::Options, Stimulus::Bye];

/// Who hears what the client notices.
type Listener = Box<dyn FnMut(&AnonymousEvent) + Send>;

/// The reference client for anonymous joins: it joins when it is started, and when it is asked to join anew it is somebody
/// else.
pub struct AnonymousObject {
    config: AnonymousConfig,
    client: AnonymousClient,
    entropy: Box<dyn Entropy + Send>,
    listener: Option<Listener>,
    /// The number of the last connection.
    last: u64,
    is_open: bool,
    standing: Standing,
    /// The numbers of what is out, by method.
    asked: BTreeMap<String, u64>,
}

impl AnonymousObject {
    /// A fresh client whose randomness follows from a seed.
    ///
    /// # Errors
    /// When there is no conference to be joined anonymously.
    pub fn new(config: AnonymousConfig, seed: u64) -> Result<Self, JoinError> {
        Self::with_entropy(config, SeededEntropy::new(seed))
    }

    /// A fresh client with this randomness.
    ///
    /// # Errors
    /// When there is no conference to be joined anonymously.
    pub fn with_entropy(
        config: AnonymousConfig,
        mut entropy: impl Entropy + Send + 'static,
    ) -> Result<Self, JoinError> {
        let client = AnonymousClient::new(config.clone(), &mut entropy)?;
        Ok(Self {
            config,
            client,
            entropy: Box::new(entropy),
            listener: None,
            last: 0,
            is_open: false,
            standing: Standing::default(),
            asked: BTreeMap::new(),
        })
    }

    /// Tells what the client notices to whoever wants to know it.
    #[must_use]
    pub fn with_listener(self, listener: impl FnMut(&AnonymousEvent) + Send + 'static) -> Self {
        Self { listener: Some(Box::new(listener)), ..self }
    }

    const fn connection(&self) -> ConnectionId {
        ConnectionId(self.last)
    }

    fn join(&mut self) -> Vec<ClientAct> {
        let mut acts = Vec::new();
        if !self.is_open {
            self.last += 1;
            self.is_open = true;
            acts.push(ClientAct::Connect(self.connection()));
        }
        self.standing =
            Standing { outcomes: std::mem::take(&mut self.standing.outcomes), ..Standing::default() };
        acts.extend(self.handle(AnonymousInput::Join));
        acts
    }

    fn handle(&mut self, input: AnonymousInput<'_>) -> Vec<ClientAct> {
        let mut acts = Vec::new();
        for output in self.client.handle(input, self.entropy.as_mut()) {
            match output {
                AnonymousOutput::Send(octets) => acts.push(ClientAct::Send(self.connection(), octets)),
                AnonymousOutput::Close => {
                    acts.push(ClientAct::Close(self.connection()));
                    self.lost();
                }
                AnonymousOutput::Event(event) => self.noticed(&event),
            }
        }
        acts
    }

    /// The conference is left with the connection.
    fn lost(&mut self) {
        self.is_open = false;
        self.standing.registered = false;
    }

    fn noticed(&mut self, event: &AnonymousEvent) {
        match event {
            AnonymousEvent::Joined => {
                self.standing.registered = true;
                self.answered("INVITE", 200);
            }
            AnonymousEvent::Left => {
                self.standing.registered = false;
                self.answered("BYE", 200);
            }
            AnonymousEvent::Answered { method, status } => {
                self.standing.failed |= method == "INVITE" && 300 <= *status;
                self.answered(method, *status);
            }
            AnonymousEvent::Refused | AnonymousEvent::Failed(_) => self.standing.failed = true,
            AnonymousEvent::Discarded(_) | AnonymousEvent::NotSent => {}
        }
        if let Some(listener) = &mut self.listener {
            listener(event);
        }
    }

    fn answered(&mut self, method: &str, status: u16) {
        if let Some(number) = self.asked.remove(method) {
            self.standing.outcomes.insert(number, status);
        }
    }
}

impl fmt::Debug for AnonymousObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnonymousObject")
            .field("client", &self.client)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl ClientObject for AnonymousObject {
    fn start(&mut self, _: Time) -> Vec<ClientAct> {
        self.join()
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], _: Time) -> Vec<ClientAct> {
        if connection != self.connection() || !self.is_open {
            return Vec::new();
        }
        self.handle(AnonymousInput::Received(octets))
    }

    fn disconnect(&mut self, connection: ConnectionId, _: Time) -> Vec<ClientAct> {
        if connection == self.connection() && self.is_open {
            self.lost();
        }
        Vec::new()
    }

    fn stimuli(&self) -> &[Stimulus] {
        &STIMULI
    }

    fn act(&mut self, number: u64, stimulus: Stimulus, _: Time) -> Vec<ClientAct> {
        self.asked.insert(
            if stimulus == Stimulus::Register { "INVITE" } else { stimulus.method() }.to_owned(),
            number,
        );
        match stimulus {
            Stimulus::Register => {
                // Whoever joins anew is somebody else; the configuration has been found fit before.
                if let Ok(client) = AnonymousClient::new(self.config.clone(), self.entropy.as_mut()) {
                    self.client = client;
                }
                self.join()
            }
            Stimulus::Bye => self.handle(AnonymousInput::Leave),
            other => self.handle(AnonymousInput::Request(other.method(), None)),
        }
    }

    fn standing(&self) -> Option<Standing> {
        Some(self.standing.clone())
    }
}
