use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::clock::Time;
use crate::encoding::{decode_base16, decode_base64};
use crate::side::Side;

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
    [&[kind, 3, 1][..], &length, fragment].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind][..], &length, body].concat()
}

const ALERT: u8 = 21;
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

/// `vectors/tlsdsk/flights.json`, `flight-sipe-aes128-sha-4`: ChangeCipherSpec and Finished of TLS 1.0.
const FINISHED: &[u8] = b"FAMBAAEBFgMBADDNSpxpGDFILrPgr7rDP19lqd7o6MgehNoyZ3hTvH48OjJUI1qA0IgGuuS+EaFa42M=";

/// The hash stands at the end of the name in the registry of IANA.
#[rstest]
#[case(0x0004, TLS_1_0, "TLS_RSA_WITH_RC4_128_MD5")]
#[case(0x0005, TLS_1_0, "TLS_RSA_WITH_RC4_128_SHA")]
#[case(0x000A, TLS_1_1, "TLS_RSA_WITH_3DES_EDE_CBC_SHA")]
#[case(0x0018, TLS_1_0, "TLS_DH_anon_WITH_RC4_128_MD5")]
#[case(0x001B, TLS_1_0, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA")]
#[case(0x002F, TLS_1_0, "TLS_RSA_WITH_AES_128_CBC_SHA")]
#[case(0x0035, TLS_1_2, "TLS_RSA_WITH_AES_256_CBC_SHA")]
#[case(0x003A, TLS_1_1, "TLS_DH_anon_WITH_AES_256_CBC_SHA")]
#[case(0x003C, TLS_1_2, "TLS_RSA_WITH_AES_128_CBC_SHA256")]
#[case(0x003D, TLS_1_2, "TLS_RSA_WITH_AES_256_CBC_SHA256")]
#[case(0x0041, TLS_1_0, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA")]
#[case(0x0067, TLS_1_2, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256")]
#[case(0x0096, TLS_1_0, "TLS_RSA_WITH_SEED_CBC_SHA")]
#[case(0x009C, TLS_1_2, "TLS_RSA_WITH_AES_128_GCM_SHA256")]
#[case(0x009D, TLS_1_2, "TLS_RSA_WITH_AES_256_GCM_SHA384")]
#[case(0x00A9, TLS_1_2, "TLS_PSK_WITH_AES_256_GCM_SHA384")]
#[case(0x00C5, TLS_1_2, "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256")]
#[case(0xC014, TLS_1_0, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")]
#[case(0xC022, TLS_1_2, "TLS_SRP_SHA_DSS_WITH_AES_256_CBC_SHA")]
#[case(0xC027, TLS_1_2, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256")]
#[case(0xC028, TLS_1_2, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")]
#[case(0xC02B, TLS_1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
#[case(0xC030, TLS_1_2, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")]
#[case(0xC037, TLS_1_2, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256")]
#[case(0xC039, TLS_1_1, "TLS_ECDHE_PSK_WITH_NULL_SHA")]
#[case(0xC03B, TLS_1_2, "TLS_ECDHE_PSK_WITH_NULL_SHA384")]
#[case(0xC071, TLS_1_2, "TLS_ECDHE_PSK_WITH_ARIA_256_CBC_SHA384")]
#[case(0xC09B, TLS_1_2, "TLS_ECDHE_PSK_WITH_CAMELLIA_256_CBC_SHA384")]
#[case(0xCCA8, TLS_1_2, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")]
#[case(0xD002, TLS_1_2, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384")]
fn the_hash_of_a_suite_is_the_end_of_its_name(#[case] suite: u16, #[case] version: u16, #[case] name: &str) {
    let end = name.rsplit('_').next().unwrap();
    let hash = Hash::of_suite(suite, version).unwrap();
    assert_eq!(hash.name().replace("SHA-1", "SHA").replace('-', ""), end);
}

/// RFC 6655 3: the PRF of `_CCM` is that with SHA-256.
#[test]
fn a_suite_without_hash_in_its_name_has_that_of_the_prf() {
    assert_eq!(Hash::of_suite(0xC09C, TLS_1_2), Some(Hash::Sha256));
}

