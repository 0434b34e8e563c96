//! `sipae run`.

use sipae_conformance::Effort;
use sipae_conformance::filter::Filter;
use sipae_conformance::run::{self as suite, RunOptions};
use sipae_conformance::target::Target;
use sipae_events::ExitCode;
use sipae_report::Comparison;

use crate::args::{DepthArgs, RunArgs};
use crate::expected::ExpectedFile;
use crate::output::Failure;
use crate::reports::{self, Reports};
use crate::{exec, filter, list, provisioning, subject};

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let role = Some(args.subject.target.role());
    let filter = filter::filter(&args.filter, role)?;
    if args.list {
        return list::cases(&filter, role);
    }
    if args.fix && !filter.is_empty() {
        return Err(Failure::Usage("--fix: needs a run of all cases, without filters".to_owned()));
    }
    let mut options = options(args, filter)?;
    let _service = provisioning::beside_run(args.provisioning, &mut options)?;
    let expected =
        args.expected_failures.as_ref().map(|file| ExpectedFile::load(file, args.fix)).transpose()?;
    let comparison =
        expected.as_ref().map(|file| Comparison::new(file.list.clone(), options.filter.is_empty()));
    let count = filter::chosen(&options.filter, role).count();
    let reports = Reports::create(&args.reports, count, comparison.as_ref())?;
    let (exit, comparison) = told(&options, reports, comparison)?;
    let exit = exec::settled(options.control.as_deref(), exit)?;
    match (expected, comparison) {
        (Some(file), Some(comparison)) if args.fix => file.fix(&comparison).map(|()| exit),
        _ => Ok(exit),
    }
}

/// Runs, tells every report, and compares. A report that could not be written is told at the end.
fn told(
    options: &RunOptions,
    mut reports: Reports,
    mut comparison: Option<Comparison>,
) -> Result<(ExitCode, Option<Comparison>), Failure> {
    let exit = suite::run(options, &mut |event| {
        comparison.iter_mut().for_each(|comparison| comparison.add(event));
        reports.tell(event);
    });
    reports.end()?;
    Ok((comparison.as_ref().map_or(exit, Comparison::exit), comparison))
}

fn options(args: &RunArgs, filter: Filter) -> Result<RunOptions, Failure> {
    let read = subject::files(&args.subject).chain(&args.expected_failures);
    reports::check_files(&args.reports, read)?;
    let options = subject::options(&args.subject)?;
    let seed = args.seed.unwrap_or_else(subject::random_seed);
    let jobs = args.jobs.unwrap_or_else(|| default_jobs(&options.target));
    let arguments = options.arguments.iter().cloned().chain(count(args)).chain(depth(&args.depth)).collect();
    Ok(RunOptions { seed, filter, jobs, arguments, effort: effort(args), ..options })
}

/// How many conversations are generated, where that is not the usual number: whoever repeats the run has to know.
fn count(args: &RunArgs) -> Option<String> {
    let is_usual = args.count == Effort::default().cases || args.time.is_some();
    (!is_usual).then(|| format!("--cases {}", args.count))
}

fn effort(args: &RunArgs) -> Effort {
    Effort { cases: args.count, time: args.time, depth: args.depth.at_once, ..Effort::default() }
}

/// How many conversations are on their way at once, where that was said.
pub(crate) fn depth(args: &DepthArgs) -> Option<String> {
    args.at_once.map(|depth| format!("--depth {depth}"))
}

/// In memory as many as there are cores; some over a network, where most of the time is waiting.
pub(crate) fn default_jobs(target: &Target) -> usize {
    const OVER_A_NETWORK: usize = 4;
    if target.is_one_server() && !target.is_in_memory() {
        OVER_A_NETWORK
    } else {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}
