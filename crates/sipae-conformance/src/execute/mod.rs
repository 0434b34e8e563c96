//! Playing scripts against a target.

mod compose;
mod digest;
mod edits;
mod inbox;
mod message;
mod party;
mod session;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae::auth::Scheme;
use sipae::clock::Time;
use sipae::message::{Limits, MessageStream};
use sipae::server::ConnectionId;
use sipae_events::{CaseFinished, Direction, Exchanged, SignatureSeen};
use sipae_gen::{AccountRole, Connection, Label, Mode, Party, Script};
use sipae_net::{SeededEntropy, Wire};

use crate::control::Control;
use crate::observation::{Observation, Seen};
use crate::pace::{Pace, StepClass};
use crate::profile::{Profile, TimerDurations};
use crate::reaction::{Reaction, Signature};

pub use session::Session;

use digest::NonceUse;
use message::MessageState;
use party::{AssociationState, Identity};

/// What a target may send at most: answers are kept, and several cases run side by side.
pub(crate) const LIMITS: Limits = {
    let mut limits = Limits::DEFAULT;
    limits.body = 512 * 1024;
    limits
};

/// What a script needs besides itself.
pub struct Stage {
    /// The way to the target.
    pub wire: Box<dyn Wire>,
    /// Accounts.
    pub profile: Arc<Profile>,
    /// Which of the second users of the profile this script has for itself.
    pub peer: usize,
    /// Scheme and version under test.
    pub mode: Mode,
    /// What is known about the target's time.
    pub pace: Arc<Pace>,
    /// How long the timers of the target are, where that is known.
    pub durations: Option<TimerDurations>,
    /// What sets the clock of a target that the suite has started.
    pub control: Option<Arc<Control>>,
    /// Randomness of this script.
    pub entropy: SeededEntropy,
    /// What that follows from.
    pub seed: u64,
    /// What the generated conversations of this script follow from: the same in every run with one seed.
    pub choices: u64,
    /// Whether an answer that is missing is soon asked behind, so that silence is proven rather than waited for: for a
    /// look that a patient one confirms.
    pub is_brief: bool,
}

impl Stage {
    /// The same for a brief look.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    /// The time of the target, as far as it is known.
    fn now(&self) -> Time {
        let ahead = self.control.as_ref().map(|control| control.ahead());
        self.wire.now().plus(ahead.unwrap_or_default())
    }
}

/// A script that is being played.
struct Executor {
    stage: Stage,
    identities: BTreeMap<Party, Arc<Identity>>,
    connections: BTreeMap<Connection, ConnectionId>,
    streams: BTreeMap<ConnectionId, Link>,
    /// Boxed, since entries move when others come between them.
    messages: BTreeMap<Label, Box<MessageState>>,
    associations: BTreeMap<Label, AssociationState>,
    /// The nonces that were used, and how often.
    nonces: BTreeMap<Vec<u8>, NonceUse>,
    /// Messages that the script itself answers once they are delivered.
    expected: BTreeSet<Label>,
    /// Numbers that the script itself gives to messages.
    chosen: BTreeSet<u32>,
    exchange: Vec<Exchanged>,
    signatures: Vec<SignatureSeen>,
    unasked: Vec<(String, Signature)>,
    sent: u32,
    /// Octets that came.
    octets: usize,
    /// Answers that fit no message of the script.
    unmatched: u32,
    received: u32,
    answered_requests: u32,
    exchange_left_out: u64,
    /// Whether the exchange is kept for a report.
    is_logging: bool,
    /// Associations that were established by messages which are forgotten.
    known: BTreeSet<Label>,
    /// Whether an answer was waited for in vain.
    has_missed: bool,
    /// Whether a request without credential is asked behind one that was not answered.
    is_asking_behind: bool,
    /// A connection could not be opened.
    is_unreachable: bool,
    /// Nobody took it.
    is_absent: bool,
    /// Why time could not be made to pass.
    clock_lost: Option<String>,
}

