//! A full handshake with RSA key exchange, opened with the private key of the server (RFC 5246 7.4, 8.1).
//!
//! Nothing is told of a handshake whose CertificateVerify, record MAC or Finished is wrong.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use aes::{Aes128, Aes256};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384};
use sipae::ntlm::md5;
use sipae::tlsdsk::{Flight, HandshakeMessage, HandshakeType, Hash, Prf, Record, TLS_1_0, hmac, prf};
use sipae_vectors::{Answer, Hex, Refusal, inputs};

use super::Outcome;
use super::input::malformed;
use super::tlsdsk::{flight, named, signing_keys};

/// Suites with RSA key exchange and AES in CBC: hash of the record MAC and octets of the key.
const SUITES: [(u16, Hash, usize); 4] = [
    (0x002F, Hash::Sha1, 16),
    (0x0035, Hash::Sha1, 32),
    (0x003C, Hash::Sha256, 16),
    (0x003D, Hash::Sha256, 32),
];

/// Octets of an AES block.
const BLOCK: usize = 16;

/// Octets of the largest modulus: 16384 bits.
const LARGEST_MODULUS: usize = 2048;

/// The public exponent that certificates have.
const PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];

pub(super) fn transcript(inputs: &inputs::TlsdskTranscript) -> Outcome {
    let octets = inputs.flights.iter().map(|text| flight("flights", text)).collect::<Result<Vec<_>, _>>()?;
    let flights = octets.iter().map(|octets| Flight::read(octets)).collect::<Result<Vec<_>, _>>();
    let flights = flights.map_err(|error| malformed("flights", error))?;
    let [hello, answer, client, server] = &flights[..] else {
        return Err(malformed("flights", format_args!("{} are no full handshake of 4", flights.len())));
    };
    let function = named(inputs.prf);
    let handshake = Handshake::read([hello, answer, client])?;
    let pre_master = handshake.pre_master_secret(inputs)?;
    let master = handshake.master_secret(function, &pre_master, inputs.extended_master_secret)?;
    handshake.check_certificate_verify(function, &inputs.client_modulus)?;
    let [by_client, by_server] = handshake.finished(function, &master, [client, server])?;
    let answer = Answer::new()
        .value("handshake_types", types(&flights)?)
        .hex("client_random", handshake.client_random)
        .hex("server_random", handshake.server_random)
        .hex("cipher_suite", &handshake.suite.to_be_bytes())
        .hex("pre_master_secret", &pre_master)
        .hex("master_secret", &master)
        .hex("client_verify_data", &by_client)
        .hex("server_verify_data", &by_server);
    Ok(signing_keys(answer, function, &master, handshake.client_random, handshake.server_random))
}

fn types(flights: &[Flight<'_>]) -> Result<Vec<Vec<u8>>, Refusal> {
    let kinds = |flight| messages(flight).map(|list| list.iter().map(|message| message.kind.0).collect());
    flights.iter().map(kinds).collect()
}

fn messages<'f>(flight: &'f Flight<'_>) -> Result<Vec<HandshakeMessage<'f>>, Refusal> {
    flight.messages().collect::<Result<_, _>>().map_err(|error| malformed("flights", error))
}

fn missing(what: &str) -> Refusal {
    malformed("flights", format_args!("no {what}"))
}

/// What the first three flights say openly.
struct Handshake<'f> {
    messages: Vec<HandshakeMessage<'f>>,
    client_random: &'f [u8],
    server_random: &'f [u8],
    suite: u16,
    hash: Hash,
    key_length: usize,
}

impl<'f> Handshake<'f> {
    fn read(flights: [&'f Flight<'_>; 3]) -> Result<Self, Refusal> {
        let messages = flights.map(messages).into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        let client = body(&messages, HandshakeType::CLIENT_HELLO)?;
        let server = body(&messages, HandshakeType::SERVER_HELLO)?;
        let random = |hello: &'f [u8]| hello.get(2..34).ok_or_else(|| missing("random"));
        let suite = cipher_suite(server).ok_or_else(|| missing("cipher suite"))?;
        let known = SUITES.iter().find(|(known, _, _)| *known == suite);
        let &(_, hash, key_length) =
            known.ok_or_else(|| Refusal::Unsupported(format!("cipher suite {suite:04x}")))?;
        Ok(Self {
            client_random: random(client)?,
            server_random: random(server)?,
            messages,
            suite,
            hash,
            key_length,
        })
    }

