//! The trials of a plan, side by side, and what is done where the target seems to be lost.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use sipae_events::{CaseFinished, Cause, Verdict};

use super::{Entry, Passage, Plan};
use crate::case::Case;
use crate::execute::Stage;
use crate::schedule::{Job, Queue, Turn};
use crate::trial::{self, CROWDED, Outcome, Parked, Trial};

/// What all workers share.
pub(super) struct Work<'p> {
    plan: &'p Plan<'p>,
    queue: Queue,
    /// In which case the target ended or began to hang: nothing more is sent to it, since each attempt would cost its
    /// whole patience.
    lost: Mutex<Option<String>>,
    /// By place, what was seen where the target seemed to be lost and others ran beside it: it may only have had enough
    /// of connections.
    doubted: Mutex<BTreeMap<usize, Doubted>>,
    /// By place, what is told at the end of the run.
    later: Mutex<BTreeMap<usize, Later>>,
}

/// What became of the trial at a place.
pub(super) enum Became {
    Finished(Box<CaseFinished>),
    /// It is told at the end of the run.
    Later,
}

/// A case for which time tells.
enum Later {
    Parked(Box<Parked<'static>>),
    Settled(Box<CaseFinished>),
}

/// Cases that wait for time to tell: each holds its connections.
const MOST_PARKED: usize = 64;

/// A case that seems to have met the end of the target, and those that ran beside it.
struct Doubted {
    finished: Box<CaseFinished>,
    beside: Vec<usize>,
}

impl Later {
    const fn is_parked(&self) -> bool {
        matches!(self, Self::Parked(_))
    }

    fn settled(self, patience: Duration) -> Box<CaseFinished> {
        match self {
            Self::Parked(parked) => Box::new(parked.settle(patience)),
            Self::Settled(finished) => finished,
        }
    }
}

impl<'p> Work<'p> {
    pub(super) fn new(plan: &'p Plan<'p>) -> Self {
        let (lost, doubted, later) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { plan, queue: Queue::new(plan.jobs()), lost, doubted, later }
    }

    /// Why a case cannot have the time that it needs; nothing is sent for it then.
    fn lost_clock(&self, case: &Case) -> Option<String> {
        let control = self.plan.options.control.as_ref().filter(|_| !case.needs().timers.is_empty());
        control.and_then(|control| control.broken())
    }

    /// Takes one job after the other until none is left.
    pub(super) fn go(&self, sender: &mpsc::Sender<(usize, Became)>) {
        while let Some(job) = self.queue.take() {
            let became = self.trial(&job).map(|outcome| self.became(&job, outcome));
            self.queue.give_back(&job);
            if let Some(became) = became
                && sender.send((job.place, became)).is_err()
            {
                return;
            }
        }
    }

    fn became(&self, job: &Job, outcome: Outcome<'static>) -> Became {
        match outcome {
            Outcome::Finished(finished) => Became::Finished(finished),
            Outcome::Parked(parked) => {
                self.later().insert(job.place, Later::Parked(parked));
                let parked = self.later().values().filter(|later| later.is_parked()).count();
                if MOST_PARKED < parked {
                    self.settle();
                }
                Became::Later
            }
        }
    }

    /// Lets time tell of all that wait for it, and whether there were any. Most of it is over for most of them.
    fn settle(&self) -> bool {
        let all = std::mem::take(&mut *self.later());
        let had_parked = all.values().any(Later::is_parked);
        for (place, later) in all {
            let settled = Later::Settled(later.settled(self.plan.options.profile.answer_timeout));
            self.later().insert(place, settled);
        }
        had_parked
    }

    fn later(&self) -> MutexGuard<'_, BTreeMap<usize, Later>> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was not told yet, in its order.
    pub(super) fn told_last(self) -> impl Iterator<Item = CaseFinished> {
        let patience = self.plan.options.profile.answer_timeout;
        let later = self.later.into_inner().unwrap_or_else(PoisonError::into_inner);
        later.into_values().map(move |later| *later.settled(patience))
    }

