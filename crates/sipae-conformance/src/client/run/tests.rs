use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rstest::rstest;
use sipae::auth::Scheme;
use sipae::client::{Standing, Stimulus};
use sipae::clock::Time;
use sipae::defects::Defects;
use sipae::server::ConnectionId;
use sipae::version::Version;
use sipae_events::{CaseFinished, CaseId, Cause, Event, Verdict};
use sipae_gen::Mode;
use sipae_net::{ClientExit, ClientWire, Happened, WireError};

use super::super::connector::{ClientConnector, Reference};
use super::tries::of_two;
use super::{Teller, Unit, parted, run};
use crate::Effort;
use crate::filter::Filter;
use crate::plan::subject;
use crate::run::RunOptions;
use crate::target::{Setting, Target};

const FAIL: Verdict = Verdict::Fail(Cause::Reaction);
const CRASH: Verdict = Verdict::Fail(Cause::Crash);
const FLAKY: Verdict = Verdict::Fail(Cause::Flaky { failed: 1, of: 2 });

fn finished(verdict: Verdict, title: &str) -> CaseFinished {
    let setting = Setting { mode: Mode { scheme: Scheme::Ntlm, version: Version::V4 }, kind: None };
    let id = CaseId::new("3.1/case".to_owned()).expect("a name");
    CaseFinished::new(id, subject(setting), title, &["SIPAE-3.1-01"], verdict)
}

#[rstest]
#[case::failed_twice(FAIL, FAIL, FAIL, "first")]
#[case::failed_once(FAIL, Verdict::Pass, FLAKY, "first")]
#[case::failed_and_was_not_decided(FAIL, Verdict::Inconclusive, FLAKY, "first")]
#[case::failed_the_second_time(Verdict::Inconclusive, FAIL, FLAKY, "second")]
#[case::crashed_the_second_time(FAIL, CRASH, CRASH, "second")]
#[case::decided_the_second_time(Verdict::Inconclusive, Verdict::Pass, Verdict::Pass, "second")]
#[case::never_decided(Verdict::Inconclusive, Verdict::Inconclusive, Verdict::Inconclusive, "second")]
fn two_tries_come_to_one_verdict(
    #[case] first: Verdict,
    #[case] second: Verdict,
    #[case] expected: Verdict,
    #[case] told: &str,
) {
    let both = of_two(finished(first, "first"), finished(second, "second"));
    assert_eq!((both.verdict, both.title.as_str()), (expected, told));
}

/// The reference client, behind a wire that is not exact, and that is late once.
struct Late {
    inner: Box<dyn ClientWire>,
    left: u32,
    /// Behind each of so many messages of the suite the client asks for something by itself.
    asks: Option<u64>,
    sent: u64,
}

impl Late {
    const BY: Duration = Duration::from_millis(70);
}

impl ClientWire for Late {
    fn start(&mut self) -> Result<(), WireError> {
        self.inner.start()
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        self.inner.send(connection, octets)?;
        self.sent += 1;
        if self.asks.is_some_and(|asks| self.sent.is_multiple_of(asks)) {
            // Before it has registered it asks for nothing.
            let _not_yet = self.inner.act(self.sent << 32, Stimulus::Options);
        }
        Ok(())
    }

