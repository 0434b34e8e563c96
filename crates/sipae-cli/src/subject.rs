//! What is tested, and with what: arguments of `sipae run` and `sipae replay`.

use std::path::PathBuf;
use std::sync::Arc;

use sipae::clock::Entropy;
use sipae_conformance::profile::Profile;
use sipae_conformance::run::RunOptions;
use sipae_conformance::target::Target;
use sipae_net::OsEntropy;
use sipae_spec::Role;

use crate::args::SubjectArgs;
use crate::output::Failure;
use crate::{exec, tls};

/// A run of everything against the subject, which is started where that is asked for.
pub(crate) fn options(args: &SubjectArgs) -> Result<RunOptions, Failure> {
    end_programs_with_this_one();
    let mut profile = match &args.profile {
        Some(file) => Profile::load(file)?,
        None => Profile::of_reference(),
    };
    let target = match &args.exec {
        Some(exec) => target(args)?.started_by(exec.words()),
        None => target(args)?,
    };
    check_control(args, &target)?;
    profile.client.control |= args.control;
    exec::check_target(args.exec.as_ref(), &target)?;
    check_user(&profile, args, &target)?;
    tls::check_target(&args.tls, &target)?;
    tls::settle(&args.tls, &mut profile.tls);
    // What is wrong with the files of TLS is wrong usage, and no verdict.
    target.connector(&profile)?;
    let control = exec::start(args.exec.as_ref(), &target)?;
    let profile_name = args.profile.as_ref().map(|file| file.display().to_string());
    Ok(RunOptions {
        target,
        control,
        profile: Arc::new(profile),
        profile_name,
        arguments: arguments(args),
        nonce: random_seed(),
        strict: args.strict,
        rough: args.rough,
        ..RunOptions::reference(0)
    })
}

/// Only a client that the suite has started does what it is told.
fn check_control(args: &SubjectArgs, target: &Target) -> Result<(), Failure> {
    if args.control && !(target.listens() && args.exec.is_some()) {
        let problem = "--control: it is for a client at listen:tcp:// or listen:tls:// that --exec starts";
        return Err(Failure::Usage(problem.to_owned()));
    }
    Ok(())
}

/// The files that are read for it.
pub(crate) fn files(args: &SubjectArgs) -> impl Iterator<Item = &PathBuf> {
    args.profile.iter().chain(&args.tls.tls_ca)
}

/// Programs that the suite has started are in groups of their own: what a terminal sends to this one does not reach them.
fn end_programs_with_this_one() {
    /// What a shell tells of a program that was interrupted.
    const INTERRUPTED: i32 = 130;
    // Without a handler the run ends all the same, and leaves them.
    let _without = ctrlc::set_handler(|| {
        sipae_net::end_all();
        std::process::exit(INTERRUPTED);
    });
}

pub(crate) fn random_seed() -> u64 {
    u64::from_be_bytes((&mut OsEntropy as &mut dyn Entropy).octets())
}

/// Nobody logs in to a server with accounts that its profile does not name.
fn check_user(profile: &Profile, args: &SubjectArgs, target: &Target) -> Result<(), Failure> {
    match &args.profile {
        Some(file) if !profile.has_user && target.role() != Role::Codec => {
            let problem =
                format!("{}: the table user is missing, which a {} needs", file.display(), target.role());
            Err(Failure::Usage(problem))
        }
        _ => Ok(()),
    }
}

/// What else changes the run, for the command that repeats it.
fn arguments(args: &SubjectArgs) -> Vec<String> {
    let exec = args.exec.as_ref().map(|exec| format!("--exec {}", exec.quoted()));
    let control = args.control.then(|| "--control".to_owned());
    let strict = args.strict.then(|| "--strict".to_owned());
    let rough = args.rough.then(|| "--rough".to_owned());
    #[cfg(feature = "defects")]
    let defect = args.defect.map(|defect| format!("--defect {defect}"));
    #[cfg(not(feature = "defects"))]
    let defect = None;
    exec.into_iter()
        .chain(control)
        .chain(tls::arguments(&args.tls))
        .chain(strict)
        .chain(rough)
        .chain(defect)
        .collect()
}

#[cfg(not(feature = "defects"))]
#[expect(clippy::unnecessary_wraps, reason = "the same call as with the feature")]
fn target(args: &SubjectArgs) -> Result<Target, Failure> {
    Ok(args.target.clone())
}

#[cfg(feature = "defects")]
fn target(args: &SubjectArgs) -> Result<Target, Failure> {
    match (&args.target, args.defect) {
        (target, None) => Ok(target.clone()),
        (Target::Reference { .. }, Some(defect)) => {
            Ok(Target::Reference { defects: sipae::defects::Defects::only(defect) })
        }
        (Target::ReferenceClient { .. }, Some(defect)) => {
            Ok(Target::ReferenceClient { defects: sipae::defects::Defects::only(defect) })
        }
        (target, Some(defect)) => {
            Err(Failure::Usage(format!("--defect {defect}: {target} is not the embedded reference")))
        }
    }
}
