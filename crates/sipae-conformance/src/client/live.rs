//! Clients that are programs, or that somebody starts by hand: they connect to a socket of the suite, or speak SIP over
//! their standard input and output.

use std::collections::{HashSet, VecDeque};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdin, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sipae::client::{Standing, Stimulus};
use sipae::clock::Time;
use sipae::server::ConnectionId;
use sipae_gen::Mode;
use sipae_net::{
    Arrival, Arrived, ClientExit, ClientWire, Errors, Happened, Listening, PipeWire, Process, ServerIdentity,
    Wire, WireError, system_time, told,
};

use super::connector::ClientConnector;
use crate::control::Control;
use crate::profile::Profile;
use crate::target::Command;

/// The number of what makes a client that is kept connect again: no script gets that far.
const AGAIN: u64 = u64::MAX;

/// How long a program whose connection has ended may take to end itself, so that both are told at once.
const AFTER_LAST_WORDS: Duration = Duration::from_millis(200);

/// How long a client whose conversation is over may take to crash.
const PARTING: Duration = Duration::from_millis(100);

/// SIGPIPE.
const BROKEN_PIPE: i32 = 13;

/// How soon a client notices that its connection is closed.
const MOMENT: Duration = Duration::from_millis(30);

/// How soon a client that is made to register sends its first request.
const SOON: Duration = Duration::from_millis(300);

/// How often somebody looks whether a program still runs that is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// What a client is told when it is started.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    values: Vec<(&'static str, String)>,
}

impl Facts {
    pub(crate) fn new(profile: &Profile, transport: &str) -> Self {
        let Profile { user, client, .. } = profile;
        let conference = profile.conference();
        let values = vec![
            ("conference", conference.map(|conference| conference.uri.clone()).unwrap_or_default()),
            ("pin", conference.map(|conference| conference.key.clone()).unwrap_or_default()),
            ("user", user.user.clone()),
            ("password", user.password.clone()),
            ("domain", user.domain.clone()),
            ("address", user.address.clone()),
            ("realm", client.realm.clone()),
            ("server", client.host.clone()),
            ("transport", transport.to_owned()),
        ];
        Self { values }
    }

    fn with(&self, mode: Mode, at: Option<std::net::SocketAddr>) -> Self {
        let mut values = self.values.clone();
        values.push(("scheme", mode.scheme.name().to_owned()));
        values.push(("version", mode.version.number().to_string()));
        if let Some(at) = at {
            values.push(("host", at.ip().to_string()));
            values.push(("port", at.port().to_string()));
        }
        Self { values }
    }

    /// The words of a command, with a value for each name in braces. What is no name stays as it is, and so does what
    /// stands in a value.
    fn words(&self, command: &Command) -> Vec<String> {
        command.words().iter().map(|word| self.filled(word)).collect()
    }

    fn filled(&self, word: &str) -> String {
        let (mut filled, mut rest) = (String::new(), word);
        while let Some((before, from)) = rest.find('{').map(|place| rest.split_at(place)) {
            let named = self.values.iter().find_map(|(name, value)| {
                let behind = from.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?;
                Some((value.as_str(), behind))
            });
            let (value, behind) = named.unwrap_or_else(|| from.split_at(1));
            filled.extend([before, value]);
            rest = behind;
        }
        filled + rest
    }

    /// The same values as variables: `SIPAE_PORT`.
    fn environment(&self) -> Vec<(String, String)> {
        let variable =
            |(name, value): &(&str, String)| (format!("SIPAE_{}", name.to_uppercase()), value.clone());
        self.values.iter().map(variable).collect()
    }
}

/// To clients that connect to a socket of the suite.
pub(crate) struct Sockets {
    pub(crate) address: String,
    /// One that stays open from one conversation to the next; a new one for each where it is absent.
    pub(crate) listener: Option<TcpListener>,
    pub(crate) identity: Option<ServerIdentity>,
    pub(crate) command: Option<Command>,
    pub(crate) facts: Facts,
    pub(crate) is_controlled: bool,
    pub(crate) crash_codes: Vec<i32>,
    /// How many conversations one program has, one after the other.
    pub(crate) conversations: u32,
    /// Programs that have had some, and can have more.
    pub(crate) kept: Arc<Mutex<Vec<Kept>>>,
}

/// A program between two conversations.
pub(crate) struct Kept {
    mode: Mode,
    listener: TcpListener,
    started: Started,
    /// How many conversations it may still have.
    left: u32,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sockets({})", self.address)
    }
}

impl Sockets {
    /// A program that can have another conversation. Nobody has one with those of another mode any more, nor with those
    /// that have ended meanwhile.
    fn take_kept(&self, mode: Mode, fresh: bool) -> Option<Kept> {
        let mut kept = lock(&self.kept);
        kept.retain_mut(|kept| kept.mode == mode && kept.started.ended(Duration::ZERO).is_none());
        if fresh { None } else { kept.pop() }
    }
}

