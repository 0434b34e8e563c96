//! Which trial runs when: side by side where they do not disturb each other, each second user in one trial at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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
    /// Whether it was begun before, beside others.
    pub(crate) is_again: bool,
}

impl Job {
    pub(crate) const fn new(place: usize, claim: Claim) -> Self {
        Self { place, claim, is_again: false }
    }
}

/// When a job that is begun again has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Before anything else.
    Next,
    /// Behind all others.
    Last,
}

/// Jobs that wait, and what the running ones hold.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Before all others, one at a time.
    urgent: VecDeque<Job>,
    waiting: VecDeque<Job>,
    /// The jobs that run, and whether another one has run beside each since it was begun.
    running: BTreeMap<usize, bool>,
    peers: BTreeSet<usize>,
    is_alone: bool,
    /// Whether every job runs alone.
    is_narrow: bool,
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
            if state.waiting.is_empty() && state.urgent.is_empty() {
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

    /// A job that runs is begun again when it is over, by itself.
    pub(crate) fn again(&self, job: &Job, turn: Turn) {
        let mut state = self.lock();
        let job = Job { claim: Claim { cost: Cost::Alone, ..job.claim }, is_again: true, ..*job };
        match turn {
            Turn::Next => state.urgent.push_back(job),
            Turn::Last => state.waiting.push_back(job),
        }
    }

    /// From now on one job runs at a time.
    pub(crate) fn narrow(&self) {
        self.lock().is_narrow = true;
    }

    pub(crate) fn is_narrow(&self) -> bool {
        self.lock().is_narrow
    }

    /// The jobs that run at this moment, but for one.
    pub(crate) fn beside(&self, job: &Job) -> Vec<usize> {
        self.lock().running.keys().copied().filter(|place| *place != job.place).collect()
    }

    /// Whether any other job has run beside a running one since that was begun.
    pub(crate) fn had_company(&self, job: &Job) -> bool {
        self.lock().running.get(&job.place).is_some_and(|had_company| *had_company)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is whole: a thread that panicked left a good state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Job> {
        let job = if self.urgent.is_empty() {
            let place = self.waiting.iter().position(|job| self.may_run(job))?;
            self.waiting.remove(place)?
        } else if self.running.is_empty() {
            self.urgent.pop_front()?
        } else {
            return None;
        };
        let has_company = !self.running.is_empty();
        self.running.values_mut().for_each(|had_company| *had_company = true);
        self.running.insert(job.place, has_company);
        self.peers.extend(job.claim.peer);
        self.is_alone = job.claim.cost == Cost::Alone;
        Some(job)
    }

    fn may_run(&self, job: &Job) -> bool {
        let is_free = job.claim.peer.is_none_or(|peer| !self.peers.contains(&peer));
        let needs_quiet = self.is_narrow || job.claim.cost == Cost::Alone;
        let is_quiet = !needs_quiet || self.running.is_empty();
        !self.is_alone && is_free && is_quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(place: usize, peer: Option<usize>, cost: Cost) -> Job {
        Job::new(place, Claim { peer, cost })
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
    fn what_is_begun_again_runs_by_itself_next_or_last() {
        let jobs = (0..4).map(|place| job(place, None, Cost::Light)).collect();
        let queue = Queue::new(jobs);
        let first = [queue.take(), queue.take(), queue.take()].map(|job| job.expect("a job"));
        queue.again(&first[0], Turn::Last);
        queue.again(&first[1], Turn::Next);
        for job in &first {
            assert!(queue.lock().take().is_none());
            queue.give_back(job);
        }
        let order: Vec<(usize, bool)> = std::iter::from_fn(|| {
            let job = queue.take()?;
            queue.give_back(&job);
            Some((job.place, job.is_again))
        })
        .collect();
        assert_eq!(order, [(1, true), (3, false), (0, true)]);
    }

    /// Company that has gone meanwhile may have been why.
    #[test]
    fn who_had_company_is_known_to_its_end() {
        let queue = Queue::new((0..3).map(|place| job(place, None, Cost::Light)).collect());
        let [first, second] = [queue.take(), queue.take()].map(|job| job.expect("a job"));
        queue.give_back(&first);
        assert!(queue.had_company(&second) && queue.beside(&second).is_empty());
        queue.give_back(&second);
        let third = queue.take().expect("a job");
        assert!(!queue.had_company(&third));
    }

    #[test]
    fn a_narrow_queue_gives_one_job_at_a_time() {
        let queue = Queue::new((0..2).map(|place| job(place, None, Cost::Light)).collect());
        queue.narrow();
        let first = queue.take().expect("a job");
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
