//! The reference server among users whose wires a forger holds: [`Server`].

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sipae::auth::ChallengeKind;
use sipae::client::{self, ClientEvent};
use sipae::clock::Time;
use sipae::message::{HeaderName, Limits, Message, MessageStream};
use sipae::server::{ConnectionId, Input, Output, Server, ServerConfig, ServerEvent};
use sipae::side::Side;
use sipae::version::Version;

use super::claims::{Claim, Claims};
use super::octets::{Change, Choices};
use super::user::{ASSOCIATIONS, NEGOTIATIONS, TRANSACTIONS, User, small_server};
use crate::conversation::{Counted, NOW};

/// The octets are what happens: users who register and talk, octets of strangers, messages that are changed, lost or
/// said again, connections that come and go, time. The server holds no more than it may, establishes nobody who has not
/// answered its challenge with a password, accepts nothing that was not signed, and nothing twice; and in the end every
/// user is served.
pub fn server_sequence(data: &[u8]) {
    let mut choices = Choices::new(data);
    let version = choices.among(&Version::ALL).unwrap_or(Version::V4);
    let kind = choices.among(&[ChallengeKind::Www, ChallengeKind::Proxy]).unwrap_or_default();
    let mut play = Play::new(ServerConfig { kind, ..small_server(version) });
    play.steps(&mut choices);
    play.ends_well();
}

/// Steps that are taken: what comes behind them would show nothing new and takes time.
const STEPS: usize = 48;

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Connect,
    Disconnect,
    Octets,
    Register,
    Send,
    Unregister,
    Alter,
    Lose,
    SayAgain,
    Wait,
    Reconnect,
    Tick,
}

impl Step {
    const ALL: [Self; 12] = [
        Self::Connect,
        Self::Disconnect,
        Self::Octets,
        Self::Register,
        Self::Send,
        Self::Unregister,
        Self::Alter,
        Self::Lose,
        Self::SayAgain,
        Self::Wait,
        Self::Reconnect,
        Self::Tick,
    ];
}

/// What lies between the timers of a server.
const WAITS: [u64; 6] = [1, 20, 40, 70, 16 * 60, 9 * 60 * 60];

/// Connections that belong to nobody: 1 to 4.
const STRANGERS: u64 = 4;
/// Users get connections above this number when they connect.
const CONNECTED: u64 = 20;
/// Who has the name of alice and not her password.
const MALLORY: usize = 3;

/// A message under way.
enum Way {
    ToServer(ConnectionId, Vec<u8>),
    ToClient(ConnectionId, Vec<u8>),
}

/// What becomes of a message that is still to come.
struct Plan {
    /// Messages before it.
    after: usize,
    change: Change,
    is_lost: bool,
}

struct Play {
    server: Server,
    now: Time,
    entropy: Counted,
    /// What the server has to read of each open connection.
    links: BTreeMap<ConnectionId, MessageStream>,
    connected: u64,
    users: Vec<User>,
    claims: Claims,
    /// Associations so far.
    established: usize,
    /// Every message so far, of both sides.
    said: Vec<Vec<u8>>,
    way: VecDeque<Way>,
    plans: Vec<Plan>,
    /// What the clients have noticed in this step.
    events: Vec<ClientEvent>,
}

/// What the server has to read of one input.
#[derive(Default)]
struct Reading {
    messages: usize,
    /// Messages that claim something right and new.
    claiming: usize,
    claims: Vec<(Claim, &'static str)>,
    is_broken: bool,
}

impl Play {
    fn new(config: ServerConfig) -> Self {
        let user = |name, epid, password, at| User::new(name, epid, password, ConnectionId(at));
        let users = vec![
            user("alice", "a1", "alice", 11),
            user("alice", "a2", "alice", 12),
            user("bob", "b1", "bob", 13),
            user("alice", "m1", "mallory", 14),
        ];
        let (links, established, said, way, plans, events) = Default::default();
        let claims = Claims::new(Side::Client, config.version);
        let server = Server::new(config);
        let (now, entropy, connected) = (NOW, Counted(1), CONNECTED);
        Self { server, now, entropy, links, connected, users, claims, established, said, way, plans, events }
    }

