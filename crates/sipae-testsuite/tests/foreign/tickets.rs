//! The suite with the tickets of whoever runs it: what is not in the cache yet, the KDC gives.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sipae::client::{ClientConfig, Standing};
use sipae::clock::Time;
use sipae::kerberos::{Acceptor, Ccache, Keytab, ServiceTicket};
use sipae::server::{ConnectionId, ServerConfig};
use sipae::version::Version;
use sipae_conformance::credentials::{TicketCache, Tickets};
use sipae_conformance::filter::Filter;
use sipae_conformance::profile::{Profile, ProfileUser};
use sipae_conformance::run::{RunOptions, run};
use sipae_conformance::target::accounts;
use sipae_events::{Event, ExitCode, GateOutcome, Verdict};
use sipae_net::{AgentObject, ClientAct, ClientHost, ClientObject, Host, OsEntropy};

use super::part::{Part, Rig};
use super::realm::{self, Etype, KEYTAB, Offer, SERVICE};

type Run = fn(&Path);

const TABLE: &[(&str, Run)] = &[
    ("a_run_with_the_cache_of_the_environment_passes", cache_of_the_environment),
    ("a_ticket_that_is_not_in_the_cache_yet_is_got_of_the_kdc", fresh_cache),
    ("a_service_that_the_kdc_does_not_know_is_told_of_in_one_line", unknown_service),
    ("a_cache_of_somebody_else_is_told_of_in_one_line", cache_of_another),
    ("a_client_under_test_with_a_ticket_of_the_kdc_passes", client_under_test),
];

pub(crate) fn parts() -> Vec<Part> {
    let etypes = || Etype::ALL.into_iter();
    let rows = TABLE.iter().flat_map(|row| etypes().map(move |etype| (row, etype)));
    rows.map(|((name, run), etype)| {
        Part::new(format!("tickets::{name}/{}", etype.short()), Rig::Realm(etype, Offer::One), run)
    })
    .collect()
}

/// A server on this host, with the keys of the realm, for as long as the process lives.
fn serve(folder: &Path, host: &str) -> String {
    let keys = Keytab::read(&std::fs::read(folder.join(KEYTAB)).expect("a keytab")).expect("keys");
    let user = |name: &str| ProfileUser::new(name, "CONTOSO", "unknown", &format!("{name}@contoso.com"));
    let config = ServerConfig {
        schemes: vec![sipae::auth::Scheme::Kerberos],
        kerberos: Some(Acceptor::new(keys)),
        ..ServerConfig::new(host, Version::V4, accounts(["alice", "mallory"].map(user)))
    };
    let host = Host::listen("127.0.0.1:0", config).expect("a port");
    let target = format!("tcp://{}", host.address().expect("an address"));
    std::thread::spawn(move || host.run(|_| ()));
    target
}

/// What came of a run: how it ends, and what the gates say.
fn run_with(folder: &Path, host: &str, profile: Profile) -> (ExitCode, Vec<(GateOutcome, String)>) {
    let target = serve(folder, host).parse().expect("a target");
    let options = RunOptions { target, profile: Arc::new(profile), jobs: 4, ..RunOptions::reference(1) };
    let mut gates = Vec::new();
    let exit = run(&options, &mut |event| {
        if let Event::GateFinished(gate) = event
            && gate.subject.to_string().starts_with("Kerberos")
        {
            gates.push((gate.outcome, gate.reason.clone().unwrap_or_default()));
        }
    });
    (exit, gates)
}

const PROFILE: &str = "kerberos = \"ccache\"\n[target]\nschemes = [\"Kerberos\"]\n[user]\nuser = \"alice\"\n\
                       domain = \"CONTOSO\"\npassword = \"\"\naddress = \"alice@contoso.com\"\n";

fn profile() -> Profile {
    Profile::parse(Path::new("p.toml"), PROFILE).expect("a profile")
}

fn with_cache(file: PathBuf) -> Profile {
    Profile {
        tickets: Some(Tickets::Granted(Arc::new(TicketCache::open(file).expect("a cache")))),
        ..profile()
    }
}

fn cache_of_the_environment(folder: &Path) {
    let (exit, gates) = run_with(folder, "server.contoso.com", profile());
    assert_eq!((exit, gates.first()), (ExitCode::Passed, Some(&(GateOutcome::Open, String::new()))));
}

/// A cache of alice with the ticket of the KDC alone.
fn fresh(folder: &Path) -> PathBuf {
    let file =
        tempfile::NamedTempFile::new_in(folder).expect("a file").into_temp_path().keep().expect("kept");
    let said = realm::kinit(folder, &format!("FILE:{}", file.display()), "alice").expect("kinit");
    assert!(said.status.success(), "{said:?}");
    assert!(!has_ticket(&file));
    file
}

