//! Values of authentication header fields.

use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;
use sipae::version::Version;

use super::credential::{self, Called, Form, NAMES, Param, UNKNOWN, UNKNOWN_COUNT};
use super::padded::{Blanks, Name, Roomy, Text, WIDE, flip, padded};
use super::{Case, Freedom, Freedoms, write_cased, write_digits, write_number, write_padded, write_text};
use crate::source::Choices;

use AuthParam::{
    Algorithm, Cnonce, Cnum, Crand, GssapiData, Nc, Nonce, Opaque, Qop, Realm, Response, Rspauth, Snum,
    Srand, Stale, StsUri, Targetname, Uri, Username,
};

/// Where in a conversation a header field stands ([MS-SIPAE] 2.2.1-2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// A signed message of a client; with Digest a credential.
    Client,
    /// A challenge without a token.
    Challenge,
    /// A credential with the first token, empty with NTLM.
    First,
    /// A challenge with a token.
    Continuation,
    /// A credential with the last token and without a signature: before version 4, and the flights of TLS-DSK.
    Last,
    /// The signed request that completes a handshake of version 4.
    Completing,
    /// A signed message of a server.
    Server,
}

/// What a header field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// The scheme.
    pub scheme: Scheme,
    /// The version; it means nothing in Digest.
    pub version: Version,
    /// Where it stands.
    pub phase: Phase,
}

const SIGNING: &[Scheme] = &[Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk];
const SCHEMES: &[Scheme] = &[Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk, Scheme::Digest];

impl Kind {
    /// Any kind of any scheme.
    pub fn drawn(source: &mut (impl Choices + ?Sized)) -> Self {
        let scheme = source.pick(SCHEMES).copied().unwrap_or_default();
        let phase = source.pick(phases(scheme)).copied().unwrap_or(Phase::Client);
        let version = source.pick(versions(scheme, phase)).copied().unwrap_or(Version::V4);
        Self { scheme, version, phase }
    }

    /// Any kind of a scheme that signs.
    pub fn signing(source: &mut (impl Choices + ?Sized)) -> Self {
        Self::among(source, SIGNING, |_| true)
    }

    /// Any kind that may stand in a header field of this name.
    pub fn in_field(source: &mut (impl Choices + ?Sized), name: HeaderName) -> Self {
        let schemes = if HeaderName::SIGNATURES.contains(&name) { SIGNING } else { SCHEMES };
        Self::among(source, schemes, |phase| phase.names().contains(&name))
    }

    fn among(
        source: &mut (impl Choices + ?Sized),
        schemes: &[Scheme],
        is_meant: impl Fn(Phase) -> bool,
    ) -> Self {
        let scheme = source.pick(schemes).copied().unwrap_or_default();
        let count = phases(scheme).iter().filter(|phase| is_meant(**phase)).count();
        let choice = source.below(u32::try_from(count).unwrap_or(1)) as usize;
        let phase = phases(scheme).iter().filter(|phase| is_meant(**phase)).nth(choice);
        let phase = phase.copied().unwrap_or(Phase::Client);
        let version = source.pick(versions(scheme, phase)).copied().unwrap_or(Version::V4);
        Self { scheme, version, phase }
    }

    fn has_version(self) -> bool {
        self.scheme.signs() && self.version != Version::V2
    }
}

impl Phase {
    /// The header fields that it may stand in.
    #[must_use]
    pub const fn names(self) -> [HeaderName; 2] {
        match self {
            Self::Challenge | Self::Continuation => HeaderName::CHALLENGES,
            Self::Server => HeaderName::SIGNATURES,
            Self::Client | Self::First | Self::Last | Self::Completing => HeaderName::CREDENTIALS,
        }
    }
}

const fn phases(scheme: Scheme) -> &'static [Phase] {
    use Phase::{Challenge, Client, Completing, Continuation, First, Last, Server};
    match scheme {
        Scheme::Digest => &[Client, Challenge],
        // One leg: there is no challenge with a token.
        Scheme::Kerberos => &[Client, Challenge, Last, Completing, Server],
        _ => &[Client, Challenge, First, Continuation, Last, Completing, Server],
    }
}

