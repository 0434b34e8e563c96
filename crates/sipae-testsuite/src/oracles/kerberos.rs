//! Kerberos tokens: [`Acceptor`](sipae::kerberos::Acceptor), [`Initiated`](sipae::kerberos::Initiated),
//! [`KerberosMac`], [`Keytab`].

use std::sync::LazyLock;

use sipae::kerberos::{
    ApRep, ApReq, Authenticator, EncApRepPart, EncTicketPart, EncryptionType, Initiated, KerberosError,
    KerberosMac, Key, Keytab, KrbError, MicToken, ReplayCache, Ticket,
};
use sipae::side::Side;

use crate::kerberos::{BUFFER, NOW, acceptor, entropy, initiated, service, service_key, session_key};

/// What reads can be written and reads the same; a token is accepted once; a signature is that of its buffer, key and
/// side. Nothing panics, whatever the octets are taken for.
pub fn kerberos(data: &[u8]) {
    let held = plain(data).and_then(|()| tokens(data)).and_then(|()| signatures(data));
    assert_eq!(held, Ok(()), "keys of the right length");
    keytab(data);
}

/// What stands inside of what is encrypted: only who has the key can say it, and that may be any user.
fn plain(data: &[u8]) -> Result<(), KerberosError> {
    let (service_key, session_key) =
        (service_key(EncryptionType::Aes256)?, session_key(EncryptionType::Aes256)?);
    if let Ok(part) = EncTicketPart::read(data) {
        assert_eq!(EncTicketPart::read(&part.write()).as_ref(), Ok(&part));
        accepted_once(&with_ticket(&part, &service_key)?)?;
    }
    if let Ok(part) = Authenticator::read(data) {
        assert_eq!(Authenticator::read(&part.write()).as_ref(), Ok(&part));
        let request = ApReq::read(&initiated(EncryptionType::Aes256, false)?.token)?;
        let authenticator = part.encrypt(&session_key, &mut entropy());
        accepted_once(&ApReq { authenticator, ..request }.write())?;
    }
    if let Ok(part) = EncApRepPart::read(data) {
        assert_eq!(EncApRepPart::read(&part.write()).as_ref(), Ok(&part));
        let token = part.encrypt(&session_key, &mut entropy()).write();
        completed(&token)?;
    }
    Ok(())
}

/// The AP-REQ of somebody whom the KDC has given this ticket.
fn with_ticket(part: &EncTicketPart, service_key: &Key) -> Result<Vec<u8>, KerberosError> {
    let mut request = ApReq::read(&initiated(EncryptionType::Aes256, false)?.token)?;
    let mut authenticator = request.decrypt_authenticator(&session_key(EncryptionType::Aes256)?)?;
    authenticator.client = part.client.clone();
    if let Ok(key) = part.session_key.key("session key") {
        request.authenticator = authenticator.encrypt(&key, &mut entropy());
    }
    request.ticket = Ticket { service: service(), encrypted: part.encrypt(service_key, &mut entropy()) };
    Ok(request.write())
}

fn tokens(data: &[u8]) -> Result<(), KerberosError> {
    accepted_once(data)?;
    completed(data)?;
    if let Ok(request) = ApReq::read(data) {
        assert_eq!(ApReq::read(&request.write()), Ok(request));
    }
    if let Ok(ticket) = Ticket::read(data) {
        assert_eq!(Ticket::read(&ticket.write()), Ok(ticket));
    }
    if let Ok(reply) = ApRep::read(data) {
        assert_eq!(ApRep::read(&reply.write()), Ok(reply));
    }
    if let Ok(error) = KrbError::read(data) {
        assert_eq!(KrbError::read(&error.write()), Ok(error));
    }
    Ok(())
}

fn accepted_once(token: &[u8]) -> Result<(), KerberosError> {
    let (acceptor, mut replays) = (acceptor()?, ReplayCache::default());
    let mut accept = || acceptor.accept(token, NOW, &mut replays, &mut entropy());
    match accept() {
        Ok(accepted) => {
            assert!(accepted.service.is_service(&service()));
            assert_eq!(accept().err(), Some(KerberosError::Replay));
            signs(&accepted.mac, BUFFER);
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.rule().is_empty()),
    }
    Ok(())
}

/// The client reads it as the answer to its own AP-REQ.
fn completed(token: &[u8]) -> Result<(), KerberosError> {
    for initiated in WAITING.as_ref().map_err(Clone::clone)? {
        if let Ok(mac) = initiated.clone().complete(token) {
            signs(&mac, BUFFER);
        }
    }
    Ok(())
}

/// Clients that wait for an AP-REP, one for each type of key. They are made once: that takes longer than all else.
static WAITING: LazyLock<Result<Vec<Initiated>, KerberosError>> =
    LazyLock::new(|| EncryptionType::ALL.into_iter().map(|etype| initiated(etype, true)).collect());

fn signatures(data: &[u8]) -> Result<(), KerberosError> {
    for etype in EncryptionType::ALL {
        let mac = KerberosMac::new(&session_key(etype)?, false);
        signs(&mac, data);
        for side in [Side::Client, Side::Server] {
            if mac.verify(side, BUFFER, data) {
                assert!(MicToken::read(data).is_ok_and(|token| token.has_filler()));
                assert!(!mac.verify(side.peer(), BUFFER, data));
            }
        }
    }
    Ok(())
}

fn signs(mac: &KerberosMac, buffer: &[u8]) {
    for side in [Side::Client, Side::Server] {
        let signature = mac.sign(side, buffer);
        assert!(mac.verify(side, buffer, &signature));
        assert!(!mac.verify(side.peer(), buffer, &signature));
        assert!(!mac.verify(side, &[buffer, b"x"].concat(), &signature));
    }
}

fn keytab(data: &[u8]) {
    if let Ok(keys) = Keytab::read(data) {
        assert_eq!(Keytab::read(&Keytab::write(&keys)), Ok(keys));
    }
}