    fn steps(&mut self, choices: &mut Choices<'_>) {
        for _ in 0..STEPS {
            let Some(step) = choices.among_or_end(&Step::ALL) else { break };
            self.step(step, choices);
        }
    }

    fn step(&mut self, step: Step, choices: &mut Choices<'_>) {
        self.events.clear();
        match step {
            Step::Connect => self.connect(ConnectionId(choices.number() as u64 % STRANGERS + 1)),
            Step::Disconnect => {
                let connection = self.connection(choices);
                self.disconnect(connection);
            }
            Step::Octets => {
                let connection = self.connection(choices);
                self.receive(connection, choices.octets());
            }
            Step::Register => self.act(self.user(choices), client::Input::Register),
            Step::Send => {
                let user = self.user(choices);
                let Some(draft) = self.users.get(user).map(|user| user.request(choices)) else { return };
                self.act(user, client::Input::Send(&draft));
            }
            Step::Unregister => self.act(self.user(choices), client::Input::Unregister),
            Step::Alter | Step::Lose => {
                let (after, change) = (choices.number() % 8, choices.change());
                self.plans.push(Plan { after, change, is_lost: matches!(step, Step::Lose) });
            }
            Step::SayAgain => self.say_again(choices),
            Step::Wait => self.wait(choices.among(&WAITS).unwrap_or_default()),
            Step::Reconnect => self.reconnect(self.user(choices)),
            Step::Tick => self.act(self.user(choices), client::Input::Tick),
        }
        self.deliver();
    }

    fn user(&self, choices: &mut Choices<'_>) -> usize {
        choices.number() % self.users.len()
    }

    /// That of a stranger or of a user.
    fn connection(&self, choices: &mut Choices<'_>) -> ConnectionId {
        let users = self.users.iter().map(|user| user.at);
        let all: Vec<_> = (1..=STRANGERS).map(ConnectionId).chain(users).collect();
        choices.among(&all).unwrap_or(ConnectionId(1))
    }

    fn connect(&mut self, connection: ConnectionId) {
        self.links.insert(connection, MessageStream::new(self.server.config().limits));
        assert_eq!(self.handle(Input::Connected(connection)), []);
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.links.remove(&connection);
        assert_eq!(self.handle(Input::Disconnected(connection)), []);
    }

    fn reconnect(&mut self, user: usize) {
        self.connected += 1;
        let at = ConnectionId(self.connected);
        let Some(user) = self.users.get_mut(user) else { return };
        let old = std::mem::replace(&mut user.at, at);
        assert_eq!(user.handle(client::Input::Reconnected, self.now), []);
        self.disconnect(old);
        self.connect(at);
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        let pending = self.server.pending();
        let outputs = self.handle(Input::Tick);
        let messages: Vec<_> = sent(&outputs).collect();
        assert!(messages.len() <= pending * MOST_ANSWERS, "{outputs:?}");
        assert!(messages.into_iter().all(ends_a_transaction), "{outputs:?}");
        self.take(outputs);
    }

    /// A message of old, changed or not, over any connection.
    fn say_again(&mut self, choices: &mut Choices<'_>) {
        let place = choices.number().checked_rem(self.said.len());
        let Some(mut octets) = place.and_then(|place| self.said.iter().rev().nth(place)).cloned() else {
            return;
        };
        let connection = self.connection(choices);
        choices.change().apply(&mut octets);
        self.receive(connection, &octets);
    }

    /// A user does something, over a new connection where the old one is gone.
    fn act(&mut self, user: usize, input: client::Input<'_>) {
        if self.users.get(user).is_some_and(|user| !self.links.contains_key(&user.at)) {
            self.reconnect(user);
        }
        self.client(user, input);
    }

