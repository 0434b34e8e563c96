//! The table of properties and planted defects; `cargo xtask properties` prints it.

#![expect(clippy::print_stdout, reason = "the table is the output of this program")]

#[path = "../tests/generated.rs"]
mod generated;

use std::collections::{BTreeMap, BTreeSet};

use generated::{properties, told};
use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::Defect;
use sipae::version::Version;
use sipae_conformance::target::{Mode, Setting};

/// Each scheme at its newest version, and the short layout.
const SETTINGS: [Setting; 5] = [
    setting(Scheme::Ntlm, Version::V4),
    setting(Scheme::Kerberos, Version::V4),
    setting(Scheme::TlsDsk, Version::V4),
    setting(Scheme::Digest, Version::V4),
    setting(Scheme::Ntlm, Version::V2),
];

const fn setting(scheme: Scheme, version: Version) -> Setting {
    Setting { mode: Mode { scheme, version }, kind: Some(ChallengeKind::Www) }
}

fn main() {
    let cases = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(500);
    let only = std::env::args().nth(2).unwrap_or_else(|| "/any-".to_owned());
    for told in told(None, &only, cases, &SETTINGS) {
        println!("the right reference: {} {}", told.property, told.text);
    }
    if std::env::args().nth(2).is_some() {
        return;
    }
    let mut sole: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let told = told(Some(*defect), "/any-", cases, &SETTINGS);
        let finders: BTreeSet<&str> = told.iter().map(|told| told.property.as_str()).collect();
        if let [only] = finders.iter().collect::<Vec<_>>().as_slice() {
            sole.entry((**only).to_owned()).or_default().push(defect.id());
        }
        if told.is_empty() {
            missed.push(defect.id());
            continue;
        }
        println!("{} ({})", defect.id(), defect.requirement());
        for told in &told {
            let generated::Told { property, steps, generated, took, rows, .. } = told;
            println!("  {property}: {generated} cases, {steps} steps, {took:.1?}, {}", rows.join(" "));
        }
    }
    println!("\nnot seen by a property: {}", missed.join(", "));
    for property in properties() {
        let own = sole.get(property).map(|defects| defects.join(", "));
        println!("{property}: {}", own.unwrap_or_else(|| "NO DEFECT OF ITS OWN".to_owned()));
    }
}
