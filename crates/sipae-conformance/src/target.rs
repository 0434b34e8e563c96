//! Naming a target.

mod command;
mod connector;
mod object;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener};
use std::str::FromStr;
use std::sync::Arc;

use sipae::auth::{ChallengeKind, Scheme};
use sipae::defects::Defects;
use sipae::kerberos::Acceptor;
use sipae::server::{Account, Accounts, Conference, ServerConfig, TlsDskService};
use sipae::version::Version;
pub use sipae_gen::Mode;
use sipae_net::{TlsClient, TlsError};
use sipae_spec::Role;

use crate::client::{self, ClientConnector, ClientObjects};
use crate::codec::{Asked, CodecProcess, OpenError};
use crate::profile::{Profile, ProfileUser, REFERENCE_HOST, TimerDurations, reference_keys};

pub use command::Command;
pub use connector::Connector;
use connector::{Memory, Nowhere, Objects, Pipes, Tcp, Tls};
pub use object::{CodecObjects, ServerObjects};

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The reference server in this process, one for each version.
    Reference {
        /// Its planted bug, if any.
        defects: Defects,
    },
    /// A server on TCP.
    Tcp {
        /// Host and port.
        address: String,
    },
    /// A server on TLS.
    Tls {
        /// Host and port.
        address: String,
    },
    /// A program that speaks SIP on its standard input and output; each connection is one that is started for it.
    Pipe(Command),
    /// A program that answers operations on its standard input and output.
    Codec(Command),
    /// A server of this process, made anew for each time that a script is played.
    Server(ServerObjects),
    /// A codec of this process.
    CodecObject(CodecObjects),
    /// The reference client in this process, one for each conversation.
    ReferenceClient {
        /// Its planted bug, if any.
        defects: Defects,
    },
    /// A client of this process, made anew for each conversation.
    Client(ClientObjects),
    /// Clients that connect to the suite.
    Listen {
        /// Whether over TLS.
        tls: bool,
        /// Host and port where the suite listens; port 0 where the system is to choose.
        address: String,
        /// What starts a client, a new one for each conversation; somebody else does where it is absent.
        exec: Option<Command>,
    },
    /// A client that speaks SIP on its standard input and output, started anew for each conversation.
    ListenPipe(Command),
}

/// Scheme and version, and the kind of challenge where it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Scheme and version.
    pub mode: Mode,
    /// 401 or 407; `None` where the target decides.
    pub kind: Option<ChallengeKind>,
}

impl Setting {
    /// Proxies challenge with old versions of NTLM alone: what is particular to a scheme shows with 401 as well.
    fn is_of_use(&self) -> bool {
        let is_proxy = self.kind == Some(ChallengeKind::Proxy);
        self.mode.scheme == Scheme::Ntlm || self.mode.version == Version::V4 || !is_proxy
    }
}

/// A text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Another form.
    #[error(
        "{0:?} is no target: use ref, tcp://host:port, tls://host:port, pipe:COMMAND, codec:COMMAND, or listen: and an address or pipe:COMMAND for clients"
    )]
    Form(String),
    /// `pipe:` or `codec:` and no command.
    #[error("{0:?} is no target: a command is missing, or a quotation mark in it")]
    Command(String),
    /// `tcp://` or `tls://` without host or port.
    #[error(
        "{0:?} is no target: tcp:// and tls:// need a host (IPv6 in brackets) and a port from 1 to 65535, or 0 with --exec"
    )]
    Address(String),
}

/// The schemes under test that have versions, in the order of the run. Digest comes after them.
const SCHEMES: [Scheme; 3] = [Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk];

/// Digest has no versions; one has to stand there.
pub const DIGEST: Mode = Mode { scheme: Scheme::Digest, version: Version::V4 };

impl Target {
    /// The embedded reference.
    pub const REFERENCE: Self = Self::Reference { defects: Defects::NONE };

    /// The embedded reference client.
    pub const REFERENCE_CLIENT: Self = Self::ReferenceClient { defects: Defects::NONE };

