//! Legal ways of writing: a right server does not mind.

use sipae::auth::AuthParam;
use sipae::message::HeaderName;
use sipae_gen::{Edit, Expect, ParamEdit, Place, Script, Source, Text};

use super::{Ground, Iteration, Property, Scene, case, expecting, signed};
use crate::case::Case;

/// The parameters of a signed message.
const PARAMS: [AuthParam; 7] = [
    AuthParam::Qop,
    AuthParam::Realm,
    AuthParam::Targetname,
    AuthParam::Opaque,
    AuthParam::Crand,
    AuthParam::Cnum,
    AuthParam::Response,
];

type Edits = fn(&mut dyn Source) -> Vec<Edit>;

/// A request that is written in another way must be processed: the way is taken after it is signed, since it changes
/// nothing that is signed.
fn rewritten(id: &str, title: &str, row: &'static str, edits: Edits) -> Case {
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        let edits = edits(source);
        let script = signed(|script| script, |script| edited(script, scene.name, edits), scene.name);
        expecting(script, scene.name, row, Expect::Accepted)
    };
    case(id, title, &[row], Property::new(Ground::Established, make))
}

/// The same where what is written is signed.
fn written(id: &str, title: &str, row: &'static str, edits: Edits) -> Case {
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        let edits = edits(source);
        let script = signed(|script| edited(script, scene.name, edits), |script| script, scene.name);
        expecting(script, scene.name, row, Expect::Accepted)
    };
    case(id, title, &[row], Property::new(Ground::Established, make))
}

fn edited(script: Script, name: &str, edits: Vec<Edit>) -> Script {
    edits.into_iter().fold(script, |script, edit| script.edit(name, edit))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        rewritten(
            "2.2/any-parameter-names",
            "parameter names are understood in any letter case",
            "SIPAE-2.2-02",
            names,
        ),
        rewritten("2.2/any-parameter-order", "parameters are understood in any order", "SIPAE-2.2-03", order),
    ]
}

fn cased(source: &mut dyn Source, name: &str) -> String {
    sipae_gen::conforming::any_case(source, name)
}

fn names(source: &mut dyn Source) -> Vec<Edit> {
    let Some(param) = source.pick(&PARAMS) else { return Vec::new() };
    let name = cased(source, param.name());
    vec![Edit::Param(*param, ParamEdit::Rename(name))]
}

fn order(source: &mut dyn Source) -> Vec<Edit> {
    let mut params = PARAMS.to_vec();
    for place in 1..params.len() {
        let other = place - source.below(u32::try_from(place + 1).unwrap_or(1)) as usize;
        params.swap(place, other);
    }
    vec![Edit::OrderParams(params)]
}
