//! `sipae client`.

mod credentials;

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use sipae::client::{AnonymousConfig, AnonymousEvent, ClientConfig, ClientEvent, Stimulus};
use sipae::clock::Entropy;
use sipae::encoding::encode_base16;
use sipae::version::Version;
use sipae_conformance::control::protocol::{Answer, Ask, Hello, HelloDurations, PROTOCOL};
use sipae_conformance::profile::{Profile, ProfileUser};
use sipae_conformance::target::Target;
use sipae_events::ExitCode;
use sipae_net::{
    AgentObject, AnonymousObject, ClientControl, ClientEnd, ClientHost, ClientObject, OsEntropy, TlsClient,
    TlsOptions,
};

use crate::args::{AccountArgs, ClientArgs};
use crate::output::Failure;
use crate::{control, tls};

pub(crate) fn client(args: &ClientArgs) -> Result<ExitCode, Failure> {
    let host = host(args)?;
    if args.control {
        let (control, stimuli) = (host.control(), host.stimuli().to_vec());
        thread::Builder::new().spawn(move || listen(&control, &stimuli)).map_err(Failure::Client)?;
    }
    let has_failed = |why: Option<String>| {
        if let Some(why) = why {
            // Nobody is left to read it when this fails.
            let _unread = writeln!(io::stderr(), "error: {why}");
        }
        ExitCode::Failed
    };
    Ok(match host.run(args.control, |_| {}) {
        ClientEnd::Stopped => ExitCode::Passed,
        ClientEnd::Failed => ExitCode::Failed,
        // The end of the input is how a client behind pipes is told to end.
        ClientEnd::Disconnected(_) if args.stdio => ExitCode::Passed,
        ClientEnd::Disconnected(why) => has_failed(why),
    })
}

/// The client of a server, or of a conference.
fn object(args: &ClientArgs) -> Result<Box<dyn ClientObject>, Failure> {
    let on_standard_error = args.control || args.stdio;
    let Some(conference) = credentials::conference(&args.credentials)? else {
        let agent = AgentObject::with_entropy(config(args)?, OsEntropy);
        return Ok(Box::new(agent.with_listener(move |event| tell(event, on_standard_error))));
    };
    let (epid, transport) = (fresh_epid(), transport(args).to_owned());
    let host = format!("{epid}.invalid");
    let config = AnonymousConfig { epid, host, transport, ..conference };
    let guest = AnonymousObject::with_entropy(config, OsEntropy);
    let guest = guest.map_err(|error| Failure::Usage(format!("--conference: {error}")))?;
    Ok(Box::new(guest.with_listener(move |event| tell_of_conference(event, on_standard_error))))
}

fn fresh_epid() -> String {
    let mut octets = [0; 5];
    OsEntropy.fill(&mut octets);
    encode_base16(&octets)
}

const fn transport(args: &ClientArgs) -> &'static str {
    if matches!(args.server, Some(Target::Tls { .. })) { "TLS" } else { "TCP" }
}

fn host(args: &ClientArgs) -> Result<ClientHost<Box<dyn ClientObject>>, Failure> {
    let agent = object(args)?;
    if let Some(server) = &args.server {
        tls::check_target(&args.tls, server)?;
    } else if let Some(argument) = tls::arguments(&args.tls).next() {
        return Err(Failure::Usage(format!("{argument}: it is for a server at tls://host:port")));
    }
    match &args.server {
        None => Ok(ClientHost::pipes(agent, io::stdin(), io::stdout())),
        Some(Target::Tcp { address }) => Ok(ClientHost::tcp(agent, address)),
        Some(Target::Tls { address }) => {
            let mut options = TlsOptions::default();
            tls::settle(&args.tls, &mut options);
            Ok(ClientHost::tls(agent, address, TlsClient::new(&options)?))
        }
        Some(other) => {
            Err(Failure::Usage(format!("{other} is not of the form tcp://host:port or tls://host:port")))
        }
    }
}

fn config(args: &ClientArgs) -> Result<ClientConfig, Failure> {
    let (user, is_test) = account(&args.account)?;
    let is_address = ProfileUser::new("peer", "", "", &args.peer).check("--peer");
    is_address.map_err(Failure::Usage)?;
    let epid = fresh_epid();
    let mut config = ClientConfig {
        host: format!("{epid}.invalid"),
        epid,
        transport: transport(args).to_owned(),
        expires: args.expires,
        weakest: Version::from_number(args.weakest).unwrap_or(Version::V2),
        peer: args.peer.clone(),
        ..ClientConfig::new(&user.user, &user.domain, &user.password, &user.address)
    };
    credentials::settle(&args.credentials, &user, is_test, &mut config)?;
    Ok(config)
}

