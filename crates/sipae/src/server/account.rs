//! Who may authenticate.

use std::collections::BTreeMap;

use crate::ntlm::upper_case;

/// A user account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Account name.
    pub user: String,
    /// NetBIOS name of the domain.
    pub domain: String,
    /// Password.
    pub password: String,
    /// Address-of-record without scheme, such as `alice@contoso.com`.
    pub address: String,
    /// Telephone number that the server asserts beside the address, in the form of a tel URI without scheme.
    pub tel: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({}\\{}, {})", self.domain, self.user, self.address)
    }
}

/// All accounts of a server.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    all: Vec<Account>,
    /// Places by address-of-record in lower case.
    by_address: BTreeMap<String, usize>,
}

impl Accounts {
    /// These accounts. Of several with one address-of-record the first has it.
    #[must_use]
    pub fn new(accounts: Vec<Account>) -> Self {
        let places = accounts.iter().enumerate().rev();
        let by_address = places.map(|(place, account)| (account.address.to_lowercase(), place)).collect();
        Self { all: accounts, by_address }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.all.iter()
    }

    /// The domain of the first account.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.all.first().map(|account| account.domain.as_str())
    }

    /// The account that a client names: account name and domain, or user@domain and no domain. Letter case does not
    /// matter.
    #[must_use]
    pub fn find(&self, user: &str, domain: &str) -> Option<&Account> {
        let same = |left: &str, right: &str| upper_case(left) == upper_case(right);
        self.all.iter().find(|account| {
            let by_name = same(&account.user, user) && (domain.is_empty() || same(&account.domain, domain));
            by_name || domain.is_empty() && same(&account.address, user)
        })
    }

    /// The account with this address-of-record, given in lower case.
    #[must_use]
    pub fn by_address(&self, address: &str) -> Option<&Account> {
        self.by_address.get(address).and_then(|place| self.all.get(*place))
    }

    /// Whether somebody has this address-of-record, given in lower case.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        self.by_address.contains_key(address)
    }
}
