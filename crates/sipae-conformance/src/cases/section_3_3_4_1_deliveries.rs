//! 3.3.4.1: what a server signs of others: requests that it delivers, responses that it relays.

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{HeaderName, Message, Value};
use sipae_gen::{Edit, Party, Recipient, Script, Template, Text};

use super::seen::{
    answer_signature, delivered, has_all_params, is_verified, lines, signed_answer, signed_delivery, verified,
};
use super::{PEER_SA, SA, both, handshake, signed, to_peer};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Signature;

pub(super) fn cases() -> Vec<Case> {
    let mut cases =
        vec![call(), trying(), of_the_server(), params(), covers_identity(), relayed_covers_identity()];
    cases.extend(deliveries());
    cases.extend(relayed());
    cases.extend(credentials());
    cases
}

/// What clients send each other. Not every server passes every one of them on; then it answers itself.
const METHODS: [&str; 6] = ["MESSAGE", "OPTIONS", "INFO", "NOTIFY", "SUBSCRIBE", "SERVICE"];

fn deliveries() -> impl Iterator<Item = Case> {
    METHODS.into_iter().map(|method| {
        let id = format!("3.3.4.1/delivered-{}", method.to_lowercase());
        let title = format!("{method} is delivered signed for its receiver, and its answer for its sender");
        Case::new(&id, &title, &["SIPAE-3.3.4.1-01", "SIPAE-3.3.4.1-09"])
            .with_peer()
            .plan(move |mode| {
                let template = Template::new(method).to(Recipient::Account(Party::PEER));
                let template = template.header("Event", "presence").header("Subscription-State", "active");
                both(mode).compose("request", template).sign("request", SA).ask("request")
            })
            .judge(|judge| both_ways(judge, "request"))
    })
}

/// Whatever came of a request of the user is signed: its delivery and its answer.
fn both_ways(judge: &mut Judge<'_>, message: &str) {
    let is_delivered = delivered(judge, message, Party::PEER).is_some();
    // What a hop before the server refuses is not signed.
    let is_judged = |signature: &Signature| is_delivered || *signature != Signature::Unsigned;
    let is_answered = answer_signature(judge, message).is_some_and(is_judged);
    let (signed, right) = ("SIPAE-3.3.4.1-01", Some("SIPAE-3.3.4.1-09"));
    if is_delivered {
        signed_delivery(judge, signed, right, message, Party::PEER);
    }
    if is_answered {
        signed_answer(judge, signed, right, message);
    }
    if !is_delivered && !is_answered {
        judge.undecide(format!("{message}: neither delivered nor answered with a signature"));
    }
}

/// The status codes of a second user, and the row that is about answers with such a one.
const RELAYED: [(u16, &str); 6] = [
    (200, "SIPAE-3.3.4.1-01"),
    (404, "SIPAE-3.3.4.1-02"),
    (480, "SIPAE-3.3.4.1-02"),
    (488, "SIPAE-3.3.4.1-02"),
    (500, "SIPAE-3.3.4.1-02"),
    (603, "SIPAE-3.3.4.1-02"),
];

fn relayed() -> impl Iterator<Item = Case> {
    RELAYED.into_iter().map(|(status, row)| {
        let title = format!("a {status} of another client is relayed signed for who has asked");
        Case::new(&format!("3.3.4.1/relayed-{status}"), &title, &[row])
            .with_peer()
            .plan(move |mode| answered_with(to_peer(both(mode), "request", "MESSAGE"), status))
            .judge(move |judge| signed_answer(judge, row, None, "request"))
    })
}

/// The second user answers.
fn answered_with(script: Script, status: u16) -> Script {
    script
        .send("request")
        .expect("request", Party::PEER)
        .respond("response", "request", Party::PEER, status)
        .sign("response", PEER_SA)
        .send("response")
        .wait("request")
}

