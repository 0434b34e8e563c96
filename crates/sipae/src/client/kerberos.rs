//! The AP-REQ of Kerberos ([MS-SIPAE] SIPAE-3.2.5.1-11, -12).

use super::{Client, Scene};
use crate::auth::ChallengeKind;
use crate::defects::Defect;
use crate::kerberos::{GssFlags, Initiate, ServiceTicket};
use crate::sa::{Context, Parameters, SecurityAssociation};
use crate::side::Side;
use crate::violation::Breach;

impl Client {
    /// The ticket for the service of a challenge. One for another service is none (SIPAE-3.2.5.1-11).
    pub(super) fn ticket_for(&self, parameters: &Parameters) -> Option<&ServiceTicket> {
        self.config.ticket.as_ref().filter(|ticket| {
            ticket.service.name().as_bytes().eq_ignore_ascii_case(&parameters.targetname)
                || self.config.defects.has(Defect::TakesAnyTicket)
        })
    }

    /// Kerberos begins and completes with its only token. Its opaque comes with the answer.
    pub(super) fn start_kerberos(
        &mut self,
        scene: &mut Scene<'_>,
        parameters: Parameters,
        kind: ChallengeKind,
        ticket: &ServiceTicket,
    ) -> Result<(), Breach> {
        let mut initiate = Initiate::new(scene.now);
        if self.config.defects.has(Defect::AsksForNoIntegrity) {
            initiate.flags = GssFlags::default();
        }
        let initiated = initiate.token(ticket, scene.entropy)?;
        let context = Context::Kerberos(initiated.mac());
        let association = SecurityAssociation::new(parameters, Vec::new(), Side::Client, context);
        let token = match bare(&initiated.token) {
            Some(bare) if self.config.defects.has(Defect::SendsBareApReq) => bare,
            _ => &initiated.token,
        };
        self.complete(scene, association, kind, Some(token), Some(ticket.end))
    }
}

/// The AP-REQ behind its GSS framing: what begins with application tag 14.
fn bare(token: &[u8]) -> Option<&[u8]> {
    let place = token.iter().position(|octet| *octet == 0x6E)?;
    token.get(place..)
}
