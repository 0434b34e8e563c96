//! Named faults in conversations.

use sipae::auth::Scheme;
use sipae_gen::fault::{Deviation, Fault, Stage};
use sipae_gen::{Check, Edit, Expect, Handshake, Party, Password, Script, Source};

use super::ground::{SA, STRANGER, request};
use super::{Ground, Iteration, Scene};

/// What stands before a message with a fault of this stage.
pub(crate) const fn ground(stage: Stage) -> Ground {
    match stage {
        Stage::Before | Stage::At | Stage::After | Stage::Resigned | Stage::Framing => Ground::Established,
        Stage::Opening | Stage::Proof | Stage::Shown => Ground::Connected,
    }
}

/// The conversation of a fault.
pub(crate) fn iteration(fault: &Fault, source: &mut dyn Source, scene: &Scene<'_>) -> Iteration {
    let (script, message) = conversation(fault, source, scene);
    Iteration { script, checks: checks(fault, scene.mode.scheme, &message), fault: fault.name }
}

/// Its steps, and the message with the fault.
fn conversation(fault: &Fault, source: &mut dyn Source, scene: &Scene<'_>) -> (Script, String) {
    let edits = match fault.deviation {
        Deviation::Edits(edits) => edits(source),
        _ => Vec::new(),
    };
    let name = scene.name;
    match fault.stage {
        Stage::Before => {
            let script = edited(request(Script::default(), name), name, edits);
            (script.sign(name, SA).send(name), name.to_owned())
        }
        Stage::At => (at(fault, source, name), name.to_owned()),
        Stage::After => (edited(signed(name), name, edits).send(name), name.to_owned()),
        Stage::Resigned => (edited(signed(name), name, edits).resign(name, SA).send(name), name.to_owned()),
        Stage::Framing => (framed(name, edits), name.to_owned()),
        Stage::Opening => opening(fault, scene, edits),
        Stage::Proof => proof(fault, scene, |handshake| handshake.proving(edits)),
        Stage::Shown => proof(fault, scene, |handshake| handshake.with_password(shown(fault))),
    }
}

/// What has to become of the message with a fault. With TLS-DSK a flight is answered with a flight, and a certificate may
/// be looked into when the handshake is over.
fn checks(fault: &Fault, scheme: Scheme, message: &str) -> Vec<Check> {
    let check = |message: &str, expect| Check::new(message, fault.requirement, expect);
    let Some(expect) = fault.expect else { return Vec::new() };
    match fault.stage {
        Stage::Shown if scheme == Scheme::TlsDsk => {
            ["proof second", "proof last"].map(|message| check(message, Expect::NotGrantedIfSent)).into()
        }
        Stage::Proof if scheme == Scheme::TlsDsk => vec![check(message, Expect::NotContinued)],
        _ => vec![check(message, expect)],
    }
}

/// A handshake whose proof is faulty. Accounts lock: what may count as a failed logon is not the user's.
fn proof(fault: &Fault, scene: &Scene<'_>, spoil: impl FnOnce(Handshake) -> Handshake) -> (Script, String) {
    let (handshake, script) = another(if costs_logon(fault) { Party::SACRIFICIAL } else { Party::USER });
    let handshake = spoil(handshake.fenced());
    let message = handshake.proof(scene.mode.scheme).to_owned();
    (handshake.play(script, scene.mode), message)
}

/// A handshake whose first token is faulty. Where nothing is expected of it, it is the association of somebody else that is
/// looked at, however far the handshake goes.
fn opening(fault: &Fault, scene: &Scene<'_>, edits: Vec<Edit>) -> (Script, String) {
    let spoilt = |handshake: Handshake| handshake.with_credential(edits).fenced();
    if fault.expect.is_some() {
        let handshake = spoilt(Handshake::user());
        return (handshake.begin(Script::default(), scene.mode), "first".to_owned());
    }
    let (handshake, script) = another(Party::SACRIFICIAL);
    let handshake = spoilt(handshake);
    let [_, first, ..] = handshake.requests();
    (script.attempt(|script| handshake.begin(script, scene.mode)), first.to_owned())
}

/// A handshake that has nothing to do with the ground, and the connection of its party.
fn another(party: Party) -> (Handshake, Script) {
    (Handshake::of(party, "proof"), Script::default().connect(party.connection()))
}

/// Whether a target may count it as a failed logon: not where the proof cannot be read, or is for nothing.
pub(crate) fn costs_logon(fault: &Fault) -> bool {
    // Behind a wrong key the proof is right.
    const HARMLESS: [&str; 3] = ["SIPAE-2.2-08", "SIPAE-3.3.5.2-09", "SIPAE-3.3.5.2-15"];
    matches!(fault.stage, Stage::Proof | Stage::Shown) && !HARMLESS.contains(&fault.requirement)
}

fn shown(fault: &Fault) -> Password {
    match fault.deviation {
        Deviation::Ticket(fault) => Password::Ticket(fault),
        Deviation::Certificate(fault) => Password::Certificate(fault),
        _ => Password::Right,
    }
}

fn signed(name: &str) -> Script {
    request(Script::default(), name).sign(name, SA)
}

fn at(fault: &Fault, source: &mut dyn Source, name: &str) -> Script {
    let signing = match fault.deviation {
        Deviation::Signing(signing) => signing(source),
        _ => sipae_gen::Signing::default(),
    };
    request(Script::default(), name).sign_with(name, SA, signing).send(name)
}

/// What spoils a connection is sent over one of its own; what comes behind it shows whether the target listens still.
fn framed(name: &str, edits: Vec<Edit>) -> Script {
    let script = Script::default().connect(STRANGER);
    let script = edited(request(script, name).sign(name, SA), name, edits);
    script.send_on(name, STRANGER).signed_fence_on(SA, STRANGER)
}

