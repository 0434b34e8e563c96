//! What a client sends when it is made to, and what it makes of the answers.

use sipae::auth::AuthParam;
use sipae::client::Stimulus;
use sipae::message::{HeaderName, Value};
use sipae_gen::{Awaited, Edit, Form, Service};

use super::super::case::ClientCase;
use super::super::home::Class;
use super::super::judge::ClientJudge;
use super::super::seen::Heard;
use super::answers::believes_the_good;
use super::look::text;
use crate::ledger::holds_if;
use crate::reaction::Signature;

pub(super) fn method(stimulus: Stimulus) -> Awaited {
    Awaited::Method(stimulus.method().to_owned())
}

fn made(id: &str, title: &str, rows: &[&'static str], stimuli: &[Stimulus]) -> ClientCase {
    ClientCase::new(id, title, rows).shared().made_to(stimuli)
}

pub(super) fn cases() -> Vec<ClientCase> {
    let requests = [
        ("message", Stimulus::Message),
        ("options", Stimulus::Options),
        ("subscribe", Stimulus::Subscribe),
        ("invite", Stimulus::Invite),
    ];
    let requests = requests.map(|(name, stimulus)| {
        made(
            &format!("3.2.4.1/{name}-is-signed"),
            &format!("{} is signed once there is an association", stimulus.method()),
            &["SIPAE-3.2.4.1-01", "PATENT-0003", "PATENT-0040"],
            &[stimulus],
        )
        .plan(move |_| {
            let service = Service::new().make("asked", stimulus).wait("request", method(stimulus));
            service.reply("answer", "request", 404).settle()
        })
        .judge(|judge| {
            for row in ["SIPAE-3.2.4.1-01", "PATENT-0003", "PATENT-0040"] {
                is_signed(judge, row, "request");
            }
        })
    });
    requests.into_iter().chain(calls()).chain(answers()).chain(ends()).collect()
}

fn is_signed(judge: &mut ClientJudge<'_>, row: &'static str, message: &str) {
    let Some(heard) = judge.request(message) else { return };
    judge.check(row, &format!("{message}: a signature that verifies"), signature(heard));
}

fn signature(heard: &Heard) -> Result<(), String> {
    match (&heard.read.signature, heard.read.class) {
        (Signature::Verified(_), _) => Ok(()),
        (Signature::Replayed(number), _) => Err(format!("cnum {number} again")),
        (Signature::Bad(why), _) => Err(why.clone()),
        (Signature::Unsigned, class) => Err(format!("no signature ({class:?})")),
    }
}

/// Up to the answer to a MESSAGE.
pub(super) fn messaged(name: &str) -> Service {
    Service::new().make(name, Stimulus::Message).wait("request", method(Stimulus::Message))
}

/// Up to the answer to an INVITE.
pub(super) fn invited() -> Service {
    Service::new().make("call", Stimulus::Invite).wait("invite", method(Stimulus::Invite))
}

pub(super) fn ack() -> Awaited {
    Awaited::Method("ACK".to_owned())
}

/// The call is taken.
pub(super) fn taken() -> Service {
    invited().serve("invite").wait_if_any("ack", ack())
}

/// A call that is taken, transferred and ended.
fn transferred() -> Service {
    taken()
        .make("transfer", Stimulus::Refer)
        .wait("refer", method(Stimulus::Refer))
        .reply("accepted", "refer", 202)
        .make("end", Stimulus::Bye)
        .wait("bye", method(Stimulus::Bye))
        .serve("bye")
}

fn calls() -> Vec<ClientCase> {
    vec![
        made(
            "3.2.4.1/ack-of-a-refusal-is-signed",
            "the ACK of a signed 486 is signed",
            &["SIPAE-3.2.4.1-02"],
            &[Stimulus::Invite],
        )
        .plan(|_| invited().reply("busy", "invite", 486).wait_if_any("ack", ack()))
        .judge(|judge| is_signed(judge, "SIPAE-3.2.4.1-02", "ack")),
        made(
            "3.2.4.1/ack-of-a-success-is-signed",
            "the ACK of a 2xx is signed as a message of its own",
            &["SIPAE-3.2.4.1-02", "SIPAE-3.2.4.1-31"],
            &[Stimulus::Invite, Stimulus::Bye],
        )
        .plan(|_| taken().make("end", Stimulus::Bye).wait("bye", method(Stimulus::Bye)).serve("bye"))
        .judge(|judge| {
            is_signed(judge, "SIPAE-3.2.4.1-02", "ack");
            is_signed(judge, "SIPAE-3.2.4.1-31", "ack");
            differs(judge, "ack", "invite");
        }),
        made(
            "3.2.4.1/cancel-is-signed",
            "a CANCEL is signed as a message of its own",
            &["SIPAE-3.2.4.1-02", "SIPAE-3.2.4.1-31"],
            &[Stimulus::Invite, Stimulus::Cancel],
        )
        .plan(|_| cancelled().serve("cancel").then(terminated()))
        .judge(|judge| {
            is_signed(judge, "SIPAE-3.2.4.1-02", "cancel");
            is_signed(judge, "SIPAE-3.2.4.1-31", "cancel");
            differs(judge, "cancel", "invite");
        }),
        made(
            "3.2.5.1/challenged-cancel",
            "a challenge is not answered for CANCEL",
            &["SIPAE-3.2.5.1-26"],
            &[Stimulus::Invite, Stimulus::Cancel],
        )
        .plan(|_| {
            cancelled()
                .challenge("challenge", "cancel")
                .send("challenge")
                .wait_if_any("again", Awaited::Method("CANCEL".to_owned()))
                .then(terminated())
        })
        .judge(|judge| {
            if judge.sent("challenge").is_none() {
                return;
            }
            let again = judge.seen().request("again").is_some();
            let holds = holds_if(!again, "another CANCEL");
            judge.check("SIPAE-3.2.5.1-26", "no further CANCEL", holds);
        }),
        made(
            "3.2.4.1/in-dialog-requests-are-signed",
            "BYE and REFER are signed",
            &["SIPAE-3.2.4.1-01"],
            &[Stimulus::Invite, Stimulus::Refer, Stimulus::Bye],
        )
        .plan(|_| transferred())
        .judge(|judge| {
            is_signed(judge, "SIPAE-3.2.4.1-01", "refer");
            is_signed(judge, "SIPAE-3.2.4.1-01", "bye");
        }),
        made(
            "3.2.4.4/refer-names-no-identity-of-servers",
            "a REFER has none of the ms-identity header fields",
            &["SIPAE-3.2.4.4-03"],
            &[Stimulus::Invite, Stimulus::Refer, Stimulus::Bye],
        )
        .plan(|_| transferred())
        .judge(|judge| {
            judge.of_request("SIPAE-3.2.4.4-03", "refer", "no ms-identity", |message| {
                let names = ["ms-identity", "ms-identity-alg", "ms-identity-info", "ms-identity-cookie"];
                let referred = message.by_text("Referred-By").map(Value::to_text).unwrap_or_default();
                match names
                    .into_iter()
                    .find(|name| message.by_text(name).is_some() || referred.contains(name))
                {
                    Some(name) => Err(name.to_owned()),
                    None => Ok(()),
                }
            });
        }),
        made(
            "3.2.5.2/forged-contact",
            "a forged 2xx takes no call anywhere",
            &["SIPAE-3.2.5.2-20", "SIPAE-3.2.5.2-08"],
            &[Stimulus::Invite],
        )
        .plan(|_| {
            use sipae_gen::ParamEdit;
            invited()
                .respond("bad", "invite", 200, Form::Success)
                .edit("bad", Edit::SetHeader(HeaderName::Contact, "<sip:forged@nowhere.invalid>".into()))
                .sign("bad")
                .edit("bad", Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit))
                .send("bad")
                .reply("busy", "invite", 486)
                .wait_if_any("ack", ack())
                .settle()
        })
        .judge(|judge| {
            if judge.sent("busy").is_none() {
                return;
            }
            let went = judge.seen().after("bad").iter().find(|heard| {
                heard.look(|message| {
                    message.octets().windows(14).take(120).any(|part| part == b"nowhere.invali")
                }) == Some(true)
            });
            let holds = match went {
                Some(heard) => Err(format!("{} to the forged Contact", heard.method())),
                None => Ok(()),
            };
            judge.check("SIPAE-3.2.5.2-20", "nothing goes to the forged Contact", holds.clone());
            judge.check("SIPAE-3.2.5.2-08", "the forged answer is discarded", holds);
        }),
        made(
            "3.2.5.2/unsigned-ringing",
            "an unsigned 180 opens no dialog, and the call goes on",
            &["SIPAE-3.2.5.2-12"],
            &[Stimulus::Invite],
        )
        .telling()
        .plan(|_| {
            invited()
                .respond("ringing", "invite", 180, Form::Plain)
                .send("ringing")
                .reply("busy", "invite", 486)
                .read()
                .standing("end")
        })
        .judge(|judge| {
            if judge.sent("busy").is_none() {
                return;
            }
            let Some(outcome) = judge.outcome("end", "call") else { return };
            let holds = match outcome {
                Some(486) => Ok(()),
                other => Err(format!("it took {other:?}")),
            };
            judge.check("SIPAE-3.2.5.2-12", "the signed answer counts", holds);
        }),
    ]
}

