//! The table of planted defects and what finds each; `cargo xtask defects` prints it.

#![expect(clippy::print_stdout, reason = "the table is the output of this program")]

#[path = "../tests/red.rs"]
mod red;

use std::process::ExitCode;

use red::{FOUND, Found, never_red};

fn main() -> ExitCode {
    let width = FOUND.iter().map(|found| found.defect.id().len()).max().unwrap_or_default();
    for found in FOUND.iter() {
        row(found, width);
    }
    let missed = FOUND.iter().filter(|found| !found.is_found()).count();
    let never = never_red();
    println!("\n{} defects, {missed} not found by their own requirement", FOUND.len());
    println!("{} rows of cases have never been seen red", never.len());
    never.iter().for_each(|(case, row)| println!("  {case}  {row}"));
    if missed == 0 && never.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(found: &Found, width: usize) {
    let (defect, cases) = (found.defect, own_cases(found));
    let shown = match cases.as_slice() {
        [] => "NOT FOUND".to_owned(),
        [only] => (*only).to_owned(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let doubt = if found.is_found() || cases.is_empty() { "" } else { ", NOT AS A FAILURE" };
    println!(
        "{:width$}  {:18}  {}\n{:width$}  {:18}  found by {shown}{doubt}",
        defect.id(),
        defect.requirement(),
        defect.text(),
        "",
        ""
    );
}

/// The cases in which the row that a defect breaks turns red.
fn own_cases(found: &Found) -> Vec<&str> {
    let own = found.defect.requirement();
    found.red.iter().filter(|(_, row)| row == own).map(|(case, _)| case.as_str()).collect()
}
