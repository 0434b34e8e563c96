//! Addresses: From, To and identities.

use super::{Freedom, Freedoms, LETTERS, TOKEN, blank, cased};
use crate::source::Source;

const HOSTS: &[&str] =
    &["contoso.com", "sip.fabrikam.net:5061", "192.0.2.1", "[2001:db8::1]:5060", "CONTOSO.com"];
/// Parameters of a URI; inside brackets they are its own.
const URI_PARAMS: &[&str] =
    &["", ";transport=tls", ";user=phone", ";tag=inside", ";lr", ";opaque=user:epid:x;gruu"];
/// What can stand before brackets.
const DISPLAY_NAMES: &[&str] = &[
    "",
    "Alice ",
    "\"Alice\" ",
    "\"Alice\"",
    "Alice Liddell ",
    "\"Liddell, Alice\" ",
    "\";tag=inside\" ",
    "\"<sip:inside@contoso.com>;tag=inside\" ",
    "\"a \\\" b\" ",
    "\"a \\\\\" ",
];
/// Header parameters before the tag.
const BEFORE: &[&str] = &["", ";epid=2ebb6f264f", ";p=\";tag=inside\"", ";xtag=no", ";tagged"];
/// Header parameters behind it: no name may occur twice.
const BEHIND: &[&str] = &["", ";q=\"a \\\" ;tag=inside\"", ";ms-x", ";tags=no", ";a;b=\"\""];

pub(super) fn uri(source: &mut dyn Source, freedoms: Freedoms) -> String {
    let user = user(source, freedoms);
    let host = source.text(HOSTS);
    let params = if freedoms.has(Freedom::Tags) { source.text(URI_PARAMS) } else { "" };
    let scheme = if source.one_in(6) { "sips" } else { "sip" };
    format!("{scheme}:{user}@{host}{params}")
}

fn user(source: &mut dyn Source, freedoms: Freedoms) -> String {
    let length = source.between(1, 8);
    let word = source.word(LETTERS, length);
    if freedoms.has(Freedom::Octets) {
        word + source.text(&["", "%41", "%c3%bc", "%C3%BC", "~!'()"])
    } else {
        word
    }
}

/// A value of From or To, with a tag where `is_tagged`.
pub(super) fn address(source: &mut dyn Source, freedoms: Freedoms, is_tagged: bool) -> String {
    let uri = uri(source, freedoms);
    let display = display(source, freedoms);
    let tag = if is_tagged { tag(source, freedoms) } else { String::new() };
    let [before, behind] = [BEFORE, BEHIND].map(|params| extra(source, freedoms, params));
    let blank = blank(source, freedoms, "");
    format!("{display}<{uri}>{blank}{before}{tag}{behind}")
}

fn display(source: &mut dyn Source, freedoms: Freedoms) -> String {
    let name = if freedoms.has(Freedom::Tags) { source.text(DISPLAY_NAMES) } else { "" };
    if freedoms.has(Freedom::Octets) && source.one_in(2) {
        "\"Zoë ☎\" ".to_owned()
    } else {
        name.to_owned()
    }
}

fn extra(source: &mut dyn Source, freedoms: Freedoms, params: &[&'static str]) -> &'static str {
    if freedoms.has(Freedom::Tags) { source.text(params) } else { "" }
}

fn tag(source: &mut dyn Source, freedoms: Freedoms) -> String {
    let length = source.between(1, 10);
    let value = source.word(TOKEN, length);
    let name = cased(source, freedoms.has(Freedom::Names), "tag");
    let [before, around, behind] = [(); 3].map(|()| blank(source, freedoms, ""));
    format!(";{before}{name}{around}={behind}{value}")
}

/// Identities of one header field, in one line: products differ where there are two.
pub(super) fn identities(source: &mut dyn Source, freedoms: Freedoms) -> String {
    let sip = sip_identity(source, freedoms);
    let tel = tel_identity(source);
    match source.below(4) {
        0 => sip,
        1 => tel,
        2 => format!("{sip},{}{tel}", blank(source, freedoms, " ")),
        _ => format!("{tel},{}{sip}", blank(source, freedoms, " ")),
    }
}

/// No sips: nobody knows whether that counts.
fn sip_identity(source: &mut dyn Source, freedoms: Freedoms) -> String {
    let display = source.text(&["", "\"Alice\" ", "\"Liddell, Alice\" ", "\"<tel:+1>\" "]);
    let uri = uri(source, freedoms).replacen("sips:", "sip:", 1);
    let uri = if source.one_in(3) { uri.replacen("sip", "SIP", 1) } else { uri };
    format!("{display}<{uri}>")
}

fn tel_identity(source: &mut dyn Source) -> String {
    let length = source.between(1, 11);
    let number = source.word("0123456789", length);
    match source.below(3) {
        0 => format!("<tel:+{number}>"),
        1 => format!("tel:+{number}"),
        _ => format!("\"Office\" <tel:+{number};ext=8>"),
    }
}
