//! The single changes that are tried where a signature does not verify: what implementers get wrong, one row each.

use sipae::auth::Scheme;
use sipae::buffer::Field;
use sipae::message::{Addresses, HeaderName};
use sipae::version::Version;

use super::Case;
use super::attempt::Attempt;
use super::keys::Keys;
use crate::octets::shown;

/// An altered attempt, and what the signer does if it verifies.
pub(crate) struct Variant {
    pub(crate) attempt: Attempt,
    pub(crate) text: String,
}

fn variant(attempt: Attempt, text: impl Into<String>) -> Variant {
    Variant { attempt, text: text.into() }
}

type Alter = fn(&Case<'_>, &Attempt, &Keys) -> Vec<Variant>;

/// A row of the table.
pub(crate) struct Change {
    /// Stable name.
    pub(crate) name: &'static str,
    pub(crate) alter: Alter,
}

/// Every change. What two rows would alter in the same way is told by the first one.
pub(crate) const CHANGES: &[Change] = &[
    Change { name: "other-version", alter: other_version },
    Change { name: "other-direction", alter: other_direction },
    Change { name: "other-key", alter: other_key },
    Change { name: "other-layout", alter: other_layout },
    Change { name: "rand-case", alter: rand_case },
    Change { name: "number-zeros", alter: number_zeros },
    Change { name: "start-line-method", alter: start_line_method },
    Change { name: "expires", alter: expires },
    Change { name: "identities", alter: identities },
    Change { name: "to-uri", alter: to_uri },
    Change { name: "tags", alter: tags },
    Change { name: "uri-params", alter: uri_params },
    Change { name: "uri-brackets", alter: uri_brackets },
    Change { name: "uri-case", alter: uri_case },
    Change { name: "realm-target-case", alter: realm_target_case },
    Change { name: "realm-target-quotes", alter: realm_target_quotes },
    Change { name: "target-prefix", alter: target_prefix },
    Change { name: "scheme-spelling", alter: scheme_spelling },
    Change { name: "trailing-octets", alter: trailing_octets },
    Change { name: "session-security", alter: session_security },
    Change { name: "key-exchange", alter: key_exchange },
    Change { name: "sequence-number", alter: sequence_number },
    Change { name: "other-signature", alter: other_signature },
];

fn other_version(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let (version, text) = if base.version == Version::V2 {
        (Version::V4, "as version 3 or 4: the signer puts To URI and identities in")
    } else {
        (Version::V2, "as version 2: the signer leaves To URI and identities out")
    };
    let other = Attempt::new(case.message, case.header, case.signer, version, &base.signature);
    other.into_iter().map(|attempt| variant(attempt, text)).collect()
}

fn other_direction(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let attempt = Attempt { signer: base.signer.peer(), ..base.clone() };
    vec![variant(attempt, "with the key of the other side: the signer takes the wrong direction")]
}

fn other_key(_: &Case<'_>, base: &Attempt, keys: &Keys) -> Vec<Variant> {
    let others = keys.others.iter().enumerate();
    let with = |(place, (_, whose)): (usize, &(_, String))| {
        variant(Attempt { other_key: Some(place), ..base.clone() }, format!("with {whose}"))
    };
    others.map(with).collect()
}

fn other_layout(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    if case.message.is_request() {
        vec![variant(
            base.with_empty(Field::Status),
            "in the layout of a response: an empty status code is signed",
        )]
    } else {
        vec![variant(
            base.without(&[Field::Status]),
            "in the layout of a request: the status code is left out",
        )]
    }
}

fn rand_case(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let name = case.signer.rand().name();
    let variants = [(lower as fn(&[u8]) -> Vec<u8>, "lower"), (upper, "upper")];
    variants
        .map(|(alter, word)| {
            variant(
                base.map(Field::Rand, alter),
                format!("with {name} in {word} case, and not as it is written"),
            )
        })
        .into()
}

fn number_zeros(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let name = case.signer.number().name();
    vec![variant(base.map(Field::Number, without_zeros), format!("with {name} without its leading zeros"))]
}

fn without_zeros(value: &[u8]) -> Vec<u8> {
    let first = value.iter().position(|octet| *octet != b'0').unwrap_or(value.len());
    value.iter().skip(first).copied().collect()
}

fn start_line_method(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let method = case.message.method();
    let text = "with the method of the start line in place of that in CSeq";
    method.map(|method| variant(base.with(Field::CSeqMethod, method), text)).into_iter().collect()
}

fn expires(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let mut variants = vec![
        variant(
            base.with(Field::Expires, b""),
            "with Expires empty: the signer does not see the header field",
        ),
        variant(base.without(&[Field::Expires]), "without the element of Expires"),
    ];
    let contacts = case.message.all(HeaderName::Contact).flat_map(|value| Addresses::new(value.raw()));
    for contact in contacts.filter_map(Result::ok).take(8) {
        if let Some(value) = contact.param("expires") {
            variants.push(variant(
                base.with(Field::Expires, value),
                "with the expires parameter of Contact in place of Expires",
            ));
        }
    }
    for name in ["Session-Expires", "Min-Expires", "Subscription-State"] {
        let text = format!("with {name} in place of Expires");
        let value = case.message.by_text(name);
        variants.extend(value.map(|value| variant(base.with(Field::Expires, &value.unfolded()), text)));
    }
    variants
}

fn identities(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let (sip, tel) = (get(base, Field::SipIdentity), get(base, Field::TelIdentity));
    let with = |sip: &[u8], tel: &[u8]| base.with(Field::SipIdentity, sip).with(Field::TelIdentity, tel);
    let mut variants = vec![
        variant(with(b"", b""), "with both identities empty: the signer looks at no identity header field"),
        variant(with(b"", &tel), "without the sip identity"),
        variant(with(&sip, b""), "without the tel identity"),
        variant(with(&tel, &sip), "with the tel identity before the sip identity"),
        variant(
            base.without(&[Field::SipIdentity, Field::TelIdentity]),
            "without the elements of the identities",
        ),
    ];
    for (name, text) in [
        (HeaderName::PPreferredIdentity, "with P-Preferred-Identity in place of P-Asserted-Identity"),
        (HeaderName::PAssertedIdentity, "with the whole P-Asserted-Identity as sip identity"),
    ] {
        variants.extend(of_identity_field(case, base, name, text));
    }
    variants
}

fn of_identity_field(case: &Case<'_>, base: &Attempt, name: HeaderName, text: &str) -> Option<Variant> {
    let value = case.message.first(name)?;
    if name == HeaderName::PAssertedIdentity {
        return Some(variant(base.with(Field::SipIdentity, &value.unfolded()), text));
    }
    let uris: Vec<Vec<u8>> =
        Addresses::new(value.raw()).filter_map(Result::ok).map(|address| address.uri.to_vec()).collect();
    let (tel, sip): (Vec<_>, Vec<_>) = uris.into_iter().partition(|uri| lower(uri).starts_with(b"tel:"));
    let first = |uris: Vec<Vec<u8>>| uris.into_iter().next().unwrap_or_default();
    let attempt = base.with(Field::SipIdentity, &first(sip)).with(Field::TelIdentity, &first(tel));
    Some(variant(attempt, text))
}

fn to_uri(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    vec![
        variant(base.without(&[Field::ToUri]), "without the element of the To URI"),
        variant(base.with(Field::ToUri, b""), "with the To URI empty"),
        variant(
            base.with(Field::ToUri, &get(base, Field::FromUri))
                .with(Field::FromUri, &get(base, Field::ToUri)),
            "with From URI and To URI in each other's place",
        ),
    ]
}

fn tags(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    vec![
        variant(base.with(Field::ToTag, b""), "with the To tag empty: signed before the tag was added"),
        variant(base.with(Field::FromTag, b""), "with the From tag empty"),
        variant(base.without(&[Field::ToTag]), "without the element of the To tag"),
    ]
}

/// Elements that hold a URI.
const URIS: [(Field, &str); 4] = [
    (Field::FromUri, "the From URI"),
    (Field::ToUri, "the To URI"),
    (Field::SipIdentity, "the sip identity"),
    (Field::TelIdentity, "the tel identity"),
];

/// A change of each element alone, and of all of them.
fn each(base: &Attempt, fields: &[(Field, &str)], alter: fn(&[u8]) -> Vec<u8>, how: &str) -> Vec<Variant> {
    let single =
        fields.iter().map(|(field, name)| variant(base.map(*field, alter), format!("with {name} {how}")));
    let mut variants: Vec<Variant> = single.collect();
    let all = fields.iter().fold(base.clone(), |attempt, (field, _)| attempt.map(*field, alter));
    let names: Vec<&str> = fields.iter().map(|(_, name)| *name).collect();
    variants.push(variant(all, format!("with {} {how}", names.join(", "))));
    variants
}

fn uri_params(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    each(base, &URIS, without_params, "without its parameters")
}

fn without_params(uri: &[u8]) -> Vec<u8> {
    uri.iter().copied().take_while(|octet| !matches!(octet, b';' | b'?')).collect()
}

fn uri_brackets(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    each(base, &URIS, in_brackets, "in its angle brackets")
}

fn in_brackets(uri: &[u8]) -> Vec<u8> {
    if uri.is_empty() { Vec::new() } else { [b"<", uri, b">"].concat() }
}

fn uri_case(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    each(base, &URIS, lower, "in lower case")
}

/// Elements that name the server.
const NAMES: [(Field, &str); 2] = [(Field::Realm, "realm"), (Field::Targetname, "targetname")];

fn realm_target_case(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let mut variants = each(base, &NAMES, lower, "in lower case");
    variants.extend(each(base, &NAMES, upper, "in upper case"));
    variants
}

fn realm_target_quotes(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    each(base, &NAMES, |value| [b"\"", value, b"\""].concat(), "in its quotes")
}

fn target_prefix(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let target = get(base, Field::Targetname);
    let (other, text) = match target.strip_prefix(b"sip/") {
        Some(host) => (host.to_vec(), "with targetname without sip/"),
        None => ([b"sip/", target.as_slice()].concat(), "with sip/ before targetname"),
    };
    vec![variant(base.with(Field::Targetname, &other), text)]
}

fn scheme_spelling(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let canonical = case.header.scheme().map_or("", Scheme::name).as_bytes();
    let spellings = [canonical.to_vec(), lower(canonical), upper(canonical)];
    let spelled = |spelling: Vec<u8>| {
        variant(
            base.with(Field::Protocol, &spelling),
            format!("with the scheme spelled {}", shown(&spelling)),
        )
    };
    spellings.map(spelled).into()
}

fn trailing_octets(_: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    let tails: [(&'static [u8], &str); 3] = [(b"\0", "a NUL"), (b"\r\n", "a CRLF"), (b"\n", "a LF")];
    let with = |(tail, name)| {
        variant(
            Attempt { tail, ..base.clone() },
            format!("with {name} behind the buffer: the signer signs a terminator"),
        )
    };
    tails.map(with).into()
}

fn session_security(_: &Case<'_>, base: &Attempt, keys: &Keys) -> Vec<Variant> {
    let Some(key) = keys.of(base.signer).filter(|key| key.is_ntlm()) else { return Vec::new() };
    let text = if key.is_extended() {
        "without extended session security: CRC-32 in place of HMAC-MD5"
    } else {
        "with extended session security: HMAC-MD5 in place of CRC-32"
    };
    vec![variant(base.with_mode(|mode| mode.other_security = true), text)]
}

fn key_exchange(_: &Case<'_>, base: &Attempt, keys: &Keys) -> Vec<Variant> {
    let is_extended = keys.of(base.signer).is_some_and(|key| key.is_ntlm() && key.is_extended());
    let text = "with the checksum encrypted the other way: KEY_EXCH is not read as negotiated";
    let other = || variant(base.with_mode(|mode| mode.other_key_exchange = true), text);
    is_extended.then(other).into_iter().collect()
}

fn sequence_number(case: &Case<'_>, base: &Attempt, keys: &Keys) -> Vec<Variant> {
    if !keys.of(base.signer).is_some_and(super::keys::Key::is_ntlm) {
        return Vec::new();
    }
    let name = case.signer.number().name();
    let written = case.header.number(case.signer.number()).ok().flatten();
    let counted = written.map(|number| (number, format!("{name} ({number})")));
    let numbers = [counted, Some((0, "0".to_owned())), Some((1, "1".to_owned()))];
    let with = |(number, what): (u32, String)| {
        let text = format!("with {what} as sequence number of NTLM, which is 100 in SIP");
        variant(base.with_mode(|mode| mode.sequence_number = number), text)
    };
    numbers.into_iter().flatten().map(with).collect()
}

fn other_signature(case: &Case<'_>, base: &Attempt, _: &Keys) -> Vec<Variant> {
    case.siblings()
        .map(|other| {
            let text = format!("with the signature of message {}: signatures were mixed up", other.number);
            variant(Attempt { signature: other.signature.clone(), ..base.clone() }, text)
        })
        .collect()
}

fn get(attempt: &Attempt, field: Field) -> Vec<u8> {
    attempt.get(field).map(<[u8]>::to_vec).unwrap_or_default()
}

fn lower(value: &[u8]) -> Vec<u8> {
    value.to_ascii_lowercase()
}

fn upper(value: &[u8]) -> Vec<u8> {
    value.to_ascii_uppercase()
}
