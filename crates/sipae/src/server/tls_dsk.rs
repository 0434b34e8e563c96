//! TLS-DSK: the flights of a TLS handshake, then a signed request ([MS-SIPAE] SIPAE-3.3.5.2-11, -12).

use std::time::Duration;

use super::account::{Account, Accounts};
use super::handshake::{HANDSHAKE_FAILED, Proven, Step};
use super::negotiation::{Negotiation, Stage};
use super::{Scene, Server};
use crate::auth::AuthHeader;
use crate::clock::Time;
use crate::defects::Defect;
use crate::endpoint::EndpointId;
use crate::message::Message;
use crate::sa::Context;
use crate::side::Side;
use crate::tlsdsk::{PeerCertificate, TlsDskError, TlsHandshake};
use crate::violation::Breach;

/// Octets from which a flight is long, to the defect that minds it.
const LONG: usize = 16 * 1024;

impl Server {
    /// A flight: the first one makes a negotiation, each is answered by the one of the server.
    pub(super) fn tls_dsk(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) {
        let opaque = step.opaque();
        match self.negotiation(step.message, &opaque, step.endpoint) {
            Some(Negotiation { stage: Stage::TlsDsk(handshake), .. }) => {
                self.flight(scene, step, opaque, handshake);
            }
            Some(_) => self.challenge(scene, step.message),
            None => self.begin_tls_dsk(scene, step),
        }
    }

    fn begin_tls_dsk(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>) {
        let Some(service) = &self.config.tls_dsk else { return self.challenge(scene, step.message) };
        match service.provider.engine(Side::Server, self.time_of_certificates(scene.now)) {
            Ok(engine) => {
                let Some(opaque) = self.opening(scene, step) else { return };
                self.flight(scene, step, opaque, Box::new(TlsHandshake::new(engine, Side::Server)));
            }
            Err(error) => self.broken(scene, step, error),
        }
    }

    /// The time for which certificates are checked.
    fn time_of_certificates(&self, now: Time) -> Time {
        const WHILE: Duration = Duration::from_secs(2 * 60 * 60);
        if self.config.defects.has(Defect::AcceptsExpiredCertificate) {
            let millis = u64::try_from(WHILE.as_millis()).unwrap_or_default();
            return Time(now.0.saturating_sub(millis));
        }
        if self.config.defects.has(Defect::AcceptsFutureCertificate) { now.plus(WHILE) } else { now }
    }

    /// A handshake that cannot go on is forgotten.
    fn flight(
        &mut self,
        scene: &mut Scene<'_>,
        step: Step<'_, '_>,
        opaque: Vec<u8>,
        mut handshake: Box<TlsHandshake>,
    ) {
        if LONG < step.token.len() && self.config.defects.has(Defect::ForgetsAtLongFlight) {
            self.associations.clear();
        }
        match handshake.step(step.token) {
            Ok(_) if handshake.is_done() && self.config.defects.has(Defect::CompletesAtClientFlight) => {
                self.answer_unsigned(scene, step.message, 200);
            }
            Ok(mut flight) => {
                if !handshake.is_done() && self.config.defects.has(Defect::ServerFlightIsCut) {
                    cut_last_message(&mut flight);
                }
                if self.config.defects.has(Defect::AnswersWithTls13) {
                    say_tls_1_3(&mut flight);
                }
                self.continuation(scene, step.message, &self.agreed(step.credential), &opaque, &flight);
                let negotiation = self.negotiation_of(scene, step.endpoint, Stage::TlsDsk(handshake));
                self.negotiations.insert(opaque, negotiation);
            }
            Err(error) => self.broken(scene, step, error),
        }
    }

    fn broken(&mut self, scene: &mut Scene<'_>, step: Step<'_, '_>, error: TlsDskError) {
        scene.refused(error);
        self.failed(scene, step, true, HANDSHAKE_FAILED);
    }

    /// Whether a signed request completes a handshake: its opaque is that of one whose flights are done.
    pub(super) fn completes_tls_dsk(&self, opaque: &[u8]) -> bool {
        let stage = self.negotiations.get(opaque).map(|negotiation| &negotiation.stage);
        matches!(stage, Some(Stage::TlsDsk(handshake)) if handshake.is_done())
    }

