//! Links of existing users: how they are made, opened and used up.

use data_encoding::BASE64URL_NOPAD;

use crate::core::Core;
use crate::domain::access::challenge::{Challenge, Purpose};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::{challenges, users};
use crate::token::root::{Purpose as MacPurpose, RootKeys};

/// Why a link has no effect.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Not issued by this service, incomplete, or for another purpose.
    #[error("the link is not valid")]
    Invalid,
    /// Too late, or the password or the address has changed since.
    #[error("the link does not work any more")]
    Expired,
    /// It was used before.
    #[error("the link was used before")]
    Used,
}

/// The token of a challenge's link: its id and a MAC over everything it is bound to (T1, T2).
pub(crate) fn token(root: &RootKeys, challenge: &Challenge) -> Secret {
    let mac = bound_to(challenge, |parts| root.short_mac(MacPurpose::Challenge, parts));
    join(&challenge.id, mac)
}

fn is_mac(root: &RootKeys, challenge: &Challenge, given: &[u8; 16]) -> bool {
    bound_to(challenge, |parts| root.is_short_mac(MacPurpose::Challenge, parts, given))
}

fn bound_to<T>(challenge: &Challenge, hash: impl FnOnce(&[&[u8]]) -> T) -> T {
    hash(&[
        challenge.purpose.name().as_bytes(),
        &challenge.id,
        challenge.user_id.as_bytes(),
        challenge.email.key().as_bytes(),
        &challenge.credential_version.to_be_bytes(),
    ])
}

/// The text of a token: the id it is about, and the MAC that proves its origin.
pub(crate) fn join(id: &[u8; 16], mac: [u8; 16]) -> Secret {
    Secret::from(BASE64URL_NOPAD.encode(&[*id, mac].concat()))
}

/// The id that a token names; the MAC is checked when the row has been read.
pub(crate) fn split(token: &str) -> Option<([u8; 16], [u8; 16])> {
    let bytes = (token.len() == 43).then(|| BASE64URL_NOPAD.decode(token.as_bytes()).ok()).flatten()?;
    let (id, mac) = bytes.split_first_chunk::<16>()?;
    Some((*id, mac.try_into().ok()?))
}

/// The challenge behind a token and its user, if it can be used now for this purpose.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    core: &Core,
    token: &str,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Result<(Challenge, Account), LinkError>, Fault> {
    let Some((id, given)) = split(token) else { return Ok(Err(LinkError::Invalid)) };
    // A row that is gone, because it expired or was voided, cannot be told from one that never existed, nor from one whose
    // id somebody knows.
    let found = challenges::by_id(tx, &id)?;
    let is_ours = |it: &Challenge| it.purpose == purpose && is_mac(&core.root, it, &given);
    let Some(challenge) = found.filter(is_ours) else { return Ok(Err(LinkError::Expired)) };
    if challenge.used_at.is_some() {
        return Ok(Err(LinkError::Used));
    }
    // No link lets a disabled user in.
    let found = users::by_id(tx, challenge.user_id)?.filter(|found| found.account.disabled_at.is_none());
    let Some(user) = found else { return Ok(Err(LinkError::Expired)) };
    // An undo must work even after the thief has changed everything else (X3).
    let bound = purpose == Purpose::EmailUndo || user.credential_version == challenge.credential_version;
    if challenge.expires_at <= now || !bound {
        return Ok(Err(LinkError::Expired));
    }
    Ok(Ok((challenge, user.account)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{SessionId, UserId};
    use crate::domain::secret_key::SecretKey;

    // T2, T5: everything that a link is bound to is in its token.
    #[test]
    fn a_token_is_bound_to_everything_about_it() {
        let root = RootKeys::derive(&SecretKey::generate());
        let challenge = Challenge {
            id: [1; 16],
            purpose: Purpose::PasswordReset,
            user_id: UserId::from_bytes([2; 16]),
            session_id: None,
            email: "ada@example.org".parse().unwrap(),
            credential_version: 7,
            created_at: Timestamp::from_millis(0),
            expires_at: Timestamp::from_millis(1),
            used_at: None,
        };
        let same = token(
            &root,
            &Challenge { session_id: Some(SessionId::from_bytes([9; 16])), ..challenge.clone() },
        );
        assert_eq!(token(&root, &challenge).expose(), same.expose());
        let others = [
            Challenge { id: [3; 16], ..challenge.clone() },
            Challenge { purpose: Purpose::EmailChange, ..challenge.clone() },
            Challenge { user_id: UserId::from_bytes([4; 16]), ..challenge.clone() },
            Challenge { email: "eve@example.org".parse().unwrap(), ..challenge.clone() },
            Challenge { credential_version: 8, ..challenge.clone() },
        ];
        for other in others {
            assert_ne!(split(token(&root, &challenge).expose()), split(token(&root, &other).expose()));
        }
    }
}