    fn client(&mut self, place: usize, input: client::Input<'_>) {
        let Some(user) = self.users.get_mut(place) else { return };
        let (name, at) = (user.name, user.at);
        let outputs = user.handle(input, self.now);
        assert!(place != MALLORY || !user.client.is_established(), "a server knows a wrong password");
        for output in outputs {
            match output {
                client::Output::Send(octets) => {
                    if place != MALLORY {
                        self.claims.add(&octets, name);
                    }
                    self.said.push(octets.clone());
                    self.way.push_back(Way::ToServer(at, octets));
                }
                client::Output::Close => self.disconnect(at),
                client::Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// Until nobody has anything to say.
    fn deliver(&mut self) {
        let mut messages = 0;
        while let Some(way) = self.way.pop_front() {
            messages += 1;
            assert!(messages < 1000, "nobody stops");
            match way {
                Way::ToServer(connection, octets) => {
                    if let Some(octets) = self.on_the_way(octets) {
                        self.receive(connection, &octets);
                    }
                }
                Way::ToClient(connection, octets) => {
                    let user = self.users.iter().position(|user| user.at == connection);
                    if let (Some(user), Some(octets)) = (user, self.on_the_way(octets)) {
                        self.client(user, client::Input::Received(&octets));
                    }
                }
            }
        }
    }

    fn on_the_way(&mut self, mut octets: Vec<u8>) -> Option<Vec<u8>> {
        let is_lost = self.plans.iter().any(|plan| plan.after == 0 && plan.is_lost);
        self.plans.iter().filter(|plan| plan.after == 0).for_each(|plan| plan.change.apply(&mut octets));
        self.plans.retain_mut(|plan| {
            let is_due = plan.after == 0;
            plan.after = plan.after.saturating_sub(1);
            !is_due
        });
        (!is_lost).then_some(octets)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8]) {
        let reading = self.read(connection, octets);
        let outputs = self.handle(Input::Received(connection, octets));
        self.check(connection, &reading, &outputs);
        if reading.claiming == 1 && sent(&outputs).any(is_accepted) {
            self.claims.believed(&reading.claims);
        }
        self.take(outputs);
    }

    fn read(&mut self, connection: ConnectionId, octets: &[u8]) -> Reading {
        let mut reading = Reading::default();
        let Some(stream) = self.links.get_mut(&connection) else { return reading };
        stream.push(octets);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => {
                    let claims = self.claims.of(&message);
                    reading.messages += 1;
                    reading.claiming += usize::from(!claims.is_empty());
                    reading.claims.extend(claims);
                }
                Ok(None) => return reading,
                Err(_) => return Reading { is_broken: true, ..reading },
            }
        }
    }

    fn check(&self, connection: ConnectionId, reading: &Reading, outputs: &[Output]) {
        assert_eq!(outputs.contains(&Output::Close(connection)), reading.is_broken, "{outputs:?}");
        assert!(sent(outputs).count() <= reading.messages * MOST_ANSWERS, "{outputs:?}");
        assert!(!reading.claims.is_empty() || !sent(outputs).any(is_accepted), "{outputs:?}");
        for output in outputs {
            if let Output::Event(ServerEvent::Established { user, .. }) = output {
                let proves =
                    |(claim, who): &(Claim, &str)| matches!(claim, Claim::Password(_)) && who == user;
                assert!(reading.claims.iter().any(proves), "{user} has not proven a password");
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) -> Vec<Output> {
        let outputs = self.server.handle(input, self.now, &mut self.entropy);
        let is_new = |output: &&Output| matches!(output, Output::Event(ServerEvent::Established { .. }));
        self.established += outputs.iter().filter(is_new).count();
        assert!(self.server.established() <= self.established.min(ASSOCIATIONS));
        assert!(self.server.handshakes() <= NEGOTIATIONS && self.server.pending() <= TRANSACTIONS);
        outputs
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(connection, octets) => {
                    assert!(self.links.contains_key(&connection), "{connection:?} is closed");
                    self.said.push(octets.clone());
                    self.way.push_back(Way::ToClient(connection, octets));
                }
                Output::Close(connection) => {
                    assert!(self.links.remove(&connection).is_some(), "{connection:?} is closed");
                }
                Output::Event(_) => {}
            }
        }
    }

    /// The forger has gone: each user who was there is served over a new connection, and one who was not.
    fn ends_well(mut self) {
        self.plans.clear();
        let carol = self.users.len();
        self.users.push(User::new("carol", "c1", "carol", ConnectionId(15)));
        let was_there = |user: &User| CONNECTED < user.at.0;
        let users = self.users.iter().enumerate();
        let users: Vec<_> = users.filter(|(_, user)| was_there(user)).map(|(place, _)| place).collect();
        for user in users.into_iter().chain([carol]).filter(|user| *user != MALLORY) {
            self.reconnect(user);
            self.client(user, client::Input::Register);
            self.deliver();
            self.is_answered(user, "OPTIONS", "contoso.com");
        }
        self.is_answered(carol, "MESSAGE", "carol@contoso.com");
    }

