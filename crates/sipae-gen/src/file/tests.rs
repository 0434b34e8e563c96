use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;
use sipae::version::Version;

use super::*;
use crate::{AccountRole, Expect, Party};
use crate::{
    CertificateFault, Connection, DigestChange, Edit, Field, ParamEdit, Password, Piece, Recipient, Signing,
    Template, Text, TicketFault, Timer, Token,
};

const ENDPOINT: Party = Party { account: AccountRole::Peer, endpoint: 7 };

fn file(script: Script) -> ScriptFile {
    ScriptFile {
        program: "sipae 0.1.0".to_owned(),
        case: "3.3.5.3/forged-signature".to_owned(),
        title: "a message with a wrong signature is not processed".to_owned(),
        requirements: vec!["SIPAE-3.3.5.3-04".to_owned(), "SIPAE-3.1.1-09".to_owned()],
        mode: Mode { scheme: Scheme::TlsDsk, version: Version::V3 },
        kind: Some(407),
        seed: u64::MAX,
        script,
        checks: EXPECTATIONS.map(check).to_vec(),
        got: vec![Got {
            message: "m1".into(),
            requirement: "SIPAE-3.3.5.3-04".to_owned(),
            got: "200, signed".to_owned(),
        }],
    }
}

const EXPECTATIONS: [Expect; 13] = [
    Expect::Accepted,
    Expect::Refused,
    Expect::Legal,
    Expect::Processed,
    Expect::Silent,
    Expect::Challenged,
    Expect::Undelivered,
    Expect::Delivered(Party::PEER),
    Expect::Reaches(AccountRole::User),
    Expect::Misses(Party::USER),
    Expect::AcceptedUnlessClosed,
    Expect::ChallengedUnlessClosed,
    Expect::Once,
];

fn check(expect: Expect) -> Check {
    Check { message: "m1".into(), requirement: "SIPAE-3.3.5.3-04".to_owned(), expect }
}

fn edits() -> Vec<Edit> {
    let header = HeaderName::CallId;
    let (from, to) = (|| Text::of("{user.call-id}"), || Text::of("b"));
    vec![
        Edit::SetHeader(header, Text(vec![Piece::Literal(vec![0xFF, 0])])),
        Edit::AddHeader { name: "fROM".to_owned(), value: to(), first: true },
        Edit::AddHeader { name: "fROM".to_owned(), value: to(), first: false },
        Edit::RemoveHeader(header),
        Edit::RenameHeader(header, "i".to_owned()),
        Edit::Replace { header, from: from(), to: to() },
        Edit::UpperCase { header, text: from() },
        Edit::RequestUri(Text::default()),
        Edit::Method("register".to_owned()),
        Edit::Status(199),
        Edit::ReplaceUser("sip:nobody@".to_owned()),
        Edit::FromTag("x".to_owned()),
        Edit::Body { content_type: "text/plain".to_owned(), octets: b"a\r\n".to_vec() },
        Edit::AddParam { name: "OPAQUE".to_owned(), value: from(), first: true },
        Edit::Credential { from: from(), to: to() },
        Edit::OrderParams(vec![AuthParam::GssapiData, AuthParam::Qop]),
        Edit::ReshapeCredential,
        Edit::Scheme(Text::of("{sa.scheme-lower}")),
        Edit::CredentialHeader(HeaderName::ProxyAuthorization),
        Edit::CrowdCredential { others: 3 },
        Edit::Branch,
        Edit::Before(vec![0xFE]),
        Edit::Reflect,
    ]
}

fn param_edits() -> Vec<ParamEdit> {
    vec![
        ParamEdit::Set(Text::reference(&"sa".into(), Field::Opaque)),
        ParamEdit::Remove,
        // The braces are literal.
        ParamEdit::Repeat(Text::from("{sa.opaque}")),
        ParamEdit::Precede(Text::of("{sa.opaque}x{peer.tag}")),
        ParamEdit::Rename("Opaque".to_owned()),
        ParamEdit::Insert(2, Text::from(" ")),
        ParamEdit::UpperCase,
        ParamEdit::Unquoted,
        ParamEdit::ChangeLastDigit,
        ParamEdit::AsBase64,
        ParamEdit::Truncate(31),
        ParamEdit::FlipBit,
        ParamEdit::FlipBitAt(31),
        ParamEdit::FlipLastOctet,
    ]
}

fn passwords() -> Vec<Password> {
    vec![
        Password::Right,
        Password::Wrong("guess".to_owned()),
        Password::Anonymous,
        Password::UnknownUser("nobody".to_owned()),
        Password::Ticket(TicketFault::SkewedAhead),
        Password::Certificate(CertificateFault::FarFromRoot),
    ]
}

