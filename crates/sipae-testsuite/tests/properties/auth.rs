//! Authentication header fields.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sipae::auth::{AuthHeader, AuthParam, AuthWriter, Quoting, Scheme, Style};
use sipae::message::Value;
use sipae_vectors::Operation;

use super::mutate::{mutated, octets_or_mutated};
use super::{is_part, returns};
use crate::vectors;

const STYLES: [Style; 5] = [Style::CANONICAL, Style::OCS, Style::COMMUNICATOR, Style::RTCC, Style::AS_ADDED];
const QUOTINGS: [Quoting; 3] = [Quoting::Canonical, Quoting::All, Quoting::None];

fn originals() -> Vec<Vec<u8>> {
    let files = vectors::files();
    let operations = files.iter().flat_map(|file| &file.vectors).map(|vector| &vector.operation);
    let headers = operations.filter_map(|operation| match operation {
        Operation::AuthHeader(inputs) => Some(&inputs.header),
        _ => None,
    });
    headers.map(|header| header.clone().into_bytes()).collect()
}

fn style() -> impl Strategy<Value = Style> {
    (select(&STYLES[..]), select(&QUOTINGS[..])).prop_map(|(style, quoting)| Style { quoting, ..style })
}

/// Some of the parameters, each with a value.
fn params(value: &'static str) -> impl Strategy<Value = Vec<(AuthParam, String)>> {
    let names = subsequence(AuthParam::ALL, 0..=AuthParam::ALL.len()).prop_shuffle();
    names.prop_flat_map(move |names| names.into_iter().map(|name| (Just(name), value)).collect::<Vec<_>>())
}

fn write(scheme: Scheme, params: &[(AuthParam, String)], style: &Style) -> Vec<u8> {
    let writer =
        params.iter().fold(AuthWriter::new(scheme), |writer, (name, value)| writer.param(*name, value));
    writer.write(style)
}

fn read(header: &AuthHeader<'_>) -> Vec<(AuthParam, String)> {
    let get = |name: &AuthParam| header.get(*name).map(|value| (*name, value.to_text()));
    AuthParam::ALL.iter().filter_map(get).collect()
}

fn sorted(mut params: Vec<(AuthParam, String)>) -> Vec<(AuthParam, String)> {
    params.sort();
    params
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_of_header_fields_panic(octets in octets_or_mutated(originals())) {
        let header = AuthHeader::read(Value(&octets));
        returns((header.findings(), header.scheme(), header.version(), header.token(), header.target()));
        for param in AuthParam::ALL {
            returns((header.number(*param), header.signature(*param), header.is_quoted(*param)));
        }
    }

    #[test]
    fn every_value_is_a_part_of_the_header_field(octets in octets_or_mutated(originals())) {
        let header = AuthHeader::read(Value(&octets));
        prop_assert!(is_part(&octets, header.scheme_text()));
        for value in AuthParam::ALL.iter().filter_map(|param| header.get(*param)) {
            prop_assert!(is_part(&octets, value.raw()), "{:?}", value);
        }
    }

    #[test]
    fn every_finding_on_a_header_field_points_to_octets_of_it(octets in octets_or_mutated(originals())) {
        for finding in AuthHeader::read(Value(&octets)).findings() {
            let shown = octets.get(finding.offset..finding.offset + finding.text.len());
            prop_assert_eq!(shown, Some(finding.text), "{:?}", finding);
        }
    }

    #[test]
    fn a_field_that_is_malformed_has_the_finding_that_says_so(octets in mutated(originals())) {
        let header = AuthHeader::read(Value(&octets));
        if let Some(diagnostic) = header.malformed() {
            let findings = header.findings();
            prop_assert!(findings.iter().any(|finding| finding.diagnostic == diagnostic), "{:?}", findings);
        }
    }

    #[test]
    fn tokens_are_read_as_they_were_written_in_any_style(
        scheme in select(&Scheme::ALL[..]),
        params in params("[A-Za-z0-9.!%*_+`'~-]{1,12}"),
        style in style(),
    ) {
        let octets = write(scheme, &params, &style);
        let header = AuthHeader::read(Value(&octets));
        prop_assert_eq!(header.malformed(), None);
        prop_assert_eq!(header.scheme(), Some(scheme));
        prop_assert_eq!(read(&header), sorted(params));
    }

    #[test]
    fn any_text_without_quotation_marks_is_read_as_it_was_written_in_quotes(
        scheme in select(&[Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk][..]),
        params in params("[ -!#-~]{0,12}"),
    ) {
        let octets = write(scheme, &params, &Style { quoting: Quoting::All, ..Style::CANONICAL });
        let header = AuthHeader::read(Value(&octets));
        prop_assert_eq!(header.malformed(), None);
        prop_assert_eq!(read(&header), sorted(params));
    }

    #[test]
    fn quotes_are_read_as_the_style_says(params in params("[a-z]{1,4}"), style in style()) {
        let octets = write(Scheme::Ntlm, &params, &style);
        let header = AuthHeader::read(Value(&octets));
        for (param, _) in params {
            let expected = match style.quoting {
                Quoting::Canonical => param.is_quoted(),
                Quoting::All => true,
                Quoting::None => false,
            };
            prop_assert_eq!(header.is_quoted(param), expected, "{}", param);
        }
    }
}
