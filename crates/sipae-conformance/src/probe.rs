//! What can be learnt of a server from a few exchanges, before anything is judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind, Scheme};
use sipae::clock::Time;
use sipae::message::{HeaderName, Message, Value};
use sipae::ntlm::{Challenge, NegotiateFlags};
use sipae::version::Version;
use sipae_gen::{Mode, Script, Template};
use sipae_net::SeededEntropy;

use crate::cases;
use crate::execute::{Stage, play};
use crate::gate::why_closed;
use crate::observation::{Observation, challenge_of};
use crate::pace::Pace;
use crate::profile::Profile;
use crate::reaction::{Reaction, Signature};
use crate::target::{Connector, Setting};

/// A line of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The scheme, in the target's spelling.
    pub scheme: String,
    /// `realm`.
    pub realm: Option<String>,
    /// `targetname`.
    pub targetname: Option<String>,
    /// `version`; 2 where it is absent, `None` where it is no number.
    pub version: Option<u32>,
    /// `sts-uri`: where TLS-DSK gets its certificates from.
    pub sts_uri: Option<String>,
}

impl Offer {
    /// The scheme, if it is one of [MS-SIPAE].
    #[must_use]
    pub fn known(&self) -> Option<Scheme> {
        Scheme::from_octets(self.scheme.as_bytes())
    }
}

/// A handshake under one of the offered schemes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The scheme.
    pub scheme: Scheme,
    /// What it showed, or why there was none.
    pub outcome: Result<Handshake, String>,
}

/// What a handshake showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// With NTLM: whether signatures have extended session security.
    pub extended_session_security: Option<bool>,
    /// The header field that carries signatures.
    pub signature_header: Option<String>,
    /// Whether signatures carry `version`.
    pub signs_version: bool,
    /// Seconds granted to a REGISTER that asks for none.
    pub expires: Option<u32>,
    /// Why a MESSAGE does not reach the second user; `None` if it does.
    pub undeliverable: Option<String>,
}

/// What was learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What a bare REGISTER brought.
    pub bare: String,
    /// 401 or 407.
    pub kind: Option<u16>,
    /// The lines of the challenge.
    pub offers: Vec<Offer>,
    /// How long the answer took.
    pub answer_time: Duration,
    /// The clock of the target minus that of this machine, in seconds.
    pub clock_offset: Option<i64>,
    /// Whether answers come in the order of the requests; `None` where that could not be seen.
    pub in_order: Option<bool>,
    /// How many requests at once were all answered; none more than [`DEEPEST`] were tried.
    pub depth: u32,
    /// The handshakes of the user of the profile, one for each offered scheme that signs; none without a profile.
    pub handshakes: Vec<Tried>,
}

/// What is asked for before it is known what there is.
const NEWEST: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };

/// Requests that are sent at once at most.
pub const DEEPEST: u32 = 64;

/// Looks at a target. Without `profile` nobody logs in.
#[must_use]
pub fn probe(ways: &dyn Connector, profile: Option<&Arc<Profile>>, seed: u64) -> Report {
    let accounts = profile.cloned().unwrap_or_else(|| Arc::new(Profile::of_reference()));
    let probe = Probe {
        ways,
        pace: Arc::new(Pace::new(accounts.answer_timeout)),
        accounts,
        seed,
        scripts: AtomicU64::new(0),
    };
    let now = ways.wire(Setting { mode: NEWEST, kind: None }, seed).now();
    let began = Instant::now();
    let bare = probe.observe(NEWEST, &cases::bare(Script::connected()));
    let answer_time = began.elapsed();
    let is_answered = bare.seen("bare").is_some_and(|seen| seen.answer.is_some());
    let (depth, in_order) = if is_answered { probe.pipeline() } else { (0, None) };
    let mut report = Report {
        bare: said(&bare),
        kind: bare.answer("bare", challenge_status).flatten(),
        offers: bare.answer("bare", offers).unwrap_or_default(),
        answer_time,
        clock_offset: bare.answer("bare", |answer| clock_offset(answer, now)).flatten(),
        in_order,
        depth,
        handshakes: Vec::new(),
    };
    if profile.is_some() {
        report.handshakes = probe.handshakes(&report.offers);
    }
    report
}