const fn versions(scheme: Scheme, phase: Phase) -> &'static [Version] {
    match (scheme, phase) {
        (Scheme::TlsDsk | Scheme::Digest, _) | (_, Phase::Completing) => &[Version::V4],
        (_, Phase::Last) => &[Version::V3, Version::V2],
        _ => &[Version::V4, Version::V3, Version::V2],
    }
}

/// A conforming value, and what it says. [`draw`](Self::draw) makes another one in the same memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is for.
    pub kind: Kind,
    /// The text.
    pub text: Vec<u8>,
    /// One behind the other, and room behind them to copy any part as wide as it may be.
    values: Vec<u8>,
    params: Vec<Drawn>,
}

/// A parameter whose value has been drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Drawn {
    name: &'static Name,
    known: Option<AuthParam>,
    start: usize,
    length: usize,
    blanks: Blanks,
    is_quoted: bool,
}

/// A value of this kind with these freedoms.
pub fn header(source: &mut (impl Choices + ?Sized), freedoms: Freedoms, kind: Kind) -> Header {
    let mut header = Header::default();
    header.draw(source, freedoms, kind);
    header
}

impl Default for Header {
    /// An empty text.
    fn default() -> Self {
        let kind = Kind { scheme: Scheme::Ntlm, version: Version::V4, phase: Phase::Client };
        Self { kind, text: Vec::new(), values: Vec::new(), params: Vec::new() }
    }
}

impl Header {
    /// Replaces it by a new one.
    pub fn draw(&mut self, source: &mut (impl Choices + ?Sized), freedoms: Freedoms, kind: Kind) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.draw_to(source, freedoms, kind, &mut text);
        self.text = text;
    }

    /// Replaces what it says by something new, whose text is appended elsewhere: [`text`](Self::text) stays as it is.
    pub fn draw_to(
        &mut self,
        source: &mut (impl Choices + ?Sized),
        freedoms: Freedoms,
        kind: Kind,
        out: &mut Vec<u8>,
    ) {
        let is_digest = !kind.scheme.signs();
        let freedoms =
            if is_digest { freedoms.without(Freedom::BareQop).without(Freedom::Digits) } else { freedoms };
        self.draw_values(source, freedoms, kind);
        self.write_to(source, freedoms, out);
    }

    /// Replaces what it says, and writes nothing.
    fn draw_values(&mut self, source: &mut (impl Choices + ?Sized), freedoms: Freedoms, kind: Kind) {
        self.kind = kind;
        self.values.clear();
        self.params.clear();
        for (param, presence) in params(kind) {
            if is_present(source, freedoms, kind, *presence) {
                self.add(source, freedoms, *param);
            }
        }
        if freedoms.has(Freedom::Unknown) {
            self.add_unknown(source);
        }
        self.values.extend_from_slice(&[0; 2 * WIDE]);
    }

    fn add(&mut self, source: &mut (impl Choices + ?Sized), freedoms: Freedoms, param: AuthParam) {
        let start = self.values.len();
        Values { freedoms, kind: self.kind }.write(source, param, &mut self.values);
        let is_quoted = form(self.kind, param).is_quoted(source, freedoms, Some(param));
        let length = self.values.len() - start;
        let blanks = match param {
            Realm | Opaque | Username | Qop => roomy(&self.values, start, length).lone_blanks(),
            _ => Blanks::default(),
        };
        if let Some(name) = NAMES.get(param as usize) {
            self.params.push(Drawn { name, known: Some(param), start, length, blanks, is_quoted });
        }
    }

    fn add_unknown(&mut self, source: &mut (impl Choices + ?Sized)) {
        let mut added = 0_u32;
        for _ in 0..=source.below(3) {
            let choice = source.below(UNKNOWN_COUNT);
            let Some((name, text)) = UNKNOWN.get(choice as usize).filter(|_| added >> choice & 1 == 0) else {
                continue;
            };
            added |= 1 << choice;
            let start = self.values.len();
            text.write(&mut self.values);
            let length = self.values.len() - start;
            let is_quoted = length == 0 || source.below(2) == 0;
            self.params.push(Drawn {
                name,
                known: None,
                start,
                length,
                blanks: Blanks::default(),
                is_quoted,
            });
        }
    }

    /// Appends the text. The order of the parameters is that of the text afterwards.
    fn write_to(&mut self, source: &mut (impl Choices + ?Sized), freedoms: Freedoms, out: &mut Vec<u8>) {
        let Self { kind, values, params, .. } = self;
        let is_tight = credential::order(source, freedoms, params, |param| param.known);
        write_cased(source, freedoms.has(Freedom::Scheme), kind.scheme.name().as_bytes(), out);
        let params = params.iter().map(|param| param.written(values));
        credential::write(source, freedoms, is_tight, params, out);
    }

    /// Names and values, as they stand between quotation marks, in the order of the text.
    pub fn params(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.params.iter().map(|param| (param.name.text(), param.value(&self.values).value()))
    }
}

