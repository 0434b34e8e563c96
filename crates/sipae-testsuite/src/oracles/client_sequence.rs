//! The reference client before a server that says anything in any order: [`Client`](sipae::client::Client).

use std::collections::VecDeque;
use std::time::Duration;

use sipae::auth::AuthHeader;
use sipae::client::{ClientEvent, Input, Output};
use sipae::clock::Time;
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, MessageStream};
use sipae::server::{self, ConnectionId, Server, ServerConfig, ServerEvent};
use sipae::side::Side;
use sipae::version::Version;

use super::claims::{Claim, Claims};
use super::octets::{Change, Choices};
use super::user::{User, small_server};
use crate::conversation::{Counted, NOW};

/// The octets are what happens: wishes of the user, answers of a right server that arrive late, changed, twice or never,
/// answers that anybody could write, octets, time. The client believes nothing that its server has not signed for it,
/// sends no more than it is asked, comes to rest by itself, and in the end it is served.
pub fn client_sequence(data: &[u8]) {
    let mut choices = Choices::new(data);
    let version = choices.among(&Version::ALL).unwrap_or(Version::V4);
    let mut play = Play::new(version);
    for _ in 0..STEPS {
        let Some(step) = choices.among_or_end(&Step::ALL) else { break };
        play.step(step, &mut choices);
    }
    play.ends_well();
}

/// Steps that are taken: what comes behind them would show nothing new and takes time.
const STEPS: usize = 96;

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register,
    Unregister,
    Send,
    Deliver,
    DeliverAll,
    Lose,
    SayAgain,
    Octets,
    Forge,
    Wait,
    Reconnect,
    Forget,
    Called,
}

impl Step {
    const ALL: [Self; 13] = [
        Self::Register,
        Self::Unregister,
        Self::Send,
        Self::Deliver,
        Self::DeliverAll,
        Self::Lose,
        Self::SayAgain,
        Self::Octets,
        Self::Forge,
        Self::Wait,
        Self::Reconnect,
        Self::Forget,
        Self::Called,
    ];
}

/// What lies between the timers of a client.
const WAITS: [u64; 5] = [1, 60, 20 * 60, 2 * 60 * 60, 8 * 60 * 60];

const STATUSES: [u16; 9] = [401, 407, 200, 100, 180, 202, 302, 403, 500];

/// The REGISTERs of a handshake, and one more where it follows the loss of an association.
const HANDSHAKE: usize = 4;

struct Play {
    config: ServerConfig,
    server: Server,
    now: Time,
    entropy: Counted,
    /// Who is tested.
    alice: User,
    /// What she has to read; `None` when she has closed the connection.
    stream: Option<MessageStream>,
    connected: u64,
    bob: User,
    claims: Claims,
    /// What the server has sent and nobody has delivered.
    arrived: VecDeque<Vec<u8>>,
    /// Everything that alice or the server has sent.
    said: Vec<Vec<u8>>,
    /// The requests of alice.
    requests: Vec<Vec<u8>>,
    /// REGISTERs since somebody asked for something, or an association was established.
    unasked: usize,
    is_known: bool,
    /// The longest input so far.
    longest: usize,
    events: Vec<ClientEvent>,
}

impl Play {
    fn new(version: Version) -> Self {
        let config = small_server(version);
        let user = |name, epid, at| User::new(name, epid, name, ConnectionId(at));
        let (alice, bob) = (user("alice", "a1", 11), user("bob", "b1", 12));
        let (arrived, said, requests, unasked, is_known, longest, events) = Default::default();
        let mut play = Self {
            server: Server::new(config.clone()),
            config,
            now: NOW,
            entropy: Counted(1),
            stream: Some(MessageStream::new(Limits::DEFAULT)),
            connected: 20,
            alice,
            bob,
            claims: Claims::new(Side::Server, version),
            arrived,
            said,
            requests,
            unasked,
            is_known,
            longest,
            events,
        };
        play.server(server::Input::Connected(play.alice.at));
        play.server(server::Input::Connected(play.bob.at));
        play
    }