fn has_ticket(file: &Path) -> bool {
    let cache = Ccache::read(&std::fs::read(file).expect("a file")).expect("a cache");
    cache.tickets.iter().any(|ticket| ticket.service.name() == SERVICE)
}

fn fresh_cache(folder: &Path) {
    let file = fresh(folder);
    let (exit, gates) = run_with(folder, "server.contoso.com", with_cache(file.clone()));
    assert_eq!((exit, gates.first()), (ExitCode::Passed, Some(&(GateOutcome::Open, String::new()))));
    assert!(has_ticket(&file));
}

/// The line about a gate that has failed.
fn refused(folder: &Path, host: &str, profile: Profile) -> String {
    let (exit, gates) = run_with(folder, host, profile);
    assert_eq!(exit, ExitCode::Blocked);
    let failed: Vec<String> = gates
        .into_iter()
        .filter(|(outcome, _)| *outcome == GateOutcome::Failed)
        .map(|(_, reason)| reason)
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    failed.concat()
}

fn unknown_service(folder: &Path) {
    let line = refused(folder, "nobody.contoso.com", with_cache(fresh(folder)));
    let begin = "cannot authenticate: CONTOSO\\alice has no ticket for sip/nobody.contoso.com: Server ";
    assert!(line.starts_with(begin) && line.contains("not found in Kerberos database"), "{line}");
}

fn cache_of_another(folder: &Path) {
    let file = realm::ccache_path(folder, "mallory");
    let line = refused(folder, "server.contoso.com", with_cache(file.clone()));
    let end = format!("{} is of mallory@{}", file.display(), realm::REALM);
    assert_eq!(
        line,
        format!("cannot authenticate: CONTOSO\\alice has no ticket for sip/server.contoso.com: {end}")
    );
}

/// A client that ends with its connection, as a program does that is started for one conversation.
struct Once(AgentObject);

impl ClientObject for Once {
    fn start(&mut self, now: Time) -> Vec<ClientAct> {
        self.0.start(now)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<ClientAct> {
        self.0.receive(connection, octets, now)
    }

    fn advance(&mut self, now: Time) -> Vec<ClientAct> {
        self.0.advance(now)
    }

    fn standing(&self) -> Option<Standing> {
        self.0.standing()
    }
}

/// Somebody starts it again for each conversation of the suite, until the run is over.
fn start_again_and_again(address: &str, ticket: &ServiceTicket, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let config = ClientConfig {
            ticket: Some(ticket.clone()),
            ..ClientConfig::new("", "CONTOSO", "", "alice@contoso.com")
        };
        let client = Once(AgentObject::with_entropy(config, OsEntropy));
        let _how_it_ended = ClientHost::tcp(client, address).run(false, |_| {});
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The suite has the keytab of the service, the client what the KDC has given it.
fn client_under_test(folder: &Path) {
    let cache = std::fs::read(realm::ccache_path(folder, "alice")).expect("a cache");
    let cache = Ccache::read(&cache).expect("its tickets");
    let ticket = cache.tickets.into_iter().find(|ticket| ticket.service.name() == SERVICE).expect("a ticket");
    let text = format!(
        "[target]\nschemes = [\"Kerberos\"]\nversions = [4]\n[kerberos]\nkeytab = {:?}\n[user]\nuser = \"alice\"\n\
         domain = \"CONTOSO\"\npassword = \"\"\naddress = \"alice@contoso.com\"\n",
        folder.join(KEYTAB)
    );
    let profile = Profile::parse(Path::new("p.toml"), &text).expect("a profile");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let ids =
        ["3.1/", "3.2.5.1/kerberos", "3.2.5.2/altered-c", "3.2.5.2/success-"].map(str::to_owned).to_vec();
    let options = RunOptions {
        target: format!("listen:tcp://{free}").parse().expect("a target"),
        profile: Arc::new(profile),
        filter: Filter { ids, ..Filter::default() },
        ..RunOptions::reference(1)
    };
    let (is_over, address) = (Arc::new(AtomicBool::new(false)), free.to_string());
    let ends = Arc::clone(&is_over);
    let client = std::thread::spawn(move || start_again_and_again(&address, &ticket, &ends));
    let mut bad = Vec::new();
    let mut passed = 0;
    let exit = run(&options, &mut |event| match event {
        Event::GateFinished(gate) if gate.outcome == GateOutcome::Failed => bad.push(format!("{gate:?}")),
        Event::CaseFinished(case) if case.verdict == Verdict::Pass => passed += 1,
        Event::CaseFinished(case) if case.verdict.is_fail() => bad.push(format!("{case:?}")),
        _ => {}
    });
    is_over.store(true, Ordering::Relaxed);
    client.join().expect("an end");
    assert_eq!((exit, bad), (ExitCode::Passed, Vec::new()));
    assert!(5 < passed, "{passed} cases");
}
