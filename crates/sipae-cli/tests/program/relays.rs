//! A right server behind a relay that does to the traffic what networks and products do.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use sipae::auth::{AuthHeader, AuthParam};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, MessageStream, Value};

use crate::commands::{Scratch, Served, assert_exit, profile, sipae};
use crate::measured::bounded_run;
use crate::misbehaving::misbehaving;

/// What becomes of a request.
pub(crate) enum Deed {
    Forward,
    /// Close this connection.
    Close,
    /// Close everything and accept nothing more.
    Die,
    /// Let it vanish.
    Swallow,
    /// Answer it in place of the server.
    Answer(Vec<u8>),
    /// Send this to the client as well.
    ForwardAnd(Vec<u8>),
}

/// A relay to `target`; each request is put to `deed`, the octets of each answer go out by `deliver`.
fn relay(target: &str, deed: fn(&Message<'_>) -> Deed, deliver: fn(&mut TcpStream, &[u8])) -> String {
    relay_for(usize::MAX, Surplus::Closes, target, deed, deliver)
}

/// What becomes of a connection that is one too many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surplus {
    Closes,
    Waits,
}

/// The same for so many connections at a time.
pub(crate) fn relay_for(
    most: usize,
    surplus: Surplus,
    target: &str,
    deed: fn(&Message<'_>) -> Deed,
    deliver: fn(&mut TcpStream, &[u8]),
) -> String {
    let upstream = target.trim_start_matches("tcp://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (dead, open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            if dead.load(Ordering::SeqCst) {
                return;
            }
            let is_full = || most <= open.load(Ordering::SeqCst);
            while surplus == Surplus::Waits && is_full() {
                thread::sleep(Duration::from_millis(10));
            }
            if is_full() {
                continue;
            }
            open.fetch_add(1, Ordering::SeqCst);
            let server = TcpStream::connect(&upstream).expect("the server is there");
            let (dead, open) = (Arc::clone(&dead), Arc::clone(&open));
            let serve = move || {
                pump(client, server, deed, deliver, &dead);
                open.fetch_sub(1, Ordering::SeqCst);
            };
            // The name tells a deed which connection it is at.
            thread::Builder::new().name(number.to_string()).spawn(serve).expect("a thread");
        }
    });
    format!("tcp://{address}")
}

fn pump(
    mut client: TcpStream,
    mut server: TcpStream,
    deed: fn(&Message<'_>) -> Deed,
    deliver: fn(&mut TcpStream, &[u8]),
    dead: &AtomicBool,
) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("an option");
    }
    let back = Arc::new(Mutex::new(client.try_clone().expect("a handle")));
    let (to_client, mut from_server) = (Arc::clone(&back), server.try_clone().expect("a handle"));
    thread::spawn(move || {
        let mut octets = [0; 65536];
        while let Ok(length @ 1..) = from_server.read(&mut octets) {
            deliver(&mut to_client.lock().expect("not poisoned"), &octets[..length]);
        }
        let _gone = to_client.lock().expect("not poisoned").shutdown(Shutdown::Both);
    });
    let mut stream = MessageStream::new(Limits::NONE);
    let mut octets = [0; 65536];
    // What was read and belongs to no message yet: what breaks the framing is the server's affair.
    let mut held = Vec::new();
    while let Ok(length @ 1..) = client.read(&mut octets) {
        stream.push(&octets[..length]);
        held.extend_from_slice(&octets[..length]);
        loop {
            let message = match stream.next_message() {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(_) => {
                    drop(server.write_all(&held));
                    held.clear();
                    break;
                }
            };
            let send = |octets: &[u8]| drop(back.lock().expect("not poisoned").write_all(octets));
            match deed(&message) {
                Deed::Forward => drop(server.write_all(message.octets())),
                Deed::Swallow => {}
                Deed::Answer(answer) => send(&answer),
                Deed::ForwardAnd(also) => {
                    send(&also);
                    drop(server.write_all(message.octets()));
                }
                Deed::Close => {
                    let _gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
                    return;
                }
                Deed::Die => {
                    dead.store(true, Ordering::SeqCst);
                    let _gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
                    // The accepting thread looks at it when the next one comes, and takes the listener with it.
                    let _last = client.local_addr().map(TcpStream::connect);
                    return;
                }
            }
            held.drain(..held.len() - stream.pending());
        }
    }
    let _gone = server.shutdown(Shutdown::Both);
}

