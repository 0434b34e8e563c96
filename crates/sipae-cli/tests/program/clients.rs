//! Clients under test: good ones over every transport, and hostile ones, each of which costs a verdict and a bounded time
//! and memory.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use sipae::message::{Limits, MessageStream};

use crate::commands::{Scratch, assert_exit, profile};
use crate::measured::bounded_run;

const SIPAE: &str = env!("CARGO_BIN_EXE_sipae");
/// A dozen cases: some of the good conversation, some of a shared one, some with their own.
const SOME: [&str; 4] = ["3.1/", "3.2.5.2/altered-c", "success-for", "success-establishes"];
/// Cases of a shared conversation.
const SHARED: [&str; 1] = ["3.2.5.2/altered-"];
/// So long do clients of this process wait.
const LONGEST: Duration = Duration::from_secs(20);

/// Version 4 alone, and a client that writes what `sipae client` does.
fn settings(start_ms: u32, answer_timeout_ms: u32) -> Scratch {
    let base = profile("test-password-of-alice", answer_timeout_ms);
    let client = format!(
        "[target]\nversions = [4]\n[client]\nstart_ms = {start_ms}\nsuccess = \"^registered\"\n\
         failure = \"^(failed|lost)\"\nfailure_codes = [1]\n"
    );
    Scratch::new("client.toml", &(base + &client))
}

/// A run with NTLM against a client that has little time.
fn run(target: &str, args: &[&str]) -> Output {
    let settings = settings(1500, 400);
    bounded_run(target, &[&["--scheme", "ntlm", "--profile", settings.path()], args].concat())
}

/// A run against a good client, with the time that a busy machine may need.
fn good(target: &str, args: &[&str], cases: &[&str]) -> String {
    let settings = settings(10_000, 5000);
    let base = ["--scheme", "ntlm", "--profile", settings.path()];
    assert_exit(&bounded_run(target, &[&base, args, cases].concat()), 0)
}

/// A run against clients that this script of a shell starts.
fn scripted(script: &str, args: &[&str]) -> Output {
    run("listen:tcp://127.0.0.1:0", &[&["--exec", &shell(script)], args].concat())
}

/// A script as a command.
fn shell(script: &str) -> String {
    format!("sh -c {}", shlex::try_quote(script).expect("no NUL"))
}

fn client(scheme: &str, args: &str) -> String {
    format!("'{SIPAE}' client {scheme}://{{host}}:{{port}} --scheme ntlm {args}")
}

/// Whether the process is there, and no zombie.
fn is_running(id: &str) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().expect("ps");
    let state = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// An address at which nobody listens. The system gives its port to nobody who asks for any: somebody who connects to it
/// again and again would connect to itself at last.
fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).expect("below 10000");
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    let listener = ports.find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).expect("a port");
    listener.local_addr().expect("an address")
}

/// A run against clients of this process, each of which does this with its connection.
fn hostile(behave: fn(TcpStream)) -> Output {
    let (address, is_over) = (free(), Arc::new(AtomicBool::new(false)));
    let ends = Arc::clone(&is_over);
    let client = thread::spawn(move || connect_again_and_again(address, &ends, behave));
    let output = run(&format!("listen:tcp://{address}"), &[]);
    // The port may be that of another test next.
    is_over.store(true, Ordering::Relaxed);
    client.join().expect("an end");
    output
}