fn signings() -> Vec<Signing> {
    let usual = Signing::default;
    vec![
        usual(),
        Signing { number: Some(7), ..usual() },
        Signing { token: Some(Token::Text("YQ==".into())), layout: Some(Version::V2), ..usual() },
        Signing { number_text: Some("+7".to_owned()), rand_text: Some(String::new()), ..usual() },
        Signing { without_status: true, ..usual() },
    ]
}

fn recipients() -> Vec<Recipient> {
    vec![
        Recipient::Own,
        Recipient::Account(Party::PEER),
        Recipient::Endpoint(ENDPOINT),
        Recipient::Nobody,
        Recipient::Conference,
        Recipient::NoConference,
        Recipient::ClosedConference,
    ]
}

/// Each step, each edit and whatever else a script can say.
fn everything() -> Script {
    let change = DigestChange {
        nc: Some(2),
        key: Some("k".to_owned()),
        realm: Some("r".to_owned()),
        uri: Some("sip:x".to_owned()),
        method: Some("INVITE".to_owned()),
    };
    let param = |edit| Edit::Param(AuthParam::Opaque, edit);
    let invite = Template::new("INVITE").of(Party::SECOND).header("Subject", Text::of("{peer.address}"));
    Script::connected()
        .disconnect(Connection(4))
        .compose("m1", invite)
        .compose("m2", Template::new("BYE").within("m1"))
        .each(recipients(), |script, to| script.compose("m3", Template::new("MESSAGE").to(to)))
        .copy("m4", "m3")
        .copy_delivered("m5", "m3", Party::PEER)
        .each([Token::Empty, Token::Answer], |script, token| script.credential("m1", "sa", token))
        .each(signings(), |script, signing| script.sign_with("m1", "sa", signing))
        .resign("m1", "sa")
        .digest("m1", "m2")
        .digest_with("m1", "m2", change)
        .each(edits(), |script, edit| script.edit("m1", edit))
        .each(param_edits().into_iter().map(param), |script, edit| script.edit("m1", edit))
        .ask("m1")
        .send_on("m1", Connection(2))
        .retry("m1")
        .expect("m1", Party::PEER_SECOND)
        .respond("m6", "m1", Party::SACRIFICIAL, 200)
        .adopt("sa", "m1")
        .each(passwords(), |script, password| script.authenticate("sa", ENDPOINT, password))
        .fence()
        .signed_fence("sa")
        .elapse(Timer::Handshake, 110)
        .attempt(|script| script.attempt(Script::fence))
}

#[test]
fn a_file_is_read_as_it_was_written() {
    for script in
        everything().steps.into_iter().map(|step| Script::default().step(step)).chain([everything()])
    {
        let file = file(script);
        assert_eq!(ScriptFile::read(&file.write()), Ok(file.clone()));
        assert_eq!(ScriptFile::from_value(file.to_value()), Ok(file));
    }
}

/// The snapshot is what people and other programs read; whatever changes in it has to be read in the old form too.
#[test]
fn a_file_has_a_line_for_each_step() {
    insta::assert_snapshot!("everything", file(everything()).write());
}

/// A file with these steps, as a person writes it.
fn by_hand(steps: &str) -> String {
    format!(
        "{{\"format\":\"sipae-script/1\",\"mode\":{{\"scheme\":\"NTLM\",\"version\":4}},\"steps\":[{steps}]}}"
    )
}

fn error(text: &str) -> String {
    ScriptFile::read(text).expect_err("a fault").to_string()
}

