//! Signing and verifying a signature buffer of 300 octets.

use divan::{Bencher, black_box};
use hmac::{Hmac, KeyInit, Mac};
use sipae::ntlm::{DatagramMac, NegotiateFlags};
use sipae_testsuite::sample;

const BUFFER: [u8; 300] = [b'a'; 300];

const EXTENDED: NegotiateFlags = NegotiateFlags::SERVER;
const LEGACY: NegotiateFlags = NegotiateFlags::SERVER.without(NegotiateFlags::EXTENDED_SESSIONSECURITY);

fn main() {
    divan::Divan::default().sample_size(200).config_with_args().main();
}

fn mac(flags: NegotiateFlags) -> DatagramMac {
    sample::mac(flags).expect("a signing context")
}

/// NTLM with extended session security: HMAC-MD5.
#[divan::bench]
fn sign_extended(bencher: Bencher<'_, '_>) {
    let mac = mac(EXTENDED);
    bencher.bench(|| black_box(&mac).sign(black_box(&BUFFER)));
}

/// NTLM without: CRC-32.
#[divan::bench]
fn sign_legacy(bencher: Bencher<'_, '_>) {
    let mac = mac(LEGACY);
    bencher.bench(|| black_box(&mac).sign(black_box(&BUFFER)));
}

#[divan::bench]
fn verify_extended(bencher: Bencher<'_, '_>) {
    let mac = mac(EXTENDED);
    let signature = mac.sign(&BUFFER);
    bencher.bench(|| black_box(&mac).verify(black_box(&BUFFER), black_box(&signature)));
}

/// For comparison: HMAC-MD5 of the same octets, key scheduled each time.
#[divan::bench]
fn hmac_md5_new_key(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let mut mac = Hmac::<md5::Md5>::new_from_slice(black_box(&[0x55; 16])).expect("a key");
        mac.update(black_box(&BUFFER));
        mac.finalize().into_bytes()
    });
}

/// For comparison: HMAC-MD5 of the same octets, key kept.
#[divan::bench]
fn hmac_md5_kept_key(bencher: Bencher<'_, '_>) {
    let keyed = Hmac::<md5::Md5>::new_from_slice(&[0x55; 16]).expect("a key");
    bencher.bench(|| {
        let mut mac = black_box(&keyed).clone();
        mac.update(black_box(&BUFFER));
        mac.finalize().into_bytes()
    });
}

/// From octets to verdict: read the REGISTER, make its signature buffer, verify.
#[divan::bench]
fn read_and_verify_register(bencher: Bencher<'_, '_>) {
    use sipae::auth::{AuthHeader, AuthParam};
    use sipae::message::{HeaderName, Limits, Message};
    let mac = mac(EXTENDED);
    let message = Message::parse(sample::REGISTER, &Limits::DEFAULT).expect("a message");
    let credential = AuthHeader::read(message.first(HeaderName::Authorization).expect("a credential"));
    let signature = credential.signature(AuthParam::Response).expect("hex").expect("a signature");
    let mut buffer = Vec::with_capacity(1024);
    bencher.bench_local(|| {
        let message = Message::parse(black_box(sample::REGISTER), &Limits::DEFAULT).expect("a message");
        buffer.clear();
        sample::signed(&message).expect("a buffer").write_to(&mut buffer);
        assert!(mac.verify(&buffer, &signature));
    });
}
