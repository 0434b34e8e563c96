//! NTLM: an empty token, then AUTHENTICATE ([MS-SIPAE] 3.3.5.2).

use super::handshake::{HANDSHAKE_FAILED, Proven, Step};
use super::negotiation::{Negotiation, Stage};
use super::{Scene, Server};
use crate::defects::Defect;
use crate::endpoint::EndpointId;
use crate::ntlm::{Authenticate, Challenge, NegotiateFlags, NtlmError, SessionKeys};
use crate::sa::Context;
use crate::violation::Breach;

impl Server {
    pub(super) fn ntlm(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) {
        if step.token.is_empty() { self.begin_ntlm(scene, step) } else { self.complete_ntlm(scene, step) }
    }

    /// An empty token: a CHALLENGE and an opaque, both fresh.
    fn begin_ntlm(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) {
        let Some(opaque) = self.opening(scene, step) else { return };
        let mut flags = self.config.flags;
        if self.config.defects.has(Defect::ChallengeTokenWithoutDatagram) {
            flags = flags.without(NegotiateFlags::DATAGRAM);
        }
        let nonce = scene.entropy.octets();
        let nonce = if self.config.defects.has(Defect::ChallengeRepeats) { [1; 8] } else { nonce };
        let challenge = Challenge::for_server(flags, nonce, &self.config.domain, &self.config.host);
        let token = challenge.write(&Challenge::PAYLOAD);
        self.continuation(scene, step.message, &self.agreed(step.credential), &opaque, &token);
        let negotiation = self.negotiation_of(scene, step.endpoint, Stage::Ntlm { challenge, token });
        self.negotiations.insert(opaque, negotiation);
    }

    fn complete_ntlm(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) {
        let opaque = step.opaque();
        let negotiation = self.negotiation(step.message, &opaque, step.endpoint);
        let Some(Negotiation { stage: Stage::Ntlm { challenge, token }, lifetime, .. }) = negotiation else {
            scene.refused(Breach::NoAssociation);
            return self.challenge(scene, step.message);
        };
        let proven = self.prove(&challenge, &token, step);
        let keeps = match proven {
            Ok(_) => self.config.defects.has(Defect::KeepsFinishedHandshake),
            Err(_) => self.config.defects.has(Defect::KeepsFailedHandshake),
        };
        if keeps {
            let (connection, endpoint) = (scene.flow.connection, step.endpoint.clone());
            let stage = Stage::Ntlm { challenge, token };
            self.negotiations.insert(opaque.clone(), Negotiation { connection, endpoint, stage, lifetime });
        }
        match proven {
            Ok(proven) => self.proven(scene, step, opaque, proven),
            Err(error) => {
                scene.refused(error);
                let is_unreadable = Authenticate::read(step.token).is_err();
                if is_unreadable && self.config.defects.has(Defect::TokenEndsAssociations) {
                    self.associations.clear();
                }
                self.failed(scene, step, is_unreadable, HANDSHAKE_FAILED);
            }
        }
    }

    /// Checks the AUTHENTICATE. An unknown user and a wrong password look the same from outside.
    fn prove(
        &self,
        challenge: &Challenge,
        challenge_token: &[u8],
        step: Step<'_, '_>,
    ) -> Result<Proven, NtlmError> {
        let authenticate = Authenticate::read(step.token)?;
        if authenticate.is_anonymous() {
            let is_accepted = self.config.defects.has(Defect::AcceptsAnonymous);
            let guest = is_accepted.then(|| guest(&authenticate, step.endpoint)).flatten();
            return guest.ok_or(NtlmError::Anonymous);
        }
        authenticate.check_for_sip(challenge)?;
        if !authenticate.is_v2() && !self.config.accept_ntlm_v1 {
            return Err(NtlmError::Version1);
        }
        let user = authenticate.user_text()?;
        let account =
            self.config.accounts.find(&user, &authenticate.domain_text()?).ok_or(NtlmError::Proof)?;
        let keys = authenticate.verify(challenge, &account.password)?;
        Authenticate::check_mic(step.token, &keys.exported, &[challenge_token])?;
        proven(account.user.clone(), account.address.clone(), &keys)
    }
}

fn proven(user: String, address: String, keys: &SessionKeys) -> Result<Proven, NtlmError> {
    let context = Context::ntlm(keys).ok_or(NtlmError::FlagClear { flag: "SIGN" })?;
    Ok(Proven { user, address, context, end: None, reply: None })
}

/// Whom an anonymous AUTHENTICATE would be good for: its key is public.
fn guest(authenticate: &Authenticate, endpoint: &EndpointId) -> Option<Proven> {
    let exported = crate::ntlm::rc4(&[0; 16], &authenticate.session_key).try_into().ok()?;
    let keys = SessionKeys::new(authenticate.flags, exported, authenticate.revision());
    proven(String::new(), endpoint.address.clone(), &keys).ok()
}
