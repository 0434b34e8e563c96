//! A codec behind a pipe (`docs/codec-protocol.md`).

mod running;
mod window;

use std::time::Duration;

use sipae_events::Cause;
use sipae_vectors::Operation;
use sipae_vectors::protocol::Greeting;

use super::asked::{Answered, Asked, Breakdown, OpenError};
use running::Running;

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
    /// It breaks the protocol.
    Wrong(String),
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
            Fault::Ended if ended.is_forced => {
                (Cause::Hang, "the codec closed its standard output, and went on".to_owned())
            }
            Fault::Ended => (Cause::Crash, format!("the codec ended: {}", ended.how)),
            Fault::Silent => {
                let seconds = self.patience.as_secs_f32();
                let hint = if self.has_answered { "" } else { " (is its standard output flushed?)" };
                let how = format!("the codec says nothing for {seconds} s{hint}");
                (Cause::Hang, how)
            }
            Fault::Wrong(problem) => (Cause::Reaction, format!("the codec breaks the protocol: {problem}")),
        };
        Breakdown { cause, how, complaints: ended.complaints }
    }

    /// Goes on after a fault: looks for the operation that has broken the codec among those that it has not answered. A
    /// codec that breaks the protocol is not asked again.
    fn recover(&mut self, operations: &[&Operation], answers: &mut [Option<Answered>], fault: &Fault) {
        self.has_answered |= answers.iter().any(Option::is_some);
        let mut first = self.breakdown(fault);
        let oldest = answers.iter().position(Option::is_none);
        if matches!(fault, Fault::Wrong(_)) {
            // No case is to blame: what is left has no answer, and the gate is closed.
            self.lost = Some(first.how);
            return;
        }
        if !self.one_by_one(operations, answers) {
            first.cause = Cause::Flaky { failed: 1, of: 2 };
            first.how += ", and no operation that was open does that to it when it is asked alone";
            blame(answers, oldest, first);
        }
    }

    /// Asks what has no answer, each alone; whether one of them breaks the codec, or nothing more can be asked.
    fn one_by_one(&mut self, operations: &[&Operation], answers: &mut [Option<Answered>]) -> bool {
        let mut is_broken = false;
        let open = answers.iter_mut().zip(operations).filter(|(answer, _)| answer.is_none());
        for (answer, operation) in open {
            let answered = self.alone(operation);
            is_broken |= !matches!(answered, Answered::Replied(_));
            *answer = Some(answered);
        }
        is_broken
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

fn blame(answers: &mut [Option<Answered>], place: Option<usize>, breakdown: Breakdown) {
    if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
        *answer = Some(Answered::Broken(breakdown));
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
        let reason = || Answered::NotAsked(self.lost.clone().unwrap_or_default());
        answers.into_iter().map(|answer| answer.unwrap_or_else(reason)).collect()
    }

    fn complaints(&self) -> String {
        self.running.as_ref().map(Running::complaints).unwrap_or_default()
    }
}
