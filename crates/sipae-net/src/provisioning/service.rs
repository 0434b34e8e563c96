//! What is answered to whom, and the record of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use roxmltree::Node;
use sipae::clock::{Entropy, Time};
use sipae::encoding::encode_base16;

use super::http::{Request, Response};
use super::pkcs10::proven_key;
use super::soap::{self, CertificateRequest, Fault, GET_AND_PUBLISH, Ticket, TicketRequest};
use super::xml;
use crate::system_time;
use crate::tls_dsk::{Authority, Validity};

/// Where `sts-uri` leads.
const PROVISIONING: &str = "/CertProv/CertProvisioningService.svc";
/// Where certificates are asked for: only who has read the description knows.
const CERTIFICATES: &str = "/CertProv/CertProvisioningService.svc/WebTicket_Proof_SHA1";
/// The issuer of web tickets.
const WEB_TICKET: &str = "/WebTicket/WebTicketService.svc";
/// Where web tickets are asked for.
const TICKETS: &str = "/WebTicket/WebTicketService.svc/WinNegotiate";
/// What describes a service stands behind its path.
const DESCRIPTION: &str = "/mex";

/// Requests and web tickets that are remembered.
const REMEMBERED: usize = 1024;
/// What is remembered of a text that a client has sent.
const TEXT: usize = 256;
const TICKET_LIFETIME: Duration = Duration::from_hours(8);
const CERTIFICATE_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// How far the clock of a client may be behind.
const SKEW: Duration = Duration::from_hours(1);

/// What a client does on its way to a certificate, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProvisioningStep {
    /// It reads where web tickets and certificates are to be had.
    Description,
    /// It reads where to ask for a web ticket.
    TicketDescription,
    /// It asks for a web ticket.
    Ticket,
    /// It asks for a certificate.
    Certificate,
}

impl ProvisioningStep {
    /// All of them, in the order of a client that does it right.
    pub const ALL: [Self; 4] = [Self::Description, Self::TicketDescription, Self::Ticket, Self::Certificate];

    fn of(path: &str) -> Option<Self> {
        // The paths of the products do not distinguish cases.
        let is = |known: &str| path.eq_ignore_ascii_case(known);
        match path {
            _ if is(CERTIFICATES) => Some(Self::Certificate),
            _ if is(TICKETS) => Some(Self::Ticket),
            _ if is(&described(PROVISIONING)) => Some(Self::Description),
            _ if is(&described(WEB_TICKET)) => Some(Self::TicketDescription),
            _ => None,
        }
    }

    const fn is_read(self) -> bool {
        matches!(self, Self::Description | Self::TicketDescription)
    }
}

impl fmt::Display for ProvisioningStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Description => "description of the provisioning service",
            Self::TicketDescription => "description of the web ticket service",
            Self::Ticket => "web ticket",
            Self::Certificate => "certificate",
        })
    }
}

fn described(path: &str) -> String {
    format!("{path}{DESCRIPTION}")
}

/// A request as the service remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was asked for; `None`: nothing that is here, or nothing that could be read.
    pub step: Option<ProvisioningStep>,
    /// Whom it was for, as it was written, or its beginning.
    pub entity: Option<String>,
    /// The status of the answer; `None`: there was none.
    pub status: Option<u16>,
    /// What was wrong.
    pub problem: Option<String>,
}

pub(super) struct Service {
    authority: Arc<Authority>,
    /// Scheme, host and port.
    base: String,
    validity: Option<Validity>,
    memory: Mutex<Memory>,
}

struct Memory {
    entropy: Box<dyn Entropy + Send>,
    tickets: VecDeque<Ticket>,
    asked: VecDeque<Asked>,
}

impl Service {
    pub(super) fn new(
        authority: Arc<Authority>,
        base: String,
        validity: Option<Validity>,
        entropy: Box<dyn Entropy + Send>,
    ) -> Self {
        let memory = Memory { entropy, tickets: VecDeque::new(), asked: VecDeque::new() };
        Self { authority, base, validity, memory: Mutex::new(memory) }
    }

