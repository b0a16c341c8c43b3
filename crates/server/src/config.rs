//! Settings: embedded defaults < file < environment < flags, checked before anything starts.

mod checked;
mod checker;
pub(crate) mod clients;
mod cors;
pub(crate) mod environment;
pub(crate) mod guards;
pub(crate) mod keys;
pub(crate) mod layers;
mod pages;
pub(crate) mod problem;
pub(crate) mod raw;
pub(crate) mod reference;
mod service;
pub(crate) mod settings;
mod user_data;
pub(crate) mod values;

use std::path::PathBuf;

use serde::Deserialize as _;
use toml::Value;

use environment::Environment;
use keys::Key;
use layers::Layers;
use problem::Problem;
use settings::Config;

/// Where to look for a configuration file if none is named.
const USUAL_FILES: [&str; 2] = ["./vestibule.toml", "/etc/vestibule/vestibule.toml"];

/// The settings on the command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--config`
    pub(crate) config: Option<PathBuf>,
    /// `--listen`
    pub(crate) listen: Option<String>,
}

impl Config {
    /// Reads all settings.
    ///
    /// # Errors
    /// Everything that is wrong with them, not only the first.
    pub(crate) fn load(flags: &Flags, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let layers = read_layers(flags, environment)?;
        let raw = raw::Raw::deserialize_from(&layers).map_err(|problem| vec![problem])?;
        checked::config(raw, layers, environment)
    }

    /// These settings, with the values that `newer` has for some keys.
    ///
    /// # Errors
    /// If the two do not go together.
    pub(crate) fn with(
        &self,
        newer: &Self,
        keys: &[&Key],
        environment: &Environment,
    ) -> Result<Self, Vec<Problem>> {
        let mut layers = self.layers.clone();
        for key in keys {
            layers.take(key, &newer.layers);
        }
        let raw = raw::Raw::deserialize_from(&layers).map_err(|problem| vec![problem])?;
        checked::config(raw, layers, environment)
    }
}

fn read_layers(flags: &Flags, environment: &Environment) -> Result<Layers, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut layers = Layers::defaults();
    let named = flags.config.clone().or_else(|| environment.get("VESTIBULE_CONFIG").map(PathBuf::from));
    let usual = || USUAL_FILES.iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(path) = named.or_else(usual) {
        layers.add_file(&path, &mut problems);
    }
    layers.add_environment(environment, &mut problems);
    if let Some(listen) = &flags.listen {
        layers.add_flag("listen", "--listen", listen);
    }
    if problems.is_empty() { Ok(layers) } else { Err(problems) }
}

impl raw::Raw {
    fn deserialize_from(layers: &Layers) -> Result<Self, Problem> {
        let mut track = serde_path_to_error::Track::new();
        let table = Value::Table(layers.merged());
        let deserializer = serde_path_to_error::Deserializer::new(table, &mut track);
        Self::deserialize(deserializer).map_err(|error| {
            let path = track.path().to_string();
            let key = path.split('[').next().unwrap_or_default();
            let found = keys::find(key);
            // The value found instead of a text is part of the message, and may be the secret itself.
            let is_secret = found.is_some_and(|key| key.secret);
            let cause = if is_secret { "not of its type".to_owned() } else { error.to_string() };
            let what = found.map_or("", |key| key.what);
            Problem::new(format!("{}: {}", layers.place(key), cause.trim()), format!("this is {what}"))
        })
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
