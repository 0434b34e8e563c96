//! A program that is started in a process group of its own, and ended with all that it has started.

mod tail;

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::ProgramError;
use tail::Tail;

/// How long a program may take to end by itself once its standard input has ended.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);
/// How long the standard error of a program that has ended is still read. It ends with the group, unless somebody has
/// left the group and holds it open.
const LAST_ERRORS: Duration = Duration::from_millis(100);
/// How often a program is looked at that is waited for: at first,
const SHORTEST_PAUSE: Duration = Duration::from_micros(250);
/// and when it takes its time.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// What becomes of the standard error of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// It is that of this process.
    Inherit,
    /// Its last 16 KiB are kept, whatever comes before.
    Keep,
}

/// A started program in a process group of its own. Dropping it ends it and all that it has started.
///
/// Who has left the group, as a daemon does, is not ended. As long as such a one holds the standard error open, the
/// thread that reads it stays too.
#[derive(Debug)]
pub struct Process {
    child: Child,
    errors: Option<Tail>,
    /// Its standard output, where that is kept.
    output: Option<Tail>,
    /// It has been waited for: from then on its id, and that of its group, may be another's.
    is_reaped: bool,
    status: Option<ExitStatus>,
}

/// Programs that have not been waited for, by their ids, which are those of their groups.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all programs that this process has started, with their groups, by force: for a process that is itself told to
/// end. No program is started afterwards.
pub fn end_all() {
    let running = running();
    #[cfg(unix)]
    for id in running.iter() {
        let group = i32::try_from(*id).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            // Fails where nobody is left.
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
    // The lock is never given back, so that nobody starts another one.
    std::mem::forget(running);
}

/// A child that has not been waited for, as the system sees it.
enum State {
    Running,
    Ended,
    /// The system has not kept it until it was waited for, as happens where SIGCHLD is ignored.
    #[cfg(unix)]
    Lost,
}

impl Process {
    /// Starts the program of the first word with the others as its arguments; no shell reads them. Its standard input
    /// and output are pipes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(words: &[String], errors: Errors) -> Result<Self, ProgramError> {
        Self::spawn(words, &[], errors).map_err(ProgramError::Start)
    }

    /// The same with variables of its environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(
        words: &[String],
        environment: &[(String, String)],
        errors: Errors,
    ) -> Result<Self, ProgramError> {
        Self::spawn(words, environment, errors).map_err(ProgramError::Start)
    }

    /// As [`start_with`](Self::start_with), with what the system says.
    pub(crate) fn spawn(
        words: &[String],
        environment: &[(String, String)],
        errors: Errors,
    ) -> io::Result<Self> {
        let nothing = || io::Error::new(ErrorKind::InvalidInput, "no program is named");
        let (program, arguments) = words.split_first().ok_or_else(nothing)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        if errors == Errors::Keep {
            command.stderr(Stdio::piped());
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = {
            // Whoever ends all programs knows of this one, or comes before it is started.
            let mut running = running();
            let child = command.spawn()?;
            running.insert(child.id());
            child
        };
        // From here on the child is ended when something fails.
        let mut started = Self { child, errors: None, output: None, is_reaped: false, status: None };
        started.errors = started.child.stderr.take().map(Tail::of).transpose()?;
        Ok(started)
    }

    /// Its standard input, once. It ends when this is dropped.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its standard output, once.
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Keeps the end of its standard output, whatever comes before, from now on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn keep_output(&mut self) -> io::Result<()> {
        self.output = self.take_output().map(Tail::of).transpose()?;
        Ok(())
    }

    /// What is kept of its standard output.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.as_ref().map(Tail::text).unwrap_or_default()
    }

    /// How many octets it has written to its standard output.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.output.as_ref().map(Tail::count).unwrap_or_default()
    }

    /// What it has written behind so many of them, as much of it as is kept.
    #[must_use]
    pub fn output_behind(&self, written: u64) -> String {
        self.output.as_ref().map(|output| output.text_behind(written)).unwrap_or_default()
    }

    /// What is kept of its standard error: the end, and how much came before. All that there is once the program has
    /// ended. What is no text is shown as U+FFFD.
    #[must_use]
    pub fn errors(&self) -> String {
        self.errors.as_ref().map(Tail::text).unwrap_or_default()
    }

    /// The id of the program and of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself; `None` when it has not within `patience`. What is left of its group then is
    /// ended: nobody could end it safely later.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let (begun, mut pause) = (Instant::now(), SHORTEST_PAUSE);
        while !self.is_reaped && matches!(self.state(), State::Running) {
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return None;
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.end()
    }

    /// Ends it and all of its group by force. If it has ended by itself, its own status is told, and the signal that
    /// ends it else; `None` where the system does not know.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if !self.is_reaped {
            self.kill();
            running().remove(&self.child.id());
            self.status = self.child.wait().ok();
            self.is_reaped = true;
            for kept in self.errors.iter().chain(&self.output) {
                kept.let_end(LAST_ERRORS);
            }
        }
        self.status
    }

    /// A child that has not been waited for keeps its id, so that the group is still its own, whatever is left of it.
    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        if !matches!(self.state(), State::Lost) {
            // Fails where nobody is left.
            let _gone = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        // It may have gone into another group.
        let _gone = self.child.kill();
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        let _gone = self.child.kill();
    }

    /// A look that leaves it to be waited for.
    #[cfg(unix)]
    fn state(&self) -> State {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(Pid::from_child(&self.child)), look) {
            Ok(None) => State::Running,
            Ok(Some(_)) => State::Ended,
            Err(_) => State::Lost,
        }
    }

    /// Without groups there is nothing to keep the id for.
    #[cfg(not(unix))]
    fn state(&mut self) -> State {
        match self.child.try_wait() {
            Ok(None) => State::Running,
            _ => State::Ended,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// How a program has ended: "exit code 3", "signal 11 (SIGSEGV)".
#[must_use]
pub fn told(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return told_signal(number);
    }
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

#[cfg(unix)]
fn told_signal(number: i32) -> String {
    use rustix::process::Signal;
    const NAMES: [(Signal, &str); 15] = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
    ];
    match NAMES.iter().find(|(signal, _)| signal.as_raw() == number) {
        Some((_, name)) => format!("signal {number} ({name})"),
        None => format!("signal {number}"),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const MOMENT: Duration = Duration::from_millis(50);

    fn sh(script: &str) -> Process {
        Process::start(&["sh", "-c", script].map(str::to_owned), Errors::Keep).expect("sh starts")
    }

    fn lines<const COUNT: usize>(process: &mut Process) -> [String; COUNT] {
        let mut output = BufReader::new(process.take_output().expect("its output")).lines();
        [(); COUNT].map(|()| output.next().expect("a line").expect("text"))
    }

    /// Whether the process of this id is there, and no zombie.
    fn is_running(id: &str) -> bool {
        let listed = Command::new("ps").args(["-o", "stat=", "-p", id]).output().expect("ps");
        let state = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
        !state.is_empty() && !state.starts_with('Z')
    }

    #[test]
    fn an_exit_code_and_a_signal_are_told() {
        let told_of = |script| sh(script).wait(PATIENCE).map(told);
        assert_eq!(told_of("exit 0").as_deref(), Some("exit code 0"));
        assert_eq!(told_of("exit 3").as_deref(), Some("exit code 3"));
        assert_eq!(told_of("kill -SEGV $$").as_deref(), Some("signal 11 (SIGSEGV)"));
        assert_eq!(told_of("kill -ABRT $$").as_deref(), Some("signal 6 (SIGABRT)"));
        assert_eq!(told_signal(63), "signal 63");
    }

    #[test]
    fn a_program_that_goes_on_is_not_waited_for_any_longer_and_ended_by_force() {
        let mut process = sh("sleep 60");
        let begun = Instant::now();
        assert_eq!(process.wait(MOMENT), None);
        assert!((MOMENT..PATIENCE).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert!(is_running(&process.id().to_string()));
        assert_eq!(process.end().map(told).as_deref(), Some("signal 9 (SIGKILL)"));
        assert_eq!(process.wait(MOMENT), process.end(), "what is over stays as it is");
    }

    #[test]
    fn a_program_that_has_ended_by_itself_tells_its_own_status_when_it_is_ended() {
        let mut process = sh("exit 3");
        while is_running(&process.id().to_string()) {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(process.end().map(told).as_deref(), Some("exit code 3"));
    }

    #[test]
    fn a_program_is_dropped_with_all_that_it_started() {
        let mut process = sh("(sleep 60 & echo $!; sleep 60) & sleep 60 & echo $!; echo $$; wait");
        let ids: [String; 3] = lines(&mut process);
        assert!(ids.iter().all(|id| is_running(id)), "{ids:?}");
        drop(process);
        assert!(!ids.iter().any(|id| is_running(id)), "{ids:?}");
    }

    /// They hold its standard error open, too: whoever reads it comes to an end with them.
    #[test]
    fn whoever_survives_a_program_that_is_waited_for_is_ended_as_well() {
        let mut process = sh("sleep 60 & echo $!; echo trouble >&2; exit 3");
        let [survivor] = lines(&mut process);
        assert_eq!(process.wait(PATIENCE).map(told).as_deref(), Some("exit code 3"));
        assert_eq!(process.errors(), "trouble\n");
        assert!(!is_running(&survivor));
        assert!(process.errors.as_ref().is_some_and(Tail::has_ended));
    }

    #[test]
    fn who_has_left_the_group_holds_nobody_up() {
        let mut process = sh("setsid sh -c 'echo $$; exec sleep 3' & wait");
        let [_daemon]: [String; 1] = lines(&mut process);
        let begun = Instant::now();
        drop(process);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }

    #[test]
    fn the_end_of_the_errors_is_kept_and_what_came_before_is_counted() {
        let mut process = sh("head -c 100000 /dev/zero | tr '\\0' x >&2; echo at last >&2");
        assert!(process.wait(PATIENCE).is_some());
        let errors = process.errors();
        let (note, rest) = errors.split_once('\n').expect("a note");
        assert_eq!(note, "(83624 octets before are left out)");
        assert!(rest.len() == tail::LONGEST && rest.ends_with("xat last\n"), "{} {note}", rest.len());
    }

    #[test]
    fn a_flood_of_errors_keeps_nobody_from_ending() {
        let mut process = sh("yes >&2");
        thread::sleep(MOMENT);
        assert_eq!(process.end().map(told).as_deref(), Some("signal 9 (SIGKILL)"));
        assert!(process.errors().len() < tail::LONGEST + 100);
        assert!(process.errors.as_ref().is_some_and(Tail::has_ended));
    }

    #[test]
    fn errors_that_are_not_kept_are_none() {
        let mut process = Process::start(&["true".to_owned()], Errors::Inherit).expect("true starts");
        assert_eq!(process.wait(PATIENCE).map(told).as_deref(), Some("exit code 0"));
        assert_eq!(process.errors(), "");
    }

    #[test]
    fn what_cannot_be_started_says_so() {
        let missing = Process::start(&["/no/such/program".to_owned()], Errors::Keep);
        assert!(matches!(missing, Err(ProgramError::Start(_))));
        assert!(matches!(Process::start(&[], Errors::Keep), Err(ProgramError::Start(_))));
    }
}
