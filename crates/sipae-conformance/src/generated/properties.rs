//! The properties of servers, a module for each kind of freedom or fault.
//!
//! Each is the only one to find some planted bug: a test looks at that.

mod answers;
mod faulty;
mod handshakes;
mod numbers;
mod reading;
mod sequences;
mod unsigned;

use sipae_gen::{Check, Edit, Expect, Party, Script};

use super::faults::edited;
use super::ground::{SA, SECOND_SA, request, to_peer};
use super::{Ground, Iteration, Property, Scene};
use crate::case::Case;

/// Every generated case.
pub(crate) fn cases() -> Vec<Case> {
    let parts = [
        reading::cases(),
        faulty::cases(),
        numbers::cases(),
        unsigned::cases(),
        answers::cases(),
        handshakes::cases(),
        sequences::cases(),
    ];
    parts.into_iter().flatten().collect()
}

/// A case whose conversations have this property.
fn case(id: &str, title: &str, rows: &[&'static str], property: Property) -> Case {
    let needs_peer = property.ground == Ground::TwoUsers;
    let case = Case::new(id, title, rows).generated(property);
    if needs_peer { case.with_peer() } else { case }
}

/// A signed request, changed before it is signed and after, in the same association as those before it.
fn signed(name: &str, before: Vec<Edit>, after: Vec<Edit>) -> Script {
    let script = edited(request(Script::default(), name), name, before).sign(name, SA);
    edited(script, name, after).send(name)
}

/// The iteration whose message must be treated so.
fn expecting(script: Script, name: &str, row: &str, expect: Expect) -> Iteration {
    Iteration::new(script, vec![Check::new(name, row, expect)])
}

/// A letter for each of several messages.
fn further(name: &str, word: &str) -> String {
    format!("{name} {word}")
}

/// The association of a party of these grounds.
fn association(party: Party) -> &'static str {
    if party == Party::SECOND { SECOND_SA } else { SA }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sipae::auth::Scheme;
    use sipae::version::Version;
    use sipae_gen::fault::Fault;
    use sipae_gen::{Fast, Mode};

    use super::*;

    #[test]
    fn a_request_without_credential_has_none_of_any_scheme() {
        let case = cases().into_iter().find(|case| case.id() == "3.3.5.1/any-bare-request").expect("a case");
        let mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };
        for seed in 0..200 {
            let scene = Scene { mode, name: "m" };
            let script = case.property().expect("generated").make(&mut Fast::new(seed), &scene).script;
            assert!(!script.to_string().contains("uthorization"), "{script}");
        }
    }

    #[test]
    fn some_property_draws_each_fault() {
        let cases = cases();
        let properties = || cases.iter().filter_map(Case::property);
        let mut undrawn: BTreeSet<&str> = Fault::all().map(|fault| fault.name).collect();
        let mut source = Fast::new(1);
        for mode in Scheme::ALL.map(|scheme| Mode { scheme, version: Version::V4 }) {
            for _ in 0..1000 {
                for property in properties() {
                    undrawn.remove(property.make(&mut source, &Scene { mode, name: "m" }).fault);
                }
            }
        }
        assert_eq!(undrawn, BTreeSet::new());
    }
}
