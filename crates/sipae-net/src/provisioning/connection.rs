//! One client over its socket: octets in and out, each within its time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::http::{Incoming, Reader, Refused, Response};
use super::service::Service;
use crate::ServerIdentity;
use crate::layer::Layer;
use crate::tls::HANDSHAKE_TIMEOUT;

const CHUNK: usize = 16 * 1024;
/// An answer fits into the buffers of a connection: who takes none of it for this long has gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long, and how far, a client that was refused is listened to, so that it gets to read why.
const LINGER: (Duration, usize) = (Duration::from_millis(500), 1024 * 1024);

pub(super) struct Connection {
    socket: TcpStream,
    layer: Layer,
    service: Arc<Service>,
    patience: Duration,
}

/// What comes of waiting for a request.
enum Waited {
    Octets(Vec<u8>),
    Closed,
    Late,
}

impl Connection {
    pub(super) fn new(
        socket: TcpStream,
        identity: Option<&ServerIdentity>,
        service: Arc<Service>,
        patience: Duration,
    ) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let layer = match identity {
            Some(identity) => Layer::Tls(Arc::new(identity.session().map_err(io::Error::other)?)),
            None => Layer::Plain,
        };
        Ok(Self { socket, layer, service, patience })
    }

    /// Serves until either side has had enough.
    pub(super) fn serve(self) {
        match self.layer.begin(&self.socket, self.patience.min(HANDSHAKE_TIMEOUT)) {
            // A client that goes away has gone, whatever it leaves behind.
            Ok(()) => drop(self.answer_all()),
            Err(problem) => self.service.note_failure(None, &problem.to_string()),
        }
        let _already_closed = self.socket.shutdown(Shutdown::Both);
    }

    fn answer_all(&self) -> io::Result<()> {
        let mut reader = Reader::default();
        reader.push(&self.layer.hear(&[]).octets);
        while self.answer_next(&mut reader)? {}
        self.write(&self.layer.farewell())
    }

    /// Answers the next request; tells whether to expect another one.
    fn answer_next(&self, reader: &mut Reader) -> io::Result<bool> {
        let deadline = Instant::now() + self.patience;
        loop {
            match reader.next() {
                Ok(Incoming::Request(request)) => {
                    let response = self.service.answer(&request);
                    self.say(&response.octets(request.keeps_alive, request.is_head))?;
                    return Ok(request.keeps_alive);
                }
                Ok(Incoming::AwaitsContinue) => self.say(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                Ok(Incoming::Partial) => match self.wait(deadline)? {
                    Waited::Octets(octets) => reader.push(&octets),
                    Waited::Closed if reader.is_idle() => return Ok(false),
                    Waited::Closed => {
                        self.service.note_failure(None, "the connection ends within a request");
                        return Ok(false);
                    }
                    Waited::Late if reader.is_idle() => return Ok(false),
                    Waited::Late => return self.refuse(&Refused::LATE).map(|()| false),
                },
                Err(refused) => return self.refuse(&refused).map(|()| false),
            }
        }
    }

    fn refuse(&self, refused: &Refused) -> io::Result<()> {
        self.service.note_failure(Some(refused.status), refused.reason);
        let response = Response::text(refused.status, refused.reason);
        self.say(&response.octets(false, false))?;
        self.linger()
    }

    /// A socket that is closed while octets wait to be read takes back what was written.
    fn linger(&self) -> io::Result<()> {
        self.write(&self.layer.farewell())?;
        self.socket.shutdown(Shutdown::Write)?;
        let (patience, mut rest) = LINGER;
        let deadline = Instant::now() + patience;
        let mut chunk = vec![0; CHUNK];
        while let Some(length) =
            self.read(&mut chunk, deadline)?.filter(|length| 0 < *length && *length < rest)
        {
            rest -= length;
        }
        Ok(())
    }

    /// What the client says next.
    fn wait(&self, deadline: Instant) -> io::Result<Waited> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let heard = match self.read(&mut chunk, deadline)? {
                None => return Ok(Waited::Late),
                Some(0) => return Ok(Waited::Closed),
                Some(length) => self.layer.hear(chunk.get(..length).unwrap_or_default()),
            };
            if !heard.octets.is_empty() {
                return Ok(Waited::Octets(heard.octets));
            }
            if heard.end.is_some() {
                return Ok(Waited::Closed);
            }
        }
    }

    /// How much was read; `None`: nothing by the deadline.
    fn read(&self, chunk: &mut [u8], deadline: Instant) -> io::Result<Option<usize>> {
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(remaining))?;
            match (&self.socket).read(chunk) {
                Ok(length) => return Ok(Some(length)),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn say(&self, octets: &[u8]) -> io::Result<()> {
        self.write(&self.layer.say(octets)?)
    }

    fn write(&self, octets: &[u8]) -> io::Result<()> {
        (&self.socket).write_all(octets)
    }
}

/// The deadline says how long to go on.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
