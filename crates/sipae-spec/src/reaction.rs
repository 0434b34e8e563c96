//! What a peer may do in answer to a stimulus, and which of it is right for a row.

use core::fmt;
use core::str::FromStr;

use crate::catalogue;
use crate::words::UnknownWord;

macro_rules! reactions {
    ($($variant:ident $word:literal $doc:literal;)*) => {
        /// One class of behaviour, from the closed vocabulary of the legal reactions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReactionClass {
            $(#[doc = $doc] $variant,)*
            /// That final status, signed or not (`status-404`).
            Status(u16),
            /// Any final status of a class, by its first digit (`status-4xx`), but neither 401 nor 407.
            StatusClass(u8),
        }

        impl ReactionClass {
            /// Every reaction without a number, in the order of the vocabulary.
            pub const FIXED: &'static [Self] = &[$(Self::$variant,)*];

            const fn word(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($word),)*
                    Self::Status(_) | Self::StatusClass(_) => None,
                }
            }
        }
    };
}

reactions! {
    // Server, answer to the stimulus.
    Challenge401 "challenge-401" "Fresh challenge by 401: scheme lines without gssapi-data.";
    Challenge407 "challenge-407" "Fresh challenge by 407: scheme lines without gssapi-data.";
    Challenge401Digest "challenge-401-digest" "Fresh Digest challenge of the anonymous join by 401.";
    Challenge407Digest "challenge-407-digest" "Fresh Digest challenge of the anonymous join by 407.";
    Continue401 "continue-401" "Handshake continuation by 401: one scheme line with opaque and gssapi-data.";
    Continue407 "continue-407" "Handshake continuation by 407: one scheme line with opaque and gssapi-data.";
    FinalSigned2xx "final-signed-2xx" "2xx whose signature verifies.";
    FinalSigned3xx "final-signed-3xx" "3xx whose signature verifies.";
    FinalSignedAny "final-signed-any" "Final response, of whatever status, whose signature verifies.";
    FinalUnsigned2xx "final-unsigned-2xx" "2xx without signature.";
    Drop "drop" "No message with the Call-ID of the stimulus, and the connection stays usable.";
    Close "close" "The product closes the connection.";
    Forward "forward" "The next hop sees the message unchanged.";
    ForwardStripped "forward-stripped" "The next hop sees the message without the header in question.";
    ForwardDefaultIdentity "forward-default-identity" "The next hop sees the user's own identity.";

    // Client, next thing it does.
    BareRequest "bare-request" "Request without credentials.";
    BareRegister "bare-register" "REGISTER without credentials.";
    SendFirstToken "send-first-token" "Request with the first token of the chosen scheme.";
    SendEmptyGssapi "send-empty-gssapi" "Request with empty gssapi-data, the first token of NTLM.";
    ContinueHandshake "continue-handshake" "Request with the next token, or the signed completing request.";
    ReauthBareRegister "reauth-bare-register" "New authentication, started by a bare REGISTER.";
    ReauthBareRequest "reauth-bare-request" "New authentication, started by a bare request.";
    ReauthFirstToken "reauth-first-token" "New authentication, started by a first token.";
    RepeatSigned "repeat-signed" "The same request, or a refresh, signed with the present association.";
    TwoCredentials "two-credentials" "Request with one credential for each of two servers.";
    SendDigest "send-digest" "Request with a Digest credential.";
    NextScheme "next-scheme" "Another scheme is tried.";
    GiveUp "give-up" "Failure is reported and no further request follows.";
    PromptUser "prompt-user" "The user is asked.";
    NoRequest "no-request" "Nothing is sent.";
    Ignore "ignore" "The message has no effect, the transaction stays pending.";
    Process "process" "The message is acted upon.";
    FollowRedirect "follow-redirect" "The redirect is followed.";
    Signed2xx "signed-2xx" "2xx of a client, signed.";
    SignedFinalAny "signed-final-any" "Final response of a client, of whatever status, signed.";
    AckSigned "ack-signed" "ACK with a signature.";
    AckUnsigned "ack-unsigned" "ACK without signature.";

    // Either side.
    Accept "accept" "The message is processed normally.";
    Sign "sign" "The sent message is signed.";
    Unsigned "unsigned" "The sent message is not signed.";
    Unsigned1xx "unsigned-1xx" "A provisional response without signature is sent.";
    SignAuthenticationInfo "sign-authentication-info" "Signed in Authentication-Info.";
    SignProxyAuthenticationInfo "sign-proxy-authentication-info" "Signed in Proxy-Authentication-Info.";
    Record "record" "Any outcome; nothing but a note in the log.";

    // Codec.
    ParseOk "parse-ok" "The octets are read.";
    RejectMalformed "reject-malformed" "The octets are refused as malformed.";
    SkipHeader "skip-header" "The header field is passed over, the rest is read.";
    FirstWins "first-wins" "The first of two occurrences is used.";
}

impl ReactionClass {
    /// Whether `observed` is this reaction or one that this reaction stands for.
    ///
    /// A status class does not stand for 401 and 407: a challenge is never meant by `status-4xx`.
    #[must_use]
    pub fn covers(self, observed: Self) -> bool {
        match (self, observed) {
            (Self::Record, _) => true,
            (Self::StatusClass(_), Self::Status(401 | 407)) => false,
            (Self::StatusClass(class), Self::Status(status)) => status / 100 == u16::from(class),
            (Self::FinalSignedAny, Self::FinalSigned2xx | Self::FinalSigned3xx) => true,
            (Self::SignedFinalAny, Self::Signed2xx) => true,
            _ => self == observed,
        }
    }

