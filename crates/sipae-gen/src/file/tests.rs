use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;
use sipae::version::Version;

use super::*;
use crate::{
    CertificateFault, Connection, DigestChange, Edit, Field, ParamEdit, Password, Piece, Recipient, Signing,
    Template, Text, TicketFault, Timer, Token,
};

const ENDPOINT: Party = Party { account: crate::AccountRole::Peer, endpoint: 7 };

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

const EXPECTATIONS: [Expect; 8] = [
    Expect::Accepted,
    Expect::Refused,
    Expect::Legal,
    Expect::Processed,
    Expect::Silent,
    Expect::Challenged,
    Expect::Undelivered,
    Expect::Delivered(Party::PEER),
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
