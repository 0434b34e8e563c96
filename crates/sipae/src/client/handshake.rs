//! Answering the CHALLENGE of NTLM ([MS-SIPAE] SIPAE-3.2.5.1-10), and completing any handshake.

use super::{Client, Scene, State, careless};
use crate::auth::ChallengeKind;
use crate::clock::Time;
use crate::defects::Defect;
use crate::encoding::encode_base64;
use crate::ntlm::{Answer, Authenticate, Challenge, NegotiateFlags, NtlmError, ResponseKind, SessionKeys};
use crate::sa::{Context, Parameters, SecurityAssociation};
use crate::side::Side;
use crate::violation::Breach;

impl Client {
    pub(super) fn answer_challenge(
        &mut self,
        scene: &mut Scene<'_>,
        parameters: Parameters,
        kind: ChallengeKind,
        opaque: Vec<u8>,
        token: &[u8],
    ) -> Result<(), Breach> {
        let challenge = self.read_challenge(token)?;
        let (authenticate, keys) = self.authenticate(scene, &challenge)?;
        let context = Context::ntlm(&keys).ok_or(NtlmError::FlagClear { flag: "SIGN" })?;
        let token = authenticate.write(&Authenticate::PAYLOAD);
        let association = SecurityAssociation::new(parameters, opaque, Side::Client, context);
        self.complete(scene, association, kind, Some(&token), None)
    }

    fn read_challenge(&self, token: &[u8]) -> Result<Challenge, Breach> {
        let defects = self.config.defects;
        careless::crash_on_short(defects, token);
        let checked =
            Challenge::read(token).and_then(|challenge| challenge.check_for_sip().map(|()| challenge));
        match checked {
            Err(NtlmError::Payload { .. }) if defects.has(Defect::ReadsPastTargetInfo) => {
                Ok(Challenge { flags: NegotiateFlags::SERVER, ..Challenge::default() })
            }
            Err(_) if defects.has(Defect::AnswersBadChallenge) => {
                Ok(Challenge { flags: NegotiateFlags::SERVER, ..Challenge::default() })
            }
            checked => Ok(checked?),
        }
    }

    /// The last request of a handshake. At version 4 it is signed (SIPAE-3.2.4.1-19), and so is that of TLS-DSK at every
    /// version, which has no token (SIPAE-3.2.4.1-21). The association lasts until `end` at most.
    pub(super) fn complete(
        &mut self,
        scene: &mut Scene<'_>,
        mut association: SecurityAssociation,
        kind: ChallengeKind,
        token: Option<&[u8]>,
        end: Option<Time>,
    ) -> Result<(), Breach> {
        let signs = association.parameters.version.signs_completing_request()
            && !self.config.defects.has(Defect::CompletesWithoutSignature)
            || self.config.defects.has(Defect::SignsCompletingAlways);
        match token {
            Some(token) if !signs => {
                self.send_handshake(scene, &association.parameters, kind, &association.opaque, token);
            }
            _ => self.send_completing(scene, &mut association, kind, token.map(encode_base64))?,
        }
        self.state = State::Completing { association: Box::new(association), kind, end };
        Ok(())
    }

    fn authenticate(
        &self,
        scene: &mut Scene<'_>,
        challenge: &Challenge,
    ) -> Result<(Authenticate, SessionKeys), NtlmError> {
        let config = &self.config;
        let flags = config.flags & challenge.flags;
        let for_streams = config.defects.has(Defect::AuthenticatesForStreams);
        let flags = if for_streams { flags.without(NegotiateFlags::DATAGRAM) } else { flags };
        let answer = Answer {
            user: &config.user,
            domain: &config.domain,
            password: &config.password,
            workstation: "SIPAE",
            // Extended session security and key strength as far as both sides can.
            flags,
            client_challenge: scene.entropy.octets(),
            random_session_key: scene.entropy.octets(),
            time: scene.now.filetime(),
            response: ResponseKind::NtlmV2,
            with_mic: false,
        };
        Authenticate::answer(challenge, &answer)
    }
}
