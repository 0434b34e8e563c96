//! The flights of TLS-DSK ([MS-SIPAE] SIPAE-3.2.5.1-14 to -17).

use super::{Client, Negotiation, Scene, State, careless};
use crate::auth::ChallengeKind;
use crate::defects::Defect;
use crate::octets::shown;
use crate::sa::{Context, Parameters, SecurityAssociation};
use crate::side::Side;
use crate::tlsdsk::{TlsDskError, TlsHandshake, TlsOutcome};
use crate::violation::Breach;

impl Client {
    /// The ClientHello.
    pub(super) fn start_tls_dsk(
        &mut self,
        scene: &mut Scene<'_>,
        parameters: Parameters,
        kind: ChallengeKind,
    ) -> Result<(), Breach> {
        let credentials = self.config.tls_dsk.as_ref().ok_or(TlsDskError::CertificateAbsent)?;
        let engine = credentials.provider.engine(Side::Client, scene.now)?;
        let handshake = Box::new(TlsHandshake::new(engine, Side::Client));
        self.answer_flight(scene, parameters, kind, Vec::new(), &[], handshake)
    }

    /// The server's flight: the next one of this side, or behind the last one the signed request. Its Finished has been
    /// verified then (SIPAE-3.2.5.1-16).
    pub(super) fn answer_flight(
        &mut self,
        scene: &mut Scene<'_>,
        parameters: Parameters,
        kind: ChallengeKind,
        opaque: Vec<u8>,
        flight: &[u8],
        mut handshake: Box<TlsHandshake>,
    ) -> Result<(), Breach> {
        let defects = self.config.defects;
        let answer = match handshake.step(flight) {
            Err(_) if defects.has(Defect::GoesOnAfterBadFlight) => {
                self.send_handshake(scene, &parameters, kind, &opaque, &[22, 3, 3, 0, 1, 0]);
                return Ok(());
            }
            answer => careless::flight(defects, answer?),
        };
        if let Some(outcome) = handshake.outcome() {
            self.check_server(outcome, &parameters)?;
            let context = Context::tls_dsk(outcome);
            let association = SecurityAssociation::new(parameters, opaque, Side::Client, context);
            let end = self.config.tls_dsk.as_ref().map(|credentials| credentials.not_after);
            return self.complete(scene, association, kind, None, end);
        }
        self.send_handshake(scene, &parameters, kind, &opaque, &answer);
        let negotiation = Negotiation::TlsDsk(handshake);
        self.state = State::Started { parameters, kind, negotiation };
        Ok(())
    }

    /// The server's certificate has to name who challenged (SIPAE-3.2.5.1-17).
    fn check_server(&self, outcome: &TlsOutcome, parameters: &Parameters) -> Result<(), TlsDskError> {
        let server = outcome.peer.as_ref().ok_or(TlsDskError::CertificateAbsent)?;
        let host = &parameters.targetname;
        if server.is_of_host(host) || self.config.defects.has(Defect::IgnoresServerName) {
            return Ok(());
        }
        let names = server.names.join(", ");
        Err(TlsDskError::CertificateInvalid(format!("{} is not among its names: {names}", shown(host))))
    }
}
