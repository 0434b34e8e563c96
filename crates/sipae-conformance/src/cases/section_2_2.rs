//! 2.2: header facts, seen through a server: what it accepts shows how it reads.
//!
//! Where the row leaves open what a reader does, that is written down. Where readers that differ would give an attacker
//! the difference, the message must be refused.

mod addresses;
mod challenges;
mod credentials;
mod headers;
mod octets;
mod repeated;
mod values;

use sipae_gen::{Edit, Script, Text};

use super::{Handshake, SA, handshake, signed};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    let parts = [
        credentials::cases(),
        values::cases(),
        repeated::cases(),
        challenges::cases(),
        headers::cases(),
        octets::cases(),
        addresses::cases(),
    ];
    parts.into_iter().flatten().collect()
}

/// The message of most scripts here: a signed REGISTER, changed before or after it is signed.
const CHANGED: &str = "changed";

/// A signed REGISTER that is changed where the signature does not look.
fn changed(script: Script, edits: &[Edit]) -> Script {
    edited(signed(script, CHANGED), edits)
}

/// A REGISTER that is changed and then signed.
fn signed_over(script: Script, edits: &[Edit]) -> Script {
    edited(script.compose(CHANGED, sipae_gen::Template::new("REGISTER")), edits).sign(CHANGED, SA)
}

fn edited(script: Script, edits: &[Edit]) -> Script {
    script.each(edits, |script, edit| script.edit(CHANGED, edit.clone()))
}

/// What was sent last is sent, and followed by a good message.
fn fenced(script: Script) -> Script {
    script.send(CHANGED).signed_fence(SA)
}

fn name(name: &str) -> String {
    format!("2.2/{name}")
}

/// A change that means nothing: the message is processed all the same.
fn means_nothing(id: &str, title: &str, row: &'static str, edits: Vec<Edit>) -> Case {
    Case::new(&name(id), title, &[row])
        .plan(move |mode| changed(handshake(mode), &edits).ask(CHANGED))
        .judge(move |judge| judge.accepted(row, CHANGED))
}

/// A change behind the signature that must not go unnoticed.
fn is_noticed(id: &str, title: &str, row: &'static str, edits: Vec<Edit>) -> Case {
    Case::new(&name(id), title, &[row])
        .plan(move |mode| fenced(changed(handshake(mode), &edits)))
        .judge(move |judge| judge.refused(row, CHANGED))
}

/// A change of which both acceptance and refusal are right: what a server does is written down.
fn is_written_down(id: &str, title: &str, row: &'static str, edits: Vec<Edit>) -> Case {
    Case::new(&name(id), title, &[row])
        .plan(move |mode| changed(handshake(mode), &edits).ask(CHANGED))
        .judge(move |judge| written_down(judge, row))
}

fn written_down(judge: &mut Judge<'_>, row: &'static str) {
    let Some(reaction) = judge.observed(CHANGED) else { return };
    let holds = if reaction.is_acceptance() { Ok(()) } else { Err(reaction.outline()) };
    judge.recorded(row, "changed: processed", holds);
}

/// Refusal is preferred, and acceptance is written down.
fn preferably_refused(judge: &mut Judge<'_>, row: &'static str) {
    let Some(reaction) = judge.observed(CHANGED) else { return };
    let holds = if reaction.is_acceptance() { Err(reaction.outline()) } else { Ok(()) };
    judge.recorded(row, "changed: refused", holds);
}

/// The first token of a handshake, with a changed credential, is answered with a CHALLENGE as without the change.
fn first_token_goes_on(id: &str, title: &str, row: &'static str, edits: Vec<Edit>) -> Case {
    let handshake = Handshake::user().with_credential(edits);
    Case::new(&name(id), title, &[row])
        .behind(crate::case::Gate::Offered)
        .with_continuation()
        .plan(move |mode| handshake.begin(Script::connected(), mode))
        .judge(move |judge| {
            let is_challenge = |reaction: &Reaction| matches!(reaction, Reaction::Continuation(_));
            judge.answered_as(row, "first", "a continuation", is_challenge);
        })
}

/// The text of a credential, wherever it stands.
fn in_credential(from: &str, to: &str) -> Edit {
    Edit::Credential { from: Text::of(from), to: Text::of(to) }
}

/// The first occurrence of a text in a header field.
fn in_header(header: sipae::message::HeaderName, from: &str, to: &str) -> Edit {
    Edit::Replace { header, from: Text::of(from), to: Text::of(to) }
}
