//! What the cases about Digest are made of. At a Digest registrar the executor sends REGISTERs of the user in place of
//! what the anonymous send.

use sipae::digest::DigestChallenge;
use sipae_gen::{Party, Recipient, Script, Template};

use crate::judge::Judge;
use crate::reaction::Reaction;

/// The request that Digest is asked for.
pub(crate) fn anonymous_invite() -> Template {
    Template::new("INVITE").of(Party::ANONYMOUS).to(Recipient::Conference)
}

/// The anonymous have a connection.
pub(crate) fn arriving() -> Script {
    Script::default().connect(Party::ANONYMOUS.connection())
}

/// `bare` and its challenge.
pub(crate) fn challenged() -> Script {
    challenged_as(Party::ANONYMOUS)
}

/// The same of another one of those without an account.
pub(super) fn challenged_as(party: Party) -> Script {
    let script = Script::default().connect(party.connection());
    script.compose("bare", anonymous_invite().of(party)).ask("bare")
}

/// `last` has a right credential.
pub(crate) fn join() -> Script {
    join_as(Party::ANONYMOUS)
}

/// The same of another one of those without an account.
pub(super) fn join_as(party: Party) -> Script {
    let script = challenged_as(party).compose("last", anonymous_invite().of(party));
    script.digest("last", "bare").ask("last")
}

/// A request in the conference, with a right credential but for what is done to it.
pub(super) fn inside(party: Party) -> Template {
    Template::new("INFO").of(party).within("last")
}

/// Leaves the conference, if an INVITE of this party has led into it.
pub(crate) fn hang_up(script: Script, party: Party, invite: &str) -> Script {
    let bye = format!("bye of {invite}");
    let template = Template::new("BYE").of(party).within(invite);
    script.attempt(|script| script.compose(&bye, template).digest(&bye, "bare").ask(&bye))
}

/// Whether a request got past Digest: what is wrong with it beyond that is another matter.
pub(crate) const fn is_let_in(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Final { status, .. } if !matches!(status, 400 | 403 | 404))
}

/// Whether it is an ordinary registrar that was asked: what the anonymous join adds to Digest is advice there.
pub(super) fn is_ordinary(judge: &Judge<'_>, message: &str) -> bool {
    judge.observation().sent(message, |request| request.method() == Some(b"REGISTER")) == Some(true)
}

/// Whether a nonce of the server serves for a second request: a later message with a right credential was let in. Where
/// nonces serve once (RFC 7616 3.3), or are not counted (RFC 2617 3.2.1), nothing is decided.
pub(super) fn nonce_serves_again(judge: &mut Judge<'_>, later: &str) -> bool {
    let observation = judge.observation();
    let digest =
        |message| observation.challenge(message, |_, line| DigestChallenge::of(line)).and_then(Result::ok);
    let is_counted = digest("bare").is_none_or(|challenge| challenge.qop.is_some());
    let ends = digest(later).is_some_and(|challenge| challenge.stale || is_ordinary(judge, "bare"));
    if !is_counted {
        judge.undecide("its challenge has no qop, so there is no nonce count".to_owned());
    } else if ends {
        judge.undecide("its nonces serve for one request".to_owned());
    }
    is_counted && !ends
}

/// Whether the conference was joined; if not, nothing is decided.
pub(super) fn joined(judge: &mut Judge<'_>) -> bool {
    let Some(reaction) = judge.observed("last") else { return false };
    let is_joined = matches!(reaction, Reaction::Final { status: 200..300, .. });
    if !is_joined {
        judge.undecide(format!("last: {reaction}"));
    }
    is_joined
}
