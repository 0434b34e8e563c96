//! Octets that text functions change or stop at (SIPAE-2.2-23, -24).
//!
//! The signature covers them as they stand. A verifier that signs another text than the one that came lets an attacker
//! choose among all texts that it takes for the same.

use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Edit, Piece, Text};

use super::{fenced, handshake, name, signed_over};
use crate::case::Case;

use HeaderName::{From, To};

pub(super) fn cases() -> Vec<Case> {
    [cuts(), texts()].into_iter().flatten().collect()
}

/// A tag of From or To.
fn tag(header: HeaderName, value: &[u8]) -> Edit {
    let epid = if header == From { ";epid={user.epid}" } else { "" };
    let mut text = Text::of(&format!("<sip:{{user.address}}>{epid};tag="));
    text.0.push(Piece::Literal(value.to_vec()));
    Edit::SetHeader(header, text)
}

/// Signed over one value and sent with another: the two are not the same.
fn differs(id: &str, title: &str, row: &'static str, signed: Edit, sent: Edit) -> Case {
    Case::new(&name(id), title, &[row])
        .plan(move |mode| {
            let script = signed_over(handshake(mode), std::slice::from_ref(&signed));
            fenced(super::edited(script, std::slice::from_ref(&sent)))
        })
        .judge(move |judge| judge.refused(row, super::CHANGED))
}

/// NUL and carriage return, at which texts of C and lines end.
fn cuts() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-23";
    let cut = |octet: &str, header: HeaderName, sent: &[u8]| {
        differs(
            &format!("{octet}-in-{}", header.name().to_lowercase()),
            &format!("a tag of {header} is not cut short at a {}", octet.replace('-', " ")),
            ROW,
            tag(header, b"ab"),
            tag(header, sent),
        )
    };
    let behind = |header: HeaderName| {
        differs(
            &format!("behind-nul-in-{}", header.name().to_lowercase()),
            &format!("a change to a tag of {header} behind a NUL is noticed"),
            ROW,
            tag(header, b"ab\0cd"),
            tag(header, b"ab\0ce"),
        )
    };
    let each = |header| {
        [cut("nul", header, b"ab\0cd"), cut("carriage-return", header, b"ab\rcd"), behind(header)]
    };
    [From, To].into_iter().flat_map(each).collect()
}

/// What is signed is the form that text functions make of what is sent.
fn texts() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-24";
    let uri = |header: HeaderName, param: &str| {
        let marks = if header == From { ";tag={user.tag};epid={user.epid}" } else { "" };
        Edit::SetHeader(header, Text::of(&format!("<sip:{{user.address}};x={param}>{marks}")))
    };
    vec![
        differs(
            "percent-in-from",
            "a percent-encoded letter of the From URI is not the letter",
            ROW,
            uri(From, "a"),
            uri(From, "%61"),
        ),
        differs(
            "percent-in-to",
            "a percent-encoded letter of the To URI is not the letter",
            ROW,
            uri(To, "a"),
            uri(To, "%61"),
        )
        .at(&[Version::V3, Version::V4]),
        differs(
            "composed-letter",
            "a letter and its accent are not the accented letter",
            ROW,
            tag(From, "\u{e9}".as_bytes()),
            tag(From, "e\u{301}".as_bytes()),
        ),
        differs(
            "replaced-octet",
            "an octet that is no UTF-8 is not the character that stands for such octets",
            ROW,
            tag(From, "caf\u{FFFD}".as_bytes()),
            tag(From, b"caf\xE9"),
        ),
        Case::new(
            &name("octets-above-127"),
            "whether a Call-ID that is not ASCII is read is written down: it is signed as it stands, or refused",
            &[ROW],
        )
        .plan(|mode| {
            let call_id = Edit::SetHeader(HeaderName::CallId, Text::from("caf\u{e9}-cafe\u{301}"));
            signed_over(handshake(mode), &[call_id]).ask(super::CHANGED)
        })
        .judge(|judge| super::written_down(judge, ROW)),
        differs(
            "letter-case-of-tag",
            "a tag in another letter case is another tag",
            ROW,
            tag(From, b"abcdef"),
            tag(From, b"ABCDEF"),
        ),
    ]
}
