use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;
use crate::layer::Layer;
use crate::{Arrived, SocketWire, Wire};

/// What bounds every wait of these tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file for one test, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(content: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sipae-tls-{}-{unique}.pem", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _best_effort = fs::remove_file(&self.0);
    }
}

/// A certificate for `localhost` that signs itself.
fn made(change: impl FnOnce(&mut CertificateParams)) -> CertifiedKey<KeyPair> {
    let signing_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    change(&mut params);
    CertifiedKey { cert: params.self_signed(&signing_key).unwrap(), signing_key }
}

fn key(made: &CertifiedKey<KeyPair>) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into()
}

fn identity(made: &CertifiedKey<KeyPair>) -> ServerIdentity {
    ServerIdentity::new(vec![made.cert.der().clone()], key(made)).unwrap()
}

fn options(roots: TlsRoots) -> TlsOptions {
    TlsOptions { roots, ..TlsOptions::default() }
}

fn trusting(pem: &str) -> TlsClient {
    let file = Scratch::new(pem);
    TlsClient::new(&options(TlsRoots::Files(vec![file.0.clone()]))).unwrap()
}

fn unchecked() -> TlsClient {
    TlsClient::new(&options(TlsRoots::Unchecked)).unwrap()
}

/// Two ends of a socket.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for socket in [&client, &server] {
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
    }
    (client, server)
}

/// A client's handshake at `localhost` with a server of this identity, and the two ends.
fn shaken(client: &TlsClient, server: Session) -> Result<[(TcpStream, Layer); 2], HandshakeError> {
    let (near, far) = sockets();
    let serving = thread::spawn(move || {
        let done = server.handshake(&far, PATIENCE);
        (far, Layer::Tls(Arc::new(server)), done)
    });
    let session = client.session("localhost:5061").unwrap();
    session.handshake(&near, PATIENCE)?;
    let (far, server, done) = serving.join().unwrap();
    done?;
    Ok([(near, Layer::Tls(Arc::new(session))), (far, server)])
}

/// The ends of a connection that is up.
fn ends() -> [(TcpStream, Layer); 2] {
    shaken(&unchecked(), identity(&made(|_| ())).session().unwrap()).unwrap()
}

/// Everything that comes until the end.
fn heard(socket: &TcpStream, layer: &Layer) -> (Vec<u8>, Arrived) {
    let (sender, receiver) = mpsc::channel();
    layer.listen(socket, |what| sender.send(what).is_ok());
    let (mut octets, mut end) = (Vec::new(), None);
    for what in receiver.try_iter() {
        match what {
            Arrived::Octets(more) => octets.extend(more),
            last => end = Some(last),
        }
    }
    (octets, end.expect("an end"))
}

fn say((mut socket, layer): (&TcpStream, &Layer), octets: &[u8]) {
    socket.write_all(&layer.say(octets).unwrap()).unwrap();
}

#[track_caller]
fn distrusted(client: &TlsClient, server: &CertifiedKey<KeyPair>) -> String {
    shaken(client, identity(server).session().unwrap()).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_long_message_goes_both_ways() {
    let [(near, client), (far, server)] = ends();
    let message = b"x".repeat(300_000);
    for ((from, speaker), (to, listener)) in
        [((&near, &client), (&far, &server)), ((&far, &server), (&near, &client))]
    {
        thread::scope(|scope| {
            scope.spawn(|| {
                say((from, speaker), &message);
                (&*from).write_all(&speaker.farewell()).unwrap();
            });
            assert!(heard(to, listener) == (message.clone(), Arrived::Closed));
        });
    }
}

#[test]
fn what_is_said_in_one_breath_with_the_handshake_is_heard() {
    let (near, far) = sockets();
    let server = Layer::Tls(Arc::new(identity(&made(|_| ())).session().unwrap()));
    let client = unchecked().session("localhost:5061").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let first = client.say(b"before the handshake").unwrap();
            (&near).write_all(&first).unwrap();
            client.handshake(&near, PATIENCE).unwrap();
            near.shutdown(Shutdown::Write).unwrap();
        });
        server.begin(&far, PATIENCE).unwrap();
        assert_eq!(heard(&far, &server).0, b"before the handshake");
    });
}

/// Products close so; what is cut off shows by the length of a message.
#[test]
fn a_peer_that_closes_without_farewell_has_closed() {
    let [(near, client), (far, server)] = ends();
    say((&far, &server), b"last");
    far.shutdown(Shutdown::Both).unwrap();
    assert_eq!(heard(&near, &client), (b"last".to_vec(), Arrived::Closed));
}

#[test]
fn a_peer_that_breaks_the_encryption_is_a_reset_behind_what_it_said() {
    let [(near, client), (far, server)] = ends();
    let mut octets = server.say(b"right").unwrap();
    octets.extend_from_slice(b"\x17\x03\x03\x00\x20garbage that nobody has encrypted");
    (&far).write_all(&octets).unwrap();
    assert_eq!(heard(&near, &client), (b"right".to_vec(), Arrived::Reset));
}

#[test]
fn a_wire_says_farewell_when_it_disconnects() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(plain_config(&made(|_| ())))).unwrap();
        connection.complete_io(&mut socket).unwrap();
        let mut octets = Vec::new();
        // Without a farewell this is an error.
        rustls::Stream::new(&mut connection, &mut socket).read_to_end(&mut octets).map(|_| octets)
    });
    let mut wire = SocketWire::tls(&address, unchecked());
    let connection = wire.connect().unwrap();
    wire.send(connection, b"bye").unwrap();
    wire.disconnect(connection);
    assert_eq!(serving.join().unwrap().unwrap(), b"bye");
}

fn plain_config(made: &CertifiedKey<KeyPair>) -> ServerConfig {
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key(made))
        .unwrap()
}

