//! The user's answer.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::application::request::{AuthorizationRefusal, AuthorizationRequest};
use crate::domain::audit::{AuditActor, AuditKind};
use crate::fault::Fault;
use crate::ops::application::authorization::decide::{AuthorizationStep, Next, allowed, next};
use crate::ops::application::authorization::issue::{from_json, issue, refuse};
use crate::ops::application::authorization::keep::{holder_hash, read_id};
use crate::store::Tx;
use crate::store::tables::application::{grants, requests};
use crate::trail::Entry;

/// What the user says to an application's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentAnswer {
    /// It may see and do what it asks for.
    Allow,
    /// It may not.
    Deny,
}

/// Why an answer counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// The request was answered, is too old, or belongs to another browser.
    #[error("the request was answered already, or it is too old")]
    Gone,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Answers a request that waits in this browser, once. The outcome is [`AuthorizationStep::Done`], or what is missing
    /// before the answer counts; then the request waits on.
    ///
    /// # Errors
    /// [`ConsentError`]
    pub async fn answer_authorization(
        &self,
        who: Option<&SignedIn>,
        holder: &str,
        id: &str,
        answer: ConsentAnswer,
        client: &Client,
    ) -> Result<AuthorizationStep, ConsentError> {
        let core = self.0.clone();
        let id = read_id(id).ok_or(ConsentError::Gone)?;
        let (holder, who) = (holder_hash(holder), who.cloned());
        let actor = who.as_ref().map_or(AuditActor::Anonymous, |who| AuditActor::User(who.account.id));
        let entry = Entry::new(AuditKind::ApplicationAllowed, actor, client);
        self.0
            .store
            .write(move |tx| {
                let now = core.now();
                let Some(text) = requests::find(tx, &id, &holder, now)? else {
                    return Err(ConsentError::Gone);
                };
                let request = from_json(&text)?;
                let step = match answer {
                    ConsentAnswer::Deny => {
                        let refused = refuse(&core, &request, AuthorizationRefusal::AccessDenied);
                        AuthorizationStep::Done(refused)
                    }
                    ConsentAnswer::Allow => allow(tx, &core, &request, who.as_ref(), &entry)?,
                };
                let is_done = matches!(step, AuthorizationStep::Done(_));
                if is_done && requests::take(tx, &id, &holder, now)?.is_none() {
                    return Err(ConsentError::Gone);
                }
                Ok(step)
            })
            .await
    }
}

fn allow(
    tx: &mut Tx<'_>,
    core: &Core,
    request: &AuthorizationRequest,
    who: Option<&SignedIn>,
    entry: &Entry,
) -> Result<AuthorizationStep, Fault> {
    let now = core.now();
    let present = match next(tx, core, request, who, now)? {
        Next::Stop(step) => return Ok(step),
        Next::Ask(_, present) | Next::Answer(present) => present,
    };
    let user = &present.user.account;
    let scopes = allowed(tx, user.id, request)?;
    let before = grants::find(tx, user.id, &request.client_id)?;
    grants::allow(tx, user.id, &request.client_id, &scopes, now)?;
    let entry = entry.about(user).detail(format!("{}: {scopes}", request.client_id));
    match before {
        // Told by mail the first time.
        None => entry.write_and_notify(tx, core, now)?,
        Some(before) if before.scopes != scopes => entry.write(tx, core, now)?,
        Some(_) => {}
    }
    issue(tx, core, request, &present, now).map(AuthorizationStep::Done)
}
