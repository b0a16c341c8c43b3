//! The codes of the library's errors.
//!
//! The conversions have no `_` arm, so a new variant does not compile until it is given a code.

use vestibule::{
    AdminError, ApplicationChangeError, AuthenticateError, CeremonyError, ChangeError, CheckError,
    ConfirmError, DataError, EmailChangeError, EnrolmentError, FactorError, Fault, JoinError, KeepError,
    LinkError, OutboxError, PasskeySignInError, ProfileError, RegistrationError, ResendError, ResetError,
    SecondFactorError, SignInError, SignUpError, StepUp, UserDataError, UserInfoError,
};

use super::Problem;
use super::field_error::FieldError;
use super::sentence::sentence;
use crate::catalogue::Code;
use crate::rate_limit::Limit;

impl Problem {
    /// A refused change of a signed-in user. A wrong password is a wrong field, at `given_at`: a 401 would be taken for
    /// an expired token, which a client answers by refreshing it and asking again.
    pub(crate) fn of_change(error: ChangeError, given_at: &'static str) -> Self {
        match error {
            ChangeError::Refused => FieldError::new(given_at, Code::PasswordWrong).into(),
            ChangeError::Limited { retry_after } => Self::limited(Limit::SignIn, retry_after),
            ChangeError::Password(error) => FieldError::password("/new_password", &error).into(),
            ChangeError::LastAdmin => Self::new(Code::LastAdmin),
            ChangeError::PasswordRequired => FieldError::new(given_at, Code::Required).into(),
            ChangeError::StepUp(needed) => needed.into(),
            ChangeError::Fault(fault) => fault.into(),
        }
    }
}

impl Problem {
    fn without_passkeys() -> Self {
        Self::new(Code::NotFound).detail(
            "There are no passkeys here: they are switched off, or browsers give none to this public address.",
        )
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::fields(vec![error])
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Overloaded { retry_after } => {
                Self::new(Code::TemporarilyOverloaded).retry_after(retry_after)
            }
            Fault::Unavailable(cause) => Self::unavailable(&cause),
            Fault::ReadOnly => Self::unavailable(&fault).detail(
                "The accounts are being moved to another database. Until that has ended, they can be read and not changed.",
            ),
        }
    }
}

impl From<UserInfoError> for Problem {
    fn from(error: UserInfoError) -> Self {
        match error {
            UserInfoError::Invalid => Self::new(Code::InvalidToken),
            UserInfoError::InsufficientScope => Self::insufficient_scope("openid"),
            UserInfoError::Fault(fault) => fault.into(),
        }
    }
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::Closed => Self::new(Code::SignUpClosed),
            SignUpError::Password(error) => FieldError::password("/password", &error).into(),
            SignUpError::Data(error) => Self::fields(FieldError::profile(error)),
            SignUpError::Terms(error) => FieldError::terms(error).into(),
            SignUpError::UserNameTaken => Self::new(Code::UserNameTaken),
            SignUpError::EmailTaken => Self::new(Code::EmailTaken),
            SignUpError::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused),
            SignUpError::Limited { retry_after } => Self::limited(Limit::Mails, retry_after),
            SignUpError::Fault(fault) => fault.into(),
        }
    }
}

impl From<KeepError> for Problem {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Limited { retry_after } => Self::new(Code::TooManyRequests).retry_after(retry_after),
            KeepError::TooLong => Self::new(Code::InvalidRequest).detail("The request is longer than 8 KiB."),
            KeepError::Fault(fault) => fault.into(),
        }
    }
}

impl From<UserDataError> for Problem {
    fn from(error: UserDataError) -> Self {
        match error {
            UserDataError::TooLarge => FieldError::new("", Code::DataTooLarge).into(),
            UserDataError::TooDeep => Self::new(Code::MalformedJson).detail(sentence(&error.to_string())),
        }
    }
}

impl From<DataError> for Problem {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Invalid(error) => error.into(),
            DataError::Refused(faults) => Self::fields(faults.into_iter().map(FieldError::data).collect()),
            DataError::Gone => Self::new(Code::InvalidToken),
            DataError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Limited { retry_after } => Self::limited(Limit::Mails, retry_after),
            ResendError::Fault(fault) => fault.into(),
        }
    }
}

