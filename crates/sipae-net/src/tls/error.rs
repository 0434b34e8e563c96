//! What goes wrong with TLS, in words for whoever set it up.

use std::io;
use std::path::PathBuf;

/// Settings for TLS that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{}: {problem}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system has no authorities to trust.
    #[error("this system has no certificates of authorities ({0}); name a file with --tls-ca")]
    NoSystemRoots(String),
    /// A name for the server that no certificate could bear.
    #[error("{0:?} is neither a host name nor an IP address")]
    ServerName(String),
    /// The library refuses.
    #[error("TLS: {0}")]
    Library(String),
    /// There is no library.
    #[error("built without TLS")]
    NotBuilt,
}

/// Why there is no TLS on a connection. Texts fit behind "cannot connect to it:".
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The peer took too long.
    #[error("the TLS handshake does not come to an end")]
    Late,
    /// The peer went away.
    #[error("closed within the TLS handshake")]
    Closed,
    /// The peer speaks something else.
    #[error("the peer does not speak TLS; tcp:// is for targets without it")]
    NoTls,
    /// The peer refused.
    #[error("the peer refused the TLS handshake: {0}")]
    Refused(String),
    /// The certificate of the peer is not accepted.
    #[error("the certificate is not trusted: {problem}; {advice}")]
    Certificate {
        /// Why.
        problem: String,
        /// What its user can do, with the names of the arguments.
        advice: &'static str,
    },
    /// The name of the target is none that a certificate could bear.
    #[error(transparent)]
    Settings(#[from] TlsError),
    /// The socket broke.
    #[error("TLS handshake: {0}")]
    Broken(#[from] io::Error),
    /// The peer breaks the rules of TLS, or offers nothing that is known.
    #[error("TLS handshake: {0}")]
    Protocol(String),
}

#[cfg(feature = "tls")]
mod library {
    use rustls::{CertificateError, Error};

    use super::{HandshakeError, TlsError};

    impl From<Error> for TlsError {
        fn from(error: Error) -> Self {
            Self::Library(error.to_string())
        }
    }

    impl From<Error> for HandshakeError {
        fn from(error: Error) -> Self {
            match error {
                Error::InvalidCertificate(error) => distrust(&error),
                Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
                Error::InvalidMessage(_) => Self::NoTls,
                other => Self::Protocol(other.to_string()),
            }
        }
    }

    const UNCHECKED: &str = "--tls-insecure goes on without a check";

    fn distrust(error: &CertificateError) -> HandshakeError {
        use CertificateError as E;
        let (problem, advice) = match error {
            E::NotValidForNameContext { expected, presented } => (
                format!("it is for {}, not for {}", names(presented), expected.to_str()),
                "say with --tls-name NAME whom to expect",
            ),
            // A bad signature is that of an issuer with a trusted name and another key, such as yesterday's.
            E::UnknownIssuer | E::BadSignature | E::Other(_) => (
                "nobody who is trusted has issued it".to_owned(),
                "name the certificate of its issuer with --tls-ca FILE, or check none with --tls-insecure",
            ),
            E::Expired | E::ExpiredContext { .. } => ("it has expired".to_owned(), UNCHECKED),
            E::NotValidYet | E::NotValidYetContext { .. } => ("it is not valid yet".to_owned(), UNCHECKED),
            other => (other.to_string(), UNCHECKED),
        };
        HandshakeError::Certificate { problem, advice }
    }

    /// The names in a certificate, which come as `DnsName("localhost")`; a few of them.
    fn names(presented: &[String]) -> String {
        const SHOWN: usize = 5;
        let bare = |name: &String| {
            let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
            inner.unwrap_or(name).trim_matches('"').to_owned()
        };
        let shown: Vec<String> = presented.iter().take(SHOWN).map(bare).collect();
        if shown.is_empty() { "no name at all".to_owned() } else { shown.join(", ") }
    }
}
