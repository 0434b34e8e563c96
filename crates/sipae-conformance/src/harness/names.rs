//! The tests that there are.

use std::fmt;

use sipae::auth::Scheme;
use sipae_gen::Mode;
use sipae_spec::{Requirement, Role};
use sipae_vectors::protocol::Greeting;

use crate::cases;
use crate::client::{self, Able};
use crate::codec;
use crate::needs;
use crate::run::RunOptions;
use crate::target::{Setting, Target};

/// One test: a case at a setting, or a gate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// `ntlm-v4`, or `codec`.
    pub(super) subject: String,
    /// The id of the case, or `gate`.
    pub(super) case: String,
    /// The strongest level of its rows.
    pub(super) level: &'static str,
    /// Whether it is known beforehand that the target does not claim it.
    pub(super) is_ignored: bool,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.subject, self.case)
    }
}

/// What the gate of a subject is called.
pub(super) const GATE: &str = "gate";

impl Name {
    fn gate(subject: &str) -> Self {
        Self { subject: subject.to_owned(), case: GATE.to_owned(), level: "", is_ignored: false }
    }
}

/// What a setting is called.
pub(super) fn subject(setting: Setting) -> String {
    let kind = setting.kind.map(|kind| format!("-{}", kind.status())).unwrap_or_default();
    let Mode { scheme, version } = setting.mode;
    if scheme == Scheme::Digest {
        return scheme.name().to_lowercase();
    }
    format!("{}-v{}{kind}", scheme.name().to_lowercase(), version.number())
}

/// What codecs are called.
pub(super) const CODEC: &str = "codec";

/// Every test of a target.
///
/// # Errors
/// When a codec has to be asked what it can do, and does not answer.
pub(super) fn names(options: &RunOptions) -> Result<Vec<Name>, String> {
    match &options.target {
        Target::Codec(_) | Target::CodecObject(_) => codec_names(options),
        target if target.role() == Role::Client => Ok(client_names(options)),
        _ => Ok(server_names(options)),
    }
}

/// The settings that the target claims.
fn claimed(options: &RunOptions) -> impl Iterator<Item = Setting> {
    let claimed = options.target.claimed(&options.profile);
    options.settings().into_iter().filter(move |setting| {
        let Mode { scheme, version } = setting.mode;
        options.profile.disclaims(scheme).is_none()
            && (scheme == Scheme::Digest || claimed.as_ref().is_none_or(|claimed| claimed.contains(&version)))
    })
}

fn server_names(options: &RunOptions) -> Vec<Name> {
    let mut names = Vec::new();
    for setting in claimed(options) {
        let subject = subject(setting);
        names.push(Name::gate(&subject));
        let meaningful = cases::all().filter(|case| case.needs().has_meaning(setting.mode));
        names.extend(meaningful.map(|case| Name {
            subject: subject.clone(),
            case: case.id().to_owned(),
            level: level(case.requirements()),
            is_ignored: needs::unclaimed(options, case, setting.mode).is_some(),
        }));
    }
    names
}

fn client_names(options: &RunOptions) -> Vec<Name> {
    let mut names = Vec::new();
    for setting in claimed(options) {
        let subject = subject(setting);
        let able = Able::of(&options.target, &options.profile, setting.mode);
        names.push(Name::gate(&subject));
        let meaningful = client::cases::all().iter().filter(|case| case.needs().has_meaning(setting.mode));
        names.extend(meaningful.map(|case| Name {
            subject: subject.clone(),
            case: case.id().to_owned(),
            level: level(case.requirements()),
            is_ignored: !able.may_have(case.needs()),
        }));
    }
    names
}

fn codec_names(options: &RunOptions) -> Result<Vec<Name>, String> {
    let opened = options.target.codec(&options.profile);
    let greeting: Option<Greeting> = match opened {
        Some(Ok(codec)) => Some(codec.greeting().clone()),
        Some(Err(error)) => return Err(format!("the codec {error}")),
        None => None,
    };
    let claimed = options.profile.operations.as_ref();
    let is_offered = |op: &str| match claimed {
        Some(claimed) => claimed.iter().any(|claimed| claimed == op),
        None => greeting.as_ref().is_none_or(|greeting| greeting.offers(op)),
    };
    let cases = codec::cases().iter().map(|case| Name {
        subject: CODEC.to_owned(),
        case: case.id().to_owned(),
        level: level(case.requirements()),
        is_ignored: !is_offered(case.operation()),
    });
    Ok([Name::gate(CODEC)].into_iter().chain(cases).collect())
}

fn level(rows: &[&'static str]) -> &'static str {
    let levels = rows.iter().filter_map(|id| Requirement::get(id)).map(|row| row.level);
    levels.min().map(sipae_spec::Level::name).unwrap_or_default()
}
