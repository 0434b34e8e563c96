//! Parameters that occur twice (SIPAE-2.2-16): first-wins and refusal are right, last-wins is not.

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit, Script, Text};

use super::{is_noticed, name};
use crate::case::Case;
use crate::cases::Handshake;

const ROW: &str = "SIPAE-2.2-16";

/// A parameter, and another value in front of the right one: who takes the last verifies.
const PARAMS: [(AuthParam, &str); 7] = [
    (AuthParam::Realm, "another realm"),
    (AuthParam::Targetname, "another.server.invalid"),
    (AuthParam::Opaque, "00000000"),
    (AuthParam::Crand, "00000000"),
    (AuthParam::Cnum, "4711"),
    (AuthParam::Response, "00000000000000000000000000000000"),
    (AuthParam::Qop, "auth-int"),
];

pub(super) fn cases() -> Vec<Case> {
    PARAMS.into_iter().map(repeated).chain([token()]).collect()
}

fn repeated((param, other): (AuthParam, &'static str)) -> Case {
    is_noticed(
        &format!("repeated-{param}"),
        &format!("of two {param} parameters the last does not silently win"),
        ROW,
        vec![Edit::Param(param, ParamEdit::Precede(Text::from(other)))],
    )
}

/// The first token is empty, which begins a handshake anew; the last one would complete it.
fn token() -> Case {
    let empty = Edit::Param(AuthParam::GssapiData, ParamEdit::Precede(Text::from("")));
    let handshake = Handshake::user().proving([empty]).fenced();
    Case::new(
        &name("repeated-gssapi-data"),
        "of two gssapi-data parameters the last does not silently win",
        &[ROW],
    )
    .plan(move |mode| handshake.play(Script::connected(), mode))
    .judge(|judge| judge.refused(ROW, Handshake::user().proof(judge.mode().scheme)))
}