impl From<CheckError> for Problem {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Limited { retry_after } => Self::limited(Limit::PasswordChecks, retry_after),
            CheckError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Refused => Self::new(Code::InvalidCredentials),
            ConfirmError::CodeInvalid { attempts_left } => {
                let mut problem = Self::new(Code::CodeInvalid);
                problem.0.attempts_left = Some(attempts_left);
                problem
            }
            ConfirmError::CodeExpired => Self::new(Code::CodeExpired),
            ConfirmError::LinkInvalid => LinkError::Invalid.into(),
            ConfirmError::LinkExpired => LinkError::Expired.into(),
            ConfirmError::LinkUsed => LinkError::Used.into(),
            ConfirmError::Password(error) => FieldError::password("/password", &error).into(),
            ConfirmError::Terms(error) => FieldError::terms(error).into(),
            ConfirmError::UserNameTaken => Self::new(Code::UserNameTaken),
            ConfirmError::Limited { retry_after } => Self::limited(Limit::Confirm, retry_after),
            ConfirmError::Fault(fault) => fault.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused => Self::new(Code::InvalidCredentials),
            SignInError::Unconfirmed(_) => Self::new(Code::EmailNotConfirmed),
            SignInError::Disabled => Self::new(Code::AccountDisabled),
            SignInError::SecondFactorRequired(asked) => Self::second_factor(asked),
            SignInError::EnrolmentRequired => Self::new(Code::SecondFactorEnrolmentRequired),
            SignInError::Limited { retry_after } => Self::limited(Limit::SignIn, retry_after),
            SignInError::Fault(fault) => fault.into(),
        }
    }
}

impl From<StepUp> for Problem {
    fn from(StepUp { max_age, factor }: StepUp) -> Self {
        Self::step_up(max_age, factor)
    }
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Invalid { attempts_left } => {
                Self::new(Code::SecondFactorInvalid).with_attempts_left(attempts_left)
            }
            SecondFactorError::Expired => Self::new(Code::ChallengeExpired),
            SecondFactorError::Limited { retry_after } => Self::limited(Limit::SignIn, retry_after),
            SecondFactorError::Fault(fault) => fault.into(),
        }
    }
}

impl From<PasskeySignInError> for Problem {
    fn from(error: PasskeySignInError) -> Self {
        match error {
            PasskeySignInError::Unknown => Self::new(Code::PasskeyUnknown),
            PasskeySignInError::Invalid => Self::new(Code::PasskeyInvalid),
            PasskeySignInError::Disabled => Self::new(Code::AccountDisabled),
            PasskeySignInError::Limited { retry_after } => Self::limited(Limit::SignIn, retry_after),
            PasskeySignInError::Fault(fault) => fault.into(),
        }
    }
}

impl From<CeremonyError> for Problem {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Unavailable => Self::without_passkeys(),
            CeremonyError::Expired => Self::new(Code::ChallengeExpired),
            CeremonyError::Fault(fault) => fault.into(),
        }
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::StepUp(needed) => needed.into(),
            FactorError::CodeInvalid => Self::new(Code::CodeInvalid),
            FactorError::Exists => Self::new(Code::AuthenticatorExists),
            FactorError::PasskeyExists => Self::new(Code::PasskeyExists),
            FactorError::NotFound => Self::new(Code::NotFound),
            FactorError::TooMany => Self::new(Code::PasskeysTooMany),
            FactorError::PasskeyInvalid(why) => {
                Self::new(Code::PasskeyRefused).detail(sentence(&why.to_string()))
            }
            FactorError::LastWayIn => Self::new(Code::LastWayIn),
            FactorError::Unavailable => Self::without_passkeys(),
            FactorError::Fault(fault) => fault.into(),
        }
    }
}

impl From<EnrolmentError> for Problem {
    fn from(error: EnrolmentError) -> Self {
        match error {
            EnrolmentError::Link(error) => error.into(),
            EnrolmentError::Refused => Self::new(Code::InvalidCredentials),
            EnrolmentError::Limited { retry_after } => Self::limited(Limit::SignIn, retry_after),
            EnrolmentError::Fault(fault) => fault.into(),
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => {
                Self::new(Code::LinkExpired).detail("The link is not valid or has expired.")
            }
            LinkError::Expired => Self::new(Code::LinkExpired),
            LinkError::Used => Self::new(Code::LinkUsed),
        }
    }
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Link(error) => error.into(),
            ResetError::FactorNeeded => Self::new(Code::PasswordRemoved),
            ResetError::Password(error) => FieldError::password("/new_password", &error).into(),
            ResetError::Fault(fault) => fault.into(),
        }
    }
}

