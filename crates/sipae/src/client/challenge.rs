//! Choosing among challenges ([MS-SIPAE] 3.2.5.1).

use super::{Client, ClientEvent, Negotiation, Output, Scene, State, careless};
use crate::auth::ChallengeKind;
use crate::auth::{AuthHeader, AuthParam, Scheme};
use crate::defects::{Defect, Defects};
use crate::message::{Message, Value};
use crate::ntlm::{Challenge, NegotiateFlags};
use crate::sa::{Parameters, SecurityAssociation};
use crate::version::Version;
use crate::violation::{Breach, Violation};

/// A challenge that can be answered.
struct Usable {
    parameters: Parameters,
    /// Opaque and token of a continuation; a fresh challenge has no token.
    token: Option<(Vec<u8>, Vec<u8>)>,
}

impl Client {
    /// 401 or 407. Only what is asked and not yet answered can be challenged: late answers and those of other calls mean
    /// nothing. What a forger gains is a new authentication at most (SIPAE-3.2.5.2-13).
    pub(super) fn challenged(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, kind: ChallengeKind) {
        if !self.is_own_register(message) && !self.pending.contains(message) {
            return scene.discard(Breach::NoAssociation);
        }
        if self.is_of_edge(message, kind) {
            return self.answer_edge(scene, message);
        }
        let defects = self.config.defects;
        match std::mem::replace(&mut self.state, State::Idle) {
            _ if careless::basic(defects, kind, message) => self.answer_basic(scene, kind),
            State::Established(established) if clings(defects, &established.association, message, kind) => {
                self.state = State::Established(established);
                self.register(scene);
            }
            // The association is lost; a client that is leaving goes (SIPAE-3.2.5.1-22, -23).
            State::Established(established) => {
                if defects.has(Defect::OldTimerStays) {
                    let left = established.reauthenticate.since(scene.now);
                    self.config.durations.expiry = left + self.config.durations.client_margin;
                }
                self.former = careless::remembered(defects, established.association);
                self.lost(scene);
            }
            _ if careless::shies(defects, kind, message) => self.fail(scene, Breach::NoUsableChallenge),
            State::Bare if self.cseq == 1 && defects.has(Defect::ReconnectsWhenChallenged) => {
                self.stream = None;
                scene.outputs.push(Output::Close);
            }
            State::Completing { association, kind: first, end } if defects.has(Defect::BelievesInItself) => {
                self.state = State::Completing { association, kind: first, end };
                self.establish(scene, message, 200);
                self.register(scene);
            }
            State::Started { parameters, negotiation: Negotiation::Ntlm, .. }
                if self.cseq == 2 && defects.has(Defect::BeginsTwice) =>
            {
                self.start_ntlm(scene, parameters, kind);
            }
            State::Started { parameters, negotiation: Negotiation::TlsDsk(_), .. }
                if self.cseq == 2 && defects.has(Defect::TlsDskBeginsTwice) =>
            {
                self.start(scene, parameters, kind);
            }
            State::Started { .. }
                if careless::begins_again(defects, self.cseq) && !continues(message, kind) =>
            {
                self.begin(scene, message, kind);
            }
            State::Completing { association, .. }
                if defects.has(Defect::AnswersTwice) && continues(message, kind) =>
            {
                let (parameters, negotiation) = (association.parameters.clone(), Negotiation::Ntlm);
                self.proceed(scene, message, kind, parameters, negotiation);
            }
            State::Bare => self.begin(scene, message, kind),
            State::Started { parameters, kind: first, negotiation } if first == kind => {
                self.proceed(scene, message, kind, parameters, negotiation);
            }
            State::Completing { association, .. } => {
                self.try_next(scene, message, kind, association.parameters.scheme);
            }
            State::Started { .. } | State::Idle => self.fail(scene, Breach::NoUsableChallenge),
        }
    }

