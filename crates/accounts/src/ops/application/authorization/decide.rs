//! What a request needs before it is answered: a sign-in, a fresh proof, an answer of the user, or nothing.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::session::SignedIn;
use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::registered::{Application, ApplicationKind, Consent};
use crate::domain::application::request::{AuthorizationRefusal, AuthorizationRequest};
use crate::domain::application::scope::Scopes;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::authorization::issue::{Present, from_json, issue, refuse};
use crate::ops::application::authorization::keep::{holder_hash, read_id};
use crate::ops::application::find::application;
use crate::ops::sign_in::admit::{GoesOn, may_continue};
use crate::store::Tx;
use crate::store::tables::application::{grants, requests};
use crate::store::tables::sessions;
use crate::store::tables::users;
use crate::store::tables::users::standing;

/// What comes next.
#[derive(Clone, Debug)]
pub enum AuthorizationStep {
    /// The browser goes to this address of the application.
    Done(String),
    /// Somebody has to sign in, or to finish enrolling a second factor.
    SignIn,
    /// The user has to prove again who they are.
    ProveAgain,
    /// The user has to give a second factor.
    ProveFactor,
    /// The user is asked.
    Ask(Box<ConsentQuestion>),
}

/// What the user is asked.
#[derive(Clone, Debug)]
pub struct ConsentQuestion {
    /// Who asks.
    pub application: Application,
    /// Where the answer goes.
    pub redirect_uri: RedirectUri,
    /// What it wants to see and do.
    pub scopes: Scopes,
    /// What the user has allowed it before.
    pub allowed: Scopes,
}

impl Accounts {
    /// Decides what a request needs, for the browser's session that is given; and answers it if it needs nothing.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn decide_authorization(
        &self,
        request: &AuthorizationRequest,
        who: Option<&SignedIn>,
    ) -> Result<AuthorizationStep, Fault> {
        let (core, request, who) = (self.0.clone(), request.clone(), who.cloned());
        let is_nobody = who.is_none();
        let decide = move |tx: &mut Tx<'_>| {
            let now = core.now();
            decided(tx, &core, &request, who.as_ref(), now)
        };
        // For nobody nothing is written, and nobody may keep the writer busy.
        if is_nobody { self.0.store.read(decide).await } else { self.0.store.write(decide).await }
    }

    /// The same for a request that waits in this browser. Once it is answered it waits no more; `None`: it was answered already, it
    /// is too old, or belongs to another browser.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn continue_authorization(
        &self,
        who: Option<&SignedIn>,
        holder: &str,
        id: &str,
    ) -> Result<Option<AuthorizationStep>, Fault> {
        let Some(id) = read_id(id) else { return Ok(None) };
        let (core, holder, who) = (self.0.clone(), holder_hash(holder), who.cloned());
        self.0
            .store
            .write(move |tx| {
                let now = core.now();
                let Some(text) = requests::find(tx, &id, &holder, now)? else { return Ok(None) };
                let step = decided(tx, &core, &from_json(&text)?, who.as_ref(), now)?;
                let is_done = matches!(step, AuthorizationStep::Done(_));
                let is_ours = !is_done || requests::take(tx, &id, &holder, now)?.is_some();
                Ok(is_ours.then_some(step))
            })
            .await
    }
}

/// What a request needs; and its answer if it needs nothing.
fn decided(
    tx: &mut Tx<'_>,
    core: &Core,
    request: &AuthorizationRequest,
    who: Option<&SignedIn>,
    now: Timestamp,
) -> Result<AuthorizationStep, Fault> {
    match next(tx, core, request, who, now)? {
        Next::Stop(step) => Ok(step),
        Next::Ask(question, _) => Ok(AuthorizationStep::Ask(question)),
        Next::Answer(present) => {
            let user = present.user.account.id;
            let scopes = allowed(tx, user, request)?;
            grants::allow(tx, user, &request.client_id, &scopes, now)?;
            issue(tx, core, request, &present, now).map(AuthorizationStep::Done)
        }
    }
}

/// What a request needs, with what was read to find out.
pub(super) enum Next {
    Stop(AuthorizationStep),
    Ask(Box<ConsentQuestion>, Box<Present>),
    Answer(Box<Present>),
}

/// What the user allows the application with this request.
pub(super) fn allowed(
    tx: &mut Tx<'_>,
    user: UserId,
    request: &AuthorizationRequest,
) -> Result<Scopes, Fault> {
    let before = grants::find(tx, user, &request.client_id)?;
    Ok(before.map(|grant| grant.scopes).unwrap_or_default().and(&request.scopes))
}

