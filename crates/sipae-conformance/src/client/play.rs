//! Playing scripts to a client.

mod send;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae::client::{Standing, Stimulus};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, MessageStream, StartLine};
use sipae::server::ConnectionId;
use sipae_events::{CaseFinished, Direction, Exchanged};
use sipae_gen::{Awaited, Label, Mode, Service, Turn};
use sipae_net::{Arrived, ClientExit, ClientWire, Happened, SeededEntropy};

use super::home::{Class, Home, HomeConfig, Read, Under};
use super::pace::{ClientPace, Haste};
use super::seen::{Conversation, Heard, Reply, Sent};
use crate::edits::Broken;
use crate::execute::LIMITS;
use crate::reaction::Signature;

/// Requests of a client that one conversation listens to; a flood ends there.
const REQUESTS: usize = 2000;
/// Octets that one conversation listens to.
const OCTETS: usize = 16 * 1024 * 1024;
/// Connections that one script serves.
const CONNECTIONS: u32 = 64;
/// How a handshake of TLS begins.
const TLS: [u8; 2] = [22, 3];

/// What a conversation with a client needs.
pub(crate) struct ClientStage {
    pub(crate) wire: Box<dyn ClientWire>,
    pub(crate) home: Arc<HomeConfig>,
    pub(crate) mode: Mode,
    pub(crate) pace: Arc<ClientPace>,
    pub(crate) haste: Haste,
    /// The method that the client is known to answer.
    pub(crate) fence: Option<String>,
    /// The methods of requests that it answers well.
    pub(crate) methods: Vec<String>,
    /// What the output of the client says of its standing, where it cannot be asked.
    pub(crate) tells: Arc<dyn Tells>,
    pub(crate) seed: u64,
}

/// Reads the standing of a client out of what it writes, and how it ends.
pub(crate) trait Tells: Send + Sync {
    /// `None` where nobody can know.
    fn standing(&self, output: &str, end: Option<&ClientExit>) -> Option<Standing>;
}

/// A message of the suite.
#[derive(Clone, Debug, Default)]
struct Outgoing {
    draft: Draft,
    patches: Vec<(Vec<u8>, Vec<u8>)>,
    before: Vec<u8>,
    /// Where it goes: over the connection of the request that it answers.
    connection: Option<ConnectionId>,
    /// Call-ID and CSeq of a request, by which its answers are known.
    key: Option<(Vec<u8>, Vec<u8>)>,
}

struct Link {
    number: u32,
    stream: MessageStream,
    is_open: bool,
    has_spoken: bool,
}

/// A conversation under way.
pub(crate) struct Player {
    stage: ClientStage,
    entropy: SeededEntropy,
    home: Home,
    links: BTreeMap<ConnectionId, Link>,
    /// Connections that failed in their handshake.
    without_tls: u32,
    /// Over which the client spoke last.
    current: Option<ConnectionId>,
    messages: BTreeMap<Label, Outgoing>,
    /// Connections of requests that were heard.
    heard_on: Vec<ConnectionId>,
    waiting: Option<Awaited>,
    /// The place of the request that was waited for.
    caught: Option<usize>,
    seen: Conversation,
    octets: usize,
    requests: usize,
    /// Requests that were optional and have not come.
    missed: BTreeSet<Label>,
    stimuli: u64,
    fences: u32,
    last_sent: Option<Instant>,
    /// When the last message went out.
    put_at: Option<Instant>,
    has_started: bool,
    /// Whether it is known that nothing is to come: nothing has happened since that was waited for.
    is_quiet: bool,
    /// Whether the script has begun to count numbers, which nobody else may use then.
    is_counting: bool,
}

