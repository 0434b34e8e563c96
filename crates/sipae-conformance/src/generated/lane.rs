//! Many iterations of a property over one ground, sent before they are answered where that shortens the run.

use sipae_gen::{Connection, Label, Mode, Script, Step, Template};

use super::ground::SA;
use super::{Iteration, Property};
use crate::execute::{Session, Stage};
use crate::judge::{Judge, Judgement};
use crate::observation::Observation;
use crate::reaction::Reaction;

/// What came of a batch of iterations.
pub(super) enum Batch {
    /// A judgement of each, in their order.
    Judged(Vec<Judgement>),
    /// Something went wrong that is nobody's alone: each has to be played by itself.
    Unclear,
}

/// A ground that serves one batch after the other.
pub(super) struct Lane<'p> {
    property: &'p Property,
    session: Session,
    mode: Mode,
    strict: bool,
    rows: &'p [&'static str],
}

impl<'p> Lane<'p> {
    /// # Errors
    /// Why the ground could not be laid.
    pub(super) fn open(
        property: &'p Property,
        stage: Stage,
        rows: &'p [&'static str],
        strict: bool,
    ) -> Result<Self, String> {
        let mode = stage.mode;
        let session = Session::open(stage, &property.ground.prelude(mode)).map_err(|(broken, stage)| {
            drop(stage);
            broken
        })?;
        let mut lane = Self { property, session, mode, strict, rows };
        drop(lane.session.take());
        Ok(lane)
    }

    /// Plays a batch. A fence behind all of them proves which were not answered, and that the association serves.
    pub(super) fn play(&mut self, iterations: &[Iteration]) -> Batch {
        for iteration in iterations {
            let is_played = self.session.play(&iteration.script.steps).is_ok();
            // What is waited for in vain once would be in each of the others.
            let missed = self.session.missed();
            let fails = |observation: Observation| self.judged(iteration, &observation).verdict.is_fail();
            if !is_played || missed.is_some_and(fails) {
                return Batch::Unclear;
            }
        }
        if self.session.play(&self.fence()).is_err() {
            return Batch::Unclear;
        }
        self.session.wait_for_all();
        let observation = self.session.take();
        if !is_served(self.property, &observation) && !self.recovers() {
            return Batch::Unclear;
        }
        Batch::Judged(iterations.iter().map(|iteration| self.judged(iteration, &observation)).collect())
    }

    fn judged(&self, iteration: &Iteration, observation: &Observation) -> Judgement {
        let mut judge = Judge::new(observation, self.rows, self.mode, self.strict);
        judge.all(&iteration.checks);
        judge.judgement()
    }

    fn fence(&self) -> Vec<Step> {
        let script = Script::default();
        let fenced =
            if self.property.ground.is_established() { script.signed_fence(SA) } else { script.fence() };
        fenced.steps
    }

    /// Whether a target that closes connections over what it refuses serves the association over another one.
    fn recovers(&mut self) -> bool {
        const AGAIN: &str = "again";
        let script = Script::default().connect(Connection::FIRST);
        let script = script.compose(AGAIN, Template::new("REGISTER"));
        let script = if self.property.ground.is_established() { script.sign(AGAIN, SA) } else { script };
        let is_played = self.session.play(&script.ask(AGAIN).steps).is_ok();
        is_played
            && self.session.take().reaction(AGAIN).is_some_and(|reaction| is_service(self.property, reaction))
    }

    /// Takes what was registered away.
    pub(super) fn close(self) {
        drop(self.session.finish());
    }
}

fn is_service(property: &Property, reaction: &Reaction) -> bool {
    match reaction {
        Reaction::Final { .. } => true,
        Reaction::Challenge(_) | Reaction::DigestChallenge(_) => !property.ground.is_established(),
        _ => false,
    }
}

/// Whether the fence of a batch was answered as it has to be.
fn is_served(property: &Property, observation: &Observation) -> bool {
    let is_fence = |label: &Label| label.as_str().starts_with("fence ");
    let fence = observation.messages.iter().find(|(label, _)| is_fence(label));
    fence.is_some_and(|(_, seen)| is_service(property, &seen.reaction))
}
