//! What a handshake message is checked for: endpoint, opaque, From; and the bugs that can be planted there.

use super::handshake::Step;
use super::negotiation::{Negotiation, Stage};
use super::{Scene, Server, endpoint_of};
use crate::auth::{AuthHeader, AuthParam};
use crate::defects::Defect;
use crate::endpoint::{EPID_LENGTH, EndpointError, EndpointId, InstanceId, lower_address};
use crate::message::{Message, address_of_record};
use crate::sa::Lifetime;
use crate::violation::Breach;

/// First tokens after which a bad server has had enough.
const MANY: u64 = 200;

impl Server {
    /// The endpoint of a handshake message.
    pub(super) fn endpoint(&self, message: &Message<'_>) -> Result<EndpointId, Breach> {
        let (from, contact) = (message.from()?, message.contact()?);
        let instance = contact.as_ref().and_then(|contact| contact.param("+sip.instance"));
        let epid = from.epid.unwrap_or_default();
        let found = match endpoint_of(message) {
            Err(Breach::Endpoint(error)) => self.forgiven(error, epid, from.uri),
            found => found,
        }?;
        match self.doubted(epid, instance) {
            Some(error) => Err(error.into()),
            None => Ok(found),
        }
    }

    /// What is taken for the endpoint though its identifiers are wrong.
    fn forgiven(&self, error: EndpointError, epid: &[u8], uri: &[u8]) -> Result<EndpointId, Breach> {
        let defects = self.config.defects;
        let is_forgiven = match error {
            EndpointError::Missing => defects.has(Defect::AcceptsNoEndpoint),
            EndpointError::InstanceMismatch => defects.has(Defect::IgnoresInstance),
            EndpointError::GruuMismatch => defects.has(Defect::AcceptsAnyGruu),
            EndpointError::EpidTooLong => defects.has(Defect::TruncatesEpid),
            EndpointError::Address | EndpointError::EpidMalformed => false,
        };
        let epid = epid.get(..EPID_LENGTH).unwrap_or(epid);
        let address = lower_address(uri).filter(|_| is_forgiven).ok_or(error)?;
        Ok(EndpointId { address, instance: InstanceId::from_epid(epid) })
    }

    /// What is refused though its identifiers are right.
    fn doubted(&self, epid: &[u8], instance: Option<&[u8]>) -> Option<EndpointError> {
        let defects = self.config.defects;
        let is_upper = |value: &[u8]| value.iter().any(|octet| matches!(octet, b'A'..=b'F'));
        if instance.is_none() && defects.has(Defect::NeedsInstance) {
            Some(EndpointError::Missing)
        } else if instance.is_some_and(is_upper) && defects.has(Defect::ComparesInstanceText) {
            Some(EndpointError::InstanceMismatch)
        } else if 12 < epid.len() && defects.has(Defect::ShortEpids) {
            Some(EndpointError::EpidTooLong)
        } else {
            None
        }
    }

    /// Whether first tokens are refused for ever.
    fn is_flooded(&mut self) -> bool {
        let defects = self.config.defects;
        let is_many = MANY < self.negotiations.begun();
        if is_many && defects.has(Defect::FloodEndsAssociations) {
            self.associations.clear();
        }
        is_many && defects.has(Defect::FloodLocksOut)
    }

    /// The opaque of a handshake that begins; `None` if it does not, which the client has been told.
    pub(super) fn opening(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) -> Option<Vec<u8>> {
        if self.is_flooded() {
            self.answer_unsigned(scene, step.message, 503);
            return None;
        }
        if self.spoils_others(step.endpoint) {
            self.challenge(scene, step.message);
            return None;
        }
        let opaque = self.opaque_for(scene, step.credential);
        if opaque.is_none() {
            self.answer_unsigned(scene, step.message, 500);
        }
        if self.config.defects.has(Defect::FirstTokenEndsAssociation) {
            self.associations.remove_endpoint(step.endpoint);
        }
        opaque
    }

