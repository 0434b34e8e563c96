//! Kamailio as a server of Digest, on a port of its own in a folder of its own.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sipae::digest::Algorithm;
use sipae::message::{Limits, MessageStream};
use sipae_net::{Errors, Process};

use super::peer::program;

/// What it is called on the path.
pub(crate) const PROGRAM: &str = "kamailio";

/// The realm of its challenges.
pub(crate) const REALM: &str = "bob@contoso.com";
/// The password of every user.
pub(crate) const PASSWORD: &str = "123456";

const CONFIG: &str = include_str!("kamailio.cfg");
/// How long it may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Ports that are tried: another program may take one before Kamailio does.
const TRIES: usize = 3;

/// How long its nonces serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonces {
    /// With qop and a count that is checked.
    Counted,
    /// As it comes: no qop, and nonces that are made of the second.
    OfTime,
    /// For one request.
    Once,
}

impl Nonces {
    const fn settings(self) -> &'static str {
        match self {
            Self::Counted => "modparam(\"auth\", \"qop\", \"auth\")\nmodparam(\"auth\", \"nonce_count\", 1)",
            Self::OfTime => "",
            Self::Once => "modparam(\"auth\", \"qop\", \"auth\")\nmodparam(\"auth\", \"one_time_nonce\", 1)",
        }
    }
}

/// A running Kamailio. Dropping it ends it with its children, and removes its folder.
pub(crate) struct Kamailio {
    process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Kamailio {
    /// Starts one whose challenges have this algorithm, `MD5` or `SHA-256`.
    pub(crate) fn start(algorithm: Algorithm, nonces: Nonces) -> Self {
        let program = program(PROGRAM).expect("Kamailio is installed");
        let started = (0..TRIES).find_map(|_| Self::try_start(&program, algorithm, nonces));
        started.expect("Kamailio starts")
    }

    fn try_start(program: &Path, algorithm: Algorithm, nonces: Nonces) -> Option<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let port = free_port().expect("a free port");
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sipae-kamailio-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let config = CONFIG.replace("@PORT@", &port.to_string()).replace("@ALGORITHM@", algorithm.name());
        let config = config.replace("@NONCES@", nonces.settings());
        fs::write(folder.join("kamailio.cfg"), config).expect("a file");
        let process = Process::start(&words(program, &folder), Errors::Keep).expect("a process");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut started = Self { process, address, folder };
        started.is_up().then_some(started)
    }

    /// Whether it is the one that answers on its port.
    fn is_up(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.process.wait(Duration::from_millis(20)).is_some() {
                return false;
            }
            if let Ok(mut connection) = self.connect()
                && let Ok(answer) = connection.ask(PROBE)
            {
                return String::from_utf8_lossy(&answer).contains("\r\nServer: kamailio");
            }
        }
        false
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> io::Result<Connection> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection { socket, stream: MessageStream::new(Limits::DEFAULT) })
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.process.end();
        let _left_behind = fs::remove_dir_all(&self.folder);
    }
}

/// A connection over which one message follows another.
pub(crate) struct Connection {
    socket: TcpStream,
    stream: MessageStream,
}

impl Connection {
    pub(crate) fn say(&mut self, octets: &[u8]) -> io::Result<()> {
        self.socket.write_all(octets)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, octets: &[u8]) -> io::Result<Vec<u8>> {
        self.say(octets)?;
        let mut buffer = [0; 4096];
        loop {
            let next = self.stream.next_message().map_err(io::Error::other)?;
            if let Some(message) = next {
                return Ok(message.octets().to_vec());
            }
            match self.socket.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => self.stream.push(&buffer[..length]),
            }
        }
    }
}

const PROBE: &[u8] = b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n\
    Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKprobe\r\n\
    Max-Forwards: 70\r\n\
    From: <sip:probe@contoso.com>;tag=1\r\n\
    To: <sip:127.0.0.1>\r\n\
    Call-ID: probe\r\n\
    CSeq: 1 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";

/// In the foreground, so that it and its children stay in one process group.
fn words(program: &Path, folder: &Path) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let config = text(&folder.join("kamailio.cfg"));
    let folder = text(folder);
    let options = ["-DD", "-E", "-m", "16", "-M", "4", "-w", &folder, "-Y", &folder, "-f", &config];
    [text(program)].into_iter().chain(options.map(str::to_owned)).collect()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