    /// What is tested one after the other: each version with each kind of challenge where the target has them all, each
    /// version as the target challenges it else.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let kinds: &[Option<ChallengeKind>] = match self {
            Self::Reference { .. } => &[Some(ChallengeKind::Www), Some(ChallengeKind::Proxy)],
            Self::Tcp { .. } | Self::Tls { .. } | Self::Pipe(_) | Self::Server(_) => &[None],
            Self::ReferenceClient { .. } | Self::Client(_) | Self::Listen { .. } | Self::ListenPipe(_) => {
                &[None]
            }
            // It has no associations.
            Self::Codec(_) | Self::CodecObject(_) => &[],
        };
        // The newest first: what a server without NTLM is told is told of that.
        let mut versions = Version::ALL;
        if self.is_one_server() {
            versions.reverse();
        }
        let modes = SCHEMES.into_iter().flat_map(|scheme| versions.map(|version| Mode { scheme, version }));
        let settings = modes.flat_map(|mode| kinds.iter().map(move |kind| Setting { mode, kind: *kind }));
        let digest = kinds.first().map(|kind| Setting { mode: DIGEST, kind: *kind });
        settings.filter(Setting::is_of_use).chain(digest).collect()
    }

    /// Whether all settings are those of one server, so that what is learnt at one holds for the others.
    #[must_use]
    pub const fn is_one_server(&self) -> bool {
        !matches!(self, Self::Reference { .. })
    }

    /// Whether it is an object of this process, for which time passes as it is told to.
    #[must_use]
    pub const fn is_in_memory(&self) -> bool {
        matches!(
            self,
            Self::Reference { .. } | Self::Server(_) | Self::ReferenceClient { .. } | Self::Client(_)
        )
    }

    /// Whether it is a server that listens somewhere.
    #[must_use]
    pub const fn has_address(&self) -> bool {
        matches!(self, Self::Tcp { .. } | Self::Tls { .. })
    }

    /// Whether clients connect to the suite.
    #[must_use]
    pub const fn listens(&self) -> bool {
        matches!(self, Self::Listen { .. })
    }

    /// Whether it is a client whose lines are read: those of its standard output, or of its standard error where it speaks
    /// SIP there. What somebody else has started nobody reads.
    pub(crate) const fn writes(&self) -> bool {
        matches!(self, Self::Listen { exec: Some(_), .. } | Self::ListenPipe(_))
    }

    /// Whether it is named without a port: with port 0, which whoever starts it finds out.
    #[must_use]
    pub fn lacks_port(&self) -> bool {
        match self {
            Self::Tcp { address } | Self::Tls { address } => address.ends_with(":0"),
            _ => false,
        }
    }

    /// A server named without a port, at the address where it listens.
    #[must_use]
    pub fn found_at(&self, found: Option<SocketAddr>) -> Self {
        match (self, found.filter(|_| self.lacks_port())) {
            (Self::Tcp { .. }, Some(found)) => Self::Tcp { address: found.to_string() },
            (Self::Tls { .. }, Some(found)) => Self::Tls { address: found.to_string() },
            _ => self.clone(),
        }
    }

    /// Whether it is on this machine, where floods and oversized input disturb nobody else.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp { address } | Self::Tls { address } => {
                let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            _ => true,
        }
    }

    /// How long its timers are, where that is known.
    #[must_use]
    pub fn durations(&self, profile: &Profile) -> Option<TimerDurations> {
        match self {
            Self::Reference { .. } => Some(TimerDurations::of_reference()),
            Self::Server(objects) => objects.durations().map(TimerDurations::from),
            _ => profile.durations,
        }
    }

    /// The versions that are known to be claimed: all by the reference, those of the profile by a server.
    #[must_use]
    pub fn claimed(&self, profile: &Profile) -> Option<Vec<Version>> {
        match self {
            Self::Reference { .. } => Some(profile.versions.clone().unwrap_or(Version::ALL.to_vec())),
            _ => profile.versions.clone(),
        }
    }

    /// What makes ways to the target: the files that TLS needs are read here, once, and each way costs little.
    ///
    /// # Errors
    /// When the settings for TLS cannot be used.
    pub fn connector(&self, profile: &Profile) -> Result<Arc<dyn Connector>, TlsError> {
        Ok(match self {
            Self::Reference { defects } => Arc::new(Memory { defects: *defects }),
            Self::Tcp { address } => Arc::new(Tcp { address: address.clone() }),
            Self::Tls { address } => {
                Arc::new(Tls { address: address.clone(), client: TlsClient::new(&profile.tls)? })
            }
            Self::Pipe(command) => Arc::new(Pipes { command: command.clone() }),
            Self::Server(objects) => Arc::new(Objects { objects: objects.clone() }),
            _ => Arc::new(Nowhere(format!("{self} is no server"))),
        })
    }

    /// What makes ways to a client; none where this is another target.
    ///
    /// # Errors
    /// When nobody can listen there, or the settings for TLS cannot be used.
    pub fn client(&self, profile: &Profile) -> Option<Result<Arc<dyn ClientConnector>, String>> {
        Some(match self {
            Self::ReferenceClient { defects } => Ok(Arc::new(client::Reference { defects: *defects })),
            Self::Client(objects) => Ok(Arc::new(client::Objects { objects: objects.clone() })),
            Self::Listen { tls, address, exec } => listen(*tls, address, exec.as_ref(), profile),
            Self::ListenPipe(command) => {
                let facts = client::Facts::new(profile, "pipe");
                let crash_codes = profile.client.crash_codes.clone();
                Ok(Arc::new(client::Pipes { command: command.clone(), facts, crash_codes }))
            }
            _ => return None,
        })
    }

    /// The same client with what starts it.
    #[must_use]
    pub fn started_by(self, words: &[String]) -> Self {
        match self {
            Self::Listen { tls, address, .. } => {
                Self::Listen { tls, address, exec: Some(Command::of(words)) }
            }
            other => other,
        }
    }

    /// The role in which it is tested.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Codec(_) | Self::CodecObject(_) => Role::Codec,
            Self::ReferenceClient { .. } | Self::Client(_) | Self::Listen { .. } | Self::ListenPipe(_) => {
                Role::Client
            }
            _ => Role::Server,
        }
    }

    /// Why a connection knows nothing of another one, where that is so.
    #[must_use]
    pub fn isolates(&self, profile: &Profile) -> Option<&'static str> {
        let is_isolating = matches!(self, Self::Pipe(_)) && !profile.shared;
        is_isolating.then_some(
            "each connection is a program of its own (target.shared in the profile: they share state)",
        )
    }

    /// Whether a crash in one case is the end of all others.
    pub(crate) const fn is_lost_by_a_crash(&self) -> bool {
        !matches!(self, Self::Pipe(_) | Self::Server(_))
    }

    /// Reaches a codec; none where this is another target.
    pub(crate) fn codec(&self, profile: &Profile) -> Option<Result<Box<dyn Asked>, OpenError>> {
        match self {
            Self::Codec(command) => {
                let opened = CodecProcess::start(command.words(), profile.answer_timeout);
                Some(opened.map(|codec| Box::new(codec) as Box<dyn Asked>))
            }
            Self::CodecObject(objects) => Some(Ok(Box::new(objects.make()))),
            _ => None,
        }
    }

    /// The same for whoever cannot stop any more: settings that cannot be used show in the first attempt to connect.
    pub(crate) fn ways(&self, profile: &Profile) -> Arc<dyn Connector> {
        self.connector(profile).unwrap_or_else(|error| Arc::new(Nowhere(error.to_string())))
    }
}

