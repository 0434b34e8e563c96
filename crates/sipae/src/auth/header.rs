//! One authentication header field, read.

use sipae_spec::{Diagnostic, Severity};

use super::param::COUNT;
use super::walk::{RawParam, Step, Walk};
use super::{AuthParam, Finding, Scheme};
use crate::encoding::{decode_base16, decode_base64};
use crate::message::{Span, Value};
use crate::octets::decimal;

/// Where a value is in the field, and whether it stood in quotes: a place is half as large as a slice, and there are many.
type Slot = Option<(Span, bool)>;

/// The value of an authentication header field: its scheme and known parameters as written.
///
/// Reading allocates nothing and never fails. [`malformed`](Self::malformed) tells whether the field may be used at
/// all, [`findings`](Self::findings) lists everything that a careful reader remarks.
#[derive(Clone, Copy, Debug)]
pub struct AuthHeader<'a> {
    value: Value<'a>,
    scheme: &'a [u8],
    slots: [Slot; COUNT],
    malformed: Option<Diagnostic>,
    has_unknown: bool,
}

impl<'a> AuthHeader<'a> {
    /// Reads a header value. Parameters above [`MAX_STEPS`](super::MAX_STEPS) are not looked at and make the field malformed.
    #[must_use]
    pub fn read(value: Value<'a>) -> Self {
        let (scheme, walk) = Walk::new(value);
        let malformed = scheme.is_empty().then_some(Diagnostic::SchemeMissing);
        let mut header = Self { value, scheme, slots: [None; COUNT], malformed, has_unknown: false };
        for (index, step) in walk.enumerate() {
            if index == super::MAX_STEPS {
                header.malformed = header.malformed.or(Some(Diagnostic::ParamsTooMany));
                break;
            }
            header.record(step);
        }
        if header.has_unknown && header.malformed.is_none() && repeats_unknown(value) {
            header.malformed = Some(Diagnostic::ParamDuplicate);
        }
        header
    }

    fn record(&mut self, step: Step<'a>) {
        let problem = match step {
            Step::Problem(diagnostic, _) => Some(diagnostic),
            Step::Param(param) => {
                let slot =
                    AuthParam::from_octets(param.name).and_then(|known| self.slots.get_mut(known as usize));
                match slot {
                    Some(Some(_)) => Some(Diagnostic::ParamDuplicate),
                    Some(slot) => {
                        *slot = Some((Span::within(self.value.raw(), param.value.raw()), param.quoted));
                        None
                    }
                    None => {
                        self.has_unknown = true;
                        None
                    }
                }
            }
        };
        let malformed = problem.filter(|diagnostic| diagnostic.severity() == Severity::Malformed);
        self.malformed = self.malformed.or(malformed);
    }

    /// The whole header value as written.
    #[must_use]
    pub const fn value(&self) -> Value<'a> {
        self.value
    }

    /// The scheme as written; it is the first element of the signature buffer.
    #[must_use]
    pub const fn scheme_text(&self) -> &'a [u8] {
        self.scheme
    }

    /// The scheme, if it is one of [MS-SIPAE] 1.3.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        Scheme::from_octets(self.scheme)
    }

    /// The first syntax problem that forbids the use of this field. Values are not looked at.
    #[must_use]
    pub const fn malformed(&self) -> Option<Diagnostic> {
        self.malformed
    }

    /// Everything that is to be remarked, syntax and values, in order of position.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding<'a>> {
        super::findings::collect(self.value)
    }

    /// The value of a parameter as written, without quotes; an empty value is not an absent one.
    #[must_use]
    pub fn get(&self, param: AuthParam) -> Option<Value<'a>> {
        self.slot(param).map(|(place, _)| Value(place.of(self.value.raw())))
    }

    /// Whether the value stood in quotes.
    #[must_use]
    pub fn is_quoted(&self, param: AuthParam) -> bool {
        self.slot(param).is_some_and(|(_, quoted)| quoted)
    }

    fn slot(&self, param: AuthParam) -> Slot {
        self.slots.get(param as usize).copied().flatten()
    }

    /// The protocol version: 2 where the parameter is absent ([MS-SIPAE] SIPAE-2.2-07).
    ///
    /// # Errors
    /// [`Diagnostic::VersionMalformed`].
    pub fn version(&self) -> Result<u32, Diagnostic> {
        self.get(AuthParam::Version)
            .map_or(Ok(2), |value| decimal(value.raw()).ok_or(Diagnostic::VersionMalformed))
    }

    /// `cnum` or `snum` as a number from 1 to 2^32-1; `None` where absent ([MS-SIPAE] SIPAE-2.2-10).
    ///
    /// # Errors
    /// [`Diagnostic::NumberMalformed`].
    pub fn number(&self, param: AuthParam) -> Result<Option<u32>, Diagnostic> {
        let Some(value) = self.get(param) else { return Ok(None) };
        decimal(value.raw()).filter(|number| *number != 0).map(Some).ok_or(Diagnostic::NumberMalformed)
    }

    /// The octets of `response` or `rspauth`; `None` where absent ([MS-SIPAE] SIPAE-2.2-11).
    ///
    /// # Errors
    /// [`Diagnostic::SignatureNotHex`], for an empty value too.
    pub fn signature(&self, param: AuthParam) -> Result<Option<Vec<u8>>, Diagnostic> {
        let Some(value) = self.get(param) else { return Ok(None) };
        let octets = decode_base16(value.raw()).filter(|octets| !octets.is_empty());
        octets.map(Some).ok_or(Diagnostic::SignatureNotHex)
    }

    /// The security token in `gssapi-data`: `None` where absent, empty where the value is ([MS-SIPAE] SIPAE-2.2-08).
    ///
    /// # Errors
    /// [`Diagnostic::TokenNotBase64`].
    pub fn token(&self) -> Result<Option<Vec<u8>>, Diagnostic> {
        let Some(value) = self.get(AuthParam::GssapiData) else { return Ok(None) };
        decode_base64(value.raw()).map(Some).ok_or(Diagnostic::TokenNotBase64)
    }

    /// The authentication target: targetname, for Kerberos without `sip/` ([MS-SIPAE] SIPAE-3.2.5.2-03).
    #[must_use]
    pub fn target(&self) -> Option<&'a [u8]> {
        let name = self.get(AuthParam::Targetname)?.raw();
        let is_kerberos = self.scheme() == Some(Scheme::Kerberos);
        Some(name.strip_prefix(b"sip/").filter(|_| is_kerberos).unwrap_or(name))
    }
}

/// Whether an unknown parameter occurs twice. Nothing is kept of unknown ones, so they are walked over again; out of line,
/// since hardly any field has one.
#[cold]
#[inline(never)]
fn repeats_unknown(value: Value<'_>) -> bool {
    let unknown = || {
        let (_, walk) = Walk::new(value);
        walk.take(super::MAX_STEPS).filter_map(|step| match step {
            Step::Param(param) if AuthParam::from_octets(param.name).is_none() => Some(param),
            _ => None,
        })
    };
    let is_twin = |param: &RawParam<'_>, other: &RawParam<'_>| {
        other.offset < param.offset && other.name.eq_ignore_ascii_case(param.name)
    };
    unknown().any(|param| unknown().any(|other| is_twin(&param, &other)))
}
