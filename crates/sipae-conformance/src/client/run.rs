//! A run against a client.

mod gate;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use sipae::client::Standing;
use sipae_events::{CaseFinished, Cause, Event, GateFinished, GateOutcome, Verdict};
use sipae_gen::{Mode, Recorded, Service};
use sipae_net::ClientExit;
use sipae_spec::Requirement;

use self::gate::{Gate, problem_of};
use super::case::{ClientCase, Part};
use super::cases;
use super::connector::{ClientConnector, Nowhere};
use super::file::ServiceFile;
use super::generated::{self, Generator, Play};
use super::home::HomeConfig;
use super::judge::ClientJudge;
use super::pace::{ClientPace, Haste};
use super::play::{ClientStage, Player, Tells};
use super::seen::Conversation;
use crate::plan::subject;
use crate::run::{RunOptions, Teller};
use crate::target::Setting;

/// Times in a row that a client may fail to authenticate again before it is not started any more.
const PATIENCE: u32 = 2;

/// The cases of a run.
pub(crate) fn selected(options: &RunOptions) -> impl Iterator<Item = &'static ClientCase> {
    let filter = options.filter.clone();
    cases::all().iter().filter(move |case| filter.selects(case.id(), case.requirements(), case.role()))
}

/// Plays every selected case to a client.
pub(crate) fn run(options: &RunOptions, ways: &dyn ClientConnector, teller: &mut Teller<'_>) {
    let mut lost: Option<String> = None;
    let mut opened = false;
    let settings = options.settings();
    for (place, setting) in settings.iter().enumerate() {
        let runner = Runner::new(options, ways, *setting);
        let mut gate = match (&lost, runner.unclaimed()) {
            (Some(reason), _) => Gate::closed(GateOutcome::Failed, reason.clone()),
            (None, Some(reason)) => Gate::closed(GateOutcome::Untested, reason),
            (None, None) => runner.pass(),
        };
        opened |= gate.outcome == GateOutcome::Open;
        if gate.is_lost {
            lost.clone_from(&gate.reason);
        }
        let is_last = place + 1 == settings.len() && options.settings.is_none();
        if is_last && !opened && gate.outcome == GateOutcome::Unsupported {
            // A client that authenticates with nothing has failed; of a setting alone nobody can say so.
            gate.outcome = GateOutcome::Failed;
        }
        runner.tell(gate, teller);
    }
}

/// Plays a stored conversation, behind the good one.
pub(crate) fn replay(options: &RunOptions, file: &ServiceFile, teller: &mut Teller<'_>) {
    let ways = match options.target.client(&options.profile) {
        Some(Ok(ways)) => ways,
        Some(Err(problem)) => Arc::new(Nowhere(problem)),
        None => Arc::new(Nowhere(format!("{} is no client", options.target))),
    };
    let rows: Vec<&'static str> =
        file.requirements.iter().filter_map(|id| Requirement::get(id)).map(|row| row.id).collect();
    let case = ClientCase::new(&file.case, &file.title, &rows);
    let runner = Runner::new(options, ways.as_ref(), Setting { mode: file.mode, kind: None });
    let mut gate = match runner.unclaimed() {
        Some(reason) => Gate::closed(GateOutcome::Untested, reason),
        None => runner.pass(),
    };
    runner.tell_gate(&mut gate, teller);
    let not = |verdict| runner.not_played(&case, verdict, gate.reason.clone());
    let finished = match gate.outcome {
        GateOutcome::Open => runner.again(&case, file, gate.fence.as_deref()),
        outcome if outcome.is_absent() => not(Verdict::Unsupported),
        _ => not(Verdict::Blocked),
    };
    teller.case(finished);
}

/// A setting of a run.
struct Runner<'r> {
    options: &'r RunOptions,
    ways: &'r dyn ClientConnector,
    setting: Setting,
    home: Arc<HomeConfig>,
    tells: Arc<dyn Tells>,
    pace: Arc<ClientPace>,
    /// The conversation that the setting began with.
    good: OnceLock<Conversation>,
}

/// What is played by one worker.
enum Unit {
    /// Cases that share a conversation: their places.
    Shared(Vec<usize>),
    /// Cases that look at the same conversation.
    Together(Service, Vec<usize>),
    /// A case with one of its own.
    Whole(usize),
}

