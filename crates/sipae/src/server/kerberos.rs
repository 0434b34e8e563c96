//! Kerberos in one step: an AP-REQ, which establishes the association ([MS-SIPAE] SIPAE-3.3.5.2-10, -19, -20).

use std::time::Duration;

use super::account::Account;
use super::handshake::{HANDSHAKE_FAILED, Proven, Step};
use super::{Scene, Server};
use crate::defects::{Defect, Defects};
use crate::kerberos::{Accepted, Acceptor, KerberosError, ReplayCache};
use crate::sa::Context;

/// ErrorId 1013 of ms-diagnostics.
const CLOCK_SKEW: (u16, &str) = (1013, "Significant time skew detected during authentication");

impl Server {
    /// An AP-REQ. An opaque that the client sends along means nothing: the answer has that of the new association.
    pub(super) fn kerberos(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) {
        match self.accept_ticket(scene, step.token) {
            Ok(accepted) => self.ticket_accepted(scene, step, accepted),
            Err(error) => {
                let why = match error {
                    KerberosError::Skew { .. } => CLOCK_SKEW,
                    _ => HANDSHAKE_FAILED,
                };
                let is_unreadable = matches!(
                    error,
                    KerberosError::Framing | KerberosError::TokenId { .. } | KerberosError::Malformed { .. }
                );
                scene.refused(error);
                if !is_unreadable && self.config.defects.has(Defect::AcceptsUnprovenTicket) {
                    return self.answer_unsigned(scene, step.message, 200);
                }
                self.failed(scene, step, is_unreadable, why);
            }
        }
    }

    fn accept_ticket(&mut self, scene: &mut Scene<'_>, token: &[u8]) -> Result<Accepted, KerberosError> {
        let acceptor = self.config.kerberos.as_ref().ok_or(KerberosError::Framing)?;
        let defects = self.config.defects;
        if defects.has(Defect::AcceptsApReqAgain) {
            self.replays = ReplayCache::default();
        }
        let accepted = acceptor.accept(token, scene.now, &mut self.replays, scene.entropy);
        match misjudged(&accepted, defects) {
            Some(skew) => {
                let careless = Acceptor { skew, ..acceptor.clone() };
                careless.accept(token, scene.now, &mut ReplayCache::default(), scene.entropy)
            }
            None => accepted,
        }
    }

    fn ticket_accepted(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>, accepted: Accepted) {
        let Some(opaque) = self.opening(scene, step) else { return };
        if self.config.defects.has(Defect::ContinuesAfterApReq) {
            let parameters = self.agreed(step.credential);
            return self.continuation(scene, step.message, &parameters, &opaque, b"");
        }
        let Some(account) = self.principal_of(&accepted) else {
            let error = KerberosError::Principal { text: accepted.client.to_string() };
            scene.refused(error);
            return self.failed(scene, step, false, HANDSHAKE_FAILED);
        };
        let proven = Proven {
            user: account.user.clone(),
            address: account.address.clone(),
            context: Context::Kerberos(accepted.mac),
            end: Some(accepted.end),
            reply: accepted.reply,
        };
        self.proven(scene, step, opaque, proven);
    }

    /// The account of a client: by name in the realm of the service, or by its whole address.
    fn principal_of(&self, accepted: &Accepted) -> Option<&Account> {
        let client = &accepted.client;
        let [name] = client.components.as_slice() else { return None };
        let is_own_realm = client.realm == accepted.service.realm;
        let by_name = self.config.accounts.find(name, "").filter(|_| is_own_realm);
        by_name.or_else(|| self.config.accounts.by_address(&client.to_string().to_lowercase()))
    }
}

/// How far a defective server lets the clocks be apart, where it judges otherwise than a right one.
fn misjudged(accepted: &Result<Accepted, KerberosError>, defects: Defects) -> Option<Duration> {
    const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);
    const MINUTE: Duration = Duration::from_secs(60);
    let (is_other, skew) = match accepted {
        Ok(_) => (defects.has(Defect::RefusesSlightSkew), MINUTE),
        Err(KerberosError::Expired { .. }) => (defects.has(Defect::AcceptsExpiredTicket), FOR_EVER),
        Err(KerberosError::NotYetValid { .. }) => (defects.has(Defect::AcceptsFutureTicket), FOR_EVER),
        Err(KerberosError::Skew { .. }) => (defects.has(Defect::AcceptsSkewedTicket), FOR_EVER),
        Err(_) => (false, FOR_EVER),
    };
    is_other.then_some(skew)
}
