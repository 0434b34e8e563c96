//! `sipae serve`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use sipae::auth::ChallengeKind;
use sipae::ntlm::NegotiateFlags;
use sipae::server::ServerConfig;
use sipae::version::Version;
use sipae_conformance::profile::{ProfileUser, TimerDurations, one_line, read_text};
use sipae_conformance::target::{accounts, is_host, reference_config};
use sipae_events::ExitCode;
use sipae_net::{Host, HostEvent, ServerIdentity, serve_pipes};

use crate::args::{Challenge, ServeArgs};
use crate::control;
use crate::output::{Failure, forgive_closed_pipe};
use crate::provisioning::{self, Running};
use crate::{schemes, tls};

pub(crate) fn serve(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let mut config = config(args)?;
    let identity = tls::identity(args)?;
    // It ends with the server.
    let provisioning = provisioning::start(args, identity.as_ref(), &mut config)?;
    if args.stdio {
        return serve_stdio(args, config);
    }
    serve_socket(args, config, identity, provisioning.as_ref().map(Running::uri).as_deref())
}

/// The standard output is the client's: nothing but SIP is written there.
fn serve_stdio(args: &ServeArgs, config: ServerConfig) -> Result<ExitCode, Failure> {
    let log = args.verbose.then(Log::start);
    let served = serve_pipes(config, io::stdin(), io::stdout(), |event| tell(log.as_ref(), event));
    served.map_err(Failure::Served)?;
    Ok(ExitCode::Passed)
}

fn serve_socket(
    args: &ServeArgs,
    config: ServerConfig,
    identity: Option<ServerIdentity>,
    sts_uri: Option<&str>,
) -> Result<ExitCode, Failure> {
    let durations = TimerDurations::from(config.durations);
    let failed = |source| Failure::Listen { address: args.listen.clone(), source };
    let users: Vec<String> = config.accounts.iter().map(|account| account.address.clone()).collect();
    let schemes: Vec<&str> = config.offers().iter().map(|offer| offer.scheme.name()).collect();
    let scheme = if identity.is_some() { "tls" } else { "tcp" };
    let listen = args.listen.as_str();
    let host = match identity {
        Some(identity) => Host::listen_tls(listen, config, identity),
        None => Host::listen(listen, config),
    };
    let host = host.map_err(failed)?;
    let host = host.with_clock_offset(args.clock_offset);
    let address = host.address().map_err(failed)?;
    let certificates = sts_uri.map(|uri| format!(", certificates from {uri}")).unwrap_or_default();
    let line = format!(
        "{scheme}://{address}  {} version {}, users {}{certificates}",
        schemes.join(", "),
        args.offer,
        users.join(", ")
    );
    if args.control {
        // Nobody is left to read it when this fails.
        let _unread = writeln!(io::stderr(), "{line}");
        control::listen(host.control(), address, durations).map_err(Failure::Served)?;
    } else {
        let told = writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
        forgive_closed_pipe(told).map_err(Failure::Report)?;
    }
    let log = args.verbose.then(Log::start);
    host.run(|event| tell(log.as_ref(), event)).map_err(Failure::Served)?;
    Ok(ExitCode::Passed)
}

fn tell(log: Option<&Log>, event: &HostEvent) {
    if let Some(log) = log {
        log.tell(shown(event));
    }
}

/// Lines for the standard error, written by a thread of their own. Dropping it lets the thread write what waits, for a
/// moment.
struct Log {
    /// Gone only while it is dropped.
    lines: Option<SyncSender<String>>,
    /// Ends when the thread does.
    written: Receiver<()>,
}

impl Log {
    fn start() -> Self {
        const LINES: usize = 1024;
        let (sender, receiver) = mpsc::sync_channel::<String>(LINES);
        let (writing, written) = mpsc::sync_channel(0);
        // Without a thread there is no log; the server goes on.
        let _writer = thread::Builder::new().spawn(move || {
            let _writing: SyncSender<()> = writing;
            for line in receiver {
                if writeln!(io::stderr(), "{line}").is_err() {
                    return;
                }
            }
        });
        Self { lines: Some(sender), written }
    }

    /// A log that nobody reads stops no server: what it cannot take is left out.
    fn tell(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _full = lines.try_send(line);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        const MOMENT: Duration = Duration::from_secs(1);
        self.lines = None;
        let _written = self.written.recv_timeout(MOMENT);
    }
}

fn config(args: &ServeArgs) -> Result<ServerConfig, Failure> {
    if !is_host(&args.host) {
        return Err(Failure::Usage(format!(
            "--host: {:?} is neither a host name nor an IP address",
            args.host
        )));
    }
    let version = Version::from_number(args.offer).unwrap_or(Version::V4);
    let mut config = match &args.users {
        Some(file) => ServerConfig::new(&args.host, version, accounts(users(file)?)),
        None => ServerConfig { host: args.host.clone(), ..reference_config(version) },
    };
    config.kind = match args.challenge {
        Challenge::Www => ChallengeKind::Www,
        Challenge::Proxy => ChallengeKind::Proxy,
    };
    config.durations = args.timers.unwrap_or_default().applied_to(config.durations);
    schemes::settle(args, &mut config)?;
    schemes::write_credentials(args, &config)?;
    if args.legacy_signatures {
        config.flags = config.flags.without(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    }
    Ok(config)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserFile {
    user: Vec<ProfileUser>,
}

/// The accounts of a file.
fn users(file: &Path) -> Result<Vec<ProfileUser>, Failure> {
    let text = read_text(file).map_err(|source| Failure::File { file: file.to_owned(), source })?;
    let wrong = |problem: String| Failure::Usage(format!("{}: {problem}", file.display()));
    let read: UserFile = toml::from_str(&text).map_err(|error| wrong(one_line(&text, &error)))?;
    for (place, user) in read.user.iter().enumerate() {
        user.check(&format!("user {}", place + 1)).map_err(wrong)?;
    }
    distinct(&read.user).map_err(wrong)?;
    if read.user.is_empty() { Err(wrong("user: the list is empty".to_owned())) } else { Ok(read.user) }
}

/// Whatever a client may call itself belongs to one account: name and domain, or an address, or a name that needs no
/// domain. Which password holds would be left to chance otherwise.
fn distinct(users: &[ProfileUser]) -> Result<(), String> {
    let mut known = HashMap::new();
    for (place, user) in (1..).zip(users) {
        for (key, name) in
            [("user", user.name()), ("address", user.address.clone()), ("user", user.user.clone())]
        {
            if let Some(first) = known.insert(name.to_lowercase(), place).filter(|first| *first != place) {
                return Err(format!("user {place}.{key}: user {first} is called {name} already"));
            }
        }
    }
    Ok(())
}

fn shown(event: &HostEvent) -> String {
    use sipae::server::ServerEvent;
    match event {
        HostEvent::Connected(connection) => format!("{} connected", connection.0),
        HostEvent::NoTls(connection, problem) => format!("{} no TLS: {problem}", connection.0),
        HostEvent::Disconnected(connection) => format!("{} disconnected", connection.0),
        HostEvent::Server(ServerEvent::Established { user, endpoint }) => {
            format!("{user} established a security association as {}", endpoint.address)
        }
        HostEvent::Server(ServerEvent::Refused { connection, violation }) => {
            format!("{} {violation}", connection.0)
        }
        HostEvent::Server(ServerEvent::Joined { caller, conference }) => {
            format!("{caller} joined {conference}")
        }
        HostEvent::Server(ServerEvent::Expired { count }) => format!("{count} security associations expired"),
    }
}
