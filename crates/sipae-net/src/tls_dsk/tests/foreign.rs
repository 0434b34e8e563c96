//! The state machine against OpenSSL as a program of its own would use it: over a socket, with its own flow.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::X509;

use super::*;

/// The socket layer that the scheme does not have: octets until they are a flight.
fn read_flight(mut socket: &TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    while !is_whole(&octets) {
        let mut some = [0; 4096];
        let count = socket.read(&mut some).unwrap();
        assert!(0 < count, "closed in the middle of a flight");
        octets.extend_from_slice(&some[..count]);
    }
    octets
}

/// A flight ends with the hello of a client, with ServerHelloDone, or with the record behind ChangeCipherSpec.
fn is_whole(octets: &[u8]) -> bool {
    let Ok(flight) = Flight::read(octets) else { return false };
    let Some(last) = flight.records().last() else { return false };
    let Ok(kinds) =
        flight.messages().map(|message| message.map(|message| message.kind)).collect::<Result<Vec<_>, _>>()
    else {
        return false;
    };
    let ends = [HandshakeType::CLIENT_HELLO, HandshakeType::SERVER_HELLO_DONE];
    last.encrypted || kinds.last().is_some_and(|kind| ends.contains(kind))
}

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// OpenSSL as its users set it up, with certificates for the time of this machine.
fn context(identity: &TlsDskIdentity) -> SslContext {
    let mut context = SslContextBuilder::new(SslMethod::tls()).unwrap();
    context.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    context.set_certificate(&X509::from_pem(identity.certificates.as_bytes()).unwrap()).unwrap();
    context.set_private_key(&PKey::private_key_from_pem(identity.key.as_bytes()).unwrap()).unwrap();
    let authority = X509::from_pem(authority().certificate().as_bytes()).unwrap();
    context.cert_store_mut().add_cert(authority).unwrap();
    context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    context.build()
}

fn long() -> Validity {
    Validity { not_before: Time(0), not_after: Time(4_102_444_800_000) }
}

fn exported(stream: &SslStream<TcpStream>) -> [u8; 128] {
    let mut material = [0; 128];
    stream.ssl().export_keying_material(&mut material, "client EAP encryption", None).unwrap();
    material
}

#[rstest]
fn a_client_of_openssl_gets_the_keys_of_our_server(
    #[values(TlsDskEngine::Rustls, TlsDskEngine::OpenSsl)] engine: TlsDskEngine,
) {
    let (near, mut far) = sockets();
    let client = thread::spawn(move || {
        let ssl = Ssl::new(&context(&user(long(), TestKey::Rsa))).unwrap();
        exported(&ssl.connect(near).unwrap())
    });
    let mut server = handshake(&settings(engine, host(long(), TestKey::Rsa)), Side::Server);
    for _ in 0..2 {
        let flight = server.step(&read_flight(&far)).unwrap();
        far.write_all(&flight).unwrap();
    }
    assert_eq!(client.join().unwrap(), server.outcome().unwrap().key_material);
    assert_eq!(server.outcome().unwrap().peer.as_ref().unwrap().names[0], USER);
}

#[rstest]
fn a_server_of_openssl_gets_the_keys_of_our_client(
    #[values(TlsDskEngine::Rustls, TlsDskEngine::OpenSsl)] engine: TlsDskEngine,
) {
    let (mut near, far) = sockets();
    let server = thread::spawn(move || {
        let mut ssl = Ssl::new(&context(&host(long(), TestKey::Rsa))).unwrap();
        ssl.set_accept_state();
        // Sessions and tickets are left on: our client asks for none.
        exported(&ssl.accept(far).unwrap())
    });
    let mut client = handshake(&settings(engine, user(long(), TestKey::Rsa)), Side::Client);
    near.write_all(&client.step(&[]).unwrap()).unwrap();
    let flight = client.step(&read_flight(&near)).unwrap();
    near.write_all(&flight).unwrap();
    assert_eq!(client.step(&read_flight(&near)).unwrap(), b"");
    assert_eq!(server.join().unwrap(), client.outcome().unwrap().key_material);
}
