//! Quality of protection.

use std::fmt;

/// A value of the parameter `qop` (RFC 2617 3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qop {
    /// `auth`: method and URI, the only one of [MS-SIPAE].
    Auth,
    /// `auth-int`: the body too.
    AuthInt,
}

impl Qop {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Auth, Self::AuthInt];

    /// The spelling that is written and hashed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The value with this name, in any letter case.
    #[must_use]
    pub fn from_octets(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|qop| qop.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Qop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
