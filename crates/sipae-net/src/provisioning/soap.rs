//! What is said in SOAP 1.1: two requests, their answers, and what is wrong with a request.

use rcgen::date_time_ymd;
use roxmltree::Node;
use sipae::clock::Time;
use sipae::encoding::{decode_base64, encode_base64};
use sipae::message::address_of_record;
use std::time::Duration;

use super::xml::{self, attribute, child, escape};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const TRUST: &str = "http://docs.oasis-open.org/ws-sx/ws-trust/200512";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const X509: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
const SERVICES: &str = "http://schemas.microsoft.com/OCS/AuthWebServices/";
/// The operation of the certificate provisioning service.
pub(super) const GET_AND_PUBLISH: &str = "http://schemas.microsoft.com/OCS/AuthWebServices/GetAndPublishCert";
/// Longest address of a user.
const ADDRESS: usize = 255;

/// Why a request gets no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is no XML that is taken here: {0}")]
    Xml(String),
    #[error("there is no Envelope of SOAP 1.1")]
    Envelope,
    #[error("the Envelope has no Body with a {0}")]
    Body(&'static str),
    #[error("SOAPAction {0:?} is not that of GetAndPublishCert")]
    Action(String),
    #[error("RequestType {0:?} is not Issue")]
    RequestType(String),
    #[error("GetAndPublishCert has no Entity")]
    NoEntity,
    #[error("{0:?} is no sip URI of a user")]
    Entity(String),
    #[error("the header has no Security with an Assertion: a web ticket is needed")]
    NoTicket,
    #[error("the web ticket is not one of this service, or has expired")]
    UnknownTicket,
    #[error("the web ticket is for {ticket}, and not for {entity}")]
    TicketOfAnother { ticket: String, entity: String },
    #[error("there is no RequestSecurityToken with a BinarySecurityToken")]
    NoToken,
    #[error("the ValueType {0:?} of the BinarySecurityToken is not PKCS10")]
    TokenType(String),
    #[error("the BinarySecurityToken is not Base64")]
    Base64,
    #[error("the BinarySecurityToken is no PKCS#10 request")]
    NoRequest,
    #[error("the signature algorithm {0} of the PKCS#10 request is not known")]
    SignatureAlgorithm(String),
    #[error("the PKCS#10 request is not signed with its own key")]
    RequestSignature,
    #[error("no certificate can be issued: {0}")]
    Issue(String),
}

impl Fault {
    /// Who is to blame, in the words of SOAP.
    const fn code(&self) -> &'static str {
        match self {
            Self::Envelope => "VersionMismatch",
            Self::Issue(_) => "Server",
            _ => "Client",
        }
    }

    pub(super) fn envelope(&self) -> String {
        let reason = escape(&self.to_string());
        envelope(&format!(
            "<s:Fault><faultcode>s:{}</faultcode><faultstring xml:lang=\"en\">{reason}</faultstring></s:Fault>",
            self.code()
        ))
    }
}

/// What a client wants a web ticket for.
#[derive(Debug)]
pub(super) struct TicketRequest {
    /// The address of its user, where it says so.
    pub(super) entity: Option<String>,
}

impl TicketRequest {
    /// # Errors
    /// When it is no request for a web ticket.
    pub(super) fn read(root: Node<'_, '_>) -> Result<Self, Fault> {
        let request = operation(root, "RequestSecurityToken")?;
        let kind = child(request, "RequestType").map(xml::text).unwrap_or_default();
        if !kind.is_empty() && !kind.trim().ends_with("/Issue") {
            return Err(Fault::RequestType(kind));
        }
        let claim = request.descendants().find(|node| is_uri_claim(*node));
        let entity = claim.map(|claim| child(claim, "Value").map(xml::text).unwrap_or_default());
        Ok(Self { entity: entity.map(|uri| address(&uri)).transpose()? })
    }
}

fn is_uri_claim(node: Node<'_, '_>) -> bool {
    xml::is(node, "ClaimType") && attribute(node, "Uri").is_some_and(|uri| uri.ends_with("/claims/uri"))
}

/// A request for a certificate.
#[derive(Debug)]
pub(super) struct CertificateRequest {
    /// The address of the user.
    pub(super) entity: String,
    /// The AssertionID of its web ticket.
    pub(super) ticket: String,
    /// The PKCS#10 request.
    pub(super) request: Vec<u8>,
}

