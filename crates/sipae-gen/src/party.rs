//! Who speaks for the suite, and over what.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::written::WrittenParty;

/// The name of a message, an association or an answer inside a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(SmolStr);

impl Label {
    /// A name.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(SmolStr::new(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A connection of a script, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Connection(pub u32);

impl Connection {
    /// The first connection, which most scripts have alone.
    pub const FIRST: Self = Self(1);
}

/// Which account of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountRole {
    /// The user under whom the cases run.
    User,
    /// A second user, to whom the first one sends.
    Peer,
    /// The user to whom wrong credentials go, because accounts lock.
    Sacrificial,
    /// No account: somebody who knows the key of a conference.
    Anonymous,
}

/// An endpoint of an account: it has an epid, a Call-ID for its REGISTERs and a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WrittenParty", into = "WrittenParty")]
pub struct Party {
    /// The account.
    pub account: AccountRole,
    /// Which of its endpoints, from 1.
    pub endpoint: u8,
}

impl Party {
    /// The first endpoint of the user: most scripts have no other.
    pub const USER: Self = Self { account: AccountRole::User, endpoint: 1 };
    /// A second endpoint of the user.
    pub const SECOND: Self = Self { account: AccountRole::User, endpoint: 2 };
    /// The first endpoint of the second user.
    pub const PEER: Self = Self { account: AccountRole::Peer, endpoint: 1 };
    /// A second endpoint of the second user.
    pub const PEER_SECOND: Self = Self { account: AccountRole::Peer, endpoint: 2 };
    /// The endpoint of the account for wrong credentials.
    pub const SACRIFICIAL: Self = Self { account: AccountRole::Sacrificial, endpoint: 1 };

    /// Somebody without an account, who joins a conference. At a Digest registrar the user has this place.
    pub const ANONYMOUS: Self = Self { account: AccountRole::Anonymous, endpoint: 1 };
    /// Somebody else without an account.
    pub const ANONYMOUS_SECOND: Self = Self { account: AccountRole::Anonymous, endpoint: 2 };
    /// Somebody without an account who has wrong credentials. At a Digest registrar the account for those has this place.
    pub const ANONYMOUS_WRONG: Self = Self { account: AccountRole::Anonymous, endpoint: 3 };

    const NAMED: [(Self, &'static str, Connection); 8] = [
        (Self::USER, "user", Connection(1)),
        (Self::PEER, "peer", Connection(2)),
        (Self::SECOND, "second", Connection(3)),
        (Self::PEER_SECOND, "peer-second", Connection(4)),
        (Self::SACRIFICIAL, "sacrificial", Connection(5)),
        (Self::ANONYMOUS, "anonymous", Connection(6)),
        (Self::ANONYMOUS_SECOND, "anonymous-second", Connection(7)),
        (Self::ANONYMOUS_WRONG, "anonymous-wrong", Connection(8)),
    ];

    /// Every party that scripts name.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMED.into_iter().map(|(party, ..)| party)
    }

    /// Its name in texts of scripts: `{peer.address}`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(party, ..)| *party == self).map_or("another", |(_, name, _)| name)
    }

    /// The party with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, known, _)| *known == name).map(|(party, ..)| *party)
    }

    /// The connection over which it sends where a script says nothing else.
    #[must_use]
    pub fn connection(self) -> Connection {
        const OTHERS: Connection = Connection(9);
        Self::NAMED.iter().find(|(party, ..)| *party == self).map_or(OTHERS, |(.., connection)| *connection)
    }
}

/// The user.
impl Default for Party {
    fn default() -> Self {
        Self::USER
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
