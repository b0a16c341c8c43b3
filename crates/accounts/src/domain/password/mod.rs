//! Passwords: how the text is prepared, and the rules for a new one (NIST SP 800-63B-4 §3.1.1.2).

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

pub(crate) mod common;
mod strength;

use self::common::is_common;
use self::strength::estimate;
use super::email::{Email, fold};

/// Maximum length in code points, counted after NFC.
pub const PASSWORD_CODE_POINTS_MAX: usize = 256;
/// Maximum length in octets, counted after NFC.
pub const PASSWORD_OCTETS_MAX: usize = 1024;

/// A password as it is hashed: NFC, no control or unassigned characters (RFC 8265 "`OpaqueString`"), of bounded length.
///
/// The same preparation is used for sign-up, Basic, sign-in, change and reset (P2): nothing is trimmed, folded or cut.
/// [`PasswordRules::check`] decides whether it may be chosen as a new password.
#[derive(Clone)]
pub struct Password(SecretString);

/// Why a password is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer code points than the policy requires.
    #[error("the password is too short: at least {min} characters")]
    TooShort {
        /// The minimum in code points.
        min: usize,
    },
    /// More than [`PASSWORD_CODE_POINTS_MAX`] code points or [`PASSWORD_OCTETS_MAX`] octets; it is never cut.
    #[error("the password is too long: at most {max} characters and 1024 bytes")]
    TooLong {
        /// The maximum in code points.
        max: usize,
    },
    /// Control or unassigned characters.
    #[error("the password contains a control character or one that Unicode has not assigned")]
    Malformed,
    /// It is on the list of common passwords.
    #[error("this password is on the lists that attackers try first")]
    TooCommon,
    /// It is the name of the service, the user, or the email address.
    #[error("the password is the name of this service, your user name or your email address")]
    Contextual,
    /// It is the current password.
    #[error("the new password is the present one")]
    Unchanged,
    /// A guessing program would find it in fewer than a million tries.
    #[error("the password is easy to guess: {advice}")]
    Guessable {
        /// The reason, in English.
        advice: &'static str,
    },
}

impl Password {
    /// Prepares the text of a password.
    ///
    /// # Errors
    /// [`PasswordError::Malformed`], [`PasswordError::TooLong`].
    pub fn new(text: &str) -> Result<Self, PasswordError> {
        // Bounds the work: NFC of a text has at least a third of its octets (UAX #15 §9).
        if text.len() > 3 * PASSWORD_OCTETS_MAX {
            return Err(PasswordError::TooLong { max: PASSWORD_CODE_POINTS_MAX });
        }
        let refused =
            |c: char| matches!(c.general_category(), GeneralCategory::Control | GeneralCategory::Unassigned);
        if text.chars().any(refused) {
            return Err(PasswordError::Malformed);
        }
        let composed: String = text.nfc().collect();
        let too_long =
            composed.len() > PASSWORD_OCTETS_MAX || composed.chars().count() > PASSWORD_CODE_POINTS_MAX;
        let password = Self(SecretString::from(composed));
        if too_long { Err(PasswordError::TooLong { max: PASSWORD_CODE_POINTS_MAX }) } else { Ok(password) }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

/// The rules for a new password.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    /// Minimum length in code points: 8 or more (ASVS 6.2.1), 15 for the preset `nist` (63B-4 §3.1.1.2, single factor).
    pub min_code_points: usize,
    /// The name of the service, which may not be the password.
    pub service_name: String,
}

/// The score below which a password is too easy to guess: fewer than a million guesses.
const SCORE_MIN: u8 = 2;

/// How strong a password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// On zxcvbn's scale: 0 fewer than 10³ guesses, 1 fewer than 10⁶, 2 fewer than 10⁸, 3 fewer than 10¹⁰, 4 more.
    pub score: u8,
    /// Every rule that refuses it; empty if it may be chosen.
    pub reasons: Vec<PasswordError>,
}

