//! Explanations as plain values: all that is written as JSON or as text.
//!
//! Text in here is safe to show: control characters are escaped. Octets are hexadecimal digits, offsets are numbers and
//! count from the beginning of whatever the field is part of: the message for header fields and findings, the token for
//! fields of a token.

use serde::Serialize;

use crate::input::{Framing, Origin};

/// All that is said about one message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Number in the input, from 1 on.
    pub number: usize,
    /// Where it begins in the text, or in its part of a connection.
    pub offset: usize,
    /// Octets.
    pub length: usize,
    /// How its end was found.
    pub framing: Framing,
    /// The packet, in a capture.
    pub origin: Option<Origin>,
    /// What was done to the octets, and why.
    pub remarks: Vec<String>,
    /// Its first line.
    pub start_line: String,
    /// Why it is no message that can be explained; nothing else is said then.
    pub unreadable: Option<Unreadable>,
    /// Request or response.
    pub kind: Option<Kind>,
    /// The header fields that matter, in order, those of authentication apart.
    pub fields: Vec<HeaderField>,
    /// What is to be remarked of the message, those of authentication header fields apart.
    pub findings: Vec<Finding>,
    /// The authentication header fields, in order.
    pub authentication: Vec<Authentication>,
}

/// Why octets are no message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// What is wrong.
    pub problem: String,
    /// The rule that is broken.
    pub rule: Rule,
}

/// A request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Begins with a method.
    Request,
    /// Begins with a status.
    Response,
}

/// A rule of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Id of a row of the catalogue, or a clause.
    pub id: String,
    /// Section of [MS-SIPAE], for a row.
    pub section: Option<String>,
    /// What the row says.
    pub text: Option<String>,
}

/// A header field and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderField {
    /// Name as written.
    pub name: String,
    /// Value, unfolded.
    pub value: String,
    /// Where its line begins.
    pub offset: usize,
    /// What is read out of it.
    pub readings: Vec<Reading>,
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// What it is.
    pub name: String,
    /// What is there.
    pub value: String,
}

impl Reading {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A rule that the octets do not keep, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable id: `comma-missing`.
    pub id: String,
    /// `note`, `deviation` or `malformed`.
    pub severity: String,
    /// What is wrong.
    pub text: String,
    /// The rule.
    pub rule: Rule,
    /// The header field that it is about.
    pub header: String,
    /// Where.
    pub offset: usize,
    /// The octets around it.
    pub excerpt: String,
    /// Which character of the excerpt it is about, from 0 on.
    pub caret: usize,
}

/// An authentication header field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Authentication {
    /// Name as written.
    pub header: String,
    /// Where its line begins.
    pub offset: usize,
    /// Challenge, credential or server signature.
    pub role: Role,
    /// Scheme as written.
    pub scheme: String,
    /// The parameters, in order.
    pub params: Vec<Parameter>,
    /// What is to be remarked of it.
    pub findings: Vec<Finding>,
    /// `gssapi-data`, decoded.
    pub token: Option<Decoding>,
    /// `response` or `rspauth`, decoded.
    pub signature: Option<Decoding>,
    /// What is known from earlier messages.
    pub knowledge: Vec<String>,
    /// What the signature covers, for each version that it may be of.
    pub buffers: Vec<Buffer>,
    /// Why there is no signature buffer, where one would be due.
    pub unfit: Option<String>,
    /// What came of the keys, where some were given.
    pub verification: Option<Verification>,
}

/// What an authentication header field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A server asks.
    Challenge,
    /// A client answers or signs.
    Credential,
    /// A server signs.
    ServerSignature,
}

/// A parameter of an authentication header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Name as written.
    pub name: String,
    /// Value without quotes.
    pub value: String,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// What it is for.
    pub meaning: String,
}

/// Octets, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decoding {
    /// What they are.
    pub format: String,
    /// How many.
    pub length: usize,
    /// Their parts.
    pub fields: Vec<Part>,
    /// What is odd about them.
    pub remarks: Vec<String>,
    /// All of them, where no format is known.
    pub octets: Option<String>,
}

/// A part of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is.
    pub name: String,
    /// What is there; empty where the parts say it.
    pub value: String,
    /// Where it begins in the token.
    pub offset: usize,
    /// Octets.
    pub length: usize,
    /// Its own parts.
    pub fields: Vec<Self>,
}

/// A signature buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Buffer {
    /// The version whose layout it has; 3 and 4 have the same.
    pub version: u32,
    /// Its elements, in order.
    pub elements: Vec<Element>,
    /// The whole string that is signed.
    pub text: String,
    /// The element that holds `><` and makes the buffer ambiguous.
    pub ambiguous: Option<String>,
}

/// An element of the signature buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Element {
    /// What it is.
    pub name: String,
    /// Its value; empty for `<>`.
    pub value: String,
    /// Where it comes from.
    pub from: String,
}

/// Whether a signature verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// What came out.
    pub outcome: Outcome,
    /// The version that it verifies in.
    pub version: Option<u32>,
    /// Where the key is from.
    pub key: Option<String>,
    /// Why it was not tried, why the message is unfit for it, or why a verifier refuses it although it verifies.
    pub reason: Option<String>,
    /// Single changes that make it verify.
    pub changes: Vec<ChangeFound>,
    /// How many single changes were tried.
    pub tried: usize,
}

/// What came of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is that of the message.
    Verifies,
    /// It is not.
    DoesNotVerify,
    /// No key fits, or the scheme is not built yet.
    NotTried,
}

/// A change that makes a signature verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeFound {
    /// Stable name: `other-version`.
    pub name: String,
    /// What the signer does differently.
    pub text: String,
}
