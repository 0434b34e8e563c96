//! Making conforming header fields and signed messages, in memory that is kept, on one core.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sipae::auth::{AuthHeader, Scheme};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Value};
use sipae::ntlm::{NegotiateFlags, SessionKeys};
use sipae::sa::{Context, Parameters, SecurityAssociation, SignOptions};
use sipae::side::Side;
use sipae::version::Version;
use sipae_gen::conforming::{
    Freedoms, Given, Header, Kind, Message, message, rewrite_header, rewrite_message,
};
use sipae_gen::{Fast, Source};

/// Things made in one sample: their sizes differ, and so do the costs.
const BATCH: u64 = 1000;

const EXTENDED: NegotiateFlags = NegotiateFlags::SERVER;
const LEGACY: NegotiateFlags = NegotiateFlags::SERVER.without(NegotiateFlags::EXTENDED_SESSIONSECURITY);

fn main() {
    divan::Divan::default().sample_count(300).sample_size(1).config_with_args().main();
}

/// Freedoms by name.
const FREEDOMS: [&str; 2] = ["plain", "all"];

fn freedoms(name: &str) -> Freedoms {
    if name == "all" { Freedoms::ALL } else { Freedoms::NONE }
}

fn association(flags: NegotiateFlags) -> SecurityAssociation {
    let keys = SessionKeys::new(flags, [0x55; 16], 0x0F);
    let parameters = Parameters {
        scheme: Scheme::Ntlm,
        realm: b"SIP Communications Service".to_vec(),
        targetname: b"server.contoso.com".to_vec(),
        version: Version::V4,
    };
    let context = Context::ntlm(&keys).expect("a signing context");
    SecurityAssociation::new(parameters, b"1B2C3D4E".to_vec(), Side::Client, context)
}

/// Header fields of all schemes, versions and phases, many in one buffer.
#[divan::bench(args = FREEDOMS)]
fn header_fields(bencher: Bencher<'_, '_>, name: &str) {
    let freedoms = freedoms(name);
    let (mut source, mut header, mut out) = (Fast::new(1), Header::default(), Vec::new());
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        out.clear();
        for _ in 0..BATCH {
            let kind = Kind::drawn(&mut source);
            header.draw_to(&mut source, freedoms, kind, &mut out);
        }
        black_box(&out);
    });
}

/// Messages of all methods and responses, unsigned.
#[divan::bench(args = FREEDOMS)]
fn messages(bencher: Bencher<'_, '_>, name: &str) {
    let freedoms = freedoms(name);
    let (mut source, mut message) = (Fast::new(1), Message::default());
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            message.draw(&mut source, freedoms, &Given::default());
            black_box(&message.octets);
        }
    });
}

/// Each message composed, and signed under a kept association of NTLM, version 4.
fn sign(bencher: Bencher<'_, '_>, flags: NegotiateFlags, freedoms: Freedoms) {
    let (mut source, mut message, mut out) = (Fast::new(1), Message::default(), Vec::new());
    let mut association = association(flags);
    let options = SignOptions::new(HeaderName::Authorization);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            message.draw(&mut source, freedoms, &Given::default());
            let rand = source.below(u32::MAX).to_be_bytes();
            out.clear();
            message.write_signed(&mut association, rand, &options, &mut out).expect("a signature");
            black_box(&out);
        }
    });
}

/// With extended session security: HMAC-MD5.
#[divan::bench(args = FREEDOMS)]
fn signed_messages(bencher: Bencher<'_, '_>, name: &str) {
    sign(bencher, EXTENDED, freedoms(name));
}

/// Without: CRC-32.
#[divan::bench(args = FREEDOMS)]
fn signed_messages_legacy(bencher: Bencher<'_, '_>, name: &str) {
    sign(bencher, LEGACY, freedoms(name));
}

/// For comparison: the same plain messages, read and signed as a draft.
#[divan::bench]
fn signed_drafts(bencher: Bencher<'_, '_>) {
    let (mut source, mut message, mut association) =
        (Fast::new(1), Message::default(), association(EXTENDED));
    let options = SignOptions::new(HeaderName::Authorization);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            message.draw(&mut source, Freedoms::NONE, &Given::default());
            let rand = source.below(u32::MAX).to_be_bytes();
            let mut draft: Draft = message.to_draft();
            association.sign(&mut draft, rand, &options).expect("a signature");
            black_box(draft.to_octets());
        }
    });
}

/// The one field that is most often rewritten: a signature.
const CREDENTIAL: &[u8] = b"NTLM qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"357E6F72\", \
    targetname=\"server.contoso.com\", crand=\"1badb002\", cnum=\"3\", \
    response=\"0100000063a0e140122159d864000000\", version=4";

#[divan::bench]
fn rewritten_header_fields(bencher: Bencher<'_, '_>) {
    assert_eq!(AuthHeader::read(Value(CREDENTIAL)).malformed(), None);
    let mut source = Fast::new(1);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            black_box(rewrite_header(&mut source, Freedoms::ALL, black_box(CREDENTIAL), true));
        }
    });
}

/// A plain message in another form.
#[divan::bench]
fn rewritten_messages(bencher: Bencher<'_, '_>) {
    let mut source = Fast::new(1);
    let octets = message(&mut source, Freedoms::NONE).octets;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            black_box(rewrite_message(&mut source, Freedoms::ALL, black_box(&octets)));
        }
    });
}