/// Where clients connect. A socket of a certain port stays open from one conversation to the next; so does one that
/// somebody has been told of.
fn listen(
    tls: bool,
    address: &str,
    exec: Option<&Command>,
    profile: &Profile,
) -> Result<Arc<dyn ClientConnector>, String> {
    let identity = if tls { Some(profile.client.identity(address)?) } else { None };
    let is_chosen = address.ends_with(":0") && exec.is_some();
    let failed = |error: std::io::Error| format!("cannot listen at {address}: {error}");
    let listener = (!is_chosen).then(|| TcpListener::bind(address)).transpose().map_err(failed)?;
    let at = listener.as_ref().map(TcpListener::local_addr).transpose().map_err(failed)?;
    let transport = if tls { "tls" } else { "tcp" };
    Ok(Arc::new(client::Sockets {
        address: at.map_or_else(|| address.to_owned(), |at| at.to_string()),
        listener,
        identity,
        command: exec.cloned(),
        facts: client::Facts::new(profile, transport),
        is_controlled: profile.client.control,
        conversations: profile.client.conversations,
        kept: Arc::default(),
        crash_codes: profile.client.crash_codes.clone(),
    }))
}

/// What the reference server needs for TLS-DSK: a certificate of the authority of the tests. It is made once.
#[cfg(feature = "tls")]
fn reference_tls_dsk() -> Option<TlsDskService> {
    static SERVICE: std::sync::LazyLock<Option<TlsDskService>> = std::sync::LazyLock::new(|| {
        let authority = sipae_net::Authority::test().ok()?;
        authority.service(REFERENCE_HOST, sipae_net::TlsDskEngine::Rustls).ok()
    });
    SERVICE.clone()
}

