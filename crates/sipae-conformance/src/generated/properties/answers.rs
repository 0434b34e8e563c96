//! What the server says: signed, with fresh numbers, to whom it is for.

use sipae::message::HeaderName;
use sipae_gen::{Check, Choices, Edit, Expect, Party, Recipient, Source, Template, Text};

use super::{Ground, Iteration, Property, SA, Scene, Script, case, edited, expecting, request};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![granted(), failed(), delivered(), unregistered()]
}

/// Answers that grant something have fields of their own, which are signed.
fn granted() -> Case {
    const ROW: &str = "SIPAE-3.3.4.1-01";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let expires = Text::from(source.between(600, 7200).to_string());
        let edits = vec![Edit::SetHeader(HeaderName::Expires, expires)];
        let edits = if source.one_in(3) { Vec::new() } else { edits };
        let script = edited(request(Script::default(), scene.name), scene.name, edits);
        expecting(script.sign(scene.name, SA).send(scene.name), scene.name, ROW, Expect::Verified)
    };
    let title = "each answer to a signed request is signed, with a number that was not used";
    case("3.3.4.1/any-answer", title, &[ROW], Property::new(Ground::Established, make))
}

fn failed() -> Case {
    const ROW: &str = "SIPAE-3.3.4.1-02";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let template = Template::new(source.text(&["MESSAGE", "INFO", "BYE", "SERVICE", "REFER"]));
        let template = crate::cases::complete_headers(template.to(Recipient::Nobody));
        // With the From tag of the REGISTERs: that of a message is another matter.
        let from = Text::of("<sip:{user.address}>;tag={user.tag};epid={user.epid}");
        let script = Script::default()
            .compose(scene.name, template)
            .edit(scene.name, Edit::SetHeader(HeaderName::From, from))
            .sign(scene.name, SA)
            .send(scene.name);
        expecting(script, scene.name, ROW, Expect::Verified)
    };
    let title = "a failure is signed like a success";
    case("3.3.4.1/any-failure", title, &[ROW], Property::new(Ground::Established, make))
}

fn delivered() -> Case {
    const ROW: &str = "SIPAE-3.3.4.1-01";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let length = source.below(2000) as usize;
        let body = Edit::Body { content_type: "text/plain".to_owned(), octets: b"x".repeat(length) };
        let edits = if length == 0 { Vec::new() } else { vec![body] };
        let script = edited(super::to_peer(Script::default(), scene.name), scene.name, edits);
        let check = Check::new(scene.name, ROW, Expect::Delivered(Party::PEER));
        Iteration::new(script.sign(scene.name, SA).ask(scene.name), vec![check])
    };
    let property = Property::new(Ground::TwoUsers, make);
    case("3.3.4.1/any-delivery", "what is delivered is signed for who gets it", &[ROW], property)
}

fn unregistered() -> Case {
    const ROW: &str = "SIPAE-3.3.5.3-14";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let expires = source.text(&["0", "00", "000"]);
        let edits = vec![Edit::SetHeader(HeaderName::Expires, Text::from(expires))];
        let script = edited(request(Script::default(), scene.name), scene.name, edits);
        expecting(script.sign(scene.name, SA).ask(scene.name), scene.name, ROW, Expect::Verified)
    };
    let property = Property::new(Ground::Established, make).alone();
    case("3.3.5.3/any-farewell", "the answer to a de-registration is signed", &[ROW], property)
}
