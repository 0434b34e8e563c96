//! P-Asserted-Identity is the server's word ([MS-SIPAE] 3.3.5.6).

use rstest::rstest;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_testsuite::room::{Room, field, read};

const BOTH: &str = "<sip:alice@contoso.com>, <tel:+14255550100>";
const SIP: &str = "<sip:alice@contoso.com>";
const TEL: &str = "<tel:+14255550100>";

#[rstest]
#[case::no_wish(&[], BOTH)]
#[case::own_sip(&["P-Preferred-Identity: \"A\" <sip:Alice@contoso.com>"], SIP)]
#[case::own_tel(&["P-Preferred-Identity: <tel:+14255550100>"], TEL)]
#[case::both(&["P-Preferred-Identity: <sip:alice@contoso.com>, <tel:+14255550100>"], BOTH)]
#[case::foreign_sip(&["P-Preferred-Identity: <sip:bob@contoso.com>"], BOTH)]
#[case::foreign_tel(&["P-Preferred-Identity: <sip:alice@contoso.com>, <tel:+14255550199>"], BOTH)]
#[case::foreign_second(&["P-Preferred-Identity: <sip:alice@contoso.com>, <sip:bob@contoso.com>"], SIP)]
#[case::foreign_second_line(&["P-Preferred-Identity: <sip:alice@contoso.com>", "P-Preferred-Identity: <sip:bob@contoso.com>"], SIP)]
#[case::foreign_first_line(&["P-Preferred-Identity: <sip:bob@contoso.com>", "P-Preferred-Identity: <sip:alice@contoso.com>"], BOTH)]
#[case::asserted(&["P-Asserted-Identity: <sip:bob@contoso.com>"], BOTH)]
#[case::asserted_hides_preferred(&["P-Asserted-Identity: <sip:alice@contoso.com>", "P-Preferred-Identity: <sip:bob@contoso.com>"], BOTH)]
#[case::bare_uri(&["P-Preferred-Identity: sip:bob@contoso.com;x=<sip:alice@contoso.com>"], BOTH)]
fn the_callee_sees_own_identities_only(
    #[case] lines: &[&str],
    #[case] expected: &str,
    #[values(Version::V2, Version::V4)] version: Version,
) {
    let mut room = Room::at(version);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let mut draft = alice.request("MESSAGE", "bob");
    for (name, value) in lines.iter().filter_map(|line| line.split_once(": ")) {
        draft.push_text(name, value);
    }
    let draft = alice.sign(draft);
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    assert_eq!(field(&got, HeaderName::PAssertedIdentity).as_deref(), Some(expected));
    assert_eq!(read(&got).count(HeaderName::PAssertedIdentity), 1);
    assert_eq!(read(&got).count(HeaderName::PPreferredIdentity), 0);
}

/// SIPAE-3.3.5.6-06.
#[test]
fn the_caller_sees_an_identity_of_the_callee() {
    let mut room = Room::at(Version::V4);
    let (mut alice, mut bob) = room.with_alice_and_bob();
    let draft = alice.signed_request("MESSAGE", "bob");
    room.send(&alice, &draft);
    let got = room.signed(&mut bob);
    let answer = bob.answer(&got, 200).with(HeaderName::PPreferredIdentity, "<sip:alice@contoso.com>");
    let answer = bob.sign(answer);
    room.send(&bob, &answer);
    let back = room.signed(&mut alice);
    assert_eq!(field(&back, HeaderName::PAssertedIdentity).as_deref(), Some("<sip:bob@contoso.com>"));
    assert_eq!(field(&back, HeaderName::PPreferredIdentity), None);
}
