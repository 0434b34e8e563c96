//! 2.2: header facts, seen through a server.

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit};
use sipae_spec::Role;

use super::{handshake, signed};
use crate::case::{Case, Needs};

pub(super) const CASES: &[Case] = &[Case {
    id: "2.2/signature-letter-case",
    title: "a signature in upper-case digits is the same signature",
    requirements: &["SIPAE-2.2-11"],
    role: Role::Server,
    needs: Needs::HANDSHAKE,
    plan: |version| {
        signed(handshake(version), "upper")
            .edit("upper", Edit::Param(AuthParam::Response, ParamEdit::UpperCase))
            .send("upper")
            .wait("upper")
    },
    judge: |judge| judge.processed("SIPAE-2.2-11", "upper"),
}];
