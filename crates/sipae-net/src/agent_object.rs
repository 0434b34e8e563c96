//! The reference user agent as a client of this process.

use std::fmt;

use sipae::client::{AgentInput, ClientConfig, ClientEvent, Output, Standing, Stimulus, UserAgent};
use sipae::clock::{Entropy, Time};
use sipae::server::ConnectionId;

use crate::{ClientAct, ClientObject, SeededEntropy};

/// Connections in a row that may come to nothing before no other is opened.
const FRUITLESS: u32 = 3;

/// Who hears what the client notices.
type Listener = Box<dyn FnMut(&ClientEvent) + Send>;

/// The reference user agent. It keeps one connection to its server, and opens another one when that is closed.
pub struct AgentObject {
    agent: UserAgent,
    entropy: Box<dyn Entropy + Send>,
    listener: Option<Listener>,
    /// The number of the last connection.
    last: u64,
    is_open: bool,
    /// Connections in a row on which nothing was verified.
    fruitless: u32,
}

impl AgentObject {
    /// A fresh client whose randomness follows from a seed.
    #[must_use]
    pub fn new(config: ClientConfig, seed: u64) -> Self {
        Self::with_entropy(config, SeededEntropy::new(seed))
    }

    /// A fresh client with this randomness.
    #[must_use]
    pub fn with_entropy(config: ClientConfig, mut entropy: impl Entropy + Send + 'static) -> Self {
        let agent = UserAgent::new(config, &mut entropy);
        Self { agent, entropy: Box::new(entropy), listener: None, last: 0, is_open: false, fruitless: 0 }
    }

    /// Tells what the client notices to whoever wants to know it.
    #[must_use]
    pub fn with_listener(self, listener: impl FnMut(&ClientEvent) + Send + 'static) -> Self {
        Self { listener: Some(Box::new(listener)), ..self }
    }

    fn connect(&mut self) -> ClientAct {
        self.last += 1;
        self.is_open = true;
        ClientAct::Connect(self.connection())
    }

    const fn connection(&self) -> ConnectionId {
        ConnectionId(self.last)
    }

    fn handle(&mut self, input: AgentInput<'_>, now: Time) -> Vec<ClientAct> {
        let mut acts = Vec::new();
        for output in self.agent.handle(input, now, self.entropy.as_mut()) {
            match output {
                Output::Send(octets) => acts.push(ClientAct::Send(self.connection(), octets)),
                Output::Close => {
                    acts.push(ClientAct::Close(self.connection()));
                    self.is_open = false;
                }
                Output::Event(event) => self.noticed(&event),
            }
        }
        if !self.is_open {
            acts.extend(self.reconnect(now));
        }
        acts
    }

    fn noticed(&mut self, event: &ClientEvent) {
        if matches!(event, ClientEvent::Established { .. } | ClientEvent::Verified(_)) {
            self.fruitless = 0;
        }
        if let Some(listener) = &mut self.listener {
            listener(event);
        }
    }

    /// Another connection, unless the last ones came to nothing.
    fn reconnect(&mut self, now: Time) -> Vec<ClientAct> {
        self.fruitless += 1;
        if FRUITLESS < self.fruitless {
            return Vec::new();
        }
        let mut acts = vec![self.connect()];
        acts.extend(self.handle(AgentInput::Reconnected, now));
        acts
    }
}

impl fmt::Debug for AgentObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentObject")
            .field("agent", &self.agent)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl ClientObject for AgentObject {
    fn start(&mut self, now: Time) -> Vec<ClientAct> {
        let mut acts = vec![self.connect()];
        acts.extend(self.handle(AgentInput::Start, now));
        acts
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<ClientAct> {
        if connection != self.connection() || !self.is_open {
            return Vec::new();
        }
        self.handle(AgentInput::Received(octets), now)
    }

    fn disconnect(&mut self, connection: ConnectionId, now: Time) -> Vec<ClientAct> {
        if connection != self.connection() || !self.is_open {
            return Vec::new();
        }
        self.is_open = false;
        self.reconnect(now)
    }

    fn advance(&mut self, now: Time) -> Vec<ClientAct> {
        if !self.is_open {
            return Vec::new();
        }
        self.handle(AgentInput::Tick, now)
    }

    fn stimuli(&self) -> &[Stimulus] {
        &Stimulus::ALL
    }

    fn act(&mut self, number: u64, stimulus: Stimulus, now: Time) -> Vec<ClientAct> {
        let mut acts = Vec::new();
        if !self.is_open {
            // Whoever asks for something wants another try.
            self.fruitless = 0;
            acts.extend(self.reconnect(now));
        }
        acts.extend(self.handle(AgentInput::Asked(number, stimulus), now));
        acts
    }

    fn standing(&self) -> Option<Standing> {
        Some(self.agent.standing().clone())
    }
}