pub(crate) fn forward(_: &Message<'_>) -> Deed {
    Deed::Forward
}

pub(crate) fn at_once(client: &mut TcpStream, octets: &[u8]) {
    drop(client.write_all(octets));
}

fn delayed(client: &mut TcpStream, octets: &[u8]) {
    thread::sleep(Duration::from_millis(300));
    at_once(client, octets);
}

fn octet_by_octet(client: &mut TcpStream, octets: &[u8]) {
    octets.iter().for_each(|octet| drop(client.write_all(&[*octet])));
}

/// The last message of what came together, or while the one before was held, goes first.
pub(crate) fn reordered(client: &mut TcpStream, octets: &[u8]) {
    let mut stream = MessageStream::new(Limits::DEFAULT);
    stream.push(octets);
    let mut messages = Vec::new();
    while let Ok(Some(message)) = stream.next_message() {
        messages.push(message.octets().to_vec());
    }
    messages.reverse();
    at_once(client, &messages.concat());
    thread::sleep(Duration::from_millis(20));
}

pub(crate) fn credential(message: &Message<'_>, param: AuthParam) -> Option<String> {
    AuthHeader::read(message.first(HeaderName::Authorization)?).get(param).map(Value::to_text)
}

fn is_forged(message: &Message<'_>) -> bool {
    credential(message, AuthParam::Cnum).as_deref() == Some("100000")
}

pub(crate) fn is_authenticate(message: &Message<'_>) -> bool {
    credential(message, AuthParam::GssapiData).is_some_and(|token| token.starts_with("TlRMTVNTUAAD"))
}

/// What happens between suite and server has nothing to do with the scheme.
pub(crate) const NTLM: [&str; 2] = ["--schemes", "ntlm"];

/// A server with its relay; both end with the test.
pub(crate) fn served(deed: fn(&Message<'_>) -> Deed, deliver: fn(&mut TcpStream, &[u8])) -> (Served, String) {
    let served = Served::start(&NTLM);
    let target = relay(&served.target, deed, deliver);
    (served, target)
}

/// Case, version and verdict of each case of a run that passes.
fn verdicts(target: &str, cases: &[&str]) -> BTreeSet<String> {
    let output = sipae(&[&["run", "--target", target, "--json", "-"], cases].concat());
    let told = finished(&assert_exit(&output, 0));
    let verdict = |case: &serde_json::Value| {
        format!("{} {} {} {}", case["case"], case["version"], case["verdict"], case["reason"])
    };
    told.iter().map(verdict).collect()
}

/// What a stream of events tells of cases.
fn finished(events: &str) -> Vec<serde_json::Value> {
    let event = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    events.lines().map(event).filter(|event| event["event"] == "case-finished").collect()
}

#[rstest]
#[case::octet_by_octet(octet_by_octet, &["--cases", "1"])]
#[case::reordered(reordered, &["--section", "3.3.5.3", "--cases", "1"])]
#[case::delayed_by_300_ms(delayed, &["--jobs", "64", "--cases", "1", "forged", "replay", "any-copy", "any-bare", "any-number"])]
fn delivery_changes_no_verdict(#[case] deliver: fn(&mut TcpStream, &[u8]), #[case] cases: &[&str]) {
    let (served, target) = served(forward, deliver);
    let (relayed, direct) = (verdicts(&target, cases), verdicts(&served.target, cases));
    let differing: Vec<_> = relayed.symmetric_difference(&direct).collect();
    assert!(differing.is_empty() && !direct.is_empty(), "{differing:#?}");
}

static BRANCHES: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());

fn note_branch(message: &Message<'_>) -> Deed {
    BRANCHES.lock().expect("not poisoned").extend(message.branch().map(<[u8]>::to_vec));
    Deed::Forward
}

