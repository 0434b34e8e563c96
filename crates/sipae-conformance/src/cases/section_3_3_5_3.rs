//! 3.3.5.3: signed messages.

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit, Template};
use sipae_spec::ReactionClass;

use super::{handshake, signed};
use crate::case::Case;
use crate::reaction::Reaction;

/// Far above any window: a server that moved its window by a forged number would refuse all that follow.
const FORGED_NUMBER: u32 = 100_000;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/forged-signature",
            "a message with a wrong signature is not processed, moves no window and ends no association",
            &["SIPAE-3.3.5.3-04", "SIPAE-3.1.1-09"],
        )
        .plan(|version| {
            let script = handshake(version)
                .compose("forged", Template::new("REGISTER"))
                .sign_number("forged", "sa", FORGED_NUMBER)
                .edit("forged", Edit::Param(AuthParam::Response, ParamEdit::FlipBit))
                .send("forged");
            signed(script, "good").send("good").wait("good").retry("good").signed_fence("sa")
        })
        .judge(|judge| {
            judge.reaction_with(
                "SIPAE-3.3.5.3-04",
                "forged",
                &[ReactionClass::Close, ReactionClass::StatusClass(4)],
            );
            // The next good message tells what the forgery did: an ended association is challenged, a moved window is
            // silent.
            if matches!(judge.observation().reaction("good"), Some(Reaction::Challenge(_))) {
                judge.processed("SIPAE-3.3.5.3-04", "good");
            } else {
                judge.processed("SIPAE-3.1.1-09", "good");
            }
        }),
        Case::new(
            "3.3.5.3/from-tag",
            "an association is found whatever the From tag of the message is",
            &["SIPAE-3.3.5.3-01"],
        )
        .plan(|version| {
            handshake(version)
                .compose("retagged", Template::new("REGISTER"))
                .edit("retagged", Edit::FromTag("another1".to_owned()))
                .sign("retagged", "sa")
                .send("retagged")
                .wait("retagged")
        })
        .judge(|judge| judge.processed("SIPAE-3.3.5.3-01", "retagged")),
        Case::new(
            "3.3.5.3/unknown-opaque",
            "a signed request whose opaque names no association is challenged",
            &["SIPAE-3.3.5.3-02"],
        )
        .plan(|version| {
            signed(handshake(version), "stray")
                .edit("stray", Edit::Param(AuthParam::Opaque, ParamEdit::ChangeLastDigit))
                .send("stray")
                .signed_fence("sa")
        })
        .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-02", "stray", &[ReactionClass::Drop])),
    ]
}
