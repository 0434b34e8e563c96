//! 2.2: header facts, as a server shows that it reads them.

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{HeaderName, Message, Value};
use sipae::version::Version;
use sipae_gen::{Edit, ParamEdit, Script, Signing, Template, Text, Token};

use super::{SA, bare, handshake, signed};
use crate::case::{Case, Gate};
use crate::judge::Judge;
use crate::observation::ntlm_challenge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    [schemes(), forms(), crands(), numbers(), responses(), offers(), names(), twice(), texts(), addresses()]
        .into_iter()
        .flatten()
        .collect()
}

fn replace(from: &str, to: &str) -> Edit {
    Edit::Credential { from: Text::of(from), to: Text::of(to) }
}

fn param(name: &str, value: &str) -> Edit {
    Edit::AddParam { name: name.to_owned(), value: Text::of(value), first: false }
}

fn header(name: &str, value: &str, first: bool) -> Edit {
    Edit::AddHeader { name: name.to_owned(), value: Text::of(value), first }
}

/// A REGISTER that is changed behind its signature, where the signature does not look or in how it is written.
fn rewritten(script: Script, edits: Vec<Edit>) -> Script {
    edits.into_iter().fold(signed(script, "rewritten"), |script, edit| script.edit("rewritten", edit))
}

/// Another spelling of the same: it must be processed.
fn same(id: &str, title: &str, rows: &'static [&'static str], edits: Vec<Edit>) -> Case {
    Case::new(&format!("2.2/{id}"), title, rows)
        .plan(move |version| rewritten(handshake(version), edits.clone()).ask("rewritten"))
        .judge(|judge| rows.iter().for_each(|row| judge.processed(row, "rewritten")))
}

/// Something else: it must not be processed, whatever is answered.
fn other(id: &str, title: &str, rows: &'static [&'static str], edits: Vec<Edit>) -> Case {
    Case::new(&format!("2.2/{id}"), title, rows)
        .plan(move |version| rewritten(handshake(version), edits.clone()).send("rewritten").signed_fence(SA))
        .judge(|judge| rows.iter().for_each(|row| judge.refused(row, "rewritten")))
}

/// Where reading and refusing are both right.
fn either(id: &str, title: &str, row: &'static str, edits: Vec<Edit>) -> Case {
    Case::new(&format!("2.2/{id}"), title, &[row])
        .plan(move |version| rewritten(handshake(version), edits.clone()).send("rewritten").signed_fence(SA))
        .judge(move |judge| outcome(judge, row, "rewritten"))
}

fn outcome(judge: &mut Judge<'_>, row: &'static str, message: &str) {
    let Some(reaction) = judge.observed(message) else { return };
    judge.record(row, message, &reaction.outline());
}

fn schemes() -> Vec<Case> {
    vec![
        Case::new("2.2/scheme-letter-case", "a scheme in lower case is the same scheme", &["SIPAE-2.2-01"])
            .behind(Gate::Offered)
            .plan(|_| {
                // A step that is not signed: how the scheme is written into a buffer is another matter.
                bare(Script::connected())
                    .adopt(SA, "bare")
                    .compose("lower", Template::new("REGISTER"))
                    .credential("lower", SA, Token::Empty)
                    .edit("lower", Edit::Scheme("ntlm".to_owned()))
                    .ask("lower")
            })
            .judge(|judge| {
                let Some(reaction) = judge.observed("lower") else { return };
                let is_read = matches!(reaction, Reaction::Continuation(_));
                let holds = if is_read { Ok(()) } else { Err(reaction.to_string()) };
                judge.check("SIPAE-2.2-01", "lower: the handshake goes on", holds);
            }),
        same(
            "unknown-scheme-beside",
            "a credential of an unknown scheme hides no other",
            &["SIPAE-2.2-01"],
            vec![header("Authorization", "Foo realm=\"x\", data=\"y\"", true)],
        ),
    ]
}

