//! `sipae explain`: all that is known about a row of the catalogue or a case.

use std::fmt::Write as _;

use sipae_events::ExitCode;
use sipae_spec::{LegalReactions, Level, Requirement, Weight, requirements};
use textwrap::Options;

use crate::args::ExplainArgs;
use crate::filter::{self, KnownCase};
use crate::list::{cases_of, covered};
use crate::output::{Failure, tell};

/// How wide a line becomes.
const WIDTH: usize = 100;
/// Where the second column stands.
const INDENT: usize = 14;

/// Words of the catalogue's checks that are not of the field.
const WORDS: &[(&str, &str)] = &[
    ("SUT", "the server under test"),
    ("CUT", "the client under test"),
    ("TC", "the tester, acting as client"),
    ("TS", "the tester, acting as server"),
    ("PIPE", "the codec under test"),
    ("EST", "a whole handshake"),
    ("quiet", "no answer to the stimulus and no effect, while the connection stays usable"),
    ("replay", "the same message with a new Via branch"),
];

pub(crate) fn explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let id = args.id.trim();
    match (requirement(id), case(id)) {
        (Some(row), _) => tell(&about_row(row)),
        (None, Some(case)) => tell(&about_case(case)),
        (None, None) => {
            Err(Failure::Usage(format!("{id:?} is no row and no case; near it are {}", near(id))))
        }
    }
}

/// The row with this id, in whatever letter case and with or without the name of the document.
fn requirement(id: &str) -> Option<&'static Requirement> {
    let id = id.to_uppercase();
    Requirement::get(&id).or_else(|| Requirement::get(&format!("SIPAE-{id}")))
}

/// The case with this id, or the only one that has it as a part.
fn case(id: &str) -> Option<&'static KnownCase> {
    let holding: Vec<&KnownCase> =
        filter::known().filter(|case| !id.is_empty() && case.id.contains(id)).collect();
    let exact = holding.iter().find(|case| case.id == id);
    exact.or(if holding.len() == 1 { holding.first() } else { None }).copied()
}

/// The ids that are most like a text.
fn near(id: &str) -> String {
    const SHOWN: usize = 4;
    let likeness = |known: &str| {
        let bare = known.strip_prefix("SIPAE-").unwrap_or(known);
        let like = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &id.to_lowercase());
        // One that holds the text comes first, the shortest in front: it is the whole of more of it.
        let holds = if known.contains(id) { 2.0 - known.len() as f64 / 1000.0 } else { 0.0 };
        like(known).max(like(bare)).max(holds)
    };
    let rows = requirements().iter().map(|row| row.id);
    let mut known: Vec<(f64, &str)> =
        rows.chain(filter::known().map(|case| case.id)).map(|id| (likeness(id), id)).collect();
    known.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let known: Vec<&str> = known.into_iter().take(SHOWN).map(|(_, id)| id).collect();
    known.join(", ")
}

fn about_row(row: &Requirement) -> String {
    let mut out = format!("{}  {}\n{}\n\n", row.id, row.level, row.section);
    out += &paragraph("  ", "  ", row.text);
    out.push('\n');
    let mut page = Page(out);
    page.entry("role", row.role.name());
    page.entry("level", &level(row));
    page.entry("confidence", row.confidence.name());
    page.entry("if broken", when_broken(row));
    page.entry("checked", row.check);
    page.entry("provoked", row.negative);
    page.entry("words", &words(row));
    row.legal().into_iter().for_each(|legal| legal_reactions(&mut page, legal));
    let name = if cases_of(row).is_empty() { "no case" } else { "cases" };
    page.entry(name, &covered(row));
    page.entries("sources", row.sources().map(|source| format!("{}: {}", source.mark, source.meaning)));
    page.entries("products", row.products().map(|seen| format!("{}: {}", seen.products, seen.text)));
    page.0
}

fn legal_reactions(page: &mut Page, legal: &LegalReactions) {
    let is_only = legal.legal.len() == 1;
    let name = |reaction: &sipae_spec::ReactionClass| {
        let preferred = if *reaction == legal.preferred && !is_only { " (preferred)" } else { "" };
        format!("{reaction}{preferred}")
    };
    let names: Vec<String> = legal.legal.iter().map(name).collect();
    page.entry("legal", &names.join(", "));
    page.entry("note", legal.note);
}

fn level(row: &Requirement) -> String {
    if row.level_known {
        format!("{}, known", row.level)
    } else {
        format!("{}, reconstructed: the behaviour is likely, the keyword is not known", row.level)
    }
}

fn when_broken(row: &Requirement) -> &'static str {
    match (row.weight_when_broken(), row.level) {
        (Weight::Fail, _) => "fails: the row is an obligation, and known well enough",
        (Weight::Record, _) => "recorded, nothing more: a target is free to do it or not",
        (Weight::Loose, Level::Should | Level::ShouldNot) if row.weight(true) == Weight::Fail => {
            "loose; fails with --strict"
        }
        (Weight::Loose, _) => "loose, with --strict too: nobody fails on a reconstruction",
    }
}

/// What the words of this row's checks mean.
fn words(row: &Requirement) -> String {
    let is_used = |word: &str| {
        let mut parts = row.check.split(is_no_word).chain(row.negative.split(is_no_word));
        parts.any(|part| part == word)
    };
    let used: Vec<String> = WORDS
        .iter()
        .filter(|(word, _)| is_used(word))
        .map(|(word, meaning)| format!("{word}: {meaning}"))
        .collect();
    used.join("; ")
}

fn is_no_word(shown: char) -> bool {
    !shown.is_alphanumeric()
}

fn about_case(case: &KnownCase) -> String {
    let mut page = Page(format!("{}\n", case.id));
    page.0 += &paragraph("  ", "  ", case.title);
    page.0.push('\n');
    page.entry("target", case.role.name());
    page.entry("needs", &case.needs);
    let row = |row: &&Requirement| {
        format!("{} ({}; broken: {}): {}", row.id, row.level, row.weight_when_broken(), row.text)
    };
    page.entries("rows", case.rows.iter().map(row));
    page.entries("steps", shortened(&case.steps()).into_iter());
    page.0.push_str("\nsipae explain ROW tells more about a row.\n");
    page.0
}

/// Long conversations are alike in the middle.
fn shortened(steps: &[String]) -> Vec<String> {
    const SHOWN: usize = 40;
    const WIDEST: usize = 160;
    let cut = |step: &String| match step.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", step.get(..end).unwrap_or_default()),
        None => step.clone(),
    };
    if steps.len() <= SHOWN {
        return steps.iter().map(cut).collect();
    }
    let (first, last) = (steps.iter().take(SHOWN / 2), steps.iter().skip(steps.len() - SHOWN / 2));
    let left_out = format!("({} more)", steps.len() - SHOWN);
    first.map(cut).chain([left_out]).chain(last.map(cut)).collect()
}

/// Lines of a name and what belongs to it.
struct Page(String);

impl Page {
    /// What is empty is left out.
    fn entry(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.0 += &paragraph(&format!("{name:INDENT$}"), &" ".repeat(INDENT), text);
        }
    }

    fn entries(&mut self, name: &str, texts: impl Iterator<Item = String>) {
        let mut name = name;
        for text in texts {
            self.entry(name, &text);
            name = "";
        }
    }
}

/// Text of the catalogue in lines; a word is never divided, since it may be one to search for.
fn paragraph(first: &str, others: &str, text: &str) -> String {
    let options = Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let mut out = String::new();
    for line in textwrap::wrap(text, options) {
        // Writing to a string does not fail.
        let _always = writeln!(out, "{line}");
    }
    out
}
