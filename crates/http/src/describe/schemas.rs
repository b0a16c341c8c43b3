//! Schemas that no handler names: errors, and choices between other schemas.

use std::borrow::Cow;

use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::catalogue::catalogue;

/// Exactly one of these.
pub(crate) fn one_of(names: &[Cow<'static, str>]) -> RefOr<Schema> {
    let either = names.iter().map(|name| Ref::from_schema_name(name.as_ref()));
    either.fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// An error, as RFC 9457 writes it.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes what `problem.rs` writes")]
pub(crate) struct ProblemSchema {
    /// A page about the code.
    #[schema(format = "uri")]
    r#type: String,
    /// The same for every problem of this code.
    title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, for people.
    detail: String,
    #[schema(inline)]
    code: AnswerCode,
    /// Also in `X-Request-Id` and in the log.
    request_id: String,
    /// The fields that were refused.
    #[schema(required = false, nullable = false)]
    errors: Option<Vec<FieldSchema>>,
    /// How many guesses remain for the code of the mail.
    #[schema(minimum = 0, required = false, nullable = false)]
    attempts_left: Option<u32>,
    /// Of `second_factor_required`: opaque, comes back with the second factor.
    #[schema(required = false, nullable = false, pattern = "^vsf_[A-Za-z0-9_-]{43}$")]
    challenge: Option<String>,
    /// Of `second_factor_required`: `totp`, `passkey`, `recovery_code`.
    #[schema(required = false, nullable = false)]
    methods: Option<Vec<String>>,
    /// Of `second_factor_required`: until when the challenge can be answered.
    #[schema(value_type = String, format = DateTime, required = false, nullable = false)]
    expires_at: Option<vestibule::Timestamp>,
    /// In development mode only: the command or request that would have worked.
    #[schema(required = false, nullable = false)]
    fix: Option<String>,
}

/// One field that was refused.
#[derive(ToSchema)]
#[schema(as = FieldError)]
#[expect(dead_code, reason = "describes what `problem.rs` writes")]
pub(crate) struct FieldSchema {
    /// Where it is in the body (RFC 6901), or the name of a parameter after a slash.
    pointer: String,
    #[schema(inline)]
    code: FieldCode,
    /// What is wrong with it, for people.
    detail: String,
    /// The numbers in `detail`.
    #[schema(value_type = Object, required = false)]
    params: Option<Map<String, Value>>,
}

struct AnswerCode;
struct FieldCode;

fn codes(of_a_field: bool) -> RefOr<Schema> {
    let names = catalogue().iter().filter(|entry| entry.of_a_field == of_a_field);
    let names: Vec<&str> = names.map(|entry| entry.code.as_str()).collect();
    ObjectBuilder::new()
        .schema_type(SchemaType::from(Type::String))
        .description(Some("What is wrong, for programs. The list is closed."))
        .enum_values(Some(names))
        .into()
}

impl PartialSchema for AnswerCode {
    fn schema() -> RefOr<Schema> {
        codes(false)
    }
}

impl PartialSchema for FieldCode {
    fn schema() -> RefOr<Schema> {
        codes(true)
    }
}

impl ToSchema for AnswerCode {}
impl ToSchema for FieldCode {}
