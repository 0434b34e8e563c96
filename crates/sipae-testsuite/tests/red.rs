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
use sipae_spec::Weight;
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
    /// Case and row of every finding that the right reference does not have, and that is as grave as the row: what is
    /// written down of it as well is not red.
    pub(crate) red: BTreeSet<(String, String)>,
    /// The same of findings that are less grave than their row.
    faint: BTreeSet<(String, String)>,
}

/// The right reference at all its settings, with all cases.
pub(crate) static REFERENCE: LazyLock<(Vec<Event>, ExitCode)> =
    LazyLock::new(|| collect(&RunOptions::reference(1)));

/// Every finding about the right reference: what rows ask to write down.
static RIGHT: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let client = RunOptions { target: Target::REFERENCE_CLIENT, ..RunOptions::reference(1) };
    let of_client = collect(&client).0;
    let cases = finished(&REFERENCE.0).chain(finished(&of_client));
    cases.flat_map(told).map(|told| told.text).collect()
});

/// A finding of a case.
struct Told {
    /// What it says, and where.
    text: String,
    case_and_row: (String, String),
    /// Whether it is as grave as the row.
    is_full: bool,
}

fn told(case: &CaseFinished) -> impl Iterator<Item = Told> {
    let told = |row: &String, got: &str, weight: Weight| {
        let id = case.case.to_string();
        let text = format!("{} {id} {row} {got}", case.subject);
        let is_full = weight_of(row) != Weight::Fail || weight == Weight::Fail;
        Told { text, case_and_row: (id, row.clone()), is_full }
    };
    // A crash breaks whatever the case is about.
    let has_crashed = case.verdict == Verdict::Fail(Cause::Crash);
    let crashed = case.requirements.iter().filter(move |_| has_crashed);
    let crashed = crashed.map(move |row| told(row, "crash", Weight::Fail));
    let findings = case.findings.iter();
    findings.map(move |finding| told(&finding.requirement, &finding.got, finding.weight)).chain(crashed)
}

/// What it means that a row is broken.
fn weight_of(row: &str) -> Weight {
    sipae_spec::Requirement::get(row).map_or(Weight::Record, sipae_spec::Requirement::weight_when_broken)
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
    let both = |one: BTreeSet<_>, other| one.into_iter().chain(other).collect();
    Found { defect, exit, red: both(first.red, others.red), faint: both(first.faint, others.faint) }
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
        return Found { defect, exit: ExitCode::Passed, red: BTreeSet::new(), faint: BTreeSet::new() };
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
    let (mut red, mut faint) = (BTreeSet::new(), BTreeSet::new());
    for told in finished(&events).flat_map(told).filter(|told| !RIGHT.contains(&told.text)) {
        if told.is_full { &mut red } else { &mut faint }.insert(told.case_and_row);
    }
    Found { defect, exit, red, faint }
}

