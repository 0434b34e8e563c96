//! What a careful reader remarks about a whole message, its authentication header fields apart.

use std::fmt;

use sipae_spec::Diagnostic;

use super::address::Elements;
use super::{Address, HeaderName, Message, MessageError};
use crate::endpoint::{EPID_LENGTH, InstanceId, is_epid};
use crate::octets::{offset_in, shown, slice};

/// One remark about a message: which rule, which header field, where, what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageFinding<'a> {
    /// Which rule is not kept.
    pub diagnostic: Diagnostic,
    /// The header field that it is about, be it there or missing.
    pub header: HeaderName,
    /// Where, in octets from the beginning of the message; 0 for what is missing.
    pub offset: usize,
    /// The octets that it is about; the start line for what is missing.
    pub text: &'a [u8],
}

impl fmt::Display for MessageFinding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { diagnostic, header, offset, text } = self;
        let (rule, remark) = (diagnostic.rule(), diagnostic.text());
        write!(f, "{rule}: {header}: {remark} at octet {offset}: {}", shown(text))
    }
}

impl fmt::Debug for MessageFinding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { diagnostic, header, offset, text } = self;
        write!(f, "{} {header}@{offset} \"{}\"", diagnostic.id(), shown(text))
    }
}

/// Mandatory in every message (RFC 3261 8.1.1, 8.2.6.2).
const MANDATORY: [HeaderName; 5] =
    [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];

/// Mandatory in requests.
const MANDATORY_IN_REQUESTS: [HeaderName; 1] = [HeaderName::MaxForwards];

/// May occur once; those that are signed, and those that frame and route the message ([MS-SIPAE] SIPAE-2.2-21).
const SINGLE: [HeaderName; 7] = [
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::Expires,
    HeaderName::ContentLength,
    HeaderName::MaxForwards,
];

/// Hold one address with tag and epid.
const ENDS: [HeaderName; 2] = [HeaderName::From, HeaderName::To];

/// Begins the branch of every client of RFC 3261 8.1.1.7.
const BRANCH_COOKIE: &[u8] = b"z9hG4bK";

type Rule = for<'a> fn(&Message<'a>, &mut Findings<'a>);

const RULES: [Rule; 10] = [
    missing_headers,
    duplicate_headers,
    end_addresses,
    contact_addresses,
    call_id,
    from_tag,
    epids,
    instance,
    cseq,
    via_branch,
];

impl<'a> Message<'a> {
    /// Everything that is to be remarked about the message, in order of position.
    ///
    /// A field that cannot be read is remarked once: nothing is said about the parts it would have.
    #[must_use]
    pub fn findings(&self) -> Vec<MessageFinding<'a>> {
        let mut findings = Findings { octets: self.octets, list: Vec::new() };
        for rule in RULES {
            rule(self, &mut findings);
        }
        findings.list.sort_by_key(|finding| finding.offset);
        findings.list
    }
}

struct Findings<'a> {
    octets: &'a [u8],
    list: Vec<MessageFinding<'a>>,
}

impl<'a> Findings<'a> {
    fn add(&mut self, diagnostic: Diagnostic, header: HeaderName, text: &'a [u8]) {
        let offset = offset_in(self.octets, text);
        self.list.push(MessageFinding { diagnostic, header, offset, text });
    }

    fn add_if(&mut self, wrong: bool, diagnostic: Diagnostic, header: HeaderName, text: &'a [u8]) {
        if wrong {
            self.add(diagnostic, header, text);
        }
    }
}

fn missing_headers<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    let start_line = slice(message.octets, 0, message.layout.first_header.saturating_sub(2));
    let in_requests = if message.is_request() { &MANDATORY_IN_REQUESTS[..] } else { &[] };
    let mut require = |name: HeaderName, diagnostic| {
        findings.add_if(message.count(name) == 0, diagnostic, name, start_line);
    };
    for name in MANDATORY.iter().chain(in_requests) {
        require(*name, Diagnostic::HeaderMissing);
    }
    require(HeaderName::ContentLength, Diagnostic::ContentLengthMissing);
}

fn duplicate_headers<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    for name in SINGLE {
        if let Some(again) = message.all(name).nth(1) {
            findings.add(Diagnostic::HeaderDuplicate, name, again.raw());
        }
    }
}

fn end_addresses<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    for name in ENDS {
        if let Ok(Some(value)) = message.single(name) {
            address(name, value.raw(), Address::parse(value.raw()), findings);
        }
    }
}

fn contact_addresses<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    let elements = message.all(HeaderName::Contact).flat_map(|value| Elements { rest: value.raw() });
    for element in elements {
        address(HeaderName::Contact, element, Address::parse_element(element), findings);
    }
}

fn address<'a>(
    header: HeaderName,
    text: &'a [u8],
    read: Result<Address<'a>, Diagnostic>,
    findings: &mut Findings<'a>,
) {
    match read {
        Err(diagnostic) => findings.add(diagnostic, header, text),
        Ok(address) => {
            let lacks = address.lacks_brackets();
            findings.add_if(lacks, Diagnostic::NameAddrWithoutBrackets, header, address.uri);
        }
    }
}

fn call_id<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    if let Ok(value) = message.call_id() {
        let has_angle = value.raw().iter().any(|octet| matches!(octet, b'<' | b'>'));
        findings.add_if(has_angle, Diagnostic::AngleInValue, HeaderName::CallId, value.raw());
    }
}

