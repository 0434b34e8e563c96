//! The ordinary way into a security association, as steps of a script.

use sipae::auth::Scheme;
use sipae::message::HeaderName;

use crate::{Connection, Edit, Mode, Party, Password, Recipient, Script, Signing, Template, Token};

/// The association of the user where a script says nothing else.
const SA: &str = "sa";

/// The names of the messages of a handshake, of the association that comes out of it, and what is unusual about it.
#[derive(Clone, Debug)]
pub struct Handshake {
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
    #[must_use]
    pub fn user() -> Self {
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
    #[must_use]
    pub fn of(party: Party, association: &str) -> Self {
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
    #[must_use]
    pub fn over(self, method: &str, to: Recipient) -> Self {
        Self { method: method.to_owned(), to, ..self }
    }

    /// The same with changes to each of its requests.
    #[must_use]
    pub fn edited(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { edits: self.edits.into_iter().chain(edits).collect(), ..self }
    }

    /// The same with changes to the credentials.
    #[must_use]
    pub fn with_credential(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { credential: edits.into_iter().collect(), ..self }
    }

    /// The same with changes to the credential of the completing request, made after it is signed.
    #[must_use]
    pub fn completing(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { completing: edits.into_iter().collect(), ..self }
    }

    /// The same with changes to the credential whose token proves who the user is, made after it is signed: the last one,
    /// or with TLS-DSK the one with the certificate.
    #[must_use]
    pub fn proving(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { proving: edits.into_iter().collect(), ..self }
    }

    /// The request with that credential.
    #[must_use]
    pub fn proof(&self, scheme: Scheme) -> &str {
        if scheme == Scheme::TlsDsk { &self.second } else { &self.last }
    }

    /// The same with another name for its completing request.
    #[must_use]
    pub fn ending(self, last: &str) -> Self {
        Self { last: last.to_owned(), ..self }
    }

    /// The same with the messages of another party: From, epid, account, connection.
    #[must_use]
    pub fn by(self, party: Party) -> Self {
        Self { party, account: party, connection: party.connection(), ..self }
    }

    /// The same with the credentials of another account: its messages stay those of its party.
    #[must_use]
    pub fn authenticated_as(self, account: Party) -> Self {
        Self { account, ..self }
    }

    /// The same with other credentials than the right ones.
    #[must_use]
    pub fn with_password(self, password: Password) -> Self {
        Self { password, ..self }
    }

    /// The same over another connection than that of its party.
    #[must_use]
    pub fn on(self, connection: Connection) -> Self {
        Self { connection, ..self }
    }

    /// The same where each request may be left without an answer.
    #[must_use]
    pub fn fenced(self) -> Self {
        Self { is_fenced: true, ..self }
    }

    /// The names of its requests in their order, whatever scheme needs them.
    #[must_use]
    pub fn requests(&self) -> [&str; 4] {
        [&self.bare, &self.first, &self.second, &self.last]
    }

    /// The name of its last request.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
    }

    fn template(&self) -> Template {
        Template::new(&self.method).of(self.party).to(self.to)
    }

    /// One of its requests, made and not sent.
    #[must_use]
    pub fn compose(&self, script: Script, message: &str) -> Script {
        script
            .compose(message, self.template())
            .each(&self.edits, |script, edit| edited(script, message, edit))
    }

    /// A request of this endpoint, made as those of the handshake and signed under its association; not sent.
    #[must_use]
    pub fn signed(&self, script: Script, message: &str) -> Script {
        self.compose(script, message).sign(message, &self.association)
    }

    /// Sends a request over the connection of the handshake, and waits for its answer.
    #[must_use]
    pub fn ask(&self, script: Script, message: &str) -> Script {
        let script = script.send_on(message, self.connection);
        let script = if self.is_fenced { script.fence_on(self.connection) } else { script };
        script.wait(message)
    }

    /// The bare request alone.
    #[must_use]
    pub fn only_bare(&self, script: Script) -> Script {
        self.ask(self.compose(script, &self.bare), &self.bare)
    }

    /// Everything before the completing request: all that NTLM and TLS-DSK negotiate, and for Kerberos, which completes
    /// with its only token, the bare request.
    #[must_use]
    pub fn begin(&self, script: Script, mode: Mode) -> Script {
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
    #[must_use]
    pub fn opening(&self, script: Script, message: &str, mode: Mode) -> Script {
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
    #[must_use]
    pub fn complete(&self, script: Script, mode: Mode) -> Script {
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
    #[must_use]
    pub fn finish(&self, script: Script, mode: Mode) -> Script {
        self.ask(self.complete(script, mode), &self.last)
    }

    /// Takes the registration of an endpoint away that has other identifiers than its party: nobody else can.
    #[must_use]
    pub fn leave(&self, script: Script) -> Script {
        let message = format!("{} leaves", self.association);
        let script = self.compose(script, &message);
        let expires = Edit::SetHeader(HeaderName::Expires, "0".into());
        self.ask(script.edit(&message, expires).sign(&message, &self.association), &message)
    }

    /// All of it.
    #[must_use]
    pub fn play(&self, script: Script, mode: Mode) -> Script {
        self.finish(self.begin(script, mode), mode)
    }
}

fn edited(script: Script, message: &str, edit: &Edit) -> Script {
    script.edit(message, edit.clone())
}
