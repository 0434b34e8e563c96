//! The credential of a client.

use super::challenge::read_algorithm;
use super::field::{Field, Writer};
use super::{Algorithm, DigestError, Qop};
use crate::auth::{AuthHeader, AuthParam};
use crate::message::Value;

/// Digits of a nonce count.
const COUNT_LENGTH: usize = 8;

/// The value of an Authorization or Proxy-Authorization header field (RFC 2617 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestCredential {
    /// User name.
    pub username: Vec<u8>,
    /// Realm of the challenge.
    pub realm: Vec<u8>,
    /// Nonce of the challenge.
    pub nonce: Vec<u8>,
    /// digest-uri: the Request-URI (SIPAE-3.2.5.5-07).
    pub uri: Vec<u8>,
    /// The response as written.
    pub response: Vec<u8>,
    /// Hash function; `None` where the parameter is absent, which means MD5.
    pub algorithm: Option<Algorithm>,
    /// Nonce of the client.
    pub cnonce: Option<Vec<u8>>,
    /// Nonce count as written.
    pub nc: Option<Vec<u8>>,
    /// Quality of protection.
    pub qop: Option<Qop>,
    /// What the challenge had.
    pub opaque: Option<Vec<u8>>,
}

impl DigestCredential {
    /// Reads a header value. Tokens are also read where they stand in quotation marks, as many clients write them.
    ///
    /// # Errors
    /// When it is of another scheme, breaks the grammar, lacks a parameter or has an unknown algorithm or qop.
    pub fn read(value: Value<'_>) -> Result<Self, DigestError> {
        Self::of(&AuthHeader::read(value))
    }

    /// The credential in a header field.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn of(header: &AuthHeader<'_>) -> Result<Self, DigestError> {
        let field = Field::of(header)?;
        let qop = field.get(AuthParam::Qop);
        let credential = Self {
            username: field.required(AuthParam::Username)?,
            realm: field.required(AuthParam::Realm)?,
            nonce: field.required(AuthParam::Nonce)?,
            uri: field.required(AuthParam::Uri)?,
            response: field.required(AuthParam::Response)?,
            algorithm: read_algorithm(&field)?,
            cnonce: field.get(AuthParam::Cnonce),
            nc: field.get(AuthParam::Nc),
            qop: qop.map(|qop| Qop::from_octets(&qop).ok_or(DigestError::UnknownQop)).transpose()?,
            opaque: field.get(AuthParam::Opaque),
        };
        credential.count()?;
        credential.check_cnonce()?;
        Ok(credential)
    }

    fn check_cnonce(&self) -> Result<(), DigestError> {
        let needs_one = self.qop.is_some() || self.algorithm.unwrap_or_default().is_session();
        if needs_one && self.cnonce.is_none() {
            return Err(DigestError::Missing { param: AuthParam::Cnonce });
        }
        Ok(())
    }

    /// The nonce count as a number; `None` without qop.
    ///
    /// # Errors
    /// When it is absent beside qop, or is not eight hexadecimal digits above zero.
    pub fn count(&self) -> Result<Option<u32>, DigestError> {
        if self.qop.is_none() {
            return Ok(None);
        }
        let nc = self.nc.as_deref().ok_or(DigestError::Missing { param: AuthParam::Nc })?;
        read_count(nc).map(Some).ok_or(DigestError::Count)
    }

    /// The header value. `algorithm`, `qop` and `nc` are tokens, the rest is quoted (RFC 2617 3.2.2, RFC 7616 3.4).
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        Writer::new()
            .quoted(AuthParam::Username, Some(&self.username))
            .quoted(AuthParam::Realm, Some(&self.realm))
            .quoted(AuthParam::Nonce, Some(&self.nonce))
            .quoted(AuthParam::Uri, Some(&self.uri))
            .quoted(AuthParam::Response, Some(&self.response))
            .token(AuthParam::Algorithm, self.algorithm.map(Algorithm::name))
            .quoted(AuthParam::Cnonce, self.cnonce.as_ref())
            .quoted(AuthParam::Opaque, self.opaque.as_ref())
            .token(AuthParam::Qop, self.qop.map(Qop::name))
            .token(AuthParam::Nc, self.nc.as_ref())
            .finish()
    }
}

/// `8LHEX`, in either letter case.
fn read_count(text: &[u8]) -> Option<u32> {
    let is_form = text.len() == COUNT_LENGTH && text.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_form)?;
    u32::from_str_radix(text, 16).ok().filter(|count| *count != 0)
}
