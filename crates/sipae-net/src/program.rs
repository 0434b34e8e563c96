//! A program that is started, spoken to in lines, and ended.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Errors, FAREWELL, Process};

/// The longest line that is taken, in octets.
pub const LONGEST_LINE: u16 = 16 * 1024;
/// Lines that are still read meanwhile, so that a program that has something left to say is not held up by it.
const LAST_WORDS: usize = 64;

/// Why there is no line of a program, or none to it. Texts fit behind the name of the program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It was not started.
    #[error("cannot be started: {0}")]
    Start(io::Error),
    /// It says nothing.
    #[error("says nothing within {} s", .0.as_secs())]
    Silent(Duration),
    /// It has ended, or has closed its standard output.
    #[error("has ended")]
    Ended,
    /// It says what is no line of text.
    #[error("says {0}")]
    Unreadable(io::Error),
    /// It takes nothing.
    #[error("takes no line: {0}")]
    Write(io::Error),
}

/// A running program that is spoken to. Dropping it ends it and everything that it has started: first by the end of its
/// standard input, and what is left of its group after a moment by force.
#[derive(Debug)]
pub struct Program {
    process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<io::Result<String>>,
}

impl Program {
    /// Starts the program of the first word with the others as its arguments; no shell reads them. Its standard error
    /// is that of this process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(words: &[String]) -> Result<Self, ProgramError> {
        Self::of(Process::start(words, Errors::Inherit)?)
    }

    /// The same with variables of its environment; the end of its standard error is kept.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(words: &[String], environment: &[(String, String)]) -> Result<Self, ProgramError> {
        Self::of(Process::start_with(words, environment, Errors::Keep)?)
    }

    /// How it has ended, if it has within `patience`, and the end of its standard error.
    pub fn ended(&mut self, patience: Duration) -> Option<(std::process::ExitStatus, String)> {
        let status = self.process.wait(patience)?;
        Some((status, self.process.errors()))
    }

    /// Nothing is said to it any more: it finds the end of its standard input.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Ends it and everything that it has started by force, without waiting.
    pub fn kill(&mut self) {
        self.process.end();
    }

    fn of(mut process: Process) -> Result<Self, ProgramError> {
        let (input, output) = (process.take_input(), process.take_output());
        let (sender, lines) = mpsc::sync_channel(1);
        if let Some(output) = output {
            thread::Builder::new().spawn(move || read(output, &sender)).map_err(ProgramError::Start)?;
        }
        Ok(Self { process, input, lines })
    }

    /// Sends a line. Nobody waits for a program that takes nothing as long as what was sent before was answered: a pipe
    /// holds more than a short line. That a program has ended shows behind the last line that it has said.
    ///
    /// # Errors
    /// When the program does not take it.
    pub fn say(&mut self, line: &str) -> Result<(), ProgramError> {
        let input = self.input.as_mut().ok_or(ProgramError::Ended)?;
        match input.write_all(format!("{line}\n").as_bytes()).and_then(|()| input.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(ProgramError::Write(error)),
            _ => Ok(()),
        }
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// When none comes within `patience`, or what comes is no line of text.
    pub fn hear(&mut self, patience: Duration) -> Result<String, ProgramError> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => line.map_err(ProgramError::Unreadable),
            Err(RecvTimeoutError::Timeout) => Err(ProgramError::Silent(patience)),
            Err(RecvTimeoutError::Disconnected) => Err(ProgramError::Ended),
        }
    }

    /// Waits until the program and all that write to its standard output have ended, or for a moment.
    fn let_end(&mut self) {
        self.input = None;
        let until = Instant::now() + FAREWELL;
        for _ in 0..LAST_WORDS {
            let patience = until.saturating_duration_since(Instant::now());
            if self.lines.recv_timeout(patience).is_err() {
                return;
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.let_end();
        self.process.end();
    }
}

/// Reads lines until the end, or what is none; the program waits until each is heard.
fn read(output: ChildStdout, lines: &SyncSender<io::Result<String>>) {
    let mut output = BufReader::new(output);
    loop {
        let line = match read_line(&mut output) {
            Ok(None) => return,
            Ok(Some(line)) => Ok(line),
            Err(error) => Err(error),
        };
        let is_last = line.is_err();
        if lines.send(line).is_err() || is_last {
            return;
        }
    }
}

/// The next line, without its end; `None` at the end of everything. The last line may lack its end.
///
/// # Errors
/// When nothing can be read, or what is read is longer than [`LONGEST_LINE`] or no text.
pub fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let length = reader.take(u64::from(LONGEST_LINE) + 1).read_until(b'\n', &mut line)?;
    if length == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if usize::from(LONGEST_LINE) < length {
        let problem = format!("a line of more than {LONGEST_LINE} octets");
        return Err(io::Error::new(ErrorKind::InvalidData, problem));
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "a line that is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut octets: &[u8]) -> Vec<Result<String, String>> {
        let next = || match read_line(&mut octets) {
            Ok(line) => line.map(Ok),
            Err(error) => Some(Err(error.to_string())),
        };
        std::iter::from_fn(next).take(3).collect()
    }

    #[test]
    fn lines_are_cut_at_line_feeds_and_the_last_one_needs_none() {
        assert_eq!(lines(b"one\n\nthree"), ["one", "", "three"].map(|line| Ok(line.to_owned())));
    }

    #[test]
    fn a_line_is_bounded_and_text() {
        let longest = usize::from(LONGEST_LINE);
        let fits = "x".repeat(longest);
        assert_eq!(lines(format!("{fits}\n").as_bytes()), [Ok(fits.clone())]);
        let first = lines(format!("{fits}x\n").as_bytes()).remove(0);
        assert_eq!(first, Err("a line of more than 16384 octets".to_owned()));
        assert_eq!(lines(b"\xff\n"), [Err("a line that is no text".to_owned())]);
    }

    #[cfg(unix)]
    mod processes {
        use std::process::Command;

        use super::*;

        const PATIENCE: Duration = Duration::from_secs(10);

        fn sh(script: &str) -> Program {
            Program::start(&["sh", "-c", script].map(str::to_owned)).expect("sh starts")
        }

        /// Whether the process of this id is there, and no zombie.
        fn is_running(id: &str) -> bool {
            let listed = Command::new("ps").args(["-o", "stat=", "-p", id]).output().expect("ps");
            let state = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
            !state.is_empty() && !state.starts_with('Z')
        }

        #[test]
        fn a_program_is_spoken_to_in_lines_and_ends_with_its_input() {
            let mut program = sh("while read -r line; do echo \"got $line\"; done");
            program.say("one").expect("taken");
            assert_eq!(program.hear(PATIENCE).expect("a line"), "got one");
            let begun = Instant::now();
            drop(program);
            assert!(begun.elapsed() < FAREWELL, "{:?}", begun.elapsed());
        }

        #[test]
        fn a_program_that_does_not_end_is_ended_with_all_that_it_started() {
            let mut program = sh("sleep 60 & echo $!; echo $$; sleep 60");
            let ids = [(); 2].map(|()| program.hear(PATIENCE).expect("an id"));
            assert!(ids.iter().all(|id| is_running(id)), "{ids:?}");
            drop(program);
            assert!(!ids.iter().any(|id| is_running(id)), "{ids:?}");
        }

        #[test]
        fn a_program_that_says_nothing_or_has_ended_is_told_apart() {
            let moment = Duration::from_millis(50);
            assert!(matches!(sh("sleep 60").hear(moment), Err(ProgramError::Silent(_))));
            assert!(matches!(sh("exit 3").hear(PATIENCE), Err(ProgramError::Ended)));
            let missing = Program::start(&["/no/such/program".to_owned()]);
            assert!(matches!(missing, Err(ProgramError::Start(_))));
            assert!(matches!(Program::start(&[]), Err(ProgramError::Start(_))));
        }

        #[test]
        fn a_program_that_talks_without_end_waits_until_it_is_heard() {
            let mut program = sh("while :; do echo more; done");
            assert_eq!(program.hear(PATIENCE).expect("a line"), "more");
            thread::sleep(Duration::from_millis(50));
            assert_eq!(program.hear(PATIENCE).expect("a line"), "more");
        }
    }
}
