//! One connection over a pair of pipes, such as the standard input and output.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use sipae::server::{ConnectionId, ServerConfig};

use super::outbox::Sink;
use super::{BACKLOG, BEHIND, Client, Happening, HostEvent, Serving, hear};
use crate::layer::Layer;

/// Serves the one client behind `input` and `output` until its input ends, or the server closes the connection. What
/// has been answered until then is written before this returns, unless the client does not take it. `on_event` hears
/// what happens; nothing secret is in it.
///
/// A thread may stay behind that waits for `input`, or for `output` to be taken: pipes cannot be shut from this side.
///
/// # Errors
/// When the system gives no threads.
pub fn serve_pipes(
    config: ServerConfig,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    on_event: impl FnMut(&HostEvent),
) -> io::Result<()> {
    let (sender, receiver) = mpsc::sync_channel(BACKLOG);
    let (writing, written) = mpsc::sync_channel(0);
    let mut serving = Serving::new(config, None, sender.clone(), on_event);
    let connection = serving.next_connection();
    let sink = Output { output, connection, sender: sender.clone(), _writing: writing };
    let client = Client::piped(sink, &serving.token)?;
    thread::Builder::new().spawn(move || hear(connection, &Layer::Plain, input, &sender))?;
    serving.admit(connection, client);
    while serving.serves(connection) && serving.step(&receiver)?.is_continue() {}
    if serving.clients.contains_key(&connection) {
        // It was cut off, and is not waited for.
        serving.end(connection);
        return Ok(());
    }
    drop(receiver);
    // Nothing is ever sent: the channel ends with the thread that writes.
    let _written = written.recv_timeout(BEHIND);
    Ok(())
}

/// The way to the client. When the server closes the connection, or the client has gone, this says so in place of the
/// thread that reads: nobody can wake that one.
struct Output<W> {
    output: W,
    connection: ConnectionId,
    sender: SyncSender<Happening>,
    /// Tells by its end that nothing is written any more.
    _writing: SyncSender<()>,
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl<W: Write + Send + 'static> Sink for Output<W> {
    fn close(&mut self) {
        // Fails when the input has ended first.
        let _ended = self.sender.send(Happening::Ended(self.connection));
    }
}
