//! TLS 1.0 to 1.2 by OpenSSL, RSA key exchange and old suites included.

use std::fmt;
use std::io::{self, Read, Write};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Error, ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSessionCacheMode,
    SslStream, SslVerifyMode, SslVersion,
};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509VerifyResult};
use sipae::clock::Time;
use sipae::side::Side;
use sipae::tlsdsk::{
    Alert, Hash, KEY_MATERIAL_LABEL, KEY_MATERIAL_LENGTH, TLS_1_0, TLS_1_1, TLS_1_2, TlsDskError, TlsEngine,
    TlsOutcome, TlsProvider,
};

use super::{TlsDskIdentity, TlsDskSettings, TlsDskVersion, certificate};

/// Settings as OpenSSL has them.
pub(super) struct Legacy {
    client: SslContext,
    server: Option<SslContext>,
}

impl Legacy {
    pub(super) fn new(settings: &TlsDskSettings) -> Result<Self, TlsDskError> {
        let trusted = trusted(&settings.trusted)?;
        let client = context(settings, &trusted).map_err(refused)?.build();
        let server = match &settings.identity {
            Some(_) => Some(server(settings, &trusted).map_err(refused)?),
            None => None,
        };
        Ok(Self { client, server })
    }
}

impl TlsProvider for Legacy {
    fn engine(&self, side: Side, now: Time) -> Result<Box<dyn TlsEngine>, TlsDskError> {
        let context = match (side, &self.server) {
            (Side::Client, _) => &self.client,
            (Side::Server, Some(server)) => server,
            (Side::Server, None) => {
                return Err(TlsDskError::Settings("a server needs a certificate".to_owned()));
            }
        };
        Ok(Box::new(Engine { stream: stream(context, side, now).map_err(refused)?, outcome: None }))
    }
}

impl fmt::Debug for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSSL").field("is_server", &self.server.is_some()).finish_non_exhaustive()
    }
}

fn stream(context: &SslContext, side: Side, now: Time) -> Result<SslStream<Pipe>, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    ssl.param_mut().set_time((now.0 / 1000).try_into().unwrap_or_default());
    match side {
        Side::Client => ssl.set_connect_state(),
        Side::Server => ssl.set_accept_state(),
    }
    SslStream::new(ssl, Pipe::default())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: ErrorStack) -> TlsDskError {
    TlsDskError::Settings(words(&error))
}

fn trusted(pems: &[String]) -> Result<Vec<X509>, TlsDskError> {
    let mut trusted = Vec::new();
    for pem in pems {
        trusted.extend(X509::stack_from_pem(pem.as_bytes()).map_err(refused)?);
    }
    if trusted.is_empty() {
        return Err(TlsDskError::Settings("no PEM certificate of an authority".to_owned()));
    }
    Ok(trusted)
}

/// How many authorities may stand between a certificate and its root: as many as rustls takes.
const LONGEST_CHAIN: u32 = 6;

fn context(settings: &TlsDskSettings, trusted: &[X509]) -> Result<SslContextBuilder, ErrorStack> {
    let mut context = SslContextBuilder::new(SslMethod::tls())?;
    context.set_min_proto_version(Some(version(settings.oldest)))?;
    context.set_max_proto_version(Some(version(settings.newest)))?;
    // Old versions sign with MD5 and SHA-1, which only the lowest level of security allows.
    let suites = settings.suites.as_deref().unwrap_or("ALL:!aNULL:!eNULL:!PSK:!SRP");
    context.set_cipher_list(&format!("{suites}:@SECLEVEL=0"))?;
    context.set_options(SslOptions::NO_TICKET | SslOptions::NO_COMPRESSION | SslOptions::NO_RENEGOTIATION);
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    context.set_verify_depth(LONGEST_CHAIN);
    let mut store = X509StoreBuilder::new()?;
    for certificate in trusted {
        store.add_cert(certificate.clone())?;
    }
    context.set_cert_store(store.build());
    if let Some(identity) = &settings.identity {
        show(&mut context, identity)?;
    }
    Ok(context)
}

fn show(context: &mut SslContextBuilder, identity: &TlsDskIdentity) -> Result<(), ErrorStack> {
    let mut chain = X509::stack_from_pem(identity.certificates.as_bytes())?.into_iter();
    if let Some(own) = chain.next() {
        context.set_certificate(&own)?;
    }
    for between in chain {
        context.add_extra_chain_cert(between)?;
    }
    context.set_private_key(PKey::private_key_from_pem(identity.key.as_bytes())?.as_ref())?;
    context.check_private_key()
}

/// A server names the authorities that it trusts: a client is known that needs one name at least.
fn server(settings: &TlsDskSettings, trusted: &[X509]) -> Result<SslContext, ErrorStack> {
    let mut context = context(settings, trusted)?;
    let mut names = Stack::new()?;
    for certificate in trusted {
        names.push(certificate.subject_name().to_owned()?)?;
    }
    context.set_client_ca_list(names);
    Ok(context.build())
}

const fn version(version: TlsDskVersion) -> SslVersion {
    match version {
        TlsDskVersion::V1_0 => SslVersion::TLS1,
        TlsDskVersion::V1_1 => SslVersion::TLS1_1,
        TlsDskVersion::V1_2 => SslVersion::TLS1_2,
    }
}

/// The two directions of a connection that is made of flights.
#[derive(Debug, Default)]
struct Pipe {
    input: io::Cursor<Vec<u8>>,
    output: Vec<u8>,
}

