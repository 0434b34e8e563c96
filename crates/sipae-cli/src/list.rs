//! `sipae list`, and `sipae run --list`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use sipae_conformance::case::Case;
use sipae_conformance::filter::Filter;
use sipae_events::ExitCode;
use sipae_spec::{Level, Requirement};

use crate::filter;
use crate::output::{Failure, forgive_closed_pipe};

/// The cases by id, levels of their rows, and title.
pub(crate) fn cases(filter: &Filter) -> Result<ExitCode, Failure> {
    let cases: Vec<&Case> = filter::chosen(filter).collect();
    forgive_closed_pipe(tell_cases(&cases, &mut io::stdout())).map_err(Failure::Report)?;
    Ok(ExitCode::Passed)
}

fn tell_cases(cases: &[&Case], out: &mut impl Write) -> io::Result<()> {
    let id_width = cases.iter().map(|case| case.id().len()).max().unwrap_or_default();
    let level_width = cases.iter().map(|case| levels(case).len()).max().unwrap_or_default();
    cases.iter().try_for_each(|case| {
        writeln!(out, "{:id_width$}  {:level_width$}  {}", case.id(), levels(case), case.title())
    })
}

/// The levels of the rows of a case, each once, the strongest first.
fn levels(case: &Case) -> String {
    let levels: BTreeSet<Level> =
        case.requirements().iter().filter_map(|id| Requirement::get(id)).map(|row| row.level).collect();
    let levels: Vec<&str> = levels.into_iter().map(Level::name).collect();
    levels.join(", ")
}
