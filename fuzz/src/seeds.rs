//! Writes the corpus and the dictionaries that the fuzzer starts from:
//! `cargo run --manifest-path fuzz/Cargo.toml --bin seeds`.
//!
//! Messages, header values, tokens and lines come out of `vectors/` and are named after their vector; conversations
//! come from the reference client and server. What other files there are stays: kept findings, for example. With
//! `--check` nothing is written, and it is an error if something would be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};
use sipae::auth::{AuthParam, Scheme};
use sipae::client::Input;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_testsuite::conversation::{self, Conversation};
use sipae_testsuite::oracles::{client_sequence, server_sequence};
use sipae_testsuite::sample;
use sipae_vectors::Operation;

/// A target gets at most this many inputs out of the vectors: the fuzzer makes the others.
const MOST: usize = 36;

type Inputs = Vec<(String, Vec<u8>)>;

fn main() -> io::Result<()> {
    let checks = std::env::args().any(|arg| arg == "--check");
    let stale: Vec<_> = files()?.into_iter().filter(|(path, octets)| !is_there(path, octets)).collect();
    if checks && !stale.is_empty() {
        let names: Vec<_> = stale.iter().map(|(path, _)| path.display().to_string()).collect();
        return Err(io::Error::other(format!("not as the vectors have them: {}", names.join(", "))));
    }
    stale.iter().try_for_each(|(path, octets)| write(path, octets))
}

/// Every file of the corpus that is made here, and the dictionaries.
fn files() -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let messages = messages()?;
    let corpora = [
        ("message", spread(&messages)),
        ("message_stream", streams(&messages)),
        ("auth_header", spread(&texts(AUTH_HEADERS, "auth_header", "/inputs/header")?)),
        ("buffer", spread(&buffers()?)),
        ("ntlm", tokens()?),
        ("kerberos", kerberos()?),
        ("server", conversations(|conversation| conversation.requests)),
        ("client", conversations(|conversation| conversation.answers)),
        ("server_sequence", sequences(server_sequence::programs(), server_sequence::strange, &messages)),
        ("client_sequence", sequences(client_sequence::programs(), client_sequence::strange, &messages)),
        ("tls_dsk", flights()?),
        ("vectors_loader", vector_files()?),
        ("codec_protocol", lines()?),
    ];
    let folder = root().join("fuzz/corpus");
    let inputs = corpora.into_iter().flat_map(|(target, inputs)| {
        let folder = folder.join(target);
        inputs.into_iter().map(move |(name, octets)| (folder.join(name), octets))
    });
    Ok(inputs.chain(dictionaries()).collect())
}

fn is_there(path: &Path, octets: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == octets)
}

fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, octets)
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

const BUFFERS: &[&str] =
    &["sipbuf/buffers.json", "sipbuf/absent.json", "sipbuf/edge-cases.json", "sipbuf/octets.json"];

const SIGNED: &[&str] = &["verify/verify.json", "ntlm/sip.json", "sipbuf/auth-headers.json"];

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

/// Programs of a sequence, and a few messages in the middle of one.
fn sequences(programs: Vec<(&str, Vec<u8>)>, strange: fn(&[u8]) -> Vec<u8>, messages: &Inputs) -> Inputs {
    let programs = programs.into_iter().map(|(name, program)| (name.to_owned(), program));
    let few = spread(messages).into_iter().step_by(6);
    programs.chain(few.map(|(name, octets)| (format!("strange-{name}"), strange(&octets)))).collect()
}

/// Messages whose signature buffer is asked for, with its parameters in a header field of the message.
fn buffers() -> io::Result<Inputs> {
    let mut inputs = vec![("signed-register".to_owned(), sample::REGISTER.to_vec())];
    inputs.extend(texts(BUFFERS, "sip_buffer", "/inputs/message")?);
    for file in SIGNED {
        for vector in vectors(file)? {
            let mut found = Vec::new();
            collect_messages(&vector["inputs"], &mut found);
            let name = |place| if place == 0 { id(&vector) } else { format!("{}-{place}", id(&vector)) };
            inputs.extend(found.into_iter().enumerate().map(|(place, octets)| (name(place), octets)));
        }
    }
    Ok(inputs)
}

fn collect_messages(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) if text.contains("SIP/2.0") && text.contains("\r\n\r\n") => {
            found.push(text.clone().into_bytes());
        }
        Value::Array(values) => values.iter().for_each(|value| collect_messages(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect_messages(value, found)),
        _ => {}
    }
}

