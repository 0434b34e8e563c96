//! Naming a target.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddrV6};
use std::str::FromStr;

use sipae::defects::Defects;
use sipae::server::{Account, Accounts, ServerConfig};
use sipae::version::Version;
use sipae_net::{MemoryWire, TcpWire, Wire};

use crate::profile::{Profile, ProfileUser};

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The reference server in this process, one for each version.
    Reference {
        /// Its planted bug, if any.
        defects: Defects,
    },
    /// A server at `host:port`.
    Tcp {
        /// Host and port.
        address: String,
    },
}

/// A text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Another form.
    #[error("{0:?} is no target: use ref or tcp://host:port")]
    Form(String),
    /// `tcp://` without host or port.
    #[error("{0:?} is no target: tcp:// needs a host (IPv6 in brackets) and a port from 1 to 65535")]
    Address(String),
}

impl Target {
    /// The embedded reference.
    pub const REFERENCE: Self = Self::Reference { defects: Defects::NONE };

    /// The versions that are known to be claimed: all by the reference, those of the profile by a server.
    #[must_use]
    pub fn claimed(&self, profile: &Profile) -> Option<Vec<Version>> {
        match self {
            Self::Reference { .. } => Some(profile.versions.clone().unwrap_or(Version::ALL.to_vec())),
            Self::Tcp { .. } => profile.versions.clone(),
        }
    }

    /// A way to the target as it is at this version.
    #[must_use]
    pub fn wire(&self, version: Version, seed: u64) -> Box<dyn Wire> {
        match self {
            Self::Reference { defects } => {
                let mut config = reference_config(version);
                config.defects = *defects;
                Box::new(MemoryWire::new(config, seed))
            }
            Self::Tcp { address } => Box::new(TcpWire::new(address)),
        }
    }
}

/// The configuration of the embedded reference server, and of `sipae serve` without a file of users.
#[must_use]
pub fn reference_config(version: Version) -> ServerConfig {
    let profile = Profile::of_reference();
    let users = [Some(profile.user), profile.sacrificial];
    ServerConfig::new("server.contoso.com", version, accounts(users.into_iter().flatten()))
}

/// Accounts of a server with these users.
#[must_use]
pub fn accounts(users: impl IntoIterator<Item = ProfileUser>) -> Accounts {
    let account = |user: ProfileUser| Account {
        user: user.user,
        domain: user.domain,
        password: user.password,
        address: user.address,
        tel: None,
    };
    Accounts::new(users.into_iter().map(account).collect())
}

/// Whether a text names a host: labels of letters, digits, hyphens and underscores, or an IP address. Nothing else is
/// safe in a header field.
#[must_use]
pub fn is_host(text: &str) -> bool {
    const LONGEST: usize = 253;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_reference = bare.is_some_and(|bare| bare.parse::<Ipv6Addr>().is_ok());
    let is_address = text.parse::<IpAddr>().is_ok() || is_reference;
    is_address || text.len() <= LONGEST && is_host_name(text)
}

fn is_host_name(text: &str) -> bool {
    let is_part = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_part))
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text == "ref" {
            return Ok(Self::REFERENCE);
        }
        let address = text.strip_prefix("tcp://").ok_or_else(|| TargetError::Form(text.to_owned()))?;
        let (host, port) = address.rsplit_once(':').unwrap_or_default();
        let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
        if is_port && (is_host_name(host) || address.parse::<SocketAddrV6>().is_ok()) {
            Ok(Self::Tcp { address: address.to_owned() })
        } else {
            Err(TargetError::Address(text.to_owned()))
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference { .. } => f.write_str("ref"),
            Self::Tcp { address } => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_and_shown_in_one_form() {
        for text in [
            "ref",
            "tcp://127.0.0.1:5060",
            "tcp://[::1]:5060",
            "tcp://[fe80::1%2]:5060",
            "tcp://server.contoso.com:1",
            "tcp://lab_1:5060",
        ] {
            assert_eq!(text.parse::<Target>().map(|target| target.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_text_that_is_no_target_says_what_is_one() {
        for text in [
            "",
            "tls://x:1",
            "tcp://",
            "tcp://host",
            "tcp://host:0",
            "tcp://host:99999",
            "tcp://a/b:1",
            "tcp://u@127.0.0.1:5",
            "tcp://::1:5",
            "tcp://[x]:5",
            "tcp://a b:5",
            "tcp://a..b:5",
            "tcp://host:1\r\n",
            "host:1",
        ] {
            let error = text.parse::<Target>().expect_err("no target").to_string();
            assert!(error.contains("tcp://"), "{error}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_ip_address() {
        for text in ["server.contoso.com", "lab_1", "127.0.0.1", "::1", "[2001:db8::1]"] {
            assert!(is_host(text), "{text}");
        }
        let long = "a.".repeat(127) + "a";
        for text in ["", ".", "a..b", "a\"b\r\nX: y", "a b", "a:5060", "[127.0.0.1]", "é.com", long.as_str()]
        {
            assert!(!is_host(text), "{text:?}");
        }
    }
}
