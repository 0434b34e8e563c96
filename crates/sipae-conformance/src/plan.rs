//! What a run does at each of its places, and in which order it is told.

mod work;

use std::sync::{Arc, mpsc};
use std::thread;

use sipae::auth::Scheme;
use sipae_events::{CaseFinished, Event, GateFinished, GateOutcome, Subject, Verdict};
use sipae_gen::ScriptFile;
use sipae_net::SeededEntropy;

use self::work::{Became, Work};
use crate::case::{Case, Cost};
use crate::cases;
use crate::execute::Stage;
use crate::gate::{self, GateReport, Known};
use crate::generated::Effort;
use crate::judge::Judge;
use crate::needs::{Budget, decide};
use crate::pace::Pace;
use crate::run::{RunOptions, Teller};
use crate::schedule::{Claim, Job};
use crate::target::{Connector, Mode, Setting, Target};
use crate::trial::{Conversation, Outcome, Trial};

/// The gate of one setting, and where its trials stand.
struct Passage {
    setting: Setting,
    pace: Arc<Pace>,
    report: GateReport,
}

/// What is to be told at one place of the run.
enum Entry {
    /// A gate.
    Gate(usize),
    /// A case that is not run, and why.
    Decided(Trial<'static>, Verdict, Option<String>),
    /// A case that runs.
    Trial(Trial<'static>, usize),
}

pub(crate) struct Plan<'r> {
    options: &'r RunOptions,
    ways: Arc<dyn Connector>,
    passages: Vec<Passage>,
    entries: Vec<Entry>,
    /// What each generated case may take.
    effort: Effort,
}

impl<'r> Plan<'r> {
    /// The gates, and no case: for whoever plays scripts that are stored.
    pub(crate) fn of_gates(options: &'r RunOptions) -> Self {
        let ways = options.reached().ways(&options.profile);
        let (passages, entries) = (Vec::new(), Vec::new());
        let effort = options.effort.clone();
        let mut plan = Self { options, ways, passages, entries, effort };
        plan.gates();
        plan
    }

    pub(crate) fn new(options: &'r RunOptions) -> Self {
        let mut plan = Self::of_gates(options);
        let mut budget = Budget::default();
        for place in 0..plan.passages.len() {
            plan.entries.push(Entry::Gate(place));
            let cases = plan.cases(place);
            let entries: Vec<Entry> =
                cases.into_iter().map(|case| plan.entry(place, case, &mut budget)).collect();
            plan.entries.extend(entries);
        }
        plan.share_time();
        plan
    }

    /// The time for all generated cases is that of each, times as many as there are for each worker.
    fn share_time(&mut self) {
        let is_generated =
            |entry: &&Entry| matches!(entry, Entry::Trial(trial, _) if trial.case.is_generated());
        let count = self.entries.iter().filter(is_generated).count();
        let rounds = u32::try_from(count.div_ceil(self.options.jobs.max(1)).max(1)).unwrap_or(u32::MAX);
        self.effort.time = self.effort.time.map(|time| time / rounds);
    }

    /// A server that could not be reached is not tried again, nor is a scheme whose credentials it refused, since accounts
    /// lock, or that it does not offer at all.
    fn gates(&mut self) {
        let options = self.options;
        let shared = Arc::new(Pace::new(options.profile.answer_timeout));
        for setting in options.settings() {
            let pace = if options.target.is_one_server() {
                Arc::clone(&shared)
            } else {
                Arc::new(Pace::new(options.profile.answer_timeout))
            };
            if let Some(report) = self.gate_report(setting, &pace) {
                self.passages.push(Passage { setting, pace, report });
            }
        }
        self.blame_for_offering_nothing();
    }

    /// The gate of a setting; none where one of the same scheme has told all.
    fn gate_report(&self, setting: Setting, pace: &Arc<Pace>) -> Option<GateReport> {
        let scheme = setting.mode.scheme;
        if self.reports_of(scheme).any(|report| report.is_nothing(scheme)) {
            return None;
        }
        let unreachable = self.unreachable().map(GateReport::again);
        let known = self.unclaimed(setting.mode).or(unreachable);
        Some(known.unwrap_or_else(|| self.pass(setting, pace)))
    }

    fn reports_of(&self, scheme: Scheme) -> impl Iterator<Item = &GateReport> {
        let own = self.passages.iter().filter(move |passage| passage.setting.mode.scheme == scheme);
        own.map(|passage| &passage.report)
    }

    /// A server that did not answer.
    fn unreachable(&self) -> Option<&GateReport> {
        let reports = self.passages.iter().map(|passage| &passage.report);
        reports.into_iter().find(|report| report.is_final && !report.is_reachable)
    }

