//! The context of every command.

use std::time::Duration;

use crate::config::Flags;
use crate::config::environment::Environment;
use crate::config::settings::Config;
use crate::failure::Failure;

/// The context of every command.
pub(crate) struct Context {
    pub(crate) flags: Flags,
    pub(crate) environment: Environment,
    pub(crate) json: bool,
}

impl Context {
    /// The settings, or everything that is wrong with them. For commands run by a person: a database that is not up is
    /// reported immediately.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = self.config_that_waits()?;
        config.policy.database.wait = Duration::ZERO;
        Ok(config)
    }

    /// The same for commands that a machine starts together with its database.
    pub(crate) fn config_that_waits(&self) -> Result<Config, Failure> {
        Config::load(&self.flags, &self.environment).map_err(|problems| Failure::problems(&problems))
    }
}