impl From<EmailChangeError> for Problem {
    fn from(error: EmailChangeError) -> Self {
        match error {
            EmailChangeError::Link(error) => error.into(),
            EmailChangeError::Refused => Self::new(Code::InvalidCredentials),
            EmailChangeError::Limited { retry_after } => Self::limited(Limit::SignIn, retry_after),
            EmailChangeError::Password(error) => FieldError::password("/new_password", &error).into(),
            EmailChangeError::Taken => Self::new(Code::EmailTaken),
            EmailChangeError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::UserNameTaken => Self::new(Code::UserNameTaken),
            ProfileError::Gone => Self::new(Code::InvalidToken),
            ProfileError::Fault(fault) => fault.into(),
        }
    }
}

impl From<AuthenticateError> for Problem {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Invalid => Self::new(Code::InvalidToken),
            AuthenticateError::Fault(fault) => fault.into(),
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Forbidden => Self::lacking_role("admin"),
            AdminError::StepUp(needed) => needed.into(),
            AdminError::EnrolmentRequired => Self::new(Code::SecondFactorEnrolmentRequired),
            AdminError::NotFound => Self::new(Code::NotFound),
            AdminError::EmailTaken => Self::new(Code::EmailTaken),
            AdminError::UserNameTaken => Self::new(Code::UserNameTaken),
            AdminError::Password(error) => FieldError::password("/password", &error).into(),
            AdminError::Roles(error) => FieldError::roles("/roles", error).into(),
            AdminError::LastAdmin => Self::new(Code::LastAdmin),
            AdminError::Changed => Self::new(Code::PreconditionFailed),
            AdminError::Disabled => Self::new(Code::UserDisabled),
            AdminError::Limited { retry_after } => Self::new(Code::TooManyRequests).retry_after(retry_after),
            AdminError::CursorInvalid => FieldError::new("/cursor", Code::CursorInvalid).into(),
            AdminError::LimitInvalid => FieldError::new("/limit", Code::LimitInvalid).into(),
            AdminError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ApplicationChangeError> for Problem {
    fn from(error: ApplicationChangeError) -> Self {
        match error {
            ApplicationChangeError::Admin(error) => error.into(),
            ApplicationChangeError::Invalid(invalid) => FieldError::application(&invalid).into(),
            ApplicationChangeError::Taken => Self::new(Code::ClientTaken),
            ApplicationChangeError::NotFound => Self::new(Code::NotFound),
            ApplicationChangeError::InSettings => Self::new(Code::ClientInSettings),
            ApplicationChangeError::TooMany => Self::new(Code::ClientsTooMany),
            ApplicationChangeError::Kind => Self::new(Code::ClientIsPublic),
        }
    }
}

impl From<RegistrationError> for Problem {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::Forbidden => Self::lacking_role("admin"),
            RegistrationError::NotFound => Self::new(Code::NotFound),
            RegistrationError::Decoy => Self::new(Code::SignUpDecoy),
            RegistrationError::AlreadyActive => Self::new(Code::AlreadyActive),
            RegistrationError::EmailTaken => Self::new(Code::EmailTaken),
            RegistrationError::UserNameTaken => Self::new(Code::UserNameTaken),
            RegistrationError::Fault(fault) => fault.into(),
        }
    }
}

impl From<OutboxError> for Problem {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Forbidden => Self::lacking_role("admin"),
            OutboxError::NotFound => Self::new(Code::NotFound),
            OutboxError::AlreadySent => Self::new(Code::MailSent),
            OutboxError::Fault(fault) => fault.into(),
        }
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Link(error) => error.into(),
            JoinError::Password(error) => FieldError::password("/password", &error).into(),
            JoinError::Terms(error) => FieldError::terms(error).into(),
            JoinError::EmailTaken => Self::new(Code::EmailTaken),
            JoinError::UserNameTaken => Self::new(Code::UserNameTaken),
            JoinError::Fault(fault) => fault.into(),
        }
    }
}