impl<'r> Runner<'r> {
    fn new(options: &'r RunOptions, ways: &'r dyn ClientConnector, setting: Setting) -> Self {
        let client = &options.profile.client;
        let pace = ClientPace::new(client.start, options.profile.answer_timeout);
        let home = Arc::new(options.profile.home());
        let tells: Arc<dyn Tells> =
            if options.target.writes() { Arc::new(client.clone()) } else { Arc::new(()) };
        Self { options, ways, setting, home, tells, pace: Arc::new(pace), good: OnceLock::new() }
    }

    const fn mode(&self) -> Mode {
        self.setting.mode
    }

    fn unclaimed(&self) -> Option<String> {
        let (profile, mode) = (&self.options.profile, self.mode());
        if let Some(reason) = profile.disclaims(mode.scheme) {
            return Some(reason);
        }
        if profile.versions.as_ref().is_some_and(|versions| !versions.contains(&mode.version)) {
            return Some("the profile does not claim this version".to_owned());
        }
        self.home.lacks(mode.scheme).map(str::to_owned)
    }

    fn stage(&self, part: &str, haste: Haste, fence: Option<&str>) -> Result<ClientStage, String> {
        let seed = self.options.seed_of(part, self.setting);
        Ok(ClientStage {
            wire: self.ways.wire(
                self.mode(),
                self.options.seed_of(&format!("wire {part}"), self.setting),
                haste == Haste::Patient,
            )?,
            home: Arc::clone(&self.home),
            mode: self.mode(),
            pace: Arc::clone(&self.pace),
            haste,
            fence: fence.map(str::to_owned),
            tells: Arc::clone(&self.tells),
            seed,
        })
    }

    /// A stored conversation. In memory everything is as it was.
    fn again(&self, case: &ClientCase, file: &ServiceFile, fence: Option<&str>) -> CaseFinished {
        let stage = match self.stage("again", Haste::Patient, fence) {
            Ok(stage) => stage,
            Err(reason) => return self.not_played(case, Verdict::Blocked, Some(reason)),
        };
        let mut player = Player::new(ClientStage { seed: file.seed, ..stage });
        let seen = player.play(&file.service);
        let end = player.end();
        let written = file.written().filter(|_| file.foreseen.is_empty());
        let finished = self.judged_by(case, &seen, end, &|judge| match written {
            Some(written) => written.read(judge),
            None => judge.foreseen(&file.foreseen),
        });
        let is_found = finished.verdict.is_fail() || finished.verdict == Verdict::Loose;
        CaseFinished { script: is_found.then(|| file.to_value()), ..finished }
    }

    fn tell_gate(&self, gate: &mut Gate, teller: &mut Teller<'_>) {
        let exchange = gate.seen.as_ref().map(|seen| seen.exchange.clone()).unwrap_or_default();
        teller.tell(&Event::GateFinished(GateFinished {
            subject: subject(self.setting),
            outcome: gate.outcome,
            offered: vec![self.mode().scheme.name().to_owned()],
            reason: gate.reason.clone(),
            notes: std::mem::take(&mut gate.notes),
            exchange,
        }));
    }

    fn tell(&self, mut gate: Gate, teller: &mut Teller<'_>) {
        self.tell_gate(&mut gate, teller);
        let is_absent = gate.outcome.is_absent();
        let cases: Vec<&'static ClientCase> = selected(self.options)
            .filter(|case| case.needs().schemes.contains(&self.mode().scheme))
            .filter(|_| {
                !is_absent || !self.options.filter.is_empty() || gate.outcome == GateOutcome::Unsupported
            })
            .collect();
        let mut results: Vec<Option<CaseFinished>> =
            cases.iter().map(|case| self.decided(case, &gate)).collect();
        self.look_at_the_good(&cases, &gate, &mut results);
        self.play_all(&cases, gate, results, teller);
    }

