//! The texts: embedded, with single files replaced by those in an operator's folder, which is checked when it is
//! loaded.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter};
use vestibule::{Mail, MailContent};

use crate::letter_error::{LetterError, check_line};
use crate::look::{self, Look};
use crate::values::{self, Values};

/// The languages of the embedded files.
const LANGUAGES: [&str; 5] = ["ar", "de", "en", "es", "fr"];
/// The language if none fits.
const FALLBACK: &str = "en";
/// The files of a mail, in `<kind>/<locale>/`.
const PARTS: [&str; 3] = ["subject.txt", "body.txt", "body.html"];
/// The files that those share: in `shared/` and `shared/<locale>/`.
const SHARED: [&str; 3] = ["layout.html", "parts.html", "words.txt"];

macro_rules! file {
    ($($name:literal),+) => { (concat!($($name),+), include_str!(concat!("../templates/", $($name),+))) };
}
macro_rules! kind {
    ($kind:literal) => {
        kind!($kind, "/en/", "/ar/", "/de/", "/es/", "/fr/")
    };
    ($kind:literal, $($locale:literal),+) => {
        &[$(file!($kind, $locale, "subject.txt"), file!($kind, $locale, "body.txt"), file!($kind, $locale, "body.html")),+]
    };
}

/// The embedded files. A new kind of mail needs its folder and a line here; a new language its name in `kind!` and its
/// words.
const EMBEDDED: [&[(&str, &str)]; 17] = [
    &[
        file!("shared/layout.html"),
        file!("shared/parts.html"),
        file!("shared/en/words.txt"),
        file!("shared/ar/words.txt"),
        file!("shared/de/words.txt"),
        file!("shared/es/words.txt"),
        file!("shared/fr/words.txt"),
    ],
    kind!("confirm"),
    kind!("choose_password"),
    kind!("move_in"),
    kind!("already_registered"),
    kind!("welcome"),
    kind!("password_reset"),
    kind!("password_changed"),
    kind!("email_change"),
    kind!("email_undo"),
    kind!("invitation"),
    kind!("failed_sign_ins"),
    kind!("refresh_reused"),
    kind!("security_notice"),
    kind!("enrolment"),
    kind!("second_factor_due"),
    kind!("test"),
];

/// Why the templates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The operator's folder, or a file in it, cannot be read.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why it failed.
        cause: String,
    },
    /// A file in the operator's folder would never be used: its name is probably misspelled.
    #[error(
        "{0}: not the name of a template; expected are <kind>/<language>/subject.txt, body.txt or body.html"
    )]
    UnknownFile(PathBuf),
    /// A template is missing or does not render.
    #[error("template {name}: {cause}")]
    Broken {
        /// Its name, relative to the folder.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// The contents of the operator's files, by name.
type Replaced = BTreeMap<String, String>;

/// The engine and its templates, made when the first mail is.
type Engine = LazyLock<Environment<'static>, Box<dyn FnOnce() -> Environment<'static> + Send>>;

/// The three texts of one mail.
#[derive(Clone)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// All templates. Each is compiled on first use: together they take more than a megabyte, and few servers send every
/// kind of mail in every language.
pub(crate) struct Templates {
    engine: Engine,
    /// Keys in lower case, for a comparison without case (RFC 5646 §2.1.1); values are the names of the folders.
    locales: BTreeMap<String, String>,
    site: Values,
    site_name: Value,
}

impl Templates {
    /// Loads the embedded templates and those of `folder`, which replace them one by one. Those of a folder may be
    /// anything, so all templates are then rendered once; a test does that for the embedded ones.
    pub(crate) fn load(site: Values, look: &Look, folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut replaced = Replaced::new();
        if let Some(folder) = folder {
            read_folder(folder, &mut replaced)?;
        }
        let others = replaced.keys().filter_map(|name| locale_of(name));
        let locales = LANGUAGES.into_iter().chain(others).map(|l| (l.to_ascii_lowercase(), l.to_owned()));
        let site_name = site.get("site_name").cloned().unwrap_or_default();
        let mut templates = Self {
            locales: locales.collect(),
            engine: engine(replaced.clone(), look.clone()),
            site,
            site_name,
        };
        if folder.is_some() {
            templates.check(&names(&replaced))?;
            templates.engine = engine(replaced, look.clone());
        }
        Ok(templates)
    }

    /// The available languages.
    pub(crate) fn locales(&self) -> impl Iterator<Item = &str> {
        self.locales.values().map(String::as_str)
    }

    /// The three texts, in the language of the mail or the closest available.
    pub(crate) fn render(&self, mail: &Mail) -> Result<Rendered, LetterError> {
        self.render_in(self.locale(mail.locale.as_deref()), mail)
    }

    fn render_in(&self, locale: &str, mail: &Mail) -> Result<Rendered, LetterError> {
        let kind = mail.content.kind();
        let mut values = values::of(&mail.content);
        for (name, value) in &values {
            check_line(name, value.as_str().unwrap_or_default())?;
        }
        values.extend(self.site.clone());
        values.insert("locale", Value::from(locale));
        values.insert("to", Value::from(mail.to.as_str()));
        values.insert("requested_at", Value::from(values::minute(mail.created_at)));
        values.extend(values::link_lasts(mail));
        values.extend(look::words(locale));
        let render = |part: &str, values: Value| {
            let template = self.engine.get_template(&format!("{kind}/{locale}/{part}"));
            template
                .and_then(|template| template.render(values))
                .map_err(|e| LetterError::Template(cause(&e)))
        };
        // M4, M5: the subject gets nothing that a person typed and nothing secret, so it cannot show it. The name of an
        // event is neither.
        let mut public = BTreeMap::from([("site_name", self.site_name.clone())]);
        public.extend(values.get_key_value("event").map(|(name, event)| (*name, event.clone())));
        let [subject, text, html] = PARTS;
        let subject = render(subject, Value::from(public))?.trim().to_owned();
        values.insert("heading", Value::from(subject.as_str()));
        Ok(Rendered {
            subject,
            text: render(text, Value::from(values.clone()))?,
            html: render(html, Value::from(values))?,
        })
    }

    /// The exact tag, then its language, then English.
    fn locale(&self, wanted: Option<&str>) -> &str {
        let wanted = wanted.unwrap_or(FALLBACK).to_ascii_lowercase();
        let language = wanted.split(['-', '_']).next().unwrap_or(FALLBACK);
        let found = self.locales.get(&wanted).or_else(|| self.locales.get(language));
        found.map_or(FALLBACK, String::as_str)
    }

    /// Checks every file, and renders every kind in every language with every sample.
    fn check(&self, names: &[&str]) -> Result<(), TemplateError> {
        for name in names {
            let compiled = self.engine.get_template(name);
            compiled
                .map_err(|error| TemplateError::Broken { name: (*name).to_owned(), cause: cause(&error) })?;
        }
        let samples = values::samples();
        for locale in self.locales.values() {
            for mail in &samples {
                let name = || format!("{}/{locale}", mail.content.kind());
                let broken = |cause: String| TemplateError::Broken { name: name(), cause };
                let rendered = self.render_in(locale, mail).map_err(|error| broken(error.to_string()))?;
                if rendered.subject.is_empty() || rendered.subject.contains(char::is_control) {
                    return Err(broken("subject.txt must be one line of text".to_owned()));
                }
            }
        }
        Ok(())
    }
}

/// The names of all files.
fn names(replaced: &Replaced) -> Vec<&str> {
    embedded().map(|(name, _)| *name).chain(replaced.keys().map(String::as_str)).collect()
}

fn embedded() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    EMBEDDED.into_iter().flatten()
}

