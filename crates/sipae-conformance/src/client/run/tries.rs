//! How often a case is played, with whom and with what patience, and what its tries come to.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sipae::auth::Scheme;
use sipae_events::{CaseFinished, Cause, Verdict};
use sipae_gen::{Recorded, Service};
use sipae_net::ClientExit;

use super::super::case::ClientCase;
use super::super::file::ServiceFile;
use super::super::generated::{self, Generator, Play};
use super::super::home::Class;
use super::super::judge::ClientJudge;
use super::super::pace::Haste;
use super::super::play::{ClientStage, Player};
use super::super::seen::{Conversation, Heard};
use super::Runner;
use super::gate::problem_of;

/// Times in a row that a client may fail to authenticate again before it is not started any more.
const PATIENCE: u32 = 2;

/// What cases have that share a conversation.
struct Sharing {
    player: Option<Player>,
    /// How often in a row no other client could be had.
    failures: u32,
    /// How many clients were started for it.
    round: u32,
}

/// Whether the client still comes.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<(u32, String)>);

impl Presence {
    /// How many conversations in a row may come about with nobody.
    const ABSENCES: u32 = 2;

    /// A conversation is over.
    fn note(&self, part: &str, seen: &Conversation) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = match seen.connections.opened {
            0 if seen.heard.is_empty() && !seen.is_established => (known.0 + 1, std::mem::take(&mut known.1)),
            _ => (0, part.to_owned()),
        };
    }

    /// Why nobody is waited for any more.
    fn lost(&self) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind =
            if known.1.is_empty() { String::new() } else { format!("; it came last for {}", known.1) };
        (Self::ABSENCES <= known.0).then(|| format!("the client does not connect any more{behind}"))
    }
}

/// Generated scripts that one client is played: sockets and programs are not made for more.
const LONG: u64 = 100;

/// Clients that are started anew for one property because they have closed, which is one way to refuse.
const CLOSING: u32 = 4;

