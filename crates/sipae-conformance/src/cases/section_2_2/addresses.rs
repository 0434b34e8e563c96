//! From, To and Call-ID that readers could take apart differently (SIPAE-2.2-25 to -27).

use sipae::message::HeaderName;
use sipae_gen::{Edit, Template, Text};

use super::{CHANGED, changed, name, signed_over};
use crate::case::Case;
use crate::cases::{SA, handshake};

use HeaderName::{From, To};

pub(super) fn cases() -> Vec<Case> {
    [tags(), several(), ambiguous()].into_iter().flatten().collect()
}

/// Where a tag is written that is none, or is one in an unusual form.
const TAGS: [(&str, &str, HeaderName, &str); 7] = [
    (
        "tag-in-uri",
        "inside the brackets it is a parameter of the URI",
        From,
        "<sip:{user.address};tag=evil>;tag={user.tag};epid={user.epid}",
    ),
    (
        "tag-in-display-name",
        "in a quoted display name it is text",
        From,
        "\";tag=evil\" <sip:{user.address}>;tag={user.tag};epid={user.epid}",
    ),
    (
        "address-in-display-name",
        "an address in a quoted display name is text",
        From,
        "\"<sip:nobody-with-this-name@{user.host}>;tag=evil\" <sip:{user.address}>;tag={user.tag};epid={user.epid}",
    ),
    (
        "tag-in-quoted-parameter",
        "in a quoted parameter it is text",
        From,
        "<sip:{user.address}>;p=\";tag=evil\";tag={user.tag};epid={user.epid}",
    ),
    (
        "tag-with-blanks",
        "blanks around it and its letter case do not matter",
        From,
        "<sip:{user.address}> ; TAG = {user.tag} ; epid={user.epid}",
    ),
    (
        "tag-in-longer-name",
        "a parameter whose name ends in tag is another parameter",
        From,
        "<sip:{user.address}>;xtag=evil;tag={user.tag};epid={user.epid}",
    ),
    ("to-tag-in-display-name", "in a quoted display name of To it is text", To, "\";tag=evil\" <sip:{user.address}>"),
];

fn tags() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-25";
    let case = |(id, what, header, value): (&str, &str, HeaderName, &str)| {
        let edit = Edit::SetHeader(header, Text::of(value));
        Case::new(&name(id), &format!("a tag is a header parameter: {what}"), &[ROW])
            .plan(move |mode| signed_over(handshake(mode), std::slice::from_ref(&edit)).ask(CHANGED))
            .judge(|judge| judge.accepted(ROW, CHANGED))
    };
    TAGS.map(case).into_iter().chain([without_brackets()]).collect()
}

/// RFC 3261 20 has it: what follows is a parameter of the header field. Products always write brackets.
fn without_brackets() -> Case {
    const ROW: &str = "SIPAE-2.2-25";
    Case::new(
        &name("from-without-brackets"),
        "whether a From without angle brackets is read is written down",
        &[ROW],
    )
    .plan(|mode| {
        let bare = Text::of("sip:{user.address};tag={user.tag};epid={user.epid}");
        signed_over(handshake(mode), &[Edit::SetHeader(From, bare)]).ask(CHANGED)
    })
    .judge(|judge| super::written_down(judge, ROW))
}

/// The right address and another one. A reader that takes the first, or the last, verifies two of the four.
const SEVERAL: [(&str, HeaderName, &str); 8] = [
    ("from-uri-before", From, "<sip:nobody@{user.host}> <sip:{user.address}>;tag={user.tag};epid={user.epid}"),
    ("from-uri-behind", From, "<sip:{user.address}> <sip:nobody@{user.host}>;tag={user.tag};epid={user.epid}"),
    ("from-before", From, "<sip:nobody@{user.host}>;tag=2, <sip:{user.address}>;tag={user.tag};epid={user.epid}"),
    ("from-behind", From, "<sip:{user.address}>;tag={user.tag};epid={user.epid}, <sip:nobody@{user.host}>;tag=2"),
    ("to-uri-before", To, "<sip:nobody@{user.host}> <sip:{user.address}>"),
    ("to-uri-behind", To, "<sip:{user.address}> <sip:nobody@{user.host}>"),
    ("to-before", To, "<sip:nobody@{user.host}>, <sip:{user.address}>"),
    ("to-behind", To, "<sip:{user.address}>, <sip:nobody@{user.host}>"),
];

/// Refusal is preferred. A reader that takes one of them for the signature and for the identity alike breaks nothing, and
/// which one it compares cannot be seen here: acceptance is written down.
fn several() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-26";
    let case = |(id, header, value): (&str, HeaderName, &str)| {
        let edit = Edit::SetHeader(header, Text::of(value));
        let title = format!("whether a {header} that holds two addresses is accepted is written down ({id})");
        Case::new(&name(&format!("several-{id}")), &title, &[ROW])
            .plan(move |mode| {
                super::fenced(changed(handshake(mode), std::slice::from_ref(&edit)))
            })
            .judge(|judge| super::preferably_refused(judge, ROW))
    };
    SEVERAL.map(case).into()
}

/// A Call-ID may hold angle brackets, and then one buffer belongs to several messages.
fn ambiguous() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-27";
    vec![
        Case::new(
            &name("brackets-in-call-id"),
            "whether a signed value that looks like two is accepted is written down",
            &[ROW],
        )
        .plan(|mode| {
            let call_id = Edit::SetHeader(HeaderName::CallId, Text::from("a><1><INVITE"));
            let script = handshake(mode)
                .compose(CHANGED, Template::new("REGISTER"))
                .sign(CHANGED, SA)
                .edit(CHANGED, call_id)
                .resign(CHANGED, SA);
            super::fenced(script)
        })
        .judge(|judge| super::preferably_refused(judge, ROW)),
    ]
}