fn engine(replaced: Replaced, look: Look) -> Engine {
    LazyLock::new(Box::new(move || {
        let mut engine = Environment::new();
        // A misspelled name fails when the templates are loaded instead of being left out of the mail.
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        engine.set_syntax(syntax.expect("the usual delimiters"));
        engine.set_formatter(format_value);
        look.add_to(&mut engine);
        engine.set_loader(move |wanted| {
            let own = replaced.get(wanted).cloned().map(Cow::Owned);
            let found =
                || embedded().find(|(name, _)| *name == wanted).map(|(_, source)| Cow::Borrowed(*source));
            Ok(own.or_else(found))
        });
        engine
    }))
}

/// Escapes by file ending as the engine does, but leaves `/` alone: it needs no escaping, and links stay readable.
fn format_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() => {
            for c in text.chars() {
                match c {
                    '&' => out.write_str("&amp;")?,
                    '<' => out.write_str("&lt;")?,
                    '>' => out.write_str("&gt;")?,
                    '"' => out.write_str("&quot;")?,
                    '\'' => out.write_str("&#39;")?,
                    c => out.write_char(c)?,
                }
            }
            Ok(())
        }
        _ => escape_formatter(out, state, value),
    }
}

/// The message with its location; the engine's own text can quote values, this does not.
fn cause(error: &Error) -> String {
    let detail = error.detail().unwrap_or_default();
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!(" ({name}, line {line})"),
        _ => String::new(),
    };
    format!("{}: {detail}{place}", error.kind())
}

/// The language of a file, `None` if it is shared.
fn locale_of(name: &str) -> Option<&str> {
    let mut parts = name.split('/');
    let (kind, locale, part) = (parts.next()?, parts.next()?, parts.next()?);
    (MailContent::KINDS.contains(&kind) && PARTS.contains(&part) && parts.next().is_none()).then_some(locale)
}

fn is_shared(name: &str) -> bool {
    let shared = name.strip_prefix("shared/");
    shared.is_some_and(|rest| SHARED.contains(&rest.rsplit('/').next().unwrap_or(rest)))
}

/// Kind, language, file: no template is nested deeper.
const FOLDERS_DEEP: usize = 3;

fn read_folder(folder: &Path, replaced: &mut Replaced) -> Result<(), TemplateError> {
    let mut waiting = vec![(folder.to_owned(), Vec::<String>::new())];
    while let Some((path, names)) = waiting.pop() {
        let unreadable = |error: std::io::Error| TemplateError::Unreadable {
            path: path.clone(),
            cause: error.to_string(),
        };
        for entry in std::fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Files left behind by editors and desktops.
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let names: Vec<String> = names.iter().cloned().chain([name]).collect();
            if entry.path().is_dir() && names.len() < FOLDERS_DEEP {
                waiting.push((entry.path(), names));
                continue;
            }
            let name = names.join("/");
            if locale_of(&name).is_none() && !is_shared(&name) {
                return Err(TemplateError::UnknownFile(entry.path()));
            }
            let source = std::fs::read_to_string(entry.path()).map_err(|error| {
                TemplateError::Unreadable { path: entry.path(), cause: error.to_string() }
            })?;
            replaced.insert(name, source);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_embedded_templates_are_well_formed() {
        let site =
            ["site_name", "public_url", "host"].map(|name| (name, Value::from("accounts.example.org")));
        let templates = Templates::load(Values::from(site), &Look::default(), None).unwrap();
        let nothing = Replaced::new();
        let names = names(&nothing);
        assert_eq!(templates.check(&names), Ok(()));
        assert_eq!(templates.engine.templates().count(), names.len());
        let languages: BTreeSet<&str> = names.iter().filter_map(|name| locale_of(name)).collect();
        assert_eq!(languages.into_iter().collect::<Vec<_>>(), LANGUAGES);
    }
}
