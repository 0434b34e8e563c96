//! Names of header fields.

use std::fmt;

use crate::names::NameTable;

macro_rules! header_names {
    ($($variant:ident $name:literal $compact:literal;)*) => {
        /// A header field name that this crate reads. Case does not matter, compact forms are equal to long ones
        /// (RFC 3261 7.3.1, 7.3.3; [MS-SIPAE] SIPAE-2.2-20).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum HeaderName {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl HeaderName {
            /// Every name, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const NAMES: &'static [&'static str] = &[$($name,)*];

            /// The long form, spelled as the defining document spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The compact form, or an empty string.
            #[must_use]
            pub const fn compact(self) -> &'static str {
                match self { $(Self::$variant => $compact,)* }
            }
        }
    };
}

header_names! {
    Authorization "Authorization" "";
    AuthenticationInfo "Authentication-Info" "";
    CallId "Call-ID" "i";
    Contact "Contact" "m";
    ContentLength "Content-Length" "l";
    ContentType "Content-Type" "c";
    CSeq "CSeq" "";
    Date "Date" "";
    Event "Event" "o";
    Expires "Expires" "";
    From "From" "f";
    MaxForwards "Max-Forwards" "";
    MsDiagnostics "ms-diagnostics" "";
    PAssertedIdentity "P-Asserted-Identity" "";
    PPreferredIdentity "P-Preferred-Identity" "";
    ProxyAuthenticate "Proxy-Authenticate" "";
    ProxyAuthenticationInfo "Proxy-Authentication-Info" "";
    ProxyAuthorization "Proxy-Authorization" "";
    PSessionOnBehalfOf "P-Session-On-Behalf-Of" "";
    RecordRoute "Record-Route" "";
    ReferredBy "Referred-By" "b";
    Route "Route" "";
    SessionExpires "Session-Expires" "x";
    Supported "Supported" "k";
    To "To" "t";
    Via "Via" "v";
    WwwAuthenticate "WWW-Authenticate" "";
}

/// Number of known names.
pub(crate) const COUNT: usize = HeaderName::ALL.len();

static TABLE: NameTable = NameTable::new(HeaderName::NAMES);

impl HeaderName {
    /// The known name that `octets` spell, in any letter case, long or compact.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        if let [letter] = octets {
            return Self::from_compact(*letter);
        }
        let candidate = Self::ALL.get(TABLE.candidate(octets)?).copied()?;
        spells(candidate.name().as_bytes(), octets).then_some(candidate)
    }

    /// Whether `octets` spell this name, in any letter case, long or compact.
    #[must_use]
    pub const fn is_spelled(self, octets: &[u8]) -> bool {
        octets.eq_ignore_ascii_case(self.name().as_bytes())
            || (octets.len() == 1 && octets.eq_ignore_ascii_case(self.compact().as_bytes()))
    }

    fn from_compact(letter: u8) -> Option<Self> {
        let letter = letter.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|name| name.compact().as_bytes() == [letter])
    }

    /// The two fields a credential stands in.
    pub const CREDENTIALS: [Self; 2] = [Self::Authorization, Self::ProxyAuthorization];
    /// The two fields a challenge stands in.
    pub const CHALLENGES: [Self; 2] = [Self::WwwAuthenticate, Self::ProxyAuthenticate];
    /// The two fields a server signature stands in.
    pub const SIGNATURES: [Self; 2] = [Self::AuthenticationInfo, Self::ProxyAuthenticationInfo];

    /// Whether this is one of the six authentication header fields of [MS-SIPAE] 2.2.1-2.2.3.
    #[must_use]
    pub fn is_authentication(self) -> bool {
        [Self::CREDENTIALS, Self::CHALLENGES, Self::SIGNATURES].iter().any(|pair| pair.contains(&self))
    }
}

/// Whether `octets` are this name. Most names are written as here, so that the comparison without regard to case is
/// seldom made.
fn spells(name: &[u8], octets: &[u8]) -> bool {
    name == octets || name.eq_ignore_ascii_case(octets)
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_in_its_compact_form() {
        for name in HeaderName::ALL {
            for form in [name.name(), name.compact()].into_iter().filter(|form| !form.is_empty()) {
                assert_eq!(HeaderName::from_octets(form.as_bytes()), Some(*name));
                assert_eq!(HeaderName::from_octets(form.to_ascii_uppercase().as_bytes()), Some(*name));
                assert_eq!(HeaderName::from_octets(form.to_ascii_lowercase().as_bytes()), Some(*name));
                let spelled = HeaderName::ALL.iter().filter(|other| other.is_spelled(form.as_bytes()));
                assert_eq!(spelled.collect::<Vec<_>>(), [name]);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_not_guessed() {
        for name in [&b""[..], b"Z", b"Fron", b"Fromm", &[b'a'; 40]] {
            assert_eq!(HeaderName::from_octets(name), None);
        }
    }
}
