//! Laws of the model, over many sequences.

use std::collections::{BTreeMap, BTreeSet};

use sipae::auth::Scheme;
use sipae::clock::Entropy;
use sipae::version::Version;

use super::*;
use crate::{Connection, Drawn, Label, Mode, Party, Recorded, Step};

const SEEDS: u32 = 200;
const LENGTH: usize = 60;
const NTLM: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };

/// xorshift.
struct Seeded(u32);

impl Entropy for Seeded {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *octet = self.0.to_be_bytes()[0];
        }
    }
}

fn generated(seed: u32) -> Vec<Action> {
    let seed = Seeded((seed + 1).wrapping_mul(0x9E37_79B9) | 1);
    actions(&mut Drawn::new(seed), LENGTH, true)
}

/// Everything that stands in a script has been made before.
#[derive(Default)]
struct Made {
    connections: BTreeSet<Connection>,
    messages: BTreeSet<Label>,
    sent: BTreeSet<Label>,
    associations: BTreeSet<Label>,
}

impl Made {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Connect(connection) => drop(self.connections.insert(*connection)),
            Step::Disconnect(connection) => assert!(self.connections.remove(connection)),
            Step::Compose { message, .. } => {
                assert!(self.messages.insert(message.clone()), "{message} is there twice");
            }
            Step::Copy { message, of } => {
                assert!(self.sent.contains(of) && self.messages.insert(message.clone()), "{message} of {of}");
            }
            Step::Adopt { association, message } => {
                assert!(self.sent.contains(message));
                self.associations.insert(association.clone());
            }
            Step::Sign { message, association, .. } | Step::Credential { message, association, .. } => {
                assert!(self.messages.contains(message) && self.associations.contains(association), "{step}");
            }
            Step::Send { message, connection } => {
                assert!(connection.is_none_or(|connection| self.connections.contains(&connection)), "{step}");
                assert!(self.messages.contains(message) && self.sent.insert(message.clone()), "{step}");
            }
            Step::Edit { message, .. } => assert!(self.messages.contains(message)),
            Step::Await { message } | Step::Retry { message } => {
                assert!(self.sent.contains(message), "{step}");
            }
            Step::Authenticate { association, .. } => assert!(self.associations.contains(association)),
            Step::Fence { connection, association } => {
                assert!(self.connections.contains(connection), "{step}");
                assert!(association.as_ref().is_none_or(|by| self.associations.contains(by)), "{step}");
            }
            Step::Attempt(part) => part.steps.iter().for_each(|step| self.step(step)),
            Step::Elapse(_) => {}
            other => panic!("no step of a model: {other}"),
        }
    }
}

fn check(actions: &[Action], mode: Mode) {
    let scripted = script(actions, mode);
    let mut made = Made::default();
    scripted.script.steps.iter().for_each(|step| made.step(step));
    let labels: BTreeSet<&Label> = scripted.expectations.iter().map(|expected| &expected.message).collect();
    assert_eq!(labels.len(), scripted.expectations.len());
    assert!(labels.into_iter().all(|label| made.sent.contains(label)));
}

fn predictions(actions: &[Action]) -> Vec<(Action, Option<Prediction>)> {
    let mut model = Model::new();
    actions.iter().map(|action| (*action, model.step(action))).collect()
}

#[test]
fn a_script_names_nothing_that_it_has_not_made_in_any_scheme_and_version() {
    for seed in 0..SEEDS {
        for scheme in [Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk] {
            let version = Version::ALL[seed as usize % Version::ALL.len()];
            check(&generated(seed), Mode { scheme, version });
        }
    }
}

#[test]
fn a_sequence_without_any_of_its_actions_is_a_sequence() {
    for seed in 0..SEEDS / 8 {
        let actions = generated(seed);
        (0..LENGTH).for_each(|place| {
            let mut fewer = actions.clone();
            fewer.remove(place);
            check(&fewer, NTLM);
        });
    }
}

/// The steps of a script, whatever the places of its actions are: each name has the number of its first appearance.
fn renumbered(actions: &[Action]) -> String {
    let mut numbers = BTreeMap::new();
    let mut told = String::new();
    for step in script(actions, NTLM).script.steps {
        let text = format!("{step:?}\n");
        for part in text.split_inclusive(|shown: char| !shown.is_ascii_digit()) {
            let (digits, rest) = part.split_at(part.len().min(3));
            let is_name = digits.len() == 3 && digits.bytes().all(|octet| octet.is_ascii_digit());
            let next = numbers.len();
            let number = is_name.then(|| *numbers.entry(digits.to_owned()).or_insert(next));
            told += &number.map_or(digits.to_owned(), |number| format!("<{number}>"));
            told += rest;
        }
    }
    told
}

