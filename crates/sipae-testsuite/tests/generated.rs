//! Generated cases: which property finds which planted bug, how soon, and how small what it tells is.
//!
//! The tests look at a part of it, and `cargo xtask properties` prints all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae::defects::{Defect, Defects};
use sipae::server::ServerConfig;
use sipae_conformance::Effort;
use sipae_conformance::cases;
use sipae_conformance::filter::Filter;
use sipae_conformance::profile::Profile;
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::reference_config;
use sipae_conformance::target::{Setting, Target};
use sipae_events::{CaseFinished, Event, Subject, Verdict};
use sipae_gen::ScriptFile;
use sipae_net::{Host, HostEvent};

/// What a property told of a defect.
#[cfg_attr(test, expect(dead_code, reason = "times are for the table that is printed, and whose they are"))]
pub(crate) struct Told {
    pub(crate) property: String,
    pub(crate) subject: Subject,
    /// Its own steps: those of the ground, and what proves silence, not counted.
    pub(crate) steps: usize,
    pub(crate) generated: u64,
    /// Until it was found, with the last look at what is told.
    pub(crate) found: Duration,
    /// To make it smaller in between.
    pub(crate) shrunk: Duration,
    pub(crate) rows: Vec<String>,
    /// What was expected and what came, and the conversation.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads a failing test"))]
    pub(crate) text: String,
}

/// The generated cases.
pub(crate) fn properties() -> impl Iterator<Item = &'static str> {
    cases::all().filter(|case| case.is_generated()).map(sipae_conformance::case::Case::id)
}

/// Conversations that have to do to make one smaller.
pub(crate) const SHRINK_PLAYS: usize = 200;

/// What one property, or all of them, tell of a defect at these settings.
pub(crate) fn told(defect: Option<Defect>, property: &str, cases: u64, settings: &[Setting]) -> Vec<Told> {
    let defects = defect.map_or(Defects::NONE, Defects::only);
    let options = options(Target::Reference { defects }, SHRINK_PLAYS, property, cases);
    let shows =
        |setting: &Setting| defect.is_none_or(|defect| defect.schemes().contains(&setting.mode.scheme));
    let settings = Some(settings.iter().copied().filter(shows).collect());
    told_of(&RunOptions { settings, ..options }, |case| {
        is_red(case) || defect.is_none() && case.verdict == Verdict::Inconclusive
    })
}

/// The same of a server with this defect behind a port of its own, at one setting; and how many connections that took.
pub(crate) fn told_over_tcp(
    shrink_plays: usize,
    defect: Defect,
    property: &str,
    cases: u64,
    setting: Setting,
    answer_timeout: Duration,
) -> std::io::Result<(Vec<Told>, usize)> {
    let config = reference_config(setting.mode.version);
    let host = Host::listen("127.0.0.1:0", ServerConfig { defects: Defects::only(defect), ..config })?;
    let (address, control) = (host.address()?, host.control());
    let target = Target::Tcp { address: address.to_string() };
    let settings = Some(vec![Setting { kind: None, ..setting }]);
    let profile = Arc::new(Profile { answer_timeout, ..Profile::of_reference() });
    let options = RunOptions { settings, profile, ..options(target, shrink_plays, property, cases) };
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let mut connections = 0;
            host.run(|event| connections += usize::from(matches!(event, HostEvent::Connected(_))))
                .map(|()| connections)
        });
        let told = told_of(&options, is_red);
        control.stop();
        let connections = serving.join().map_err(|_| std::io::Error::other("the server panicked"))??;
        Ok((told, connections))
    })
}

fn options(target: Target, shrink_plays: usize, property: &str, cases: u64) -> RunOptions {
    let filter = Filter { ids: vec![property.to_owned()], ..Filter::default() };
    let effort = Effort { cases, shrink_plays, ..Effort::default() };
    RunOptions { target, filter, effort, ..RunOptions::reference(1) }
}

