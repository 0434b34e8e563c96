//! A wire over the standard input and output of programs.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::{ChildStdin, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::layer::Layer;
use crate::line::{Inbox, Unsent};
use crate::process::{Errors, FAREWELL, Process, told};
use crate::{Arrival, Arrived, Wire, WireError, system_time};

/// How long a program whose standard output has ended may take to end, so that both are told at once. It is told later
/// if it takes longer.
const AFTER_LAST_WORDS: Duration = Duration::from_millis(200);
/// Ends that are noted for one wire: a program that ends badly each time that it is started has nothing new to say.
const MOST_ENDS: usize = 64;

/// Connections each of which is a program that is started for it, and speaks SIP over its standard input and output.
///
/// A connection that is closed ends its standard input; the program then has a second to end by itself, and is ended by
/// force with all that it has started. What it writes to its standard error is kept, the last 16 KiB of it.
///
/// Nothing but the end of its standard output comes over the wire when a program ends. How it has ended is in
/// [`ends`](Wire::ends), if it did so by itself and badly: by a signal, or with an exit code other than 0. It stands
/// there once its [`Arrived::Closed`] is received, or once its connection is disconnected, and still when the wire is
/// gone.
#[derive(Debug)]
pub struct PipeWire {
    words: Vec<String>,
    environment: Vec<(String, String)>,
    connections: HashMap<ConnectionId, Connection>,
    inbox: Inbox,
    ends: Ends,
}

impl PipeWire {
    /// A wire to the program of the first word with the others as its arguments; no shell reads them. Nothing is
    /// started yet.
    #[must_use]
    pub fn new(words: &[String]) -> Self {
        let (connections, ends) = (HashMap::new(), Ends::default());
        Self { words: words.to_vec(), environment: Vec::new(), connections, inbox: Inbox::new(), ends }
    }

    /// The program gets these variables beside its own.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// What the program behind an open connection has written to its standard error, the last 16 KiB of it.
    #[must_use]
    pub fn errors(&self, connection: ConnectionId) -> Option<String> {
        self.connections.get(&connection).map(|open| open.process.errors())
    }

    /// Looks for programs that have ended while somebody whom they started holds their standard output open, and notes
    /// how.
    pub fn look(&mut self) {
        let ended = |(connection, open): (&ConnectionId, &mut Connection)| {
            open.bad_end(Duration::ZERO).map(|end| (*connection, end))
        };
        let ended: Vec<_> = self.connections.iter_mut().filter_map(ended).collect();
        ended.into_iter().for_each(|(connection, end)| self.note(connection, Some(end)));
    }

    fn start(&mut self) -> io::Result<ConnectionId> {
        let mut process = Process::spawn(&self.words, &self.environment, Errors::Keep)?;
        let (input, output) = process.take_input().zip(process.take_output()).ok_or(ErrorKind::BrokenPipe)?;
        let input = Input::new(input)?;
        let connection = self.inbox.listen(Layer::Plain, output)?;
        self.connections.insert(connection, Connection::new(process, input));
        Ok(connection)
    }

    fn note(&self, connection: ConnectionId, end: Option<(ExitStatus, String)>) {
        if let Some((status, errors)) = end {
            let (how, code) = (told(status), status.code());
            self.ends.note(End { connection, how, is_crash: code.is_none(), code, errors });
        }
    }
}

impl Wire for PipeWire {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        let started = self.start();
        let command = || self.words.first().cloned().unwrap_or_default();
        started.map_err(|source| WireError::Start { command: command(), source })
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        let open = self.connections.get_mut(&connection).ok_or(WireError::NotConnected(connection))?;
        open.send(octets).map_err(WireError::Send)
    }

    fn receive(&mut self, patience: Duration) -> Option<Arrival> {
        let arrival = self.inbox.receive(patience)?;
        if matches!(arrival.what, Arrived::Closed | Arrived::Reset) {
            let closed = self.connections.get_mut(&arrival.connection);
            let end = closed.and_then(|closed| closed.bad_end(AFTER_LAST_WORDS));
            self.note(arrival.connection, end);
        }
        Some(arrival)
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        if let Some(closed) = self.connections.remove(&connection) {
            self.note(connection, closed.close());
        }
    }

    fn now(&self) -> Time {
        system_time()
    }

    fn ends(&self) -> Ends {
        self.ends.clone()
    }
}

