//! What a target claims, and the credentials to test it with.

mod ccache;
mod client;
mod digest;
mod kerberos;
mod schema;
mod tls;
mod tls_dsk;

use std::io::ErrorKind::InvalidData;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sipae::auth::Scheme;
use sipae::kerberos::{Acceptor, EncryptionType, Key, Principal, ServiceKey};
use sipae::sa::Durations;
use sipae::server::TlsDskService;
use sipae::version::Version;
use sipae_gen::Timer;
use sipae_net::{TlsDskIdentity, TlsOptions};
use sipae_vectors::Operation;
use toml::de::{DeTable, DeValue};

use crate::client::HomeConfig;
use crate::credentials::{Certificates, Tickets};

pub use client::ClientProfile;
pub use digest::{DigestPlace, ProfileConference};
pub use kerberos::keytab;
pub use schema::SCHEMA;

/// An account on the target.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileUser {
    /// Account name; `user@domain` with an empty domain is fine.
    pub user: String,
    /// Domain.
    #[serde(default)]
    pub domain: String,
    /// Password.
    #[serde(deserialize_with = "password")]
    pub password: String,
    /// Address-of-record without scheme, such as `alice@contoso.com`.
    pub address: String,
    /// Kerberos principal, where it is not the account name in the realm of the service.
    #[serde(default)]
    pub principal: Option<String>,
    /// File of the certificate for TLS-DSK, with those between it and an authority, in PEM.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// File of its private key, in PEM.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// What these files hold.
    #[serde(skip)]
    pub identity: Option<TlsDskIdentity>,
}

/// Reads a password without the error that would hold it: `password = 123456` is a mistake that happens.
fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map_err(|_| D::Error::custom("expected a string"))
}

/// Without the password.
impl std::fmt::Debug for ProfileUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProfileUser({})", self.name())
    }
}

impl ProfileUser {
    /// For messages: never the password.
    #[must_use]
    pub fn name(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }

    /// An account with a password and nothing else.
    #[must_use]
    pub fn new(user: &str, domain: &str, password: &str, address: &str) -> Self {
        let [user, domain, password, address] = [user, domain, password, address].map(str::to_owned);
        Self {
            user,
            domain,
            password,
            address,
            principal: None,
            certificate: None,
            key: None,
            identity: None,
        }
    }

    /// Reads the files of the account; `profile` is the file that names them, `key` what its table is called.
    ///
    /// # Errors
    /// Names key and file.
    pub fn load(&mut self, profile: &Path, key: &str) -> Result<(), String> {
        self.check(key)?;
        let (certificate, private) = (self.certificate.as_deref(), self.key.as_deref());
        self.identity = tls_dsk::identity(profile, key, certificate, private)?;
        Ok(())
    }

    /// Whether the account can be used; `key` is what its table is called.
    ///
    /// # Errors
    /// Names key and value.
    pub fn check(&self, key: &str) -> Result<(), String> {
        check_address(&format!("{key}.address"), &self.address)?;
        if let Some(Err(error)) = self.principal.as_ref().map(|text| text.parse::<Principal>()) {
            return Err(format!("{key}.principal: {error}"));
        }
        if self.user.is_empty() { Err(format!("{key}.user: the name is empty")) } else { Ok(()) }
    }
}

const fn default_failed_logons() -> u32 {
    3
}

/// How long the timers of a target are, as far as that is known. The specification's durations are hours: targets that
/// are to be tested over a clock that cannot be set shorten them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimerDurations {
    /// From establishment to the end.
    pub expiry: Option<Duration>,
    /// Without a verified message.
    pub idle: Option<Duration>,
    /// From a CHALLENGE to the end of the handshake.
    pub handshake: Option<Duration>,
    /// Until a connection that has not authenticated is closed.
    pub connection: Option<Duration>,
}

impl TimerDurations {
    /// Those of the reference: the specification's (docs/assumptions.md).
    #[must_use]
    pub fn of_reference() -> Self {
        Self::from(Durations::default())
    }

    /// A server's durations with those that are known in place of its own.
    #[must_use]
    pub fn applied_to(&self, durations: Durations) -> Durations {
        Durations {
            expiry: self.expiry.unwrap_or(durations.expiry),
            idle: self.idle.unwrap_or(durations.idle),
            handshake: self.handshake.unwrap_or(durations.handshake),
            connection: self.connection.unwrap_or(durations.connection),
            ..durations
        }
    }

