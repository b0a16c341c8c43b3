//! Claims of the owner's own in access tokens of this service's own sign-in.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::profile::claim_paths::{ClaimError, ClaimPaths, fitting, is_registered};
use crate::domain::user::Account;

/// The claims that access tokens have beyond their own; none by default. Tokens of applications have those of their
/// registration.
///
/// What would make them longer than 2 KiB together is left out: what users say of themselves first, so that they cannot
/// push out what the application says of them; of each kind, what comes later by name.
#[derive(Clone, Default)]
pub struct Claims(Source);

/// Makes the claims about a user.
type Make = dyn Fn(&Account) -> Map<String, Value> + Send + Sync;

#[derive(Clone, Default)]
enum Source {
    #[default]
    Nothing,
    Paths(ClaimPaths),
    Function(Arc<Make>),
}

impl Claims {
    /// Each claim by its name, with the place of its value: `app.plan` is the member `plan` of the application's data about
    /// the user, `data.theme` one of the user's own data, `external_id` what they were called elsewhere, `roles` the list of
    /// their roles. More members lead deeper.
    ///
    /// # Errors
    /// [`ClaimError`], about the first claim that is not possible.
    pub fn from_paths<'a>(claims: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ClaimError> {
        let paths = ClaimPaths::new(claims)?;
        Ok(Self(if paths.is_empty() { Source::Nothing } else { Source::Paths(paths) }))
    }

    /// What a function makes of each user. Registered claims among it are left out. It runs at every sign-in and refresh, so
    /// it must not wait.
    pub fn by(function: impl Fn(&Account) -> Map<String, Value> + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(function)))
    }

    /// Whether the application's data about a user may end up in tokens, where others decide by it what the user may do.
    pub(crate) fn may_come_from_app_data(&self) -> bool {
        match &self.0 {
            Source::Nothing => false,
            Source::Paths(paths) => paths.may_come_from_app_data(),
            Source::Function(_) => true,
        }
    }

    /// The claims about a user.
    pub fn of(&self, account: &Account) -> Map<String, Value> {
        match &self.0 {
            Source::Nothing => Map::new(),
            Source::Paths(paths) => paths.of(account),
            Source::Function(function) => {
                fitting(function(account).into_iter().filter(|(name, _)| !is_registered(name)))
            }
        }
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Nothing => f.write_str("Claims"),
            Source::Paths(paths) => f.debug_tuple("Claims").field(paths).finish(),
            Source::Function(_) => f.write_str("Claims(a function)"),
        }
    }
}
