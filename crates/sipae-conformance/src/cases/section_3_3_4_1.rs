//! 3.3.4.1: what a server signs: its own answers.

use std::collections::BTreeSet;

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{HeaderName, Message, Value};
use sipae_gen::{Edit, Party, Recipient, Script, Template, Text, Token};

use super::seen::{answer_signature, has_all_params, is_verified, signatures, verified};
use super::{Handshake, SA, handshake, signed};
use crate::case::{Case, Gate};
use crate::judge::Judge;
use crate::reaction::{Reaction, Signature};

const ANSWERS: [&str; 3] = ["one", "two", "three"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
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
        .plan(|mode| {
            ANSWERS.iter().fold(handshake(mode), |script, name| signed(script, name).send(name).wait(name))
        })
        .judge(|judge| {
            for name in ANSWERS {
                signed_answer(judge, name);
            }
            distinct_numbers(judge);
        }),
        renewed_number(),
        to_tag(),
        info_header(),
    ];
    cases.extend(failures());
    cases.extend(expires());
    cases.extend(unsigned_challenges());
    cases
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
    judge.check("SIPAE-3.3.4.1-09", &expected, verified(signature));
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

/// What provokes a failure of which status, as most servers have it; any other failure will do.
fn failures() -> Vec<Case> {
    let to_nobody = |script: Script| {
        script
            .compose("refused", Template::new("MESSAGE").to(Recipient::Nobody))
            .sign("refused", SA)
            .ask("refused")
    };
    let unregistered = |script: Script| {
        script
            .compose("refused", Template::new("MESSAGE").to(Recipient::Account(Party::PEER)))
            .sign("refused", SA)
            .ask("refused")
    };
    let for_another = |script: Script| {
        script
            .compose("refused", Template::new("REGISTER"))
            .edit("refused", Edit::SetHeader(HeaderName::To, Text::of("<sip:{peer.address}>")))
            .sign("refused", SA)
            .ask("refused")
    };
    vec![
        failure("3.3.4.1/failure-is-signed", "a failure response is signed as well", to_nobody),
        failure("3.3.4.1/unavailable-is-signed", "that a user is not there is told signed", unregistered)
            .with_second_account(),
        failure("3.3.4.1/forbidden-is-signed", "a REGISTER for another user is refused signed", for_another)
            .with_second_account(),
    ]
}

/// How the one who answered calls itself, if it does.
fn product(judge: &Judge<'_>, message: &str) -> Option<String> {
    let name = |answer: &Message<'_>| {
        let is_name = |name: &[u8]| name.eq_ignore_ascii_case(b"Server") || name.eq_ignore_ascii_case(b"User-Agent");
        answer.headers().find(|header| is_name(header.name)).map(|header| header.value.to_text())
    };
    judge.observation().answer(message, name).flatten()
}

fn failure(id: &str, title: &str, provoke: fn(Script) -> Script) -> Case {
    Case::new(id, title, &["SIPAE-3.3.4.1-02"]).plan(move |mode| provoke(handshake(mode))).judge(
        |judge| {
            let Some(reaction) = judge.observed("refused") else { return };
            match reaction {
                Reaction::Final { status: 300.., signature } => {
                    // Where signatures are wrong altogether, that is a matter of other rows.
                    if matches!(signature, Signature::Bad(_)) && !is_verified(judge, "last") {
                        return;
                    }
                    let holds = verified(signature).map_err(|_| reaction.to_string());
                    if product(judge, "refused") == product(judge, "last") {
                        judge.check("SIPAE-3.3.4.1-02", "refused: signed", holds);
                    } else {
                        // A hop in front of the server has answered, which has no association.
                        judge.weakly("SIPAE-3.3.4.1-02", "refused: signed", holds);
                    }
                }
                other => judge.undecide(format!("no failure was provoked: {other}")),
            }
        },
    )
}