    /// What became of a job; none where it is begun again.
    fn trial(&self, job: &Job) -> Option<Outcome<'static>> {
        let Some(Entry::Trial(trial, passage)) = self.plan.entries.get(job.place) else { return None };
        let passage = self.plan.passages.get(*passage)?;
        let not_run = |verdict, reason| Some(Outcome::Finished(Box::new(trial.not_run(verdict, reason))));
        if let Some(reason) = self.lost().clone() {
            return not_run(Verdict::Blocked, Some(reason));
        }
        let stages = |part: &str| self.stage(trial, passage, job, part);
        let doubted = self.doubted().remove(&job.place);
        if let Some(doubted) = doubted {
            // Those that wait hold connections.
            self.settle();
            if trial::lost(&stages).is_some() {
                return Some(self.end(trial, doubted));
            }
            self.queue.narrow();
            if trial.case.needs().failed_logons != 0 {
                return not_run(Verdict::Inconclusive, Some(CROWDED.to_owned()));
            }
        }
        if self.plan.options.effort.stop.is_due() {
            return not_run(Verdict::Cancelled, None);
        }
        if let Some(reason) = self.lost_clock(trial.case) {
            return not_run(Verdict::Blocked, Some(reason));
        }
        match trial.clone().run(&self.plan.effort, &passage.pace, &stages) {
            // What stays registered would get the requests of the next trial with the same second user, and what stays
            // connected may be one too many.
            Outcome::Parked(parked) if job.claim.peer.is_some() || self.queue.is_narrow() => {
                self.weighed(trial, job, Box::new(parked.settle(passage.pace.quiet())))
            }
            Outcome::Finished(finished) => self.weighed(trial, job, finished),
            parked @ Outcome::Parked(_) => Some(parked),
        }
    }

    /// No server gets identifiers twice; what is generated is the same each time.
    fn stage(&self, trial: &Trial<'_>, passage: &Passage, job: &Job, part: &str) -> Stage {
        let Passage { setting, pace, .. } = passage;
        let (options, ways) = (self.plan.options, self.plan.ways.as_ref());
        let named = |again: &str| format!("{}{again} {part}", trial.case.id());
        let peer = job.claim.peer.unwrap_or_default();
        let stage =
            options.stage(ways, *setting, &named(if job.is_again { " again" } else { "" }), pace, peer);
        Stage { choices: options.seed_with(0, &named(""), *setting), ..stage }
    }

    fn lost(&self) -> MutexGuard<'_, Option<String>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was seen beside others need not be what a case comes to by itself: a target may take few connections at a time.
    fn weighed(&self, trial: &Trial<'_>, job: &Job, finished: Box<CaseFinished>) -> Option<Outcome<'static>> {
        // In memory each has a server of its own.
        let had_company = self.queue.had_company(job) && !self.plan.options.target.is_in_memory();
        let may_repeat = had_company && trial.case.needs().failed_logons == 0;
        let again = |turn| {
            self.queue.again(job, turn);
            None
        };
        if self.is_end(finished.verdict) {
            let doubted = Doubted { finished, beside: self.queue.beside(job) };
            // Where nobody listens any more, that is not for want of connections.
            let is_hang = doubted.finished.verdict == Verdict::Fail(Cause::Hang);
            if !(is_hang && (had_company || self.settle())) {
                return Some(self.end(trial, doubted));
            }
            self.doubted().insert(job.place, doubted);
            return again(Turn::Next);
        }
        if finished.reason.as_deref() == Some(CROWDED) {
            self.queue.narrow();
            let had_waiting = self.settle() && trial.case.needs().failed_logons == 0;
            if may_repeat || had_waiting {
                return again(Turn::Next);
            }
        }
        // Generated ones have had many tries.
        if may_repeat && finished.verdict == Verdict::Inconclusive && !trial.case.is_generated() {
            return again(Turn::Last);
        }
        Some(Outcome::Finished(finished))
    }

    fn doubted(&self) -> MutexGuard<'_, BTreeMap<usize, Doubted>> {
        // Each change is whole: a thread that panicked left a good map.
        self.doubted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing more can be sent to a target that has come to this.
    const fn is_end(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Fail(Cause::Crash) => self.plan.options.target.is_lost_by_a_crash(),
            Verdict::Fail(Cause::Hang) => true,
            _ => false,
        }
    }

    /// The target was lost in a trial, unless another one was the first to notice.
    fn end(&self, trial: &Trial<'_>, seen: Doubted) -> Outcome<'static> {
        let Doubted { mut finished, beside } = seen;
        let mut lost = self.lost();
        if let Some(reason) = lost.clone() {
            // What this one saw is the same end.
            return Outcome::Finished(Box::new(trial.not_run(Verdict::Blocked, Some(reason))));
        }
        let what = if finished.verdict == Verdict::Fail(Cause::Hang) { "hangs since" } else { "ended in" };
        *lost = Some(format!("the target {what} {}", trial.case.id()));
        finished.reason = finished.reason.map(|reason| reason + &self.suspects(&beside));
        Outcome::Finished(finished)
    }

    /// Where cases run side by side, the one that notices an end need not be the one that caused it.
    fn suspects(&self, beside: &[usize]) -> String {
        let id = |place: &usize| match self.plan.entries.get(*place) {
            Some(Entry::Trial(trial, _)) => Some(trial.case.id()),
            _ => None,
        };
        let ids: Vec<&str> = beside.iter().filter_map(id).collect();
        if ids.is_empty() {
            String::new()
        } else {
            format!("; beside it ran {} (--jobs 1 tells which)", ids.join(", "))
        }
    }
}
