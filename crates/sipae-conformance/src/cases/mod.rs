//! The cases, a module for each section of the specification.

mod section_2_2;
mod section_3_1;
mod section_3_3_4_1;
mod section_3_3_5_1;
mod section_3_3_5_2;
mod section_3_3_5_3;

use sipae::version::Version;
use sipae_gen::{AccountRole, Password, Script, Signing, Template, Token};

use crate::case::Case;

/// Every case, in the order of the sections.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        section_2_2::CASES,
        section_3_1::CASES,
        section_3_3_4_1::CASES,
        section_3_3_5_1::CASES,
        section_3_3_5_2::CASES,
        section_3_3_5_3::CASES,
    ]
    .into_iter()
    .flatten()
}

/// A bare REGISTER and its answer.
pub(crate) fn bare(script: Script) -> Script {
    script.compose("bare", Template::new("REGISTER")).send("bare").wait("bare")
}

/// Requests that are sent before any of them is answered.
pub(crate) const PIPELINED: [&str; 3] = ["one", "two", "three"];

/// Three bare requests at once: does the target answer in their order?
pub(crate) fn pipelined() -> Script {
    let sent = PIPELINED
        .iter()
        .fold(Script::connected(), |script, name| script.compose(name, Template::new("OPTIONS")));
    let sent = PIPELINED.iter().fold(sent, |script, name| script.send(name));
    PIPELINED.iter().fold(sent, |script, name| script.wait(name))
}

/// The first two requests of an NTLM handshake: after them `sa` has its opaque and CHALLENGE.
fn first_token(script: Script) -> Script {
    bare(script)
        .adopt("sa", "bare")
        .compose("first", Template::new("REGISTER"))
        .credential("first", "sa", Token::Empty)
        .send("first")
        .wait("first")
}

/// A whole good handshake; its last request is "last".
pub(crate) fn handshake(version: Version) -> Script {
    let script = first_token(Script::connected())
        .adopt("sa", "first")
        .authenticate("sa", AccountRole::User, Password::Right)
        .compose("last", Template::new("REGISTER"));
    let script = if version.signs_completing_request() {
        script.sign_with("last", "sa", Signing { token: Some(Token::Answer), ..Signing::default() })
    } else {
        script.credential("last", "sa", Token::Answer)
    };
    script.send("last").wait("last")
}

/// A signed REGISTER with the next number, not sent. A server answers it itself: other requests to one's own address
/// may come back to the one who registered it, and wait for an answer there.
fn signed(script: Script, message: &str) -> Script {
    script.compose(message, Template::new("REGISTER")).sign(message, "sa")
}
