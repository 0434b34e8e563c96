//! TLS 1.2 by rustls.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Connection, DigitallySignedStruct, DistinguishedName,
    Error, RootCertStore, ServerConfig, ServerConnection, SignatureScheme, version,
};
use sipae::clock::Time;
use sipae::side::Side;
use sipae::tlsdsk::{
    Alert, Hash, KEY_MATERIAL_LABEL, KEY_MATERIAL_LENGTH, TlsDskError, TlsEngine, TlsOutcome, TlsProvider,
};

use super::{TlsDskIdentity, TlsDskSettings, TlsDskVersion, certificate};

/// Settings as rustls has them; the time is set for each handshake.
#[derive(Debug)]
pub(super) struct Modern {
    client: ClientConfig,
    server: Option<ServerConfig>,
}

impl Modern {
    pub(super) fn new(settings: &TlsDskSettings) -> Result<Self, TlsDskError> {
        if settings.newest < TlsDskVersion::V1_2 || settings.suites.is_some() {
            let problem = "rustls speaks TLS 1.2 with suites of its own choice";
            return Err(TlsDskError::Settings(problem.to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusted = trusted(&settings.trusted)?;
        let roots = Arc::new(roots(&trusted)?);
        let identity = settings.identity.as_ref().map(Shown::read).transpose()?;
        let server = identity.clone().map(|shown| server(&provider, &roots, shown)).transpose()?;
        let verifier = Issued { trusted, roots, provider: Arc::clone(&provider) };
        Ok(Self { client: client(&provider, verifier, identity)?, server })
    }
}

impl TlsProvider for Modern {
    fn engine(&self, side: Side, now: Time) -> Result<Box<dyn TlsEngine>, TlsDskError> {
        let connection = match (side, &self.server) {
            (Side::Client, _) => connect(&self.client, now),
            (Side::Server, Some(server)) => accept(server, now),
            (Side::Server, None) => {
                return Err(TlsDskError::Settings("a server needs a certificate".to_owned()));
            }
        };
        Ok(Box::new(Engine { connection: connection.map_err(settings)?, outcome: None }))
    }
}

fn connect(config: &ClientConfig, now: Time) -> Result<Connection, Error> {
    let mut config = config.clone();
    config.time_provider = Arc::new(Clock(now));
    // The name is not compared, and none is sent: no name of a target is known here.
    let name = ServerName::from(IpAddr::from(Ipv4Addr::UNSPECIFIED));
    Ok(ClientConnection::new(Arc::new(config), name)?.into())
}

fn accept(config: &ServerConfig, now: Time) -> Result<Connection, Error> {
    let mut config = config.clone();
    config.time_provider = Arc::new(Clock(now));
    Ok(ServerConnection::new(Arc::new(config))?.into())
}

/// A time that stands still.
#[derive(Debug)]
struct Clock(Time);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.0)))
    }
}

/// What is shown to the peer.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Shown {
    fn read(identity: &TlsDskIdentity) -> Result<Self, TlsDskError> {
        let chain = certificates(&identity.certificates)?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes());
        let no_key = |_| TlsDskError::Settings("no PEM private key without a password".to_owned());
        Ok(Self { chain, key: key.map_err(no_key)? })
    }
}

impl Clone for Shown {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsDskError> {
    let read = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>();
    read.map_err(|error| TlsDskError::Settings(format!("no PEM certificate: {error}")))
}

fn trusted(pem: &[String]) -> Result<Vec<CertificateDer<'static>>, TlsDskError> {
    let read: Result<Vec<_>, _> = pem.iter().map(|pem| certificates(pem)).collect();
    Ok(read?.concat())
}

fn roots(trusted: &[CertificateDer<'static>]) -> Result<RootCertStore, TlsDskError> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).map_err(settings)?;
    }
    if roots.is_empty() {
        return Err(TlsDskError::Settings("no PEM certificate of an authority".to_owned()));
    }
    Ok(roots)
}

fn client(
    provider: &Arc<CryptoProvider>,
    verifier: Issued,
    identity: Option<Shown>,
) -> Result<ClientConfig, TlsDskError> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&version::TLS12])
        .map_err(settings)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(shown) => builder.with_client_auth_cert(shown.chain, shown.key).map_err(settings)?,
    };
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

fn server(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    shown: Shown,
) -> Result<ServerConfig, TlsDskError> {
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider)).build();
    let verifier = Proven(verifier.map_err(|error| TlsDskError::Settings(error.to_string()))?);
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&version::TLS12])
        .map_err(settings)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(shown.chain, shown.key)
        .map_err(settings)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn settings(error: Error) -> TlsDskError {
    TlsDskError::Settings(error.to_string())
}

