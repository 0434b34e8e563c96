//! 3.1 and 3.1.1: two phases, and the replay window.

use sipae_gen::Template;
use sipae_spec::ReactionClass;

use super::{handshake, signed};
use crate::case::Case;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.1/unsigned-in-association",
            "an unsigned request of an endpoint that has an association is not processed",
            &["SIPAE-3.1-01"],
        )
        .plan(|version| {
            handshake(version)
                .compose("register", Template::new("REGISTER"))
                .send("register")
                .compose("options", Template::new("OPTIONS"))
                .send("options")
                .signed_fence("sa")
        })
        .judge(|judge| {
            judge.reaction("SIPAE-3.1-01", "register");
            judge.reaction("SIPAE-3.1-01", "options");
        }),
        Case::new(
            "3.1/three-requests",
            "a login with NTLM takes three requests: bare, empty token, AUTHENTICATE",
            &["SIPAE-3.1-02"],
        )
        .plan(handshake)
        .judge(|judge| {
            let steps = ["bare", "first"].map(|name| judge.observation().reaction(name));
            if !matches!(steps, [Some(Reaction::Challenge(_)), Some(Reaction::Continuation(_))]) {
                return judge.undecide("the login began in another way".to_owned());
            }
            match judge.observed("last") {
                Some(fourth @ Reaction::Continuation(_)) => {
                    judge.check("SIPAE-3.1-02", "last: a final answer", Err(fourth.to_string()));
                }
                _ => judge.reaction("SIPAE-3.1-02", "last"),
            }
        }),
        Case::new(
            "3.1.1/replay",
            "a signed request that comes again in another transaction is not processed again",
            &["SIPAE-3.1.1-05"],
        )
        .plan(|version| {
            signed(handshake(version), "original")
                .send("original")
                .wait("original")
                .replay("replay", "original")
                .send("replay")
                .signed_fence("sa")
        })
        .judge(|judge| {
            // Only what was processed once can be processed twice.
            let Some(original) = judge.observed("original") else { return };
            if !original.is_acceptance() {
                return judge.undecide(format!("original: {original}"));
            }
            // A challenge is right on another connection or for an association that has gone; here both are there.
            let challenges = [ReactionClass::Challenge401, ReactionClass::Challenge407];
            judge.reaction_with("SIPAE-3.1.1-05", "replay", &challenges);
        }),
    ]
}
