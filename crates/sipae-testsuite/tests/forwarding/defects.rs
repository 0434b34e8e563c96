//! Each planted defect of forwarding, seen from outside: right without it, wrong with it.

use std::time::Duration;

use sipae::auth::{AuthHeader, AuthParam};
use sipae::defects::{Defect, Defects};
use sipae::draft::Draft;
use sipae::message::HeaderName;
use sipae::server::ServerConfig;
use sipae::version::Version;
use sipae_testsuite::room::{CONNECTIONS, Phone, Room, config, field, read, shown};

/// What each story tells is whether the server did wrong.
type Story = fn(&mut Room, &mut Phone, &mut Phone) -> bool;

const STORIES: &[(Defect, Story)] = &[
    (Defect::SignsForOtherEndpoint, |room, alice, bob| {
        let mut other = room.register("bob", "b2", CONNECTIONS[2]);
        deliver(room, alice, |draft| draft);
        let second = room.take(&other).remove(0);
        let first = room.take(bob).remove(0);
        bob.verify(&first).is_err() && other.verify(&second).is_err()
    }),
    (Defect::PassesCredentialOn, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        field(&room.take(bob)[0], HeaderName::Authorization).is_some()
    }),
    (Defect::ToWithoutEpid, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        !field(&room.take(bob)[0], HeaderName::To).expect("To").contains("epid=b1")
    }),
    (Defect::RelaysUnsignedResponse, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        let answer = bob.answer(&room.take(bob)[0], 200);
        room.send(bob, &answer);
        room.statuses(alice) == [200]
    }),
    (Defect::RelaysForgedResponse, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        let mut answer = bob.signed_answer(&room.take(bob)[0], 486);
        answer.start_line = b"SIP/2.0 200 OK".to_vec();
        room.send(bob, &answer);
        room.statuses(alice) == [200]
    }),
    (Defect::ForwardsBareRequest, |room, alice, bob| {
        let draft = alice.request("MESSAGE", "bob");
        room.send(alice, &draft);
        assert_eq!(room.statuses(alice), [401]);
        !room.take(bob).is_empty()
    }),
    (Defect::AcceptsForeignFrom, |room, alice, bob| {
        deliver(room, alice, |mut draft| {
            draft.set(HeaderName::From, "<sip:carol@contoso.com>;tag=1;epid=a1");
            draft
        });
        room.take(bob).iter().any(|octets| field(octets, HeaderName::From).expect("From").contains("carol"))
    }),
    (Defect::RegistersForOthers, |room, alice, _| {
        let mut draft = alice.request("REGISTER", "alice");
        draft.set(HeaderName::To, "<sip:bob@contoso.com>");
        let draft = alice.sign(draft);
        room.send(alice, &draft);
        room.statuses(alice) == [200]
    }),
    (Defect::AssertsForeignIdentity, |room, alice, bob| {
        deliver(room, alice, |draft| draft.with(HeaderName::PPreferredIdentity, "<sip:carol@contoso.com>"));
        shown(&room.signed(bob)).contains("carol")
    }),
    (Defect::PreferredIdentityLeft, |room, alice, bob| {
        deliver(room, alice, |draft| draft.with(HeaderName::PPreferredIdentity, "<sip:alice@contoso.com>"));
        field(&room.signed(bob), HeaderName::PPreferredIdentity).is_some()
    }),
    (Defect::AssertedIdentityPassed, |room, alice, bob| {
        deliver(room, alice, |draft| draft.with(HeaderName::PAssertedIdentity, "<sip:carol@contoso.com>"));
        shown(&room.signed(bob)).contains("carol")
    }),
    (Defect::AssertsOnlyWishes, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        field(&room.signed(bob), HeaderName::PAssertedIdentity).is_none()
    }),
    (Defect::ResponseWithoutIdentity, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        let answer =
            bob.answer(&room.take(bob)[0], 200).with(HeaderName::PPreferredIdentity, "<sip:bob@contoso.com>");
        let answer = bob.sign(answer);
        room.send(bob, &answer);
        field(&room.signed(alice), HeaderName::PAssertedIdentity).is_none()
    }),
    (Defect::AssertsLastIdentity, |room, alice, bob| {
        deliver(room, alice, |draft| {
            let draft = draft.with(HeaderName::PPreferredIdentity, "<sip:alice@contoso.com>");
            draft.with(HeaderName::PPreferredIdentity, "<sip:carol@contoso.com>")
        });
        shown(&room.signed(bob)).contains("carol")
    }),
    (Defect::ForwardsUnsigned, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        read(&room.take(bob)[0]).count(HeaderName::AuthenticationInfo) == 0
    }),
    (Defect::SignsBeforeIdentity, |room, alice, bob| {
        deliver(room, alice, |draft| draft);
        let got = room.take(bob).remove(0);
        bob.verify(&got).is_err()
    }),
    (Defect::DeliversToExpired, |room, alice, bob| {
        for _ in 0..2 {
            room.now = room.now.plus(Duration::from_secs(7000));
            let draft = alice.signed_request("REGISTER", "alice");
            room.send(alice, &draft);
        }
        room.take(alice);
        deliver(room, alice, |draft| draft);
        !room.take(bob).is_empty()
    }),
    (Defect::DeliversReplay, |room, alice, bob| {
        let draft = deliver(room, alice, |draft| draft);
        room.send(alice, &draft);
        assert!(room.take(alice).is_empty());
        room.take(bob).len() == 2
    }),
    (Defect::AcceptsReflection, |room, _, bob| {
        let draft = bob.signed_request("MESSAGE", "bob");
        room.send(bob, &draft);
        let got = room.signed(bob);
        let reflected = reflected(&got);
        room.send(bob, &reflected);
        !room.take(bob).is_empty()
    }),
    (Defect::ReplacesOtherUsersEndpoint, |room, alice, bob| {
        room.register("carol", "b1", CONNECTIONS[2]);
        deliver(room, alice, |draft| draft);
        room.take(bob).is_empty()
    }),
];