/// One connection as the executor sees it.
struct Link {
    number: u32,
    stream: MessageStream,
    end: Option<Reaction>,
    /// Whether the suite has ended it, or brought that about: then its end says nothing of the target.
    is_own_end: bool,
    /// Messages sent before this one have had their chance: the target has answered a later one.
    fenced: u32,
    /// The same of messages for the clients of an account: a later one has been delivered and answered.
    delivered: BTreeMap<AccountRole, u32>,
    /// Whether answers of one account to those have overtaken each other: then they prove nothing.
    is_overtaken: bool,
}

/// A script that has been played to its end, or to the first step that could not be made. Late answers can still be
/// taken in.
pub struct Played {
    executor: Executor,
    broken: Option<String>,
}

/// Plays a script.
#[must_use]
pub fn play(stage: Stage, script: &Script) -> Played {
    let mut executor = Executor::new(stage, script);
    let broken = script.steps.iter().find_map(|step| executor.step(step).err());
    Played { executor, broken }
}

impl Played {
    /// What has been seen until now.
    #[must_use]
    pub fn observe(&mut self) -> Observation {
        self.executor.look();
        self.executor.observe(self.broken.clone())
    }

    /// Whether a message is unanswered that could still be answered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.executor.messages.keys().any(|label| self.executor.is_pending(label))
    }

    /// Takes in what comes until every message that was sent has had so much time.
    pub fn settle(&mut self, patience: Duration) {
        let pending = self.executor.messages.iter().filter(|(label, _)| self.executor.is_pending(label));
        let last = pending.filter_map(|(_, state)| state.sent.as_ref().map(|sent| sent.at)).max();
        if let Some(last) = last {
            self.executor.listen_until(last + patience);
        }
    }

    /// Asks without credential on each connection that owes an answer: where the target answers that, it has read what
    /// came before, and leaves it unanswered.
    pub fn fence(&mut self) {
        for connection in self.executor.owing() {
            // What is not answered proves nothing, and is no reason to stop.
            let _answered = self.executor.ask(connection);
        }
    }

    /// Whether the target answers a request without credential on a connection that is open still.
    pub fn answers_still(&mut self) -> bool {
        let open = |id: &ConnectionId| self.executor.streams.get(id).is_some_and(|link| link.end.is_none());
        let connections = &self.executor.connections;
        let open = connections.iter().filter(|(_, id)| open(id)).map(|(connection, _)| *connection);
        // The first ones were opened before the target had enough.
        let Some(connection) = open.min() else { return false };
        self.executor.ask(connection)
    }

    /// Takes what was registered away, and gives the stage back.
    #[must_use]
    pub fn finish(mut self) -> Stage {
        self.executor.clean_up();
        self.executor.stage
    }
}

impl Executor {
    fn new(mut stage: Stage, script: &Script) -> Self {
        let mut executor = Self {
            identities: identities(&mut stage),
            stage,
            connections: BTreeMap::new(),
            streams: BTreeMap::new(),
            messages: BTreeMap::new(),
            associations: BTreeMap::new(),
            nonces: BTreeMap::new(),
            expected: BTreeSet::new(),
            chosen: BTreeSet::new(),
            exchange: Vec::new(),
            signatures: Vec::new(),
            unasked: Vec::new(),
            sent: 0,
            octets: 0,
            unmatched: 0,
            received: 0,
            answered_requests: 0,
            exchange_left_out: 0,
            is_logging: true,
            known: BTreeSet::new(),
            has_missed: false,
            is_asking_behind: false,
            is_unreachable: false,
            is_absent: false,
            clock_lost: None,
        };
        executor.foresee(&script.steps);
        executor
    }

    fn observe(&self, broken: Option<String>) -> Observation {
        let messages = self.messages.iter().filter(|(_, state)| state.sent.is_some());
        let ended = self.streams.values().filter(|link| !link.is_own_end);
        let ended = ended.filter_map(|link| link.end.clone().map(|end| (link.number, end)));
        Observation {
            scheme: self.stage.mode.scheme,
            seed: self.stage.seed,
            messages: messages.map(|(label, state)| (label.clone(), self.seen(state))).collect(),
            exchange: self.exchange.clone(),
            exchange_left_out: self.exchange_left_out,
            signatures: self.signatures.clone(),
            ended: ended.collect(),
            unasked: self.unasked.clone(),
            unmatched: self.unmatched,
            broken,
            is_unreachable: self.is_unreachable,
            is_absent: self.is_absent,
            clock_lost: self.clock_lost.clone(),
        }
    }

