//! With what a party authenticates, how it signs, and what is wrong with that.

use std::fmt;

use serde::{Deserialize, Serialize};
use sipae::version::Version;

use crate::{Text, written};

/// With which credentials a party authenticates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Password {
    /// Those of the account.
    #[default]
    Right,
    /// Another password, a ticket under another key than the service's, or a certificate of an authority that nobody
    /// trusts.
    Wrong(String),
    /// None: an AUTHENTICATE of the anonymous kind, whose keys are public.
    Anonymous,
    /// Those of an account name that does not exist.
    UnknownUser(String),
    /// A ticket, or an authenticator, that is not as it must be.
    Ticket(TicketFault),
    /// A certificate that is not as it must be.
    Certificate(CertificateFault),
}

/// What is wrong with a ticket or the authenticator beside it, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketFault {
    /// The ticket ended an hour ago.
    Expired,
    /// The ticket begins in an hour.
    Future,
    /// The ticket is for a service of another host.
    OtherService,
    /// The ticket is for the same service in another realm.
    OtherRealm,
    /// The ticket is under a key of an encryption type that the service has no key of.
    OtherType,
    /// The client of the authenticator is not that of the ticket.
    OtherClient,
    /// The authenticator was made ten minutes ago, by the clock of the suite.
    Skewed,
    /// The authenticator was made in ten minutes from now, by the clock of the suite.
    SkewedAhead,
    /// The authenticator was made four minutes ago: within the tolerance, and hence no fault.
    SlightlySkewed,
    /// The encrypted part of the ticket lacks its end.
    Truncated,
    /// The checksum of the authenticator is of another type than GSS-API's.
    Checksum,
    /// The ticket ends in a minute; until then it is right.
    EndsSoon,
}

/// What is wrong with a certificate, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFault {
    /// It ended an hour ago.
    Expired,
    /// It begins in an hour.
    Future,
    /// There is none.
    Absent,
    /// It names nobody who has an account.
    Unnamed,
    /// It ends in a minute; until then it is right.
    EndsSoon,
    /// It is right, and a hundred authorities stand between it and the one that is trusted.
    FarFromRoot,
}

/// What stands in `gssapi-data`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Token {
    /// An empty value: NTLM's first step.
    Empty,
    /// The answer to the association's CHALLENGE.
    Answer,
    /// Anything else.
    Text(Text),
}

/// How a message is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Signing {
    /// cnum in place of the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// `gssapi-data` beside the signature: the request that completes a handshake of version 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The layout of another version than that of the association.
    #[serde(with = "written::some_version", skip_serializing_if = "Option::is_none")]
    pub layout: Option<Version>,
    /// What is written, and signed, for cnum: anything but the digits of a number is a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_text: Option<String>,
    /// What is written, and signed, for crand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rand_text: Option<String>,
    /// The signature that a response would have if it were a request: without the status code.
    #[serde(skip_serializing_if = "written::is_default")]
    pub without_status: bool,
}

/// What is not as usual.
impl fmt::Display for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number {
            write!(f, ", cnum {number}")?;
        }
        if let Some(token) = &self.token {
            write!(f, ", token {token:?}")?;
        }
        if let Some(layout) = self.layout {
            write!(f, ", layout of version {}", layout.number())?;
        }
        for (name, text) in [("cnum", &self.number_text), ("crand", &self.rand_text)] {
            if let Some(text) = text {
                write!(f, ", {name} written {text:?}")?;
            }
        }
        if self.without_status {
            f.write_str(", without the status code")?;
        }
        Ok(())
    }
}

/// What is not as it must be in a Digest credential, and in what its response is computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct DigestChange {
    /// The nonce count in place of the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nc: Option<u32>,
    /// Another key, or password, than the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Another realm than that of the challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// Another digest-uri than the Request-URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The method in place of that of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// What is not as usual.
impl fmt::Display for DigestChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(count) = self.nc {
            write!(f, ", nc {count}")?;
        }
        if self.key.is_some() {
            f.write_str(", a wrong key")?;
        }
        for (name, text) in [("realm", &self.realm), ("uri", &self.uri), ("method", &self.method)] {
            if let Some(text) = text {
                write!(f, ", {name} {text:?}")?;
            }
        }
        Ok(())
    }
}
