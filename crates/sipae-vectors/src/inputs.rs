//! Inputs of the operations, one struct each; field names are the keys of the vector files.
//!
//! Octets are [`Hex`](crate::Hex), text is text as it stands in the message, numbers are unsigned integers.
//! Field names that end in `_hex` are so named in the files, where the same operation could also take text.
//!
//! Fields marked *cross-check* are not needed to compute: they hold the same facts a second time, in another form,
//! so that a second implementation can confirm the vector. A codec may ignore them.

mod digest;
mod encoding;
mod kerberos;
mod ntlm;
mod primitive;
mod sip;
mod tls;

pub use digest::{Digest, DigestMismatch, DigestQop};
pub use encoding::{Base16, Base64, EpidUuid, SipeEpid, UuidGruu};
pub use kerberos::{
    AesCts, BufferOf, Enctype, GssMic, GssMicParse, GssMicVerify, KrbApRep, KrbApReq, KrbDk,
    KrbStringToKeyAes, KrbStringToKeyRc4, Nfold, Sender,
};
pub use ntlm::{
    AuthenticateFields, AvPairs, ChallengeFields, DatagramRekey, KxkeyV1, Lmowfv1, Mac, MacMessage,
    MacVerify, NegotiateFields, NtlmAuthMic, NtlmExchange, NtlmFlags, NtlmKeyless, NtlmMessage,
    NtlmMessageFields, NtlmProof, Ntlmv1Response, Ntlmv2Response, Ntowfv1, Ntowfv2, Rc4k, Sealkey, Side,
    SignedText, Signkey,
};
pub use primitive::{Algorithm, HashPrimitive};
pub use sip::{
    AuthHeader, AuthWrite, BufferContext, BufferValues, ReferredBy, ReplayWindow, SipBuffer, SipMessage,
    SipNtlmSign, SipNtlmVerify,
};
pub use tls::{
    HmacHash, TlsPrf, TlsPrfFunction, TlsPrfLabel, TlsRecords, TlsdskKeys, TlsdskSign, TlsdskSigned,
    TlsdskTranscript,
};