#[cfg(not(feature = "tls"))]
const fn reference_tls_dsk() -> Option<TlsDskService> {
    None
}

/// The configuration of the embedded reference server, and of `sipae serve` without a file of users. It offers every
/// scheme.
#[must_use]
pub fn reference_config(version: Version) -> ServerConfig {
    let profile = Profile::of_reference();
    let users = [profile.user].into_iter().chain(profile.sacrificial).chain(profile.peers);
    let conferences = vec![reference_conference(), reference_closed_conference()];
    ServerConfig {
        conferences,
        schemes: Scheme::SIGNING.to_vec(),
        kerberos: Some(Acceptor::new(reference_keys(REFERENCE_HOST))),
        tls_dsk: reference_tls_dsk(),
        ..ServerConfig::new(REFERENCE_HOST, version, accounts(users))
    }
}

/// The conference of the embedded reference server, whose key is a test value.
#[must_use]
pub fn reference_conference() -> Conference {
    Conference::new("alice@contoso.com", "TEST0001", "test-key-of-conference")
}

/// The conference of the embedded reference server that admits nobody without an account.
#[must_use]
pub fn reference_closed_conference() -> Conference {
    let conference = Conference::new("alice@contoso.com", "TEST0002", "test-key-of-closed-conference");
    Conference { admits_anonymous: false, ..conference }
}

/// Accounts of a server with these users.
#[must_use]
pub fn accounts(users: impl IntoIterator<Item = ProfileUser>) -> Accounts {
    let account = |user: ProfileUser| Account {
        user: user.user,
        domain: user.domain,
        password: user.password,
        address: user.address,
        tel: None,
    };
    Accounts::new(users.into_iter().map(account).collect())
}

/// Whether a text names a host: labels of letters, digits, hyphens and underscores, or an IP address. Nothing else is
/// safe in a header field.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_reference = bare.is_some_and(|bare| bare.parse::<Ipv6Addr>().is_ok());
    let is_address = text.parse::<IpAddr>().is_ok() || is_reference;
    is_address || is_host_name(text)
}

