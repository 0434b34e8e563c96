//! Signature buffers for a reader: each field with its name, then the whole as it is signed.

use std::fmt::Write;

use sipae_events::SignatureSeen;

use crate::text::{escaped, printable};

/// The buffers, if there are any.
pub(super) fn buffers(signatures: &[SignatureSeen]) -> Option<String> {
    let told: Vec<String> = signatures.iter().map(buffer).collect();
    if told.is_empty() { None } else { Some(told.join("\n")) }
}

fn buffer(signature: &SignatureSeen) -> String {
    let SignatureSeen { message, signer, version, fields, outcome } = signature;
    let (message, signer, outcome) = (printable(message), printable(signer), escaped(outcome));
    let mut text = format!(
        "signature buffer of {message}, layout of version {version}, signed by the {signer}\noutcome: {outcome}\n\n"
    );
    let width = fields.iter().map(|field| field.name.chars().count()).max().unwrap_or_default();
    let mut whole = String::new();
    for field in fields {
        let (name, value) = (printable(&field.name), escaped(&field.value));
        // A String takes whatever is written.
        let _infallible = writeln!(text, "{name:width$}  <{value}>");
        whole += &format!("<{value}>");
    }
    format!("{text}\n{whole}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_buffer_is_told_field_by_field_and_as_a_whole() {
        let mut other = sample::signature();
        other.fields.truncate(1);
        other.fields[0].value = "a\r\n\u{1b}b".to_owned();
        insta::assert_snapshot!(buffers(&[sample::signature(), other]).unwrap(), @r"
        signature buffer of invite, layout of version 4, signed by the server
        outcome: does not verify

        protocol  <NTLM>
        Call-ID   <f81d4fae>
        From URI  <sip:alice@contoso.com>
        To tag    <>

        <NTLM><f81d4fae><sip:alice@contoso.com><>

        signature buffer of invite, layout of version 4, signed by the server
        outcome: does not verify

        protocol  <a\r\n\u{1b}b>

        <a\r\n\u{1b}b>
        ");
    }

    #[test]
    fn without_signatures_there_is_no_file() {
        assert_eq!(buffers(&[]), None);
    }
}
