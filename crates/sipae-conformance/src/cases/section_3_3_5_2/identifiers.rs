//! Which endpoint a handshake is for: epid, `+sip.instance`, GRUU (SIPAE-3.3.5.2-02 to -06).

use sipae::message::{HeaderName, Message};
use sipae_gen::{Mode, Edit, Party, Recipient, Script, Text};

use super::{STRANGER, completes, deepest, refuses, signed_after, stopped};
use crate::case::Case;
use crate::cases::{Handshake, SA, both, handshake};
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    [alone(), missing(), instances(), gruus(), lengths()].into_iter().flatten().collect()
}

const CONTACT: HeaderName = HeaderName::Contact;
const FROM: HeaderName = HeaderName::From;
/// The parameters of the user's own messages, as the suite writes them.
const EPID: &str = ";epid={user.epid}";
const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:{user.instance}>\"";

fn replace(header: HeaderName, from: &str, to: &str) -> Edit {
    Edit::Replace { header, from: Text::of(from), to: Text::of(to) }
}

fn without_epid() -> Edit {
    replace(FROM, EPID, "")
}

fn without_instance() -> Edit {
    replace(CONTACT, INSTANCE, "")
}

fn contact(uri: &str) -> Edit {
    Edit::SetHeader(CONTACT, Text::of(&format!("<{uri}>")))
}

/// The handshake of the user under test, and a request signed under the association that it may give.
fn and_signed(handshake: &Handshake, script: Script, mode: Mode) -> Script {
    handshake.leave(signed_after(handshake, handshake.play(script, mode)))
}

/// It completes, and the endpoint is found again.
fn is_known(judge: &mut Judge<'_>, row: &'static str, handshake: &Handshake) {
    completes(judge, row, handshake);
    if judge.observation().seen("after").is_some() {
        judge.processed(row, "after");
    }
}

/// The same for an identifier that products need not know: a 4xx is written down, another refusal is a remark.
fn is_known_or_refused(judge: &mut Judge<'_>, row: &'static str, handshake: &Handshake) {
    let message = deepest(judge, handshake);
    if stopped(judge, handshake, message) {
        return;
    }
    match judge.observation().reaction(message) {
        Some(reaction) if reaction.is_acceptance() => {
            completes(judge, row, handshake);
            let after = judge.observation().reaction("after");
            let unknown = after.filter(|after| !matches!(after, Reaction::Final { .. }));
            let holds = unknown.map_or(Ok(()), |after| Err(after.to_string()));
            judge.weakly(row, "after: the endpoint is known", holds);
        }
        Some(reaction @ Reaction::Final { status: 400..500, .. }) => {
            judge.record(row, &format!("{message}: accepted"), &reaction.to_string());
        }
        Some(reaction) => {
            judge.weakly(row, &format!("{message}: accepted, or a 4xx"), Err(reaction.to_string()));
        }
        None => {}
    }
}

fn alone() -> Vec<Case> {
    let (by_epid, by_instance, by_gruu) = (by_epid(), by_instance(), by_gruu());
    let [epid, instance, gruu] = [by_epid.clone(), by_instance.clone(), by_gruu.clone()];
    vec![
        Case::new("3.3.5.2/epid-alone", "an epid alone identifies an endpoint", &["SIPAE-3.3.5.2-02"])
            .plan(move |mode| and_signed(&epid, Script::connected(), mode))
            .judge(move |judge| is_known(judge, "SIPAE-3.3.5.2-02", &by_epid)),
        Case::new(
            "3.3.5.2/instance-alone",
            "+sip.instance alone identifies an endpoint, or is refused with a 4xx",
            &["SIPAE-3.3.5.2-02"],
        )
        .plan(move |mode| and_signed(&instance, Script::connected(), mode))
        .judge(move |judge| is_known_or_refused(judge, "SIPAE-3.3.5.2-02", &by_instance)),
        Case::new(
            "3.3.5.2/gruu-alone",
            "a GRUU that the registrar gave identifies an endpoint alone, or is refused with a 4xx",
            &["SIPAE-3.3.5.2-02"],
        )
        .plan(move |mode| and_signed(&gruu, handshake(mode), mode))
        .judge(move |judge| {
            if gives_gruus(judge, "last") {
                is_known_or_refused(judge, "SIPAE-3.3.5.2-02", &by_gruu);
            }
        }),
    ]
}