/// Looks at application, session, proofs and consent, as they are in this transaction.
pub(super) fn next(
    tx: &mut Tx<'_>,
    core: &Core,
    request: &AuthorizationRequest,
    who: Option<&SignedIn>,
    now: Timestamp,
) -> Result<Next, Fault> {
    let stop = |refusal, step| {
        let refused = || AuthorizationStep::Done(refuse(core, request, refusal));
        Next::Stop(if request.prompt.none { refused() } else { step })
    };
    let Some(application) = still_registered(tx, core, request)? else {
        let refusal = refuse(core, request, AuthorizationRefusal::AccessDenied);
        return Ok(Next::Stop(AuthorizationStep::Done(refusal)));
    };
    let Some(present) = present(tx, core, who, now)? else {
        return Ok(stop(AuthorizationRefusal::LoginRequired, AuthorizationStep::SignIn));
    };
    // OpenID Connect Core §3.1.2.1: for somebody else than the application means there is no other answer.
    if request.hinted.as_ref().is_some_and(|user| *user != present.user.account.id.to_string()) {
        let refusal = refuse(core, request, AuthorizationRefusal::LoginRequired);
        return Ok(Next::Stop(AuthorizationStep::Done(refusal)));
    }
    if let Some(step) = proof_needed(tx, core, request, &present, now)? {
        return Ok(stop(AuthorizationRefusal::LoginRequired, step));
    }
    let before = grants::find(tx, present.user.account.id, &request.client_id)?;
    let before = before.map(|grant| grant.scopes);
    if !must_ask(&application, request, before.as_ref()) {
        return Ok(Next::Answer(Box::new(present)));
    }
    let question = Box::new(ConsentQuestion {
        application,
        redirect_uri: request.redirect_uri.clone(),
        scopes: request.scopes.clone(),
        allowed: before.unwrap_or_default(),
    });
    if request.prompt.none {
        return Ok(stop(AuthorizationRefusal::ConsentRequired, AuthorizationStep::Ask(question)));
    }
    Ok(Next::Ask(question, Box::new(present)))
}

/// The application, if it may still ask what it has asked: requests wait, and registrations change.
fn still_registered(
    tx: &mut Tx<'_>,
    core: &Core,
    request: &AuthorizationRequest,
) -> Result<Option<Application>, Fault> {
    let found = application(tx, core, &request.client_id)?;
    Ok(found.filter(|application| {
        let uri = request.redirect_uri.as_str();
        let resource = request.resource.as_ref();
        application.redirect_uris.iter().any(|registered| registered.allows(uri))
            && resource.is_none_or(|resource| application.resources.contains(resource))
    }))
}

/// The browser's session and its user, if it may go on fully.
fn present(
    tx: &mut Tx<'_>,
    core: &Core,
    who: Option<&SignedIn>,
    now: Timestamp,
) -> Result<Option<Present>, Fault> {
    let Some(SignedIn { account, session_id, .. }) = who else { return Ok(None) };
    // Under the lock of the user, which every change of credentials takes, too.
    users::lock(tx, account.id)?;
    let Some(user) = users::by_id(tx, account.id)? else { return Ok(None) };
    let Some(state) = sessions::alive(tx, account.id, *session_id, now)? else { return Ok(None) };
    let policy = &core.policy().second_factor;
    let goes_on = may_continue(policy, &state, &user.account, user.factor_due_at, now);
    let present = Present { session: *session_id, proven: state.proven, user };
    Ok((goes_on == Some(GoesOn::Fully)).then_some(present))
}

fn proof_needed(
    tx: &mut Tx<'_>,
    core: &Core,
    request: &AuthorizationRequest,
    present: &Present,
    now: Timestamp,
) -> Result<Option<AuthorizationStep>, Fault> {
    let proven_at = present.proven.at();
    let before_request = || proven_at.is_none_or(|at| at.as_millis() < request.asked_at);
    let too_old = |seconds: u32| {
        let age = std::time::Duration::from_secs(u64::from(seconds));
        proven_at.is_none_or(|at| at + age < now)
    };
    if (request.prompt.login && before_request()) || request.max_age.is_some_and(too_old) {
        return Ok(Some(AuthorizationStep::ProveAgain));
    }
    // A voluntary claim (OpenID Connect Core §5.5.1.1): who has no second factor goes on without.
    if request.wants_factor && !present.proven.amr.is_multi_factor() {
        let standing = standing::of(tx, present.user.account.id, core.relying_party.is_some())?;
        let has_factor = standing.is_some_and(|standing| standing.has_factor());
        return Ok(has_factor.then_some(AuthorizationStep::ProveFactor));
    }
    Ok(None)
}

/// Whether the user is asked. What any program on the device could receive is never sent unasked (RFC 8252 §8.6).
fn must_ask(application: &Application, request: &AuthorizationRequest, before: Option<&Scopes>) -> bool {
    let is_assured = application.kind == ApplicationKind::Confidential || !request.redirect_uri.is_native();
    let is_remembered = before.is_some_and(|allowed| request.scopes.is_within(allowed));
    let is_trusted = application.consent == Consent::Never;
    request.prompt.consent || !is_assured || !(is_trusted || is_remembered)
}
