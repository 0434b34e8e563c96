//! `cargo xtask catalogue`: the tables of `sipae-spec` as Rust statics.
//!
//! The vocabulary (levels, roles, reactions) is that of `sipae-spec` itself, so a new word is added to its enum
//! before a table uses it.

mod data;
mod emit;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

pub(crate) use data::BadData;
use data::{Catalogue, Tables};

/// Write the requirement catalogue as Rust from its tables
///
/// Reads crates/sipae-spec/data/*.toml and writes crates/sipae-spec/src/catalogue/*.rs.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail if a file is not what would be written
    #[arg(long)]
    check: bool,
}

const TABLES: &str = "crates/sipae-spec/data";
const STATICS: &str = "crates/sipae-spec/src/catalogue";

pub(crate) fn run(args: &Args, root: &Path) -> Result<()> {
    for (path, text) in generate(root)? {
        if args.check { check(root, &path, &text)? } else { write(root, &path, &text)? }
    }
    Ok(())
}

/// Path, relative to the root, and contents of every generated file.
fn generate(root: &Path) -> Result<Vec<(String, String)>> {
    let read = |name: &str| {
        let path = format!("{TABLES}/{name}");
        fs::read_to_string(root.join(&path)).with_context(|| path)
    };
    let catalogue = Catalogue::from_tables(Tables {
        requirements: &read(data::REQUIREMENTS)?,
        reactions: &read(data::REACTIONS)?,
        coverage: &read(data::COVERAGE)?,
        products: &read(data::PRODUCTS)?,
    })?;
    let files = [
        ("requirements", emit::requirements(&catalogue)),
        ("reactions", emit::reactions(&catalogue)),
        ("coverage", emit::coverage(&catalogue)),
        ("products", emit::products(&catalogue)),
    ];
    Ok(files.into_iter().map(|(name, text)| (format!("{STATICS}/{name}.rs"), text)).collect())
}

fn check(root: &Path, path: &str, text: &str) -> Result<()> {
    if fs::read_to_string(root.join(path)).is_ok_and(|present| present == text) {
        return Ok(());
    }
    bail!("{path} is not what the tables say; run `cargo xtask catalogue`");
}

/// Leaves a file alone that is right already, so that nothing is built again for it.
fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    if check(root, path, text).is_ok() {
        return Ok(());
    }
    fs::write(root.join(path), text).with_context(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_what_the_tables_say() {
        run(&Args { check: true }, crate::root()).unwrap();
    }

    #[test]
    fn check_names_a_file_that_differs_and_the_remedy() {
        let error = check(Path::new("no-such-folder"), "a.rs", "text").unwrap_err();
        assert_eq!(error.to_string(), "a.rs is not what the tables say; run `cargo xtask catalogue`");
    }
}