/// A server absorbs a request with a branch that it knows, and answers it from the first one (RFC 3261 17.2.3).
#[test]
fn the_same_seed_run_again_repeats_no_branch() {
    let (_served, target) = served(note_branch, at_once);
    let branches_of_a_run = || {
        assert_exit(&sipae(&["run", "--target", &target, "--seed", "5", "3.3.5.2/"]), 0);
        std::mem::take(&mut *BRANCHES.lock().expect("not poisoned"))
    };
    let (first, second) = (branches_of_a_run(), branches_of_a_run());
    let again: Vec<_> = first.intersection(&second).map(|branch| branch.escape_ascii().to_string()).collect();
    assert!(!first.is_empty() && again.is_empty(), "{again:#?}");
}

/// What came by each connection, by its number.
type Shapes = BTreeMap<usize, Vec<String>>;

static SHAPES: Mutex<Shapes> = Mutex::new(Shapes::new());

/// All of a message that follows from the script: values hold what is random.
fn note_shape(message: &Message<'_>) -> Deed {
    let names: Vec<String> =
        message.headers().map(|header| String::from_utf8_lossy(header.name).into_owned()).collect();
    let credential = message.first(HeaderName::Authorization).map(Value::raw).unwrap_or_default();
    let params = credential.split(|octet| *octet == b'"').step_by(2).map(String::from_utf8_lossy);
    let start = String::from_utf8_lossy(message.octets()).lines().next().unwrap_or_default().to_owned();
    if message.method().is_none() {
        // What was delivered is answered when it comes.
        return Deed::Forward;
    }
    if credential.is_empty() && message.method() == Some(b"REGISTER") {
        // Behind a message whose answer is late comes one without credential: how many there are depends on the time.
        return Deed::Forward;
    }
    let shape = format!("{start} {} {}", names.join(" "), params.collect::<String>());
    let connection =
        thread::current().name().and_then(|name| name.parse().ok()).expect("a thread of the relay");
    SHAPES.lock().expect("not poisoned").entry(connection).or_default().push(shape);
    Deed::Forward
}

/// Over a network the random parts of messages differ, and nothing else does. What goes out by two connections at once
/// comes in any order, as long as each has its own.
#[test]
fn one_seed_sends_the_same_scripts_in_the_same_order_over_tcp() {
    let (_served, target) = served(note_shape, at_once);
    let shapes = |seed| {
        let cases = ["2.2/any-parameter-order", "2.2/any-unknown-parameters", "any-forged", "any-sequence"];
        let run =
            ["run", "--target", &target, "--jobs", "1", "--scheme", "ntlm", "--seed", seed, "--cases", "30"];
        assert_exit(&sipae(&[&run[..], &cases].concat()), 0);
        std::mem::take(&mut *SHAPES.lock().expect("not poisoned")).into_values().collect::<Vec<_>>()
    };
    let (first, second, other) = (shapes("5"), shapes("5"), shapes("6"));
    let differing: Vec<_> = first.iter().zip(&second).filter(|(one, other)| one != other).collect();
    assert!(first.len() == second.len() && differing.is_empty(), "{differing:#?}");
    let requests = first.concat().len();
    assert!(150 < requests && first != other, "{requests}");
}

/// As many threads as there are cores do nothing but count while a run goes on.
#[test]
fn busy_cores_change_no_verdict() {
    const CASES: [&str; 2] = ["--cases", "10"];
    let served = Served::start(&NTLM);
    let direct = verdicts(&served.target, &CASES);
    let is_over = AtomicBool::new(false);
    let busy = || {
        while !is_over.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    };
    let loaded = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (0..2 * cores).for_each(|_| drop(scope.spawn(busy)));
        let loaded = verdicts(&served.target, &CASES);
        is_over.store(true, Ordering::Relaxed);
        loaded
    });
    let differing: Vec<_> = loaded.symmetric_difference(&direct).collect();
    assert!(differing.is_empty() && !direct.is_empty(), "{differing:#?}");
}

/// A registrar forwards requests to the contact that was registered, and waits for the answer.
fn with_a_request_of_its_own(message: &Message<'_>) -> Deed {
    let Some(number) = message.cseq().ok().and_then(|cseq| cseq.value()) else { return Deed::Forward };
    let draft = Draft::request("OPTIONS", "sip:127.0.0.1:5060")
        .with(HeaderName::Via, format!("SIP/2.0/TCP server.contoso.com;branch=z9hG4bKown{number}"))
        .with(HeaderName::From, "<sip:bob@contoso.com>;tag=9")
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, format!("own-{number}"))
        .with(HeaderName::CSeq, "1 OPTIONS")
        .with(HeaderName::ContentLength, "0");
    Deed::ForwardAnd(draft.to_octets())
}

