//! Choosing among challenges ([MS-SIPAE] 3.2.5.1).

use super::{Client, ClientEvent, Scene, State};
use crate::auth::{AuthHeader, AuthParam, Scheme};
use crate::message::Message;
use crate::sa::Parameters;
use crate::server::ChallengeKind;
use crate::version::Version;
use crate::violation::{Breach, Violation};

/// A challenge that can be answered.
struct Usable {
    parameters: Parameters,
    /// Opaque and token of a continuation; a fresh challenge has no token.
    token: Option<(Vec<u8>, Vec<u8>)>,
}

impl Client {
    pub(super) fn challenged(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, kind: ChallengeKind) {
        if !self.is_own_register(message) {
            return scene.discard(Breach::NoAssociation);
        }
        let Some(usable) = self.usable(message, kind) else {
            return self.fail(scene, Breach::NoUsableChallenge);
        };
        match (std::mem::replace(&mut self.state, State::Idle), usable.token) {
            (State::Bare, None) => self.start(scene, usable.parameters, kind),
            (State::Started { parameters, kind: first }, Some((opaque, token))) => {
                if first != kind || parameters != usable.parameters {
                    return self.fail(scene, Breach::NoUsableChallenge);
                }
                if let Err(breach) = self.answer_challenge(scene, parameters, kind, opaque, &token) {
                    self.fail(scene, breach);
                }
            }
            // The association is lost: a whole new authentication, begun bare.
            (State::Established(_), None) => self.register(scene),
            (State::Completing { .. }, None) => self.fail(scene, Breach::Credentials),
            _ => self.fail(scene, Breach::NoUsableChallenge),
        }
    }

    fn fail(&mut self, scene: &mut Scene<'_>, breach: Breach) {
        self.state = State::Idle;
        scene.event(ClientEvent::Failed(Violation::server(breach)));
    }

    /// The first NTLM challenge with realm, targetname and a version that this client answers. Unknown schemes and
    /// malformed lines are skipped (SIPAE-3.2.5.1-03, -04).
    fn usable(&self, message: &Message<'_>, kind: ChallengeKind) -> Option<Usable> {
        message
            .all(kind.challenge())
            .map(AuthHeader::read)
            .find_map(|header| usable(&header, self.config.weakest))
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
