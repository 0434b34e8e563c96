//! One authentication header field: [`AuthHeader`], its findings, [`AuthWriter`].

use sipae::auth::{AuthHeader, AuthParam, AuthWriter, Finding, Quoting, RawParam, Scheme, Step, Style, Walk};
use sipae::message::Value;
use sipae_spec::{Diagnostic, Severity};

use super::octets::is_part;

/// Reading and diagnosing agree, every value is a slice of the input, and what is written from the values reads the
/// same.
pub fn auth_header(data: &[u8]) {
    let header = AuthHeader::read(Value(data));
    walk(data);
    findings(data, &header);
    values(data, &header);
    for style in STYLES {
        written(&header, &style);
    }
}

const STYLES: [Style; 5] = [
    Style::CANONICAL,
    Style::OCS,
    Style::RTCC,
    Style { quoting: Quoting::All, ..Style::COMMUNICATOR },
    Style { quoting: Quoting::None, ..Style::AS_ADDED },
];

fn walk(data: &[u8]) {
    let (scheme, walk) = Walk::new(Value(data));
    assert!(is_part(data, scheme));
    for step in walk {
        match step {
            Step::Param(RawParam { name, value, offset, .. }) => {
                assert!(is_part(data, name) && is_part(data, value.raw()));
                assert!(data.get(offset..).is_some_and(|rest| rest.starts_with(name)), "{step:?}");
            }
            Step::Problem(_, offset) => assert!(offset <= data.len(), "{step:?}"),
        }
    }
}

fn findings(data: &[u8], header: &AuthHeader<'_>) {
    let findings = header.findings();
    for finding in &findings {
        assert!(is_part(data, finding.text) && finding.offset <= data.len(), "{finding:?}");
        assert!(!finding.to_string().is_empty());
    }
    let expected = findings.iter().any(forbids_use);
    assert_eq!(header.malformed().is_some(), expected, "{:?} {findings:?}", header.malformed());
    if let Some(malformed) = header.malformed() {
        assert!(findings.iter().any(|finding| finding.diagnostic == malformed), "{malformed:?} {findings:?}");
    }
}

fn forbids_use(finding: &Finding<'_>) -> bool {
    finding.diagnostic.severity() == Severity::Malformed && is_syntax(finding.diagnostic)
}

/// Whether the diagnostic is about the form of the field, and not about one value.
fn is_syntax(diagnostic: Diagnostic) -> bool {
    !matches!(
        diagnostic,
        Diagnostic::VersionMalformed
            | Diagnostic::TokenNotBase64
            | Diagnostic::RandNotHex
            | Diagnostic::NumberMalformed
            | Diagnostic::SignatureNotHex
            | Diagnostic::QopNotAuth
    )
}

/// A value that a reader refuses is found by the diagnosis too, where the scheme is one that signs.
fn values(data: &[u8], header: &AuthHeader<'_>) {
    assert!(is_part(data, header.scheme_text()));
    for param in AuthParam::ALL.iter().copied() {
        let value = header.get(param);
        assert!(value.is_none_or(|value| is_part(data, value.raw())), "{param}");
        assert!(value.is_some() || !header.is_quoted(param), "{param}");
    }
    assert!(header.target().is_none_or(|target| is_part(data, target)));
    let refused = [
        header.version().err(),
        header.token().err(),
        header.number(AuthParam::Cnum).err(),
        header.number(AuthParam::Snum).err(),
        header.signature(AuthParam::Response).err(),
        header.signature(AuthParam::Rspauth).err(),
    ];
    if header.scheme().is_some_and(Scheme::signs) && header.malformed().is_none() {
        let findings = header.findings();
        for diagnostic in refused.into_iter().flatten() {
            assert!(findings.iter().any(|finding| finding.diagnostic == diagnostic), "{diagnostic:?}");
        }
    }
}

fn written(header: &AuthHeader<'_>, style: &Style) {
    let Ok(scheme) = std::str::from_utf8(header.scheme_text()) else { return };
    if scheme.is_empty() {
        return;
    }
    let params = writable(header, style);
    let writer = params
        .iter()
        .fold(AuthWriter::with_scheme(scheme), |writer, (param, value)| writer.param(*param, value.raw()));
    let octets = writer.write(style);
    let read = AuthHeader::read(Value(&octets));
    assert_eq!(read.malformed(), None, "{octets:?}");
    assert_eq!(read.scheme_text(), header.scheme_text());
    for param in AuthParam::ALL.iter().copied() {
        let expected = params.iter().find(|(known, _)| *known == param).map(|(_, value)| *value);
        assert_eq!(read.get(param), expected, "{param} in {octets:?}");
    }
    assert!(params.len() < sipae::auth::MAX_STEPS);
}

/// The parameters whose values a writer can put down in this style: it escapes nothing.
fn writable<'a>(header: &AuthHeader<'a>, style: &Style) -> Vec<(AuthParam, Value<'a>)> {
    let escapes = header.scheme() == Some(Scheme::Digest);
    let fits = |param: AuthParam, text: &[u8]| {
        let quoted = match style.quoting {
            Quoting::All => true,
            Quoting::None => false,
            Quoting::Canonical => param.is_quoted(),
        };
        let breaks_out = |octet: &u8| *octet == b'"' || escapes && *octet == b'\\';
        if quoted {
            !text.iter().any(breaks_out)
        } else {
            !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric)
        }
    };
    let present = AuthParam::ALL.iter().filter_map(|param| header.get(*param).map(|value| (*param, value)));
    present.filter(|(param, value)| fits(*param, value.raw())).collect()
}
