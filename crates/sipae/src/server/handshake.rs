//! Handshake messages ([MS-SIPAE] 3.3.5.2).

use std::time::Duration;

use super::negotiation::Negotiation;
use super::table::Association;
use super::{Scene, Server, ServerEvent, is_silent};
use crate::auth::{AuthHeader, AuthParam};
use crate::defects::Defect;
use crate::encoding::encode_base64;
use crate::endpoint::EndpointId;
use crate::message::{HeaderName, Message};
use crate::ntlm::{Authenticate, Challenge, NegotiateFlags, NtlmError, SessionKeys};
use crate::sa::{Context, Durations, Lifetime, SecurityAssociation};
use crate::side::Side;
use crate::violation::Breach;

/// ErrorId 1000 of ms-diagnostics.
pub(super) const HANDSHAKE_FAILED: (u16, &str) = (1000, "Final handshake failed");
/// ErrorId 4004.
const NOT_THE_USER: (u16, &str) = (4004, "Credentials are not authorized to act as specified From URI");

/// Who has authenticated, and with which keys.
struct Proven {
    user: String,
    address: String,
    keys: SessionKeys,
}

impl Server {
    pub(super) fn handshake(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
    ) {
        if message.method().is_some_and(is_silent) {
            // It could not be answered, so it makes no state either.
            return scene.refused(Breach::Unsigned);
        }
        if message.method() != Some(b"REGISTER") && self.config.defects.has(Defect::HandshakeByRegisterOnly) {
            return self.challenge(scene, message);
        }
        let endpoint = match self.endpoint(message) {
            Ok(endpoint) => endpoint,
            Err(Breach::Endpoint(error)) => {
                scene.refused(error);
                return self.refuse(
                    scene,
                    message,
                    400,
                    (error.diagnostic(), "Endpoint cannot be identified"),
                );
            }
            Err(breach) => return self.bad_request(scene, message, breach),
        };
        match self.check_handshake(credential) {
            Ok(token) if token.is_empty() => self.begin(scene, message, credential, endpoint),
            Ok(token) => self.complete(scene, message, credential, endpoint, &token),
            Err(breach) => {
                scene.refused(breach);
                self.challenge(scene, message);
            }
        }
    }

    /// The token, if qop and version are the ones that were offered.
    fn check_handshake(&self, credential: &AuthHeader<'_>) -> Result<Vec<u8>, Breach> {
        let header = self.config.kind.credential();
        let bad = |diagnostic| Breach::Header { header, diagnostic };
        if !self.config.defects.has(Defect::IgnoresQop) {
            super::signed::check_qop(header, credential)?;
        }
        let version = credential.version().map_err(bad)?;
        let is_offered = version == self.config.parameters.version.number();
        if !is_offered && !self.config.defects.has(Defect::IgnoresVersion) {
            return Err(Breach::Version { found: version });
        }
        let token = match credential.token() {
            Err(_) if self.config.defects.has(Defect::BadBase64IsEmpty) => None,
            token => token.map_err(bad)?,
        };
        Ok(token.unwrap_or_default())
    }

    /// An empty token: a CHALLENGE and an opaque, both fresh. An opaque that the client sends along means nothing
    /// (SIPAE-3.3.5.2-27).
    fn begin(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        endpoint: EndpointId,
    ) {
        if self.is_flooded() {
            return self.answer_unsigned(scene, message, 503);
        }
        if self.spoils_others(&endpoint) {
            return self.challenge(scene, message);
        }
        let Some(opaque) = self.opaque_for(scene, credential) else {
            return self.answer_unsigned(scene, message, 500);
        };
        if self.config.defects.has(Defect::FirstTokenEndsAssociation) {
            self.associations.remove_endpoint(&endpoint);
        }
        let host = String::from_utf8_lossy(&self.config.parameters.targetname).into_owned();
        let mut flags = self.config.flags;
        if self.config.defects.has(Defect::ChallengeTokenWithoutDatagram) {
            flags = flags.without(NegotiateFlags::DATAGRAM);
        }
        let nonce = scene.entropy.octets();
        let nonce = if self.config.defects.has(Defect::ChallengeRepeats) { [1; 8] } else { nonce };
        let challenge = Challenge::for_server(flags, nonce, &self.config.domain, &host);
        let token = challenge.write(&Challenge::PAYLOAD);
        let lifetime = Lifetime::start(scene.now, &self.handshake_durations());
        self.continuation(scene, message, &opaque, encode_base64(&token));
        let connection = scene.flow.connection;
        self.negotiations.insert(opaque, Negotiation { connection, endpoint, challenge, token, lifetime });
    }

