//! `sipae run`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use sipae::clock::Entropy;
use sipae_conformance::filter::Filter;
use sipae_conformance::profile::Profile;
use sipae_conformance::run::{self as suite, RunOptions};
use sipae_conformance::target::Target;
use sipae_events::{Event, ExitCode};
use sipae_net::OsEntropy;
use sipae_report::{Bundles, Comparison, Console, JsonLines, Junit, Progress, Writer};
use sipae_spec::Role;

use crate::args::RunArgs;
use crate::expected::ExpectedFile;
use crate::output::{Failure, forgive_closed_pipe};
use crate::{exec, filter, list, tls};

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let role = Some(args.target.role());
    let filter = filter::filter(&args.filter, role)?;
    if args.list {
        return list::cases(&filter, role);
    }
    if args.fix && !filter.is_empty() {
        return Err(Failure::Usage("--fix: needs a run of all cases, without filters".to_owned()));
    }
    end_programs_with_this_one();
    let options = options(args, filter)?;
    let expected =
        args.expected_failures.as_ref().map(|file| ExpectedFile::load(file, args.fix)).transpose()?;
    let comparison =
        expected.as_ref().map(|file| Comparison::new(file.list.clone(), options.filter.is_empty()));
    let reports = reports(args, &options, comparison.as_ref())?;
    let (exit, comparison) = told(&options, reports, comparison)?;
    let exit = exec::settled(options.control.as_deref(), exit)?;
    match (expected, comparison) {
        (Some(file), Some(comparison)) if args.fix => file.fix(&comparison).map(|()| exit),
        _ => Ok(exit),
    }
}

/// Programs that the suite has started are in groups of their own: what a terminal sends to this one does not reach them.
fn end_programs_with_this_one() {
    /// What a shell tells of a program that was interrupted.
    const INTERRUPTED: i32 = 130;
    // Without a handler the run ends all the same, and leaves them.
    let _without = ctrlc::set_handler(|| {
        sipae_net::end_all();
        std::process::exit(INTERRUPTED);
    });
}

/// Runs, tells every report, and compares. A report that could not be written is told at the end.
fn told(
    options: &RunOptions,
    mut reports: Vec<Box<dyn Writer>>,
    mut comparison: Option<Comparison>,
) -> Result<(ExitCode, Option<Comparison>), Failure> {
    let mut broken = None;
    let exit = suite::run(options, &mut |event| {
        comparison.iter_mut().for_each(|comparison| comparison.add(event));
        tell(&mut reports, event, &mut broken);
    });
    match broken {
        Some(error) => Err(Failure::Report(error)),
        None => Ok((comparison.as_ref().map_or(exit, Comparison::exit), comparison)),
    }
}

pub(crate) fn random_seed() -> u64 {
    u64::from_be_bytes((&mut OsEntropy as &mut dyn Entropy).octets())
}

/// Nobody logs in to a server with accounts that its profile does not name.
fn check_user(profile: &Profile, args: &RunArgs, target: &Target) -> Result<(), Failure> {
    match &args.profile {
        Some(file) if !profile.has_user && target.role() == Role::Server => {
            let problem = format!("{}: the table user is missing, which a server needs", file.display());
            Err(Failure::Usage(problem))
        }
        _ => Ok(()),
    }
}

