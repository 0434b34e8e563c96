//! A whole run: gates, cases, events.

use sipae::version::Version;
use sipae_events::{
    CaseFinished, CaseStarted, Cause, Event, ExitCode, GateFinished, GateOutcome, RunFinished, RunStarted,
    Subject, Tally, Verdict,
};
use sipae_gen::Script;
use sipae_net::{SeededEntropy, Wire};
use sipae_spec::Role;

use crate::case::{Case, Gate};
use crate::cases;
use crate::execute::{Stage, play};
use crate::gate::{self, GateReport};
use crate::judge::{Judge, Judgement};
use crate::observation::Observation;
use crate::pace::Pace;
use crate::profile::Profile;
use crate::reaction::Reaction;
use crate::target::Target;

/// What to run against what.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The target.
    pub target: Target,
    /// What it claims.
    pub profile: Profile,
    /// How the profile was named, so that a report can say how to run again.
    pub profile_name: Option<String>,
    /// The seed from which everything random follows.
    pub seed: u64,
    /// Whether a broken SHOULD fails.
    pub strict: bool,
    /// Run only cases whose id contains one of these; all when empty.
    pub filters: Vec<String>,
}

impl RunOptions {
    /// Everything against the embedded reference.
    #[must_use]
    pub fn reference(seed: u64) -> Self {
        let (target, profile) = (Target::REFERENCE, Profile::of_reference());
        Self { target, profile, profile_name: None, seed, strict: false, filters: Vec::new() }
    }

    fn selects(&self, case: &Case) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| case.id.contains(filter.as_str()))
    }
}

/// Runs everything and tells it event by event. The exit code is that of the engine; what the caller knows besides,
/// such as a report that could not be written, may still change it.
pub fn run(options: &RunOptions, on_event: &mut dyn FnMut(&Event)) -> ExitCode {
    let mut runner = Runner { options, on_event, tally: Tally::default(), failed_logons: 0, closed: None };
    runner.emit(&Event::RunStarted(RunStarted {
        program: "sipae".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        target: options.target.to_string(),
        profile: options.profile_name.clone(),
        role: Role::Server,
    }));
    for version in Version::ALL {
        runner.version(version);
    }
    let (totals, exit) = (runner.tally.totals(), runner.tally.exit());
    runner.emit(&Event::RunFinished(RunFinished { totals, exit }));
    exit
}

struct Runner<'r> {
    options: &'r RunOptions,
    on_event: &'r mut dyn FnMut(&Event),
    tally: Tally,
    failed_logons: u32,
    /// A server that could not be reached or that refused the credentials is not tried again: accounts lock.
    closed: Option<GateReport>,
}

