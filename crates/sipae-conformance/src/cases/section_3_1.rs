//! 3.1: two phases.

use sipae::auth::Scheme;
use sipae_gen::{Connection, Edit, Recipient, Template, Text};
use sipae_spec::ReactionClass;

use super::{SA, complete_headers, handshake};
use crate::case::{Case, Gate};
use crate::reaction::Reaction;

const ROW: &str = "SIPAE-3.1-01";
/// What processes nothing either, though the row does not list it.
const WEAK: [ReactionClass; 2] = [ReactionClass::Close, ReactionClass::StatusClass(4)];

pub(super) fn cases() -> Vec<Case> {
    let methods = ["MESSAGE", "INVITE", "SUBSCRIBE", "NOTIFY", "INFO", "SERVICE", "BYE", "REFER"];
    methods.into_iter().map(unsigned).chain(logins()).chain(others()).chain(stand_ins()).collect()
}

/// Addressed to nobody: what is processed by mistake disturbs no one.
fn unsigned(method: &'static str) -> Case {
    Case::new(
        &format!("3.1/unsigned-{}", method.to_lowercase()),
        &format!("an unsigned {method} of an endpoint that has an association is not processed"),
        &[ROW],
    )
    .plan(move |mode| {
        handshake(mode)
            .compose("unsigned", complete_headers(Template::new(method).to(Recipient::Nobody)))
            .send("unsigned")
            .signed_fence(SA)
    })
    .judge(|judge| judge.reaction_with(ROW, "unsigned", &WEAK))
}

/// How many requests a login takes.
fn logins() -> Vec<Case> {
    vec![
        Case::new(
            "3.1/three-requests",
            "a login with NTLM takes three requests: bare, empty token, AUTHENTICATE",
            &["SIPAE-3.1-02"],
        )
        .with_ntlm()
        .plan(handshake)
        .judge(|judge| {
            let steps = ["bare", "first"].map(|name| judge.observation().reaction(name));
            if !matches!(steps, [Some(Reaction::Challenge(_)), Some(Reaction::Continuation(_))]) {
                return judge.undecide("the login began in another way".to_owned());
            }
            match judge.observed("last") {
                Some(fourth @ Reaction::Continuation(_)) => {
                    judge.check("SIPAE-3.1-02", "last: a final answer", Err(fourth.to_string()));
                }
                _ => judge.reaction("SIPAE-3.1-02", "last"),
            }
        }),
        Case::new(
            "3.1/two-requests",
            "a login with Kerberos takes two requests: bare, AP-REQ",
            &["SIPAE-3.1-03"],
        )
        .with(&[Scheme::Kerberos])
        .behind(Gate::Offered)
        .plan(handshake)
        .judge(|judge| match judge.observed("last") {
            // The list of the row has continuations for NTLM alone.
            Some(third @ Reaction::Continuation(_)) => {
                judge.check("SIPAE-3.1-03", "last: a final answer", Err(third.to_string()));
            }
            Some(Reaction::Challenge(_)) => judge.undecide("the ticket is not accepted".to_owned()),
            _ => judge.reaction("SIPAE-3.1-03", "last"),
        }),
        Case::new(
            "3.1/four-requests",
            "a login with TLS-DSK takes four requests: bare, ClientHello, the client's flight, a signed one",
            &["SIPAE-3.1-04"],
        )
        .with(&[Scheme::TlsDsk])
        .behind(Gate::Offered)
        .plan(handshake)
        .judge(|judge| {
            if matches!(judge.observation().reaction("second"), Some(Reaction::Challenge(_))) {
                return judge.undecide("the certificate is not accepted".to_owned());
            }
            for message in ["first", "second"] {
                let goes_on = |reaction: &Reaction| matches!(reaction, Reaction::Continuation(_));
                judge.answered_as("SIPAE-3.1-04", message, "a continuation", goes_on);
            }
            judge.processed("SIPAE-3.1-04", "last");
        }),
    ]
}

fn others() -> Vec<Case> {
    vec![
        Case::new(
            "3.1/unsigned-in-association",
            "an unsigned request of an endpoint that has an association is not processed",
            &[ROW],
        )
        .plan(|mode| {
            handshake(mode)
                .compose("register", Template::new("REGISTER"))
                .send("register")
                .compose("options", Template::new("OPTIONS"))
                .send("options")
                .signed_fence(SA)
        })
        .judge(|judge| {
            judge.reaction_with(ROW, "register", &WEAK);
            judge.reaction_with(ROW, "options", &WEAK);
        }),
        Case::new(
            "3.1/unsigned-on-another-connection",
            "an unsigned request is not processed because its endpoint has an association on another connection",
            &[ROW],
        )
        .plan(|mode| {
            const OTHER: Connection = Connection(6);
            handshake(mode)
                .connect(OTHER)
                .compose("unsigned", Template::new("OPTIONS"))
                .send_on("unsigned", OTHER)
                .fence_on(OTHER)
        })
        .judge(|judge| judge.reaction_with(ROW, "unsigned", &WEAK)),
    ]
}

fn stand_ins() -> Vec<Case> {
    vec![
        Case::new(
            "3.1/opaque-is-no-signature",
            "a credential that names an association and signs nothing does not stand for a signature",
            &[ROW],
        )
        .plan(|mode| {
            let named = Text::of(
                "NTLM qop=\"auth\", realm=\"{sa.realm}\", targetname=\"{sa.targetname}\", opaque=\"{sa.opaque}\"",
            );
            let header = |name: &str| Edit::AddHeader {
                name: name.to_owned(),
                value: named.clone(),
                first: false,
            };
            handshake(mode)
                .compose("unsigned", Template::new("OPTIONS"))
                .edit("unsigned", header("Authorization"))
                .edit("unsigned", header("Proxy-Authorization"))
                .send("unsigned")
                .signed_fence(SA)
        })
        .judge(|judge| {
            // A credential that lacks what a signature needs may also be told so.
            // Without a signature and a token it may be read as an empty token, too.
            let tokens = [ReactionClass::Continue401, ReactionClass::Continue407];
            judge.reaction_with(ROW, "unsigned", &[tokens, WEAK].concat());
        }),
        Case::new(
            "3.1/credential-for-another-server",
            "a credential for another server does not stand for a signature",
            &[ROW],
        )
        .plan(|mode| {
            handshake(mode)
                .compose("foreign", Template::new("OPTIONS"))
                .sign("foreign", SA)
                .edit(
                    "foreign",
                    Edit::Param(
                        sipae::auth::AuthParam::Realm,
                        sipae_gen::ParamEdit::Set(Text::from("another realm")),
                    ),
                )
                .send("foreign")
                .signed_fence(SA)
        })
        .judge(|judge| judge.reaction_with(ROW, "foreign", &WEAK)),
    ]
}
