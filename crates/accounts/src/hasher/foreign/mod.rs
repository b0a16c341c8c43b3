//! Password hashes that other programs made. They are kept as they came, bounded before anything is computed, and renewed
//! with ours at the first right sign-in.

mod argon2;
mod bcrypt;
mod encoding;
mod error;
mod firebase;
pub(crate) mod hash;
pub(crate) mod imported;
mod keycloak;
mod pbkdf2;
mod scrypt;
#[cfg(test)]
mod tests;
mod weak;

pub use error::ImportedHashError;
pub use firebase::FirebaseScrypt;
pub use imported::ImportedHash;
