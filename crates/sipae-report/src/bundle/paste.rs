//! A test in Rust that replays the script of a bundle, to be pasted into a project.

use sipae_events::{CaseFinished, RunStarted};

use crate::text::printable;

/// The text of `test.rs`, which stands beside `script.json`.
pub(super) fn test(run: &RunStarted, case: &CaseFinished) -> String {
    let (uses, profile) = profile(run);
    let (id, subject) = (&case.case, printable(&case.subject.to_string()));
    let title = printable(&case.title);
    let (program, version, seed) = (&run.program, &run.version, run.seed);
    let (target, name) = (&run.target, name(case));
    format!(
        r#"// {id} at {subject}: {title}.
// Found by {program} {version} with seed {seed}. Needs script.json beside this file, and sipae-conformance under
// [dev-dependencies].

{uses}use std::sync::Arc;

use sipae_conformance::profile::Profile;
use sipae_conformance::replay::File;
use sipae_conformance::target::Target;

#[test]
fn {name}() -> Result<(), Box<dyn std::error::Error>> {{
    let target: Target = {target:?}.parse()?;
    let profile = Arc::new({profile});
    File::read(include_str!("script.json"))?.check(&target, &profile)?;
    Ok(())
}}
"#
    )
}

/// What has to be imported for the profile of the run, and the expression for it.
fn profile(run: &RunStarted) -> (&'static str, String) {
    match &run.profile {
        Some(file) => ("use std::path::Path;\n", format!("Profile::load(Path::new({file:?}))?")),
        None => ("", "Profile::of_reference()".to_owned()),
    }
}

/// The title as the name of a function, with scheme and version.
fn name(case: &CaseFinished) -> String {
    const LONGEST: usize = 80;
    let words = |text: &str| {
        let parts = text.split(|shown: char| !shown.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("_").to_ascii_lowercase()
    };
    let title: String = words(&case.title).chars().take(LONGEST).collect();
    let is_name = title.starts_with(|first: char| first.is_ascii_lowercase());
    let title = if is_name { title } else { format!("case_{}", words(case.case.as_str())) };
    format!("{}_at_{}", title.trim_end_matches('_'), words(&case.subject.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, FAIL};

    #[test]
    fn the_test_replays_the_script_against_the_target_of_the_run() {
        insta::assert_snapshot!(test(&sample::started(), &sample::case(4, FAIL)), @r#"
        // 3.3.5.1/bare-ack at NTLM v4: a bare ACK is dropped.
        // Found by sipae 0.1.0 with seed 7. Needs script.json beside this file, and sipae-conformance under
        // [dev-dependencies].

        use std::path::Path;
        use std::sync::Arc;

        use sipae_conformance::profile::Profile;
        use sipae_conformance::replay::File;
        use sipae_conformance::target::Target;

        #[test]
        fn a_bare_ack_is_dropped_at_ntlm_v4() -> Result<(), Box<dyn std::error::Error>> {
            let target: Target = "tcp://127.0.0.1:5060".parse()?;
            let profile = Arc::new(Profile::load(Path::new("p.toml"))?);
            File::read(include_str!("script.json"))?.check(&target, &profile)?;
            Ok(())
        }
        "#);
    }

    #[test]
    fn without_a_profile_the_accounts_are_those_of_the_reference() {
        let run = RunStarted { profile: None, ..sample::started() };
        let text = test(&run, &sample::case(4, FAIL));
        assert!(text.contains("Arc::new(Profile::of_reference())") && !text.contains("Path"), "{text}");
    }

    #[test]
    fn a_title_that_is_no_name_gives_way_to_the_case() {
        let case = CaseFinished { title: "401 is sent".to_owned(), ..sample::case(4, FAIL) };
        assert_eq!(name(&case), "case_3_3_5_1_bare_ack_at_ntlm_v4");
    }
}
