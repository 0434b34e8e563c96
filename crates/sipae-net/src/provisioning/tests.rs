use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use roxmltree::Document;
use rstest::rstest;
use sipae::clock::Entropy;
use sipae::encoding::{decode_base64, encode_base64};
use sipae::side::Side;
use sipae::tlsdsk::{PeerCertificate, TlsDskError, TlsHandshake, TlsProvider};

use super::*;
use crate::layer::Layer;
use crate::tls::HANDSHAKE_TIMEOUT;
use crate::{
    SeededEntropy, TestKey, TlsClient, TlsDskEngine, TlsDskIdentity, TlsDskProvider, TlsDskSettings,
    TlsOptions, TlsRoots, system_time,
};

const ACTION: &str = "http://schemas.microsoft.com/OCS/AuthWebServices/GetAndPublishCert";
const RSA_KEY: &str = include_str!("../tls_dsk/test-identity.key.pem");
/// Made by OpenSSL, signed with SHA-1, as old clients do it.
const OLD_REQUEST: &str = include_str!("tests/rsa-1024.request.base64");
#[cfg(feature = "legacy-tls")]
const OLD_KEY: &str = include_str!("tests/rsa-1024.key.pem");

fn authority() -> Authority {
    Authority::test().unwrap()
}

fn served() -> Provisioning {
    start(ProvisioningSettings::default())
}

fn start(settings: ProvisioningSettings) -> Provisioning {
    Provisioning::start("127.0.0.1:0", authority(), settings).unwrap()
}

fn over_tls() -> ProvisioningSettings {
    let (identity, _) = ServerIdentity::self_signed(&["localhost".to_owned()]).unwrap();
    let identity = Some(identity);
    ProvisioningSettings { host: Some("localhost".to_owned()), identity, ..ProvisioningSettings::default() }
}

/// A connection in the hands of a client of HTTP.
struct Client {
    reader: BufReader<Box<dyn Read>>,
    socket: TcpStream,
    layer: Layer,
}

/// The octets behind TLS.
struct Below(TcpStream, Layer, Vec<u8>);

impl Read for Below {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        while self.2.is_empty() {
            let mut chunk = [0; 4096];
            let length = self.0.read(&mut chunk)?;
            if length == 0 {
                return Ok(0);
            }
            self.2 = self.1.hear(&chunk[..length]).octets;
        }
        let length = octets.len().min(self.2.len());
        octets[..length].copy_from_slice(&self.2[..length]);
        self.2.drain(..length);
        Ok(length)
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Client {
    fn connect(provisioning: &Provisioning) -> Self {
        let socket = TcpStream::connect(provisioning.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let layer = if provisioning.uri().starts_with("https://") {
            let options = TlsOptions { roots: TlsRoots::Unchecked, ..TlsOptions::default() };
            let session = TlsClient::new(&options).unwrap().session("localhost:1").unwrap();
            Layer::Tls(Arc::new(session))
        } else {
            Layer::Plain
        };
        layer.begin(&socket, HANDSHAKE_TIMEOUT).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let below = Below(socket.try_clone().unwrap(), layer.clone(), Vec::new());
        Self { reader: BufReader::new(Box::new(below)), socket, layer }
    }

    fn say(&mut self, octets: &[u8]) {
        // A service that has had enough may have closed.
        let _closed = (&self.socket).write_all(&self.layer.say(octets).unwrap());
    }

    fn hear(&mut self) -> Option<Reply> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.reader.read_exact(&mut body).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Reply { status, head, body: String::from_utf8(body).unwrap() })
    }

    #[track_caller]
    fn get(&mut self, url: &str) -> Reply {
        self.say(format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path(url)).as_bytes());
        self.hear().expect("an answer")
    }

    #[track_caller]
    fn post(&mut self, url: &str, body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        self.say(&[post_head(url, body.len()).as_bytes(), body].concat());
        self.hear().expect("an answer")
    }
}

