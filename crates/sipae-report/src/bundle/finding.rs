//! What a case found, in Markdown: the rows, the messages, and how to repeat it. Text that peers chose stands in fences
//! only.

use std::path::Path;

use sipae_events::{CaseFinished, Direction, Exchanged, Finding, RunStarted};
use sipae_spec::Requirement;

use super::{BUFFER, CAPTURE, SCRIPT, TEST, broken_rows};
use crate::command;
use crate::console::level;
use crate::ladder::{ladder, told_lines, told_messages};
use crate::text::{counted, escaped, printable, readable, wrapped};

/// Octets of messages that are shown; the capture has all that were kept.
const SHOWN: usize = 64 * 1024;

/// The text of `finding.md` in `folder`.
pub(super) fn finding(run: &RunStarted, case: &CaseFinished, folder: &Path) -> String {
    let (subject, title) = (printable(&case.subject.to_string()), printable(&case.title));
    let head = format!("# {} at {subject}: {}\n\n{title}\n", case.case, case.verdict);
    let sections =
        [rows(case), reason(case), exchange(case), messages(case), files(case), again(run, case, folder)];
    let told = sections.into_iter().filter(|section| !section.is_empty());
    std::iter::once(head).chain(told).collect::<Vec<_>>().join("\n")
}

/// A section for each row that was broken; where none was, those that the case is about.
fn rows(case: &CaseFinished) -> String {
    let broken: Vec<String> = broken_rows(case).into_iter().map(|id| broken(id, &case.findings)).collect();
    if broken.is_empty() { tested(&case.requirements) } else { broken.join("\n") }
}

fn broken(id: &str, findings: &[Finding]) -> String {
    let of_row = || findings.iter().filter(|finding| finding.requirement == *id);
    let level = of_row().next().map(level).unwrap_or_default();
    let sides = of_row().flat_map(|finding| {
        [line("expected", &escaped(&finding.expected)), line("got", &escaped(&finding.got))]
    });
    let lines: Vec<String> = rule(id).into_iter().chain(sides).collect();
    format!("## {} ({level})\n\n{}", printable(id), fenced("text", &lines.join("\n")))
}

