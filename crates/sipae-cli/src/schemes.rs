//! What `sipae serve` needs for each of its schemes.

use std::fs;
use std::path::Path;

use sipae::auth::Scheme;
use sipae::kerberos::{Acceptor, Keytab, ServiceKey};
use sipae::server::{ServerConfig, TlsDskService};
use sipae::tlsdsk::TlsDskError;
use sipae_conformance::profile::{self, Profile, ProfileConference, ProfileUser, read_text, reference_keys};
use sipae_net::{Authority, TestKey, TlsDskEngine, TlsDskIdentity, TlsDskProvider, TlsDskSettings, Validity};

use crate::args::{Engine, Offered, ServeArgs};
use crate::output::Failure;

impl Offered {
    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Ntlm => Scheme::Ntlm,
            Self::Kerberos => Scheme::Kerberos,
            Self::TlsDsk => Scheme::TlsDsk,
        }
    }
}

impl Engine {
    const fn library(self) -> TlsDskEngine {
        match self {
            Self::Rustls => TlsDskEngine::Rustls,
            Self::OpenSsl => TlsDskEngine::OpenSsl,
        }
    }
}

/// Which schemes are offered, with what they need.
pub(crate) fn settle(args: &ServeArgs, config: &mut ServerConfig) -> Result<(), Failure> {
    config.schemes = offered(args)?;
    let offers = |scheme| config.schemes.contains(&scheme);
    let (kerberos, tls_dsk) = (offers(Scheme::Kerberos), offers(Scheme::TlsDsk));
    config.kerberos = kerberos.then(|| keys(args)).transpose()?.map(Acceptor::new);
    config.tls_dsk = tls_dsk.then(|| service(args)).transpose()?;
    Ok(())
}

/// The named ones, or all that have what they need: the test credentials, which everybody has, are for the test accounts
/// unless somebody asks for them.
fn offered(args: &ServeArgs) -> Result<Vec<Scheme>, Failure> {
    let own = &args.schemes;
    let has = |scheme: &Scheme| match scheme {
        Scheme::Kerberos => args.users.is_none() || own.keytab.is_some(),
        Scheme::TlsDsk => args.users.is_none() || own.tls_dsk_certificate.is_some(),
        _ => true,
    };
    let Some(named) = &own.schemes else { return Ok(Scheme::SIGNING.into_iter().filter(has).collect()) };
    let schemes: Vec<Scheme> = named.iter().map(|offered| offered.scheme()).collect();
    let is_twice =
        |(place, scheme): &(usize, &Scheme)| schemes.iter().take(*place).any(|first| first == *scheme);
    match schemes.iter().enumerate().find(is_twice) {
        Some((_, scheme)) => Err(Failure::Usage(format!("--schemes: {scheme} is named twice"))),
        None => Ok(schemes),
    }
}

fn keys(args: &ServeArgs) -> Result<Vec<ServiceKey>, Failure> {
    let Some(file) = &args.schemes.keytab else { return Ok(reference_keys(&args.host)) };
    let keys = profile::keytab("--keytab", file).map_err(Failure::Usage)?;
    let service = format!("sip/{}", args.host);
    if keys.iter().any(|key| key.principal.name().eq_ignore_ascii_case(&service)) {
        return Ok(keys);
    }
    Err(Failure::Usage(format!("--keytab: {}: it has no key of {service} (--host NAME)", file.display())))
}

fn service(args: &ServeArgs) -> Result<TlsDskService, Failure> {
    let own = &args.schemes;
    let engine = own.tls_dsk_engine.library();
    let (Some(certificate), Some(key), Some(ca)) =
        (&own.tls_dsk_certificate, &own.tls_dsk_key, &own.tls_dsk_ca)
    else {
        return test_service(&args.host, engine)
            .map_err(|error| Failure::Usage(format!("--tls-dsk-engine: {error}")));
    };
    let identity = TlsDskIdentity { certificates: text(certificate)?, key: text(key)? };
    let settings = TlsDskSettings::new(engine, Some(identity), &text(ca)?);
    let provider = TlsDskProvider::new(&settings).map_err(|error| {
        let files = format!("{} with {} and {}", certificate.display(), key.display(), ca.display());
        Failure::Usage(format!("--tls-dsk-certificate: {files}: {error}"))
    })?;
    Ok(provider.service(&args.host))
}

