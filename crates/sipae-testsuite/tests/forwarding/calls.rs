//! INVITE and what belongs to it.

use sipae::draft::Draft;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_testsuite::room::{CONNECTIONS, Phone, Room, field, read};

/// INVITE of alice to bob; what each endpoint of bob got.
fn invite(room: &mut Room, alice: &mut Phone, bobs: &mut [&mut Phone]) -> (Draft, Vec<Vec<u8>>) {
    let draft = alice.signed_request("INVITE", "bob");
    room.send(alice, &draft);
    let trying = room.take(alice);
    assert_eq!(trying.iter().map(|octets| read(octets).status()).collect::<Vec<_>>(), [Some(100)]);
    assert_eq!(field(&trying[0], HeaderName::To).as_deref(), Some("<sip:bob@contoso.com>"));
    (draft, bobs.iter_mut().map(|bob| room.signed(bob)).collect())
}

fn answer(room: &mut Room, phone: &mut Phone, request: &[u8], status: u16) {
    let draft = phone.signed_answer(request, status);
    room.send(phone, &draft);
}

/// A request of the same transaction or of the dialog after it.
fn follow_up(phone: &mut Phone, of: &Draft, method: &str, to: &[u8], same_branch: bool) -> Draft {
    let mut draft = phone.request(method, "bob");
    let own = |name| of.get(name).expect("a field").to_vec();
    let number = String::from_utf8(own(HeaderName::CSeq)).expect("text").replace("INVITE", method);
    draft.set(HeaderName::CallId, own(HeaderName::CallId));
    draft.set(HeaderName::CSeq, number);
    draft.set(HeaderName::To, to);
    if same_branch {
        draft.set(HeaderName::Via, own(HeaderName::Via));
    }
    phone.sign(draft)
}

fn methods(arrived: &[Vec<u8>]) -> Vec<String> {
    let method =
        |octets: &Vec<u8>| read(octets).method().map(|method| String::from_utf8_lossy(method).into_owned());
    arrived.iter().filter_map(method).collect()
}

#[test]
fn a_call_is_set_up_and_ended_by_the_callee() {
    for version in Version::ALL {
        let mut room = Room::at(version);
        let (mut alice, mut bob) = room.with_alice_and_bob();
        let (draft, got) = invite(&mut room, &mut alice, &mut [&mut bob]);
        for status in [180, 200] {
            answer(&mut room, &mut bob, &got[0], status);
            assert_eq!(read(&room.signed(&mut alice)).status(), Some(status));
        }
        assert!(room.take(&bob).is_empty());
        let ack = follow_up(&mut alice, &draft, "ACK", b"<sip:bob@contoso.com>;tag=tag-b1;epid=b1", false);
        room.send(&alice, &ack);
        assert_eq!(methods(&[room.signed(&mut bob)]), ["ACK"]);
        let mut bye = bob.request("BYE", "alice");
        bye.start_line = format!("BYE {} SIP/2.0", alice.contact()).into_bytes();
        bye.set(HeaderName::To, "<sip:alice@contoso.com>;tag=a1;epid=a1");
        let bye = bob.sign(bye);
        room.send(&bob, &bye);
        let got = room.signed(&mut alice);
        assert_eq!(methods(std::slice::from_ref(&got)), ["BYE"]);
        answer(&mut room, &mut alice, &got, 200);
        assert_eq!(read(&room.signed(&mut bob)).status(), Some(200));
        assert!(room.take(&alice).is_empty());
    }
}

#[test]
fn a_cancelled_call_is_stopped_at_the_callee_and_answered_487() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let (draft, got) = invite(&mut room, &mut alice, &mut [&mut bob]);
    let cancel = follow_up(&mut alice, &draft, "CANCEL", b"<sip:bob@contoso.com>", true);
    room.send(&alice, &cancel);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(200));
    let cancelled = room.signed(&mut bob);
    assert_eq!(methods(std::slice::from_ref(&cancelled)), ["CANCEL"]);
    assert_eq!(read(&cancelled).branch(), read(&got[0]).branch());
    assert_eq!(field(&cancelled, HeaderName::To), field(&got[0], HeaderName::To));
    answer(&mut room, &mut bob, &cancelled, 200);
    assert!(room.take(&alice).is_empty(), "the answer to CANCEL is the server's own affair");
    answer(&mut room, &mut bob, &got[0], 487);
    let ack = room.signed(&mut bob);
    assert_eq!(
        (methods(std::slice::from_ref(&ack)), read(&ack).branch()),
        (vec!["ACK".to_owned()], read(&got[0]).branch())
    );
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(487));
    let ack = follow_up(&mut alice, &draft, "ACK", b"<sip:bob@contoso.com>;tag=tag-b1", true);
    room.send(&alice, &ack);
    assert!(room.take(&bob).is_empty(), "an ACK to a failure goes one hop");
    assert_eq!(room.server.pending(), 0);
}

#[test]
fn a_cancel_of_nothing_is_answered_481() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let (draft, _) = invite(&mut room, &mut alice, &mut [&mut bob]);
    let mut carol = room.register("carol", "c1", CONNECTIONS[0]);
    let cancel = follow_up(&mut carol, &draft, "CANCEL", b"<sip:bob@contoso.com>", true);
    room.send(&carol, &cancel);
    assert_eq!(read(&room.signed(&mut carol)).status(), Some(481));
    assert!(room.take(&bob).is_empty(), "somebody else's call goes on");
}

/// RFC 3261 16.7: the first success ends the others.
#[test]
fn the_first_endpoint_that_takes_a_call_has_it() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut other = room.register("bob", "b2", CONNECTIONS[2]);
    let (_, got) = invite(&mut room, &mut alice, &mut [&mut bob, &mut other]);
    assert_ne!(read(&got[0]).branch(), read(&got[1]).branch());
    answer(&mut room, &mut other, &got[1], 200);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(200));
    assert_eq!(methods(&[room.signed(&mut bob)]), ["CANCEL"]);
    answer(&mut room, &mut bob, &got[0], 487);
    assert_eq!(methods(&[room.signed(&mut bob)]), ["ACK"]);
    assert!(room.take(&alice).is_empty());
}

/// The lowest status of the lowest class, once everybody has answered.
#[test]
fn the_best_failure_of_all_endpoints_is_the_answer() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut other = room.register("bob", "b2", CONNECTIONS[2]);
    let (_, got) = invite(&mut room, &mut alice, &mut [&mut bob, &mut other]);
    answer(&mut room, &mut bob, &got[0], 486);
    answer(&mut room, &mut bob, &got[0], 486);
    assert!(room.take(&alice).is_empty());
    assert_eq!(methods(&room.take(&bob)), ["ACK"], "the second failure answers nothing");
    answer(&mut room, &mut other, &got[1], 603);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(486));
}
