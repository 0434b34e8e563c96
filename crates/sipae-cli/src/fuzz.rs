//! `sipae fuzz`: campaigns.

mod date;
mod summary;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae_conformance::Stop;
use sipae_conformance::campaign::{self, Fate, Found, Host, Progress, State};
use sipae_conformance::control::Control;
use sipae_conformance::run::RunOptions;
use sipae_events::{CaseFinished, ExitCode, RunStarted};
use sipae_report::{visible, write_bundle};
use sipae_spec::Role;

use crate::args::FuzzArgs;
use crate::output::{Failure, forgive_closed_pipe, quoted};
use crate::run::{default_jobs, depth};
use crate::subject::{self, random_seed};
use crate::{exec, filter};

const STATE: &str = "state.json";
const FINDINGS: &str = "findings";
const SCRIPT: &str = "script.json";
const SUMMARY: &str = "summary.md";
const LOCK: &str = "lock";

pub(crate) fn fuzz(args: &FuzzArgs) -> Result<ExitCode, Failure> {
    if args.subject.target.role() != Role::Server {
        return Err(Failure::Usage(format!("{}: campaigns are for servers", args.subject.target)));
    }
    let filter = filter::filter(&args.filter, Some(Role::Server))?;
    if campaign::selected(&filter).is_empty() {
        let problem = "no generated case meets all filters; sipae list any- shows them";
        return Err(Failure::Usage(problem.to_owned()));
    }
    // One that cannot be read is left alone, and so is its folder.
    state(args)?;
    // Before the handler that ends a run without more ado: the first one stays.
    let stop = stop_on_interrupt();
    let options = subject::options(&args.subject)?;
    let seed = args.seed.unwrap_or_else(random_seed);
    let jobs = args.jobs.unwrap_or_else(|| default_jobs(&options.target));
    let mut options = RunOptions { seed, filter, jobs, ..options };
    let findings = args.out.join(FINDINGS);
    fs::create_dir_all(&findings).map_err(|source| Failure::File { file: findings, source })?;
    let _held = held(args)?;
    let state = state(args)?;
    options.effort.stop = stop.at(Instant::now() + args.time);
    options.effort.depth = args.depth.at_once;
    let mut desk = Desk::new(args);
    desk.begin(&state);
    let again = again(args, &options);
    let night = campaign::run(options, state, &mut desk).map_err(Failure::Report)?;
    let file = args.out.join(SUMMARY);
    let place = summary::Place {
        out: &args.out,
        again,
        chosen: depth(&args.depth).into_iter().chain(filter::words(&args.filter)).collect(),
    };
    let text = summary::markdown(&night, &place);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    // What the night found is told, whatever becomes of the file.
    desk.say(&summary::text(&night, &place));
    let new = file.with_extension("md.new");
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &file)).map_err(named);
    let broken = written.err().or(desk.broken);
    broken.map_or_else(|| Ok(night.exit()), |error| Err(Failure::Report(error)))
}

/// Holds the folder as long as it lives: two campaigns would each overwrite the state of the other.
fn held(args: &FuzzArgs) -> Result<fs::File, Failure> {
    let file = args.out.join(LOCK);
    // Nothing is written into it, and what stands there stays.
    let open = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&file);
    let lock = open.map_err(|source| Failure::File { file: file.clone(), source })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Failure::Usage(format!("{}: another campaign is running in this folder", args.out.display())))
        }
        Err(fs::TryLockError::Error(source)) => Err(Failure::File { file, source }),
    }
}

/// The campaign of the folder, or a new one.
fn state(args: &FuzzArgs) -> Result<State, Failure> {
    let file = args.out.join(STATE);
    let known = State::load(&file).map_err(|source| Failure::Campaign { file: file.clone(), source })?;
    match (known, args.seed) {
        (Some(state), Some(seed)) if state.seed != seed => {
            let problem = format!("--seed {seed}: the campaign in {} has {}", args.out.display(), state.seed);
            Err(Failure::Usage(problem))
        }
        (Some(state), _) => Ok(state),
        (None, seed) => Ok(State::new(seed.unwrap_or_else(random_seed))),
    }
}

