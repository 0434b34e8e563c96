//! 3.3.6: what becomes of requests to a client whose association has gone.

use sipae_gen::{Connection, Party, Recipient, Template, Timer};

use super::{Handshake, PEER_SA, both, to_peer};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.6/unregistered-receiver",
            "a request to a client that has unregistered fails and is not delivered",
            &["SIPAE-3.3.6-03"],
        )
        .with_peer()
        .plan(|mode| {
            let unregister = Template::new("REGISTER").of(Party::PEER).header("Expires", "0");
            let script =
                both(mode).compose("unregister", unregister).sign("unregister", PEER_SA).ask("unregister");
            to_peer(script, "after", "MESSAGE").ask("after")
        })
        .judge(|judge| match judge.observed("unregister") {
            Some(Reaction::Final { status, .. }) if *status < 300 => fails(judge),
            Some(other) => judge.undecide(format!("unregister: {other}")),
            None => {}
        }),
        Case::new(
            "3.3.6/expired-receiver",
            "a request to a client whose association has expired fails and is not delivered",
            &["SIPAE-3.3.6-03"],
        )
        .with_peer()
        .over(Timer::Expiry)
        .plan(|mode| {
            let script = both(mode).elapse(Timer::Expiry, 110).connect(Connection::FIRST);
            let template = Template::new("MESSAGE").to(Recipient::Account(Party::PEER));
            Handshake::of(Party::USER, "renewed")
                .play(script, mode)
                .compose("after", template)
                .sign("after", "renewed")
                .ask("after")
        })
        .judge(fails),
    ]
}

/// Other endpoints of the second user may still be there, and answer.
fn fails(judge: &mut Judge<'_>) {
    let Some(reaction) = judge.observed("after") else { return };
    let deliveries = judge.observation().deliveries("after");
    let holds = match (deliveries.first(), reaction) {
        (Some(delivery), _) => Err(format!("delivered to {}", delivery.to)),
        (None, Reaction::Final { status: 300.., .. }) => Ok(()),
        (None, other) => return judge.undecide(format!("after: {other}")),
    };
    judge.check("SIPAE-3.3.6-03", "after: a failure, and no delivery", holds);
}
