//! Requests without a signature: strangers are challenged, and within an association nothing goes without one.

use sipae::message::HeaderName;
use sipae_gen::{Check, Choices, Edit, Expect, Recipient, Source, Template, Text};

use super::{Ground, Iteration, Property, Scene, Script, case, edited, expecting};
use crate::case::{Case, Gate};
use crate::cases::complete_headers;

const METHODS: [&str; 12] = [
    "REGISTER",
    "OPTIONS",
    "MESSAGE",
    "INVITE",
    "SUBSCRIBE",
    "NOTIFY",
    "INFO",
    "BYE",
    "REFER",
    "SERVICE",
    "PUBLISH",
    "FOO",
];

pub(super) fn cases() -> Vec<Case> {
    vec![bare(), silent(), unsigned(), forwarded()]
}

/// Whatever does not say who somebody is.
fn freedoms(source: &mut dyn Source) -> Vec<Edit> {
    let field = |name: &str, value: &str| Edit::AddHeader {
        name: name.to_owned(),
        value: Text::of(value),
        first: false,
    };
    match source.below(5) {
        0 => Vec::new(),
        1 => vec![field("P-Preferred-Identity", "<sip:{user.address}>")],
        2 => vec![field("User-Agent", "UCCAPI/16.0")],
        3 => vec![Edit::SetHeader(HeaderName::MaxForwards, Text::from("1"))],
        _ => vec![Edit::FromTag(source.word("abcdef0123456789", 8))],
    }
}

fn bare() -> Case {
    const ROW: &str = "SIPAE-3.3.5.1-01";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let template = complete_headers(Template::new(source.text(&METHODS)).to(Recipient::Nobody));
        let script = edited(Script::default().compose(scene.name, template), scene.name, freedoms(source));
        expecting(script.send(scene.name), scene.name, ROW, Expect::Challenged)
    };
    let title = "a request without credential is challenged, whatever it asks for";
    case("3.3.5.1/any-bare-request", title, &[ROW], Property::new(Ground::Connected, make))
        .behind(Gate::Reachable)
}

fn silent() -> Case {
    const ROW: &str = "SIPAE-3.3.5.1-03";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let template = Template::new(source.text(&["ACK", "CANCEL"])).to(Recipient::Nobody);
        let script = edited(Script::default().compose(scene.name, template), scene.name, freedoms(source));
        expecting(script.send(scene.name), scene.name, ROW, Expect::Silent)
    };
    let title = "ACK and CANCEL without credential are not answered";
    case("3.3.5.1/any-bare-ack", title, &[ROW], Property::new(Ground::Connected, make))
        .behind(Gate::Reachable)
}

fn unsigned() -> Case {
    const ROW: &str = "SIPAE-3.1-01";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        // Requests that a server answers itself: others may reach somebody.
        let template = Template::new(source.text(&["REGISTER", "OPTIONS"]));
        let script = edited(Script::default().compose(scene.name, template), scene.name, freedoms(source));
        expecting(script.send(scene.name), scene.name, ROW, Expect::Legal)
    };
    let property = Property::new(Ground::Established, make).harmless(ROW);
    case("3.1/any-unsigned-request", "within an association nothing goes unsigned", &[ROW], property)
}

/// Before it is challenged nothing reaches anybody.
fn forwarded() -> Case {
    const ROW: &str = "SIPAE-3.3.5.1-15";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let script = edited(super::to_peer(Script::default(), scene.name), scene.name, freedoms(source));
        let check = Check::new(scene.name, ROW, Expect::Undelivered);
        Iteration::new(script.send(scene.name), vec![check])
    };
    let property = Property::new(Ground::TwoUsers, make);
    case("3.3.5.1/any-bare-message", "nothing is delivered before it is challenged", &[ROW], property)
}
