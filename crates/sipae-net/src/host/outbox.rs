//! What waits to be taken by one client.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

/// Messages that may wait for one client.
const MESSAGES: usize = 256;
/// Octets that may wait for one client, whatever the number of messages.
const OCTETS: usize = 1024 * 1024;

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
    /// Starts to write to a connection.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(stream: TcpStream) -> io::Result<Self> {
        let (queue, messages) = mpsc::sync_channel(MESSAGES);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&waiting);
        thread::Builder::new().spawn(move || write(stream, &messages, &counter))?;
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

/// Writes until the outbox is dropped and empty or the client is gone; the reader notices the end.
fn write(mut stream: TcpStream, messages: &Receiver<Vec<u8>>, waiting: &AtomicUsize) {
    for message in messages {
        if stream.write_all(&message).is_err() {
            break;
        }
        waiting.fetch_sub(message.len(), Ordering::Relaxed);
    }
    let _already_closed = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    /// An outbox and the client it writes to.
    fn outbox() -> (Outbox, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (stream, _) = listener.accept().unwrap();
        (Outbox::start(stream).unwrap(), client)
    }

    #[test]
    fn what_waits_is_written_before_the_connection_is_closed() {
        let (outbox, mut client) = outbox();
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
        let (outbox, _client) = outbox();
        assert_eq!(outbox.push(vec![0; OCTETS + 1]), Err(Overflow));
    }

    #[test]
    fn octets_that_nobody_takes_are_bounded() {
        let (outbox, _client) = outbox();
        let accepted = (0..1024).take_while(|_| outbox.push(vec![0; OCTETS / 8]).is_ok()).count();
        assert!(8 <= accepted && accepted < 1024, "{accepted}");
    }

    #[test]
    fn messages_that_nobody_takes_are_bounded() {
        let (outbox, _client) = outbox();
        outbox.push(vec![0; OCTETS - 10_000]).unwrap();
        let accepted = (0..1_000_000).take_while(|_| outbox.push(vec![0; 1]).is_ok()).count();
        assert!(accepted < 1_000_000, "{accepted}");
    }
}
