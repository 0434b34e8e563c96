//! The proxy before the server that asks for Digest ([MS-SIPAE] 3.2.5.1, SIPAE-3.2.5.1-28).
//!
//! It is answered when a bare REGISTER comes to it, and from then on every request has a credential for it beside that for
//! the server.

use super::{Client, Scene, State};
use crate::auth::{AuthHeader, ChallengeKind, Scheme};
use crate::defects::Defect;
use crate::digest::{DigestChallenge, Login};
use crate::draft::Draft;
use crate::encoding::encode_base16;
use crate::message::{HeaderName, Message};
use crate::violation::Breach;

/// The account at the proxy, which need not be that at the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyAccount {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for ProxyAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProxyAccount({})", self.user)
    }
}

/// What the proxy has asked, and how often that was answered.
#[derive(Debug)]
pub(super) struct Edge {
    challenge: DigestChallenge,
    cnonce: String,
    nc: u32,
}

impl Client {
    /// Whether a challenge is one of a proxy that this client has an account at, and of nobody else.
    pub(super) fn is_of_edge(&self, message: &Message<'_>, kind: ChallengeKind) -> bool {
        let lines = message.all(kind.challenge()).map(AuthHeader::read);
        let schemes: Vec<Scheme> = lines.filter_map(|line| line.scheme()).collect();
        kind == ChallengeKind::Proxy
            && matches!(self.state, State::Bare)
            && self.config.proxy.is_some()
            && schemes.contains(&Scheme::Digest)
            && !schemes.into_iter().any(Scheme::signs)
    }

    /// Asks again with a credential. One that was refused for more than its nonce is not shown again.
    pub(super) fn answer_edge(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let lines = message.all(HeaderName::ProxyAuthenticate).map(AuthHeader::read);
        let own = lines.filter(|line| line.scheme() == Some(Scheme::Digest));
        let usable: Vec<DigestChallenge> = own
            .filter_map(|line| DigestChallenge::of(&line).ok())
            .filter(DigestChallenge::offers_auth)
            .collect();
        let Some(challenge) = DigestChallenge::strongest(usable.into_iter()) else {
            return self.fail(scene, Breach::NoUsableChallenge);
        };
        let is_refused = self
            .edge
            .as_ref()
            .is_some_and(|edge| !challenge.stale || edge.challenge.nonce == challenge.nonce);
        if is_refused {
            self.edge = None;
            return self.fail(scene, Breach::Credentials);
        }
        let cnonce = encode_base16(&scene.entropy.octets::<8>());
        self.edge = Some(Edge { challenge, cnonce, nc: 0 });
        self.register(scene);
    }