    /// What the profile says is not there.
    fn unclaimed(&self, mode: Mode) -> Option<GateReport> {
        let untested = |reason: String| GateReport::closed(GateOutcome::Untested, Some(reason));
        if let Some(reason) = self.options.profile.disclaims(mode.scheme) {
            return Some(GateReport { is_unclaimed: true, ..untested(reason) });
        }
        if mode.scheme == Scheme::Digest {
            return None;
        }
        let versions = self.options.target.claimed(&self.options.profile)?;
        let is_claimed = versions.contains(&mode.version);
        (!is_claimed).then(|| untested("the profile does not claim this version".to_owned()))
    }

    fn pass(&self, setting: Setting, pace: &Arc<Pace>) -> GateReport {
        let (options, ways) = (self.options, self.ways.as_ref());
        let is_claimed = match &options.target {
            Target::Reference { .. } => true,
            _ if setting.mode.scheme == Scheme::Digest => true,
            _ => options.profile.versions.is_some() && options.profile.claims(setting.mode.scheme),
        };
        let isolation = options.target.isolates(&options.profile);
        let refused = self.reports_of(setting.mode.scheme).find(|report| report.is_final);
        let stages = |part: &str| options.stage(ways, setting, &format!("gate {part}"), pace, 0);
        let report = gate::pass(&stages, pace, setting.mode, &Known { is_claimed, isolation, refused });
        if self.is_only_supposed(setting.mode.scheme) && report.outcome == GateOutcome::Failed {
            return GateReport { outcome: GateOutcome::Untested, is_unclaimed: true, ..report };
        }
        report
    }

    /// Whether nobody has said that there is a conference: that the target does not know the one of the test credentials
    /// shows nothing, and what it does with Digest instead may be no anonymous join.
    fn is_only_supposed(&self, scheme: Scheme) -> bool {
        let RunOptions { profile, filter, target, .. } = self.options;
        let is_asked_for = !filter.schemes.is_empty() || profile.claims(scheme);
        let is_reference = matches!(target, Target::Reference { .. });
        scheme == Scheme::Digest && !is_asked_for && !is_reference && profile.has_test_conference()
    }

    /// A server that answers, and offers nothing that can be tested, has failed the first gate.
    fn blame_for_offering_nothing(&mut self) {
        let is_tested = |passage: &Passage| match passage.report.outcome {
            GateOutcome::Open => true,
            GateOutcome::Failed => passage.setting.mode.scheme.signs(),
            _ => false,
        };
        if self.passages.iter().any(is_tested) {
            return;
        }
        let absent =
            |passage: &&mut Passage| passage.report.is_reachable && passage.report.outcome.is_absent();
        if let Some(passage) = self.passages.iter_mut().find(absent) {
            passage.report.outcome = GateOutcome::Failed;
        }
    }

    /// The cases that are told of at a setting: all that have to do with its scheme, and of a scheme that is open at a
    /// newer version only the core. NTLM, of which products have had every version, runs whole at each.
    fn cases(&self, place: usize) -> Vec<&'static Case> {
        let Some(Passage { setting, report, .. }) = self.passages.get(place) else { return Vec::new() };
        let Mode { scheme, version } = setting.mode;
        let is_offered = report.outcome != GateOutcome::Unsupported;
        if report.is_nothing(scheme) || scheme != Scheme::Ntlm && !is_offered {
            return Vec::new();
        }
        let is_newer = |other: &Passage| {
            let mode = other.setting.mode;
            mode.scheme == scheme && version < mode.version && other.report.outcome == GateOutcome::Open
        };
        let is_core = scheme != Scheme::Ntlm && self.passages.iter().any(is_newer);
        let cases = self.options.selected();
        cases
            .filter(|case| case.needs().schemes.contains(&scheme) && (!is_core || cases::is_core(case)))
            .collect()
    }

    fn entry(&self, place: usize, case: &'static Case, budget: &mut Budget) -> Entry {
        let Some(passage) = self.passages.get(place) else { return Entry::Gate(place) };
        let setting = passage.setting;
        let (mode, strict) = (setting.mode, self.options.strict);
        let trial = Trial { case, subject: subject(setting), mode, strict };
        match decide(self.options, case, mode, &passage.report, budget) {
            Some((verdict, reason)) => Entry::Decided(trial, verdict, reason),
            None => Entry::Trial(trial, place),
        }
    }