    fn seen(&self, state: &MessageState) -> Seen {
        let answer = state.answer.as_ref();
        let link = state.sent.as_ref().and_then(|sent| self.streams.get(&sent.connection));
        Seen {
            connection: link.map_or(0, |link| link.number),
            reaction: answer.map_or_else(|| self.unanswered(state), |answered| answered.reaction.clone()),
            // Who judges many conversations by what came of them asks for nothing else.
            sent: if self.is_logging { state.sent_octets() } else { Vec::new() },
            answer: answer.filter(|_| self.is_logging).map(|answered| answered.octets.clone()),
            place: answer.map(|answered| answered.place),
            provisional: state.provisional.clone(),
            deliveries: state.deliveries.clone(),
        }
    }

    /// Whether a message that was not answered by now will not be, where answers come in order. The target has read it when
    /// it has answered what came behind it; another client has had its chance with a later one for the same account, over
    /// whatever connection.
    /// Who proves an identity may be made to wait, as long as it takes to ask others or to slow down guessing.
    fn has_passed(&self, link: &Link, state: &MessageState) -> bool {
        let Some(order) = state.sent.as_ref().map(|sent| sent.order) else { return false };
        if state.is_proof() {
            return false;
        }
        if state.is_in_line() {
            return order < link.fenced;
        }
        let last = |link: &Link| match state.recipient {
            Some(account) => link.delivered.get(&account).copied().unwrap_or_default(),
            None => link.delivered.values().copied().max().unwrap_or_default(),
        };
        let is_proof = |other: &Link| !other.is_overtaken && order < last(other);
        let is_read = order < link.fenced.max(link.delivered.values().copied().max().unwrap_or_default());
        state.deliveries.is_empty() && is_read && self.streams.values().any(is_proof)
    }

    /// Silence is proven by a fence where answers come in order, by a wire on which nothing can still be under way, and
    /// else by time: as much as the slowest answers take.
    fn unanswered(&self, state: &MessageState) -> Reaction {
        let Some(sent) = &state.sent else { return Reaction::Overdue };
        let Some(link) = self.streams.get(&sent.connection) else { return Reaction::Overdue };
        let pace = &self.stage.pace;
        if self.has_passed(link, state) && pace.is_in_order() {
            return Reaction::Silent;
        }
        // Who slows down guessing takes longer over wrong proofs than over anything that was measured.
        let patience = if state.is_proof() { pace.limit() } else { pace.quiet() };
        match link.end.as_ref().filter(|_| !link.is_own_end) {
            Some(end) => end.clone(),
            None if self.stage.wire.is_exact() => Reaction::Silent,
            None if sent.order < link.fenced && patience <= sent.at.elapsed() => Reaction::Silent,
            None => Reaction::Overdue,
        }
    }

    /// From now on the suite has nothing to do with it any more. What is on its way to another client would get lost there.
    fn leave(&mut self, id: ConnectionId) {
        if !self.stage.wire.is_exact() {
            let (pace, class) = (&self.stage.pace, StepClass::Delivery);
            let patience = if self.may_ask_behind() { pace.soon(class) } else { pace.patience(class) };
            self.wait_while(patience, Self::is_delivering);
        }
        self.stage.wire.disconnect(id);
        if let Some(link) = self.streams.get_mut(&id).filter(|link| link.end.is_none()) {
            link.end = Some(Reaction::Closed);
            link.is_own_end = true;
        }
    }

    /// Whether a message is unanswered that another client may have to answer.
    fn is_delivering(&self) -> bool {
        let is_delivery = |state: &MessageState| !state.is_in_line() && !state.is_proof();
        self.messages.iter().any(|(label, state)| is_delivery(state) && self.is_pending(label))
    }

