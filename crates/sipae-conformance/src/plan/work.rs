//! The trials of a plan, side by side, and what is done where the target seems to be lost.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use sipae_events::{CaseFinished, Cause, Verdict};

use super::{Entry, Plan};
use crate::case::Case;
use crate::schedule::{Job, Queue, Turn};
use crate::trial::{self, Outcome, Trial};

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
}

/// A case that seems to have met the end of the target, and those that ran beside it.
struct Doubted {
    finished: Box<CaseFinished>,
    beside: Vec<usize>,
}

impl<'p> Work<'p> {
    pub(super) fn new(plan: &'p Plan<'p>) -> Self {
        Self { plan, queue: Queue::new(plan.jobs()), lost: Mutex::default(), doubted: Mutex::default() }
    }

    /// Why a case cannot have the time that it needs; nothing is sent for it then.
    fn lost_clock(&self, case: &Case) -> Option<String> {
        let control = self.plan.options.control.as_ref().filter(|_| !case.needs().timers.is_empty());
        control.and_then(|control| control.broken())
    }

    /// Takes one job after the other until none is left.
    pub(super) fn go(&self, sender: &mpsc::Sender<(usize, Outcome<'static>)>) {
        while let Some(job) = self.queue.take() {
            let outcome = self.trial(&job);
            self.queue.give_back(&job);
            if let Some(outcome) = outcome
                && sender.send((job.place, outcome)).is_err()
            {
                return;
            }
        }
    }

    /// What became of a job; none where it is begun again.
    fn trial(&self, job: &Job) -> Option<Outcome<'static>> {
        let Some(Entry::Trial(trial, passage)) = self.plan.entries.get(job.place) else { return None };
        let passage = self.plan.passages.get(*passage)?;
        let doubted = self.doubted().remove(&job.place);
        if let Some((verdict, reason)) = self.excuse(trial) {
            let excused = || Outcome::Finished(Box::new(trial.not_run(verdict, reason)));
            return Some(doubted.map_or_else(excused, |doubted| self.end(trial, doubted)));
        }
        let id = trial.case.id();
        // No server gets identifiers twice.
        let again = if job.is_again { " again" } else { "" };
        let peer = job.claim.peer.unwrap_or_default();
        let stages = |part: &str| {
            let part = format!("{id}{again} {part}");
            self.plan.options.stage(self.plan.ways.as_ref(), passage.setting, &part, &passage.pace, peer)
        };
        if let Some(doubted) = doubted {
            if trial::lost(&stages).is_some() {
                return Some(self.end(trial, doubted));
            }
            self.queue.narrow();
            if trial.case.needs().failed_logons != 0 {
                return Some(crowded(trial, "other cases ran beside it"));
            }
        }
        match trial.clone().run(&self.plan.effort, &passage.pace, &stages) {
            // What stays registered would get the requests of the next trial with the same second user.
            Outcome::Parked(parked) if job.claim.peer.is_some() => {
                self.weighed(trial, job, Box::new(parked.settle(passage.pace.quiet())))
            }
            Outcome::Finished(finished)
                if finished.verdict == Verdict::Fail(Cause::Hang)
                    && !self.queue.had_company(job)
                    && trial::answers_soon(&stages) =>
            {
                Some(crowded(trial, "the case held its own"))
            }
            Outcome::Finished(finished) => self.weighed(trial, job, finished),
            parked @ Outcome::Parked(_) => Some(parked),
        }
    }

    /// Why a case is not run any more.
    fn excuse(&self, trial: &Trial<'_>) -> Option<(Verdict, Option<String>)> {
        if self.plan.options.effort.stop.is_due() {
            return Some((Verdict::Cancelled, None));
        }
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reason = lost.or_else(|| self.lost_clock(trial.case))?;
        Some((Verdict::Blocked, Some(reason)))
    }

    /// What was seen beside others need not be what a case comes to by itself: a target may take few connections at a time.
    fn weighed(&self, trial: &Trial<'_>, job: &Job, finished: Box<CaseFinished>) -> Option<Outcome<'static>> {
        // In memory each has a server of its own.
        let had_company = self.queue.had_company(job) && !self.plan.options.target.is_in_memory();
        if self.is_end(finished.verdict) {
            let doubted = Doubted { finished, beside: self.queue.beside(job) };
            if !had_company {
                return Some(self.end(trial, doubted));
            }
            self.doubted().insert(job.place, doubted);
            self.queue.again(job, Turn::Next);
            return None;
        }
        if had_company && finished.verdict == Verdict::Inconclusive && may_repeat(trial.case) {
            self.queue.again(job, Turn::Last);
            return None;
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
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Whether a case that decided nothing beside others is played by itself: generated ones have had many tries, and wrong
/// passwords lock accounts.
fn may_repeat(case: &Case) -> bool {
    !case.is_generated() && case.needs().failed_logons == 0
}

/// Nothing is known of a case with which a target had too many connections.
fn crowded(trial: &Trial<'_>, while_: &str) -> Outcome<'static> {
    let reason = format!("the target answered on no other connection while {while_}");
    Outcome::Finished(Box::new(trial.not_run(Verdict::Inconclusive, Some(reason))))
}