struct Probe<'p> {
    ways: &'p dyn Connector,
    pace: Arc<Pace>,
    accounts: Arc<Profile>,
    seed: u64,
    scripts: AtomicU64,
}

impl Probe<'_> {
    fn observe(&self, mode: Mode, script: &Script) -> Observation {
        // A server may take a branch that comes again for a retransmission.
        let seed = self.seed.wrapping_add(self.scripts.fetch_add(1, Ordering::Relaxed));
        let stage = Stage {
            wire: self.ways.wire(Setting { mode, kind: None }, seed),
            profile: Arc::clone(&self.accounts),
            peer: 0,
            mode,
            pace: Arc::clone(&self.pace),
            durations: None,
            control: None,
            entropy: SeededEntropy::new(seed),
            seed,
            choices: seed,
            is_brief: false,
        };
        let mut played = play(stage, script);
        let observation = played.observe();
        drop(played.finish());
        observation
    }

    /// Twice as many requests at once each time, until one is not answered.
    fn pipeline(&self) -> (u32, Option<bool>) {
        let (mut depth, mut in_order) = (1, None);
        while depth < DEEPEST {
            let names: Vec<String> = (0..2 * depth).map(|place| format!("request {place}")).collect();
            let script = Script::connected()
                .each(&names, |script, name| script.compose(name, Template::new("OPTIONS")))
                .each(&names, |script, name| script.send(name))
                .each(&names, |script, name| script.wait(name));
            let observation = self.observe(NEWEST, &script);
            let places: Option<Vec<u32>> =
                names.iter().map(|name| observation.seen(name).and_then(|seen| seen.place)).collect();
            let Some(places) = places else { break };
            in_order = Some(in_order.unwrap_or(true) && places.is_sorted());
            depth *= 2;
        }
        (depth, in_order)
    }

    fn handshakes(&self, offers: &[Offer]) -> Vec<Tried> {
        let signing = Scheme::SIGNING.into_iter();
        let offered = signing.filter_map(|scheme| {
            let offer = offers.iter().find(|offer| offer.known() == Some(scheme))?;
            Some(Tried { scheme, outcome: self.handshake(scheme, offer) })
        });
        offered.collect()
    }

    fn handshake(&self, scheme: Scheme, offer: &Offer) -> Result<Handshake, String> {
        if let Some(reason) = self.accounts.disclaims(scheme) {
            return Err(format!("not tried: {reason}"));
        }
        let version =
            offer.version.and_then(Version::from_number).ok_or("its version is none of 2, 3 and 4")?;
        let mode = Mode { scheme, version };
        let observation = self.observe(mode, &cases::handshake(mode));
        match why_closed(&observation, scheme, &self.accounts.user.name()) {
            Some(reason) => Err(reason),
            None => Ok(self.facts(mode, &observation)),
        }
    }

    fn facts(&self, mode: Mode, observation: &Observation) -> Handshake {
        let header = |answer: &Message<'_>| {
            HeaderName::SIGNATURES.into_iter().find(|name| answer.first(*name).is_some())
        };
        let signature_header = observation.answer("last", header).flatten();
        let signs_version = observation.answer("last", |answer| {
            let value = signature_header.and_then(|name| answer.first(name));
            value.is_some_and(|value| AuthHeader::read(value).get(AuthParam::Version).is_some())
        });
        let expires = observation.answer("last", |answer| {
            answer.expires().ok().flatten().and_then(|value| value.to_text().parse().ok())
        });
        Handshake {
            extended_session_security: observation.answer("first", is_extended).flatten(),
            signature_header: signature_header.map(|name| name.name().to_owned()),
            signs_version: signs_version.unwrap_or_default(),
            expires: expires.flatten(),
            undeliverable: self.undeliverable(mode),
        }
    }

    fn undeliverable(&self, mode: Mode) -> Option<String> {
        if self.accounts.peers.is_empty() {
            return Some("the profile has no second user (peer)".to_owned());
        }
        let observation = self.observe(mode, &cases::delivery(mode));
        if !observation.deliveries("message").is_empty() {
            return None;
        }
        let seen = observation.reaction("message").map(ToString::to_string);
        Some(seen.or(observation.broken).unwrap_or_else(|| "the exchange ended early".to_owned()))
    }
}

