//! `name-addr`, `addr-spec` and their parameters (RFC 3261 20.10, 25.1).

use sipae_spec::Diagnostic;

use super::grammar::{Cut, Part, bracketed, element, param, quoted, skip_lws, upto_end};
use crate::octets::{is_lws, offset_in, slice, trim_lws};

/// One address of From, To, Contact or an identity header: the parts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// Display name as written, quotes included; empty if there is none.
    pub display: &'a [u8],
    /// The URI without brackets ([MS-SIPAE] SIPAE-3.2.4.1-10): parameters inside the brackets belong to it.
    pub uri: &'a [u8],
    /// Whether the URI stands in angle brackets.
    pub bracketed: bool,
    /// The header parameters.
    pub params: Params<'a>,
    /// The `tag` parameter.
    pub tag: Option<&'a [u8]>,
    /// The `epid` parameter.
    pub epid: Option<&'a [u8]>,
    /// tag or epid occurs twice, and would be read differently by different readers.
    is_ambiguous: bool,
}

impl<'a> Address<'a> {
    /// Reads the value of a header that holds exactly one address, such as From and To.
    ///
    /// # Errors
    /// [`Diagnostic::NameAddrSeveral`] for a second address, [`Diagnostic::NameAddrMalformed`] where no URI is found.
    pub fn parse(value: &'a [u8]) -> Result<Self, Diagnostic> {
        let (address, rest) = address(value).ok_or(Diagnostic::NameAddrMalformed)?;
        let stray = trim_lws(rest);
        if stray.is_empty() && !address.is_ambiguous {
            Ok(address)
        } else if stray.starts_with(b",") || stray.starts_with(b"<") {
            Err(Diagnostic::NameAddrSeveral)
        } else {
            Err(Diagnostic::NameAddrMalformed)
        }
    }

    /// Reads one element of a list, between two commas: a second address in it is only text that does not belong there.
    pub(crate) fn parse_element(element: &'a [u8]) -> Result<Self, Diagnostic> {
        Self::parse(element).map_err(|_| Diagnostic::NameAddrMalformed)
    }

    /// The value of a header parameter without its quotes; names are compared without regard to case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params
            .clone()
            .find(|param| param.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|param| param.value)
    }

    /// The URI without scheme and parameters, for example `alice@contoso.com`; `None` if it has another scheme.
    #[must_use]
    pub fn address_of_record(&self) -> Option<&'a [u8]> {
        address_of_record(self.uri)
    }

    /// Whether the URI should have stood in brackets: after a display name, or with characters that need them.
    #[must_use]
    pub fn lacks_brackets(&self) -> bool {
        !self.bracketed
            && (!self.display.is_empty() || self.uri.iter().any(|octet| matches!(octet, b'?' | b',')))
    }
}

/// The part of a `sip:` or `sips:` URI that names a user at a host, without parameters and headers.
#[must_use]
pub fn address_of_record(uri: &[u8]) -> Option<&[u8]> {
    let rest = strip_scheme(uri, b"sip:").or_else(|| strip_scheme(uri, b"sips:"))?;
    let end = rest.iter().position(|octet| matches!(octet, b';' | b'?')).unwrap_or(rest.len());
    Some(slice(rest, 0, end))
}

/// `uri` behind `scheme`, which is compared without regard to case.
pub(crate) fn strip_scheme<'a>(uri: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = uri.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The addresses of a comma-separated value, such as Contact or P-Asserted-Identity.
#[derive(Clone, Debug)]
pub struct Addresses<'a>(Elements<'a>);

impl<'a> Addresses<'a> {
    /// The elements of one header value.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> Self {
        Self(Elements { rest: value })
    }
}

impl<'a> Iterator for Addresses<'a> {
    type Item = Result<Address<'a>, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Address::parse_element)
    }
}

/// Elements of a comma-separated value as written, brackets and quotes respected; empty ones are skipped.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (element, rest) = element(self.rest);
            self.rest = slice(rest, 1, rest.len());
            let element = trim_lws(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// A header parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Name as written.
    pub name: &'a [u8],
    /// Value without quotes; empty where there is none.
    pub value: &'a [u8],
    /// Whether the value stands in quotes.
    pub is_quoted: bool,
}

