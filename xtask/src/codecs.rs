//! `cargo xtask codecs`: every codec of the repository, in every language, under the suite.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Put the suite to the samples and to the judge, which need python3, make, a C compiler, libosip2 and jansson
///
/// All must pass; the sample in C fails where its list of expected failures says so, and nowhere else.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seed of the generated inputs.
    #[arg(long, default_value = "1", value_name = "NUMBER")]
    seed: u64,
}

/// A codec, as it is started from the root of the repository, and the list of failures that are known.
struct Codec {
    command: &'static str,
    expected: Option<&'static str>,
}

const CODECS: &[Codec] = &[
    Codec { command: "python3 judge/judge.py", expected: None },
    Codec { command: "target/release/sipae-sample-codec", expected: None },
    Codec { command: "python3 samples/python/codec.py", expected: None },
    Codec { command: "samples/c/codec", expected: Some("samples/c/expected.toml") },
];

/// What has to be done before they can be started.
const STEPS: &[&[&str]] = &[
    &["cargo", "build", "--quiet", "--release", "--package", "sipae-cli", "--package", "sipae-sample-codec"],
    &["make", "--silent", "--directory", "samples/c"],
    &["python3", "judge/test_judge.py"],
];

pub(crate) fn run(args: &Args, root: &Path) -> anyhow::Result<()> {
    STEPS.iter().try_for_each(|step| done(step, root))?;
    CODECS.iter().try_for_each(|codec| codec.run(args, root))
}

impl Codec {
    fn run(&self, args: &Args, root: &Path) -> anyhow::Result<()> {
        let (target, seed) = (format!("codec:{}", self.command), args.seed.to_string());
        let mut words = vec!["target/release/sipae", "run", "--target", &target, "--seed", &seed];
        if let Some(expected) = self.expected {
            words.extend(["--expected-failures", expected]);
        }
        done(&words, root)
    }
}

fn done(words: &[&str], root: &Path) -> anyhow::Result<()> {
    let (program, arguments) = words.split_first().context("no program")?;
    let status = Command::new(program).args(arguments).current_dir(root).status();
    let status = status.with_context(|| format!("{program} cannot be run: is it installed?"))?;
    ensure!(status.success(), "{}: {status}", words.join(" "));
    Ok(())
}
