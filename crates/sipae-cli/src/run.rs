//! `sipae run`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sipae::clock::Entropy;
use sipae_conformance::cases;
use sipae_conformance::profile::Profile;
use sipae_conformance::run::{self as suite, RunOptions};
use sipae_events::{Event, ExitCode};
use sipae_net::OsEntropy;
use sipae_report::{Console, JsonLines, Writer};

use crate::args::RunArgs;
use crate::output::{Failure, forgive_closed_pipe};
use crate::tls;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    check_filters(&args.cases)?;
    if args.list {
        forgive_closed_pipe(list(&args.cases, &mut io::stdout())).map_err(Failure::Report)?;
        return Ok(ExitCode::Passed);
    }
    let options = options(args)?;
    let mut reports = reports(args.json.as_deref())?;
    let mut broken = None;
    let exit = suite::run(&options, &mut |event| tell(&mut reports, event, &mut broken));
    match broken {
        Some(error) => Err(Failure::Report(error)),
        None => Ok(exit),
    }
}

/// Each must choose something: a filter that is empty, as an unset variable is, would choose everything.
fn check_filters(filters: &[String]) -> Result<(), Failure> {
    for filter in filters {
        let problem = if filter.is_empty() {
            "CASE: \"\" is in every id".to_owned()
        } else if !cases::all().any(|case| case.id.contains(filter.as_str())) {
            format!("CASE: no case has {filter:?} in its id")
        } else {
            continue;
        };
        return Err(Failure::Usage(format!("{problem}; sipae run --list shows the cases")));
    }
    Ok(())
}

fn list(filters: &[String], out: &mut impl Write) -> io::Result<()> {
    let is_chosen =
        |id: &str| filters.is_empty() || filters.iter().any(|filter| id.contains(filter.as_str()));
    let chosen = || cases::all().filter(|case| is_chosen(case.id));
    let width = chosen().map(|case| case.id.len()).max().unwrap_or_default();
    chosen().try_for_each(|case| writeln!(out, "{:width$}  {}", case.id, case.title))
}

fn options(args: &RunArgs) -> Result<RunOptions, Failure> {
    let mut profile = match &args.profile {
        Some(file) => Profile::load(file)?,
        None => Profile::of_reference(),
    };
    let target = target(args)?;
    tls::check_target(&args.tls, &target)?;
    tls::settle(&args.tls, &mut profile.tls);
    // What is wrong with the files of TLS is wrong usage, and no verdict.
    target.connector(&profile)?;
    let seed = args.seed.unwrap_or_else(|| u64::from_be_bytes((&mut OsEntropy as &mut dyn Entropy).octets()));
    let profile_name = args.profile.as_ref().map(|file| file.display().to_string());
    let (strict, filters, arguments) = (args.strict, args.cases.clone(), arguments(args));
    Ok(RunOptions { target, profile, profile_name, arguments, seed, strict, filters })
}

/// What else changes the run, for the command that repeats it.
fn arguments(args: &RunArgs) -> Vec<String> {
    let strict = args.strict.then(|| "--strict".to_owned());
    #[cfg(feature = "defects")]
    let defect = args.defect.map(|defect| format!("--defect {defect}"));
    #[cfg(not(feature = "defects"))]
    let defect = None;
    tls::arguments(&args.tls).chain(strict).chain(defect).collect()
}

#[cfg(not(feature = "defects"))]
#[expect(clippy::unnecessary_wraps, reason = "the same call as with the feature")]
fn target(args: &RunArgs) -> Result<sipae_conformance::target::Target, Failure> {
    Ok(args.target.clone())
}

#[cfg(feature = "defects")]
fn target(args: &RunArgs) -> Result<sipae_conformance::target::Target, Failure> {
    use sipae_conformance::target::Target;
    match (&args.target, args.defect) {
        (target, None) => Ok(target.clone()),
        (Target::Reference { .. }, Some(defect)) => {
            Ok(Target::Reference { defects: sipae::defects::Defects::only(defect) })
        }
        (target, Some(defect)) => {
            Err(Failure::Usage(format!("--defect {defect}: {target} is not the embedded reference server")))
        }
    }
}

/// The summary goes to the standard output, unless the events do.
fn reports(json: Option<&Path>) -> Result<Vec<Box<dyn Writer>>, Failure> {
    let summary = || Box::new(Console::new(io::stdout())) as Box<dyn Writer>;
    Ok(match json {
        None => vec![summary()],
        Some(file) if file == Path::new("-") => vec![Box::new(JsonLines(io::stdout()))],
        Some(file) => {
            let created =
                File::create(file).map_err(|source| Failure::File { file: file.to_owned(), source })?;
            vec![summary(), Box::new(JsonLines(created))]
        }
    })
}

/// A report that cannot be written is told at the end; it changes no verdict, and the run goes on.
fn tell(reports: &mut Vec<Box<dyn Writer>>, event: &Event, broken: &mut Option<io::Error>) {
    reports.retain_mut(|report| match report.event(event) {
        Ok(()) => true,
        Err(error) => {
            if let Err(error) = forgive_closed_pipe(Err(error)) {
                broken.get_or_insert(error);
            }
            false
        }
    });
}
