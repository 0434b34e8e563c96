//! What a target did.

use std::fmt;

use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::message::Message;
use sipae_spec::ReactionClass;

/// How an answer is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// No signature header field.
    Unsigned,
    /// The signature is that of the message; with this snum.
    Verified(u32),
    /// The signature is that of the message; its snum is one that has been seen, or is too old.
    Replayed(u32),
    /// There is a signature header field and it proves nothing; why.
    Bad(String),
}

/// What a target did about one message, from a closed vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing, and that is proven: a later request on the connection was answered.
    Silent,
    /// Nothing within the time that answers take.
    Overdue,
    /// It closed the connection.
    Closed,
    /// The connection broke.
    Reset,
    /// Octets that are no SIP message; why.
    Unreadable(String),
    /// A fresh challenge: scheme lines without token.
    Challenge(ChallengeKind),
    /// A fresh challenge of Digest, and of no scheme that signs.
    DigestChallenge(ChallengeKind),
    /// The continuation of a handshake: a scheme line with a token.
    Continuation(ChallengeKind),
    /// Any other final answer.
    Final {
        /// The status code.
        status: u16,
        /// How it is signed.
        signature: Signature,
    },
}

impl Reaction {
    /// The reaction that a final answer shows.
    #[must_use]
    pub fn of(answer: &Message<'_>, signature: Signature) -> Self {
        let status = answer.status().unwrap_or_default();
        let Some(kind) = ChallengeKind::from_status(status) else { return Self::Final { status, signature } };
        let lines = || answer.all(kind.challenge()).map(AuthHeader::read);
        let schemes: Vec<Scheme> = lines().filter_map(|line| line.scheme()).collect();
        let is_digest = schemes.contains(&Scheme::Digest) && !schemes.iter().any(|scheme| scheme.signs());
        if lines().any(|line| line.get(AuthParam::GssapiData).is_some()) {
            Self::Continuation(kind)
        } else if is_digest {
            Self::DigestChallenge(kind)
        } else {
            Self::Challenge(kind)
        }
    }

    /// The words of the catalogue for it. A reaction can have more than one reading: a signed 404 is a status and a
    /// signed final answer.
    #[must_use]
    pub fn classes(&self) -> Vec<ReactionClass> {
        use ReactionClass as Class;
        match self {
            Self::Silent => vec![Class::Drop],
            Self::Overdue | Self::Unreadable(_) => vec![],
            Self::Closed | Self::Reset => vec![Class::Close],
            Self::Challenge(ChallengeKind::Www) => vec![Class::Challenge401],
            Self::Challenge(ChallengeKind::Proxy) => vec![Class::Challenge407],
            Self::DigestChallenge(ChallengeKind::Www) => vec![Class::Challenge401Digest],
            Self::DigestChallenge(ChallengeKind::Proxy) => vec![Class::Challenge407Digest],
            Self::Continuation(ChallengeKind::Www) => vec![Class::Continue401],
            Self::Continuation(ChallengeKind::Proxy) => vec![Class::Continue407],
            Self::Final { status, signature: Signature::Verified(_) | Signature::Replayed(_) } => {
                signed_classes(*status)
            }
            Self::Final { status, signature: Signature::Unsigned } if (200..300).contains(status) => {
                vec![Class::FinalUnsigned2xx]
            }
            Self::Final { status, .. } => vec![Class::Status(*status)],
        }
    }

    /// What it is without the number that a target happens to be at: for what is written down.
    #[must_use]
    pub fn outline(&self) -> String {
        match self {
            Self::Final { status, signature: Signature::Verified(_) | Signature::Replayed(_) } => {
                format!("{status}, signed")
            }
            other => other.to_string(),
        }
    }

    /// Whether the stimulus was accepted: any final answer that is not a challenge. A signed 404 to a forged request
    /// is acceptance; a 400 to a broken one is not.
    #[must_use]
    pub const fn is_acceptance(&self) -> bool {
        match self {
            Self::Final { signature: Signature::Verified(_) | Signature::Replayed(_), .. } => true,
            Self::Final { status, .. } => 200 <= *status && *status < 300,
            _ => false,
        }
    }

    /// The snum of a verified answer.
    #[must_use]
    pub const fn number(&self) -> Option<u32> {
        match self {
            Self::Final { signature: Signature::Verified(number) | Signature::Replayed(number), .. } => {
                Some(*number)
            }
            _ => None,
        }
    }
}

fn signed_classes(status: u16) -> Vec<ReactionClass> {
    match status {
        200..300 => vec![ReactionClass::FinalSigned2xx],
        300..400 => vec![ReactionClass::FinalSigned3xx],
        _ => vec![ReactionClass::FinalSignedAny, ReactionClass::Status(status)],
    }
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("no answer, though a later request was answered"),
            Self::Overdue => f.write_str("no answer in time"),
            Self::Closed => f.write_str("connection closed"),
            Self::Reset => f.write_str("connection reset"),
            Self::Unreadable(why) => write!(f, "unreadable octets: {why}"),
            Self::Challenge(kind) => write!(f, "{} with a fresh challenge", kind.status()),
            Self::DigestChallenge(kind) => write!(f, "{} with a fresh Digest challenge", kind.status()),
            Self::Continuation(kind) => write!(f, "{} with a handshake token", kind.status()),
            Self::Final { status, signature: Signature::Unsigned } => write!(f, "{status}, not signed"),
            Self::Final { status, signature: Signature::Verified(number) } => {
                write!(f, "{status}, signed with snum {number}")
            }
            Self::Final { status, signature: Signature::Replayed(number) } => {
                write!(f, "{status}, signed with snum {number}, which is used up")
            }
            Self::Final { status, signature: Signature::Bad(why) } => {
                write!(f, "{status} with a signature that proves nothing: {why}")
            }
        }
    }
}
