//! The parameters of a database URL, and their effect on each host.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, Config, SslNegotiation, TargetSessionAttrs};

use super::super::tls::{Roots, Tls};
use super::parts::{Host, Parts, Place};
use crate::store::error::DatabaseError;

/// How long connecting may take, from the look-up of the name to the first answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// If sent data is not acknowledged for this long, the host is considered gone.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for an idle connection: after this long, three probes, ten seconds apart.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

const UNDERSTOOD: &str = "understood are: sslmode, sslrootcert, sslnegotiation, channel_binding, options, application_name, connect_timeout, \
     tcp_user_timeout, keepalives, keepalives_idle, keepalives_interval, keepalives_count, target_session_attrs, host, \
     hostaddr, port, user, password, dbname";
/// What other programs write into such a URL, and what to write instead.
const FOREIGN: [(&[&str], &str); 7] = [
    (&["schema", "currentSchema", "search_path"], "name the schema with options=-csearch_path%3DNAME"),
    (
        &["ssl", "tls", "use_ssl"],
        "write sslmode=verify-full, or sslmode=disable for a network that you trust",
    ),
    (
        &["sslcert", "sslkey", "sslpassword"],
        "the server signs in with a password: take it out, and let pg_hba.conf ask for scram-sha-256",
    ),
    (
        &["connection_limit", "pool_size", "max_connections", "pool_max_conns"],
        "take it out: the number of connections is the setting `database.connections`",
    ),
    (&["statement_timeout"], "take it out: it is the setting `database.statement_timeout`"),
    (
        &["pgbouncer", "prepared_statements", "statement_cache_size"],
        "take it out: statements are prepared, so a pooler in front must pool sessions",
    ),
    (
        &["passfile", "service"],
        "write user and password into the URL, and keep the URL in a file: VESTIBULE_DATABASE_URL_FILE",
    ),
];

/// The parameters, which apply to every host.
pub(super) struct Parameters {
    config: Config,
    mode: SslMode,
    roots: Roots,
    patience: Duration,
}

