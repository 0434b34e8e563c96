//! What arrives: octets to messages, messages to the requests they answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae::draft::Draft;
use sipae::message::{Address, Addresses, HeaderName, Message, StartLine};
use sipae::sa::SignOptions;
use sipae::server::ConnectionId;
use sipae_events::Direction;
use sipae_gen::{Connection, Label, Party};
use sipae_net::{Arrival, Arrived};

use super::message::{Answered, Key};
use super::party::{AssociationState, Gruu, signature, signature_seen};
use super::{Executor, Stage};
use crate::edits::signatures;
use crate::observation::Delivery;
use crate::reaction::{Reaction, Signature};

/// Messages that one script looks at; a flood ends there.
const MESSAGES: u32 = 10_000;
/// Requests of the target that one script answers; a target that asks more is not waited for.
const REQUESTS: u32 = 64;
/// Arrivals that are looked at without being waited for.
const ARRIVALS: usize = 1000;
/// Requests of the target that an observation tells of.
const UNASKED: usize = 64;
/// Deliveries of one message that an observation tells of.
const DELIVERIES: usize = 16;
/// Provisional answers to one message that an observation tells of.
const PROVISIONAL: usize = 64;
/// Signature buffers that a report shows.
const SIGNATURES: usize = 8;
/// Octets that one script listens to; a flood ends there.
const OCTETS: usize = 16 * 1024 * 1024;

impl Executor {
    /// Waits until a message has its final answer, its connection has ended, or patience has.
    pub(super) fn wait_for(&mut self, label: &Label) {
        let Some(state) = self.messages.get(label) else { return };
        let (class, is_proof, is_in_line) = (state.class(), state.is_proof(), state.is_in_line());
        let mut patience = self.stage.pace.patience(class);
        if !is_proof && self.may_ask_behind() {
            let soon = self.stage.pace.soon(class);
            self.wait_while(soon, |executor| executor.is_pending(label));
            let is_read = self.ask_behind(label);
            // That proves no silence of another client, and what it answers late is still taken in.
            if is_read && !is_in_line {
                patience = soon;
            }
        }
        self.wait_while(patience, |executor| executor.is_pending(label));
        self.has_missed |= self.is_pending(label);
    }

    /// Waits for several. Where one was waited for in vain and nothing else came meanwhile, nothing more is to come.
    pub(super) fn wait_for_each(&mut self, labels: &[Label]) {
        for label in labels {
            let received = self.received;
            self.wait_for(label);
            if self.is_pending(label) && self.received == received {
                return;
            }
        }
    }

    pub(super) fn may_ask_behind(&self) -> bool {
        let Stage { is_brief, wire, pace, .. } = &self.stage;
        *is_brief && !self.is_asking_behind && !wire.is_exact() && pace.is_in_order() && pace.may_ask()
    }

    /// Asks without credential behind a message that is not answered: where answers come in order, that one's shows that
    /// it has been read, and that there will be none unless another client gives it. Whether it was answered.
    fn ask_behind(&mut self, label: &Label) -> bool {
        let sent = self.messages.get(label).and_then(|state| state.sent.as_ref());
        let link = sent.and_then(|sent| self.streams.get(&sent.connection));
        let Some(connection) = link.map(|link| Connection(link.number)).filter(|_| self.is_pending(label))
        else {
            return false;
        };
        self.is_asking_behind = true;
        let is_answered = self.ask(connection);
        self.is_asking_behind = false;
        is_answered
    }

    /// Asks without credential, as far as that can be sent. Whether it was answered. A target may end a connection over it: that
    /// excuses nothing, and nobody asks behind a missing answer any more.
    pub(super) fn ask(&mut self, connection: Connection) -> bool {
        let id = self.connections.get(&connection).copied();
        let asked = self.fence(connection, None);
        let is_answered = asked.is_ok_and(|asked| self.is_answered(&asked));
        let link = id.and_then(|id| self.streams.get_mut(&id)).filter(|link| link.end.is_some());
        if let Some(link) = link.filter(|_| !is_answered) {
            link.is_own_end = true;
            self.stage.pace.forbid_asking();
        }
        is_answered
    }