    fn step(&mut self, step: Step, choices: &mut Choices<'_>) {
        self.events.clear();
        match step {
            Step::Register => self.wish(Input::Register),
            Step::Unregister => self.wish(Input::Unregister),
            Step::Send => {
                let draft = self.alice.request(choices);
                self.wish(Input::Send(&draft));
            }
            Step::Deliver => {
                if let Some(octets) = self.arrived.pop_front() {
                    self.say(octets, choices.change());
                }
            }
            Step::DeliverAll => self.deliver(),
            Step::Lose => drop(self.arrived.pop_front()),
            Step::SayAgain => {
                let place = choices.number().checked_rem(self.said.len());
                let octets = place.and_then(|place| self.said.iter().rev().nth(place)).cloned();
                self.say(octets.unwrap_or_default(), choices.change());
            }
            Step::Octets => self.receive(choices.octets()),
            Step::Forge => self.forge(choices),
            Step::Wait => self.wait(choices.among(&WAITS).unwrap_or_default()),
            Step::Reconnect => self.reconnect(),
            Step::Forget => self.forget(),
            Step::Called => self.called(choices),
        }
    }

    fn say(&mut self, mut octets: Vec<u8>, change: Change) {
        change.apply(&mut octets);
        self.receive(&octets);
    }

    /// Until nobody has anything to say.
    fn deliver(&mut self) {
        let mut messages = 0;
        while let Some(octets) = self.arrived.pop_front() {
            messages += 1;
            assert!(messages < 1000, "nobody stops");
            self.receive(&octets);
        }
    }

    /// An answer to a request of hers with any status, and with the lines that somebody has written to her before.
    fn forge(&mut self, choices: &mut Choices<'_>) {
        let status = choices.among(&STATUSES).unwrap_or(200);
        let place = choices.number().checked_rem(self.requests.len());
        let request = place.and_then(|place| self.requests.iter().rev().nth(place)).cloned();
        let place = choices.number().checked_rem(self.said.len());
        let model = place.and_then(|place| self.said.iter().rev().nth(place)).cloned();
        let (Some(request), Some(model)) = (request, model) else { return };
        let mut draft = Draft::response_to(&read(&request), status, "forged");
        for name in HeaderName::CHALLENGES.into_iter().chain(HeaderName::SIGNATURES) {
            read(&model).all(name).for_each(|value| draft.push(name, value.raw()));
        }
        self.say(draft.close().to_octets(), choices.change());
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.server(server::Input::Tick);
        self.wish(Input::Tick);
    }

    fn reconnect(&mut self) {
        self.server(server::Input::Disconnected(self.alice.at));
        self.connected += 1;
        self.alice.at = ConnectionId(self.connected);
        self.server(server::Input::Connected(self.alice.at));
        self.arrived.clear();
        self.stream = Some(MessageStream::new(Limits::DEFAULT));
        self.wish(Input::Reconnected);
    }

    /// The server starts again and knows nobody.
    fn forget(&mut self) {
        self.server = Server::new(self.config.clone());
        self.server(server::Input::Connected(self.alice.at));
        self.server(server::Input::Connected(self.bob.at));
    }

    /// bob sends her something through the server, for which he registers where he must.
    fn called(&mut self, choices: &mut Choices<'_>) {
        let draft = self.bob.request(choices);
        self.bob(Input::Register);
        self.bob(Input::Send(&draft));
    }

    fn bob(&mut self, input: Input<'_>) {
        for output in self.bob.handle(input, self.now) {
            if let Output::Send(octets) = output {
                self.server(server::Input::Received(self.bob.at, &octets));
            }
        }
    }

    /// What reaches alice is kept; what reaches bob he answers.
    fn server(&mut self, input: server::Input<'_>) {
        for output in self.server.handle(input, self.now, &mut self.entropy) {
            match output {
                server::Output::Send(connection, octets) if connection == self.alice.at => {
                    self.claims.add(&octets, "server");
                    self.said.push(octets.clone());
                    self.arrived.push_back(octets);
                }
                server::Output::Send(_, octets) => self.bob(Input::Received(&octets)),
                server::Output::Event(ServerEvent::Established { user, .. }) if user == "alice" => {
                    self.claims.clear();
                }
                server::Output::Close(connection) if connection == self.alice.at => self.arrived.clear(),
                server::Output::Close(_) | server::Output::Event(_) => {}
            }
        }
    }

