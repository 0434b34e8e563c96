//! Planted bugs of the reference, to test the suite with: each must turn a case of its requirement red.
//!
//! Without the feature `defects` the selection has no size and nothing can be selected: every question is answered
//! "no" when the program is compiled. Each defect is asked for in exactly one place.

use std::fmt;
use std::str::FromStr;

macro_rules! defects {
    ($($variant:ident $id:literal $requirement:literal $text:literal;)*) => {
        /// One planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Defect {
            $(#[doc = concat!($text, " (", $requirement, ").")] $variant,)*
        }

        impl Defect {
            /// The registry.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable name.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The requirement that it breaks.
            #[must_use]
            pub const fn requirement(self) -> &'static str {
                match self { $(Self::$variant => $requirement,)* }
            }

            /// What the reference does wrong, as a sentence fragment.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

defects! {
    ChallengeWithoutLine "challenge-without-line" "SIPAE-3.3.5.1-05" "a challenge has no authentication header field";
    ChallengeWithoutTargetname "challenge-without-targetname" "SIPAE-3.3.5.1-06" "a challenge line lacks targetname";
    ChallengeInOtherField "challenge-in-other-field" "SIPAE-3.3.5.1-09" "401 goes with Proxy-Authenticate";
    ChallengeWithToken "challenge-with-token" "SIPAE-3.3.5.1-11" "the first challenge has gssapi-data";
    ContinuationChangesStatus "continuation-changes-status" "SIPAE-3.3.5.2-13" "the continuation has the other status code";
    SignatureWithoutOpaque "signature-without-opaque" "SIPAE-3.3.4.1-07" "signatures have no opaque";
    ChallengeWithoutDate "challenge-without-date" "SIPAE-3.3.5.1-10" "a challenge has no Date";
    ChallengeWithoutToTag "challenge-without-to-tag" "SIPAE-3.3.5.1-13" "a challenge adds no To tag";
    AcceptsBareRequest "accepts-bare-request" "SIPAE-3.3.5.1-01" "a bare request is answered 200 instead of challenged";
    ChallengesAck "challenges-ack" "SIPAE-3.3.5.1-03" "a bare ACK is challenged";
    ContinuationWithoutOpaque "continuation-without-opaque" "SIPAE-3.3.5.2-07" "the continuation has no opaque";
    ContinuationChangesRealm "continuation-changes-realm" "SIPAE-3.3.5.2-14" "the continuation writes realm in lower case";
    ChallengeTokenWithoutDatagram "challenge-token-without-datagram" "SIPAE-3.3.5.2-08" "the CHALLENGE has no DATAGRAM flag";
    FinalAnswerUnsigned "final-answer-unsigned" "SIPAE-3.3.5.2-24" "the answer to the completing request is not signed";
    FirstSnumTwo "first-snum-two" "SIPAE-3.3.4.1-04" "the first message signed with a new association has snum 2";
    AnswersUnsigned "answers-unsigned" "SIPAE-3.3.4.1-01" "answers to signed requests are not signed";
    SignsWithoutStatus "signs-without-status" "SIPAE-3.3.4.1-09" "the status code is left out of the signature buffer";
    FailureUnsigned "failure-unsigned" "SIPAE-3.3.4.1-02" "a failure response is not signed";
    SnumRepeats "snum-repeats" "SIPAE-3.3.4.1-05" "snum stays at 1";
    AcceptsReplay "accepts-replay" "SIPAE-3.1.1-05" "a number that was accepted before is accepted again";
    AcceptsForgedSignature "accepts-forged-signature" "SIPAE-3.3.5.3-04" "a wrong signature is accepted";
    ForgeryMovesWindow "forgery-moves-window" "SIPAE-3.1.1-09" "the window is moved before the signature is verified";
    ForgeryEndsAssociation "forgery-ends-association" "SIPAE-3.3.5.3-04" "a wrong signature ends the association";
    ComparesSignatureText "compares-signature-text" "SIPAE-2.2-11" "a signature in upper-case digits is refused";
    AcceptsUnsignedInAssociation "accepts-unsigned-in-association" "SIPAE-3.1-01" "an unsigned request of a known endpoint is accepted";
    AcceptsUnknownOpaque "accepts-unknown-opaque" "SIPAE-3.3.5.3-02" "a signed request with unknown opaque is accepted";
    CompletesUnsigned "completes-unsigned" "SIPAE-3.3.5.2-15" "the completing request of version 4 need not be signed";
    KeysOnFromTag "keys-on-from-tag" "SIPAE-3.3.5.3-01" "an association is found only with the From tag of its handshake";
    DropsSigned "drops-signed" "SIPAE-3.3.5.3-01" "signed requests are discarded";
    SignsForOtherEndpoint "signs-for-other-endpoint" "SIPAE-3.3.4.1-10" "a forwarded request is signed with the association of another endpoint of the user";
    PassesCredentialOn "passes-credential-on" "SIPAE-3.3.4.1-14" "the credential for this server is forwarded";
    ToWithoutEpid "to-without-epid" "SIPAE-3.3.1-06" "To of a forwarded request has no epid of the receiver";
    RelaysUnsignedResponse "relays-unsigned-response" "SIPAE-3.3.5.1-17" "a response without signature is relayed";
    RelaysForgedResponse "relays-forged-response" "SIPAE-3.3.5.3-11" "a response with a wrong signature is relayed";
    ForwardsBareRequest "forwards-bare-request" "SIPAE-3.3.5.1-15" "a bare request is forwarded before it is challenged";
    AcceptsForeignFrom "accepts-foreign-from" "SIPAE-3.3.5.3-08" "a signed request whose From is another user is accepted and forwarded";
    RegistersForOthers "registers-for-others" "SIPAE-3.3.5.3-20" "a REGISTER for the address of another user is accepted";
    AssertsForeignIdentity "asserts-foreign-identity" "SIPAE-3.3.5.6-01" "a P-Preferred-Identity that is another user's is asserted";
    PreferredIdentityLeft "preferred-identity-left" "SIPAE-3.3.5.6-02" "P-Preferred-Identity is forwarded";
    AssertedIdentityPassed "asserted-identity-passed" "SIPAE-3.3.5.6-03" "a P-Asserted-Identity of the client is forwarded";
    AssertsOnlyWishes "asserts-only-wishes" "SIPAE-3.3.5.6-04" "without P-Preferred-Identity nothing is asserted";
    ResponseWithoutIdentity "response-without-identity" "SIPAE-3.3.5.6-06" "relayed responses have no P-Asserted-Identity";
    AssertsLastIdentity "asserts-last-identity" "SIPAE-3.3.5.6-07" "of several sip URIs in P-Preferred-Identity the last is asserted";
    ForwardsUnsigned "forwards-unsigned" "SIPAE-3.3.4.1-01" "forwarded requests are not signed";
    SignsBeforeIdentity "signs-before-identity" "SIPAE-3.3.4.1-11" "the signature is made before P-Asserted-Identity is written";
    DeliversToExpired "delivers-to-expired" "SIPAE-3.3.6-03" "an association that has expired is still used";
    DeliversReplay "delivers-replay" "SIPAE-3.3.5.3-05" "a replayed request is forwarded again";
    AcceptsReflection "accepts-reflection" "SIPAE-3.3.5.3-18" "a signature of the server itself is accepted from a client";
    ReplacesOtherUsersEndpoint "replaces-other-users-endpoint" "SIPAE-3.3.1-07" "an association ends when another user comes with the same epid";
    TokenBesideSignatureIsSigned "token-beside-signature-is-signed" "SIPAE-3.3.5.2-01" "below version 4 a credential with gssapi-data and response is taken for a signed message";
    NeedsInstance "needs-instance" "SIPAE-3.3.5.2-02" "a handshake without +sip.instance is refused";
    NegotiationNeedsEpid "negotiation-needs-epid" "SIPAE-3.3.5.2-02" "a handshake without epid is begun and never found again";
    AcceptsNoEndpoint "accepts-no-endpoint" "SIPAE-3.3.5.2-03" "a handshake without endpoint identifier is accepted";
    IgnoresInstance "ignores-instance" "SIPAE-3.3.5.2-04" "a +sip.instance beside an epid is not looked at";
    ComparesInstanceText "compares-instance-text" "SIPAE-3.3.5.2-04" "a +sip.instance in upper case is refused";
    AcceptsAnyGruu "accepts-any-gruu" "SIPAE-3.3.5.2-05" "a GRUU beside an epid is not looked at";
    ShortEpids "short-epids" "SIPAE-3.3.5.2-06" "an epid of more than 12 characters is refused";
    TruncatesEpid "truncates-epid" "SIPAE-3.3.5.2-06" "an epid is cut to its first 16 characters";
    ContinuationWithOthers "continuation-with-others" "SIPAE-3.3.5.2-07" "continuations have lines of other schemes, as the first challenge has";
    MatchesByEndpoint "matches-by-endpoint" "SIPAE-3.3.5.2-09" "an AUTHENTICATE is matched by its endpoint, whatever its opaque";
    MatchesByOpaque "matches-by-opaque" "SIPAE-3.3.5.2-09" "an AUTHENTICATE is matched by its opaque, whoever sends it";
    KeepsFinishedHandshake "keeps-finished-handshake" "SIPAE-3.3.5.2-09" "a finished handshake can be finished again";
    KeepsFailedHandshake "keeps-failed-handshake" "SIPAE-3.3.5.2-16" "a failed handshake can be tried again";
    SilentFailure "silent-failure" "SIPAE-3.3.5.2-16" "an AUTHENTICATE that proves nothing is not answered";
    HandshakeWithForeignFrom "handshake-with-foreign-from" "SIPAE-3.3.5.2-17" "From of a completing request may be another user's";
    ComparesFromText "compares-from-text" "SIPAE-3.3.5.2-17" "From is compared with the address of the user letter by letter";
    BadBase64IsEmpty "bad-base64-is-empty" "SIPAE-3.3.5.2-21" "gssapi-data that is no Base64 is taken for an empty token";
    AcceptsUnreadableToken "accepts-unreadable-token" "SIPAE-3.3.5.2-21" "a token that cannot be read ends in 200";
    OversizeEndsAssociations "oversize-ends-associations" "SIPAE-3.3.5.2-21" "input beyond all limits makes it start again, without associations";
    IgnoresVersion "ignores-version" "SIPAE-3.3.5.2-22" "version of a handshake message is not looked at";
    IgnoresQop "ignores-qop" "SIPAE-3.3.5.2-23" "qop of a handshake message is not looked at";
    HandshakeByRegisterOnly "handshake-by-register-only" "SIPAE-3.3.5.2-25" "handshake messages in other requests than REGISTER are challenged again";
    OneHandshakeAtOnce "one-handshake-at-once" "SIPAE-3.3.5.2-26" "a second handshake of an endpoint spoils the first, and itself";
    TakesClientOpaque "takes-client-opaque" "SIPAE-3.3.5.2-27" "the opaque that a first token brings along is used";
    RenegotiatesAssociation "renegotiates-association" "SIPAE-3.3.5.2-28" "a first token puts the association of its endpoint back into negotiation";
    BareEndsAssociation "bare-ends-association" "SIPAE-3.3.5.2-28" "a bare request ends the association of its endpoint";
    FailureEndsAssociation "failure-ends-association" "SIPAE-3.3.5.2-28" "a failed AUTHENTICATE ends the association of its endpoint";
    AcceptsAnonymous "accepts-anonymous" "SIPAE-3.3.5.2-29" "an anonymous AUTHENTICATE is accepted";
    FloodEndsAssociations "flood-ends-associations" "SIPAE-3.3.5.2-30" "after 200 first tokens associations make room";
    FloodLocksOut "flood-locks-out" "SIPAE-3.3.5.2-30" "after 200 first tokens no more are taken";
    ChallengeRepeats "challenge-repeats" "SIPAE-3.3.5.2-31" "every CHALLENGE has the same server challenge";
    KeepsFirstAssociation "keeps-first-association" "SIPAE-3.3.1-03" "an association is not replaced by a newer one of its endpoint";
    OpaqueOfConnection "opaque-of-connection" "SIPAE-3.3.1-04" "all handshakes of one connection have the same opaque";
}

/// Which defect a state machine has, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defects {
    #[cfg(feature = "defects")]
    selected: Option<Defect>,
}

impl Defects {
    /// No defect.
    pub const NONE: Self = Self {
        #[cfg(feature = "defects")]
        selected: None,
    };

    /// This defect alone.
    #[cfg(feature = "defects")]
    #[must_use]
    pub const fn only(defect: Defect) -> Self {
        Self { selected: Some(defect) }
    }

    /// Whether this program can be given a defect at all.
    #[must_use]
    pub const fn are_built_in() -> bool {
        cfg!(feature = "defects")
    }

    #[cfg(feature = "defects")]
    pub(crate) fn has(self, defect: Defect) -> bool {
        self.selected == Some(defect)
    }

    #[cfg(not(feature = "defects"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    pub(crate) const fn has(self, _: Defect) -> bool {
        false
    }
}

/// A name that is no defect's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no defect is called \"{0}\"")]
pub struct UnknownDefect(pub String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(id: &str) -> Result<Self, UnknownDefect> {
        Self::ALL.iter().copied().find(|defect| defect.id() == id).ok_or_else(|| UnknownDefect(id.to_owned()))
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