    fn is_answered(&mut self, place: usize, method: &str, to: &str) {
        let Some(user) = self.users.get(place) else { return };
        assert!(user.client.is_established(), "{} at {} is not served", user.name, user.epid);
        let draft = user.plain(method, to, 9);
        self.events.clear();
        self.client(place, client::Input::Send(&draft));
        self.deliver();
        let is_success = |event: &ClientEvent| {
            let ClientEvent::Verified(octets) = event else { return false };
            Message::parse(octets, &Limits::NONE).is_ok_and(|message| message.status() == Some(200))
        };
        assert!(self.events.iter().any(is_success), "{:?}", self.events);
    }
}

/// More than one message can lead to: copies for all endpoints, their ends, and an answer.
const MOST_ANSWERS: usize = 4 * (ASSOCIATIONS + 1);

fn sent(outputs: &[Output]) -> impl Iterator<Item = &[u8]> {
    outputs.iter().filter_map(|output| match output {
        Output::Send(_, octets) => Some(octets.as_slice()),
        Output::Close(_) | Output::Event(_) => None,
    })
}

fn read(octets: &[u8]) -> Message<'_> {
    Message::parse(octets, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{error}"))
}

fn is_signed(message: &Message<'_>) -> bool {
    HeaderName::SIGNATURES.iter().any(|name| message.count(*name) != 0)
}

/// A success, a request that is forwarded, or anything that is signed: who makes the server send one is taken for
/// somebody.
fn is_accepted(octets: &[u8]) -> bool {
    let message = read(octets);
    is_signed(&message) || message.status().is_none_or(|status| (200..300).contains(&status))
}

/// What time alone makes a server send.
fn ends_a_transaction(octets: &[u8]) -> bool {
    let message = read(octets);
    is_signed(&message)
        && message.status().map_or(message.method() == Some(b"CANCEL"), |status| 300 <= status)
}

/// Octets of a stranger, and then what comes of the rest.
#[must_use]
pub fn strange(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
    let begin = [0, 0, Step::Connect as u8, 0, Step::Octets as u8, 0];
    [&begin[..], &length, octets, &[Step::Register as u8, 0, Step::SayAgain as u8, 2, 0, 0, 0, 0]].concat()
}

/// What the fuzzer starts from, by name.
#[must_use]
pub fn programs() -> Vec<(&'static str, Vec<u8>)> {
    const REGISTER: u8 = Step::Register as u8;
    const SEND: u8 = Step::Send as u8;
    const AGAIN: u8 = Step::SayAgain as u8;
    const ALTER: u8 = Step::Alter as u8;
    const WAIT: u8 = Step::Wait as u8;
    vec![
        ("message", vec![2, 0, REGISTER, 0, REGISTER, 2, SEND, 0, 1, 2, 0, 3]),
        ("call-with-identity", vec![2, 0, REGISTER, 0, REGISTER, 2, SEND, 0, 2, 2, 0, 1]),
        ("call-to-two", vec![1, 1, REGISTER, 0, REGISTER, 1, REGISTER, 2, SEND, 2, 2, 1, 0, 0]),
        ("wrong-password", vec![0, 0, REGISTER, 3, REGISTER, 0]),
        ("replayed", vec![2, 0, REGISTER, 0, SEND, 0, 0, 0, 0, 0, AGAIN, 1, 4, 0, 0, 0]),
        ("handshake-replayed", vec![0, 0, REGISTER, 0, Step::Connect as u8, 0, AGAIN, 1, 0, 0, 0, 0]),
        ("altered", vec![2, 0, REGISTER, 0, ALTER, 0, 1, 44, 1, SEND, 0, 0, 0, 0, 0]),
        ("altered-handshake", vec![1, 0, ALTER, 4, 0, 200, 1, REGISTER, 0]),
        (
            "answer-lost",
            vec![2, 0, REGISTER, 0, REGISTER, 2, Step::Lose as u8, 2, SEND, 0, 2, 2, 0, 0, WAIT, 2],
        ),
        ("expired", vec![2, 0, REGISTER, 0, WAIT, 4, SEND, 0, 1, 2, 0, 0, Step::Tick as u8, 0]),
        ("gone", vec![2, 0, REGISTER, 0, Step::Unregister as u8, 0, Step::Disconnect as u8, 4]),
        ("moved", vec![2, 0, REGISTER, 0, Step::Reconnect as u8, 0, SEND, 0, 1, 1, 0, 0]),
    ]
}

#[cfg(test)]
mod tests {
    use sipae::defects::{Defect, Defects};