#[inline]
fn roomy(values: &[u8], start: usize, length: usize) -> Roomy<'_> {
    Roomy::new(values.get(start..).unwrap_or_default(), length)
}

impl Drawn {
    #[inline]
    fn written(self, values: &[u8]) -> Param<'_> {
        let Self { name, known, blanks, is_quoted, .. } = self;
        Param { name: Called::Known(name), known, value: self.value(values), blanks, is_quoted }
    }

    #[inline]
    fn value(self, values: &[u8]) -> Roomy<'_> {
        roomy(values, self.start, self.length)
    }
}

/// RFC 2617 3.2.2: qop is a list in a challenge, a token in a credential.
#[inline]
fn form(kind: Kind, param: AuthParam) -> Form {
    let is_token =
        !param.is_quoted() || (param == Qop && !kind.scheme.signs() && kind.phase == Phase::Client);
    if is_token { Form::Bare } else { Form::Quoted }
}

/// When a parameter is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    /// Now and then.
    Sometimes,
    /// From version 3 on.
    Versioned,
    /// From version 3 on, and not with every product.
    SometimesVersioned,
    /// Not with Kerberos, which has one leg and no association before its end.
    Association,
    /// The token; TLS-DSK completes without one.
    Token,
    /// TLS-DSK alone.
    TlsDsk,
    /// A product's, where those are taken.
    Products,
}

use Presence::{Always, Association, Products, Sometimes, SometimesVersioned, TlsDsk, Token, Versioned};

type Table = &'static [(AuthParam, Presence)];

