//! Kerberos for SIP: RFC 4120 messages in GSS tokens (RFC 4121), and the MIC tokens that sign messages.
//!
//! One AP-REQ makes a security association ([MS-SIPAE] SIPAE-3.1-03). [`Mint`] makes a service ticket out of a service
//! key, [`Initiate`] the AP-REQ out of a ticket, [`Acceptor`] accepts it, and both ends hold a [`KerberosMac`].
//!
//! Tickets of a KDC are read from a [`Ccache`], keys of services from a [`Keytab`].
//!
//! Not here: any exchange with a KDC (AS, TGS), encryption of messages (wrap tokens), delegation, and single DES but
//! for [`des_mic`].

mod accept;
mod ap_rep;
mod ap_req;
mod ccache;
mod crypto;
mod data;
mod der;
mod encryption_type;
mod error;
mod file;
mod gss;
mod initiate;
mod key;
mod keytab;
mod krb_error;
mod mic;
mod mint;
mod principal;
mod replay;
mod time;

pub use accept::{Accepted, Acceptor};
pub use ap_rep::{ApRep, EncApRepPart};
pub use ap_req::{ApReq, Authenticator, EncTicketPart, GssChecksum, Ticket};
pub use ccache::Ccache;
pub use crypto::{aes_cts, nfold};
pub use data::{Checksum, EncryptedData, EncryptionKey};
pub use encryption_type::EncryptionType;
pub use error::{DerProblem, KerberosError};
pub use gss::{GssFlags, TokenId};
pub use initiate::{Initiate, Initiated, Subkey};
pub use key::Key;
pub use keytab::{Keytab, ServiceKey};
pub use krb_error::KrbError;
pub use mic::{KerberosMac, MicToken, des_mic, des_mic_verify};
pub use mint::{Mint, ServiceTicket};
pub use principal::Principal;
pub use replay::ReplayCache;
pub use time::KerberosTime;

#[cfg(test)]
mod tests;
