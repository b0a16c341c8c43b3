//! The reference of all settings, made from the table of keys and the defaults: `docs/settings.md` and its JSON Schema.

mod forms;
mod markdown;
mod reloaded;
mod schema;

use toml::Value;

pub(crate) use forms::Form;
pub(crate) use markdown::markdown;
pub(crate) use reloaded::is_reloaded;
pub(crate) use schema::schema;

use super::keys::Key;
use super::layers::Layers;

/// A setting as the reference describes it.
pub(crate) struct Entry {
    pub(crate) key: &'static Key,
    pub(crate) form: Form,
    pub(crate) default: Value,
}

/// Every setting, in the order of `defaults.toml`.
pub(crate) fn entries() -> Vec<Entry> {
    let defaults = Layers::defaults();
    let entry = |(key, value): (&'static Key, &Value)| Entry {
        key,
        form: Form::of(key, value),
        default: value.clone(),
    };
    defaults.iter().map(|(key, setting)| (key, &setting.value)).map(entry).collect()
}
