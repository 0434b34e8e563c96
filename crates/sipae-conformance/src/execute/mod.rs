//! Playing scripts against a target.

mod inbox;
mod party;
mod steps;

use std::collections::BTreeMap;
use std::time::Duration;

use sipae::clock::Entropy;
use sipae::message::MessageStream;
use sipae::server::ConnectionId;
use sipae::version::Version;
use sipae_events::{CaseFinished, Direction, Exchanged};
use sipae_gen::{Connection, Label, Script};
use sipae_net::Wire;

use crate::observation::{Observation, Seen};
use crate::profile::Profile;
use crate::reaction::{Reaction, Signature};

use party::{AssociationState, Key, MessageState};

/// What a script needs besides itself.
pub struct Stage<'r> {
    /// The way to the target.
    pub wire: &'r mut dyn Wire,
    /// Accounts.
    pub profile: &'r Profile,
    /// Version under test.
    pub version: Version,
    /// How long an answer that is owed may take.
    pub patience: Duration,
    /// Whether the target answers in the order of the requests, as far as it has been seen: only then does a fence
    /// prove silence.
    pub in_order: &'r mut bool,
    /// Randomness of this script.
    pub entropy: &'r mut dyn Entropy,
}

/// A script that is being played.
struct Executor<'s, 'r> {
    stage: &'s mut Stage<'r>,
    connections: BTreeMap<Connection, ConnectionId>,
    streams: BTreeMap<ConnectionId, Link>,
    messages: BTreeMap<Label, MessageState>,
    associations: BTreeMap<Label, AssociationState>,
    /// Answers that nobody has waited for are kept with their message; what matches none is in the exchange only.
    exchange: Vec<Exchanged>,
    epid: String,
    register_call_id: String,
    from_tag: String,
    sent: u32,
    received: u32,
    answered_requests: u32,
    exchange_left_out: u64,
    /// A connection could not be opened.
    is_unreachable: bool,
}

/// One connection as the executor sees it.
struct Link {
    number: u32,
    stream: MessageStream,
    end: Option<Reaction>,
    /// Messages sent before this one have had their chance: the target has answered a later one.
    fenced: u32,
}

/// Plays a script to its end, or to the first step that cannot be made, and cleans up behind it.
pub fn play(stage: &mut Stage<'_>, script: &Script) -> Observation {
    let mut executor = Executor::new(stage);
    let broken = script.steps.iter().find_map(|step| executor.step(step).err());
    let observation = executor.observe(broken);
    executor.clean_up();
    observation
}

impl<'s, 'r> Executor<'s, 'r> {
    fn new(stage: &'s mut Stage<'r>) -> Self {
        let mut hex = |octets: usize| {
            let random: [u8; 16] = stage.entropy.octets();
            sipae::encoding::encode_base16(random.get(..octets).unwrap_or_default())
        };
        let (epid, register_call_id, from_tag) = (hex(5), hex(16), hex(5));
        Self {
            stage,
            connections: BTreeMap::new(),
            streams: BTreeMap::new(),
            messages: BTreeMap::new(),
            associations: BTreeMap::new(),
            exchange: Vec::new(),
            epid,
            register_call_id,
            from_tag,
            sent: 0,
            received: 0,
            answered_requests: 0,
            exchange_left_out: 0,
            is_unreachable: false,
        }
    }

    fn observe(&mut self, broken: Option<String>) -> Observation {
        let messages = self.messages.iter().filter(|(_, state)| state.sent.is_some());
        let seen = messages.map(|(label, state)| (label.clone(), self.seen(state))).collect();
        let (exchange, is_unreachable) = (std::mem::take(&mut self.exchange), self.is_unreachable);
        Observation {
            messages: seen,
            exchange,
            exchange_left_out: self.exchange_left_out,
            broken,
            is_unreachable,
        }
    }

    fn seen(&self, state: &MessageState) -> Seen {
        let sent = state.draft.to_octets();
        match &state.answer {
            Some(answered) => {
                let (reaction, answer) = (answered.reaction.clone(), Some(answered.octets.clone()));
                Seen { reaction, sent, answer, place: Some(answered.place) }
            }
            None => Seen { reaction: self.unanswered(state), sent, answer: None, place: None },
        }
    }

    /// Silence is proven by a fence, or by a wire on which nothing can still be under way.
    fn unanswered(&self, state: &MessageState) -> Reaction {
        let Some(sent) = &state.sent else { return Reaction::Overdue };
        let Some(link) = self.streams.get(&sent.connection) else { return Reaction::Overdue };
        if sent.order < link.fenced && *self.stage.in_order {
            return Reaction::Silent;
        }
        match &link.end {
            Some(end) => end.clone(),
            None if self.stage.wire.is_exact() => Reaction::Silent,
            None => Reaction::Overdue,
        }
    }

    fn log(&mut self, direction: Direction, connection: ConnectionId, label: String, octets: &[u8]) {
        let number = self.streams.get(&connection).map_or(0, |link| link.number);
        if self.exchange.len() < CaseFinished::MAX_EXCHANGE {
            self.exchange.push(Exchanged::new(direction, number, label, octets));
        } else {
            self.exchange_left_out += 1;
        }
    }

    /// Takes what was registered away, quietly and without waiting long: a suite is a guest.
    fn clean_up(&mut self) {
        let proven = |state: &&MessageState| {
            state.answer.as_ref().is_some_and(|answer| matches!(answer.reaction, Reaction::Final { .. }))
        };
        let established: std::collections::BTreeSet<Label> =
            self.messages.values().filter(proven).filter_map(|state| state.association.clone()).collect();
        for association in established {
            self.unregister(&association);
        }
        for connection in self.connections.values() {
            self.stage.wire.disconnect(*connection);
        }
        self.drain();
    }

    /// Arrivals of closed connections must not reach the next script.
    fn drain(&mut self) {
        for _ in 0..inbox::ARRIVALS {
            if self.stage.wire.receive(Duration::ZERO).is_none() {
                return;
            }
        }
    }

    /// The message that an answer belongs to.
    fn owner(&self, key: &Key) -> Option<Label> {
        self.messages
            .iter()
            .find(|(_, state)| state.sent.is_some() && state.key.matches(key))
            .map(|(label, _)| label.clone())
    }

    /// How the answer to a message is signed, as far as the associations of the script can tell.
    fn signature(&mut self, label: &Label, answer: &sipae::message::Message<'_>) -> Signature {
        let by = self.messages.get(label).and_then(|state| state.association.clone());
        let association = by.and_then(|by| self.associations.get_mut(&by));
        party::signature(association, answer)
    }
}