fn post_head(url: &str, length: usize) -> String {
    let path = path(url);
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n\
         SOAPAction: \"{ACTION}\"\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn path(url: &str) -> &str {
    url.splitn(4, '/').nth(3).map_or(url, |path| &url[url.len() - path.len() - 1..])
}

/// The text of an element, or an attribute of it, by the way of local names to it.
#[track_caller]
fn found(document: &str, way: &str, attribute: Option<&str>) -> String {
    let document = Document::parse(document).unwrap();
    let mut node = document.root();
    for name in way.split('/') {
        node = xml::child(node, name).unwrap_or_else(|| panic!("{name} of {way}: {document:?}"));
    }
    match attribute {
        Some(name) => xml::attribute(node, name).unwrap().to_owned(),
        None => xml::text(node),
    }
}

/// Where the service hands out what.
struct Locations {
    tickets: String,
    certificates: String,
}

fn locations(client: &mut Client, uri: &str) -> Locations {
    let description = client.get(&format!("{uri}/mex")).body;
    let policy = found(&description, "definitions/Policy", Some("Id"));
    let port = found(&description, "definitions/service/port", Some("name"));
    assert_eq!(policy, format!("{port}_policy"));
    assert_eq!(port, "CertProvisioningServiceWebTicketProof_SHA1");
    let issuer = "definitions/Policy/ExactlyOne/All/SignedSupportingTokens/Policy/IssuedToken/Issuer/Address";
    let service = found(&description, issuer, None);
    let tickets = client.get(&format!("{service}/mex")).body;
    assert_eq!(found(&tickets, "definitions/service/port", Some("name")), "WebTicketServiceWinNegotiate");
    let location = |text| found(text, "definitions/service/port/address", Some("location"));
    Locations { tickets: location(&tickets), certificates: location(&description) }
}

fn ticket_request(uri: &str) -> String {
    format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"urn:a\"><soap:Body>\
         <t:RequestSecurityToken xmlns:t=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\">\
         <t:RequestType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue</t:RequestType>\
         <t:Claims><a:ClaimType Uri=\"http://schemas.xmlsoap.org/ws/2006/12/authorization/claims/uri\">\
         <a:Value>{uri}</a:Value></a:ClaimType></t:Claims></t:RequestSecurityToken></soap:Body></soap:Envelope>"
    )
}

fn ticket(client: &mut Client, locations: &Locations) -> String {
    let reply = client.post(&locations.tickets, ticket_request("sip:alice@contoso.com"));
    assert_eq!(reply.status, 200, "{reply:?}");
    let way = "Envelope/Body/RequestSecurityTokenResponseCollection/RequestSecurityTokenResponse";
    let (from, until) = ("Lifetime/Created", "Lifetime/Expires");
    assert!(
        found(&reply.body, &format!("{way}/{from}"), None)
            < found(&reply.body, &format!("{way}/{until}"), None)
    );
    found(&reply.body, &format!("{way}/RequestedSecurityToken/Assertion"), Some("AssertionID"))
}

fn certificate_request(ticket: &str, entity: &str, request: &[u8]) -> String {
    format!(
        "\u{feff}<?xml version=\"1.0\"?><Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Header>\
         <w:Security xmlns:w=\"urn:w\"><x:Assertion xmlns:x=\"urn:x\" AssertionID=\"{ticket}\"/></w:Security></Header>\
         <Body><GetAndPublishCert xmlns=\"http://schemas.microsoft.com/OCS/AuthWebServices/\" \
         DeviceId=\"{{id}}\" Entity=\"{entity}\"><r:RequestSecurityToken xmlns:r=\"urn:r\"><w:BinarySecurityToken \
         xmlns:w=\"urn:w\" ValueType=\"http://schemas.microsoft.com/OCS/AuthWebServices.xsd#PKCS10\">\r\n{}\
         </w:BinarySecurityToken></r:RequestSecurityToken></GetAndPublishCert></Body></Envelope>",
        encode_base64(request)
    )
}

/// A PKCS#10 request with this key.
fn pkcs10(key: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "somebody else");
    params.serialize_request(key).unwrap().der().to_vec()
}

