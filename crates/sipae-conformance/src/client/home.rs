//! The server that the suite is for a client under test: what a good one keeps and says.
//!
//! It is made of drafts and associations, never of the reference server, and it judges nothing: it remembers what it
//! could make of each request, and what was wrong with it.

mod conference;
mod outgoing;

use std::sync::Arc;

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind, Scheme};
use sipae::clock::{Entropy, Time};
use sipae::encoding::encode_base16_upper;
use sipae::kerberos::{Acceptor, KerberosError, ReplayCache};
use sipae::message::{HeaderName, Message};
use sipae::ntlm::{Authenticate, Challenge};
use sipae::sa::{Context, Parameters, SecurityAssociation};
use sipae::server::TlsDskService;
use sipae::side::Side;
use sipae::tlsdsk::TlsHandshake;
use sipae_gen::Mode;

use self::conference::Focus;
use crate::profile::{ProfileConference, ProfileUser};
use crate::reaction::Signature;

/// Who the suite is for a client, and whom it knows.
#[derive(Clone, Debug)]
pub struct HomeConfig {
    /// `realm` of its challenges.
    pub realm: String,
    /// The fully qualified name of the server.
    pub host: String,
    /// Who logs in.
    pub user: ProfileUser,
    /// The keys of the service, for Kerberos.
    pub kerberos: Option<Acceptor>,
    /// The certificate of the server, for TLS-DSK.
    pub tls_dsk: Option<TlsDskService>,
    /// The conference that the anonymous join.
    pub conference: Option<ProfileConference>,
    /// Seconds for which a REGISTER is granted.
    pub expires: u32,
}

impl HomeConfig {
    /// What the challenge line of a mode says.
    #[must_use]
    pub fn parameters(&self, mode: Mode) -> Parameters {
        let service = if mode.scheme == Scheme::Kerberos { "sip/" } else { "" };
        Parameters {
            scheme: mode.scheme,
            realm: self.joined(mode).map_or(self.realm.as_str(), ProfileConference::organizer).into(),
            targetname: format!("{service}{}", self.host).into_bytes(),
            version: mode.version,
        }
    }

    /// The conference, where the client is to join it.
    fn joined(&self, mode: Mode) -> Option<&ProfileConference> {
        self.conference.as_ref().filter(|_| mode.scheme == Scheme::Digest)
    }

    /// Why a scheme cannot be offered.
    #[must_use]
    pub const fn lacks(&self, scheme: Scheme) -> Option<&'static str> {
        match scheme {
            Scheme::Kerberos if self.kerberos.is_none() => {
                Some("the profile has no key of the service (kerberos)")
            }
            Scheme::TlsDsk if self.tls_dsk.is_none() => {
                Some("the profile has no key of the users' authority (tls_dsk.authority_key)")
            }
            Scheme::Digest if self.conference.is_none() => Some("the profile has no [conference]"),
            _ => None,
        }
    }
}

/// What a request of a client is to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It has no credential.
    Bare,
    /// It begins a handshake with a token, be it empty; for Kerberos that is the completing one.
    First,
    /// It has a later token of a handshake, and does not complete it.
    Flight,
    /// It completes a handshake, and what it shows is right.
    Completing,
    /// It would complete a handshake, and what it shows is wrong.
    Failed,
    /// It is signed under an association that is known, well or not.
    Signed,
    /// It has a credential that belongs to nothing.
    Stray,
}

/// A handshake under way.
enum Negotiation {
    Ntlm { opaque: Vec<u8>, challenge: Challenge, token: Vec<u8> },
    TlsDsk { opaque: Vec<u8>, handshake: Box<TlsHandshake> },
}

impl Negotiation {
    fn opaque(&self) -> &[u8] {
        match self {
            Self::Ntlm { opaque, .. } | Self::TlsDsk { opaque, .. } => opaque,
        }
    }
}

