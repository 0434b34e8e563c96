//! Reading and verifying a signed message allocates nothing, and malformed tokens cost little.
//!
//! A program of its own: the allocator that counts is that of the whole program. It counts by thread, so the tests do
//! not disturb each other.

#[cfg(test)]
mod malformed;
#[cfg(test)]
mod pair;

use allocation_counter::measure;
use sipae::auth::AuthHeader;
use sipae::encoding::decode_base16;
use sipae::message::{HeaderName, Limits, Message};
use sipae::ntlm::NegotiateFlags;
use sipae_testsuite::sample;

/// How often the work asks for memory.
fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let mut kept = None;
    let counted = measure(|| kept = Some(work()));
    drop(kept);
    counted.count_total
}

#[expect(clippy::expect_used, reason = "the sample is a message")]
fn register() -> Message<'static> {
    Message::parse(sample::REGISTER, &Limits::DEFAULT).expect("a message")
}

#[expect(clippy::expect_used, reason = "the sample has a credential")]
fn credential() -> AuthHeader<'static> {
    AuthHeader::read(register().first(HeaderName::Authorization).expect("a credential"))
}

#[test]
fn reading_a_message_allocates_nothing() {
    assert_eq!(allocations(register), 0);
}

#[test]
fn reading_the_fields_that_are_signed_allocates_nothing() {
    let message = register();
    let read = || {
        let required = (message.call_id(), message.cseq(), message.from(), message.to());
        (required, message.expires(), message.contact(), message.identities(), message.branch())
    };
    assert_eq!(allocations(read), 0);
}

#[test]
fn reading_a_credential_allocates_nothing() {
    assert_eq!(allocations(credential), 0);
}

#[test]
fn gathering_what_is_signed_allocates_nothing() {
    let message = register();
    assert_eq!(allocations(|| sample::signed(&message)), 0);
}

/// From octets to verdict, into a buffer that is there already and against a signature that has been decoded.
#[test]
fn verifying_a_message_allocates_nothing() {
    let signature =
        credential().signature(sipae::auth::AuthParam::Response).expect("hex").expect("a signature");
    let mac = sample::mac(NegotiateFlags::SERVER).expect("a signing context");
    let mut buffer = Vec::with_capacity(1024);
    let mut verifies = false;
    let verify = || {
        let message = register();
        sample::signed(&message).expect("a buffer").write_to(&mut buffer);
        verifies = mac.verify(&buffer, &signature);
    };
    assert_eq!(allocations(verify), 0);
    assert!(verifies);
}

/// The counter counts: what is known to allocate is seen.
#[test]
fn a_copy_is_counted() {
    assert_eq!(allocations(|| sample::REGISTER.to_vec()), 1);
    assert_eq!(allocations(|| decode_base16(b"0100")), 1);
    let message = register();
    assert_eq!(allocations(|| sample::signed(&message).map(|buffer| buffer.to_vec())), 1);
}
