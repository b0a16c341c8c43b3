//! Why what a browser sent proves nothing.

use std::fmt;

use super::cbor::CborError;

/// Why a registration or an assertion was refused. The messages name no secret and fit a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasskeyError {
    /// Not of the form that its standard gives it.
    #[error("the {0} is malformed")]
    Malformed(Part),
    /// Not the CBOR that CTAP2 allows.
    #[error("the {0} is not canonical CBOR: {1}")]
    Cbor(Part, CborError),
    /// More octets than a browser would send.
    #[error("the {0} is longer than allowed")]
    TooLong(Part),
    /// Another `type` than `public-key`.
    #[error("the credential is no public key")]
    CredentialType,
    /// No credential id, or more than 1,023 octets.
    #[error("the credential id has no octet or more than 1023")]
    CredentialIdLength,
    /// `rawId`, or the id that the authenticator gave, is another than `id`.
    #[error("the credential has two different ids")]
    CredentialIdMismatch,
    /// The client data of another ceremony.
    #[error("the client data is of another kind of ceremony")]
    CeremonyType,
    /// Another challenge than the one that was handed out.
    #[error("the challenge is another")]
    Challenge,
    /// Made for another site.
    #[error("the origin is another")]
    Origin,
    /// Made in a frame of another site.
    #[error("the ceremony took place inside a page of another origin")]
    CrossOrigin,
    /// Made for another relying party.
    #[error("the relying party is another")]
    RpId,
    /// The UP flag is missing.
    #[error("no user was present")]
    UserNotPresent,
    /// The UV flag is missing.
    #[error("the user was not verified")]
    UserNotVerified,
    /// BS without BE.
    #[error("the credential is backed up and may not be")]
    BackedUpIneligible,
    /// BE is fixed when a credential is made.
    #[error("the credential may be backed up now, or may be no longer")]
    BackupEligibilityChanged,
    /// The AT flag is missing in a registration.
    #[error("the authenticator gave no credential")]
    NoCredential,
    /// Only `none` is asked for.
    #[error("the attestation format is not \"none\"")]
    AttestationFormat,
    /// `none` states nothing.
    #[error("the attestation statement is not empty")]
    AttestationStatement,
    /// None of ES256, Ed25519 and RS256.
    #[error("the algorithm is not supported")]
    Algorithm,
    /// A key that does not fit its algorithm, lies off its curve, or is too weak.
    #[error("the public key cannot be used")]
    UnusableKey,
    /// Not made by the owner of the key over what was sent.
    #[error("the signature is wrong")]
    Signature,
}

/// A part of what a browser sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The JSON of the credential.
    Credential,
    /// `id` and `rawId`.
    CredentialId,
    /// `clientDataJSON`.
    ClientData,
    /// `attestationObject`.
    AttestationObject,
    /// `authenticatorData`, or that inside the attestation object.
    AuthenticatorData,
    /// The `COSE_Key`.
    PublicKey,
    /// `signature`.
    Signature,
    /// `userHandle`.
    UserHandle,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credential => "credential",
            Self::CredentialId => "credential id",
            Self::ClientData => "client data",
            Self::AttestationObject => "attestation object",
            Self::AuthenticatorData => "authenticator data",
            Self::PublicKey => "public key",
            Self::Signature => "signature",
            Self::UserHandle => "user handle",
        })
    }
}