    /// The connections that are open and owe an answer.
    fn owing(&self) -> BTreeSet<Connection> {
        let owes = |id: &ConnectionId| {
            let mut pending = self.messages.iter().filter(|(label, _)| self.is_pending(label));
            pending.any(|(_, state)| state.sent.as_ref().is_some_and(|sent| sent.connection == *id))
        };
        self.connections.iter().filter(|(_, id)| owes(id)).map(|(connection, _)| *connection).collect()
    }

    fn identity(&self, party: Party) -> Result<&Arc<Identity>, String> {
        self.identities.get(&party).ok_or_else(|| format!("the profile has no account for {party}"))
    }

    fn log(
        &mut self,
        direction: Direction,
        connection: ConnectionId,
        label: impl FnOnce() -> String,
        octets: &[u8],
    ) {
        if !self.is_logging {
            return;
        }
        if CaseFinished::MAX_EXCHANGE <= self.exchange.len() {
            self.exchange_left_out += 1;
            return;
        }
        let number = self.streams.get(&connection).map_or(0, |link| link.number);
        let mut exchanged = Exchanged::new(direction, number, label(), octets);
        exchanged.party = self.speaker(Connection(number)).map_or(String::new(), |party| party.to_string());
        self.exchange.push(exchanged);
    }

    /// Whose connection that is; in doubt nobody's.
    fn speaker(&self, connection: Connection) -> Option<Party> {
        self.identities.keys().copied().find(|party| party.connection() == connection)
    }

    /// Takes what was registered away, quietly and without waiting long: a suite is a guest. A server in memory goes
    /// with its wire.
    fn clean_up(&mut self) {
        if !self.stage.wire.is_exact() {
            let labels: Vec<Label> = self.established().into_iter().collect();
            let asked: Vec<Label> =
                labels.iter().filter_map(|association| self.unregister(association)).collect();
            if self.may_ask_behind() {
                self.wait_with_fences(&asked);
            } else {
                self.wait_for_each(&asked);
            }
        }
        for connection in self.connections.values() {
            self.stage.wire.disconnect(*connection);
        }
    }

    /// Waits for the answers to the last messages, of which a brief look wants nothing but that they have come: each is
    /// asked behind at once, so that the same messages go out whatever is answered.
    fn wait_with_fences(&mut self, asked: &[Label]) {
        self.is_asking_behind = true;
        let sent = asked.iter().filter_map(|label| self.messages.get(label)?.sent.as_ref());
        let links = sent.filter_map(|sent| self.streams.get(&sent.connection));
        let connections: BTreeSet<Connection> = links.map(|link| Connection(link.number)).collect();
        // What cannot be asked any more has nothing to wait for.
        let asking = connections.into_iter().filter_map(|connection| self.send_fence(connection, None).ok());
        let fences: Vec<Label> = asking.collect();
        let (patience, soon) =
            (self.stage.pace.patience(StepClass::Request), self.stage.pace.soon(StepClass::Request));
        self.wait_while(patience, |executor| executor.owes(asked) && executor.owes(&fences));
        // Who answers them is not cut off; who ignores what has no credential is not waited for.
        self.wait_while(soon, |executor| executor.owes(&fences));
    }

    fn is_answered(&self, label: &Label) -> bool {
        self.messages.get(label).is_some_and(|state| state.answer.is_some())
    }

    fn owes(&self, labels: &[Label]) -> bool {
        labels.iter().any(|label| self.is_pending(label))
    }

    fn established(&self) -> BTreeSet<Label> {
        let is_proven = |state: &MessageState| {
            state.answer.as_ref().is_some_and(|answer| matches!(answer.reaction, Reaction::Final { .. }))
        };
        let proven = self.messages.values().filter(|state| is_proven(state));
        let seen: BTreeSet<&Label> = proven.filter_map(|state| state.association.as_ref()).collect();
        seen.into_iter().chain(&self.known).cloned().collect()
    }

