//! Endpoint identification: epid, `+sip.instance` and GRUU ([MS-SIPAE] 2.2.4, [MS-SIPRE] 2.2.5, 2.2.7, 3.3.3).

use std::fmt;

use sha1::{Digest, Sha1};

use crate::encoding::{digits, encode_base16, encode_base64url};
use crate::message::{Address, address_of_record};
use crate::octets::is_token_text;

/// Characters of the longest epid.
pub const EPID_LENGTH: usize = 16;

/// The namespace fcacfb03-8a73-46ef-91b1-e5ebeeaba4fe in the memory layout of a Windows GUID.
const NAMESPACE: [u8; 16] =
    [0x03, 0xFB, 0xAC, 0xFC, 0x73, 0x8A, 0xEF, 0x46, 0x91, 0xB1, 0xE5, 0xEB, 0xEE, 0xAB, 0xA4, 0xFE];

/// Whether `epid` has only characters of its grammar, `tokenchar` of [MS-SIPRE] 2.2.7, and at least one.
#[must_use]
pub fn is_epid(epid: &[u8]) -> bool {
    is_token_text(epid)
}

/// Where the hyphens of a UUID are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Where the two digits of each of its octets are.
const DIGITS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The UUID of `+sip.instance`, in the memory layout of a Windows GUID: its first three groups are little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId([u8; 16]);

impl InstanceId {
    /// Derives the UUID from an epid, whose letter case counts. A standard version 5 UUID is another value, because
    /// both ends of this one are in GUID octet order.
    #[must_use]
    pub fn from_epid(epid: &[u8]) -> Self {
        let digest: [u8; 20] = Sha1::new_with_prefix(NAMESPACE).chain_update(epid).finalize().into();
        let [g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, g10, g11, g12, g13, g14, g15, ..] = digest;
        let (version, variant) = (g7 & 0x0F | 0x50, g8 & 0x3F | 0x80);
        Self([g0, g1, g2, g3, g4, g5, g6, version, variant, g9, g10, g11, g12, g13, g14, g15])
    }

    /// Reads the text form of a UUID, in either letter case.
    #[must_use]
    pub fn from_uuid(text: &[u8]) -> Option<Self> {
        if text.len() != 36 || !HYPHENS.iter().all(|place| text.get(*place) == Some(&b'-')) {
            return None;
        }
        let mut big_endian = [0; 16];
        for (octet, place) in big_endian.iter_mut().zip(DIGITS) {
            *octet = hex_digit(*text.get(place)?)? << 4 | hex_digit(*text.get(place + 1)?)?;
        }
        Some(Self(swapped(big_endian)))
    }

    /// Reads the value of a `+sip.instance` parameter: `<urn:uuid:...>`.
    #[must_use]
    pub fn from_instance(value: &[u8]) -> Option<Self> {
        let urn = value.strip_prefix(b"<")?.strip_suffix(b">")?;
        let (prefix, uuid) = urn.split_at_checked(9)?;
        prefix.eq_ignore_ascii_case(b"urn:uuid:").then(|| Self::from_uuid(uuid))?
    }

    /// The last part of a GRUU, behind `user:epid:`: the GUID and two zero octets in Base64 for URLs.
    #[must_use]
    pub fn gruu_id(self) -> String {
        encode_base64url(&[&self.0[..], &[0, 0]].concat())
    }

    /// Reads the last part of a GRUU, behind `user:epid:`.
    #[must_use]
    pub fn from_gruu_id(id: &[u8]) -> Option<Self> {
        let octets = crate::encoding::decode_base64url(id)?;
        let (guid, zeros) = octets.split_first_chunk::<16>()?;
        (zeros == [0, 0]).then_some(Self(*guid))
    }

    /// The GRUU that a registrar gives to this endpoint of a user. `address` is an address-of-record without scheme.
    #[must_use]
    pub fn gruu(self, address: &str) -> String {
        ["sip:", address, ";opaque=user:epid:", &self.gruu_id(), ";gruu"].concat()
    }

    /// The 16 octets in GUID layout.
    #[must_use]
    pub const fn guid(self) -> [u8; 16] {
        self.0
    }
}

