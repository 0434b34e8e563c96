//! What a careful reader remarks about an authentication header field.

use std::fmt;

use sipae_spec::Diagnostic;

use super::walk::{RawParam, Step, Walk};
use super::{AuthParam, Scheme};
use crate::encoding::{decode_base16, decode_base64};
use crate::message::{Limits, Value};
use crate::octets::{decimal, shown, slice};

/// One remark: which rule, where, what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Which rule is not kept.
    pub diagnostic: Diagnostic,
    /// Where, in octets from the beginning of the header value.
    pub offset: usize,
    /// The octets that it is about.
    pub text: &'a [u8],
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { diagnostic, offset, text } = self;
        write!(f, "{}: {} at octet {offset}: {}", diagnostic.rule(), diagnostic.text(), shown(text))
    }
}

impl fmt::Debug for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} \"{}\"", self.diagnostic.id(), self.offset, shown(self.text))
    }
}

pub(super) fn collect(value: Value<'_>) -> Vec<Finding<'_>> {
    let (scheme, walk) = Walk::new(value);
    let mut collector =
        Collector { value, scheme: Scheme::from_octets(scheme), seen: Vec::new(), findings: Vec::new() };
    collector.scheme(scheme);
    let mut current = None;
    let limit = Limits::DEFAULT.auth_params;
    for (index, step) in walk.take(limit + 1).enumerate() {
        match step {
            _ if index == limit => collector.add(Diagnostic::ParamsTooMany, 0, scheme),
            Step::Problem(diagnostic, offset) => {
                if is_element_of_its_own(diagnostic) {
                    collector.values(current.take());
                }
                collector.add(diagnostic, offset, collector.text_at(offset));
            }
            Step::Param(param) => collector.values(current.replace(param)),
        }
    }
    collector.values(current);
    collector.findings
}

/// Whether the problem stands where a parameter would, and not in one.
const fn is_element_of_its_own(diagnostic: Diagnostic) -> bool {
    matches!(
        diagnostic,
        Diagnostic::ElementEmpty
            | Diagnostic::ParamValueMissing
            | Diagnostic::ParamNameMalformed
            | Diagnostic::QuoteUnterminated
    )
}

struct Collector<'a> {
    value: Value<'a>,
    scheme: Option<Scheme>,
    seen: Vec<&'a [u8]>,
    findings: Vec<Finding<'a>>,
}

impl<'a> Collector<'a> {
    fn add(&mut self, diagnostic: Diagnostic, offset: usize, text: &'a [u8]) {
        self.findings.push(Finding { diagnostic, offset, text });
    }

    fn text_at(&self, offset: usize) -> &'a [u8] {
        slice(self.value.raw(), offset, self.value.raw().len())
    }

    fn scheme(&mut self, text: &'a [u8]) {
        let remark = match self.scheme {
            _ if text.is_empty() => Some(Diagnostic::SchemeMissing),
            None => Some(Diagnostic::SchemeUnknown),
            Some(scheme) if scheme.name().as_bytes() != text => Some(Diagnostic::SchemeSpelling),
            Some(_) => None,
        };
        if let Some(diagnostic) = remark {
            self.add(diagnostic, 0, text);
        }
    }

    /// The remarks on one parameter and its value, after those on its syntax.
    fn values(&mut self, param: Option<RawParam<'a>>) {
        let Some(param) = param else { return };
        let note = |this: &mut Self, diagnostic| this.add(diagnostic, param.offset, param.value.raw());
        if self.seen.iter().any(|name| name.eq_ignore_ascii_case(param.name)) {
            self.add(Diagnostic::ParamDuplicate, param.offset, param.name);
        }
        self.seen.push(param.name);
        if param.value.is_folded() {
            note(self, Diagnostic::FoldInValue);
        }
        if self.scheme != Some(Scheme::Digest) && param.value.raw().contains(&b'\\') {
            note(self, Diagnostic::BackslashLiteral);
        }
        let known = AuthParam::from_octets(param.name);
        let signing = self.scheme.filter(|scheme| scheme.signs());
        let (Some(known), Some(scheme)) = (known, signing) else { return };
        if known.is_quoted() && !param.quoted {
            note(self, Diagnostic::ValueUnquoted);
        }
        if let Some(diagnostic) = value_remark(scheme, known, &param) {
            note(self, diagnostic);
        }
    }
}

/// What is wrong with a value; each parameter has one grammar and so at most one remark.
fn value_remark(scheme: Scheme, known: AuthParam, param: &RawParam<'_>) -> Option<Diagnostic> {
    let text = param.value.raw();
    match known {
        AuthParam::Version if decimal::<u32>(text).is_none() => Some(Diagnostic::VersionMalformed),
        AuthParam::Version => param.quoted.then_some(Diagnostic::VersionQuoted),
        AuthParam::GssapiData => decode_base64(text).is_none().then_some(Diagnostic::TokenNotBase64),
        AuthParam::Crand | AuthParam::Srand => rand_remark(text),
        AuthParam::Cnum | AuthParam::Snum => number_remark(text),
        AuthParam::Response | AuthParam::Rspauth => {
            decode_base16(text).is_none_or(|octets| octets.is_empty()).then_some(Diagnostic::SignatureNotHex)
        }
        AuthParam::Qop => (text != b"auth").then_some(Diagnostic::QopNotAuth),
        AuthParam::StsUri => (scheme != Scheme::TlsDsk).then_some(Diagnostic::StsUriMisplaced),
        AuthParam::Targetname => {
            let is_principal = text.starts_with(b"sip/");
            (is_principal != (scheme == Scheme::Kerberos)).then_some(Diagnostic::TargetnameForm)
        }
        _ => None,
    }
}

fn rand_remark(text: &[u8]) -> Option<Diagnostic> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_hexdigit) {
        Some(Diagnostic::RandNotHex)
    } else {
        (text.len() != 8).then_some(Diagnostic::RandLength)
    }
}

fn number_remark(text: &[u8]) -> Option<Diagnostic> {
    match decimal::<u32>(text) {
        None | Some(0) => Some(Diagnostic::NumberMalformed),
        Some(_) => text.starts_with(b"0").then_some(Diagnostic::NumberZeroPadded),
    }
}
