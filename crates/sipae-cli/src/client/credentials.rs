//! What `sipae client` needs for each of its schemes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sipae::client::{AnonymousConfig, ClientConfig, ProxyAccount, TlsDskCredentials};
use sipae::clock::{Entropy, Time};
use sipae::defects::Defects;
use sipae::kerberos::{Ccache, Key, Mint, Principal, ServiceKey, ServiceTicket};
use sipae_conformance::client::reference_anonymous;
use sipae_conformance::profile::{self, ProfileUser, reference_keys};
use sipae_net::{
    Authority, OsEntropy, TestKey, TlsDskEngine, TlsDskIdentity, TlsDskProvider, TlsDskSettings, Validity,
    system_time,
};

use crate::args::{Answered, CredentialArgs};
use crate::output::Failure;
use crate::schemes::text;

/// The host of the reference server, whose test key everybody has.
const REFERENCE_HOST: &str = "server.contoso.com";

/// Gives the client what it needs for the named schemes, or for all that there is something for. Who is not a test
/// account gets no test credentials, unless somebody asks for them.
pub(super) fn settle(
    args: &CredentialArgs,
    user: &ProfileUser,
    is_test: bool,
    config: &mut ClientConfig,
) -> Result<(), Failure> {
    let wants = |scheme, has| if args.scheme.is_empty() { has } else { args.scheme.contains(&scheme) };
    if wants(Answered::Kerberos, is_test || args.keytab.is_some() || args.ccache.is_some()) {
        config.ticket = Some(ticket(args, user)?);
    }
    if wants(Answered::TlsDsk, is_test || args.certificate.is_some()) {
        config.tls_dsk = Some(certificate(args, user)?);
    }
    if !wants(Answered::Ntlm, true) {
        // A client without a name does not answer NTLM; the other schemes bring names of their own.
        config.user.clear();
    }
    let own = args.proxy_user.clone().zip(args.proxy_password.clone());
    let own = own.or_else(|| is_test.then(|| (user.user.clone(), user.password.clone())));
    config.proxy = own.map(|(user, password)| ProxyAccount { user, password });
    Ok(())
}

/// The conference that is joined without an account, where that is what the client is for.
pub(super) fn conference(args: &CredentialArgs) -> Result<Option<AnonymousConfig>, Failure> {
    let wrong = |argument: &str, why: &str| Err(Failure::Usage(format!("{argument}: {why}")));
    if !args.scheme.contains(&Answered::Digest) {
        return match args.conference {
            Some(_) => wrong("--conference", "it is joined with --scheme digest"),
            None => Ok(None),
        };
    }
    let others = [
        ("--keytab", args.keytab.is_some()),
        ("--ccache", args.ccache.is_some()),
        ("--certificate", args.certificate.is_some()),
        ("--proxy-user", args.proxy_user.is_some()),
    ];
    if let Some((argument, _)) = others.into_iter().find(|(_, is_given)| *is_given) {
        return wrong(argument, "a conference is joined without it");
    }
    if 1 < args.scheme.len() {
        return wrong("--scheme", "a client of a conference answers Digest and nothing else");
    }
    Ok(Some(match args.conference.as_deref().zip(args.pin.as_deref()) {
        Some((conference, pin)) => AnonymousConfig::new(conference, pin),
        None => reference_anonymous(Defects::NONE),
    }))
}

fn ticket(args: &CredentialArgs, user: &ProfileUser) -> Result<ServiceTicket, Failure> {
    if let Some(file) = &args.ccache {
        return cached(file);
    }
    let (argument, keys) = match &args.keytab {
        Some(file) => ("--keytab", profile::keytab("--keytab", file).map_err(Failure::Usage)?),
        None => ("--scheme", reference_keys(REFERENCE_HOST)),
    };
    // Encryption types are in order, the strongest first.
    let strongest = keys.iter().filter(|key| is_sip(&key.principal)).min_by_key(|key| key.key.etype());
    let key = strongest
        .ok_or_else(|| Failure::Usage(format!("{argument}: no key of a service of the form sip/host")))?;
    mint(key, user, system_time()).map_err(|error| Failure::Usage(format!("{argument}: {error}")))
}

fn is_sip(service: &Principal) -> bool {
    service.name().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sip/"))
}

fn mint(
    key: &ServiceKey,
    user: &ProfileUser,
    now: Time,
) -> Result<ServiceTicket, sipae::kerberos::KerberosError> {
    let entropy: &mut dyn Entropy = &mut OsEntropy;
    let client = Principal::user(&user.user, &key.principal.realm);
    let session_key = Key::random(key.key.etype(), entropy);
    let mut mint = Mint::new(client, key.principal.clone(), session_key, now);
    mint.kvno = key.kvno;
    // A server whose clock is somewhat behind must not take the ticket for one of the future.
    let hour_ago = Time(now.0.saturating_sub(u64::try_from(HOUR.as_millis()).unwrap_or_default()));
    (mint.auth_time, mint.start) = (hour_ago, hour_ago);
    mint.mint(&key.key, entropy)
}

const HOUR: Duration = Duration::from_hours(1);

/// The ticket for a SIP service that is good for longest.
fn cached(file: &Path) -> Result<ServiceTicket, Failure> {
    let octets = fs::read(file).map_err(|source| Failure::File { file: file.to_owned(), source })?;
    let wrong = |problem: String| Failure::Usage(format!("--ccache: {}: {problem}", file.display()));
    let cache = Ccache::read(&octets).map_err(|error| wrong(error.to_string()))?;
    let tickets = cache.tickets.into_iter().filter(|ticket| is_sip(&ticket.service));
    let longest = tickets.max_by_key(|ticket| ticket.end);
    longest.ok_or_else(|| wrong("no ticket for a service of the form sip/host (kvno gets one)".to_owned()))
}

fn certificate(args: &CredentialArgs, user: &ProfileUser) -> Result<TlsDskCredentials, Failure> {
    let (argument, identity, trusted) = match (&args.certificate, &args.key, &args.ca) {
        (Some(certificate), Some(key), Some(ca)) => {
            let identity = TlsDskIdentity { certificates: text(certificate)?, key: text(key)? };
            (format!("--certificate: {}", certificate.display()), identity, text(ca)?)
        }
        _ => {
            let test = || {
                let authority = Authority::test()?;
                let identity = authority.user(&user.address, Validity::FOR_EVER, TestKey::P256)?;
                Ok((identity, authority.certificate().to_owned()))
            };
            let wrong = |error: sipae::tlsdsk::TlsDskError| Failure::Usage(format!("--scheme: {error}"));
            let (identity, trusted) = test().map_err(wrong)?;
            ("--scheme".to_owned(), identity, trusted)
        }
    };
    let settings = TlsDskSettings::new(TlsDskEngine::Rustls, Some(identity), &trusted);
    let provider =
        TlsDskProvider::new(&settings).map_err(|error| Failure::Usage(format!("{argument}: {error}")))?;
    // An association may outlive the certificate of a user here: the server sees to it.
    Ok(TlsDskCredentials { provider: Arc::new(provider), not_after: Validity::FOR_EVER.not_after })
}
