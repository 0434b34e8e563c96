//! Campaigns: generated cases against a target for hours, night after night.
//!
//! What was found before is played again first. Then come rounds: each runs every generated case with a seed of its own,
//! and more conversations than the one before. A finding that is known is passed over, so that another one behind it is
//! found too.

mod key;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sipae_events::{CaseFinished, Event, ExitCode, GateFinished, GateOutcome, RunStarted, Subject};
use sipae_gen::{Check, ScriptFile};

use crate::cases;
use crate::control::Control;
use crate::filter::Filter;
use crate::generated::Effort;
use crate::plan::Plan;
use crate::run::{self, RunOptions};

pub use key::{Key, Known};
pub use state::{Added, Found, Sighting, State, StateError};

/// What became of a finding this night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was not known.
    New,
    /// It was gone, and was seen again.
    Back,
    /// It was known, and was seen again.
    Still,
    /// It was known, and its script shows it no longer.
    Gone,
    /// It was known, and nothing says whether it is still there; why.
    Undecided(String),
}

impl Fate {
    /// Whether the target has it, as far as is known.
    #[must_use]
    pub fn is_there(&self) -> bool {
        *self != Self::Gone
    }
}

/// Why a night ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Its time was over.
    Time,
    /// Somebody asked for it.
    Asked,
    /// No gate opened; why.
    Blocked(String),
    /// No selected case can be run against the target; why.
    NothingRan(String),
    /// The target was there and is not any more; why.
    Lost(String),
}

/// How far a night is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The round, counted over all nights.
    pub round: u64,
    /// Its seed.
    pub seed: u64,
    /// Conversations of this night.
    pub conversations: u64,
    /// How long the night is.
    pub elapsed: Duration,
    /// Findings of this night that were not known.
    pub new: usize,
    /// Whether the round is over.
    pub is_over: bool,
}

/// Who runs a campaign: knows the date and the disk, and tells people.
pub trait Host {
    /// The date, for people.
    fn date(&self) -> String;

    /// Keeps the state.
    ///
    /// # Errors
    /// When it cannot be kept: the night ends.
    fn keep(&mut self, state: &State) -> io::Result<()>;

    /// A finding is new, or its script is smaller than the one before.
    ///
    /// # Errors
    /// When it cannot be written: the night ends.
    fn found(&mut self, found: &Found, run: &RunStarted, case: &CaseFinished, fate: &Fate) -> io::Result<()>;

    /// A finding was played again.
    fn again(&mut self, _found: &Found, _fate: &Fate) {}

    /// Whether what was written of a finding is not there any more.
    fn lacks(&self, _found: &Found) -> bool {
        false
    }

    /// A case is over, or a round.
    fn progress(&mut self, _progress: &Progress) {}

    /// Starts a target that was lost anew, where the host can.
    fn revive(&mut self) -> Option<Arc<Control>> {
        None
    }
}

/// What a night came to.
#[derive(Clone, Debug)]
pub struct Night {
    /// All that is kept.
    pub state: State,
    /// What became of the findings that were looked at.
    pub fates: BTreeMap<Key, Fate>,
    /// Conversations of this night.
    pub conversations: u64,
    /// Rounds of this night.
    pub rounds: u64,
    /// The cases that had conversations, each at its scheme and version; of those that decided nothing all night, why.
    pub ran: BTreeMap<(String, Subject), Option<String>>,
    /// How long it was.
    pub elapsed: Duration,
    /// Why it ended.
    pub end: End,
}

impl Night {
    /// The findings with such a fate.
    pub fn with(&self, is_meant: impl Fn(&Fate) -> bool) -> impl Iterator<Item = (&Found, &Fate)> {
        let fate = |found: &Found| self.fates.get(&found.key);
        let told = self.state.findings.iter().filter_map(move |found| Some((found, fate(found)?)));
        told.filter(move |(_, fate)| is_meant(fate))
    }

    /// The cases that decided nothing all night: name, scheme and version, and why.
    pub fn undecided(&self) -> impl Iterator<Item = (&str, &Subject, &str)> {
        self.ran.iter().filter_map(|((case, subject), why)| Some((case.as_str(), subject, why.as_deref()?)))
    }