/// Up to a CANCEL.
fn cancelled() -> Service {
    invited()
        .reply("ringing", "invite", 180)
        .make("give up", Stimulus::Cancel)
        .wait("cancel", method(Stimulus::Cancel))
}

/// The INVITE ends.
fn terminated() -> Service {
    Service::new().reply("terminated", "invite", 487).settle()
}

/// The credential of one message is not that of the other.
fn differs(judge: &mut ClientJudge<'_>, one: &str, other: &str) {
    let scheme = judge.mode().scheme;
    let crand = |message: &str| {
        let heard = judge.seen().request(message)?;
        heard.credential(scheme, |_, header| text(header, AuthParam::Crand)).flatten()
    };
    let (first, second) = (crand(one), crand(other));
    let holds = holds_if(!(first.is_some() && first == second), format!("the credential of {other}"));
    judge.check("SIPAE-3.2.4.1-31", &format!("{one}: a credential of its own"), holds);
}

fn answers() -> Vec<ClientCase> {
    vec![
        made(
            "3.2.5.2/replayed-answer",
            "an answer that was signed for another request is not believed",
            &["SIPAE-3.2.5.2-09", "SIPAE-3.1.1-05"],
            &[Stimulus::Message],
        )
        .telling()
        .plan(|_| {
            Service::new()
                .make("one", Stimulus::Message)
                .wait("first", method(Stimulus::Message))
                .reply("refusal", "first", 404)
                .make("again", Stimulus::Message)
                .wait("second", method(Stimulus::Message))
                .respond("again", "second", 603, Form::Plain)
                .sign_at("again", -1)
                .send("again")
                .reply("good", "second", 200)
                .read()
                .standing("end")
        })
        .judge(|judge| {
            for row in ["SIPAE-3.2.5.2-09", "SIPAE-3.1.1-05"] {
                believes_the_good(judge, row, "again", 603);
            }
        }),
        made(
            "3.2.5.2/trying-and-success",
            "an unsigned 100 before a signed 200 does no harm",
            &["SIPAE-3.2.5.2-12", "SIPAE-3.2.5.2-05"],
            &[Stimulus::Message],
        )
        .telling()
        .plan(|_| {
            messaged("trying")
                .respond("trying", "request", 100, Form::Plain)
                .send("trying")
                .reply("good", "request", 200)
                .read()
                .standing("end")
        })
        .judge(|judge| {
            for row in ["SIPAE-3.2.5.2-12", "SIPAE-3.2.5.2-05"] {
                believes_the_good(judge, row, "trying", 100);
            }
        }),
        made(
            "3.2.5.2/answer-with-other-field",
            "an answer signed in Proxy-Authentication-Info is believed",
            &["SIPAE-3.2.5.2-16"],
            &[Stimulus::Message],
        )
        .telling()
        .plan(|_| {
            messaged("good")
                .respond("good", "request", 200, Form::Plain)
                .sign("good")
                .edit("good", Edit::CredentialHeader(HeaderName::ProxyAuthenticationInfo))
                .send("good")
                .read()
                .standing("end")
        })
        .judge(|judge| believes_the_good(judge, "SIPAE-3.2.5.2-16", "good", 0)),
        made(
            "3.2.5.2/unsigned-redirect",
            "an unsigned 301 is not followed",
            &["SIPAE-3.2.5.2-11"],
            &[Stimulus::Message],
        )
        .telling()
        .plan(|_| {
            messaged("redirect")
                .respond("redirect", "request", 301, Form::Plain)
                .edit("redirect", Edit::SetHeader(HeaderName::Contact, "<sip:other@contoso.com>".into()))
                .send("redirect")
                .reply("good", "request", 200)
                .read()
                .standing("end")
        })
        .judge(|judge| {
            if judge.sent("redirect").is_none() {
                return;
            }
            let follows = judge.seen().after("redirect").iter().any(|heard| heard.method() == "MESSAGE");
            let holds = holds_if(!follows, "it asks again");
            judge.check("SIPAE-3.2.5.2-11", "the 301 is not followed", holds);
            believes_the_good(judge, "SIPAE-3.2.5.2-11", "redirect", 301);
        }),
        made(
            "3.2.5.1/signed-redirect",
            "a signed 301 is told or followed, and the association goes on",
            &["SIPAE-3.2.5.1-30"],
            &[Stimulus::Message],
        )
        .telling()
        .answering()
        .plan(|_| {
            messaged("redirected")
                .respond("redirect", "request", 301, Form::Plain)
                .edit("redirect", Edit::SetHeader(HeaderName::Contact, "<sip:other@contoso.com>".into()))
                .sign("redirect")
                .send("redirect")
                .settle()
                .ask_signed("later")
                .standing("end")
        })
        .judge(|judge| {
            if judge.sent("redirect").is_none() {
                return;
            }
            let followed = judge.seen().after("redirect").iter().any(|heard| heard.method() == "MESSAGE");
            if let Some(outcome) = judge.outcome("end", "redirected") {
                let holds = holds_if(followed || outcome == Some(301), format!("it took {outcome:?}"));
                judge.check("SIPAE-3.2.5.1-30", "the 301 is taken, or followed", holds);
            }
            judge.processed("SIPAE-3.2.5.1-30", "later");
        }),
        made(
            "3.2.5.1/signed-refusal-of-a-request",
            "a signed 403 is told, and the association goes on",
            &["SIPAE-3.2.5.1-30"],
            &[Stimulus::Message],
        )
        .telling()
        .answering()
        .plan(|_| messaged("refused").reply("refusal", "request", 403).ask_signed("later").standing("end"))
        .judge(|judge| {
            if judge.sent("refusal").is_none() {
                return;
            }
            if let Some(outcome) = judge.outcome("end", "refused") {
                let holds = holds_if(outcome == Some(403), format!("it took {outcome:?}"));
                judge.check("SIPAE-3.2.5.1-30", "the 403 is taken", holds);
            }
            judge.processed("SIPAE-3.2.5.1-30", "later");
        }),
    ]
}

