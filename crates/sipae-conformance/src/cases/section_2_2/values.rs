//! version, gssapi-data, crand, cnum, response: which texts are values (SIPAE-2.2-06, -08 to -11).

use sipae::auth::AuthParam;
use sipae::version::Version;
use sipae_gen::{Edit, ParamEdit, Script, Text};

use super::{CHANGED, changed, fenced, in_credential, is_noticed, is_written_down, means_nothing, name, written_down};
use crate::case::{Case, Gate};
use crate::cases::{Handshake, SA, handshake};
use crate::judge::Judge;
use crate::reaction::Reaction;

use AuthParam::{Cnum, Crand, GssapiData, Response};

/// Behind every digit.
const END: usize = usize::MAX;

pub(super) fn cases() -> Vec<Case> {
    [versions(), tokens(), rands(), numbers(), signatures()].into_iter().flatten().collect()
}

fn set(param: AuthParam, value: &str) -> Edit {
    Edit::Param(param, ParamEdit::Set(Text::from(value)))
}

/// Only where a version is offered: the short layout has none, and a server of that time does not know the parameter.
const WITH_VERSION: [Version; 2] = [Version::V3, Version::V4];

fn versions() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-06";
    let malformed = |id: &str, value: &'static str| {
        let handshake = Handshake::user().with_credential([set(AuthParam::Version, value)]);
        Case::new(&name(id), &format!("version={value} is no version"), &[ROW])
            .behind(Gate::Offered)
            .at(&WITH_VERSION)
            .plan(move |_| handshake.begin(Script::connected()))
            .judge(|judge| no_progress(judge, ROW, "first"))
    };
    vec![
        malformed("version-word", "four"),
        malformed("version-negative", "-1"),
        Case::new(
            &name("version-quoted"),
            "whether a quoted version is read is written down: both are right",
            &[ROW],
        )
        .behind(Gate::Offered)
        .at(&WITH_VERSION)
        .plan(|version| {
            let number = version.number();
            let quoted = in_credential(&format!("version={number}"), &format!("version=\"{number}\""));
            Handshake::user().with_credential([quoted]).begin(Script::connected())
        })
        .judge(|judge| {
            let Some(reaction) = judge.observed("first") else { return };
            let goes_on = matches!(reaction, Reaction::Continuation(_));
            let holds = if goes_on { Ok(()) } else { Err(reaction.to_string()) };
            judge.recorded(ROW, "first: a CHALLENGE", holds);
        }),
    ]
}

/// Neither a CHALLENGE nor an association.
fn no_progress(judge: &mut Judge<'_>, row: &'static str, message: &str) {
    let Some(reaction) = judge.observed(message) else { return };
    let is_progress = reaction.is_acceptance() || matches!(reaction, Reaction::Continuation(_));
    let holds = if is_progress { Err(reaction.to_string()) } else { Ok(()) };
    judge.check(row, &format!("{message}: refused"), holds);
}

/// Texts that a reader forgives which skips what it does not know; the password behind them is the right one, so nobody's
/// logon fails.
fn tokens() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-08";
    let case = |id: &str, what: &str, change: ParamEdit| {
        let handshake = Handshake::user().completing([Edit::Param(GssapiData, change)]).fenced();
        Case::new(&name(id), &format!("a token with {what} is no Base64"), &[ROW])
            .plan(move |version| handshake.play(Script::connected(), version))
            .judge(|judge| no_progress(judge, ROW, "last"))
    };
    let inside = |text: &str| ParamEdit::Insert(8, Text::from(text));
    vec![
        case("token-stray-character", "a character outside the alphabet", inside("*")),
        case("token-blank", "a blank in it", inside(" ")),
        case("token-padding-inside", "padding in the middle of it", inside("====")),
        case("token-padding-surplus", "more padding than it can have", ParamEdit::Insert(END, Text::from("===="))),
    ]
}

/// A credential that is changed and signed again: what stands in it is what is signed.
fn resigned(script: Script, edit: &Edit) -> Script {
    changed(script, std::slice::from_ref(edit)).resign(CHANGED, SA)
}

