//! The cases, a module for each section of the specification.

pub(crate) mod anonymous;
mod seen;

use std::sync::LazyLock;

pub(crate) use sipae_gen::Handshake;
use sipae_gen::{Mode, Party, Recipient, Script, Template, Text};

use crate::case::Case;

macro_rules! sections {
    ($($section:ident)*) => {
        $(mod $section;)*

        static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
            [$($section::cases()),*, crate::generated::properties::cases()].into_iter().flatten().collect()
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
pub(crate) const SA: &str = "sa";
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
pub(crate) fn complete_headers(template: Template) -> Template {
    match template.method.as_str() {
        "SUBSCRIBE" => template.header("Event", "presence").header("Expires", "60"),
        "PUBLISH" => template.header("Event", "presence").header("Expires", "60"),
        "NOTIFY" => template.header("Event", "presence").header("Subscription-State", "active"),
        "REFER" => template.header("Refer-To", Text::of("<sip:{user.address}>")),
        _ => template,
    }
}
