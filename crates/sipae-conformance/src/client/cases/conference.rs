//! Anonymous joins ([MS-SIPAE] 3.2.4.3, 3.2.5.5, 3.2.5.6): how a client without an account comes into a conference of the
//! suite, and what it makes of a bad focus.

use std::collections::BTreeMap;

use sipae::auth::{AuthParam, Scheme};
use sipae::client::Stimulus;
use sipae::conference::{ConferenceUri, anonymous_user};
use sipae::digest::{DigestChallenge, DigestCredential};
use sipae::message::{HeaderName, Limits, Message, StartLine};
use sipae_gen::{Awaited, Edit, ParamEdit, Service};

use super::super::case::ClientCase;
use super::super::home::Class;
use super::super::judge::ClientJudge;
use super::super::seen::{Conversation, Heard};
use super::challenges::{bounded, challenged, line};
use super::look::{all, cseq, field, from_param};
use crate::ledger::holds_if;
use crate::reaction::Signature;
use crate::target::DIGEST;

fn joins(id: &str, title: &str, rows: &[&'static str]) -> ClientCase {
    ClientCase::new(id, title, rows).with(&[Scheme::Digest]).at(&[DIGEST.version])
}

pub(super) fn cases() -> Vec<ClientCase> {
    addresses().into_iter().chain(credentials()).chain(bad()).collect()
}

fn addresses() -> Vec<ClientCase> {
    vec![
        joins(
            "3.2.4.3/joins-a-conference",
            "an anonymous session joins a conference, and does nothing else",
            &["SIPAE-3.2.4.3-01"],
        )
        .of_the_good()
        .judge(|judge| {
            let first = anonymous(judge.seen()).next();
            let Some(first) = first else { return judge.undecide("nobody anonymous was heard") };
            let uri = request_uri(first);
            let is_join = first.method() == "INVITE" && ConferenceUri::read(uri.as_bytes()).is_some();
            let holds = holds_if(is_join, format!("{} {uri}", first.method()));
            judge.check("SIPAE-3.2.4.3-01", "an INVITE to a conference", holds);
            let others = anonymous(judge.seen()).map(|heard| match heard.method().as_str() {
                "REGISTER" => Err("a REGISTER from an anonymous address".to_owned()),
                "SUBSCRIBE" | "MESSAGE" if is_outside(heard) => {
                    Err(format!("{} {}", heard.method(), request_uri(heard)))
                }
                _ => Ok(()),
            });
            judge.check("SIPAE-3.2.4.3-01", "no registration, and nothing to anybody else", all(others));
        }),
        joins(
            "3.2.4.3/another-address-each-time",
            "each join has an address that was made up for it",
            &["SIPAE-3.2.4.3-02"],
        )
        .plan(|_| Service::new().wait("first", Awaited::Any).reply("refusal", "first", 480).settle())
        .judge(|judge| {
            let Some(first) = judge.request("first") else { return };
            let Some(good) = judge.good().and_then(|good| good.heard.first()) else {
                return judge.undecide("there is no other join to compare with");
            };
            let Some((one, other)) = user_of(first).zip(user_of(good)) else {
                return judge.undecide("its address is not anonymous");
            };
            let holds = holds_if(one != other, format!("twice {one:?}"));
            judge.check("SIPAE-3.2.4.3-02", "another user part", holds);
        }),
        joins(
            "3.2.4.3/anonymous-address",
            "From of the anonymous is at anonymous.invalid",
            &["SIPAE-3.2.4.3-03"],
        )
        .of_the_good()
        .judge(|judge| {
            let heard = &judge.seen().heard;
            if heard.is_empty() {
                return judge.undecide("nothing was heard");
            }
            let found = heard.iter().map(|heard| match user_of(heard) {
                Some(_) => Ok(()),
                None => Err(from_uri(heard)),
            });
            judge.check("SIPAE-3.2.4.3-03", "sip:<username>@anonymous.invalid", all(found));
        }),
        joins(
            "3.2.4.3/anonymous-contact",
            "Contact repeats the anonymous address, with an instance, and From has an epid",
            &["SIPAE-3.2.4.3-04"],
        )
        .of_the_good()
        .judge(|judge| {
            let Some(join) = anonymous(judge.seen()).find(|heard| heard.method() == "INVITE") else {
                return judge.undecide("no INVITE was heard");
            };
            let contact = field(join, HeaderName::Contact).unwrap_or_default();
            let contact = String::from_utf8_lossy(&contact).into_owned();
            let lacks = |part: &str| holds_if(contact.contains(part), format!("no {part} in {contact:?}"));
            let own = from_uri(join);
            let epid = from_param(join, "epid").map(drop).ok_or_else(|| "From has no epid".to_owned());
            let holds = all([lacks(&own), lacks("proxy=replace"), lacks("+sip.instance="), epid]);
            judge.check("SIPAE-3.2.4.3-04", "address, proxy=replace, +sip.instance, and epid", holds);
        }),
    ]
}

fn credentials() -> Vec<ClientCase> {
    vec![
        joins(
            "3.2.5.5/answers-the-challenge",
            "the Digest challenge is answered by its own parameters",
            &["SIPAE-3.2.5.5-01", "SIPAE-3.2.5.5-02", "SIPAE-3.2.5.5-05", "SIPAE-3.2.5.5-07"],
        )
        .of_the_good()
        .judge(answers_the_challenge),
        joins(
            "3.2.5.5/counts-its-credentials",
            "nc begins with 1 and goes up with each use of a nonce",
            &["SIPAE-3.2.5.5-04"],
        )
        .of_the_good()
        .judge(|judge| counts(judge, "SIPAE-3.2.5.5-04", 2)),
        joins(
            "3.2.5.5/keeps-the-nonce",
            "later requests go on with what the challenge said",
            &["SIPAE-3.2.5.5-08"],
        )
        .of_the_good()
        .judge(keeps_the_nonce),
        joins(
            "3.2.5.6/acknowledges-with-a-credential",
            "the ACK of the success has a credential of its own",
            &["SIPAE-3.2.5.6-01"],
        )
        .of_the_good()
        .judge(|judge| {
            let heard = &judge.seen().heard;
            let joined = heard.iter().find(|heard| heard.read.class == Class::Completing).and_then(cseq);
            let is_own =
                |heard: &&Heard| heard.method() == "ACK" && joined.is_some() && cseq(heard) == joined;
            match heard.iter().find(is_own) {
                Some(ack) => ahead(judge, ack),
                None => judge.undecide("no ACK of the success was heard"),
            }
        }),
        joins(
            "3.2.5.6/leaves-with-a-credential",
            "a BYE has a credential without being asked for one",
            &["SIPAE-3.2.5.6-01", "SIPAE-3.2.5.5-04"],
        )
        .made_to(&[Stimulus::Bye])
        .plan(|_| {
            Service::new()
                .establish()
                .settle()
                .make("leave", Stimulus::Bye)
                .wait("bye", Awaited::Method("BYE".to_owned()))
                .serve("bye")
                .settle()
        })
        .judge(|judge| {
            let Some(bye) = judge.request("bye") else { return };
            ahead(judge, bye);
            counts(judge, "SIPAE-3.2.5.5-04", 1);
        }),
        joins(
            "3.2.5.6/stale-nonce",
            "a nonce that is stale is replaced without a question, once",
            &["SIPAE-3.2.5.6-02"],
        )
        .plan(|_| {
            let stale = Edit::AddParam { name: "stale".to_owned(), value: "true".into(), first: false };
            Service::new()
                .wait("completing", Awaited::Completing)
                .challenge("stale", "completing")
                .edit("stale", stale)
                .send("stale")
                .wait_if_any("again", Awaited::Completing)
                .serve_if("again")
                .settle()
        })
        .judge(|judge| {
            if judge.sent("stale").is_none() {
                return;
            }
            let again = judge.seen().request("again").is_some();
            judge.recorded("SIPAE-3.2.5.6-02", "the same, with the new nonce", holds_if(again, "nothing"));
            let later = judge.seen().after("stale").iter().filter(|heard| heard.method() == "INVITE");
            let count = later.count();
            judge.check(
                "SIPAE-3.2.5.6-02",
                "no more than once",
                holds_if(count <= 1, format!("{count} times")),
            );
        }),
    ]
}

fn bad() -> Vec<ClientCase> {
    vec![
        joins(
            "3.2.5.5/signing-scheme-beside-digest",
            "the anonymous answer Digest, whatever else is offered",
            &["SIPAE-3.2.5.5-01"],
        )
        .plan(|_| {
            let ntlm = "NTLM realm=\"{sa.realm}\", targetname=\"{sa.server}\", version=4";
            challenged(vec![line(ntlm, true)]).wait_if_any("next", Awaited::Any).serve_if("next").settle()
        })
        .judge(|judge| judge.next("SIPAE-3.2.5.5-01", "challenge")),
        joins(
            "3.2.5.5/challenge-without-nonce",
            "where the challenge has no nonce none is invented",
            &["SIPAE-3.2.5.5-01"],
        )
        .plan(|_| challenged(vec![Edit::Param(AuthParam::Nonce, ParamEdit::Remove)]).settle())
        .judge(|judge| no_credential(judge, "SIPAE-3.2.5.5-01")),
        joins(
            "3.2.5.5/unknown-algorithm-first",
            "a challenge line of an unknown algorithm is passed over",
            &["SIPAE-3.2.5.5-03"],
        )
        .plan(|_| challenged(vec![line(&other_line("FNV-1"), true)]).establish().settle())
        .judge(|judge| {
            judge.establishes("SIPAE-3.2.5.5-03");
            if judge.seen().request("completing").is_some() {
                judge.of_credential("SIPAE-3.2.5.5-03", "completing", "algorithm MD5-sess", |_, header| {
                    let algorithm = super::look::text(header, AuthParam::Algorithm).unwrap_or_default();
                    holds_if(algorithm.eq_ignore_ascii_case("MD5-sess"), format!("{algorithm:?}"))
                });
            }
        }),
        joins(
            "3.2.5.5/only-an-unknown-algorithm",
            "where only an unknown algorithm is offered no credential is shown",
            &["SIPAE-3.2.5.5-03"],
        )
        .plan(|_| {
            challenged(vec![Edit::Param(AuthParam::Algorithm, ParamEdit::Set("FNV-1".into()))]).settle()
        })
        .judge(|judge| no_credential(judge, "SIPAE-3.2.5.5-03")),
        joins(
            "3.2.5.5/stronger-algorithm",
            "of two algorithms one that the client knows is taken, the stronger one before the other",
            &["SIPAE-3.2.5.5-03"],
        )
        .plan(|_| challenged(vec![line(&other_line("SHA-256-sess"), true)]).establish().settle())
        .judge(|judge| {
            judge.establishes("SIPAE-3.2.5.5-03");
            let Some(completing) = judge.seen().request("completing") else { return };
            let algorithm = credential(completing).and_then(|credential| credential.algorithm);
            let name = algorithm.map_or("none", |algorithm| algorithm.name());
            judge.recorded("SIPAE-3.2.5.5-03", "SHA-256-sess", holds_if(name == "SHA-256-sess", name));
        }),
        joins(
            "3.2.5.5/refused-key",
            "a key that was refused is not shown again and again",
            &["SIPAE-3.2.5.5-06"],
        )
        .patient()
        .plan(|_| {
            Service::new().each(0..12, |service, round| {
                let (request, answer) = (format!("completing {round}"), format!("refusal {round}"));
                service.wait_if_any(&request, Awaited::Completing).challenge(&answer, &request).send(&answer)
            })
        })
        .judge(|judge| {
            bounded(judge, "SIPAE-3.2.5.5-06", 2, 10);
            says_who_it_is(judge);
        }),
    ]
}

/// What stands in `username` is not known (E-14): it is written down.
fn says_who_it_is(judge: &mut ClientJudge<'_>) {
    let Some((heard, credential)) = with_credential(judge.seen()).into_iter().next() else { return };
    let uri = request_uri(heard);
    let conference = ConferenceUri::read(uri.as_bytes()).map(|conference| conference.id.to_vec());
    let is_conference = conference.as_ref() == Some(&credential.username);
    let username = String::from_utf8_lossy(&credential.username).into_owned();
    let whose = match user_of(heard) {
        Some(user) if user == username => "its anonymous user part".to_owned(),
        _ => format!("{username:?}"),
    };
    judge.recorded(
        "SIPAE-3.2.5.5-06",
        "username is the name of the conference",
        holds_if(is_conference, whose),
    );
}

/// A line for the same nonce with another algorithm.
fn other_line(algorithm: &str) -> String {
    format!(
        "Digest realm=\"{{sa.realm}}\", nonce=\"{{sa.nonce}}\", opaque=\"{{sa.opaque}}\", algorithm={algorithm}, qop=\"auth\""
    )
}

fn request_uri(heard: &Heard) -> String {
    let uri = heard.look(|message| match message.start_line() {
        StartLine::Request { uri, .. } => String::from_utf8_lossy(uri).into_owned(),
        StartLine::Response { .. } => String::new(),
    });
    uri.unwrap_or_default()
}

fn from_uri(heard: &Heard) -> String {
    let uri = heard.look(|message| {
        let from = message.from().ok();
        from.map(|from| String::from_utf8_lossy(from.uri).into_owned())
    });
    uri.flatten().unwrap_or_default()
}

/// The user part of its anonymous address.
fn user_of(heard: &Heard) -> Option<String> {
    let uri = from_uri(heard);
    anonymous_user(uri.as_bytes()).map(|user| String::from_utf8_lossy(user).into_owned())
}

/// Requests of somebody anonymous.
fn anonymous(seen: &Conversation) -> impl Iterator<Item = &Heard> {
    seen.heard.iter().filter(|heard| user_of(heard).is_some())
}

/// Whether a request is outside of every dialog, and to no conference.
fn is_outside(heard: &Heard) -> bool {
    let has_tag = heard.look(|message| message.to().is_ok_and(|to| to.tag.is_some())).unwrap_or_default();
    !has_tag && ConferenceUri::read(request_uri(heard).as_bytes()).is_none()
}

fn credential(heard: &Heard) -> Option<DigestCredential> {
    heard.credential(Scheme::Digest, |_, header| DigestCredential::of(header).ok()).flatten()
}

/// The requests with a Digest credential, in order.
fn with_credential(seen: &Conversation) -> Vec<(&Heard, DigestCredential)> {
    seen.heard.iter().filter_map(|heard| credential(heard).map(|credential| (heard, credential))).collect()
}

/// The challenge of the suite with this nonce, as it went over the wire.
fn challenge_of(seen: &Conversation, nonce: &[u8]) -> Option<DigestChallenge> {
    let challenges = seen.exchange.iter().filter_map(|exchanged| {
        let octets = exchanged.exact_octets();
        let message = Message::parse(&octets, &Limits::NONE).ok()?;
        let mut lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| message.all(name));
        lines.find_map(|value| DigestChallenge::read(value).ok())
    });
    challenges.into_iter().find(|challenge| challenge.nonce == nonce)
}