    /// The message that an answer belongs to.
    fn owner(&self, belongs: impl Fn(&MessageState) -> bool) -> Option<Label> {
        self.messages
            .iter()
            .find(|(_, state)| state.sent.is_some() && belongs(state))
            .map(|(label, _)| label.clone())
    }

    /// Listens until a moment, whatever comes.
    fn listen_until(&mut self, until: Instant) {
        loop {
            let patience = until.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return self.look();
            }
            if let Some(arrival) = self.stage.wire.receive(patience) {
                self.arrived(arrival);
            } else if self.stage.wire.is_exact() {
                return;
            }
        }
    }
}

/// Whom a script may name. Only Digest has those without an account.
fn identities(stage: &mut Stage) -> BTreeMap<Party, Arc<Identity>> {
    let Stage { profile, peer, mode, entropy, .. } = stage;
    let identity = |party: Party| {
        let user = match party.account {
            AccountRole::User => Some(&profile.user),
            AccountRole::Peer => profile.peers.get(*peer),
            AccountRole::Sacrificial => profile.sacrificial.as_ref(),
            AccountRole::Anonymous => {
                let is_known = mode.scheme == Scheme::Digest;
                return is_known.then(|| (party, Arc::new(Identity::anonymous(entropy))));
            }
        };
        user.cloned().map(|user| (party, Arc::new(Identity::new(user, entropy))))
    };
    Party::all().filter_map(identity).collect()
}

#[cfg(test)]
mod tests {
    use sipae::auth::Scheme;
    use std::sync::Arc;
    use std::time::Duration;

    use sipae::clock::Time;
    use sipae::message::HeaderName;
    use sipae::server::ConnectionId;
    use sipae::version::Version;
    use sipae_events::Direction;
    use sipae_gen::{Connection, Edit, Handshake, Label, Mode, Party, Password, Recipient, Script, Template};
    use sipae_net::{Arrival, Arrived, Wire, WireError};

    use super::{Stage, play};
    use crate::cases::{PEER_SA, SA, delivery};
    use crate::pace::Pace;
    use crate::reaction::Reaction;
    use crate::run::RunOptions;

    fn stage_at_reference(mode: Mode) -> Stage {
        let options = RunOptions::reference(1);
        let setting = options.settings().into_iter().find(|setting| setting.mode == mode).expect("offered");
        let ways = options.target.ways(&options.profile);
        let pace = Pace::new(options.profile.answer_timeout).into();
        options.stage(ways.as_ref(), setting, "test", &pace, 0)
    }

    /// A network on which some messages are slower than everything else.
    struct SlowFor<F> {
        is_slow: F,
        inner: Box<dyn Wire>,
        held: Vec<Arrival>,
    }

    impl<F: FnMut(&[u8]) -> bool + Send> Wire for SlowFor<F> {
        fn connect(&mut self) -> Result<ConnectionId, WireError> {
            self.inner.connect()
        }

        fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
            self.inner.send(connection, octets)
        }

        fn receive(&mut self, patience: Duration) -> Option<Arrival> {
            while let Some(arrival) = self.inner.receive(Duration::ZERO) {
                match &arrival.what {
                    Arrived::Octets(octets) if (self.is_slow)(octets) => self.held.push(arrival),
                    _ => return Some(arrival),
                }
            }
            if patience.is_zero() { None } else { self.held.pop() }
        }

        fn disconnect(&mut self, connection: ConnectionId) {
            self.inner.disconnect(connection);
        }