/// A first Ctrl-C asks for the end, a second one does not wait for it.
fn stop_on_interrupt() -> Stop {
    /// What a shell tells of a program that was interrupted.
    const INTERRUPTED: i32 = 130;
    let stop = Stop::default();
    let asked = stop.clone();
    // Without a handler an interrupt ends it all the same, without a summary.
    let _without = ctrlc::set_handler(move || {
        if asked.is_asked() {
            sipae_net::end_all();
            std::process::exit(INTERRUPTED);
        }
        asked.ask();
    });
    stop
}

/// The arguments of a command that goes on, but for the folder.
fn again(args: &FuzzArgs, options: &RunOptions) -> Vec<String> {
    let profile = options.profile_name.as_ref().map(|file| format!("--profile {}", quoted(file)));
    let target = format!("--target {}", quoted(&args.subject.target.to_string()));
    std::iter::once(target).chain(profile).chain(options.arguments.iter().cloned()).collect()
}

/// Where a campaign is kept and told.
struct Desk<'a> {
    args: &'a FuzzArgs,
    out: PathBuf,
    told: Instant,
    broken: Option<io::Error>,
}

impl<'a> Desk<'a> {
    fn new(args: &'a FuzzArgs) -> Self {
        Self { args, out: args.out.clone(), told: Instant::now(), broken: None }
    }

    fn begin(&mut self, state: &State) {
        let State { seed, target, nights, rounds, findings, .. } = state;
        let now = self.args.subject.target.to_string();
        if !target.is_empty() && *target != now {
            // A server may have moved; another one is another campaign.
            let before: String = target.chars().map(visible).collect();
            self.say(&format!("the night before was against {before}, this one is against {now}\n"));
        }
        let out = self.out.display();
        let begun = format!(
            "campaign in {out}, seed {seed}: night {}, {} kept, from round {} on\n",
            nights.saturating_add(1),
            summary::counted(u64::try_from(findings.len()).unwrap_or(u64::MAX), "finding"),
            rounds.saturating_add(1),
        );
        self.say(&begun);
    }

    fn say(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if let Err(error) = forgive_closed_pipe(said) {
            self.broken.get_or_insert(error);
        }
    }

    fn folder(&self, found: &Found) -> PathBuf {
        script(&self.out, found).with_file_name("")
    }
}

/// The file of the script of a finding.
fn script(out: &Path, found: &Found) -> PathBuf {
    out.join(FINDINGS).join(&found.name).join(SCRIPT)
}

impl Host for Desk<'_> {
    fn date(&self) -> String {
        date::now()
    }

    fn keep(&mut self, state: &State) -> io::Result<()> {
        state.save(&self.out.join(STATE))
    }

    fn found(&mut self, found: &Found, run: &RunStarted, case: &CaseFinished, fate: &Fate) -> io::Result<()> {
        write_bundle(run, case, &self.folder(found))?;
        self.again(found, fate);
        Ok(())
    }

    fn lacks(&self, found: &Found) -> bool {
        found.script.is_some() && !script(&self.out, found).exists()
    }

    fn again(&mut self, found: &Found, fate: &Fate) {
        self.say(&format!("{}: {}\n", summary::word(fate), summary::line(found)));
    }

    fn progress(&mut self, progress: &Progress) {
        const SELDOM: Duration = Duration::from_secs(30);
        if progress.is_over || SELDOM <= self.told.elapsed() {
            self.told = Instant::now();
            self.say(&summary::progress(progress));
        }
    }

    fn revive(&mut self) -> Option<Arc<Control>> {
        exec::start(self.args.subject.exec.as_ref(), &self.args.subject.target).ok().flatten()
    }
}
