//! The suite in somebody else's `cargo test`: what becomes of cases that fail, crash, are blocked or known.

use libtest_mimic::{Arguments, Conclusion};
use sipae::client::{ClientConfig, ProxyAccount};
use sipae::defects::{Defect, Defects};
use sipae::version::Version;
use sipae_conformance::client;
use sipae_conformance::codec::ReferenceCodec;
use sipae_conformance::harness::{
    Act, Answer, ClientAct, ClientObject, Codec, ConnectionId, Harness, Mode, Operation, Refusal, Scheme,
    ServerObject, Time,
};
use sipae_conformance::profile::Profile;
use sipae_conformance::target::reference_config;
use sipae_net::{AgentObject, ReferenceObject};

/// Passed, failed, ignored, with these arguments behind `cargo test --`.
fn ran(harness: Harness, words: &[&str]) -> [u64; 3] {
    let arguments = Arguments::from_iter(["test", "--quiet"].iter().chain(words));
    let conclusion: Conclusion = harness.run(&arguments).expect("a target");
    [conclusion.num_passed, conclusion.num_failed, conclusion.num_ignored]
}

/// The reference, but for what it does with a message that begins like this.
struct Server {
    inner: ReferenceObject,
    word: &'static [u8],
    deed: fn() -> Vec<Act>,
}

