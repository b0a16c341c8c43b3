//! `[[clients]]`: the applications of the settings file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use toml::{Table, Value};
use vestibule::{
    Application, ApplicationId, ApplicationKeys, ApplicationKind, ClaimPaths, ConfiguredApplication, Consent,
    RedirectUri, Scopes, Secret,
};

use super::checker::Checker;
use super::keys::closest;
use super::layers::{Source, reading};
use super::user_data::claims::fix_of;

const PATH: &str = "clients";
/// What is compared by a fast hash must be long.
const SECRET_OCTETS_MIN: usize = 32;
const MAKE_SECRET: &str =
    "make one with `(umask 077 && openssl rand -hex 32 > shop.secret)`, and name the file as secret_file";

/// The keys of a client.
pub(super) const KEYS: [&str; 13] = [
    "id",
    "name",
    "secret_file",
    "secret_files",
    "jwks_file",
    "redirect_uris",
    "post_logout_redirect_uris",
    "logout_uri",
    "resources",
    "scopes",
    "machine_scopes",
    "consent",
    "claims",
];

/// A client as it is written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    name: String,
    secret_file: Option<PathBuf>,
    secret_files: Vec<PathBuf>,
    jwks_file: Option<PathBuf>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    logout_uri: Option<String>,
    resources: Vec<String>,
    scopes: Vec<String>,
    machine_scopes: Vec<String>,
    consent: Option<String>,
    claims: BTreeMap<String, String>,
}

/// A file with the secret of a client.
#[derive(Clone, Debug)]
pub(crate) struct SecretFile {
    /// The client's id.
    pub(crate) client: ApplicationId,
    pub(crate) path: PathBuf,
}

/// The clients, and the files that their secrets were read from.
pub(super) fn clients(
    entries: &[Value],
    checker: &mut Checker,
) -> (Vec<ConfiguredApplication>, Vec<SecretFile>) {
    let folder = match &checker.layers.get(PATH).source {
        Source::File(path) => path.parent().map(Path::to_owned).unwrap_or_default(),
        _ => PathBuf::new(),
    };
    let mut clients: Vec<ConfiguredApplication> = Vec::new();
    let mut files = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let mut one = One { checker, label: format!("entry {}", index + 1), is_sound: true };
        let Some((client, read_from)) = one.client(entry, &folder) else { continue };
        if clients.iter().any(|other| other.application.id == client.application.id) {
            one.problem("there are two clients with this id", "give each an id of its own");
            continue;
        }
        let id = &client.application.id;
        files.extend(read_from.into_iter().map(|path| SecretFile { client: id.clone(), path }));
        clients.push(client);
    }
    (clients, files)
}

/// One entry while it is read; everything that is wrong with it is collected.
struct One<'a> {
    checker: &'a mut Checker,
    label: String,
    is_sound: bool,
}