/// Asks who has issued the certificate of a server and when, and not for whom. One that is itself trusted, as the
/// self-signed one of many a test server is, needs no issuer.
#[derive(Debug)]
struct Issued {
    trusted: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Issued {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.trusted.iter().any(|trusted| trusted == certificate) {
            return in_time(certificate, now).map(|()| ServerCertVerified::assertion());
        }
        let certificate = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms).map_err(unproven)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn in_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let unreadable = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
    let (not_before, not_after) = certificate::validity(certificate).map_err(unreadable)?;
    let now = Time::default().plus(Duration::from_secs(now.as_secs()));
    if now < not_before {
        Err(Error::InvalidCertificate(CertificateError::NotValidYet))
    } else if not_after < now {
        Err(Error::InvalidCertificate(CertificateError::Expired))
    } else {
        Ok(())
    }
}

/// Tells a signature of the handshake that is wrong from one in a certificate.
#[derive(Debug)]
struct Proven(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Proven {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(certificate, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature).map_err(unproven)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature).map_err(unproven)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The library has one error for a signature of an issuer and for one of the peer.
fn unproven(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature) => Error::DecryptError,
        other => other,
    }
}

struct Engine {
    connection: Connection,
    outcome: Option<TlsOutcome>,
}

impl TlsEngine for Engine {
    fn feed(&mut self, records: &[u8]) -> Result<Vec<u8>, TlsDskError> {
        let mut rest = records;
        while !rest.is_empty() {
            let read = self.connection.read_tls(&mut rest);
            if read.map_err(|error| TlsDskError::Protocol(error.to_string()))? == 0 {
                return Err(TlsDskError::Protocol("records follow the end".to_owned()));
            }
            self.connection.process_new_packets().map_err(told)?;
        }
        let mut flight = Vec::new();
        while self.connection.wants_write() {
            self.connection
                .write_tls(&mut flight)
                .map_err(|error| TlsDskError::Protocol(error.to_string()))?;
        }
        if !self.connection.is_handshaking() && self.outcome.is_none() {
            self.outcome = Some(self.complete()?);
        }
        Ok(flight)
    }

    fn outcome(&self) -> Option<TlsOutcome> {
        self.outcome.clone()
    }
}

impl Engine {
    fn complete(&self) -> Result<TlsOutcome, TlsDskError> {
        let material = [0; KEY_MATERIAL_LENGTH];
        let exported = self.connection.export_keying_material(material, KEY_MATERIAL_LABEL, None);
        let suite = self.connection.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into());
        let version = self.connection.protocol_version().map_or(0, u16::from);
        let hash = Hash::of_suite(suite, version).ok_or(TlsDskError::Suite { suite, version })?;
        let peer = self.connection.peer_certificates().and_then(<[_]>::first);
        let peer = peer.map(|peer| certificate::read(peer)).transpose()?;
        Ok(TlsOutcome { key_material: exported.map_err(told)?, hash, peer })
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rustls").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

/// An error of the library in the terms of TLS-DSK.
fn told(error: Error) -> TlsDskError {
    match error {
        Error::NoCertificatesPresented => TlsDskError::CertificateAbsent,
        Error::InvalidCertificate(error) => distrust(&error),
        Error::AlertReceived(description) => TlsDskError::Alert(Alert::fatal(description.into())),
        Error::PeerIncompatible(_) => TlsDskError::Incompatible(error.to_string()),
        Error::DecryptError => TlsDskError::Proof(error.to_string()),
        other => TlsDskError::Protocol(other.to_string()),
    }
}

fn distrust(error: &CertificateError) -> TlsDskError {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => TlsDskError::CertificateExpired,
        E::NotValidYet | E::NotValidYetContext { .. } => TlsDskError::CertificateNotYetValid,
        // A bad signature is that of an issuer with a trusted name and another key.
        E::UnknownIssuer | E::BadSignature => TlsDskError::CertificateUntrusted(error.to_string()),
        E::UnsupportedSignatureAlgorithmContext { .. } => TlsDskError::CertificateInvalid(
            "it is signed with an algorithm that rustls does not have, such as SHA-1".to_owned(),
        ),
        // The library has no variant of its own for it.
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            TlsDskError::CertificateUntrusted(
                "it says that it is an authority, and is not among the trusted certificates".to_owned(),
            )
        }
        E::Other(other) => TlsDskError::CertificateInvalid(other.to_string()),
        other => TlsDskError::CertificateInvalid(other.to_string()),
    }
}
