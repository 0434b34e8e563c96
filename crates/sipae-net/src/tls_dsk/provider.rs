//! The engines of this build.

use std::sync::Arc;

use sipae::clock::Time;
use sipae::server::TlsDskService;
use sipae::side::Side;
use sipae::tlsdsk::{TlsDskError, TlsEngine, TlsProvider};

use super::{TlsDskEngine, TlsDskSettings};

/// Makes engines of the library that the settings name.
#[derive(Debug)]
pub struct TlsDskProvider(Box<dyn TlsProvider>);

impl TlsDskProvider {
    /// Reads certificates and keys.
    ///
    /// # Errors
    /// When the library refuses the settings, or was left out of this build.
    pub fn new(settings: &TlsDskSettings) -> Result<Self, TlsDskError> {
        if settings.newest < settings.oldest {
            return Err(TlsDskError::Settings("the oldest version is newer than the newest one".to_owned()));
        }
        match settings.engine {
            TlsDskEngine::Rustls => modern(settings).map(Self),
            TlsDskEngine::OpenSsl => legacy(settings).map(Self),
        }
    }

    /// What a server on this host needs to offer TLS-DSK. Nobody answers at the URL that it names.
    #[must_use]
    pub fn service(self, host: &str) -> TlsDskService {
        let sts_uri = format!("https://{host}/CertProv/CertProvisioningService.svc");
        TlsDskService { provider: Arc::new(self), sts_uri }
    }
}

impl TlsProvider for TlsDskProvider {
    fn engine(&self, side: Side, now: Time) -> Result<Box<dyn TlsEngine>, TlsDskError> {
        self.0.engine(side, now)
    }
}

#[cfg(feature = "tls")]
fn modern(settings: &TlsDskSettings) -> Result<Box<dyn TlsProvider>, TlsDskError> {
    Ok(Box::new(super::modern::Modern::new(settings)?))
}

#[cfg(not(feature = "tls"))]
const fn modern(_: &TlsDskSettings) -> Result<Box<dyn TlsProvider>, TlsDskError> {
    Err(TlsDskError::NotBuilt("tls"))
}

#[cfg(feature = "legacy-tls")]
fn legacy(settings: &TlsDskSettings) -> Result<Box<dyn TlsProvider>, TlsDskError> {
    Ok(Box::new(super::legacy::Legacy::new(settings)?))
}

#[cfg(not(feature = "legacy-tls"))]
const fn legacy(_: &TlsDskSettings) -> Result<Box<dyn TlsProvider>, TlsDskError> {
    Err(TlsDskError::NotBuilt("legacy-tls"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::tls_dsk::TlsDskVersion;

    #[rstest]
    #[cfg_attr(not(feature = "tls"), case(TlsDskEngine::Rustls, "unsupported (built without tls)"))]
    #[cfg_attr(
        not(feature = "legacy-tls"),
        case(TlsDskEngine::OpenSsl, "unsupported (built without legacy-tls)")
    )]
    #[cfg_attr(
        feature = "tls",
        case(TlsDskEngine::Rustls, "TLS settings: no PEM certificate of an authority")
    )]
    #[cfg_attr(
        feature = "legacy-tls",
        case(TlsDskEngine::OpenSsl, "TLS settings: no PEM certificate of an authority")
    )]
    fn what_is_missing_is_told(#[case] engine: TlsDskEngine, #[case] text: &str) {
        let error = TlsDskProvider::new(&TlsDskSettings::new(engine, None, "")).unwrap_err();
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn versions_in_the_wrong_order_are_refused() {
        let mut settings = TlsDskSettings::new(TlsDskEngine::OpenSsl, None, "");
        settings.newest = TlsDskVersion::V1_0;
        settings.oldest = TlsDskVersion::V1_1;
        let error = TlsDskProvider::new(&settings).unwrap_err().to_string();
        assert_eq!(error, "TLS settings: the oldest version is newer than the newest one");
    }
}