impl CertificateRequest {
    /// # Errors
    /// When it is no request for a certificate.
    pub(super) fn read(root: Node<'_, '_>) -> Result<Self, Fault> {
        let request = operation(root, "GetAndPublishCert")?;
        let entity = address(attribute(request, "Entity").ok_or(Fault::NoEntity)?)?;
        let security = child(root, "Header").and_then(|header| child(header, "Security"));
        let assertion = security.and_then(|security| child(security, "Assertion"));
        let ticket = assertion.and_then(|assertion| attribute(assertion, "AssertionID"));
        let ticket = ticket.ok_or(Fault::NoTicket)?.to_owned();
        Ok(Self { entity, ticket, request: token(request)? })
    }
}

/// Whom a request for a certificate is for, right or wrong, for the record.
pub(super) fn claimed_entity(root: Node<'_, '_>) -> Option<String> {
    let body = child(root, "Body")?;
    attribute(child(body, "GetAndPublishCert")?, "Entity").map(str::to_owned)
}

fn token(request: Node<'_, '_>) -> Result<Vec<u8>, Fault> {
    let token = child(request, "RequestSecurityToken").and_then(|token| child(token, "BinarySecurityToken"));
    let token = token.ok_or(Fault::NoToken)?;
    let kind = attribute(token, "ValueType").unwrap_or_default();
    if !kind.ends_with("#PKCS10") {
        return Err(Fault::TokenType(kind.to_owned()));
    }
    let text: Vec<u8> = xml::text(token).bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    decode_base64(&text).ok_or(Fault::Base64)
}

/// The element that a request consists of.
fn operation<'a, 'i>(root: Node<'a, 'i>, name: &'static str) -> Result<Node<'a, 'i>, Fault> {
    if !root.has_tag_name((SOAP, "Envelope")) {
        return Err(Fault::Envelope);
    }
    child(root, "Body").and_then(|body| child(body, name)).ok_or(Fault::Body(name))
}

/// The address in a sip URI, without scheme and parameters.
fn address(uri: &str) -> Result<String, Fault> {
    let no_user = || Fault::Entity(uri.to_owned());
    let address = address_of_record(uri.trim().as_bytes()).and_then(|octets| str::from_utf8(octets).ok());
    let address = address.filter(|address| address.len() <= ADDRESS).ok_or_else(no_user)?;
    let (user, host) = address.split_once('@').ok_or_else(no_user)?;
    let is_user = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,/%".contains(&octet);
    let is_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-.".contains(&octet);
    let is_whole = !user.is_empty() && !host.is_empty();
    if is_whole && user.bytes().all(is_user) && host.bytes().all(is_host) {
        Ok(address.to_owned())
    } else {
        Err(no_user())
    }
}

/// A web ticket, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) id: String,
    pub(super) entity: Option<String>,
    pub(super) created: Time,
    pub(super) expires: Time,
}

impl Ticket {
    /// The answer that hands it out; `issuer` and `audience` are the URLs of the two services.
    pub(super) fn envelope(&self, issuer: &str, audience: &str) -> String {
        let (created, expires) = (instant(self.created), instant(self.expires));
        let name =
            escape(&self.entity.as_ref().map_or("anybody".to_owned(), |address| format!("sip:{address}")));
        let (id, issuer, audience) = (escape(&self.id), escape(issuer), escape(audience));
        // The namespace of the assertion stands on it, since clients copy it into another document.
        envelope(&format!(
            "<t:RequestSecurityTokenResponseCollection xmlns:t=\"{TRUST}\"><t:RequestSecurityTokenResponse>\
             <t:TokenType>urn:oasis:names:tc:SAML:1.0:assertion</t:TokenType>\
             <t:Lifetime><u:Created xmlns:u=\"{UTILITY}\">{created}</u:Created>\
             <u:Expires xmlns:u=\"{UTILITY}\">{expires}</u:Expires></t:Lifetime>\
             <t:RequestedSecurityToken>\
             <Assertion xmlns=\"urn:oasis:names:tc:SAML:1.0:assertion\" MajorVersion=\"1\" MinorVersion=\"1\" \
             AssertionID=\"{id}\" Issuer=\"{issuer}\" IssueInstant=\"{created}\">\
             <Conditions NotBefore=\"{created}\" NotOnOrAfter=\"{expires}\"><AudienceRestrictionCondition>\
             <Audience>{audience}</Audience></AudienceRestrictionCondition></Conditions>\
             <AuthenticationStatement AuthenticationMethod=\"urn:oasis:names:tc:SAML:1.0:am:unspecified\" \
             AuthenticationInstant=\"{created}\"><Subject><NameIdentifier>{name}</NameIdentifier></Subject>\
             </AuthenticationStatement></Assertion></t:RequestedSecurityToken>\
             </t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection>"
        ))
    }
}