fn rsa() -> KeyPair {
    KeyPair::from_pkcs8_pem_and_sign_algo(RSA_KEY, &PKCS_RSA_SHA256).unwrap()
}

/// The four steps; the certificate in PEM.
fn provision(client: &mut Client, uri: &str, request: &[u8]) -> String {
    let locations = locations(client, uri);
    let ticket = ticket(client, &locations);
    let reply =
        client.post(&locations.certificates, certificate_request(&ticket, "sip:alice@contoso.com", request));
    assert_eq!(reply.status, 200, "{reply:?}");
    let way = "Envelope/Body/GetAndPublishCertResponse/RequestSecurityTokenResponse/RequestedSecurityToken/BinarySecurityToken";
    let certificate = found(&reply.body, way, None);
    assert!(decode_base64(certificate.as_bytes()).is_some());
    let lines: Vec<&str> =
        certificate.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// What a server of TLS-DSK that trusts the authority sees in a client with this certificate.
fn shake(engine: TlsDskEngine, certificates: String, key: &str) -> Result<PeerCertificate, TlsDskError> {
    let authority = authority();
    let of = |identity| TlsDskSettings::new(engine, Some(identity), authority.certificate());
    let host = authority.server("server.contoso.com", Validity::FOR_EVER, TestKey::for_engine(engine))?;
    let handshake = |settings, side| {
        let engine = TlsDskProvider::new(&settings)?.engine(side, system_time())?;
        Ok::<_, TlsDskError>(TlsHandshake::new(engine, side))
    };
    let mut client = handshake(of(TlsDskIdentity { certificates, key: key.to_owned() }), Side::Client)?;
    let mut server = handshake(of(host), Side::Server)?;
    let second = server.step(&client.step(&[])?)?;
    let fourth = server.step(&client.step(&second)?)?;
    client.step(&fourth)?;
    assert!(client.is_done() && server.is_done());
    Ok(server.outcome().unwrap().peer.clone().unwrap())
}

#[rstest]
fn a_certificate_is_issued_that_a_server_of_tls_dsk_takes(
    #[values(ProvisioningSettings::default(), over_tls())] settings: ProvisioningSettings,
    #[values(KeyPair::generate().unwrap(), rsa())] key: KeyPair,
) {
    let provisioning = start(settings);
    let mut client = Client::connect(&provisioning);
    let pem = provision(&mut client, &provisioning.uri(), &pkcs10(&key));
    let peer = shake(TlsDskEngine::Rustls, pem, &key.serialize_pem()).unwrap();
    assert_eq!(peer.names, ["alice@contoso.com", "sip:alice@contoso.com"]);
    let days = peer.not_after.since(system_time()).as_secs().div_ceil(24 * 60 * 60);
    assert_eq!(days, 30);
    let step = |step| Asked { step: Some(step), entity: None, status: Some(200), problem: None };
    let mut expected = ProvisioningStep::ALL.map(step);
    expected[2].entity = Some("alice@contoso.com".to_owned());
    expected[3].entity = Some("sip:alice@contoso.com".to_owned());
    assert_eq!(provisioning.asked(), expected);
}

#[test]
fn old_clients_with_short_keys_and_sha_1_are_served_and_taken_by_openssl() {
    let provisioning = served();
    let request: String = OLD_REQUEST.split_whitespace().collect();
    let request = decode_base64(request.as_bytes()).unwrap();
    let pem = provision(&mut Client::connect(&provisioning), &provisioning.uri(), &request);
    assert!(pem.lines().count() > 10);
    #[cfg(feature = "legacy-tls")]
    assert_eq!(shake(TlsDskEngine::OpenSsl, pem, OLD_KEY).unwrap().names.len(), 2);
}

#[test]
fn the_validity_of_certificates_is_the_caller_s_if_it_says_so() {
    let validity = Some(Validity::FOR_EVER);
    let provisioning = start(ProvisioningSettings { validity, ..ProvisioningSettings::default() });
    let key = KeyPair::generate().unwrap();
    let pem = provision(&mut Client::connect(&provisioning), &provisioning.uri(), &pkcs10(&key));
    let peer = shake(TlsDskEngine::Rustls, pem, &key.serialize_pem()).unwrap();
    assert_eq!(peer.not_after, Validity::FOR_EVER.not_after);
}

#[test]
fn a_key_comes_again_and_its_certificates_have_different_numbers() {
    let provisioning = served();
    let (mut client, request) = (Client::connect(&provisioning), pkcs10(&rsa()));
    let mut issue = || provision(&mut client, &provisioning.uri(), &request);
    assert_ne!(issue(), issue());
}

/// A request for a certificate that would be fulfilled, to be spoilt.
fn good(client: &mut Client, provisioning: &Provisioning) -> (Locations, String) {
    let locations = locations(client, &provisioning.uri());
    let ticket = ticket(client, &locations);
    let request = pkcs10(&KeyPair::generate().unwrap());
    (locations, certificate_request(&ticket, "sip:alice@contoso.com", &request))
}

#[rstest]
#[case("</Body>", "", "no XML", "Client")]
#[case("\u{feff}", "<!DOCTYPE a [<!ENTITY b \"c\">]>", "no XML", "Client")]
#[case("http://schemas.xmlsoap.org/soap/envelope/", "urn:other", "Envelope of SOAP 1.1", "VersionMismatch")]
#[case("GetAndPublishCert", "Other", "no Body with a GetAndPublishCert", "Client")]
#[case("Entity=", "Entities=", "no Entity", "Client")]
#[case("sip:alice@contoso.com", "alice", "is no sip URI", "Client")]
#[case("sip:alice@contoso.com", "sip:bob@contoso.com", "is for alice@contoso.com, and not", "Client")]
#[case("AssertionID=\"", "AssertionID=\"x", "not one of this service", "Client")]
#[case("Security", "Insecurity", "a web ticket is needed", "Client")]
#[case("BinarySecurityToken", "Token", "no RequestSecurityToken with", "Client")]
#[case("#PKCS10", "#PKCS7", "is not PKCS10", "Client")]
#[case("\r\n", "!", "not Base64", "Client")]
#[case("\r\n", "AAAA", "no PKCS#10 request", "Client")]
fn a_bad_request_is_told_what_is_wrong(
    #[case] from: &str,
    #[case] to: &str,
    #[case] reason: &str,
    #[case] code: &str,
) {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let (locations, good) = good(&mut client, &provisioning);
    assert!(good.contains(from), "{good}");
    let reply = client.post(&locations.certificates, good.replace(from, to));
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(found(&reply.body, "Envelope/Body/Fault/faultstring", None).contains(reason), "{reply:?}");
    assert_eq!(found(&reply.body, "Envelope/Body/Fault/faultcode", None), format!("s:{code}"));
    let asked = provisioning.asked();
    assert!(asked[3].problem.as_ref().unwrap().contains(reason), "{asked:?}");
    assert_eq!(client.post(&locations.certificates, good).status, 200, "it goes on");
}

#[test]
fn a_request_that_is_not_signed_with_its_key_is_refused() {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let locations = locations(&mut client, &provisioning.uri());
    let ticket = ticket(&mut client, &locations);
    let good = pkcs10(&KeyPair::generate().unwrap());
    for place in 0..good.len() {
        let mut spoilt = good.clone();
        spoilt[place] ^= 1;
        let body = certificate_request(&ticket, "sip:alice@contoso.com", &spoilt);
        let reply = client.post(&locations.certificates, body);
        assert_eq!(reply.status, 500, "octet {place}: {good:x?}");
    }
    let mut last = good;
    *last.last_mut().unwrap() ^= 1;
    let body = certificate_request(&ticket, "sip:alice@contoso.com", &last);
    assert!(client.post(&locations.certificates, body).body.contains("not signed with its own key"));
}

#[test]
fn a_bad_request_for_a_ticket_is_told_what_is_wrong() {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let tickets = locations(&mut client, &provisioning.uri()).tickets;
    for (from, to, reason) in [
        ("/Issue", "/Renew", "is not Issue"),
        ("sip:alice@contoso.com", "alice", "is no sip URI"),
        ("RequestSecurityToken", "Request", "no Body with a RequestSecurityToken"),
        ("Body", "body", "no Body"),
    ] {
        let reply = client.post(&tickets, ticket_request("sip:alice@contoso.com").replace(from, to));
        assert!(reply.status == 500 && reply.body.contains(reason), "{reply:?}");
    }
    let reply = client.post(&tickets, b"<a>\xff</a>");
    assert!(reply.status == 500 && reply.body.contains("not UTF-8"), "{reply:?}");
    let anonymous = ticket_request("").replace("ClaimType", "Other");
    assert_eq!(client.post(&tickets, anonymous).status, 200, "a claim is not needed");
}

#[rstest]
#[case("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404)]
#[case("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 404)]
#[case("POST PATH/mex HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405)]
#[case("DELETE PATH/WebTicket_Proof_SHA1 HTTP/1.1\r\nHost: a\r\n\r\n", 405)]
#[case("POST PATH/WebTicket_Proof_SHA1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 415)]
#[case("POST PATH/WebTicket_Proof_SHA1 HTTP/1.1\r\nHost: a\r\n\r\n", 411)]
#[case("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413)]
#[case("PATH\r\n\r\n", 400)]
fn what_is_no_request_for_it_gets_the_status_of_http(#[case] octets: &str, #[case] status: u16) {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    client.say(octets.replace("PATH", path(&provisioning.uri())).as_bytes());
    let reply = client.hear().unwrap();
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.head.contains("\r\nAllow: "), status == 405);
    let asked = provisioning.asked();
    assert!(asked.len() == 1 && asked[0].status == Some(status) && asked[0].problem.is_some(), "{asked:?}");
}

