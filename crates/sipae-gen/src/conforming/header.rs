//! Values of authentication header fields.

use super::{Freedom, Freedoms, HEX, LETTERS, blank, cased, shuffle};
use crate::source::Source;

/// A conforming value, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The scheme, as the specification spells it.
    pub scheme: &'static str,
    /// Names and values in the order of the text; values without quotation marks.
    pub params: Vec<(String, String)>,
    /// The text.
    pub text: String,
}

/// Values with separators in them.
const SEPARATORS: &[&str] = &["SIP Communications Service", "a, b=c", "a;b", "a=b, realm=c", "x,y"];
/// Values with backslashes in them.
const BACKSLASHES: &[&str] = &["SIP Communications Service", "C:\\new", "\\", "a\\b", "a\\\\b"];

/// A value with these freedoms.
pub fn header(source: &mut dyn Source, freedoms: Freedoms) -> Header {
    let scheme = source.text(&["NTLM", "Kerberos", "TLS-DSK"]);
    let mut params = params(source, freedoms, scheme);
    shuffle(source, freedoms, &mut params);
    let written = cased(source, freedoms.has(Freedom::Scheme), scheme);
    let mut text = written + " ";
    for (place, (name, value)) in params.iter().enumerate() {
        if 0 < place {
            let [before, behind] = ["", " "].map(|plain| blank(source, freedoms, plain));
            text.extend([before, ",", behind]);
        }
        let name = cased(source, freedoms.has(Freedom::Names), name);
        text.push_str(&pair(source, freedoms, &name, value));
    }
    Header { scheme, params, text }
}

fn pair(source: &mut dyn Source, freedoms: Freedoms, name: &str, value: &str) -> String {
    let is_bare = match name.to_ascii_lowercase().as_str() {
        "version" | "x" => true,
        "qop" => freedoms.has(Freedom::BareQop) && source.below(2) == 1,
        _ => false,
    };
    if is_bare { format!("{name}={value}") } else { format!("{name}=\"{value}\"") }
}

fn params(source: &mut dyn Source, freedoms: Freedoms, scheme: &str) -> Vec<(String, String)> {
    let realm = text(source, freedoms, "SIP Communications Service");
    let opaque = text(source, freedoms, "1B2C3D4E");
    let length = source.between(1, 12);
    // [MS-SIPAE] 2.2: an FQDN, and a service principal name with Kerberos.
    let service = if scheme == "Kerberos" { "sip/" } else { "" };
    let target = format!("{service}{}.contoso.com", source.word(LETTERS, length));
    let number = source.between(1, u32::MAX - 1);
    let mut params = vec![
        ("realm", realm.to_owned()),
        ("targetname", target),
        ("qop", "auth".to_owned()),
        ("opaque", opaque.to_owned()),
        ("crand", source.word(HEX, 8)),
        ("cnum", number.to_string()),
        ("gssapi-data", source.text(&["", "TlRMTVNTUAABAAAA", "AA=="]).to_owned()),
        ("version", source.text(&["4", "3"]).to_owned()),
    ];
    let kept = source.between(1, 8);
    params.truncate(kept as usize);
    if freedoms.has(Freedom::Unknown) {
        params.push(("foo", source.text(&["bar", "", "realm"]).to_owned()));
        params.push(("x", "1".to_owned()));
    }
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A value that stands in quotation marks.
fn text(source: &mut dyn Source, freedoms: Freedoms, plain: &'static str) -> &'static str {
    match (freedoms.has(Freedom::Separators), freedoms.has(Freedom::Backslashes)) {
        (false, false) => plain,
        (true, false) => source.text(SEPARATORS),
        (false, true) => source.text(BACKSLASHES),
        (true, true) => source.text(&[SEPARATORS, BACKSLASHES].concat()),
    }
}
