//! What a careful reader remarks about an authentication header field.

use std::fmt;

use sipae_spec::Diagnostic;

use super::walk::{RawParam, Step, Walk};
use super::{AuthParam, Scheme};
use crate::encoding::{decode_base16, decode_base64};
use crate::message::Value;
use crate::octets::{decimal, offset_in, shown, slice};

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
    let mut collector = Collector::new(value, Scheme::from_octets(scheme));
    collector.scheme(scheme);
    let limit = super::MAX_STEPS;
    for (index, step) in walk.take(limit + 1).enumerate() {
        if index == limit {
            collector.finish_param();
            collector.add(Diagnostic::ParamsTooMany, scheme);
        } else {
            collector.step(step);
        }
    }
    collector.finish_param();
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
    /// The parameter that is being read.
    param: Option<RawParam<'a>>,
    /// Remarks on its form.
    form: Vec<Finding<'a>>,
    findings: Vec<Finding<'a>>,
}

impl<'a> Collector<'a> {
    const fn new(value: Value<'a>, scheme: Option<Scheme>) -> Self {
        Self { value, scheme, seen: Vec::new(), param: None, form: Vec::new(), findings: Vec::new() }
    }

    fn finding(&self, diagnostic: Diagnostic, text: &'a [u8]) -> Finding<'a> {
        Finding { diagnostic, offset: offset_in(self.value.raw(), text), text }
    }

    fn add(&mut self, diagnostic: Diagnostic, text: &'a [u8]) {
        self.findings.push(self.finding(diagnostic, text));
    }

    fn add_form(&mut self, diagnostic: Diagnostic, text: &'a [u8]) {
        self.form.push(self.finding(diagnostic, text));
    }

    fn scheme(&mut self, text: &'a [u8]) {
        let remark = match self.scheme {
            _ if text.is_empty() => Some(Diagnostic::SchemeMissing),
            None => Some(Diagnostic::SchemeUnknown),
            Some(scheme) if scheme.name().as_bytes() != text => Some(Diagnostic::SchemeSpelling),
            Some(_) => None,
        };
        if let Some(diagnostic) = remark {
            self.add(diagnostic, text);
        }
    }

    fn step(&mut self, step: Step<'a>) {
        match step {
            Step::Param(param) => self.begin_param(param),
            Step::Problem(diagnostic, offset) => {
                let text = slice(self.value.raw(), offset, self.value.raw().len());
                if is_element_of_its_own(diagnostic) {
                    self.finish_param();
                    self.add(diagnostic, text);
                } else {
                    self.add_form(diagnostic, text);
                }
            }
        }
    }

    fn begin_param(&mut self, param: RawParam<'a>) {
        self.finish_param();
        if self.seen.iter().any(|name| name.eq_ignore_ascii_case(param.name)) {
            self.add_form(Diagnostic::ParamDuplicate, param.name);
        }
        self.seen.push(param.name);
        if param.value.is_folded() {
            self.add_form(Diagnostic::FoldInValue, param.value.raw());
        }
        if self.scheme != Some(Scheme::Digest) && param.value.raw().contains(&b'\\') {
            self.add_form(Diagnostic::BackslashLiteral, param.value.raw());
        }
        self.param = Some(param);
    }

    /// Remarks on the form of a parameter stand in order of position, those on its value follow.
    fn finish_param(&mut self) {
        self.form.sort_by_key(|finding| finding.offset);
        self.findings.append(&mut self.form);
        if let Some(param) = self.param.take() {
            self.values(&param);
        }
    }

    fn values(&mut self, param: &RawParam<'a>) {
        let known = AuthParam::from_octets(param.name);
        let signing = self.scheme.filter(|scheme| scheme.signs());
        let (Some(known), Some(scheme)) = (known, signing) else { return };
        let remarks = [quoting_remark(known, param.quoted), value_remark(scheme, known, param)];
        for diagnostic in remarks.into_iter().flatten() {
            self.add(diagnostic, param.value.raw());
        }
    }
}

fn quoting_remark(known: AuthParam, quoted: bool) -> Option<Diagnostic> {
    match known {
        AuthParam::Version => quoted.then_some(Diagnostic::VersionQuoted),
        _ => (known.is_quoted() && !quoted).then_some(Diagnostic::ValueUnquoted),
    }
}

/// What is wrong with a value; each parameter has one grammar and so at most one remark.
fn value_remark(scheme: Scheme, known: AuthParam, param: &RawParam<'_>) -> Option<Diagnostic> {
    let text = param.value.raw();
    match known {
        AuthParam::Version => decimal::<u32>(text).is_none().then_some(Diagnostic::VersionMalformed),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AuthHeader;

    fn remarks(text: &str) -> Vec<String> {
        let findings = AuthHeader::read(Value(text.as_bytes())).findings();
        findings.iter().map(|finding| format!("{finding:?}")).collect()
    }

    #[test]
    fn a_finding_names_rule_place_and_octets() {
        assert_eq!(remarks("ntlm qop=\"x\""), ["scheme-spelling@0 \"ntlm\"", "qop-not-auth@10 \"x\""]);
    }

    #[test]
    fn remarks_on_form_stand_in_order_and_before_those_on_the_value() {
        let expected =
            ["blank-around-equals@5", "backslash-literal@12", "text-after-quote@14", "qop-not-auth@12"];
        let places: Vec<String> = remarks("NTLM qop = \"\\\"a\"")
            .iter()
            .map(|remark| remark.split(' ').next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(places, expected);
    }

    /// [MS-SIPAE] SIPAE-3.3.5.3-22.
    #[test]
    fn parameters_above_the_limit_are_not_looked_at() {
        let limit = crate::auth::MAX_STEPS;
        let field = |count: usize| format!("Digest {}", vec!["a=1"; count].join(", "));
        assert!(!remarks(&field(limit)).iter().any(|remark| remark.starts_with("params-too-many")));
        assert_eq!(
            remarks(&field(10 * limit)).last().map(String::as_str),
            Some("params-too-many@0 \"Digest\"")
        );
    }
}