    /// Something that may lead to one message.
    fn wish(&mut self, input: Input<'_>) {
        self.unasked = 0;
        let outputs = self.alice.handle(input, self.now);
        assert!(sent(&outputs).count() <= 1, "{outputs:?}");
        assert!(!outputs.iter().any(is_believed), "{outputs:?}");
        self.take(outputs);
    }

    fn receive(&mut self, octets: &[u8]) {
        self.longest = self.longest.max(octets.len());
        let (messages, claims) = self.read(octets);
        let outputs = self.alice.handle(Input::Received(octets), self.now);
        assert_eq!(outputs.contains(&Output::Close), messages.is_some() && self.stream.is_none());
        assert!(sent(&outputs).count() <= messages.unwrap_or(0), "{outputs:?}");
        assert!(outputs.len() <= messages.map_or(0, |messages| 4 * messages + 2), "{outputs:?}");
        for output in outputs.iter().filter(|output| is_believed(output)) {
            assert!(!claims.is_empty(), "{outputs:?}");
            if let Output::Event(ClientEvent::Verified(octets)) = output {
                assert!(!self.claims.of(&read(octets)).is_empty(), "{outputs:?}");
            }
        }
        if outputs.iter().filter(|output| is_believed(output)).count() == claims.len() {
            self.claims.believed(&claims);
        }
        self.take(outputs);
    }

    /// How many messages there are for her, and what is right and new in them. None after she has closed.
    fn read(&mut self, octets: &[u8]) -> (Option<usize>, Vec<(Claim, &'static str)>) {
        let mut claims = Vec::new();
        let Some(mut stream) = self.stream.take() else { return (None, claims) };
        stream.push(octets);
        let mut messages = 0;
        loop {
            match stream.next_message() {
                Ok(Some(message)) => {
                    messages += 1;
                    claims.extend(self.claims.of(&message));
                }
                Ok(None) => break,
                Err(_) => return (Some(messages), claims),
            }
        }
        self.stream = Some(stream);
        (Some(messages), claims)
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(octets) => {
                    self.is_sent_rightly(&octets);
                    self.said.push(octets.clone());
                    self.server(server::Input::Received(self.alice.at, &octets));
                }
                Output::Close => {}
                Output::Event(event) => {
                    if matches!(event, ClientEvent::Established { .. }) {
                        (self.unasked, self.is_known) = (0, true);
                    }
                    self.events.push(event);
                }
            }
        }
    }

    /// Before there is an association nothing is sent but REGISTER; no other message is ever sent unsigned, and none is
    /// much longer than what somebody has said to her.
    fn is_sent_rightly(&mut self, octets: &[u8]) {
        let message = read(octets);
        let is_register = message.method() == Some(b"REGISTER");
        let mut lines = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
        let is_signed = lines
            .any(|line| matches!(AuthHeader::read(line).signature(Side::Client.signature()), Ok(Some(_))));
        assert!(is_register || self.is_known && is_signed, "{message:?}");
        assert!(octets.len() <= 4096 + 4 * self.longest, "{} octets", octets.len());
        if is_register {
            self.unasked += 1;
            assert!(self.unasked <= HANDSHAKE, "nobody has asked for {message:?}");
        }
        if message.is_request() {
            self.requests.push(octets.to_vec());
        }
    }

    /// The server is right from now on, and she is served.
    fn ends_well(mut self) {
        self.reconnect();
        self.wish(Input::Register);
        self.deliver();
        assert!(self.alice.client.is_established(), "alice is not served");
        let draft = self.alice.plain("OPTIONS", "contoso.com", 9);
        self.events.clear();
        self.wish(Input::Send(&draft));
        self.deliver();
        let is_success = |event: &ClientEvent| matches!(event, ClientEvent::Verified(octets) if read(octets).status() == Some(200));
        assert!(self.events.iter().any(is_success), "{:?}", self.events);
    }
}

fn sent(outputs: &[Output]) -> impl Iterator<Item = &Output> {
    outputs.iter().filter(|output| matches!(output, Output::Send(_)))
}

const fn is_believed(output: &Output) -> bool {
    matches!(output, Output::Event(ClientEvent::Established { .. } | ClientEvent::Verified(_)))
}

