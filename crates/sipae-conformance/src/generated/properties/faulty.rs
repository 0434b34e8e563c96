//! One fault at a time: no message with a fault is processed, and the association serves on.

use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::fault::{Fault, Stage};
use sipae_gen::{Choices, Edit, Expect, ParamEdit, Party, Signing, Source, Template, Text};

use super::{
    Ground, Iteration, Property, SA, SECOND_SA, Scene, Script, association, case, expecting, request, signed,
};
use crate::case::Case;
use crate::generated::faults;

/// Draws from the faults of a scheme. What those are is found out once, and not for each conversation.
pub(super) fn one_of(
    has: impl Fn(&&'static Fault) -> bool,
) -> impl Fn(&mut dyn Source, &Scene<'_>) -> Iteration {
    let of = |scheme| (scheme, Fault::of(scheme, None).filter(&has).collect::<Vec<_>>());
    let tables = Scheme::ALL.map(of);
    move |source, scene| {
        let table = tables.iter().find(|(scheme, _)| *scheme == scene.mode.scheme);
        let fault = table.and_then(|(_, table)| source.pick(table));
        fault.map_or_else(Iteration::default, |fault| faults::iteration(fault, source, scene))
    }
}

/// A case that draws from the faults of these rows at these stages.
pub(super) fn of_faults(
    id: &str,
    title: &str,
    rows: &'static [&'static str],
    stages: &'static [Stage],
) -> Case {
    let has = |fault: &&Fault| {
        let is_told = fault.expect.is_some() && rows.contains(&fault.requirement);
        is_told && stages.contains(&fault.stage)
    };
    let make = one_of(has);
    let is_signed = stages.iter().all(|stage| faults::ground(*stage).is_established());
    let property = Property::new(if is_signed { Ground::Established } else { Ground::Connected }, make);
    let row = rows.first().copied().unwrap_or_default();
    let property = if is_signed { property.harmless(row) } else { property.alone() };
    case(id, title, rows, property)
}

const SIGNED: &[Stage] = &[Stage::Before, Stage::At, Stage::After, Stage::Resigned];

pub(super) fn cases() -> Vec<Case> {
    let tables = [
        of_faults(
            "2.2/any-second-field",
            "no copy of a header field that is signed is chosen",
            &["SIPAE-2.2-21"],
            SIGNED,
        ),
        of_faults("2.2/any-malformed-parameter", "a malformed credential is none", &["SIPAE-2.2-02"], SIGNED),
        of_faults(
            "2.2/any-open-quote",
            "a quotation mark that does not close spoils its credential",
            &["SIPAE-2.2-05"],
            SIGNED,
        ),
        of_faults(
            "2.2/any-second-parameter",
            "of two parameters of a name the last does not silently win",
            &["SIPAE-2.2-16"],
            SIGNED,
        ),
        of_faults("2.2/any-wrong-qop", "qop is auth and nothing else", &["SIPAE-2.2-19"], SIGNED),
        of_faults(
            "2.2/any-unreadable-value",
            "a crand, cnum or response that is none is refused, however well it is signed",
            &["SIPAE-2.2-09", "SIPAE-2.2-10", "SIPAE-2.2-11"],
            SIGNED,
        ),
        of_faults(
            "2.2/any-cut-text",
            "no text is cut short at a control character",
            &["SIPAE-2.2-23"],
            SIGNED,
        ),
        of_faults(
            "5.1/any-signature-length",
            "a signature is compared as a whole",
            &["SIPAE-5.1-04"],
            SIGNED,
        ),
        of_faults(
            "3.3.5.3/any-forged-signature",
            "a wrong signature is refused, and ends no association",
            &["SIPAE-3.3.5.3-04"],
            SIGNED,
        ),
        of_faults(
            "3.3.5.3/any-alteration",
            "what is signed cannot be changed",
            &["SIPAE-3.3.5.3-03"],
            SIGNED,
        ),
        of_faults(
            "3.3.5.3/any-missing-parameter",
            "crand, cnum and response must all be there",
            &["SIPAE-3.3.5.3-09"],
            SIGNED,
        ),
        of_faults(
            "3.3.5.3/any-unknown-opaque",
            "a message of no association is challenged",
            &["SIPAE-3.3.5.3-02"],
            SIGNED,
        ),
        of_faults(
            "3.3.5.3/any-other-endpoint",
            "an association serves its own endpoint alone",
            &["SIPAE-3.3.5.3-07"],
            SIGNED,
        ),
        of_faults(
            "3.3.5.1/any-other-server",
            "a credential for another server is none",
            &["SIPAE-3.3.5.1-02"],
            SIGNED,
        ),
    ];
    let others =
        [broken(), long(), normalised(), foreign_from(), foreign_registration(), other_layout(), swapped()];
    tables.into_iter().chain(others).collect()
}

/// Row of what is longer than anybody has to read.
const BOUNDS: &str = "SIPAE-3.3.5.3-22";

/// Whatever is broken, and whatever readers may take or refuse: it harms no association, and crashes nothing.
fn broken() -> Case {
    const ROW: &str = "SIPAE-3.3.5.2-21";
    let property =
        open_faults(ROW, |fault| fault.requirement != BOUNDS && faults::ground(fault.stage).is_established());
    let title = "whatever is broken in a message, associations serve on";
    case("3.3.5.2/any-broken-message", title, &[ROW], property)
}

/// Whatever is too long: it may be refused, looked through, or end its connection.
fn long() -> Case {
    let property = open_faults(BOUNDS, |fault| fault.requirement == BOUNDS).costly();
    let title = "however long a message is, associations serve on";
    case("3.3.5.3/any-long-message", title, &[BOUNDS], property).rough()
}