/// INVITE, 180, 200, ACK, and BYE of who was called: nothing of it goes unsigned.
fn call() -> Case {
    Case::new(
        "3.3.4.1/call",
        "every request and final answer of a call is signed for who gets it",
        &["SIPAE-3.3.4.1-01", "SIPAE-3.1-01"],
    )
    .with_peer()
    .plan(|mode| ended_by_callee(answered_call(both(mode))))
    .judge(|judge| {
        for (message, party) in [("invite", Party::PEER), ("ack", Party::PEER), ("bye", Party::USER)] {
            for row in ["SIPAE-3.3.4.1-01", "SIPAE-3.1-01"] {
                signed_delivery(judge, row, None, message, party);
            }
        }
        for message in ["invite", "bye"] {
            for row in ["SIPAE-3.3.4.1-01", "SIPAE-3.1-01"] {
                signed_answer(judge, row, None, message);
            }
        }
    })
}

/// From tag and Call-ID of the call.
const CALL_TAG: &str = "call1";
const CALL_ID: &str = "{user.epid}-{peer.epid}-call";

/// A call up to the ACK, all of it signed.
pub(super) fn answered_call(script: Script) -> Script {
    let script = ringing_call(script)
        .respond("ok", "invite", Party::PEER, 200)
        .sign("ok", PEER_SA)
        .send("ok")
        .wait("invite");
    acknowledged(script)
}

/// A call that has reached the second user and rings there.
pub(super) fn ringing_call(script: Script) -> Script {
    script
        .compose("invite", Template::new("INVITE").to(Recipient::Account(Party::PEER)))
        .edit("invite", Edit::FromTag(CALL_TAG.to_owned()))
        .edit("invite", Edit::SetHeader(HeaderName::CallId, Text::of(CALL_ID)))
        .sign("invite", SA)
        .send("invite")
        .expect("invite", Party::PEER)
        .respond("ringing", "invite", Party::PEER, 180)
        .sign("ringing", PEER_SA)
        .send("ringing")
}

/// The ACK to a 200, and proof that it has been looked at.
pub(super) fn acknowledged(script: Script) -> Script {
    unsigned_ack(script, "ack").sign("ack", SA).send("ack").signed_fence(SA)
}

/// An ACK to a 200 without credential. A copy of the INVITE has its CSeq number.
pub(super) fn unsigned_ack(script: Script, name: &str) -> Script {
    let to = "<sip:{peer.address}>;tag={invite.to-tag};epid={peer.epid}";
    HeaderName::CREDENTIALS
        .into_iter()
        .fold(script.copy(name, "invite"), |script, credential| {
            script.edit(name, Edit::RemoveHeader(credential))
        })
        .edit(name, Edit::Method("ACK".to_owned()))
        .edit(name, Edit::Replace { header: HeaderName::CSeq, from: "INVITE".into(), to: "ACK".into() })
        .edit(name, Edit::SetHeader(HeaderName::To, Text::of(to)))
        .edit(name, Edit::Branch)
}

/// BYE of the second user, not signed.
pub(super) fn bye(script: Script, name: &str) -> Script {
    let from = "<sip:{peer.address}>;tag={invite.to-tag};epid={peer.epid}";
    let to = format!("<sip:{{user.address}}>;tag={CALL_TAG};epid={{user.epid}}");
    script
        .compose(name, Template::new("BYE").of(Party::PEER).to(Recipient::Endpoint(Party::USER)))
        .edit(name, Edit::SetHeader(HeaderName::From, Text::of(from)))
        .edit(name, Edit::SetHeader(HeaderName::To, Text::of(&to)))
        .edit(name, Edit::SetHeader(HeaderName::CallId, Text::of(CALL_ID)))
}

fn ended_by_callee(script: Script) -> Script {
    bye(script, "bye").sign("bye", PEER_SA).ask("bye")
}

