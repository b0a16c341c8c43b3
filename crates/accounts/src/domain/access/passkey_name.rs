//! What users call their passkeys.

use std::str::FromStr;

use crate::domain::visible::is_shown;

/// Code points of a name.
const CODE_POINTS_MAX: usize = 64;

/// The name of a passkey: 1 to 64 characters that can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyName(String);

/// The text is no name of a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyNameError {
    /// Nothing, or blanks only.
    #[error("the name is empty")]
    Empty,
    /// More than 64 characters.
    #[error("a name has at most 64 characters")]
    TooLong,
    /// A control character, or one that nobody sees.
    #[error("the name has characters that cannot be seen")]
    Invisible,
}

impl FromStr for PasskeyName {
    type Err = PasskeyNameError;

    /// Blanks around it are left out.
    ///
    /// # Errors
    /// [`PasskeyNameError::Empty`], [`TooLong`](PasskeyNameError::TooLong), [`Invisible`](PasskeyNameError::Invisible).
    fn from_str(text: &str) -> Result<Self, PasskeyNameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PasskeyNameError::Empty);
        }
        if text.chars().count() > CODE_POINTS_MAX {
            return Err(PasskeyNameError::TooLong);
        }
        if !text.chars().all(is_shown) {
            return Err(PasskeyNameError::Invisible);
        }
        Ok(Self(text.to_owned()))
    }
}

impl PasskeyName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a passkey of this model is called at first (AAGUID, Web Authentication §6.1).
    pub(crate) fn of_model(aaguid: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(aaguid);
        let known = MODELS.iter().find(|(model, _)| *model == number);
        Self(known.map_or("Passkey", |(_, name)| name).to_owned())
    }
}

/// The password managers and keys that most people have.
const MODELS: [(u128, &str); 19] = [
    (0xfbfc3007_154e_4ecc_8c0b_6e020557d7bd, "Apple Passwords"),
    (0xdd4ec289_e01d_41c9_bb89_70fa845d4bf2, "iCloud Keychain"),
    (0xea9b8d66_4d01_1d21_3ce4_b6b48cb575d4, "Google Password Manager"),
    (0xadce0002_35bc_c60a_648b_0b25f1f05503, "Chrome on Mac"),
    (0x771b48fd_d3d4_4f74_9232_fc157ab0507a, "Edge on Mac"),
    (0x08987058_cadc_4b81_b6e1_30de50dcbe96, "Windows Hello"),
    (0x9ddd1817_af5a_4672_a2b9_3e3dd95000a9, "Windows Hello"),
    (0x6028b017_b1d4_4c02_b4b3_afcdafc96bb2, "Windows Hello"),
    (0x53414d53_554e_4700_0000_000000000000, "Samsung Pass"),
    (0xbada5566_a7aa_401f_bd96_45619a55120d, "1Password"),
    (0xd548826e_79b4_db40_a3d8_11116f7e8349, "Bitwarden"),
    (0x531126d6_e717_415c_9320_3d9aa6981239, "Dashlane"),
    (0xb84e4048_15dc_4dd0_8640_f4f60813c8af, "NordPass"),
    (0x0ea242b4_43c4_4a1b_8b17_dd6d0b6baec6, "Keeper"),
    (0xf3809540_7f14_49c1_a8b3_8f813b225541, "Enpass"),
    (0x50726f74_6f6e_5061_7373_50726f746f6e, "Proton Pass"),
    (0xfdb141b2_5d84_443e_8a35_4698c205a502, "KeePassXC"),
    (0xcb69481e_8ff7_4039_93ec_0a2729a154a8, "YubiKey 5"),
    (0x2fc0579f_8113_47ea_b116_bb5a8db9202a, "YubiKey 5 NFC"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_seen() {
        for (text, expected) in [
            (" Ada’s phone ", Ok("Ada’s phone")),
            ("Schlüssel 🔑 👩‍💻", Ok("Schlüssel 🔑 👩‍💻")),
            ("  ", Err(PasskeyNameError::Empty)),
            ("a\nb", Err(PasskeyNameError::Invisible)),
            ("a\u{202e}b", Err(PasskeyNameError::Invisible)),
        ] {
            let name = text.parse::<PasskeyName>();
            assert_eq!(name.as_ref().map(PasskeyName::as_str).map_err(|error| *error), expected, "{text:?}");
        }
        assert!("x".repeat(64).parse::<PasskeyName>().is_ok());
        assert_eq!("x".repeat(65).parse::<PasskeyName>(), Err(PasskeyNameError::TooLong));
    }

    #[test]
    fn a_model_that_is_known_has_its_name() {
        let bitwarden = 0xd548826e_79b4_db40_a3d8_11116f7e8349_u128.to_be_bytes();
        assert_eq!(PasskeyName::of_model(bitwarden).as_str(), "Bitwarden");
        assert_eq!(PasskeyName::of_model([0; 16]).as_str(), "Passkey");
        for (_, name) in MODELS {
            assert!(name.parse::<PasskeyName>().is_ok(), "{name}");
        }
    }
}