    /// Those that a run can wait for; the others count as not known.
    #[must_use]
    pub fn that_can_be_waited_for(self) -> Self {
        let is_short = |time: &Duration| u64::try_from(time.as_millis()).is_ok_and(|ms| TIMER.contains(&ms));
        Self {
            expiry: self.expiry.filter(is_short),
            idle: self.idle.filter(is_short),
            handshake: self.handshake.filter(is_short),
            connection: self.connection.filter(is_short),
        }
    }

    /// Those that are known, and those of `others` else.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            expiry: self.expiry.or(others.expiry),
            idle: self.idle.or(others.idle),
            handshake: self.handshake.or(others.handshake),
            connection: self.connection.or(others.connection),
        }
    }

    /// How long that timer is.
    #[must_use]
    pub const fn of(&self, timer: Timer) -> Option<Duration> {
        match timer {
            Timer::Expiry => self.expiry,
            Timer::Idle => self.idle,
            Timer::Handshake => self.handshake,
            Timer::Connection => self.connection,
        }
    }

    /// For reports: how much shorter each known timer is than that of the specification, if any is.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let reference = Self::of_reference();
        if *self == reference {
            return Vec::new();
        }
        let timers = [Timer::Expiry, Timer::Idle, Timer::Handshake, Timer::Connection];
        let shortened = timers.into_iter().filter_map(|timer| {
            let (known, full) = (self.of(timer)?, reference.of(timer)?);
            let ratio = full.as_millis() / known.as_millis().max(1);
            Some(format!("{timer} timer of {} ms, 1:{ratio} of the specification's", known.as_millis()))
        });
        shortened.collect()
    }
}

/// All of them are known of a server of this process.
impl From<Durations> for TimerDurations {
    fn from(durations: Durations) -> Self {
        Self {
            expiry: Some(durations.expiry),
            idle: Some(durations.idle),
            handshake: Some(durations.handshake),
            connection: Some(durations.connection),
        }
    }
}

/// A profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Schemes that the target claims; `None`: whatever it offers.
    pub schemes: Option<Vec<Scheme>>,
    /// Versions that the target claims; `None`: whatever it offers.
    pub versions: Option<Vec<Version>>,
    /// The user under whom the cases run.
    pub user: ProfileUser,
    /// The account for wrong credentials; cases that need it are blocked without one.
    pub sacrificial: Option<ProfileUser>,
    /// Failed logons it may be given in one run.
    pub failed_logons: u32,
    /// Second users, to whom the first one sends; cases that need one are blocked without any. Several of them let
    /// such cases run side by side.
    pub peers: Vec<ProfileUser>,
    /// How long an answer may take before anything has been measured, and at most.
    pub answer_timeout: Duration,
    /// The target's timers, where they are so short that they can be waited for.
    pub durations: Option<TimerDurations>,
    /// How to speak TLS to a target on TLS.
    pub tls: TlsOptions,
    /// How to authenticate by Kerberos; without it that scheme is not tested.
    pub tickets: Option<Tickets>,
    /// How to authenticate by TLS-DSK; without it that scheme is not tested.
    pub certificates: Option<Certificates>,
    /// Where Digest is asked for; without it that scheme is not tested.
    pub digest: Option<DigestPlace>,
    /// Whether it names a user: without one it is for codecs, which have no accounts.
    pub has_user: bool,
    /// Whether the programs of a target behind a pipe share state, as those do that all speak to one server.
    pub shared: bool,
    /// Operations that a codec claims: of others it may say that it does not support them.
    pub operations: Option<Vec<String>>,
    /// What is known of a client under test.
    pub client: ClientProfile,
}

/// Why a profile cannot be used: one line that names file, key and value.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no profile.
    #[error("{}: {problem}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// Where and what.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    target: TargetTable,
    user: Option<ProfileUser>,
    sacrificial: Option<SacrificialTable>,
    #[serde(default)]
    peer: Vec<ProfileUser>,
    #[serde(default)]
    pace: PaceTable,
    durations: Option<DurationsTable>,
    #[serde(default)]
    tls: tls::Table,
    kerberos: Option<kerberos::Setting>,
    tls_dsk: Option<tls_dsk::Table>,
    conference: Option<ProfileConference>,
    digest: Option<digest::Table>,
    codec: Option<CodecTable>,
    client: Option<client::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodecTable {
    operations: Option<Vec<String>>,
}

