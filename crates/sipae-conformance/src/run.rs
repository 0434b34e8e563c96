//! A whole run: gates, cases, events.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use sipae_events::{
    CaseFinished, CaseStarted, Cause, Event, ExitCode, GateFinished, GateOutcome, RunFinished, RunStarted,
    Subject, Tally, Verdict,
};
use sipae_net::SeededEntropy;
use sipae_spec::Role;

use crate::case::{Case, Cost, Gate};
use crate::cases;
use crate::control::Control;
use crate::execute::Stage;
use crate::filter::Filter;
use crate::gate::{self, GateReport};
use crate::pace::Pace;
use crate::profile::{Profile, TimerDurations};
use crate::schedule::{Claim, Job, Queue};
use crate::target::{Connector, Setting, Target};
use crate::trial::{Outcome, Parked, Trial};

/// The scheme under test.
const SCHEME: &str = "NTLM";

/// What to run against what.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The target.
    pub target: Target,
    /// What controls it, where the suite has started it. It ends with the last clone of these options.
    pub control: Option<Arc<Control>>,
    /// What it claims.
    pub profile: Arc<Profile>,
    /// How the profile was named, so that a report can say how to run again.
    pub profile_name: Option<String>,
    /// Other arguments that change what a run does, for the same purpose.
    pub arguments: Vec<String>,
    /// The seed from which everything random follows.
    pub seed: u64,
    /// Whether a broken SHOULD fails.
    pub strict: bool,
    /// Which cases run, with which schemes.
    pub filter: Filter,
    /// Only these settings of the target; all of them when absent.
    pub settings: Option<Vec<Setting>>,
    /// How many cases run side by side.
    pub jobs: usize,
    /// Whether a target that is not on this machine may be flooded.
    pub rough: bool,
}

impl RunOptions {
    /// Everything against the embedded reference.
    #[must_use]
    pub fn reference(seed: u64) -> Self {
        Self {
            target: Target::REFERENCE,
            control: None,
            profile: Arc::new(Profile::of_reference()),
            profile_name: None,
            arguments: Vec::new(),
            seed,
            strict: false,
            filter: Filter::default(),
            settings: None,
            jobs: 1,
            rough: false,
        }
    }

    fn started(&self) -> RunStarted {
        RunStarted {
            program: "sipae".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.seed,
            target: self.target.to_string(),
            profile: self.profile_name.clone(),
            arguments: self.arguments.clone(),
            role: Role::Server,
            notes: self.notes(),
        }
    }

    /// How time passes, where that is not by a set clock of this process.
    fn notes(&self) -> Vec<String> {
        let durations = self.durations().filter(|_| self.target.is_one_server()).unwrap_or_default();
        let set = self.sets_clock().then(|| "the clock of the target is set".to_owned());
        set.into_iter().chain(durations.notes()).collect()
    }

    /// How long the timers of the target are: what it says itself goes before what its profile says.
    fn durations(&self) -> Option<TimerDurations> {
        let known = self.target.durations(&self.profile);
        match &self.control {
            Some(control) => Some(control.durations().or(known.unwrap_or_default())),
            None => known,
        }
    }

