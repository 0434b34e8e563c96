//! A run against a client.

mod gate;
#[cfg(test)]
mod tests;
mod tries;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use sipae::client::Standing;
use sipae_events::{CaseFinished, Event, GateFinished, GateOutcome, Verdict};
use sipae_gen::{Mode, Service, Turn};
use sipae_net::ClientExit;
use sipae_spec::Requirement;

use self::gate::Gate;
use self::tries::Presence;
use super::case::{ClientCase, Part};
use super::cases;
use super::connector::{ClientConnector, Nowhere};
use super::file::ServiceFile;
use super::home::HomeConfig;
use super::pace::{ClientPace, Haste};
use super::play::{ClientStage, Player, Tells};
use super::seen::Conversation;
use crate::plan::subject;
use crate::run::{RunOptions, Teller};
use crate::target::Setting;

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
            (_, Some(reason)) => Gate::closed(GateOutcome::Untested, reason),
            (Some(setting), None) => {
                let reason = format!("the client was not to be had for {setting}, and is not tried again");
                Gate::closed(GateOutcome::Failed, reason)
            }
            (None, None) => runner.pass(),
        };
        opened |= gate.outcome == GateOutcome::Open;
        if gate.is_lost {
            lost = Some(setting.mode.to_string());
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
    /// The methods of requests that the client has answered well behind that.
    methods: OnceLock<Vec<String>>,
    presence: Presence,
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
        Self {
            options,
            ways,
            setting,
            home,
            tells,
            pace: Arc::new(pace),
            good: OnceLock::new(),
            methods: OnceLock::new(),
            presence: Presence::default(),
        }
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
            methods: self.methods.get().cloned().unwrap_or_default(),
            tells: Arc::clone(&self.tells),
            seed,
        })
    }

    /// A stored conversation. In memory everything is as it was.
    fn again(&self, case: &ClientCase, file: &ServiceFile, fence: Option<&str>) -> CaseFinished {
        // A script that was generated chooses among them.
        self.methods(fence);
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
        let mut others = self.grouped(cases, &whole);
        // What takes long is begun early.
        others.sort_by_key(|unit| std::cmp::Reverse(self.pauses(cases, unit)));
        units.extend(others);
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

    /// How often a unit waits for nothing.
    fn pauses(&self, cases: &[&'static ClientCase], unit: &Unit) -> usize {
        let pauses = |service: &Service| {
            let is_pause = |turn: &&Turn| matches!(turn, Turn::Settle | Turn::Elapse { .. });
            service.turns.iter().filter(is_pause).count()
        };
        match unit {
            Unit::Shared(places) => places.len(),
            Unit::Together(service, _) => pauses(service),
            Unit::Whole(place) => cases.get(*place).map_or(0, |case| pauses(&case.service(self.mode()))),
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
}

/// Cases that share conversations, in so many parts at most. Each takes of all kinds: those next to each other take as long.
fn parted(places: &[usize], most: usize) -> impl Iterator<Item = Unit> {
    let parts = most.min(places.len());
    (0..parts).map(move |part| Unit::Shared(places.iter().copied().skip(part).step_by(parts).collect()))
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
