//! 3.1 and 3.1.1: two phases, and the replay window.

use sipae_gen::Template;
use sipae_spec::{ReactionClass, Role};

use super::{handshake, signed};
use crate::case::{Case, Needs};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "3.1/unsigned-in-association",
        title: "an unsigned request of an endpoint that has an association is not processed",
        requirements: &["SIPAE-3.1-01"],
        role: Role::Server,
        needs: Needs::HANDSHAKE,
        plan: |version| {
            handshake(version)
                .compose("register", Template::new("REGISTER"))
                .send("register")
                .compose("options", Template::new("OPTIONS"))
                .send("options")
                .signed_fence("sa")
        },
        judge: |judge| {
            judge.reaction("SIPAE-3.1-01", "register");
            judge.reaction("SIPAE-3.1-01", "options");
        },
    },
    Case {
        id: "3.1.1/replay",
        title: "a signed request that comes again in another transaction is not processed again",
        requirements: &["SIPAE-3.1.1-05"],
        role: Role::Server,
        needs: Needs::HANDSHAKE,
        plan: |version| {
            signed(handshake(version), "original")
                .send("original")
                .wait("original")
                .replay("replay", "original")
                .send("replay")
                .signed_fence("sa")
        },
        judge: |judge| {
            // Only what was processed once can be processed twice.
            let Some(original) = judge.observed("original") else { return };
            if !original.is_acceptance() {
                return judge.undecide(format!("original: {original}"));
            }
            // A challenge is right on another connection or for an association that has gone; here both are there.
            let challenges = [ReactionClass::Challenge401, ReactionClass::Challenge407];
            judge.reaction_with("SIPAE-3.1.1-05", "replay", &challenges);
        },
    },
];