impl ServerObject for Server {
    fn connect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act> {
        self.inner.connect(connection, now)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<Act> {
        if octets.starts_with(self.word) {
            (self.deed)()
        } else {
            self.inner.receive(connection, octets, now)
        }
    }
}

fn server(word: &'static [u8], deed: fn() -> Vec<Act>) -> Harness {
    let make = move || Server { inner: ReferenceObject::new(reference_config(Version::V4), 1), word, deed };
    Harness::server(make).versions(&[Version::V4])
}

fn right() -> Harness {
    server(b"nothing", Vec::new)
}

fn panicking() -> Harness {
    server(b"ACK ", || panic!("as the test wants it"))
}

const BARE_ACK: &str = "ntlm-v4::3.3.5.1/bare-ack";

#[test]
fn a_server_that_is_right_passes_and_cases_about_timers_that_it_does_not_tell_are_ignored() {
    let [passed, failed, _] = ran(right(), &["3.3.5.1/"]);
    assert!(30 < passed && failed == 0);
    let [_, failed, ignored] = ran(right(), &["3.3.2/"]);
    assert!(0 < ignored && failed == 0);
}

#[test]
fn a_panic_of_a_server_fails_the_case_that_it_happens_in_and_no_other() {
    assert_eq!(ran(right(), &[BARE_ACK, "--exact"]), [1, 0, 0]);
    assert_eq!(ran(panicking(), &[BARE_ACK, "--exact"]), [0, 1, 0]);
    assert_eq!(ran(panicking(), &["ntlm-v4::3.3.5.1/date", "--exact"]), [1, 0, 0]);
}

#[test]
fn a_gate_that_is_closed_fails_and_so_do_the_cases_behind_it() {
    assert_eq!(ran(server(b"REGISTER ", Vec::new), &["gate"]), [0, 1, 0]);
    assert_eq!(ran(server(b"REGISTER ", Vec::new), &["3.3.5.3/forged-message"]), [0, 1, 0]);
}

#[test]
fn a_known_failure_passes_as_long_as_it_fails() {
    let known = |harness: Harness| ran(harness.known_failures(&[BARE_ACK]), &[BARE_ACK, "--exact"]);
    assert_eq!(known(panicking()), [1, 0, 0]);
    assert_eq!(known(right()), [0, 1, 0], "it does not fail any more");
    assert_eq!(known(server(b"REGISTER ", Vec::new)), [0, 1, 0], "what is blocked has not failed");
}

fn agent(defects: Defects) -> AgentObject {
    let user = Profile::of_reference().user;
    let config = ClientConfig::new(&user.user, &user.domain, &user.password, &user.address);
    let proxy = Some(ProxyAccount { user: user.user, password: user.password });
    AgentObject::new(ClientConfig { defects, proxy, ..config }, 1)
}

fn client(defects: Defects) -> Harness {
    Harness::client(move |_| agent(defects)).versions(&[Version::V4])
}

#[test]
fn a_client_that_is_right_passes_every_test() {
    let meaning = |version| {
        let mode = Mode { scheme: Scheme::Ntlm, version };
        client::cases::all().iter().filter(|case| case.needs().has_meaning(mode)).count()
    };
    let cases = u64::try_from(meaning(Version::V2) + meaning(Version::V4)).expect("a number");
    let harness = Harness::client(|_| agent(Defects::NONE)).versions(&[Version::V2, Version::V4]);
    assert_eq!(ran(harness, &[]), [cases + 2, 0, 0]);
}

#[test]
fn a_client_with_a_bug_fails_the_tests_of_its_row_and_no_others() {
    let defect = Defect::IgnoresRealmLetters;
    let of_row = |case: &&client::ClientCase| case.requirements().contains(&defect.requirement());
    let ids: Vec<&str> = client::cases::all().iter().filter(of_row).map(client::ClientCase::id).collect();
    let [_, failed, ignored] = ran(client(Defects::only(defect)), &ids);
    assert!(0 < failed && ignored == 0, "{ids:?}");
    let others: Vec<&str> = ids.iter().flat_map(|id| ["--skip", id]).collect();
    let [passed, failed, _] = ran(client(Defects::only(defect)), &others);
    assert!(100 < passed && failed == 0, "{passed} {failed}");
}

/// A client that registers, and does nothing that it is asked for.
struct Quiet(AgentObject);

impl ClientObject for Quiet {
    fn start(&mut self, now: Time) -> Vec<ClientAct> {
        self.0.start(now)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<ClientAct> {
        self.0.receive(connection, octets, now)
    }

    fn advance(&mut self, now: Time) -> Vec<ClientAct> {
        self.0.advance(now)
    }
}

#[test]
fn cases_that_a_client_cannot_be_made_to_take_part_in_are_ignored() {
    let quiet = || Harness::client(|_| Quiet(agent(Defects::NONE))).versions(&[Version::V4]);
    let [passed, failed, ignored] = ran(quiet(), &[]);
    assert!(0 < passed && failed == 0 && 0 < ignored, "{passed} {failed} {ignored}");
    let claimed = ran(quiet().schemes(&[Scheme::Kerberos]), &["gate"]);
    assert_eq!(claimed, [0, 1, 0], "it claims Kerberos and has no ticket");
}

/// Takes everything for no hexadecimal number.
struct Wrong;

impl Codec for Wrong {
    fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
        match operation {
            Operation::Base16(_) => Ok(Answer::new().hex_or_null("decoded", None)),
            other => ReferenceCodec.answer(other),
        }
    }
}

#[test]
fn a_wrong_codec_fails_and_operations_that_it_does_not_claim_are_ignored() {
    let run = |words: &[&str]| ran(Harness::codec(|| Wrong).operations(&["base16"]), words);
    let [passed, failed, ignored] = run(&["/encoding/b16"]);
    assert!(0 < passed && 0 < failed && ignored == 0);
    assert_eq!(run(&["/encoding/b64"])[..2], [0, 0]);
}

#[test]
fn what_cannot_be_meant_is_said() {
    let problem = |harness: Harness| harness.run(&Arguments::from_iter(["test"])).expect_err("a problem");
    assert!(problem(Harness::target("udp://x:1")).contains("is no target"));
    assert_eq!(problem(Harness::codec(|| Wrong).operations(&["base61"])), "\"base61\" is no operation");
    assert_eq!(
        problem(right().known_failures(&["no-such"])),
        "known failures: no test is called \"no-such\""
    );
    assert!(problem(right().exec("softphone")).contains("only a client that connects to the suite"));
    let listening = || Harness::target("listen:tcp://127.0.0.1:0");
    assert_eq!(problem(listening().exec("'")), "\"'\" is no command");
    assert!(problem(right().profile_file("/no/such/profile.toml")).contains("/no/such/profile.toml"));
}
