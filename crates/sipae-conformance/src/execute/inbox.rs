//! What arrives: octets to messages, messages to the requests they answer.

use std::time::{Duration, Instant};

use sipae::message::{Message, StartLine};
use sipae::server::ConnectionId;
use sipae_events::Direction;
use sipae_gen::Label;
use sipae_net::{Arrival, Arrived};

use super::Executor;
use super::party::{Answered, Key};
use crate::reaction::Reaction;

/// Messages that one script looks at; a flood ends there.
const MESSAGES: usize = 10_000;

impl Executor<'_, '_> {
    /// Waits until a message has its final answer, its connection has ended, or patience has.
    pub(super) fn wait_for(&mut self, label: &Label) {
        let deadline = Instant::now() + self.stage.pace.patience();
        while self.is_pending(label) {
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return;
            }
            match self.stage.wire.receive(patience) {
                Some(arrival) => self.arrived(arrival),
                None if self.stage.wire.is_exact() => return,
                None => {}
            }
        }
    }

    /// Looks at what is there already.
    pub(super) fn look(&mut self) {
        while let Some(arrival) = self.stage.wire.receive(Duration::ZERO) {
            self.arrived(arrival);
        }
    }

    fn is_pending(&self, label: &Label) -> bool {
        let Some(state) = self.messages.get(label) else { return false };
        let Some(sent) = &state.sent else { return false };
        let is_open = self.streams.get(&sent.connection).is_some_and(|link| link.end.is_none());
        state.answer.is_none() && is_open
    }

    fn arrived(&mut self, arrival: Arrival) {
        let Some(link) = self.streams.get_mut(&arrival.connection) else { return };
        match arrival.what {
            Arrived::Octets(octets) => {
                link.stream.push(&octets);
                self.read(arrival.connection);
            }
            Arrived::Closed => link.end = link.end.take().or(Some(Reaction::Closed)),
            Arrived::Reset => link.end = link.end.take().or(Some(Reaction::Reset)),
        }
    }

    fn read(&mut self, connection: ConnectionId) {
        let Some(link) = self.streams.get_mut(&connection) else { return };
        let mut stream = std::mem::take(&mut link.stream);
        let end = loop {
            match stream.next_message() {
                Ok(Some(message)) if self.exchange.len() < MESSAGES => self.received(connection, &message),
                Ok(Some(_)) => break Some(Reaction::Unreadable(format!("more than {MESSAGES} messages"))),
                Ok(None) => break None,
                Err(error) => break Some(Reaction::Unreadable(error.to_string())),
            }
        };
        if let Some(link) = self.streams.get_mut(&connection) {
            link.stream = stream;
            link.end = link.end.take().or(end);
        }
    }

    fn received(&mut self, connection: ConnectionId, message: &Message<'_>) {
        let label = match message.start_line() {
            StartLine::Request { method, .. } => String::from_utf8_lossy(method).into_owned(),
            StartLine::Response { status, .. } => status.to_string(),
        };
        self.log(Direction::Received, connection, label, message.octets());
        if message.status().is_some_and(|status| 200 <= status) {
            self.answered(message);
        }
    }

    fn answered(&mut self, message: &Message<'_>) {
        let Some(label) = Key::of(message).and_then(|key| self.owner(&key)) else { return };
        let signature = self.signature(&label, message);
        let Some(state) = self.messages.get_mut(&label) else { return };
        let Some(sent) = state.sent.clone() else { return };
        if state.answer.is_none() {
            let reaction = Reaction::of(message, signature);
            let place = self.exchange.len();
            state.answer = Some(Answered { reaction, octets: message.octets().to_vec(), place });
            self.took(sent.at);
        }
    }
}
