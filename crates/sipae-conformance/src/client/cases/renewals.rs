//! What a client does when the server has lost its association, and when somebody only says so.

use sipae::auth::{AuthParam, ChallengeKind, Scheme};
use sipae::client::Stimulus;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Awaited, Edit, Form, Service, Text};

use super::super::case::ClientCase;
use super::super::home::Class;
use super::super::judge::ClientJudge;
use super::super::seen::{Heard, Next};
use super::calls::{ack, invited, messaged, method, taken};
use super::look::{cseq, field, text};
use crate::ledger::holds_if;
use crate::reaction::Signature;

/// What is repeated with the lost association, once, is challenged as well: a new one must be what comes of it.
fn begins_anew(judge: &mut ClientJudge<'_>, row: &'static str) {
    if judge.next_of("challenge") != Some(Next::Stray) {
        return;
    }
    let is_new = |heard: &Heard| matches!(heard.read.class, Class::Bare | Class::First);
    let begun = judge.seen().after("challenge").iter().any(is_new);
    // Giving up behind a second challenge is legal.
    let holds = holds_if(begun, "the lost association and nothing else");
    judge.recorded(row, "a new authentication", holds);
}

/// The server has lost the association, and says so.
fn challenged() -> Service {
    Service::new()
        .establish()
        .settle()
        .then(messaged("asked"))
        .forget()
        .challenge("challenge", "request")
        .send("challenge")
}

/// What the client sends again is kept.
fn repeated_once() -> Service {
    challenged().wait_if_any("again", method(Stimulus::Message)).settle()
}

/// A server that challenges by 407, at first and when it has lost the association.
pub(super) fn at_a_proxy() -> Service {
    Service::new()
        .kind(ChallengeKind::Proxy)
        .wait("bare", Awaited::Bare)
        .challenge("first challenge", "bare")
        .send("first challenge")
        .then(challenged())
        .settle()
}

pub(super) fn cases() -> Vec<ClientCase> {
    lost().into_iter().chain(repeated()).chain(others()).collect()
}

fn lost() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.5.1/association-lost",
            "a challenge to a signed request begins a new authentication",
            &["SIPAE-3.2.5.1-22", "SIPAE-3.2.5.2-13", "PATENT-0019"],
        )
        .made_to(&[Stimulus::Message])
        .plan(|_| challenged().settle())
        .together(|_| repeated_once())
        .judge(|judge| {
            for row in ["SIPAE-3.2.5.1-22", "SIPAE-3.2.5.2-13"] {
                judge.next(row, "challenge");
                begins_anew(judge, row);
            }
            if let Some(next) = judge.next_of("challenge") {
                let anew = matches!(next, Next::Bare { .. } | Next::First { .. });
                let holds = holds_if(anew, next.to_string());
                judge.recorded("PATENT-0019", "a new authentication", holds);
            }
        }),
        ClientCase::new(
            "3.2.5.1/another-version-later",
            "the version of the last challenge is that of the association that follows",
            &["SIPAE-3.2.5.1-07"],
        )
        .made_to(&[Stimulus::Message])
        .answering()
        .plan(|mode| {
            let other = if mode.version == Version::V3 { Version::V2 } else { Version::V3 };
            Service::new()
                .establish()
                .settle()
                .then(messaged("asked"))
                .forget()
                .version(other)
                .challenge("challenge", "request")
                .send("challenge")
                .wait_if_any("renewing", Awaited::Completing)
                .serve_if("renewing")
                .settle()
                .ask_signed("later")
        })
        .judge(|judge| {
            if judge.sent("challenge").is_none() {
                return;
            }
            match judge.seen().request("renewing") {
                Some(_) => judge.processed("SIPAE-3.2.5.1-07", "later"),
                // It may know the first version alone.
                None => judge.record("SIPAE-3.2.5.1-07", "a challenge of another version", "not answered"),
            }
        }),
        ClientCase::new(
            "3.2.5.1/old-association-is-dropped",
            "no more than one further message is signed with a lost association",
            &["SIPAE-3.2.5.1-22", "SIPAE-3.2.1-04"],
        )
        .made_to(&[Stimulus::Message])
        .plan(|_| challenged().settle())
        .together(|_| repeated_once())
        .judge(|judge| {
            if judge.sent("challenge").is_none() {
                return;
            }
            // The server has forgotten it: what is signed with it belongs to nothing.
            let stale =
                judge.seen().after("challenge").iter().filter(|heard| heard.read.class == Class::Stray);
            let stale = stale.count();
            let holds = holds_if(stale <= 1, format!("{stale} of them"));
            judge.check("SIPAE-3.2.5.1-22", "one message at most", holds.clone());
            judge.check("SIPAE-3.2.1-04", "one message at most", holds);
        }),
        lost_at_a_proxy(),
        dialog_survives(),
    ]
}

