//! The steps of a conversation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Connection, DigestChange, Edit, Label, Party, Password, Script, Signing, Span, Template, Token, written,
};

/// One step. Names are introduced by the step that makes the thing and used by later ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Step {
    /// Opens a connection, in place of one of the same number.
    Connect(Connection),
    /// Closes a connection.
    Disconnect(Connection),
    /// Makes a message, unsigned and without credential.
    Compose {
        /// Its name.
        message: Label,
        /// What it is.
        #[serde(flatten)]
        template: Template,
    },
    /// Makes a message from another one as that was last sent.
    Copy {
        /// The name of the copy.
        message: Label,
        /// The message that is copied.
        of: Label,
    },
    /// Makes a message from another one as it reached a party.
    CopyDelivered {
        /// The name of the copy.
        message: Label,
        /// The message that was delivered.
        of: Label,
        /// To whom; the copy is this party's.
        party: Party,
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
        #[serde(flatten)]
        signing: Signing,
    },
    /// Makes the signature of a message anew, over header fields and credential as they stand, whatever they are.
    Resign {
        /// The message.
        message: Label,
        /// The association.
        association: Label,
    },
    /// Adds a Digest credential, which answers the challenge in the answer to another message.
    Digest {
        /// The message.
        message: Label,
        /// The message whose answer has the challenge.
        challenge: Label,
        /// What is not as it must be.
        #[serde(flatten)]
        change: DigestChange,
    },
    /// Changes a message.
    Edit {
        /// The message.
        message: Label,
        /// The change.
        #[serde(rename = "change")]
        edit: Edit,
    },
    /// Sends a message.
    Send {
        /// The message.
        message: Label,
        /// Where; over the connection of its party where it is absent.
        #[serde(default, skip_serializing_if = "written::is_default")]
        connection: Option<Connection>,
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
    /// Waits until the target has delivered a message to a party; whoever sent it has to be answered by the script.
    Expect {
        /// The message as the suite sent it.
        message: Label,
        /// Whom it has to reach.
        party: Party,
    },
    /// Makes a response to a message that has reached a party.
    Respond {
        /// Its name.
        message: Label,
        /// The message that it answers.
        to: Label,
        /// The party that answers.
        party: Party,
        /// The status code.
        status: u16,
    },
    /// Takes scheme, realm, targetname, version, opaque and CHALLENGE from the answer to a message; of TLS-DSK the flight
    /// of the server, which may give the keys.
    Adopt {
        /// The association that gets them.
        association: Label,
        /// The message whose answer has them.
        message: Label,
    },
    /// Authenticates for an association: answers its CHALLENGE, makes a ticket, or begins a TLS handshake. With NTLM and
    /// Kerberos this gives it its keys.
    Authenticate {
        /// The association.
        association: Label,
        /// As whom.
        party: Party,
        /// With which credentials.
        #[serde(default, skip_serializing_if = "written::is_default")]
        password: Password,
    },
    /// Sends a request that is known to be answered and waits for its answer: what has had no answer by then on this
    /// connection gets none.
    Fence {
        /// Where.
        connection: Connection,
        /// The association that signs it; a bare request without one.
        #[serde(default, skip_serializing_if = "written::is_default")]
        association: Option<Label>,
    },
    /// Lets time pass.
    Elapse(Span),
    /// Plays a part to its end or to the first step that cannot be made, and goes on behind it: a handshake that the
    /// target may refuse. No [`Expect`](Self::Expect) has a meaning in it.
    Attempt(Script),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(connection) => write!(f, "connect {}", connection.0),
            Self::Disconnect(connection) => write!(f, "disconnect {}", connection.0),
            Self::Compose { message, template } => {
                write!(f, "compose {message}: {} of {} ", template.method, template.from)?;
                match &template.within {
                    Some(invite) => write!(f, "in the dialog of {invite}"),
                    None => write!(f, "to {}", template.to),
                }
            }
            Self::Copy { message, of } => write!(f, "copy {of} as {message}"),
            Self::CopyDelivered { message, of, party } => {
                write!(f, "copy {of} as it reached {party} as {message}")
            }
            Self::Credential { message, association, token } => {
                write!(f, "credential {association} in {message}, token {token:?}")
            }
            Self::Sign { message, association, signing } => {
                write!(f, "sign {message} with {association}{signing}")
            }
            Self::Resign { message, association } => write!(f, "sign {message} again with {association}"),
            Self::Digest { message, challenge, change } => {
                write!(f, "Digest credential in {message} for the challenge of {challenge}{change}")
            }
            Self::Edit { message, edit } => write!(f, "edit {message}: {edit:?}"),
            Self::Send { message, connection: None } => write!(f, "send {message}"),
            Self::Send { message, connection: Some(by) } => write!(f, "send {message} on {}", by.0),
            Self::Await { message } => write!(f, "await the answer to {message}"),
            Self::Retry { message } => write!(f, "retry {message} where its connection has ended"),
            Self::Expect { message, party } => write!(f, "expect {message} at {party}"),
            Self::Respond { message, to, party, status } => {
                write!(f, "respond {status} to {to} as {party}: {message}")
            }
            Self::Adopt { association, message } => {
                write!(f, "adopt {association} from the answer to {message}")
            }
            Self::Authenticate { association, party, password: Password::Right } => {
                write!(f, "authenticate {association} as {party}")
            }
            Self::Authenticate { association, party, password } => {
                write!(f, "authenticate {association} as {party}, {password:?}")
            }
            Self::Fence { connection, association: None } => write!(f, "fence on {}", connection.0),
            Self::Fence { connection, association: Some(by) } => {
                write!(f, "fence on {} with {by}", connection.0)
            }
            Self::Attempt(part) => write!(f, "attempt: {}", part.to_string().trim_end().replace('\n', "; ")),
            Self::Elapse(span) => write!(f, "let {} % of the {} timer pass", span.percent, span.timer),
        }
    }
}