#[test]
fn what_has_no_meaning_changes_nothing() {
    for seed in 0..SEEDS {
        let actions = generated(seed);
        let mut foreseen = predictions(&actions);
        foreseen.retain(|(_, prediction)| prediction.is_some());
        let meaningful = meaningful(&actions);
        assert!(meaningful.len() < actions.len(), "seed {seed}");
        assert_eq!(predictions(&meaningful), foreseen, "seed {seed}");
        assert_eq!(renumbered(&meaningful), renumbered(&actions), "seed {seed}");
    }
}

#[test]
fn a_record_without_the_choices_of_one_action_makes_the_others_still() {
    let mut source = Drawn::new(Seeded(77));
    let all = actions(&mut source, LENGTH, true);
    let choices = source.into_choices();
    let each = choices.len() / LENGTH;
    for place in 0..LENGTH {
        let (mut fewer, mut expected) = (choices.clone(), all.clone());
        fewer.drain(place * each..(place + 1) * each);
        expected.remove(place);
        assert_eq!(actions(&mut Recorded::new(fewer), LENGTH - 1, true), expected);
    }
}

#[test]
fn one_seed_gives_one_sequence_and_no_choice_gives_the_plainest() {
    assert_eq!(generated(3), generated(3));
    assert_ne!(generated(3), generated(4));
    let plainest = Action::Login { party: Party::USER, over: Carrier::Register };
    assert_eq!(actions(&mut Recorded::default(), 2, true), [plainest; 2]);
}

#[test]
fn time_passes_only_where_it_may() {
    let (mut patient, mut hasty) = (Drawn::new(Seeded(5)), Drawn::new(Seeded(5)));
    let is_time = |action: &Action| matches!(action, Action::Elapse(_));
    assert!(actions(&mut patient, 200, true).iter().any(is_time));
    assert!(!actions(&mut hasty, 200, false).iter().any(is_time));
}

#[test]
fn what_is_bare_forged_borrowed_or_a_copy_is_never_accepted() {
    for (action, prediction) in (0..SEEDS).flat_map(|seed| predictions(&generated(seed))) {
        let Some(Prediction { expected, delivery, .. }) = prediction else { continue };
        match action {
            Action::Replay { .. } => assert_ne!(expected, Expected::Accepted, "{action}"),
            Action::Bare { .. } | Action::Forge { .. } | Action::Borrow { .. } => {
                assert!(!matches!(expected, Expected::Accepted | Expected::Open), "{action}");
                assert!(delivery.is_none_or(|delivery| delivery.only.is_empty()), "{action}");
            }
            _ => {}
        }
    }
}

#[test]
fn nothing_is_predicted_without_a_row() {
    for (action, prediction) in (0..SEEDS).flat_map(|seed| predictions(&generated(seed))) {
        let Some(prediction) = prediction else { continue };
        let is_quiet = matches!(action, Action::Reconnect { .. } | Action::Elapse(_));
        assert_eq!(prediction.rows.is_empty(), is_quiet, "{action}");
        assert!(prediction.rows.iter().all(|row| row.starts_with("SIPAE-3.")));
    }
}