fn forms() -> Vec<Case> {
    vec![
        same(
            "parameter-names-and-order",
            "parameters in another order, their names in upper case, say the same",
            &["SIPAE-2.2-02", "SIPAE-2.2-03"],
            vec![Edit::ReshapeCredential],
        ),
        same(
            "parameters-moved-around",
            "a parameter in front of the others says what it says behind them",
            &["SIPAE-2.2-03"],
            vec![
                Edit::Param(AuthParam::Qop, ParamEdit::Remove),
                Edit::AddParam { name: "qop".to_owned(), value: Text::from("auth"), first: true },
            ],
        ),
        same(
            "backslash",
            "a backslash in a value is an ordinary character",
            &["SIPAE-2.2-04"],
            vec![param("x-path", "a\\b")],
        ),
        same(
            "separators-in-values",
            "comma, semicolon and equals sign in a quoted value divide nothing",
            &["SIPAE-2.2-05"],
            vec![Edit::AddParam {
                name: "x-note".to_owned(),
                value: Text::from("a, cnum=77; response=b"),
                first: true,
            }],
        ),
        other(
            "open-quotation-mark",
            "a credential with a quotation mark that nothing closes is not used",
            &["SIPAE-2.2-05"],
            vec![replace("qop=\"auth\"", "qop=\"auth")],
        ),
        same(
            "unknown-parameters",
            "parameters that nobody knows have no effect",
            &["SIPAE-2.2-15"],
            vec![param("foo", "bar"), param("x-number", "1")],
        ),
        Case::new(
            "2.2/repeated-parameter",
            "of two parameters of one name the last one is not used silently",
            &["SIPAE-2.2-16"],
        )
        .plan(|version| {
            let bad = Edit::AddParam {
                name: "response".to_owned(),
                value: Text::from("01000000000000000000000064000000"),
                first: true,
            };
            rewritten(handshake(version), vec![bad]).send("rewritten").signed_fence(SA)
        })
        .judge(|judge| judge.refused("SIPAE-2.2-16", "rewritten")),
        same("qop-bare", "qop may be quoted or not", &["SIPAE-2.2-19"], vec![Edit::Param(AuthParam::Qop, ParamEdit::Unquoted)]),
        other(
            "qop-other",
            "there is no other qop than auth",
            &["SIPAE-2.2-19"],
            vec![Edit::Param(AuthParam::Qop, ParamEdit::Set(Text::from("auth-int")))],
        ),
        version_form("version-word", "a version that is no number is not used", "four", true),
        version_form("version-negative", "a version with a sign is not used", "-1", true),
        version_form("version-quoted", "whether a quoted version is read is written down", "\"4\"", false),
    ]
}

/// A first token that says its version in this way.
fn version_form(id: &str, title: &str, value: &'static str, is_wrong: bool) -> Case {
    Case::new(&format!("2.2/{id}"), title, &["SIPAE-2.2-06"])
        .behind(Gate::Offered)
        .at(&[Version::V4])
        .plan(move |_| {
            bare(Script::connected())
                .adopt(SA, "bare")
                .compose("token", Template::new("REGISTER"))
                .credential("token", SA, Token::Empty)
                .edit("token", replace("version=4", &format!("version={value}")))
                .send("token")
                .fence()
        })
        .judge(move |judge| {
            let Some(reaction) = judge.observed("token") else { return };
            let goes_on = matches!(reaction, Reaction::Continuation(_));
            if !is_wrong {
                judge.record("SIPAE-2.2-06", "token", &reaction.outline());
            } else if goes_on {
                judge.check("SIPAE-2.2-06", "token: no CHALLENGE", Err(reaction.to_string()));
            } else {
                judge.refused("SIPAE-2.2-06", "token");
            }
        })
}

/// A message that is signed over the very text that it has for crand or cnum.
fn signed_over(id: &str, title: &str, row: &'static str, signing: Signing, reading: Reading) -> Case {
    let case = Case::new(&format!("2.2/{id}"), title, &[row]).plan(move |version| {
        handshake(version)
            .compose("over", Template::new("REGISTER"))
            .sign_with("over", SA, signing.clone())
            .send("over")
            .signed_fence(SA)
    });
    match reading {
        Reading::Must => case.judge(move |judge| judge.processed(row, "over")),
        Reading::May => case.judge(move |judge| outcome(judge, row, "over")),
        Reading::MustNot => case.judge(move |judge| judge.refused(row, "over")),
    }
}

