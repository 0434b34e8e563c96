//! The cases, a module for each section of the specification.

mod seen;

use std::sync::LazyLock;

use sipae::version::Version;
use sipae_gen::{Label, Party, Password, Recipient, Script, Signing, Template, Token};

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
    section_3_3_5_6
    section_3_3_6
    section_5_1
}

/// Every case, in the order of the sections.
pub fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter()
}

/// The association of the user in the scripts of this crate.
const SA: &str = "sa";
/// The association of the second user.
const PEER_SA: &str = "peer";

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

/// The names of the messages of a handshake, and of the association that comes out of it.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    party: Party,
    method: String,
    to: Recipient,
    bare: String,
    first: String,
    last: String,
    association: String,
}

impl Handshake {
    /// That of the user: `bare`, `first` and `last` make `sa`.
    pub(crate) fn user() -> Self {
        Self {
            party: Party::USER,
            method: "REGISTER".to_owned(),
            to: Recipient::Own,
            bare: "bare".to_owned(),
            first: "first".to_owned(),
            last: "last".to_owned(),
            association: SA.to_owned(),
        }
    }

    /// That of any party, with names of its own: of `peer` the messages are `peer bare` and so on.
    pub(crate) fn of(party: Party, association: &str) -> Self {
        Self {
            party,
            bare: format!("{association} bare"),
            first: format!("{association} first"),
            last: format!("{association} last"),
            association: association.to_owned(),
            ..Self::user()
        }
    }

    /// The same carried by another request than REGISTER.
    pub(crate) fn over(self, method: &str, to: Recipient) -> Self {
        Self { method: method.to_owned(), to, ..self }
    }

    fn template(&self) -> Template {
        Template::new(&self.method).of(self.party).to(self.to)
    }

    /// The bare request and the one with the empty token; the association has its opaque and CHALLENGE then.
    pub(crate) fn begin(&self, script: Script) -> Script {
        script
            .compose(&self.bare, self.template())
            .ask(&self.bare)
            .adopt(&self.association, &self.bare)
            .compose(&self.first, self.template())
            .credential(&self.first, &self.association, Token::Empty)
            .ask(&self.first)
            .adopt(&self.association, &self.first)
    }

    /// The request that completes it, made and not sent.
    pub(crate) fn complete(&self, script: Script, version: Version, password: Password) -> Script {
        let script =
            script.authenticate(&self.association, self.party, password).compose(&self.last, self.template());
        if version.signs_completing_request() {
            let signing = Signing { token: Some(Token::Answer), ..Signing::default() };
            script.sign_with(&self.last, &self.association, signing)
        } else {
            script.credential(&self.last, &self.association, Token::Answer)
        }
    }

    /// All of it.
    pub(crate) fn play(&self, script: Script, version: Version) -> Script {
        self.complete(self.begin(script), version, Password::Right).ask(&self.last)
    }
}

/// The first two requests of an NTLM handshake: after them `sa` has its opaque and CHALLENGE.
fn first_token(script: Script) -> Script {
    Handshake::user().begin(script)
}

/// A whole good handshake; its last request is "last".
pub(crate) fn handshake(version: Version) -> Script {
    Handshake::user().play(Script::connected(), version)
}

/// User and second user have each an association.
fn both(version: Version) -> Script {
    let script = handshake(version).connect(Party::PEER.connection());
    Handshake::of(Party::PEER, PEER_SA).play(script, version)
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
pub(crate) fn delivery(version: Version) -> Script {
    to_peer(both(version), "message", "MESSAGE").ask("message")
}

/// A signed REGISTER with the next number, not sent. A server answers it itself: other requests to one's own address
/// may come back to the one who registered it, and wait for an answer there.
fn signed(script: Script, message: &str) -> Script {
    script.compose(message, Template::new("REGISTER")).sign(message, SA)
}

/// Whether a label is that of a request that the suite itself inserts.
#[must_use]
pub fn is_of_the_suite(label: &Label) -> bool {
    label.as_str().starts_with("fence ") || label.as_str().starts_with("clean up ")
}