    fn from_status(digits: &str) -> Option<Self> {
        if let Some(class) = digits.strip_suffix("xx") {
            return class.parse().ok().filter(|class| matches!(class, 1..=6)).map(Self::StatusClass);
        }
        digits.parse().ok().filter(|status| matches!(status, 100..=699)).map(Self::Status)
    }
}

impl fmt::Display for ReactionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.word()) {
            (_, Some(word)) => f.pad(word),
            (Self::StatusClass(class), _) => f.pad(&format!("status-{class}xx")),
            (Self::Status(status), _) => f.pad(&format!("status-{status}")),
            _ => Ok(()),
        }
    }
}

impl FromStr for ReactionClass {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let fixed = || Self::FIXED.iter().copied().find(|reaction| reaction.word() == Some(word));
        let numbered = || Self::from_status(word.strip_prefix("status-")?);
        fixed().or_else(numbered).ok_or_else(|| UnknownWord::new("reaction", word))
    }
}

/// Every reaction that a correct product may show to the stimulus of one requirement.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LegalReactions {
    /// The requirement.
    pub id: &'static str,
    /// The legal reactions; never a failure of the row.
    pub legal: &'static [ReactionClass],
    /// First choice of the sources, one of [`legal`](Self::legal).
    pub preferred: ReactionClass,
    /// What the list cannot say: conditions, and after "Never" what fails in any case.
    pub note: &'static str,
}

impl LegalReactions {
    /// The legal reactions of the requirement with this id.
    #[must_use]
    pub fn get(id: &str) -> Option<&'static Self> {
        catalogue::find(catalogue::REACTIONS, id, |row| row.id)
    }

    /// Whether `observed` is legal for the row.
    #[must_use]
    pub fn allows(&self, observed: ReactionClass) -> bool {
        self.legal.iter().any(|legal| legal.covers(observed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirement;

    fn legal(words: &'static [ReactionClass]) -> LegalReactions {
        LegalReactions { id: "", legal: words, preferred: ReactionClass::Record, note: "" }
    }

    fn reaction(word: &str) -> ReactionClass {
        word.parse().unwrap()
    }

    #[test]
    fn there_are_218_lists_and_each_is_that_of_a_requirement() {
        assert_eq!(catalogue::REACTIONS.len(), 218);
        for row in catalogue::REACTIONS {
            assert_eq!(Requirement::get(row.id).unwrap().legal(), Some(row));
        }
    }

    #[test]
    fn the_preferred_reaction_is_legal() {
        for row in catalogue::REACTIONS {
            assert!(row.legal.contains(&row.preferred), "{}", row.id);
        }
    }

    #[test]
    fn reactions_are_read_back_as_written() {
        for fixed in ReactionClass::FIXED {
            assert_eq!(reaction(&fixed.to_string()), *fixed);
        }
        assert_eq!(reaction("status-482"), ReactionClass::Status(482));
        assert_eq!(reaction("status-5xx"), ReactionClass::StatusClass(5));
        assert_eq!(ReactionClass::Status(482).to_string(), "status-482");
        assert_eq!(ReactionClass::StatusClass(4).to_string(), "status-4xx");
    }

    #[test]
    fn a_word_outside_the_vocabulary_is_named() {
        for word in ["challenge", "status-", "status-99", "status-700", "status-7xx", "status-4x", "Drop"] {
            let error = word.parse::<ReactionClass>().unwrap_err();
            assert_eq!(error.to_string(), format!("unknown reaction `{word}`"));
        }
    }

    #[test]
    fn a_status_class_allows_its_statuses_but_no_challenge() {
        let list = legal(&[ReactionClass::StatusClass(4)]);
        assert!(list.allows(reaction("status-404")));
        assert!(list.allows(reaction("status-4xx")));
        for other in ["status-401", "status-407", "status-500", "challenge-401", "drop"] {
            assert!(!list.allows(reaction(other)), "{other}");
        }
    }

    #[test]
    fn any_signed_final_response_allows_each_class_of_it() {
        let server = legal(&[ReactionClass::FinalSignedAny]);
        assert!(server.allows(ReactionClass::FinalSigned2xx));
        assert!(server.allows(ReactionClass::FinalSigned3xx));
        assert!(!server.allows(ReactionClass::FinalUnsigned2xx));
        assert!(!server.allows(ReactionClass::Status(403)));
        assert!(legal(&[ReactionClass::SignedFinalAny]).allows(ReactionClass::Signed2xx));
    }

    #[test]
    fn a_narrower_reaction_does_not_allow_the_wider_one() {
        assert!(!legal(&[ReactionClass::FinalSigned2xx]).allows(ReactionClass::FinalSignedAny));
        assert!(!legal(&[ReactionClass::Status(404)]).allows(ReactionClass::StatusClass(4)));
    }

    #[test]
    fn where_the_outcome_is_recorded_only_everything_is_allowed() {
        let list = legal(&[ReactionClass::Record]);
        assert!(list.allows(ReactionClass::Close));
        assert!(list.allows(ReactionClass::Status(500)));
    }
}
