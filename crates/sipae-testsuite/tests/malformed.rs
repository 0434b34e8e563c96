//! Malformed tokens of each scheme at both reference roles: an error, no panic, and bounded memory.

use std::cell::RefCell;
use std::rc::Rc;

use allocation_counter::measure;
use rstest::rstest;
use sipae::auth::Scheme;
use sipae::client::{self, ClientConfig, ClientEvent};
use sipae::encoding::{decode_base64, encode_base64};
use sipae::kerberos::{EncryptionType, ReplayCache};
use sipae::server::ServerConfig;
use sipae::side::Side;
use sipae::version::Version;
use sipae_testsuite::kerberos::{self, NOW};

use crate::pair::{Pair, server, with_all};

/// Tokens that no side has made, whatever it is waiting for.
fn strangers() -> Vec<(&'static str, Vec<u8>)> {
    let records = [0x16, 3, 3, 0, 1, 0x0B];
    let nested = [&[0x60, 0x84, 0, 1, 0, 0][..], &[0x30, 0x80].repeat(20_000)].concat();
    vec![
        ("one octet", vec![0]),
        ("no token of anything", b"hello world".to_vec()),
        ("large", vec![0x41; 40 * 1024]),
        ("NTLMSSP alone", b"NTLMSSP\0".to_vec()),
        ("NTLM of an unknown type", [&b"NTLMSSP\0"[..], &[0xFF; 24]].concat()),
        ("NTLM whose fields lie outside", [&b"NTLMSSP\0\x02\0\0\0"[..], &[0xFF; 52]].concat()),
        ("DER of two gibibytes", vec![0x60, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, 6, 9]),
        ("DER whose length has 126 octets", [&[0x60, 0xFE][..], &[0xFF; 126]].concat()),
        ("DER of indefinite length", [&[0x60, 0x80][..], &[0; 8]].concat()),
        ("DER in DER in DER", nested),
        ("five thousand records", records.repeat(5000)),
        ("a record of 65535 octets", vec![0x16, 3, 3, 0xFF, 0xFF]),
        ("a message of 16 mebibytes", vec![0x16, 3, 3, 0, 4, 0x0B, 0xFF, 0xFF, 0xFF]),
        ("empty records", [0x16, 3, 3, 0, 0].repeat(200)),
        ("a fatal alert", vec![0x15, 3, 3, 0, 2, 2, 40]),
    ]
}

/// A token with one thing changed: cut at every length that matters, and with the least and the largest number wherever
/// its head may have a type, a length or an offset.
fn changes(token: &[u8]) -> Vec<(String, Vec<u8>)> {
    const HEAD: usize = 96;
    const CUTS: usize = 64;
    let step = token.len().div_ceil(CUTS).max(1);
    let cut = |length: usize| (format!("cut to {length}"), token[..length].to_vec());
    let cuts = (1..token.len()).filter(|length| *length < HEAD || length % step == 0).map(cut);
    let set = |place: usize, value: &[u8]| {
        let mut changed = token.to_vec();
        let end = (place + value.len()).min(changed.len());
        changed[place..end].copy_from_slice(&value[..end - place]);
        (format!("{value:02x?} at {place}"), changed)
    };
    let places = 0..token.len().min(HEAD);
    let values: [&[u8]; 4] = [&[0], &[0xFF], &[0xFF, 0x7F], &[0xFF; 4]];
    let sets = places.flat_map(|place| values.map(|value| set(place, value)));
    let longer = [1, 1024].map(|more| (format!("{more} more"), [token, &vec![0; more]].concat()));
    cuts.chain(sets).chain(longer).collect()
}

/// Client and server, whose keys are made once.
struct Room {
    client: ClientConfig,
    server: ServerConfig,
}

/// What came of a login.
struct Outcome {
    /// The token that was to be changed, as its maker sent it; none if there is none in that place.
    token: Option<Vec<u8>>,
    is_established: bool,
    errors: usize,
    /// The most octets at once.
    memory: u64,
}

