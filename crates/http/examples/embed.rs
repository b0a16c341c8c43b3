//! An application of one's own: its greeting is for users who are signed in, its desk for those with a role.
use axum::{Router, routing::get};
use vestibule::{Accounts, Env, Policy, SecretKey, Settings};
use vestibule_http::{HttpOptions, SignedIn, require_signed_in};

async fn hello(who: SignedIn) -> String {
    format!("Hello {}!\n", who.account.email)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings {
        database_url: "sqlite:embed.db".into(),
        // A real application keeps its key: `std::fs::read_to_string("secret.key")?.trim().parse()?`
        secret_key: SecretKey::generate(),
        previous_secret_key: None,
        public_url: "http://localhost:3000".to_owned(),
        policy: Policy::default(),
        env: Env::system(),
    };
    let accounts = Accounts::open(settings).await?;
    let editors = require_signed_in(accounts.clone()).with_role("editor");
    let own = Router::new()
        .route("/hello", get(hello))
        .route("/desk", get(async || "The desk of an editor.\n").route_layer(editors))
        .with_state(accounts.clone());
    let everything = own.merge(vestibule_http::router(accounts, HttpOptions::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, everything).await?)
}
