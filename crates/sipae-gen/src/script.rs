//! The steps of a conversation.

use std::fmt;

use sipae::auth::AuthParam;
use sipae::message::HeaderName;

use crate::Text;

/// The name of a message, an association or an answer inside a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// A name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u32);

impl Connection {
    /// The first connection, which most scripts have alone.
    pub const FIRST: Self = Self(1);
}

/// Which account of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountRole {
    /// The user under whom the cases run.
    User,
    /// The user to whom wrong credentials go, because accounts lock.
    Sacrificial,
}

/// Which password answers a CHALLENGE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Password {
    /// The account's.
    Right,
    /// Another one.
    Wrong(String),
}

/// What stands in `gssapi-data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// An empty value: NTLM's first step.
    Empty,
    /// The answer to the association's CHALLENGE.
    Answer,
}

/// How a message is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signing {
    /// cnum in place of the next one.
    pub number: Option<u32>,
    /// `gssapi-data` beside the signature: the request that completes a handshake of version 4.
    pub token: Option<Token>,
}

/// What the suite sends before anything is changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// Method.
    pub method: String,
    /// Whose From, To, epid and Contact; Via, Call-ID and CSeq are the executor's, fresh for each message.
    pub account: AccountRole,
    /// Header fields behind the usual ones.
    pub headers: Vec<(String, Text)>,
}

impl Template {
    /// A request of the ordinary user without further header fields.
    #[must_use]
    pub fn new(method: &str) -> Self {
        Self { method: method.to_owned(), account: AccountRole::User, headers: Vec::new() }
    }

    /// The same from another account.
    #[must_use]
    pub const fn of(mut self, account: AccountRole) -> Self {
        self.account = account;
        self
    }
}

/// A change to a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Gives the first field of this name another value, or adds it.
    SetHeader(HeaderName, Text),
    /// Another user in Request-URI and To, at the same host: the text goes before the host, `sip:nobody@`.
    ReplaceUser(String),
    /// Another From tag, as some clients take for each REGISTER.
    FromTag(String),
    /// Changes a parameter of the credential.
    Param(AuthParam, ParamEdit),
    /// Gives the message another Via branch: a new SIP transaction with the same signed octets.
    Branch,
}

/// A change to a parameter of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ParamEdit {
    /// Another value.
    Set(Text),
    /// No parameter.
    Remove,
    /// Upper case.
    UpperCase,
    /// Another last digit.
    ChangeLastDigit,
    /// One bit of the octets that the hexadecimal digits stand for, outside version, pad and sequence number of an
    /// NTLM signature: the least change that every form of signature must refuse.
    FlipBit,
}

/// One step. Names are introduced by the step that makes the thing and used by later ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Opens a connection.
    Connect(Connection),
    /// Makes a message, unsigned and without credential.
    Compose {
        /// Its name.
        message: Label,
        /// What it is.
        template: Template,
    },
    /// Makes a message from another one as that was last sent.
    Copy {
        /// The name of the copy.
        message: Label,
        /// The message that is copied.
        of: Label,
    },
    /// Adds an unsigned credential with a token: a step of a handshake.
    Credential {
        /// The message.
        message: Label,
        /// The association that is being made.
        association: Label,
        /// What stands in `gssapi-data`.
        token: Token,
    },
    /// Signs a message as it is.
    Sign {
        /// The message.
        message: Label,
        /// The association.
        association: Label,
        /// How.
        signing: Signing,
    },
    /// Changes a message.
    Edit {
        /// The message.
        message: Label,
        /// The change.
        edit: Edit,
    },
    /// Sends a message.
    Send {
        /// The message.
        message: Label,
        /// Where.
        connection: Connection,
    },
    /// Waits for the final answer to a message.
    Await {
        /// The message.
        message: Label,
    },
    /// Sends a message again, over a new connection in place of the first, if its connection ended before it was
    /// answered; and waits for the answer.
    Retry {
        /// The message.
        message: Label,
    },
    /// Takes scheme, realm, targetname, version, opaque and CHALLENGE from the answer to a message.
    Adopt {
        /// The association that gets them.
        association: Label,
        /// The message whose answer has them.
        message: Label,
    },
    /// Answers the CHALLENGE of an association, which gives it its keys.
    Authenticate {
        /// The association.
        association: Label,
        /// As whom.
        account: AccountRole,
        /// With which password.
        password: Password,
    },
    /// Sends a request that is known to be answered and waits for its answer: what has had no answer by then on this
    /// connection gets none.
    Fence {
        /// Where.
        connection: Connection,
        /// The association that signs it; a bare request without one.
        association: Option<Label>,
    },
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Script {
    /// Its steps in order.
    pub steps: Vec<Step>,
}

