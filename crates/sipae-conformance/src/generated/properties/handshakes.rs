//! Handshakes: whoever proves who they are is let in, and nobody else.

use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::conforming::any_case;
use sipae_gen::fault::Stage;
use sipae_gen::{
    Check, Choices, DigestChange, Edit, Expect, Handshake, ParamEdit, Party, Recipient, Source, Template,
    Text,
};

use super::faulty::{odd_token, of_faults, one_of};
use super::{Ground, Iteration, Property, Scene, Script, case, expecting};
use crate::case::{Case, Gate, Place};
use crate::cases::anonymous::{anonymous_invite, hang_up};

/// Failed logons that a run may cost a live target: what is made smaller there costs more.
const LOGONS: u32 = 3;

pub(super) fn cases() -> Vec<Case> {
    let proofs = [
        of_faults(
            "2.2/any-token-text",
            "a token that is no Base64 is no token",
            &["SIPAE-2.2-08"],
            &[Stage::Proof],
        ),
        of_faults(
            "3.3.5.2/any-broken-token",
            "a token that cannot be read gives no association",
            &["SIPAE-3.3.5.2-21"],
            &[Stage::Proof],
        )
        .failing_logons(LOGONS),
        of_faults(
            "3.3.5.2/any-wrong-proof",
            "a token that proves nothing gives no association",
            &["SIPAE-3.3.5.2-16", "SIPAE-3.3.5.2-31"],
            &[Stage::Proof, Stage::Shown],
        )
        .with_last_token()
        .failing_logons(LOGONS),
        of_faults(
            "3.3.5.2/any-wrong-certificate",
            "a certificate that is not the user's, or not of today, gives no association",
            &["SIPAE-3.3.5.2-12"],
            &[Stage::Shown],
        )
        .with(&[Scheme::TlsDsk])
        .minting()
        .failing_logons(LOGONS),
        of_faults(
            "3.3.5.2/any-skew",
            "an authenticator of another time gives no association",
            &["SIPAE-3.3.5.2-19"],
            &[Stage::Shown],
        )
        .with(&[Scheme::Kerberos])
        .minting()
        .failing_logons(LOGONS),
        of_faults(
            "3.3.5.2/any-other-opaque",
            "the last step of a handshake is found by the opaque of the steps before",
            &["SIPAE-3.3.5.2-09"],
            &[Stage::Proof],
        )
        .with_continuation(),
    ];
    let openings = [
        of_faults(
            "2.2/any-first-token",
            "a first token that is no Base64 begins nothing",
            &["SIPAE-2.2-08"],
            &[Stage::Opening],
        )
        .behind(Gate::Offered)
        .with_ntlm(),
        of_faults(
            "3.3.5.2/any-qop",
            "a handshake whose qop is not auth is none",
            &["SIPAE-3.3.5.2-23"],
            &[Stage::Opening],
        )
        .behind(Gate::Offered)
        .with_continuation(),
        of_faults(
            "3.3.5.2/any-version",
            "a version that is none, or was not offered, is refused",
            &["SIPAE-3.3.5.2-22"],
            &[Stage::Opening],
        )
        .behind(Gate::Offered)
        .at(&[Version::V3, Version::V4])
        .with_continuation(),
    ];
    let others = [
        scheme_case(),
        methods(),
        epids(),
        instances(),
        no_endpoint(),
        wrong_instance(),
        foreign_from(),
        completing(),
        odd_token().failing_logons(LOGONS),
        digest_changes(),
        digest_counts(),
    ];
    proofs.into_iter().chain(openings).chain(others).collect()
}

fn scheme_case() -> Case {
    const ROW: &str = "SIPAE-2.2-01";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let name = any_case(source, scene.mode.scheme.name());
        let handshake = Handshake::user().with_credential([Edit::Scheme(Text::from(name))]);
        let script = handshake.begin(Script::default(), scene.mode);
        expecting(script, "first", ROW, Expect::Continued)
    };
    let property = Property::new(Ground::Connected, make).alone();
    case("2.2/any-scheme-case", "a scheme is known in any letter case", &[ROW], property)
        .behind(Gate::Offered)
        .with_continuation()
}

