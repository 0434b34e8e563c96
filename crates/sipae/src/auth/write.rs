//! Writing authentication header fields.

use super::{AuthParam, Scheme};

/// How values are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Quoting {
    /// As [MS-SIPAE] 2.2 prints them: everything but version.
    #[default]
    Canonical,
    /// Everything, version included.
    All,
    /// Nothing, as one example of MS-SIP prints it.
    None,
}

/// How a product writes its header fields: order, quoting, separator. Order carries no meaning (SIPAE-2.2-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Parameters in the order in which they are written; those that are not named follow in the order of the calls.
    pub order: &'static [AuthParam],
    /// Which values stand in quotes.
    pub quoting: Quoting,
    /// What stands between two parameters.
    pub separator: &'static str,
}

use AuthParam::{
    Cnum, Crand, GssapiData, Opaque, Qop, Realm, Response, Rspauth, Snum, Srand, Targetname, Version,
};

impl Style {
    /// Lync 2010 and later; the order in which this crate writes unless told otherwise.
    pub const CANONICAL: Self = Self {
        order: &[
            Qop, Opaque, Srand, Snum, Rspauth, GssapiData, Targetname, Realm, Version, Crand, Cnum, Response,
        ],
        quoting: Quoting::Canonical,
        separator: ", ",
    };
    /// Live Communications Server 2005 to Office Communications Server 2007 R2.
    pub const OCS: Self =
        Self { order: &[Rspauth, Srand, Snum, Opaque, Qop, Targetname, Realm], ..Self::CANONICAL };
    /// Office Communicator 2007 R2.
    pub const COMMUNICATOR: Self = Self {
        order: &[Qop, Realm, Opaque, Crand, Cnum, Targetname, Version, GssapiData, Response],
        ..Self::CANONICAL
    };
    /// UCMA's RTCC stack: no blanks.
    pub const RTCC: Self = Self {
        order: &[Realm, Targetname, Response, Crand, Cnum, Opaque, Qop],
        separator: ",",
        ..Self::CANONICAL
    };
    /// No order of its own: parameters stand as they were added.
    pub const AS_ADDED: Self = Self { order: &[], ..Self::CANONICAL };
}

impl Default for Style {
    fn default() -> Self {
        Self::CANONICAL
    }
}

/// Builds the value of an authentication header field. Nothing is validated and nothing is escaped
/// ([MS-SIPAE] SIPAE-2.2-04): faulty fields are built with the same writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthWriter {
    scheme: String,
    params: Vec<(String, Vec<u8>)>,
}

impl AuthWriter {
    /// A field of this scheme without parameters.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        Self::with_scheme(scheme.name())
    }

    /// A field whose scheme is any text.
    #[must_use]
    pub fn with_scheme(scheme: &str) -> Self {
        Self { scheme: scheme.to_owned(), params: Vec::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn param(self, param: AuthParam, value: impl AsRef<[u8]>) -> Self {
        self.named(param.name(), value)
    }

    /// Adds a parameter if there is a value: absent and empty are different.
    #[must_use]
    pub fn optional(self, param: AuthParam, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.param(param, value),
            None => self,
        }
    }

    /// Adds a parameter with any name; it is quoted unless the name is known as one that is not.
    #[must_use]
    pub fn named(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.params.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The header value.
    #[must_use]
    pub fn write(&self, style: &Style) -> Vec<u8> {
        let mut out = self.scheme.clone().into_bytes();
        let mut separator = " ";
        for (name, value) in self.ordered(style) {
            out.extend_from_slice(separator.as_bytes());
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            write_value(&mut out, value, is_quoted(name, style.quoting));
            separator = style.separator;
        }
        out
    }

    fn ordered(&self, style: &Style) -> Vec<&(String, Vec<u8>)> {
        let mut params: Vec<_> = self.params.iter().collect();
        let place = |name: &str| {
            let known = AuthParam::from_octets(name.as_bytes());
            style.order.iter().position(|ordered| Some(*ordered) == known).unwrap_or(style.order.len())
        };
        params.sort_by_cached_key(|(name, _)| place(name));
        params
    }
}

/// Appends scheme and parameters, those that have a value: what [`AuthWriter`] writes of them, without a copy of
/// anything. No parameter occurs twice.
pub(crate) fn write_known(
    out: &mut Vec<u8>,
    style: &Style,
    scheme: Scheme,
    params: &[(AuthParam, Option<&[u8]>)],
) {
    let mut values = [None; AuthParam::ALL.len()];
    for (param, value) in params {
        set(&mut values, *param, *value);
    }
    out.extend_from_slice(scheme.name().as_bytes());
    let mut separator = " ";
    for param in style.order.iter().chain(params.iter().map(|(param, _)| param)) {
        let Some(value) = set(&mut values, *param, None) else { continue };
        out.extend_from_slice(separator.as_bytes());
        out.extend_from_slice(param.name().as_bytes());
        out.push(b'=');
        write_value(out, value, is_known_quoted(*param, style.quoting));
        separator = style.separator;
    }
}

/// What was there before.
fn set<'v>(
    values: &mut [Option<&'v [u8]>; AuthParam::ALL.len()],
    param: AuthParam,
    value: Option<&'v [u8]>,
) -> Option<&'v [u8]> {
    values.get_mut(param as usize).and_then(|slot| std::mem::replace(slot, value))
}

fn is_quoted(name: &str, quoting: Quoting) -> bool {
    let known = AuthParam::from_octets(name.as_bytes());
    known.map_or(quoting != Quoting::None, |param| is_known_quoted(param, quoting))
}

fn is_known_quoted(param: AuthParam, quoting: Quoting) -> bool {
    match quoting {
        Quoting::All => true,
        Quoting::None => false,
        Quoting::Canonical => param.is_quoted(),
    }
}

fn write_value(out: &mut Vec<u8>, value: &[u8], quoted: bool) {
    if quoted {
        out.push(b'"');
    }
    out.extend_from_slice(value);
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_parameters_are_written_as_by_the_writer_of_any() {
        let params = [
            (Qop, Some("auth")),
            (Realm, Some("r")),
            (Opaque, None),
            (Crand, Some("1badb002")),
            (Response, Some("00")),
            (Version, Some("4")),
        ];
        let writer = params
            .iter()
            .fold(AuthWriter::new(Scheme::Ntlm), |writer, (param, value)| writer.optional(*param, *value));
        let params = params.map(|(param, value)| (param, value.map(str::as_bytes)));
        for order in [Style::CANONICAL, Style::OCS, Style::COMMUNICATOR, Style::RTCC, Style::AS_ADDED] {
            for quoting in [Quoting::Canonical, Quoting::All, Quoting::None] {
                let style = Style { quoting, ..order };
                let mut out = Vec::new();
                write_known(&mut out, &style, Scheme::Ntlm, &params);
                assert_eq!(out, writer.write(&style), "{style:?}");
            }
        }
    }
}
