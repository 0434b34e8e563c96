//! Who is trusted.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::{TlsError, files, provider};

/// Trusts the authorities of the system.
///
/// # Errors
/// When it has none.
pub(super) fn system() -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let problem = loaded.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
        return Err(TlsError::NoSystemRoots(problem));
    }
    authorities(store)
}

/// Trusts the authorities in PEM files, and the certificates in them themselves.
///
/// # Errors
/// Names the file.
pub(super) fn files(files: &[PathBuf]) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let (mut store, mut pinned) = (RootCertStore::empty(), Vec::new());
    for file in files {
        for certificate in files::certificates(file)? {
            store.add(certificate.clone()).map_err(|error| files::content(file, error.to_string()))?;
            pinned.push(certificate);
        }
    }
    Ok(Arc::new(Trust { check: Check::Pinned(pinned, authorities(store)?), algorithms: algorithms() }))
}

/// Trusts everybody.
pub(super) fn unchecked() -> Arc<dyn ServerCertVerifier> {
    Arc::new(Trust { check: Check::Nothing, algorithms: algorithms() })
}

fn authorities(store: RootCertStore) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build();
    Ok(verifier.map_err(|error| TlsError::Library(error.to_string()))?)
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    provider().signature_verification_algorithms
}

#[derive(Debug)]
struct Trust {
    check: Check,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Check {
    /// A certificate that is one of these needs no issuer, only the right name: certificates of test servers sign
    /// themselves, and many call themselves an authority, which otherwise no server may be.
    Pinned(Vec<CertificateDer<'static>>, Arc<dyn ServerCertVerifier>),
    Nothing,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.check {
            Check::Nothing => Ok(ServerCertVerified::assertion()),
            Check::Pinned(pinned, _) if pinned.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            Check::Pinned(_, authorities) => {
                authorities.verify_server_cert(certificate, intermediates, name, ocsp, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
