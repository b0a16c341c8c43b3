//! Which hashes of other programs are still stored, so that a failed sign-in takes as long as the dearest (L1).

use crate::core::Core;
use crate::fault::Fault;
use crate::hasher::StoredHash;
use crate::store::tables::users::transfer::next_hash_class;

/// Classes that are looked at: kinds of hashes, each with a few costs.
const CLASSES: usize = 64;

impl Core {
    /// Tells the hasher. When it has no time for it now, the next sweep tries again.
    pub(crate) async fn learn_foreign_hashes(&self) -> Result<(), Fault> {
        let stored = self.store.survey(|tx| -> Result<_, Fault> {
            let mut stored: Vec<StoredHash> = Vec::new();
            while stored.len() < CLASSES {
                let after = stored.last().and_then(|hash| hash.class.clone()).unwrap_or_default();
                let Some((class, text)) = next_hash_class(tx, &after)? else { break };
                stored.push(StoredHash { text, class: Some(class) });
            }
            Ok(stored)
        });
        match self.hasher.learn(&stored.await?).await {
            Err(Fault::Overloaded { .. }) | Ok(()) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}
