//! Answers of the server that prove nothing, each followed by one that does: whichever the client acts upon shows in
//! what it takes for the outcome.

use sipae::auth::AuthParam;
use sipae::client::Stimulus;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Awaited, Edit, Form, ParamEdit, Service, Signing, Text};

use super::super::case::ClientCase;
use super::super::home::Class;
use super::super::judge::ClientJudge;
use crate::ledger::holds_if;

/// How an answer is made bad.
#[derive(Clone, Copy)]
struct Bad {
    name: &'static str,
    /// The row that says that it is refused.
    row: &'static str,
    make: fn(Service, &str) -> Service,
    /// Whether it is bad at version 2 too, whose signature covers less.
    is_short: bool,
}

fn set(param: AuthParam, value: &str) -> Edit {
    Edit::Param(param, ParamEdit::Set(Text::from(value)))
}

const fn bad(name: &'static str, row: &'static str, make: fn(Service, &str) -> Service) -> Bad {
    Bad { name, row, make, is_short: true }
}

/// One that is good at version 2, whose signature covers less.
const fn long(name: &'static str, row: &'static str, make: fn(Service, &str) -> Service) -> Bad {
    Bad { name, row, make, is_short: false }
}

/// Kinds of answers that prove nothing. Whoever adds one finds it in the cases of its row.
const BAD: &[Bad] = &[
    bad("unsigned", "SIPAE-3.2.5.2-11", |s, _| s),
    bad("flipped", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit))
    }),
    bad("zeros", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, set(AuthParam::Rspauth, "00000000000000000000000000000000"))
    }),
    bad("altered srand", "SIPAE-3.2.5.2-08", |s, m| s.sign(m).edit(m, set(AuthParam::Srand, "0A1B2C3D"))),
    bad("altered snum", "SIPAE-3.2.5.2-08", |s, m| s.sign(m).edit(m, set(AuthParam::Snum, "9999"))),
    bad("altered From tag", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, Edit::Replace { header: HeaderName::From, from: "tag=".into(), to: "tag=x".into() })
    }),
    bad("altered Expires", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, Edit::SetHeader(HeaderName::Expires, "61".into()))
    }),
    bad("added To tag", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, Edit::Replace { header: HeaderName::To, from: "tag=".into(), to: "tag=x".into() })
    }),
    bad("altered From URI", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, Edit::Replace { header: HeaderName::From, from: "sip:".into(), to: "sip:x".into() })
    }),
    long("altered To URI", "SIPAE-3.2.5.2-08", |s, m| {
        s.sign(m).edit(m, Edit::Replace { header: HeaderName::To, from: "sip:".into(), to: "sip:x".into() })
    }),
    long("added identity", "SIPAE-3.2.5.2-08", |s, m| {
        let (name, value) = ("P-Asserted-Identity".to_owned(), "<sip:x@contoso.com>".into());
        s.sign(m).edit(m, Edit::AddHeader { name, value, first: false })
    }),
    bad("other status signed", "SIPAE-3.2.5.2-23", |s, m| {
        // What is signed is a 486; whatever stands on the status line then is another one.
        s.edit(m, Edit::Status(486)).sign(m).edit(m, Edit::Status(STATUS))
    }),
    bad("signed as a request", "SIPAE-3.2.5.2-23", |s, m| {
        s.sign_with(m, Signing { without_status: true, ..Signing::default() })
    }),
    bad("empty rspauth", "SIPAE-3.2.5.2-17", |s, m| s.sign(m).edit(m, set(AuthParam::Rspauth, ""))),
    bad("short rspauth", "SIPAE-3.2.5.2-17", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Truncate(8)))
    }),
    bad("odd rspauth", "SIPAE-3.2.5.2-17", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Truncate(31)))
    }),
    bad("rspauth without digits", "SIPAE-3.2.5.2-17", |s, m| {
        s.sign(m).edit(m, set(AuthParam::Rspauth, "zz"))
    }),
    bad("rspauth in Base64", "SIPAE-3.2.5.2-17", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::AsBase64))
    }),
    bad("no srand", "SIPAE-3.2.5.2-18", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Srand, ParamEdit::Remove))
    }),
    bad("no snum", "SIPAE-3.2.5.2-18", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Snum, ParamEdit::Remove))
    }),
    bad("no rspauth", "SIPAE-3.2.5.2-18", |s, m| {
        s.sign(m).edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Remove))
    }),
    bad("other realm", "SIPAE-3.2.5.2-02", |s, m| s.sign(m).edit(m, set(AuthParam::Realm, "Another Realm"))),
    bad("other targetname", "SIPAE-3.2.5.2-03", |s, m| {
        s.sign(m).edit(m, set(AuthParam::Targetname, "another.server.invalid"))
    }),
    bad("other CSeq method", "SIPAE-3.2.5.2-24", |s, m| {
        // A signed answer to a request that was never asked.
        s.edit(m, Edit::Replace { header: HeaderName::CSeq, from: " ".into(), to: " X".into() }).sign(m)
    }),
    long("other layout", "SIPAE-3.2.5.2-15", |s, m| {
        s.sign_with(m, Signing { layout: Some(Version::V2), ..Signing::default() })
    }),
];