#[rstest]
#[case::null(0x0000, TLS_1_2)]
#[case::signalling(0x00FF, TLS_1_2)]
#[case::tls_1_3(0x1301, 0x0304)]
#[case::sha_2_before_1_2(0x003C, TLS_1_1)]
#[case::ssl_3(0x0035, 0x0300)]
#[case::version_1_3(0x0035, 0x0304)]
fn there_is_no_hash_for_what_tls_dsk_cannot_negotiate(#[case] suite: u16, #[case] version: u16) {
    assert_eq!(Hash::of_suite(suite, version), None);
    assert_eq!(Prf::of_suite(suite, version), None);
}

/// RFC 5246 5: of TLS 1.2 suites that are older only the signature has the older hash.
#[test]
fn the_function_follows_the_version_and_then_the_suite() {
    assert_eq!(Prf::of_suite(0x0035, TLS_1_1), Some(Prf::Md5Sha1));
    assert_eq!(Prf::of_suite(0x0035, TLS_1_2), Some(Prf::Sha256));
    assert_eq!(Prf::of_suite(0xC030, TLS_1_2), Some(Prf::Sha384));
}

fn ex8_material(function: Prf) -> [u8; KEY_MATERIAL_LENGTH] {
    let master: Vec<u8> = (0..48).collect();
    key_material(function, &master, &[0xC0; 32], &[0x50; 32])
}

/// Example EX-8: keys.
#[rstest]
#[case(
    Prf::Md5Sha1,
    "6c900b943881087ed3a01e3b189ef666007f05006b5c23feaa764cb665b98e42",
    "a09e85e53612d26747861f62f5c77cbd3cf75f43306275b1ee9b74f8ac0baa38"
)]
#[case(
    Prf::Sha256,
    "51c341f2178cd4bad5a8adb979a745139a9ec547c5f6fb5179334118d59cf933",
    "d658fe2ca5e4d4dc8c30048952d9b0cac6d8cbe389313acc3a8b2ba6163b6dba"
)]
#[case(
    Prf::Sha384,
    "0d06ae589817e1192148a08a59e174e2fbc8349b9dc6b12838010418b1922fcb",
    "5e0f4d9e6efb81bd59655c452850916814c4732dc1453558becf8634d7d26371"
)]
fn the_keys_are_the_third_and_fourth_quarter(
    #[case] function: Prf,
    #[case] client: &str,
    #[case] server: &str,
) {
    let material = ex8_material(function);
    assert_eq!(material[64..96], decode_base16(client.as_bytes()).unwrap());
    assert_eq!(material[96..], decode_base16(server.as_bytes()).unwrap());
}

const EX8_REQUEST: &[u8] = b"<TLS-DSK><0a1b2c3d><1><SIP Communications Service><server.contoso.com>\
    <f00dcafef00dcafef00dcafef00dcafe><4><REGISTER><sip:alice@contoso.com><1a2b3c4d5e><sip:alice@contoso.com>\
    <><><><>";

const EX8_RESPONSE: &[u8] = b"<TLS-DSK><0B9D33A2><1><SIP Communications Service><server.contoso.com>\
    <f00dcafef00dcafef00dcafef00dcafe><4><REGISTER><sip:alice@contoso.com><1a2b3c4d5e><sip:alice@contoso.com>\
    <E7B5C3A19F0D2E4B6A8C7F5D3B1E9A0C><><><600><200>";

