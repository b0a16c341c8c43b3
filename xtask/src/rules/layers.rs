//! Rules about which words a layer may use. Comments may use any.

use super::source::Source;

const LIBRARY: &str = "crates/accounts/src/";
const STORE: &str = "crates/accounts/src/store/";

/// Each line of SQL contains one of these, or `UPDATE` and `SET`.
const SQL: [&str; 8] = [
    "SELECT ",
    "INSERT INTO",
    "DELETE FROM",
    "CREATE TABLE",
    "CREATE INDEX",
    "CREATE UNIQUE",
    "ALTER TABLE",
    "DROP TABLE",
];

const HTTP: [&str; 8] =
    ["axum", "hyper", "http", "tower", "StatusCode", "HeaderMap", "HeaderName", "HeaderValue"];

/// SQL is allowed in the store, the migrations and tests only.
pub(super) fn sql_in_the_store(source: &Source) -> Vec<(usize, String)> {
    let elsewhere = source.path.starts_with(STORE) || source.path.starts_with("crates/testing/");
    if !source.is_rust() || !source.path.contains("/src/") || !source.path.starts_with("crates/") || elsewhere
    {
        return Vec::new();
    }
    let is_sql = |line: &str| {
        SQL.iter().any(|word| line.contains(word)) || (line.contains("UPDATE ") && line.contains(" SET "))
    };
    let found = source.code().filter(|(_, line)| is_sql(line));
    found
        .map(|(number, _)| {
            (number, "SQL outside the store; it belongs to crates/accounts/src/store".to_owned())
        })
        .collect()
}

/// The library is used without HTTP, so it must not depend on it.
pub(super) fn no_http_in_the_library(source: &Source) -> Vec<(usize, String)> {
    if !source.path.starts_with(LIBRARY) || !source.is_rust() {
        return Vec::new();
    }
    let found = source.code().flat_map(|(number, line)| {
        let words = HTTP.iter().filter(move |word| has_name(line, word));
        words.map(move |word| {
            (number, format!("`{word}`: the library knows no HTTP; that belongs to crates/http"))
        })
    });
    found.collect()
}

/// Only store/sqlite and store/postgres use the drivers; everything else uses `Tx`.
pub(super) fn drivers_in_two_files(source: &Source) -> Vec<(usize, String)> {
    if !source.path.starts_with(LIBRARY) || !source.is_rust() {
        return Vec::new();
    }
    let place = source.path.strip_prefix(STORE).unwrap_or_default();
    let is_adapter =
        |name: &str| place.strip_prefix(name).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
    let names_driver = |line: &str| {
        (!is_adapter("sqlite") && has_name(line, "rusqlite"))
            || (!is_adapter("postgres")
                && (has_name(line, "tokio_postgres")
                    || has_name(line, "tokio_postgres_rustls")
                    || names_postgres_crate(line, place == "mod.rs")))
    };
    let found = source.code().filter(|(_, line)| names_driver(line));
    found
        .map(|(number, _)| (number, "a driver outside store/sqlite and store/postgres; use `Tx`".to_owned()))
        .collect()
}

/// Sessions begin in one file, which checks what every way in must check: elsewhere a check would be forgotten.
pub(super) fn sessions_begin_at_one_door(source: &Source) -> Vec<(usize, String)> {
    const DOOR: &str = "crates/accounts/src/ops/sign_in/admit.rs";
    if !source.path.starts_with(LIBRARY) || source.path == DOOR || !source.is_rust() {
        return Vec::new();
    }
    let names_insert = |line: &str| {
        line.match_indices("sessions::").any(|(at, module)| {
            let rest = &line[at + module.len()..];
            let names =
                rest.strip_prefix('{').and_then(|list| list.split_once('}')).map_or(rest, |(list, _)| list);
            let single = names.split(|c| !is_name_part(c)).next().unwrap_or_default();
            let listed = rest.starts_with('{') && names.split(',').any(|name| name.trim() == "insert");
            single == "insert" || listed
        })
    };
    let found = source.code().filter(|(_, line)| names_insert(line));
    found
        .map(|(number, _)| (number, "a session begins outside ops/sign_in/admit.rs; call `admit`".to_owned()))
        .collect()
}

/// Sessions end in one file, which tells the applications: elsewhere they would be forgotten. A user who is deleted takes
/// theirs along.
pub(super) fn sessions_end_at_one_door(source: &Source) -> Vec<(usize, String)> {
    const DOOR: &str = "crates/accounts/src/ops/session_end.rs";
    let elsewhere = source.path == DOOR || source.path.starts_with(STORE);
    if !source.path.starts_with(LIBRARY) || elsewhere || !source.is_rust() {
        return Vec::new();
    }
    let ends = |line: &str| {
        let names_ends = line.match_indices("sessions::").any(|(at, module)| {
            let rest = &line[at + module.len()..];
            rest.split(['{', '}', ',', ' ', '(', ';', ':']).any(|name| name == "ends")
        });
        names_ends || line.contains("users::delete(")
    };
    let found = source.code().filter(|(_, line)| ends(line));
    found
        .map(|(number, _)| {
            (number, "a session ends outside ops/session_end.rs; call what is there".to_owned())
        })
        .collect()
}

