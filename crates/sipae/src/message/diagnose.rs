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
        let has_tag = from.param("tag").is_some_and(|tag| !tag.is_empty());
        findings.add_if(!has_tag, Diagnostic::FromTagMissing, HeaderName::From, from.uri);
    }
}

fn epids<'a>(message: &Message<'a>, findings: &mut Findings<'a>) {
    for (name, end) in [(HeaderName::From, message.from()), (HeaderName::To, message.to())] {
        if let Some(epid) = end.ok().and_then(|address| address.param("epid")) {
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
    if let (Some(epid), Some(instance)) = (from.param("epid"), contact.param("+sip.instance")) {
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
