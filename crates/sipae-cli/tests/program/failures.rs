//! Folders of failures (docs/failures.md) as users of the program meet them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::commands::{assert_exit, sipae};
use crate::relays::{answer_ack, at_once, served};

/// A run of the one case that an answer to ACK breaks.
fn run(target: &str, folder: &Path, code: i32) -> String {
    let failures = format!("--failures={}", folder.display());
    assert_exit(&sipae(&["run", "--target", target, "--seed", "7", &failures, "3.3.5.1/bare-ack"]), code)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file of the bundle")
}

/// The relay stands between the suite and a right server.
#[test]
fn a_failure_has_a_folder_whose_capture_is_explained() {
    let (_served, target) = served(answer_ack, at_once);
    let folder = TempDir::new().expect("a folder");
    let stdout = run(&target, folder.path(), 1);
    let index = folder.path().join("README.md").display().to_string();
    assert!(stdout.contains(&format!("\nfailures are in {index}\n")), "{stdout}");

    let index = read(folder.path(), "README.md");
    let line =
        "- [3.3.5.1/bare-ack, NTLM v4](3.3.5.1-bare-ack-ntlm-v4/finding.md): fail (reaction); SIPAE-3.3.5.1-";
    assert!(index.contains(line), "{index}");
    let bundle = folder.path().join("3.3.5.1-bare-ack-ntlm-v4");
    let finding = read(&bundle, "finding.md");
    let again = format!("sipae run --target {target} --seed 7 3.3.5.1/bare-ack\n");
    assert!(finding.contains(&again) && finding.contains("SIP/2.0 400 Bad Request\n"), "{finding}");

    let capture = bundle.join("exchange.pcapng");
    let decoded = assert_exit(&sipae(&["decode", "--json", capture.to_str().expect("text")]), 0);
    let lines: Vec<serde_json::Value> =
        decoded.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().all(|line| line["type"] == "message"), "{decoded}");
    let start_lines: Vec<&str> = lines.iter().filter_map(|line| line["start_line"].as_str()).collect();
    assert!(start_lines.iter().any(|line| line.starts_with("ACK sip:")), "{decoded}");
    assert!(start_lines.contains(&"SIP/2.0 400 Bad Request"), "{decoded}");
}

#[test]
fn a_run_without_failures_says_so_in_its_folder() {
    let folder = TempDir::new().expect("a folder");
    let stdout = run("ref", folder.path(), 0);
    assert!(!stdout.contains("failures are in"), "{stdout}");
    assert!(read(folder.path(), "README.md").contains("No case failed."));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

/// Whoever names the folder of a project does not lose its README.
#[test]
fn a_folder_with_a_readme_of_its_own_is_refused() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("README.md"), "# My project\n").expect("a file");
    run("ref", folder.path(), 2);
    assert_eq!(read(folder.path(), "README.md"), "# My project\n");
}
