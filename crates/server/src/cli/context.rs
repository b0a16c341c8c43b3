//! The context of every command.

use std::time::Duration;

use vestibule::Reason;

use crate::config::Flags;
use crate::config::environment::Environment;
use crate::config::settings::Config;
use crate::failure::Failure;
use crate::operator::operator;

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
        config.operator = operator(&self.environment);
        Ok(config)
    }

    /// The same for a command that changes something, and why it does.
    pub(crate) fn config_because(&self, reason: Option<&Reason>) -> Result<Config, Failure> {
        let mut config = self.config()?;
        if let Some(operator) = &mut config.operator {
            operator.reason = reason.cloned();
        }
        Ok(config)
    }

    /// The same for commands that a machine starts together with its database.
    pub(crate) fn config_that_waits(&self) -> Result<Config, Failure> {
        Config::load(&self.flags, &self.environment).map_err(|problems| Failure::problems(&problems))
    }
}
