//! Who may authenticate.

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
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({}\\{}, {})", self.domain, self.user, self.address)
    }
}

/// All accounts of a server.
#[derive(Clone, Debug, Default)]
pub struct Accounts(Vec<Account>);

impl Accounts {
    /// These accounts.
    #[must_use]
    pub const fn new(accounts: Vec<Account>) -> Self {
        Self(accounts)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    /// The domain of the first account.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.0.first().map(|account| account.domain.as_str())
    }

    /// The account that a client names: account name and domain, or user@domain and no domain. Letter case does not
    /// matter.
    #[must_use]
    pub fn find(&self, user: &str, domain: &str) -> Option<&Account> {
        let same = |left: &str, right: &str| upper_case(left) == upper_case(right);
        self.0.iter().find(|account| {
            let by_name = same(&account.user, user) && (domain.is_empty() || same(&account.domain, domain));
            by_name || domain.is_empty() && same(&account.address, user)
        })
    }

    /// Whether somebody has this address-of-record, given in lower case.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        self.0.iter().any(|account| account.address.to_lowercase() == address)
    }
}
