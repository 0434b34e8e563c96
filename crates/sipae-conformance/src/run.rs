//! A whole run: gates, cases, events.

use std::time::Duration;

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
use crate::filter::Filter;
use crate::gate::{self, GateReport};
use crate::judge::{Judge, Judgement};
use crate::observation::Observation;
use crate::profile::Profile;
use crate::reaction::Reaction;
use crate::target::Target;

/// The scheme of every subject.
const SCHEME: &str = "NTLM";

/// What to run against what.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The target.
    pub target: Target,
    /// What it claims.
    pub profile: Profile,
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
}

impl RunOptions {
    /// Everything against the embedded reference.
    #[must_use]
    pub fn reference(seed: u64) -> Self {
        Self {
            target: Target::REFERENCE,
            profile: Profile::of_reference(),
            profile_name: None,
            arguments: Vec::new(),
            seed,
            strict: false,
            filter: Filter::default(),
        }
    }

    fn selects(&self, case: &Case) -> bool {
        self.filter.selects(case.id, case.requirements, case.role)
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
            notes: Vec::new(),
        }
    }
}

/// Runs everything and tells it event by event. The exit code is that of the engine; what the caller knows besides,
/// such as a report that could not be written, may still change it.
pub fn run(options: &RunOptions, on_event: &mut dyn FnMut(&Event)) -> ExitCode {
    let tally = Tally::default();
    let mut runner = Runner { options, on_event, tally, failed_logons: 0, closed: None, lost: None };
    runner.emit(&Event::RunStarted(options.started()));
    for version in Version::ALL.into_iter().filter(|_| options.filter.selects_scheme(SCHEME)) {
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
    /// In which case the target ended or began to hang: nothing more is sent to it, since each attempt would cost its
    /// whole patience.
    lost: Option<String>,
}

/// The way to the target at one version, and what is known about it.
struct Line {
    version: Version,
    wire: Box<dyn Wire>,
    in_order: bool,
}

impl Runner<'_> {
    fn emit(&mut self, event: &Event) {
        self.tally.add(event);
        (self.on_event)(event);
    }

    fn version(&mut self, version: Version) {
        let claimed = self.options.target.claimed(&self.options.profile);
        let wire = self.options.target.wire(version, self.seed("wire", version));
        let mut line = Line { version, wire, in_order: false };
        let report = match claimed {
            Some(claimed) if !claimed.contains(&version) => not_claimed(),
            claimed => self.gate(&mut line, claimed.is_some()),
        };
        self.emit(&Event::GateFinished(GateFinished {
            subject: subject(version),
            outcome: report.outcome,
            offered: report.offered.clone(),
            reason: report.reason.clone(),
            notes: Vec::new(),
            exchange: report.exchange.iter().take(CaseFinished::MAX_EXCHANGE).cloned().collect(),
        }));
        let options = self.options;
        for case in cases::all().filter(|case| options.selects(case)) {
            self.case(case, &report, &mut line);
        }
    }

    fn gate(&mut self, line: &mut Line, is_claimed: bool) -> GateReport {
        if let Some(reason) = &self.lost {
            return GateReport {
                outcome: GateOutcome::Failed,
                reason: Some(reason.clone()),
                ..not_claimed()
            };
        }
        if let Some(report) = &self.closed {
            return GateReport { exchange: Vec::new(), ..report.clone() };
        }
        let mut entropy = SeededEntropy::new(self.seed("gate", line.version));
        let report = gate::pass(&mut self.options.stage(line, &mut entropy), is_claimed);
        if report.is_final {
            self.closed = Some(report.clone());
        }
        report
    }

    fn case(&mut self, case: &'static Case, gate: &GateReport, line: &mut Line) {
        let Some(id) = case.case_id() else { return };
        let subject = subject(line.version);
        self.emit(&Event::CaseStarted(CaseStarted { case: id.clone(), subject: subject.clone() }));
        let mut finished = CaseFinished {
            case: id,
            subject,
            title: case.title.to_owned(),
            requirements: case.requirements.iter().map(ToString::to_string).collect(),
            verdict: Verdict::Blocked,
            findings: Vec::new(),
            reason: None,
            exchange: Vec::new(),
            exchange_left_out: 0,
            signatures: Vec::new(),
        };
        match self.decide_needs(case, line.version, gate) {
            Some((verdict, reason)) => (finished.verdict, finished.reason) = (verdict, reason),
            None => self.play(case, line, &mut finished),
        }
        self.emit(&Event::CaseFinished(finished));
    }

    fn play(&mut self, case: &Case, line: &mut Line, finished: &mut CaseFinished) {
        let mut entropy = SeededEntropy::new(self.seed(case.id, line.version));
        play_case(case, &mut self.options.stage(line, &mut entropy), self.options.strict, finished);
        self.lost = match finished.verdict {
            Verdict::Fail(Cause::Crash) => Some(format!("the target ended in {}", case.id)),
            Verdict::Fail(Cause::Hang) => Some(format!("the target hangs since {}", case.id)),
            _ => None,
        };
    }

    /// The verdict of a case that is not run, and why; nothing has been sent then.
    fn decide_needs(
        &mut self,
        case: &Case,
        version: Version,
        gate: &GateReport,
    ) -> Option<(Verdict, Option<String>)> {
        if gate.outcome == GateOutcome::Unsupported || !case.needs.versions.contains(&version) {
            return Some((Verdict::Unsupported, None));
        }
        if self.lost.is_some() {
            return Some((Verdict::Blocked, self.lost.clone()));
        }
        let is_open = match case.needs.gate {
            Gate::Reachable => gate.is_reachable,
            Gate::Handshake => gate.outcome == GateOutcome::Open,
        };
        let used = self.failed_logons + case.needs.failed_logons;
        if !is_open || self.options.profile.failed_logons < used && case.needs.failed_logons != 0 {
            return Some((Verdict::Blocked, gate.reason.clone()));
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

impl RunOptions {
    fn stage<'s>(&'s self, line: &'s mut Line, entropy: &'s mut SeededEntropy) -> Stage<'s> {
        Stage {
            wire: line.wire.as_mut(),
            profile: &self.profile,
            version: line.version,
            patience: self.profile.answer_timeout,
            in_order: &mut line.in_order,
            entropy,
        }
    }
}

fn play_case(case: &Case, stage: &mut Stage<'_>, strict: bool, finished: &mut CaseFinished) {
    let (mut observation, mut judgement) = play_once(case, stage, strict);
    let mut cause = breakdown(&observation, stage);
    if cause.is_none() && judgement.verdict == Verdict::Fail(Cause::Silent) && !stage.wire.is_exact() {
        // A missed answer is believed when it is missed twice.
        let (again, second) = play_once(case, stage, strict);
        if !second.verdict.is_fail() {
            judgement.verdict = Verdict::Fail(Cause::Flaky { failed: 1, of: 2 });
        }
        cause = breakdown(&again, stage);
        observation.exchange.extend(again.exchange);
    }
    finished.verdict = cause.map_or(judgement.verdict, Verdict::Fail);
    finished.findings = judgement.findings;
    finished.reason = match cause {
        Some(Cause::Crash) => Some("the target takes no connection any more".to_owned()),
        Some(_) => Some("the target answers on no new connection either".to_owned()),
        None => judgement.undecided.filter(|_| finished.verdict == Verdict::Inconclusive),
    };
    finished.exchange_left_out = observation.exchange_left_out;
    for message in observation.exchange {
        finished.push(message);
    }
}

fn play_once(case: &Case, stage: &mut Stage<'_>, strict: bool) -> (Observation, Judgement) {
    let version = stage.version;
    let observation = play(stage, &(case.plan)(version));
    let mut judge = Judge::new(&observation, case.requirements, version, strict);
    (case.judge)(&mut judge);
    let judgement = judge.judgement();
    (observation, judgement)
}

/// Whether the target has ended or hangs. Missed answers, closed connections and refused ones are looked into over new
/// connections.
fn breakdown(observation: &Observation, stage: &mut Stage<'_>) -> Option<Cause> {
    let is_suspect =
        |reaction: &Reaction| matches!(reaction, Reaction::Overdue | Reaction::Closed | Reaction::Reset);
    let suspect = observation.messages.values().any(|seen| is_suspect(&seen.reaction));
    if stage.wire.is_exact() || !suspect && !observation.is_unreachable {
        return None;
    }
    // What restarts, or holds off strangers for a moment after a forgery, is given the time.
    let pauses = [0, 500, 1500].map(Duration::from_millis);
    let mut cause = None;
    for pause in pauses {
        cause = probe(stage, pause);
        if cause.is_none() {
            break;
        }
    }
    cause
}

/// One bare request over a new connection: does anybody take it, does anybody answer?
fn probe(stage: &mut Stage<'_>, pause: Duration) -> Option<Cause> {
    std::thread::sleep(pause);
    let probe = play(stage, &cases::bare(Script::connected()));
    match probe.reaction("bare") {
        None => Some(Cause::Crash),
        Some(Reaction::Overdue | Reaction::Closed | Reaction::Reset) => Some(Cause::Hang),
        Some(_) => None,
    }
}

fn subject(version: Version) -> Subject {
    Subject::new(SCHEME, version.number())
}

fn not_claimed() -> GateReport {
    GateReport {
        outcome: GateOutcome::Unsupported,
        is_reachable: false,
        is_final: false,
        offered: Vec::new(),
        reason: Some("the profile does not claim this version".to_owned()),
        exchange: Vec::new(),
    }
}