/// What is sent again.
fn repeated() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.4.1/repeated-request-is-signed-anew",
            "what is sent again after a challenge has one credential, and a new one",
            &["SIPAE-3.2.4.1-15", "SIPAE-3.2.4.1-13"],
        )
        .made_to(&[Stimulus::Message])
        .plan(|_| repeated_once())
        .together(|_| repeated_once())
        .judge(|judge| {
            if judge.sent("challenge").is_none() {
                return;
            }
            let scheme = judge.mode().scheme;
            let crowded = judge.seen().after("challenge").iter().find(|heard| 1 < heard.credentials());
            let holds = match crowded {
                Some(heard) => Err(format!("{} with {} credentials", heard.method(), heard.credentials())),
                None => Ok(()),
            };
            judge.check("SIPAE-3.2.4.1-15", "one credential", holds);
            let crand = |heard: &Heard| {
                heard.credential(scheme, |_, header| text(header, AuthParam::Crand)).flatten()
            };
            let (first, again) = (judge.seen().request("request"), judge.seen().request("again"));
            if let Some((first, again)) = first.zip(again) {
                let same = crand(first).is_some() && crand(first) == crand(again);
                let holds = holds_if(!same, "the old crand");
                judge.check("SIPAE-3.2.4.1-13", "a new crand", holds);
            } else {
                judge.record("SIPAE-3.2.4.1-13", "what is sent again", "the request is not");
            }
        }),
        ClientCase::new(
            "3.2.5.1/challenged-invite",
            "the 401 to an INVITE is acknowledged",
            &["SIPAE-3.2.5.1-27"],
        )
        .made_to(&[Stimulus::Invite])
        .plan(|_| {
            Service::new()
                .establish()
                .settle()
                .then(invited())
                .forget()
                .challenge("challenge", "invite")
                .send("challenge")
                .wait_if_any("ack", ack())
                .settle()
        })
        .judge(|judge| {
            if judge.sent("challenge").is_none() {
                return;
            }
            let Some(invite) = judge.request("invite") else { return };
            let is_own = |heard: &&Heard| {
                heard.method() == "ACK"
                    && field(heard, HeaderName::CallId) == field(invite, HeaderName::CallId)
                    && cseq(heard) == cseq(invite)
            };
            let acknowledged = judge.seen().after("challenge").iter().any(|heard| is_own(&heard));
            let holds = holds_if(acknowledged, "no ACK");
            judge.check("SIPAE-3.2.5.1-27", "an ACK", holds);
        }),
    ]
}

