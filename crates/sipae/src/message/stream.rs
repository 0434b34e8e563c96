//! Messages out of a byte stream (RFC 3261 18.3).

use memchr::memchr_iter;

use super::layout::Layout;
use super::{HeaderName, Limits, Message, MessageError};
use crate::octets::{decimal, shown, slice};

/// Cuts a byte stream into messages by Content-Length. A missing Content-Length reads as 0.
///
/// CRLFs between messages, the keep-alives of RFC 5626 4.4.1, are skipped ([MS-SIPAE] SIPAE-3.3.5.1-18).
#[derive(Debug, Default)]
pub struct MessageStream {
    limits: Limits,
    buffer: Vec<u8>,
    /// Octets at the front that belong to the message handed out last.
    consumed: usize,
    /// How far the buffer has been searched for the end of the head.
    searched: usize,
    /// Where the line that is being searched begins.
    line: usize,
    /// The head that has been found, and the length of the whole message.
    head_end: Option<usize>,
}

impl MessageStream {
    /// An empty stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds octets that have arrived.
    pub fn push(&mut self, octets: &[u8]) {
        self.discard_consumed();
        self.buffer.extend_from_slice(octets);
    }

    /// The next whole message, or `None` until more octets have arrived.
    ///
    /// # Errors
    /// When the octets are no SIP message or exceed a limit. The stream cannot find the next message after that:
    /// every later call gives the same error, and the connection is to be closed.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, MessageError> {
        self.discard_consumed();
        self.skip_keep_alives();
        let Some(head) = self.find_head()? else { return Ok(None) };
        let layout = Layout::read(slice(&self.buffer, 0, head), &self.limits)?;
        let length = head + self.body_length(head, &layout)?;
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.consumed = length;
        Ok(Some(Message::from_parts(slice(&self.buffer, 0, length), layout)))
    }

    /// Octets that have arrived and belong to no message yet.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.buffer.len() - self.consumed
    }

    fn discard_consumed(&mut self) {
        if self.consumed != 0 {
            self.buffer.drain(..self.consumed);
            self.restart();
        }
    }

    const fn restart(&mut self) {
        self.consumed = 0;
        self.searched = 0;
        self.line = 0;
        self.head_end = None;
    }

    fn skip_keep_alives(&mut self) {
        let mut skipped = 0;
        while slice(&self.buffer, skipped, skipped + 2) == b"\r\n" {
            skipped += 2;
        }
        if skipped != 0 {
            self.buffer.drain(..skipped);
            self.restart();
        }
    }

    /// Octets of the head, once its empty line is there. Goes on where it stopped, so that slow delivery costs nothing.
    fn find_head(&mut self) -> Result<Option<usize>, MessageError> {
        if self.head_end.is_some() {
            return Ok(self.head_end);
        }
        let from = self.searched;
        for found in memchr_iter(b'\n', slice(&self.buffer, from, self.buffer.len())) {
            let line_feed = from + found;
            if line_feed == self.line || self.buffer.get(line_feed - 1) != Some(&b'\r') {
                return Err(MessageError::BareLineFeed { offset: line_feed });
            }
            if line_feed - 1 == self.line {
                self.head_end = Some(line_feed + 1);
                return Ok(self.head_end);
            }
            self.line = line_feed + 1;
            self.searched = self.line;
        }
        self.searched = self.buffer.len();
        Limits::check("head", self.limits.head, self.buffer.len())?;
        Ok(None)
    }

    fn body_length(&self, head: usize, layout: &Layout) -> Result<usize, MessageError> {
        let message = Message::from_parts(slice(&self.buffer, 0, head), *layout);
        let Some(length) = message.first(HeaderName::ContentLength) else { return Ok(0) };
        let bad = || MessageError::ContentLength { text: shown(length.raw()) };
        if message.all(HeaderName::ContentLength).any(|other| other != length) {
            return Err(bad());
        }
        let length = decimal(length.raw()).ok_or_else(bad)?;
        Limits::check("body", self.limits.body, length)?;
        Ok(length)
    }
}
