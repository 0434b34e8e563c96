//! Script files, played again: nothing of what made them is needed.

use std::fmt;
use std::sync::Arc;

use sipae::auth::ChallengeKind;
use sipae::clock::Entropy;
use sipae_events::{
    CaseFinished, CaseId, Event, ExitCode, GateFinished, GateOutcome, RunStarted, Subject, Verdict,
};
use sipae_gen::{Mode, ScriptFile, ScriptFileError};
use sipae_net::{OsEntropy, SeededEntropy};
use sipae_spec::{Requirement, Role};

use crate::case::{Case, Stored};
use crate::cases;
use crate::client::{self, ServiceFile};
use crate::execute::Stage;
use crate::failure;
use crate::generated::Effort;
use crate::needs;
use crate::pace::Pace;
use crate::plan;
use crate::profile::Profile;
use crate::reaction::Reaction;
use crate::run::{RunOptions, Teller};
use crate::target::{Connector, Setting, Target};
use crate::trial::{Outcome, Trial, asked_bare};

/// A script file (docs/scripts.md) that can be played and judged: by its checks, or, where it has none, by the written
/// case whose conversation it is.
///
/// A conversation with a client is judged by what is foreseen of it, or by the written case that it is of.
#[derive(Debug)]
pub struct File {
    name: Option<String>,
    with: With,
}

/// Whom a file is a conversation with.
#[derive(Debug)]
enum With {
    Server(Box<ServerScript>),
    Client(Box<ServiceFile>),
}

#[derive(Debug)]
struct ServerScript {
    case: Case,
    mode: Mode,
    kind: Option<ChallengeKind>,
    seed: u64,
}

/// Why a text is no script file that can be played and judged. Displayed in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It is no script file.
    #[error(transparent)]
    Script(#[from] ScriptFileError),
    /// `case` is no name of a case.
    #[error("{0:?} is no name of a case")]
    Case(String),
    /// A row that this version does not know.
    #[error("the catalogue has no row {0:?}")]
    Requirement(String),
    /// It has no checks, and is of no written case.
    #[error("it has no checks, and no written case {0:?} is known that could judge it")]
    Unjudged(String),
    /// It is a conversation with a client, and cannot be read.
    #[error("{0}")]
    Service(String),
}

/// Why a target did not pass: everything that is known about it, in several lines. It looks the same however it is
/// formatted, since tests show their errors as for programmers.
pub struct CheckError(String);

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CheckError {}

/// What a conversation is called that is of no case.
const NAMELESS: &str = "script";

impl File {
    /// How long a file may be, in octets.
    pub const MAX_OCTETS: usize = ScriptFile::MAX_OCTETS;

    /// Reads a file.
    ///
    /// # Errors
    /// When it is no script file, names rows that this version does not know, or when nothing judges it.
    pub fn read(text: &str) -> Result<Self, ReplayError> {
        match ServiceFile::claims(text) {
            true => Self::of_client(ServiceFile::read(text).map_err(ReplayError::Service)?),
            false => Self::try_from(ScriptFile::read(text)?),
        }
    }

    fn of_client(file: ServiceFile) -> Result<Self, ReplayError> {
        let foreseen = file.foreseen.iter().map(|foreseen| &foreseen.requirement);
        for id in file.requirements.iter().chain(foreseen) {
            Requirement::get(id).ok_or_else(|| ReplayError::Requirement(shortened(id)))?;
        }
        CaseId::new(file.case.as_str()).map_err(|_| ReplayError::Case(shortened(&file.case)))?;
        if file.foreseen.is_empty() && file.written().is_none() {
            return Err(ReplayError::Unjudged(shortened(&file.case)));
        }
        Ok(Self { name: None, with: With::Client(Box::new(file)) })
    }

    /// The role of the targets that it can be played to.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self.with {
            With::Server(_) => Role::Server,
            With::Client(_) => Role::Client,
        }
    }

    const fn seed(&self) -> u64 {
        match &self.with {
            With::Server(script) => script.seed,
            With::Client(file) => file.seed,
        }
    }

    /// With the name that reports tell, by which the file can be played again.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Plays the script against the target of these options and tells it as a run of one case, event by event. The seed
    /// is that of the file; filter, settings, jobs and effort mean nothing here.
    ///
    /// There is no gate. A target on a wire is asked by one bare request whether it is there at all: if it is not, that
    /// is told as a gate which failed.
    pub fn run(&self, options: &RunOptions, on_event: &mut dyn FnMut(&Event)) -> ExitCode {
        let options = &RunOptions { seed: self.seed(), ..options.clone() };
        let mut teller = Teller::new(on_event);
        teller.tell(&Event::RunStarted(self.started(options)));
        match &self.with {
            With::Server(script) => Replay::new(script, options).tell(&mut teller),
            With::Client(file) => client::run::replay(options, file, &mut teller),
        }
        teller.end()
    }

    /// Plays the script against a target: a test of `cargo test`.
    ///
    /// # Errors
    /// When the target fails, or nothing could be decided.
    pub fn check(&self, target: &Target, profile: &Arc<Profile>) -> Result<(), CheckError> {
        let options = RunOptions {
            target: target.clone(),
            profile: Arc::clone(profile),
            nonce: u64::from_be_bytes((&mut OsEntropy as &mut dyn Entropy).octets()),
            ..RunOptions::reference(self.seed())
        };
        let mut passed = Ok(());
        self.run(&options, &mut |event| {
            if let Event::CaseFinished(case) = event {
                passed = self.passed(case);
            }
        });
        passed
    }

    fn passed(&self, case: &CaseFinished) -> Result<(), CheckError> {
        match case.verdict {
            Verdict::Pass | Verdict::Loose => Ok(()),
            _ => Err(CheckError(failure::text(case, self.seed()))),
        }
    }

    fn started(&self, options: &RunOptions) -> RunStarted {
        let started = options.started();
        let note = match self.with {
            With::Server(_) => "one script is played, without a gate",
            With::Client(_) => "one conversation is played, behind the good one",
        };
        let note = note.to_owned();
        let notes = [note].into_iter().chain(started.notes).collect();
        RunStarted { script: self.name.clone(), notes, ..started }
    }
}

