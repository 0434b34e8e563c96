//! Conferences and those who join them without an account ([MS-SIPAE] 3.2.4.3, 3.3.5.1).

use crate::message::address_of_record;
use crate::octets::offset_in;

/// What the host of an anonymous address is.
const ANONYMOUS_HOST: &[u8] = b"anonymous.invalid";

/// The GRUU of a conference: `sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:854T0R7G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConferenceUri<'a> {
    /// Address of the organizer without scheme, as written.
    pub organizer: &'a [u8],
    /// What of the conference is meant; the whole of it is `focus`.
    pub service: &'a [u8],
    /// The conference, as written.
    pub id: &'a [u8],
}

impl<'a> ConferenceUri<'a> {
    /// Reads a URI; `None` if it is no GRUU of a conference.
    #[must_use]
    pub fn read(uri: &'a [u8]) -> Option<Self> {
        let organizer = address_of_record(uri).filter(|address| !address.is_empty())?;
        let behind = offset_in(uri, organizer) + organizer.len();
        let params = || uri.get(behind..).unwrap_or_default().split(|octet| *octet == b';');
        let is_gruu = params().any(|param| param.eq_ignore_ascii_case(b"gruu"));
        let opaque = params().find_map(opaque).filter(|_| is_gruu)?;
        let mut parts = opaque.splitn(5, |octet| *octet == b':');
        if parts.next() != Some(b"app") || parts.next() != Some(b"conf") {
            return None;
        }
        let service = parts.next()?;
        let id = parts.next().filter(|label| *label == b"id").and(parts.next())?;
        (!service.is_empty() && !id.is_empty()).then_some(Self { organizer, service, id })
    }
}

fn opaque(param: &[u8]) -> Option<&[u8]> {
    const NAME: usize = b"opaque=".len();
    let (name, value) = param.split_at_checked(NAME)?;
    name.eq_ignore_ascii_case(b"opaque=").then_some(value)
}

/// The user part of an anonymous address, `sip:USER@anonymous.invalid` (SIPAE-3.2.4.3-03); `None` if it is another one.
#[must_use]
pub fn anonymous_user(uri: &[u8]) -> Option<&[u8]> {
    let address = address_of_record(uri)?;
    let at = address.iter().position(|octet| *octet == b'@')?;
    let (user, host) = address.split_at_checked(at)?;
    let is_anonymous = host.get(1..).is_some_and(|host| host.eq_ignore_ascii_case(ANONYMOUS_HOST));
    (is_anonymous && !user.is_empty()).then_some(user)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// [MS-SIPAE] 4.5, message 1.
    #[rstest]
    #[case("sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:854T0R7G", "focus")]
    #[case("SIP:bob@contoso.com;Opaque=app:conf:chat:id:854T0R7G;GRUU", "chat")]
    fn a_conference_uri_names_organizer_and_conference(#[case] uri: &str, #[case] service: &str) {
        let expected =
            ConferenceUri { organizer: b"bob@contoso.com", service: service.as_bytes(), id: b"854T0R7G" };
        assert_eq!(ConferenceUri::read(uri.as_bytes()), Some(expected));
    }

    #[rstest]
    #[case("sip:bob@contoso.com")]
    #[case("sip:bob@contoso.com;opaque=app:conf:focus:id:854T0R7G")]
    #[case("sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:")]
    #[case("sip:bob@contoso.com;gruu;opaque=app:conf:focus")]
    #[case("sip:bob@contoso.com;gruu;opaque=app:voicemail:focus:id:1")]
    #[case("sip:bob@contoso.com;gruu;opaque=user:epid:21nYNIVlkV-jtN6FPBU0fQAA")]
    #[case("tel:+1;gruu;opaque=app:conf:focus:id:854T0R7G")]
    #[case("sip:;gruu;opaque=app:conf:focus:id:854T0R7G")]
    fn another_uri_is_no_conference(#[case] uri: &str) {
        assert_eq!(ConferenceUri::read(uri.as_bytes()), None);
    }

    #[rstest]
    #[case("sip:6551156d@anonymous.invalid", Some("6551156d"))]
    #[case("sip:a@Anonymous.Invalid;transport=tcp", Some("a"))]
    #[case("sip:@anonymous.invalid", None)]
    #[case("sip:anonymous.invalid", None)]
    #[case("sip:a@b@anonymous.invalid", None)]
    #[case("sip:a@anonymous.invalid.contoso.com", None)]
    #[case("sip:a@contoso.com", None)]
    fn an_anonymous_address_is_known_by_its_host(#[case] uri: &str, #[case] user: Option<&str>) {
        assert_eq!(anonymous_user(uri.as_bytes()), user.map(str::as_bytes));
    }
}
