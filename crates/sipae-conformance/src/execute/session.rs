//! A conversation that is kept: its associations serve one generated case after the other.

use std::collections::BTreeSet;

use sipae_gen::{Label, Script, Step};

use super::{Executor, Stage};
use crate::observation::Observation;

/// A script that has been played and goes on. What it has seen is taken from it case by case, so that a long one costs
/// no more than a short one.
pub struct Session {
    executor: Executor,
}

impl Session {
    /// Plays what comes before the first case.
    ///
    /// # Errors
    /// The step that could not be made, with the stage.
    pub fn open(stage: Stage, prelude: &Script) -> Result<Self, (String, Box<Stage>)> {
        let mut executor = Executor::new(stage, prelude);
        executor.is_logging = false;
        let mut session = Self { executor };
        match session.play(&prelude.steps) {
            Ok(()) => Ok(session),
            Err(broken) => Err((broken, Box::new(session.finish()))),
        }
    }

    /// Whether an answer that has not come yet never will: a wire in memory.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.executor.stage.wire.is_exact()
    }

    /// Goes on with these steps.
    ///
    /// # Errors
    /// The first step that cannot be made.
    pub fn play(&mut self, steps: &[Step]) -> Result<(), String> {
        self.executor.foresee(steps);
        steps.iter().try_for_each(|step| self.executor.step(step))
    }

    /// What has been seen since the last time, if an answer was waited for in vain since this was asked.
    pub fn missed(&mut self) -> Option<Observation> {
        let has_missed = std::mem::take(&mut self.executor.has_missed);
        (has_missed && !self.is_exact()).then(|| self.executor.observe(None))
    }

    /// Waits for what has not been answered.
    pub fn wait_for_all(&mut self) {
        let pending: Vec<Label> =
            self.executor.messages.keys().filter(|label| self.executor.is_pending(label)).cloned().collect();
        self.executor.wait_for_each(&pending);
    }

    /// What has been seen since the last time; it is forgotten here.
    pub fn take(&mut self) -> Observation {
        self.executor.look();
        let established = self.executor.established();
        self.executor.known.extend(established);
        self.executor.take()
    }

    /// Takes what was registered away, and gives the stage back.
    #[must_use]
    pub fn finish(mut self) -> Stage {
        self.executor.clean_up();
        self.executor.stage
    }
}

impl Executor {
    /// What the steps will answer themselves, and the numbers that they choose.
    pub(super) fn foresee(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Expect { message, .. } => drop(self.expected.insert(message.clone())),
                Step::Sign { signing, .. } => self.chosen.extend(signing.number),
                _ => {}
            }
        }
    }

    fn take(&mut self) -> Observation {
        let observation = self.observe(None);
        self.messages.clear();
        self.expected.clear();
        self.chosen = BTreeSet::new();
        self.exchange.clear();
        self.signatures.clear();
        self.unasked.clear();
        (self.unmatched, self.received, self.answered_requests, self.octets) = (0, 0, 0, 0);
        (self.is_unreachable, self.is_absent, self.has_missed) = (false, false, false);
        self.exchange_left_out = 0;
        observation
    }
}
