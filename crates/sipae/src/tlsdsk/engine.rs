//! What a TLS library has to offer.

use std::fmt;

use super::{Hash, KEY_MATERIAL_LENGTH, TlsDskError};
use crate::clock::Time;
use crate::side::Side;

/// Makes engines: knows the own certificate, who is trusted, and the versions.
pub trait TlsProvider: Send + Sync + fmt::Debug {
    /// An engine for one handshake. Certificates are checked for the time `now`.
    ///
    /// # Errors
    /// When the library refuses its settings.
    fn engine(&self, side: Side, now: Time) -> Result<Box<dyn TlsEngine>, TlsDskError>;
}

/// One end of one handshake.
pub trait TlsEngine: Send + fmt::Debug {
    /// Takes one flight of the peer, empty where a client begins, and gives the whole flight that answers it: none where
    /// the handshake is complete, or where the flight was not.
    ///
    /// # Errors
    /// What is wrong with the flight.
    fn feed(&mut self, records: &[u8]) -> Result<Vec<u8>, TlsDskError>;

    /// What the handshake came to; `None` before it is complete on this side.
    fn outcome(&self) -> Option<TlsOutcome>;
}

/// What a handshake comes to.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsOutcome {
    /// The 128 octets of keying material (SIPAE-3.2.4.1-30).
    pub key_material: [u8; KEY_MATERIAL_LENGTH],
    /// The hash of the suite, with which messages are signed (SIPAE-3.2.4.1-29).
    pub hash: Hash,
    /// The certificate of the peer, which has been verified.
    pub peer: Option<PeerCertificate>,
}

impl fmt::Debug for TlsOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOutcome")
            .field("hash", &self.hash)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// What matters of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Whom it names: the common name first, then the alternative names (URIs, e-mail addresses, hosts, user principal
    /// names).
    pub names: Vec<String>,
    /// The end of its validity. An association should not outlive it.
    pub not_after: Time,
}

impl PeerCertificate {
    /// Whether it names a host (RFC 2818 3.1): in whatever letters, and with a wildcard for its first label.
    #[must_use]
    pub fn is_of_host(&self, host: &[u8]) -> bool {
        let rest = host.iter().position(|octet| *octet == b'.').and_then(|dot| host.get(dot..));
        self.names.iter().map(String::as_bytes).any(|name| match name.strip_prefix(b"*") {
            Some(pattern) => rest.is_some_and(|rest| rest.eq_ignore_ascii_case(pattern)),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Server.Contoso.com", true)]
    #[case("pool.contoso.com", true)]
    #[case("other.fabrikam.com", true)]
    #[case("a.pool.fabrikam.com", false)]
    #[case("fabrikam.com", false)]
    #[case("contoso.com", false)]
    #[case("", false)]
    fn a_certificate_names_hosts(#[case] host: &str, #[case] expected: bool) {
        let names = ["server.contoso.com", "pool.contoso.com", "*.fabrikam.com"].map(str::to_owned);
        let certificate = PeerCertificate { names: names.to_vec(), not_after: Time(0) };
        assert_eq!(certificate.is_of_host(host.as_bytes()), expected);
    }
}
