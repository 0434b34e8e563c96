//! Verifying the messages of a security association: signatures, and the window.

use sipae::auth::{AuthHeader, Scheme};
use sipae::message::{HeaderName, Limits, Message};
use sipae::ntlm::{DatagramMac, MacOptions};
use sipae::sa::{Context, Parameters, ReplayWindow, SecurityAssociation};
use sipae::side::Side;
use sipae::version::Version;
use sipae_vectors::{Answer, Refusal, inputs};

use super::Outcome;
use super::input::malformed;
use super::ntlm_keys::mode;
use super::ntlm_mac::Keys;

pub(super) fn replay_window(inputs: &inputs::ReplayWindow) -> Answer {
    let mut window = ReplayWindow::default();
    let accepted: Vec<bool> = inputs.numbers.iter().map(|number| window.accept(*number).is_ok()).collect();
    Answer::new().value("accepted", accepted)
}

pub(super) fn sip_ntlm_verify(inputs: &inputs::SipNtlmVerify) -> Outcome {
    let mut association = association(inputs)?;
    let signer = mode(inputs.signer);
    let outcomes: Vec<&str> =
        inputs.messages.iter().map(|message| outcome(&mut association, signer, message.as_bytes())).collect();
    Ok(Answer::new().value("outcomes", outcomes))
}

/// The association as the verifier has it. Nothing is signed with it: the keys of the other direction play no part.
fn association(inputs: &inputs::SipNtlmVerify) -> Result<SecurityAssociation, Refusal> {
    let scheme = Scheme::from_octets(inputs.scheme.as_bytes())
        .ok_or_else(|| malformed("scheme", format_args!("{:?} names no scheme", inputs.scheme)))?;
    let version = Version::from_number(inputs.version.into())
        .ok_or_else(|| malformed("version", format_args!("{} is none of 2, 3 and 4", inputs.version)))?;
    let mac = mac(inputs)?;
    let context = Context::Ntlm { client: mac.clone(), server: mac };
    let parameters = Parameters {
        scheme,
        realm: inputs.realm.clone().into_bytes(),
        targetname: inputs.targetname.clone().into_bytes(),
        version,
    };
    Ok(SecurityAssociation::new(parameters, Vec::new(), mode(inputs.signer).peer(), context))
}

fn mac(inputs: &inputs::SipNtlmVerify) -> Result<DatagramMac, Refusal> {
    let options =
        MacOptions { extended: inputs.extended_session_security, key_exchange: inputs.key_exchange };
    Keys::for_sip(options, inputs.sign_key.as_ref(), &inputs.seal_key)?.datagram()
}

fn outcome(association: &mut SecurityAssociation, signer: Side, octets: &[u8]) -> &'static str {
    let Ok(message) = Message::parse(octets, &Limits::DEFAULT) else { return "refused" };
    let fitting = signatures(&message, signer).find(|header| association.parameters.fit(header));
    let Some(header) = fitting else { return "refused" };
    match association.verify_signature(&message, &header) {
        Err(_) => "refused",
        Ok(_) if association.verify(&message, &header).is_ok() => "accepted",
        Ok(_) => "replayed",
    }
}

/// The header fields of this side's signatures; a challenge may carry one too ([MS-SIPAE] 3.3.5.3).
fn signatures<'m>(message: &Message<'m>, signer: Side) -> impl Iterator<Item = AuthHeader<'m>> {
    let names = match signer {
        Side::Client => HeaderName::CREDENTIALS.to_vec(),
        Side::Server => [HeaderName::SIGNATURES, HeaderName::CHALLENGES].concat(),
    };
    let values: Vec<_> = names.into_iter().flat_map(|name| message.all(name)).collect();
    values.into_iter().map(AuthHeader::read).filter(move |header| header.get(signer.signature()).is_some())
}
