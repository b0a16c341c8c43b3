//! The second half of a sign-in: after the right password, a factor that the user has.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::factor::Factor;
use crate::domain::access::recovery_code::RecoveryCode;
use crate::domain::access::totp_code::TotpCode;
use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::sign_in::admit::{Admission, Opened, Proofs, SessionKey, admit, factors_of};
use crate::ops::sign_in::browser::{BrowserSession, Opening};
use crate::ops::sign_in::factor::{FactorAttempt, Judged};
use crate::ops::sign_in::passkey_check::PasskeyAssertion;
use crate::ops::sign_in::tokens::Tokens;
use crate::store::Tx;
use crate::store::tables::sign_in_challenges::{self, SignInChallenge};
use crate::store::tables::users::{self, Credentials};
use crate::token::ceremony::For;
use crate::token::opaque::new_refresh_token;
use crate::token::sign_in_challenge::{id_of, name};

/// How long a challenge waits for its answer.
const LIFETIME: Duration = Duration::from_mins(5);
/// Challenges to one user that may wait at the same time.
const OPEN_MAX: i64 = 20;

/// The password was right, and a second factor is asked for.
#[derive(Clone, Debug)]
pub struct SecondFactorChallenge {
    /// Opaque: whoever has it may give the second factor, and nothing else.
    pub challenge: Secret,
    /// What the user has to answer with.
    pub methods: Vec<Factor>,
    /// When the challenge is forgotten.
    pub expires_at: Timestamp,
}

/// A second factor that somebody gives.
#[derive(Clone, Debug)]
pub enum SecondFactor {
    /// A code of the authenticator app.
    Code(TotpCode),
    /// A recovery code.
    RecoveryCode(RecoveryCode),
    /// A passkey.
    Passkey(PasskeyAssertion),
}

impl SecondFactor {
    pub(crate) const fn kind(&self) -> Factor {
        match self {
            Self::Code(_) => Factor::Totp,
            Self::RecoveryCode(_) => Factor::RecoveryCode,
            Self::Passkey(_) => Factor::Passkey,
        }
    }

    /// Whether it is right for this.
    pub(crate) fn judge(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        attempt: &FactorAttempt<'_>,
        what: For,
    ) -> Result<Judged, Fault> {
        match self {
            Self::Code(given) => attempt.judge_totp(tx, core, given),
            Self::RecoveryCode(given) => attempt.judge_recovery_code(tx, core, given),
            Self::Passkey(given) => attempt.judge_passkey(tx, core, given, what),
        }
    }
}

/// Why a second factor opened nothing.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// It is not the user's, or was used before.
    #[error("the second factor is wrong")]
    Invalid {
        /// Answers that are left before there is a wait.
        attempts_left: u32,
    },
    /// The challenge was answered or is too old, or the credentials were changed since: sign in again.
    #[error("the challenge for a second factor does not stand any more")]
    Expired,
    /// Too many wrong answers.
    #[error("too many wrong second factors")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Answers the challenge of [`SignInError::SecondFactorRequired`](crate::SignInError::SecondFactorRequired): a session and its
    /// tokens.
    ///
    /// # Errors
    /// [`SecondFactorError::Invalid`], [`Expired`](SecondFactorError::Expired), [`Limited`](SecondFactorError::Limited),
    /// [`Fault`](SecondFactorError::Fault).
    pub async fn second_factor(
        &self,
        challenge: &str,
        given: &SecondFactor,
        client: &Client,
    ) -> Result<Tokens, SecondFactorError> {
        let (refresh_token, hash) = new_refresh_token(&self.0.settings.env);
        // Before the transaction: once the answer is spent, nothing may be in the way of the tokens.
        let keys = self.0.read_keys().await?;
        let opened = self.answer(challenge, given, SessionKey::Refresh(hash), client).await?;
        Ok(self.0.signed_in(&keys, opened, refresh_token, client)?)
    }

    /// The same for a browser, whose session of before ends.
    ///
    /// # Errors
    /// Those of [`second_factor`](Accounts::second_factor).
    pub async fn second_factor_in_browser(
        &self,
        challenge: &str,
        given: &SecondFactor,
        held: Option<&str>,
        client: &Client,
    ) -> Result<BrowserSession, SecondFactorError> {
        let opening = Opening::new(&self.0, held);
        let opened = self.answer(challenge, given, opening.key, client).await?;
        Ok(opening.opened(&self.0, opened, client))
    }

    /// What can answer a challenge, as long as it stands.
    ///
    /// # Errors
    /// [`SecondFactorError::Expired`], [`Fault`](SecondFactorError::Fault).
    pub async fn second_factor_challenge(
        &self,
        challenge: &str,
    ) -> Result<SecondFactorChallenge, SecondFactorError> {
        let (core, text, now) = (self.0.clone(), challenge.to_owned(), self.0.now());
        let read = move |tx: &mut Tx<'_>| -> Result<_, Fault> {
            let Some((waiting, user)) = standing_challenge(tx, &core, &text, now)? else { return Ok(None) };
            let (challenge, methods) = (Secret::from(text.clone()), factors_of(tx, &core, user.account.id)?);
            Ok(Some(SecondFactorChallenge { challenge, methods, expires_at: waiting.expires_at }))
        };
        self.0.store.read(read).await.map_err(SecondFactorError::Fault)?.ok_or(SecondFactorError::Expired)
    }

    async fn answer(
        &self,
        challenge: &str,
        given: &SecondFactor,
        key: SessionKey<'static>,
        client: &Client,
    ) -> Result<Opened, SecondFactorError> {
        let (core, text) = (self.0.clone(), challenge.to_owned());
        let (given, client) = (given.clone(), client.clone());
        let answer = move |tx: &mut Tx<'_>| conclude(tx, &core, &text, &given, key, &client);
        self.0.store.write(answer).await.map_err(SecondFactorError::Fault)?
    }
}