fn told_of(options: &RunOptions, is_told: impl Fn(&CaseFinished) -> bool) -> Vec<Told> {
    let (mut told, mut last) = (Vec::new(), (Instant::now(), Duration::ZERO));
    run(options, &mut |event| {
        if let Event::CaseFinished(case) = event {
            let (begun, shrunk_before) = last;
            let shrunk_by_now = options.effort.shrinking.total();
            if is_told(case) {
                told.push(found(case, begun.elapsed(), shrunk_by_now.saturating_sub(shrunk_before)));
            }
            last = (Instant::now(), shrunk_by_now);
        }
    });
    told
}

fn is_red(case: &CaseFinished) -> bool {
    case.verdict.is_fail() || case.verdict == Verdict::Loose
}

fn found(case: &CaseFinished, took: Duration, shrunk: Duration) -> Told {
    let script = case.script.clone().and_then(|script| ScriptFile::from_value(script).ok());
    let steps = script.as_ref().map_or(0, |file| file.script.steps.len());
    let rows = case.findings.iter().map(|finding| finding.requirement.clone());
    let findings = case.findings.iter().map(|finding| format!("{} but {}", finding.expected, finding.got));
    let findings: Vec<String> = findings.collect();
    let text = format!(
        "{} {:?} {:?}\n{}",
        case.subject,
        case.reason,
        findings,
        script.map(|file| file.script.to_string()).unwrap_or_default()
    );
    Told {
        property: case.case.to_string(),
        subject: case.subject.clone(),
        steps,
        generated: case.generated,
        found: took.saturating_sub(shrunk),
        shrunk,
        rows: rows.collect(),
        text,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sipae::auth::{ChallengeKind, Scheme};
    use sipae::version::Version;
    use sipae_conformance::target::Mode;
    use sipae_events::ExitCode;
    use sipae_testsuite::two_at_a_time;

    use super::*;
    use crate::red::{collect, finished};

    /// Conversations within which every bug is found.
    const MOST: u64 = 500;

    /// Each property, a planted bug that no other property finds, and how many steps the smallest conversation has that
    /// shows it: those before the association, what is generated, and what proves the silence of the server.
    const OWN: &[(&str, &str, usize)] = &[
        ("2.2/any-parameter-names", "name-case-matters", 21),
        ("2.2/any-parameter-order", "order-matters", 21),
        ("2.2/any-unknown-parameters", "refuses-unknown-params", 21),
        ("2.2/any-separators", "splits-at-every-comma", 21),
        ("2.2/any-qop-form", "wants-qop-quoted", 21),
        ("2.2/any-compact-names", "knows-long-names-only", 21),
        ("2.2/any-header-names", "header-case-matters", 21),
        ("2.2/any-folds", "folds-are-ends", 21),
        ("2.2/any-other-schemes", "unknown-scheme-spoils-all", 21),
        ("2.2/any-signature-digits", "compares-signature-text", 21),
        ("3.3.5.3/any-other-credentials", "reads-first-credential", 21),
        ("3.3.5.3/any-credential-field", "reads-own-field-only", 21),
        ("3.1/any-uncovered-field", "refuses-other-hops", 21),
        ("3.3.5.1/any-empty-lines", "closes-on-empty-lines", 21),
        ("2.2/any-tag-place", "first-tag-counts", 21),
        ("3.3.5.3/any-from-tag", "keys-on-from-tag", 21),
        ("2.2/any-crand", "lowers-crand", 20),
        ("2.2/any-second-field", "first-copy-counts", 26),
        ("3.3.5.2/any-broken-message", "broken-ends-associations", 28),
        ("3.3.5.3/any-long-message", "oversize-ends-associations", 28),
        ("2.2/any-malformed-parameter", "forgives-names", 26),
        ("2.2/any-open-quote", "closes-open-quotes", 27),
        ("2.2/any-second-parameter", "last-param-wins", 26),
        ("2.2/any-wrong-qop", "accepts-any-qop", 27),
        ("2.2/any-unreadable-value", "accepts-unreadable-params", 25),
        ("2.2/any-cut-text", "cuts-at-controls", 26),
        ("5.1/any-signature-length", "accepts-cut-signature", 26),
        ("3.3.5.3/any-forged-signature", "takes-zeros", 26),
        ("3.3.5.3/any-alteration", "ignores-to-tag", 26),
        ("3.3.5.3/any-missing-parameter", "accepts-incomplete-signature", 26),
        ("3.3.5.3/any-unknown-opaque", "finds-by-endpoint", 26),
        ("3.3.5.3/any-other-endpoint", "serves-any-endpoint", 27),
        ("3.3.5.1/any-other-server", "ignores-realm-case", 27),
        ("2.2/any-other-text", "normalises-text", 27),
        ("3.3.5.3/any-foreign-from", "accepts-foreign-from", 26),
        ("3.3.5.3/any-foreign-registration", "registers-for-others", 26),
        ("3.3.5.3/any-other-layout", "layout-follows-message", 26),
        ("3.3.5.3/any-swapped-association", "takes-keys-of-user", 42),
        ("3.1.1/any-number-again", "registers-replay", 25),
        ("3.3.5.3/any-copy", "delivers-replay", 45),
        ("3.1.1/any-number-below", "window-stays", 35),
        ("3.1.1/any-forged-number", "forgery-moves-window", 26),
        ("3.3.5.1/any-bare-request", "accepts-bare-request", 5),
        ("3.3.5.1/any-bare-ack", "challenges-ack", 5),
        ("3.1/any-unsigned-request", "accepts-unsigned-options", 24),
        ("3.3.5.1/any-bare-message", "forwards-bare-request", 34),
        ("3.3.4.1/any-answer", "refresh-unsigned", 21),
        ("3.3.4.1/any-failure", "failure-unsigned", 21),
        ("3.3.4.1/any-delivery", "signature-without-opaque", 35),
        ("3.3.5.3/any-farewell", "unregisters-unsigned", 21),
        ("2.2/any-token-text", "mends-padding", 23),
        ("3.3.5.2/any-broken-token", "ignores-token-type", 23),
        ("3.3.5.2/any-wrong-proof", "silent-failure", 23),
        ("3.3.5.2/any-wrong-certificate", "accepts-expired-certificate", 29),
        ("3.3.5.2/any-skew", "accepts-skewed-ticket", 15),
        ("3.3.5.2/any-other-opaque", "matches-by-endpoint", 23),
        ("2.2/any-first-token", "bad-base64-is-empty", 15),
        ("3.3.5.2/any-qop", "ignores-qop", 15),
        ("3.3.5.2/any-version", "ignores-version", 15),
        ("2.2/any-scheme-case", "scheme-case-matters", 13),
        ("3.3.5.2/any-method", "targetname-alternates", 24),
        ("3.3.5.2/any-epid", "needs-instance", 32),
        ("3.3.5.2/any-instance", "compares-instance-text", 28),
        ("3.3.5.2/any-nobody", "accepts-no-endpoint", 2),
        ("3.3.5.2/any-other-instance", "ignores-instance", 2),
        ("3.3.5.2/any-foreign-from", "handshake-with-foreign-from", 2),
        ("3.3.5.2/any-odd-token", "token-ends-associations", 42),
        ("3.3.5.2/any-completing-signature", "completes-unsigned", 22),
        ("3.3.5.4/any-wrong-digest", "accepts-any-digest-realm", 11),
        ("3.3.5.5/any-method", "session-for-every-conference", 12),
    ];

    /// What is found by several, and the one that tells it in the fewest steps.
    const SHARED: &[(&str, &str, usize)] = &[
        ("3.3.5.1/any-bare-request", "challenge-with-token", 5),
        ("3.3.4.1/any-answer", "final-answer-unsigned", 21),
        ("3.3.4.1/any-answer", "answers-unsigned", 21),
        ("3.3.4.1/any-answer", "signs-without-status", 21),
        ("3.1.1/any-number-again", "accepts-replay", 25),
        ("3.3.5.3/any-alteration", "accepts-forged-signature", 26),
        ("3.1.1/any-forged-number", "forgery-ends-association", 26),
        ("3.1/any-unsigned-request", "accepts-unsigned-in-association", 24),
        ("3.3.5.3/any-foreign-from", "accepts-unknown-opaque", 26),
        ("2.2/any-crand", "drops-signed", 20),
        ("3.3.4.1/any-delivery", "forwards-unsigned", 35),
        ("3.3.4.1/any-delivery", "signs-before-identity", 35),
        ("2.2/any-crand", "first-number-refused", 20),
        ("3.1.1/any-number-below", "window-without-bottom", 35),
        ("2.2/any-unreadable-value", "refuses-gaps", 25),
        ("3.3.5.3/any-foreign-from", "keys-on-opaque", 26),
        ("3.3.5.3/any-other-credentials", "takes-any-realm", 21),
        ("3.3.4.1/any-answer", "signature-in-credential-field", 21),
        ("3.3.4.1/any-answer", "signs-before-to-tag", 21),
        ("3.3.4.1/any-answer", "signs-without-expires", 21),
        ("3.3.5.2/any-epid", "short-epids", 32),
        ("3.3.5.2/any-broken-token", "accepts-unreadable-token", 23),
        ("3.3.5.2/any-method", "handshake-by-register-only", 24),
        ("3.1/any-unsigned-request", "bare-ends-association", 24),
        ("3.3.1/any-sequence", "keeps-first-association", 34),
        ("2.2/any-malformed-parameter", "accepts-malformed-credential", 26),
        ("2.2/any-cut-text", "answers-unreadable", 26),
        ("2.2/any-first-token", "skips-in-base64", 15),
        ("2.2/any-crand", "reprints-crand", 20),
        ("2.2/any-second-field", "last-copy-counts", 26),
        ("3.3.5.4/any-wrong-digest", "accepts-wrong-digest", 11),
        ("3.3.5.5/any-method", "ignores-digest-method", 12),
        ("2.2/any-crand", "kerberos-answer-without-opaque", 15),
        ("3.3.5.2/any-wrong-proof", "accepts-expired-ticket", 15),
        ("3.3.5.2/any-wrong-proof", "accepts-future-ticket", 15),
        ("3.3.5.2/any-skew", "accepts-unproven-ticket", 15),
        ("3.3.4.1/any-answer", "signs-with-wrap-token", 16),
        ("3.3.5.2/any-wrong-certificate", "accepts-future-certificate", 29),
        ("3.3.5.2/any-wrong-certificate", "certificate-of-nobody", 29),
        ("3.3.4.1/any-answer", "cuts-hmac", 26),
        ("3.3.5.3/any-forged-signature", "compares-beginning", 26),
    ];

    /// How long an answer may take over TCP.
    const PATIENCE: Duration = Duration::from_millis(150);
    /// Sequences find much of what properties find, and more.
    const SEQUENCES: &str = "3.3.1/any-sequence";

    /// Each scheme at its newest version, in the order in which a bug is looked for.
    const SCHEMES: [Scheme; 4] = [Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk, Scheme::Digest];

    /// And the layout of version 2.
    const SHORT_LAYOUT: Setting =
        Setting { mode: Mode { scheme: Scheme::Ntlm, version: Version::V2 }, kind: Some(ChallengeKind::Www) };

    fn setting(scheme: Scheme) -> Setting {
        Setting { mode: Mode { scheme, version: Version::V4 }, kind: Some(ChallengeKind::Www) }
    }

    #[test]
    fn every_property_has_a_bug_of_its_own_in_the_table() {
        let named: BTreeSet<&str> = OWN.iter().map(|(property, ..)| *property).collect();
        let all: BTreeSet<&str> = properties().filter(|property| *property != SEQUENCES).collect();
        assert_eq!(named, all);
        assert!(40 <= named.len());
    }

    /// What is wrong with the finders of one bug.
    fn wrong((property, defect, steps): (&str, &str, usize)) -> Option<String> {
        let defect: Defect = defect.parse().expect("a defect");
        let settings: Vec<Setting> = SCHEMES.into_iter().map(setting).collect();
        let told = told(Some(defect), "/any-", 40, &settings);
        let others = told.iter().map(|told| told.property.as_str());
        let others: BTreeSet<&str> = others.filter(|name| *name != property && *name != SEQUENCES).collect();
        match told.iter().find(|told| told.property == property) {
            None => Some(format!("{property} does not find {defect}")),
            Some(_) if !others.is_empty() => Some(format!("{defect} is found by {others:?} as well")),
            Some(told) if told.steps != steps => {
                Some(format!("{defect}: {} steps, not {steps}:\n{}", told.steps, told.text))
            }
            Some(_) => None,
        }
    }

    /// What is wrong with what one property tells of a bug.
    fn wrong_alone((property, defect, steps): (&str, &str, usize)) -> Option<String> {
        let defect: Defect = defect.parse().expect("a defect");
        let mut settings = SCHEMES.into_iter().map(setting).chain([SHORT_LAYOUT]);
        let first = settings.find_map(|setting| told(Some(defect), property, MOST, &[setting]).pop());
        match first {
            None => Some(format!("{property} does not find {defect}")),
            Some(told) if told.steps != steps => {
                Some(format!("{defect}: {} steps, not {steps}:\n{}", told.steps, told.text))
            }
            Some(_) => None,
        }
    }

    #[test]
    fn each_property_alone_finds_its_bug_and_tells_the_smallest_conversation() {
        let wrong = two_at_a_time(OWN, |row| wrong(*row));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_other_bug_that_a_property_shows_is_found_and_told_in_few_steps() {
        let wrong = two_at_a_time(SHARED, |row| wrong_alone(*row));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Whether it shows depends on what the server draws.
    #[test]
    fn what_does_not_fail_each_time_is_told_with_what_it_has_shown_and_its_script() {
        let told =
            told(Some(Defect::SrandWithoutZeros), "3.3.4.1/any-answer", MOST, &[setting(Scheme::Ntlm)]);
        let [told] = told.as_slice() else { panic!("{} findings", told.len()) };
        assert_eq!(told.rows, ["SIPAE-3.3.4.1-01"], "{}", told.text);
        assert!(0 < told.steps, "no script to try again: {}", told.text);
    }

    /// Over a network a missed answer proves nothing by itself. Here the target discards whatever the association signs, and
    /// answers who asks without credential.
    #[test]
    fn an_association_that_falls_silent_over_tcp_is_found_and_told() {
        let find = |property| {
            told_over_tcp(0, Defect::ForgeryMovesWindow, property, 5, setting(Scheme::Ntlm), PATIENCE)
        };
        let (found, _) = find("3.1.1/any-forged-number").expect("a port");
        let [told] = found.as_slice() else { panic!("{} findings", found.len()) };
        assert!(told.rows.iter().any(|row| row == "SIPAE-3.1.1-09"), "{}", told.text);
    }

    /// A user gets a message twice and answers once: what has come counts, whatever answer is missing. One conversation has a
    /// fence where another one waits for the answer, and asks again where the connection has ended.
    #[test]
    fn a_sequence_is_made_as_small_over_tcp_as_in_memory() {
        let defect = Defect::DeliversReplay;
        let setting = setting(Scheme::Ntlm);
        let in_memory = told(Some(defect), SEQUENCES, 150, &[setting]).pop().expect("found");
        let (found, _) =
            told_over_tcp(SHRINK_PLAYS, defect, SEQUENCES, 150, setting, PATIENCE).expect("a port");
        let [over_tcp] = found.as_slice() else { panic!("{} findings", found.len()) };
        assert_eq!(over_tcp.rows, in_memory.rows);
        assert!(
            over_tcp.steps.abs_diff(in_memory.steps) <= 1,
            "{}, in memory {}",
            over_tcp.text,
            in_memory.text
        );
    }

    /// An association that has ended shows by what does not reach its user: there was time for it.
    #[test]
    fn what_comes_no_more_is_waited_for_over_tcp() {
        let defect = Defect::BareEndsAssociation;
        let setting = setting(Scheme::Ntlm);
        let (found, _) =
            told_over_tcp(SHRINK_PLAYS, defect, SEQUENCES, 190, setting, PATIENCE).expect("a port");
        let rows: Vec<_> = found.iter().map(|told| &told.rows).collect();
        assert_eq!(rows, [&["SIPAE-3.3.1-01"]]);
    }

    /// What is told once is not looked at with patience again: a conversation takes as many connections as one with a server
    /// that answers.
    #[test]
    fn silence_that_is_only_loose_is_waited_for_once_in_each_conversation() {
        let (property, patience) = ("3.3.5.2/any-wrong-proof", Duration::from_millis(20));
        let take = |defect, cases| {
            let setting = setting(Scheme::Ntlm);
            told_over_tcp(0, defect, property, cases, setting, patience).expect("a port")
        };
        let further = |defect, findings| {
            let [(few, less), (many, more)] = [5, 15].map(|cases| take(defect, cases));
            assert_eq!([few.len(), many.len()], [findings; 2], "{defect}");
            more - less
        };
        assert_eq!(further(Defect::SilentFailure, 1), further(Defect::DeliversReplay, 0));
    }

    #[test]
    fn of_long_messages_a_fifth_as_many_are_made() {
        let ids = ["3.3.5.3/any-long-message", "3.3.5.3/any-forged-signature"].map(str::to_owned);
        let filter = Filter { ids: ids.to_vec(), ..Filter::default() };
        let effort = Effort { cases: 11, ..Effort::default() };
        let settings = Some(vec![setting(Scheme::Ntlm)]);
        let (events, _) = collect(&RunOptions { filter, effort, settings, ..RunOptions::reference(1) });
        let made = finished(&events).map(|case| (case.case.as_str(), case.generated));
        let expected = [("3.3.5.3/any-forged-signature", 11), ("3.3.5.3/any-long-message", 3)];
        assert_eq!(made.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    }

    /// The same conversations, in the same order, whatever runs side by side; other seeds make others.
    #[test]
    fn what_is_generated_follows_from_the_seed() {
        let with = |seed, jobs| {
            let filter = Filter {
                ids: vec!["/any-number-again".to_owned(), SEQUENCES.to_owned()],
                ..Filter::default()
            };
            let target = Target::Reference { defects: Defects::only(Defect::AcceptsReplay) };
            let settings = Some(vec![setting(Scheme::Ntlm)]);
            collect(&RunOptions { target, jobs, filter, settings, ..RunOptions::reference(seed) })
        };
        assert_eq!(with(7, 1), with(7, 3));
        let (events, exit) = with(7, 1);
        let told: Vec<String> = finished(&events)
            .map(|case| format!("{} {:?} {:?}", case.case, case.verdict, case.reason))
            .collect();
        assert_eq!(exit, ExitCode::Failed, "{told:?}");
        let failed = finished(&events).find(|case| case.verdict.is_fail()).expect("a failure");
        let file = ScriptFile::from_value(failed.script.clone().expect("a script")).expect("a script file");
        assert!(!file.checks.is_empty() && file.case == failed.case.as_str());
    }
}
