//! What `vestibule doctor` asks through the public URL: whether a server of its own answers, and what the proxies say.

use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::Accounts;

use crate::catalogue::Code;
use crate::describe::errors::{API, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Fields, Json, ReadFields, TrustedProxies, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(doctor)
}

/// A question that only whoever has the secret key can make.
#[derive(ToSchema)]
#[schema(example = json!({"question": "kUuQ1Xz3o0m5ePvT5o1kPQAAAZ3bP4kAqf9Yk0m0bq3a1yYH3m2u5w"}))]
struct DoctorRequest {
    /// Answered once, within a minute.
    #[schema(max_length = 64)]
    question: String,
}

impl ReadFields for DoctorRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { question: fields.required("/question", fields::any_text)? })
    }
}

/// Who answers, and how the question arrived. No header is repeated.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"answer": "3m2u5wqf9Yk0m0bq3a1yYA", "peer": "127.0.0.1", "peer_trusted": true,
    "forwarded": true}))]
struct DoctorAnswer {
    /// Shows that the server has the same secret key.
    answer: String,
    /// The address that connected to the server: the last proxy's. Missing on a Unix socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// Whether that address is one of `trusted_proxies`.
    peer_trusted: bool,
    /// Whether there was an `X-Forwarded-For` whose last entry is an address.
    forwarded: bool,
}

errors!(DoctorErrors: EVERY, API, BODY, &[Code::NotFound]);

/// Tells `vestibule doctor` whether the public URL leads to a server of its own. Everybody else gets a 404.
#[utoipa::path(post, path = "/v1/doctor", tag = "Operations", operation_id = "doctor",
    request_body(content = DoctorRequest, content_type = "application/json"),
    responses((status = 200, description = "A server with the same secret key.", body = DoctorAnswer), DoctorErrors))]
async fn doctor(
    State(accounts): State<Accounts>,
    State(proxies): State<TrustedProxies>,
    extensions: Extensions,
    headers: HeaderMap,
    Json(body): Json<DoctorRequest>,
) -> Result<Json<DoctorAnswer>, Problem> {
    let answer = accounts.answer_doctor(&body.question).ok_or_else(|| Problem::new(Code::NotFound))?;
    let (peer, forwarded) = proxies.seen(&extensions, &headers);
    Ok(Json(DoctorAnswer {
        answer: answer.expose().to_owned(),
        peer: peer.map(|peer| peer.to_string()),
        peer_trusted: proxies.contain_peer_of(&extensions),
        forwarded,
    }))
}
