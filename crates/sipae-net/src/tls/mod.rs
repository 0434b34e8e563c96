//! TLS 1.2 and 1.3 on a socket, by rustls.

mod client;
mod error;
mod files;
mod server;
mod session;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};

pub use client::{ClientIdentity, TlsClient, TlsOptions, TlsRoots};
pub use error::{HandshakeError, TlsError};
pub use server::ServerIdentity;
pub(crate) use session::Session;

/// How long a handshake may take from its first octet to its last.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[cfg(test)]
mod tests;
