//! `sipae vectors check`.

use std::io::{self, Write};

use sipae_conformance::codec::ReferenceCodec;
use sipae_events::ExitCode;
use sipae_vectors::{Report, check as check_vectors, golden, load_folder};

use crate::args::{VectorsArgs, VectorsCommand};
use crate::output::{Failure, forgive_closed_pipe};

/// Failures that are told in full; the others are counted.
const SHOWN: usize = 5;

pub(crate) fn check(args: &VectorsArgs) -> Result<ExitCode, Failure> {
    let VectorsCommand::Check { folder } = &args.command;
    let report = match folder {
        Some(folder) => check_vectors(&load_folder(folder)?, &mut ReferenceCodec),
        None => check_vectors(golden(), &mut ReferenceCodec),
    };
    forgive_closed_pipe(tell(&report, &mut io::stdout())).map_err(Failure::Report)?;
    Ok(exit(&report))
}

fn exit(report: &Report) -> ExitCode {
    let total = report.total();
    if total.failed != 0 {
        ExitCode::Failed
    } else if total.passed == 0 {
        ExitCode::NothingRan
    } else {
        ExitCode::Passed
    }
}

fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:<14}{:>8}{:>8}{:>13}", "family", "passed", "failed", "unsupported")?;
    let total = report.total();
    let families = report.families.iter().map(|(family, counts)| (family.as_str(), counts));
    for (family, counts) in families.chain([("all", &total)]) {
        writeln!(out, "{family:<14}{:>8}{:>8}{:>13}", counts.passed, counts.failed, counts.unsupported)?;
    }
    for failure in report.failures.iter().take(SHOWN) {
        writeln!(out, "\n{failure}")?;
    }
    let more = report.failures.len().saturating_sub(SHOWN);
    if more != 0 { writeln!(out, "\nand {more} more failures") } else { Ok(()) }
}
