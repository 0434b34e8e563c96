//! Faults of the octets that make a message: lines, names, lengths.

use super::{Fault, Stage, field, octets};
use crate::{Edit, Source, Text};

const SERVED: &str = "SIPAE-3.3.5.2-21";
const BOUNDS: &str = "SIPAE-3.3.5.3-22";

const LINES: &str = "RFC 3261 7";
const START: &str = "RFC 3261 7.1";
const HEADER: &str = "RFC 3261 7.3.1";
const LENGTH: &str = "RFC 3261 20.14";

pub(super) const FAULTS: &[Fault] = &[
    framed("bare-line-feeds", LINES, |_| octets("\r\nMax-Forwards", "\nMax-Forwards")),
    framed("line-feed-behind-start-line", LINES, |_| octets(" SIP/2.0\r\n", " SIP/2.0\n")),
    framed("version-3", START, |_| octets(" SIP/2.0\r\n", " SIP/3.0\r\n")),
    framed("version-of-http", START, |_| octets(" SIP/2.0\r\n", " HTTP/1.1\r\n")),
    framed("without-version", START, |_| octets(" SIP/2.0\r\n", "\r\n")),
    framed("blank-before-start-line", START, |_| octets("REGISTER sip:", " REGISTER sip:")),
    framed("without-uri", START, |_| vec![Edit::RequestUri(Text::from(""))]),
    framed("method-no-token", START, |_| octets("REGISTER sip:", "REG(STER sip:")),
    framed("status-word", START, |_| octets("REGISTER sip:", "SIP/2.0 OK sip:")),
    framed("header-name-with-blank", HEADER, |_| octets("\r\nMax-Forwards", "\r\nMax Forwards")),
    framed("line-without-colon", HEADER, |_| octets("\r\nMax-Forwards: 70", "\r\nMax-Forwards 70")),
    framed("line-of-a-colon", HEADER, |_| octets("\r\nMax-Forwards: 70", "\r\n: 70")),
    framed("header-name-with-nul", HEADER, |_| octets("\r\nMax-Forwards", "\r\nMax\0Forwards")),
    framed("fold-behind-start-line", HEADER, |_| octets(" SIP/2.0\r\n", " SIP/2.0\r\n folded\r\n")),
    framed("name-with-brackets", HEADER, |_| octets("\r\nMax-Forwards", "\r\n<Max-Forwards>")),
    framed("length-word", LENGTH, |_| length("none")),
    framed("length-negative", LENGTH, |_| length("-1")),
    framed("length-signed", LENGTH, |_| length("+0")),
    framed("length-hexadecimal", LENGTH, |_| length("0x0")),
    framed("length-empty", LENGTH, |_| length("")),
    framed("length-huge", LENGTH, |_| length("99999999999999999999999999")),
    framed("length-fraction", LENGTH, |_| length("0.0")),
    framed("lengths-contradict", "header-duplicate", |_| field("Content-Length", "5", false)),
    long("length-beyond-bounds", |_| length("2147483647")),
    long("start-line-of-64-kib", |_| {
        vec![Edit::RequestUri(Text::from(format!("sip:{}", "x".repeat(65_536))))]
    }),
    long("header-of-256-kib", |_| field("Subject", &"x".repeat(262_144), false)),
    long("header-fields-of-1-mib", |_| {
        (0..32).flat_map(|_| field("Subject", &"x".repeat(32_768), false)).collect()
    }),
];

/// What is no message is nobody's; whatever a target does about it, it harms nobody else.
const fn framed(name: &'static str, remark: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, SERVED, remark, Stage::Framing, edits).open()
}

/// Nobody has to read it.
const fn long(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, BOUNDS, BOUNDS, Stage::Framing, edits).open()
}

fn length(value: &str) -> Vec<Edit> {
    vec![Edit::SetHeader(sipae::message::HeaderName::ContentLength, Text::from(value))]
}