/// The server gets the answers of the suite as responses of a client, and must not choke on them either. What it sends
/// unsigned to a client with an association is a remark about a row of its own, and about no other.
#[test]
fn requests_of_the_target_disturb_nothing_else() {
    let (_served, target) = served(with_a_request_of_its_own, at_once);
    // Whoever asks and answers, but no deliveries: the requests of this relay are all in the same few dialogs.
    let cases = ["--cases", "1", "--jobs", "32", "requests-of-the-server", "3.1.1/", "3.3.5.2/", "3.3.5.3/"];
    let stdout = assert_exit(&sipae(&[&["run", "--target", &target][..], &cases].concat()), 0);
    assert!(stdout.contains("LOOSE  3.3.4.1/requests-of-the-server"), "{stdout}");
}

/// SIPAE-3.3.5.3-04: closing is tolerated if the association survives on a new connection.
#[test]
fn a_target_that_closes_on_a_forgery_is_loose() {
    let (_served, target) =
        served(|message| if is_forged(message) { Deed::Close } else { Deed::Forward }, at_once);
    let stdout = assert_exit(&sipae(&["run", "--target", &target, "forged"]), 0);
    assert!(
        stdout.contains("LOOSE  3.3.5.3/forged-signature") && stdout.contains("connection closed"),
        "{stdout}"
    );
}

#[test]
fn a_target_that_answers_a_forgery_with_481_is_loose() {
    let refuse = |message: &Message<'_>| {
        if is_forged(message) {
            Deed::Answer(Draft::response_to(message, 481, "x").close().to_octets())
        } else {
            Deed::Forward
        }
    };
    let (_served, target) = served(refuse, at_once);
    let stdout = assert_exit(&sipae(&["run", "--target", &target, "forged"]), 0);
    assert!(stdout.contains("LOOSE  3.3.5.3/forged-signature") && stdout.contains("481"), "{stdout}");
}

#[test]
fn a_target_that_dies_is_a_crash_and_exit_6() {
    let die =
        |message: &Message<'_>| if message.method() == Some(b"ACK") { Deed::Die } else { Deed::Forward };
    let (_served, target) = served(die, at_once);
    let stdout = assert_exit(&sipae(&["run", "--target", &target]), 6);
    assert_eq!(stdout.matches("FAIL (CRASH)").count(), 1, "{stdout}");
    assert!(stdout.ends_with("the target crashed\n"), "{stdout}");
}

/// Sixty-four conversations are on their way when it dies: the one that killed it cannot be told from its neighbours.
#[test]
fn a_target_that_dies_amid_generated_conversations_has_crashed_and_their_script_is_kept() {
    let die = |message: &Message<'_>| {
        let is_last = credential(message, AuthParam::Response).is_some_and(|text| text.len() > 32);
        if is_last { Deed::Die } else { Deed::Forward }
    };
    let (_served, target) = served(die, at_once);
    let stdout =
        assert_exit(&sipae(&["run", "--target", &target, "--json", "-", "5.1/any-signature-length"]), 6);
    let told = finished(&stdout);
    let crashed: Vec<_> = told.iter().filter(|case| case["verdict"]["fail"] == "crash").collect();
    let [crashed] = &crashed[..] else { panic!("{stdout}") };
    assert!(crashed["script"]["steps"].as_array().is_some_and(|steps| 1 < steps.len()), "{crashed}");
}

/// Credentials are refused in more than one way, and each is refused once: accounts lock.
#[rstest]
#[case(403)]
#[case(404)]
#[case(500)]
fn credentials_that_are_refused_with_a_status_close_the_gate(#[case] status: u16) {
    let refuse: fn(&Message<'_>) -> Deed = match status {
        403 => |message| refuse_authenticate(message, 403),
        404 => |message| refuse_authenticate(message, 404),
        _ => |message| refuse_authenticate(message, 500),
    };
    let (_served, target) = served(refuse, at_once);
    let stdout = assert_exit(&sipae(&["run", "--target", &target]), 3);
    let line = format!("gate closed: AUTHENTICATE of CONTOSO\\alice: {status}, not signed");
    assert_eq!(stdout.matches(&line).count(), 1, "{stdout}");
}

