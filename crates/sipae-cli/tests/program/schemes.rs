//! Kerberos and TLS-DSK between processes: what works, and what is wrong in one line.

use std::fs;
use std::path::Path;

use rstest::rstest;
use sipae::clock::Time;
use sipae::kerberos::{EncryptionType, Key, Keytab, Principal, ServiceKey};
use sipae_net::{Authority, TestKey, Validity, system_time};
use tempfile::TempDir;

use crate::commands::{Scratch, Served, assert_exit, profile, sipae};

const SCHEMES: [&str; 3] = ["NTLM", "Kerberos", "TLS-DSK"];

/// A server, and the folder where it has written what its clients need.
struct Room {
    served: Served,
    folder: TempDir,
}

impl Room {
    fn new(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("text").to_owned();
        let served = Served::start(&[&["--write-test-credentials", &path], args].concat());
        Self { served, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("text").to_owned()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    /// Lets the profile say something else.
    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("profile.toml")).expect("a profile");
        assert!(text.contains(from), "{text}");
        self.write("profile.toml", text.replace(from, to));
    }

    #[track_caller]
    fn run(&self, args: &[&str], code: i32) -> String {
        let profile = self.path("profile.toml");
        let base = ["run", "--target", &self.served.target, "--profile", &profile];
        assert_exit(&sipae(&[&base, args].concat()), code)
    }

    /// The one line about a scheme whose gate is closed; nothing that was sent nevertheless fails.
    #[track_caller]
    fn closed(&self, scheme: &str) -> String {
        let stdout = self.run(&["--scheme", scheme, "3.3.5"], 3);
        assert_eq!(stdout.matches("gate closed").count(), 1, "{stdout}");
        assert!(!stdout.contains("FAIL ("), "{stdout}");
        stdout.lines().find(|line| line.contains("gate closed")).expect("the line").to_owned()
    }
}

fn keytab(service: &str, key: &[u8; 32]) -> Vec<u8> {
    let principal: Principal = service.parse().expect("a principal");
    let key = Key::new(EncryptionType::Aes256, key).expect("a key");
    Keytab::write(&[ServiceKey { principal, kvno: 1, key }])
}

#[rstest]
fn every_scheme_passes(#[values(&[], &["--tls"], &["--host", "sip.example.org"])] args: &[&str]) {
    let room = Room::new(args);
    let stdout = room.run(&["--cases", "5"], 0);
    for scheme in SCHEMES {
        assert!(stdout.contains(&format!("{scheme} v4  gate open")), "{stdout}");
    }
    assert!(stdout.contains("Digest  gate open"), "{stdout}");
}

/// The library of old products, on the side of the server, on that of the suite, and on both.
#[cfg(feature = "legacy-tls")]
#[rstest]
#[case("openssl", "rustls")]
#[case("rustls", "openssl")]
#[case("openssl", "openssl")]
fn openssl_passes_as_rustls_does(#[case] server: &str, #[case] suite: &str) {
    let room = Room::new(&["--tls-dsk-engine", server]);
    room.edit("[tls_dsk]\n", &format!("[tls_dsk]\nengine = \"{suite}\"\n"));
    let stdout = room.run(&["--scheme", "tls-dsk"], 0);
    assert!(stdout.contains("TLS-DSK v4  gate open") && stdout.contains(" pass"), "{stdout}");
}