/// Asks for a second factor: in the transaction that found the password right.
pub(crate) fn ask(
    tx: &mut Tx<'_>,
    core: &Core,
    user: UserId,
    credential_version: i64,
    methods: Vec<Factor>,
) -> Result<SecondFactorChallenge, Fault> {
    let now = core.now();
    let id = core.settings.env.random();
    let waiting =
        SignInChallenge { id, user, credential_version, created_at: now, expires_at: now + LIFETIME };
    sign_in_challenges::insert(tx, &waiting)?;
    sign_in_challenges::keep_newest(tx, user, OPEN_MAX)?;
    let challenge = name(&core.root, &id);
    Ok(SecondFactorChallenge { challenge, methods, expires_at: waiting.expires_at })
}

/// The challenge of this name and whose it is, unless the user may not sign in, or changed the credentials since.
pub(crate) fn standing_challenge(
    tx: &mut Tx<'_>,
    core: &Core,
    text: &str,
    now: Timestamp,
) -> Result<Option<(SignInChallenge, Credentials)>, Fault> {
    let Some(id) = id_of(&core.root, text) else { return Ok(None) };
    let Some(waiting) = sign_in_challenges::find(tx, &id, now)? else { return Ok(None) };
    let found = users::by_id(tx, waiting.user)?.filter(|found| {
        found.credential_version == waiting.credential_version && found.account.disabled_at.is_none()
    });
    Ok(found.map(|found| (waiting, found)))
}

/// A refusal is an `Ok`: what it counted is committed.
fn conclude(
    tx: &mut Tx<'_>,
    core: &Core,
    text: &str,
    given: &SecondFactor,
    key: SessionKey<'static>,
    client: &Client,
) -> Result<Result<Opened, SecondFactorError>, Fault> {
    let now = core.now();
    let Some((waiting, user)) = standing_challenge(tx, core, text, now)? else {
        return Ok(Err(SecondFactorError::Expired));
    };
    let attempt = FactorAttempt::new(core, &user, given.kind(), client);
    let right = match given.judge(tx, core, &attempt, For::SecondFactor(waiting.id))? {
        Judged::Right(right) => right.after_password(waiting.created_at),
        Judged::Wrong { attempts_left } => return Ok(Err(SecondFactorError::Invalid { attempts_left })),
        Judged::Limited { retry_after } => return Ok(Err(SecondFactorError::Limited { retry_after })),
    };
    if !sign_in_challenges::take(tx, &waiting.id, now)? {
        return Ok(Err(SecondFactorError::Expired));
    }
    Ok(match admit(tx, core, &Proofs::factor(&right), key, client)? {
        Admission::Session(opened) => Ok(*opened),
        Admission::SecondFactor(_) | Admission::Refused(_) => Err(SecondFactorError::Expired),
    })
}