    /// The verdict of a case that is not played, and why.
    fn decided(&self, case: &'static ClientCase, gate: &Gate) -> Option<CaseFinished> {
        let not = |verdict, reason: Option<String>| Some(self.not_played(case, verdict, reason));
        if gate.outcome.is_absent() {
            return not(Verdict::Unsupported, None);
        }
        let needs = case.needs();
        if !needs.has_meaning(self.mode()) {
            return not(Verdict::Unsupported, Some("it has no meaning at this version".to_owned()));
        }
        if gate.outcome != GateOutcome::Open {
            // What was seen of the good conversation is looked at all the same.
            let is_seen =
                case.part() == Part::Good && gate.seen.as_ref().is_some_and(|seen| !seen.heard.is_empty());
            return if is_seen { None } else { not(Verdict::Blocked, gate.reason.clone()) };
        }
        if let Some(missing) = needs.stimuli.iter().find(|stimulus| !gate.stimuli.contains(stimulus)) {
            return not(Verdict::Unsupported, Some(format!("the client cannot be made to {missing}")));
        }
        if needs.clock && !gate.has_clock {
            return not(Verdict::Unsupported, Some("the clock of the client cannot be set".to_owned()));
        }
        if needs.answers && gate.fence.is_none() {
            let reason = "the client answers no request, so that nothing can be seen".to_owned();
            return not(Verdict::Inconclusive, Some(reason));
        }
        if needs.standing && !gate.has_standing {
            let reason = "nobody can know what the client tells its user".to_owned();
            return not(Verdict::Inconclusive, Some(reason));
        }
        None
    }

    fn not_played(&self, case: &ClientCase, verdict: Verdict, reason: Option<String>) -> CaseFinished {
        let (id, subject, title) = (case.case_id().clone(), subject(self.setting), case.title());
        CaseFinished { reason, ..CaseFinished::new(id, subject, title, case.requirements(), verdict) }
    }

    fn look_at_the_good(
        &self,
        cases: &[&'static ClientCase],
        gate: &Gate,
        results: &mut [Option<CaseFinished>],
    ) {
        let Some(seen) = &gate.seen else { return };
        for (case, result) in cases.iter().zip(results) {
            if result.is_none() && case.part() == Part::Good {
                let finished = self.judged(case, seen, None);
                let is_open = gate.outcome == GateOutcome::Open || finished.verdict != Verdict::Inconclusive;
                let blocked = || self.not_played(case, Verdict::Blocked, gate.reason.clone());
                *result = Some(if is_open { finished } else { blocked() });
            }
        }
    }

    fn play_all(
        &self,
        cases: &[&'static ClientCase],
        gate: Gate,
        mut results: Vec<Option<CaseFinished>>,
        teller: &mut Teller<'_>,
    ) {
        let is_open = |place: &usize| results.get(*place).is_some_and(Option::is_none);
        let part = |place: &usize| cases.get(*place).map(|case| case.part());
        let open: Vec<usize> = (0..cases.len()).filter(is_open).collect();
        let (shared, whole): (Vec<usize>, Vec<usize>) =
            open.into_iter().partition(|place| part(place) == Some(Part::Shared));
        let mut units: VecDeque<Unit> = VecDeque::new();
        let workers = self.options.jobs.max(1).min(self.ways.most_at_once());
        // Where nothing has to be waited for, one conversation is as fast as several.
        let is_exact = gate.player.as_ref().is_some_and(Player::is_exact);
        units.extend(parted(&shared, if is_exact { 1 } else { workers }));
        units.extend(self.grouped(cases, &whole));
        let workers = workers.min(units.len().max(1));
        let fence = gate.fence.clone();
        // A client that nobody needs any more is let go.
        let is_shared = units.iter().any(|unit| matches!(unit, Unit::Shared(_)));
        let player = gate.player.filter(|_| is_shared).map(Player::hurried);
        let player = Mutex::new(player);
        let units = Mutex::new(units);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let mut spawned = 0;
            for _ in 0..workers {
                let (units, player, sender, fence) = (&units, &player, sender.clone(), fence.as_deref());
                let work = move || self.work(cases, units, player, fence, &sender);
                spawned += usize::from(thread::Builder::new().spawn_scoped(scope, work).is_ok());
            }
            if spawned == 0 {
                // A system without threads to give has this one.
                self.work(cases, &units, &player, fence.as_deref(), &sender);
            }
            drop(sender);
            tell_in_order(&receiver, &mut results, teller);
        });
    }

    /// Cases whose common conversation is the same are one unit.
    fn grouped(&self, cases: &[&'static ClientCase], whole: &[usize]) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        for place in whole {
            let common = cases.get(*place).and_then(|case| case.service_together(self.mode()));
            let Some(common) = common else {
                units.push(Unit::Whole(*place));
                continue;
            };
            let known = units.iter_mut().find_map(|unit| match unit {
                Unit::Together(service, places) if *service == common => Some(places),
                _ => None,
            });
            match known {
                Some(places) => places.push(*place),
                None => units.push(Unit::Together(common, vec![*place])),
            }
        }
        units
    }

