//! cnum and its window: each number once, in any order, and none far below.

use sipae::auth::AuthParam;
use sipae_gen::{Check, Choices, Edit, Expect, ParamEdit, Script, Source, Text};

use super::{Ground, Iteration, Property, SA, Scene, case, further, request};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![again(), copies(), below(), forged()]
}

/// The window of SIPAE-3.1.1-02.
const WINDOW: u32 = 256;
/// The first number that no handshake has used.
const FIRST: u32 = 10;

fn numbered(script: Script, name: &str, number: u32) -> Script {
    request(script, name).sign_number(name, SA, number).send(name)
}

/// A message of its own with a number that was used.
fn again() -> Case {
    const ROW: &str = "SIPAE-3.1.1-05";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let number = FIRST + source.below(200);
        let (first, second) = (further(scene.name, "first"), further(scene.name, "second"));
        let script = numbered(Script::default(), &first, number).wait(&first);
        let script = numbered(script, &second, number);
        Iteration::new(script, vec![Check::new(second, ROW, Expect::Legal)])
    };
    let property = Property::new(Ground::Established, make).alone();
    case("3.1.1/any-number-again", "a number is accepted once", &[ROW], property)
}

/// The octets of a MESSAGE once more: who gets it gets it once.
fn copies() -> Case {
    const ROW: &str = "SIPAE-3.3.5.3-05";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let copy = further(scene.name, "copy");
        let script = super::to_peer(Script::default(), scene.name).sign(scene.name, SA).ask(scene.name);
        let between = source.below(3);
        let script = (0..between).fold(script, |script, place| {
            let name = further(scene.name, &place.to_string());
            request(script, &name).sign(&name, SA).ask(&name)
        });
        let script = script.replay(&copy, scene.name).send(&copy);
        // What is delivered behind it shows that it has had its chance.
        let end = further(scene.name, "end");
        let script = super::to_peer(script, &end).sign(&end, SA).ask(&end);
        Iteration::new(script, vec![Check::new(copy, ROW, Expect::Undelivered)])
    };
    let property = Property::new(Ground::TwoUsers, make).alone();
    case("3.3.5.3/any-copy", "a message is delivered once", &[ROW], property)
}

/// Behind three large steps a number near the beginning.
fn below() -> Case {
    const ROW: &str = "SIPAE-3.1.1-07";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let mut script = Script::default();
        let mut number = FIRST;
        for place in 0..3 {
            number += source.between(200, WINDOW - 1);
            let name = further(scene.name, &place.to_string());
            script = numbered(script, &name, number).wait(&name);
        }
        let old = FIRST + source.below(number - FIRST - WINDOW - 1);
        let script = numbered(script, scene.name, old);
        Iteration::new(script, vec![Check::new(scene.name, ROW, Expect::Refused)])
    };
    let property = Property::new(Ground::Established, make).alone();
    case("3.1.1/any-number-below", "a number below the window is refused", &[ROW], property)
}

/// A forged message may have any number; the numbers of the association go on.
fn forged() -> Case {
    const ROW: &str = "SIPAE-3.1.1-09";
    const FORGED: &str = "SIPAE-3.3.5.3-04";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let number = source.between(10_000, 4_000_000_000);
        let (forged, good) = (further(scene.name, "forged"), scene.name);
        let script = request(Script::default(), &forged);
        // A signature that fits another number, or none.
        let script = if source.below(4) == 3 {
            let other = Edit::Param(AuthParam::Cnum, ParamEdit::Set(Text::from(number.to_string())));
            script.sign(&forged, SA).edit(&forged, other)
        } else {
            let other = Edit::Param(AuthParam::Response, ParamEdit::FlipBit);
            script.sign_number(&forged, SA, number).edit(&forged, other)
        };
        let script = request(script.send(&forged), good).sign(good, SA).send(good).retry(good);
        let checks =
            vec![Check::new(forged, FORGED, Expect::Refused), Check::new(good, ROW, Expect::Accepted)];
        Iteration::new(script, checks)
    };
    let property = Property::new(Ground::Established, make).alone();
    case("3.1.1/any-forged-number", "a forged message moves no window", &[ROW, FORGED], property)
}
