//! The suite as a test of somebody else's crate: each case is a test of `cargo test`.
//!
//! ```toml
//! [dev-dependencies]
//! sipae-conformance = "0.1"
//!
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```
//!
//! ```no_run
//! // tests/conformance.rs
//! use sipae_conformance::harness::Harness;
//!
//! fn main() -> std::process::ExitCode {
//!     Harness::target("tcp://127.0.0.1:5060").profile_file("tests/profile.toml").main()
//! }
//! ```
//!
//! Filters, `--exact`, `--skip`, `--list`, `--test-threads` and cargo-nextest work as they do for other tests. `cargo
//! test` runs the suite once for all tests that are chosen; nextest starts a process for each of them, and each plays the
//! good exchange first.
//!
//! A client is an object of this process ([`Harness::client`]), or a program that connects to the suite:
//!
//! ```no_run
//! use sipae_conformance::harness::Harness;
//!
//! fn main() -> std::process::ExitCode {
//!     let harness = Harness::target("listen:tcp://127.0.0.1:0").exec("softphone --server {host}:{port}");
//!     harness.profile_file("tests/profile.toml").main()
//! }
//! ```
//!
//! A case that fails is a test that fails, with everything that is known about it. A case that is loose passes, one that
//! is inconclusive is ignored, with the reason. What the target does not claim is ignored: where that is known beforehand it is
//! listed as ignored.

mod names;
mod results;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};

use crate::client::ClientObjects;
use crate::profile::Profile;
use crate::run::RunOptions;
use crate::target::{CodecObjects, Command, ServerObjects, Target};

pub use sipae::auth::Scheme;
pub use sipae::client::{Standing, Stimulus};
pub use sipae::clock::Time;
pub use sipae::sa::Durations;
pub use sipae::server::ConnectionId;
pub use sipae::version::Version;
pub use sipae_gen::Mode;
pub use sipae_net::{Act, ClientAct, ClientObject, ServerObject};
pub use sipae_vectors::{Answer, Codec, Operation, Refusal};

use names::{Name, names};
use results::Results;

/// Environment variable with the seed of a run, a number.
const SEED: &str = "SIPAE_SEED";

/// A target, and how it is tested.
#[derive(Clone, Debug)]
pub struct Harness {
    options: Result<RunOptions, String>,
    known: BTreeSet<String>,
}

impl Harness {
    /// A target as the command line names it: `tcp://host:port`, `tls://host:port`, `pipe:COMMAND`, `codec:COMMAND`,
    /// and for clients `listen:tcp://host:port`, `listen:tls://host:port`, `listen:pipe:COMMAND`.
    #[must_use]
    pub fn target(target: &str) -> Self {
        Self::new(target.parse().map_err(|error: crate::target::TargetError| error.to_string()))
    }

