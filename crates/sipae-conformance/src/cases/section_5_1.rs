//! 5.1 and 3.1: what the signature covers and what it does not.

use sipae::auth::AuthParam;
use sipae::message::HeaderName;
use sipae_gen::{Edit, ParamEdit, Script, Template, Text};

use super::{SA, handshake, signed};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    uncovered().into_iter().map(free).chain(unauthenticated()).chain(cut_short()).collect()
}

/// A signed REGISTER, changed where the signature does not look.
fn changed(script: Script, edit: Edit) -> Script {
    signed(script, "changed").edit("changed", edit).ask("changed")
}

/// What networks and proxies change, and a change to it.
fn uncovered() -> Vec<(&'static str, Edit)> {
    let replace =
        |header, from: &str, to: &str| Edit::Replace { header, from: Text::of(from), to: Text::of(to) };
    let add = |name: &str, value: &str| Edit::AddHeader {
        name: name.to_owned(),
        value: Text::from(value),
        first: false,
    };
    vec![
        ("via", add("Via", "SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKbelow")),
        ("max-forwards", Edit::SetHeader(HeaderName::MaxForwards, Text::from("41"))),
        ("from-display-name", replace(HeaderName::From, "<sip:", "\"Somebody\" <sip:")),
        ("to-display-name", replace(HeaderName::To, "<sip:", "\"Somebody, Else\" <sip:")),
        (
            "contact-parameter",
            replace(HeaderName::Contact, ";proxy=replace", ";proxy=replace;methods=\"INVITE\""),
        ),
        ("body", Edit::Body { content_type: "text/plain".to_owned(), octets: b"added on the way".to_vec() }),
        ("subject", add("Subject", "added on the way")),
        ("user-agent", add("User-Agent", "UCCAPI/15.0.4481.1000 OC/15.0.4481.1000")),
        ("date", add("Date", "Thu, 31 Jan 2008 00:01:56 GMT")),
        ("unknown-header", add("X-Added", "on the way")),
    ]
}

fn free((field, edit): (&'static str, Edit)) -> Case {
    Case::new(
        &format!("3.1/free-{field}"),
        &format!("{field} can change on the way: the signature does not cover it"),
        &["SIPAE-3.1-09"],
    )
    .plan(move |mode| changed(handshake(mode), edit.clone()))
    .judge(|judge| judge.processed("SIPAE-3.1-09", "changed"))
}

/// What is not authenticated and is acted upon: what a product does is written down.
fn unauthenticated() -> Vec<Case> {
    let uri = Edit::RequestUri(Text::of("sip:another.host.invalid"));
    let contact =
        Edit::SetHeader(HeaderName::Contact, Text::from("<sip:192.0.2.1:5060;transport=tcp>;proxy=replace"));
    let case = |(field, edit): (&'static str, Edit)| {
        Case::new(
            &format!("5.1/changed-{field}"),
            &format!(
                "what a server does about a {field} that was changed behind the signature is written down"
            ),
            &["SIPAE-5.1-05"],
        )
        .plan(move |mode| {
            // Whatever is registered by it is soon gone.
            handshake(mode)
                .compose("changed", Template::new("REGISTER").header("Expires", "60"))
                .sign("changed", SA)
                .edit("changed", edit.clone())
                .send("changed")
                .signed_fence(SA)
        })
        .judge(|judge| {
            let Some(reaction) = judge.observed("changed") else { return };
            judge.record("SIPAE-5.1-05", "changed", &reaction.outline());
        })
    };
    [("request-uri", uri), ("contact", contact)].map(case).into()
}

fn cut_short() -> Vec<Case> {
    let case = |digits: usize| {
        Case::new(
            &format!("5.1/signature-of-{digits}-digits"),
            &format!("the first {digits} digits of a signature are no signature"),
            &["SIPAE-5.1-04"],
        )
        .plan(move |mode| {
            signed(handshake(mode), "cut short")
                .edit("cut short", Edit::Param(AuthParam::Response, ParamEdit::Truncate(digits)))
                .send("cut short")
                .signed_fence(SA)
        })
        .judge(|judge| judge.refused("SIPAE-5.1-04", "cut short"))
    };
    [8, 16, 30].map(case).into_iter().chain(nearly_right()).collect()
}

/// Signatures that begin like the right one.
fn nearly_right() -> Vec<Case> {
    /// The digits of the checksum in both forms of NTLM signatures, the last of them included.
    const CHECKSUM: std::ops::Range<usize> = 16..24;
    vec![
        Case::new(
            "5.1/signature-with-one-bit-changed",
            "every digit of a signature is compared, the last ones too",
            &["SIPAE-5.1-04"],
        )
        .plan(|mode| {
            CHECKSUM
                .fold(handshake(mode), |script, place| {
                    let name = place.to_string();
                    let flip = Edit::Param(AuthParam::Response, ParamEdit::FlipBitAt(place));
                    signed(script, &name).edit(&name, flip).send(&name)
                })
                .signed_fence(SA)
        })
        .judge(|judge| CHECKSUM.for_each(|place| judge.refused("SIPAE-5.1-04", &place.to_string()))),
        Case::new(
            "5.1/signature-with-octets-behind",
            "a signature with more octets behind it is no signature",
            &["SIPAE-5.1-04"],
        )
        .plan(|mode| {
            let longer = ParamEdit::Insert(usize::MAX, Text::from("00000000"));
            signed(handshake(mode), "longer")
                .edit("longer", Edit::Param(AuthParam::Response, longer))
                .send("longer")
                .signed_fence(SA)
        })
        .judge(|judge| judge.refused("SIPAE-5.1-04", "longer")),
    ]
}