    /// Plays the stored conversation of a case again; `time` counts how often.
    ///
    /// # Errors
    /// Why it cannot be played.
    pub(crate) fn replay(
        &self,
        subject: &Subject,
        file: &ScriptFile,
        time: u32,
    ) -> Result<CaseFinished, String> {
        let case = self.options.selected().find(|case| case.id() == file.case);
        let case = case.ok_or_else(|| format!("there is no case {} any more", file.case))?;
        let passage = self.passages.iter().find(|passage| self::subject(passage.setting) == *subject);
        let passage = passage
            .ok_or_else(|| format!("{subject} is none of the settings that the target is tested with"))?;
        if passage.report.outcome != GateOutcome::Open {
            let reason = passage.report.reason.as_deref().unwrap_or("the target does not offer it");
            return Err(format!("the gate of {subject} is closed: {reason}"));
        }
        let trial =
            Trial { case, subject: subject.clone(), mode: passage.setting.mode, strict: self.options.strict };
        let stages = |part: &str| self.stage_again(passage, file, &format!("{time} {part}"));
        let read = |judge: &mut Judge<'_>| judge.all(&file.checks);
        let conversation =
            Conversation { script: &file.script, checks: &file.checks, read: &read, may_wait: false };
        match trial.hold(&conversation, &passage.pace, &stages) {
            Outcome::Finished(finished) => Ok(*finished),
            Outcome::Parked(parked) => Ok(parked.settle(passage.pace.limit())),
        }
    }

    /// In memory everything is as it was. A server takes identifiers that it has seen for retransmissions.
    fn stage_again(&self, passage: &Passage, file: &ScriptFile, part: &str) -> Stage {
        let part = format!("again {} {} {part}", file.case, file.seed);
        let mut stage = self.options.stage(self.ways.as_ref(), passage.setting, &part, &passage.pace, 0);
        if self.options.target.is_in_memory() {
            (stage.entropy, stage.seed) = (SeededEntropy::new(file.seed), file.seed);
        }
        stage
    }

    pub(crate) fn run(self, teller: &mut Teller<'_>) {
        let work = Work::new(&self);
        let (sender, receiver) = mpsc::channel();
        let workers = self.options.jobs.max(1);
        let mut results: Vec<Option<Became>> = self.entries.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let mut spawned = 0;
            for _ in 0..workers {
                let (work, sender) = (&work, sender.clone());
                let begun = thread::Builder::new().spawn_scoped(scope, move || work.go(&sender));
                spawned += usize::from(begun.is_ok());
            }
            if spawned == 0 {
                // A system without threads to give has this one.
                work.go(&sender);
            }
            drop(sender);
            self.tell_in_order(&receiver, &mut results, teller);
        });
        work.told_last().for_each(|finished| teller.case(finished));
    }

    fn jobs(&self) -> Vec<Job> {
        let peers = self.options.profile.peers.len().max(1);
        let is_one_server = self.options.target.is_one_server();
        let jobs = self.entries.iter().enumerate().filter_map(|(place, entry)| match entry {
            Entry::Trial(trial, _) => {
                let needs = trial.case.needs();
                let peer = (needs.peer && is_one_server).then_some(place % peers);
                Some(Job::new(place, Claim { peer, cost: self.cost(trial.case) }))
            }
            _ => None,
        });
        jobs.collect()
    }

    /// A clock that is set forward ends the associations of all others.
    fn cost(&self, case: &Case) -> Cost {
        let is_set = !case.needs().timers.is_empty() && self.options.sets_clock();
        if is_set { Cost::Alone } else { case.cost() }
    }

    fn tell_in_order(
        &self,
        receiver: &mpsc::Receiver<(usize, Became)>,
        results: &mut [Option<Became>],
        teller: &mut Teller<'_>,
    ) {
        let mut next = 0;
        loop {
            while let Some(entry) = self.entries.get(next) {
                let result = results.get_mut(next);
                match (entry, result) {
                    (Entry::Gate(place), _) => self.gate(*place, teller),
                    (Entry::Decided(trial, verdict, reason), _) => {
                        teller.case(trial.not_run(*verdict, reason.clone()));
                    }
                    (Entry::Trial(..), Some(result)) => match result.take() {
                        Some(Became::Finished(finished)) => teller.case(*finished),
                        Some(Became::Later) => {}
                        None => break,
                    },
                    (Entry::Trial(..), None) => {}
                }
                next += 1;
            }
            let Ok((place, became)) = receiver.recv() else { return };
            if let Some(slot) = results.get_mut(place) {
                *slot = Some(became);
            }
        }
    }

    fn gate(&self, place: usize, teller: &mut Teller<'_>) {
        let Some(Passage { setting, report, .. }) = self.passages.get(place) else { return };
        teller.tell(&Event::GateFinished(GateFinished {
            subject: subject(*setting),
            outcome: report.outcome,
            offered: report.offered.clone(),
            reason: report.reason.clone(),
            notes: report.notes.clone(),
            exchange: report.exchange.iter().take(CaseFinished::MAX_EXCHANGE).cloned().collect(),
        }));
    }
}

/// What an event says of a setting.
pub(crate) fn subject(setting: Setting) -> Subject {
    let Mode { scheme, version } = setting.mode;
    if scheme == Scheme::Digest {
        // It has no versions.
        return Subject::new(scheme.name(), 0);
    }
    let subject = Subject::new(scheme.name(), version.number());
    match setting.kind {
        Some(kind) => subject.with_kind(kind.status()),
        None => subject,
    }
}
