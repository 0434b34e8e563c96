//! What a server holds against a credential ([MS-SIPAE] 3.3.5.4).

use subtle::ConstantTimeEq;

use super::{Algorithm, DigestCredential, DigestError, Qop};
use crate::auth::AuthParam;

/// What a credential must say to be accepted; what the nonce allows is said by [`super::Nonces`].
#[derive(Clone, Copy)]
pub struct Expectation<'a> {
    /// Realm of the challenge.
    pub realm: &'a [u8],
    /// The user names that may be given; none means any.
    pub usernames: &'a [&'a [u8]],
    /// Password.
    pub password: &'a [u8],
    /// The algorithms that were offered.
    pub algorithms: &'a [Algorithm],
    /// The options of qop that were offered; `None` where there were none.
    pub qop: Option<&'a [Qop]>,
    /// Method of the request.
    pub method: &'a [u8],
    /// Request-URI.
    pub uri: &'a [u8],
    /// Body of the request.
    pub body: &'a [u8],
}

impl Expectation<'_> {
    /// Holds a credential against all of it. The comparison of the response takes the same time wherever they differ.
    ///
    /// # Errors
    /// The first reason to refuse it, in the order of the fields; the response is looked at last.
    pub fn verify(&self, credential: &DigestCredential) -> Result<(), DigestError> {
        self.check_offer(credential)?;
        self.check_request(credential)?;
        self.check_response(credential)
    }

    /// Whether it answers the challenge that was sent.
    pub(crate) fn check_offer(&self, credential: &DigestCredential) -> Result<(), DigestError> {
        let is_any = self.usernames.is_empty();
        if credential.realm != self.realm {
            return Err(DigestError::Realm);
        }
        if !is_any && !self.usernames.contains(&credential.username.as_slice()) {
            return Err(DigestError::Username);
        }
        if !self.algorithms.contains(&credential.algorithm.unwrap_or_default()) {
            return Err(DigestError::OtherAlgorithm);
        }
        let is_offered = match (self.qop, credential.qop) {
            (Some(options), Some(qop)) => options.contains(&qop),
            (None, None) => true,
            _ => false,
        };
        if is_offered { Ok(()) } else { Err(DigestError::OtherQop) }
    }

    /// Whether it is for this request.
    pub(crate) fn check_request(&self, credential: &DigestCredential) -> Result<(), DigestError> {
        if credential.uri == self.uri { Ok(()) } else { Err(DigestError::Uri) }
    }

    /// Whether the password is right.
    pub(crate) fn check_response(&self, credential: &DigestCredential) -> Result<(), DigestError> {
        let needs_cnonce = credential.algorithm.unwrap_or_default().is_session();
        if needs_cnonce && credential.cnonce.is_none() {
            return Err(DigestError::Missing { param: AuthParam::Cnonce });
        }
        let expected = credential.calculation(self.password, self.method, self.body).response();
        let claimed = credential.response.to_ascii_lowercase();
        if bool::from(expected.as_bytes().ct_eq(&claimed)) { Ok(()) } else { Err(DigestError::Response) }
    }
}

impl std::fmt::Debug for Expectation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = crate::octets::shown;
        write!(f, "Expectation({} {}, {})", shown(self.method), shown(self.uri), shown(self.realm))
    }
}
