//! Digest (RFC 2617, RFC 7616): responses, and whether a claimed one is right.

use sipae::digest::{Algorithm, Calculation, Login, Qop};
use sipae::encoding::encode_base16;
use sipae_vectors::inputs::{self, DigestQop};
use sipae_vectors::{Answer, Hex, Refusal};

use super::Outcome;
use super::input::malformed;

pub(super) fn digest(inputs: &inputs::Digest) -> Outcome {
    let calculation = calculation(inputs)?;
    let answer = Answer::new()
        .text("ha1", calculation.ha1())
        .text("ha2", calculation.ha2())
        .text("response", calculation.response());
    with_userhash(with_rspauth(answer, inputs, &calculation)?, inputs, &calculation)
}

pub(super) fn mismatch(inputs: &inputs::DigestMismatch) -> Outcome {
    let claimed = encode_base16(inputs.claimed_response.as_slice());
    if inputs.qop == Some(DigestQop::AuthInt) {
        return Err(Refusal::Unsupported("auth-int needs a body, and this operation has none".to_owned()));
    }
    let inputs::DigestMismatch {
        algorithm,
        username,
        realm,
        password,
        nonce,
        method,
        uri,
        qop,
        nc,
        cnonce,
        claimed_response: _,
    } = inputs.clone();
    let inputs = inputs::Digest {
        algorithm,
        username,
        realm,
        password,
        nonce,
        method,
        uri,
        qop,
        nc,
        cnonce,
        body_hex: None,
        want_rspauth: false,
        rsp_body_hex: None,
        userhash_of: None,
    };
    Ok(Answer::new().flag("matches", calculation(&inputs)?.response() == claimed))
}

fn calculation(inputs: &inputs::Digest) -> Result<Calculation<'_>, Refusal> {
    let algorithm = Algorithm::from_octets(inputs.algorithm.as_bytes())
        .ok_or_else(|| Refusal::Unsupported(format!("algorithm {:?}", inputs.algorithm)))?;
    let qop = inputs.qop.map(|qop| match qop {
        DigestQop::Auth => Qop::Auth,
        DigestQop::AuthInt => Qop::AuthInt,
    });
    Ok(Calculation {
        algorithm,
        login: Login { username: inputs.username.as_bytes(), password: inputs.password.as_bytes() },
        realm: inputs.realm.as_bytes(),
        nonce: inputs.nonce.as_bytes(),
        cnonce: needed("cnonce", inputs.cnonce.as_deref(), qop.is_some() || algorithm.is_session())?,
        nc: needed("nc", inputs.nc.as_deref(), qop.is_some())?,
        qop,
        method: inputs.method.as_bytes(),
        uri: inputs.uri.as_bytes(),
        body: body("body_hex", inputs.body_hex.as_ref(), qop)?,
    })
}

fn needed<'a>(name: &str, value: Option<&'a str>, is_needed: bool) -> Result<&'a [u8], Refusal> {
    match value {
        None if is_needed => Err(malformed(name, "missing, and the response needs it")),
        value => Ok(value.unwrap_or_default().as_bytes()),
    }
}

fn body<'a>(name: &str, body: Option<&'a Hex>, qop: Option<Qop>) -> Result<&'a [u8], Refusal> {
    match body {
        None if qop == Some(Qop::AuthInt) => Err(malformed(name, "missing, and auth-int needs it")),
        body => Ok(body.map(Hex::as_slice).unwrap_or_default()),
    }
}

fn with_rspauth(answer: Answer, inputs: &inputs::Digest, calculation: &Calculation<'_>) -> Outcome {
    if !inputs.want_rspauth {
        return Ok(answer);
    }
    let body = body("rsp_body_hex", inputs.rsp_body_hex.as_ref(), calculation.qop)?;
    Ok(answer.text("rspauth", calculation.rspauth(body)))
}

fn with_userhash(answer: Answer, inputs: &inputs::Digest, calculation: &Calculation<'_>) -> Outcome {
    let Some(username) = &inputs.userhash_of else { return Ok(answer) };
    let login = Login { username: username.as_bytes(), ..calculation.login };
    Ok(answer.text("userhash", Calculation { login, ..*calculation }.userhash()))
}
