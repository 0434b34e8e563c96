//! `cargo xtask defects`: the planted defects, the cases that find them, and what has never been seen red.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Print the planted defects with the cases that find them, and the cases that have never been seen red
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, root: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["run", "--quiet", "--package", "sipae-testsuite", "--example", "defects"]);
    let status = cargo.status().context("cargo cannot be run")?;
    ensure!(status.success(), "a defect is not found, or a case has never been seen red");
    Ok(())
}
