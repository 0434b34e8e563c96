//! Captured messages in, explanations out: header fields with findings, tokens field by field, the signature buffer, and
//! whether the signature verifies, or which single change would make it verify.
//!
//! Text or a capture is cut into [`input::Captured`] messages; an [`Explainer`] turns each into an [`Explanation`], a
//! plain value that is written as JSON or as text ([`render`]). What earlier messages of the same input say of versions,
//! associations and keys is used for later ones.
//!
//! Not here: TLS on the wire, which is told and not decrypted, and signatures of Kerberos, whose keys are not built yet.

mod conversation;
mod explain;
mod octets;
mod verify;

pub mod input;
pub mod material;
pub mod model;
pub mod render;

pub use explain::Explainer;
pub use material::Material;
pub use model::Explanation;
pub use verify::change_names;

use serde::Serialize;

use input::Input;
use model::Outcome;

/// Everything that is said about one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// One for each message, in order of time.
    pub messages: Vec<Explanation>,
    /// What is to be said of the input as a whole: gaps, octets that are no SIP.
    pub remarks: Vec<String>,
}

/// Explains every message of `octets`: a capture where they begin like one, else text.
///
/// # Errors
/// When the input is too large, or a capture that cannot be read at all.
pub fn decode(octets: &[u8], material: &Material) -> Result<Decoded, input::InputError> {
    let Input { messages, remarks } = input::read(octets)?;
    let mut explainer = Explainer::new(material);
    for message in &messages {
        explainer.note(message);
    }
    let messages = messages.iter().map(|message| explainer.explain(message)).collect();
    Ok(Decoded { messages, remarks })
}

/// A line of the JSON form.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Message(&'a Explanation),
    Remark { text: &'a str },
}

/// One JSON object for each message, and one for each remark on the input: `{"type":"message",...}`,
/// `{"type":"remark","text":...}`. The members of a message are those of [`Explanation`].
///
/// # Errors
/// None that is known: the model has nothing that JSON cannot hold.
pub fn json_lines(decoded: &Decoded) -> serde_json::Result<String> {
    let messages = decoded.messages.iter().map(Line::Message);
    let remarks = decoded.remarks.iter().map(|text| Line::Remark { text });
    let mut out = String::new();
    for line in messages.chain(remarks) {
        out.push_str(&serde_json::to_string(&line)?);
        out.push('\n');
    }
    Ok(out)
}

/// What came out of the signatures that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Signatures that verify.
    pub verified: usize,
    /// Signatures that do not.
    pub failed: usize,
    /// Signatures that nothing could be said about.
    pub untried: usize,
}

impl Decoded {
    /// Counts the signatures by what came out of them.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        let fields = self.messages.iter().flat_map(|message| &message.authentication);
        for outcome in fields.filter_map(|field| field.verification.as_ref()).map(|found| &found.outcome) {
            match outcome {
                Outcome::Verifies => tally.verified += 1,
                Outcome::DoesNotVerify => tally.failed += 1,
                Outcome::NotTried => tally.untried += 1,
            }
        }
        tally
    }
}
