//! The steps of a conversation.

use std::fmt;

use sipae::version::Version;

use crate::{Connection, Edit, Label, Party, Text};

/// With which credentials a party authenticates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Password {
    /// Those of the account.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// An empty value: NTLM's first step.
    Empty,
    /// The answer to the association's CHALLENGE.
    Answer,
    /// Anything else.
    Text(Text),
}

/// How a message is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signing {
    /// cnum in place of the next one.
    pub number: Option<u32>,
    /// `gssapi-data` beside the signature: the request that completes a handshake of version 4.
    pub token: Option<Token>,
    /// The layout of another version than that of the association.
    pub layout: Option<Version>,
    /// What is written, and signed, for cnum: anything but the digits of a number is a fault.
    pub number_text: Option<String>,
    /// What is written, and signed, for crand.
    pub rand_text: Option<String>,
    /// The signature that a response would have if it were a request: without the status code.
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DigestChange {
    /// The nonce count in place of the next one.
    pub nc: Option<u32>,
    /// Another key, or password, than the right one.
    pub key: Option<String>,
    /// Another realm than that of the challenge.
    pub realm: Option<String>,
    /// Another digest-uri than the Request-URI.
    pub uri: Option<String>,
    /// The method in place of that of the request.
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

/// To whom a message goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// The sender's own address; the server itself for REGISTER and OPTIONS.
    #[default]
    Own,
    /// The address of this party's account.
    Account(Party),
    /// This endpoint alone, by its GRUU.
    Endpoint(Party),
    /// An address that nobody has, at the sender's host.
    Nobody,
    /// The conference of the profile.
    Conference,
    /// A conference of the same organizer that does not exist.
    NoConference,
    /// A conference that admits nobody without an account.
    ClosedConference,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("its own address"),
            Self::Account(party) => write!(f, "the account of {party}"),
            Self::Endpoint(party) => write!(f, "the endpoint of {party}"),
            Self::Nobody => f.write_str("an address nobody has"),
            Self::Conference => f.write_str("the conference"),
            Self::NoConference => f.write_str("a conference that does not exist"),
            Self::ClosedConference => f.write_str("a conference that is closed to the anonymous"),
        }
    }
}

/// What the suite sends before anything is changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// Method.
    pub method: String,
    /// Whose From, epid and Contact; Via, Call-ID and CSeq are the executor's, fresh for each message.
    pub from: Party,
    /// To whom it goes.
    pub to: Recipient,
    /// Header fields behind the usual ones.
    pub headers: Vec<(String, Text)>,
    /// The INVITE in whose dialog it is: Request-URI, To and Route follow from the answer to that.
    pub within: Option<Label>,
}

impl Template {
    /// A request of the user without further header fields.
    #[must_use]
    pub fn new(method: &str) -> Self {
        Self {
            method: method.to_owned(),
            from: Party::USER,
            to: Recipient::Own,
            headers: Vec::new(),
            within: None,
        }
    }

    /// The same from another party.
    #[must_use]
    pub const fn of(mut self, party: Party) -> Self {
        self.from = party;
        self
    }

    /// The same to somebody else.
    #[must_use]
    pub const fn to(mut self, recipient: Recipient) -> Self {
        self.to = recipient;
        self
    }

    /// The same in the dialog of an INVITE that was accepted.
    #[must_use]
    pub fn within(mut self, invite: &str) -> Self {
        self.within = Some(invite.into());
        self
    }

    /// The same with one more header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A timer of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// From the establishment of an association to its end.
    Expiry,
    /// Without a verified message.
    Idle,
    /// From a CHALLENGE to the end of the handshake.
    Handshake,
    /// Until a connection that has not authenticated is closed.
    Connection,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expiry => "expiry",
            Self::Idle => "idle",
            Self::Handshake => "handshake",
            Self::Connection => "connection",
        })
    }
}

/// A time that passes, measured in a timer of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The timer.
    pub timer: Timer,
    /// How much of it, in percent.
    pub percent: u32,
}