const CHALLENGE: Table = &[
    (Realm, Always),
    (Targetname, Always),
    (AuthParam::Version, Versioned),
    (StsUri, TlsDsk),
    // As MS-SIP prints it.
    (Qop, Products),
];
const CONTINUATION: Table = &[
    (Opaque, Always),
    (GssapiData, Always),
    (Targetname, Always),
    (Realm, Always),
    (AuthParam::Version, Versioned),
    (Qop, Products),
];
const FIRST: Table = &[
    (Qop, Always),
    (Realm, Always),
    (Targetname, Always),
    (GssapiData, Always),
    (AuthParam::Version, Versioned),
];
const LAST: Table = &[
    (Qop, Always),
    (Realm, Always),
    (Opaque, Association),
    (Targetname, Always),
    (GssapiData, Always),
    (AuthParam::Version, Versioned),
];
const COMPLETING: Table = &[
    (Qop, Always),
    (Realm, Always),
    (Opaque, Association),
    (Targetname, Always),
    (AuthParam::Version, Versioned),
    (GssapiData, Token),
    (Crand, Always),
    (Cnum, Always),
    (Response, Always),
];
const CLIENT: Table = &[
    (Qop, Always),
    (Realm, Always),
    (Opaque, Always),
    (Crand, Always),
    (Cnum, Always),
    (Targetname, Always),
    (Response, Always),
    (AuthParam::Version, SometimesVersioned),
];
const SERVER: Table = &[
    (Qop, Always),
    (Opaque, Always),
    (Srand, Always),
    (Snum, Always),
    (Rspauth, Always),
    (Targetname, Always),
    (Realm, Always),
    (AuthParam::Version, SometimesVersioned),
];
const DIGEST_CHALLENGE: Table = &[
    (Realm, Always),
    (Nonce, Always),
    (Opaque, Sometimes),
    (Stale, Sometimes),
    (Algorithm, Sometimes),
    (Qop, Sometimes),
];
const DIGEST_CREDENTIAL: Table = &[
    (Username, Always),
    (Realm, Always),
    (Nonce, Always),
    (Uri, Always),
    (Response, Always),
    (Algorithm, Sometimes),
    (Cnonce, Always),
    (Opaque, Sometimes),
    (Qop, Always),
    (Nc, Always),
];

const fn params(kind: Kind) -> Table {
    match (kind.scheme, kind.phase) {
        (Scheme::Digest, Phase::Client) => DIGEST_CREDENTIAL,
        (Scheme::Digest, _) => DIGEST_CHALLENGE,
        (_, Phase::Challenge) => CHALLENGE,
        (_, Phase::Continuation) => CONTINUATION,
        (_, Phase::First) => FIRST,
        (_, Phase::Last) => LAST,
        (_, Phase::Completing) => COMPLETING,
        (_, Phase::Client) => CLIENT,
        (_, Phase::Server) => SERVER,
    }
}

fn is_present(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    kind: Kind,
    presence: Presence,
) -> bool {
    match presence {
        Always => true,
        Sometimes => source.below(2) == 1,
        Versioned => kind.has_version(),
        SometimesVersioned => kind.has_version() && source.below(2) == 1,
        Association => kind.scheme != Scheme::Kerberos,
        Token => kind.scheme != Scheme::TlsDsk,
        TlsDsk => kind.scheme == Scheme::TlsDsk && source.below(4) != 3,
        Products => freedoms.has(Freedom::Products) && source.one_in(4),
    }
}

/// Values with separators in them.
const SEPARATORS: &[Text] = padded!["SIP Communications Service", "a, b=c", "a;b", "a=b, realm=c", "x,y"];
/// Values with backslashes in them.
const BACKSLASHES: &[Text] = padded!["SIP Communications Service", "C:\\new", "\\", "a\\b", "a\\\\b"];
/// The same as quoted-strings.
const ESCAPED: &[Text] = padded!["sip:alice@contoso.com", "C:\\\\new", "a \\\" b", "\\a", "\\\\"];
/// Values beyond ASCII, two of them equal after normalisation.
const OCTETS: &[Text] = padded![
    "SIP Communications Service",
    "Gr\u{fc}\u{df}e",
    "Gru\u{308}\u{df}e",
    "\u{260e} service",
    "100%41"
];
const HOSTS: &[Text] = padded!["server", "PROXY", "LYNC2013-SERVER", "tuk-ocdr1-03", "pool", "x"];
const DOMAINS: &[Text] = padded![".contoso.com", ".lync.loc", ".infra.fabrikam.net", ".Contoso.COM"];
const STS_URI: &str = "https://server.contoso.com:443/CertProv/CertProvisioningService.svc";
/// The same with separators in them.
const STS_URIS: &[&str] = &[STS_URI, "https://a.b/c?d=e,f;g=h"];
/// Characters of a token of some kilobytes, as the flights of TLS-DSK are: whole groups.
const LONG_TOKEN: usize = 8192;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SESSION: &[Text] = padded!["MD5", "MD5-sess"];

