//! The anonymous client: joins a conference without an account ([MS-SIPAE] 3.2.4.3, 3.2.5.5, 3.2.5.6).
//!
//! It makes up its address, asks for the conference with an INVITE, answers the Digest challenge of the organizer's
//! realm, and from then on sends every request with a credential of its own. Nothing that it gets is signed: what it
//! believes is an answer to a request that is out, and no more.
//!
//! Not here: registrations, and requests of the server, which nobody can verify. Routes are not recorded.

mod answer;
mod careless;
mod write;

use std::collections::BTreeMap;

use crate::auth::ChallengeKind;
use crate::clock::Entropy;
use crate::conference::ConferenceUri;
use crate::defects::{Defect, Defects};
use crate::digest::DigestChallenge;
use crate::draft::Draft;
use crate::encoding::encode_base16;
use crate::message::{Limits, MessageStream};
use crate::violation::Violation;

/// What stands in `username` (E-14 of the rule catalogue: it is not known).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnonymousName {
    /// The conference: the last part of its GRUU.
    #[default]
    Conference,
    /// The user part of the anonymous address.
    User,
    /// The whole anonymous address without scheme.
    Address,
}

/// Which conference is joined, and how.
#[derive(Clone)]
pub struct AnonymousConfig {
    /// GRUU of the conference.
    pub conference: String,
    /// Conference key (PIN).
    pub key: String,
    /// What stands in `username`.
    pub name: AnonymousName,
    /// The realm that is answered; the address of the organizer where none is named (E-36).
    pub realm: Option<String>,
    /// Display name in From.
    pub display: String,
    /// epid of this endpoint.
    pub epid: String,
    /// Host and port of Via.
    pub host: String,
    /// Transport of Via: `TCP` or `TLS`.
    pub transport: String,
    /// Whether this endpoint has registered at the conference's server: then it does not join anonymously.
    pub is_registered: bool,
    /// Bounds for messages.
    pub limits: Limits,
    /// The planted bug, if any.
    pub defects: Defects,
}

impl AnonymousConfig {
    /// A client that joins this conference with this key.
    #[must_use]
    pub fn new(conference: &str, key: &str) -> Self {
        Self {
            conference: conference.to_owned(),
            key: key.to_owned(),
            name: AnonymousName::default(),
            realm: None,
            display: "Guest".to_owned(),
            epid: "01010101".to_owned(),
            host: "127.0.0.1:5060".to_owned(),
            transport: "TCP".to_owned(),
            is_registered: false,
            limits: Limits::DEFAULT,
            defects: Defects::NONE,
        }
    }
}

impl std::fmt::Debug for AnonymousConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnonymousConfig({}, epid {})", self.conference, self.epid)
    }
}

/// Why a conference is not joined anonymously; nothing is sent (SIPAE-3.2.4.3-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The URI is another one.
    #[error("URI is not the GRUU of a conference")]
    NoConference,
    /// The endpoint has registered.
    #[error("endpoint has registered and has no need to be anonymous")]
    Registered,
}

/// What happens to an anonymous client.
#[derive(Clone, Copy, Debug)]
pub enum AnonymousInput<'a> {
    /// Join the conference.
    Join,
    /// Send a request inside the dialog: method, and type and octets of a body if there is one.
    Request(&'a str, Option<(&'a str, &'a [u8])>),
    /// Leave the conference.
    Leave,
    /// Octets have arrived.
    Received(&'a [u8]),
}

/// What an anonymous client wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnonymousOutput {
    /// Send a message.
    Send(Vec<u8>),
    /// Close the connection: its octets cannot be understood any more.
    Close,
    /// Nothing to do: for the application.
    Event(AnonymousEvent),
}

/// What an anonymous client has noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnonymousEvent {
    /// It is in the conference.
    Joined,
    /// It has left it.
    Left,
    /// A request has its final answer, which is none of the above.
    Answered {
        /// Method of the request.
        method: String,
        /// Status of the answer.
        status: u16,
    },
    /// The credential was refused: the key is wrong, and is not tried again (SIPAE-3.2.5.5-06).
    Refused,
    /// No challenge could be answered.
    Failed(Violation),
    /// Something that answers nothing, or cannot be read, was discarded.
    Discarded(Violation),
    /// A request was not sent: there is no dialog to send it in, or one that has begun already.
    NotSent,
}

