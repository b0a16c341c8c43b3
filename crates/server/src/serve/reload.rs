//! SIGHUP: the settings are read again. What can change without a restart changes at once; what cannot is named; and where anything is
//! wrong, nothing changes.

use axum::Router;
use tokio::signal::unix::Signal;
use vestibule::PolicyError;

use super::answers::Answers;
use super::connections::{Front, Rules};
use super::slots::Slots;
use super::systemd;
use crate::config::Flags;
use crate::config::environment::Environment;
use crate::config::guards::refusals;
use crate::config::keys::Key;
use crate::config::problem::Problem;
use crate::config::reference::is_reloaded;
use crate::config::settings::Config;
use crate::failure::Failure;
use crate::mailer::mailer;
use crate::telemetry::Level;

/// A running server, as far as its settings can change.
pub(super) struct Reloader {
    /// The settings in force.
    pub(super) config: Config,
    pub(super) given: Given,
    pub(super) address: String,
    pub(super) answers: Answers,
    pub(super) front: Front,
    pub(super) slots: Slots,
}

/// Where settings come from beside the file, and the filter of the log that they change.
pub(crate) struct Given {
    pub(crate) flags: Flags,
    pub(crate) environment: Environment,
    pub(crate) level: Level,
}

impl Reloader {
    /// Reads the settings again at each signal.
    pub(super) async fn on_each(mut self, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            systemd::reloading();
            if let Err(failure) = self.reload() {
                tracing::error!(
                    signal = "SIGHUP",
                    "the settings were not read again, and nothing changed: {failure}"
                );
            }
            systemd::ready(&self.address);
        }
    }

    fn reload(&mut self) -> Result<(), Failure> {
        let problems = |problems: Vec<Problem>| Failure::problems(&problems);
        let written = Config::load(&self.given.flags, &self.given.environment).map_err(problems)?;
        let refused = refusals(&written, self.answers.dev);
        if !refused.is_empty() {
            return Err(Failure::problems(&refused));
        }
        let changed = self.config.changed(&written);
        let (now, later): (Vec<&Key>, Vec<&Key>) =
            changed.into_iter().partition(|key| is_reloaded(key, self.answers.dev));
        let next = self.config.with(&written, &now, &self.given.environment).map_err(problems)?;
        self.apply(&next)?;
        for key in &now {
            let (from, to) = (self.config.shown(key), next.shown(key));
            tracing::info!(key = key.path, %from, %to, "a setting changed");
        }
        // Between the lines of old and new, so that some are written whichever says less.
        self.given.level.set(next.log.level.clone());
        self.config = next;
        let paths: Vec<&str> = later.iter().map(|key| key.path).collect();
        if !paths.is_empty() {
            tracing::warn!("changed, but only a restart makes it so: {}", paths.join(", "));
        }
        tracing::info!(signal = "SIGHUP", changed = now.len(), "the settings were read again");
        Ok(())
    }

    /// The router of these settings, and the limits that its answers tell of; neither, if one cannot be.
    fn router(&self, next: &Config) -> Result<Router, Failure> {
        let accounts = &self.answers.accounts;
        let refused = |error: PolicyError| Failure::config(error.to_string());
        accounts.set_limits(&next.policy).map_err(refused)?;
        let made = self.answers.router(next);
        if made.is_err() {
            accounts.set_limits(&self.config.policy).map_err(refused)?;
        }
        made
    }

    /// Everything is made before anything is replaced. Files that settings name are read again too: templates, the logo.
    fn apply(&self, next: &Config) -> Result<(), Failure> {
        let mailer = if self.answers.dev {
            None
        } else {
            Some(mailer(next, false, self.answers.accounts.public_url()))
        };
        let mailer = mailer.transpose().map_err(|problem| Failure::problems(&[problem]))?;
        let router = self.router(next)?;
        if let Some(mailer) = mailer {
            self.answers.mailer.replace(mailer);
        }
        let rules = Rules::of(next);
        self.slots.resize(rules.most());
        self.front.replace(router, rules);
        Ok(())
    }
}
