//! Answering the CHALLENGE ([MS-SIPAE] SIPAE-3.2.5.1-10).

use super::{Client, Scene, State};
use crate::auth::AuthParam;
use crate::auth::ChallengeKind;
use crate::encoding::encode_base64;
use crate::ntlm::{Answer, Authenticate, Challenge, NtlmError, ResponseKind, SessionKeys};
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
        let challenge = Challenge::read(token)?;
        challenge.check_for_sip()?;
        let (authenticate, keys) = self.authenticate(scene, &challenge)?;
        let context = Context::ntlm(&keys).ok_or(NtlmError::FlagClear { flag: "SIGN" })?;
        let token = encode_base64(&authenticate.write(&Authenticate::PAYLOAD));
        let mut association = SecurityAssociation::new(parameters, opaque, Side::Client, context);
        if association.parameters.version.signs_completing_request() {
            self.send_completing(scene, &mut association, kind, token)?;
        } else {
            let credential = association
                .parameters
                .writer()
                .param(AuthParam::Opaque, &association.opaque)
                .param(AuthParam::GssapiData, token)
                .optional(AuthParam::Version, association.parameters.version.param());
            self.send_token(scene, kind, &credential);
        }
        self.state = State::Completing { association: Box::new(association), kind };
        Ok(())
    }

    fn authenticate(
        &self,
        scene: &mut Scene<'_>,
        challenge: &Challenge,
    ) -> Result<(Authenticate, SessionKeys), NtlmError> {
        let config = &self.config;
        let answer = Answer {
            user: &config.user,
            domain: &config.domain,
            password: &config.password,
            workstation: "SIPAE",
            // Extended session security and key strength as far as both sides can.
            flags: config.flags & challenge.flags,
            client_challenge: scene.entropy.octets(),
            random_session_key: scene.entropy.octets(),
            time: scene.now.filetime(),
            response: ResponseKind::NtlmV2,
            with_mic: false,
        };
        Authenticate::answer(challenge, &answer)
    }
}
