//! Alerts in words (RFC 5246 7.2).

use std::fmt;

/// What a peer says when it ends a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// Warning or fatal.
    pub level: AlertLevel,
    /// The number of the description.
    pub description: u8,
}

/// Level of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertLevel {
    /// The handshake may go on.
    Warning,
    /// It is at its end.
    Fatal,
}

/// The registry "TLS Alerts" of IANA, as far as TLS 1.2 and earlier use it.
#[rustfmt::skip]
const NAMES: [(u8, &str); 31] = [
    (0, "close_notify"), (10, "unexpected_message"), (20, "bad_record_mac"), (21, "decryption_failed"),
    (22, "record_overflow"), (30, "decompression_failure"), (40, "handshake_failure"), (41, "no_certificate"),
    (42, "bad_certificate"), (43, "unsupported_certificate"), (44, "certificate_revoked"),
    (45, "certificate_expired"), (46, "certificate_unknown"), (47, "illegal_parameter"), (48, "unknown_ca"),
    (49, "access_denied"), (50, "decode_error"), (51, "decrypt_error"), (60, "export_restriction"),
    (70, "protocol_version"), (71, "insufficient_security"), (80, "internal_error"),
    (86, "inappropriate_fallback"), (90, "user_canceled"), (100, "no_renegotiation"),
    (110, "unsupported_extension"), (111, "certificate_unobtainable"), (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"), (114, "bad_certificate_hash_value"), (115, "unknown_psk_identity"),
];

impl Alert {
    /// The end of the connection in good order.
    pub const CLOSE_NOTIFY: u8 = 0;

    /// Reads the two octets of an alert that is not encrypted.
    #[must_use]
    pub const fn read(fragment: &[u8]) -> Option<Self> {
        match *fragment {
            [1, description] => Some(Self { level: AlertLevel::Warning, description }),
            [2, description] => Some(Self::fatal(description)),
            _ => None,
        }
    }

    /// A fatal alert.
    #[must_use]
    pub const fn fatal(description: u8) -> Self {
        Self { level: AlertLevel::Fatal, description }
    }

    /// Whether nothing can follow it.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self.level, AlertLevel::Fatal) || self.description == Self::CLOSE_NOTIFY
    }

    /// Name of a description, as RFC 5246 writes it.
    #[must_use]
    pub fn name(description: u8) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == description).map(|(_, name)| *name)
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            AlertLevel::Warning => "warning",
            AlertLevel::Fatal => "fatal",
        };
        match Self::name(self.description) {
            Some(name) => write!(f, "{level} {name} ({})", self.description),
            None => write!(f, "{level} {}", self.description),
        }
    }
}
