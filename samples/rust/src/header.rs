//! Authentication header fields, [MS-SIPAE] 2.2.

use sipae_vectors::{Answer, Refusal, inputs};

const SCHEMES: &[&str] = &["NTLM", "Kerberos", "TLS-DSK", "Digest"];

pub(crate) fn read(header: &str) -> Result<Answer, Refusal> {
    let header = unfolded(header);
    let (scheme, mut rest) = header.trim().split_once([' ', '\t']).unwrap_or((header.trim(), ""));
    let mut params: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            break;
        }
        let (name, value) = rest.split_once('=').ok_or_else(|| unsupported("an element without a value"))?;
        let (value, behind) = split_value(value.trim_start())?;
        let name = name.trim_end().to_ascii_lowercase();
        // The first of two with one name counts (SIPAE-2.2-16).
        if !params.iter().any(|(known, _)| *known == name) {
            params.push((name, value.to_owned()));
        }
        rest = behind;
    }
    Ok(Answer::new().text("scheme", scheme).texts("params", params))
}

/// Nothing escapes a quotation mark (SIPAE-2.2-04), and what stands inside two of them is data (SIPAE-2.2-05).
fn split_value(text: &str) -> Result<(&str, &str), Refusal> {
    let (value, behind) = match text.strip_prefix('"') {
        Some(quoted) => {
            quoted.split_once('"').ok_or_else(|| unsupported("a quotation mark that is not closed"))?
        }
        None => {
            let (value, behind) = text.split_at(text.find(',').unwrap_or(text.len()));
            let value = value.trim_end();
            if value.contains([' ', '\t', '"']) {
                return Err(unsupported("a comma that is missing"));
            }
            (value, behind)
        }
    };
    match behind.trim_start().chars().next() {
        None | Some(',') => Ok((value, behind)),
        Some(_) => Err(unsupported("text behind a value")),
    }
}

/// A fold reads as one blank.
pub(crate) fn unfolded(text: &str) -> String {
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| {
        text.trim_end_matches([' ', '\t']).to_owned() + " " + line.trim_start_matches([' ', '\t'])
    })
}

fn unsupported(what: &str) -> Refusal {
    Refusal::Unsupported(format!("auth_header with {what}"))
}

pub(crate) fn write(inputs: &inputs::AuthWrite) -> Result<Answer, Refusal> {
    let scheme = SCHEMES.iter().find(|scheme| scheme.eq_ignore_ascii_case(&inputs.scheme));
    let scheme = scheme.ok_or_else(|| Refusal::Malformed(format!("scheme: {:?} is none", inputs.scheme)))?;
    let params: Vec<String> = inputs.params.iter().map(|(name, value)| param(name, value)).collect();
    Ok(Answer::new().text("header", format!("{scheme} {}", params.join(", "))))
}

/// `version` alone stands without quotation marks (SIPAE-2.2-06).
fn param(name: &str, value: &str) -> String {
    if name.eq_ignore_ascii_case("version") {
        format!("{name}={value}")
    } else {
        format!("{name}=\"{value}\"")
    }
}