impl CodecTable {
    fn check(&self) -> Result<(), String> {
        let is_known = |op: &&String| Operation::NAMES.contains(&op.as_str());
        match self.operations.iter().flatten().find(|op| !is_known(op)) {
            Some(unknown) => Err(format!("codec.operations: {unknown:?} is no operation")),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DurationsTable {
    expiry_ms: Option<u64>,
    idle_ms: Option<u64>,
    handshake_ms: Option<u64>,
    connection_ms: Option<u64>,
}

impl DurationsTable {
    fn read(self) -> Result<TimerDurations, String> {
        Ok(TimerDurations {
            expiry: timer("expiry_ms", self.expiry_ms)?,
            idle: timer("idle_ms", self.idle_ms)?,
            handshake: timer("handshake_ms", self.handshake_ms)?,
            connection: timer("connection_ms", self.connection_ms)?,
        })
    }
}

/// A timer that a run can wait for: long enough for what has to happen before it ends, short enough for patience.
const TIMER: std::ops::RangeInclusive<u64> = 500..=60_000;

fn timer(key: &str, value: Option<u64>) -> Result<Option<Duration>, String> {
    match value {
        Some(value) if !TIMER.contains(&value) => {
            Err(format!("durations.{key}: {value} is not in 500 to 60000"))
        }
        value => Ok(value.map(Duration::from_millis)),
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    schemes: Option<Vec<String>>,
    versions: Option<Vec<u32>>,
    #[serde(default)]
    shared: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SacrificialTable {
    user: String,
    #[serde(default)]
    domain: String,
    #[serde(deserialize_with = "password")]
    password: String,
    address: String,
    principal: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    #[serde(default = "default_failed_logons")]
    failed_logons: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaceTable {
    #[serde(default = "default_answer_timeout")]
    answer_timeout_ms: u64,
}

impl Default for PaceTable {
    fn default() -> Self {
        Self { answer_timeout_ms: default_answer_timeout() }
    }
}

const fn default_answer_timeout() -> u64 {
    5000
}

const ANSWER_TIMEOUT: std::ops::RangeInclusive<u64> = 10..=120_000;

/// The text of a file that a user writes by hand. A larger one is some other file.
///
/// # Errors
/// When it cannot be read, is too large, or is no text.
pub fn read_text(file: &Path) -> std::io::Result<String> {
    String::from_utf8(read_octets(file)?)
        .map_err(|error| std::io::Error::new(InvalidData, error.utf8_error()))
}

/// The octets of a file that a profile names. A larger one is some other file.
pub(crate) fn read_octets(file: &Path) -> std::io::Result<Vec<u8>> {
    const LARGEST: u64 = 1024 * 1024;
    let mut octets = Vec::new();
    std::fs::File::open(file)?.take(LARGEST + 1).read_to_end(&mut octets)?;
    let is_too_large = u64::try_from(octets.len()).is_ok_and(|length| LARGEST < length);
    if is_too_large { Err(std::io::Error::other("larger than 1 MiB")) } else { Ok(octets) }
}

/// A file that a profile names, relative to the profile.
pub(crate) fn beside(profile: &Path, file: &Path) -> PathBuf {
    profile.parent().unwrap_or(Path::new("")).join(file)
}

/// The host of the embedded reference server.
pub(crate) const REFERENCE_HOST: &str = "server.contoso.com";

/// The keys of the service on a host of the reference: test credentials, which everybody has.
#[must_use]
pub fn reference_keys(host: &str) -> Vec<ServiceKey> {
    const TEST_KEY: &[u8; 32] = b"test key of the service, AES-256";
    let principal = Principal::service("sip", host, "CONTOSO.COM");
    let key = |etype: EncryptionType| {
        let octets = TEST_KEY.get(..etype.key_length()).unwrap_or_default();
        let key = Key::new(etype, octets).ok()?;
        Some(ServiceKey { principal: principal.clone(), kvno: 1, key })
    };
    EncryptionType::ALL.into_iter().filter_map(key).collect()
}

/// The reference trusts the authority of the tests, whose key everybody has. It is made once: a server in memory asks for
/// it each time that a script is played.
#[cfg(feature = "tls")]
fn reference_certificates() -> Option<Certificates> {
    static CERTIFICATES: std::sync::LazyLock<Option<Certificates>> = std::sync::LazyLock::new(|| {
        let authority = sipae_net::Authority::test().ok()?;
        let trusted = authority.certificate().to_owned();
        Some(Certificates::new(sipae_net::TlsDskEngine::Rustls, trusted, None).issued_by(authority))
    });
    CERTIFICATES.clone()
}

#[cfg(not(feature = "tls"))]
const fn reference_certificates() -> Option<Certificates> {
    None
}

/// The conferences of the reference, whose key is a test value.
fn reference_conference() -> ProfileConference {
    let open = crate::target::reference_conference();
    let closed = crate::target::reference_closed_conference();
    ProfileConference { uri: open.uri(), key: open.key, user: None, closed: Some(closed.uri()) }
}

/// As many as trials should run side by side where each has to wait for its answers.
const PEERS_OF_REFERENCE: [&str; 16] = [
    "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl", "laura", "mike",
    "nina", "oscar", "peggy", "rupert",
];

impl Profile {
    /// The accounts of the reference server: test credentials, published in the README.
    #[must_use]
    pub fn of_reference() -> Self {
        let user = |name: &str| {
            let (password, address) = (format!("test-password-of-{name}"), format!("{name}@contoso.com"));
            ProfileUser::new(name, "CONTOSO", &password, &address)
        };
        Self {
            schemes: None,
            versions: None,
            user: user("alice"),
            sacrificial: Some(user("mallory")),
            failed_logons: 1000,
            peers: PEERS_OF_REFERENCE.map(user).to_vec(),
            answer_timeout: Duration::from_millis(default_answer_timeout()),
            durations: None,
            tls: TlsOptions::default(),
            tickets: Some(Tickets::Minted(reference_keys(REFERENCE_HOST))),
            certificates: reference_certificates(),
            digest: Some(DigestPlace::Conference(reference_conference())),
            has_user: true,
            shared: false,
            operations: None,
            client: ClientProfile::of_reference(),
        }
    }

    /// Who the suite is for a client under test.
    #[must_use]
    pub fn home(&self) -> HomeConfig {
        let keys = match &self.tickets {
            Some(Tickets::Minted(keys)) => Some(Acceptor::new(keys.clone())),
            _ => None,
        };
        let service =
            self.certificates.as_ref().and_then(|certificates| certificates.service(&self.client.host));
        let sts_uri = self.client.sts_uri.clone();
        HomeConfig {
            realm: self.client.realm.clone(),
            host: self.client.host.clone(),
            user: self.user.clone(),
            kerberos: keys,
            tls_dsk: service.map(|service| match sts_uri {
                Some(sts_uri) => TlsDskService { sts_uri, ..service },
                None => service,
            }),
            conference: self.conference().cloned(),
            expires: 7200,
        }
    }

    /// Whether a scheme must be there: NTLM, or one that is named.
    #[must_use]
    pub fn claims(&self, scheme: Scheme) -> bool {
        match &self.schemes {
            Some(schemes) => schemes.contains(&scheme),
            None => scheme == Scheme::Ntlm,
        }
    }

    /// Whether credentials of any kind can be made for a scheme.
    #[must_use]
    pub fn can_mint(&self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::Kerberos => self.tickets.as_ref().is_some_and(Tickets::can_issue),
            Scheme::TlsDsk => self.certificates.as_ref().is_some_and(Certificates::can_issue),
            Scheme::Ntlm | Scheme::Digest => true,
            _ => false,
        }
    }

    /// Why a scheme is not tested: it is not among the named ones, or there are no credentials for it.
    #[must_use]
    pub fn disclaims(&self, scheme: Scheme) -> Option<String> {
        if self.schemes.as_ref().is_some_and(|schemes| !schemes.contains(&scheme)) {
            return Some("the profile does not claim this scheme".to_owned());
        }
        let missing = match scheme {
            Scheme::TlsDsk if self.certificates.is_none() => "[tls_dsk]",
            Scheme::Kerberos if self.tickets.is_none() => "[kerberos]",
            Scheme::Digest if self.digest.is_none() => "[conference]",
            _ => return None,
        };
        Some(format!("the profile has no credentials for it ({missing})"))
    }

    /// The conference that the anonymous join, if there is one.
    #[must_use]
    pub const fn conference(&self) -> Option<&ProfileConference> {
        match &self.digest {
            Some(DigestPlace::Conference(conference)) => Some(conference),
            _ => None,
        }
    }

    /// Whether the conference is that of the reference, whose key is a test value.
    pub(crate) fn has_test_conference(&self) -> bool {
        self.conference() == Some(&reference_conference())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is no profile.
    pub fn load(file: &Path) -> Result<Self, ProfileError> {
        let text = read_text(file);
        let text = text.map_err(|source| ProfileError::Unreadable { file: file.to_owned(), source })?;
        Self::parse(file, &text)
    }

    /// Reads the text of a profile; `file` is for errors.
    ///
    /// # Errors
    /// When it is no profile.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ProfileError> {
        let wrong = |problem| ProfileError::Content { file: file.to_owned(), problem };
        let read: File = toml::from_str(text).map_err(|error| wrong(one_line(text, &error)))?;
        read.codec.as_ref().map_or(Ok(()), CodecTable::check).map_err(wrong)?;
        let has_user = read.user.is_some();
        let mut user = match read.user {
            Some(user) => user,
            // A codec has no accounts.
            None if read.codec.is_some() => Self::of_reference().user,
            None => return Err(wrong("[user] is missing: who logs in".to_owned())),
        };
        user.load(file, "user").map_err(wrong)?;
        let failed_logons = read.sacrificial.as_ref().map_or(0, |table| table.failed_logons);
        let mut sacrificial = read.sacrificial.map(SacrificialTable::account);
        if let Some(account) = &mut sacrificial {
            account.load(file, "sacrificial").map_err(wrong)?;
        }
        let mut peers = read.peer;
        for (place, peer) in peers.iter_mut().enumerate() {
            peer.load(file, &format!("peer {}", place + 1)).map_err(wrong)?;
        }
        distinct(&user, sacrificial.as_ref(), &peers).map_err(wrong)?;
        let certificates = read.tls_dsk.map(|table| table.certificates(file)).transpose().map_err(wrong)?;
        if let Some(certificates) = &certificates {
            for (key, account) in named(&user, sacrificial.as_ref(), &peers) {
                tls_dsk::check(certificates, file, &key, account).map_err(wrong)?;
            }
        }
        let answer_timeout = read.pace.answer_timeout_ms;
        if !ANSWER_TIMEOUT.contains(&answer_timeout) {
            return Err(wrong(format!("pace.answer_timeout_ms: {answer_timeout} is not in 10 to 120000")));
        }
        Ok(Self {
            schemes: read.target.schemes.map(schemes).transpose().map_err(wrong)?,
            versions: read.target.versions.map(versions).transpose().map_err(wrong)?,
            user,
            failed_logons,
            sacrificial,
            peers,
            answer_timeout: Duration::from_millis(answer_timeout),
            durations: read.durations.map(DurationsTable::read).transpose().map_err(wrong)?,
            tls: read.tls.options(file).map_err(wrong)?,
            tickets: read.kerberos.map(|setting| setting.tickets(file)).transpose().map_err(wrong)?,
            certificates,
            digest: digest::place(read.conference, read.digest).map_err(wrong)?,
            has_user,
            shared: read.target.shared,
            operations: read.codec.and_then(|table| table.operations),
            client: read
                .client
                .map_or_else(|| Ok(ClientProfile::default()), |table| table.read(file))
                .map_err(wrong)?,
        })
    }
}

/// All accounts, with what their tables are called.
fn named<'p>(
    user: &'p ProfileUser,
    sacrificial: Option<&'p ProfileUser>,
    peers: &'p [ProfileUser],
) -> impl Iterator<Item = (String, &'p ProfileUser)> {
    std::iter::once(("user".to_owned(), user))
        .chain(sacrificial.map(|account| ("sacrificial".to_owned(), account)))
        .chain(peers.iter().enumerate().map(|(place, peer)| (format!("peer {}", place + 1), peer)))
}

/// No two accounts are the same: wrong passwords would go to the user, and what one user must not get would be its own.
fn distinct(
    user: &ProfileUser,
    sacrificial: Option<&ProfileUser>,
    peers: &[ProfileUser],
) -> Result<(), String> {
    let mut known: Vec<(String, &ProfileUser)> = Vec::new();
    for (key, account) in named(user, sacrificial, peers) {
        let same = |other: &ProfileUser| {
            other.address.eq_ignore_ascii_case(&account.address)
                || other.name().eq_ignore_ascii_case(&account.name())
        };
        if let Some((first, _)) = known.iter().find(|(_, other)| same(other)) {
            return Err(format!("{key}: it is the same account as {first}"));
        }
        known.push((key, account));
    }
    Ok(())
}

impl SacrificialTable {
    fn account(self) -> ProfileUser {
        ProfileUser {
            user: self.user,
            domain: self.domain,
            password: self.password,
            address: self.address,
            principal: self.principal,
            certificate: self.certificate,
            key: self.key,
            identity: None,
        }
    }
}

fn schemes(names: Vec<String>) -> Result<Vec<Scheme>, String> {
    if names.is_empty() {
        return Err("target.schemes: the list is empty".to_owned());
    }
    let scheme = |name: &String| Scheme::ALL.into_iter().find(|scheme| scheme.name() == name);
    let known = Scheme::ALL.map(Scheme::name).join(", ");
    let read = |name: String| scheme(&name).ok_or(format!("target.schemes: {name:?} is none of {known}"));
    names.into_iter().map(read).collect()
}

fn versions(numbers: Vec<u32>) -> Result<Vec<Version>, String> {
    let version =
        |number| Version::from_number(number).ok_or(format!("target.versions: {number} is not 2, 3 or 4"));
    if numbers.is_empty() {
        return Err("target.versions: the list is empty".to_owned());
    }
    numbers.into_iter().map(version).collect()
}

fn check_address(key: &str, address: &str) -> Result<(), String> {
    let is_address = address.split_once('@').is_some_and(|(user, host)| is_usable(user) && is_usable(host));
    if is_address { Ok(()) } else { Err(format!("{key}: \"{address}\" is not of the form user@host")) }
}

/// Whether a text can be a part of an address.
fn is_usable(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>\";@".contains(&octet))
}

/// A TOML error with the line and the key that it is about, but never a value: the text may hold passwords, in the
/// wrong place too. For every TOML file that a user writes.
#[must_use]
pub fn one_line(text: &str, error: &toml::de::Error) -> String {
    let message = without_value(error.message()).replace('\n', ", ");
    let Some(place) = error.span().map(|span| span.start) else { return message };
    let line = 1 + text.get(..place).unwrap_or_default().matches('\n').count();
    match key_at(text, place) {
        Some(key) => format!("line {line}: {key}: {message}"),
        None => format!("line {line}: {message}"),
    }
}

/// What serde says of a wrong value, without the value: of `invalid type: string "x", expected u32` the kind and what
/// was expected.
fn without_value(message: &str) -> String {
    let rest = ["invalid type: ", "invalid value: "].iter().find_map(|prefix| message.strip_prefix(prefix));
    let Some((found, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let kind = found.split(['`', '"']).next().unwrap_or_default().trim_end();
    let expected = if expected.starts_with("struct ") { "a table" } else { expected };
    format!("got {kind}, expected {expected}")
}

/// The key whose value is at this place: `pace.answer_timeout_ms`, or `user 2.password` in a list of tables.
fn key_at(text: &str, place: usize) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    key_in_table(table.get_ref(), place)
}

fn key_in_table(table: &DeTable<'_>, place: usize) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        let inner = key_in_value(value, place)?;
        Some(format!("{}{inner}", name.get_ref()))
    })
}

/// The rest of a key; empty for the value itself. The members of a table may stand outside its span.
fn key_in_value(value: &toml::Spanned<DeValue<'_>>, place: usize) -> Option<String> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => key_in_table(table, place).map(|key| format!(".{key}")),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            let inner = key_in_value(item, place)?;
            Some(format!(" {}{inner}", index + 1))
        }),
        _ => None,
    };
    inner.or_else(|| value.span().contains(&place).then(String::new))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const USER: &str = "[user]\nuser = \"a\"\npassword = \"secret\"\naddress = \"a@x\"\n";

    fn parse(text: &str) -> Result<Profile, String> {
        Profile::parse(Path::new("p.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_of_one_user_is_enough() {
        let profile = parse(USER).expect("a profile");
        assert_eq!((profile.user.name().as_str(), profile.versions), ("a", None));
        assert!(profile.sacrificial.is_none());
    }

    #[rstest]
    #[case("", "p.toml: [user] is missing: who logs in")]
    #[case("[user]\nuser = \"a\"\npasword = \"secret\"\n", "p.toml: line 3: unknown field `pasword`")]
    #[case("[user\n", "p.toml: line 1:")]
    #[case("[target]\nversions = [5]\n", "p.toml: target.versions: 5 is not 2, 3 or 4")]
    #[case("[target]\nversions = []\n", "p.toml: target.versions: the list is empty")]
    #[case("[pace]\nanswer_timeout_ms = 1\n", "p.toml: pace.answer_timeout_ms: 1 is not in 10 to 120000")]
    #[case(
        "[pace]\nanswer_timeout_ms = \"x\"\n",
        "p.toml: line 2: pace.answer_timeout_ms: got string, expected u64"
    )]
    #[case(
        "[target]\nversions = [\n4,\n\"x\"]\n",
        "p.toml: line 4: target.versions 2: got string, expected u32"
    )]
    #[case(
        "pace.answer_timeout_ms = -7\n",
        "p.toml: line 1: pace.answer_timeout_ms: got integer, expected u64"
    )]
    #[case("user = \"alice:secret\"\n", "p.toml: line 1: user: got string, expected a table")]
    #[case("[user]\nuser = \"a\"\npassword = 5ecret\n", "p.toml: line 3: ")]
    #[case("[client]\nstart_ms = 7\n", "p.toml: client.start_ms: 7 is not in 100 to 600000")]
    #[case("[client]\nstart_ms = -1\n", "p.toml: line 2: client.start_ms: got integer, expected u64")]
    #[case("[client]\nconversations = 0\n", "p.toml: client.conversations: a client has one at least")]
    #[case("[client]\nrealm = \"<\"\n", "p.toml: client.realm: \"<\" cannot stand in quotation marks")]
    #[case("[client]\nhost = \"a b\"\n", "p.toml: client.host: \"a b\" is no host name")]
    #[case(
        "[client]\nsts_uri = \"x\"\n",
        "p.toml: client.sts_uri: \"x\" does not begin with http:// or https://"
    )]
    #[case(
        "[client]\ncontrol = \"secret\"\n",
        "p.toml: line 2: client.control: got string, expected a boolean"
    )]
    #[case("[client]\ncertificate = \"c.pem\"\n", "p.toml: client.key: missing beside client.certificate")]
    #[case("[client]\nkey = \"k.pem\"\n", "p.toml: client.certificate: missing beside client.key")]
    #[case(
        "[client]\nfailure_codes = [1,\n\"secret\"]\n",
        "p.toml: line 3: client.failure_codes 2: got string, expected i32"
    )]
    #[case("[client]\npassword = \"secret\"\n", "p.toml: line 2: unknown field `password`")]
    fn an_error_is_one_line_with_file_and_place(#[case] head: &str, #[case] expected: &str) {
        let text =
            if head.is_empty() || head.contains("user") { head.to_owned() } else { format!("{head}{USER}") };
        let error = parse(&text).expect_err("no profile");
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains('\n') && !error.contains("secret"), "{error}");
    }

    #[rstest]
    #[case("123456789", "expected a string")]
    #[case("1234567.89", "expected a string")]
    #[case("1979-05-27", "expected a string")]
    #[case("[\"123456789\"]", "expected a string")]
    #[case("{ is = \"123456789\" }", "expected a string")]
    fn an_error_about_a_password_names_the_key_and_never_the_value(
        #[case] value: &str,
        #[case] problem: &str,
        #[values("user", "sacrificial")] table: &str,
    ) {
        let head = if table == "user" { "" } else { USER };
        let error =
            parse(&format!("{head}[{table}]\nuser = \"a\"\npassword = {value}\n")).expect_err("no profile");
        assert!(error.ends_with(&format!("{table}.password: {problem}")), "{error}");
        assert!(!error.contains("12345") && !error.contains("1979"), "{error}");
    }

    /// Wrong passwords that are meant for one account must not go to another.
    #[rstest]
    #[case("[sacrificial]", "sacrificial: it is the same account as user")]
    #[case("[[peer]]", "peer 1: it is the same account as user")]
    fn two_accounts_are_never_the_same(#[case] table: &str, #[case] problem: &str) {
        let again = format!("{USER}{table}\nuser = \"A\"\npassword = \"x\"\naddress = \"other@x\"\n");
        assert_eq!(parse(&again).map(drop), Err(format!("p.toml: {problem}")));
    }

    #[test]
    fn a_profile_is_shown_without_passwords() {
        let shown = format!("{:?}", Profile::of_reference());
        assert!(shown.contains("CONTOSO") && !shown.contains("test-password"), "{shown}");
    }
}