#[derive(Clone, Copy)]
enum Reading {
    Must,
    May,
    MustNot,
}

fn crands() -> Vec<Case> {
    let crand = |id: &str, title: &str, text: &str, reading| {
        let signing = Signing { rand_text: Some(text.to_owned()), ..Signing::default() };
        signed_over(id, title, "SIPAE-2.2-09", signing, reading)
    };
    vec![
        crand("crand-letter-case", "crand goes into the buffer as it is written", "0A1b2C3d", Reading::Must),
        crand("crand-of-7-digits", "whether a crand of 7 digits is read is written down", "0A1b2C3", Reading::May),
        crand("crand-of-9-digits", "whether a crand of 9 digits is read is written down", "0A1b2C3d4", Reading::May),
        crand("crand-not-hexadecimal", "a crand that is not hexadecimal is not used", "0A1b2C3g", Reading::MustNot),
    ]
}

fn numbers() -> Vec<Case> {
    let cnum = |id: &str, title: &str, text: &str, reading| {
        let signing = Signing { number_text: Some(text.to_owned()), ..Signing::default() };
        signed_over(id, title, "SIPAE-2.2-10", signing, reading)
    };
    let wrong = [
        ("zero", "0"),
        ("too-large", "4294967296"),
        ("negative", "-1"),
        ("hexadecimal", "0x9"),
        ("with-letters", "9abc"),
        ("empty", ""),
        ("blank", " 9"),
    ];
    let wrong = wrong.map(|(id, text)| {
        cnum(&format!("cnum-{id}"), &format!("cnum \"{text}\" is no number"), text, Reading::MustNot)
    });
    let free = vec![
        cnum("cnum-zero-padded", "whether a cnum with leading zeros is read is written down", "0009", Reading::May),
        either(
            "cnum-unquoted",
            "whether a cnum without quotation marks is read is written down",
            "SIPAE-2.2-10",
            vec![Edit::Param(AuthParam::Cnum, ParamEdit::Unquoted)],
        ),
    ];
    wrong.into_iter().chain(free).collect()
}

fn responses() -> Vec<Case> {
    let response = |change| vec![Edit::Param(AuthParam::Response, change)];
    vec![
        same(
            "signature-letter-case",
            "a signature in upper-case digits is the same signature",
            &["SIPAE-2.2-11"],
            response(ParamEdit::UpperCase),
        ),
        other(
            "signature-in-base64",
            "a signature in Base64 is no signature",
            &["SIPAE-2.2-11"],
            response(ParamEdit::AsBase64),
        ),
        other(
            "signature-of-31-digits",
            "an odd number of digits is no signature",
            &["SIPAE-2.2-11"],
            response(ParamEdit::Truncate(31)),
        ),
    ]
}

fn offers() -> Vec<Case> {
    let offer = |id: &str, title: &str, row: &'static str, expected: &'static str, holds: fn(&AuthHeader<'_>) -> Result<(), String>| {
        Case::new(&format!("2.2/{id}"), title, &[row])
            .behind(Gate::Offered)
            .plan(|_| bare(Script::connected()))
            .judge(move |judge| {
                let line = |answer: &Message<'_>| ntlm_challenge(answer).map(|(_, line)| holds(&line));
                match judge.observation().answer("bare", line).flatten() {
                    Some(holds) => judge.check(row, expected, holds),
                    None => judge.undecide("the challenge has no NTLM line".to_owned()),
                }
            })
    };
    vec![
        offer(
            "targetname",
            "the targetname of NTLM is a host name, not the name of a service",
            "SIPAE-2.2-13",
            "a targetname without sip/",
            |line| match line.get(AuthParam::Targetname).map(Value::to_text) {
                Some(name) if !name.is_empty() && !name.contains(['/', ' ']) => Ok(()),
                name => Err(format!("{name:?}")),
            },
        ),
        offer(
            "sts-uri",
            "the address of the certificate service stands in TLS-DSK's line only",
            "SIPAE-2.2-18",
            "NTLM without sts-uri",
            |line| match line.get(AuthParam::StsUri) {
                Some(uri) => Err(uri.to_text()),
                None => Ok(()),
            },
        ),
    ]
}

