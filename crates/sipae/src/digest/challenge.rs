//! The challenge of a server.

use super::field::{Field, Writer};
use super::{Algorithm, Calculation, DigestCredential, DigestError, Login, Qop};
use crate::auth::{AuthHeader, AuthParam};
use crate::message::Value;

/// The value of a WWW-Authenticate or Proxy-Authenticate header field (RFC 2617 3.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DigestChallenge {
    /// Realm: the address of the organizer in an anonymous join (SIPAE-3.3.3-03).
    pub realm: Vec<u8>,
    /// URIs for which the credential holds; no server of [MS-SIPAE] is known to send it.
    pub domain: Option<Vec<u8>>,
    /// Nonce.
    pub nonce: Vec<u8>,
    /// What the client echoes.
    pub opaque: Option<Vec<u8>>,
    /// Whether only the nonce of the last credential was refused.
    pub stale: bool,
    /// Hash function; `None` where the parameter is absent, which means MD5.
    pub algorithm: Option<Algorithm>,
    /// The options that are known; `None` where the parameter is absent, which means the form of RFC 2069.
    pub qop: Option<Vec<Qop>>,
}

impl DigestChallenge {
    /// Reads a header value.
    ///
    /// # Errors
    /// When it is of another scheme, breaks the grammar, or has no realm, no nonce, or an unknown algorithm.
    pub fn read(value: Value<'_>) -> Result<Self, DigestError> {
        Self::of(&AuthHeader::read(value))
    }

    /// The challenge in a header field.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn of(header: &AuthHeader<'_>) -> Result<Self, DigestError> {
        let field = Field::of(header)?;
        Ok(Self {
            realm: field.required(AuthParam::Realm)?,
            domain: field.get(AuthParam::Domain),
            nonce: field.required(AuthParam::Nonce)?,
            opaque: field.get(AuthParam::Opaque),
            stale: field.get(AuthParam::Stale).is_some_and(|stale| stale.eq_ignore_ascii_case(b"true")),
            algorithm: read_algorithm(&field)?,
            qop: field.get(AuthParam::Qop).map(|options| known_options(&options)),
        })
    }

    /// The header value, in the order of [MS-SIPAE] 4.5. `algorithm` and `stale` are tokens, the rest is quoted.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let options = |options: &Vec<Qop>| options.iter().map(|qop| qop.name()).collect::<Vec<_>>().join(",");
        Writer::new()
            .quoted(AuthParam::Realm, Some(&self.realm))
            .quoted(AuthParam::Domain, self.domain.as_ref())
            .quoted(AuthParam::Nonce, Some(&self.nonce))
            .quoted(AuthParam::Opaque, self.opaque.as_ref())
            .token(AuthParam::Stale, self.stale.then_some("true"))
            .token(AuthParam::Algorithm, self.algorithm.map(Algorithm::name))
            .quoted(AuthParam::Qop, self.qop.as_ref().map(options))
            .finish()
    }

    /// Whether it can be answered with qop `auth`, or asks for none.
    #[must_use]
    pub fn offers_auth(&self) -> bool {
        self.qop.as_ref().is_none_or(|options| options.contains(&Qop::Auth))
    }

    /// The one of the strongest algorithm; of two as strong the first is meant.
    pub fn strongest(challenges: impl DoubleEndedIterator<Item = Self>) -> Option<Self> {
        challenges.rev().max_by_key(|challenge| challenge.algorithm.unwrap_or_default())
    }

    /// The credential that answers this challenge for a request. `nc` is 1 at first and goes up with each use of the
    /// nonce, `cnonce` stays the same meanwhile (RFC 2617 3.2.2.2).
    ///
    /// # Errors
    /// [`DigestError::UnknownQop`] where no option is `auth`.
    pub fn answer(
        &self,
        login: Login<'_>,
        method: &[u8],
        uri: &[u8],
        cnonce: &[u8],
        nc: u32,
    ) -> Result<DigestCredential, DigestError> {
        let qop = self.qop.as_ref().map(|options| options.contains(&Qop::Auth));
        let qop = qop.map(|is_met| is_met.then_some(Qop::Auth).ok_or(DigestError::UnknownQop)).transpose()?;
        // Without qop there is no cnonce, but where the algorithm cannot do without it.
        let algorithm = self.algorithm.unwrap_or_default();
        let has_cnonce = qop.is_some() || algorithm.is_session();
        let mut credential = DigestCredential {
            username: login.username.to_vec(),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: uri.to_vec(),
            response: Vec::new(),
            algorithm: self.algorithm,
            cnonce: has_cnonce.then(|| cnonce.to_vec()),
            nc: qop.map(|_| format!("{nc:08x}").into_bytes()),
            qop,
            opaque: self.opaque.clone(),
        };
        credential.response = credential.calculation(login.password, method, b"").response().into_bytes();
        Ok(credential)
    }
}

/// The algorithm, if the parameter is there.
pub(super) fn read_algorithm(field: &Field<'_, '_>) -> Result<Option<Algorithm>, DigestError> {
    let name = field.get(AuthParam::Algorithm);
    name.map(|name| Algorithm::from_octets(&name).ok_or(DigestError::UnknownAlgorithm)).transpose()
}

/// Unknown options are passed over (RFC 2617 3.2.1).
fn known_options(options: &[u8]) -> Vec<Qop> {
    options.split(|octet| *octet == b',').filter_map(|option| Qop::from_octets(option.trim_ascii())).collect()
}

impl DigestCredential {
    /// What its response is to be, with this password, for a request of this method and body.
    #[must_use]
    pub fn calculation<'a>(
        &'a self,
        password: &'a [u8],
        method: &'a [u8],
        body: &'a [u8],
    ) -> Calculation<'a> {
        Calculation {
            algorithm: self.algorithm.unwrap_or_default(),
            login: Login { username: &self.username, password },
            realm: &self.realm,
            nonce: &self.nonce,
            cnonce: self.cnonce.as_deref().unwrap_or_default(),
            nc: self.nc.as_deref().unwrap_or_default(),
            qop: self.qop,
            method,
            uri: &self.uri,
            body,
        }
    }
}