/// Writing scripts.
impl Script {
    /// Opens the first connection.
    #[must_use]
    pub fn connected() -> Self {
        Self::default().step(Step::Connect(Connection::FIRST))
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Makes a message.
    #[must_use]
    pub fn compose(self, message: &str, template: Template) -> Self {
        self.step(Step::Compose { message: message.into(), template })
    }

    /// Makes a copy of a message as it was sent, with another Via branch.
    #[must_use]
    pub fn replay(self, message: &str, of: &str) -> Self {
        self.step(Step::Copy { message: message.into(), of: of.into() }).edit(message, Edit::Branch)
    }

    /// Signs a message with the next number.
    #[must_use]
    pub fn sign(self, message: &str, association: &str) -> Self {
        self.sign_with(message, association, Signing::default())
    }

    /// Signs a message with this number.
    #[must_use]
    pub fn sign_number(self, message: &str, association: &str, number: u32) -> Self {
        self.sign_with(message, association, Signing { number: Some(number), token: None })
    }

    /// Signs a message.
    #[must_use]
    pub fn sign_with(self, message: &str, association: &str, signing: Signing) -> Self {
        self.step(Step::Sign { message: message.into(), association: association.into(), signing })
    }

    /// Adds an unsigned credential.
    #[must_use]
    pub fn credential(self, message: &str, association: &str, token: Token) -> Self {
        self.step(Step::Credential { message: message.into(), association: association.into(), token })
    }

    /// Changes a message.
    #[must_use]
    pub fn edit(self, message: &str, edit: Edit) -> Self {
        self.step(Step::Edit { message: message.into(), edit })
    }

    /// Sends a message on the first connection.
    #[must_use]
    pub fn send(self, message: &str) -> Self {
        self.step(Step::Send { message: message.into(), connection: Connection::FIRST })
    }

    /// Waits for the answer to a message.
    #[must_use]
    pub fn wait(self, message: &str) -> Self {
        self.step(Step::Await { message: message.into() })
    }

    /// Sends a message again if its connection has ended.
    #[must_use]
    pub fn retry(self, message: &str) -> Self {
        self.step(Step::Retry { message: message.into() })
    }

    /// Takes what a challenge says.
    #[must_use]
    pub fn adopt(self, association: &str, message: &str) -> Self {
        self.step(Step::Adopt { association: association.into(), message: message.into() })
    }

    /// Answers the CHALLENGE.
    #[must_use]
    pub fn authenticate(self, association: &str, account: AccountRole, password: Password) -> Self {
        self.step(Step::Authenticate { association: association.into(), account, password })
    }

    /// A bare request and its answer on the first connection.
    #[must_use]
    pub fn fence(self) -> Self {
        self.step(Step::Fence { connection: Connection::FIRST, association: None })
    }

    /// A signed request and its answer on the first connection.
    #[must_use]
    pub fn signed_fence(self, association: &str) -> Self {
        let association = Some(association.into());
        self.step(Step::Fence { connection: Connection::FIRST, association })
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(connection) => write!(f, "connect {}", connection.0),
            Self::Compose { message, template } => write!(f, "compose {message}: {}", template.method),
            Self::Copy { message, of } => write!(f, "copy {of} as {message}"),
            Self::Credential { message, association, token } => {
                write!(f, "credential {association} in {message}, token {token:?}")
            }
            Self::Sign { message, association, signing } => {
                write!(f, "sign {message} with {association}, {signing:?}")
            }
            Self::Edit { message, edit } => write!(f, "edit {message}: {edit:?}"),
            Self::Send { message, connection } => write!(f, "send {message} on {}", connection.0),
            Self::Await { message } => write!(f, "await the answer to {message}"),
            Self::Retry { message } => write!(f, "retry {message} where its connection has ended"),
            Self::Adopt { association, message } => {
                write!(f, "adopt {association} from the answer to {message}")
            }
            Self::Authenticate { association, account, .. } => {
                write!(f, "authenticate {association} as {account:?}")
            }
            Self::Fence { connection, association: None } => write!(f, "fence on {}", connection.0),
            Self::Fence { connection, association: Some(by) } => {
                write!(f, "fence on {} with {by}", connection.0)
            }
        }
    }
}
