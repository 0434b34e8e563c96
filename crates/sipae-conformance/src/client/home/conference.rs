//! The conference of the suite, which clients without an account join ([MS-SIPAE] 3.2.4.3, 3.2.5.5, 3.2.5.6).

use std::collections::{BTreeMap, BTreeSet};

use sipae::auth::{AuthHeader, Scheme};
use sipae::clock::Entropy;
use sipae::digest::{Algorithm, DigestChallenge, DigestCredential, Expectation, Qop};
use sipae::encoding::{encode_base16, encode_base16_upper};
use sipae::message::{Message, StartLine};

use super::{Class, Read};
use crate::profile::ProfileConference;
use crate::reaction::Signature;

/// What the focus has asked, and what came of it. What a credential says beside its response is for the judge.
#[derive(Default)]
pub(super) struct Focus {
    /// The counts that were used, by nonce; of the last nonce it is the last.
    nonces: BTreeMap<Vec<u8>, BTreeSet<u32>>,
    last: Option<DigestChallenge>,
    is_joined: bool,
}

impl Focus {
    /// Whether a client has shown the key.
    pub(super) const fn is_joined(&self) -> bool {
        self.is_joined
    }

    /// As a server that is started anew.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What the last challenge said.
    pub(super) const fn last(&self) -> Option<&DigestChallenge> {
        self.last.as_ref()
    }

    /// A fresh challenge, as [MS-SIPAE] 4.5 has it.
    pub(super) fn challenge(
        &mut self,
        conference: &ProfileConference,
        opaque: Option<&[u8]>,
        entropy: &mut dyn Entropy,
    ) -> Vec<u8> {
        let nonce = encode_base16(&entropy.octets::<16>()).into_bytes();
        let random = || encode_base16_upper(&entropy.octets::<4>()).into_bytes();
        let challenge = DigestChallenge {
            realm: conference.organizer().into(),
            nonce: nonce.clone(),
            opaque: Some(opaque.map_or_else(random, <[u8]>::to_vec)),
            algorithm: Some(Algorithm::Md5Sess),
            qop: Some(vec![Qop::Auth]),
            ..DigestChallenge::default()
        };
        let written = challenge.write();
        self.nonces.insert(nonce, BTreeSet::new());
        self.last = Some(challenge);
        written
    }

    /// What a request with a Digest credential is.
    pub(super) fn read(&mut self, message: &Message<'_>, header: &AuthHeader<'_>, key: &str) -> Read {
        let scheme = Scheme::Digest;
        let credential = match DigestCredential::of(header) {
            Ok(credential) => credential,
            Err(error) => return Read::failed(scheme, &error.to_string()),
        };
        let Some(used) = self.nonces.get_mut(&credential.nonce) else {
            let problem = Some("no challenge has its nonce".to_owned());
            return Read { problem, ..Read::of(Class::Stray, Some(scheme)) };
        };
        let StartLine::Request { method, .. } = message.start_line() else {
            return Read::of(Class::Stray, Some(scheme));
        };
        if let Err(error) = expectation(&credential, key, method).verify(&credential) {
            return Read::failed(scheme, &error.to_string());
        }
        let count = credential.count().ok().flatten().unwrap_or_default();
        let is_first = used.is_empty();
        let signature = match used.insert(count) {
            true => Signature::Verified(count),
            false => Signature::Replayed(count),
        };
        self.is_joined = true;
        let is_current = self.last.as_ref().is_some_and(|last| last.nonce == credential.nonce);
        let class = if is_first { Class::Completing } else { Class::Signed };
        Read { signature, is_first, is_current, ..Read::of(class, Some(scheme)) }
    }
}

/// That the key is right; all else is taken as it is said.
fn expectation<'a>(credential: &'a DigestCredential, key: &'a str, method: &'a [u8]) -> Expectation<'a> {
    const OPTIONS: &[Qop] = &[Qop::Auth];
    Expectation {
        realm: &credential.realm,
        usernames: &[],
        password: key.as_bytes(),
        algorithms: &Algorithm::ALL,
        qop: credential.qop.map(|_| OPTIONS),
        method,
        uri: &credential.uri,
        body: &[],
    }
}
