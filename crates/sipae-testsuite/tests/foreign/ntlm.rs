//! NTLM in connectionless mode: [MS-NLMP], with the one sequence number of SIP.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sipae::ntlm::{
    Answer, Authenticate, Challenge, DatagramMac, Negotiate, NegotiateFlags, NtlmError, ResponseKind,
    SEQUENCE_NUMBER, SessionKeys,
};
use sipae::side::Side;
use sipae_gssapi::{
    Acceptor, Context, Credential, Flags, Gss, GssError, Initiator, Name, Oid, Usage, Wanted,
};
use sipae_net::system_time;

use super::part::{Part, Rig};

const USER: &str = "alice";
const DOMAIN: &str = "CONTOSO";
const PASSWORD: &str = "Pa\u{df}wort 1";

/// Options of gss-ntlmssp: the sequence number of the next signature, a fresh cipher for signing (0) or verifying (1),
/// and the flags that a server may agree to.
const SEQUENCE_NUMBER_OPTION: &str = "1.3.6.1.4.1.7165.655.1.1";
const FRESH_CIPHER_OPTION: &str = "1.3.6.1.4.1.7165.655.1.3";
const FLAGS_OPTION: &str = "1.3.6.1.4.1.7165.655.1.5";

/// Which signatures the two agree on.
#[derive(Clone, Copy, Debug)]
struct Setting {
    name: &'static str,
    /// What the server offers.
    offered: NegotiateFlags,
    /// What our client takes of it.
    taken: NegotiateFlags,
    with_mic: bool,
}

const EXTENDED: NegotiateFlags = NegotiateFlags::EXTENDED_SESSIONSECURITY;
const SERVER: NegotiateFlags = NegotiateFlags::SERVER;
/// No extended session security, and no version, which would weaken the key ([MS-NLMP] 3.4.5.3).
const LEGACY: NegotiateFlags = NegotiateFlags::CLIENT.without(EXTENDED).without(NegotiateFlags::VERSION);

/// With extended session security and without; with a MIC, which Communicator does not send.
const SETTINGS: [Setting; 3] = [
    Setting { name: "extended", offered: SERVER, taken: NegotiateFlags::CLIENT, with_mic: false },
    Setting { name: "extended-mic", offered: SERVER, taken: NegotiateFlags::CLIENT, with_mic: true },
    Setting { name: "legacy", offered: SERVER.without(EXTENDED), taken: LEGACY, with_mic: false },
];

type Run = fn(Setting);

const TABLE: &[(&str, Run)] = &[
    ("its_acceptor_takes_our_tokens_and_both_verify_signatures", acceptor_agrees),
    ("its_initiator_takes_our_challenge_and_both_verify_signatures", initiator_agrees),
    ("its_acceptor_refuses_our_answer_with_a_wrong_password", acceptor_refuses),
    ("its_answer_with_a_wrong_password_is_refused", initiator_is_refused),
];

pub(crate) fn parts() -> Vec<Part> {
    let [_, with_mic, _] = SETTINGS;
    let alone = (&"its_acceptor_refuses_an_altered_mic", &(acceptor_refuses_mic as Run), with_mic);
    let rows = TABLE.iter().flat_map(|(name, run)| SETTINGS.map(|setting| (name, run, setting)));
    let rows = rows.chain([alone]);
    rows.map(|(name, run, setting)| {
        Part::new(format!("ntlm::{name}/{}", setting.name), Rig::NtlmUsers, move |_| run(setting))
    })
    .collect()
}

/// The file of users that gss-ntlmssp reads.
pub(crate) fn write_users(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("users");
    fs::write(&path, format!("{DOMAIN}:{USER}:{PASSWORD}\n"))?;
    Ok(path)
}

/// Short and long ones; one that fills blocks of the hash, and one that is a signature buffer. gss-ntlmssp signs no
/// empty message.
const MESSAGES: [&[u8]; 4] = [
    b"a",
    &[0x5A; 64],
    b"<NTLM><0a1b2c3d><1><SIP Communications Service><server.contoso.com>",
    &[0xA5; 5000],
];