impl ClientConnector for Sockets {
    fn wire(&self, mode: Mode, _: u64, fresh: bool) -> Result<Box<dyn ClientWire>, String> {
        let kept = self.take_kept(mode, fresh);
        let bound = match (&kept, &self.listener) {
            (Some(kept), _) => kept.listener.try_clone(),
            (None, Some(listener)) => listener.try_clone(),
            (None, None) => TcpListener::bind(&self.address),
        };
        let failed = |error| format!("cannot listen at {}: {error}", self.address);
        let listener = bound.map_err(failed)?;
        let again = listener.try_clone().map_err(failed)?;
        let listening = Listening::at(listener, self.identity.clone()).map_err(failed)?;
        let facts = self.facts.with(mode, Some(listening.address()));
        let start = self.command.as_ref().map(|command| Start {
            words: facts.words(command),
            environment: facts.environment(),
            is_controlled: self.is_controlled,
        });
        let left = kept.as_ref().map_or(self.conversations, |kept| kept.left).saturating_sub(1);
        let later = Later { mode, listener: again, left, kept: Arc::clone(&self.kept) };
        let (started, crash_codes) = (kept.map(|kept| kept.started), self.crash_codes.clone());
        let before = started.as_ref().map(Started::written).unwrap_or_default();
        let live = Live {
            listening: Some(listening),
            start,
            started,
            before,
            done: VecDeque::new(),
            is_good: false,
            has_closed: false,
            closed: HashSet::new(),
            crash_codes,
            later: (0 < left).then_some(later),
        };
        Ok(Box::new(live))
    }

    fn most_at_once(&self) -> usize {
        if self.listener.is_some() { 1 } else { usize::MAX }
    }

    fn notes(&self) -> Vec<String> {
        let waits = self.command.is_none();
        waits.then(|| format!("clients connect to {}", self.address)).into_iter().collect()
    }
}

/// How a client is started.
struct Start {
    words: Vec<String>,
    environment: Vec<(String, String)>,
    is_controlled: bool,
}

/// A client that runs.
enum Started {
    /// One that only writes; its standard input is open as long as it runs.
    Free(Process, Option<ChildStdin>),
    /// One that does what it is told.
    Controlled(Box<Control>),
}

impl Started {
    fn by(start: &Start) -> Result<Self, String> {
        if start.is_controlled {
            let control = Control::start_client(&start.words, &start.environment);
            return control
                .map(|control| Self::Controlled(Box::new(control)))
                .map_err(|error| error.to_string());
        }
        let program = start.words.first().cloned().unwrap_or_default();
        let started = Process::start_with(&start.words, &start.environment, Errors::Keep);
        let mut process = started.map_err(|error| format!("{program} {error}"))?;
        process.keep_output().map_err(|error| format!("{program} cannot be read: {error}"))?;
        let input = process.take_input();
        Ok(Self::Free(process, input))
    }

    /// How much it has written to its standard output, where that is not the control channel.
    fn written(&self) -> u64 {
        match self {
            Self::Free(process, _) => process.written(),
            Self::Controlled(_) => 0,
        }
    }

    /// What it has written behind that.
    fn output_behind(&self, written: u64) -> String {
        match self {
            Self::Free(process, _) => process.output_behind(written),
            Self::Controlled(_) => String::new(),
        }
    }

    fn end_input(&mut self) {
        match self {
            Self::Free(_, input) => *input = None,
            Self::Controlled(control) => control.end_input(),
        }
    }

    fn ended(&mut self, patience: Duration) -> Option<(ExitStatus, String)> {
        match self {
            Self::Free(process, _) => process.wait(patience).map(|status| (status, process.errors())),
            Self::Controlled(control) => control.ended(patience),
        }
    }
}

impl Drop for Started {
    /// A client that is not needed any more has nothing to say farewell to.
    fn drop(&mut self) {
        match self {
            Self::Free(process, _) => drop(process.end()),
            Self::Controlled(control) => control.kill(),
        }
    }
}

/// What comes of a program when its conversation is over.
struct Later {
    mode: Mode,
    listener: TcpListener,
    left: u32,
    kept: Arc<Mutex<Vec<Kept>>>,
}

/// A client on a socket.
struct Live {
    /// Until it ends.
    listening: Option<Listening>,
    start: Option<Start>,
    started: Option<Started>,
    /// How much it had written before this conversation.
    before: u64,
    /// What it has done while it was made to connect again.
    done: VecDeque<(ConnectionId, Happened)>,
    /// Whether its conversation was good enough for another one.
    is_good: bool,
    /// Whether it has closed a connection, and may be about to end.
    has_closed: bool,
    /// What the suite has closed, as long as that was not heard.
    closed: HashSet<ConnectionId>,
    crash_codes: Vec<i32>,
    /// Where it has other conversations behind this one.
    later: Option<Later>,
}

