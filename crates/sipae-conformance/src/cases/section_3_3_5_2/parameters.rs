//! version and qop in handshake messages (SIPAE-3.3.5.2-22, -23).

use sipae::auth::AuthParam;
use sipae::version::Version;
use sipae_gen::{Mode, Edit, ParamEdit, Script};

use super::{completes, deepest, refuses, signed_after};
use crate::case::Case;
use crate::cases::Handshake;
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    [versions(), qops()].into_iter().flatten().collect()
}

fn set(param: AuthParam, value: &str) -> Edit {
    Edit::Param(param, ParamEdit::Set(value.into()))
}

/// `version=7` in place of what was offered; at version 2 nothing is written by right.
fn version_seven(mode: Mode) -> Edit {
    match mode.version.param() {
        Some(_) => set(AuthParam::Version, "7"),
        None => Edit::AddParam { name: "version".to_owned(), value: "7".into(), first: false },
    }
}

fn play(mode: Mode, edit: Edit) -> Script {
    let handshake = Handshake::user().with_credential([edit]).fenced();
    signed_after(&handshake, handshake.play(Script::connected(), mode))
}

/// Whatever came of it.
fn told(judge: &mut Judge<'_>, row: &'static str, what: &str) {
    let user = Handshake::user();
    let message = deepest(judge, &user);
    if let Some(reaction) = judge.observed(message) {
        judge.record(row, what, &format!("{message}: {reaction}"));
    }
}

fn versions() -> Vec<Case> {
    let seven = Case::new(
        "3.3.5.2/version-7",
        "a handshake of a version that was not offered is refused",
        &["SIPAE-3.3.5.2-22"],
    )
    .plan(|mode| play(mode, version_seven(mode)))
    .judge(|judge| {
        judge.refused("SIPAE-3.3.5.2-22", deepest(judge, &Handshake::user()));
        if judge.observation().seen("after").is_some() {
            judge.refused("SIPAE-3.3.5.2-22", "after");
        }
    });
    let absent = Case::new(
        "3.3.5.2/version-absent",
        "whether a handshake without version is accepted where one was offered is written down",
        &["SIPAE-3.3.5.2-22"],
    )
    .at(&[Version::V3, Version::V4])
    .plan(|mode| play(mode, Edit::Param(AuthParam::Version, ParamEdit::Remove)))
    .judge(|judge| told(judge, "SIPAE-3.3.5.2-22", "no version in the handshake"));
    let lower = Case::new(
        "3.3.5.2/version-3-for-4",
        "whether a handshake of version 3 is accepted where 4 was offered is written down",
        &["SIPAE-3.3.5.2-22"],
    )
    .at(&[Version::V4])
    .plan(|mode| play(mode, set(AuthParam::Version, "3")))
    .judge(|judge| told(judge, "SIPAE-3.3.5.2-22", "version 3 in a handshake of version 4"));
    vec![seven, absent, lower]
}

fn qops() -> Vec<Case> {
    let other = Case::new(
        "3.3.5.2/qop-auth-int",
        "a handshake with another qop than auth is refused",
        &["SIPAE-3.3.5.2-23"],
    )
    .plan(|mode| play(mode, set(AuthParam::Qop, "auth-int")))
    .judge(|judge| refuses(judge, "SIPAE-3.3.5.2-23", &Handshake::user()));
    let absent = Case::new(
        "3.3.5.2/qop-absent",
        "a handshake without qop is refused or completed",
        &["SIPAE-3.3.5.2-23"],
    )
    .plan(|mode| play(mode, Edit::Param(AuthParam::Qop, ParamEdit::Remove)))
    .judge(|judge| {
        told(judge, "SIPAE-3.3.5.2-23", "no qop in the handshake");
        completed_or_refused(judge);
    });
    vec![other, absent]
}

/// Either is right; half of each is not.
fn completed_or_refused(judge: &mut Judge<'_>) {
    let user = Handshake::user();
    let last = judge.observation().reaction(user.last());
    if last.is_some_and(Reaction::is_acceptance) {
        completes(judge, "SIPAE-3.3.5.2-23", &user);
        judge.processed("SIPAE-3.3.5.2-23", "after");
    } else {
        refuses(judge, "SIPAE-3.3.5.2-23", &user);
    }
}