fn by_epid() -> Handshake {
    Handshake::user().edited([without_instance()])
}

fn by_instance() -> Handshake {
    Handshake::user().edited([without_epid()])
}

/// A GRUU is no address to register, hence OPTIONS.
fn by_gruu() -> Handshake {
    Handshake::of(Party::USER, "gruu")
        .over("OPTIONS", Recipient::Own)
        .edited([without_epid(), contact("{user.gruu}")])
}

/// Whether the registrar gives GRUUs; one that gives none need not know any.
fn gives_gruus(judge: &mut Judge<'_>, message: &str) -> bool {
    let has_gruu = |answer: &Message<'_>| {
        answer.contact().ok().flatten().is_some_and(|contact| contact.param("gruu").is_some())
    };
    let gives = judge.observation().answer(message, has_gruu).unwrap_or_default();
    if !gives {
        judge.undecide(format!("the answer to {message} gives no GRUU"));
    }
    gives
}

/// Handshakes that must be refused, by what is wrong with their identifiers.
fn refused_case(
    id: &str,
    title: &str,
    row: &'static str,
    handshake: Handshake,
    before: fn(Mode) -> Script,
) -> Case {
    let (played, rows) = (handshake.clone().fenced(), [row]);
    Case::new(id, title, &rows)
        .plan(move |mode| and_signed(&played, before(mode), mode))
        .judge(move |judge| refuses(judge, row, &handshake))
}

fn missing() -> Vec<Case> {
    let no_contact = [without_epid(), Edit::RemoveHeader(CONTACT)];
    vec![
        refused_case(
            "3.3.5.2/no-identifier",
            "a handshake without epid, +sip.instance and GRUU is refused",
            "SIPAE-3.3.5.2-03",
            Handshake::user().edited([without_epid(), without_instance()]),
            |_| Script::connected(),
        ),
        refused_case(
            "3.3.5.2/no-identifier-and-no-contact",
            "a handshake without epid and Contact is refused",
            "SIPAE-3.3.5.2-03",
            Handshake::user().edited(no_contact),
            |_| Script::connected(),
        ),
    ]
}

/// The epid 02020202 and its UUID as any library derives it, in the octet order of RFC 4122.
const STANDARD: (&str, &str) = (";epid=02020202", "80fc4966-0a65-5efa-beac-32e7c22d823e");

fn instances() -> Vec<Case> {
    let upper =
        Handshake::user().edited([Edit::UpperCase { header: CONTACT, text: Text::of("{user.instance}") }]);
    let standard = [replace(FROM, EPID, STANDARD.0), replace(CONTACT, "{user.instance}", STANDARD.1)];
    let played = upper.clone();
    vec![
        Case::new(
            "3.3.5.2/instance-in-upper-case",
            "the UUID of +sip.instance is the same in upper case",
            &["SIPAE-3.3.5.2-04"],
        )
        .plan(move |mode| and_signed(&played, Script::connected(), mode))
        .judge(move |judge| is_known(judge, "SIPAE-3.3.5.2-04", &upper)),
        refused_case(
            "3.3.5.2/instance-of-another-epid",
            "a +sip.instance that is not the one of the epid is refused",
            "SIPAE-3.3.5.2-04",
            Handshake::user().edited([replace(CONTACT, "{user.instance}", "{second.instance}")]),
            |_| Script::connected(),
        ),
        refused_case(
            "3.3.5.2/instance-in-standard-octet-order",
            "a +sip.instance derived from the epid in the octet order of RFC 4122 is refused",
            "SIPAE-3.3.5.2-04",
            Handshake::user().edited(standard),
            |_| Script::connected(),
        ),
    ]
}

