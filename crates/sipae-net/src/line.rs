//! What the wires to other processes have in common: a thread for each connection that reads, one bounded channel for
//! what comes, and a bounded patience with what goes.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use sipae::server::ConnectionId;

use crate::Arrival;
use crate::layer::Layer;

/// What is sent is small; a target that does not take it is not waited for.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// Arrivals that wait to be looked at; behind them the target has to wait.
pub(crate) const BACKLOG: usize = 256;

/// Where everything arrives that the connections of a wire hear.
#[derive(Debug)]
pub(crate) struct Inbox {
    sender: SyncSender<Arrival>,
    receiver: Receiver<Arrival>,
    next: u64,
}

impl Inbox {
    /// An inbox of a wire without connections.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::sync_channel(BACKLOG);
        Self { sender, receiver, next: 0 }
    }

    /// Listens to a new connection, in a thread that ends with it or with the inbox.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn listen(
        &mut self,
        layer: Layer,
        reader: impl Read + Send + 'static,
    ) -> io::Result<ConnectionId> {
        let (connection, sender) = (ConnectionId(self.next + 1), self.sender.clone());
        let tell = move |what| sender.send(Arrival { connection, what }).is_ok();
        thread::Builder::new().spawn(move || layer.listen(reader, tell))?;
        self.next += 1;
        Ok(connection)
    }

    /// The next thing that arrives within `patience`.
    pub(crate) fn receive(&self, patience: Duration) -> Option<Arrival> {
        self.receiver.recv_timeout(patience).ok()
    }
}

/// What a target has not taken in time: it goes before whatever comes next, so that no message is torn.
#[derive(Debug, Default)]
pub(crate) struct Unsent(Vec<u8>);

impl Unsent {
    /// Whether the target has taken everything.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends what waits and then what `say` gives, which is not asked before its turn.
    ///
    /// # Errors
    /// When the target has not taken it in time; what it has not taken waits.
    pub(crate) fn send(
        &mut self,
        mut writer: impl Write,
        say: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<()> {
        self.flush(&mut writer)?;
        self.0 = say()?;
        self.flush(&mut writer)
    }

    /// The time-out of the writer is no bound for a target that takes an octet now and then.
    fn flush(&mut self, writer: &mut impl Write) -> io::Result<()> {
        let begun = Instant::now();
        while !self.0.is_empty() {
            if SEND_TIMEOUT < begun.elapsed() {
                return Err(ErrorKind::TimedOut.into());
            }
            match writer.write(&self.0) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => drop(self.0.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
