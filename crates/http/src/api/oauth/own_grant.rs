//! The grants of this service's own sign-in: a password, a second factor, a refresh token.

use utoipa::ToSchema;
use vestibule::{
    Accounts, Client, Login, Password, RecoveryCodeError, RefreshError, SecondFactor, SecondFactorError,
    SignInError, Tokens, TotpCodeError,
};

use super::refusal::{self, Refusal};
use crate::catalogue::Code;
use crate::extract::Pairs;
use crate::problem::Problem;

/// A password to exchange: in development mode, or where the setting `tokens.password_grant` allows it. Other parameters
/// are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "password", "username": "ada@example.org", "password": "violet-otter-maps-42"}))]
#[expect(dead_code, reason = "describes what `OwnGrant` reads")]
pub(super) struct PasswordGrantForm {
    #[schema(pattern = "^(password)$")]
    grant_type: String,
    /// An email address or a user name.
    username: String,
    #[schema(format = Password)]
    password: String,
}

/// The grant of the second half of a sign-in.
pub(super) const SECOND_FACTOR: &str = "urn:vestibule:second-factor";

/// A challenge of `second_factor_required`, and a code of the authenticator app. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "urn:vestibule:second-factor",
    "challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "code": "492039"}))]
#[expect(dead_code, reason = "describes what `OwnGrant` reads")]
pub(super) struct CodeGrantForm {
    #[schema(pattern = "^(urn:vestibule:second-factor)$")]
    grant_type: String,
    challenge: String,
    code: String,
}

/// A challenge of `second_factor_required`, and a recovery code. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "urn:vestibule:second-factor",
    "challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "recovery_code": "7k2m-9xqa-03hd-v5rt"}))]
#[expect(dead_code, reason = "describes what `OwnGrant` reads")]
pub(super) struct RecoveryGrantForm {
    #[schema(pattern = "^(urn:vestibule:second-factor)$")]
    grant_type: String,
    challenge: String,
    recovery_code: String,
}

/// What somebody offers for tokens of this service's own.
pub(super) enum OwnGrant {
    Password { login: Login, password: Password },
    SecondFactor { challenge: String, given: SecondFactor },
    Refresh(String),
}

impl OwnGrant {
    pub(super) fn password(mut form: Pairs) -> Result<Self, Refusal> {
        let (username, password) =
            (refusal::needed(&mut form, "username")?, refusal::needed(&mut form, "password")?);
        read_login(&username).zip(Password::new(&password).ok()).map_or_else(
            || Err(SignInError::Refused.into()),
            |(login, password)| Ok(Self::Password { login, password }),
        )
    }

    pub(super) fn second_factor(mut form: Pairs) -> Result<Self, Refusal> {
        let challenge = refusal::needed(&mut form, "challenge")?;
        let wrong = |error: String| Refusal::new("invalid_grant", &error);
        let given = match form.take("code") {
            Some(code) => {
                SecondFactor::Code(code.parse().map_err(|error: TotpCodeError| wrong(error.to_string()))?)
            }
            None => SecondFactor::RecoveryCode(
                refusal::needed(&mut form, "recovery_code")?
                    .parse()
                    .map_err(|error: RecoveryCodeError| wrong(error.to_string()))?,
            ),
        };
        Ok(Self::SecondFactor { challenge, given })
    }

    pub(super) fn refresh(mut form: Pairs) -> Result<Self, Refusal> {
        Ok(Self::Refresh(refusal::needed(&mut form, "refresh_token")?))
    }

    pub(super) async fn exchange(self, accounts: &Accounts, client: &Client) -> Result<Tokens, Refusal> {
        Ok(match self {
            Self::Password { login, password } => accounts.sign_in(&login, &password, client).await?,
            Self::SecondFactor { challenge, given } => {
                accounts.second_factor(&challenge, &given, client).await?
            }
            Self::Refresh(token) => accounts.refresh(&token, client).await?,
        })
    }
}

/// No user name has an `@`, so the two cannot be confused (M3).
fn read_login(text: &str) -> Option<Login> {
    if text.contains('@') {
        text.parse().ok().map(Login::Email)
    } else {
        text.parse().ok().map(Login::UserName)
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        let description = error.to_string();
        match error {
            SignInError::Refused
            | SignInError::Unconfirmed(_)
            | SignInError::Disabled
            | SignInError::EnrolmentRequired => Self::new("invalid_grant", &description),
            SignInError::SecondFactorRequired(asked) => Self::asks_for(&asked),
            SignInError::Limited { .. } | SignInError::Fault(_) => {
                Self::of(error.into(), "temporarily_unavailable")
            }
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => Self::new("invalid_grant", "the refresh token is not valid"),
            RefreshError::Limited { retry_after } => {
                let problem = Problem::new(Code::TooManyRequests).retry_after(retry_after);
                let detail =
                    "The refresh token was used a moment ago. If that answer got lost, try again later.";
                Self::of(problem.detail(detail), "temporarily_unavailable")
            }
            RefreshError::Fault(fault) => fault.into(),
        }
    }
}

impl From<SecondFactorError> for Refusal {
    fn from(error: SecondFactorError) -> Self {
        let description = error.to_string();
        match error {
            SecondFactorError::Invalid { .. } | SecondFactorError::Expired => {
                Self::new("invalid_grant", &description)
            }
            SecondFactorError::Limited { .. } | SecondFactorError::Fault(_) => {
                Self::of(error.into(), "temporarily_unavailable")
            }
        }
    }
}