/// The registration is ended.
fn left() -> Service {
    Service::new()
        .establish()
        .settle()
        .make("leave", Stimulus::Unregister)
        .wait("leaving", Awaited::Method("REGISTER".to_owned()))
        .serve("leaving")
        .settle()
}

/// And begun again.
fn returned() -> Service {
    left().make("return", Stimulus::Register).wait("next", Awaited::Any).serve("next").settle()
}

fn ends() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.4.1/de-registration-is-signed",
            "Expires: 0 of a de-registration is signed as it is written",
            &["SIPAE-3.2.4.1-12", "SIPAE-3.2.4.1-01"],
        )
        .made_to(&[Stimulus::Unregister])
        .plan(|_| left())
        .together(|_| returned())
        .judge(|judge| {
            is_signed(judge, "SIPAE-3.2.4.1-12", "leaving");
            is_signed(judge, "SIPAE-3.2.4.1-01", "leaving");
        }),
        ClientCase::new(
            "3.2.5.1/challenged-while-leaving",
            "a client that is leaving begins no other handshake",
            &["SIPAE-3.2.5.1-23"],
        )
        .made_to(&[Stimulus::Unregister])
        .plan(|_| {
            Service::new()
                .establish()
                .settle()
                .make("leave", Stimulus::Unregister)
                .wait("leaving", Awaited::Method("REGISTER".to_owned()))
                .forget()
                .challenge("challenge", "leaving")
                .send("challenge")
                .settle()
        })
        .judge(|judge| judge.next("SIPAE-3.2.5.1-23", "challenge")),
        ClientCase::new(
            "3.2.6/unregistered-means-anew",
            "behind a de-registration a new association is negotiated",
            &["PATENT-0044"],
        )
        .made_to(&[Stimulus::Unregister, Stimulus::Register])
        .plan(|_| returned())
        .together(|_| returned())
        .judge(|judge| {
            let Some(heard) = judge.request("next") else { return };
            let holds = match heard.read.class {
                Class::Signed => Err("signed with the old association".to_owned()),
                _ => Ok(()),
            };
            judge.recorded("PATENT-0044", "a new handshake", holds);
        }),
    ]
}
