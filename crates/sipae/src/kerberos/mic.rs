//! GSS_GetMIC and GSS_VerifyMIC: what signs SIP messages (RFC 4121 4.2.6.1; RFC 1964 1.2.1 with RFC 4757 7.2).
//!
//! Servers send the sequence number 0 in every token ([MS-SIPAE] SIPAE-3.2.4.1-28), so any is accepted and no order is
//! asked for: replays are the business of the window of the association.

use std::fmt;

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::Mac;
use subtle::ConstantTimeEq;

use super::KerberosError;
use super::crypto::{HmacSha1, hmac_sha1_96, keyed_hmac_sha1};
use super::gss::MECHANISM;
use super::key::{Key, Purpose, Usage};
use crate::ntlm::{HmacMd5, hmac_md5, keyed_hmac_md5, md5, rc4};
use crate::octets::slice;
use crate::side::Side;

/// Signs and verifies the messages of a context. Keys are derived once: a signature costs a copy of a keyed state.
#[derive(Clone)]
pub struct KerberosMac(Form);

#[derive(Clone)]
enum Form {
    Rfc4121(Box<Newer>),
    Rfc1964(Box<Rc4>),
}

impl KerberosMac {
    /// The state of a context with this key. `acceptor_subkey` says that the acceptor asserted it, which RFC 4121
    /// writes into every token and RFC 1964 nowhere.
    #[must_use]
    pub fn new(key: &Key, acceptor_subkey: bool) -> Self {
        Self(if key.etype().is_newer() {
            Form::Rfc4121(Box::new(Newer::new(key, acceptor_subkey)))
        } else {
            Form::Rfc1964(Box::new(Rc4::new(key)))
        })
    }

    /// The signature of a buffer, with sequence number 0.
    #[must_use]
    pub fn sign(&self, signer: Side, buffer: &[u8]) -> Vec<u8> {
        self.sign_numbered(signer, 0, buffer)
    }

    /// The same with a sequence number, of which RFC 1964 has room for the lower 32 bits.
    #[must_use]
    pub fn sign_numbered(&self, signer: Side, sequence: u64, buffer: &[u8]) -> Vec<u8> {
        match &self.0 {
            Form::Rfc4121(mac) => mac.sign(signer, sequence, buffer),
            Form::Rfc1964(mac) => mac.sign(signer, sequence, buffer),
        }
    }

    /// Whether `token` is a signature of the buffer by this side. The sequence number may be any, and so may be the
    /// flags of RFC 4121 that do not name the sender: the checksum covers them.
    #[must_use]
    pub fn verify(&self, signer: Side, buffer: &[u8], token: &[u8]) -> bool {
        match &self.0 {
            Form::Rfc4121(mac) => mac.verify(signer, buffer, token),
            Form::Rfc1964(mac) => mac.verify(signer, buffer, token),
        }
    }
}

impl fmt::Debug for KerberosMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Form::Rfc4121(mac) if mac.acceptor_subkey => "KerberosMac(RFC 4121, acceptor subkey)",
            Form::Rfc4121(_) => "KerberosMac(RFC 4121)",
            Form::Rfc1964(_) => "KerberosMac(RFC 4757)",
        })
    }
}

/// RFC 4121: the key decides the direction.
#[derive(Clone)]
struct Newer {
    client: HmacSha1,
    server: HmacSha1,
    acceptor_subkey: bool,
}

/// TOK_ID.
const NEWER: [u8; 2] = [0x04, 0x04];
const SENT_BY_ACCEPTOR: u8 = 0x01;
const ACCEPTOR_SUBKEY: u8 = 0x04;
const FILLER: [u8; 5] = [0xFF; 5];

impl Newer {
    fn new(key: &Key, acceptor_subkey: bool) -> Self {
        let keyed = |usage| keyed_hmac_sha1(&key.derived(usage, Purpose::Checksum));
        Self { client: keyed(Usage::InitiatorSign), server: keyed(Usage::AcceptorSign), acceptor_subkey }
    }

    fn sign(&self, signer: Side, sequence: u64, buffer: &[u8]) -> Vec<u8> {
        let subkey = if self.acceptor_subkey { ACCEPTOR_SUBKEY } else { 0 };
        let flags = sender(signer) | subkey;
        let mut token = [&NEWER[..], &[flags], &FILLER, &sequence.to_be_bytes()].concat();
        token.extend(self.checksum(signer, buffer, &token));
        token
    }

