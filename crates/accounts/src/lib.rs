//! Accounts for an application: sign-up with e-mail and password, confirmation by link or code, sign-in, sessions.
//!
//! The same operations that the program `vestibule` serves over HTTP, as functions: on SQLite inside the process, or on
//! PostgreSQL. No HTTP, no SMTP, no environment: time, mail and settings are handed in.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # struct Post(std::sync::Mutex<Option<String>>);
//! # impl MailTransport for Post {
//! #     async fn send(&self, mail: &Mail) -> Result<(), SendError> {
//! #         if let MailContent::Confirm { code: Some(code), .. } = &mail.content {
//! #             *self.0.lock().unwrap() = Some(code.expose().to_owned());
//! #         }
//! #         Ok(())
//! #     }
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let (database, post) = (format!("sqlite:{}/accounts.db", folder.path().display()), Post(Default::default()));
//! use vestibule::*;
//!
//! let accounts = Accounts::open(Settings {
//!     database_url: database.into(), // "sqlite:accounts.db" or "postgres://…"
//!     secret_key: SecretKey::generate(), // keep it: links, codes and signing keys depend on it
//!     previous_secret_key: None,
//!     public_url: "https://accounts.example.org".into(),
//!     policy: Policy::default(),
//!     env: Env::system(),
//! })
//! .await?;
//! let (email, password): (Email, _) = ("ada@example.org".parse()?, Password::new("violet-otter-maps-42")?);
//! let client = Client::default();
//! let wish = SignUp {
//!     email: email.clone(), password: password.clone(), user_name: None, locale: None, idempotency_key: None,
//! };
//! accounts.sign_up(wish, &client).await?;
//! accounts.deliver(&post).await?; // a worker's step: call it in a loop
//! let code: Code = post.0.lock().unwrap().take().unwrap().parse()?; // what the person reads in the mail
//! accounts.confirm_by_code(&email, &password, &code, None, &client).await?;
//! let tokens = accounts.sign_in(&Login::Email(email), &password, &client).await?;
//! let who = accounts.authenticate(tokens.access_token.expose()).await?;
//! assert_eq!(who.account.email.as_str(), "ada@example.org");
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! Every operation says what it promises and which error it returns; the numbered promises (S1, C3, …) are those of
//! `docs/security.md`. Call [`Accounts::deliver`] in a loop (woken by [`Accounts::mail_queued`]) and
//! [`Accounts::sweep`] about once a minute. Where [`Policy::webhooks`] names endpoints, call
//! [`Accounts::deliver_webhooks`] for each of them.

mod accounts;
mod client;
mod domain;
mod env;
mod fault;
mod hasher;
mod limits;
mod mail;
mod migrator;
mod ops;
mod policy;
mod store;
mod token;
mod webhook;

pub use accounts::{Accounts, OpenError, SecretKey, SecretKeyError, Settings};
pub use client::Client;
pub use domain::audit::{AuditActor, AuditEvent, AuditKind};
pub use domain::email::{Email, EmailError};
pub use domain::ids::{AuditId, EventId, IdError, InvitationId, MailId, RegistrationId, SessionId, UserId};
pub use domain::invitation::Invitation;
pub use domain::password::{
    PASSWORD_CODE_POINTS_MAX, PASSWORD_OCTETS_MAX, Password, PasswordContext, PasswordError, PasswordRules,
    Strength,
};
pub use domain::reason::{Reason, ReasonError};
pub use domain::roles::{Roles, RolesError};
pub use domain::secret::Secret;
pub use domain::time::{Timestamp, TimestampError};
pub use domain::user::{Account, Expected};
pub use domain::user_name::{UserName, UserNameError};
pub use env::{Env, ManualClock};
pub use fault::Fault;
pub use mail::{Mail, MailContent, MailTransport, SendError};
pub use migrator::{MigrateError, Migration, Migrator};
pub use ops::account::{Export, ProfileChange, ProfileError};
pub use ops::admin::{Actor, AdminError, NewUser, UserRef};
pub use ops::administer::UserChange;
pub use ops::audit::AuditQuery;
pub use ops::authenticate::{AuthenticateError, SignedIn};
pub use ops::browser::BrowserSession;
pub use ops::challenge::LinkError;
pub use ops::confirm::{Code, CodeError, ConfirmError, LinkState};
pub use ops::deliver::Delivered;
pub use ops::email::EmailChangeError;
pub use ops::invite::{JoinError, NewInvitation};
pub use ops::keys::{KeyError, KeyState, Retired, Rotated, Rotation, SigningKey};
pub use ops::list_users::{Page, UserQuery, UserStatus};
pub use ops::lockout::{AccountLimits, Lately};
pub use ops::outbox::{MailQuery, MailState, OutboxError, QueuedMail};
pub use ops::password::{ChangeError, ResetError};
pub use ops::registrations::{OpenRegistration, RegistrationError, RegistrationQuery};
pub use ops::resend::{AskError, Resent};
pub use ops::sessions::Session;
pub use ops::setup::{Newcomer, SetupLink};
pub use ops::sign_in::{Login, SignInError, Tokens};
pub use ops::sign_up::{ConfirmMethod, Pending, SignUp, SignUpError};
pub use ops::stats::{DayStats, Stats};
pub use ops::sweep::Health;
pub use ops::waiting::{LinkProof, Waiting};
pub use policy::{
    AdminPolicy, ConfirmPolicy, Disclosure, EmailChangePolicy, HashPolicy, PasswordResetPolicy, Policy,
    PolicyError, Rate, SignInPolicy, SignUpMode, SignUpPolicy, TokenPolicy,
};
pub use token::algorithm::{SigningAlgorithm, SigningAlgorithmError};
pub use webhook::{Webhook, WebhookEvent, WebhookEventError, WebhookSubscription, WebhookTransport};
