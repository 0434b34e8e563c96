//! Requests: who gets them, and what the server changes in them.

use rstest::rstest;
use sipae::auth::{AuthParam, AuthWriter, ChallengeKind, Style};
use sipae::message::HeaderName;
use sipae::server::{Input, ServerConfig};
use sipae::version::Version;
use sipae_testsuite::room::{CONNECTIONS, Room, config, field, read};

/// SIPAE-3.3.4.1-01, -10, -11, -14, SIPAE-3.3.1-06: the whole way of a message and of its answer.
#[rstest]
fn a_message_is_signed_anew_for_who_gets_it_and_so_is_its_answer(
    #[values(Version::V2, Version::V3, Version::V4)] version: Version,
    #[values(ChallengeKind::Www, ChallengeKind::Proxy)] kind: ChallengeKind,
) {
    let mut room = Room::new(ServerConfig { kind, ..config(version) });
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    assert_eq!(read(&got).start_line(), read(b"MESSAGE sip:bob@b1.invalid SIP/2.0\r\n\r\n").start_line());
    assert_eq!(field(&got, HeaderName::To).as_deref(), Some("<sip:bob@contoso.com>;epid=b1"));
    assert_eq!(field(&got, HeaderName::MaxForwards).as_deref(), Some("69"));
    assert_eq!(read(&got).count(HeaderName::Via), 2);
    assert_eq!(read(&got).count(kind.credential()), 0);
    assert_eq!(read(&got).count(kind.signature()), 1);
    let answer = bob.signed_answer(&got, 200);
    room.send(&bob, &answer);
    let back = room.signed(&mut alice);
    assert_eq!(read(&back).status(), Some(200));
    assert_eq!(field(&back, HeaderName::Via).map(String::into_bytes).as_deref(), draft.get(HeaderName::Via));
    assert_eq!((read(&back).count(HeaderName::Via), read(&back).count(kind.credential())), (1, 0));
    assert_eq!(room.server.pending(), 0);
}

/// Credentials for others are not this server's to take away (SIPAE-3.3.4.1-14).
#[test]
fn a_credential_for_another_server_stays() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let alien = AuthWriter::with_scheme("Kerberos").param(AuthParam::Realm, "elsewhere");
    let mut draft = alice.request("MESSAGE", "bob");
    draft.push(HeaderName::ProxyAuthorization, alien.write(&Style::CANONICAL));
    let draft = alice.sign(draft);
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    assert_eq!(field(&got, HeaderName::ProxyAuthorization).as_deref(), Some("Kerberos realm=\"elsewhere\""));
}

#[rstest]
#[case::own_domain("OPTIONS", "sip:contoso.com", "70", 200)]
#[case::own_services("SUBSCRIBE", "sip:alice@contoso.com", "70", 200)]
#[case::unknown_user("MESSAGE", "sip:nobody@contoso.com", "70", 404)]
#[case::unknown_gruu("MESSAGE", "sip:bob@contoso.com;opaque=user:epid:x;gruu", "70", 404)]
#[case::other_host("INVITE", "sip:192.0.2.1", "70", 404)]
#[case::nobody_there("INVITE", "sip:carol@contoso.com", "70", 480)]
#[case::too_many_hops("MESSAGE", "sip:bob@contoso.com", "0", 483)]
#[case::no_hops("MESSAGE", "sip:bob@contoso.com", "many", 400)]
fn what_cannot_be_forwarded_is_answered_signed(
    #[case] method: &str,
    #[case] uri: &str,
    #[case] hops: &str,
    #[case] expected: u16,
) {
    let mut room = Room::at(Version::V4);
    let (mut alice, bob) = room.with_alice_and_bob();
    let mut draft = alice.request(method, "bob");
    draft.start_line = format!("{method} {uri} SIP/2.0").into_bytes();
    draft.set(HeaderName::MaxForwards, hops);
    let draft = alice.sign(draft);
    room.send(&alice, &draft);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(expected));
    assert!(room.take(&bob).is_empty());
}

/// To reads like the sender's own address, and the message comes back over the connection that it came from.
#[test]
fn a_message_to_oneself_is_forwarded_like_any_other() {
    let mut room = Room::at(Version::V4);
    let (mut alice, _) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "alice");
    room.send(&alice, &draft);
    let got = room.signed(&mut alice);
    assert_eq!(read(&got).method(), Some(&b"MESSAGE"[..]));
    let answer = alice.signed_answer(&got, 200);
    room.send(&alice, &answer);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(200));
}

