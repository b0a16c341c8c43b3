//! Where each setting's value comes from: defaults < file < environment < flags.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::environment::Environment;
use super::keys::{KEYS, Key, closest, find};
use super::problem::Problem;

const DEFAULTS: &str = include_str!("../defaults.toml");

/// The source of a setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `defaults.toml` inside the program.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A file named by a variable that ends in `_FILE`.
    VariableFile(String, PathBuf),
    /// A file in systemd's `$CREDENTIALS_DIRECTORY`.
    Credential(PathBuf),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) | Self::Credential(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::VariableFile(name, path) => write!(f, "{name}: {}", path.display()),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and its source.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    pub(crate) source: Source,
}

impl Setting {
    /// The value as it may be shown: a secret as set or not, a URL by its scheme, a service by its name.
    pub(crate) fn shown(&self, key: &Key) -> Value {
        shown(&self.value, key.secret)
    }
}

fn shown(value: &Value, secret: bool) -> Value {
    match value {
        Value::String(text) if secret && !text.is_empty() => {
            let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| scheme.len() <= 20);
            Value::String(scheme.map_or_else(|| "[secret]".to_owned(), |scheme| format!("{scheme}:[secret]")))
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| shown(item, secret)).collect()),
        value => value.clone(),
    }
}

/// Omits the value, which may be a secret (O1).
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("source", &self.source).finish_non_exhaustive()
    }
}

/// The value in force for every key.
#[derive(Clone, Debug)]
pub(crate) struct Layers(BTreeMap<&'static str, Setting>);

impl Layers {
    /// The embedded defaults.
    pub(crate) fn defaults() -> Self {
        let table: Table = DEFAULTS.parse().expect("the embedded defaults are TOML");
        let setting = |key: &Key| {
            let value = lookup(&table, key.path).expect("every key has a default").clone();
            (key.path, Setting { value, source: Source::Default })
        };
        Self(KEYS.iter().map(setting).collect())
    }

    /// Every key with its setting, in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static Key, &Setting)> {
        KEYS.iter().map(|key| (key, self.get(key.path)))
    }

    pub(crate) fn get(&self, path: &str) -> &Setting {
        &self.0[path]
    }

    /// `key (where it was set)`, for messages.
    pub(crate) fn place(&self, path: &str) -> String {
        match self.0.get(path).map(|setting| &setting.source) {
            None | Some(Source::Default) => format!("`{path}`"),
            Some(source) => format!("`{path}` ({source})"),
        }
    }

    /// Takes over the setting that `others` has for a key.
    pub(crate) fn take(&mut self, key: &Key, others: &Self) {
        let Setting { value, source } = others.get(key.path).clone();
        self.set(key, value, source);
    }

    /// All values as one nested table.
    pub(crate) fn merged(&self) -> Table {
        let mut table = Table::new();
        for (path, setting) in &self.0 {
            match path.split_once('.') {
                None => drop(table.insert((*path).to_owned(), setting.value.clone())),
                Some((section, name)) => {
                    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                    if let Value::Table(section) = section {
                        section.insert(name.to_owned(), setting.value.clone());
                    }
                }
            }
        }
        table
    }

    /// Overrides values with those of the configuration file.
    pub(crate) fn add_file(&mut self, path: &Path, problems: &mut Vec<Problem>) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return problems.push(unreadable("the configuration file", path, &error)),
        };
        match text.parse::<Table>() {
            Ok(table) => self.add_table(&table, "", path, problems),
            Err(error) => {
                // The line itself, which the error also shows, is left out: it may contain a secret.
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let (line, what) = (before.matches('\n').count() + 1, error.message());
                problems.push(Problem::new(
                    format!("{}: TOML parse error at line {line}: {what}", path.display()),
                    "correct the line: the file is TOML (https://toml.io)",
                ));
            }
        }
    }

    fn add_table(&mut self, table: &Table, prefix: &str, file: &Path, problems: &mut Vec<Problem>) {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            match (value, find(&path)) {
                (_, Some(key)) => self.set(key, value.clone(), Source::File(file.to_owned())),
                (Value::Table(inner), None) if is_section(&path) => {
                    self.add_table(inner, &format!("{path}."), file, problems);
                }
                _ => {
                    let fix = match closest(&path, KEYS.iter().map(|key| key.path)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            "take it out; `vestibule check-config --print-sources` lists every key".to_owned()
                        }
                    };
                    problems.push(Problem::new(format!("{}: unknown key `{path}`", file.display()), fix));
                }
            }
        }
    }

    /// Overrides values with those of the environment: `PORT` and `DATABASE_URL`, credentials, then our own variables.
    pub(crate) fn add_environment(&mut self, environment: &Environment, problems: &mut Vec<Problem>) {
        self.add_conventions(environment, problems);
        for key in KEYS {
            if let Some(folder) = environment.get("CREDENTIALS_DIRECTORY").filter(|_| key.secret) {
                let path = Path::new(folder).join(key.credential());
                if path.exists() {
                    self.add_value_file(key, &path, Source::Credential(path.clone()), problems);
                }
            }
            let name = key.variable();
            let file_name = format!("{name}_FILE");
            match (environment.get(&name), environment.get(&file_name)) {
                (Some(_), Some(_)) => problems.push(Problem::new(
                    format!("`{}`: both {name} and {file_name} are set", key.path),
                    "unset one of them",
                )),
                (Some(text), None) => self.add_text(key, text, Source::Variable(name), problems),
                (None, Some(path)) => {
                    let path = PathBuf::from(path);
                    self.add_value_file(key, &path, Source::VariableFile(file_name, path.clone()), problems);
                }
                (None, None) => {}
            }
        }
        problems.extend(unknown_variables(environment));
    }

    /// The variables that platforms set for every program; our own take precedence.
    fn add_conventions(&mut self, environment: &Environment, problems: &mut Vec<Problem>) {
        if let Some((key, url)) = find("database_url").zip(environment.get("DATABASE_URL")) {
            self.add_text(key, url, Source::Variable("DATABASE_URL".to_owned()), problems);
        }
        if let Some((key, port)) = find("listen").zip(environment.get("PORT")) {
            let host = match &self.get("listen").value {
                Value::String(listen) if !listen.starts_with("unix:") => {
                    listen.rsplit_once(':').map(|(host, _)| host)
                }
                _ => None,
            };
            if let Some(host) = host {
                let text = format!("{host}:{port}");
                self.add_text(key, &text, Source::Variable("PORT".to_owned()), problems);
            }
        }
    }

    /// Overrides a value with that of a flag.
    pub(crate) fn add_flag(&mut self, path: &str, flag: &'static str, text: &str) {
        if let Some(key) = find(path) {
            self.set(key, Value::String(text.to_owned()), Source::Flag(flag));
        }
    }

    /// Sets a value from a text, parsed as the type of the key's default.
    fn add_text(&mut self, key: &Key, text: &str, source: Source, problems: &mut Vec<Problem>) {
        let value = match &self.get(key.path).value {
            Value::Boolean(_) => {
                text.parse().map(Value::Boolean).map_err(|_| ("neither true nor false", "true or false"))
            }
            Value::Integer(_) => {
                text.parse().map(Value::Integer).map_err(|_| ("not a whole number", "digits only"))
            }
            Value::Array(_) => {
                // In a file, entries may also be on separate lines.
                let items = text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
            }
            Value::Table(_) => {
                pairs(text).ok_or(("no list of names and values", "e.g. `plan=app.plan, theme=data.theme`"))
            }
            _ => Ok(Value::String(text.to_owned())),
        };
        match value {
            Ok(value) => self.set(key, value, source),
            Err((cause, form)) => {
                let shown = if key.secret { "the value" } else { &format!("{text:?}") };
                problems.push(Problem::new(
                    format!("`{}` ({source}): {shown} is {cause}", key.path),
                    format!("write {form}"),
                ));
            }
        }
    }

    fn add_value_file(&mut self, key: &Key, path: &Path, source: Source, problems: &mut Vec<Problem>) {
        match fs::read_to_string(path) {
            // Editors and `echo` end a file with a line break, which is not part of a password.
            Ok(text) => {
                let text = text.strip_suffix('\n').unwrap_or(&text);
                self.add_text(key, text.strip_suffix('\r').unwrap_or(text), source, problems);
            }
            Err(error) => problems.push(unreadable(&format!("`{}` ({source})", key.path), path, &error)),
        }
    }

    fn set(&mut self, key: &Key, value: Value, source: Source) {
        if let Some(setting) = self.0.get_mut(key.path) {
            *setting = Setting { value, source };
        }
    }
}

