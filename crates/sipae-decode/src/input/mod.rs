//! Messages out of what a user has: text, or a capture of unencrypted SIP.

mod capture;
mod cut;
mod packet;
mod reassembly;

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

/// Octets of the largest input.
pub const MAX_INPUT: usize = 64 * 1024 * 1024;
/// Messages that are looked at.
pub const MAX_MESSAGES: usize = 10_000;
/// Directions of connections and pairs of UDP addresses that are looked at.
pub const MAX_FLOWS: usize = 10_000;

/// Why an input cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// More than [`MAX_INPUT`] octets.
    #[error("input has {length} octets, the limit is {MAX_INPUT}")]
    TooLarge {
        /// Its octets.
        length: usize,
    },
    /// It begins like a capture and is none.
    #[error("capture cannot be read: {problem}")]
    Capture {
        /// What is wrong with it.
        problem: String,
    },
}

/// How the end of a message was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// Content-Length says where it ends, and something that fits follows.
    ContentLength,
    /// Content-Length is absent or wrong: it ends before the next start line.
    NextStartLine,
    /// The same, and nothing follows: it ends with the input.
    EndOfInput,
}

/// The packet that a message began in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `TCP` or `UDP`.
    pub transport: Transport,
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// When, as RFC 3339 writes it, if the capture says so.
    pub time: Option<String>,
    /// Number of the packet in the capture, from 1 on.
    pub packet: usize,
}

/// A transport that SIP is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Transport {
    /// TCP.
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// Octets that are taken for a message, and how they were come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The octets.
    pub octets: Vec<u8>,
    /// Where it begins, in octets from the beginning of the text or of its part of a connection.
    pub offset: usize,
    /// How its end was found.
    pub framing: Framing,
    /// The packet, in a capture.
    pub origin: Option<Origin>,
    /// What was done to the octets, and what is to be said of where they ended.
    pub remarks: Vec<String>,
}

/// The messages of an input, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The messages.
    pub messages: Vec<Captured>,
    /// What is to be said of everything else.
    pub remarks: Vec<String>,
}

/// Reads an input: a capture where it begins with the magic number of one, else text.
///
/// # Errors
/// When it is too large, or a capture that cannot be read at all. A capture that breaks off is no error.
pub fn read(octets: &[u8]) -> Result<Input, InputError> {
    if MAX_INPUT < octets.len() {
        return Err(InputError::TooLarge { length: octets.len() });
    }
    let mut input = if capture::is_capture(octets) { capture::read(octets)? } else { text(octets) };
    if MAX_MESSAGES < input.messages.len() {
        input.messages.truncate(MAX_MESSAGES);
        input.remarks.push(format!("messages after the first {MAX_MESSAGES} are not looked at"));
    }
    Ok(input)
}

fn text(octets: &[u8]) -> Input {
    let (text, mark) = match octets.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => (text, BYTE_ORDER_MARK.len()),
        None => (octets, 0),
    };
    let cut::Cut { mut messages, skipped } = cut::cut(text, cut::LineEnds::Convert);
    for message in &mut messages {
        message.offset += mark;
    }
    let remarks = skipped.into_iter().map(|cut::Skipped { offset, length }| {
        format!("{length} octets at offset {} begin with no start line of SIP: skipped", offset + mark)
    });
    Input { messages, remarks: remarks.collect() }
}

/// What editors write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
