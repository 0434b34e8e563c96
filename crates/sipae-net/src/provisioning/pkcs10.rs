//! Requests for certificates (RFC 2986): the key, and that whoever asks has its private half.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::der::asn1::{BitStringRef, ObjectIdentifier};
use x509_cert::der::{Decode, Error, Reader, SliceReader, Tag};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::soap::Fault;

/// What may sign a request, by its name. Old clients have RSA keys of 1024 bits and sign with SHA-1; a curve has one hash
/// here.
const ALGORITHMS: [(&str, &dyn VerificationAlgorithm); 6] = [
    ("1.2.840.113549.1.1.5", &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
    ("1.2.840.113549.1.1.11", &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
    ("1.2.840.113549.1.1.12", &signature::RSA_PKCS1_2048_8192_SHA384),
    ("1.2.840.113549.1.1.13", &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
    ("1.2.840.10045.4.3.2", &signature::ECDSA_P256_SHA256_ASN1),
    ("1.2.840.10045.4.3.3", &signature::ECDSA_P384_SHA384_ASN1),
];

/// The SubjectPublicKeyInfo of a request in DER, proven by its signature. Who the request says that it is for, and what it
/// asks to stand in the certificate, is not looked at: the service knows.
///
/// # Errors
/// When it is no request, or was not signed with its own key.
pub(super) fn proven_key(der: &[u8]) -> Result<&[u8], Fault> {
    let request = Request::read(der).map_err(|_| Fault::NoRequest)?;
    let named = request.algorithm.to_string();
    let known = ALGORITHMS.iter().find(|(name, _)| *name == named);
    let (_, algorithm) = known.ok_or(Fault::SignatureAlgorithm(named))?;
    UnparsedPublicKey::new(*algorithm, request.key)
        .verify(request.signed, request.signature)
        .map_err(|_| Fault::RequestSignature)?;
    Ok(request.key_info)
}

/// A CertificationRequest, with the exact octets of what is signed: attributes of real clients are in no order.
struct Request<'a> {
    signed: &'a [u8],
    key_info: &'a [u8],
    key: &'a [u8],
    algorithm: ObjectIdentifier,
    signature: &'a [u8],
}

impl<'a> Request<'a> {
    fn read(der: &'a [u8]) -> Result<Self, Error> {
        let mut reader = SliceReader::new(der)?;
        let (signed, algorithm, signature) = reader.sequence(|reader| {
            let signed = reader.tlv_bytes()?;
            let algorithm = AlgorithmIdentifierRef::decode(reader)?.oid;
            Ok::<_, Error>((signed, algorithm, whole(BitStringRef::decode(reader)?)?))
        })?;
        reader.finish()?;
        let key_info = key_info(signed)?;
        let key = whole(SubjectPublicKeyInfoRef::from_der(key_info)?.subject_public_key)?;
        Ok(Self { signed, key_info, key, algorithm, signature })
    }
}

/// A string of bits that is one of octets.
fn whole(bits: BitStringRef<'_>) -> Result<&[u8], Error> {
    bits.as_bytes().ok_or_else(|| Tag::BitString.value_error().into())
}

/// The key in a CertificationRequestInfo.
fn key_info(signed: &[u8]) -> Result<&[u8], Error> {
    let mut reader = SliceReader::new(signed)?;
    reader.sequence(|reader| {
        let _version = u8::decode(reader)?;
        let _subject = reader.tlv_bytes()?;
        let key_info = reader.tlv_bytes()?;
        // Some leave the attributes out.
        while !reader.is_finished() {
            reader.tlv_bytes()?;
        }
        Ok(key_info)
    })
}
