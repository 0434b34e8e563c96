//! The parameters of authentication header fields.

use std::fmt;

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
        let initial = name.first()?.to_ascii_lowercase();
        let candidates = BY_LENGTH.get(name.len())?;
        candidates.iter().map_while(|candidate| *candidate).find(|param| {
            let known = param.name().as_bytes();
            known.first() == Some(&initial) && known.eq_ignore_ascii_case(name)
        })
    }
}

const LONGEST: usize = 16;

/// For each length of a name the parameters of that length.
static BY_LENGTH: [[Option<AuthParam>; 6]; LONGEST] = by_length();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn by_length() -> [[Option<AuthParam>; 6]; LONGEST] {
    let mut table = [[None; 6]; LONGEST];
    let mut filled = [0; LONGEST];
    let mut next = 0;
    while next < COUNT {
        let length = AuthParam::ALL[next].name().len();
        table[length][filled[length]] = Some(AuthParam::ALL[next]);
        filled[length] += 1;
        next += 1;
    }
    table
}

impl fmt::Display for AuthParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