    /// The signed request behind the flights: whom the certificate names is who has authenticated.
    pub(super) fn complete_tls_dsk(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        credential: &AuthHeader<'_>,
        endpoint: &EndpointId,
        opaque: Vec<u8>,
    ) {
        let step = Step { message, credential, endpoint, token: &[] };
        let negotiation = self.negotiation(message, &opaque, endpoint);
        let Some(Negotiation { stage: Stage::TlsDsk(handshake), .. }) = negotiation else {
            scene.refused(Breach::NoAssociation);
            return self.challenge(scene, message);
        };
        match self.certified(&handshake, endpoint) {
            Ok(proven) => self.proven(scene, step, opaque, proven),
            Err(error) => self.broken(scene, step, error),
        }
    }

    fn certified(&self, handshake: &TlsHandshake, endpoint: &EndpointId) -> Result<Proven, TlsDskError> {
        let outcome = handshake.outcome().ok_or(TlsDskError::FlightIncomplete)?;
        let certificate = outcome.peer.as_ref().ok_or(TlsDskError::CertificateAbsent)?;
        let any = self.config.defects.has(Defect::CertificateOfNobody).then_some(&endpoint.address);
        let any = any.and_then(|address| self.config.accounts.by_address(address));
        let account = holder(&self.config.accounts, certificate);
        let account = match (account, any) {
            (Err(_), Some(any)) => any,
            (account, _) => account?,
        };
        Ok(Proven {
            user: account.user.clone(),
            address: account.address.clone(),
            context: Context::tls_dsk(outcome),
            end: Some(certificate.not_after),
            reply: None,
        })
    }
}

/// The only user whom a certificate names: by SIP URI, or by address alone.
fn holder<'a>(accounts: &'a Accounts, certificate: &PeerCertificate) -> Result<&'a Account, TlsDskError> {
    let invalid = |why: &str| {
        TlsDskError::CertificateInvalid(format!("it names {why}: {}", certificate.names.join(", ")))
    };
    let named = certificate.names.iter().filter_map(|name| {
        let name = name.to_lowercase();
        accounts.by_address(name.strip_prefix("sip:").unwrap_or(&name))
    });
    let mut named: Vec<&Account> = named.collect();
    named.dedup_by(|one, other| one.address == other.address);
    match named.as_slice() {
        [only] => Ok(only),
        [] => Err(invalid("no user")),
        _ => Err(invalid("more than one user")),
    }
}

/// Puts another version into a ServerHello at the beginning of a flight.
fn say_tls_1_3(flight: &mut [u8]) {
    const SERVER_HELLO: (usize, u8) = (5, 2);
    const VERSION: std::ops::Range<usize> = 9..11;
    if flight.get(SERVER_HELLO.0) == Some(&SERVER_HELLO.1)
        && let Some(version) = flight.get_mut(VERSION)
    {
        version.copy_from_slice(&[3, 4]);
    }
}

/// Takes ServerHelloDone away from a flight of one record.
fn cut_last_message(flight: &mut Vec<u8>) {
    const DONE: usize = 4;
    const LENGTH: std::ops::Range<usize> = 3..5;
    flight.truncate(flight.len().saturating_sub(DONE));
    let Some(length) = flight.get_mut(LENGTH) else { return };
    if let Ok(octets) = <[u8; 2]>::try_from(&*length) {
        let shorter = u16::from_be_bytes(octets).saturating_sub(4);
        length.copy_from_slice(&shorter.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A name in another place of the certificate is no other user; a second user is an attack or a mistake.
    #[rstest]
    #[case(&["alice@contoso.com"], Some("alice@contoso.com"))]
    #[case(&["Alice", "sip:ALICE@contoso.com", "alice@contoso.com"], Some("alice@contoso.com"))]
    #[case(&["alice@contoso.com", "sip:carol@contoso.com"], Some("alice@contoso.com"))]
    #[case(&["alice@contoso.com", "sip:bob@contoso.com"], None)]
    #[case(&["bob@contoso.com", "nobody", "alice@contoso.com", "bob@contoso.com"], None)]
    #[case(&["sips:alice@contoso.com", "server.contoso.com"], None)]
    fn a_certificate_is_that_of_the_only_user_whom_it_names(
        #[case] names: &[&str],
        #[case] user: Option<&str>,
    ) {
        let account = |user: &str| Account {
            user: user.to_owned(),
            domain: "CONTOSO".to_owned(),
            password: "x".to_owned(),
            address: format!("{user}@contoso.com"),
            tel: None,
        };
        let accounts = Accounts::new(["alice", "bob"].map(account).to_vec());
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let held = holder(&accounts, &PeerCertificate { names, not_after: Time(1) });
        assert_eq!(held.ok().map(|account| account.address.as_str()), user);
    }
}
