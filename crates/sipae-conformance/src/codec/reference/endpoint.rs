//! Endpoint identifiers.

use sipae::endpoint::{self, InstanceId};
use sipae_vectors::{Answer, inputs};

use super::Outcome;
use super::input::malformed;

pub(super) fn epid_uuid(inputs: &inputs::EpidUuid) -> Answer {
    Answer::new().text("uuid", InstanceId::from_epid(inputs.epid.as_bytes()).to_string())
}

pub(super) fn uuid_gruu(inputs: &inputs::UuidGruu) -> Outcome {
    let instance = InstanceId::from_uuid(inputs.uuid.as_bytes())
        .ok_or_else(|| malformed("uuid", "32 hexadecimal digits with four hyphens are needed"))?;
    Ok(Answer::new().text("gruu_epid", instance.gruu_id()))
}

pub(super) fn sipe_epid(inputs: &inputs::SipeEpid) -> Answer {
    Answer::new().text("epid", endpoint::sipe_epid(&inputs.self_uri, &inputs.hostname, &inputs.ip))
}
