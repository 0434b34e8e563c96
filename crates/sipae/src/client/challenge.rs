//! Choosing among challenges ([MS-SIPAE] 3.2.5.1).

use super::{Client, ClientEvent, Scene, State};
use crate::auth::ChallengeKind;
use crate::auth::{AuthHeader, AuthParam, Scheme};
use crate::message::Message;
use crate::sa::Parameters;
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
        match std::mem::replace(&mut self.state, State::Idle) {
            // The association is lost; a client that is leaving goes (SIPAE-3.2.5.1-22, -23).
            State::Established(_) => self.lost(scene),
            State::Bare => self.begin(scene, message, kind),
            State::Started { parameters, kind: first } if first == kind => {
                self.proceed(scene, message, kind, parameters);
            }
            State::Completing { .. } => self.fail(scene, Breach::Credentials),
            State::Started { .. } | State::Idle => self.fail(scene, Breach::NoUsableChallenge),
        }
    }

    fn lost(&mut self, scene: &mut Scene<'_>) {
        scene.event(ClientEvent::Lost);
        self.renew(scene);
    }

    /// The same credentials are not tried again (SIPAE-3.2.5.1-21).
    fn fail(&mut self, scene: &mut Scene<'_>, breach: Breach) {
        self.forget();
        scene.event(ClientEvent::Failed(Violation::server(breach)));
    }

    /// The first challenge that can be answered.
    fn begin(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, kind: ChallengeKind) {
        match self.usable(message, kind).find(|usable| usable.token.is_none()) {
            Some(usable) => self.start(scene, usable.parameters, kind),
            None => self.fail(scene, Breach::NoUsableChallenge),
        }
    }

    /// The continuation of the negotiation at hand. One with other parameters, even of the same scheme, is another's and
    /// does not reach the security package (SIPAE-3.2.5.1-19, -20).
    fn proceed(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        kind: ChallengeKind,
        parameters: Parameters,
    ) {
        let mut own = self.usable(message, kind).filter(|usable| usable.parameters == parameters);
        let Some((opaque, token)) = own.find_map(|usable| usable.token) else {
            return self.fail(scene, Breach::NoUsableChallenge);
        };
        if let Err(breach) = self.answer_challenge(scene, parameters, kind, opaque, &token) {
            self.fail(scene, breach);
        }
    }

    /// The NTLM challenges with realm, targetname and a version that this client answers. Unknown schemes and malformed
    /// lines are skipped (SIPAE-3.2.5.1-03, -04).
    fn usable<'m>(
        &self,
        message: &Message<'m>,
        kind: ChallengeKind,
    ) -> impl Iterator<Item = Usable> + use<'m> {
        let weakest = self.config.weakest;
        let headers = message.all(kind.challenge()).map(AuthHeader::read);
        headers.filter_map(move |header| usable(&header, weakest))
    }

    /// NTLM begins with an empty token (SIPAE-3.2.5.1-09).
    fn start(&mut self, scene: &mut Scene<'_>, parameters: Parameters, kind: ChallengeKind) {
        let credential = parameters
            .writer()
            .param(AuthParam::GssapiData, "")
            .optional(AuthParam::Version, parameters.version.param());
        self.state = State::Started { parameters, kind };
        self.send_token(scene, kind, &credential);
    }
}

fn usable(header: &AuthHeader<'_>, weakest: Version) -> Option<Usable> {
    if header.malformed().is_some() || header.scheme() != Some(Scheme::Ntlm) {
        return None;
    }
    let parameters = Parameters::of(header).ok().filter(|parameters| weakest <= parameters.version)?;
    let opaque = header.get(AuthParam::Opaque).map(|opaque| opaque.unfolded().into_owned());
    let token = header.token().ok()?;
    Some(Usable { parameters, token: opaque.zip(token) })
}
