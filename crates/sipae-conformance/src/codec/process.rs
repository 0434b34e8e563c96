//! A codec behind a pipe (`docs/codec-protocol.md`).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use sipae_events::Cause;
use sipae_net::{Errors, Process, told};
use sipae_vectors::protocol::{self, Greeting, LONGEST_LINE, Reply};
use sipae_vectors::{Answer, Operation, Refusal};

use super::asked::{Answered, Asked, Breakdown, OpenError};

/// How long a codec may take to greet: interpreters take their time.
const GREETING: Duration = Duration::from_secs(10);
/// How long a codec may take to end once its standard input has.
const FAREWELL: Duration = Duration::from_secs(1);
/// Octets of requests that are unanswered at most.
const WINDOW: usize = 1024 * 1024;
/// Requests that are unanswered at most.
const UNANSWERED: usize = 4096;
/// Octets that are written, or read, at once.
const CHUNK: usize = 64 * 1024;
/// Batches of answers that wait to be looked at; behind them the codec has to wait.
const BACKLOG: usize = 16;
/// How often a codec is started in one run.
const STARTS: u32 = 1 + 8;

/// A codec that is started, and started again when an operation has broken it.
#[derive(Debug)]
pub struct CodecProcess {
    words: Vec<String>,
    patience: Duration,
    greeting: Greeting,
    running: Option<Running>,
    starts: u32,
    /// Whether it has ever answered anything.
    has_answered: bool,
    /// Why nothing more is asked.
    lost: Option<String>,
}

/// Why a codec does not go on.
enum Fault {
    Ended,
    Silent,
    /// It breaks the protocol; with the place of the operation where it is known.
    Wrong(String, Option<usize>),
}

impl CodecProcess {
    /// Starts the program of the first word with the others as its arguments, and waits for its greeting. An answer may
    /// take as long as `patience`.
    ///
    /// # Errors
    /// When it cannot be started, or does not greet.
    pub fn start(words: &[String], patience: Duration) -> Result<Self, OpenError> {
        let (running, greeting) = Running::start(words)?;
        let (words, running) = (words.to_vec(), Some(running));
        Ok(Self { words, patience, greeting, running, starts: 1, has_answered: false, lost: None })
    }

    /// A running codec: the one that is there, or a new one.
    fn running(&mut self) -> Result<&mut Running, String> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        if self.running.is_none() && self.starts < STARTS {
            self.starts += 1;
            match Running::start(&self.words) {
                Ok((running, _)) => self.running = Some(running),
                Err(error) => self.lost = Some(format!("started again, the codec {error}")),
            }
        }
        match &mut self.running {
            Some(running) => Ok(running),
            None => {
                let often =
                    || format!("the codec was started again {} times, and broke each time", STARTS - 1);
                Err(self.lost.get_or_insert_with(often).clone())
            }
        }
    }

    /// Ends the codec, and tells what became of it.
    fn breakdown(&mut self, fault: &Fault) -> Breakdown {
        let ended = self.running.take().map(Running::end).unwrap_or_default();
        let (cause, how) = match fault {
            Fault::Ended => (Cause::Crash, format!("the codec ended: {}", ended.how)),
            Fault::Silent => {
                let seconds = self.patience.as_secs_f32();
                let hint = if self.has_answered { "" } else { " (is its standard output flushed?)" };
                let how = format!("the codec says nothing for {seconds} s{hint}");
                (Cause::Hang, how)
            }
            Fault::Wrong(problem, _) => {
                (Cause::Reaction, format!("the codec breaks the protocol: {problem}"))
            }
        };
        Breakdown { cause, how, complaints: ended.complaints }
    }

    /// Looks for the operation that has broken the codec among those that it has not answered: each is asked alone.
    fn recover(&mut self, operations: &[&Operation], answers: &mut [Option<Answered>], fault: &Fault) {
        self.has_answered |= answers.iter().any(Option::is_some);
        let mut first = self.breakdown(fault);
        let open: Vec<usize> = answers
            .iter()
            .enumerate()
            .filter(|(_, answer)| answer.is_none())
            .map(|(place, _)| place)
            .collect();
        if let Fault::Wrong(_, place) = fault {
            self.lost = Some(first.how.clone());
            let place = place.or(open.first().copied());
            if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
                *answer = Some(Answered::Broken(first.clone()));
            }
        }
        let mut is_found = self.lost.is_some();
        for place in &open {
            let (Some(operation), Some(answer)) = (operations.get(*place), answers.get_mut(*place)) else {
                continue;
            };
            if answer.is_some() {
                continue;
            }
            let answered = self.alone(operation);
            is_found |= matches!(answered, Answered::Broken(_));
            *answer = Some(answered);
        }
        let oldest = open.first().and_then(|place| answers.get_mut(*place));
        if let Some(oldest) = oldest.filter(|_| !is_found) {
            first.cause = Cause::Flaky { failed: 1, of: 2 };
            first.how += ", and no operation that was open does that to it when it is asked alone";
            *oldest = Some(Answered::Broken(first));
        }
    }

    fn alone(&mut self, operation: &Operation) -> Answered {
        let patience = self.patience;
        let running = match self.running() {
            Ok(running) => running,
            Err(reason) => return Answered::NotAsked(reason),
        };
        let mut answers = [None];
        match running.pipelined(&[operation], &mut answers, patience) {
            Ok(()) => answers.into_iter().flatten().next().unwrap_or_else(nothing),
            Err(fault) => Answered::Broken(self.breakdown(&fault)),
        }
    }
}