/// `a=x, b=y`, as a table. A name comes once, as in a file.
fn pairs(text: &str) -> Option<Value> {
    let mut table = Table::new();
    for item in text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty()) {
        let (name, value) = item.split_once('=')?;
        let value = Value::String(value.trim().to_owned());
        if table.insert(name.trim().to_owned(), value).is_some() {
            return None;
        }
    }
    Some(Value::Table(table))
}

fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

fn lookup<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((section, name)) => table.get(section)?.as_table()?.get(name),
    }
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("{what}: cannot read {}: {error}", path.display()), reading(error))
}

/// What to do about a file that cannot be read.
pub(super) fn reading(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "make the file, or name another",
        io::ErrorKind::PermissionDenied => "let the user that runs vestibule read it",
        _ => "it must be a UTF-8 text file",
    }
}

/// A misspelt variable would otherwise be silently ignored, and a limit that was meant to apply would not.
fn unknown_variables(environment: &Environment) -> Vec<Problem> {
    let known: Vec<String> = KEYS.iter().map(Key::variable).chain(["VESTIBULE_CONFIG".to_owned()]).collect();
    let is_known = |name: &str| known.iter().any(|known| known == name.strip_suffix("_FILE").unwrap_or(name));
    let ours = environment.names().filter(|name| name.starts_with("VESTIBULE_"));
    let unknown = ours.filter(|name| !is_known(name) && !is_of_others(name));
    unknown
        .map(|name| {
            let fix =
                match closest(name.strip_suffix("_FILE").unwrap_or(name), known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "unset it; `vestibule check-config --print-sources` lists every key".to_owned(),
                };
            Problem::new(format!("unknown variable {name}"), fix)
        })
        .collect()
}

/// Kubernetes describes a service called `vestibule` to every container in variables such as `VESTIBULE_PORT_8080_TCP`;
/// `VESTIBULE_TEST_…` belongs to the test suite.
fn is_of_others(name: &str) -> bool {
    ["VESTIBULE_SERVICE_HOST", "VESTIBULE_SERVICE_PORT", "VESTIBULE_PORT", "VESTIBULE_TEST"]
        .iter()
        .any(|prefix| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_has_its_key() {
        fn count(table: &Table) -> usize {
            // An empty table is a value itself.
            table.values().map(|value| value.as_table().filter(|it| !it.is_empty()).map_or(1, count)).sum()
        }
        assert_eq!(count(&DEFAULTS.parse().unwrap()), KEYS.len());
        assert_eq!(Layers::defaults().merged().len(), DEFAULTS.parse::<Table>().unwrap().len());
    }
}
