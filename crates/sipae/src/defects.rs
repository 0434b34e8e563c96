//! Planted bugs of the reference, to test the suite with: each must turn a case of its requirement red.
//!
//! Without the feature `defects` the selection has no size and nothing can be selected: every question is answered
//! "no" when the program is compiled. Each defect is asked for in exactly one place.

use std::fmt;
use std::str::FromStr;

use crate::auth::Scheme;
use crate::side::Side;

macro_rules! defects {
    (
        server { $($variant:ident $id:literal $requirement:literal $text:literal;)* }
        client { $($own:ident $own_id:literal $own_requirement:literal $own_text:literal;)* }
    ) => {
        /// One planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Defect {
            $(#[doc = concat!($text, " (", $requirement, ").")] $variant,)*
            $(#[doc = concat!($own_text, " (", $own_requirement, ").")] $own,)*
        }

        impl Defect {
            /// The registry.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)* $(Self::$own,)*];

            /// Those of one side.
            #[must_use]
            pub const fn of(side: Side) -> &'static [Self] {
                match side {
                    Side::Server => &[$(Self::$variant,)*],
                    Side::Client => &[$(Self::$own,)*],
                }
            }

            /// Whose bug it is.
            #[must_use]
            pub const fn side(self) -> Side {
                match self {
                    $(Self::$variant => Side::Server,)*
                    $(Self::$own => Side::Client,)*
                }
            }

            /// Stable name.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* $(Self::$own => $own_id,)* }
            }

            /// The requirement that it breaks.
            #[must_use]
            pub const fn requirement(self) -> &'static str {
                match self { $(Self::$variant => $requirement,)* $(Self::$own => $own_requirement,)* }
            }

            /// What the reference does wrong, as a sentence fragment.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* $(Self::$own => $own_text,)* }
            }
        }
    };
}

