//! A conversation in which the suite is the server, and how it is written down in cases.
//!
//! What a script does not wait for is served meanwhile as a good server does it: bare requests are challenged, handshakes
//! go on, signed requests are answered 200 and signed. A script thus says only where it does something else.

use std::fmt;

use serde::{Deserialize, Serialize};
use sipae::auth::ChallengeKind;
use sipae::version::Version;

use crate::{Edit, Label, Signing, written};

/// A conversation with a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Service {
    /// How it challenges: 401 where nothing is said.
    #[serde(default, skip_serializing_if = "written::is_default")]
    pub proxy: bool,
    /// What it does, in order.
    pub turns: Vec<Turn>,
}

/// A request of the client that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// Any request but ACK.
    Any,
    /// One without credential.
    Bare,
    /// One that begins a handshake with a token, be it empty.
    First,
    /// One with a later token of a handshake that does not complete it: the second flight of TLS-DSK.
    Flight,
    /// The one that completes a handshake.
    Completing,
    /// One that is signed under an association which has been established.
    Signed,
    /// A REGISTER that is.
    Refresh,
    /// Any with this method.
    Method(String),
}

/// What a response is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Nothing but what every response has.
    #[default]
    Plain,
    /// A fresh challenge: the line of the scheme under test, and Date.
    Challenge,
    /// The next step of the handshake: the scheme's line with opaque and token.
    Continuation,
    /// What a success has: Contact and Expires of a REGISTER, Contact of an INVITE.
    Success,
}

/// One step of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Turn {
    /// Waits for a request of the client and keeps it unanswered. Where it does not come the script ends, unless it is
    /// optional.
    Await {
        /// What it is called from then on.
        message: Label,
        /// What is waited for.
        what: Awaited,
        /// Whether the script goes on without it.
        #[serde(default, skip_serializing_if = "written::is_default")]
        optional: bool,
    },
    /// Makes a response to a request of the client.
    Respond {
        /// Its name.
        message: Label,
        /// The request.
        to: Label,
        /// The status code.
        status: u16,
        /// What it is made for.
        #[serde(default, skip_serializing_if = "written::is_default")]
        form: Form,
    },
    /// Makes a request to the client, as if another user had sent it.
    Request {
        /// Its name.
        message: Label,
        /// The method; `*` is the one that the client is known to answer.
        method: String,
    },
    /// Makes a message of the suite out of a request of the client, as if somebody sent it back.
    Echo {
        /// Its name.
        message: Label,
        /// The request.
        of: Label,
    },
    /// What the server chooses from now on, in place of what it is known by.
    Choose {
        /// `realm`.
        #[serde(default, skip_serializing_if = "written::is_default")]
        realm: Option<String>,
        /// `targetname`.
        #[serde(default, skip_serializing_if = "written::is_default")]
        targetname: Option<String>,
        /// `opaque` of every handshake.
        #[serde(default, skip_serializing_if = "written::is_default")]
        opaque: Option<String>,
        /// `version`.
        #[serde(default, with = "written::some_version", skip_serializing_if = "Option::is_none")]
        version: Option<Version>,
    },
    /// Makes a copy of a message of the suite as it stands.
    Copy {
        /// The name of the copy.
        message: Label,
        /// The message.
        of: Label,
    },
    /// Signs a message as it is.
    Sign {
        /// The message.
        message: Label,
        /// How.
        #[serde(flatten)]
        signing: Signing,
        /// With the number that is so far behind the next one, or before it; it does not count. The next one, which
        /// counts, where this is absent.
        #[serde(default, skip_serializing_if = "written::is_default")]
        offset: Option<i64>,
        /// Under the association before the last one.
        #[serde(default, skip_serializing_if = "written::is_default")]
        former: bool,
    },
    /// Leaves so many numbers out.
    Skip {
        /// How many.
        numbers: u32,
    },
    /// Gives a message the client's own signature of a request, as if the server had made it.
    Reflect {
        /// The message.
        message: Label,
        /// The request of the client.
        of: Label,
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
    },
    /// Waits for the final answer of the client to a request of the suite, which need not come.
    Answer {
        /// The request.
        message: Label,
    },
    /// A request that the client is known to answer, and its answer: what it has not answered by then on this connection
    /// it does not answer.
    Fence,
    /// Answers a request as a good server does it.
    Serve {
        /// The request.
        message: Label,
    },
    /// The same of a request that need not have come.
    ServeIfAny {
        /// The request.
        message: Label,
    },
    /// Makes the client do something.
    Do {
        /// What it is called, for its outcome.
        name: Label,
        /// What.
        stimulus: String,
    },
    /// Asks the client for its standing.
    Standing {
        /// What it is called.
        name: Label,
    },
    /// Serves for so many milliseconds, by the clock of the client where that can be set.
    Elapse {
        /// How many.
        ms: u64,
    },
    /// Serves until the client has done nothing for as long as its steps take.
    Settle,
    /// Serves until the client has told its user how it stands, where somebody can see that.
    Told,
    /// Serves until the client has read what was sent: in haste until it answers a good request, else until nothing more
    /// comes.
    Read,
    /// Forgets every association, as a server does that is started anew.
    Forget,
    /// Closes the connection.
    Disconnect,
}