    /// Waits until a message has reached a party.
    pub(super) fn wait_for_delivery(&mut self, label: &Label, party: Party) {
        let patience = self.stage.pace.patience(crate::pace::StepClass::Delivery);
        self.wait_while(patience, |executor| {
            executor.is_pending(label) && executor.delivered(label, party).is_none()
        });
    }

    pub(super) fn wait_while(&mut self, patience: Duration, is_pending: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + patience;
        while is_pending(self) {
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

    pub(super) fn is_pending(&self, label: &Label) -> bool {
        let Some(state) = self.messages.get(label) else { return false };
        let Some(sent) = &state.sent else { return false };
        // What a later request was answered before has no answer, where answers come in order.
        let is_past = |link: &super::Link| self.has_passed(link, state) && self.stage.pace.is_in_order();
        let link = self.streams.get(&sent.connection);
        let is_open = link.is_some_and(|link| link.end.is_none() && !is_past(link));
        state.answer.is_none() && is_open && !state.draft.start_line.starts_with(b"SIP/")
    }

    /// A message as it reached a party.
    pub(super) fn delivered(&self, label: &Label, party: Party) -> Option<&Delivery> {
        self.messages.get(label)?.deliveries.iter().find(|delivery| delivery.to == party)
    }

    pub(super) fn arrived(&mut self, arrival: Arrival) {
        let Some(link) = self.streams.get_mut(&arrival.connection).filter(|link| link.end.is_none()) else {
            return;
        };
        match arrival.what {
            Arrived::Octets(octets) => {
                link.stream.push(&octets);
                self.octets += octets.len();
                if OCTETS < self.octets {
                    link.end = Some(Reaction::Unreadable(format!("more than {OCTETS} octets")));
                    return self.stage.wire.disconnect(arrival.connection);
                }
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
        let label = || match message.start_line() {
            StartLine::Request { method, .. } => String::from_utf8_lossy(method).into_owned(),
            StartLine::Response { status, .. } => status.to_string(),
        };
        self.received += 1;
        self.log(Direction::Received, connection, label, message.octets());
        match message.status() {
            Some(status) => self.answered(status, message),
            None => self.requested(connection, message),
        }
    }

    /// A request: one of the suite that the target delivers, or one of its own. Targets wait for the answers: 200, signed
    /// where an association fits, unless the script answers itself.
    fn requested(&mut self, connection: ConnectionId, message: &Message<'_>) {
        let owner = self.owner(|state| state.key.is_delivered_as(message));
        let is_expected = owner.as_ref().is_some_and(|label| self.expected.contains(label));
        match owner {
            Some(label) => self.delivery(&label, connection, message),
            None => self.unasked(connection, message),
        }
        if message.method() == Some(b"ACK") || is_expected || REQUESTS <= self.answered_requests {
            return;
        }
        self.answered_requests += 1;
        self.answer_ok(connection, message);
    }

    fn answer_ok(&mut self, connection: ConnectionId, message: &Message<'_>) {
        use sipae::clock::Entropy;
        let mut draft = Draft::response_to(message, 200, "suite").close();
        let rand = (&mut self.stage.entropy as &mut dyn Entropy).octets();
        if let Some(state) = signer_for(&mut self.associations, message) {
            let options = SignOptions::new(state.kind.credential());
            let signed = state.association.as_mut().map(|sa| {
                // A request that nobody foresaw takes no number from the script: the script's would be a replay.
                while sa.next_number().is_some_and(|next| self.chosen.contains(&next)) {
                    sa.skip_number();
                }
                sa.sign(&mut draft, rand, &options)
            });
            if signed.is_none_or(|signed| signed.is_err()) {
                return;
            }
        }
        let octets = draft.to_octets();
        if self.stage.wire.send(connection, &octets).is_ok() {
            self.log(Direction::Sent, connection, || "200".to_owned(), &octets);
        } else {
            // Who asks and does not read is not waited for again, and half an answer spoils what comes after it.
            self.answered_requests = REQUESTS;
            self.stage.wire.disconnect(connection);
        }
    }

    fn delivery(&mut self, label: &Label, connection: ConnectionId, message: &Message<'_>) {
        let number = self.streams.get(&connection).map_or(0, |link| link.number);
        let Some(to) = self.speaker(Connection(number)) else { return };
        let (signature, signed_by) = self.signed_for(to, label, message);
        let Some(state) = self.messages.get_mut(label) else { return };
        if state.deliveries.len() < DELIVERIES {
            let octets = message.octets().to_vec();
            state.deliveries.push(Delivery { to, octets, signature, signed_by });
        }
        if let Some(sent) = state.sent.as_ref().filter(|_| state.deliveries.len() == 1) {
            self.stage.pace.measured(crate::pace::StepClass::Delivery, sent.at.elapsed());
        }
    }

    /// How a request to a party is signed, and by whom if not by the association of that party.
    fn signed_for(
        &mut self,
        party: Party,
        label: &Label,
        message: &Message<'_>,
    ) -> (Signature, Option<Label>) {
        let Some(header) = signatures(message).next() else { return (Signature::Unsigned, None) };
        let own = self.associations.values_mut().find(|state| state.is_of(party, &header));
        let found = match own {
            Some(state) => signature(Some(state), message),
            None => Signature::Bad(format!("no association of {party} has its opaque")),
        };
        let Signature::Bad(why) = &found else { return (found, None) };
        let other = self.associations.iter().find(|(_, state)| state.verifies(message, &header));
        let signed_by = other.map(|(label, _)| label.clone());
        self.remember_signature(label, party, message, why);
        (found, signed_by)
    }

    fn remember_signature(&mut self, label: &Label, party: Party, message: &Message<'_>, why: &str) {
        let of_party = self.associations.values().find(|state| state.party == Some(party));
        let seen = of_party.and_then(|state| signature_seen(label.as_str(), state, message, why));
        self.remember(seen);
    }

    fn remember(&mut self, seen: Option<sipae_events::SignatureSeen>) {
        if self.signatures.len() < SIGNATURES {
            self.signatures.extend(seen);
        }
    }

    fn unasked(&mut self, connection: ConnectionId, message: &Message<'_>) {
        if UNASKED <= self.unasked.len() {
            return;
        }
        let number = self.streams.get(&connection).map_or(0, |link| link.number);
        let party = self.speaker(Connection(number)).unwrap_or(Party::USER);
        let (signature, _) = self.signed_for(party, &Label::new("a request of the target"), message);
        let method = String::from_utf8_lossy(message.method().unwrap_or_default()).into_owned();
        self.unasked.push((method, signature));
    }

    fn answered(&mut self, status: u16, message: &Message<'_>) {
        let key = Key::of(message);
        let Some(label) = self.owner(|state| state.key.is_answered_by(&key)) else {
            self.unmatched += 1;
            return;
        };
        if self.messages.get(&label).is_none_or(|state| state.answer.is_some()) {
            return;
        }
        let signature = self.signature(&label, message);
        self.learn_gruu(&label, message);
        let place = self.received;
        let Some(state) = self.messages.get_mut(&label) else { return };
        if status < 200 {
            if state.provisional.len() < PROVISIONAL {
                state.provisional.push((status, signature));
            }
            return;
        }
        let Some(sent) = state.sent.clone() else { return };
        if 300 <= status {
            self.acknowledge_failure(&label, sent.connection, message);
        }
        let Some(state) = self.messages.get_mut(&label) else { return };
        let reaction = Reaction::of(message, signature);
        state.answer = Some(Answered { reaction, octets: message.octets().to_vec(), place });
        let (class, is_in_line) = (state.class(), state.is_in_line());
        let receiver = state.deliveries.first().map(|delivery| delivery.to.account);
        if !self.stage.wire.is_exact() {
            self.stage.pace.measured(class, sent.at.elapsed());
        }
        if is_in_line {
            self.watch_order(sent.connection, sent.order);
        } else if let (Some(link), Some(receiver)) = (self.streams.get_mut(&sent.connection), receiver) {
            let last = link.delivered.entry(receiver).or_default();
            link.is_overtaken |= sent.order < *last;
            *last = sent.order.max(*last);
        }
        self.raise_number(&label);
        if (200..300).contains(&status) {
            self.acknowledge(&label, sent.connection);
        }
    }

    /// A number that the script chose and the target accepted: what is signed next comes behind it.
    fn raise_number(&mut self, label: &Label) {
        let Some(state) = self.messages.get(label) else { return };
        let is_processed =
            state.answer.as_ref().is_some_and(|answer| matches!(answer.reaction, Reaction::Final { .. }));
        let (number, by) = (state.number.filter(|_| is_processed), state.association.clone());
        let sa = by.and_then(|by| self.associations.get_mut(&by)?.association.as_mut());
        if let (Some(number), Some(sa)) = (number, sa) {
            sa.skip_to(number.saturating_add(1));
        }
    }

    /// How the answer to a message is signed, as far as the associations of the script can tell.
    fn signature(&mut self, label: &Label, answer: &Message<'_>) -> Signature {
        let by = self.messages.get(label).and_then(|state| state.association.clone());
        let mut state = by.and_then(|by| self.associations.get_mut(&by));
        // What is wrong with its signature is for the case to say, and the script goes on.
        if let Some(state) = &mut state {
            state.learn_opaque(answer);
        }
        let found = signature(state, answer);
        if let Signature::Bad(why) = &found {
            let by = self.messages.get(label).and_then(|state| state.association.clone());
            let state = by.and_then(|by| self.associations.get(&by));
            let seen = state.and_then(|state| signature_seen(label.as_str(), state, answer, why));
            self.remember(seen);
        }
        found
    }

    /// A registrar gives the GRUU of the endpoint in the Contact of its 200.
    fn learn_gruu(&mut self, label: &Label, answer: &Message<'_>) {
        let party = self.messages.get(label).map(|state| state.party);
        let Some(identity) = party.and_then(|party| self.identities.get_mut(&party)) else { return };
        let mut contacts = answer.all(HeaderName::Contact).peekable();
        if contacts.peek().is_none() || contacts.any(|contact| identity.gruu.is_in(contact.raw())) {
            return;
        }
        let instance = identity.instance().to_string();
        // A registrar may list the bindings of other endpoints as well (RFC 3261 10.3).
        let is_own = |contact: &Address<'_>| {
            let text = contact.param("+sip.instance").map(String::from_utf8_lossy).unwrap_or_default();
            text.to_lowercase().contains(&instance)
        };
        let contacts =
            answer.all(HeaderName::Contact).flat_map(|value| Addresses::new(value.raw())).flatten();
        let own = contacts.into_iter().find(is_own);
        if let Some(gruu) = own.and_then(|contact| contact.param("gruu").map(String::from_utf8_lossy)) {
            Arc::make_mut(identity).gruu = Gruu::new(gruu.trim_matches('"').to_owned());
        }
    }

    /// An answer that overtakes another one of the same connection shows that a fence proves nothing. What another
    /// client has to answer takes its own time.
    fn watch_order(&mut self, connection: ConnectionId, order: u32) {
        let is_behind = |state: &super::MessageState| {
            let sent = state.sent.as_ref().filter(|_| state.is_in_line());
            sent.is_some_and(|sent| sent.connection == connection && order < sent.order)
        };
        if self.messages.values().any(|other| other.answer.is_some() && is_behind(other)) {
            self.stage.pace.set_in_order(false);
        }
    }
}

/// The association under which a request of the target was signed.
fn signer_for<'a>(
    associations: &'a mut BTreeMap<Label, AssociationState>,
    message: &Message<'_>,
) -> Option<&'a mut AssociationState> {
    let header = signatures(message).next()?;
    associations.values_mut().find(|state| state.verifies(message, &header))
}
