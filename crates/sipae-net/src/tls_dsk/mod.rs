//! TLS engines for TLS-DSK, whose handshakes are carried in SIP header fields ([MS-SIPAE] 3.2.5.1, 3.3.5.2): rustls for
//! TLS 1.2 with the feature `tls`, OpenSSL for TLS 1.0 to 1.2 and RSA key exchange with the feature `legacy-tls`.
//!
//! Both show a certificate and demand one, never resume, and check certificates for the time that they are given. The
//! name in the certificate of a server is not compared here: the client knows `targetname`, see
//! [`TlsOutcome`](sipae::tlsdsk::TlsOutcome). Revocation is not looked at.

#[cfg(feature = "tls")]
mod authority;
#[cfg(any(feature = "tls", feature = "legacy-tls"))]
mod certificate;
#[cfg(feature = "legacy-tls")]
mod legacy;
#[cfg(feature = "tls")]
mod modern;
mod provider;
mod settings;

#[cfg(feature = "tls")]
pub use authority::{Authority, TestKey};
pub use provider::TlsDskProvider;
pub use settings::{TlsDskEngine, TlsDskIdentity, TlsDskSettings, TlsDskVersion, Validity};

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests;
