//! The settings of the systemd unit (deploy/vestibule.service), for commands run beside it.

use std::fs;
use std::path::Path;

use super::environment::Environment;
use super::problem::Problem;

/// Where the unit stores the database, unless its environment file says otherwise.
const DATA_DIR: &str = "/var/lib/vestibule";

impl Environment {
    /// Adds the settings that the unit gives the server, unless they are already set: the variables of `vestibule.env`
    /// in `folder`, the secrets beside it, its configuration file and its data folder.
    ///
    /// # Errors
    /// If the environment file cannot be read.
    pub(crate) fn of_service(mut self, folder: &Path) -> Result<Self, Problem> {
        let path = folder.join("vestibule.env");
        let text = fs::read_to_string(&path).map_err(|error| {
            let fix = "run the command as root; name the folder of the unit's files as --service=FOLDER where it is another";
            Problem::new(format!("--service: cannot read {}: {error}", path.display()), fix)
        })?;
        let file = folder.join("vestibule.toml");
        let usual = [
            ("CREDENTIALS_DIRECTORY", folder.display().to_string()),
            ("VESTIBULE_DATA_DIR", DATA_DIR.to_owned()),
            ("VESTIBULE_CONFIG", if file.exists() { file.display().to_string() } else { String::new() }),
        ];
        let usual = usual.into_iter().map(|(name, value)| (name.to_owned(), value));
        for (name, value) in text.lines().filter_map(assignment).chain(usual) {
            if self.get(&name).is_none() {
                self.0.insert(name, value);
            }
        }
        Ok(self)
    }
}

/// Parses `NAME=value` as systemd does, with or without quotes; `#` and `;` begin a comment.
fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
    let value = value.trim();
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Some((name.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_has_its_files_where_they_are_looked_for() {
        let unit = include_str!("../../../../deploy/vestibule.service");
        for line in [
            "EnvironmentFile=/etc/vestibule/vestibule.env",
            "LoadCredential=secret_key:/etc/vestibule/secret_key",
            "#LoadCredential=database_url:/etc/vestibule/database_url",
            "Environment=VESTIBULE_DATA_DIR=%S/vestibule",
            "StateDirectory=vestibule",
        ] {
            assert!(unit.lines().any(|it| it == line), "{line}");
        }
    }

    #[test]
    fn the_unit_s_settings_are_weaker_than_given_ones() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# settings\nVESTIBULE_PUBLIC_URL=https://a.example.org\n; more\n\nVESTIBULE_SERVICE_NAME = \"Tea & Co\" \n\
                    VESTIBULE_LOG_LEVEL='debug'\n";
        fs::write(folder.path().join("vestibule.env"), text).unwrap();
        let given = Environment([("VESTIBULE_LOG_LEVEL".to_owned(), "warn".to_owned())].into());
        let environment = given.of_service(folder.path()).unwrap();
        for (name, value) in [
            ("VESTIBULE_PUBLIC_URL", Some("https://a.example.org")),
            ("VESTIBULE_SERVICE_NAME", Some("Tea & Co")),
            ("VESTIBULE_LOG_LEVEL", Some("warn")),
            ("VESTIBULE_DATA_DIR", Some(DATA_DIR)),
            ("CREDENTIALS_DIRECTORY", folder.path().to_str()),
            ("VESTIBULE_CONFIG", None),
        ] {
            assert_eq!(environment.get(name), value, "{name}");
        }
        fs::write(folder.path().join("vestibule.toml"), "").unwrap();
        let environment = Environment::default().of_service(folder.path()).unwrap();
        assert!(environment.get("VESTIBULE_CONFIG").unwrap().ends_with("vestibule.toml"));
        let error = Environment::default().of_service(&folder.path().join("nothing")).err().unwrap();
        assert!(error.cause.contains("nothing/vestibule.env"), "{error}");
    }
}
