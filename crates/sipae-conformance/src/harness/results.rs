//! One run for all tests that are chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use libtest_mimic::{Completion, Failed};
use sipae_events::{CaseFinished, Event, GateFinished, GateOutcome, Verdict};

use super::names::{CODEC, GATE, Name, subject};
use crate::failure;
use crate::run::{RunOptions, run};

/// How the failure of a test begins whose case was not run.
pub(super) const BLOCKED: &str = "blocked";

/// What came out of one test.
type Result = std::result::Result<Completion, Failed>;

/// Results as they come in. The run begins when the first one is asked for.
pub(super) struct Results {
    options: RunOptions,
    chosen: Vec<Name>,
    begun: Once,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    results: BTreeMap<(String, String), Result>,
    /// Why there is nothing of a subject, by subject.
    unsupported: BTreeMap<String, String>,
    is_over: bool,
}

impl Results {
    pub(super) fn new(options: RunOptions, chosen: Vec<Name>) -> Self {
        Self { options, chosen, begun: Once::new(), state: Arc::default() }
    }

    /// The result of a test; waits for it.
    pub(super) fn of(&self, name: &Name) -> Result {
        self.begun.call_once(|| self.begin());
        let (state, changed) = &*self.state;
        let key = (name.subject.clone(), name.case.clone());
        let mut state = lock(state);
        loop {
            if let Some(result) = state.results.remove(&key) {
                return result;
            }
            if state.is_over
                && let Some(reason) = state.unsupported.get(&name.subject)
            {
                return Ok(Completion::ignored_with(reason.clone()));
            }
            if state.is_over {
                return Err("the run ended before this case".into());
            }
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tests wait in as many threads as they have; the run has its own.
    fn begin(&self) {
        let runs = runs(&self.options, &self.chosen);
        let state = Arc::clone(&self.state);
        let work = move || {
            let over = Over(state);
            for (subject, options) in runs {
                run(&options, &mut |event| over.tell(&subject, event, options.seed));
            }
        };
        // Without a thread for it the run is over at once, and every test says so.
        let _handle = thread::Builder::new().spawn(work);
    }
}

/// One run for each subject, with the cases that are chosen there.
fn runs(options: &RunOptions, chosen: &[Name]) -> Vec<(String, RunOptions)> {
    let of = |wanted: &str| -> BTreeSet<String> {
        chosen.iter().filter(|name| name.subject == wanted).map(|name| name.case.clone()).collect()
    };
    let settings = options.settings();
    let subjects = settings.iter().map(|setting| (subject(*setting), Some(*setting)));
    let subjects = subjects.chain([(CODEC.to_owned(), None)]);
    subjects
        .filter_map(|(subject, setting)| {
            let cases = of(&subject);
            if cases.is_empty() {
                return None;
            }
            let mut options = options.clone();
            options.filter.exactly = Some(Arc::new(cases));
            options.settings = setting.map(|setting| vec![setting]);
            Some((subject, options))
        })
        .collect()
}

/// Says that the run is over, however it ends.
struct Over(Arc<(Mutex<State>, Condvar)>);

impl Over {
    fn tell(&self, subject: &str, event: &Event, seed: u64) {
        let (case, result) = match event {
            Event::GateFinished(gate) => (GATE.to_owned(), of_gate(gate)),
            Event::CaseFinished(case) => (case.case.to_string(), of_case(case, seed)),
            _ => return,
        };
        let (state, changed) = &*self.0;
        if let Event::GateFinished(GateFinished { outcome: GateOutcome::Unsupported, reason, .. }) = event {
            let reason = reason.clone().unwrap_or_default();
            lock(state).unsupported.insert(subject.to_owned(), reason);
        }
        lock(state).results.insert((subject.to_owned(), case), result);
        changed.notify_all();
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        let (state, changed) = &*self.0;
        lock(state).is_over = true;
        changed.notify_all();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of_gate(gate: &GateFinished) -> Result {
    let reason = gate.reason.clone().unwrap_or_default();
    match gate.outcome {
        GateOutcome::Open => Ok(Completion::Completed),
        GateOutcome::Unsupported | GateOutcome::Untested => Ok(Completion::ignored_with(reason)),
        GateOutcome::Failed => Err(reason.into()),
    }
}

fn of_case(case: &CaseFinished, seed: u64) -> Result {
    let ignored = |verdict: Verdict| {
        let reason = case.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        Ok(Completion::ignored_with(format!("{verdict}{reason}")))
    };
    match case.verdict {
        Verdict::Pass | Verdict::Loose => Ok(Completion::Completed),
        verdict @ (Verdict::Inconclusive | Verdict::Unsupported | Verdict::Cancelled) => ignored(verdict),
        Verdict::Blocked => Err(format!("{BLOCKED}: {}", case.reason.as_deref().unwrap_or_default()).into()),
        Verdict::Fail(_) => Err(failure::text(case, seed).into()),
    }
}
