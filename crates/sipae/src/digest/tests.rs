use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::auth::AuthParam;
use crate::clock::{Entropy, Time};
use crate::message::Value;

const LIFETIME: Duration = Duration::from_secs(300);

fn counter() -> impl Entropy {
    let mut next = 0u64;
    move |octets: &mut [u8]| {
        next += 1;
        for (octet, value) in octets.iter_mut().zip(next.to_le_bytes().into_iter().cycle()) {
            *octet = value;
        }
    }
}

fn login<'a>(username: &'a str, password: &'a str) -> Login<'a> {
    Login { username: username.as_bytes(), password: password.as_bytes() }
}

/// The request of RFC 2617 3.5.
fn rfc2617() -> Calculation<'static> {
    Calculation {
        algorithm: Algorithm::Md5,
        login: login("Mufasa", "Circle Of Life"),
        realm: b"testrealm@host.com",
        nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce: b"0a4f113b",
        nc: b"00000001",
        qop: Some(Qop::Auth),
        method: b"GET",
        uri: b"/dir/index.html",
        body: b"",
    }
}

#[test]
fn the_example_of_rfc_2617_is_computed() {
    assert_eq!(rfc2617().ha1(), "939e7578ed9e3c518a452acee763bce9");
    assert_eq!(rfc2617().ha2(), "39aff3a2bab6126f332b942af96d3366");
    assert_eq!(rfc2617().response(), "6629fae49393a05397450978507c4ef1");
}

/// RFC 7616 3.9.1, whose password has another spelling than that of RFC 2617.
#[rstest]
#[case(Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec")]
#[case(Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")]
fn the_examples_of_rfc_7616_are_computed(#[case] algorithm: Algorithm, #[case] response: &str) {
    let calculation = Calculation {
        algorithm,
        login: login("Mufasa", "Circle of Life"),
        realm: b"http-auth@example.org",
        nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        cnonce: b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        ..rfc2617()
    };
    assert_eq!(calculation.response(), response);
}

/// draft-smith-sipping-auth-examples-01 3.1, the form of RFC 2069.
#[test]
fn without_qop_neither_count_nor_cnonce_is_hashed() {
    let calculation = Calculation {
        login: login("bob", "zanzibar"),
        realm: b"biloxi.com",
        qop: None,
        method: b"INVITE",
        uri: b"sip:bob@biloxi.com",
        ..rfc2617()
    };
    assert_eq!(calculation.response(), "bf57e4e0d0bffc0fbaedce64d59add5e");
}

const CONFERENCE: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:854T0R7G";
/// [MS-SIPAE] 4.5, message 2.
const CHALLENGE: &str = "Digest realm=\"bob@contoso.com\", nonce=\"h8A4ZW22ygGZozIIGZcb43waVME-M6Gq\", \
    opaque=\"0C1D4536\", algorithm=MD5-sess, qop=\"auth\"";

fn challenge(text: &str) -> Result<DigestChallenge, DigestError> {
    DigestChallenge::read(Value(text.as_bytes()))
}

fn credential(text: &str) -> Result<DigestCredential, DigestError> {
    DigestCredential::read(Value(text.as_bytes()))
}

fn answer(challenge: &DigestChallenge, nc: u32) -> DigestCredential {
    let login = login("854T0R7G", "123456");
    challenge.answer(login, b"INVITE", CONFERENCE.as_bytes(), b"0a4f113b", nc).expect("qop is auth")
}

#[test]
fn the_challenge_of_ms_sipae_is_read_and_written_as_it_stands() {
    let read = challenge(CHALLENGE).expect("a challenge");
    assert_eq!(read.algorithm, Some(Algorithm::Md5Sess));
    assert_eq!(read.qop, Some(vec![Qop::Auth]));
    assert!(!read.stale);
    assert_eq!(String::from_utf8_lossy(&read.write()), CHALLENGE);
}