/// One step. Names are introduced by the step that makes the thing and used by later ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        change: DigestChange,
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
        /// Where; over the connection of its party where it is absent.
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
    /// Lets time pass.
    Elapse(Span),
    /// Plays a part to its end or to the first step that cannot be made, and goes on behind it: a handshake that the
    /// target may refuse. No [`Expect`](Self::Expect) has a meaning in it.
    Attempt(Script),
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
        Self::default().connect(Connection::FIRST)
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds the steps that each item gives.
    #[must_use]
    pub fn each<T>(self, items: impl IntoIterator<Item = T>, add: impl FnMut(Self, T) -> Self) -> Self {
        items.into_iter().fold(self, add)
    }

    /// Adds steps that may end early.
    #[must_use]
    pub fn attempt(self, part: impl FnOnce(Self) -> Self) -> Self {
        self.step(Step::Attempt(part(Self::default())))
    }

    /// How many connections are opened, one after the other or at once.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Connect(_))).count()
    }

    /// Opens a connection.
    #[must_use]
    pub fn connect(self, connection: Connection) -> Self {
        self.step(Step::Connect(connection))
    }

    /// Closes a connection.
    #[must_use]
    pub fn disconnect(self, connection: Connection) -> Self {
        self.step(Step::Disconnect(connection))
    }

    /// Makes a message.
    #[must_use]
    pub fn compose(self, message: &str, template: Template) -> Self {
        self.step(Step::Compose { message: message.into(), template })
    }

    /// Makes a copy of a message as it was sent.
    #[must_use]
    pub fn copy(self, message: &str, of: &str) -> Self {
        self.step(Step::Copy { message: message.into(), of: of.into() })
    }

    /// Makes a copy of a message as it was sent, with another Via branch.
    #[must_use]
    pub fn replay(self, message: &str, of: &str) -> Self {
        self.copy(message, of).edit(message, Edit::Branch)
    }

    /// Makes a copy of a message as it reached a party.
    #[must_use]
    pub fn copy_delivered(self, message: &str, of: &str, party: Party) -> Self {
        self.step(Step::CopyDelivered { message: message.into(), of: of.into(), party })
    }

    /// Signs a message with the next number.
    #[must_use]
    pub fn sign(self, message: &str, association: &str) -> Self {
        self.sign_with(message, association, Signing::default())
    }

    /// Signs a message with this number.
    #[must_use]
    pub fn sign_number(self, message: &str, association: &str, number: u32) -> Self {
        self.sign_with(message, association, Signing { number: Some(number), ..Signing::default() })
    }

    /// Signs a message.
    #[must_use]
    pub fn sign_with(self, message: &str, association: &str, signing: Signing) -> Self {
        self.step(Step::Sign { message: message.into(), association: association.into(), signing })
    }

    /// Makes the signature of a message anew, after its credential has been edited.
    #[must_use]
    pub fn resign(self, message: &str, association: &str) -> Self {
        self.step(Step::Resign { message: message.into(), association: association.into() })
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

    /// Sends a message on the connection of its party.
    #[must_use]
    pub fn send(self, message: &str) -> Self {
        self.step(Step::Send { message: message.into(), connection: None })
    }

    /// Sends a message on another connection.
    #[must_use]
    pub fn send_on(self, message: &str, connection: Connection) -> Self {
        self.step(Step::Send { message: message.into(), connection: Some(connection) })
    }

    /// Waits for the answer to a message.
    #[must_use]
    pub fn wait(self, message: &str) -> Self {
        self.step(Step::Await { message: message.into() })
    }

    /// Sends a message and waits for its answer.
    #[must_use]
    pub fn ask(self, message: &str) -> Self {
        self.send(message).wait(message)
    }

    /// Sends a message again if its connection has ended.
    #[must_use]
    pub fn retry(self, message: &str) -> Self {
        self.step(Step::Retry { message: message.into() })
    }

    /// Waits until a message has reached a party.
    #[must_use]
    pub fn expect(self, message: &str, party: Party) -> Self {
        self.step(Step::Expect { message: message.into(), party })
    }

    /// Makes a response to a message that has reached a party.
    #[must_use]
    pub fn respond(self, message: &str, to: &str, party: Party, status: u16) -> Self {
        self.step(Step::Respond { message: message.into(), to: to.into(), party, status })
    }

    /// Takes what a challenge says.
    #[must_use]
    pub fn adopt(self, association: &str, message: &str) -> Self {
        self.step(Step::Adopt { association: association.into(), message: message.into() })
    }

    /// Answers the CHALLENGE.
    #[must_use]
    pub fn authenticate(self, association: &str, party: Party, password: Password) -> Self {
        self.step(Step::Authenticate { association: association.into(), party, password })
    }

    /// Adds a right Digest credential.
    #[must_use]
    pub fn digest(self, message: &str, challenge: &str) -> Self {
        self.digest_with(message, challenge, DigestChange::default())
    }

    /// Adds a Digest credential.
    #[must_use]
    pub fn digest_with(self, message: &str, challenge: &str, change: DigestChange) -> Self {
        self.step(Step::Digest { message: message.into(), challenge: challenge.into(), change })
    }

    /// A bare request and its answer on the first connection.
    #[must_use]
    pub fn fence(self) -> Self {
        self.fence_on(Connection::FIRST)
    }

    /// A bare request and its answer.
    #[must_use]
    pub fn fence_on(self, connection: Connection) -> Self {
        self.step(Step::Fence { connection, association: None })
    }

    /// A signed request and its answer on the first connection.
    #[must_use]
    pub fn signed_fence(self, association: &str) -> Self {
        self.signed_fence_on(association, Connection::FIRST)
    }

    /// A signed request and its answer.
    #[must_use]
    pub fn signed_fence_on(self, association: &str, connection: Connection) -> Self {
        self.step(Step::Fence { connection, association: Some(association.into()) })
    }

    /// Lets so much of a timer pass.
    #[must_use]
    pub fn elapse(self, timer: Timer, percent: u32) -> Self {
        self.step(Step::Elapse(Span { timer, percent }))
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
