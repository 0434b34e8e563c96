//! Which trial runs when: side by side where they do not disturb each other, each second user in one trial at a time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::case::Cost;

/// What a job takes while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The second user, by place in the profile.
    pub(crate) peer: Option<usize>,
    pub(crate) cost: Cost,
}

/// A job of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// Place in the order of the run.
    pub(crate) place: usize,
    pub(crate) claim: Claim,
}

/// Jobs that wait, and what the running ones hold.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    running: BTreeSet<usize>,
    peers: BTreeSet<usize>,
    is_alone: bool,
}

impl Queue {
    /// Slow jobs begin first, since they wait most of their time; those that must be alone come last.
    pub(crate) fn new(mut jobs: Vec<Job>) -> Self {
        jobs.sort_by_key(|job| match job.claim.cost {
            Cost::Slow => 0,
            Cost::Light => 1,
            Cost::Alone => 2,
        });
        let state = State { waiting: jobs.into(), ..State::default() };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The next job that may run; waits while what it needs is taken. `None` when none is left.
    pub(crate) fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.waiting.is_empty() {
                return None;
            }
            if let Some(job) = state.take() {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A job is over.
    pub(crate) fn give_back(&self, job: &Job) {
        let mut state = self.lock();
        state.running.remove(&job.place);
        if let Some(peer) = job.claim.peer {
            state.peers.remove(&peer);
        }
        state.is_alone &= job.claim.cost != Cost::Alone;
        drop(state);
        self.changed.notify_all();
    }

    /// The jobs that run at this moment, but for one.
    pub(crate) fn beside(&self, job: &Job) -> Vec<usize> {
        self.lock().running.iter().copied().filter(|place| *place != job.place).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is whole: a thread that panicked left a good state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Job> {
        let place = self.waiting.iter().position(|job| self.may_run(job))?;
        let job = self.waiting.remove(place)?;
        self.running.insert(job.place);
        self.peers.extend(job.claim.peer);
        self.is_alone = job.claim.cost == Cost::Alone;
        Some(job)
    }

    fn may_run(&self, job: &Job) -> bool {
        let is_free = job.claim.peer.is_none_or(|peer| !self.peers.contains(&peer));
        let is_quiet = job.claim.cost != Cost::Alone || self.running.is_empty();
        !self.is_alone && is_free && is_quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(place: usize, peer: Option<usize>, cost: Cost) -> Job {
        Job { place, claim: Claim { peer, cost } }
    }

    #[test]
    fn a_second_user_is_in_one_trial_at_a_time() {
        let queue = Queue::new(vec![
            job(0, Some(0), Cost::Light),
            job(1, Some(0), Cost::Light),
            job(2, Some(1), Cost::Light),
        ]);
        let first = queue.take().expect("a job");
        assert_eq!(queue.take().map(|job| job.place), Some(2));
        assert!(queue.lock().take().is_none());
        queue.give_back(&first);
        assert_eq!(queue.take().map(|job| job.place), Some(1));
    }

    #[test]
    fn what_must_be_alone_waits_for_all_others_and_all_others_for_it() {
        let queue = Queue::new(vec![
            job(0, None, Cost::Alone),
            job(1, None, Cost::Light),
            job(2, None, Cost::Slow),
            job(3, None, Cost::Alone),
        ]);
        let order = [queue.take(), queue.take()].map(|job| job.expect("a job"));
        assert_eq!(order.map(|job| job.place), [2, 1]);
        assert!(queue.lock().take().is_none());
        order.iter().for_each(|job| queue.give_back(job));
        let alone = queue.take().expect("a job");
        assert!(alone.place == 0 && queue.lock().take().is_none());
        queue.give_back(&alone);
        assert_eq!(queue.take().map(|job| job.place), Some(3));
        assert_eq!(queue.take(), None);
    }
}