/// EX-10: its user name and password are assumptions.
#[rstest]
#[case(Algorithm::Md5Sess, "3fc7f49b140136e76e49d8573ae1a870")]
#[case(Algorithm::Md5, "a26172c22fcc573b0c84fbe6147f3004")]
#[case(Algorithm::Sha256Sess, "2621ff040b863bd1dd3b186ffa9351d8cf3e5d34111d49d801532e7985cd5f87")]
#[case(Algorithm::Sha256, "feee88f33c1e6e742a9c7d1f133efc87e53ee28c47fbcd6a34111d7870c72347")]
fn the_challenge_of_ms_sipae_is_answered(#[case] algorithm: Algorithm, #[case] response: &str) {
    let challenge =
        DigestChallenge { algorithm: Some(algorithm), ..challenge(CHALLENGE).expect("a challenge") };
    let answer = answer(&challenge, 1);
    assert_eq!(String::from_utf8_lossy(&answer.response), response);
    assert_eq!(
        (answer.nc.as_deref(), answer.opaque.as_deref()),
        (Some(&b"00000001"[..]), Some(&b"0C1D4536"[..]))
    );
}

#[test]
fn algorithm_qop_and_count_of_a_credential_stand_without_quotation_marks() {
    let answer = answer(&challenge(CHALLENGE).expect("a challenge"), 10);
    let text = String::from_utf8(answer.write()).expect("ASCII");
    assert!(
        text.starts_with("Digest username=\"854T0R7G\", realm=\"bob@contoso.com\", nonce=\"h8A4"),
        "{text}"
    );
    assert!(text.contains(&format!(", uri=\"{CONFERENCE}\", response=\"")), "{text}");
    let tail = "\", algorithm=MD5-sess, cnonce=\"0a4f113b\", opaque=\"0C1D4536\", qop=auth, nc=0000000a";
    assert!(text.ends_with(tail), "{text}");
}

#[test]
fn what_a_challenge_does_not_have_a_credential_does_not_have() {
    let challenge = challenge("Digest realm=\"r\", nonce=\"n\"").expect("a challenge");
    let text = String::from_utf8(answer(&challenge, 1).write()).expect("ASCII");
    for name in ["algorithm", "cnonce", "qop", "nc=", "opaque=\"0"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
}

#[test]
fn a_challenge_whose_options_are_unknown_is_not_answered() {
    let challenge = challenge("Digest realm=\"r\", nonce=\"n\", qop=\"auth-conf\"").expect("a challenge");
    let answer = challenge.answer(login("a", "b"), b"INVITE", b"sip:c", b"d", 1);
    assert_eq!(answer, Err(DigestError::UnknownQop));
}

#[test]
fn unknown_options_and_blanks_between_them_are_passed_over() {
    let challenge = challenge("digest realm=r, nonce=n, qop=\"token, AUTH ,auth-int\", stale=TRUE");
    let challenge = challenge.expect("a challenge");
    assert_eq!(challenge.qop, Some(vec![Qop::Auth, Qop::AuthInt]));
    assert!(challenge.stale);
}

#[rstest]
#[case("NTLM realm=\"r\", nonce=\"n\"", DigestError::Scheme)]
#[case("Digest nonce=\"n\"", DigestError::Missing { param: AuthParam::Realm })]
#[case("Digest realm=\"r\"", DigestError::Missing { param: AuthParam::Nonce })]
#[case("Digest realm=\"r\", nonce=\"n\", algorithm=MD4", DigestError::UnknownAlgorithm)]
#[case(
    "Digest realm=\"r\", nonce=\"n\", nonce=\"m\"",
    DigestError::Malformed(sipae_spec::Diagnostic::ParamDuplicate)
)]
fn a_challenge_that_cannot_be_used_is_refused(#[case] text: &str, #[case] error: DigestError) {
    assert_eq!(challenge(text), Err(error));
}

const FIELDS: &str = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"00\"";

#[rstest]
#[case(", qop=auth, cnonce=\"c\"", DigestError::Missing { param: AuthParam::Nc })]
#[case(", qop=auth, nc=00000001", DigestError::Missing { param: AuthParam::Cnonce })]
#[case(", algorithm=MD5-sess", DigestError::Missing { param: AuthParam::Cnonce })]
#[case(", qop=auth, cnonce=\"c\", nc=1", DigestError::Count)]
#[case(", qop=auth, cnonce=\"c\", nc=0000000g", DigestError::Count)]
#[case(", qop=auth, cnonce=\"c\", nc=+0000001", DigestError::Count)]
#[case(", qop=auth, cnonce=\"c\", nc=00000000", DigestError::Count)]
#[case(", qop=auth-conf, cnonce=\"c\", nc=00000001", DigestError::UnknownQop)]
#[case(", algorithm=SHA", DigestError::UnknownAlgorithm)]
fn a_credential_that_cannot_be_used_is_refused(#[case] rest: &str, #[case] error: DigestError) {
    assert_eq!(credential(&format!("{FIELDS}{rest}")), Err(error));
}

