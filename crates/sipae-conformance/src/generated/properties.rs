//! The properties of servers, a module for each kind of freedom or fault.

mod reading;

use sipae_gen::{Check, Expect, Script, Source};

use super::ground::{self, SA};
use super::{Ground, Iteration, Property, Scene};
use crate::case::Case;

/// Every generated case.
pub(crate) fn cases() -> Vec<Case> {
    [reading::cases()].into_iter().flatten().collect()
}

/// A case whose conversations have this property.
fn case(id: &str, title: &str, rows: &[&'static str], property: Property) -> Case {
    Case::new(id, title, rows).generated(property)
}

/// A signed request that is changed before it is signed and after, in the same association as those before it.
fn signed(before: impl FnOnce(Script) -> Script, after: impl FnOnce(Script) -> Script, name: &str) -> Script {
    let script = before(ground::request(Script::default(), name)).sign(name, SA);
    after(script).send(name)
}

/// The iteration whose message must be treated so.
fn expecting(script: Script, name: &str, row: &str, expect: Expect) -> Iteration {
    Iteration { script, checks: vec![Check::new(name, row, expect)] }
}