    /// Whether time is made to pass for a target that others talk to at the same time.
    fn sets_clock(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.can_advance())
    }

    /// The target as it is reached.
    fn reached(&self) -> Target {
        self.target.found_at(self.control.as_ref().and_then(|control| control.address()))
    }

    fn selected(&self) -> impl Iterator<Item = &'static Case> {
        cases::all().filter(|case| self.filter.selects(case.id(), case.requirements(), case.role()))
    }

    fn settings(&self) -> Vec<Setting> {
        let is_chosen =
            |setting: &Setting| self.settings.as_ref().is_none_or(|chosen| chosen.contains(setting));
        let settings = self.target.settings().into_iter().filter(is_chosen);
        settings.filter(|_| self.filter.selects_scheme(SCHEME)).collect()
    }

    /// A stage for one part of the run. The seed is a hash of the run's seed, the name of the part, and the setting.
    fn stage(
        &self,
        ways: &dyn Connector,
        setting: Setting,
        part: &str,
        pace: &Arc<Pace>,
        peer: usize,
    ) -> Stage {
        Stage {
            wire: ways.wire(setting, self.seed_of(&format!("wire {part}"), setting)),
            profile: Arc::clone(&self.profile),
            peer,
            version: setting.version,
            pace: Arc::clone(pace),
            durations: self.durations(),
            control: self.control.clone(),
            entropy: SeededEntropy::new(self.seed_of(part, setting)),
        }
    }

    fn seed_of(&self, part: &str, setting: Setting) -> u64 {
        let kind = setting.kind.map_or(0, sipae::auth::ChallengeKind::status);
        let parts = [&self.seed.to_be_bytes()[..], part.as_bytes(), &setting.version.number().to_be_bytes()];
        let digest = sipae::ntlm::md5(&[&parts.concat(), &kind.to_be_bytes()]);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

/// Runs everything and tells it event by event: gates and cases in the order of the run, whatever runs side by side;
/// cases that silence decides at a target whose answers overtake each other come last. The exit code is that of the
/// engine; what the caller knows besides, such as a report that could not be written, may still change it.
pub fn run(options: &RunOptions, on_event: &mut dyn FnMut(&Event)) -> ExitCode {
    let mut teller = Teller { on_event, tally: Tally::default() };
    teller.tell(&Event::RunStarted(options.started()));
    let plan = Plan::new(options);
    plan.run(&mut teller);
    let (totals, exit) = (teller.tally.totals(), teller.tally.exit());
    teller.tell(&Event::RunFinished(RunFinished { totals, exit }));
    exit
}

struct Teller<'r> {
    on_event: &'r mut dyn FnMut(&Event),
    tally: Tally,
}

impl Teller<'_> {
    fn tell(&mut self, event: &Event) {
        self.tally.add(event);
        (self.on_event)(event);
    }

    fn case(&mut self, finished: CaseFinished) {
        let (case, subject) = (finished.case.clone(), finished.subject.clone());
        self.tell(&Event::CaseStarted(CaseStarted { case, subject }));
        self.tell(&Event::CaseFinished(finished));
    }
}

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
    Decided(Trial, Verdict, Option<String>),
    /// A case that runs.
    Trial(Trial, usize),
}

struct Plan<'r> {
    options: &'r RunOptions,
    ways: Arc<dyn Connector>,
    passages: Vec<Passage>,
    entries: Vec<Entry>,
    /// In which case the target ended or began to hang: nothing more is sent to it, since each attempt would cost its
    /// whole patience.
    lost: Mutex<Option<String>>,
}

impl<'r> Plan<'r> {
    fn new(options: &'r RunOptions) -> Self {
        let ways = options.reached().ways(&options.profile);
        let (passages, entries) = (Vec::new(), Vec::new());
        let mut plan = Self { options, ways, passages, entries, lost: Mutex::new(None) };
        plan.gates();
        let mut failed_logons = 0;
        for place in 0..plan.passages.len() {
            plan.entries.push(Entry::Gate(place));
            let cases = options.selected().map(|case| plan.entry(place, case, &mut failed_logons));
            let entries: Vec<Entry> = cases.collect();
            plan.entries.extend(entries);
        }
        plan
    }

    /// A server that could not be reached, that refused the credentials or offers no NTLM at all is not tried again:
    /// accounts lock.
    fn gates(&mut self) {
        let options = self.options;
        let shared = Arc::new(Pace::new(options.profile.answer_timeout));
        let claimed = options.target.claimed(&options.profile);
        let mut closed: Option<GateReport> = None;
        for setting in options.settings() {
            let pace = if options.target.is_one_server() {
                Arc::clone(&shared)
            } else {
                Arc::new(Pace::new(options.profile.answer_timeout))
            };
            let report = match (&claimed, &closed) {
                (Some(claimed), _) if !claimed.contains(&setting.version) => {
                    let reason = "the profile does not claim this version".to_owned();
                    GateReport::closed(GateOutcome::Unsupported, Some(reason))
                }
                (_, Some(report)) => GateReport { exchange: Vec::new(), ..report.clone() },
                (claimed, None) => {
                    let ways = self.ways.as_ref();
                    let stages = |part: &str| options.stage(ways, setting, &format!("gate {part}"), &pace, 0);
                    gate::pass(&stages, &pace, setting.version, claimed.is_some())
                }
            };
            closed = closed.or_else(|| report.is_final.then(|| report.clone()));
            let is_last = report.offers_others_only();
            self.passages.push(Passage { setting, pace, report });
            if is_last {
                return;
            }
        }
    }

