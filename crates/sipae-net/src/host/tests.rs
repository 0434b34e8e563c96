use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sipae::server::Accounts;
use sipae::version::Version;

use super::*;
use crate::{SocketWire, TlsClient, TlsOptions, TlsRoots, Wire};

/// What bounds every wait of these tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn config() -> ServerConfig {
    ServerConfig::new("server.contoso.com", Version::V4, Accounts::new(Vec::new()))
}

/// A host that serves until the tests end.
fn hosted() -> SocketAddr {
    let host = Host::listen("127.0.0.1:0", config()).unwrap();
    let address = host.address().unwrap();
    thread::spawn(move || host.run(|_| ()));
    address
}

fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A request that is answered with a challenge; the padding comes back in the answer.
fn request(padding: usize) -> Vec<u8> {
    format!(
        "REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{}\r\nFrom: \
         <sip:alice@contoso.com>;tag=1;epid=0123456789\r\nTo: <sip:alice@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 \
         REGISTER\r\nContent-Length: 0\r\n\r\n",
        "0".repeat(padding)
    )
    .into_bytes()
}

/// What comes next. Other tests start programs, whose ends interrupt whoever waits with a time-out.
fn next_octets(stream: &mut TcpStream, octets: &mut [u8]) -> usize {
    loop {
        match stream.read(octets) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.unwrap(),
        }
    }
}

/// How long an answer takes.
fn latency(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    stream.write_all(&request(0)).unwrap();
    let (mut answer, mut octets) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"\r\n\r\n") {
        let length = next_octets(stream, &mut octets);
        assert!(length != 0, "the server closed after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&octets[..length]);
    }
    assert!(answer.starts_with(b"SIP/2.0 401 "), "{}", String::from_utf8_lossy(&answer));
    begun.elapsed()
}

/// The server says when it has cut the client off: a client whose window is closed may not hear of it as long as it does
/// not read.
#[test]
fn a_client_that_never_reads_is_cut_off_and_delays_nobody() {
    let host = Host::listen("127.0.0.1:0", config()).unwrap();
    let address = host.address().unwrap();
    let is_cut_off = Arc::new(AtomicBool::new(false));
    let cut_off = Arc::clone(&is_cut_off);
    let first_has_gone = HostEvent::Disconnected(ConnectionId(1));
    thread::spawn(move || {
        host.run(|event| {
            if *event == first_has_gone {
                cut_off.store(true, Ordering::Relaxed);
            }
        })
    });
    let (mut greedy, mut other) = (connected(address), connected(address));
    let end = greedy.try_clone().unwrap();
    let requests = request(2000).repeat(20);
    let flood = thread::spawn(move || while greedy.write_all(&requests).is_ok() {});
    let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
    while !is_cut_off.load(Ordering::Relaxed) && begun.elapsed() < PATIENCE {
        slowest = slowest.max(latency(&mut other));
    }
    // It may be reset already.
    let _gone = end.shutdown(Shutdown::Both);
    flood.join().unwrap();
    assert!(is_cut_off.load(Ordering::Relaxed), "the client that never reads is still served");
    assert!(slowest < SEND_TIMEOUT, "{slowest:?}");
}

#[test]
fn what_was_answered_is_sent_before_the_server_closes() {
    let mut stream = connected(hosted());
    stream.write_all(&[request(0).as_slice(), b"no SIP at all\r\n\r\n"].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"SIP/2.0 401 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_broken_listener_ends_the_host_with_its_error() {
    let (sender, receiver) = mpsc::sync_channel(BACKLOG);
    sender.send(Happening::ListenerBroke(io::Error::other("the listener broke"))).unwrap();
    let mut serving = Serving::new(config(), None, sender, |_: &HostEvent| ());
    assert_eq!(
        serving.serve(&receiver).map_err(|error| error.to_string()),
        Err("the listener broke".to_owned())
    );
}

/// A stranger's connection is closed after a minute ([`sipae::sa::Durations`]), on whichever clock.
#[test]
fn a_clock_that_is_set_makes_the_timers_of_the_server_fire() {
    let host = Host::listen("127.0.0.1:0", config()).unwrap();
    let (address, control) = (host.address().unwrap(), host.control());
    let served = thread::spawn(move || host.run(|_| ()));
    let mut stream = connected(address);
    latency(&mut stream);
    assert!(control.advance(Duration::from_secs(59)));
    latency(&mut stream);
    assert!(control.reset());
    assert!(control.advance(Duration::from_secs(59)), "the connection begins anew with the server");
    latency(&mut stream);
    assert!(control.advance(Duration::from_secs(1)));
    assert_eq!(next_octets(&mut stream, &mut [0]), 0);
    control.stop();
    served.join().unwrap().unwrap();
    assert!(!control.advance(Duration::ZERO) && !control.reset());
    TcpListener::bind(address).expect("a host that has ended gives its port back");
}

#[test]
fn the_address_that_stands_for_all_is_reached_at_this_machine() {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 1));
    assert_eq!(reachable(anywhere), SocketAddr::from(([127, 0, 0, 1], 1)));
}