    /// A night that shows nothing is never green.
    fn shows_nothing(&self) -> bool {
        let is_seen = |fate: &Fate| matches!(fate, Fate::New | Fate::Back | Fate::Still | Fate::Gone);
        self.ran.values().all(Option::is_some) && !self.fates.values().any(is_seen)
    }

    fn note(&mut self, case: &CaseFinished) {
        if case.generated == 0 {
            return;
        }
        let why = || case.reason.clone().unwrap_or_else(|| "it decided nothing".to_owned());
        let open = (!case.verdict.is_decided()).then(why);
        let noted =
            self.ran.entry((case.case.to_string(), case.subject.clone())).or_insert_with(|| open.clone());
        if open.is_none() {
            *noted = None;
        }
    }

    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        let ended = match self.end {
            End::Time if self.conversations == 0 => ExitCode::NothingRan,
            End::Time | End::Asked if 0 < self.conversations && self.shows_nothing() => ExitCode::NothingRan,
            End::Time | End::Asked => ExitCode::Passed,
            End::Blocked(_) => ExitCode::Blocked,
            End::NothingRan(_) => ExitCode::NothingRan,
            End::Lost(_) => ExitCode::Crash,
        };
        let found = self.with(Fate::is_there).map(|(found, fate)| match fate {
            Fate::New | Fate::Back | Fate::Still if found.key.is_crash() => ExitCode::Crash,
            _ => ExitCode::Failed,
        });
        found.fold(ended, ExitCode::or)
    }
}

/// The generated cases that a filter chooses.
#[must_use]
pub fn selected(filter: &Filter) -> BTreeSet<String> {
    let generated = cases::all().filter(|case| case.is_generated());
    let chosen = generated.filter(|case| filter.selects(case.id(), case.requirements(), case.role()));
    chosen.map(|case| case.id().to_owned()).collect()
}

/// Runs a campaign for one night, until the stop of the effort is due. Seeds, filters to generated cases, and efforts
/// follow from the state.
///
/// # Errors
/// When the host could not keep what was found.
pub fn run(options: RunOptions, state: State, host: &mut dyn Host) -> io::Result<Night> {
    let filter = Filter { exactly: Some(selected(&options.filter).into()), ..options.filter.clone() };
    let options = RunOptions { filter, ..options };
    let mut campaign = Campaign {
        host,
        begun: Instant::now(),
        night: Night {
            state,
            fates: BTreeMap::new(),
            conversations: 0,
            rounds: 0,
            ran: BTreeMap::new(),
            elapsed: Duration::ZERO,
            end: End::Time,
        },
        options,
        run: None,
        replays: 0,
        lost_since: None,
    };
    campaign.begin()?;
    let end = campaign.rounds()?;
    campaign.end(end)
}

struct Campaign<'h> {
    host: &'h mut dyn Host,
    options: RunOptions,
    begun: Instant,
    night: Night,
    run: Option<RunStarted>,
    /// How often what is kept was played again this night.
    replays: u32,
    lost_since: Option<Instant>,
}

/// What a round showed of the target.
#[derive(Default)]
struct Round {
    conversations: u64,
    is_decided: bool,
    closed: Option<String>,
    why: Option<String>,
}

