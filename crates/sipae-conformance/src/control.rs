//! The control channel: a target that the suite starts itself, and whose clock it sets.

pub mod protocol;

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sipae::client::{Standing, Stimulus};
use sipae_net::{Program, ProgramError};

use crate::profile::TimerDurations;
use protocol::{Answer, Ask, Hello, PROTOCOL, Reply, Request};

/// How long each answer may take, the first one included: a target starts within this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a target cannot be controlled: one line that names the program.
#[derive(Debug, thiserror::Error)]
#[error("{program} {problem}")]
pub struct ControlError {
    program: String,
    problem: Problem,
}

impl ControlError {
    /// Whether there is no such program, which is a fault of whoever named it.
    #[must_use]
    pub const fn is_wrong_command(&self) -> bool {
        matches!(self.problem, Problem::Program(ProgramError::Start(_)))
    }
}

/// Texts fit behind the name of the program.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("says {0}, which is no answer on the control channel")]
    Garbage(String),
    #[error("answers with an error: {0}")]
    Refused(String),
    #[error("speaks version {0} of the control channel, this is version {PROTOCOL}")]
    Version(u32),
    #[error("says that it listens at {0}, which is no IP address with a port")]
    Address(String),
    #[error("has not answered before")]
    Lost,
    #[error("does not say where it listens, and the target has port 0")]
    NoAddress,
}

/// A target that was started by the suite, ended when this is dropped.
#[derive(Debug)]
pub struct Control {
    name: String,
    address: Option<SocketAddr>,
    durations: TimerDurations,
    can_advance: bool,
    can_tell: bool,
    stimuli: Vec<Stimulus>,
    /// Milliseconds that the clock of the target was set forward by.
    ahead: AtomicU64,
    channel: Mutex<Channel>,
}

/// The lines of a program. What went wrong once stays wrong: an answer that is late would be taken for that to the next
/// request.
#[derive(Debug)]
struct Channel {
    program: Program,
    asked: u64,
    broken: Option<String>,
    /// No answer came, or none to what was asked: what comes later is an answer to nothing.
    is_lost: bool,
}

impl Control {
    /// Starts the program of the first word with the others as its arguments, and exchanges hellos. A target that can
    /// forget what it remembers of earlier runs does so.
    ///
    /// # Errors
    /// When the program cannot be started, or does not speak on the control channel.
    pub fn start(words: &[String]) -> Result<Self, ControlError> {
        let name = words.first().cloned().unwrap_or_default();
        let started = Program::start(words).map_err(Problem::from);
        let greeted = started.and_then(|program| Self::greet(&name, program));
        greeted.map_err(|problem| ControlError { program: name, problem })
    }

    /// The same of a client, with variables of its environment; the end of its standard error is kept.
    ///
    /// # Errors
    /// When the program cannot be started, or does not speak on the control channel.
    pub fn start_client(words: &[String], environment: &[(String, String)]) -> Result<Self, ControlError> {
        let name = words.first().cloned().unwrap_or_default();
        let started = Program::start_with(words, environment).map_err(Problem::from);
        let greeted = started.and_then(|program| Self::greet(&name, program));
        greeted.map_err(|problem| ControlError { program: name, problem })
    }

    fn greet(name: &str, program: Program) -> Result<Self, Problem> {
        let mut channel = Channel { program, asked: 0, broken: None, is_lost: false };
        let hello = match channel.exchange(Ask::Hello { protocol: PROTOCOL })? {
            Answer::Hello(hello) if hello.protocol == PROTOCOL => hello,
            Answer::Hello(hello) => return Err(Problem::Version(hello.protocol)),
            other => return Err(Problem::Garbage(quoted(&shown(&other)))),
        };
        let can = |what: &str| hello.can.iter().any(|can| can == what);
        if can("reset") {
            channel.done(Ask::Reset {})?;
        }
        let can_advance = can("advance");
        Ok(Self {
            name: name.to_owned(),
            address: address(&hello)?,
            durations: durations(&hello, can_advance),
            can_advance,
            can_tell: can("standing"),
            stimuli: stimuli(&hello),
            ahead: AtomicU64::new(0),
            channel: Mutex::new(channel),
        })
    }

    /// What a client can be made to do.
    #[must_use]
    pub fn stimuli(&self) -> &[Stimulus] {
        &self.stimuli
    }

    /// Makes a client do something.
    ///
    /// # Errors
    /// Why it does not.
    pub fn act(&self, number: u64, stimulus: Stimulus) -> Result<(), String> {
        let mut channel = self.channel();
        let ask = Ask::Do { what: stimulus.name().to_owned(), number };
        channel.done(ask).map_err(|problem| format!("{} {problem}", self.name))
    }

