//! What a night came to, for people: on the terminal and in Markdown.

use std::path::Path;
use std::time::Duration;

use sipae_conformance::campaign::{End, Fate, Found, Night, Progress};
use sipae_report::visible;

/// Where a campaign is, and how it is called again.
pub(super) struct Place<'a> {
    pub(super) out: &'a Path,
    /// The arguments that name the target.
    pub(super) again: Vec<String>,
    /// Those that say what is played.
    pub(super) chosen: Vec<String>,
}

/// The word for a fate.
pub(super) const fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::New => "new",
        Fate::Back => "back",
        Fate::Still => "still there",
        Fate::Gone => "gone",
        Fate::Undecided(_) => "undecided",
    }
}

type IsMeant = fn(&Fate) -> bool;

/// The kinds in the order of the summary.
const KINDS: [(&str, IsMeant); 4] = [
    ("new", |fate| matches!(fate, Fate::New | Fate::Back)),
    ("still there", |fate| matches!(fate, Fate::Still)),
    ("gone", |fate| matches!(fate, Fate::Gone)),
    ("undecided", |fate| matches!(fate, Fate::Undecided(_))),
];

/// A finding in one line.
pub(super) fn line(found: &Found) -> String {
    let Found { key, got, .. } = found;
    let row = if key.requirement.is_empty() { String::new() } else { format!("{} ", key.requirement) };
    let fault = if key.fault.is_empty() { String::new() } else { format!(" ({})", key.fault) };
    let often = if key.is_flaky() { "not each time, " } else { "" };
    shown(&format!("{row}{} at {}{fault}: {often}{got}", key.case, key.subject))
}

/// Peers chose a part of it.
fn shown(text: &str) -> String {
    const LONGEST: usize = 300;
    text.chars().take(LONGEST).map(visible).collect()
}

pub(super) fn progress(progress: &Progress) -> String {
    let Progress { round, seed, conversations, elapsed, new, is_over } = progress;
    let rate = u128::from(*conversations) * 1000 / elapsed.as_millis().max(1);
    let going = if *is_over { "" } else { ", going on" };
    let time = time(*elapsed);
    format!(
        "round {round} (seed {seed}): {conversations} conversations in {time}, {rate}/s, {new} new{going}\n"
    )
}

/// The summary for a terminal.
pub(super) fn text(night: &Night, place: &Place<'_>) -> String {
    let mut text = String::from("\n");
    for (kind, is_meant) in KINDS {
        let findings: Vec<(&Found, &Fate)> = night.with(is_meant).collect();
        if !findings.is_empty() {
            text += &format!("{} {kind}\n", findings.len());
        }
        for (found, fate) in findings {
            text += &format!("  {}\n    {}\n", line(found), shown(&explained(found, fate)));
            text += &format!("    {}\n", super::script(place.out, found).display());
        }
    }
    let open: String = undecided(night).map(|open| format!("  {open}\n")).collect();
    let totals = totals(night);
    format!("{text}{totals}\n{open}\ngo on: {}\n{}", onwards(place), replay(night, place, "play again: "))
}

/// The summary as a file.
pub(super) fn markdown(night: &Night, place: &Place<'_>) -> String {
    let mut text = format!("# Night {} of a campaign\n\n{}\n", night.state.nights, totals(night));
    for (kind, is_meant) in KINDS {
        let findings: Vec<(&Found, &Fate)> = night.with(is_meant).collect();
        if findings.is_empty() {
            continue;
        }
        text += &format!("\n## {}: {kind}\n\n", findings.len());
        for (found, fate) in findings {
            let (line, explained) = (coded(&line(found)), coded(&explained(found, fate)));
            let folder = format!("{}/{}", super::FINDINGS, found.name);
            text += &format!("- `{line}`: `{explained}`; [finding]({folder}/finding.md), ");
            text += &format!("[script]({folder}/{})\n", super::SCRIPT);
        }
    }
    let open: String = undecided(night).map(|open| format!("- `{}`\n", coded(&open))).collect();
    if !open.is_empty() {
        text += &format!("\n## Decided nothing\n\n{open}");
    }
    let replay = replay(night, place, "");
    format!("{text}\n## Going on\n\n```sh\n{}\n{replay}```\n", onwards(place))
}

fn coded(text: &str) -> String {
    shown(text).replace('`', "'")
}

/// What a reader asks next.
fn explained(found: &Found, fate: &Fate) -> String {
    let Found { expected, title, first, count, .. } = found;
    let wanted = if expected.is_empty() { title } else { expected };
    let since = format!(
        "expected {wanted}; first seen {} (round {}), {}",
        first.date,
        first.round,
        counted(*count, "time")
    );
    match fate {
        Fate::Undecided(why) => format!("{why}; {since}"),
        Fate::Back => format!("was gone; {since}"),
        _ => since,
    }
}

fn totals(night: &Night) -> String {
    let Night { state, conversations, rounds, ran, elapsed, end, fates } = night;
    let none = if fates.values().any(Fate::is_there) { "" } else { "nothing found: " };
    let ended = match end {
        End::Time => "the time was over".to_owned(),
        End::Asked => "interrupted".to_owned(),
        End::Blocked(why) => format!("no gate opened: {}", shown(why)),
        End::NothingRan(why) => format!("nothing ran: {}", shown(why)),
        End::Lost(why) => format!("the target was lost: {}", shown(why)),
    };
    let open = match night.undecided().count() {
        0 => String::new(),
        open => format!("\n{open} of {} decided nothing", counted(ran.len() as u64, "case")),
    };
    let rounds = counted(*rounds, "round");
    let findings = u64::try_from(state.findings.len()).unwrap_or(u64::MAX);
    format!(
        "{none}{conversations} conversations in {rounds} and {}; {ended}\n{} conversations in all nights, {} kept{open}",
        time(*elapsed),
        state.conversations,
        counted(findings, "finding"),
    )
}

/// The cases that decided nothing, as many as a summary has room for.
fn undecided(night: &Night) -> impl Iterator<Item = String> {
    const MOST: usize = 20;
    let all = night.undecided();
    all.take(MOST).map(|(case, subject, why)| shown(&format!("{case} at {subject}: {why}")))
}

fn onwards(place: &Place<'_>) -> String {
    let filter: String = place.chosen.iter().map(|argument| format!(" {argument}")).collect();
    format!("sipae fuzz {} --out {}{filter}", place.again.join(" "), quoted(place.out))
}

fn replay(night: &Night, place: &Place<'_>, head: &str) -> String {
    let first = night.with(Fate::is_there).next();
    let command = |(found, _): (&Found, &Fate)| {
        let script = super::script(place.out, found);
        format!("{head}sipae replay {} {}\n", quoted(&script), place.again.join(" "))
    };
    first.map(command).unwrap_or_default()
}

fn quoted(path: &Path) -> String {
    crate::output::quoted(&path.display().to_string())
}

pub(super) fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `7 h 59 min`, `12 min 3 s`, `4 s`.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
