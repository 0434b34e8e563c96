//! NEGOTIATE flags ([MS-NLMP] 2.2.2.5).

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// The flag word of NTLM messages, little-endian on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NegotiateFlags(pub u32);

macro_rules! flags {
    ($($constant:ident $name:literal $bit:literal;)*) => {
        impl NegotiateFlags {
            $(#[doc = concat!("NTLMSSP_NEGOTIATE_", $name)] pub const $constant: Self = Self($bit);)*

            /// Every named flag, lowest bit first.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$constant),)*];
        }
    };
}

flags! {
    UNICODE "UNICODE" 0x0000_0001;
    OEM "OEM" 0x0000_0002;
    REQUEST_TARGET "REQUEST_TARGET" 0x0000_0004;
    SIGN "SIGN" 0x0000_0010;
    SEAL "SEAL" 0x0000_0020;
    DATAGRAM "DATAGRAM" 0x0000_0040;
    LM_KEY "LM_KEY" 0x0000_0080;
    NTLM "NTLM" 0x0000_0200;
    ANONYMOUS "ANONYMOUS" 0x0000_0800;
    OEM_DOMAIN_SUPPLIED "OEM_DOMAIN_SUPPLIED" 0x0000_1000;
    OEM_WORKSTATION_SUPPLIED "OEM_WORKSTATION_SUPPLIED" 0x0000_2000;
    ALWAYS_SIGN "ALWAYS_SIGN" 0x0000_8000;
    TARGET_TYPE_DOMAIN "TARGET_TYPE_DOMAIN" 0x0001_0000;
    TARGET_TYPE_SERVER "TARGET_TYPE_SERVER" 0x0002_0000;
    EXTENDED_SESSIONSECURITY "EXTENDED_SESSIONSECURITY" 0x0008_0000;
    IDENTIFY "IDENTIFY" 0x0010_0000;
    REQUEST_NON_NT_SESSION_KEY "REQUEST_NON_NT_SESSION_KEY" 0x0040_0000;
    TARGET_INFO "TARGET_INFO" 0x0080_0000;
    VERSION "VERSION" 0x0200_0000;
    KEY_128 "128" 0x2000_0000;
    KEY_EXCH "KEY_EXCH" 0x4000_0000;
    KEY_56 "56" 0x8000_0000;
}

impl NegotiateFlags {
    /// What Office Communications Server 2007 R2 and Lync 2013 send in CHALLENGE.
    pub const SERVER: Self = Self(0xE298_82F3);
    /// What Office Communicator 2007 R2 sends in AUTHENTICATE.
    pub const CLIENT: Self = Self(0x6298_8255);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Without the bits of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The flag with this name, without prefix.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, flag)| *flag)
    }

    /// Names of the flags that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().filter(move |(_, flag)| self.contains(*flag)).map(|(name, _)| *name)
    }
}

impl BitOr for NegotiateFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for NegotiateFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)?;
        f.debug_list().entries(self.names()).finish()
    }
}