/// `;name=value` parameters behind an address, in order. Blanks around `;` and `=` do not matter, and nothing inside
/// quotes is a parameter ([MS-SIPAE] SIPAE-2.2-25).
#[derive(Clone, Debug, PartialEq, Eq, Copy, Default)]
pub struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    /// The parameters in `text`, which begins with a semicolon or is empty.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (param, rest) = param(self.rest)?;
        self.rest = rest;
        Some(param)
    }
}

fn address(text: &[u8]) -> Option<Cut<'_, Address<'_>>> {
    let text = skip_lws(text);
    bracketed_address(text).or_else(|| bare_address(text))
}

fn bracketed_address(text: &[u8]) -> Option<Cut<'_, Address<'_>>> {
    let (_, rest) = upto_end(Part::Display, behind_quotes(text));
    let display = slice(text, 0, text.len() - rest.len());
    let (uri, rest) = bracketed(rest)?;
    let uri = trim_lws(uri);
    let (marks, rest) = params(rest);
    (!uri.is_empty()).then(|| (marks.address(trim_lws(display), uri, true), rest))
}

/// A URI without brackets ends at the first semicolon or blank; what stands before it is a display name, which
/// RFC 3261 forbids here and MS-SIP prints.
fn bare_address(text: &[u8]) -> Option<Cut<'_, Address<'_>>> {
    let (words, rest) = upto_end(Part::Words, behind_quotes(text));
    let words = trim_lws(words);
    let start = words.iter().rposition(|octet| is_lws(*octet)).map_or(0, |blank| blank + 1);
    let uri = slice(words, start, words.len());
    if !is_uri(uri) {
        return None;
    }
    let display = trim_lws(slice(text, 0, offset_in(text, uri)));
    let (marks, rest) = params(rest);
    Some((marks.address(display, uri, false), rest))
}

/// Behind a display name in quotes, if there is one.
fn behind_quotes(text: &[u8]) -> &[u8] {
    quoted(text).map_or(text, |(_, rest)| rest)
}

/// `*` of Contact, or a scheme, a colon and something.
fn is_uri(text: &[u8]) -> bool {
    let is_scheme = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
    let colon = text.iter().position(|octet| !is_scheme(octet)).unwrap_or(text.len());
    text == b"*" || 0 < colon && text.get(colon) == Some(&b':') && colon + 1 < text.len()
}

/// The parameters behind an address, and those of them that every reader asks for.
#[derive(Default)]
struct Marks<'a> {
    text: &'a [u8],
    tag: Option<&'a [u8]>,
    epid: Option<&'a [u8]>,
    is_ambiguous: bool,
}

impl<'a> Marks<'a> {
    fn note(&mut self, param: &Param<'a>) {
        let slot = match param.name.len() {
            3 if param.name.eq_ignore_ascii_case(b"tag") => &mut self.tag,
            4 if param.name.eq_ignore_ascii_case(b"epid") => &mut self.epid,
            _ => return,
        };
        self.is_ambiguous |= slot.is_some();
        slot.get_or_insert(param.value);
    }

    const fn address(self, display: &'a [u8], uri: &'a [u8], bracketed: bool) -> Address<'a> {
        let Self { text, tag, epid, is_ambiguous } = self;
        Address { display, uri, bracketed, params: Params::new(text), tag, epid, is_ambiguous }
    }
}