fn renewed_number() -> Case {
    Case::new(
        "3.3.4.1/renewed-association-begins-at-1",
        "a new association of the same endpoint begins with snum 1 again",
        &["SIPAE-3.3.4.1-04"],
    )
    .plan(|mode| {
        let script = signed(handshake(mode), "meanwhile").ask("meanwhile");
        Handshake::of(Party::USER, "again").play(script, mode)
    })
    .judge(|judge| {
        if !is_verified(judge, "again last") {
            return;
        }
        let Some(number) = judge.observation().reaction("again last").and_then(Reaction::number) else {
            return;
        };
        let seen = judge.observation().seen("again last");
        let is_second = seen.is_some_and(|seen| !seen.provisional.is_empty());
        if number != 1 && (is_second || !judge.observation().unasked.is_empty()) {
            return judge.undecide("another message may have taken number 1".to_owned());
        }
        let holds = if number == 1 { Ok(()) } else { Err(format!("snum {number}")) };
        judge.check("SIPAE-3.3.4.1-04", "snum 1 in the first message signed with a new association", holds);
    })
}

/// A request that has a To tag already shows whether signatures are right apart from that.
fn to_tag() -> Case {
    Case::new(
        "3.3.4.1/covers-to-tag",
        "the signature of an answer covers the To tag that the server adds",
        &["SIPAE-3.3.4.1-11"],
    )
    .plan(|mode| {
        let to_nobody = || Template::new("MESSAGE").to(Recipient::Nobody);
        let tagged = Text::of("<sip:nobody-with-this-name@{user.host}>;tag=known1");
        handshake(mode)
            .compose("tagged", to_nobody())
            .edit("tagged", Edit::SetHeader(HeaderName::To, tagged))
            .sign("tagged", SA)
            .ask("tagged")
            .compose("untagged", to_nobody())
            .sign("untagged", SA)
            .ask("untagged")
    })
    .judge(|judge| {
        if !is_verified(judge, "tagged") {
            return;
        }
        let has_tag =
            |answer: &Message<'_>| answer.to().is_ok_and(|to| to.tag.is_some_and(|tag| !tag.is_empty()));
        match (answer_signature(judge, "untagged"), judge.observation().answer("untagged", has_tag)) {
            (Some(signature), Some(true)) if *signature != Signature::Unsigned => {
                judge.check("SIPAE-3.3.4.1-11", "untagged: signed with its To tag", verified(signature));
            }
            _ => judge.undecide("untagged has no signed answer with a To tag".to_owned()),
        }
    })
}

/// Where the signature stands. Real servers cross the two fields, and either is right.
fn info_header() -> Case {
    Case::new(
        "3.3.4.1/info-header",
        "a signature stands in Authentication-Info or Proxy-Authentication-Info",
        &["SIPAE-3.3.4.1-08"],
    )
    .plan(|mode| signed(handshake(mode), "register").ask("register"))
    .judge(|judge| {
        let fields = judge.observation().answer("register", signature_fields).unwrap_or_default();
        let [own, other] = HeaderName::SIGNATURES.map(|name| fields.contains(&name));
        if own && other {
            judge.record("SIPAE-3.3.4.1-08", "register: one signature", "one in each header field");
        } else if own || other {
            judge.check("SIPAE-3.3.4.1-08", "register", Ok(()));
        } else if let Some(field) = fields.first() {
            let expected = "register: Authentication-Info or Proxy-Authentication-Info";
            judge.check("SIPAE-3.3.4.1-08", expected, Err(field.name().to_owned()));
        } else {
            judge.undecide("register: no signature".to_owned());
        }
    })
}

fn signature_fields(answer: &Message<'_>) -> Vec<HeaderName> {
    let fields =
        HeaderName::SIGNATURES.into_iter().chain(HeaderName::CREDENTIALS).chain(HeaderName::CHALLENGES);
    let has = |name: &HeaderName| {
        answer.all(*name).map(AuthHeader::read).any(|header| header.get(AuthParam::Rspauth).is_some())
    };
    fields.filter(has).collect()
}

/// What is asked for, and what most servers grant differs: none is taken for a default, a month is too long.
const ASKED: [(&str, Option<&str>); 3] =
    [("unasked", None), ("60", Some("60")), ("2592000", Some("2592000"))];