/// What an attacker knows about the person, which therefore may not be the password.
#[derive(Clone, Copy, Debug)]
pub struct PasswordContext<'a> {
    /// The email address of the account.
    pub email: Option<&'a Email>,
    /// The user name of the account.
    pub user_name: Option<&'a str>,
}

impl PasswordRules {
    /// Checks that `password` is long enough, not common, and none of the person's own names.
    ///
    /// Guessability costs more, so it is checked on the hashing threads when a password is chosen.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn check(&self, password: &Password, context: PasswordContext<'_>) -> Result<(), PasswordError> {
        self.judge(context).refusals(password).into_iter().next().map_or(Ok(()), Err)
    }

    /// The judge of the passwords this person may choose.
    pub(crate) fn judge(&self, context: PasswordContext<'_>) -> Judge {
        Judge { min_code_points: self.min_code_points, names: self.names(context) }
    }

    /// Folded names: of the service, the user, the address, its parts and the labels of its domain (P3).
    fn names(&self, context: PasswordContext<'_>) -> Vec<String> {
        let mut words = vec![fold(&self.service_name)];
        words.extend(context.user_name.map(fold));
        if let Some(email) = context.email {
            words.extend([fold(email.as_str()), email.key().to_owned(), fold(email.local_part())]);
            words.push(email.domain().to_owned());
            words.extend(email.domain().split('.').map(str::to_owned));
        }
        words.retain(|word| word.chars().count() >= 3);
        words
    }
}

/// The rules, together with a person's names: judges the passwords that person wants to choose.
#[derive(Debug)]
pub(crate) struct Judge {
    min_code_points: usize,
    names: Vec<String>,
}

impl Judge {
    /// Checks whether `password` may be chosen. Call it on the hashing threads: it may take some milliseconds.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub(crate) fn admit(&self, password: &Password) -> Result<(), PasswordError> {
        self.strength(password).reasons.into_iter().next().map_or(Ok(()), Err)
    }

    /// How strong `password` is, with every rule that refuses it. Call it on the hashing threads.
    pub(crate) fn strength(&self, password: &Password) -> Strength {
        let mut reasons = self.refusals(password);
        let estimate = estimate(password.expose(), &self.names);
        let is_known = reasons.iter().any(|reason| !matches!(reason, PasswordError::TooShort { .. }));
        // An attacker with the lists or the person's name needs one guess.
        let score = if is_known { 0 } else { estimate.score() };
        if reasons.is_empty() && score < SCORE_MIN {
            reasons.push(PasswordError::Guessable { advice: estimate.kind.advice() });
        }
        Strength { score, reasons }
    }

    /// The cheap rules: all but guessability.
    fn refusals(&self, password: &Password) -> Vec<PasswordError> {
        let text = password.expose();
        let folded = fold_password(text);
        let too_short = text.chars().count() < self.min_code_points;
        let mut reasons = Vec::new();
        reasons.extend(too_short.then_some(PasswordError::TooShort { min: self.min_code_points }));
        reasons.extend(is_common(&folded).then_some(PasswordError::TooCommon));
        reasons.extend(self.names.contains(&folded).then_some(PasswordError::Contextual));
        reasons
    }
}