defects! {
    server {
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
        FirstNumberRefused "first-number-refused" "SIPAE-3.1.1-02" "number 1 is refused: the window begins at 2";
        WindowStays "window-stays" "SIPAE-3.1.1-03" "the window does not move: numbers above 256 are refused";
        RefusesOutOfOrder "refuses-out-of-order" "SIPAE-3.1.1-04" "a number below the last one is refused";
        WindowWithoutBottom "window-without-bottom" "SIPAE-3.1.1-07" "numbers below the window are accepted";
        RefusesGaps "refuses-gaps" "SIPAE-3.1.1-08" "a number is refused if one before it has not come";
        OneWindowForAll "one-window-for-all" "SIPAE-3.1.1-10" "a number that another association of the user had last is refused";
        NeverExpires "never-expires" "SIPAE-3.3.2-01" "associations that are used do not end";
        NeverIdle "never-idle" "SIPAE-3.3.2-03" "associations that are not used do not end";
        RegistrationExtendsNothing "registration-extends-nothing" "SIPAE-3.3.2-04" "a registration does not extend the idle timer";
        ClosesAuthenticated "closes-authenticated" "SIPAE-3.3.2-06" "connections are closed after a minute though they have authenticated";
        HandshakesStay "handshakes-stay" "SIPAE-3.3.2-07" "unfinished handshakes do not end";
        IdleNotRestarted "idle-not-restarted" "SIPAE-3.3.5.3-10" "a verified message does not restart the idle timer";
        ForgeryRestartsIdle "forgery-restarts-idle" "SIPAE-3.3.5.3-10" "a message with a wrong signature restarts the idle timer";
        TellsOfExpiry "tells-of-expiry" "SIPAE-3.3.6-04" "clients are told, signed, that their association has ended";
        AnswersForgedAck "answers-forged-ack" "SIPAE-3.3.5.3-04" "an ACK with a wrong signature is answered 400";
        LayoutFollowsMessage "layout-follows-message" "SIPAE-3.3.5.3-21" "version in a signed message chooses the layout of its buffer";
        AcceptsIncompleteSignature "accepts-incomplete-signature" "SIPAE-3.3.5.3-09" "a signed message that lacks a parameter is accepted";
        ReadsFirstCredential "reads-first-credential" "SIPAE-3.3.5.3-12" "of several credentials only the first one is looked at";
        ReadsOwnFieldOnly "reads-own-field-only" "SIPAE-3.3.5.3-13" "credentials are found in the field of the own kind only";
        KeysOnOpaque "keys-on-opaque" "SIPAE-3.3.5.3-07" "an association is found by its opaque alone, whatever the endpoint";
        UnregistersUnsigned "unregisters-unsigned" "SIPAE-3.3.5.3-14" "the answer to a de-registration is not signed";
        BoundToConnection "bound-to-connection" "SIPAE-3.3.5.3-16" "an association is good on its own connection only";
        FirstTokenEndsAssociation "first-token-ends-association" "SIPAE-3.3.5.3-17" "the first token of a new handshake ends the association of its endpoint";
        LeavesLongUnanswered "leaves-long-unanswered" "SIPAE-3.3.5.3-22" "input of more than 32 KiB at once is neither answered nor refused";
        TakesAnyRealm "takes-any-realm" "SIPAE-3.3.5.1-02" "a credential for another realm or targetname is taken for the own one";
        ChallengeWithQop "challenge-with-qop" "SIPAE-3.3.5.1-12" "challenges have qop, which is right and written down";
        DigestForAnonymous "digest-for-anonymous" "SIPAE-3.3.5.1-14" "whatever an anonymous client asks for, Digest is offered";
        ClosesAfterManyBare "closes-after-many-bare" "SIPAE-3.3.5.1-16" "a connection with more than 50 bare requests is closed";
        ClosesOnEmptyLines "closes-on-empty-lines" "SIPAE-3.3.5.1-18" "empty lines before a start line are taken for a broken message";
        TargetnameAlternates "targetname-alternates" "SIPAE-3.3.3-01" "every second challenge has another targetname";
        RealmOfAnotherProduct "realm-of-another-product" "SIPAE-3.3.3-02" "the realm is the domain, which is right and written down";
        AcceptsCutSignature "accepts-cut-signature" "SIPAE-5.1-04" "only as much of a signature is compared as there is";
        RelaysUnsigned "relays-unsigned" "SIPAE-3.3.4.1-01" "relayed responses are not signed";
        RenewedFirstSnumTwo "renewed-first-snum-two" "SIPAE-3.3.4.1-04" "an association that replaces another one begins with snum 2";
        SrandRepeats "srand-repeats" "SIPAE-3.3.4.1-06" "srand is the same in every message";
        SrandWithoutZeros "srand-without-zeros" "SIPAE-3.3.4.1-06" "srand is written without leading zeros";
        SignatureInCredentialField "signature-in-credential-field" "SIPAE-3.3.4.1-08" "signatures stand in the client's header field";
        AnswersForOtherEndpoint "answers-for-other-endpoint" "SIPAE-3.3.4.1-10" "an answer is signed with the association of another endpoint of the user";
        RelaysForOtherEndpoint "relays-for-other-endpoint" "SIPAE-3.3.4.1-10" "a relayed response is signed with the association of another endpoint of the user";
        SignsBeforeToTag "signs-before-to-tag" "SIPAE-3.3.4.1-11" "the signature of an answer is made before the To tag is added";
        SignsWithoutExpires "signs-without-expires" "SIPAE-3.3.4.1-12" "Expires of the answer is left out of the signature buffer";
        SignsChallenges "signs-challenges" "SIPAE-3.3.4.1-13" "challenges carry srand, snum and rspauth";
        StripsAllCredentials "strips-all-credentials" "SIPAE-3.3.4.1-14" "credentials for others are not forwarded";
        ForgedResponseEndsAssociation "forged-response-ends-association" "SIPAE-3.3.5.3-04" "a response with a wrong signature ends the association";
        RelaysReplayedResponse "relays-replayed-response" "SIPAE-3.3.5.3-05" "a response whose number was used before is relayed";
        RelaysResponseOfAnybody "relays-response-of-anybody" "SIPAE-3.3.5.3-11" "a response that no association of the callee has signed is relayed";
        BareUnregisters "bare-unregisters" "SIPAE-3.3.5.1-15" "a bare REGISTER with Expires 0 ends the association before it is challenged";
        BareMovesBinding "bare-moves-binding" "SIPAE-3.3.5.1-15" "a bare REGISTER moves the endpoint to its connection before it is challenged";
        AssertsFirstFromUri "asserts-first-from-uri" "SIPAE-3.3.5.3-19" "the identity asserted is the first that stands in brackets anywhere in From";
        ForwardsLastFrom "forwards-last-from" "SIPAE-3.3.5.3-19" "of several From addresses the last is forwarded, and compared with nobody";
        AssertsForeignNumber "asserts-foreign-number" "SIPAE-3.3.5.6-01" "a telephone number in P-Preferred-Identity is asserted, whosever it is";
        VerifiesWithoutIdentity "verifies-without-identity" "SIPAE-3.3.5.6-05" "P-Preferred-Identity is removed before the signature is verified";
        DeliversToUnregistered "delivers-to-unregistered" "SIPAE-3.3.6-03" "the end of a registration ends neither binding nor association";
        NotifiesUnsigned "notifies-unsigned" "SIPAE-3.3.4.1-01" "a subscription to oneself is answered with a NOTIFY that is not signed";
        RetransmissionEndsAssociation "retransmission-ends-association" "SIPAE-3.1.1-13" "a response that comes again ends the association";
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
        OversizeEndsAssociations "oversize-ends-associations" "SIPAE-3.3.5.3-22" "input beyond all limits makes it start again, without associations";
        TokenEndsAssociations "token-ends-associations" "SIPAE-3.3.5.2-21" "a token that cannot be read makes it start again, without associations";
        BrokenEndsAssociations "broken-ends-associations" "SIPAE-3.3.5.2-21" "input that is no message makes it start again, without associations";
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
        SchemeCaseMatters "scheme-case-matters" "SIPAE-2.2-01" "a scheme in lower case is another scheme";
        AcceptsMalformedCredential "accepts-malformed-credential" "SIPAE-2.2-16" "a request whose credential is malformed is answered 200";
        AcceptsUnreadableParams "accepts-unreadable-params" "SIPAE-2.2-10" "a signed message whose crand, cnum or response cannot be read is accepted";
        AcceptsAnyQop "accepts-any-qop" "SIPAE-2.2-19" "qop of a signed message is not looked at";
        AnswersUnreadable "answers-unreadable" "SIPAE-2.2-21" "a request that cannot be read is answered 200";
        TargetnameIsService "targetname-is-service" "SIPAE-2.2-13" "targetname of NTLM begins with sip/";
        StsUriForNtlm "sts-uri-for-ntlm" "SIPAE-2.2-18" "the challenge line of NTLM has sts-uri";
        UnknownSchemeSpoilsAll "unknown-scheme-spoils-all" "SIPAE-2.2-01" "a credential of an unknown scheme hides the others";
        NameCaseMatters "name-case-matters" "SIPAE-2.2-02" "parameter names are understood in lower case only";
        OrderMatters "order-matters" "SIPAE-2.2-03" "parameters are understood in one order only";
        RefusesBackslash "refuses-backslash" "SIPAE-2.2-04" "a credential with a backslash is not understood";
        SplitsAtEveryComma "splits-at-every-comma" "SIPAE-2.2-05" "a comma inside quotation marks separates parameters";
        ClosesOpenQuotes "closes-open-quotes" "SIPAE-2.2-05" "a parameter whose quotation mark does not close is left out";
        SkipsInBase64 "skips-in-base64" "SIPAE-2.2-08" "characters that are no Base64 are skipped, and padding is mended";
        ReprintsCrand "reprints-crand" "SIPAE-2.2-09" "crand is read as a number and printed again before the signature is verified";
        RefusesUnknownParams "refuses-unknown-params" "SIPAE-2.2-15" "a credential with unknown parameters is not understood";
        LastParamWins "last-param-wins" "SIPAE-2.2-16" "of parameters that occur twice the last counts";
        WantsQopQuoted "wants-qop-quoted" "SIPAE-2.2-19" "qop is understood in quotation marks only";
        KnowsLongNamesOnly "knows-long-names-only" "SIPAE-2.2-20" "compact names of header fields are not known";
        HeaderCaseMatters "header-case-matters" "SIPAE-2.2-20" "names of header fields are known in one spelling only";
        FoldsAreEnds "folds-are-ends" "SIPAE-2.2-20" "folded header fields are not understood";
        FirstCopyCounts "first-copy-counts" "SIPAE-2.2-21" "of header fields that may occur once the first copy counts";
        LastCopyCounts "last-copy-counts" "SIPAE-2.2-21" "of header fields that may occur once the last copy counts";
        ReadsBodyAsHeaders "reads-body-as-headers" "SIPAE-2.2-22" "header fields that a message lacks are taken from its body";
        CutsAtControls "cuts-at-controls" "SIPAE-2.2-23" "values end at a NUL or a carriage return";
        NormalisesText "normalises-text" "SIPAE-2.2-24" "addresses are decoded and composed, in lower case, before the signature is verified";
        FirstTagCounts "first-tag-counts" "SIPAE-2.2-25" "the first tag= anywhere in From or To is its tag";
        WantsBrackets "wants-brackets" "SIPAE-2.2-25" "a From without angle brackets is not understood";
        ReadsFirstAddress "reads-first-address" "SIPAE-2.2-26" "of several addresses in From or To the first counts";
        ReadsLastAddress "reads-last-address" "SIPAE-2.2-26" "of several addresses in From or To the last counts";
        AcceptsAmbiguous "accepts-ambiguous" "SIPAE-2.2-27" "a signed value that could be read as two is accepted";
        WantsVersionBare "wants-version-bare" "SIPAE-2.2-06" "version in quotation marks is not understood, which is right and written down";
        ChallengeWithoutVersion "challenge-without-version" "SIPAE-3.3.5.1-07" "a challenge has no version";
        DigestRealmOfServer "digest-realm-of-server" "SIPAE-3.3.3-03" "the realm of a Digest challenge is that of the server, which is right and written down";
        DigestWithoutQop "digest-without-qop" "SIPAE-3.3.5.4-01" "a Digest challenge has no qop";
        DigestWithoutDate "digest-without-date" "SIPAE-3.3.5.4-02" "a Digest challenge has no Date";
        OffersPlainMd5 "offers-plain-md5" "SIPAE-3.3.5.4-03" "a Digest challenge offers MD5 alone";
        NonceRepeats "nonce-repeats" "SIPAE-3.3.5.4-04" "every Digest challenge has the same nonce";
        NonceNeverExpires "nonce-never-expires" "SIPAE-3.3.5.4-04" "a nonce that has expired is accepted";
        AcceptsWrongDigest "accepts-wrong-digest" "SIPAE-3.3.5.4-05" "a wrong response of an anonymous client is accepted";
        WrongPinIsStale "wrong-pin-is-stale" "SIPAE-3.3.5.4-05" "a wrong response of an anonymous client is answered with stale=true";
        AcceptsAnyDigestRealm "accepts-any-digest-realm" "SIPAE-3.3.5.4-05" "a Digest credential for another realm is accepted";
        AdmitsToClosedConference "admits-to-closed-conference" "SIPAE-3.3.5.4-06" "a conference that admits no anonymous users is joined by one";
        AnyMethodJoins "any-method-joins" "SIPAE-3.3.5.4-07" "an anonymous session is opened by any request";
        SessionForEveryConference "session-for-every-conference" "SIPAE-3.3.5.4-08" "who has joined one conference is let into every other one";
        AcceptsReplayedCount "accepts-replayed-count" "SIPAE-3.3.5.5-01" "a nonce count that was used before is accepted again";
        IgnoresDigestUri "ignores-digest-uri" "SIPAE-3.3.5.5-01" "the URI of a Digest credential is not compared with that of the request";
        IgnoresDigestMethod "ignores-digest-method" "SIPAE-3.3.5.5-01" "a Digest response for INVITE is accepted in any request";
        NonceForEverybody "nonce-for-everybody" "SIPAE-3.3.5.5-02" "a nonce is accepted from another anonymous address than the one that has used it";
        ChallengesAnonymousAck "challenges-anonymous-ack" "SIPAE-3.3.5.5-03" "an anonymous ACK without credential is challenged";
        KerberosTargetnameIsHost "kerberos-targetname-is-host" "SIPAE-2.2-13" "the targetname of Kerberos has no sip/";
        ContinuesAfterApReq "continues-after-ap-req" "SIPAE-3.1-03" "a good AP-REQ is answered with a continuation";
        KerberosAnswerWithoutOpaque "kerberos-answer-without-opaque" "SIPAE-3.3.5.2-10" "the answer to an AP-REQ gives no opaque";
        AcceptsSkewedTicket "accepts-skewed-ticket" "SIPAE-3.3.5.2-19" "an authenticator of any time is accepted";
        RefusesSlightSkew "refuses-slight-skew" "SIPAE-3.3.5.2-19" "an authenticator of four minutes ago is refused";
        AcceptsExpiredTicket "accepts-expired-ticket" "SIPAE-3.3.5.2-16" "a ticket that has ended is accepted";
        AcceptsFutureTicket "accepts-future-ticket" "SIPAE-3.3.5.2-16" "a ticket that begins later is accepted";
        AcceptsApReqAgain "accepts-ap-req-again" "SIPAE-3.3.5.2-20" "an AP-REQ is accepted again";
        AcceptsUnprovenTicket "accepts-unproven-ticket" "SIPAE-3.3.5.2-16" "whoever shows a ticket that proves nothing is answered 200";
        OutlivesCredentials "outlives-credentials" "SIPAE-3.3.2-02" "associations do not end with the ticket or certificate";
        SignsWithWrapToken "signs-with-wrap-token" "SIPAE-3.2.4.1-28" "Kerberos signatures have the token id of GSS_Wrap";
        TlsDskWithoutStsUri "tls-dsk-without-sts-uri" "SIPAE-3.3.5.1-08" "the line of TLS-DSK has no sts-uri";
        CompletesAtClientFlight "completes-at-client-flight" "SIPAE-3.1-04" "the client's flight of TLS-DSK is answered 200";
        ServerFlightIsCut "server-flight-is-cut" "SIPAE-3.3.5.2-11" "the flight of ServerHello goes out without its last message";
        ForgetsAtLongFlight "forgets-at-long-flight" "SIPAE-3.3.5.2-21" "a flight of more than 16 KiB ends every association";
        AnswersWithTls13 "answers-with-tls-1-3" "SIPAE-3.2.5.1-32" "ServerHello says TLS 1.3";
        AcceptsExpiredCertificate "accepts-expired-certificate" "SIPAE-3.3.5.2-12" "a certificate of a while ago is accepted";
        AcceptsFutureCertificate "accepts-future-certificate" "SIPAE-3.3.5.2-12" "a certificate of some time from now is accepted";
        CertificateOfNobody "certificate-of-nobody" "SIPAE-3.3.5.2-12" "a certificate that names no user is taken for that of From";
        CutsHmac "cuts-hmac" "SIPAE-3.2.4.1-29" "TLS-DSK signatures are the first 12 octets of an HMAC";
        RefusesOtherHops "refuses-other-hops" "SIPAE-3.1-09" "a request whose Max-Forwards is not 70 is not understood";
        LowersCrand "lowers-crand" "SIPAE-2.2-09" "crand is written in lower case before the signature is verified";
        ForgivesNames "forgives-names" "SIPAE-2.2-02" "characters that no name has are skipped in names of parameters";
        TakesZeros "takes-zeros" "SIPAE-3.3.5.3-04" "a signature of zeros is accepted";
        IgnoresToTag "ignores-to-tag" "SIPAE-3.3.5.3-03" "a message whose signature fits without the tag of To is accepted";
        FindsByEndpoint "finds-by-endpoint" "SIPAE-3.3.5.3-02" "a signed message of unknown opaque is verified with the association of its endpoint";
        ServesAnyEndpoint "serves-any-endpoint" "SIPAE-3.3.5.3-07" "an association serves whatever endpoint of its user";
        IgnoresRealmCase "ignores-realm-case" "SIPAE-3.3.5.1-02" "a realm in other letters is taken for the own one";
        TakesKeysOfUser "takes-keys-of-user" "SIPAE-3.3.5.3-04" "what any association of the user has signed is accepted";
        RegistersReplay "registers-replay" "SIPAE-3.1.1-05" "a REGISTER whose number was accepted before is accepted";
        AcceptsUnsignedOptions "accepts-unsigned-options" "SIPAE-3.1-01" "an unsigned OPTIONS of a known endpoint is accepted";
        RefreshUnsigned "refresh-unsigned" "SIPAE-3.3.4.1-01" "the answer to a REGISTER with Expires above 0 is not signed";
        MendsPadding "mends-padding" "SIPAE-2.2-08" "surplus padding of Base64 is cut off";
        IgnoresTokenType "ignores-token-type" "SIPAE-3.3.5.2-21" "whatever NTLM message comes last is read as an AUTHENTICATE";
        ComparesBeginning "compares-beginning" "SIPAE-5.1-04" "only the first 11 octets of a signature are compared";
    }
    client {
        DropsProxyCredential "drops-proxy-credential" "SIPAE-3.2.5.1-28" "the credential for a proxy before the server is left out once the server has challenged";
        IgnoresServerName "ignores-server-name" "SIPAE-3.2.5.1-17" "the name in the server's certificate is not compared with targetname";
        RegistersAnonymously "registers-anonymously" "SIPAE-3.2.4.3-01" "a REGISTER from the anonymous address comes before the join";
        ConstantAnonymousUser "constant-anonymous-user" "SIPAE-3.2.4.3-02" "the anonymous address is the same each time";
        AnonymousElsewhere "anonymous-elsewhere" "SIPAE-3.2.4.3-03" "the anonymous address is at another host";
        ContactOfHost "contact-of-host" "SIPAE-3.2.4.3-04" "Contact of an anonymous join is the host";
        JoinsByNtlm "joins-by-ntlm" "SIPAE-3.2.5.5-01" "an anonymous join begins NTLM where that is offered too";
        MistakesDigestMethod "mistakes-digest-method" "SIPAE-3.2.5.5-01" "the response to a Digest challenge is computed for REGISTER";
        OtherDigestRealm "other-digest-realm" "SIPAE-3.2.5.5-01" "a Digest challenge is answered for another realm";
        AnswersByMd5 "answers-by-md5" "SIPAE-3.2.5.5-02" "MD5-sess is answered by MD5";
        TakesUnknownAlgorithm "takes-unknown-algorithm" "SIPAE-3.2.5.5-03" "a Digest challenge of an unknown algorithm is answered by MD5";
        NonceCountStays "nonce-count-stays" "SIPAE-3.2.5.5-04" "nc stays at 1";
        DropsDigestOpaque "drops-digest-opaque" "SIPAE-3.2.5.5-05" "the opaque of the Digest challenge does not come back";
        ShowsRefusedKey "shows-refused-key" "SIPAE-3.2.5.5-06" "a key that was refused is shown again";
        ShortDigestUri "short-digest-uri" "SIPAE-3.2.5.5-07" "uri is the Request-URI without its parameters";
        ForgetsNonce "forgets-nonce" "SIPAE-3.2.5.5-08" "later requests have another nonce than the challenge";
        BareInConference "bare-in-conference" "SIPAE-3.2.5.6-01" "later requests have no credential";
        RefusesStale "refuses-stale" "SIPAE-3.2.5.6-02" "a nonce that is stale is the end";
        LosesDialogs "loses-dialogs" "SIPAE-3.2.6-02" "a call ends with its association";
        FormerAssociationGood "former-association-good" "SIPAE-3.2.5.2-08" "what the server has signed under the association that was lost is accepted";
        WindowOutlivesAssociation "window-outlives-association" "SIPAE-3.1.1-10" "numbers of the association that was lost are not accepted under the next one";
        WindowFadesInTime "window-fades-in-time" "SIPAE-3.1.1-05" "a number of the server is accepted again when it has been silent for half a minute";
        WindowOutlivesReturn "window-outlives-return" "SIPAE-3.1.1-10" "a client that has left and come back does not accept the numbers of before";
        AsksForNoIntegrity "asks-for-no-integrity" "SIPAE-3.2.5.1-12" "the context of Kerberos does not ask for integrity";
        TakesAnyTicket "takes-any-ticket" "SIPAE-3.2.5.1-13" "without a ticket for the server one for another server is used";
        RegistersUnsigned "registers-unsigned" "SIPAE-3.2.5.2-19" "an unsigned success in answer to the completing request registers the client";
        BelievesUnsigned "believes-unsigned" "SIPAE-3.2.5.2-11" "an unsigned answer to a signed request is believed";
        AnswersUnsignedRequest "answers-unsigned-request" "SIPAE-3.2.5.2-11" "an unsigned request is answered inside an association";
        BelievesForgery "believes-forgery" "SIPAE-3.2.5.2-08" "a wrong signature of the server is accepted";
        BelievesUnreadable "believes-unreadable" "SIPAE-3.2.5.2-17" "an rspauth that is no hexadecimal text is accepted";
        BelievesBeginning "believes-beginning" "SIPAE-3.2.5.2-17" "only as much of rspauth is compared as there is";
        BelievesIncomplete "believes-incomplete" "SIPAE-3.2.5.2-18" "a signature that lacks a parameter is accepted";
        CrashesOnEmptyRspauth "crashes-on-empty-rspauth" "SIPAE-3.2.5.2-17" "an empty rspauth is the end of the client";
        WantsLowerDigits "wants-lower-digits" "SIPAE-3.2.5.2-17" "an rspauth in upper-case digits is refused";
        UppersSrand "uppers-srand" "SIPAE-3.2.5.2-07" "srand is written in upper case before the signature is verified";
        BelievesReplay "believes-replay" "SIPAE-3.2.5.2-09" "the client keeps no window: a number is accepted again";
        BelievesOldNumbers "believes-old-numbers" "SIPAE-3.1.1-07" "numbers below the window are accepted by the client";
        RefusesServerGaps "refuses-server-gaps" "SIPAE-3.1.1-08" "a number of the server is refused if one before it has not come";
        RefusesLowerNumbers "refuses-lower-numbers" "SIPAE-3.1.1-04" "a number of the server below the last one is refused";
        WindowOfClientStays "window-of-client-stays" "SIPAE-3.1.1-03" "numbers of the server above 256 are refused";
        ForgeryMovesClient "forgery-moves-client" "SIPAE-3.1.1-09" "a forged number moves the window of the client";
        NarrowWindow "narrow-window" "SIPAE-3.1.1-02" "the window of the client is 128 numbers wide";
        IgnoresRealm "ignores-realm" "SIPAE-3.2.5.2-02" "realm in Authentication-Info is not looked at";
        IgnoresTargetname "ignores-targetname" "SIPAE-3.2.5.2-03" "targetname in Authentication-Info is not looked at";
        IgnoresRealmLetters "ignores-realm-letters" "SIPAE-2.2-12" "realm in Authentication-Info is compared without regard to case";
        BelievesAnyStatus "believes-any-status" "SIPAE-3.2.5.2-23" "the status is left out where the client verifies";
        BelievesOtherLayout "believes-other-layout" "SIPAE-3.2.5.2-15" "a signature over the short buffer is accepted at version 4";
        VersionOfMessage "version-of-message" "SIPAE-3.2.5.2-15" "version in Authentication-Info chooses the layout, and none is version 2";
        IgnoresIdentity "ignores-identity" "SIPAE-3.2.4.2-03" "P-Asserted-Identity is left out where the client verifies";
        BelievesReflection "believes-reflection" "SIPAE-3.2.5.2-21" "a signature of the client itself is taken for the server's";
        OwnSignatureFieldOnly "own-signature-field-only" "SIPAE-3.2.5.2-16" "signatures are found in the field of the own kind only";
        FirstSignatureOnly "first-signature-only" "SIPAE-3.2.5.2-14" "of several signatures only the first one is looked at";
        AnyStartLine "any-start-line" "SIPAE-3.2.5.2-24" "the method of the start line is not compared with that of CSeq";
        TryingEndsAll "trying-ends-all" "SIPAE-3.2.5.2-12" "an unsigned 100 is taken for a failure";
        RequestsUnsigned "requests-unsigned" "SIPAE-3.2.4.1-01" "requests inside an association are not signed";
        ResponsesUnsigned "responses-unsigned" "SIPAE-3.2.4.1-03" "responses are not signed";
        AckUnsigned "ack-unsigned" "SIPAE-3.2.4.1-02" "ACK is not signed";
        CancelUnsigned "cancel-unsigned" "SIPAE-3.2.4.1-02" "CANCEL is not signed";
        AckLikeInvite "ack-like-invite" "SIPAE-3.2.4.1-31" "ACK is signed as if it were the INVITE";
        CrandRepeats "crand-repeats" "SIPAE-3.2.4.1-13" "crand is the same in every message";
        CnumRepeats "cnum-repeats" "SIPAE-3.2.4.1-14" "cnum goes up for requests only";
        FirstCnumTwo "first-cnum-two" "SIPAE-3.2.4.1-14" "the first message signed with a new association has cnum 2";
        SignsWithoutOpaque "signs-without-opaque" "SIPAE-3.2.4.1-16" "signed messages have no opaque";
        SignsWithToken "signs-with-token" "SIPAE-3.2.4.1-17" "signed messages have gssapi-data";
        ShortLayout "short-layout" "SIPAE-3.2.4.1-04" "the short buffer is signed at every version";
        LongLayout "long-layout" "SIPAE-3.2.4.1-05" "the long buffer is signed at every version";
        SignsLowerUris "signs-lower-uris" "SIPAE-3.2.4.1-07" "URIs are written in lower case before the client signs";
        LeavesWithoutExpires "leaves-without-expires" "SIPAE-3.2.4.1-12" "Expires: 0 is left out of the signature buffer";
        SignsInInfoField "signs-in-info-field" "SIPAE-3.2.4.1-03" "responses carry Authentication-Info";
        SignsStrippedTarget "signs-stripped-target" "SIPAE-3.2.4.1-09" "targetname is signed without its sip/";
        CompletesWithoutSignature "completes-without-signature" "SIPAE-3.2.4.1-19" "at version 4 the completing request is not signed";
        CompletesWithToken "completes-with-token" "SIPAE-3.2.4.1-21" "the signed request of TLS-DSK has gssapi-data";
        CredentialTwice "credential-twice" "SIPAE-3.2.4.1-15" "a signed request carries its credential twice";
        AuthenticatesAhead "authenticates-ahead" "SIPAE-3.1-06" "the first request has a credential";
        AsksBeforeRegistering "asks-before-registering" "SIPAE-3.1-07" "an OPTIONS goes before the first REGISTER";
        EpidLeftOut "epid-left-out" "SIPAE-3.2.1-07" "From of a REGISTER has no epid once a token is sent";
        EpidChanges "epid-changes" "SIPAE-3.2.1-07" "every REGISTER has another epid";
        PrefersTwo "prefers-two" "SIPAE-3.2.4.2-02" "P-Preferred-Identity has two sip URIs";
        AssertsItself "asserts-itself" "SIPAE-3.2.4.2-06" "the client sends P-Asserted-Identity";
        CseqStays "cseq-stays" "SIPAE-3.2.5.1-08" "the repeat has the CSeq of the first request";
        CallIdChanges "call-id-changes" "SIPAE-3.2.5.1-08" "the repeat has another Call-ID";
        FromTagChanges "from-tag-changes" "SIPAE-3.2.5.1-08" "the repeat has another From tag";
        BranchStays "branch-stays" "SIPAE-3.2.5.1-08" "the repeat has the Via branch of the first request";
        BeginsWithNegotiate "begins-with-negotiate" "SIPAE-3.2.5.1-09" "NTLM begins with a NEGOTIATE";
        EchoesLowerRealm "echoes-lower-realm" "SIPAE-3.2.5.1-06" "realm comes back in lower case";
        EchoesUpperOpaque "echoes-upper-opaque" "SIPAE-3.2.5.1-18" "opaque comes back in upper case";
        StopsAtUnknownScheme "stops-at-unknown-scheme" "SIPAE-3.2.5.1-03" "an unknown scheme among the challenges is the end of it";
        AnswersBasic "answers-basic" "SIPAE-3.2.5.1-03" "Basic is answered";
        AnswersWithoutTarget "answers-without-target" "SIPAE-3.2.5.1-04" "a challenge without targetname is answered with one that was made up";
        InventsTarget "invents-target" "SIPAE-3.2.5.1-04" "a challenge without any line is answered";
        StopsAtMalformedLine "stops-at-malformed-line" "SIPAE-3.2.5.1-04" "a malformed challenge line is the end of it";
        WantsDate "wants-date" "SIPAE-3.2.5.1-24" "a challenge whose Date cannot be read is not answered";
        OneKindOnly "one-kind-only" "SIPAE-3.2.5.1-01" "a 407 is not answered";
        TriesForEver "tries-for-ever" "SIPAE-3.2.5.1-21" "the same credentials are shown as often as they are refused";
        BeginsForEver "begins-for-ever" "SIPAE-3.2.5.1-29" "a handshake is begun anew at every challenge";
        TakesAnyContinuation "takes-any-continuation" "SIPAE-3.2.5.1-20" "a continuation is taken whatever its realm and targetname";
        AnswersTwice "answers-twice" "SIPAE-3.2.5.1-21" "a second CHALLENGE is answered too";
        AnswersBadChallenge "answers-bad-challenge" "SIPAE-3.2.5.1-10" "a CHALLENGE that cannot be read is answered";
        ReadsPastTargetInfo "reads-past-target-info" "SIPAE-3.2.5.1-10" "a TargetInfo that lies behind the end of the CHALLENGE is taken for an empty one";
        CrashesOnShortChallenge "crashes-on-short-challenge" "SIPAE-3.2.5.1-10" "a CHALLENGE that is cut off is the end of the client";
        SendsBareApReq "sends-bare-ap-req" "SIPAE-3.2.5.1-11" "the AP-REQ goes out without GSS framing";
        KeepsLostAssociation "keeps-lost-association" "SIPAE-3.2.5.1-22" "a challenge inside an association is answered by signing again";
        ReturnsWhileLeaving "returns-while-leaving" "SIPAE-3.2.5.1-23" "a challenge to a de-registration begins a new handshake";
        RepeatsCancel "repeats-cancel" "SIPAE-3.2.5.1-26" "a challenged CANCEL is sent again";
        LeavesChallengedInvite "leaves-challenged-invite" "SIPAE-3.2.5.1-27" "a challenged INVITE has no ACK";
        RefusalRegisters "refusal-registers" "SIPAE-3.2.5.1-30" "a signed 403 counts as a registration";
        CallsForgedContact "calls-forged-contact" "SIPAE-3.2.5.2-20" "the Contact of a 2xx is used before its signature is verified";
        NamesIdentity "names-identity" "SIPAE-3.2.4.4-03" "REFER has ms-identity";
        StaysAfterLeaving "stays-after-leaving" "PATENT-0044" "the association outlives the registration";
        ClientNeverExpires "client-never-expires" "SIPAE-3.2.2-01" "the association is never renewed";
        RenewsLate "renews-late" "SIPAE-3.2.2-05" "the association is renewed when it ends, and not before";
        NeverRefreshes "never-refreshes" "SIPAE-3.2.2-06" "the registration is never refreshed";
        RefreshesAtOnce "refreshes-at-once" "SIPAE-3.2.2-06" "a registration is refreshed as soon as it is granted";
        OldTimerStays "old-timer-stays" "SIPAE-3.2.2-07" "the timer of a lost association renews the one that replaced it";
        TellsTwoServersTheSame "tells-two-servers-the-same" "SIPAE-3.2.4.1-23" "a second server is shown the credentials of the first again and again";
        VerifiesHalfBuilt "verifies-half-built" "SIPAE-3.2.1-04" "a signed success inside the handshake registers the client, whatever its signature";
        KeepAlivesBreak "keep-alives-break" "SIPAE-3.3.5.1-18" "empty lines before a message of the server are taken for a broken one";
        LongNamesOnly "long-names-only" "SIPAE-2.2-20" "compact names of header fields are not known to the client";
        SignatureOrderMatters "signature-order-matters" "SIPAE-2.2-03" "parameters of a signature are understood in one order only";
        UnknownParamSpoils "unknown-param-spoils" "SIPAE-2.2-15" "a signature with unknown parameters is not understood";
        SignsCompletingAlways "signs-completing-always" "SIPAE-3.2.4.1-20" "the completing request is signed at every version, which is written down";
        CrossesFields "crosses-fields" "SIPAE-3.2.4.1-22" "the credential for a 401 stands in Proxy-Authorization, which is written down";
        AuthenticatesForStreams "authenticates-for-streams" "SIPAE-3.2.5.1-10" "AUTHENTICATE has no DATAGRAM";
        KerberosBeginsEmpty "kerberos-begins-empty" "SIPAE-3.1-03" "Kerberos begins with an empty token, as NTLM does";
        TlsDskBeginsTwice "tls-dsk-begins-twice" "SIPAE-3.1-04" "the first flight of a server is answered by another first flight";
        BeginsTwice "begins-twice" "SIPAE-3.2.5.1-19" "the first CHALLENGE is answered by another empty token";
        AddsToFlights "adds-to-flights" "SIPAE-3.2.5.1-14" "flights have an octet too many";
        CutsFlight "cuts-flight" "SIPAE-3.2.5.1-15" "the client's flight ends before ChangeCipherSpec";
        ReconnectsWhenChallenged "reconnects-when-challenged" "SIPAE-3.2.5.1-25" "the first challenge is answered over another connection, which is written down";
        ChangesQop "changes-qop" "PATENT-0011" "qop is auth-int";
        SignsWithVersion "signs-with-version" "SIPAE-3.2.4.1-18" "signed messages have version, which is written down";
        TakesDisplayName "takes-display-name" "SIPAE-3.2.4.1-10" "the URI of From is the first that stands in brackets, in a display name too";
        CutsUriParameters "cuts-uri-parameters" "SIPAE-3.2.4.1-10" "URI parameters are left out where the client verifies";
        CountsContactExpires "counts-contact-expires" "SIPAE-3.2.4.1-11" "expires of Contact is taken for Expires where the client verifies";
        ZeroIsNothing "zero-is-nothing" "SIPAE-3.2.4.1-12" "Expires: 0 is left out where the client verifies";
        CoversOnBehalf "covers-on-behalf" "SIPAE-3.2.4.5-03" "a request with p-session-on-behalf-of does not verify";
        EvaluatesIdentity "evaluates-identity" "SIPAE-3.2.4.4-03" "a request with ms-identity is refused";
        ClientHeaderCase "client-header-case" "SIPAE-2.2-20" "names of header fields are known to the client in one spelling only";
        FoldsEndSignatures "folds-end-signatures" "SIPAE-2.2-20" "a folded signature is not understood";
        RefusesAsserted "refuses-asserted" "SIPAE-3.2.5.3-01" "a request with P-Asserted-Identity does not verify";
        DialogUnsigned "dialog-unsigned" "SIPAE-3.2.4.1-01" "BYE and REFER are not signed";
        RingingIsAnAnswer "ringing-is-an-answer" "SIPAE-3.2.5.2-12" "an unsigned 180 is taken for the answer";
        AnyCseqMethod "any-cseq-method" "SIPAE-3.2.5.2-24" "the method in CSeq of an answer is not compared";
        CrashesOnLongRspauth "crashes-on-long-rspauth" "SIPAE-3.2.5.2-17" "an rspauth that does not fit is the end of the client";
        PrefersNtlm "prefers-ntlm" "SIPAE-3.2.5.1-02" "NTLM goes before the other schemes, which is written down";
        BelievesInItself "believes-in-itself" "SIPAE-3.2.5.1-21" "refused credentials are taken for an association";
        MendsBase64 "mends-base64" "SIPAE-3.2.5.1-10" "a token that is no Base64 is taken for a CHALLENGE";
        GoesOnAfterBadFlight "goes-on-after-bad-flight" "SIPAE-3.2.5.1-15" "a flight that cannot be read is answered";
        DoubtsSuccess "doubts-success" "SIPAE-3.2.5.1-30" "a signed success registers nobody";
        BodyIsSigned "body-is-signed" "SIPAE-3.1-09" "a request with another body than none is refused";
    }
}