impl Player {
    pub(crate) fn new(stage: ClientStage) -> Self {
        let home = Home::new(Arc::clone(&stage.home), stage.mode);
        let seen = Conversation::new(stage.mode, stage.seed);
        Self {
            entropy: SeededEntropy::new(stage.seed),
            home,
            links: BTreeMap::new(),
            without_tls: 0,
            current: None,
            messages: BTreeMap::new(),
            heard_on: Vec::new(),
            waiting: None,
            caught: None,
            seen,
            octets: 0,
            requests: 0,
            missed: BTreeSet::new(),
            stimuli: 0,
            fences: 0,
            last_sent: None,
            put_at: None,
            has_started: false,
            is_quiet: false,
            is_counting: false,
            stage,
        }
    }

    /// What the client can be made to do.
    pub(crate) fn stimuli(&self) -> Vec<Stimulus> {
        self.stage.wire.stimuli()
    }

    /// Whether it can be asked what it would tell its user.
    pub(crate) fn is_told(&self) -> bool {
        self.stage.wire.is_told()
    }

    /// Whether its clock can be set.
    pub(crate) fn has_clock(&mut self) -> bool {
        self.stage.wire.advance(Duration::ZERO)
    }

    /// From now on silence is believed soon.
    pub(crate) fn hurried(mut self) -> Self {
        self.stage.haste = Haste::Brisk;
        self
    }

    /// Whether what it does not do is known at once.
    pub(crate) fn is_exact(&self) -> bool {
        self.stage.wire.is_exact()
    }

    /// How the client has ended, if it has done so by itself.
    pub(crate) fn end(&mut self) -> Option<ClientExit> {
        self.stage.wire.end()
    }

    /// The client may have another conversation behind this one.
    pub(crate) fn keep(&mut self) {
        self.stage.wire.keep();
    }

    /// The crash of a client whose conversation is over.
    pub(crate) fn over(&mut self) -> Option<ClientExit> {
        self.stage.wire.over()
    }

    /// The crash of a client that has crashed.
    pub(crate) fn crash(&mut self) -> Option<ClientExit> {
        self.stage.wire.end().filter(|end| end.is_crash)
    }

    /// The method that fences are made of.
    pub(crate) fn set_fence(&mut self, method: &str) {
        self.stage.fence = Some(method.to_owned());
    }

    /// The methods of requests that it answers well.
    pub(crate) fn set_methods(&mut self, methods: &[String]) {
        self.stage.methods = methods.to_vec();
    }

    /// Whether the client is there, with an association, and nothing has broken down.
    pub(crate) fn is_usable(&mut self) -> bool {
        let is_open = self.current.is_some_and(|current| self.is_open(current));
        is_open && self.home.is_established() && self.stage.wire.end().is_none() && !self.seen.flooded
    }

    /// The same conversation, if it can go on.
    pub(crate) fn if_usable(mut self) -> Option<Self> {
        self.is_usable().then_some(self)
    }

    /// Plays a script, and tells what was seen meanwhile.
    pub(crate) fn play(&mut self, service: &Service) -> Conversation {
        self.home.kind = service.challenge_kind();
        self.messages.clear();
        self.missed.clear();
        // The bounds are those of one script.
        (self.octets, self.requests) = (0, 0);
        self.is_counting = false;
        self.seen.is_established = self.home.is_established();
        let mut broken = self.start();
        if broken.is_ok() {
            broken = service.turns.iter().try_for_each(|turn| {
                if self.seen.flooded {
                    return Err("the client floods".to_owned());
                }
                if let Some(crash) = self.stage.wire.end().filter(|end| end.is_crash) {
                    return Err(ended(&crash));
                }
                self.turn(turn)
            });
        }
        self.look();
        self.seen.broken = broken.err();
        self.seen.end = self.stage.wire.end();
        self.seen.is_exact = self.stage.wire.is_exact();
        let mut next = Conversation::new(self.stage.mode, self.stage.seed);
        next.flooded = self.seen.flooded;
        self.heard_on.clear();
        (self.waiting, self.caught) = (None, None);
        std::mem::replace(&mut self.seen, next)
    }

