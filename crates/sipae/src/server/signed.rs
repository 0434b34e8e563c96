//! Signed messages ([MS-SIPAE] 3.3.5.3).

use sipae_spec::Diagnostic;

use super::table::Association;
use super::{Scene, Server, endpoint_of, is_silent};
use crate::auth::{AuthHeader, AuthParam};
use crate::buffer::{SignatureBuffer, SignatureParams};
use crate::defects::{Defect, Defects};
use crate::draft::Draft;
use crate::encoding::decode_base16;
use crate::endpoint::EndpointId;
use crate::message::{HeaderName, Message};
use crate::side::Side;
use crate::version::Version;
use crate::violation::Breach;

/// Octets of From, and of Contact, that are remembered for an association.
const WRITTEN: usize = 512;

impl Server {
    pub(super) fn signed(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
    ) {
        if self.config.defects.has(Defect::DropsSigned) {
            return;
        }
        let opaque = credential.get(AuthParam::Opaque).unwrap_or_default().unfolded().into_owned();
        if self.config.defects.has(Defect::BoundToConnection) && self.is_elsewhere(scene, &opaque) {
            return self.challenge(scene, message);
        }
        let may_complete = !message.method().is_some_and(is_silent);
        if may_complete
            && self.completes_tls_dsk(&opaque)
            && let Ok(endpoint) = endpoint_of(message)
        {
            return self.complete_tls_dsk(scene, message, credential, &endpoint, opaque);
        }
        let opaque = self.found_otherwise(message, &opaque).unwrap_or(opaque);
        match self.locate(message, credential, &opaque) {
            Ok(()) => self.verified(scene, message, credential, &opaque),
            Err(breach) => {
                scene.refused(breach);
                if self.config.defects.has(Defect::AcceptsUnknownOpaque) {
                    return self.answer_unsigned(scene, message, 200);
                }
                self.challenge(scene, message);
            }
        }
    }

    /// The opaque of the association that a defective server takes, where it has none of this one.
    fn found_otherwise(&self, message: &Message<'_>, opaque: &[u8]) -> Option<Vec<u8>> {
        if !self.config.defects.has(Defect::FindsByEndpoint) || self.associations.get(opaque).is_some() {
            return None;
        }
        let endpoint = endpoint_of(message).ok()?;
        self.associations.by_endpoint(&endpoint).map(|found| found.sa.opaque.clone())
    }

    /// Whether there is an association of this opaque for this endpoint. The opaque alone is not enough: epid is not
    /// covered by the signature (SIPAE-3.3.5.3-07).
    fn locate(
        &mut self,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        opaque: &[u8],
    ) -> Result<(), Breach> {
        if !self.config.defects.has(Defect::AcceptsAnyQop) {
            check_qop(self.config.kind.credential(), credential)?;
        }
        let identifiers = [HeaderName::From, HeaderName::Contact]
            .map(|name| message.first(name).map_or(&[][..], |value| value.raw()));
        let found = self.associations.get(opaque);
        let has_tag = |tag: &[u8]| message.from().is_ok_and(|from| from.tag.unwrap_or_default() == tag);
        let tag_matters = self.config.defects.has(Defect::KeysOnFromTag);
        if tag_matters && found.is_some_and(|found| !has_tag(&found.handshake_tag)) {
            return Err(Breach::NoAssociation);
        }
        if found.and_then(|found| found.written.as_ref()).is_some_and(|known| *known == identifiers) {
            return Ok(());
        }
        let endpoint = endpoint_of(message)?;
        let is_its = found.is_some_and(|found| self.is_of(found, &endpoint));
        let found = self.associations.get_mut(opaque).filter(|_| is_its).ok_or(Breach::NoAssociation)?;
        let is_short = identifiers.iter().all(|value| value.len() <= WRITTEN);
        found.written = is_short.then(|| identifiers.map(<[u8]>::to_vec));
        Ok(())
    }

    fn is_of(&self, association: &Association, endpoint: &EndpointId) -> bool {
        if self.config.defects.has(Defect::KeysOnOpaque) {
            return true;
        }
        let serves_any = self.config.defects.has(Defect::ServesAnyEndpoint);
        if serves_any && association.endpoint.address == endpoint.address {
            return true;
        }
        let is_any_user = self.config.defects.has(Defect::AcceptsForeignFrom);
        association.endpoint == *endpoint || is_any_user && association.endpoint.instance == endpoint.instance
    }

    fn is_elsewhere(&self, scene: &Scene<'_>, opaque: &[u8]) -> bool {
        self.associations.get(opaque).is_some_and(|association| association.flow != scene.flow)
    }

