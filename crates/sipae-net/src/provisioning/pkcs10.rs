//! Requests for certificates (RFC 2986): the key, and that whoever asks has its private half.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, Oid,
};
use x509_parser::prelude::FromDer;

use super::soap::Fault;

/// The SubjectPublicKeyInfo of a request in DER, proven by its signature. Old clients have RSA keys of 1024 bits and sign
/// with SHA-1. Who the request says that it is for, and what it asks to stand in the certificate, is not looked at: the
/// service knows.
///
/// # Errors
/// When it is no request, or was not signed with its own key.
pub(super) fn proven_key(der: &[u8]) -> Result<&[u8], Fault> {
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| Fault::NoRequest)?;
    if !rest.is_empty() {
        return Err(Fault::NoRequest);
    }
    let info = &request.certification_request_info;
    let named = &request.signature_algorithm.algorithm;
    let algorithm = algorithm(named).ok_or_else(|| Fault::SignatureAlgorithm(named.to_id_string()))?;
    let key = UnparsedPublicKey::new(algorithm, &info.subject_pki.subject_public_key.data);
    key.verify(info.raw, &request.signature_value.data).map_err(|_| Fault::RequestSignature)?;
    Ok(info.subject_pki.raw)
}

/// A curve has one hash here: ECDSA with another one is not met.
fn algorithm(named: &Oid<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let known: [(Oid<'_>, &'static dyn VerificationAlgorithm); 6] = [
        (OID_PKCS1_SHA1WITHRSA, &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        (OID_PKCS1_SHA256WITHRSA, &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        (OID_PKCS1_SHA384WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA384),
        (OID_PKCS1_SHA512WITHRSA, &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        (OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P256_SHA256_ASN1),
        (OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P384_SHA384_ASN1),
    ];
    known.into_iter().find(|(oid, _)| oid == named).map(|(_, algorithm)| algorithm)
}
