//! The cases, a module for each section of the specification.

pub(crate) mod anonymous;
mod seen;

use std::sync::LazyLock;

use sipae::auth::Scheme;
use sipae::message::HeaderName;
use sipae_gen::{Connection, Edit, Mode, Party, Password, Recipient, Script, Signing, Template, Text, Token};

use crate::case::Case;

macro_rules! sections {
    ($($section:ident)*) => {
        $(mod $section;)*

        static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
            [$($section::cases()),*].into_iter().flatten().collect()
        });
    };
}

sections! {
    section_2_2
    section_3_1
    section_3_1_deliveries
    section_3_1_1
    section_3_2_4_1
    section_3_2_5_1
    section_3_3_1
    section_3_3_2
    section_3_3_3
    section_3_3_4_1
    section_3_3_4_1_deliveries
    section_3_3_4_1_endpoints
    section_3_3_4_1_numbers
    section_3_3_5_1
    section_3_3_5_1_deliveries
    section_3_3_5_1_requests
    section_3_3_5_2
    section_3_3_5_3
    section_3_3_5_3_deliveries
    section_3_3_5_3_responses
    section_3_3_5_4
    section_3_3_5_5
    section_3_3_5_6
    section_3_3_6
    section_5_1
}

/// Every case, in the order of the sections.
pub fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter()
}

/// Whether a case runs at every version of every scheme, and not at the newest alone: the way into an association, what
/// its signatures cover, and what is refused.
pub(crate) fn is_core(case: &Case) -> bool {
    CORE.contains(&case.id())
}

const CORE: [&str; 24] = [
    "3.1/three-requests",
    "3.1/two-requests",
    "3.1/four-requests",
    "3.1/unsigned-in-association",
    "3.1.1/replay",
    "3.1.1/out-of-order",
    "3.1.1/below-window",
    "3.2.4.1/kerberos-token",
    "3.2.4.1/whole-hmac",
    "3.3.4.1/signed-answers",
    "3.3.4.1/failure-is-signed",
    "3.3.4.1/delivered-message",
    "3.3.4.1/relayed-200",
    "3.3.5.1/challenge",
    "3.3.5.1/bare-ack",
    "3.3.5.2/completes",
    "3.3.5.2/continuation",
    "3.3.5.2/kerberos-in-one-step",
    "3.3.5.2/tls-dsk-flights",
    "3.3.5.3/forged-signature",
    "3.3.5.3/altered-call-id",
    "3.3.5.3/altered-to-uri",
    "3.3.5.3/altered-sip-identity",
    "3.3.5.3/unknown-opaque",
];

/// The association of the user in the scripts of this crate.
const SA: &str = "sa";
/// The association of the second user.
pub(crate) const PEER_SA: &str = "peer";

/// A bare REGISTER and its answer.
pub(crate) fn bare(script: Script) -> Script {
    script.compose("bare", Template::new("REGISTER")).ask("bare")
}

/// Requests that are sent before any of them is answered.
pub(crate) const PIPELINED: [&str; 3] = ["one", "two", "three"];

/// Three bare requests at once: does the target answer in their order?
pub(crate) fn pipelined() -> Script {
    Script::connected()
        .each(PIPELINED, |script, name| script.compose(name, Template::new("OPTIONS")))
        .each(PIPELINED, Script::send)
        .each(PIPELINED, Script::wait)
}

/// The names of the messages of a handshake, of the association that comes out of it, and what is unusual about it.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    party: Party,
    /// Whose credentials.
    account: Party,
    password: Password,
    method: String,
    to: Recipient,
    bare: String,
    first: String,
    /// The client's second flight of TLS-DSK.
    second: String,
    last: String,
    association: String,
    /// Changes to each request as it is composed.
    edits: Vec<Edit>,
    /// Changes to the credential of the requests that have one.
    credential: Vec<Edit>,
    /// Changes to the credential of the completing request.
    completing: Vec<Edit>,
    /// Changes to the credential with the token that proves who the user is.
    proving: Vec<Edit>,
    connection: Connection,
    is_fenced: bool,
}

impl Handshake {
    /// That of the user: `bare`, `first` and `last` make `sa`.
    pub(crate) fn user() -> Self {
        Self {
            party: Party::USER,
            account: Party::USER,
            password: Password::Right,
            method: "REGISTER".to_owned(),
            to: Recipient::Own,
            bare: "bare".to_owned(),
            first: "first".to_owned(),
            second: "second".to_owned(),
            last: "last".to_owned(),
            association: SA.to_owned(),
            edits: Vec::new(),
            credential: Vec::new(),
            completing: Vec::new(),
            proving: Vec::new(),
            connection: Party::USER.connection(),
            is_fenced: false,
        }
    }

