//! Developer commands of the workspace, one module each.

mod bench;
mod catalogue;
mod codecs;
mod defects;
mod fuzz;
mod properties;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of the workspace
#[derive(Parser)]
#[command(bin_name = "cargo xtask", after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Args),
    Catalogue(catalogue::Args),
    Codecs(codecs::Args),
    Defects(defects::Args),
    Fuzz(fuzz::Args),
    Properties(properties::Args),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  a check failed, the fuzzer found something, or a file could not be read or written
  2  wrong usage, or bad data";

/// Exit code for data that does not make sense, the same as for wrong usage.
const BAD_DATA: u8 = 2;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Bench(args) => bench::run(&args, root()),
        Command::Catalogue(args) => catalogue::run(&args, root()),
        Command::Codecs(args) => codecs::run(&args, root()),
        Command::Defects(args) => defects::run(&args, root()),
        Command::Fuzz(args) => fuzz::run(&args, root()),
        Command::Properties(args) => properties::run(&args, root()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the one place where this program reports a failure")]
fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    let is_usage = error.is::<catalogue::BadData>() || error.is::<fuzz::UnknownTarget>();
    if is_usage { ExitCode::from(BAD_DATA) } else { ExitCode::FAILURE }
}

/// The root of the workspace, so that commands work from any folder.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }
}
