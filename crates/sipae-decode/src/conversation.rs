//! What earlier messages of an input say: versions, tokens and keys of associations, signatures.

use std::collections::HashMap;

use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::message::{HeaderName, Message};
use sipae::ntlm::{Authenticate, Challenge, NtlmError, SessionKeys};
use sipae::side::Side;
use sipae::version::Version;

use crate::explain::signer;
use crate::material::Material;

/// Scheme, realm and targetname: what a challenge offers an association for.
type Target = (Option<Scheme>, Vec<u8>, Vec<u8>);

/// Target and opaque: what names an association.
type Name = (Target, Vec<u8>);

/// A token and the message that it stands in.
type Located<T> = Option<(T, usize)>;

/// What is known of a security association.
#[derive(Default)]
pub(crate) struct Association {
    /// What its challenge says: the server decides (SIPAE-3.2.5.1-07).
    offered: Located<Version>,
    /// What others of its fields say.
    claimed: Located<Version>,
    challenge: Located<Vec<u8>>,
    authenticate: Located<Vec<u8>>,
    /// What the password of the user gives, and from which tokens.
    keys: Option<(Result<SessionKeys, String>, String)>,
}

/// What is known of all of them.
#[derive(Default)]
pub(crate) struct Conversation {
    associations: HashMap<Name, Association>,
    offers: HashMap<Target, (Version, usize)>,
}

fn text(header: &AuthHeader<'_>, param: AuthParam) -> Vec<u8> {
    header.get(param).map(|value| value.unfolded().into_owned()).unwrap_or_default()
}

fn target(header: &AuthHeader<'_>) -> Target {
    (header.scheme(), text(header, AuthParam::Realm), text(header, AuthParam::Targetname))
}

fn name(header: &AuthHeader<'_>) -> Name {
    (target(header), text(header, AuthParam::Opaque))
}

impl Conversation {
    /// Takes in what a message says.
    pub(crate) fn learn(&mut self, message: &Message<'_>, number: usize, material: &Material) {
        for header in message.headers() {
            let Some(known) = header.known.filter(|known| known.is_authentication()) else { continue };
            let read = AuthHeader::read(header.value);
            if read.scheme().is_some_and(Scheme::signs) {
                self.learn_field(known, &read, number, material);
            }
        }
    }

    fn learn_field(
        &mut self,
        known: HeaderName,
        header: &AuthHeader<'_>,
        number: usize,
        material: &Material,
    ) {
        let is_challenge = HeaderName::CHALLENGES.contains(&known);
        let version = header.version().ok().and_then(Version::from_number);
        let version = version.filter(|_| is_challenge || header.get(AuthParam::Version).is_some());
        if let Some(version) = version.filter(|_| is_challenge) {
            self.offers.insert(target(header), (version, number));
        }
        if header.get(AuthParam::Opaque).is_none() {
            return;
        }
        let association = self.associations.entry(name(header)).or_default();
        let said = version.map(|version| (version, number));
        if is_challenge {
            association.offered = said.or(association.offered);
        } else {
            association.claimed = said.or(association.claimed);
        }
        if let Some(token) = header.token().ok().flatten() {
            association.take(token, number, material);
        }
    }

    fn association(&self, header: &AuthHeader<'_>) -> Option<&Association> {
        header.get(AuthParam::Opaque)?;
        self.associations.get(&name(header))
    }

    /// The version that the server has offered for the association that a field names, and the message that says so.
    pub(crate) fn offered(&self, header: &AuthHeader<'_>) -> Option<(Version, usize)> {
        let own = self.association(header).and_then(|association| association.offered);
        own.or_else(|| self.offers.get(&target(header)).copied())
    }

    /// The version that another field of the association says, where no challenge is known.
    pub(crate) fn claimed(&self, header: &AuthHeader<'_>) -> Option<(Version, usize)> {
        self.association(header).and_then(|association| association.claimed)
    }

    /// The keys that the password gives to the association that a field names, and where its exchange is.
    pub(crate) fn keys(&self, header: &AuthHeader<'_>) -> Option<(Result<&SessionKeys, &str>, String)> {
        let (keys, from) = self.association(header)?.keys.as_ref()?;
        Some((keys.as_ref().map_err(String::as_str), from.clone()))
    }