fn test_service(host: &str, engine: TlsDskEngine) -> Result<TlsDskService, TlsDskError> {
    Authority::test()?.service(host, engine)
}

pub(crate) fn text(file: &Path) -> Result<String, Failure> {
    read_text(file).map_err(|source| Failure::File { file: file.to_owned(), source })
}

/// The file in the folder of [`write_credentials`] that trusts a certificate which signs itself.
pub(crate) const TLS_CERTIFICATE: &str = "tls.pem";

/// Writes what clients of the test accounts need, if that is asked for.
pub(crate) fn write_credentials(args: &ServeArgs, config: &ServerConfig) -> Result<(), Failure> {
    let Some(folder) = &args.schemes.write_test_credentials else { return Ok(()) };
    let written = |file: &Path, content: &[u8]| {
        fs::write(file, content).map_err(|source| Failure::File { file: file.to_owned(), source })
    };
    fs::create_dir_all(folder).map_err(|source| Failure::File { file: folder.clone(), source })?;
    for (name, content) in contents(args, config).map_err(|error| Failure::Usage(error.to_string()))? {
        written(&folder.join(name), &content)?;
    }
    Ok(())
}

fn contents(args: &ServeArgs, config: &ServerConfig) -> Result<Vec<(&'static str, Vec<u8>)>, TlsDskError> {
    let (authority, profile) = (Authority::test()?, Profile::of_reference());
    // An RSA key is good for every version of TLS.
    let user = authority.user(&profile.user.address, Validity::FOR_EVER, TestKey::Rsa)?;
    Ok(vec![
        ("service.keytab", Keytab::write(&reference_keys(&args.host))),
        ("authority.pem", authority.certificate().into()),
        ("authority.key", authority.key().into()),
        ("user.pem", user.certificates.into()),
        ("user.key", user.key.into()),
        ("profile.toml", profile_text(args, config, &profile).into()),
    ])
}

/// A profile that fits the server.
fn profile_text(args: &ServeArgs, config: &ServerConfig, profile: &Profile) -> String {
    let conference = profile.conference().filter(|_| !config.conferences.is_empty());
    let digest = conference.map(|_| Scheme::Digest);
    let schemes = config.schemes.iter().copied().chain(digest);
    let schemes: Vec<String> = schemes.map(|scheme| format!("\"{scheme}\"")).collect();
    let mut text = format!(
        "# Test credentials of the reference server, which everybody has.\n\n\
         [target]\nschemes = [{}]\nversions = [{}]\n\n\
         [kerberos]\nkeytab = \"service.keytab\"\n\n\
         [tls_dsk]\nca = \"authority.pem\"\nauthority = \"authority.pem\"\nauthority_key = \"authority.key\"\n",
        schemes.join(", "),
        args.offer,
    );
    if let Some(ProfileConference { uri, key, closed, .. }) = conference {
        text += &format!("\n[conference]\nuri = \"{uri}\"\nkey = \"{key}\"\n");
        text.extend(closed.iter().map(|closed| format!("closed = \"{closed}\"\n")));
    }
    if args.tls.tls && args.tls.certificate.is_none() {
        text += &format!("\n[tls]\nca = \"{TLS_CERTIFICATE}\"\n");
    }
    text += &account("[user]", &profile.user);
    text += "certificate = \"user.pem\"\nkey = \"user.key\"\n";
    if let Some(sacrificial) = &profile.sacrificial {
        text += &account("[sacrificial]", sacrificial);
        text += &format!("failed_logons = {}\n", profile.failed_logons);
    }
    profile.peers.iter().for_each(|peer| text += &account("[[peer]]", peer));
    text
}

fn account(table: &str, account: &ProfileUser) -> String {
    let ProfileUser { user, domain, password, address, .. } = account;
    format!(
        "\n{table}\nuser = \"{user}\"\ndomain = \"{domain}\"\npassword = \"{password}\"\naddress = \"{address}\"\n"
    )
}
