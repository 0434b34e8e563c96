//! What was seen of a client while a script was played.

use std::collections::BTreeMap;

use sipae::auth::{AuthHeader, Scheme};
use sipae::client::Standing;
use sipae::clock::Time;
use sipae::message::{HeaderName, Limits, Message};
use sipae_events::{Exchanged, SignatureSeen};
use sipae_gen::{Label, Mode};
use sipae_net::ClientExit;
use sipae_spec::ReactionClass;

use super::home::{Class, Read, credentials};
use crate::reaction::Signature;

/// A request of the client.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Its octets.
    pub octets: Vec<u8>,
    /// The connection, counted from 1 in the order in which the client opened them.
    pub connection: u32,
    /// When it came, by the clock of the client as far as that is known.
    pub at: Time,
    /// What it is to the server.
    pub read: Read,
}

impl Heard {
    /// Looks at it.
    pub fn look<T>(&self, look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        Message::parse(&self.octets, &Limits::NONE).ok().map(|message| look(&message))
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> String {
        let method =
            self.look(|message| message.method().map(|text| String::from_utf8_lossy(text).into_owned()));
        method.flatten().unwrap_or_default()
    }

    /// Looks at its credential for the scheme, in either field.
    pub fn credential<T>(
        &self,
        scheme: Scheme,
        look: impl FnOnce(HeaderName, &AuthHeader<'_>) -> T,
    ) -> Option<T> {
        self.look(|message| {
            let fields = HeaderName::CREDENTIALS.into_iter();
            let mut headers = fields.flat_map(|name| message.all(name).map(move |value| (name, value)));
            headers
                .find_map(|(name, value)| {
                    let header = AuthHeader::read(value);
                    (header.scheme() == Some(scheme)).then_some((name, header))
                })
                .map(|(name, header)| look(name, &header))
        })
        .flatten()
    }

    /// How many credentials of schemes that sign it has.
    #[must_use]
    pub fn credentials(&self) -> usize {
        let count = |message: &Message<'_>| {
            credentials(message).filter(|header| header.scheme().is_some_and(Scheme::signs)).count()
        };
        self.look(count).unwrap_or_default()
    }
}

/// A response of the client to a request of the suite.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its octets.
    pub octets: Vec<u8>,
    /// Its status code.
    pub status: u16,
    /// How it is signed.
    pub signature: Signature,
}

/// A message of the suite that was sent.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The octets.
    pub octets: Vec<u8>,
    /// The connection that it went over.
    pub connection: u32,
    /// How many messages of the script went out before it.
    pub place: usize,
    /// How many requests of the client had been heard when it went out.
    pub before: usize,
    /// What the client answered, provisional answers included.
    pub replies: Vec<Reply>,
    /// Whether a later request on the same connection was answered.
    pub is_fenced: bool,
    /// Whether it is good, and only there to be answered.
    pub is_fence: bool,
}

impl Sent {
    /// The final answer of the client.
    #[must_use]
    pub fn answer(&self) -> Option<&Reply> {
        self.replies.iter().find(|reply| 200 <= reply.status)
    }
}

/// How connections of the client fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// How many it has opened.
    pub opened: u32,
    /// How many it has closed before the suite did.
    pub closed: u32,
    /// Why octets could not be read, or no TLS came about.
    pub unreadable: Option<String>,
}