fn refuse_authenticate(message: &Message<'_>, status: u16) -> Deed {
    let refusal = || Draft::response_to(message, status, "x").close().to_octets();
    if is_authenticate(message) { Deed::Answer(refusal()) } else { Deed::Forward }
}

/// What a registrar does with Digest is no anonymous join, and its challenges are what rows ask of any server.
#[test]
fn a_registrar_with_digest_closes_one_gate_and_fails_no_case() {
    let challenge = |message: &Message<'_>| {
        let draft =
            Draft::response_to(message, 401, "x").with(HeaderName::Date, "Thu, 01 Jan 2026 00:00:00 GMT");
        let line = "Digest realm=\"contoso.com\", nonce=\"0123456789abcdef\"";
        if matches!(message.method(), Some(b"ACK" | b"CANCEL")) {
            Deed::Swallow
        } else {
            Deed::Answer(draft.with(HeaderName::WwwAuthenticate, line).close().to_octets())
        }
    };
    let (_served, target) = served(challenge, at_once);
    let stdout = assert_exit(&sipae(&["run", "--target", &target]), 3);
    assert!(stdout.contains("NTLM v4  gate closed: the server offers Digest and no NTLM\n"), "{stdout}");
    assert!(
        stdout.contains("Digest  gate not tested: the server does not accept the key of sip:alice@"),
        "{stdout}"
    );
    assert!(!stdout.contains("FAIL") && !stdout.contains("LOOSE"), "{stdout}");
    let claimed = assert_exit(&sipae(&["run", "--target", &target, "--scheme", "digest"]), 3);
    assert!(
        claimed.contains("Digest  gate closed: the server does not accept the key of sip:alice@"),
        "{claimed}"
    );
}

/// A registrar that lets alice in whatever her password: hers is never the wrong one, since accounts lock.
#[test]
fn wrong_digest_credentials_go_to_the_account_for_those() {
    let registrar = |message: &Message<'_>| {
        let line = "Digest realm=\"contoso.com\", nonce=\"0123456789abcdef\", qop=\"auth\"";
        let answer = if is_digest_of(message, "alice") {
            Draft::response_to(message, 200, "x")
        } else {
            Draft::response_to(message, 401, "x").with(HeaderName::WwwAuthenticate, line)
        };
        Deed::Answer(answer.close().to_octets())
    };
    let (_served, target) = served(registrar, at_once);
    let sacrificial = "[sacrificial]\nuser = \"mallory\"\npassword = \"x\"\naddress = \"mallory@contoso.com\"\n\
                       failed_logons = 9\n[digest]\nregistrar = true\n";
    let profile = Scratch::new("registrar.toml", &(profile("test-password-of-alice", 5000) + sacrificial));
    let args =
        ["run", "--target", &target, "--profile", profile.path(), "--scheme", "digest", "3.3.5.4/wrong-key"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(stdout.contains("1 case: 1 pass"), "{stdout}");
}

fn is_digest_of(message: &Message<'_>, user: &str) -> bool {
    let credential = message.first(HeaderName::Authorization).map(Value::to_text);
    credential.is_some_and(|text| text.contains(&format!("username=\"{user}\"")))
}

/// What a server says of its reason moves no cursor.
#[test]
fn words_of_a_server_are_harmless_in_what_probe_shows() {
    let refuse = |message: &Message<'_>| {
        if !is_authenticate(message) {
            return Deed::Forward;
        }
        let octets = Draft::response_to(message, 403, "x").close().to_octets();
        let told = "ms-diagnostics: 1;reason=\"\u{1b}[2J\u{202E}\"\r\nContent-Length";
        Deed::Answer(String::from_utf8_lossy(&octets).replace("Content-Length", told).into_bytes())
    };
    let (_served, target) = served(refuse, at_once);
    let profile = Scratch::new("probe.toml", &profile("test-password-of-alice", 5000));
    let stdout = assert_exit(&sipae(&["probe", &target, "--profile", profile.path()]), 0);
    assert!(stdout.contains("403") && stdout.contains("reason=\"\u{FFFD}[2J\u{FFFD}\""), "{stdout}");
}