impl Runner<'_> {
    /// Cases that look at one conversation. Where one does not pass, it has its own.
    pub(super) fn together(
        &self,
        cases: &[&'static ClientCase],
        (service, places): (&Service, &[usize]),
        fence: Option<&str>,
        tell: &dyn Fn(usize, CaseFinished) -> bool,
    ) {
        let names: Vec<&str> =
            places.iter().filter_map(|place| cases.get(*place)).map(|case| case.id()).collect();
        let name = names.first().copied().unwrap_or_default();
        let played = self.staged(&format!("{name} together"), Haste::Brisk, fence).map(|stage| {
            let mut player = Player::new(stage);
            let seen = player.play(service);
            self.presence.note(name, &seen);
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
        let crash = match played {
            Ok((mut player, seen)) if finished.iter().all(is_pass) => {
                let crash = player.over();
                if crash.is_none() && is_as_before(&seen) {
                    player.keep();
                }
                crash
            }
            _ => None,
        };
        for (place, finished) in places.iter().zip(finished) {
            // Which of them it was shows alone.
            let finished = finished.filter(|_| crash.is_none());
            let Some(case) = cases.get(*place) else { continue };
            let finished = match finished {
                Some(finished) if finished.verdict == Verdict::Pass => finished,
                Some(finished) => self.patiently(case, &finished, fence),
                None => self.whole(case, fence),
            };
            tell(*place, finished);
        }
    }

    /// Cases that share a conversation, until one does not pass: what comes after it has a new one.
    pub(super) fn share(
        &self,
        cases: &[&'static ClientCase],
        places: &[usize],
        first: Option<Player>,
        fence: Option<&str>,
        tell: &dyn Fn(usize, CaseFinished) -> bool,
    ) {
        let mut sharing = Sharing { player: first, failures: 0, round: 0 };
        // What a client does of a case may show a little later.
        let mut passed: Option<(usize, CaseFinished)> = None;
        for place in places {
            let Some(case) = cases.get(*place) else { continue };
            let crash = sharing.player.as_mut().and_then(Player::crash);
            if crash.is_some() {
                sharing.player = None;
            }
            if let Some((place, finished)) = passed.take() {
                tell(place, crashed_behind(finished, crash));
            }
            if self.options.effort.stop.is_due() {
                tell(*place, self.not_played(case, Verdict::Cancelled, None));
                continue;
            }
            let finished = match self.usable(&mut sharing, fence) {
                Ok(playing) => {
                    let (finished, again) = self.in_common(case, playing, fence);
                    sharing.player = again;
                    finished
                }
                Err(why) => self.not_played(case, Verdict::Blocked, Some(why)),
            };
            match finished.verdict {
                Verdict::Pass if sharing.player.is_some() => passed = Some((*place, finished)),
                _ => drop(tell(*place, finished)),
            }
        }
        let crash = sharing.player.as_mut().and_then(Player::over);
        if let Some(player) = sharing.player.as_mut().filter(|_| crash.is_none()) {
            player.keep();
        }
        if let Some((place, finished)) = passed {
            tell(place, crashed_behind(finished, crash));
        }
    }

    /// The client of those that share, or another one where it cannot go on.
    fn usable(&self, sharing: &mut Sharing, fence: Option<&str>) -> Result<Player, String> {
        // Before another client is started the one before is let go.
        if let Some(player) = sharing.player.take().and_then(Player::if_usable) {
            return Ok(player);
        }
        let mut problem = "it has not authenticated any more".to_owned();
        while sharing.failures < PATIENCE {
            sharing.round += 1;
            match self.established(&format!("shared {}", sharing.round), Haste::Patient, fence) {
                Ok(player) => {
                    sharing.failures = 0;
                    return Ok(player);
                }
                Err(why) => {
                    problem = why;
                    sharing.failures += 1;
                }
            }
        }
        Err(problem)
    }

    /// A case inside a conversation that others share. Where it does not pass, what came before it may be why: alone it
    /// shows, and the next one has a client that has seen nothing.
    fn in_common(
        &self,
        case: &'static ClientCase,
        mut playing: Player,
        fence: Option<&str>,
    ) -> (CaseFinished, Option<Player>) {
        if let Some(generator) = case.generator() {
            return self.generate(case, generator, playing, fence);
        }
        let seen = playing.play(&case.service(self.mode()));
        let finished = self.judged(case, &seen, None);
        if finished.verdict == Verdict::Pass {
            return (finished, Some(playing));
        }
        drop(playing);
        let alone = self.patiently(case, &finished, fence);
        let stays_crashed = has_crashed(&finished) && !has_crashed(&alone);
        (if stays_crashed { finished } else { alone }, None)
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
        let begun = Instant::now();
        playing.set_methods(self.methods(fence));
        let mut tally = Tally::default();
        while !self.is_enough(&tally, begun) {
            tally.count += 1;
            let seed = self.options.seed_with(0, &format!("{} {}", case.id(), tally.count), self.setting);
            let (play, choices) = generated::drawn(generator, self.mode(), seed);
            let seen = playing.play(&play.service);
            if is_disturbed(&seen) {
                tally.disturbed += 1;
                continue;
            }
            let finished = self.foreseen(case, &play, &seen);
            let is_pass = finished.verdict == Verdict::Pass;
            if is_pass {
                tally.last = Some(finished.clone());
                let is_usable = playing.is_usable();
                if is_usable && (seen.is_exact || !tally.count.is_multiple_of(LONG)) {
                    continue;
                }
                tally.closing += u32::from(!is_usable);
            }
            // Before another client is started this one is let go.
            drop(playing);
            if !is_pass {
                if let Some(found) = self.smallest(case, generator, choices, fence) {
                    return (CaseFinished { generated: tally.count, ..found }, None);
                }
                if let Some(found) = tally.unlike_alone(finished, &seen) {
                    return (CaseFinished { generated: tally.count, ..found }, None);
                }
            }
            if CLOSING < tally.closing {
                return (self.passed(case, tally), None);
            }
            match self.established(&format!("{} {}", case.id(), tally.count), Haste::Patient, fence) {
                Ok(again) => playing = again,
                Err(why) => return (self.not_played(case, Verdict::Blocked, Some(why)), None),
            }
        }
        (self.passed(case, tally), Some(playing))
    }

    fn is_enough(&self, tally: &Tally, begun: Instant) -> bool {
        let effort = &self.options.effort;
        let is_over = match effort.time {
            Some(time) => time <= begun.elapsed(),
            None => effort.cases <= tally.count,
        };
        is_over || effort.stop.is_due()
    }

    /// A property of which nothing has failed.
    fn passed(&self, case: &ClientCase, tally: Tally) -> CaseFinished {
        let finished = tally.last.unwrap_or_else(|| self.nothing_counted(case, tally.disturbed));
        CaseFinished { generated: tally.count - tally.disturbed, exchange: Vec::new(), ..finished }
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
        let found = alone(&whole).filter(|finished| finished.verdict != Verdict::Pass)?;
        if found.verdict == Verdict::Inconclusive {
            // There is nothing to make smaller.
            return Some(found);
        }
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

    pub(super) fn file(&self, case: &ClientCase, seed: u64) -> ServiceFile {
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

    pub(super) fn established(
        &self,
        part: &str,
        haste: Haste,
        fence: Option<&str>,
    ) -> Result<Player, String> {
        let mut player = Player::new(self.staged(part, haste, fence)?);
        let seen = player.play(&Service::new().establish().settle());
        self.presence.note(part, &seen);
        match problem_of(&seen) {
            None => Ok(player.hurried()),
            Some(problem) => Err(format!("it does not authenticate again: {problem}")),
        }
    }

    /// What another conversation needs, as long as the client comes.
    fn staged(&self, part: &str, haste: Haste, fence: Option<&str>) -> Result<ClientStage, String> {
        match self.presence.lost() {
            Some(why) => Err(why),
            None => self.stage(part, haste, fence),
        }
    }

    /// A case in a conversation of its own.
    pub(super) fn whole(&self, case: &'static ClientCase, fence: Option<&str>) -> CaseFinished {
        if self.options.effort.stop.is_due() {
            return self.not_played(case, Verdict::Cancelled, None);
        }
        let haste = if case.is_patient() { Haste::Patient } else { Haste::Brisk };
        match self.alone(case, "first", haste, fence) {
            Ok((finished, false)) if has_crashed(&finished) && self.is_kept() => {
                let alone = self.patiently(case, &finished, fence);
                if has_crashed(&alone) { alone } else { with_those_before(finished) }
            }
            Ok((finished, is_exact)) if is_exact || !is_open(&finished) => finished,
            Ok((finished, _)) => self.patiently(case, &finished, fence),
            Err(reason) => self.not_played(case, Verdict::Blocked, Some(reason)),
        }
    }

    /// Whether one client has several conversations.
    fn is_kept(&self) -> bool {
        1 < self.options.profile.client.conversations
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
        let stage = self.staged(&format!("{} {part}", case.id()), haste, fence)?;
        let mut player = Player::new(stage);
        let seen = player.play(&case.alone(self.mode()));
        self.presence.note(case.id(), &seen);
        let end = player.end();
        let mut finished = self.judged(case, &seen, end);
        if finished.verdict == Verdict::Pass {
            finished = crashed_behind(finished, player.over());
            if finished.verdict == Verdict::Pass && is_as_before(&seen) {
                player.keep();
            }
        }
        Ok((finished, seen.is_exact))
    }

    pub(super) fn judged(
        &self,
        case: &ClientCase,
        seen: &Conversation,
        end: Option<ClientExit>,
    ) -> CaseFinished {
        let mut finished = self.judged_by(case, seen, end, &|judge| case.read(judge));
        if finished.verdict.is_fail() || finished.verdict == Verdict::Loose {
            let file = ServiceFile { service: case.alone(self.mode()), ..self.file(case, seen.seed) };
            finished.script = Some(file.to_value());
        }
        finished
    }

    pub(super) fn judged_by(
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

/// Whether a client can begin anew as one that has had no conversation: what a proxy has asked it for it shows again.
fn is_as_before(seen: &Conversation) -> bool {
    let is_digest = |heard: &Heard| heard.credential(Scheme::Digest, |_, _| ()).is_some();
    seen.mode.scheme == Scheme::Digest || !seen.heard.iter().any(is_digest)
}

/// What generated conversations have come to.
#[derive(Default)]
struct Tally {
    count: u64,
    /// How many of them decide nothing.
    disturbed: u64,
    /// How many were not as they were foreseen, and alone were.
    unconfirmed: u32,
    /// How often the client had closed, or come back, by itself.
    closing: u32,
    /// The last one that was as it was foreseen.
    last: Option<CaseFinished>,
}

impl Tally {
    /// What follows from one that was not as it was foreseen, and alone was. Who has come back meanwhile may have closed
    /// upon what was played before: that decides nothing.
    fn unlike_alone(&mut self, finished: CaseFinished, seen: &Conversation) -> Option<CaseFinished> {
        if seen.is_exact || has_crashed(&finished) {
            return Some(finished);
        }
        if has_come_back(seen) {
            self.disturbed += 1;
            self.closing += 1;
            return None;
        }
        self.unconfirmed += 1;
        let flaky = Verdict::Fail(Cause::Flaky { failed: 2, of: 4 });
        (1 < self.unconfirmed).then_some(CaseFinished { verdict: flaky, ..finished })
    }
}

/// Whether nothing follows from what was counted. A client that has ended has done so.
fn is_disturbed(seen: &Conversation) -> bool {
    seen.disturbed && seen.end.is_none()
}

/// Whether the client has connected, or authenticated, anew.
fn has_come_back(seen: &Conversation) -> bool {
    let is_anew = |heard: &Heard| matches!(heard.read.class, Class::Bare | Class::Completing);
    0 < seen.connections.opened || seen.heard.iter().any(is_anew)
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

/// A crash that does not come again in a client that has had no other conversation.
fn with_those_before(finished: CaseFinished) -> CaseFinished {
    let how = finished.reason.unwrap_or_default();
    let reason =
        format!("{how}; alone it does not crash: a conversation that this client had before may be why");
    CaseFinished { reason: Some(reason), ..finished }
}

/// Whether another try can tell more. A crash is one, however often it comes.
fn is_open(finished: &CaseFinished) -> bool {
    finished.verdict != Verdict::Pass && !has_crashed(finished)
}

/// What two tries of a case come to. A failure that did not come twice is flaky, and what one of them decides is decided.
pub(super) fn of_two(first: CaseFinished, second: CaseFinished) -> CaseFinished {
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
