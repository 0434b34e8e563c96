//! A whole run: what to run against what, and how it is told.

use std::sync::Arc;

use sipae::auth::Scheme;
use sipae_events::{CaseFinished, CaseStarted, Event, ExitCode, RunFinished, RunStarted, Tally};
use sipae_gen::Mode;
use sipae_net::SeededEntropy;
use sipae_spec::Role;

use crate::case::Case;
use crate::cases;
use crate::client;
use crate::codec;
use crate::control::Control;
use crate::execute::Stage;
use crate::filter::Filter;
use crate::generated::Effort;
use crate::pace::Pace;
use crate::plan::Plan;
use crate::profile::{Profile, TimerDurations};
use crate::target::{Connector, Setting, Target};

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
    /// Told apart by this, two runs of one seed send a server no identifier twice: it would take the second for a
    /// retransmission of the first. In memory there is a new server each time, and this plays no part.
    pub nonce: u64,
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
    /// How much is generated.
    pub effort: Effort,
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
            nonce: 0,
            strict: false,
            filter: Filter::default(),
            settings: None,
            jobs: 1,
            rough: false,
            effort: Effort::default(),
        }
    }

    pub(crate) fn started(&self) -> RunStarted {
        RunStarted {
            program: "sipae".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.seed,
            target: self.target.to_string(),
            profile: self.profile_name.clone(),
            script: None,
            arguments: self.arguments.clone(),
            role: self.target.role(),
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
    pub(crate) fn durations(&self) -> Option<TimerDurations> {
        let known = self.target.durations(&self.profile);
        match &self.control {
            Some(control) => Some(control.durations().or(known.unwrap_or_default())),
            None => known,
        }
    }

    /// Whether time is made to pass for a target that others talk to at the same time.
    pub(crate) fn sets_clock(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.can_advance())
    }

    /// The target as it is reached.
    pub(crate) fn reached(&self) -> Target {
        self.target.found_at(self.control.as_ref().and_then(|control| control.address()))
    }

    pub(crate) fn selected(&self) -> impl Iterator<Item = &'static Case> {
        cases::all().filter(|case| self.filter.selects(case.id(), case.requirements(), case.role()))
    }

    pub(crate) fn settings(&self) -> Vec<Setting> {
        let is_chosen =
            |setting: &Setting| self.settings.as_ref().is_none_or(|chosen| chosen.contains(setting));
        let settings = self.target.settings().into_iter().filter(is_chosen);
        let settings = settings.filter(|setting| self.is_told_to(setting.mode.scheme));
        settings.filter(|setting| self.filter.selects_scheme(setting.mode.scheme.name())).collect()
    }

    /// A client joins conferences only if somebody says that it does: it is started in another way for that.
    fn is_told_to(&self, scheme: Scheme) -> bool {
        let is_own = matches!(self.target, Target::ReferenceClient { .. });
        let is_named = || self.profile.schemes.as_ref().is_some_and(|schemes| schemes.contains(&scheme));
        let is_asked_for = || !self.filter.schemes.is_empty();
        scheme != Scheme::Digest
            || self.target.role() != Role::Client
            || is_own
            || is_named()
            || is_asked_for()
    }

    /// A stage for one part of the run. The seed is a hash of the run's seed, the name of the part, and the setting.
    pub(crate) fn stage(
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
            mode: setting.mode,
            pace: Arc::clone(pace),
            durations: self.durations(),
            control: self.control.clone(),
            entropy: SeededEntropy::new(self.seed_of(part, setting)),
            seed: self.seed_of(part, setting),
            choices: self.seed_with(0, part, setting),
            is_brief: false,
        }
    }

    /// The seed of a case that has no setting.
    pub(crate) fn seed_of_case(&self, id: &str) -> u64 {
        let digest = sipae::ntlm::md5(&[&self.seed.to_be_bytes(), id.as_bytes()]);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    /// A server that has seen the octets of a run sees others in the next one; a client is new for each conversation.
    pub(crate) fn seed_of(&self, part: &str, setting: Setting) -> u64 {
        let remembers = self.target.is_one_server() && self.target.role() == Role::Server;
        self.seed_with(if remembers { self.nonce } else { 0 }, part, setting)
    }

    pub(crate) fn seed_with(&self, nonce: u64, part: &str, setting: Setting) -> u64 {
        let kind = setting.kind.map_or(0, sipae::auth::ChallengeKind::status);
        let Mode { scheme, version } = setting.mode;
        let numbers = [self.seed, nonce, version.number().into(), kind.into()];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(u64::to_be_bytes).collect();
        let digest = sipae::ntlm::md5(&[&numbers, scheme.name().as_bytes(), part.as_bytes()]);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

/// Runs everything and tells it event by event: gates and cases in the order of the run, whatever runs side by side;
/// cases that silence decides at a target whose answers overtake each other come last. The exit code is that of the
/// engine; what the caller knows besides, such as a report that could not be written, may still change it.
pub fn run(options: &RunOptions, on_event: &mut dyn FnMut(&Event)) -> ExitCode {
    let mut teller = Teller::new(on_event);
    let client = options.target.client(&options.profile);
    let mut started = options.started();
    if let Some(Ok(ways)) = &client {
        started.notes.extend(ways.notes());
    }
    teller.tell(&Event::RunStarted(started));
    match (options.target.codec(&options.profile), client) {
        (Some(opened), _) => codec::run::run(options, opened, &mut teller),
        (None, Some(Ok(ways))) => client::run::run(options, ways.as_ref(), &mut teller),
        (None, Some(Err(problem))) => client::run::run(options, &client::Nowhere(problem), &mut teller),
        (None, None) => Plan::new(options).run(&mut teller),
    }
    teller.end()
}

pub(crate) struct Teller<'r> {
    on_event: &'r mut dyn FnMut(&Event),
    tally: Tally,
}

impl<'r> Teller<'r> {
    pub(crate) fn new(on_event: &'r mut dyn FnMut(&Event)) -> Self {
        Self { on_event, tally: Tally::default() }
    }

    /// Tells the end.
    pub(crate) fn end(mut self) -> ExitCode {
        let (totals, exit) = (self.tally.totals(), self.tally.exit());
        self.tell(&Event::RunFinished(RunFinished { totals, exit }));
        exit
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        self.tally.add(event);
        (self.on_event)(event);
    }

    pub(crate) fn case(&mut self, finished: CaseFinished) {
        let (case, subject) = (finished.case.clone(), finished.subject.clone());
        self.tell(&Event::CaseStarted(CaseStarted { case, subject }));
        self.tell(&Event::CaseFinished(finished));
    }
}
