//! What users prove themselves with, besides passwords: tickets and certificates.

mod cache;
mod certificates;
mod tickets;

use std::time::Duration;

use sipae::clock::Time;
use sipae::kerberos::KerberosError;
use sipae::ntlm::NtlmError;
use sipae::tlsdsk::TlsDskError;
use sipae::violation::Breach;

pub use cache::TicketCache;
pub use certificates::Certificates;
pub use tickets::Tickets;

/// Why a user cannot prove who it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// The profile has nothing to prove it with.
    #[error("the profile has {0}")]
    Missing(&'static str),
    /// The keytab has no key of the service that the target names.
    #[error("the keytab has no key of {service}")]
    NoKey {
        /// `targetname`.
        service: String,
    },
    /// The user has no ticket for the service that the target names.
    #[error("{user} has no ticket for {service}: {reason}")]
    NoTicket {
        /// The account.
        user: String,
        /// `targetname`.
        service: String,
        /// Why, as the KDC or the library says.
        reason: String,
    },
    /// What the target sent cannot be answered.
    #[error(transparent)]
    Breach(#[from] Breach),
}

impl From<KerberosError> for Unproven {
    fn from(error: KerberosError) -> Self {
        Self::Breach(error.into())
    }
}

impl From<TlsDskError> for Unproven {
    fn from(error: TlsDskError) -> Self {
        Self::Breach(error.into())
    }
}

impl From<NtlmError> for Unproven {
    fn from(error: NtlmError) -> Self {
        Self::Breach(error.into())
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn ago(now: Time, time: Duration) -> Time {
    Time(now.0.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}
