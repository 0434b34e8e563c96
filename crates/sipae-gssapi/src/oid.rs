//! Object identifiers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::sys::{OidDesc, OidSetDesc};

/// An object identifier, as the content octets of its DER encoding (X.690 8.19).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Oid(Cow<'static, [u8]>);

/// Octets of the longest identifier that is read.
const LONGEST: usize = 128;

impl Oid {
    /// Kerberos 5, 1.2.840.113554.1.2.2 (RFC 4121 1).
    pub const KRB5: Self = Self(Cow::Borrowed(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"));
    /// NTLM, 1.3.6.1.4.1.311.2.2.10 ([MS-NLMP] 1.9): a plug-in.
    pub const NTLM: Self = Self(Cow::Borrowed(b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"));
    /// `GSS_C_NT_HOSTBASED_SERVICE`, 1.2.840.113554.1.2.1.4 (RFC 2743 4.1).
    pub(crate) const HOSTBASED_SERVICE: Self =
        Self(Cow::Borrowed(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"));
    /// `GSS_C_NT_USER_NAME`, 1.2.840.113554.1.2.1.1 (RFC 2743 4.2).
    pub(crate) const USER_NAME: Self = Self(Cow::Borrowed(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01"));
    /// `GSS_KRB5_NT_PRINCIPAL_NAME`, 1.2.840.113554.1.2.2.1 (RFC 1964 2.1.1).
    pub(crate) const PRINCIPAL_NAME: Self = Self(Cow::Borrowed(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01"));

    /// For one call of the library, which reads it and keeps nothing of it.
    pub(crate) fn lent(&self) -> OidDesc {
        OidDesc {
            length: u32::try_from(self.0.len()).unwrap_or_default(),
            elements: self.0.as_ptr().cast_mut().cast(),
        }
    }

    /// What the library has, copied; `None` for one that is empty or longer than any.
    pub(crate) fn copied(desc: &OidDesc) -> Option<Self> {
        let length = usize::try_from(desc.length).ok().filter(|length| (1..=LONGEST).contains(length))?;
        if desc.elements.is_null() {
            return None;
        }
        // SAFETY: the library says that there are so many octets, and `desc` is borrowed from it.
        let octets = unsafe { std::slice::from_raw_parts(desc.elements.cast::<u8>(), length) };
        Some(Self(Cow::Owned(octets.to_vec())))
    }

    /// The subidentifiers; `None` for one that is cut short or does not fit.
    fn subidentifiers(&self) -> Option<Vec<u64>> {
        let mut read = Vec::new();
        let mut number: Option<u64> = None;
        for octet in self.0.iter() {
            let high = number.unwrap_or_default().checked_mul(0x80)?;
            number = Some(high | u64::from(octet & 0x7F));
            if octet & 0x80 == 0 {
                read.extend(number.take());
            }
        }
        if number.is_none() { Some(read) } else { None }
    }
}

/// Dotted decimal.
impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(subidentifiers) = self.subidentifiers() else { return write!(f, "{:02x?}", self.0) };
        let (first, rest) = subidentifiers.split_first().unwrap_or((&0, &[]));
        let root = (first / 40).min(2);
        write!(f, "{root}.{}", first - 40 * root)?;
        rest.iter().try_for_each(|number| write!(f, ".{number}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// Text that is no object identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no object identifier in dotted decimal")]
pub struct OidError(String);

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let octets = read(text).filter(|octets| octets.len() <= LONGEST);
        octets.map(|octets| Self(Cow::Owned(octets))).ok_or_else(|| OidError(text.chars().take(64).collect()))
    }
}

fn read(text: &str) -> Option<Vec<u8>> {
    let numbers: Option<Vec<u64>> = text.split('.').map(|number| number.parse().ok()).collect();
    let numbers = numbers?;
    let ([root @ (0 | 1), second @ ..40, rest @ ..] | [root @ 2, second, rest @ ..]) = numbers.as_slice()
    else {
        return None;
    };
    let mut octets = base_128((root * 40).checked_add(*second)?);
    octets.extend(rest.iter().flat_map(|number| base_128(*number)));
    Some(octets)
}

/// Seven bits an octet, all but the last one marked.
fn base_128(number: u64) -> Vec<u8> {
    let groups = (0..10).rev().map(|group| number >> (7 * group)).skip_while(|rest| *rest == 0);
    let mut octets: Vec<u8> =
        groups.map(|rest| u8::try_from(rest & 0x7F).unwrap_or_default() | 0x80).collect();
    match octets.last_mut() {
        Some(last) => *last &= 0x7F,
        None => octets.push(0),
    }
    octets
}

/// A set of one, for one call of the library.
pub(crate) struct OneOid {
    /// Boxed, since the set points to it.
    element: Box<OidDesc>,
}

impl OneOid {
    pub(crate) fn new(oid: &Oid) -> Self {
        Self { element: Box::new(oid.lent()) }
    }

    pub(crate) fn set(&mut self) -> OidSetDesc {
        OidSetDesc { count: 1, elements: &raw mut *self.element }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Oid::KRB5, "1.2.840.113554.1.2.2")]
    #[case(Oid::NTLM, "1.3.6.1.4.1.311.2.2.10")]
    #[case(Oid::HOSTBASED_SERVICE, "1.2.840.113554.1.2.1.4")]
    #[case(Oid::USER_NAME, "1.2.840.113554.1.2.1.1")]
    #[case(Oid::PRINCIPAL_NAME, "1.2.840.113554.1.2.2.1")]
    fn the_constants_are_those_of_the_rfcs(#[case] oid: Oid, #[case] dotted: &str) {
        assert_eq!(oid.to_string(), dotted);
        assert_eq!(dotted.parse(), Ok(oid));
    }

    /// X.690 8.19.5.
    #[test]
    fn the_example_of_the_standard_is_encoded_as_it_says() {
        assert_eq!("2.999.3".parse(), Ok(Oid(Cow::Borrowed(&[0x88, 0x37, 0x03]))));
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("3.1")]
    #[case("1.40")]
    #[case("1.2.")]
    #[case("1.2.-3")]
    #[case("1.2.18446744073709551616")]
    #[case("2.18446744073709551615")]
    fn what_is_no_identifier_is_refused(#[case] text: &str) {
        assert!(text.parse::<Oid>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(root in 0u64..3, second in 0u64..40, rest: Vec<u64>) {
            let text = rest.iter().take(8).fold(format!("{root}.{second}"), |text, n| format!("{text}.{n}"));
            prop_assert_eq!(text.parse::<Oid>().expect("an identifier").to_string(), text);
        }

        #[test]
        fn any_octets_are_shown(octets: Vec<u8>) {
            let shown = Oid(Cow::Owned(octets)).to_string();
            prop_assert!(!shown.is_empty());
        }
    }
}
