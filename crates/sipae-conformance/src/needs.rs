//! Whether what a case needs is there, decided before anything is sent for it.

use std::time::Duration;

use sipae::auth::Scheme;
use sipae_events::{GateOutcome, Verdict};
use sipae_gen::Mode;

use crate::case::{Case, Gate, Place};
use crate::gate::GateReport;
use crate::profile::Profile;
use crate::run::RunOptions;

/// What the cases of a run have used up so far.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    failed_logons: u32,
}

/// The verdict of a case that is not run, and why; nothing has been sent then.
pub(crate) fn decide(
    options: &RunOptions,
    case: &Case,
    mode: Mode,
    report: &GateReport,
    budget: &mut Budget,
) -> Option<(Verdict, Option<String>)> {
    if report.outcome.is_absent() {
        return Some((Verdict::Unsupported, None));
    }
    if let Some(reason) = unclaimed(options, case, mode) {
        return Some((Verdict::Unsupported, Some(reason)));
    }
    let missing = closed(case, report).or_else(|| missing_account(&options.profile, case, budget).map(Some));
    missing.map(|reason| (Verdict::Blocked, reason))
}

/// Why the target does not claim what a case needs, as far as that is known before anything is sent to it.
pub(crate) fn unclaimed(options: &RunOptions, case: &Case, mode: Mode) -> Option<String> {
    let needs = case.needs();
    if !needs.schemes.contains(&mode.scheme) {
        return Some("it has no meaning with this scheme".to_owned());
    }
    if !needs.versions.contains(&mode.version) {
        return Some("it has no meaning at this version".to_owned());
    }
    if let Some(reason) = needs.place.and_then(|place| missing_place(&options.profile, place)) {
        return Some(reason.to_owned());
    }
    if let Some(timer) = unknown_timer(options, case) {
        return Some(format!("the {timer} timer of the target is not known (durations in the profile)"));
    }
    if needs.set_clock && !has_set_clock(options) {
        return Some("the clock of the target cannot be set".to_owned());
    }
    if needs.minting && !options.profile.can_mint(mode.scheme) {
        return Some("the profile has no key to make such credentials with".to_owned());
    }
    if needs.rough && !options.rough && !options.target.is_local() {
        return Some("it floods the target (--rough)".to_owned());
    }
    let isolation = options.target.isolates(&options.profile);
    isolation.filter(|_| needs.peer || 1 < case.script(mode).connections()).map(str::to_owned)
}

/// Whether time passes for the target when it is told to. A timer of less than ten minutes is one of a test bench: the
/// lifetimes of credentials are not shortened with it.
fn has_set_clock(options: &RunOptions) -> bool {
    const SHORTEST: Duration = Duration::from_secs(600);
    let idle = options.durations().and_then(|durations| durations.idle);
    let is_set = options.sets_clock() || options.target.is_in_memory();
    is_set && idle.is_some_and(|idle| SHORTEST <= idle)
}

/// Why the gate that a case needs is closed to it.
fn closed(case: &Case, report: &GateReport) -> Option<Option<String>> {
    let needs = case.needs();
    if report.peer_refused.is_some() && needs.peer {
        return Some(report.peer_refused.clone());
    }
    let is_open = report.outcome == GateOutcome::Open;
    match needs.gate {
        Gate::Reachable => (!report.is_reachable).then(|| report.reason.clone()),
        Gate::Offered => (!report.is_offered).then(|| report.reason.clone()),
        Gate::Handshake => (!is_open).then(|| report.reason.clone()),
        Gate::Delivery if is_open => report.undeliverable.is_some().then(|| report.undeliverable.clone()),
        Gate::Delivery => Some(report.reason.clone()),
    }
}

fn missing_place(profile: &Profile, place: Place) -> Option<&'static str> {
    match (place, profile.conference()) {
        (_, None) => Some("the profile has no [conference]"),
        (Place::ClosedConference, Some(conference)) if conference.closed.is_none() => {
            Some("the profile has no closed conference (conference.closed)")
        }
        _ => None,
    }
}

fn unknown_timer(options: &RunOptions, case: &Case) -> Option<sipae_gen::Timer> {
    let durations = options.durations().unwrap_or_default();
    case.needs().timers.iter().copied().find(|timer| durations.of(*timer).is_none())
}

fn missing_account(profile: &Profile, case: &Case, budget: &mut Budget) -> Option<String> {
    let needs = case.needs();
    if needs.peer && profile.peers.is_empty() {
        return Some("the profile has no second user (peer)".to_owned());
    }
    // Who joins a conference has no account that could be locked.
    let is_anonymous = needs.schemes == [Scheme::Digest] && profile.conference().is_some();
    if needs.failed_logons == 0 || is_anonymous {
        return None;
    }
    let used = budget.failed_logons + needs.failed_logons;
    if profile.sacrificial.is_none() {
        return Some("the profile has no account for wrong credentials (sacrificial)".to_owned());
    }
    if profile.failed_logons < used {
        return Some(format!("the {} failed logons of the profile are used up", profile.failed_logons));
    }
    budget.failed_logons = used;
    None
}