    fn entry(&self, place: usize, case: &'static Case, failed_logons: &mut u32) -> Entry {
        let Some(passage) = self.passages.get(place) else { return Entry::Gate(place) };
        let setting = passage.setting;
        let (version, strict) = (setting.version, self.options.strict);
        let trial = Trial { case, subject: subject(setting), version, strict };
        match self.decide_needs(case, passage, failed_logons) {
            Some((verdict, reason)) => Entry::Decided(trial, verdict, reason),
            None => Entry::Trial(trial, place),
        }
    }

    /// The verdict of a case that is not run, and why; nothing has been sent then.
    fn decide_needs(
        &self,
        case: &Case,
        passage: &Passage,
        failed_logons: &mut u32,
    ) -> Option<(Verdict, Option<String>)> {
        let (needs, report) = (case.needs(), &passage.report);
        if report.outcome == GateOutcome::Unsupported {
            return Some((Verdict::Unsupported, None));
        }
        if !needs.versions.contains(&passage.setting.version) {
            return Some((Verdict::Unsupported, Some("it has no meaning at this version".to_owned())));
        }
        if let Some(timer) = self.unknown_timer(case) {
            let reason = format!("the {timer} timer of the target is not known (durations in the profile)");
            return Some((Verdict::Unsupported, Some(reason)));
        }
        if needs.rough && !self.options.rough && !self.options.target.is_local() {
            return Some((Verdict::Unsupported, Some("it floods the target (--rough)".to_owned())));
        }
        let closed = match needs.gate {
            Gate::Reachable => (!report.is_reachable).then_some(&report.reason),
            Gate::Offered => (!report.is_offered).then_some(&report.reason),
            Gate::Handshake => (report.outcome != GateOutcome::Open).then_some(&report.reason),
            Gate::Delivery if report.outcome == GateOutcome::Open => {
                report.undeliverable.is_some().then_some(&report.undeliverable)
            }
            Gate::Delivery => Some(&report.reason),
        };
        let refused = report.peer_refused.clone().filter(|_| needs.peer);
        if let Some(why) = refused {
            return Some((Verdict::Blocked, Some(why)));
        }
        let missing = closed.cloned().or_else(|| self.missing_account(case, failed_logons).map(Some));
        missing.map(|reason| (Verdict::Blocked, reason))
    }

    fn unknown_timer(&self, case: &Case) -> Option<sipae_gen::Timer> {
        let durations = self.options.durations().unwrap_or_default();
        case.needs().timers.iter().copied().find(|timer| durations.of(*timer).is_none())
    }

    fn missing_account(&self, case: &Case, failed_logons: &mut u32) -> Option<String> {
        let (needs, profile) = (case.needs(), &self.options.profile);
        if needs.peer && profile.peers.is_empty() {
            return Some("the profile has no second user (peer)".to_owned());
        }
        if needs.failed_logons == 0 {
            return None;
        }
        let used = *failed_logons + needs.failed_logons;
        if profile.sacrificial.is_none() {
            return Some("the profile has no account for wrong credentials (sacrificial)".to_owned());
        }
        if profile.failed_logons < used {
            return Some(format!("the {} failed logons of the profile are used up", profile.failed_logons));
        }
        *failed_logons = used;
        None
    }