    /// Cases that look at one conversation. Where one does not pass, it has its own.
    fn together(
        &self,
        cases: &[&'static ClientCase],
        (service, places): (&Service, &[usize]),
        fence: Option<&str>,
        tell: &dyn Fn(usize, CaseFinished) -> bool,
    ) {
        let names: Vec<&str> =
            places.iter().filter_map(|place| cases.get(*place)).map(|case| case.id()).collect();
        let name = names.first().copied().unwrap_or_default();
        let played = self.stage(&format!("{name} together"), Haste::Brisk, fence).map(|stage| {
            let mut player = Player::new(stage);
            let seen = player.play(service);
            (player, seen)
        });
        let common = |place: &usize| {
            let (_, seen) = played.as_ref().ok()?;
            cases.get(*place).map(|case| self.judged(case, seen, None))
        };
        let finished: Vec<Option<CaseFinished>> = places.iter().map(common).collect();
        let is_pass = |finished: &Option<CaseFinished>| {
            finished.as_ref().is_some_and(|finished| finished.verdict == Verdict::Pass)
        };
        // Before another client is started this one is let go.
        if let Ok((mut player, _)) = played
            && finished.iter().all(is_pass)
        {
            player.keep();
        }
        for (place, finished) in places.iter().zip(finished) {
            let Some(case) = cases.get(*place) else { continue };
            let finished = match finished {
                Some(finished) if finished.verdict == Verdict::Pass => finished,
                Some(finished) => self.patiently(case, &finished, fence),
                None => self.whole(case, fence),
            };
            tell(*place, finished);
        }
    }

    fn work(
        &self,
        cases: &[&'static ClientCase],
        units: &Mutex<VecDeque<Unit>>,
        player: &Mutex<Option<Player>>,
        fence: Option<&str>,
        sender: &mpsc::Sender<(usize, CaseFinished)>,
    ) {
        loop {
            let unit = units.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match unit {
                None => return,
                Some(Unit::Shared(places)) => {
                    let first = player.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let tell = |place, finished| sender.send((place, finished)).is_ok();
                    self.share(cases, &places, first, fence, &tell);
                }
                Some(Unit::Together(service, places)) => {
                    let tell = |place, finished| sender.send((place, finished)).is_ok();
                    self.together(cases, (&service, &places), fence, &tell);
                }
                Some(Unit::Whole(place)) => {
                    let Some(case) = cases.get(place) else { continue };
                    if sender.send((place, self.whole(case, fence))).is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Cases that share a conversation, until one does not pass: what comes after it has a new one.
    fn share(
        &self,
        cases: &[&'static ClientCase],
        places: &[usize],
        first: Option<Player>,
        fence: Option<&str>,
        tell: &dyn Fn(usize, CaseFinished) -> bool,
    ) {
        let (mut player, mut failures, mut round) = (first, 0, 0);
        // What a client does of a case may show a little later.
        let mut passed: Option<(usize, CaseFinished)> = None;
        for place in places {
            let Some(case) = cases.get(*place) else { continue };
            let crash = player.as_mut().and_then(Player::crash);
            if crash.is_some() {
                player = None;
            }
            if let Some((place, finished)) = passed.take() {
                tell(place, crashed_behind(finished, crash));
            }
            if self.options.effort.stop.is_due() {
                tell(*place, self.not_played(case, Verdict::Cancelled, None));
                continue;
            }
            let mut problem = None;
            while player.as_mut().is_none_or(|player| !player.is_usable()) && failures < PATIENCE {
                round += 1;
                // Before another client is started this one is let go.
                player = None;
                match self.established(&format!("shared {round}"), fence) {
                    Ok(again) => (player, failures) = (Some(again), 0),
                    Err(why) => {
                        problem = Some(why);
                        failures += 1;
                    }
                }
            }
            let Some(mut playing) = player.take() else {
                let why = problem.unwrap_or_else(|| "it has not authenticated any more".to_owned());
                tell(*place, self.not_played(case, Verdict::Blocked, Some(why)));
                continue;
            };
            if let Some(generator) = case.generator() {
                let (finished, again) = self.generate(case, generator, playing, fence);
                player = again;
                match finished.verdict {
                    Verdict::Pass => passed = Some((*place, finished)),
                    _ => drop(tell(*place, finished)),
                }
                continue;
            }
            let seen = playing.play(&case.service(self.mode()));
            let mut finished = self.judged(case, &seen, None);
            if finished.verdict == Verdict::Pass {
                (player, passed) = (Some(playing), Some((*place, finished)));
                continue;
            }
            // What came before it may be why: alone it shows. The next one has a client that has seen nothing.
            drop(playing);
            let alone = self.patiently(case, &finished, fence);
            if !has_crashed(&finished) || has_crashed(&alone) {
                finished = alone;
            }
            tell(*place, finished);
        }
        let crash = player.as_mut().and_then(Player::late_crash);
        if let Some(player) = player.as_mut().filter(|_| crash.is_none()) {
            player.keep();
        }
        if let Some((place, finished)) = passed {
            tell(place, crashed_behind(finished, crash));
        }
    }

    /// Generated conversations, inside one that goes on, until one is not as it was foreseen: that is played alone, and
    /// made smaller. One that alone is as it was foreseen may be one that was not waited for: a client that has seen
    /// nothing goes on, once.
    fn generate(
        &self,
        case: &'static ClientCase,
        generator: Generator,
        mut playing: Player,
        fence: Option<&str>,
    ) -> (CaseFinished, Option<Player>) {
        let effort = &self.options.effort;
        let deadline = effort.time.map(|time| Instant::now() + time);
        let (mut count, mut unconfirmed, mut disturbed) = (0, 0, 0);
        let is_over = |count: u64| match deadline {
            Some(deadline) => deadline <= Instant::now(),
            None => effort.cases <= count,
        };
        let mut last = None;
        while !is_over(count) && !effort.stop.is_due() {
            count += 1;
            let seed = self.options.seed_with(0, &format!("{} {count}", case.id()), self.setting);
            let (play, choices) = generated::drawn(generator, self.mode(), seed);
            let seen = playing.play(&play.service);
            if is_disturbed(&seen) {
                disturbed += 1;
                continue;
            }
            let finished = self.foreseen(case, &play, &seen);
            if finished.verdict == Verdict::Pass {
                last = Some(finished);
                continue;
            }
            // Before another client is started this one is let go.
            drop(playing);
            if let Some(found) = self.smallest(case, generator, choices, fence) {
                return (CaseFinished { generated: count, ..found }, None);
            }
            unconfirmed += 1;
            let again = match seen.is_exact || has_crashed(&finished) || 1 < unconfirmed {
                true => None,
                false => self.established(&format!("{} again", case.id()), fence).ok(),
            };
            let Some(again) = again else {
                let found = unconfirmed_of(finished, seen.is_exact);
                return (CaseFinished { generated: count, ..found }, None);
            };
            playing = again;
        }
        let finished = last.unwrap_or_else(|| self.nothing_counted(case, disturbed));
        let generated = count - disturbed;
        (CaseFinished { generated, exchange: Vec::new(), ..finished }, Some(playing))
    }

    /// Of a property that has shown nothing.
    fn nothing_counted(&self, case: &ClientCase, disturbed: u64) -> CaseFinished {
        if disturbed == 0 {
            return self.not_played(case, Verdict::Cancelled, None);
        }
        let why = "requests of the client came among all numbers that were counted".to_owned();
        self.not_played(case, Verdict::Inconclusive, Some(why))
    }

    /// The smallest conversation that is not as it was foreseen, played alone; `None` where alone everything is.
    fn smallest(
        &self,
        case: &'static ClientCase,
        generator: Generator,
        choices: Vec<u32>,
        fence: Option<&str>,
    ) -> Option<CaseFinished> {
        let is_exact = Cell::new(false);
        let alone = |play: &Play| {
            let service = Service::new().establish().settle().then(play.service.clone());
            let stage = self.stage(&format!("{} alone", case.id()), Haste::Patient, fence).ok()?;
            let seen = Player::new(stage).play(&service);
            is_exact.set(seen.is_exact);
            if is_disturbed(&seen) {
                return None;
            }
            let finished = self.foreseen(case, play, &seen);
            let file = ServiceFile { service, foreseen: play.foreseen.clone(), ..self.file(case, seen.seed) };
            Some(CaseFinished { script: Some(file.to_value()), ..finished })
        };
        let whole = generator(&mut Recorded::new(choices.clone()), self.mode());
        alone(&whole).filter(|finished| finished.verdict != Verdict::Pass)?;
        let (mode, exact) = (self.mode(), is_exact.get());
        let mut fails = |play: &Play| {
            alone(play)
                .is_some_and(|finished| finished.verdict.is_fail() || finished.verdict == Verdict::Loose)
        };
        let smallest = generated::smallest(generator, mode, choices, exact, &mut fails);
        alone(&smallest)
    }

    fn foreseen(&self, case: &'static ClientCase, play: &Play, seen: &Conversation) -> CaseFinished {
        self.judged_by(case, seen, None, &|judge| judge.foreseen(&play.foreseen))
    }

    fn file(&self, case: &ClientCase, seed: u64) -> ServiceFile {
        ServiceFile {
            program: format!("sipae {}", env!("CARGO_PKG_VERSION")),
            case: case.id().to_owned(),
            title: case.title().to_owned(),
            requirements: case.requirements().iter().map(ToString::to_string).collect(),
            mode: self.mode(),
            seed,
            service: Service::new(),
            foreseen: Vec::new(),
        }
    }

    fn established(&self, part: &str, fence: Option<&str>) -> Result<Player, String> {
        let mut player = Player::new(self.stage(part, Haste::Patient, fence)?);
        let seen = player.play(&Service::new().establish().settle());
        match problem_of(&seen) {
            None => Ok(player.hurried()),
            Some(problem) => Err(format!("it does not authenticate again: {problem}")),
        }
    }

    /// A case in a conversation of its own.
    fn whole(&self, case: &'static ClientCase, fence: Option<&str>) -> CaseFinished {
        if self.options.effort.stop.is_due() {
            return self.not_played(case, Verdict::Cancelled, None);
        }
        let haste = if case.is_patient() { Haste::Patient } else { Haste::Brisk };
        match self.alone(case, "first", haste, fence) {
            Ok((finished, is_exact)) if is_exact || !is_open(&finished) => finished,
            Ok((finished, _)) => self.patiently(case, &finished, fence),
            Err(reason) => self.not_played(case, Verdict::Blocked, Some(reason)),
        }
    }

    /// The same behind a hurried try that did not pass, with patience. What fails then is played once more, where nothing
    /// is exact; one crash is enough, and so is it not to be decided twice.
    fn patiently(
        &self,
        case: &'static ClientCase,
        hurried: &CaseFinished,
        fence: Option<&str>,
    ) -> CaseFinished {
        let (first, is_exact) = match self.alone(case, "second", Haste::Patient, fence) {
            Ok(played) => played,
            Err(reason) => return self.not_played(case, Verdict::Blocked, Some(reason)),
        };
        let is_undecided = [hurried.verdict, first.verdict] == [Verdict::Inconclusive; 2];
        if is_exact || is_undecided || !is_open(&first) || first.verdict == Verdict::Loose {
            return first;
        }
        match self.alone(case, "third", Haste::Patient, fence) {
            Ok((second, _)) => of_two(first, second),
            Err(_) => first,
        }
    }

    fn alone(
        &self,
        case: &'static ClientCase,
        part: &str,
        haste: Haste,
        fence: Option<&str>,
    ) -> Result<(CaseFinished, bool), String> {
        let stage = self.stage(&format!("{} {part}", case.id()), haste, fence)?;
        let mut player = Player::new(stage);
        let seen = player.play(&case.alone(self.mode()));
        let end = player.end();
        let finished = self.judged(case, &seen, end);
        if finished.verdict == Verdict::Pass {
            player.keep();
        }
        Ok((finished, seen.is_exact))
    }

    fn judged(&self, case: &ClientCase, seen: &Conversation, end: Option<ClientExit>) -> CaseFinished {
        let mut finished = self.judged_by(case, seen, end, &|judge| case.read(judge));
        if finished.verdict.is_fail() || finished.verdict == Verdict::Loose {
            let file = ServiceFile { service: case.alone(self.mode()), ..self.file(case, seen.seed) };
            finished.script = Some(file.to_value());
        }
        finished
    }

    fn judged_by(
        &self,
        case: &ClientCase,
        seen: &Conversation,
        end: Option<ClientExit>,
        read: &dyn Fn(&mut ClientJudge<'_>),
    ) -> CaseFinished {
        let judge = ClientJudge::new(seen, case.requirements(), self.options.strict);
        let mut judge = judge.beside(self.good.get());
        read(&mut judge);
        let (verdict, findings, undecided) = judge.close();
        let crash = end.or_else(|| seen.end.clone()).filter(|end| end.is_crash);
        let (verdict, reason) = match &crash {
            Some(end) => (Verdict::Fail(Cause::Crash), Some(after(seen, &end.how))),
            None => (verdict, undecided.filter(|_| verdict == Verdict::Inconclusive)),
        };
        let mut finished = self.not_played(case, verdict, reason);
        finished.findings = findings;
        finished.exchange_left_out = seen.exchange_left_out;
        finished.signatures.clone_from(&seen.signatures);
        seen.exchange.iter().cloned().for_each(|message| finished.push(message));
        if let Some(end) = crash.filter(|end| !end.errors.is_empty()) {
            use sipae_events::{Direction, Exchanged};
            let errors = Exchanged::new(Direction::Received, 1, end.how, end.errors.as_bytes());
            finished.push(errors.of(Exchanged::STANDARD_ERROR));
        }
        finished
    }
}

/// What a generated conversation has shown inside another one, and alone has not: where nothing is exact, twice.
fn unconfirmed_of(finished: CaseFinished, is_exact: bool) -> CaseFinished {
    if is_exact || has_crashed(&finished) {
        return finished;
    }
    CaseFinished { verdict: Verdict::Fail(Cause::Flaky { failed: 2, of: 4 }), ..finished }
}

/// Whether nothing follows from what was counted. A client that has ended has done so.
fn is_disturbed(seen: &Conversation) -> bool {
    seen.disturbed && seen.end.is_none()
}

/// A case that has passed, and what of the client was seen behind it.
fn crashed_behind(finished: CaseFinished, crash: Option<ClientExit>) -> CaseFinished {
    match crash {
        None => finished,
        Some(end) => {
            let reason = Some(format!("{}, after what this case sent", end.how));
            CaseFinished { verdict: Verdict::Fail(Cause::Crash), reason, ..finished }
        }
    }
}

/// Whether another try can tell more. A crash is one, however often it comes.
fn is_open(finished: &CaseFinished) -> bool {
    finished.verdict != Verdict::Pass && !has_crashed(finished)
}

/// What two tries of a case come to. A failure that did not come twice is flaky, and what one of them decides is decided.
fn of_two(first: CaseFinished, second: CaseFinished) -> CaseFinished {
    let flaky = |failed: CaseFinished| CaseFinished {
        verdict: Verdict::Fail(Cause::Flaky { failed: 1, of: 2 }),
        ..failed
    };
    match (first.verdict.is_fail(), second.verdict.is_fail()) {
        _ if has_crashed(&second) => second,
        (true, true) => first,
        (true, false) => flaky(first),
        (false, true) => flaky(second),
        (false, false) => second,
    }
}

/// Cases that share conversations, in so many parts at most. Each takes of all kinds: those next to each other take as long.
fn parted(places: &[usize], most: usize) -> impl Iterator<Item = Unit> {
    let parts = most.min(places.len());
    (0..parts).map(move |part| Unit::Shared(places.iter().copied().skip(part).step_by(parts).collect()))
}

fn has_crashed(finished: &CaseFinished) -> bool {
    finished.verdict == Verdict::Fail(Cause::Crash)
}

/// What a client ended with, and the message that it ended behind.
fn after(seen: &Conversation, how: &str) -> String {
    let last = seen.sent.iter().max_by_key(|(_, sent)| sent.place);
    match last {
        Some((label, _)) => format!("{how}, after {label}"),
        None => how.to_owned(),
    }
}

fn tell_in_order(
    receiver: &mpsc::Receiver<(usize, CaseFinished)>,
    results: &mut [Option<CaseFinished>],
    teller: &mut Teller<'_>,
) {
    let mut waiting: BTreeMap<usize, CaseFinished> = BTreeMap::new();
    for (place, result) in results.iter_mut().enumerate() {
        let finished = match result.take() {
            Some(finished) => finished,
            None => loop {
                if let Some(finished) = waiting.remove(&place) {
                    break finished;
                }
                let Ok((place, finished)) = receiver.recv() else { return };
                waiting.insert(place, finished);
            },
        };
        teller.case(finished);
    }
}

/// What nobody tells.
impl Tells for () {
    fn standing(&self, _: &str, _: Option<&ClientExit>) -> Option<Standing> {
        None
    }
}
