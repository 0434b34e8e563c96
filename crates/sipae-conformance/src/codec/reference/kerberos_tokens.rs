//! Kerberos tokens of `gssapi-data`, opened with the key that they are for (RFC 4120 5.5, RFC 4121 4.1).

use sipae::kerberos::{
    ApRep, ApReq, Authenticator, EncApRepPart, EncTicketPart, EncryptionKey, GssChecksum, KerberosError, Key,
    TokenId,
};
use sipae_vectors::{Answer, Refusal, inputs};

use super::Outcome;
use super::input::malformed;
use super::kerberos_keys::{etype, key};

fn wrong_token(error: KerberosError) -> Refusal {
    malformed("token", error)
}

pub(super) fn ap_req(inputs: &inputs::KrbApReq) -> Outcome {
    let etype = etype(inputs.enctype)?;
    let service_key = Key::from_password(etype, &inputs.service_password, &inputs.service_salt);
    open(inputs.token.as_slice(), &service_key).map_err(wrong_token)
}

fn open(token: &[u8], service_key: &Key) -> Result<Answer, KerberosError> {
    let request = ApReq::read(token)?;
    let EncTicketPart { session_key, client, .. } = request.ticket.decrypt(service_key)?;
    let authenticator = request.decrypt_authenticator(&session_key.key("session key")?)?;
    let answer = Answer::new()
        .hex("service_key", service_key.octets())
        .hex("token_id", &TokenId::ApReq.number().to_be_bytes())
        .value("ticket_etype", request.ticket.encrypted.etype)
        .text("sname", request.ticket.service.name())
        .text("realm", request.ticket.service.realm)
        .text("client", client.name())
        .text("client_realm", client.realm)
        .value("session_keytype", session_key.etype)
        .hex("session_key", &session_key.octets)
        .flag("mutual_required", request.options & ApReq::MUTUAL_REQUIRED != 0);
    with_authenticator(answer, &authenticator)
}

fn with_authenticator(answer: Answer, authenticator: &Authenticator) -> Result<Answer, KerberosError> {
    let GssChecksum { flags, .. } = GssChecksum::read(authenticator.checksum.as_ref())?;
    let answer = answer
        .text("authenticator_client", authenticator.client.name())
        .number("checksum_type", GssChecksum::KIND.unsigned_abs())
        .number("gss_flags", flags.0)
        .text("ctime", authenticator.ctime.to_string())
        .value("seq", authenticator.sequence);
    Ok(with_subkey(answer, authenticator.subkey.as_ref()))
}

fn with_subkey(answer: Answer, subkey: Option<&EncryptionKey>) -> Answer {
    answer
        .value("subkey_type", subkey.map(|key| key.etype))
        .hex_or_null("subkey", subkey.map(|key| key.octets.as_slice()))
}

pub(super) fn ap_rep(inputs: &inputs::KrbApRep) -> Outcome {
    let session_key = key("session_key", etype(inputs.enctype)?, &inputs.session_key)?;
    let reply = ApRep::read(inputs.token.as_slice()).and_then(|reply| reply.decrypt(&session_key));
    let EncApRepPart { ctime, subkey, sequence, .. } = reply.map_err(wrong_token)?;
    let answer = Answer::new()
        .hex("token_id", &TokenId::ApRep.number().to_be_bytes())
        .text("ctime", ctime.to_string())
        .value("seq", sequence);
    Ok(with_subkey(answer, subkey.as_ref()))
}
