//! A realm of MIT Kerberos for once: on loopback, in a temporary folder, as whoever runs the tests.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use tempfile::TempDir;

use super::peer::program;

pub(crate) const REALM: &str = "CONTOSO.COM";
pub(crate) const SERVICE: &str = "sip/server.contoso.com";
/// Those whose tickets are in the folder.
const USERS: [&str; 2] = ["alice", "mallory"];

/// What has to be installed.
pub(crate) const PROGRAMS: [&str; 5] = ["kdb5_util", "kadmin.local", "krb5kdc", "kinit", "kvno"];

/// The keytab of the service.
pub(crate) const KEYTAB: &str = "keytab";
/// A keytab with the same name and version, and other keys.
pub(crate) const OTHER_KEYTAB: &str = "other.keytab";

/// How long a KDC may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// The encryption type of the service's key, and so of its tickets and their session keys (RFC 3961 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Etype {
    /// aes256-cts-hmac-sha1-96, 18.
    Aes256,
    /// aes128-cts-hmac-sha1-96, 17.
    Aes128,
    /// rc4-hmac, 23.
    Rc4,
}

impl Etype {
    pub(crate) const ALL: [Self; 3] = [Self::Aes256, Self::Aes128, Self::Rc4];

    /// The name in configuration files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "aes256-cts-hmac-sha1-96",
            Self::Aes128 => "aes128-cts-hmac-sha1-96",
            Self::Rc4 => "arcfour-hmac",
        }
    }

    /// The name in those of trials.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::Aes256 => "aes256",
            Self::Aes128 => "aes128",
            Self::Rc4 => "rc4",
        }
    }
}

/// Which encryption types MIT's library has to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// That of the service's key: otherwise two of MIT's agree on a better one for the sub-key (RFC 4537).
    One,
    /// All.
    All,
}

impl Offer {
    /// The configuration file.
    const fn conf(self) -> &'static str {
        match self {
            Self::One => "narrow.conf",
            Self::All => "wide.conf",
        }
    }
}

/// A KDC with its database, a keytab of the service and ticket caches of the users.
pub(crate) struct Realm {
    folder: TempDir,
    kdc: Child,
}

impl Realm {
    /// Makes a realm whose service has a key of one kind; users have keys of all.
    pub(crate) fn start(etype: Etype) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        configure(folder.path(), port, etype).map_err(|error| format!("configuration: {error}"))?;
        fill_database(folder.path(), etype)?;
        let kdc = start_kdc(folder.path())?;
        let realm = Self { folder, kdc };
        for user in USERS {
            realm.log_on(user)?;
        }
        Ok(realm)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// For a process that uses the library in this realm: alice's tickets, the service's keytab.
    pub(crate) fn environment(&self, offer: Offer) -> [(&'static str, OsString); 5] {
        let folder = self.folder();
        [
            ("KRB5_CONFIG", folder.join(offer.conf()).into()),
            ("KRB5CCNAME", ccache(folder, "alice").into()),
            ("KRB5_KTNAME", keytab(folder, KEYTAB).into()),
            ("KRB5RCACHEDIR", folder.into()),
            ("KRB5_TRACE", folder.join("trace").into()),
        ]
    }

    /// Gets tickets for the realm and the service; the first time this waits until the KDC answers.
    fn log_on(&self, user: &str) -> Result<(), String> {
        let began = Instant::now();
        let cache = ccache(self.folder(), user);
        loop {
            let said = kinit(self.folder(), &cache, user)?;
            if said.status.success() {
                break;
            }
            if PATIENCE < began.elapsed() {
                return Err(format!("kinit {user}: {}", String::from_utf8_lossy(&said.stderr)));
            }
            thread::sleep(Duration::from_millis(50));
        }
        succeed(self.folder(), Offer::One, "kvno", &["-c", &cache, SERVICE], "")
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        drop(self.kdc.kill());
        drop(self.kdc.wait());
    }
}

/// Puts a ticket of the KDC itself into a cache, and no other.
pub(crate) fn kinit(folder: &Path, cache: &str, user: &str) -> Result<Output, String> {
    run(folder, Offer::One, "kinit", &["-c", cache, user], &(password(user) + "\n"))
}

/// The ticket cache of a user, as the library calls it.
pub(crate) fn ccache(folder: &Path, user: &str) -> String {
    format!("FILE:{}", ccache_path(folder, user).display())
}

pub(crate) fn ccache_path(folder: &Path, user: &str) -> PathBuf {
    folder.join(format!("{user}.ccache"))
}

/// A keytab, as the library calls it.
pub(crate) fn keytab(folder: &Path, name: &str) -> String {
    format!("FILE:{}", folder.join(name).display())
}

pub(crate) fn password(user: &str) -> String {
    format!("{user}-secret")
}

/// A port that nothing uses on either transport; krb5kdc would share one with another KDC and say nothing.
fn free_port() -> io::Result<u16> {
    let mut last = None;
    for _ in 0..16 {
        let tcp = TcpListener::bind(("127.0.0.1", 0))?;
        let port = tcp.local_addr()?.port();
        match UdpSocket::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("none was tried")))
}