    /// A server of this process; `make` is called for each time that a script is played, so that no case sees what
    /// another one has left.
    pub fn server<S: ServerObject + 'static>(make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        let objects = ServerObjects::new(std::any::type_name::<S>(), move || Box::new(make()));
        Self::new(Ok(Target::Server(objects)))
    }

    /// A client of this process; `make` is called for each conversation, and told its scheme and version.
    pub fn client<C: ClientObject + 'static>(make: impl Fn(Mode) -> C + Send + Sync + 'static) -> Self {
        let objects = ClientObjects::new(std::any::type_name::<C>(), move |mode| Box::new(make(mode)));
        Self::new(Ok(Target::Client(objects)))
    }

    /// A codec of this process.
    pub fn codec<C: Codec + Send + 'static>(make: impl Fn() -> C + Send + Sync + 'static) -> Self {
        let objects = CodecObjects::new(std::any::type_name::<C>(), move || Box::new(make()));
        Self::new(Ok(Target::CodecObject(objects)))
    }

    fn new(target: Result<Target, String>) -> Self {
        // One seed for each build of the suite, so that a test that fails fails again.
        let options = target.map(|target| RunOptions { target, jobs: jobs(), ..RunOptions::reference(1) });
        Self { options, known: BTreeSet::new() }.schemes(&[Scheme::Ntlm])
    }

    fn with(mut self, change: impl FnOnce(&mut RunOptions) -> Result<(), String>) -> Self {
        self.options = self.options.and_then(|mut options| change(&mut options).map(|()| options));
        self
    }

    /// What starts the client that connects to the suite, anew for each conversation, as `--exec` does on the command line:
    /// `softphone --server {host}:{port}`. The words are split as a shell does it, and no shell is started.
    #[must_use]
    pub fn exec(self, command: &str) -> Self {
        let command = Command::split(command).ok_or(format!("{command:?} is no command"));
        self.with(|options| {
            if !options.target.listens() {
                return Err(format!(
                    "{}: only a client that connects to the suite is started",
                    options.target
                ));
            }
            options.target = options.target.clone().started_by(command?.words());
            Ok(())
        })
    }

    /// What the target claims, and the credentials to test it with. Without one the accounts of
    /// [`Profile::of_reference`] are used.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        self.with(|options| {
            options.profile = Arc::new(profile);
            Ok(())
        })
    }

    /// The same from a TOML file; relative names are relative to the folder of the crate that is tested, where cargo
    /// starts its tests.
    #[must_use]
    pub fn profile_file(self, file: impl AsRef<Path>) -> Self {
        let file = file.as_ref().to_owned();
        self.with(|options| {
            options.profile = Arc::new(Profile::load(&file).map_err(|error| error.to_string())?);
            options.profile_name = Some(file.display().to_string());
            Ok(())
        })
    }

    /// The schemes that the target claims: no others are listed. NTLM where nothing is said.
    #[must_use]
    pub fn schemes(self, schemes: &[Scheme]) -> Self {
        let schemes = schemes.to_vec();
        self.with(|options| {
            Arc::make_mut(&mut options.profile).schemes = Some(schemes);
            Ok(())
        })
    }

    /// The versions that the target claims: no others are listed.
    #[must_use]
    pub fn versions(self, versions: &[Version]) -> Self {
        let versions = versions.to_vec();
        self.with(|options| {
            Arc::make_mut(&mut options.profile).versions = Some(versions);
            Ok(())
        })
    }

    /// The operations that a codec claims: saying that one of them is not supported is a failure then, and no others are
    /// listed.
    #[must_use]
    pub fn operations(self, operations: &[&str]) -> Self {
        let operations: Vec<String> = operations.iter().map(|op| (*op).to_owned()).collect();
        self.with(|options| {
            let is_known = |op: &&String| Operation::NAMES.contains(&op.as_str());
            if let Some(unknown) = operations.iter().find(|op| !is_known(op)) {
                return Err(format!("{unknown:?} is no operation"));
            }
            Arc::make_mut(&mut options.profile).operations = Some(operations);
            Ok(())
        })
    }

    /// A broken SHOULD fails too.
    #[must_use]
    pub fn strict(self) -> Self {
        self.with(|options| {
            options.strict = true;
            Ok(())
        })
    }

    /// Failures that are known, by the names of their tests: such a test passes as long as its case fails, and fails once
    /// it does not, so that no list outlives what it lists.
    #[must_use]
    pub fn known_failures(mut self, names: &[&str]) -> Self {
        self.known.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Runs what the arguments of this process ask for: `main` of a test with `harness = false`.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        match self.run(&arguments) {
            Ok(conclusion) => conclusion.exit_code(),
            Err(problem) => {
                // Nobody is left to read it when this fails.
                let _unread = writeln!(std::io::stderr(), "error: {problem}");
                ExitCode::from(2)
            }
        }
    }

    /// The same with arguments of the caller's, for tests of tests.
    ///
    /// # Errors
    /// When the target or its profile cannot be used, or a known failure is none of the tests.
    pub fn run(self, arguments: &Arguments) -> Result<Conclusion, String> {
        let mut options = self.options?;
        if let Some(seed) = std::env::var_os(SEED) {
            let seed = seed.to_string_lossy().parse();
            options.seed = seed.map_err(|_| format!("{SEED} is no number from 0 to 18446744073709551615"))?;
        }
        let names = names(&options)?;
        if let Some(unknown) =
            self.known.iter().find(|known| !names.iter().any(|name| name.to_string() == **known))
        {
            return Err(format!("known failures: no test is called {unknown:?}"));
        }
        let chosen: Vec<Name> = names
            .iter()
            .filter(|name| {
                let trial = test(name, || Ok(Completion::Completed));
                !arguments.is_filtered_out(&trial) && !arguments.is_ignored(&trial)
            })
            .cloned()
            .collect();
        let results = Arc::new(Results::new(options, chosen));
        let trials = names.iter().map(|name| {
            let (results, name, is_known) =
                (Arc::clone(&results), name.clone(), self.known.contains(&name.to_string()));
            test(&name.clone(), move || judged(results.of(&name), is_known))
        });
        Ok(libtest_mimic::run(arguments, trials.collect()))
    }
}

fn test(name: &Name, run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static) -> Trial {
    Trial::ignorable_test(name.to_string(), run).with_kind(name.level).with_ignored_flag(name.is_ignored)
}

/// A failure that is known passes as long as it is one.
fn judged(result: Result<Completion, Failed>, is_known: bool) -> Result<Completion, Failed> {
    match result {
        // What was blocked has not failed.
        Err(failed)
            if is_known && !failed.message().is_some_and(|text| text.starts_with(results::BLOCKED)) =>
        {
            Ok(Completion::Completed)
        }
        Ok(Completion::Completed) if is_known => {
            Err("it is listed as a known failure, and does not fail".into())
        }
        result => result,
    }
}

fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