/// What has been made of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What it is.
    pub class: Class,
    /// The scheme of its credential.
    pub scheme: Option<Scheme>,
    /// Whether its credential begins a handshake: Kerberos does so with the completing request.
    pub is_first: bool,
    /// How it is signed.
    pub signature: Signature,
    /// What is wrong with what it shows.
    pub problem: Option<String>,
    /// Whether its association is the last one that was made.
    pub is_current: bool,
    /// The place of its association among all that were made.
    pub association: Option<usize>,
    /// Whether an AP-REQ asks for integrity, as far as it was read.
    pub asks_integrity: Option<bool>,
}

impl Read {
    const fn of(class: Class, scheme: Option<Scheme>) -> Self {
        let signature = Signature::Unsigned;
        Self {
            class,
            scheme,
            is_first: false,
            signature,
            problem: None,
            is_current: false,
            association: None,
            asks_integrity: None,
        }
    }

    fn failed(scheme: Scheme, problem: &str) -> Self {
        Self { problem: Some(problem.to_owned()), ..Self::of(Class::Failed, Some(scheme)) }
    }
}

/// The association that something is signed under.
#[derive(Clone, Copy, Debug)]
pub(super) enum Under {
    Last,
    /// The one before it.
    Former,
    /// That of a request.
    Place(usize),
}

/// The server of one conversation.
pub(super) struct Home {
    config: Arc<HomeConfig>,
    pub(super) mode: Mode,
    pub(super) kind: ChallengeKind,
    /// Handshakes under way, the last one at the end: a client may have several.
    negotiations: Vec<Negotiation>,
    /// All that were made, the last one at the end: a client may still use an older one.
    associations: Vec<SecurityAssociation>,
    /// The opaque of what was begun or made last.
    latest: Option<Vec<u8>>,
    /// The conference, for Digest.
    focus: Focus,
    replays: ReplayCache,
    requests: u32,
    /// The opaque of every handshake, where that is chosen.
    chosen: Option<Vec<u8>>,
}

impl Home {
    pub(super) fn new(config: Arc<HomeConfig>, mode: Mode) -> Self {
        Self {
            config,
            mode,
            kind: ChallengeKind::Www,
            negotiations: Vec::new(),
            associations: Vec::new(),
            latest: None,
            focus: Focus::default(),
            replays: ReplayCache::default(),
            requests: 0,
            chosen: None,
        }
    }

    /// What it goes by from now on.
    pub(super) fn choose(&mut self, realm: Option<&str>, targetname: Option<&str>, opaque: Option<&str>) {
        let mut config = HomeConfig::clone(&self.config);
        if let Some(realm) = realm {
            realm.clone_into(&mut config.realm);
        }
        if let Some(targetname) = targetname {
            targetname.clone_into(&mut config.host);
        }
        self.config = Arc::new(config);
        if let Some(opaque) = opaque {
            self.chosen = Some(opaque.as_bytes().to_vec());
        }
    }

    /// Of handshakes that are never gone on with the oldest is forgotten.
    fn begin(&mut self, negotiation: Negotiation) {
        const MOST: usize = 8;
        if MOST <= self.negotiations.len() {
            drop(self.negotiations.remove(0));
        }
        self.latest = Some(negotiation.opaque().to_vec());
        self.negotiations.push(negotiation);
    }

    /// The handshake of this opaque; the last one where none has it: that is for the judge.
    fn take_negotiation(&mut self, opaque: &[u8]) -> Option<Negotiation> {
        let named = self.negotiations.iter().rposition(|negotiation| negotiation.opaque() == opaque);
        let place = named.or_else(|| self.negotiations.len().checked_sub(1))?;
        Some(self.negotiations.remove(place))
    }

    fn fresh_opaque(&self, entropy: &mut dyn Entropy) -> Vec<u8> {
        let random = || encode_base16_upper(&entropy.octets::<4>()).into_bytes();
        self.chosen.clone().unwrap_or_else(random)
    }

    pub(super) fn parameters(&self) -> Parameters {
        self.config.parameters(self.mode)
    }

