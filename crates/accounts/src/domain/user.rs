//! A user as seen from outside the store.

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::BASE64URL_NOPAD;

use crate::domain::access::roles::ADMIN;
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::external_id::ExternalId;
use crate::domain::profile::user_data::UserData;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;

/// A user: the account behind tokens and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Names the account permanently.
    pub id: UserId,
    /// The confirmed address, as typed.
    pub email: Email,
    /// The public name.
    pub user_name: Option<UserName>,
    /// What people call its owner.
    pub display_name: Option<DisplayName>,
    /// When the address was confirmed.
    pub email_confirmed_at: Timestamp,
    /// When the account became active.
    pub created_at: Timestamp,
    /// When it was disabled; `None` while it is not.
    pub disabled_at: Option<Timestamp>,
    /// The language of its mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// What it may do beyond its own account, e.g. `admin`; sorted.
    pub roles: Vec<String>,
    /// What its owner keeps with it.
    pub data: UserData,
    /// What the application keeps with it. Its owner cannot change it.
    pub app_data: UserData,
    /// What it was called in the system it came from; no two accounts have the same.
    pub external_id: Option<ExternalId>,
    /// When its owner accepted the operator's terms; `None` if nobody was asked.
    pub terms_accepted_at: Option<Timestamp>,
}

/// Which states of an account a change applies to, so that a concurrent change is not lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any state.
    Any,
    /// One of these [revisions](Account::revision).
    OneOf(Vec<String>),
}

impl Expected {
    pub(crate) fn is(&self, account: &Account) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(revisions) => revisions.contains(&account.revision()),
        }
    }
}

impl Account {
    /// Whether it is an administrator now.
    pub(crate) fn administrates(&self) -> bool {
        self.disabled_at.is_none() && self.roles.iter().any(|role| role == ADMIN)
    }

    /// Identifies this state of the account: changes as soon as anything here does, and is the same on every instance.
    pub fn revision(&self) -> String {
        let Self {
            id,
            email,
            user_name,
            display_name,
            email_confirmed_at,
            created_at,
            disabled_at,
            locale,
            roles,
            data,
            app_data,
            external_id,
            terms_accepted_at,
        } = self;
        let time = |at: &Timestamp| at.to_string();
        let parts = [
            Some(id.to_string()),
            Some(email.as_str().to_owned()),
            user_name.as_ref().map(|name| name.as_str().to_owned()),
            display_name.as_ref().map(|name| name.as_str().to_owned()),
            Some(time(email_confirmed_at)),
            Some(time(created_at)),
            disabled_at.as_ref().map(time),
            locale.clone(),
            Some(roles.join(" ")),
            data.to_stored().map(str::to_owned),
            app_data.to_stored().map(str::to_owned),
            external_id.as_ref().map(|id| id.as_str().to_owned()),
            terms_accepted_at.as_ref().map(time),
        ];
        let mut context = Context::new(&SHA256);
        for part in parts {
            // Absent differs from empty, and no part can be mistaken for the end of another.
            context.update(&part.as_ref().map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
            context.update(part.unwrap_or_default().as_bytes());
        }
        let digest = context.finish();
        BASE64URL_NOPAD.encode(digest.as_ref().get(..16).unwrap_or_default())
    }
}

/// The state of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not.
    Disabled,
}

impl UserStatus {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Active, Self::Disabled];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which second factor a user has: an authenticator app counts from its first code on, a passkey where there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorStatus {
    /// None.
    None,
    /// At least one.
    Any,
    /// A passkey.
    Passkey,
    /// An authenticator app.
    Authenticator,
}

impl FactorStatus {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::None, Self::Any, Self::Passkey, Self::Authenticator];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Any => "any",
            Self::Passkey => "passkey",
            Self::Authenticator => "authenticator",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How to find one user.
#[derive(Clone, Debug)]
pub enum UserRef {
    /// By id.
    Id(UserId),
    /// By email address.
    Email(Email),
    /// By user name.
    UserName(UserName),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_account_is_in_its_revision() {
        let at = Timestamp::from_millis;
        let account = Account {
            id: UserId::from_bytes([1; 16]),
            email: "ada@example.org".parse().unwrap(),
            user_name: None,
            display_name: None,
            email_confirmed_at: at(1),
            created_at: at(1),
            disabled_at: None,
            locale: None,
            roles: vec!["admin".to_owned()],
            data: UserData::default(),
            app_data: UserData::default(),
            external_id: None,
            terms_accepted_at: None,
        };
        let data = UserData::from_stored(Some(r#"{"a":1}"#.to_owned()));
        let others = [
            Account { id: UserId::from_bytes([2; 16]), ..account.clone() },
            Account { email: "Ada@example.org".parse().unwrap(), ..account.clone() },
            Account { user_name: Some("ada".parse().unwrap()), ..account.clone() },
            Account { display_name: Some("ada".parse().unwrap()), ..account.clone() },
            Account { email_confirmed_at: at(2), ..account.clone() },
            Account { created_at: at(2), ..account.clone() },
            Account { disabled_at: Some(at(1)), ..account.clone() },
            Account { locale: Some(String::new()), ..account.clone() },
            Account { locale: Some("admin".to_owned()), roles: vec![], ..account.clone() },
            Account { roles: vec![], ..account.clone() },
            Account { data: data.clone(), ..account.clone() },
            Account { app_data: data, ..account.clone() },
            Account { external_id: Some("42".parse().unwrap()), ..account.clone() },
            Account { terms_accepted_at: Some(at(1)), ..account.clone() },
        ];
        let mut revisions: Vec<_> = others.iter().chain([&account]).map(Account::revision).collect();
        assert_eq!(account.revision(), account.clone().revision());
        revisions.sort();
        revisions.dedup();
        assert_eq!(revisions.len(), others.len() + 1);
        assert!(Expected::OneOf(vec![String::new(), account.revision()]).is(&account));
        assert!(!Expected::OneOf(vec![others[0].revision()]).is(&account) && Expected::Any.is(&account));
    }
}
