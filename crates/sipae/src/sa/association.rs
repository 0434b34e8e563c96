//! Signing and verifying under a security association.

use sipae_spec::Diagnostic;

use super::{ReplayWindow, WindowError};
use crate::auth::{AuthHeader, AuthParam, AuthWriter, Scheme, Style, write_known};
use crate::buffer::{Field, SignatureBuffer, SignatureParams};
use crate::draft::Draft;
use crate::encoding::write_base16;
use crate::kerberos::KerberosMac;
use crate::message::{HeaderName, Message, Unwritten, Value};
use crate::ntlm::{DatagramMac, SessionKeys};
use crate::octets::slice;
use crate::side::Side;
use crate::tlsdsk::{TlsDskMac, TlsOutcome};
use crate::version::Version;
use crate::violation::{Breach, Violation};

/// The security context of a scheme: what signs and verifies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Context {
    /// NTLM: one keyed state for each direction.
    Ntlm {
        /// For what the client signs.
        client: DatagramMac,
        /// For what the server signs.
        server: DatagramMac,
    },
    /// Kerberos: tokens of GSS_GetMIC under the key of the GSS-API context.
    Kerberos(KerberosMac),
    /// TLS-DSK: HMACs under the keys of both sides.
    TlsDsk(Box<TlsDskMac>),
}

impl Context {
    /// The context of NTLM keys; `None` if they negotiated no signing.
    #[must_use]
    pub fn ntlm(keys: &SessionKeys) -> Option<Self> {
        let client = DatagramMac::for_sip(keys, Side::Client)?;
        Some(Self::Ntlm { client, server: DatagramMac::for_sip(keys, Side::Server)? })
    }

    /// The context of a TLS handshake.
    #[must_use]
    pub fn tls_dsk(outcome: &TlsOutcome) -> Self {
        Self::TlsDsk(Box::new(TlsDskMac::new(outcome.hash, &outcome.key_material)))
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        match self {
            Self::Ntlm { .. } => Scheme::Ntlm,
            Self::Kerberos(_) => Scheme::Kerberos,
            Self::TlsDsk(_) => Scheme::TlsDsk,
        }
    }

    /// The signature of a buffer.
    #[must_use]
    pub fn sign(&self, signer: Side, buffer: &[u8]) -> Vec<u8> {
        match self {
            Self::Ntlm { client, server } => side(signer, client, server).sign(buffer).to_vec(),
            Self::Kerberos(mac) => mac.sign(signer, buffer),
            Self::TlsDsk(mac) => mac.sign(signer, buffer),
        }
    }

    /// Whether a signature is that of the buffer.
    #[must_use]
    pub fn verify(&self, signer: Side, buffer: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ntlm { client, server } => side(signer, client, server).verify(buffer, signature),
            Self::Kerberos(mac) => mac.verify(signer, buffer, signature),
            Self::TlsDsk(mac) => mac.verify(signer, buffer, signature),
        }
    }
}

const fn side<T>(signer: Side, client: T, server: T) -> T
where
    T: Copy,
{
    match signer {
        Side::Client => client,
        Side::Server => server,
    }
}

/// What a challenge fixes for a security association, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The scheme.
    pub scheme: Scheme,
    /// `realm`.
    pub realm: Vec<u8>,
    /// `targetname`; for Kerberos with `sip/`.
    pub targetname: Vec<u8>,
    /// The version.
    pub version: Version,
}

impl Parameters {
    /// The name of the server: targetname, without the service of Kerberos before it.
    #[must_use]
    pub fn server(&self) -> &[u8] {
        let stripped = self.targetname.strip_prefix(b"sip/").filter(|_| self.scheme == Scheme::Kerberos);
        stripped.unwrap_or(&self.targetname)
    }

    /// Reads them out of a challenge.
    ///
    /// # Errors
    /// Names the parameter that is missing or cannot be used ([MS-SIPAE] SIPAE-3.2.5.1-04).
    pub fn of(challenge: &AuthHeader<'_>) -> Result<Self, Breach> {
        let text = |param| challenge.get(param).map(|value| value.unfolded().into_owned());
        let required = |param| text(param).ok_or(Breach::ParamMissing { param });
        let number =
            challenge.version().map_err(|diagnostic| refuse(HeaderName::WwwAuthenticate, diagnostic))?;
        Ok(Self {
            scheme: challenge.scheme().ok_or(Breach::Scheme)?,
            realm: required(AuthParam::Realm)?,
            targetname: required(AuthParam::Targetname)?,
            version: Version::from_number(number).ok_or(Breach::Version { found: number })?,
        })
    }