/// A report must not overwrite another one, nor what the run reads.
fn check_files(args: &RunArgs) -> Result<(), Failure> {
    let read = args.profile.iter().chain(&args.expected_failures).chain(&args.tls.tls_ca);
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

/// What the arguments mean, checked.
pub(crate) fn options(args: &RunArgs, filter: Filter) -> Result<RunOptions, Failure> {
    let mut profile = match &args.profile {
        Some(file) => Profile::load(file)?,
        None => Profile::of_reference(),
    };
    let target = target(args)?;
    exec::check_target(args.exec.as_ref(), &target)?;
    check_user(&profile, args, &target)?;
    check_files(args)?;
    tls::check_target(&args.tls, &target)?;
    tls::settle(&args.tls, &mut profile.tls);
    // What is wrong with the files of TLS is wrong usage, and no verdict.
    target.connector(&profile)?;
    let control = exec::start(args.exec.as_ref(), &target)?;
    let seed = args.seed.unwrap_or_else(random_seed);
    let profile_name = args.profile.as_ref().map(|file| file.display().to_string());
    let (profile, strict, arguments) = (Arc::new(profile), args.strict, arguments(args));
    let (jobs, rough) = (args.jobs.unwrap_or_else(|| default_jobs(&target)), args.rough);
    let (settings, nonce) = (None, random_seed());
    Ok(RunOptions {
        target,
        control,
        profile,
        profile_name,
        arguments,
        seed,
        nonce,
        strict,
        filter,
        settings,
        jobs,
        rough,
        effort: sipae_conformance::Effort::default(),
    })
}

/// In memory as many as there are cores; some over a network, where most of the time is waiting.
fn default_jobs(target: &Target) -> usize {
    const OVER_A_NETWORK: usize = 4;
    if target.is_one_server() {
        OVER_A_NETWORK
    } else {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

/// What else changes the run, for the command that repeats it.
fn arguments(args: &RunArgs) -> Vec<String> {
    let exec = args.exec.as_ref().map(|exec| format!("--exec {}", exec.quoted()));
    let strict = args.strict.then(|| "--strict".to_owned());
    let rough = args.rough.then(|| "--rough".to_owned());
    #[cfg(feature = "defects")]
    let defect = args.defect.map(|defect| format!("--defect {defect}"));
    #[cfg(not(feature = "defects"))]
    let defect = None;
    exec.into_iter().chain(tls::arguments(&args.tls)).chain(strict).chain(rough).chain(defect).collect()
}

#[cfg(not(feature = "defects"))]
#[expect(clippy::unnecessary_wraps, reason = "the same call as with the feature")]
fn target(args: &RunArgs) -> Result<Target, Failure> {
    Ok(args.target.clone())
}

#[cfg(feature = "defects")]
fn target(args: &RunArgs) -> Result<Target, Failure> {
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
fn reports(
    args: &RunArgs,
    options: &RunOptions,
    comparison: Option<&Comparison>,
) -> Result<Vec<Box<dyn Writer>>, Failure> {
    let mut reports: Vec<Box<dyn Writer>> = Vec::new();
    let bundles = bundles(args)?;
    let summary = || Box::new(summary(args, options, comparison, bundles.as_ref()));
    match &args.json {
        Some(file) if file == Path::new("-") => reports.push(Box::new(JsonLines(io::stdout()))),
        Some(file) => {
            reports.push(summary());
            reports.push(Box::new(JsonLines(created(file)?)));
        }
        None => reports.push(summary()),
    }
    if let Some(file) = &args.junit {
        let expected = comparison.map(|comparison| comparison.list().clone()).unwrap_or_default();
        reports.push(Box::new(Junit::new(created(file)?).expecting(expected)));
    }
    reports.extend(bundles.map(|bundles| Box::new(bundles) as Box<dyn Writer>));
    Ok(reports)
}

/// Loose cases have bundles where they are told like failures.
fn bundles(args: &RunArgs) -> Result<Option<Bundles>, Failure> {
    let Some(folder) = &args.failures else { return Ok(None) };
    let bundles = Bundles::create(folder);
    let bundles = bundles.map_err(|source| Failure::File { file: folder.to_owned(), source })?;
    Ok(Some(bundles.with_loose(args.verbose)))
}

/// Lines on the standard output, in colour where it is a terminal and nothing asks for none, and a bar on the standard
/// error.
fn summary(
    args: &RunArgs,
    options: &RunOptions,
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
    Progress::around(console, filter::chosen(&options.filter, Some(options.target.role())).count())
}

fn created(file: &Path) -> Result<File, Failure> {
    File::create(file).map_err(|source| Failure::File { file: file.to_owned(), source })
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
