//! The tables `applications` and `application_secrets`.

use std::collections::BTreeMap;

use crate::domain::application::id::ApplicationId;
use crate::domain::application::keys::ApplicationKeys;
use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::registered::{Application, ApplicationKind, Consent};
use crate::domain::application::scope::Scopes;
use crate::domain::profile::claim_paths::ClaimPaths;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};
use crate::store::tables::sessions::TokenHash;

/// An application with the times of its row.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) application: Application,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT id, name, kind, redirect_uris, post_logout_redirect_uris, logout_uri, resources, scopes, machine_scopes, \
             consent, claims, created_at, updated_at, jwks FROM applications ",
            $rest
        )
    };
}

pub(crate) fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored>, Fault> {
    tx.row(select!("WHERE id = $1"), args![id], stored)
}

/// All of them, by id: there are few.
pub(crate) fn list(tx: &mut Tx<'_>, most: i64) -> Result<Vec<Stored>, Fault> {
    tx.rows(select!("ORDER BY id LIMIT $1"), args![most], stored)
}

pub(crate) fn count(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.count("SELECT COUNT(*) FROM applications", &[])
}

/// Inserts it. `false`: the id is taken.
pub(crate) fn insert(tx: &mut Tx<'_>, new: &Application, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "INSERT INTO applications (id, name, kind, redirect_uris, post_logout_redirect_uris, logout_uri, resources, scopes, \
         machine_scopes, consent, claims, created_at, updated_at, jwks) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13) \
         ON CONFLICT DO NOTHING",
        args![
            new.id.as_str(),
            new.name,
            new.kind.name(),
            lines(&new.redirect_uris),
            lines(&new.post_logout_redirect_uris),
            new.logout_uri,
            new.resources.join("\n"),
            new.scopes.to_string(),
            new.machine_scopes.to_string(),
            new.consent.name(),
            claims_text(&new.claims),
            now,
            jwks_text(&new.keys)
        ],
    )?;
    Ok(rows == 1)
}

/// Replaces everything but the id and the kind. `false`: there is none of this id and kind.
pub(crate) fn update(tx: &mut Tx<'_>, new: &Application, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE applications SET name = $3, redirect_uris = $4, post_logout_redirect_uris = $5, logout_uri = $6, \
         resources = $7, scopes = $8, machine_scopes = $9, consent = $10, claims = $11, updated_at = $12, jwks = $13 \
         WHERE id = $1 AND kind = $2",
        args![
            new.id.as_str(),
            new.kind.name(),
            new.name,
            lines(&new.redirect_uris),
            lines(&new.post_logout_redirect_uris),
            new.logout_uri,
            new.resources.join("\n"),
            new.scopes.to_string(),
            new.machine_scopes.to_string(),
            new.consent.name(),
            claims_text(&new.claims),
            now,
            jwks_text(&new.keys)
        ],
    )?;
    Ok(rows == 1)
}

/// Deletes it with its secrets. `false`: there is none.
pub(crate) fn delete(tx: &mut Tx<'_>, id: &ApplicationId) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM applications WHERE id = $1", args![id.as_str()])? == 1)
}

/// Adds a secret and forgets all but the newest two.
pub(crate) fn add_secret(
    tx: &mut Tx<'_>,
    id: &ApplicationId,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO application_secrets (hash, application_id, created_at) VALUES ($1, $2, $3)",
        args![hash, id.as_str(), now],
    )?;
    tx.execute(
        "DELETE FROM application_secrets WHERE application_id = $1 AND hash <> $2 AND hash NOT IN \
         (SELECT hash FROM application_secrets WHERE application_id = $1 AND hash <> $2 ORDER BY created_at DESC, hash LIMIT 1)",
        args![id.as_str(), hash],
    )?;
    Ok(())
}

/// The hashes of its secrets: at most two.
pub(crate) fn secrets(tx: &mut Tx<'_>, id: &str) -> Result<Vec<TokenHash>, Fault> {
    let sql = "SELECT hash FROM application_secrets WHERE application_id = $1";
    tx.rows(sql, args![id], |row| row.get(0))
}

/// Forgets every secret but the newest.
pub(crate) fn keep_newest_secret(tx: &mut Tx<'_>, id: &ApplicationId) -> Result<(), Fault> {
    let sql = "DELETE FROM application_secrets WHERE application_id = $1 AND hash NOT IN \
               (SELECT hash FROM application_secrets WHERE application_id = $1 ORDER BY created_at DESC, hash LIMIT 1)";
    tx.execute(sql, args![id.as_str()])?;
    Ok(())
}

fn lines(uris: &[RedirectUri]) -> String {
    uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join("\n")
}

/// A JSON object; `None`: there are none.
fn claims_text(claims: &ClaimPaths) -> Option<String> {
    let paths: BTreeMap<&str, String> = claims.all().map(|claim| (claim.name(), claim.path())).collect();
    (!paths.is_empty()).then(|| serde_json::json!(paths).to_string())
}

fn read_claims(text: &str) -> Option<ClaimPaths> {
    let paths: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    ClaimPaths::new(paths.iter().map(|(name, path)| (name.as_str(), path.as_str()))).ok()
}

fn jwks_text(keys: &ApplicationKeys) -> Option<String> {
    keys.jwks().map(|set| set.to_string())
}

fn stored(row: &Row<'_>) -> Result<Stored, Fault> {
    let text = |index| row.get::<String>(index);
    let unreadable = |what: &str| Fault::Unavailable(format!("`{what}` of an application is not readable"));
    let uris = |index| -> Result<Vec<RedirectUri>, Fault> {
        let uris: Result<_, _> = text(index)?.lines().map(str::parse).collect();
        uris.map_err(|_| unreadable("redirect_uris"))
    };
    Ok(Stored {
        application: Application {
            id: text(0)?.parse().map_err(|_| unreadable("id"))?,
            name: text(1)?,
            kind: ApplicationKind::from_name(&text(2)?).ok_or_else(|| unreadable("kind"))?,
            redirect_uris: uris(3)?,
            post_logout_redirect_uris: uris(4)?,
            logout_uri: row.get_opt(5)?,
            resources: text(6)?.lines().map(str::to_owned).collect(),
            scopes: Scopes::from_stored(&text(7)?),
            machine_scopes: Scopes::from_stored(&text(8)?),
            consent: Consent::from_name(&text(9)?).ok_or_else(|| unreadable("consent"))?,
            claims: match row.get_opt::<String>(10)? {
                Some(text) => read_claims(&text).ok_or_else(|| unreadable("claims"))?,
                None => ClaimPaths::default(),
            },
            keys: match row.get_opt::<String>(13)? {
                Some(text) => ApplicationKeys::new(&text).map_err(|_| unreadable("jwks"))?,
                None => ApplicationKeys::default(),
            },
        },
        created_at: row.get(11)?,
        updated_at: row.get(12)?,
    })
}
