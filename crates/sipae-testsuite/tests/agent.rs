//! The reference user agent at the reference server, with a second user to write to and to call.

use std::collections::VecDeque;

use sipae::client::{Standing, Stimulus};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Message, StartLine};
use sipae::server::{ConnectionId, Input, ServerConfig};
use sipae::version::Version;
use sipae_net::{Act, AgentObject, ClientAct, ClientObject, ReferenceObject, ServerObject};
use sipae_testsuite::conversation::NOW;
use sipae_testsuite::room::{CONNECTIONS, Phone, Room, config, read, shown};

/// The connections of each client at the server begin there.
const FIRST: [u64; 2] = [100, 200];
const ALICE: usize = 0;
const BOB: usize = 1;

/// What happens to one of the clients.
enum Happening {
    Octets(ConnectionId, Vec<u8>),
    Closed(ConnectionId),
}

/// A server, two clients, and what has gone between them.
struct Town {
    server: ReferenceObject,
    clients: [AgentObject; 2],
    /// What is on its way to the clients.
    on_the_way: VecDeque<(usize, Happening)>,
    /// What each client has sent.
    sent: [Vec<Vec<u8>>; 2],
    /// Whether alice's requests reach the server.
    is_held: bool,
    asked: u64,
}

fn client(user: &str, epid: &str, seed: u64) -> AgentObject {
    let address = format!("{user}@contoso.com");
    let config = sipae::client::ClientConfig {
        epid: epid.to_owned(),
        host: format!("{epid}.invalid"),
        ..sipae::client::ClientConfig::new(user, "CONTOSO", &format!("{user}-secret"), &address)
    };
    AgentObject::new(config, seed)
}

impl Town {
    fn new(config: ServerConfig) -> Self {
        Self {
            server: ReferenceObject::new(config, 1),
            clients: [client("alice", "a1", 2), client("bob", "b1", 3)],
            on_the_way: VecDeque::new(),
            sent: [Vec::new(), Vec::new()],
            is_held: false,
            asked: 0,
        }
    }

    fn with_both() -> Self {
        let mut town = Self::new(config(Version::V4));
        for who in [ALICE, BOB] {
            let acts = town.clients[who].start(NOW);
            town.happens(who, acts);
        }
        town
    }

    fn ask(&mut self, who: usize, stimulus: Stimulus) -> u64 {
        self.asked += 1;
        let acts = self.clients[who].act(self.asked, stimulus, NOW);
        self.happens(who, acts);
        self.asked
    }

    fn outcome(&mut self, stimulus: Stimulus) -> Option<u16> {
        let number = self.ask(ALICE, stimulus);
        self.standing().outcomes.get(&number).copied()
    }

    fn standing(&self) -> Standing {
        self.clients[ALICE].standing().expect("it tells")
    }

    /// Lets everything happen that follows.
    fn happens(&mut self, who: usize, acts: Vec<ClientAct>) {
        acts.into_iter().for_each(|act| self.client_acts(who, act));
        while let Some((who, what)) = self.on_the_way.pop_front() {
            let client = &mut self.clients[who];
            let acts = match what {
                Happening::Octets(connection, octets) => client.receive(connection, &octets, NOW),
                Happening::Closed(connection) => client.disconnect(connection, NOW),
            };
            acts.into_iter().for_each(|act| self.client_acts(who, act));
        }
    }

    fn client_acts(&mut self, who: usize, act: ClientAct) {
        let at_server = |connection: ConnectionId| ConnectionId(FIRST[who] + connection.0);
        let acts = match act {
            ClientAct::Connect(connection) => self.server.connect(at_server(connection), NOW),
            ClientAct::Close(connection) => self.server.disconnect(at_server(connection), NOW),
            ClientAct::Send(connection, octets) => {
                self.sent[who].push(octets.clone());
                if self.is_held {
                    return;
                }
                self.server.receive(at_server(connection), &octets, NOW)
            }
        };
        acts.into_iter().for_each(|act| self.server_acts(act));
    }

    fn server_acts(&mut self, act: Act) {
        let whose = |at_server: ConnectionId| {
            let who = usize::from(FIRST[BOB] <= at_server.0);
            (who, ConnectionId(at_server.0 - FIRST[who]))
        };
        self.on_the_way.push_back(match act {
            Act::Send(connection, octets) => {
                let (who, connection) = whose(connection);
                (who, Happening::Octets(connection, octets))
            }
            Act::Close(connection) => {
                let (who, connection) = whose(connection);
                (who, Happening::Closed(connection))
            }
        });
    }

    /// A message comes to alice that the server has not sent.
    fn forge(&mut self, draft: &Draft) {
        self.on_the_way.push_back((ALICE, Happening::Octets(ConnectionId(1), draft.to_octets())));
        self.happens(ALICE, Vec::new());
    }

    /// What alice has sent of that method.
    fn sent(&self, method: &str) -> Vec<Message<'_>> {
        let messages = self.sent[ALICE].iter().map(|octets| read(octets));
        messages.filter(|message| message.method() == Some(method.as_bytes())).collect()
    }
}