/// A handshake of the user that must go on to its end.
fn completes(handshake: &Handshake, scene: &Scene<'_>, row: &str) -> Iteration {
    let script = handshake.leave(handshake.play(Script::default(), scene.mode));
    let steps: &[&str] = match scene.mode.scheme {
        Scheme::Ntlm => &["first"],
        Scheme::TlsDsk => &["first", "second"],
        _ => &[],
    };
    let steps = steps.iter().map(|name| Check::new(*name, row, Expect::Continued));
    let last = Check::new(handshake.last(), row, Expect::ProcessedIfSent);
    Iteration::new(script, steps.chain([last]).collect())
}

/// A right one with changes to its requests.
fn right(id: &str, title: &str, row: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Case {
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        completes(&Handshake::user().edited(edits(source)), scene, row)
    };
    case(id, title, &[row], Property::new(Ground::Connected, make).alone())
}

/// A wrong one: no matter how far it goes, nobody is let in.
fn wrong(id: &str, title: &str, row: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Case {
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        let handshake = Handshake::user().edited(edits(source)).fenced();
        let script = Script::default().attempt(|script| handshake.play(script, scene.mode));
        let requests = handshake.requests();
        let checks = requests.iter().map(|name| Check::new(*name, row, Expect::NotGrantedIfSent)).collect();
        Iteration::new(script, checks)
    };
    case(id, title, &[row], Property::new(Ground::Connected, make).alone())
}

fn methods() -> Case {
    const ROW: &str = "SIPAE-3.3.5.2-25";
    let make = |source: &mut dyn Source, scene: &Scene<'_>| {
        let method = source.text(&["REGISTER", "OPTIONS", "MESSAGE", "INFO", "SERVICE"]);
        let to = if method == "REGISTER" || method == "OPTIONS" { Recipient::Own } else { Recipient::Nobody };
        completes(&Handshake::user().over(method, to), scene, ROW)
    };
    let property = Property::new(Ground::Connected, make).alone();
    case("3.3.5.2/any-method", "a handshake is carried by any request", &[ROW], property)
}

const NO_INSTANCE: Edit = Edit::RemoveHeader(HeaderName::Contact);

fn epids() -> Case {
    right(
        "3.3.5.2/any-epid",
        "an epid of up to 16 characters names an endpoint",
        "SIPAE-3.3.5.2-06",
        |source| {
            let length = source.between(1, 16);
            let epid = source.word("0123456789abcdef", length);
            let from = format!("<sip:{{user.address}}>;tag={{user.tag}};epid={epid}");
            let contact = "<sip:127.0.0.1:5060;transport=tcp>";
            vec![
                Edit::SetHeader(HeaderName::From, Text::of(&from)),
                Edit::SetHeader(HeaderName::Contact, Text::of(contact)),
            ]
        },
    )
}

fn instances() -> Case {
    right(
        "3.3.5.2/any-instance",
        "the instance of an endpoint is the same in any letter case",
        "SIPAE-3.3.5.2-04",
        |source| {
            let text = Text::of("{user.instance}");
            let upper = Edit::UpperCase { header: HeaderName::Contact, text };
            if source.one_in(3) { Vec::new() } else { vec![upper] }
        },
    )
}

fn no_endpoint() -> Case {
    wrong("3.3.5.2/any-nobody", "a handshake of no endpoint is refused", "SIPAE-3.3.5.2-03", |source| {
        let from = source.text(&[
            "<sip:{user.address}>;tag={user.tag}",
            "<sip:{user.address}>;tag={user.tag};xepid={user.epid}",
            "<sip:{user.address};epid={user.epid}>;tag={user.tag}",
        ]);
        vec![Edit::SetHeader(HeaderName::From, Text::of(from)), NO_INSTANCE]
    })
}

fn wrong_instance() -> Case {
    wrong(
        "3.3.5.2/any-other-instance",
        "an instance that is not that of the epid is refused",
        "SIPAE-3.3.5.2-04",
        |source| {
            let digits = source.word("0123456789abcdef", 12);
            let contact =
                format!("<sip:127.0.0.1:5060>;+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-{digits}>\"");
            vec![Edit::SetHeader(HeaderName::Contact, Text::from(contact))]
        },
    )
}

