//! The reference server between two users, one of whom says anything under a good signature: [`forwarding`].

use sipae::auth::AuthHeader;
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, MessageStream, Value};
use sipae::version::Version;

use crate::room::{CONNECTIONS, Phone, Room, read, shown};

/// Whatever is signed, each receiver gets whole messages under its own signature, never an identity or a credential of
/// the sender's choice, and a caller never an answer to what it has not asked. A third user hears nothing.
pub fn forwarding(data: &[u8]) {
    let Ok(message) = Message::parse(data, &Limits::DEFAULT) else { return };
    for version in Version::ALL {
        let mut room = Room::at(version);
        let (mut alice, mut bob) = room.with_alice_and_bob();
        let carol = room.register("carol", "c1", CONNECTIONS[2]);
        if message.is_request() {
            request(&mut room, &mut alice, &mut bob, &message);
        } else {
            response(&mut room, &mut alice, &mut bob, &message);
        }
        assert!(room.take(&carol).is_empty());
    }
}

/// alice sends it, and bob answers what arrives of it.
fn request(room: &mut Room, alice: &mut Phone, bob: &mut Phone, message: &Message<'_>) {
    let mut draft = Draft::from_message(message);
    draft.set(HeaderName::From, "<sip:alice@contoso.com>;tag=a1;epid=a1");
    if !sends(room, alice, draft) {
        return;
    }
    for octets in room.take(bob) {
        let got = received(bob, &octets);
        assert!(got.is_request(), "{}", shown(&octets));
        asserts(&got, "alice");
        let answer = bob.answer(&octets, 200);
        sends(room, bob, answer);
    }
    for octets in room.take(alice) {
        let got = received(alice, &octets);
        asserts(&got, if got.is_request() { "alice" } else { "bob" });
    }
}

/// bob answers a call of alice with it.
fn response(room: &mut Room, alice: &mut Phone, bob: &mut Phone, message: &Message<'_>) {
    let invite = alice.signed_request("INVITE", "bob");
    room.send(alice, &invite);
    room.take(alice);
    let Some(got) = room.take(bob).pop() else { panic!("the call does not arrive") };
    let mut draft = Draft::from_message(message);
    draft.set(HeaderName::Via, read(&got).first(HeaderName::Via).unwrap_or_default().raw());
    sends(room, bob, draft.clone());
    for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq, HeaderName::To] {
        draft.set(name, read(&got).first(name).unwrap_or_default().raw());
        sends(room, bob, draft.clone());
    }
    for octets in room.take(alice) {
        let relayed = received(alice, &octets);
        assert!(!relayed.is_request(), "{}", shown(&octets));
        asserts(&relayed, "bob");
        assert_eq!(transaction(&relayed), transaction(&read(&invite.to_octets())), "{}", shown(&octets));
    }
    for octets in room.take(bob) {
        let got = received(bob, &octets);
        // Behind a message that is shorter than its octets comes another one, which may ask without credential.
        let is_refusal = matches!(got.status(), Some(400 | 401));
        assert!(got.is_request() || is_refusal, "{}", shown(&octets));
    }
}

/// What identifies the request that a message is, or answers.
fn transaction(message: &Message<'_>) -> [Option<String>; 4] {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (call_id, cseq) = (message.call_id().ok(), message.cseq().ok());
    [
        message.branch().map(text),
        call_id.map(Value::to_text),
        cseq.map(|cseq| text(cseq.number)),
        cseq.map(|cseq| text(cseq.method)),
    ]
}

/// Signs and sends, unless the message cannot be signed.
fn sends(room: &mut Room, phone: &mut Phone, draft: Draft) -> bool {
    let signed = phone.try_sign(draft);
    if let Some(signed) = &signed {
        room.send(phone, signed);
    }
    signed.is_some()
}

/// One whole message, under a good signature of the server unless it is a challenge, a 100 or a 400.
fn received<'a>(phone: &mut Phone, octets: &'a [u8]) -> Message<'a> {
    let message = read(octets);
    let mut stream = MessageStream::new(Limits::DEFAULT);
    stream.push(octets);
    assert!(
        matches!(stream.next_message(), Ok(Some(whole)) if whole.octets() == octets),
        "{}",
        shown(octets)
    );
    if !matches!(message.status(), Some(100 | 400 | 401)) {
        assert_eq!(phone.verify(octets).err(), None, "{}", shown(octets));
    }
    let mut credentials =
        HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
    assert!(!credentials.any(|credential| phone.sa.parameters.fit(&credential)), "{}", shown(octets));
    message
}

/// The identities are that user's own, in one line, or there are none.
fn asserts(message: &Message<'_>, user: &str) {
    let (sip, tel) = (format!("<sip:{user}@contoso.com>"), "<tel:+14255550100>");
    let own = [sip.clone(), tel.to_owned(), format!("{sip}, {tel}")];
    let lines: Vec<_> = message.all(HeaderName::PAssertedIdentity).map(Value::to_text).collect();
    assert!(lines.len() < 2 && lines.iter().all(|line| own.contains(line)), "{lines:?}");
    assert_eq!(message.count(HeaderName::PPreferredIdentity), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the fuzzer starts from must get to the callee, or it will never see forwarding.
    #[test]
    fn a_message_is_delivered_and_an_answer_relayed() {
        let mut room = Room::at(Version::V4);
        let (mut alice, mut bob) = room.with_alice_and_bob();
        let draft = alice.request("MESSAGE", "bob");
        request(&mut room, &mut alice, &mut bob, &read(&draft.to_octets()));
        assert_eq!(room.server.pending(), 0);
        let taken = Draft::response(200).with(HeaderName::PPreferredIdentity, "<sip:alice@contoso.com>");
        response(&mut room, &mut alice, &mut bob, &read(&taken.to_octets()));
        assert_eq!(room.server.pending(), 1, "the call is kept for its ACK");
    }
}
