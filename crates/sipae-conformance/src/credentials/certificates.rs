//! The certificates of users for TLS-DSK, and the engines that show them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sipae::clock::Time;
use sipae::server::TlsDskService;
use sipae::tlsdsk::TlsDskError;
use sipae_gen::{CertificateFault, Password};
#[cfg(feature = "tls")]
use sipae_net::{Authority, TestKey};
use sipae_net::{TlsDskEngine, TlsDskIdentity, TlsDskProvider, TlsDskSettings, TlsDskVersion, Validity};

use super::{DAY, HOUR, MINUTE, ago};
use crate::profile::ProfileUser;

/// How the suite does TLS-DSK as a client.
#[derive(Clone)]
pub struct Certificates {
    engine: TlsDskEngine,
    /// The authorities that certificates of servers are checked with, in PEM.
    trusted: String,
    versions: Option<(TlsDskVersion, TlsDskVersion)>,
    /// The authority of the users, where its key is known: it makes certificates of any kind.
    #[cfg(feature = "tls")]
    issuer: Option<Arc<Authority>>,
    /// The engines of users with the right certificate, by address.
    made: Arc<Mutex<BTreeMap<String, Arc<TlsDskProvider>>>>,
    /// What servers need, by host.
    services: Arc<Mutex<BTreeMap<String, TlsDskService>>>,
}

/// How many authorities stand between the root and a certificate that is far from it.
#[cfg(feature = "tls")]
const AUTHORITIES_BELOW_ROOT: usize = 100;
/// Why there is no certificate to show.
const NO_CERTIFICATE: &str =
    "the profile has no certificate of the user, and no key of an authority to make one";

impl Certificates {
    /// With the certificates of the profile, where users have some.
    #[must_use]
    pub fn new(
        engine: TlsDskEngine,
        trusted: String,
        versions: Option<(TlsDskVersion, TlsDskVersion)>,
    ) -> Self {
        Self {
            engine,
            trusted,
            versions,
            #[cfg(feature = "tls")]
            issuer: None,
            made: Arc::default(),
            services: Arc::default(),
        }
    }

