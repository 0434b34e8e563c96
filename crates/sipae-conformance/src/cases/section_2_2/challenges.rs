//! What a server writes into its challenges (SIPAE-2.2-13, -18).

use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::message::{HeaderName, Message, Value};
use sipae_gen::Script;

use super::name;
use crate::case::{Case, Gate};
use crate::cases::bare;
use crate::judge::Judge;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            &name("targetname-is-a-host"),
            "the targetname is a host name, and for Kerberos the name of the service sip on it",
            &["SIPAE-2.2-13"],
        )
        .behind(Gate::Offered)
        .plan(|_| bare(Script::connected()))
        .judge(targetname),
        Case::new(
            &name("sts-uri-of-tls-dsk-only"),
            "sts-uri stands in lines of TLS-DSK only, and is an https URL",
            &["SIPAE-2.2-18"],
        )
        .behind(Gate::Reachable)
        .plan(|_| bare(Script::connected()))
        .judge(|judge| {
            judge.answer("SIPAE-2.2-18", "bare", "sts-uri with TLS-DSK only, https", |answer| {
                lines(answer).try_for_each(|line| sts_uri(&line))
            });
        }),
    ]
}

fn lines<'m>(answer: &Message<'m>) -> impl Iterator<Item = AuthHeader<'m>> {
    HeaderName::CHALLENGES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read)
}

fn sts_uri(line: &AuthHeader<'_>) -> Result<(), String> {
    let Some(uri) = line.get(AuthParam::StsUri) else { return Ok(()) };
    let is_https = uri.raw().get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https://"));
    if line.scheme() == Some(Scheme::TlsDsk) && is_https { Ok(()) } else { Err(line.value().to_text()) }
}

/// A name without a dot may be that of a server in a laboratory, so it fails nobody.
fn targetname(judge: &mut Judge<'_>) {
    const ROW: &str = "SIPAE-2.2-13";
    let text = |_, line: &AuthHeader<'_>| line.get(AuthParam::Targetname).map(Value::to_text);
    let Some(targetname) = judge.observation().challenge("bare", text).flatten() else {
        return judge.undecide("the challenge has no targetname".to_owned());
    };
    let targetname = match (judge.mode().scheme, targetname.strip_prefix("sip/")) {
        (Scheme::Kerberos, Some(host)) => host.to_owned(),
        (Scheme::Kerberos, None) => return judge.check(ROW, "sip/ and a host name", Err(targetname)),
        _ => targetname,
    };
    let is_in_host = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let is_host = !targetname.is_empty() && targetname.chars().all(is_in_host);
    judge.check(ROW, "a host name", if is_host { Ok(()) } else { Err(targetname.clone()) });
    let is_full = targetname.contains('.');
    judge.weakly(ROW, "a fully qualified name", if is_full { Ok(()) } else { Err(targetname) });
}
