//! The arrows of ARCHITECTURE.md: which crate may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each crate and the crates of this workspace that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("sipae-spec", &[]),
    ("sipae", &["sipae-spec"]),
    ("sipae-gssapi", &[]),
    ("sipae-vectors", &[]),
    ("sipae-gen", &["sipae"]),
    ("sipae-events", &["sipae-spec"]),
    ("sipae-net", &["sipae"]),
    (
        "sipae-conformance",
        &["sipae", "sipae-events", "sipae-gen", "sipae-gssapi", "sipae-net", "sipae-spec", "sipae-vectors"],
    ),
    ("sipae-report", &["sipae-events", "sipae-spec"]),
    ("sipae-decode", &["sipae", "sipae-spec"]),
    (
        "sipae-cli",
        &[
            "sipae",
            "sipae-conformance",
            "sipae-decode",
            "sipae-events",
            "sipae-net",
            "sipae-report",
            "sipae-spec",
            "sipae-vectors",
        ],
    ),
];

/// What the core and the data below it may use from elsewhere: nothing that does IO, and no serde.
const FOREIGN: &[(&str, &[&str])] = &[
    ("sipae-spec", &[]),
    (
        "sipae",
        &[
            "aes",
            "base16ct",
            "base64",
            "crc32fast",
            "cts",
            "des",
            "hmac",
            "httpdate",
            "md-5",
            "md4",
            "memchr",
            "pbkdf2",
            "rc4",
            "sha1",
            "sha2",
            "subtle",
            "thiserror",
        ],
    ),
];

/// The manifest in a folder that is told from that of the crates.
fn manifest(folder: &str) -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().expect("a manifest")
}

/// The names under `[dependencies]` of a crate.
fn dependencies(name: &str) -> BTreeSet<String> {
    manifest(name)
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

fn is_ours(name: &str) -> bool {
    name.starts_with("sipae")
}

#[test]
fn every_crate_uses_exactly_the_crates_of_its_arrows() {
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<String> = dependencies(name).into_iter().filter(|used| is_ours(used)).collect();
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        assert_eq!(ours, allowed, "{name}");
    }
}

#[test]
fn the_core_uses_no_crate_that_does_io() {
    for (name, allowed) in FOREIGN {
        let foreign: BTreeSet<String> =
            dependencies(name).into_iter().filter(|used| !is_ours(used)).collect();
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        assert_eq!(foreign, allowed, "{name}");
    }
}

#[test]
fn every_crate_of_the_workspace_has_its_arrows_written_down() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let known: BTreeMap<&str, _> = ARROWS.iter().copied().collect();
    for entry in std::fs::read_dir(crates).expect("the crates") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        assert!(name == "sipae-testsuite" || known.contains_key(name.as_str()), "{name}");
    }
}

/// A manifest takes all lints of the workspace or none: the one crate that is `unsafe` inside repeats the others.
#[test]
fn one_crate_may_be_unsafe_and_has_all_other_lints() {
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "sipae-gssapi") {
        let lints = toml::Table::from_iter([("workspace".to_owned(), true.into())]);
        assert_eq!(manifest(name).get("lints"), Some(&toml::Value::Table(lints)), "{name}");
    }
    let mut expected = manifest("..")["workspace"]["lints"].clone();
    let tables = expected.as_table_mut().expect("lints");
    assert!(tables["rust"].as_table_mut().expect("lints").remove("unsafe_code").is_some());
    for (tool, lint) in [
        ("rust", "unsafe_op_in_unsafe_fn"),
        ("clippy", "undocumented_unsafe_blocks"),
        ("clippy", "multiple_unsafe_ops_per_block"),
    ] {
        tables[tool].as_table_mut().expect("lints").insert(lint.to_owned(), "deny".into());
    }
    assert_eq!(manifest("sipae-gssapi").get("lints"), Some(&expected));
}

/// Cases judge subjects; they must not be made of them (rule 11 of the design).
#[test]
fn cases_do_not_use_the_state_machines_that_they_judge() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sipae-conformance/src");
    for folder in ["cases", "execute"] {
        for path in sources(&source.join(folder)) {
            let text = std::fs::read_to_string(&path).expect("text");
            for subject in ["Server::new", "Client::new", "sipae::client"] {
                assert!(!text.contains(subject), "{}: {subject}", path.display());
            }
        }
    }
}

/// The files of a folder and of those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("sources").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// `cargo run` builds the program alone, so what no manifest asks for is not in it. The test binary asks for defects as
/// a development dependency, which does not reach a release.
#[test]
fn no_program_or_library_asks_for_defects() {
    for (name, _) in ARROWS {
        let read = manifest(name);
        let asked = read.get("dependencies").map(ToString::to_string).unwrap_or_default();
        let default = read.get("features").and_then(|features| features.get("default"));
        let default = default.map(ToString::to_string).unwrap_or_default();
        assert!(!asked.contains("defects") && !default.contains("defects"), "{name}");
    }
}

/// Whoever takes the harness as a dev-dependency does not want half the registry with it.
#[test]
fn the_harness_without_tls_stays_under_90_packages() {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "sipae-conformance",
            "--no-default-features",
            "--features",
            "harness",
        ])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let packages: BTreeSet<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!((20..90).contains(&packages.len()), "{} packages: {packages:?}", packages.len());
}