    /// The same with the key of the authority of the users.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn issued_by(self, issuer: Authority) -> Self {
        Self { issuer: Some(Arc::new(issuer)), ..self }
    }

    /// The authority of the users, where its key is known.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn issuer(&self) -> Option<Arc<Authority>> {
        self.issuer.clone()
    }

    /// Whether these settings make an engine, with this certificate where there is one.
    ///
    /// # Errors
    /// What the library says.
    pub fn check(&self, identity: Option<&TlsDskIdentity>) -> Result<(), TlsDskError> {
        self.with(identity.cloned()).map(drop)
    }

    /// Whether certificates of any kind can be made.
    #[must_use]
    pub const fn can_issue(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.issuer.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }

    /// What a server on this host needs to be asked for TLS-DSK by users of the same authority; `None` where its key is
    /// not known. It is made once for each host.
    #[must_use]
    pub fn service(&self, host: &str) -> Option<TlsDskService> {
        let known = || self.services.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = known().get(host) {
            return Some(service.clone());
        }
        let service = self.new_service(host)?;
        known().insert(host.to_owned(), service.clone());
        Some(service)
    }

    #[cfg(feature = "tls")]
    fn new_service(&self, host: &str) -> Option<TlsDskService> {
        self.issuer.as_ref()?.service(host, self.engine).ok()
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    const fn new_service(&self, _: &str) -> Option<TlsDskService> {
        None
    }

    /// Whether a user has a certificate.
    #[must_use]
    pub const fn has(&self, user: &ProfileUser) -> bool {
        user.identity.is_some() || self.can_issue()
    }

    /// What makes the engines of a user with these credentials.
    ///
    /// # Errors
    /// When there are none of this kind.
    pub fn provider(
        &self,
        user: &ProfileUser,
        password: &Password,
        now: Time,
    ) -> Result<Arc<TlsDskProvider>, TlsDskError> {
        if *password != Password::Right {
            return self.with(self.other_identity(user, password, now)?);
        }
        let known = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known().get(&user.address) {
            return Ok(Arc::clone(made));
        }
        let identity = match &user.identity {
            Some(identity) => identity.clone(),
            None => self.issued(&user.address, Validity::FOR_EVER)?,
        };
        let made = self.with(Some(identity))?;
        known().insert(user.address.clone(), Arc::clone(&made));
        Ok(made)
    }

    fn with(&self, identity: Option<TlsDskIdentity>) -> Result<Arc<TlsDskProvider>, TlsDskError> {
        let mut settings = TlsDskSettings::new(self.engine, identity, &self.trusted);
        if let Some((oldest, newest)) = self.versions {
            (settings.oldest, settings.newest) = (oldest, newest);
        }
        Ok(Arc::new(TlsDskProvider::new(&settings)?))
    }

    fn other_identity(
        &self,
        user: &ProfileUser,
        password: &Password,
        now: Time,
    ) -> Result<Option<TlsDskIdentity>, TlsDskError> {
        let between = |not_before, not_after| Validity { not_before, not_after };
        let address = user.address.as_str();
        let identity = match password {
            Password::Certificate(CertificateFault::Absent) => return Ok(None),
            Password::Certificate(CertificateFault::Expired) => {
                self.issued(address, between(ago(now, DAY), ago(now, HOUR)))
            }
            Password::Certificate(CertificateFault::Future) => {
                self.issued(address, between(now.plus(HOUR), now.plus(DAY)))
            }
            Password::Certificate(CertificateFault::EndsSoon) => {
                self.issued(address, between(ago(now, DAY), now.plus(MINUTE)))
            }
            Password::Certificate(CertificateFault::Unnamed) => {
                self.issued("nobody-with-this-name@unknown.invalid", Validity::FOR_EVER)
            }
            Password::Certificate(CertificateFault::FarFromRoot) => self.far_from_root(address),
            Password::Wrong(_) => stranger(address),
            _ => Err(TlsDskError::Settings("TLS-DSK has no such credentials".to_owned())),
        };
        identity.map(Some)
    }

    #[cfg(feature = "tls")]
    fn issued(&self, address: &str, validity: Validity) -> Result<TlsDskIdentity, TlsDskError> {
        let issuer = self.issuer.as_ref().ok_or_else(|| TlsDskError::Settings(NO_CERTIFICATE.to_owned()))?;
        issuer.user(address, validity, TestKey::for_engine(self.engine))
    }

    /// With the least key that there is: so long a chain is to fit into a header field.
    #[cfg(feature = "tls")]
    fn far_from_root(&self, address: &str) -> Result<TlsDskIdentity, TlsDskError> {
        let root = self.issuer.as_ref().ok_or_else(|| TlsDskError::Settings(NO_CERTIFICATE.to_owned()))?;
        let last = (2..=AUTHORITIES_BELOW_ROOT)
            .try_fold(root.subordinate("1")?, |above, place| above.subordinate(&place.to_string()))?;
        last.user(address, Validity::FOR_EVER, TestKey::P256)
    }

    #[cfg(not(feature = "tls"))]
    fn far_from_root(&self, _: &str) -> Result<TlsDskIdentity, TlsDskError> {
        Err(TlsDskError::Settings(NO_CERTIFICATE.to_owned()))
    }

    #[cfg(not(feature = "tls"))]
    fn issued(&self, _: &str, _: Validity) -> Result<TlsDskIdentity, TlsDskError> {
        Err(TlsDskError::Settings(NO_CERTIFICATE.to_owned()))
    }
}

/// A certificate of an authority that nobody has heard of.
#[cfg(feature = "tls")]
fn stranger(address: &str) -> Result<TlsDskIdentity, TlsDskError> {
    Authority::stranger()?.user(address, Validity::FOR_EVER, TestKey::P256)
}

#[cfg(not(feature = "tls"))]
const fn stranger(_: &str) -> Result<TlsDskIdentity, TlsDskError> {
    Err(TlsDskError::NotBuilt("tls"))
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("engine", &self.engine).finish_non_exhaustive()
    }
}
