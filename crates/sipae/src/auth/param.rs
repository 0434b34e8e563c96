//! The parameters of authentication header fields.

use std::fmt;

use crate::names::NameTable;

macro_rules! auth_params {
    ($($variant:ident $name:literal $quoted:literal;)*) => {
        /// A known parameter. Names are case-insensitive ([MS-SIPAE] SIPAE-2.2-02).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum AuthParam {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl AuthParam {
            /// Every parameter, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const NAMES: &'static [&'static str] = &[$($name,)*];

            /// The name as written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether NTLM, Kerberos and TLS-DSK write the value in quotes.
            #[must_use]
            pub const fn is_quoted(self) -> bool {
                match self { $(Self::$variant => $quoted,)* }
            }
        }
    };
}

auth_params! {
    // [MS-SIPAE] 2.2.1-2.2.3.
    Qop "qop" true;
    Realm "realm" true;
    Opaque "opaque" true;
    Targetname "targetname" true;
    Version "version" false;
    GssapiData "gssapi-data" true;
    StsUri "sts-uri" true;
    Crand "crand" true;
    Cnum "cnum" true;
    Response "response" true;
    Srand "srand" true;
    Snum "snum" true;
    Rspauth "rspauth" true;
    // RFC 2617, RFC 7616.
    Algorithm "algorithm" false;
    Cnonce "cnonce" true;
    Domain "domain" true;
    Nc "nc" false;
    Nonce "nonce" true;
    Stale "stale" false;
    Uri "uri" true;
    Username "username" true;
}

pub(crate) const COUNT: usize = AuthParam::ALL.len();

impl AuthParam {
    /// The parameter with this name, in any letter case.
    #[must_use]
    pub fn from_octets(name: &[u8]) -> Option<Self> {
        let candidate = Self::ALL.get(TABLE.candidate(name)?).copied()?;
        let known = candidate.name().as_bytes();
        (known == name || known.eq_ignore_ascii_case(name)).then_some(candidate)
    }
}

static TABLE: NameTable = NameTable::new(AuthParam::NAMES);

impl fmt::Display for AuthParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
