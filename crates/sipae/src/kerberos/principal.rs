//! Names of users and services (RFC 4120 6.2).

use std::fmt;
use std::str::FromStr;

use super::KerberosError;
use super::der::{self, GENERAL_STRING, Reader};

/// NT-PRINCIPAL: a user.
pub(super) const USER: i64 = 1;
/// NT-SRV-INST: a service and its host.
pub(super) const SERVICE: i64 = 2;

/// More components than any principal has.
pub(super) const MOST_COMPONENTS: usize = 16;

/// A principal: `alice@CONTOSO.COM`, `sip/server.contoso.com@CONTOSO.COM`. The name type is not kept, since it means
/// nothing when names are compared (RFC 4120 6.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// What stands between the slashes.
    pub components: Vec<String>,
    /// The realm.
    pub realm: String,
}

impl Principal {
    /// A user.
    #[must_use]
    pub fn user(name: &str, realm: &str) -> Self {
        Self { components: vec![name.to_owned()], realm: realm.to_owned() }
    }

    /// A service on a host.
    #[must_use]
    pub fn service(service: &str, host: &str, realm: &str) -> Self {
        Self { components: vec![service.to_owned(), host.to_owned()], realm: realm.to_owned() }
    }

    /// Without the realm: what [MS-SIPAE] has as targetname.
    #[must_use]
    pub fn name(&self) -> String {
        self.components.join("/")
    }

    /// The salt of its keys, where nobody has chosen another (RFC 4120 4): realm and components, run together.
    #[must_use]
    pub fn salt(&self) -> String {
        self.realm.clone() + &self.components.concat()
    }

    /// Whether both name one service. Active Directory compares names of services without regard to letter case;
    /// realms are compared as they are.
    #[must_use]
    pub fn is_service(&self, other: &Self) -> bool {
        let same = |(one, other): (&String, &String)| one.eq_ignore_ascii_case(other);
        self.realm == other.realm
            && self.components.len() == other.components.len()
            && self.components.iter().zip(&other.components).all(same)
    }

    /// PrincipalName: a type and a list of strings.
    pub(super) fn write_name(&self, name_type: i64) -> Vec<u8> {
        let strings: Vec<_> = self.components.iter().map(|text| der::general_string(text)).collect();
        der::sequence(&[der::field(0, &der::integer(name_type)), der::field(1, &der::sequence(&strings))])
    }

    /// PrincipalName, with the realm that stands elsewhere.
    pub(super) fn read_name(
        field: &mut Reader<'_>,
        what: &'static str,
        realm: String,
    ) -> Result<Self, KerberosError> {
        let mut name = field.sequence(what)?;
        name.field(0, what)?.integer(what)?;
        let mut strings = name.field(1, what)?.sequence(what)?;
        let mut components = Vec::new();
        while !strings.is_empty() {
            if components.len() == MOST_COMPONENTS {
                return Err(strings.wrong_value(what));
            }
            components.push(strings.text(GENERAL_STRING, what)?);
        }
        Ok(Self { components, realm })
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, component) in self.components.iter().enumerate() {
            if place != 0 {
                f.write_str("/")?;
            }
            escape(f, component)?;
        }
        f.write_str("@")?;
        escape(f, &self.realm)
    }
}

/// A backslash before each separator that is part of the text.
fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        if matches!(character, '/' | '@' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{character}")?;
    }
    Ok(())
}

impl FromStr for Principal {
    type Err = KerberosError;

    fn from_str(text: &str) -> Result<Self, KerberosError> {
        let wrong = || KerberosError::Principal { text: text.chars().take(64).collect() };
        let (mut parts, mut has_realm) = (vec![String::new()], false);
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => push(&mut parts, characters.next().ok_or_else(wrong)?),
                '@' if has_realm => return Err(wrong()),
                '@' | '/' if !has_realm => {
                    has_realm = character == '@';
                    parts.push(String::new());
                }
                character => push(&mut parts, character),
            }
        }
        let is_whole = has_realm && parts.len() <= MOST_COMPONENTS && !parts.iter().any(String::is_empty);
        let realm = parts.pop().filter(|_| is_whole).ok_or_else(wrong)?;
        Ok(Self { components: parts, realm })
    }
}

fn push(parts: &mut [String], character: char) {
    if let Some(part) = parts.last_mut() {
        part.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_service_is_written_with_slash_and_realm() {
        let service = Principal::service("sip", "server.contoso.com", "CONTOSO.COM");
        assert_eq!(service.to_string(), "sip/server.contoso.com@CONTOSO.COM");
        assert_eq!(service.name(), "sip/server.contoso.com");
        assert_eq!("sip/server.contoso.com@CONTOSO.COM".parse(), Ok(service));
    }

    #[rstest]
    #[case("")]
    #[case("alice")]
    #[case("alice@")]
    #[case("@CONTOSO.COM")]
    #[case("sip/@CONTOSO.COM")]
    #[case("alice@A@B")]
    #[case("alice@A\\")]
    fn text_without_a_name_or_a_realm_is_no_principal(#[case] text: &str) {
        assert_eq!(text.parse::<Principal>(), Err(KerberosError::Principal { text: text.to_owned() }));
    }

    #[rstest]
    #[case("sip/SERVER.contoso.com@CONTOSO.COM", true)]
    #[case("sip/server.contoso.com@contoso.com", false)]
    #[case("sip/server.contoso.com@OTHER.COM", false)]
    #[case("host/server.contoso.com@CONTOSO.COM", false)]
    #[case("sip/other.contoso.com@CONTOSO.COM", false)]
    #[case("sip@CONTOSO.COM", false)]
    #[case("sip/server.contoso.com/x@CONTOSO.COM", false)]
    fn the_letter_case_of_the_host_does_not_matter(#[case] other: Principal, #[case] same: bool) {
        let service = Principal::service("sip", "server.contoso.com", "CONTOSO.COM");
        assert_eq!(service.is_service(&other), same);
    }

    proptest! {
        #[test]
        fn a_principal_is_read_as_it_was_written(components in vec("[a-z/@\\\\é]{1,4}", 1..4), realm in "[A-Z/@\\\\.]{1,6}") {
            let principal = Principal { components, realm };
            prop_assert_eq!(principal.to_string().parse(), Ok(principal));
        }
    }
}
