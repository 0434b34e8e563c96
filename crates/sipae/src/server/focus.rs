//! The focus of a conference, which anonymous clients join by Digest ([MS-SIPAE] 3.3.5.4, 3.3.5.5).
//!
//! A request is for it if it comes from an anonymous address and goes to the GRUU of a conference, on a server that has
//! conferences. Its answers are not signed: Digest has no key for that. What leads to no conference, or only asks, is
//! left to the rest of the server.

mod join;
mod session;

use sipae_spec::Diagnostic;

use super::location::request_uri;
use super::{Scene, Server, is_silent};
use crate::auth::{AuthHeader, Scheme};
use crate::clock::Time;
use crate::conference::{ConferenceUri, anonymous_user};
use crate::defects::Defect;
use crate::digest::{Algorithm, DigestCredential, DigestError, Nonces};
use crate::endpoint::{EndpointError, EndpointId, lower_address};
use crate::message::{HeaderName, Message};
use crate::sa::Durations;
use crate::violation::Breach;

use session::Sessions;

/// A conference that may be joined.
#[derive(Clone, PartialEq, Eq)]
pub struct Conference {
    /// Address of the organizer without scheme: the realm (SIPAE-3.3.3-03).
    pub organizer: String,
    /// Its name, the last part of its GRUU.
    pub id: String,
    /// The conference key (PIN), which is the password.
    pub key: String,
    /// What is offered, a challenge line each, preferred ones first.
    pub algorithms: Vec<Algorithm>,
    /// Whether those without an account may join (SIPAE-3.3.5.4-06).
    pub admits_anonymous: bool,
}

impl Conference {
    /// A conference that offers MD5-sess and admits everybody who knows the key.
    #[must_use]
    pub fn new(organizer: &str, id: &str, key: &str) -> Self {
        Self {
            organizer: organizer.to_owned(),
            id: id.to_owned(),
            key: key.to_owned(),
            algorithms: vec![Algorithm::Md5Sess],
            admits_anonymous: true,
        }
    }

    /// Its GRUU.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("sip:{};gruu;opaque=app:conf:focus:id:{}", self.organizer, self.id)
    }

    fn is(&self, uri: &ConferenceUri<'_>) -> bool {
        let is_organizer = self.organizer.as_bytes().eq_ignore_ascii_case(uri.organizer);
        is_organizer && self.id.as_bytes() == uri.id
    }
}

impl std::fmt::Debug for Conference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Conference({}, {:?})", self.uri(), self.algorithms)
    }
}

/// What a server remembers of anonymous clients.
#[derive(Debug)]
pub(super) struct Focus {
    nonces: Nonces,
    sessions: Sessions,
    /// Of the first challenge: only a defective server repeats it.
    first: Option<crate::digest::Issued>,
}

impl Focus {
    /// Nonces and sessions kept at once.
    const CAPACITY: usize = 4096;

    /// A nonce lives as long as an association that is not used.
    pub(super) fn new(durations: &Durations) -> Self {
        let nonces = Nonces::new(Self::CAPACITY, durations.idle);
        Self { nonces, sessions: Sessions::new(Self::CAPACITY), first: None }
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.sessions.expire(now);
    }
}

/// Who asks, and for which conference.
struct Visit<'m> {
    uri: ConferenceUri<'m>,
    /// Request-URI.
    target: &'m [u8],
    /// User part of the anonymous address, as written.
    user: &'m [u8],
    /// The anonymous address in lower case, and the endpoint if there is one.
    caller: String,
    method: &'m [u8],
}

impl Visit<'_> {
    /// Who may use a nonce, and for what: an anonymous endpoint is tied to its conference (SIPAE-3.3.5.4-08).
    fn holder(&self) -> String {
        let id = String::from_utf8_lossy(self.uri.id);
        format!("{} {} {id}", self.caller, String::from_utf8_lossy(self.uri.organizer).to_lowercase())
    }
}

/// Why an anonymous request is not served.
enum Refusal {
    /// It has no credential: a challenge.
    Bare,
    /// Its credential is not accepted: another challenge.
    Digest(DigestError),
    /// 403: it is not for anonymous clients at all.
    Forbidden,
}

impl From<DigestError> for Refusal {
    fn from(error: DigestError) -> Self {
        Self::Digest(error)
    }
}

