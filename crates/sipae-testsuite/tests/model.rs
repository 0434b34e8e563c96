//! Sequences of actions against the reference: the model of a server says nothing wrong about a right one, and sees what
//! is wrong with others.

use std::collections::BTreeSet;
use std::sync::Arc;

use rstest::rstest;
use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::{Defect, Defects};
use sipae::version::Version;
use sipae_conformance::execute::{Stage, play};
use sipae_conformance::observation::Observation;
use sipae_conformance::pace::Pace;
use sipae_conformance::profile::Profile;
use sipae_conformance::reaction::{Reaction, Signature};
use sipae_conformance::target::{Setting, Target};
use sipae_gen::model::{Action, Outcome, Scripted, Seen, Surprise, actions, script, shrink_candidates};
use sipae_gen::{Connection, Drawn, Label, Mode};
use sipae_net::SeededEntropy;

/// Actions of one sequence, whether they have a meaning or not.
const LENGTH: usize = 60;

struct Played {
    scripted: Scripted,
    seen: Observation,
}

fn generated(seed: u64) -> Vec<Action> {
    actions(&mut Drawn::new(SeededEntropy::new(seed)), LENGTH, true)
}

fn played(actions: &[Action], mode: Mode, defects: Defects) -> Played {
    let scripted = script(actions, mode);
    let (target, profile) = (Target::Reference { defects }, Profile::of_reference());
    let setting = Setting { mode, kind: Some(ChallengeKind::Www) };
    let ways = target.connector(&profile).expect("the reference needs no files");
    let stage = Stage {
        wire: ways.wire(setting, 1),
        durations: target.durations(&profile),
        pace: Pace::new(profile.answer_timeout).into(),
        profile: Arc::new(profile),
        peer: 0,
        mode,
        control: None,
        entropy: SeededEntropy::new(2),
        seed: 0,
        choices: 0,
        is_brief: false,
    };
    let seen = play(stage, &scripted.script).observe();
    Played { scripted, seen }
}

impl Played {
    fn outcome(&self, label: &Label) -> Option<Outcome> {
        let seen = self.seen.seen(label.as_str())?;
        let deliveries = seen.deliveries.iter().map(|delivery| delivery.to).collect();
        Some(Outcome { seen: seen_as(&seen.reaction), deliveries })
    }

    fn surprises(&self) -> Vec<Surprise> {
        let closed: BTreeSet<Connection> = self.seen.ended.keys().copied().map(Connection).collect();
        self.scripted.judge(&|label| self.outcome(label), &closed)
    }
}

fn seen_as(reaction: &Reaction) -> Seen {
    match reaction {
        Reaction::Silent => Seen::Silent,
        Reaction::Overdue => Seen::Missed,
        Reaction::Closed | Reaction::Reset | Reaction::Unreadable(_) => Seen::Closed,
        Reaction::Challenge(_) | Reaction::DigestChallenge(_) => Seen::Challenged,
        Reaction::Continuation(_) => Seen::Continued,
        Reaction::Final { status, signature } => {
            let is_signed = matches!(signature, Signature::Verified(_) | Signature::Replayed(_));
            Seen::Answered { status: *status, is_signed }
        }
    }
}

#[rstest]
fn the_reference_does_what_the_model_says(
    #[values(Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk)] scheme: Scheme,
    #[values(Version::V2, Version::V3, Version::V4)] version: Version,
) {
    let mode = Mode { scheme, version };
    let sequences = if scheme == Scheme::Ntlm { 0..100 } else { 0..15 };
    for seed in sequences {
        let actions = generated(seed);
        let played = played(&actions, mode, Defects::NONE);
        assert_eq!(played.seen.broken, None, "seed {seed}");
        assert_eq!(played.surprises(), [], "seed {seed}: {}", told(&actions));
    }
}

fn told(actions: &[Action]) -> String {
    let lines = actions.iter().enumerate().map(|(place, action)| format!("\n{place}: {action}"));
    lines.collect()
}

const NTLM: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };

/// The first sequence that surprises, made smaller.
fn smallest(defect: Defect) -> Option<Vec<Action>> {
    let fails = |actions: &Vec<Action>| !played(actions, NTLM, Defects::only(defect)).surprises().is_empty();
    let mut smallest = (0..100).map(generated).find(fails)?;
    loop {
        let Some(smaller) = shrink_candidates(&smallest).find(fails) else { return Some(smallest) };
        smallest = smaller;
    }
}

#[rstest]
#[case(Defect::AcceptsReplay, 3)]
#[case(Defect::DeliversReplay, 4)]
#[case(Defect::AcceptsForgedSignature, 2)]
#[case(Defect::ForgeryEndsAssociation, 4)]
#[case(Defect::ForgeryMovesWindow, 3)]
#[case(Defect::AcceptsUnsignedInAssociation, 2)]
#[case(Defect::BareUnregisters, 3)]
#[case(Defect::BareEndsAssociation, 3)]
#[case(Defect::FirstTokenEndsAssociation, 3)]
#[case(Defect::RenegotiatesAssociation, 3)]
#[case(Defect::KeepsFirstAssociation, 3)]
#[case(Defect::KeysOnOpaque, 3)]
#[case(Defect::AcceptsUnknownOpaque, 4)]
#[case(Defect::OneWindowForAll, 5)]
#[case(Defect::WindowWithoutBottom, 6)]
#[case(Defect::WindowStays, 3)]
#[case(Defect::RefusesGaps, 2)]
#[case(Defect::DeliversToUnregistered, 4)]
#[case(Defect::DeliversToExpired, 3)]
#[case(Defect::NeverIdle, 3)]
fn a_defect_of_state_is_found_and_told_in_the_fewest_actions(#[case] defect: Defect, #[case] fewest: usize) {
    let smallest = smallest(defect).expect("some sequence surprises");
    assert_eq!(smallest.len(), fewest, "{}", told(&smallest));
}

/// What the catalogue leaves open is no surprise, and neither is what it only writes down.
#[rstest]
#[case(Defect::BoundToConnection)]
#[case(Defect::RefusesOutOfOrder)]
#[case(Defect::ClosesAfterManyBare)]
#[case(Defect::RealmOfAnotherProduct)]
#[case(Defect::RegistrationExtendsNothing)]
#[case(Defect::HandshakeByRegisterOnly)]
#[case(Defect::ChallengeWithQop)]
fn what_is_open_surprises_nobody(#[case] defect: Defect) {
    for seed in 0..60 {
        let played = played(&generated(seed), NTLM, Defects::only(defect));
        assert_eq!(played.surprises(), [], "seed {seed}: {}", told(&generated(seed)));
    }
}