/// Everything that a judge may look at.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Scheme and version under test.
    pub mode: Mode,
    /// What the identifiers of the suite followed from.
    pub seed: u64,
    /// Requests of the client, in order.
    pub heard: Vec<Heard>,
    /// Those that were waited for, by name: places in `heard`.
    pub kept: BTreeMap<Label, usize>,
    /// What the suite sent, by name.
    pub sent: BTreeMap<Label, Sent>,
    /// Standings of the client, by name; `None` where nobody can know.
    pub standings: BTreeMap<Label, Option<Standing>>,
    /// The numbers of what the client was made to do, by name.
    pub asked: BTreeMap<Label, u64>,
    /// How its connections fared.
    pub connections: Connections,
    /// How it has ended by itself.
    pub end: Option<ClientExit>,
    /// Whether it sent more than is listened to.
    pub flooded: bool,
    /// Why the script could not be played to its end.
    pub broken: Option<String>,
    /// What went over the wires, in order, as much as a report can hold.
    pub exchange: Vec<Exchanged>,
    /// How many messages came after those.
    pub exchange_left_out: u64,
    /// The signature buffers of messages of the client whose signature proves nothing.
    pub signatures: Vec<SignatureSeen>,
    /// Whether a request of the client came among numbers that the script counts, so that its answer took one of them.
    pub disturbed: bool,
    /// Whether there was an association before.
    pub is_established: bool,
    /// Whether nothing that was not seen can have come.
    pub is_exact: bool,
}

impl Conversation {
    /// Nothing has been seen.
    #[must_use]
    pub fn new(mode: Mode, seed: u64) -> Self {
        Self {
            mode,
            seed,
            heard: Vec::new(),
            kept: BTreeMap::new(),
            sent: BTreeMap::new(),
            standings: BTreeMap::new(),
            asked: BTreeMap::new(),
            connections: Connections::default(),
            end: None,
            flooded: false,
            broken: None,
            exchange: Vec::new(),
            exchange_left_out: 0,
            signatures: Vec::new(),
            disturbed: false,
            is_established: false,
            is_exact: false,
        }
    }

    /// A request that was waited for.
    #[must_use]
    pub fn request(&self, message: &str) -> Option<&Heard> {
        self.heard.get(*self.kept.get(&message.into())?)
    }

    /// A message of the suite.
    #[must_use]
    pub fn sent(&self, message: &str) -> Option<&Sent> {
        self.sent.get(&message.into())
    }

    /// The requests that came after a message of the suite.
    #[must_use]
    pub fn after(&self, message: &str) -> &[Heard] {
        let before = self.sent(message).map_or(usize::MAX, |sent| sent.before);
        self.heard.get(before..).unwrap_or_default()
    }

    /// The next thing that the client did after a message of the suite, ACKs aside.
    #[must_use]
    pub fn next(&self, message: &str) -> Next {
        let sent = self.sent(message).map_or(0, |sent| sent.before);
        let place = (sent..self.heard.len())
            .find(|place| self.heard.get(*place).is_some_and(|heard| heard.method() != "ACK"));
        match place.and_then(|place| self.heard.get(place).map(|heard| (place, heard))) {
            Some((place, heard)) => self.next_of(place, heard),
            None if self.end.as_ref().is_some_and(|end| end.is_crash) => Next::Crashed,
            None if self.end.is_some() => Next::GivenUp,
            None if 0 < self.connections.closed => Next::Closed,
            None => Next::Nothing,
        }
    }

    fn next_of(&self, place: usize, heard: &Heard) -> Next {
        let earlier = self.heard.get(..place).unwrap_or_default();
        let has_signed =
            self.is_established || earlier.iter().any(|heard| heard.read.class == Class::Completing);
        let is_register = heard.method() == "REGISTER";
        let own = heard.read.scheme;
        if 1 < heard.credentials() {
            return Next::TwoCredentials;
        }
        if own == Some(Scheme::Digest) {
            return Next::Digest;
        }
        if own.is_some_and(|scheme| scheme != self.mode.scheme) {
            return Next::OtherScheme(own.unwrap_or_default());
        }
        match heard.read.class {
            Class::Bare => Next::Bare { is_register, again: has_signed },
            Class::First => {
                let is_empty = self.mode.scheme == Scheme::Ntlm;
                Next::First { is_empty, again: has_signed }
            }
            Class::Completing | Class::Failed if heard.read.is_first => {
                Next::First { is_empty: false, again: has_signed }
            }
            Class::Flight | Class::Completing | Class::Failed => Next::Continued,
            Class::Signed => Next::Signed(heard.read.signature.clone()),
            Class::Stray => Next::Stray,
        }
    }
}