pub(crate) fn edited(script: Script, name: &str, edits: Vec<Edit>) -> Script {
    edits.into_iter().fold(script, |script, edit| script.edit(name, edit))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use sipae::auth::AuthHeader;
    use sipae::clock::Time;
    use sipae::message::{HeaderName, Limits, Message};
    use sipae::server::{ConnectionId, Input, Output, Server, ServerEvent};
    use sipae::violation::{Breach, Violation};
    use sipae_gen::{Drawn, Label};
    use sipae_net::{Act, MemoryWire, SeededEntropy, ServerObject};
    use sipae_spec::Severity;

    use super::*;
    use crate::execute::play;
    use crate::observation::Observation;
    use crate::pace::Pace;
    use crate::run::RunOptions;
    use crate::target::reference_config;

    /// The reference server, and what it remarks.
    struct Careful {
        server: Server,
        entropy: SeededEntropy,
        remarks: Arc<Mutex<Vec<Violation>>>,
    }

    impl Careful {
        fn handle(&mut self, input: Input<'_>, now: Time) -> Vec<Act> {
            let outputs = self.server.handle(input, now, &mut self.entropy);
            let act = |output| match output {
                Output::Send(connection, octets) => Some(Act::Send(connection, octets)),
                Output::Close(connection) => Some(Act::Close(connection)),
                Output::Event(ServerEvent::Refused { violation, .. }) => {
                    self.remarks.lock().expect("a list").push(violation);
                    None
                }
                Output::Event(_) => None,
            };
            outputs.into_iter().filter_map(act).collect()
        }
    }

    impl ServerObject for Careful {
        fn connect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act> {
            self.handle(Input::Connected(connection), now)
        }

        fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<Act> {
            self.handle(Input::Received(connection, octets), now)
        }
    }

    /// Plays a fault; what was seen, and what the server remarked behind the ground.
    fn played(fault: &Fault, seed: u64) -> (Observation, Label, Vec<Violation>) {
        let options = RunOptions::reference(seed);
        let scheme = fault.schemes[0];
        let is_here = |setting: &crate::target::Setting| {
            setting.mode.scheme == scheme && setting.mode.version == sipae::version::Version::V4
        };
        let setting = options.settings().into_iter().find(is_here).expect("offered");
        let ways = options.target.ways(&options.profile);
        let pace = Pace::new(options.profile.answer_timeout).into();
        let mut stage = options.stage(ways.as_ref(), setting, fault.name, &pace, 0);
        let remarks = Arc::new(Mutex::new(Vec::new()));
        let server = Server::new(reference_config(setting.mode.version));
        let entropy = SeededEntropy::new(seed);
        stage.wire =
            Box::new(MemoryWire::to(Box::new(Careful { server, entropy, remarks: Arc::clone(&remarks) })));
        let scene = Scene { mode: setting.mode, name: "m" };
        let (script, message) = conversation(fault, &mut Drawn::new(SeededEntropy::new(seed)), &scene);
        let prelude = ground(fault.stage).prelude(setting.mode);
        let steps = prelude.steps.into_iter().chain(script.steps);
        let observation = play(stage, &Script { steps: steps.collect() }).observe();
        let mut remarks = remarks.lock().expect("a list").clone();
        // The bare requests that every handshake begins with, and that a fence is before there is an association.
        let bare = if ground(fault.stage).is_established() { 1 } else { remarks.len() };
        let mut seen = 0;
        remarks.retain(|violation| {
            seen += usize::from(violation.breach == Breach::Unsigned);
            violation.breach != Breach::Unsigned || bare < seen
        });
        (observation, Label::new(&message), remarks)
    }

    /// The names of the remarks of a careful reader: on the octets by diagnostic, on the rest by rule. What the server
    /// refuses a message for is the same remark.
    fn remarked(fault: &Fault, seed: u64) -> BTreeSet<String> {
        let (observation, label, violations) = played(fault, seed);
        let seen = observation.messages.get(&label);
        let seen =
            seen.unwrap_or_else(|| panic!("{fault:?}: {label} was not sent: {:?}", observation.broken));
        let mut names = BTreeSet::new();
        if let Ok(message) = Message::parse(&seen.sent, &Limits::NONE) {
            let own = message.findings();
            names.extend(own.iter().map(|finding| finding.diagnostic.id().to_owned()));
            let credentials = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
            let headers: Vec<_> = credentials.map(AuthHeader::read).collect();
            let findings = headers.iter().flat_map(AuthHeader::findings);
            names.extend(findings.map(|finding| finding.diagnostic.id().to_owned()));
        }
        if names.iter().any(|name| is_grave(name)) && !violations.is_empty() {
            return names;
        }
        if !violations.is_empty() {
            // Notes are no remarks beside what a message is refused for.
            names.clear();
        }
        names.extend(violations.iter().map(|violation| match &violation.breach {
            Breach::Header { diagnostic, .. } => diagnostic.id().to_owned(),
            _ => violation.rule().to_owned(),
        }));
        names
    }

    fn is_grave(id: &str) -> bool {
        sipae_spec::Diagnostic::from_id(id).is_some_and(|diagnostic| diagnostic.severity() != Severity::Note)
    }

    #[test]
    fn a_careful_reader_has_exactly_one_remark_on_each_fault() {
        let mut wrong = Vec::new();
        for fault in Fault::all() {
            for seed in 1..4 {
                let names = remarked(fault, seed);
                if names != BTreeSet::from([fault.remark.to_owned()]) {
                    wrong.push(format!("{}: {} is {names:?}", fault.name, fault.remark));
                    break;
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}
