//! Writes the corpus and the dictionaries that the fuzzer starts from:
//! `cargo run --manifest-path fuzz/Cargo.toml --bin seeds`.
//!
//! Messages, header values and tokens come out of `vectors/` and are named after their vector; conversations come
//! from the reference client and server. What other files there are stays: kept findings, for example.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;
use sipae::auth::{AuthParam, Scheme};
use sipae::client::Input;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_testsuite::conversation::{self, Conversation};
use sipae_testsuite::sample;

/// A target gets at most this many inputs out of the vectors: the fuzzer makes the others.
const MOST: usize = 36;

type Inputs = Vec<(String, Vec<u8>)>;

fn main() -> io::Result<()> {
    let messages = messages()?;
    write("message", spread(&messages))?;
    write("message_stream", streams(&messages))?;
    write("auth_header", spread(&texts(AUTH_HEADERS, "auth_header", "/inputs/header")?))?;
    write("ntlm", tokens()?)?;
    write("kerberos", kerberos()?)?;
    write("server", conversations(|conversation| conversation.requests))?;
    write("client", conversations(|conversation| conversation.answers))?;
    write("tls_dsk", flights()?)?;
    dictionaries()
}

const MESSAGES: &[&str] = &[
    "parse/messages-captured.json",
    "parse/messages-mssipae.json",
    "parse/messages-edge.json",
    "sipbuf/edge-cases.json",
];

const AUTH_HEADERS: &[&str] = &[
    "parse/auth-headers-captured.json",
    "parse/auth-headers-published.json",
    "parse/auth-headers-edge.json",
];

