//! The AP-REQ of Kerberos ([MS-SIPAE] SIPAE-3.2.5.1-11, -12).

use super::{Client, Scene};
use crate::auth::ChallengeKind;
use crate::kerberos::{Initiate, ServiceTicket};
use crate::sa::{Context, Parameters, SecurityAssociation};
use crate::side::Side;
use crate::violation::Breach;

impl Client {
    /// The ticket for the service of a challenge. One for another service is none (SIPAE-3.2.5.1-11).
    pub(super) fn ticket_for(&self, parameters: &Parameters) -> Option<&ServiceTicket> {
        self.config
            .ticket
            .as_ref()
            .filter(|ticket| ticket.service.name().as_bytes().eq_ignore_ascii_case(&parameters.targetname))
    }

    /// Kerberos begins and completes with its only token. Its opaque comes with the answer.
    pub(super) fn start_kerberos(
        &mut self,
        scene: &mut Scene<'_>,
        parameters: Parameters,
        kind: ChallengeKind,
        ticket: &ServiceTicket,
    ) -> Result<(), Breach> {
        let initiated = Initiate::new(scene.now).token(ticket, scene.entropy)?;
        let context = Context::Kerberos(initiated.mac());
        let association = SecurityAssociation::new(parameters, Vec::new(), Side::Client, context);
        self.complete(scene, association, kind, Some(&initiated.token), Some(ticket.end))
    }
}
