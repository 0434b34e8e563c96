//! `sipae decode`: captured messages, explained.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sipae_decode::input::MAX_INPUT;
use sipae_decode::material::{ExportedKey, KeyError, Material, NtlmKey, TlsKeys};
use sipae_decode::{Decoded, json_lines, render};
use sipae_events::ExitCode;

use crate::args::{DecodeArgs, KeyArgs};
use crate::output::{Failure, tell};

/// Where a password may stand that is in no option.
const PASSWORD: &str = "SIPAE_PASSWORD";
/// Octets of a file that a password is looked for in.
const PASSWORD_FILE: u64 = 64 * 1024;

pub(crate) fn decode(args: &DecodeArgs) -> Result<ExitCode, Failure> {
    let material = material(&args.keys)?;
    let octets = read(&args.file)?;
    let file = args.file.display().to_string();
    let decoded =
        sipae_decode::decode(&octets, &material).map_err(|source| Failure::Input { file, source })?;
    let text = if args.json {
        json_lines(&decoded).map_err(|error| Failure::Report(error.into()))?
    } else {
        render::text(&decoded)
    };
    tell(&text)?;
    Ok(exit(&decoded, &material))
}

fn exit(decoded: &Decoded, material: &Material) -> ExitCode {
    let tally = decoded.tally();
    let nothing_read = decoded.messages.iter().all(|message| message.unreadable.is_some());
    let nothing_checked = !material.is_empty() && tally.verified == 0;
    if 0 < tally.failed {
        ExitCode::Failed
    } else if nothing_read || nothing_checked {
        ExitCode::NothingRan
    } else {
        ExitCode::Passed
    }
}

/// One octet more than is read would be too many, and says so.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let most = MAX_INPUT as u64 + 1;
    let octets = if file == Path::new("-") {
        all(io::stdin().lock().take(most))
    } else {
        File::open(file).and_then(|opened| all(opened.take(most)))
    };
    octets.map_err(|source| Failure::File { file: file.to_owned(), source })
}

fn all(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.read_to_end(&mut octets).map(|_| octets)
}

fn material(keys: &KeyArgs) -> Result<Material, Failure> {
    Ok(Material {
        password: password(keys)?,
        ntlm_client: ntlm_key("--client-key", keys.client_key.as_deref())?,
        ntlm_server: ntlm_key("--server-key", keys.server_key.as_deref())?,
        exported: exported(keys)?,
        tls: tls(keys)?,
    })
}

fn password(keys: &KeyArgs) -> Result<Option<String>, Failure> {
    match (&keys.password, &keys.password_file) {
        (Some(password), _) => Ok(Some(password.clone())),
        (None, Some(file)) => first_line(file).map(Some),
        (None, None) => Ok(std::env::var(PASSWORD).ok().filter(|password| !password.is_empty())),
    }
}

fn first_line(file: &Path) -> Result<String, Failure> {
    let octets = File::open(file).and_then(|opened| all(opened.take(PASSWORD_FILE)));
    let octets = octets.map_err(|source| Failure::File { file: file.to_owned(), source })?;
    let text = String::from_utf8(octets).map_err(|_| wrong("--password-file", "not UTF-8"))?;
    text.lines().next().map(ToOwned::to_owned).ok_or_else(|| wrong("--password-file", "empty"))
}

fn ntlm_key(option: &str, text: Option<&str>) -> Result<Option<NtlmKey>, Failure> {
    text.map(|text| NtlmKey::read(text).map_err(|error| wrong_key(option, error))).transpose()
}

fn exported(keys: &KeyArgs) -> Result<Option<ExportedKey>, Failure> {
    let both = keys.exported_session_key.as_ref().zip(keys.flags.as_ref());
    let read = both.map(|(key, flags)| ExportedKey::read(key, flags)).transpose();
    read.map_err(|error| wrong_key("--exported-session-key or --flags", error))
}

fn tls(keys: &KeyArgs) -> Result<TlsKeys, Failure> {
    match &keys.tls_key_material {
        Some(material) => {
            TlsKeys::of_material(material).map_err(|error| wrong_key("--tls-key-material", error))
        }
        None => TlsKeys::read(keys.tls_client_key.as_deref(), keys.tls_server_key.as_deref())
            .map_err(|error| wrong_key("--tls-client-key or --tls-server-key", error)),
    }
}

fn wrong_key(option: &str, error: KeyError) -> Failure {
    wrong(option, &error.to_string())
}

/// The value is not repeated: it may be a key.
fn wrong(option: &str, problem: &str) -> Failure {
    Failure::Usage(format!("{option}: {problem}"))
}