    /// Whether another association of the same user had this number last.
    fn is_last_of_another(&self, opaque: &[u8], credential: &AuthHeader<'_>) -> bool {
        let number = credential.number(AuthParam::Cnum).ok().flatten();
        let Some(own) = self.associations.get(opaque) else { return false };
        self.associations
            .of_user(&own.endpoint.address)
            .any(|other| other.sa.opaque != opaque && Some(other.sa.window().last()) == number)
    }

    /// Whether any association of the same user has signed this.
    fn is_signed_by_user(&self, message: &Message<'_>, credential: &AuthHeader<'_>, opaque: &[u8]) -> bool {
        let Some(own) = self.associations.get(opaque) else { return false };
        let mut others =
            self.associations.of_user(&own.endpoint.address).filter(|other| other.sa.opaque != opaque);
        others.any(|other| other.sa.verify_signature(message, credential).is_ok())
    }

    /// Signature, then window, then SIP. What does not verify is discarded without an answer, and nothing changes.
    fn verified(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        opaque: &[u8],
    ) {
        let defects = self.config.defects;
        if defects.has(Defect::OneWindowForAll) && self.is_last_of_another(opaque, credential) {
            return;
        }
        let is_of_user =
            defects.has(Defect::TakesKeysOfUser) && self.is_signed_by_user(message, credential, opaque);
        let Some(association) = self.associations.get_mut(opaque) else { return };
        if is_of_user {
            association.verified(scene.flow, scene.now);
            return self.application(scene, message, opaque);
        }
        if let Err(breach) = verify(association, message, credential, defects) {
            let ends = breach == Breach::Signature && defects.has(Defect::ForgeryEndsAssociation);
            let is_delivered =
                matches!(breach, Breach::Replayed { .. }) && defects.has(Defect::DeliversReplay);
            let sender = association.endpoint.address.clone();
            if defects.has(Defect::ForgeryRestartsIdle) {
                association.lifetime.touch(scene.now);
            }
            if breach == Breach::Signature && defects.has(Defect::AnswersForgedAck) {
                Self::answer_ack(scene, message);
            }
            let is_waved_through =
                matches!(breach, Breach::Ambiguous { .. }) && defects.has(Defect::AcceptsAmbiguous);
            scene.refused(breach);
            if is_waved_through {
                return self.answer_unsigned(scene, message, 200);
            }
            if ends {
                self.associations.remove(opaque);
            }
            if is_delivered {
                self.pass_on(scene, message, &sender);
            }
            return;
        }
        let moment =
            if defects.has(Defect::IdleNotRestarted) { association.lifetime.used() } else { scene.now };
        association.verified(scene.flow, moment);
        scene.has_authenticated = true;
        self.application(scene, message, opaque);
    }
}

fn verify(
    association: &mut Association,
    message: &Message<'_>,
    credential: &AuthHeader<'_>,
    defects: Defects,
) -> Result<(), Breach> {
    if defects.has(Defect::ForgeryMovesWindow)
        && let Ok(Some(number)) = credential.number(AuthParam::Cnum)
    {
        return association
            .sa
            .accept(number)
            .and_then(|_| association.sa.verify_signature(message, credential))
            .map(|_| ());
    }
    if defects.has(Defect::VerifiesWithoutIdentity) {
        let mut draft = Draft::from_message(message);
        draft.remove(HeaderName::PPreferredIdentity);
        let verified = draft.read(|bare| Ok(association.sa.verify_signature(bare, credential)))?;
        return verified.and_then(|number| association.sa.accept(number)).map(|_| ());
    }
    let is_upper =
        credential.get(AuthParam::Response).is_some_and(|text| text.raw().iter().any(u8::is_ascii_uppercase));
    if is_upper && defects.has(Defect::ComparesSignatureText) {
        return Err(Breach::Signature);
    }
    let number = match verify_signature(association, message, credential, defects) {
        Err(Breach::Signature) if defects.has(Defect::AcceptsForgedSignature) => return Ok(()),
        Err(Breach::Signature) if defects.has(Defect::AcceptsCutSignature) && is_cut(credential) => {
            return Ok(());
        }
        Err(Breach::Signature) if defects.has(Defect::ComparesBeginning) => {
            return begins_right(association, message, credential);
        }
        Err(Breach::Header { .. }) if defects.has(Defect::AcceptsUnreadableParams) => return Ok(()),
        Err(Breach::ParamMissing { .. }) if defects.has(Defect::AcceptsIncompleteSignature) => return Ok(()),
        Err(Breach::Signature) if defects.has(Defect::TakesZeros) && is_zero(credential) => return Ok(()),
        Err(Breach::Signature) if defects.has(Defect::IgnoresToTag) => {
            return fits_without_to_tag(association, message, credential);
        }
        Err(Breach::Signature) if defects.has(Defect::AcceptsReflection) => {
            return reflected(association, message, credential);
        }
        verified => verified?,
    };
    if has_planted_rule(number, association.sa.window().last(), defects) {
        return Err(Breach::TooOld { number });
    }
    match association.sa.accept(number) {
        Err(Breach::Replayed { .. }) if defects.has(Defect::AcceptsReplay) => Ok(()),
        Err(Breach::Replayed { .. })
            if defects.has(Defect::RegistersReplay) && message.method() == Some(b"REGISTER") =>
        {
            Ok(())
        }
        Err(Breach::TooOld { .. }) if defects.has(Defect::WindowWithoutBottom) => Ok(()),
        accepted => accepted.map(|_| ()),
    }
}