fn challenge_status(answer: &Message<'_>) -> Option<u16> {
    answer.status().filter(|status| ChallengeKind::from_status(*status).is_some())
}

fn said(observation: &Observation) -> String {
    match observation.reaction("bare") {
        Some(Reaction::Final { status, signature: Signature::Unsigned }) => format!("{status}"),
        Some(reaction) => reaction.to_string(),
        None => observation.broken.clone().unwrap_or_else(|| "nothing was sent".to_owned()),
    }
}

fn offers(answer: &Message<'_>) -> Vec<Offer> {
    let lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    let text = |line: &AuthHeader<'_>, param| line.get(param).map(Value::to_text);
    lines
        .map(|line| Offer {
            scheme: String::from_utf8_lossy(line.scheme_text()).into_owned(),
            realm: text(&line, AuthParam::Realm),
            targetname: text(&line, AuthParam::Targetname),
            version: line.version().ok(),
            sts_uri: text(&line, AuthParam::StsUri),
        })
        .collect()
}

fn clock_offset(answer: &Message<'_>, now: Time) -> Option<i64> {
    let date = Time::from_date(&answer.first(HeaderName::Date)?.to_text())?;
    let seconds = |time: Time| i64::try_from(time.0 / 1000).ok();
    Some(seconds(date)? - seconds(now)?)
}

fn is_extended(answer: &Message<'_>) -> Option<bool> {
    let token = challenge_of(Scheme::Ntlm, answer).and_then(|(_, line)| line.token().ok().flatten());
    let challenge = token.and_then(|token| Challenge::read(&token).ok())?;
    Some(challenge.flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    /// In memory the reference is at the version that is asked for: the probe asks for 4.
    #[test]
    fn the_reference_is_known_after_some_exchanges() {
        let profile = Arc::new(Profile::of_reference());
        let ways = Target::REFERENCE.connector(&profile).expect("no files are needed");
        let report = probe(ways.as_ref(), Some(&profile), 1);
        assert_eq!((report.kind, report.in_order, report.depth), (Some(401), Some(true), DEEPEST));
        let offered: Vec<_> = report.offers.iter().map(|offer| (offer.known(), offer.version)).collect();
        let schemes = offered_schemes();
        assert_eq!(offered, schemes.iter().map(|scheme| (Some(*scheme), Some(4))).collect::<Vec<_>>());
        assert_eq!(report.handshakes.len(), schemes.len());
        for (scheme, Tried { scheme: tried, outcome }) in schemes.into_iter().zip(report.handshakes) {
            let handshake = outcome.expect("a handshake");
            let is_extended = (scheme == Scheme::Ntlm).then_some(true);
            assert_eq!((scheme, handshake.extended_session_security), (tried, is_extended));
            assert!(handshake.signs_version);
            assert_eq!((handshake.expires, handshake.undeliverable), (Some(7200), None));
        }
    }

    fn offered_schemes() -> Vec<Scheme> {
        let is_built = |scheme: &Scheme| cfg!(feature = "tls") || *scheme != Scheme::TlsDsk;
        Scheme::SIGNING.into_iter().filter(is_built).collect()
    }

    #[test]
    fn a_scheme_without_credentials_is_not_tried() {
        let profile = Arc::new(Profile { tickets: None, ..Profile::of_reference() });
        let ways = Target::REFERENCE.connector(&profile).expect("no files are needed");
        let report = probe(ways.as_ref(), Some(&profile), 1);
        let kerberos = report.handshakes.into_iter().find(|tried| tried.scheme == Scheme::Kerberos);
        let why = "not tried: the profile has no credentials for it ([kerberos])";
        assert_eq!(kerberos.map(|tried| tried.outcome), Some(Err(why.to_owned())));
    }

    #[test]
    fn without_a_profile_nobody_logs_in() {
        let ways = Target::REFERENCE.connector(&Profile::of_reference()).expect("no files are needed");
        assert!(probe(ways.as_ref(), None, 1).handshakes.is_empty());
    }
}