#[cfg(not(feature = "legacy-tls"))]
#[test]
fn a_build_without_openssl_says_so_in_one_line() {
    let room = Room::new(&[]);
    room.edit("[tls_dsk]\n", "[tls_dsk]\nengine = \"openssl\"\n");
    let profile = room.path("profile.toml");
    let output = sipae(&["run", "--target", &room.served.target, "--profile", &profile]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("tls_dsk.engine: unsupported (built without legacy-tls)"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn without_a_profile_the_test_credentials_are_used() {
    let served = Served::start(&["--offer", "3"]);
    let stdout = assert_exit(&sipae(&["run", "--target", &served.target, "date"]), 0);
    for scheme in SCHEMES {
        assert!(stdout.contains(&format!("{scheme} v3  gate open")), "{stdout}");
    }
}

#[rstest]
#[case(&[], "NTLM, Kerberos, TLS-DSK version 4, users alice@contoso.com, ")]
#[case(&["--schemes", "tls-dsk,ntlm", "--offer", "3"], "TLS-DSK, NTLM version 3, users ")]
#[case(&["--schemes", "kerberos"], "Kerberos version 4, users ")]
fn the_first_line_names_the_schemes(#[case] args: &[&str], #[case] told: &str) {
    let served = Served::start(args);
    assert!(served.line.contains(told), "{}", served.line);
}

/// Everybody has the test key of Kerberos and that of the test authority.
#[test]
fn accounts_of_a_file_are_not_open_to_test_credentials_unless_that_is_asked_for() {
    let users = Scratch::new(
        "users.toml",
        "[[user]]\nuser = \"alice\"\ndomain = \"CONTOSO\"\npassword = \"p\"\naddress = \"alice@contoso.com\"\n",
    );
    let served = Served::start(&["--users", users.path()]);
    assert!(served.line.contains("  NTLM version 4, users alice@contoso.com"), "{}", served.line);
    let served = Served::start(&["--users", users.path(), "--schemes", "ntlm,kerberos,tls-dsk"]);
    assert!(served.line.contains("  NTLM, Kerberos, TLS-DSK version 4"), "{}", served.line);
    let keys = Scratch::new("service.keytab", "");
    fs::write(keys.path(), keytab("sip/server.contoso.com@CONTOSO.COM", &[7; 32])).expect("written");
    let served = Served::start(&["--users", users.path(), "--keytab", keys.path()]);
    assert!(served.line.contains("  NTLM, Kerberos version 4"), "{}", served.line);
}

#[test]
fn own_keys_and_certificates_are_served() {
    let room = Room::new(&[]);
    let authority = Authority::stranger().expect("an authority");
    let server = authority.server("server.contoso.com", Validity::FOR_EVER, TestKey::P256).expect("made");
    room.write("server.pem", server.certificates);
    room.write("server.key", server.key);
    room.write("authority.pem", authority.certificate());
    room.write("authority.key", authority.key());
    room.write("service.keytab", keytab("sip/server.contoso.com@CONTOSO.COM", &[7; 32]));
    room.edit("certificate = \"user.pem\"\nkey = \"user.key\"\n", "");
    let served = Served::start(&[
        "--keytab",
        &room.path("service.keytab"),
        "--tls-dsk-certificate",
        &room.path("server.pem"),
        "--tls-dsk-key",
        &room.path("server.key"),
        "--tls-dsk-ca",
        &room.path("authority.pem"),
    ]);
    let stdout = Room { served, ..room }.run(&["date"], 0);
    for scheme in SCHEMES {
        assert!(stdout.contains(&format!("{scheme} v4  gate open")), "{stdout}");
    }
}

#[rstest]
#[case(&["--schemes", "ntlm,kerberos,ntlm"], "--schemes: NTLM is named twice")]
#[case(&["--schemes", "digest"], "invalid value 'digest' for '--schemes <SCHEME,...>'")]
#[case(&["--keytab", "absent"], "--keytab: absent: No such file")]
#[case(&["--tls-dsk-certificate", "x"], "required arguments were not provided")]
#[case(&["--tls-dsk-certificate", "absent", "--tls-dsk-key", "x", "--tls-dsk-ca", "x"], "absent: No such file")]
#[case(&["--users", "x", "--write-test-credentials", "x"], "cannot be used with")]
fn what_cannot_be_served_is_one_line(#[case] args: &[&str], #[case] problem: &str) {
    let output = sipae(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(problem) && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_keytab_of_another_host_is_not_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("other.keytab");
    fs::write(&file, keytab("sip/other.contoso.com@CONTOSO.COM", &[7; 32])).expect("written");
    let output = sipae(&["serve", "--keytab", file.to_str().expect("text")]);
    assert_exit(&output, 2);
    let line = format!(
        "error: --keytab: {}: it has no key of sip/server.contoso.com (--host NAME)\n",
        file.display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
}

#[test]
fn another_key_of_the_service_is_one_line() {
    let room = Room::new(&[]);
    room.write("service.keytab", keytab("sip/server.contoso.com@CONTOSO.COM", &[7; 32]));
    let line = "Kerberos v4  gate closed: the server does not accept AP-REQ of CONTOSO\\alice: 401 and says ";
    assert!(room.closed("kerberos").starts_with(line), "{}", room.closed("kerberos"));
}

#[test]
fn a_keytab_without_the_service_is_one_line() {
    let room = Room::new(&[]);
    room.write("service.keytab", keytab("sip/other.contoso.com@CONTOSO.COM", &[7; 32]));
    let line =
        "Kerberos v4  gate closed: cannot authenticate: the keytab has no key of sip/server.contoso.com";
    assert_eq!(room.closed("kerberos"), line);
}

#[rstest]
fn a_clock_that_is_ten_minutes_off_is_one_line(#[values("600", "-600")] offset: &str) {
    let room = Room::new(&["--clock-offset", offset]);
    let line = room.closed("kerberos");
    assert!(line.contains("AP-REQ of CONTOSO\\alice: 401 and says 1013") && line.contains("skew"), "{line}");
    let stdout = room.run(&["--scheme", "ntlm", "date"], 0);
    assert!(stdout.contains("NTLM v4  gate open"), "{stdout}");
}

#[rstest]
fn a_clock_that_is_four_minutes_off_is_forgiven(#[values("240", "-240")] offset: &str) {
    let stdout = Room::new(&["--clock-offset", offset]).run(&["--scheme", "kerberos", "date"], 0);
    assert!(stdout.contains("Kerberos v4  gate open"), "{stdout}");
}

/// The user shows a certificate of this authority with this validity.
fn shows(room: &Room, authority: &Authority, validity: Validity) {
    let made = authority.user("alice@contoso.com", validity, TestKey::P256).expect("made");
    room.write("user.pem", made.certificates);
    room.write("user.key", made.key);
}

const REFUSED: &str =
    "TLS-DSK v4  gate closed: the server does not accept the certificate of CONTOSO\\alice: 401 and says ";

#[test]
fn a_user_certificate_that_nobody_trusts_is_one_line() {
    let room = Room::new(&[]);
    shows(&room, &Authority::stranger().expect("an authority"), Validity::FOR_EVER);
    let line = room.closed("tls-dsk");
    assert!(line.starts_with(REFUSED), "{line}");
}

#[test]
fn a_user_certificate_that_has_expired_is_one_line() {
    let room = Room::new(&[]);
    let Time(now) = system_time();
    let validity = Validity { not_before: Time(now - 2 * HOUR), not_after: Time(now - HOUR) };
    shows(&room, &Authority::test().expect("an authority"), validity);
    let line = room.closed("tls-dsk");
    assert!(line.starts_with(REFUSED), "{line}");
}

const HOUR: u64 = 60 * 60 * 1000;

#[test]
fn a_server_certificate_that_the_profile_does_not_trust_is_one_line() {
    let room = Room::new(&[]);
    room.write("other.pem", Authority::stranger().expect("an authority").certificate());
    room.edit("ca = \"authority.pem\"", "ca = \"other.pem\"");
    let line = room.closed("tls-dsk");
    assert!(line.contains("certificate of the peer is not trusted"), "{line}");
}

#[test]
fn a_scheme_without_credentials_is_not_tested_and_the_others_decide() {
    let served = Served::start(&[]);
    let profile = Scratch::new("ntlm.toml", &profile("test-password-of-alice", 5000));
    let stdout = assert_exit(&sipae(&["run", "--target", &served.target, "--profile", profile.path()]), 0);
    for (scheme, table) in [("Kerberos", "[kerberos]"), ("TLS-DSK", "[tls_dsk]")] {
        let line = format!("{scheme} v4  gate not tested: the profile has no credentials for it ({table})");
        assert_eq!(stdout.matches(&line).count(), 1, "{stdout}");
        assert_eq!(stdout.matches(&format!("{scheme} v")).count(), 2, "{stdout}");
    }
}

#[test]
fn probe_tells_what_each_scheme_is_and_tries_what_it_has_credentials_for() {
    let room = Room::new(&[]);
    let profile = room.path("profile.toml");
    let stdout = assert_exit(&sipae(&["probe", &room.served.target, "--profile", &profile]), 0);
    for line in [
        "offers             NTLM version 4, realm \"SIP Communications Service\", targetname \"server.contoso.com\"",
        "offers             Kerberos version 4, realm \"SIP Communications Service\", service principal \"sip/server.contoso.com\"",
        "offers             TLS-DSK version 4, realm \"SIP Communications Service\", targetname \"server.contoso.com\", \
         sts-uri \"https://server.contoso.com/CertProv/CertProvisioningService.svc\"",
        "handshake          NTLM works, with extended session security",
        "handshake          Kerberos works",
        "handshake          TLS-DSK works",
    ] {
        assert_eq!(stdout.lines().filter(|shown| *shown == line).count(), 1, "{line}\n{stdout}");
    }
    room.edit("[kerberos]\nkeytab = \"service.keytab\"\n", "");
    let stdout = assert_exit(&sipae(&["probe", &room.served.target, "--profile", &profile]), 0);
    let line = "handshake          Kerberos: not tried: the profile has no credentials for it ([kerberos])";
    assert!(stdout.lines().any(|shown| shown == line), "{stdout}");
}

#[test]
fn what_probe_writes_is_a_profile_once_the_accounts_are_filled_in() {
    let room = Room::new(&["--schemes", "kerberos,tls-dsk", "--offer", "3"]);
    let written = room.path("learnt.toml");
    assert_exit(&sipae(&["probe", &room.served.target, "--write", &written]), 0);
    let text = fs::read_to_string(&written).expect("written");
    assert!(text.contains("[target]\nschemes = [\"Kerberos\", \"TLS-DSK\"]\nversions = [3]\n"), "{text}");
    assert!(text.contains("# [kerberos]\n# keytab") && text.contains("# [tls_dsk]\n# ca"), "{text}");
    let filled = text
        .replacen("user = \"\"", "user = \"alice\"", 1)
        .replacen("domain = \"\"", "domain = \"CONTOSO\"", 1)
        .replacen("password = \"\"", "password = \"test-password-of-alice\"", 1)
        .replacen("address = \"\"", "address = \"alice@contoso.com\"", 1)
        .replacen("# [kerberos]\n# keytab = \"\"", "[kerberos]\nkeytab = \"service.keytab\"", 1);
    fs::write(&written, filled).expect("written");
    let stdout =
        assert_exit(&sipae(&["run", "--target", &room.served.target, "--profile", &written, "date"]), 0);
    assert!(stdout.contains("Kerberos v3  gate open"), "{stdout}");
    assert!(
        stdout.contains("gate not tested: the profile has no credentials for it ([tls_dsk])"),
        "{stdout}"
    );
}

#[test]
fn a_profile_of_test_credentials_is_told_without_passwords() {
    let room = Room::new(&[]);
    let stdout = assert_exit(&sipae(&["profile", "check", &room.path("profile.toml")]), 0);
    for line in [
        "  schemes     NTLM, Kerberos, TLS-DSK, Digest are tested",
        "  Kerberos    keys of sip/server.contoso.com@CONTOSO.COM",
        "  TLS-DSK     certificates of any kind are made",
        "  Digest      the anonymous join sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:TEST0001",
    ] {
        assert!(stdout.lines().any(|shown| shown == line), "{line}\n{stdout}");
    }
    assert!(!stdout.contains("test-password"), "{stdout}");
}

/// Words for what is wrong with a ticket cache, before anything is sent.
#[rstest]
#[case("KEYRING:persistent:0", "names a cache of type KEYRING, and only those of type FILE are read")]
#[case("FILE:/absent/cache", "no ticket cache at /absent/cache (kinit makes one): No such file")]
fn a_ticket_cache_that_cannot_be_read_is_one_line(#[case] name: &str, #[case] problem: &str) {
    let base = profile("test-password-of-alice", 5000);
    let profile = Scratch::new("ccache.toml", &format!("kerberos = \"ccache\"\n{base}"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sipae"))
        .args(["profile", "check", profile.path()])
        .env("KRB5CCNAME", name)
        .output()
        .expect("sipae starts");
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(problem) && stderr.lines().count() == 1, "{stderr}");
    assert!(stderr.contains(&format!("{}: kerberos: ", Path::new(profile.path()).display())), "{stderr}");
}
