//! `cargo xtask bench`: the benchmarks, which are a workspace of their own in benches/.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Measure reading, generating and signing, beside other SIP parsers
///
/// Builds and runs benches/. Compare the medians, and only within one run: on a machine that does nothing else, if
/// possible pinned to one core (`taskset -c 1 cargo xtask bench`).
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on to divan: a part of the names to run, or options such as --sample-count
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(args: &Args, root: &Path) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root.join("benches")).args(["bench", "--quiet", "--"]).args(&args.arguments);
    ensure!(cargo.status().context("cargo")?.success(), "the benchmarks do not build or run");
    Ok(())
}
