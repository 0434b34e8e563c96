//! One signed REGISTER, as a Lync client sends it, for whoever measures reading and verifying.

use sipae::auth::AuthHeader;
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::message::{HeaderName, Message, MessageError};
use sipae::ntlm::{DatagramMac, NegotiateFlags, SessionKeys};
use sipae::side::Side;
use sipae::version::Version;

/// 850 octets, of which 204 are the Authorization header field.
pub const REGISTER: &[u8] = concat!(
    "REGISTER sip:contoso.com SIP/2.0\r\n",
    "Via: SIP/2.0/TLS 192.0.2.1:49152;branch=z9hG4bK7f3a91c204\r\n",
    "Max-Forwards: 70\r\n",
    "From: <sip:alice@contoso.com>;tag=4a2b44d131;epid=01010101\r\n",
    "To: <sip:alice@contoso.com>\r\n",
    "Call-ID: d5f2b95d5be64c2cbfb38aa5d3a87ae7\r\n",
    "CSeq: 3 REGISTER\r\n",
    "Contact: <sip:192.0.2.1:49152;transport=tls>;proxy=replace;",
    "+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\"\r\n",
    "User-Agent: UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)\r\n",
    "Supported: gruu-10, adhoclist, msrtc-event-categories\r\n",
    "Supported: ms-userservices-state-notification\r\n",
    "ms-keep-alive: UAC;hop-hop=yes\r\n",
    "Event: registration\r\n",
    "Expires: 7200\r\n",
    "Authorization: NTLM qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"357E6F72\", ",
    "targetname=\"server.contoso.com\", crand=\"1badb002\", cnum=\"3\", ",
    "response=\"0100000063a0e140122159d864000000\", version=4\r\n",
    "Content-Length: 0\r\n",
    "\r\n",
)
.as_bytes();

const _: () = assert!(REGISTER.len() == 850);

/// The version of its security association.
pub const VERSION: Version = Version::V4;

/// What has signed it, under an arbitrary key.
#[must_use]
pub fn mac(flags: NegotiateFlags) -> Option<DatagramMac> {
    DatagramMac::for_sip(&SessionKeys::new(flags, [0x55; 16], 0x0F), Side::Client)
}

/// Everything that its signature covers: four header fields, the credential, the identities.
///
/// # Errors
/// None for [`REGISTER`].
pub fn signed<'a>(message: &Message<'a>) -> Result<SignatureBuffer<'a>, MessageError> {
    let credential = message.first(HeaderName::Authorization).unwrap_or_default();
    let params = SignatureParams::of(&AuthHeader::read(credential), Side::Client);
    SignatureBuffer::new(message, &params, VERSION)
}

#[cfg(test)]
mod tests {
    use sipae::auth::AuthParam;
    use sipae::message::Limits;

    use super::*;

    #[test]
    fn the_signature_of_the_register_is_good() {
        let message = Message::parse(REGISTER, &Limits::DEFAULT).expect("a message");
        let credential = AuthHeader::read(message.first(HeaderName::Authorization).expect("a credential"));
        assert_eq!((credential.malformed(), credential.findings()), (None, vec![]));
        let buffer = signed(&message).expect("a buffer").to_vec();
        let mac = mac(NegotiateFlags::SERVER).expect("a signing context");
        let response = credential.get(AuthParam::Response).expect("a signature");
        let expected = sipae::encoding::encode_base16(&mac.sign(&buffer));
        assert_eq!(response.to_text(), expected);
    }
}