fn read(octets: &[u8]) -> Message<'_> {
    Message::parse(octets, &Limits::NONE).unwrap_or_else(|error| panic!("{error}"))
}

/// Octets of a server before the client has authenticated and after it.
#[must_use]
pub fn strange(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
    let said = [&[Step::Octets as u8][..], &length, octets].concat();
    let begin = [0, Step::Register as u8];
    [&begin[..], &said, &[Step::Reconnect as u8, Step::Register as u8, Step::DeliverAll as u8], &said]
        .concat()
}

/// What the fuzzer starts from, by name.
#[must_use]
pub fn programs() -> Vec<(&'static str, Vec<u8>)> {
    const REGISTER: u8 = Step::Register as u8;
    const ALL: u8 = Step::DeliverAll as u8;
    const SEND: u8 = Step::Send as u8;
    const DELIVER: u8 = Step::Deliver as u8;
    const FORGE: u8 = Step::Forge as u8;
    const AGAIN: u8 = Step::SayAgain as u8;
    vec![
        ("register-and-send", vec![2, REGISTER, ALL, SEND, 0, 0, 0, 0, ALL]),
        ("called", vec![2, REGISTER, ALL, Step::Called as u8, 2, 1, 0, 0, ALL]),
        ("unregister", vec![1, REGISTER, ALL, Step::Unregister as u8, ALL]),
        ("unregister-early", vec![0, REGISTER, Step::Unregister as u8, ALL]),
        (
            "unregister-late",
            vec![0, REGISTER, DELIVER, 0, 0, 0, DELIVER, 0, 0, 0, Step::Unregister as u8, ALL],
        ),
        ("forgotten", vec![2, REGISTER, ALL, Step::Forget as u8, SEND, 0, 0, 0, 0, ALL]),
        ("refreshed", vec![2, REGISTER, ALL, Step::Wait as u8, 3, ALL, Step::Wait as u8, 4, ALL]),
        ("said-again", vec![2, REGISTER, ALL, SEND, 0, 0, 0, 0, ALL, AGAIN, 0, 0, 0, 0]),
        ("altered", vec![2, REGISTER, ALL, SEND, 0, 0, 0, 0, DELIVER, 0, 90, 1]),
        ("altered-challenge", vec![1, REGISTER, DELIVER, 0, 0, 0, DELIVER, 1, 44, 1]),
        ("forged-challenge", vec![2, REGISTER, ALL, SEND, 1, 2, 0, 0, FORGE, 0, 0, 8, 0, 0, 0, ALL]),
        ("forged-success", vec![2, REGISTER, ALL, SEND, 1, 2, 0, 0, FORGE, 2, 0, 1, 0, 0, 0, ALL]),
        ("challenged-forever", vec![0, REGISTER, FORGE, 0, 0, 0, 0, 0, 0, FORGE, 0, 0, 0, 0, 0, 0]),
        (
            "lost-answer",
            vec![2, REGISTER, DELIVER, 0, 0, 0, Step::Lose as u8, Step::Reconnect as u8, REGISTER, ALL],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(program: &[u8]) -> Play {
        let mut play = Play::new(Version::V4);
        let mut choices = Choices::new(program);
        while let Some(step) = choices.among_or_end(&Step::ALL) {
            play.step(step, &mut choices);
        }
        play
    }

    /// What the fuzzer starts from must get to the signed part, or it will never see it.
    #[test]
    fn alice_registers_and_is_called() {
        let play = played(&[Step::Register as u8, Step::DeliverAll as u8, Step::Called as u8, 1, 1, 0, 0]);
        assert!(play.alice.client.is_established());
        let methods: Vec<_> =
            play.arrived.iter().map(|octets| read(octets).method().map(<[u8]>::to_vec)).collect();
        assert_eq!(methods, [Some(b"MESSAGE".to_vec())]);
        assert!(!play.claims.of(&read(&play.arrived[0])).is_empty());
    }

    #[test]
    fn every_program_holds_the_invariants() {
        for (_, program) in programs() {
            client_sequence(&program);
        }
        client_sequence(&strange(b"SIP/2.0 200 OK\r\n\r\n"));
    }
}
