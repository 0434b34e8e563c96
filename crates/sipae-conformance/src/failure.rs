//! What a test says of a case that failed.

use std::fmt::Write as _;

use sipae_events::{CaseFinished, Direction, Exchanged};
use sipae_spec::Requirement;

/// Octets of a message that a failure shows.
const SHOWN: usize = 2000;
/// Messages that a failure shows.
const MESSAGES: usize = 8;

/// Everything that is known about a failure.
pub(crate) fn text(case: &CaseFinished, seed: u64) -> String {
    let mut text = format!("{}, seed {seed}\n{}\n", case.verdict, case.title);
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _written = writeln!(text, "  {name:<9} {value}");
    };
    let mut last = None;
    for finding in &case.findings {
        let row = Requirement::get(&finding.requirement).map(|row| row.text).unwrap_or_default();
        line(&finding.requirement, row);
        if last != Some((&finding.expected, &finding.got)) {
            line("expected", &finding.expected);
            line("got", &finding.got);
        }
        last = Some((&finding.expected, &finding.got));
    }
    if let Some(reason) = &case.reason {
        line("reason", reason);
    }
    case.exchange.iter().take(MESSAGES).for_each(|message| text.push_str(&shown(message)));
    let more = case.exchange.len().saturating_sub(MESSAGES);
    if more != 0 {
        let _written = writeln!(text, "\nand {more} more messages");
    }
    text
}

fn shown(message: &Exchanged) -> String {
    let arrow = match message.direction {
        Direction::Sent => "->",
        Direction::Received => "<-",
    };
    let octets: String = message.octets.chars().take(SHOWN).collect();
    let octets = octets.replace('\r', "");
    format!("\n{arrow} {} {}\n{}\n", message.party, message.label, octets.trim_end())
}
