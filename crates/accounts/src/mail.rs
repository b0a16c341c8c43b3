//! What the mail worker hands to a transport: values, not text. Rendering and sending live outside this crate.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::{Email, Env, MailId, Secret, Timestamp};

/// One message to one address, made right before it is handed over (T8), so that its secrets were never stored.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The same for every attempt: the Message-ID and the idempotency key.
    pub id: MailId,
    /// Where it goes, as the person typed it.
    pub to: Email,
    /// The language the person asked for (a BCP 47 tag), if any.
    pub locale: Option<String>,
    /// When its cause happened.
    pub created_at: Timestamp,
    /// What it says.
    pub content: MailContent,
}

/// What a [`Mail`] says. The template of the same name renders it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MailContent {
    /// Somebody signed up with this address: confirm it.
    Confirm {
        /// The address of the page that confirms, with its token.
        link: Option<Secret>,
        /// The digits to type in.
        code: Option<Secret>,
        /// How long the code works, counted from the hand-over of this mail.
        code_lifetime: Duration,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Somebody signed up with this address, which already has an account.
    AlreadyRegistered {
        /// The address of the sign-in page.
        sign_in: String,
    },
    /// Somebody asked to set a new password.
    PasswordReset {
        /// The address of the page that sets it, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// The password was changed.
    PasswordChanged {
        /// The address of the page that asks for a new one, in case it was somebody else.
        forgot: String,
    },
    /// A user wants to use this address from now on: confirm it.
    EmailChange {
        /// The address of the page that confirms, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// The account is to move to another address: undo it.
    EmailUndo {
        /// The address of the page that undoes it, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// An administrator invited this address.
    Invitation {
        /// The address of the page that accepts, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Somebody tried several wrong passwords.
    FailedSignIns {
        /// The address of the page that asks for a new password, which also ends every wait.
        forgot: String,
    },
    /// A copy of a session's refresh token was used: the session was ended.
    RefreshReused {
        /// The address of the page that asks for a new password.
        forgot: String,
    },
    /// The account is active now.
    Welcome {
        /// The address of the sign-in page.
        sign_in: String,
    },
    /// An operator tries whether mail leaves. It is about nobody and never in the outbox.
    Test,
}

impl Mail {
    /// A message that tells of nothing but that mail leaves.
    pub fn test(to: Email, locale: Option<String>, env: &Env) -> Self {
        let now = env.now();
        let id = MailId::from_bytes(env.new_id(now));
        Self { id, to, locale, created_at: now, content: MailContent::Test }
    }
}

impl MailContent {
    /// The template's name, also the `kind` in the outbox.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Confirm { .. } => "confirm",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::PasswordReset { .. } => "password_reset",
            Self::PasswordChanged { .. } => "password_changed",
            Self::EmailChange { .. } => "email_change",
            Self::EmailUndo { .. } => "email_undo",
            Self::Invitation { .. } => "invitation",
            Self::FailedSignIns { .. } => "failed_sign_ins",
            Self::RefreshReused { .. } => "refresh_reused",
            Self::Welcome { .. } => "welcome",
            Self::Test => "test",
        }
    }

    /// Every kind there is, for checks that each has its template.
    pub const KINDS: [&'static str; 11] = [
        "confirm",
        "already_registered",
        "welcome",
        "password_reset",
        "password_changed",
        "email_change",
        "email_undo",
        "invitation",
        "failed_sign_ins",
        "refresh_reused",
        "test",
    ];
}

/// A way to hand a [`Mail`] to somebody who delivers it. `Ok` means that the other side has taken responsibility.
pub trait MailTransport: Send + Sync {
    /// Renders and hands over one message. Must give up by itself within a minute.
    fn send(&self, mail: &Mail) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// Why a message was not handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nothing gets through at present: network, time-out, refused credentials, 421 of SMTP, 5xx or 429 of HTTP.
    Temporary(String),
    /// This message is to be tried again later; others may get through: 4xx of SMTP.
    Deferred(String),
    /// This message will never get through: refused address, refused content.
    Permanent(String),
}

impl SendError {
    /// What went wrong, whether or not it may pass.
    pub(crate) fn into_cause(self) -> String {
        match self {
            Self::Temporary(cause) | Self::Deferred(cause) | Self::Permanent(cause) => cause,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temporary(cause) => write!(f, "temporary: {cause}"),
            Self::Deferred(cause) => write!(f, "deferred: {cause}"),
            Self::Permanent(cause) => write!(f, "permanent: {cause}"),
        }
    }
}

impl std::error::Error for SendError {}
