//! Responses: which of them are relayed.

use rstest::rstest;
use sipae::draft::Draft;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_testsuite::room::{CONNECTIONS, Room, field, read};

/// SIPAE-3.3.5.1-17, SIPAE-3.3.5.3-11: a bad answer is as good as none, and a right one still counts.
#[rstest]
#[case::unsigned(|answer: &mut Draft| answer.remove(HeaderName::Authorization), false)]
#[case::unsigned_100(|answer: &mut Draft| { answer.remove(HeaderName::Authorization); answer.start_line = b"SIP/2.0 100 Trying".to_vec(); }, false)]
#[case::other_status(|answer: &mut Draft| answer.start_line = b"SIP/2.0 202 Accepted".to_vec(), false)]
#[case::other_branch(|answer: &mut Draft| answer.set(HeaderName::Via, "SIP/2.0/TCP server.contoso.com;branch=z9hG4bK1"), true)]
#[case::other_call(|answer: &mut Draft| answer.set(HeaderName::CallId, "other"), true)]
#[case::other_method(|answer: &mut Draft| answer.set(HeaderName::CSeq, "1 REGISTER"), true)]
#[case::other_caller(|answer: &mut Draft| answer.set(HeaderName::From, "<sip:carol@contoso.com>;tag=a1"), true)]
#[case::other_to(|answer: &mut Draft| answer.set(HeaderName::To, "<sip:carol@contoso.com>;tag=1;epid=b1"), true)]
fn a_bad_answer_is_dropped_and_changes_nothing(#[case] change: fn(&mut Draft), #[case] signed_after: bool) {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    let mut answer = bob.signed_answer(&got, 200);
    change(&mut answer);
    let answer = if signed_after { bob.sign(answer) } else { answer };
    room.send(&bob, &answer);
    assert!(room.take(&alice).is_empty());
    let answer = bob.signed_answer(&got, 200);
    room.send(&bob, &answer);
    assert_eq!(read(&room.signed(&mut alice)).status(), Some(200));
}

/// Who reads the first signature alone would find that of the callee; what is said of other servers stays.
#[rstest]
#[case::in_the_name_of_the_server(
    "NTLM qop=\"auth\", opaque=\"0A0B0C0D\", srand=\"01020304\", snum=\"1\", rspauth=\"00\", \
     targetname=\"server.contoso.com\", realm=\"SIP Communications Service\"",
    0
)]
#[case::of_another_server("NTLM targetname=\"server.fabrikam.com\", realm=\"Fabrikam\", rspauth=\"00\"", 1)]
#[case::of_nobody("ngth: 1", 1)]
fn a_callee_signs_nothing_in_the_name_of_the_server(
    #[case] line: &str,
    #[case] others: usize,
    #[values(HeaderName::AuthenticationInfo, HeaderName::ProxyAuthenticationInfo)] name: HeaderName,
) {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    let answer = bob.answer(&got, 200).with(name, line);
    let answer = bob.sign(answer);
    room.send(&bob, &answer);
    let relayed = room.signed(&mut alice);
    let lines = HeaderName::SIGNATURES.map(|name| read(&relayed).all(name).count());
    assert_eq!(lines.iter().sum::<usize>(), 1 + others);
}

/// Another user's signature is as bad, whatever the answer says.
#[test]
fn nobody_answers_for_another() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut carol = room.register("carol", "c1", CONNECTIONS[2]);
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    for to in ["<sip:bob@contoso.com>;tag=1;epid=b1", "<sip:carol@contoso.com>;tag=1;epid=c1"] {
        let mut answer = carol.answer(&got, 200);
        answer.set(HeaderName::To, to);
        let answer = carol.sign(answer);
        room.send(&carol, &answer);
        assert!(room.take(&alice).is_empty(), "{to}");
    }
}

/// A client that were challenged by its callee would give up its association.
#[rstest]
#[case(401)]
#[case(407)]
fn a_challenge_of_a_callee_is_no_challenge_to_the_caller(#[case] status: u16) {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    let mut answer = bob.answer(&got, status);
    answer.push(
        HeaderName::WwwAuthenticate,
        "NTLM realm=\"SIP Communications Service\", targetname=\"server.contoso.com\"",
    );
    let answer = bob.sign(answer);
    room.send(&bob, &answer);
    let back = room.signed(&mut alice);
    assert_eq!((read(&back).status(), field(&back, HeaderName::WwwAuthenticate)), (Some(403), None));
}

/// The callee may leave its epid out; the caller hears it all the same, and can name the endpoint from then on.
#[test]
fn to_of_a_relayed_answer_names_the_endpoint_that_answered() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    let mut answer = bob.answer(&got, 200);
    answer.set(HeaderName::To, "<sip:bob@contoso.com>;tag=1");
    let answer = bob.sign(answer);
    room.send(&bob, &answer);
    let back = room.signed(&mut alice);
    assert_eq!(field(&back, HeaderName::To).as_deref(), Some("<sip:bob@contoso.com>;tag=1;epid=b1"));
}