/// What a case of its own looks at comes up by itself, and most actions have a meaning.
#[test]
fn the_sequences_reach_everything_that_the_model_knows() {
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut all, mut meant) = (0, 0);
    for (action, prediction) in (0..SEEDS).flat_map(|seed| predictions(&generated(seed))) {
        all += 1;
        let Some(prediction) = prediction else { continue };
        meant += 1;
        let delivery = prediction.delivery.as_ref();
        let is = [
            ("delivered", delivery.is_some_and(|delivery| delivery.reaches)),
            ("delivered to either", delivery.is_some_and(|it| it.reaches && it.only.len() == 2)),
            ("expired", prediction.rows.contains(&"SIPAE-3.3.2-01")),
            ("idle", prediction.rows.contains(&"SIPAE-3.3.2-03")),
            ("after a forgery", prediction.rows.contains(&"SIPAE-3.1.1-09")),
            ("ahead", prediction.rows.contains(&"SIPAE-3.1.1-03")),
            ("skipped", prediction.rows.contains(&"SIPAE-3.1.1-04")),
            ("below", prediction.rows.contains(&"SIPAE-3.1.1-07")),
            ("beyond", prediction.rows.contains(&"SIPAE-3.1.1-12")),
            ("replaced", prediction.rows.contains(&"SIPAE-3.3.1-03")),
            ("replayed", prediction.rows.contains(&"SIPAE-3.1.1-05")),
            ("another's opaque", prediction.rows.contains(&"SIPAE-3.3.1-04")),
            ("other endpoint", prediction.rows.contains(&"SIPAE-3.3.5.3-07")),
            ("other user", prediction.rows.contains(&"SIPAE-3.3.5.3-08")),
            ("challenged", prediction.expected == Expected::Challenged),
            ("accepted", prediction.expected == Expected::Accepted),
            ("accepted after the first", {
                prediction.expected == Expected::Accepted && matches!(action, Action::Sign { .. })
            }),
            ("open", prediction.expected == Expected::Open),
        ];
        is.iter().filter(|(_, is)| *is).for_each(|(what, _)| *reached.entry(what).or_default() += 1);
    }
    assert_eq!(reached.len(), 18, "{reached:?}");
    assert!(all < meant * 2, "{meant} of {all}");
}

fn login(party: Party) -> Action {
    Action::Login { party, over: Carrier::Register }
}

const fn sign(party: Party, request: Request) -> Action {
    Action::Sign { party, request, number: Number::Next }
}

const fn numbered(number: Number) -> Action {
    Action::Sign { party: Party::USER, request: Request::Refresh, number }
}

fn expected(actions: &[Action]) -> Vec<Option<Expected>> {
    predictions(actions).into_iter().map(|(_, prediction)| prediction.map(|it| it.expected)).collect()
}

#[test]
fn numbers_are_accepted_once_ahead_and_not_below_the_window() {
    let replay = Action::Replay { party: Party::USER, back: 0, over: Party::USER };
    let sequence = [
        numbered(Number::Next),
        login(Party::USER),
        numbered(Number::Skipped),
        numbered(Number::Ahead(100)),
        numbered(Number::Skipped),
        replay,
        numbered(Number::Below),
        numbered(Number::Ahead(100)),
        numbered(Number::Ahead(100)),
        numbered(Number::Below),
        replay,
        numbered(Number::Next),
        replay,
    ];
    let some = |expected| Some(expected);
    assert_eq!(
        expected(&sequence),
        [
            None,
            some(Expected::Accepted),
            None,
            some(Expected::Accepted),
            some(Expected::Open),
            some(Expected::Open),
            None,
            some(Expected::Accepted),
            some(Expected::Accepted),
            some(Expected::Refused),
            some(Expected::Refused),
            some(Expected::Accepted),
            some(Expected::Refused),
        ]
    );
}

#[test]
fn what_was_open_is_known_once_it_has_been_seen() {
    let replay = Action::Replay { party: Party::USER, back: 0, over: Party::USER };
    for accepted in [true, false] {
        let mut model = Model::new();
        model.step(&login(Party::USER));
        model.step(&Action::Reconnect { party: Party::USER });
        let moved = model.step(&numbered(Number::Next)).map(|it| it.expected);
        assert_eq!(moved, Some(Expected::Open));
        model.saw(accepted);
        let copy = model.clone().step(&replay).map(|it| it.expected);
        assert_eq!(copy, Some(if accepted { Expected::Refused } else { Expected::Open }));
        let next = model.step(&numbered(Number::Next)).map(|it| it.expected);
        assert_eq!(next, Some(if accepted { Expected::Accepted } else { Expected::Open }));
    }
}

#[test]
fn a_number_that_only_a_forged_message_had_is_free_until_it_is_used() {
    let forge = Action::Forge { party: Party::USER, request: Request::Refresh, forgery: Forgery::Number(40) };
    let free = numbered(Number::Forged);
    assert_eq!(
        expected(&[login(Party::USER), free, forge, free, free]),
        [Some(Expected::Accepted), None, Some(Expected::Refused), Some(Expected::Accepted), None]
    );
}

