//! NTLM tokens and signatures.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sipae::ntlm::{
    Authenticate, AvId, AvPair, AvPairs, Challenge, DatagramMac, MacOptions, Negotiate, NegotiateFlags,
    Payload, PayloadField, SEQUENCE_NUMBER,
};
use sipae_vectors::inputs::{NtlmMessage, NtlmMessageFields};
use sipae_vectors::{Hex, Operation, Vector};

use super::mutate::octets_or_mutated;
use super::returns;
use crate::vectors;

/// Every real token that a vector holds.
fn tokens() -> Vec<Vec<u8>> {
    vectors::files().iter().flat_map(|file| &file.vectors).flat_map(tokens_of).map(|token| token.0).collect()
}

fn tokens_of(vector: &Vector) -> Vec<Hex> {
    match &vector.operation {
        Operation::NtlmMessage(_) => vec![expected_message(vector)],
        Operation::NtlmProof(inputs) => vec![inputs.challenge.clone(), inputs.authenticate.clone()],
        Operation::NtlmExchange(inputs) => vec![inputs.challenge.clone(), inputs.authenticate.clone()],
        Operation::NtlmAuthMic(inputs) => {
            vec![inputs.challenge.clone(), inputs.authenticate_mic_zeroed.clone()]
        }
        _ => Vec::new(),
    }
}

fn expected_message(vector: &Vector) -> Hex {
    let message = vector.expected.get("message").and_then(|message| message.as_str()).expect("a message");
    message.parse().expect("octets")
}

/// Reads the token as each of the three messages, and all that is in it.
fn read_all(token: &[u8], own_challenge: &Challenge) {
    returns(Negotiate::read(token));
    returns(AvPairs::read(token).map(|pairs| pairs.0.iter().map(AvPair::decoded).count()));
    if let Ok(challenge) = Challenge::read(token) {
        returns((challenge.target_name_text(), challenge.av_pairs(), challenge.check_for_sip()));
    }
    if let Ok(message) = Authenticate::read(token) {
        returns((message.user_text(), message.domain_text(), message.workstation_text(), message.revision()));
        returns(message.verify(own_challenge, "Pa$$word"));
        returns(Authenticate::check_mic(token, &[0; 16], &[token]));
    }
}

/// The order of a vector, without the fields whose descriptor is all zero.
fn order(inputs: &NtlmMessage) -> Vec<PayloadField> {
    let zero = match &inputs.fields {
        NtlmMessageFields::Negotiate(fields) => &fields.zero_descriptors,
        NtlmMessageFields::Challenge(fields) => &fields.zero_descriptors,
        NtlmMessageFields::Authenticate(fields) => &fields.zero_descriptors,
    };
    let field = |name: &String| PayloadField::ALL.into_iter().find(|field| field.name() == name);
    inputs.payload_order.iter().filter(|name| !zero.contains(name)).filter_map(field).collect()
}

#[test]
fn every_message_of_the_vectors_is_written_again_as_it_was_read() {
    for vector in vectors::files().iter().flat_map(|file| &file.vectors) {
        let Operation::NtlmMessage(inputs) = &vector.operation else { continue };
        let (order, token) = (order(inputs), expected_message(vector).0);
        let payload = Payload { order: &order };
        let written = match inputs.fields {
            NtlmMessageFields::Negotiate(_) => Negotiate::read(&token).map(|message| message.write(&payload)),
            NtlmMessageFields::Challenge(_) => Challenge::read(&token).map(|message| message.write(&payload)),
            NtlmMessageFields::Authenticate(_) => {
                Authenticate::read(&token).map(|message| message.write(&payload))
            }
        };
        assert_eq!(written, Ok(token), "{}", vector.id);
    }
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..24)
}

fn flags() -> impl Strategy<Value = NegotiateFlags> {
    any::<u32>().prop_map(NegotiateFlags)
}

fn payload(fields: &'static [PayloadField]) -> impl Strategy<Value = Vec<PayloadField>> {
    Just(fields.to_vec()).prop_shuffle()
}

fn av_pairs() -> impl Strategy<Value = AvPairs> {
    let pair = (1..20_u16, field()).prop_map(|(id, value)| AvPair { id: AvId(id), value });
    vec(pair, 0..6).prop_map(AvPairs)
}

prop_compose! {
    fn negotiate()(flags in flags(), domain in field(), workstation in field(), version: [u8; 8]) -> Negotiate {
        Negotiate { flags, domain, workstation, version: Some(version) }
    }
}

prop_compose! {
    fn challenge()(
        flags in flags(),
        target_name in field(),
        server_challenge: [u8; 8],
        target_info in prop_oneof![Just(Vec::new()), av_pairs().prop_map(|pairs| pairs.write())],
        version: [u8; 8],
    ) -> Challenge {
        Challenge { target_name, flags, server_challenge, target_info, version: Some(version) }
    }
}

/// NTLMv1, NTLMv2 or none.
fn nt_response() -> impl Strategy<Value = Vec<u8>> {
    let v2 = (vec(any::<u8>(), 44), av_pairs()).prop_map(|(head, pairs)| [head, pairs.write()].concat());
    prop_oneof![Just(Vec::new()), vec(any::<u8>(), 24), v2]
}

