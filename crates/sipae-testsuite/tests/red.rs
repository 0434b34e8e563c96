//! Runs against the reference with each of its planted defects: which cases turn red, and which never do.
//!
//! The tests look at it, and so does `cargo xtask defects`.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::{Defect, Defects};
use sipae::side::Side;
use sipae::version::Version;
use sipae_conformance::Effort;
use sipae_conformance::cases;
use sipae_conformance::client;
use sipae_conformance::filter::Filter;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::{DIGEST, Mode, Setting, Target};
use sipae_events::{CaseFinished, Cause, Event, ExitCode, Verdict};
use sipae_testsuite::two_at_a_time;

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

/// The right reference at all its settings, with all cases.
pub(crate) static REFERENCE: LazyLock<(Vec<Event>, ExitCode)> =
    LazyLock::new(|| collect(&RunOptions::reference(1)));

/// Every finding about the right reference: what rows ask to write down.
static RIGHT: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let client = RunOptions { target: Target::REFERENCE_CLIENT, ..RunOptions::reference(1) };
    let of_client = collect(&client).0;
    let cases = finished(&REFERENCE.0).chain(finished(&of_client));
    cases.flat_map(told).map(|(text, ..)| text).collect()
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

/// What finds each defect. Computed once: most of the time of these tests is here.
pub(crate) static FOUND: LazyLock<Vec<Found>> = LazyLock::new(|| {
    let mut found = two_at_a_time(Defect::ALL, |defect| Some(found_of(*defect)));
    found.sort_by_key(|found| found.defect);
    found
});

/// Whole ids of cases: only these run.
type Chosen = Option<Arc<BTreeSet<String>>>;

/// Where a defect is looked for first: each scheme at its newest version.
const NEWEST: [Setting; 4] = [
    setting(Scheme::Ntlm, Version::V4, ChallengeKind::Www),
    setting(Scheme::Kerberos, Version::V4, ChallengeKind::Www),
    setting(Scheme::TlsDsk, Version::V4, ChallengeKind::Www),
    DIGEST_SETTING,
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

/// What the cases that name the row of a defect come to and, if they do not find it, all cases.
fn found_of(defect: Defect) -> Found {
    let own = rows().filter(|(_, row)| row == defect.requirement()).map(|(case, _)| case).collect();
    let of_own = looked_for(defect, &Some(Arc::new(own)));
    if of_own.is_found() { of_own } else { looked_for(defect, &None) }
}

/// What these cases come to, with the settings where a defect shows first and, if they do not find it, with the others.
pub(crate) fn looked_for(defect: Defect, cases: &Chosen) -> Found {
    let [newest, others] = settings_of(defect);
    let first = found_by(defect, newest, cases);
    if first.is_found() {
        return first;
    }
    let others = found_by(defect, others, cases);
    let exit = if others.exit == ExitCode::Passed { first.exit } else { others.exit };
    Found { defect, exit, red: first.red.into_iter().chain(others.red).collect() }
}

/// Where a defect is looked for first: with the schemes that show it, at their newest version; and where else.
fn settings_of(defect: Defect) -> [Vec<Setting>; 2] {
    let shows = |setting: &Setting| defect.schemes().contains(&setting.mode.scheme);
    if defect.side() == Side::Client {
        let is_first = |setting: &Setting| setting.mode.version == Version::V4 && shows(setting);
        let (first, others) = OF_CLIENT.into_iter().partition(is_first);
        return [first, others];
    }
    [&NEWEST[..], &OLDER].map(|settings| settings.iter().copied().filter(shows).collect())
}

fn found_by(defect: Defect, settings: Vec<Setting>, cases: &Chosen) -> Found {
    if settings.is_empty() {
        return Found { defect, exit: ExitCode::Passed, red: BTreeSet::new() };
    }
    let defects = Defects::only(defect);
    let target = match defect.side() {
        Side::Client => Target::ReferenceClient { defects },
        Side::Server => Target::Reference { defects },
    };
    // Properties have their own table of bugs; here a few conversations will do.
    let effort = Effort { cases: 8, ..Effort::default() };
    let filter = Filter { exactly: cases.clone(), ..Filter::default() };
    let options = RunOptions { target, settings: Some(settings), effort, filter, ..RunOptions::reference(1) };
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

/// Case and row of each case that is no property: what properties find stands in their own table, and what sequences
/// find in the tests of the model.
fn rows() -> impl Iterator<Item = (String, String)> {
    let each = |id: &str, rows: &[&'static str]| {
        rows.iter().map(|row| (id.to_owned(), (*row).to_owned())).collect::<Vec<_>>()
    };
    let servers = cases::all().filter(|case| !case.is_generated());
    let servers = servers.flat_map(move |case| each(case.id(), case.requirements()));
    let clients = client::cases::all().iter().filter(|case| !case.is_generated());
    servers.chain(clients.flat_map(move |case| each(case.id(), case.requirements())))
}

/// Case and row of whatever no defect turns red. What is not red where each defect was found is looked for with all of
/// them, until it is: first with the settings where they show first.
pub(crate) fn never_red() -> BTreeSet<(String, String)> {
    let red: BTreeSet<_> = FOUND.iter().flat_map(|found| &found.red).collect();
    let left = Mutex::new(rows().filter(|row| !red.contains(row)).collect::<BTreeSet<_>>());
    for place in 0..2 {
        two_at_a_time(Defect::ALL, |defect| {
            let cases: BTreeSet<String> = {
                let left = left.lock().unwrap_or_else(PoisonError::into_inner);
                left.iter().map(|(case, _)| case.clone()).collect()
            };
            let settings = settings_of(*defect).into_iter().nth(place)?;
            if !cases.is_empty() {
                let found = found_by(*defect, settings, &Some(Arc::new(cases)));
                left.lock().unwrap_or_else(PoisonError::into_inner).retain(|row| !found.red.contains(row));
            }
            None::<()>
        });
    }
    left.into_inner().unwrap_or_else(PoisonError::into_inner)
}
