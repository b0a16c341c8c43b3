use std::time::Duration;

use tokio_postgres::config::SslMode;

use super::*;
use crate::store::postgres::url::parts::Host;

fn hosts(url: &str) -> Vec<Host> {
    PostgresUrl::parse(url).unwrap().hosts
}

fn host(url: &str) -> Host {
    let [host] = hosts(url).try_into().unwrap();
    host
}

fn refused(url: &str) -> DatabaseError {
    PostgresUrl::parse(url).unwrap_err()
}

#[test]
fn what_libpq_understands_is_understood() {
    let it = host(
        "postgres://ada:p%40ss%2Fword:%25@db.example.com:5433/accounts?application_name=a&options=-csearch_path%3Dx",
    );
    let config = &it.config;
    assert_eq!((config.get_user(), config.get_password()), (Some("ada"), Some(&b"p@ss/word:%"[..])));
    assert_eq!((config.get_dbname(), config.get_ports()), (Some("accounts"), &[5433][..]));
    assert_eq!((config.get_options(), config.get_application_name()), (Some("-csearch_path=x"), Some("a")));
    assert_eq!(it.name, "db.example.com:5433");
    let config = host("postgresql://@/accounts?host=/run/postgresql&user=ada&password=b&port=1&connect_timeout=7&keepalives=0").config;
    assert_eq!((config.get_user(), config.get_password()), (Some("ada"), Some(&b"b"[..])));
    assert_eq!((config.get_ports(), config.get_keepalives()), (&[1][..], false));
    assert_eq!(host("postgres://h?connect_timeout=7").patience, Duration::from_secs(7));
    assert_eq!(host("postgres://h?connect_timeout=0").patience, Duration::from_secs(5));
    let time = host("postgres://h?tcp_user_timeout=2500").config.get_tcp_user_timeout().copied();
    assert_eq!(time, Some(Duration::from_millis(2500)));
    let names: Vec<_> = hosts("postgres://a,b:1,[::1],[::1]:2/x").into_iter().map(|host| host.name).collect();
    assert_eq!(names, ["a:5432", "b:1", "::1:5432", "::1:2"]);
    let names: Vec<_> = hosts("postgres:///x?host=a,b&port=7").into_iter().map(|host| host.name).collect();
    assert_eq!(names, ["a:7", "b:7"]);
    let config =
        host("postgres://db?hostaddr=192.0.2.7&target_session_attrs=primary&client_encoding=utf-8").config;
    assert_eq!(config.get_hostaddrs(), ["192.0.2.7".parse::<std::net::IpAddr>().unwrap()]);
}

// G2: other machines are connected to in the clear only if the operator says so.
#[test]
fn other_machines_are_asked_for_tls() {
    for (url, mode) in [
        ("postgres://db/x", SslMode::Require),
        ("postgres://db/x?sslmode=prefer", SslMode::Require),
        ("postgres://db/x?sslmode=require", SslMode::Require),
        ("postgres://db/x?sslmode=verify-full", SslMode::Require),
        ("postgres://db/x?sslmode=verify-full&sslrootcert=system", SslMode::Require),
        ("postgres://db/x?sslmode=disable", SslMode::Disable),
        ("postgres://localhost/x", SslMode::Prefer),
        ("postgres://127.0.0.1/x?sslmode=require", SslMode::Require),
        ("postgres://%2Frun%2Fpostgresql/x?sslmode=verify-full", SslMode::Disable),
    ] {
        assert_eq!(host(url).config.get_ssl_mode(), mode, "{url}");
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (url, cause, fix) in [
        ("postgres://u:p@ss@db/x", "`@`", "%40"),
        ("postgres://u:p/a@db/x", "`@`", "%2F"),
        ("postgres://u:p?a@db/x", "`@`", "%3F"),
        ("postgres://u:50%off@db/x", "`%`", "%25"),
        ("postgres://u:50%+1@db/x", "`%`", "%25"),
        ("postgres://u:%ff@db/x", "`%`", "%25"),
        ("postgres://db/x?sslmode", "without a value", "%3F"),
        ("postgres://db:x/y", "1 to 65535", "%2F"),
        ("postgres://db:0/y", "port", "%2F"),
        ("postgres://[::1/y", "brackets", "postgres://"),
        ("postgres://u@/x", "no host", "host=/var/run/postgresql"),
        ("postgres:///x?hostaddr=here", "`hostaddr`", "IP address"),
        ("postgres://a,b/x?port=1,2,3", "`port`", "commas"),
        ("postgres://db/x?schema=s", "`schema`", "options=-csearch_path%3DNAME"),
        ("postgres://db/x?sslmode=full", "`sslmode`", "verify-full"),
        ("postgres://db/x?sslmode=verify-ca", "without `sslrootcert`", "sslrootcert="),
        ("postgres://db/x?sslmode=verify-full&sslrootcert=/no/such.pem", "/no/such.pem", "PEM"),
        ("postgres://db/x?sslcert=a", "`sslcert`", "password"),
        ("postgres://db/x?ssl=true", "`ssl`", "sslmode=verify-full"),
        ("postgres://db/x?pgbouncer=true", "`pgbouncer`", "pool sessions"),
        ("postgres://db/x?connection_limit=5", "`connection_limit`", "`database.connections`"),
        ("postgres://db/x?target_session_attrs=any", "`target_session_attrs`", "read-write"),
        ("postgres://db/x?load_balance_hosts=random", "`load_balance_hosts`", "takes writes"),
        ("postgres://db/x?client_encoding=LATIN1", "`client_encoding`", "UTF8"),
        ("postgres://db/x?keepalives_idle=soon", "`keepalives_idle`", "whole number"),
        ("postgres://db/x?application_name=a&application_name=b", "twice", "take one out"),
        ("postgres://db/x?colour=red", "`colour`", "understood are: sslmode"),
    ] {
        let error = refused(url);
        assert!(error.to_string().contains(cause), "{url}: {error}");
        assert!(error.fix().contains(fix), "{url}: {}", error.fix());
    }
}

// O1: whatever is wrong with the URL, a password in it is not repeated.
#[test]
fn no_secret_is_repeated() {
    for url in [
        "postgres://u:hunter2@x@db/x",
        "postgres://u:hunter2/x@db/x",
        "postgres://u:hunter2?x@db/x",
        "postgres://u:hunter2%@db/x",
        "postgres://u:hunter2@db:hunter2/x",
        "postgres://u:hunter2@db/x?colour=hunter2",
        "postgres://u:hunter2@db/x?sslmode=hunter2",
        "postgres://u:x@db/x?password=hunter2&password=hunter2",
    ] {
        let error = refused(url);
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{url}: {error:?}");
    }
}
