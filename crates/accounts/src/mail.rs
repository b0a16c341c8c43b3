//! What the mail worker passes to a transport: values, not text. Rendering and sending are outside this crate.

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

/// One message to one address, made right before it is sent (T8), so that its secrets were never stored.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The same for every attempt: the Message-ID and the idempotency key.
    pub id: MailId,
    /// The recipient, as typed.
    pub to: Email,
    /// The language requested by the recipient (a BCP 47 tag), if any.
    pub locale: Option<String>,
    /// When its cause happened.
    pub created_at: Timestamp,
    /// Its content.
    pub content: MailContent,
}

/// From where something was done, as far as it is known and is the reader's concern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The browser or program, as it called itself.
    pub device: Option<String>,
    /// The address that it came from.
    pub ip: Option<String>,
}

/// The content of a [`Mail`]. The template of the same name renders it.
#[derive(Clone, Debug)]
pub enum MailContent {
    /// Asks to confirm a sign-up with this address.
    Confirm {
        /// The address of the page that confirms, with its token.
        link: Option<Secret>,
        /// The digits to type in.
        code: Option<Secret>,
        /// How long the code works, counted from the end of sending this mail.
        code_lifetime: Duration,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Many people signed up with this address, or many mails were sent to it today: the reader may choose the
    /// password.
    ChoosePassword {
        /// The address of the page where it is chosen, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Accounts moved here, and this address was not confirmed where they came from: the reader may choose the password.
    MoveIn {
        /// The address of the page where it is chosen, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Informs the owner of an account that someone signed up with its address.
    AlreadyRegistered {
        /// The address of the sign-in page.
        sign_in: String,
    },
    /// A new password was requested.
    PasswordReset {
        /// The address of the page that sets it, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
        /// From where, unless an administrator requested it.
        place: Place,
    },
    /// The password was changed.
    PasswordChanged {
        /// From where, unless an operator changed it.
        place: Place,
        /// The address of the page to request a new one, in case the change was not the owner's.
        forgot: String,
    },
    /// Asks to confirm a user's new address.
    EmailChange {
        /// The address of the page that confirms, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// The account is about to move to another address: lets the owner undo it.
    EmailUndo {
        /// The address of the page that undoes it, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
        /// From where the change was requested.
        place: Place,
    },
    /// An administrator invited this address.
    Invitation {
        /// The address of the page that accepts, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// Informs the owner of several wrong passwords.
    FailedSignIns {
        /// From where the last of them came.
        place: Place,
        /// The address of the page to request a new password, which also ends every wait.
        forgot: String,
    },
    /// A copy of a session's refresh token was used: the session was ended.
    RefreshReused {
        /// From where it was used.
        place: Place,
        /// The address of the page to request a new password.
        forgot: String,
    },
    /// The account is active now.
    Welcome {
        /// The address of the sign-in page.
        sign_in: String,
    },
    /// Something that protects the account was changed or used.
    SecurityNotice {
        /// What it was.
        event: SecurityEvent,
        /// From where it was done, unless an administrator did it.
        place: Place,
        /// The address of the page where the owner sees and changes it.
        account: String,
        /// The address of the page that asks for a new password.
        forgot: String,
    },
    /// A second factor is to be enrolled: because a policy demands it, or because the ones of before were removed.
    Enrolment {
        /// The address of the page where that is done, with its token.
        link: Secret,
        /// When the link stops working.
        link_expires_at: Timestamp,
    },
    /// A second factor will be demanded, and there is none yet.
    SecondFactorDue {
        /// From when on signing in takes one.
        due_at: Timestamp,
        /// The address of the page where one is set up.
        account: String,
    },
    /// An operator tries whether mail leaves. It is about nobody and never in the outbox.
    Test,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityEvent {
    /// A passkey of this name was added.
    PasskeyAdded(String),
    /// A passkey of this name was removed.
    PasskeyRemoved(String),
    /// The counter of a passkey of this name went back, as if there were a copy of it.
    PasskeyCounterWentBack(String),
    /// An authenticator app was added.
    AuthenticatorAdded,
    /// The authenticator app was removed.
    AuthenticatorRemoved,
    /// New recovery codes were made.
    RecoveryCodesMade,
    /// A recovery code was used; so many are left.
    RecoveryCodeUsed(u32),
    /// The password was removed.
    PasswordRemoved,
    /// An administrator removed every second factor.
    FactorsReset,
    /// Somebody gave the right password, and then several wrong second factors.
    SecondFactorFailed,
    /// An application was let in for the first time.
    ApplicationAllowed {
        /// What people call it.
        name: String,
        /// The names of the scopes: what it may see and do.
        scopes: Vec<String>,
    },
}

impl SecurityEvent {
    /// The stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PasskeyAdded(_) => "passkey_added",
            Self::PasskeyRemoved(_) => "passkey_removed",
            Self::PasskeyCounterWentBack(_) => "passkey_counter_went_back",
            Self::AuthenticatorAdded => "authenticator_added",
            Self::AuthenticatorRemoved => "authenticator_removed",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed(_) => "recovery_code_used",
            Self::PasswordRemoved => "password_removed",
            Self::FactorsReset => "factors_reset",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::ApplicationAllowed { .. } => "application_allowed",
        }
    }
}

impl Mail {
    /// A message that only shows that mail is sent.
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
            Self::MoveIn { .. } => "move_in",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::PasswordReset { .. } => "password_reset",
            Self::PasswordChanged { .. } => "password_changed",
            Self::EmailChange { .. } => "email_change",
            Self::EmailUndo { .. } => "email_undo",
            Self::Invitation { .. } => "invitation",
            Self::FailedSignIns { .. } => "failed_sign_ins",
            Self::RefreshReused { .. } => "refresh_reused",
            Self::Welcome { .. } => "welcome",
            Self::SecurityNotice { .. } => "security_notice",
            Self::Enrolment { .. } => "enrolment",
            Self::SecondFactorDue { .. } => "second_factor_due",
            Self::Test => "test",
        }
    }

    /// Every kind there is, for checks that each has its template.
    pub const KINDS: [&'static str; 16] = [
        "confirm",
        "choose_password",
        "move_in",
        "already_registered",
        "welcome",
        "password_reset",
        "password_changed",
        "email_change",
        "email_undo",
        "invitation",
        "failed_sign_ins",
        "refresh_reused",
        "security_notice",
        "enrolment",
        "second_factor_due",
        "test",
    ];
}

/// Sends a [`Mail`]. `Ok` means that the other side has taken responsibility for it.
pub trait MailTransport: Send + Sync {
    /// Renders and sends one message. Must give up by itself eventually; until then no other worker has the message.
    ///
    /// Call [`SendAttempt::leaves`] right before the message may reach the other side: its code works from then on.
    /// Without the call, the message is assumed to leave at the end.
    fn send(&self, mail: &Mail, attempt: &SendAttempt) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// Where a [`MailTransport`] reports the progress of the message it is sending.
pub struct SendAttempt(Option<Arc<dyn Observer>>);

/// Extends the lease of the message meanwhile, and notes its progress.
pub(crate) trait Observer: Send + Sync {
    fn mail(&self) -> MailId;
    fn leaves(&self) -> BoxFuture<'_, Result<(), SendError>>;
    fn answered(&self);
}

impl SendAttempt {
    /// For a message that is not in the outbox, such as [`Mail::test`].
    pub const fn untracked() -> Self {
        Self(None)
    }

    pub(crate) fn tracked_by(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// The message is about to leave: from now on it may reach the other side, and its code works until a minute after
    /// the answer, or after giving up. Await it right before the last byte is sent, e.g. the final dot of SMTP; calling
    /// it again is harmless.
    ///
    /// # Errors
    /// Another worker has taken the message, or the store does not answer: do not send it, return this error.
    pub async fn leaves(&self) -> Result<(), SendError> {
        match &self.0 {
            Some(observer) => observer.leaves().await,
            None => Ok(()),
        }
    }

    /// The other side answers, and does not know the recipient yet: a delay from now on may be due to this message.
    /// Without the call, a delay is attributed to the other side.
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

/// Why a message was not sent, as far as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nothing gets through at present, which may pass by itself: network, time-out, 421 of SMTP, 5xx of HTTP.
    Temporary(String),
    /// Nothing gets through at present, and the other side says when to try again: 429 of HTTP.
    Throttled {
        /// The answer of the other side.
        cause: String,
        /// How long to wait.
        retry_after: Duration,
    },
    /// We are refused, not the message, until an operator acts: credentials, sender, quota, payment. It is tried again,
    /// and logged as an error.
    Refused(String),
    /// This message should be tried again later; others may get through: 4xx of SMTP.
    Deferred(String),
    /// The message may or may not have arrived: the other side went silent after its end. It is tried again.
    Uncertain(String),
    /// This message will never get through: refused address, refused content.
    Permanent(String),
}

impl SendError {
    /// The cause, whether or not it may pass.
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

    /// Whether it affects every message, whoever it is for.
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