    fn verify(&self, signer: Side, buffer: &[u8], token: &[u8]) -> bool {
        let Ok(MicToken::Rfc4121 { flags, filler_ok, checksum, .. }) = MicToken::read(token) else {
            return false;
        };
        let right = self.checksum(signer, buffer, slice(token, 0, HEADER_LENGTH));
        filler_ok && flags & SENT_BY_ACCEPTOR == sender(signer) && right.ct_eq(&checksum).into()
    }

    /// Of the message and then the header.
    fn checksum(&self, signer: Side, buffer: &[u8], header: &[u8]) -> [u8; 12] {
        let keyed = match signer {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        hmac_sha1_96(keyed.clone(), &[buffer, header])
    }
}

/// Octets of a token of RFC 4121 before its checksum.
const HEADER_LENGTH: usize = 16;

const fn sender(signer: Side) -> u8 {
    match signer {
        Side::Client => 0,
        Side::Server => SENT_BY_ACCEPTOR,
    }
}

/// RFC 4757 7.2: one key for both directions, which are told apart by octets beside the sequence number.
#[derive(Clone)]
struct Rc4 {
    checksum: HmacMd5,
    sequence: HmacMd5,
}

/// TOK_ID, SGN_ALG and filler: HMAC.
const RC4_HEADER: [u8; 8] = [0x01, 0x01, 0x11, 0x00, 0xFF, 0xFF, 0xFF, 0xFF];
/// The same: DES MAC MD5.
const DES_HEADER: [u8; 8] = [0x01, 0x01, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF];
/// The usage of the checksum, in the order of RFC 4757.
const RC4_SIGN: [u8; 4] = 15_u32.to_le_bytes();

impl Rc4 {
    fn new(key: &Key) -> Self {
        Self {
            checksum: keyed_hmac_md5(&hmac_md5(key.octets(), &[b"signaturekey\0"])),
            sequence: keyed_hmac_md5(&hmac_md5(key.octets(), &[&[0; 4]])),
        }
    }

    fn sign(&self, signer: Side, sequence: u64, buffer: &[u8]) -> Vec<u8> {
        let [_, _, _, _, s0, s1, s2, s3] = sequence.to_be_bytes();
        let checksum = self.checksum(buffer);
        let plain = [[s0, s1, s2, s3], direction(signer)].concat();
        rfc1964(RC4_HEADER, &self.cipher(checksum, &plain), checksum)
    }

    fn verify(&self, signer: Side, buffer: &[u8], token: &[u8]) -> bool {
        let Ok(MicToken::Rfc1964 { header, sequence, checksum }) = MicToken::read(token) else {
            return false;
        };
        let is_right: bool = self.checksum(buffer).ct_eq(&checksum).into();
        is_right && header == RC4_HEADER && self.cipher(checksum, &sequence).ends_with(&direction(signer))
    }

    fn checksum(&self, buffer: &[u8]) -> [u8; 8] {
        first_half(finish(&self.checksum, &md5(&[&RC4_SIGN, &RC4_HEADER, buffer])))
    }

