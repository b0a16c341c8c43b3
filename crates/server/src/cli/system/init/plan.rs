//! Which files each way of running the server needs.

use toml::Value;
use vestibule::SecretKey;

use super::file::Draft;
use super::settings_file;

/// How the server will run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By hand, or by another supervisor.
    Program,
    Compose,
    Systemd,
    Kubernetes,
}

/// What to prepare.
pub(super) struct Plan<'a> {
    pub(super) way: Way,
    pub(super) postgres: bool,
    pub(super) public_url: &'a str,
}

const HEAD: &str = "# The settings of Vestibule, written by `vestibule init`. Lines that begin with `#` and a name are defaults: take the `#` away\n\
    # to change one. `vestibule check-config` checks the file, `vestibule check-config --explain KEY` explains a key, and\n\
    # `vestibule settings --schema` prints a JSON Schema for editors. Secrets are in files of their own, not here.\n\n";
const VARIABLES: &str = "# Variables of the server, which override vestibule.toml.\n";
/// To be changed by its reader.
const MAIL_URL: &str = "smtps://user:password@mail.example.org\n";

impl Plan<'_> {
    pub(super) fn files(&self) -> Vec<Draft> {
        let mut files = vec![open("vestibule.toml", self.settings())];
        files.extend(match (self.way, self.postgres) {
            (Way::Program, _) => vec![open("vestibule.env", self.variables())],
            (Way::Systemd, postgres) => vec![
                open("vestibule.env", VARIABLES.to_owned()),
                open("vestibule.service", unit(include_str!("files/vestibule.service"), postgres)),
                open("vestibule.socket", include_str!("files/vestibule.socket").to_owned()),
                open(
                    "vestibule-backup.service",
                    unit(include_str!("files/vestibule-backup.service"), postgres),
                ),
                open("vestibule-backup.timer", include_str!("files/vestibule-backup.timer").to_owned()),
            ],
            (Way::Compose, false) => {
                vec![open("compose.yaml", of_version(include_str!("files/compose.yaml")))]
            }
            (Way::Compose, true) => {
                vec![open("compose.yaml", of_version(include_str!("files/compose-postgres.yaml")))]
            }
            (Way::Kubernetes, false) => {
                vec![open("kubernetes.yaml", of_version(include_str!("files/kubernetes.yaml")))]
            }
            (Way::Kubernetes, true) => {
                vec![open("kubernetes.yaml", of_version(include_str!("files/kubernetes-postgres.yaml")))]
            }
        });
        let secrets = self.secrets();
        if self.way == Way::Kubernetes {
            let paths: Vec<String> = secrets.iter().map(|draft| format!("      - {}", draft.path)).collect();
            let text = include_str!("files/kustomization.yaml").replace("@SECRETS@", &paths.join("\n"));
            files.push(open("kustomization.yaml", text));
        }
        files.extend(secrets);
        files
    }

    fn settings(&self) -> String {
        let host = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let values = [
            ("public_url", Value::from(self.public_url)),
            ("mail.from", Value::from(format!("no-reply@{host}"))),
        ];
        settings_file::text(HEAD, &values)
    }

    /// What names the secrets to a program that is started by hand.
    fn variables(&self) -> String {
        let mut text = format!(
            "{VARIABLES}# Start: set -a; . ./vestibule.env; set +a; vestibule serve\n\
             VESTIBULE_SECRET_KEY_FILE=secrets/secret_key\nVESTIBULE_MAIL_URL_FILE=secrets/mail_url\n"
        );
        if self.postgres {
            text.push_str("VESTIBULE_DATABASE_URL_FILE=secrets/database_url\n");
        }
        text
    }

    fn secrets(&self) -> Vec<Draft> {
        let mut secrets = vec![
            secret("secrets/secret_key", fresh() + "\n"),
            secret("secrets/mail_url", MAIL_URL.to_owned()),
        ];
        // Elsewhere metrics are off, or for this machine alone.
        if matches!(self.way, Way::Compose | Way::Kubernetes) {
            secrets.push(secret("secrets/metrics_token", fresh() + "\n"));
        }
        if self.postgres {
            let password = fresh();
            let url = self.database_url(&password);
            secrets.push(secret("secrets/database_url", url + "\n"));
            if self.way != Way::Kubernetes {
                secrets.push(secret("secrets/database_password", password));
            }
        }
        secrets
    }

    fn database_url(&self, password: &str) -> String {
        let host = match self.way {
            // Through its socket: PostgreSQL listens on no network.
            Way::Compose => "%2Fvar%2Frun%2Fpostgresql",
            Way::Kubernetes => "postgres",
            Way::Program | Way::Systemd => "127.0.0.1",
        };
        format!("postgres://vestibule:{password}@{host}/vestibule")
    }

    /// What is left to do.
    pub(super) fn next(&self) -> String {
        let role = "create the role and its database:\n    psql -c \"CREATE ROLE vestibule LOGIN PASSWORD '$(cat secrets/database_password)'\" \
                    -c 'CREATE DATABASE vestibule OWNER vestibule'";
        let mut steps = vec!["put your relay into secrets/mail_url, and look through vestibule.toml"];
        steps.extend(match (self.way, self.postgres) {
            (Way::Program, false) => {
                vec!["set -a; . ./vestibule.env; set +a; vestibule check-config && vestibule serve"]
            }
            (Way::Program, true) => {
                vec![role, "set -a; . ./vestibule.env; set +a; vestibule check-config && vestibule serve"]
            }
            (Way::Systemd, false) => vec![INSTALL, SYSTEMD],
            (Way::Systemd, true) => vec![role, INSTALL, SYSTEMD],
            (Way::Compose, _) => vec!["docker compose up --detach"],
            (Way::Kubernetes, false) => vec!["kubectl apply -k ."],
            (Way::Kubernetes, true) => {
                vec!["put the address of your PostgreSQL into secrets/database_url", "kubectl apply -k ."]
            }
        });
        steps.push("keep a copy of secrets/secret_key in a safe place: nothing else opens the signing keys");
        let numbered = steps.iter().enumerate().map(|(index, step)| format!("\n  {}. {step}", index + 1));
        format!("Next:{}", numbered.collect::<String>())
    }
}

const INSTALL: &str = "as root, put the files in their places:\n    \
    install -d -m 0711 /etc/vestibule && install -m 0644 vestibule.toml vestibule.env /etc/vestibule/ && install -m 0600 secrets/* /etc/vestibule/\n    \
    install -m 0644 *.service *.socket *.timer /etc/systemd/system/";
const SYSTEMD: &str =
    "systemctl daemon-reload && systemctl enable --now vestibule.socket vestibule vestibule-backup.timer";

fn open(path: &'static str, text: String) -> Draft {
    Draft { path, text, secret: false }
}

fn secret(path: &'static str, text: String) -> Draft {
    Draft { path, text, secret: true }
}

/// 32 random bytes, hex: as good for a database's password as for a key, and without characters that a URL must escape.
fn fresh() -> String {
    SecretKey::generate().to_hex().expose().to_owned()
}

fn of_version(text: &str) -> String {
    text.replace("@VERSION@", env!("CARGO_PKG_VERSION"))
}

fn unit(text: &str, postgres: bool) -> String {
    const WITHOUT: &str = "# With PostgreSQL, also:\n#LoadCredential=database_url:";
    if postgres { text.replace(WITHOUT, "LoadCredential=database_url:") } else { text.to_owned() }
}