const TOKENS: &[&str] =
    &["ntlm/messages.json", "ntlm/authenticate-mic.json", "ntlm/exchange.json", "ntlm/reflection.json"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn vectors(file: &str) -> io::Result<Vec<Value>> {
    let mut file: Value = serde_json::from_slice(&fs::read(root().join("vectors").join(file))?)?;
    match file.get_mut("vectors").map(Value::take) {
        Some(Value::Array(vectors)) => Ok(vectors),
        _ => Ok(Vec::new()),
    }
}

fn id(vector: &Value) -> String {
    vector["id"].as_str().unwrap_or("unnamed").to_owned()
}

/// The text at `pointer` of every vector of this operation.
fn texts(files: &[&str], operation: &str, pointer: &str) -> io::Result<Inputs> {
    let mut inputs = Vec::new();
    for file in files {
        for vector in vectors(file)?.iter().filter(|vector| vector["op"] == operation) {
            if let Some(Value::String(text)) = vector.pointer(pointer) {
                inputs.push((id(vector), text.clone().into_bytes()));
            }
        }
    }
    Ok(inputs)
}

fn messages() -> io::Result<Inputs> {
    let mut inputs = vec![("signed-register".to_owned(), sample::REGISTER.to_vec())];
    for operation in ["sip_message", "sip_buffer"] {
        inputs.extend(texts(MESSAGES, operation, "/inputs/message")?);
    }
    Ok(inputs)
}

/// As many as are wanted, spread evenly over all.
fn spread(inputs: &Inputs) -> Inputs {
    let count = MOST.min(inputs.len());
    (0..count).map(|place| inputs[place * inputs.len() / count].clone()).collect()
}

/// Three messages behind one another, with keep-alives between them, and one that is cut short.
fn streams(messages: &Inputs) -> Inputs {
    let mut streams: Inputs = messages
        .chunks(3)
        .step_by(3)
        .map(|three| {
            let octets: Vec<_> = three.iter().map(|(_, octets)| octets.as_slice()).collect();
            (format!("three-from-{}", three[0].0), octets.join(&b"\r\n\r\n"[..]))
        })
        .collect();
    streams.truncate(MOST);
    let (name, octets) = &messages[0];
    streams.push((format!("cut-short-{name}"), octets[..octets.len() / 2].to_vec()));
    streams
}

/// Every NTLM message and AV pair list in the vectors, wherever it stands.
fn tokens() -> io::Result<Inputs> {
    let mut seen = BTreeSet::new();
    let mut inputs = Vec::new();
    for file in TOKENS {
        for vector in vectors(file)? {
            let mut found = Vec::new();
            collect_tokens(&vector, &mut found);
            for (place, token) in
                found.into_iter().enumerate().filter(|(_, token)| seen.insert(token.clone()))
            {
                let kind = match token.get(8) {
                    Some(1) => "negotiate",
                    Some(2) => "challenge",
                    _ => "authenticate",
                };
                inputs.push((format!("{}-{place}-{kind}", id(&vector)), token));
            }
        }
    }
    for vector in vectors("ntlm/messages.json")?.iter().filter(|vector| vector["op"] == "av_pairs") {
        let pairs = vector["expected"].as_object().into_iter().flatten();
        for octets in pairs.filter_map(|(_, value)| hex(value.as_str()?)) {
            inputs.push((id(vector), octets));
        }
    }
    let last = inputs.split_off(inputs.len().saturating_sub(3));
    inputs = spread(&inputs);
    inputs.extend(last);
    Ok(inputs)
}

/// The flights of the transcripts, and what changes one octet of each flight of a handshake.
fn flights() -> io::Result<Inputs> {
    let mut inputs = Vec::new();
    for vector in vectors("tlsdsk/transcripts.json")? {
        let flights = vector["inputs"]["flights"].as_array().into_iter().flatten();
        for (place, flight) in flights.filter_map(Value::as_str).enumerate() {
            let octets = sipae::encoding::decode_base64(flight.as_bytes()).unwrap_or_default();
            inputs.push((format!("{}-flight-{}", id(&vector), place + 1), octets));
        }
    }
    let changes = (0..4_u8).map(|flight| (format!("changed-flight-{}", flight + 1), vec![flight, 0, 60, 1]));
    Ok(spread(&inputs).into_iter().chain(changes).collect())
}

/// Tokens of a service whose keys the oracle has, and those of Kerberos libraries and products.
fn kerberos() -> io::Result<Inputs> {
    let mut inputs = sipae_testsuite::kerberos::samples().map_err(io::Error::other)?;
    for file in ["kerberos/ap.json", "kerberos/parse.json"] {
        for vector in vectors(file)? {
            let token = vector.pointer("/inputs/token").and_then(Value::as_str).and_then(hex);
            inputs.extend(token.map(|token| (id(&vector), token)));
        }
    }
    Ok(inputs)
}

fn collect_tokens(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => found.extend(hex(text).filter(|octets| octets.starts_with(b"NTLMSSP\0"))),
        Value::Array(values) => values.iter().for_each(|value| collect_tokens(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect_tokens(value, found)),
        _ => {}
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    sipae::encoding::decode_base16(text.as_bytes()).filter(|octets| !octets.is_empty())
}

/// What one side has said: until the association stands, with signed traffic, and to the end of it.
fn conversations(side: impl Fn(Conversation) -> Vec<u8>) -> Inputs {
    let mut inputs = Vec::new();
    for version in Version::ALL {
        let name = |what: &str| format!("{what}-version-{version}");
        inputs.push((name("register"), side(Conversation::established(version, 0))));
        let mut talk = Conversation::established(version, 0);
        talk.client(Input::Send(&conversation::message()));
        talk.client(Input::Unregister);
        inputs.push((name("register-message-unregister"), side(talk)));
        // The association that strangers come across: all that is known of it has been said already.
        let said = side(Conversation::established(version, 1));
        let half = said.len() / 2;
        inputs.push((name("overheard-register"), said[half..].to_vec()));
    }
    inputs
}

fn write(target: &str, inputs: Inputs) -> io::Result<()> {
    let folder = root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    inputs.iter().try_for_each(|(name, octets)| fs::write(folder.join(name), octets))
}

/// Words of the protocol, so that the fuzzer need not guess them letter by letter.
fn dictionaries() -> io::Result<()> {
    let auth: Vec<String> = AuthParam::ALL
        .iter()
        .map(|param| format!("{param}="))
        .chain(Scheme::ALL.map(|scheme| format!("{scheme} ")))
        .chain(["\", ", "auth", "version=4", "gssapi-data=\"\""].map(str::to_owned))
        .collect();
    let sip: Vec<String> = HeaderName::ALL
        .iter()
        .flat_map(|name| [name.name(), name.compact()])
        .filter(|name| !name.is_empty())
        .map(|name| format!("{name}: "))
        .chain(["REGISTER ", "SIP/2.0 ", " SIP/2.0\r\n", "\r\n", "\r\n ", "\r\n\r\n"].map(str::to_owned))
        .chain(["<sip:", "tel:+1", ";tag=", ";epid=", "<urn:uuid:", "z9hG4bK", "><"].map(str::to_owned))
        .collect();
    let both: Vec<String> = sip.iter().chain(&auth).cloned().collect();
    dictionary("auth_header", &auth)?;
    dictionary("message", &both)?;
    dictionary("message_stream", &sip)?;
    dictionary("forwarding", &both)?;
    dictionary("server", &both)?;
    dictionary("client", &both)?;
    dictionary("tls_dsk", &["\u{16}\u{3}\u{1}", "\u{16}\u{3}\u{3}", "\u{14}\u{3}\u{3}\0\u{1}\u{1}"].map(str::to_owned))?;
    dictionary("ntlm", &["NTLMSSP\0\u{1}", "NTLMSSP\0\u{2}", "NTLMSSP\0\u{3}"].map(str::to_owned))
}

fn dictionary(target: &str, words: &[String]) -> io::Result<()> {
    let folder = root().join("fuzz/dict");
    fs::create_dir_all(&folder)?;
    let lines: String = words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    fs::write(folder.join(format!("{target}.dict")), lines)
}

fn escaped(word: &str) -> String {
    word.bytes()
        .map(|octet| match octet {
            b'"' | b'\\' => format!("\\{}", char::from(octet)),
            b' '..=b'~' => char::from(octet).to_string(),
            _ => format!("\\x{octet:02X}"),
        })
        .collect()
}