fn is_signed(message: &Message<'_>) -> bool {
    HeaderName::CREDENTIALS
        .into_iter()
        .any(|name| message.first(name).is_some_and(|credential| credential.to_text().contains("response=")))
}

/// The server has forgotten alice: what it says to her request.
fn challenge(request: &Message<'_>) -> Draft {
    let line = "NTLM realm=\"SIP Communications Service\", targetname=\"server.contoso.com\", version=4";
    Draft::response_to(request, 401, "lost").with(HeaderName::WwwAuthenticate, line).close()
}

#[test]
fn a_client_that_is_started_registers() {
    let mut town = Town::with_both();
    assert_eq!(town.standing(), Standing { registered: true, ..Standing::default() });
    assert_eq!(town.outcome(Stimulus::Register), Some(200));
}

#[test]
fn a_wrong_password_is_a_failure() {
    let mut town = Town::new(config(Version::V4));
    let config = sipae::client::ClientConfig::new("alice", "CONTOSO", "wrong", "alice@contoso.com");
    town.clients[ALICE] = AgentObject::new(config, 4);
    let acts = town.clients[ALICE].start(NOW);
    town.happens(ALICE, acts);
    assert_eq!(town.standing(), Standing { failed: true, ..Standing::default() });
}

#[test]
fn requests_outside_a_dialog_have_the_outcome_that_was_signed() {
    let mut town = Town::with_both();
    for (stimulus, status) in [
        (Stimulus::Message, 200),
        (Stimulus::Options, 200),
        (Stimulus::Subscribe, 200),
        (Stimulus::Invite, 486),
    ] {
        assert_eq!(town.outcome(stimulus), Some(status), "{stimulus}");
    }
}

/// "The ACK of a 2xx and each CANCEL are signed as messages of their own" (SIPAE-3.2.4.1-31); so is that of a failure.
#[test]
fn a_refused_call_is_acknowledged_in_its_transaction() {
    let mut town = Town::with_both();
    assert_eq!(town.outcome(Stimulus::Invite), Some(486));
    let (invites, acks) = (town.sent("INVITE"), town.sent("ACK"));
    let ([invite], [ack]) = (invites.as_slice(), acks.as_slice()) else { panic!("one of each") };
    assert_eq!(invite.branch(), ack.branch());
    assert!(is_signed(ack));
    assert!(ack.to().expect("To").tag.is_some());
}

#[test]
fn a_client_that_unregisters_is_not_registered_any_more() {
    let mut town = Town::with_both();
    assert_eq!(town.outcome(Stimulus::Unregister), Some(200));
    assert!(!town.standing().registered);
    assert_eq!(town.outcome(Stimulus::Message), None);
    assert_eq!(town.outcome(Stimulus::Register), Some(200));
    assert!(town.standing().registered);
}

#[test]
fn before_a_registration_nothing_is_sent_but_register() {
    for stimulus in Stimulus::ALL {
        let mut town = Town::with_both();
        town.clients[ALICE] = client("alice", "a2", 5);
        town.sent[ALICE].clear();
        town.is_held = true;
        assert_eq!(town.outcome(stimulus), None, "{stimulus}");
        let others = town.sent[ALICE].len() - town.sent("REGISTER").len();
        assert_eq!(others, 0, "{stimulus}");
    }
}

/// "A 401/407 to a request signed with an established SA means the server lost the SA" (SIPAE-3.2.5.1-22).
#[test]
fn what_a_challenge_has_answered_is_sent_once_more() {
    for stimulus in [Stimulus::Message, Stimulus::Options, Stimulus::Subscribe, Stimulus::Invite] {
        let mut town = Town::with_both();
        town.is_held = true;
        let number = town.ask(ALICE, stimulus);
        town.is_held = false;
        let lost = challenge(&town.sent(stimulus.method())[0]);
        town.forge(&lost);
        let sent = town.sent(stimulus.method());
        let [first, second] = sent.as_slice() else { panic!("{} of {stimulus}", sent.len()) };
        assert_eq!(first.call_id(), second.call_id());
        assert_eq!(second.cseq().expect("CSeq").number, b"2");
        assert_ne!(first.branch(), second.branch());
        assert!(is_signed(second) && town.standing().registered);
        assert!(town.standing().outcomes.contains_key(&number), "{stimulus}");
        // A challenge to the second one ends it.
        let (count, lost) = (sent.len(), challenge(second));
        town.forge(&lost);
        assert_eq!(town.sent(stimulus.method()).len(), count);
    }
}

