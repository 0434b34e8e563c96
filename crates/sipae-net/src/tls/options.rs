//! What a user asks of TLS.

use std::path::PathBuf;

/// How to speak TLS to a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whose certificates are good.
    pub roots: TlsRoots,
    /// The name that the certificate has to bear, and that is asked for; `None`: the host of the address.
    pub server_name: Option<String>,
    /// What the suite shows when the target asks for a certificate.
    pub identity: Option<ClientIdentity>,
}

/// Whose certificates are good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsRoots {
    /// Those of the authorities that this system trusts.
    #[default]
    System,
    /// Those of the authorities in these PEM files, and the very certificates in them.
    Files(Vec<PathBuf>),
    /// Everybody's: nothing is checked.
    Unchecked,
}

/// A certificate of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// PEM file of the certificate and those behind it.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}