fn answers_the_challenge(judge: &mut ClientJudge<'_>) {
    let heard = &judge.seen().heard;
    let Some(answer) = heard.iter().find(|heard| heard.read.class != Class::Bare) else {
        return judge.undecide("no credential was heard");
    };
    let holds = match (&answer.read.problem, answer.read.class) {
        (None, Class::Completing) => Ok(()),
        (problem, class) => Err(problem.clone().unwrap_or_else(|| format!("{class:?}"))),
    };
    judge.check("SIPAE-3.2.5.5-01", "a Digest credential whose response is right", holds);
    let Some(credential) = credential(answer) else { return };
    let Some(challenge) = challenge_of(judge.seen(), &credential.nonce) else { return };
    let realm = String::from_utf8_lossy(&credential.realm).into_owned();
    let is_same = credential.realm == challenge.realm;
    judge.check("SIPAE-3.2.5.5-01", "the realm of the challenge", holds_if(is_same, format!("{realm:?}")));
    let algorithm = credential.algorithm.unwrap_or_default();
    let is_same = Some(algorithm) == challenge.algorithm;
    judge.check("SIPAE-3.2.5.5-02", "algorithm MD5-sess", holds_if(is_same, algorithm.name()));
    let is_same = credential.opaque == challenge.opaque;
    let opaque = String::from_utf8_lossy(&credential.opaque.unwrap_or_default()).into_owned();
    judge.check("SIPAE-3.2.5.5-05", "the opaque of the challenge", holds_if(is_same, format!("{opaque:?}")));
    let uri = String::from_utf8_lossy(&credential.uri).into_owned();
    let holds = holds_if(uri == request_uri(answer), format!("{uri:?}"));
    judge.check("SIPAE-3.2.5.5-07", "uri is the Request-URI", holds);
}

