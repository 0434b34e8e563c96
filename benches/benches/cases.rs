//! Generated cases: a signed request inside an association that is kept, and its judgement. In memory target and suite
//! share one core, or each of two; over TCP the target has a thread of its own.

use divan::Bencher;
use divan::counter::ItemsCount;
use sipae::auth::{ChallengeKind, Scheme};
use sipae::version::Version;
use sipae_conformance::Effort;
use sipae_conformance::filter::Filter;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{Mode, Setting, Target};
use sipae_events::{Event, ExitCode};
use sipae_net::{Host, HostControl};

/// Cases of one run: the handshake and the gate before them are a small part.
const CASES: u64 = 20_000;

/// Requests that the target refuses, and requests that it takes.
const PROPERTIES: [&str; 2] = ["3.3.5.3/any-forged-signature", "2.2/any-parameter-order"];

fn main() {
    divan::Divan::default().sample_count(15).sample_size(1).config_with_args().main();
}

/// In memory each version goes to a core of its own: their requests cost the same.
const VERSIONS: [Version; 2] = [Version::V4, Version::V3];

fn options(target: Target, id: &str, depth: Option<u64>) -> RunOptions {
    // Which kind of challenge a server has is its own affair; the one in memory is told.
    let kind = (target == Target::REFERENCE).then_some(ChallengeKind::Www);
    RunOptions {
        target,
        settings: Some(vec![setting(Version::V4, kind)]),
        filter: Filter { ids: vec![id.to_owned()], ..Filter::default() },
        jobs: 1,
        effort: Effort { cases: CASES, depth, ..Effort::default() },
        ..RunOptions::reference(1)
    }
}

const fn setting(version: Version, kind: Option<ChallengeKind>) -> Setting {
    Setting { mode: Mode { scheme: Scheme::Ntlm, version }, kind }
}

/// Nothing is counted that was not generated, judged and passed.
fn played(options: &RunOptions, cases: u64) {
    let mut generated = 0;
    let exit = run(options, &mut |event| {
        if let Event::CaseFinished(case) = event {
            generated += case.generated;
        }
    });
    assert_eq!((exit, generated), (ExitCode::Passed, cases));
}

#[divan::bench(args = PROPERTIES)]
fn in_memory(bencher: Bencher<'_, '_>, id: &str) {
    let options = options(Target::REFERENCE, id, None);
    bencher.counter(ItemsCount::new(CASES)).bench_local(|| played(&options, CASES));
}

#[divan::bench(args = PROPERTIES)]
fn in_memory_on_two_cores(bencher: Bencher<'_, '_>, id: &str) {
    let settings = VERSIONS.map(|version| setting(version, Some(ChallengeKind::Www)));
    let options =
        RunOptions { settings: Some(settings.into()), jobs: 2, ..options(Target::REFERENCE, id, None) };
    let cases = CASES * 2;
    bencher.counter(ItemsCount::new(cases)).bench_local(|| played(&options, cases));
}

/// The reference server on a port of its own.
struct Served {
    control: HostControl,
    target: Target,
}

impl Served {
    fn start() -> Self {
        let config = sipae_conformance::target::reference_config(Version::V4);
        let host = Host::listen("127.0.0.1:0", config).expect("a port");
        let address = host.address().expect("an address");
        let control = host.control();
        std::thread::spawn(move || host.run(|_| {}));
        Self { control, target: format!("tcp://{address}").parse().expect("a target") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.control.stop();
    }
}

#[divan::bench(args = PROPERTIES)]
fn over_tcp_64_deep(bencher: Bencher<'_, '_>, id: &str) {
    let served = Served::start();
    let options = options(served.target.clone(), id, Some(64));
    bencher.counter(ItemsCount::new(CASES)).bench_local(|| played(&options, CASES));
}

#[divan::bench(args = PROPERTIES)]
fn over_tcp_one_at_a_time(bencher: Bencher<'_, '_>, id: &str) {
    let served = Served::start();
    let options = options(served.target.clone(), id, Some(1));
    bencher.counter(ItemsCount::new(CASES)).bench_local(|| played(&options, CASES));
}
