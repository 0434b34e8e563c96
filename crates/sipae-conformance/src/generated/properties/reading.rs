//! Legal ways of writing: a right server does not mind.

use sipae::auth::AuthParam;
use sipae::message::HeaderName;
use sipae_gen::conforming::any_case;
use sipae_gen::{Choices, Edit, Expect, ParamEdit, Place, Signing, Source, Text};

use super::{Ground, Property, SA, Scene, Script, case, edited, expecting, request, signed};
use crate::case::Case;

/// The parameters of a signed message.
const PARAMS: [AuthParam; 7] = [
    AuthParam::Qop,
    AuthParam::Realm,
    AuthParam::Targetname,
    AuthParam::Opaque,
    AuthParam::Crand,
    AuthParam::Cnum,
    AuthParam::Response,
];

/// Header fields of every request of the suite.
const FIELDS: [HeaderName; 8] = [
    HeaderName::Via,
    HeaderName::MaxForwards,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::Contact,
    HeaderName::ContentLength,
];

type Edits = fn(&mut dyn Source) -> Vec<Edit>;

/// A request that is written in another way must be processed: it is rewritten after it is signed, since that changes
/// nothing that is signed.
fn rewritten(id: &str, title: &str, row: &'static str, edits: Edits) -> Case {
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        let edits = edits(source);
        expecting(signed(scene.name, Vec::new(), edits), scene.name, row, Expect::Accepted)
    };
    case(id, title, &[row], Property::new(Ground::Established, make))
}

/// The same where what is written is signed.
fn written(id: &str, title: &str, row: &'static str, edits: Edits) -> Case {
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        let edits = edits(source);
        expecting(signed(scene.name, edits, Vec::new()), scene.name, row, Expect::Accepted)
    };
    case(id, title, &[row], Property::new(Ground::Established, make))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        rewritten(
            "2.2/any-parameter-names",
            "parameter names are understood in any letter case",
            "SIPAE-2.2-02",
            parameter_names,
        ),
        rewritten(
            "2.2/any-parameter-order",
            "parameters are understood in any order",
            "SIPAE-2.2-03",
            parameter_order,
        ),
        rewritten(
            "2.2/any-unknown-parameters",
            "parameters that nobody knows have no effect",
            "SIPAE-2.2-15",
            unknown_parameters,
        ),
        rewritten(
            "2.2/any-separators",
            "separators inside quotation marks separate nothing",
            "SIPAE-2.2-05",
            separators,
        ),
        rewritten(
            "2.2/any-qop-form",
            "qop is understood in quotation marks and without",
            "SIPAE-2.2-19",
            |_| vec![Edit::Param(AuthParam::Qop, ParamEdit::Unquoted)],
        ),
        rewritten(
            "2.2/any-compact-names",
            "compact names are names of the same header fields",
            "SIPAE-2.2-20",
            compact_names,
        ),
        rewritten(
            "2.2/any-header-names",
            "names of header fields are known in any letter case",
            "SIPAE-2.2-20",
            header_names,
        ),
        rewritten("2.2/any-folds", "header fields are read on several lines", "SIPAE-2.2-20", folds),
        rewritten(
            "2.2/any-other-schemes",
            "credentials of schemes that nobody knows do not hide the others",
            "SIPAE-2.2-01",
            other_schemes,
        ),
        rewritten(
            "2.2/any-signature-digits",
            "a signature is the same in upper-case digits",
            "SIPAE-2.2-11",
            |_| vec![Edit::Param(AuthParam::Response, ParamEdit::UpperCase)],
        ),
        rewritten(
            "3.3.5.3/any-other-credentials",
            "among several credentials the one for this server is used, wherever it stands",
            "SIPAE-3.3.5.3-12",
            |source| vec![Edit::CrowdCredential { others: source.between(1, 12) as usize }],
        ),
        rewritten(
            "3.3.5.3/any-credential-field",
            "the credential is found in Authorization and in Proxy-Authorization",
            "SIPAE-3.3.5.3-13",
            |source| {
                let fields = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
                source.pick(&fields).map(|name| Edit::CredentialHeader(*name)).into_iter().collect()
            },
        ),
        rewritten(
            "3.1/any-uncovered-field",
            "what the signature does not cover can change on the way",
            "SIPAE-3.1-09",
            uncovered,
        ),
        rewritten(
            "3.3.5.1/any-empty-lines",
            "empty lines before a start line are skipped",
            "SIPAE-3.3.5.1-18",
            |source| vec![Edit::Before(b"\r\n".repeat(source.between(1, 20) as usize))],
        ),
        written("2.2/any-tag-place", "a tag is a header parameter and nothing else", "SIPAE-2.2-25", tags),
        written(
            "3.3.5.3/any-from-tag",
            "an association is found whatever the From tag of the message is",
            "SIPAE-3.3.5.3-01",
            |source| {
                let length = source.between(1, 32);
                vec![Edit::FromTag(source.word("abcdefghijklmnopqrstuvwxyz0123456789", length))]
            },
        ),
        crands(),
    ]
}

fn parameter_names(source: &mut dyn Source) -> Vec<Edit> {
    let count = source.between(1, 3);
    let edit = |source: &mut dyn Source| {
        let param = source.pick(&PARAMS).copied().unwrap_or(AuthParam::Qop);
        Edit::Param(param, ParamEdit::Rename(any_case(source, param.name())))
    };
    (0..count).map(|_| edit(source)).collect()
}

