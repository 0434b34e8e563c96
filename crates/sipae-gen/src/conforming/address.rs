//! Addresses: From, To and identities.

use sipae::buffer::Field;

use super::pen::Pen;
use super::{Freedom, TOKEN};
use crate::source::Choices;

const USERS: &[&str] = &["alice", "bob", "liddell.alice", "x"];
const HOSTS: &[&str] =
    &["contoso.com", "sip.fabrikam.net:5061", "192.0.2.1", "[2001:db8::1]:5060", "CONTOSO.com"];
/// Parameters of a URI; inside brackets they are its own.
const URI_PARAMS: &[&str] =
    &["", ";transport=tls", ";user=phone", ";tag=inside", ";lr", ";opaque=user:epid:x;gruu"];
/// What can stand before brackets.
const DISPLAY_NAMES: &[&str] = &[
    "",
    "Alice ",
    "\"Alice\" ",
    "\"Alice\"",
    "Alice Liddell ",
    "\"Liddell, Alice\" ",
    "\";tag=inside\" ",
    "\"<sip:inside@contoso.com>;tag=inside\" ",
    "\"a \\\" b\" ",
    "\"a \\\\\" ",
];
/// Header parameters before the tag.
const BEFORE: &[&str] = &["", ";p=\";tag=inside\"", ";xtag=no", ";tagged"];
/// Header parameters behind it: no name may occur twice.
const BEHIND: &[&str] = &["", ";q=\"a \\\" ;tag=inside\"", ";ms-x", ";tags=no", ";a;b=\"\""];
/// Characters of an epid ([MS-SIPRE] 2.2.7).
const EPID: &str = "0123456789abcdefABCDEFxyz-.!%*_+`'~";

/// The fields of From and of To.
#[derive(Clone, Copy)]
pub(super) struct End<'g> {
    pub(super) uri_field: Field,
    pub(super) tag_field: Field,
    pub(super) is_tagged: bool,
    /// Its URI, where that is given.
    pub(super) uri: Option<&'g str>,
    /// Its epid, where there is one.
    pub(super) epid: Option<&'g str>,
}

impl<S: Choices + ?Sized> Pen<'_, S> {
    pub(super) fn uri(&mut self) {
        let is_secure = self.source.one_in(6);
        self.put(if is_secure { "sips:" } else { "sip:" });
        self.text(USERS);
        let number = self.source.below(1000);
        self.number(number);
        self.text_if(Freedom::Octets, &["", "%41", "%c3%bc", "%C3%BC", "~!'()"]);
        self.put("@");
        self.text(HOSTS);
        self.text_if(Freedom::Tags, URI_PARAMS);
    }

    /// A value of From or To.
    pub(super) fn end(&mut self, end: End<'_>) {
        self.display();
        self.put("<");
        let start = self.place();
        match end.uri {
            Some(uri) => self.put(uri),
            None => self.uri(),
        }
        self.mark(end.uri_field, start);
        self.put(">");
        self.blank("");
        self.text_if(Freedom::Tags, BEFORE);
        let is_first = self.takes(Freedom::Endpoints, 2);
        self.epid(end.epid.filter(|_| is_first));
        if end.is_tagged {
            self.tag(end.tag_field);
        }
        self.epid(end.epid.filter(|_| !is_first));
        self.text_if(Freedom::Tags, BEHIND);
    }

    fn display(&mut self) {
        if self.takes(Freedom::Octets, 2) {
            self.put("\"Zoë ☎\" ");
        } else {
            self.text_if(Freedom::Tags, DISPLAY_NAMES);
        }
    }

    fn epid(&mut self, epid: Option<&str>) {
        if let Some(epid) = epid {
            self.put(";");
            self.name("epid");
            self.put("=");
            self.put(epid);
        }
    }

    fn tag(&mut self, field: Field) {
        self.put(";");
        self.blank("");
        self.name("tag");
        self.blank("");
        self.put("=");
        self.blank("");
        let start = self.place();
        if self.takes(Freedom::Tags, 2) {
            let length = self.source.between(1, 10);
            self.word(TOKEN, length);
        } else {
            let choices = self.source.between(1, 4);
            self.digits(choices);
        }
        self.mark(field, start);
    }

    /// What identifies an endpoint: ten characters, or 1 to 16.
    pub(super) fn endpoint_id(&mut self) {
        if self.takes(Freedom::Limits, 2) {
            let length = self.source.pick(&[1, 16]).copied().unwrap_or(1);
            self.word(EPID, length);
        } else {
            self.digits(1);
        }
    }

    /// Identities of one header field, in one line: products differ where there are two. Whether they are the ones that
    /// are signed.
    pub(super) fn identities(&mut self, are_signed: bool) {
        let order = self.source.below(4);
        for place in 0..1 + order / 2 {
            if place == 1 {
                self.put(",");
                self.blank(" ");
            }
            let is_tel = (order + place) % 2 == 1;
            if is_tel { self.tel_identity(are_signed) } else { self.sip_identity(are_signed) }
        }
    }

    /// No sips: nobody knows whether that counts.
    fn sip_identity(&mut self, is_signed: bool) {
        self.text(&["", "\"Alice\" ", "\"Liddell, Alice\" ", "\"<tel:+1>\" "]);
        self.put("<");
        let start = self.place();
        self.text(&["sip:", "SIP:"]);
        self.text(USERS);
        self.put("@");
        self.text(HOSTS);
        self.text_if(Freedom::Tags, URI_PARAMS);
        if is_signed {
            self.mark(Field::SipIdentity, start);
        }
        self.put(">");
    }

    fn tel_identity(&mut self, is_signed: bool) {
        let (before, behind) = self
            .source
            .pick(&[("<", ">"), ("", ""), ("\"Office\" <", ";ext=8>")])
            .copied()
            .unwrap_or_default();
        self.put(before);
        let start = self.place();
        self.put("tel:+");
        let number = self.source.below(u32::MAX);
        self.number(number);
        self.put(behind.trim_end_matches('>'));
        if is_signed {
            self.mark(Field::TelIdentity, start);
        }
        self.put(behind.trim_start_matches(|character| character != '>'));
    }
}