fn rands() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-09";
    let verified = |id: &str, title: &str, value: &str| {
        let edit = set(Crand, value);
        Case::new(&name(id), title, &[ROW])
            .plan(move |version| resigned(handshake(version), &edit).ask(CHANGED))
            .judge(|judge| judge.accepted(ROW, CHANGED))
    };
    let recorded = |id: &str, digits: &str, value: &str| {
        let edit = set(Crand, value);
        let title = format!("whether a crand of {digits} digits is read is written down: both are right");
        Case::new(&name(id), &title, &[ROW])
            .plan(move |version| resigned(handshake(version), &edit).ask(CHANGED))
            .judge(|judge| written_down(judge, ROW))
    };
    let malformed = |id: &str, value: &str| {
        let edit = set(Crand, value);
        Case::new(&name(id), &format!("crand=\"{value}\" is not eight hexadecimal digits"), &[ROW])
            .plan(move |version| fenced(resigned(handshake(version), &edit)))
            .judge(|judge| judge.refused(ROW, CHANGED))
    };
    vec![
        verified("crand-mixed-case", "crand is signed in the letter case in which it is written", "0A1b2C3d"),
        verified("crand-upper-case", "crand in upper case is signed as it is written", "0A1B2C3D"),
        verified("crand-leading-zeros", "crand is signed with its leading zeros", "0000002a"),
        recorded("crand-of-seven-digits", "seven", "a1b2c3d"),
        recorded("crand-of-nine-digits", "nine", "0a1b2c3d4"),
        malformed("crand-no-digits", "zyxwvuts"),
        malformed("crand-with-prefix", "0x1b2c3d"),
    ]
}

/// Numbers that a reader like `strtoul` takes for good ones that have not been used.
fn numbers() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-10";
    let malformed = |id: &str, what: &str, change: ParamEdit| {
        let edit = Edit::Param(Cnum, change);
        Case::new(&name(id), &format!("a cnum that {what} is not accepted, however well it is signed"), &[ROW])
            .plan(move |version| fenced(resigned(handshake(version), &edit)))
            .judge(|judge| judge.refused(ROW, CHANGED))
    };
    let set = |text: &str| ParamEdit::Set(Text::from(text));
    vec![
        malformed("cnum-zero", "is 0", set("0")),
        malformed("cnum-above-32-bits", "is above 32 bits", set("4294967373")),
        malformed("cnum-negative", "is negative", set("-1")),
        malformed("cnum-hexadecimal", "is hexadecimal", set("0x4d")),
        malformed("cnum-with-letters", "goes on with letters", ParamEdit::Insert(END, Text::from("abc"))),
        malformed("cnum-empty", "is empty", set("")),
        is_written_down(
            "cnum-unquoted",
            "whether a cnum without quotation marks is read is written down: both are right",
            ROW,
            vec![Edit::Param(Cnum, ParamEdit::Unquoted)],
        ),
        Case::new(
            &name("cnum-zero-padded"),
            "whether a cnum with leading zeros is read is written down: both are right",
            &[ROW],
        )
        .plan(|version| {
            let edit = Edit::Param(Cnum, ParamEdit::Insert(0, Text::from("00")));
            resigned(handshake(version), &edit).ask(CHANGED)
        })
        .judge(|judge| written_down(judge, ROW)),
    ]
}

fn signatures() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-11";
    vec![
        means_nothing(
            "signature-letter-case",
            "a signature in upper-case digits is the same signature",
            ROW,
            vec![Edit::Param(Response, ParamEdit::UpperCase)],
        ),
        is_noticed(
            "signature-in-base64",
            "a signature in Base64 is no signature",
            ROW,
            vec![Edit::Param(Response, ParamEdit::AsBase64)],
        ),
        is_noticed(
            "signature-of-odd-length",
            "a signature with an odd number of digits is no signature",
            ROW,
            vec![Edit::Param(Response, ParamEdit::Truncate(31))],
        ),
        is_noticed(
            "signature-with-digit-more",
            "a signature with a digit too many is no signature",
            ROW,
            vec![Edit::Param(Response, ParamEdit::Insert(END, Text::from("0")))],
        ),
    ]
}