/// A profile that claims more than is offered blames the claim, and what is offered is tested.
#[test]
fn a_version_that_is_claimed_and_not_offered_is_named() {
    let served = Served::start(&NTLM);
    let claims = profile("test-password-of-alice", 5000) + "[target]\nversions = [3, 4]\n";
    let profile = Scratch::new("claims.toml", &claims);
    let stdout = assert_exit(&sipae(&["run", "--target", &served.target, "--profile", profile.path()]), 3);
    assert!(stdout.contains("NTLM v3  gate closed: the server offers NTLM version 4"), "{stdout}");
    assert!(stdout.contains("NTLM v4  gate open"), "{stdout}");
}

/// What a forgery is answered with, in place of the server.
fn after_forgery(message: &Message<'_>, answer: impl FnOnce(Draft) -> Vec<u8>) -> Deed {
    if is_forged(message) {
        Deed::ForwardAnd(answer(Draft::response_to(message, 183, "x").close()))
    } else {
        Deed::Forward
    }
}

fn half(draft: &Draft) -> Vec<u8> {
    let octets = draft.to_octets();
    octets.iter().take(octets.len() / 2).copied().collect()
}

/// Ten megabytes in one head.
fn endless_head(mut draft: Draft) -> Vec<u8> {
    (0..10_000).for_each(|_| draft.push_text("X-Long", "x".repeat(1000)));
    draft.to_octets()
}

