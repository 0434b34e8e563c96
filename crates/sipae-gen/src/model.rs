//! A model of what a server keeps of several users and connections, and of what it may do next.
//!
//! Sets and numbers: no signature is made here, nothing is read, and nothing is shared with the reference. An [`Action`] is
//! what the suite does; [`Model::step`] says which reactions are legal then, as far as the catalogue makes that certain,
//! and [`Expected::Open`] else. An action that has no meaning in the present state is left out, so that a sequence of
//! actions stays a sequence of actions whatever is taken away from it.
//!
//! [`script()`] compiles a sequence; what it sends follows from the actions alone. [`Scripted::judge`] compares what was
//! seen, and lets the model learn on the way what nobody could foresee.

mod action;
mod compile;
mod foresee;
mod generate;
mod prediction;
mod resolve;
mod shrink;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub use action::{Action, Borrowed, Carrier, Forgery, Number, PARTIES, Passing, Request};
pub use compile::{Expectation, Scripted, Surprise, script};
pub use generate::actions;
pub use prediction::{Broken, Delivery, Expected, Outcome, Prediction, Rows, Seen, is_told_refusal};
pub use shrink::shrink_candidates;

use resolve::Move;
use state::State;

/// Those of a sequence that have a meaning when their turn comes: what is sent stays the same without the others.
#[must_use]
pub fn meaningful(actions: &[Action]) -> Vec<Action> {
    let mut model = Model::new();
    actions.iter().filter(|action| model.step(action).is_some()).copied().collect()
}

/// What a server keeps, as far as what was done and seen tells.
#[derive(Clone, Debug, Default)]
pub struct Model {
    state: State,
    /// What it is if the last message was accepted, and if it was not.
    outcomes: Option<(State, State)>,
    steps: usize,
}

impl Model {
    /// Nobody has said anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does the next action. `None` where it has no meaning now: nothing is sent then, and nothing changes.
    pub fn step(&mut self, action: &Action) -> Option<Prediction> {
        self.advance(action).map(|(_, prediction)| prediction)
    }

    /// What became of the message of the last step: what was open is known then.
    pub fn saw(&mut self, accepted: bool) {
        if let Some((yes, no)) = self.outcomes.take() {
            self.state = if accepted { yes } else { no };
        }
    }

    fn advance(&mut self, action: &Action) -> Option<(Move, Prediction)> {
        let place = self.steps;
        self.steps += 1;
        let mut planned = self.state.resolve(action, place)?;
        let expected = self.state.foresee(&planned).prediction.expected;
        planned.fence = self.state.fence(action, expected);
        let prediction = self.follow(&planned);
        Some((planned, prediction))
    }

    /// Goes on as predicted; where that is open the state fits both outcomes.
    fn follow(&mut self, planned: &Move) -> Prediction {
        let foreseen = self.state.foresee(planned);
        self.state = match foreseen.prediction.expected {
            Expected::Accepted => foreseen.accepted.clone(),
            Expected::Open => foreseen.accepted.merged(&foreseen.refused),
            Expected::Challenged | Expected::Refused | Expected::Denied => foreseen.refused.clone(),
        };
        self.outcomes = Some((foreseen.accepted, foreseen.refused));
        foreseen.prediction
    }
}
