//! 3.3.5.1: which requests are challenged, and what comes before them.

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Edit, ParamEdit, Recipient, Script, Template, Text};
use sipae_spec::ReactionClass;

use super::{Handshake, bare, complete_headers, handshake, signed};
use crate::case::{Case, Gate};
use crate::gate::offered;
use crate::judge::Judge;
use crate::reaction::Reaction;

/// Every method that products send, and one that nobody knows: 405 or 501 before the challenge would tell strangers what
/// the server can do.
const METHODS: [&str; 12] = [
    "REGISTER",
    "INVITE",
    "MESSAGE",
    "OPTIONS",
    "SUBSCRIBE",
    "NOTIFY",
    "INFO",
    "BYE",
    "REFER",
    "SERVICE",
    "PUBLISH",
    "FOO",
];

/// One is the answer to a keep-alive, two are a keep-alive (RFC 5626 4.4.1).
const EMPTY_LINES: [usize; 3] = [1, 2, 20];

pub(super) fn cases() -> Vec<Case> {
    METHODS.into_iter().map(method).chain([others(), lines(), before()].into_iter().flatten()).collect()
}

fn method(method: &'static str) -> Case {
    Case::new(
        &format!("3.3.5.1/challenges-{}", method.to_lowercase()),
        &format!("a bare {method} is challenged"),
        &["SIPAE-3.3.5.1-04"],
    )
    .behind(Gate::Reachable)
    .plan(move |_| {
        Script::connected().compose("bare", complete_headers(Template::new(method).to(Recipient::Nobody))).ask("bare")
    })
    .judge(|judge| judge.challenge_with("SIPAE-3.3.5.1-04", "bare", &[ReactionClass::Status(400)]))
}

/// The first token of a handshake for another server.
fn for_another(param: AuthParam) -> Case {
    Case::new(
        &format!("3.3.5.1/other-{}", param.name()),
        &format!("a request whose only credential has another {} is challenged afresh", param.name()),
        &["SIPAE-3.3.5.1-02"],
    )
    .behind(Gate::Offered)
    .with_continuation()
    .plan(move |mode| {
        let script = bare(Script::connected()).adopt("sa", "bare");
        Handshake::user()
            .opening(script, "foreign", mode)
            .edit("foreign", Edit::Param(param, ParamEdit::Set(Text::from("another.server.invalid"))))
            .ask("foreign")
    })
    .judge(|judge| judge.reaction("SIPAE-3.3.5.1-02", "foreign"))
}

fn others() -> Vec<Case> {
    [AuthParam::Realm, AuthParam::Targetname].map(for_another).into_iter().chain(anonymous()).collect()
}

/// From is the anonymous address, and what is asked for is no conference.
fn anonymous() -> Vec<Case> {
    let case = |method: &'static str| {
        Case::new(
            &format!("3.3.5.1/anonymous-{}", method.to_lowercase()),
            &format!("an anonymous {method} that is for no conference gets no Digest"),
            &["SIPAE-3.3.5.1-14"],
        )
        .behind(Gate::Offered)
        .plan(move |_| {
            let from = Text::of("<sip:anonymous@anonymous.invalid>;tag={user.tag};epid={user.epid}");
            Script::connected()
                .compose("anonymous", Template::new(method))
                .edit("anonymous", Edit::SetHeader(HeaderName::From, from))
                .ask("anonymous")
        })
        .judge(no_digest)
    };
    ["REGISTER", "MESSAGE", "INVITE"].map(case).into()
}

fn no_digest(judge: &mut Judge<'_>) {
    judge.reaction("SIPAE-3.3.5.1-14", "anonymous");
    let schemes = judge.observation().answer("anonymous", offered).unwrap_or_default();
    let digest = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("Digest"));
    let holds = if digest { Err(schemes.join(", ")) } else { Ok(()) };
    judge.check("SIPAE-3.3.5.1-14", "anonymous: no Digest", holds);
}