    /// A fresh challenge behind the last step: the scheme has failed, and the next one is tried (SIPAE-3.2.5.1-21),
    /// unless the client is leaving.
    fn try_next(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        kind: ChallengeKind,
        failed: Scheme,
    ) {
        if !self.config.defects.has(Defect::TriesForEver) {
            self.failed.push(failed);
        }
        match self.best(message, kind).filter(|_| !self.unregistering) {
            Some(parameters) => self.start(scene, parameters, kind),
            None => self.fail(scene, Breach::Credentials),
        }
    }

    /// The handshake broke on this side. What else the server offers it says again.
    fn abandon(&mut self, scene: &mut Scene<'_>, scheme: Scheme, breach: Breach) {
        self.failed.push(scheme);
        if self.schemes().next().is_none() {
            return self.fail(scene, breach);
        }
        scene.discard(breach);
        self.forget();
        self.register(scene);
    }

    fn answer_basic(&mut self, scene: &mut Scene<'_>, kind: ChallengeKind) {
        let draft = self.next_register(scene.entropy).with(kind.credential(), "Basic dGVzdDp0ZXN0");
        scene.outputs.push(Output::Send(draft.to_octets()));
    }

    fn lost(&mut self, scene: &mut Scene<'_>) {
        scene.event(ClientEvent::Lost);
        self.renew(scene);
    }

    /// The same credentials are not tried again (SIPAE-3.2.5.1-21).
    pub(super) fn fail(&mut self, scene: &mut Scene<'_>, breach: Breach) {
        self.forget();
        scene.event(ClientEvent::Failed(Violation::server(breach)));
    }

    /// The best challenge that can be answered.
    fn begin(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, kind: ChallengeKind) {
        match self.best(message, kind) {
            Some(parameters) => self.start(scene, parameters, kind),
            None => self.fail(scene, Breach::NoUsableChallenge),
        }
    }

    /// The schemes that there are credentials for and that have not failed, best first (SIPAE-3.2.5.1-02).
    fn schemes(&self) -> impl Iterator<Item = Scheme> {
        const PREFERENCE: [Scheme; 3] = [Scheme::TlsDsk, Scheme::Kerberos, Scheme::Ntlm];
        let mut preference = PREFERENCE;
        if self.config.defects.has(Defect::PrefersNtlm) {
            preference.reverse();
        }
        preference.into_iter().filter(|scheme| {
            let has_credentials = match scheme {
                Scheme::TlsDsk => self.config.tls_dsk.is_some(),
                Scheme::Kerberos => self.config.ticket.is_some(),
                _ => !self.config.user.is_empty(),
            };
            has_credentials && !self.failed.contains(scheme)
        })
    }

    /// What the best of the fresh challenges says, whatever their order.
    fn best(&self, message: &Message<'_>, kind: ChallengeKind) -> Option<Parameters> {
        self.schemes().find_map(|scheme| {
            let usable = self.usable(message, kind).filter(|usable| usable.token.is_none());
            let has_ticket =
                |parameters: &Parameters| scheme != Scheme::Kerberos || self.ticket_for(parameters).is_some();
            let mut offers = usable.map(|usable| usable.parameters);
            offers.find(|parameters| parameters.scheme == scheme && has_ticket(parameters))
        })
    }

    /// The continuation of the negotiation at hand. One with other parameters, even of the same scheme, is another's and
    /// does not reach the security package (SIPAE-3.2.5.1-19, -20).
    fn proceed(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        kind: ChallengeKind,
        parameters: Parameters,
        negotiation: Negotiation,
    ) {
        let takes_any = self.config.defects.has(Defect::TakesAnyContinuation);
        let mut own =
            self.usable(message, kind).filter(|usable| takes_any || usable.parameters == parameters);
        let scheme = parameters.scheme;
        let Some((opaque, token)) = own.find_map(|usable| usable.token) else {
            // It may be the end of this scheme alone.
            return match negotiation {
                Negotiation::Ntlm => self.fail(scene, Breach::NoUsableChallenge),
                Negotiation::TlsDsk(_) => self.try_next(scene, message, kind, scheme),
            };
        };
        let gone_on = match negotiation {
            Negotiation::Ntlm => self.answer_challenge(scene, parameters, kind, opaque, &token),
            Negotiation::TlsDsk(handshake) => {
                self.answer_flight(scene, parameters, kind, opaque, &token, handshake)
            }
        };
        if let Err(breach) = gone_on {
            self.abandon(scene, scheme, breach);
        }
    }