/// The account, and whether it is one of the reference server: of those everybody knows everything.
fn account(args: &AccountArgs) -> Result<(ProfileUser, bool), Failure> {
    let Profile { user: first, peers, .. } = Profile::of_reference();
    let known = match &args.user {
        None => Some(first),
        Some(name) => [first].into_iter().chain(peers).find(|known| known.user == *name),
    };
    let known = known.filter(|known| args.domain.as_ref().is_none_or(|domain| *domain == known.domain));
    let is_test = known.is_some();
    let missing = |argument: &str| Failure::Usage(format!("{argument}: missing for an account of your own"));
    let (mut user, needs) = match known {
        Some(known) => (known, false),
        None => (ProfileUser::new(args.user.as_deref().unwrap_or_default(), "", "", ""), true),
    };
    let given = |value: &Option<String>, argument: &str| match value {
        None if needs => Err(missing(argument)),
        other => Ok(other.clone()),
    };
    given(&args.user, "--user")?;
    for (place, value) in [
        (&mut user.password, given(&args.password, "--password")?),
        (&mut user.address, given(&args.address, "--address")?),
        (&mut user.domain, args.domain.clone()),
    ] {
        if let Some(value) = value {
            *place = value;
        }
    }
    user.check("account").map_err(Failure::Usage)?;
    Ok((user, is_test))
}

/// One line for what whoever waits for a registration wants to know.
fn tell(event: &ClientEvent, on_standard_error: bool) {
    let line = match event {
        ClientEvent::Established { status: 200..=299 } => "registered".to_owned(),
        ClientEvent::Established { status } => format!("refused: {status}"),
        ClientEvent::Lost => "lost".to_owned(),
        ClientEvent::Failed(violation) => format!("failed: {violation}"),
        _ => return,
    };
    say(&line, on_standard_error);
}

/// The same of a conference.
fn tell_of_conference(event: &AnonymousEvent, on_standard_error: bool) {
    let line = match event {
        AnonymousEvent::Joined => "joined".to_owned(),
        AnonymousEvent::Left => "left".to_owned(),
        AnonymousEvent::Answered { method, status: status @ 300.. } if method == "INVITE" => {
            format!("refused: {status}")
        }
        AnonymousEvent::Refused => "failed: the key was refused".to_owned(),
        AnonymousEvent::Failed(violation) => format!("failed: {violation}"),
        _ => return,
    };
    say(&line, on_standard_error);
}

fn say(line: &str, on_standard_error: bool) {
    // Nobody is left to read it when this fails; the client goes on.
    let _unread = if on_standard_error {
        writeln!(io::stderr(), "{line}")
    } else {
        writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush())
    };
}

/// The control channel: the client ends with it.
fn listen(control: &ClientControl, stimuli: &[Stimulus]) {
    let _ended = control::answer_all(|ask| answer(control, stimuli, ask));
    control.stop();
}

fn answer(control: &ClientControl, stimuli: &[Stimulus], ask: &Ask) -> Answer {
    let has_ended = || Answer::Error("the client has ended".to_owned());
    let done = |is_done: bool| if is_done { Answer::Ok(true) } else { has_ended() };
    match ask {
        Ask::Hello { .. } => Answer::Hello(hello(stimuli)),
        Ask::Advance { ms } => done(control.advance(Duration::from_millis(*ms))),
        Ask::Do { what, number } => {
            match Stimulus::from_name(what).filter(|stimulus| stimuli.contains(stimulus)) {
                Some(stimulus) => done(control.act(*number, stimulus)),
                None => Answer::Error(format!("{what:?} is nothing that this client can do")),
            }
        }
        Ask::Standing {} => {
            control.standing().map_or_else(has_ended, |standing| Answer::Standing(standing.into()))
        }
        Ask::Reset {} => Answer::Error("this is a client".to_owned()),
    }
}

fn hello(stimuli: &[Stimulus]) -> Hello {
    Hello {
        protocol: PROTOCOL,
        can: ["advance", "do", "standing"].map(str::to_owned).to_vec(),
        address: None,
        durations: HelloDurations::default(),
        stimuli: stimuli.iter().map(|stimulus| stimulus.name().to_owned()).collect(),
    }
}
