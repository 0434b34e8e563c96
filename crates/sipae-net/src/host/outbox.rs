//! What waits to be taken by one client.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::layer::Layer;

/// Messages that may wait for one client.
const MESSAGES: usize = 256;
/// Octets that may wait for one client, whatever the number of messages.
const OCTETS: usize = 1024 * 1024;

/// Where the octets for a client go.
pub(super) trait Sink: Write + Send + 'static {
    /// Ends the connection; it may have ended already.
    fn close(&mut self);
}

impl Sink for TcpStream {
    fn close(&mut self) {
        let _already_closed = self.shutdown(Shutdown::Both);
    }
}

/// A queue with a thread that writes it to the client, so that a slow client costs nobody else anything.
///
/// Dropping it lets the thread write what waits and close the connection then.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: SyncSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// The client takes too little, or nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

impl Outbox {
    /// Starts to write to a connection. The client may be behind for `patience`; the thread keeps the token, so that
    /// its owner can count threads that still write when the rest of the connection has gone.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        sink: impl Sink,
        layer: Layer,
        patience: Duration,
        token: Arc<()>,
    ) -> io::Result<Self> {
        let (queue, messages) = mpsc::sync_channel(MESSAGES);
        let waiting = Arc::new(AtomicUsize::new(0));
        let behind_since = Instant::now();
        let writer =
            Writer { sink, layer, waiting: Arc::clone(&waiting), patience, behind_since, _token: token };
        thread::Builder::new().spawn(move || writer.run(&messages))?;
        Ok(Self { queue, waiting })
    }

    /// Leaves a message for the client; never waits.
    pub(super) fn push(&self, message: Vec<u8>) -> Result<(), Overflow> {
        let length = message.len();
        let before = self.waiting.fetch_add(length, Ordering::Relaxed);
        if OCTETS < before.saturating_add(length) {
            return Err(Overflow);
        }
        self.queue.try_send(message).map_err(|_| Overflow)
    }
}

/// The thread that writes.
struct Writer<S> {
    sink: S,
    layer: Layer,
    waiting: Arc<AtomicUsize>,
    patience: Duration,
    /// Since when there has always been something to write.
    behind_since: Instant,
    /// Counts the threads of the host; see [`Outbox::start`].
    _token: Arc<()>,
}

impl<S: Sink> Writer<S> {
    /// Writes until the outbox is dropped and empty or the client is too slow or gone; the reader notices the end.
    fn run(mut self, messages: &Receiver<Vec<u8>>) {
        while let Some(message) = self.next(messages) {
            if self.say(&message).is_err() {
                break;
            }
            self.waiting.fetch_sub(message.len(), Ordering::Relaxed);
        }
        let farewell = self.layer.farewell();
        let _already_closed = self.write(&farewell);
        self.sink.close();
    }

    fn next(&mut self, messages: &Receiver<Vec<u8>>) -> Option<Vec<u8>> {
        if let Ok(message) = messages.try_recv() {
            return Some(message);
        }
        let message = messages.recv().ok();
        self.behind_since = Instant::now();
        message
    }

    fn say(&mut self, message: &[u8]) -> io::Result<()> {
        let octets = self.layer.say(message)?;
        self.write(&octets)
    }

    /// The time-out of the socket is no bound for a client that takes an octet now and then.
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut rest = octets;
        while !rest.is_empty() {
            if self.patience < self.behind_since.elapsed() {
                return Err(ErrorKind::TimedOut.into());
            }
            match self.sink.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => rest = rest.get(length..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// An outbox and the client it writes to.
    fn outbox(patience: Duration) -> (Outbox, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (stream, _) = listener.accept().unwrap();
        (Outbox::start(stream, Layer::Plain, patience, Arc::default()).unwrap(), client)
    }

    #[test]
    fn what_waits_is_written_before_the_connection_is_closed() {
        let (outbox, mut client) = outbox(LONG);
        for message in ["one ", "two ", "three"] {
            outbox.push(message.into()).unwrap();
        }
        drop(outbox);
        let mut taken = String::new();
        client.read_to_string(&mut taken).unwrap();
        assert_eq!(taken, "one two three");
    }

    #[test]
    fn a_message_over_the_bound_is_an_overflow() {
        let (outbox, _client) = outbox(LONG);
        assert_eq!(outbox.push(vec![0; OCTETS + 1]), Err(Overflow));
    }

    #[test]
    fn octets_that_nobody_takes_are_bounded() {
        let (outbox, _client) = outbox(LONG);
        let accepted = (0..1024).take_while(|_| outbox.push(vec![0; OCTETS / 8]).is_ok()).count();
        assert!((8..1024).contains(&accepted), "{accepted}");
    }

    #[test]
    fn messages_that_nobody_takes_are_bounded() {
        let (outbox, _client) = outbox(LONG);
        outbox.push(vec![0; OCTETS - 10_000]).unwrap();
        let accepted = (0..1_000_000).take_while(|_| outbox.push(vec![0; 1]).is_ok()).count();
        assert!(accepted < 1_000_000, "{accepted}");
    }

    fn writer() -> (Writer<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (sink, _) = listener.accept().unwrap();
        let (waiting, behind_since, _token) = (Arc::default(), Instant::now(), Arc::default());
        let layer = Layer::Plain;
        (Writer { sink, layer, waiting, patience: Duration::ZERO, behind_since, _token }, client)
    }

    #[test]
    fn a_client_that_is_behind_for_too_long_gets_no_more() {
        let (mut writer, _client) = writer();
        thread::sleep(Duration::from_millis(2));
        assert_eq!(writer.write(b"late").unwrap_err().kind(), ErrorKind::TimedOut);
        writer.patience = LONG;
        writer.write(b"in time").unwrap();
    }

    #[test]
    fn a_client_has_caught_up_when_nothing_waits() {
        let (mut writer, _client) = writer();
        let (queue, messages) = mpsc::sync_channel(1);
        let begun = writer.behind_since;
        queue.send(vec![1]).unwrap();
        assert_eq!(writer.next(&messages), Some(vec![1]));
        assert_eq!(writer.behind_since, begun, "it was waiting");
        drop(queue);
        assert_eq!(writer.next(&messages), None);
        assert!(begun < writer.behind_since);
    }
}