    /// The address of the user, without scheme.
    pub(super) fn address(&self) -> &str {
        &self.config.user.address
    }

    /// The association under which messages are signed and verified.
    pub(super) fn association(&mut self) -> Option<&mut SecurityAssociation> {
        self.associations.last_mut()
    }

    /// One of all that were made.
    pub(super) fn under(&mut self, under: Under) -> Option<&mut SecurityAssociation> {
        match under {
            Under::Last => self.associations.last_mut(),
            Under::Former => self.associations.iter_mut().rev().nth(1),
            Under::Place(place) => self.associations.get_mut(place),
        }
    }

    /// Whether a client has authenticated.
    pub(super) const fn is_established(&self) -> bool {
        !self.associations.is_empty() || self.focus.is_joined()
    }

    /// As a server that is started anew.
    pub(super) fn forget(&mut self) {
        self.associations.clear();
        self.focus.forget();
        self.negotiations.clear();
        self.latest = None;
    }

    /// The opaque of the handshake or association at hand.
    pub(super) fn opaque(&self) -> Option<&[u8]> {
        if let Some(challenge) = self.focus.last() {
            return challenge.opaque.as_deref();
        }
        self.latest.as_deref()
    }

    /// The nonce of the last Digest challenge.
    pub(super) fn nonce(&self) -> Option<&[u8]> {
        self.focus.last().map(|challenge| challenge.nonce.as_slice())
    }

    /// What a request is. A good completing request makes the association.
    pub(super) fn read(&mut self, message: &Message<'_>, now: Time, entropy: &mut dyn Entropy) -> Read {
        if self.mode.scheme == Scheme::Digest {
            return self.read_anonymous(message);
        }
        let mut signing = credentials(message).filter(|header| header.scheme().is_some_and(Scheme::signs));
        let Some(first) = signing.next() else {
            let other = credentials(message).find_map(|header| header.scheme());
            let class = if credentials(message).next().is_some() { Class::Stray } else { Class::Bare };
            return Read::of(class, other);
        };
        // Of several credentials the one for this server counts. Letters are for the judge.
        let parameters = self.parameters();
        let own = std::iter::once(first).chain(signing).find(|header| fits(&parameters, header));
        let scheme = own.unwrap_or(first).scheme().unwrap_or_default();
        let Some(header) = own else {
            let problem = Some("realm or targetname are not those of the challenge".to_owned());
            return Read { problem, ..Read::of(Class::Stray, Some(scheme)) };
        };
        match header.token() {
            Err(_) => Read::failed(scheme, "gssapi-data is no Base64"),
            Ok(Some(token)) => self.step(message, &header, &token, now, entropy),
            Ok(None) => self.signed(message, &header, scheme),
        }
    }

    /// The anonymous show Digest, and nothing else counts.
    fn read_anonymous(&mut self, message: &Message<'_>) -> Read {
        let all: Vec<AuthHeader<'_>> = credentials(message).collect();
        let digest = all.iter().find(|header| header.scheme() == Some(Scheme::Digest));
        match (digest, &self.config.conference) {
            (Some(header), Some(conference)) => self.focus.read(message, header, &conference.key),
            _ if all.is_empty() => Read::of(Class::Bare, None),
            _ => Read::of(Class::Stray, all.iter().find_map(AuthHeader::scheme)),
        }
    }