fn tested(ids: &[String]) -> String {
    let row = |id: &String| format!("## {}\n\n{}", printable(id), fenced("text", &rule(id).join("\n")));
    ids.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// What the catalogue says of a row.
fn rule(id: &str) -> Vec<String> {
    let Some(row) = Requirement::get(id) else { return vec!["not in the catalogue".to_owned()] };
    vec![wrapped(&line("rule", ""), 10, row.text), line("section", row.section)]
}

fn line(name: &str, text: &str) -> String {
    format!("{name:<10}{text}")
}

fn reason(case: &CaseFinished) -> String {
    case.reason.as_ref().map_or(String::new(), |reason| section("Reason", &fenced("text", &escaped(reason))))
}

/// The ladder; what a codec was asked, and what a program wrote to its standard error.
fn exchange(case: &CaseFinished) -> String {
    let mut lines = ladder(&told_messages(&case.exchange), case.exchange_left_out, true);
    lines.extend(told_lines(&case.exchange, true));
    if lines.is_empty() { String::new() } else { section("Exchange", &fenced("text", &lines.join("\n"))) }
}

fn messages(case: &CaseFinished) -> String {
    let (mut told, mut octets) = (Vec::new(), 0);
    let messages = told_messages(&case.exchange);
    for (message, number) in messages.iter().zip(1_u32..) {
        octets += message.octets.len();
        if SHOWN < octets {
            told.push(format!("{} more messages are in {CAPTURE}.\n", messages.len() - told.len()));
            break;
        }
        told.push(self::message(number, message));
    }
    if told.is_empty() { String::new() } else { section("Messages", &told.join("\n")) }
}

fn message(number: u32, message: &Exchanged) -> String {
    let party = if message.party.is_empty() { "suite" } else { &message.party };
    let (from, to) = match message.direction {
        Direction::Sent => (party, "target"),
        Direction::Received => ("target", party),
    };
    let left_out = match message.octets_left_out {
        0 => String::new(),
        count => format!("\n{count} more octets were not kept.\n"),
    };
    let (from, to, connection) = (printable(from), printable(to), message.connection);
    let text = fenced("text", &readable(&message.exact_octets()));
    format!("### {number}. {from} to {to}, connection {connection}\n\n{text}{left_out}")
}

fn files(case: &CaseFinished) -> String {
    let has_messages = !told_messages(&case.exchange).is_empty();
    let script = case.script.as_ref().map(|script| {
        // One with a server has steps and checks, one with a client turns and what is foreseen.
        let length =
            |place: &str| script.pointer(place).and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        let (steps, checks) =
            (length("/steps") + length("/service/turns"), length("/checks") + length("/foreseen"));
        let (steps, checks) = (counted(steps, "step"), counted(checks, "check"));
        format!("- [{SCRIPT}]({SCRIPT}): the conversation that shows it, {steps} and {checks}")
    });
    let test = script.as_ref().map(|_| format!("- [{TEST}]({TEST}): a test that replays it, to be pasted"));
    let capture = has_messages.then(|| format!("- [{CAPTURE}]({CAPTURE}): the messages, for Wireshark"));
    let buffer = (!case.signatures.is_empty())
        .then(|| format!("- [{BUFFER}]({BUFFER}): what signatures that do not verify should be over"));
    let lines: Vec<String> = [script, test, capture, buffer].into_iter().flatten().collect();
    if lines.is_empty() { String::new() } else { section("Files", &(lines.join("\n") + "\n")) }
}

fn again(run: &RunStarted, case: &CaseFinished, folder: &Path) -> String {
    let replay = case.script.is_some().then(|| command::replay(run, &folder.join(SCRIPT)));
    let mut commands = vec![command::run(run, &case.case)];
    // What was replayed from here is run by its replay.
    commands.extend(replay.filter(|replay| !commands.contains(replay)));
    if !told_messages(&case.exchange).is_empty() {
        commands.push(command::decode(&folder.join(CAPTURE)));
    }
    section("Again", &fenced("sh", &commands.join("\n")))
}

fn section(title: &str, text: &str) -> String {
    format!("## {title}\n\n{text}")
}

/// A fence longer than any run of backticks in the text, so that nothing in it ends it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|shown| shown != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, FAIL};

    fn told(case: &CaseFinished) -> String {
        finding(&sample::started(), case, Path::new("reports/failures/3.3.5.1-bare-ack-ntlm-v4"))
    }

    #[test]
    fn a_finding_says_all_that_is_known_about_it() {
        insta::assert_snapshot!(told(&sample::whole_case()));
    }

    #[test]
    fn a_case_without_findings_tells_its_rows_and_why() {
        let case = CaseFinished {
            reason: Some("the target hangs\u{1b}".to_owned()),
            exchange: Vec::new(),
            ..sample::case(4, FAIL)
        };
        insta::assert_snapshot!(told(&case));
    }

    #[test]
    fn what_was_replayed_from_its_own_folder_is_played_again_by_one_command() {
        let folder = Path::new("reports/failures/3.3.5.1-bare-ack-ntlm-v4");
        let script = Some(folder.join(SCRIPT).display().to_string());
        let run = RunStarted { script, ..sample::started() };
        let case = CaseFinished { script: Some("its script".into()), ..sample::case(4, FAIL) };
        assert_eq!(finding(&run, &case, folder).matches("sipae replay").count(), 1);
    }

    #[test]
    fn no_text_of_a_peer_leaves_its_fence() {
        let text = "````\r\n<script>\r\n```";
        let case = CaseFinished {
            findings: vec![sample::finding(sample::MUST, "`````\n# heading")],
            exchange: vec![Exchanged::new(Direction::Received, 1, "", text.as_bytes())],
            ..sample::case(4, FAIL)
        };
        let told = told(&case);
        assert!(told.contains("`````text\n````\n<script>\n```\n`````\n"), "{told}");
        assert!(told.contains("got       `````\\n# heading\n``````\n"), "{told}");
    }

    #[test]
    fn a_flood_is_told_in_part() {
        let octets = vec![b'x'; Exchanged::MAX_OCTETS];
        let exchange = vec![Exchanged::new(Direction::Sent, 1, "", &octets); 100];
        let told = told(&CaseFinished { exchange, ..sample::case(4, FAIL) });
        assert!(told.contains("\n96 more messages are in exchange.pcapng.\n") && told.len() < 2 * SHOWN);
    }
}
