//! NTLM tokens: [`Negotiate`], [`Challenge`], [`Authenticate`], [`AvPairs`].

use sipae::ntlm::{
    Answer, Authenticate, AvPair, AvPairs, AvValue, Challenge, DatagramMac, Negotiate, NegotiateFlags,
    Payload, PayloadField, ResponseKind, SessionKeys,
};
use sipae::side::Side;

const PASSWORD: &str = "alice-secret";

/// What reads can be written and reads the same, whatever the token holds; an answer to any CHALLENGE verifies, and
/// verifying never panics.
pub fn ntlm(data: &[u8]) {
    av_pairs(data);
    negotiate(data);
    challenge(data);
    authenticate(data);
    mac(data);
}

fn av_pairs(data: &[u8]) {
    let Ok(pairs) = AvPairs::read(data) else { return };
    let written = pairs.write();
    assert!(data.starts_with(written.get(..written.len() - 4).unwrap_or_default()));
    assert_eq!(AvPairs::read(&written).as_ref(), Ok(&pairs));
    for pair in &pairs.0 {
        if let AvValue::Text(text) = pair.decoded() {
            assert_eq!(&AvPair::text(pair.id, &text), pair);
        }
    }
}

fn negotiate(data: &[u8]) {
    let Ok(mut message) = Negotiate::read(data) else { return };
    let payload = Payload { order: &[PayloadField::Domain, PayloadField::Workstation] };
    let again = Negotiate::read(&message.write(&payload));
    // The writer always leaves room for Version.
    message.version = message.version.or(Some([0; 8]));
    assert_eq!(again, Ok(message));
}

fn challenge(data: &[u8]) {
    let Ok(mut message) = Challenge::read(data) else { return };
    let again = Challenge::read(&message.write(&Challenge::PAYLOAD));
    message.version = message.version.or(Some([0; 8]));
    assert_eq!(again.as_ref(), Ok(&message));
    assert!(message.av_pairs().is_ok());
    drop((message.target_name_text(), message.check_for_sip()));
    for response in [ResponseKind::NtlmV2, ResponseKind::NtlmV1] {
        for with_mic in [false, true] {
            answer(&message, response, with_mic);
        }
    }
}

/// The flags of the client are the fuzzer's choice too: those of the CHALLENGE, but never the anonymous kind.
fn answer(challenge: &Challenge, response: ResponseKind, with_mic: bool) {
    let answer = Answer {
        user: "alice",
        domain: "CONTOSO",
        password: PASSWORD,
        workstation: "SIPAE",
        flags: challenge.flags.without(NegotiateFlags::ANONYMOUS),
        client_challenge: [0xAA; 8],
        random_session_key: [0x55; 16],
        time: [0; 8],
        response,
        with_mic,
    };
    let answered = Authenticate::answer(challenge, &answer);
    let Ok((message, keys)) = answered else { panic!("{answered:?} to {challenge:?}") };
    assert_eq!(message.verify(challenge, PASSWORD).as_ref(), Ok(&keys));
    assert!(message.verify(challenge, "guess").is_err());
    if message.nt_response.len() < usize::from(u16::MAX) {
        token_verifies(challenge, message, &keys);
    }
}

fn token_verifies(challenge: &Challenge, mut message: Authenticate, keys: &SessionKeys) {
    let before = challenge.write(&Challenge::PAYLOAD);
    if message.mic.is_some() {
        message.set_mic(&keys.exported, &[&before], &Authenticate::PAYLOAD);
    }
    let token = message.write(&Authenticate::PAYLOAD);
    assert_eq!(Authenticate::read(&token).as_ref(), Ok(&message));
    assert_eq!(Authenticate::check_mic(&token, &keys.exported, &[&before]), Ok(()));
}

fn authenticate(data: &[u8]) {
    let Ok(mut message) = Authenticate::read(data) else { return };
    let again = Authenticate::read(&message.write(&Authenticate::PAYLOAD));
    message.version = message.version.or(Some([0; 8]));
    assert_eq!(again.as_ref(), Ok(&message));
    drop((message.user_text(), message.domain_text(), message.workstation_text(), message.revision()));
    drop(Authenticate::check_mic(data, &[0x55; 16], &[data]));
    for challenge in [Challenge::default(), Challenge { server_challenge: [0xFF; 8], ..Challenge::default() }]
    {
        // A kept AUTHENTICATE may be the right answer to a CHALLENGE, but not under this password.
        assert!(message.verify(&challenge, "no such password").is_err());
    }
}

/// A signature verifies over its buffer and over no other, with keys made of any flags.
fn mac(data: &[u8]) {
    let Some((flags, buffer)) = data.split_first_chunk::<4>() else { return };
    let keys = SessionKeys::new(NegotiateFlags(u32::from_le_bytes(*flags)), [0x55; 16], 0x0F);
    for mode in [Side::Client, Side::Server] {
        let Some(mac) = DatagramMac::for_sip(&keys, mode) else { continue };
        let signature = mac.sign(buffer);
        assert!(mac.verify(buffer, &signature));
        assert!(!mac.verify(&[buffer, b"x"].concat(), &signature));
        assert!(!mac.verify(buffer, signature.get(1..).unwrap_or_default()));
    }
}
