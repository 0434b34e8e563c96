//! TLS-DSK: [`Records`], [`Flight`], [`Hash`], [`Prf`], [`TlsDskMac`], and [`TlsHandshake`] around the engine of rustls.

use std::sync::OnceLock;

use sipae::clock::Time;
use sipae::side::Side;
use sipae::tlsdsk::{
    Flight, Hash, KEY_MATERIAL_LENGTH, Prf, Records, TlsDskError, TlsDskMac, TlsHandshake, TlsProvider,
    coalesce, prf,
};
use sipae_net::{TestAuthority, TestKey, TlsDskEngine, TlsDskProvider, TlsDskSettings, Validity};

/// Records tile their flight and can be joined without a change of messages; no octets complete a handshake on either
/// side, and a genuine flight that was changed completes it with the same keys on both sides or not at all.
pub fn tls_dsk(data: &[u8]) {
    records(data);
    flight(data);
    keys(data);
    foreign_flights(data);
    if let Some(([which, offset @ ..], change)) = data.split_first_chunk::<3>() {
        changed_flight(*which, usize::from(u16::from_be_bytes(*offset)), change);
    }
}

fn records(data: &[u8]) {
    let mut end = 0;
    for record in Records::new(data) {
        let Ok(record) = record else { return };
        assert_eq!(record.offset, end);
        end = record.offset + 5 + record.fragment.len();
        assert!(data.get(..end).is_some_and(|read| read.ends_with(record.fragment)));
    }
    assert_eq!(end, data.len());
}

fn flight(data: &[u8]) {
    let joined = coalesce(data);
    let Ok(read) = Flight::read(data) else {
        assert_eq!(joined, data);
        return;
    };
    let again = Flight::read(&joined).unwrap_or_else(|error| panic!("{error}"));
    assert!(read.messages().eq(again.messages()));
    assert!(again.records().len() <= read.records().len());
    drop((read.check_sender(Side::Client), read.alert()));
}

/// The first four octets are suite and version, the rest is the secret and the buffer.
fn keys(data: &[u8]) {
    let Some(([s0, s1, v0, v1], rest)) = data.split_first_chunk::<4>() else { return };
    let (suite, version) = (u16::from_be_bytes([*s0, *s1]), u16::from_be_bytes([*v0, *v1]));
    let hash = Hash::of_suite(suite, version);
    assert_eq!(hash.is_some(), Prf::of_suite(suite, version).is_some());
    let function = Prf::of_suite(suite, version).unwrap_or(Prf::Md5Sha1);
    let mut material = [0; KEY_MATERIAL_LENGTH];
    prf(function, rest, b"label", &[data], &mut material);
    let mac = TlsDskMac::new(hash.unwrap_or(Hash::Md5), &material);
    for side in [Side::Client, Side::Server] {
        let signature = mac.sign(side, rest);
        assert!(mac.verify(side, rest, &signature));
        assert!(!mac.verify(side, data, &signature));
        assert!(!mac.verify(side, rest, signature.get(1..).unwrap_or_default()));
    }
}

/// 1 January 2026.
const NOW: Time = Time(1_767_225_600_000);

fn handshake(side: Side) -> TlsHandshake {
    static PROVIDERS: OnceLock<[TlsDskProvider; 2]> = OnceLock::new();
    let [client, server] = PROVIDERS.get_or_init(|| sure(providers()));
    let provider = match side {
        Side::Client => client,
        Side::Server => server,
    };
    TlsHandshake::new(sure(provider.engine(side, NOW)), side)
}

fn providers() -> Result<[TlsDskProvider; 2], TlsDskError> {
    let authority = TestAuthority::new()?;
    let validity =
        Validity { not_before: Time(0), not_after: NOW.plus(std::time::Duration::from_secs(86_400)) };
    let provider = |identity| {
        let trusted = authority.certificate();
        TlsDskProvider::new(&TlsDskSettings::new(TlsDskEngine::Rustls, Some(identity), trusted))
    };
    let client = provider(authority.user("alice@contoso.com", validity, TestKey::P256)?)?;
    Ok([client, provider(authority.server("server.contoso.com", validity, TestKey::P256)?)?])
}

fn sure<T>(made: Result<T, TlsDskError>) -> T {
    made.unwrap_or_else(|error| panic!("{error}"))
}

/// The octets in place of each flight of the peer.
fn foreign_flights(data: &[u8]) {
    let (mut client, mut server) = (handshake(Side::Client), handshake(Side::Server));
    refused(&mut handshake(Side::Server), data);
    let first = sure(client.step(&[]));
    let second = sure(server.step(&first));
    refused(&mut server, data);
    let mut other = handshake(Side::Client);
    drop(other.step(&[]));
    refused(&mut other, data);
    drop(client.step(&second));
    refused(&mut client, data);
}

fn refused(handshake: &mut TlsHandshake, data: &[u8]) {
    let answered = handshake.step(data);
    assert!(!handshake.is_done(), "{data:02x?} completes it");
    if answered.is_err() {
        assert_eq!(handshake.step(data), Err(TlsDskError::Ended));
    }
}

/// One of the four flights with some of its octets changed.
fn changed_flight(which: u8, offset: usize, change: &[u8]) {
    let (mut client, mut server) = (handshake(Side::Client), handshake(Side::Server));
    let mut flight = sure(client.step(&[]));
    for number in 0..4 {
        if number == which % 4 {
            alter(&mut flight, offset, change);
        }
        let receiver = if number % 2 == 0 { &mut server } else { &mut client };
        let Ok(answer) = receiver.step(&flight) else { return };
        flight = answer;
    }
    let [Some(near), Some(far)] = [client.outcome(), server.outcome()] else {
        panic!("a handshake of four flights is not complete")
    };
    assert!(near.key_material == far.key_material && near.hash == far.hash, "the keys differ");
}

fn alter(flight: &mut [u8], offset: usize, change: &[u8]) {
    let start = offset % flight.len().max(1);
    for (octet, mask) in flight.iter_mut().skip(start).zip(change) {
        *octet ^= mask;
    }
}