/// The case that meets it gets a verdict, the others theirs; time and memory are bounded.
#[rstest]
#[case::a_flood(|message: &Message<'_>| after_forgery(message, |draft| draft.to_octets().repeat(40_000)))]
#[case::large_bodies(|message: &Message<'_>| after_forgery(message, |draft| draft.with_body("x/x", &vec![b'x'; 4 << 20]).to_octets().repeat(8)))]
#[case::half_a_message(|message: &Message<'_>| after_forgery(message, |draft| half(&draft)))]
#[case::an_endless_head(|message: &Message<'_>| after_forgery(message, endless_head))]
#[case::a_length_that_is_no_number(|message: &Message<'_>| after_forgery(message, |draft| draft.with(HeaderName::ContentLength, "-1").to_octets()))]
#[case::garbage(|message: &Message<'_>| after_forgery(message, |_| vec![0xff; 1 << 20]))]
fn misbehaviour_in_one_case_costs_one_verdict(#[case] deed: fn(&Message<'_>) -> Deed) {
    let (_served, target) = served(deed, at_once);
    let profile = Scratch::new("pace.toml", &profile("test-password-of-alice", 400));
    let output = bounded_run(&target, &["--profile", profile.path(), "forged", "replay"]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(stdout.contains("cases:") && stdout.contains(" pass") && !stdout.contains("CRASH"), "{stdout}");
}

/// One that asks without end and does not read the answers.
fn ask_without_end(mut stream: TcpStream) {
    let mut first = [0; 4096];
    let _some = stream.read(&mut first);
    let request = Draft::request("OPTIONS", "sip:x")
        .with(HeaderName::Via, "SIP/2.0/TCP x;branch=z9hG4bKx")
        .with(HeaderName::From, format!("<sip:{}@x>;tag=1", "x".repeat(30_000)))
        .with(HeaderName::To, "<sip:y@x>")
        .with(HeaderName::CallId, "x")
        .with(HeaderName::CSeq, "1 OPTIONS")
        .with(HeaderName::ContentLength, "0")
        .to_octets();
    while stream.write_all(&request).is_ok() {}
}

#[test]
fn a_target_that_asks_without_end_and_does_not_read_costs_a_verdict() {
    let profile = Scratch::new("pace.toml", &profile("x", 300));
    let target = misbehaving(ask_without_end);
    let started = Instant::now();
    let stdout = assert_exit(&sipae(&["run", "--target", &target, "--profile", profile.path()]), 3);
    assert!(stdout.contains("cases:") && started.elapsed() < Duration::from_secs(20), "{stdout}");
}

pub(crate) fn answer_ack(message: &Message<'_>) -> Deed {
    if message.method() == Some(b"ACK") {
        Deed::Answer(Draft::response_to(message, 400, "x").close().to_octets())
    } else {
        Deed::Forward
    }
}

/// From the first list to one that nobody needs any more.
#[test]
fn a_list_of_expected_failures_lives_with_its_target() {
    let list = Scratch::new("expected.toml", "");
    let content = || std::fs::read_to_string(list.path()).expect("a list");
    let (_served, faulty) = served(answer_ack, at_once);
    let (_other, right) = served(forward, at_once);
    let run = |target: &str, more: &[&str], code| {
        let args = ["run", "--target", target, "--expected-failures", list.path()];
        assert_exit(&sipae(&[&args[..], &["--cases", "10"], more].concat()), code)
    };

    run(&faulty, &["--fix"], 1);
    let entry = "[[expected]]\nid = \"3.3.5.1/bare-ack\"\nreason = \"TODO: say why\"\n";
    assert!(content().contains(entry), "{}", content());
    let told = run(&faulty, &[], 0);
    assert!(told.contains("EXPECTED  FAIL (REACTION)  3.3.5.1/bare-ack  NTLM v4  TODO: say why\n"), "{told}");
    assert!(
        !told.contains("  again: sipae run")
            && told.contains(" 0 not listed, 0 stale, 0 otherwise, 0 unused\n"),
        "{told}"
    );

    let told = run(&right, &[], 5);
    assert!(told.contains("STALE  3.3.5.1/bare-ack  NTLM v4  is expected to fail and passes\n"), "{told}");
    assert!(told.ends_with("the list of expected failures is stale\n"), "{told}");
    run(&right, &["3.3.5.1/date"], 0);
    run(&right, &["--fix"], 5);
    assert_eq!(content(), "");
    run(&right, &[], 0);
}

static BANNED_UNTIL: Mutex<Option<Instant>> = Mutex::new(None);

/// Products hold off whoever has just tried a forgery.
fn ban_after_forgery(message: &Message<'_>) -> Deed {
    let mut until = BANNED_UNTIL.lock().expect("not poisoned");
    if is_forged(message) {
        *until = Some(Instant::now() + Duration::from_millis(400));
    }
    if until.is_some_and(|until| Instant::now() < until) { Deed::Close } else { Deed::Forward }
}

#[test]
fn a_target_that_holds_off_strangers_for_a_moment_has_not_crashed() {
    let (_served, target) = served(ban_after_forgery, at_once);
    let stdout = String::from_utf8_lossy(
        &sipae(&["run", "--target", &target, "--jobs", "1", "3.3.5.3/forged-signature", "gaps"]).stdout,
    )
    .into_owned();
    assert!(!stdout.contains("CRASH") && !stdout.contains("HANG") && stdout.contains("1 pass"), "{stdout}");
}

static HANGS: AtomicBool = AtomicBool::new(false);

fn hang_after_ack(message: &Message<'_>) -> Deed {
    let is_ack = message.method() == Some(b"ACK");
    if HANGS.fetch_or(is_ack, Ordering::SeqCst) || is_ack { Deed::Swallow } else { Deed::Forward }
}

/// One verdict for the hang, and not one for every case that would come after it.
#[test]
fn a_target_that_begins_to_hang_is_named_once_and_costs_the_run_little() {
    let (_served, target) = served(hang_after_ack, at_once);
    let profile = Scratch::new("pace.toml", &profile("test-password-of-alice", 300));
    let started = Instant::now();
    let args = ["run", "--target", &target, "--profile", profile.path(), "--jobs", "1"];
    let stdout = assert_exit(&sipae(&args), 1);
    assert_eq!(stdout.matches("FAIL (HANG)").count(), 1, "{stdout}");
    assert!(stdout.contains("FAIL (HANG)  3.3.5.1/bare-ack") && stdout.contains("blocked"), "{stdout}");
    assert!(started.elapsed() < Duration::from_secs(20), "{stdout}");
}