    fn start(&mut self) -> Result<(), Broken> {
        if std::mem::replace(&mut self.has_started, true) {
            return Ok(());
        }
        self.stage.wire.start().map_err(|error| format!("cannot {error}"))
    }

    fn turn(&mut self, turn: &Turn) -> Result<(), Broken> {
        match turn {
            Turn::Await { message, what, optional } => self.wait_for(message, what, *optional),
            // What need not come need not be answered.
            Turn::Respond { to, .. } if self.missed.contains(to) => Ok(()),
            Turn::Respond { message, to, status, form } => self.respond(message, to, *status, *form),
            Turn::Request { message, method } => {
                let method = match method.strip_prefix(Turn::ANSWERED) {
                    Some("") => self.fence_method()?,
                    Some(choice) => self.answered_method(choice)?,
                    None => method.to_owned(),
                };
                let draft = self.home.request(&method, &mut self.entropy);
                self.request(message, draft);
                Ok(())
            }
            Turn::Echo { message, of } => {
                let octets = self.heard_octets(of)?;
                let request = Message::parse(&octets, &Limits::NONE).map_err(|error| error.to_string())?;
                let mut draft = Draft::from_message(&request);
                HeaderName::CREDENTIALS.into_iter().for_each(|name| draft.remove(name));
                self.request(message, draft);
                Ok(())
            }
            Turn::Choose { realm, targetname, opaque, version } => {
                self.home.choose(realm.as_deref(), targetname.as_deref(), opaque.as_deref());
                self.home.mode.version = version.unwrap_or(self.home.mode.version);
                Ok(())
            }
            Turn::Copy { message, of } => {
                let copy = self.message(of)?.clone();
                self.messages.insert(message.clone(), copy);
                Ok(())
            }
            Turn::Sign { message, signing, offset, former } => {
                let under = if *former { Under::Former } else { Under::Last };
                self.sign(message, signing, *offset, under)
            }
            Turn::Skip { numbers } => {
                let sa = self.home.association().ok_or("there is no security association")?;
                (0..*numbers).for_each(|_| sa.skip_number());
                Ok(())
            }
            Turn::Reflect { message, of } => self.reflect(message, of),
            Turn::Edit { message, edit } => self.edit(message, edit),
            Turn::Send { message } if !self.messages.contains_key(message) && !self.missed.is_empty() => {
                Ok(())
            }
            Turn::Send { message } => self.send(message),
            Turn::Answer { message } => {
                self.wait_for_answer(message);
                Ok(())
            }
            Turn::Fence => self.fence(),
            Turn::Serve { message } => self.serve_kept(message),
            Turn::ServeIfAny { message } if self.seen.kept.contains_key(message) => self.serve_kept(message),
            Turn::ServeIfAny { .. } => Ok(()),
            Turn::Do { name, stimulus } => self.make(name, stimulus),
            Turn::Standing { name } => self.standing(name),
            Turn::Elapse { ms } => {
                self.elapse(Duration::from_millis(*ms));
                Ok(())
            }
            Turn::Read => {
                let is_hasty = self.stage.haste == Haste::Brisk && self.stage.fence.is_some();
                if !is_hasty || self.fence().is_err() {
                    self.settle();
                }
                Ok(())
            }
            Turn::Told => {
                self.wait_until_told();
                Ok(())
            }
            Turn::Settle => {
                self.settle();
                Ok(())
            }
            Turn::Forget => {
                self.home.forget();
                Ok(())
            }
            Turn::Disconnect => {
                let current = self.current.take().ok_or("the client has no connection")?;
                self.is_quiet = false;
                // Whoever comes back by itself disturbs nothing.
                self.is_counting = false;
                self.stage.wire.disconnect(current);
                if let Some(link) = self.links.get_mut(&current) {
                    link.is_open = false;
                }
                Ok(())
            }
        }
    }

    fn message(&mut self, label: &Label) -> Result<&mut Outgoing, Broken> {
        self.messages.get_mut(label).ok_or_else(|| format!("the script has no message {label}"))
    }

