//! Sign-up.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Type};
use vestibule::{
    Accounts, ConfirmMethod, DisplayName, Email, Password, PasswordContext, Pending, SignUp, Terms,
    Timestamp, UserName,
};

use crate::catalogue::Code;
use crate::describe::errors::{API, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::header::single;
use crate::extract::terms::needed_terms;
use crate::extract::{Client, Fields, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(sign_up)
}

/// Who wants an account.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.org", "password": "violet-otter-maps-42", "user_name": "ada",
    "display_name": "Ada Lovelace"}))]
pub(crate) struct SignUpRequest {
    /// Where the confirmation goes.
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254)]
    pub(crate) email: Email,
    /// Characters count after Unicode normalisation (NFC); spaces and all letters are allowed.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    pub(crate) password: Password,
    /// A public name, also usable to sign in. Two characters are enough for letters without capitals, such as Arabic or
    /// Chinese ones; else three.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    pub(crate) user_name: Option<UserName>,
    /// What people are to call the account's owner: in any spelling, not unique.
    #[schema(value_type = String, min_length = 1, max_length = 100, required = false)]
    pub(crate) display_name: Option<DisplayName>,
    /// The first of the account's own data: what the operator asks for at a sign-up.
    #[schema(schema_with = profile, required = false)]
    pub(crate) profile: Map<String, Value>,
    /// The language of the mails, a tag such as `en` or `pt-BR`.
    #[schema(value_type = String, max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", required = false)]
    pub(crate) locale: Option<String>,
    /// Whether they accept the operator's terms. Must be `true` where `signup.consent` is `checkbox`.
    #[schema(value_type = bool, required = false)]
    pub(crate) terms_accepted: Terms,
}

/// No member, unless the operator's schema asks for some.
fn profile() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("The first of the account's own data: what the operator asks for at a sign-up."))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .build()
}

impl ReadFields for SignUpRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("/email", fields::email);
        let password = fields.required("/password", fields::new_password("/password"));
        let user_name = fields.optional("/user_name", fields::user_name);
        let display_name = fields.optional("/display_name", fields::display_name);
        let profile = fields.optional_object("/profile", fields::object("/profile"));
        let locale = fields.optional("/locale", fields::locale);
        let terms_accepted = needed_terms(fields);
        let profile = profile.map(Option::unwrap_or_default);
        if let Some(Err(error)) = profile.as_ref().map(|data| fields.policy().check_sign_up_data(data)) {
            for error in FieldError::profile(error) {
                fields.refuse(error);
            }
        }
        if let (None, Some(password)) = (&email, &password) {
            // The operation will not run, so its rules are checked here: both errors in one answer.
            let context = PasswordContext { email: None, user_name: None };
            if let Err(error) = fields.policy().passwords.check(password, context) {
                fields.refuse(FieldError::password("/password", &error));
            }
        }
        Some(Self {
            email: email?,
            password: password?,
            user_name: user_name?,
            display_name: display_name?,
            profile: profile?,
            locale: locale?,
            terms_accepted: terms_accepted?,
        })
    }
}

impl From<SignUpRequest> for SignUp {
    fn from(wish: SignUpRequest) -> Self {
        let SignUpRequest { email, password, user_name, display_name, profile, locale, terms_accepted } =
            wish;
        Self {
            email,
            password,
            user_name,
            display_name,
            data: profile,
            locale,
            terms: terms_accepted,
            idempotency_key: None,
        }
    }
}

/// The sign-up waits for its confirmation. The same for free, pending and taken addresses.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "status": "confirmation_required", "email": "ada@example.org", "methods": ["code", "link"],
    "expires_at": "2026-03-02T09:30:00.000Z", "resend_after": "2026-03-01T09:31:00.000Z"
}))]
struct ConfirmationRequired {
    #[schema(value_type = String, pattern = "^confirmation_required$")]
    status: &'static str,
    /// Where the mail goes.
    #[schema(value_type = String)]
    email: Email,
    /// What the mail carries.
    #[schema(value_type = Vec<String>)]
    methods: Vec<&'static str>,
    /// When the sign-up is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When another mail can be asked for.
    #[schema(value_type = String, format = DateTime)]
    resend_after: Timestamp,
}

impl From<Pending> for ConfirmationRequired {
    fn from(pending: Pending) -> Self {
        let Pending { email, methods, expires_at, resend_after } = pending;
        let name = |method: &ConfirmMethod| match method {
            ConfirmMethod::Code => "code",
            ConfirmMethod::Link => "link",
        };
        let methods = methods.iter().map(name).collect();
        Self { status: "confirmation_required", email, methods, expires_at, resend_after }
    }
}

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
struct IdempotencyKey(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let name = HeaderName::from_static("idempotency-key");
        let Some(value) = single(&parts.headers, &name)? else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()) && !key.contains('\t'));
        let refused = || {
            let rule = "`Idempotency-Key` has 1 to 255 visible ASCII characters.";
            Problem::new(Code::InvalidRequest).detail(rule)
        };
        key.map(|key| Self(Some(key.to_owned()))).ok_or_else(refused)
    }
}

errors!(SignUpErrors: EVERY, API, BODY, HASH, &[
    Code::SignUpClosed,
    Code::UserNameTaken,
    Code::EmailTaken,
    Code::IdempotencyKeyReused,
    Code::TooManyRequests
]);

/// Starts a sign-up. Always 202, so that the answer does not reveal whether the address is known.
#[utoipa::path(post, path = "/v1/signup", tag = "Sign-up", operation_id = "sign_up",
    request_body(content = SignUpRequest, content_type = "application/json"),
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$",
        description = "Names this attempt: repeated with the same body, it gets the same answer and causes one mail.")),
    responses((status = 202, description = "A mail with a link, a code, or both is on its way.",
        body = ConfirmationRequired), SignUpErrors))]
async fn sign_up(
    State(accounts): State<Accounts>,
    Client(client): Client,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Json(wish): Json<SignUpRequest>,
) -> Result<(StatusCode, Json<ConfirmationRequired>), Problem> {
    let pending = accounts.sign_up(SignUp { idempotency_key, ..wish.into() }, &client).await?;
    Ok((StatusCode::ACCEPTED, Json(pending.into())))
}
