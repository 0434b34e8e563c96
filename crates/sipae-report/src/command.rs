//! The commands that repeat a case, for a POSIX shell.

use std::path::Path;

use sipae_events::{CaseId, RunStarted};

use crate::text::quoted;

/// The run again, with this case only; the script again, where the run has played one.
pub(crate) fn run(run: &RunStarted, case: &CaseId) -> String {
    match &run.script {
        Some(script) => replay(run, Path::new(script)),
        None => format!("sipae run {} --seed {} {case}", subject(run, |_| true), run.seed),
    }
}

/// A script again.
pub(crate) fn replay(run: &RunStarted, script: &Path) -> String {
    /// What is generated, and how: a script that is played has nothing to do with it.
    const OF_GENERATION: [&str; 2] = ["--cases ", "--depth "];
    let is_meant = |argument: &str| !OF_GENERATION.iter().any(|name| argument.starts_with(name));
    format!("sipae replay {} {}", file(script), subject(run, is_meant))
}

/// A capture explained.
pub(crate) fn decode(capture: &Path) -> String {
    format!("sipae decode {}", file(capture))
}

fn subject(run: &RunStarted, is_meant: impl Fn(&str) -> bool) -> String {
    let profile = run.profile.as_ref().map(|file| format!(" --profile {}", quoted(file)));
    let arguments = run.arguments.iter().filter(|argument| is_meant(argument));
    let arguments: String = arguments.map(|argument| format!(" {argument}")).collect();
    format!("--target {}{}{arguments}", quoted(&run.target), profile.unwrap_or_default())
}

fn file(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_generated_cases_is_said_again_to_runs_alone() {
        let arguments = ["--strict", "--cases 8", "--depth 1"].map(str::to_owned).to_vec();
        let started = RunStarted { arguments, profile: None, script: None, ..crate::sample::started() };
        let again = run(&started, &crate::sample::whole_case().case);
        assert!(again.contains("--strict --cases 8 --depth 1 --seed"), "{again}");
        let again = replay(&started, Path::new("script.json"));
        assert!(again.ends_with(" --strict"), "{again}");
    }
}
