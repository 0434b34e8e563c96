//! Which cases are meant: filters that choose nothing are mistakes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use sipae_conformance::case::Case;
use sipae_conformance::client::{self, ClientCase};
use sipae_conformance::codec::CodecCase;
use sipae_conformance::filter::Filter;
use sipae_conformance::{cases, codec};
use sipae_spec::{Level, Requirement, Role, requirements};

use crate::args::FilterArgs;
use crate::output::{Failure, quoted};

/// The arguments again, as words of a shell.
pub(crate) fn words(args: &FilterArgs) -> Vec<String> {
    let FilterArgs { cases, section, level, role, scheme } = args;
    let option = |name: &str, values: Vec<String>| -> Vec<String> {
        values.iter().map(|value| format!("{name} {}", quoted(&value.to_lowercase()))).collect()
    };
    let levels = level.iter().map(|level| level.to_string().replace(' ', "-")).collect();
    [
        option("--section", section.clone()),
        option("--level", levels),
        option("--role", role.iter().map(ToString::to_string).collect()),
        option("--scheme", scheme.clone()),
        cases.iter().map(|case| quoted(case)).collect(),
    ]
    .concat()
}

/// What the commands show of a case.
#[derive(Debug)]
pub(crate) struct KnownCase {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) role: Role,
    pub(crate) schemes: Vec<&'static str>,
    /// What a codec is asked.
    pub(crate) operation: Option<&'static str>,
    pub(crate) rows: Vec<&'static Requirement>,
    /// What must be there for it, as a sentence.
    pub(crate) needs: String,
    course: Course,
}

/// Where the steps of a case come from: they are made when somebody asks, since each signs and mints.
#[derive(Debug)]
enum Course {
    Server(&'static Case),
    Codec(&'static CodecCase),
    Client(&'static ClientCase),
}

impl KnownCase {
    /// What it sends and waits for, step by step, at the newest version that it has a meaning for.
    pub(crate) fn steps(&self) -> Vec<String> {
        match self.course {
            Course::Server(case) => case.steps(),
            Course::Codec(case) => vec![format!("ask {}", case.request())],
            Course::Client(case) => case.steps(),
        }
    }

    fn of_a_codec(case: &'static CodecCase) -> Self {
        Self {
            id: case.id(),
            title: case.title(),
            role: case.role(),
            schemes: vec![case.scheme()],
            operation: Some(case.operation()),
            rows: rows(case.requirements()),
            needs: format!("a codec that answers {}", case.operation()),
            course: Course::Codec(case),
        }
    }

    fn of_a_client(case: &'static ClientCase) -> Self {
        Self {
            id: case.id(),
            title: case.title(),
            role: case.role(),
            schemes: case.needs().schemes.iter().map(|scheme| scheme.name()).collect(),
            operation: None,
            rows: rows(case.requirements()),
            needs: case.needs().to_string(),
            course: Course::Client(case),
        }
    }

    fn of_a_server(case: &'static Case) -> Self {
        Self {
            id: case.id(),
            title: case.title(),
            role: case.role(),
            schemes: case.needs().schemes.iter().map(|scheme| scheme.name()).collect(),
            operation: None,
            rows: rows(case.requirements()),
            needs: case.needs().to_string(),
            course: Course::Server(case),
        }
    }
}

fn rows(ids: &[impl AsRef<str>]) -> Vec<&'static Requirement> {
    ids.iter().filter_map(|id| Requirement::get(id.as_ref())).collect()
}

static KNOWN: LazyLock<Vec<KnownCase>> = LazyLock::new(|| {
    let clients = client::cases::all().iter().map(KnownCase::of_a_client);
    let codecs = codec::cases().iter().map(KnownCase::of_a_codec);
    cases::all().map(KnownCase::of_a_server).chain(clients).chain(codecs).collect()
});

/// Every case, in the order of the suite: those of servers first.
pub(crate) fn known() -> impl Iterator<Item = &'static KnownCase> {
    KNOWN.iter()
}

/// The cases for targets of this role; all of them without one.
fn known_for(role: Option<Role>) -> impl Iterator<Item = &'static KnownCase> {
    known().filter(move |case| role.is_none_or(|role| case.role == role))
}

