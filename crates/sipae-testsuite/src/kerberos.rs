//! A Kerberos service with known keys, and tokens for it, for whoever reads tokens.

use sipae::clock::{Entropy, Time};
use sipae::kerberos::{
    Acceptor, Authenticator, EncApRepPart, EncTicketPart, EncryptionType, Initiate, Initiated, KerberosError,
    KerberosMac, KerberosTime, Key, Keytab, KrbError, Mint, Principal, ReplayCache, ServiceKey,
    ServiceTicket,
};
use sipae::side::Side;

/// The time at which all tokens are good: that of the tokens of MIT krb5 in the vectors.
pub const NOW: Time = Time(1_795_417_314_000);

/// A text to sign.
pub const BUFFER: &[u8] = b"<Kerberos><0a1b2c3d><1><SIP Communications Service><sip/server.contoso.com>";

/// Octets without any surprise: each one differs from the one before.
pub fn entropy() -> impl Entropy {
    let mut state = 0_u8;
    move |octets: &mut [u8]| {
        for octet in octets {
            state = state.wrapping_mul(5).wrapping_add(17);
            *octet = state;
        }
    }
}

/// The service.
#[must_use]
pub fn service() -> Principal {
    Principal::service("sip", "server.contoso.com", "CONTOSO.COM")
}

/// The user.
#[must_use]
pub fn client() -> Principal {
    Principal::user("alice", "CONTOSO.COM")
}

fn key(etype: EncryptionType, octet: u8) -> Result<Key, KerberosError> {
    Key::new(etype, &vec![octet; etype.key_length()])
}

/// The key of the service.
///
/// # Errors
/// None: the keys have the lengths of their types.
pub fn service_key(etype: EncryptionType) -> Result<Key, KerberosError> {
    key(etype, 0x11)
}

/// The key of every ticket.
///
/// # Errors
/// None: the keys have the lengths of their types.
pub fn session_key(etype: EncryptionType) -> Result<Key, KerberosError> {
    key(etype, 0x22)
}

fn service_keys() -> Result<Vec<ServiceKey>, KerberosError> {
    let key = |etype| Ok(ServiceKey { principal: service(), kvno: 1, key: service_key(etype)? });
    EncryptionType::ALL.into_iter().map(key).collect()
}

/// The service, with a key of each type.
///
/// # Errors
/// None: the keys have the lengths of their types.
pub fn acceptor() -> Result<Acceptor, KerberosError> {
    service_keys().map(Acceptor::new)
}

/// A ticket for the service.
///
/// # Errors
/// None: the keys have the lengths of their types.
pub fn ticket(etype: EncryptionType) -> Result<ServiceTicket, KerberosError> {
    Mint::new(client(), service(), session_key(etype)?, NOW).mint(&service_key(etype)?, &mut entropy())
}

/// An AP-REQ for the service.
///
/// # Errors
/// None: the keys have the lengths of their types.
pub fn initiated(etype: EncryptionType, mutual: bool) -> Result<Initiated, KerberosError> {
    Initiate { mutual, ..Initiate::new(NOW) }.token(&ticket(etype)?, &mut entropy())
}

/// What goes over the wire, what is encrypted in it, and a keytab; by name.
///
/// # Errors
/// None: the tokens are good.
pub fn samples() -> Result<Vec<(String, Vec<u8>)>, KerberosError> {
    let mut samples = vec![
        ("keytab".to_owned(), Keytab::write(&service_keys()?)),
        ("krb-error".to_owned(), error().write()),
        ("plain-ticket".to_owned(), plain_ticket()?.write()),
        ("plain-authenticator".to_owned(), plain_authenticator()?.write()),
        ("plain-ap-rep".to_owned(), plain_reply()?.write()),
    ];
    for etype in EncryptionType::ALL {
        let one_way = initiated(etype, false)?;
        let mutual = initiated(etype, true)?;
        let reply =
            acceptor()?.accept(&mutual.token, NOW, &mut ReplayCache::default(), &mut entropy())?.reply;
        samples.push((format!("ap-req-one-way-{etype}"), one_way.token));
        samples.push((format!("ap-req-mutual-{etype}"), mutual.token));
        samples.push((format!("ap-rep-{etype}"), reply.unwrap_or_default()));
        let mac = KerberosMac::new(&session_key(etype)?, false);
        samples.push((format!("mic-client-{etype}"), mac.sign(Side::Client, BUFFER)));
        samples.push((format!("mic-server-{etype}"), mac.sign(Side::Server, BUFFER)));
    }
    Ok(samples)
}

fn error() -> KrbError {
    let text = Some("Clock skew too great".to_owned());
    KrbError { code: 37, time: KerberosTime::of(NOW), service: service(), text }
}

fn plain_ticket() -> Result<EncTicketPart, KerberosError> {
    let ServiceTicket { ticket, .. } = ticket(EncryptionType::Aes256)?;
    sipae::kerberos::Ticket::read(&ticket)?.decrypt(&service_key(EncryptionType::Aes256)?)
}

fn plain_authenticator() -> Result<Authenticator, KerberosError> {
    let Initiated { token, .. } = initiated(EncryptionType::Aes256, true)?;
    sipae::kerberos::ApReq::read(&token)?.decrypt_authenticator(&session_key(EncryptionType::Aes256)?)
}

fn plain_reply() -> Result<EncApRepPart, KerberosError> {
    let Authenticator { ctime, cusec, subkey, .. } = plain_authenticator()?;
    Ok(EncApRepPart { ctime, cusec, subkey, sequence: Some(0) })
}