/// The value of `sslmode`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SslMode {
    /// Not given.
    Unset,
    Disable,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Default for Parameters {
    fn default() -> Self {
        let mut config = Config::new();
        config
            .application_name("vestibule")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(TCP_USER_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        Self { config, mode: SslMode::Unset, roots: Roots::System, patience: CONNECT_TIMEOUT }
    }
}

impl Parameters {
    pub(super) fn take(&mut self, parts: &mut Parts, name: &str, value: &str) -> Result<(), DatabaseError> {
        let config = &mut self.config;
        match name {
            "user" => parts.user = Some(value.to_owned()),
            "password" => parts.password = Some(value.to_owned()),
            "dbname" => parts.database = Some(value.to_owned()),
            "options" => {
                config.options(value);
            }
            "application_name" => {
                config.application_name(value);
            }
            "fallback_application_name" => {}
            "sslmode" => self.mode = ssl_mode(value)?,
            "sslrootcert" if value == "system" => self.roots = Roots::System,
            "sslrootcert" => self.roots = Roots::File(PathBuf::from(value)),
            "sslnegotiation" => {
                config.ssl_negotiation(match value {
                    "postgres" => SslNegotiation::Postgres,
                    "direct" => SslNegotiation::Direct,
                    _ => return Err(wrong(name, "write postgres or direct")),
                });
            }
            "channel_binding" => {
                config.channel_binding(match value {
                    "disable" => ChannelBinding::Disable,
                    "prefer" => ChannelBinding::Prefer,
                    "require" => ChannelBinding::Require,
                    _ => return Err(wrong(name, "write disable, prefer or require")),
                });
            }
            "target_session_attrs" if matches!(value, "read-write" | "primary") => {}
            "target_session_attrs" => {
                return Err(wrong(name, "write read-write: the database must take writes"));
            }
            "client_encoding"
                if value.eq_ignore_ascii_case("utf8") || value.eq_ignore_ascii_case("utf-8") => {}
            "client_encoding" => return Err(wrong(name, "take it out: it is UTF8")),
            "gssencmode" if value != "require" => {}
            "load_balance_hosts" if value == "disable" => {}
            "load_balance_hosts" => {
                return Err(wrong(name, "take it out: the host that takes writes is used"));
            }
            _ => self.take_time(name, value)?,
        }
        Ok(())
    }

    fn take_time(&mut self, name: &str, value: &str) -> Result<(), DatabaseError> {
        let number = || value.parse::<u32>().map_err(|_| wrong(name, "write a whole number"));
        let seconds = || number().map(|number| Duration::from_secs(number.into()));
        let config = &mut self.config;
        match name {
            // To libpq 0 means "for ever", which is never right here.
            "connect_timeout" => {
                self.patience = Some(seconds()?).filter(|time| !time.is_zero()).unwrap_or(CONNECT_TIMEOUT);
            }
            "tcp_user_timeout" => {
                let time = Duration::from_millis(number()?.into());
                config
                    .tcp_user_timeout(Some(time).filter(|time| !time.is_zero()).unwrap_or(TCP_USER_TIMEOUT));
            }
            "keepalives" => {
                config.keepalives(number()? != 0);
            }
            "keepalives_idle" => {
                config.keepalives_idle(seconds()?);
            }
            "keepalives_interval" => {
                config.keepalives_interval(seconds()?);
            }
            "keepalives_count" | "keepalives_retries" => {
                config.keepalives_retries(number()?);
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    pub(super) fn host(&self, parts: &Parts, place: Place) -> Result<Host, DatabaseError> {
        let Place { host, address, port } = place;
        let mut config = self.config.clone();
        // A name may have several addresses: the first must not use up all of the time.
        config.host(&host).port(port).connect_timeout(self.patience * 2 / 5);
        if let Some(address) = address {
            config.hostaddr(address);
        }
        if let Some(user) = &parts.user {
            config.user(user);
        }
        if let Some(password) = &parts.password {
            config.password(password);
        }
        if let Some(database) = &parts.database {
            config.dbname(database);
        }
        let tls = self.tls(&host)?;
        config.ssl_mode(tls.mode());
        Ok(Host { name: format!("{host}:{port}"), config, tls, patience: self.patience })
    }

    /// A Unix socket needs no TLS and has none. To other machines TLS is required and the certificate is checked:
    /// libpq's `prefer` would send everything in the clear if someone in between says "no TLS here" (G2).
    fn tls(&self, host: &str) -> Result<Tls, DatabaseError> {
        let own_file = matches!(self.roots, Roots::File(_));
        match self.mode {
            _ if host.starts_with('/') => Ok(Tls::None),
            SslMode::Disable => Ok(Tls::None),
            SslMode::Unset if is_loopback(host) => Tls::unchecked(),
            SslMode::VerifyCa if !own_file => {
                let fix = "name the authority's certificate with sslrootcert=/path/to/ca.pem, or write sslmode=verify-full";
                Err(DatabaseError::url("`sslmode=verify-ca` in the database URL without `sslrootcert`", fix))
            }
            SslMode::VerifyCa => Tls::of_authority(&self.roots),
            // As libpq reads it: the file says whom to trust, and nothing says that the name counts.
            SslMode::Require if own_file => Tls::of_authority(&self.roots),
            SslMode::Unset | SslMode::Require | SslMode::VerifyFull => Tls::of_host(&self.roots),
        }
    }
}

fn ssl_mode(value: &str) -> Result<SslMode, DatabaseError> {
    Ok(match value {
        "disable" => SslMode::Disable,
        "allow" | "prefer" => SslMode::Unset,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => return Err(wrong("sslmode", "write disable, require, verify-ca or verify-full")),
    })
}

pub(super) fn wrong(name: &str, fix: &str) -> DatabaseError {
    DatabaseError::url(format!("`{name}` in the database URL has a value that is not understood"), fix)
}

fn unknown(name: &str) -> DatabaseError {
    let foreign = FOREIGN.iter().find(|(names, _)| names.contains(&name));
    let fix = foreign.map_or_else(|| format!("take it out; {UNDERSTOOD}"), |(_, fix)| (*fix).to_owned());
    DatabaseError::url(format!("`{name}` in the database URL is not understood"), fix)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