fn gss() -> Gss {
    Gss::load().expect("the library")
}

fn oid(text: &str) -> Oid {
    text.parse().expect("an object identifier")
}

fn acceptor_agrees(setting: Setting) {
    let mut server = Server::new(setting);
    let (token, keys) = server.answered(setting, PASSWORD);
    assert!(server.acceptor.step(&token).expect("accepted").done);
    let client = server.acceptor.client_name().expect("a client").text();
    assert_eq!(client, Ok(format!("{DOMAIN}\\{USER}")));
    let mut context = server.acceptor.into_context().expect("a context");
    agree(&mut context, &keys, Side::Client);
}

/// So it does look at the MIC that it takes.
fn acceptor_refuses_mic(setting: Setting) {
    const MIC: usize = 72;
    let mut server = Server::new(setting);
    let (mut token, _) = server.answered(setting, PASSWORD);
    token[MIC] ^= 1;
    assert!(matches!(server.acceptor.step(&token), Err(GssError::Status { .. })));
}

fn acceptor_refuses(setting: Setting) {
    let mut server = Server::new(setting);
    let (token, _) = server.answered(setting, "another");
    assert!(matches!(server.acceptor.step(&token), Err(GssError::Status { .. })));
    assert!(server.acceptor.client_name().is_none());
}

/// gss-ntlmssp as the server. Its GSS-API asks for a NEGOTIATE, which SIP does not have.
struct Server {
    acceptor: Acceptor,
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
}

impl Server {
    fn new(setting: Setting) -> Self {
        let wanted = Wanted::new(Usage::Accept, &Oid::NTLM);
        let mut own = Credential::acquire(gss(), &wanted).expect("a credential");
        own.set_option(&oid(FLAGS_OPTION), &setting.offered.0.to_ne_bytes()).expect("flags");
        let mut acceptor = Acceptor::new(gss(), Some(own));
        let negotiate =
            Negotiate { flags: setting.taken, domain: Vec::new(), workstation: Vec::new(), version: None };
        let negotiate = negotiate.write(&sipae::ntlm::Payload { order: &[] });
        let challenge = acceptor.step(&negotiate).expect("a CHALLENGE").token;
        Self { acceptor, negotiate, challenge }
    }

    /// Our answer to its CHALLENGE.
    fn answered(&self, setting: Setting, password: &str) -> (Vec<u8>, SessionKeys) {
        let challenge = Challenge::read(&self.challenge).expect("a CHALLENGE");
        assert_eq!(challenge.check_for_sip(), Ok(()));
        let answer = Answer {
            user: USER,
            domain: DOMAIN,
            password,
            workstation: "PC",
            flags: setting.taken,
            client_challenge: [3; 8],
            random_session_key: *b"a random session",
            time: system_time().filetime(),
            response: ResponseKind::NtlmV2,
            with_mic: setting.with_mic,
        };
        let (mut message, keys) = Authenticate::answer(&challenge, &answer).expect("an answer");
        if setting.with_mic {
            let before: [&[u8]; 2] = [&self.negotiate, &self.challenge];
            message.set_mic(&keys.exported, &before, &Authenticate::PAYLOAD);
        }
        (message.write(&Authenticate::PAYLOAD), keys)
    }
}

fn initiator_agrees(setting: Setting) {
    let (challenge, token) = challenge(setting);
    let mut initiator = initiator(PASSWORD);
    assert_eq!(initiator.step(None).map(|step| step.token), Ok(Vec::new()), "the server speaks first");
    let answered = initiator.step(Some(&token)).expect("an AUTHENTICATE");
    assert!(answered.done);
    let authenticate = Authenticate::read(&answered.token).expect("an AUTHENTICATE");
    assert_eq!(authenticate.check_for_sip(&challenge), Ok(()));
    assert_eq!(authenticate.user_text().as_deref(), Ok(USER));
    let keys = authenticate.verify(&challenge, PASSWORD).expect("the password");
    assert_eq!(Authenticate::check_mic(&answered.token, &keys.exported, &[&token]), Ok(()));
    let mut context = initiator.into_context().expect("a context");
    agree(&mut context, &never_weakened(&keys), Side::Server);
}

