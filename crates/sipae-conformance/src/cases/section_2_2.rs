//! 2.2: header facts, seen through a server.

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit};

use super::{handshake, signed};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "2.2/signature-letter-case",
            "a signature in upper-case digits is the same signature",
            &["SIPAE-2.2-11"],
        )
        .plan(|version| {
            signed(handshake(version), "upper")
                .edit("upper", Edit::Param(AuthParam::Response, ParamEdit::UpperCase))
                .send("upper")
                .wait("upper")
        })
        .judge(|judge| judge.processed("SIPAE-2.2-11", "upper")),
    ]
}
