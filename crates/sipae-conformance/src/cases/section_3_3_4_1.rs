//! 3.3.4.1: what a server signs.

use std::collections::BTreeSet;

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{HeaderName, Message};
use sipae_gen::{Edit, Template};

use super::{handshake, signed};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::{Reaction, Signature};

const ANSWERS: [&str; 3] = ["one", "two", "three"];

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.4.1/signed-answers",
            "every answer to a signed request is signed, and no number comes twice",
            &[
                "SIPAE-3.3.5.3-01",
                "SIPAE-3.3.4.1-01",
                "SIPAE-3.3.4.1-05",
                "SIPAE-3.3.4.1-07",
                "SIPAE-3.3.4.1-09",
            ],
        )
        .plan(|version| {
            ANSWERS.iter().fold(handshake(version), |script, name| signed(script, name).send(name).wait(name))
        })
        .judge(|judge| {
            for name in ANSWERS {
                signed_answer(judge, name);
            }
            distinct_numbers(judge);
        }),
        Case::new("3.3.4.1/failure-is-signed", "a failure response is signed as well", &["SIPAE-3.3.4.1-02"])
            .plan(|version| {
                handshake(version)
                    .compose("to-nobody", Template::new("MESSAGE"))
                    .edit("to-nobody", Edit::ReplaceUser("sip:nobody-with-this-name@".to_owned()))
                    .sign("to-nobody", "sa")
                    .send("to-nobody")
                    .wait("to-nobody")
            })
            .judge(|judge| {
                let Some(reaction) = judge.observed("to-nobody") else { return };
                match reaction {
                    Reaction::Final { status: 300.., signature } => {
                        judge.check("SIPAE-3.3.4.1-02", "to-nobody: signed", verified(signature, reaction));
                    }
                    other => judge.undecide(format!("to-nobody provoked no failure: {other}")),
                }
            }),
    ]
}

fn verified(signature: &Signature, reaction: &Reaction) -> Result<(), String> {
    if matches!(signature, Signature::Verified(_) | Signature::Replayed(_)) {
        Ok(())
    } else {
        Err(reaction.to_string())
    }
}

/// A signed request is processed; its answer has a signature, that has all its parameters, and it is right.
fn signed_answer(judge: &mut Judge<'_>, name: &str) {
    judge.processed("SIPAE-3.3.5.3-01", name);
    let Some(reaction @ Reaction::Final { signature, .. }) = judge.observation().reaction(name) else {
        return;
    };
    if *signature == Signature::Unsigned {
        return judge.check("SIPAE-3.3.4.1-01", &format!("{name}: signed"), Err(reaction.to_string()));
    }
    judge.check("SIPAE-3.3.4.1-01", name, Ok(()));
    judge.answer("SIPAE-3.3.4.1-07", name, &format!("{name}: all parameters of a signature"), has_all_params);
    let expected = format!("{name}: the signature of the message as sent");
    judge.check("SIPAE-3.3.4.1-09", &expected, verified(signature, reaction));
}

fn has_all_params(answer: &Message<'_>) -> Result<(), String> {
    use AuthParam::{Opaque, Qop, Realm, Rspauth, Snum, Srand, Targetname};
    let header = signatures(answer).next().ok_or("no signature header field")?;
    let all = [Qop, Opaque, Srand, Snum, Rspauth, Targetname, Realm];
    let missing = all.into_iter().find(|param| header.get(*param).is_none());
    missing.map_or(Ok(()), |param| Err(format!("no {param} in {}", header.value().to_text())))
}

fn signatures<'m>(answer: &Message<'m>) -> impl Iterator<Item = AuthHeader<'m>> {
    HeaderName::SIGNATURES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read)
}

fn distinct_numbers(judge: &mut Judge<'_>) {
    let names = ["last"].into_iter().chain(ANSWERS);
    let snum = |answer: &Message<'_>| {
        signatures(answer).find_map(|header| header.number(AuthParam::Snum).ok().flatten())
    };
    let numbers: Vec<u32> =
        names.filter_map(|name| judge.observation().answer(name, snum).flatten()).collect();
    if numbers.is_empty() {
        return;
    }
    let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
    let holds = if distinct.len() == numbers.len() { Ok(()) } else { Err(format!("snum {numbers:?}")) };
    judge.check("SIPAE-3.3.4.1-05", "no snum twice in one association", holds);
}
