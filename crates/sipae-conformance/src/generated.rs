//! Cases whose conversations are generated: properties that hold for any of them.
//!
//! A property draws its choices from a [`Source`], so that what failed can be made again, and smaller, from the record
//! of its choices. What is told in the end is a script that needs no generator.

pub(crate) mod faults;
pub(crate) mod ground;
mod lane;
pub(crate) mod properties;
mod search;
pub(crate) mod sequence;
mod stop;
mod stopwatch;

use std::fmt;

use sipae_gen::{Check, Expect, Mode, Recorded, Script, Source};

use crate::judge::Judge;

pub(crate) use ground::Ground;
pub use search::Effort;
pub(crate) use search::run;
pub use stop::Stop;
pub use stopwatch::Stopwatch;

/// Where a property stands: what it is made for, and how its messages are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'s> {
    pub(crate) mode: Mode,
    /// Name of the message; further ones have this name and a word behind it.
    pub(crate) name: &'s str,
}

/// One generated conversation, behind its ground, and what has to become of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Iteration {
    pub(crate) script: Script,
    pub(crate) checks: Vec<Check>,
    /// The name of the fault that it was made for, if it was.
    pub(crate) fault: &'static str,
}

impl Iteration {
    /// What has to become of an ordinary conversation.
    pub(crate) fn new(script: Script, checks: Vec<Check>) -> Self {
        Self { script, checks, fault: "" }
    }
}

type Make = dyn Fn(&mut dyn Source, &Scene<'_>) -> Iteration + Send + Sync;

/// What a generated case makes.
pub(crate) struct Property {
    pub(crate) ground: Ground,
    /// The row that is broken when a good request is not processed afterwards.
    pub(crate) harm: Option<&'static str>,
    /// Whether each conversation has a ground of its own: it chooses numbers, or ends what others need.
    pub(crate) is_alone: bool,
    /// So many fewer conversations are made: each costs more than others do.
    pub(crate) fewer: u64,
    make: Box<Make>,
}

impl Property {
    pub(crate) fn new(
        ground: Ground,
        make: impl Fn(&mut dyn Source, &Scene<'_>) -> Iteration + Send + Sync + 'static,
    ) -> Self {
        Self { ground, harm: None, is_alone: false, fewer: 1, make: Box::new(make) }
    }

    /// Each conversation has a ground of its own.
    pub(crate) fn alone(self) -> Self {
        Self { is_alone: true, ..self }
    }

    /// Its messages are long: a fifth as many conversations are made.
    pub(crate) fn costly(self) -> Self {
        Self { fewer: 5, ..self }
    }

    /// A good request must be processed afterwards, by this row.
    pub(crate) fn harmless(self, row: &'static str) -> Self {
        Self { harm: Some(row), ..self }
    }

    pub(crate) fn make(&self, source: &mut dyn Source, scene: &Scene<'_>) -> Iteration {
        (self.make)(source, scene)
    }

    /// What it makes when every choice is the plainest.
    pub(crate) fn plainest(&self, mode: Mode) -> Iteration {
        self.make(&mut Recorded::default(), &Scene { mode, name: "m" })
    }

    /// The whole conversation of an iteration: its ground, itself, what proves silence, and what must still work.
    pub(crate) fn whole(&self, iteration: &Iteration, mode: Mode) -> Script {
        let script = self.ground.prelude(mode);
        let steps = script.steps.into_iter().chain(iteration.script.steps.iter().cloned());
        self.ground.closing(Script { steps: steps.collect() }, &iteration.script, self.harm.is_some())
    }

    /// What has to become of an iteration that is played alone.
    pub(crate) fn checks(&self, iteration: &Iteration) -> Vec<Check> {
        let served = self.harm.map(|row| Check::new(ground::GOOD, row, Expect::Processed));
        iteration.checks.iter().cloned().chain(served).collect()
    }

    /// Judges an iteration that was played alone.
    pub(crate) fn read(&self, iteration: &Iteration, judge: &mut Judge<'_>) {
        judge.all(&self.checks(iteration));
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property").field("ground", &self.ground).finish_non_exhaustive()
    }
}