#[test]
fn tokens_in_quotation_marks_are_read() {
    let quoted = format!("{FIELDS}, algorithm=\"md5\", qop=\"auth\", cnonce=\"c\", nc=\"0000000F\"");
    let credential = credential(&quoted).expect("a credential");
    assert_eq!((credential.algorithm, credential.qop), (Some(Algorithm::Md5), Some(Qop::Auth)));
    assert_eq!(credential.count(), Ok(Some(15)));
}

#[test]
fn the_names_of_algorithms_are_read_in_any_case() {
    for algorithm in Algorithm::ALL {
        for name in [algorithm.name().to_lowercase(), algorithm.name().to_uppercase()] {
            assert_eq!(Algorithm::from_octets(name.as_bytes()), Some(algorithm));
        }
        assert_eq!(algorithm.is_session(), algorithm.name().ends_with("-sess"));
    }
    assert_eq!(Algorithm::from_octets(b"MD5 "), None);
}

fn expectation() -> Expectation<'static> {
    Expectation {
        realm: b"bob@contoso.com",
        usernames: &[b"854T0R7G"],
        password: b"123456",
        algorithms: &[Algorithm::Md5Sess],
        qop: Some(&[Qop::Auth]),
        method: b"INVITE",
        uri: CONFERENCE.as_bytes(),
        body: b"",
    }
}

fn right() -> DigestCredential {
    answer(&challenge(CHALLENGE).expect("a challenge"), 1)
}

#[test]
fn the_right_credential_is_accepted_in_either_letter_case_of_its_response() {
    let mut credential = right();
    assert_eq!(expectation().verify(&credential), Ok(()));
    credential.response.make_ascii_uppercase();
    assert_eq!(expectation().verify(&credential), Ok(()));
}

#[rstest]
#[case(DigestCredential { realm: b"Bob@contoso.com".to_vec(), ..right() }, DigestError::Realm)]
#[case(DigestCredential { username: b"854t0r7g".to_vec(), ..right() }, DigestError::Username)]
#[case(DigestCredential { algorithm: None, ..right() }, DigestError::OtherAlgorithm)]
#[case(DigestCredential { qop: None, ..right() }, DigestError::OtherQop)]
#[case(DigestCredential { qop: Some(Qop::AuthInt), ..right() }, DigestError::OtherQop)]
#[case(DigestCredential { uri: b"sip:bob@contoso.com".to_vec(), ..right() }, DigestError::Uri)]
#[case(DigestCredential { cnonce: None, ..right() }, DigestError::Missing { param: AuthParam::Cnonce })]
#[case(DigestCredential { cnonce: Some(b"0a4f113c".to_vec()), ..right() }, DigestError::Response)]
#[case(DigestCredential { nc: Some(b"00000002".to_vec()), ..right() }, DigestError::Response)]
#[case(DigestCredential { nonce: b"n".to_vec(), ..right() }, DigestError::Response)]
#[case(DigestCredential { response: Vec::new(), ..right() }, DigestError::Response)]
#[case(DigestCredential { response: b"3fc7f49b".to_vec(), ..right() }, DigestError::Response)]
fn each_change_is_refused_with_its_own_reason(
    #[case] changed: DigestCredential,
    #[case] reason: DigestError,
) {
    assert_eq!(expectation().verify(&changed), Err(reason));
}

/// [MS-SIPAE] SIPAE-3.3.5.5-01: H(A2) holds the method.
#[test]
fn the_response_of_another_method_or_password_is_refused() {
    let other_method = Expectation { method: b"BYE", ..expectation() };
    let other_password = Expectation { password: b"123457", ..expectation() };
    assert_eq!(other_method.verify(&right()), Err(DigestError::Response));
    assert_eq!(other_password.verify(&right()), Err(DigestError::Response));
}

