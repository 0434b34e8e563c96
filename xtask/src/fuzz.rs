//! `cargo xtask fuzz`: the fuzz targets with the stable toolchain.
//!
//! The compiler instruments the code when it is told to by codegen flags, and libFuzzer comes as a crate: nothing has
//! to be installed but a C++ compiler.

mod report;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use report::{Report, Stats};

/// Fuzz what reads octets from peers
///
/// Builds fuzz/ with coverage instrumentation, on the stable toolchain, and runs one target after the other. Starts
/// from fuzz/corpus/TARGET (kept in the repository) and fuzz/found/TARGET (from earlier runs, not kept); new inputs go
/// to fuzz/found/TARGET, inputs on which a property fails to fuzz/artifacts/TARGET. A target stops at its first finding.
///
/// `cargo test -p sipae-testsuite fuzz` replays corpus and findings without a fuzzer. Needs a C++ compiler for
/// libFuzzer.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The target; all of them, one after the other, when none is named
    target: Option<String>,

    /// How long each target runs, such as 60s, 10m, 8h
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    time: Duration,

    /// Start of the random choices; a new one each time when it is absent
    #[arg(long)]
    seed: Option<u32>,
}

/// Wrong usage: there is no such target.
#[derive(Debug)]
pub(crate) struct UnknownTarget {
    name: String,
    targets: BTreeSet<String>,
}

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let targets: Vec<_> = self.targets.iter().map(String::as_str).collect();
        write!(f, "no fuzz target `{}`; there are {}", self.name, targets.join(", "))
    }
}

impl std::error::Error for UnknownTarget {}

/// How long a target may go on behind its time: for the last input, and on a busy machine.
const GRACE: Duration = Duration::from_secs(120);

/// Codegen flags that put in what libFuzzer looks at.
const INSTRUMENTATION: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

#[expect(clippy::print_stdout, reason = "the report")]
pub(crate) fn run(args: &Args, root: &Path) -> Result<()> {
    let fuzz = root.join("fuzz");
    let chosen = chosen(args.target.as_deref(), targets(&fuzz)?)?;
    let triple = host()?;
    build(&fuzz, &triple, &chosen)?;
    let mut findings = 0;
    for target in &chosen {
        let program = fuzz.join("target").join(&triple).join("release").join(target);
        let report = Target { fuzz: &fuzz, name: target, program, grace: GRACE }.run(args)?;
        println!("{report}");
        findings += report.findings;
    }
    ensure!(
        findings == 0,
        "{findings} finding(s) in fuzz/artifacts; `cargo test -p sipae-testsuite fuzz` replays them"
    );
    Ok(())
}

/// The targets there are: a file each.
fn targets(fuzz: &Path) -> Result<BTreeSet<String>> {
    let folder = fuzz.join("fuzz_targets");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    Ok(names)
}

fn chosen(name: Option<&str>, targets: BTreeSet<String>) -> Result<BTreeSet<String>, UnknownTarget> {
    match name {
        None => Ok(targets),
        Some(name) if targets.contains(name) => Ok(BTreeSet::from([name.to_owned()])),
        Some(name) => Err(UnknownTarget { name: name.to_owned(), targets }),
    }
}

/// The platform that cargo builds for. It is named in the build, because only then build scripts stay as they are.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc tells no host")
}

fn build(fuzz: &Path, triple: &str, targets: &BTreeSet<String>) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(fuzz).args(["build", "--quiet", "--release", "--target", triple]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1F}"));
    cargo.args(targets.iter().flat_map(|target| ["--bin", target]));
    ensure!(cargo.status().context("cargo")?.success(), "the fuzz targets do not build");
    Ok(())
}

/// One target that has been built.
struct Target<'a> {
    fuzz: &'a Path,
    name: &'a str,
    program: PathBuf,
    grace: Duration,
}