/// A server behind two pipes: what it reads from, what it writes to, and whether it has served to the end.
fn piped(config: ServerConfig) -> (io::PipeWriter, io::PipeReader, thread::JoinHandle<io::Result<()>>) {
    let (server_input, input) = io::pipe().unwrap();
    let (output, server_output) = io::pipe().unwrap();
    (input, output, thread::spawn(move || serve_pipes(config, server_input, server_output, |_| ())))
}

#[test]
fn a_client_behind_pipes_is_served_until_its_input_ends() {
    let (mut input, mut output, served) = piped(config());
    input.write_all(&request(0).repeat(20)).unwrap();
    drop(input);
    served.join().unwrap().unwrap();
    let mut answers = String::new();
    output.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("SIP/2.0 401 ").count(), 20, "{answers}");
}

#[test]
fn a_timer_closes_a_connection_over_pipes() {
    let mut config = config();
    config.durations.connection = Duration::from_millis(200);
    let (_input, mut output, served) = piped(config);
    assert_eq!(output.read(&mut [0]).unwrap(), 0);
    served.join().unwrap().unwrap();
}

#[test]
fn a_client_behind_pipes_that_has_gone_ends_the_server() {
    let (mut input, output, served) = piped(config());
    drop(output);
    input.write_all(&request(0)).unwrap();
    served.join().unwrap().unwrap();
}

#[test]
fn a_client_behind_pipes_that_never_reads_is_cut_off() {
    let (mut input, _output, served) = piped(config());
    let begun = Instant::now();
    let requests = request(2000).repeat(20);
    while input.write_all(&requests).is_ok() && begun.elapsed() < PATIENCE {}
    served.join().unwrap().unwrap();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

/// A host on TLS and a client that asks for no certificate in particular.
fn hosted_on_tls() -> (SocketAddr, TlsClient) {
    let (identity, _) = ServerIdentity::self_signed(&["localhost".to_owned()]).unwrap();
    let host = Host::listen_tls("127.0.0.1:0", config(), identity).unwrap();
    let address = host.address().unwrap();
    thread::spawn(move || host.run(|_| ()));
    let options = TlsOptions { roots: TlsRoots::Unchecked, ..TlsOptions::default() };
    (address, TlsClient::new(&options).unwrap())
}

/// One connection over a wire of its own, with one answer on it.
fn exchange(mut wire: SocketWire) {
    let connection = wire.connect().unwrap();
    wire.send(connection, &request(0)).unwrap();
    let Some(Arrived::Octets(answer)) = wire.receive(PATIENCE).map(|arrival| arrival.what) else {
        panic!("no answer")
    };
    assert!(answer.starts_with(b"SIP/2.0 401 "), "{}", String::from_utf8_lossy(&answer));
    wire.disconnect(connection);
}

/// As many as a whole run makes, one after the other. Far below what a run may take, unless something waits for a timer.
#[test]
fn many_short_connections_take_little_time() {
    const CONNECTIONS: u32 = 450;
    let (plain, (encrypted, client)) = (hosted().to_string(), hosted_on_tls());
    let encrypted = encrypted.to_string();
    let time = |wire: &dyn Fn() -> SocketWire| {
        let begun = Instant::now();
        (0..CONNECTIONS).for_each(|_| exchange(wire()));
        begun.elapsed()
    };
    let over_tcp = time(&|| SocketWire::tcp(&plain));
    let over_tls = time(&|| SocketWire::tls(&encrypted, client.clone()));
    assert!(
        over_tcp < Duration::from_secs(2) && over_tls < Duration::from_secs(3),
        "{over_tcp:?} {over_tls:?}"
    );
}

#[test]
fn clients_that_leave_their_handshake_undone_delay_nobody() {
    let (address, client) = hosted_on_tls();
    let _undone: Vec<TcpStream> = (0..20).map(|_| connected(address)).collect();
    let begun = Instant::now();
    exchange(SocketWire::tls(&address.to_string(), client));
    assert!(begun.elapsed() < HANDSHAKE_TIMEOUT, "{:?}", begun.elapsed());
}