fn params(text: &[u8]) -> Cut<'_, Marks<'_>> {
    let (mut rest, mut marks) = (text, Marks::default());
    while let Some((param, behind)) = param(rest) {
        marks.note(&param);
        rest = behind;
    }
    marks.text = slice(text, 0, text.len() - rest.len());
    (marks, rest)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parse(text: &str) -> Address<'_> {
        Address::parse(text.as_bytes()).expect("an address")
    }

    /// [MS-SIPAE] SIPAE-2.2-25: `tag=` counts as a header parameter only.
    #[rstest]
    #[case("<sip:a@x;tag=evil>;tag=1")]
    #[case("\";tag=evil\" <sip:a@x>;tag=1")]
    #[case("<sip:a@x>;p=\";tag=evil\";tag=1")]
    #[case("<sip:a@x> ; TAG = 1")]
    #[case("<sip:a@x>;lr;tag=1")]
    #[case("<sip:a@x>;p=a;tag=1")]
    #[case("<sip:a@x>\r\n ;tag=1;epid=2")]
    fn a_tag_is_found_among_the_header_parameters_only(#[case] text: &str) {
        assert_eq!(parse(text).param("tag"), Some(&b"1"[..]));
    }

    #[rstest]
    #[case("<sip:a@x>", "sip:a@x", "")]
    #[case("sip:a@x;tag=1", "sip:a@x", "")]
    #[case("\"A < \\\" > B\"<sip:a@x;p=1>;tag=1", "sip:a@x;p=1", "\"A < \\\" > B\"")]
    #[case("\"Alice\" sip:Alice@contoso.com", "sip:Alice@contoso.com", "\"Alice\"")]
    #[case("Alice sip:Alice@contoso.com;x=y", "sip:Alice@contoso.com", "Alice")]
    #[case("Alice B <sip:a@x>", "sip:a@x", "Alice B")]
    #[case("*", "*", "")]
    fn the_uri_is_the_addr_spec_only(#[case] text: &str, #[case] uri: &str, #[case] display: &str) {
        assert_eq!(parse(text).uri, uri.as_bytes());
        assert_eq!(parse(text).display, display.as_bytes());
    }

    #[rstest]
    #[case("<sip:evil@x> <sip:good@x>;tag=1", Diagnostic::NameAddrSeveral)]
    #[case("<sip:a@x>;tag=1, <sip:b@x>;tag=2", Diagnostic::NameAddrSeveral)]
    #[case("sip:a@x, <sip:b@x>", Diagnostic::NameAddrSeveral)]
    #[case("", Diagnostic::NameAddrMalformed)]
    #[case("<>;tag=1", Diagnostic::NameAddrMalformed)]
    #[case("\"unclosed <sip:a@x>", Diagnostic::NameAddrMalformed)]
    #[case("<sip:a@x>;tag=1 rubbish", Diagnostic::NameAddrMalformed)]
    #[case("<sip:a@x>;tag=1;TAG=2", Diagnostic::NameAddrMalformed)]
    #[case("sip:a@x;epid=1;tag=1;epid=2", Diagnostic::NameAddrMalformed)]
    #[case("alice", Diagnostic::NameAddrMalformed)]
    #[case("sip:", Diagnostic::NameAddrMalformed)]
    #[case(":a@x", Diagnostic::NameAddrMalformed)]
    #[case("sip:a>@x", Diagnostic::NameAddrMalformed)]
    #[case("a;b <sip:a@x>", Diagnostic::NameAddrMalformed)]
    #[case("a\"b\" <sip:a@x>", Diagnostic::NameAddrMalformed)]
    #[case("<sip:a@x>;tag=1>", Diagnostic::NameAddrMalformed)]
    #[case("<sip:a@x>;p\"q=1", Diagnostic::NameAddrMalformed)]
    #[case("<sip:a@x>;p=q\"r\"", Diagnostic::NameAddrMalformed)]
    fn an_ambiguous_address_is_refused(#[case] text: &str, #[case] expected: Diagnostic) {
        assert_eq!(Address::parse(text.as_bytes()), Err(expected));
    }

    #[test]
    fn commas_in_quotes_and_brackets_separate_nothing() {
        let value = b"\"a, b\" <sip:a,c@x>;p=\"q,r\", <tel:+1;ext=2>";
        let uris: Vec<_> = Addresses::new(value).map(|address| address.expect("an address").uri).collect();
        assert_eq!(uris, [&b"sip:a,c@x"[..], b"tel:+1;ext=2"]);
    }

    #[test]
    fn the_address_of_record_has_no_scheme_and_no_parameters() {
        assert_eq!(address_of_record(b"SIP:Bob@x;gruu;opaque=1"), Some(&b"Bob@x"[..]));
        assert_eq!(address_of_record(b"tel:+1"), None);
    }
}