impl Server {
    /// Whether a request is for the focus.
    pub(super) fn is_for_focus(&self, message: &Message<'_>) -> bool {
        let is_anonymous = || message.from().is_ok_and(|from| anonymous_user(from.uri).is_some());
        !self.config.conferences.is_empty()
            && ConferenceUri::read(request_uri(message)).is_some()
            && is_anonymous()
    }

    /// An anonymous request to a conference.
    pub(super) fn focus(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let visit = match visit(message) {
            Ok(visit) => visit,
            Err(breach) => return self.bad_request(scene, message, breach),
        };
        match self.admit(scene, message, &visit) {
            Ok(()) => self.joined(scene, message, &visit),
            Err(Refusal::Forbidden) => {
                scene.refused(Breach::Unsigned);
                self.refuse(scene, message, 403, NOT_FOR_ANONYMOUS);
            }
            Err(Refusal::Bare) => {
                scene.refused(Breach::Unsigned);
                self.challenge_by_digest(scene, message, &visit, false);
            }
            Err(Refusal::Digest(error)) => {
                scene.refused(error);
                self.challenge_by_digest(scene, message, &visit, error.is_stale());
            }
        }
    }

    /// Only INVITE opens a session, and within one everything but REGISTER is welcome (SIPAE-3.3.5.4-07). What would be
    /// forwarded for others is not taken from strangers (SIPAE-3.3.5.7-05).
    fn admit(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        visit: &Visit<'_>,
    ) -> Result<(), Refusal> {
        let defects = self.config.defects;
        let conference = self.conference(&visit.uri);
        let is_closed = conference.is_some_and(|conference| !conference.admits_anonymous);
        let is_open = self.focus.sessions.has(&visit.holder());
        let opens = visit.method == b"INVITE" || defects.has(Defect::AnyMethodJoins);
        let is_unwelcome = visit.method == b"REGISTER" || message.count(HeaderName::PSessionOnBehalfOf) != 0;
        if is_closed && !defects.has(Defect::AdmitsToClosedConference)
            || is_unwelcome
            || !is_open && !opens && !is_silent(visit.method)
        {
            return Err(Refusal::Forbidden);
        }
        if defects.has(Defect::SessionForEveryConference) && self.focus.sessions.has_caller(&visit.caller) {
            return Ok(());
        }
        self.verify_digest(scene, message, visit)
    }

    fn conference(&self, uri: &ConferenceUri<'_>) -> Option<&Conference> {
        self.config.conferences.iter().find(|conference| conference.is(uri))
    }
}

/// The text of a refusal for those who have no account.
const NOT_FOR_ANONYMOUS: (u16, &str) = (4003, "Anonymous users are not admitted");

/// An endpoint identifier is what an anonymous client should have, not must (SIPAE-3.2.4.3-04).
fn visit<'m>(message: &Message<'m>) -> Result<Visit<'m>, Breach> {
    let (from, contact) = (message.from()?, message.contact()?);
    let target = request_uri(message);
    let unreadable = Breach::Header { header: HeaderName::From, diagnostic: Diagnostic::NameAddrMalformed };
    let (Some(uri), Some(user)) = (ConferenceUri::read(target), anonymous_user(from.uri)) else {
        return Err(unreadable);
    };
    let caller = match EndpointId::of(&from, contact.as_ref()) {
        Ok(EndpointId { address, instance }) => format!("{address} {instance}"),
        Err(EndpointError::Missing) => lower_address(from.uri).ok_or(unreadable)?,
        Err(error) => return Err(error.into()),
    };
    Ok(Visit { uri, target, user, caller, method: message.method().unwrap_or_default() })
}

/// The Digest credential for this realm, or else the first one.
fn digest_credential(message: &Message<'_>, realm: &[u8]) -> Option<Result<DigestCredential, DigestError>> {
    let headers =
        || HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
    let mut credentials = headers()
        .filter(|header| header.scheme() == Some(Scheme::Digest))
        .map(|header| DigestCredential::of(&header));
    let first = credentials.next()?;
    let is_own =
        |read: &Result<DigestCredential, DigestError>| read.as_ref().is_ok_and(|own| own.realm == realm);
    if is_own(&first) { Some(first) } else { Some(credentials.find(is_own).unwrap_or(first)) }
}

#[cfg(test)]
mod tests;