/// Draws the values of parameters.
#[derive(Clone, Copy)]
struct Values {
    freedoms: Freedoms,
    kind: Kind,
}

impl Values {
    fn write(self, source: &mut (impl Choices + ?Sized), param: AuthParam, out: &mut Vec<u8>) {
        match param {
            Realm if self.kind.scheme == Scheme::Digest => self.organizer(source, out),
            Realm => self.realm(source, out),
            Opaque => self.opaque(source, out),
            Targetname => self.target(source, out),
            AuthParam::Version => write_number(self.kind.version.number(), out),
            GssapiData => self.token(source, out),
            StsUri if self.freedoms.has(Freedom::Separators) => write_text(source, STS_URIS, out),
            StsUri => out.extend_from_slice(STS_URI.as_bytes()),
            Crand | Srand => self.salt(source, out),
            Cnum | Snum => write_number(self.number(source), out),
            Response | Rspauth => self.signature(source, out),
            Qop if params(self.kind) == DIGEST_CHALLENGE => {
                write_text(source, &["auth", "auth,auth-int", "auth-int, auth"], out);
            }
            Qop => out.extend_from_slice(b"auth"),
            Algorithm => write_padded(source, SESSION, out),
            Nonce | Cnonce => write_digits(source, Case::Lower, 4, out),
            Nc => self.count(source, out),
            Stale => write_text(source, &["false", "true", "TRUE"], out),
            Uri => {
                write_text(source, &["sip:contoso.com", "sip:alice@contoso.com;gruu;opaque=app:conf:1"], out);
            }
            Username => self.organizer(source, out),
            _ => {}
        }
    }

    fn realm(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        let lists = [
            (Freedom::Separators, SEPARATORS),
            (Freedom::Backslashes, BACKSLASHES),
            (Freedom::Octets, OCTETS),
        ];
        self.one_of(source, &lists, "SIP Communications Service", out);
    }

    /// Digest alone: a quoted-string.
    fn organizer(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        let lists =
            [(Freedom::Separators, SEPARATORS), (Freedom::Backslashes, ESCAPED), (Freedom::Octets, OCTETS)];
        self.one_of(source, &lists, "sip:alice@contoso.com", out);
    }

    /// Out of one of the lists whose freedom is taken.
    fn one_of(
        self,
        source: &mut (impl Choices + ?Sized),
        lists: &[(Freedom, &[Text]); 3],
        plain: &'static str,
        out: &mut Vec<u8>,
    ) {
        let mut taken = [&[] as &[Text]; 3];
        let mut count = 0;
        for (freedom, texts) in lists {
            if let Some(place) = taken.get_mut(count).filter(|_| self.freedoms.has(*freedom)) {
                *place = texts;
                count += 1;
            }
        }
        match source.pick(taken.get(..count).unwrap_or_default()) {
            Some(texts) => write_padded(source, texts, out),
            None => out.extend_from_slice(plain.as_bytes()),
        }
    }

    /// Eight digits of the server, or anything at all.
    fn opaque(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        if self.freedoms.has(Freedom::Limits) && source.one_in(8) {
            let times = source.between(2, 256) as usize;
            out.resize(out.len() + 8 * times, b'F');
            write_digits(source, Case::Upper, 1, out);
        } else if self.freedoms.has(Freedom::Separators) && source.one_in(2) {
            write_text(source, &["aB/+=c; d,e", "a b", "=", ",", "a=b, opaque=c"], out);
        } else if self.freedoms.has(Freedom::Backslashes) && self.kind.scheme.signs() && source.one_in(2) {
            write_text(source, &["a\\b", "\\"], out);
        } else {
            write_digits(source, Case::Upper, 1, out);
        }
    }

    /// [MS-SIPAE] SIPAE-2.2-13: a service principal name with Kerberos.
    fn target(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        if self.kind.scheme == Scheme::Kerberos {
            out.extend_from_slice(b"sip/");
        }
        write_padded(source, HOSTS, out);
        if self.freedoms.has(Freedom::Limits) && source.one_in(8) {
            // RFC 1035 2.3.4: a label has at most 63 octets.
            out.push(b'.');
            out.resize(out.len() + 63, b'a');
        }
        write_padded(source, DOMAINS, out);
    }