/// nc of each nonce in turn. One credential that was accepted is enough where later requests come bare, and the ACK may
/// have that of its INVITE (RFC 3261 13.2.2.4).
fn counts(judge: &mut ClientJudge<'_>, row: &'static str, least: usize) {
    let mut credentials = with_credential(judge.seen());
    credentials.retain(|(heard, _)| !repeats_its_invite(judge.seen(), heard));
    if credentials.is_empty() {
        return judge.undecide("no credential was heard");
    }
    if credentials.iter().any(|(_, credential)| credential.qop.is_none()) {
        return judge.record(row, "qop in the answer", "none, and no nc");
    }
    let mut last: BTreeMap<&[u8], u32> = BTreeMap::new();
    let mut found = Ok(());
    for (heard, credential) in &credentials {
        let count = credential.count().ok().flatten().unwrap_or_default();
        let expected = last.get(credential.nonce.as_slice()).map_or(1, |last| last.saturating_add(1));
        last.insert(&credential.nonce, count);
        if count != expected && found.is_ok() {
            found = Err(format!("nc {count:08x} in {}, {expected:08x} was due", heard.method()));
        }
    }
    judge.check(row, "nc goes up by one", found);
    let has_cnonce = credentials.iter().all(|(_, credential)| credential.cnonce.is_some());
    judge.check(row, "cnonce beside qop", holds_if(has_cnonce, "no cnonce"));
    if credentials.len() < least {
        judge.record(row, "further credentials", "none");
    }
}