    /// That of any party, with names of its own: of `peer` the messages are `peer bare` and so on.
    pub(crate) fn of(party: Party, association: &str) -> Self {
        Self {
            party,
            account: party,
            bare: format!("{association} bare"),
            first: format!("{association} first"),
            second: format!("{association} second"),
            last: format!("{association} last"),
            association: association.to_owned(),
            connection: party.connection(),
            ..Self::user()
        }
    }

    /// The same carried by another request than REGISTER.
    pub(crate) fn over(self, method: &str, to: Recipient) -> Self {
        Self { method: method.to_owned(), to, ..self }
    }

    /// The same with changes to each of its requests.
    pub(crate) fn edited(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { edits: self.edits.into_iter().chain(edits).collect(), ..self }
    }

    /// The same with changes to the credentials.
    pub(crate) fn with_credential(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { credential: edits.into_iter().collect(), ..self }
    }

    /// The same with changes to the credential of the completing request, made after it is signed.
    pub(crate) fn completing(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { completing: edits.into_iter().collect(), ..self }
    }

    /// The same with changes to the credential whose token proves who the user is, made after it is signed: the last one,
    /// or with TLS-DSK the one with the certificate.
    pub(crate) fn proving(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { proving: edits.into_iter().collect(), ..self }
    }

    /// The request with that credential.
    pub(crate) fn proof(&self, scheme: Scheme) -> &str {
        if scheme == Scheme::TlsDsk { &self.second } else { &self.last }
    }

    /// The same with another name for its completing request.
    pub(crate) fn ending(self, last: &str) -> Self {
        Self { last: last.to_owned(), ..self }
    }

    /// The same with the messages of another party: From, epid, account, connection.
    pub(crate) fn by(self, party: Party) -> Self {
        Self { party, account: party, connection: party.connection(), ..self }
    }

    /// The same with the credentials of another account: its messages stay those of its party.
    pub(crate) fn authenticated_as(self, account: Party) -> Self {
        Self { account, ..self }
    }

    /// The same with other credentials than the right ones.
    pub(crate) fn with_password(self, password: Password) -> Self {
        Self { password, ..self }
    }

    /// The same over another connection than that of its party.
    pub(crate) fn on(self, connection: Connection) -> Self {
        Self { connection, ..self }
    }

    /// The same where each request may be left without an answer.
    pub(crate) fn fenced(self) -> Self {
        Self { is_fenced: true, ..self }
    }

    /// The names of its requests in their order, whatever scheme needs them.
    pub(crate) fn requests(&self) -> [&str; 4] {
        [&self.bare, &self.first, &self.second, &self.last]
    }

    /// The name of its last request.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }

    fn template(&self) -> Template {
        Template::new(&self.method).of(self.party).to(self.to)
    }

    fn compose(&self, script: Script, message: &str) -> Script {
        script
            .compose(message, self.template())
            .each(&self.edits, |script, edit| edited(script, message, edit))
    }

    /// A request of this endpoint, made as those of the handshake and signed under its association; not sent.
    pub(crate) fn signed(&self, script: Script, message: &str) -> Script {
        self.compose(script, message).sign(message, &self.association)
    }

    /// Sends a request over the connection of the handshake, and waits for its answer.
    pub(crate) fn ask(&self, script: Script, message: &str) -> Script {
        let script = script.send_on(message, self.connection);
        let script = if self.is_fenced { script.fence_on(self.connection) } else { script };
        script.wait(message)
    }

    /// The bare request alone.
    pub(crate) fn only_bare(&self, script: Script) -> Script {
        self.ask(self.compose(script, &self.bare), &self.bare)
    }

    /// Everything before the completing request: all that NTLM and TLS-DSK negotiate, and for Kerberos, which completes
    /// with its only token, the bare request.
    pub(crate) fn begin(&self, script: Script, mode: Mode) -> Script {
        let script = self.only_bare(script).adopt(&self.association, &self.bare);
        match mode.scheme {
            Scheme::Ntlm => self.token(script, &self.first, Token::Empty, &[]),
            Scheme::TlsDsk => {
                let script = self.authenticate(script);
                let script = self.token(script, &self.first, Token::Answer, &[]);
                self.token(script, &self.second, Token::Answer, &self.proving)
            }
            _ => script,
        }
    }