/// `postgres::…` names the crate, unless it is part of a longer path (`super::postgres::`) or the file declares the
/// module.
fn names_postgres_crate(line: &str, declares_module: bool) -> bool {
    line.match_indices("postgres::").any(|(at, _)| {
        let before = &line[..at];
        match before.strip_suffix("::") {
            Some(path) => !path.ends_with(is_name_part),
            None => !before.ends_with(is_name_part) && !declares_module,
        }
    })
}

/// Whether `line` contains `name` as a whole name used by code: `http` is found in `http::Uri`, not in `"http://…"`,
/// `http_only` or a longer word.
fn has_name(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let whole = !before.ends_with(is_name_part) && !after.starts_with(is_name_part);
        let used = after.starts_with("::") || before.trim_end().ends_with("use") || name != "http";
        whole && used
    })
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::super::tests::findings;

    fn found(path: &str, line: &str) -> bool {
        !findings(path, line).is_empty()
    }

    #[test]
    fn sql_belongs_to_the_store() {
        let sql = r#"    tx.execute("UPDATE users SET email = $1", args![email])"#;
        assert!(found("crates/accounts/src/ops/account.rs", sql));
        assert!(found("crates/http/src/api/users.rs", r#""SELECT 1""#));
        assert!(!found("crates/accounts/src/store/users.rs", sql));
        assert!(!found("crates/accounts/tests/stories/schema.rs", sql));
        assert!(!found("crates/http/src/api/users.rs", "// SELECT is the store's word"));
        assert!(!found("crates/http/src/api/users.rs", "let update = Set::new();"));
    }

    #[test]
    fn the_library_knows_no_http() {
        let file = "crates/accounts/src/ops/sign_in.rs";
        assert!(found(file, "use http::Uri;"));
        assert!(found(file, "fn status(self) -> StatusCode {"));
        assert!(!found(file, r#"let link = "https://example.org";"#));
        assert!(!found(file, "let http_url = 1;"));
        assert!(!found("crates/http/src/problem.rs", "use axum::http::StatusCode;"));
    }

    #[test]
    fn sessions_begin_at_the_door() {
        let elsewhere = "crates/accounts/src/ops/sign_in/passkey.rs";
        assert!(found(elsewhere, "    sessions::insert(tx, &session)?;"));
        assert!(found(elsewhere, "use crate::store::sessions::insert;"));
        assert!(found(elsewhere, "use crate::store::sessions::{NewSession, insert};"));
        assert!(!found(elsewhere, "    sessions::insert_token(tx, &hash, id, now, end)?;"));
        assert!(!found("crates/accounts/src/ops/sign_in/admit.rs", "    sessions::insert(tx, &session)?;"));
    }

    #[test]
    fn sessions_end_at_the_door() {
        let elsewhere = "crates/accounts/src/ops/sign_in/authenticate.rs";
        assert!(found(elsewhere, "    sessions::ends::all(tx, user, now)?;"));
        assert!(found(elsewhere, "use crate::store::tables::sessions::{self, ends};"));
        assert!(found(elsewhere, "    users::delete(tx, user)?;"));
        assert!(!found(elsewhere, "    session_end::end_all(tx, core, user, now)?;"));
        assert!(!found(elsewhere, "use crate::store::tables::application::sessions::OfApplication;"));
        assert!(!found(
            "crates/accounts/src/ops/session_end.rs",
            "use crate::store::tables::sessions::ends;"
        ));
    }

    #[test]
    fn drivers_stay_in_their_files() {
        assert!(found("crates/accounts/src/store/users.rs", "use rusqlite::Row;"));
        assert!(found("crates/accounts/src/store/users.rs", "fn f(row: &postgres::Row) {"));
        assert!(found("crates/accounts/src/store/mod.rs", "fn f(row: &::postgres::Row) {"));
        assert!(found("crates/accounts/src/store/sqlite.rs", "use postgres::Row;"));
        assert!(!found("crates/accounts/src/store/mod.rs", "    Postgres(postgres::Pool),"));
        assert!(!found("crates/accounts/src/store/sql.rs", "    Postgres(super::postgres::Tx<'a>),"));
        assert!(!found("crates/accounts/src/store/postgres/pool.rs", "use postgres::Client;"));
        assert!(!found("crates/accounts/src/store/sqlite.rs", "use rusqlite::Connection;"));
        assert!(!found("crates/accounts/src/store/mod.rs", r#"if url.starts_with("postgres://") {"#));
    }
}