/// Example EX-8: signatures.
#[rstest]
#[case(Hash::Md5, Prf::Md5Sha1, "5d0ebe371714e76ace9cca488538eefc", "e81fa0ae90ab819e56c7015c56e5e9ff")]
#[case(
    Hash::Sha1,
    Prf::Md5Sha1,
    "4f2591be396a21ca879a4d747c7c722ab0364c42",
    "360373e63d274ce0852a90875f23e73694ba8fa3"
)]
#[case(
    Hash::Sha256,
    Prf::Sha256,
    "7002d8385d0a55466f9ee777a2a13c49543ccba53e506b4bd869824e1c67bbd8",
    "ecbb33c26ce01930ac02c11c4f5bf71d01a0eeb741d9a8662322f099fdb448de"
)]
#[case(
    Hash::Sha384,
    Prf::Sha384,
    "15a9cd6d2672ebe794de9d830bc1ef2e4047fdd167c2cc85ac1bfefd3a0e3378c889f89944e7ba5c9121f24e6bbe3ad7",
    "9af7d2aac8b5c07a0b9b15092d0a945e85cd8aecfdb769d4cd3520ecb078de4aea663fe42c666b67588e1c095a023784"
)]
fn each_side_signs_with_its_own_key_and_the_whole_hmac(
    #[case] hash: Hash,
    #[case] function: Prf,
    #[case] client: &str,
    #[case] server: &str,
) {
    let mac = TlsDskMac::new(hash, &ex8_material(function));
    for (side, buffer, signature) in
        [(Side::Client, EX8_REQUEST, client), (Side::Server, EX8_RESPONSE, server)]
    {
        let signature = decode_base16(signature.as_bytes()).unwrap();
        assert_eq!(mac.sign(side, buffer), signature);
        assert!(mac.verify(side, buffer, &signature));
        assert!(!mac.verify(side.peer(), buffer, &signature), "reflected");
        assert!(!mac.verify(side, buffer, &signature[..hash.length() - 1]), "cut short");
        assert!(!mac.verify(side, buffer, &[&signature[..], &[0]].concat()), "too long");
        assert!(!mac.verify(side, buffer, &[]), "empty");
    }
}

#[test]
fn no_key_is_shown() {
    let outcome = TlsOutcome { key_material: [0xAB; 128], hash: Hash::Sha384, peer: None };
    for shown in [format!("{:?}", TlsDskMac::new(Hash::Sha384, &[0xAB; 128])), format!("{outcome:?}")] {
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("ab,"), "{shown}");
    }
}

#[test]
fn records_are_read_with_what_they_carry() {
    let flight = decode_base64(FINISHED).unwrap();
    let records: Vec<_> = Records::new(&flight).map(Result::unwrap).collect();
    let facts: Vec<_> = records
        .iter()
        .map(|record| (record.content.number(), record.fragment.len(), record.encrypted))
        .collect();
    assert_eq!(facts, [(20, 1, false), (22, 48, true)]);
}

#[rstest]
#[case::cut_header(&[22, 3, 1, 0], "TLS record at offset 0 needs 5 octets, 4 are left")]
#[case::cut_fragment(&[22, 3, 1, 0, 2, 0], "TLS record at offset 0 needs 7 octets, 6 are left")]
#[case::sslv2(&[0x80, 0x2E, 1, 3, 1], "TLS record at offset 0 has content type 128, which is none of 20 to 23")]
#[case::version(&[22, 2, 0, 0, 0], "TLS record at offset 0 has version 0200")]
#[case::empty(&[22, 3, 1, 0, 0], "TLS record at offset 0 has a fragment of 0 octets, 1 to 16384 are legal")]
#[case::long(&[22, 3, 1, 0x40, 1], "TLS record at offset 0 has a fragment of 16385 octets, 1 to 16384 are legal")]
#[case::application(&[23, 3, 1, 0, 1, 0], "TLS record at offset 0 is application data")]
#[case::change(&[20, 3, 1, 0, 1, 2], "ChangeCipherSpec at offset 0 is not one octet of value 1, or not the first one")]
#[case::alert(&[21, 3, 1, 0, 1, 2], "TLS alert at offset 0 is not a level and a description")]
fn a_record_that_has_no_place_is_named(#[case] flight: &[u8], #[case] text: &str) {
    assert_eq!(Flight::read(flight).unwrap_err().to_string(), text);
}

#[test]
fn a_second_change_of_ciphers_is_refused() {
    let flight = record(CHANGE_CIPHER_SPEC, &[1]).repeat(2);
    assert_eq!(Flight::read(&flight).unwrap_err(), TlsDskError::ChangeCipherSpec { offset: 6 });
}

#[test]
fn a_message_that_does_not_end_in_its_flight_is_named() {
    let flight = record(HANDSHAKE, &[2, 0, 1, 0, 9]);
    let flight = Flight::read(&flight).unwrap();
    let error = flight.check_sender(Side::Server).unwrap_err();
    assert_eq!(error.to_string(), "handshake message ServerHello needs 260 octets, its flight has 5 for it");
}