impl Turn {
    /// The method of a request that the client is known to answer.
    pub const ANSWERED: &str = "*";
}

/// Writing scripts.
impl Service {
    /// Nothing yet: a good server.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The good conversation: the client authenticates, and would tell its user so.
    #[must_use]
    pub fn good() -> Self {
        Self::new().establish().told().settle().standing("good")
    }

    /// It challenges with this kind.
    #[must_use]
    pub fn kind(mut self, kind: ChallengeKind) -> Self {
        self.proxy = kind == ChallengeKind::Proxy;
        self
    }

    /// How it challenges.
    #[must_use]
    pub const fn challenge_kind(&self) -> ChallengeKind {
        if self.proxy { ChallengeKind::Proxy } else { ChallengeKind::Www }
    }

    /// Adds a turn.
    #[must_use]
    pub fn turn(mut self, turn: Turn) -> Self {
        self.turns.push(turn);
        self
    }

    /// Adds the turns of another script.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.turns.extend(other.turns);
        self
    }

    /// Adds the turns that each item gives.
    #[must_use]
    pub fn each<T>(self, items: impl IntoIterator<Item = T>, add: impl FnMut(Self, T) -> Self) -> Self {
        items.into_iter().fold(self, add)
    }

    /// Waits for a request, without which the script ends.
    #[must_use]
    pub fn wait(self, message: &str, what: Awaited) -> Self {
        self.turn(Turn::Await { message: message.into(), what, optional: false })
    }

    /// Waits for a request that need not come.
    #[must_use]
    pub fn wait_if_any(self, message: &str, what: Awaited) -> Self {
        self.turn(Turn::Await { message: message.into(), what, optional: true })
    }

    /// Makes a response.
    #[must_use]
    pub fn respond(self, message: &str, to: &str, status: u16, form: Form) -> Self {
        self.turn(Turn::Respond { message: message.into(), to: to.into(), status, form })
    }

    /// Makes a fresh challenge.
    #[must_use]
    pub fn challenge(self, message: &str, to: &str) -> Self {
        let status = self.challenge_kind().status();
        self.respond(message, to, status, Form::Challenge)
    }

    /// Makes the next step of the handshake.
    #[must_use]
    pub fn proceed(self, message: &str, to: &str) -> Self {
        let status = self.challenge_kind().status();
        self.respond(message, to, status, Form::Continuation)
    }

    /// Makes a request to the client.
    #[must_use]
    pub fn request(self, message: &str, method: &str) -> Self {
        self.turn(Turn::Request { message: message.into(), method: method.to_owned() })
    }

    /// Makes a request of one of the methods that the client is known to answer well, whichever the choice is.
    #[must_use]
    pub fn answered_as(self, message: &str, choice: u32) -> Self {
        self.request(message, &format!("{}{choice}", Turn::ANSWERED))
    }

    /// Makes a request that the client is known to answer.
    #[must_use]
    pub fn answered(self, message: &str) -> Self {
        self.request(message, Turn::ANSWERED)
    }

    /// Makes a message out of a request of the client.
    #[must_use]
    pub fn echo(self, message: &str, of: &str) -> Self {
        self.turn(Turn::Echo { message: message.into(), of: of.into() })
    }

    /// Goes by another realm.
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        let realm = Some(realm.to_owned());
        self.turn(Turn::Choose { realm, targetname: None, opaque: None, version: None })
    }

    /// Goes by another targetname.
    #[must_use]
    pub fn targetname(self, targetname: &str) -> Self {
        let targetname = Some(targetname.to_owned());
        self.turn(Turn::Choose { realm: None, targetname, opaque: None, version: None })
    }

    /// Gives handshakes this opaque.
    #[must_use]
    pub fn opaque(self, opaque: &str) -> Self {
        let opaque = Some(opaque.to_owned());
        self.turn(Turn::Choose { realm: None, targetname: None, opaque, version: None })
    }

    /// Offers another version.
    #[must_use]
    pub fn version(self, version: Version) -> Self {
        self.turn(Turn::Choose { realm: None, targetname: None, opaque: None, version: Some(version) })
    }

    /// Makes a copy of a message.
    #[must_use]
    pub fn copy(self, message: &str, of: &str) -> Self {
        self.turn(Turn::Copy { message: message.into(), of: of.into() })
    }

    /// Signs a message with the next number.
    #[must_use]
    pub fn sign(self, message: &str) -> Self {
        self.sign_with(message, Signing::default())
    }

    /// Signs a message with the number that is so far from the next one, which does not count.
    #[must_use]
    pub fn sign_at(self, message: &str, offset: i64) -> Self {
        let signing = Signing::default();
        self.turn(Turn::Sign { message: message.into(), signing, offset: Some(offset), former: false })
    }

    /// The same under the association before the last one.
    #[must_use]
    pub fn sign_under_former(self, message: &str, offset: i64) -> Self {
        let signing = Signing::default();
        self.turn(Turn::Sign { message: message.into(), signing, offset: Some(offset), former: true })
    }

    /// Leaves numbers out.
    #[must_use]
    pub fn skip(self, numbers: u32) -> Self {
        self.turn(Turn::Skip { numbers })
    }

    /// Signs a message.
    #[must_use]
    pub fn sign_with(self, message: &str, signing: Signing) -> Self {
        self.turn(Turn::Sign { message: message.into(), signing, offset: None, former: false })
    }

    /// Gives a message the signature of a request of the client.
    #[must_use]
    pub fn reflect(self, message: &str, of: &str) -> Self {
        self.turn(Turn::Reflect { message: message.into(), of: of.into() })
    }

    /// Changes a message.
    #[must_use]
    pub fn edit(self, message: &str, edit: Edit) -> Self {
        self.turn(Turn::Edit { message: message.into(), edit })
    }

    /// Sends a message.
    #[must_use]
    pub fn send(self, message: &str) -> Self {
        self.turn(Turn::Send { message: message.into() })
    }

    /// Waits for the answer of the client to a request.
    #[must_use]
    pub fn answer(self, message: &str) -> Self {
        self.turn(Turn::Answer { message: message.into() })
    }

    /// Sends a request and waits for its answer.
    #[must_use]
    pub fn ask(self, message: &str) -> Self {
        self.send(message).answer(message)
    }

    /// A right request that the client is known to answer, and its answer.
    #[must_use]
    pub fn ask_signed(self, message: &str) -> Self {
        self.answered(message).sign(message).ask(message)
    }

    /// A signed response, sent at once.
    #[must_use]
    pub fn reply(self, message: &str, to: &str, status: u16) -> Self {
        self.respond(message, to, status, Form::Plain).sign(message).send(message)
    }

    /// A request that is known to be answered, and its answer.
    #[must_use]
    pub fn fence(self) -> Self {
        self.turn(Turn::Fence)
    }

    /// Answers a request as a good server does it.
    #[must_use]
    pub fn serve(self, message: &str) -> Self {
        self.turn(Turn::Serve { message: message.into() })
    }

    /// Answers a request that need not have come.
    #[must_use]
    pub fn serve_if(self, message: &str) -> Self {
        self.turn(Turn::ServeIfAny { message: message.into() })
    }

    /// Serves whatever comes until a handshake has been completed, and answers that request too.
    #[must_use]
    pub fn establish(self) -> Self {
        self.wait("completing", Awaited::Completing).serve("completing")
    }

    /// Makes the client do something.
    #[must_use]
    pub fn make(self, name: &str, stimulus: sipae::client::Stimulus) -> Self {
        self.turn(Turn::Do { name: name.into(), stimulus: stimulus.name().to_owned() })
    }

    /// Asks the client for its standing.
    #[must_use]
    pub fn standing(self, name: &str) -> Self {
        self.turn(Turn::Standing { name: name.into() })
    }

    /// Serves for a while.
    #[must_use]
    pub fn elapse(self, ms: u64) -> Self {
        self.turn(Turn::Elapse { ms })
    }

    /// Serves until nothing more comes.
    #[must_use]
    pub fn settle(self) -> Self {
        self.turn(Turn::Settle)
    }

    /// Serves until the client has read what was sent.
    #[must_use]
    pub fn read(self) -> Self {
        self.turn(Turn::Read)
    }

    /// Serves until the client has told its user how it stands.
    #[must_use]
    pub fn told(self) -> Self {
        self.turn(Turn::Told)
    }

    /// Forgets every association.
    #[must_use]
    pub fn forget(self) -> Self {
        self.turn(Turn::Forget)
    }

    /// Whether time has to pass in it.
    #[must_use]
    pub fn elapses(&self) -> bool {
        self.turns.iter().any(|turn| matches!(turn, Turn::Elapse { .. }))
    }

    /// What the client is made to do, by name.
    pub fn stimuli(&self) -> impl Iterator<Item = &str> {
        self.turns.iter().filter_map(|turn| match turn {
            Turn::Do { stimulus, .. } => Some(stimulus.as_str()),
            _ => None,
        })
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "a request",
            Self::Bare => "a bare request",
            Self::First => "a first token",
            Self::Flight => "a flight",
            Self::Completing => "the completing request",
            Self::Signed => "a signed request",
            Self::Refresh => "a signed REGISTER",
            Self::Method(method) => return write!(f, "{method}"),
        })
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Await { message, what, optional: false } => write!(f, "await {what}: {message}"),
            Self::Await { message, what, optional: true } => write!(f, "await {what}, if any: {message}"),
            Self::Respond { message, to, status, form: Form::Plain } => {
                write!(f, "respond {status} to {to}: {message}")
            }
            Self::Respond { message, to, status, form } => {
                write!(f, "respond {status} to {to}, {form:?}: {message}")
            }
            Self::Request { message, method } => write!(f, "request {method}: {message}"),
            Self::Echo { message, of } => write!(f, "make {message} of {of}, as it came"),
            Self::Choose { realm, targetname, opaque, version } => {
                f.write_str("from now on")?;
                if let Some(version) = version {
                    write!(f, " version {}", version.number())?;
                }
                for (name, value) in [("realm", realm), ("targetname", targetname), ("opaque", opaque)] {
                    if let Some(value) = value {
                        write!(f, " {name} {value:?}")?;
                    }
                }
                Ok(())
            }
            Self::Copy { message, of } => write!(f, "copy {of} as {message}"),
            Self::Sign { message, signing, offset, former } => {
                write!(f, "sign {message}{signing}")?;
                if let Some(offset) = offset {
                    write!(f, ", number {offset:+} from the next one")?;
                }
                f.write_str(if *former { ", under the former association" } else { "" })
            }
            Self::Skip { numbers } => write!(f, "leave {numbers} numbers out"),
            Self::Reflect { message, of } => write!(f, "put the client's signature of {of} into {message}"),
            Self::Edit { message, edit } => write!(f, "edit {message}: {edit:?}"),
            Self::Send { message } => write!(f, "send {message}"),
            Self::Answer { message } => write!(f, "await the answer to {message}, if any"),
            Self::Fence => f.write_str("fence"),
            Self::Serve { message } => write!(f, "serve {message}"),
            Self::ServeIfAny { message } => write!(f, "serve {message}, if it has come"),
            Self::Do { name, stimulus } => write!(f, "make the client {stimulus}: {name}"),
            Self::Standing { name } => write!(f, "ask the client for its standing: {name}"),
            Self::Elapse { ms } => write!(f, "serve for {ms} ms"),
            Self::Settle => f.write_str("serve until nothing more comes"),
            Self::Read => f.write_str("serve until it has read what was sent"),
            Self::Told => f.write_str("serve until it has told how it stands"),
            Self::Forget => f.write_str("forget every association"),
            Self::Disconnect => f.write_str("disconnect"),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.turns.iter().try_for_each(|turn| writeln!(f, "{turn}"))
    }
}