/// Whether an ACK has the very credential of the INVITE that it acknowledges.
fn repeats_its_invite(seen: &Conversation, ack: &Heard) -> bool {
    let own = credential(ack);
    let is_own = |heard: &Heard| heard.method() == "INVITE" && cseq(heard) == cseq(ack);
    ack.method() == "ACK" && seen.heard.iter().any(|heard| is_own(heard) && credential(heard) == own)
}

/// Who comes bare and is challenged again goes on with the later challenge.
fn keeps_the_nonce(judge: &mut ClientJudge<'_>) {
    const ROW: &str = "SIPAE-3.2.5.5-08";
    let credentials = with_credential(judge.seen());
    let Some(((_, first), later)) = credentials.split_first() else {
        return judge.undecide("no credential was heard");
    };
    if later.is_empty() {
        return judge.undecide("no later request had a credential");
    }
    let kept = later.iter().map(|(heard, credential)| {
        let challenge = challenge_of(judge.seen(), &credential.nonce);
        let is_kept = challenge.is_some_and(|challenge| challenge.opaque == credential.opaque);
        holds_if(is_kept, format!("a nonce or opaque of no challenge in {}", heard.method()))
    });
    let kept = all(kept.collect::<Vec<_>>());
    judge.check(ROW, "nonce and opaque of a challenge", kept);
    let is_one = later.iter().all(|(_, credential)| credential.nonce == first.nonce);
    judge.recorded(ROW, "the first nonce throughout", holds_if(is_one, "that of a later challenge"));
}

