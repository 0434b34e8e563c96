//! What a client can be asked to do, and what it would tell its user of it.

use std::collections::BTreeMap;
use std::fmt;

/// Something that a user makes a client do. Each time it is asked for has a number, by which its outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stimulus {
    /// Register, or authenticate anew.
    Register,
    /// End the registration.
    Unregister,
    /// Send a MESSAGE to somebody.
    Message,
    /// Send an OPTIONS to the server.
    Options,
    /// Subscribe to somebody's presence.
    Subscribe,
    /// Call somebody.
    Invite,
    /// Give up the last call that was not answered.
    Cancel,
    /// End the last call.
    Bye,
    /// Ask the other side of the last call to call somebody else.
    Refer,
}

impl Stimulus {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Register,
        Self::Unregister,
        Self::Message,
        Self::Options,
        Self::Subscribe,
        Self::Invite,
        Self::Cancel,
        Self::Bye,
        Self::Refer,
    ];

    /// The name on the control channel, and in profiles.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Unregister => "unregister",
            Self::Message => "message",
            Self::Options => "options",
            Self::Subscribe => "subscribe",
            Self::Invite => "invite",
            Self::Cancel => "cancel",
            Self::Bye => "bye",
            Self::Refer => "refer",
        }
    }

    /// The method of the request that it makes.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Register | Self::Unregister => "REGISTER",
            Self::Message => "MESSAGE",
            Self::Options => "OPTIONS",
            Self::Subscribe => "SUBSCRIBE",
            Self::Invite => "INVITE",
            Self::Cancel => "CANCEL",
            Self::Bye => "BYE",
            Self::Refer => "REFER",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stimulus| stimulus.name() == name)
    }
}

impl fmt::Display for Stimulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a client would tell its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it takes itself for registered, with a server that has proven itself.
    pub registered: bool,
    /// Whether it has given up: it does nothing more before it is asked to.
    pub failed: bool,
    /// The status of the final answer to what it was asked for, by number, as it took it.
    pub outcomes: BTreeMap<u64, u16>,
}
