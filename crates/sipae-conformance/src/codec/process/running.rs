//! The life of one process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use sipae_net::{Errors, Process, told};
use sipae_vectors::Operation;
use sipae_vectors::protocol::{Greeting, LONGEST_LINE, Reply};

use super::window::Window;
use super::{Answered, Fault, OpenError};

/// How long a codec may take to greet: interpreters take their time.
const GREETING: Duration = Duration::from_secs(10);
/// How long a codec may take to end once its standard input has.
const FAREWELL: Duration = Duration::from_secs(1);
/// Octets that are written, or read, at once.
pub(super) const CHUNK: usize = 64 * 1024;
/// Batches of answers that wait to be looked at; behind them the codec has to wait.
const BACKLOG: usize = 16;

/// A process that has greeted.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    /// To the thread that writes; none once the standard input is to end.
    requests: Option<Sender<Vec<u8>>>,
    heard: Receiver<Heard>,
    next: u64,
}

/// What a codec says.
#[derive(Debug)]
enum Heard {
    Greeting(String),
    Replies(Vec<Reply>),
    Wrong(String),
}

/// How a codec has ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) how: String,
    /// Whether it did not end by itself.
    pub(super) is_forced: bool,
    pub(super) complaints: String,
}

impl Running {
    pub(super) fn start(words: &[String]) -> Result<(Self, Greeting), OpenError> {
        let name = words.first().cloned().unwrap_or_default();
        let program = |error: &dyn std::fmt::Display| OpenError::Program {
            problem: format!("{name:?} {error}"),
            complaints: String::new(),
        };
        let mut process = Process::start(words, Errors::Keep).map_err(|error| program(&error))?;
        let (input, output) = (process.take_input(), process.take_output());
        let (requests, waiting) = mpsc::channel();
        let (sender, heard) = mpsc::sync_channel(BACKLOG);
        if let (Some(input), Some(output)) = (input, output) {
            let spawned = thread::Builder::new()
                .spawn(move || write(input, &waiting))
                .and_then(|_| thread::Builder::new().spawn(move || listen(output, &sender)));
            spawned.map_err(|error| program(&error))?;
        }
        let mut running = Self { process, requests: Some(requests), heard, next: 1 };
        match running.greeted() {
            Ok(greeting) => Ok((running, Greeting::read(&greeting)?)),
            Err(problem) => Err(OpenError::Program { problem, complaints: running.end().complaints }),
        }
    }

    fn greeted(&mut self) -> Result<String, String> {
        match self.heard.recv_timeout(GREETING) {
            Ok(Heard::Greeting(line)) => Ok(line),
            Ok(Heard::Wrong(problem)) => Err(format!("greets with {problem}")),
            Ok(Heard::Replies(_)) => Err("answers before it greets".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = GREETING.as_secs();
                Err(format!("does not greet within {seconds} s (is its standard output flushed?)"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let how =
                    self.process.wait(FAREWELL).map_or_else(|| "closed its standard output".to_owned(), told);
                Err(format!("does not greet, and ended: {how}"))
            }
        }
    }

    /// Asks everything, as much at once as the window allows.
    pub(super) fn pipelined(
        &mut self,
        operations: &[&Operation],
        answers: &mut [Option<Answered>],
        patience: Duration,
    ) -> Result<(), Fault> {
        let mut window = Window::new(self.next, operations, answers);
        self.next += u64::try_from(operations.len()).unwrap_or_default();
        loop {
            while let Some(block) = window.requests()? {
                self.send(block);
            }
            if window.is_answered() {
                return Ok(());
            }
            self.hear(patience)?.into_iter().try_for_each(|reply| window.take(reply))?;
        }
    }

    /// What it has written to its standard error lately.
    pub(super) fn complaints(&self) -> String {
        self.process.errors()
    }

    /// A codec that has ended takes nothing; that shows in what it says.
    fn send(&self, block: Vec<u8>) {
        if let Some(requests) = self.requests.as_ref().filter(|_| !block.is_empty()) {
            let _ended = requests.send(block);
        }
    }

    fn hear(&self, patience: Duration) -> Result<Vec<Reply>, Fault> {
        match self.heard.recv_timeout(patience) {
            Ok(Heard::Replies(replies)) => Ok(replies),
            Ok(Heard::Wrong(problem) | Heard::Greeting(problem)) => Err(Fault::Wrong(problem)),
            Err(RecvTimeoutError::Timeout) => Err(Fault::Silent),
            Err(RecvTimeoutError::Disconnected) => Err(Fault::Ended),
        }
    }

    /// By the end of its standard input first, and by force after a moment.
    pub(super) fn end(mut self) -> Ended {
        self.requests = None;
        let status = self.process.wait(FAREWELL);
        let is_forced = status.is_none();
        let status = status.or_else(|| self.process.end());
        let how = status.map_or_else(|| "nobody knows how".to_owned(), told);
        Ended { how, is_forced, complaints: self.process.errors() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.requests = None;
        self.process.wait(FAREWELL);
    }
}

fn write(mut input: ChildStdin, blocks: &Receiver<Vec<u8>>) {
    for block in blocks {
        // A codec that has ended is noticed by whoever listens.
        if input.write_all(&block).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

/// Reads lines until the end, or what is none.
fn listen(output: ChildStdout, heard: &SyncSender<Heard>) {
    let mut output = BufReader::with_capacity(CHUNK, output);
    let mut greeting = Vec::new();
    let said = match read_line(&mut output, &mut greeting) {
        Ok(true) => heard.send(Heard::Greeting(String::from_utf8_lossy(&greeting).trim_end().to_owned())),
        Ok(false) => return,
        Err(problem) => heard.send(Heard::Wrong(problem)),
    };
    if said.is_err() {
        return;
    }
    let mut line = Vec::new();
    let mut replies = Vec::new();
    loop {
        let wrong = match next_reply(&mut output, &mut line) {
            Ok(Some(reply)) => {
                replies.push(reply);
                None
            }
            Ok(None) => None,
            Err(problem) => Some(problem),
        };
        let is_last = wrong.is_some() || line.is_empty();
        let waits = !output.buffer().contains(&b'\n');
        if (is_last || waits)
            && !replies.is_empty()
            && heard.send(Heard::Replies(std::mem::take(&mut replies))).is_err()
        {
            return;
        }
        if let Some(problem) = wrong {
            let _gone = heard.send(Heard::Wrong(problem));
        }
        if is_last {
            return;
        }
    }
}

/// The reply of the next line; none for an empty line, and at the end, where the line is empty too.
fn next_reply(output: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Option<Reply>, String> {
    if !read_line(output, line)? || line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    Reply::read(line).map(Some).map_err(|problem| {
        let shown: String = String::from_utf8_lossy(line).trim_end().chars().take(80).collect();
        format!(
            "{shown:?} is no answer: {problem} (one JSON object a line; logs belong to the standard error)"
        )
    })
}

/// Reads a line with its end; `false` at the end of everything.
fn read_line(output: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, String> {
    line.clear();
    let bound = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX).saturating_add(1);
    let read: io::Result<usize> = output.take(bound).read_until(b'\n', line);
    match read {
        Ok(length) if LONGEST_LINE < length => Err(format!("a line of more than {LONGEST_LINE} octets")),
        Ok(length) => Ok(length != 0),
        Err(error) => Err(error.to_string()),
    }
}
