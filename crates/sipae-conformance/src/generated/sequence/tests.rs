use proptest::prelude::*;
use rstest::rstest;
use sipae::auth::{ChallengeKind, Scheme};
use sipae::version::Version;
use sipae_events::Finding;
use sipae_gen::model::{Carrier, Number, Request, shrink_candidates};
use sipae_gen::{Party, Source, Step};
use sipae_spec::{Level, Requirement, Weight};

use super::*;
use crate::observation;

const MODE: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };

/// Two users log in, one sends to the other, and again the same octets.
fn replaying() -> Vec<Action> {
    let login = |party| Action::Login { party, over: Carrier::Register };
    let party = Party::USER;
    vec![
        login(party),
        login(Party::PEER),
        Action::Sign { party, request: Request::Message, number: Number::Next },
        Action::Replay { party, back: 0, over: party },
    ]
}

fn replayed() -> Scripted {
    script(&replaying(), MODE)
}

fn failing_by(rows: &[&str]) -> Judgement {
    let finding = |row: &&str| Finding {
        requirement: (*row).to_owned(),
        level: Level::Must,
        reconstructed: false,
        expected: String::new(),
        got: String::new(),
        weight: Weight::Fail,
    };
    let findings = rows.iter().map(finding).collect();
    Judgement { verdict: Verdict::Fail(Cause::Reaction), findings, undecided: None, waits: false }
}

