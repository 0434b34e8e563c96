//! The request that completes a handshake (SIPAE-3.3.5.2-01, -15, -16).

use sipae::auth::AuthParam;
use sipae::message::Message;
use sipae::version::Version;
use sipae_gen::{Edit, Mode, ParamEdit, Party, Password, Script, Signing, Text, Token};

use super::{STRANGER, completes, refuses, signed_after};
use crate::case::Case;
use crate::cases::{Handshake, SA, first_token};
use crate::judge::Judge;

pub(super) fn cases() -> Vec<Case> {
    [unsigned(), badly_signed(), signed_early(), failed()].into_iter().flatten().collect()
}

/// A completing request of version 4 whose signature is not as it must be: no association comes out of it.
fn completion_case(
    id: &str,
    title: &str,
    complete: impl Fn(Script, Mode) -> Script + Send + Sync + 'static,
) -> Case {
    Case::new(id, title, &["SIPAE-3.3.5.2-15"])
        .at(&[Version::V4])
        .plan(move |mode| {
            let user = Handshake::user().fenced();
            signed_after(&user, user.ask(complete(user.begin(Script::connected(), mode), mode), "last"))
        })
        .judge(|judge| refuses(judge, "SIPAE-3.3.5.2-15", &Handshake::user()))
}

fn unsigned() -> Vec<Case> {
    let unsigned = |script: Script, mode: Mode| {
        Handshake::user().complete(script, Mode { version: Version::V3, ..mode })
    };
    vec![completion_case(
        "3.3.5.2/completion-must-be-signed",
        "at version 4 an AUTHENTICATE without a signature gives no association",
        unsigned,
    )
    .with_last_token()]
}

/// What is changed in a good signature.
const CHANGES: [(&str, &str, AuthParam, ParamEdit); 4] = [
    ("wrong-signature", "whose signature is wrong", AuthParam::Response, ParamEdit::FlipBit),
    ("truncated-signature", "whose signature is cut short", AuthParam::Response, ParamEdit::Truncate(16)),
    ("no-number", "without cnum", AuthParam::Cnum, ParamEdit::Remove),
    ("no-salt", "without crand", AuthParam::Crand, ParamEdit::Remove),
];

fn badly_signed() -> Vec<Case> {
    let changed = CHANGES.into_iter().map(|(name, what, param, change)| {
        let handshake = Handshake::user().completing([Edit::Param(param, change)]);
        completion_case(
            &format!("3.3.5.2/completion-with-{name}"),
            &format!("at version 4 an AUTHENTICATE {what} gives no association"),
            move |script, mode| handshake.complete(script, mode),
        )
    });
    let layout = completion_case(
        "3.3.5.2/completion-in-layout-of-version-2",
        "at version 4 an AUTHENTICATE signed in the layout of version 2 gives no association",
        |script, mode| {
            let signing =
                Signing { token: Some(Token::Answer), layout: Some(Version::V2), ..Signing::default() };
            // The layout alone is wrong: the version that is written stays the offered one.
            let version = Edit::AddParam { name: "version".to_owned(), value: "4".into(), first: false };
            let script = Handshake::user().complete(script, mode);
            script.sign_with("last", SA, signing).edit("last", version)
        },
    );
    let other_key = completion_case(
        "3.3.5.2/completion-with-another-key",
        "at version 4 an AUTHENTICATE signed with the key of another association gives no association",
        with_another_key,
    );
    changed.chain([layout, other_key]).collect()
}

/// Another endpoint of the user has an association; its key signs.
fn with_another_key(script: Script, mode: Mode) -> Script {
    let other = Handshake::of(Party::SECOND, "other");
    let script = other.play(script.connect(Party::SECOND.connection()), mode);
    let signing =
        Signing { token: Some(Token::Text(Text::of("{sa.token}"))), number: Some(1), ..Signing::default() };
    Handshake::user()
        .complete(script, mode)
        .sign_with("last", "other", signing)
        .edit("last", Edit::Param(AuthParam::Opaque, ParamEdit::Set(Text::of("{sa.opaque}"))))
}

/// Below version 4 the signature is not needed; where it is there, gssapi-data decides what the message is.
fn signed_early() -> Vec<Case> {
    let case = Case::new(
        "3.3.5.2/signature-beside-token",
        "below version 4 a credential with gssapi-data and response is a handshake message",
        &["SIPAE-3.3.5.2-01"],
    );
    let case = case
        .at(&[Version::V2, Version::V3])
        .plan(|mode| {
            let signing = Mode { version: Version::V4, ..mode };
            Handshake::user().complete(first_token(Script::connected(), mode), signing).ask("last")
        });
    vec![case.judge(|judge| completes(judge, "SIPAE-3.3.5.2-01", &Handshake::user()))]
}

fn sacrificial() -> Handshake {
    Handshake::of(Party::SACRIFICIAL, "failed").fenced()
}

fn failing(mode: Mode, password: Password) -> Script {
    let script = Script::default().connect(Party::SACRIFICIAL.connection());
    sacrificial().with_password(password).play(script, mode)
}

fn wrong() -> Password {
    Password::Wrong("not the password".to_owned())
}

fn failed() -> Vec<Case> {
    let wrong_password = Case::new(
        "3.3.5.2/wrong-password",
        "a wrong password is refused, gives no association, and ends the handshake",
        &["SIPAE-3.3.5.2-16"],
    )
    .with_ntlm()
    .failing_logons(1)
    .plan(|mode| {
        let script = signed_after(&sacrificial(), failing(mode, wrong()));
        sacrificial().ending("again").finish(script, mode)
    })
    .judge(|judge| {
        refuses(judge, "SIPAE-3.3.5.2-16", &sacrificial());
        judge.refusal("SIPAE-3.3.5.2-16", "again");
    });
    let unknown_user = Case::new(
        "3.3.5.2/unknown-user",
        "an unknown user is refused; whether that looks like a wrong password is written down",
        &["SIPAE-3.3.5.2-16"],
    )
    .with_last_token()
    .failing_logons(1)
    .plan(|mode| {
        // The first connection may have been closed.
        let unknown = Handshake::of(Party::SACRIFICIAL, "unknown").on(STRANGER).fenced();
        let password = Password::UnknownUser("nobody-with-this-name".to_owned());
        let script = failing(mode, wrong()).connect(STRANGER);
        unknown.with_password(password).play(script, mode)
    })
    .judge(|judge| {
        judge.refusal("SIPAE-3.3.5.2-16", "failed last");
        judge.refusal("SIPAE-3.3.5.2-16", "unknown last");
        tells_users_apart(judge);
    });
    vec![wrong_password, unknown_user]
}

/// Who can tell an unknown user from a wrong password can find out who is there.
fn tells_users_apart(judge: &mut Judge<'_>) {
    let observation = judge.observation();
    let look = |name| {
        let reaction = observation.reaction(name).map(ToString::to_string);
        (reaction, observation.answer(name, diagnostics))
    };
    let (wrong, unknown) = (look("failed last"), look("unknown last"));
    let got =
        if wrong == unknown { "no difference".to_owned() } else { format!("{wrong:?} and {unknown:?}") };
    judge.record("SIPAE-3.3.5.2-16", "a wrong password and an unknown user", &got);
}

/// What tells why.
fn diagnostics(answer: &Message<'_>) -> Vec<String> {
    let is_reason = |name: &[u8]| {
        name.to_ascii_lowercase().starts_with(b"ms-diagnostics") || name.eq_ignore_ascii_case(b"Reason")
    };
    let headers = answer.headers().filter(|header| is_reason(header.name));
    headers.map(|header| header.value.to_text()).collect()
}
