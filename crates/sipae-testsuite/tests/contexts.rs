//! NTLM contexts made by one side and accepted by the other, in every form that the flags allow.

use rstest::rstest;
use sipae::ntlm::{Answer, Authenticate, Challenge, NegotiateFlags, NtlmError, ResponseKind, SessionKeys};
use sipae::sa::Context;
use sipae::side::Side;

const PASSWORD: &str = "Pa$$word";

fn answer(flags: NegotiateFlags, response: ResponseKind) -> Answer<'static> {
    Answer {
        user: "Jürgen",
        domain: "CONTOSO",
        password: PASSWORD,
        workstation: "PC",
        flags,
        client_challenge: *b"clientch",
        random_session_key: *b"random-sessionk!",
        time: [7; 8],
        response,
        with_mic: false,
    }
}

fn challenge(flags: NegotiateFlags) -> Challenge {
    Challenge::for_server(flags, *b"serverch", "CONTOSO", "server.contoso.com")
}

/// A server reads back what a client made, and derives the same keys.
#[rstest]
fn both_sides_derive_the_same_keys(
    #[values(ResponseKind::NtlmV2, ResponseKind::NtlmV1)] response: ResponseKind,
    #[values(NegotiateFlags(0), NegotiateFlags::EXTENDED_SESSIONSECURITY)] without_extended: NegotiateFlags,
    #[values(NegotiateFlags(0), NegotiateFlags::KEY_EXCH)] without_exchange: NegotiateFlags,
    #[values(NegotiateFlags(0), NegotiateFlags::KEY_128, NegotiateFlags::UNICODE)]
    without_other: NegotiateFlags,
) {
    let flags =
        NegotiateFlags::CLIENT.without(without_extended).without(without_exchange).without(without_other);
    let challenge = challenge(NegotiateFlags::SERVER);
    let mut answer = answer(flags, response);
    if !flags.contains(NegotiateFlags::UNICODE) {
        answer.user = "Jurgen";
    }
    let (made, client) = Authenticate::answer(&challenge, &answer).expect("an answer");
    let read = Authenticate::read(&made.write(&Authenticate::PAYLOAD)).expect("a token");
    assert_eq!(read, made);
    let server = read.verify(&challenge, PASSWORD).expect("the password is right");
    assert_eq!(server, client);
    assert_eq!(read.verify(&challenge, "guess"), Err(NtlmError::Proof));
    let other = Challenge { server_challenge: *b"otherch.", ..challenge };
    assert_eq!(read.verify(&other, PASSWORD), Err(NtlmError::Proof));
    signs_both_ways(&client, &server, flags);
}

/// SIPAE-3.2.5.2-21: with extended session security a signature is good in one direction only.
fn signs_both_ways(client: &SessionKeys, server: &SessionKeys, flags: NegotiateFlags) {
    let (client, server) = (Context::ntlm(client).expect("signs"), Context::ntlm(server).expect("signs"));
    let signature = client.sign(Side::Client, b"<NTLM>");
    assert!(server.verify(Side::Client, b"<NTLM>", &signature));
    assert!(!server.verify(Side::Client, b"<ntlm>", &signature));
    let is_directed = flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    assert_eq!(server.verify(Side::Server, b"<NTLM>", &signature), !is_directed);
}

/// SIPAE-3.2.5.2-25: a context without SIGN must not become an association.
#[test]
fn a_context_that_negotiated_no_signing_is_refused() {
    let flags = NegotiateFlags::CLIENT.without(NegotiateFlags::SIGN);
    let (_, keys) =
        Authenticate::answer(&challenge(NegotiateFlags::SERVER), &answer(flags, ResponseKind::NtlmV2))
            .expect("keys");
    assert!(Context::ntlm(&keys).is_none());
}

/// [MS-NLMP] 3.1.5.2.1: the MIC covers CHALLENGE and AUTHENTICATE.
#[test]
fn a_mic_covers_both_messages() {
    let challenge = challenge(NegotiateFlags::SERVER);
    let sent = challenge.write(&Challenge::PAYLOAD);
    let with_mic = Answer { with_mic: true, ..answer(NegotiateFlags::CLIENT, ResponseKind::NtlmV2) };
    let (mut made, keys) = Authenticate::answer(&challenge, &with_mic).expect("an answer");
    made.set_mic(&keys.exported, &[&sent], &Authenticate::PAYLOAD);
    let token = made.write(&Authenticate::PAYLOAD);
    assert_eq!(Authenticate::check_mic(&token, &keys.exported, &[&sent]), Ok(()));
    for altered in 72..token.len() {
        let mut token = token.clone();
        token[altered] ^= 1;
        let checked = Authenticate::check_mic(&token, &keys.exported, &[&sent]);
        let announces = Authenticate::read(&token).is_ok_and(|read| read.mic.is_some());
        assert!(checked.is_err() || !announces, "octet {altered}");
    }
    let mut other = sent;
    other[24] ^= 1;
    assert_eq!(Authenticate::check_mic(&token, &keys.exported, &[&other]), Err(NtlmError::Integrity));
}

/// SIPAE-3.3.5.2-29: the keys of these kinds are public.
#[rstest]
#[case(Authenticate { user: Vec::new(), ..made() })]
#[case(Authenticate { nt_response: Vec::new(), ..made() })]
#[case(Authenticate { flags: NegotiateFlags::CLIENT | NegotiateFlags::ANONYMOUS, ..made() })]
fn an_anonymous_authenticate_gives_no_keys(#[case] anonymous: Authenticate) {
    assert_eq!(anonymous.verify(&challenge(NegotiateFlags::SERVER), PASSWORD), Err(NtlmError::Anonymous));
}

fn made() -> Authenticate {
    let answer = answer(NegotiateFlags::CLIENT, ResponseKind::NtlmV2);
    Authenticate::answer(&challenge(NegotiateFlags::SERVER), &answer).expect("an answer").0
}

/// Peers lie about lengths: a descriptor that points outside the token, into its fixed part, or wraps around.
#[rstest]
#[case(12, [4, 0, 4, 0, 0xFF, 0xFF, 0xFF, 0xFF])]
#[case(20, [0xFF, 0xFF, 0xFF, 0xFF, 72, 0, 0, 0])]
#[case(36, [2, 0, 2, 0, 12, 0, 0, 0])]
#[case(52, [16, 0, 16, 0, 0xF0, 0xFF, 0xFF, 0x7F])]
fn a_descriptor_that_lies_is_refused(#[case] descriptor: usize, #[case] lie: [u8; 8]) {
    let mut token = made().write(&Authenticate::PAYLOAD);
    token[descriptor..descriptor + 8].copy_from_slice(&lie);
    assert!(matches!(Authenticate::read(&token), Err(NtlmError::Payload { .. })));
}
