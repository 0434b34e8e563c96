//! Names, folds, copies and bodies: which header fields a signature covers (SIPAE-2.2-20 to -22).

use sipae::message::HeaderName;
use sipae_gen::{Edit, Template, Text};

use super::{CHANGED, fenced, in_credential, in_header, means_nothing, name};
use crate::case::Case;
use crate::cases::{SA, handshake};

use HeaderName::{CSeq, CallId, Contact, ContentLength, Expires, From, MaxForwards, To, Via};

pub(super) fn cases() -> Vec<Case> {
    [compact(), spelled(), folded(), copied(), bodies()].into_iter().flatten().collect()
}

fn compact() -> Vec<Case> {
    [From, To, CallId, Contact, Via, ContentLength]
        .map(|header| {
            let letter = header.compact();
            means_nothing(
                &format!("compact-{}", header.name().to_lowercase()),
                &format!("{letter} is another name of {header}"),
                "SIPAE-2.2-20",
                vec![Edit::RenameHeader(header, letter.to_owned())],
            )
        })
        .into()
}

fn spelled() -> Vec<Case> {
    const ALL: [HeaderName; 8] = [Via, MaxForwards, From, To, CallId, CSeq, Contact, ContentLength];
    let renamed = |spell: fn(&str) -> String| {
        ALL.map(|header| Edit::RenameHeader(header, spell(header.name()))).to_vec()
    };
    vec![
        means_nothing(
            "headers-upper-case",
            "names of header fields in upper case are the same names",
            "SIPAE-2.2-20",
            renamed(str::to_uppercase),
        ),
        means_nothing(
            "headers-lower-case",
            "names of header fields in lower case are the same names",
            "SIPAE-2.2-20",
            renamed(str::to_lowercase),
        ),
    ]
}

fn folded() -> Vec<Case> {
    let case = |id: &str, what: &str, edit| {
        means_nothing(id, &format!("{what} on two lines is the same"), "SIPAE-2.2-20", vec![edit])
    };
    vec![
        case("folded-credential", "a credential", in_credential(", opaque=", ",\r\n opaque=")),
        case("folded-from", "From", in_header(From, ";tag=", "\r\n ;tag=")),
        case("folded-to", "To", in_header(To, "<sip:", "\r\n\t<sip:")),
        case("folded-cseq", "CSeq", in_header(CSeq, " REGISTER", "\r\n REGISTER")),
    ]
}

/// A header field that is signed, the copies of it that come to the message, and their value.
const COPIED: [(HeaderName, &str, &str); 8] = [
    (From, "From", "<sip:nobody-with-this-name@{user.host}>;tag=another1;epid={user.epid}"),
    (From, "f", "<sip:nobody-with-this-name@{user.host}>;tag=another1;epid={user.epid}"),
    (To, "To", "<sip:nobody-with-this-name@{user.host}>"),
    (To, "t", "<sip:nobody-with-this-name@{user.host}>"),
    (CallId, "Call-ID", "another-call"),
    (CallId, "i", "another-call"),
    (CSeq, "CSeq", "4711 REGISTER"),
    (Expires, "Expires", "3601"),
];

fn copied() -> Vec<Case> {
    COPIED.into_iter().flat_map(|copied| [copy(copied, true), copy(copied, false)]).collect()
}

/// A copy that was added behind the signature. In front of the right one it deceives who verifies the last and acts upon
/// the first, behind it the other way round.
fn copy((header, spelling, value): (HeaderName, &'static str, &'static str), first: bool) -> Case {
    const ROW: &str = "SIPAE-2.2-21";
    let place = if first { "before" } else { "behind" };
    let kind = if header.name() == spelling { "" } else { "compact-" };
    let field = header.name().to_lowercase();
    Case::new(
        &name(&format!("second-{kind}{field}-{place}")),
        &format!("no {header} is chosen where there are two: {spelling} {place} the one that was signed"),
        &[ROW],
    )
    .plan(move |mode| {
        let copy = Edit::AddHeader { name: spelling.to_owned(), value: Text::of(value), first };
        let script = handshake(mode)
            .compose(CHANGED, Template::new("REGISTER").header("Expires", "3600"))
            .sign(CHANGED, SA);
        fenced(script.edit(CHANGED, copy))
    })
    .judge(|judge| judge.refused(ROW, CHANGED))
}

fn bodies() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-22";
    const SECONDS: &str = "17";
    let lines = format!(
        "From: <sip:x@y>;tag=9\r\nTo: <sip:x@y>\r\nExpires: {SECONDS}\r\nP-Asserted-Identity: <sip:x@y>\r\n\r\n"
    );
    let body = Edit::Body { content_type: "text/plain".to_owned(), octets: lines.into_bytes() };
    vec![
        Case::new(
            &name("body-like-headers"),
            "text behind the empty line is body, whatever it looks like",
            &[ROW],
        )
        .plan(move |mode| super::changed(handshake(mode), std::slice::from_ref(&body)).ask(CHANGED))
        .judge(|judge| {
            // A server may refuse such a body in its own way, before or behind the signature.
            judge.processed(ROW, CHANGED);
            let expires = judge
                .observation()
                .answer(CHANGED, |answer| answer.first(Expires).is_some_and(|value| value.raw() == SECONDS.as_bytes()));
            if expires.is_some() {
                let holds = if expires == Some(true) { Err(format!("Expires: {SECONDS}")) } else { Ok(()) };
                judge.check(ROW, "the Expires of the body is not granted", holds);
            }
        }),
    ]
}