impl Drop for PipeWire {
    /// All programs hear of it before one is waited for.
    fn drop(&mut self) {
        self.connections.values_mut().for_each(Connection::hang_up);
        let mut open: Vec<ConnectionId> = self.connections.keys().copied().collect();
        open.sort_unstable();
        for connection in open {
            self.disconnect(connection);
        }
    }
}

/// How the programs behind the connections of a wire have ended. Clones share what is noted, and outlive the wire.
#[derive(Clone, Debug, Default)]
pub struct Ends(Arc<Mutex<Vec<End>>>);

impl Ends {
    /// What is noted so far, in the order in which it was noticed: each program at most once, and the first 64 programs
    /// of a wire at most.
    #[must_use]
    pub fn noted(&self) -> Vec<End> {
        self.all_noted().clone()
    }

    pub(crate) fn note(&self, end: End) {
        let mut noted = self.all_noted();
        if noted.len() < MOST_ENDS {
            noted.push(end);
        }
    }

    /// What a thread that panicked has left is whole: ends are only ever added.
    fn all_noted(&self) -> MutexGuard<'_, Vec<End>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a program that ended by itself, and badly. Shown, it is "connection 2: signal 11 (SIGSEGV); standard
/// error: ", and what the program wrote there, which may be several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The connection that the program was.
    pub connection: ConnectionId,
    /// Its exit code other than 0, the signal, or the panic.
    pub how: String,
    /// Whether nobody ends like that on purpose: by a signal or a panic. What an exit code means is the program's affair.
    pub is_crash: bool,
    /// Its exit code, where it has one.
    pub code: Option<i32>,
    /// The end of its standard error, and a note of how much came before if it does not begin there.
    pub errors: String,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}: {}", self.connection.0, self.how)?;
        match self.errors.trim_end() {
            "" => Ok(()),
            errors => write!(f, "; standard error: {errors}"),
        }
    }
}

/// A program, and what it has not taken yet.
#[derive(Debug)]
struct Connection {
    process: Process,
    /// Gone once the connection is being closed.
    input: Option<Input>,
    unsent: Unsent,
    /// Until when the program may end by itself, once its input has ended.
    until: Instant,
    is_told: bool,
}

impl Connection {
    fn new(process: Process, input: Input) -> Self {
        let (input, unsent, until) = (Some(input), Unsent::default(), Instant::now());
        Self { process, input, unsent, until, is_told: false }
    }

    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        self.unsent.send(input, || Ok(octets.to_vec()))
    }

    /// Ends the standard input of the program.
    fn hang_up(&mut self) {
        if self.input.take().is_some() {
            self.until = Instant::now() + FAREWELL;
        }
    }

    /// Ends the program; how it has ended, if that is to be told and was not told before.
    fn close(mut self) -> Option<(ExitStatus, String)> {
        self.hang_up();
        let patience = self.until.saturating_duration_since(Instant::now());
        self.bad_end(patience)
    }

    /// How the program has ended, if it does so within this time, by itself and badly; each is told once.
    fn bad_end(&mut self, patience: Duration) -> Option<(ExitStatus, String)> {
        let status = self.process.wait(patience)?;
        if status.success() || self.is_told {
            return None;
        }
        self.is_told = true;
        Some((status, self.process.errors()))
    }
}

/// The standard input of a program. A write to it waits no longer than for [`SEND_TIMEOUT`](crate::line::SEND_TIMEOUT)
/// where the system can do that; elsewhere it waits for as long as the program lives.
#[derive(Debug)]
struct Input(ChildStdin);

impl Input {
    /// The program's own end of the pipe goes on to block.
    fn new(input: ChildStdin) -> io::Result<Self> {
        #[cfg(unix)]
        rustix::io::ioctl_fionbio(&input, true)?;
        Ok(Self(input))
    }

