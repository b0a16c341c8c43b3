//! What the mail worker hands to a transport: values, not text. Rendering and sending live outside this crate.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::domain::email::Email;
use crate::domain::ids::MailId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::env::Env;

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
pub enum MailContent {
    /// Somebody signed up with this address: confirm it.
    Confirm {
        /// The address of the page that confirms, with its token.
        link: Option<Secret>,
        /// The digits to type in.
        code: Option<Secret>,
        /// How long the code works, counted from the end of the hand-over of this mail.
        code_lifetime: Duration,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Many signed up with this address, or many mails went there today: whoever reads them may choose the password.
    ChoosePassword {
        /// The address of the page where it is chosen, with its token.
        link: Secret,
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
            Self::ChoosePassword { .. } => "choose_password",
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
    pub const KINDS: [&'static str; 12] = [
        "confirm",
        "choose_password",
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
    /// Renders and hands over one message. Must give up by itself some time; until then the message is nobody else's.
    ///
    /// Right before the other side may have the message, say so with [`SendAttempt::leaves`]: its code works from then on.
    /// Who does not say it is taken to hand over at the end.
    fn send(&self, mail: &Mail, attempt: &SendAttempt) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// What a [`MailTransport`] says about the message that it is handing over.
pub struct SendAttempt(Option<Arc<dyn Observer>>);

/// Who keeps the message meanwhile, and notes how far it is.
pub(crate) trait Observer: Send + Sync {
    fn mail(&self) -> MailId;
    fn leaves(&self) -> BoxFuture<'_, Result<(), SendError>>;
    fn answered(&self);
}

impl SendAttempt {
    /// The hand-over of a message that is not in the outbox, such as [`Mail::test`].
    pub const fn untracked() -> Self {
        Self(None)
    }

    pub(crate) fn tracked_by(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// The message has left, as far as we know: from now on the other side may have it, and its code works until a
    /// minute after the answer, or after giving up. To be awaited right before the last byte goes, e.g. the final dot of
    /// SMTP, and harmless when it is said again.
    ///
    /// # Errors
    /// Somebody else has taken the message over, or the store does not answer: do not send it, return this error.
    pub async fn leaves(&self) -> Result<(), SendError> {
        match &self.0 {
            Some(observer) => observer.leaves().await,
            None => Ok(()),
        }
    }

    /// The other side answers, and has not heard yet whom the message is for: what takes long from now on may be this
    /// message. Who never says it is taken to be waiting for the other side.
    pub fn answered(&self) {
        if let Some(observer) = &self.0 {
            observer.answered();
        }
    }
}

impl fmt::Debug for SendAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendAttempt").field(&self.0.as_ref().map(|observer| observer.mail())).finish()
    }
}

/// Why a message was not handed over, as far as anybody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nothing gets through at present, and that may pass by itself: network, time-out, 421 of SMTP, 5xx of HTTP.
    Temporary(String),
    /// Nothing gets through at present, and the other side says when it is worth trying again: 429 of HTTP.
    Throttled {
        /// What it said.
        cause: String,
        /// How long to wait.
        retry_after: Duration,
    },
    /// We are refused, not the message, until an operator acts: credentials, sender, quota, payment. It is tried again,
    /// and shouted about.
    Refused(String),
    /// This message is to be tried again later; others may get through: 4xx of SMTP.
    Deferred(String),
    /// The other side may have the message, or not: it went silent after the end of the message. It is tried again.
    Uncertain(String),
    /// This message will never get through: refused address, refused content.
    Permanent(String),
}

impl SendError {
    /// What went wrong, whether or not it may pass.
    pub(crate) fn into_cause(self) -> String {
        match self {
            Self::Throttled { cause, .. }
            | Self::Temporary(cause)
            | Self::Refused(cause)
            | Self::Deferred(cause)
            | Self::Uncertain(cause)
            | Self::Permanent(cause) => cause,
        }
    }

    /// Whether it would meet every message, whoever it is for.
    pub(crate) const fn is_general(&self) -> bool {
        match self {
            Self::Temporary(_) | Self::Throttled { .. } | Self::Refused(_) | Self::Uncertain(_) => true,
            Self::Deferred(_) | Self::Permanent(_) => false,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temporary(cause) => write!(f, "temporary: {cause}"),
            Self::Throttled { cause, retry_after } => {
                write!(f, "to be tried again in {} s: {cause}", retry_after.as_secs())
            }
            Self::Refused(cause) => write!(f, "refused until somebody acts: {cause}"),
            Self::Deferred(cause) => write!(f, "deferred: {cause}"),
            Self::Uncertain(cause) => write!(f, "uncertain: {cause}"),
            Self::Permanent(cause) => write!(f, "permanent: {cause}"),
        }
    }
}

impl std::error::Error for SendError {}