fn lock(kept: &Mutex<Vec<Kept>>) -> MutexGuard<'_, Vec<Kept>> {
    // Each change is whole.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Live {
    /// A client that is kept finds its connections closed, and connects again.
    fn drop(&mut self) {
        drop(self.listening.take());
        let (Some(later), Some(mut started)) = (self.later.take(), self.started.take()) else { return };
        if self.is_good && started.ended(Duration::ZERO).is_none() {
            let Later { mode, listener, left, kept } = later;
            lock(&kept).push(Kept { mode, listener, started, left });
        }
    }
}

fn exit(ended: (ExitStatus, String), crash_codes: &[i32]) -> ClientExit {
    let (status, errors) = ended;
    let is_crash = status.code().is_none_or(|code| crash_codes.contains(&code));
    ClientExit { how: told(status), is_crash, code: status.code(), errors }
}

impl Live {
    /// A client that has not noticed yet that its connection is closed would say what it has to say over that: it has a
    /// moment, and is told again where nothing comes.
    fn begin_again(&mut self) -> Result<(), String> {
        const TIMES: u64 = 5;
        let mut speaks = self.speaks_within(MOMENT);
        for time in 0..TIMES {
            if speaks {
                return Ok(());
            }
            self.act(AGAIN - time, Stimulus::Register)?;
            speaks = self.speaks_within(SOON);
        }
        match speaks {
            true => Ok(()),
            false => Err("have another conversation with a client that does not register again".to_owned()),
        }
    }

    /// Whether something comes over a connection; what happens meanwhile is not lost.
    fn speaks_within(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let Some(listening) = &mut self.listening else { return false };
        while let Some(happened) = listening.receive(until.saturating_duration_since(Instant::now())) {
            let speaks = matches!(happened.1, Happened::Arrived(Arrived::Octets(_)));
            self.done.push_back(happened);
            if speaks {
                return true;
            }
        }
        false
    }

    fn control(&self) -> Option<&Control> {
        match &self.started {
            Some(Started::Controlled(control)) => Some(control),
            _ => None,
        }
    }
}

impl ClientWire for Live {
    /// One that is there already connects by itself, or is made to register.
    fn start(&mut self) -> Result<(), WireError> {
        if self.started.is_none() {
            self.started = self.start.as_ref().map(Started::by).transpose().map_err(WireError::Settings)?;
        } else if self.stimuli().contains(&Stimulus::Register) {
            self.begin_again().map_err(WireError::Settings)?;
        }
        Ok(())
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        let listening = self.listening.as_mut().ok_or(WireError::NotConnected(connection))?;
        listening.send(connection, octets)
    }

    fn keep(&mut self) {
        self.is_good = true;
    }

    fn receive(&mut self, patience: Duration) -> Option<(ConnectionId, Happened)> {
        if let Some(happened) = self.done.pop_front() {
            return Some(happened);
        }
        let (until, mut is_last) = (Instant::now() + patience, false);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if let Some(happened) = self.listening.as_mut()?.receive(left.min(LOOK)) {
                let is_end = |what: &Arrived| matches!(what, Arrived::Closed | Arrived::Reset);
                self.has_closed |= matches!(&happened.1, Happened::Arrived(what) if is_end(what))
                    && !self.closed.remove(&happened.0);
                return Some(happened);
            }
            if left <= LOOK || is_last {
                return None;
            }
            // What it said last may still be on its way.
            is_last = self.started.as_mut().is_some_and(|started| started.ended(Duration::ZERO).is_some());
        }
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        if let Some(listening) = &mut self.listening {
            listening.disconnect(connection);
            self.closed.insert(connection);
        }
    }

    fn now(&self) -> Time {
        system_time().plus(self.control().map(Control::ahead).unwrap_or_default())
    }

    fn advance(&mut self, time: Duration) -> bool {
        let control = self.control().filter(|control| control.can_advance());
        control.is_some_and(|control| control.advance(time).is_ok())
    }

    fn stimuli(&self) -> Vec<Stimulus> {
        self.control().map(|control| control.stimuli().to_vec()).unwrap_or_default()
    }

    fn act(&mut self, number: u64, stimulus: Stimulus) -> Result<(), String> {
        match self.control() {
            Some(control) => control.act(number, stimulus),
            None => Err(format!("nobody can make the client {stimulus}")),
        }
    }

    fn is_told(&self) -> bool {
        self.control().is_some()
    }

    fn standing(&mut self) -> Option<Standing> {
        self.control().and_then(Control::standing)
    }

    fn output(&self) -> String {
        self.started.as_ref().map(|started| started.output_behind(self.before)).unwrap_or_default()
    }

    /// An exit code tells nothing then, since the suite has closed everything, and no more does a broken pipe.
    fn over(&mut self) -> Option<ClientExit> {
        drop(self.listening.take());
        let started = self.started.as_mut()?;
        let patience = if self.later.is_some() {
            // It is to come again.
            MOMENT
        } else {
            started.end_input();
            PARTING
        };
        let (status, errors) = started.ended(patience)?;
        let is_crash = status.signal().is_some_and(|signal| signal != BROKEN_PIPE);
        is_crash.then(|| ClientExit { how: told(status), is_crash, code: None, errors })
    }

    fn end(&mut self) -> Option<ClientExit> {
        let patience = if self.has_closed { AFTER_LAST_WORDS } else { Duration::ZERO };
        self.has_closed = false;
        let ended = self.started.as_mut()?.ended(patience)?;
        Some(exit(ended, &self.crash_codes))
    }
}