/// A credential that nobody has asked for; a round more for each request is legal.
fn ahead(judge: &mut ClientJudge<'_>, heard: &Heard) {
    const ROW: &str = "SIPAE-3.2.5.6-01";
    if repeats_its_invite(judge.seen(), heard) {
        return judge.record(ROW, "a credential of its own", "that of its INVITE");
    }
    match (&heard.read.signature, &heard.read.problem, heard.read.class) {
        (_, _, Class::Bare) => judge.record(ROW, "a credential", "none"),
        (Signature::Verified(_), _, _) => judge.check(ROW, "a credential", Ok(())),
        (Signature::Replayed(count), ..) => {
            judge.check(ROW, "a credential", Err(format!("one with nc {count:08x}, which is used up")));
        }
        (_, problem, class) => {
            let why = problem.clone().unwrap_or_else(|| format!("{class:?}"));
            judge.check(ROW, "a credential that is right", Err(why));
        }
    }
}

/// A challenge that cannot be answered is not.
fn no_credential(judge: &mut ClientJudge<'_>, row: &'static str) {
    if judge.sent("challenge").is_none() {
        return;
    }
    let shown = judge.seen().after("challenge").iter().find(|heard| heard.read.scheme.is_some());
    let holds = match shown {
        Some(heard) => Err(format!("a credential in {}", heard.method())),
        None => Ok(()),
    };
    judge.check(row, "no credential", holds);
}