#[test]
fn a_flight_and_its_records_are_bounded() {
    let longest = record(HANDSHAKE, &[0; LONGEST_PLAINTEXT - 5]).repeat(4);
    assert_eq!(longest.len(), LONGEST_FLIGHT);
    assert!(Flight::read(&longest).is_ok());
    let error = Flight::read(&[&longest[..], &[0]].concat()).unwrap_err();
    assert_eq!(error, TlsDskError::FlightTooLong { length: LONGEST_FLIGHT + 1, limit: LONGEST_FLIGHT });
    let single = record(HANDSHAKE, &[0]);
    assert!(Flight::read(&single.repeat(MOST_RECORDS)).is_ok());
    let error = Flight::read(&single.repeat(MOST_RECORDS + 1)).unwrap_err();
    assert_eq!(error, TlsDskError::TooManyRecords { limit: MOST_RECORDS });
}

/// An engine that says what it is told to say, and is done after a number of flights.
#[derive(Debug)]
struct Told {
    answers: Vec<Vec<u8>>,
    outcome: TlsOutcome,
}

impl Told {
    fn new(answers: &[Vec<u8>], with_certificate: bool) -> Box<Self> {
        let certificate =
            PeerCertificate { names: vec!["sip:alice@contoso.com".to_owned()], not_after: Time(9) };
        let peer = with_certificate.then_some(certificate);
        let outcome = TlsOutcome { key_material: [1; 128], hash: Hash::Sha1, peer };
        let answers = answers.iter().rev().cloned().collect();
        Box::new(Self { answers, outcome })
    }
}

impl TlsEngine for Told {
    fn feed(&mut self, _: &[u8]) -> Result<Vec<u8>, TlsDskError> {
        Ok(self.answers.pop().unwrap_or_default())
    }

    fn outcome(&self) -> Option<TlsOutcome> {
        self.answers.is_empty().then(|| self.outcome.clone())
    }
}

fn hello() -> Vec<u8> {
    record(HANDSHAKE, &message(1, &[0; 38]))
}

fn server_flight() -> Vec<u8> {
    [(2, 38), (11, 800), (13, 6), (14, 0)]
        .iter()
        .flat_map(|(kind, length)| record(HANDSHAKE, &message(*kind, &vec![7; *length])))
        .collect()
}

fn client_flight() -> Vec<u8> {
    let plain = [message(11, &[0; 9]), message(16, &[0; 9]), message(15, &[0; 9])].concat();
    [record(HANDSHAKE, &plain), finish()].concat()
}

fn finish() -> Vec<u8> {
    decode_base64(FINISHED).unwrap()
}

/// A ServerHello of this version, with an empty session and these extensions.
fn server_hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    let body = [&version[..], &[0; 32], &[0, 0xC0, 0x2F, 0], &length, extensions].concat();
    record(HANDSHAKE, &message(2, &body))
}

/// RFC 8446 4.2.1: the extension goes before the version of the message. RFC 5246 7.4.1.3: there may be no extensions.
#[rstest]
#[case::of_the_message(server_hello([3, 2], &[]), Some([3, 2]))]
#[case::of_the_extension(server_hello([3, 3], &[0, 43, 0, 2, 3, 4]), Some([3, 4]))]
#[case::behind_another_one(server_hello([3, 3], &[0, 23, 0, 0, 0, 43, 0, 2, 3, 4]), Some([3, 4]))]
#[case::extension_is_cut(server_hello([3, 3], &[0, 43, 0, 9, 3, 4]), Some([3, 3]))]
#[case::without_extensions(record(HANDSHAKE, &message(2, &[3, 1])), Some([3, 1]))]
#[case::too_short(record(HANDSHAKE, &message(2, &[3])), None)]
#[case::hello_of_a_client(hello(), None)]
#[case::with_what_follows_in_tls_1_3(
    [server_hello([3, 3], &[0, 43, 0, 2, 3, 4]), vec![20, 3, 3, 0, 1, 1], record(23, &[0; 40])].concat(),
    Some([3, 4])
)]
#[case::no_handshake(record(23, &message(2, &[3, 4])), None)]
#[case::no_record(vec![22, 3], None)]
fn the_version_that_a_server_has_chosen_is_read(#[case] flight: Vec<u8>, #[case] version: Option<[u8; 2]>) {
    assert_eq!(version_of_server(&flight), version);
}