impl Found {
    /// Whether a case names the row that the defect breaks, and as gravely as that row can be.
    pub(crate) fn is_found(&self) -> bool {
        let names = |found: &BTreeSet<(String, String)>| {
            found.iter().any(|(_, row)| row == self.defect.requirement())
        };
        names(&self.red) || WEAK.contains(&self.defect.id()) && names(&self.faint)
    }
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

/// Case and row of what says less than its row: a form that is right either way, or where the row leaves room.
pub(crate) const FAINT: [(&str, &str); 37] = [
    ("2.2/backslash", "SIPAE-2.2-04"),
    ("2.2/backslash-before-quote", "SIPAE-2.2-04"),
    ("2.2/challenge-in-another-order", "SIPAE-2.2-02"),
    ("2.2/challenge-in-another-order", "SIPAE-2.2-03"),
    ("2.2/cnum-behind-blank", "SIPAE-2.2-10"),
    ("2.2/cnum-unquoted", "SIPAE-2.2-10"),
    ("2.2/cnum-zero-padded", "SIPAE-2.2-10"),
    ("2.2/crand-of-7-digits", "SIPAE-2.2-09"),
    ("2.2/crand-of-9-digits", "SIPAE-2.2-09"),
    ("2.2/folded-challenge", "SIPAE-2.2-20"),
    ("2.2/folded-signature", "SIPAE-2.2-20"),
    ("2.2/token-blank", "SIPAE-2.2-08"),
    ("2.2/version-quoted", "SIPAE-2.2-06"),
    ("3.2.1/kerberos-target-without-sip", "SIPAE-3.2.5.2-03"),
    ("3.2.2/registration-is-refreshed", "PATENT-0046"),
    ("3.2.4.1/authorization-for-401", "SIPAE-3.2.4.1-22"),
    ("3.2.4.2/identities-of-the-client", "SIPAE-3.2.4.2-06"),
    ("3.2.5.1/association-lost", "PATENT-0019"),
    ("3.2.5.1/challenge-target-name-behind-its-end", "SIPAE-3.2.5.1-10"),
    ("3.2.5.1/challenge-without-end-of-list", "SIPAE-3.2.5.1-10"),
    ("3.2.5.1/challenge-without-key-exchange", "SIPAE-3.2.5.1-10"),
    ("3.2.5.1/challenge-without-sign", "SIPAE-3.2.5.1-10"),
    ("3.2.5.1/challenge-without-unicode", "SIPAE-3.2.5.1-10"),
    ("3.2.5.1/proxy-challenge", "SIPAE-3.2.4.1-22"),
    ("3.2.5.1/refused-credentials", "PATENT-0021"),
    ("3.2.5.2/parameters-in-another-order", "SIPAE-2.2-02"),
    ("3.2.5.2/parameters-in-another-order", "SIPAE-2.2-03"),
    ("3.2.5.2/version-that-disagrees", "SIPAE-3.2.5.2-15"),
    ("3.2.6/unregistered-means-anew", "PATENT-0044"),
    ("3.3.5.2/completed-on-another-connection", "SIPAE-3.3.5.2-09"),
    ("3.3.5.2/completing-request-fails", "SIPAE-3.3.5.2-24"),
    ("3.3.5.2/gruu-alone", "SIPAE-3.3.5.2-02"),
    ("3.3.5.2/instance-alone", "SIPAE-3.3.5.2-02"),
    ("3.3.5.4/challenge", "SIPAE-3.3.3-03"),
    ("3.3.5.4/invite-to-user", "SIPAE-3.3.5.4-07"),
    ("3.3.5.4/old-nonce", "SIPAE-3.3.5.4-04"),
    ("3.3.5.5/other-uri", "SIPAE-3.3.5.5-01"),
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

/// Case and row of whatever no defect turns as red as it can be. What is not red where each defect was found is looked for
/// with all of them, until it is: first with the settings where they show first.
pub(crate) fn never_red() -> BTreeSet<(String, String)> {
    let is_seen = |found: &Found, row: &(String, String)| {
        let is_faint = FAINT.contains(&(row.0.as_str(), row.1.as_str()));
        found.red.contains(row) || is_faint && found.faint.contains(row)
    };
    let is_left = |row: &(String, String)| !FOUND.iter().any(|found| is_seen(found, row));
    let left = Mutex::new(rows().filter(is_left).collect::<BTreeSet<_>>());
    for place in 0..2 {
        two_at_a_time(Defect::ALL, |defect| {
            let cases: BTreeSet<String> = {
                let left = left.lock().unwrap_or_else(PoisonError::into_inner);
                left.iter().map(|(case, _)| case.clone()).collect()
            };
            let settings = settings_of(*defect).into_iter().nth(place)?;
            if !cases.is_empty() {
                let found = found_by(*defect, settings, &Some(Arc::new(cases)));
                left.lock().unwrap_or_else(PoisonError::into_inner).retain(|row| !is_seen(&found, row));
            }
            None::<()>
        });
    }
    left.into_inner().unwrap_or_else(PoisonError::into_inner)
}
