//! Whom a certificate names, and until when (RFC 5280 4.1.2).

use sipae::clock::Time;
use sipae::tlsdsk::{PeerCertificate, TlsDskError};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// User principal name of Active Directory, an otherName.
const PRINCIPAL_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.20.2.3");

/// Reads a certificate that the library has verified.
pub(super) fn read(der: &[u8]) -> Result<PeerCertificate, TlsDskError> {
    facts(der).map_err(|error| TlsDskError::CertificateInvalid(error.to_string()))
}

fn facts(der: &[u8]) -> Result<PeerCertificate, x509_cert::der::Error> {
    let certificate = Certificate::from_der(der)?;
    let facts = certificate.tbs_certificate();
    let mut names: Vec<String> = facts.subject().common_name()?.into_iter().map(String::from).collect();
    if let Some((_, alternatives)) = facts.get_extension::<SubjectAltName>()? {
        names.extend(alternatives.0.iter().filter_map(alternative));
    }
    let (_, not_after) = times(&certificate);
    Ok(PeerCertificate { names, not_after })
}

/// From when until when a certificate is valid.
pub(super) fn validity(der: &[u8]) -> Result<(Time, Time), x509_cert::der::Error> {
    Certificate::from_der(der).map(|certificate| times(&certificate))
}

fn times(certificate: &Certificate) -> (Time, Time) {
    let validity = certificate.tbs_certificate().validity();
    let time = |time: x509_cert::time::Time| Time::default().plus(time.to_unix_duration());
    (time(validity.not_before), time(validity.not_after))
}

fn alternative(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(text) | GeneralName::Rfc822Name(text) => {
            Some(text.to_string())
        }
        // A host is nobody's address.
        GeneralName::DnsName(text) => Some(text.to_string()).filter(|name| !name.contains('@')),
        GeneralName::OtherName(other) if other.type_id == PRINCIPAL_NAME => {
            other.value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.to_string())
        }
        _ => None,
    }
}