/// A login in which the token in this place on the way to this side is another one.
fn login(room: &Room, to: Side, place: usize, other: Option<&[u8]>) -> Outcome {
    let seen = Rc::new(RefCell::new((0, None)));
    let (told, other) = (Rc::clone(&seen), other.map(encode_base64));
    let mut pair = Pair::new(room.client.clone(), room.server.clone());
    pair.tamper = Some(Box::new(move |side, octets| {
        let (count, token) = &mut *told.borrow_mut();
        if side != to || token.is_some() {
            return octets;
        }
        let Some((before, own, behind)) = parts(&octets) else { return octets };
        *count += 1;
        if *count <= place {
            return octets;
        }
        *token = Some(decode_base64(own).expect("the reference writes Base64"));
        let other = other.as_ref().map_or(own, |other| other.as_bytes());
        [before, other, behind].concat()
    }));
    let measured = measure(|| pair.tell(client::Input::Register));
    let token = seen.borrow_mut().1.take();
    let discarded =
        |event: &&ClientEvent| matches!(event, ClientEvent::Discarded(_) | ClientEvent::Failed(_));
    let errors = match to {
        Side::Client => pair.events.iter().filter(discarded).count(),
        Side::Server => pair.refusals,
    };
    let is_established = match to {
        Side::Client => pair.client.is_established(),
        Side::Server => pair.server.established() != 0,
    };
    Outcome { token, is_established, errors, memory: measured.bytes_max }
}

/// What stands before the token of a message, the token, and what stands behind it.
fn parts(octets: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const NAME: &[u8] = b"gssapi-data=\"";
    let find = |what: &[u8], from: usize| {
        let found = octets.get(from..)?.windows(what.len()).position(|window| window == what)?;
        Some(from + found)
    };
    let start = find(NAME, 0).map(|place| place + NAME.len())?;
    let end = find(b"\"", start)?;
    (start < end).then(|| (&octets[..start], &octets[start..end], &octets[end..]))
}

/// More than any token needs.
const MOST: u64 = 2 * 1024 * 1024;

/// Whether a change of a token may leave it a good one: an octet may mean nothing, and what stands behind is nobody's.
fn may_be_good(change: &str) -> bool {
    change.contains(" at ") || change.ends_with(" more")
}

/// All that is tried in the place of a good token.
fn others(token: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let strangers = strangers().into_iter().map(|(what, token)| (what.to_owned(), token));
    strangers.chain(changes(token))
}

/// Each side of each scheme that reads a token, and which of them.
#[rstest]
#[case(Scheme::Ntlm, Side::Client, 0)]
#[case(Scheme::Ntlm, Side::Server, 0)]
#[case(Scheme::Kerberos, Side::Server, 0)]
#[case(Scheme::TlsDsk, Side::Server, 0)]
#[case(Scheme::TlsDsk, Side::Client, 0)]
#[case(Scheme::TlsDsk, Side::Server, 1)]
#[case(Scheme::TlsDsk, Side::Client, 1)]
fn a_malformed_token_is_an_error_and_costs_little(
    #[case] scheme: Scheme,
    #[case] to: Side,
    #[case] place: usize,
) {
    let room = Room { client: with_all(), server: server(Version::V4, &[scheme]) };
    let good = login(&room, to, place, None);
    let token = good.token.expect("a token in this place");
    assert!(good.is_established);
    for (what, other) in others(&token) {
        let outcome = login(&room, to, place, Some(&other));
        assert!(outcome.memory < MOST, "{what}: {} octets", outcome.memory);
        if !may_be_good(&what) {
            assert!(!outcome.is_established, "{what}");
            assert!(good.errors < outcome.errors, "{what}: no error is told");
        }
    }
}

/// The one token that an initiator of Kerberos reads, where it has asked for it.
#[rstest]
fn a_malformed_ap_rep_is_an_error_and_costs_little(
    #[values(EncryptionType::Aes256, EncryptionType::Aes128, EncryptionType::Rc4)] etype: EncryptionType,
) {
    let initiated = || kerberos::initiated(etype, true).expect("an AP-REQ");
    let acceptor = kerberos::acceptor().expect("keys");
    let request = initiated().token;
    let accepted = acceptor.accept(&request, NOW, &mut ReplayCache::default(), &mut kerberos::entropy());
    let reply = accepted.expect("a good AP-REQ").reply.expect("an AP-REP");
    assert!(initiated().complete(&reply).is_ok());
    for (what, other) in others(&reply) {
        let (waiting, mut read) = (initiated(), None);
        let measured = measure(|| read = Some(waiting.complete(&other).is_ok()));
        assert!(measured.bytes_max < MOST, "{what}: {} octets", measured.bytes_max);
        assert!(may_be_good(&what) || read == Some(false), "{what}");
    }
}
