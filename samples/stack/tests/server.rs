//! Every case for servers is a test: `cargo test -p sipae-sample-stack --test server 3.3.5.1/`.

use sipae_conformance::harness::{Act, ConnectionId, Durations, Harness, ServerObject, Time, Version};
use sipae_sample_stack::Registrar;

fn main() -> std::process::ExitCode {
    Harness::server(|| Joint(registrar())).versions(&[Version::V4]).main()
}

/// The users of the built-in profile: alice, sixteen others, and mallory for wrong passwords.
fn registrar() -> Registrar {
    let profile = sipae_conformance::profile::Profile::of_reference();
    let users = [profile.user].into_iter().chain(profile.sacrificial).chain(profile.peers);
    let users: Vec<(String, String)> = users.map(|user| (user.user, user.password)).collect();
    let users: Vec<(&str, &str)> =
        users.iter().map(|(user, password)| (user.as_str(), password.as_str())).collect();
    Registrar::new("contoso.com", &users)
}

/// Between the registrar and the suite.
struct Joint(Registrar);

impl Joint {
    fn act(&mut self, input: sipae::server::Input<'_>, now: Time) -> Vec<Act> {
        use sipae::server::Output;
        let acts = self.0.handle(input, now).into_iter().filter_map(|output| match output {
            Output::Send(connection, octets) => Some(Act::Send(connection, octets)),
            Output::Close(connection) => Some(Act::Close(connection)),
            Output::Event(_) => None,
        });
        acts.collect()
    }
}

impl ServerObject for Joint {
    fn connect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act> {
        self.act(sipae::server::Input::Connected(connection), now)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<Act> {
        self.act(sipae::server::Input::Received(connection, octets), now)
    }

    fn disconnect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act> {
        self.act(sipae::server::Input::Disconnected(connection), now)
    }

    fn advance(&mut self, now: Time) -> Vec<Act> {
        self.act(sipae::server::Input::Tick, now)
    }

    fn durations(&self) -> Option<Durations> {
        Some(Durations::default())
    }
}