/// A token of which something is wrong that a reader need not look at.
pub(super) fn odd_token() -> Case {
    const ROW: &str = "SIPAE-3.3.5.2-21";
    let property = open_faults(ROW, |fault| !faults::ground(fault.stage).is_established());
    let title = "whatever is odd in a token, the associations of others serve on";
    case("3.3.5.2/any-odd-token", title, &[ROW], property).with(&[Scheme::Ntlm, Scheme::TlsDsk])
}

/// One fault at a time of those that readers may take or refuse.
fn open_faults(row: &'static str, is_meant: fn(&Fault) -> bool) -> Property {
    let is_open = move |fault: &&'static Fault| fault.expect.is_none() && is_meant(fault);
    Property::new(Ground::Established, one_of(is_open)).harmless(row).alone()
}

fn from(value: &str) -> Vec<Edit> {
    vec![Edit::SetHeader(HeaderName::From, Text::of(value))]
}

/// Signed over one text and sent with another that some take for the same.
fn normalised() -> Case {
    const ROW: &str = "SIPAE-2.2-24";
    const PAIRS: [(&str, &str); 5] = [
        (
            "<sip:{user.address};x=a>;tag={user.tag};epid={user.epid}",
            "<sip:{user.address};x=%61>;tag={user.tag};epid={user.epid}",
        ),
        (
            "<sip:{user.address}>;tag=\u{e9};epid={user.epid}",
            "<sip:{user.address}>;tag=e\u{301};epid={user.epid}",
        ),
        (
            "<sip:{user.address}>;tag=abcdef;epid={user.epid}",
            "<sip:{user.address}>;tag=ABCDEF;epid={user.epid}",
        ),
        (
            "<sip:{user.address}>;tag=abcdef;epid={user.epid}",
            "<sip:{user.address}>;tag=abcDef;epid={user.epid}",
        ),
        (
            "<sip:{user.address};x=ab>;tag={user.tag};epid={user.epid}",
            "<sip:{user.address};x=AB>;tag={user.tag};epid={user.epid}",
        ),
    ];
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let (one, other) = source.pick(&PAIRS).copied().unwrap_or_default();
        expecting(signed(scene.name, from(one), from(other)), scene.name, ROW, Expect::Refused)
    };
    let property = Property::new(Ground::Established, make).harmless(ROW);
    case("2.2/any-other-text", "texts that look alike are not the same", &[ROW], property)
}

/// A name that nobody has.
fn stranger(source: &mut dyn Source) -> String {
    let length = source.between(6, 20);
    format!("nobody-{}", source.word("abcdefghijklmnopqrstuvwxyz", length))
}

fn foreign_from() -> Case {
    const ROW: &str = "SIPAE-3.3.5.3-08";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let name = stranger(source);
        let edits = from(&format!("<sip:{name}@{{user.host}}>;tag={{user.tag}};epid={{user.epid}}"));
        expecting(signed(scene.name, edits, Vec::new()), scene.name, ROW, Expect::Legal)
    };
    let property = Property::new(Ground::Established, make).harmless(ROW);
    case("3.3.5.3/any-foreign-from", "nobody signs for somebody else", &[ROW], property)
}

fn foreign_registration() -> Case {
    const ROW: &str = "SIPAE-3.3.5.3-20";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let to = format!("<sip:{}@{{user.host}}>", stranger(source));
        let edits = vec![Edit::SetHeader(HeaderName::To, Text::of(&to))];
        expecting(signed(scene.name, edits, Vec::new()), scene.name, ROW, Expect::NotGranted)
    };
    let property = Property::new(Ground::Established, make).harmless(ROW);
    case("3.3.5.3/any-foreign-registration", "nobody registers for somebody else", &[ROW], property)
}

fn other_layout() -> Case {
    const ROW: &str = "SIPAE-3.3.5.3-21";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let long = [Version::V3, Version::V4];
        let layout = if scene.mode.version == Version::V2 {
            source.pick(&long).copied().unwrap_or(Version::V3)
        } else {
            Version::V2
        };
        let signing = Signing { layout: Some(layout), ..Signing::default() };
        let number = Text::from(layout.number().to_string());
        let script = request(Script::default(), scene.name)
            .sign_with(scene.name, SA, signing)
            .edit(
                scene.name,
                Edit::AddParam { name: "version".to_owned(), value: number, first: source.one_in(2) },
            )
            .send(scene.name);
        expecting(script, scene.name, ROW, Expect::Refused)
    };
    let property = Property::new(Ground::Established, make).harmless(ROW);
    let title = "the layout of a signature is that of its association, whatever a message says";
    case("3.3.5.3/any-other-layout", title, &[ROW], property)
}

/// What one association of a user has signed, under another one of the same user.
fn swapped() -> Case {
    const ROW: &str = "SIPAE-3.3.5.3-04";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let (signer, other) = if source.one_in(2) { (SECOND_SA, SA) } else { (SA, SECOND_SA) };
        let party = if other == association(Party::SECOND) { Party::SECOND } else { Party::USER };
        // One that is free in both windows.
        let number = source.between(30, 200);
        let opaque = Text::of(&format!("{{{other}.opaque}}"));
        let script = Script::default()
            .compose(scene.name, Template::new("REGISTER").of(party))
            .sign_number(scene.name, signer, number)
            .edit(scene.name, Edit::Param(AuthParam::Opaque, ParamEdit::Set(opaque)))
            .send(scene.name);
        expecting(script, scene.name, ROW, Expect::Refused)
    };
    let property = Property::new(Ground::TwoEndpoints, make).harmless(ROW).alone();
    let title = "what one association has signed is nothing to another one of the same user";
    case("3.3.5.3/any-swapped-association", title, &[ROW], property)
}
