//! What a server is and permits.

use std::sync::Arc;

use super::{Accounts, Conference};
use crate::auth::{ChallengeKind, Scheme, Style};
use crate::defects::{Defect, Defects};
use crate::kerberos::Acceptor;
use crate::message::Limits;
use crate::ntlm::NegotiateFlags;
use crate::sa::{Durations, Parameters};
use crate::tlsdsk::TlsProvider;
use crate::version::Version;

/// What a server is and permits.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// `realm` of every challenge, fixed at start (SIPAE-3.3.3-01).
    pub realm: Vec<u8>,
    /// The fully qualified name of the server: `targetname` of every challenge, that of Kerberos with `sip/` in front.
    pub host: String,
    /// The version that is offered.
    pub version: Version,
    /// The schemes that are offered, in the order of their lines. One that lacks what it needs is left out
    /// (SIPAE-3.3.3-04).
    pub schemes: Vec<Scheme>,
    /// What Kerberos needs: the keys of the service `sip/` on this host.
    pub kerberos: Option<Acceptor>,
    /// What TLS-DSK needs.
    pub tls_dsk: Option<TlsDskService>,
    /// NetBIOS name of the domain.
    pub domain: String,
    /// 401 or 407.
    pub kind: ChallengeKind,
    /// Who may authenticate.
    pub accounts: Accounts,
    /// What may be joined without an account: Digest is for that alone, and no scheme of `schemes`.
    pub conferences: Vec<Conference>,
    /// Flags of the CHALLENGE.
    pub flags: NegotiateFlags,
    /// Timers.
    pub durations: Durations,
    /// Bounds for messages.
    pub limits: Limits,
    /// Order and quoting of what the server writes.
    pub style: Style,
    /// Whether signatures carry `version`, as Lync's do.
    pub with_version: bool,
    /// Seconds granted to a REGISTER that asks for none, and at most.
    pub expires: u32,
    /// Whether NTLMv1 responses are accepted.
    pub accept_ntlm_v1: bool,
    /// Unfinished handshakes kept at once; the oldest gives way (SIPAE-3.3.5.2-30).
    pub negotiations: usize,
    /// Established associations kept at once; the least recently used gives way.
    pub associations: usize,
    /// Forwarded requests that wait for an answer at once; the oldest of the busiest connection gives way.
    pub transactions: usize,
    /// The planted bug, if any.
    pub defects: Defects,
}

/// What a server needs to offer TLS-DSK (SIPAE-3.3.3-04).
#[derive(Clone, Debug)]
pub struct TlsDskService {
    /// Makes the engines of its handshakes: they know the server's certificate, and whose certificates are trusted.
    pub provider: Arc<dyn TlsProvider>,
    /// Where clients get their certificates: an https URL.
    pub sts_uri: String,
}

impl ServerConfig {
    /// A Lync-like server: 401, NTLM with extended session security, realm `SIP Communications Service`.
    #[must_use]
    pub fn new(host: &str, version: Version, accounts: Accounts) -> Self {
        Self {
            realm: b"SIP Communications Service".to_vec(),
            host: host.to_owned(),
            version,
            schemes: vec![Scheme::Ntlm],
            kerberos: None,
            tls_dsk: None,
            domain: accounts.domain().unwrap_or("CONTOSO").to_owned(),
            kind: ChallengeKind::Www,
            accounts,
            conferences: Vec::new(),
            flags: NegotiateFlags::SERVER,
            durations: Durations::default(),
            limits: Limits { head: 64 * 1024, header_field: 64 * 1024, body: 256 * 1024, ..Limits::DEFAULT },
            style: Style::CANONICAL,
            with_version: true,
            expires: 7200,
            accept_ntlm_v1: false,
            negotiations: 4096,
            associations: 65_536,
            transactions: 1024,
            defects: Defects::NONE,
        }
    }

    /// What the challenge line of a scheme says.
    #[must_use]
    pub fn parameters(&self, scheme: Scheme) -> Parameters {
        let is_kerberos = scheme == Scheme::Kerberos && !self.defects.has(Defect::KerberosTargetnameIsHost);
        let has_service = is_kerberos || self.defects.has(Defect::TargetnameIsService);
        let service = if has_service { "sip/" } else { "" };
        let realm = match self.defects.has(Defect::RealmOfAnotherProduct) {
            true => self.domain.clone().into_bytes(),
            false => self.realm.clone(),
        };
        Parameters {
            scheme,
            realm,
            targetname: format!("{service}{}", self.host).into_bytes(),
            version: self.version,
        }
    }

    /// What its challenges say: a line for each scheme that it can offer.
    #[must_use]
    pub fn offers(&self) -> Vec<Parameters> {
        let offered = self.schemes.iter().copied().filter(|scheme| self.has(*scheme));
        offered.map(|scheme| self.parameters(scheme)).collect()
    }

    /// Whether there is what a scheme needs.
    fn has(&self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::Ntlm => true,
            Scheme::Kerberos => self.kerberos.is_some(),
            Scheme::TlsDsk => self.tls_dsk.is_some(),
            Scheme::Digest => false,
        }
    }
}
