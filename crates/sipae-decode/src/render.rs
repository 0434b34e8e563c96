//! Explanations as text for people. Everything is taken from the model, which holds nothing that a terminal acts upon.

use std::fmt::{self, Write};

use crate::Decoded;
use crate::model::{
    Authentication, Buffer, Decoding, Explanation, Finding, HeaderField, Kind, Outcome, Part, Role, Rule,
    Verification,
};

/// Characters of a value that are shown; JSON has all of them.
const SHOWN: usize = 160;
/// How wide names are.
const NAME: usize = 22;

/// All messages and remarks of an input.
#[must_use]
pub fn text(decoded: &Decoded) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _always = write(&mut out, decoded);
    out
}

fn write(out: &mut String, decoded: &Decoded) -> fmt::Result {
    for explanation in &decoded.messages {
        message(out, explanation)?;
    }
    for remark in &decoded.remarks {
        writeln!(out, "remark: {remark}")?;
    }
    Ok(())
}

fn message(out: &mut String, explanation: &Explanation) -> fmt::Result {
    let Explanation { number, start_line, length, .. } = explanation;
    writeln!(out, "Message {number}, {length} octets{}", place(explanation))?;
    writeln!(out, "  {}", cut(start_line))?;
    for remark in &explanation.remarks {
        writeln!(out, "  remark: {remark}")?;
    }
    if let Some(unreadable) = &explanation.unreadable {
        writeln!(out, "  no SIP message: {}", unreadable.problem)?;
        rule(out, &unreadable.rule, 4)?;
        return writeln!(out);
    }
    for field in &explanation.fields {
        header_field(out, field)?;
    }
    for found in &explanation.findings {
        finding(out, found)?;
    }
    for field in &explanation.authentication {
        authentication(out, field, explanation.kind)?;
    }
    writeln!(out)
}

fn place(explanation: &Explanation) -> String {
    match &explanation.origin {
        Some(origin) => {
            let time = origin.time.as_ref().map_or_else(String::new, |time| format!(", {time}"));
            let (transport, source, destination) = (origin.transport, origin.source, origin.destination);
            format!(", {transport} {source} -> {destination}, packet {}{time}", origin.packet)
        }
        None => format!(" at offset {}", explanation.offset),
    }
}

fn header_field(out: &mut String, field: &HeaderField) -> fmt::Result {
    writeln!(out, "  {}: {}", field.name, cut(&field.value))?;
    for reading in &field.readings {
        writeln!(out, "    {:NAME$} {}", reading.name, cut(&reading.value))?;
    }
    Ok(())
}

fn finding(out: &mut String, finding: &Finding) -> fmt::Result {
    let Finding { id, severity, text, header, offset, excerpt, caret, .. } = finding;
    writeln!(out, "  {severity} {id}: {header}: {text}")?;
    writeln!(out, "    octet {offset}: {excerpt}")?;
    let indent = format!("    octet {offset}: ").len() + caret;
    writeln!(out, "{:indent$}^", "")?;
    rule(out, &finding.rule, 4)
}

fn rule(out: &mut String, rule: &Rule, indent: usize) -> fmt::Result {
    match (&rule.section, &rule.text) {
        (Some(section), Some(text)) => {
            writeln!(out, "{:indent$}{}, section {section}: {text}", "", rule.id)
        }
        _ => writeln!(out, "{:indent$}{}", "", rule.id),
    }
}

fn authentication(out: &mut String, field: &Authentication, kind: Option<Kind>) -> fmt::Result {
    let role = match field.role {
        Role::Challenge => "challenge",
        Role::Credential => "credential of the client",
        Role::ServerSignature => "signature of the server",
    };
    writeln!(out, "  {}: {}, {role}", field.header, field.scheme)?;
    for param in &field.params {
        let value = if param.quoted { format!("\"{}\"", param.value) } else { param.value.clone() };
        writeln!(out, "    {:<12} {}", param.name, cut(&value))?;
        writeln!(out, "    {:<12}   {}", "", param.meaning)?;
    }
    for found in &field.findings {
        finding(out, found)?;
    }
    decoding(out, "gssapi-data", field.token.as_ref())?;
    decoding(out, "signature", field.signature.as_ref())?;
    for known in &field.knowledge {
        writeln!(out, "    {known}")?;
    }
    if let Some(unfit) = &field.unfit {
        writeln!(out, "    no signature buffer: {unfit}")?;
    }
    for buffer in &field.buffers {
        signature_buffer(out, buffer, kind)?;
    }
    field.verification.as_ref().map_or(Ok(()), |found| verification(out, found))
}

fn decoding(out: &mut String, what: &str, decoding: Option<&Decoding>) -> fmt::Result {
    let Some(decoding) = decoding else { return Ok(()) };
    writeln!(out, "    {what}: {}, {} octets", decoding.format, decoding.length)?;
    parts(out, &decoding.fields, 6)?;
    if let Some(octets) = &decoding.octets {
        writeln!(out, "      {}", cut(octets))?;
    }
    for remark in &decoding.remarks {
        writeln!(out, "      remark: {remark}")?;
    }
    Ok(())
}

fn parts(out: &mut String, fields: &[Part], indent: usize) -> fmt::Result {
    for part in fields {
        let range = format!("{}+{}", part.offset, part.length);
        writeln!(out, "{:indent$}{range:<10} {:NAME$} {}", "", part.name, cut(&part.value))?;
        parts(out, &part.fields, indent + 2)?;
    }
    Ok(())
}

fn signature_buffer(out: &mut String, buffer: &Buffer, kind: Option<Kind>) -> fmt::Result {
    let version = if buffer.version == 2 { "version 2".to_owned() } else { "version 3 or 4".to_owned() };
    let kind = if kind == Some(Kind::Request) { "request" } else { "response" };
    writeln!(out, "    signature buffer of a {kind}, {version}")?;
    for (place, element) in buffer.elements.iter().enumerate() {
        let (name, value, from) = (&element.name, cut(&element.value), &element.from);
        writeln!(out, "      {:>2} {name:14} <{value}>  from {from}", place + 1)?;
    }
    if let Some(element) = &buffer.ambiguous {
        writeln!(out, "      ambiguous: {element} holds ><, a verifier refuses it (SIPAE-2.2-27)")?;
    }
    writeln!(out, "      {}", buffer.text)
}

fn verification(out: &mut String, found: &Verification) -> fmt::Result {
    let key = found.key.as_ref().map_or_else(String::new, |key| format!(" (key: {key})"));
    match found.outcome {
        Outcome::Verifies => {
            let version = found.version.map_or_else(String::new, |version| format!(" as version {version}"));
            writeln!(out, "    the signature verifies{version}{key}")?;
            let refusal = found.reason.as_ref();
            return refusal
                .map_or(Ok(()), |why| writeln!(out, "      a verifier refuses it all the same: {why}"));
        }
        Outcome::NotTried => write!(out, "    the signature was not checked{key}")?,
        Outcome::DoesNotVerify => write!(out, "    the signature does not verify{key}")?,
    }
    match &found.reason {
        Some(reason) => writeln!(out, ": {reason}")?,
        None => writeln!(out)?,
    }
    for change in &found.changes {
        writeln!(out, "      it verifies {} [{}]", change.text, change.name)?;
    }
    if found.outcome == Outcome::DoesNotVerify && found.changes.is_empty() {
        writeln!(out, "      no single change makes it verify; {} were tried", found.tried)?;
    }
    Ok(())
}

/// A value that fits a line.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
