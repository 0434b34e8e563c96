//! `cargo xtask properties`: the planted defects, the properties that find them, how soon, and in how many steps.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Print what each property finds of the planted defects, in which times of finding + making smaller, and which it alone
/// finds
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Conversations for each property and setting
    #[arg(long, default_value_t = 100)]
    cases: u64,
    /// The times over TCP as well
    #[arg(long)]
    tcp: bool,
    /// Of each planted defect only what finds it soonest, up to the first that does so everywhere
    #[arg(long)]
    soonest: bool,
    /// Only these planted defects, by their ids
    defects: Vec<String>,
}

pub(crate) fn run(args: &Args, root: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["run", "--quiet", "--release", "--package", "sipae-testsuite"]);
    cargo.args(["--example", "properties", "--"]).arg(args.cases.to_string()).args(&args.defects);
    for (flag, is_given) in [("--tcp", args.tcp), ("--soonest", args.soonest)] {
        cargo.args(is_given.then_some(flag));
    }
    let status = cargo.status().context("cargo cannot be run")?;
    ensure!(status.success(), "the table could not be made");
    Ok(())
}
