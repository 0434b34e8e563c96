//! The value of `response` and what leads to it (RFC 2617 3.2.2, RFC 7616 3.4).

use super::{Algorithm, Login, Qop};

/// Everything that goes into a response, as the values stand in the credential, quotation marks and escapes removed.
#[derive(Clone, Copy, Debug)]
pub struct Calculation<'a> {
    /// Hash function.
    pub algorithm: Algorithm,
    /// User name and password.
    pub login: Login<'a>,
    /// Realm.
    pub realm: &'a [u8],
    /// Nonce.
    pub nonce: &'a [u8],
    /// Cnonce; empty where there is none.
    pub cnonce: &'a [u8],
    /// Nonce count as written; empty where there is none.
    pub nc: &'a [u8],
    /// Quality of protection; the form of RFC 2069 without it.
    pub qop: Option<Qop>,
    /// Method of the request.
    pub method: &'a [u8],
    /// digest-uri.
    pub uri: &'a [u8],
    /// Body, which counts for `auth-int` only.
    pub body: &'a [u8],
}

impl Calculation<'_> {
    fn hash(&self, parts: &[&[u8]]) -> String {
        self.algorithm.hash(parts)
    }

    /// H(A1).
    #[must_use]
    pub fn ha1(&self) -> String {
        let user = self.hash(&[self.login.username, self.realm, self.login.password]);
        if self.algorithm.is_session() {
            self.hash(&[user.as_bytes(), self.nonce, self.cnonce])
        } else {
            user
        }
    }

    /// H(A2).
    #[must_use]
    pub fn ha2(&self) -> String {
        if self.qop == Some(Qop::AuthInt) {
            let body = self.hash(&[self.body]);
            self.hash(&[self.method, self.uri, body.as_bytes()])
        } else {
            self.hash(&[self.method, self.uri])
        }
    }

    /// The value of `response`, in lower-case digits.
    #[must_use]
    pub fn response(&self) -> String {
        let (ha1, ha2) = (self.ha1(), self.ha2());
        let (ha1, ha2) = (ha1.as_bytes(), ha2.as_bytes());
        match self.qop {
            Some(qop) => self.hash(&[ha1, self.nonce, self.nc, self.cnonce, qop.name().as_bytes(), ha2]),
            None => self.hash(&[ha1, self.nonce, ha2]),
        }
    }

    /// The value of `rspauth` in Authentication-Info for an answer with this body (RFC 2617 3.2.3).
    #[must_use]
    pub fn rspauth(&self, body: &[u8]) -> String {
        Calculation { method: b"", body, ..*self }.response()
    }

    /// The hashed user name of RFC 7616 3.4.4.
    #[must_use]
    pub fn userhash(&self) -> String {
        self.hash(&[self.login.username, self.realm])
    }
}
