//! What nobody answers ends, and who sends too much harms nobody else.

use std::time::Duration;

use rstest::rstest;
use sipae::message::HeaderName;
use sipae::server::{Input, ServerConfig};
use sipae::version::Version;
use sipae_testsuite::room::{CONNECTIONS, Room, config, read};

#[test]
fn a_request_that_nobody_answers_ends_after_32_seconds_with_408() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    room.now = room.now.plus(Duration::from_secs(31));
    room.handle(Input::Tick);
    assert!(room.take(&alice).is_empty());
    room.now = room.now.plus(Duration::from_secs(1));
    room.handle(Input::Tick);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(408));
    assert_eq!(room.server.pending(), 0);
    let answer = bob.signed_answer(&got, 200);
    room.send(&bob, &answer);
    assert!(room.take(&alice).is_empty(), "an answer that comes too late answers nothing");
}

/// RFC 3261 16.6, timer C.
#[test]
fn a_call_that_rings_ends_after_three_minutes_and_the_callee_is_told() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("INVITE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    let answer = bob.signed_answer(&got, 180);
    room.send(&bob, &answer);
    assert_eq!(room.statuses(&alice), [100, 180]);
    room.now = room.now.plus(Duration::from_secs(179));
    room.handle(Input::Tick);
    assert!(room.take(&alice).is_empty());
    room.now = room.now.plus(Duration::from_secs(1));
    room.handle(Input::Tick);
    assert_eq!(room.statuses(&alice), [408]);
    assert_eq!(read(&room.signed(&mut bob)).method(), Some(&b"CANCEL"[..]));
    room.now = room.now.plus(Duration::from_secs(32));
    room.handle(Input::Tick);
    assert_eq!((room.server.pending(), room.take(&alice).len()), (0, 0));
}

/// The oldest of the same connection gives way, and is told so.
#[test]
fn a_flood_of_one_caller_pushes_out_its_own_requests_only() {
    let mut room = Room::new(ServerConfig { transactions: 80, ..config(Version::V4) });
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut carol = room.register("carol", "c1", CONNECTIONS[2]);
    let draft = carol.signed_request("MESSAGE", "bob");
    room.send(&carol, &draft);
    let got = room.signed(&mut bob);
    for _ in 0..200 {
        let draft = alice.signed_request("MESSAGE", "bob");
        room.send(&alice, &draft);
    }
    assert_eq!(room.server.pending(), 65);
    let arrived = room.take(&alice);
    assert_eq!(arrived.len(), 136);
    for octets in arrived {
        alice.verify(&octets).expect("signed");
        assert_eq!(read(&octets).status(), Some(503));
    }
    room.take(&bob);
    let answer = bob.signed_answer(&got, 200);
    room.send(&bob, &answer);
    assert_eq!(read(&room.signed(&mut carol)).status(), Some(200));
}

/// One who opens many connections meets the bound of all, and again it is the busiest that gives way.
#[test]
fn a_full_table_does_not_push_out_who_has_one_request() {
    let mut room = Room::new(ServerConfig { transactions: 8, ..config(Version::V4) });
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut carol = room.register("carol", "c1", CONNECTIONS[2]);
    let draft = carol.signed_request("MESSAGE", "bob");
    room.send(&carol, &draft);
    for number in 0..40 {
        alice.at = CONNECTIONS[if number % 2 == 0 { 0 } else { 3 }];
        let draft = alice.signed_request("INVITE", "bob");
        room.send(&alice, &draft);
    }
    assert_eq!(room.server.pending(), 8);
    assert!(room.take(&carol).is_empty());
    let got = room.take(&bob).remove(0);
    let answer = bob.signed_answer(&got, 200);
    room.send(&bob, &answer);
    assert_eq!(read(&room.signed(&mut carol)).status(), Some(200));
}

/// A message that only just fits would not fit any more at the callee, whose connection would end.
#[test]
fn what_would_be_too_long_for_the_callee_is_not_forwarded() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let limits = room.server.config().limits;
    for (fields, length) in [(limits.header_fields - 10, 1), (60, 1070)] {
        let mut draft = alice.request("MESSAGE", "bob");
        (0..fields).for_each(|_| draft.push_text("X-Filler", "x".repeat(length)));
        let draft = alice.sign(draft);
        room.send(&alice, &draft);
        assert_eq!(read(&room.signed(&mut alice)).status(), Some(513));
        assert!(room.take(&bob).is_empty());
    }
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    room.signed(&mut bob);
}

/// The Request-URI stays as the caller wrote it then.
#[rstest]
#[case::long(&"b".repeat(2000))]
#[case::folded("b\r\n c")]
#[case::blank("b c")]
fn a_contact_that_fits_no_request_line_is_not_kept(#[case] user: &str) {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut draft = bob.request("REGISTER", "bob");
    draft.set(HeaderName::Contact, format!("<sip:{user}@b1.invalid>"));
    let draft = bob.sign(draft);
    room.send(&bob, &draft);
    assert_eq!(room.statuses(&bob), [200]);
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    assert!(room.signed(&mut bob).starts_with(b"MESSAGE sip:bob@contoso.com SIP/2.0\r\n"));
}