    /// The header of a real token of the scheme, and octets: header fields are read here, no tokens.
    fn token(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        let beginning = match (self.kind.scheme, self.kind.phase) {
            (Scheme::Ntlm, Phase::First) => return,
            (Scheme::Ntlm, Phase::Continuation) => "TlRMTVNTUAACAAAA",
            (Scheme::Ntlm, _) => "TlRMTVNTUAADAAAA",
            (Scheme::Kerberos, _) => "YIIFQwYJKoZIhvcSAQICAQBu",
            _ => "FgMBAEcBAABDAwFR",
        };
        out.extend_from_slice(beginning.as_bytes());
        if self.freedoms.has(Freedom::Limits) && source.one_in(16) {
            out.resize(out.len() + LONG_TOKEN, b'A');
        }
        for _ in 0..source.below(12) {
            let word = source.below(1 << 24);
            let character = |shift: u32| BASE64.get((word >> shift & 0x3F) as usize).copied().unwrap_or(b'A');
            out.extend_from_slice(&[18, 12, 6, 0].map(character));
        }
        write_text(source, &["", "AA==", "AAA="], out);
    }

    fn salt(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        let case = if self.kind.phase == Phase::Server { Case::Upper } else { Case::Lower };
        let start = out.len();
        write_digits(source, case, 1, out);
        if self.freedoms.has(Freedom::Digits) && source.one_in(2) {
            flip(source.below(256), out.get_mut(start..).unwrap_or_default());
        }
    }

    /// From 1 to 2^32-1 ([MS-SIPAE] SIPAE-2.2-10).
    fn number(self, source: &mut (impl Choices + ?Sized)) -> u32 {
        if self.freedoms.has(Freedom::Limits) && source.one_in(4) {
            source.pick(&[1, u32::MAX, 256, 257]).copied().unwrap_or(1)
        } else {
            source.below(u32::MAX) + 1
        }
    }

    /// In the form of the scheme's token.
    fn signature(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        let (before, choices, behind) = match self.kind.scheme {
            Scheme::Ntlm => source.pick(NTLM).copied(),
            Scheme::Kerberos => source.pick(KERBEROS).copied(),
            Scheme::TlsDsk => source.pick(TLS_DSK).copied(),
            _ => Some(("", 4, "")),
        }
        .unwrap_or_default();
        out.extend_from_slice(before.as_bytes());
        write_digits(source, Case::Lower, choices, out);
        out.extend_from_slice(behind.as_bytes());
    }

    /// Eight digits above zero.
    fn count(self, source: &mut (impl Choices + ?Sized), out: &mut Vec<u8>) {
        let counts =
            if self.freedoms.has(Freedom::Limits) { &["00000001", "ffffffff"][..] } else { &["00000001"] };
        write_text(source, counts, out);
    }
}

/// What of a signature is fixed, and how many choices lie between.
type Signature = (&'static str, usize, &'static str);

/// With extended session security, and without.
const NTLM: &[Signature] = &[("01000000", 2, "64000000"), ("0100000000000000", 2, "")];
/// RC4-HMAC in RFC 1964 framing, AES as in RFC 4121.
const KERBEROS: &[Signature] =
    &[("602306092a864886f71201020201011100ffffffff", 4, ""), ("040404ffffffffff0000000000000000", 3, "")];