impl Runner<'_> {
    fn emit(&mut self, event: &Event) {
        self.tally.add(event);
        (self.on_event)(event);
    }

    fn version(&mut self, version: Version) {
        let claimed = self.options.target.claimed(&self.options.profile);
        let mut wire = self.options.target.wire(version, self.seed("wire", version));
        let mut pace = Pace::new(self.options.profile.answer_timeout);
        let report = match claimed {
            Some(claimed) if !claimed.contains(&version) => not_claimed(),
            claimed => self.gate(version, claimed.is_some(), wire.as_mut(), &mut pace),
        };
        self.emit(&Event::GateFinished(GateFinished {
            subject: subject(version),
            outcome: report.outcome,
            offered: report.offered.clone(),
            reason: report.reason.clone(),
        }));
        let options = self.options;
        for case in cases::all().filter(|case| options.selects(case)) {
            self.case(case, version, &report, wire.as_mut(), &mut pace);
        }
    }

    fn gate(
        &mut self,
        version: Version,
        is_claimed: bool,
        wire: &mut dyn Wire,
        pace: &mut Pace,
    ) -> GateReport {
        if let Some(report) = &self.closed {
            return report.clone();
        }
        let mut entropy = SeededEntropy::new(self.seed("gate", version));
        let profile = &self.options.profile;
        let mut stage = Stage { wire, profile, version, pace, in_order: false, entropy: &mut entropy };
        let report = gate::pass(&mut stage, is_claimed);
        if report.is_final {
            self.closed = Some(report.clone());
        }
        report
    }

    fn case(
        &mut self,
        case: &'static Case,
        version: Version,
        gate: &GateReport,
        wire: &mut dyn Wire,
        pace: &mut Pace,
    ) {
        let Some(id) = case.case_id() else { return };
        self.emit(&Event::CaseStarted(CaseStarted { case: id.clone(), subject: subject(version) }));
        let mut finished = CaseFinished {
            case: id,
            subject: subject(version),
            title: case.title.to_owned(),
            requirements: case.requirements.iter().map(ToString::to_string).collect(),
            verdict: Verdict::Blocked,
            findings: Vec::new(),
            undecided: None,
            exchange: Vec::new(),
            exchange_left_out: 0,
        };
        match self.decide_needs(case, version, gate) {
            Some(verdict) => finished.verdict = verdict,
            None => {
                let mut entropy = SeededEntropy::new(self.seed(case.id, version));
                let (profile, in_order) = (&self.options.profile, gate.in_order);
                let stage = Stage { wire, profile, version, pace, in_order, entropy: &mut entropy };
                play_case(case, stage, self.options.strict, &mut finished);
            }
        }
        self.emit(&Event::CaseFinished(finished));
    }

    /// The verdict of a case that is not run; nothing has been sent then.
    fn decide_needs(&mut self, case: &Case, version: Version, gate: &GateReport) -> Option<Verdict> {
        if gate.outcome == GateOutcome::Unsupported || !case.needs.versions.contains(&version) {
            return Some(Verdict::Unsupported);
        }
        let is_open = match case.needs.gate {
            Gate::Reachable => gate.is_reachable,
            Gate::Handshake => gate.outcome == GateOutcome::Open,
        };
        let used = self.failed_logons + case.needs.failed_logons;
        if !is_open || self.options.profile.failed_logons < used && case.needs.failed_logons != 0 {
            return Some(Verdict::Blocked);
        }
        self.failed_logons = used;
        None
    }

    /// The seed of a part of the run: a hash of the run's seed, the name of the part, and the version.
    fn seed(&self, part: &str, version: Version) -> u64 {
        let run = self.options.seed.to_be_bytes();
        let digest = sipae::ntlm::md5(&[&run, part.as_bytes(), &version.number().to_be_bytes()]);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

fn play_case(case: &Case, mut stage: Stage<'_>, strict: bool, finished: &mut CaseFinished) {
    let script = (case.plan)(stage.version);
    let observation = play(&mut stage, &script);
    let mut judge = Judge::new(&observation, case.requirements, stage.version, strict);
    (case.judge)(&mut judge);
    let Judgement { verdict, findings, undecided } = judge.judgement();
    finished.verdict = confirmed(verdict, &observation, &mut stage);
    finished.findings = findings;
    finished.undecided = undecided.filter(|_| finished.verdict == Verdict::Inconclusive);
    for message in observation.exchange {
        finished.push(message);
    }
}

fn subject(version: Version) -> Subject {
    Subject { scheme: "NTLM".to_owned(), version: version.number() }
}

fn not_claimed() -> GateReport {
    GateReport {
        outcome: GateOutcome::Unsupported,
        is_reachable: false,
        in_order: false,
        is_final: false,
        offered: Vec::new(),
        reason: Some("the profile does not claim this version".to_owned()),
    }
}

/// A missed answer is confirmed on a new connection: a target that answers there was silent, one that does not hangs
/// or has ended.
fn confirmed(verdict: Verdict, observation: &Observation, stage: &mut Stage<'_>) -> Verdict {
    let missed = observation.messages.values().any(|seen| seen.reaction == Reaction::Overdue);
    if !missed || stage.wire.is_exact() {
        return verdict;
    }
    let probe = play(stage, &cases::bare(Script::connected()));
    match probe.reaction("bare") {
        Some(Reaction::Overdue) => Verdict::Fail(Cause::Hang),
        Some(_) => verdict,
        None => Verdict::Fail(Cause::Crash),
    }
}
