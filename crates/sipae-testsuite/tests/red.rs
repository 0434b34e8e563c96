//! Runs against the reference with each of its planted defects: which cases turn red, and which never do.
//!
//! The tests look at it, and so does `cargo xtask defects`.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::{Defect, Defects};
use sipae::side::Side;
use sipae::version::Version;
use sipae_conformance::Effort;
use sipae_conformance::cases;
use sipae_conformance::client;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{DIGEST, Mode, Setting, Target};
use sipae_events::{CaseFinished, Cause, Event, ExitCode, Verdict};

/// Runs and collects what was told.
pub(crate) fn collect(options: &RunOptions) -> (Vec<Event>, ExitCode) {
    let mut events = Vec::new();
    let exit = run(options, &mut |event| events.push(event.clone()));
    (events, exit)
}

pub(crate) fn finished(events: &[Event]) -> impl Iterator<Item = &CaseFinished> {
    events.iter().filter_map(|event| match event {
        Event::CaseFinished(case) => Some(case),
        _ => None,
    })
}

/// What a run against the reference with one defect came to.
pub(crate) struct Found {
    pub(crate) defect: Defect,
    pub(crate) exit: ExitCode,
    /// Case and row of every finding that the right reference does not have: what is written down of it as well is not
    /// red.
    pub(crate) red: BTreeSet<(String, String)>,
}

/// Every finding about the right reference: what rows ask to write down.
static RIGHT: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let client = RunOptions { target: Target::REFERENCE_CLIENT, ..RunOptions::reference(1) };
    let runs = [RunOptions::reference(1), client].map(|options| collect(&options).0);
    runs.iter().flat_map(|events| finished(events)).flat_map(told).map(|(text, ..)| text).collect()
});

/// Each finding of a case as a text, with case and row.
fn told(case: &CaseFinished) -> impl Iterator<Item = (String, String, String)> {
    let told = |row: &String, got: &str| {
        let id = case.case.to_string();
        (format!("{} {id} {row} {got}", case.subject), id, row.clone())
    };
    // A crash breaks whatever the case is about.
    let has_crashed = case.verdict == Verdict::Fail(Cause::Crash);
    let crashed = case.requirements.iter().filter(move |_| has_crashed).map(move |row| told(row, "crash"));
    case.findings.iter().map(move |finding| told(&finding.requirement, &finding.got)).chain(crashed)
}

/// A run against each defect. Computed once: most of the time of these tests is here.
pub(crate) static FOUND: LazyLock<Vec<Found>> = LazyLock::new(|| {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(defect) = Defect::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push(found_of(*defect));
        }
        found
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        let found = workers.into_iter().map(|worker| match worker.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        let mut found: Vec<Found> = found.flatten().collect();
        found.sort_by_key(|found| found.defect);
        found
    })
});

/// Where a defect is looked for first: each scheme at its newest version.
const NEWEST: [Setting; 4] = [
    setting(Scheme::Ntlm, Version::V4, ChallengeKind::Www),
    setting(Scheme::Kerberos, Version::V4, ChallengeKind::Www),
    setting(Scheme::TlsDsk, Version::V4, ChallengeKind::Www),
    DIGEST_SETTING,
];

/// Defects that turn more red at the older versions, where signatures cover less.
const MORE_AT_OLDER: [Defect; 2] = [Defect::LayoutFollowsMessage, Defect::RegistersForOthers];

/// Defects of the client that turn more red with other schemes, or at older versions.
const MORE_OF_CLIENT: [Defect; 13] = [
    Defect::AsksBeforeRegistering,
    Defect::BelievesInItself,
    Defect::ClientNeverExpires,
    Defect::EchoesUpperOpaque,
    Defect::GoesOnAfterBadFlight,
    Defect::FirstCnumTwo,
    Defect::IgnoresTargetname,
    Defect::LongLayout,
    Defect::RenewsLate,
    Defect::ShortLayout,
    Defect::SignsCompletingAlways,
    Defect::SignsStrippedTarget,
    Defect::VersionOfMessage,
];

/// Where it is looked for as well if nothing of its own row is red there: these runs are most of the time of the tests.
const OLDER: [Setting; 2] = [
    setting(Scheme::Ntlm, Version::V2, ChallengeKind::Www),
    setting(Scheme::Ntlm, Version::V3, ChallengeKind::Proxy),
];

/// Where a defect of the client is looked for: each scheme at its newest version, and the other layouts of NTLM.
const OF_CLIENT: [Setting; 6] = [
    client_setting(Scheme::Ntlm, Version::V4),
    client_setting(Scheme::Kerberos, Version::V4),
    client_setting(Scheme::TlsDsk, Version::V4),
    client_setting(Scheme::Ntlm, Version::V3),
    client_setting(Scheme::Ntlm, Version::V2),
    client_setting(Scheme::Digest, Version::V4),
];

