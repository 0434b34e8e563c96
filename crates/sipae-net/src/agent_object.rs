//! The reference user agent as a client of this process.

use sipae::client::{AgentInput, ClientConfig, ClientEvent, Output, Standing, Stimulus, UserAgent};
use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::{ClientAct, ClientObject, SeededEntropy};

/// Connections in a row that may come to nothing before no other is opened.
pub(crate) const FRUITLESS: u32 = 3;

/// The reference user agent, whose randomness follows from a seed. It keeps one connection to its server, and opens
/// another one when that is closed.
#[derive(Debug)]
pub struct AgentObject {
    agent: UserAgent,
    entropy: SeededEntropy,
    /// The number of the last connection.
    last: u64,
    is_open: bool,
    /// Connections in a row on which nothing was verified.
    fruitless: u32,
}

impl AgentObject {
    /// A fresh client.
    #[must_use]
    pub fn new(config: ClientConfig, seed: u64) -> Self {
        let mut entropy = SeededEntropy::new(seed);
        let agent = UserAgent::new(config, &mut entropy);
        Self { agent, entropy, last: 0, is_open: false, fruitless: 0 }
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
        for output in self.agent.handle(input, now, &mut self.entropy) {
            match output {
                Output::Send(octets) => acts.push(ClientAct::Send(self.connection(), octets)),
                Output::Close => {
                    acts.push(ClientAct::Close(self.connection()));
                    self.is_open = false;
                }
                Output::Event(event) if proves_server(&event) => self.fruitless = 0,
                Output::Event(_) => {}
            }
        }
        if !self.is_open {
            acts.extend(self.reconnect(now));
        }
        acts
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

/// Whether something has come that only the server can have sent.
pub(crate) const fn proves_server(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Established { .. } | ClientEvent::Verified(_))
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
