use std::sync::Arc;

use sipae::auth::Scheme;
use sipae::client::{Client, ClientEvent, Input, Output};
use sipae::defects::Defects;
use sipae::message::{Limits, Message};
use sipae::version::Version;
use sipae_gen::{Mode, Signing};
use sipae_net::{MEMORY_START, SeededEntropy};

use super::*;
use crate::client::reference_client;
use crate::profile::Profile;

struct Peer {
    client: Client,
    entropy: SeededEntropy,
}

impl Peer {
    fn new(seed: u64) -> Self {
        let mut entropy = SeededEntropy::new(seed);
        let mut config = reference_client(Defects::NONE, seed).expect("credentials");
        // It answers what it is offered.
        config.epid = format!("0000000{seed}");
        Self { client: Client::new(config, &mut entropy), entropy }
    }

    fn sends(&mut self, input: Input<'_>) -> Vec<u8> {
        let outputs = self.client.handle(input, MEMORY_START, &mut self.entropy);
        let sent = outputs.into_iter().find_map(|output| match output {
            Output::Send(octets) => Some(octets),
            _ => None,
        });
        sent.expect("a request")
    }
}

/// What the home makes of a request, and its answer to it.
fn answer(home: &mut Home, octets: &[u8], entropy: &mut SeededEntropy) -> (Read, Vec<u8>) {
    let request = Message::parse(octets, &Limits::NONE).expect("a request");
    let read = home.read(&request, MEMORY_START, entropy);
    let draft = match read.class {
        Class::Bare => home.challenge(&request, 401, MEMORY_START, entropy),
        Class::First | Class::Flight => {
            home.continuation(&request, 401, MEMORY_START, entropy).expect("a continuation")
        }
        _ => {
            let mut draft = home.success(&request, 200);
            let under = Under::Place(read.association.expect("an association"));
            home.sign(&mut draft, &Signing::default(), under, entropy).expect("signed");
            draft
        }
    };
    (read, draft.to_octets())
}

/// Each goes on with its own, and is answered under its own association.
#[rstest::rstest]
fn two_handshakes_side_by_side_do_not_disturb_each_other(
    #[values(Scheme::Ntlm, Scheme::TlsDsk)] scheme: Scheme,
) {
    let mode = Mode { scheme, version: Version::V4 };
    let mut home = Home::new(Arc::new(Profile::of_reference().home()), mode);
    let mut entropy = SeededEntropy::new(7);
    let mut peers = [Peer::new(1), Peer::new(2)];
    let mut requests: Vec<Vec<u8>> = peers.iter_mut().map(|peer| peer.sends(Input::Register)).collect();
    for _ in 0..8 {
        for (peer, request) in peers.iter_mut().zip(&mut requests) {
            if peer.client.is_established() {
                continue;
            }
            let (_, response) = answer(&mut home, request, &mut entropy);
            let outputs = peer.client.handle(Input::Received(&response), MEMORY_START, &mut peer.entropy);
            if let Some(next) = outputs.into_iter().find_map(|output| match output {
                Output::Send(octets) => Some(octets),
                _ => None,
            }) {
                *request = next;
            }
        }
    }
    assert!(peers.iter().all(|peer| peer.client.is_established()));
    // The first one's association is not the last one that was made.
    let [first, _] = &mut peers;
    let refresh = first.sends(Input::Register);
    let (read, response) = answer(&mut home, &refresh, &mut entropy);
    assert_eq!((read.class, read.is_current), (Class::Signed, false));
    let outputs = first.client.handle(Input::Received(&response), MEMORY_START, &mut first.entropy);
    assert!(
        outputs.iter().any(|output| matches!(output, Output::Event(ClientEvent::Verified(_)))),
        "{outputs:?}"
    );
}