fn connect_again_and_again(address: SocketAddr, is_over: &AtomicBool, behave: fn(TcpStream)) {
    while !is_over.load(Ordering::Relaxed) {
        match TcpStream::connect(address) {
            Ok(stream) => {
                // What the suite has left takes nothing, and says so late.
                stream.set_write_timeout(Some(Duration::from_secs(1))).expect("an option");
                behave(stream);
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn register(number: u32) -> Vec<u8> {
    format!(
        "REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP x.invalid;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@contoso.com>;tag=a;epid=0123456789\r\n\
         To: <sip:alice@contoso.com>\r\nCall-ID: one\r\nCSeq: {number} REGISTER\r\n\
         Contact: <sip:x.invalid>\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Reads until the suite closes, and says nothing.
fn hang(mut stream: TcpStream) {
    let _all = std::io::copy(&mut stream, &mut std::io::sink());
}

fn say(mut stream: TcpStream, octets: &[u8]) {
    let _sent = stream.write_all(octets);
    hang(stream);
}

fn flood(mut stream: TcpStream) {
    let mut numbers = 1..;
    while numbers.next().is_some_and(|number| stream.write_all(&register(number)).is_ok()) {}
}

fn flood_with_octets(mut stream: TcpStream) {
    while stream.write_all(&[b'x'; 65536]).is_ok() {}
}

fn reset(mut stream: TcpStream) {
    let _sent = stream.write_all(&register(1));
}

fn utf16(stream: TcpStream) {
    let octets: Vec<u8> = register(1).into_iter().flat_map(|octet| [octet, 0]).collect();
    say(stream, &octets);
}

fn half(stream: TcpStream) {
    let octets = register(1);
    say(stream, &octets[..octets.len() / 2]);
}

fn one_octet_a_second(mut stream: TcpStream) {
    for octet in register(1) {
        if stream.write_all(&[octet]).is_err() {
            return;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn the_reference_client_passes_over_tcp_with_its_control_channel() {
    let exec = client("tcp", "--control");
    let stdout = good("listen:tcp://127.0.0.1:0", &["--exec", &exec, "--control"], &SOME);
    assert!(stdout.contains("NTLM v4  gate open") && !stdout.contains("inconclusive"), "{stdout}");
}

#[rstest]
#[case::tcp("tcp", "")]
#[case::tls("tls", "--tls-insecure")]
fn the_reference_client_passes_by_what_it_writes(#[case] scheme: &str, #[case] args: &str) {
    let target = format!("listen:{scheme}://127.0.0.1:0");
    let stdout = good(&target, &["--exec", &client(scheme, args)], &SOME);
    assert!(stdout.contains("NTLM v4  gate open") && !stdout.contains("inconclusive"), "{stdout}");
}

#[test]
fn the_reference_client_passes_over_a_pipe() {
    let stdout = good(&format!("listen:pipe:'{SIPAE}' client --stdio --scheme ntlm"), &[], &SOME);
    assert!(stdout.contains("NTLM v4  gate open") && !stdout.contains("inconclusive"), "{stdout}");
}

/// The conference of the suite: its key goes to the client in its words.
#[rstest]
#[case::over_tcp("listen:tcp://127.0.0.1:0", "tcp://{host}:{port} --control")]
#[case::over_a_pipe("listen:pipe:", "--stdio")]
fn the_reference_client_joins_a_conference_of_the_suite(#[case] target: &str, #[case] way: &str) {
    let words =
        format!("'{SIPAE}' client {way} --scheme {{scheme}} --conference {{conference}} --pin {{pin}}");
    let (target, exec) = match target.ends_with("pipe:") {
        true => (format!("{target}{words}"), vec![]),
        false => (target.to_owned(), vec!["--exec", words.as_str(), "--control"]),
    };
    let stdout = assert_exit(&bounded_run(&target, &[&["--scheme", "digest"], exec.as_slice()].concat()), 0);
    assert!(stdout.contains("Digest  gate open") && !stdout.contains("inconclusive"), "{stdout}");
}

/// What stands in the words of a command is in its variables, too.
#[rstest]
#[case::over_tcp("listen:tcp://127.0.0.1:0", "tcp://$SIPAE_HOST:$SIPAE_PORT")]
#[case::over_a_pipe("listen:pipe:", "--stdio")]
fn a_client_has_what_it_needs_in_variables(#[case] target: &str, #[case] way: &str) {
    let account = "--user \"$SIPAE_USER\" --password \"$SIPAE_PASSWORD\" --domain \"$SIPAE_DOMAIN\"";
    let script = shell(&format!(
        "exec '{SIPAE}' client {way} --scheme \"$SIPAE_SCHEME\" {account} --address \"$SIPAE_ADDRESS\""
    ));
    let case = ["success-establishes"];
    let stdout = match target.ends_with("pipe:") {
        true => good(&format!("{target}{script}"), &[], &case),
        false => good(target, &["--exec", &script], &case),
    };
    assert!(stdout.contains("1 pass"), "{stdout}");
}

/// One that takes long to start is not started for each conversation.
#[test]
fn a_client_that_has_several_conversations_is_started_less_often() {
    let log = Scratch::new("starts", "");
    let started = |conversations: u32| {
        std::fs::write(log.path(), "").expect("an empty file");
        let script = format!(
            "echo >> {}; exec '{SIPAE}' client tcp://$SIPAE_HOST:$SIPAE_PORT --scheme ntlm --control",
            log.path()
        );
        let base = profile("test-password-of-alice", 5000);
        let text = format!("{base}[target]\nversions = [4]\n[client]\nconversations = {conversations}\n");
        let settings = Scratch::new("several.toml", &text);
        let exec = shell(&script);
        let base = ["--scheme", "ntlm", "--profile", settings.path(), "--exec", &exec, "--jobs", "2"];
        let args = [&base[..], &["--control", "3.2.5.1/challenge-", "3.1/"]].concat();
        let stdout = assert_exit(&bounded_run("listen:tcp://127.0.0.1:0", &args), 0);
        (std::fs::read_to_string(log.path()).expect("the file").lines().count(), stdout)
    };
    let ((often, _), (rarely, stdout)) = (started(1), started(5));
    assert!(12 <= often && rarely <= often / 2, "{often} and {rarely} starts: {stdout}");
}

/// Whoever does not say that a client joins conferences does not start it for that.
#[test]
fn a_client_that_nobody_said_joins_conferences_is_not_started_for_that() {
    let settings = settings(10_000, 5000);
    let args = ["--profile", settings.path(), "--exec", &client("tcp", ""), "first-request-is-bare"];
    let stdout = assert_exit(&bounded_run("listen:tcp://127.0.0.1:0", &args), 0);
    assert!(!stdout.contains("Digest"), "{stdout}");
}

/// The gate stays closed, for one clear reason that is told once. How far a flood comes in time depends on the machine.
#[rstest]
#[case::floods(flood, "the client floods|requests that came in time")]
#[case::floods_with_octets(flood_with_octets, "the client sent what cannot be read|the client floods")]
#[case::comes_and_goes_for_ever(reset, "the client floods|in time")]
#[case::speaks_utf_16(utf16, "the client sent what cannot be read|the client floods")]
#[case::says_half_a_message(half, "nothing came in time")]
#[case::says_an_octet_a_second(one_octet_a_second, "nothing came in time")]
#[case::says_nothing(hang, "nothing came in time")]
fn a_client_that_misbehaves_costs_a_verdict(#[case] behave: fn(TcpStream), #[case] reason: &str) {
    let stdout = assert_exit(&hostile(behave), 3);
    let closed = stdout.lines().filter(|line| line.starts_with("NTLM v4  gate closed: ")).collect::<Vec<_>>();
    assert!(closed.len() == 1 && reason.split('|').any(|reason| closed[0].contains(reason)), "{stdout}");
}

#[rstest]
#[case::never_connects("sleep 60", "the client did not connect")]
#[case::ends("exit 3", "the client has ended: exit code 3")]
#[case::dies("kill -SEGV $$", "the client has ended: signal 11 (SIGSEGV)")]
fn a_program_that_is_no_client_costs_a_verdict(#[case] script: &str, #[case] reason: &str) {
    let begun = Instant::now();
    let stdout = assert_exit(&scripted(script, &[]), 3);
    let closed = stdout.lines().filter(|line| line.starts_with("NTLM v4  gate closed: ")).collect::<Vec<_>>();
    assert!(closed.len() == 1 && closed[0].contains(reason), "{stdout}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

/// Nobody waits for a client that has ended, however long it might have taken.
#[test]
fn the_end_of_a_program_is_seen_at_once() {
    let settings = settings(60_000, 5000);
    let args = ["--scheme", "ntlm", "--profile", settings.path(), "--exec", "false"];
    let begun = Instant::now();
    let stdout = assert_exit(&bounded_run("listen:tcp://127.0.0.1:0", &args), 3);
    assert!(stdout.contains("the client has ended: exit code 1"), "{stdout}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[rstest]
#[case::over_tcp(&["--exec", "/no/such/program"], "listen:tcp://127.0.0.1:0")]
#[case::over_a_pipe(&[], "listen:pipe:/no/such/program")]
fn a_command_that_does_not_exist_is_named(#[case] args: &[&str], #[case] target: &str) {
    let stdout = assert_exit(&run(target, args), 3);
    let reason = |line: &&str| line.contains("/no/such/program") && line.contains("No such file");
    let closed = stdout.lines().filter(|line| line.contains("gate closed"));
    assert_eq!(closed.filter(reason).count(), 1, "{stdout}");
}

#[rstest]
#[case::tls_to_tcp("tcp", "tls", "--tls-insecure")]
#[case::tcp_to_tls("tls", "tcp", "")]
fn a_client_of_the_other_transport_costs_a_verdict(
    #[case] listens: &str,
    #[case] speaks: &str,
    #[case] args: &str,
) {
    let output = run(&format!("listen:{listens}://127.0.0.1:0"), &["--exec", &client(speaks, args)]);
    let stdout = assert_exit(&output, 3);
    let closed = stdout.lines().filter(|line| line.starts_with("NTLM v4  gate closed: ")).collect::<Vec<_>>();
    assert!(closed.len() == 1 && closed[0].contains("TLS"), "{stdout}");
}

/// A client whose input ends up at this script when a line begins with this word.
fn at_line(word: &str, script: &str) -> String {
    let script = format!(
        "while IFS= read -r line; do case $line in \"{word}\"*) {script};; esac; \
         printf '%s\\n' \"$line\"; done | '{SIPAE}' client --stdio --scheme ntlm"
    );
    format!("listen:pipe:{}", shell(&script))
}

#[test]
fn a_client_that_dies_in_a_case_has_crashed_there_and_nowhere_else() {
    let target = at_line("MESSAGE ", "echo last words >&2; kill -SEGV $$");
    let stdout = assert_exit(&run(&target, &["3.2.5.2/unsigned-message", "3.2.5.2/altered-c"]), 6);
    let told = stdout.split("3.2.5.2/unsigned-message").nth(1).unwrap_or_default();
    assert!(told.contains("signal 11 (SIGSEGV), after "), "{stdout}");
    assert_eq!(stdout.matches("CRASH").count(), 1, "{stdout}");
}

/// What it answers is not known: what it does not act upon cannot be seen.
#[test]
fn a_client_that_hangs_behind_its_handshake_decides_nothing() {
    let stdout = assert_exit(&run(&at_line("OPTIONS ", "sleep 60"), &SHARED), 4);
    assert!(stdout.contains("inconclusive") && stdout.contains("it answers no request"), "{stdout}");
}

/// The answer to the first line of each of both.
fn both(address: SocketAddr) -> Vec<String> {
    let connect = || loop {
        match TcpStream::connect(address) {
            Ok(stream) => return stream,
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    };
    let mut streams = [connect(), connect()];
    streams
        .iter_mut()
        .zip(1..)
        .map(|(stream, number)| {
            let mut answer = [0; 16];
            stream.set_read_timeout(Some(LONGEST)).expect("an option");
            stream.write_all(&register(number)).expect("taken");
            stream.read_exact(&mut answer).expect("an answer");
            String::from_utf8_lossy(&answer).into_owned()
        })
        .collect()
}

#[test]
fn two_connections_are_both_served() {
    let address = free();
    let answers = thread::spawn(move || both(address));
    let output = run(&format!("listen:tcp://{address}"), &[]);
    assert_exit(&output, 3);
    assert_eq!(answers.join().expect("answers"), ["SIP/2.0 401 Unau"; 2]);
}

/// Carries what the client says; its answers twice.
fn carry_twice(mut near: TcpStream, mut far: TcpStream) {
    let (mut messages, mut octets) = (MessageStream::new(Limits::DEFAULT), [0; 65536]);
    while let Ok(length @ 1..) = near.read(&mut octets) {
        messages.push(&octets[..length]);
        while let Ok(Some(message)) = messages.next_message() {
            let times = if message.status().is_some() { 2 } else { 1 };
            if far.write_all(&message.octets().repeat(times)).is_err() {
                return;
            }
        }
    }
    let _gone = far.shutdown(Shutdown::Both);
}

#[test]
fn a_client_that_answers_twice_is_understood() {
    let address = free();
    let relay = TcpListener::bind("127.0.0.1:0").expect("a port");
    let exec = format!("'{SIPAE}' client tcp://{} --scheme ntlm", relay.local_addr().expect("an address"));
    thread::spawn(move || {
        for near in relay.incoming().flatten() {
            let Ok(mut far) = TcpStream::connect(address) else { continue };
            let (mut to, from) = (near.try_clone().expect("a handle"), far.try_clone().expect("a handle"));
            thread::spawn(move || carry_twice(near, from));
            thread::spawn(move || {
                let _all = std::io::copy(&mut far, &mut to);
                let _gone = to.shutdown(Shutdown::Both);
            });
        }
    });
    let stdout = good(&format!("listen:tcp://{address}"), &["--exec", &exec], &SHARED);
    assert!(stdout.contains("NTLM v4  gate open"), "{stdout}");
}

#[test]
fn a_client_that_writes_without_end_holds_nobody_up() {
    let noise = "yes noise | head -c 20000000";
    let script = format!("({noise}) & ({noise}) >&2 & exec {}", client("tcp", ""));
    good("listen:tcp://127.0.0.1:0", &["--exec", &shell(&script)], &SHARED);
}

#[rstest]
#[case::at_once("echo garbage; sleep 60", "sh says \"garbage\", which is no answer on the control channel")]
#[case::without_end("yes", "sh says \"y\", which is no answer on the control channel")]
#[case::no_line("head -c 100000 /dev/zero; sleep 60", "sh says a line of more than 16384 octets")]
fn a_control_channel_of_garbage_is_one_line(#[case] script: &str, #[case] reason: &str) {
    let stdout = assert_exit(&scripted(script, &["--control"]), 3);
    let closed: Vec<&str> = stdout.lines().filter(|line| line.contains("gate closed")).collect();
    assert!(closed.len() == 1 && closed[0].ends_with(reason), "{stdout}");
}

/// It says hello, and then nothing that answers anything.
#[test]
fn a_control_channel_that_breaks_decides_nothing() {
    let hello = r#"{"id":1,"hello":{"protocol":1,"can":["standing","do"],"stimuli":["message"]}}"#;
    let script = format!("read -r ask; echo '{hello}'; yes & exec {} >&2 </dev/null", client("tcp", ""));
    let stdout = assert_exit(&scripted(&script, &["--control", "3.2.4.1/message-is-signed", "3.1/"]), 0);
    assert!(stdout.contains("inconclusive"), "{stdout}");
}

#[test]
fn nothing_of_a_client_is_left() {
    let ids = Scratch::new("ids", "");
    let script = format!("sleep 600 & echo $! >> {}; exec {}", ids.path(), client("tcp", ""));
    good("listen:tcp://127.0.0.1:0", &["--exec", &shell(&script)], &SOME);
    let ids = std::fs::read_to_string(ids.path()).expect("ids");
    assert!(1 < ids.lines().count() && !ids.lines().any(is_running), "{ids}");
}

/// Starts are what a run costs where each takes its time. To run it:
/// `cargo test --release -p sipae-cli --test program slow_client -- --ignored --nocapture`.
#[test]
#[ignore = "takes more than a minute"]
fn a_slow_client_is_started_a_bounded_number_of_times() {
    const MOST: usize = 60;
    const BOUND: Duration = Duration::from_secs(90);
    let (starts, settings) = (Scratch::new("starts", ""), settings(10_000, 5000));
    let script = format!("echo >> {}; sleep 1.5; exec {}", starts.path(), client("tcp", "--control"));
    let mut command = Command::new(SIPAE);
    command.args(["run", "--target", "listen:tcp://127.0.0.1:0", "--exec", &shell(&script), "--control"]);
    command.args(["--scheme", "ntlm", "--profile", settings.path(), "--jobs", "2"]);
    let begun = Instant::now();
    let output = command.output().expect("sipae starts");
    let took = begun.elapsed();
    let starts = std::fs::read_to_string(starts.path()).expect("starts").lines().count();
    println!("{starts} starts, {took:?}");
    assert_exit(&output, 0);
    assert!(starts <= MOST && took < BOUND, "{starts} starts, {took:?}");
}