/// From GUID layout to network order of a UUID, or back.
const fn swapped(octets: [u8; 16]) -> [u8; 16] {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, e0, e1, e2, e3, e4, e5] = octets;
    [a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, e0, e1, e2, e3, e4, e5]
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; 36];
        for (octet, place) in swapped(self.0).into_iter().zip(DIGITS) {
            if let Some(pair) = text.get_mut(place..place + 2) {
                pair.copy_from_slice(&digits(octet, false));
            }
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// pidgin-sipe's way to make an epid: the last six octets of SHA-1 over address, host and IP address.
#[must_use]
pub fn sipe_epid(self_uri: &str, host: &str, ip: &str) -> String {
    let digest: [u8; 20] = Sha1::digest(format!("{self_uri}:{host}:{ip}")).into();
    let [.., t0, t1, t2, t3, t4, t5] = digest;
    encode_base16(&[t0, t1, t2, t3, t4, t5])
}

/// How a server tells the endpoints of users apart ([MS-SIPAE] SIPAE-3.3.5.2-02). The address-of-record is part of it:
/// the same epid of another user is another endpoint (SIPAE-3.3.1-07). epid, `+sip.instance` and GRUU of one endpoint
/// lead to the same UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId {
    /// Address-of-record without scheme, in lower case.
    pub address: String,
    /// The UUID: that of `+sip.instance`, or the one that the epid or the GRUU gives.
    pub instance: InstanceId,
}

/// Why the endpoint identifiers of a request are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// From is no sip address.
    #[error("From is no sip address")]
    Address,
    /// None of the identifiers is there.
    #[error("no endpoint identifier: From has no epid, Contact no +sip.instance and no GRUU")]
    Missing,
    /// The epid is longer than 16 characters.
    #[error("epid is longer than {EPID_LENGTH} characters")]
    EpidTooLong,
    /// The epid is empty or has characters outside its grammar.
    #[error("epid is empty or holds a character outside its grammar")]
    EpidMalformed,
    /// `+sip.instance` is no `<urn:uuid:...>`, or not the one that the epid gives.
    #[error("+sip.instance is not the UUID derived from epid")]
    InstanceMismatch,
    /// The GRUU is not the one that this registrar gives to that endpoint.
    #[error("GRUU was not issued for this endpoint")]
    GruuMismatch,
}

impl EndpointError {
    /// The requirement that is broken.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Address => "SIPAE-3.3.5.2-02",
            Self::Missing => "SIPAE-3.3.5.2-03",
            Self::EpidTooLong | Self::EpidMalformed => "SIPAE-3.3.5.2-06",
            Self::InstanceMismatch => "SIPAE-3.3.5.2-04",
            Self::GruuMismatch => "SIPAE-3.3.5.2-05",
        }
    }

    /// ErrorId of ms-diagnostics ([MS-OCER]).
    #[must_use]
    pub const fn diagnostic(self) -> u16 {
        match self {
            Self::EpidTooLong => 4012,
            Self::EpidMalformed => 4011,
            _ => 4010,
        }
    }
}

impl EndpointId {
    /// The endpoint behind From and Contact of a request.
    ///
    /// # Errors
    /// When no identifier is there, or they contradict each other.
    pub fn of(from: &Address<'_>, contact: Option<&Address<'_>>) -> Result<Self, EndpointError> {
        let address = lower_address(from.uri).ok_or(EndpointError::Address)?;
        let epid = from.epid.map(checked_epid).transpose()?.map(InstanceId::from_epid);
        let instance =
            contact.and_then(|contact| contact.param("+sip.instance")).map(read_instance).transpose()?;
        let gruu =
            contact.filter(|contact| is_gruu(contact.uri)).map(|contact| gruu_of(contact.uri, &address));
        let gruu = gruu.transpose()?;
        let found = epid.or(instance).or(gruu).ok_or(EndpointError::Missing)?;
        if instance.is_some_and(|instance| instance != found) {
            Err(EndpointError::InstanceMismatch)
        } else if gruu.is_some_and(|gruu| gruu != found) {
            Err(EndpointError::GruuMismatch)
        } else {
            Ok(Self { address, instance: found })
        }
    }
}

/// Address-of-record in lower case: user parts and hosts are compared without regard to case (SIPAE-3.3.5.2-17).
#[must_use]
pub fn lower_address(uri: &[u8]) -> Option<String> {
    let address = address_of_record(uri).filter(|address| !address.is_empty())?;
    Some(String::from_utf8_lossy(address).to_lowercase())
}

fn checked_epid(epid: &[u8]) -> Result<&[u8], EndpointError> {
    if EPID_LENGTH < epid.len() {
        Err(EndpointError::EpidTooLong)
    } else if is_epid(epid) {
        Ok(epid)
    } else {
        Err(EndpointError::EpidMalformed)
    }
}

fn read_instance(value: &[u8]) -> Result<InstanceId, EndpointError> {
    InstanceId::from_instance(value).ok_or(EndpointError::InstanceMismatch)
}