/// Right credentials behind somebody else's From.
fn foreign_from() -> Case {
    wrong("3.3.5.2/any-foreign-from", "nobody is let in as somebody else", "SIPAE-3.3.5.2-17", |source| {
        let name = source.word("abcdefghijklmnopqrstuvwxyz", 12);
        let address = format!("<sip:nobody-{name}@{{user.host}}>");
        let from = format!("{address};tag={{user.tag}};epid={{user.epid}}");
        vec![
            Edit::SetHeader(HeaderName::From, Text::of(&from)),
            Edit::SetHeader(HeaderName::To, Text::of(&address)),
        ]
    })
}

/// What completes a handshake of version 4 is signed, and the signature is looked at.
fn completing() -> Case {
    const ROW: &str = "SIPAE-3.3.5.2-15";
    let wrong_key = one_of(|fault| fault.requirement == ROW);
    let make = move |source: &mut dyn Source, scene: &Scene<'_>| {
        if scene.mode.scheme == Scheme::Ntlm && source.one_in(6) {
            return wrong_key(source, scene);
        }
        let change = match source.below(4) {
            0 => Edit::Param(AuthParam::Response, ParamEdit::FlipBitBack(source.below(16) as usize + 1)),
            1 => Edit::Param(AuthParam::Response, ParamEdit::Truncate(2 * source.between(1, 12) as usize)),
            2 => {
                Edit::Param(AuthParam::Crand, ParamEdit::Set(Text::from(source.word("0123456789abcdef", 8))))
            }
            _ => Edit::Param(AuthParam::Cnum, ParamEdit::Set(Text::from(source.between(2, 200).to_string()))),
        };
        let handshake = Handshake::user().completing([change]).fenced();
        let script = handshake.play(Script::default(), scene.mode);
        expecting(script, handshake.last(), ROW, Expect::Legal)
    };
    let property = Property::new(Ground::Connected, make).alone();
    let title = "a handshake whose completing request is not signed right gives no association";
    case("3.3.5.2/any-completing-signature", title, &[ROW], property).at(&[Version::V4])
}

/// The INVITE or REGISTER of somebody who is asked by Digest.
fn digest(
    id: &str,
    title: &str,
    row: &'static str,
    make: impl Fn(&mut dyn Source) -> Iteration + Send + Sync + 'static,
) -> Case {
    let property =
        Property::new(Ground::Nothing, move |source: &mut dyn Source, _: &Scene<'_>| make(source)).alone();
    case(id, title, &[row], property).with_digest().failing_logons(LOGONS)
}

fn challenged(party: Party) -> Script {
    let script = Script::default().connect(party.connection());
    script.compose("bare", anonymous_invite().of(party)).ask("bare")
}

fn digest_changes() -> Case {
    const ROW: &str = "SIPAE-3.3.5.4-05";
    digest("3.3.5.4/any-wrong-digest", "a wrong Digest credential is refused", ROW, |source| {
        let party = Party::ANONYMOUS_WRONG;
        let word = source.word("abcdefgh", 6);
        let change = match source.below(2) {
            0 => DigestChange { key: Some(word), ..DigestChange::default() },
            _ => DigestChange { realm: Some(format!("{word}.invalid")), ..DigestChange::default() },
        };
        let script = challenged(party).compose("wrong", anonymous_invite().of(party));
        let script = script.digest_with("wrong", "bare", change).ask("wrong");
        expecting(hang_up(script, party, "wrong"), "wrong", ROW, Expect::Legal)
    })
}

fn digest_counts() -> Case {
    const ROW: &str = "SIPAE-3.3.5.5-01";
    let make = |source: &mut dyn Source| {
        let party = Party::ANONYMOUS;
        let method = source.text(&["INVITE", "MESSAGE", "BYE", "OPTIONS"]).to_owned();
        let change = DigestChange { method: Some(method), ..DigestChange::default() };
        let script = challenged(party).compose("last", anonymous_invite().of(party));
        let script = script.digest("last", "bare").ask("last");
        let inside = Template::new("INFO").of(party).within("last");
        let script = script.attempt(|script| {
            script.compose("wrong", inside).digest_with("wrong", "bare", change).ask("wrong")
        });
        expecting(hang_up(script, party, "last"), "wrong", ROW, Expect::Refused)
    };
    digest("3.3.5.5/any-method", "a Digest credential is for one method", ROW, make)
        .in_place(Place::Conference)
}