    /// Whether a header field names the same scheme, realm and target; realm and target are compared with regard to
    /// case (SIPAE-2.2-12, SIPAE-3.2.5.2-01).
    #[must_use]
    pub fn fit(&self, header: &AuthHeader<'_>) -> bool {
        if header.scheme() != Some(self.scheme) {
            return false;
        }
        let is = |param, text: &[u8]| header.get(param).is_some_and(|value| *value.unfolded() == *text);
        is(AuthParam::Realm, &self.realm) && is(AuthParam::Targetname, &self.targetname)
    }

    /// A header field that begins with them: scheme, `qop`, `realm`, `targetname`.
    #[must_use]
    pub fn writer(&self) -> AuthWriter {
        AuthWriter::new(self.scheme)
            .param(AuthParam::Qop, "auth")
            .param(AuthParam::Realm, &self.realm)
            .param(AuthParam::Targetname, &self.targetname)
    }
}

fn refuse(header: HeaderName, diagnostic: Diagnostic) -> Breach {
    Breach::Header { header, diagnostic }
}

/// How a signature is written into a message.
#[derive(Clone, Debug)]
pub struct SignOptions {
    /// The header field that carries it.
    pub header: HeaderName,
    /// Order and quoting.
    pub style: Style,
    /// Whether `version` is written: Lync does, Office Communications Server does not.
    pub with_version: bool,
    /// `gssapi-data` of the request that completes a handshake.
    pub token: Option<String>,
    /// The number to use in place of the next one.
    pub number: Option<u32>,
    /// What is written, and signed, for the number: only faulty messages have anything else there than its digits.
    pub number_text: Option<String>,
    /// What is written, and signed, for crand or srand in place of eight digits.
    pub rand_text: Option<String>,
}

impl SignOptions {
    /// In this header field, in canonical style.
    #[must_use]
    pub const fn new(header: HeaderName) -> Self {
        Self {
            header,
            style: Style::CANONICAL,
            with_version: false,
            token: None,
            number: None,
            number_text: None,
            rand_text: None,
        }
    }
}

/// One side's view of a security association.
#[derive(Clone, Debug)]
pub struct SecurityAssociation {
    /// What the challenge fixed.
    pub parameters: Parameters,
    /// The server's index, echoed octet by octet (SIPAE-2.2-14).
    pub opaque: Vec<u8>,
    /// The side that this is: what it signs, and what it verifies is the other's.
    pub signer: Side,
    /// What signs.
    pub context: Context,
    next: Option<u32>,
    window: ReplayWindow,
}

impl SecurityAssociation {
    /// A new association; numbers begin at 1 in both directions.
    #[must_use]
    pub fn new(parameters: Parameters, opaque: Vec<u8>, signer: Side, context: Context) -> Self {
        Self { parameters, opaque, signer, context, next: Some(1), window: ReplayWindow::default() }
    }

    /// The next number this side would use; `None` when 2^32-1 has been used and a new association is due.
    #[must_use]
    pub const fn next_number(&self) -> Option<u32> {
        self.next
    }

    /// Leaves a number out: gaps are legal (SIPAE-3.1.1-08).
    pub fn skip_number(&mut self) {
        self.next = self.next.and_then(|number| number.checked_add(1));
    }

    /// Leaves out all numbers below this one that have not been used; nothing where they have.
    pub fn skip_to(&mut self, number: u32) {
        self.next = self.next.map(|next| next.max(number));
    }

    /// The window over the numbers of the peer.
    #[must_use]
    pub const fn window(&self) -> &ReplayWindow {
        &self.window
    }