    /// Puts the credential for the proxy into a request, if there is one.
    pub(super) fn pass_edge(&mut self, draft: &mut Draft) {
        let (Some(edge), Some(account)) = (&mut self.edge, &self.config.proxy) else { return };
        if self.config.defects.has(Defect::DropsProxyCredential) && !matches!(self.state, State::Bare) {
            return;
        }
        edge.nc = edge.nc.saturating_add(1);
        let login = Login { username: account.user.as_bytes(), password: account.password.as_bytes() };
        let Some((method, uri)) = draft.request_line() else { return };
        if let Ok(credential) = edge.challenge.answer(login, &method, &uri, edge.cnonce.as_bytes(), edge.nc) {
            draft.push(HeaderName::ProxyAuthorization, credential.write());
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::client::{ClientConfig, ClientEvent, Input, Output};
    use crate::clock::Time;
    use crate::digest::{Algorithm, DigestCredential, Expectation, Qop};
    use crate::message::Limits;

    /// What comes of nothing.
    struct Zeros;

    impl crate::clock::Entropy for Zeros {
        fn fill(&mut self, octets: &mut [u8]) {
            octets.fill(0);
        }
    }

    const PASSWORD: &str = "test-password-of-proxy";

    fn client(account: bool) -> Client {
        let mut config = ClientConfig::new("alice", "CONTOSO", "test-password", "alice@contoso.com");
        let own = || ProxyAccount { user: "edge".to_owned(), password: PASSWORD.to_owned() };
        config.proxy = account.then(own);
        Client::new(config, &mut Zeros)
    }

    fn outputs(client: &mut Client, input: Input<'_>) -> Vec<Output> {
        client.handle(input, Time(0), &mut Zeros)
    }

    fn sent(outputs: &[Output]) -> Option<Vec<u8>> {
        outputs.iter().find_map(|output| match output {
            Output::Send(octets) => Some(octets.clone()),
            _ => None,
        })
    }

    /// The 407 of the proxy to a request.
    fn challenged(request: &[u8], nonce: &str, rest: &str) -> Vec<u8> {
        let request = Message::parse(request, &Limits::NONE).expect("a request");
        let line = format!("Digest realm=\"edge\", nonce=\"{nonce}\", qop=\"auth\"{rest}");
        Draft::response_to(&request, 407, "t").with(HeaderName::ProxyAuthenticate, line).close().to_octets()
    }

    fn credential(octets: &[u8]) -> Option<DigestCredential> {
        let request = Message::parse(octets, &Limits::NONE).expect("a request");
        request.first(HeaderName::ProxyAuthorization).map(|value| DigestCredential::read(value).expect("one"))
    }

    /// SIPAE-3.2.5.1-28.
    #[test]
    fn a_proxy_before_the_server_gets_a_credential_of_its_own() {
        let mut client = client(true);
        let bare = sent(&outputs(&mut client, Input::Register)).expect("a REGISTER");
        assert_eq!(credential(&bare), None);
        let challenge = challenged(&bare, "one", ", algorithm=SHA-256");
        let again = sent(&outputs(&mut client, Input::Received(&challenge))).expect("another REGISTER");
        let credential = credential(&again).expect("a credential");
        let expected = Expectation {
            realm: b"edge",
            usernames: &[b"edge"],
            password: PASSWORD.as_bytes(),
            algorithms: &[Algorithm::Sha256],
            qop: Some(&[Qop::Auth]),
            method: b"REGISTER",
            uri: b"sip:contoso.com",
            body: b"",
        };
        assert_eq!(expected.verify(&credential), Ok(()));
    }

    #[rstest]
    #[case::refused("two", "", None)]
    #[case::refused_as_stale_with_the_same_nonce("one", ", stale=true", None)]
    #[case::stale("two", ", stale=true", Some("two"))]
    fn a_credential_is_shown_again_for_a_stale_nonce_alone(
        #[case] nonce: &str,
        #[case] rest: &str,
        #[case] shown: Option<&str>,
    ) {
        let mut client = client(true);
        let bare = sent(&outputs(&mut client, Input::Register)).expect("a REGISTER");
        let first = outputs(&mut client, Input::Received(&challenged(&bare, "one", "")));
        let first = sent(&first).expect("a credential");
        let second = outputs(&mut client, Input::Received(&challenged(&first, nonce, rest)));
        let again = sent(&second).and_then(|octets| credential(&octets));
        assert_eq!(again.map(|credential| credential.nonce).as_deref(), shown.map(str::as_bytes));
        let has_failed = second.iter().any(|output| matches!(output, Output::Event(ClientEvent::Failed(_))));
        assert_eq!(has_failed, shown.is_none());
    }

    #[rstest]
    #[case::without_an_account(false, "")]
    #[case::of_an_unknown_algorithm(true, ", algorithm=FNV-1")]
    fn a_challenge_that_cannot_be_answered_is_the_end(#[case] account: bool, #[case] rest: &str) {
        let mut client = client(account);
        let bare = sent(&outputs(&mut client, Input::Register)).expect("a REGISTER");
        let outputs = outputs(&mut client, Input::Received(&challenged(&bare, "one", rest)));
        assert!(matches!(outputs.as_slice(), [Output::Event(ClientEvent::Failed(_))]), "{outputs:?}");
    }
}
