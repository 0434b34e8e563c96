//! 3.1: two phases.

use sipae_gen::Template;

use super::handshake;
use crate::case::Case;

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
    ]
}
