//! A body that is one JSON object whose members this API does not know.

use axum::extract::{FromRequest, Request};
use serde_json::{Map, Value};

use super::json::read_tree;
use super::tree::Tree;
use crate::catalogue::Code;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

/// The types of [`MergePatch`], for `Accept-Patch` (RFC 5789 §3.1).
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json, application/json";

/// The object of a body of `application/json`.
pub(crate) struct AnyObject(pub(crate) Map<String, Value>);

/// A merge patch (RFC 7396) for an object, which is therefore an object itself. As `application/json` it means the same.
pub(crate) struct MergePatch(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for AnyObject {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        object(read_tree(request, &["application/json"]).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let types = ["application/merge-patch+json", "application/json"];
        let tree =
            read_tree(request, &types).await.map_err(|problem| problem.accepting_patch(MERGE_PATCH))?;
        object(tree).map(Self)
    }
}

fn object(tree: Tree) -> Result<Map<String, Value>, Problem> {
    match tree.into_json() {
        Value::Object(object) => Ok(object),
        _ => Err(FieldError::new("", Code::WrongType).into()),
    }
}