/// The next thing that a client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A request without credential.
    Bare {
        /// Whether it is a REGISTER.
        is_register: bool,
        /// Whether there was an association before.
        again: bool,
    },
    /// A request with the first token of the scheme under test.
    First {
        /// Whether that is empty, as NTLM's is.
        is_empty: bool,
        /// Whether there was an association before.
        again: bool,
    },
    /// The next step of a handshake.
    Continued,
    /// A request that is signed.
    Signed(Signature),
    /// A request with credentials for more than one server.
    TwoCredentials,
    /// A credential of another scheme than the one under test.
    OtherScheme(Scheme),
    /// A Digest credential.
    Digest,
    /// A credential that belongs to nothing.
    Stray,
    /// Its connection was closed.
    Closed,
    /// It ended by itself.
    GivenUp,
    /// It crashed.
    Crashed,
    /// Nothing.
    Nothing,
}

impl Next {
    /// The words of the catalogue for it. Doing nothing has several readings.
    #[must_use]
    pub fn classes(&self) -> Vec<ReactionClass> {
        use ReactionClass as Reacts;
        match self {
            Self::Bare { is_register: true, again: true } => vec![Reacts::ReauthBareRegister],
            Self::Bare { is_register: false, again: true } => vec![Reacts::ReauthBareRequest],
            Self::Bare { is_register: true, again: false } => vec![Reacts::BareRegister, Reacts::BareRequest],
            Self::Bare { is_register: false, again: false } => vec![Reacts::BareRequest],
            Self::First { again: true, .. } => vec![Reacts::ReauthFirstToken, Reacts::SendFirstToken],
            Self::First { is_empty: true, .. } => vec![Reacts::SendEmptyGssapi, Reacts::SendFirstToken],
            Self::First { is_empty: false, .. } => vec![Reacts::SendFirstToken],
            Self::Continued => vec![Reacts::ContinueHandshake],
            Self::Signed(_) => vec![Reacts::RepeatSigned, Reacts::Sign],
            Self::TwoCredentials => vec![Reacts::TwoCredentials],
            Self::OtherScheme(_) => vec![Reacts::NextScheme],
            Self::Digest => vec![Reacts::SendDigest],
            // One that was lost, where it is signed with.
            Self::Stray => vec![Reacts::RepeatSigned],
            Self::Crashed => vec![],
            Self::Closed => vec![Reacts::Close, Reacts::GiveUp],
            Self::GivenUp => vec![Reacts::GiveUp, Reacts::NoRequest, Reacts::Close],
            Self::Nothing => vec![Reacts::GiveUp, Reacts::NoRequest, Reacts::Ignore, Reacts::PromptUser],
        }
    }
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let again = |again: &bool| if *again { ", anew" } else { "" };
        match self {
            Self::Bare { is_register: true, again: anew } => write!(f, "a bare REGISTER{}", again(anew)),
            Self::Bare { is_register: false, again: anew } => write!(f, "a bare request{}", again(anew)),
            Self::First { again: anew, .. } => write!(f, "a first token{}", again(anew)),
            Self::Continued => f.write_str("the next step of the handshake"),
            Self::Signed(Signature::Verified(number)) => write!(f, "a signed request, cnum {number}"),
            Self::Signed(Signature::Unsigned) => f.write_str("a request that names an association, unsigned"),
            Self::Signed(Signature::Replayed(number)) => {
                write!(f, "a signed request with cnum {number}, which is used up")
            }
            Self::Signed(Signature::Bad(why)) => write!(f, "a request whose signature proves nothing: {why}"),
            Self::TwoCredentials => f.write_str("a request with more than one credential"),
            Self::OtherScheme(scheme) => write!(f, "a credential of {scheme}"),
            Self::Digest => f.write_str("a Digest credential"),
            Self::Stray => f.write_str("a credential that belongs to nothing"),
            Self::Closed => f.write_str("its connection is closed"),
            Self::GivenUp => f.write_str("it has ended"),
            Self::Crashed => f.write_str("it has crashed"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}