const fn client_setting(scheme: Scheme, version: Version) -> Setting {
    Setting { mode: Mode { scheme, version }, kind: None }
}

/// Digest has no versions.
pub(crate) const DIGEST_SETTING: Setting = Setting { mode: DIGEST, kind: Some(ChallengeKind::Www) };

const fn setting(scheme: Scheme, version: Version, kind: ChallengeKind) -> Setting {
    Setting { mode: Mode { scheme, version }, kind: Some(kind) }
}

/// What the runs against one defect come to, at the newest versions and, if they do not find it, at the older ones.
pub(crate) fn found_of(defect: Defect) -> Found {
    if defect.side() == Side::Client {
        return found_of_client(defect);
    }
    let newest = found_at(defect, &NEWEST);
    if newest.is_found() && !MORE_AT_OLDER.contains(&defect) {
        return newest;
    }
    let older = found_at(defect, &OLDER);
    let exit = if older.exit == ExitCode::Passed { newest.exit } else { older.exit };
    Found { defect, exit, red: newest.red.into_iter().chain(older.red).collect() }
}

/// The same of a defect of the client.
fn found_of_client(defect: Defect) -> Found {
    let target = Target::ReferenceClient { defects: Defects::only(defect) };
    let is_first = |setting: &Setting| {
        setting.mode.version == Version::V4 && defect.schemes().contains(&setting.mode.scheme)
    };
    let (first, others): (Vec<Setting>, Vec<Setting>) = OF_CLIENT.into_iter().partition(is_first);
    let newest = found_by(defect, target.clone(), first);
    if newest.is_found() && !MORE_OF_CLIENT.contains(&defect) {
        return newest;
    }
    let more = found_by(defect, target, others);
    let exit = if more.exit == ExitCode::Passed { newest.exit } else { more.exit };
    Found { defect, exit, red: newest.red.into_iter().chain(more.red).collect() }
}

fn found_at(defect: Defect, settings: &[Setting]) -> Found {
    let shows = |setting: &Setting| defect.schemes().contains(&setting.mode.scheme);
    let settings: Vec<Setting> = settings.iter().copied().filter(shows).collect();
    if settings.is_empty() {
        return Found { defect, exit: ExitCode::Passed, red: BTreeSet::new() };
    }
    found_by(defect, Target::Reference { defects: Defects::only(defect) }, settings)
}

fn found_by(defect: Defect, target: Target, settings: Vec<Setting>) -> Found {
    // Properties have their own table of bugs; here a few conversations will do.
    let effort = Effort { cases: 8, ..Effort::default() };
    let options = RunOptions { target, settings: Some(settings), effort, ..RunOptions::reference(1) };
    let (events, exit) = collect(&options);
    let red = finished(&events).flat_map(told).filter(|(text, ..)| !RIGHT.contains(text));
    let red = red.map(|(_, case, row)| (case, row)).collect();
    Found { defect, exit, red }
}

impl Found {
    /// Whether a case names the row that the defect breaks, and fails if that row can fail.
    pub(crate) fn is_found(&self) -> bool {
        let own = self.defect.requirement();
        let is_named = self.red.iter().any(|(_, row)| row == own);
        is_named && (self.exit != ExitCode::Passed || is_loose(self.defect))
    }
}

/// Whether the row of a defect fails nobody, so that its case turns loose and not red.
fn is_loose(defect: Defect) -> bool {
    let row = sipae_spec::Requirement::get(defect.requirement());
    row.is_none_or(|row| row.weight_when_broken() != sipae_spec::Weight::Fail) || WEAK.contains(&defect.id())
}

/// Defects whose rows do not hold for every server, as their notes say: their cases are loose at most.
const WEAK: [&str; 14] = [
    "asserts-itself",
    "crosses-fields",
    "folds-end-signatures",
    "from-tag-changes",
    "continuation-with-others",
    "digest-realm-of-server",
    "ignores-digest-uri",
    "negotiation-needs-epid",
    "nonce-never-expires",
    "refuses-backslash",
    "refuses-out-of-order",
    "signature-order-matters",
    "stays-after-leaving",
    "wants-version-bare",
];

/// Case and row of whatever no defect turns red. What properties find stands in their own table, and what sequences find
/// in the tests of the model.
pub(crate) fn never_red() -> Vec<(String, String)> {
    let red: BTreeSet<_> = FOUND.iter().flat_map(|found| found.red.iter().cloned()).collect();
    let each = |id: &str, rows: &[&'static str]| {
        rows.iter().map(|row| (id.to_owned(), (*row).to_owned())).collect::<Vec<_>>()
    };
    let servers = cases::all().filter(|case| !case.is_generated());
    let servers = servers.flat_map(|case| each(case.id(), case.requirements()));
    let clients = client::cases::all().iter().filter(|case| !case.is_generated());
    let clients = clients.flat_map(|case| each(case.id(), case.requirements()));
    servers.chain(clients).filter(|row| !red.contains(row)).collect()
}
