//! One JSON object per event and line.

use std::io::{self, Write};

use sipae_events::Event;

use crate::Writer;

/// Writes events as JSON lines.
#[derive(Debug)]
pub struct JsonLines<W>(pub W);

impl<W: Write> Writer for JsonLines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, event)?;
        self.0.write_all(b"\n")?;
        if matches!(event, Event::RunFinished(_)) { self.0.flush() } else { Ok(()) }
    }
}
