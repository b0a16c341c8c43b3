//! Accounts for an application: sign-up with email and password, confirmation by link or code, sign-in, sessions.
//!
//! The operations that the program `vestibule` serves over HTTP, as functions: on SQLite inside the process, or on
//! PostgreSQL. No HTTP, no SMTP, no environment: time, mail and settings are passed in.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # struct Post(std::sync::Mutex<Option<String>>);
//! # impl MailTransport for Post {
//! #     async fn send(&self, mail: &Mail, _: &SendAttempt) -> Result<(), SendError> {
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
//!     email: email.clone(), password: password.clone(), user_name: None, display_name: None, locale: None,
//!     data: serde_json::Map::new(), terms: Terms::Unanswered, idempotency_key: None,
//! };
//! accounts.sign_up(wish, &client).await?;
//! accounts.deliver(&post).await?; // one step; a program spawns `accounts.run_workers(post, shutdown)` instead
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
//! Where a user has an authenticator app, the right password is answered with a challenge, which a code of the app meets:
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let clock = vestibule::ManualClock::new(vestibule::Timestamp::from_millis(1_800_000_000_000));
//! # // What the app shows: a person reads it there.
//! # let app = |secret: &str| vestibule_testing::totp(secret, clock.now().as_seconds());
//! # let settings = vestibule::Settings {
//! #     database_url: format!("sqlite:{}/accounts.db", folder.path().display()).into(),
//! #     secret_key: vestibule::SecretKey::generate(),
//! #     previous_secret_key: None,
//! #     public_url: "https://accounts.example.org".into(),
//! #     policy: vestibule::Policy::default(),
//! #     env: vestibule::Env::manual(&clock),
//! # };
//! use vestibule::*;
//!
//! let accounts = Accounts::open(settings).await?;
//! let (email, password): (Email, _) = ("ada@example.org".parse()?, Password::new("violet-otter-maps-42")?);
//! let new = NewUser {
//!     email: email.clone(), password: password.clone(), user_name: None, display_name: None, roles: vec![],
//! };
//! accounts.create_user(Actor::Operator, new).await?;
//! let (login, client) = (Login::Email(email), Client::default());
//!
//! // The password is enough as long as there is no second factor. A sign-in of the last minutes may add one.
//! let tokens = accounts.sign_in(&login, &password, &client).await?;
//! let who = accounts.authenticate(tokens.access_token.expose()).await?;
//! let NewAuthenticator { secret, uri } = accounts.begin_authenticator(&who, &client).await?;
//! assert!(uri.expose().starts_with("otpauth://totp/")); // for a QR code
//! let code: TotpCode = app(secret.expose()).parse()?;
//! let recovery_codes = accounts.confirm_authenticator(&who, &code, &client).await?;
//! assert_eq!(recovery_codes.len(), 10); // shown once
//!
//! # clock.advance(std::time::Duration::from_secs(30));
//! // From now on it is asked for. A code works once: half a minute later the app shows the next one.
//! let Err(SignInError::SecondFactorRequired(asked)) = accounts.sign_in(&login, &password, &client).await else {
//!     panic!("there is an authenticator app");
//! };
//! assert!(asked.methods.contains(&Factor::Totp));
//! let given = SecondFactor::Code(app(secret.expose()).parse()?);
//! let tokens = accounts.second_factor(asked.challenge.expose(), &given, &client).await?;
//! let who = accounts.authenticate(tokens.access_token.expose()).await?;
//! assert!(who.amr().is_multi_factor());
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! Every operation documents what it promises and which errors it returns; the numbered promises (S1, C3, …) are those
//! of `docs/security.md`. [`Accounts::run_workers`] sends the mail and deletes what has expired; if
//! [`Policy::webhooks`] names endpoints, [`Workers`] also posts to them, and tells applications that sessions with them have
//! ended. Each worker is a loop around a step that may also be called separately: [`Accounts::deliver`],
//! [`Accounts::deliver_webhooks`], [`Accounts::deliver_logouts`], [`Accounts::sweep`].

mod accounts;
mod core;
mod domain;
mod env;
mod fault;
#[cfg(test)]
mod fuzz;
mod hasher;
mod limits;
mod mail;
mod migrator;
mod ops;
mod policy;
mod settings;
mod store;
mod throttle;
mod token;
mod traffic;
mod trail;
mod transfer;
mod webhook;
mod workers;