    #[cfg(unix)]
    fn wait(&self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let patience = Timespec::try_from(crate::line::SEND_TIMEOUT).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], Some(&patience))? {
            0 => Err(ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    #[cfg(not(unix))]
    fn wait(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Input {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.wait()?;
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::thread;

    use super::*;
    use crate::line::{BACKLOG, SEND_TIMEOUT};

    const PATIENCE: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(500);

    fn wire(words: &[&str]) -> PipeWire {
        PipeWire::new(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn sh(script: &str) -> PipeWire {
        wire(&["sh", "-c", script])
    }

    fn shown(ends: &Ends) -> Vec<String> {
        ends.noted().iter().map(ToString::to_string).collect()
    }

    /// What arrives until the first connection ends or falls silent, and how it ends.
    fn heard(wire: &mut PipeWire) -> (Vec<u8>, Option<Arrived>) {
        let mut heard = Vec::new();
        while let Some(arrival) = wire.receive(PATIENCE) {
            match arrival.what {
                Arrived::Octets(octets) => heard.extend(octets),
                end => return (heard, Some(end)),
            }
        }
        (heard, None)
    }

    /// Whether the process of this id is there, as a zombie or alive.
    fn is_there(process: u32) -> bool {
        std::path::Path::new(&format!("/proc/{process}")).exists()
    }

    #[test]
    fn octets_go_through_a_program_and_it_ends_with_its_connection() {
        let mut wire = wire(&["cat"]);
        let connections = [(); 2].map(|()| wire.connect().expect("cat starts"));
        assert_eq!(connections, [1, 2].map(ConnectionId));
        let process = wire.connections[&connections[1]].process.id();
        let what: Vec<u8> = (0..=255).collect();
        wire.send(connections[1], &what).expect("taken");
        let echo = Arrival { connection: connections[1], what: Arrived::Octets(what) };
        assert_eq!(wire.receive(PATIENCE), Some(echo));
        let begun = Instant::now();
        wire.disconnect(connections[1]);
        assert!(begun.elapsed() < FAREWELL, "{:?}", begun.elapsed());
        assert!(!is_there(process));
        let end = Arrival { connection: connections[1], what: Arrived::Closed };
        assert_eq!(wire.receive(PATIENCE), Some(end));
        let refused = wire.send(connections[1], b"more").expect_err("closed");
        assert!(matches!(refused, WireError::NotConnected(ConnectionId(2))));
        wire.disconnect(connections[1]);
        assert_eq!(shown(&wire.ends()), [""; 0]);
    }

    #[test]
    fn a_program_that_ends_badly_is_closed_and_its_end_is_told_once() {
        let mut wire = sh("echo last words; echo trouble >&2; kill -SEGV $$");
        let connection = wire.connect().expect("sh starts");
        assert_eq!(heard(&mut wire), (b"last words\n".to_vec(), Some(Arrived::Closed)));
        let told = ["connection 1: signal 11 (SIGSEGV); standard error: trouble"];
        assert_eq!(shown(&wire.ends()), told);
        wire.disconnect(connection);
        assert_eq!(shown(&wire.ends()), told);
    }

    #[test]
    fn ends_are_told_of_each_connection_and_outlive_the_wire() {
        let mut wire = sh("read -r code; exit \"$code\"");
        let ends = wire.ends();
        for code in ["3\n", "0\n", "4\n"] {
            let connection = wire.connect().expect("sh starts");
            wire.send(connection, code.as_bytes()).expect("taken");
        }
        drop(wire);
        assert_eq!(shown(&ends), ["connection 1: exit code 3", "connection 3: exit code 4"]);
    }

    #[test]
    fn ends_that_are_noted_are_bounded() {
        let mut wire = wire(&["false"]);
        for _ in 0..=MOST_ENDS {
            let connection = wire.connect().expect("false starts");
            wire.disconnect(connection);
        }
        assert_eq!(wire.ends().noted().len(), MOST_ENDS);
    }

    #[test]
    fn what_is_sent_to_a_program_that_has_ended_is_an_error() {
        let mut wire = wire(&["true"]);
        let connection = wire.connect().expect("true starts");
        assert_eq!(heard(&mut wire), (Vec::new(), Some(Arrived::Closed)));
        let error = wire.send(connection, b"hello").expect_err("nobody is there");
        assert!(matches!(&error, WireError::Send(error) if error.kind() == ErrorKind::BrokenPipe), "{error}");
    }

    #[test]
    fn a_program_that_reads_nothing_is_an_error_in_time() {
        let mut wire = wire(&["sleep", "60"]);
        let connection = wire.connect().expect("sleep starts");
        let process = wire.connections[&connection].process.id();
        let begun = Instant::now();
        let error = wire.send(connection, &vec![b'x'; 1024 * 1024]).expect_err("not taken");
        assert!(matches!(&error, WireError::Send(error) if error.kind() == ErrorKind::TimedOut), "{error}");
        assert!(begun.elapsed() < 2 * SEND_TIMEOUT + SHORT, "{:?}", begun.elapsed());
        let begun = Instant::now();
        wire.disconnect(connection);
        assert!((FAREWELL..FAREWELL + SHORT).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert!(!is_there(process));
        assert_eq!(shown(&wire.ends()), [""; 0], "its end was not its own");
    }

    /// A message is not torn: what was left of the first one goes before the second one.
    #[test]
    fn what_a_slow_program_has_not_taken_goes_first() {
        let mut wire = sh("sleep 2.5; exec tr -d x");
        let connection = wire.connect().expect("sh starts");
        let long = [vec![b'x'; 128 * 1024], b"one".to_vec()].concat();
        wire.send(connection, &long).expect_err("not taken in time");
        wire.send(connection, b"two").expect("taken");
        assert_eq!(wire.receive(SHORT), None, "tr waits for more");
        wire.connections.values_mut().for_each(Connection::hang_up);
        assert_eq!(heard(&mut wire), (b"onetwo".to_vec(), Some(Arrived::Closed)));
    }

    #[test]
    fn a_program_that_floods_waits_behind_the_backlog() {
        const PIECE: usize = 16 * 1024;
        let mut wire = wire(&["yes"]);
        let connection = wire.connect().expect("yes starts");
        thread::sleep(SHORT);
        wire.disconnect(connection);
        let (flood, end) = heard(&mut wire);
        assert_eq!(end, Some(Arrived::Closed));
        // The pipe holds 64 KiB, and the thread that reads a piece.
        assert!((1..=(BACKLOG + 6) * PIECE).contains(&flood.len()), "{}", flood.len());
    }

    #[test]
    fn programs_of_a_wire_are_given_their_moment_together() {
        let mut wire = wire(&["sleep", "60"]);
        let ids: Vec<ConnectionId> = (0..5).map(|_| wire.connect().expect("sleep starts")).collect();
        let processes: Vec<u32> = ids.iter().map(|id| wire.connections[id].process.id()).collect();
        let begun = Instant::now();
        drop(wire);
        assert!((FAREWELL..2 * FAREWELL).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert!(!processes.into_iter().any(is_there));
    }

    #[test]
    fn a_program_that_closes_its_output_and_goes_on_is_told_when_it_has_ended() {
        let mut wire = sh("exec >&-; read -r line; exit 3");
        let connection = wire.connect().expect("sh starts");
        assert_eq!(heard(&mut wire), (Vec::new(), Some(Arrived::Closed)));
        assert_eq!(shown(&wire.ends()), [""; 0]);
        wire.send(connection, b"go\n").expect("taken");
        wire.disconnect(connection);
        assert_eq!(shown(&wire.ends()), ["connection 1: exit code 3"]);
    }

    #[test]
    fn a_program_that_does_not_start_is_named() {
        let error = wire(&["/no/such/program", "--fast"]).connect().expect_err("there is none");
        assert!(error.to_string().starts_with("start /no/such/program: No such file"), "{error}");
        let error = wire(&[]).connect().expect_err("there is none");
        assert_eq!(error.to_string(), "start : no program is named");
    }
}