        fn now(&self) -> Time {
            self.inner.now()
        }
    }

    /// A second MESSAGE to the second user, whose sender does not wait for its answer; the network is slow with it.
    fn delivering(mode: Mode) -> (Stage, Script) {
        let script = delivery(mode)
            .copy("again", "message")
            .edit("again", Edit::Branch)
            .edit("again", Edit::SetHeader(HeaderName::CSeq, "900 MESSAGE".into()))
            .sign("again", SA)
            .send("again")
            .signed_fence(SA);
        let mut stage = stage_at_reference(mode);
        stage.pace.set_in_order(true);
        let is_slow = |octets: &[u8]| memchr::memmem::find(octets, b"900 MESSAGE").is_some();
        stage.wire = Box::new(SlowFor { is_slow, inner: stage.wire, held: Vec::new() });
        (stage, script)
    }

    /// The fence of the sender is answered first, and proves no silence of what another client has to answer.
    #[test]
    fn what_is_delivered_is_answered_when_its_receiver_has_answered() {
        let (stage, script) = delivering(Mode { scheme: Scheme::Ntlm, version: Version::V4 });
        let mut played = play(stage, &script);
        assert_eq!(played.observe().reaction("again"), Some(&Reaction::Overdue));
        assert!(played.is_open());
        played.settle(Duration::from_millis(200));
        let seen = played.observe();
        assert!(matches!(seen.reaction("again"), Some(Reaction::Final { status: 200, .. })), "{seen:?}");
    }

    /// The first user has answered a later one, which says nothing of the second.
    #[test]
    fn a_delivery_to_one_account_proves_no_silence_of_another_one() {
        let (stage, script) = delivering(Mode { scheme: Scheme::Ntlm, version: Version::V4 });
        let back = Template::new("MESSAGE").of(Party::PEER).to(Recipient::Account(Party::USER));
        let seen = play(stage, &script.compose("back", back).sign("back", PEER_SA).ask("back")).observe();
        assert!(matches!(seen.reaction("back"), Some(Reaction::Final { status: 200, .. })), "{seen:?}");
        assert_eq!(seen.reaction("again"), Some(&Reaction::Overdue));
    }

    /// It would get lost there.
    #[test]
    fn a_connection_is_not_left_while_a_message_is_on_its_way_to_it() {
        let (stage, script) = delivering(Mode { scheme: Scheme::Ntlm, version: Version::V4 });
        let seen = play(stage, &script.connect(Party::PEER.connection())).observe();
        assert!(matches!(seen.reaction("again"), Some(Reaction::Final { status: 200, .. })), "{seen:?}");
    }

    /// Wrong passwords are answered late by who makes guessing slow, and everything else is not.
    #[test]
    fn a_fence_proves_no_silence_of_who_looks_into_a_proof() {
        let mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };
        let logon = Handshake::user().with_password(Password::Wrong("not the password".to_owned()));
        let script = logon.complete(logon.begin(Script::connected(), mode), mode).send(logon.last()).fence();
        let mut stage = stage_at_reference(mode);
        stage.pace.set_in_order(true);
        let mut was_challenge = false;
        let is_slow = move |octets: &[u8]| {
            let is_challenge = memchr::memmem::find(octets, b"gssapi-data").is_some();
            std::mem::replace(&mut was_challenge, is_challenge)
        };
        stage.wire = Box::new(SlowFor { is_slow, inner: stage.wire, held: Vec::new() });
        let mut played = play(stage, &script);
        // That is longer than anything took that was measured.
        std::thread::sleep(Pace::SHORTEST + Duration::from_millis(100));
        assert_eq!(played.observe().reaction(logon.last()), Some(&Reaction::Overdue));
        played.settle(2 * Pace::SHORTEST);
        let seen = played.observe();
        assert!(matches!(seen.reaction(logon.last()), Some(Reaction::Challenge(_))), "{seen:?}");
    }

    /// A target to which requests of one method are nothing.
    struct Without {
        method: &'static [u8],
        inner: Box<dyn Wire>,
    }

    impl Wire for Without {
        fn connect(&mut self) -> Result<ConnectionId, WireError> {
            self.inner.connect()
        }

        fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
            if octets.starts_with(self.method) { Ok(()) } else { self.inner.send(connection, octets) }
        }

        fn receive(&mut self, patience: Duration) -> Option<Arrival> {
            self.inner.receive(patience)
        }

        fn disconnect(&mut self, connection: ConnectionId) {
            self.inner.disconnect(connection);
        }

        fn now(&self) -> Time {
            self.inner.now()
        }
    }

    /// Where answers come in no order, what is asked behind proves nothing.
    #[rstest::rstest]
    #[case(true, true, Reaction::Silent)]
    #[case(true, false, Reaction::Overdue)]
    #[case(false, true, Reaction::Overdue)]
    fn a_brief_look_proves_silence_that_a_patient_one_waits_for(
        #[case] is_brief: bool,
        #[case] is_in_order: bool,
        #[case] expected: Reaction,
    ) {
        let stage = stage_at_reference(Mode { scheme: Scheme::Ntlm, version: Version::V4 });
        let pace = Pace::new(Duration::from_millis(50));
        pace.set_in_order(is_in_order);
        let wire = Box::new(Without { method: b"OPTIONS", inner: stage.wire });
        let stage = Stage { is_brief, pace: pace.into(), wire, ..stage };
        let script = Script::connected().compose("lost", Template::new("OPTIONS")).ask("lost");
        assert_eq!(play(stage, &script).observe().reaction("lost"), Some(&expected));
    }

    /// The target has read it, and who has to answer it has had all the time that there is.
    #[rstest::rstest]
    #[case(true, Reaction::Silent, [("REGISTER", Direction::Sent), ("401", Direction::Received)])]
    #[case(false, Reaction::Overdue, [("200", Direction::Received), ("MESSAGE", Direction::Sent)])]
    fn a_brief_look_asks_behind_a_delivery_and_a_patient_one_waits(
        #[case] is_brief: bool,
        #[case] expected: Reaction,
        #[case] last: [(&str, Direction); 2],
    ) {
        let mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };
        let stage = stage_at_reference(mode);
        let pace = Pace::new(Duration::from_millis(50));
        pace.set_in_order(true);
        let wire = Box::new(Without { method: b"MESSAGE", inner: stage.wire });
        let stage = Stage { is_brief, pace: pace.into(), wire, ..stage };
        let seen = play(stage, &delivery(mode)).observe();
        assert_eq!(seen.reaction("message"), Some(&expected));
        let exchange = seen.exchange.iter().rev().take(2).rev();
        let exchange: Vec<_> = exchange.map(|one| (one.label.as_str(), one.direction)).collect();
        assert_eq!(exchange, last);
    }

    /// A network on which OPTIONS get lost, and which tells of each end: a connection has one when the suite leaves it, and when
    /// such a message is sent.
    struct Ending {
        over: &'static [u8],
        inner: Without,
        ended: Vec<ConnectionId>,
    }

    impl Ending {
        fn over(over: &'static [u8], inner: Box<dyn Wire>) -> Box<dyn Wire> {
            let inner = Without { method: b"OPTIONS", inner };
            Box::new(Self { over, inner, ended: Vec::new() })
        }
    }

    impl Wire for Ending {
        fn connect(&mut self) -> Result<ConnectionId, WireError> {
            self.inner.connect()
        }

        fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
            if octets.starts_with(self.over) {
                self.ended.push(connection);
                return Ok(());
            }
            self.inner.send(connection, octets)
        }

        fn receive(&mut self, patience: Duration) -> Option<Arrival> {
            let ended = self.ended.pop().map(|connection| Arrival { connection, what: Arrived::Closed });
            ended.or_else(|| self.inner.receive(patience))
        }

        fn disconnect(&mut self, connection: ConnectionId) {
            self.inner.disconnect(connection);
            self.ended.push(connection);
        }

        fn now(&self) -> Time {
            self.inner.now()
        }
    }

    #[test]
    fn a_connection_that_the_suite_leaves_has_no_end() {
        let stage = stage_at_reference(Mode { scheme: Scheme::Ntlm, version: Version::V4 });
        let wire = Ending::over(b"nothing", stage.wire);
        let script = Script::connected()
            .compose("lost", Template::new("OPTIONS"))
            .send("lost")
            .disconnect(Connection::FIRST)
            .connect(Connection::FIRST)
            .connect(Connection::FIRST)
            .compose("challenged", Template::new("REGISTER"))
            .ask("challenged");
        let seen = play(Stage { wire, ..stage }, &script).observe();
        assert!(seen.ended.is_empty(), "{:?}", seen.ended);
        assert_eq!(seen.reaction("lost"), Some(&Reaction::Overdue));
        assert!(matches!(seen.reaction("challenged"), Some(Reaction::Challenge(_))), "{seen:?}");
    }

    /// A target may close connections over what has no credential.
    #[test]
    fn an_end_over_what_is_asked_behind_excuses_nothing_and_is_not_brought_about_again() {
        let stage = stage_at_reference(Mode { scheme: Scheme::Ntlm, version: Version::V4 });
        let pace = Arc::new(Pace::new(Duration::from_millis(50)));
        pace.set_in_order(true);
        let wire = Ending::over(b"REGISTER", stage.wire);
        let stage = Stage { wire, pace: Arc::clone(&pace), is_brief: true, ..stage };
        let script = Script::connected().compose("lost", Template::new("OPTIONS")).ask("lost").retry("lost");
        let seen = play(stage, &script).observe();
        assert!(seen.ended.is_empty(), "{:?}", seen.ended);
        assert_eq!(seen.reaction("lost"), Some(&Reaction::Overdue));
        let sent = seen.exchange.iter().map(|exchanged| exchanged.label.as_str()).collect::<Vec<_>>();
        assert_eq!(sent, ["OPTIONS", "REGISTER"]);
        assert!(!pace.may_ask());
    }

    /// A target that has closed a connection, of which the writer hears before the reader does.
    struct ClosedLate {
        inner: Box<dyn Wire>,
        ended: Option<ConnectionId>,
    }

    impl Wire for ClosedLate {
        fn connect(&mut self) -> Result<ConnectionId, WireError> {
            self.inner.connect()
        }

        fn send(&mut self, connection: ConnectionId, _: &[u8]) -> Result<(), WireError> {
            self.ended = Some(connection);
            Err(WireError::NotConnected(connection))
        }

        fn receive(&mut self, patience: Duration) -> Option<Arrival> {
            let ended = self.ended.filter(|_| !patience.is_zero())?;
            Some(Arrival { connection: ended, what: Arrived::Reset })
        }

        fn disconnect(&mut self, connection: ConnectionId) {
            self.inner.disconnect(connection);
        }

        fn now(&self) -> Time {
            self.inner.now()
        }
    }

    #[test]
    fn what_is_written_into_a_connection_that_ends_is_answered_by_its_end() {
        let mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };
        let mut stage = stage_at_reference(mode);
        stage.wire = Box::new(ClosedLate { inner: stage.wire, ended: None });
        let script = Script::connected().compose("long", Template::new("REGISTER")).send("long");
        let seen = play(stage, &script).observe();
        assert_eq!((seen.broken.as_deref(), seen.reaction("long")), (None, Some(&Reaction::Reset)));
    }

    /// The second user answers a MESSAGE, signed, before the script gives numbers to its own requests.
    #[rstest::rstest]
    fn an_answer_that_the_script_does_not_ask_for_takes_none_of_its_numbers(
        #[values(Version::V2, Version::V3, Version::V4)] version: Version,
    ) {
        // The request that completes a handshake of version 4 has the first one.
        let chosen = if version == Version::V4 { 2..=4 } else { 1..=3 };
        let name = |number| format!("number {number}");
        let mode = Mode { scheme: Scheme::Ntlm, version };
        let script = chosen.clone().fold(delivery(mode), |script, number| {
            let (name, template) = (name(number), Template::new("REGISTER").of(Party::PEER));
            script.compose(&name, template).sign_number(&name, PEER_SA, number).ask(&name)
        });
        let seen = play(stage_at_reference(mode), &script).observe();
        assert_eq!(seen.messages[&Label::new("message")].deliveries.len(), 1);
        for number in chosen {
            let reaction = seen.reaction(&name(number));
            assert!(matches!(reaction, Some(Reaction::Final { status: 200, .. })), "{number}: {reaction:?}");
        }
    }
}