/// "ACK for the 401/407 to an INVITE is sent, before or with the new INVITE" (SIPAE-3.2.5.1-27).
#[test]
fn a_challenge_to_an_invite_is_acknowledged_and_one_to_a_cancel_is_not_answered() {
    let mut town = Town::with_both();
    town.is_held = true;
    town.ask(ALICE, Stimulus::Invite);
    town.ask(ALICE, Stimulus::Cancel);
    let cancels = town.sent("CANCEL");
    let [cancel] = cancels.as_slice() else { panic!("{} CANCEL", cancels.len()) };
    assert!(is_signed(cancel));
    assert_eq!(cancel.branch(), town.sent("INVITE")[0].branch());
    let (to_cancel, to_invite) = (challenge(cancel), challenge(&town.sent("INVITE")[0]));
    let before = town.sent[ALICE].len();
    town.forge(&to_cancel);
    assert_eq!(town.sent[ALICE].len(), before, "{}", shown(&town.sent[ALICE][before - 1]));
    town.is_held = false;
    town.forge(&to_invite);
    let (invites, acks) = (town.sent("INVITE"), town.sent("ACK"));
    // Who has given up the call does not begin it again.
    assert_eq!((invites.len(), acks.len()), (1, 1));
    assert_eq!(invites[0].branch(), acks[0].branch());
    assert!(town.standing().registered);
}

/// alice's phone and bob, who answers by hand.
struct Call {
    room: Room,
    alice: AgentObject,
    bob: Phone,
    /// What alice has sent.
    sent: Vec<Vec<u8>>,
    asked: u64,
}

impl Call {
    fn new() -> Self {
        let mut room = Room::at(Version::V4);
        let bob = room.register("bob", "b1", CONNECTIONS[1]);
        let mut call = Self { room, alice: client("alice", "a1", 2), bob, sent: Vec::new(), asked: 0 };
        let acts = call.alice.start(NOW);
        call.happens(acts);
        call
    }

    /// alice is at the first connection.
    fn happens(&mut self, acts: Vec<ClientAct>) {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            let ClientAct::Send(connection, octets) = act else { continue };
            assert_eq!(connection, CONNECTIONS[0]);
            self.room.handle(Input::Received(connection, &octets));
            self.sent.push(octets);
            acts.extend(self.heard());
        }
    }

    fn heard(&mut self) -> Vec<ClientAct> {
        let arrived = self.room.take_at(CONNECTIONS[0]);
        arrived.iter().flat_map(|octets| self.alice.receive(CONNECTIONS[0], octets, NOW)).collect()
    }

    /// What bob gets of it.
    fn ask(&mut self, stimulus: Stimulus) -> Vec<u8> {
        self.asked += 1;
        let acts = self.alice.act(self.asked, stimulus, NOW);
        self.happens(acts);
        self.room.signed(&mut self.bob)
    }

    fn bob_answers(&mut self, request: &[u8], status: u16) {
        let answer = self.bob.signed_answer(request, status);
        self.room.send(&self.bob, &answer);
        let acts = self.heard();
        self.happens(acts);
    }

    fn outcome(&self) -> Option<u16> {
        self.alice.standing()?.outcomes.get(&self.asked).copied()
    }

    fn last(&self) -> Message<'_> {
        read(self.sent.last().expect("something"))
    }
}

#[test]
fn a_call_is_acknowledged_referred_and_ended_in_its_dialog() {
    let mut call = Call::new();
    let invite = call.ask(Stimulus::Invite);
    call.bob_answers(&invite, 180);
    assert_eq!(call.outcome(), None);
    call.bob_answers(&invite, 200);
    assert_eq!(call.outcome(), Some(200));
    let ack = call.room.signed(&mut call.bob);
    assert_eq!(read(&ack).method(), Some(&b"ACK"[..]));
    for (stimulus, number) in [(Stimulus::Refer, &b"2"[..]), (Stimulus::Bye, &b"3"[..])] {
        let request = call.ask(stimulus);
        let sent = call.last();
        assert!(matches!(sent.start_line(), StartLine::Request { uri: b"sip:bob@b1.invalid", .. }));
        assert_eq!(sent.cseq().expect("CSeq").number, number);
        assert!(sent.to().expect("To").tag.is_some() && is_signed(&sent));
        assert_eq!(sent.count(HeaderName::ReferredBy), usize::from(stimulus == Stimulus::Refer));
        call.bob_answers(&request, 200);
        assert_eq!(call.outcome(), Some(200), "{stimulus}");
    }
}

/// The ACK of a success is a request of its own: new branch, to the Contact, signed (SIPAE-3.2.4.1-31).
#[test]
fn the_ack_of_a_success_is_a_request_of_its_own() {
    let mut call = Call::new();
    let invite = call.ask(Stimulus::Invite);
    let branch = call.last().branch().map(<[u8]>::to_vec);
    call.bob_answers(&invite, 200);
    let ack = call.last();
    assert!(matches!(ack.start_line(), StartLine::Request { method: b"ACK", uri: b"sip:bob@b1.invalid" }));
    assert!(is_signed(&ack) && ack.branch().map(<[u8]>::to_vec) != branch);
    assert_eq!(ack.cseq().expect("CSeq").number, b"1");
}

#[test]
fn a_cancelled_call_has_two_outcomes() {
    let mut call = Call::new();
    let invite = call.ask(Stimulus::Invite);
    let cancel = call.ask(Stimulus::Cancel);
    assert_eq!(call.outcome(), Some(200));
    assert_eq!(read(&cancel).method(), Some(&b"CANCEL"[..]));
    call.bob_answers(&cancel, 200);
    call.bob_answers(&invite, 487);
    assert_eq!(call.alice.standing().expect("it tells").outcomes.get(&1), Some(&487));
}
