//! 3.2.5.1: which TLS the handshakes of TLS-DSK use, seen in what a server chooses.

use sipae::auth::{AuthHeader, ChallengeKind, Scheme};
use sipae::encoding::encode_base64;
use sipae::tlsdsk::version_of_server;
use sipae_gen::{Party, Script, Token};

use super::Handshake;
use crate::case::{Case, Gate};

/// Its first flight offers TLS 1.3 and 1.2. Whether the server takes it is its own business.
pub(super) fn cases() -> Vec<Case> {
    const ROW: &str = "SIPAE-3.2.5.1-32";
    let read = |_: ChallengeKind, line: &AuthHeader<'_>| {
        let octets = line.token().ok().flatten().unwrap_or_default();
        version_of_server(&octets)
    };
    vec![
        Case::new("3.2.5.1/tls-1-3-offered", "of TLS 1.3 and 1.2 the older one is taken", &[ROW])
            .with(&[Scheme::TlsDsk])
            .behind(Gate::Offered)
            .plan(|_| {
                let second = Handshake::of(Party::SECOND, "second");
                let script = second.only_bare(Script::connected().connect(Party::SECOND.connection()));
                let script = second.compose(script.adopt("second", "second bare"), "hello");
                let hello = Token::Text(encode_base64(&client_hello()).into());
                second.ask(script.credential("hello", "second", hello), "hello")
            })
            .judge(move |judge| match judge.observation().challenge("hello", read) {
                Some(Some(version)) => {
                    let [major, minor] = version;
                    let got = format!("version {major}.{minor} in the octets of TLS");
                    let holds = if version <= [3, 3] { Ok(()) } else { Err(got) };
                    judge.check(ROW, "ServerHello of TLS 1.2 (3.3) or older", holds);
                }
                _ => judge.undecide("hello was not answered with a ServerHello".to_owned()),
            }),
    ]
}

/// A ClientHello that offers TLS 1.3 and 1.2, with the suites and groups of today (RFC 8446 4.1.2).
fn client_hello() -> Vec<u8> {
    const SUITES: &[u8] = &[0x13, 1, 0x13, 2, 0xC0, 0x2B, 0xC0, 0x2F, 0xC0, 0x2C, 0xC0, 0x30, 0, 0x3C, 0, 0x2F, 0, 0xFF];
    const RANDOM: [u8; 32] = [0x5A; 32];
    const NO_SESSION: u8 = 0;
    const NO_COMPRESSION: [u8; 2] = [1, 0];
    const SUPPORTED_GROUPS: u8 = 10;
    const EC_POINT_FORMATS: u8 = 11;
    const SIGNATURE_ALGORITHMS: u8 = 13;
    const EXTENDED_MASTER_SECRET: u8 = 23;
    const SUPPORTED_VERSIONS: u8 = 43;
    const KEY_SHARE: u8 = 51;
    let extensions = [
        extension(SUPPORTED_VERSIONS, &[4, 3, 4, 3, 3]),
        extension(SUPPORTED_GROUPS, &counted(&[0, 0x1D, 0, 0x17, 0, 0x18])),
        extension(EC_POINT_FORMATS, &[1, 0]),
        extension(SIGNATURE_ALGORITHMS, &counted(&[4, 3, 5, 3, 8, 4, 8, 5, 8, 6, 4, 1, 5, 1, 2, 1])),
        extension(EXTENDED_MASTER_SECRET, &[]),
        // X25519 takes any octets for a public value.
        extension(KEY_SHARE, &counted(&[&[0, 0x1D][..], &counted(&[9; 32])].concat())),
    ];
    let body = [&[3, 3][..], &RANDOM, &[NO_SESSION], &counted(SUITES), &NO_COMPRESSION, &counted(&extensions.concat())];
    let message = [&[1, 0][..], &counted(&body.concat())].concat();
    [&[0x16, 3, 1][..], &counted(&message)].concat()
}

fn extension(number: u8, content: &[u8]) -> Vec<u8> {
    [&[0, number][..], &counted(content)].concat()
}

/// Octets behind their number, which is one of 16 bits.
fn counted(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], octets].concat()
}
