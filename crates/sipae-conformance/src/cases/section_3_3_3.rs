//! 3.3.3: what a server fixes when it starts.

use std::collections::BTreeSet;

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind};
use sipae::message::Value;
use sipae_gen::{Script, Template};

use super::bare;
use crate::case::{Case, Gate};

const CHALLENGES: [&str; 20] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
    "20",
];
const DEFAULT_REALM: &str = "SIP Communications Service";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.3/constant-challenges",
            "all challenges on one connection name the same realm, targetname and version",
            &["SIPAE-3.3.3-01"],
        )
        .behind(Gate::Offered)
        .plan(|_| {
            Script::connected()
                .each(CHALLENGES, |script, name| script.compose(name, Template::new("OPTIONS")).send(name))
                .each(CHALLENGES, Script::wait)
        })
        .judge(|judge| {
            let observation = judge.observation();
            let told: Vec<String> =
                CHALLENGES.iter().filter_map(|name| observation.challenge(name, facts)).collect();
            let distinct: BTreeSet<&String> = told.iter().collect();
            match distinct.len() {
                0 => judge.undecide("no challenge has a line of the scheme".to_owned()),
                1 => judge.check("SIPAE-3.3.3-01", "one realm, targetname and version", Ok(())),
                _ => {
                    judge.check(
                        "SIPAE-3.3.3-01",
                        "one realm, targetname and version",
                        Err(format!("{distinct:?}")),
                    );
                }
            }
        }),
        Case::new(
            "3.3.3/realm",
            "a realm that is not the default one is written down: it may have been configured",
            &["SIPAE-3.3.3-02"],
        )
        .behind(Gate::Offered)
        .plan(|_| bare(Script::connected()))
        .judge(|judge| {
            let realm = |_, line: &AuthHeader<'_>| line.get(AuthParam::Realm).map(Value::to_text);
            match judge.observation().challenge("bare", realm).flatten() {
                Some(realm) => {
                    let holds = if realm == DEFAULT_REALM { Ok(()) } else { Err(realm) };
                    judge.recorded("SIPAE-3.3.3-02", DEFAULT_REALM, holds);
                }
                None => judge.undecide("the challenge has no realm".to_owned()),
            }
        }),
    ]
}

fn facts(_: ChallengeKind, line: &AuthHeader<'_>) -> String {
    let text = |param| line.get(param).map(Value::to_text).unwrap_or_default();
    let params = [AuthParam::Realm, AuthParam::Targetname, AuthParam::Version].map(text);
    params.join(", ")
}
