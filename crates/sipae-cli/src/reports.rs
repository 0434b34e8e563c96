//! Reports of a run, of `sipae run` and `sipae replay`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use sipae_events::Event;
use sipae_report::{Bundles, Comparison, Console, JsonLines, Junit, Progress, Writer};

use crate::args::ReportArgs;
use crate::output::{Failure, forgive_closed_pipe};

/// Whom the events of a run are told.
pub(crate) struct Reports {
    writers: Vec<Box<dyn Writer>>,
    broken: Option<io::Error>,
}

impl Reports {
    /// The reports that are asked for, of a run of so many cases. The summary goes to the standard output, unless the
    /// events do.
    pub(crate) fn create(
        args: &ReportArgs,
        cases: usize,
        comparison: Option<&Comparison>,
    ) -> Result<Self, Failure> {
        let mut writers: Vec<Box<dyn Writer>> = Vec::new();
        let bundles = bundles(args)?;
        let summary = || Box::new(summary(args, cases, comparison, bundles.as_ref()));
        match &args.json {
            Some(file) if file == Path::new("-") => writers.push(Box::new(JsonLines(io::stdout()))),
            Some(file) => {
                writers.push(summary());
                writers.push(Box::new(JsonLines(created(file)?)));
            }
            None => writers.push(summary()),
        }
        if let Some(file) = &args.junit {
            let expected = comparison.map(|comparison| comparison.list().clone()).unwrap_or_default();
            writers.push(Box::new(Junit::new(created(file)?).expecting(expected)));
        }
        writers.extend(bundles.map(|bundles| Box::new(bundles) as Box<dyn Writer>));
        Ok(Self { writers, broken: None })
    }

    /// A report that cannot be written is told at the end; it changes no verdict, and the run goes on.
    pub(crate) fn tell(&mut self, event: &Event) {
        let Self { writers, broken } = self;
        writers.retain_mut(|report| match report.event(event) {
            Ok(()) => true,
            Err(error) => {
                if let Err(error) = forgive_closed_pipe(Err(error)) {
                    broken.get_or_insert(error);
                }
                false
            }
        });
    }

    /// Whether all could be written.
    pub(crate) fn end(self) -> Result<(), Failure> {
        self.broken.map_or(Ok(()), |error| Err(Failure::Report(error)))
    }
}

/// A report must not overwrite another one, nor what the run reads.
pub(crate) fn check_files<'f>(
    args: &'f ReportArgs,
    read: impl Iterator<Item = &'f PathBuf>,
) -> Result<(), Failure> {
    let written = [("--json", &args.json), ("--junit", &args.junit), ("--failures", &args.failures)];
    let mut known: Vec<&Path> = read.map(PathBuf::as_path).collect();
    for (name, file) in written {
        let Some(file) = file.as_deref().filter(|file| *file != Path::new("-")) else { continue };
        if known.contains(&file) {
            let problem = format!("{name}: {} is named for something else as well", file.display());
            return Err(Failure::Usage(problem));
        }
        known.push(file);
    }
    Ok(())
}

/// Loose cases have bundles where they are told like failures.
fn bundles(args: &ReportArgs) -> Result<Option<Bundles>, Failure> {
    let Some(folder) = &args.failures else { return Ok(None) };
    let bundles = Bundles::create(folder);
    let bundles = bundles.map_err(|source| Failure::File { file: folder.to_owned(), source })?;
    Ok(Some(bundles.with_loose(args.verbose)))
}

/// Lines on the standard output, in colour where it is a terminal and nothing asks for none, and a bar on the standard
/// error.
fn summary(
    args: &ReportArgs,
    cases: usize,
    comparison: Option<&Comparison>,
    bundles: Option<&Bundles>,
) -> Progress<Console<impl Write + use<>>> {
    let is_coloured = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let console = Console::new(anstream::stdout()).coloured(is_coloured).verbose(args.verbose);
    let console = match comparison {
        Some(comparison) => console.expecting(comparison.clone()),
        None => console,
    };
    let console = match bundles {
        Some(bundles) => console.bundled(bundles),
        None => console,
    };
    Progress::around(console, cases)
}

fn created(file: &Path) -> Result<File, Failure> {
    File::create(file).map_err(|source| Failure::File { file: file.to_owned(), source })
}
