//! `gssapi-data`: which format it has.

use sipae::auth::Scheme;

use super::{kerberos, ntlm, tls};
use crate::model::Decoding;

/// Takes a token apart, by what it begins with: a token under the wrong scheme is told.
pub(super) fn decode(scheme: Option<Scheme>, token: &[u8]) -> Decoding {
    if token.is_empty() {
        return Decoding::new("empty: the client asks for the first token of the server", token);
    }
    let (fits, decoded) = if let Some(decoded) = ntlm::decode(token) {
        (Scheme::Ntlm, decoded)
    } else if let Some(decoded) = kerberos::decode(token) {
        (Scheme::Kerberos, decoded)
    } else if let Some(decoded) = tls::decode(token) {
        (Scheme::TlsDsk, decoded)
    } else {
        return Decoding::unknown(token);
    };
    let is_other = fits == Scheme::Kerberos && kerberos::is_of_another_mechanism(token);
    let differs = scheme.filter(|scheme| *scheme != fits && !is_other);
    decoded.remark(differs.map(|scheme| format!("the scheme is {scheme}, the token is one of {fits}")))
}
