//! Second factors and passkeys in the bodies of requests.

use vestibule::{PasskeyAssertion, PasskeyRegistration, SecondFactor};

use crate::catalogue::Code;
use crate::extract::{Fields, fields};
use crate::problem::field_error::FieldError;

/// The fields `code`, `recovery_code`, or `ceremony` with `credential`: at most one of them. The outer `None` means that
/// something was refused.
#[expect(clippy::option_option, reason = "refused, absent and present are three things")]
pub(crate) fn second_factor(fields: &mut Fields<'_>) -> Option<Option<SecondFactor>> {
    let code = fields.optional("/code", fields::totp_code);
    let recovery_code = fields.optional("/recovery_code", fields::recovery_code);
    let assertion = assertion(fields);
    let (code, recovery_code, assertion) = (code?, recovery_code?, assertion?);
    let given: Vec<(&'static str, SecondFactor)> = [
        code.map(|code| ("/code", SecondFactor::Code(code))),
        recovery_code.map(|code| ("/recovery_code", SecondFactor::RecoveryCode(code))),
        assertion.map(|passkey| ("/credential", SecondFactor::Passkey(passkey))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [_, (pointer, _), ..] = given.as_slice() {
        fields.refuse(FieldError::new(*pointer, Code::Exclusive));
        return None;
    }
    Some(given.into_iter().next().map(|(_, factor)| factor))
}

/// The fields `ceremony` and `credential` of a passkey that was used. Where one is there, the other must be, too.
#[expect(clippy::option_option, reason = "refused, absent and present are three things")]
fn assertion(fields: &mut Fields<'_>) -> Option<Option<PasskeyAssertion>> {
    pair(fields, |ceremony, credential| PasskeyAssertion::new(ceremony, credential).ok())
}

/// The same where they must be there.
pub(crate) fn needed_assertion(fields: &mut Fields<'_>) -> Option<PasskeyAssertion> {
    needed(fields, |ceremony, credential| PasskeyAssertion::new(ceremony, credential).ok())
}

/// The fields `ceremony` and `credential` of a passkey that was made.
pub(crate) fn needed_registration(fields: &mut Fields<'_>) -> Option<PasskeyRegistration> {
    needed(fields, |ceremony, credential| PasskeyRegistration::new(ceremony, credential).ok())
}

fn needed<T>(fields: &mut Fields<'_>, read: impl FnOnce(&str, &str) -> Option<T>) -> Option<T> {
    let given = pair(fields, read)?;
    if given.is_none() {
        fields.refuse(FieldError::new("/ceremony", Code::Required));
        fields.refuse(FieldError::new("/credential", Code::Required));
    }
    given
}

#[expect(clippy::option_option, reason = "refused, absent and present are three things")]
fn pair<T>(fields: &mut Fields<'_>, read: impl FnOnce(&str, &str) -> Option<T>) -> Option<Option<T>> {
    let ceremony = fields.optional("/ceremony", fields::any_text);
    let credential = fields.optional_object("/credential", fields::any_text);
    match (ceremony?, credential?) {
        (None, None) => Some(None),
        (Some(ceremony), Some(credential)) => {
            let given = read(&ceremony, &credential);
            if given.is_none() {
                fields.refuse(FieldError::new("/credential", Code::PasskeyMalformed));
            }
            given.map(Some)
        }
        (Some(_), None) => {
            fields.refuse(FieldError::new("/credential", Code::Required));
            None
        }
        (None, Some(_)) => {
            fields.refuse(FieldError::new("/ceremony", Code::Required));
            None
        }
    }
}