/// Whatever is sent has a signed answer: the message is not delivered, what comes again is not refused, and what is
/// unsigned is not challenged.
#[rstest]
#[case::the_first(Some(0), Some(3))]
#[case::another_one_is_before_it(Some(1), Some(4))]
#[case::nothing_is_behind_the_last(Some(2), None)]
#[case::the_target_has_crashed(None, None)]
fn what_comes_behind_that_by_which_it_fails_goes_first(
    #[case] by: Option<usize>,
    #[case] left: Option<usize>,
) {
    let bare = Action::Bare { party: Party::USER, request: Request::Refresh };
    let sequence = [replaying(), vec![bare]].concat();
    let scripted = script(&sequence, MODE);
    let surprises = surprises(&scripted, &observed(&scripted, [[false; 2]; 2]));
    let places: Vec<_> = surprises.iter().map(|surprise| surprise.action).collect();
    assert_eq!(places, [2, 3, 4]);
    let judgement = failing_by(by.map_or(&[], |place| surprises[place].broken.rows));
    let kind = Kind::of(&judgement);
    let failing = Failing::new(sequence.clone(), Look { judgement, surprises }, &kind);
    let cut = left.map(|left| sequence[..left].to_vec());
    let expected = cut.into_iter().chain(shrink_candidates(&sequence));
    assert_eq!(failing.candidates().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// The model goes another way behind what was not foreseen.
#[test]
fn what_is_checked_without_a_model_ends_with_what_it_fails_by() {
    let scripted = replayed();
    let surprises = surprises(&scripted, &observed(&scripted, [[false, false], [true, false]]));
    let checked = |surprises| {
        let checks = checks(&scripted, surprises);
        checks.into_iter().map(|check| check.message.to_string()).collect::<BTreeSet<_>>()
    };
    let all = ["message 002", "message 003", "sa000 last", "sa001 last"].map(str::to_owned);
    assert_eq!(checked(&[]), BTreeSet::from(all.clone()));
    assert_eq!(
        checked(&surprises),
        BTreeSet::from(["message 002", "sa000 last", "sa001 last"].map(str::to_owned))
    );
}

/// Where it arrives, what comes again looks like the first: that one has come twice then.
#[rstest]
#[case::it_came_once(1, false)]
#[case::it_came_twice(2, true)]
fn what_is_delivered_twice_fails_without_a_model_too(#[case] times: usize, #[case] fails: bool) {
    let scripted = replayed();
    let mut observation = observed(&scripted, [[false, true], [true, false]]);
    let [.., original, again] = &scripted.expectations[..] else { panic!("{scripted:?}") };
    observation.messages.get_mut(&again.message).expect("sent").reaction = Reaction::Silent;
    let original = observation.messages.get_mut(&original.message).expect("sent");
    original.deliveries = vec![original.deliveries[0].clone(); times];
    let surprises = surprises(&scripted, &observation);
    assert_eq!(
        surprises.iter().map(|surprise| &surprise.message).collect::<Vec<_>>(),
        vec![&again.message; times - 1]
    );
    let judgement = judged_by(&checks(&scripted, &surprises), &observation);
    let found: Vec<_> = judgement.findings.iter().map(|finding| finding.requirement.as_str()).collect();
    assert_eq!(found, if fails { again.prediction.rows } else { &[] });
}

/// A target may bind an association to its connection. This one does not, and owes the delivery; another one does not.
#[test]
fn what_only_some_targets_owe_is_not_checked() {
    let sign = |party, request| Action::Sign { party, request, number: Number::Next };
    let [first, second, ..] = replaying()[..] else { panic!("two logins") };
    let back = [Action::Reconnect { party: Party::USER }, sign(Party::USER, Request::Refresh)];
    let sequence = [&[first, second], &back[..], &[sign(Party::PEER, Request::Message)]].concat();
    let scripted = script(&sequence, MODE);
    let surprises = surprises(&scripted, &observed(&scripted, [[false; 2]; 2]));
    let [surprise] = surprises.as_slice() else { panic!("{surprises:?}") };
    assert!(surprise.prediction.delivery.as_ref().is_some_and(|delivery| delivery.reaches));
    let checks = checks(&scripted, &surprises);
    assert!(!checks.iter().any(|check| matches!(check.expect, Expect::Reaches(_))), "{checks:?}");
}

#[test]
fn a_sequence_that_nothing_was_sent_of_decides_nothing() {
    let rows = ["SIPAE-3.1-01"];
    let observation = Observation::default();
    let judgement = |scripted: &Scripted| {
        let mut judge = Judge::new(&observation, &rows, MODE, false);
        read(scripted, &mut judge);
        judge.judgement().verdict
    };
    assert_eq!(judgement(&Scripted::default()), Verdict::Inconclusive);
}

/// Everything is answered, but for the last ones: whether the answer is missing and the message has come.
fn observed(scripted: &Scripted, last: [[bool; 2]; 2]) -> Observation {
    let signed = Reaction::Final { status: 200, signature: Signature::Verified(1) };
    let answered = |expectation: &Expectation| {
        (expectation.message.clone(), Seen::unanswered(signed.clone(), Vec::new()))
    };
    let messages = scripted.expectations.iter().map(answered).collect();
    let mut observation = Observation { messages, ..Observation::default() };
    let last = scripted.expectations.iter().rev().zip(last.into_iter().rev());
    for (expectation, [is_missing, has_come]) in last {
        let (to, signature, signed_by) = (Party::PEER, Signature::Unsigned, None);
        let delivery = observation::Delivery { to, octets: Vec::new(), signature, signed_by };
        let reaction = if is_missing { Reaction::Overdue } else { signed.clone() };
        let mut seen = Seen::unanswered(reaction, Vec::new());
        seen.deliveries.extend(has_come.then_some(delivery));
        drop(observation.messages.insert(expectation.message.clone(), seen));
    }
    observation
}

#[rstest]
#[case::the_copy_has_come([[false, true], [true, true]], false)]
#[case::both_have_come_in_some_order([[true, true], [true, true]], true)]
#[case::the_first_may_still_come([[true, false], [true, true]], true)]
fn a_missing_answer_makes_no_failure_doubtful_where_the_message_has_come(
    #[case] last: [[bool; 2]; 2],
    #[case] is_doubtful: bool,
) {
    let scripted = replayed();
    let observation = observed(&scripted, last);
    assert!(!surprises(&scripted, &observation).is_empty(), "{scripted:?}");
    assert_eq!(is_behind_missed(&scripted, &observation), is_doubtful);
}

/// What is drawn is mostly what a right target does, so that surprises come late.
struct Drawn<'s> {
    scripted: &'s Scripted,
    source: Fast,
}

impl Drawn<'_> {
    fn one_in(&mut self, many: u32) -> bool {
        self.source.below(many) == 0
    }

    fn observation(&mut self) -> Observation {
        let scripted = self.scripted;
        let seen = |expectation: &Expectation| (expectation.message.clone(), self.seen(expectation));
        let messages = scripted.expectations.iter().map(seen).collect();
        let mut observation = Observation { messages, ..Observation::default() };
        if self.one_in(8) {
            observation.ended.insert(1 + self.source.below(4), Reaction::Closed);
        }
        observation
    }

    fn seen(&mut self, expectation: &Expectation) -> Seen {
        let right = !self.one_in(6);
        let reaction = match expectation.prediction.expected {
            Expected::Challenged if right => Reaction::Challenge(ChallengeKind::Www),
            Expected::Accepted if right => signed(200),
            Expected::Refused | Expected::Denied if right => Reaction::Silent,
            _ => self.reaction(expectation),
        };
        let mut seen =
            Seen { connection: expectation.connection.0, ..Seen::unanswered(reaction, Vec::new()) };
        let receivers = expectation.prediction.delivery.as_ref();
        let receiver =
            receivers.filter(|delivery| delivery.reaches).and_then(|delivery| delivery.only.first());
        let mut receivers: Vec<Party> = receiver.copied().into_iter().filter(|_| right).collect();
        if self.one_in(8) {
            receivers.extend(receiver);
        }
        // Nobody delivers a REGISTER.
        while !self.registers(expectation) && self.one_in(12) {
            receivers.push(PARTIES[self.source.below(4) as usize]);
        }
        let delivered = |to| observation::Delivery {
            to,
            octets: Vec::new(),
            signature: Signature::Unsigned,
            signed_by: None,
        };
        seen.deliveries.extend(receivers.into_iter().map(delivered));
        seen
    }

    fn reaction(&mut self, expectation: &Expectation) -> Reaction {
        const STATUSES: [u16; 7] = [200, 400, 403, 404, 481, 482, 500];
        let status = STATUSES[self.source.below(7) as usize];
        match self.source.below(8) {
            0 => Reaction::Silent,
            1 => Reaction::Overdue,
            2 => Reaction::Closed,
            3 => Reaction::Challenge(ChallengeKind::Www),
            4 => Reaction::Continuation(ChallengeKind::Www),
            5 => Reaction::Final { status, signature: Signature::Unsigned },
            // Whether a REGISTER that is answered with a failure was processed is asked of each answer, and not foreseen.
            _ if self.registers(expectation) => signed(200),
            _ => signed(status),
        }
    }

    fn registers(&self, expectation: &Expectation) -> bool {
        let composed = self.scripted.script.steps.iter().find_map(|step| match step {
            Step::Compose { message, template } if *message == expectation.message => Some(&template.method),
            _ => None,
        });
        composed.is_none_or(|method| method == "REGISTER")
    }
}