    fn receive(&mut self, patience: Duration) -> Option<(ConnectionId, Happened)> {
        if self.left == 0 && !patience.is_zero() {
            self.left = u32::MAX;
            if patience < Self::BY {
                thread::sleep(patience);
                return None;
            }
            thread::sleep(Self::BY);
        }
        let happened = self.inner.receive(patience);
        match &happened {
            Some(_) => self.left = self.left.saturating_sub(1),
            None => thread::sleep(patience),
        }
        happened
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.inner.disconnect(connection);
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn advance(&mut self, time: Duration) -> bool {
        self.inner.advance(time)
    }

    fn stimuli(&self) -> Vec<Stimulus> {
        self.inner.stimuli()
    }

    fn act(&mut self, number: u64, stimulus: Stimulus) -> Result<(), String> {
        self.inner.act(number, stimulus)
    }

    fn is_told(&self) -> bool {
        true
    }

    fn standing(&mut self) -> Option<Standing> {
        self.inner.standing()
    }

    fn end(&mut self) -> Option<ClientExit> {
        self.inner.end()
    }
}

/// Each is late another time.
#[derive(Debug, Default)]
struct LateClients {
    started: AtomicUsize,
    asks: Option<u64>,
}

impl ClientConnector for LateClients {
    fn wire(&self, mode: Mode, seed: u64, fresh: bool) -> Result<Box<dyn ClientWire>, String> {
        let inner = Reference { defects: Defects::NONE }.wire(mode, seed, fresh)?;
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        // The first is the one of the gate, which learns how fast the client is.
        let is_late = number != 0 && self.asks.is_none();
        let left = if is_late { u32::try_from(number % 7).unwrap_or_default() } else { u32::MAX };
        Ok(Box::new(Late { inner, left, asks: self.asks, sent: 0 }))
    }
}

fn options(ids: &[&str], cases: u64) -> RunOptions {
    let setting = Setting { mode: Mode { scheme: Scheme::Ntlm, version: Version::V4 }, kind: None };
    let filter = Filter { ids: ids.iter().map(ToString::to_string).collect(), ..Filter::default() };
    let (target, settings) = (Target::ReferenceClient { defects: Defects::NONE }, Some(vec![setting]));
    let effort = Effort { cases, ..Effort::default() };
    RunOptions { target, settings, filter, effort, jobs: 32, ..RunOptions::reference(1) }
}

/// How many cases pass, and what is said of the others.
fn played(ways: &LateClients, ids: &[&str], cases: u64) -> (usize, Vec<String>) {
    let options = options(ids, cases);
    let (mut passed, mut others) = (0, Vec::new());
    let mut on_event = |event: &Event| {
        let Event::CaseFinished(finished) = event else { return };
        match finished.verdict {
            Verdict::Pass => passed += 1,
            Verdict::Unsupported => {}
            _ => others.push(format!("{:?} {} {:?}", finished.verdict, finished.case, finished.findings)),
        }
    };
    run(&options, ways, &mut Teller::new(&mut on_event));
    (passed, others)
}

#[test]
fn a_client_that_is_late_once_has_no_failure() {
    let (passed, others) = played(&LateClients::default(), &["3.2.5.2/"], 1);
    assert_eq!(others, Vec::<String>::new());
    assert!(40 < passed, "{passed} cases");
}

/// The answers to its requests take numbers that a property counts.
#[test]
fn a_client_that_asks_for_something_meanwhile_has_no_failure() {
    let ways = LateClients { asks: Some(7), ..LateClients::default() };
    let (passed, others) = played(&ways, &["3.1.1/generated-"], 60);
    assert_eq!((passed, others), (4, Vec::<String>::new()));
}

/// A client that comes a few times, and never again.
#[derive(Debug)]
struct Vanishing {
    comes: usize,
    started: AtomicUsize,
}

impl ClientConnector for Vanishing {
    fn wire(&self, mode: Mode, seed: u64, fresh: bool) -> Result<Box<dyn ClientWire>, String> {
        let inner = Reference { defects: Defects::NONE }.wire(mode, seed, fresh)?;
        if self.started.fetch_add(1, Ordering::Relaxed) < self.comes {
            return Ok(inner);
        }
        Ok(Box::new(Nobody))
    }
}

struct Nobody;

impl ClientWire for Nobody {
    fn start(&mut self) -> Result<(), WireError> {
        Ok(())
    }

    fn send(&mut self, _: ConnectionId, _: &[u8]) -> Result<(), WireError> {
        Ok(())
    }

    fn receive(&mut self, patience: Duration) -> Option<(ConnectionId, Happened)> {
        thread::sleep(patience);
        None
    }

    fn disconnect(&mut self, _: ConnectionId) {}

    fn now(&self) -> Time {
        sipae_net::MEMORY_START
    }
}

#[test]
fn a_client_that_does_not_come_any_more_is_not_waited_for() {
    let ways = Vanishing { comes: 4, started: AtomicUsize::new(0) };
    let mut options = options(&["3.2.5.1/"], 1);
    options.jobs = 1;
    std::sync::Arc::make_mut(&mut options.profile).client.start = Duration::from_millis(50);
    let (mut undecided, mut blocked) = (0, 0);
    let mut on_event = |event: &Event| {
        let Event::CaseFinished(finished) = event else { return };
        match (&finished.verdict, finished.reason.as_deref().unwrap_or_default()) {
            (Verdict::Blocked, reason) => {
                assert!(
                    reason.starts_with("the client does not connect any more; it came last for "),
                    "{reason}"
                );
                blocked += 1;
            }
            (Verdict::Inconclusive, _) => undecided += 1,
            _ => {}
        }
    };
    run(&options, &ways, &mut Teller::new(&mut on_event));
    assert!(undecided <= 2 && 20 < blocked, "{undecided} undecided, {blocked} blocked");
}

#[rstest]
fn cases_that_share_conversations_are_each_in_one_part(
    #[values(0, 1, 7)] count: usize,
    #[values(1, 3, 9)] most: usize,
) {
    let places: Vec<usize> = (0..count).collect();
    let parts: Vec<Vec<usize>> = parted(&places, most)
        .map(|unit| match unit {
            Unit::Shared(places) => places,
            Unit::Together(..) | Unit::Whole(_) => Vec::new(),
        })
        .collect();
    assert!(parts.len() <= most && parts.iter().all(|part| !part.is_empty()), "{parts:?}");
    let mut all = parts.concat();
    all.sort_unstable();
    assert_eq!(all, places);
}
