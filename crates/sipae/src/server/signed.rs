//! Signed messages ([MS-SIPAE] 3.3.5.3).

use sipae_spec::Diagnostic;

use super::table::Association;
use super::{Scene, Server, endpoint_of};
use crate::auth::{AuthHeader, AuthParam};
use crate::defects::{Defect, Defects};
use crate::message::{HeaderName, Message};
use crate::violation::Breach;

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

    /// Whether there is an association of this opaque for this endpoint. The opaque alone is not enough: epid is not
    /// covered by the signature (SIPAE-3.3.5.3-07).
    fn locate(
        &mut self,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        opaque: &[u8],
    ) -> Result<(), Breach> {
        check_qop(self.config.kind.credential(), credential)?;
        let endpoint = endpoint_of(message)?;
        let tag_matters = self.config.defects.has(Defect::KeysOnFromTag);
        let tag = message.from()?.param("tag").unwrap_or_default();
        let found = self.associations.get_mut(opaque).filter(|association| {
            association.endpoint == endpoint && (!tag_matters || association.handshake_tag == tag)
        });
        found.map(|_| ()).ok_or(Breach::NoAssociation)
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
        let Some(association) = self.associations.get_mut(opaque) else { return };
        if let Err(breach) = verify(association, message, credential, defects) {
            let ends = breach == Breach::Signature && defects.has(Defect::ForgeryEndsAssociation);
            scene.refused(breach);
            if ends {
                self.associations.remove(opaque);
            }
            return;
        }
        association.lifetime.touch(scene.now);
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
    let is_upper =
        credential.get(AuthParam::Response).is_some_and(|text| text.raw().iter().any(u8::is_ascii_uppercase));
    if is_upper && defects.has(Defect::ComparesSignatureText) {
        return Err(Breach::Signature);
    }
    let number = match association.sa.verify_signature(message, credential) {
        Err(Breach::Signature) if defects.has(Defect::AcceptsForgedSignature) => return Ok(()),
        verified => verified?,
    };
    match association.sa.accept(number) {
        Err(Breach::Replayed { .. }) if defects.has(Defect::AcceptsReplay) => Ok(()),
        accepted => accepted.map(|_| ()),
    }
}

/// A qop other than auth is refused; an absent one is tolerated (SIPAE-2.2-19, SIPAE-3.3.5.2-23).
pub(super) fn check_qop(header: HeaderName, credential: &AuthHeader<'_>) -> Result<(), Breach> {
    let is_auth = credential.get(AuthParam::Qop).is_none_or(|qop| qop.raw() == b"auth");
    if is_auth { Ok(()) } else { Err(Breach::Header { header, diagnostic: Diagnostic::QopNotAuth }) }
}