/// SIPAE-3.3.4.1-10: GRUU and the epid of To name one endpoint of several; without them all are meant.
#[rstest]
#[case::address(None, false, true)]
#[case::gruu(Some(true), false, false)]
#[case::epid(None, true, false)]
fn an_endpoint_that_is_named_gets_it_alone(
    #[case] gruu: Option<bool>,
    #[case] epid: bool,
    #[case] both: bool,
) {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut other = room.register("bob", "b2", CONNECTIONS[2]);
    let mut draft = alice.request("MESSAGE", "bob");
    if gruu.is_some() {
        draft.start_line = format!("MESSAGE {} SIP/2.0", other.gruu()).into_bytes();
    }
    if epid {
        draft.set(HeaderName::To, "<sip:bob@contoso.com>;epid=b2");
    }
    let draft = alice.sign(draft);
    room.send(&alice, &draft);
    room.signed(&mut other);
    assert_eq!(
        room.take(&bob).iter().map(|octets| bob.verify(octets).expect("signed")).count(),
        usize::from(both)
    );
}

/// No Record-Route: inside a dialog the Request-URI is a contact, and the signed To tells who is meant.
#[rstest]
#[case::contact_of_one("sip:bob@b2.invalid", "<sip:bob@contoso.com>;tag=1", 0)]
#[case::contact_of_nobody("sip:192.0.2.1", "<sip:bob@contoso.com>;tag=1", 1)]
fn a_request_inside_a_dialog_follows_to(#[case] uri: &str, #[case] to: &str, #[case] others: usize) {
    let mut room = Room::at(Version::V4);
    let (mut alice, bob) = room.with_alice_and_bob();
    let mut second = room.register("bob", "b2", CONNECTIONS[2]);
    let mut draft = alice.request("INFO", "bob");
    draft.start_line = format!("INFO {uri} SIP/2.0").into_bytes();
    draft.set(HeaderName::To, to);
    let draft = alice.sign(draft);
    room.send(&alice, &draft);
    room.signed(&mut second);
    assert_eq!(room.take(&bob).len(), others);
}

/// An endpoint is where its last verified message came from.
#[test]
fn a_disconnected_endpoint_is_reached_again_after_a_verified_message_over_another_connection() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    room.handle(Input::Disconnected(bob.at));
    room.handle(Input::Connected(bob.at));
    let mut probe = |room: &mut Room| {
        let draft = alice.signed_request("MESSAGE", "bob");
        room.send(&alice, &draft);
        room.statuses(&alice)
    };
    assert_eq!(probe(&mut room), [480], "the number of the connection is somebody else's now");
    bob.at = CONNECTIONS[2];
    let draft = bob.signed_request("OPTIONS", "bob");
    let forged = sipae::draft::Draft { start_line: b"OPTIONS sip:contoso.com SIP/2.0".to_vec(), ..draft };
    let mut altered = forged.clone();
    altered.set(HeaderName::CallId, "altered");
    room.send(&bob, &altered);
    assert_eq!(probe(&mut room), [480], "what does not verify moves nobody");
    room.send(&bob, &forged);
    assert_eq!(room.statuses(&bob), [200]);
    assert_eq!(probe(&mut room), Vec::<u16>::new());
    room.signed(&mut bob);
}

/// A REGISTER without Contact asks, and one without Expires left has ended.
#[test]
fn who_has_not_registered_gets_nothing() {
    let mut room = Room::at(Version::V4);
    let mut alice = room.register("alice", "a1", CONNECTIONS[0]);
    let mut bob = room.establish("bob", "b1", CONNECTIONS[1]);
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    assert_eq!(room.statuses(&alice), [480]);
    let draft = bob.signed_request("REGISTER", "bob");
    room.send(&bob, &draft);
    let mut draft = bob.request("REGISTER", "bob");
    draft.push(HeaderName::Expires, "0");
    let draft = bob.sign(draft);
    room.send(&bob, &draft);
    assert_eq!(room.statuses(&bob), [200, 200]);
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    assert_eq!((room.statuses(&alice), room.take(&bob).len()), (vec![480], 0));
}

/// SIPAE-3.3.6-03.
#[test]
fn nothing_is_delivered_under_an_association_that_has_ended() {
    let mut room = Room::at(Version::V4);
    let (mut alice, bob) = room.with_alice_and_bob();
    for seconds in [7000, 7000] {
        room.now = room.now.plus(std::time::Duration::from_secs(seconds));
        let draft = alice.signed_request("REGISTER", "alice");
        room.send(&alice, &draft);
        assert_eq!(room.statuses(&alice), [200]);
    }
    assert_eq!(room.server.established(), 1);
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    assert_eq!((room.statuses(&alice), room.take(&bob).len()), (vec![480], 0));
}