    /// Signs a message: replaces the credential that it has for this association, in either header field, and counts.
    /// Credentials for others stay (SIPAE-3.2.1-05). The covered header fields must be final (SIPAE-3.2.4.1-24). `rand`
    /// becomes crand or srand.
    ///
    /// # Errors
    /// When the message is unfit for signing, see [`SignatureBuffer::new`], when a value would make the buffer
    /// ambiguous (SIPAE-2.2-27), or when the numbers are used up (SIPAE-3.1.1-11).
    pub fn sign(&mut self, draft: &mut Draft, rand: [u8; 4], options: &SignOptions) -> Result<(), Breach> {
        let number = self.number_to_use(options)?;
        let texts = Texts::new(self.signer, rand, number);
        let (rand, number_text) = texts.with(options);
        let mut header = Vec::with_capacity(512);
        let (params, version) = (self.signature_params(rand, number_text), self.parameters.version);
        let mut write =
            |buffer: SignatureBuffer<'_>| self.write_signed(&buffer, rand, number_text, options, &mut header);
        match Unwritten::of(draft) {
            Some(message) => write(SignatureBuffer::of_unwritten(&message, &params, version)?)?,
            None => draft.read(|message| SignatureBuffer::new(message, &params, version).map(write))??,
        }
        self.remove_own(draft);
        draft.push(options.header, header);
        self.count(number, options);
        Ok(())
    }

    /// Appends the value of the header field that signs a message, and counts. Whoever writes a message knows the values
    /// that are covered, so that it is not read again: for those who sign many.
    ///
    /// # Errors
    /// When a value would make the buffer ambiguous (SIPAE-2.2-27), or when the numbers are used up (SIPAE-3.1.1-11).
    pub fn sign_values<'a>(
        &mut self,
        is_response: bool,
        value: impl Fn(Field) -> Value<'a>,
        rand: [u8; 4],
        options: &SignOptions,
        out: &mut Vec<u8>,
    ) -> Result<(), Breach> {
        let number = self.number_to_use(options)?;
        let texts = Texts::new(self.signer, rand, number);
        let (rand, number_text) = texts.with(options);
        let params = self.signature_params(rand, number_text);
        let value = |field| value(field);
        let buffer = SignatureBuffer::of_values(self.parameters.version, is_response, &params, value);
        self.write_signed(&buffer, rand, number_text, options, out)?;
        self.count(number, options);
        Ok(())
    }

    fn number_to_use(&self, options: &SignOptions) -> Result<u32, Breach> {
        options.number.or(self.next).ok_or(Breach::NumbersUsedUp)
    }

    const fn count(&mut self, number: u32, options: &SignOptions) {
        if options.number.is_none() {
            self.next = number.checked_add(1);
        }
    }

    fn remove_own(&self, draft: &mut Draft) {
        let names = match self.signer {
            Side::Client => HeaderName::CREDENTIALS,
            Side::Server => HeaderName::SIGNATURES,
        };
        draft.headers.retain(|header| {
            let is_signature = names.iter().any(|name| header.is(*name));
            !(is_signature && self.parameters.fit(&AuthHeader::read(Value(&header.value))))
        });
    }

    /// The buffer stands in `out` while it is signed: nothing else is allocated for it.
    fn write_signed(
        &self,
        buffer: &SignatureBuffer<'_>,
        rand: &[u8],
        number: &[u8],
        options: &SignOptions,
        out: &mut Vec<u8>,
    ) -> Result<(), Breach> {
        let start = out.len();
        buffer.write_unambiguous(out).map_err(|field| Breach::Ambiguous { field })?;
        let signature = self.context.sign(self.signer, slice(out, start, out.len()));
        out.truncate(start);
        let mut digits = Vec::with_capacity(2 * signature.len());
        write_base16(&signature, false, &mut digits);
        self.write_header(rand, number, &digits, options, out);
        Ok(())
    }

    fn write_header(
        &self,
        rand: &[u8],
        number: &[u8],
        signature: &[u8],
        options: &SignOptions,
        out: &mut Vec<u8>,
    ) {
        let Self { parameters, opaque, signer, .. } = self;
        let version = parameters.version.param().filter(|_| options.with_version);
        let params = [
            (AuthParam::Qop, Some(&b"auth"[..])),
            (AuthParam::Realm, Some(parameters.realm.as_slice())),
            (AuthParam::Targetname, Some(parameters.targetname.as_slice())),
            (AuthParam::Opaque, Some(opaque.as_slice()).filter(|opaque| !opaque.is_empty())),
            (AuthParam::GssapiData, options.token.as_deref().map(str::as_bytes)),
            (signer.rand(), Some(rand)),
            (signer.number(), Some(number)),
            (signer.signature(), Some(signature)),
            (AuthParam::Version, version.map(str::as_bytes)),
        ];
        write_known(out, &options.style, parameters.scheme, &params);
    }

    fn signature_params<'a>(&'a self, rand: &'a [u8], number: &'a [u8]) -> SignatureParams<'a> {
        SignatureParams {
            protocol: self.parameters.scheme.name().as_bytes(),
            rand: Value(rand),
            number: Value(number),
            realm: Value(&self.parameters.realm),
            targetname: Value(&self.parameters.targetname),
        }
    }

    /// Verifies the peer's signature and, if it is good, its number: in this order (SIPAE-3.1.1-09).
    ///
    /// # Errors
    /// What the peer did wrong. A message with a bad signature changes nothing.
    pub fn verify(&mut self, message: &Message<'_>, header: &AuthHeader<'_>) -> Result<u32, Violation> {
        let by = self.signer.peer();
        let number = self.verify_signature(message, header).map_err(|breach| Violation { by, breach })?;
        self.accept(number).map_err(|breach| Violation { by, breach })
    }

    /// Verifies the peer's signature alone and gives its number.
    ///
    /// # Errors
    /// What is wrong with the signature.
    pub fn verify_signature(&self, message: &Message<'_>, header: &AuthHeader<'_>) -> Result<u32, Breach> {
        let peer = self.signer.peer();
        let name =
            if peer == Side::Client { HeaderName::Authorization } else { HeaderName::AuthenticationInfo };
        if let Some(diagnostic) = header.malformed() {
            return Err(refuse(name, diagnostic));
        }
        let missing = |param| Breach::ParamMissing { param };
        let bad = |diagnostic| refuse(name, diagnostic);
        header.get(peer.rand()).ok_or(missing(peer.rand())).and_then(|rand| check_rand(rand).map_err(bad))?;
        let number = header.number(peer.number()).map_err(bad)?.ok_or(missing(peer.number()))?;
        let signature = header.signature(peer.signature()).map_err(bad)?.ok_or(missing(peer.signature()))?;
        let params = SignatureParams::of(header, peer);
        let buffer = SignatureBuffer::new(message, &params, self.parameters.version)?;
        let mut text = Vec::with_capacity(256);
        buffer.write_unambiguous(&mut text).map_err(|field| Breach::Ambiguous { field })?;
        if !self.context.verify(peer, &text, &signature) {
            return Err(Breach::Signature);
        }
        Ok(number)
    }

    /// Checks a number against the window and marks it. Only for a message whose signature has verified.
    ///
    /// # Errors
    /// When it is replayed or below the window.
    pub(crate) fn accept(&mut self, number: u32) -> Result<u32, Breach> {
        self.window.accept(number).map(|()| number).map_err(|error| match error {
            WindowError::Replayed => Breach::Replayed { number },
            WindowError::TooOld | WindowError::Zero => Breach::TooOld { number },
        })
    }
}