/// MD5, SHA-1, SHA-256, SHA-384.
const TLS_DSK: &[Signature] = &[("", 4, ""), ("", 5, ""), ("", 8, ""), ("", 12, "")];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sipae::auth::AuthHeader;
    use sipae::digest::{DigestChallenge, DigestCredential};
    use sipae::message::Value;
    use sipae_spec::{Diagnostic, Severity};

    use super::*;
    use crate::source::{Fast, Recorded};

    fn drawn(seed: u64, freedoms: Freedoms) -> Header {
        let mut source = Fast::new(seed);
        let kind = Kind::drawn(&mut source);
        header(&mut source, freedoms, kind)
    }

    /// What a careful reader remarks, notes apart.
    fn remarks(header: &Header) -> BTreeSet<Diagnostic> {
        let read = AuthHeader::read(Value(&header.text));
        let remarks = read.findings().into_iter().map(|finding| finding.diagnostic);
        remarks.filter(|diagnostic| diagnostic.severity() != Severity::Note).collect()
    }

    #[test]
    fn nothing_is_remarked_at_what_is_conforming() {
        for seed in 0..5000 {
            let header = drawn(seed, Freedoms::STRICT);
            assert_eq!(remarks(&header), BTreeSet::new(), "{}", String::from_utf8_lossy(&header.text));
        }
    }

    #[test]
    fn two_freedoms_are_remarked_as_they_say() {
        let documented = BTreeSet::from([Diagnostic::SchemeSpelling, Diagnostic::ValueUnquoted]);
        let seen: BTreeSet<_> = (0..2000).flat_map(|seed| remarks(&drawn(seed, Freedoms::ALL))).collect();
        assert_eq!(seen, documented);
    }

    #[test]
    fn what_was_meant_is_what_is_read() {
        for seed in 0..5000 {
            let header = drawn(seed, Freedoms::ALL);
            let read = AuthHeader::read(Value(&header.text));
            let shown = String::from_utf8_lossy(&header.text);
            assert_eq!((read.malformed(), read.scheme()), (None, Some(header.kind.scheme)), "{shown}");
            let meant = |name: &str| header.params().find(|(other, _)| *other == name);
            for param in AuthParam::ALL {
                let is_signature = matches!(param, Response | Rspauth);
                let said = |text: Vec<u8>| if is_signature { text.to_ascii_lowercase() } else { text };
                let read = read.get(*param).map(|value| said(value.unfolded().into_owned()));
                assert_eq!(read, meant(param.name()).map(|(_, value)| value.to_vec()), "{param}: {shown}");
            }
        }
    }

    #[test]
    fn fields_of_digest_are_read_as_challenges_and_credentials() {
        for seed in 0..2000 {
            let header = drawn(seed, Freedoms::ALL);
            let text = Value(&header.text);
            let shown = String::from_utf8_lossy(&header.text);
            match (header.kind.scheme, header.kind.phase) {
                (Scheme::Digest, Phase::Client) => {
                    assert!(DigestCredential::read(text).is_ok(), "{shown}");
                }
                (Scheme::Digest, _) => assert!(DigestChallenge::read(text).is_ok(), "{shown}"),
                _ => {}
            }
        }
    }

    #[test]
    fn every_kind_is_drawn_and_stands_in_the_field_that_was_asked_for() {
        let mut source = Fast::new(1);
        let kinds: BTreeSet<Kind> = (0..2000).map(|_| Kind::drawn(&mut source)).collect();
        assert_eq!(kinds.len(), 7 + 18 + 12 + 2);
        let names = [HeaderName::CREDENTIALS, HeaderName::CHALLENGES, HeaderName::SIGNATURES].concat();
        for name in names {
            assert!(Kind::in_field(&mut source, name).phase.names().contains(&name));
        }
    }

    #[test]
    fn the_plainest_field_is_that_of_a_signed_message_of_ntlm() {
        let mut source = Recorded::default();
        let kind = Kind::drawn(&mut source);
        let expected = "NTLM qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"00000000\", \
                        crand=\"00000000\", cnum=\"1\", targetname=\"server.contoso.com\", \
                        response=\"01000000000000000000000064000000\"";
        let plain = header(&mut source, Freedoms::NONE, kind);
        assert_eq!(String::from_utf8_lossy(&plain.text), expected);
    }
}