impl One<'_> {
    fn problem(&mut self, cause: impl std::fmt::Display, fix: &str) {
        self.is_sound = false;
        self.checker.problem(PATH, format!("{}: {cause}", self.label), fix);
    }

    fn parse<T: FromStr>(&mut self, key: &str, text: &str, fix: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let parsed = text.parse::<T>();
        parsed.map_err(|error| self.problem(format!("`{key}`: {} {error}", text.escape_debug()), fix)).ok()
    }

    fn client(&mut self, entry: &Value, folder: &Path) -> Option<(ConfiguredApplication, Vec<PathBuf>)> {
        let Value::Table(table) = entry else {
            let fix =
                "write each client under a line [[clients]] of the settings file; a variable cannot hold one";
            self.problem("not a table", fix);
            return None;
        };
        let id = self.id(table)?;
        self.label = format!("`{id}`");
        self.unknown_keys(table);
        let written = self.written(table)?;
        let files = self.files(&written, folder);
        let secrets: Vec<Secret> = files.iter().filter_map(|path| self.secret(path)).collect();
        let keys = written.jwks_file.as_ref().map(|path| self.keys(&folder.join(path)));
        let kind = match (&keys, files.is_empty()) {
            (None, true) => ApplicationKind::Public,
            _ => ApplicationKind::Confidential,
        };
        let application = self.application(id, written, kind, keys.unwrap_or_default())?;
        if self.is_sound
            && let Err(error) = application.check()
        {
            self.problem(&error, error.fix());
        }
        self.is_sound.then_some((ConfiguredApplication { application, secrets }, files))
    }

    fn id(&mut self, table: &Table) -> Option<ApplicationId> {
        let Some(id) = table.get("id").and_then(Value::as_str) else {
            self.problem(
                "`id` is missing",
                "write the `client_id` that the application sends, e.g. id = \"shop\"",
            );
            return None;
        };
        match id.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.problem(
                    format!("`id`: {}: {error}", id.escape_debug()),
                    "choose another, e.g. \"shop\"",
                );
                None
            }
        }
    }

    fn unknown_keys(&mut self, table: &Table) {
        for name in table.keys().filter(|name| !KEYS.contains(&name.as_str())) {
            let near = closest(name, KEYS.into_iter());
            let fix = match (name.as_str(), near) {
                ("secret", _) => MAKE_SECRET.to_owned(),
                ("public", _) => {
                    "leave it out: a client without a secret_file or jwks_file is public".to_owned()
                }
                (_, Some(near)) => format!("did you mean `{near}`?"),
                (_, None) => format!("take it out; a client has {}", KEYS.join(", ")),
            };
            self.problem(format!("unknown key `{}`", name.escape_debug()), &fix);
        }
    }

    /// The values in their types.
    fn written(&mut self, table: &Table) -> Option<Written> {
        let mut track = serde_path_to_error::Track::new();
        let value = Value::Table(table.clone());
        let read = Written::deserialize(serde_path_to_error::Deserializer::new(value, &mut track));
        let key = track.path().to_string();
        let problem = |error: toml::de::Error| {
            let cause = format!("`{key}`: {}", error.message());
            self.problem(cause, "write a text in quotes, a list of them in brackets, or for claims a table");
        };
        read.map_err(problem).ok()
    }

    fn files(&mut self, written: &Written, folder: &Path) -> Vec<PathBuf> {
        if written.secret_file.is_some() && !written.secret_files.is_empty() {
            self.problem("both `secret_file` and `secret_files`", "name all files in one of them");
        }
        if written.secret_files.len() > 2 {
            let fix = "leave the oldest out: two are for the time in which one replaces the other";
            self.problem("`secret_files` has more than two entries", fix);
        }
        written.secret_file.iter().chain(&written.secret_files).map(|path| folder.join(path)).collect()
    }

    fn secret(&mut self, path: &Path) -> Option<Secret> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.problem(format!("cannot read the secret file {shown}: {error}"), reading(&error));
                return None;
            }
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.len() < SECRET_OCTETS_MIN || !text.bytes().all(|b| b.is_ascii_graphic()) {
            let cause = format!("the secret in {shown} is not 32 or more characters of visible ASCII");
            self.problem(cause, MAKE_SECRET);
            return None;
        }
        Some(Secret::from(text))
    }

    /// Public keys, which everybody may read.
    fn keys(&mut self, path: &Path) -> ApplicationKeys {
        let shown = path.display();
        let read = fs::read_to_string(path).map_err(|error| {
            self.problem(format!("`jwks_file`: cannot read {shown}: {error}"), reading(&error));
        });
        let keys = read.ok().map(|text| ApplicationKeys::new(&text)).transpose();
        let keys = keys.map_err(|error| {
            let fix =
                "write the public keys that the application signs for: {\"keys\": [{\"kty\": \"OKP\", ...}]}";
            self.problem(format!("`jwks_file`: {shown} {error}"), fix);
        });
        keys.ok().flatten().unwrap_or_default()
    }

    fn application(
        &mut self,
        id: ApplicationId,
        written: Written,
        kind: ApplicationKind,
        keys: ApplicationKeys,
    ) -> Option<Application> {
        let redirect_uris = self.uris("redirect_uris", &written.redirect_uris);
        let post_logout_redirect_uris =
            self.uris("post_logout_redirect_uris", &written.post_logout_redirect_uris);
        let scopes = self.scopes("scopes", &written.scopes);
        let machine_scopes = self.scopes("machine_scopes", &written.machine_scopes);
        let consent = match written.consent.as_deref() {
            None => Some(Consent::Ask),
            Some(name) => Consent::from_name(name),
        };
        if consent.is_none() {
            let fix = "write consent = \"ask\", or \"never\" for an application of your own";
            self.problem("`consent` is neither ask nor never", fix);
        }
        let claims = self.claims(&written.claims);
        Some(Application {
            id,
            name: written.name,
            kind,
            redirect_uris,
            post_logout_redirect_uris,
            logout_uri: written.logout_uri,
            resources: written.resources,
            scopes: scopes?,
            machine_scopes: machine_scopes?,
            consent: consent?,
            claims: claims?,
            keys,
        })
    }

    fn claims(&mut self, claims: &BTreeMap<String, String>) -> Option<ClaimPaths> {
        let pairs = claims.iter().map(|(name, path)| (name.as_str(), path.as_str()));
        let problem = |error| self.problem(format!("`claims`: {error}"), fix_of(&error));
        ClaimPaths::new(pairs).map_err(problem).ok()
    }

    fn uris(&mut self, key: &str, texts: &[String]) -> Vec<RedirectUri> {
        const FIX: &str =
            "write the whole address as the application sends it, e.g. \"https://app.example.org/callback\"";
        texts.iter().filter_map(|text| self.parse(key, text, FIX)).collect()
    }

    fn scopes(&mut self, key: &str, names: &[String]) -> Option<Scopes> {
        const FIX: &str = "write each as an entry of its own, e.g. [\"orders:read\", \"orders:write\"]";
        for name in names {
            let is_one = name.parse().is_ok_and(|scopes: Scopes| scopes.names().count() == 1);
            if !is_one || name.contains(' ') {
                self.problem(format!("`{key}`: {} is not the name of a scope", name.escape_debug()), FIX);
                return None;
            }
        }
        self.parse(key, &names.join(" "), FIX)
    }
}

#[cfg(test)]
#[path = "tests/clients.rs"]
mod tests;
