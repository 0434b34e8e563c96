//! Messages and associations of a script while it is played.

use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Message};
use sipae::ntlm::{Answer, Authenticate, Challenge, NegotiateFlags, ResponseKind};
use sipae::sa::{Context, Parameters, SecurityAssociation};
use sipae::side::Side;
use sipae::violation::{Breach, Violation};

use crate::profile::ProfileUser;
use crate::reaction::{Reaction, Signature};

/// What ties an answer to its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) call_id: Vec<u8>,
    pub(super) cseq: (Vec<u8>, Vec<u8>),
    /// Absent where a target does not repeat Via.
    pub(super) branch: Option<Vec<u8>>,
}

impl Key {
    /// The key of a message; `None` if it cannot be read.
    pub(super) fn of(message: &Message<'_>) -> Option<Self> {
        let cseq = message.cseq().ok()?;
        Some(Self {
            call_id: message.call_id().ok()?.unfolded().into_owned(),
            cseq: (cseq.number.to_vec(), cseq.method.to_vec()),
            branch: message.branch().map(<[u8]>::to_vec),
        })
    }

    pub(super) fn matches(&self, answer: &Self) -> bool {
        let branch = answer.branch.is_none() || self.branch == answer.branch;
        branch && self.call_id == answer.call_id && self.cseq == answer.cseq
    }
}

/// When and where a message was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) connection: sipae::server::ConnectionId,
    pub(super) order: u32,
}

/// The final answer to a message.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) reaction: Reaction,
    pub(super) octets: Vec<u8>,
    /// Its place among all messages of the script.
    pub(super) place: u32,
}

/// A message of the script.
#[derive(Clone, Debug)]
pub(super) struct MessageState {
    pub(super) draft: Draft,
    pub(super) key: Key,
    pub(super) association: Option<sipae_gen::Label>,
    pub(super) sent: Option<Sent>,
    pub(super) answer: Option<Answered>,
}

/// An association of the script: what the target chose, and the keys once there are any.
#[derive(Debug)]
pub(super) struct AssociationState {
    pub(super) parameters: Parameters,
    pub(super) kind: ChallengeKind,
    pub(super) opaque: Vec<u8>,
    /// The CHALLENGE as received.
    pub(super) challenge: Vec<u8>,
    /// `gssapi-data` of the AUTHENTICATE.
    pub(super) token: String,
    pub(super) association: Option<SecurityAssociation>,
}

impl AssociationState {
    /// What a challenge says. Later challenges of the same handshake bring opaque and token along.
    pub(super) fn adopt(kind: ChallengeKind, line: &AuthHeader<'_>) -> Result<Self, Breach> {
        let text = |param| line.get(param).map(|value| value.unfolded().into_owned()).unwrap_or_default();
        let token =
            line.token().map_err(|diagnostic| Breach::Header { header: kind.challenge(), diagnostic })?;
        Ok(Self {
            parameters: Parameters::of(line)?,
            kind,
            opaque: text(AuthParam::Opaque),
            challenge: token.unwrap_or_default(),
            token: String::new(),
            association: None,
        })
    }

    /// Takes opaque and CHALLENGE of a continuation; realm, targetname and version stay those of the challenge that
    /// created the association (SIPAE-3.2.4.1-04).
    pub(super) fn continue_with(&mut self, continuation: Self) {
        self.opaque = continuation.opaque;
        self.challenge = continuation.challenge;
    }

    /// Answers the CHALLENGE as `user`, which gives the keys.
    pub(super) fn authenticate(
        &mut self,
        user: &ProfileUser,
        password: &str,
        random: ([u8; 8], [u8; 16]),
        time: [u8; 8],
    ) -> Result<(), Breach> {
        let challenge = Challenge::read(&self.challenge)?;
        let answer = Answer {
            user: &user.user,
            domain: &user.domain,
            password,
            workstation: "SIPAE",
            flags: NegotiateFlags::CLIENT & challenge.flags,
            client_challenge: random.0,
            random_session_key: random.1,
            time,
            response: ResponseKind::NtlmV2,
            with_mic: false,
        };
        let (authenticate, keys) = Authenticate::answer(&challenge, &answer)?;
        let context = Context::ntlm(&keys).ok_or(sipae::ntlm::NtlmError::FlagClear { flag: "SIGN" })?;
        self.token = sipae::encoding::encode_base64(&authenticate.write(&Authenticate::PAYLOAD));
        let (parameters, opaque) = (self.parameters.clone(), self.opaque.clone());
        self.association = Some(SecurityAssociation::new(parameters, opaque, Side::Client, context));
        Ok(())
    }
}

/// How an answer is signed. Either header field will do (SIPAE-3.2.5.2-16).
pub(super) fn signature(association: Option<&mut AssociationState>, answer: &Message<'_>) -> Signature {
    let headers = HeaderName::SIGNATURES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    let mut ntlm = headers.filter(|header| header.scheme() == Some(Scheme::Ntlm));
    let Some(first) = ntlm.next() else { return Signature::Unsigned };
    let Some(association) = association.and_then(|state| state.association.as_mut()) else {
        return Signature::Bad("no security association of ours fits".to_owned());
    };
    let header = std::iter::once(first).chain(ntlm).find(|header| association.parameters.fit(header));
    let Some(header) = header else {
        return Signature::Bad("realm or targetname are not those of the challenge".to_owned());
    };
    match association.verify(answer, &header) {
        Ok(number) => Signature::Verified(number),
        Err(Violation { breach: Breach::Replayed { number } | Breach::TooOld { number }, .. }) => {
            Signature::Replayed(number)
        }
        Err(violation) => Signature::Bad(violation.to_string()),
    }
}
