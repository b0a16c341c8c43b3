//! Pairs of names and values: forms and queries. A name may come once (H9).

use axum::extract::{FromRequest, Request};

use super::json::{read_body, require_type};
use crate::catalogue::Code;
use crate::problem::Problem;

/// Decoded pairs.
#[derive(Debug, Default)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Pairs {
    /// Decodes `a=1&b=2`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let refused = |reason: &'static str| Problem::new(Code::InvalidRequest).detail(reason);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text)
            .map_err(|_| refused("The parameters are not percent-encoded UTF-8."))?;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| two[0] == two[1]) {
            return Err(refused("A parameter came more than once."));
        }
        Ok(Self(pairs))
    }

    /// The value of a name, which goes out of the pairs.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(sent, _)| sent == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// A body of `application/x-www-form-urlencoded`. Who reads it ignores names it does not know (RFC 6749 §3.2).
pub(crate) struct Form(pub(crate) Pairs);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_type(request.headers(), "application/x-www-form-urlencoded")?;
        let body = read_body(request.into_body()).await?;
        Pairs::parse(&body).map(Form)
    }
}