/// How far a request has come with its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// It had none.
    Bare,
    /// It had one for a nonce that was good before.
    Ahead,
    /// It had one for a nonce that it was challenged with.
    Answered,
    /// It was repeated once because of its nonce alone.
    Repeated,
}

/// A request without final answer.
#[derive(Clone, Debug)]
struct Outstanding {
    method: String,
    /// As it was sent.
    draft: Draft,
    attempt: Attempt,
}

/// The security association: what the last challenge has said, and how often it was used (SIPAE-3.2.5.5-08).
#[derive(Clone, Debug)]
struct Association {
    challenge: DigestChallenge,
    kind: ChallengeKind,
    cnonce: String,
    nc: u32,
}

/// The dialog with the focus.
#[derive(Clone, Debug)]
struct Dialog {
    /// To as the focus has written it.
    to: Vec<u8>,
    /// The Contact of the focus.
    target: String,
}

/// The reference client for anonymous joins.
#[derive(Debug)]
pub struct AnonymousClient {
    config: AnonymousConfig,
    /// User part of its address.
    user: String,
    call_id: String,
    from_tag: String,
    cseq: u32,
    /// `None` when the connection is closed.
    stream: Option<MessageStream>,
    association: Option<Association>,
    dialog: Option<Dialog>,
    /// Requests that are out, by CSeq.
    outstanding: BTreeMap<u32, Outstanding>,
}

/// What the handling of one input needs besides the client.
struct Scene<'s> {
    entropy: &'s mut dyn Entropy,
    outputs: &'s mut Vec<AnonymousOutput>,
}

impl Scene<'_> {
    fn send(&mut self, draft: &Draft) {
        self.outputs.push(AnonymousOutput::Send(draft.to_octets()));
    }

    fn event(&mut self, event: AnonymousEvent) {
        self.outputs.push(AnonymousOutput::Event(event));
    }
}

impl AnonymousClient {
    /// A client that has sent nothing yet. `entropy` makes up its address, 32 hexadecimal digits at anonymous.invalid
    /// (SIPAE-3.2.4.3-02).
    ///
    /// # Errors
    /// When there is no conference to be joined anonymously.
    pub fn new(config: AnonymousConfig, entropy: &mut dyn Entropy) -> Result<Self, JoinError> {
        if ConferenceUri::read(config.conference.as_bytes()).is_none() {
            return Err(JoinError::NoConference);
        }
        if config.is_registered {
            return Err(JoinError::Registered);
        }
        let user = match config.defects.has(Defect::ConstantAnonymousUser) {
            true => "guest".to_owned(),
            false => encode_base16(&entropy.octets::<16>()),
        };
        let (call_id, from_tag) =
            (encode_base16(&entropy.octets::<16>()), encode_base16(&entropy.octets::<5>()));
        let (stream, outstanding) = (Some(MessageStream::new(config.limits)), BTreeMap::new());
        let (association, dialog) = (None, None);
        Ok(Self { config, user, call_id, from_tag, cseq: 0, stream, association, dialog, outstanding })
    }

    /// Its address without scheme.
    #[must_use]
    pub fn address(&self) -> String {
        let host = if self.config.defects.has(Defect::AnonymousElsewhere) { "guests" } else { "anonymous" };
        format!("{}@{host}.invalid", self.user)
    }

    /// Whether it is in the conference.
    #[must_use]
    pub const fn is_joined(&self) -> bool {
        self.dialog.is_some()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: AnonymousInput<'_>, entropy: &mut dyn Entropy) -> Vec<AnonymousOutput> {
        let mut outputs = Vec::new();
        let mut scene = Scene { entropy, outputs: &mut outputs };
        let is_inviting = self.outstanding.values().any(|request| request.method == "INVITE");
        match input {
            AnonymousInput::Received(octets) => self.receive(&mut scene, octets),
            AnonymousInput::Join if self.dialog.is_none() && !is_inviting => {
                if self.config.defects.has(Defect::RegistersAnonymously) {
                    self.request(&mut scene, "REGISTER", None);
                }
                self.request(&mut scene, "INVITE", None);
            }
            AnonymousInput::Request(method, body) if self.dialog.is_some() => {
                self.request(&mut scene, method, body);
            }
            AnonymousInput::Leave if self.dialog.is_some() => self.request(&mut scene, "BYE", None),
            _ => scene.event(AnonymousEvent::NotSent),
        }
        outputs
    }
}