fn signed(status: u16) -> Reaction {
    Reaction::Final { status, signature: Signature::Verified(1) }
}

fn judged_by(checks: &[Check], observation: &Observation) -> Judgement {
    let rows: Vec<&str> = checks.iter().map(|check| check.requirement.as_str()).collect();
    let rows: Vec<&'static str> =
        rows.iter().filter_map(|row| Requirement::get(row)).map(|row| row.id).collect();
    let mut judge = Judge::new(observation, &rows, MODE, false);
    judge.all(checks);
    judge.judgement()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// A model goes with what it has seen, a stored sequence is judged by what was certain before.
    #[test]
    fn stored_checks_fail_where_the_model_is_surprised_and_nowhere_else(seed: u64, length in 1..14_usize) {
        let mut source = Fast::new(seed);
        let sequence = actions(&mut source, length, true);
        let scripted = script(&sequence, MODE);
        let observation = Drawn { scripted: &scripted, source }.observation();
        let surprises = surprises(&scripted, &observation);
        let up_to_the_first = surprises.get(..1).unwrap_or_default();
        let judgement = judged_by(&checks(&scripted, up_to_the_first), &observation);
        let shown = format!("{sequence:?}\n{up_to_the_first:?}\n{judgement:?}\n{:?}", observation.messages);
        let found: BTreeSet<(&str, Weight)> =
            judgement.findings.iter().map(|found| (found.requirement.as_str(), found.weight)).collect();
        let Some(first) = surprises.first() else {
            prop_assert!(!judgement.verdict.is_fail(), "{shown}");
            return Ok(());
        };
        let Prediction { rows, delivery, .. } = &first.prediction;
        let rows = rows.iter().chain(delivery.iter().flat_map(|delivery| delivery.rows));
        let rows: BTreeSet<&str> = rows.copied().collect();
        let failed = found.iter().filter(|(_, weight)| *weight == Weight::Fail).map(|(row, _)| *row);
        prop_assert!(failed.collect::<BTreeSet<_>>().is_subset(&rows), "{shown}");
        let foreseen = scripted.expectations.iter().find(|expectation| expectation.message == first.message);
        let is_certain = foreseen.is_some_and(|foreseen| foreseen.prediction == first.prediction);
        let is_missed = |seen: &Seen| seen.reaction == Reaction::Overdue;
        let is_copy = foreseen.is_some_and(|foreseen| foreseen.original.is_some());
        let is_excused = is_copy && !observation.ended.is_empty();
        if is_certain && !is_excused && !observation.messages.values().any(is_missed) {
            let told = first.broken.rows.iter().filter_map(|row| Requirement::get(row));
            let told = told.map(|row| (row.id, row.weight(false))).collect();
            prop_assert!(found.is_superset(&told), "{shown}");
        }
    }
}
