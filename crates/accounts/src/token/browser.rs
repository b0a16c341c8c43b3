//! What browsers keep besides their session: none of it is stored, all of it is recomputed for comparison.

use data_encoding::BASE64URL_NOPAD;

use super::root::{Purpose, RootKeys};
use crate::domain::ids::RegistrationId;
use crate::domain::secret::Secret;

/// Proves that a browser sent the password of this sign-up (S4).
pub(crate) fn sign_up_proof(keys: &RootKeys, id: RegistrationId) -> Secret {
    let mac = keys.short_mac(Purpose::SignUpProof, &[id.as_bytes()]);
    Secret::from(BASE64URL_NOPAD.encode(&[*id.as_bytes(), mac].concat()))
}

/// The sign-up that this proof belongs to.
pub(crate) fn open_sign_up_proof(keys: &RootKeys, proof: &str) -> Option<RegistrationId> {
    let octets = octets::<32>(proof)?;
    let (id, mac) = octets.split_first_chunk::<16>()?;
    keys.is_short_mac(Purpose::SignUpProof, &[id], mac).then(|| RegistrationId::from_bytes(*id))
}

/// Ties a form to the browser it is shown in, which is identified by what it keeps (B2).
pub(crate) fn form_token(keys: &RootKeys, holder: &str) -> Secret {
    Secret::from(BASE64URL_NOPAD.encode(&keys.short_mac(Purpose::Form, &[holder.as_bytes()])))
}

pub(crate) fn is_form_token(keys: &RootKeys, holder: &str, token: &str) -> bool {
    octets::<16>(token).is_some_and(|mac| keys.is_short_mac(Purpose::Form, &[holder.as_bytes()], &mac))
}

fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let length = (N * 8).div_ceil(6);
    let bytes = (text.len() == length).then(|| BASE64URL_NOPAD.decode(text.as_bytes()).ok()).flatten()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret_key::SecretKey;
    use crate::token::challenge::{link_token, open_link_token};

    fn keys(byte: u8) -> RootKeys {
        RootKeys::derive(&SecretKey(zeroize::Zeroizing::new([byte; 32])))
    }

    // T5: accepted only for the purpose and under the key it was made for.
    #[test]
    fn nothing_is_taken_for_something_else() {
        let id = RegistrationId::from_bytes([5; 16]);
        let proof = sign_up_proof(&keys(1), id);
        assert_eq!(open_sign_up_proof(&keys(1), proof.expose()), Some(id));
        assert_eq!(open_sign_up_proof(&keys(2), proof.expose()), None);
        assert_eq!(open_link_token(&keys(1), proof.expose()), None);
        assert_eq!(open_sign_up_proof(&keys(1), link_token(&keys(1), id).expose()), None);
        assert_eq!(open_sign_up_proof(&keys(1), ""), None);
    }

    // B2
    #[test]
    fn a_form_belongs_to_one_browser() {
        let token = form_token(&keys(1), "ada's browser");
        assert!(is_form_token(&keys(1), "ada's browser", token.expose()));
        assert!(!is_form_token(&keys(1), "eve's browser", token.expose()));
        assert!(!is_form_token(&keys(2), "ada's browser", token.expose()));
        assert!(!is_form_token(&keys(1), "ada's browser", ""));
    }
}
