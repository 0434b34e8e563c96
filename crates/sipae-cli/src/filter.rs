//! Which cases are meant: filters that choose nothing are mistakes.

use std::collections::BTreeSet;
use std::fmt;

use sipae_conformance::cases;
use sipae_conformance::filter::{Filter, SCHEMES};
use sipae_spec::{Level, Requirement, Role, requirements};

use crate::args::FilterArgs;
use crate::output::Failure;

/// What the commands show of a case.
#[derive(Clone, Debug)]
pub(crate) struct KnownCase {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) role: Role,
    pub(crate) rows: Vec<&'static Requirement>,
    /// What must be there for it, as a sentence.
    pub(crate) needs: String,
    /// What it sends and waits for, step by step, at the newest version that it has a meaning for.
    pub(crate) steps: Vec<String>,
}

/// Every case, in the order of the suite.
pub(crate) fn known() -> impl Iterator<Item = KnownCase> {
    cases::all().map(|case| KnownCase {
        id: case.id().to_owned(),
        title: case.title().to_owned(),
        role: case.role(),
        rows: case.requirements().iter().filter_map(|id| Requirement::get(id)).collect(),
        needs: case.needs().to_string(),
        steps: case.steps(),
    })
}

/// The cases that a filter chooses, in their order.
pub(crate) fn chosen(filter: &Filter) -> impl Iterator<Item = KnownCase> {
    known().filter(|case| {
        let ids: Vec<&'static str> = case.rows.iter().map(|row| row.id).collect();
        filter.selects(&case.id, &ids, case.role)
    })
}

/// The rows of the catalogue that a filter chooses: a row is a case of itself.
pub(crate) fn chosen_rows(filter: &Filter) -> impl Iterator<Item = &'static Requirement> {
    requirements().iter().filter(|row| filter.selects(row.id, &[row.id], row.role))
}

/// The filter of the command line for rows of the catalogue. Schemes are nothing that rows have.
pub(crate) fn row_filter(args: &FilterArgs) -> Result<Filter, Failure> {
    let filter = unchecked(args);
    let problem = if !filter.schemes.is_empty() {
        "--scheme: rows have no scheme".to_owned()
    } else if chosen_rows(&filter).next().is_none() {
        "no row of the catalogue meets all filters; sipae list --requirements shows them".to_owned()
    } else {
        return Ok(filter);
    };
    Err(Failure::Usage(problem))
}

fn unchecked(args: &FilterArgs) -> Filter {
    Filter {
        ids: args.cases.clone(),
        sections: args.section.clone(),
        levels: args.level.clone(),
        roles: args.role.clone(),
        schemes: args.scheme.clone(),
    }
}

/// The filter of the command line. Each value must choose something, and so must all of them together.
pub(crate) fn filter(args: &FilterArgs) -> Result<Filter, Failure> {
    let filter = unchecked(args);
    checked(&filter).map_err(Failure::Usage)?;
    Ok(filter)
}

fn checked(filter: &Filter) -> Result<(), String> {
    filter.ids.iter().try_for_each(|part| check_id(part))?;
    filter.sections.iter().try_for_each(|section| check_section(section))?;
    filter.levels.iter().try_for_each(|level| check_level(*level))?;
    filter.roles.iter().try_for_each(|role| check_role(*role))?;
    filter.schemes.iter().try_for_each(|scheme| check_scheme(scheme))?;
    let chooses = chosen(filter).next().is_some();
    if chooses { Ok(()) } else { Err("no case meets all filters; sipae list shows the cases".to_owned()) }
}

/// A part that is empty, as an unset variable is, would choose everything.
fn check_id(part: &str) -> Result<(), String> {
    let problem = if part.is_empty() {
        "CASE: \"\" is in every id".to_owned()
    } else if is_met(Filter { ids: vec![part.to_owned()], ..Filter::default() }) {
        return Ok(());
    } else {
        format!("CASE: no case has {part:?} in its id")
    };
    Err(format!("{problem}; sipae list shows the cases"))
}

fn check_section(section: &str) -> Result<(), String> {
    if is_met(Filter { sections: vec![section.to_owned()], ..Filter::default() }) {
        return Ok(());
    }
    let there = rows().map(|row| row.section_number().to_owned());
    Err(format!("--section {section:?}: no case is about it; there are {}", listed(there)))
}

fn check_level(level: Level) -> Result<(), String> {
    if is_met(Filter { levels: vec![level], ..Filter::default() }) {
        return Ok(());
    }
    let there = rows().map(|row| row.level);
    Err(format!("--level: no case is about a {level}; there are {}", listed(there)))
}

fn check_role(role: Role) -> Result<(), String> {
    if is_met(Filter { roles: vec![role], ..Filter::default() }) {
        return Ok(());
    }
    let there = rows().map(|row| row.role).chain(known().map(|case| case.role));
    Err(format!("--role {role}: no case is about it; there are {}", listed(there)))
}

fn check_scheme(scheme: &str) -> Result<(), String> {
    let filter = Filter { schemes: vec![scheme.to_owned()], ..Filter::default() };
    if SCHEMES.iter().any(|known| filter.selects_scheme(known)) {
        return Ok(());
    }
    Err(format!("--scheme {scheme:?}: no case runs with it; there are {}", listed(SCHEMES.iter())))
}

#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
fn is_met(filter: Filter) -> bool {
    chosen(&filter).next().is_some()
}

/// The rows that cases are about.
fn rows() -> impl Iterator<Item = &'static Requirement> {
    known().flat_map(|case| case.rows)
}

/// What there is, each once.
fn listed<T: fmt::Display + Ord>(values: impl Iterator<Item = T>) -> String {
    let values: BTreeSet<T> = values.collect();
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}