impl ServerScript {
    /// The file at a target: only the reference can be told how to challenge.
    fn setting(&self, target: &Target) -> Setting {
        let kind = self.kind.filter(|_| matches!(target, Target::Reference { .. }));
        Setting { mode: self.mode, kind }
    }
}

impl TryFrom<ScriptFile> for File {
    type Error = ReplayError;

    fn try_from(file: ScriptFile) -> Result<Self, ReplayError> {
        let (mode, kind) = (file.mode, file.kind.and_then(ChallengeKind::from_status));
        let (id, seed, mut rows) = (name(&file)?, file.seed, rows(&file)?);
        let judge = if file.checks.is_empty() { Some(written(&file.case)?) } else { None };
        if let Some(case) = judge {
            rows = case.requirements().to_vec();
        }
        let case = Case::called(id, &file.title, &rows).with(&[mode.scheme]).at(&[mode.version]);
        let case = case.stored(Stored { script: file.script, checks: file.checks, case: judge });
        let script = ServerScript { case, mode, kind, seed };
        Ok(Self { name: None, with: With::Server(Box::new(script)) })
    }
}

fn name(file: &ScriptFile) -> Result<CaseId, ReplayError> {
    let name = if file.case.is_empty() { NAMELESS } else { &file.case };
    CaseId::new(name).map_err(|_| ReplayError::Case(shortened(name)))
}

/// The rows that are looked at, each once: those of the checks. Where there are none, all that the file names.
fn rows(file: &ScriptFile) -> Result<Vec<&'static str>, ReplayError> {
    let checked: Vec<_> = known(file.checks.iter().map(|check| &check.requirement))?;
    let named = known(&file.requirements)?;
    let mut rows = Vec::new();
    for row in if checked.is_empty() { named } else { checked } {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn known<'f>(ids: impl IntoIterator<Item = &'f String>) -> Result<Vec<&'static str>, ReplayError> {
    let row = |id: &String| Requirement::get(id).ok_or_else(|| ReplayError::Requirement(shortened(id)));
    ids.into_iter().map(|id| row(id).map(|row| row.id)).collect()
}

/// The written case of this name.
fn written(id: &str) -> Result<&'static Case, ReplayError> {
    let mut written = cases::all().filter(|case| !case.is_generated());
    written.find(|case| case.id() == id).ok_or_else(|| ReplayError::Unjudged(shortened(id)))
}

/// An error repeats no floods.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    text.chars().take(MOST).collect()
}

/// A file that is being played.
struct Replay<'f> {
    file: &'f ServerScript,
    options: &'f RunOptions,
    setting: Setting,
    ways: Arc<dyn Connector>,
    pace: Arc<Pace>,
}

impl<'f> Replay<'f> {
    fn new(file: &'f ServerScript, options: &'f RunOptions) -> Self {
        let ways = options.reached().ways(&options.profile);
        let pace = Arc::new(Pace::new(options.profile.answer_timeout));
        Self { file, options, setting: file.setting(&options.target), ways, pace }
    }

    fn tell(&self, teller: &mut Teller<'_>) {
        let trial = self.trial();
        let unclaimed = needs::unclaimed(self.options, trial.case, self.setting.mode);
        if let Some(reason) = unclaimed {
            return teller.case(trial.not_run(Verdict::Unsupported, Some(reason)));
        }
        if let Some(reason) = self.absence() {
            teller.tell(&Event::GateFinished(closed(trial.subject.clone(), reason.clone())));
            return teller.case(trial.not_run(Verdict::Blocked, Some(reason)));
        }
        match trial.run(&Effort::default(), &self.pace, &|part| self.stage(part)) {
            Outcome::Finished(finished) => teller.case(*finished),
            Outcome::Parked(parked) => teller.case(parked.settle(self.pace.limit())),
        }
    }

    fn trial(&self) -> Trial<'f> {
        Trial {
            case: &self.file.case,
            subject: plan::subject(self.setting),
            mode: self.setting.mode,
            strict: self.options.strict,
        }
    }

    /// Why there is nobody to play the script with.
    fn absence(&self) -> Option<String> {
        if self.options.target.is_in_memory() {
            return None;
        }
        let observation = asked_bare(self.stage("bare"));
        match observation.reaction("bare") {
            None => Some(observation.broken.unwrap_or_else(|| "no connection".to_owned())),
            Some(reaction @ (Reaction::Overdue | Reaction::Closed | Reaction::Reset)) => {
                Some(format!("a bare REGISTER: {reaction}"))
            }
            Some(_) => None,
        }
    }

    /// In memory the octets are those of the file; a server that has seen them needs others.
    fn stage(&self, part: &str) -> Stage {
        let stage =
            self.options.stage(self.ways.as_ref(), self.setting, &format!("replay {part}"), &self.pace, 0);
        let seed = self.file.seed;
        if self.options.target.is_in_memory() {
            Stage { entropy: SeededEntropy::new(seed), seed, ..stage }
        } else {
            stage
        }
    }
}

fn closed(subject: Subject, reason: String) -> GateFinished {
    GateFinished {
        subject,
        outcome: GateOutcome::Failed,
        offered: Vec::new(),
        reason: Some(reason),
        notes: Vec::new(),
        exchange: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