    fn run(self, teller: &mut Teller<'_>) {
        let queue = Queue::new(self.jobs());
        let (sender, receiver) = mpsc::channel();
        let workers = self.options.jobs.max(1);
        let mut results: Vec<Option<Outcome>> = self.entries.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let mut spawned = 0;
            for _ in 0..workers {
                let (plan, queue, sender) = (&self, &queue, sender.clone());
                let work = move || plan.work(queue, &sender);
                spawned += usize::from(thread::Builder::new().spawn_scoped(scope, work).is_ok());
            }
            if spawned == 0 {
                // A system without threads to give has this one.
                self.work(&queue, &sender);
            }
            drop(sender);
            self.tell_in_order(&receiver, &mut results, teller);
        });
        for (entry, result) in self.entries.iter().zip(results) {
            if let (Entry::Trial(_, passage), Some(Outcome::Parked(parked))) = (entry, result) {
                self.settle(*passage, *parked, teller);
            }
        }
    }

    fn settle(&self, passage: usize, parked: Parked, teller: &mut Teller<'_>) {
        if let Some(passage) = self.passages.get(passage) {
            teller.case(parked.settle(&passage.pace));
        }
    }

    fn jobs(&self) -> Vec<Job> {
        let peers = self.options.profile.peers.len().max(1);
        let is_one_server = self.options.target.is_one_server();
        let jobs = self.entries.iter().enumerate().filter_map(|(place, entry)| match entry {
            Entry::Trial(trial, _) => {
                let needs = trial.case.needs();
                let peer = (needs.peer && is_one_server).then_some(place % peers);
                Some(Job { place, claim: Claim { peer, cost: self.cost(trial.case) } })
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

    /// Why a case cannot have the time that it needs; nothing is sent for it then.
    fn lost_clock(&self, case: &Case) -> Option<String> {
        let control = self.options.control.as_ref().filter(|_| !case.needs().timers.is_empty());
        control.and_then(|control| control.broken())
    }

    fn work(&self, queue: &Queue, sender: &mpsc::Sender<(usize, Outcome)>) {
        while let Some(job) = queue.take() {
            let outcome = self.trial(&job, queue);
            queue.give_back(&job);
            if let Some(outcome) = outcome
                && sender.send((job.place, outcome)).is_err()
            {
                return;
            }
        }
    }

    fn trial(&self, job: &Job, queue: &Queue) -> Option<Outcome> {
        let Some(Entry::Trial(trial, passage)) = self.entries.get(job.place) else { return None };
        let passage = self.passages.get(*passage)?;
        let lost = || self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let blocked =
            |reason: String| Outcome::Finished(Box::new(trial.not_run(Verdict::Blocked, Some(reason))));
        let reason = lost().clone().or_else(|| self.lost_clock(trial.case));
        if let Some(reason) = reason {
            return Some(blocked(reason));
        }
        let (id, peer) = (trial.case.id(), job.claim.peer.unwrap_or_default());
        let ways = self.ways.as_ref();
        let stages = |part: &str| {
            self.options.stage(ways, passage.setting, &format!("{id} {part}"), &passage.pace, peer)
        };
        let outcome = match trial.clone().run(&passage.pace, &stages) {
            // What stays registered would get the requests of the next trial with the same second user.
            Outcome::Parked(parked) if job.claim.peer.is_some() => {
                Outcome::Finished(Box::new(parked.settle(&passage.pace)))
            }
            outcome => outcome,
        };
        let Outcome::Finished(mut finished) = outcome else { return Some(outcome) };
        let what = match finished.verdict {
            Verdict::Fail(Cause::Crash) => "ended in",
            Verdict::Fail(Cause::Hang) => "hangs since",
            _ => return Some(Outcome::Finished(finished)),
        };
        let mut lost = lost();
        if let Some(reason) = lost.clone() {
            // Another case was the first to notice; what this one saw is the same end.
            return Some(blocked(reason));
        }
        *lost = Some(format!("the target {what} {id}"));
        finished.reason = finished.reason.map(|reason| reason + &self.suspects(&queue.beside(job)));
        Some(Outcome::Finished(finished))
    }

    /// Where cases run side by side, the one that notices an end need not be the one that caused it.
    fn suspects(&self, beside: &[usize]) -> String {
        let id = |place: &usize| match self.entries.get(*place) {
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

    fn tell_in_order(
        &self,
        receiver: &mpsc::Receiver<(usize, Outcome)>,
        results: &mut [Option<Outcome>],
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
                        Some(Outcome::Finished(finished)) => teller.case(*finished),
                        Some(parked) => *result = Some(parked),
                        None => break,
                    },
                    (Entry::Trial(..), None) => {}
                }
                next += 1;
            }
            let Ok((place, outcome)) = receiver.recv() else { return };
            if let Some(slot) = results.get_mut(place) {
                *slot = Some(outcome);
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

fn subject(setting: Setting) -> Subject {
    let subject = Subject::new(SCHEME, setting.version.number());
    match setting.kind {
        Some(kind) => subject.with_kind(kind.status()),
        None => subject,
    }
}