#[test]
fn a_file_by_hand_needs_format_mode_and_steps() {
    let read = ScriptFile::read(&by_hand(r#"{"connect":1},{"send":{"message":"m1"}}"#)).expect("a file");
    assert_eq!(read.script, Script::connected().send("m1"));
    assert_eq!((read.seed, read.kind, read.checks), (0, None, Vec::new()));
}

/// Later versions may add members.
#[test]
fn members_that_are_not_known_are_ignored() {
    let steps = r#"{"connect":1},{"sign":{"message":"m1","association":"sa","new":[{}]}}"#;
    let text = by_hand(steps).replacen('{', "{\"later\":{\"a\":1},", 1);
    assert_eq!(ScriptFile::read(&text).expect("a file").script, Script::connected().sign("m1", "sa"));
}

#[rstest::rstest]
#[case::step(r#"{"connect":1},{"snd":{}}"#, "step 2: unknown variant `snd`, expected one of `connect`, ")]
#[case::header(
    r#"{"edit":{"message":"m","change":{"remove-header":"Vai"}}}"#,
    r#"step 1: unknown header field "Vai" at line 1 column "#
)]
#[case::param(
    r#"{"edit":{"message":"m","change":{"order-params":["QOP"]}}}"#,
    r#"step 1: unknown parameter of a credential "QOP" at line"#
)]
#[case::version(r#"{"sign":{"message":"m","association":"sa","layout":5}}"#, "step 1: unknown version 5")]
#[case::party(r#"{"expect":{"message":"m","party":"nobody"}}"#, r#"step 1: unknown party "nobody" at line"#)]
#[case::octets(
    r#"{"edit":{"message":"m","change":{"before":{"hex":"0"}}}}"#,
    "step 1: hexadecimal digits that stand for no octets"
)]
#[case::text(r#"{"edit":{"message":"m","change":{"scheme":1}}}"#, "step 1: expected a text, or a list of {")]
#[case::reference(
    r#"{"edit":{"message":"m","change":{"scheme":[{"reference":"sa.color"}]}}}"#,
    r#"step 1: unknown reference "sa.color""#
)]
#[case::within(
    r#"{"attempt":[{"connect":1},{"connect":-1}]}"#,
    "step 1: step 2: invalid value: integer `-1`"
)]
#[case::control("{\"a\\nb\":1}", "step 1: unknown variant `a\\nb`")]
fn a_fault_of_a_step_is_told_with_its_place(#[case] steps: &str, #[case] told: &str) {
    let error = error(&by_hand(steps));
    assert!(error.starts_with(told), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn a_fault_of_another_member_is_told_with_its_place() {
    let faulty = |from: &str, to: &str| {
        let text = file(Script::default()).write();
        assert!(text.contains(from), "{from}");
        error(&text.replacen(from, to, 1))
    };
    assert_eq!(faulty("TLS-DSK", "TLS"), "unknown scheme \"TLS\" at line 10 column 26");
    assert_eq!(
        faulty("\"kind\": 407", "\"kind\": 200"),
        "no challenge has the status code 200 at line 11 column 13"
    );
    assert_eq!(faulty("18446744073709551615", "+1"), "\"+1\" is no number of 64 bits at line 12 column 14");
    let unknown = faulty("silent", "calm");
    assert!(
        unknown.starts_with("check 5: unknown variant `calm`, expected one of `accepted`, "),
        "{unknown}"
    );
}

#[test]
fn another_format_is_refused_whatever_it_holds() {
    let later = r#"{"format":"sipae-script/2","script":[]}"#;
    let told = r#"unknown format "sipae-script/2": this program reads "sipae-script/1""#;
    assert_eq!(error(later), told);
    let value = serde_json::from_str(later).expect("JSON");
    assert_eq!(ScriptFile::from_value(value).expect_err("another format").to_string(), told);
    assert_eq!(error("[]"), "invalid length 0, expected a script file at line 1 column 2");
    assert_eq!(error("{}"), "missing field `format` at line 1 column 2");
}

/// Each is refused before it fills memory or the stack.
#[test]
fn what_a_file_may_hold_is_bounded() {
    let nested = |depth: usize| {
        by_hand(&format!("{}{{\"connect\":1}}{}", "{\"attempt\":[".repeat(depth), "]}".repeat(depth)))
    };
    assert!(ScriptFile::read(&nested(ScriptFile::MAX_NESTING)).is_ok());
    assert_eq!(ScriptFile::read(&nested(ScriptFile::MAX_NESTING + 1)), Err(ScriptFileError::TooDeep));
    assert!(error(&nested(100_000)).contains("recursion limit"));
    let long = by_hand(&vec!["{\"connect\":1}"; ScriptFile::MAX_STEPS + 1].join(","));
    assert!(error(&long).starts_with("step 100001: too many of them"));
    let many = vec!["{\"connect\":1}"; ScriptFile::MAX_STEPS].join(",");
    let wide = by_hand(&format!("{{\"connect\":1}},{{\"attempt\":[{many}]}}"));
    assert_eq!(ScriptFile::read(&wide), Err(ScriptFileError::TooManySteps(ScriptFile::MAX_STEPS + 2)));
    let spaces = " ".repeat(ScriptFile::MAX_OCTETS + 1);
    assert_eq!(ScriptFile::read(&spaces), Err(ScriptFileError::TooLong(spaces.len())));
}

/// The place stands at the end of an error: only the middle of what it repeats is left out.
#[test]
fn an_error_does_not_repeat_all_of_a_file() {
    let error =
        error(&by_hand(&format!("{{\"expect\":{{\"message\":\"m\",\"party\":\"{}\"}}}}", "x".repeat(9999))));
    assert!(error.len() < 500 && error.contains("at line 1 column"), "{error}");
}
