//! A session proves again who it is: what step-up asks for. It opens nothing, and failures count as at sign-in.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::amr::Method;
use crate::domain::access::client::Client;
use crate::domain::access::session::{Proven, SignedIn};
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::password::Password;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::account::password::ChangeError;
use crate::ops::sign_in::factor::{FactorAttempt, Judged};
use crate::ops::sign_in::second_factor::{SecondFactor, SecondFactorError};
use crate::store::Tx;
use crate::store::tables::{sessions, users};
use crate::token::ceremony::For;
use crate::trail::Entry;

impl Accounts {
    /// The password again, before something that matters: an unlocked screen, or the cookie of a session, is not enough for
    /// it (O4). From now on the session has given it.
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`Fault`](ChangeError::Fault).
    pub async fn reauthenticate(
        &self,
        who: &SignedIn,
        password: &Password,
        client: &Client,
    ) -> Result<SignedIn, ChangeError> {
        self.give_password(who, password, client).await?;
        let (core, who, client) = (self.0.clone(), who.clone(), client.clone());
        let proof = || Proof { method: Method::Password, kind: "password" };
        let prove = move |tx: &mut Tx<'_>| note(tx, &core, &who, &proof(), &client, core.now());
        let proven = self.0.store.write(prove).await.map_err(ChangeError::Fault)?;
        proven.ok_or(ChangeError::Refused)
    }

    /// A second factor again, before something that matters.
    ///
    /// # Errors
    /// [`SecondFactorError::Invalid`], [`Limited`](SecondFactorError::Limited), [`Expired`](SecondFactorError::Expired) when
    /// the session has ended; [`Fault`](SecondFactorError::Fault).
    pub async fn reauthenticate_with(
        &self,
        who: &SignedIn,
        given: &SecondFactor,
        client: &Client,
    ) -> Result<SignedIn, SecondFactorError> {
        let (core, given, client, who) = (self.0.clone(), given.clone(), client.clone(), who.clone());
        let prove = move |tx: &mut Tx<'_>| -> Result<Result<SignedIn, SecondFactorError>, Fault> {
            let now = core.now();
            let Some(user) = users::by_id(tx, who.account.id)? else {
                return Ok(Err(SecondFactorError::Expired));
            };
            let attempt = FactorAttempt::new(&core, &user, given.kind(), &client);
            let right = match given.judge(tx, &core, &attempt, For::StepUp(who.session_id))? {
                Judged::Right(right) => right,
                Judged::Wrong { attempts_left } => {
                    return Ok(Err(SecondFactorError::Invalid { attempts_left }));
                }
                Judged::Limited { retry_after } => {
                    return Ok(Err(SecondFactorError::Limited { retry_after }));
                }
            };
            right.forget_failures(tx)?;
            let proof = Proof { method: right.method, kind: given.kind().name() };
            let proven = note(tx, &core, &who, &proof, &client, now)?;
            Ok(proven.ok_or(SecondFactorError::Expired))
        };
        self.0.store.write(prove).await.map_err(SecondFactorError::Fault)?
    }
}

/// What was given, and what the trail calls it.
struct Proof {
    method: Method,
    kind: &'static str,
}

/// Notes a proof in the session. `None`: it has ended.
fn note(
    tx: &mut Tx<'_>,
    core: &Core,
    who: &SignedIn,
    proof: &Proof,
    client: &Client,
    now: Timestamp,
) -> Result<Option<SignedIn>, Fault> {
    let Some(session) = sessions::hold(tx, who.account.id, who.session_id, now)? else { return Ok(None) };
    let before = session.proven;
    let amr = before.amr.with(proof.method);
    let proven = match proof.method {
        Method::Password => Proven { amr, password_at: Some(now), ..before },
        Method::OneTimeCode | Method::HardwareKey | Method::SoftwareKey => {
            Proven { amr, factor_at: Some(now), ..before }
        }
    };
    sessions::set_proven(tx, who.session_id, &proven)?;
    let entry = Entry::new(AuditKind::Reauthenticated, AuditActor::User(who.account.id), client);
    entry.about(&who.account).detail(proof.kind).write(tx, core, now)?;
    Ok(Some(SignedIn { proven, auth_time: now, ..who.clone() }))
}
