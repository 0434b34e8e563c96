//! One authentication header field.

use sipae::auth::{AuthHeader, AuthParam, MAX_STEPS, Scheme, Step, Walk};
use sipae::message::{Header, HeaderName, Message};
use sipae::ntlm::Authenticate;
use sipae::side::Side;
use sipae::version::Version;

use super::{buffer, findings, meaning, signature, token};
use crate::conversation::{Conversation, Signed};
use crate::material::Material;
use crate::model::{Authentication, Decoding, Parameter, Role, Verification};
use crate::octets::shown;
use crate::verify;

/// A message, and what is known when it is explained.
pub(super) struct Context<'c> {
    pub(super) message: &'c Message<'c>,
    pub(super) number: usize,
    pub(super) material: &'c Material,
    pub(super) conversation: &'c Conversation,
    pub(super) signatures: &'c [Signed],
}

/// Authentication header fields of a message that are explained: each is told with whole signature buffers.
const MOST: usize = 16;

impl Context<'_> {
    pub(super) fn fields(&self) -> Vec<Authentication> {
        let headers = self.message.headers().filter_map(|header| Some((header, header.known?)));
        headers
            .filter(|(_, known)| known.is_authentication())
            .take(MOST)
            .map(|(header, known)| self.field(&header, known))
            .collect()
    }

    /// How many authentication header fields are not explained.
    pub(super) fn left_out(&self) -> usize {
        let known = self.message.headers().filter_map(|header| header.known);
        known.filter(|known| known.is_authentication()).count().saturating_sub(MOST)
    }

    fn field(&self, header: &Header<'_>, known: HeaderName) -> Authentication {
        let read = AuthHeader::read(header.value);
        let mut field = Authentication {
            header: shown(header.name),
            offset: header.offset,
            role: role(known),
            scheme: shown(read.scheme_text()),
            params: params(&read),
            findings: findings::of_field(self.message, known.name(), &read),
            token: token(&read),
            signature: None,
            knowledge: Vec::new(),
            buffers: Vec::new(),
            unfit: None,
            verification: None,
        };
        field.knowledge.extend(self.exchange(&read));
        let signs = read.scheme().is_some_and(Scheme::signs);
        if let Some(signer) = buffer::signer(known).filter(|signer| signs && is_signed(&read, *signer)) {
            self.explain_signature(&mut field, &read, signer);
        }
        field
    }

    fn explain_signature(&self, field: &mut Authentication, header: &AuthHeader<'_>, signer: Side) {
        let version = self.version(field, header);
        field.signature = signature::decode(header, signer);
        for version in version.map_or(vec![Version::V2, Version::V4], |version| vec![version]) {
            match buffer::explain(self.message, header, signer, version) {
                Ok(buffer) => field.buffers.push(buffer),
                Err(error) => field.unfit = Some(format!("{error} ({})", error.rule())),
            }
        }
        field.verification = self.verification(header, signer, version);
    }

    /// What is known of the exchange that a token completes.
    fn exchange(&self, header: &AuthHeader<'_>) -> Vec<String> {
        let token = header.token().ok().flatten().and_then(|token| Authenticate::read(&token).ok());
        let Some((authenticate, (challenge, number))) = token.zip(self.conversation.challenge(header)) else {
            return Vec::new();
        };
        let mut known = vec![format!("answers the CHALLENGE of message {number}")];
        if let Err(error) = authenticate.check_for_sip(&challenge) {
            known.push(format!("{error} ({})", error.rule()));
        }
        known.extend(self.conversation.keys(header).map(|(keys, _)| match keys {
            Ok(_) => "the response proves the password".to_owned(),
            Err(problem) => problem.to_owned(),
        }));
        known
    }

    /// The version that the server has offered, else the one that the field or another one of its association says.
    fn version(&self, field: &mut Authentication, header: &AuthHeader<'_>) -> Option<Version> {
        let has_said = header.get(AuthParam::Version).is_some();
        let said = header.version().ok().and_then(Version::from_number).filter(|_| has_said);
        let known = self.conversation.offered(header).or_else(|| {
            let claimed = self.conversation.claimed(header);
            claimed.filter(|_| !has_said)
        });
        match (said, known) {
            (Some(said), Some((version, from))) if said != version => field.knowledge.push(format!(
                "it says version {said}, and the server offers {version} in message {from}, which decides (SIPAE-3.2.5.1-07)"
            )),
            (Some(_), _) => {}
            (None, Some((version, from))) => {
                field.knowledge.push(format!("version {version}, from message {from}"));
            }
            (None, None) => field.knowledge.push("no version is known: both layouts are shown".to_owned()),
        }
        known.map(|(version, _)| version).or(said)
    }

    fn verification(
        &self,
        header: &AuthHeader<'_>,
        signer: Side,
        version: Option<Version>,
    ) -> Option<Verification> {
        if self.material.is_empty() {
            return None;
        }
        let case = verify::Case {
            message: self.message,
            number: self.number,
            header,
            signer,
            version,
            others: self.signatures,
        };
        Some(case.verify(&verify::keys(header, self.material, self.conversation)))
    }
}

const fn role(name: HeaderName) -> Role {
    match name {
        HeaderName::Authorization | HeaderName::ProxyAuthorization => Role::Credential,
        HeaderName::AuthenticationInfo | HeaderName::ProxyAuthenticationInfo => Role::ServerSignature,
        _ => Role::Challenge,
    }
}

fn is_signed(header: &AuthHeader<'_>, signer: Side) -> bool {
    [signer.rand(), signer.number(), signer.signature()].iter().any(|param| header.get(*param).is_some())
}

fn params(header: &AuthHeader<'_>) -> Vec<Parameter> {
    let steps = Walk::new(header.value()).1.take(MAX_STEPS);
    steps
        .filter_map(|step| match step {
            Step::Param(param) => Some(Parameter {
                name: shown(param.name),
                value: shown(&param.value.unfolded()),
                quoted: param.quoted,
                meaning: meaning::meaning(header, AuthParam::from_octets(param.name)).to_owned(),
            }),
            Step::Problem(..) => None,
        })
        .collect()
}

/// `gssapi-data`; what is no Base64 is a finding.
fn token(header: &AuthHeader<'_>) -> Option<Decoding> {
    let octets = header.token().ok().flatten()?;
    Some(token::decode(header.scheme(), &octets))
}