    fn is_open(&self, connection: ConnectionId) -> bool {
        self.links.get(&connection).is_some_and(|link| link.is_open)
    }

    // What the client does.

    fn happened(&mut self, connection: ConnectionId, happened: Happened) {
        self.is_quiet = false;
        match happened {
            Happened::Connected => self.connected(connection),
            Happened::NoTls(why) => {
                self.seen.connections.opened += 1;
                self.seen.connections.unreadable = Some(format!("no TLS: {why}"));
                self.without_tls += 1;
                self.seen.flooded |= CONNECTIONS < self.without_tls;
            }
            Happened::Arrived(Arrived::Octets(octets)) => self.octets(connection, &octets),
            Happened::Arrived(Arrived::Closed | Arrived::Reset) => {
                if let Some(link) = self.links.get_mut(&connection).filter(|link| link.is_open) {
                    link.is_open = false;
                    self.seen.connections.closed += 1;
                }
            }
        }
    }

    fn connected(&mut self, connection: ConnectionId) {
        let number = u32::try_from(self.links.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.seen.connections.opened += 1;
        if CONNECTIONS < self.seen.connections.opened {
            self.seen.flooded = true;
            return self.stage.wire.disconnect(connection);
        }
        self.links.insert(
            connection,
            Link { number, stream: MessageStream::new(LIMITS), is_open: true, has_spoken: false },
        );
        if !self.current.is_some_and(|current| self.is_open(current)) {
            self.current = Some(connection);
        }
    }

    fn octets(&mut self, connection: ConnectionId, octets: &[u8]) {
        self.octets += octets.len();
        self.seen.flooded |= OCTETS < self.octets;
        let Some(link) = self.links.get_mut(&connection).filter(|link| link.is_open) else { return };
        // Only a connection begins with a handshake; what a body holds later is its own.
        let is_tls = !std::mem::replace(&mut link.has_spoken, true) && octets.starts_with(&TLS);
        link.stream.push(octets);
        let mut stream = std::mem::take(&mut link.stream);
        let unreadable = loop {
            match stream.next_message() {
                _ if is_tls => break Some("a handshake of TLS, for which listen:tls:// is".to_owned()),
                Ok(Some(message)) => self.received(connection, &message),
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
            if self.seen.flooded {
                break None;
            }
        };
        let is_broken = unreadable.is_some();
        if is_broken {
            self.stage.wire.disconnect(connection);
            self.seen.connections.unreadable = unreadable;
        }
        if let Some(link) = self.links.get_mut(&connection) {
            link.stream = stream;
            link.is_open &= !is_broken;
        }
    }

    fn received(&mut self, connection: ConnectionId, message: &Message<'_>) {
        self.log(Direction::Received, connection, name_of(message), message.octets());
        match message.status() {
            Some(status) => self.replied(connection, message, status),
            None => self.requested(connection, message),
        }
    }

    fn replied(&mut self, connection: ConnectionId, message: &Message<'_>, status: u16) {
        let signature = self.home.signature(message);
        let key = key_of_message(message);
        let owner = self.messages.iter().find(|(label, outgoing)| {
            outgoing.key.is_some() && outgoing.key == key && self.seen.sent.contains_key(*label)
        });
        // Copies of a request have its key: the first that was sent and is not answered has the answer.
        let owner = owner.map(|(label, _)| label.clone());
        let label = self.unanswered(key.as_ref()).or(owner);
        let reply = Reply { octets: message.octets().to_vec(), status, signature };
        self.note_bad(&reply.signature, message, "answer");
        if let Some(sent) = label.and_then(|label| self.seen.sent.get_mut(&label)) {
            if let Some(at) = self.last_sent.take() {
                self.stage.pace.measured(at.elapsed());
            }
            sent.replies.push(reply);
        }
        self.current = Some(connection);
    }

    fn unanswered(&self, key: Option<&(Vec<u8>, Vec<u8>)>) -> Option<Label> {
        let is_own = |label: &Label| self.messages.get(label).is_some_and(|own| own.key.as_ref() == key);
        let mut sent: Vec<(&Label, &Sent)> =
            self.seen.sent.iter().filter(|(label, sent)| is_own(label) && sent.answer().is_none()).collect();
        sent.sort_by_key(|(_, sent)| sent.place);
        sent.first().map(|(label, _)| (*label).clone())
    }

    fn requested(&mut self, connection: ConnectionId, message: &Message<'_>) {
        self.current = Some(connection);
        self.requests += 1;
        if REQUESTS < self.requests {
            self.seen.flooded = true;
            return;
        }
        if let Some(at) = self.last_sent.take() {
            self.stage.pace.measured(at.elapsed());
        }
        let now = self.stage.wire.now();
        let read = self.home.read(message, now, &mut self.entropy);
        self.note_bad(
            &read.signature,
            message,
            message.method().map(String::from_utf8_lossy).as_deref().unwrap_or_default(),
        );
        let number = self.links.get(&connection).map_or(0, |link| link.number);
        let is_caught = self.caught.is_none()
            && self.waiting.as_ref().is_some_and(|what| is_awaited(what, &read, message));
        self.seen.heard.push(Heard { octets: message.octets().to_vec(), connection: number, at: now, read });
        self.heard_on.push(connection);
        let place = self.seen.heard.len() - 1;
        if is_caught {
            self.caught = Some(place);
        } else {
            self.seen.disturbed |= self.is_counting;
            // What a good server cannot answer it leaves unanswered.
            let _unanswered = self.serve(place);
        }
    }

    fn note_bad(&mut self, signature: &Signature, message: &Message<'_>, label: &str) {
        const MOST: usize = 8;
        if let Signature::Bad(why) = signature
            && self.seen.signatures.len() < MOST
            && let Some(sa) = self.home.association()
        {
            self.seen.signatures.extend(super::buffers::seen(label, sa, message, why));
        }
    }

    fn log(&mut self, direction: Direction, connection: ConnectionId, label: String, octets: &[u8]) {
        if CaseFinished::MAX_EXCHANGE <= self.seen.exchange.len() {
            self.seen.exchange_left_out += 1;
            return;
        }
        let number = self.links.get(&connection).map_or(0, |link| link.number);
        let exchanged = Exchanged::new(direction, number, label, octets).of("home");
        self.seen.exchange.push(exchanged);
    }
}

fn ended(end: &ClientExit) -> String {
    format!("the client has ended: {}", end.how)
}

/// The method of a request, the status of a response.
fn name_of(message: &Message<'_>) -> String {
    match message.start_line() {
        StartLine::Request { method, .. } => String::from_utf8_lossy(method).into_owned(),
        StartLine::Response { status, .. } => status.to_string(),
    }
}

fn key_of(draft: &Draft) -> Option<(Vec<u8>, Vec<u8>)> {
    draft.read(|message| Ok(key_of_message(message))).ok().flatten()
}

fn key_of_message(message: &Message<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let call_id = message.first(HeaderName::CallId)?.unfolded().into_owned();
    Some((call_id, message.first(HeaderName::CSeq)?.unfolded().into_owned()))
}

fn is_awaited(what: &Awaited, read: &Read, message: &Message<'_>) -> bool {
    if message.method() == Some(b"ACK") {
        return matches!(what, Awaited::Method(method) if method == "ACK");
    }
    match what {
        Awaited::Any => true,
        Awaited::Bare => read.class == Class::Bare,
        Awaited::First => read.is_first,
        Awaited::Flight => read.class == Class::Flight,
        Awaited::Completing => read.class == Class::Completing,
        Awaited::Signed => read.class == Class::Signed,
        Awaited::Refresh => read.class == Class::Signed && message.method() == Some(b"REGISTER"),
        Awaited::Method(method) => message.method() == Some(method.as_bytes()),
    }
}