fn from_tag<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    if let Ok(from) = message.from() {
        let has_tag = from.tag.is_some_and(|tag| !tag.is_empty());
        findings.add_if(!has_tag, Diagnostic::FromTagMissing, HeaderName::From, from.uri);
    }
}

fn epids<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    for (name, end) in [(HeaderName::From, message.from()), (HeaderName::To, message.to())] {
        if let Some(epid) = end.ok().and_then(|address| address.epid) {
            findings.add_if(!is_epid(epid), Diagnostic::EpidMalformed, name, epid);
            findings.add_if(EPID_LENGTH < epid.len(), Diagnostic::EpidTooLong, name, epid);
        }
    }
}

/// In a response From is the other side's, and there is nothing to compare Contact with.
fn instance<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    let (true, Ok(from), Ok(Some(contact))) = (message.is_request(), message.from(), message.contact())
    else {
        return;
    };
    if let (Some(epid), Some(instance)) = (from.epid, contact.param("+sip.instance")) {
        let differs = InstanceId::from_instance(instance) != Some(InstanceId::from_epid(epid));
        findings.add_if(differs, Diagnostic::InstanceMismatch, HeaderName::Contact, instance);
    }
}

fn cseq<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    let Ok(Some(value)) = message.single(HeaderName::CSeq) else { return };
    let diagnostic = match message.cseq() {
        Err(MessageError::Header { diagnostic, .. }) => diagnostic,
        Ok(cseq) if message.method().is_some_and(|method| method != cseq.method) => {
            Diagnostic::CSeqMethodMismatch
        }
        _ => return,
    };
    findings.add(diagnostic, HeaderName::CSeq, value.raw());
}

fn via_branch<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    if let Some(via) = message.first(HeaderName::Via) {
        let has_branch = message.branch().is_some_and(|branch| branch.starts_with(BRANCH_COOKIE));
        findings.add_if(!has_branch, Diagnostic::ViaBranchMissing, HeaderName::Via, via.raw());
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::message::Limits;

    const PLAIN: &str = "INVITE sip:b@x SIP/2.0\r\n\
        Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\n\
        Max-Forwards: 70\r\n\
        From: <sip:a@x>;tag=1;epid=01010101\r\n\
        To: <sip:b@x>\r\n\
        Call-ID: 1\r\n\
        CSeq: 1 INVITE\r\n\
        Content-Length: 0\r\n\r\n";

    /// The findings as rule, header and octets, and their places.
    fn remarks(text: &str) -> Vec<(String, usize)> {
        let message = Message::parse(text.as_bytes(), &Limits::DEFAULT).expect("a message");
        let remark = |finding: &MessageFinding<'_>| {
            let MessageFinding { diagnostic, header, offset, text } = *finding;
            (format!("{} {header} {}", diagnostic.id(), shown(text)), offset)
        };
        message.findings().iter().map(remark).collect()
    }

    #[test]
    fn a_message_that_keeps_the_rules_has_no_finding() {
        assert_eq!(remarks(PLAIN), []);
    }

    /// A bar marks the place of the finding.
    #[rstest]
    #[case("Call-ID: 1", "i: 1\r\nCall-ID: |2", "header-duplicate Call-ID 2")]
    #[case("To: <sip:b@x>", "To: |<sip:b@x>, <sip:c@x>", "name-addr-several To <sip:b@x>, <sip:c@x>")]
    #[case("To: <sip:b@x>", "To: |bob", "name-addr-malformed To bob")]
    #[case("To: <sip:b@x>", "To: Bob |sip:b@x", "name-addr-without-brackets To sip:b@x")]
    #[case("To: <sip:b@x>", "To: <sip:b@x>\r\nm: <sip:h>, |h", "name-addr-malformed Contact h")]
    #[case(
        "To: <sip:b@x>",
        "To: <sip:b@x>\r\nm: |<sip:h> <sip:i>",
        "name-addr-malformed Contact <sip:h> <sip:i>"
    )]
    #[case("epid=01010101", "epid=|", "epid-malformed From ")]
    #[case("<sip:a@x>;tag=1;", "<|sip:a@x>;", "from-tag-missing From sip:a@x")]
    #[case("<sip:a@x>;tag=1;", "<|sip:a@x>;tag;", "from-tag-missing From sip:a@x")]
    #[case("1 INVITE", "|4294967296 INVITE", "cseq-malformed CSeq 4294967296 INVITE")]
    #[case("SIP/2.0/TLS h;branch=z9hG4bK1", "|SIP/2.0/TLS h", "via-branch-missing Via SIP/2.0/TLS h")]
    fn a_finding_names_rule_header_octets_and_place(
        #[case] good: &str,
        #[case] bad: &str,
        #[case] expected: &str,
    ) {
        let marked = PLAIN.replacen(good, bad, 1);
        let place = marked.find('|').expect("a mark");
        assert_eq!(remarks(&marked.replacen('|', "", 1)), [(expected.to_owned(), place)]);
    }

    #[test]
    fn a_missing_header_is_told_at_the_start_line() {
        let remark = "header-missing Call-ID INVITE sip:b@x SIP/2.0".to_owned();
        assert_eq!(remarks(&PLAIN.replacen("Call-ID", "Subject", 1)), [(remark, 0)]);
    }
}