    fn association_durations(&self) -> Durations {
        const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);
        let durations = self.config.durations;
        if self.config.defects.has(Defect::NeverExpires) {
            Durations { expiry: FOR_EVER, ..durations }
        } else if self.config.defects.has(Defect::NeverIdle) {
            Durations { idle: FOR_EVER, ..durations }
        } else {
            durations
        }
    }

    /// The idle timer of an unfinished handshake is the time that a handshake has (SIPAE-3.3.2-07).
    fn handshake_durations(&self) -> Durations {
        let durations = self.config.durations;
        let stays = self.config.defects.has(Defect::HandshakesStay);
        Durations { idle: if stays { durations.expiry } else { durations.handshake }, ..durations }
    }

    fn complete(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        endpoint: EndpointId,
        token: &[u8],
    ) {
        let opaque = credential.get(AuthParam::Opaque).unwrap_or_default().unfolded().into_owned();
        let Some(negotiation) = self.negotiation(message, &opaque, &endpoint) else {
            scene.refused(Breach::NoAssociation);
            return self.challenge(scene, message);
        };
        if self.config.defects.has(Defect::KeepsFinishedHandshake) {
            self.negotiations.insert(opaque.clone(), negotiation.clone());
        }
        let proven = match self.prove(&negotiation, token) {
            Ok(proven) => proven,
            Err(error) => {
                scene.refused(error);
                return self.failed(scene, message, &opaque, negotiation, token);
            }
        };
        if !self.is_own_from(&proven.address, message, &endpoint) {
            scene.refused(Breach::Identity { header: HeaderName::From });
            return self.refuse(scene, message, 403, NOT_THE_USER);
        }
        match self.association(scene, message, credential, opaque, endpoint, &proven.keys) {
            Ok(association) => self.establish(scene, message, proven.user, association),
            Err(breach) => {
                scene.refused(breach);
                self.challenge_because(scene, message, Some(HANDSHAKE_FAILED));
            }
        }
    }

    /// Checks the AUTHENTICATE. An unknown user and a wrong password look the same from outside.
    fn prove(&self, negotiation: &Negotiation, token: &[u8]) -> Result<Proven, NtlmError> {
        let authenticate = Authenticate::read(token)?;
        if authenticate.is_anonymous() {
            let is_accepted = self.config.defects.has(Defect::AcceptsAnonymous);
            let guest = is_accepted.then(|| guest(&authenticate, &negotiation.endpoint)).flatten();
            return guest.ok_or(NtlmError::Anonymous);
        }
        authenticate.check_for_sip(&negotiation.challenge)?;
        if !authenticate.is_v2() && !self.config.accept_ntlm_v1 {
            return Err(NtlmError::Version1);
        }
        let user = authenticate.user_text()?;
        let account =
            self.config.accounts.find(&user, &authenticate.domain_text()?).ok_or(NtlmError::Proof)?;
        let keys = authenticate.verify(&negotiation.challenge, &account.password)?;
        Authenticate::check_mic(token, &keys.exported, &[&negotiation.token])?;
        Ok(Proven { user: account.user.clone(), address: account.address.clone(), keys })
    }

    /// The association that follows. At version 4 the completing request proves the key by its signature
    /// (SIPAE-3.3.5.2-15).
    fn association(
        &self,
        scene: &Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        opaque: Vec<u8>,
        endpoint: EndpointId,
        keys: &SessionKeys,
    ) -> Result<Association, Breach> {
        let context = Context::ntlm(keys).ok_or(NtlmError::FlagClear { flag: "SIGN" })?;
        let mut sa = SecurityAssociation::new(self.config.parameters.clone(), opaque, Side::Server, context);
        let signs = sa.parameters.version.signs_completing_request();
        if signs && !self.config.defects.has(Defect::CompletesUnsigned) {
            sa.verify(message, credential).map_err(|violation| violation.breach)?;
        }
        let defects = self.config.defects;
        let is_renewed = self.associations.by_endpoint(&endpoint).is_some();
        if defects.has(Defect::FirstSnumTwo) || is_renewed && defects.has(Defect::RenewedFirstSnumTwo) {
            sa.skip_number();
        }
        let from = message.from()?;
        Ok(Association {
            sa,
            endpoint,
            lifetime: Lifetime::start(scene.now, &self.association_durations()),
            handshake_tag: from.tag.unwrap_or_default().to_vec(),
            epid: from.epid.map(<[u8]>::to_vec),
            flow: scene.flow,
            binding: None,
        })
    }

    fn establish(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        user: String,
        association: Association,
    ) {
        let (opaque, endpoint) = (association.sa.opaque.clone(), association.endpoint.clone());
        if self.config.defects.has(Defect::ReplacesOtherUsersEndpoint) {
            self.associations.remove_instance(endpoint.instance);
        }
        if self.associations.by_endpoint(&endpoint).is_some()
            && self.config.defects.has(Defect::KeepsFirstAssociation)
        {
            return self.answer_unsigned(scene, message, 200);
        }
        self.associations.insert(association);
        scene.has_authenticated = true;
        scene.outputs.push(super::Output::Event(ServerEvent::Established { user, endpoint }));
        self.application(scene, message, &opaque);
    }
}

/// Whom an anonymous AUTHENTICATE would be good for: its key is public.
fn guest(authenticate: &Authenticate, endpoint: &EndpointId) -> Option<Proven> {
    let exported = crate::ntlm::rc4(&[0; 16], &authenticate.session_key).try_into().ok()?;
    let keys = SessionKeys::new(authenticate.flags, exported, authenticate.revision());
    Some(Proven { user: String::new(), address: endpoint.address.clone(), keys })
}
