//! The commands that repeat a case, for a POSIX shell.

use std::path::Path;

use sipae_events::{CaseId, RunStarted};

use crate::text::quoted;

/// The run again, with this case only; the script again, where the run has played one.
pub(crate) fn run(run: &RunStarted, case: &CaseId) -> String {
    match &run.script {
        Some(script) => replay(run, Path::new(script)),
        None => format!("sipae run {} --seed {} {case}", subject(run), run.seed),
    }
}

/// A script again.
pub(crate) fn replay(run: &RunStarted, script: &Path) -> String {
    format!("sipae replay {} {}", file(script), subject(run))
}

/// A capture explained.
pub(crate) fn decode(capture: &Path) -> String {
    format!("sipae decode {}", file(capture))
}

fn subject(run: &RunStarted) -> String {
    let profile = run.profile.as_ref().map(|file| format!(" --profile {}", quoted(file)));
    let arguments: String = run.arguments.iter().map(|argument| format!(" {argument}")).collect();
    format!("--target {}{}{arguments}", quoted(&run.target), profile.unwrap_or_default())
}

fn file(path: &Path) -> String {
    quoted(&path.display().to_string())
}