    /// The challenges with realm, targetname and a version that this client answers. Unknown schemes and malformed lines
    /// are skipped (SIPAE-3.2.5.1-03, -04).
    fn usable<'m>(
        &self,
        message: &Message<'m>,
        kind: ChallengeKind,
    ) -> impl Iterator<Item = Usable> + use<'m> {
        let (weakest, defects) = (self.config.weakest, self.config.defects);
        let headers = careless::lines(defects, kind, message);
        headers.filter_map(move |header| match careless::with_target(defects, &header) {
            Some(mended) => usable(&AuthHeader::read(Value(&mended)), weakest, defects),
            None => usable(&header, weakest, defects),
        })
    }

    fn start(&mut self, scene: &mut Scene<'_>, parameters: Parameters, kind: ChallengeKind) {
        let scheme = parameters.scheme;
        let ticket = self.ticket_for(&parameters).cloned();
        let started = match (scheme, ticket) {
            (Scheme::Kerberos, Some(_))
                if self.cseq == 1 && self.config.defects.has(Defect::KerberosBeginsEmpty) =>
            {
                self.start_ntlm(scene, parameters, kind);
                Ok(())
            }
            (Scheme::Kerberos, Some(ticket)) => self.start_kerberos(scene, parameters, kind, &ticket),
            (Scheme::TlsDsk, _) => self.start_tls_dsk(scene, parameters, kind),
            _ => {
                self.start_ntlm(scene, parameters, kind);
                Ok(())
            }
        };
        if let Err(breach) = started {
            self.abandon(scene, scheme, breach);
        }
    }

    /// NTLM begins with an empty token (SIPAE-3.2.5.1-09).
    fn start_ntlm(&mut self, scene: &mut Scene<'_>, parameters: Parameters, kind: ChallengeKind) {
        let negotiate: &[u8] = match self.config.defects.has(Defect::BeginsWithNegotiate) {
            true => b"NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2",
            false => &[],
        };
        self.send_handshake(scene, &parameters, kind, &[], negotiate);
        self.state = State::Started { parameters, kind, negotiation: Negotiation::Ntlm };
    }
}

/// Whether a challenge goes on with a handshake.
fn continues(message: &Message<'_>, kind: ChallengeKind) -> bool {
    message.all(kind.challenge()).any(|line| AuthHeader::read(line).get(AuthParam::GssapiData).is_some())
}

/// Whether a lost association is signed with again.
fn clings(
    defects: Defects,
    association: &SecurityAssociation,
    message: &Message<'_>,
    kind: ChallengeKind,
) -> bool {
    let is_other = |line| {
        let header = AuthHeader::read(line);
        header.scheme() == Some(association.parameters.scheme) && !association.parameters.fit(&header)
    };
    defects.has(Defect::KeepsLostAssociation)
        || defects.has(Defect::TellsTwoServersTheSame) && message.all(kind.challenge()).any(is_other)
}

fn usable(header: &AuthHeader<'_>, weakest: Version, defects: Defects) -> Option<Usable> {
    if header.malformed().is_some() || !header.scheme().is_some_and(Scheme::signs) {
        return None;
    }
    let parameters = Parameters::of(header).ok().filter(|parameters| weakest <= parameters.version)?;
    let opaque = header.get(AuthParam::Opaque).map(|opaque| opaque.unfolded().into_owned());
    let token = match header.token() {
        Err(_) if defects.has(Defect::MendsBase64) => {
            let challenge = Challenge::for_server(NegotiateFlags::SERVER, [0; 8], "X", "x");
            Some(challenge.write(&Challenge::PAYLOAD))
        }
        token => token.ok()?,
    };
    Some(Usable { parameters, token: opaque.zip(token) })
}
