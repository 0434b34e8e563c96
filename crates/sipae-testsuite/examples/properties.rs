//! The table of properties and planted defects; `cargo xtask properties` prints it.

#![expect(clippy::print_stdout, reason = "the table is the output of this program")]

#[path = "../tests/generated.rs"]
mod generated;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use generated::{SHRINK_PLAYS, properties, told, told_over_tcp};
use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::Defect;
use sipae::version::Version;
use sipae_conformance::target::{Mode, Setting};
use sipae_testsuite::two_at_a_time;

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

/// Sequences find much of what properties find, and more.
const SEQUENCES: &str = "any-sequence";

/// Defects that are looked for before the times of what was found are taken, beside nothing else.
const AT_ONCE: usize = 16;

/// What is told of each of these defects.
fn all(cases: u64, defects: &[Defect]) -> Vec<(Defect, Vec<generated::Told>)> {
    let mut found =
        two_at_a_time(defects, |defect| Some((*defect, told(Some(*defect), "/any-", cases, &SETTINGS))));
    found.sort_by_key(|(defect, _)| *defect);
    found
}

/// How long an answer may take over TCP: silence that no fence proves costs as much.
const PATIENCE: Duration = Duration::from_millis(200);

/// Where a defect is looked for.
#[derive(Clone, Copy)]
enum Place {
    Memory,
    Tcp,
}

impl Place {
    const fn text(self) -> &'static str {
        match self {
            Self::Memory => "",
            Self::Tcp => " over TCP",
        }
    }

    /// How long the property takes that told this, beside nothing else, to find the defect and to make it smaller. `None`
    /// where it does not find it.
    fn times(self, defect: Defect, told: &generated::Told, cases: u64) -> Option<Times> {
        // Digest has no versions.
        let is_its = |Setting { mode, .. }: &Setting| {
            told.subject.scheme == mode.scheme.name()
                && [0, mode.version.number()].contains(&told.subject.version)
        };
        let setting = SETTINGS.into_iter().find(is_its)?;
        let again = match self {
            Self::Memory => generated::told(Some(defect), &told.property, cases, &[setting]),
            Self::Tcp => {
                let told = told_over_tcp(SHRINK_PLAYS, defect, &told.property, cases, setting, PATIENCE);
                told.map(|(told, _)| told).unwrap_or_default()
            }
        };
        again.first().map(|again| (again.found, again.shrunk))
    }
}

/// How long it took to find a defect, and to make what has shown it smaller.
type Times = (Duration, Duration);

/// What finds a defect, soonest first; with `is_one` up to the first that finds it in all places. The times of the first in
/// each place.
fn print(
    defect: Defect,
    told: &mut [generated::Told],
    cases: u64,
    places: &[Place],
    is_one: bool,
) -> Vec<Option<Times>> {
    println!("{} ({})", defect.id(), defect.requirement());
    told.sort_by_key(|told| told.generated);
    let mut first = vec![None; places.len()];
    for told in told {
        let generated::Told { property, steps, generated, rows, .. } = &*told;
        let mut text = String::new();
        let mut is_found = true;
        for (place, first) in places.iter().zip(&mut first) {
            let times = place.times(defect, told, cases);
            is_found &= times.is_some();
            *first = first.or(times);
            let times = times.map(|(found, shrunk)| format!("{found:.1?} + {shrunk:.1?}"));
            text += &format!("{}{}, ", times.as_deref().unwrap_or("not found"), place.text());
        }
        println!("  {property}: {generated} cases, {steps} steps, {text}{}", rows.join(" "));
        if is_one && is_found {
            break;
        }
    }
    first
}

/// How soon half of the defects, nine of ten, and all that were found.
fn summary(place: Place, times: &[Times], defects: usize) {
    let told = |part: fn(&Times) -> Duration| {
        let mut times: Vec<Duration> = times.iter().map(part).collect();
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
        let [half, most, all] = [50, 90, 100].map(|percent| at(percent).copied().unwrap_or_default());
        format!("{half:.1?} (half), {most:.1?} (nine of ten), {all:.1?} (all)")
    };
    let (found, shrunk) = (told(|(found, _)| *found), told(|(_, shrunk)| *shrunk));
    println!("{} of {defects} found{}: {found}; made smaller: {shrunk}", times.len(), place.text());
}

const FLAGS: [&str; 2] = ["--tcp", "--soonest"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| !FLAGS.contains(&flag.as_str())) {
        return Err(format!("{unknown} is none of {}", FLAGS.join(", ")).into());
    }
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let places = if has("--tcp") { &[Place::Memory, Place::Tcp][..] } else { &[Place::Memory] };
    let cases = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(500);
    let named: Vec<Defect> = arguments.iter().skip(1).map(|name| name.parse()).collect::<Result<_, _>>()?;
    let defects = if named.is_empty() { Defect::ALL } else { &named };
    let mut sole: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut missed = Vec::new();
    let mut found: Vec<Vec<Option<Times>>> = Vec::new();
    for defects in defects.chunks(AT_ONCE) {
        for (defect, mut told) in all(cases, defects) {
            let properties =
                told.iter().map(|told| told.property.as_str()).filter(|name| !name.ends_with(SEQUENCES));
            let finders: BTreeSet<&str> = properties.collect();
            if let [only] = finders.iter().collect::<Vec<_>>().as_slice() {
                sole.entry((**only).to_owned()).or_default().push(defect.id());
            }
            if told.is_empty() {
                missed.push(defect.id());
            } else {
                found.push(print(defect, &mut told, cases, places, has("--soonest")));
            }
        }
    }
    println!("\nnot seen by a property: {}", missed.join(", "));
    for (number, place) in places.iter().enumerate() {
        let times: Vec<Times> = found.iter().filter_map(|times| *times.get(number)?).collect();
        summary(*place, &times, found.len());
    }
    if !named.is_empty() {
        return Ok(());
    }
    for property in properties() {
        let own = sole.get(property).map(|defects| defects.join(", "));
        println!("{property}: {}", own.unwrap_or_else(|| "NO DEFECT OF ITS OWN".to_owned()));
    }
    Ok(())
}