    fn step(
        &mut self,
        message: &Message<'_>,
        header: &AuthHeader<'_>,
        token: &[u8],
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Read {
        let scheme = header.scheme().unwrap_or_default();
        let opaque = opaque_of(header);
        let is_empty = header.get(AuthParam::GssapiData).is_some_and(|value| value.raw().is_empty());
        match scheme {
            Scheme::Kerberos => {
                let proven = self.ticket(token, now, entropy);
                // Nothing else is accepted.
                let asks_integrity = match &proven {
                    Ok(_) => Some(true),
                    Err(KerberosError::FlagClear { .. }) => Some(false),
                    Err(_) => None,
                };
                let opaque = self.fresh_opaque(entropy);
                let proven = proven.map_err(|error| error.to_string());
                let read = self.completed(message, header, opaque, proven);
                Read { is_first: true, asks_integrity, ..read }
            }
            Scheme::Ntlm if token.is_empty() || is_negotiate(token) => {
                Read { is_first: true, ..Read::of(Class::First, Some(scheme)) }
            }
            Scheme::Ntlm => {
                let negotiation = self.take_negotiation(&opaque);
                let proven = self.authenticated(negotiation.as_ref(), token);
                // What was wrong may be mended.
                self.negotiations.extend(negotiation.filter(|_| proven.is_err()));
                self.completed(message, header, opaque.into_owned(), proven)
            }
            // A signed request that completes TLS-DSK should have no token.
            _ if is_empty && header.get(AuthParam::Response).is_some() => {
                self.signed(message, header, scheme)
            }
            _ if !self.negotiations.is_empty() && !is_client_hello(token) => {
                Read::of(Class::Flight, Some(scheme))
            }
            _ => Read { is_first: true, ..Read::of(Class::First, Some(scheme)) },
        }
    }

    /// What an AP-REQ proves.
    fn ticket(
        &mut self,
        token: &[u8],
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Context, KerberosError> {
        // Without a key nobody is accepted.
        let acceptor = self.config.kerberos.clone().unwrap_or_else(|| Acceptor::new(Vec::new()));
        let accepted = acceptor.accept(&framed(token), now, &mut self.replays, entropy)?;
        Ok(Context::Kerberos(accepted.mac))
    }

    /// What the AUTHENTICATE proves. Its opaque and its flags are for the judge.
    fn authenticated(&self, negotiation: Option<&Negotiation>, token: &[u8]) -> Result<Context, String> {
        let Some(Negotiation::Ntlm { challenge, token: sent, .. }) = negotiation else {
            return Err("there is no handshake that it could complete".to_owned());
        };
        let checked = || {
            let authenticate = Authenticate::read(token)?;
            let keys = authenticate.verify(challenge, &self.config.user.password)?;
            Authenticate::check_mic(token, &keys.exported, &[sent])?;
            Ok(keys)
        };
        let keys = checked().map_err(|error: sipae::ntlm::NtlmError| error.to_string())?;
        Context::ntlm(&keys).ok_or_else(|| "it negotiates no signing".to_owned())
    }

    /// The association that follows from what was shown.
    fn completed(
        &mut self,
        message: &Message<'_>,
        header: &AuthHeader<'_>,
        opaque: Vec<u8>,
        proven: Result<Context, String>,
    ) -> Read {
        let scheme = header.scheme().unwrap_or_default();
        let context = match proven {
            Ok(context) => context,
            Err(problem) => return Read::failed(scheme, &problem),
        };
        let mut sa = SecurityAssociation::new(self.parameters(), opaque, Side::Server, context);
        let signature = signature_of(&mut sa, message, header);
        self.latest = Some(sa.opaque.clone());
        self.associations.push(sa);
        let association = Some(self.associations.len() - 1);
        Read { signature, is_current: true, association, ..Read::of(Class::Completing, Some(scheme)) }
    }

    fn signed(&mut self, message: &Message<'_>, header: &AuthHeader<'_>, scheme: Scheme) -> Read {
        let opaque = opaque_of(header);
        let is_done = |negotiation: &mut Negotiation| {
            matches!(negotiation, Negotiation::TlsDsk { opaque: own, handshake }
                if **own == *opaque && handshake.outcome().is_some())
        };
        let done = self.negotiations.extract_if(.., is_done).next();
        if let Some(Negotiation::TlsDsk { handshake, .. }) = done {
            let context = handshake.outcome().map(Context::tls_dsk).ok_or_else(String::new);
            return self.completed(message, header, opaque.into_owned(), context);
        }
        let last = self.associations.len().saturating_sub(1);
        let named = self.associations.iter().rposition(|sa| *sa.opaque == *opaque);
        // One without opaque means the last one.
        let named = named.or_else(|| self.associations.len().checked_sub(1).filter(|_| opaque.is_empty()));
        let Some((place, sa)) = named.and_then(|place| Some((place, self.associations.get_mut(place)?)))
        else {
            let problem = Some("no association has its opaque".to_owned());
            return Read { problem, ..Read::of(Class::Stray, Some(scheme)) };
        };
        let signature = signature_of(sa, message, header);
        let is_current = place == last;
        Read { signature, is_current, association: Some(place), ..Read::of(Class::Signed, Some(scheme)) }
    }

    /// How a response of the client is signed.
    pub(super) fn signature(&mut self, message: &Message<'_>) -> Signature {
        let parameters = self.parameters();
        let mut own = credentials(message).filter(|header| header.scheme().is_some_and(Scheme::signs));
        let Some(header) = own.next() else {
            return Signature::Unsigned;
        };
        let opaque = opaque_of(&header);
        let named = self.associations.iter().rposition(|sa| *sa.opaque == *opaque);
        let place = named.unwrap_or_else(|| self.associations.len().saturating_sub(1));
        match self.associations.get_mut(place) {
            Some(_) if !parameters.fit(&header) => {
                Signature::Bad("realm or targetname are not those of the challenge".to_owned())
            }
            Some(sa) => signature_of(sa, message, &header),
            None => Signature::Bad("there is no security association".to_owned()),
        }
    }
}

/// The credentials of a message, of whatever scheme.
pub(super) fn credentials<'m>(message: &Message<'m>) -> impl Iterator<Item = AuthHeader<'m>> {
    HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read)
}

