//! Handshake messages ([MS-SIPAE] 3.3.5.2).

use std::time::Duration;

use super::table::Association;
use super::{Scene, Server, ServerEvent, is_silent};
use crate::auth::{AuthHeader, AuthParam, Scheme};
use crate::clock::Time;
use crate::defects::Defect;
use crate::endpoint::EndpointId;
use crate::message::{HeaderName, Message};
use crate::sa::{Context, Durations, Lifetime, Parameters, SecurityAssociation};
use crate::side::Side;
use crate::violation::Breach;

/// ErrorId 1000 of ms-diagnostics.
pub(super) const HANDSHAKE_FAILED: (u16, &str) = (1000, "Final handshake failed");
/// ErrorId 4004.
const NOT_THE_USER: (u16, &str) = (4004, "Credentials are not authorized to act as specified From URI");

/// A request of a handshake.
#[derive(Clone, Copy)]
pub(super) struct Step<'r, 'm> {
    pub(super) message: &'r Message<'m>,
    pub(super) credential: &'r AuthHeader<'m>,
    /// Who sends it.
    pub(super) endpoint: &'r EndpointId,
    /// The octets of `gssapi-data`.
    pub(super) token: &'r [u8],
}

impl Step<'_, '_> {
    pub(super) fn opaque(&self) -> Vec<u8> {
        self.credential.get(AuthParam::Opaque).unwrap_or_default().unfolded().into_owned()
    }
}

/// Who has authenticated, and what signs from now on.
pub(super) struct Proven {
    pub(super) user: String,
    pub(super) address: String,
    pub(super) context: Context,
    /// When the credentials end: the association does not outlive them (SIPAE-3.3.2-02).
    pub(super) end: Option<Time>,
    /// The token of the final answer: AP-REP, where the client asked for one.
    pub(super) reply: Option<Vec<u8>>,
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
        let Some(endpoint) = self.identified(scene, message) else { return };
        match self.check_handshake(credential) {
            Ok(token) => {
                let step = Step { message, credential, endpoint: &endpoint, token: &token };
                match credential.scheme() {
                    Some(Scheme::Kerberos) => self.kerberos(scene, step),
                    Some(Scheme::TlsDsk) => self.tls_dsk(scene, step),
                    _ => self.ntlm(scene, step),
                }
            }
            Err(breach) => {
                scene.refused(breach);
                self.challenge(scene, message);
            }
        }
    }

    /// The endpoint that sends a request; one that cannot be identified has been told so.
    fn identified(&self, scene: &mut Scene<'_>, message: &Message<'_>) -> Option<EndpointId> {
        match self.endpoint(message) {
            Ok(endpoint) => return Some(endpoint),
            Err(Breach::Endpoint(error)) => {
                scene.refused(error);
                let why = (error.diagnostic(), "Endpoint cannot be identified");
                self.refuse(scene, message, 400, why);
            }
            Err(breach) => self.bad_request(scene, message, breach),
        }
        None
    }

    /// The token, if qop and version are the ones that were offered.
    fn check_handshake(&self, credential: &AuthHeader<'_>) -> Result<Vec<u8>, Breach> {
        let header = self.config.kind.credential();
        let bad = |diagnostic| Breach::Header { header, diagnostic };
        if !self.config.defects.has(Defect::IgnoresQop) {
            super::signed::check_qop(header, credential)?;
        }
        let version = credential.version().map_err(bad)?;
        let is_offered = version == self.config.version.number();
        if !is_offered && !self.config.defects.has(Defect::IgnoresVersion) {
            return Err(Breach::Version { found: version });
        }
        let token = match credential.token() {
            Err(_) if self.config.defects.has(Defect::BadBase64IsEmpty) => None,
            token => token.map_err(bad)?,
        };
        let mut token = token.unwrap_or_default();
        if self.config.defects.has(Defect::IgnoresTokenType)
            && let Some(kind) = token.get_mut(8).filter(|kind| matches!(**kind, 1 | 2 | 4))
        {
            *kind = 3;
        }
        Ok(token)
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
    pub(super) fn handshake_durations(&self) -> Durations {
        let durations = self.config.durations;
        let stays = self.config.defects.has(Defect::HandshakesStay);
        Durations { idle: if stays { durations.expiry } else { durations.handshake }, ..durations }
    }

    /// The last step of a handshake has proven somebody: whoever sends as another is refused (SIPAE-3.3.5.2-17).
    pub(super) fn proven(
        &mut self,
        scene: &mut Scene<'_>,
        step: Step<'_, '_>,
        opaque: Vec<u8>,
        proven: Proven,
    ) {
        if !self.is_own_from(&proven.address, step.message, step.endpoint) {
            scene.refused(Breach::Identity { header: HeaderName::From });
            return self.refuse(scene, step.message, 403, NOT_THE_USER);
        }
        let user = proven.user.clone();
        match self.association(scene, step, opaque, proven) {
            Ok(association) => self.establish(scene, step.message, user, association),
            Err(breach) => {
                scene.refused(breach);
                self.challenge_because(scene, step.message, Some(HANDSHAKE_FAILED));
            }
        }
    }

    /// The parameters under which a credential negotiates.
    pub(super) fn agreed(&self, credential: &AuthHeader<'_>) -> Parameters {
        let offer = self.offer(credential).cloned();
        offer.unwrap_or_else(|| self.config.parameters(credential.scheme().unwrap_or_default()))
    }

    /// The association that follows. At version 4 the completing request proves the key by its signature
    /// (SIPAE-3.3.5.2-15); that of TLS-DSK has nothing but its signature, at every version.
    fn association(
        &self,
        scene: &Scene<'_>,
        step: Step<'_, '_>,
        opaque: Vec<u8>,
        proven: Proven,
    ) -> Result<Association, Breach> {
        let parameters = self.agreed(step.credential);
        let signs = parameters.version.signs_completing_request() || parameters.scheme == Scheme::TlsDsk;
        let mut sa = SecurityAssociation::new(parameters, opaque, Side::Server, proven.context);
        // Who waits for an AP-REP has no key to sign with before it has come.
        let cannot_sign = proven.reply.is_some() && step.credential.get(AuthParam::Response).is_none();
        if signs && !cannot_sign && !self.config.defects.has(Defect::CompletesUnsigned) {
            sa.verify(step.message, step.credential).map_err(|violation| violation.breach)?;
        }
        let defects = self.config.defects;
        let is_renewed = self.associations.by_endpoint(step.endpoint).is_some();
        if defects.has(Defect::FirstSnumTwo) || is_renewed && defects.has(Defect::RenewedFirstSnumTwo) {
            sa.skip_number();
        }
        let end = proven.end.filter(|_| !defects.has(Defect::OutlivesCredentials));
        let from = step.message.from()?;
        Ok(Association {
            sa,
            endpoint: step.endpoint.clone(),
            lifetime: Lifetime::start(scene.now, &self.association_durations()).ending_by(end),
            handshake_tag: from.tag.unwrap_or_default().to_vec(),
            written: None,
            epid: from.epid.map(<[u8]>::to_vec),
            flow: scene.flow,
            binding: None,
            reply: proven.reply,
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
