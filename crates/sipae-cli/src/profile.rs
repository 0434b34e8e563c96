//! `sipae profile`.

use std::collections::BTreeSet;
use std::path::Path;

use sipae_conformance::credentials::Tickets;
use sipae_conformance::profile::{DigestPlace, Profile, ProfileUser, SCHEMA, TimerDurations};
use sipae_events::ExitCode;
use sipae_net::TlsRoots;

use crate::args::{ProfileArgs, ProfileCommand};
use crate::output::{Failure, tell};

pub(crate) fn profile(args: &ProfileArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        ProfileCommand::Schema => tell(SCHEMA),
        ProfileCommand::Check { file } => tell(&meaning(file, &Profile::load(file)?)),
    }
}

/// What a profile says, a line for each of its tables. Passwords are no part of it.
fn meaning(file: &Path, profile: &Profile) -> String {
    if !profile.has_user {
        let operations = operations(profile);
        return format!("{} is a profile of a codec\n  {:<12}{operations}\n", file.display(), "operations");
    }
    let lines = [
        ("user", account(&profile.user)),
        ("peers", peers(&profile.peers)),
        ("sacrificial", sacrificial(profile)),
        ("schemes", schemes(profile)),
        ("versions", versions(profile)),
        ("Kerberos", kerberos(profile)),
        ("TLS-DSK", tls_dsk(profile)),
        ("Digest", digest(profile)),
        ("patience", format!("an answer may take {} ms", profile.answer_timeout.as_millis())),
        ("timers", timers(profile.durations)),
        ("TLS", tls(profile)),
    ];
    let lines: String = lines.iter().map(|(name, text)| format!("  {name:<12}{text}\n")).collect();
    format!("{} is a profile\n{lines}", file.display())
}

fn operations(profile: &Profile) -> String {
    match &profile.operations {
        Some(claimed) => format!("{} must be answered", claimed.join(", ")),
        None => "none has to be answered".to_owned(),
    }
}

fn account(user: &ProfileUser) -> String {
    format!("{}, {}", user.name(), user.address)
}

fn peers(peers: &[ProfileUser]) -> String {
    let accounts: Vec<String> = peers.iter().map(account).collect();
    if accounts.is_empty() {
        "none: cases that need a second user are blocked".to_owned()
    } else {
        accounts.join("; ")
    }
}

fn sacrificial(profile: &Profile) -> String {
    match &profile.sacrificial {
        None => "none: cases that need wrong passwords are blocked".to_owned(),
        Some(user) => format!("{}; at most {} failed logons in a run", account(user), profile.failed_logons),
    }
}

fn schemes(profile: &Profile) -> String {
    let Some(schemes) = &profile.schemes else { return "whatever the target offers is tested".to_owned() };
    let names: Vec<&str> = schemes.iter().map(|scheme| scheme.name()).collect();
    format!("{} are tested", names.join(", "))
}

fn kerberos(profile: &Profile) -> String {
    match &profile.tickets {
        None => "no credentials: it is not tested".to_owned(),
        Some(Tickets::Granted(cache)) => format!("the tickets in {}", cache.file().display()),
        Some(Tickets::Minted(keys)) => {
            let services: BTreeSet<String> = keys.iter().map(|key| key.principal.to_string()).collect();
            format!("keys of {}", services.into_iter().collect::<Vec<_>>().join(", "))
        }
    }
}

fn digest(profile: &Profile) -> String {
    match &profile.digest {
        Some(DigestPlace::Conference(conference)) => format!("the anonymous join {}", conference.uri),
        Some(DigestPlace::Registrar) => "the user registers".to_owned(),
        None => "no conference and no registrar".to_owned(),
    }
}

fn tls_dsk(profile: &Profile) -> String {
    let Some(certificates) = &profile.certificates else {
        return "no credentials: it is not tested".to_owned();
    };
    match (certificates.can_issue(), certificates.has(&profile.user)) {
        (true, _) => "certificates of any kind are made".to_owned(),
        (false, true) => "the user has a certificate; cases that need other ones are blocked".to_owned(),
        (false, false) => "the user has no certificate: the handshake cannot work".to_owned(),
    }
}

fn versions(profile: &Profile) -> String {
    let Some(versions) = &profile.versions else { return "whatever the target offers is tested".to_owned() };
    let numbers: Vec<String> = versions.iter().map(|version| version.number().to_string()).collect();
    format!("{} must work, others are not tested", numbers.join(", "))
}

fn timers(durations: Option<TimerDurations>) -> String {
    let notes = durations.map(|durations| durations.notes()).unwrap_or_default();
    if notes.is_empty() { "none that a run waits for".to_owned() } else { notes.join("; ") }
}

fn tls(profile: &Profile) -> String {
    let options = &profile.tls;
    let checked = match &options.roots {
        TlsRoots::Unchecked => "certificates are not checked".to_owned(),
        TlsRoots::System => format!("the system's authorities are trusted, and {}", name(profile)),
        TlsRoots::Files(files) => {
            let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            format!("{} is trusted, and {}", files.join(", "), name(profile))
        }
    };
    let shown = options.identity.as_ref().map(|own| format!("; {} is shown", own.certificate.display()));
    format!("{checked}{}", shown.unwrap_or_default())
}

fn name(profile: &Profile) -> String {
    let name = profile.tls.server_name.as_ref();
    name.map_or_else(|| "the host of the target".to_owned(), |name| format!("the name {name}"))
}