#[test]
fn both_versions_are_spoken() {
    for version in rustls::ALL_VERSIONS {
        let server = server_of(version);
        let ends = shaken(&unchecked(), server);
        assert!(ends.is_ok(), "{version:?}");
    }
}

fn server_of(version: &'static SupportedProtocolVersion) -> Session {
    let made = made(|_| ());
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key(&made))
        .unwrap();
    Session::new(ServerConnection::new(Arc::new(config)).unwrap().into())
}

#[test]
fn a_certificate_in_the_file_is_trusted_even_if_it_calls_itself_an_authority() {
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for made in [made(|_| ()), made(authority)] {
        let client = trusting(&made.cert.pem());
        shaken(&client, identity(&made).session().unwrap()).map(|_| ()).unwrap();
    }
}

#[test]
fn a_certificate_of_somebody_else_is_not_trusted() {
    let problem = distrusted(&trusting(&made(|_| ()).cert.pem()), &made(|_| ()));
    assert_eq!(
        problem,
        "the certificate is not trusted: nobody who is trusted has issued it; name the certificate of its issuer with \
         --tls-ca FILE, or check none with --tls-insecure"
    );
}

#[test]
fn a_certificate_for_another_name_says_for_which() {
    let other = |params: &mut CertificateParams| {
        let names = ["sip.contoso.com".to_owned(), "127.0.0.1".to_owned()];
        params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
    };
    let made = made(other);
    assert_eq!(
        distrusted(&trusting(&made.cert.pem()), &made),
        "the certificate is not trusted: it is for sip.contoso.com, 127.0.0.1, not for localhost; say with --tls-name \
         NAME whom to expect"
    );
}

#[test]
fn a_certificate_that_has_expired_is_not_trusted() {
    let authority = made(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let params = CertificateParams::new(Vec::new()).unwrap();
    let signing_key = KeyPair::generate().unwrap();
    let mut old = CertificateParams::new(["localhost".to_owned()]).unwrap();
    old.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let mut root = params;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = rcgen::Issuer::new(root.clone(), &authority.signing_key);
    let cert = old.signed_by(&signing_key, &issuer).unwrap();
    let root = root.self_signed(&authority.signing_key).unwrap();
    let problem = distrusted(&trusting(&root.pem()), &CertifiedKey { cert, signing_key });
    assert_eq!(
        problem,
        "the certificate is not trusted: it has expired; --tls-insecure goes on without a check"
    );
}

#[test]
fn a_peer_without_tls_is_told_from_one_with_trouble() {
    let (near, mut far) = sockets();
    far.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").unwrap();
    let session = unchecked().session("localhost:5061").unwrap();
    assert!(matches!(session.handshake(&near, PATIENCE), Err(HandshakeError::NoTls)));
    let (near, far) = sockets();
    drop(far);
    let session = unchecked().session("localhost:5061").unwrap();
    assert!(matches!(
        session.handshake(&near, PATIENCE),
        Err(HandshakeError::Closed | HandshakeError::Broken(_))
    ));
}

/// Octet by octet and without end: one bounded wait.
#[test]
fn a_handshake_that_does_not_come_to_an_end_is_given_up() {
    let patience = Duration::from_millis(300);
    let (near, far) = sockets();
    let session = unchecked().session("localhost:5061").unwrap();
    let (begun, (done, is_done)) = (Instant::now(), mpsc::channel::<()>());
    let trickling = &far;
    thread::scope(|scope| {
        scope.spawn(move || {
            // The head of a record whose rest trickles.
            let mut trickle = [&b"\x16\x03\x03\x40\x00"[..], &[2; 10_000]].concat().into_iter();
            while is_done.recv_timeout(Duration::from_millis(5)) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _gone = (&*trickling).write_all(&[trickle.next().unwrap()]);
            }
        });
        let failed = session.handshake(&near, patience);
        drop(done);
        assert!(matches!(failed, Err(HandshakeError::Late)), "{failed:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_client_shows_its_certificate_when_it_is_asked() {
    let own = made(|_| ());
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let server = made(|_| ());
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.cert.der().clone()], key(&server))
        .unwrap();
    let config = Arc::new(config);
    let session = || Session::new(ServerConnection::new(Arc::clone(&config)).unwrap().into());
    let (certificate, private) =
        (Scratch::new(&own.cert.pem()), Scratch::new(&own.signing_key.serialize_pem()));
    let identity = Some(ClientIdentity { certificate: certificate.0.clone(), key: private.0.clone() });
    let client = TlsClient::new(&TlsOptions { identity, ..options(TlsRoots::Unchecked) }).unwrap();
    assert!(shaken(&client, session()).is_ok());
    assert!(shaken(&unchecked(), session()).is_err());
}

#[test]
fn a_file_that_is_something_else_is_named_with_its_problem() {
    let certificate = made(|_| ());
    let (pem, other) = (Scratch::new(&certificate.cert.pem()), made(|_| ()).signing_key.serialize_pem());
    let (text, other) = (Scratch::new("no PEM at all"), Scratch::new(&other));
    let torn = Scratch::new("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    let ca = |file: &Scratch| TlsClient::new(&options(TlsRoots::Files(vec![file.0.clone()]))).unwrap_err();
    let load = |key: &Scratch| ServerIdentity::load(&pem.0, &key.0).unwrap_err();
    for (error, file, problem) in [
        (ca(&text), &text, "no certificate in PEM is in it"),
        (ca(&torn), &torn, "no PEM: "),
        (load(&text), &text, "no private key in PEM, without a password, is in it"),
        (load(&other), &other, "keys may not be consistent: KeyMismatch"),
    ] {
        let error = error.to_string();
        assert!(error.starts_with(&format!("{}: {problem}", file.0.display())), "{error}");
    }
}