fn opaque_of<'m>(header: &AuthHeader<'m>) -> std::borrow::Cow<'m, [u8]> {
    header.get(AuthParam::Opaque).unwrap_or_default().unfolded()
}

/// Whether a credential is for this server, in whatever letters.
fn fits(own: &Parameters, header: &AuthHeader<'_>) -> bool {
    let is = |param, text: &[u8]| {
        header.get(param).is_some_and(|value| value.unfolded().eq_ignore_ascii_case(text))
    };
    header.scheme() == Some(own.scheme)
        && is(AuthParam::Realm, &own.realm)
        && is(AuthParam::Targetname, &own.targetname)
}

/// NTLM for streams begins so, that for datagrams does not.
fn is_negotiate(token: &[u8]) -> bool {
    token.starts_with(b"NTLMSSP\0\x01")
}

/// Whether a flight begins a TLS handshake.
fn is_client_hello(flight: &[u8]) -> bool {
    const CLIENT_HELLO: u8 = 1;
    flight.first() == Some(&22) && flight.get(5) == Some(&CLIENT_HELLO)
}

/// An AP-REQ in GSS framing, whether it came in it or not: that is for the judge.
fn framed(token: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    const AP_REQ: u8 = 0x6E;
    const MECHANISM: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00";
    if token.first() != Some(&AP_REQ) {
        return token.into();
    }
    let length = u16::try_from(MECHANISM.len() + token.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x60, 0x82], length.as_slice(), MECHANISM, token].concat().into()
}

/// How a message of the client is signed, as this association tells.
fn signature_of(sa: &mut SecurityAssociation, message: &Message<'_>, header: &AuthHeader<'_>) -> Signature {
    use sipae::violation::{Breach, Violation};
    if header.get(AuthParam::Response).is_none() {
        return Signature::Unsigned;
    }
    match sa.verify(message, header) {
        Ok(number) => Signature::Verified(number),
        Err(Violation { breach: Breach::Replayed { number } | Breach::TooOld { number }, .. }) => {
            Signature::Replayed(number)
        }
        Err(violation) => Signature::Bad(violation.to_string()),
    }
}

#[cfg(test)]
mod tests;