impl Target<'_> {
    fn run(&self, args: &Args) -> Result<Report> {
        let (found, artifacts) = (self.folder("found"), self.folder("artifacts"));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let (before, begin) = (files(&artifacts)?, Instant::now());
        let (end, log) = self.ended(args).with_context(|| self.program.display().to_string())?;
        let findings: Vec<_> = files(&artifacts)?.difference(&before).cloned().collect();
        let is_good = end.is_some_and(|status| status.success());
        if !is_good {
            tell(&log, &findings);
        }
        if !is_good && findings.is_empty() {
            let how = end.map_or("did not end in time".to_owned(), |status| format!("ended with {status}"));
            bail!("{} {how} and left no input behind", self.name);
        }
        let (target, time) = (self.name.to_owned(), begin.elapsed());
        Ok(Report { target, time, stats: Stats::read(&log), findings: findings.len() })
    }

    /// How the program ended, and what it has said. libFuzzer may block itself when it reports that an input takes too
    /// long: it is stopped then, and has no status of its own.
    fn ended(&self, args: &Args) -> std::io::Result<(Option<ExitStatus>, String)> {
        let mut child = self.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut stderr = child.stderr.take();
        let reader = std::thread::spawn(move || {
            let mut log = Vec::new();
            // What came before a pipe breaks is told.
            let _read = stderr.as_mut().map(|stderr| stderr.read_to_end(&mut log));
            log
        });
        let deadline = Instant::now() + args.time + self.grace;
        let mut end = child.try_wait()?;
        while end.is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
            end = child.try_wait()?;
        }
        if end.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let log = reader.join().unwrap_or_default();
        Ok((end, String::from_utf8_lossy(&log).into_owned()))
    }

    fn folder(&self, kind: &str) -> PathBuf {
        self.fuzz.join(kind).join(self.name)
    }

    fn command(&self, args: &Args) -> Command {
        let mut command = Command::new(&self.program);
        // libFuzzer adds to the first folder and reads the others.
        command.args([self.folder("found"), self.folder("corpus")]);
        command.arg(format!("-max_total_time={}", args.time.as_secs().max(1)));
        command.arg(format!("-artifact_prefix={}/", self.folder("artifacts").display()));
        command.args(["-print_final_stats=1", "-timeout=10", "-rss_limit_mb=1024"]);
        command.args(args.seed.map(|seed| format!("-seed={seed}")));
        let dictionary = self.fuzz.join("dict").join(format!("{}.dict", self.name));
        command.args(dictionary.exists().then(|| format!("-dict={}", dictionary.display())));
        command
    }
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// What the fuzzer has said since it started, without its progress.
#[expect(clippy::print_stderr, reason = "a finding is explained beside the report")]
fn tell(log: &str, findings: &[PathBuf]) {
    let is_progress = |line: &&str| line.starts_with('#') || line.starts_with("INFO:");
    let lines: Vec<_> = log.lines().filter(|line| !is_progress(line)).take(40).collect();
    eprintln!("{}", lines.join("\n"));
    for finding in findings {
        eprintln!("finding: {}", finding.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_corpus() {
        let fuzz = crate::root().join("fuzz");
        for target in targets(&fuzz).unwrap() {
            assert!(!files(&fuzz.join("corpus").join(&target)).unwrap().is_empty(), "{target}");
        }
    }

    /// A program that takes its arguments for nothing, and goes on for a minute.
    #[cfg(unix)]
    #[test]
    fn a_target_that_does_not_end_is_stopped() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("standing");
        fs::write(&program, "#!/bin/sh\necho stands >&2\nexec sleep 60\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let grace = Duration::from_millis(200);
        let target = Target { fuzz: folder.path(), name: "standing", program, grace };
        let args = Args { target: None, time: Duration::ZERO, seed: None };
        let begin = Instant::now();
        let error = target.run(&args).unwrap_err();
        assert_eq!(error.to_string(), "standing did not end in time and left no input behind");
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_wrong_target_is_answered_with_the_right_ones_on_one_line() {
        let targets = BTreeSet::from(["message".to_owned(), "ntlm".to_owned()]);
        let error = chosen(Some("mesage"), targets.clone()).unwrap_err();
        assert_eq!(error.to_string(), "no fuzz target `mesage`; there are message, ntlm");
        assert_eq!(chosen(None, targets.clone()).unwrap(), targets);
    }
}