#[test]
fn a_server_is_done_with_its_second_flight_and_says_the_first_in_one_record() {
    let mut server = TlsHandshake::new(Told::new(&[server_flight(), finish()], true), Side::Server);
    let first = server.step(&hello()).unwrap();
    assert!(!server.is_done() && server.outcome().is_none());
    let read = Flight::read(&first).unwrap();
    assert_eq!(read.records().len(), 1);
    let kinds: Vec<u8> = read.messages().map(|message| message.unwrap().kind.0).collect();
    assert_eq!(kinds, [2, 11, 13, 14]);
    assert_eq!(server.step(&client_flight()).unwrap(), finish());
    assert_eq!(server.outcome().unwrap().key_material, [1; 128]);
    assert_eq!(server.step(&client_flight()), Err(TlsDskError::Ended));
    assert!(server.is_done());
}

#[test]
fn a_client_begins_with_nothing_and_ends_with_nothing() {
    let mut client =
        TlsHandshake::new(Told::new(&[hello(), client_flight(), Vec::new()], true), Side::Client);
    assert_eq!(client.step(&[]).unwrap(), hello());
    assert_eq!(client.step(&server_flight()).unwrap(), client_flight());
    assert_eq!(client.step(&finish()).unwrap(), b"");
    assert!(client.is_done());
}

/// SIPAE-3.3.5.2-11: no association without a certificate.
#[test]
fn a_server_is_never_done_without_a_certificate_of_the_client() {
    let mut server = TlsHandshake::new(Told::new(&[server_flight(), finish()], false), Side::Server);
    server.step(&hello()).unwrap();
    assert_eq!(server.step(&client_flight()), Err(TlsDskError::CertificateAbsent));
    assert!(!server.is_done() && server.outcome().is_none());
}

#[rstest]
#[case::nothing(Side::Server, vec![vec![]], TlsDskError::NoFlight)]
#[case::unasked(Side::Client, vec![server_flight()], TlsDskError::Unasked)]
#[case::nothing_to_a_client(Side::Client, vec![vec![], vec![]], TlsDskError::NoFlight)]
#[case::server_to_server(
    Side::Server,
    vec![server_flight()],
    TlsDskError::Direction { kind: HandshakeType::SERVER_HELLO, by: Side::Client },
)]
#[case::client_to_client(
    Side::Client,
    vec![vec![], hello()],
    TlsDskError::Direction { kind: HandshakeType::CLIENT_HELLO, by: Side::Server },
)]
#[case::alert(Side::Server, vec![record(ALERT, &[2, 40])], TlsDskError::Alert(Alert::fatal(40)))]
#[case::close(
    Side::Server,
    vec![record(ALERT, &[1, 0])],
    TlsDskError::Alert(Alert { level: AlertLevel::Warning, description: 0 }),
)]
#[case::too_many(
    Side::Server,
    vec![hello(); MOST_FLIGHTS + 1],
    TlsDskError::TooManyFlights { limit: MOST_FLIGHTS },
)]
fn a_flight_out_of_place_ends_the_handshake(
    #[case] side: Side,
    #[case] flights: Vec<Vec<u8>>,
    #[case] expected: TlsDskError,
) {
    let mut handshake = TlsHandshake::new(Told::new(&vec![hello(); 9], true), side);
    let (last, before) = flights.split_last().unwrap();
    for flight in before {
        handshake.step(flight).unwrap();
    }
    assert_eq!(handshake.step(last), Err(expected));
    assert_eq!(handshake.step(&hello()), Err(TlsDskError::Ended));
}

#[test]
fn a_flight_that_is_answered_with_nothing_is_not_whole() {
    let mut server = TlsHandshake::new(Told::new(&[Vec::new(), finish()], true), Side::Server);
    assert_eq!(server.step(&hello()), Err(TlsDskError::FlightIncomplete));
}