fn rename(name: HeaderName, spelling: &str) -> Edit {
    Edit::RenameHeader(name, spelling.to_owned())
}

fn names() -> Vec<Case> {
    const ROW: &[&str] = &["SIPAE-2.2-20"];
    let compact = [
        (HeaderName::From, "f"),
        (HeaderName::To, "t"),
        (HeaderName::CallId, "i"),
        (HeaderName::Contact, "m"),
        (HeaderName::Via, "v"),
        (HeaderName::ContentLength, "l"),
    ];
    let upper = [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq, HeaderName::Contact];
    let fold = |header, at: &str| Edit::Replace {
        header,
        from: Text::of(at),
        to: Text::of(&format!("\r\n {at}")),
    };
    vec![
        same(
            "compact-names",
            "compact names of header fields say what long ones say",
            ROW,
            compact.map(|(name, short)| rename(name, short)).into(),
        ),
        same(
            "names-in-upper-case",
            "names of header fields in upper case say what they say otherwise",
            ROW,
            upper.map(|name| rename(name, &name.name().to_uppercase())).into(),
        ),
        same(
            "folded-credential",
            "a credential that is folded onto several lines is the same",
            ROW,
            vec![replace(", realm", ",\r\n realm"), replace(", cnum", ",\r\n\t cnum")],
        ),
        same("folded-from", "a From that is folded is the same", ROW, vec![fold(HeaderName::From, ";tag")]),
    ]
}

/// A second header field that contradicts the first, in front of it or behind it.
fn twice() -> Vec<Case> {
    let second = [
        ("from", "From", "<sip:nobody@{user.host}>;tag=9;epid={user.epid}"),
        ("from-compact", "f", "<sip:nobody@{user.host}>;tag=9;epid={user.epid}"),
        ("to", "To", "<sip:nobody@{user.host}>"),
        ("to-compact", "t", "<sip:nobody@{user.host}>"),
        ("call-id", "Call-ID", "another"),
        ("call-id-compact", "i", "another"),
        ("cseq", "CSeq", "4711 REGISTER"),
        ("expires", "Expires", "1"),
    ];
    let case = |(id, name, value): (&'static str, &'static str, &'static str), first: bool| {
        let place = if first { "in-front" } else { "behind" };
        // One Expires contradicts nothing: the first of two is signed.
        let given = (id == "expires").then(|| header("Expires", "3600", false));
        Case::new(
            &format!("2.2/second-{id}-{place}"),
            &format!("a message with a second {name} is not processed: no copy is chosen silently"),
            &["SIPAE-2.2-21"],
        )
        .plan(move |version| {
            let script = handshake(version).compose("twice", Template::new("REGISTER"));
            let script = given.iter().fold(script, |script, edit| script.edit("twice", edit.clone()));
            script.sign("twice", SA).edit("twice", header(name, value, first)).send("twice").signed_fence(SA)
        })
        .judge(|judge| judge.refused("SIPAE-2.2-21", "twice"))
    };
    second.into_iter().flat_map(|second| [case(second, true), case(second, false)]).collect()
}

