//! Which applications there are: those of the settings and those of the database.

use aws_lc_rs::digest;

use crate::core::Core;
use crate::domain::application::registered::{Application, ConfiguredApplication};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::application::registered;
use crate::store::tables::sessions::TokenHash;

/// The application of the settings with this id: its name in the database counts for nothing.
pub(crate) fn configured<'a>(core: &'a Core, id: &str) -> Option<&'a ConfiguredApplication> {
    core.policy().applications.iter().find(|configured| configured.application.id.as_str() == id)
}

/// The application of this id.
pub(crate) fn application(tx: &mut Tx<'_>, core: &Core, id: &str) -> Result<Option<Application>, Fault> {
    if let Some(configured) = configured(core, id) {
        return Ok(Some(configured.application.clone()));
    }
    Ok(registered::find(tx, id)?.map(|stored| stored.application))
}

/// Every application that counts.
pub(crate) fn all(tx: &mut Tx<'_>, core: &Core) -> Result<Vec<Application>, Fault> {
    let stored = registered::list(tx, i64::MAX)?.into_iter().map(|stored| stored.application);
    let stored = stored.filter(|application| configured(core, application.id.as_str()).is_none());
    let of_settings = core.policy().applications.iter().map(|configured| configured.application.clone());
    Ok(stored.chain(of_settings).collect())
}

/// The hashes of its secrets.
pub(super) fn secrets(tx: &mut Tx<'_>, core: &Core, id: &str) -> Result<Vec<TokenHash>, Fault> {
    match configured(core, id) {
        Some(configured) => {
            Ok(configured.secrets.iter().map(|secret| hash_of_secret(secret.expose())).collect())
        }
        None => registered::secrets(tx, id),
    }
}

/// What is stored of a secret: it is random and long, so that a fast hash is enough.
pub(crate) fn hash_of_secret(secret: &str) -> TokenHash {
    let mut hash = TokenHash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    hash
}