    /// RSA decryption, PKCS #1 v1.5 (RFC 5246 7.4.7.1).
    fn pre_master_secret(&self, inputs: &inputs::TlsdskTranscript) -> Result<Vec<u8>, Refusal> {
        let exchange = body(&self.messages, HandshakeType::CLIENT_KEY_EXCHANGE)?;
        let sealed = exchange.get(2..).ok_or_else(|| missing("encrypted pre-master secret"))?;
        let exponent = inputs.server_private_exponent.as_slice();
        let block = power("server_modulus", sealed, exponent, &inputs.server_modulus)?;
        let secret = block.strip_prefix(&[0, 2]).and_then(|padded| {
            let end = padded.iter().position(|octet| *octet == 0)?;
            padded.get(end + 1..)
        });
        secret
            .map(<[u8]>::to_vec)
            .ok_or_else(|| malformed("flights", "ClientKeyExchange is not for this key"))
    }

    fn master_secret(&self, function: Prf, pre_master: &[u8], extended: bool) -> Result<[u8; 48], Refusal> {
        let mut secret = [0; 48];
        if extended {
            let hash = transcript_hash(function, &[self.until(HandshakeType::CLIENT_KEY_EXCHANGE)?]);
            prf(function, pre_master, b"extended master secret", &[&hash], &mut secret);
        } else {
            let seed = [self.client_random, self.server_random];
            prf(function, pre_master, b"master secret", &seed, &mut secret);
        }
        Ok(secret)
    }

    /// The octets of the messages up to this one.
    fn until(&self, last: HandshakeType) -> Result<Vec<u8>, Refusal> {
        let at = self.messages.iter().position(|message| message.kind == last);
        let covered = at.and_then(|at| self.messages.get(..=at)).ok_or_else(|| missing(&last.to_string()))?;
        Ok(octets(covered))
    }

    /// TLS 1.0 and 1.1 sign MD5 and SHA-1 of the messages in PKCS #1 v1.5 without naming them (RFC 4346 7.4.8). In
    /// TLS 1.2 the hash is one of many, and proves nothing that Finished does not.
    fn check_certificate_verify(&self, function: Prf, modulus: &Hex) -> Result<(), Refusal> {
        if function != Prf::Md5Sha1 {
            return Ok(());
        }
        let verify = body(&self.messages, HandshakeType::CERTIFICATE_VERIFY)?;
        let signature = verify.get(2..).ok_or_else(|| missing("signature"))?;
        let block = power("client_modulus", signature, &PUBLIC_EXPONENT, modulus)?;
        let hash = transcript_hash(function, &[self.until(HandshakeType::CLIENT_KEY_EXCHANGE)?]);
        let padding = vec![0xFF; block.len().saturating_sub(hash.len() + 3)];
        let expected = [&[0, 1][..], &padding, &[0], &hash].concat();
        if block == expected {
            Ok(())
        } else {
            Err(malformed("flights", "CertificateVerify is not by this key"))
        }
    }

    /// The verify data of client and server, out of their encrypted records.
    fn finished(
        &self,
        function: Prf,
        master: &[u8],
        flights: [&Flight<'_>; 2],
    ) -> Result<[Vec<u8>; 2], Refusal> {
        let [client_keys, server_keys] = self.record_keys(function, master);
        let [client, server] = flights;
        let mut covered = octets(&self.messages);
        let by_client = open(self.hash, &client_keys, client)?;
        let client = verify_data(function, master, b"client finished", &covered, &by_client)?;
        covered.extend_from_slice(&by_client);
        let by_server = open(self.hash, &server_keys, server)?;
        Ok([client, verify_data(function, master, b"server finished", &covered, &by_server)?])
    }

    /// The keys of client and server (RFC 5246 6.3).
    fn record_keys(&self, function: Prf, master: &[u8]) -> [RecordKeys; 2] {
        let lengths = [self.hash.length(), self.key_length, BLOCK];
        let mut block = vec![0; 2 * lengths.iter().sum::<usize>()];
        let seed = [self.server_random, self.client_random];
        prf(function, master, b"key expansion", &seed, &mut block);
        let mut rest = block.into_iter();
        let mut pair = |length: usize| [(); 2].map(|()| rest.by_ref().take(length).collect::<Vec<u8>>());
        let [[mac0, mac1], [key0, key1], [iv0, iv1]] = lengths.map(&mut pair);
        [RecordKeys { mac: mac0, key: key0, iv: iv0 }, RecordKeys { mac: mac1, key: key1, iv: iv1 }]
    }
}

fn body<'f>(messages: &[HandshakeMessage<'f>], kind: HandshakeType) -> Result<&'f [u8], Refusal> {
    let found = messages.iter().find(|message| message.kind == kind);
    found.map(|message| message.body).ok_or_else(|| missing(&kind.to_string()))
}

