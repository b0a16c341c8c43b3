//! The URL of a PostgreSQL database, read as libpq reads it. A part that is not understood is refused by name.

mod parameters;
pub(super) mod parts;

use data_encoding::HEXLOWER_PERMISSIVE;

use self::parameters::{Parameters, wrong};
use crate::store::error::DatabaseError;
use crate::store::postgres::url::parts::{Host, Parts, Place};

/// What `postgres://…` names: one entry for each host, tried in this order.
#[derive(Debug)]
pub(crate) struct PostgresUrl {
    pub(super) hosts: Vec<Host>,
}

const PERCENT: &str =
    "in a user name or password write `@` as %40, `/` as %2F, `?` as %3F, `:` as %3A and `%` as %25";
const HOST: &str = "write e.g. postgres://user:password@db.example.com:5432/database";
impl PostgresUrl {
    /// `url` begins with `postgres://` or `postgresql://`.
    ///
    /// # Errors
    /// The name of the part that is not understood, and what to write instead. Values are not repeated: they may be
    /// secrets.
    pub(crate) fn parse(url: &str) -> Result<Self, DatabaseError> {
        let mut parts = split(url.split_once("://").map_or("", |(_, rest)| rest))?;
        let places = places(&mut parts)?;
        let mut parameters = Parameters::default();
        for (name, value) in std::mem::take(&mut parts.parameters) {
            parameters.take(&mut parts, &name, &value)?;
        }
        let hosts = places.into_iter().map(|place| parameters.host(&parts, place));
        Ok(Self { hosts: hosts.collect::<Result<_, _>>()? })
    }

    /// The URL for messages, without user, password and parameters.
    pub(crate) fn shown(&self) -> String {
        let hosts: Vec<&str> = self.hosts.iter().map(|host| host.name.as_str()).collect();
        let database = self.hosts.first().and_then(|host| host.config.get_dbname()).unwrap_or_default();
        format!("postgres://{}/{database}", hosts.join(","))
    }
}

fn split(rest: &str) -> Result<Parts, DatabaseError> {
    let (authority, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.matches('@').count() > 1 || after.contains('@') {
        let cause = "the database URL has an `@` that ends no user name and password";
        return Err(DatabaseError::url(cause, PERCENT));
    }
    let (login, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let mut parts = Parts::default();
    if let Some(login) = login {
        let (user, password) =
            login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
        parts.user = Some(decoded(user, "user name")?).filter(|user| !user.is_empty());
        parts.password = password.map(|password| decoded(password, "password")).transpose()?;
    }
    for host in hosts.split(',').filter(|_| !hosts.is_empty()) {
        let (host, port) = host_and_port(host)?;
        parts.hosts.push((decoded(host, "host")?, port.to_owned()));
    }
    parts.database =
        Some(decoded(path.trim_start_matches('/'), "name of the database")?).filter(|name| !name.is_empty());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            DatabaseError::url(
                "the database URL has a parameter without a value, or a `?` in its password",
                PERCENT,
            )
        })?;
        let name = decoded(name, "name of a parameter")?;
        if parts.parameters.iter().any(|(other, _)| *other == name) {
            return Err(DatabaseError::url(format!("`{name}` is twice in the database URL"), "take one out"));
        }
        let value = decoded(value, &name)?;
        parts.parameters.push((name, value));
    }
    Ok(parts)
}

/// `[::1]:5432`, `db:5432`, `db`.
fn host_and_port(text: &str) -> Result<(&str, &str), DatabaseError> {
    let bad = || DatabaseError::url("the database URL has an address in brackets that does not end", HOST);
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or_else(bad)?;
        return Ok((address, port.strip_prefix(':').unwrap_or(port)));
    }
    Ok(text.split_once(':').unwrap_or((text, "")))
}

fn places(parts: &mut Parts) -> Result<Vec<Place>, DatabaseError> {
    let mut take = |name: &str| {
        let at = parts.parameters.iter().position(|(other, _)| other == name)?;
        let (_, value) = parts.parameters.swap_remove(at);
        Some(value.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let (hosts, addresses, port_list) = (take("host"), take("hostaddr"), take("port"));
    if let Some(hosts) = hosts {
        parts.hosts = hosts.into_iter().map(|host| (host, String::new())).collect();
    }
    if parts.hosts.is_empty() {
        parts.hosts = addresses.iter().flatten().map(|address| (address.clone(), String::new())).collect();
    }
    let count = parts.hosts.len();
    if addresses.as_ref().is_some_and(|addresses| addresses.len() != count)
        || port_list.as_ref().is_some_and(|ports| ports.len() != 1 && ports.len() != count)
    {
        let cause = "`hostaddr` and `port` of the database URL do not go with its hosts";
        return Err(DatabaseError::url(
            cause,
            "give as many of each as there are hosts, separated by commas",
        ));
    }
    if parts.hosts.iter().any(|(host, _)| host.is_empty()) || count == 0 {
        return Err(DatabaseError::url(
            "the database URL names no host",
            "write e.g. postgres://user@db.example.com/database, or postgres://user@/database?host=/var/run/postgresql for a Unix socket",
        ));
    }
    let place = |(index, (host, port)): (usize, &(String, String))| {
        let listed = port_list.as_ref().and_then(|ports| ports.get(index).or(ports.first()));
        let port =
            [port.as_str(), listed.map_or("", String::as_str)].into_iter().find(|port| !port.is_empty());
        let address =
            addresses.as_ref().and_then(|addresses| addresses.get(index)).filter(|text| !text.is_empty());
        Ok(Place {
            host: host.clone(),
            address: address
                .map(|text| text.parse().map_err(|_| wrong("hostaddr", "write an IP address")))
                .transpose()?,
            port: port_number(port.unwrap_or("5432"))?,
        })
    };
    parts.hosts.iter().enumerate().map(place).collect()
}

fn port_number(text: &str) -> Result<u16, DatabaseError> {
    let number = text.parse().ok().filter(|port| *port != 0);
    number.ok_or_else(|| {
        let cause = "the port in the database URL is not a number from 1 to 65535, or its password has a `/`, `?` or `:`";
        DatabaseError::url(cause, PERCENT)
    })
}

/// Undoes percent-encoding (RFC 3986 §2.1).
fn decoded(text: &str, what: &str) -> Result<String, DatabaseError> {
    let bad = || {
        DatabaseError::url(
            format!("the {what} in the database URL has a `%` that stands for nothing"),
            PERCENT,
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
        bytes.extend(HEXLOWER_PERMISSIVE.decode(digits).map_err(|_| bad())?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests;