/// The texts of rand and number in a header field.
struct Texts {
    rand: [u8; 8],
    number: [u8; 10],
    /// Where the number begins.
    start: usize,
}

impl Texts {
    fn new(signer: Side, rand: [u8; 4], number: u32) -> Self {
        let mut texts = Self { rand: [0; 8], number: [b'0'; 10], start: 9 };
        texts.set_rand(rand, signer == Side::Server);
        texts.set_number(number);
        texts
    }

    fn set_rand(&mut self, rand: [u8; 4], is_upper: bool) {
        let encode = if is_upper { base16ct::upper::encode } else { base16ct::lower::encode };
        // Eight digits for four octets.
        let _: Result<&[u8], _> = encode(&rand, &mut self.rand);
    }

    fn set_number(&mut self, number: u32) {
        let mut rest = number;
        for (place, digit) in self.number.iter_mut().enumerate().rev() {
            if rest == 0 {
                break;
            }
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            self.start = place;
            rest /= 10;
        }
    }

    /// Those that are written: only faulty messages have others.
    fn with<'o>(&'o self, options: &'o SignOptions) -> (&'o [u8], &'o [u8]) {
        let number = slice(&self.number, self.start, self.number.len());
        (
            options.rand_text.as_deref().map_or(&self.rand, str::as_bytes),
            options.number_text.as_deref().map_or(number, str::as_bytes),
        )
    }
}

/// Seven or nine digits are tolerated, as MS-SIP prints them; anything but digits is not (SIPAE-2.2-09).
fn check_rand(rand: Value<'_>) -> Result<(), Diagnostic> {
    let is_hex = !rand.raw().is_empty() && rand.raw().iter().all(u8::is_ascii_hexdigit);
    if is_hex { Ok(()) } else { Err(Diagnostic::RandNotHex) }
}