impl Defect {
    /// The schemes with which it shows.
    #[must_use]
    pub const fn schemes(self) -> &'static [Scheme] {
        match self {
            Self::KerberosTargetnameIsHost
            | Self::ContinuesAfterApReq
            | Self::KerberosAnswerWithoutOpaque
            | Self::AcceptsSkewedTicket
            | Self::RefusesSlightSkew
            | Self::AcceptsExpiredTicket
            | Self::AcceptsFutureTicket
            | Self::AcceptsApReqAgain
            | Self::AcceptsUnprovenTicket
            | Self::SignsWithWrapToken => &[Scheme::Kerberos],
            Self::TlsDskWithoutStsUri
            | Self::CompletesAtClientFlight
            | Self::ServerFlightIsCut
            | Self::AnswersWithTls13
            | Self::ForgetsAtLongFlight
            | Self::AcceptsExpiredCertificate
            | Self::AcceptsFutureCertificate
            | Self::CertificateOfNobody
            | Self::CutsHmac => &[Scheme::TlsDsk],
            Self::DigestRealmOfServer
            | Self::DigestWithoutQop
            | Self::DigestWithoutDate
            | Self::OffersPlainMd5
            | Self::NonceRepeats
            | Self::NonceNeverExpires
            | Self::AcceptsWrongDigest
            | Self::WrongPinIsStale
            | Self::AcceptsAnyDigestRealm
            | Self::AdmitsToClosedConference
            | Self::AnyMethodJoins
            | Self::SessionForEveryConference
            | Self::AcceptsReplayedCount
            | Self::IgnoresDigestUri
            | Self::IgnoresDigestMethod
            | Self::NonceForEverybody
            | Self::ChallengesAnonymousAck
            | Self::RegistersAnonymously
            | Self::ConstantAnonymousUser
            | Self::AnonymousElsewhere
            | Self::ContactOfHost
            | Self::JoinsByNtlm
            | Self::MistakesDigestMethod
            | Self::OtherDigestRealm
            | Self::AnswersByMd5
            | Self::TakesUnknownAlgorithm
            | Self::NonceCountStays
            | Self::DropsDigestOpaque
            | Self::ShowsRefusedKey
            | Self::ShortDigestUri
            | Self::ForgetsNonce
            | Self::BareInConference
            | Self::RefusesStale => &[Scheme::Digest],
            Self::OutlivesCredentials => &[Scheme::Kerberos, Scheme::TlsDsk],
            Self::AcceptsUnreadableToken | Self::HandshakeWithForeignFrom => &Scheme::SIGNING,
            Self::DigestForAnonymous => &[Scheme::Ntlm, Scheme::Digest],
            Self::SignsStrippedTarget | Self::SendsBareApReq | Self::AsksForNoIntegrity => {
                &[Scheme::Kerberos]
            }
            Self::CompletesWithToken
            | Self::AddsToFlights
            | Self::CutsFlight
            | Self::IgnoresServerName
            | Self::GoesOnAfterBadFlight => &[Scheme::TlsDsk],
            _ => &[Scheme::Ntlm],
        }
    }
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
