//! version, gssapi-data, crand, cnum, response: which texts are values (SIPAE-2.2-06, -08 to -11).

use sipae::auth::AuthParam;
use sipae::version::Version;
use sipae_gen::{Edit, ParamEdit, Script, Signing, Template, Text};

use super::{CHANGED, fenced, in_credential, is_noticed, is_written_down, means_nothing, name, preferably_refused, written_down};
use crate::case::{Case, Gate};
use crate::cases::{Handshake, SA, handshake};
use crate::judge::Judge;
use crate::reaction::Reaction;

use AuthParam::{Cnum, GssapiData, Response};

/// Behind every digit.
const END: usize = usize::MAX;

pub(super) fn cases() -> Vec<Case> {
    [versions(), tokens(), vec![blank()], rands(), numbers(), signatures()].into_iter().flatten().collect()
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
            .with_continuation()
            .plan(move |mode| handshake.begin(Script::connected(), mode))
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
        .with_continuation()
        .plan(|mode| {
            let number = mode.version.number();
            let quoted = in_credential(&format!("version={number}"), &format!("version=\"{number}\""));
            Handshake::user().with_credential([quoted]).begin(Script::connected(), mode)
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
    judge.check(row, &format!("{message}: refused"), refusal(reaction));
}

fn refusal(reaction: &Reaction) -> Result<(), String> {
    let is_progress = reaction.is_acceptance() || matches!(reaction, Reaction::Continuation(_));
    if is_progress { Err(reaction.to_string()) } else { Ok(()) }
}

/// Texts that a reader forgives which skips what it does not know; the password behind them is the right one, so nobody's
/// logon fails.
fn tokens() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-08";
    let case = |id: &str, what: &str, change: ParamEdit| {
        let handshake = Handshake::user().proving([Edit::Param(GssapiData, change)]).fenced();
        Case::new(&name(id), &format!("a token with {what} is no Base64"), &[ROW])
            .plan(move |mode| handshake.play(Script::connected(), mode))
            .judge(|judge| no_progress(judge, ROW, Handshake::user().proof(judge.mode().scheme)))
    };
    let inside = |text: &str| ParamEdit::Insert(8, Text::from(text));
    vec![
        case("token-stray-character", "a character outside the alphabet", inside("*")),
        case("token-padding-inside", "padding in the middle of it", inside("====")),
        case("token-padding-surplus", "more padding than it can have", ParamEdit::Insert(END, Text::from("===="))),
    ]
}

/// Decoders of whole platforms skip blanks, so a server that reads the token fails nobody.
fn blank() -> Case {
    const ROW: &str = "SIPAE-2.2-08";
    let change = ParamEdit::Insert(8, Text::from(" "));
    let handshake = Handshake::user().proving([Edit::Param(GssapiData, change)]).fenced();
    Case::new(&name("token-blank"), "a token with a blank in it is no Base64", &[ROW])
        .plan(move |mode| handshake.play(Script::connected(), mode))
        .judge(|judge| {
            let user = Handshake::user();
            let proof = user.proof(judge.mode().scheme);
            let Some(reaction) = judge.observed(proof) else { return };
            judge.weakly(ROW, &format!("{proof}: refused"), refusal(reaction));
        })
}

/// A REGISTER whose signature is right over these very texts for crand and cnum.
fn signed_over(script: Script, signing: &Signing) -> Script {
    script.compose(CHANGED, Template::new("REGISTER")).sign_with(CHANGED, SA, signing.clone())
}

/// What a reader has to make of a text.
#[derive(Clone, Copy)]
enum Reading {
    Must,
    /// Both are right: what a server does is written down.
    May,
    /// Refusal is preferred, and acceptance is written down.
    RatherNot,
    MustNot,
}

fn reading(id: &str, title: &str, row: &'static str, signing: Signing, reading: Reading) -> Case {
    Case::new(&name(id), title, &[row])
        .plan(move |mode| {
            let script = signed_over(handshake(mode), &signing);
            match reading {
                Reading::Must | Reading::May => script.ask(CHANGED),
                Reading::RatherNot | Reading::MustNot => fenced(script),
            }
        })
        .judge(move |judge| match reading {
            Reading::Must => judge.accepted(row, CHANGED),
            Reading::May => written_down(judge, row),
            Reading::RatherNot => preferably_refused(judge, row),
            Reading::MustNot => judge.refused(row, CHANGED),
        })
}

fn rands() -> Vec<Case> {
    let crand = |id: &str, title: &str, text: &str, read| {
        let signing = Signing { rand_text: Some(text.to_owned()), ..Signing::default() };
        reading(id, title, "SIPAE-2.2-09", signing, read)
    };
    vec![
        crand("crand-mixed-case", "crand is signed in the letter case in which it is written", "0A1b2C3d", Reading::Must),
        crand("crand-upper-case", "crand in upper case is signed as it is written", "0A1B2C3D", Reading::Must),
        crand("crand-leading-zeros", "crand is signed with its leading zeros", "0000002a", Reading::Must),
        crand("crand-of-7-digits", "whether a crand of 7 digits is read is written down", "a1b2c3d", Reading::May),
        crand("crand-of-9-digits", "whether a crand of 9 digits is read is written down", "0a1b2c3d4", Reading::May),
        crand("crand-no-digits", "letters are no crand", "zyxwvuts", Reading::MustNot),
        crand("crand-with-prefix", "digits behind 0x are no crand", "0x1b2c3d", Reading::MustNot),
    ]
}

/// Texts that a reader like `strtoul` takes for numbers that have not been used.
const NO_NUMBERS: [(&str, &str); 6] = [
    ("zero", "0"),
    ("above-32-bits", "4294967373"),
    ("negative", "-1"),
    ("hexadecimal", "0x4d"),
    ("with-letters", "9abc"),
    ("empty", ""),
];

fn numbers() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-10";
    let cnum = |id: &str, title: &str, text: &str, read| {
        let signing = Signing { number_text: Some(text.to_owned()), ..Signing::default() };
        reading(&format!("cnum-{id}"), title, ROW, signing, read)
    };
    let malformed = NO_NUMBERS.map(|(id, text)| {
        let title = format!("\"{text}\" is no cnum, however well it is signed");
        cnum(id, &title, text, Reading::MustNot)
    });
    let free = [
        cnum("behind-blank", "whether a cnum behind a blank is read is written down", " 9", Reading::RatherNot),
        cnum("zero-padded", "whether a cnum with leading zeros is read is written down", "0009", Reading::May),
        is_written_down(
            "cnum-unquoted",
            "whether a cnum without quotation marks is read is written down",
            ROW,
            vec![Edit::Param(Cnum, ParamEdit::Unquoted)],
        ),
    ];
    malformed.into_iter().chain(free).collect()
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