/// A handshake with the own epid and a GRUU that is not that endpoint's. `issued` is an answer to a registration: only
/// a registrar that gives GRUUs has to know its own.
fn gruu_case(id: &str, title: &str, gruu: &str, before: fn(Mode) -> Script, issued: &'static str) -> Case {
    let handshake =
        Handshake::of(Party::USER, "foreign").over("OPTIONS", Recipient::Own).edited([contact(gruu)]);
    let played = handshake.clone().fenced();
    Case::new(id, title, &["SIPAE-3.3.5.2-05"])
        .plan(move |mode| and_signed(&played, before(mode), mode))
        .judge(move |judge| {
            if gives_gruus(judge, issued) {
                refuses(judge, "SIPAE-3.3.5.2-05", &handshake);
            }
        })
}

fn gruus() -> Vec<Case> {
    vec![
        gruu_case(
            "3.3.5.2/gruu-of-another-user",
            "a GRUU that the registrar gave to another user is refused",
            "{peer.gruu}",
            both,
            "peer last",
        )
        .with_second_account(),
        gruu_case(
            "3.3.5.2/gruu-of-another-endpoint",
            "a GRUU that the registrar gave to another endpoint of the user is refused",
            "{second.gruu}",
            two_endpoints,
            "second last",
        ),
        gruu_case(
            "3.3.5.2/gruu-of-nobody",
            "a GRUU that the registrar gave to nobody is refused",
            "sip:{user.address};opaque=user:epid:AAAAAAAAAAAAAAAAAAAAAAAA;gruu",
            handshake,
            "last",
        ),
    ]
}

/// Two endpoints of the user have each an association.
fn two_endpoints(mode: Mode) -> Script {
    let script = handshake(mode).connect(Party::SECOND.connection());
    Handshake::of(Party::SECOND, "second").play(script, mode)
}

/// Any epid of 16 characters may be used by anybody, so these begin like that of the script.
const SIXTEEN: &str = ";epid={user.epid}abcdef";

fn of_length(association: &str, length: usize) -> Handshake {
    let epid = format!("{SIXTEEN}{}", "0".repeat(length - 16));
    Handshake::of(Party::USER, association).edited([without_instance(), replace(FROM, EPID, &epid)])
}

fn lengths() -> Vec<Case> {
    let longest = of_length(SA, 16);
    let played = longest.clone();
    let accepted =
        Case::new("3.3.5.2/epid-of-16-characters", "an epid may have 16 characters", &["SIPAE-3.3.5.2-06"])
            .plan(move |mode| and_signed(&played, Script::connected(), mode))
            .judge(move |judge| is_known(judge, "SIPAE-3.3.5.2-06", &longest));
    [accepted, over_long(17), over_long(64), over_long(4096).rough()].into()
}

/// What becomes of longer ones is written down. None may be taken for its beginning, which is another endpoint.
fn over_long(length: usize) -> Case {
    let (own, long) = (of_length(SA, 16), of_length("long", length).on(STRANGER));
    let played = long.clone().fenced();
    Case::new(
        &format!("3.3.5.2/epid-of-{length}-characters"),
        "an epid of more than 16 characters is refused, and never taken for its first 16",
        &["SIPAE-3.3.5.2-06"],
    )
    .plan(move |mode| {
        let script = own.play(Script::connected(), mode).connect(STRANGER);
        let long = |script| played.leave(played.play(script, mode));
        own.leave(signed_after(&own, script.attempt(long)))
    })
    .judge(move |judge| {
        let message = deepest(judge, &long);
        let Some(reaction) = judge.observed(message) else { return };
        judge.record("SIPAE-3.3.5.2-06", &format!("an epid of {length} characters"), &reaction.to_string());
        judge.processed("SIPAE-3.3.5.2-06", "after");
    })
}