fn fold_password(text: &str) -> String {
    unicase::UniCase::unicode(text).to_folded_case()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: fn() -> PasswordRules =
        || PasswordRules { min_code_points: 8, service_name: "Vestibule Example".into() };

    fn check(text: &str) -> Result<(), PasswordError> {
        let email: Email = "ada.lovelace@analytical-engine.org".parse().unwrap();
        let context = PasswordContext { email: Some(&email), user_name: Some("countess-ada") };
        RULES().judge(context).admit(&Password::new(text)?)
    }

    // P1: the limits, counted in code points.
    #[test]
    fn length_is_counted_in_code_points_after_composition() {
        assert_eq!(check("zu-kurz"), Err(PasswordError::TooShort { min: 8 }));
        assert_eq!(check("vq8-Tj#w"), Ok(()));
        assert_eq!(check("ä漢ö字ü語é文"), Ok(()));
        let decomposed = "a\u{308}".repeat(7);
        assert_eq!(check(&decomposed), Err(PasswordError::TooShort { min: 8 }));
        let longest: String = ('a'..='z').cycle().step_by(7).take(256).collect();
        assert!(Password::new(&longest).is_ok());
        assert!(matches!(Password::new(&format!("{longest}x")), Err(PasswordError::TooLong { .. })));
        assert!(Password::new(&"漢".repeat(256)).is_ok());
        assert!(matches!(Password::new(&"😀".repeat(257)), Err(PasswordError::TooLong { .. })));
        assert!(matches!(Password::new(&"x".repeat(1 << 20)), Err(PasswordError::TooLong { .. })));
    }

    // P2: nothing is trimmed or folded; composed and decomposed spellings are one password.
    #[test]
    fn preparation_is_nfc_and_nothing_else() {
        assert_eq!(Password::new("  Spaces Stay  ").unwrap().expose(), "  Spaces Stay  ");
        assert_eq!(Password::new("a\u{308}").unwrap().expose(), "\u{e4}");
        assert_eq!(Password::new("ﬁ").unwrap().expose(), "ﬁ");
        for text in ["nul\0byte-secret", "tab\tsecret", "line\nsecret", "\u{378}unassigned"] {
            assert_eq!(Password::new(text).unwrap_err(), PasswordError::Malformed);
        }
    }

    // P3
    #[test]
    fn common_contextual_and_guessable_passwords_are_refused() {
        assert_eq!(check("password1"), Err(PasswordError::TooCommon));
        assert_eq!(check("PassWord1"), Err(PasswordError::TooCommon));
        assert_eq!(check("Ada.Lovelace"), Err(PasswordError::Contextual));
        assert_eq!(check("countess-ADA"), Err(PasswordError::Contextual));
        assert_eq!(check("analytical-engine"), Err(PasswordError::Contextual));
        assert_eq!(check("vestibule example"), Err(PasswordError::Contextual));
        assert!(matches!(check("zzzzzzzzzzzzzzzzzzz"), Err(PasswordError::Guessable { .. })));
        assert_eq!(check("violet-otter-maps-42"), Ok(()));
    }

    // P3: the score is zxcvbn's; passwords on the lists or among the person's names score zero.
    #[test]
    fn a_password_has_a_score_and_every_reason() {
        let email: Email = "ada.lovelace@analytical-engine.org".parse().unwrap();
        let context = PasswordContext { email: Some(&email), user_name: None };
        let judge = |text: &str| RULES().judge(context).strength(&Password::new(text).unwrap());
        let score = |text: &str| judge(text).score;
        assert_eq!([score("aaaaaaaaa"), score("lovelace1"), score("violet-maps")], [0, 1, 2]);
        assert_eq!([score("violet-otter"), score("violet-otter-maps-42")], [3, 4]);
        assert_eq!(judge("passw"), Strength { score: 1, reasons: vec![PasswordError::TooShort { min: 8 }] });
        let short = judge("vq8-Tj#");
        assert_eq!((short.score >= 2, short.reasons), (true, vec![PasswordError::TooShort { min: 8 }]));
        let both = judge("org").reasons;
        assert_eq!(both, [PasswordError::TooShort { min: 8 }, PasswordError::Contextual]);
        assert_eq!(judge("analytical-engine").score, 0);
    }

    #[test]
    fn debug_hides_the_password() {
        assert_eq!(format!("{:?}", Password::new("violet-otter-maps-42").unwrap()), "[password]");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_limits_hold(text in "\\PC{0,300}") {
            if let Ok(password) = Password::new(&text) {
                prop_assert!(password.expose().chars().count() <= PASSWORD_CODE_POINTS_MAX);
                prop_assert!(password.expose().len() <= PASSWORD_OCTETS_MAX);
                // Preparing twice changes nothing, or the second sign-in would fail.
                let again = Password::new(password.expose()).unwrap();
                prop_assert_eq!(again.expose(), password.expose());
            }
        }
    }
}