pub use accounts::{Accounts, accept_database, check_database_url, database_shown, time_of_hash};
pub use domain::access::actor::Actor;
pub use domain::access::amr::{Amr, Method};
pub use domain::access::client::Client;
pub use domain::access::device::{browser_in_words, device_in_words};
pub use domain::access::factor::Factor;
pub use domain::access::operator::{Operator, OperatorName};
pub use domain::access::passkey::Passkey;
pub use domain::access::passkey_name::{PasskeyName, PasskeyNameError};
pub use domain::access::recovery_code::{RecoveryCode, RecoveryCodeError};
pub use domain::access::roles::{RoleName, Roles, RolesError};
pub use domain::access::session::{Proven, Session, SignedIn};
pub use domain::access::totp_code::{TotpCode, TotpCodeError};
pub use domain::access::way::Way;
pub use domain::application::check::ApplicationInvalid;
pub use domain::application::grant::Grant;
pub use domain::application::id::{ApplicationId, ApplicationIdError};
pub use domain::application::keys::{ApplicationKeys, ApplicationKeysError};
pub use domain::application::redirect_uri::{RedirectUri, RedirectUriError};
pub use domain::application::registered::{Application, ApplicationKind, ConfiguredApplication, Consent};
pub use domain::application::request::{AuthorizationParameters, AuthorizationRefusal, AuthorizationRequest};
pub use domain::application::scope::{Scopes, ScopesError};
pub use domain::audit::{AuditActor, AuditEvent, AuditKind};
pub use domain::code::{Code, CodeError};
pub use domain::email::{Email, EmailError};
pub use domain::ids::{
    AuditId, EventId, IdError, InvitationId, MailId, PasskeyId, RegistrationId, SessionId, UserId,
};
pub use domain::invitation::Invitation;
pub use domain::mail::queued::{MailState, QueuedMail};
pub use domain::password::{
    PASSWORD_CODE_POINTS_MAX, PASSWORD_OCTETS_MAX, Password, PasswordContext, PasswordError, PasswordRules,
    Strength,
};
pub use domain::profile::claim_paths::{ClaimError, ClaimPath, ClaimPaths, ClaimSource};
pub use domain::profile::display_name::{DisplayName, DisplayNameError};
pub use domain::profile::edit::Edit;
pub use domain::profile::external_id::{ExternalId, ExternalIdError};
pub use domain::profile::user_data::{UserData, UserDataError};
pub use domain::reason::{Reason, ReasonError};
pub use domain::registration::OpenRegistration;
pub use domain::secret::Secret;
pub use domain::secret_key::{SecretKey, SecretKeyError};
pub use domain::stats::{DayStats, StatsPeriod};
pub use domain::time::{Timestamp, TimestampError};
pub use domain::user::{Account, Expected, FactorStatus, UserRef, UserStatus};
pub use domain::user_list::listed::{LastSignIn, ListedUser, TimeRange, UserCount, UserCounts, UserOrder};
pub use domain::user_name::{UserName, UserNameError};
pub use env::{Env, ManualClock};
pub use fault::Fault;
#[cfg(feature = "import")]
pub use hasher::foreign::{FirebaseScrypt, ImportedHash, ImportedHashError};
pub use mail::{Mail, MailContent, MailTransport, Place, SecurityEvent, SendAttempt, SendError};
pub use migrator::Migrator;
pub use ops::account::authenticator::NewAuthenticator;
pub use ops::account::data::DataError;
pub use ops::account::email::{EmailChangeError, EmailProof};
pub use ops::account::factor_change::{FactorError, PasskeyInvalid};
pub use ops::account::passkeys::PasskeyRegistration;
pub use ops::account::password::{ChangeError, CheckError, ResetError};
pub use ops::account::profile::{Export, ProfileChange, ProfileError};
pub use ops::account::ways_in::WaysIn;
pub use ops::admin::account_limits::{AccountLimits, Recently};
pub use ops::admin::app_data::AppDataAccessError;
pub use ops::admin::applications::{ApplicationChangeError, RegisteredApplication};
pub use ops::admin::audit::AuditQuery;
pub use ops::admin::error::AdminError;
pub use ops::admin::list_users::download::UserDownload;
pub use ops::admin::list_users::{UserPage, UserQuery};
pub use ops::admin::one_user::UserChange;
pub use ops::admin::outbox::{MailQuery, OutboxError};
pub use ops::admin::paging::Page;
pub use ops::admin::registrations::{RegistrationError, RegistrationQuery};
pub use ops::admin::signing_keys::{KeyError, KeyState, Retired, Rotated, Rotation, SigningKey};
pub use ops::admin::stats::Stats;
pub use ops::admin::users::NewUser;
pub use ops::application::access::{ApplicationAccess, ApplicationUser};
pub use ops::application::assertion::AssertionError;
pub use ops::application::authenticate::{ApplicationError, AuthenticatedApplication};
pub use ops::application::authorization::check::{AuthorizationError, Unproven};
pub use ops::application::authorization::consent::{ConsentAnswer, ConsentError};
pub use ops::application::authorization::decide::{AuthorizationStep, ConsentQuestion};
pub use ops::application::authorization::keep::KeepError;
pub use ops::application::authorization::redeem::{CodeExchange, CodeExchangeError};
pub use ops::application::machine::MachineError;
pub use ops::application::refresh::ApplicationRefreshError;
pub use ops::application::sign_out::{SignOutParameters, SignOutWish};
pub use ops::application::tokens::ApplicationTokens;
pub use ops::application::user_info::{UserInfo, UserInfoError};
pub use ops::background::deliver::{Delivered, Delivery, DueMail};
pub use ops::background::logouts::DueLogout;
pub use ops::background::sweep::Health;
pub use ops::background::webhooks::DueWebhook;
pub use ops::challenge::LinkError;
pub use ops::condition::Condition;
pub use ops::link::{LinkState, MailedLink};
pub use ops::measures::{Backlog, Measures, WorkClass};
pub use ops::registration::confirm::ConfirmError;
pub use ops::registration::first_admin::{FirstAdmin, SetupLink};
pub use ops::registration::invitation::{JoinError, NewInvitation};
pub use ops::registration::resend::{ResendError, Resent};
pub use ops::registration::sign_up::{ConfirmMethod, Pending, SignUp, SignUpError};
pub use ops::registration::waiting::{LinkProof, Waiting};
pub use ops::sign_in::authenticate::AuthenticateError;
pub use ops::sign_in::browser::BrowserSession;
pub use ops::sign_in::enrolment::EnrolmentError;
pub use ops::sign_in::passkey::{CeremonyError, PasskeyCeremony, PasskeySignInError};
pub use ops::sign_in::passkey_check::{PasskeyAssertion, PasskeyFormError};
pub use ops::sign_in::password::{Login, SignInError, Unconfirmed};
pub use ops::sign_in::refresh::RefreshError;
pub use ops::sign_in::second_factor::{SecondFactor, SecondFactorChallenge, SecondFactorError};
pub use ops::sign_in::step_up::StepUp;
pub use ops::sign_in::tokens::Tokens;
#[cfg(feature = "import")]
pub use ops::transfer::export::ExportedUser;
#[cfg(feature = "import")]
pub use ops::transfer::import::{ImportOptions, ImportedUser};
#[cfg(feature = "import")]
pub use ops::transfer::outcome::{ImportRefusal, Imported, ImportedTime};
pub use policy::claims::Claims;
pub use policy::data_schema::{DataFault, DataSchema, SignUpField, SignUpInput, Wording};
pub use policy::factors::{PasskeyPolicy, RequireFactor, SecondFactorPolicy};
pub use policy::limits::Limits;
pub use policy::relying_party::RelyingParty;
pub use policy::sign_up_data::{SignUpDataError, SignUpDataFault};
pub use policy::terms::{Terms, TermsConsent, TermsNotAccepted};
pub use policy::{
    AdminPolicy, ConfirmPolicy, DatabasePolicy, Disclosure, EmailChangePolicy, HashPolicy,
    PasswordResetPolicy, Policy, PolicyError, Rate, SignInPolicy, SignUpMode, SignUpPolicy, TokenPolicy,
};
pub use settings::{OpenError, OpenMode, Settings};
pub use store::condition::{DatabaseCondition, DatabaseConnections};
pub use store::error::DatabaseError;
pub use store::migrations::{MigrateError, Migration};
pub use token::algorithm::{SigningAlgorithm, SigningAlgorithmError};
pub use token::application::assertion::AssertionInvalid;
#[cfg(feature = "sqlite")]
pub use transfer::backup::{
    BackupError, BackupManifest, BackupOptions, BackupTable, back_up_before_migration, secret_key_of_backup,
    verify_backup,
};
pub use transfer::mover::{AbortedMove, MoveError, MovedTable, Mover, abort_move, find_move};
pub use transfer::progress::{CopyProgress, CopyWatch};
#[cfg(feature = "sqlite")]
pub use transfer::restore::{RestoreError, RestoreOptions, Restored, restore_backup, restore_backup_watched};
pub use webhook::logout::{Logout, LogoutTransport};
pub use webhook::{Webhook, WebhookEvent, WebhookEventError, WebhookSubscription, WebhookTransport};
pub use workers::Workers;
