//! Keycloak's two JSON texts about a password.

use data_encoding::BASE64_NOPAD;
use serde::Deserialize;

use super::encoding::base64;
use super::error::{ImportedHashError, Parsed};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    algorithm: String,
    hash_iterations: u32,
    #[serde(default)]
    additional_parameters: Parameters,
}

/// Of Argon2; each is a list of one text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    memory: Vec<String>,
    parallelism: Vec<String>,
    r#type: Vec<String>,
    version: Vec<String>,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
    salt: String,
}

/// The hash in passlib's or the PHC form.
pub(super) fn text(credential_data: &str, secret_data: &str) -> Parsed<String> {
    let data: CredentialData = serde_json::from_str(credential_data).map_err(|_| damaged())?;
    let secret: SecretData = serde_json::from_str(secret_data).map_err(|_| damaged())?;
    let unpadded = |text: &str| Ok(BASE64_NOPAD.encode(&base64(text).ok_or(damaged())?));
    let (salt, value) = (unpadded(&secret.salt)?, unpadded(&secret.value)?);
    let rounds = data.hash_iterations;
    match data.algorithm.as_str() {
        scheme @ ("pbkdf2" | "pbkdf2-sha256" | "pbkdf2-sha512") => {
            Ok(format!("${scheme}${rounds}${salt}${value}"))
        }
        "argon2" => {
            let Parameters { memory, parallelism, r#type, version } = &data.additional_parameters;
            let one = |list: &Vec<String>| list.first().cloned().ok_or(damaged());
            let version = match one(version)?.as_str() {
                "1.0" => 0x10,
                "1.3" => 0x13,
                _ => return Err(damaged()),
            };
            let (kind, memory, lanes) = (one(r#type)?, one(memory)?, one(parallelism)?);
            Ok(format!("$argon2{kind}$v={version}$m={memory},t={rounds},p={lanes}${salt}${value}"))
        }
        _ => Err(ImportedHashError::Unknown),
    }
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("Keycloak")
}