/// What a bad answer to a request says: the opposite of the good one.
const STATUS: u16 = 603;

/// The rows of the kinds, each with what a right client does.
const ROWS: &[(&str, &str, &str)] = &[
    ("SIPAE-3.2.5.2-02", "other-realm", "for a realm that has no association"),
    ("SIPAE-3.2.5.2-03", "other-targetname", "for a server that has no association"),
    ("SIPAE-3.2.5.2-08", "forged", "whose signature does not verify"),
    ("SIPAE-3.2.5.2-11", "unsigned", "without signature"),
    ("SIPAE-3.2.5.2-15", "other-layout", "signed over the buffer of another version"),
    ("SIPAE-3.2.5.2-17", "unreadable-rspauth", "whose rspauth is no signature"),
    ("SIPAE-3.2.5.2-18", "incomplete", "whose signature lacks a part"),
    ("SIPAE-3.2.5.2-23", "signed-for-another", "that carries the signature of another message"),
    ("SIPAE-3.2.5.2-24", "of-another-method", "whose CSeq has a method that was not asked"),
];

fn kinds(row: &str, version: Version) -> impl Iterator<Item = &'static Bad> {
    let row = row.to_owned();
    BAD.iter().filter(move |bad| bad.row == row && (bad.is_short || version != Version::V2))
}

fn all_kinds(version: Version) -> impl Iterator<Item = &'static Bad> {
    BAD.iter().filter(move |bad| bad.is_short || version != Version::V2)
}

fn versions(row: &str) -> Vec<Version> {
    Version::ALL.into_iter().filter(|version| kinds(row, *version).next().is_some()).collect()
}

pub(super) fn cases() -> Vec<ClientCase> {
    let completing = ROWS.iter().map(|(row, name, title)| to_the_completing(row, name, title));
    // An answer with another CSeq belongs to no request of the client's application.
    let to_requests = ROWS.iter().filter(|(row, ..)| *row != "SIPAE-3.2.5.2-24");
    let requests = to_requests.map(|(row, name, title)| {
        let id = format!("3.2.5.2/refusal-{name}");
        to_a_request(row, &id, title, Stimulus::Message, STATUS)
    });
    // What refuses a registration tempts to give up.
    let refreshes = ["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-11"];
    let to_refreshes = ROWS.iter().filter(|(row, ..)| refreshes.contains(row));
    let refreshing = to_refreshes.map(|(row, name, title)| {
        let id = format!("3.2.5.2/refused-refresh-{name}");
        to_a_request(row, &id, title, Stimulus::Register, 403)
    });
    completing.chain(requests).chain(refreshing).chain(others()).collect()
}

/// Bad successes in answer to the completing request, and a good one behind them.
fn to_the_completing(row: &'static str, name: &str, title: &str) -> ClientCase {
    let id = format!("3.2.5.2/success-{name}");
    let rows = if row == "SIPAE-3.2.5.2-19" { vec![row] } else { vec![row, "SIPAE-3.2.5.2-19"] };
    ClientCase::new(&id, &format!("a success {title} registers nobody"), &rows)
        .at(&versions(row))
        .telling()
        .plan(move |mode| successes(kinds(row, mode.version)))
        .together(|mode| successes(all_kinds(mode.version)))
        .judge(move |judge| {
            let version = judge.mode().version;
            for bad in kinds(row, version) {
                not_registered(judge, row, bad.name);
                not_registered(judge, "SIPAE-3.2.5.2-19", bad.name);
            }
            let is_registered = judge.standing("good").is_some_and(|standing| standing.registered);
            let holds = holds_if(is_registered, "it has given up");
            judge.recorded("SIPAE-3.2.5.2-19", "the good answer behind it registers", holds);
        })
}