#[test]
fn neither_password_nor_pin_is_shown() {
    let shown =
        format!("{:?} {:?}", login("alice", "s3cret"), Expectation { password: b"s3cret", ..expectation() });
    assert!(shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
}

fn counted(issued: &Issued, nc: Option<u32>) -> DigestCredential {
    DigestCredential {
        nonce: issued.nonce.clone(),
        opaque: Some(issued.opaque.clone()),
        qop: nc.map(|_| Qop::Auth),
        nc: nc.map(|nc| format!("{nc:08x}").into_bytes()),
        ..right()
    }
}

#[test]
fn a_nonce_has_the_form_of_the_example_and_carries_its_time() {
    let now = Time(1_267_138_429_938);
    let issued = Nonces::new(1, LIFETIME).issue(now, &mut counter());
    assert_eq!((issued.nonce.len(), issued.opaque.len()), (32, 8));
    let octets = crate::encoding::decode_base64url(&issued.nonce).expect("Base64");
    assert_eq!(octets.first_chunk(), Some(&now.filetime()));
}

#[test]
fn counts_go_up_and_gaps_are_legal() {
    let mut nonces = Nonces::new(4, LIFETIME);
    let issued = nonces.issue(Time(0), &mut counter());
    let run =
        [(1, true), (1, false), (2, true), (7, true), (3, false), (7, false), (u32::MAX, true), (8, false)];
    for (count, is_accepted) in run {
        let expected = if is_accepted { Ok(()) } else { Err(DigestError::Replayed { count }) };
        assert_eq!(nonces.accept(&counted(&issued, Some(count)), "alice", Time(1)), expected, "{count}");
    }
}

#[test]
fn a_nonce_is_good_once_without_count() {
    let mut nonces = Nonces::new(4, LIFETIME);
    let issued = nonces.issue(Time(0), &mut counter());
    assert_eq!(nonces.accept(&counted(&issued, None), "alice", Time(1)), Ok(()));
    assert_eq!(
        nonces.accept(&counted(&issued, None), "alice", Time(1)),
        Err(DigestError::Replayed { count: 0 })
    );
    assert_eq!(
        nonces.accept(&counted(&issued, Some(9)), "alice", Time(1)),
        Err(DigestError::Replayed { count: 9 })
    );
}

#[test]
fn a_nonce_ends_and_is_forgotten() {
    let mut nonces = Nonces::new(4, LIFETIME);
    let issued = nonces.issue(Time(0), &mut counter());
    let end = Time(0).plus(LIFETIME);
    assert_eq!(nonces.accept(&counted(&issued, Some(1)), "alice", Time(end.0 - 1)), Ok(()));
    assert_eq!(nonces.accept(&counted(&issued, Some(2)), "alice", end), Err(DigestError::Expired));
    assert!(nonces.is_empty());
    assert_eq!(nonces.accept(&counted(&issued, Some(2)), "alice", end), Err(DigestError::UnknownNonce));
}

#[test]
fn a_nonce_of_another_form_is_not_called_stale() {
    let unknown = Issued { nonce: b"0".to_vec(), opaque: b"0".to_vec() };
    let refused = Nonces::new(4, LIFETIME).accept(&counted(&unknown, Some(1)), "alice", Time(0));
    assert_eq!(refused, Err(DigestError::Response));
}

#[test]
fn the_opaque_of_another_nonce_is_refused() {
    let (mut nonces, mut entropy) = (Nonces::new(4, LIFETIME), counter());
    let (first, second) = (nonces.issue(Time(0), &mut entropy), nonces.issue(Time(0), &mut entropy));
    let crossed = Issued { opaque: second.opaque, ..first };
    assert_eq!(nonces.accept(&counted(&crossed, Some(1)), "alice", Time(0)), Err(DigestError::Opaque));
}

/// [MS-SIPAE] SIPAE-3.3.5.5-02.
#[test]
fn a_nonce_belongs_to_whoever_uses_it_first() {
    let mut nonces = Nonces::new(4, LIFETIME);
    let issued = nonces.issue(Time(0), &mut counter());
    assert_eq!(nonces.accept(&counted(&issued, Some(1)), "alice", Time(0)), Ok(()));
    assert_eq!(nonces.accept(&counted(&issued, Some(2)), "mallory", Time(0)), Err(DigestError::Holder));
    assert_eq!(nonces.accept(&counted(&issued, Some(2)), "alice", Time(0)), Ok(()));
}

#[test]
fn a_flood_of_challenges_does_not_touch_the_nonces_in_use() {
    let (mut nonces, mut entropy) = (Nonces::new(8, LIFETIME), counter());
    let used = nonces.issue(Time(0), &mut entropy);
    let unused = nonces.issue(Time(0), &mut entropy);
    assert_eq!(nonces.accept(&counted(&used, Some(1)), "alice", Time(0)), Ok(()));
    for _ in 0..100 {
        nonces.issue(Time(0), &mut entropy);
    }
    assert!(nonces.len() <= 16);
    assert_eq!(nonces.accept(&counted(&used, Some(2)), "alice", Time(0)), Ok(()));
    assert_eq!(nonces.accept(&counted(&unused, Some(1)), "alice", Time(0)), Err(DigestError::UnknownNonce));
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    // All but line ends, which a header field folds.
    proptest::collection::vec(any::<u8>().prop_filter("no line end", |octet| !b"\r\n".contains(octet)), 0..24)
}

fn credentials() -> impl Strategy<Value = DigestCredential> {
    let texts = (text(), text(), text(), text(), text(), proptest::option::of(text()));
    let algorithm = proptest::option::of(proptest::sample::select(&Algorithm::ALL[..]));
    let qop = proptest::option::of(proptest::sample::select(&Qop::ALL[..]));
    (texts, algorithm, qop, text(), 1..u32::MAX).prop_map(|(texts, algorithm, qop, cnonce, nc)| {
        let (username, realm, nonce, uri, response, opaque) = texts;
        let nc = qop.map(|_| format!("{nc:08x}").into_bytes());
        let cnonce = Some(cnonce);
        DigestCredential { username, realm, nonce, uri, response, algorithm, cnonce, nc, qop, opaque }
    })
}

proptest! {
    #[test]
    fn a_credential_is_read_as_it_was_written(credential in credentials()) {
        prop_assert_eq!(DigestCredential::read(Value(&credential.write())), Ok(credential));
    }

    #[test]
    fn a_challenge_is_read_as_it_was_written(
        realm in text(),
        nonce in text(),
        (domain, opaque) in (proptest::option::of(text()), proptest::option::of(text())),
        stale: bool,
        algorithm in proptest::option::of(proptest::sample::select(&Algorithm::ALL[..])),
        qop in proptest::option::of(proptest::sample::subsequence(&Qop::ALL[..], 0..=2)),
    ) {
        let challenge = DigestChallenge { realm, domain, nonce, opaque, stale, algorithm, qop };
        prop_assert_eq!(DigestChallenge::read(Value(&challenge.write())), Ok(challenge));
    }

    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let value = [b"Digest ".as_slice(), &octets].concat();
        if let Ok(challenge) = DigestChallenge::read(Value(&value)) {
            let _answer = challenge.answer(login("u", "p"), &octets, &octets, &octets, 1);
        }
        if let Ok(credential) = DigestCredential::read(Value(&value)) {
            prop_assert!(expectation().verify(&credential).is_err());
        }
    }

    #[test]
    fn answers_are_accepted_and_those_with_another_password_are_not(
        (username, realm, nonce) in (text(), text(), text()),
        (method, uri, cnonce) in (text(), text(), text()),
        (password, other) in (text(), text()),
        algorithm in proptest::option::of(proptest::sample::select(&Algorithm::ALL[..])),
        has_qop: bool,
        nc in 1..=u32::MAX,
    ) {
        let qop = has_qop.then(|| vec![Qop::Auth]);
        let challenge = DigestChallenge { realm, nonce, algorithm, qop, ..DigestChallenge::default() };
        let login = Login { username: &username, password: &password };
        let answer = challenge.answer(login, &method, &uri, &cnonce, nc).expect("qop is auth");
        let algorithms = [algorithm.unwrap_or_default()];
        let right = Expectation {
            realm: &challenge.realm, usernames: &[], password: &password, algorithms: &algorithms,
            qop: challenge.qop.as_deref(), method: &method, uri: &uri, body: b"",
        };
        prop_assert_eq!(right.verify(&answer), Ok(()));
        let expected = if other == password { Ok(()) } else { Err(DigestError::Response) };
        prop_assert_eq!(Expectation { password: &other, ..right }.verify(&answer), expected);
    }

    /// A nonce is remembered by a model: the highest count so far.
    #[test]
    fn each_count_of_a_nonce_is_accepted_once(uses in proptest::collection::vec((0usize..4, 1u32..8), 0..40)) {
        let (mut nonces, mut entropy) = (Nonces::new(4, LIFETIME), counter());
        let issued: Vec<_> = (0..4).map(|_| nonces.issue(Time(0), &mut entropy)).collect();
        let mut highest = BTreeMap::<usize, u32>::new();
        for (place, count) in uses {
            let last = highest.entry(place).or_default();
            let accepted = nonces.accept(&counted(&issued[place], Some(count)), "alice", Time(0));
            prop_assert_eq!(accepted.is_ok(), *last < count);
            *last = count.max(*last);
        }
    }
}
