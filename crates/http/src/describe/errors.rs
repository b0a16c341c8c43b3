//! The errors an operation can answer: groups shared by many operations, and how a description lists them.

use crate::catalogue::Code;

/// Errors of every route.
pub(crate) const EVERY: &[Code] = &[
    Code::InvalidRequest,
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::InternalError,
    Code::TransferCodingUnknown,
    Code::Unavailable,
];
/// Additional errors of every route under `/v1/`.
pub(crate) const API: &[Code] = &[Code::NotAcceptable];
/// Additional errors of a route with a JSON body.
pub(crate) const BODY: &[Code] = &[
    Code::MalformedJson,
    Code::InvalidRequest,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::ValidationFailed,
];
/// Additional errors of the form of a page.
pub(crate) const PAGE_FORM: &[Code] = &[
    Code::InvalidRequest,
    Code::Forbidden,
    Code::FormExpired,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];
/// Additional errors of a route for signed-in users.
pub(crate) const BEARER: &[Code] =
    &[Code::InvalidRequest, Code::AuthenticationRequired, Code::InvalidToken, Code::InsufficientScope];
/// Additional errors of a route that checks or hashes a password.
pub(crate) const HASH: &[Code] = &[Code::TemporarilyOverloaded];

/// Names the errors of an operation, so that its annotation can list them as one type.
macro_rules! errors {
    ($name:ident: $($group:expr),+ $(,)?) => {
        pub(crate) struct $name;
        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                $crate::describe::problems::problems(&[$($group),+])
            }
        }
    };
}
pub(crate) use errors;