/// What a server signs of what comes before the final answer is its own affair.
fn trying() -> Case {
    Case::new(
        "3.3.4.1/provisional",
        "provisional responses to an INVITE may be signed or not",
        &["SIPAE-3.3.4.1-03"],
    )
    .with_peer()
    .plan(|mode| {
        ringing_call(both(mode))
            .respond("busy", "invite", Party::PEER, 486)
            .sign("busy", PEER_SA)
            .send("busy")
            .wait("invite")
    })
    .judge(|judge| {
        let seen = judge.observation().seen("invite");
        let provisional = seen.map(|seen| seen.provisional.clone()).unwrap_or_default();
        let told: Vec<String> =
            provisional.iter().map(|(status, by)| format!("{status} {}", word(by))).collect();
        if told.is_empty() {
            return judge.undecide("there was no provisional response".to_owned());
        }
        judge.record("SIPAE-3.3.4.1-03", "provisional responses", &told.join(", "));
    })
}

const fn word(signature: &Signature) -> &'static str {
    match signature {
        Signature::Unsigned => "unsigned",
        Signature::Verified(_) | Signature::Replayed(_) => "signed",
        Signature::Bad(_) => "with a bad signature",
    }
}

/// A subscription to oneself is what servers answer with a NOTIFY of their own, if they have any.
fn of_the_server() -> Case {
    Case::new(
        "3.3.4.1/requests-of-the-server",
        "requests that the server itself makes are signed",
        &["SIPAE-3.3.4.1-01"],
    )
    .plan(|mode| {
        let template = Template::new("SUBSCRIBE").header("Event", "presence").header("Expires", "60");
        let template = template.header("Accept", "application/pidf+xml");
        handshake(mode)
            .compose("subscribe", template)
            .sign("subscribe", SA)
            .ask("subscribe")
            .signed_fence(SA)
    })
    .judge(|judge| {
        let unasked = &judge.observation().unasked;
        if judge.observed("subscribe").is_some() && unasked.is_empty() {
            judge.record("SIPAE-3.3.4.1-01", "requests of the server", "none");
        }
        for (method, signature) in unasked {
            let is_signed = if *signature == Signature::Unsigned { verified(signature) } else { Ok(()) };
            let expected = format!("{method} of the server: signed");
            if method == "OPTIONS" {
                // An edge in front of the server asks so whether the connection is alive.
                judge.weakly("SIPAE-3.3.4.1-01", &expected, is_signed);
            } else {
                judge.check("SIPAE-3.3.4.1-01", &expected, is_signed);
            }
        }
    })
}

fn params() -> Case {
    Case::new(
        "3.3.4.1/delivery-params",
        "the signature of a delivered request has all parameters",
        &["SIPAE-3.3.4.1-07"],
    )
    .with_peer()
    .plan(|mode| to_peer(both(mode), "request", "MESSAGE").ask("request"))
    .judge(|judge| {
        if delivered(judge, "request", Party::PEER).is_some_and(|it| it.signature == Signature::Unsigned) {
            return judge.undecide("request is delivered unsigned".to_owned());
        }
        judge.delivery(
            "SIPAE-3.3.4.1-07",
            "request",
            Party::PEER,
            "all parameters of a signature",
            |delivery| delivery.look(has_all_params).unwrap_or_else(|| Err("not readable".to_owned())),
        );
    })
}

/// Answers to the receiver show whether signatures are right apart from the identity.
fn covers_identity() -> Case {
    Case::new(
        "3.3.4.1/covers-asserted-identity",
        "the signature of a delivered request covers the identity that the server asserts",
        &["SIPAE-3.3.4.1-11"],
    )
    .at(&[sipae::version::Version::V3, sipae::version::Version::V4])
    .with_peer()
    .plan(|mode| to_peer(both(mode), "request", "MESSAGE").ask("request"))
    .judge(|judge| {
        if !is_verified(judge, "peer last") {
            return;
        }
        let Some(delivery) = delivered(judge, "request", Party::PEER) else {
            return judge.undecide("request was not delivered".to_owned());
        };
        covered(judge, &delivery.signature, &lines(delivery, HeaderName::PAssertedIdentity));
    })
}

