//! An application of one's own with accounts inside: its greeting is for users who are signed in, its desk for those with
//! a role, its safe for those who have just given a second factor. `cargo run --package vestibule-http --example embed`, then sign up at <http://localhost:3000/signup>; the
//! mails are printed here.
use std::error::Error;
use std::future::Future;
use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use vestibule::{Accounts, Env, Policy, SecretKey, Settings};
use vestibule_http::{HttpOptions, Part, SignedIn, require_signed_in};
use vestibule_mail::{Look, Mailer, MailerConfig, Transport};

const NAME: &str = "The desk";
const URL: &str = "http://localhost:3000";

async fn front(who: Option<SignedIn>) -> String {
    who.map_or("Welcome! Sign in at /login\n".to_owned(), |who| {
        format!("Welcome back, {}\n", who.account.email)
    })
}

async fn lost() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "The desk has no such drawer.\n")
}

async fn hello(who: SignedIn) -> String {
    format!("Hello {}!\n", who.account.email)
}

fn application(accounts: &Accounts) -> Router {
    let editors = require_signed_in(accounts.clone()).with_role("editor");
    // A passkey or a code of the authenticator app, no more than five minutes ago.
    let careful = require_signed_in(accounts.clone()).require_factor().require_recent(Duration::from_mins(5));
    let own = Router::new()
        .route("/", get(front))
        .route("/hello", get(hello))
        .route("/desk", get(async || "The desk of an editor.\n").route_layer(editors))
        .route("/safe", get(async || "What is in the safe.\n").route_layer(careful))
        .fallback(lost)
        .with_state(accounts.clone());
    // The front page and the answer to unknown paths are ours.
    let parts = Part::BESIDE_OTHERS.to_vec();
    let options = HttpOptions { service_name: NAME.to_owned(), parts, ..HttpOptions::default() };
    own.merge(vestibule_http::router(accounts.clone(), options))
}

/// Serves until `shutdown` is over: requests, the mails that they cause, and the clearing up behind them.
pub(crate) async fn serve(
    listener: TcpListener,
    database: &str,
    mail: &str,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let accounts = Accounts::open(Settings {
        database_url: database.into(),
        // A real application keeps its key: `std::fs::read_to_string("secret.key")?.trim().parse()?`
        secret_key: SecretKey::generate(),
        previous_secret_key: None,
        public_url: URL.to_owned(),
        policy: Policy::default(),
        env: Env::system(),
    })
    .await?;
    let sender = MailerConfig {
        from: "The desk <no-reply@example.org>".parse()?,
        site_name: NAME.to_owned(),
        public_url: URL.to_owned(),
        look: Look::default(),
        templates: None,
    };
    let mailer = Mailer::new(sender, Transport::from_url(&mail.into())?)?;
    let app = application(&accounts);
    Ok(vestibule_http::serve(listener, app, accounts, mailer, shutdown).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    // A relay is "smtps://user:password@mail.example.org".
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    serve(listener, "sqlite:embed.db", "console:", interrupted).await
}
