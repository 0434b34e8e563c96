//! Who somebody claims to be: From of others, strangers at an endpoint that has an association, nobody at all
//! (SIPAE-3.3.5.2-17, -28, -29).

use sipae::auth::AuthParam;
use sipae::message::HeaderName;
use sipae_gen::{Mode, Edit, ParamEdit, Party, Password, Recipient, Script, Text};

use super::{STRANGER, completes, refuses, signed_after};
use crate::case::Case;
use crate::cases::{Handshake, both, handshake, signed};
use crate::judge::Judge;

pub(super) fn cases() -> Vec<Case> {
    [foreign_from(), own_address(), strangers(), anonymous()].into_iter().flatten().collect()
}

/// From of this address in place of the own one.
fn from(address: &str) -> Edit {
    let (from, to) = (Text::of("{user.address}"), Text::of(address));
    Edit::Replace { header: HeaderName::From, from, to }
}

/// To as well: a REGISTER for that address.
fn as_other(address: &str) -> [Edit; 2] {
    let to = Edit::SetHeader(HeaderName::To, Text::of(&format!("<sip:{address}>")));
    [from(address), to]
}

fn foreign_from() -> Vec<Case> {
    let nobody = "nobody-with-this-name@{user.host}";
    vec![
        register_as(
            "3.3.5.2/from-of-another-user",
            "a user who authenticates cannot use the address of another user in From",
            "{peer.address}",
        )
        .with_second_account(),
        register_as(
            "3.3.5.2/from-of-nobody",
            "a user who authenticates cannot use an address in From that nobody has",
            nobody,
        ),
        message_as(),
    ]
}

fn register_as(id: &str, title: &str, address: &str) -> Case {
    let handshake = Handshake::of(Party::USER, "false").edited(as_other(address));
    let played = handshake.clone().fenced();
    Case::new(id, title, &["SIPAE-3.3.5.2-17"])
        .plan(move |mode| signed_after(&played, played.play(Script::connected(), mode)))
        .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-17", &handshake))
}

/// A MESSAGE that completes a handshake must not reach anybody under a false name.
fn message_as() -> Case {
    let handshake = Handshake::of(Party::USER, "false")
        .over("MESSAGE", Recipient::Account(Party::PEER))
        .edited([from("{peer.address}")])
        .on(STRANGER);
    let played = handshake.clone().fenced();
    let case = Case::new(
        "3.3.5.2/message-under-a-false-name",
        "a MESSAGE that completes a handshake is not delivered with the address of another user in From",
        &["SIPAE-3.3.5.2-17"],
    );
    let case = case.with_peer().plan(move |mode| {
        let script = both(mode).connect(STRANGER);
        crate::cases::delivery_fence(script.attempt(|script| played.play(script, mode)))
    });
    case.judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-17", &handshake))
}

fn own_address() -> Vec<Case> {
    let shouted = Edit::UpperCase { header: HeaderName::From, text: Text::of("{user.address}") };
    let handshake = Handshake::user().edited([shouted]);
    let played = handshake.clone();
    let case = Case::new(
        "3.3.5.2/own-address-in-upper-case",
        "the own address in From is compared without regard to letter case",
        &["SIPAE-3.3.5.2-17"],
    );
    let case = case.plan(move |mode| signed_after(&played, played.play(Script::connected(), mode)));
    vec![case.judge(move |judge| {
        completes(judge, "SIPAE-3.3.5.2-17", &handshake);
        if judge.observation().seen("after").is_some() {
            judge.processed("SIPAE-3.3.5.2-17", "after");
        }
    })]
}

/// How far somebody comes who knows From and epid of the user, and not the password.
#[derive(Clone, Copy)]
enum Claim {
    Bare,
    FirstToken,
    Garbage,
    UnknownUser,
    Anonymous,
    /// The sacrificial account with a wrong password.
    WrongPassword,
    /// The second user with the right one.
    OtherUser,
}

const CLAIMS: [(&str, &str, Claim); 7] = [
    ("bare-request", "a bare request", Claim::Bare),
    ("first-token", "a first token", Claim::FirstToken),
    ("garbage", "an AUTHENTICATE that is none", Claim::Garbage),
    ("unknown-user", "an AUTHENTICATE of an unknown user", Claim::UnknownUser),
    ("anonymous", "an AUTHENTICATE of nobody", Claim::Anonymous),
    ("wrong-password", "an AUTHENTICATE with a wrong password", Claim::WrongPassword),
    ("another-user", "an AUTHENTICATE of another user", Claim::OtherUser),
];

/// The user's association outlives what strangers send with the user's From and epid.
fn strangers() -> Vec<Case> {
    let case = |(name, what, claim): (&str, &str, Claim)| {
        let title = format!("{what} with From and epid of an endpoint does not end its association");
        let case = Case::new(&format!("3.3.5.2/stranger-with-{name}"), &title, &["SIPAE-3.3.5.2-28"]);
        let case = match claim {
            Claim::FirstToken => case.with_continuation(),
            Claim::Anonymous => case.with_ntlm(),
            Claim::UnknownUser => case.with_last_token(),
            Claim::WrongPassword => case.failing_logons(1),
            Claim::OtherUser => case.with_second_account(),
            _ => case,
        };
        case.plan(move |mode| {
            let script = handshake(mode).connect(STRANGER);
            signed(script.attempt(|script| claim.play(script, mode)), "after").ask("after")
        })
        .judge(|judge| judge.processed("SIPAE-3.3.5.2-28", "after"))
    };
    CLAIMS.into_iter().map(case).collect()
}

impl Claim {
    fn play(self, script: Script, mode: Mode) -> Script {
        let claim = Handshake::of(Party::USER, "claim").on(STRANGER).fenced();
        let garbage = ParamEdit::Set(Text::from("TlRMTVNTUAADAAAA"));
        match self {
            Self::Bare => claim.only_bare(script),
            Self::FirstToken => claim.begin(script, mode),
            Self::Garbage => {
                let claim = claim.proving([Edit::Param(AuthParam::GssapiData, garbage)]);
                claim.finish(claim.begin(script, mode), mode)
            }
            Self::UnknownUser => {
                let password = Password::UnknownUser("nobody-with-this-name".to_owned());
                finish_as(&claim, Party::USER, script, mode, password)
            }
            Self::Anonymous => finish_as(&claim, Party::USER, script, mode, Password::Anonymous),
            Self::WrongPassword => {
                let password = Password::Wrong("not the password".to_owned());
                finish_as(&claim, Party::SACRIFICIAL, script, mode, password)
            }
            Self::OtherUser => finish_as(&claim, Party::PEER, script, mode, Password::Right),
        }
    }
}

/// The claim of the user's endpoint, with the credentials of this account.
fn finish_as(
    claim: &Handshake,
    account: Party,
    script: Script,
    mode: Mode,
    password: Password,
) -> Script {
    let claim = claim.clone().authenticated_as(account).with_password(password);
    claim.play(script, mode)
}

fn anonymous() -> Vec<Case> {
    let nobody = Handshake::user().fenced().with_password(Password::Anonymous);
    let case = Case::new(
        "3.3.5.2/anonymous",
        "an AUTHENTICATE of the anonymous kind gives no association, though its key signs",
        &["SIPAE-3.3.5.2-29"],
    )
    .with_ntlm();
    let case = case.plan(move |mode| {
        let script = nobody.complete(nobody.begin(Script::connected(), mode), mode);
        signed_after(&nobody, nobody.ask(script, "last"))
    });
    vec![case.judge(|judge: &mut Judge<'_>| refuses(judge, "SIPAE-3.3.5.2-29", &Handshake::user()))]
}
