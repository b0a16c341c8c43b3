//! What the list of users may ask for, and what it says of each of them.

use crate::domain::time::Timestamp;
use crate::domain::user::Account;

/// The order of the users of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By email address.
    Email,
    /// By email address, from the end.
    EmailDescending,
    /// Whoever signed in last comes first; those who never did come last.
    LatestSignIn,
    /// Those who never signed in come first, then whoever signed in longest ago.
    EarliestSignIn,
}

impl UserOrder {
    /// Every order.
    pub const ALL: [Self; 6] = [
        Self::Newest,
        Self::Oldest,
        Self::Email,
        Self::EmailDescending,
        Self::LatestSignIn,
        Self::EarliestSignIn,
    ];

    /// The stable name: what it goes by, after a hyphen where it descends.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newest => "-created",
            Self::Oldest => "created",
            Self::Email => "email",
            Self::EmailDescending => "-email",
            Self::LatestSignIn => "-last_sign_in",
            Self::EarliestSignIn => "last_sign_in",
        }
    }

    /// The order of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }
}

/// A stretch of time; open where there is no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub before: Option<Timestamp>,
}

impl TimeRange {
    pub(crate) fn is_open(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn first(self) -> Timestamp {
        self.from.unwrap_or(Timestamp::from_millis(i64::MIN))
    }

    pub(crate) fn end(self) -> Timestamp {
        self.before.unwrap_or(Timestamp::from_millis(i64::MAX))
    }
}

/// When users of a list signed in last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSignIn {
    /// They never did.
    Never,
    /// In this range. One without a beginning includes those who never signed in.
    Within(TimeRange),
}

impl LastSignIn {
    /// The range, where a user who never signed in counts as one who did in 1970.
    pub(crate) fn range(self) -> TimeRange {
        match self {
            Self::Never => TimeRange { from: None, before: Some(Timestamp::from_millis(1)) },
            Self::Within(range) => range,
        }
    }
}

/// A user in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The account.
    pub account: Account,
    /// When it signed in last; `None` if it never did.
    pub last_sign_in_at: Option<Timestamp>,
    /// Whether it has a passkey. `false` for all where there are no passkeys.
    pub has_passkey: bool,
    /// Whether it has an authenticator app whose first code was given.
    pub has_authenticator: bool,
}

/// How many users there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserCount {
    /// As many as were counted.
    pub counted: i64,
    /// Whether there may be more: counting ends after some thousands.
    pub is_lower_bound: bool,
}

/// How many users there are in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserCounts {
    /// In either.
    pub all: UserCount,
    /// Those who may sign in.
    pub active: UserCount,
    /// Those who may not.
    pub disabled: UserCount,
}