impl Campaign<'_> {
    fn begin(&mut self) -> io::Result<()> {
        let state = &mut self.night.state;
        state.nights = state.nights.saturating_add(1);
        state.target = self.options.target.to_string();
        self.replay(|found, ends_night| !ends_night || !found.key.is_end())
    }

    /// What ended the target before would end the night if it came first.
    fn end(mut self, end: End) -> io::Result<Night> {
        let is_lost = matches!(end, End::Lost(_) | End::Blocked(_));
        if !self.options.effort.stop.is_asked() && !is_lost {
            // The time of the night is over; these few take their own.
            self.options.effort.stop = self.options.effort.stop.without_time();
            self.replay(|found, ends_night| ends_night && found.key.is_end())?;
        }
        self.leave_undecided();
        (self.night.end, self.night.elapsed) = (end, self.begun.elapsed());
        self.host.keep(&self.night.state)?;
        Ok(self.night)
    }

    /// Findings that the night did not come to.
    fn leave_undecided(&mut self) {
        let selected = self.options.filter.exactly.clone().unwrap_or_default();
        for found in &self.night.state.findings {
            if !found.is_gone && selected.contains(&found.key.case) {
                let undecided = || Fate::Undecided("there was no time to play it again".to_owned());
                self.night.fates.entry(found.key.clone()).or_insert_with(undecided);
            }
        }
    }

    /// Plays what is kept again, as far as it is meant and has no fate yet.
    fn replay(&mut self, is_meant: impl Fn(&Found, bool) -> bool) -> io::Result<()> {
        self.replays += 1;
        // No server gets the identifiers of a round a second time.
        self.options.seed = self.night.state.seed_of(self.night.state.rounds).rotate_left(8 * self.replays);
        let options = self.options.clone();
        let ends_night = options.target.is_lost_by_a_crash() && !options.target.is_in_memory();
        let selected = options.filter.exactly.clone().unwrap_or_default();
        let is_meant = |found: &&Found| {
            let is_open = !self.night.fates.contains_key(&found.key);
            is_open && selected.contains(&found.key.case) && is_meant(found, ends_night)
        };
        let meant: Vec<Found> = self.night.state.findings.iter().filter(is_meant).cloned().collect();
        if meant.is_empty() {
            return Ok(());
        }
        let plan = Plan::of_gates(&options);
        for found in meant {
            if options.effort.stop.is_due() {
                break;
            }
            self.play_again(&plan, &found)?;
        }
        self.host.keep(&self.night.state)
    }

    fn play_again(&mut self, plan: &Plan<'_>, found: &Found) -> io::Result<()> {
        let played = script(found).and_then(|file| {
            let finished = played_again(plan, found, &file)?;
            Ok((file, finished))
        });
        match played {
            Ok((file, mut finished)) => {
                finished.fault.clone_from(&found.key.fault);
                if Key::of(&finished).is_some_and(|key| key.is_end() && key != found.key) {
                    self.failed(&finished)?;
                }
                self.settle(found, fate(found, &file, &finished), Some(&finished))
            }
            Err(why) => self.settle(found, Fate::Undecided(why), None),
        }
    }

    /// What was gone before and still is has no fate.
    fn settle(&mut self, found: &Found, fate: Fate, played: Option<&CaseFinished>) -> io::Result<()> {
        let fate = match fate {
            Fate::Still if found.is_gone => Fate::Back,
            Fate::Gone | Fate::Undecided(_) if found.is_gone => return Ok(()),
            fate => fate,
        };
        let at = self.sighting(0);
        match fate {
            Fate::Gone => self.night.state.forget(&found.key),
            Fate::Still | Fate::Back => self.night.state.meet(&found.key, 1, &at),
            Fate::New | Fate::Undecided(_) => {}
        }
        let is_seen = matches!(fate, Fate::Still | Fate::Back);
        match (played.filter(|_| is_seen && self.host.lacks(found)), self.started()) {
            (Some(case), Some(run)) => self.host.found(found, &run, case, &fate)?,
            _ => self.host.again(found, &fate),
        }
        self.night.fates.insert(found.key.clone(), fate);
        Ok(())
    }

    fn sighting(&self, round: u64) -> Sighting {
        Sighting { round, date: self.host.date() }
    }

    fn rounds(&mut self) -> io::Result<End> {
        loop {
            let stop = &self.options.effort.stop;
            if stop.is_due() {
                return Ok(if stop.is_asked() { End::Asked } else { End::Time });
            }
            let round = self.round()?;
            if let Some(end) = self.after(round) {
                return Ok(end);
            }
        }
    }

    /// Whether the night ends with a round: no case was decided in it.
    fn after(&mut self, round: Round) -> Option<End> {
        if 0 < round.conversations || self.options.effort.stop.is_due() {
            self.lost_since = None;
            return None;
        }
        match (round.closed, self.night.conversations) {
            (Some(reason), 0) => Some(End::Blocked(reason)),
            (Some(reason), _) => self.wait_for_target(reason),
            (None, _) if round.is_decided => None,
            (None, _) => Some(End::NothingRan(round.why.unwrap_or_else(|| "no case fits it".to_owned()))),
        }
    }

    /// A target that restarts is given a while.
    fn wait_for_target(&mut self, reason: String) -> Option<End> {
        const PATIENCE: Duration = Duration::from_secs(60);
        const PAUSE: Duration = Duration::from_secs(2);
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        if PATIENCE <= since.elapsed() {
            return Some(End::Lost(reason));
        }
        // The program ends with the last clone of its control.
        if self.options.control.take().is_some() {
            self.options.control = self.host.revive();
            return self.options.control.is_none().then_some(End::Lost(reason));
        }
        pause(PAUSE, &self.options.effort);
        None
    }

    /// Runs every case once.
    fn round(&mut self) -> io::Result<Round> {
        self.night.rounds += 1;
        self.night.state.rounds = self.night.state.rounds.saturating_add(1);
        let number = self.night.state.rounds;
        let mut options = self.options.clone();
        options.seed = self.night.state.seed_of(number);
        let known = Arc::new(self.night.state.known());
        options.effort.cases = conversations(self.night.rounds);
        options.effort.known = Some(Arc::clone(&known));
        let (mut round, mut broken) = (Round::default(), None);
        run::run(&options, &mut |event| {
            if broken.is_none()
                && let Err(error) = self.take(event, options.seed, &mut round)
            {
                broken = Some(error);
                options.effort.stop.ask();
            }
        });
        if let Some(error) = broken {
            return Err(error);
        }
        self.count_known(&known);
        self.tell(options.seed, true);
        self.host.keep(&self.night.state)?;
        Ok(round)
    }

    fn count_known(&mut self, known: &Known) {
        let at = self.sighting(self.night.state.rounds);
        for (key, times) in known.met() {
            self.night.state.meet(&key, times, &at);
            self.seen(&key);
        }
    }

    /// A finding that was known was seen.
    fn seen(&mut self, key: &Key) {
        let fate = self.night.fates.entry(key.clone()).or_insert(Fate::Still);
        if matches!(fate, Fate::Gone | Fate::Undecided(_)) {
            *fate = Fate::Still;
        }
    }

    fn take(&mut self, event: &Event, seed: u64, round: &mut Round) -> io::Result<()> {
        match event {
            Event::RunStarted(run) => self.run = Some(run.clone()),
            Event::GateFinished(gate) => note_gate(gate, round),
            Event::CaseFinished(case) => {
                round.conversations += case.generated;
                round.is_decided |= case.verdict.is_decided();
                round.why = case.reason.clone().or_else(|| round.why.take());
                self.night.conversations += case.generated;
                self.night.note(case);
                let all = &mut self.night.state.conversations;
                *all = all.saturating_add(case.generated);
                self.failed(case)?;
                self.tell(seed, false);
            }
            Event::CaseStarted(_) | Event::RunFinished(_) => {}
        }
        Ok(())
    }

    /// Takes a case in that may have failed.
    fn failed(&mut self, case: &CaseFinished) -> io::Result<()> {
        let Some(key) = Key::of(case) else { return Ok(()) };
        let was_gone = self.night.state.findings.iter().any(|found| found.key == key && found.is_gone);
        let at = self.sighting(self.night.state.rounds);
        let Some(added) = self.night.state.add(case, &at) else { return Ok(()) };
        match (added.is_new, was_gone) {
            (true, _) => drop(self.night.fates.insert(key.clone(), Fate::New)),
            // What went this night, and came again, was there all the time.
            (false, true) if !self.night.fates.contains_key(&key) => {
                self.night.fates.insert(key.clone(), Fate::Back);
            }
            (false, _) => self.seen(&key),
        }
        let found = self.night.state.findings.get(added.place);
        if let (Some(found), Some(run), Some(fate)) = (found, self.started(), self.night.fates.get(&key)) {
            if added.has_new_script || was_gone {
                self.host.found(found, &run, case, fate)?;
            }
            self.host.keep(&self.night.state)?;
        }
        Ok(())
    }

    /// The beginning of the run that is going on; scripts are played again before the first one.
    fn started(&self) -> Option<RunStarted> {
        self.run.clone().or_else(|| Some(self.options.started()))
    }

    fn tell(&mut self, seed: u64, is_over: bool) {
        let progress = Progress {
            round: self.night.state.rounds,
            seed,
            conversations: self.night.conversations,
            elapsed: self.begun.elapsed(),
            new: self.night.with(|fate| *fate == Fate::New).count(),
            is_over,
        };
        self.host.progress(&progress);
    }
}