/// The shortest vector of each operation, with the file that it stands in.
fn shortest() -> io::Result<Vec<(Value, Value)>> {
    let mut shortest: BTreeMap<String, (usize, Value, Value)> = BTreeMap::new();
    for path in vector_paths(&root().join("vectors"))? {
        let mut file: Value = serde_json::from_slice(&fs::read(path)?)?;
        let Some(Value::Array(vectors)) = file.get_mut("vectors").map(Value::take) else { continue };
        for vector in vectors {
            let (op, length) =
                (vector["op"].as_str().unwrap_or_default().to_owned(), vector.to_string().len());
            if shortest.get(&op).is_none_or(|(least, ..)| length < *least) {
                shortest.insert(op, (length, file.clone(), vector));
            }
        }
    }
    Ok(shortest.into_values().map(|(_, file, vector)| (file, vector)).collect())
}

fn vector_paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(vector_paths(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "json")
            && !path.ends_with("schema.json")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Files of one vector each, and what is wrong with some.
fn vector_files() -> io::Result<Inputs> {
    let mut inputs = Inputs::new();
    for (mut file, vector) in shortest()? {
        let name = vector["op"].as_str().unwrap_or_default().to_owned();
        file["vectors"] = Value::Array(vec![vector]);
        inputs.push((name, file.to_string().into_bytes()));
    }
    let twice = br#"{"family":"f","family":"f","description":"","vectors":[]}"#;
    inputs.push(("key-twice".to_owned(), twice.to_vec()));
    inputs.push(("no-vectors".to_owned(), br#"{"family":"f","description":"","vectors":[]}"#.to_vec()));
    Ok(inputs)
}

/// A request for each operation and its answer, and what else a codec may say.
fn lines() -> io::Result<Inputs> {
    let mut inputs = Inputs::new();
    for (number, (_, vector)) in (1..).zip(shortest()?) {
        let name = vector["op"].as_str().unwrap_or_default().to_owned();
        let request = json!({"id": number, "op": vector["op"], "inputs": vector["inputs"]});
        let answer = json!({"id": number, "answer": vector["expected"]});
        inputs.push((name, format!("{request}\n{answer}\n").into_bytes()));
    }
    let said = [
        (
            "greeting",
            r#"{"protocol":"sipae-codec","version":1,"program":"my stack 1.2","operations":["base16"]}"#,
        ),
        ("unsupported", r#"{"id":3,"unsupported":"ntowfv1"}"#),
        ("malformed", r#"{"id":4,"malformed":"seal_key: 3 octets"}"#),
        ("operation-of-tomorrow", r#"{"id":5,"op":"of_tomorrow","inputs":{},"newer":0}"#),
    ];
    inputs.extend(said.map(|(name, line)| (name.to_owned(), line.as_bytes().to_vec())));
    Ok(inputs)
}

/// Words of the protocol, so that the fuzzer need not guess them letter by letter.
fn dictionaries() -> Vec<(PathBuf, Vec<u8>)> {
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
    let flights = ["\u{16}\u{3}\u{1}", "\u{16}\u{3}\u{3}", "\u{14}\u{3}\u{3}\0\u{1}\u{1}"].map(str::to_owned);
    let tokens = ["NTLMSSP\0\u{1}", "NTLMSSP\0\u{2}", "NTLMSSP\0\u{3}"].map(str::to_owned);
    let dictionaries: [(&str, &[String]); 13] = [
        ("auth_header", &auth),
        ("buffer", &both),
        ("message", &both),
        ("message_stream", &sip),
        ("forwarding", &both),
        ("server", &both),
        ("server_sequence", &both),
        ("client", &both),
        ("client_sequence", &both),
        ("tls_dsk", &flights),
        ("ntlm", &tokens),
        ("vectors_loader", &json_words()),
        ("codec_protocol", &json_words()),
    ];
    dictionaries.map(|(target, words)| dictionary(target, words)).into()
}

/// Keys of vector files and of lines of the codec protocol, and values that stand in them.
fn json_words() -> Vec<String> {
    let keys = [
        "family",
        "description",
        "vectors",
        "id",
        "op",
        "source",
        "provenance",
        "inputs",
        "expected",
        "note",
        "lenient",
        "refusable",
        "protocol",
        "version",
        "program",
        "operations",
        "answer",
        "unsupported",
        "malformed",
    ];
    let values = ["published", "capture", "oracle", "self-generated", "sipae-codec"];
    let marks = ["{}", "[]", "null", "true", "1e400", "-0.0", "18446744073709551616", "\\u0000", "\\ud800"];
    let keys = keys.into_iter().map(|key| format!("\"{key}\":"));
    let values = values.into_iter().chain(Operation::NAMES.iter().copied()).map(|name| format!("\"{name}\""));
    keys.chain(values).chain(marks.map(str::to_owned)).collect()
}

fn dictionary(target: &str, words: &[String]) -> (PathBuf, Vec<u8>) {
    let lines: String = words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    (root().join("fuzz/dict").join(format!("{target}.dict")), lines.into_bytes())
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
