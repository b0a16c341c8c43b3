//! Answers the signed-in.

#![expect(clippy::disallowed_methods, reason = "an application of others reads its own settings")]

mod axum_app;

use std::env::var;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (issuer, audience) = (var("AUTH_ISSUER")?, var("AUTH_AUDIENCE")?);
    let app = axum_app::app(&issuer, &audience, &var("AUTH_JWKS_URL")?)?;
    let address = var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3003".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}