/// Conversations for each case in a round of a night: everything is looked at soon, and longer later.
fn conversations(round: u64) -> u64 {
    const FIRST: u64 = 10;
    const MOST: u64 = 400;
    let doubled = u32::try_from(round.saturating_sub(1)).ok().and_then(|times| FIRST.checked_shl(times));
    doubled.filter(|grown| FIRST <= *grown).map_or(MOST, |grown| grown.min(MOST))
}

fn note_gate(gate: &GateFinished, round: &mut Round) {
    if gate.outcome == GateOutcome::Failed {
        round.closed = gate.reason.clone().or_else(|| Some("no gate opened".to_owned()));
    }
}

/// Waits, unless the end comes first.
fn pause(time: Duration, effort: &Effort) {
    const PART: Duration = Duration::from_millis(100);
    let begun = Instant::now();
    while begun.elapsed() < time && !effort.stop.is_due() {
        thread::sleep(PART);
    }
}

fn script(found: &Found) -> Result<ScriptFile, String> {
    let script = found.script.clone().ok_or("it has no script")?;
    ScriptFile::from_value(script).map_err(|error| error.to_string())
}

/// What comes of the script of a finding; what did not fail each time has some more chances to.
fn played_again(plan: &Plan<'_>, found: &Found, file: &ScriptFile) -> Result<CaseFinished, String> {
    const CHANCES: u32 = 5;
    let mut finished = plan.replay(&found.key.subject, file, 1)?;
    for play in 2..=if found.key.is_flaky() { CHANCES } else { 1 } {
        if finished.verdict.is_fail() {
            break;
        }
        finished = plan.replay(&found.key.subject, file, play)?;
    }
    Ok(finished)
}