fn octets(messages: &[HandshakeMessage<'_>]) -> Vec<u8> {
    messages.iter().flat_map(|message| message.octets).copied().collect()
}

/// The suite behind version, random and session id of a ServerHello.
fn cipher_suite(hello: &[u8]) -> Option<u16> {
    let session = usize::from(*hello.get(34)?);
    hello.get(35 + session..)?.first_chunk().copied().map(u16::from_be_bytes)
}

fn transcript_hash(function: Prf, parts: &[Vec<u8>]) -> Vec<u8> {
    let messages = parts.concat();
    match function {
        Prf::Md5Sha1 => [&md5(&[&messages])[..], &Sha1::digest(&messages)].concat(),
        Prf::Sha256 => Sha256::digest(&messages).to_vec(),
        Prf::Sha384 => Sha384::digest(&messages).to_vec(),
    }
}

/// The verify data of a Finished, which must be what the messages before it come to (RFC 5246 7.4.9).
fn verify_data(
    function: Prf,
    master: &[u8],
    label: &[u8],
    covered: &[u8],
    finished: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let mut expected = vec![0; 12];
    prf(function, master, label, &[&transcript_hash(function, &[covered.to_vec()])], &mut expected);
    let found = finished.strip_prefix(&[HandshakeType::FINISHED.0, 0, 0, 12]);
    if found == Some(&expected) {
        Ok(expected)
    } else {
        Err(malformed("flights", "Finished does not fit the messages before it"))
    }
}

/// Keys of one side's records.
struct RecordKeys {
    mac: Vec<u8>,
    key: Vec<u8>,
    iv: Vec<u8>,
}

/// The content of the first encrypted record of a flight: CBC over content, MAC and padding (RFC 5246 6.2.3.2).
fn open(hash: Hash, keys: &RecordKeys, flight: &Flight<'_>) -> Result<Vec<u8>, Refusal> {
    let record = flight.records().iter().find(|record| record.encrypted);
    let record = record.ok_or_else(|| missing("encrypted record"))?;
    let opened = decrypted(keys, record).and_then(|plain| content(hash, keys, record, &plain));
    opened.ok_or_else(|| malformed("flights", "an encrypted record cannot be opened"))
}

/// From TLS 1.1 on the initialisation vector stands in front of the record.
fn decrypted(keys: &RecordKeys, record: &Record<'_>) -> Option<Vec<u8>> {
    let (iv, mut octets) = if record.version == TLS_1_0 {
        (keys.iv.as_slice(), record.fragment.to_vec())
    } else {
        let (iv, rest) = record.fragment.split_at_checked(BLOCK)?;
        (iv, rest.to_vec())
    };
    match keys.key.len() {
        16 => decrypt::<cbc::Decryptor<Aes128>>(&keys.key, iv, &mut octets)?,
        _ => decrypt::<cbc::Decryptor<Aes256>>(&keys.key, iv, &mut octets)?,
    }
    Some(octets)
}

fn decrypt<D: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], octets: &mut [u8]) -> Option<()> {
    let mode = D::new_from_slices(key, iv).ok()?;
    mode.decrypt_padded::<NoPadding>(octets).ok().map(|_| ())
}

/// Without padding and MAC, both of which must be right.
fn content(hash: Hash, keys: &RecordKeys, record: &Record<'_>, plain: &[u8]) -> Option<Vec<u8>> {
    let padding = usize::from(*plain.last()?);
    let (data, _) = plain.split_at_checked(plain.len().checked_sub(padding + 1)?)?;
    let (content, mac) = data.split_at_checked(data.len().checked_sub(hash.length())?)?;
    let length = u16::try_from(content.len()).ok()?.to_be_bytes();
    let (sequence, kind) = ([0; 8], [record.content.number()]);
    let parts = [&sequence[..], &kind, &record.version.to_be_bytes(), &length, content];
    (hmac(hash, &keys.mac, &parts) == mac).then(|| content.to_vec())
}

/// Modular exponentiation of RSA: as many octets as the modulus has.
fn power(name: &str, base: &[u8], exponent: &[u8], modulus: &Hex) -> Result<Vec<u8>, Refusal> {
    let octets = modulus.as_slice();
    if LARGEST_MODULUS < octets.len().max(exponent.len()) {
        return Err(malformed(name, format_args!("more than {LARGEST_MODULUS} octets")));
    }
    let bits = u32::try_from(8 * octets.len()).unwrap_or_default();
    let odd = Odd::new(BoxedUint::from_be_slice_vartime(octets)).into_option();
    let odd = odd.filter(|_| 1 < octets.len()).ok_or_else(|| malformed(name, "no RSA modulus"))?;
    let base = BoxedUint::from_be_slice(base, bits).ok().filter(|base| base < odd.as_ref());
    let base = base.ok_or_else(|| malformed("flights", "an RSA block is larger than the modulus"))?;
    let form = BoxedMontyForm::new(base, &BoxedMontyParams::new_vartime(odd));
    let raised = form.pow(&BoxedUint::from_be_slice_vartime(exponent)).retrieve().to_be_bytes();
    Ok(raised.get(raised.len().saturating_sub(octets.len())..).unwrap_or_default().to_vec())
}