    pub(super) fn uri(&self) -> String {
        self.url(PROVISIONING)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.memory().asked.iter().cloned().collect()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what did not become a request.
    pub(super) fn note_failure(&self, status: Option<u16>, problem: &str) {
        self.note(Asked { step: None, entity: None, status, problem: Some(problem.to_owned()) });
    }

    fn note(&self, asked: Asked) {
        let shortened = |text: String| text.chars().take(TEXT).collect();
        let asked =
            Asked { entity: asked.entity.map(shortened), problem: asked.problem.map(shortened), ..asked };
        remember(&mut self.memory().asked, asked);
    }

    /// Answers, and remembers it.
    pub(super) fn answer(&self, request: &Request) -> Response {
        let step = ProvisioningStep::of(&request.path);
        let mut entity = None;
        let answer = match step {
            None => Err(Declined::NotFound(format!("{} {}", request.method, request.path))),
            Some(step) => self.answer_step(step, request, &mut entity),
        };
        let (response, problem) = match answer {
            Ok(body) => (Response::xml(200, body), None),
            Err(declined) => (declined.response(), Some(declined.to_string())),
        };
        self.note(Asked { step, entity, status: Some(response.status), problem });
        response
    }

    fn answer_step(
        &self,
        step: ProvisioningStep,
        request: &Request,
        entity: &mut Option<String>,
    ) -> Result<String, Declined> {
        let methods: &[&str] = if step.is_read() { &["GET", "HEAD"] } else { &["POST"] };
        if !methods.contains(&request.method.as_str()) {
            return Err(Declined::Method(request.method.clone(), step.is_read()));
        }
        match step {
            ProvisioningStep::Description => {
                Ok(soap::provisioning_description(&self.url(WEB_TICKET), &self.url(CERTIFICATES)))
            }
            ProvisioningStep::TicketDescription => Ok(soap::ticket_description(&self.url(TICKETS))),
            ProvisioningStep::Ticket => with_xml(request, |root| self.issue_ticket(root, entity)),
            ProvisioningStep::Certificate => with_xml(request, |root| {
                check_action(request)?;
                self.issue_certificate(root, entity)
            }),
        }
    }

    fn issue_ticket(&self, root: Node<'_, '_>, entity: &mut Option<String>) -> Result<String, Fault> {
        let request = TicketRequest::read(root)?;
        entity.clone_from(&request.entity);
        let ticket = self.ticket(request.entity, system_time());
        Ok(ticket.envelope(&self.url(WEB_TICKET), &self.uri()))
    }

    fn ticket(&self, entity: Option<String>, now: Time) -> Ticket {
        let mut memory = self.memory();
        let mut number = [0; 16];
        memory.entropy.fill(&mut number);
        let id = format!("SamlSecurityToken-{}", encode_base16(&number));
        let ticket = Ticket { id, entity, created: now, expires: now.plus(TICKET_LIFETIME) };
        remember(&mut memory.tickets, ticket.clone());
        ticket
    }

    fn issue_certificate(&self, root: Node<'_, '_>, entity: &mut Option<String>) -> Result<String, Fault> {
        *entity = soap::claimed_entity(root);
        let request = CertificateRequest::read(root)?;
        self.check_ticket(&request)?;
        let key = proven_key(&request.request)?;
        let validity = self.validity.unwrap_or_else(|| validity(system_time()));
        let issued = self.authority.certify(&request.entity, validity, key);
        let der = issued.map_err(|error| Fault::Issue(error.to_string()))?;
        Ok(soap::certificate(&request.entity, &der))
    }

    fn check_ticket(&self, request: &CertificateRequest) -> Result<(), Fault> {
        let (memory, now) = (self.memory(), system_time());
        let ticket = memory.tickets.iter().find(|ticket| ticket.id == request.ticket);
        let ticket = ticket.filter(|ticket| now <= ticket.expires).ok_or(Fault::UnknownTicket)?;
        match &ticket.entity {
            Some(holder) if !holder.eq_ignore_ascii_case(&request.entity) => {
                Err(Fault::TicketOfAnother { ticket: holder.clone(), entity: request.entity.clone() })
            }
            _ => Ok(()),
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(entry);
}

fn validity(now: Time) -> Validity {
    let behind = u64::try_from(SKEW.as_millis()).unwrap_or(u64::MAX);
    Validity { not_before: Time(now.0.saturating_sub(behind)), not_after: now.plus(CERTIFICATE_LIFETIME) }
}

fn with_xml(
    request: &Request,
    answer: impl FnOnce(Node<'_, '_>) -> Result<String, Fault>,
) -> Result<String, Declined> {
    check_content_type(request)?;
    let text = str::from_utf8(&request.body).map_err(|_| Fault::NotUtf8)?;
    let document = xml::read(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    Ok(answer(document.root_element())?)
}

fn check_content_type(request: &Request) -> Result<(), Declined> {
    let named = request.content_type.as_deref().unwrap_or_default();
    let media = named.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("text/xml") { Ok(()) } else { Err(Declined::ContentType(named.to_owned())) }
}

/// A client may leave it out; if it says one it is to be the right one.
fn check_action(request: &Request) -> Result<(), Fault> {
    let named = request.soap_action.as_deref().map_or("", |action| action.trim_matches('"'));
    if named.is_empty() || named == GET_AND_PUBLISH { Ok(()) } else { Err(Fault::Action(named.to_owned())) }
}

/// Why a request that can be read is not fulfilled.
#[derive(Debug, thiserror::Error)]
enum Declined {
    #[error("nothing is at {0}")]
    NotFound(String),
    #[error("{0} has no meaning there")]
    Method(String, bool),
    #[error("Content-Type {0:?} is not text/xml")]
    ContentType(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Declined {
    fn response(&self) -> Response {
        match self {
            Self::NotFound(_) => Response::text(404, "nothing is here"),
            Self::Method(_, true) => Response::not_allowed("GET, HEAD"),
            Self::Method(_, false) => Response::not_allowed("POST"),
            Self::ContentType(_) => Response::text(415, "Content-Type is not text/xml"),
            // SOAP 1.1 6.2 wants this status whoever is to blame.
            Self::Fault(fault) => Response::xml(500, fault.envelope()),
        }
    }
}