fn delivery(actions: &[Action]) -> Option<(Vec<Party>, bool)> {
    let last = predictions(actions).pop()?.1?.delivery?;
    Some((last.only.into_iter().collect(), last.reaches))
}

#[test]
fn a_message_reaches_whoever_is_registered_and_nobody_who_has_gone() {
    let to_peer = sign(Party::USER, Request::Message);
    let both = [login(Party::USER), login(Party::PEER)];
    let then = |actions: &[Action]| delivery(&[&both, actions, &[to_peer]].concat());
    assert_eq!(delivery(&[login(Party::USER), to_peer]), Some((vec![], false)));
    assert_eq!(then(&[]), Some((vec![Party::PEER], true)));
    let second = Party::PEER_SECOND;
    assert_eq!(then(&[login(second)]), Some((vec![Party::PEER, second], true)));
    assert_eq!(then(&[sign(Party::PEER, Request::Unregister)]), Some((vec![], false)));
    assert_eq!(then(&[Action::Reconnect { party: Party::PEER }]), Some((vec![Party::PEER], false)));
    assert_eq!(then(&[Action::Elapse(Passing::BeyondExpiry)]), Some((vec![], false)));
}

/// Another telephone of the user may be registered and never answer, and then a target has nothing to answer either.
#[test]
fn nothing_is_expected_of_a_message_to_a_user_none_of_whose_endpoints_is_ours() {
    let to_peer = sign(Party::USER, Request::Message);
    assert_eq!(expected(&[login(Party::USER), to_peer])[1], Some(Expected::Open));
    assert_eq!(expected(&[login(Party::USER), login(Party::PEER), to_peer])[2], Some(Expected::Accepted));
}

#[test]
fn associations_end_with_time_and_their_messages_are_refused_then() {
    let quiet = Action::Login { party: Party::USER, over: Carrier::Options };
    let ask = sign(Party::USER, Request::Options);
    let after = |passed: &[Passing]| {
        let mut model = Model::new();
        model.step(&quiet);
        model.saw(true);
        for passing in passed {
            model.step(&Action::Elapse(*passing));
        }
        model.step(&ask).map(|it| it.expected)
    };
    assert_eq!(after(&[Passing::Idle(60)]), Some(Expected::Accepted));
    assert_eq!(after(&[Passing::Idle(30), Passing::Idle(60)]), Some(Expected::Open));
    assert_eq!(after(&[Passing::Idle(60), Passing::Idle(60)]), Some(Expected::Refused));
    assert_eq!(after(&[Passing::BeyondIdle]), Some(Expected::Refused));
    let registered = [login(Party::USER), Action::Elapse(Passing::BeyondIdle), ask];
    assert_eq!(expected(&registered)[2], Some(Expected::Open));
    let expired = [login(Party::USER), Action::Elapse(Passing::BeyondExpiry), ask];
    assert_eq!(expected(&expired)[2], Some(Expected::Refused));
}

/// A target that does what is predicted; what is open goes the way that is given.
fn right(prediction: &Prediction, accepts: bool) -> Outcome {
    let is_accepted =
        prediction.expected == Expected::Accepted || prediction.expected == Expected::Open && accepts;
    let seen = match (is_accepted, prediction.expected) {
        (true, _) => Seen::Answered { status: 200, is_signed: true },
        (false, Expected::Challenged) => Seen::Challenged,
        (false, _) => Seen::Silent,
    };
    let reached =
        prediction.delivery.iter().filter(|_| is_accepted).flat_map(|delivery| delivery.only.first());
    Outcome { seen, deliveries: reached.copied().collect() }
}

/// What becomes of each message at a target that does what is predicted.
fn played(scripted: &Scripted, accepts: bool) -> BTreeMap<Label, Outcome> {
    let mut outcomes = BTreeMap::new();
    let (mut model, mut expectations) = (Model::new(), scripted.expectations.iter());
    for planned in &scripted.moves {
        let prediction = model.follow(planned);
        if !planned.sends() {
            continue;
        }
        let outcome = right(&prediction, accepts);
        model.saw(planned.is_accepted(&model.state, &outcome));
        outcomes.extend(expectations.next().map(|it| (it.message.clone(), outcome)));
    }
    outcomes
}