fn texts() -> Vec<Case> {
    let body = || Edit::Body {
        content_type: "text/plain".to_owned(),
        octets: b"From: <sip:x@y>;tag=9\r\nExpires: 1\r\nCall-ID: z\r\n\r\n".to_vec(),
    };
    let tagged = |script: Script, before: &'static str, behind: &'static str| {
        script
            .compose("tagged", Template::new("REGISTER"))
            .edit("tagged", Edit::FromTag(before.to_owned()))
            .sign("tagged", SA)
            .edit("tagged", Edit::FromTag(behind.to_owned()))
            .send("tagged")
            .signed_fence(SA)
    };
    vec![
        same("body-like-headers", "a body is no header, whatever it looks like", &["SIPAE-2.2-22"], vec![body()]),
        Case::new(
            "2.2/nul-in-tag",
            "a value does not end at a NUL: what stands behind it is signed as well",
            &["SIPAE-2.2-23"],
        )
        .plan(move |version| tagged(handshake(version), "ab", "ab\0cd"))
        .judge(|judge| judge.refused("SIPAE-2.2-23", "tagged")),
        Case::new(
            "2.2/carriage-return-in-tag",
            "a value does not end at a carriage return: what stands behind it is signed as well",
            &["SIPAE-2.2-23"],
        )
        .plan(move |version| tagged(handshake(version), "ab", "ab\rcd"))
        .judge(|judge| judge.refused("SIPAE-2.2-23", "tagged")),
        other(
            "percent-encoding",
            "a URI that only decodes to the signed one is another URI",
            &["SIPAE-2.2-24"],
            vec![Edit::Replace {
                header: HeaderName::To,
                from: Text::from("sip:"),
                to: Text::from("sip:%2B"),
            }],
        )
        .at(&[Version::V3, Version::V4]),
        Case::new(
            "2.2/octets-above-127",
            "octets above 127 go into the buffer as they are",
            &["SIPAE-2.2-24"],
        )
        .plan(|version| {
            handshake(version)
                .compose("utf-8", Template::new("REGISTER"))
                .edit("utf-8", Edit::SetHeader(HeaderName::CallId, Text::from("caf\u{e9}-cafe\u{301}")))
                .sign("utf-8", SA)
                .ask("utf-8")
        })
        .judge(|judge| judge.processed("SIPAE-2.2-24", "utf-8")),
    ]
}

/// A From that is composed and signed in this form.
fn from_form(id: &str, title: &str, value: &'static str, is_certain: bool) -> Case {
    Case::new(&format!("2.2/{id}"), title, &["SIPAE-2.2-25"])
        .plan(move |version| {
            handshake(version)
                .compose("from", Template::new("OPTIONS"))
                .edit("from", Edit::SetHeader(HeaderName::From, Text::of(value)))
                .sign("from", SA)
                .send("from")
                .signed_fence(SA)
        })
        .judge(move |judge| {
            if is_certain {
                judge.processed("SIPAE-2.2-25", "from");
            } else {
                outcome(judge, "SIPAE-2.2-25", "from");
            }
        })
}

/// A From that two readers would read as two people, put in place of the signed one.
fn doubtful(id: &str, title: &str, value: &'static str) -> Case {
    Case::new(&format!("2.2/{id}"), title, &["SIPAE-2.2-26"])
        .plan(move |version| {
            signed(handshake(version), "doubtful")
                .edit("doubtful", Edit::SetHeader(HeaderName::From, Text::of(value)))
                .send("doubtful")
                .signed_fence(SA)
        })
        .judge(|judge| judge.refused("SIPAE-2.2-26", "doubtful"))
}

fn addresses() -> Vec<Case> {
    vec![
        from_form(
            "tag-in-display-name",
            "what looks like a tag in a display name is none",
            "\";tag=evil\" <sip:{user.address}>;tag={user.tag};epid={user.epid}",
            true,
        ),
        from_form(
            "tag-in-quoted-parameter",
            "what looks like a tag in a quoted parameter is none",
            "<sip:{user.address}>;p=\";tag=evil\";tag={user.tag};epid={user.epid}",
            true,
        ),
        from_form(
            "tag-with-blanks",
            "blanks around semicolon and equals sign, and letter case of a name, mean nothing",
            "<sip:{user.address}> ; TAG = {user.tag} ; epid={user.epid}",
            true,
        ),
        from_form(
            "from-without-brackets",
            "what a server does about a From without angle brackets is written down",
            "sip:{user.address};tag={user.tag};epid={user.epid}",
            false,
        ),
        doubtful(
            "two-addresses",
            "a From with two addresses in brackets is nobody's",
            "<sip:nobody@{user.host}> <sip:{user.address}>;tag={user.tag};epid={user.epid}",
        ),
        doubtful(
            "list-of-addresses",
            "a From with a list of addresses is nobody's",
            "<sip:nobody@{user.host}>;tag=1, <sip:{user.address}>;tag={user.tag};epid={user.epid}",
        ),
    ]
}