fn configure(folder: &Path, port: u16, etype: Etype) -> io::Result<()> {
    let all = Etype::ALL.map(Etype::name).join(" ");
    fs::write(folder.join(Offer::All.conf()), krb5_conf(port, &all))?;
    fs::write(folder.join(Offer::One.conf()), krb5_conf(port, etype.name()))?;
    fs::write(folder.join("kdc.conf"), kdc_conf(folder, port))
}

/// One relation a line: MIT takes no others, and says nothing.
fn krb5_conf(port: u16, etypes: &str) -> String {
    format!(
        "[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    allow_weak_crypto = true
    allow_rc4 = true
    permitted_enctypes = {etypes}
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .contoso.com = {REALM}
"
    )
}

fn kdc_conf(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    let salted = Etype::ALL.map(|etype| format!("{}:normal", etype.name())).join(" ");
    format!(
        "[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {REALM} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        supported_enctypes = {salted}
    }}
[logging]
    kdc = FILE:{folder}/kdc.log
"
    )
}

fn fill_database(folder: &Path, etype: Etype) -> Result<(), String> {
    succeed(folder, Offer::All, "kdb5_util", &["create", "-r", REALM, "-s", "-P", "master"], "")?;
    let mut commands = String::new();
    for user in USERS {
        let _ = writeln!(commands, "addprinc -pw {} {user}", password(user));
    }
    // Twice, since each time the key is another one.
    for keytab in [OTHER_KEYTAB, KEYTAB] {
        let _ = writeln!(commands, "addprinc -randkey -e {}:normal {SERVICE}", etype.name());
        let path: PathBuf = folder.join(keytab);
        let _ = writeln!(commands, "ktadd -k {} -norandkey {SERVICE}", path.display());
        if keytab == OTHER_KEYTAB {
            let _ = writeln!(commands, "delprinc -force {SERVICE}");
        }
    }
    succeed(folder, Offer::All, "kadmin.local", &["-r", REALM], &commands)?;
    // kadmin.local ends well whatever becomes of the commands.
    let missing = [OTHER_KEYTAB, KEYTAB].into_iter().find(|name| !folder.join(name).is_file());
    missing.map_or(Ok(()), |name| Err(format!("kadmin.local has not made {name}")))
}

fn start_kdc(folder: &Path) -> Result<Child, String> {
    let mut command = prepared(folder, Offer::All, "krb5kdc")?;
    command.args(["-n", "-r", REALM]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| format!("krb5kdc: {error}"))
}

fn succeed(folder: &Path, offer: Offer, name: &str, arguments: &[&str], input: &str) -> Result<(), String> {
    let output = run(folder, offer, name, arguments, input)?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn run(folder: &Path, offer: Offer, name: &str, arguments: &[&str], input: &str) -> Result<Output, String> {
    let told = |error: io::Error| format!("{name}: {error}");
    let mut command = prepared(folder, offer, name)?;
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(told)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that has not read all of it says itself why.
        drop(stdin.write_all(input.as_bytes()));
    }
    child.wait_with_output().map_err(told)
}

/// A program that knows this realm and no other.
fn prepared(folder: &Path, offer: Offer, name: &str) -> Result<Command, String> {
    let mut command = Command::new(program(name).ok_or_else(|| format!("{name} is not installed"))?);
    command
        .env("KRB5_CONFIG", folder.join(offer.conf()))
        .env("KRB5_KDC_PROFILE", folder.join("kdc.conf"))
        .env("KRB5RCACHEDIR", folder)
        .env("LC_ALL", "C");
    Ok(command)
}