/// A bad success of each kind, and a good one.
fn successes(kinds: impl Iterator<Item = &'static Bad>) -> Service {
    let service = Service::new().wait("completing", Awaited::Completing);
    let service = service.each(kinds, |service, bad| {
        let service = service.respond(bad.name, "completing", 200, Form::Success);
        let service = (bad.make)(service, bad.name);
        let service = match bad.name {
            "other status signed" => service.edit(bad.name, Edit::Status(200)),
            _ => service,
        };
        service.send(bad.name).settle().standing(bad.name)
    });
    service.serve("completing").settle().standing("good")
}

fn not_registered(judge: &mut ClientJudge<'_>, row: &'static str, name: &str) {
    let Some(sent) = judge.sent(name) else { return };
    // Whoever has believed another one before is registered anyway.
    let earlier = judge.seen().sent.iter().filter(|(_, other)| other.place < sent.place);
    let mut standings = earlier.filter_map(|(label, _)| judge.seen().standings.get(label)?.as_ref());
    if standings.any(|standing| standing.registered) {
        return judge.undecide(format!("{name}: it was registered before"));
    }
    let Some(standing) = judge.standing(name) else { return };
    // Whoever has closed, and authenticated again, is registered by that.
    let again = judge.seen().after(name).iter().any(|heard| heard.read.class == Class::Completing);
    if standing.registered && again {
        return judge.check(row, &format!("{name}: not registered by it"), Ok(()));
    }
    // Of whoever says nothing when all is well nobody knows what it has believed.
    let end = judge.seen().standings.get(&"good".into()).and_then(Option::as_ref);
    let is_silent = end.is_some_and(|end| !end.registered && !end.failed);
    if is_silent && judge.seen().connections.closed == 0 && judge.seen().end.is_none() {
        return judge
            .undecide(format!("{name}: it does not say that it is registered by the good answer either"));
    }
    let holds = holds_if(!standing.registered, "it takes itself for registered");
    judge.check(row, &format!("{name}: not registered"), holds);
}

/// Bad refusals in answer to requests of the client, and a good success behind each.
fn to_a_request(row: &'static str, id: &str, title: &str, stimulus: Stimulus, status: u16) -> ClientCase {
    let form = if stimulus == Stimulus::Register { Form::Success } else { Form::Plain };
    let case = ClientCase::new(id, &format!("a refusal {title} is not believed"), &[row]);
    let case = if stimulus == Stimulus::Register { case.answering() } else { case };
    case.shared()
        .at(&versions(row))
        .made_to(&[stimulus])
        .telling()
        .plan(move |mode| {
            let service = Service::new().each(kinds(row, mode.version), |service, bad| {
                let request = format!("request, {}", bad.name);
                let good = format!("good, {}", bad.name);
                let service = service
                    .make(bad.name, stimulus)
                    .wait(&request, Awaited::Method(stimulus.method().to_owned()))
                    .respond(bad.name, &request, status, Form::Plain);
                let service = (bad.make)(service, bad.name)
                    .send(bad.name)
                    .respond(&good, &request, 200, form)
                    .sign(&good)
                    .send(&good);
                // Of REGISTER there is one at a time: the good answer has been read when the next one is asked for.
                if stimulus == Stimulus::Register { service.fence() } else { service }
            });
            service.read().standing("end")
        })
        .judge(move |judge| {
            for bad in kinds(row, judge.mode().version) {
                believes_the_good(judge, row, bad.name, status);
            }
        })
}

