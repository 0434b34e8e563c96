//! Authentication schemes.

use std::fmt;

/// A scheme of [MS-SIPAE] 1.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// [MS-NLMP] in connectionless mode: what every product has.
    #[default]
    Ntlm,
    /// RFC 4120 through GSS-API.
    Kerberos,
    /// A TLS handshake inside SIP.
    TlsDsk,
    /// RFC 2617, for anonymous conference join.
    Digest,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 4] = [Self::Ntlm, Self::Kerberos, Self::TlsDsk, Self::Digest];

    /// The schemes under which messages are signed.
    pub const SIGNING: [Self; 3] = [Self::Ntlm, Self::Kerberos, Self::TlsDsk];

    /// The spelling that is written and that goes into the signature buffer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Kerberos => "Kerberos",
            Self::TlsDsk => "TLS-DSK",
            Self::Digest => "Digest",
        }
    }

    /// The scheme with this name, in any letter case.
    #[must_use]
    pub fn from_octets(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether messages are signed under this scheme: all but Digest.
    #[must_use]
    pub const fn signs(self) -> bool {
        !matches!(self, Self::Digest)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
