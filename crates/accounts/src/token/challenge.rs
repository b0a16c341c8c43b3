//! Mailed links and codes: recomputed when they are sent and when they are used, never stored (D5).

use data_encoding::BASE64URL_NOPAD;
use subtle::{Choice, ConstantTimeEq as _};

use super::root::{MacKey, Purpose, RootKeys};
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// The token of a registration's link: base64url of its id and 128 bits of HMAC (T1).
pub(crate) fn link_token(keys: &RootKeys, id: RegistrationId) -> Secret {
    let mac = keys.short_mac(Purpose::ActivationLink, &[id.as_bytes()]);
    Secret::from(BASE64URL_NOPAD.encode(&[*id.as_bytes(), mac].concat()))
}

/// The registration a token belongs to, if the token was made here for that purpose.
pub(crate) fn open_link_token(keys: &RootKeys, token: &str) -> Option<RegistrationId> {
    // 32 octets are 43 characters: nothing longer is decoded.
    let bytes = (token.len() == 43).then(|| BASE64URL_NOPAD.decode(token.as_bytes()).ok()).flatten()?;
    let (id, mac) = bytes.split_first_chunk::<16>()?;
    let id = RegistrationId::from_bytes(*id);
    keys.is_short_mac(Purpose::ActivationLink, &[id.as_bytes()], mac).then_some(id)
}

/// The digits in a mail about a registration: uniform over all numbers of that many digits (C1).
pub(crate) fn code(keys: &RootKeys, id: RegistrationId, mail: MailId, digits: u8) -> Secret {
    code_under(keys.present(), id, mail, digits)
}

/// Whether these are the digits that a mail carried, under the current or the previous secret key. In constant time
/// (C2).
pub(crate) fn is_code(
    keys: &RootKeys,
    id: RegistrationId,
    mail: MailId,
    digits: u8,
    given: &Secret,
    now: Timestamp,
) -> bool {
    let given = given.expose().as_bytes();
    let is = |key| code_under(key, id, mail, digits).expose().as_bytes().ct_eq(given);
    keys.accepted_for_codes(now).fold(Choice::from(0), |found, key| found | is(key)).into()
}

/// # Panics
/// Never in practice: each of the blocks is unusable with a chance below 1/40, all 256 of them below 10⁻⁴⁰⁰.
fn code_under(key: &MacKey, id: RegistrationId, mail: MailId, digits: u8) -> Secret {
    let numbers = 10_u32.pow(u32::from(digits));
    // Rejection sampling: values above the largest multiple of `numbers` would make small numbers more likely.
    let usable = u32::MAX - u32::MAX % numbers;
    let number = (0..=u8::MAX)
        .flat_map(|round| key.mac(Purpose::ActivationCode, &[id.as_bytes(), mail.as_bytes(), &[round]]))
        .collect::<Vec<u8>>()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|four| u32::from_be_bytes(*four))
        .find(|number| *number < usable)
        .expect("one of 2048 blocks is usable")
        % numbers;
    Secret::from(format!("{number:0width$}", width = usize::from(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret_key::SecretKey;
    use proptest::prelude::*;

    fn keys(byte: u8) -> RootKeys {
        RootKeys::derive(&SecretKey(zeroize::Zeroizing::new([byte; 32])))
    }

    #[test]
    fn a_link_token_opens_here_and_nowhere_else() {
        let id = RegistrationId::from_bytes([5; 16]);
        let token = link_token(&keys(1), id);
        assert_eq!(open_link_token(&keys(1), token.expose()), Some(id));
        assert_eq!(open_link_token(&keys(2), token.expose()), None);
        // The last character carries two spare bits: only the canonical spelling opens.
        for i in 0..43 {
            for replacement in ['A', 'B', '_', '9'] {
                let mut changed: Vec<char> = token.expose().chars().collect();
                if changed[i] != replacement {
                    changed[i] = replacement;
                    assert_eq!(open_link_token(&keys(1), &changed.iter().collect::<String>()), None);
                }
            }
        }
    }

    // C1: uniform, leading zeros kept. 20,000 codes in ten classes; 4 standard deviations are 170.
    #[test]
    fn codes_are_uniform_digits() {
        let (keys, id) = (keys(1), RegistrationId::from_bytes([5; 16]));
        let mut classes = [0_i32; 10];
        for number in 0..20_000_u128 {
            let code = code(&keys, id, MailId::from_bytes(number.to_be_bytes()), 4);
            assert!(code.expose().len() == 4 && code.expose().bytes().all(|b| b.is_ascii_digit()));
            classes[usize::from(code.expose().as_bytes()[0] - b'0')] += 1;
        }
        assert!(classes.iter().all(|count| (count - 2000).abs() < 170), "{classes:?}");
    }

    #[test]
    fn every_mail_has_its_own_code_of_the_wanted_length() {
        let (keys, id) = (keys(1), RegistrationId::from_bytes([5; 16]));
        let mail = |number: u8| MailId::from_bytes([number; 16]);
        let of = |number, digits| code(&keys, id, mail(number), digits);
        let is = |digits, given: &Secret| is_code(&keys, id, mail(1), digits, given, Timestamp::default());
        assert!(is(8, &of(1, 8)));
        assert!(!is(8, &of(2, 8)));
        assert_eq!(of(1, 8).expose().len(), 8);
        assert!(!is(4, &Secret::from("")));
    }

    proptest! {
        #[test]
        fn no_text_opens_as_a_token_by_chance(text in "\\PC{0,60}") {
            prop_assert_eq!(open_link_token(&keys(1), &text), None);
        }
    }
}