#[rstest]
fn a_body_that_is_too_long_is_refused_and_the_answer_arrives(
    #[values(ProvisioningSettings::default(), over_tls())] settings: ProvisioningSettings,
) {
    let provisioning = start(settings);
    let mut client = Client::connect(&provisioning);
    let body = vec![b'a'; http::BODY + 1];
    assert_eq!(client.post(&provisioning.uri(), body).status, 413);
    assert!(client.hear().is_none(), "the connection ends");
}

#[test]
fn another_soap_action_is_refused() {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let (locations, body) = good(&mut client, &provisioning);
    let head = post_head(&locations.certificates, body.len()).replace("GetAndPublishCert\"", "Other\"");
    client.say(format!("{head}{body}").as_bytes());
    assert!(client.hear().unwrap().body.contains("is not that of GetAndPublishCert"));
    let head = post_head(&locations.certificates, body.len()).replace("SOAPAction", "X");
    client.say(format!("{head}{body}").as_bytes());
    assert_eq!(client.hear().unwrap().status, 200, "it may be left out");
}

#[test]
fn the_ways_of_clients_with_bodies_and_connections_are_known() {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let (locations, body) = good(&mut client, &provisioning);
    let head = post_head(&locations.certificates, body.len());
    client.say(head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n").as_bytes());
    assert_eq!(client.hear().unwrap().status, 100);
    client.say(body.as_bytes());
    assert_eq!(client.hear().unwrap().status, 200);
    let chunked = head.replace(&format!("Content-Length: {}", body.len()), "Transfer-Encoding: chunked");
    client.say(format!("{chunked}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes());
    assert_eq!(client.hear().unwrap().status, 200);
    let description = format!("{}/MEX", path(&provisioning.uri()));
    client.say(format!("HEAD {description} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    client.say(format!("GET {description} HTTP/1.0\r\n\r\n").as_bytes());
    let mut rest = String::new();
    client.reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{rest}");
    assert_eq!(rest.matches("<w:definitions").count(), 1, "{rest}");
}

#[rstest]
fn slow_clients_are_not_waited_for(
    #[values(ProvisioningSettings::default(), over_tls())] settings: ProvisioningSettings,
) {
    let provisioning = start(ProvisioningSettings { patience: Duration::from_millis(100), ..settings });
    let mut client = Client::connect(&provisioning);
    client.say(b"GET / HTTP/1.1\r\n");
    assert_eq!(client.hear().unwrap().status, 408);
    let mut idle = Client::connect(&provisioning);
    assert!(idle.hear().is_none());
    let asked = provisioning.asked();
    assert_eq!(asked.len(), 1, "to be idle is no fault: {asked:?}");
}

#[test]
fn octets_without_sense_do_no_harm() {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let (locations, good) = good(&mut client, &provisioning);
    let head = post_head(&locations.certificates, good.len());
    let mut entropy = SeededEntropy::new(7);
    for round in 0..200_usize {
        let mut random = vec![0; 16 + round * 3];
        entropy.fill(&mut random);
        let octets = match round % 4 {
            0 => random,
            1 => [post_head(&locations.certificates, random.len()).as_bytes(), &random].concat(),
            // One octet changed: the places are those of the head, of the XML, and of the request in it.
            2 => changed([head.as_bytes(), good.as_bytes()].concat(), &random),
            _ => [head.as_bytes(), &good.as_bytes()[..usize::from(random[0])]].concat(),
        };
        let mut stranger = Client::connect(&provisioning);
        stranger.say(&octets);
        let _closed = stranger.socket.shutdown(Shutdown::Write);
        let reply = stranger.hear();
        assert!(round % 4 == 2 || reply.is_none_or(|reply| reply.status != 200), "round {round}");
    }
    assert_eq!(client.post(&locations.certificates, good).status, 200);
    assert_eq!(provisioning.asked().iter().filter(|asked| asked.step.is_none()).count() / 50, 2);
}

fn changed(mut octets: Vec<u8>, random: &[u8]) -> Vec<u8> {
    let place = usize::from(u16::from_be_bytes([random[0], random[1]])) % octets.len();
    octets[place] ^= random[2].max(1);
    octets
}

#[test]
fn what_is_remembered_is_bounded() {
    let provisioning = served();
    let mut client = Client::connect(&provisioning);
    let long = "a".repeat(5000);
    for _ in 0..1100 {
        client.get(&format!("/{long}"));
    }
    let asked = provisioning.asked();
    assert_eq!(asked.len(), 1024);
    assert!(asked.iter().all(|asked| asked.problem.as_ref().unwrap().len() == 256));
}

#[test]
fn it_ends_at_once_when_it_is_dropped_and_nobody_is_left() {
    let began = Instant::now();
    let provisioning = start(over_tls());
    let address = provisioning.address();
    let mut served = Client::connect(&provisioning);
    let silent = TcpStream::connect(address).unwrap();
    assert_eq!(served.get("/").status, 404);
    drop(provisioning);
    assert!(served.hear().is_none());
    assert!(TcpStream::connect(address).is_err());
    drop(silent);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn more_connections_than_it_has_places_for_are_closed() {
    let provisioning = served();
    let mut clients: Vec<Client> = (0..=CONNECTIONS).map(|_| Client::connect(&provisioning)).collect();
    let mut last = clients.pop().unwrap();
    assert!(last.hear().is_none());
    drop(clients);
    let until = Instant::now() + Duration::from_secs(5);
    let is_served = || {
        let mut client = Client::connect(&provisioning);
        client.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.hear().is_some()
    };
    while !is_served() {
        assert!(Instant::now() < until);
    }
}

#[test]
fn the_uri_is_that_of_the_host_if_there_is_one() {
    let provisioning = start(over_tls());
    let port = provisioning.address().port();
    let path = "/CertProv/CertProvisioningService.svc";
    assert_eq!(provisioning.uri(), format!("https://localhost:{port}{path}"));
    let plain = served();
    assert_eq!(plain.uri(), format!("http://{}{path}", plain.address()));
}