/// The answer that hands out a certificate.
pub(super) fn certificate(entity: &str, der: &[u8]) -> String {
    let (entity, certificate) = (escape(entity), encode_base64(der));
    envelope(&format!(
        "<GetAndPublishCertResponse xmlns=\"{SERVICES}\" Entity=\"sip:{entity}\">\
         <t:RequestSecurityTokenResponse xmlns:t=\"{TRUST}\"><t:RequestedSecurityToken>\
         <w:BinarySecurityToken xmlns:w=\"{SECURITY}\" ValueType=\"{X509}\">{certificate}</w:BinarySecurityToken>\
         </t:RequestedSecurityToken></t:RequestSecurityTokenResponse></GetAndPublishCertResponse>"
    ))
}

/// What tells a client where to get a web ticket, and where to bring it.
pub(super) fn provisioning_description(ticket_service: &str, location: &str) -> String {
    let name = "CertProvisioningServiceWebTicketProof_SHA1";
    let (ticket_service, location) = (escape(ticket_service), escape(location));
    // Known clients look for Id without regard to its namespace; the standard has it in one.
    let policy = format!(
        "<p:Policy xmlns:p=\"http://schemas.xmlsoap.org/ws/2004/09/policy\" xmlns:u=\"{UTILITY}\" \
         xmlns:sp=\"http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702\" Id=\"{name}_policy\" u:Id=\"{name}_policy\">\
         <p:ExactlyOne><p:All><sp:SignedSupportingTokens><p:Policy><sp:IssuedToken><sp:Issuer>\
         <Address xmlns=\"http://www.w3.org/2005/08/addressing\">{ticket_service}</Address>\
         </sp:Issuer></sp:IssuedToken></p:Policy></sp:SignedSupportingTokens></p:All></p:ExactlyOne></p:Policy>"
    );
    description("CertProvisioningService", &policy, name, &location)
}

/// What tells a client where to ask for a web ticket.
pub(super) fn ticket_description(location: &str) -> String {
    description("WebTicketService", "", "WebTicketServiceWinNegotiate", &escape(location))
}

fn description(service: &str, policy: &str, port: &str, location: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <w:definitions xmlns:w=\"http://schemas.xmlsoap.org/wsdl/\" name=\"{service}\">{policy}\
         <w:service name=\"{service}\"><w:port name=\"{port}\">\
         <s:address xmlns:s=\"http://schemas.xmlsoap.org/wsdl/soap/\" location=\"{location}\"/>\
         </w:port></w:service></w:definitions>"
    )
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{SOAP}\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// ISO 8601, in whole seconds.
fn instant(time: Time) -> String {
    let at = date_time_ymd(1970, 1, 1) + Duration::from_secs(time.0 / 1000);
    let (date, time) = ((at.year(), u8::from(at.month()), at.day()), at.to_hms());
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", date.0, date.1, date.2, time.0, time.1, time.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sip_uri_of_a_user_is_an_entity() {
        for (uri, expected) in [
            ("sip:alice@contoso.com", "alice@contoso.com"),
            (" SIP:Alice@contoso.com;opaque=user:epid:a ", "Alice@contoso.com"),
            ("sips:o'hara+1@contoso.com?a=b", "o'hara+1@contoso.com"),
        ] {
            assert_eq!(address(uri).expect(uri), expected);
        }
        let long = format!("sip:{}@contoso.com", "a".repeat(ADDRESS));
        for uri in [
            "",
            "alice@contoso.com",
            "sip:alice",
            "sip:@contoso.com",
            "sip:alice@",
            "sip:a@b@c",
            "tel:1",
            &long,
            "sip:al ice@contoso.com",
            "sip:<a>@contoso.com",
            "sip:älice@contoso.com",
            "sip:alice@con_toso",
        ] {
            assert!(matches!(address(uri), Err(Fault::Entity(_))), "{uri}");
        }
    }

    #[test]
    fn an_instant_is_written_in_iso_8601() {
        assert_eq!(instant(Time(1_709_208_005_999)), "2024-02-29T12:00:05Z");
    }
}
