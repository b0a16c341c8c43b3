//! What Vestibule sends to other servers: mail, and webhooks.
//!
//! # Mail
//! Renders a [`vestibule::Mail`] with templates and passes it to a relay, a provider or a mailbox.
//!
//! A [`Mailer`] is built once at the start of the program. It checks every template in every language then, so that
//! sending finds no errors in them:
//!
//! ```no_run
//! use vestibule::Secret;
//! use vestibule_mail::{Look, Mailer, MailerConfig, Transport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = Transport::from_url(&Secret::from("smtps://user:pass@mail.example.org"))?;
//! let mailer = Mailer::new(
//!     MailerConfig {
//!         from: "Example <no-reply@example.org>".parse()?,
//!         site_name: "Example".to_owned(),
//!         public_url: "https://example.org".to_owned(),
//!         look: Look::default(),
//!         templates: None,
//!     },
//!     transport,
//! )?;
//! # Ok(())
//! # }
//! ```
//!
//! # A new kind of mail
//! A folder `templates/<kind>/` with `subject.txt`, `body.txt` and `body.html` per language, its name in
//! `templates.rs`, and its values with a sample in `values.rs`. Nothing compiles without the values, and the tests fail
//! without the rest.
//!
//! # A new language
//! Its three files in every `templates/<kind>/`, the duration with its plurals in
//! `templates/shared/<language>/words.txt`, and its name in `templates.rs` and in the tests. A language read from right
//! to left says so in the block `direction`.
//!
//! # Webhooks
//! [`HttpWebhooks`] posts a [`vestibule::Webhook`] to one endpoint, signed as Standard Webhooks describes, and to
//! public addresses only unless the operator allows others. [`HttpLogouts`] posts the logout tokens of OpenID Connect
//! Back-Channel Logout to the same addresses.

mod cause;
mod letter;
mod letter_error;
mod look;
mod mailer;
mod outbound;
mod sender;
mod templates;
mod transport;
mod values;
mod webhook;

pub use letter::Letter;
pub use letter_error::LetterError;
pub use look::Look;
pub use mailer::{Mailer, MailerConfig, MailerError};
pub use sender::{Sender, SenderError};
pub use templates::TemplateError;
pub use transport::Transport;
pub use transport::console::Console;
pub use transport::error::TransportError;
pub use transport::file::Folder;
pub use transport::http_api::{HttpApi, HttpApiConfig, HttpAuth, HttpBody};
pub use transport::memory::{Fault, Memory, Received};
pub use transport::smtp::Smtp;
pub use webhook::logout::HttpLogouts;
pub use webhook::secrets::{WebhookSecrets, WebhookSecretsError};
pub use webhook::url::{WebhookUrl, WebhookUrlError};
pub use webhook::{HttpWebhooks, WebhookSetupError};
