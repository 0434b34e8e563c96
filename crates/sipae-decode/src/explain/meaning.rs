//! What the parameters of authentication header fields are for.

use sipae::auth::{AuthHeader, AuthParam, Scheme};

/// One line for a parameter.
pub(super) fn meaning(header: &AuthHeader<'_>, param: Option<AuthParam>) -> &'static str {
    let Some(param) = param else { return "unknown: to be ignored" };
    if header.scheme() == Some(Scheme::Digest) {
        return of_digest(param);
    }
    match param {
        AuthParam::Qop => "quality of protection: always auth",
        AuthParam::Realm => "protection domain, signed",
        AuthParam::Opaque => "name of the security association, chosen by the server",
        AuthParam::Targetname => "the server that authenticates, signed",
        AuthParam::Version => {
            "version of the protocol: 3 or 4, and 2 where it is absent and nothing else is known"
        }
        AuthParam::GssapiData => "security token, Base64",
        AuthParam::StsUri => "where certificates for TLS-DSK are to be had",
        AuthParam::Crand => "salt of the client, signed as written",
        AuthParam::Cnum => "sequence number of the client, signed as written",
        AuthParam::Response => "signature of the client, hexadecimal",
        AuthParam::Srand => "salt of the server, signed as written",
        AuthParam::Snum => "sequence number of the server, signed as written",
        AuthParam::Rspauth => "signature of the server, hexadecimal",
        _ => "of Digest: to be ignored",
    }
}

const fn of_digest(param: AuthParam) -> &'static str {
    match param {
        AuthParam::Realm => "protection domain",
        AuthParam::Nonce => "number of the server, used once",
        AuthParam::Cnonce => "number of the client, used once",
        AuthParam::Nc => "how often the nonce was used, hexadecimal",
        AuthParam::Uri => "the URI that is asked for",
        AuthParam::Username => "who asks",
        AuthParam::Response => "proof of the password",
        AuthParam::Algorithm => "hash function",
        AuthParam::Qop => "quality of protection",
        AuthParam::Opaque => "repeated as it is",
        AuthParam::Stale => "whether only the nonce is too old",
        AuthParam::Domain => "URIs that are protected",
        _ => "not of Digest",
    }
}
