//! What the suite does.

use std::fmt;

use crate::{AccountRole, Party};

/// Who takes part: two endpoints of two users.
pub const PARTIES: [Party; 4] = [Party::USER, Party::PEER, Party::SECOND, Party::PEER_SECOND];

/// What a handshake is carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// REGISTER: the endpoint is registered then.
    Register,
    /// OPTIONS: it has an association and is not registered.
    Options,
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// REGISTER.
    Refresh,
    /// MESSAGE to the address of the other user.
    Message,
    /// OPTIONS to the server itself.
    Options,
    /// REGISTER with Expires: 0.
    Unregister,
}

impl Request {
    /// Its method.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Refresh | Self::Unregister => "REGISTER",
            Self::Message => "MESSAGE",
            Self::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refresh => "REGISTER",
            Self::Message => "MESSAGE to the other user",
            Self::Options => "OPTIONS",
            Self::Unregister => "REGISTER with Expires: 0",
        })
    }
}

/// Which number a signed request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// The next one.
    Next,
    /// So many are left out, and the window reaches that far.
    Ahead(u32),
    /// One that was left out before: it comes behind higher ones.
    Skipped,
    /// One that only a forged message has had.
    Forged,
    /// One that is below the window.
    Below,
    /// One that is further ahead than the window is wide, by so much.
    Beyond(u32),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str("the next number"),
            Self::Ahead(left_out) => write!(f, "a number {left_out} ahead"),
            Self::Skipped => f.write_str("a number that was left out"),
            Self::Forged => f.write_str("a number that only a forged message had"),
            Self::Below => f.write_str("a number below the window"),
            Self::Beyond(by) => write!(f, "a number {by} beyond the window"),
        }
    }
}

/// What is wrong with a message that was signed well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Forgery {
    /// One bit of the signature.
    Signature,
    /// The last digit of the opaque.
    Opaque,
    /// Call-ID was changed.
    CallId,
    /// The number of CSeq was changed.
    CSeq,
    /// The tag of From was changed.
    FromTag,
    /// Expires was added or changed.
    Expires,
    /// The number was changed to one so far ahead.
    Number(u32),
    /// The number was changed to one far above every window.
    FarNumber,
}

impl fmt::Display for Forgery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("one bit of the signature"),
            Self::Opaque => f.write_str("the last digit of the opaque"),
            Self::CallId => f.write_str("Call-ID"),
            Self::CSeq => f.write_str("the number of CSeq"),
            Self::FromTag => f.write_str("the tag of From"),
            Self::Expires => f.write_str("Expires"),
            Self::Number(ahead) => write!(f, "the number to one {ahead} ahead"),
            Self::FarNumber => f.write_str("the number to one far above the window"),
        }
    }
}

/// What a party takes of the association of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Borrowed {
    /// The opaque; the key is its own.
    Opaque,
    /// The opaque and the key; the message remains its own.
    Key,
}

/// A time that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passing {
    /// So many percent of the idle timer; less than all of it.
    Idle(u32),
    /// More than the idle timer.
    BeyondIdle,
    /// More than the time of any association.
    BeyondExpiry,
}

impl fmt::Display for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(percent) => write!(f, "{percent} % of the idle timer pass"),
            Self::BeyondIdle => f.write_str("more than the idle timer passes"),
            Self::BeyondExpiry => f.write_str("more than the expiry timer passes"),
        }
    }
}

/// One thing that is done. Each stands for itself: what it refers to is looked for when its turn comes, and it is left out
/// where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A handshake to its end. The new association takes the place of an older one of the endpoint.
    Login {
        /// Who.
        party: Party,
        /// By which request.
        over: Carrier,
    },
    /// A handshake of which nothing but the beginning comes.
    Begin {
        /// Who.
        party: Party,
    },
    /// A request without credential.
    Bare {
        /// Who.
        party: Party,
        /// What.
        request: Request,
    },
    /// A signed request.
    Sign {
        /// Who.
        party: Party,
        /// What.
        request: Request,
        /// With which number.
        number: Number,
    },
    /// A REGISTER signed with the association before the present one.
    SignOld {
        /// Who.
        party: Party,
    },
    /// A signed request once more in another transaction, over the connection of any party.
    Replay {
        /// Who has sent it.
        party: Party,
        /// Which: 0 is the last one.
        back: u32,
        /// Over whose connection.
        over: Party,
    },
    /// A signed request that is changed behind the signature.
    Forge {
        /// Who.
        party: Party,
        /// What.
        request: Request,
        /// What is changed.
        forgery: Forgery,
    },
    /// A request under the association of another party.
    Borrow {
        /// Who, as From says.
        party: Party,
        /// Whose association.
        of: Party,
        /// What of it.
        what: Borrowed,
        /// The request.
        request: Request,
    },
    /// The connection is closed and opened anew.
    Reconnect {
        /// Whose.
        party: Party,
    },
    /// Time passes.
    Elapse(Passing),
}

impl Action {
    /// Who does it.
    #[must_use]
    pub const fn party(&self) -> Option<Party> {
        match self {
            Self::Login { party, .. }
            | Self::Begin { party }
            | Self::Bare { party, .. }
            | Self::Sign { party, .. }
            | Self::SignOld { party }
            | Self::Replay { party, .. }
            | Self::Forge { party, .. }
            | Self::Borrow { party, .. }
            | Self::Reconnect { party } => Some(*party),
            Self::Elapse(_) => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login { party, over: Carrier::Register } => {
                write!(f, "{party} authenticates and registers")
            }
            Self::Login { party, over: Carrier::Options } => write!(f, "{party} authenticates over OPTIONS"),
            Self::Begin { party } => write!(f, "{party} begins a handshake and leaves it"),
            Self::Bare { party, request } => write!(f, "{party} sends an unsigned {request}"),
            Self::Sign { party, request, number } => write!(f, "{party} signs a {request} with {number}"),
            Self::SignOld { party } => {
                write!(f, "{party} signs a REGISTER with its association before this one")
            }
            Self::Replay { party, back, over } => {
                write!(f, "message {back} before the last one of {party} comes again")?;
                if over == party { Ok(()) } else { write!(f, " over the connection of {over}") }
            }
            Self::Forge { party, request, forgery } => {
                write!(f, "{party} signs a {request}, and {forgery} is changed")
            }
            Self::Borrow { party, of, what: Borrowed::Opaque, request } => {
                write!(f, "{party} signs a {request} that has the opaque of {of}")
            }
            Self::Borrow { party, of, what: Borrowed::Key, request } => {
                write!(f, "{party} signs a {request} with the association of {of}")
            }
            Self::Reconnect { party } => write!(f, "{party} comes back over a new connection"),
            Self::Elapse(passing) => passing.fmt(f),
        }
    }
}

/// The first endpoint of the user whom this party sends to.
pub(super) const fn other(party: Party) -> Party {
    match party.account {
        AccountRole::User => Party::PEER,
        _ => Party::USER,
    }
}