    /// The cipher over sequence number and direction.
    fn cipher(&self, checksum: [u8; 8], data: &[u8]) -> Vec<u8> {
        rc4(&finish(&self.sequence, &checksum), data)
    }
}

fn finish(keyed: &HmacMd5, data: &[u8]) -> [u8; 16] {
    let mut mac = keyed.clone();
    mac.update(data);
    mac.finalize().into_bytes().into()
}

const fn first_half([o0, o1, o2, o3, o4, o5, o6, o7, ..]: [u8; 16]) -> [u8; 8] {
    [o0, o1, o2, o3, o4, o5, o6, o7]
}

const fn direction(signer: Side) -> [u8; 4] {
    match signer {
        Side::Client => [0; 4],
        Side::Server => [0xFF; 4],
    }
}

/// A token of RFC 1964 in its frame, which has no length but this.
fn rfc1964(header: [u8; 8], sequence: &[u8], checksum: [u8; 8]) -> Vec<u8> {
    [&FRAME, &MECHANISM[..], &header, sequence, &checksum].concat()
}

/// The tag of the frame, and the length of what follows.
const FRAME: [u8; 2] = [0x60, 0x23];

/// A token of RFC 1964 1.2.1 with DES MAC MD5, which no KDC of today has a key for: [MS-SIPAE] SIPAE-3.2.4.1-28 names
/// it, and vectors show it.
#[must_use]
pub fn des_mic(key: [u8; 8], signer: Side, sequence: u32, message: &[u8]) -> Vec<u8> {
    let cipher = Des::new(&key.into());
    let checksum = des_checksum(&cipher, message);
    let ([s0, s1, s2, s3], [d0, d1, d2, d3]) = (sequence.to_le_bytes(), direction(signer));
    rfc1964(DES_HEADER, &des_cbc(&cipher, checksum, [s0, s1, s2, s3, d0, d1, d2, d3]), checksum)
}

/// Whether `token` is such a signature of the message by this side.
#[must_use]
pub fn des_mic_verify(key: [u8; 8], signer: Side, message: &[u8], token: &[u8]) -> bool {
    let Ok(MicToken::Rfc1964 { header: DES_HEADER, sequence, checksum }) = MicToken::read(token) else {
        return false;
    };
    let cipher = Des::new(&key.into());
    let mut plain = sequence.into();
    cipher.decrypt_block(&mut plain);
    let plain = xor(plain.into(), checksum);
    plain.ends_with(&direction(signer)) && des_checksum(&cipher, message).ct_eq(&checksum).into()
}

fn des_checksum(cipher: &Des, message: &[u8]) -> [u8; 8] {
    let digest = md5(&[&DES_HEADER, message]);
    let (blocks, _) = digest.as_chunks();
    blocks.iter().fold([0; 8], |vector, block| des_cbc(cipher, vector, *block))
}

/// A block of CBC.
fn des_cbc(cipher: &Des, vector: [u8; 8], block: [u8; 8]) -> [u8; 8] {
    let mut block = xor(vector, block).into();
    cipher.encrypt_block(&mut block);
    block.into()
}

const fn xor(left: [u8; 8], right: [u8; 8]) -> [u8; 8] {
    (u64::from_be_bytes(left) ^ u64::from_be_bytes(right)).to_be_bytes()
}

/// A signature as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicToken {
    /// AES: 28 octets.
    Rfc4121 {
        /// Who has sent it, and with whose key.
        flags: u8,
        /// Whether the five octets behind them are `ff`.
        filler_ok: bool,
        /// SND_SEQ.
        sequence: u64,
        /// SGN_CKSUM.
        checksum: [u8; 12],
    },
    /// RC4 and DES: 37 octets, of which 13 are the frame.
    Rfc1964 {
        /// TOK_ID, SGN_ALG and filler.
        header: [u8; 8],
        /// SND_SEQ, encrypted.
        sequence: [u8; 8],
        /// SGN_CKSUM.
        checksum: [u8; 8],
    },
}

impl MicToken {
    /// Reads a token of either form.
    pub fn read(token: &[u8]) -> Result<Self, KerberosError> {
        Self::rfc4121(token).or_else(|| Self::rfc1964(token)).ok_or(KerberosError::Framing)
    }

    /// Whether the filler is `ff`, as both forms have it.
    #[must_use]
    pub const fn has_filler(&self) -> bool {
        match self {
            Self::Rfc4121 { filler_ok, .. } => *filler_ok,
            Self::Rfc1964 { header, .. } => matches!(header, [_, _, _, _, 0xFF, 0xFF, 0xFF, 0xFF]),
        }
    }

    fn rfc4121(token: &[u8]) -> Option<Self> {
        let (flags, rest) = token.strip_prefix(&NEWER)?.split_first()?;
        let (filler, rest) = rest.split_first_chunk::<5>()?;
        let (sequence, checksum) = rest.split_first_chunk()?;
        Some(Self::Rfc4121 {
            flags: *flags,
            filler_ok: *filler == FILLER,
            sequence: u64::from_be_bytes(*sequence),
            checksum: checksum.try_into().ok()?,
        })
    }

