//! Handshakes that other requests than REGISTER carry (SIPAE-3.3.5.2-24, -25).

use sipae::message::HeaderName;
use sipae_gen::{Edit, Party, Recipient, Script, Text};

use super::{completes, deepest};
use crate::case::Case;
use crate::cases::Handshake;
use crate::judge::Judge;
use crate::reaction::{Reaction, Signature};

pub(super) fn cases() -> Vec<Case> {
    let over = METHODS.into_iter().map(|(method, to)| over(method, to));
    over.chain([changing(), failing()]).collect()
}

/// Requests that a server answers itself, or that reach nobody: any final answer will do.
const METHODS: [(&str, Recipient); 4] = [
    ("OPTIONS", Recipient::Own),
    ("MESSAGE", Recipient::Nobody),
    ("SUBSCRIBE", Recipient::Own),
    ("INVITE", Recipient::Nobody),
];

/// The same request again and again, as clients do it: one Call-ID, one From tag.
fn one_dialog(handshake: Handshake) -> Handshake {
    let call_id = Edit::SetHeader(HeaderName::CallId, Text::of("{user.call-id}c"));
    let event = Edit::AddHeader { name: "Event".to_owned(), value: "presence".into(), first: false };
    handshake.edited([call_id, Edit::FromTag("carried".to_owned()), event])
}

fn over(method: &str, to: Recipient) -> Case {
    let handshake = one_dialog(Handshake::user().over(method, to));
    let played = handshake.clone();
    Case::new(
        &format!("3.3.5.2/handshake-over-{}", method.to_ascii_lowercase()),
        &format!("a handshake that {method} carries is completed"),
        &["SIPAE-3.3.5.2-25"],
    )
    .plan(move |mode| played.play(Script::connected(), mode))
    .judge(move |judge| completes_signed(judge, &handshake))
}

/// Whoever challenged a request takes a handshake over it; what is not challenged, or not understood by the target at
/// all, shows nothing.
fn completes_signed(judge: &mut Judge<'_>, handshake: &Handshake) {
    let message = deepest(judge, handshake);
    if message == handshake.requests()[0] {
        return judge.undecide(format!("{message} was not challenged"));
    }
    if message == handshake.last()
        && matches!(judge.observation().reaction(message), Some(Reaction::Final { .. }))
    {
        return judge.reaction("SIPAE-3.3.5.2-25", message);
    }
    completes(judge, "SIPAE-3.3.5.2-25", handshake);
}

fn changing() -> Case {
    let carried = Handshake::of(Party::USER, "changing").over("OPTIONS", Recipient::Own);
    let judged = carried.clone();
    Case::new(
        "3.3.5.2/handshake-over-two-methods",
        "a handshake that REGISTER began is completed by OPTIONS",
        &["SIPAE-3.3.5.2-25"],
    )
    .plan(move |mode| {
        let script = Handshake::of(Party::USER, "changing").begin(Script::connected(), mode);
        carried.finish(script, mode)
    })
    .judge(move |judge| completes_signed(judge, &judged))
}

fn failing() -> Case {
    let handshake = Handshake::user().over("MESSAGE", Recipient::Nobody);
    let played = handshake.clone();
    Case::new(
        "3.3.5.2/completing-request-fails",
        "a request that completes a handshake and fails is answered under the new association",
        &["SIPAE-3.3.5.2-24"],
    )
    .plan(move |mode| played.play(Script::connected(), mode))
    .judge(move |judge| {
        let message = deepest(judge, &handshake);
        match judge.observed(message) {
            Some(failure @ Reaction::Final { status: 300.., signature })
                if message == handshake.last() =>
            {
                // Whether the handshake or the application refused an unsigned one, nobody can tell.
                let is_signed = matches!(signature, Signature::Verified(_) | Signature::Replayed(_));
                let holds = if is_signed { Ok(()) } else { Err(failure.to_string()) };
                judge.weakly("SIPAE-3.3.5.2-24", &format!("{message}: signed"), holds);
            }
            Some(other) => judge.undecide(format!("{message} provoked no failure: {other}")),
            None => {}
        }
    })
}
