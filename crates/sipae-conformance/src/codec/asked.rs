//! Asking a codec.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sipae_events::Cause;
use sipae_net::panic_message;
use sipae_vectors::protocol::{Greeting, GreetingError};
use sipae_vectors::{Answer, Codec, Operation, Refusal};

/// A codec that has been reached.
pub trait Asked: Send {
    /// What it says of itself.
    fn greeting(&self) -> &Greeting;

    /// Asks all operations, and gives an answer to each, in their order.
    fn ask(&mut self, operations: &[&Operation]) -> Vec<Answered>;

    /// What it has written to its standard error lately.
    fn complaints(&self) -> String {
        String::new()
    }
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// It was answered.
    Replied(Result<Answer, Refusal>),
    /// It broke the codec.
    Broken(Breakdown),
    /// It was not asked, for this reason: the codec is no longer there.
    NotAsked(String),
}

/// How an operation broke a codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The cause of the failure.
    pub cause: Cause,
    /// What happened, for people.
    pub how: String,
    /// What the codec had written to its standard error.
    pub complaints: String,
}

/// Why a codec cannot be asked. Texts fit behind "the codec".
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be started, or says nothing.
    #[error("{problem}")]
    Program {
        /// What is wrong with it.
        problem: String,
        /// What it has written to its standard error.
        complaints: String,
    },
    /// It greets otherwise.
    #[error(transparent)]
    Greeting(#[from] GreetingError),
}

/// A codec of this process.
pub struct InProcess {
    greeting: Greeting,
    codec: Box<dyn Codec + Send>,
}

impl InProcess {
    /// With its name for reports.
    #[must_use]
    pub fn new(name: &str, codec: Box<dyn Codec + Send>) -> Self {
        Self { greeting: Greeting::new(name, None), codec }
    }

    fn answer(&mut self, operation: &Operation) -> Answered {
        let codec = &mut self.codec;
        match catch_unwind(AssertUnwindSafe(|| codec.answer(operation))) {
            Ok(result) => Answered::Replied(result),
            Err(panic) => Answered::Broken(Breakdown {
                cause: Cause::Crash,
                how: format!("it panicked: {}", panic_message(panic.as_ref())),
                complaints: String::new(),
            }),
        }
    }
}

impl Asked for InProcess {
    fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    fn ask(&mut self, operations: &[&Operation]) -> Vec<Answered> {
        operations.iter().map(|operation| self.answer(operation)).collect()
    }
}
