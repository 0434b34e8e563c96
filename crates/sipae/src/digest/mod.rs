//! Digest ([MS-SIPAE] 3.2.5.5, 3.3.5.4; RFC 2617, RFC 7616, RFC 8760), by which anonymous clients join a conference.
//!
//! A message under Digest is not signed: its credential proves a password for one method and one URI, and nothing else
//! of it. [`DigestChallenge`] and [`DigestCredential`] are the two header fields, [`Calculation`] is what stands in
//! `response`, [`Expectation`] is what a server holds against it, and [`Nonces`] is what it remembers.
//!
//! Not here: Authentication-Info, which no server of [MS-SIPAE] is known to send to anonymous clients, and `userhash`,
//! which is computed but neither asked for nor given.

mod algorithm;
mod calculation;
mod challenge;
mod credential;
mod error;
mod field;
mod nonces;
mod qop;
mod verify;

pub use algorithm::Algorithm;
pub use calculation::Calculation;
pub use challenge::DigestChallenge;
pub use credential::DigestCredential;
pub use error::DigestError;
pub use nonces::{Issued, Nonces};
pub use qop::Qop;
pub use verify::Expectation;

/// A user name and its password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    /// User name; what it is in an anonymous join is not known with certainty (SIPAE-3.2.5.5-06).
    pub username: &'a [u8],
    /// Password: the conference key (PIN) in an anonymous join.
    pub password: &'a [u8],
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", crate::octets::shown(self.username))
    }
}

#[cfg(test)]
mod tests;
