//! Which errors an operation can answer: groups that many operations share, and how a description lists them.

use crate::catalogue::Code;

/// What every route can answer.
pub(crate) const EVERY: &[Code] = &[
    Code::InvalidRequest,
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::InternalError,
    Code::TransferCodingUnknown,
    Code::Unavailable,
];
/// What every route under `/v1/` can answer besides.
pub(crate) const API: &[Code] = &[Code::NotAcceptable];
/// What a route with a JSON body can answer besides.
pub(crate) const BODY: &[Code] = &[
    Code::MalformedJson,
    Code::InvalidRequest,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::ValidationFailed,
];
/// What the form of a page can answer besides.
pub(crate) const PAGE_FORM: &[Code] = &[
    Code::InvalidRequest,
    Code::Forbidden,
    Code::FormExpired,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];
/// What a route for signed-in users can answer besides.
pub(crate) const BEARER: &[Code] = &[Code::InvalidRequest, Code::AuthenticationRequired, Code::InvalidToken];
/// What a route that checks or makes a password can answer besides.
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
