//! Transcripts of handshakes in a build without TLS.

use sipae_vectors::{Refusal, inputs};

use super::Outcome;

/// Refuses: RSA and AES come with the feature.
pub(super) fn transcript(_: &inputs::TlsdskTranscript) -> Outcome {
    Err(Refusal::Unsupported("built without tls".to_owned()))
}
