//! Messages out of a byte stream (RFC 3261 18.3).

use std::fmt;

use memchr::memchr_iter;

use super::layout::Layout;
use super::{HeaderName, Limits, Message, MessageError};
use crate::octets::{decimal, shown, slice};

/// Cuts a byte stream into messages by Content-Length. A missing Content-Length reads as 0.
///
/// CRLFs between messages, the keep-alives of RFC 5626 4.4.1, are skipped ([MS-SIPAE] SIPAE-3.3.5.1-18). No octet is
/// searched more than three times, however slowly or quickly it arrives.
#[derive(Default)]
pub struct MessageStream {
    limits: Limits,
    buffer: Vec<u8>,
    /// Where the next message begins.
    start: usize,
    /// How far the buffer has been searched for the end of the head.
    searched: usize,
    /// Where the line that is being searched begins.
    line: usize,
    /// The head that has been read, and the length of the whole message.
    head: Option<(Box<Layout>, usize)>,
    /// What ended the stream.
    error: Option<MessageError>,
}

/// Memory that an idle stream keeps.
const IDLE_CAPACITY: usize = 16 * 1024;

impl MessageStream {
    /// An empty stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds octets that have arrived. After an error they are dropped.
    pub fn push(&mut self, octets: &[u8]) {
        if self.error.is_some() {
            return;
        }
        self.compact();
        self.buffer.extend_from_slice(octets);
    }

    /// The next whole message, or `None` until more octets have arrived.
    ///
    /// # Errors
    /// When the octets are no SIP message or exceed a limit. The next message cannot be found after that: every later
    /// call gives the same error, and the connection is to be closed.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, MessageError> {
        match self.next_length() {
            Ok(None) => Ok(None),
            Ok(Some((layout, length))) => {
                let begin = self.start;
                self.advance(begin + length);
                Ok(Some(Message::from_parts(slice(&self.buffer, begin, begin + length), layout)))
            }
            Err(error) => {
                self.error = Some(error.clone());
                self.buffer = Vec::new();
                Err(error)
            }
        }
    }

    /// Octets that have arrived and belong to no message yet.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Moves what is left to the front, once for each arrival and not for each message.
    fn compact(&mut self) {
        if self.start == 0 {
            return;
        }
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.line -= self.start;
        self.start = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(IDLE_CAPACITY);
        }
    }

    const fn advance(&mut self, start: usize) {
        self.start = start;
        self.searched = start;
        self.line = start;
    }

    fn next_length(&mut self) -> Result<Option<(Layout, usize)>, MessageError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if let Some((_, length)) = self.head {
            let is_whole = length <= self.pending();
            return Ok(self.head.take_if(|_| is_whole).map(|(layout, length)| (*layout, length)));
        }
        self.skip_keep_alives();
        let Some((layout, length)) = self.read_head()? else { return Ok(None) };
        if length <= self.pending() {
            return Ok(Some((layout, length)));
        }
        self.head = Some((Box::new(layout), length));
        Ok(None)
    }

    fn skip_keep_alives(&mut self) {
        let mut start = self.start;
        while slice(&self.buffer, start, start + 2) == b"\r\n" {
            start += 2;
        }
        if start != self.start {
            self.advance(start);
        }
    }

    fn read_head(&mut self) -> Result<Option<(Layout, usize)>, MessageError> {
        let layout = match self.whole_head() {
            Some(layout) => layout,
            None => {
                let Some(end) = self.find_head()? else { return Ok(None) };
                Layout::read(slice(&self.buffer, self.start, end), &self.limits)?
            }
        };
        let head = slice(&self.buffer, self.start, self.start + layout.head);
        let length = head.len() + self.body_length(&Message::from_parts(head, layout))?;
        Ok(Some((layout, length)))
    }

    /// A head that is there as a whole when it is looked at first, as most are. What is wrong with it, or missing, is for
    /// the search.
    fn whole_head(&self) -> Option<Layout> {
        let pending = slice(&self.buffer, self.start, self.buffer.len());
        let is_new = self.searched == self.start && !pending.is_empty();
        is_new.then(|| Layout::read(pending, &self.limits).ok()).flatten()
    }

    /// Where the head ends, once its empty line is there. Goes on where it stopped.
    fn find_head(&mut self) -> Result<Option<usize>, MessageError> {
        let from = self.searched;
        for found in memchr_iter(b'\n', slice(&self.buffer, from, self.buffer.len())) {
            let line_feed = from + found;
            if line_feed == self.line || self.buffer.get(line_feed - 1) != Some(&b'\r') {
                return Err(MessageError::BareLineFeed { offset: line_feed - self.start });
            }
            if line_feed - 1 == self.line {
                return Ok(Some(line_feed + 1));
            }
            self.line = line_feed + 1;
            self.searched = self.line;
        }
        self.searched = self.buffer.len();
        Limits::check("head", self.limits.head, self.pending())?;
        Ok(None)
    }

    fn body_length(&self, message: &Message<'_>) -> Result<usize, MessageError> {
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

impl fmt::Debug for MessageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageStream({} octets pending)", self.pending())
    }
}