/// The same without IPv6.
pub(crate) fn is_host_name(text: &str) -> bool {
    const LONGEST: usize = 253;
    let is_part = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    text.len() <= LONGEST && text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_part))
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        match text {
            "ref" => return Ok(Self::REFERENCE),
            "listen:ref" => return Ok(Self::REFERENCE_CLIENT),
            _ => {}
        }
        let commands = [
            ("codec:", Self::Codec as fn(Command) -> Self),
            ("pipe:", Self::Pipe),
            ("listen:pipe:", Self::ListenPipe),
        ];
        for (prefix, target) in commands {
            if let Some(command) = text.strip_prefix(prefix) {
                return Command::split(command)
                    .map(target)
                    .ok_or_else(|| TargetError::Command(text.to_owned()));
            }
        }
        let (scheme, address) = text.split_once("://").unwrap_or_default();
        let listen = |tls| Self::Listen { tls, address: address.to_owned(), exec: None };
        let target = match scheme {
            "listen:tcp" => listen(false),
            "listen:tls" => listen(true),
            "tcp" => Self::Tcp { address: address.to_owned() },
            "tls" => Self::Tls { address: address.to_owned() },
            _ => return Err(TargetError::Form(text.to_owned())),
        };
        let (host, port) = address.rsplit_once(':').unwrap_or_default();
        let is_usable =
            port.parse::<u16>().is_ok() && (is_host_name(host) || address.parse::<SocketAddrV6>().is_ok());
        if is_usable { Ok(target) } else { Err(TargetError::Address(text.to_owned())) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference { .. } => f.write_str("ref"),
            Self::Tcp { address } => write!(f, "tcp://{address}"),
            Self::Tls { address } => write!(f, "tls://{address}"),
            Self::Pipe(command) => write!(f, "pipe:{command}"),
            Self::Codec(command) => write!(f, "codec:{command}"),
            Self::Server(objects) => f.write_str(objects.name()),
            Self::CodecObject(objects) => f.write_str(objects.name()),
            Self::ReferenceClient { .. } => f.write_str("listen:ref"),
            Self::Client(objects) => f.write_str(objects.name()),
            Self::Listen { tls: false, address, .. } => write!(f, "listen:tcp://{address}"),
            Self::Listen { tls: true, address, .. } => write!(f, "listen:tls://{address}"),
            Self::ListenPipe(command) => write!(f, "listen:pipe:{command}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_and_shown_in_one_form() {
        for text in [
            "ref",
            "tcp://127.0.0.1:5060",
            "tcp://[::1]:5060",
            "tcp://[fe80::1%2]:5060",
            "tcp://server.contoso.com:1",
            "tcp://lab_1:5060",
            "tls://[::1]:5061",
            "tls://server.contoso.com:5061",
            "pipe:./server --stdio",
            "codec:./codec --all",
            "codec:python3 'my codec.py'",
        ] {
            assert_eq!(text.parse::<Target>().map(|target| target.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_target_without_a_port_is_found_where_it_listens() {
        let found = Some("127.0.0.1:4711".parse().expect("an address"));
        for (named, reached) in [
            ("tcp://127.0.0.1:0", "tcp://127.0.0.1:4711"),
            ("tls://localhost:0", "tls://127.0.0.1:4711"),
            ("tcp://127.0.0.1:10", "tcp://127.0.0.1:10"),
            ("ref", "ref"),
        ] {
            let target = named.parse::<Target>().expect("a target");
            assert_eq!(target.found_at(found).to_string(), reached);
            assert_eq!(target.found_at(None), target);
        }
    }

    #[test]
    fn a_text_that_is_no_target_says_what_is_one() {
        for text in [
            "",
            "udp://x:1",
            "tls://x",
            "tls://::1:5061",
            "tcp://",
            "tcp://host",
            "tcp://host:99999",
            "tcp://a/b:1",
            "tcp://u@127.0.0.1:5",
            "tcp://::1:5",
            "tcp://[x]:5",
            "tcp://a b:5",
            "tcp://a..b:5",
            "tcp://host:1\r\n",
            "host:1",
            "codec:",
            "codec:  ",
            "codec:a 'b",
        ] {
            let error = text.parse::<Target>().expect_err("no target").to_string();
            assert!(error.contains("tcp://") || error.contains("command"), "{error}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_ip_address() {
        for text in ["server.contoso.com", "lab_1", "127.0.0.1", "::1", "[2001:db8::1]"] {
            assert!(is_host(text), "{text}");
        }
        let long = "a.".repeat(127) + "a";
        for text in ["", ".", "a..b", "a\"b\r\nX: y", "a b", "a:5060", "[127.0.0.1]", "é.com", long.as_str()]
        {
            assert!(!is_host(text), "{text:?}");
        }
    }
}