fn expires() -> Vec<Case> {
    ASKED
        .into_iter()
        .map(|(name, asked)| {
            let title = format!("the signature of an answer covers its own Expires (asked: {name})");
            Case::new(&format!("3.3.4.1/expires-{name}"), &title, &["SIPAE-3.3.4.1-12"])
                .plan(move |mode| {
                    let template = asked
                        .into_iter()
                        .fold(Template::new("REGISTER"), |template, asked| template.header("Expires", asked));
                    // A refusal comes last: products close the connection behind some.
                    handshake(mode)
                        .compose("register", template)
                        .sign("register", SA)
                        .ask("register")
                        .compose("control", Template::new("MESSAGE").to(Recipient::Nobody))
                        .sign("control", SA)
                        .ask("control")
                })
                .judge(own_expires)
        })
        .collect()
}

fn own_expires(judge: &mut Judge<'_>) {
    if !is_verified(judge, "control") {
        return;
    }
    let expires = |answer: &Message<'_>| answer.first(HeaderName::Expires).map(Value::to_text);
    let Some(expires) = judge.observation().answer("register", expires).flatten() else {
        return judge.undecide("the answer to register has no Expires".to_owned());
    };
    match answer_signature(judge, "register") {
        Some(signature) if *signature != Signature::Unsigned => {
            let expected = format!("register: the signature covers <{expires}>");
            judge.check("SIPAE-3.3.4.1-12", &expected, verified(signature));
        }
        _ => judge.undecide("the answer to register is not signed".to_owned()),
    }
}

/// Without an established association there is nothing to sign with.
fn unsigned_challenges() -> Vec<Case> {
    const ROWS: &[&str] = &["SIPAE-3.3.4.1-13"];
    // NTLMSSP, AUTHENTICATE and nothing else.
    const TOKEN: &str = "TlRMTVNTUAADAAAA";
    vec![
        Case::new("3.3.4.1/challenges-are-unsigned", "challenge and continuation are not signed", ROWS)
            .with_continuation()
            .behind(Gate::Offered)
            .plan(|mode| super::first_token(Script::connected(), mode))
            .judge(|judge| {
                for name in ["bare", "first"] {
                    judge.answer("SIPAE-3.3.4.1-13", name, &format!("{name}: not signed"), unsigned);
                }
            }),
        Case::new("3.3.4.1/refusal-is-unsigned", "what answers a broken AUTHENTICATE is not signed", ROWS)
            .behind(Gate::Offered)
            .plan(|mode| {
                super::first_token(Script::connected(), mode)
                    .compose("broken", Template::new("REGISTER"))
                    .credential("broken", SA, Token::Text(TOKEN.into()))
                    .ask("broken")
            })
            .judge(|judge| judge.answer("SIPAE-3.3.4.1-13", "broken", "broken: not signed", unsigned)),
        Case::new("3.3.4.1/dropped-association", "nothing is signed with an association that has gone", ROWS)
            .plan(|mode| {
                let unregister = Template::new("REGISTER").header("Expires", "0");
                let script = handshake(mode).compose("unregister", unregister).sign("unregister", SA);
                signed(script.ask("unregister"), "after").ask("after")
            })
            .judge(|judge| match judge.observed("after") {
                Some(Reaction::Challenge(_) | Reaction::Continuation(_)) => {
                    judge.answer("SIPAE-3.3.4.1-13", "after", "after: not signed", unsigned);
                }
                // A server may keep the association until its timer ends.
                Some(other) => judge.record("SIPAE-3.3.4.1-13", "after: challenged", &other.to_string()),
                None => {}
            }),
    ]
}

fn unsigned(answer: &Message<'_>) -> Result<(), String> {
    let params = [AuthParam::Srand, AuthParam::Snum, AuthParam::Rspauth];
    let names = HeaderName::SIGNATURES.into_iter().chain(HeaderName::CHALLENGES);
    let mut headers = names.flat_map(|name| answer.all(name)).map(AuthHeader::read);
    match headers.find(|header| params.iter().any(|param| header.get(*param).is_some())) {
        Some(header) => Err(header.value().to_text()),
        None => Ok(()),
    }
}