pub(crate) fn is_gruu(uri: &[u8]) -> bool {
    uri.split(|octet| *octet == b';').skip(1).any(|param| param.eq_ignore_ascii_case(b"gruu"))
}

/// The endpoint that a GRUU of this registrar names; it must be one of that user.
pub(crate) fn gruu_of(gruu: &[u8], address: &str) -> Result<InstanceId, EndpointError> {
    let names_user = lower_address(gruu).as_deref() == Some(address);
    let opaque =
        gruu.split(|octet| *octet == b';').find_map(|param| param.strip_prefix(b"opaque=user:epid:"));
    let instance = opaque.and_then(InstanceId::from_gruu_id);
    instance.filter(|_| names_user).ok_or(EndpointError::GruuMismatch)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn endpoint(from: &str, contact: &str) -> Result<EndpointId, EndpointError> {
        let from = Address::parse(from.as_bytes()).expect("From");
        let contact = Address::parse(contact.as_bytes()).ok();
        EndpointId::of(&from, contact.as_ref())
    }

    /// [MS-SIPAE] SIPAE-3.3.5.2-04: the derived UUID in either letter case, never that of RFC 4122 octet order.
    #[rstest]
    #[case("4b1682a8-f968-5701-83fc-7c6741dc6697", Ok(()))]
    #[case("4B1682A8-F968-5701-83FC-7C6741DC6697", Ok(()))]
    #[case("2fbbe037-0744-505e-9ce3-afe8a3a6b7c2", Err(EndpointError::InstanceMismatch))]
    #[case("4b1682a8f968570183fc7c6741dc6697", Err(EndpointError::InstanceMismatch))]
    fn the_instance_is_the_one_derived_from_the_epid(
        #[case] uuid: &str,
        #[case] expected: Result<(), EndpointError>,
    ) {
        let contact = format!("<sip:192.0.2.1>;+sip.instance=\"<urn:uuid:{uuid}>\"");
        assert_eq!(endpoint("<sip:a@x>;tag=1;epid=01010101", &contact).map(|_| ()), expected);
    }

    #[test]
    fn one_epid_of_two_users_names_two_endpoints() {
        assert_ne!(endpoint("<sip:a@x>;epid=1", ""), endpoint("<sip:b@x>;epid=1", ""));
        assert_eq!(endpoint("<sip:A@X>;epid=1;tag=1", ""), endpoint("sip:a@x;tag=2;epid=1", ""));
    }

    /// The capture of OCS 2007 R2: all three identifiers of one endpoint.
    #[test]
    fn epid_instance_and_gruu_of_one_endpoint_are_the_same_endpoint() {
        let epid = endpoint("<sip:user@cosmo.local>;epid=c8ca638a15", "");
        let uuid = "34d859db-6585-5f91-a3b4-de853c15347d";
        let instance = format!("<sip:192.0.2.1>;+sip.instance=\"<urn:uuid:{uuid}>\"");
        let gruu = "<sip:user@cosmo.local;opaque=user:epid:21nYNIVlkV-jtN6FPBU0fQAA;gruu>";
        assert!(epid.is_ok());
        assert_eq!(epid, endpoint("<sip:user@cosmo.local>", &instance));
        assert_eq!(epid, endpoint("<sip:user@cosmo.local>", gruu));
    }

    #[rstest]
    #[case("<sip:a@x>;tag=1", "", EndpointError::Missing)]
    #[case("<sip:a@x>;epid=12345678901234567", "", EndpointError::EpidTooLong)]
    #[case("<sip:a@x>;epid=", "", EndpointError::EpidMalformed)]
    #[case("<tel:+1>;epid=1", "", EndpointError::Address)]
    #[case("<sip:a@x>;epid=1", "<sip:b@x;opaque=user:epid:x;gruu>", EndpointError::GruuMismatch)]
    #[case(
        "<sip:a@x>",
        "<sip:b@x;opaque=user:epid:21nYNIVlkV-jtN6FPBU0fQAA;gruu>",
        EndpointError::GruuMismatch
    )]
    #[case(
        "<sip:a@x>;epid=1",
        "<sip:a@x;opaque=user:epid:21nYNIVlkV-jtN6FPBU0fQAA;gruu>",
        EndpointError::GruuMismatch
    )]
    #[case("<sip:a@x>", "<sip:a@x;opaque=user:epid:x;gruu>", EndpointError::GruuMismatch)]
    fn identifiers_that_fit_no_endpoint_are_refused(
        #[case] from: &str,
        #[case] contact: &str,
        #[case] expected: EndpointError,
    ) {
        assert_eq!(endpoint(from, contact), Err(expected));
    }
}
