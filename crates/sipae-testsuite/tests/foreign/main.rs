//! The reference and the suite against what others have written: gss-ntlmssp, MIT Kerberos, Kamailio. OpenSSL, which
//! is linked and not looked for, stands in the tests of `sipae-net` with its feature `legacy-tls`.
//!
//! Each trial is shown with its peer. Where the peer is absent it is ignored and says what is missing; with
//! `SIPAE_REQUIRE_PEERS=1` in the environment it fails.
//!
//! Those peers are set up by the environment, which belongs to the whole process: so each part runs in a process of its
//! own, this binary once more.

#[cfg(test)]
use std::io::Write as _;

#[cfg(test)]
mod digest;
#[cfg(test)]
mod kamailio;
#[cfg(test)]
mod kerberos;
#[cfg(test)]
mod library;
#[cfg(test)]
mod ntlm;
#[cfg(test)]
mod part;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod realm;
#[cfg(test)]
mod tickets;

#[cfg(test)]
fn main() -> std::process::ExitCode {
    let schemes = [ntlm::parts(), library::parts(), kerberos::parts(), tickets::parts(), digest::parts()];
    let parts: Vec<part::Part> = schemes.into_iter().flatten().collect();
    if let Some(name) = part::asked_for() {
        part::run_here(&parts, &name);
        return std::process::ExitCode::SUCCESS;
    }
    // The realms end with this function, after the last trial.
    let rigs = std::sync::Arc::new(part::Rigs::default());
    let trials = parts.iter().map(|part| part.trial(&rigs)).collect();
    let conclusion = libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials);
    if let Some(line) = peer::unconfirmed() {
        // Nobody is left to read it when this fails.
        let _unread = writeln!(std::io::stderr(), "{line}");
    }
    conclusion.exit_code()
}

#[cfg(not(test))]
fn main() {}