/// The cases that a filter chooses, in their order; those for targets of one role where it is given.
pub(crate) fn chosen(filter: &Filter, role: Option<Role>) -> impl Iterator<Item = &'static KnownCase> {
    known_for(role).filter(|case| {
        let ids: Vec<&'static str> = case.rows.iter().map(|row| row.id).collect();
        let names: Vec<&str> = [case.id].into_iter().chain(case.operation).collect();
        filter.selects_of(&names, &ids, case.role)
            && case.schemes.iter().any(|scheme| filter.selects_scheme(scheme))
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
        exactly: None,
    }
}

/// The filter of the command line, for targets of one role where it is given. Each value must choose something, and so
/// must all of them together.
pub(crate) fn filter(args: &FilterArgs, role: Option<Role>) -> Result<Filter, Failure> {
    let filter = unchecked(args);
    Choice { role }.checked(&filter).map_err(Failure::Usage)?;
    Ok(filter)
}

/// The cases that there are to choose from.
#[derive(Clone, Copy)]
struct Choice {
    role: Option<Role>,
}

impl Choice {
    fn checked(self, filter: &Filter) -> Result<(), String> {
        filter.ids.iter().try_for_each(|part| self.check_id(part))?;
        filter.sections.iter().try_for_each(|section| self.check_section(section))?;
        filter.levels.iter().try_for_each(|level| self.check_level(*level))?;
        filter.roles.iter().try_for_each(|role| self.check_role(*role))?;
        filter.schemes.iter().try_for_each(|scheme| self.check_scheme(scheme))?;
        if self.is_met(filter) {
            return Ok(());
        }
        Err(format!("no case{} meets all filters; sipae list shows the cases", self.whom()))
    }

    /// For errors: for whom the cases are.
    fn whom(self) -> String {
        self.role.map(|role| format!(" for a {role}")).unwrap_or_default()
    }

    /// A part that is empty, as an unset variable is, would choose everything.
    fn check_id(self, part: &str) -> Result<(), String> {
        let problem = if part.is_empty() {
            "CASE: \"\" is in every id".to_owned()
        } else if self.is_met(&Filter { ids: vec![part.to_owned()], ..Filter::default() }) {
            return Ok(());
        } else {
            format!("CASE: no case{} has {part:?} in its id", self.whom())
        };
        Err(format!("{problem}; sipae list shows the cases"))
    }

    fn check_section(self, section: &str) -> Result<(), String> {
        if self.is_met(&Filter { sections: vec![section.to_owned()], ..Filter::default() }) {
            return Ok(());
        }
        let there = self.rows().map(|row| row.section_number().to_owned());
        Err(format!("--section {section:?}: no case{} is about it; there are {}", self.whom(), listed(there)))
    }

    fn check_level(self, level: Level) -> Result<(), String> {
        if self.is_met(&Filter { levels: vec![level], ..Filter::default() }) {
            return Ok(());
        }
        let there = self.rows().map(|row| row.level);
        Err(format!("--level: no case{} is about a {level}; there are {}", self.whom(), listed(there)))
    }

    fn check_role(self, role: Role) -> Result<(), String> {
        if self.is_met(&Filter { roles: vec![role], ..Filter::default() }) {
            return Ok(());
        }
        let there = self.rows().map(|row| row.role).chain(known_for(self.role).map(|case| case.role));
        Err(format!("--role {role}: no case{} is about it; there are {}", self.whom(), listed(there)))
    }

    fn check_scheme(self, scheme: &str) -> Result<(), String> {
        if self.is_met(&Filter { schemes: vec![scheme.to_owned()], ..Filter::default() }) {
            return Ok(());
        }
        let there = known_for(self.role).flat_map(|case| case.schemes.iter().copied());
        Err(format!("--scheme {scheme:?}: no case{} runs with it; there are {}", self.whom(), listed(there)))
    }

    fn is_met(self, filter: &Filter) -> bool {
        chosen(filter, self.role).next().is_some()
    }

    /// The rows that cases are about.
    fn rows(self) -> impl Iterator<Item = &'static Requirement> {
        known_for(self.role).flat_map(|case| case.rows.iter().copied())
    }
}

/// What there is, each once.
fn listed<T: fmt::Display + Ord>(values: impl Iterator<Item = T>) -> String {
    let values: BTreeSet<T> = values.collect();
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}