fn is_cut(credential: &AuthHeader<'_>) -> bool {
    const DIGITS: usize = 32;
    credential.get(AuthParam::Response).is_some_and(|response| response.raw().len() < DIGITS)
}

fn is_zero(credential: &AuthHeader<'_>) -> bool {
    credential.get(AuthParam::Response).is_some_and(|text| text.raw().iter().all(|digit| *digit == b'0'))
}

/// Whether the signature is right for the message without the tag of To.
fn fits_without_to_tag(
    association: &Association,
    message: &Message<'_>,
    credential: &AuthHeader<'_>,
) -> Result<(), Breach> {
    let mut draft = Draft::from_message(message);
    let to = draft.get(HeaderName::To).map(String::from_utf8_lossy).unwrap_or_default();
    let bare = to.split(";tag=").next().unwrap_or_default().to_owned();
    draft.set(HeaderName::To, bare);
    let verified = draft.read(|bare| Ok(association.sa.verify_signature(bare, credential)))?;
    verified.map(|_| ())
}

/// Rules about numbers that only defective servers have.
fn has_planted_rule(number: u32, last: u32, defects: Defects) -> bool {
    number == 1 && defects.has(Defect::FirstNumberRefused)
        || 256 < number && defects.has(Defect::WindowStays)
        || number < last && defects.has(Defect::RefusesOutOfOrder)
        || last < number - 1 && defects.has(Defect::RefusesGaps)
}

fn verify_signature(
    association: &mut Association,
    message: &Message<'_>,
    credential: &AuthHeader<'_>,
    defects: Defects,
) -> Result<u32, Breach> {
    let agreed = association.sa.parameters.version;
    if defects.has(Defect::LayoutFollowsMessage) && credential.get(AuthParam::Version).is_some() {
        let named = credential.version().ok().and_then(Version::from_number);
        association.sa.parameters.version = named.unwrap_or(agreed);
    }
    let verified = association.sa.verify_signature(message, credential);
    association.sa.parameters.version = agreed;
    verified
}

/// Whether the server itself made this signature.
fn reflected(
    association: &Association,
    message: &Message<'_>,
    credential: &AuthHeader<'_>,
) -> Result<(), Breach> {
    let sa = &association.sa;
    let params = SignatureParams::of(credential, Side::Client);
    let buffer = SignatureBuffer::new(message, &params, sa.parameters.version)?;
    let response = credential.get(AuthParam::Response).unwrap_or_default();
    let signature = decode_base16(response.raw()).unwrap_or_default();
    if sa.context.verify(Side::Server, &buffer.to_vec(), &signature) {
        Ok(())
    } else {
        Err(Breach::Signature)
    }
}

/// Whether a signature is right as far as a careless comparison looks.
fn begins_right(
    association: &Association,
    message: &Message<'_>,
    credential: &AuthHeader<'_>,
) -> Result<(), Breach> {
    const COMPARED: usize = 11;
    let sa = &association.sa;
    let params = SignatureParams::of(credential, Side::Client);
    let buffer = SignatureBuffer::new(message, &params, sa.parameters.version)?;
    let right = sa.context.sign(Side::Client, &buffer.to_vec());
    let response = credential.get(AuthParam::Response).unwrap_or_default();
    let signature = decode_base16(response.raw()).unwrap_or_default();
    let is_right = COMPARED <= signature.len() && right.get(..COMPARED) == signature.get(..COMPARED);
    if is_right { Ok(()) } else { Err(Breach::Signature) }
}

/// A qop other than auth is refused; an absent one is tolerated (SIPAE-2.2-19, SIPAE-3.3.5.2-23).
pub(super) fn check_qop(header: HeaderName, credential: &AuthHeader<'_>) -> Result<(), Breach> {
    let is_auth = credential.get(AuthParam::Qop).is_none_or(|qop| qop.raw() == b"auth");
    if is_auth { Ok(()) } else { Err(Breach::Header { header, diagnostic: Diagnostic::QopNotAuth }) }
}
