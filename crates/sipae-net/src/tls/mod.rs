//! TLS 1.2 and 1.3 on a socket, by rustls; none in a build without the feature `tls`.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod client;
mod error;
#[cfg(feature = "tls")]
mod files;
mod options;
#[cfg(feature = "tls")]
mod server;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod trust;

use std::time::Duration;

#[cfg(not(feature = "tls"))]
pub(crate) use absent::Session;
#[cfg(not(feature = "tls"))]
pub use absent::{ServerIdentity, TlsClient};
#[cfg(feature = "tls")]
pub use client::TlsClient;
pub use error::{HandshakeError, TlsError};
pub use options::{ClientIdentity, TlsOptions, TlsRoots};
#[cfg(feature = "tls")]
pub use server::ServerIdentity;
#[cfg(feature = "tls")]
pub(crate) use session::Session;

/// How long a handshake may take from its first octet to its last.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(feature = "tls")]
fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests;
