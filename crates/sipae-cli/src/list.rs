//! `sipae list`, and `sipae run --list`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Value, json};
use sipae_conformance::filter::Filter;
use sipae_events::ExitCode;
use sipae_spec::{Coverage, Level, Requirement, Role, coverage};

use crate::args::ListArgs;
use crate::filter::{self, KnownCase};
use crate::output::{Failure, forgive_closed_pipe, tell};

pub(crate) fn list(args: &ListArgs) -> Result<ExitCode, Failure> {
    if args.requirements {
        let filter = filter::row_filter(&args.filter)?;
        let rows: Vec<&Requirement> = filter::chosen_rows(&filter).collect();
        return if args.json { document(rows.into_iter().map(row_json)) } else { tell(&row_lines(&rows)) };
    }
    let filter = filter::filter(&args.filter, None)?;
    if args.json { document(filter::chosen(&filter, None).map(case_json)) } else { cases(&filter, None) }
}

/// The cases by id, levels of their rows, and title.
pub(crate) fn cases(filter: &Filter, role: Option<Role>) -> Result<ExitCode, Failure> {
    let line = |case: &KnownCase| [case.id.to_owned(), levels(case), case.title.to_owned()];
    let cases: Vec<[String; 3]> = filter::chosen(filter, role).map(line).collect();
    tell(&columns(&cases))
}

/// The rows by id, level, and what stands for them: cases, or the reason why there are none.
fn row_lines(rows: &[&Requirement]) -> String {
    let line = |row: &&Requirement| [row.id.to_owned(), row.level.to_string(), covered(row)];
    let lines: Vec<[String; 3]> = rows.iter().map(line).collect();
    columns(&lines)
}

/// Lines of three columns.
fn columns(lines: &[[String; 3]]) -> String {
    let width = |column: fn(&[String; 3]) -> usize| lines.iter().map(column).max().unwrap_or_default();
    let first = width(|[first, _, _]| first.len());
    let second = width(|[_, second, _]| second.len());
    lines.iter().map(|[a, b, c]| format!("{a:first$}  {b:second$}  {c}\n")).collect()
}

/// The levels of the rows of a case, each once, the strongest first.
fn levels(case: &KnownCase) -> String {
    let levels: BTreeSet<Level> = case.rows.iter().map(|row| row.level).collect();
    let levels: Vec<&str> = levels.into_iter().map(Level::name).collect();
    levels.join(", ")
}

/// The cases that test a row.
pub(crate) fn cases_of(row: &Requirement) -> Vec<&'static str> {
    filter::known()
        .filter(|case| case.rows.iter().any(|named| named.id == row.id))
        .map(|case| case.id)
        .collect()
}

/// What stands for a row, in words.
pub(crate) fn covered(row: &Requirement) -> String {
    let cases = cases_of(row);
    match coverage(row, cases.iter().copied()) {
        Coverage::Cases(cases) => cases.join(", "),
        Coverage::Reason(reason) => reason.to_owned(),
        Coverage::Open => "neither a case nor a reason".to_owned(),
    }
}

fn case_json(case: &KnownCase) -> Value {
    let row = |row: &&Requirement| json!({ "id": row.id, "level": row.level.name() });
    let rows: Vec<Value> = case.rows.iter().map(row).collect();
    json!({ "id": case.id, "title": case.title, "role": case.role.name(), "requirements": rows })
}

fn row_json(row: &Requirement) -> Value {
    let cases = cases_of(row);
    let reason = if cases.is_empty() { row.reason() } else { None };
    json!({
        "id": row.id,
        "profile": row.profile.name(),
        "section": row.section,
        "role": row.role.name(),
        "level": row.level.name(),
        "level_known": row.level_known,
        "confidence": row.confidence.name(),
        "when_broken": row.weight_when_broken().name(),
        "text": row.text,
        "cases": cases,
        "reason": reason,
    })
}

/// One JSON document, so that any reader takes it whole.
fn document(values: impl Iterator<Item = Value>) -> Result<ExitCode, Failure> {
    let write = || {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &Value::Array(values.collect()))?;
        writeln!(out)
    };
    forgive_closed_pipe(write()).map_err(Failure::Report)?;
    Ok(ExitCode::Passed)
}
