//! Certificates of users and servers, made by whoever has the key of an authority.

use std::fmt;
use std::time::Duration;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use sipae::clock::{Entropy, Time};
use sipae::server::TlsDskService;
use sipae::tlsdsk::TlsDskError;

use crate::OsEntropy;

use super::{TlsDskEngine, TlsDskIdentity, TlsDskProvider, TlsDskSettings, Validity};

/// The key of the authority, which everybody knows.
const AUTHORITY_KEY: &str = include_str!("test-authority.key.pem");
/// The RSA key of certificates, which everybody knows.
const IDENTITY_KEY: &str = include_str!("test-identity.key.pem");

/// An authority whose key is known.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    /// What stands behind a certificate of it up to the root, which is left out: empty for a root.
    chain: String,
}

/// The key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TestKey {
    /// A fresh one on P-256: quick, and for TLS 1.2.
    P256,
    /// An RSA key that everybody knows, for all versions and for RSA key exchange.
    Rsa,
}

impl TestKey {
    /// Old suites need RSA keys; a key on P-256 is quicker.
    #[must_use]
    pub const fn for_engine(engine: TlsDskEngine) -> Self {
        match engine {
            TlsDskEngine::Rustls => Self::P256,
            TlsDskEngine::OpenSsl => Self::Rsa,
        }
    }
}

impl Authority {
    /// The authority of tests, whose key is part of the program, so that separate processes agree on it: its certificate
    /// has the same octets in each of them. Whoever trusts it trusts everybody.
    ///
    /// # Errors
    /// When the library refuses, which nothing makes it do.
    pub fn test() -> Result<Self, TlsDskError> {
        Self::with_key(rsa(AUTHORITY_KEY)?, "sipae TEST authority, never trust")
    }

    /// An authority that nobody has heard of.
    ///
    /// # Errors
    /// When the library refuses, which nothing makes it do.
    pub fn stranger() -> Result<Self, TlsDskError> {
        Self::with_key(KeyPair::generate().map_err(refused)?, "sipae authority that nobody trusts")
    }

    /// An authority by its certificate and its private key, in PEM.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsDskError> {
        let key = KeyPair::from_pem(key).map_err(unreadable)?;
        let issuer = Issuer::from_ca_cert_pem(certificate, key).map_err(unreadable)?;
        Ok(Self { issuer, certificate: certificate.to_owned(), chain: String::new() })
    }

    fn with_key(key: KeyPair, name: &str) -> Result<Self, TlsDskError> {
        let params = authority_params(name);
        let certificate = params.self_signed(&key).map_err(refused)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate, chain: String::new() })
    }

    /// An authority below this one. What it issues comes with the certificates of all authorities below the root.
    ///
    /// # Errors
    /// When the library refuses, which nothing makes it do.
    pub fn subordinate(&self, name: &str) -> Result<Self, TlsDskError> {
        let (key, params) = (KeyPair::generate().map_err(refused)?, authority_params(name));
        let certificate = params.signed_by(&key, &self.issuer).map_err(refused)?.pem();
        let chain = format!("{certificate}{}", self.chain);
        Ok(Self { issuer: Issuer::new(params, key), certificate, chain })
    }

    /// Its certificate in PEM, to be trusted.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its private key in PEM, for whoever is to make further certificates.
    #[must_use]
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate of a server with this host name.
    ///
    /// # Errors
    /// When the name cannot stand in a certificate.
    pub fn server(
        &self,
        host: &str,
        validity: Validity,
        key: TestKey,
    ) -> Result<TlsDskIdentity, TlsDskError> {
        let names = vec![SanType::DnsName(ia5(host)?)];
        let mut params = params(host, names, validity);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params, key)
    }

    /// A certificate of a user with this address, without scheme: as common name, and as SIP URI.
    ///
    /// # Errors
    /// When the address cannot stand in a certificate.
    pub fn user(
        &self,
        address: &str,
        validity: Validity,
        key: TestKey,
    ) -> Result<TlsDskIdentity, TlsDskError> {
        self.issue(&user_params(address, validity)?, key)
    }

    /// A certificate of a user with this address, without scheme, for a key of the user's own: `public_key` is a
    /// SubjectPublicKeyInfo in DER, of RSA or a curve, and so is the certificate. That somebody has the private key is for
    /// the caller to know.
    ///
    /// # Errors
    /// When the address cannot stand in a certificate, or the key is of another kind.
    pub fn certify(
        &self,
        address: &str,
        validity: Validity,
        public_key: &[u8],
    ) -> Result<Vec<u8>, TlsDskError> {
        let key = SubjectPublicKeyInfo::from_der(public_key).map_err(refused)?;
        let mut params = user_params(address, validity)?;
        // The library takes the key for the number of the certificate, and a key may come again.
        let mut number = [0; 16];
        OsEntropy.fill(&mut number);
        params.serial_number = Some(SerialNumber::from_slice(&number));
        let certificate = params.signed_by(&key, &self.issuer).map_err(refused)?;
        Ok(certificate.der().to_vec())
    }

    /// What a server on this host needs to offer TLS-DSK, trusting the users of this authority.
    ///
    /// # Errors
    /// When the name cannot stand in a certificate, or the library was left out of this build.
    pub fn service(&self, host: &str, engine: TlsDskEngine) -> Result<TlsDskService, TlsDskError> {
        let identity = self.server(host, Validity::FOR_EVER, TestKey::for_engine(engine))?;
        let provider = TlsDskProvider::new(&TlsDskSettings::new(engine, Some(identity), &self.certificate))?;
        Ok(provider.service(host))
    }

    fn issue(&self, params: &CertificateParams, key: TestKey) -> Result<TlsDskIdentity, TlsDskError> {
        let pair = match key {
            TestKey::P256 => KeyPair::generate().map_err(refused)?,
            TestKey::Rsa => rsa(IDENTITY_KEY)?,
        };
        let certificate = params.signed_by(&pair, &self.issuer).map_err(refused)?;
        let certificates = format!("{}{}", certificate.pem(), self.chain);
        Ok(TlsDskIdentity { certificates, key: pair.serialize_pem() })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.remove(DnType::OrganizationName);
    params.serial_number = Some(SerialNumber::from(1_u64));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn user_params(address: &str, validity: Validity) -> Result<CertificateParams, TlsDskError> {
    let names = vec![SanType::URI(ia5(&format!("sip:{address}"))?)];
    let mut params = params(address, names, validity);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn params(name: &str, alternatives: Vec<SanType>, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = alternatives;
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(validity.not_before);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(validity.not_after);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params
}

/// Certificates have no year beyond 9999.
fn since_epoch(time: Time) -> Duration {
    const YEAR_9999: u64 = 253_402_300_799;
    Duration::from_secs((time.0 / 1000).min(YEAR_9999))
}

fn rsa(pem: &str) -> Result<KeyPair, TlsDskError> {
    KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map_err(refused)
}

fn ia5(text: &str) -> Result<Ia5String, TlsDskError> {
    Ia5String::try_from(text).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: rcgen::Error) -> TlsDskError {
    TlsDskError::Settings(format!("certificate or key of the authority: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: rcgen::Error) -> TlsDskError {
    TlsDskError::Settings(format!("test certificate: {error}"))
}
