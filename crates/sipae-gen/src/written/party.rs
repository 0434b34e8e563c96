//! Parties: by name where they have one.

use serde::{Deserialize, Serialize};

use crate::{AccountRole, Party};

/// A party as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected the name of a party, or {\"account\": role, \"endpoint\": number}")]
pub(crate) enum WrittenParty {
    Named(String),
    Other { account: AccountRole, endpoint: u8 },
}

impl From<Party> for WrittenParty {
    fn from(party: Party) -> Self {
        if Party::all().any(|named| named == party) {
            Self::Named(party.name().to_owned())
        } else {
            Self::Other { account: party.account, endpoint: party.endpoint }
        }
    }
}

impl TryFrom<WrittenParty> for Party {
    type Error = String;

    fn try_from(written: WrittenParty) -> Result<Self, String> {
        match written {
            WrittenParty::Named(name) => {
                Self::from_name(&name).ok_or_else(|| format!("unknown party {name:?}"))
            }
            WrittenParty::Other { account, endpoint } => Ok(Self { account, endpoint }),
        }
    }
}