/// Challenges that nobody has to believe.
fn others() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.5.2/forged-challenge",
            "a forged 401 inside an association costs a new authentication at most",
            &["SIPAE-3.2.5.2-13"],
        )
        .made_to(&[Stimulus::Message])
        .plan(|_| {
            Service::new()
                .establish()
                .settle()
                .then(messaged("asked"))
                .respond("forged", "request", 401, Form::Plain)
                .edit(
                    "forged",
                    Edit::AddHeader {
                        name: "WWW-Authenticate".to_owned(),
                        value: Text::of("Basic realm=\"{sa.realm}\""),
                        first: false,
                    },
                )
                .send("forged")
                .wait_if_any("next", Awaited::Any)
        })
        .judge(|judge| {
            let Some(next) = judge.next_of("forged") else { return };
            let is_basic = judge.seen().after("forged").iter().any(|heard| {
                heard.look(|message| {
                    let credentials = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
                    let mut texts = credentials.map(|value| value.to_text().to_lowercase());
                    texts.any(|text| text.starts_with("basic"))
                }) == Some(true)
            });
            let holds = match next {
                Next::Crashed => Err(next.to_string()),
                _ if is_basic => Err("a Basic credential".to_owned()),
                _ => Ok(()),
            };
            judge.check("SIPAE-3.2.5.2-13", "no credential is disclosed", holds);
        }),
        ClientCase::new(
            "3.2.1/two-servers",
            "a second server that challenges gets a credential of its own, within bounds",
            &["SIPAE-3.2.1-05", "SIPAE-3.2.4.1-23"],
        )
        .with(&[Scheme::Ntlm])
        .made_to(&[Stimulus::Message])
        .plan(|_| {
            Service::new()
                .establish()
                .settle()
                .then(messaged("asked"))
                .targetname("second.contoso.com")
                .challenge("challenge", "request")
                .send("challenge")
                .wait_if_any("next", Awaited::Any)
                .serve_if("next")
                .settle()
        })
        .judge(|judge| {
            // What else was on its way is no answer.
            let call = judge.seen().request("request").and_then(|heard| field(heard, HeaderName::CallId));
            let is_answer =
                |heard: &&Heard| heard.method() == "REGISTER" || field(heard, HeaderName::CallId) == call;
            let answers = judge.seen().after("challenge").iter().filter(is_answer);
            // A client that registers in between, as it does anyway, has signed that.
            let rounds = answers.clone().filter(|heard| heard.read.class != Class::Signed).count();
            let holds = holds_if(rounds <= 12, format!("{rounds} requests"));
            judge.check("SIPAE-3.2.1-05", "a bounded number of rounds", holds);
            // The credentials of the first server belong to nothing here.
            let again = answers.filter(|heard| heard.read.class == Class::Stray).count();
            let holds = holds_if(again <= 1, format!("{again} of them"));
            judge.check(
                "SIPAE-3.2.4.1-23",
                "the second server does not get the credentials of the first",
                holds,
            );
        }),
    ]
}

/// The same by a server that challenges by 407. Products are known that answer 401 alone.
fn lost_at_a_proxy() -> ClientCase {
    use sipae_spec::ReactionClass::{GiveUp, Ignore, NoRequest};
    const ROW: &str = "SIPAE-3.2.5.1-22";
    ClientCase::new(
        "3.2.5.1/association-lost-at-a-proxy",
        "a 407 to a signed request begins a new authentication",
        &[ROW],
    )
    .made_to(&[Stimulus::Message])
    .plan(|_| at_a_proxy())
    .together(|_| at_a_proxy())
    .judge(|judge| {
        judge.next_with(ROW, "challenge", &[GiveUp, Ignore, NoRequest]);
        begins_anew(judge, ROW);
    })
}

/// A call goes on under the next association.
fn dialog_survives() -> ClientCase {
    const ROW: &str = "SIPAE-3.2.6-02";
    ClientCase::new("3.2.6/dialog-survives", "a dialog goes on under the association that follows", &[ROW])
        .made_to(&[Stimulus::Invite, Stimulus::Message, Stimulus::Bye])
        .plan(|_| {
            Service::new()
                .establish()
                .settle()
                .then(taken())
                .then(messaged("asked"))
                .forget()
                .challenge("challenge", "request")
                .send("challenge")
                .wait("renewing", Awaited::Completing)
                .serve("renewing")
                .settle()
                .make("end", Stimulus::Bye)
                .wait_if_any("bye", method(Stimulus::Bye))
                .serve_if("bye")
                .settle()
        })
        .judge(|judge| {
            let Some(invite) = judge.request("invite") else { return };
            if judge.request("renewing").is_none() {
                return;
            }
            let call = field(invite, HeaderName::CallId);
            let bye = judge.seen().request("bye");
            let Some(bye) = bye.filter(|bye| field(bye, HeaderName::CallId) == call) else {
                // Dialogs may also be made anew.
                return judge.record(ROW, "a BYE in its dialog", "none");
            };
            let holds = match bye {
                bye if !bye.read.is_current => Err("a BYE under the lost association".to_owned()),
                bye => match &bye.read.signature {
                    Signature::Verified(_) => Ok(()),
                    signature => Err(format!("{signature:?}")),
                },
            };
            judge.check(ROW, "a BYE in its dialog, signed under the new association", holds);
        })
}
