//! Signing and sealing keys ([MS-NLMP] 3.4.5).

use super::NegotiateFlags;
use super::crypto::md5;
use crate::octets::slice;
use crate::side::Side;

/// The revision from which on a connectionless key without extended session security is weakened
/// ([MS-NLMP] 3.4.5.3).
const REVISION_W2K3: u8 = 0x0F;

const fn direction(mode: Side) -> &'static str {
    match mode {
        Side::Client => "client-to-server",
        Side::Server => "server-to-client",
    }
}

/// SIGNKEY; `None` without extended session security, which has no signing key.
#[must_use]
pub fn sign_key(flags: NegotiateFlags, exported: &[u8; 16], mode: Side) -> Option<[u8; 16]> {
    let extended = flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    let magic = format!("session key to {} signing key magic constant\0", direction(mode));
    extended.then(|| md5(&[exported, magic.as_bytes()]))
}

/// SEALKEY: 16 octets, or 8 where the key is weakened. `revision` is the NTLMRevisionCurrent of the peer.
#[must_use]
pub fn seal_key(flags: NegotiateFlags, exported: &[u8; 16], mode: Side, revision: u8) -> Vec<u8> {
    let is_56 = flags.contains(NegotiateFlags::KEY_56);
    if flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
        let length = if flags.contains(NegotiateFlags::KEY_128) {
            16
        } else if is_56 {
            7
        } else {
            5
        };
        let magic = format!("session key to {} sealing key magic constant\0", direction(mode));
        return md5(&[slice(exported, 0, length), magic.as_bytes()]).to_vec();
    }
    let datagram = flags.contains(NegotiateFlags::DATAGRAM) && REVISION_W2K3 <= revision;
    if !flags.contains(NegotiateFlags::LM_KEY) && !datagram {
        exported.to_vec()
    } else if is_56 {
        [slice(exported, 0, 7), &[0xA0]].concat()
    } else {
        [slice(exported, 0, 5), &[0xE5, 0x38, 0xB0]].concat()
    }
}

/// SealingKey' of connectionless mode ([MS-NLMP] 3.4).
#[must_use]
pub fn datagram_rekey(seal_key: &[u8], sequence_number: u32) -> [u8; 16] {
    md5(&[seal_key, &sequence_number.to_le_bytes()])
}

/// All keys of a context.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKeys {
    /// The flags both sides agreed on.
    pub flags: NegotiateFlags,
    /// ExportedSessionKey.
    pub exported: [u8; 16],
    /// NTLMRevisionCurrent of the client.
    pub revision: u8,
}

impl SessionKeys {
    /// The keys that follow from the exported session key.
    #[must_use]
    pub const fn new(flags: NegotiateFlags, exported: [u8; 16], revision: u8) -> Self {
        Self { flags, exported, revision }
    }

    /// The signing key of one side; `None` without extended session security.
    #[must_use]
    pub fn sign_key(&self, mode: Side) -> Option<[u8; 16]> {
        sign_key(self.flags, &self.exported, mode)
    }

    /// The sealing key of one side; without extended session security it is the same for both.
    #[must_use]
    pub fn seal_key(&self, mode: Side) -> Vec<u8> {
        seal_key(self.flags, &self.exported, mode, self.revision)
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionKeys").field("flags", &self.flags).finish_non_exhaustive()
    }
}
