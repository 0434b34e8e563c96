//! The cases of codecs: one for each golden vector, and the generated properties.

use std::sync::OnceLock;

use sipae_events::CaseId;
use sipae_spec::{Requirement, Role};
use sipae_vectors::{Vector, VectorFile, golden};

use super::property::{PROPERTIES, Property};
use super::rows;

/// One check of a codec, tied to the requirements that it shows.
#[derive(Debug)]
pub struct CodecCase {
    id: CaseId,
    title: String,
    requirements: Vec<&'static str>,
    check: Check,
}

/// What is put to a codec.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    /// A golden vector.
    Vector(&'static Vector),
    /// Generated inputs.
    Generated(&'static Property),
}

/// All cases, those of the vectors first.
pub fn cases() -> &'static [CodecCase] {
    static CASES: OnceLock<Vec<CodecCase>> = OnceLock::new();
    CASES.get_or_init(|| {
        let vectors = golden().iter().flat_map(|file| file.vectors.iter().map(move |vector| (file, vector)));
        let vectors = vectors.filter_map(|(file, vector)| CodecCase::of_vector(file, vector));
        vectors.chain(PROPERTIES.iter().filter_map(CodecCase::of_property)).collect()
    })
}

impl CodecCase {
    fn of_vector(file: &VectorFile, vector: &'static Vector) -> Option<Self> {
        let requirements = rows::of(&file.family, vector);
        let about = if vector.note.is_empty() { &vector.source } else { &vector.note };
        let name = format!("{}/{}", file.family, vector.id);
        let title = format!("{}: {about}", vector.operation.name());
        Self::new(&name, title, requirements, Check::Vector(vector))
    }

    fn of_property(property: &'static Property) -> Option<Self> {
        let name = format!("generated/{}", property.name);
        Self::new(&name, property.title.to_owned(), property.rows.to_vec(), Check::Generated(property))
    }

    /// None where no row is known, or the name is none: a test sees that there are none of these.
    fn new(name: &str, title: String, requirements: Vec<&'static str>, check: Check) -> Option<Self> {
        let section = Requirement::get(requirements.first()?)?.section_number();
        let name = name.to_ascii_lowercase().replace(['_', ':'], "-");
        let id = CaseId::new(format!("{section}/{name}")).ok()?;
        Some(Self { id, title, requirements, check })
    }

    /// Stable name: the section first, then the family and id of the vector.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// The name as events carry it.
    #[must_use]
    pub const fn case_id(&self) -> &CaseId {
        &self.id
    }

    /// What a right codec answers, as a statement.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Ids of the rows that it judges.
    #[must_use]
    pub fn requirements(&self) -> &[&'static str] {
        &self.requirements
    }

    /// The role of the target.
    #[must_use]
    pub const fn role(&self) -> Role {
        Role::Codec
    }

    /// What is put to the codec.
    pub(super) const fn check(&self) -> Check {
        self.check
    }

    /// Whether the inputs break a rule of the grammar, so that no answer to them is wrong.
    #[must_use]
    pub const fn is_lenient(&self) -> bool {
        matches!(self.check, Check::Vector(vector) if vector.lenient)
    }

    /// The name of the operation.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self.check {
            Check::Vector(vector) => vector.operation.name(),
            Check::Generated(property) => property.op,
        }
    }

    /// The scheme that it is about; `SIP` where it is about all of them.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        scheme(self.operation())
    }

    /// The request in words, for people: the operation and its inputs as JSON.
    #[must_use]
    pub fn request(&self) -> String {
        match self.check {
            Check::Vector(vector) => serde_json::to_string(&vector.operation).unwrap_or_default(),
            Check::Generated(property) => format!("{} generated {} operations", property.trials, property.op),
        }
    }
}

fn scheme(op: &str) -> &'static str {
    let tables = [(DIGEST, "Digest"), (KERBEROS, "Kerberos"), (TLS_DSK, "TLS-DSK"), (NEUTRAL, "SIP")];
    tables.into_iter().find(|(ops, _)| ops.contains(&op)).map_or("NTLM", |(_, scheme)| scheme)
}

/// Operations of TLS-DSK.
const TLS_DSK: &[&str] = &["tls_prf", "tls_records", "tlsdsk_keys", "tlsdsk_sign", "tlsdsk_transcript"];

/// Operations of Digest.
const DIGEST: &[&str] = &["digest", "digest_mismatch"];

/// Operations of no scheme.
const NEUTRAL: &[&str] = &[
    "auth_header",
    "auth_write",
    "base16",
    "base64",
    "epid_uuid",
    "hash_primitive",
    "referred_by",
    "replay_window",
    "sip_buffer",
    "sip_message",
    "sipe_epid",
    "uuid_gruu",
];

const KERBEROS: &[&str] = &[
    "aes_cts",
    "gss_mic",
    "gss_mic_parse",
    "gss_mic_verify",
    "krb_ap_rep",
    "krb_ap_req",
    "krb_dk",
    "krb_string_to_key_aes",
    "krb_string_to_key_rc4",
    "nfold",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_vector_and_every_property_is_a_case_with_a_name_of_its_own() {
        let vectors: usize = golden().iter().map(|file| file.vectors.len()).sum();
        assert_eq!(cases().len(), vectors + PROPERTIES.len());
        let ids: BTreeSet<_> = cases().iter().map(CodecCase::id).collect();
        assert_eq!(ids.len(), cases().len());
    }

    #[test]
    fn every_row_of_a_case_is_in_the_catalogue() {
        for case in cases() {
            assert!(!case.requirements().is_empty(), "{}", case.id());
            case.requirements().iter().for_each(|row| assert!(Requirement::get(row).is_some(), "{row}"));
        }
    }
}
