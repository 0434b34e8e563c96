//! What a message claims to prove, and who could have proven it.

use std::collections::BTreeMap;

use sipae::auth::AuthHeader;
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::message::{HeaderName, Limits, Message};
use sipae::ntlm::Authenticate;
use sipae::side::Side;
use sipae::version::Version;

/// What a message claims: octets that nobody can make who has neither password nor keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// A signature, and the buffer that it is for.
    Signature(Vec<u8>, Vec<u8>),
    /// The response to a CHALLENGE.
    Password(Vec<u8>),
}

/// What right senders have claimed and nobody has believed yet, and who they are.
#[derive(Debug)]
pub(super) struct Claims {
    signer: Side,
    version: Version,
    fresh: BTreeMap<Claim, &'static str>,
}

impl Claims {
    /// Of what that side signs.
    pub(super) const fn new(signer: Side, version: Version) -> Self {
        Self { signer, version, fresh: BTreeMap::new() }
    }

    /// A right sender sends that.
    pub(super) fn add(&mut self, octets: &[u8], sender: &'static str) {
        let Ok(message) = Message::parse(octets, &Limits::NONE) else { panic!("no message is sent") };
        for claim in self.read(&message) {
            self.fresh.insert(claim, sender);
        }
    }

    /// The claims of a message that are right and new, and whose they are.
    pub(super) fn of(&self, message: &Message<'_>) -> Vec<(Claim, &'static str)> {
        let claims = self.read(message).into_iter();
        claims.filter_map(|claim| self.fresh.get(&claim).copied().map(|sender| (claim, sender))).collect()
    }

    /// Nothing may be believed twice.
    pub(super) fn believed(&mut self, claims: &[(Claim, &'static str)]) {
        for (claim, _) in claims {
            self.fresh.remove(claim);
        }
    }

    /// The keys of old are worth nothing.
    pub(super) fn clear(&mut self) {
        self.fresh.clear();
    }

    fn read(&self, message: &Message<'_>) -> Vec<Claim> {
        let names = match self.signer {
            Side::Client => HeaderName::CREDENTIALS,
            Side::Server => HeaderName::SIGNATURES,
        };
        let lines = names.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
        lines.flat_map(|line| [self.signature(message, &line), password(&line)]).flatten().collect()
    }

    fn signature(&self, message: &Message<'_>, line: &AuthHeader<'_>) -> Option<Claim> {
        let signature = line.signature(self.signer.signature()).ok()??;
        let params = SignatureParams::of(line, self.signer);
        let buffer = SignatureBuffer::new(message, &params, self.version).ok()?;
        Some(Claim::Signature(signature, buffer.to_vec()))
    }
}

fn password(line: &AuthHeader<'_>) -> Option<Claim> {
    let authenticate = Authenticate::read(&line.token().ok()??).ok()?;
    Some(Claim::Password(authenticate.nt_response))
}