    /// The keys that the password gives to other associations than the one that a field names, by their opaques.
    pub(crate) fn other_keys(&self, header: &AuthHeader<'_>) -> Vec<(&SessionKeys, String)> {
        let own = name(header);
        let mut others: Vec<_> = self
            .associations
            .iter()
            .filter(|(name, _)| **name != own)
            .filter_map(|((_, opaque), association)| {
                let keys = association.keys.as_ref()?.0.as_ref().ok()?;
                Some((keys, String::from_utf8_lossy(opaque).into_owned()))
            })
            .collect();
        others.sort_by(|(_, one), (_, other)| one.cmp(other));
        others
    }

    /// The CHALLENGE of the association that a field names, and the message that it stands in.
    pub(crate) fn challenge(&self, header: &AuthHeader<'_>) -> Option<(Challenge, usize)> {
        let (token, number) = self.association(header)?.challenge.as_ref()?;
        Challenge::read(token).ok().map(|challenge| (challenge, *number))
    }

    /// NTLMRevisionCurrent of the client of an association; 0 where nothing says it.
    pub(crate) fn revision(&self, header: &AuthHeader<'_>) -> u8 {
        let token = self.association(header).and_then(|association| association.authenticate.as_ref());
        token.and_then(|(token, _)| Authenticate::read(token).ok()).map_or(0, |message| message.revision())
    }
}

impl Association {
    fn take(&mut self, token: Vec<u8>, number: usize, material: &Material) {
        if Challenge::read(&token).is_ok() {
            // A retransmission is no other challenge, and what has been proved stays until something else is.
            if self.challenge.as_ref().is_none_or(|(known, _)| *known != token) {
                self.challenge = Some((token, number));
            }
        } else if Authenticate::read(&token).is_ok() {
            self.authenticate = Some((token, number));
            self.keys = material.password.as_ref().and_then(|password| self.derive(password));
        }
    }

    fn derive(&self, password: &str) -> Option<(Result<SessionKeys, String>, String)> {
        let (challenge, first) = self.challenge.as_ref()?;
        let (authenticate, second) = self.authenticate.as_ref()?;
        let keys =
            derive(challenge, authenticate, password).map_err(|error| format!("{error} ({})", error.rule()));
        let from = format!("the password, CHALLENGE of message {first}, AUTHENTICATE of message {second}");
        Some((keys, from))
    }
}

fn derive(challenge: &[u8], authenticate: &[u8], password: &str) -> Result<SessionKeys, NtlmError> {
    let read = Challenge::read(challenge)?;
    let keys = Authenticate::read(authenticate)?.verify(&read, password)?;
    Authenticate::check_mic(authenticate, &keys.exported, &[challenge]).map(|()| keys)
}

/// A signature of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The message that it stands in.
    pub(crate) number: usize,
    pub(crate) signer: Side,
    pub(crate) signature: Vec<u8>,
    /// The name of its association.
    opaque: Vec<u8>,
}

impl Signed {
    /// Those of a message.
    pub(crate) fn all(message: &Message<'_>, number: usize) -> Vec<Self> {
        let fields = message.headers().filter_map(|header| Some((signer(header.known?)?, header.value)));
        fields
            .filter_map(|(signer, value)| {
                let header = AuthHeader::read(value);
                let signature = header.signature(signer.signature()).ok().flatten()?;
                Some(Self { number, signer, signature, opaque: text(&header, AuthParam::Opaque) })
            })
            .collect()
    }

    /// Those that a side made under the association that a field names, in other messages.
    pub(crate) fn siblings<'s>(
        all: &'s [Self],
        header: &AuthHeader<'_>,
        signer: Side,
        number: usize,
    ) -> impl Iterator<Item = &'s Self> + use<'s> {
        let opaque = text(header, AuthParam::Opaque);
        let is_sibling =
            move |other: &&Self| other.number != number && other.signer == signer && other.opaque == opaque;
        all.iter().filter(is_sibling)
    }
}