    fn rfc1964(token: &[u8]) -> Option<Self> {
        let rest = token.strip_prefix(&FRAME)?.strip_prefix(&MECHANISM)?;
        let (header, rest) = rest.split_first_chunk()?;
        let (sequence, checksum) = rest.split_first_chunk()?;
        Some(Self::Rfc1964 { header: *header, sequence: *sequence, checksum: checksum.try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::encoding::{decode_base16, encode_base16};
    use crate::kerberos::EncryptionType::{self, Aes128, Aes256, Rc4};
    use Side::{Client, Server};

    /// Request of the worked example EX-9.
    const K: &[u8] = b"<Kerberos><0a1b2c3d><1><SIP Communications Service><sip/server.contoso.com>\
        <f00dcafef00dcafef00dcafef00dcafe><2><REGISTER><sip:alice@contoso.com><1a2b3c4d5e><sip:alice@contoso.com>\
        <><><><>";
    /// Response of EX-9.
    const L: &[u8] = b"<Kerberos><D4D4D025><1><SIP Communications Service><sip/server.contoso.com>\
        <f00dcafef00dcafef00dcafef00dcafe><2><REGISTER><sip:alice@contoso.com><1a2b3c4d5e><sip:alice@contoso.com>\
        <E7B5C3A19F0D2E4B6A8C7F5D3B1E9A0C><><><600><200>";
    const EX_9: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    /// Request of the vectors that MIT krb5 1.20.1 has signed.
    const M: &[u8] = b"<Kerberos><5f3c10aa><1><SIP Communications Service><sip/server.contoso.com>\
        <c7142b90f8c94668807a382f552a6770><2><REGISTER><sip:alice@contoso.com><604168c9c0><sip:alice@contoso.com>\
        <><><><>";
    /// Response of these.
    const N: &[u8] = b"<Kerberos><9AD6CB0C><1><SIP Communications Service><sip/server.contoso.com>\
        <c7142b90f8c94668807a382f552a6770><2><REGISTER><sip:alice@contoso.com><604168c9c0><sip:alice@contoso.com>\
        <9588410E2DA11CEE9D0AE7733E07830F><><><7200><200>";

    fn mac(etype: EncryptionType, key: &str, acceptor_subkey: bool) -> KerberosMac {
        let octets = decode_base16(key.as_bytes()).unwrap();
        KerberosMac::new(&Key::new(etype, &octets).unwrap(), acceptor_subkey)
    }

    #[rstest]
    #[case(Aes256, EX_9, Client, K, "040400ffffffffff0000000000000000fe9ed38537534f9b2f74f620")]
    #[case(Aes256, EX_9, Server, L, "040401ffffffffff00000000000000008a08e51e2a47895397c82288")]
    #[case(Rc4, &EX_9[..32], Client, K, "602306092a864886f71201020201011100ffffffff0fb82cc9ba401ba3ccac9bd6b341ac64")]
    #[case(Rc4, &EX_9[..32], Server, L, "602306092a864886f71201020201011100ffffffff2f898bfe0f3b762a3ef8e7e20551313f")]
    fn a_signature_is_that_of_the_worked_example(
        #[case] etype: EncryptionType,
        #[case] key: &str,
        #[case] signer: Side,
        #[case] buffer: &[u8],
        #[case] token: &str,
    ) {
        assert_eq!(encode_base16(&mac(etype, key, false).sign(signer, buffer)), token);
    }

    #[rstest]
    #[case(
        Aes256,
        "0b0c2f737c4042799ec9871393f97d47dd7d248f6da5c99a98e741cb065d8086",
        true,
        Client,
        803243561,
        M,
        "040404ffffffffff000000002fe086290ac60b76e44812fba84debe7"
    )]
    #[case(
        Aes256,
        "0b0c2f737c4042799ec9871393f97d47dd7d248f6da5c99a98e741cb065d8086",
        true,
        Server,
        694289622,
        N,
        "040405ffffffffff00000000296204d6e3a3b6d38b75f2d03f12ce78"
    )]
    #[case(
        Aes128,
        "9c38f740b477c92b01c425c54d258712",
        false,
        Server,
        171611252,
        N,
        "040401ffffffffff000000000a3a94743ee48064ac9c36525c77f185"
    )]
    #[case(
        Rc4,
        "f0f1cefdbae01ae89b0e52dd2f2101e2",
        false,
        Server,
        978328291,
        N,
        "602306092a864886f71201020201011100ffffffff3497c27081dd0cd39f647de1c4eb51de"
    )]
    fn a_signature_is_that_of_mit_with_its_sequence_number(
        #[case] etype: EncryptionType,
        #[case] key: &str,
        #[case] acceptor_subkey: bool,
        #[case] signer: Side,
        #[case] sequence: u64,
        #[case] buffer: &[u8],
        #[case] token: &str,
    ) {
        let mac = mac(etype, key, acceptor_subkey);
        let made = mac.sign_numbered(signer, sequence, buffer);
        assert_eq!(encode_base16(&made), token);
        assert!(mac.verify(signer, buffer, &made));
        assert!(!mac.verify(signer.peer(), buffer, &made));
    }

    /// RFC 4757 7.2: SND_SEQ is not covered. Who turns the direction round needs no key, which is why an association
    /// refuses salt and number of its own messages (SIPAE-3.2.5.2-22); vectors `reflection-rc4-*-flipped`.
    #[test]
    fn the_direction_of_an_rc4_signature_can_be_turned_round() {
        let mac = mac(Rc4, &EX_9[..32], false);
        let mut token = mac.sign(Client, K);
        token[25..29].iter_mut().for_each(|octet| *octet ^= 0xFF);
        assert!(!mac.verify(Client, K, &token));
        assert!(mac.verify(Server, K, &token));
    }

    /// `micverify-aes128-filler`, `micverify-rc4-oid`, `micverify-rc4-sgn-alg` and the like: an octet that only says
    /// what a signature must say.
    #[rstest]
    #[case(Aes128, 0)]
    #[case(Aes128, 2)]
    #[case(Aes128, 3)]
    #[case(Aes128, 15)]
    #[case(Rc4, 1)]
    #[case(Rc4, 8)]
    #[case(Rc4, 13)]
    #[case(Rc4, 15)]
    #[case(Rc4, 20)]
    fn another_octet_in_the_header_is_refused(#[case] etype: EncryptionType, #[case] place: usize) {
        let mac = mac(etype, &EX_9[..32], false);
        let mut token = mac.sign(Client, K);
        token[place] ^= 1;
        assert!(!mac.verify(Client, K, &token));
    }

    /// `mic-fixed-des-initiator-305419896` and `mic-fixed-des-acceptor-0`.
    #[test]
    fn a_signature_with_single_des_is_that_of_rfc_1964() {
        let key = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF];
        let token = encode_base16(&des_mic(key, Client, 305_419_896, "ünïcode".as_bytes()));
        assert_eq!(token, "602306092a864886f71201020201010000ffffffff81333a58514c486e9754712a4648ff1e");
        let mut token = des_mic(key, Server, 0, b"");
        assert_eq!(
            encode_base16(&token),
            "602306092a864886f71201020201010000ffffffffd8f2ee90348e783f9493c40b837de11f"
        );
        assert!(des_mic_verify(key, Server, b"", &token));
        assert!(!des_mic_verify(key, Client, b"", &token));
        assert!(!des_mic_verify(key, Server, b"x", &token));
        token[28] ^= 1;
        assert!(!des_mic_verify(key, Server, b"", &token));
    }

    /// Skype for Business 2015 and [MS-SIP] 4.3.
    #[test]
    fn real_signatures_are_read() {
        let read = |token: &str| MicToken::read(&decode_base16(token.as_bytes()).unwrap());
        let sfb = read("040401ffffffffff0000000000000000258b1b279a38abe5d2250499");
        assert!(matches!(sfb, Ok(MicToken::Rfc4121 { flags: 1, filler_ok: true, sequence: 0, .. })));
        let mssip = read("602306092a864886f71201020201011100ffffffff066ded2537aaae51fb4e69ca00ea6b20");
        assert!(matches!(mssip, Ok(MicToken::Rfc1964 { header: RC4_HEADER, .. })));
    }

    proptest! {
        #[test]
        fn a_signature_is_that_of_its_buffer_key_and_side(
            octets: [u8; 32],
            sequence: u64,
            buffer in vec(any::<u8>(), 0..40),
            server: bool,
            acceptor_subkey: bool,
        ) {
            let signer = if server { Server } else { Client };
            for etype in EncryptionType::ALL {
                let mac = |octets: &[u8]| KerberosMac::new(&Key::new(etype, octets).unwrap(), acceptor_subkey);
                let (mac, other) = (mac(&octets[..etype.key_length()]), mac(&[0x5A; 32][..etype.key_length()]));
                let token = mac.sign_numbered(signer, sequence, &buffer);
                prop_assert!(mac.verify(signer, &buffer, &token));
                prop_assert!(!mac.verify(signer.peer(), &buffer, &token));
                prop_assert!(!other.verify(signer, &buffer, &token));
                prop_assert!(!mac.verify(signer, &[&buffer[..], b"x"].concat(), &token));
                for length in 0..token.len() {
                    prop_assert!(!mac.verify(signer, &buffer, &token[..length]));
                }
                prop_assert!(!mac.verify(signer, &buffer, &[&token[..], b"x"].concat()));
            }
        }

        #[test]
        fn any_octets_are_no_signature(token in vec(any::<u8>(), 0..48)) {
            for etype in EncryptionType::ALL {
                let mac = KerberosMac::new(&Key::new(etype, &[9; 32][..etype.key_length()]).unwrap(), false);
                prop_assert!(!mac.verify(Client, K, &token));
            }
        }
    }
}