/// What a script that was played again says of the finding that it is from. The model, which judges sequences as they are
/// found, can name another row than the script does: that it fails is what counts.
fn fate(found: &Found, file: &ScriptFile, finished: &CaseFinished) -> Fate {
    let key = &found.key;
    let is_of_key = |check: &Check| key.requirement.is_empty() || check.requirement == key.requirement;
    let is_judged = key.is_end() || file.checks.iter().any(is_of_key);
    let undecided = |why: &str| Fate::Undecided(finished.reason.clone().unwrap_or_else(|| why.to_owned()));
    match Key::of(finished) {
        Some(seen) if seen == *key => Fate::Still,
        Some(seen) if seen.is_end() => undecided("the target ended"),
        Some(_) if !key.is_end() => Fate::Still,
        None if !finished.verdict.is_decided() => undecided("it decided nothing"),
        _ if !is_judged => undecided("only the model can judge its script"),
        _ => Fate::Gone,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use sipae_events::{CaseId, Cause, Finding, Verdict};
    use sipae_spec::{Level, Weight};

    use super::*;

    const ROW: &str = "SIPAE-3.3.5.3-04";

    fn case(verdict: Verdict, row: Option<&str>) -> CaseFinished {
        let finding = |row: &str| Finding {
            requirement: row.to_owned(),
            level: Level::MustNot,
            reconstructed: false,
            expected: "m: refused".to_owned(),
            got: "200, signed with snum 3".to_owned(),
            weight: Weight::Fail,
        };
        let (id, subject) = (CaseId::new("3.3.5.3/any-alteration").unwrap(), Subject::new("NTLM", 4));
        let case = CaseFinished::new(id, subject, "not processed", &[ROW], verdict);
        CaseFinished { findings: row.map(finding).into_iter().collect(), ..case }
    }

    fn file(row: &str) -> ScriptFile {
        let check = json!({ "message": "m", "requirement": row, "expect": "refused" });
        let mode = json!({ "scheme": "NTLM", "version": 4 });
        let format = ScriptFile::FORMAT;
        ScriptFile::from_value(json!({ "format": format, "mode": mode, "steps": [], "checks": [check] }))
            .unwrap()
    }

    fn found(case: &CaseFinished) -> Found {
        let mut state = State::new(1);
        state.add(case, &Sighting { round: 1, date: String::new() }).unwrap();
        state.findings.remove(0)
    }

    const REACTION: Verdict = Verdict::Fail(Cause::Reaction);
    const CRASH: Verdict = Verdict::Fail(Cause::Crash);
    const ENDED: &str = "the target ended";

    fn undecided(why: &str) -> Fate {
        Fate::Undecided(why.to_owned())
    }

    #[rstest]
    #[case(REACTION, Some(ROW), Fate::Still)]
    #[case(REACTION, Some("SIPAE-3.3.5.3-07"), Fate::Still)]
    #[case(Verdict::Pass, None, Fate::Gone)]
    #[case(Verdict::Loose, None, Fate::Gone)]
    #[case(CRASH, None, undecided(ENDED))]
    #[case(Verdict::Inconclusive, None, undecided("it decided nothing"))]
    fn a_script_that_is_played_again_says_whether_its_finding_is_there(
        #[case] verdict: Verdict,
        #[case] row: Option<&str>,
        #[case] expected: Fate,
    ) {
        let known = found(&case(REACTION, Some(ROW)));
        assert_eq!(fate(&known, &file(ROW), &case(verdict, row)), expected);
    }

    #[rstest]
    #[case(CRASH, Fate::Still)]
    #[case(Verdict::Fail(Cause::Hang), undecided(ENDED))]
    #[case(REACTION, Fate::Gone)]
    #[case(Verdict::Pass, Fate::Gone)]
    fn an_end_is_gone_when_the_target_lives_on(#[case] verdict: Verdict, #[case] expected: Fate) {
        let known = found(&case(CRASH, Some(ROW)));
        assert_eq!(fate(&known, &file(ROW), &case(verdict, Some(ROW))), expected);
    }

    /// Else each night after one bad moment would end with 1.
    #[test]
    fn what_did_not_fail_each_time_can_be_gone() {
        let flaky = Verdict::Fail(Cause::Flaky { failed: 1, of: 2 });
        for row in [Some(ROW), None] {
            let known = found(&case(flaky, row));
            assert_eq!(fate(&known, &file(ROW), &case(Verdict::Pass, None)), Fate::Gone, "{row:?}");
            assert_eq!(fate(&known, &file(ROW), &case(flaky, row)), Fate::Still, "{row:?}");
        }
    }

    #[test]
    fn a_script_that_does_not_check_the_requirement_cannot_say_that_it_is_kept() {
        let known = found(&case(REACTION, Some(ROW)));
        let fate = fate(&known, &file("SIPAE-3.3.5.3-07"), &case(Verdict::Pass, None));
        assert_eq!(fate, undecided("only the model can judge its script"));
    }

    fn night(verdicts: &[Verdict]) -> Night {
        let mut night = Night {
            state: State::new(1),
            fates: BTreeMap::new(),
            conversations: 10,
            rounds: 1,
            ran: BTreeMap::new(),
            elapsed: Duration::ZERO,
            end: End::Time,
        };
        verdicts
            .iter()
            .for_each(|verdict| night.note(&CaseFinished { generated: 5, ..case(*verdict, None) }));
        night
    }

    #[rstest]
    #[case::never(&[Verdict::Inconclusive, Verdict::Inconclusive], 1, ExitCode::NothingRan)]
    #[case::once(&[Verdict::Inconclusive, Verdict::Loose, Verdict::Inconclusive], 0, ExitCode::Passed)]
    fn a_night_that_decided_nothing_is_not_green(
        #[case] verdicts: &[Verdict],
        #[case] undecided: usize,
        #[case] expected: ExitCode,
    ) {
        let night = night(verdicts);
        assert_eq!((night.undecided().count(), night.exit()), (undecided, expected));
    }

    #[test]
    fn a_finding_that_is_there_is_told_of_a_night_that_decided_nothing_else() {
        let mut night = night(&[Verdict::Inconclusive]);
        night.state.findings.push(found(&case(REACTION, Some(ROW))));
        night.fates.insert(night.state.findings[0].key.clone(), Fate::Still);
        assert_eq!(night.exit(), ExitCode::Failed);
    }

    #[test]
    fn rounds_grow_to_a_bound() {
        let grown = [1, 2, 3, 6, 7, 100, u64::MAX].map(conversations);
        assert_eq!(grown, [10, 20, 40, 320, 400, 400, 400]);
    }
}