fn initiator_is_refused(setting: Setting) {
    let (challenge, token) = challenge(setting);
    let mut initiator = initiator("another");
    initiator.step(None).expect("nothing yet");
    let answered = initiator.step(Some(&token)).expect("an AUTHENTICATE");
    let authenticate = Authenticate::read(&answered.token).expect("an AUTHENTICATE");
    assert_eq!(authenticate.verify(&challenge, PASSWORD), Err(NtlmError::Proof));
}

/// [MS-NLMP] 3.4.5.3 weakens a connectionless key without extended session security where the client tells a revision
/// of 15; gss-ntlmssp tells it and signs with the whole key all the same.
fn never_weakened(keys: &SessionKeys) -> SessionKeys {
    SessionKeys::new(keys.flags, keys.exported, 0)
}

/// gss-ntlmssp as the client.
fn initiator(password: &str) -> Initiator {
    let user = Name::user(gss(), &format!("{DOMAIN}\\{USER}")).expect("a name");
    let wanted = Wanted::new(Usage::Initiate, &Oid::NTLM).of(&user);
    let own = Credential::with_password(gss(), &wanted, password).expect("a credential");
    let server = Name::hostbased_service(gss(), "sip@server.contoso.com").expect("a name");
    let flags = Flags::DATAGRAM | Flags::INTEGRITY | Flags::IDENTIFY;
    Initiator::new(gss(), Some(own), server, Oid::NTLM, flags)
}

/// Ours. A time stamp in it asks for a MIC ([MS-NLMP] 3.1.5.1.2), which gss-ntlmssp has in connection mode only.
fn challenge(setting: Setting) -> (Challenge, Vec<u8>) {
    use sipae::ntlm::{AvId, AvPair};
    let mut challenge = Challenge::for_server(setting.offered, *b"8 octets", DOMAIN, "server.contoso.com");
    if setting.with_mic {
        let mut pairs = challenge.av_pairs().expect("pairs");
        pairs.0.push(AvPair { id: AvId::Timestamp, value: system_time().filetime().to_vec() });
        challenge.target_info = pairs.write();
    }
    let token = challenge.write(&Challenge::PAYLOAD);
    (challenge, token)
}

/// Both sides verify what the other one signs, in any order, and nothing that was altered.
fn agree(theirs: &mut Context, keys: &SessionKeys, our_side: Side) {
    let mac = |side| DatagramMac::for_sip(keys, side).expect("a context that signs");
    let (signing, verifying) = (mac(our_side), mac(our_side.peer()));
    for message in MESSAGES.iter().chain(MESSAGES.iter().rev()) {
        let altered = [*message, b"x"].concat();
        let signature = signing.sign(message);
        prepare(theirs);
        assert_eq!(theirs.verify_mic(message, &signature), Ok(()));
        prepare(theirs);
        assert!(theirs.verify_mic(&altered, &signature).is_err());
        prepare(theirs);
        let signature = theirs.get_mic(message).expect("a signature");
        assert!(verifying.verify(message, &signature));
        assert!(!verifying.verify(&altered, &signature));
    }
}

/// [MS-SIPAE] SIPAE-3.2.4.1-25: always the same number and a fresh cipher, where gss-ntlmssp would count, and without
/// extended session security let the cipher run on.
fn prepare(context: &mut Context) {
    context.set_option(&oid(SEQUENCE_NUMBER_OPTION), &SEQUENCE_NUMBER.to_ne_bytes()).expect("a number");
    for direction in [0u32, 1] {
        context.set_option(&oid(FRESH_CIPHER_OPTION), &direction.to_ne_bytes()).expect("a fresh cipher");
    }
}