/// Of two answers the good one, a 200, is taken.
pub(super) fn believes_the_good(judge: &mut ClientJudge<'_>, row: &'static str, name: &str, bad: u16) {
    if judge.sent(name).is_none() {
        return;
    }
    let Some(outcome) = judge.outcome("end", name) else { return };
    let has_closed = 0 < judge.seen().connections.closed;
    let holds = match outcome {
        Some(200) => Ok(()),
        // To close is one of the ways not to believe.
        None if has_closed => Ok(()),
        Some(status) if status == bad => Err(format!("it took the {status}")),
        Some(status) => Err(format!("it took a {status}")),
        None => Err("it took neither of them".to_owned()),
    };
    judge.check(row, &format!("{name}: the good answer is taken"), holds);
}

fn others() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.5.2/own-signature-sent-back",
            "the client's own signature of the completing request proves no server",
            &["SIPAE-3.2.5.2-21", "SIPAE-3.2.5.2-19"],
        )
        .at(&[Version::V4])
        .telling()
        .plan(|_| {
            Service::new()
                .wait("completing", Awaited::Completing)
                .respond("bad", "completing", 200, Form::Success)
                .reflect("bad", "completing")
                .send("bad")
                .settle()
                .standing("bad")
        })
        .judge(|judge| {
            not_registered(judge, "SIPAE-3.2.5.2-21", "bad");
            not_registered(judge, "SIPAE-3.2.5.2-19", "bad");
        }),
        ClientCase::new(
            "3.2.1/handshake-verifies-nothing",
            "a signature is not verified with a half-built association",
            &["SIPAE-3.2.1-04"],
        )
        .telling()
        .plan(|_| {
            let signature = "{sa.scheme} qop=\"auth\", opaque=\"0A0B0C0D\", srand=\"0A1B2C3D\", snum=\"1\", \
                             rspauth=\"0100000000000000000000006400\
                             0000\", targetname=\"{sa.targetname}\", realm=\"{sa.realm}\"";
            Service::new()
                .wait("first", Awaited::First)
                .respond("bad", "first", 200, Form::Success)
                .edit(
                    "bad",
                    Edit::AddHeader {
                        name: "Authentication-Info".to_owned(),
                        value: Text::of(signature),
                        first: false,
                    },
                )
                .send("bad")
                .settle()
                .standing("bad")
        })
        .judge(|judge| not_registered(judge, "SIPAE-3.2.1-04", "bad")),
        ClientCase::new(
            "3.2.5.1/signed-refusal-establishes",
            "a signed 403 proves the server, and registers nobody",
            &["SIPAE-3.2.5.1-30"],
        )
        .telling()
        .plan(|_| {
            Service::new()
                .wait("completing", Awaited::Completing)
                .reply("refusal", "completing", 403)
                .settle()
                .standing("refusal")
        })
        .judge(|judge| not_registered(judge, "SIPAE-3.2.5.1-30", "refusal")),
        ClientCase::new(
            "3.2.5.2/trying-before-the-proof",
            "an unsigned 100 before the signed answer does no harm",
            &["SIPAE-3.2.5.2-12"],
        )
        .telling()
        .plan(|_| {
            Service::new()
                .wait("completing", Awaited::Completing)
                .respond("trying", "completing", 100, Form::Plain)
                .send("trying")
                .serve("completing")
                .settle()
                .standing("end")
        })
        .judge(|judge| {
            if judge.sent("trying").is_none() {
                return;
            }
            let Some(standing) = judge.standing("end") else { return };
            let holds = holds_if(standing.registered, "it is not registered");
            judge.check("SIPAE-3.2.5.2-12", "the transaction goes on", holds);
        }),
        ClientCase::new(
            "3.2.5.2/very-long-rspauth",
            "a very long rspauth is refused, and breaks nothing",
            &["SIPAE-3.2.5.2-17"],
        )
        .answering()
        .plan(|_| {
            let long = |digits: usize| set(AuthParam::Rspauth, &"0".repeat(digits));
            let service = Service::new().establish().settle().answered("bad").sign("bad");
            let service = service.edit("bad", long(6000)).send("bad").fence();
            // What is too long for any message may end the connection.
            service.answered("huge").sign("huge").edit("huge", long(1_000_000)).send("huge").settle()
        })
        .judge(|judge| judge.refused("SIPAE-3.2.5.2-17", "bad")),
    ]
}
