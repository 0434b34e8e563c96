//! One JSON object per event and line.

use std::io::{self, Write};

use sipae_events::Event;

use crate::Writer;

/// Writes events as JSON lines, each at once and as a whole, so that a run that is broken off leaves whole lines.
#[derive(Debug)]
pub struct JsonLines<W>(pub W);

impl<W: Write> Writer for JsonLines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.0.write_all(&line)?;
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use sipae_events::{CaseId, CaseStarted, Subject};

    use super::*;

    /// Keeps what is written apart from what is flushed.
    #[derive(Default)]
    struct Pipe {
        writes: Vec<Vec<u8>>,
        flushes: usize,
    }

    impl Write for Pipe {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.writes.push(octets.to_owned());
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushes += 1;
            Ok(())
        }
    }

    #[test]
    fn each_event_is_written_in_one_piece_and_flushed() {
        let event = Event::CaseStarted(CaseStarted {
            case: CaseId::new("3.3.5.1/bare-ack").unwrap(),
            subject: Subject::new("NTLM", 4),
        });
        let mut lines = JsonLines(Pipe::default());
        for count in 1..=3 {
            lines.event(&event).unwrap();
            assert_eq!((lines.0.writes.len(), lines.0.flushes), (count, count));
        }
        assert!(lines.0.writes.iter().all(|line| line.ends_with(b"}\n")));
    }
}