#[test]
fn a_target_that_does_what_is_predicted_surprises_nobody() {
    for (seed, accepts) in (0..SEEDS).flat_map(|seed| [(seed, true), (seed, false)]) {
        let scripted = script(&generated(seed), NTLM);
        let outcomes = played(&scripted, accepts);
        let surprises = scripted.judge(&|label| outcomes.get(label).cloned(), &BTreeSet::new());
        assert_eq!(surprises, [], "seed {seed}");
    }
}

#[test]
fn a_second_delivery_and_an_accepted_copy_are_surprises() {
    let replay = Action::Replay { party: Party::USER, back: 0, over: Party::USER };
    let actions = [login(Party::USER), login(Party::PEER), sign(Party::USER, Request::Message), replay];
    let scripted = script(&actions, NTLM);
    let delivered = |parties: &[Party], seen| Outcome { seen, deliveries: parties.to_vec() };
    let ok = Seen::Answered { status: 200, is_signed: true };
    let told = |original: &Outcome, copy: &Outcome| {
        let outcome = |label: &Label| match label.as_str() {
            "message 002" => Some(original.clone()),
            "message 003" => Some(copy.clone()),
            _ => Some(delivered(&[], ok)),
        };
        let surprises = scripted.judge(&outcome, &BTreeSet::new());
        surprises.into_iter().map(|surprise| surprise.message.to_string()).collect::<Vec<_>>()
    };
    let (once, nothing) = (delivered(&[Party::PEER], ok), delivered(&[], Seen::Silent));
    assert_eq!(told(&once, &nothing), [""; 0]);
    assert_eq!(told(&once, &delivered(&[], ok)), ["message 003"]);
    assert_eq!(told(&once, &delivered(&[], Seen::Answered { status: 482, is_signed: true })), [""; 0]);
    assert_eq!(told(&delivered(&[Party::PEER; 2], ok), &nothing), ["message 003"]);
    assert_eq!(told(&nothing, &nothing), ["message 002"]);
}

#[test]
fn smaller_sequences_are_found_and_the_search_ends() {
    let is_forged = |action: &Action| matches!(action, Action::Forge { forgery: Forgery::FarNumber, .. });
    let seed = (0..SEEDS).find(|seed| generated(*seed).iter().any(is_forged)).expect("one of them");
    let mut smallest = generated(seed);
    let fails = |actions: &Vec<Action>| actions.iter().any(is_forged);
    loop {
        let Some(smaller) = shrink_candidates(&smallest).find(fails) else { break };
        assert_ne!(smaller, smallest);
        assert_eq!(smaller, meaningful(&smaller));
        smallest = smaller;
    }
    let party = smallest[0].party().expect("somebody");
    let plainest = Action::Forge { party, request: Request::Refresh, forgery: Forgery::FarNumber };
    assert_eq!(smallest, [login(party), plainest]);
}

#[test]
fn what_comes_again_is_the_same_message_in_a_smaller_sequence() {
    let message = sign(Party::USER, Request::Message);
    let replay = |back| Action::Replay { party: Party::USER, back, over: Party::USER };
    let start = [login(Party::PEER), login(Party::USER), message];
    let refresh = sign(Party::USER, Request::Refresh);
    let [longer, shorter] =
        [(vec![refresh; 2], replay(2)), (vec![refresh], replay(1))].map(|(between, replay)| {
            let actions = start.into_iter().chain(between).chain([replay]);
            actions.collect::<Vec<_>>()
        });
    assert!(shrink_candidates(&longer).any(|smaller| smaller == shorter));
}

#[test]
fn a_second_endpoint_gives_way_to_the_first_in_all_that_it_does() {
    let second = Party { endpoint: 2, ..Party::USER };
    let by = |party| {
        let again = Action::Replay { party, back: 0, over: party };
        [login(party), sign(party, Request::Refresh), again]
    };
    assert!(shrink_candidates(&by(second)).any(|smaller| smaller == by(Party::USER)));
}

#[test]
fn everything_becomes_nothing_where_everything_fails() {
    let mut actions = generated(9);
    loop {
        let Some(smaller) = shrink_candidates(&actions).next() else { break };
        actions = smaller;
    }
    assert_eq!(actions, []);
}

#[test]
fn actions_are_told_in_words() {
    let replay = Action::Replay { party: Party::USER, back: 2, over: Party::PEER };
    assert_eq!(
        replay.to_string(),
        "message 2 before the last one of user comes again over the connection of peer"
    );
    assert_eq!(numbered(Number::Next).to_string(), "user signs a REGISTER with the next number");
}