/// To clients that speak SIP over their standard input and output.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) command: Command,
    pub(crate) facts: Facts,
    pub(crate) crash_codes: Vec<i32>,
}

impl ClientConnector for Pipes {
    fn wire(&self, mode: Mode, _: u64, _: bool) -> Result<Box<dyn ClientWire>, String> {
        let facts = self.facts.with(mode, None);
        let wire = PipeWire::new(&facts.words(&self.command)).with_environment(facts.environment());
        let crash_codes = self.crash_codes.clone();
        Ok(Box::new(Piped { wire, connection: None, started: None, is_closed: false, crash_codes }))
    }
}

/// A client behind a pipe: its only connection is there when it is started.
struct Piped {
    wire: PipeWire,
    connection: Option<ConnectionId>,
    /// Until it is told.
    started: Option<ConnectionId>,
    /// Nothing comes any more.
    is_closed: bool,
    crash_codes: Vec<i32>,
}

impl ClientWire for Piped {
    fn start(&mut self) -> Result<(), WireError> {
        self.connection = Some(self.wire.connect()?);
        self.started = self.connection;
        Ok(())
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        self.wire.send(connection, octets)
    }

    fn receive(&mut self, patience: Duration) -> Option<(ConnectionId, Happened)> {
        if let Some(connection) = self.started.take() {
            return Some((connection, Happened::Connected));
        }
        if self.is_closed {
            return None;
        }
        let Arrival { connection, what } = self.wire.receive(patience)?;
        self.is_closed = matches!(what, Arrived::Closed | Arrived::Reset);
        Some((connection, Happened::Arrived(what)))
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.wire.disconnect(connection);
    }

    fn now(&self) -> Time {
        self.wire.now()
    }

    /// What it writes to its standard error: its standard output is SIP.
    fn output(&self) -> String {
        let errors = self.connection.and_then(|connection| self.wire.errors(connection));
        let last = || self.wire.ends().noted().into_iter().next().map(|end| end.errors);
        errors.or_else(last).unwrap_or_default()
    }

    /// Its end takes a moment to be known.
    fn over(&mut self) -> Option<ClientExit> {
        let until = Instant::now() + MOMENT;
        loop {
            match self.end().filter(|end| end.is_crash) {
                None if Instant::now() < until => std::thread::sleep(MOMENT / 10),
                crash => return crash,
            }
        }
    }

    /// One that says nothing any more has ended, whether it still runs or not.
    fn end(&mut self) -> Option<ClientExit> {
        self.wire.look();
        if let Some(end) = self.wire.ends().noted().into_iter().next() {
            let is_crash = end.is_crash || end.code.is_some_and(|code| self.crash_codes.contains(&code));
            return Some(ClientExit { how: end.how, is_crash, code: end.code, errors: end.errors });
        }
        let how = "it has closed its standard output".to_owned();
        self.is_closed.then(|| ClientExit { how, is_crash: false, code: None, errors: String::new() })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Values are put in once: what stands in one is no name.
    #[rstest]
    #[case("{port}", "4711")]
    #[case("tcp://{host}:{port}/", "tcp://127.0.0.1:4711/")]
    #[case("{password}", "p{port}w")]
    #[case("{nothing} {", "{nothing} {")]
    #[case("{{port}}", "{4711}")]
    #[case("ü{port}ü", "ü4711ü")]
    fn words_have_values_in_place_of_names(#[case] word: &str, #[case] expected: &str) {
        let values = [("password", "p{port}w"), ("host", "127.0.0.1"), ("port", "4711")];
        let values = values.map(|(name, value)| (name, value.to_owned())).to_vec();
        assert_eq!(Facts { values }.filled(word), expected);
    }
}
