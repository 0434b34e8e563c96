use sipae::client::ClientConfig;
use sipae::server::{Account, Accounts, ServerConfig};
use sipae::version::Version;

use super::*;
use crate::{AgentObject, Host, OsEntropy};

fn client(password: &str) -> AgentObject {
    let config = ClientConfig::new("alice", "CONTOSO", password, "alice@contoso.com");
    AgentObject::with_entropy(config, OsEntropy)
}

/// The address of a server, and what stops it.
fn server() -> (String, crate::HostControl) {
    let account = Account {
        user: "alice".to_owned(),
        domain: "CONTOSO".to_owned(),
        password: "secret".to_owned(),
        address: "alice@contoso.com".to_owned(),
        tel: None,
    };
    let config = ServerConfig::new("server.contoso.com", Version::V4, Accounts::new(vec![account]));
    let host = Host::listen("127.0.0.1:0", config).expect("it listens");
    let (address, control) = (host.address().expect("an address").to_string(), host.control());
    thread::spawn(move || host.run(|_| {}));
    (address, control)
}

#[test]
fn a_client_registers_does_what_it_is_asked_for_and_ends_when_it_is_told_to() {
    let (address, _) = server();
    let host = ClientHost::tcp(client("secret"), &address);
    let control = host.control();
    let (sender, standings) = mpsc::channel();
    let running = thread::spawn(move || host.run(true, |standing| drop(sender.send(standing.clone()))));
    let mut changes = standings.iter();
    assert!(changes.any(|standing| standing.registered));
    assert!(control.act(7, Stimulus::Options));
    assert!(changes.any(|standing| standing.outcomes.get(&7) == Some(&200)));
    assert!(control.advance(Duration::from_secs(1)));
    control.stop();
    assert_eq!(running.join().expect("no panic"), ClientEnd::Stopped);
    assert_eq!(control.standing(), None);
}

#[test]
fn a_client_that_nobody_controls_ends_with_its_registration() {
    let (address, _) = server();
    let end = ClientHost::tcp(client("wrong"), &address).run(false, |_| {});
    assert_eq!(end, ClientEnd::Failed);
}

#[test]
fn a_server_that_is_not_there_is_the_end() {
    let end = ClientHost::tcp(client("secret"), "127.0.0.1:1").run(false, |_| {});
    assert!(
        matches!(&end, ClientEnd::Disconnected(Some(problem)) if problem.contains("127.0.0.1:1")),
        "{end:?}"
    );
}