fn nothing() -> Answered {
    Answered::NotAsked("there was no answer".to_owned())
}

impl Asked for CodecProcess {
    fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    fn ask(&mut self, operations: &[&Operation]) -> Vec<Answered> {
        let mut answers: Vec<Option<Answered>> = operations.iter().map(|_| None).collect();
        let patience = self.patience;
        match self.running() {
            Err(reason) => return operations.iter().map(|_| Answered::NotAsked(reason.clone())).collect(),
            Ok(running) => {
                if let Err(fault) = running.pipelined(operations, &mut answers, patience) {
                    self.recover(operations, &mut answers, &fault);
                }
            }
        }
        self.has_answered |= answers.iter().flatten().any(|answer| matches!(answer, Answered::Replied(_)));
        answers.into_iter().map(|answer| answer.unwrap_or_else(nothing)).collect()
    }

    fn complaints(&self) -> String {
        self.running.as_ref().map(|running| running.process.errors()).unwrap_or_default()
    }
}

/// The life of one process.
#[derive(Debug)]
struct Running {
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
struct Ended {
    how: String,
    complaints: String,
}

impl Running {
    fn start(words: &[String]) -> Result<(Self, Greeting), OpenError> {
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
    fn pipelined(
        &mut self,
        operations: &[&Operation],
        answers: &mut [Option<Answered>],
        patience: Duration,
    ) -> Result<(), Fault> {
        let first = self.next;
        let mut lengths: Vec<usize> = Vec::with_capacity(operations.len());
        let (mut open, mut octets) = (0_usize, 0_usize);
        loop {
            let mut block = Vec::new();
            while let Some(operation) =
                operations.get(lengths.len()).filter(|_| open < UNANSWERED && octets < WINDOW)
            {
                let before = block.len();
                protocol::request(self.next, operation, &mut block)
                    .map_err(|error| Fault::Wrong(error.to_string(), None))?;
                let length = block.len() - before;
                (self.next, open, octets) = (self.next + 1, open + 1, octets + length);
                lengths.push(length);
                if CHUNK <= block.len() {
                    self.send(std::mem::take(&mut block));
                }
            }
            self.send(block);
            if open == 0 {
                return Ok(());
            }
            for Reply { id, result } in self.hear(patience)? {
                let place = id.checked_sub(first).and_then(|place| usize::try_from(place).ok());
                let place = place.filter(|place| *place < lengths.len());
                match place.and_then(|place| answers.get_mut(place)) {
                    Some(answer @ None) => *answer = Some(Answered::Replied(result)),
                    Some(_) => {
                        let op = place
                            .and_then(|place| operations.get(place))
                            .map_or("", |operation| operation.name());
                        return Err(Fault::Wrong(
                            format!("id {id} ({op}) is answered twice, {}", told_of(&result)),
                            place,
                        ));
                    }
                    None => {
                        return Err(Fault::Wrong(
                            format!("id {id} was not asked, {}", told_of(&result)),
                            None,
                        ));
                    }
                }
                open -= 1;
                octets -= place.and_then(|place| lengths.get(place)).copied().unwrap_or_default();
            }
        }
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
            Ok(Heard::Wrong(problem) | Heard::Greeting(problem)) => Err(Fault::Wrong(problem, None)),
            Err(RecvTimeoutError::Timeout) => Err(Fault::Silent),
            Err(RecvTimeoutError::Disconnected) => Err(Fault::Ended),
        }
    }

    /// By the end of its standard input first, and by force after a moment.
    fn end(mut self) -> Ended {
        self.requests = None;
        let status = self.process.wait(FAREWELL).or_else(|| self.process.end());
        let how = status.map_or_else(|| "nobody knows how".to_owned(), told);
        Ended { how, complaints: self.process.errors() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.requests = None;
        self.process.wait(FAREWELL);
    }
}

/// The answer in short, for an error.
fn told_of(result: &Result<Answer, Refusal>) -> String {
    let what = match result {
        Ok(answer) => serde_json::to_string(answer).unwrap_or_default(),
        Err(refusal) => refusal.to_string(),
    };
    format!("now with {}", what.chars().take(80).collect::<String>())
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