    /// A handshake of this endpoint, over the connection at hand.
    pub(super) fn negotiation_of(
        &self,
        scene: &Scene<'_>,
        endpoint: &EndpointId,
        stage: Stage,
    ) -> Negotiation {
        let lifetime = Lifetime::start(scene.now, &self.handshake_durations());
        Negotiation { connection: scene.flow.connection, endpoint: endpoint.clone(), stage, lifetime }
    }

    /// Whether a first token is not taken because of what the endpoint has already.
    fn spoils_others(&mut self, endpoint: &EndpointId) -> bool {
        let defects = self.config.defects;
        if defects.has(Defect::RenegotiatesAssociation) {
            self.associations.remove_endpoint(endpoint);
        }
        let other = self.negotiations.opaque_of(endpoint);
        let Some(opaque) = other.filter(|_| defects.has(Defect::OneHandshakeAtOnce)) else { return false };
        self.negotiations.take(&opaque, endpoint).is_some()
    }

    /// The opaque of a handshake that begins. One that the client sends along means nothing (SIPAE-3.3.5.2-27).
    fn opaque_for(&self, scene: &mut Scene<'_>, credential: &AuthHeader<'_>) -> Option<Vec<u8>> {
        let defects = self.config.defects;
        let claimed = credential.get(AuthParam::Opaque).map(|opaque| opaque.unfolded().into_owned());
        if defects.has(Defect::OpaqueOfConnection) {
            return Some(format!("{:08X}", scene.flow.serial).into_bytes());
        }
        claimed.filter(|_| defects.has(Defect::TakesClientOpaque)).or_else(|| self.fresh_opaque(scene))
    }

    /// The handshake that an AUTHENTICATE completes: that of its opaque, if the same endpoint began it.
    pub(super) fn negotiation(
        &mut self,
        message: &Message<'_>,
        opaque: &[u8],
        endpoint: &EndpointId,
    ) -> Option<Negotiation> {
        let defects = self.config.defects;
        let has_epid = message.from().is_ok_and(|from| from.epid.is_some());
        if !has_epid && defects.has(Defect::NegotiationNeedsEpid) {
            return None;
        }
        if defects.has(Defect::MatchesByEndpoint) {
            let opaque = self.negotiations.opaque_of(endpoint)?;
            return self.negotiations.take(&opaque, endpoint);
        }
        if defects.has(Defect::MatchesByOpaque) {
            let endpoint = self.negotiations.endpoint_of(opaque)?;
            return self.negotiations.take(opaque, &endpoint);
        }
        self.negotiations.take(opaque, endpoint)
    }

    /// Whether From is that of the account that has authenticated (SIPAE-3.3.5.2-17).
    pub(super) fn is_own_from(&self, address: &str, message: &Message<'_>, endpoint: &EndpointId) -> bool {
        let defects = self.config.defects;
        let written = message.from().ok().and_then(|from| address_of_record(from.uri));
        if defects.has(Defect::ComparesFromText) {
            return written == Some(address.as_bytes());
        }
        address.to_lowercase() == endpoint.address || defects.has(Defect::HandshakeWithForeignFrom)
    }

    /// A token proved nothing: its handshake is over, and there is a fresh challenge.
    pub(super) fn failed(
        &mut self,
        scene: &mut Scene<'_>,
        step: Step<'_, '_>,
        is_unreadable: bool,
        why: (u16, &str),
    ) {
        let defects = self.config.defects;
        if defects.has(Defect::FailureEndsAssociation) {
            self.associations.remove_endpoint(step.endpoint);
        }
        if defects.has(Defect::SilentFailure) {
            return;
        }
        if is_unreadable && defects.has(Defect::AcceptsUnreadableToken) {
            return self.answer_unsigned(scene, step.message, 200);
        }
        self.challenge_because(scene, step.message, Some(why));
    }
}