fn parameter_order(source: &mut dyn Source) -> Vec<Edit> {
    let mut params = PARAMS.to_vec();
    for place in 1..params.len() {
        let other = place - source.below(u32::try_from(place + 1).unwrap_or(1)) as usize;
        params.swap(place, other);
    }
    vec![Edit::OrderParams(params)]
}

fn unknown_parameters(source: &mut dyn Source) -> Vec<Edit> {
    let count = source.between(1, 4);
    let edit = |source: &mut dyn Source, place: u32| {
        let length = source.below(12);
        let name = format!("x{place}{}", source.word("abcdefghijklmnopqrstuvwxyz0123456789-_.", length));
        let length = source.below(20);
        let value = Text::from(source.word("abcdefghij0123456789 .:/", length));
        Edit::AddParam { name, value, first: false }
    };
    (0..count).map(|place| edit(source, place)).collect()
}

/// In a credential for somebody else, behind the own one.
fn separators(source: &mut dyn Source) -> Vec<Edit> {
    let texts = ["a, b", ",", "a=b", "realm=x, opaque=y", ", response=z", ";", "a,, b"];
    let text = source.text(&texts);
    let value = Text::from(format!("Digest username=\"x\", realm=\"{text}\", nonce=\"{text}\""));
    vec![Edit::AddHeader { name: "Authorization".to_owned(), value, first: false }]
}

fn compact_names(source: &mut dyn Source) -> Vec<Edit> {
    let fields = [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::Contact,
        HeaderName::ContentLength,
    ];
    let field = source.pick(&fields).copied().unwrap_or(HeaderName::From);
    let name = field.compact();
    let name = if source.one_in(2) { name.to_uppercase() } else { name.to_owned() };
    vec![Edit::RenameHeader(field, name)]
}

fn header_names(source: &mut dyn Source) -> Vec<Edit> {
    let count = source.between(1, 3);
    let edit = |source: &mut dyn Source| {
        let field = source.pick(&FIELDS).copied().unwrap_or(HeaderName::From);
        Edit::RenameHeader(field, any_case(source, field.name()))
    };
    (0..count).map(|_| edit(source)).collect()
}

fn folds(source: &mut dyn Source) -> Vec<Edit> {
    let blanks = source.text(&["\r\n ", "\r\n\t", " \r\n  ", "\r\n \t "]);
    match source.below(3) {
        0 => {
            let param = source.pick(&PARAMS).copied().unwrap_or(AuthParam::Opaque);
            vec![Edit::Param(param, ParamEdit::Lead(blanks.to_owned()))]
        }
        1 => vec![Edit::Replace {
            header: HeaderName::From,
            from: Text::from(";tag="),
            to: Text::from(format!("{blanks};tag=")),
        }],
        _ => vec![Edit::AddHeader {
            name: "Subject".to_owned(),
            value: Text::from(format!("on{blanks}two lines")),
            first: source.one_in(2),
        }],
    }
}

/// Behind the own one: who takes the first has that.
fn other_schemes(source: &mut dyn Source) -> Vec<Edit> {
    let scheme = source.text(&["Foo", "Bearer", "NTLMv2", "Negotiate", "X-Ntlm", "AWS4-HMAC"]);
    let value =
        Text::of(&format!("{scheme} realm=\"{{sa.realm}}\", targetname=\"{{sa.targetname}}\", data=\"1\""));
    vec![Edit::AddHeader { name: "Authorization".to_owned(), value, first: false }]
}

/// Another hop, a product, a subject, an order: proxies do all of these.
fn uncovered(source: &mut dyn Source) -> Vec<Edit> {
    let place = if source.one_in(2) { Place::First } else { Place::Last };
    match source.below(4) {
        0 => vec![Edit::SetHeader(HeaderName::MaxForwards, Text::from(source.between(20, 255).to_string()))],
        1 => vec![Edit::AddHeader {
            name: source.text(&["User-Agent", "Subject", "X-Hop"]).to_owned(),
            value: Text::from(source.word("abcdef", 12)),
            first: source.one_in(2),
        }],
        2 => vec![Edit::MoveHeader(HeaderName::CallId, place)],
        _ => vec![Edit::MoveHeader(HeaderName::MaxForwards, place)],
    }
}

fn tags(source: &mut dyn Source) -> Vec<Edit> {
    let value = source.text(&[
        "<sip:{user.address}>;tag={user.tag};epid={user.epid}",
        "<sip:{user.address};tag=evil>;tag={user.tag};epid={user.epid}",
        "\";tag=evil\" <sip:{user.address}>;tag={user.tag};epid={user.epid}",
        "<sip:{user.address}>;p=\";tag=evil\";tag={user.tag};epid={user.epid}",
        "<sip:{user.address}>;xtag=evil;tag={user.tag};epid={user.epid}",
        "<sip:{user.address}> ; TAG = {user.tag} ; epid={user.epid}",
        "<sip:{user.address}>;epid={user.epid};tag={user.tag}",
    ]);
    vec![Edit::SetHeader(HeaderName::From, Text::of(value))]
}

fn crands() -> Case {
    const ROW: &str = "SIPAE-2.2-09";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let zeros = source.below(8);
        let digits = source.word("0123456789abcdefABCDEF", 8 - zeros);
        let rand_text = Some("0".repeat(zeros as usize) + &digits);
        let script = edited(request(Script::default(), scene.name), scene.name, Vec::new())
            .sign_with(scene.name, SA, Signing { rand_text, ..Signing::default() })
            .send(scene.name);
        expecting(script, scene.name, ROW, Expect::Accepted)
    };
    let title = "crand is signed with the digits that are written, in their letter case";
    case("2.2/any-crand", title, &[ROW], Property::new(Ground::Established, make))
}