#[test]
fn a_defect_shows_and_the_server_is_right_without_it() {
    for (defect, story) in STORIES {
        assert!(!tell(None, *story), "without {defect}");
        assert!(tell(Some(*defect), *story), "with {defect}");
    }
}

fn tell(defect: Option<Defect>, story: Story) -> bool {
    let defects = defect.map_or(Defects::NONE, Defects::only);
    let mut room = Room::new(ServerConfig { defects, ..config(Version::V4) });
    let (mut alice, mut bob) = room.with_alice_and_bob();
    story(&mut room, &mut alice, &mut bob)
}

/// A MESSAGE of alice to bob, changed and then signed.
fn deliver(room: &mut Room, alice: &mut Phone, change: fn(Draft) -> Draft) -> Draft {
    let draft = alice.request("MESSAGE", "bob");
    let draft = alice.sign(change(draft));
    room.send(alice, &draft);
    draft
}

/// The server's signature, renamed to be a client's.
fn reflected(got: &[u8]) -> Draft {
    let message = read(got);
    let line = AuthHeader::read(message.first(HeaderName::AuthenticationInfo).expect("signed"));
    let text = |param| line.get(param).expect("a parameter").to_text();
    let credential = format!(
        "NTLM qop=\"auth\", realm=\"{}\", targetname=\"{}\", opaque=\"{}\", crand=\"{}\", cnum=\"{}\", response=\"{}\"",
        text(AuthParam::Realm),
        text(AuthParam::Targetname),
        text(AuthParam::Opaque),
        text(AuthParam::Srand),
        text(AuthParam::Snum),
        text(AuthParam::Rspauth),
    );
    let mut draft = Draft::from_message(&message).with(HeaderName::Authorization, credential);
    draft.remove(HeaderName::AuthenticationInfo);
    draft.start_line = b"MESSAGE sip:bob@contoso.com SIP/2.0".to_vec();
    draft
}