    /// What a client would tell its user; `None` where it does not say so.
    pub fn standing(&self) -> Option<Standing> {
        let mut channel = self.channel();
        match channel.exchange(Ask::Standing {}) {
            Ok(Answer::Standing(told)) if self.can_tell => Some(told.into()),
            _ => None,
        }
    }

    /// How the program has ended, if it has within `patience`.
    pub fn ended(&self, patience: Duration) -> Option<(ExitStatus, String)> {
        self.channel().program.ended(patience)
    }

    /// Nothing is said to the program any more.
    pub fn end_input(&self) {
        self.channel().program.end_input();
    }

    /// Ends the program by force, without waiting for it.
    pub fn kill(&self) {
        self.channel().program.kill();
    }

    /// Where the target listens, if it says so.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Whether the target can be found.
    ///
    /// # Errors
    /// When only the target itself could say where it listens, and does not.
    pub fn check_address(&self, is_needed: bool) -> Result<(), ControlError> {
        if is_needed && self.address.is_none() {
            return Err(ControlError { program: self.name.clone(), problem: Problem::NoAddress });
        }
        Ok(())
    }

    /// How long its timers are, as far as it says so and a run has the time.
    #[must_use]
    pub const fn durations(&self) -> TimerDurations {
        self.durations
    }

    /// Whether the clock of the target can be set.
    #[must_use]
    pub const fn can_advance(&self) -> bool {
        self.can_advance
    }

    /// Lets so much time pass for the target at once.
    ///
    /// # Errors
    /// When the target does not do it, or has not done something before.
    pub fn advance(&self, time: Duration) -> Result<(), String> {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut channel = self.channel();
        if channel.broken.is_none() {
            channel.broken =
                channel.done(Ask::Advance { ms }).err().map(|problem| format!("{} {problem}", self.name));
        }
        match &channel.broken {
            Some(problem) => Err(problem.clone()),
            None => {
                self.ahead.fetch_add(ms, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// How far the clock of the target is before that of this machine.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// Why nothing can be asked any more.
    #[must_use]
    pub fn broken(&self) -> Option<String> {
        self.channel().broken.clone()
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        // A thread that panicked left a request without its answer at worst, and then the numbers differ.
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn exchange(&mut self, ask: Ask) -> Result<Answer, Problem> {
        if self.is_lost {
            return Err(Problem::Lost);
        }
        let answer = self.answer(ask);
        self.is_lost = answer.as_ref().is_err_and(|problem| !matches!(problem, Problem::Refused(_)));
        answer
    }

    fn answer(&mut self, ask: Ask) -> Result<Answer, Problem> {
        self.asked += 1;
        let request = Request { id: self.asked, ask };
        let line = serde_json::to_string(&request).map_err(|error| Problem::Garbage(error.to_string()))?;
        self.program.say(&line)?;
        let line = self.program.hear(PATIENCE)?;
        match serde_json::from_str(&line) {
            Ok(Reply { id: Some(id), answer: Answer::Error(problem) }) if id == request.id => {
                Err(Problem::Refused(quoted(&problem)))
            }
            Ok(Reply { id: Some(id), answer }) if id == request.id => Ok(answer),
            _ => Err(Problem::Garbage(quoted(&line))),
        }
    }

    fn done(&mut self, ask: Ask) -> Result<(), Problem> {
        match self.exchange(ask)? {
            Answer::Ok(true) => Ok(()),
            other => Err(Problem::Garbage(quoted(&shown(&other)))),
        }
    }
}

/// Those that are known: a later version may have more.
fn stimuli(hello: &Hello) -> Vec<Stimulus> {
    let can_do = hello.can.iter().any(|can| can == "do");
    let known = hello.stimuli.iter().filter(|_| can_do).filter_map(|name| Stimulus::from_name(name));
    known.collect()
}

fn address(hello: &Hello) -> Result<Option<SocketAddr>, Problem> {
    let read = |text: &String| match text.parse::<SocketAddr>() {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(Problem::Address(quoted(text))),
    };
    hello.address.as_ref().map(read).transpose()
}

/// Hours are waited for by a clock that can be set alone.
fn durations(hello: &Hello, can_advance: bool) -> TimerDurations {
    let durations = TimerDurations::from(hello.durations);
    if can_advance { durations } else { durations.that_can_be_waited_for() }
}

/// What was said, in one line that fits into an error.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

fn shown(answer: &Answer) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}
