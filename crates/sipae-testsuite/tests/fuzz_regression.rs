//! Every kept fuzz input against its oracle: the corpus, and whatever the fuzzer has found.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sipae_testsuite::oracles::{ORACLES, Oracle};

/// How many inputs there were. One at a time, so that a failure names its file.
fn replay(folder: &Path, oracle: Oracle) -> io::Result<usize> {
    let files = files(folder)?;
    for file in &files {
        let data = fs::read(file)?;
        let failed = std::panic::catch_unwind(|| oracle(&data)).is_err();
        assert!(!failed, "the oracle fails on {}", file.display());
    }
    Ok(files.len())
}

/// The files of a folder in order of name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths: io::Result<Vec<_>> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files: Vec<_> = paths?.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[test]
fn the_oracles_hold_for_every_input_of_the_corpus() -> io::Result<()> {
    for (name, oracle) in ORACLES {
        let folder = fuzz().join("corpus").join(name);
        assert_ne!(replay(&folder, *oracle)?, 0, "no input in {}", folder.display());
    }
    Ok(())
}

/// The folder is not kept: a finding that is worth keeping moves to the corpus when it is fixed.
#[test]
fn the_oracles_hold_for_everything_that_the_fuzzer_has_found() -> io::Result<()> {
    let folders = ORACLES.iter().map(|(name, oracle)| (fuzz().join("artifacts").join(name), *oracle));
    for (folder, oracle) in folders.filter(|(folder, _)| folder.is_dir()) {
        replay(&folder, oracle)?;
    }
    Ok(())
}

#[test]
fn every_oracle_has_a_fuzz_target_and_every_target_an_oracle() -> io::Result<()> {
    let files = files(&fuzz().join("fuzz_targets"))?;
    let targets: Vec<_> = files.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    assert_eq!(targets, ORACLES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    Ok(())
}

/// An empty input is what a fuzzer tries first.
#[test]
fn the_oracles_hold_for_no_octets_at_all() {
    for (_, oracle) in ORACLES {
        oracle(b"");
    }
}
