//! The side of TLS that is connected to.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedKey, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{Error, ServerConfig, ServerConnection};

use super::{Session, TlsError, files, provider};

/// What a host shows to those who connect over TLS.
#[derive(Clone, Debug)]
pub struct ServerIdentity(Arc<ServerConfig>);

impl ServerIdentity {
    /// The certificate, and those behind it, of one PEM file with the private key of another.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = files::certificates(certificate)?;
        Self::new(chain, files::key(key)?).map_err(|error| files::content(key, error.to_string()))
    }

    /// A certificate for these host names and IP addresses that signs itself, with a fresh key that nobody keeps; and
    /// the certificate in PEM, for those who are to trust it.
    ///
    /// # Errors
    /// When a name can stand in no certificate.
    pub fn self_signed(names: &[String]) -> Result<(Self, String), TlsError> {
        let failed = |error: rcgen::Error| TlsError::Library(error.to_string());
        let CertifiedKey { cert, signing_key } = made(names).map_err(failed)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        Ok((Self::new(vec![cert.der().clone()], key)?, cert.pem()))
    }

    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, Error> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // Nothing is resumed: a ticket costs more than the short connections of a suite could save with it.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self(Arc::new(config)))
    }

    /// A session with whoever has connected, before its handshake.
    pub(crate) fn session(&self) -> Result<Session, Error> {
        Ok(Session::new(ServerConnection::new(Arc::clone(&self.0))?.into()))
    }
}

/// ECDSA on P-256, the cheapest handshake that every client can do.
fn made(names: &[String]) -> Result<CertifiedKey<KeyPair>, rcgen::Error> {
    let signing_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "sipae reference server");
    Ok(CertifiedKey { cert: params.self_signed(&signing_key)?, signing_key })
}