impl Pipe {
    fn left(&self) -> usize {
        let read = usize::try_from(self.input.position()).unwrap_or(usize::MAX);
        self.input.get_ref().len().saturating_sub(read)
    }
}

impl Read for Pipe {
    /// What is not there yet comes with the next flight.
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        match self.input.read(octets)? {
            0 if !octets.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Engine {
    stream: SslStream<Pipe>,
    outcome: Option<TlsOutcome>,
}

impl TlsEngine for Engine {
    fn feed(&mut self, records: &[u8]) -> Result<Vec<u8>, TlsDskError> {
        self.stream.get_mut().input = io::Cursor::new(records.to_vec());
        match self.stream.do_handshake() {
            Ok(()) if 0 < self.stream.get_ref().left() => {
                return Err(TlsDskError::Protocol("records follow Finished".to_owned()));
            }
            Ok(()) => self.outcome = Some(self.complete()?),
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(error) => return Err(self.told(&error)),
        }
        Ok(std::mem::take(&mut self.stream.get_mut().output))
    }

    fn outcome(&self) -> Option<TlsOutcome> {
        self.outcome.clone()
    }
}

impl Engine {
    fn complete(&self) -> Result<TlsOutcome, TlsDskError> {
        let ssl = self.stream.ssl();
        let mut key_material = [0; KEY_MATERIAL_LENGTH];
        let label = str::from_utf8(KEY_MATERIAL_LABEL).unwrap_or_default();
        ssl.export_keying_material(&mut key_material, label, None).map_err(|error| protocol(&error))?;
        let suite = ssl.current_cipher().map_or(0, |cipher| u16::from_be_bytes(cipher.protocol_id()));
        let version = number(ssl.version_str());
        let hash = Hash::of_suite(suite, version).ok_or(TlsDskError::Suite { suite, version })?;
        let peer = ssl.peer_certificate().map(|peer| peer.to_der()).transpose();
        let peer = peer.map_err(|error| protocol(&error))?;
        Ok(TlsOutcome { key_material, hash, peer: peer.map(|der| certificate::read(&der)).transpose()? })
    }

    fn told(&self, error: &Error) -> TlsDskError {
        let Some(stack) = error.ssl_error() else { return TlsDskError::Protocol(error.to_string()) };
        // Other parts of the library have reasons of the same numbers.
        let mut of_tls = stack.errors().iter().filter(|error| error.library_code() == LIBRARY_SSL);
        let known = of_tls.find_map(|error| reason(error.reason_code(), stack));
        match known {
            Some(Reason::Distrust) => distrust(self.stream.ssl().verify_result()),
            Some(Reason::Told(error)) => error,
            None => protocol(stack),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSSL").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

fn number(version: &str) -> u16 {
    match version {
        "TLSv1" => TLS_1_0,
        "TLSv1.1" => TLS_1_1,
        "TLSv1.2" => TLS_1_2,
        _ => 0,
    }
}

enum Reason {
    /// The result of the check says why.
    Distrust,
    Told(TlsDskError),
}

/// Reasons of `SSL_R_*` that are told apart; their numbers are part of the interface of OpenSSL.
fn reason(code: i32, stack: &ErrorStack) -> Option<Reason> {
    let alert = u8::try_from(code.saturating_sub(ALERTS)).ok();
    let told = match code {
        CERTIFICATE_VERIFY_FAILED => return Some(Reason::Distrust),
        PEER_DID_NOT_RETURN_A_CERTIFICATE => TlsDskError::CertificateAbsent,
        code if INCOMPATIBLE.contains(&code) => TlsDskError::Incompatible(words(stack)),
        code if PROOF.contains(&code) => TlsDskError::Proof(words(stack)),
        _ => TlsDskError::Alert(Alert::fatal(alert?)),
    };
    Some(Reason::Told(told))
}

/// `ERR_LIB_SSL`.
const LIBRARY_SSL: i32 = 20;
/// Alerts of the peer are reasons from here on.
const ALERTS: i32 = 1000;
const CERTIFICATE_VERIFY_FAILED: i32 = 134;
const PEER_DID_NOT_RETURN_A_CERTIFICATE: i32 = 199;
/// No ciphers available, no protocols available, no shared cipher, unknown protocol, unsupported protocol, wrong
/// version number, version too low, no suitable signature algorithm.
const INCOMPATIBLE: [i32; 8] = [181, 191, 193, 252, 258, 267, 396, 118];
/// Bad signature, digest check failed, decryption failed or bad record MAC.
const PROOF: [i32; 3] = [123, 149, 281];

fn distrust(result: X509VerifyResult) -> TlsDskError {
    let text = result.error_string().to_owned();
    match result.as_raw() {
        9 => TlsDskError::CertificateNotYetValid,
        10 => TlsDskError::CertificateExpired,
        // No issuer, self-signed, a signature of another key.
        2 | 7 | 18..=21 => TlsDskError::CertificateUntrusted(text),
        _ => TlsDskError::CertificateInvalid(text),
    }
}

fn protocol(stack: &ErrorStack) -> TlsDskError {
    TlsDskError::Protocol(words(stack))
}

/// The reasons of the library, without the places in its sources.
fn words(stack: &ErrorStack) -> String {
    let reasons: Vec<&str> = stack.errors().iter().filter_map(openssl::error::Error::reason).collect();
    if reasons.is_empty() { "refused without a reason".to_owned() } else { reasons.join(", ") }
}