#[test]
fn an_alert_is_told_in_words() {
    let fatal = TlsDskError::Alert(Alert::fatal(48));
    assert_eq!(fatal.to_string(), "peer sent the TLS alert fatal unknown_ca (48)");
    let unknown = Alert { level: AlertLevel::Warning, description: 200 };
    assert_eq!(unknown.to_string(), "warning 200");
}

#[test]
fn a_flight_that_does_not_fit_in_one_record_stays_as_it_is() {
    let fits = record(HANDSHAKE, &[0; LONGEST_PLAINTEXT / 2]).repeat(2);
    assert_eq!(coalesce(&fits).len(), LONGEST_PLAINTEXT + 5);
    let over = [fits, record(HANDSHAKE, &[0])].concat();
    assert_eq!(coalesce(&over), over);
}

#[test]
fn only_handshake_records_are_joined() {
    for flight in [finish(), [hello(), finish()].concat(), [hello(), record(ALERT, &[1, 112])].concat()] {
        assert_eq!(coalesce(&flight), flight);
    }
}

/// Cuts octets into records of the sizes in turn.
fn cut(octets: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut rest, mut flight) = (octets, Vec::new());
    for size in sizes.iter().cycle() {
        let (head, tail) = rest.split_at((*size).min(rest.len()));
        flight.extend(record(HANDSHAKE, head));
        rest = tail;
        if rest.is_empty() {
            return flight;
        }
    }
    flight
}

fn kinds_and_bodies(flight: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let read = Flight::read(flight).unwrap();
    read.messages()
        .map(|message| message.unwrap())
        .map(|message| (message.kind.0, message.body.to_vec()))
        .collect()
}

proptest! {
    #[test]
    fn no_octets_break_the_readers(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Records::new(&octets).count() <= octets.len());
        if let Ok(flight) = Flight::read(&octets) {
            prop_assert!(flight.messages().count() <= octets.len());
        }
        let _joined = coalesce(&octets);
        for side in [Side::Client, Side::Server] {
            let mut handshake = TlsHandshake::new(Told::new(&vec![hello(); 3], true), side);
            let _first = handshake.step(&octets);
            let _second = handshake.step(&octets);
        }
    }

    #[test]
    fn octets_with_the_shape_of_records_break_nothing(
        parts in prop::collection::vec((19..25u8, prop::collection::vec(any::<u8>(), 0..40)), 0..9),
    ) {
        let octets: Vec<u8> = parts.iter().flat_map(|(kind, fragment)| record(*kind, fragment)).collect();
        if let Ok(flight) = Flight::read(&octets) {
            prop_assert_eq!(flight.records().len(), parts.len());
            let _known = flight.check_sender(Side::Client);
        }
    }

    /// RFC 5246 6.2.1: the boundaries of records mean nothing.
    #[test]
    fn records_cut_otherwise_have_the_same_messages(
        bodies in prop::collection::vec((0..30u8, prop::collection::vec(any::<u8>(), 0..200)), 1..6),
        sizes in prop::collection::vec(8..300usize, 1..6),
    ) {
        let octets: Vec<u8> = bodies.iter().flat_map(|(kind, body)| message(*kind, body)).collect();
        let flight = cut(&octets, &sizes);
        let joined = coalesce(&flight);
        prop_assert_eq!(&kinds_and_bodies(&flight), &bodies);
        prop_assert_eq!(&kinds_and_bodies(&joined), &bodies);
        prop_assert_eq!(Flight::read(&joined).unwrap().records().len(), 1);
    }

    /// The output of a longer request begins with that of a shorter one.
    #[test]
    fn the_function_gives_a_stream(secret in prop::collection::vec(any::<u8>(), 0..80), length in 0..200usize) {
        for function in [Prf::Md5Sha1, Prf::Sha256, Prf::Sha384] {
            let (mut short, mut long) = (vec![0xFF; length], vec![0; 200]);
            prf(function, &secret, b"label", &[b"se", b"ed"], &mut short);
            prf(function, &secret, b"label", &[b"seed"], &mut long);
            prop_assert_eq!(&short[..], &long[..length]);
        }
    }
}
