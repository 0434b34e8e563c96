//! The golden vectors themselves: a program that tests codecs needs no folder beside it.

use std::sync::OnceLock;

use crate::file::{VectorFile, parse_file};

macro_rules! files {
    ($($path:literal,)*) => {
        /// Path and text of every file, in the order of their paths.
        const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../vectors/", $path))),)*];
    };
}

files![
    "digest/digest.json",
    "encoding/edge-cases.json",
    "encoding/encoding.json",
    "epid/epid.json",
    "examples/spec-requirements-ex.json",
    "kerberos/ap.json",
    "kerberos/mic.json",
    "kerberos/parse.json",
    "kerberos/reflection.json",
    "kerberos/rfc3961.json",
    "kerberos/verify.json",
    "ntlm/authenticate-mic.json",
    "ntlm/davenport.json",
    "ntlm/dummy-token.json",
    "ntlm/exchange.json",
    "ntlm/hashes.json",
    "ntlm/keyless.json",
    "ntlm/keys.json",
    "ntlm/mac.json",
    "ntlm/messages.json",
    "ntlm/ms-nlmp-4.2.json",
    "ntlm/reflection.json",
    "ntlm/sip.json",
    "parse/auth-headers-captured.json",
    "parse/auth-headers-edge.json",
    "parse/auth-headers-published.json",
    "parse/messages-captured.json",
    "parse/messages-edge.json",
    "parse/messages-mssip.json",
    "parse/messages-mssipae.json",
    "primitives/primitives.json",
    "referred/referred.json",
    "sipbuf/absent.json",
    "sipbuf/auth-headers.json",
    "sipbuf/buffers.json",
    "sipbuf/edge-cases.json",
    "sipbuf/octets.json",
    "sipbuf/unfit.json",
    "tlsdsk/flights.json",
    "tlsdsk/keys.json",
    "tlsdsk/prf.json",
    "tlsdsk/sign.json",
    "tlsdsk/transcripts.json",
    "verify/verify.json",
    "window/window.json",
    "write/write.json",
];

/// The golden vectors of this version, in the order of their files.
pub fn golden() -> &'static [VectorFile] {
    static GOLDEN: OnceLock<Vec<VectorFile>> = OnceLock::new();
    // A test looks at each of them.
    GOLDEN.get_or_init(|| FILES.iter().filter_map(|(path, text)| parse_file(path, text).ok()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::load_folder;

    #[test]
    fn every_file_of_the_folder_is_here() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
        let loaded = load_folder(&folder).expect("the vectors load");
        let prefix = folder.display().to_string() + "/";
        let named: Vec<&str> = loaded.iter().map(|file| file.name.trim_start_matches(&prefix)).collect();
        assert_eq!(named, golden().iter().map(|file| file.name.as_str()).collect::<Vec<_>>());
        for (loaded, file) in loaded.iter().zip(golden()) {
            assert_eq!(loaded.vectors, file.vectors);
        }
    }
}
