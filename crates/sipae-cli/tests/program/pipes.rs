//! Servers behind a pipe: each connection is a program.

use rstest::rstest;

use crate::commands::{Scratch, Served, assert_exit, profile, sipae};

/// All that one connection can show is shown, at every version.
#[rstest]
fn a_server_over_its_standard_input_passes_what_one_connection_can_show(
    #[values("2", "3", "4")] version: &str,
) {
    let target = format!("pipe:{} serve --stdio --offer {version}", env!("CARGO_BIN_EXE_sipae"));
    let summary = assert_exit(
        &sipae(&["run", "--target", &target, "--scheme", "ntlm", "--cases", "5", "--verbose"]),
        0,
    );
    let total = summary.lines().rev().nth(1).unwrap_or_default();
    assert!(
        total.starts_with("1461 cases: 3") && total.contains("pass") && !total.contains("loose"),
        "{summary}"
    );
    assert!(summary.contains("each connection is a program of its own"), "{summary}");
}

/// A server behind a shell, which dies when it reads a line that begins with this word, and says why.
fn dying_at(word: &str) -> String {
    let serve = format!("{} serve --stdio", env!("CARGO_BIN_EXE_sipae"));
    let script = format!(
        "while IFS= read -r line; do case $line in \"{word}\"*) echo last words >&2; kill -SEGV $$;; esac; \
         printf '%s\\n' \"$line\"; done | {serve}"
    );
    format!("pipe:sh -c {}", shlex::try_quote(&script).expect("no NUL"))
}

/// Another connection is another program: one crash costs one verdict.
#[test]
fn a_program_that_dies_in_one_case_has_crashed_there_and_nowhere_else() {
    let target = dying_at("ACK ");
    let cases = ["3.3.5.1/bare-ack", "3.3.5.1/date"];
    let summary = assert_exit(&sipae(&[&["run", "--target", &target][..], &cases].concat()), 6);
    assert!(summary.contains("FAIL (CRASH)  3.3.5.1/bare-ack"), "{summary}");
    assert!(summary.contains("connection 1: signal 11 (SIGSEGV)"), "{summary}");
    assert!(summary.contains("last words"), "{summary}");
    assert!(!summary.contains("3.3.5.1/date"), "{summary}");
}

#[test]
fn a_program_that_dies_at_once_closes_the_gate() {
    let output = sipae(&["run", "--target", "pipe:sh -c 'kill -SEGV $$'", "3.3.5.1/date"]);
    let summary = assert_exit(&output, 3);
    assert!(summary.contains("gate closed"), "{summary}");
}

#[test]
fn a_program_that_is_not_there_closes_the_gate() {
    let summary = assert_exit(&sipae(&["run", "--target", "pipe:/no/such/server", "3.3.5.1/date"]), 3);
    assert!(summary.contains("cannot start /no/such/server"), "{summary}");
}

/// What copies between its standard input and output and one server is as good as a connection to it.
#[test]
fn programs_that_share_a_server_pass_all_that_it_passes() {
    let served = Served::start(&[]);
    let port = served.target.rsplit_once(':').expect("a port").1;
    let relay = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & cat >&3; kill $!'");
    let peer = "[[peer]]\nuser = \"bob\"\ndomain = \"CONTOSO\"\npassword = \"test-password-of-bob\"\naddress = \"bob@contoso.com\"\n";
    let text = format!("{}{peer}[target]\nshared = true\n", profile("test-password-of-alice", 5000));
    let profile = Scratch::new("shared.toml", &text);
    let arguments = ["run", "--target", &format!("pipe:{relay}"), "--profile", profile.path(), "--jobs", "4"];
    let cases = ["3.3.4.1/", "3.3.5.2/opaque"];
    let summary = assert_exit(&sipae(&[&arguments[..], &cases].concat()), 0);
    assert!(!summary.contains("each connection is a program"), "{summary}");
}
