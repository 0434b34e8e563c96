//! What arrives: octets to messages, messages to the requests they answer.

use std::time::{Duration, Instant};

use sipae::draft::Draft;
use sipae::message::{Message, StartLine};
use sipae::sa::SignOptions;
use sipae::server::ConnectionId;
use sipae_events::Direction;
use sipae_gen::Label;
use sipae_net::{Arrival, Arrived};

use super::Executor;
use super::party::{Answered, AssociationState, Key, signature};
use crate::reaction::{Reaction, Signature};

/// Messages that one script looks at; a flood ends there.
const MESSAGES: u32 = 10_000;
/// Requests of the target that one script answers; a target that asks more is not waited for.
const REQUESTS: u32 = 64;
/// Arrivals that are looked at without being waited for.
pub(super) const ARRIVALS: usize = 1000;

impl Executor<'_, '_> {
    /// Waits until a message has its final answer, its connection has ended, or patience has.
    pub(super) fn wait_for(&mut self, label: &Label) {
        let deadline = Instant::now() + self.stage.patience;
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
        for _ in 0..ARRIVALS {
            let Some(arrival) = self.stage.wire.receive(Duration::ZERO) else { return };
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
        let Some(link) = self.streams.get_mut(&arrival.connection).filter(|link| link.end.is_none()) else {
            return;
        };
        match arrival.what {
            Arrived::Octets(octets) => {
                link.stream.push(&octets);
                self.read(arrival.connection);
            }
            Arrived::Closed => link.end = Some(Reaction::Closed),
            Arrived::Reset => link.end = Some(Reaction::Reset),
        }
    }

    fn read(&mut self, connection: ConnectionId) {
        let Some(link) = self.streams.get_mut(&connection) else { return };
        let mut stream = std::mem::take(&mut link.stream);
        let end = loop {
            match stream.next_message() {
                Ok(Some(message)) if self.received < MESSAGES => self.received(connection, &message),
                Ok(Some(_)) => break Some(Reaction::Unreadable(format!("more than {MESSAGES} messages"))),
                Ok(None) => break None,
                Err(error) => break Some(Reaction::Unreadable(error.to_string())),
            }
        };
        if end.is_some() {
            // What cannot be understood is not listened to any longer.
            self.stage.wire.disconnect(connection);
        }
        if let Some(link) = self.streams.get_mut(&connection) {
            link.stream = stream;
            link.end = end;
        }
    }

    fn received(&mut self, connection: ConnectionId, message: &Message<'_>) {
        let label = match message.start_line() {
            StartLine::Request { method, .. } => String::from_utf8_lossy(method).into_owned(),
            StartLine::Response { status, .. } => status.to_string(),
        };
        self.received += 1;
        self.log(Direction::Received, connection, label, message.octets());
        match message.status() {
            Some(200..) => self.answered(message),
            Some(_) => {}
            None => self.requested(connection, message),
        }
    }

    /// Targets send requests of their own, and wait for the answers: 200, signed where an association fits.
    fn requested(&mut self, connection: ConnectionId, message: &Message<'_>) {
        if message.method() == Some(b"ACK") || REQUESTS <= self.answered_requests {
            return;
        }
        self.answered_requests += 1;
        let mut draft = Draft::response_to(message, 200, "suite").close();
        let rand = self.stage.entropy.octets();
        if let Some(state) = self.signer_for(message) {
            let options = SignOptions::new(state.kind.credential());
            let signed = state.association.as_mut().map(|sa| sa.sign(&mut draft, rand, &options));
            if signed.is_none_or(|signed| signed.is_err()) {
                return;
            }
        }
        let octets = draft.to_octets();
        if self.stage.wire.send(connection, &octets).is_ok() {
            self.log(Direction::Sent, connection, "200".to_owned(), &octets);
        } else {
            // Who asks and does not read is not waited for again, and half an answer spoils what comes after it.
            self.answered_requests = REQUESTS;
            self.stage.wire.disconnect(connection);
        }
    }

    /// The association under which a request of the target was signed, if the signature is good.
    fn signer_for(&mut self, message: &Message<'_>) -> Option<&mut AssociationState> {
        self.associations.values_mut().find_map(|state| {
            let verified = matches!(signature(Some(&mut *state), message), Signature::Verified(_));
            verified.then_some(state)
        })
    }

    fn answered(&mut self, message: &Message<'_>) {
        let Some(label) = Key::of(message).and_then(|key| self.owner(&key)) else { return };
        let signature = self.signature(&label, message);
        let Some(state) = self.messages.get_mut(&label) else { return };
        let Some(order) = state.sent.as_ref().map(|sent| sent.order) else { return };
        if state.answer.is_none() {
            let reaction = Reaction::of(message, signature);
            let place = self.received;
            state.answer = Some(Answered { reaction, octets: message.octets().to_vec(), place });
            self.watch_order(order);
        }
    }

    /// An answer that overtakes another one shows that a fence proves nothing.
    fn watch_order(&mut self, order: u32) {
        let overtaken = self.messages.values().any(|other| {
            other.answer.is_some() && other.sent.as_ref().is_some_and(|sent| order < sent.order)
        });
        if overtaken {
            *self.stage.in_order = false;
        }
    }
}