    /// A request with the first token that waits for a continuation, made and not sent. What it begins is no handshake of
    /// this association, which has to have adopted a challenge.
    pub(crate) fn opening(&self, script: Script, message: &str, mode: Mode) -> Script {
        let token = if mode.scheme == Scheme::Ntlm { Token::Empty } else { Token::Answer };
        let script = if mode.scheme == Scheme::TlsDsk { self.authenticate(script) } else { script };
        self.compose(script, message).credential(message, &self.association, token)
    }

    fn authenticate(&self, script: Script) -> Script {
        script.authenticate(&self.association, self.account, self.password.clone())
    }

    /// A request with a token, and what its answer says: the association has its opaque and its CHALLENGE, or the
    /// server's flight, then.
    fn token(&self, script: Script, message: &str, token: Token, more: &[Edit]) -> Script {
        let script = self.compose(script, message).credential(message, &self.association, token);
        let edits = self.credential.iter().chain(more);
        let script = script.each(edits, |script, edit| edited(script, message, edit));
        self.ask(script, message).adopt(&self.association, message)
    }

    /// The request that completes it, made and not sent.
    pub(crate) fn complete(&self, script: Script, mode: Mode) -> Script {
        let has_token = mode.scheme != Scheme::TlsDsk;
        let script = if has_token { self.authenticate(script) } else { script };
        let script = self.compose(script, &self.last);
        let script = if mode.signs_completing_request() {
            let token = has_token.then_some(Token::Answer);
            script.sign_with(&self.last, &self.association, Signing { token, ..Signing::default() })
        } else {
            script.credential(&self.last, &self.association, Token::Answer)
        };
        let proving = self.proving.iter().filter(|_| has_token);
        let edits = self.credential.iter().chain(&self.completing).chain(proving);
        script.each(edits, |script, edit| edited(script, &self.last, edit))
    }

    /// The completing request and its answer.
    pub(crate) fn finish(&self, script: Script, mode: Mode) -> Script {
        self.ask(self.complete(script, mode), &self.last)
    }

    /// Takes the registration of an endpoint away that has other identifiers than its party: nobody else can.
    pub(crate) fn leave(&self, script: Script) -> Script {
        let message = format!("{} leaves", self.association);
        let script = self.compose(script, &message);
        let expires = Edit::SetHeader(HeaderName::Expires, "0".into());
        self.ask(script.edit(&message, expires).sign(&message, &self.association), &message)
    }

    /// All of it.
    pub(crate) fn play(&self, script: Script, mode: Mode) -> Script {
        self.finish(self.begin(script, mode), mode)
    }
}

fn edited(script: Script, message: &str, edit: &Edit) -> Script {
    script.edit(message, edit.clone())
}

/// The requests of a handshake before the one that completes it.
fn first_token(script: Script, mode: Mode) -> Script {
    Handshake::user().begin(script, mode)
}

/// A whole good handshake; its last request is "last".
pub(crate) fn handshake(mode: Mode) -> Script {
    Handshake::user().play(Script::connected(), mode)
}

/// User and second user have each an association.
fn both(mode: Mode) -> Script {
    let script = handshake(mode).connect(Party::PEER.connection());
    Handshake::of(Party::PEER, PEER_SA).play(script, mode)
}

/// A request of the user to the second user, signed and not sent.
fn to_peer(script: Script, message: &str, method: &str) -> Script {
    script.compose(message, Template::new(method).to(Recipient::Account(Party::PEER))).sign(message, SA)
}

/// A good MESSAGE to the second user that arrives and is answered: what was sent before it has been looked at, and has
/// been delivered or never will be.
fn delivery_fence(script: Script) -> Script {
    to_peer(script, "delivery fence", "MESSAGE").ask("delivery fence").signed_fence(SA)
}

/// User and second user, and a MESSAGE from one to the other.
pub(crate) fn delivery(mode: Mode) -> Script {
    to_peer(both(mode), "message", "MESSAGE").ask("message")
}

/// A signed REGISTER with the next number, not sent. A server answers it itself: other requests to one's own address
/// may come back to the one who registered it, and wait for an answer there.
fn signed(script: Script, message: &str) -> Script {
    script.compose(message, Template::new("REGISTER")).sign(message, SA)
}

/// The header fields without which some methods are no whole requests: a server that reads them before it authenticates
/// would refuse them for that.
fn complete_headers(template: Template) -> Template {
    match template.method.as_str() {
        "SUBSCRIBE" => template.header("Event", "presence").header("Expires", "60"),
        "PUBLISH" => template.header("Event", "presence").header("Expires", "60"),
        "NOTIFY" => template.header("Event", "presence").header("Subscription-State", "active"),
        "REFER" => template.header("Refer-To", Text::of("<sip:{user.address}>")),
        _ => template,
    }
}
