//! The reference client as a target: who it is, with test credentials for every scheme.

use sipae::client::{AnonymousConfig, ClientConfig, ProxyAccount, TlsDskCredentials};
use sipae::clock::Time;
use sipae::defects::Defects;
use sipae_gen::Password;
use sipae_net::{MEMORY_START, SeededEntropy};

use crate::profile::{Profile, REFERENCE_HOST};
use crate::target::reference_conference;

/// The end of certificates that last for ever.
const FAR: Time = Time(253_402_300_799_000);

/// The first user of the embedded reference, with a password, a ticket and a certificate: test credentials.
///
/// # Errors
/// When they cannot be made.
pub fn reference_client(defects: Defects, seed: u64) -> Result<ClientConfig, String> {
    let profile = Profile::of_reference();
    let user = &profile.user;
    let mut config = ClientConfig::new(&user.user, &user.domain, &user.password, &user.address);
    config.defects = defects;
    config.proxy = Some(ProxyAccount { user: user.user.clone(), password: user.password.clone() });
    let mut entropy = SeededEntropy::new(seed);
    let service = format!("sip/{REFERENCE_HOST}");
    if let Some(tickets) = &profile.tickets {
        let ticket = tickets.ticket(user, &service, MEMORY_START, &mut entropy);
        config.ticket = Some(ticket.map_err(|error| error.to_string())?);
    }
    if let Some(certificates) = &profile.certificates {
        let provider = certificates.provider(user, &Password::Right, MEMORY_START);
        let provider = provider.map_err(|error| error.to_string())?;
        config.tls_dsk = Some(TlsDskCredentials { provider, not_after: FAR });
    }
    Ok(config)
}

/// The reference client for anonymous joins of the conference of the embedded reference: its key is a test value.
#[must_use]
pub fn reference_anonymous(defects: Defects) -> AnonymousConfig {
    let conference = reference_conference();
    AnonymousConfig { defects, ..AnonymousConfig::new(&conference.uri(), &conference.key) }
}