    use super::*;

    fn played(config: ServerConfig, program: &[u8]) -> Play {
        let mut play = Play::new(config);
        play.steps(&mut Choices::new(program));
        play
    }

    /// What the fuzzer starts from must get to forwarding, or it will never see it.
    #[test]
    fn a_message_is_forwarded_and_its_answer_relayed() {
        for version in Version::ALL {
            let programs = programs();
            let (_, program) = programs.iter().find(|(name, _)| *name == "message").expect("a program");
            let play = played(small_server(version), &program[2..]);
            assert_eq!((play.server.established(), play.server.pending()), (2, 0));
            let verified = play.events.iter().filter(|event| matches!(event, ClientEvent::Verified(_)));
            assert_eq!(verified.count(), 2, "{:?}", play.events);
        }
    }

    #[test]
    fn a_message_that_is_said_again_is_accepted_once() {
        let play =
            played(small_server(Version::V4), &[Step::Register as u8, 0, Step::Send as u8, 0, 0, 0, 0, 0]);
        let request = play.said.len() - 2;
        let message = read(&play.said[request]);
        assert!(message.method() == Some(b"OPTIONS") && play.claims.of(&message).is_empty());
    }

    const REGISTER: [u8; 2] = [Step::Register as u8, 0];
    const BOB: [u8; 2] = [Step::Register as u8, 2];
    const OPTIONS: [u8; 6] = [Step::Send as u8, 0, 0, 0, 0, 0];
    const MESSAGE: [u8; 6] = [Step::Send as u8, 0, 1, 2, 0, 0];

    /// That many messages ago, over the connection of alice.
    const fn again(ago: u8) -> [u8; 6] {
        [Step::SayAgain as u8, ago, 4, 0, 0, 0]
    }

    fn is_found(defect: Defect, program: &[&[u8]]) -> bool {
        let config = || ServerConfig { defects: Defects::only(defect), ..small_server(Version::V4) };
        let program = program.concat();
        std::panic::catch_unwind(|| played(config(), &program).ends_well()).is_err()
    }

    #[test]
    fn a_server_that_believes_too_much_is_found() {
        let found: [(Defect, &[&[u8]]); 6] = [
            (Defect::AcceptsBareRequest, &[&REGISTER]),
            (Defect::AcceptsUnsignedInAssociation, &[&REGISTER, &again(5)]),
            (Defect::AcceptsReplay, &[&REGISTER, &OPTIONS, &again(1)]),
            (Defect::KeepsFinishedHandshake, &[&REGISTER, &again(1)]),
            (Defect::DeliversReplay, &[&REGISTER, &BOB, &MESSAGE, &again(3)]),
            (Defect::DropsSigned, &[]),
        ];
        for (defect, program) in found {
            assert!(is_found(defect, program), "{defect:?}");
            assert!(!is_found(Defect::ChallengeWithoutDate, program), "{defect:?}");
        }
    }

    #[test]
    fn a_server_that_believes_a_changed_message_is_found() {
        let altered = |place: u16| {
            let [high, low] = place.to_be_bytes();
            [Step::Alter as u8, 0, high, low, 1]
        };
        for defect in [Defect::AcceptsForgedSignature, Defect::AcceptsUnknownOpaque] {
            let is_found = |place| is_found(defect, &[&REGISTER, &altered(place), &OPTIONS]);
            assert!((0..600).step_by(3).any(is_found), "{defect:?}");
        }
    }

    #[test]
    fn every_program_holds_the_invariants() {
        for (_, program) in programs() {
            server_sequence(&program);
        }
        server_sequence(&strange(crate::sample::REGISTER));
    }
}