fn relayed_covers_identity() -> Case {
    Case::new(
        "3.3.4.1/relayed-covers-identity",
        "the signature of a relayed response covers the identity that the server asserts",
        &["SIPAE-3.3.4.1-11"],
    )
    .at(&[sipae::version::Version::V3, sipae::version::Version::V4])
    .with_peer()
    .plan(|mode| answered_with(to_peer(both(mode), "request", "MESSAGE"), 200))
    .judge(|judge| {
        if !is_verified(judge, "last") {
            return;
        }
        let asserted = |answer: &Message<'_>| super::seen::lines_of(answer, HeaderName::PAssertedIdentity);
        let asserted = judge.observation().answer("request", asserted).unwrap_or_default();
        match answer_signature(judge, "request") {
            Some(signature) => covered(judge, signature, &asserted),
            None => judge.undecide("request has no final answer".to_owned()),
        }
    })
}

fn covered(judge: &mut Judge<'_>, signature: &Signature, asserted: &[String]) {
    if asserted.is_empty() || *signature == Signature::Unsigned {
        return judge.undecide("no signed message with an asserted identity".to_owned());
    }
    let expected = format!("the signature covers {}", asserted.join(", "));
    judge.check("SIPAE-3.3.4.1-11", &expected, verified(signature));
}

/// A credential of the user for another server, as a client with two servers on its way sends it.
fn credentials() -> Vec<Case> {
    const ROWS: &[&str] = &["SIPAE-3.3.4.1-14"];
    vec![
        Case::new("3.3.4.1/consumed-credential", "the credential for this server goes no further", ROWS)
            .with_peer()
            .plan(|mode| to_peer(both(mode), "request", "MESSAGE").ask("request"))
            .judge(|judge| {
                let delivery = delivered(judge, "request", Party::PEER);
                consumed(
                    judge,
                    "request",
                    delivery.map(|delivery| delivery.look(responses).unwrap_or_default()),
                );
            }),
        Case::new("3.3.4.1/consumed-in-response", "the credential of who answers goes no further", ROWS)
            .with_peer()
            .plan(|mode| answered_with(to_peer(both(mode), "request", "MESSAGE"), 200))
            .judge(|judge| consumed(judge, "response", judge.observation().answer("request", responses))),
        Case::new("3.3.4.1/credential-of-others", "a credential for another server is passed on", ROWS)
            .with_peer()
            .plan(|mode| {
                to_peer(both(mode), "request", "MESSAGE")
                    .edit("request", Edit::CrowdCredential { others: 1 })
                    .ask("request")
            })
            .judge(|judge| {
                judge.delivery(
                    "SIPAE-3.3.4.1-14",
                    "request",
                    Party::PEER,
                    "the credential for another realm",
                    |delivery| {
                        let lines =
                            HeaderName::CREDENTIALS.into_iter().flat_map(|name| lines(delivery, name));
                        let found = lines.filter(|line| line.contains("another realm 0")).count();
                        if found == 0 { Err("gone".to_owned()) } else { Ok(()) }
                    },
                );
            }),
    ]
}

/// `response` of every credential in a message.
fn responses(message: &Message<'_>) -> Vec<String> {
    let headers =
        HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
    headers.filter_map(|header| header.get(AuthParam::Response).map(Value::to_text)).collect()
}

/// Passing it on is written down: it carries no secret.
fn consumed(judge: &mut Judge<'_>, message: &str, passed: Option<Vec<String>>) {
    let Some(passed) = passed else {
        return judge.undecide(format!("what was sent as {message} has not arrived"));
    };
    let own = judge.observation().sent(message, responses).unwrap_or_default();
    match passed.iter().find(|response| own.contains(response)) {
        Some(response) => {
            judge.record("SIPAE-3.3.4.1-14", "the credential is removed", &format!("passed on: {response}"));
        }
        None => judge.check("SIPAE-3.3.4.1-14", "the credential is removed", Ok(())),
    }
}

/// A REGISTER of somebody beside the first two parties, whose answer is asked for.
pub(super) fn register_of(script: Script, party: Party, association: &str, message: &str) -> Script {
    if party == Party::USER {
        return signed(script, message).ask(message);
    }
    script.compose(message, Template::new("REGISTER").of(party)).sign(message, association).ask(message)
}