prop_compose! {
    fn authenticate()(
        flags in flags(),
        lm_response in prop_oneof![Just(Vec::new()), vec(any::<u8>(), 24)],
        nt_response in nt_response(),
        domain in field(),
        user in field(),
        workstation in field(),
        session_key in field(),
        version: [u8; 8],
        mic: [u8; 16],
    ) -> Authenticate {
        let version = Some(version);
        let mic = announces_mic(&nt_response).then_some(mic);
        Authenticate { flags, lm_response, nt_response, domain, user, workstation, session_key, version, mic }
    }
}

/// Whether MsvAvFlags of an NTLMv2 response has the bit of the MIC ([MS-NLMP] 2.2.2.1).
fn announces_mic(nt_response: &[u8]) -> bool {
    let pairs = nt_response.get(44..).and_then(|pairs| AvPairs::read(pairs).ok()).unwrap_or_default();
    pairs.get(AvId::Flags).and_then(<[u8]>::first).is_some_and(|flags| flags & 2 != 0)
}

fn mac() -> impl Strategy<Value = (bool, DatagramMac)> {
    let keys = (any::<[u8; 16]>(), prop_oneof![vec(any::<u8>(), 8), vec(any::<u8>(), 16)]);
    (any::<bool>(), any::<bool>(), keys).prop_map(|(extended, key_exchange, (sign_key, seal_key))| {
        let options = MacOptions { extended, key_exchange };
        let mac = DatagramMac::new(options, &sign_key, &seal_key, SEQUENCE_NUMBER).expect("a sealing key");
        (extended, mac)
    })
}

fn flip(octets: &mut [u8], bit: usize) {
    octets[bit / 8] ^= 1 << (bit % 8);
}

proptest! {
    #[test]
    fn no_octets_make_the_readers_of_tokens_panic(token in octets_or_mutated(tokens())) {
        read_all(&token, &Challenge::default());
    }

    #[test]
    fn a_negotiate_is_written_again_as_it_was_read(
        message in negotiate(),
        order in payload(&[PayloadField::Domain, PayloadField::Workstation]),
    ) {
        let payload = Payload { order: &order };
        let token = message.write(&payload);
        let read = Negotiate::read(&token);
        prop_assert_eq!(read.as_ref(), Ok(&message));
        prop_assert_eq!(read.map(|message| message.write(&payload)), Ok(token));
    }

    #[test]
    fn a_challenge_is_written_again_as_it_was_read(
        message in challenge(),
        order in payload(&[PayloadField::TargetName, PayloadField::TargetInfo]),
    ) {
        let payload = Payload { order: &order };
        let token = message.write(&payload);
        let read = Challenge::read(&token);
        prop_assert_eq!(read.as_ref(), Ok(&message));
        prop_assert_eq!(read.map(|message| message.write(&payload)), Ok(token));
    }

    #[test]
    fn an_authenticate_is_written_again_as_it_was_read(
        message in authenticate(),
        order in payload(&[
            PayloadField::LmResponse,
            PayloadField::NtResponse,
            PayloadField::Domain,
            PayloadField::User,
            PayloadField::Workstation,
            PayloadField::SessionKey,
        ]),
    ) {
        let payload = Payload { order: &order };
        let token = message.write(&payload);
        let read = Authenticate::read(&token);
        prop_assert_eq!(read.as_ref(), Ok(&message));
        prop_assert_eq!(read.map(|message| message.write(&payload)), Ok(token));
    }

    #[test]
    fn a_list_of_pairs_is_read_as_it_was_written(pairs in av_pairs()) {
        prop_assert_eq!(AvPairs::read(&pairs.write()), Ok(pairs));
    }

    #[test]
    fn a_signature_verifies_for_its_buffer((_, mac) in mac(), buffer in vec(any::<u8>(), 0..64)) {
        prop_assert!(mac.verify(&buffer, &mac.sign(&buffer)));
    }

    #[test]
    fn no_bit_of_a_signature_may_change_but_those_of_the_pad(
        (extended, mac) in mac(),
        buffer in vec(any::<u8>(), 0..64),
        bit in 0..128_usize,
    ) {
        let mut signature = mac.sign(&buffer);
        flip(&mut signature, bit);
        let is_pad = !extended && (32..64).contains(&bit);
        prop_assert_eq!(mac.verify(&buffer, &signature), is_pad);
    }

    #[test]
    fn no_bit_of_a_signed_buffer_may_change(
        (_, mac) in mac(),
        mut buffer in vec(any::<u8>(), 1..64),
        place: Index,
    ) {
        let signature = mac.sign(&buffer);
        let bit = place.index(8 * buffer.len());
        flip(&mut buffer, bit);
        prop_assert!(!mac.verify(&buffer, &signature));
    }

    #[test]
    fn a_signature_of_another_length_never_verifies(
        (_, mac) in mac(),
        buffer in vec(any::<u8>(), 0..64),
        length in 0..32_usize,
    ) {
        let mut signature = mac.sign(&buffer).to_vec();
        signature.resize(length, 0);
        prop_assert_eq!(mac.verify(&buffer, &signature), length == 16);
    }
}