fn lines() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.1/offered-version",
            "a challenge offers version 3 or 4",
            &["SIPAE-3.3.5.1-07"],
        )
        .behind(Gate::Reachable)
        .at(&[Version::V3, Version::V4])
        .plan(|_| bare(Script::connected()))
        .judge(|judge| {
            match judge.observation().challenge("bare", |_, line| line.version()) {
                Some(Ok(3 | 4)) => judge.check("SIPAE-3.3.5.1-07", "version 3 or 4", Ok(())),
                Some(found) => {
                    judge.check("SIPAE-3.3.5.1-07", "version 3 or 4", Err(format!("{found:?}")));
                }
                None => judge.undecide("the challenge has no line of the scheme".to_owned()),
            }
        }),
        Case::new(
            "3.3.5.1/qop-in-challenge",
            "whether a challenge line has qop is written down: both are right",
            &["SIPAE-3.3.5.1-12"],
        )
        .behind(Gate::Offered)
        .plan(|_| bare(Script::connected()))
        .judge(|judge| {
            let qop = |_, line: &AuthHeader<'_>| line.get(AuthParam::Qop).map(sipae::message::Value::to_text);
            match judge.observation().challenge("bare", qop) {
                Some(Some(qop)) => judge.record("SIPAE-3.3.5.1-12", "qop in the challenge", &qop),
                Some(None) => judge.check("SIPAE-3.3.5.1-12", "no qop in the challenge", Ok(())),
                None => judge.undecide("the challenge has no line of the scheme".to_owned()),
            }
        }),
    ]
}

fn before() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.1/keep-alive-in-association",
            "empty lines between signed messages are skipped, one or many",
            &["SIPAE-3.3.5.1-18"],
        )
        .plan(|mode| {
            EMPTY_LINES.iter().fold(handshake(mode), |script, lines| {
                let name = format!("behind {lines}");
                signed(script, &name).edit(&name, Edit::Before(b"\r\n".repeat(*lines))).ask(&name)
            })
        })
        .judge(|judge| {
            for lines in EMPTY_LINES {
                judge.accepted("SIPAE-3.3.5.1-18", &format!("behind {lines}"));
            }
        }),
        Case::new(
            "3.3.5.1/keep-alive",
            "empty lines before a start line are skipped, before and while a client authenticates",
            &["SIPAE-3.3.5.1-18"],
        )
        .plan(|mode| {
            let empty = || Edit::Before(b"\r\n\r\n".to_vec());
            Handshake::user().edited([empty()]).play(Script::connected(), mode)
        })
        .judge(keep_alive),
        Case::new(
            "3.3.5.1/many-bare-requests",
            "a hundred bare requests lock nobody out",
            &["SIPAE-3.3.5.1-16"],
        )
        .plan(|mode| {
            let names: Vec<String> = (0..100).map(|place| format!("bare {place}")).collect();
            let script = names.chunks(20).fold(Script::connected(), |script, names| {
                script
                    .each(names, |script, name| script.compose(name, Template::new("OPTIONS")))
                    .each(names, |script, name| script.send(name))
                    .each(names, |script, name| script.wait(name))
            });
            Handshake::user().play(script, mode)
        })
        .judge(|judge| {
            if judge.observation().reaction("last").is_some() {
                judge.processed("SIPAE-3.3.5.1-16", "last");
            } else {
                let why = judge.observation().broken.clone().unwrap_or_default();
                judge.check("SIPAE-3.3.5.1-16", "a handshake behind a hundred bare requests", Err(why));
            }
        }),
    ]
}

/// Each step must come out as it does without empty lines.
fn keep_alive(judge: &mut Judge<'_>) {
    const ROW: &str = "SIPAE-3.3.5.1-18";
    let is_right = |name: &str, reaction: &Reaction| match name {
        "bare" => matches!(reaction, Reaction::Challenge(_)),
        "first" => matches!(reaction, Reaction::Continuation(_)),
        _ => matches!(reaction, Reaction::Final { .. }),
    };
    for name in ["bare", "first", "last"] {
        if judge.observation().reaction(name).is_none() {
            return;
        }
        judge.answered_as(ROW, name, "as without the empty lines", |reaction| is_right(name, reaction));
    }
}
